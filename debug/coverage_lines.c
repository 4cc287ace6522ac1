/* Coverage of lines of source, in lcov's form (geninfo(1), "Tracefile format").
 *
 * Runs say how often each stretch of addresses was executed: they become steps, each an address and
 * the count that holds from there on. A line's count is that of its piece of code that ran most
 * often: pieces of one line are mostly executed one after the other, not one instead of the other.
 */
#include "debug/coverage.h"

#include "debug/sources.h"

#include <stdlib.h>

struct step {
    uint64_t va;
    int64_t count; /* while they are made: what changes here */
};

struct steps {
    struct step *items;
    size_t count;
};

/* A line, or a function at its first line. */
struct place {
    const char *file, *name; /* name NULL: a line */
    unsigned line;
    uint64_t count;
};

struct places {
    struct place *items;
    size_t count, room;
};

/* --- how often each address ran ------------------------------------------------------------ */

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    return a->va < b->va ? -1 : a->va > b->va;
}

static bool make_steps(struct steps *s, const struct runs *runs)
{
    size_t n = runs_count(runs), last = 0;
    s->items = calloc(2 * n + 1, sizeof *s->items);
    if (!s->items)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct run *run = runs_get(runs, i);
        s->items[2 * i] = (struct step){run->va, (int64_t)run->count};
        s->items[2 * i + 1] = (struct step){run->va + run->size, -(int64_t)run->count};
    }
    qsort(s->items, 2 * n, sizeof *s->items, compare_steps);
    for (size_t i = 1; i < 2 * n; i++) {
        struct step step = s->items[i];
        if (step.va == s->items[last].va) {
            s->items[last].count += step.count;
        } else {
            step.count += s->items[last].count;
            s->items[++last] = step;
        }
    }
    s->count = n ? last + 1 : 0;
    return true;
}

/* The first step behind the address. */
static size_t step_after(const struct steps *s, uint64_t va)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->items[middle].va <= va)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t count_at(const struct steps *s, uint64_t va)
{
    size_t after = step_after(s, va);
    return after ? (uint64_t)s->items[after - 1].count : 0;
}

/* Of the address in [start, end) that ran most often. */
static uint64_t most_in(const struct steps *s, uint64_t start, uint64_t end)
{
    uint64_t most = count_at(s, start);
    for (size_t i = step_after(s, start); i < s->count && s->items[i].va < end; i++)
        most = max_u64(most, (uint64_t)s->items[i].count);
    return most;
}

/* --- places ------------------------------------------------------------------------------- */

static bool add_place(struct places *p, const struct place *place)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 1024;
        struct place *more = realloc(p->items, room * sizeof *more);
        if (!more)
            return false;
        p->items = more;
        p->room = room;
    }
    p->items[p->count++] = *place;
    return true;
}

/* By file; in each its functions, then its lines, each in their order. */
static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = strcmp(a->file, b->file);
    if (order == 0)
        order = !a->name - !b->name;
    if (order == 0)
        order = a->line < b->line ? -1 : a->line > b->line;
    return order || !a->name ? order : strcmp(a->name, b->name);
}

static bool is_same(const struct place *a, const struct place *b)
{
    return compare_places(a, b) == 0;
}

/* Sorts, and leaves one of those that are the same. */
static void merge_places(struct places *p)
{
    size_t last = 0;
    if (p->count == 0)
        return;
    qsort(p->items, p->count, sizeof *p->items, compare_places);
    for (size_t i = 1; i < p->count; i++) {
        if (is_same(&p->items[i], &p->items[last]))
            p->items[last].count = max_u64(p->items[last].count, p->items[i].count);
        else
            p->items[++last] = p->items[i];
    }
    p->count = last + 1;
}

static bool find_lines(struct places *p, const struct sources *sources, const struct steps *steps)
{
    const struct source_row *row;
    for (size_t i = 0; (row = sources_get(sources, i)) != NULL; i++)
        if (!add_place(p, &(struct place){.file = row->file,
                                          .line = row->line,
                                          .count = most_in(steps, row->start, row->end)}))
            return false;
    return true;
}

static bool find_functions(struct places *p, const struct sources *sources,
                           const struct steps *steps, const struct symbols *symbols, unsigned file)
{
    const struct symbol *symbol;
    for (size_t i = 0; (symbol = symbols_get(symbols, i)) != NULL; i++) {
        const struct source_row *row =
            symbol->file == file && symbol->code ? sources_at(sources, symbol->start) : NULL;
        if (row && !add_place(p, &(struct place){.file = row->file,
                                                 .name = symbol->name,
                                                 .line = row->line,
                                                 .count = count_at(steps, symbol->start)}))
            return false;
    }
    return true;
}

/* --- writing ------------------------------------------------------------------------------ */

/* The places of one file, from p on; how many they are. */
static size_t write_record(const struct place *p, size_t left, FILE *to)
{
    unsigned found[2] = {0}, hit[2] = {0}; /* functions, lines */
    size_t n = 0;
    fprintf(to, "TN:rivulet\nSF:%s\n", p->file);
    for (; n < left && strcmp(p[n].file, p->file) == 0; n++) {
        unsigned kind = p[n].name == NULL;
        unsigned long long count = p[n].count;
        found[kind]++;
        hit[kind] += count != 0;
        if (p[n].name)
            fprintf(to, "FN:%u,%s\nFNDA:%llu,%s\n", p[n].line, p[n].name, count, p[n].name);
        else
            fprintf(to, "DA:%u,%llu\n", p[n].line, count);
    }
    fprintf(to, "FNF:%u\nFNH:%u\nLF:%u\nLH:%u\nend_of_record\n", found[0], hit[0], found[1],
            hit[1]);
    return n;
}

bool coverage_write_lines(const struct symbols *symbols, unsigned file, const struct runs *runs,
                          FILE *to)
{
    struct error ignored;
    struct steps steps = {0};
    struct places places = {0};
    struct sources *sources =
        sources_open(symbols_file(symbols, file), symbols_base(symbols, file), &ignored);
    bool ok = sources && make_steps(&steps, runs) && find_lines(&places, sources, &steps) &&
              find_functions(&places, sources, &steps, symbols, file);
    merge_places(&places);
    for (size_t i = 0; ok && i < places.count;)
        i += write_record(&places.items[i], places.count - i, to);
    sources_destroy(sources);
    free(steps.items);
    free(places.items);
    return ok;
}

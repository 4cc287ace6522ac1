/* What the guest executes: instructions by class and by name, and the blocks where most of them
 * are. Counts are exact. */
#include "debug/runs.h"

#include <stdlib.h>

#define NAMES_SHOWN  48u
#define BLOCKS_SHOWN 32u

struct tally {
    const char *name;
    uint64_t count;
};

static int compare_tallies(const void *left, const void *right)
{
    const struct tally *a = left, *b = right;
    return a->count == b->count ? 0 : a->count < b->count ? 1 : -1;
}

static uint64_t weight(const struct run *run)
{
    return run->count * run->instructions;
}

static int compare_runs(const void *left, const void *right)
{
    const struct run *a = *(struct run *const *)left, *b = *(struct run *const *)right;
    if (weight(a) != weight(b))
        return weight(a) < weight(b) ? 1 : -1;
    return a->va == b->va ? 0 : a->va < b->va ? -1 : 1;
}

static uint32_t word_in(const struct run *run, size_t at)
{
    uint32_t word = 0;
    memcpy(&word, run->bytes + at, min_u64(4, run->size - at));
    return (word & 3) == 3 ? word : word & 0xffff;
}

/* --- counting ----------------------------------------------------------------------------- */

struct totals {
    uint64_t classes[CLASS_COUNT], all, compressed;
    struct tally *names; /* by row of the instruction table */
};

static void add_run(struct totals *totals, struct trace *t, const struct run *run)
{
    for (size_t at = 0, n = 0; n < run->instructions && at < run->size; n++) {
        uint32_t word = word_in(run, at);
        const struct insn_info *info = insn_cache_find(t->instructions, run->va + at, word);
        totals->classes[info->class] += run->count;
        totals->all += run->count;
        bool wide = (word & 3) == 3;
        totals->compressed += wide ? 0 : run->count;
        if (info->in.insn) {
            struct tally *tally = &totals->names[info->in.insn - insns];
            tally->name = info->in.insn->name;
            tally->count += run->count;
        }
        at += wide ? 4 : 2;
    }
}

/* --- writing ------------------------------------------------------------------------------ */

static double share(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

static void write_totals(const struct totals *totals, FILE *file)
{
    fprintf(file, "%llu instructions, %.1f %% of them compressed\n\nBy class:\n",
            (unsigned long long)totals->all, share(totals->compressed, totals->all));
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (totals->classes[i])
            fprintf(file, "%14llu %5.1f %%  %s\n", (unsigned long long)totals->classes[i],
                    share(totals->classes[i], totals->all), insn_class_name((enum insn_class)i));
    qsort(totals->names, insn_count, sizeof *totals->names, compare_tallies);
    fprintf(file, "\nBy name (the first %u):\n", NAMES_SHOWN);
    for (unsigned i = 0; i < NAMES_SHOWN && i < insn_count && totals->names[i].count; i++)
        fprintf(file, "%14llu %5.1f %%  %s\n", (unsigned long long)totals->names[i].count,
                share(totals->names[i].count, totals->all), totals->names[i].name);
}

static void write_run(const struct run *run, uint64_t all, struct trace *t, FILE *file)
{
    struct line l;
    line_begin(&l);
    line_print(&l, "\n%llu times, %.1f %%, %c ", (unsigned long long)run->count,
               share(weight(run), all), "US?M"[run->priv & 3]);
    trace_put_symbol(&l, t->symbols, run->va);
    line_write(&l, file);
    for (size_t at = 0; at < run->size;) {
        uint32_t word = word_in(run, at);
        line_put(&l, "  ");
        line_hex(&l, run->va + at, 16);
        line_put(&l, "  ");
        line_put(&l, insn_cache_text(t->instructions, run->va + at, word));
        line_write(&l, file);
        at += (word & 3) == 3 ? 4 : 2;
    }
}

static bool write_report(struct trace *t, const struct runs *runs, FILE *file)
{
    size_t n = runs_count(runs);
    struct totals totals = {.names = calloc(insn_count, sizeof(struct tally))};
    struct run **sorted = calloc(n ? n : 1, sizeof(struct run *));
    bool ok = totals.names && sorted;
    for (size_t i = 0; ok && i < n; i++) {
        sorted[i] = runs_get(runs, i);
        add_run(&totals, t, sorted[i]);
    }
    if (ok) {
        write_totals(&totals, file);
        qsort(sorted, n, sizeof(struct run *), compare_runs);
        fprintf(file, "\nThe hottest of %zu straight blocks:\n", n);
        for (size_t i = 0; i < n && i < BLOCKS_SHOWN; i++)
            write_run(sorted[i], totals.all, t, file);
    }
    free(totals.names);
    free(sorted);
    return ok;
}

/* --- life --------------------------------------------------------------------------------- */

static void finish(struct tracer *t)
{
    if (!write_report(t->trace, t->state, t->file))
        fprintf(t->file, "There was no memory for the report.\n");
    runs_destroy(t->state);
}

const struct tracer_kind tracer_mix = {
    .wants = NOTICE_RUNS,
    .watch = CODE_STRAIGHT,
    .start = runs_start,
    .notice = runs_notice,
    .finish = finish,
};

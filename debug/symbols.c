/* Names of the guest's addresses (contract: symbols.h).
 *
 * All symbols are in one array, sorted by address after each load; of several at one address the
 * one with a size, then a global one's, is kept first by the order of the file. */
#include "debug/symbols.h"

#include "base/os.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOL_FILES_MAX 256u /* a program may map as many */

struct symbols {
    struct symbol *items;
    size_t count, room;
    char *paths[SYMBOL_FILES_MAX];
    uint64_t bases[SYMBOL_FILES_MAX];
    unsigned files;
    uint64_t limit;         /* of a symbol without a size, while its file is loaded */
    struct symbols *before; /* what was forgotten: its names are in use */
};

struct symbols *symbols_create(void)
{
    struct symbols *s = calloc(1, sizeof *s);
    if (s)
        s->limit = UINT64_MAX;
    return s;
}

static void drop_from(struct symbols *s, size_t first)
{
    while (s->count > first)
        free((char *)(uintptr_t)s->items[--s->count].name);
}

void symbols_destroy(struct symbols *s)
{
    if (!s)
        return;
    symbols_destroy(s->before);
    drop_from(s, 0);
    for (unsigned i = 0; i < s->files; i++)
        free(s->paths[i]);
    free(s->items);
    free(s);
}

/* Without memory all stays. */
void symbols_forget(struct symbols *s)
{
    struct symbols *before = symbols_create();
    if (!before)
        return;
    *before = *s;
    *s = (struct symbols){.limit = UINT64_MAX, .before = before};
}

bool symbols_add(struct symbols *s, uint64_t start, uint64_t size, const char *name, bool code)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        struct symbol *more = realloc(s->items, room * sizeof *more);
        if (!more)
            return false;
        s->items = more;
        s->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return false;
    s->items[s->count++] = (struct symbol){start, start + size, copy, s->files, code};
    return true;
}

/* --- System.map and kallsyms -------------------------------------------------------------- */

/* "ffffffff80002000 T _start", in kallsyms with "[module]" behind. False: no such line. */
static bool read_map_line(char *line, uint64_t *address, char *type, char **name)
{
    char *end;
    if (!isxdigit((unsigned char)*line))
        return false;
    *address = strtoull(line, &end, 16);
    if (end[0] != ' ' || !isalpha((unsigned char)end[1]) || end[2] != ' ')
        return false;
    *type = end[1];
    *name = end + 3;
    (*name)[strcspn(*name, " \t\r\n")] = 0;
    return **name != 0;
}

static bool read_map(struct symbols *s, char *text, uint64_t base, struct error *err)
{
    unsigned number = 0;
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        number++;
        uint64_t address;
        char type, *name;
        if (!*line)
            continue;
        if (!read_map_line(line, &address, &type, &name))
            return error_set(err, "line %u is no \"ADDRESS TYPE NAME\", and the file no ELF file",
                             number);
        /* $x and .L mark places in the code, and hide the function that they are in. */
        if (*name == '$' || strncmp(name, ".L", 2) == 0)
            continue;
        if (!symbols_add(s, address + base, 0, name, strchr("tTwW", type) != NULL))
            return error_set(err, "no memory for the symbols");
    }
    return true;
}

/* --- loading ------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end) /* the larger one first */
        return a->end > b->end ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* A symbol without a size goes to the next one that is elsewhere, or to the limit. */
static void set_ends(struct symbols *s)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = s->count; i-- > 0;) {
        struct symbol *symbol = &s->items[i];
        if (i + 1 < s->count && s->items[i + 1].start != symbol->start)
            next = s->items[i + 1].start;
        if (symbol->end <= symbol->start)
            symbol->end = min_u64(next, max_u64(s->limit, symbol->start + 1));
    }
}

static bool read_bytes(struct symbols *s, const struct os_file *file, uint64_t base,
                       struct error *err)
{
    if (symbols_elf_is(file->bytes, file->size))
        return symbols_elf_read(s, file->bytes, file->size, base, err);
    char *text = strndup((const char *)file->bytes, file->size);
    bool ok = text ? read_map(s, text, base, err) : error_set(err, "no memory");
    free(text);
    return ok;
}

static bool read_file(struct symbols *s, const char *path, uint64_t base, struct error *err)
{
    struct os_file file;
    struct error reason;
    if (!os_map_file(path, &file, err))
        return false;
    bool ok = read_bytes(s, &file, base, &reason);
    os_unmap_file(&file);
    return ok || error_set(err, "symbols of %.200s: %s", path, reason.text);
}

bool symbols_load(struct symbols *s, const char *path, uint64_t base, struct error *err)
{
    size_t before = s->count;
    if (s->files == SYMBOL_FILES_MAX)
        return error_set(err, "symbols of %.200s: %u files are the most", path, SYMBOL_FILES_MAX);
    if (!read_file(s, path, base, err)) {
        drop_from(s, before);
        return false;
    }
    if (s->count == before)
        return error_set(err, "symbols of %.200s: there are none", path);
    s->paths[s->files] = strdup(path);
    if (!s->paths[s->files]) {
        drop_from(s, before);
        return error_set(err, "no memory for the symbols");
    }
    s->bases[s->files] = base;
    qsort(s->items, s->count, sizeof *s->items, compare);
    set_ends(s);
    s->files++;
    return true;
}

bool symbols_load_mapped(struct symbols *s, const char *path, uint64_t base, uint64_t end,
                         struct error *err)
{
    s->limit = end;
    bool ok = symbols_load(s, path, base, err);
    s->limit = UINT64_MAX;
    return ok;
}

const char *symbols_file(const struct symbols *s, unsigned file)
{
    return file < s->files ? s->paths[file] : NULL;
}

uint64_t symbols_base(const struct symbols *s, unsigned file)
{
    return s->bases[file];
}

size_t symbols_count(const struct symbols *s)
{
    return s->count;
}

/* --- finding ------------------------------------------------------------------------------ */

/* The number of symbols that begin at or before the address. */
static size_t count_before(const struct symbols *s, uint64_t address)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Symbols with sizes may lie in others: a few steps back find the one around. */
const struct symbol *symbols_at(const struct symbols *s, uint64_t address)
{
    size_t after = count_before(s, address);
    const struct symbol *found = NULL;
    for (unsigned steps = 0; after-- > 0 && steps < 16; steps++) {
        const struct symbol *symbol = &s->items[after];
        if (found && symbol->start != found->start)
            break;
        if (address < symbol->end)
            found = symbol; /* of those at one address the first */
    }
    return found;
}

const struct symbol *symbols_named(const struct symbols *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return &s->items[i];
    return NULL;
}

const struct symbol *symbols_get(const struct symbols *s, size_t i)
{
    return i < s->count ? &s->items[i] : NULL;
}

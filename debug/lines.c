/* Lines of source by address (contract: lines.h). */
#include "debug/lines.h"

#include <stdlib.h>

struct lines {
    const struct symbols *symbols;
    struct sources **files; /* those that have lines */
    unsigned count;
    unsigned first; /* those before it are of files that were forgotten: their texts are in use */
    unsigned seen;  /* of the symbols' files */
};

struct lines *lines_create(const struct symbols *symbols)
{
    struct lines *l = calloc(1, sizeof *l);
    if (l)
        l->symbols = symbols;
    return l;
}

void lines_destroy(struct lines *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->count; i++)
        sources_destroy(l->files[i]);
    free(l->files);
    free(l);
}

/* A file without lines, or without memory for them, is left out. */
static void add(struct lines *l, const char *path, uint64_t base)
{
    struct error ignored;
    struct sources *file = sources_open(path, base, &ignored);
    struct sources **more = realloc(l->files, (l->count + 1) * sizeof *more);
    if (more)
        l->files = more;
    if (file && more)
        l->files[l->count++] = file;
    else
        sources_destroy(file);
}

static void follow(struct lines *l)
{
    const char *path;
    if (l->seen && !symbols_file(l->symbols, l->seen - 1)) {
        l->seen = 0;
        l->first = l->count;
    }
    while ((path = symbols_file(l->symbols, l->seen)) != NULL)
        add(l, path, symbols_base(l->symbols, l->seen++));
}

const struct source_row *lines_at(struct lines *l, uint64_t address)
{
    const struct source_row *row = NULL;
    follow(l);
    for (unsigned i = l->first; i < l->count && !row; i++)
        row = sources_at(l->files[i], address);
    return row;
}

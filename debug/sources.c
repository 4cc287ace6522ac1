/* Lines of source (contract: sources.h). Texts belong to libdw, which therefore stays open. */
#include "debug/sources.h"

#include "base/bits.h"

#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct sources {
    int fd;
    Dwarf *dwarf;
    struct source_row *rows;
    size_t count, room;
};

static bool add(struct sources *s, const struct source_row *row)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        struct source_row *more = realloc(s->rows, room * sizeof *more);
        if (!more)
            return false;
        s->rows = more;
        s->room = room;
    }
    s->rows[s->count++] = *row;
    return true;
}

/* A row of libdw's ends where the next one begins. False: no memory. */
static bool add_line(struct sources *s, Dwarf_Line *line, Dwarf_Line *next, uint64_t base)
{
    Dwarf_Addr start, end;
    int number;
    bool is_end;
    if (dwarf_lineendsequence(line, &is_end) != 0 || is_end || dwarf_lineno(line, &number) != 0 ||
        number <= 0 || dwarf_lineaddr(line, &start) != 0 || dwarf_lineaddr(next, &end) != 0 ||
        start >= end)
        return true;
    struct source_row row = {.start = start + base,
                             .end = end + base,
                             .file = dwarf_linesrc(line, NULL, NULL),
                             .line = (unsigned)number};
    return !row.file || add(s, &row);
}

static bool add_unit(struct sources *s, Dwarf_Die *unit, uint64_t base)
{
    Dwarf_Lines *lines;
    size_t n;
    if (dwarf_getsrclines(unit, &lines, &n) != 0)
        return true; /* it has none */
    for (size_t i = 0; i + 1 < n; i++)
        if (!add_line(s, dwarf_onesrcline(lines, i), dwarf_onesrcline(lines, i + 1), base))
            return false;
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct source_row *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static bool read_units(struct sources *s, uint64_t base)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Half version;
    uint8_t type;
    Dwarf_Die die;
    while (dwarf_get_units(s->dwarf, unit, &unit, &version, &type, &die, NULL) == 0)
        if (!add_unit(s, &die, base))
            return false;
    qsort(s->rows, s->count, sizeof *s->rows, compare);
    return true;
}

static bool read_file(struct sources *s, const char *path, uint64_t base, struct error *err)
{
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return error_set(err, "cannot read %.200s: %s", path, strerror(errno));
    s->dwarf = dwarf_begin(s->fd, DWARF_C_READ);
    if (s->dwarf && !read_units(s, base))
        return error_set(err, "no memory for the lines of %.200s", path);
    return s->count || error_set(err, "%.200s has no lines of source (-g)", path);
}

struct sources *sources_open(const char *path, uint64_t base, struct error *err)
{
    struct sources *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(err, "no memory for the lines of %.200s", path);
        return NULL;
    }
    s->fd = -1;
    if (read_file(s, path, base, err))
        return s;
    sources_destroy(s);
    return NULL;
}

void sources_destroy(struct sources *s)
{
    if (!s)
        return;
    if (s->dwarf)
        dwarf_end(s->dwarf);
    if (s->fd >= 0)
        close(s->fd);
    free(s->rows);
    free(s);
}

const struct source_row *sources_get(const struct sources *s, size_t i)
{
    return i < s->count ? &s->rows[i] : NULL;
}

const struct source_row *sources_at(const struct sources *s, uint64_t address)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->rows[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < s->rows[low - 1].end ? &s->rows[low - 1] : NULL;
}

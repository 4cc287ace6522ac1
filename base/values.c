/* Values that users write (contract: values.h). */
#include "base/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000ull

/* --- numbers ----------------------------------------------------------------------------- */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads digits up to the first other character; false when there is none, or at overflow. */
static bool read_digits(const char **text, unsigned base, uint64_t *number)
{
    const char *p = *text;
    uint64_t n = 0;
    for (;; p++) {
        int digit = digit_value(*p);
        if (digit < 0 || digit >= (int)base)
            break;
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    bool any = p != *text;
    *text = p;
    *number = n;
    return any;
}

bool value_number(const char *text, uint64_t *number)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] | 0x20) == 'x') {
        base = 16;
        text += 2;
    }
    return read_digits(&text, base, number) && !*text;
}

/* What stands behind a number, and what it multiplies by. */
struct unit {
    const char *name;
    uint64_t factor;
};

/* "1.5" and the name of a unit. What is no whole number of the smallest unit is refused: "1.5"
 * without a unit is more likely a unit forgotten than one and a half nanoseconds. */
static bool read_scaled(const char *text, const struct unit *units, size_t count, uint64_t *result)
{
    uint64_t whole, part = 0, scale = 1;
    if (!read_digits(&text, 10, &whole))
        return false;
    if (*text == '.') {
        const char *fraction = ++text;
        if (!read_digits(&text, 10, &part) || text - fraction > 9)
            return false;
        for (; fraction < text; fraction++)
            scale *= 10;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        unsigned __int128 scaled = (unsigned __int128)units[i].factor * part;
        unsigned __int128 sum = (unsigned __int128)units[i].factor * whole + scaled / scale;
        *result = (uint64_t)sum;
        return scaled % scale == 0 && sum <= UINT64_MAX;
    }
    return false;
}

bool value_size(const char *text, uint64_t unit_bytes, uint64_t *bytes)
{
    const struct unit units[] = {
        {"", unit_bytes},  {"B", 1},          {"b", 1},          {"K", 1ull << 10},
        {"k", 1ull << 10}, {"M", 1ull << 20}, {"m", 1ull << 20}, {"G", 1ull << 30},
        {"g", 1ull << 30}, {"T", 1ull << 40}, {"t", 1ull << 40},
    };
    return read_scaled(text, units, ARRAY_LEN(units), bytes);
}

void value_size_text(uint64_t bytes, char text[VALUE_SIZE_BYTES])
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    unsigned unit = 0;
    double v = (double)bytes;
    for (; v >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
        v /= 1024;
    snprintf(text, VALUE_SIZE_BYTES, "%.3g %sB", v, units[unit]);
}

bool value_time(const char *text, uint64_t *ns)
{
    static const struct unit units[] = {
        {"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", NS_PER_S},
    };
    return read_scaled(text, units, ARRAY_LEN(units), ns);
}

bool value_switch(const char *text, bool *on)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *on = i % 2;
            return true;
        }
    }
    return false;
}

char *value_path(const char *folder, const char *name)
{
    if (!folder || *name == '/')
        return strdup(name);
    size_t n = strlen(folder) + 1 + strlen(name) + 1;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", folder, name);
    return path;
}

/* --- lists ------------------------------------------------------------------------------- */

bool list_next(const char **list, struct list_item *item, struct error *err)
{
    const char *from = *list;
    size_t n = 0;
    if (!from)
        return false;
    for (; *from; from++) {
        if (from[0] == ',' && from[1] != ',')
            break;
        if (from[0] == ',')
            from++;
        if (n == sizeof item->text - 1) {
            error_set(err, "'%.40s...' is too long", *list);
            return false;
        }
        item->text[n++] = *from;
    }
    item->text[n] = 0;
    *list = *from ? from + 1 : NULL;
    char *equals = strchr(item->text, '=');
    if (equals)
        *equals = 0;
    item->key = item->text;
    item->value = equals ? equals + 1 : NULL;
    return true;
}

/* --- names ------------------------------------------------------------------------------- */

unsigned edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    unsigned row[LONGEST + 1];
    size_t width = strnlen(b, LONGEST);
    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] && i < LONGEST; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 1; j <= width; j++) {
            unsigned replaced = diagonal + (a[i] != b[j - 1]);
            unsigned moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < moved ? replaced : moved;
        }
    }
    return row[width];
}

const char *nearest_name(const char *name, const char *const *names)
{
    const char *nearest = NULL;
    unsigned least = ~0u;
    for (; *names; names++) {
        unsigned distance = edit_distance(name, *names);
        if (distance < least) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}

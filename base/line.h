/* A line of text that is put together piece by piece; what does not fit is cut. Numbers are
 * written by hand: traces write them by the million. */
#ifndef RIVULET_BASE_LINE_H
#define RIVULET_BASE_LINE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct line {
    size_t used;
    char text[1024];
};

static inline void line_begin(struct line *l)
{
    l->used = 0;
}

/* One character. */
static inline void line_char(struct line *l, char c)
{
    if (l->used + 1 < sizeof l->text)
        l->text[l->used++] = c;
}

/* Pieces are short: a loop beats strlen and memcpy. */
static inline void line_put(struct line *l, const char *text)
{
    while (*text)
        line_char(l, *text++);
}

/* "0x" and at least `digits` digits. */
static inline void line_hex(struct line *l, uint64_t value, unsigned digits)
{
    unsigned n = value ? (67 - (unsigned)__builtin_clzll(value)) / 4 : 1;
    line_char(l, '0');
    line_char(l, 'x');
    for (n = n < digits ? digits : n; n-- > 0;)
        line_char(l, n < 16 ? "0123456789abcdef"[value >> 4 * n & 15] : '0');
}

static inline void line_decimal(struct line *l, uint64_t value)
{
    char text[20];
    unsigned at = sizeof text;
    do
        text[--at] = (char)('0' + value % 10);
    while (value /= 10);
    while (at < sizeof text)
        line_char(l, text[at++]);
}

__attribute__((format(printf, 2, 3))) static inline void line_print(struct line *l,
                                                                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, args);
    va_end(args);
    size_t room = sizeof l->text - 1 - l->used;
    l->used += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
}

static inline void line_pad(struct line *l, size_t column)
{
    while (l->used < column && l->used + 1 < sizeof l->text)
        l->text[l->used++] = ' ';
}

/* Without spaces at its end. */
static inline void line_write(struct line *l, FILE *file)
{
    while (l->used && l->text[l->used - 1] == ' ')
        l->used--;
    l->text[l->used++] = '\n';
    fwrite(l->text, 1, l->used, file);
    l->used = 0;
}

#endif

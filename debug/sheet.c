/* Rows of styled text (contract: sheet.h). */
#include "debug/sheet.h"

#include "base/bits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRINT_BYTES 256u /* of one sheet_print */

void sheet_begin(struct sheet *s, unsigned rows, unsigned columns)
{
    s->rows = rows < SHEET_ROWS_MOST ? rows : SHEET_ROWS_MOST;
    s->columns = columns;
    s->used = 0;
}

void sheet_row_begin(struct sheet_row *r)
{
    r->used = 0;
    r->is_cursor = false;
}

struct sheet_row *sheet_add(struct sheet *s)
{
    if (s->used == s->rows)
        return NULL;
    struct sheet_row *r = &s->row[s->used++];
    sheet_row_begin(r);
    return r;
}

void sheet_put(struct sheet_row *r, enum sheet_style style, const char *text, size_t n)
{
    n = min_u64(n, sizeof r->text - r->used);
    memcpy(r->text + r->used, text, n);
    memset(r->style + r->used, (int)style, n);
    r->used += n;
}

void sheet_print(struct sheet_row *r, enum sheet_style style, const char *format, ...)
{
    char text[PRINT_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        sheet_put(r, style, text, min_u64((uint64_t)n, sizeof text - 1));
}

void sheet_pad(struct sheet_row *r, size_t to)
{
    while (r->used < to && r->used < sizeof r->text)
        sheet_put(r, SHEET_PLAIN, " ", 1);
}

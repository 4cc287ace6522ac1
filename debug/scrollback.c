/* Lines to look back at (contract: scrollback.h). */
#include "debug/scrollback.h"

#include "base/bits.h"
#include "debug/line_edit.h"

#include <stdlib.h>
#include <string.h>

#define LINES      2000u
#define LINE_BYTES 256u /* a longer line goes on in the next one */
#define TAB        8u

enum { BELL = 7, ESCAPE = 27, DELETE = 127 };

struct text_line {
    uint16_t used;
    char text[LINE_BYTES];
};

/* Where in an escape sequence (ECMA-48): "ESC [ NUMBER;... LETTER", or "ESC ] TEXT BEL". */
enum sequence { NO_SEQUENCE, AFTER_ESCAPE, IN_CONTROL, IN_TEXT };

struct scrollback {
    struct text_line lines[LINES];
    unsigned last, count; /* the line that is written to; lines in use */
    size_t cursor;        /* in it, in bytes */
    enum sequence sequence;
    unsigned number; /* of a control sequence: the last one */
};

struct scrollback *scrollback_create(void)
{
    struct scrollback *s = calloc(1, sizeof *s);
    if (s)
        s->count = 1;
    return s;
}

void scrollback_destroy(struct scrollback *s)
{
    free(s);
}

/* --- writing ----------------------------------------------------------------------------- */

static void begin_line(struct scrollback *s)
{
    s->last = (s->last + 1) % LINES;
    s->count = s->count < LINES ? s->count + 1 : LINES;
    s->lines[s->last].used = 0;
    s->cursor = 0;
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Makes room for a byte at the cursor: a character that begins takes the place of the one that is
 * there, its further bytes are put between. */
static void make_room(struct text_line *line, size_t at, char c)
{
    size_t from = at, rest = at + 1;
    if (!is_inside_character(c) && at < line->used)
        do
            from++;
        while (from < line->used && is_inside_character(line->text[from]));
    size_t n = min_u64(line->used - from, LINE_BYTES - rest);
    memmove(line->text + rest, line->text + from, n);
    line->used = (uint16_t)(rest + n);
}

static void put(struct scrollback *s, char c)
{
    if (s->cursor == LINE_BYTES)
        begin_line(s);
    struct text_line *line = &s->lines[s->last];
    while (line->used < s->cursor)
        line->text[line->used++] = ' ';
    make_room(line, s->cursor, c);
    line->text[s->cursor++] = c;
}

static void move_back(struct scrollback *s, unsigned n)
{
    const struct text_line *line = &s->lines[s->last];
    for (; n && s->cursor; n--)
        do
            s->cursor--;
        while (s->cursor && s->cursor < line->used && is_inside_character(line->text[s->cursor]));
}

/* A control sequence: what moves in the line or erases does so; all else is left out. */
static void run_control(struct scrollback *s, char letter)
{
    struct text_line *line = &s->lines[s->last];
    unsigned n = s->number ? s->number : 1;
    if (letter == 'D')
        move_back(s, n);
    else if (letter == 'C')
        s->cursor = min_u64(s->cursor + n, LINE_BYTES - 1);
    else if (letter == 'G')
        s->cursor = min_u64(n - 1, LINE_BYTES - 1);
    else if (letter == 'H')
        begin_line(s); /* a screen is drawn anew: below */
    else if ((letter == 'K' || letter == 'J') && s->number == 0 && line->used > s->cursor)
        line->used = (uint16_t)s->cursor;
}

/* Whether the character is part of a sequence. */
static bool take_sequence(struct scrollback *s, char c)
{
    switch (s->sequence) {
    case NO_SEQUENCE:
        s->sequence = c == ESCAPE ? AFTER_ESCAPE : NO_SEQUENCE;
        return c == ESCAPE;
    case AFTER_ESCAPE:
        s->sequence = c == '[' ? IN_CONTROL : c == ']' ? IN_TEXT : NO_SEQUENCE;
        s->number = 0;
        return true;
    case IN_CONTROL:
        if (c >= '0' && c <= '9')
            s->number = (s->number * 10 + (unsigned)(c - '0')) % 10000;
        else if (c == ';')
            s->number = 0;
        else if (c >= '@') {
            s->sequence = NO_SEQUENCE;
            run_control(s, c);
        }
        return true;
    case IN_TEXT:
        if (c == BELL || c == '\n')
            s->sequence = NO_SEQUENCE;
        return true;
    }
    return false;
}

static void take(struct scrollback *s, char c)
{
    if (take_sequence(s, c))
        return;
    switch (c) {
    case '\n':
        begin_line(s);
        break;
    case '\r':
        s->cursor = 0;
        break;
    case '\b':
        move_back(s, 1);
        break;
    case '\t':
        do
            put(s, ' ');
        while (s->cursor % TAB && s->cursor < LINE_BYTES);
        break;
    default:
        if ((unsigned char)c >= ' ' && c != DELETE)
            put(s, c);
    }
}

void scrollback_write(struct scrollback *s, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        take(s, (char)bytes[i]);
}

/* --- showing ----------------------------------------------------------------------------- */

static const struct text_line *line_at(const struct scrollback *s, unsigned back)
{
    return &s->lines[(s->last + LINES - back) % LINES];
}

static unsigned rows_of(const struct text_line *line, unsigned columns)
{
    size_t used = line_edit_columns(line->text, line->used);
    return used ? (unsigned)((used + columns - 1) / columns) : 1;
}

/* The bytes of so many columns from `from` on. */
static size_t part_of(const struct text_line *line, size_t from, unsigned columns)
{
    size_t n = 0;
    while (from + n < line->used && line_edit_columns(line->text + from, n + 1) <= columns)
        n++;
    return n;
}

/* Rows `from` to `to` of a line. */
static void show_line(const struct text_line *line, struct sheet *sheet, unsigned from, unsigned to)
{
    size_t at = 0;
    for (unsigned row = 0; row < to; row++) {
        size_t n = part_of(line, at, sheet->columns);
        struct sheet_row *r = row >= from ? sheet_add(sheet) : NULL;
        if (r)
            sheet_put(r, SHEET_PLAIN, line->text + at, n);
        at += n;
    }
}

unsigned scrollback_show(const struct scrollback *s, struct sheet *sheet, unsigned back)
{
    unsigned line = 0, total = 0, wanted;
    if (sheet->columns == 0)
        return 0;
    wanted = sheet->rows + back;
    while (line < s->count && total < wanted)
        total += rows_of(line_at(s, line++), sheet->columns);
    if (total < wanted)
        back = total > sheet->rows ? total - sheet->rows : 0;
    unsigned skip = total > sheet->rows + back ? total - sheet->rows - back : 0;
    while (line-- > 0 && sheet->used < sheet->rows) {
        const struct text_line *l = line_at(s, line);
        unsigned rows = rows_of(l, sheet->columns);
        show_line(l, sheet, skip < rows ? skip : rows, rows);
        skip -= skip < rows ? skip : rows;
    }
    return back;
}

void scrollback_cursor(const struct scrollback *s, const struct sheet *sheet, unsigned *row,
                       unsigned *column)
{
    const struct text_line *line = line_at(s, 0);
    unsigned rows = rows_of(line, sheet->columns);
    size_t at = line_edit_columns(line->text, min_u64(s->cursor, line->used));
    at += s->cursor > line->used ? s->cursor - line->used : 0;
    *row = (unsigned)(sheet->used - min_u64(rows, sheet->used) + at / sheet->columns);
    *column = (unsigned)(at % sheet->columns);
}

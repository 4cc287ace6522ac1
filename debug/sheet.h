/* Rows of text in which each character has a style: what a pane of the debugger shows. It knows no
 * terminal; what does not fit is cut. */
#ifndef RIVULET_DEBUG_SHEET_H
#define RIVULET_DEBUG_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHEET_ROWS_MOST 120u
#define SHEET_ROW_BYTES 400u /* columns are fewer: a character has up to 4 bytes */

enum sheet_style {
    SHEET_PLAIN,
    SHEET_STRONG,
    SHEET_FAINT,
    SHEET_CHANGED, /* since the last stop */
    SHEET_POINT,   /* a breakpoint */
    SHEET_NAME,    /* a symbol */
    SHEET_STYLES
};

struct sheet_row {
    char text[SHEET_ROW_BYTES];
    uint8_t style[SHEET_ROW_BYTES]; /* enum sheet_style of each byte */
    size_t used;
    bool is_cursor; /* the whole row stands out */
};

struct sheet {
    unsigned rows, columns; /* of the place where it is shown */
    unsigned used;          /* rows */
    struct sheet_row row[SHEET_ROWS_MOST];
};

/* Empty, for a place of this size. */
void sheet_begin(struct sheet *s, unsigned rows, unsigned columns);
/* A new row at the end; NULL: the place is full. */
struct sheet_row *sheet_add(struct sheet *s);

void sheet_row_begin(struct sheet_row *r);
void sheet_put(struct sheet_row *r, enum sheet_style style, const char *text, size_t n);
__attribute__((format(printf, 3, 4))) void sheet_print(struct sheet_row *r, enum sheet_style style,
                                                       const char *format, ...);
/* Spaces up to this byte. */
void sheet_pad(struct sheet_row *r, size_t to);

#endif

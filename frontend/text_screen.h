/* The host's terminal as a grid of characters, and its keys: what the debugger is drawn on. The
 * library behind it has no other user. One at a time. */
#ifndef RIVULET_FRONTEND_TEXT_SCREEN_H
#define RIVULET_FRONTEND_TEXT_SCREEN_H

#include "base/error.h"
#include "debug/line_edit.h"
#include "debug/sheet.h"

struct text_screen;

/* Keys that are neither bytes nor enum edit_key. */
enum text_key {
    TEXT_PAGE_UP = EDIT_KEYS_END,
    TEXT_PAGE_DOWN,
    TEXT_BACK_TAB,
    TEXT_RESIZED, /* the size has changed */
    TEXT_OTHER,
    TEXT_NONE
};

/* Standard input and output. NULL and err: they are no terminal, nothing is known of it, or the
 * program was built without the library. After os_catch_stop_signals; all other functions on one
 * thread, which need not be the same. */
struct text_screen *text_screen_open(struct error *err);
/* Leaves the terminal as it was. */
void text_screen_close(struct text_screen *t);

void text_screen_size(const struct text_screen *t, unsigned *rows, unsigned *columns);
/* The next key that has been typed: a byte or more; TEXT_NONE: there is none now. */
unsigned text_screen_key(struct text_screen *t);
/* Whether keys are given as the bytes that the terminal sends. */
void text_screen_raw_keys(struct text_screen *t, bool raw);

/* Nothing is seen before text_screen_show, and only what has changed is sent. */
void text_screen_clear(struct text_screen *t);
/* A row of text in a place of so many columns; faint: all of it. */
void text_screen_row(struct text_screen *t, unsigned y, unsigned x, unsigned columns,
                     const struct sheet_row *row, bool faint);
void text_screen_across(struct text_screen *t, unsigned y, unsigned x, unsigned columns);
void text_screen_down(struct text_screen *t, unsigned y, unsigned x, unsigned rows);
/* The cursor is shown there until the next text_screen_clear. */
void text_screen_cursor(struct text_screen *t, unsigned y, unsigned x);
void text_screen_show(struct text_screen *t);
/* Sends all anew: something else has written to the terminal. */
void text_screen_redraw(struct text_screen *t);

#endif

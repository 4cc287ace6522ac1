/* The terminal of a build without ncurses: there is none (contract: text_screen.h). */
#include "frontend/text_screen.h"

struct text_screen *text_screen_open(struct error *err)
{
    error_set(err,
              "this program was built without ncurses: install libncurses-dev and build again");
    return NULL;
}

void text_screen_close(struct text_screen *t)
{
    (void)t;
}

void text_screen_size(const struct text_screen *t, unsigned *rows, unsigned *columns)
{
    (void)t;
    *rows = *columns = 0;
}

unsigned text_screen_key(struct text_screen *t)
{
    (void)t;
    return TEXT_NONE;
}

void text_screen_raw_keys(struct text_screen *t, bool raw)
{
    (void)t, (void)raw;
}

void text_screen_clear(struct text_screen *t)
{
    (void)t;
}

void text_screen_row(struct text_screen *t, unsigned y, unsigned x, unsigned columns,
                     const struct sheet_row *row, bool faint)
{
    (void)t, (void)y, (void)x, (void)columns, (void)row, (void)faint;
}

void text_screen_across(struct text_screen *t, unsigned y, unsigned x, unsigned columns)
{
    (void)t, (void)y, (void)x, (void)columns;
}

void text_screen_down(struct text_screen *t, unsigned y, unsigned x, unsigned rows)
{
    (void)t, (void)y, (void)x, (void)rows;
}

void text_screen_cursor(struct text_screen *t, unsigned y, unsigned x)
{
    (void)t, (void)y, (void)x;
}

void text_screen_show(struct text_screen *t)
{
    (void)t;
}

void text_screen_redraw(struct text_screen *t)
{
    (void)t;
}

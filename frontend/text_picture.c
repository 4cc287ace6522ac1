/* Pictures as characters (contract: text_picture.h; ECMA-48, and xterm's colours). */
#include "frontend/text_picture.h"

#include "base/bits.h"

#include <stdio.h>
#include <stdlib.h>

#define CELL_BYTES_MOST 64u /* a place, two colours, a character */
#define END_BYTES_MOST  64u
#define NO_COLOUR       UINT32_MAX
#define UPPER_HALF      "\xe2\x96\x80" /* U+2580 in UTF-8 */

/* A picture within the terminal, in half cells. */
struct frame {
    const uint32_t *pixels;
    uint32_t width, height;
    uint32_t x, y, wide, high;
};

void text_picture_deinit(struct text_picture *t)
{
    free(t->cells);
    free(t->text);
    t->cells = NULL;
    t->text = NULL;
}

bool text_picture_resize(struct text_picture *t, unsigned columns, unsigned rows)
{
    size_t cells = (size_t)columns * rows;
    text_picture_deinit(t);
    t->columns = columns;
    t->rows = rows;
    t->is_new = true;
    t->cells = calloc(cells + 1, sizeof *t->cells);
    t->text = malloc(cells * CELL_BYTES_MOST + END_BYTES_MOST);
    return cells && t->cells && t->text;
}

/* --- colours ----------------------------------------------------------------------------- */

/* The mean of the pixels that a half cell stands for. */
static uint32_t mean_colour(const struct frame *f, uint32_t x, uint32_t y)
{
    if (x - f->x >= f->wide || y - f->y >= f->high)
        return 0;
    uint64_t left = (uint64_t)(x - f->x) * f->width / f->wide;
    uint64_t right = max_u64((uint64_t)(x - f->x + 1) * f->width / f->wide, left + 1);
    uint64_t top = (uint64_t)(y - f->y) * f->height / f->high;
    uint64_t bottom = max_u64((uint64_t)(y - f->y + 1) * f->height / f->high, top + 1);
    uint64_t red = 0, green = 0, blue = 0, count = (right - left) * (bottom - top);
    for (uint64_t row = top; row < bottom; row++)
        for (uint64_t column = left; column < right; column++) {
            uint32_t pixel = f->pixels[row * f->width + column];
            red += pixel >> 16 & 0xff;
            green += pixel >> 8 & 0xff;
            blue += pixel & 0xff;
        }
    return (uint32_t)(red / count << 16 | green / count << 8 | blue / count);
}

/* The nearest of xterm's cube of 6 levels a colour: 0, 95, 135, ... 255. */
static uint32_t level_of(uint32_t value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

static uint32_t colour_at(const struct text_picture *t, const struct frame *f, uint32_t x,
                          uint32_t y)
{
    uint32_t colour = mean_colour(f, x, y);
    if (t->has_all_colours)
        return colour;
    return 16 + 36 * level_of(colour >> 16) + 6 * level_of(colour >> 8 & 0xff) +
           level_of(colour & 0xff);
}

/* --- text -------------------------------------------------------------------------------- */

static void put_colour(struct text_picture *t, unsigned what, uint32_t colour)
{
    char *to = t->text + t->used;
    if (t->has_all_colours)
        t->used += (size_t)sprintf(to, "\x1b[%u;2;%u;%u;%um", what, colour >> 16,
                                   colour >> 8 & 0xff, colour & 0xff);
    else
        t->used += (size_t)sprintf(to, "\x1b[%u;5;%um", what, colour);
}

/* Cells in the order of reading: where the terminal's cursor is known, and its colours. */
struct pen {
    unsigned column, row;
    struct text_cell colours;
};

static void put_cell(struct text_picture *t, struct pen *pen, unsigned column, unsigned row,
                     struct text_cell cell)
{
    if (pen->row != row || pen->column != column)
        t->used += (size_t)sprintf(t->text + t->used, "\x1b[%u;%uH", row + 1, column + 1);
    if (pen->colours.upper != cell.upper)
        put_colour(t, 38, cell.upper);
    if (pen->colours.lower != cell.lower)
        put_colour(t, 48, cell.lower);
    memcpy(t->text + t->used, UPPER_HALF, strlen(UPPER_HALF));
    t->used += strlen(UPPER_HALF);
    *pen = (struct pen){column + 1, row, cell};
}

static struct frame fit(const struct text_picture *t, const uint32_t *pixels, uint32_t width,
                        uint32_t height)
{
    uint64_t wide = t->columns, high = 2 * (uint64_t)t->rows;
    struct frame f = {.pixels = pixels, .width = width, .height = height};
    if (!pixels || !width || !height)
        return f;
    bool is_wide = wide * height > high * width;
    f.wide = (uint32_t)max_u64(is_wide ? high * width / height : wide, 1);
    f.high = (uint32_t)max_u64(is_wide ? high : wide * height / width, 1);
    f.x = (uint32_t)(wide - f.wide) / 2;
    f.y = (uint32_t)(high - f.high) / 2;
    return f;
}

void text_picture_draw(struct text_picture *t, const uint32_t *pixels, uint32_t width,
                       uint32_t height)
{
    const struct frame f = fit(t, pixels, width, height);
    struct pen pen = {UINT32_MAX, UINT32_MAX, {NO_COLOUR, NO_COLOUR}};
    t->used = 0;
    for (unsigned row = 0; row < t->rows; row++)
        for (unsigned column = 0; column < t->columns; column++) {
            struct text_cell *old = &t->cells[(size_t)row * t->columns + column];
            struct text_cell cell = {colour_at(t, &f, column, 2 * row),
                                     colour_at(t, &f, column, 2 * row + 1)};
            if (!t->is_new && cell.upper == old->upper && cell.lower == old->lower)
                continue;
            *old = cell;
            put_cell(t, &pen, column, row, cell);
        }
    if (t->used)
        t->used += (size_t)sprintf(t->text + t->used, "\x1b[0m");
    t->is_new = false;
}

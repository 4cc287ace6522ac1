/* A picture as characters: half blocks, whose two colours are two pixels, one above the other. Of
 * what a terminal shows already, nothing is written again. */
#ifndef RIVULET_FRONTEND_TEXT_PICTURE_H
#define RIVULET_FRONTEND_TEXT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_cell {
    uint32_t upper, lower; /* 0xRRGGBB, or one of 256 colours */
};

struct text_picture {
    unsigned columns, rows;
    bool has_all_colours; /* the terminal knows 24-bit colours, not only 256 */
    struct text_cell *cells;
    bool is_new; /* the terminal shows something else */
    char *text;  /* what text_picture_draw has written */
    size_t used;
};

void text_picture_deinit(struct text_picture *t);
/* The terminal has this size now. False: the host has no memory, or it is 0. */
bool text_picture_resize(struct text_picture *t, unsigned columns, unsigned rows);
/* Writes to t->text what makes the terminal show these pixels (0x..RRGGBB, rows without gaps), as
 * large as they fit, in the middle. NULL: nothing is shown. */
void text_picture_draw(struct text_picture *t, const uint32_t *pixels, uint32_t width,
                       uint32_t height);

#endif

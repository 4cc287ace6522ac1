/* The water: heights of a grid of cells, one for 2 x 2 pixels, which move as waves do and flow to
 * the right. What is seen is the bed through it.
 *
 * A frame is made in strips of STRIP_ROWS rows. All harts take strips until there is none left;
 * each strip reads only what the frame before has left, so that their order does not matter. */
#ifndef RIVULET_FIRMWARE_DEMO_WATER_H
#define RIVULET_FIRMWARE_DEMO_WATER_H

#include "firmware/demo/demo.h"

#define STRIP_ROWS 16u
#define LIGHTS     1024u
#define HEIGHTS    3u

struct water {
    unsigned across, down;     /* cells that are seen; one more on all sides is always 0 */
    unsigned stride;           /* cells of a row in memory */
    int16_t *heights[HEIGHTS]; /* at the first cell seen: those shown, those before, those to be */
    int16_t *solid;            /* likewise: 0 where nothing moves, else -1 */
    const uint32_t *bed;       /* at the first pixel seen */
    struct picture target;
    uint64_t lights[HARTS_MAX + 1][LIGHTS]; /* what a slope adds to two pixels, for each tint */
    unsigned frame;
};

/* Lays the water out over a picture whose sides are even. False: no memory. */
bool water_create(struct water *w, const struct picture *target);
unsigned water_strips(const struct water *w);
/* One strip of the next frame, tinted as hart's when `tint` is not 0 (hart + 1). */
void water_draw_strip(struct water *w, unsigned strip, unsigned tint);
/* After all strips: the next frame. */
void water_advance(struct water *w);
/* Pushes the water down around a cell. */
void water_drop(struct water *w, int x, int y, int radius, int depth);
/* What comes in from the left. */
void water_flow(struct water *w);

/* The colour of a hart. */
uint32_t water_hart_color(unsigned hart);

#endif

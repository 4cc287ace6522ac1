/* The demo guest: what `rivulet` runs when it is given nothing to run. A bare-metal program in
 * S-mode under an SBI, rv64gc, without a library: water that flows around the program's name, on a
 * ramfb or, without one, in the terminal. tools/make-demo-guest builds it.
 *
 * The first hart owns all but the strips of the picture, which all harts take in turn (water.h). */
#ifndef RIVULET_FIRMWARE_DEMO_DEMO_H
#define RIVULET_FIRMWARE_DEMO_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HARTS_MAX  8u
#define SLOTS_MAX  8u
#define FRAME_RATE 60u

/* What the device tree says (tree.c). */
struct board {
    uint64_t ram_base, ram_bytes;
    uint64_t timebase; /* ticks a second */
    uint64_t fw_cfg;   /* 0: none */
    uint64_t slots[SLOTS_MAX];
    unsigned slot_count;
    uint64_t harts[HARTS_MAX];
    unsigned hart_count;
    const char *arguments;
};
bool tree_read(const void *blob, struct board *board);
/* Whether a word is among the arguments. */
bool board_has_word(const struct board *board, const char *word);

/* Memory that is never given back (main.c); zeroed, aligned to a page. NULL: there is no more. */
void *memory_take(size_t bytes);

/* A picture of 32-bit pixels, x8r8g8b8. */
struct picture {
    uint32_t *pixels;
    unsigned width, height, stride; /* in pixels */
};

/* Shows a picture on the screen (ramfb.c). False: there is none. */
bool ramfb_show(uint64_t fw_cfg, const struct picture *picture);

/* The bed of the river, with the name standing in it (scene.c). bed has MARGIN pixels more on all
 * sides than what is seen; solid has one entry a cell of 2 x 2 pixels: 0 where a letter stands,
 * else -1. False: no memory. */
#define MARGIN 16u
bool scene_draw(const struct picture *bed, int16_t *solid, unsigned cells_across);

/* Small letters, twice their size (text.c). */
#define GLYPH_WIDTH 12u
void text_draw(const struct picture *p, unsigned x, unsigned y, const char *text, uint32_t color);

#endif

/* A picture that lies in guest RAM and that the guest changes by plain stores. Which pages were
 * written is asked of the memory map when somebody looks, so that it costs nothing while nobody
 * does, or while nothing changes. */
#ifndef RIVULET_DEVICES_DISPLAY_FRAMEBUFFER_H
#define RIVULET_DEVICES_DISPLAY_FRAMEBUFFER_H

#include "base/error.h"
#include "devices/display/screen.h"
#include "memory/map.h"

#define FRAMEBUFFER_SIDE_LEAST 16u

/* How a pixel lies in memory, from its most to its least significant bit; little-endian. */
enum framebuffer_format { FRAMEBUFFER_X8R8G8B8, FRAMEBUFFER_R8G8B8, FRAMEBUFFER_R5G6B5 };

struct framebuffer_mode {
    uint64_t gpa;
    uint32_t width, height; /* pixels */
    uint32_t stride;        /* bytes from row to row */
    enum framebuffer_format format;
};

struct framebuffer {
    struct screen screen;
    /* --- its own --- */
    struct memory_map *memory;
    struct framebuffer_mode mode;
    bool is_new;          /* all of it is drawn the next time */
    uint8_t *row;         /* room for one row as it lies in memory, */
    uint32_t *row_pixels; /* and as it is shown */
};

uint32_t framebuffer_pixel_bytes(enum framebuffer_format format);

void framebuffer_init(struct framebuffer *f, struct memory_map *memory);
void framebuffer_deinit(struct framebuffer *f);
/* Shows this from now on, all of it anew. False and err: a side is not FRAMEBUFFER_SIDE_LEAST to
 * SCREEN_SIDE_MAX, a row is longer than its stride, or not all of it is RAM: nothing is shown. */
bool framebuffer_show(struct framebuffer *f, const struct framebuffer_mode *mode,
                      struct error *err) MUST_CHECK;
void framebuffer_show_nothing(struct framebuffer *f);

#endif

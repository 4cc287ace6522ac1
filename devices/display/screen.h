/* What a display shows, as a window, a VNC server or a picture file see it: pixels that the device
 * keeps up to date, and which of them have changed. Only the machine's thread touches it.
 *
 * It is no guest state: the guest cannot read it, and after a load the device draws it anew. */
#ifndef RIVULET_DEVICES_DISPLAY_SCREEN_H
#define RIVULET_DEVICES_DISPLAY_SCREEN_H

#include "base/bits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_SIDE_MAX      16384u /* pixels */
#define SCREEN_CURSOR_SIDE   64u
#define SCREEN_CURSOR_PIXELS (SCREEN_CURSOR_SIDE * SCREEN_CURSOR_SIDE)

struct screen_rect {
    uint32_t x, y, width, height; /* pixels; 0 wide or high: nothing */
};

/* A pointer that the device draws over the picture. */
struct screen_cursor {
    bool is_shown;
    uint32_t x, y;                         /* of its hot spot */
    uint32_t hot_x, hot_y;                 /* the hot spot in its own pixels */
    uint32_t pixels[SCREEN_CURSOR_PIXELS]; /* 0xAARRGGBB, not multiplied */
    bool has_changed;                      /* since screen_taken: any of this */
};

struct screen {
    uint32_t width, height; /* pixels; both 0: nothing is shown */
    uint32_t *pixels;       /* 0x..RRGGBB, rows without gaps; NULL when nothing is shown */
    struct screen_rect changed;
    bool is_resized; /* since screen_taken */
    struct screen_cursor cursor;
    /* Brings pixels that lie in guest memory up to date; NULL: the device does that itself. */
    void (*refresh)(void *owner);
    void *owner;
};

/* Pixels are black then. At most SCREEN_SIDE_MAX each; 0 by 0 shows nothing. False: the host has no
 * memory, and nothing is shown. */
bool screen_resize(struct screen *s, uint32_t width, uint32_t height);
void screen_deinit(struct screen *s);

/* These pixels have changed; what lies outside is cut off. */
void screen_mark(struct screen *s, struct screen_rect r);
/* New pixels of a row, from x on, which all lie inside; those that differ are marked. */
void screen_put(struct screen *s, uint32_t x, uint32_t y, const uint32_t *pixels, uint32_t n);
/* All changes have been seen. */
void screen_taken(struct screen *s);

/* The part that both have. */
struct screen_rect rect_intersect(struct screen_rect a, struct screen_rect b);
static inline bool rect_is_empty(struct screen_rect r)
{
    return r.width == 0 || r.height == 0;
}
/* Whether r, which may be anything, lies in a picture of this size. */
static inline bool rect_is_inside(struct screen_rect r, uint32_t width, uint32_t height)
{
    return r.x <= width && r.width <= width - r.x && r.y <= height && r.height <= height - r.y;
}

/* How four bytes of memory are a pixel, by virtio's names: the order of the bytes. */
enum pixel_format {
    PIXEL_B8G8R8A8 = 1,
    PIXEL_B8G8R8X8 = 2,
    PIXEL_A8R8G8B8 = 3,
    PIXEL_X8R8G8B8 = 4,
    PIXEL_R8G8B8A8 = 67,
    PIXEL_X8B8G8R8 = 68,
    PIXEL_A8B8G8R8 = 121,
    PIXEL_R8G8B8X8 = 134,
};
bool pixel_format_is_known(uint32_t format);
/* Whether pixels in memory are as a screen's, but for what is in the byte that it does not use. */
bool pixel_format_is_native(uint32_t format);
/* n pixels to 0xAARRGGBB; X is 0xff. */
void pixels_convert(uint32_t *to, const uint8_t *from, size_t n, enum pixel_format format);

#endif

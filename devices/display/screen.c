/* Screens and pixels (contract: screen.h). */
#include "devices/display/screen.h"

#include <stdlib.h>

bool screen_resize(struct screen *s, uint32_t width, uint32_t height)
{
    size_t bytes = (size_t)width * height * sizeof *s->pixels;
    if (s->width == width && s->height == height) {
        if (bytes)
            memset(s->pixels, 0, bytes);
        screen_mark(s, (struct screen_rect){0, 0, width, height});
        return true;
    }
    free(s->pixels);
    s->pixels = bytes ? calloc(1, bytes) : NULL;
    bool ok = s->pixels || !bytes;
    s->width = s->pixels ? width : 0;
    s->height = s->pixels ? height : 0;
    s->is_resized = true;
    s->changed = (struct screen_rect){0, 0, s->width, s->height};
    return ok;
}

void screen_deinit(struct screen *s)
{
    free(s->pixels);
    s->pixels = NULL;
}

struct screen_rect rect_intersect(struct screen_rect a, struct screen_rect b)
{
    uint64_t left = max_u64(a.x, b.x), top = max_u64(a.y, b.y);
    uint64_t right = min_u64((uint64_t)a.x + a.width, (uint64_t)b.x + b.width);
    uint64_t bottom = min_u64((uint64_t)a.y + a.height, (uint64_t)b.y + b.height);
    if (left >= right || top >= bottom)
        return (struct screen_rect){0};
    return (struct screen_rect){(uint32_t)left, (uint32_t)top, (uint32_t)(right - left),
                                (uint32_t)(bottom - top)};
}

/* The smallest rectangle that holds both: one is enough for terminals and desktops alike, where
 * what changes at once lies together. */
static struct screen_rect unite(struct screen_rect a, struct screen_rect b)
{
    if (rect_is_empty(a))
        return b;
    uint32_t left = (uint32_t)min_u64(a.x, b.x), top = (uint32_t)min_u64(a.y, b.y);
    uint32_t right = (uint32_t)max_u64(a.x + a.width, b.x + b.width);
    uint32_t bottom = (uint32_t)max_u64(a.y + a.height, b.y + b.height);
    return (struct screen_rect){left, top, right - left, bottom - top};
}

void screen_mark(struct screen *s, struct screen_rect r)
{
    r = rect_intersect(r, (struct screen_rect){0, 0, s->width, s->height});
    if (!rect_is_empty(r))
        s->changed = unite(s->changed, r);
}

void screen_put(struct screen *s, uint32_t x, uint32_t y, const uint32_t *pixels, uint32_t n)
{
    uint32_t *old = s->pixels + (size_t)y * s->width + x, first = 0, end = n;
    if (memcmp(old, pixels, n * sizeof *old) == 0)
        return;
    while (old[first] == pixels[first])
        first++;
    while (old[end - 1] == pixels[end - 1])
        end--;
    memcpy(old + first, pixels + first, (end - first) * sizeof *old);
    screen_mark(s, (struct screen_rect){x + first, y, end - first, 1});
}

void screen_taken(struct screen *s)
{
    s->changed = (struct screen_rect){0};
    s->is_resized = false;
    s->cursor.has_changed = false;
}

/* --- pixels ------------------------------------------------------------------------------ */

/* Where a pixel's bytes lie; alpha 4: it has none. */
static const struct layout {
    enum pixel_format format;
    uint8_t red, green, blue, alpha;
} layouts[] = {
    {PIXEL_B8G8R8A8, 2, 1, 0, 3}, {PIXEL_B8G8R8X8, 2, 1, 0, 4}, {PIXEL_A8R8G8B8, 1, 2, 3, 0},
    {PIXEL_X8R8G8B8, 1, 2, 3, 4}, {PIXEL_R8G8B8A8, 0, 1, 2, 3}, {PIXEL_X8B8G8R8, 3, 2, 1, 4},
    {PIXEL_A8B8G8R8, 3, 2, 1, 0}, {PIXEL_R8G8B8X8, 0, 1, 2, 4},
};

static const struct layout *find_layout(uint32_t format)
{
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
        if (layouts[i].format == format)
            return &layouts[i];
    return NULL;
}

bool pixel_format_is_known(uint32_t format)
{
    return find_layout(format) != NULL;
}

bool pixel_format_is_native(uint32_t format)
{
    return format == PIXEL_B8G8R8A8 || format == PIXEL_B8G8R8X8;
}

void pixels_convert(uint32_t *to, const uint8_t *from, size_t n, enum pixel_format format)
{
    const struct layout *l = find_layout(format);
    if (format == PIXEL_B8G8R8A8) { /* the same in memory */
        memcpy(to, from, n * sizeof *to);
        return;
    }
    for (size_t i = 0; i < n; i++, from += 4)
        to[i] = (l->alpha < 4 ? (uint32_t)from[l->alpha] : 0xffu) << 24 |
                (uint32_t)from[l->red] << 16 | (uint32_t)from[l->green] << 8 | from[l->blue];
}

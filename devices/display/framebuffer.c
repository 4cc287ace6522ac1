/* Pictures in guest RAM (contract: framebuffer.h). */
#include "devices/display/framebuffer.h"

#include <stdlib.h>

uint32_t framebuffer_pixel_bytes(enum framebuffer_format format)
{
    static const uint8_t bytes[] = {
        [FRAMEBUFFER_X8R8G8B8] = 4, [FRAMEBUFFER_R8G8B8] = 3, [FRAMEBUFFER_R5G6B5] = 2};
    return bytes[format];
}

static uint32_t row_bytes(const struct framebuffer_mode *m)
{
    return m->width * framebuffer_pixel_bytes(m->format);
}

/* The last row need not be followed by a gap. */
static uint64_t all_bytes(const struct framebuffer_mode *m)
{
    return (uint64_t)(m->height - 1) * m->stride + row_bytes(m);
}

/* --- drawing ----------------------------------------------------------------------------- */

static uint32_t from_r5g6b5(uint32_t v)
{
    uint32_t red = v >> 11, green = v >> 5 & 0x3f, blue = v & 0x1f;
    return (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | (blue << 3 | blue >> 2);
}

static void convert_row(struct framebuffer *f)
{
    const uint8_t *from = f->row;
    uint32_t *to = f->row_pixels, *end = to + f->mode.width;
    switch (f->mode.format) {
    case FRAMEBUFFER_X8R8G8B8:
        pixels_convert(to, from, f->mode.width, PIXEL_B8G8R8A8);
        break;
    case FRAMEBUFFER_R8G8B8:
        for (; to < end; from += 3)
            *to++ = (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
        break;
    case FRAMEBUFFER_R5G6B5:
        for (; to < end; from += 2)
            *to++ = from_r5g6b5((uint32_t)from[1] << 8 | from[0]);
        break;
    }
}

/* A page holds more than what changed: the pixels that are really new are found by comparing. */
static void draw_row(struct framebuffer *f, uint32_t y)
{
    if (!dma_read(f->memory, f->mode.gpa + (uint64_t)y * f->mode.stride, f->row,
                  row_bytes(&f->mode)))
        return;
    convert_row(f);
    screen_put(&f->screen, 0, y, f->row_pixels, f->mode.width);
}

/* Rows of which some byte lies in [gpa, gpa + bytes), which is cut to the picture. */
static void draw_written(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct framebuffer *f = owner;
    const struct framebuffer_mode *m = &f->mode;
    uint64_t first = max_u64(gpa, m->gpa) - m->gpa;
    uint64_t last = min_u64(gpa + (bytes - 1), m->gpa + (all_bytes(m) - 1)) - m->gpa;
    if (f->is_new)
        return; /* all is drawn anyway */
    for (uint64_t y = first / m->stride; y <= last / m->stride && y < m->height; y++)
        draw_row(f, (uint32_t)y);
}

static void refresh(void *owner)
{
    struct framebuffer *f = owner;
    if (!f->screen.pixels)
        return;
    memory_take_written(f->memory, f->mode.gpa, all_bytes(&f->mode), draw_written, f);
    for (uint32_t y = 0; f->is_new && y < f->mode.height; y++)
        draw_row(f, y);
    f->is_new = false;
}

/* --- life -------------------------------------------------------------------------------- */

void framebuffer_init(struct framebuffer *f, struct memory_map *memory)
{
    *f = (struct framebuffer){.memory = memory};
    f->screen.refresh = refresh;
    f->screen.owner = f;
}

void framebuffer_show_nothing(struct framebuffer *f)
{
    free(f->row);
    free(f->row_pixels);
    f->row = NULL;
    f->row_pixels = NULL;
    (void)screen_resize(&f->screen, 0, 0); /* takes no memory */
}

void framebuffer_deinit(struct framebuffer *f)
{
    framebuffer_show_nothing(f);
    screen_deinit(&f->screen);
}

static bool check_mode(const struct framebuffer *f, const struct framebuffer_mode *m,
                       struct error *err)
{
    if (m->width < FRAMEBUFFER_SIDE_LEAST || m->width > SCREEN_SIDE_MAX ||
        m->height < FRAMEBUFFER_SIDE_LEAST || m->height > SCREEN_SIDE_MAX)
        return error_set(err, "a picture of %u x %u; each side is %u to %u", m->width, m->height,
                         FRAMEBUFFER_SIDE_LEAST, SCREEN_SIDE_MAX);
    if (m->stride < row_bytes(m))
        return error_set(err, "rows of %u bytes every %u bytes", row_bytes(m), m->stride);
    return dma_is_ram(f->memory, m->gpa, all_bytes(m)) ||
           error_set(err, "a picture of 0x%llx bytes at 0x%llx, where not all is RAM",
                     (unsigned long long)all_bytes(m), (unsigned long long)m->gpa);
}

bool framebuffer_show(struct framebuffer *f, const struct framebuffer_mode *mode, struct error *err)
{
    framebuffer_show_nothing(f);
    if (!check_mode(f, mode, err))
        return false;
    f->mode = *mode;
    f->is_new = true;
    f->row = malloc(row_bytes(mode));
    f->row_pixels = malloc(mode->width * sizeof *f->row_pixels);
    if (f->row && f->row_pixels && screen_resize(&f->screen, mode->width, mode->height))
        return true;
    framebuffer_show_nothing(f);
    return error_set(err, "no memory for a picture of %u x %u", mode->width, mode->height);
}

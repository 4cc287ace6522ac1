/* simple-framebuffer (contract: simple_framebuffer.h). */
#include "devices/display/simple_framebuffer.h"

#include <stdlib.h>

struct simple_framebuffer {
    struct device device;
    /* --- host side --- */
    struct framebuffer framebuffer;
    struct framebuffer_mode mode;
};

static struct simple_framebuffer *of(struct device *d)
{
    return (struct simple_framebuffer *)d;
}

/* RAM was cleared without a store. */
static void simple_framebuffer_reset(struct device *d)
{
    of(d)->framebuffer.is_new = true;
}

static void simple_framebuffer_state(struct device *d, struct state *s)
{
    struct framebuffer_mode *m = &of(d)->mode;
    uint64_t gpa = m->gpa;
    uint32_t width = m->width, height = m->height, stride = m->stride;
    state_section(s, "simple-framebuffer", 1);
    state_u64(s, &gpa);
    state_u32(s, &width);
    state_u32(s, &height);
    state_u32(s, &stride);
    if (gpa != m->gpa || width != m->width || height != m->height || stride != m->stride)
        state_fail(s, "saved with %u x %u pixels at 0x%llx, here %u x %u at 0x%llx", width, height,
                   (unsigned long long)gpa, m->width, m->height, (unsigned long long)m->gpa);
    if (state_loading(s))
        of(d)->framebuffer.is_new = true;
}

static void simple_framebuffer_destroy(struct device *d)
{
    framebuffer_deinit(&of(d)->framebuffer);
    free(d);
}

static const struct device_ops simple_framebuffer_ops = {
    .mmio = {.name = "simple-framebuffer"},
    .reset = simple_framebuffer_reset,
    .state = simple_framebuffer_state,
    .destroy = simple_framebuffer_destroy,
};

struct device *simple_framebuffer_create(struct memory_map *memory,
                                         const struct framebuffer_mode *mode, struct error *err)
{
    struct simple_framebuffer *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, "no memory");
        return NULL;
    }
    f->device.ops = &simple_framebuffer_ops;
    f->mode = *mode;
    framebuffer_init(&f->framebuffer, memory);
    if (framebuffer_show(&f->framebuffer, mode, err))
        return &f->device;
    simple_framebuffer_destroy(&f->device);
    return NULL;
}

struct screen *simple_framebuffer_screen(struct device *d)
{
    return &of(d)->framebuffer.screen;
}

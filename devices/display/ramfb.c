/* ramfb (contract: ramfb.h; QEMU: docs/specs and hw/display/ramfb.c): one file of fw_cfg, written
 * as a whole by DMA. What it says is checked when it was written, and after a load. */
#include "devices/display/ramfb.h"

#include "devices/display/framebuffer.h"

#include <stdlib.h>

/* As the guest writes it, big-endian. */
struct ramfb_file {
    uint64_t address;
    uint32_t fourcc, flags, width, height, stride;
} __attribute__((packed));

_Static_assert(sizeof(struct ramfb_file) == 28, "as the guest lays it out");

/* Formats of drm_fourcc.h. */
#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static const struct {
    uint32_t fourcc;
    enum framebuffer_format format;
} formats[] = {
    {FOURCC('X', 'R', '2', '4'), FRAMEBUFFER_X8R8G8B8},
    {FOURCC('A', 'R', '2', '4'), FRAMEBUFFER_X8R8G8B8},
    {FOURCC('R', 'G', '2', '4'), FRAMEBUFFER_R8G8B8},
    {FOURCC('R', 'G', '1', '6'), FRAMEBUFFER_R5G6B5},
};

struct ramfb {
    struct device device;
    /* --- guest state --- */
    struct ramfb_file file; /* fourcc 0: nothing was written yet */
    /* --- host side --- */
    struct framebuffer framebuffer;
    struct fw_cfg_item item;
    struct log *log;
};

static bool show(struct ramfb *r, struct error *err)
{
    struct framebuffer_mode mode = {
        .gpa = __builtin_bswap64(r->file.address),
        .width = __builtin_bswap32(r->file.width),
        .height = __builtin_bswap32(r->file.height),
        .stride = __builtin_bswap32(r->file.stride),
    };
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (formats[i].fourcc != __builtin_bswap32(r->file.fourcc))
            continue;
        mode.format = formats[i].format;
        if (!mode.stride && mode.width <= SCREEN_SIDE_MAX)
            mode.stride = mode.width * framebuffer_pixel_bytes(mode.format);
        return framebuffer_show(&r->framebuffer, &mode, err);
    }
    framebuffer_show_nothing(&r->framebuffer);
    return error_set(err, "the format 0x%08x is not known", __builtin_bswap32(r->file.fourcc));
}

static void on_written(void *owner)
{
    struct ramfb *r = owner;
    struct error err;
    if (!show(r, &err))
        log_line(r->log, LOG_GUEST_ERRORS, "ramfb: %s", err.text);
}

static void ramfb_reset(struct device *d)
{
    struct ramfb *r = (struct ramfb *)d;
    r->file = (struct ramfb_file){0};
    framebuffer_show_nothing(&r->framebuffer);
}

/* What the guest wrote may be nonsense: then nothing is shown, now as before. */
static void ramfb_state(struct device *d, struct state *s)
{
    struct ramfb *r = (struct ramfb *)d;
    struct error ignored;
    state_section(s, "ramfb", 1);
    state_bytes(s, &r->file, sizeof r->file);
    if (state_loading(s) && state_ok(s))
        (void)show(r, &ignored);
}

static void ramfb_destroy(struct device *d)
{
    struct ramfb *r = (struct ramfb *)d;
    framebuffer_deinit(&r->framebuffer);
    free(r);
}

static const struct device_ops ramfb_ops = {
    .mmio = {.name = "ramfb"},
    .reset = ramfb_reset,
    .state = ramfb_state,
    .destroy = ramfb_destroy,
};

struct device *ramfb_create(struct memory_map *memory, struct log *log)
{
    struct ramfb *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->device.ops = &ramfb_ops;
    r->log = log;
    r->item = (struct fw_cfg_item){.name = "etc/ramfb",
                                   .data = &r->file,
                                   .bytes = sizeof r->file,
                                   .writable = &r->file,
                                   .written = on_written,
                                   .owner = r};
    framebuffer_init(&r->framebuffer, memory);
    return &r->device;
}

const struct fw_cfg_item *ramfb_file(struct device *d)
{
    return &((struct ramfb *)d)->item;
}

struct screen *ramfb_screen(struct device *d)
{
    return &((struct ramfb *)d)->framebuffer.screen;
}

/* Displays, keyboards and pointers (contract: displays.h). */
#include "machine/displays.h"

#include "devices/display/bochs.h"
#include "devices/display/ramfb.h"
#include "devices/display/simple_framebuffer.h"
#include "devices/virtio/gpu.h"
#include "devices/virtio/input.h"

#include <stdio.h>

/* QEMU's. */
#define DEFAULT_WIDTH  1280u
#define DEFAULT_HEIGHT 800u
#define BOCHS_MEMORY   (16ull << 20)
#define HOST_BYTES_MAX (256ull << 20)
#define SIDE_LEAST     64u

#define SIMPLE_WIDTH  1024u
#define SIMPLE_HEIGHT 768u
#define SIMPLE_ALIGN  (2ull << 20) /* a system maps it by large pages */

#define SIZES_WAITING  16u
#define GROUPS_WAITING 256u /* of events, while the guest is slow */

/* The order of screens is that of their devices. */
static bool has_room(const struct machine *m, struct error *err)
{
    return m->screen_count < MACHINE_SCREENS_MAX ||
           error_set(err, "there are %u displays already", MACHINE_SCREENS_MAX);
}

/* xres and yres of a display, which are there already with their defaults. */
static bool read_sides(const struct properties *p, uint32_t *width, uint32_t *height,
                       struct error *err)
{
    uint64_t x = *width, y = *height;
    if (!properties_size(p, "xres", SCREEN_SIDE_MAX, &x, err) ||
        !properties_size(p, "yres", SCREEN_SIDE_MAX, &y, err))
        return false;
    *width = (uint32_t)x;
    *height = (uint32_t)y;
    return (x >= SIDE_LEAST && y >= SIDE_LEAST) ||
           error_set(err, "xres and yres are %u to %u", SIDE_LEAST, SCREEN_SIDE_MAX);
}

struct screen *machine_screen(struct machine *m, unsigned i)
{
    return i < m->screen_count ? m->screens[i] : NULL;
}

struct screen *machine_screen_of(struct machine *m, const char *device)
{
    for (unsigned i = 0; i < m->screen_count; i++)
        if (m->screen_ids[i] && strcmp(m->screen_ids[i], device) == 0)
            return m->screens[i];
    return NULL;
}

static void add_screen(struct machine *m, const struct properties *p, struct screen *screen)
{
    m->screen_ids[m->screen_count] = properties_text(p, "id");
    m->screens[m->screen_count++] = screen;
}

/* --- the GPU ----------------------------------------------------------------------------- */

static const char *const ones[] = {"1", NULL};
const struct property_rule gpu_rules[] = {
    {"xres", NULL},        {"yres", NULL},        {"edid", NULL},
    {"max_hostmem", NULL}, {"max_outputs", ones}, {NULL, NULL},
};

/* What goes through the door. */
struct wanted_size {
    uint32_t width, height;
};

static size_t receive_size(void *owner, const uint8_t *bytes, size_t n)
{
    struct wanted_size size;
    if (n == sizeof size) {
        memcpy(&size, bytes, sizeof size);
        virtio_gpu_prefer(owner, size.width, size.height);
    }
    return n;
}

bool machine_prefer_size(struct machine *m, uint32_t width, uint32_t height)
{
    const struct wanted_size size = {width, height};
    if (m->sized_gpu)
        input_push(m->door, m->size_entry, &size, sizeof size);
    return m->sized_gpu;
}

static void add_gpu(struct machine *m, const struct properties *p, struct virtio *v)
{
    add_screen(m, p, virtio_gpu_screen(v));
    if (m->sized_gpu)
        return;
    m->sized_gpu = v;
    m->size_entry = input_register_packets(m->door, "display-size", SIZES_WAITING, receive_size, v);
}

struct virtio *gpu_create(struct machine *m, const struct properties *p, struct error *err)
{
    struct virtio_gpu_config config = {.width = DEFAULT_WIDTH,
                                       .height = DEFAULT_HEIGHT,
                                       .has_edid = true,
                                       .host_bytes_max = HOST_BYTES_MAX,
                                       .memory = m->memory,
                                       .log = m->config.log};
    if (!has_room(m, err) || !read_sides(p, &config.width, &config.height, err) ||
        !properties_size(p, "max_hostmem", UINT32_MAX, &config.host_bytes_max, err) ||
        !properties_switch(p, "edid", &config.has_edid, err))
        return NULL;
    struct virtio *v = virtio_gpu_create(&config);
    if (v)
        add_gpu(m, p, v);
    else
        error_set(err, "no memory");
    return v;
}

/* --- the Bochs display ------------------------------------------------------------------- */

const struct property_rule bochs_rules[] = {
    {"xres", NULL}, {"yres", NULL}, {"edid", NULL}, {"vgamem", NULL}, {NULL, NULL}};

struct pci_function *bochs_add(struct machine *m, const struct properties *p, struct error *err)
{
    struct bochs_config config = {.memory_bytes = BOCHS_MEMORY,
                                  .width = DEFAULT_WIDTH,
                                  .height = DEFAULT_HEIGHT,
                                  .has_edid = true,
                                  .memory = m->memory,
                                  .log = m->config.log};
    if (!has_room(m, err) || !read_sides(p, &config.width, &config.height, err) ||
        !properties_switch(p, "edid", &config.has_edid, err) ||
        !properties_size(p, "vgamem", BOCHS_MEMORY_MOST, &config.memory_bytes, err))
        return NULL;
    if (!is_power_of_two(config.memory_bytes) || config.memory_bytes < BOCHS_MEMORY_LEAST) {
        error_set(err, "vgamem is a power of two, 1M to %lluM", BOCHS_MEMORY_MOST >> 20);
        return NULL;
    }
    struct pci_function *f = bochs_create(&config);
    if (f)
        add_screen(m, p, bochs_screen(f));
    else
        error_set(err, "no memory");
    return f;
}

/* --- pictures in RAM --------------------------------------------------------------------- */

static void add_display(struct machine *m, const struct properties *p, struct device *d,
                        struct screen *screen)
{
    m->displays[m->display_count++] = d;
    add_screen(m, p, screen);
}

bool ramfb_add(struct machine *m, const struct properties *p, struct error *err)
{
    if (!has_room(m, err))
        return false;
    struct device *d = ramfb_create(m->memory, m->config.log);
    if (!d)
        return error_set(err, "no memory");
    add_display(m, p, d, ramfb_screen(d));
    return fw_cfg_add_file(m->devices[SLOT_FW_CFG], ramfb_file(d), err);
}

/* The names of the device tree's binding, best first. */
static const struct {
    const char *name;
    enum framebuffer_format format;
} simple_formats[] = {
    {"a8r8g8b8", FRAMEBUFFER_X8R8G8B8},
    {"x8r8g8b8", FRAMEBUFFER_X8R8G8B8},
    {"r8g8b8", FRAMEBUFFER_R8G8B8},
    {"r5g6b5", FRAMEBUFFER_R5G6B5},
};

static const char *const format_names[] = {"a8r8g8b8", "x8r8g8b8", "r8g8b8", "r5g6b5", NULL};
const struct property_rule simple_framebuffer_rules[] = {
    {"width", NULL}, {"height", NULL}, {"format", format_names}, {NULL, NULL}};

/* At the end of RAM, from a multiple of SIMPLE_ALIGN on. */
static bool place_picture(const struct machine *m, struct framebuffer_mode *mode, struct error *err)
{
    uint64_t bytes = (uint64_t)mode->stride * mode->height;
    if (bytes > m->config.ram_bytes / 2)
        return error_set(err,
                         "%u x %u pixels take %llu MiB of RAM, more than half of it; give more "
                         "with -m",
                         mode->width, mode->height, (unsigned long long)(bytes >> 20));
    mode->gpa = (RAM_BASE + m->config.ram_bytes - bytes) & ~(SIMPLE_ALIGN - 1);
    return true;
}

bool simple_framebuffer_add(struct machine *m, const struct properties *p, struct error *err)
{
    uint64_t width = SIMPLE_WIDTH, height = SIMPLE_HEIGHT;
    const char *name = properties_text(p, "format");
    struct framebuffer_mode mode = {.format = FRAMEBUFFER_X8R8G8B8};
    if (!has_room(m, err) || !properties_size(p, "width", SCREEN_SIDE_MAX, &width, err) ||
        !properties_size(p, "height", SCREEN_SIDE_MAX, &height, err))
        return false;
    if (m->simple_framebuffer.bytes)
        return error_set(err, "there is one already");
    for (size_t i = 0; name && i < ARRAY_LEN(simple_formats); i++)
        if (strcmp(simple_formats[i].name, name) == 0)
            mode.format = simple_formats[i].format;
    mode.width = (uint32_t)width;
    mode.height = (uint32_t)height;
    mode.stride = mode.width * framebuffer_pixel_bytes(mode.format);
    if (!place_picture(m, &mode, err))
        return false;
    struct device *d = simple_framebuffer_create(m->memory, &mode, err);
    if (!d)
        return false;
    m->simple_framebuffer =
        (struct fdt_framebuffer){.base = mode.gpa,
                                 .bytes = RAM_BASE + m->config.ram_bytes - mode.gpa,
                                 .width = mode.width,
                                 .height = mode.height,
                                 .stride = mode.stride,
                                 .format = name ? name : simple_formats[0].name};
    add_display(m, p, d, simple_framebuffer_screen(d));
    return true;
}

/* --- keyboard and pointer ---------------------------------------------------------------- */

const struct property_rule input_rules[] = {{NULL, NULL}};

/* The first of its kind is the user's. */
static struct virtio *create_input(struct machine *m, enum virtio_input_kind kind, const char *name,
                                   struct error *err)
{
    struct virtio_input_config config = {.kind = kind, .memory = m->memory, .log = m->config.log};
    struct virtio *v = virtio_input_create(&config);
    if (!v) {
        error_set(err, "no memory");
        return NULL;
    }
    if (!m->has_input[kind]) {
        m->has_input[kind] = true;
        m->input_entries[kind] =
            input_register_packets(m->door, name, GROUPS_WAITING, virtio_input_receive, v);
    }
    return v;
}

struct virtio *keyboard_create(struct machine *m, const struct properties *p, struct error *err)
{
    (void)p;
    return create_input(m, VIRTIO_INPUT_KEYBOARD, "keyboard", err);
}

struct virtio *mouse_create(struct machine *m, const struct properties *p, struct error *err)
{
    (void)p;
    return create_input(m, VIRTIO_INPUT_MOUSE, "mouse", err);
}

struct virtio *tablet_create(struct machine *m, const struct properties *p, struct error *err)
{
    (void)p;
    return create_input(m, VIRTIO_INPUT_TABLET, "tablet", err);
}

unsigned machine_input_entry(const struct machine *m, enum machine_input input)
{
    return m->has_input[input] ? m->input_entries[input] : INPUT_NO_ENTRY;
}

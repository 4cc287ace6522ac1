/* Displays, keyboards and pointers (contract: displays.h). */
#include "machine/displays.h"

#include "devices/display/ramfb.h"
#include "devices/virtio/gpu.h"
#include "devices/virtio/input.h"

#include <stdio.h>

/* QEMU's. */
#define DEFAULT_WIDTH  1280u
#define DEFAULT_HEIGHT 800u
#define HOST_BYTES_MAX (256ull << 20)
#define SIDE_LEAST     64u

#define GROUPS_WAITING 256u /* of events, while the guest is slow */

/* The order of screens is that of their devices. */
static bool has_room(const struct machine *m, struct error *err)
{
    return m->screen_count < MACHINE_SCREENS_MAX ||
           error_set(err, "there are %u displays already", MACHINE_SCREENS_MAX);
}

struct screen *machine_screen(struct machine *m, unsigned i)
{
    return i < m->screen_count ? m->screens[i] : NULL;
}

/* --- the GPU ----------------------------------------------------------------------------- */

static const char *const ones[] = {"1", NULL};
const struct property_rule gpu_rules[] = {
    {"xres", NULL},        {"yres", NULL},        {"edid", NULL},
    {"max_hostmem", NULL}, {"max_outputs", ones}, {NULL, NULL},
};

struct virtio *gpu_create(struct machine *m, const struct properties *p, struct error *err)
{
    uint64_t width = DEFAULT_WIDTH, height = DEFAULT_HEIGHT;
    struct virtio_gpu_config config = {.has_edid = true,
                                       .host_bytes_max = HOST_BYTES_MAX,
                                       .memory = m->memory,
                                       .log = m->config.log};
    if (!properties_size(p, "xres", SCREEN_SIDE_MAX, &width, err) ||
        !properties_size(p, "yres", SCREEN_SIDE_MAX, &height, err) ||
        !properties_size(p, "max_hostmem", UINT32_MAX, &config.host_bytes_max, err) ||
        !properties_switch(p, "edid", &config.has_edid, err))
        return NULL;
    if (width < SIDE_LEAST || height < SIDE_LEAST) {
        error_set(err, "xres and yres are %u to %u", SIDE_LEAST, SCREEN_SIDE_MAX);
        return NULL;
    }
    if (!has_room(m, err))
        return NULL;
    config.width = (uint32_t)width;
    config.height = (uint32_t)height;
    struct virtio *v = virtio_gpu_create(&config);
    if (v)
        m->screens[m->screen_count++] = virtio_gpu_screen(v);
    else
        error_set(err, "no memory");
    return v;
}

/* --- pictures in RAM --------------------------------------------------------------------- */

bool ramfb_add(struct machine *m, const struct properties *p, struct error *err)
{
    (void)p;
    if (!has_room(m, err))
        return false;
    struct device *d = ramfb_create(m->memory, m->config.log);
    if (!d)
        return error_set(err, "no memory");
    m->displays[m->display_count++] = d;
    m->screens[m->screen_count++] = ramfb_screen(d);
    return fw_cfg_add_file(m->devices[SLOT_FW_CFG], ramfb_file(d), err);
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

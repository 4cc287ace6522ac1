/* Input devices (contract: input.h). */
#include "devices/virtio/input.h"

#include <stdlib.h>

#define QUEUE_EVENTS 0u
#define QUEUE_STATUS 1u
#define QUEUE_SIZE   64u /* QEMU's */
#define BUS_VIRTUAL  0x06u
#define VENDOR       0x0627u /* QEMU's, whose quirks in guests we want */
#define TEXT_BYTES   128u

/* Section 5.8.2: what the driver selects. */
enum config_select {
    ID_NAME = 0x01,
    ID_SERIAL = 0x02,
    ID_DEVIDS = 0x03,
    PROP_BITS = 0x10,
    EV_BITS = 0x11,
    ABS_INFO = 0x12,
};

struct config_space {
    uint8_t select, subsel, size, reserved[5];
    uint8_t data[TEXT_BYTES];
};

/* Event codes that a kind has, as ranges. */
struct codes {
    uint8_t type; /* enum input_event_type, or what the driver never gets */
    uint16_t first, last;
};

#define EV_LED   17u
#define EV_REP   20u
#define BTN_LEFT 0x110u

static const struct codes keyboard_codes[] = {
    {INPUT_KEY, 1, 248}, /* KEY_ESC to KEY_MICMUTE: all that keyboards have */
    {EV_LED, 0, 2},
    {EV_REP, 0, 1}, /* the guest repeats keys by itself */
    {0},
};
static const struct codes mouse_codes[] = {
    {INPUT_KEY, BTN_LEFT, BTN_LEFT + 4}, /* left, right, middle, side, extra */
    {INPUT_REL, 0, 1},                   /* X, Y */
    {INPUT_REL, 6, 6},                   /* HWHEEL */
    {INPUT_REL, 8, 8},                   /* WHEEL */
    {0},
};
static const struct codes tablet_codes[] = {
    {INPUT_KEY, BTN_LEFT, BTN_LEFT + 4},
    {INPUT_REL, 6, 6},
    {INPUT_REL, 8, 8},
    {INPUT_ABS, 0, 1},
    {0},
};

static const struct kind {
    const char *name;
    uint16_t product;
    const struct codes *codes;
} kinds[] = {
    [VIRTIO_INPUT_KEYBOARD] = {"Rivulet Virtio Keyboard", 1, keyboard_codes},
    [VIRTIO_INPUT_MOUSE] = {"Rivulet Virtio Mouse", 2, mouse_codes},
    [VIRTIO_INPUT_TABLET] = {"Rivulet Virtio Tablet", 3, tablet_codes},
};

struct virtio_input {
    struct virtio virtio;
    /* --- guest state --- */
    uint8_t select, subsel;
    /* --- host side --- */
    struct virtio_input_config config;
};

static struct virtio_input *input_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_input, virtio);
}

/* --- configuration ----------------------------------------------------------------------- */

static uint64_t input_features(struct virtio *v)
{
    (void)v;
    return 0;
}

/* The bits of all codes of a type; how many bytes have any. */
static uint8_t put_bits(uint8_t *bits, const struct codes *codes, uint8_t type)
{
    uint8_t bytes = 0;
    for (; codes->type; codes++)
        for (unsigned code = codes->first; codes->type == type && code <= codes->last; code++) {
            bits[code / 8] |= (uint8_t)(1u << code % 8);
            bytes = (uint8_t)max_u64(bytes, code / 8 + 1);
        }
    return bytes;
}

static uint8_t put_range(uint8_t *data, const struct codes *codes, uint8_t axis)
{
    uint8_t bits[TEXT_BYTES] = {0};
    const uint32_t range[5] = {0, INPUT_ABSOLUTE_MAX}; /* least, most, fuzz, flat, resolution */
    if (axis / 8 >= put_bits(bits, codes, INPUT_ABS) || !(bits[axis / 8] >> axis % 8 & 1))
        return 0;
    memcpy(data, range, sizeof range);
    return sizeof range;
}

static void input_read_config(struct virtio *v, uint8_t *bytes)
{
    const struct virtio_input *i = input_of(v);
    const struct kind *kind = &kinds[i->config.kind];
    const uint16_t ids[4] = {BUS_VIRTUAL, VENDOR, kind->product, 1};
    struct config_space space = {.select = i->select, .subsel = i->subsel};
    switch (i->select) {
    case ID_NAME:
        space.size = (uint8_t)strlen(kind->name);
        memcpy(space.data, kind->name, space.size);
        break;
    case ID_DEVIDS:
        space.size = sizeof ids;
        memcpy(space.data, ids, sizeof ids);
        break;
    case EV_BITS:
        space.size = put_bits(space.data, kind->codes, i->subsel);
        break;
    case ABS_INFO:
        space.size = put_range(space.data, kind->codes, i->subsel);
        break;
    default: /* no serial number, no properties: a size of 0 */
        break;
    }
    memcpy(bytes, &space, sizeof space);
}

static void input_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    struct virtio_input *i = input_of(v);
    if (offset + n > offsetof(struct config_space, size)) {
        log_line(v->log, LOG_GUEST_ERRORS,
                 "virtio-input: the configuration at 0x%x is read-only (%u bytes)", offset, n);
        return;
    }
    if (offset == 0)
        i->select = *bytes++;
    if (offset + n == 2)
        i->subsel = *bytes;
}

/* --- events ------------------------------------------------------------------------------ */

/* Takes as many chains as there are events; false: there are not so many, and none is taken. */
static bool take_buffers(struct virtio *v, struct virtio_chain **chains, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        chains[i] = virtio_take(v, QUEUE_EVENTS);
        if (chains[i])
            continue;
        while (i--)
            virtio_untake(v, chains[i]);
        return false;
    }
    return true;
}

size_t virtio_input_receive(void *owner, const uint8_t *bytes, size_t n)
{
    struct virtio *v = owner;
    struct virtio_chain *chains[INPUT_GROUP_MAX];
    size_t count = n / sizeof(struct input_event);
    if (!virtio_is_running(v) || v->broken || count > INPUT_GROUP_MAX)
        return n;
    if (!take_buffers(v, chains, count))
        return v->broken ? n : 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *event = bytes + i * sizeof(struct input_event);
        virtio_give(v, chains[i],
                    (uint32_t)virtio_write(v, chains[i], 0, event, sizeof(struct input_event)));
    }
    virtio_publish(v, QUEUE_EVENTS);
    return n;
}

static void input_notify(struct virtio *v, unsigned queue)
{
    if (queue != QUEUE_STATUS)
        return; /* new buffers: the door offers again what waits */
    for (struct virtio_chain *c; (c = virtio_take(v, queue));)
        virtio_give(v, c, 0); /* lights of the keyboard: nobody sees them */
    virtio_publish(v, queue);
}

/* --- life and state ---------------------------------------------------------------------- */

static void input_reset(struct virtio *v)
{
    struct virtio_input *i = input_of(v);
    i->select = i->subsel = 0;
}

static void input_state(struct virtio *v, struct state *s)
{
    struct virtio_input *i = input_of(v);
    state_u8(s, &i->select);
    state_u8(s, &i->subsel);
}

static void input_destroy(struct virtio *v)
{
    virtio_deinit(v);
    free(input_of(v));
}

static const struct virtio_device_ops input_ops = {
    .name = "virtio-input",
    .id = 18,
    .config_bytes = sizeof(struct config_space),
    .features = input_features,
    .read_config = input_read_config,
    .write_config = input_write_config,
    .notify = input_notify,
    .reset = input_reset,
    .state = input_state,
    .destroy = input_destroy,
};

struct virtio *virtio_input_create(const struct virtio_input_config *config)
{
    struct virtio_input *i = calloc(1, sizeof *i);
    struct virtio_config base = {.ops = &input_ops,
                                 .queues = QUEUE_STATUS + 1,
                                 .queue_size = QUEUE_SIZE,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!i || !virtio_init(&i->virtio, &base)) {
        free(i);
        return NULL;
    }
    i->config = *config;
    return &i->virtio;
}

/* Virtio over MMIO (virtio 1.2, section 4.2): version 2 of the registers, and version 1, which the
 * specification calls legacy (4.2.4) and QEMU shows by default. A driver reads the version first,
 * so that it cannot choose.
 *
 * Registers are 32 bits wide; the configuration space behind them takes any width. A slot without a
 * device has device id 0, and all else of it reads as 0.
 *
 * Invariant: the interrupt line is up while the interrupt status is not 0. */
#include "devices/virtio/mmio.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAGIC 0x74726976u /* "virt" */

/* Both versions. */
#define MAGIC_VALUE         0x000u
#define VERSION             0x004u
#define DEVICE_ID           0x008u
#define VENDOR_ID           0x00cu
#define DEVICE_FEATURES     0x010u
#define DEVICE_FEATURES_SEL 0x014u
#define DRIVER_FEATURES     0x020u
#define DRIVER_FEATURES_SEL 0x024u
#define QUEUE_SEL           0x030u
#define QUEUE_NUM_MAX       0x034u
#define QUEUE_NUM           0x038u
#define QUEUE_NOTIFY        0x050u
#define INTERRUPT_STATUS    0x060u
#define INTERRUPT_ACK       0x064u
#define STATUS              0x070u
#define CONFIG              0x100u
/* Version 1. */
#define GUEST_PAGE_SIZE 0x028u
#define QUEUE_ALIGN     0x03cu
#define QUEUE_PFN       0x040u
/* Version 2. */
#define QUEUE_READY       0x044u
#define QUEUE_DESC_LOW    0x080u
#define QUEUE_DESC_HIGH   0x084u
#define QUEUE_DRIVER_LOW  0x090u
#define QUEUE_DRIVER_HIGH 0x094u
#define QUEUE_DEVICE_LOW  0x0a0u
#define QUEUE_DEVICE_HIGH 0x0a4u
#define SHM_SEL           0x0acu
#define SHM_LEN_LOW       0x0b0u
#define SHM_LEN_HIGH      0x0b4u
#define SHM_BASE_LOW      0x0b8u
#define SHM_BASE_HIGH     0x0bcu
#define CONFIG_GENERATION 0x0fcu

#define LEGACY_DEFAULT_ALIGN 4096u

struct virtio_mmio {
    struct device device;
    /* --- guest state --- */
    uint32_t device_features_sel, driver_features_sel;
    uint64_t driver_features; /* as written, half by half */
    uint32_t queue_sel;
    uint32_t page_size, queue_align; /* version 1 */
    /* --- host side --- */
    struct virtio_mmio_config config;
    struct virtio *virtio; /* NULL: empty */
};

static void update_irq(struct virtio_mmio *m)
{
    irq_set(&m->config.irq, m->virtio->isr != 0);
}

static void on_interrupt(void *owner, unsigned queue)
{
    (void)queue;
    update_irq(owner);
}

static uint64_t with_half(uint64_t v, bool high, uint32_t half)
{
    return high ? (v & 0xffffffffull) | (uint64_t)half << 32 : (v & ~0xffffffffull) | half;
}

/* The 32 bits of a feature word that a selector names; there are 64. */
static uint32_t feature_word(uint64_t features, uint32_t sel)
{
    return sel < 2 ? (uint32_t)(features >> 32 * sel) : 0;
}

static void no_register(struct virtio_mmio *m, const char *verb, uint64_t offset, unsigned size)
{
    log_line(m->config.log, LOG_GUEST_ERRORS,
             "virtio-mmio: no register for a %s of %u bytes at 0x%" PRIx64 " in version %u", verb,
             size, offset, m->config.legacy ? 1 : 2);
}

/* --- reading ----------------------------------------------------------------------------- */

static uint32_t queue_pfn(const struct virtio_mmio *m, const struct virtio_queue *q)
{
    return q && q->ready && m->page_size ? (uint32_t)(q->desc / m->page_size) : 0;
}

static uint64_t read_legacy(struct virtio_mmio *m, uint64_t offset)
{
    if (offset == QUEUE_PFN)
        return queue_pfn(m, virtio_queue(m->virtio, m->queue_sel));
    no_register(m, "read", offset, 4);
    return 0;
}

static uint64_t read_modern(struct virtio_mmio *m, uint64_t offset)
{
    const struct virtio_queue *q = virtio_queue(m->virtio, m->queue_sel);
    switch (offset) {
    case QUEUE_READY:
        return q && q->ready;
    case SHM_LEN_LOW: /* no shared memory: section 4.2.2 says length and base are all ones */
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH:
        return 0xffffffff;
    case CONFIG_GENERATION:
        return m->virtio->generation;
    }
    no_register(m, "read", offset, 4);
    return 0;
}

static uint64_t read_register(struct virtio_mmio *m, uint64_t offset)
{
    struct virtio *v = m->virtio;
    switch (offset) {
    case MAGIC_VALUE:
        return MAGIC;
    case VERSION:
        return m->config.legacy ? 1 : 2;
    case VENDOR_ID:
        return VIRTIO_VENDOR;
    case DEVICE_ID:
        return v ? v->ops->id : 0;
    }
    if (!v)
        return 0;
    switch (offset) {
    case DEVICE_FEATURES:
        return feature_word(virtio_offered(v), m->device_features_sel);
    case QUEUE_NUM_MAX:
        return virtio_queue(v, m->queue_sel) ? virtio_queue_limit(v) : 0;
    case INTERRUPT_STATUS:
        return v->isr;
    case STATUS:
        return v->status;
    }
    return m->config.legacy ? read_legacy(m, offset) : read_modern(m, offset);
}

static uint64_t virtio_mmio_read(void *device, uint64_t offset, unsigned size)
{
    struct virtio_mmio *m = device;
    uint64_t value = 0;
    if (offset >= CONFIG && m->virtio)
        virtio_read_config(m->virtio, (uint32_t)(offset - CONFIG), &value, size);
    else if (offset < CONFIG && size == 4)
        value = read_register(m, offset);
    else
        no_register(m, "read", offset, size);
    return value;
}

/* --- writing ----------------------------------------------------------------------------- */

/* A page size or alignment that is no power of two would be one of no machine. */
static void set_power_of_two(struct virtio_mmio *m, uint32_t *field, uint32_t value)
{
    if (is_power_of_two(value))
        *field = value;
    else
        log_line(m->config.log, LOG_GUEST_ERRORS,
                 "virtio-mmio: a page size or alignment of %u bytes, ignored", value);
}

static void write_legacy(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case GUEST_PAGE_SIZE:
        set_power_of_two(m, &m->page_size, value);
        return;
    case QUEUE_ALIGN:
        set_power_of_two(m, &m->queue_align, value);
        return;
    case QUEUE_PFN:
        virtio_queue_set_legacy(m->virtio, m->queue_sel, (uint64_t)value * m->page_size,
                                m->queue_align);
        return;
    }
    no_register(m, "write", offset, 4);
}

/* One half of an address of the selected queue. */
static void write_address(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    struct virtio_queue *q = virtio_queue(m->virtio, m->queue_sel);
    if (!q || q->ready) {
        log_line(m->config.log, LOG_GUEST_ERRORS,
                 "virtio-mmio: the address of queue %u cannot be set now", m->queue_sel);
        return;
    }
    bool high = offset & 4;
    uint64_t *field = offset < QUEUE_DRIVER_LOW   ? &q->desc
                      : offset < QUEUE_DEVICE_LOW ? &q->avail
                                                  : &q->used;
    *field = with_half(*field, high, value);
}

static void write_modern(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case QUEUE_READY:
        virtio_queue_set_ready(m->virtio, m->queue_sel, value & 1);
        return;
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH:
        write_address(m, offset, value);
        return;
    case SHM_SEL: /* there is none to select */
        return;
    }
    no_register(m, "write", offset, 4);
}

static void write_features(struct virtio_mmio *m, uint32_t value)
{
    if (m->driver_features_sel < 2)
        m->driver_features = with_half(m->driver_features, m->driver_features_sel, value);
    else if (value)
        log_line(m->config.log, LOG_GUEST_ERRORS, "virtio-mmio: features 0x%x of word %u", value,
                 m->driver_features_sel);
    virtio_accept(m->virtio, m->driver_features);
}

/* Version 1 keeps the page size: Linux writes it once, before it resets the device. */
static void write_status(struct virtio_mmio *m, uint8_t value)
{
    virtio_set_status(m->virtio, value);
    if (value == 0) {
        m->driver_features = 0;
        update_irq(m);
    }
}

static void write_register(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case DEVICE_FEATURES_SEL:
        m->device_features_sel = value;
        return;
    case DRIVER_FEATURES:
        write_features(m, value);
        return;
    case DRIVER_FEATURES_SEL:
        m->driver_features_sel = value;
        return;
    case QUEUE_SEL:
        m->queue_sel = value;
        return;
    case QUEUE_NUM:
        virtio_queue_set_size(m->virtio, m->queue_sel, value);
        return;
    case QUEUE_NOTIFY:
        virtio_notify(m->virtio, value);
        return;
    case INTERRUPT_ACK:
        m->virtio->isr &= (uint8_t)~value;
        update_irq(m);
        return;
    case STATUS:
        write_status(m, (uint8_t)value);
        return;
    }
    if (m->config.legacy)
        write_legacy(m, offset, value);
    else
        write_modern(m, offset, value);
}

static void virtio_mmio_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_mmio *m = device;
    if (offset >= CONFIG && m->virtio)
        virtio_write_config(m->virtio, (uint32_t)(offset - CONFIG), &value, size);
    else if (offset < CONFIG && size == 4 && m->virtio)
        write_register(m, offset, (uint32_t)value);
    else
        no_register(m, "write", offset, size);
}

/* --- life -------------------------------------------------------------------------------- */

static void virtio_mmio_reset(struct device *d)
{
    struct virtio_mmio *m = (struct virtio_mmio *)d;
    m->device_features_sel = m->driver_features_sel = m->queue_sel = 0;
    m->driver_features = 0;
    m->page_size = 0;
    m->queue_align = LEGACY_DEFAULT_ALIGN;
    if (!m->virtio)
        return;
    virtio_reset(m->virtio);
    update_irq(m);
}

static void virtio_mmio_state(struct device *d, struct state *s)
{
    struct virtio_mmio *m = (struct virtio_mmio *)d;
    state_section(s, "virtio-mmio", 1);
    state_u32(s, &m->device_features_sel);
    state_u32(s, &m->driver_features_sel);
    state_u64(s, &m->driver_features);
    state_u32(s, &m->queue_sel);
    state_u32(s, &m->page_size);
    state_u32(s, &m->queue_align);
    if ((m->page_size && !is_power_of_two(m->page_size)) || !is_power_of_two(m->queue_align)) {
        state_fail(s, "virtio-mmio: a page size or alignment that is no power of two");
        m->page_size = 0;
        m->queue_align = LEGACY_DEFAULT_ALIGN;
    }
    if (!m->virtio)
        return;
    virtio_state(m->virtio, s);
    if (m->virtio->legacy != m->config.legacy)
        state_fail(s, "virtio-mmio: another version of the registers");
    m->virtio->legacy = m->config.legacy;
}

static void virtio_mmio_destroy(struct device *d)
{
    struct virtio_mmio *m = (struct virtio_mmio *)d;
    if (m->virtio)
        virtio_destroy(m->virtio);
    free(m);
}

static const struct device_ops virtio_mmio_ops = {
    .mmio = {.name = "virtio-mmio",
             .read = virtio_mmio_read,
             .write = virtio_mmio_write,
             .sizes = 1 | 2 | 4 | 8},
    .reset = virtio_mmio_reset,
    .state = virtio_mmio_state,
    .destroy = virtio_mmio_destroy,
};

struct device *virtio_mmio_create(const struct virtio_mmio_config *config)
{
    struct virtio_mmio *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->device.ops = &virtio_mmio_ops;
    m->config = *config;
    m->queue_align = LEGACY_DEFAULT_ALIGN;
    m->virtio = config->virtio;
    if (m->virtio) {
        struct virtio_transport transport = {.interrupt = on_interrupt, .owner = m};
        m->virtio->legacy = config->legacy;
        virtio_attach(m->virtio, &transport);
    }
    return &m->device;
}

/* Virtio over PCI (virtio 1.2, section 4.1): the modern interface, and the legacy one, which a
 * transitional device has beside it.
 *
 * A modern driver finds four structures in one memory BAR through vendor capabilities, and a window
 * to them in the configuration space (4.1.4.9) for firmware that maps no BARs. A legacy driver
 * finds registers and the device's configuration in an I/O BAR (4.1.4.10). The interface of the
 * last access is the driver's until it has negotiated features. There is no MSI-X: one pin serves
 * all queues.
 *
 * Identities, BAR numbers and places of structures are QEMU's.
 *
 * Invariant: the pin is up while the interrupt status is not 0. */
#include "devices/virtio/pci_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define VENDOR             0x1af4u
#define MODERN_DEVICE_BASE 0x1040u /* + device type */
#define MODERN_SUBSYSTEM   0x1100u
#define MODERN_REVISION    1u
#define CLASS_OTHER        0x00ff00u
#define CAPABILITY_VENDOR  0x09u
#define LEGACY_BAR         0u
#define MODERN_BAR         4u
#define LEGACY_BAR_LEAST   32u

/* cfg_type of capabilities, section 4.1.4. */
#define TYPE_COMMON     1u
#define TYPE_NOTIFY     2u
#define TYPE_ISR        3u
#define TYPE_CONFIG     4u
#define TYPE_PCI_ACCESS 5u

/* struct virtio_pci_cap, and what follows it in two types. */
#define CAP_LENGTH      2u
#define CAP_TYPE        3u
#define CAP_BAR         4u
#define CAP_OFFSET      8u
#define CAP_BYTES       12u
#define CAP_END         16u
#define CAP_MULTIPLIER  16u
#define CAP_ACCESS_DATA 16u
#define CAP_LONG_END    20u

/* What a guest takes the function for. Transitional ids: section 4.1.2.1. */
static const struct model {
    uint16_t type;         /* of the virtio device */
    uint16_t transitional; /* device id; 0: there were no legacy drivers */
    uint32_t class_code;
} models[] = {
    {1, 0x1000, 0x020000},    /* network card */
    {2, 0x1001, 0x010000},    /* block device */
    {3, 0x1003, 0x078000},    /* console */
    {4, 0x1005, CLASS_OTHER}, /* entropy source */
    {16, 0, 0x038000},        /* display that is no VGA */
    {18, 0, 0x098000},        /* keyboard, mouse, tablet */
};

void virtio_pci_no_register(struct virtio_pci *p, const char *verb, uint64_t offset, unsigned size)
{
    log_line(p->config.log, LOG_GUEST_ERRORS,
             "virtio-pci: no register for a %s of %u bytes at 0x%" PRIx64, verb, size, offset);
}

/* --- interrupts and rings ---------------------------------------------------------------- */

static void update_irq(struct virtio_pci *p)
{
    pci_set_intx(&p->function, p->virtio->isr != 0);
}

static void on_interrupt(void *owner, unsigned queue)
{
    (void)queue;
    update_irq(owner);
}

uint8_t virtio_pci_take_isr(struct virtio_pci *p)
{
    uint8_t isr = p->virtio->isr;
    p->virtio->isr = 0;
    update_irq(p);
    return isr;
}

/* Legacy drivers may forget to make the device a master: Linux did before 2.6.34. */
void virtio_pci_ring(struct virtio_pci *p, unsigned queue)
{
    if (p->virtio->legacy || pci_is_master(&p->function))
        virtio_notify(p->virtio, queue);
    else
        log_line(p->config.log, LOG_GUEST_ERRORS,
                 "virtio-pci: queue %u was rung and the device is no bus master", queue);
}

void virtio_pci_write_status(struct virtio_pci *p, uint8_t status)
{
    virtio_set_status(p->virtio, status);
    if (status == 0) {
        p->driver_features = 0;
        update_irq(p);
    }
}

void virtio_pci_use_interface(struct virtio_pci *p, bool legacy)
{
    if (!(p->virtio->status & (VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK)))
        p->virtio->legacy = legacy;
}

/* --- configuration space ----------------------------------------------------------------- */

static bool overlaps(unsigned offset, unsigned size, unsigned start, unsigned bytes)
{
    return offset < start + bytes && start < offset + size;
}

/* What the guest wrote into the access capability: which BAR, where, how wide; NULL: nonsense. */
static const struct pci_bar *accessed_bar(const struct virtio_pci *p, uint32_t *offset,
                                          uint32_t *size)
{
    const uint8_t *capability = p->function.config + p->access_capability;
    uint8_t bar = capability[CAP_BAR];
    memcpy(offset, capability + CAP_OFFSET, sizeof *offset);
    memcpy(size, capability + CAP_BYTES, sizeof *size);
    bool has_width = *size == 1 || *size == 2 || *size == 4;
    return bar < PCI_BARS && has_width ? &p->function.bars[bar] : NULL;
}

static void on_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    struct virtio_pci *p = (struct virtio_pci *)f;
    unsigned data = p->access_capability + CAP_ACCESS_DATA;
    uint32_t bar_offset, bar_size;
    uint64_t value;
    if (!p->access_capability || !overlaps(offset, size, data, 4))
        return;
    const struct pci_bar *bar = accessed_bar(p, &bar_offset, &bar_size);
    if (bar && pci_bar_read(f, bar, bar_offset, bar_size, &value))
        memcpy(f->config + data, &value, bar_size);
    else
        log_line(p->config.log, LOG_GUEST_ERRORS,
                 "virtio-pci: a read through the configuration space that means no register");
}

/* A device that may no longer read and write memory stops, as QEMU's does: a kernel that starts
 * another one relies on that. */
static void on_command(struct virtio_pci *p)
{
    struct virtio *v = p->virtio;
    if (!pci_is_master(&p->function) && !v->legacy && (v->status & VIRTIO_DRIVER_OK))
        virtio_pci_write_status(p, v->status & (uint8_t)~VIRTIO_DRIVER_OK);
}

static void on_config_written(struct pci_function *f, unsigned offset, unsigned size)
{
    struct virtio_pci *p = (struct virtio_pci *)f;
    unsigned data = p->access_capability + CAP_ACCESS_DATA;
    uint32_t bar_offset, bar_size, value;
    if (overlaps(offset, size, PCI_COMMAND, 2))
        on_command(p);
    if (!p->access_capability || !overlaps(offset, size, data, 4))
        return;
    memcpy(&value, f->config + data, sizeof value);
    const struct pci_bar *bar = accessed_bar(p, &bar_offset, &bar_size);
    if (!bar || !pci_bar_write(f, bar, bar_offset, bar_size, value))
        log_line(p->config.log, LOG_GUEST_ERRORS,
                 "virtio-pci: a write through the configuration space that means no register");
}

/* --- life -------------------------------------------------------------------------------- */

static void virtio_pci_reset(struct pci_function *f)
{
    struct virtio_pci *p = (struct virtio_pci *)f;
    p->device_feature_select = p->driver_feature_select = 0;
    p->driver_features = 0;
    p->queue_select = 0;
    p->virtio->legacy = !p->config.modern;
    virtio_reset(p->virtio);
}

static void virtio_pci_state(struct pci_function *f, struct state *s)
{
    struct virtio_pci *p = (struct virtio_pci *)f;
    state_u32(s, &p->device_feature_select);
    state_u32(s, &p->driver_feature_select);
    state_u64(s, &p->driver_features);
    state_u16(s, &p->queue_select);
    virtio_state(p->virtio, s);
    if (p->virtio->legacy ? !p->config.legacy : !p->config.modern) {
        state_fail(s, "its driver uses an interface that it does not have here");
        p->virtio->legacy = !p->config.modern;
    }
}

static void virtio_pci_destroy(struct pci_function *f)
{
    struct virtio_pci *p = (struct virtio_pci *)f;
    virtio_destroy(p->virtio);
    free(p);
}

static const struct pci_function_ops virtio_pci_ops = {
    .reset = virtio_pci_reset,
    .state = virtio_pci_state,
    .destroy = virtio_pci_destroy,
    .config_read = on_config_read,
    .config_written = on_config_written,
};

/* --- making ------------------------------------------------------------------------------ */

static void add_legacy(struct virtio_pci *p)
{
    uint64_t bytes = LEGACY_BAR_LEAST;
    while (bytes < VIRTIO_PCI_LEGACY_HEADER_MOST + p->virtio->ops->config_bytes)
        bytes *= 2;
    struct pci_bar bar = {.type = PCI_BAR_IO, .bytes = bytes, .ops = &virtio_pci_legacy_ops};
    pci_add_bar(&p->function, LEGACY_BAR, &bar);
}

/* `more` is the field behind struct virtio_pci_cap that two types have. */
static void add_structure(struct virtio_pci *p, uint8_t type, enum virtio_pci_part part,
                          unsigned bytes, uint32_t more)
{
    uint8_t capability[CAP_LONG_END] = {
        [CAP_LENGTH] = (uint8_t)bytes, [CAP_TYPE] = type, [CAP_BAR] = MODERN_BAR};
    const uint32_t offset = part * VIRTIO_PCI_PART_BYTES, length = VIRTIO_PCI_PART_BYTES;
    memcpy(capability + CAP_OFFSET, &offset, sizeof offset);
    memcpy(capability + CAP_BYTES, &length, sizeof length);
    memcpy(capability + CAP_MULTIPLIER, &more, sizeof more);
    pci_add_capability(&p->function, CAPABILITY_VENDOR, capability, NULL, bytes);
}

static void add_modern(struct virtio_pci *p)
{
    static const uint8_t access[CAP_LONG_END] = {
        [CAP_LENGTH] = CAP_LONG_END, [CAP_TYPE] = TYPE_PCI_ACCESS};
    uint8_t writable[CAP_LONG_END] = {[CAP_BAR] = 0xff};
    memset(writable + CAP_OFFSET, 0xff, CAP_LONG_END - CAP_OFFSET);
    struct pci_bar bar = {.type = PCI_BAR_MEMORY_64_PREFETCH,
                          .bytes = PARTS * VIRTIO_PCI_PART_BYTES,
                          .ops = &virtio_pci_modern_ops};
    pci_add_bar(&p->function, MODERN_BAR, &bar);
    add_structure(p, TYPE_COMMON, PART_COMMON, CAP_END, 0);
    add_structure(p, TYPE_ISR, PART_ISR, CAP_END, 0);
    add_structure(p, TYPE_CONFIG, PART_CONFIG, CAP_END, 0);
    add_structure(p, TYPE_NOTIFY, PART_NOTIFY, CAP_LONG_END, VIRTIO_PCI_NOTIFY_MULTIPLIER);
    p->access_capability =
        pci_add_capability(&p->function, CAPABILITY_VENDOR, access, writable, CAP_LONG_END);
}

/* A device that legacy drivers never knew has the modern interface alone, whatever is asked. */
static void identify(struct virtio_pci *p)
{
    static const struct model unknown = {.class_code = CLASS_OTHER};
    const struct model *model = &unknown;
    uint16_t type = p->virtio->ops->id;
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        if (models[i].type == type)
            model = &models[i];
    bool legacy = p->config.legacy && model->transitional;
    p->config.legacy = legacy;
    p->config.modern |= !legacy;
    struct pci_identity id = {
        .name = p->virtio->ops->name,
        .vendor = VENDOR,
        .device = legacy ? model->transitional : (uint16_t)(MODERN_DEVICE_BASE + type),
        .subsystem_vendor = VENDOR,
        .subsystem = legacy ? type : MODERN_SUBSYSTEM,
        .class_code = model->class_code,
        .revision = legacy ? 0 : MODERN_REVISION,
        .irq_pin = 1,
    };
    pci_function_init(&p->function, &virtio_pci_ops, &id);
}

struct pci_function *virtio_pci_create(const struct virtio_pci_config *config)
{
    struct virtio_pci *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->config = *config;
    p->virtio = config->virtio;
    identify(p);
    if (p->config.legacy)
        add_legacy(p);
    if (p->config.modern)
        add_modern(p);
    struct virtio_transport transport = {.interrupt = on_interrupt, .owner = p};
    virtio_attach(p->virtio, &transport);
    return &p->function;
}

/* The modern interface of the PCI transport (virtio 1.2, sections 4.1.4.3 to 4.1.4.6): four
 * structures in one memory BAR. */
#include "devices/virtio/pci_internal.h"

#define NO_VECTOR 0xffffu

/* struct virtio_pci_common_cfg, section 4.1.4.3. */
#define DEVICE_FEATURE_SELECT 0x00u
#define DEVICE_FEATURE        0x04u
#define DRIVER_FEATURE_SELECT 0x08u
#define DRIVER_FEATURE        0x0cu
#define CONFIG_VECTOR         0x10u
#define NUM_QUEUES            0x12u
#define DEVICE_STATUS         0x14u
#define CONFIG_GENERATION     0x15u
#define QUEUE_SELECT          0x16u
#define QUEUE_SIZE            0x18u
#define QUEUE_VECTOR          0x1au
#define QUEUE_ENABLE          0x1cu
#define QUEUE_NOTIFY_OFF      0x1eu
#define QUEUE_DESC            0x20u
#define QUEUE_DRIVER          0x28u
#define QUEUE_DEVICE          0x30u
#define COMMON_END            0x38u

/* --- common configuration ---------------------------------------------------------------- */

static uint64_t with_half(uint64_t v, bool high, uint32_t half)
{
    return high ? (v & 0xffffffffull) | (uint64_t)half << 32 : (v & ~0xffffffffull) | half;
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
    return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

/* The width of the field at an offset: a driver must use it (section 4.1.3.1), and for the 64-bit
 * fields halves of it. 0: no field. */
static unsigned common_width(uint64_t offset)
{
    if (offset >= COMMON_END)
        return 0;
    if (offset == DEVICE_STATUS || offset == CONFIG_GENERATION)
        return 1;
    if (offset >= CONFIG_VECTOR && offset < QUEUE_DESC)
        return offset % 2 ? 0 : 2;
    return offset % 4 ? 0 : 4;
}

/* The address of a queue's part that an offset means. */
static uint64_t *queue_address(struct virtio_queue *q, uint64_t offset)
{
    return offset < QUEUE_DRIVER ? &q->desc : offset < QUEUE_DEVICE ? &q->avail : &q->used;
}

/* Fields of the selected queue; all are 0 when there is no such queue. */
static uint64_t read_queue(struct virtio_pci *p, uint64_t offset)
{
    struct virtio_queue *q = virtio_queue(p->virtio, p->queue_select);
    if (!q)
        return 0;
    switch (offset) {
    case QUEUE_SIZE:
        return q->size;
    case QUEUE_ENABLE:
        return q->ready;
    case QUEUE_NOTIFY_OFF:
        return p->queue_select;
    }
    return (uint32_t)(*queue_address(q, offset) >> (offset & 4 ? 32 : 0));
}

static uint64_t read_common(struct virtio_pci *p, uint64_t offset)
{
    struct virtio *v = p->virtio;
    switch (offset) {
    case DEVICE_FEATURE_SELECT:
        return p->device_feature_select;
    case DEVICE_FEATURE:
        return feature_word(virtio_offered(v), p->device_feature_select);
    case DRIVER_FEATURE_SELECT:
        return p->driver_feature_select;
    case DRIVER_FEATURE:
        return feature_word(p->driver_features, p->driver_feature_select);
    case CONFIG_VECTOR:
    case QUEUE_VECTOR:
        return NO_VECTOR;
    case NUM_QUEUES:
        return v->queue_count;
    case DEVICE_STATUS:
        return v->status;
    case CONFIG_GENERATION:
        return v->generation;
    case QUEUE_SELECT:
        return p->queue_select;
    }
    return read_queue(p, offset);
}

static void write_features(struct virtio_pci *p, uint32_t value)
{
    if (p->driver_feature_select < 2)
        p->driver_features = with_half(p->driver_features, p->driver_feature_select, value);
    else if (value)
        log_line(p->config.log, LOG_GUEST_ERRORS, "virtio-pci: features 0x%x of word %u", value,
                 p->driver_feature_select);
    virtio_accept(p->virtio, p->driver_features);
}

static void write_queue(struct virtio_pci *p, uint64_t offset, uint32_t value)
{
    struct virtio_queue *q = virtio_queue(p->virtio, p->queue_select);
    if (!q || q->ready) {
        log_line(p->config.log, LOG_GUEST_ERRORS, "virtio-pci: queue %u cannot be set up now",
                 p->queue_select);
        return;
    }
    if (offset == QUEUE_ENABLE) {
        virtio_queue_set_ready(p->virtio, p->queue_select, value & 1);
        return;
    }
    uint64_t *address = queue_address(q, offset);
    *address = with_half(*address, offset & 4, value);
}

static void write_common(struct virtio_pci *p, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case DEVICE_FEATURE_SELECT:
        p->device_feature_select = value;
        return;
    case DRIVER_FEATURE_SELECT:
        p->driver_feature_select = value;
        return;
    case DRIVER_FEATURE:
        write_features(p, value);
        return;
    case CONFIG_VECTOR: /* reads back NO_VECTOR: that is how a driver learns that there are none */
    case QUEUE_VECTOR:
        return;
    case DEVICE_STATUS:
        virtio_pci_write_status(p, (uint8_t)value);
        return;
    case QUEUE_SELECT:
        p->queue_select = (uint16_t)value;
        return;
    case QUEUE_SIZE:
        virtio_queue_set_size(p->virtio, p->queue_select, value);
        return;
    case QUEUE_ENABLE:
        write_queue(p, offset, value);
        return;
    }
    if (offset >= QUEUE_DESC)
        write_queue(p, offset, value);
    else
        virtio_pci_no_register(p, "write", offset, common_width(offset));
}

/* --- the modern BAR ---------------------------------------------------------------------- */

static uint64_t modern_read(void *function, uint64_t offset, unsigned size)
{
    struct virtio_pci *p = function;
    uint64_t in_part = offset % VIRTIO_PCI_PART_BYTES, value = 0;
    virtio_pci_use_interface(p, false);
    switch ((enum virtio_pci_part)(offset / VIRTIO_PCI_PART_BYTES)) {
    case PART_COMMON:
        if (size == common_width(in_part))
            return read_common(p, in_part);
        break;
    case PART_ISR:
        return in_part ? 0 : virtio_pci_take_isr(p);
    case PART_CONFIG:
        virtio_read_config(p->virtio, (uint32_t)in_part, &value, size);
        return value;
    default:
        break;
    }
    virtio_pci_no_register(p, "read", offset, size);
    return 0;
}

static void modern_write(void *function, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_pci *p = function;
    uint64_t in_part = offset % VIRTIO_PCI_PART_BYTES;
    virtio_pci_use_interface(p, false);
    switch ((enum virtio_pci_part)(offset / VIRTIO_PCI_PART_BYTES)) {
    case PART_COMMON:
        if (size != common_width(in_part))
            break;
        write_common(p, in_part, (uint32_t)value);
        return;
    case PART_CONFIG:
        virtio_write_config(p->virtio, (uint32_t)in_part, &value, size);
        return;
    case PART_NOTIFY:
        virtio_pci_ring(p, (unsigned)(in_part / VIRTIO_PCI_NOTIFY_MULTIPLIER));
        return;
    default:
        break;
    }
    virtio_pci_no_register(p, "write", offset, size);
}

const struct mmio_ops virtio_pci_modern_ops = {
    .name = "virtio-pci", .read = modern_read, .write = modern_write, .sizes = 1 | 2 | 4};

/* The legacy interface of the PCI transport (virtio 1.2, section 4.1.4.10): registers and the
 * device's configuration in an I/O BAR. */
#include "devices/virtio/pci_internal.h"

/* Legacy registers, section 4.1.4.10. */
#define LEGACY_DEVICE_FEATURES 0x00u
#define LEGACY_DRIVER_FEATURES 0x04u
#define LEGACY_QUEUE_ADDRESS   0x08u
#define LEGACY_QUEUE_SIZE      0x0cu
#define LEGACY_QUEUE_SELECT    0x0eu
#define LEGACY_QUEUE_NOTIFY    0x10u
#define LEGACY_DEVICE_STATUS   0x12u
#define LEGACY_ISR             0x13u
#define LEGACY_CONFIG          VIRTIO_PCI_LEGACY_HEADER

/* The width of a register, the only one in which it answers; 0: no register. */
static unsigned legacy_width(uint64_t offset)
{
    switch (offset) {
    case LEGACY_DEVICE_FEATURES:
    case LEGACY_DRIVER_FEATURES:
    case LEGACY_QUEUE_ADDRESS:
        return 4;
    case LEGACY_QUEUE_SIZE:
    case LEGACY_QUEUE_SELECT:
    case LEGACY_QUEUE_NOTIFY:
        return 2;
    case LEGACY_DEVICE_STATUS:
    case LEGACY_ISR:
        return 1;
    }
    return 0;
}

static uint64_t read_legacy_register(struct virtio_pci *p, uint64_t offset)
{
    const struct virtio_queue *q = virtio_queue(p->virtio, p->queue_select);
    switch (offset) {
    case LEGACY_DEVICE_FEATURES:
        return (uint32_t)virtio_offered(p->virtio);
    case LEGACY_DRIVER_FEATURES:
        return (uint32_t)p->driver_features;
    case LEGACY_QUEUE_ADDRESS:
        return q && q->ready ? (uint32_t)(q->desc / PAGE_BYTES) : 0;
    case LEGACY_QUEUE_SIZE:
        return q ? q->size : 0;
    case LEGACY_QUEUE_SELECT:
        return p->queue_select;
    case LEGACY_DEVICE_STATUS:
        return p->virtio->status;
    case LEGACY_ISR:
        return virtio_pci_take_isr(p);
    }
    return 0;
}

static uint64_t legacy_read(void *function, uint64_t offset, unsigned size)
{
    struct virtio_pci *p = function;
    uint64_t value = 0;
    virtio_pci_use_interface(p, true);
    if (offset >= LEGACY_CONFIG)
        virtio_read_config(p->virtio, (uint32_t)(offset - LEGACY_CONFIG), &value, size);
    else if (size == legacy_width(offset))
        value = read_legacy_register(p, offset);
    else
        virtio_pci_no_register(p, "legacy read", offset, size);
    return value;
}

static void write_legacy_register(struct virtio_pci *p, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case LEGACY_DRIVER_FEATURES:
        p->driver_features = value;
        virtio_accept(p->virtio, value);
        return;
    case LEGACY_QUEUE_ADDRESS:
        virtio_queue_set_legacy(p->virtio, p->queue_select, (uint64_t)value * PAGE_BYTES,
                                PAGE_BYTES);
        return;
    case LEGACY_QUEUE_SELECT:
        p->queue_select = (uint16_t)value;
        return;
    case LEGACY_QUEUE_NOTIFY:
        virtio_pci_ring(p, value);
        return;
    case LEGACY_DEVICE_STATUS:
        virtio_pci_write_status(p, (uint8_t)value);
        return;
    }
    virtio_pci_no_register(p, "legacy write", offset, legacy_width(offset));
}

static void legacy_write(void *function, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_pci *p = function;
    virtio_pci_use_interface(p, true);
    if (offset >= LEGACY_CONFIG)
        virtio_write_config(p->virtio, (uint32_t)(offset - LEGACY_CONFIG), &value, size);
    else if (size == legacy_width(offset))
        write_legacy_register(p, offset, (uint32_t)value);
    else
        virtio_pci_no_register(p, "legacy write", offset, size);
}

const struct mmio_ops virtio_pci_legacy_ops = {
    .name = "virtio-pci-legacy", .read = legacy_read, .write = legacy_write, .sizes = 1 | 2 | 4};

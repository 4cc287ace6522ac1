/* The MMIO transport of a virtio device: one slot of the board, empty or not. */
#ifndef RIVULET_DEVICES_VIRTIO_MMIO_H
#define RIVULET_DEVICES_VIRTIO_MMIO_H

#include "devices/device.h"
#include "devices/virtio/virtio.h"

#define VIRTIO_MMIO_BYTES 0x1000u

struct virtio_mmio_config {
    struct virtio *virtio; /* NULL: an empty slot; else the slot destroys it */
    bool legacy;           /* register layout version 1; else 2 */
    struct irq irq;
    struct log *log;
};

/* NULL: no memory; the device is still the caller's. */
struct device *virtio_mmio_create(const struct virtio_mmio_config *config);

#endif

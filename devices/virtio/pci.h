/* The PCI transport of a virtio device. */
#ifndef RIVULET_DEVICES_VIRTIO_PCI_H
#define RIVULET_DEVICES_VIRTIO_PCI_H

#include "devices/pci/function.h"
#include "devices/virtio/virtio.h"

struct virtio_pci_config {
    struct virtio *virtio; /* the function destroys it */
    bool legacy;           /* has the I/O BAR of legacy drivers (QEMU: disable-legacy=off) */
    bool modern;           /* has the capabilities of modern ones (QEMU: disable-modern=off) */
    struct log *log;
};

/* To be given to pci_host_add. NULL: no memory; the device is still the caller's. */
struct pci_function *virtio_pci_create(const struct virtio_pci_config *config);

#endif

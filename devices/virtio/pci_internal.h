/* What the files of the PCI transport share. */
#ifndef RIVULET_DEVICES_VIRTIO_PCI_INTERNAL_H
#define RIVULET_DEVICES_VIRTIO_PCI_INTERNAL_H

#include "devices/virtio/pci.h"

/* The modern BAR: one part for each structure, in this order. */
#define VIRTIO_PCI_PART_BYTES        0x1000u
#define VIRTIO_PCI_NOTIFY_MULTIPLIER 4u
enum virtio_pci_part { PART_COMMON, PART_ISR, PART_CONFIG, PART_NOTIFY, PARTS };

/* Bytes of the legacy BAR before the device's configuration; when it is sized, those of MSI-X are
 * counted too, as QEMU does. */
#define VIRTIO_PCI_LEGACY_HEADER      0x14u
#define VIRTIO_PCI_LEGACY_HEADER_MOST 0x18u

struct virtio_pci {
    struct pci_function function;
    /* --- guest state --- */
    uint32_t device_feature_select, driver_feature_select;
    uint64_t driver_features; /* as written, half by half */
    uint16_t queue_select;
    /* --- host side --- */
    struct virtio_pci_config config;
    struct virtio *virtio;
    unsigned access_capability; /* where the window to the BARs is in the configuration space */
};

extern const struct mmio_ops virtio_pci_modern_ops; /* pci_modern.c */
extern const struct mmio_ops virtio_pci_legacy_ops; /* pci_legacy.c */

/* Which interface speaks; what is offered depends on it. */
void virtio_pci_use_interface(struct virtio_pci *p, bool legacy);
/* Reading the interrupt status acknowledges it (section 4.1.4.5). */
uint8_t virtio_pci_take_isr(struct virtio_pci *p);
void virtio_pci_write_status(struct virtio_pci *p, uint8_t status);
void virtio_pci_ring(struct virtio_pci *p, unsigned queue);
void virtio_pci_no_register(struct virtio_pci *p, const char *verb, uint64_t offset, unsigned size);

#endif

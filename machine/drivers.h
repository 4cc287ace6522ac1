/* The drivers that -device can name: one row a driver, in the table of drivers.c. */
#ifndef RIVULET_MACHINE_DRIVERS_H
#define RIVULET_MACHINE_DRIVERS_H

#include "machine/internal.h"
#include "machine/properties.h"

/* How the device is reached by the guest; each is one function of places.c. */
enum driver_bus {
    BUS_NONE, /* no -device: a driver of the board, whose properties -global sets */
    BUS_VIRTIO_MMIO,
    BUS_VIRTIO_PCI,        /* for modern and legacy drivers, unless properties say otherwise */
    BUS_VIRTIO_PCI_MODERN, /* for modern ones */
    BUS_VIRTIO_SERIAL,     /* made with its bus */
    BUS_PCI,               /* a PCI device of another kind */
    BUS_SYSTEM,            /* no bus: a device of the board that has to be asked for */
};

struct driver {
    const char *name;
    enum driver_bus bus;
    const struct property_rule *rules; /* beside those of the bus */
    union {
        struct virtio *(*create)(struct machine *m, const struct properties *p, struct error *err);
        struct pci_function *(*create_function)(struct machine *m, const struct properties *p,
                                                struct error *err);
        bool (*add)(struct machine *m, const struct properties *p, struct error *err);
    }; /* virtio's buses, BUS_PCI, BUS_SYSTEM */
};

/* Makes what the configuration asks for: -device in order, then the devices of drives that want
 * one. Virtio devices on MMIO wait in m->mmio_virtio for their slots. */
bool drivers_create(struct machine *m, struct error *err) MUST_CHECK;

/* The names that -device knows, with their bus, a line each. */
void drivers_list(const struct byte_sink *out);
bool drivers_list_properties(const char *name, const struct byte_sink *out);
void drivers_list_objects(const struct byte_sink *out);

#endif

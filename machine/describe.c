/* What the machine consists of: for people as lines of text, for programs in structs. */
#include "machine/chardevs.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/nets.h"

#include "devices/irq/plic.h"
#include "devices/pci/host.h"
#include "machine/properties.h"

#include <string.h>

bool machine_drive(const struct machine *m, unsigned i, struct machine_drive *drive)
{
    if (i >= m->drives->count)
        return false;
    const struct drive *d = &m->drives->items[i];
    const char *cache = option_text(d->option, "cache");
    *drive = (struct machine_drive){
        .id = d->id,
        .file = block_path(d->block),
        .format = block_format(d->block),
        .bytes = block_bytes(d->block),
        .host_bytes = block_host_bytes(d->block),
        .backing_files = block_backing_files(d->block),
        .read_only = block_is_read_only(d->block),
        .is_attached = d->is_taken,
        .write_through = d->write_through,
        .direct = cache && (strcmp(cache, "none") == 0 || strcmp(cache, "directsync") == 0),
        .no_flush = cache && strcmp(cache, "unsafe") == 0,
    };
    return true;
}

bool machine_chardev(const struct machine *m, unsigned i, struct machine_chardev *chardev)
{
    return chardevs_show(m->chardevs, i, chardev);
}

long machine_read_ring(struct machine *m, const char *id, uint8_t *to, size_t n, struct error *err)
{
    return chardevs_read_ring(m->chardevs, id, to, n, err);
}

const char *machine_name(const struct machine *m)
{
    return m->config.name;
}

void machine_on_disk_error(struct machine *m,
                           void (*tell)(void *owner, const struct machine_disk_error *error),
                           void *owner)
{
    m->tell_disk_error = tell;
    m->disk_error_owner = owner;
}

/* What is behind a device of the board. */
static void describe_bus(const struct machine *m, unsigned slot, const struct byte_sink *out)
{
    unsigned n = BOARD_SLOTS - 1 - slot; /* of SLOT_VIRTIO7 and those after it */
    if (slot == SLOT_PCI) {
        byte_sink_print(out, "    bus: pcie.0\n");
        pci_host_describe(m->devices[SLOT_PCI], "      ", out);
    } else if (slot >= SLOT_VIRTIO7 && m->mmio_virtio[n]) {
        byte_sink_print(out, "    bus: virtio-mmio-bus.%u\n      dev: %s\n", n,
                        m->mmio_virtio[n]->ops->name);
    }
}

static void describe_devices(const struct machine *m, const struct byte_sink *out)
{
    byte_sink_print(out, "bus: main-system-bus\n");
    for (unsigned slot = 0; slot < BOARD_SLOTS; slot++) {
        if (!m->devices[slot])
            continue;
        const struct board_row *row = board_row(slot);
        byte_sink_print(out, "  dev: %s, mmio %016llx/%016llx", m->devices[slot]->ops->mmio.name,
                        (unsigned long long)row->base, (unsigned long long)row->size);
        if (row->irq)
            byte_sink_print(out, ", irq %u", row->irq);
        byte_sink_print(out, "\n");
        describe_bus(m, slot, out);
    }
}

void machine_describe(struct machine *m, enum machine_part part, const struct byte_sink *out)
{
    switch (part) {
    case MACHINE_INTERRUPTS:
        plic_describe(m->devices[SLOT_PLIC], out);
        break;
    case MACHINE_DRIVES:
        drives_describe(m->drives, out);
        break;
    case MACHINE_NETWORKS:
        nets_describe(m->nets, out);
        break;
    case MACHINE_CONNECTIONS:
        nets_describe_connections(m->nets, out);
        break;
    case MACHINE_PCI:
        pci_host_describe(m->devices[SLOT_PCI], "", out);
        break;
    case MACHINE_DEVICES:
        describe_devices(m, out);
        break;
    }
}

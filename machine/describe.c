/* What the machine consists of: for people as lines of text, for programs in structs. */
#include "machine/chardevs.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/nets.h"

#include "devices/irq/plic.h"
#include "devices/pci/host.h"
#include "machine/properties.h"

#include <string.h>

static struct machine_traffic traffic(struct block *b, enum block_op op)
{
    struct block_traffic t = block_traffic(b, op);
    return (struct machine_traffic){t.operations, t.bytes, t.failed, t.host_ns, t.end};
}

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
        .reads = traffic(d->block, BLOCK_READ),
        .writes = traffic(d->block, BLOCK_WRITE),
        .flushes = traffic(d->block, BLOCK_FLUSH),
        .unmaps = traffic(d->block, BLOCK_DISCARD),
    };
    return true;
}

bool machine_chardev(const struct machine *m, unsigned i, struct machine_chardev *chardev)
{
    bool has_own = !m->config.serial_chardev && m->config.serial_place;
    if (has_own && i == 0) {
        *chardev = (struct machine_chardev){"serial0", m->config.serial_place, true};
        return true;
    }
    return chardevs_show(m->chardevs, i - has_own, chardev);
}

static struct machine_pci_bar pci_bar(const struct pci_function *f, unsigned number)
{
    const struct pci_bar *bar = &f->bars[number];
    bool is_io = bar->type == PCI_BAR_IO;
    return (struct machine_pci_bar){
        .is_io = is_io,
        .is_64 = bar->type == PCI_BAR_MEMORY_64 || bar->type == PCI_BAR_MEMORY_64_PREFETCH,
        .is_prefetchable = !is_io && bar->type & PCI_BAR_MEMORY_32_PREFETCH,
        .is_on = f->config[PCI_COMMAND] & (is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY),
        .address = bar->bytes ? pci_bar_base(f, number) : 0,
        .bytes = bar->bytes,
    };
}

static unsigned pci_word(const struct pci_function *f, unsigned offset)
{
    return f->config[offset] | f->config[offset + 1] << 8;
}

bool machine_pci(const struct machine *m, unsigned i, struct machine_pci *pci)
{
    const struct pci_function *f = pci_host_function(m->devices[SLOT_PCI], i);
    if (!f)
        return false;
    *pci = (struct machine_pci){
        .name = f->name,
        .slot = f->devfn >> 3,
        .function = f->devfn & 7,
        .class_code = pci_word(f, PCI_CLASS + 1),
        .vendor = pci_word(f, PCI_VENDOR_ID),
        .device = pci_word(f, PCI_DEVICE_ID),
        .subsystem_vendor = pci_word(f, PCI_SUBSYSTEM),
        .subsystem = pci_word(f, PCI_SUBSYSTEM + 2),
        .irq_pin = f->config[PCI_IRQ_PIN],
        .irq_line = f->config[PCI_IRQ_LINE],
    };
    for (unsigned n = 0; n < PCI_BARS; n++)
        pci->bars[n] = pci_bar(f, n);
    return true;
}

const struct machine_option *machine_device(const struct machine *m, unsigned i)
{
    return i < m->config.devices.count ? &m->config.devices.items[i] : NULL;
}

bool machine_has_device(const struct machine *m, const char *id)
{
    const struct machine_option *option;
    for (unsigned i = 0; (option = machine_device(m, i)) != NULL; i++) {
        const char *its = option_text(option, "id");
        if (its && strcmp(its, id) == 0)
            return true;
    }
    return false;
}

long machine_read_ring(struct machine *m, const char *id, uint8_t *to, size_t n, struct error *err)
{
    return chardevs_read_ring(m->chardevs, id, to, n, err);
}

const char *machine_name(const struct machine *m)
{
    return m->config.name;
}

const char *machine_cpu(const struct machine *m)
{
    return m->config.cpu ? m->config.cpu : "rv64";
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

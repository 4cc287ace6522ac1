/* Configuration space of a function (PCI Local Bus Specification 3.0, chapter 6).
 *
 * Every register is bytes and a mask of the bits that the guest can change; sizing a BAR (all ones
 * written, read back) needs nothing more. No address is remembered elsewhere: who looks for the
 * owner of an address asks the registers, so that a BAR that moves or vanishes needs no telling.
 *
 * Invariant: config differs from initial in writable bits alone, also after a load. */
#include "devices/pci/function.h"

#include <assert.h>

#define CAPABILITY_ALIGN 4u

/* --- little-endian registers --- */

static uint64_t get(const uint8_t *config, unsigned offset, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, config + offset, size);
    return value;
}

static void put(uint8_t *config, unsigned offset, unsigned size, uint64_t value)
{
    memcpy(config + offset, &value, size);
}

/* --- description --- */

void pci_function_init(struct pci_function *f, const struct pci_function_ops *ops,
                       const struct pci_identity *id)
{
    f->ops = ops;
    f->name = id->name;
    f->capabilities_end = PCI_HEADER_END;
    put(f->initial, PCI_VENDOR_ID, 2, id->vendor);
    put(f->initial, PCI_DEVICE_ID, 2, id->device);
    put(f->initial, PCI_REVISION, 1, id->revision);
    put(f->initial, PCI_CLASS, 3, id->class_code);
    put(f->initial, PCI_SUBSYSTEM, 2, id->subsystem_vendor);
    put(f->initial, PCI_SUBSYSTEM + 2, 2, id->subsystem);
    put(f->initial, PCI_IRQ_PIN, 1, id->irq_pin);
    put(f->writable, PCI_COMMAND, 2,
        PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
            PCI_COMMAND_INTX_DISABLE);
    put(f->writable, PCI_CACHE_LINE, 1, 0xff);
    put(f->writable, PCI_IRQ_LINE, 1, 0xff);
}

static bool is_64_bit(const struct pci_bar *bar)
{
    return bar->type == PCI_BAR_MEMORY_64 || bar->type == PCI_BAR_MEMORY_64_PREFETCH;
}

void pci_add_bar(struct pci_function *f, unsigned number, const struct pci_bar *bar)
{
    unsigned size = is_64_bit(bar) ? 8 : 4;
    assert(is_power_of_two(bar->bytes) && bar->bytes >= 16 && "a BAR's size is a power of two");
    assert(number + size / 4 <= PCI_BARS && "a BAR fits the header");
    f->bars[number] = *bar;
    put(f->initial, PCI_BAR0 + 4 * number, size, bar->type);
    put(f->writable, PCI_BAR0 + 4 * number, size, ~(bar->bytes - 1));
}

unsigned pci_add_capability(struct pci_function *f, uint8_t id, const void *bytes,
                            const void *writable, unsigned n)
{
    unsigned at = f->capabilities_end;
    assert(at + n <= PCI_CONFIG_BYTES && "the capabilities of a function fit its space");
    memcpy(f->initial + at, bytes, n);
    if (writable)
        memcpy(f->writable + at, writable, n);
    f->initial[at] = id;
    f->initial[at + 1] = f->initial[PCI_CAPABILITIES];
    f->initial[PCI_CAPABILITIES] = (uint8_t)at;
    f->initial[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    f->capabilities_end = (unsigned)align_up(at + n, CAPABILITY_ALIGN);
    return at;
}

/* --- interrupts and mastering --- */

static unsigned command(const struct pci_function *f)
{
    return (unsigned)get(f->config, PCI_COMMAND, 2);
}

bool pci_intx_level(const struct pci_function *f)
{
    return f->intx && !(command(f) & PCI_COMMAND_INTX_DISABLE);
}

void pci_set_intx(struct pci_function *f, bool level)
{
    f->intx = level;
    irq_set(&f->pin, pci_intx_level(f));
}

bool pci_is_master(const struct pci_function *f)
{
    return command(f) & PCI_COMMAND_MASTER;
}

/* --- configuration accesses --- */

uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    if (f->ops->config_read)
        f->ops->config_read(f, offset, size);
    uint8_t bytes[4] = {0xff, 0xff, 0xff, 0xff};
    for (unsigned i = 0; i < size && i < sizeof bytes && offset + i < PCI_CONFIG_BYTES; i++) {
        bytes[i] = f->config[offset + i];
        if (offset + i == PCI_STATUS && f->intx)
            bytes[i] |= PCI_STATUS_INTERRUPT;
    }
    return (uint32_t)get(bytes, 0, size);
}

void pci_config_write(struct pci_function *f, unsigned offset, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size && offset + i < PCI_CONFIG_BYTES; i++) {
        uint8_t mask = f->writable[offset + i];
        uint8_t byte = (uint8_t)(value >> 8 * i);
        f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~mask) | (byte & mask));
    }
    irq_set(&f->pin, pci_intx_level(f));
    if (f->ops->config_written)
        f->ops->config_written(f, offset, size);
}

/* --- BARs --- */

uint64_t pci_bar_base(const struct pci_function *f, unsigned number)
{
    const struct pci_bar *bar = &f->bars[number];
    uint64_t value = get(f->config, PCI_BAR0 + 4 * number, is_64_bit(bar) ? 8 : 4);
    return value & ~(bar->bytes - 1);
}

const struct pci_bar *pci_find_bar(const struct pci_function *f, bool io, uint64_t address,
                                   uint64_t *offset)
{
    if (!(command(f) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        return NULL;
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bars[i];
        if (!bar->bytes || (bar->type == PCI_BAR_IO) != io)
            continue;
        *offset = address - pci_bar_base(f, i);
        if (*offset < bar->bytes)
            return bar;
    }
    return NULL;
}

/* The width in which a BAR takes an access: that of the access, or half of 8; 0: it does not. */
static unsigned bar_width(const struct pci_bar *bar, uint64_t offset, unsigned size)
{
    if (offset >= bar->bytes || offset % size || size > bar->bytes - offset)
        return 0;
    if (bar->ops->sizes & size)
        return size;
    return size == 8 && (bar->ops->sizes & 4) ? 4 : 0;
}

bool pci_bar_read(struct pci_function *f, const struct pci_bar *bar, uint64_t offset, unsigned size,
                  uint64_t *value)
{
    *value = 0;
    if (bar->memory) {
        memcpy(value, bar->memory->hva + offset, size);
        return true;
    }
    unsigned width = bar_width(bar, offset, size);
    for (unsigned done = 0; width && done < size; done += width)
        *value |= bits_get(bar->ops->read(f, offset + done, width), 0, 8 * width) << 8 * done;
    return width;
}

bool pci_bar_write(struct pci_function *f, const struct pci_bar *bar, uint64_t offset,
                   unsigned size, uint64_t value)
{
    if (bar->memory) {
        memcpy(bar->memory->hva + offset, &value, size);
        bar->memory->marks[offset / PAGE_BYTES] |= PAGE_STORED;
        return true;
    }
    unsigned width = bar_width(bar, offset, size);
    for (unsigned done = 0; width && done < size; done += width)
        bar->ops->write(f, offset + done, bits_get(value, 8 * done, 8 * width), width);
    return width;
}

/* --- life --- */

void pci_function_reset(struct pci_function *f)
{
    memcpy(f->config, f->initial, sizeof f->config);
    if (f->ops->reset)
        f->ops->reset(f);
    pci_set_intx(f, false);
}

void pci_function_state(struct pci_function *f, struct state *s)
{
    state_section(s, f->name, 1);
    state_bytes(s, f->config, sizeof f->config);
    state_bool(s, &f->intx);
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i++) {
        uint8_t fixed = (uint8_t)~f->writable[i];
        if ((f->config[i] ^ f->initial[i]) & fixed) {
            state_fail(s, "its configuration byte 0x%x is 0x%02x, here 0x%02x", i, f->config[i],
                       f->initial[i]);
            f->config[i] = f->initial[i];
        }
    }
    if (f->ops->state)
        f->ops->state(f, s);
}

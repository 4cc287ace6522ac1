/* Generic PCIe host bridge: ECAM (PCI Express Base Specification, section 7.2.2), address windows,
 * and the wires of INTx.
 *
 * An access to a window is answered by the BAR that decodes the address now; when two of them do,
 * which only a faulty guest brings about, the lowest slot's wins. Where nothing decodes, reads give
 * all ones and writes are lost, as on a real bus.
 *
 * Invariant: `functions` is sorted by devfn. A load drives no wire: the interrupt controller saves
 * the level it was given. */
#include "devices/pci/host.h"

#include <inttypes.h>
#include <stdlib.h>

#define BRIDGE_VENDOR     0x1b36u
#define BRIDGE_DEVICE     0x0008u
#define BRIDGE_CLASS      0x060000u
#define SUBSYSTEM_VENDOR  0x1af4u
#define SUBSYSTEM         0x1100u
#define FUNCTIONS_OF_BUS  256u
#define FUNCTIONS_OF_SLOT 8u

struct window {
    struct pci_host *host;
    struct mmio_ops ops;
    uint64_t bus_base; /* the bus address at offset 0 */
    bool io;
};

struct pci_host {
    struct device device;
    /* --- guest state --- */
    struct pci_function *functions[FUNCTIONS_OF_BUS];
    /* --- host side --- */
    unsigned count;
    struct window io, memory_32, memory_64;
    struct memory_map *memory; /* that the windows are in */
    struct pci_host_config config;
};

/* --- interrupts -------------------------------------------------------------------------- */

/* Of slot and pin, as the device tree's interrupt-map says; pin 0 has none. */
static unsigned wire_of(const struct pci_function *f)
{
    return (f->config[PCI_IRQ_PIN] - 1u + f->devfn / FUNCTIONS_OF_SLOT) % PCI_WIRES;
}

/* irq.set of every function's pin. Wires are shared: any pin that is up keeps its wire up. */
static void on_pin(void *owner, unsigned wire, bool level)
{
    struct pci_host *p = owner;
    for (unsigned i = 0; i < p->count && !level; i++)
        level = wire_of(p->functions[i]) == wire && pci_intx_level(p->functions[i]);
    irq_set(&p->config.wires[wire], level);
}

/* --- configuration ----------------------------------------------------------------------- */

/* Index of the first function at or behind devfn. */
static unsigned lower_bound(const struct pci_host *p, unsigned devfn)
{
    unsigned i = 0;
    while (i < p->count && p->functions[i]->devfn < devfn)
        i++;
    return i;
}

static struct pci_function *function_at(const struct pci_host *p, unsigned devfn)
{
    unsigned i = lower_bound(p, devfn);
    return i < p->count && p->functions[i]->devfn == devfn ? p->functions[i] : NULL;
}

/* The function an ECAM offset means: bits 27 to 20 are the bus, 19 to 12 slot and function. */
static struct pci_function *ecam_function(const struct pci_host *p, uint64_t offset)
{
    return offset >> 20 ? NULL : function_at(p, (unsigned)bits_get(offset, 12, 8));
}

/* Absent functions read all ones, which is how guests find out; so it is no error. */
static uint64_t ecam_read(void *device, uint64_t offset, unsigned size)
{
    if (size == 8)
        return ecam_read(device, offset, 4) | ecam_read(device, offset + 4, 4) << 32;
    struct pci_function *f = ecam_function(device, offset);
    return f ? pci_config_read(f, (unsigned)bits_get(offset, 0, 12), size) : UINT32_MAX;
}

/* Whether a register has a say in where BARs are. */
static bool places_bars(unsigned offset)
{
    return (offset & ~1u) == PCI_COMMAND ||
           (offset >= PCI_BAR0 && offset < PCI_BAR0 + 4 * PCI_BARS);
}

static void ecam_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    if (size == 8) {
        ecam_write(device, offset, (uint32_t)value, 4);
        ecam_write(device, offset + 4, value >> 32, 4);
        return;
    }
    struct pci_host *p = device;
    struct pci_function *f = ecam_function(p, offset);
    if (!f) {
        log_line(p->config.log, LOG_GUEST_ERRORS,
                 "pci: write to the configuration of an absent function, at 0x%" PRIx64, offset);
        return;
    }
    pci_config_write(f, (unsigned)bits_get(offset, 0, 12), (uint32_t)value, size);
    if (places_bars((unsigned)bits_get(offset, 0, 12)))
        memory_moved(p->memory);
}

/* --- windows ----------------------------------------------------------------------------- */

static struct pci_function *find_owner(const struct window *w, uint64_t offset,
                                       const struct pci_bar **bar, uint64_t *bar_offset)
{
    const struct pci_host *p = w->host;
    for (unsigned i = 0; i < p->count; i++) {
        *bar = pci_find_bar(p->functions[i], w->io, w->bus_base + offset, bar_offset);
        if (*bar)
            return p->functions[i];
    }
    return NULL;
}

static void log_lost(const struct window *w, uint64_t offset, const char *verb, unsigned size)
{
    log_line(w->host->config.log, LOG_GUEST_ERRORS,
             "%s: %s of %u bytes at bus address 0x%" PRIx64 ": no BAR takes it", w->ops.name, verb,
             size, w->bus_base + offset);
}

static uint64_t window_read(void *device, uint64_t offset, unsigned size)
{
    const struct window *w = device;
    const struct pci_bar *bar;
    uint64_t bar_offset, value;
    struct pci_function *f = find_owner(w, offset, &bar, &bar_offset);
    if (f && pci_bar_read(f, bar, bar_offset, size, &value))
        return value;
    log_lost(w, offset, "read", size);
    return UINT64_MAX;
}

static void window_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    const struct window *w = device;
    const struct pci_bar *bar;
    uint64_t bar_offset;
    struct pci_function *f = find_owner(w, offset, &bar, &bar_offset);
    if (!f || !pci_bar_write(f, bar, bar_offset, size, value))
        log_lost(w, offset, "write", size);
}

/* Whether a function before this one has a BAR that is smaller than the page, and in it. The CPU
 * reaches RAM by pages, and would pass over it. */
static bool is_shared(const struct window *w, const struct pci_function *f, uint64_t page)
{
    const struct pci_host *p = w->host;
    for (unsigned i = 0; p->functions[i] != f; i++)
        for (unsigned n = 0; n < PCI_BARS; n++)
            if (p->functions[i]->bars[n].bytes && p->functions[i]->bars[n].bytes < PAGE_BYTES &&
                (pci_bar_base(p->functions[i], n) & PAGE_MASK) == page)
                return true;
    return false;
}

/* The BAR's RAM, where the guest has put it. */
static struct region *window_memory(void *device, uint64_t offset)
{
    const struct window *w = device;
    const struct pci_bar *bar;
    uint64_t bar_offset;
    const struct pci_function *f = find_owner(w, offset, &bar, &bar_offset);
    if (!f || !bar->memory || is_shared(w, f, (w->bus_base + offset) & PAGE_MASK))
        return NULL;
    bar->memory->base = w->bus_base + (offset - bar_offset);
    return bar->memory;
}

static void init_window(struct pci_host *p, struct window *w, const char *name, uint64_t bus_base)
{
    *w = (struct window){.host = p,
                         .bus_base = bus_base,
                         .io = w == &p->io,
                         .ops = {.name = name,
                                 .read = window_read,
                                 .write = window_write,
                                 .sizes = 1 | 2 | 4 | 8,
                                 .memory = window_memory}};
}

bool pci_host_add_windows(struct device *host, struct memory_map *memory, struct error *err)
{
    struct pci_host *p = (struct pci_host *)host;
    const struct pci_host_config *c = &p->config;
    p->memory = memory;
    return memory_add_device(memory, c->io.base, c->io.bytes, &p->io.ops, &p->io, err) &&
           memory_add_device(memory, c->memory_32.base, c->memory_32.bytes, &p->memory_32.ops,
                             &p->memory_32, err) &&
           memory_add_device(memory, c->memory_64.base, c->memory_64.bytes, &p->memory_64.ops,
                             &p->memory_64, err);
}

/* --- functions --------------------------------------------------------------------------- */

/* -1: none. */
static int free_slot(const struct pci_host *p)
{
    unsigned devfn = 0;
    while (devfn < FUNCTIONS_OF_BUS && function_at(p, devfn))
        devfn += FUNCTIONS_OF_SLOT;
    return devfn < FUNCTIONS_OF_BUS ? (int)devfn : -1;
}

/* Guests look at functions 1 to 7 of a slot only when its function 0 says that there are some. */
static bool check_place(const struct pci_host *p, const struct pci_function *f, int devfn,
                        struct error *err)
{
    if (devfn < 0)
        return error_set(err, "%s: all 32 slots of the PCI bus are taken", f->name);
    if (devfn >= (int)FUNCTIONS_OF_BUS)
        return error_set(err, "%s: the PCI bus has slots 0 to 0x1f with functions 0 to 7 only",
                         f->name);
    unsigned slot = (unsigned)devfn / FUNCTIONS_OF_SLOT,
             number = (unsigned)devfn % FUNCTIONS_OF_SLOT;
    const struct pci_function *there = function_at(p, (unsigned)devfn);
    if (there)
        return error_set(err, "%s: PCI slot 0x%x.%u is taken by %s", f->name, slot, number,
                         there->name);
    if (number && !function_at(p, slot * FUNCTIONS_OF_SLOT))
        return error_set(err,
                         "%s: PCI slot 0x%x has no function 0, without which no guest finds "
                         "function %u; add a device with addr=0x%x first",
                         f->name, slot, number, slot);
    return true;
}

bool pci_host_add(struct device *host, struct pci_function *f, int devfn, struct error *err)
{
    struct pci_host *p = (struct pci_host *)host;
    if (devfn == PCI_ANY_DEVFN)
        devfn = free_slot(p);
    if (!check_place(p, f, devfn, err))
        return false;
    f->devfn = (uint8_t)devfn;
    unsigned at = lower_bound(p, f->devfn);
    memmove(&p->functions[at + 1], &p->functions[at], (p->count - at) * sizeof p->functions[0]);
    p->functions[at] = f;
    p->count++;
    pci_function_reset(f);
    if (f->config[PCI_IRQ_PIN])
        f->pin = (struct irq){on_pin, p, wire_of(f)};
    if (f->devfn % FUNCTIONS_OF_SLOT) {
        struct pci_function *first = function_at(p, f->devfn & ~(FUNCTIONS_OF_SLOT - 1));
        first->initial[PCI_HEADER_TYPE] |= PCI_MULTI_FUNCTION;
        first->config[PCI_HEADER_TYPE] |= PCI_MULTI_FUNCTION;
    }
    return true;
}

/* --- function 00.0 ----------------------------------------------------------------------- */

static void bridge_function_destroy(struct pci_function *f)
{
    free(f);
}

static const struct pci_function_ops bridge_function_ops = {.destroy = bridge_function_destroy};

static struct pci_function *bridge_function_create(void)
{
    static const struct pci_identity identity = {.name = "gpex-root",
                                                 .vendor = BRIDGE_VENDOR,
                                                 .device = BRIDGE_DEVICE,
                                                 .subsystem_vendor = SUBSYSTEM_VENDOR,
                                                 .subsystem = SUBSYSTEM,
                                                 .class_code = BRIDGE_CLASS};
    struct pci_function *f = calloc(1, sizeof *f);
    if (f)
        pci_function_init(f, &bridge_function_ops, &identity);
    return f;
}

/* --- the bridge -------------------------------------------------------------------------- */

static void pci_host_reset(struct device *d)
{
    struct pci_host *p = (struct pci_host *)d;
    for (unsigned i = 0; i < p->count; i++)
        pci_function_reset(p->functions[i]);
    memory_moved(p->memory);
}

static void pci_host_state(struct device *d, struct state *s)
{
    struct pci_host *p = (struct pci_host *)d;
    state_section(s, "pci-host", 1);
    for (unsigned i = 0; i < p->count; i++) {
        uint8_t devfn = p->functions[i]->devfn;
        state_u8(s, &devfn);
        if (devfn != p->functions[i]->devfn)
            state_fail(s, "saved with PCI function 0x%02x, here there is 0x%02x", devfn,
                       p->functions[i]->devfn);
        pci_function_state(p->functions[i], s);
    }
}

static void pci_host_destroy(struct device *d)
{
    struct pci_host *p = (struct pci_host *)d;
    for (unsigned i = 0; i < p->count; i++)
        p->functions[i]->ops->destroy(p->functions[i]);
    free(p);
}

static const struct device_ops pci_host_ops = {
    .mmio = {.name = "pci-ecam", .read = ecam_read, .write = ecam_write, .sizes = 1 | 2 | 4 | 8},
    .reset = pci_host_reset,
    .state = pci_host_state,
    .destroy = pci_host_destroy,
};

struct device *pci_host_create(const struct pci_host_config *config)
{
    struct pci_host *p = calloc(1, sizeof *p);
    struct pci_function *bridge = bridge_function_create();
    struct error err;
    if (!p || !bridge) {
        free(p);
        free(bridge);
        return NULL;
    }
    p->device.ops = &pci_host_ops;
    p->config = *config;
    init_window(p, &p->io, "pci-io", 0);
    init_window(p, &p->memory_32, "pci-memory", config->memory_32.base);
    init_window(p, &p->memory_64, "pci-memory-64", config->memory_64.base);
    if (!pci_host_add(&p->device, bridge, 0, &err)) {
        free(bridge);
        free(p);
        return NULL;
    }
    return &p->device;
}

/* --- looking ----------------------------------------------------------------------------- */

const struct pci_function *pci_host_function(const struct device *host, unsigned i)
{
    const struct pci_host *p = (const struct pci_host *)host;
    return i < p->count ? p->functions[i] : NULL;
}

static unsigned config_word(const struct pci_function *f, unsigned offset)
{
    return f->config[offset] | f->config[offset + 1] << 8;
}

static void describe_bar(const struct pci_function *f, unsigned number, const char *indent,
                         const struct byte_sink *out)
{
    const struct pci_bar *bar = &f->bars[number];
    unsigned enable = bar->type == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    const char *kind = bar->type == PCI_BAR_IO          ? "I/O"
                       : bar->type == PCI_BAR_MEMORY_32 ? "32 bit memory"
                       : bar->type == PCI_BAR_MEMORY_64 ? "64 bit memory"
                                                        : "64 bit prefetchable memory";
    byte_sink_print(out, "%s  BAR%u: %s, 0x%" PRIx64 " bytes", indent, number, kind, bar->bytes);
    if (config_word(f, PCI_COMMAND) & enable)
        byte_sink_print(out, " at 0x%" PRIx64 "\n", pci_bar_base(f, number));
    else
        byte_sink_print(out, ", off\n");
}

void pci_host_describe(const struct device *host, const char *indent, const struct byte_sink *out)
{
    const struct pci_host *p = (const struct pci_host *)host;
    for (unsigned i = 0; i < p->count; i++) {
        const struct pci_function *f = p->functions[i];
        unsigned class_code = config_word(f, PCI_CLASS + 1);
        byte_sink_print(out, "%s%02x.%x: %s, class %04x, device %04x:%04x, subsystem %04x:%04x\n",
                        indent, f->devfn / FUNCTIONS_OF_SLOT, f->devfn % FUNCTIONS_OF_SLOT, f->name,
                        class_code, config_word(f, PCI_VENDOR_ID), config_word(f, PCI_DEVICE_ID),
                        config_word(f, PCI_SUBSYSTEM), config_word(f, PCI_SUBSYSTEM + 2));
        if (f->config[PCI_IRQ_PIN])
            byte_sink_print(out, "%s  pin %c on wire %u\n", indent,
                            'A' + f->config[PCI_IRQ_PIN] - 1, wire_of(f));
        for (unsigned n = 0; n < PCI_BARS; n++)
            if (f->bars[n].bytes)
                describe_bar(f, n, indent, out);
    }
}

/* The device tree, with libfdt: the only file that knows the library.
 *
 * Devicetree Specification v0.4; bindings of the Linux kernel; values as QEMU's `virt` gives them.
 * Invariants:
 *  - Phandles are a function of the number of harts alone, in QEMU's order: last hart first, each
 *    followed by its interrupt controller; then the PLIC; then the syscon.
 *  - struct tree keeps the first error of libfdt and later calls do nothing, so that the writers
 *    read like the tree they write. */
#include "firmware/fdt.h"

#include "base/os.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_HARTS        512u /* as many as the board's PLIC and CLINT ranges hold */
#define UART_CLOCK_HZ    3686400u
#define SYSCON_POWER_OFF 0x5555u
#define SYSCON_RESET     0x7777u
#define IRQ_S_EXTERNAL   9u
#define IRQ_M_EXTERNAL   11u
#define IRQ_S_SOFTWARE   1u
#define IRQ_M_SOFTWARE   3u
#define IRQ_M_TIMER      7u
#define MTIME_OFFSET     0x7ff8u /* in an ACLINT MTIMER */
#define PCI_PINS         4u
#define PCI_IO           0x01000000u /* phys.hi, section 2.2.1.1 of IEEE 1275's PCI binding */
#define PCI_MEMORY_32    0x02000000u
#define PCI_MEMORY_64    0x03000000u
#define PCI_SLOT_SHIFT   11
#define PCI_MAP_CELLS    6u /* child address (3), pin; parent's phandle, interrupt */
#define CHOSEN_SLACK_BYTES                                                                         \
    1024u /* what /chosen and three properties of it add to a user's tree                          \
           */

/* Boot loaders edit the tree where it lies. U-Boot 2025.01 makes its copy this much larger
 * (CONFIG_SYS_FDT_PAD), over its own variables unless the tree brings the room, as OpenSBI's does.
 */
#define ROOM_BYTES 0x3000u

struct tree {
    const struct fdt_config *config;
    void *blob;
    int error; /* of libfdt; 0: none yet */
};

/* --- phandles ------------------------------------------------------------------------------ */

static uint32_t cpu_phandle(const struct fdt_config *c, unsigned hart)
{
    return 2 * (c->harts - 1 - hart) + 1;
}

static uint32_t intc_phandle(const struct fdt_config *c, unsigned hart)
{
    return cpu_phandle(c, hart) + 1;
}

static uint32_t plic_phandle(const struct fdt_config *c)
{
    return 2 * c->harts + 1;
}

static uint32_t syscon_phandle(const struct fdt_config *c)
{
    return 2 * c->harts + 2;
}

/* --- writing ------------------------------------------------------------------------------- */

static void keep_error(struct tree *t, int error)
{
    if (!t->error)
        t->error = error;
}

__attribute__((format(printf, 2, 3))) static void begin(struct tree *t, const char *format, ...)
{
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (!t->error)
        keep_error(t, fdt_begin_node(t->blob, name));
}

static void end(struct tree *t)
{
    if (!t->error)
        keep_error(t, fdt_end_node(t->blob));
}

static void put_bytes(struct tree *t, const char *name, const void *bytes, size_t n)
{
    if (!t->error)
        keep_error(t, fdt_property(t->blob, name, bytes, (int)n));
}

static void put_empty(struct tree *t, const char *name)
{
    put_bytes(t, name, NULL, 0);
}

static void put_string(struct tree *t, const char *name, const char *text)
{
    put_bytes(t, name, text, strlen(text) + 1);
}

static void put_u32(struct tree *t, const char *name, uint32_t value)
{
    fdt32_t cell = cpu_to_fdt32(value);
    put_bytes(t, name, &cell, sizeof cell);
}

static void put_u64(struct tree *t, const char *name, uint64_t value)
{
    fdt64_t cells = cpu_to_fdt64(value);
    put_bytes(t, name, &cells, sizeof cells);
}

/* reg under #address-cells = #size-cells = 2. */
static void put_reg(struct tree *t, uint64_t base, uint64_t size)
{
    fdt64_t cells[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
    put_bytes(t, "reg", cells, sizeof cells);
}

static void put_cell_counts(struct tree *t, uint32_t address_cells, uint32_t size_cells)
{
    put_u32(t, "#address-cells", address_cells);
    put_u32(t, "#size-cells", size_cells);
}

/* Appends one string of a string list; false when the list is full. */
static bool append_string(char *list, size_t capacity, size_t *used, const char *text, size_t n)
{
    if (*used + n + 1 > capacity)
        return false;
    memcpy(list + *used, text, n);
    list[*used + n] = '\0';
    *used += n + 1;
    return true;
}

static void put_compatible(struct tree *t, const struct board_row *row)
{
    char list[128];
    size_t used = 0;
    for (unsigned i = 0; i < BOARD_COMPATIBLE_MAX && row->compatible[i]; i++)
        if (!append_string(list, sizeof list, &used, row->compatible[i],
                           strlen(row->compatible[i])))
            keep_error(t, -FDT_ERR_NOSPACE);
    put_bytes(t, "compatible", list, used);
}

/* One or two (0: none) interrupts of every hart's own controller. */
static void put_hart_interrupts(struct tree *t, uint32_t first, uint32_t second)
{
    const struct fdt_config *c = t->config;
    const size_t stride = second ? 4 : 2;
    fdt32_t cells[4 * MAX_HARTS];
    for (unsigned hart = 0; hart < c->harts; hart++) {
        fdt32_t *p = cells + stride * hart;
        p[0] = p[stride - 2] = cpu_to_fdt32(intc_phandle(c, hart));
        p[1] = cpu_to_fdt32(first);
        if (second)
            p[3] = cpu_to_fdt32(second);
    }
    put_bytes(t, "interrupts-extended", cells, stride * c->harts * sizeof cells[0]);
}

/* --- the nodes of rows --------------------------------------------------------------------- */

static void describe_plain(struct tree *t, const struct board_row *row)
{
    put_compatible(t, row);
    put_reg(t, row->base, row->size);
    if (row->irq) {
        put_u32(t, "interrupt-parent", plic_phandle(t->config));
        put_u32(t, "interrupts", row->irq);
    }
}

static void describe_serial(struct tree *t, const struct board_row *row)
{
    describe_plain(t, row);
    put_u32(t, "clock-frequency", UART_CLOCK_HZ);
}

static void describe_syscon(struct tree *t, const struct board_row *row)
{
    describe_plain(t, row);
    put_u32(t, "phandle", syscon_phandle(t->config));
}

static void describe_plic(struct tree *t, const struct board_row *row)
{
    describe_plain(t, row);
    put_u32(t, "phandle", plic_phandle(t->config));
    put_u32(t, "riscv,ndev", t->config->plic_sources);
    put_hart_interrupts(t, IRQ_M_EXTERNAL, IRQ_S_EXTERNAL);
    put_empty(t, "interrupt-controller");
    put_u32(t, "#address-cells", 0);
    put_u32(t, "#interrupt-cells", 1);
}

static void describe_clint(struct tree *t, const struct board_row *row)
{
    describe_plain(t, row);
    put_hart_interrupts(t, IRQ_M_SOFTWARE, IRQ_M_TIMER);
}

static void describe_swi(struct tree *t, const struct board_row *row)
{
    describe_plain(t, row);
    put_hart_interrupts(t, row->node == NODE_MSWI ? IRQ_M_SOFTWARE : IRQ_S_SOFTWARE, 0);
    put_empty(t, "interrupt-controller");
    put_u32(t, "#interrupt-cells", 0);
}

/* reg is mtime's, then that of the compare registers, which begin the row. */
static void describe_mtimer(struct tree *t, const struct board_row *row)
{
    const uint64_t reg[] = {row->base + MTIME_OFFSET, row->size - MTIME_OFFSET, row->base,
                            MTIME_OFFSET};
    fdt64_t cells[ARRAY_LEN(reg)];
    for (unsigned i = 0; i < ARRAY_LEN(reg); i++)
        cells[i] = cpu_to_fdt64(reg[i]);
    put_compatible(t, row);
    put_bytes(t, "reg", cells, sizeof cells);
    put_hart_interrupts(t, IRQ_M_TIMER, 0);
}

/* Pin p of slot s is wired to interrupt (p - 1 + s) mod 4 of the row's four; four slots say it all,
 * the mask keeps of an address the slot's low two bits. */
static void put_pci_interrupts(struct tree *t, uint32_t first_irq)
{
    fdt32_t map[PCI_PINS * PCI_PINS * PCI_MAP_CELLS] = {0};
    fdt32_t *entry = map;
    for (uint32_t slot = 0; slot < PCI_PINS; slot++) {
        for (uint32_t pin = 1; pin <= PCI_PINS; pin++, entry += PCI_MAP_CELLS) {
            entry[0] = cpu_to_fdt32(slot << PCI_SLOT_SHIFT);
            entry[3] = cpu_to_fdt32(pin);
            entry[4] = cpu_to_fdt32(plic_phandle(t->config));
            entry[5] = cpu_to_fdt32(first_irq + (pin - 1 + slot) % PCI_PINS);
        }
    }
    const fdt32_t mask[] = {cpu_to_fdt32((PCI_PINS - 1) << PCI_SLOT_SHIFT), 0, 0, cpu_to_fdt32(7)};
    put_u32(t, "#interrupt-cells", 1);
    put_bytes(t, "interrupt-map-mask", mask, sizeof mask);
    put_bytes(t, "interrupt-map", map, sizeof map);
}

/* One entry of ranges: a bus address of three cells, the CPU's, the size. */
static void write_pci_range(fdt32_t *cells, uint32_t space, uint64_t bus, uint64_t cpu,
                            uint64_t bytes)
{
    const uint64_t numbers[] = {bus, cpu, bytes};
    cells[0] = cpu_to_fdt32(space);
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        cells[1 + 2 * i] = cpu_to_fdt32((uint32_t)(numbers[i] >> 32));
        cells[2 + 2 * i] = cpu_to_fdt32((uint32_t)numbers[i]);
    }
}

static void describe_pci_host(struct tree *t, const struct board_row *row)
{
    const struct fdt_pci_windows *w = &t->config->pci;
    const fdt32_t buses[] = {0, cpu_to_fdt32((uint32_t)(row->size >> 20) - 1)};
    fdt32_t ranges[3][7];
    write_pci_range(ranges[0], PCI_IO, 0, w->io, w->io_bytes);
    write_pci_range(ranges[1], PCI_MEMORY_32, w->memory_32, w->memory_32, w->memory_32_bytes);
    write_pci_range(ranges[2], PCI_MEMORY_64, w->memory_64, w->memory_64, w->memory_64_bytes);
    put_compatible(t, row);
    put_reg(t, row->base, row->size);
    put_string(t, "device_type", "pci");
    put_cell_counts(t, 3, 2);
    put_u32(t, "linux,pci-domain", 0);
    put_bytes(t, "bus-range", buses, sizeof buses);
    put_empty(t, "dma-coherent");
    put_bytes(t, "ranges", ranges, sizeof ranges);
    put_pci_interrupts(t, row->irq);
}

static void describe_fw_cfg(struct tree *t, const struct board_row *row)
{
    put_empty(t, "dma-coherent");
    describe_plain(t, row);
}

#define FLASH_BUS_BYTES 4u

static void describe_flash(struct tree *t, const struct board_row *row)
{
    const uint64_t reg[] = {row->base, row->size, row->base + row->size, row->size};
    fdt64_t cells[ARRAY_LEN(reg)];
    for (size_t i = 0; i < ARRAY_LEN(reg); i++)
        cells[i] = cpu_to_fdt64(reg[i]);
    put_u32(t, "bank-width", FLASH_BUS_BYTES);
    put_bytes(t, "reg", cells, sizeof cells);
    put_compatible(t, row);
}

/* Who writes the properties of a row; NULL: the row has no node. */
static const struct {
    void (*describe)(struct tree *t, const struct board_row *row);
    bool in_root; /* not in /soc */
} node_kinds[] = {
    [NODE_NONE] = {NULL, false},
    [NODE_PLAIN] = {describe_plain, false},
    [NODE_SERIAL] = {describe_serial, false},
    [NODE_SYSCON] = {describe_syscon, false},
    [NODE_PLIC] = {describe_plic, false},
    [NODE_CLINT] = {describe_clint, false},
    [NODE_MSWI] = {describe_swi, false},
    [NODE_MTIMER] = {describe_mtimer, false},
    [NODE_SSWI] = {describe_swi, false},
    [NODE_PCI_HOST] = {describe_pci_host, false},
    [NODE_FW_CFG] = {describe_fw_cfg, true},
    [NODE_FLASH] = {describe_flash, true},
};

/* --- the rest of the tree ------------------------------------------------------------------- */

/* Linux: Documentation/devicetree/bindings/display/simple-framebuffer.yaml; in /chosen. */
static void write_framebuffer(struct tree *t)
{
    const struct fdt_framebuffer *f = &t->config->framebuffer;
    put_cell_counts(t, 2, 2);
    put_empty(t, "ranges");
    begin(t, "framebuffer@%llx", (unsigned long long)f->base);
    put_string(t, "compatible", "simple-framebuffer");
    put_reg(t, f->base, f->bytes);
    put_u32(t, "width", f->width);
    put_u32(t, "height", f->height);
    put_u32(t, "stride", f->stride);
    put_string(t, "format", f->format);
    end(t);
}

/* no-map: systems map a framebuffer as a device's memory, and must have no other view of it. */
static void write_reserved_memory(struct tree *t)
{
    const struct fdt_framebuffer *f = &t->config->framebuffer;
    if (!f->bytes)
        return;
    begin(t, "reserved-memory");
    put_cell_counts(t, 2, 2);
    put_empty(t, "ranges");
    begin(t, "framebuffer@%llx", (unsigned long long)f->base);
    put_reg(t, f->base, f->bytes);
    put_empty(t, "no-map");
    end(t);
    end(t);
}

static void write_chosen(struct tree *t)
{
    const struct fdt_config *c = t->config;
    begin(t, "chosen");
    if (c->bootargs && *c->bootargs)
        put_string(t, "bootargs", c->bootargs);
    if (c->initrd_end > c->initrd_start) {
        put_u64(t, "linux,initrd-start", c->initrd_start);
        put_u64(t, "linux,initrd-end", c->initrd_end);
    }
    if (c->stdout_path)
        put_string(t, "stdout-path", c->stdout_path);
    put_bytes(t, "rng-seed", c->rng_seed, sizeof c->rng_seed);
    if (c->framebuffer.bytes)
        write_framebuffer(t);
    end(t);
    if (c->stdout_path) {
        begin(t, "aliases");
        put_string(t, "serial0", c->stdout_path);
        end(t);
    }
}

static void write_memory(struct tree *t)
{
    const struct fdt_config *c = t->config;
    begin(t, "memory@%llx", (unsigned long long)c->ram_base);
    put_string(t, "device_type", "memory");
    put_reg(t, c->ram_base, c->ram_bytes);
    end(t);
}

/* Whether an ISA string has this word. */
static bool has_extension(const char *isa, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strchr(isa, '_'); p; p = strchr(p + 1, '_'))
        if (strncmp(p + 1, word, n) == 0 && (p[1 + n] == '_' || !p[1 + n]))
            return true;
    return false;
}

static void put_cache_blocks(struct tree *t)
{
    const struct fdt_config *c = t->config;
    if (has_extension(c->isa, "zicbop"))
        put_u32(t, "riscv,cbop-block-size", c->cache_block_bytes);
    if (has_extension(c->isa, "zicboz"))
        put_u32(t, "riscv,cboz-block-size", c->cache_block_bytes);
    if (has_extension(c->isa, "zicbom"))
        put_u32(t, "riscv,cbom-block-size", c->cache_block_bytes);
}

/* riscv,isa-base and riscv,isa-extensions, from "rv64imafdc_zicsr_...": each letter after rv64 and
 * each word after '_' is an extension (bindings: riscv/extensions.yaml). */
static void put_isa(struct tree *t)
{
    const char *isa = t->config->isa;
    char list[2048];
    size_t used = 0;
    bool fits = true;
    put_string(t, "riscv,isa", isa);
    put_string(t, "riscv,isa-base", "rv64i");
    const char *p = isa + strlen("rv64");
    for (; *p && *p != '_'; p++)
        fits = fits && append_string(list, sizeof list, &used, p, 1);
    while (*p == '_') {
        size_t n = strcspn(++p, "_");
        fits = fits && append_string(list, sizeof list, &used, p, n);
        p += n;
    }
    if (!fits)
        keep_error(t, -FDT_ERR_NOSPACE);
    put_bytes(t, "riscv,isa-extensions", list, used);
}

static void write_cpu(struct tree *t, unsigned hart)
{
    const struct fdt_config *c = t->config;
    begin(t, "cpu@%x", hart);
    put_u32(t, "phandle", cpu_phandle(c, hart));
    put_string(t, "device_type", "cpu");
    put_u32(t, "reg", hart);
    put_string(t, "status", "okay");
    put_string(t, "compatible", "riscv");
    put_cache_blocks(t);
    put_isa(t);
    put_string(t, "mmu-type", c->mmu_type);
    begin(t, "interrupt-controller");
    put_u32(t, "#interrupt-cells", 1);
    put_empty(t, "interrupt-controller");
    put_string(t, "compatible", "riscv,cpu-intc");
    put_u32(t, "phandle", intc_phandle(c, hart));
    end(t);
    end(t);
}

static void write_cpus(struct tree *t)
{
    const struct fdt_config *c = t->config;
    begin(t, "cpus");
    put_cell_counts(t, 1, 0);
    put_u32(t, "timebase-frequency", c->timebase_hz);
    for (unsigned hart = 0; hart < c->harts; hart++)
        write_cpu(t, hart);
    begin(t, "cpu-map");
    begin(t, "cluster0");
    for (unsigned hart = 0; hart < c->harts; hart++) {
        begin(t, "core%u", hart);
        put_u32(t, "cpu", cpu_phandle(c, hart));
        end(t);
    }
    end(t);
    end(t);
    end(t);
}

/* Which counters count which events, as mhpmevent selects them (bindings: perf/riscv,pmu.yaml):
 * what an M-mode firmware needs to know. The last two are raw. */
static void write_pmu(struct tree *t)
{
    const uint32_t programmable = 0xfffffff8, cycle = 1, instret = 4;
    const fdt32_t counters[] = {
        cpu_to_fdt32(0x00001), cpu_to_fdt32(0x00001), cpu_to_fdt32(programmable | cycle),
        cpu_to_fdt32(0x00002), cpu_to_fdt32(0x00002), cpu_to_fdt32(programmable | instret),
        cpu_to_fdt32(0x10019), cpu_to_fdt32(0x10019), cpu_to_fdt32(programmable),
        cpu_to_fdt32(0x1001b), cpu_to_fdt32(0x1001b), cpu_to_fdt32(programmable),
        cpu_to_fdt32(0x10021), cpu_to_fdt32(0x10021), cpu_to_fdt32(programmable),
    };
    const fdt32_t raw[] = {
        0,
        cpu_to_fdt32(0x100),
        cpu_to_fdt32(UINT32_MAX),
        cpu_to_fdt32(UINT32_MAX - 1),
        cpu_to_fdt32(programmable),
    };
    if (!has_extension(t->config->isa, "zihpm"))
        return;
    begin(t, "pmu");
    put_string(t, "compatible", "riscv,pmu");
    put_bytes(t, "riscv,event-to-mhpmcounters", counters, sizeof counters);
    put_bytes(t, "riscv,raw-event-to-mhpmcounters", raw, sizeof raw);
    end(t);
}

/* What a guest writes to the syscon to end or restart the machine (bindings: syscon-poweroff). */
static void write_syscon_action(struct tree *t, const char *name, const char *compatible,
                                uint32_t value)
{
    begin(t, "%s", name);
    put_u32(t, "value", value);
    put_u32(t, "offset", 0);
    put_u32(t, "regmap", syscon_phandle(t->config));
    put_string(t, "compatible", compatible);
    end(t);
}

static void write_syscon_actions(struct tree *t)
{
    const struct fdt_config *c = t->config;
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].node != NODE_SYSCON)
            continue;
        write_syscon_action(t, "poweroff", "syscon-poweroff", SYSCON_POWER_OFF);
        write_syscon_action(t, "reboot", "syscon-reboot", SYSCON_RESET);
    }
}

static void write_rows(struct tree *t, bool in_root)
{
    const struct fdt_config *c = t->config;
    for (size_t i = 0; i < c->row_count; i++) {
        const struct board_row *row = &c->rows[i];
        if (!node_kinds[row->node].describe || node_kinds[row->node].in_root != in_root)
            continue;
        begin(t, "%s@%llx", row->name, (unsigned long long)row->base);
        node_kinds[row->node].describe(t, row);
        end(t);
    }
}

static void write_soc(struct tree *t)
{
    begin(t, "soc");
    put_cell_counts(t, 2, 2);
    put_string(t, "compatible", "simple-bus");
    put_empty(t, "ranges");
    write_rows(t, false);
    end(t);
}

static void write_tree(struct tree *t)
{
    begin(t, "%s", "");
    put_cell_counts(t, 2, 2);
    put_string(t, "compatible", "riscv-virtio");
    put_string(t, "model", "riscv-virtio,qemu");
    write_chosen(t);
    write_memory(t);
    write_reserved_memory(t);
    write_cpus(t);
    write_pmu(t);
    write_syscon_actions(t);
    write_rows(t, true);
    write_soc(t);
    end(t);
}

/* --- public -------------------------------------------------------------------------------- */

/* Ends a tree with room to grow and gives it to the caller; it is freed if that fails. */
static bool finish(void *tree, uint8_t **blob, size_t *size, struct error *err)
{
    const size_t used = fdt_totalsize(tree), wanted = used + ROOM_BYTES;
    uint8_t *grown = realloc(tree, wanted);
    if (!grown) {
        free(tree);
        return error_set(err, "device tree: no memory for %zu bytes", wanted);
    }
    memset(grown + used, 0, ROOM_BYTES);
    fdt_set_totalsize(grown, (uint32_t)wanted);
    *blob = grown;
    *size = wanted;
    return true;
}

bool fdt_build(const struct fdt_config *config, uint8_t **blob, size_t *size, struct error *err)
{
    if (config->harts == 0 || config->harts > MAX_HARTS)
        return error_set(err, "device tree: %u harts; it can describe 1 to %u", config->harts,
                         MAX_HARTS);
    size_t capacity = 16384 + config->harts * 4096 + config->row_count * 1024 +
                      (config->bootargs ? strlen(config->bootargs) : 0);
    struct tree t = {.config = config, .blob = malloc(capacity)};
    if (!t.blob)
        return error_set(err, "device tree: no memory for %zu bytes", capacity);
    keep_error(&t, fdt_create(t.blob, (int)capacity));
    if (!t.error)
        keep_error(&t, fdt_finish_reservemap(t.blob));
    write_tree(&t);
    if (!t.error)
        keep_error(&t, fdt_finish(t.blob));
    if (t.error) {
        free(t.blob);
        return error_set(err, "device tree: cannot be made: %s", fdt_strerror(t.error));
    }
    return finish(t.blob, blob, size, err);
}

/* The error of libfdt, 0 if none. */
static int patch_chosen(void *blob, const struct fdt_config *c)
{
    int chosen = fdt_subnode_offset(blob, 0, "chosen");
    if (chosen == -FDT_ERR_NOTFOUND)
        chosen = fdt_add_subnode(blob, 0, "chosen");
    if (chosen < 0)
        return chosen;
    int error = fdt_setprop(blob, chosen, "rng-seed", c->rng_seed, sizeof c->rng_seed);
    if (!error && c->bootargs && *c->bootargs)
        error = fdt_setprop_string(blob, chosen, "bootargs", c->bootargs);
    if (!error && c->initrd_end > c->initrd_start) {
        error = fdt_setprop_u64(blob, chosen, "linux,initrd-start", c->initrd_start);
        if (!error)
            error = fdt_setprop_u64(blob, chosen, "linux,initrd-end", c->initrd_end);
    }
    return error ? error : fdt_pack(blob);
}

/* A patched copy of a tree that is known to be sound. */
static bool patched_copy(const struct os_file *file, const char *path, const struct fdt_config *c,
                         uint8_t **blob, size_t *size, struct error *err)
{
    size_t capacity = file->size + CHOSEN_SLACK_BYTES + (c->bootargs ? strlen(c->bootargs) : 0);
    uint8_t *copy = malloc(capacity);
    if (!copy)
        return error_set(err, "device tree '%s': no memory for %zu bytes", path, capacity);
    int error = fdt_open_into(file->bytes, copy, (int)capacity);
    if (!error)
        error = patch_chosen(copy, c);
    if (error) {
        free(copy);
        return error_set(err, "device tree '%s': cannot write /chosen: %s", path,
                         fdt_strerror(error));
    }
    return finish(copy, blob, size, err);
}

/* The error of libfdt, 0 if none. The library looks at the magic number after the size: a short
 * text file would be called truncated. */
static int check_blob(const uint8_t *bytes, size_t size)
{
    if (size >= sizeof(fdt32_t) && fdt_magic(bytes) != FDT_MAGIC)
        return -FDT_ERR_BADMAGIC;
    if (size > INT32_MAX / 2) /* the library counts in int */
        return -FDT_ERR_BADSTRUCTURE;
    return fdt_check_full(bytes, size);
}

bool fdt_read_file(const char *path, const struct fdt_config *config, uint8_t **blob, size_t *size,
                   struct error *err)
{
    struct os_file file;
    if (!os_map_file(path, &file, err))
        return false;
    bool ok = false;
    const int error = check_blob(file.bytes, file.size);
    if (error == -FDT_ERR_BADMAGIC)
        error_set(err, "'%s' is not a device tree blob; compile a source with: dtc -O dtb", path);
    else if (error == -FDT_ERR_TRUNCATED)
        error_set(err, "device tree '%s' is truncated: the file has %zu bytes only", path,
                  file.size);
    else if (error)
        error_set(err, "device tree '%s' is damaged: %s", path, fdt_strerror(error));
    else
        ok = patched_copy(&file, path, config, blob, size, err);
    os_unmap_file(&file);
    return ok;
}

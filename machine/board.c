/* The board: QEMU's `virt`. One row a device: the memory map, the interrupt wires and the device
 * tree are made from this table. */
#include "machine/chardevs.h"
#include "machine/drivers.h"

#include "devices/fw_cfg.h"
#include "devices/goldfish_rtc.h"
#include "devices/irq/clint.h"
#include "devices/irq/plic.h"
#include "devices/irq/sswi.h"
#include "devices/pci/host.h"
#include "devices/pflash.h"
#include "devices/serial/ns16550a.h"
#include "devices/sifive_test.h"
#include "devices/virtio/mmio.h"
#include "firmware/reset_rom.h"
#include "machine/drives.h"
#include "machine/fw_items.h"
#include "machine/semihost.h"

#include <stdlib.h>

#define TIMEBASE_HZ       (1000000000u / NS_PER_MTIME)
#define CACHE_BLOCK_BYTES 64u

#define PCI_MEMORY_64_BYTES (16ull << 30)

static const struct pci_range pci_io = {0x03000000, 0x10000};
static const struct pci_range pci_memory_32 = {0x40000000, 0x40000000};

struct board_entry {
    struct board_row row;
    struct device *(*create)(struct machine *m, struct irq irq); /* NULL: add_flash does */
};

static struct device *create_plic(struct machine *m, struct irq irq);
static struct device *create_clint(struct machine *m, struct irq irq);
static struct device *create_sswi(struct machine *m, struct irq irq);
static struct device *create_test(struct machine *m, struct irq irq);
static struct device *create_rtc(struct machine *m, struct irq irq);
static struct device *create_uart0(struct machine *m, struct irq irq);
static struct device *create_pci(struct machine *m, struct irq irq);
static struct device *create_fw_cfg(struct machine *m, struct irq irq);
static struct device *create_virtio_mmio(struct machine *m, struct irq irq);

#define VIRTIO_FIRST_IRQ 1u
#define VIRTIO_MMIO(n)                                                                             \
    {                                                                                              \
        {0x10001000 + (n)*VIRTIO_MMIO_BYTES,                                                       \
         VIRTIO_MMIO_BYTES,                                                                        \
         VIRTIO_FIRST_IRQ + (n),                                                                   \
         "virtio_mmio",                                                                            \
         {"virtio,mmio"},                                                                          \
         NODE_PLAIN},                                                                              \
            create_virtio_mmio                                                                     \
    }

// clang-format off
static const struct board_entry board[BOARD_SLOTS] = {
    [SLOT_PLIC]  = {{0x0c000000, PLIC_BYTES, 0, "plic",
                     {"sifive,plic-1.0.0", "riscv,plic0"}, NODE_PLIC}, create_plic},
    [SLOT_CLINT] = {{0x02000000, CLINT_BYTES, 0, "clint",
                     {"sifive,clint0", "riscv,clint0"}, NODE_CLINT}, create_clint},
    [SLOT_SSWI]  = {{0x02f00000, SSWI_BYTES, 0, "sswi",
                     {"riscv,aclint-sswi"}, NODE_SSWI}, create_sswi},
    [SLOT_TEST]  = {{0x00100000, SIFIVE_TEST_BYTES, 0, "test",
                     {"sifive,test1", "sifive,test0", "syscon"}, NODE_SYSCON}, create_test},
    [SLOT_RTC]   = {{0x00101000, GOLDFISH_RTC_BYTES, 11, "rtc",
                     {"google,goldfish-rtc"}, NODE_PLAIN}, create_rtc},
    [SLOT_UART0] = {{0x10000000, NS16550A_BYTES, 10, "serial",
                     {"ns16550a"}, NODE_SERIAL}, create_uart0},
    [SLOT_PCI]   = {{0x30000000, PCI_ECAM_BYTES, 32, "pci",
                     {"pci-host-ecam-generic"}, NODE_PCI_HOST}, create_pci},
    [SLOT_FW_CFG] = {{0x10100000, FW_CFG_BYTES, 0, "fw-cfg",
                     {"qemu,fw-cfg-mmio"}, NODE_FW_CFG}, create_fw_cfg},
    [SLOT_FLASH0] = {{FLASH_BASE, PFLASH_BYTES, 0, "flash", {"cfi-flash"}, NODE_FLASH}, NULL},
    [SLOT_FLASH1] = {{FLASH_BASE + PFLASH_BYTES, PFLASH_BYTES, 0, "flash",
                     {NULL}, NODE_NONE}, NULL},
    [SLOT_VIRTIO7] = VIRTIO_MMIO(7), VIRTIO_MMIO(6), VIRTIO_MMIO(5), VIRTIO_MMIO(4),
                     VIRTIO_MMIO(3), VIRTIO_MMIO(2), VIRTIO_MMIO(1), VIRTIO_MMIO(0),
};

/* With aclint=on the CLINT's registers, which stay where they are, are described as two devices. */
static const struct board_row aclint_rows[] = {
    {0x02000000, 0x4000, 0, "mswi", {"riscv,aclint-mswi"}, NODE_MSWI},
    {0x02004000, 0xc000, 0, "mtimer", {"riscv,aclint-mtimer"}, NODE_MTIMER},
};
// clang-format on

/* --- wires ------------------------------------------------------------------------------- */

static void set_msip(void *hart, unsigned number, bool level)
{
    (void)number;
    hart_set_irq(hart, IRQ_MSIP, level);
}

static void set_ssip(void *hart, unsigned number, bool level)
{
    (void)number;
    hart_set_irq(hart, IRQ_SSIP, level);
}

static void set_external(void *hart, unsigned bit, bool level)
{
    hart_set_irq(hart, (enum irq_bit)bit, level);
}

static void set_mtimecmp(void *owner, unsigned hart, uint64_t value)
{
    struct machine *m = owner;
    hart_set_mtimecmp(m->harts[hart], value);
}

static void set_mtime_offset(void *owner, uint64_t offset)
{
    struct machine *m = owner;
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_set_mtime_offset(m->harts[i], offset);
}

static void on_power_off(void *owner, unsigned status)
{
    machine_end(owner, MACHINE_POWER_OFF, (int)(status & 0xff));
}

static void on_reset(void *owner)
{
    machine_want_reset(owner);
}

/* --- devices ----------------------------------------------------------------------------- */

static struct device *create_plic(struct machine *m, struct irq irq)
{
    (void)irq;
    struct plic_config config = {.contexts = 2 * m->config.harts, .log = m->config.log};
    for (unsigned i = 0; i < m->config.harts; i++) {
        config.out[2 * i] = (struct irq){set_external, m->harts[i], IRQ_MEIP};
        config.out[2 * i + 1] = (struct irq){set_external, m->harts[i], IRQ_SEIP};
    }
    return plic_create(&config);
}

static struct device *create_clint(struct machine *m, struct irq irq)
{
    (void)irq;
    struct clint_config config = {.harts = m->config.harts,
                                  .set_mtimecmp = set_mtimecmp,
                                  .set_mtime_offset = set_mtime_offset,
                                  .owner = m,
                                  .clock = &m->clock,
                                  .log = m->config.log};
    for (unsigned i = 0; i < m->config.harts; i++)
        config.msip[i] = (struct irq){set_msip, m->harts[i], 0};
    return clint_create(&config);
}

static struct device *create_sswi(struct machine *m, struct irq irq)
{
    (void)irq;
    struct sswi_config config = {.harts = m->config.harts, .log = m->config.log};
    for (unsigned i = 0; i < m->config.harts; i++)
        config.ssip[i] = (struct irq){set_ssip, m->harts[i], 0};
    return sswi_create(&config);
}

static struct device *create_test(struct machine *m, struct irq irq)
{
    (void)irq;
    struct sifive_test_config config = {
        .power_off = on_power_off, .reset = on_reset, .owner = m, .log = m->config.log};
    return sifive_test_create(&config);
}

static struct device *create_rtc(struct machine *m, struct irq irq)
{
    uint64_t epoch = m->config.rtc == RTC_FIXED ? m->config.rtc_epoch_ns : os_wall_clock_ns();
    struct goldfish_rtc_config config = {.epoch_ns = epoch,
                                         .irq = irq,
                                         .clock = &m->clock,
                                         .events = &m->events,
                                         .log = m->config.log};
    return goldfish_rtc_create(&config);
}

/* When no device has stdio, UART0 is the console, and config.serial hears it too. */
void machine_uart_write(void *machine, const uint8_t *bytes, size_t n)
{
    struct machine *m = machine;
    unsigned entry;
    if (m->is_silent)
        return;
    if (m->uart_end.write)
        m->uart_end.write(m->uart_end.owner, bytes, n);
    if (m->config.serial.write && !chardevs_stdio_entry(m->chardevs, &entry))
        m->config.serial.write(m->config.serial.owner, bytes, n);
}

static struct device *create_uart0(struct machine *m, struct irq irq)
{
    struct ns16550a_config config = {.irq = irq,
                                     .sink = {.write = machine_uart_write, .owner = m},
                                     .clock = &m->clock,
                                     .events = &m->events,
                                     .log = m->config.log};
    struct device *uart = ns16550a_create(&config);
    if (uart)
        m->uart_entry = input_register(m->door, "serial0", ns16550a_receive, uart);
    return uart;
}

/* The 64-bit window begins behind RAM, at a multiple of its own size, as QEMU's does. */
static struct pci_range pci_memory_64(const struct machine *m)
{
    return (struct pci_range){align_up(RAM_BASE + m->config.ram_bytes, PCI_MEMORY_64_BYTES),
                              PCI_MEMORY_64_BYTES};
}

static struct device *create_pci(struct machine *m, struct irq irq)
{
    struct pci_host_config config = {.io = pci_io,
                                     .memory_32 = pci_memory_32,
                                     .memory_64 = pci_memory_64(m),
                                     .log = m->config.log};
    for (unsigned i = 0; i < PCI_WIRES; i++)
        config.wires[i] = (struct irq){irq.set, irq.target, irq.number + i};
    return pci_host_create(&config);
}

static struct device *create_fw_cfg(struct machine *m, struct irq irq)
{
    (void)irq;
    struct fw_cfg_config config = {.memory = m->memory, .log = m->config.log};
    config.items = fw_items_list(m->fw_items, &config.count);
    return fw_cfg_create(&config);
}

static struct device *create_virtio_mmio(struct machine *m, struct irq irq)
{
    unsigned slot = irq.number - VIRTIO_FIRST_IRQ;
    struct virtio_mmio_config config = {.virtio = m->mmio_virtio[slot],
                                        .legacy = m->virtio_legacy,
                                        .irq = irq,
                                        .log = m->config.log};
    return virtio_mmio_create(&config);
}

/* --- the board --------------------------------------------------------------------------- */

static bool add_device(struct machine *m, enum board_slot slot, struct error *err)
{
    const struct board_entry *entry = &board[slot];
    struct irq irq = {0};
    if (entry->row.irq)
        irq = (struct irq){plic_set_source, m->devices[SLOT_PLIC], entry->row.irq};
    struct device *device = entry->create(m, irq);
    if (!device)
        return error_set(err, "no memory for the device %s", entry->row.name);
    m->devices[slot] = device;
    return memory_add_device(m->memory, entry->row.base, entry->row.size, &device->ops->mmio,
                             device, err);
}

/* Flash is memory too, and its image may be wrong. */
static bool add_flash(struct machine *m, unsigned unit, struct error *err)
{
    const struct board_row *row = &board[SLOT_FLASH0 + unit].row;
    const struct drive *drive = drives_flash(m->drives, unit);
    struct pflash_config config = {.memory = m->memory,
                                   .base = row->base,
                                   .block = drive ? drive->block : NULL,
                                   .log = m->config.log};
    struct error why;
    struct device *device = pflash_create(&config, &why);
    if (!device)
        return error_set(err, "flash %u: %.400s", unit, why.text);
    m->devices[SLOT_FLASH0 + unit] = device;
    return memory_add_rom_device(m->memory, row->base, row->size, &device->ops->mmio, device,
                                 pflash_bytes(device), err);
}

static bool add_devices(struct machine *m, unsigned first, unsigned end, struct error *err)
{
    for (unsigned slot = first; slot < end; slot++)
        if (board[slot].create && (slot != SLOT_SSWI || m->config.aclint) &&
            !add_device(m, slot, err))
            return false;
    return true;
}

static bool connect_uart0(struct machine *m, struct error *err)
{
    struct chardev_device device = {
        .name = "serial0", .receive = ns16550a_receive, .owner = m->devices[SLOT_UART0]};
    struct error why;
    return !m->config.serial_chardev ||
           chardevs_take(m->chardevs, m->config.serial_chardev, &device, &m->uart_end,
                         &m->uart_entry, &why) ||
           error_set(err, "-serial: %.400s", why.text);
}

/* What -device names is made between: it needs the PCI host, and the MMIO slots need it. */
bool board_build(struct machine *m, struct error *err)
{
    if (!memory_add_rom(m->memory, "reset ROM", RESET_ROM_BASE, RESET_ROM_BYTES, err) ||
        !memory_add_ram(m->memory, "RAM", RAM_BASE, m->config.ram_bytes, err))
        return false;
    return add_devices(m, 0, SLOT_VIRTIO7, err) && connect_uart0(m, err) && add_flash(m, 0, err) &&
           add_flash(m, 1, err) && pci_host_add_windows(m->devices[SLOT_PCI], m->memory, err) &&
           drivers_create(m, err) && add_devices(m, SLOT_VIRTIO7, BOARD_SLOTS, err);
}

/* A virtio device that a failed board has no slot for yet is destroyed here. */
void board_destroy(struct machine *m)
{
    for (unsigned n = 0; n < VIRTIO_MMIO_SLOTS; n++)
        if (m->mmio_virtio[n] && !m->devices[BOARD_SLOTS - 1 - n])
            virtio_destroy(m->mmio_virtio[n]);
    for (unsigned slot = 0; slot < BOARD_SLOTS; slot++)
        if (m->devices[slot])
            m->devices[slot]->ops->destroy(m->devices[slot]);
    for (unsigned i = 0; i < m->display_count; i++)
        m->displays[i]->ops->destroy(m->displays[i]);
    if (m->htif)
        m->htif->ops->destroy(m->htif);
}

const struct board_row *board_row(unsigned slot)
{
    return &board[slot].row;
}

void board_reset(struct machine *m)
{
    for (unsigned slot = 0; slot < BOARD_SLOTS; slot++)
        if (m->devices[slot])
            m->devices[slot]->ops->reset(m->devices[slot]);
    for (unsigned i = 0; i < m->display_count; i++)
        m->displays[i]->ops->reset(m->displays[i]);
    if (m->htif)
        m->htif->ops->reset(m->htif);
    if (m->semihost)
        semihost_reset(m->semihost);
}

static const char *mmu_type(unsigned satp_mode)
{
    return satp_mode == SATP_SV57   ? "riscv,sv57"
           : satp_mode == SATP_SV48 ? "riscv,sv48"
                                    : "riscv,sv39";
}

/* The rows that this board has, in rows[]; how many. */
static size_t present_rows(const struct machine *m, struct board_row *rows)
{
    size_t n = 0;
    for (unsigned slot = 0; slot < BOARD_SLOTS; slot++) {
        if (slot == SLOT_CLINT && m->config.aclint) {
            for (unsigned i = 0; i < ARRAY_LEN(aclint_rows); i++)
                rows[n++] = aclint_rows[i];
        } else if (m->devices[slot]) {
            rows[n++] = board[slot].row;
        }
    }
    return n;
}

bool board_device_tree(struct machine *m, uint64_t initrd_start, uint64_t initrd_end,
                       struct error *err)
{
    struct board_row rows[BOARD_SLOTS + ARRAY_LEN(aclint_rows)];
    const size_t row_count = present_rows(m, rows);
    char isa[1024];
    if (!isa_string(&m->isa, isa, sizeof isa))
        return error_set(err, "the device tree has no room for all extensions");
    struct fdt_config config = {
        .ram_base = RAM_BASE,
        .ram_bytes = m->config.ram_bytes,
        .harts = m->config.harts,
        .isa = isa,
        .mmu_type = mmu_type(m->isa.max_satp_mode),
        .timebase_hz = TIMEBASE_HZ,
        .cache_block_bytes = CACHE_BLOCK_BYTES,
        .plic_sources = PLIC_SOURCES - 1,
        .bootargs = m->config.append,
        .initrd_start = initrd_start,
        .initrd_end = initrd_end,
        .stdout_path = "/soc/serial@10000000",
        .framebuffer = m->simple_framebuffer,
        .rows = rows,
        .row_count = row_count,
        .pci = {.io = pci_io.base,
                .io_bytes = pci_io.bytes,
                .memory_32 = pci_memory_32.base,
                .memory_32_bytes = pci_memory_32.bytes,
                .memory_64 = pci_memory_64(m).base,
                .memory_64_bytes = PCI_MEMORY_64_BYTES},
    };
    uint64_t random = m->config.seed;
    for (unsigned i = 0; i < FDT_RNG_SEED_BYTES; i++)
        config.rng_seed[i] = (uint8_t)random_next(&random);
    free(m->device_tree);
    m->device_tree = NULL;
    if (m->config.dtb_file)
        return fdt_read_file(m->config.dtb_file, &config, &m->device_tree, &m->device_tree_size,
                             err);
    return fdt_build(&config, &m->device_tree, &m->device_tree_size, err);
}

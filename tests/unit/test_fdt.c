/* The device tree, parsed back by libfdt; values as in QEMU's dump of `virt` with two harts. */
#include "firmware/fdt.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct board_row rows[] = {
    {0x1000, 0xf000, 0, "rom", {NULL}, NODE_NONE},
    {0x100000, 0x1000, 0, "test", {"sifive,test1", "sifive,test0", "syscon"}, NODE_SYSCON},
    {0x101000, 0x1000, 11, "rtc", {"google,goldfish-rtc"}, NODE_PLAIN},
    {0x2000000, 0x10000, 0, "clint", {"sifive,clint0", "riscv,clint0"}, NODE_CLINT},
    {0xc000000, 0x600000, 0, "plic", {"sifive,plic-1.0.0", "riscv,plic0"}, NODE_PLIC},
    {0x10000000, 0x100, 10, "serial", {"ns16550a"}, NODE_SERIAL},
    {0x30000000, 0x10000000, 32, "pci", {"pci-host-ecam-generic"}, NODE_PCI_HOST},
};

static struct fdt_config two_harts(void)
{
    struct fdt_config c = {
        .ram_base = 0x80000000,
        .ram_bytes = 256 << 20,
        .harts = 2,
        .isa = "rv64imafdc_zicbom_zicbop_zicboz_zicsr_zba_sstc",
        .mmu_type = "riscv,sv57",
        .timebase_hz = 10000000,
        .cache_block_bytes = 64,
        .plic_sources = 95,
        .bootargs = "console=ttyS0",
        .initrd_start = 0x88200000,
        .initrd_end = 0x88201388,
        .stdout_path = "/soc/serial@10000000",
        .rows = rows,
        .row_count = ARRAY_LEN(rows),
        .pci = {.io = 0x3000000,
                .io_bytes = 0x10000,
                .memory_32 = 0x40000000,
                .memory_32_bytes = 0x40000000,
                .memory_64 = 0x400000000,
                .memory_64_bytes = 0x400000000},
    };
    for (unsigned i = 0; i < FDT_RNG_SEED_BYTES; i++)
        c.rng_seed[i] = i + 1;
    return c;
}

static uint8_t *build(const struct fdt_config *config)
{
    uint8_t *blob;
    size_t size;
    struct error err;
    ck_assert_msg(fdt_build(config, &blob, &size, &err), "%s", err.text);
    ck_assert_int_eq(fdt_check_full(blob, size), 0);
    ck_assert_uint_eq(fdt_totalsize(blob), size);
    return blob;
}

static int node(const void *blob, const char *path)
{
    const int offset = fdt_path_offset(blob, path);
    ck_assert_msg(offset >= 0, "%s: %s", path, fdt_strerror(offset));
    return offset;
}

/* The property is exactly these bytes; a string literal of several strings has its own NULs. */
static void expect_bytes(const void *blob, const char *path, const char *name, const void *bytes,
                         size_t n)
{
    int length;
    const void *value = fdt_getprop(blob, node(blob, path), name, &length);
    ck_assert_msg(value != NULL, "%s has no %s", path, name);
    ck_assert_msg(length == (int)n, "%s %s has %d bytes, not %zu", path, name, length, n);
    ck_assert_msg(memcmp(value, bytes, n) == 0, "%s %s differs", path, name);
}

#define EXPECT_STRINGS(path, name, literal) expect_bytes(blob, path, name, literal, sizeof(literal))

#define EXPECT_CELLS(path, name, ...)                                                              \
    expect_cells(blob, path, name, (const uint32_t[]){__VA_ARGS__},                                \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void expect_cells(const void *blob, const char *path, const char *name,
                         const uint32_t *cells, size_t n)
{
    fdt32_t big_endian[128];
    ck_assert_uint_le(n, ARRAY_LEN(big_endian));
    for (size_t i = 0; i < n; i++)
        big_endian[i] = cpu_to_fdt32(cells[i]);
    expect_bytes(blob, path, name, big_endian, n * sizeof *big_endian);
}

START_TEST(root_memory_and_chosen_are_qemus)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_STRINGS("/", "compatible", "riscv-virtio");
    EXPECT_STRINGS("/", "model", "riscv-virtio,qemu");
    EXPECT_CELLS("/", "#address-cells", 2);
    EXPECT_CELLS("/", "#size-cells", 2);
    EXPECT_STRINGS("/memory@80000000", "device_type", "memory");
    EXPECT_CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 0x10000000);
    EXPECT_STRINGS("/chosen", "bootargs", "console=ttyS0");
    EXPECT_STRINGS("/chosen", "stdout-path", "/soc/serial@10000000");
    EXPECT_STRINGS("/aliases", "serial0", "/soc/serial@10000000");
    EXPECT_CELLS("/chosen", "linux,initrd-start", 0, 0x88200000);
    EXPECT_CELLS("/chosen", "linux,initrd-end", 0, 0x88201388);
    expect_bytes(blob, "/chosen", "rng-seed", c.rng_seed, sizeof c.rng_seed);
    free(blob);
}
END_TEST

START_TEST(a_picture_in_ram_is_described_and_taken_from_the_system)
{
    struct fdt_config config = two_harts();
    config.framebuffer =
        (struct fdt_framebuffer){0x9fc00000, 0x400000, 1024, 768, 4096, "a8r8g8b8"};
    uint8_t *blob = build(&config);
    const char *path = "/chosen/framebuffer@9fc00000";
    expect_bytes(blob, path, "compatible", "simple-framebuffer", 19);
    expect_cells(blob, path, "reg", (const uint32_t[]){0, 0x9fc00000, 0, 0x400000}, 4);
    expect_cells(blob, path, "width", (const uint32_t[]){1024}, 1);
    expect_cells(blob, path, "height", (const uint32_t[]){768}, 1);
    expect_cells(blob, path, "stride", (const uint32_t[]){4096}, 1);
    expect_bytes(blob, path, "format", "a8r8g8b8", 9);
    expect_bytes(blob, "/chosen", "ranges", "", 0);
    path = "/reserved-memory/framebuffer@9fc00000";
    expect_cells(blob, path, "reg", (const uint32_t[]){0, 0x9fc00000, 0, 0x400000}, 4);
    expect_bytes(blob, path, "no-map", "", 0);
    free(blob);
}
END_TEST

START_TEST(memory_above_4_gib_takes_both_cells)
{
    struct fdt_config c = two_harts();
    c.ram_bytes = 6ull << 30;
    uint8_t *blob = build(&c);
    EXPECT_CELLS("/memory@80000000", "reg", 0, 0x80000000, 1, 0x80000000);
    free(blob);
}
END_TEST

START_TEST(cpus_are_described_with_isa_and_blocks)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_CELLS("/cpus", "timebase-frequency", 0x989680);
    EXPECT_CELLS("/cpus", "#address-cells", 1);
    EXPECT_CELLS("/cpus", "#size-cells", 0);
    EXPECT_CELLS("/cpus/cpu@1", "reg", 1);
    EXPECT_STRINGS("/cpus/cpu@1", "device_type", "cpu");
    EXPECT_STRINGS("/cpus/cpu@1", "status", "okay");
    EXPECT_STRINGS("/cpus/cpu@1", "compatible", "riscv");
    EXPECT_STRINGS("/cpus/cpu@1", "mmu-type", "riscv,sv57");
    EXPECT_STRINGS("/cpus/cpu@1", "riscv,isa", "rv64imafdc_zicbom_zicbop_zicboz_zicsr_zba_sstc");
    EXPECT_STRINGS("/cpus/cpu@1", "riscv,isa-base", "rv64i");
    EXPECT_STRINGS("/cpus/cpu@1", "riscv,isa-extensions",
                   "i\0m\0a\0f\0d\0c\0zicbom\0zicbop\0zicboz\0zicsr\0zba\0sstc");
    EXPECT_CELLS("/cpus/cpu@1", "riscv,cbom-block-size", 64);
    EXPECT_CELLS("/cpus/cpu@1", "riscv,cbop-block-size", 64);
    EXPECT_CELLS("/cpus/cpu@1", "riscv,cboz-block-size", 64);
    free(blob);
}
END_TEST

START_TEST(with_zihpm_there_is_a_pmu_that_says_what_counts_what)
{
    struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    ck_assert_int_lt(fdt_path_offset(blob, "/pmu"), 0);
    free(blob);
    c.isa = "rv64imafdc_zicntr_zihpm";
    blob = build(&c);
    int length;
    EXPECT_STRINGS("/pmu", "compatible", "riscv,pmu");
    const fdt32_t *events =
        fdt_getprop(blob, node(blob, "/pmu"), "riscv,event-to-mhpmcounters", &length);
    ck_assert_int_eq(length % 12, 0);
    for (int i = 0; i < length / 4; i += 3) { /* an event alone, and its counters */
        ck_assert_uint_eq(events[i], events[i + 1]);
        ck_assert_uint_eq(fdt32_to_cpu(events[i + 2]) & 0xfffffff8, 0xfffffff8);
    }
    ck_assert_uint_eq(fdt32_to_cpu(events[2]), 0xfffffff9); /* cycles: mcycle too */
    ck_assert_ptr_nonnull(
        fdt_getprop(blob, node(blob, "/pmu"), "riscv,raw-event-to-mhpmcounters", &length));
    ck_assert_int_eq(length, 20);
    free(blob);
}
END_TEST

START_TEST(phandles_join_harts_and_interrupt_controllers)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_CELLS("/cpus/cpu@0", "phandle", 3);
    EXPECT_CELLS("/cpus/cpu@1", "phandle", 1);
    EXPECT_CELLS("/cpus/cpu@0/interrupt-controller", "phandle", 4);
    EXPECT_CELLS("/cpus/cpu@1/interrupt-controller", "phandle", 2);
    EXPECT_CELLS("/cpus/cpu@1/interrupt-controller", "#interrupt-cells", 1);
    EXPECT_STRINGS("/cpus/cpu@1/interrupt-controller", "compatible", "riscv,cpu-intc");
    expect_bytes(blob, "/cpus/cpu@1/interrupt-controller", "interrupt-controller", "", 0);
    EXPECT_CELLS("/cpus/cpu-map/cluster0/core0", "cpu", 3);
    EXPECT_CELLS("/cpus/cpu-map/cluster0/core1", "cpu", 1);
    EXPECT_CELLS("/soc/plic@c000000", "interrupts-extended", 4, 11, 4, 9, 2, 11, 2, 9);
    EXPECT_CELLS("/soc/clint@2000000", "interrupts-extended", 4, 3, 4, 7, 2, 3, 2, 7);
    free(blob);
}
END_TEST

START_TEST(devices_are_described_from_the_rows)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_STRINGS("/soc", "compatible", "simple-bus");
    expect_bytes(blob, "/soc", "ranges", "", 0);
    EXPECT_STRINGS("/soc/serial@10000000", "compatible", "ns16550a");
    EXPECT_CELLS("/soc/serial@10000000", "reg", 0, 0x10000000, 0, 0x100);
    EXPECT_CELLS("/soc/serial@10000000", "interrupts", 10);
    EXPECT_CELLS("/soc/serial@10000000", "interrupt-parent", 5);
    EXPECT_CELLS("/soc/serial@10000000", "clock-frequency", 3686400);
    EXPECT_STRINGS("/soc/rtc@101000", "compatible", "google,goldfish-rtc");
    EXPECT_CELLS("/soc/rtc@101000", "interrupts", 11);
    EXPECT_STRINGS("/soc/clint@2000000", "compatible", "sifive,clint0\0riscv,clint0");
    ck_assert_int_eq(fdt_path_offset(blob, "/soc/rom@1000"), -FDT_ERR_NOTFOUND);
    free(blob);
}
END_TEST

START_TEST(an_aclint_has_a_node_for_each_of_its_devices)
{
    static const struct board_row aclint[] = {
        {0x2000000, 0x4000, 0, "mswi", {"riscv,aclint-mswi"}, NODE_MSWI},
        {0x2004000, 0xc000, 0, "mtimer", {"riscv,aclint-mtimer"}, NODE_MTIMER},
        {0x2f00000, 0x4000, 0, "sswi", {"riscv,aclint-sswi"}, NODE_SSWI},
        {0xc000000, 0x600000, 0, "plic", {"sifive,plic-1.0.0", "riscv,plic0"}, NODE_PLIC},
    };
    struct fdt_config c = two_harts();
    c.rows = aclint;
    c.row_count = ARRAY_LEN(aclint);
    c.stdout_path = NULL;
    uint8_t *blob = build(&c);
    EXPECT_CELLS("/soc/mswi@2000000", "reg", 0, 0x2000000, 0, 0x4000);
    EXPECT_CELLS("/soc/mswi@2000000", "interrupts-extended", 4, 3, 2, 3);
    EXPECT_CELLS("/soc/mswi@2000000", "#interrupt-cells", 0);
    EXPECT_CELLS("/soc/mtimer@2004000", "reg", 0, 0x200bff8, 0, 0x4008, 0, 0x2004000, 0, 0x7ff8);
    EXPECT_CELLS("/soc/mtimer@2004000", "interrupts-extended", 4, 7, 2, 7);
    EXPECT_STRINGS("/soc/sswi@2f00000", "compatible", "riscv,aclint-sswi");
    EXPECT_CELLS("/soc/sswi@2f00000", "interrupts-extended", 4, 1, 2, 1);
    expect_bytes(blob, "/soc/sswi@2f00000", "interrupt-controller", "", 0);
    free(blob);
}
END_TEST

START_TEST(the_plic_is_an_interrupt_controller)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_STRINGS("/soc/plic@c000000", "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    EXPECT_CELLS("/soc/plic@c000000", "phandle", 5);
    EXPECT_CELLS("/soc/plic@c000000", "reg", 0, 0xc000000, 0, 0x600000);
    EXPECT_CELLS("/soc/plic@c000000", "riscv,ndev", 0x5f);
    EXPECT_CELLS("/soc/plic@c000000", "#interrupt-cells", 1);
    EXPECT_CELLS("/soc/plic@c000000", "#address-cells", 0);
    expect_bytes(blob, "/soc/plic@c000000", "interrupt-controller", "", 0);
    ck_assert_ptr_null(
        fdt_getprop(blob, node(blob, "/soc/plic@c000000"), "interrupt-parent", NULL));
    free(blob);
}
END_TEST

START_TEST(power_off_and_reboot_write_to_the_syscon)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    EXPECT_STRINGS("/soc/test@100000", "compatible", "sifive,test1\0sifive,test0\0syscon");
    EXPECT_CELLS("/soc/test@100000", "phandle", 6);
    EXPECT_STRINGS("/poweroff", "compatible", "syscon-poweroff");
    EXPECT_CELLS("/poweroff", "regmap", 6);
    EXPECT_CELLS("/poweroff", "offset", 0);
    EXPECT_CELLS("/poweroff", "value", 0x5555);
    EXPECT_STRINGS("/reboot", "compatible", "syscon-reboot");
    EXPECT_CELLS("/reboot", "regmap", 6);
    EXPECT_CELLS("/reboot", "value", 0x7777);
    free(blob);
}
END_TEST

START_TEST(the_pci_host_has_qemus_windows_and_interrupts)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    const char *pci = "/soc/pci@30000000";
    EXPECT_STRINGS(pci, "compatible", "pci-host-ecam-generic");
    EXPECT_STRINGS(pci, "device_type", "pci");
    EXPECT_CELLS(pci, "reg", 0, 0x30000000, 0, 0x10000000);
    EXPECT_CELLS(pci, "#address-cells", 3);
    EXPECT_CELLS(pci, "#size-cells", 2);
    EXPECT_CELLS(pci, "#interrupt-cells", 1);
    EXPECT_CELLS(pci, "bus-range", 0, 255);
    EXPECT_CELLS(pci, "linux,pci-domain", 0);
    expect_bytes(blob, pci, "dma-coherent", "", 0);
    EXPECT_CELLS(pci, "ranges", 0x1000000, 0, 0, 0, 0x3000000, 0, 0x10000, /* I/O */
                 0x2000000, 0, 0x40000000, 0, 0x40000000, 0, 0x40000000,   /* 32 bits */
                 0x3000000, 4, 0, 4, 0, 4, 0);                             /* 64 bits */
    EXPECT_CELLS(pci, "interrupt-map-mask", 0x1800, 0, 0, 7);
    uint32_t map[96] = {0}, *entry = map;
    for (unsigned slot = 0; slot < 4; slot++) {
        for (unsigned pin = 0; pin < 4; pin++, entry += 6) {
            entry[0] = slot << 11;
            entry[3] = pin + 1;
            entry[4] = 5;
            entry[5] = 32 + (pin + slot) % 4;
        }
    }
    expect_cells(blob, pci, "interrupt-map", map, ARRAY_LEN(map));
    free(blob);
}
END_TEST

START_TEST(flash_and_fw_cfg_lie_in_the_root_as_qemus_do)
{
    static const struct board_row rows[] = {
        {0x10100000, 0x18, 0, "fw-cfg", {"qemu,fw-cfg-mmio"}, NODE_FW_CFG},
        {0x20000000, 0x2000000, 0, "flash", {"cfi-flash"}, NODE_FLASH},
        {0x22000000, 0x2000000, 0, "flash", {NULL}, NODE_NONE},
    };
    struct fdt_config c = two_harts();
    c.rows = rows;
    c.row_count = ARRAY_LEN(rows);
    uint8_t *blob = build(&c);
    expect_bytes(blob, "/fw-cfg@10100000", "compatible", "qemu,fw-cfg-mmio", 17);
    expect_bytes(blob, "/fw-cfg@10100000", "dma-coherent", "", 0);
    expect_bytes(blob, "/fw-cfg@10100000", "reg", "\0\0\0\0\x10\x10\0\0\0\0\0\0\0\0\0\x18", 16);
    expect_bytes(blob, "/flash@20000000", "compatible", "cfi-flash", 10);
    expect_bytes(blob, "/flash@20000000", "bank-width", "\0\0\0\4", 4);
    expect_bytes(blob, "/flash@20000000", "reg",
                 "\0\0\0\0\x20\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x22\0\0\0\0\0\0\0\2\0\0\0", 32);
    ck_assert_int_eq(fdt_path_offset(blob, "/flash@22000000"), -FDT_ERR_NOTFOUND);
    ck_assert_int_eq(fdt_path_offset(blob, "/soc/flash@20000000"), -FDT_ERR_NOTFOUND);
    free(blob);
}
END_TEST

START_TEST(what_is_not_configured_is_not_in_the_tree)
{
    struct fdt_config c = two_harts();
    c.bootargs = "";
    c.initrd_start = c.initrd_end = 0;
    c.stdout_path = NULL;
    uint8_t *blob = build(&c);
    const int chosen = node(blob, "/chosen");
    ck_assert_ptr_null(fdt_getprop(blob, chosen, "bootargs", NULL));
    ck_assert_ptr_null(fdt_getprop(blob, chosen, "linux,initrd-start", NULL));
    ck_assert_ptr_null(fdt_getprop(blob, chosen, "stdout-path", NULL));
    ck_assert_int_eq(fdt_path_offset(blob, "/aliases"), -FDT_ERR_NOTFOUND);
    free(blob);
}
END_TEST

START_TEST(a_long_command_line_fits)
{
    struct fdt_config c = two_harts();
    char *line = calloc(1, 100001);
    memset(line, 'x', 100000);
    c.bootargs = line;
    uint8_t *blob = build(&c);
    expect_bytes(blob, "/chosen", "bootargs", line, 100001);
    free(blob);
    free(line);
}
END_TEST

START_TEST(a_boot_loader_can_add_to_the_tree_in_place)
{
    static const char large[0x2f00];
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    ck_assert_int_eq(fdt_setprop(blob, node(blob, "/chosen"), "large", large, sizeof large), 0);
    free(blob);
}
END_TEST

START_TEST(too_many_harts_are_an_error)
{
    struct fdt_config c = two_harts();
    uint8_t *blob;
    size_t size;
    struct error err = {""};
    c.harts = 513;
    ck_assert(!fdt_build(&c, &blob, &size, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "513"));
    c.harts = 512;
    free(build(&c));
}
END_TEST

/* --- a user's file --------------------------------------------------------------------------- */

struct temporary {
    char path[64];
};

static struct temporary write_file(const void *bytes, size_t n)
{
    struct temporary t = {"/tmp/rivulet-test-fdt-XXXXXX"};
    const int fd = mkstemp(t.path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    return t;
}

static void expect_refused(const void *bytes, size_t n, const char *because)
{
    const struct fdt_config c = two_harts();
    const struct temporary t = write_file(bytes, n);
    uint8_t *blob;
    size_t size;
    struct error err = {""};
    ck_assert(!fdt_read_file(t.path, &c, &blob, &size, &err));
    ck_assert_msg(strstr(err.text, because) && strstr(err.text, t.path), "%s", err.text);
    unlink(t.path);
}

START_TEST(a_users_tree_gets_bootargs_initrd_and_seed_and_keeps_the_rest)
{
    struct fdt_config c = two_harts();
    uint8_t *original = build(&c), *blob;
    const struct temporary t = write_file(original, fdt_totalsize(original));
    size_t size;
    struct error err;
    c.ram_bytes = 1 << 30;
    c.bootargs = "another=line";
    c.initrd_start = 0x1234567890;
    c.initrd_end = 0x1234567891;
    c.rng_seed[0] = 99;
    ck_assert_msg(fdt_read_file(t.path, &c, &blob, &size, &err), "%s", err.text);
    ck_assert_int_eq(fdt_check_full(blob, size), 0);
    EXPECT_STRINGS("/chosen", "bootargs", "another=line");
    EXPECT_CELLS("/chosen", "linux,initrd-start", 0x12, 0x34567890);
    EXPECT_CELLS("/chosen", "linux,initrd-end", 0x12, 0x34567891);
    expect_bytes(blob, "/chosen", "rng-seed", c.rng_seed, sizeof c.rng_seed);
    EXPECT_CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 0x10000000);
    unlink(t.path);
    free(blob);
    free(original);
}
END_TEST

START_TEST(a_users_tree_without_chosen_gets_one)
{
    struct fdt_config c = two_harts();
    uint8_t empty[256], *blob;
    size_t size;
    struct error err;
    ck_assert_int_eq(fdt_create_empty_tree(empty, sizeof empty), 0);
    const struct temporary t = write_file(empty, sizeof empty);
    ck_assert_msg(fdt_read_file(t.path, &c, &blob, &size, &err), "%s", err.text);
    EXPECT_STRINGS("/chosen", "bootargs", "console=ttyS0");
    unlink(t.path);
    free(blob);
}
END_TEST

START_TEST(what_is_no_device_tree_is_refused)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob = build(&c);
    const size_t size = fdt_totalsize(blob);
    expect_refused("/dts-v1/; / { };", 16, "not a device tree");
    expect_refused(blob, 8, "truncated");
    expect_refused(blob, size - 1, "truncated");
    memset(blob + fdt_off_dt_struct(blob) + 8, 0xff, 64);
    expect_refused(blob, size, "damaged");
    free(blob);
}
END_TEST

START_TEST(a_missing_or_empty_file_is_refused)
{
    const struct fdt_config c = two_harts();
    uint8_t *blob;
    size_t size;
    struct error err = {""};
    ck_assert(!fdt_read_file("/nonexistent/tree.dtb", &c, &blob, &size, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/tree.dtb"));
    expect_refused("", 0, "empty");
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, root_memory_and_chosen_are_qemus);
    tcase_add_test(c, a_picture_in_ram_is_described_and_taken_from_the_system);
    tcase_add_test(c, memory_above_4_gib_takes_both_cells);
    tcase_add_test(c, cpus_are_described_with_isa_and_blocks);
    tcase_add_test(c, phandles_join_harts_and_interrupt_controllers);
    tcase_add_test(c, with_zihpm_there_is_a_pmu_that_says_what_counts_what);
    tcase_add_test(c, devices_are_described_from_the_rows);
    tcase_add_test(c, an_aclint_has_a_node_for_each_of_its_devices);
    tcase_add_test(c, the_plic_is_an_interrupt_controller);
    tcase_add_test(c, power_off_and_reboot_write_to_the_syscon);
    tcase_add_test(c, the_pci_host_has_qemus_windows_and_interrupts);
    tcase_add_test(c, flash_and_fw_cfg_lie_in_the_root_as_qemus_do);
    tcase_add_test(c, what_is_not_configured_is_not_in_the_tree);
    tcase_add_test(c, a_long_command_line_fits);
    tcase_add_test(c, a_boot_loader_can_add_to_the_tree_in_place);
    tcase_add_test(c, too_many_harts_are_an_error);
    tcase_add_test(c, a_users_tree_gets_bootargs_initrd_and_seed_and_keeps_the_rest);
    tcase_add_test(c, a_users_tree_without_chosen_gets_one);
    tcase_add_test(c, what_is_no_device_tree_is_refused);
    tcase_add_test(c, a_missing_or_empty_file_is_refused);
}

int main(void)
{
    Suite *suite = suite_create("fdt");
    TCase *c = tcase_create("fdt");
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

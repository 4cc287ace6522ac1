/* The Bochs display on a PCI bus: registers, modes, video memory, and what is redrawn. */
#include "devices/display/bochs.h"
#include "tests/unit/pci_bench.h"
#include "tests/unit/suite.h"

#define DEVFN        (1u << 3)
#define MEMORY_BASE  (MEMORY_32_BASE + 0x1000000)
#define MMIO_BASE    MEMORY_32_BASE
#define MEMORY_BYTES (1u << 20)

enum { XRES = 1, YRES, BPP, ENABLE, BANK, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X_OFFSET, Y_OFFSET };

struct rig {
    struct pci_bench bench;
    struct pci_function *f;
    struct screen *screen;
};

static void rig_init(struct rig *r, struct log *log)
{
    struct error err;
    pci_bench_init(&r->bench, NULL);
    struct bochs_config config = {.memory_bytes = MEMORY_BYTES,
                                  .width = 640,
                                  .height = 480,
                                  .has_edid = true,
                                  .memory = r->bench.memory,
                                  .log = log};
    r->f = bochs_create(&config);
    r->screen = bochs_screen(r->f);
    ck_assert(pci_host_add(r->bench.host, r->f, DEVFN, &err));
    bus_write(&r->bench, config_address(DEVFN, PCI_BAR0), MEMORY_BASE, 4);
    bus_write(&r->bench, config_address(DEVFN, PCI_BAR0 + 8), MMIO_BASE, 4);
    bus_write(&r->bench, config_address(DEVFN, PCI_COMMAND), PCI_COMMAND_MEMORY, 2);
}

static void rig_free(struct rig *r)
{
    pci_bench_free(&r->bench);
}

static void vbe(struct rig *r, unsigned number, uint16_t value)
{
    bus_write(&r->bench, MMIO_BASE + 0x500 + 2 * number, value, 2);
}

static void set_mode(struct rig *r, uint16_t width, uint16_t height)
{
    vbe(r, ENABLE, 0);
    vbe(r, BPP, 32);
    vbe(r, XRES, width);
    vbe(r, YRES, height);
    vbe(r, VIRTUAL_WIDTH, width);
    vbe(r, ENABLE, 0x41);
}

static struct screen_rect look(struct rig *r)
{
    r->screen->refresh(r->screen->owner);
    struct screen_rect changed = r->screen->changed;
    screen_taken(r->screen);
    return changed;
}

#define ck_rect(r, left, top, wide, high)                                                          \
    do {                                                                                           \
        const struct screen_rect expected = {left, top, wide, high}, found = r;                    \
        ck_assert_mem_eq(&found, &expected, sizeof found);                                         \
    } while (0)

START_TEST(a_driver_finds_what_it_looks_for)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert_uint_eq(bus_read(&r.bench, config_address(DEVFN, 0), 4), 0x11111234);
    ck_assert_uint_eq(bus_read(&r.bench, config_address(DEVFN, 8), 4), 0x03800000);
    ck_assert_uint_eq(bus_read(&r.bench, config_address(DEVFN, PCI_SUBSYSTEM), 4), 0x11001af4);
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE + 0x500, 2), 0xb0c5);
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE + 0x514, 2), MEMORY_BYTES >> 16);
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE + 0x600, 4), 8);
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE + 0x604, 4), 0x1e1e1e1e);
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE, 4), 0xffffff00); /* EDID's header */
    ck_assert_uint_eq(bus_read(&r.bench, MMIO_BASE + 128, 4), 0);
    rig_free(&r);
}
END_TEST

START_TEST(stores_to_video_memory_are_shown_and_only_they_are_redrawn)
{
    struct rig r;
    rig_init(&r, NULL);
    bus_write(&r.bench, MEMORY_BASE + 64 * 4 + 8, 0x00010203, 4);
    set_mode(&r, 64, 64);
    ck_rect(look(&r), 0, 0, 64, 64);
    ck_assert_uint_eq(r.screen->pixels[64 + 2], 0x00010203);
    ck_rect(look(&r), 0, 0, 0, 0);
    bus_write(&r.bench, MEMORY_BASE + 64 * 4 * 63 + 63 * 4 + 1, 9, 1);
    ck_rect(look(&r), 63, 63, 1, 1);
    bus_write(&r.bench, MEMORY_BASE + 64 * 4 * 64, 9, 8); /* behind the picture */
    ck_rect(look(&r), 0, 0, 0, 0);
    vbe(&r, Y_OFFSET, 1); /* scrolled by a row */
    look(&r);
    ck_assert_uint_eq(r.screen->pixels[2], 0x00010203);
    ck_assert_uint_eq(bus_read(&r.bench, MEMORY_BASE + 64 * 4 + 8, 8), 0x00010203);
    rig_free(&r);
}
END_TEST

static void count(void *owner)
{
    ++*(unsigned *)owner;
}

START_TEST(video_memory_is_ram_where_its_bar_is)
{
    struct rig r;
    unsigned moves = 0;
    const uint64_t other = MEMORY_BASE + 4 * MEMORY_BYTES;
    rig_init(&r, NULL);
    const struct region *ram = memory_find_data(r.bench.memory, MEMORY_BASE + 0x5000);
    ck_assert(ram->kind == REGION_RAM && ram->base == MEMORY_BASE && ram->size == MEMORY_BYTES);
    ck_assert(memory_find_data(r.bench.memory, MMIO_BASE)->kind == REGION_DEVICE);
    memory_on_moved(r.bench.memory, count, &moves);
    bus_write(&r.bench, config_address(DEVFN, PCI_BAR0), other, 4);
    ck_assert_uint_eq(moves, 1);
    ck_assert(memory_find_data(r.bench.memory, MEMORY_BASE)->kind == REGION_DEVICE);
    ck_assert_uint_eq(memory_find_data(r.bench.memory, other)->base, other);
    bus_write(&r.bench, config_address(DEVFN, PCI_COMMAND), 0, 2);
    ck_assert_uint_eq(moves, 2);
    ck_assert(memory_find_data(r.bench.memory, other)->kind == REGION_DEVICE);
    r.bench.host->ops->reset(r.bench.host);
    ck_assert_uint_eq(moves, 3);
    rig_free(&r);
}
END_TEST

static uint64_t read_small(void *device, uint64_t offset, unsigned size)
{
    (void)device, (void)offset, (void)size;
    return 0x5a;
}

static void destroy_small(struct pci_function *f)
{
    (void)f;
}

START_TEST(a_page_in_which_another_function_decodes_a_part_is_no_ram)
{
    static const struct mmio_ops registers = {.name = "small", .read = read_small, .sizes = 1};
    static const struct pci_function_ops ops = {.destroy = destroy_small};
    static const struct pci_identity identity = {.name = "small", .vendor = 1, .device = 1};
    struct pci_function small = {.ops = NULL};
    struct rig r;
    struct error err;
    rig_init(&r, NULL);
    pci_function_init(&small, &ops, &identity);
    pci_add_bar(&small, 0,
                &(struct pci_bar){.type = PCI_BAR_MEMORY_32, .bytes = 16, .ops = &registers});
    ck_assert(pci_host_add(r.bench.host, &small, 1, &err)); /* before the display */
    bus_write(&r.bench, config_address(1, PCI_BAR0), MEMORY_BASE + 0x1230, 4);
    bus_write(&r.bench, config_address(1, PCI_COMMAND), PCI_COMMAND_MEMORY, 2);
    ck_assert(memory_find_data(r.bench.memory, MEMORY_BASE + 0x1000)->kind == REGION_DEVICE);
    ck_assert(memory_find_data(r.bench.memory, MEMORY_BASE + 0x1fff)->kind == REGION_DEVICE);
    ck_assert(memory_find_data(r.bench.memory, MEMORY_BASE + 0x2000)->kind == REGION_RAM);
    bus_write(&r.bench, MEMORY_BASE + 0x1000, 7, 1);
    ck_assert_uint_eq(bus_read(&r.bench, MEMORY_BASE + 0x1000, 1), 7);
    ck_assert_uint_eq(bus_read(&r.bench, MEMORY_BASE + 0x1230, 1), 0x5a);
    rig_free(&r);
}
END_TEST

START_TEST(the_order_of_bytes_can_be_turned)
{
    struct rig r;
    rig_init(&r, NULL);
    bus_write(&r.bench, MEMORY_BASE, 0x03020100, 4);
    set_mode(&r, 64, 64);
    bus_write(&r.bench, MMIO_BASE + 0x604, 0xbebebebe, 4);
    look(&r);
    ck_assert_uint_eq(r.screen->pixels[0], 0x00010203);
    rig_free(&r);
}
END_TEST

START_TEST(what_does_not_fit_video_memory_is_not_shown)
{
    static const uint16_t modes[][2] = {{0, 0},      {63, 64},    {64, 63},
                                        {1024, 257}, {16385, 64}, {65535, 65535}};
    struct rig r;
    rig_init(&r, NULL);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        set_mode(&r, 1024, 256); /* all of it */
        ck_assert_ptr_nonnull(r.screen->pixels);
        set_mode(&r, modes[i][0], modes[i][1]);
        ck_assert_ptr_null(r.screen->pixels);
        look(&r);
    }
    set_mode(&r, 1024, 256);
    vbe(&r, X_OFFSET, 1);
    ck_assert_ptr_null(r.screen->pixels);
    vbe(&r, X_OFFSET, 0);
    vbe(&r, VIRTUAL_WIDTH, 65535);
    ck_assert_ptr_null(r.screen->pixels);
    vbe(&r, BPP, 16);
    vbe(&r, VIRTUAL_WIDTH, 64);
    ck_assert_ptr_null(r.screen->pixels);
    rig_free(&r);
}
END_TEST

START_TEST(unknown_registers_are_reported)
{
    struct bench_log l;
    struct rig r;
    bench_log_open(&l);
    rig_init(&r, l.log);
    bus_read(&r.bench, MMIO_BASE + 0x700, 4);
    bus_write(&r.bench, MMIO_BASE + 0x700, 1, 4);
    bus_write(&r.bench, MMIO_BASE + 0x514, 1, 2); /* the size of video memory */
    bus_write(&r.bench, MMIO_BASE + 0x400, 1, 1); /* VGA's: drivers unlock it */
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&l, "bochs-display: no register"), 3);
}
END_TEST

START_TEST(a_loaded_state_shows_the_same_picture)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    bus_write(&a.bench, MEMORY_BASE + MEMORY_BYTES - 4, 0x11223344, 4);
    bus_write(&b.bench, MEMORY_BASE, 0x55555555, 4); /* must become zero */
    set_mode(&a, 1024, 256);
    check_round_trip(a.bench.host, b.bench.host);
    look(&b);
    ck_assert_uint_eq(b.screen->width, 1024);
    ck_assert_uint_eq(b.screen->pixels[0], 0);
    ck_assert_uint_eq(b.screen->pixels[1024 * 256 - 1], 0x11223344);
    a.bench.host->ops->reset(a.bench.host);
    ck_assert_ptr_null(a.screen->pixels);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    uint64_t seed = 11;
    rig_init(&r, NULL);
    for (unsigned n = 0; n < 50000; n++) {
        uint64_t noise = bench_random(&seed);
        unsigned size = 1u << (noise & 1);
        uint64_t at = noise >> 8 & 1 ? MEMORY_BASE + (noise >> 9) % MEMORY_BYTES
                                     : MMIO_BASE + 0x500 + (noise >> 9) % 0x18;
        uint64_t value = bench_random(&seed);
        (void)memory_mmio_write(r.bench.memory, at & ~(uint64_t)(size - 1),
                                value >> (value >> 58 & 15), size);
        if (noise >> 60 == 0)
            look(&r);
    }
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bochs");
    TCase *tc = tcase_create("bochs");
    tcase_add_test(tc, a_driver_finds_what_it_looks_for);
    tcase_add_test(tc, stores_to_video_memory_are_shown_and_only_they_are_redrawn);
    tcase_add_test(tc, video_memory_is_ram_where_its_bar_is);
    tcase_add_test(tc, a_page_in_which_another_function_decodes_a_part_is_no_ram);
    tcase_add_test(tc, the_order_of_bytes_can_be_turned);
    tcase_add_test(tc, what_does_not_fit_video_memory_is_not_shown);
    tcase_add_test(tc, unknown_registers_are_reported);
    tcase_add_test(tc, a_loaded_state_shows_the_same_picture);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

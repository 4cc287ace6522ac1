/* Configuration space and BARs, as a CPU sees them through the host bridge. */
#include "tests/unit/pci_probe.h"
#include "tests/unit/suite.h"

/* --- configuration space --- */

START_TEST(slot_0_is_the_host_bridge_of_qemu)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    const uint32_t words[16] = {0x00081b36, 0, 0x06000000, [11] = 0x11001af4};
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        ck_assert_uint_eq(config_get(&b, 0, 4 * i, 4), words[i]);
    pci_bench_free(&b);
}
END_TEST

START_TEST(absent_functions_read_all_ones_and_writes_to_them_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct pci_bench b;
    pci_bench_init(&b, log.log);
    add_probe(&b, SLOT(1), 1);
    uint64_t before = device_hash(b.host);
    const uint64_t absent[] = {config_address(SLOT(2), 0), config_address(SLOT(1) + 1, 0),
                               config_address(255, 0xffc), ECAM_BASE + (1ull << 20),
                               ECAM_BASE + (255ull << 20) + (8ull << 12)};
    for (unsigned i = 0; i < ARRAY_LEN(absent); i++) {
        ck_assert_uint_eq(bus_read(&b, absent[i], 1), 0xff);
        ck_assert_uint_eq(bus_read(&b, absent[i], 2), 0xffff);
        ck_assert_uint_eq(bus_read(&b, absent[i], 4), 0xffffffff);
        bus_write(&b, absent[i], 0, 4);
    }
    ck_assert_uint_eq(bus_read(&b, absent[0], 8), ~0ull);
    ck_assert_uint_eq(device_hash(b.host), before);
    pci_bench_free(&b);
    ck_assert_uint_eq(bench_log_close(&log, "absent function"), ARRAY_LEN(absent));
}
END_TEST

START_TEST(the_header_says_what_the_function_is)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(31) + 0, 3);
    const uint32_t words[16] = {0x56781234,  PCI_STATUS_CAPABILITIES << 16,
                                0x02030407,  0,
                                0x00000001,  0,
                                0x0000000c,  [11] = 0xdef09abc,
                                [13] = 0x58, [15] = 0x300};
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        ck_assert_uint_eq(config_get(&b, SLOT(31), 4 * i, 4), words[i]);
    pci_bench_free(&b);
}
END_TEST

START_TEST(every_width_reads_and_writes_the_same_bytes)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(1), 1);
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (unsigned i = 0; i < 16; i += size)
            config_put(&b, SLOT(1), 0x68 + i, 0x0807060504030201ull * size + i, size);
        for (unsigned other = 1; other <= 8; other *= 2) {
            for (unsigned i = 0; i < 16; i += other) {
                uint64_t expected = 0;
                for (unsigned n = 0; n < other; n++)
                    expected |= config_get(&b, SLOT(1), 0x68 + i + n, 1) << 8 * n;
                ck_assert_uint_eq(config_get(&b, SLOT(1), 0x68 + i, other), expected);
            }
        }
        ck_assert_uint_eq(config_get(&b, SLOT(1), 0x68, size),
                          bits_get(0x0807060504030201ull * size, 0, 8 * size));
    }
    pci_bench_free(&b);
}
END_TEST

START_TEST(only_writable_bits_change)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = add_probe(&b, SLOT(1), 1);
    uint8_t expected[PCI_CONFIG_BYTES];
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i++)
        expected[i] = p->function.initial[i] | p->function.writable[i];
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i += 4)
        config_put(&b, SLOT(1), i, 0xffffffff, 4);
    ck_assert_mem_eq(p->function.config, expected, sizeof expected);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_COMMAND, 4), 0x00100507);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_CACHE_LINE, 4), 0x000000ff);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_IRQ_LINE, 4), 0x000001ff);
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i += 4)
        config_put(&b, SLOT(1), i, 0, 4);
    p->function.config[0x61] = 0;
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_VENDOR_ID, 4), 0x56781234);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_BAR0, 4), 1);
    pci_bench_free(&b);
}
END_TEST

START_TEST(there_is_no_extended_space)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = add_probe(&b, SLOT(1), 1);
    uint64_t before = device_hash(b.host);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0x100, 4), 0xffffffff);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0xfff, 1), 0xff);
    config_put(&b, SLOT(1), 0x100, 0, 4);
    ck_assert_uint_eq(device_hash(b.host), before);
    ck_assert_uint_eq(pci_config_read(&p->function, 0xfe, 4), 0xffff0000);
    pci_config_write(&p->function, 0xfe, 0, 4);
    ck_assert_uint_eq(device_hash(b.host), before);
    pci_bench_free(&b);
}
END_TEST

START_TEST(capabilities_are_a_list_from_the_last_to_the_first)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(1), 1);
    ck_assert(config_get(&b, SLOT(1), PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES);
    const uint8_t ids[] = {0x05, 0x01, 0x09}, lengths[] = {36, 7, 16};
    unsigned at = config_get(&b, SLOT(1), PCI_CAPABILITIES, 1);
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
        ck_assert_uint_eq(at % 4, 0);
        ck_assert_uint_eq(config_get(&b, SLOT(1), at, 1), ids[i]);
        ck_assert_uint_eq(config_get(&b, SLOT(1), at + 2, 1), lengths[i]);
        at = config_get(&b, SLOT(1), at + 1, 1);
    }
    ck_assert_uint_eq(at, 0);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0x43, 1), 0xaa);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_function_hears_of_reads_before_and_of_writes_after_they_happen)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = add_probe(&b, SLOT(1), 1);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0x60, 1), 1);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0x60, 1), 2);
    config_put(&b, SLOT(1), 0x60, 0x5a, 1);
    ck_assert_uint_eq(p->config_writes, 1);
    ck_assert_uint_eq(config_get(&b, SLOT(1), 0x61, 1), 0x5a);
    pci_bench_free(&b);
}
END_TEST

/* --- BARs --- */

START_TEST(all_ones_written_to_a_bar_read_back_as_its_size)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(1), 1);
    const uint32_t masks[6] = {0xffffffe1, 0xfffff000, 0xffffc00c, 0xffffffff, 0, 0};
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++) {
        config_put(&b, SLOT(1), PCI_BAR0 + 4 * i, 0xffffffff, 4);
        ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_BAR0 + 4 * i, 4), masks[i]);
    }
    pci_bench_free(&b);
}
END_TEST

START_TEST(bars_of_all_kinds_are_reached_where_they_were_put)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    expect_hit(&b, p, IO_BASE + 0x1000, IO_BAR, 0);
    expect_hit(&b, p, IO_BASE + 0x1000 + IO_BAR_BYTES - 4, IO_BAR, IO_BAR_BYTES - 4);
    expect_hit(&b, p, MEMORY_32_BASE + 0x10, MEMORY_BAR, 0x10);
    expect_hit(&b, p, MEMORY_64_BASE + 0x3ffc, MEMORY_64_BAR, 0x3ffc);
    expect_nobody(&b, p, IO_BASE + 0x1000 + IO_BAR_BYTES);
    expect_nobody(&b, p, IO_BASE + 0xffc);
    expect_nobody(&b, p, MEMORY_32_BASE + MEMORY_BYTES);
    expect_nobody(&b, p, MEMORY_64_BASE + MEMORY_64_BYTES);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_bar_that_moves_leaves_nothing_behind)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    place_bar(&b, SLOT(1), MEMORY_BAR, 0x7ffff000);
    expect_hit(&b, p, 0x7ffffffc, MEMORY_BAR, 0xffc);
    expect_nobody(&b, p, MEMORY_32_BASE);
    place_bar(&b, SLOT(1), IO_BAR, IO_BYTES - IO_BAR_BYTES);
    expect_hit(&b, p, IO_BASE + IO_BYTES - 4, IO_BAR, IO_BAR_BYTES - 4);
    expect_nobody(&b, p, IO_BASE + 0x1000);
    place_bar(&b, SLOT(1), IO_BAR, 0);
    expect_hit(&b, p, IO_BASE, IO_BAR, 0);
    place_bar(&b, SLOT(1), IO_BAR, 0x10000); /* behind the window */
    expect_nobody(&b, p, IO_BASE);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_64_bit_bar_has_two_registers_and_lives_in_either_memory_window)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    place_bar(&b, SLOT(1), MEMORY_64_BAR, 0x50000000);
    expect_hit(&b, p, 0x50000008, MEMORY_64_BAR, 8);
    config_put(&b, SLOT(1), PCI_BAR0 + 4 * MEMORY_64_BAR + 4, 7, 4);
    expect_nobody(&b, p, 0x50000008);
    expect_hit(&b, p, 0x750000008, MEMORY_64_BAR, 8);
    place_bar(&b, SLOT(1), MEMORY_64_BAR, ~0ull);
    expect_nobody(&b, p, 0x750000008);
    pci_bench_free(&b);
}
END_TEST

START_TEST(io_and_memory_are_two_address_spaces)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    place_bar(&b, SLOT(1), IO_BAR, MEMORY_32_BASE);
    place_bar(&b, SLOT(1), MEMORY_BAR, 0x1000);
    expect_nobody(&b, p, MEMORY_32_BASE);
    expect_nobody(&b, p, IO_BASE + 0x1000);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_32_bit_bar_cannot_be_reached_above_4_gib)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    place_bar(&b, SLOT(1), MEMORY_64_BAR, 0x50000000);
    place_bar(&b, SLOT(1), MEMORY_BAR, 0);
    expect_nobody(&b, p, MEMORY_64_BASE);
    pci_bench_free(&b);
}
END_TEST

START_TEST(the_command_register_turns_decoding_on_and_off)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    config_put(&b, SLOT(1), PCI_COMMAND, PCI_COMMAND_IO, 2);
    expect_hit(&b, p, IO_BASE + 0x1000, IO_BAR, 0);
    expect_nobody(&b, p, MEMORY_32_BASE);
    expect_nobody(&b, p, MEMORY_64_BASE);
    config_put(&b, SLOT(1), PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    expect_nobody(&b, p, IO_BASE + 0x1000);
    expect_hit(&b, p, MEMORY_32_BASE, MEMORY_BAR, 0);
    expect_hit(&b, p, MEMORY_64_BASE, MEMORY_64_BAR, 0);
    config_put(&b, SLOT(1), PCI_COMMAND, 0, 2);
    expect_nobody(&b, p, MEMORY_32_BASE);
    pci_bench_free(&b);
}
END_TEST

START_TEST(where_bars_overlap_the_lowest_slot_answers)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *late = add_probe(&b, SLOT(3), 1), *early = add_probe(&b, SLOT(2), 1);
    for (unsigned slot = 2; slot <= 3; slot++) {
        place_bar(&b, SLOT(slot), MEMORY_BAR, MEMORY_32_BASE);
        place_bar(&b, SLOT(slot), MEMORY_64_BAR, MEMORY_32_BASE);
        config_put(&b, SLOT(slot), PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    }
    expect_hit(&b, early, MEMORY_32_BASE, MEMORY_BAR, 0);
    ck_assert_uint_eq(late->writes, 0);
    expect_hit(&b, early, MEMORY_32_BASE + MEMORY_BYTES, MEMORY_64_BAR, MEMORY_BYTES);
    config_put(&b, SLOT(2), PCI_COMMAND, 0, 2);
    expect_hit(&b, late, MEMORY_32_BASE, MEMORY_BAR, 0);
    pci_bench_free(&b);
}
END_TEST

START_TEST(eight_bytes_are_two_accesses_to_a_bar_of_32_bits)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    ck_assert_uint_eq(bus_read(&b, MEMORY_32_BASE + 8, 8), 0x5566779455667790ull);
    ck_assert_uint_eq(p->size, 4);
    bus_write(&b, MEMORY_32_BASE + 8, 0x1111111122222222ull, 8);
    ck_assert_uint_eq(p->writes, 2);
    ck_assert_uint_eq(p->offset, 12);
    ck_assert_uint_eq(p->value, 0x11111111);
    ck_assert_uint_eq(bus_read(&b, MEMORY_64_BASE + 8, 8), 0x1122334455667790ull);
    ck_assert_uint_eq(p->size, 8);
    pci_bench_free(&b);
}
END_TEST

START_TEST(what_no_bar_takes_reads_all_ones_and_is_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct pci_bench b;
    pci_bench_init(&b, log.log);
    struct probe *p = placed_probe(&b);
    expect_nobody(&b, p, MEMORY_32_BASE + 0x10000);
    ck_assert_uint_eq(bus_read(&b, MEMORY_32_BASE, 2), 0xffff); /* it has 4 only */
    bus_write(&b, MEMORY_32_BASE, 0, 1);
    ck_assert_uint_eq(bus_read(&b, MEMORY_64_BASE + 0x8000, 8), ~0ull);
    ck_assert_uint_eq(p->writes, 0);
    pci_bench_free(&b);
    ck_assert_uint_eq(bench_log_close(&log, "no BAR takes it"), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pci_function");
    TCase *tc = tcase_create("pci_function");
    tcase_add_test(tc, slot_0_is_the_host_bridge_of_qemu);
    tcase_add_test(tc, absent_functions_read_all_ones_and_writes_to_them_are_reported);
    tcase_add_test(tc, the_header_says_what_the_function_is);
    tcase_add_test(tc, every_width_reads_and_writes_the_same_bytes);
    tcase_add_test(tc, only_writable_bits_change);
    tcase_add_test(tc, there_is_no_extended_space);
    tcase_add_test(tc, capabilities_are_a_list_from_the_last_to_the_first);
    tcase_add_test(tc, a_function_hears_of_reads_before_and_of_writes_after_they_happen);
    tcase_add_test(tc, all_ones_written_to_a_bar_read_back_as_its_size);
    tcase_add_test(tc, bars_of_all_kinds_are_reached_where_they_were_put);
    tcase_add_test(tc, a_bar_that_moves_leaves_nothing_behind);
    tcase_add_test(tc, a_64_bit_bar_has_two_registers_and_lives_in_either_memory_window);
    tcase_add_test(tc, io_and_memory_are_two_address_spaces);
    tcase_add_test(tc, a_32_bit_bar_cannot_be_reached_above_4_gib);
    tcase_add_test(tc, the_command_register_turns_decoding_on_and_off);
    tcase_add_test(tc, where_bars_overlap_the_lowest_slot_answers);
    tcase_add_test(tc, eight_bytes_are_two_accesses_to_a_bar_of_32_bits);
    tcase_add_test(tc, what_no_bar_takes_reads_all_ones_and_is_reported);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

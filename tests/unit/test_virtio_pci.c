/* The PCI transport of virtio, as a driver sees it through the host bridge. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_pci_rig.h"

/* --- identity --- */

static void expect_words(struct rig *r, unsigned from, const uint32_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_msg(config_word(r, from + 4 * i) == words[i], "at 0x%x: 0x%08x, not 0x%08x",
                      from + 4 * i, config_word(r, from + 4 * i), words[i]);
}

/* QEMU's values, but that the list begins without MSI-X. */
START_TEST(a_transitional_disk_looks_as_qemus)
{
    struct rig r;
    rig_init(&r, &block_ops, true, true, NULL);
    const uint32_t header[16] = {
        0x10011af4,       0x00100000,        0x01000000,        [4] = 0x00000001,
        [8] = 0x0000000c, [11] = 0x00021af4, [13] = 0x00000084, [15] = 0x00000100};
    expect_words(&r, 0, header, ARRAY_LEN(header));
    rig_free(&r);
}
END_TEST

START_TEST(a_modern_disk_looks_as_qemus)
{
    struct rig r;
    rig_init(&r, &block_ops, false, true, NULL);
    const uint32_t header[16] = {
        0x10421af4,        0x00100000,        0x01000001,       [8] = 0x0000000c,
        [11] = 0x11001af4, [13] = 0x00000084, [15] = 0x00000100};
    expect_words(&r, 0, header, ARRAY_LEN(header));
    rig_free(&r);
}
END_TEST

START_TEST(a_legacy_disk_has_the_io_bar_alone)
{
    struct rig r;
    rig_init(&r, &block_ops, true, false, NULL);
    const uint32_t header[16] = {
        0x10011af4, 0, 0x01000000, [4] = 0x00000001, [11] = 0x00021af4, [15] = 0x00000100};
    expect_words(&r, 0, header, ARRAY_LEN(header));
    ck_assert_uint_eq(config_word(&r, 0x84), 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_device_that_legacy_drivers_never_knew_is_modern_whatever_is_asked)
{
    struct rig r;
    rig_init(&r, &gpu_ops, true, false, NULL);
    ck_assert_uint_eq(config_word(&r, PCI_VENDOR_ID), 0x10501af4);
    ck_assert_uint_eq(config_word(&r, PCI_BAR0), 0);
    ck_assert_uint_eq(config_word(&r, PCI_BAR0 + 16), 0xc);
    rig_free(&r);
}
END_TEST

START_TEST(capabilities_lie_and_point_where_qemus_do)
{
    struct rig r;
    rig_init(&r, &block_ops, true, true, NULL);
    const uint32_t words[] = {0x01100009, 4,          0x0000, 0x1000, 0x03104009, 4, 0x1000, 0x1000,
                              0x04105009, 4,          0x2000, 0x1000, 0x02146009, 4, 0x3000, 0x1000,
                              4,          0x05147009, 0,      0,      0};
    expect_words(&r, 0x40, words, ARRAY_LEN(words));
    rig_free(&r);
}
END_TEST

START_TEST(bars_have_qemus_sizes)
{
    struct rig r;
    rig_init(&r, &block_ops, true, true, NULL);
    for (unsigned bar = 0; bar < PCI_BARS; bar++)
        config_put(&r.bus, DEVFN, PCI_BAR0 + 4 * bar, 0xffffffff, 4);
    const uint32_t masks[PCI_BARS] = {0xffffffe1, 0, 0, 0, 0xffffc00c, 0xffffffff};
    expect_words(&r, PCI_BAR0, masks, PCI_BARS);
    rig_free(&r);
    rig_init(&r, &large_ops, true, true, NULL);
    config_put(&r.bus, DEVFN, PCI_BAR0, 0xffffffff, 4);
    ck_assert_uint_eq(config_word(&r, PCI_BAR0), 0xffffff81);
    rig_free(&r);
}
END_TEST

/* --- the modern interface --- */

START_TEST(features_are_seen_and_accepted_in_words_of_32)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    put(&r, DEVICE_FEATURE_SELECT, 0, 4);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURE, 4),
                      1u << FEATURE | 1u << VIRTIO_F_INDIRECT_DESC | 1u << VIRTIO_F_EVENT_IDX);
    put(&r, DEVICE_FEATURE_SELECT, 1, 4);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURE_SELECT, 4), 1);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURE, 4), 1u << (VIRTIO_F_VERSION_1 - 32));
    put(&r, DEVICE_FEATURE_SELECT, 2, 4);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURE, 4), 0);
    put(&r, DRIVER_FEATURE_SELECT, 1, 4);
    put(&r, DRIVER_FEATURE, 1, 4);
    ck_assert_uint_eq(get(&r, DRIVER_FEATURE, 4), 1);
    put(&r, DRIVER_FEATURE_SELECT, 0, 4);
    ck_assert_uint_eq(get(&r, DRIVER_FEATURE_SELECT, 4), 0);
    put(&r, DRIVER_FEATURE, 1u << FEATURE, 4);
    put(&r, DEVICE_STATUS, ALIVE | VIRTIO_FEATURES_OK, 1);
    ck_assert_uint_eq(get(&r, DEVICE_STATUS, 1), ALIVE | VIRTIO_FEATURES_OK);
    ck_assert(virtio_has(r.virtio, FEATURE) && virtio_has(r.virtio, VIRTIO_F_VERSION_1));
    rig_free(&r);
}
END_TEST

START_TEST(features_that_were_not_offered_are_refused)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    put(&r, DEVICE_STATUS, ALIVE, 1);
    put(&r, DRIVER_FEATURE, 1u << (FEATURE + 1), 4);
    put(&r, DEVICE_STATUS, ALIVE | VIRTIO_FEATURES_OK, 1);
    ck_assert_uint_eq(get(&r, DEVICE_STATUS, 1), ALIVE);
    rig_free(&r);
}
END_TEST

START_TEST(queue_fields_are_those_of_the_selected_queue)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    ck_assert_uint_eq(get(&r, NUM_QUEUES, 2), 2);
    put(&r, QUEUE_SELECT, 1, 2);
    ck_assert_uint_eq(get(&r, QUEUE_SELECT, 2), 1);
    ck_assert_uint_eq(get(&r, QUEUE_SIZE, 2), 8);
    ck_assert_uint_eq(get(&r, QUEUE_NOTIFY_OFF, 2), 1);
    put(&r, QUEUE_SIZE, 4, 2);
    put(&r, QUEUE_DESC, 0x123456789abcdef0, 8);
    put(&r, QUEUE_DRIVER, 0x11111111, 4);
    put(&r, QUEUE_DRIVER + 4, 0x22222222, 4);
    put(&r, QUEUE_DEVICE + 4, 0x33333333, 4);
    ck_assert_uint_eq(get(&r, QUEUE_SIZE, 2), 4);
    ck_assert_uint_eq(get(&r, QUEUE_DESC, 8), 0x123456789abcdef0);
    ck_assert_uint_eq(get(&r, QUEUE_DRIVER, 8), 0x2222222211111111);
    ck_assert_uint_eq(get(&r, QUEUE_DEVICE, 8), 0x3333333300000000);
    ck_assert_uint_eq(get(&r, QUEUE_ENABLE, 2), 0);
    put(&r, QUEUE_SELECT, 0, 2);
    ck_assert_uint_eq(get(&r, QUEUE_SIZE, 2), 8);
    ck_assert_uint_eq(get(&r, QUEUE_DESC, 8), 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_queue_that_is_in_use_or_absent_cannot_be_set_up)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init_mapped(&r, log.log);
    modern_start(&r);
    put(&r, QUEUE_DESC, 0, 4);
    put(&r, QUEUE_ENABLE, 0, 2);
    ck_assert_uint_eq(get(&r, QUEUE_DESC, 8), ring_at(1));
    ck_assert_uint_eq(get(&r, QUEUE_ENABLE, 2), 1);
    put(&r, QUEUE_SELECT, 2, 2);
    put(&r, QUEUE_DEVICE, 0, 4);
    ck_assert_uint_eq(get(&r, QUEUE_SIZE, 2), 0);
    ck_assert_uint_eq(get(&r, QUEUE_ENABLE, 2), 0);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "cannot be set up now"), 3);
}
END_TEST

START_TEST(there_are_no_vectors)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    put(&r, CONFIG_VECTOR, 0, 2);
    put(&r, QUEUE_VECTOR, 1, 2);
    ck_assert_uint_eq(get(&r, CONFIG_VECTOR, 2), 0xffff);
    ck_assert_uint_eq(get(&r, QUEUE_VECTOR, 2), 0xffff);
    rig_free(&r);
}
END_TEST

START_TEST(a_modern_driver_gets_its_answer_and_an_interrupt)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    modern_start(&r);
    for (unsigned queue = 0; queue < 2; queue++) {
        offer_request(&r, queue);
        put(&r, NOTIFY + 4 * queue, queue, 2);
        ck_assert_uint_eq(used_count(&r, queue), 1);
        expect_pong(&r);
        ck_assert(r.bus.wires[WIRE].level);
        ck_assert_uint_eq(get(&r, ISR, 1), VIRTIO_ISR_QUEUE);
        ck_assert(!r.bus.wires[WIRE].level);
        ck_assert_uint_eq(get(&r, ISR, 1), 0);
    }
    rig_free(&r);
}
END_TEST

START_TEST(a_configuration_change_interrupts_and_moves_the_generation)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    modern_start(&r);
    virtio_config_changed(r.virtio);
    ck_assert(r.bus.wires[WIRE].level);
    ck_assert_uint_eq(get(&r, GENERATION, 1), 1);
    ck_assert_uint_eq(get(&r, ISR, 4), VIRTIO_ISR_CONFIG);
    ck_assert(!r.bus.wires[WIRE].level);
    rig_free(&r);
}
END_TEST

START_TEST(status_0_resets_and_lowers_the_pin)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    modern_start(&r);
    virtio_config_changed(r.virtio);
    put(&r, DEVICE_STATUS, 0, 1);
    ck_assert(!r.bus.wires[WIRE].level);
    ck_assert_uint_eq(get(&r, DEVICE_STATUS, 1), 0);
    ck_assert_uint_eq(get(&r, QUEUE_ENABLE, 2), 0);
    ck_assert_uint_eq(get(&r, DRIVER_FEATURE, 4), 0);
    rig_free(&r);
}
END_TEST

START_TEST(the_configuration_of_the_device_takes_every_width)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    ck_assert_uint_eq(get(&r, CONFIG + 1, 1), 2);
    ck_assert_uint_eq(get(&r, CONFIG + 2, 2), 0x0403);
    ck_assert_uint_eq(get(&r, CONFIG + 4, 4), 0x08070605);
    ck_assert_uint_eq(get(&r, CONFIG, 8), 0x0807060504030201);
    put(&r, CONFIG + 2, 0xabcd, 2);
    ck_assert_uint_eq(get(&r, LEGACY + 0x14, 4), 0xabcd0201);
    put(&r, LEGACY + 0x18, 0x77, 1);
    ck_assert_uint_eq(get(&r, CONFIG + 4, 4), 0x08070677);
    ck_assert_uint_eq(get(&r, CONFIG + 8, 4), 0);
    rig_free(&r);
}
END_TEST

START_TEST(accesses_that_mean_no_register_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init_mapped(&r, log.log);
    uint64_t before = device_hash(r.bus.host);
    ck_assert_uint_eq(get(&r, DEVICE_STATUS, 2), 0); /* 1 byte */
    ck_assert_uint_eq(get(&r, NUM_QUEUES, 1), 0);    /* 2 */
    ck_assert_uint_eq(get(&r, COMMON + 0x38, 4), 0); /* behind the end */
    ck_assert_uint_eq(get(&r, NOTIFY, 4), 0);        /* write-only */
    put(&r, DEVICE_STATUS, 0xff, 4);
    put(&r, NUM_QUEUES, 9, 2); /* read-only */
    put(&r, ISR, 1, 1);        /* read-only */
    ck_assert_uint_eq(device_hash(r.bus.host), before);
    ck_assert_uint_eq(get(&r, LEGACY + 0x12, 2), 0); /* 1 byte */
    put(&r, LEGACY + 0x0c, 4, 2);                    /* read-only */
    put(&r, LEGACY_STATUS, 0xff, 2);                 /* 1 byte */
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "no register for a"), 10);
}
END_TEST

/* --- the legacy interface --- */

START_TEST(a_legacy_driver_gets_its_answer_and_an_interrupt)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    legacy_start(&r);
    ck_assert_uint_eq(get(&r, LEGACY + 4, 4), 1u << FEATURE);
    ck_assert(virtio_has(r.virtio, FEATURE));
    ck_assert_uint_eq(get(&r, LEGACY + 8, 4), ring_at(1) / 4096);
    ck_assert_uint_eq(get(&r, LEGACY + 0xc, 2), 8);
    ck_assert_uint_eq(get(&r, LEGACY + 0xe, 2), 1);
    ck_assert_uint_eq(get(&r, LEGACY_STATUS, 1), ALIVE | VIRTIO_DRIVER_OK);
    offer_request(&r, 1);
    put(&r, LEGACY + 0x10, 1, 2);
    ck_assert_uint_eq(used_count(&r, 1), 1);
    expect_pong(&r);
    ck_assert(r.bus.wires[WIRE].level);
    ck_assert_uint_eq(get(&r, LEGACY_ISR, 1), VIRTIO_ISR_QUEUE);
    ck_assert(!r.bus.wires[WIRE].level);
    put(&r, LEGACY + 0xe, 2, 2);
    ck_assert_uint_eq(get(&r, LEGACY + 0xc, 2), 0);
    rig_free(&r);
}
END_TEST

START_TEST(what_is_offered_is_that_of_the_interface_until_it_is_settled)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    ck_assert(get(&r, LEGACY, 4) & 1u << VIRTIO_F_ANY_LAYOUT);
    put(&r, DEVICE_FEATURE_SELECT, 0, 4);
    ck_assert(!(get(&r, DEVICE_FEATURE, 4) & 1u << VIRTIO_F_ANY_LAYOUT));
    ck_assert(get(&r, LEGACY, 4) & 1u << VIRTIO_F_ANY_LAYOUT);
    ck_assert(!(get(&r, DEVICE_FEATURE, 4) & 1u << VIRTIO_F_ANY_LAYOUT));
    legacy_start(&r);
    get(&r, DEVICE_STATUS, 1);
    ck_assert(r.virtio->legacy);
    put(&r, LEGACY_STATUS, 0, 1);
    modern_start(&r);
    get(&r, LEGACY_STATUS, 1);
    ck_assert(!r.virtio->legacy);
    rig_free(&r);
}
END_TEST

/* --- the configuration space --- */

static void aim_access(struct rig *r, unsigned bar, uint32_t offset, uint32_t size)
{
    config_put(&r->bus, DEVFN, 0x88, bar, 1);
    config_put(&r->bus, DEVFN, 0x8c, offset, 4);
    config_put(&r->bus, DEVFN, 0x90, size, 4);
}

START_TEST(the_configuration_space_reaches_bars_that_are_not_mapped)
{
    struct rig r;
    rig_init(&r, &block_ops, true, true, NULL);
    aim_access(&r, 4, 0x2002, 2);
    ck_assert_uint_eq(config_get(&r.bus, DEVFN, 0x94, 2), 0x0403);
    config_put(&r.bus, DEVFN, 0x94, 0xbeef, 2);
    aim_access(&r, 4, 0x2000, 4);
    ck_assert_uint_eq(config_get(&r.bus, DEVFN, 0x94, 4), 0xbeef0201);
    aim_access(&r, 4, 0x14, 1);
    config_put(&r.bus, DEVFN, 0x94, ALIVE, 1);
    ck_assert_uint_eq(config_get(&r.bus, DEVFN, 0x94, 1), ALIVE);
    ck_assert_uint_eq(r.virtio->status, ALIVE);
    rig_free(&r);
}
END_TEST

START_TEST(nonsense_in_the_access_capability_is_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, &block_ops, true, true, log.log);
    const uint32_t nonsense[][3] = {{6, 0, 4},      {255, 0, 4},    {1, 0, 4},
                                    {4, 0x4000, 4}, {4, ~3u, 4},    {4, 0, 3},
                                    {4, 0, 8},      {4, 0x2001, 4}, {5, 0, 4}};
    for (unsigned i = 0; i < ARRAY_LEN(nonsense); i++) {
        aim_access(&r, nonsense[i][0], nonsense[i][1], nonsense[i][2]);
        ck_assert_uint_eq(config_get(&r.bus, DEVFN, 0x94, 4), i);
        config_put(&r.bus, DEVFN, 0x94, i + 1, 4);
    }
    ck_assert_uint_eq(r.virtio->status, 0);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "means no register"), 2 * ARRAY_LEN(nonsense));
}
END_TEST

START_TEST(a_device_that_is_no_bus_master_does_not_answer)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    config_put(&r.bus, DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    modern_start(&r);
    offer_request(&r, 0);
    put(&r, NOTIFY, 0, 2);
    ck_assert_uint_eq(used_count(&r, 0), 0);
    map_bars(&r);
    put(&r, NOTIFY, 0, 2);
    ck_assert_uint_eq(used_count(&r, 0), 1);
    rig_free(&r);
}
END_TEST

START_TEST(a_device_that_stops_being_bus_master_stops_running)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    modern_start(&r);
    config_put(&r.bus, DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    ck_assert(!virtio_is_running(r.virtio));
    ck_assert_uint_eq(get(&r, DEVICE_STATUS, 1), ALIVE | VIRTIO_FEATURES_OK);
    rig_free(&r);
}
END_TEST

START_TEST(a_legacy_driver_may_forget_to_make_it_a_master)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    config_put(&r.bus, DEVFN, PCI_COMMAND, PCI_COMMAND_IO, 2);
    legacy_start(&r);
    offer_request(&r, 0);
    put(&r, LEGACY + 0x10, 0, 2);
    ck_assert_uint_eq(used_count(&r, 0), 1);
    rig_free(&r);
}
END_TEST

/* --- life --- */

START_TEST(a_bus_reset_is_power_on)
{
    struct rig r;
    rig_init(&r, &block_ops, true, true, NULL);
    uint64_t fresh = device_hash(r.bus.host);
    map_bars(&r);
    modern_start(&r);
    put(&r, DEVICE_FEATURE_SELECT, 1, 4);
    virtio_config_changed(r.virtio);
    r.bus.host->ops->reset(r.bus.host);
    ck_assert(!r.bus.wires[WIRE].level);
    ck_assert_uint_eq(device_hash(r.bus.host), fresh);
    map_bars(&r);
    legacy_start(&r);
    r.bus.host->ops->reset(r.bus.host);
    ck_assert_uint_eq(device_hash(r.bus.host), fresh);
    rig_free(&r);
}
END_TEST

START_TEST(a_loaded_device_goes_on_where_the_saved_one_stood)
{
    struct rig a, b;
    rig_init_mapped(&a, NULL);
    rig_init(&b, &block_ops, true, true, NULL);
    modern_start(&a);
    put(&a, DEVICE_FEATURE_SELECT, 1, 4);
    check_round_trip(a.bus.host, b.bus.host);
    ck_assert_uint_eq(get(&b, DEVICE_FEATURE_SELECT, 4), 1);
    ck_assert_uint_eq(get(&b, DRIVER_FEATURE_SELECT, 4), 1);
    ck_assert_uint_eq(get(&b, DRIVER_FEATURE, 4), 1);
    ck_assert_uint_eq(get(&b, QUEUE_SELECT, 2), 1);
    offer_request(&b, 1);
    put(&b, NOTIFY + 4, 1, 2);
    expect_pong(&b);
    pci_check_damaged_states(&a.bus, &b.bus);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_state_of_another_interface_is_refused)
{
    struct rig a, b;
    rig_init(&a, &gpu_ops, false, true, NULL);
    rig_init(&b, &gpu_ops, false, true, NULL);
    a.virtio->legacy = true;
    size_t size;
    uint8_t *saved = device_save(a.bus.host, &size);
    ck_assert(!device_load(b.bus.host, saved, size));
    ck_assert(!b.virtio->legacy);
    free(saved);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init_mapped(&r, NULL);
    uint64_t seed = 7;
    for (unsigned n = 0; n < 30000; n++) {
        if (n % 64 == 0) {
            map_bars(&r);
            if (n & 64)
                modern_start(&r);
            else
                legacy_start(&r);
        }
        uint64_t bytes = bench_random(&seed);
        uint64_t at = RAM_BASE + bench_random(&seed) % (RAM_SIZE - sizeof bytes);
        ck_assert(dma_write(r.bus.memory, at, &bytes, sizeof bytes));
        offer_request(&r, n & 1);
        put(&r, n & 64 ? NOTIFY + 4 * (n & 1) : LEGACY + 0x10, n & 1, 2);
        pci_fuzz_once(&r.bus, &seed);
    }
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtio_pci");
    TCase *tc = tcase_create("virtio_pci");
    tcase_add_test(tc, a_transitional_disk_looks_as_qemus);
    tcase_add_test(tc, a_modern_disk_looks_as_qemus);
    tcase_add_test(tc, a_legacy_disk_has_the_io_bar_alone);
    tcase_add_test(tc, a_device_that_legacy_drivers_never_knew_is_modern_whatever_is_asked);
    tcase_add_test(tc, capabilities_lie_and_point_where_qemus_do);
    tcase_add_test(tc, bars_have_qemus_sizes);
    tcase_add_test(tc, features_are_seen_and_accepted_in_words_of_32);
    tcase_add_test(tc, features_that_were_not_offered_are_refused);
    tcase_add_test(tc, queue_fields_are_those_of_the_selected_queue);
    tcase_add_test(tc, a_queue_that_is_in_use_or_absent_cannot_be_set_up);
    tcase_add_test(tc, there_are_no_vectors);
    tcase_add_test(tc, a_modern_driver_gets_its_answer_and_an_interrupt);
    tcase_add_test(tc, a_configuration_change_interrupts_and_moves_the_generation);
    tcase_add_test(tc, status_0_resets_and_lowers_the_pin);
    tcase_add_test(tc, the_configuration_of_the_device_takes_every_width);
    tcase_add_test(tc, accesses_that_mean_no_register_are_reported);
    tcase_add_test(tc, a_legacy_driver_gets_its_answer_and_an_interrupt);
    tcase_add_test(tc, what_is_offered_is_that_of_the_interface_until_it_is_settled);
    tcase_add_test(tc, the_configuration_space_reaches_bars_that_are_not_mapped);
    tcase_add_test(tc, nonsense_in_the_access_capability_is_reported);
    tcase_add_test(tc, a_device_that_is_no_bus_master_does_not_answer);
    tcase_add_test(tc, a_device_that_stops_being_bus_master_stops_running);
    tcase_add_test(tc, a_legacy_driver_may_forget_to_make_it_a_master);
    tcase_add_test(tc, a_bus_reset_is_power_on);
    tcase_add_test(tc, a_loaded_device_goes_on_where_the_saved_one_stood);
    tcase_add_test(tc, a_state_of_another_interface_is_refused);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

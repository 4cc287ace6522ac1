/* devices/virtio/net.c: a driver made by hand sends, receives, commands. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_net_rig.h"

#define MODERN F_VERSION_1

START_TEST(a_sent_frame_reaches_the_link_without_its_header)
{
    struct net_rig r;
    uint8_t frame[1514];
    struct net_header h = {0};
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    transmit(&r, &h, 12, test_frame(frame, sizeof frame, 1), sizeof frame);
    transmit(&r, &h, 12, test_frame(frame, 60, 2), 60);
    ck_assert_uint_eq(r.sent->count, 2);
    frames_check(r.sent, 1, frame, 60);
    frames_check(r.sent, 0, test_frame(frame, sizeof frame, 1), sizeof frame);
    ck_assert_uint_gt(r.interrupts, 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_legacy_driver_has_a_header_of_ten_bytes)
{
    struct net_rig r;
    uint8_t frame[60], head[10], seen[60];
    struct net_header h = {0};
    uint32_t written;
    rig_init(&r, NULL);
    r.device->legacy = true;
    rig_start(&r, 0);
    transmit(&r, &h, 10, test_frame(frame, sizeof frame, 1), sizeof frame);
    frames_check(r.sent, 0, frame, sizeof frame);
    uint64_t buffer = add_rx(&r, 1526);
    arrive(&r, frame, sizeof frame);
    ck_assert(take_used(&r, RX, &written));
    ck_assert_uint_eq(written, 10 + sizeof frame);
    get(&r, buffer, head, sizeof head);
    get(&r, buffer + 10, seen, sizeof seen);
    ck_assert_mem_eq(head, "\0\0\0\0\0\0\0\0\0\0", 10);
    ck_assert_mem_eq(seen, frame, sizeof frame);
    rig_free(&r);
}
END_TEST

START_TEST(a_received_frame_is_written_behind_a_header_and_interrupts)
{
    struct net_rig r;
    uint8_t frame[1514], seen[1514];
    struct net_header h;
    uint32_t written;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    uint64_t buffer = add_rx(&r, 1526);
    arrive(&r, test_frame(frame, sizeof frame, 1), sizeof frame);
    ck_assert(take_used(&r, RX, &written));
    ck_assert_uint_eq(written, 12 + sizeof frame);
    get(&r, buffer, &h, sizeof h);
    get(&r, buffer + 12, seen, sizeof seen);
    ck_assert_uint_eq(h.flags, 0);
    ck_assert_uint_eq(h.gso_type, 0);
    ck_assert_uint_eq(h.buffers, 1);
    ck_assert_mem_eq(seen, frame, sizeof frame);
    ck_assert_uint_eq(r.interrupts, 1);
    rig_free(&r);
}
END_TEST

START_TEST(a_header_and_a_frame_may_be_cut_anywhere_by_the_buffers_of_a_chain)
{
    struct net_rig r;
    uint8_t frame[100], seen[112];
    uint32_t written;
    for (uint32_t cut = 1; cut < 112; cut++) {
        rig_init(&r, NULL);
        rig_start(&r, MODERN);
        uint64_t at = new_buffer(&r, NULL, 256);
        struct segment s[2] = {{at, cut, true}, {at + cut, 112 - cut, true}};
        add_chain(&r, RX, s, 2);
        arrive(&r, test_frame(frame, sizeof frame, cut), sizeof frame);
        ck_assert(take_used(&r, RX, &written));
        ck_assert_uint_eq(written, 112);
        get(&r, at, seen, sizeof seen);
        ck_assert_uint_eq(seen[10], 1);
        ck_assert_mem_eq(seen + 12, frame, sizeof frame);
        rig_free(&r);
    }
}
END_TEST

START_TEST(a_long_frame_is_spread_over_merged_buffers)
{
    struct net_rig r;
    uint8_t frame[1000], seen[1012];
    uint32_t written;
    const uint32_t sizes[] = {5, 400, 300, 400, 400};
    uint64_t at[5];
    size_t done = 0;
    rig_init(&r, NULL);
    rig_start(&r, MODERN | F_MRG_RXBUF);
    for (unsigned i = 0; i < 5; i++)
        at[i] = add_rx(&r, sizes[i]);
    arrive(&r, test_frame(frame, sizeof frame, 1), sizeof frame);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(take_used(&r, RX, &written));
        ck_assert_uint_eq(written, min_u64(sizes[i], sizeof seen - done));
        get(&r, at[i], seen + done, written);
        done += written;
    }
    ck_assert(!take_used(&r, RX, &written)); /* the fifth was not needed */
    ck_assert_uint_eq(done, sizeof seen);
    ck_assert_uint_eq(seen[10], 4);
    ck_assert_mem_eq(seen + 12, frame, sizeof frame);
    rig_free(&r);
}
END_TEST

START_TEST(without_buffers_a_frame_waits_for_one)
{
    struct net_rig r;
    uint8_t frame[60];
    uint32_t written;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    arrive(&r, test_frame(frame, sizeof frame, 1), sizeof frame);
    ck_assert(input_pending(r.door));
    add_rx(&r, 1526);
    ck_assert(!take_used(&r, RX, &written)); /* frames come between rounds alone */
    input_deliver(r.door);
    ck_assert(take_used(&r, RX, &written));
    ck_assert(!input_pending(r.door));
    rig_free(&r);
}
END_TEST

START_TEST(a_frame_that_does_not_fit_is_lost_and_the_buffers_stay)
{
    struct net_rig r;
    uint8_t frame[600];
    uint32_t written;
    const uint64_t features[] = {MODERN, MODERN | F_MRG_RXBUF};
    for (unsigned i = 0; i < 2; i++) {
        rig_init(&r, NULL);
        rig_start(&r, features[i]);
        add_rx(&r, 100);
        add_rx(&r, 300);
        arrive(&r, test_frame(frame, sizeof frame, 1), sizeof frame);
        ck_assert(!take_used(&r, RX, &written));
        ck_assert(!input_pending(r.door));
        arrive(&r, frame, 60);
        ck_assert(take_used(&r, RX, &written));
        ck_assert_uint_eq(written, 72);
        rig_free(&r);
    }
}
END_TEST

START_TEST(frames_before_the_driver_is_ready_are_lost)
{
    struct net_rig r;
    uint8_t frame[60];
    uint32_t written;
    rig_init(&r, NULL);
    arrive(&r, test_frame(frame, sizeof frame, 1), sizeof frame);
    ck_assert(!input_pending(r.door));
    rig_start(&r, MODERN);
    add_rx(&r, 1526);
    input_deliver(r.door);
    ck_assert(!take_used(&r, RX, &written));
    rig_free(&r);
}
END_TEST

START_TEST(sent_frames_that_are_too_short_or_too_long_are_dropped_and_given_back)
{
    struct net_rig r;
    struct bench_log log;
    struct net_header h = {0};
    uint8_t *frame = calloc(1, LINK_FRAME_MAX + 1);
    bench_log_open(&log);
    rig_init(&r, log.log);
    rig_start(&r, MODERN);
    transmit(&r, &h, 5, frame, 0);
    transmit(&r, &h, 12, frame, 0);
    transmit(&r, &h, 12, frame, 13);
    transmit(&r, &h, 12, frame, LINK_FRAME_MAX + 1);
    ck_assert_uint_eq(r.sent->count, 0);
    transmit(&r, &h, 12, frame, LINK_FRAME_MAX);
    transmit(&r, &h, 12, frame, 14);
    ck_assert_uint_eq(r.sent->count, 2);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "virtio-net: a frame of"), 4);
    free(frame);
}
END_TEST

START_TEST(the_configuration_shows_address_and_link_and_a_legacy_driver_may_set_the_address)
{
    struct net_rig r;
    uint8_t config[8];
    rig_init(&r, NULL);
    virtio_read_config(r.device, 0, config, 8);
    ck_assert_mem_eq(config, rig_mac, 6);
    ck_assert_mem_eq(config + 6, "\1\0", 2);
    virtio_write_config(r.device, 0, "\2\0\0\0\0\1", 6);
    virtio_read_config(r.device, 0, config, 6);
    ck_assert_mem_eq(config, rig_mac, 6);
    r.device->legacy = true;
    for (unsigned i = 0; i < 6; i++)
        virtio_write_config(r.device, i, &(const uint8_t[]){2, 0, 0, 0, 0, 1}[i], 1);
    virtio_write_config(r.device, 6, "\0\0", 2);
    virtio_read_config(r.device, 0, config, 8);
    ck_assert_mem_eq(config, "\2\0\0\0\0\1\1\0", 8);
    virtio_reset(r.device);
    virtio_read_config(r.device, 0, config, 8);
    ck_assert_mem_eq(config, rig_mac, 6);
    rig_free(&r);
}
END_TEST

/* --- filters ----------------------------------------------------------------------------- */

enum { PROMISCUOUS, ALL_MULTI, ALL_UNI, NO_MULTI, NO_UNI, NO_BROADCAST };

static void set_mode(struct net_rig *r, uint8_t mode, uint8_t on)
{
    ck_assert_uint_eq(command(r, 0, mode, &on, 1), 0);
}

/* Whether a frame to this address comes through. */
static bool comes_through(struct net_rig *r, const char *mac)
{
    uint8_t frame[60] = {0};
    uint32_t written;
    memcpy(frame, mac, 6);
    add_rx(r, 128);
    arrive(r, frame, sizeof frame);
    bool came = take_used(r, RX, &written);
    ck_assert(!input_pending(r->door));
    return came;
}

#define OWN        "\x52\x54\x00\x12\x34\x56"
#define BROADCAST  "\xff\xff\xff\xff\xff\xff"
#define STRANGER   "\x52\x54\x00\x00\x00\x01"
#define STRANGER_2 "\x52\x54\x00\x00\x00\x02"
#define GROUP      "\x33\x33\x00\x00\x00\x01"
#define GROUP_2    "\x01\x00\x5e\x00\x00\x01"

START_TEST(all_frames_pass_until_the_driver_says_otherwise)
{
    struct net_rig r;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    ck_assert(comes_through(&r, STRANGER));
    ck_assert(comes_through(&r, GROUP));
    set_mode(&r, PROMISCUOUS, 0);
    ck_assert(!comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, GROUP));
    ck_assert(comes_through(&r, OWN));
    ck_assert(comes_through(&r, BROADCAST));
    rig_free(&r);
}
END_TEST

START_TEST(modes_let_kinds_of_frames_pass_or_not)
{
    struct net_rig r;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    set_mode(&r, PROMISCUOUS, 0);
    set_mode(&r, ALL_MULTI, 1);
    ck_assert(comes_through(&r, GROUP));
    ck_assert(!comes_through(&r, STRANGER));
    set_mode(&r, NO_MULTI, 1);
    ck_assert(!comes_through(&r, GROUP));
    set_mode(&r, ALL_UNI, 1);
    ck_assert(comes_through(&r, STRANGER));
    set_mode(&r, NO_UNI, 1);
    ck_assert(!comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, OWN));
    ck_assert(comes_through(&r, BROADCAST));
    set_mode(&r, NO_BROADCAST, 1);
    ck_assert(!comes_through(&r, BROADCAST));
    rig_free(&r);
}
END_TEST

START_TEST(tables_let_their_addresses_pass)
{
    struct net_rig r;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    set_mode(&r, PROMISCUOUS, 0);
    ck_assert_uint_eq(command(&r, 1, 0, "\1\0\0\0" STRANGER "\1\0\0\0" GROUP, 4 + 6 + 4 + 6), 0);
    ck_assert(comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, STRANGER_2));
    ck_assert(comes_through(&r, GROUP));
    ck_assert(!comes_through(&r, GROUP_2));
    ck_assert_uint_eq(command(&r, 1, 0, "\0\0\0\0\0\0\0\0", 8), 0);
    ck_assert(!comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, GROUP));
    rig_free(&r);
}
END_TEST

START_TEST(a_table_longer_than_ours_lets_all_of_its_kind_pass)
{
    struct net_rig r;
    uint8_t data[4 + 65 * 6 + 4] = {65};
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    set_mode(&r, PROMISCUOUS, 0);
    ck_assert_uint_eq(command(&r, 1, 0, data, sizeof data), 0);
    ck_assert(comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, GROUP));
    rig_free(&r);
}
END_TEST

START_TEST(the_address_can_be_set_by_command)
{
    struct net_rig r;
    uint8_t config[6];
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    set_mode(&r, PROMISCUOUS, 0);
    ck_assert_uint_eq(command(&r, 1, 1, STRANGER, 6), 0);
    ck_assert(comes_through(&r, STRANGER));
    ck_assert(!comes_through(&r, OWN));
    virtio_read_config(r.device, 0, config, 6);
    ck_assert_mem_eq(config, STRANGER, 6);
    rig_free(&r);
}
END_TEST

START_TEST(commands_that_make_no_sense_are_answered_with_an_error_and_change_nothing)
{
    struct net_rig r;
    rig_init(&r, NULL);
    rig_start(&r, MODERN);
    uint64_t before = device_hash_of(r.device);
    ck_assert_uint_eq(command(&r, 0, 6, "\1", 1), 1);
    ck_assert_uint_eq(command(&r, 0, 0, NULL, 0), 1);
    ck_assert_uint_eq(command(&r, 1, 1, STRANGER, 5), 1);
    ck_assert_uint_eq(command(&r, 1, 1, STRANGER STRANGER, 12), 1);
    ck_assert_uint_eq(command(&r, 1, 0, "\1\0\0\0", 4), 1);
    ck_assert_uint_eq(command(&r, 1, 0, "\xff\xff\xff\xff" STRANGER, 10), 1);
    ck_assert_uint_eq(command(&r, 1, 0, "\1\0\0\0" STRANGER "\2\0\0\0" GROUP, 20), 1);
    ck_assert_uint_eq(command(&r, 1, 2, "\1", 1), 1);
    ck_assert_uint_eq(command(&r, 99, 0, "\1", 1), 1);
    ck_assert_uint_eq(device_hash_of(r.device), before);
    rig_free(&r);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

START_TEST(filters_and_address_are_state)
{
    struct net_rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    rig_start(&a, MODERN);
    set_mode(&a, PROMISCUOUS, 0);
    command(&a, 1, 1, STRANGER, 6);
    command(&a, 1, 0, "\1\0\0\0" STRANGER_2 "\1\0\0\0" GROUP, 20);
    struct state *save = state_new_save();
    virtio_state(a.device, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    virtio_state(b.device, load);
    ck_assert(state_ok(load));
    state_free(load);
    state_free(save);
    struct state *x = state_new_hash(), *y = state_new_hash();
    virtio_state(a.device, x);
    virtio_state(b.device, y);
    ck_assert_uint_eq(state_hash(x), state_hash(y));
    state_free(x);
    state_free(y);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_harmless)
{
    struct net_rig a, b;
    uint64_t seed = 5;
    rig_init(&a, NULL);
    rig_start(&a, MODERN);
    command(&a, 1, 0, "\1\0\0\0" STRANGER_2 "\1\0\0\0" GROUP, 20);
    struct state *save = state_new_save();
    virtio_state(a.device, save);
    size_t size;
    const void *data = state_data(save, &size);
    uint8_t *bytes = malloc(size);
    rig_init(&b, NULL);
    for (size_t i = 0; i < size; i++) {
        memcpy(bytes, data, size);
        bytes[i] ^= (uint8_t)(1 + bench_random(&seed) % 255);
        struct state *load = state_new_load(bytes, size);
        virtio_state(b.device, load);
        state_free(load);
        uint8_t frame[60] = {1};
        arrive(&b, frame, sizeof frame);
        virtio_notify(b.device, TX);
        virtio_notify(b.device, CONTROL);
    }
    free(bytes);
    state_free(save);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_reset_brings_address_and_filters_back)
{
    struct net_rig r;
    rig_init(&r, NULL);
    uint64_t before = device_hash_of(r.device);
    rig_start(&r, MODERN);
    set_mode(&r, PROMISCUOUS, 0);
    command(&r, 1, 1, STRANGER, 6);
    command(&r, 1, 0, "\1\0\0\0" STRANGER_2 "\1\0\0\0" GROUP, 20);
    ck_assert_uint_ne(device_hash_of(r.device), before);
    virtio_set_status(r.device, 0);
    ck_assert_uint_eq(device_hash_of(r.device), before);
    rig_free(&r);
}
END_TEST

START_TEST(rings_of_garbage_do_no_harm)
{
    struct net_rig r;
    uint64_t seed = 11;
    rig_init(&r, NULL);
    for (unsigned round = 0; round < 300; round++) {
        virtio_set_status(r.device, 0);
        rig_start(&r, MODERN | (round & 1 ? F_MRG_RXBUF : 0) | (round & 2 ? F_GUEST_CSUM : 0));
        for (unsigned i = 0; i < 400; i++) {
            uint64_t value = bench_random(&seed) >> (bench_random(&seed) & 63);
            uint64_t gpa = RAM_BASE + bench_random(&seed) % 0xc000;
            put(&r, gpa, &value, 1 + bench_random(&seed) % 8);
        }
        for (unsigned i = 0; i < RINGS; i++) {
            uint16_t index = (uint16_t)(bench_random(&seed) % (RING_SIZE + 2));
            put(&r, r.rings[i].avail + 2, &index, 2);
            virtio_notify(r.device, i);
        }
        uint8_t frame[300] = {1};
        for (unsigned i = 0; i < 4; i++)
            arrive(&r, frame, sizeof frame);
    }
    rig_free(&r);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("virtio-net");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_sent_frame_reaches_the_link_without_its_header);
    tcase_add_test(cases, a_legacy_driver_has_a_header_of_ten_bytes);
    tcase_add_test(cases, a_received_frame_is_written_behind_a_header_and_interrupts);
    tcase_add_test(cases, a_header_and_a_frame_may_be_cut_anywhere_by_the_buffers_of_a_chain);
    tcase_add_test(cases, a_long_frame_is_spread_over_merged_buffers);
    tcase_add_test(cases, without_buffers_a_frame_waits_for_one);
    tcase_add_test(cases, a_frame_that_does_not_fit_is_lost_and_the_buffers_stay);
    tcase_add_test(cases, frames_before_the_driver_is_ready_are_lost);
    tcase_add_test(cases, sent_frames_that_are_too_short_or_too_long_are_dropped_and_given_back);
    tcase_add_test(
        cases, the_configuration_shows_address_and_link_and_a_legacy_driver_may_set_the_address);
    tcase_add_test(cases, all_frames_pass_until_the_driver_says_otherwise);
    tcase_add_test(cases, modes_let_kinds_of_frames_pass_or_not);
    tcase_add_test(cases, tables_let_their_addresses_pass);
    tcase_add_test(cases, a_table_longer_than_ours_lets_all_of_its_kind_pass);
    tcase_add_test(cases, the_address_can_be_set_by_command);
    tcase_add_test(cases,
                   commands_that_make_no_sense_are_answered_with_an_error_and_change_nothing);
    tcase_add_test(cases, filters_and_address_are_state);
    tcase_add_test(cases, a_damaged_state_is_refused_or_harmless);
    tcase_add_test(cases, a_reset_brings_address_and_filters_back);
    tcase_add_test(cases, rings_of_garbage_do_no_harm);
    Suite *suite = suite_create("virtio-net");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

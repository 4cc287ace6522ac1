/* The receiver of the NS16550A: FIFO, trigger levels, character timeout. */
#include "tests/unit/ns16550a_rig.h"
#include "tests/unit/suite.h"

START_TEST(a_reset_ends_the_interrupt_and_the_timeout)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_1);
    arrive(&r, "x");
    ck_assert(r.irq.level);
    r.uart->ops->reset(r.uart);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    rig_free(&r);
}
END_TEST

START_TEST(without_fifos_one_byte_is_taken_and_interrupts)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x01);
    ck_assert_uint_eq(arrive(&r, "ab"), 1);
    ck_assert_uint_eq(arrive(&r, "b"), 0);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x04);
    ck_assert_uint_eq(get(&r, LSR), 0x61);
    ck_assert_uint_eq(get(&r, RBR), 'a');
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(get(&r, LSR), 0x60);
    rig_free(&r);
}
END_TEST

START_TEST(the_fifo_takes_sixteen_bytes_and_gives_them_in_order)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_14);
    ck_assert_uint_eq(arrive(&r, "0123456789"), 10);
    ck_assert_uint_eq(get(&r, RBR), '0');
    ck_assert_uint_eq(arrive(&r, "abcdefghij"), 7);
    const char *expected = "123456789abcdefg";
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(get(&r, RBR), expected[i]);
    ck_assert_uint_eq(get(&r, LSR), 0x60);
    rig_free(&r);
}
END_TEST

START_TEST(the_receive_interrupt_follows_the_trigger_level)
{
    const struct {
        uint8_t fcr;
        unsigned level;
    } cases[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xc1, 14}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_init(&r, NULL);
        open_port(&r, cases[i].fcr);
        for (unsigned n = 1; n <= cases[i].level; n++) {
            ck_assert(!r.irq.level);
            arrive(&r, "x");
        }
        ck_assert(r.irq.level);
        ck_assert_uint_eq(get(&r, IIR), 0xc4);
        get(&r, RBR);
        ck_assert(!r.irq.level);
        rig_free(&r);
    }
}
END_TEST

START_TEST(bytes_below_the_trigger_interrupt_after_four_character_times)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "abc");
    bench_advance(&r.time, TIMEOUT_NS - 1);
    ck_assert(!r.irq.level);
    bench_advance(&r.time, 1);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0xcc);
    rig_free(&r);
}
END_TEST

START_TEST(a_read_ends_the_timeout_interrupt_and_starts_its_time_again)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "ab");
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert_uint_eq(get(&r, RBR), 'a');
    ck_assert(!r.irq.level);
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, RBR), 'b');
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    rig_free(&r);
}
END_TEST

START_TEST(an_arrival_starts_the_timeout_again)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "a");
    bench_advance(&r.time, TIMEOUT_NS - 1);
    arrive(&r, "b");
    bench_advance(&r.time, TIMEOUT_NS - 1);
    ck_assert(!r.irq.level);
    bench_advance(&r.time, 1);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(the_timeout_counts_the_bits_of_a_character)
{
    const struct {
        uint8_t lcr;
        unsigned bits;
    } cases[] = {{0x00, 7}, {0x03, 10}, {0x07, 11}, {0x0b, 11}, {0x0f, 12}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_init(&r, NULL);
        open_port(&r, TRIGGER_8);
        put(&r, LCR, cases[i].lcr);
        arrive(&r, "x");
        ck_assert_uint_eq(r.time.events.next_ns,
                          4 * cases[i].bits * 16 * 2 * 1000000000ull / NS16550A_CLOCK_HZ);
        rig_free(&r);
    }
}
END_TEST

START_TEST(taking_nothing_changes_nothing)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "x");
    bench_advance(&r.time, TIMEOUT_NS - 1);
    ck_assert_uint_eq(ns16550a_receive(r.uart, NULL, 0), 0);
    ck_assert_uint_eq(ns16550a_take_input(r.uart, NULL, 0), 0);
    bench_advance(&r.time, 1);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(ns16550a_receive(r.uart, NULL, 0), 0);
    ck_assert_uint_eq(ns16550a_take_input(r.uart, NULL, 0), 0);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(the_timeout_interrupt_is_state)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "x");
    uint64_t before = device_hash(r.uart);
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert_uint_ne(device_hash(r.uart), before);
    rig_free(&r);
}
END_TEST

START_TEST(a_loaded_byte_times_out)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    open_port(&a, TRIGGER_8);
    arrive(&a, "x");
    check_round_trip(a.uart, b.uart);
    copy_events(&a.time.events, &b.time.events);
    bench_advance(&b.time, TIMEOUT_NS);
    ck_assert(b.irq.level);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_timeout_without_interrupts_is_seen_when_they_are_enabled)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    put(&r, IER, 0);
    arrive(&r, "a");
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert(!r.irq.level);
    put(&r, IER, 1);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(a_divisor_of_0_still_times_out)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    put(&r, LCR, 0x80);
    put(&r, RBR, 0);
    put(&r, LCR, 0x03);
    arrive(&r, "a");
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(fcr_clears_the_receiver_on_request_and_when_fifos_are_switched)
{
    const uint8_t writes[] = {TRIGGER_8 | 0x02, 0x00};
    for (unsigned i = 0; i < ARRAY_LEN(writes); i++) {
        struct rig r;
        rig_init(&r, NULL);
        open_port(&r, TRIGGER_8);
        arrive(&r, "0123456789");
        put(&r, FCR, writes[i]);
        ck_assert_uint_eq(get(&r, LSR), 0x60);
        ck_assert(!r.irq.level);
        ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
        rig_free(&r);
    }
}
END_TEST

START_TEST(clearing_the_receiver_ends_the_timeout_interrupt)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "x");
    bench_advance(&r.time, TIMEOUT_NS);
    ck_assert(r.irq.level);
    put(&r, FCR, TRIGGER_8 | 0x02);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(fcr_without_the_clear_bit_keeps_the_bytes)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_14);
    arrive(&r, "abcd");
    put(&r, FCR, TRIGGER_1);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, RBR), 'a');
    rig_free(&r);
}
END_TEST

START_TEST(iir_shows_whether_the_fifos_are_enabled)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, FCR, TRIGGER_1);
    ck_assert_uint_eq(get(&r, IIR), 0xc1);
    uint64_t before = device_hash(r.uart);
    put(&r, FCR, 0x00);
    ck_assert_uint_ne(device_hash(r.uart), before);
    before = device_hash(r.uart);
    put(&r, FCR, 0xc0); /* the trigger alone is not programmed */
    ck_assert_uint_eq(device_hash(r.uart), before);
    ck_assert_uint_eq(get(&r, IIR), 0x01);
    rig_free(&r);
}
END_TEST

START_TEST(firmware_takes_input_as_reads_of_rbr_do)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    arrive(&r, "0123456789");
    uint8_t to[32];
    ck_assert_uint_eq(ns16550a_take_input(r.uart, to, 3), 3);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(ns16550a_take_input(r.uart, to + 3, sizeof to - 3), 7);
    ck_assert_mem_eq(to, "0123456789", 10);
    ck_assert_uint_eq(ns16550a_take_input(r.uart, to, sizeof to), 0);
    rig_free(&r);
}
END_TEST

/* As an interrupt-driven driver does: no access without an interrupt. */
static void serve_interrupts(struct rig *r, char *got, size_t *count, size_t room)
{
    while (r->irq.level)
        while (get(r, LSR) & 1) {
            ck_assert_uint_lt(*count, room);
            got[(*count)++] = get(r, RBR);
        }
}

START_TEST(an_interrupt_driven_reader_gets_every_byte)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_8);
    char text[1001], got[1001] = "";
    for (unsigned i = 0; i < 1000; i++)
        text[i] = 'a' + i * 7 % 26;
    uint64_t seed = 3;
    size_t given = 0, count = 0;
    for (unsigned round = 0; round < 3000 && count < 1000; round++) {
        size_t n = min_u64(bench_random(&seed) % 20, 1000 - given);
        given += ns16550a_receive(r.uart, (uint8_t *)text + given, n);
        bench_advance(&r.time, bench_random(&seed) % (2 * TIMEOUT_NS));
        serve_interrupts(&r, got, &count, 1000);
    }
    ck_assert_uint_eq(count, 1000);
    ck_assert_mem_eq(got, text, 1000);
    rig_free(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, a_reset_ends_the_interrupt_and_the_timeout);
    tcase_add_test(tc, without_fifos_one_byte_is_taken_and_interrupts);
    tcase_add_test(tc, the_fifo_takes_sixteen_bytes_and_gives_them_in_order);
    tcase_add_test(tc, the_receive_interrupt_follows_the_trigger_level);
    tcase_add_test(tc, bytes_below_the_trigger_interrupt_after_four_character_times);
    tcase_add_test(tc, a_read_ends_the_timeout_interrupt_and_starts_its_time_again);
    tcase_add_test(tc, an_arrival_starts_the_timeout_again);
    tcase_add_test(tc, the_timeout_counts_the_bits_of_a_character);
    tcase_add_test(tc, taking_nothing_changes_nothing);
    tcase_add_test(tc, the_timeout_interrupt_is_state);
    tcase_add_test(tc, a_loaded_byte_times_out);
    tcase_add_test(tc, a_timeout_without_interrupts_is_seen_when_they_are_enabled);
    tcase_add_test(tc, a_divisor_of_0_still_times_out);
    tcase_add_test(tc, fcr_clears_the_receiver_on_request_and_when_fifos_are_switched);
    tcase_add_test(tc, clearing_the_receiver_ends_the_timeout_interrupt);
    tcase_add_test(tc, fcr_without_the_clear_bit_keeps_the_bytes);
    tcase_add_test(tc, iir_shows_whether_the_fifos_are_enabled);
    tcase_add_test(tc, firmware_takes_input_as_reads_of_rbr_do);
    tcase_add_test(tc, an_interrupt_driven_reader_gets_every_byte);
}

int main(void)
{
    Suite *suite = suite_create("ns16550a_receiver");
    TCase *tc = tcase_create("ns16550a_receiver");
    add_tests(tc);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

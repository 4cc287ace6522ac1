/* The NS16550A through its ops: all but its receiver. */
#include "tests/unit/ns16550a_rig.h"
#include "tests/unit/suite.h"

START_TEST(reset_gives_the_documented_values)
{
    struct rig r;
    rig_init(&r, NULL);
    open_port(&r, TRIGGER_14);
    put(&r, SCR, 0x55);
    put(&r, MCR, 0x1f);
    arrive(&r, "x");
    r.uart->ops->reset(r.uart);
    const uint8_t values[] = {0x00, 0x00, 0x01, 0x00, 0x08, 0x60, 0xb0, 0x00};
    for (unsigned reg = 0; reg < ARRAY_LEN(values); reg++)
        ck_assert_uint_eq(get(&r, reg), values[reg]);
    rig_free(&r);
}
END_TEST

static void do_ier(struct rig *r)
{
    put(r, IER, 0x04);
}

static void do_fcr(struct rig *r)
{
    put(r, FCR, TRIGGER_1);
}

static void do_lcr(struct rig *r)
{
    put(r, LCR, 0x03);
}

static void do_mcr(struct rig *r)
{
    put(r, MCR, 0x00);
}

static void do_scr(struct rig *r)
{
    put(r, SCR, 0x01);
}

static void do_seen(struct rig *r)
{
    get(r, LSR);
}

static void do_deltas(struct rig *r)
{
    put(r, MCR, 0x10);
    put(r, MCR, 0x08);
}

static void do_divisor(struct rig *r)
{
    put(r, LCR, 0x80);
    put(r, RBR, 2);
    put(r, LCR, 0x00);
}

static void do_send(struct rig *r)
{
    put(r, THR, 'x');
}

static void do_arrive(struct rig *r)
{
    put(r, IER, 0x01);
    arrive(r, "x");
    put(r, IER, 0x00);
}

static void do_overrun(struct rig *r)
{
    put(r, MCR, 0x10);
    put(r, THR, 'x');
    put(r, THR, 'x');
    put(r, MCR, 0x08);
    get(r, RBR);
    get(r, MSR);
    put(r, IER, 0x02);
    get(r, IIR);
    put(r, IER, 0x00);
}

START_TEST(everything_is_state_that_a_reset_clears)
{
    void (*const acts[])(struct rig *) = {do_ier,    do_fcr,     do_lcr,     do_mcr,
                                          do_scr,    do_deltas,  do_divisor, do_send,
                                          do_arrive, do_overrun, do_seen};
    for (unsigned i = 0; i < ARRAY_LEN(acts); i++) {
        struct rig r;
        rig_init(&r, NULL);
        uint64_t quiet = device_hash(r.uart);
        acts[i](&r);
        ck_assert_uint_ne(device_hash(r.uart), quiet);
        r.uart->ops->reset(r.uart);
        ck_assert_uint_eq(device_hash(r.uart), quiet);
        rig_free(&r);
    }
}
END_TEST

START_TEST(plain_registers_keep_the_bits_that_exist)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, LCR, 0x7f);
    put(&r, IER, 0xff);
    put(&r, MCR, 0xff);
    put(&r, SCR, 0xa5);
    ck_assert_uint_eq(get(&r, LCR), 0x7f);
    ck_assert_uint_eq(get(&r, IER), 0x0f);
    ck_assert_uint_eq(get(&r, MCR), 0x1f);
    ck_assert_uint_eq(get(&r, SCR), 0xa5);
    rig_free(&r);
}
END_TEST

START_TEST(dlab_puts_the_divisor_over_data_and_ier)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x04);
    put(&r, LCR, 0x80);
    put(&r, RBR, 0x34);
    put(&r, IER, 0x12);
    ck_assert_uint_eq(get(&r, RBR), 0x34);
    ck_assert_uint_eq(get(&r, IER), 0x12);
    ck_assert_uint_eq(r.sent_count, 0);
    put(&r, LCR, 0x03);
    ck_assert_uint_eq(get(&r, IER), 0x04);
    rig_free(&r);
}
END_TEST

START_TEST(a_written_byte_leaves_at_once)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, THR, 'h');
    reg_write(r.uart, THR, 0x12345600 | 'i', 4);
    ck_assert_uint_eq(r.sent_count, 2);
    ck_assert_mem_eq(r.sent, "hi", 2);
    ck_assert_uint_eq(get(&r, LSR), 0x60);
    rig_free(&r);
}
END_TEST

START_TEST(without_a_sink_bytes_are_thrown_away)
{
    struct rig r;
    rig_init(&r, NULL);
    struct ns16550a_config config = {.clock = &r.time.clock, .events = &r.time.events};
    struct device *uart = ns16550a_create(&config);
    uart->ops->reset(uart);
    reg_write(uart, THR, 'x', 1);
    ck_assert_uint_eq(reg_read(uart, LSR, 1), 0x60);
    uart->ops->destroy(uart);
    rig_free(&r);
}
END_TEST

START_TEST(enabling_the_thre_interrupt_raises_it_and_iir_acknowledges_it)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x02);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x02);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x01);
    put(&r, IER, 0x02); /* still enabled: no news */
    ck_assert(!r.irq.level);
    put(&r, IER, 0x00);
    put(&r, IER, 0x02);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(sending_raises_the_thre_interrupt_again)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x02);
    get(&r, IIR);
    put(&r, THR, 'x');
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x02);
    rig_free(&r);
}
END_TEST

START_TEST(lsr_lowers_the_wire_of_a_thre_interrupt_that_iir_still_shows)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x02);
    get(&r, LSR);
    ck_assert(!r.irq.level);
    put(&r, THR, 'x');
    ck_assert(r.irq.level); /* a new one */
    get(&r, LSR);
    put(&r, SCR, 1);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x02);
    ck_assert_uint_eq(get(&r, IIR), 0x01);
    rig_free(&r);
}
END_TEST

START_TEST(lsr_lowers_the_wire_for_no_other_interrupt)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, IER, 0x0b);
    put(&r, MCR, 0x10); /* the modem inputs change */
    get(&r, LSR);
    ck_assert(r.irq.level);
    get(&r, MSR);
    ck_assert(!r.irq.level);
    put(&r, THR, 'x');
    get(&r, LSR);
    ck_assert(r.irq.level); /* it has arrived */
    get(&r, RBR);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(loopback_returns_what_is_sent_and_shuts_the_outside_out)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, MCR, 0x10);
    ck_assert_uint_eq(arrive(&r, "x"), 0);
    put(&r, THR, 'y');
    ck_assert_uint_eq(r.sent_count, 0);
    ck_assert_uint_eq(get(&r, RBR), 'y');
    put(&r, MCR, 0x00);
    ck_assert_uint_eq(arrive(&r, "x"), 1);
    rig_free(&r);
}
END_TEST

START_TEST(loopback_connects_the_modem_outputs_to_the_inputs)
{
    const struct {
        uint8_t mcr, msr;
    } cases[] = {{0x10, 0x00}, {0x11, 0x20}, {0x12, 0x10},
                 {0x14, 0x40}, {0x18, 0x80}, {0x1a, 0x90}};
    struct rig r;
    rig_init(&r, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        put(&r, MCR, cases[i].mcr);
        ck_assert_uint_eq(get(&r, MSR) & 0xf0, cases[i].msr);
    }
    rig_free(&r);
}
END_TEST

START_TEST(changes_of_modem_inputs_set_deltas_that_reading_clears)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, MCR, 0x10);
    ck_assert_uint_eq(get(&r, MSR), 0x0b); /* DCD, DSR, CTS fell */
    ck_assert_uint_eq(get(&r, MSR), 0x00);
    put(&r, MCR, 0x16); /* CTS rises; RI rises, which is no edge to report */
    ck_assert_uint_eq(get(&r, MSR), 0x51);
    put(&r, IER, 0x08);
    ck_assert(!r.irq.level);
    put(&r, MCR, 0x12); /* RI fell */
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x00);
    ck_assert_uint_eq(get(&r, MSR), 0x14);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(an_overrun_is_shown_once_and_interrupts)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, MCR, 0x10);
    put(&r, THR, 'a');
    put(&r, IER, 0x04);
    ck_assert(!r.irq.level);
    put(&r, IER, 0x00);
    put(&r, THR, 'b');
    ck_assert(!r.irq.level);
    put(&r, IER, 0x04);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IIR), 0x06);
    ck_assert_uint_eq(get(&r, LSR), 0x63);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(get(&r, LSR), 0x61);
    ck_assert_uint_eq(get(&r, RBR), 'b'); /* the single register was overwritten */
    rig_free(&r);
}
END_TEST

START_TEST(an_overrun_of_the_fifo_keeps_the_first_sixteen)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, FCR, TRIGGER_1);
    put(&r, MCR, 0x10);
    for (unsigned i = 0; i < 17; i++)
        put(&r, THR, 'a' + i);
    ck_assert_uint_eq(get(&r, LSR), 0x63);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(get(&r, RBR), 'a' + i);
    ck_assert_uint_eq(get(&r, LSR), 0x60);
    rig_free(&r);
}
END_TEST

START_TEST(interrupts_are_identified_by_priority)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, MCR, 0x10); /* deltas */
    put(&r, THR, 'a');
    put(&r, THR, 'b'); /* data and overrun */
    put(&r, IER, 0x0f);
    ck_assert_uint_eq(get(&r, IIR), 0x06);
    get(&r, LSR);
    ck_assert_uint_eq(get(&r, IIR), 0x04);
    get(&r, RBR);
    ck_assert_uint_eq(get(&r, IIR), 0x02);
    ck_assert_uint_eq(get(&r, IIR), 0x00);
    get(&r, MSR);
    ck_assert_uint_eq(get(&r, IIR), 0x01);
    rig_free(&r);
}
END_TEST

START_TEST(offsets_without_a_register_read_0_and_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, log.log);
    uint64_t before = device_hash(r.uart);
    put(&r, 8, 0xff);
    ck_assert_uint_eq(get(&r, 8), 0);
    put(&r, LSR, 0xff);
    put(&r, MSR, 0xff);
    ck_assert_uint_eq(device_hash(r.uart), before);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "ns16550a"), 2);
}
END_TEST

START_TEST(a_break_is_reported_when_it_begins)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, log.log);
    const uint8_t values[] = {0x03, 0x43, 0x42, 0x03};
    for (unsigned i = 0; i < ARRAY_LEN(values); i++)
        put(&r, LCR, values[i]);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "break"), 1);
}
END_TEST

START_TEST(a_saved_state_loads_into_an_equal_device_and_drives_nothing)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    open_port(&a, TRIGGER_8);
    put(&a, MCR, 0x1b);
    put(&a, SCR, 9);
    for (unsigned i = 0; i < 17; i++)
        put(&a, THR, i);
    get(&a, RBR);
    check_round_trip(a.uart, b.uart);
    ck_assert(!b.irq.level);
    ck_assert_uint_eq(get(&b, LSR), 0x63);
    for (unsigned i = 1; i < 16; i++)
        ck_assert_uint_eq(get(&b, RBR), i);
    ck_assert_uint_eq(get(&b, LSR), 0x60);
    check_damaged_states(a.uart, b.uart, 8);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

/* The FIFO ends the state, after its count. */
START_TEST(a_state_with_more_bytes_than_the_fifo_holds_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, FCR, TRIGGER_1);
    arrive(&r, "wwwwwwwwwwwwwwww");
    size_t size;
    uint8_t *saved = device_save(r.uart, &size);
    ck_assert_mem_eq(saved + size - 16, "wwwwwwwwwwwwwwww", 16);
    ck_assert_uint_eq(saved[size - 17], 16);
    saved[size - 17] = 255;
    ck_assert(!device_load(r.uart, saved, size));
    for (unsigned i = 0; i < 300; i++)
        get(&r, RBR);
    free(saved);
    rig_free(&r);
}
END_TEST

/* IER is the first register of the walk. */
START_TEST(a_state_with_bits_that_do_not_exist_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    size_t size;
    uint8_t *before = device_save(r.uart, &size);
    put(&r, IER, 0x0d);
    uint8_t *saved = device_save(r.uart, &size);
    ck_assert(device_load(r.uart, saved, size));
    size_t at = 0;
    while (at < size && saved[at] == before[at])
        at++;
    ck_assert_uint_eq(saved[at], 0x0d);
    saved[at] = 0x10;
    ck_assert(!device_load(r.uart, saved, size));
    free(before);
    free(saved);
    rig_free(&r);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 4;
    uint8_t bytes[32] = {0};
    for (unsigned n = 0; n < 100000; n++) {
        fuzz_once(r.uart, n & 15 ? 8 : NS16550A_BYTES, &seed);
        if (n % 3 == 0)
            ns16550a_receive(r.uart, bytes, bench_random(&seed) % 32);
        if (n % 7 == 0)
            ns16550a_take_input(r.uart, bytes, bench_random(&seed) % 32);
        if (n % 11 == 0)
            bench_advance(&r.time, bench_random(&seed) % 1000000);
    }
    rig_free(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, reset_gives_the_documented_values);
    tcase_add_test(tc, everything_is_state_that_a_reset_clears);
    tcase_add_test(tc, plain_registers_keep_the_bits_that_exist);
    tcase_add_test(tc, dlab_puts_the_divisor_over_data_and_ier);
    tcase_add_test(tc, a_written_byte_leaves_at_once);
    tcase_add_test(tc, without_a_sink_bytes_are_thrown_away);
    tcase_add_test(tc, enabling_the_thre_interrupt_raises_it_and_iir_acknowledges_it);
    tcase_add_test(tc, sending_raises_the_thre_interrupt_again);
    tcase_add_test(tc, lsr_lowers_the_wire_of_a_thre_interrupt_that_iir_still_shows);
    tcase_add_test(tc, lsr_lowers_the_wire_for_no_other_interrupt);
    tcase_add_test(tc, loopback_returns_what_is_sent_and_shuts_the_outside_out);
    tcase_add_test(tc, loopback_connects_the_modem_outputs_to_the_inputs);
    tcase_add_test(tc, changes_of_modem_inputs_set_deltas_that_reading_clears);
    tcase_add_test(tc, an_overrun_is_shown_once_and_interrupts);
    tcase_add_test(tc, an_overrun_of_the_fifo_keeps_the_first_sixteen);
    tcase_add_test(tc, interrupts_are_identified_by_priority);
    tcase_add_test(tc, offsets_without_a_register_read_0_and_are_reported);
    tcase_add_test(tc, a_break_is_reported_when_it_begins);
    tcase_add_test(tc, a_saved_state_loads_into_an_equal_device_and_drives_nothing);
    tcase_add_test(tc, a_state_with_more_bytes_than_the_fifo_holds_is_refused);
    tcase_add_test(tc, a_state_with_bits_that_do_not_exist_is_refused);
    tcase_add_test(tc, any_access_is_survived);
}

int main(void)
{
    Suite *suite = suite_create("ns16550a");
    TCase *tc = tcase_create("ns16550a");
    add_tests(tc);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

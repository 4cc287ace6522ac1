/* The NS16550A through its ops. */
#include "devices/serial/ns16550a.h"
#include "tests/unit/device_bench.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define THR RBR
#define FCR IIR

#define TRIGGER_1  0x01u /* FCR: FIFOs enabled */
#define TRIGGER_8  0x81u
#define TRIGGER_14 0xc1u

/* 8n1 with divisor 2: ten bits of 16 * 2 clocks, four times. */
#define TIMEOUT_NS (4 * 10 * 16 * 2 * 1000000000ull / NS16550A_CLOCK_HZ)

struct rig {
    struct bench_time time;
    struct wire irq;
    uint8_t sent[64];
    size_t sent_count;
    struct device *uart;
};

static void on_send(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = owner;
    for (size_t i = 0; i < n; i++)
        r->sent[r->sent_count++ % sizeof r->sent] = bytes[i];
}

static void rig_init(struct rig *r, struct log *log)
{
    *r = (struct rig){0};
    bench_time_init(&r->time);
    struct ns16550a_config config = {
        .irq = wire_to(&r->irq, 0),
        .sink = {.write = on_send, .owner = r},
        .clock = &r->time.clock,
        .events = &r->time.events,
        .log = log,
    };
    r->uart = ns16550a_create(&config);
    r->uart->ops->reset(r->uart);
}

static void rig_free(struct rig *r)
{
    r->uart->ops->destroy(r->uart);
}

static uint8_t get(struct rig *r, unsigned reg)
{
    return reg_read(r->uart, reg, 1);
}

static void put(struct rig *r, unsigned reg, uint8_t value)
{
    reg_write(r->uart, reg, value, 1);
}

static size_t arrive(struct rig *r, const char *text)
{
    return ns16550a_receive(r->uart, (const uint8_t *)text, strlen(text));
}

/* 8n1 at 115200, FIFOs as fcr says, received data interrupts. */
static void open_port(struct rig *r, uint8_t fcr)
{
    put(r, LCR, 0x80);
    put(r, RBR, 2);
    put(r, IER, 0);
    put(r, LCR, 0x03);
    put(r, FCR, fcr);
    put(r, IER, 0x01);
}

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
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    rig_free(&r);
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
    bench_advance(&r.time, 10 * TIMEOUT_NS);
    ck_assert(!r.irq.level);
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
        bench_advance(&r.time, 2 * TIMEOUT_NS);
        ck_assert(!r.irq.level);
        rig_free(&r);
    }
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
    put(&r, FCR, 0xc0); /* the trigger alone is not programmed */
    ck_assert_uint_eq(get(&r, IIR), 0x01);
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
    put(&r, IER, 0x04);
    put(&r, MCR, 0x10);
    put(&r, THR, 'a');
    ck_assert(!r.irq.level);
    put(&r, THR, 'b');
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
    put(&r, LCR, 0x40);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "ns16550a"), 3);
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

static void add_register_tests(TCase *tc)
{
    tcase_add_test(tc, reset_gives_the_documented_values);
    tcase_add_test(tc, plain_registers_keep_the_bits_that_exist);
    tcase_add_test(tc, dlab_puts_the_divisor_over_data_and_ier);
    tcase_add_test(tc, a_written_byte_leaves_at_once);
    tcase_add_test(tc, enabling_the_thre_interrupt_raises_it_and_iir_acknowledges_it);
    tcase_add_test(tc, sending_raises_the_thre_interrupt_again);
    tcase_add_test(tc, loopback_returns_what_is_sent_and_shuts_the_outside_out);
    tcase_add_test(tc, loopback_connects_the_modem_outputs_to_the_inputs);
    tcase_add_test(tc, changes_of_modem_inputs_set_deltas_that_reading_clears);
    tcase_add_test(tc, an_overrun_is_shown_once_and_interrupts);
    tcase_add_test(tc, an_overrun_of_the_fifo_keeps_the_first_sixteen);
    tcase_add_test(tc, interrupts_are_identified_by_priority);
    tcase_add_test(tc, offsets_without_a_register_read_0_and_are_reported);
    tcase_add_test(tc, any_access_is_survived);
}

static void add_receiver_tests(TCase *tc)
{
    tcase_add_test(tc, without_fifos_one_byte_is_taken_and_interrupts);
    tcase_add_test(tc, the_fifo_takes_sixteen_bytes_and_gives_them_in_order);
    tcase_add_test(tc, the_receive_interrupt_follows_the_trigger_level);
    tcase_add_test(tc, bytes_below_the_trigger_interrupt_after_four_character_times);
    tcase_add_test(tc, a_read_ends_the_timeout_interrupt_and_starts_its_time_again);
    tcase_add_test(tc, an_arrival_starts_the_timeout_again);
    tcase_add_test(tc, a_timeout_without_interrupts_is_seen_when_they_are_enabled);
    tcase_add_test(tc, a_divisor_of_0_still_times_out);
    tcase_add_test(tc, fcr_clears_the_receiver_on_request_and_when_fifos_are_switched);
    tcase_add_test(tc, fcr_without_the_clear_bit_keeps_the_bytes);
    tcase_add_test(tc, iir_shows_whether_the_fifos_are_enabled);
    tcase_add_test(tc, firmware_takes_input_as_reads_of_rbr_do);
    tcase_add_test(tc, an_interrupt_driven_reader_gets_every_byte);
    tcase_add_test(tc, a_saved_state_loads_into_an_equal_device_and_drives_nothing);
    tcase_add_test(tc, a_state_with_more_bytes_than_the_fifo_holds_is_refused);
}

int main(void)
{
    Suite *suite = suite_create("ns16550a");
    TCase *registers = tcase_create("registers");
    add_register_tests(registers);
    suite_add_tcase(suite, registers);
    TCase *receiver = tcase_create("receiver");
    add_receiver_tests(receiver);
    suite_add_tcase(suite, receiver);
    return bench_run(suite);
}

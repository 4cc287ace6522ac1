/* The goldfish RTC through its ops. */
#include "devices/goldfish_rtc.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define TIME_LOW        0x00u
#define TIME_HIGH       0x04u
#define ALARM_LOW       0x08u
#define ALARM_HIGH      0x0cu
#define IRQ_ENABLED     0x10u
#define CLEAR_ALARM     0x14u
#define ALARM_STATUS    0x18u
#define CLEAR_INTERRUPT 0x1cu

#define EPOCH_NS 1700000000000000000ull

struct rig {
    struct bench_time time;
    struct wire irq;
    struct device *rtc;
};

static void rig_init(struct rig *r, uint64_t epoch_ns, struct log *log)
{
    *r = (struct rig){0};
    bench_time_init(&r->time);
    struct goldfish_rtc_config config = {.epoch_ns = epoch_ns,
                                         .irq = wire_to(&r->irq, 0),
                                         .clock = &r->time.clock,
                                         .events = &r->time.events,
                                         .log = log};
    r->rtc = goldfish_rtc_create(&config);
    r->rtc->ops->reset(r->rtc);
}

static void rig_free(struct rig *r)
{
    r->rtc->ops->destroy(r->rtc);
}

static uint64_t get(struct rig *r, unsigned offset)
{
    return reg_read(r->rtc, offset, 4);
}

static void put(struct rig *r, unsigned offset, uint32_t value)
{
    reg_write(r->rtc, offset, value, 4);
}

static uint64_t read_time(struct rig *r)
{
    uint64_t low = get(r, TIME_LOW);
    return get(r, TIME_HIGH) << 32 | low;
}

static void arm(struct rig *r, uint64_t ns)
{
    put(r, ALARM_HIGH, ns >> 32);
    put(r, ALARM_LOW, ns);
}

START_TEST(time_is_the_epoch_plus_virtual_time)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    ck_assert_uint_eq(read_time(&r), EPOCH_NS);
    bench_advance(&r.time, 12345678901);
    ck_assert_uint_eq(read_time(&r), EPOCH_NS + 12345678901);
    rig_free(&r);
}
END_TEST

START_TEST(reading_time_low_latches_time_high)
{
    struct rig r;
    rig_init(&r, 0x1ffffffff, NULL);
    ck_assert_uint_eq(get(&r, TIME_LOW), 0xffffffff);
    bench_advance(&r.time, 1);
    ck_assert_uint_eq(get(&r, TIME_HIGH), 1);
    ck_assert_uint_eq(get(&r, TIME_LOW), 0);
    ck_assert_uint_eq(get(&r, TIME_HIGH), 2);
    rig_free(&r);
}
END_TEST

START_TEST(writing_time_sets_the_clock_which_runs_on)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    bench_advance(&r.time, 1000);
    put(&r, IRQ_ENABLED, 1);
    put(&r, TIME_HIGH, 0x12345678);
    put(&r, TIME_LOW, 0x9abcdef0);
    ck_assert_uint_eq(read_time(&r), 0x123456789abcdef0);
    bench_advance(&r.time, 5);
    ck_assert_uint_eq(read_time(&r), 0x123456789abcdef5);
    ck_assert(!r.irq.level); /* no alarm was running */
    rig_free(&r);
}
END_TEST

START_TEST(a_reset_keeps_the_time_and_clears_the_rest)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    put(&r, TIME_HIGH, 5);
    put(&r, TIME_LOW, 6);
    put(&r, IRQ_ENABLED, 1);
    arm(&r, 1);
    ck_assert(r.irq.level);
    arm(&r, EPOCH_NS);
    r.rtc->ops->reset(r.rtc);
    ck_assert(!r.irq.level);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 0);
    ck_assert_uint_eq(get(&r, ALARM_LOW), 0);
    ck_assert_uint_eq(get(&r, ALARM_HIGH), 0);
    ck_assert_uint_eq(get(&r, IRQ_ENABLED), 0);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    ck_assert_uint_eq(read_time(&r), 5ull << 32 | 6);
    rig_free(&r);
}
END_TEST

START_TEST(an_alarm_rings_at_its_time)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    put(&r, IRQ_ENABLED, 1);
    arm(&r, EPOCH_NS + 1000000);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 1);
    ck_assert_uint_eq(get(&r, ALARM_HIGH) << 32 | get(&r, ALARM_LOW), EPOCH_NS + 1000000);
    bench_advance(&r.time, 999999);
    ck_assert(!r.irq.level);
    bench_advance(&r.time, 1);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 0);
    put(&r, CLEAR_INTERRUPT, 1);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(an_alarm_in_the_past_rings_at_once)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    put(&r, IRQ_ENABLED, 1);
    arm(&r, EPOCH_NS + 1000);
    arm(&r, EPOCH_NS);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 0);
    put(&r, CLEAR_INTERRUPT, 1);
    bench_advance(&r.time, 2000);
    ck_assert(!r.irq.level); /* the alarm before it is gone */
    rig_free(&r);
}
END_TEST

START_TEST(an_alarm_beyond_virtual_time_never_rings)
{
    struct rig r;
    rig_init(&r, 0, NULL);
    bench_advance(&r.time, 1000);
    put(&r, TIME_HIGH, 0);
    put(&r, TIME_LOW, 0);
    arm(&r, UINT64_MAX);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 1);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    rig_free(&r);
}
END_TEST

START_TEST(a_cleared_alarm_does_not_ring)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    put(&r, IRQ_ENABLED, 1);
    arm(&r, EPOCH_NS + 1000);
    put(&r, CLEAR_ALARM, 1);
    ck_assert_uint_eq(get(&r, ALARM_STATUS), 0);
    bench_advance(&r.time, 2000);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(the_interrupt_waits_until_it_is_enabled)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    arm(&r, EPOCH_NS);
    ck_assert(!r.irq.level);
    put(&r, IRQ_ENABLED, 0xffffffff);
    ck_assert(r.irq.level);
    ck_assert_uint_eq(get(&r, IRQ_ENABLED), 1);
    put(&r, IRQ_ENABLED, 0xfffffffe);
    ck_assert(!r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(a_running_alarm_follows_the_clock_that_is_set)
{
    struct rig r;
    rig_init(&r, 0, NULL);
    put(&r, IRQ_ENABLED, 1);
    arm(&r, 1000);
    put(&r, TIME_LOW, 900);
    bench_advance(&r.time, 99);
    ck_assert(!r.irq.level);
    bench_advance(&r.time, 1);
    ck_assert(r.irq.level);
    rig_free(&r);
}
END_TEST

START_TEST(offsets_without_a_register_read_0_and_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, EPOCH_NS, log.log);
    uint64_t before = device_hash(r.rtc);
    ck_assert_uint_eq(get(&r, 0x20), 0);
    ck_assert_uint_eq(get(&r, CLEAR_ALARM), 0);
    put(&r, 0x20, 1);
    put(&r, ALARM_STATUS, 1);
    ck_assert_uint_eq(device_hash(r.rtc), before);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "goldfish-rtc"), 4);
}
END_TEST

START_TEST(a_saved_state_loads_into_an_equal_device_and_drives_nothing)
{
    struct rig a, b;
    rig_init(&a, EPOCH_NS, NULL);
    rig_init(&b, EPOCH_NS + 77, NULL);
    put(&a, IRQ_ENABLED, 1);
    arm(&a, EPOCH_NS);
    arm(&a, EPOCH_NS + 5000);
    read_time(&a);
    check_round_trip(a.rtc, b.rtc);
    ck_assert(!b.irq.level);
    ck_assert_uint_eq(read_time(&b), EPOCH_NS);
    ck_assert_uint_eq(get(&b, ALARM_STATUS), 1);
    check_damaged_states(a.rtc, b.rtc, GOLDFISH_RTC_BYTES);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_loaded_alarm_rings_at_its_time)
{
    struct rig a, b;
    rig_init(&a, EPOCH_NS, NULL);
    rig_init(&b, EPOCH_NS, NULL);
    put(&a, IRQ_ENABLED, 1);
    arm(&a, EPOCH_NS + 5000);
    check_round_trip(a.rtc, b.rtc);
    copy_events(&a.time.events, &b.time.events);
    bench_advance(&b.time, 4999);
    ck_assert(!b.irq.level);
    bench_advance(&b.time, 1);
    ck_assert(b.irq.level);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

static void do_read_time(struct rig *r)
{
    get(r, TIME_LOW);
}

static void do_set_alarm_high(struct rig *r)
{
    put(r, ALARM_HIGH, 1);
}

static void do_enable(struct rig *r)
{
    put(r, IRQ_ENABLED, 1);
}

static void do_ring(struct rig *r)
{
    put(r, ALARM_LOW, 0);
}

static void do_arm(struct rig *r)
{
    arm(r, EPOCH_NS + 1);
}

START_TEST(everything_but_the_time_is_state_that_a_reset_clears)
{
    void (*const acts[])(struct rig *) = {do_read_time, do_set_alarm_high, do_enable, do_ring,
                                          do_arm};
    for (unsigned i = 0; i < ARRAY_LEN(acts); i++) {
        struct rig r;
        rig_init(&r, EPOCH_NS, NULL);
        uint64_t quiet = device_hash(r.rtc);
        acts[i](&r);
        ck_assert_uint_ne(device_hash(r.rtc), quiet);
        r.rtc->ops->reset(r.rtc);
        ck_assert_uint_eq(device_hash(r.rtc), quiet);
        rig_free(&r);
    }
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, EPOCH_NS, NULL);
    uint64_t seed = 6;
    for (unsigned n = 0; n < 100000; n++) {
        fuzz_once(r.rtc, n & 3 ? 0x24 : GOLDFISH_RTC_BYTES, &seed);
        if (n % 16 == 0)
            bench_advance(&r.time, bench_random(&seed) % 1000000);
    }
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("goldfish_rtc");
    TCase *tc = tcase_create("goldfish_rtc");
    tcase_add_test(tc, time_is_the_epoch_plus_virtual_time);
    tcase_add_test(tc, reading_time_low_latches_time_high);
    tcase_add_test(tc, writing_time_sets_the_clock_which_runs_on);
    tcase_add_test(tc, a_reset_keeps_the_time_and_clears_the_rest);
    tcase_add_test(tc, an_alarm_rings_at_its_time);
    tcase_add_test(tc, an_alarm_in_the_past_rings_at_once);
    tcase_add_test(tc, an_alarm_beyond_virtual_time_never_rings);
    tcase_add_test(tc, a_cleared_alarm_does_not_ring);
    tcase_add_test(tc, the_interrupt_waits_until_it_is_enabled);
    tcase_add_test(tc, a_running_alarm_follows_the_clock_that_is_set);
    tcase_add_test(tc, offsets_without_a_register_read_0_and_are_reported);
    tcase_add_test(tc, a_saved_state_loads_into_an_equal_device_and_drives_nothing);
    tcase_add_test(tc, a_loaded_alarm_rings_at_its_time);
    tcase_add_test(tc, everything_but_the_time_is_state_that_a_reset_clears);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

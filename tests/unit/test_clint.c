/* The CLINT through its ops. */
#include "devices/irq/clint.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define HARTS    3u
#define MTIMECMP 0x4000u
#define MTIME    0xbff8u

struct rig {
    struct bench_time time;
    struct wire msip[HARTS];
    uint64_t told[HARTS]; /* what the harts were told about mtimecmp */
    uint64_t told_offset; /* and about mtime */
    unsigned calls;
    struct device *clint;
};

static void on_mtimecmp(void *owner, unsigned hart, uint64_t value)
{
    struct rig *r = owner;
    ck_assert_uint_lt(hart, HARTS);
    r->told[hart] = value;
    r->calls++;
}

static void on_mtime_offset(void *owner, uint64_t offset)
{
    struct rig *r = owner;
    r->told_offset = offset;
}

static void rig_init(struct rig *r, struct log *log)
{
    *r = (struct rig){0};
    bench_time_init(&r->time);
    struct clint_config config = {.harts = HARTS,
                                  .set_mtimecmp = on_mtimecmp,
                                  .set_mtime_offset = on_mtime_offset,
                                  .owner = r,
                                  .clock = &r->time.clock,
                                  .log = log};
    for (unsigned h = 0; h < HARTS; h++)
        config.msip[h] = wire_to(r->msip, h);
    r->clint = clint_create(&config);
    r->clint->ops->reset(r->clint);
}

static void rig_free(struct rig *r)
{
    r->clint->ops->destroy(r->clint);
}

START_TEST(reset_lowers_msip_and_silences_the_timers)
{
    struct rig r;
    rig_init(&r, NULL);
    for (unsigned h = 0; h < HARTS; h++) {
        reg_write(r.clint, h * 4, 1, 4);
        reg_write(r.clint, MTIMECMP + h * 8, 5, 8);
    }
    r.clint->ops->reset(r.clint);
    for (unsigned h = 0; h < HARTS; h++) {
        ck_assert(!r.msip[h].level);
        ck_assert_uint_eq(reg_read(r.clint, h * 4, 4), 0);
        ck_assert_uint_eq(r.told[h], UINT64_MAX);
        ck_assert_uint_eq(reg_read(r.clint, MTIMECMP + h * 8, 8), UINT64_MAX);
    }
    rig_free(&r);
}
END_TEST

START_TEST(msip_drives_the_wire_of_its_own_hart_with_bit_0)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.clint, 4, 0xffffffff, 4);
    ck_assert(r.msip[1].level && !r.msip[0].level && !r.msip[2].level);
    ck_assert_uint_eq(reg_read(r.clint, 4, 4), 1);
    reg_write(r.clint, 4, 0xfffffffe, 4);
    ck_assert(!r.msip[1].level);
    ck_assert_uint_eq(reg_read(r.clint, 4, 4), 0);
    rig_free(&r);
}
END_TEST

START_TEST(msip_takes_no_64_bit_access)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.clint, 0, 0x100000001, 8);
    ck_assert(!r.msip[0].level && !r.msip[1].level);
    rig_free(&r);
}
END_TEST

START_TEST(mtimecmp_is_written_whole_or_in_halves_and_told_to_its_hart)
{
    struct rig r;
    rig_init(&r, NULL);
    r.calls = 0;
    reg_write(r.clint, MTIMECMP + 16, 0x1122334455667788, 8);
    ck_assert_uint_eq(r.told[2], 0x1122334455667788);
    reg_write(r.clint, MTIMECMP + 16, 0xaaaaaaaa, 4);
    ck_assert_uint_eq(r.told[2], 0x11223344aaaaaaaa);
    reg_write(r.clint, MTIMECMP + 20, 0xbbbbbbbb, 4);
    ck_assert_uint_eq(r.told[2], 0xbbbbbbbbaaaaaaaa);
    ck_assert_uint_eq(r.calls, 3);
    ck_assert_uint_eq(r.told[1], UINT64_MAX);
    ck_assert_uint_eq(reg_read(r.clint, MTIMECMP + 16, 8), 0xbbbbbbbbaaaaaaaa);
    ck_assert_uint_eq(reg_read(r.clint, MTIMECMP + 16, 4), 0xaaaaaaaa);
    ck_assert_uint_eq(reg_read(r.clint, MTIMECMP + 20, 4), 0xbbbbbbbb);
    rig_free(&r);
}
END_TEST

START_TEST(mtime_counts_virtual_time_at_10_mhz)
{
    struct rig r;
    rig_init(&r, NULL);
    r.time.clock.now_ns = 0x1234567890 * 100 + 99;
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 0x1234567890);
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 4), 0x34567890);
    ck_assert_uint_eq(reg_read(r.clint, MTIME + 4, 4), 0x12);
    rig_free(&r);
}
END_TEST

START_TEST(mtime_goes_on_from_what_is_written_whole_or_in_halves)
{
    struct rig r;
    rig_init(&r, NULL);
    r.time.clock.now_ns = 1000;
    reg_write(r.clint, MTIME, 3, 8);
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 3);
    ck_assert_uint_eq(r.told_offset, (uint64_t)3 - 10);
    r.time.clock.now_ns = 1500;
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 8);
    reg_write(r.clint, MTIME + 4, 0x77, 4);
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 0x7700000008);
    reg_write(r.clint, MTIME, 0xfffffffe, 4);
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 0x77fffffffe);
    r.clint->ops->reset(r.clint);
    ck_assert_uint_eq(reg_read(r.clint, MTIME, 8), 15);
    ck_assert_uint_eq(r.told_offset, 0);
    rig_free(&r);
}
END_TEST

START_TEST(harts_beyond_the_count_read_0_and_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, log.log);
    uint64_t before = device_hash(r.clint);
    reg_write(r.clint, HARTS * 4, 1, 4);
    reg_write(r.clint, MTIMECMP + HARTS * 8, 1, 8);
    ck_assert_uint_eq(device_hash(r.clint), before);
    ck_assert_uint_eq(reg_read(r.clint, HARTS * 4, 4), 0);
    ck_assert_uint_eq(reg_read(r.clint, MTIMECMP + HARTS * 8, 8), 0);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "no register"), 4);
}
END_TEST

START_TEST(a_saved_state_loads_into_an_equal_device_and_drives_nothing)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    reg_write(a.clint, 8, 1, 4);
    reg_write(a.clint, MTIMECMP + 8, 123, 8);
    reg_write(a.clint, MTIME, 456, 8);
    b.calls = 0;
    check_round_trip(a.clint, b.clint);
    ck_assert_uint_eq(reg_read(b.clint, 8, 4), 1);
    ck_assert_uint_eq(reg_read(b.clint, MTIMECMP + 8, 8), 123);
    ck_assert_uint_eq(reg_read(b.clint, MTIME, 8), 456);
    ck_assert_uint_eq(b.told_offset, 0);
    ck_assert(!b.msip[2].level);
    ck_assert_uint_eq(b.calls, 0);
    check_damaged_states(a.clint, b.clint, CLINT_BYTES);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 1;
    for (unsigned n = 0; n < 100000; n++)
        fuzz_once(r.clint, n & 1 ? CLINT_BYTES : HARTS * 4, &seed);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clint");
    TCase *tc = tcase_create("clint");
    tcase_add_test(tc, reset_lowers_msip_and_silences_the_timers);
    tcase_add_test(tc, msip_drives_the_wire_of_its_own_hart_with_bit_0);
    tcase_add_test(tc, msip_takes_no_64_bit_access);
    tcase_add_test(tc, mtimecmp_is_written_whole_or_in_halves_and_told_to_its_hart);
    tcase_add_test(tc, mtime_counts_virtual_time_at_10_mhz);
    tcase_add_test(tc, mtime_goes_on_from_what_is_written_whole_or_in_halves);
    tcase_add_test(tc, harts_beyond_the_count_read_0_and_are_reported);
    tcase_add_test(tc, a_saved_state_loads_into_an_equal_device_and_drives_nothing);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

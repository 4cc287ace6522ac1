/* The test device through its ops. */
#include "devices/sifive_test.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

struct rig {
    unsigned power_offs, resets, status;
    struct device *device;
};

static void on_power_off(void *owner, unsigned status)
{
    struct rig *r = owner;
    r->power_offs++;
    r->status = status;
}

static void on_reset(void *owner)
{
    ((struct rig *)owner)->resets++;
}

static void rig_init(struct rig *r, struct log *log)
{
    *r = (struct rig){.status = 999};
    struct sifive_test_config config = {
        .power_off = on_power_off, .reset = on_reset, .owner = r, .log = log};
    r->device = sifive_test_create(&config);
    r->device->ops->reset(r->device);
}

static void rig_free(struct rig *r)
{
    r->device->ops->destroy(r->device);
}

START_TEST(pass_powers_off_with_status_0_whatever_the_high_half_is)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.device, 0, 0x00055555, 4);
    ck_assert_uint_eq(r.power_offs, 1);
    ck_assert_uint_eq(r.status, 0);
    rig_free(&r);
}
END_TEST

START_TEST(fail_powers_off_with_the_high_half_as_status)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.device, 0, 0x00053333, 4);
    ck_assert_uint_eq(r.power_offs, 1);
    ck_assert_uint_eq(r.status, 5);
    rig_free(&r);
}
END_TEST

START_TEST(reset_asks_for_a_reset)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.device, 0, 0x7777, 4);
    ck_assert_uint_eq(r.resets, 1);
    ck_assert_uint_eq(r.power_offs, 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_16_bit_write_commands_too)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.device, 0, 0x73333, 2);
    ck_assert_uint_eq(r.power_offs, 1);
    ck_assert_uint_eq(r.status, 0);
    ck_assert_uint_eq(r.device->ops->mmio.sizes, 2 | 4);
    rig_free(&r);
}
END_TEST

START_TEST(other_values_and_offsets_do_nothing_and_are_reported)
{
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, log.log);
    reg_write(r.device, 0, 0x1234, 4);
    reg_write(r.device, 4, 0x5555, 4);
    ck_assert_uint_eq(r.power_offs + r.resets, 0);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "sifive-test"), 2);
}
END_TEST

START_TEST(it_reads_as_0)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.device, 0, 0x5555, 4);
    ck_assert_uint_eq(reg_read(r.device, 0, 4), 0);
    ck_assert_uint_eq(reg_read(r.device, 0xffc, 2), 0);
    rig_free(&r);
}
END_TEST

START_TEST(its_state_is_a_section_and_nothing_more)
{
    struct rig a;
    rig_init(&a, NULL);
    uint64_t before = device_hash(a.device);
    reg_write(a.device, 0, 0x5555, 4);
    ck_assert_uint_eq(device_hash(a.device), before);
    size_t size;
    uint8_t *saved = device_save(a.device, &size);
    ck_assert(device_load(a.device, saved, size));
    ck_assert(!device_load(a.device, saved, size - 1));
    free(saved);
    rig_free(&a);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 5;
    for (unsigned n = 0; n < 100000; n++)
        fuzz_once(r.device, n & 1 ? SIFIVE_TEST_BYTES : 4, &seed);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sifive_test");
    TCase *tc = tcase_create("sifive_test");
    tcase_add_test(tc, pass_powers_off_with_status_0_whatever_the_high_half_is);
    tcase_add_test(tc, fail_powers_off_with_the_high_half_as_status);
    tcase_add_test(tc, reset_asks_for_a_reset);
    tcase_add_test(tc, a_16_bit_write_commands_too);
    tcase_add_test(tc, other_values_and_offsets_do_nothing_and_are_reported);
    tcase_add_test(tc, it_reads_as_0);
    tcase_add_test(tc, its_state_is_a_section_and_nothing_more);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

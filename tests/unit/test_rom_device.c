/* Flash as the hart and the devices see it: memory to read and run, a device to write. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define FLASH       0x20000000ull
#define FLASH_BYTES (2ull * PAGE_BYTES)

static uint8_t flash_bytes[FLASH_BYTES];

static void init(struct bench *b)
{
    struct error err;
    bench_init(b);
    for (size_t i = 0; i < sizeof flash_bytes; i++)
        flash_bytes[i] = (uint8_t)(i * 7 + i / 256);
    ck_assert(memory_add_rom_device(b->memory, FLASH, FLASH_BYTES, &bench_device_ops, b,
                                    flash_bytes, &err));
}

static uint64_t load(struct bench *b, uint64_t va, unsigned size)
{
    uint64_t value = 0;
    ck_assert_msg(hart_load(b->h, va, size, &value), "trap %u", (unsigned)b->h->trap.cause);
    return value;
}

static uint64_t bytes_at(unsigned offset)
{
    uint64_t value;
    memcpy(&value, flash_bytes + offset, sizeof value);
    return value;
}

START_TEST(loads_give_its_bytes_over_pages_too)
{
    struct bench b;
    init(&b);
    ck_assert_uint_eq(load(&b, FLASH + 16, 8), bytes_at(16));
    ck_assert_uint_eq(load(&b, FLASH + PAGE_BYTES - 3, 8), bytes_at(PAGE_BYTES - 3));
    ck_assert_uint_eq(b.device_reads, 0);
    bench_free(&b);
}
END_TEST

START_TEST(loads_go_to_the_device_from_the_moment_it_says_so)
{
    struct bench b;
    init(&b);
    b.device_value = 0x80;
    load(&b, FLASH, 8);
    memory_rom_device_reads(b.memory, FLASH, true);
    ck_assert_uint_eq(load(&b, FLASH, 4), 0x80);
    memory_rom_device_reads(b.memory, FLASH, false);
    ck_assert_uint_eq(load(&b, FLASH, 8), bytes_at(0));
    ck_assert_uint_eq(b.device_reads, 1);
    bench_free(&b);
}
END_TEST

START_TEST(stores_go_to_the_device_and_change_nothing)
{
    struct bench b;
    init(&b);
    const uint64_t before = bytes_at(8);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(hart_store(b.h, FLASH + 8, 4, 0x98));
    ck_assert_uint_eq(b.device_writes, 3);
    ck_assert_uint_eq(bytes_at(8), before);
    bench_free(&b);
}
END_TEST

START_TEST(a_store_over_pages_and_an_amo_are_access_faults)
{
    struct bench b;
    init(&b);
    ck_assert(!hart_store(b.h, FLASH + PAGE_BYTES - 2, 4, 0));
    ck_assert_uint_eq(b.h->trap.cause, CAUSE_STORE_ACCESS);
    ck_assert_ptr_null(hart_amo_address(b.h, FLASH, 8));
    ck_assert_uint_eq(b.h->trap.cause, CAUSE_STORE_ACCESS);
    ck_assert_uint_eq(b.device_writes, 0);
    bench_free(&b);
}
END_TEST

START_TEST(code_runs_from_it_and_follows_what_is_programmed)
{
    const uint32_t li_1 = 0x00100513, li_2 = 0x00200513, back = 0xffdff06f; /* li a0; j -4 */
    struct bench b;
    init(&b);
    memcpy(flash_bytes, &li_1, 4);
    memcpy(flash_bytes + 4, &back, 4);
    b.h->pc = FLASH;
    bench_run(&b, 10);
    ck_assert_uint_eq(b.h->x[10], 1);
    memcpy(flash_bytes, &li_2, 4);
    memory_rom_device_changed(b.memory, FLASH, 4);
    bench_run(&b, 10);
    ck_assert_uint_eq(b.h->x[10], 2);
    bench_free(&b);
}
END_TEST

START_TEST(devices_and_loaders_do_not_reach_it)
{
    struct bench b;
    uint64_t word = 0;
    init(&b);
    ck_assert(!dma_read(b.memory, FLASH, &word, sizeof word));
    ck_assert(!dma_write(b.memory, FLASH, &word, sizeof word));
    ck_assert(!memory_load(b.memory, FLASH, &word, sizeof word));
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rom_device");
    TCase *tc = tcase_create("rom_device");
    tcase_add_test(tc, loads_give_its_bytes_over_pages_too);
    tcase_add_test(tc, loads_go_to_the_device_from_the_moment_it_says_so);
    tcase_add_test(tc, stores_go_to_the_device_and_change_nothing);
    tcase_add_test(tc, a_store_over_pages_and_an_amo_are_access_faults);
    tcase_add_test(tc, code_runs_from_it_and_follows_what_is_programmed);
    tcase_add_test(tc, devices_and_loaders_do_not_reach_it);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* The firmware configuration device: items, files, DMA. */
#include "devices/fw_cfg.h"

#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define RAM_BASE   0x80000000ull
#define RAM_BYTES  0x10000u
#define DESCRIPTOR (RAM_BASE + 0x100)
#define TARGET     (RAM_BASE + 0x1000)

#define DATA     0x00u
#define SELECTOR 0x08u
#define DMA      0x10u

#define DMA_ERROR  0x01u
#define DMA_READ   0x02u
#define DMA_SKIP   0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE  0x10u

static const uint16_t harts = 3;
static const struct fw_cfg_item items[] = {
    {.key = FW_CFG_NB_CPUS, .data = &harts, .bytes = sizeof harts},
    {.name = "opt/second", .data = "2nd", .bytes = 3},
    {.name = "opt/first", .data = "0123456789", .bytes = 10},
    {.name = "opt/zero", .data = "", .bytes = 0},
};

struct rig {
    struct memory_map *memory;
    struct device *device;
};

static void rig_init(struct rig *r, struct log *log)
{
    struct error err;
    r->memory = memory_create(NULL);
    ck_assert(memory_add_ram(r->memory, "RAM", RAM_BASE, RAM_BYTES, &err));
    struct fw_cfg_config config = {
        .items = items, .count = ARRAY_LEN(items), .memory = r->memory, .log = log};
    r->device = fw_cfg_create(&config);
    r->device->ops->reset(r->device);
}

static void rig_free(struct rig *r)
{
    r->device->ops->destroy(r->device);
    memory_destroy(r->memory);
}

static void choose(struct rig *r, uint16_t key)
{
    reg_write(r->device, SELECTOR, __builtin_bswap16(key), 2);
}

static void check_text(struct rig *r, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(reg_read(r->device, DATA, 1), (uint8_t)text[i]);
}

/* Puts a descriptor into RAM, runs it by one write of 64 bits, and returns the answer. */
static uint32_t run_at(struct rig *r, uint64_t at, uint32_t control, uint32_t length, uint64_t gpa)
{
    struct {
        uint32_t control, length;
        uint64_t gpa;
    } d = {__builtin_bswap32(control), __builtin_bswap32(length), __builtin_bswap64(gpa)};
    uint32_t answer;
    ck_assert(dma_write(r->memory, at, &d, sizeof d));
    reg_write(r->device, DMA, __builtin_bswap64(at), 8);
    ck_assert(dma_read(r->memory, at, &answer, sizeof answer));
    return __builtin_bswap32(answer);
}

static uint32_t run(struct rig *r, uint32_t control, uint32_t length, uint64_t gpa)
{
    return run_at(r, DESCRIPTOR, control, length, gpa);
}

static void check_ram(struct rig *r, uint64_t gpa, const char *text, size_t n)
{
    char found[64];
    ck_assert(dma_read(r->memory, gpa, found, n));
    ck_assert_int_eq(memcmp(found, text, n), 0);
}

#define WITH_KEY(key, what) ((uint32_t)(key) << 16 | DMA_SELECT | (what))

/* --- words ------------------------------------------------------------------------------- */

START_TEST(the_signature_and_the_dma_register_say_qemu)
{
    struct rig r;
    rig_init(&r, NULL);
    choose(&r, FW_CFG_SIGNATURE);
    ck_assert_uint_eq(reg_read(r.device, DATA, 4), 0x554d4551);
    ck_assert_uint_eq(reg_read(r.device, DMA, 8), 0x47464320554d4551);
    ck_assert_uint_eq((uint32_t)reg_read(r.device, DMA, 4), 0x554d4551);
    ck_assert_uint_eq(reg_read(r.device, DMA + 4, 4), 0x47464320);
    rig_free(&r);
}
END_TEST

START_TEST(the_id_says_that_dma_is_there)
{
    struct rig r;
    rig_init(&r, NULL);
    choose(&r, FW_CFG_ID);
    ck_assert_uint_eq(reg_read(r.device, DATA, 4), 3);
    rig_free(&r);
}
END_TEST

START_TEST(selecting_starts_again_and_zeros_follow_the_end)
{
    struct rig r;
    rig_init(&r, NULL);
    for (unsigned i = 0; i < 2; i++) {
        choose(&r, FW_CFG_NB_CPUS);
        ck_assert_uint_eq(reg_read(r.device, DATA, 2), 3);
        ck_assert_uint_eq(reg_read(r.device, DATA, 8), 0);
    }
    choose(&r, FW_CFG_FILE_FIRST);
    ck_assert_uint_eq(reg_read(r.device, DATA, 8), 0x3736353433323130);
    ck_assert_uint_eq(reg_read(r.device, DATA, 8), 0x3938);
    rig_free(&r);
}
END_TEST

START_TEST(a_key_without_an_item_reads_as_zero)
{
    static const uint16_t keys[] = {2, 0x1f, 0x24, 0x3fff, 0x4000, 0x8000, 0xffff};
    struct rig r;
    rig_init(&r, NULL);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        choose(&r, keys[i]);
        ck_assert_uint_eq(reg_read(r.device, DATA, 8), 0);
    }
    rig_free(&r);
}
END_TEST

START_TEST(the_directory_lists_files_by_name_in_big_endian)
{
    static const struct {
        const char *name;
        uint32_t bytes;
    } files[] = {{"opt/first", 10}, {"opt/second", 3}, {"opt/zero", 0}};
    struct rig r;
    rig_init(&r, NULL);
    choose(&r, FW_CFG_FILE_DIR);
    ck_assert_uint_eq(__builtin_bswap32((uint32_t)reg_read(r.device, DATA, 4)), 3);
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) {
        char name[FW_CFG_NAME_BYTES] = "";
        strcpy(name, files[i].name);
        ck_assert_uint_eq(__builtin_bswap32((uint32_t)reg_read(r.device, DATA, 4)), files[i].bytes);
        ck_assert_uint_eq(__builtin_bswap16((uint16_t)reg_read(r.device, DATA, 2)), 0x20 + i);
        ck_assert_uint_eq(reg_read(r.device, DATA, 2), 0);
        check_text(&r, name, sizeof name);
    }
    choose(&r, FW_CFG_FILE_FIRST + 1);
    check_text(&r, "2nd", 3);
    rig_free(&r);
}
END_TEST

START_TEST(unknown_registers_are_reported)
{
    struct bench_log log;
    struct rig r;
    bench_log_open(&log);
    rig_init(&r, log.log);
    ck_assert_uint_eq(reg_read(r.device, SELECTOR, 2), 0);
    reg_write(r.device, DATA, 1, 1);
    rig_free(&r);
    ck_assert_uint_eq(bench_log_close(&log, "fw-cfg: no "), 2);
}
END_TEST

/* --- DMA --------------------------------------------------------------------------------- */

START_TEST(dma_selects_skips_and_reads)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert_uint_eq(run(&r, WITH_KEY(FW_CFG_FILE_FIRST, DMA_SKIP), 4, 0), 0);
    ck_assert_uint_eq(run(&r, DMA_READ, 3, TARGET), 0);
    check_ram(&r, TARGET, "456\0", 4);
    ck_assert_uint_eq(run(&r, DMA_READ, 1, TARGET), 0);
    check_ram(&r, TARGET, "756", 3);
    rig_free(&r);
}
END_TEST

START_TEST(dma_starts_at_the_low_half_of_the_address)
{
    struct rig r;
    rig_init(&r, NULL);
    struct {
        uint32_t control, length;
        uint64_t gpa;
    } d = {__builtin_bswap32(WITH_KEY(FW_CFG_SIGNATURE, DMA_READ)), __builtin_bswap32(4),
           __builtin_bswap64(TARGET)};
    ck_assert(dma_write(r.memory, DESCRIPTOR, &d, sizeof d));
    reg_write(r.device, DMA, 0, 4);
    check_ram(&r, TARGET, "\0\0\0\0", 4);
    reg_write(r.device, DMA + 4, __builtin_bswap32((uint32_t)DESCRIPTOR), 4);
    check_ram(&r, TARGET, "QEMU", 4);
    rig_free(&r);
}
END_TEST

START_TEST(dma_behind_the_end_writes_zeros)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(dma_write(r.memory, TARGET, "xxxxxxxxxxxxxxxx", 16));
    ck_assert_uint_eq(run(&r, WITH_KEY(FW_CFG_FILE_FIRST + 1, DMA_READ), 8, TARGET), 0);
    check_ram(&r, TARGET, "2nd\0\0\0\0\0xx", 10);
    rig_free(&r);
}
END_TEST

START_TEST(dma_to_where_there_is_no_ram_is_an_error_and_writes_nothing)
{
    static const struct {
        uint32_t length;
        uint64_t gpa;
    } bad[] = {{8, RAM_BASE - 4},
               {8, RAM_BASE + RAM_BYTES - 4},
               {0xffffffff, RAM_BASE},
               {4, 0xfffffffffffffffeull},
               {1, 0},
               {RAM_BYTES, TARGET}};
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(dma_write(r.memory, RAM_BASE + RAM_BYTES - 4, "keep", 4));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_uint_eq(run(&r, WITH_KEY(FW_CFG_FILE_FIRST, DMA_READ), bad[i].length, bad[i].gpa),
                          DMA_ERROR);
    check_ram(&r, RAM_BASE + RAM_BYTES - 4, "keep", 4);
    check_ram(&r, TARGET, "\0\0\0\0", 4);
    rig_free(&r);
}
END_TEST

START_TEST(a_descriptor_outside_ram_is_survived_and_reported)
{
    static const uint64_t bad[] = {0, RAM_BASE - 8, RAM_BASE + RAM_BYTES - 8, ~7ull, ~0ull};
    struct bench_log log;
    struct rig r;
    bench_log_open(&log);
    rig_init(&r, log.log);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        reg_write(r.device, DMA, __builtin_bswap64(bad[i]), 8);
    rig_free(&r);
    /* Of two of them a part is RAM, so that one of these can be answered. */
    ck_assert_uint_ge(bench_log_close(&log, "fw-cfg: "), 1);
}
END_TEST

START_TEST(writing_by_dma_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert_uint_eq(run(&r, WITH_KEY(FW_CFG_FILE_FIRST, DMA_WRITE), 4, TARGET), DMA_ERROR);
    choose(&r, FW_CFG_FILE_FIRST);
    check_text(&r, "0123", 4);
    rig_free(&r);
}
END_TEST

START_TEST(skipping_beyond_the_end_stays_at_it)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert_uint_eq(run(&r, WITH_KEY(FW_CFG_FILE_FIRST, DMA_SKIP), 0xffffffff, 0), 0);
    ck_assert_uint_eq(run(&r, DMA_SKIP, 0xffffffff, 0), 0);
    ck_assert_uint_eq(reg_read(r.device, DATA, 8), 0);
    rig_free(&r);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

START_TEST(its_state_survives_a_round_trip)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    choose(&a, FW_CFG_FILE_FIRST);
    reg_read(a.device, DATA, 4);
    reg_write(a.device, DMA, 0x1234, 4);
    check_round_trip(a.device, b.device);
    ck_assert_uint_eq(reg_read(b.device, DATA, 1), '4');
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(damaged_states_are_refused_or_harmless)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    choose(&a, FW_CFG_FILE_FIRST);
    check_damaged_states(a.device, b.device, FW_CFG_BYTES);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 7;
    for (unsigned n = 0; n < 100000; n++)
        fuzz_once(r.device, FW_CFG_BYTES, &seed);
    /* Descriptors of noise, at any place in RAM and around it. */
    for (unsigned n = 0; n < 20000; n++) {
        uint64_t noise[2] = {bench_random(&seed), bench_random(&seed)};
        noise[1] = __builtin_bswap64(RAM_BASE + noise[1] % (2 * RAM_BYTES));
        uint64_t at = RAM_BASE - 16 + bench_random(&seed) % (RAM_BYTES + 32);
        if (dma_is_ram(r.memory, at, sizeof noise))
            ck_assert(dma_write(r.memory, at, noise, sizeof noise));
        reg_write(r.device, DMA, __builtin_bswap64(at), 8);
    }
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fw_cfg");
    TCase *tc = tcase_create("fw_cfg");
    tcase_add_test(tc, the_signature_and_the_dma_register_say_qemu);
    tcase_add_test(tc, the_id_says_that_dma_is_there);
    tcase_add_test(tc, selecting_starts_again_and_zeros_follow_the_end);
    tcase_add_test(tc, a_key_without_an_item_reads_as_zero);
    tcase_add_test(tc, the_directory_lists_files_by_name_in_big_endian);
    tcase_add_test(tc, unknown_registers_are_reported);
    tcase_add_test(tc, dma_selects_skips_and_reads);
    tcase_add_test(tc, dma_starts_at_the_low_half_of_the_address);
    tcase_add_test(tc, dma_behind_the_end_writes_zeros);
    tcase_add_test(tc, dma_to_where_there_is_no_ram_is_an_error_and_writes_nothing);
    tcase_add_test(tc, a_descriptor_outside_ram_is_survived_and_reported);
    tcase_add_test(tc, writing_by_dma_is_refused);
    tcase_add_test(tc, skipping_beyond_the_end_stays_at_it);
    tcase_add_test(tc, its_state_survives_a_round_trip);
    tcase_add_test(tc, damaged_states_are_refused_or_harmless);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

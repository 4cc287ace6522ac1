/* Flash: commands of the Intel set, its image, and what the memory map shows of it. */
#include "devices/pflash.h"

#include "tests/unit/device_bench.h"
#include "tests/unit/fake_block.h"
#include "tests/unit/suite.h"

#define BASE   0x20000000ull
#define SECTOR 0x40000u
#define READY  0x00800080u

struct rig {
    struct memory_map *memory;
    struct device *device;
    unsigned code_writes; /* how often the map told of changed code */
};

static void on_code_write(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct rig *r = owner;
    ck_assert(gpa >= BASE && bytes <= PFLASH_BYTES);
    r->code_writes++;
}

static void rig_init(struct rig *r, struct block *block)
{
    struct error err;
    *r = (struct rig){.memory = memory_create(NULL)};
    struct pflash_config config = {.memory = r->memory, .base = BASE, .block = block};
    r->device = pflash_create(&config, &err);
    ck_assert_msg(r->device != NULL, "%s", err.text);
    ck_assert(memory_add_rom_device(r->memory, BASE, PFLASH_BYTES, &r->device->ops->mmio, r->device,
                                    pflash_bytes(r->device), &err));
    memory_on_code_write(r->memory, on_code_write, r);
    r->device->ops->reset(r->device);
}

static void rig_free(struct rig *r)
{
    memory_destroy(r->memory);
    r->device->ops->destroy(r->device);
}

static bool reads_device(struct rig *r)
{
    return region_load_is_mmio(memory_find(r->memory, BASE));
}

static uint32_t word(struct rig *r, uint32_t offset)
{
    uint32_t value;
    memcpy(&value, pflash_bytes(r->device) + offset, sizeof value);
    return value;
}

/* A command to both chips, as drivers write it. */
static void command(struct rig *r, uint32_t offset, uint8_t byte)
{
    reg_write(r->device, offset, byte * 0x00010001u, 4);
}

static uint32_t status(struct rig *r)
{
    ck_assert(reads_device(r));
    return (uint32_t)reg_read(r->device, 0, 4);
}

static void erase(struct rig *r, uint32_t offset)
{
    command(r, offset, 0x20);
    command(r, offset, 0xd0);
    ck_assert_uint_eq(status(r), READY);
    command(r, 0, 0xff);
}

/* --- reading ----------------------------------------------------------------------------- */

START_TEST(it_begins_as_memory_of_zeros)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(!reads_device(&r));
    ck_assert_uint_eq(word(&r, 0x1234 * 4), 0);
    rig_free(&r);
}
END_TEST

START_TEST(it_tells_maker_and_device_of_both_chips)
{
    struct rig r;
    rig_init(&r, NULL);
    command(&r, 0, 0x90);
    ck_assert(reads_device(&r));
    ck_assert_uint_eq(reg_read(r.device, 0, 4), 0x00890089);
    ck_assert_uint_eq(reg_read(r.device, 4, 4), 0x00180018);
    ck_assert_uint_eq(reg_read(r.device, 8, 4), 0);
    ck_assert_uint_eq(reg_read(r.device, 0, 1), 0x89);
    ck_assert_uint_eq(reg_read(r.device, 2, 2), 0x89);
    ck_assert_uint_eq(reg_read(r.device, 0, 8), 0x0018001800890089);
    command(&r, 0, 0xff);
    ck_assert(!reads_device(&r));
    rig_free(&r);
}
END_TEST

START_TEST(its_query_table_describes_its_size_sectors_and_commands)
{
    static const struct {
        uint32_t word;
        uint8_t byte;
    } table[] = {{0x10, 'Q'}, {0x11, 'R'}, {0x12, 'Y'}, {0x13, 1},   {0x14, 0}, {0x15, 0x31},
                 {0x27, 24},  {0x2a, 11},  {0x2c, 1},   {0x2d, 127}, {0x2e, 0}, {0x2f, 0},
                 {0x30, 2},   {0x31, 'P'}, {0x32, 'R'}, {0x33, 'I'}, {0x60, 0}, {0x0f, 0}};
    struct rig r;
    rig_init(&r, NULL);
    command(&r, 0x55 * 4, 0x98);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        ck_assert_uint_eq(reg_read(r.device, table[i].word * 4, 4), table[i].byte * 0x00010001u);
    ck_assert_uint_eq(2 * 128 * 512 * 256, PFLASH_BYTES);
    rig_free(&r);
}
END_TEST

START_TEST(an_unknown_command_leaves_it_as_memory)
{
    struct rig r;
    rig_init(&r, NULL);
    command(&r, 0, 0x98);
    command(&r, 0, 0x33);
    ck_assert(!reads_device(&r));
    rig_free(&r);
}
END_TEST

/* --- programming ------------------------------------------------------------------------- */

START_TEST(erasing_sets_one_sector)
{
    struct rig r;
    rig_init(&r, NULL);
    erase(&r, SECTOR + 0x1000);
    ck_assert_uint_eq(word(&r, SECTOR - 4), 0);
    ck_assert_uint_eq(word(&r, SECTOR), 0xffffffff);
    ck_assert_uint_eq(word(&r, 2 * SECTOR - 4), 0xffffffff);
    ck_assert_uint_eq(word(&r, 2 * SECTOR), 0);
    ck_assert_uint_ge(r.code_writes, 1);
    rig_free(&r);
}
END_TEST

START_TEST(programming_clears_bits_and_sets_none)
{
    struct rig r;
    rig_init(&r, NULL);
    erase(&r, 0);
    command(&r, 8, 0x40);
    reg_write(r.device, 8, 0x12345678, 4);
    ck_assert_uint_eq(status(&r), READY);
    command(&r, 8, 0x10);
    reg_write(r.device, 8, 0xffff00ff, 4);
    command(&r, 0, 0xff);
    ck_assert_uint_eq(word(&r, 8), 0x12340078);
    ck_assert_uint_eq(word(&r, 12), 0xffffffff);
    rig_free(&r);
}
END_TEST

START_TEST(a_buffer_is_programmed_at_once)
{
    struct rig r;
    rig_init(&r, NULL);
    erase(&r, 0);
    command(&r, 0x2000, 0xe8);
    ck_assert_uint_eq(status(&r), READY);
    command(&r, 0x2000, 3);
    for (uint32_t i = 0; i < 4; i++)
        reg_write(r.device, 0x2010 + 4 * i, 0x11111111 * i, 4);
    ck_assert_uint_eq(word(&r, 0x2014), 0xffffffff);
    command(&r, 0x2000, 0xd0);
    ck_assert_uint_eq(status(&r), READY);
    ck_assert_uint_eq(word(&r, 0x200c), 0xffffffff);
    ck_assert_uint_eq(word(&r, 0x2010), 0);
    ck_assert_uint_eq(word(&r, 0x201c), 0x33333333);
    ck_assert_uint_eq(word(&r, 0x2020), 0xffffffff);
    rig_free(&r);
}
END_TEST

START_TEST(wrong_sequences_are_errors_that_stay_until_cleared)
{
    struct rig r;
    rig_init(&r, NULL);
    erase(&r, 0);
    command(&r, 0, 0x20);
    command(&r, 0, 0x70);
    ck_assert_uint_eq(status(&r), 0x00b000b0);
    command(&r, 0, 0x50);
    ck_assert_uint_eq(status(&r), READY);
    command(&r, 0, 0xe8); /* more words than the buffer holds */
    reg_write(r.device, 0, 0x04000400, 4);
    ck_assert_uint_eq(status(&r), 0x00900090);
    command(&r, 0, 0x50);
    command(&r, 0, 0xe8); /* words of two buffers */
    command(&r, 0, 1);
    reg_write(r.device, 0x0ffc, 0, 4);
    reg_write(r.device, 0x1000, 0, 4);
    command(&r, 0, 0xd0);
    ck_assert_uint_eq(status(&r), 0x00900090);
    ck_assert_uint_eq(word(&r, 0x0ffc), 0xffffffff);
    rig_free(&r);
}
END_TEST

START_TEST(locks_are_accepted_and_lock_nothing)
{
    struct rig r;
    rig_init(&r, NULL);
    command(&r, 0, 0x60);
    command(&r, 0, 0x01);
    ck_assert_uint_eq(status(&r), READY);
    command(&r, 0, 0x60);
    command(&r, 0, 0xd0);
    ck_assert_uint_eq(status(&r), READY);
    erase(&r, 0);
    ck_assert_uint_eq(word(&r, 0), 0xffffffff);
    rig_free(&r);
}
END_TEST

START_TEST(a_reset_makes_it_memory_and_keeps_the_contents)
{
    struct rig r;
    rig_init(&r, NULL);
    erase(&r, 0);
    command(&r, 0, 0x20);
    r.device->ops->reset(r.device);
    ck_assert(!reads_device(&r));
    ck_assert_uint_eq(word(&r, 0), 0xffffffff);
    command(&r, 0, 0xd0);
    ck_assert_uint_eq(status(&r), READY);
    rig_free(&r);
}
END_TEST

/* --- the image --------------------------------------------------------------------------- */

START_TEST(it_shows_its_image_and_writes_to_it)
{
    struct rig r;
    struct block block;
    fake_block_init(&block, PFLASH_BYTES);
    uint32_t before;
    memcpy(&before, block.bytes + 0x123450, sizeof before);
    rig_init(&r, &block);
    ck_assert_uint_eq(word(&r, 0x123450), before);
    command(&r, 0, 0x40);
    reg_write(r.device, 0x123450, 0, 4);
    uint32_t after;
    memcpy(&after, block.bytes + 0x123450, sizeof after);
    ck_assert_uint_eq(after, 0);
    ck_assert_int_eq(memcmp(block.bytes, pflash_bytes(r.device), PFLASH_BYTES), 0);
    erase(&r, 0x140000);
    ck_assert_int_eq(memcmp(block.bytes, pflash_bytes(r.device), PFLASH_BYTES), 0);
    rig_free(&r);
    fake_block_free(&block);
}
END_TEST

START_TEST(an_image_that_cannot_be_written_is_an_error_of_the_guest)
{
    struct rig r;
    struct block block;
    fake_block_init(&block, PFLASH_BYTES);
    rig_init(&r, &block);
    block.status = BLOCK_NO_SPACE;
    command(&r, 0, 0x40);
    reg_write(r.device, 0, 0, 4);
    ck_assert_uint_eq(status(&r), 0x00900090);
    command(&r, 0, 0x50);
    command(&r, 0, 0x20);
    command(&r, 0, 0xd0);
    ck_assert_uint_eq(status(&r), 0x00a000a0);
    rig_free(&r);
    fake_block_free(&block);
}
END_TEST

START_TEST(a_read_only_image_is_never_changed)
{
    struct rig r;
    struct block block;
    fake_block_init(&block, PFLASH_BYTES);
    block.read_only = true;
    rig_init(&r, &block);
    command(&r, 4, 0x40);
    reg_write(r.device, 4, 0, 4);
    ck_assert_uint_eq(status(&r), 0x00900090);
    command(&r, 0, 0x20);
    command(&r, 0, 0xd0);
    ck_assert_uint_eq(status(&r), 0x00b000b0);
    ck_assert_uint_eq(block.counts[BLOCK_WRITE], 0);
    ck_assert_int_eq(memcmp(block.bytes, pflash_bytes(r.device), PFLASH_BYTES), 0);
    rig_free(&r);
    fake_block_free(&block);
}
END_TEST

START_TEST(an_image_of_another_size_or_that_cannot_be_read_is_refused)
{
    struct block block;
    struct error err;
    struct pflash_config config = {.base = BASE, .block = &block};
    fake_block_init(&block, PFLASH_BYTES - 512);
    ck_assert_ptr_null(pflash_create(&config, &err));
    ck_assert_str_eq(err.text, "a flash has exactly 33554432 bytes, its image 33553920");
    fake_block_free(&block);
    fake_block_init(&block, PFLASH_BYTES);
    block.status = BLOCK_IO_ERROR;
    ck_assert_ptr_null(pflash_create(&config, &err));
    fake_block_free(&block);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

START_TEST(its_state_survives_a_round_trip_in_the_middle_of_a_buffer)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    erase(&a, 0);
    erase(&b, 3 * SECTOR);
    command(&a, 0, 0xe8);
    command(&a, 0, 1);
    reg_write(a.device, 0x100, 0x12345678, 4);
    check_round_trip(a.device, b.device);
    ck_assert(reads_device(&b));
    ck_assert_uint_eq(word(&b, 3 * SECTOR), 0);
    reg_write(b.device, 0x104, 0x9abcdef0, 4);
    command(&b, 0, 0xd0);
    ck_assert_uint_eq(word(&b, 0x100), 0x12345678);
    ck_assert_uint_eq(word(&b, 0x104), 0x9abcdef0);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

/* Damage to what no erase has touched: the whole array would take long. */
START_TEST(damaged_states_are_refused_or_harmless)
{
    size_t size;
    uint64_t seed = 3;
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    command(&a, 0, 0xe8);
    command(&a, 0, 1);
    uint8_t *saved = device_save(a.device, &size);
    for (size_t i = 0; i < size; i += i < 64 ? 1 : 37) {
        saved[i] ^= 0x81;
        b.device->ops->reset(b.device);
        device_load(b.device, saved, size);
        for (unsigned n = 0; n < 50; n++)
            fuzz_once(b.device, SECTOR, &seed);
        saved[i] ^= 0x81;
    }
    free(saved);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 11;
    for (unsigned n = 0; n < 20000; n++)
        fuzz_once(r.device, PFLASH_BYTES, &seed);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pflash");
    TCase *tc = tcase_create("pflash");
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, it_begins_as_memory_of_zeros);
    tcase_add_test(tc, it_tells_maker_and_device_of_both_chips);
    tcase_add_test(tc, its_query_table_describes_its_size_sectors_and_commands);
    tcase_add_test(tc, an_unknown_command_leaves_it_as_memory);
    tcase_add_test(tc, erasing_sets_one_sector);
    tcase_add_test(tc, programming_clears_bits_and_sets_none);
    tcase_add_test(tc, a_buffer_is_programmed_at_once);
    tcase_add_test(tc, wrong_sequences_are_errors_that_stay_until_cleared);
    tcase_add_test(tc, locks_are_accepted_and_lock_nothing);
    tcase_add_test(tc, a_reset_makes_it_memory_and_keeps_the_contents);
    tcase_add_test(tc, it_shows_its_image_and_writes_to_it);
    tcase_add_test(tc, an_image_that_cannot_be_written_is_an_error_of_the_guest);
    tcase_add_test(tc, a_read_only_image_is_never_changed);
    tcase_add_test(tc, an_image_of_another_size_or_that_cannot_be_read_is_refused);
    tcase_add_test(tc, its_state_survives_a_round_trip_in_the_middle_of_a_buffer);
    tcase_add_test(tc, damaged_states_are_refused_or_harmless);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

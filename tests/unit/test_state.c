/* base/state.c: the state walk and the hash. */
#include "base/state.h"

#include "base/bits.h"
#include "tests/unit/suite.h"

#include <check.h>

/* A component with a field of each kind. */
struct sample {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    bool yes;
    uint8_t bytes[5];
    uint64_t words[3];
};

#define SAMPLE                                                                                     \
    {                                                                                              \
        .u8 = 0x11, .u16 = 0x2233, .u32 = 0x44556677, .u64 = 0x8899aabbccddeeff, .yes = true,      \
        .bytes = "four", .words = {1, 2, 0xffffffffffffffff},                                      \
    }

static void sample_state(struct sample *c, struct state *s)
{
    state_section(s, "sample", 3);
    state_u8(s, &c->u8);
    state_u16(s, &c->u16);
    state_u32(s, &c->u32);
    state_u64(s, &c->u64);
    state_bool(s, &c->yes);
    state_bytes(s, c->bytes, sizeof c->bytes);
    state_u64s(s, c->words, ARRAY_LEN(c->words));
}

static void check_equal(const struct sample *a, const struct sample *b)
{
    ck_assert_uint_eq(a->u8, b->u8);
    ck_assert_uint_eq(a->u16, b->u16);
    ck_assert_uint_eq(a->u32, b->u32);
    ck_assert_uint_eq(a->u64, b->u64);
    ck_assert(a->yes == b->yes);
    ck_assert_mem_eq(a->bytes, b->bytes, sizeof a->bytes);
    ck_assert_mem_eq(a->words, b->words, sizeof a->words);
}

START_TEST(what_was_saved_is_loaded)
{
    struct sample a = SAMPLE, b = {0};
    struct state *save = state_new_save();
    sample_state(&a, save);
    ck_assert(state_ok(save));
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    ck_assert(state_loading(load) && !state_loading(save));
    sample_state(&b, load);
    ck_assert(state_ok(load));
    check_equal(&a, &b);
    state_free(load);
    state_free(save);
}
END_TEST

START_TEST(numbers_are_little_endian_and_packed_after_mark_name_and_version)
{
    static const uint8_t expected[] = {'S', 'E', 'C', 'T', 2, 'a', 'b', 7, 0, 0, 0, 1, 0xef, 0xbe,
                                       4,   3,   2,   1,   8, 7,   6,   5, 4, 3, 2, 1, 'x',  'y'};
    uint8_t u8 = 1, xy[2] = {'x', 'y'};
    uint16_t u16 = 0xbeef;
    uint32_t u32 = 0x01020304;
    uint64_t u64 = 0x0102030405060708;
    struct state *s = state_new_save();
    state_section(s, "ab", 7);
    state_u8(s, &u8);
    state_u16(s, &u16);
    state_u32(s, &u32);
    state_u64(s, &u64);
    state_bytes(s, xy, sizeof xy);
    size_t size;
    const void *data = state_data(s, &size);
    ck_assert_uint_eq(size, sizeof expected);
    ck_assert_mem_eq(data, expected, sizeof expected);
    state_free(s);
}
END_TEST

START_TEST(a_large_save_keeps_every_byte_while_it_grows)
{
    struct state *s = state_new_save();
    for (uint32_t i = 0; i < 100000; i++)
        state_u32(s, &i);
    size_t size;
    const uint8_t *data = state_data(s, &size);
    ck_assert_uint_eq(size, 400000);
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_mem_eq(data + 4 * i, &i, 4);
    state_free(s);
}
END_TEST

START_TEST(every_truncation_fails_and_changes_nothing_behind_the_cut)
{
    struct sample a = SAMPLE;
    struct state *save = state_new_save();
    sample_state(&a, save);
    size_t size;
    const void *data = state_data(save, &size);
    for (size_t cut = 0; cut < size; cut++) {
        struct sample b = {.words = {5, 6, 7}};
        struct state *load = state_new_load(data, cut);
        sample_state(&b, load);
        ck_assert(!state_ok(load));
        ck_assert_ptr_nonnull(strstr(state_error(load), "ends early"));
        ck_assert_uint_eq(b.words[0], 5);
        ck_assert_uint_eq(b.words[2], 7);
        state_free(load);
    }
    state_free(save);
}
END_TEST

/* The message of loading section (name, version) from data that was saved as ("plic", 2). */
static void check_section_error(const char *name, uint32_t version, const char *part)
{
    uint64_t saved_value = 9, value = 4;
    struct state *save = state_new_save();
    state_section(save, "plic", 2);
    state_u64(save, &saved_value);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    state_section(load, name, version);
    state_u64(load, &value);
    ck_assert(!state_ok(load));
    ck_assert_uint_eq(value, 4);
    ck_assert_msg(strstr(state_error(load), part), "'%s' in '%s'", part, state_error(load));
    state_free(load);
    state_free(save);
}

START_TEST(another_section_fails_and_is_named)
{
    check_section_error("clic", 2, "section 'clic'");
    check_section_error("plic0", 2, "section 'plic0'");
}
END_TEST

START_TEST(another_version_fails_and_both_are_named)
{
    check_section_error("plic", 3, "section 'plic': version 2, this program has 3");
}
END_TEST

START_TEST(a_walk_that_lost_its_way_is_found_at_the_next_section)
{
    uint64_t value = 0;
    struct state *save = state_new_save();
    state_section(save, "a", 1);
    state_u64(save, &value);
    state_section(save, "b", 1);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    state_section(load, "a", 1);
    state_section(load, "b", 1);
    ck_assert(!state_ok(load));
    ck_assert_ptr_nonnull(strstr(state_error(load), "section 'a'"));
    ck_assert_ptr_nonnull(strstr(state_error(load), "'b' expected"));
    state_free(load);
    state_free(save);
}
END_TEST

START_TEST(a_boolean_is_zero_or_one)
{
    static const uint8_t two[] = {2};
    bool b = false;
    struct state *load = state_new_load(two, sizeof two);
    state_bool(load, &b);
    ck_assert(!state_ok(load));
    ck_assert(!b);
    state_free(load);
}
END_TEST

START_TEST(the_first_reason_is_kept_and_names_the_section)
{
    struct state *s = state_new_hash();
    ck_assert(state_hashing(s));
    state_section(s, "uart", 1);
    state_fail(s, "level %d of %d", 17, 16);
    state_fail(s, "later");
    ck_assert(!state_ok(s));
    ck_assert_str_eq(state_error(s), "section 'uart': level 17 of 16");
    state_free(s);
}
END_TEST

static uint64_t hash_of(struct sample c)
{
    struct state *s = state_new_hash();
    sample_state(&c, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

START_TEST(each_field_is_in_the_hash)
{
    struct sample c = SAMPLE;
    uint64_t before = hash_of(c);
    ck_assert_uint_eq(hash_of(c), before);
    struct sample changed[7] = {c, c, c, c, c, c, c};
    changed[0].u8 ^= 1;
    changed[1].u16 ^= 0x8000;
    changed[2].u32 ^= 1;
    changed[3].u64 ^= 1ull << 63;
    changed[4].yes = false;
    changed[5].bytes[4] ^= 1;
    changed[6].words[2] ^= 1;
    for (unsigned i = 0; i < 7; i++)
        ck_assert_msg(hash_of(changed[i]) != before, "field %u", i);
}
END_TEST

START_TEST(hashing_changes_no_field)
{
    struct sample a = SAMPLE, b = SAMPLE;
    struct state *s = state_new_hash();
    sample_state(&b, s);
    check_equal(&a, &b);
    state_free(s);
}
END_TEST

START_TEST(each_bit_of_each_length_is_in_the_hash)
{
    uint8_t bytes[100];
    for (unsigned n = 0; n <= sizeof bytes; n++) {
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 37);
        uint64_t before = hash_bytes(1, bytes, n);
        for (unsigned bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_msg(hash_bytes(1, bytes, n) != before, "bit %u of %u bytes", bit, n);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
END_TEST

START_TEST(zeros_of_different_lengths_hash_differently)
{
    uint8_t zeros[100] = {0};
    uint64_t seen[101];
    for (unsigned n = 0; n <= sizeof zeros; n++) {
        seen[n] = hash_bytes(0, zeros, n);
        for (unsigned i = 0; i < n; i++)
            ck_assert_msg(seen[i] != seen[n], "%u and %u zeros", i, n);
    }
}
END_TEST

START_TEST(swapped_blocks_and_other_seeds_hash_differently)
{
    uint8_t ab[128] = {[3] = 1, [70] = 2}, ba[128] = {[67] = 1, [6] = 2};
    ck_assert(hash_bytes(0, ab, sizeof ab) != hash_bytes(0, ba, sizeof ba));
    ck_assert(hash_bytes(0, ab, sizeof ab) != hash_bytes(1, ab, sizeof ab));
}
END_TEST

/* Recorded hashes are compared between builds and hosts. */
START_TEST(the_hash_of_a_given_text_never_changes)
{
    const char text[] = "Every build on every host hashes these bytes to the same 64 bits.";
    ck_assert_uint_eq(hash_bytes(42, text, sizeof text - 1), 0x0f221e768a8c1563);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("state");
    tcase_add_test(cases, what_was_saved_is_loaded);
    tcase_add_test(cases, numbers_are_little_endian_and_packed_after_mark_name_and_version);
    tcase_add_test(cases, a_large_save_keeps_every_byte_while_it_grows);
    tcase_add_test(cases, every_truncation_fails_and_changes_nothing_behind_the_cut);
    tcase_add_test(cases, another_section_fails_and_is_named);
    tcase_add_test(cases, another_version_fails_and_both_are_named);
    tcase_add_test(cases, a_walk_that_lost_its_way_is_found_at_the_next_section);
    tcase_add_test(cases, a_boolean_is_zero_or_one);
    tcase_add_test(cases, the_first_reason_is_kept_and_names_the_section);
    tcase_add_test(cases, each_field_is_in_the_hash);
    tcase_add_test(cases, hashing_changes_no_field);
    tcase_add_test(cases, each_bit_of_each_length_is_in_the_hash);
    tcase_add_test(cases, zeros_of_different_lengths_hash_differently);
    tcase_add_test(cases, swapped_blocks_and_other_seeds_hash_differently);
    tcase_add_test(cases, the_hash_of_a_given_text_never_changes);
    Suite *suite = suite_create("state");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

/* tlb.c: finding, replacing, every operand form of sfence.vma, poisoning, and the state walk. */
#include "memory/tlb.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define USER_VA   0x0000000000412000ull
#define KERNEL_VA 0xffffffd800123000ull
#define PA        0x80042000ull
#define MEBI      (1ull << 20)

static struct tlb *start(void)
{
    struct tlb *t = tlb_create();
    ck_assert_ptr_nonnull(t);
    return t;
}

static void insert(struct tlb *t, uint64_t va, uint16_t asid, uint8_t pte, unsigned shift)
{
    struct translation page = {.va = va, .pa = PA, .pte = pte, .page_shift = shift};
    tlb_insert(t, &page, asid);
}

static bool has(const struct tlb *t, uint64_t va, uint16_t asid)
{
    return tlb_find(t, va, asid) != NULL;
}

static void fill_l1(struct tlb *t, enum tlb_context context, enum tlb_access access, uint64_t va)
{
    unsigned i = tlb_index(va);
    tlb_mark_used(t, context, access, i);
    t->records[context][access][i] = (struct tlb_record){.va = va, .pa = PA};
    t->fast[context][access][i] = (struct tlb_fast){.tag = va, .addend = 1};
}

static void fill_all_l1(struct tlb *t, uint64_t va)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            fill_l1(t, context, access, va);
}

/* Both the record and the fast tag; they must agree. */
static bool in_l1(const struct tlb *t, enum tlb_context context, enum tlb_access access,
                  uint64_t va)
{
    unsigned i = tlb_index(va);
    bool fast = t->fast[context][access][i].tag == va;
    ck_assert_int_eq(t->records[context][access][i].va == va, fast);
    return fast;
}

/* Whether all accesses of the translated contexts know va, or none; M-mode knows it if `m`. */
static void expect_l1(const struct tlb *t, uint64_t va, bool m, bool translated)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            ck_assert_int_eq(in_l1(t, context, access, va), context == TLB_M ? m : translated);
}

START_TEST(a_new_tlb_is_empty)
{
    struct tlb *t = start();
    expect_l1(t, 0, false, false);
    for (uint64_t page = 0; page < TLB_L2_ENTRIES; page++)
        ck_assert(!has(t, page * PAGE_BYTES, 0));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_translation_is_found_by_its_page_and_asid)
{
    struct tlb *t = start();
    insert(t, USER_VA, 5, PTE_V | PTE_R, 12);
    insert(t, KERNEL_VA, 5, PTE_V | PTE_R, 12);
    const struct translation *found = tlb_find(t, USER_VA + 0xabc, 5);
    ck_assert_ptr_nonnull(found);
    ck_assert(found->va == USER_VA && found->pa == PA && found->pte == (PTE_V | PTE_R));
    ck_assert(has(t, KERNEL_VA, 5));
    ck_assert(!has(t, USER_VA, 6) && !has(t, KERNEL_VA, 6));
    ck_assert(!has(t, USER_VA, 5 + 16)); /* the same place, another space */
    ck_assert(!has(t, USER_VA + TLB_L2_ENTRIES * (uint64_t)PAGE_BYTES, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_global_kernel_page_is_found_by_every_asid)
{
    struct tlb *t = start();
    insert(t, KERNEL_VA, 5, PTE_V | PTE_R | PTE_G, 12);
    ck_assert(has(t, KERNEL_VA, 6) && has(t, KERNEL_VA, 0));
    tlb_destroy(t);
}
END_TEST

START_TEST(address_spaces_with_equal_addresses_live_side_by_side)
{
    struct tlb *t = start();
    for (uint16_t asid = 0; asid < 16; asid++)
        insert(t, USER_VA, asid, PTE_V, 12);
    for (uint16_t asid = 0; asid < 16; asid++)
        ck_assert(has(t, USER_VA, asid));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_full_flush_empties_both_levels)
{
    struct tlb *t = start();
    fill_all_l1(t, USER_VA);
    insert(t, USER_VA, 5, PTE_V, 12);
    insert(t, KERNEL_VA, 5, PTE_V | PTE_G, 12);
    tlb_flush_all(t);
    expect_l1(t, USER_VA, false, false);
    ck_assert(!has(t, USER_VA, 5) && !has(t, KERNEL_VA, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(old_entries_stay_dead_when_the_generation_wraps)
{
    struct tlb *t = start();
    insert(t, USER_VA, 5, PTE_V, 12);
    t->generation = UINT32_MAX;
    tlb_flush_all(t);
    ck_assert(!has(t, USER_VA, 5));
    ck_assert(!has(t, 0, 0));
    tlb_destroy(t);
}
END_TEST

/* A run that was saved and loaded counts anew: that must not be seen. */
START_TEST(a_partial_flush_at_the_wrap_keeps_what_it_does_not_concern)
{
    struct tlb *t = start();
    insert(t, USER_VA, 5, PTE_V, 12);
    tlb_flush_asid(t, 5);
    insert(t, USER_VA, 6, PTE_V, 12);
    insert(t, 4 * MEBI, 7, PTE_V, 21);
    t->generation = UINT32_MAX;
    insert(t, USER_VA + PAGE_BYTES, 8, PTE_V, 12);
    tlb_flush_asid(t, 6);
    ck_assert(!has(t, USER_VA, 5) && !has(t, USER_VA, 6));
    ck_assert(has(t, 4 * MEBI, 7) && has(t, USER_VA + PAGE_BYTES, 8));
    tlb_flush_va(t, 5 * MEBI, true, 0);
    ck_assert(!has(t, 4 * MEBI, 7) && has(t, USER_VA + PAGE_BYTES, 8));
    tlb_destroy(t);
}
END_TEST

START_TEST(flushing_one_context_keeps_the_others)
{
    struct tlb *t = start();
    fill_all_l1(t, USER_VA);
    tlb_flush_l1_context(t, TLB_S_SUM);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        ck_assert_int_eq(in_l1(t, context, TLB_FETCH, USER_VA), context != TLB_S_SUM);
    insert(t, USER_VA, 5, PTE_V, 12);
    tlb_flush_l1(t);
    expect_l1(t, USER_VA, false, false);
    ck_assert(has(t, USER_VA, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_of_an_address_drops_it_from_all_translated_contexts)
{
    struct tlb *t = start();
    fill_all_l1(t, USER_VA);
    fill_all_l1(t, USER_VA + PAGE_BYTES);
    insert(t, USER_VA, 5, PTE_V, 12);
    insert(t, USER_VA - 4 * MEBI, 5, PTE_V, 21);
    tlb_flush_va(t, USER_VA + 0x123, true, 0);
    expect_l1(t, USER_VA, true, false);
    expect_l1(t, USER_VA + PAGE_BYTES, true, true);
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_of_an_address_keeps_another_page_at_its_index)
{
    struct tlb *t = start();
    fill_all_l1(t, USER_VA);
    tlb_flush_va(t, USER_VA + TLB_L1_ENTRIES * (uint64_t)PAGE_BYTES, true, 0);
    expect_l1(t, USER_VA, true, true);
    tlb_destroy(t);
}
END_TEST

/* What is left of {user, kernel} x {asid 5, asid 6, global of 5} after a fence. */
static void insert_kinds(struct tlb *t)
{
    insert(t, USER_VA, 5, PTE_V, 12);
    insert(t, USER_VA, 6, PTE_V, 12);
    insert(t, USER_VA + PAGE_BYTES, 5, PTE_V | PTE_G, 12);
    insert(t, KERNEL_VA, 5, PTE_V, 12);
    insert(t, KERNEL_VA + PAGE_BYTES, 5, PTE_V | PTE_G, 12);
}

START_TEST(a_fence_of_address_and_asid_keeps_other_spaces_and_global_pages)
{
    struct tlb *t = start();
    insert_kinds(t);
    for (unsigned page = 0; page < 2; page++) {
        tlb_flush_va(t, USER_VA + page * PAGE_BYTES, false, 5);
        tlb_flush_va(t, KERNEL_VA + page * PAGE_BYTES, false, 5);
    }
    ck_assert(!has(t, USER_VA, 5) && has(t, USER_VA, 6));
    ck_assert(has(t, USER_VA + PAGE_BYTES, 5));
    ck_assert(!has(t, KERNEL_VA, 5));
    ck_assert(has(t, KERNEL_VA + PAGE_BYTES, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_of_address_and_another_asid_keeps_the_page)
{
    struct tlb *t = start();
    insert_kinds(t);
    tlb_flush_va(t, USER_VA, false, 21); /* the place of asid 5 */
    tlb_flush_va(t, KERNEL_VA, false, 21);
    ck_assert(has(t, USER_VA, 5) && has(t, KERNEL_VA, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_of_an_address_for_all_asids_drops_global_pages_too)
{
    struct tlb *t = start();
    insert_kinds(t);
    for (unsigned asid = 0; asid < 16; asid++)
        insert(t, USER_VA + 2 * PAGE_BYTES, asid, PTE_V, 12);
    for (unsigned page = 0; page < 3; page++) {
        tlb_flush_va(t, USER_VA + page * PAGE_BYTES, true, 0);
        tlb_flush_va(t, KERNEL_VA + page * PAGE_BYTES, true, 0);
    }
    for (unsigned page = 0; page < 3; page++) {
        for (unsigned asid = 0; asid < 16; asid++) {
            ck_assert(!has(t, USER_VA + page * PAGE_BYTES, asid));
            ck_assert(!has(t, KERNEL_VA + page * PAGE_BYTES, asid));
        }
    }
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_of_an_asid_keeps_other_spaces_and_global_pages)
{
    struct tlb *t = start();
    insert_kinds(t);
    fill_all_l1(t, USER_VA);
    tlb_flush_asid(t, 5);
    ck_assert(!has(t, USER_VA, 5) && has(t, USER_VA, 6));
    ck_assert(has(t, USER_VA + PAGE_BYTES, 5));
    ck_assert(!has(t, KERNEL_VA, 5) && has(t, KERNEL_VA + PAGE_BYTES, 5));
    expect_l1(t, USER_VA, true, false);
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_inside_a_superpage_drops_all_its_pieces)
{
    static const unsigned shifts[] = {16, 21, 30, 39};
    for (unsigned i = 0; i < ARRAY_LEN(shifts) * 2; i++) {
        struct tlb *t = start();
        uint64_t size = 1ull << shifts[i / 2];
        uint64_t base = i % 2 ? -size * 2 : size * 2;
        insert(t, base, 5, PTE_V, shifts[i / 2]);
        insert(t, base + size - PAGE_BYTES, 5, PTE_V, shifts[i / 2]);
        insert(t, base + size + PAGE_BYTES, 5, PTE_V, 12);
        fill_all_l1(t, base);
        tlb_flush_va(t, base + (i / 4 ? size - 1 : size / 2), true, 0);
        ck_assert(!has(t, base, 5) && !has(t, base + size - PAGE_BYTES, 5));
        ck_assert(has(t, base + size + PAGE_BYTES, 5));
        expect_l1(t, base, true, false);
        tlb_destroy(t);
    }
}
END_TEST

START_TEST(a_fence_inside_a_superpage_keeps_small_pages_and_the_other_half)
{
    struct tlb *t = start();
    insert(t, 4 * MEBI, 5, PTE_V, 21);
    insert(t, 3 * MEBI, 5, PTE_V, 12);
    insert(t, -4 * MEBI, 5, PTE_V, 21);
    tlb_flush_va(t, 5 * MEBI, false, 5);
    ck_assert(!has(t, 4 * MEBI, 5));
    ck_assert(has(t, 3 * MEBI, 5) && has(t, -4 * MEBI, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(a_superpage_that_returns_after_a_fence_can_be_fenced_again)
{
    struct tlb *t = start();
    for (unsigned i = 0; i < 3; i++) {
        insert(t, 4 * MEBI, 5, PTE_V, 21);
        ck_assert(has(t, 4 * MEBI, 5));
        tlb_flush_va(t, 5 * MEBI, true, 0);
        ck_assert(!has(t, 4 * MEBI, 5));
    }
    tlb_destroy(t);
}
END_TEST

START_TEST(a_fence_between_superpages_keeps_them)
{
    struct tlb *t = start();
    insert(t, 4 * MEBI, 5, PTE_V, 21);
    insert(t, 21 * MEBI, 5, PTE_V, 21);
    insert(t, 10 * MEBI, 5, PTE_V, 12);
    tlb_flush_va(t, 10 * MEBI, true, 0);
    ck_assert(has(t, 4 * MEBI, 5) && has(t, 21 * MEBI, 5));
    ck_assert(!has(t, 10 * MEBI, 5));
    tlb_destroy(t);
}
END_TEST

START_TEST(poisoning_stores_keeps_records_and_other_pages)
{
    struct tlb *t = start();
    unsigned i = tlb_index(USER_VA);
    fill_all_l1(t, USER_VA);
    fill_all_l1(t, USER_VA + PAGE_BYTES);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        t->records[context][TLB_STORE][i + 1].pa = PA + PAGE_BYTES;
    tlb_poison_stores(t, PA + 0x7ff, 1);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        ck_assert_uint_eq(t->fast[context][TLB_STORE][i].tag, TLB_NO_TAG);
        ck_assert_uint_eq(t->records[context][TLB_STORE][i].va, USER_VA);
        ck_assert(in_l1(t, context, TLB_LOAD, USER_VA));
        ck_assert(in_l1(t, context, TLB_STORE, USER_VA + PAGE_BYTES));
    }
    tlb_destroy(t);
}
END_TEST

START_TEST(poisoning_all_keeps_records)
{
    struct tlb *t = start();
    unsigned i = tlb_index(USER_VA);
    fill_all_l1(t, USER_VA);
    tlb_poison_all(t);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            ck_assert_uint_eq(t->fast[context][access][i].tag, TLB_NO_TAG);
            ck_assert_uint_eq(t->records[context][access][i].va, USER_VA);
        }
    }
    tlb_destroy(t);
}
END_TEST

static struct state *save(struct tlb *t)
{
    struct state *s = state_new_save();
    tlb_state(t, s);
    ck_assert(state_ok(s));
    return s;
}

static bool load(struct tlb *t, const struct state *saved)
{
    size_t size;
    const void *bytes = state_data(saved, &size);
    struct state *s = state_new_load(bytes, size);
    tlb_state(t, s);
    bool ok = state_ok(s);
    state_free(s);
    return ok;
}

static uint64_t hash(struct tlb *t)
{
    struct state *s = state_new_hash();
    tlb_state(t, s);
    uint64_t h = state_hash(s);
    state_free(s);
    return h;
}

START_TEST(a_load_brings_records_and_second_level_back_with_fast_tags_poisoned)
{
    struct tlb *t = start(), *u = start();
    fill_l1(t, TLB_U, TLB_STORE, USER_VA);
    t->records[TLB_U][TLB_STORE][tlb_index(USER_VA)].split = true;
    insert(t, USER_VA, 5, PTE_V | PTE_R | PTE_G, 16);
    insert(t, 4 * MEBI, 5, PTE_V, 21);
    fill_all_l1(u, KERNEL_VA); /* what was there before goes */
    insert(u, KERNEL_VA, 1, PTE_V, 12);
    struct state *saved = save(t);
    ck_assert(load(u, saved));
    ck_assert_uint_eq(hash(u), hash(t));
    expect_l1(u, KERNEL_VA, false, false);
    ck_assert(!has(u, KERNEL_VA, 1));
    const struct tlb_record *r = &u->records[TLB_U][TLB_STORE][tlb_index(USER_VA)];
    ck_assert(r->va == USER_VA && r->pa == PA && r->split);
    ck_assert_uint_eq(u->fast[TLB_U][TLB_STORE][tlb_index(USER_VA)].tag, TLB_NO_TAG);
    struct tlb *fresh = start();
    ck_assert(load(fresh, saved));
    tlb_flush_l1_context(fresh, TLB_U);
    ck_assert_uint_eq(fresh->records[TLB_U][TLB_STORE][tlb_index(USER_VA)].va, TLB_NO_TAG);
    tlb_destroy(fresh);
    const struct translation *found = tlb_find(u, USER_VA, 5);
    ck_assert(found && found->pa == PA && found->pte == (PTE_V | PTE_R | PTE_G) &&
              found->page_shift == 16);
    tlb_flush_va(u, 5 * MEBI, true, 0);
    ck_assert(!has(u, 4 * MEBI, 5));
    state_free(saved);
    tlb_destroy(t);
    tlb_destroy(u);
}
END_TEST

START_TEST(the_hash_sees_records_but_not_poison)
{
    struct tlb *t = start();
    uint64_t empty = hash(t);
    fill_l1(t, TLB_S, TLB_LOAD, USER_VA);
    uint64_t filled = hash(t);
    ck_assert_uint_ne(filled, empty);
    ck_assert(in_l1(t, TLB_S, TLB_LOAD, USER_VA)); /* hashing changes nothing */
    tlb_poison_all(t);
    ck_assert_uint_eq(hash(t), filled);
    tlb_flush_l1(t);
    ck_assert_uint_eq(hash(t), empty);
    insert(t, 4 * MEBI, 1, PTE_V, 21);
    ck_assert_uint_ne(hash(t), empty);
    tlb_flush_all(t); /* another generation, the same contents */
    ck_assert_uint_eq(hash(t), empty);
    tlb_destroy(t);
}
END_TEST

START_TEST(a_snapshot_with_malformed_entries_is_refused)
{
    for (unsigned i = 0; i < 7; i++) {
        struct tlb *t = start(), *u = start();
        struct tlb_record *r = &t->records[TLB_S][TLB_LOAD][1];
        *r = (struct tlb_record){.va = 0x1000, .pa = PA};
        insert(t, 0x1000, 0, PTE_V, 12);
        struct tlb_l2 *e = &t->l2[1];
        if (i == 1)
            r->va = 0x1008;
        if (i == 2)
            r->va = 0x2000;
        if (i == 3)
            r->pa = PA + 8;
        if (i == 4)
            e->t.va = 0x2000;
        if (i == 5)
            e->t.page_shift = 13;
        if (i == 6)
            e->t.pa = 1ull << 56;
        struct state *saved = state_new_save();
        tlb_state(t, saved);
        ck_assert(state_ok(saved));
        ck_assert_int_eq(load(u, saved), i == 0);
        state_free(saved);
        tlb_destroy(t);
        tlb_destroy(u);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlb");
    TCase *t = tcase_create("tlb");
    tcase_add_test(t, a_new_tlb_is_empty);
    tcase_add_test(t, a_translation_is_found_by_its_page_and_asid);
    tcase_add_test(t, a_global_kernel_page_is_found_by_every_asid);
    tcase_add_test(t, address_spaces_with_equal_addresses_live_side_by_side);
    tcase_add_test(t, a_full_flush_empties_both_levels);
    tcase_add_test(t, old_entries_stay_dead_when_the_generation_wraps);
    tcase_add_test(t, a_partial_flush_at_the_wrap_keeps_what_it_does_not_concern);
    tcase_add_test(t, flushing_one_context_keeps_the_others);
    tcase_add_test(t, a_fence_of_an_address_drops_it_from_all_translated_contexts);
    tcase_add_test(t, a_fence_of_an_address_keeps_another_page_at_its_index);
    tcase_add_test(t, a_fence_of_address_and_asid_keeps_other_spaces_and_global_pages);
    tcase_add_test(t, a_fence_of_address_and_another_asid_keeps_the_page);
    tcase_add_test(t, a_fence_of_an_address_for_all_asids_drops_global_pages_too);
    tcase_add_test(t, a_fence_of_an_asid_keeps_other_spaces_and_global_pages);
    tcase_add_test(t, a_fence_inside_a_superpage_drops_all_its_pieces);
    tcase_add_test(t, a_fence_inside_a_superpage_keeps_small_pages_and_the_other_half);
    tcase_add_test(t, a_superpage_that_returns_after_a_fence_can_be_fenced_again);
    tcase_add_test(t, a_fence_between_superpages_keeps_them);
    tcase_add_test(t, poisoning_stores_keeps_records_and_other_pages);
    tcase_add_test(t, poisoning_all_keeps_records);
    tcase_add_test(t, a_load_brings_records_and_second_level_back_with_fast_tags_poisoned);
    tcase_add_test(t, the_hash_sees_records_but_not_poison);
    tcase_add_test(t, a_snapshot_with_malformed_entries_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

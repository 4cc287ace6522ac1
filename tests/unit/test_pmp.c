/* pmp.c: shapes of entries, priority, permission by privilege, locking, and legal values. */
#include "tests/unit/hart_fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define R     1
#define W     2
#define X     4
#define RWX   7
#define TOR   0x08
#define NA4   0x10
#define NAPOT 0x18
#define L     0x80

#define PAGE 0x80000000ull

static struct hart_fixture *start(void)
{
    struct hart_fixture *f = malloc(sizeof *f);
    ck_assert_ptr_nonnull(f);
    fixture_init(f);
    return f;
}

static void stop(struct hart_fixture *f)
{
    fixture_free(f);
    free(f);
}

static void set_entry(struct hart_fixture *f, unsigned i, uint8_t cfg, uint64_t address)
{
    f->hart.csr.pmpcfg[i] = cfg;
    f->hart.csr.pmpaddr[i] = address >> 2;
}

static uint64_t napot(uint64_t base, uint64_t size)
{
    return base | (size / 2 - 1);
}

static bool allowed(struct hart_fixture *f, uint64_t gpa, unsigned size, unsigned priv)
{
    bool whole;
    return pmp_check(&f->hart, gpa, size, TLB_LOAD, priv, &whole) == PMP_ALLOWED;
}

static bool whole_page(struct hart_fixture *f, uint64_t gpa)
{
    bool whole;
    (void)pmp_check(&f->hart, gpa, 4, TLB_LOAD, PRIV_S, &whole);
    return whole;
}

START_TEST(without_a_match_m_may_do_all_and_s_and_u_nothing)
{
    struct hart_fixture *f = start();
    set_entry(f, 0, NA4 | R, 0x1000);
    ck_assert(allowed(f, PAGE, 8, PRIV_M));
    ck_assert(!allowed(f, PAGE, 8, PRIV_S));
    ck_assert(!allowed(f, PAGE, 8, PRIV_U));
    stop(f);
}
END_TEST

/* The entry must allow exactly the bytes of [first, end). */
static void check_bounds(struct hart_fixture *f, uint64_t first, uint64_t end)
{
    ck_assert(allowed(f, first, 4, PRIV_S));
    ck_assert(allowed(f, end - 4, 4, PRIV_S));
    ck_assert(!allowed(f, end, 4, PRIV_S));
    if (first)
        ck_assert(!allowed(f, first - 4, 4, PRIV_S));
}

START_TEST(na4_covers_four_bytes)
{
    struct hart_fixture *f = start();
    set_entry(f, 3, NA4 | R, PAGE + 8);
    check_bounds(f, PAGE + 8, PAGE + 12);
    stop(f);
}
END_TEST

START_TEST(napot_covers_its_power_of_two)
{
    for (uint64_t size = 8; size <= 1ull << 55; size <<= 1) {
        struct hart_fixture *f = start();
        uint64_t base = size < PAGE ? PAGE : 0;
        set_entry(f, 5, NAPOT | R, napot(base, size));
        check_bounds(f, base, base + size);
        stop(f);
    }
}
END_TEST

START_TEST(napot_of_all_ones_covers_everything)
{
    struct hart_fixture *f = start();
    f->hart.csr.pmpcfg[0] = NAPOT | R;
    f->hart.csr.pmpaddr[0] = (1ull << 54) - 1;
    ck_assert(allowed(f, 0, 8, PRIV_U));
    ck_assert(allowed(f, (1ull << 56) - 8, 8, PRIV_U));
    ck_assert(whole_page(f, PAGE));
    stop(f);
}
END_TEST

START_TEST(tor_covers_from_the_entry_below_or_from_0)
{
    struct hart_fixture *f = start();
    set_entry(f, 0, TOR | R, 0x2000);
    check_bounds(f, 0, 0x2000);
    set_entry(f, 0, 0, PAGE);
    set_entry(f, 1, TOR | R, PAGE + 0x100);
    check_bounds(f, PAGE, PAGE + 0x100);
    stop(f);
}
END_TEST

START_TEST(tor_with_crossed_bounds_matches_nothing)
{
    struct hart_fixture *f = start();
    set_entry(f, 0, 0, PAGE + 0x100);
    set_entry(f, 1, TOR | R, PAGE + 0x100);
    ck_assert(!allowed(f, PAGE + 0x100, 4, PRIV_S));
    set_entry(f, 1, TOR | R, PAGE);
    ck_assert(!allowed(f, PAGE, 4, PRIV_S));
    ck_assert(!allowed(f, PAGE + 0x80, 4, PRIV_S));
    stop(f);
}
END_TEST

START_TEST(the_lowest_matching_entry_decides)
{
    struct hart_fixture *f = start();
    set_entry(f, 14, NAPOT, napot(PAGE, 0x1000));
    set_entry(f, 15, NAPOT | RWX, napot(PAGE, 0x2000));
    ck_assert(!allowed(f, PAGE, 8, PRIV_S));
    ck_assert(allowed(f, PAGE + 0x1000, 8, PRIV_S));
    set_entry(f, 13, NAPOT | R, napot(PAGE, 0x1000));
    ck_assert(allowed(f, PAGE, 8, PRIV_S));
    stop(f);
}
END_TEST

START_TEST(an_entry_that_matches_a_part_of_the_access_denies_it)
{
    struct hart_fixture *f = start();
    set_entry(f, 0, NA4 | RWX, PAGE + 4);
    set_entry(f, 1, NAPOT | RWX, napot(PAGE, 0x1000));
    ck_assert(!allowed(f, PAGE, 8, PRIV_S));
    ck_assert(!allowed(f, PAGE, 8, PRIV_M));
    ck_assert(allowed(f, PAGE, 4, PRIV_S));
    ck_assert(allowed(f, PAGE + 8, 8, PRIV_S));
    stop(f);
}
END_TEST

START_TEST(each_access_needs_its_permission_and_m_only_under_lock)
{
    static const uint8_t bit[TLB_ACCESSES] = {[TLB_LOAD] = R, [TLB_STORE] = W, [TLB_FETCH] = X};
    struct hart_fixture *f = start();
    for (unsigned cfg = 0; cfg < 16; cfg++) {
        bool locked = cfg & 8;
        set_entry(f, 0, NAPOT | (cfg & 7) | (locked ? L : 0), napot(PAGE, 0x1000));
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            bool whole, has = cfg & bit[access];
            const struct hart *h = &f->hart;
            ck_assert_int_eq(pmp_check(h, PAGE, 4, access, PRIV_U, &whole), has);
            ck_assert_int_eq(pmp_check(h, PAGE, 4, access, PRIV_S, &whole), has);
            ck_assert_int_eq(pmp_check(h, PAGE, 4, access, PRIV_M, &whole), has || !locked);
        }
    }
    stop(f);
}
END_TEST

START_TEST(the_answer_holds_for_a_page_unless_an_entry_cuts_it)
{
    struct hart_fixture *f = start();
    ck_assert(whole_page(f, PAGE));
    set_entry(f, 2, NAPOT | RWX, napot(PAGE, 0x1000));
    ck_assert(whole_page(f, PAGE + 0x800));
    set_entry(f, 3, NA4, PAGE + 0x10); /* behind the match */
    ck_assert(whole_page(f, PAGE));
    set_entry(f, 1, NA4, PAGE + 0xffc); /* before it */
    ck_assert(!whole_page(f, PAGE));
    ck_assert(whole_page(f, PAGE + 0x1000));
    set_entry(f, 2, NAPOT | RWX, napot(PAGE, 0x800));
    set_entry(f, 1, 0, 0);
    ck_assert(!whole_page(f, PAGE));
    ck_assert(!whole_page(f, PAGE + 0xc00)); /* no match, yet cut */
    stop(f);
}
END_TEST

START_TEST(cfg_registers_hold_eight_entries_each)
{
    struct hart_fixture *f = start();
    pmp_write_cfg(&f->hart, 0, 0x0706050301000907);
    pmp_write_cfg(&f->hart, 2, 0x1f1d1c1b19181f17);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), 0x0704050301000907);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 2), 0x1f1d1c1b19181f17);
    ck_assert_uint_eq(f->hart.csr.pmpcfg[0], 0x07);
    ck_assert_uint_eq(f->hart.csr.pmpcfg[8], 0x17);
    ck_assert_uint_eq(f->hart.csr.pmpcfg[15], 0x1f);
    stop(f);
}
END_TEST

START_TEST(write_without_read_is_stored_without_write)
{
    struct hart_fixture *f = start();
    pmp_write_cfg(&f->hart, 0, NAPOT | W | X);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), NAPOT | X);
    pmp_write_cfg(&f->hart, 0, 0x60); /* and bits 6:5 do not exist */
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), 0);
    stop(f);
}
END_TEST

START_TEST(a_locked_entry_keeps_cfg_and_address)
{
    struct hart_fixture *f = start();
    pmp_write_addr(&f->hart, 1, 0x1234);
    pmp_write_cfg(&f->hart, 0, (uint64_t)(L | NAPOT | R) << 8);
    pmp_write_cfg(&f->hart, 0, 0x0f0f);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), (uint64_t)(L | NAPOT | R) << 8 | 0x0f);
    pmp_write_addr(&f->hart, 1, 0);
    ck_assert_uint_eq(f->hart.csr.pmpaddr[1], 0x1234);
    pmp_write_addr(&f->hart, 0, 0x55); /* its neighbour is free: entry 1 is not TOR */
    ck_assert_uint_eq(f->hart.csr.pmpaddr[0], 0x55);
    stop(f);
}
END_TEST

START_TEST(a_locked_tor_entry_locks_the_address_below)
{
    struct hart_fixture *f = start();
    pmp_write_addr(&f->hart, 0, 0x55);
    pmp_write_cfg(&f->hart, 0, (uint64_t)(L | TOR | R) << 8);
    pmp_write_addr(&f->hart, 0, 0x66);
    ck_assert_uint_eq(f->hart.csr.pmpaddr[0], 0x55);
    pmp_write_addr(&f->hart, 15, 0x77);
    ck_assert_uint_eq(f->hart.csr.pmpaddr[15], 0x77);
    stop(f);
}
END_TEST

START_TEST(a_change_flushes_the_tlb_and_the_executing_page)
{
    struct hart_fixture *f = start();
    pmp_write_addr(&f->hart, 0, 1);
    ck_assert(f->tlb_flushes == 1 && f->hart.leave && !f->hart.page_valid);
    fixture_forget(f);
    f->hart.page_valid = true;
    pmp_write_cfg(&f->hart, 0, NAPOT);
    ck_assert(f->tlb_flushes == 1 && f->hart.leave && !f->hart.page_valid);
    stop(f);
}
END_TEST

static bool may(struct hart_fixture *f, unsigned access, unsigned priv)
{
    bool whole;
    return pmp_check(&f->hart, PAGE, 4, access, priv, &whole) == PMP_ALLOWED;
}

/* Rights as letters: the table of chapter "Smepmp", row by row. */
START_TEST(under_mml_an_entry_means_what_the_table_says)
{
    static const struct {
        uint8_t cfg;
        const char *m, *below;
    } table[] = {
        {0, "", ""},      {X, "", "x"},          {W, "rw", "r"},        {W | X, "rw", "rw"},
        {R, "", "r"},     {R | X, "", "rx"},     {R | W, "", "rw"},     {RWX, "", "rwx"},
        {L, "", ""},      {L | X, "x", ""},      {L | W, "x", "x"},     {L | W | X, "rx", "x"},
        {L | R, "r", ""}, {L | R | X, "rx", ""}, {L | R | W, "rw", ""}, {L | RWX, "r", "r"},
    };
    struct hart_fixture *f = start();
    f->hart.csr.mseccfg = MSECCFG_MML;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        set_entry(f, 0, NA4 | table[i].cfg, PAGE);
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            char letter = access == TLB_LOAD ? 'r' : access == TLB_STORE ? 'w' : 'x';
            ck_assert_msg(may(f, access, PRIV_M) == (strchr(table[i].m, letter) != NULL),
                          "%02x: M %c", table[i].cfg, letter);
            ck_assert_msg(may(f, access, PRIV_S) == (strchr(table[i].below, letter) != NULL),
                          "%02x: S %c", table[i].cfg, letter);
        }
    }
    stop(f);
}
END_TEST

START_TEST(mml_denies_m_execution_and_mmwp_all_without_a_match)
{
    struct hart_fixture *f = start();
    f->hart.csr.mseccfg = MSECCFG_MML;
    ck_assert(may(f, TLB_LOAD, PRIV_M) && may(f, TLB_STORE, PRIV_M));
    ck_assert(!may(f, TLB_FETCH, PRIV_M));
    f->hart.csr.mseccfg = MSECCFG_MMWP;
    ck_assert(!may(f, TLB_LOAD, PRIV_M) && !may(f, TLB_FETCH, PRIV_M));
    stop(f);
}
END_TEST

START_TEST(mml_and_mmwp_stay_set)
{
    struct hart_fixture *f = start();
    ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x747, MSECCFG_MML | MSECCFG_MMWP), 3);
    ck_assert_uint_gt(f->tlb_flushes, 0);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x747, 0), 3);
    stop(f);
}
END_TEST

START_TEST(rlb_opens_locked_entries_and_cannot_be_set_behind_one)
{
    struct hart_fixture *f = start();
    ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x747, MSECCFG_RLB), MSECCFG_RLB);
    pmp_write_cfg(&f->hart, 0, L | NA4 | R);
    pmp_write_cfg(&f->hart, 0, L | NA4 | RWX);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), L | NA4 | RWX);
    pmp_write_addr(&f->hart, 0, 5);
    ck_assert_uint_eq(f->hart.csr.pmpaddr[0], 5);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x747, 0), 0);
    pmp_write_cfg(&f->hart, 0, 0);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), L | NA4 | RWX);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x747, MSECCFG_RLB), 0);
    stop(f);
}
END_TEST

START_TEST(under_mml_no_rule_for_m_execution_can_be_added)
{
    struct hart_fixture *f = start();
    f->hart.csr.mseccfg = MSECCFG_MML;
    pmp_write_cfg(&f->hart, 0, L | NA4 | R | X);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), 0);
    pmp_write_cfg(&f->hart, 0, NA4 | W);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), NA4 | W);
    f->hart.csr.mseccfg |= MSECCFG_RLB;
    pmp_write_cfg(&f->hart, 0, L | NA4 | R | X);
    ck_assert_uint_eq(pmp_read_cfg(&f->hart, 0), L | NA4 | R | X);
    stop(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pmp");
    TCase *t = tcase_create("pmp");
    tcase_add_test(t, without_a_match_m_may_do_all_and_s_and_u_nothing);
    tcase_add_test(t, na4_covers_four_bytes);
    tcase_add_test(t, napot_covers_its_power_of_two);
    tcase_add_test(t, napot_of_all_ones_covers_everything);
    tcase_add_test(t, tor_covers_from_the_entry_below_or_from_0);
    tcase_add_test(t, tor_with_crossed_bounds_matches_nothing);
    tcase_add_test(t, the_lowest_matching_entry_decides);
    tcase_add_test(t, an_entry_that_matches_a_part_of_the_access_denies_it);
    tcase_add_test(t, each_access_needs_its_permission_and_m_only_under_lock);
    tcase_add_test(t, the_answer_holds_for_a_page_unless_an_entry_cuts_it);
    tcase_add_test(t, cfg_registers_hold_eight_entries_each);
    tcase_add_test(t, write_without_read_is_stored_without_write);
    tcase_add_test(t, a_locked_entry_keeps_cfg_and_address);
    tcase_add_test(t, a_locked_tor_entry_locks_the_address_below);
    tcase_add_test(t, a_change_flushes_the_tlb_and_the_executing_page);
    tcase_add_test(t, under_mml_an_entry_means_what_the_table_says);
    tcase_add_test(t, mml_denies_m_execution_and_mmwp_all_without_a_match);
    tcase_add_test(t, mml_and_mmwp_stay_set);
    tcase_add_test(t, rlb_opens_locked_entries_and_cannot_be_set_behind_one);
    tcase_add_test(t, under_mml_no_rule_for_m_execution_can_be_added);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

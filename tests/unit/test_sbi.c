/* The built-in SBI: boot, base, timer, interrupts, fences, saved state. */
#include "tests/unit/sbi_rig.h"

/* --- boot ------------------------------------------------------------------------------------ */

START_TEST(boot_leaves_hart_0_in_s_mode_and_the_others_stopped)
{
    struct fixture *f = fixture_create();
    const struct hart *h = f->harts[0];
    ck_assert_uint_eq(h->pc, CODE);
    ck_assert_uint_eq(h->priv, PRIV_S);
    ck_assert_uint_eq(h->x[A0], 0);
    ck_assert_uint_eq(h->x[A1], BUFFER);
    ck_assert(!h->stopped);
    ck_assert(f->harts[1]->stopped && f->harts[2]->stopped);
    fixture_destroy(f);
}
END_TEST

START_TEST(boot_delegates_everything_but_ecalls_from_s)
{
    struct fixture *f = fixture_create();
    const struct hart_csrs *c = &f->harts[1]->csr;
    ck_assert_uint_eq(c->medeleg, 0xb1ff);
    ck_assert_uint_eq(c->mideleg, 0x2222);
    ck_assert_uint_eq(c->mcounteren & 7, 7);
    ck_assert_uint_eq(c->scounteren & 7, 7);
    ck_assert_uint_eq(c->mstatus & MSTATUS_FS, 0);
    ck_assert_uint_eq(c->menvcfg, ENVCFG_STCE | ENVCFG_PBMTE | ENVCFG_ADUE | ENVCFG_CBZE |
                                      ENVCFG_CBCFE | 1ull << 4);
    fixture_destroy(f);
}
END_TEST

START_TEST(boot_opens_all_memory_to_s_mode)
{
    struct fixture *f = fixture_create();
    bool whole;
    ck_assert_int_eq(pmp_check(f->harts[2], RAM_BASE, 8, TLB_FETCH, PRIV_S, &whole), PMP_ALLOWED);
    ck_assert_int_eq(pmp_check(f->harts[2], 0, 8, TLB_STORE, PRIV_U, &whole), PMP_ALLOWED);
    fixture_destroy(f);
}
END_TEST

/* --- base ------------------------------------------------------------------------------------ */

START_TEST(base_reports_version_3_0_and_ids)
{
    struct fixture *f = fixture_create();
    uint64_t mimpid;
    ck_assert(hart_csr_peek(f->harts[0], 0xf13, &mimpid));
    ck_assert_uint_eq(call(f, BASE, 0, (uint64_t[ARGS]){0}).value, 0x03000000);
    ck_assert_uint_eq(call(f, BASE, 1, (uint64_t[ARGS]){0}).value, 0x52697675);
    ck_assert_uint_eq(call(f, BASE, 2, (uint64_t[ARGS]){0}).value, 0x000100);
    ck_assert_uint_eq(call(f, BASE, 4, (uint64_t[ARGS]){0}).value, 0);
    ck_assert_uint_eq(call(f, BASE, 5, (uint64_t[ARGS]){0}).value, 0);
    ck_assert_uint_eq(call(f, BASE, 6, (uint64_t[ARGS]){0}).value, mimpid);
    ck_assert_int_eq(call(f, BASE, 6, (uint64_t[ARGS]){0}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

START_TEST(base_probes_what_is_there_and_nothing_else)
{
    struct fixture *f = fixture_create();
    const uint64_t present[] = {0, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU, SUSP, FWFT};
    const uint64_t absent[] = {9,
                               0xf,
                               UINT64_MAX,
                               1ull << 32 | BASE,
                               0x4e41434c /* NACL */,
                               0x535441 /* STA */,
                               0x43505043 /* CPPC */,
                               0x535345 /* SSE */,
                               0x44425452 /* DBTR */,
                               0x4d505859 /* MPXY */};
    for (size_t i = 0; i < ARRAY_LEN(present); i++)
        ck_assert_uint_eq(call(f, BASE, 3, (uint64_t[ARGS]){present[i]}).value, 1);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        ck_assert_uint_eq(call(f, BASE, 3, (uint64_t[ARGS]){absent[i]}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(unknown_extensions_and_functions_are_not_supported)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, BASE, 7, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, BASE, UINT64_MAX, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, 0x4e41434c, 0, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, 9, 0, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, TIME, 1, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    for (unsigned hfence = 3; hfence <= 6; hfence++)
        ck_assert_int_eq(call(f, RFENCE, hfence, (uint64_t[ARGS]){1}).error, NOT_SUPPORTED);
    fixture_destroy(f);
}
END_TEST

/* --- time, ipi --------------------------------------------------------------------------- */

START_TEST(set_timer_arms_the_caller_and_a_later_time_clears_it)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 0);
    ck_assert_int_eq(call_on(f, 1, TIME, 0, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 1);
    ck_assert_uint_eq(hart_mip(f->harts[0]) >> IRQ_STIP & 1, 0);
    call_on(f, 1, TIME, 0, (uint64_t[ARGS]){UINT64_MAX});
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(send_ipi_reaches_the_harts_of_the_mask)
{
    struct fixture *f = fixture_create();
    start_all(f);
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){1, 1}).error, SUCCESS);
    ck_assert(!ssip(f, 0) && ssip(f, 1) && !ssip(f, 2));
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){0, UINT64_MAX}).error, SUCCESS);
    ck_assert(ssip(f, 0) && ssip(f, 1) && ssip(f, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(send_ipi_to_a_hart_that_does_not_exist_sends_nothing)
{
    struct fixture *f = fixture_create();
    const uint64_t bad[][ARGS] = {
        {8, 0}, {9, 0}, {2, 2}, {1, 3}, {1, UINT64_MAX - 1}, {4, UINT64_MAX - 1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_eq(call(f, IPI, 0, bad[i]).error, INVALID_PARAM);
    ck_assert(!ssip(f, 0) && !ssip(f, 1) && !ssip(f, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(a_mask_without_harts_is_valid_whatever_its_base)
{
    struct fixture *f = fixture_create();
    const uint64_t bases[] = {0, HARTS, 64, UINT64_MAX - 1};
    start_all(f);
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){0, bases[i]}).error, SUCCESS);
        ck_assert_int_eq(call(f, RFENCE, 0, (uint64_t[ARGS]){0, bases[i]}).error, SUCCESS);
    }
    ck_assert(!ssip(f, 0) && !ssip(f, 1) && !ssip(f, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(a_stopped_hart_gets_no_ipi)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){2, 0}).error, SUCCESS);
    ck_assert(!ssip(f, 1));
    fixture_destroy(f);
}
END_TEST

/* --- rfence ------------------------------------------------------------------------------ */

START_TEST(remote_sfence_forgets_the_pages_of_its_range_on_its_harts)
{
    struct fixture *f = fixture_create();
    for (unsigned i = 0; i < HARTS; i++) {
        remember(f->harts[i], 0x10000, 1);
        remember(f->harts[i], 0x11000, 1);
        remember(f->harts[i], 0x12000, 1);
    }
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){2, 0, 0x10ff0, 0x20}).error, SUCCESS);
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x10000, 1));
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x11000, 1));
    ck_assert_ptr_nonnull(tlb_find(f->harts[1]->tlb, 0x12000, 1));
    ck_assert_ptr_nonnull(tlb_find(f->harts[0]->tlb, 0x10000, 1));
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_sfence_with_asid_leaves_other_address_spaces)
{
    struct fixture *f = fixture_create();
    remember(f->harts[1], 0x10000, 1);
    remember(f->harts[1], 0x20000, 2);
    ck_assert_int_eq(call(f, RFENCE, 2, (uint64_t[ARGS]){2, 0, 0, UINT64_MAX, 2}).error, SUCCESS);
    ck_assert_ptr_nonnull(tlb_find(f->harts[1]->tlb, 0x10000, 1));
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x20000, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_sfence_of_everything_or_much_is_a_full_flush)
{
    struct fixture *f = fixture_create();
    const uint64_t full[][ARGS] = {
        {1, 0, 0, 0}, {1, 0, 0x1000, UINT64_MAX}, {1, 0, 0x5000, 65 * 4096}};
    for (size_t i = 0; i < ARRAY_LEN(full); i++) {
        remember(f->harts[0], 0x7777000, 3);
        ck_assert_int_eq(call(f, RFENCE, 1, full[i]).error, SUCCESS);
        ck_assert_ptr_null(tlb_find(f->harts[0]->tlb, 0x7777000, 3));
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_fences_refuse_bad_harts_and_ranges)
{
    struct fixture *f = fixture_create();
    for (unsigned function = 0; function <= 2; function++)
        ck_assert_int_eq(call(f, RFENCE, function, (uint64_t[ARGS]){8, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, RFENCE, 0, (uint64_t[ARGS]){7, 0}).error, SUCCESS);
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){1, 0, UINT64_MAX - 4095, 4097}).error,
                     INVALID_ADDRESS);
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){1, 0, UINT64_MAX - 4095, 4096}).error,
                     SUCCESS);
    for (unsigned function = 3; function <= 6; function++) /* of the hypervisor extension */
        ck_assert_int_eq(call(f, RFENCE, function, (uint64_t[ARGS]){1}).error, NOT_SUPPORTED);
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_sfence_refuses_an_asid_of_more_than_16_bits)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, RFENCE, 2, (uint64_t[ARGS]){1, 0, 0, 4096, 0x10000}).error,
                     INVALID_PARAM);
    ck_assert_int_eq(call(f, RFENCE, 2, (uint64_t[ARGS]){1, 0, 0, 4096, 0xffff}).error, SUCCESS);
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){1, 0, 0, 4096, 0x10000}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

START_TEST(the_state_walk_keeps_a_suspension)
{
    struct fixture *f = fixture_create(), *copy = fixture_create();
    call(f, HSM, 3, (uint64_t[ARGS]){0});
    struct state *save = state_new_save();
    sbi_state(f->sbi, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    sbi_state(copy->sbi, load);
    ck_assert(state_ok(load));
    copy->harts[0]->waiting = true;
    copy->harts[0]->steps = f->harts[0]->steps;
    ck_assert_uint_eq(call_on(copy, 1, HSM, 2, (uint64_t[ARGS]){0}).value, 4);
    state_free(load);
    state_free(save);
    fixture_destroy(copy);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, boot_leaves_hart_0_in_s_mode_and_the_others_stopped);
    tcase_add_test(c, boot_delegates_everything_but_ecalls_from_s);
    tcase_add_test(c, boot_opens_all_memory_to_s_mode);
    tcase_add_test(c, base_reports_version_3_0_and_ids);
    tcase_add_test(c, base_probes_what_is_there_and_nothing_else);
    tcase_add_test(c, unknown_extensions_and_functions_are_not_supported);
    tcase_add_test(c, set_timer_arms_the_caller_and_a_later_time_clears_it);
    tcase_add_test(c, send_ipi_reaches_the_harts_of_the_mask);
    tcase_add_test(c, send_ipi_to_a_hart_that_does_not_exist_sends_nothing);
    tcase_add_test(c, a_mask_without_harts_is_valid_whatever_its_base);
    tcase_add_test(c, a_stopped_hart_gets_no_ipi);
    tcase_add_test(c, remote_sfence_forgets_the_pages_of_its_range_on_its_harts);
    tcase_add_test(c, remote_sfence_with_asid_leaves_other_address_spaces);
    tcase_add_test(c, remote_sfence_of_everything_or_much_is_a_full_flush);
    tcase_add_test(c, remote_fences_refuse_bad_harts_and_ranges);
    tcase_add_test(c, remote_sfence_refuses_an_asid_of_more_than_16_bits);
    tcase_add_test(c, the_state_walk_keeps_a_suspension);
}

int main(void)
{
    return sbi_suite("sbi", add_tests);
}

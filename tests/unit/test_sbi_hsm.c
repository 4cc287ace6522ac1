/* The built-in SBI: hart state management and system reset. */
#include "tests/unit/sbi_rig.h"

/* --- hsm --------------------------------------------------------------------------------- */

START_TEST(hart_start_enters_s_mode_as_the_table_says)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[2];
    h->csr.satp = 8ull << 60;
    h->csr.mstatus |= MSTATUS_SIE;
    h->priv = PRIV_U;
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){2, CODE + 2, 0xabcd}).error, SUCCESS);
    ck_assert(!h->stopped && !h->waiting);
    ck_assert_uint_eq(h->pc, CODE + 2);
    ck_assert_uint_eq(h->priv, PRIV_S);
    ck_assert_uint_eq(h->x[A0], 2);
    ck_assert_uint_eq(h->x[A1], 0xabcd);
    ck_assert_uint_eq(h->csr.satp, 0);
    ck_assert_uint_eq(h->csr.mstatus & MSTATUS_SIE, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(hart_start_refuses_bad_harts_states_and_addresses)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){HARTS, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){UINT64_MAX, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){0, CODE}).error, ALREADY_AVAILABLE);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, 0}).error, INVALID_ADDRESS);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, CODE + 1}).error, INVALID_ADDRESS);
    ck_assert(f->harts[1]->stopped);
    fixture_destroy(f);
}
END_TEST

START_TEST(hart_stop_stops_the_caller_and_it_can_be_started_again)
{
    struct fixture *f = fixture_create();
    start_all(f);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 0);
    f->harts[1]->leave = false;
    call_on(f, 1, HSM, 1, (uint64_t[ARGS]){0});
    ck_assert(f->harts[1]->stopped && f->harts[1]->leave);
    ck_assert_int_eq(f->harts[1]->stop, HART_WAITS);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 1);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, CODE}).error, SUCCESS);
    ck_assert_int_eq(call(f, HSM, 2, (uint64_t[ARGS]){HARTS}).error, INVALID_PARAM);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_retentive_suspend_waits_and_returns_success)
{
    struct fixture *f = fixture_create();
    start_all(f);
    f->harts[1]->csr.mie = 1 << IRQ_SSIP;
    ck_assert_int_eq(call_on(f, 1, HSM, 3, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert(f->harts[1]->waiting && f->harts[1]->leave);
    ck_assert_int_eq(f->harts[1]->stop, HART_WAITS);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 4);
    ck_assert(!hart_has_wakeup(f->harts[1]));
    call(f, IPI, 0, (uint64_t[ARGS]){2, 0});
    ck_assert(hart_has_wakeup(f->harts[1]));
    f->harts[1]->waiting = false;
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_wfi_after_a_suspend_is_not_reported_as_suspended)
{
    struct fixture *f = fixture_create();
    call_on(f, 0, HSM, 3, (uint64_t[ARGS]){0});
    f->harts[0]->steps++;
    ck_assert_uint_eq(call_on(f, 1, HSM, 2, (uint64_t[ARGS]){0}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_suspend_with_an_interrupt_pending_does_not_wait)
{
    struct fixture *f = fixture_create();
    f->harts[0]->csr.mie = 1 << IRQ_SSIP;
    call(f, IPI, 0, (uint64_t[ARGS]){1, 0});
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert(!f->harts[0]->waiting);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_non_retentive_suspend_resumes_at_its_address)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    h->csr.mie = 1 << IRQ_STIP;
    h->csr.mstatus |= MSTATUS_SIE;
    call(f, HSM, 3, (uint64_t[ARGS]){0x80000000, CODE + 0x40, 77});
    ck_assert(h->waiting);
    ck_assert_uint_eq(h->pc, CODE + 0x40);
    ck_assert_uint_eq(h->x[A0], 0);
    ck_assert_uint_eq(h->x[A1], 77);
    ck_assert_uint_eq(h->csr.mie, 1 << IRQ_STIP);
    ck_assert_uint_eq(h->csr.mstatus & MSTATUS_SIE, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(suspend_refuses_reserved_and_platform_types_and_bad_addresses)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){1}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x80000001}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x10000000}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0xffffffff}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x80000000, 0x10}).error, INVALID_ADDRESS);
    ck_assert(!f->harts[0]->waiting);
    fixture_destroy(f);
}
END_TEST

/* --- srst -------------------------------------------------------------------------------- */

START_TEST(system_reset_tells_the_machine_type_and_reason)
{
    struct fixture *f = fixture_create();
    f->harts[0]->leave = false;
    call(f, SRST, 0, (uint64_t[ARGS]){1, 1});
    ck_assert_int_eq(f->resets, 1);
    ck_assert_int_eq(f->type, SBI_COLD_REBOOT);
    ck_assert_int_eq(f->reason, SBI_REASON_SYSTEM_FAILURE);
    ck_assert(f->harts[0]->leave);
    ck_assert_int_eq(f->harts[0]->stop, HART_REQUEST);
    fixture_destroy(f);
}
END_TEST

START_TEST(system_reset_refuses_reserved_types_and_reasons)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){3, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){0xf0000000, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){0, 2}).error, INVALID_PARAM);
    ck_assert_int_eq(f->resets, 0);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, hart_start_enters_s_mode_as_the_table_says);
    tcase_add_test(c, hart_start_refuses_bad_harts_states_and_addresses);
    tcase_add_test(c, hart_stop_stops_the_caller_and_it_can_be_started_again);
    tcase_add_test(c, a_retentive_suspend_waits_and_returns_success);
    tcase_add_test(c, a_wfi_after_a_suspend_is_not_reported_as_suspended);
    tcase_add_test(c, a_suspend_with_an_interrupt_pending_does_not_wait);
    tcase_add_test(c, a_non_retentive_suspend_resumes_at_its_address);
    tcase_add_test(c, suspend_refuses_reserved_and_platform_types_and_bad_addresses);
    tcase_add_test(c, system_reset_tells_the_machine_type_and_reason);
    tcase_add_test(c, system_reset_refuses_reserved_types_and_reasons);
}

int main(void)
{
    return sbi_suite("sbi_hsm", add_tests);
}

/* The built-in SBI: system suspend and firmware features. */
#include "tests/unit/sbi_rig.h"

#define MISALIGNED 0u
#define AD_UPDATE  4u

static struct result set(struct fixture *f, uint64_t feature, uint64_t value, uint64_t flags)
{
    return call(f, FWFT, 0, (uint64_t[ARGS]){feature, value, flags});
}

static struct result get(struct fixture *f, uint64_t feature)
{
    return call(f, FWFT, 1, (uint64_t[ARGS]){feature});
}

/* --- susp -------------------------------------------------------------------------------- */

START_TEST(a_suspended_system_waits_and_resumes_at_its_address)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    h->csr.mie = 1 << IRQ_SEIP;
    h->csr.mstatus |= MSTATUS_SIE;
    h->csr.satp = 8ull << 60;
    call(f, SUSP, 0, (uint64_t[ARGS]){1ull << 32, CODE + 0x40, 77});
    ck_assert(h->waiting);
    ck_assert_uint_eq(h->pc, CODE + 0x40);
    ck_assert_uint_eq(h->x[A0], 0);
    ck_assert_uint_eq(h->x[A1], 77);
    ck_assert_uint_eq(h->csr.satp, 0);
    ck_assert_uint_eq(h->csr.mstatus & MSTATUS_SIE, 0);
    ck_assert(!hart_has_wakeup(h));
    hart_set_irq(h, IRQ_SEIP, true);
    ck_assert(hart_has_wakeup(h));
    fixture_destroy(f);
}
END_TEST

START_TEST(system_suspend_refuses_bad_types_and_addresses_and_harts_that_run)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, SUSP, 0, (uint64_t[ARGS]){1, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SUSP, 0, (uint64_t[ARGS]){0x80000000, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SUSP, 0, (uint64_t[ARGS]){0, CODE + 1}).error, INVALID_ADDRESS);
    ck_assert_int_eq(call(f, SUSP, 0, (uint64_t[ARGS]){0, 0x10}).error, INVALID_ADDRESS);
    start_all(f);
    ck_assert_int_eq(call(f, SUSP, 0, (uint64_t[ARGS]){0, CODE}).error, DENIED);
    ck_assert(!f->harts[0]->waiting);
    fixture_destroy(f);
}
END_TEST

/* --- fwft -------------------------------------------------------------------------------- */

START_TEST(the_update_of_a_and_d_follows_its_feature_on_this_hart_alone)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(get(f, AD_UPDATE).value, 1);
    ck_assert_int_eq(set(f, AD_UPDATE, 0, 0).error, SUCCESS);
    ck_assert_uint_eq(get(f, AD_UPDATE).value, 0);
    ck_assert_uint_eq(f->harts[0]->csr.menvcfg & ENVCFG_ADUE, 0);
    ck_assert_uint_eq(f->harts[1]->csr.menvcfg & ENVCFG_ADUE, ENVCFG_ADUE);
    ck_assert_uint_eq(f->harts[0]->priv, PRIV_S);
    ck_assert_int_eq(set(f, 1ull << 32 | AD_UPDATE, 1, 0).error, SUCCESS);
    ck_assert_uint_eq(f->harts[0]->csr.menvcfg & ENVCFG_ADUE, ENVCFG_ADUE);
    fixture_destroy(f);
}
END_TEST

START_TEST(the_update_of_a_and_d_is_not_supported_without_svadu)
{
    struct fixture *f = fixture_create();
    f->harts[0]->isa.svadu = false;
    ck_assert_int_eq(get(f, AD_UPDATE).error, NOT_SUPPORTED);
    ck_assert_int_eq(set(f, AD_UPDATE, 1, 0).error, NOT_SUPPORTED);
    fixture_destroy(f);
}
END_TEST

START_TEST(misaligned_exceptions_stay_delegated_and_the_value_is_kept)
{
    struct fixture *f = fixture_create();
    const uint64_t medeleg = f->harts[0]->csr.medeleg;
    ck_assert_uint_eq(get(f, MISALIGNED).value, 1);
    ck_assert_int_eq(set(f, MISALIGNED, 0, 0).error, SUCCESS);
    ck_assert_uint_eq(get(f, MISALIGNED).value, 0);
    ck_assert_uint_eq(f->harts[0]->csr.medeleg, medeleg);
    fixture_destroy(f);
}
END_TEST

START_TEST(features_that_are_not_here_have_the_errors_of_their_kind)
{
    struct fixture *f = fixture_create();
    const uint64_t missing[] = {1, 2, 3, 5}, denied[] = {6, 0x40000000, 0x80000000, 0xffffffff};
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(get(f, missing[i]).error, NOT_SUPPORTED);
        ck_assert_int_eq(set(f, missing[i], 1, 0).error, NOT_SUPPORTED);
        ck_assert_int_eq(get(f, denied[i]).error, DENIED);
        ck_assert_int_eq(set(f, denied[i], 1, 0).error, DENIED);
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(a_feature_refuses_other_values_and_reserved_flags)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(set(f, AD_UPDATE, 2, 0).error, INVALID_PARAM);
    ck_assert_int_eq(set(f, AD_UPDATE, 1ull << 32, 0).error, INVALID_PARAM);
    ck_assert_int_eq(set(f, AD_UPDATE, 0, 2).error, INVALID_PARAM);
    ck_assert_uint_eq(get(f, AD_UPDATE).value, 1);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_locked_feature_keeps_its_value_until_the_hart_is_started_again)
{
    struct fixture *f = fixture_create();
    start_all(f);
    ck_assert_int_eq(call_on(f, 1, FWFT, 0, (uint64_t[ARGS]){AD_UPDATE, 0, 1}).error, SUCCESS);
    for (uint64_t flags = 0; flags < 2; flags++)
        ck_assert_int_eq(call_on(f, 1, FWFT, 0, (uint64_t[ARGS]){AD_UPDATE, 1, flags}).error,
                         DENIED_LOCKED);
    ck_assert_int_eq(set(f, AD_UPDATE, 0, 0).error, SUCCESS); /* of another hart */
    call_on(f, 1, HSM, 1, (uint64_t[ARGS]){0});
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, CODE}).error, SUCCESS);
    ck_assert_uint_eq(call_on(f, 1, FWFT, 1, (uint64_t[ARGS]){AD_UPDATE}).value, 1);
    ck_assert_int_eq(call_on(f, 1, FWFT, 0, (uint64_t[ARGS]){AD_UPDATE, 0, 0}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, a_suspended_system_waits_and_resumes_at_its_address);
    tcase_add_test(c, system_suspend_refuses_bad_types_and_addresses_and_harts_that_run);
    tcase_add_test(c, the_update_of_a_and_d_follows_its_feature_on_this_hart_alone);
    tcase_add_test(c, the_update_of_a_and_d_is_not_supported_without_svadu);
    tcase_add_test(c, misaligned_exceptions_stay_delegated_and_the_value_is_kept);
    tcase_add_test(c, features_that_are_not_here_have_the_errors_of_their_kind);
    tcase_add_test(c, a_feature_refuses_other_values_and_reserved_flags);
    tcase_add_test(c, a_locked_feature_keeps_its_value_until_the_hart_is_started_again);
}

int main(void)
{
    return sbi_suite("sbi_features", add_tests);
}

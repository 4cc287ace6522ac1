/* The PLIC through its ops. */
#include "devices/irq/plic.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define CONTEXTS 4u

struct rig {
    struct wire out[CONTEXTS];
    struct device *plic;
};

static void rig_init(struct rig *r, struct log *log)
{
    *r = (struct rig){0};
    struct plic_config config = {.contexts = CONTEXTS, .log = log};
    for (unsigned c = 0; c < CONTEXTS; c++)
        config.out[c] = wire_to(r->out, c);
    r->plic = plic_create(&config);
    r->plic->ops->reset(r->plic);
}

static void rig_free(struct rig *r)
{
    r->plic->ops->destroy(r->plic);
}

static uint64_t pending_at(unsigned source)
{
    return 0x1000 + source / 32 * 4;
}

static uint64_t enable_at(unsigned context, unsigned word)
{
    return 0x2000 + context * 0x80 + word * 4;
}

static uint64_t threshold_at(unsigned context)
{
    return 0x200000 + context * 0x1000;
}

static uint64_t claim_at(unsigned context)
{
    return threshold_at(context) + 4;
}

static bool is_pending(struct rig *r, unsigned source)
{
    return reg_read(r->plic, pending_at(source), 4) >> source % 32 & 1;
}

static unsigned claim(struct rig *r, unsigned context)
{
    return reg_read(r->plic, claim_at(context), 4);
}

static void complete(struct rig *r, unsigned context, unsigned source)
{
    reg_write(r->plic, claim_at(context), source, 4);
}

/* Lets a source through to one context. */
static void enable(struct rig *r, unsigned context, unsigned source, unsigned priority)
{
    uint64_t at = enable_at(context, source / 32);
    reg_write(r->plic, at, reg_read(r->plic, at, 4) | 1u << source % 32, 4);
    reg_write(r->plic, source * 4, priority, 4);
}

START_TEST(reset_clears_everything_and_lowers_the_outputs)
{
    struct rig fresh, r;
    rig_init(&fresh, NULL);
    rig_init(&r, NULL);
    enable(&r, 1, 10, 3);
    reg_write(r.plic, threshold_at(2), 5, 4);
    plic_set_source(r.plic, 10, true);
    ck_assert(r.out[1].level);
    r.plic->ops->reset(r.plic);
    ck_assert(!r.out[1].level);
    ck_assert_uint_eq(device_hash(r.plic), device_hash(fresh.plic));
    rig_free(&r);
    rig_free(&fresh);
}
END_TEST

START_TEST(priorities_and_thresholds_keep_three_bits)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.plic, 95 * 4, 0xfffffffd, 4);
    ck_assert_uint_eq(reg_read(r.plic, 95 * 4, 4), 5);
    for (unsigned c = 0; c < CONTEXTS; c++)
        reg_write(r.plic, threshold_at(c), 0xfffffffc + c, 4);
    for (unsigned c = 0; c < CONTEXTS; c++)
        ck_assert_uint_eq(reg_read(r.plic, threshold_at(c), 4), 4 + c);
    rig_free(&r);
}
END_TEST

START_TEST(source_0_does_not_exist)
{
    struct rig r;
    rig_init(&r, NULL);
    reg_write(r.plic, 0, 7, 4);
    reg_write(r.plic, enable_at(0, 0), 0xffffffff, 4);
    ck_assert_uint_eq(reg_read(r.plic, 0, 4), 0);
    ck_assert_uint_eq(reg_read(r.plic, enable_at(0, 0), 4), 0xfffffffe);
    rig_free(&r);
}
END_TEST

START_TEST(each_context_has_its_own_enables)
{
    struct rig r;
    rig_init(&r, NULL);
    for (unsigned c = 0; c < CONTEXTS; c++)
        for (unsigned word = 0; word < 3; word++)
            reg_write(r.plic, enable_at(c, word), (c * 3 + word) << 8, 4);
    for (unsigned c = 0; c < CONTEXTS; c++)
        for (unsigned word = 0; word < 3; word++)
            ck_assert_uint_eq(reg_read(r.plic, enable_at(c, word), 4), (c * 3 + word) << 8);
    rig_free(&r);
}
END_TEST

START_TEST(a_raised_source_is_pending_and_notifies_only_who_enables_it)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 3, 95, 1);
    plic_set_source(r.plic, 95, true);
    ck_assert(is_pending(&r, 95));
    ck_assert(r.out[3].level);
    ck_assert(!r.out[0].level && !r.out[1].level && !r.out[2].level);
    rig_free(&r);
}
END_TEST

START_TEST(a_claim_clears_pending_and_lowers_the_output)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    ck_assert_uint_eq(claim(&r, 1), 10);
    ck_assert(!is_pending(&r, 10));
    ck_assert(!r.out[1].level);
    ck_assert_uint_eq(claim(&r, 1), 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_source_in_service_does_not_become_pending_again)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    claim(&r, 1);
    plic_set_source(r.plic, 10, false);
    plic_set_source(r.plic, 10, true);
    ck_assert(!is_pending(&r, 10));
    rig_free(&r);
}
END_TEST

START_TEST(completion_looks_at_the_wire_again)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    claim(&r, 1);
    complete(&r, 1, 10);
    ck_assert(is_pending(&r, 10));
    ck_assert(r.out[1].level);
    claim(&r, 1);
    plic_set_source(r.plic, 10, false);
    complete(&r, 1, 10);
    ck_assert(!is_pending(&r, 10));
    ck_assert(!r.out[1].level);
    plic_set_source(r.plic, 10, true);
    ck_assert(is_pending(&r, 10));
    rig_free(&r);
}
END_TEST

START_TEST(a_forwarded_request_outlives_its_wire)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    plic_set_source(r.plic, 10, false);
    ck_assert(r.out[1].level);
    ck_assert_uint_eq(claim(&r, 1), 10);
    complete(&r, 1, 10);
    ck_assert(!is_pending(&r, 10));
    rig_free(&r);
}
END_TEST

START_TEST(completion_by_a_context_that_does_not_enable_the_source_is_ignored)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    claim(&r, 1);
    complete(&r, 3, 10);
    ck_assert(!is_pending(&r, 10));
    complete(&r, 1, 0);
    complete(&r, 1, 96);
    complete(&r, 1, 0xffffffff);
    ck_assert(!is_pending(&r, 10));
    complete(&r, 1, 10);
    ck_assert(is_pending(&r, 10));
    rig_free(&r);
}
END_TEST

START_TEST(completion_of_what_nobody_claimed_changes_nothing)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    complete(&r, 1, 10);
    ck_assert(!is_pending(&r, 10));
    plic_set_source(r.plic, 10, true);
    complete(&r, 1, 10);
    ck_assert(is_pending(&r, 10));
    ck_assert_uint_eq(claim(&r, 1), 10);
    ck_assert_uint_eq(claim(&r, 1), 0);
    rig_free(&r);
}
END_TEST

/* Which context claimed is not part of a completion. */
START_TEST(any_context_that_enables_a_source_may_complete_it)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    enable(&r, 3, 10, 1);
    plic_set_source(r.plic, 10, true);
    ck_assert_uint_eq(claim(&r, 1), 10);
    complete(&r, 3, 10);
    ck_assert(r.out[1].level && r.out[3].level);
    ck_assert_uint_eq(claim(&r, 3), 10);
    rig_free(&r);
}
END_TEST

START_TEST(completions_may_come_in_another_order_than_the_claims)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 2);
    enable(&r, 1, 11, 1);
    plic_set_source(r.plic, 10, true);
    plic_set_source(r.plic, 11, true);
    ck_assert_uint_eq(claim(&r, 1), 10);
    ck_assert_uint_eq(claim(&r, 1), 11);
    complete(&r, 1, 10);
    ck_assert(is_pending(&r, 10) && !is_pending(&r, 11));
    complete(&r, 1, 11);
    ck_assert(is_pending(&r, 11));
    rig_free(&r);
}
END_TEST

START_TEST(a_source_that_nobody_lets_through_is_pending_until_somebody_does)
{
    struct rig r;
    rig_init(&r, NULL);
    plic_set_source(r.plic, 10, true);
    ck_assert(is_pending(&r, 10));
    ck_assert_uint_eq(claim(&r, 1), 0);
    reg_write(r.plic, threshold_at(1), 3, 4);
    enable(&r, 1, 10, 3);
    ck_assert(!r.out[1].level);
    reg_write(r.plic, 10 * 4, 4, 4);
    ck_assert(r.out[1].level && !r.out[3].level);
    reg_write(r.plic, 10 * 4, 3, 4);
    ck_assert(!r.out[1].level);
    reg_write(r.plic, threshold_at(1), 2, 4);
    ck_assert(r.out[1].level);
    rig_free(&r);
}
END_TEST

START_TEST(a_claim_of_one_source_leaves_the_next_best_notified)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 5);
    enable(&r, 1, 64, 2);
    reg_write(r.plic, threshold_at(1), 1, 4);
    plic_set_source(r.plic, 10, true);
    plic_set_source(r.plic, 64, true);
    ck_assert_uint_eq(claim(&r, 1), 10);
    ck_assert(r.out[1].level);
    reg_write(r.plic, threshold_at(1), 2, 4);
    ck_assert(!r.out[1].level);
    rig_free(&r);
}
END_TEST

START_TEST(the_highest_priority_is_claimed_first_and_the_lowest_id_of_equals)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 3, 2);
    enable(&r, 1, 40, 7);
    enable(&r, 1, 41, 7);
    enable(&r, 1, 90, 2);
    const unsigned sources[] = {90, 41, 40, 3};
    for (unsigned i = 0; i < ARRAY_LEN(sources); i++)
        plic_set_source(r.plic, sources[i], true);
    ck_assert_uint_eq(claim(&r, 1), 40);
    ck_assert_uint_eq(claim(&r, 1), 41);
    ck_assert_uint_eq(claim(&r, 1), 3);
    ck_assert_uint_eq(claim(&r, 1), 90);
    ck_assert_uint_eq(claim(&r, 1), 0);
    rig_free(&r);
}
END_TEST

START_TEST(priority_0_never_interrupts)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 0);
    plic_set_source(r.plic, 10, true);
    ck_assert(is_pending(&r, 10));
    ck_assert(!r.out[1].level);
    ck_assert_uint_eq(claim(&r, 1), 0);
    reg_write(r.plic, 10 * 4, 1, 4);
    ck_assert(r.out[1].level);
    rig_free(&r);
}
END_TEST

START_TEST(the_threshold_masks_notification_up_to_its_own_value_but_not_claims)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 3);
    plic_set_source(r.plic, 10, true);
    reg_write(r.plic, threshold_at(1), 3, 4);
    ck_assert(!r.out[1].level);
    reg_write(r.plic, threshold_at(1), 2, 4);
    ck_assert(r.out[1].level);
    reg_write(r.plic, threshold_at(1), 7, 4);
    ck_assert_uint_eq(claim(&r, 1), 10);
    rig_free(&r);
}
END_TEST

START_TEST(two_contexts_share_a_source_and_one_gets_it)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    enable(&r, 3, 10, 1);
    plic_set_source(r.plic, 10, true);
    ck_assert(r.out[1].level && r.out[3].level);
    ck_assert_uint_eq(claim(&r, 3), 10);
    ck_assert(!r.out[1].level && !r.out[3].level);
    ck_assert_uint_eq(claim(&r, 1), 0);
    rig_free(&r);
}
END_TEST

START_TEST(disabling_a_pending_source_lowers_the_output)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    reg_write(r.plic, enable_at(1, 0), 0, 4);
    ck_assert(!r.out[1].level);
    rig_free(&r);
}
END_TEST

START_TEST(places_without_a_register_read_0_and_are_reported)
{
    const uint64_t places[] = {96 * 4,          0x1000 + 12,     0x1f80,   enable_at(0, 3),
                               enable_at(4, 0), threshold_at(4), 0x3ffffc, threshold_at(0) + 8};
    struct bench_log log;
    bench_log_open(&log);
    struct rig r;
    rig_init(&r, log.log);
    for (unsigned source = 1; source < PLIC_SOURCES; source++) {
        enable(&r, 0, source, 7);
        plic_set_source(r.plic, source, true);
    }
    while (claim(&r, 0)) /* everything in service: no neighbour of a register is 0 */
        ;
    uint64_t before = device_hash(r.plic);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        reg_write(r.plic, places[i], 0xffffffff, 4);
        ck_assert_uint_eq(reg_read(r.plic, places[i], 4), 0);
    }
    reg_write(r.plic, pending_at(1), 0xffffffff, 4);
    ck_assert_uint_eq(device_hash(r.plic), before);
    rig_free(&r);
    ck_assert_uint_ge(bench_log_close(&log, "plic: no"), 3);
}
END_TEST

START_TEST(a_saved_state_loads_into_an_equal_device_and_drives_nothing)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    enable(&a, 1, 10, 3);
    enable(&a, 1, 11, 3);
    enable(&a, 2, 70, 5);
    reg_write(a.plic, threshold_at(2), 4, 4);
    plic_set_source(a.plic, 10, true);
    plic_set_source(a.plic, 11, true);
    plic_set_source(a.plic, 70, true);
    ck_assert_uint_eq(claim(&a, 1), 10);
    check_round_trip(a.plic, b.plic);
    ck_assert(!b.out[1].level && !b.out[2].level);
    complete(&b, 1, 10);
    ck_assert(is_pending(&b, 10) && is_pending(&b, 11) && is_pending(&b, 70));
    ck_assert(b.out[1].level && b.out[2].level);
    check_damaged_states(a.plic, b.plic, PLIC_BYTES);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_state_with_an_impossible_priority_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    size_t size;
    uint8_t *before = device_save(r.plic, &size);
    reg_write(r.plic, 1 * 4, 7, 4);
    uint8_t *saved = device_save(r.plic, &size);
    ck_assert(device_load(r.plic, saved, size));
    size_t at = 0;
    while (at < size && saved[at] == before[at])
        at++;
    ck_assert_uint_eq(saved[at], 7);
    saved[at] = 8;
    ck_assert(!device_load(r.plic, saved, size));
    free(before);
    free(saved);
    rig_free(&r);
}
END_TEST

START_TEST(a_state_with_a_bit_for_source_0_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    size_t size;
    uint8_t *before = device_save(r.plic, &size);
    plic_set_source(r.plic, 1, true);
    uint8_t *saved = device_save(r.plic, &size);
    unsigned maps = 0;
    for (size_t at = 0; at < size; at++) {
        if (saved[at] == before[at])
            continue;
        maps++;
        saved[at] ^= 1;
        ck_assert(!device_load(r.plic, saved, size));
        saved[at] ^= 1;
    }
    ck_assert_uint_eq(maps, 2); /* level and pending */
    free(before);
    free(saved);
    rig_free(&r);
}
END_TEST

START_TEST(a_state_with_a_source_both_pending_and_in_service_is_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    plic_set_source(r.plic, 10, true);
    size_t size;
    uint8_t *pending = device_save(r.plic, &size);
    claim(&r, 1);
    uint8_t *both = device_save(r.plic, &size);
    for (size_t at = 0; at < size; at++)
        both[at] |= pending[at];
    ck_assert(!device_load(r.plic, both, size));
    free(both);
    free(pending);
    rig_free(&r);
}
END_TEST

START_TEST(thresholds_and_sources_in_service_are_state)
{
    struct rig r;
    rig_init(&r, NULL);
    enable(&r, 1, 10, 1);
    uint64_t quiet = device_hash(r.plic);
    reg_write(r.plic, threshold_at(1), 1, 4);
    ck_assert_uint_ne(device_hash(r.plic), quiet);
    reg_write(r.plic, threshold_at(1), 0, 4);
    plic_set_source(r.plic, 10, true);
    claim(&r, 1);
    plic_set_source(r.plic, 10, false);
    ck_assert_uint_ne(device_hash(r.plic), quiet);
    complete(&r, 1, 10);
    ck_assert_uint_eq(device_hash(r.plic), quiet);
    rig_free(&r);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct rig r;
    rig_init(&r, NULL);
    uint64_t seed = 2;
    const uint64_t spans[] = {PLIC_BYTES, 0x2400, 96 * 4, 0x205000};
    for (unsigned n = 0; n < 100000; n++) {
        fuzz_once(r.plic, spans[n % 4], &seed);
        claim(&r, n % CONTEXTS);
        plic_set_source(r.plic, 1 + n % 95, bench_random(&seed) & 1);
    }
    rig_free(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, reset_clears_everything_and_lowers_the_outputs);
    tcase_add_test(tc, priorities_and_thresholds_keep_three_bits);
    tcase_add_test(tc, source_0_does_not_exist);
    tcase_add_test(tc, each_context_has_its_own_enables);
    tcase_add_test(tc, a_raised_source_is_pending_and_notifies_only_who_enables_it);
    tcase_add_test(tc, a_claim_clears_pending_and_lowers_the_output);
    tcase_add_test(tc, a_source_in_service_does_not_become_pending_again);
    tcase_add_test(tc, completion_looks_at_the_wire_again);
    tcase_add_test(tc, a_forwarded_request_outlives_its_wire);
    tcase_add_test(tc, completion_by_a_context_that_does_not_enable_the_source_is_ignored);
    tcase_add_test(tc, completion_of_what_nobody_claimed_changes_nothing);
    tcase_add_test(tc, any_context_that_enables_a_source_may_complete_it);
    tcase_add_test(tc, completions_may_come_in_another_order_than_the_claims);
    tcase_add_test(tc, a_source_that_nobody_lets_through_is_pending_until_somebody_does);
    tcase_add_test(tc, a_claim_of_one_source_leaves_the_next_best_notified);
    tcase_add_test(tc, the_highest_priority_is_claimed_first_and_the_lowest_id_of_equals);
    tcase_add_test(tc, priority_0_never_interrupts);
    tcase_add_test(tc, the_threshold_masks_notification_up_to_its_own_value_but_not_claims);
    tcase_add_test(tc, two_contexts_share_a_source_and_one_gets_it);
    tcase_add_test(tc, disabling_a_pending_source_lowers_the_output);
    tcase_add_test(tc, places_without_a_register_read_0_and_are_reported);
    tcase_add_test(tc, a_saved_state_loads_into_an_equal_device_and_drives_nothing);
    tcase_add_test(tc, a_state_with_an_impossible_priority_is_refused);
    tcase_add_test(tc, a_state_with_a_bit_for_source_0_is_refused);
    tcase_add_test(tc, a_state_with_a_source_both_pending_and_in_service_is_refused);
    tcase_add_test(tc, thresholds_and_sources_in_service_are_state);
    tcase_add_test(tc, any_access_is_survived);
}

int main(void)
{
    Suite *suite = suite_create("plic");
    TCase *tc = tcase_create("plic");
    add_tests(tc);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

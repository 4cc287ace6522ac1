/* Two recordings of a machine: the step at which they part is found, if there is one. */
#include "machine/bisect.h"
#include "machine/history.h"
#include "machine/record.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

static void record(const struct program *p, const char *log, const char *typed)
{
    struct error err;
    struct rig *r = rig_create(p, 2);
    ck_assert_msg(machine_record(r->m, log, &err), "%s", err.text);
    rig_run(r, 3 * RIG_MS);
    rig_type(r, "the same");
    rig_run(r, 23 * RIG_MS + 1234);
    rig_type(r, typed);
    rig_run(r, 40 * RIG_MS);
    ck_assert(machine_record_close(r->m, &err));
    rig_free(r);
}

static struct rig *replay(const struct program *p, const char *log)
{
    struct error err;
    struct machine_config config = rig_config(p, 2);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_replay(r->m, log, &err), "%s", err.text);
    ck_assert(machine_keep_history(r->m, &err));
    return r;
}

START_TEST(the_last_moment_that_is_the_same_is_found)
{
    struct program p;
    struct error err;
    struct bisection found;
    begin(&p, 2);
    record(&p, "one", "a");
    record(&p, "two", "r"); /* which resets it: an echo alone leaves no trace */
    struct rig *a = replay(&p, "one"), *b = replay(&p, "two");
    ck_assert_msg(machine_bisect(a->m, b->m, 23 * RIG_MS, &found, &err), "%s", err.text);
    ck_assert(found.differs);
    ck_assert_uint_eq(machine_steps(a->m), found.steps);
    ck_assert_uint_eq(machine_hash(a->m), machine_hash(b->m));
    ck_assert_uint_ge(machine_now_ns(a->m), 22 * RIG_MS);
    ck_assert_uint_le(machine_now_ns(a->m), 24 * RIG_MS);
    ck_assert(machine_go_to(a->m, found.steps + 1, &err));
    ck_assert(machine_go_to(b->m, found.steps + 1, &err));
    ck_assert_uint_ne(machine_hash(a->m), machine_hash(b->m));
    rig_free(a);
    rig_free(b);
    end(&p);
}
END_TEST

static void record_from(const struct program *p, const struct saved *saved, const char *log,
                        uint64_t ns)
{
    struct error err;
    struct rig *r = rig_create(p, 2);
    ck_assert(rig_load(r, saved->bytes, saved->size));
    ck_assert_msg(machine_record(r->m, log, &err), "%s", err.text);
    rig_run(r, machine_now_ns(r->m) + ns);
    ck_assert(machine_record_close(r->m, &err));
    rig_free(r);
}

static struct rig *replay_from(const struct program *p, const struct saved *saved, const char *log)
{
    struct error err;
    struct machine_config config = rig_config(p, 2);
    config.history_bytes = 64 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert(rig_load(r, saved->bytes, saved->size));
    ck_assert_msg(machine_replay(r->m, log, &err), "%s", err.text);
    ck_assert(machine_keep_history(r->m, &err));
    return r;
}

START_TEST(recordings_that_do_not_begin_at_the_first_step_are_compared)
{
    struct program p;
    struct error err;
    struct bisection found;
    begin(&p, 2);
    struct rig *first = rig_create(&p, 2);
    machine_stop_at_total(first->m, 1000003);
    ck_assert_int_eq(rig_run(first, UINT64_MAX), MACHINE_STEPPED);
    struct saved saved = rig_save(first);
    rig_free(first);
    record_from(&p, &saved, "one", 5 * RIG_MS);
    record_from(&p, &saved, "two", 3 * RIG_MS);
    struct rig *a = replay_from(&p, &saved, "one"), *b = replay_from(&p, &saved, "two");
    ck_assert_msg(machine_bisect(a->m, b->m, UINT64_MAX, &found, &err), "%s", err.text);
    ck_assert(!found.differs);
    ck_assert_uint_gt(found.steps, 1000003);
    ck_assert_str_eq(found.end, "the recording of the second ends there");
    free(saved.bytes);
    rig_free(a);
    rig_free(b);
    end(&p);
}
END_TEST

START_TEST(runs_that_are_the_same_are_said_to_be)
{
    struct program p;
    struct error err;
    struct bisection found;
    begin(&p, 2);
    record(&p, "one", "a");
    record(&p, "two", "a");
    struct rig *a = replay(&p, "one"), *b = replay(&p, "two");
    ck_assert_msg(machine_bisect(a->m, b->m, UINT64_MAX, &found, &err), "%s", err.text);
    ck_assert(!found.differs);
    ck_assert_uint_ge(machine_now_ns(a->m), 39 * RIG_MS);
    ck_assert_str_eq(found.end, "the recording of the first ends there");
    rig_free(a);
    rig_free(b);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bisect");
    TCase *tests = tcase_create("bisect");
    tcase_set_timeout(tests, 50);
    tcase_add_test(tests, the_last_moment_that_is_the_same_is_found);
    tcase_add_test(tests, runs_that_are_the_same_are_said_to_be);
    tcase_add_test(tests, recordings_that_do_not_begin_at_the_first_step_are_compared);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

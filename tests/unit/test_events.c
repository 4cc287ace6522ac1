/* base/events.c: the event queue. */
#include "base/events.h"

#include "base/bits.h"
#include "tests/unit/suite.h"

#include <check.h>

/* Three events that write what fired into a list, and what they shall do when they fire. */
struct bench {
    struct event_queue queue;
    struct event a, b, c;
    char fired[32];
    uint64_t fired_ns;
    unsigned changes;
    uint64_t rearm_a_ns; /* 0: not */
    bool b_disarms_c;
};

static void note(struct bench *t, char name, uint64_t now_ns)
{
    t->fired[strlen(t->fired)] = name;
    t->fired_ns = now_ns;
}

static void fire_a(void *owner, uint64_t now_ns)
{
    struct bench *t = owner;
    note(t, 'a', now_ns);
    if (t->rearm_a_ns && strlen(t->fired) < 4)
        event_arm(&t->queue, &t->a, t->rearm_a_ns);
}

static void fire_b(void *owner, uint64_t now_ns)
{
    struct bench *t = owner;
    note(t, 'b', now_ns);
    if (t->b_disarms_c)
        event_disarm(&t->queue, &t->c);
}

static void fire_c(void *owner, uint64_t now_ns)
{
    note(owner, 'c', now_ns);
}

static void count_change(void *owner)
{
    struct bench *t = owner;
    t->changes++;
}

static void set_up(struct bench *t)
{
    memset(t, 0, sizeof *t);
    events_init(&t->queue, count_change, t);
    event_register(&t->queue, &t->a, "a", fire_a, t);
    event_register(&t->queue, &t->b, "longer", fire_b, t);
    event_register(&t->queue, &t->c, "c", fire_c, t);
}

START_TEST(a_new_queue_has_nothing_to_fire)
{
    struct bench t;
    set_up(&t);
    ck_assert_uint_eq(t.queue.next_ns, EVENT_NEVER);
    events_run(&t.queue, EVENT_NEVER);
    ck_assert_str_eq(t.fired, "");
    struct event_queue empty;
    events_init(&empty, NULL, NULL);
    events_run(&empty, 100);
    ck_assert_uint_eq(empty.next_ns, EVENT_NEVER);
}
END_TEST

START_TEST(events_fire_at_or_before_now_earliest_first)
{
    struct bench t;
    set_up(&t);
    event_arm(&t.queue, &t.a, 30);
    event_arm(&t.queue, &t.b, 20);
    event_arm(&t.queue, &t.c, 31);
    events_run(&t.queue, 30);
    ck_assert_str_eq(t.fired, "ba");
    ck_assert_uint_eq(t.fired_ns, 30);
    ck_assert_uint_eq(t.queue.next_ns, 31);
    ck_assert_uint_eq(t.a.deadline_ns, EVENT_NEVER);
}
END_TEST

START_TEST(events_of_one_time_fire_in_order_of_registration)
{
    struct bench t;
    set_up(&t);
    event_arm(&t.queue, &t.c, 5);
    event_arm(&t.queue, &t.b, 5);
    event_arm(&t.queue, &t.a, 5);
    events_run(&t.queue, 9);
    ck_assert_str_eq(t.fired, "abc");
}
END_TEST

START_TEST(a_disarmed_event_does_not_fire)
{
    struct bench t;
    set_up(&t);
    event_arm(&t.queue, &t.a, 5);
    event_disarm(&t.queue, &t.a);
    ck_assert_uint_eq(t.queue.next_ns, EVENT_NEVER);
    events_run(&t.queue, 9);
    ck_assert_str_eq(t.fired, "");
}
END_TEST

START_TEST(arming_again_moves_the_deadline)
{
    struct bench t;
    set_up(&t);
    event_arm(&t.queue, &t.a, 5);
    event_arm(&t.queue, &t.a, 50);
    ck_assert_uint_eq(t.queue.next_ns, 50);
    events_run(&t.queue, 49);
    ck_assert_str_eq(t.fired, "");
}
END_TEST

START_TEST(an_event_may_arm_itself_again_and_waits_until_then)
{
    struct bench t;
    set_up(&t);
    t.rearm_a_ns = 20;
    event_arm(&t.queue, &t.a, 10);
    events_run(&t.queue, 10);
    ck_assert_str_eq(t.fired, "a");
    ck_assert_uint_eq(t.queue.next_ns, 20);
}
END_TEST

START_TEST(an_event_that_is_due_again_fires_in_the_same_run)
{
    struct bench t;
    set_up(&t);
    t.rearm_a_ns = 20;
    event_arm(&t.queue, &t.a, 10);
    event_arm(&t.queue, &t.b, 15);
    events_run(&t.queue, 25);
    ck_assert_str_eq(t.fired, "abaa");
}
END_TEST

START_TEST(an_event_may_disarm_another_of_the_same_time)
{
    struct bench t;
    set_up(&t);
    t.b_disarms_c = true;
    event_arm(&t.queue, &t.b, 10);
    event_arm(&t.queue, &t.c, 10);
    events_run(&t.queue, 10);
    ck_assert_str_eq(t.fired, "b");
}
END_TEST

START_TEST(the_owner_is_told_only_when_the_earliest_deadline_moved)
{
    struct bench t;
    set_up(&t);
    event_arm(&t.queue, &t.a, 10);
    ck_assert_uint_eq(t.changes, 1);
    event_arm(&t.queue, &t.b, 20);
    event_arm(&t.queue, &t.a, 10);
    ck_assert_uint_eq(t.changes, 1);
    event_disarm(&t.queue, &t.a);
    ck_assert_uint_eq(t.changes, 2);
    ck_assert_uint_eq(t.queue.next_ns, 20);
}
END_TEST

START_TEST(deadlines_are_loaded_by_name_in_whatever_order_they_were_registered)
{
    struct bench t, u;
    set_up(&t);
    event_arm(&t.queue, &t.a, 10);
    event_arm(&t.queue, &t.b, 20);
    struct state *save = state_new_save();
    events_state(&t.queue, save);
    memset(&u, 0, sizeof u);
    events_init(&u.queue, count_change, &u);
    event_register(&u.queue, &u.b, "longer", fire_b, &u);
    event_register(&u.queue, &u.c, "c", fire_c, &u);
    event_register(&u.queue, &u.a, "a", fire_a, &u);
    event_arm(&u.queue, &u.c, 1);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    events_state(&u.queue, load);
    ck_assert_msg(state_ok(load), "%s", state_error(load));
    ck_assert_uint_eq(u.a.deadline_ns, 10);
    ck_assert_uint_eq(u.b.deadline_ns, 20);
    ck_assert_uint_eq(u.c.deadline_ns, EVENT_NEVER);
    ck_assert_uint_eq(u.queue.next_ns, 10);
    state_free(load);
    state_free(save);
}
END_TEST

/* The reason why a queue of one event `name` cannot be loaded into one of one event "a". */
static void check_load_error(const char *saved_name, unsigned saved_count, const char *part)
{
    struct event_queue q;
    struct event e, more;
    events_init(&q, NULL, NULL);
    event_register(&q, &e, saved_name, NULL, NULL);
    if (saved_count == 2)
        event_register(&q, &more, "more", NULL, NULL);
    struct state *save = state_new_save();
    events_state(&q, save);
    struct event_queue to;
    struct event a;
    events_init(&to, NULL, NULL);
    event_register(&to, &a, "a", NULL, NULL);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    events_state(&to, load);
    ck_assert(!state_ok(load));
    ck_assert_msg(strstr(state_error(load), part), "'%s' in '%s'", part, state_error(load));
    state_free(load);
    state_free(save);
}

START_TEST(an_unknown_event_in_a_file_fails)
{
    check_load_error("zzz", 1, "no event 'zzz'");
}
END_TEST

START_TEST(another_number_of_events_in_a_file_fails)
{
    check_load_error("a", 2, "2 events");
}
END_TEST

START_TEST(a_name_that_is_too_long_in_a_file_fails)
{
    uint64_t one = 1;
    uint8_t length = 200, name[200] = {0};
    struct state *save = state_new_save();
    state_section(save, "events", 1);
    state_u64(save, &one);
    state_u8(save, &length);
    state_bytes(save, name, sizeof name);
    struct event_queue q;
    struct event a;
    events_init(&q, NULL, NULL);
    event_register(&q, &a, "a", NULL, NULL);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    events_state(&q, load);
    ck_assert(!state_ok(load));
    ck_assert_ptr_nonnull(strstr(state_error(load), "200 bytes"));
    state_free(load);
    state_free(save);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("events");
    tcase_add_test(cases, a_new_queue_has_nothing_to_fire);
    tcase_add_test(cases, events_fire_at_or_before_now_earliest_first);
    tcase_add_test(cases, events_of_one_time_fire_in_order_of_registration);
    tcase_add_test(cases, a_disarmed_event_does_not_fire);
    tcase_add_test(cases, arming_again_moves_the_deadline);
    tcase_add_test(cases, an_event_may_arm_itself_again_and_waits_until_then);
    tcase_add_test(cases, an_event_that_is_due_again_fires_in_the_same_run);
    tcase_add_test(cases, an_event_may_disarm_another_of_the_same_time);
    tcase_add_test(cases, the_owner_is_told_only_when_the_earliest_deadline_moved);
    tcase_add_test(cases, deadlines_are_loaded_by_name_in_whatever_order_they_were_registered);
    tcase_add_test(cases, an_unknown_event_in_a_file_fails);
    tcase_add_test(cases, another_number_of_events_in_a_file_fails);
    tcase_add_test(cases, a_name_that_is_too_long_in_a_file_fails);
    Suite *suite = suite_create("events");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

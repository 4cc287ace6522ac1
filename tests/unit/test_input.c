/* base/input.c: the input door. */
#include "base/input.h"

#include "base/os.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <string.h>

#define SECOND 1000000000ull

/* A sink that takes up to `room` bytes in all. */
struct sink {
    char taken[64];
    size_t size, room;
    struct input_door *echo; /* pushes one byte to entry 0 of it when called */
};

static size_t take(void *owner, const uint8_t *bytes, size_t n)
{
    struct sink *s = owner;
    if (s->echo)
        input_push(s->echo, 0, "!", 1);
    s->echo = NULL;
    size_t taken = n < s->room - s->size ? n : s->room - s->size;
    memcpy(s->taken + s->size, bytes, taken);
    s->size += taken;
    return taken;
}

static void check_taken(const struct sink *s, const char *expected)
{
    ck_assert_uint_eq(s->size, strlen(expected));
    ck_assert_mem_eq(s->taken, expected, s->size);
}

START_TEST(bytes_arrive_in_the_order_of_their_pushes_at_their_entry)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64}, b = {.room = 64};
    unsigned to_a = input_register(door, "a", take, &a);
    unsigned to_b = input_register(door, "b", take, &b);
    input_push(door, to_a, "one ", 4);
    input_push(door, to_b, "other", 5);
    input_push(door, to_a, "two", 3);
    check_taken(&a, "");
    input_deliver(door);
    check_taken(&a, "one two");
    check_taken(&b, "other");
    input_destroy(door);
}
END_TEST

START_TEST(the_door_is_pending_from_push_to_delivery)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64};
    unsigned entry = input_register(door, "a", take, &a);
    ck_assert(!input_pending(door));
    input_push(door, entry, "x", 1);
    ck_assert(input_pending(door));
    input_deliver(door);
    ck_assert(!input_pending(door));
    input_deliver(door);
    check_taken(&a, "x");
    input_destroy(door);
}
END_TEST

START_TEST(what_a_sink_refuses_is_offered_again_before_what_came_later)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 3};
    unsigned entry = input_register(door, "a", take, &a);
    input_push(door, entry, "abcdef", 6);
    input_deliver(door);
    check_taken(&a, "abc");
    ck_assert(input_pending(door));
    input_push(door, entry, "gh", 2);
    a.room = 5;
    input_deliver(door);
    check_taken(&a, "abcde");
    a.room = 64;
    input_deliver(door);
    check_taken(&a, "abcdefgh");
    ck_assert(!input_pending(door));
    input_destroy(door);
}
END_TEST

START_TEST(the_backlog_counts_what_was_not_taken)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 3};
    unsigned entry = input_register(door, "a", take, &a);
    input_push(door, entry, "abcdef", 6);
    ck_assert_uint_eq(input_backlog(door, entry), 6);
    input_deliver(door);
    ck_assert_uint_eq(input_backlog(door, entry), 3);
    a.room = 64;
    input_deliver(door);
    ck_assert_uint_eq(input_backlog(door, entry), 0);
    input_destroy(door);
}
END_TEST

START_TEST(what_waits_moves_to_another_door_in_its_order)
{
    struct input_door *from = input_create(), *to = input_create();
    struct sink a = {.room = 2}, b = {.room = 64};
    unsigned entry = input_register(from, "a", take, &a);
    input_register(to, "a", take, &b);
    input_push(from, entry, "12345", 5);
    input_deliver(from); /* "345" is held */
    input_push(from, entry, "67", 2);
    input_move(from, to);
    ck_assert_uint_eq(input_backlog(from, entry), 0);
    ck_assert(input_pending(to));
    input_push(to, entry, "8", 1);
    input_deliver(to);
    check_taken(&b, "345678");
    a.room = 64;
    input_deliver(from);
    check_taken(&a, "12");
    input_destroy(from);
    input_destroy(to);
}
END_TEST

START_TEST(a_sink_may_push)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64, .echo = door};
    unsigned entry = input_register(door, "a", take, &a);
    input_push(door, entry, "x", 1);
    input_deliver(door);
    check_taken(&a, "x");
    ck_assert(input_pending(door));
    input_deliver(door);
    check_taken(&a, "x!");
    input_destroy(door);
}
END_TEST

START_TEST(a_push_to_an_entry_that_does_not_exist_is_lost)
{
    struct input_door *door = input_create();
    input_push(door, INPUT_NO_ENTRY, "x", 1);
    ck_assert(!input_pending(door));
    ck_assert_uint_eq(input_backlog(door, INPUT_NO_ENTRY), 0);
    input_destroy(door);
}
END_TEST

START_TEST(a_wake_makes_the_door_pending_with_nothing_to_deliver)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64};
    input_register(door, "a", take, &a);
    input_wake(door);
    ck_assert(input_pending(door));
    input_deliver(door);
    ck_assert(!input_pending(door));
    check_taken(&a, "");
    input_destroy(door);
}
END_TEST

START_TEST(a_wait_ends_at_once_after_a_push_or_a_wake)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64};
    unsigned entry = input_register(door, "a", take, &a);
    uint64_t start = os_monotonic_ns();
    input_push(door, entry, "x", 1);
    input_wait(door, 20 * SECOND);
    input_wake(door);
    input_wait(door, UINT64_MAX);
    ck_assert_uint_lt(os_monotonic_ns() - start, 10 * SECOND);
    input_destroy(door);
}
END_TEST

START_TEST(many_wakes_end_only_one_wait)
{
    struct input_door *door = input_create();
    for (int i = 0; i < 100000; i++)
        input_wake(door);
    input_wait(door, 20 * SECOND);
    uint64_t start = os_monotonic_ns();
    input_wait(door, SECOND / 20);
    ck_assert_uint_ge(os_monotonic_ns() - start, SECOND / 20);
    input_destroy(door);
}
END_TEST

START_TEST(refused_bytes_do_not_end_a_wait)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 0};
    unsigned entry = input_register(door, "a", take, &a);
    input_push(door, entry, "x", 1);
    input_wait(door, 0);
    input_deliver(door);
    ck_assert(input_pending(door));
    uint64_t start = os_monotonic_ns();
    input_wait(door, SECOND / 20);
    ck_assert_uint_ge(os_monotonic_ns() - start, SECOND / 20);
    input_destroy(door);
}
END_TEST

/* Takes whole packets, each followed by a bar, while there is room for them. */
static size_t take_packet(void *owner, const uint8_t *bytes, size_t n)
{
    struct sink *s = owner;
    if (n >= s->room - s->size)
        return 0;
    memcpy(s->taken + s->size, bytes, n);
    s->size += n;
    s->taken[s->size++] = '|';
    return n;
}

START_TEST(packets_keep_their_boundaries)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64};
    unsigned entry = input_register_packets(door, "a", 8, take_packet, &a);
    input_push(door, entry, "one", 3);
    input_push(door, entry, "2", 1);
    input_deliver(door);
    input_push(door, entry, "three", 5);
    input_deliver(door);
    check_taken(&a, "one|2|three|");
    ck_assert(!input_pending(door));
    input_destroy(door);
}
END_TEST

START_TEST(a_refused_packet_is_offered_whole_again_before_what_came_later)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 6};
    unsigned entry = input_register_packets(door, "a", 8, take_packet, &a);
    input_push(door, entry, "one", 3);
    input_push(door, entry, "two", 3);
    input_deliver(door);
    check_taken(&a, "one|");
    ck_assert(input_pending(door));
    input_push(door, entry, "3", 1);
    a.room = 64;
    input_deliver(door);
    check_taken(&a, "one|two|3|");
    input_destroy(door);
}
END_TEST

START_TEST(of_too_many_packets_the_newest_are_lost)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 3};
    unsigned entry = input_register_packets(door, "a", 2, take_packet, &a);
    input_push(door, entry, "1", 1);
    input_push(door, entry, "2", 1);
    input_push(door, entry, "3", 1);
    ck_assert_uint_eq(input_backlog(door, entry), 2);
    input_deliver(door); /* 1 is taken, 2 is held */
    ck_assert_uint_eq(input_backlog(door, entry), 1);
    input_push(door, entry, "4", 1);
    input_push(door, entry, "5", 1);
    a.room = 64;
    input_deliver(door);
    check_taken(&a, "1|2|4|");
    ck_assert_uint_eq(input_backlog(door, entry), 0);
    input_destroy(door);
}
END_TEST

START_TEST(packets_that_wait_move_to_another_door)
{
    struct input_door *from = input_create(), *to = input_create();
    struct sink a = {.room = 3}, b = {.room = 64};
    unsigned entry = input_register_packets(from, "a", 2, take_packet, &a);
    input_register_packets(to, "a", 2, take_packet, &b);
    input_push(from, entry, "1", 1);
    input_push(from, entry, "two", 3);
    input_deliver(from);
    input_push(from, entry, "3", 1);
    input_move(from, to);
    ck_assert_uint_eq(input_backlog(from, entry), 0);
    ck_assert_uint_eq(input_backlog(to, entry), 2);
    input_deliver(to);
    check_taken(&b, "two|3|");
    input_destroy(from);
    input_destroy(to);
}
END_TEST

START_TEST(an_empty_packet_is_none)
{
    struct input_door *door = input_create();
    struct sink a = {.room = 64};
    unsigned entry = input_register_packets(door, "a", 2, take_packet, &a);
    input_push(door, entry, "", 0);
    ck_assert_uint_eq(input_backlog(door, entry), 0);
    input_destroy(door);
}
END_TEST

#define PUSHES 20000u

struct pusher {
    struct input_door *door;
    unsigned entry;
};

static void push_numbers(void *arg)
{
    struct pusher *p = arg;
    for (uint32_t i = 0; i < PUSHES; i++)
        input_push(p->door, p->entry, &i, sizeof i);
}

/* Takes whole numbers and checks that they count up from zero. */
static size_t count_up(void *owner, const uint8_t *bytes, size_t n)
{
    uint32_t *next = owner, seen;
    size_t done = 0;
    for (; n - done >= sizeof seen; done += sizeof seen) {
        memcpy(&seen, bytes + done, sizeof seen);
        ck_assert_uint_eq(seen, *next);
        ++*next;
    }
    return done;
}

START_TEST(two_threads_push_while_the_machine_delivers_and_no_byte_is_lost_or_moved)
{
    struct input_door *door = input_create();
    uint32_t next[2] = {0};
    struct pusher pushers[2];
    struct os_thread *threads[2];
    for (int i = 0; i < 2; i++)
        pushers[i] = (struct pusher){door, input_register(door, "n", count_up, &next[i])};
    for (int i = 0; i < 2; i++)
        threads[i] = os_thread_start(push_numbers, &pushers[i]);
    while (next[0] < PUSHES || next[1] < PUSHES) {
        input_wait(door, UINT64_MAX);
        input_deliver(door);
    }
    for (int i = 0; i < 2; i++)
        os_thread_join(threads[i]);
    input_destroy(door);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("input");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, bytes_arrive_in_the_order_of_their_pushes_at_their_entry);
    tcase_add_test(cases, the_door_is_pending_from_push_to_delivery);
    tcase_add_test(cases, what_a_sink_refuses_is_offered_again_before_what_came_later);
    tcase_add_test(cases, the_backlog_counts_what_was_not_taken);
    tcase_add_test(cases, what_waits_moves_to_another_door_in_its_order);
    tcase_add_test(cases, a_sink_may_push);
    tcase_add_test(cases, a_push_to_an_entry_that_does_not_exist_is_lost);
    tcase_add_test(cases, a_wake_makes_the_door_pending_with_nothing_to_deliver);
    tcase_add_test(cases, a_wait_ends_at_once_after_a_push_or_a_wake);
    tcase_add_test(cases, many_wakes_end_only_one_wait);
    tcase_add_test(cases, refused_bytes_do_not_end_a_wait);
    tcase_add_test(cases, two_threads_push_while_the_machine_delivers_and_no_byte_is_lost_or_moved);
    tcase_add_test(cases, packets_keep_their_boundaries);
    tcase_add_test(cases, a_refused_packet_is_offered_whole_again_before_what_came_later);
    tcase_add_test(cases, of_too_many_packets_the_newest_are_lost);
    tcase_add_test(cases, packets_that_wait_move_to_another_door);
    tcase_add_test(cases, an_empty_packet_is_none);
    Suite *suite = suite_create("input");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

/* The control: calls of other threads, stopping and going on, and that none of it is seen by the
 * guest. The guest is the busy program of machine_rig.h. */
#include "debug/control.h"

#include "base/os.h"
#include "machine/record.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define END_NS (3 * RIG_MS)

struct bench {
    struct program p;
    uint64_t loop;
    struct rig *rig;
    struct control *control;
    struct error err;
    /* What the observer has heard. */
    struct control_observer observer;
    char heard[64]; /* a letter each: S stopped, C continued, R reset, O off; lower: by the guest */
};

static void hear(void *owner, const struct control_news *news)
{
    static const char letters[] = {[CONTROL_STOPPED] = 'S',
                                   [CONTROL_RESUMED] = 'C',
                                   [CONTROL_RESET] = 'R',
                                   [CONTROL_SHUTDOWN] = 'O'};
    struct bench *b = owner;
    size_t n = strlen(b->heard);
    if (n + 1 < sizeof b->heard)
        b->heard[n] = (char)(letters[news->event] | (news->by_guest ? 0x20 : 0));
}

static void bench_open(struct bench *b, unsigned harts, bool icount, struct control_config config)
{
    memset(b, 0, sizeof *b);
    program_begin(&b->p);
    b->loop = put_busy_program(&b->p.a, harts);
    program_end(&b->p);
    struct machine_config machine = rig_config(&b->p, harts);
    machine.icount = icount;
    machine.no_reboot = true;
    b->rig = rig_create_with(machine);
    b->control = control_create(b->rig->m, &config, &b->err);
    ck_assert_ptr_nonnull(b->control);
    b->observer = (struct control_observer){.tell = hear, .owner = b};
    control_observe(b->control, &b->observer);
}

static void bench_close(struct bench *b)
{
    control_destroy(b->control);
    rig_free(b->rig);
    unlink(b->p.path);
}

static enum control_result turn(struct bench *b, uint64_t until_ns)
{
    return control_run(b->control, until_ns, RIG_MS, &b->err);
}

static void run_until_stopped(struct bench *b)
{
    while (control_state(b->control) == RUN_RUNNING)
        ck_assert_int_eq(turn(b, UINT64_MAX), CONTROL_GOES_ON);
}

static void go_on(struct bench *b)
{
    ck_assert(control_continue(b->control, &b->err));
}

static const unsigned hart_counts[] = {1, 4};

static uint64_t straight_hash(unsigned harts)
{
    struct bench b;
    bench_open(&b, harts, true, (struct control_config){0});
    while (machine_now_ns(b.rig->m) < END_NS)
        turn(&b, END_NS);
    uint64_t hash = machine_hash(b.rig->m);
    bench_close(&b);
    return hash;
}

/* --- what the guest does not see --- */

START_TEST(stops_steps_and_breakpoints_leave_no_trace_in_the_state)
{
    unsigned harts = hart_counts[_i];
    struct bench b;
    bench_open(&b, harts, true, (struct control_config){.starts_stopped = true});
    struct control_breakpoint in_loop = {.va = b.loop + 20};
    ck_assert(control_add_breakpoint(b.control, &in_loop));
    uint64_t random = 3, stops = 0;
    while (machine_now_ns(b.rig->m) < END_NS - RIG_MS / 2) {
        random = random * 6364136223846793005 + 1442695040888963407;
        if (random >> 62)
            ck_assert(control_step(b.control, (unsigned)(random >> 32) % harts,
                                   1 + (random >> 40) % 3000, &b.err));
        else
            go_on(&b);
        run_until_stopped(&b);
        stops++;
    }
    control_remove_breakpoint(b.control, &in_loop);
    go_on(&b);
    while (machine_now_ns(b.rig->m) < END_NS)
        turn(&b, END_NS);
    ck_assert_uint_ge(stops, 50);
    ck_assert_uint_eq(machine_hash(b.rig->m), straight_hash(harts));
    bench_close(&b);
}
END_TEST

START_TEST(a_step_is_exact_for_every_hart)
{
    struct bench b;
    bench_open(&b, 4, true, (struct control_config){.starts_stopped = true});
    for (unsigned i = 0; i < 200; i++) {
        struct hart *h = machine_hart(b.rig->m, i % 4);
        uint64_t before = h->steps, steps = 1 + i * i % 977;
        ck_assert(control_step(b.control, h->id, steps, &b.err));
        run_until_stopped(&b);
        ck_assert_uint_eq(h->steps - before, steps);
        ck_assert_int_eq(control_state(b.control), RUN_DEBUG);
        ck_assert_int_eq(control_exit(b.control).stop, MACHINE_STEPPED);
        ck_assert_uint_eq(control_exit(b.control).hart, h->id);
    }
    ck_assert(!control_step(b.control, 4, 1, &b.err));
    ck_assert(!control_step(b.control, 0, 0, &b.err));
    bench_close(&b);
}
END_TEST

START_TEST(a_stop_gives_a_step_up)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){.starts_stopped = true});
    ck_assert(control_step(b.control, 0, 100000, &b.err));
    control_stop(b.control, RUN_PAUSED);
    go_on(&b);
    while (machine_steps(b.rig->m) < 200000)
        ck_assert_int_eq(turn(&b, machine_now_ns(b.rig->m) + RIG_MS), CONTROL_GOES_ON);
    ck_assert_int_eq(control_state(b.control), RUN_RUNNING);
    bench_close(&b);
}
END_TEST

START_TEST(time_stands_still_while_the_machine_is_stopped)
{
    struct bench b;
    bench_open(&b, 1, false, (struct control_config){0});
    turn(&b, 5 * RIG_MS);
    control_stop(b.control, RUN_PAUSED);
    uint64_t now = machine_now_ns(b.rig->m), steps = machine_steps(b.rig->m);
    ck_assert_uint_ge(now, 5 * RIG_MS);
    usleep(30000);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(turn(&b, UINT64_MAX), CONTROL_GOES_ON);
    ck_assert_uint_eq(machine_now_ns(b.rig->m), now);
    ck_assert_uint_eq(machine_steps(b.rig->m), steps);
    go_on(&b);
    turn(&b, now + RIG_MS);
    ck_assert_uint_ge(machine_now_ns(b.rig->m), now + RIG_MS);
    ck_assert_uint_lt(machine_now_ns(b.rig->m), now + 25 * RIG_MS);
    bench_close(&b);
}
END_TEST

/* --- breakpoints --- */

static bool count_and_decide(void *owner, unsigned hart)
{
    unsigned *count = owner;
    (void)hart;
    return ++*count % 3 == 0;
}

START_TEST(who_set_a_breakpoint_decides_whether_it_stops)
{
    struct bench b;
    unsigned count = 0;
    bench_open(&b, 1, true, (struct control_config){0});
    struct control_breakpoint sometimes = {b.loop, count_and_decide, &count, NULL};
    struct control_breakpoint always = {.va = b.loop};
    ck_assert(control_add_breakpoint(b.control, &sometimes));
    run_until_stopped(&b);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop);
    ck_assert_int_eq(control_exit(b.control).stop, MACHINE_BREAKPOINT);
    ck_assert(control_add_breakpoint(b.control, &always));
    go_on(&b);
    run_until_stopped(&b);
    ck_assert_uint_eq(count, 4);
    control_remove_breakpoint(b.control, &always);
    go_on(&b);
    run_until_stopped(&b);
    ck_assert_uint_eq(count, 6);
    bench_close(&b);
}
END_TEST

START_TEST(a_step_onto_a_breakpoint_has_reached_it)
{
    struct bench b;
    unsigned count = 0;
    bench_open(&b, 1, true, (struct control_config){0});
    struct control_breakpoint first = {.va = b.loop};
    struct control_breakpoint second = {b.loop + 4, count_and_decide, &count, NULL};
    ck_assert(control_add_breakpoint(b.control, &first));
    run_until_stopped(&b);
    ck_assert(control_add_breakpoint(b.control, &second));
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(control_step(b.control, 0, 1, &b.err));
        run_until_stopped(&b);
        ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop + 4 + 4 * i);
        ck_assert_int_eq(control_exit(b.control).stop, MACHINE_STEPPED);
        ck_assert_uint_eq(count, 1);
    }
    bench_close(&b);
}
END_TEST

START_TEST(a_breakpoint_that_was_taken_away_and_set_again_stops)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    struct control_breakpoint at_loop = {.va = b.loop};
    ck_assert(control_add_breakpoint(b.control, &at_loop));
    run_until_stopped(&b);
    uint64_t before = machine_steps(b.rig->m);
    control_remove_breakpoint(b.control, &at_loop);
    ck_assert(control_step(b.control, 0, 1, &b.err));
    run_until_stopped(&b);
    ck_assert(control_add_breakpoint(b.control, &at_loop));
    go_on(&b);
    run_until_stopped(&b);
    ck_assert_uint_lt(machine_steps(b.rig->m) - before, 50);
    bench_close(&b);
}
END_TEST

/* --- ends and resets --- */

START_TEST(a_power_off_ends_the_run_or_stops_the_machine)
{
    for (unsigned stays = 0; stays < 2; stays++) {
        struct bench b;
        bench_open(&b, 1, true, (struct control_config){.no_shutdown = stays});
        rig_type(b.rig, "f");
        if (!stays) {
            while (turn(&b, UINT64_MAX) == CONTROL_GOES_ON)
                ;
            ck_assert_int_eq(turn(&b, UINT64_MAX), CONTROL_GUEST_ENDED);
            ck_assert_str_eq(b.heard, "o");
        } else {
            run_until_stopped(&b);
            ck_assert_int_eq(control_state(b.control), RUN_SHUTDOWN);
            ck_assert_str_eq(b.heard, "oS");
            ck_assert(!control_continue(b.control, &b.err));
            ck_assert(!control_step(b.control, 0, 1, &b.err));
        }
        ck_assert_int_eq(control_exit(b.control).stop, MACHINE_POWER_OFF);
        ck_assert_int_eq(control_exit(b.control).status, 5);
        bench_close(&b);
    }
}
END_TEST

START_TEST(after_a_power_off_a_reset_leads_on)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){.no_shutdown = true});
    rig_type(b.rig, "q");
    run_until_stopped(&b);
    ck_assert(control_reset(b.control, &b.err));
    ck_assert_int_eq(control_state(b.control), RUN_PRELAUNCH);
    go_on(&b);
    b.rig->sent_bytes = 0;
    turn(&b, machine_now_ns(b.rig->m) + RIG_MS);
    ck_assert_uint_gt(b.rig->sent_bytes, 0);
    ck_assert_str_eq(b.heard, "oSRC");
    bench_close(&b);
}
END_TEST

START_TEST(where_a_replay_ends_another_run_may_begin)
{
    struct control_config stays = {.no_shutdown = true};
    struct bench b;
    enter_temp_folder();
    bench_open(&b, 1, true, stays);
    ck_assert_msg(machine_record(b.rig->m, "log", &b.err), "%s", b.err.text);
    turn(&b, RIG_MS);
    ck_assert(machine_record_close(b.rig->m, &b.err));
    bench_close(&b);
    bench_open(&b, 1, true, stays);
    ck_assert_msg(machine_replay(b.rig->m, "log", &b.err), "%s", b.err.text);
    run_until_stopped(&b);
    ck_assert_int_eq(control_exit(b.control).stop, MACHINE_REPLAYED);
    ck_assert(!control_continue(b.control, &b.err));
    ck_assert_msg(control_branch(b.control, &b.err), "%s", b.err.text);
    ck_assert_int_eq(control_state(b.control), RUN_PAUSED);
    go_on(&b);
    turn(&b, machine_now_ns(b.rig->m) + RIG_MS);
    ck_assert_uint_ge(machine_now_ns(b.rig->m), 2 * RIG_MS);
    ck_assert(!control_branch(b.control, &b.err)); /* there is nothing to leave */
    ck_assert_int_eq(control_state(b.control), RUN_RUNNING);
    rig_type(b.rig, "q");
    run_until_stopped(&b);
    ck_assert_int_eq(control_exit(b.control).stop, MACHINE_POWER_OFF);
    bench_close(&b);
    leave_temp_folder();
}
END_TEST

START_TEST(resets_are_told_and_with_no_reboot_they_are_the_end)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    rig_type(b.rig, "r");
    while (!*b.heard)
        turn(&b, machine_now_ns(b.rig->m) + RIG_MS);
    ck_assert(control_reset(b.control, &b.err));
    ck_assert_int_eq(control_state(b.control), RUN_RUNNING);
    ck_assert_str_eq(b.heard, "rR");
    bench_close(&b);
    bench_open(&b, 1, true, (struct control_config){.no_reboot = true});
    rig_type(b.rig, "r");
    while (turn(&b, UINT64_MAX) == CONTROL_GOES_ON)
        ;
    ck_assert_int_eq(control_exit(b.control).stop, MACHINE_RESET);
    ck_assert_str_eq(b.heard, "o");
    bench_close(&b);
}
END_TEST

START_TEST(a_reset_whose_files_are_gone_fails_with_the_reason)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    unlink(b.p.path);
    ck_assert(!control_reset(b.control, &b.err));
    ck_assert_ptr_nonnull(strstr(b.err.text, b.p.path));
    ck_assert_int_eq(control_state(b.control), RUN_SHUTDOWN);
    bench_close(&b);
    bench_open(&b, 1, true, (struct control_config){0});
    unlink(b.p.path);
    rig_type(b.rig, "r");
    while (turn(&b, UINT64_MAX) == CONTROL_GOES_ON)
        ;
    ck_assert_int_eq(turn(&b, UINT64_MAX), CONTROL_FAILED);
    ck_assert_ptr_nonnull(strstr(b.err.text, b.p.path));
    bench_close(&b);
}
END_TEST

/* --- other threads --- */

struct caller {
    struct bench *bench;
    struct os_thread *thread;
    struct control_caller as;
    unsigned calls, answered;
    bool refused;
};

/* What is called stops the machine that runs, and lets run what is stopped. */
static void toggle(void *owner)
{
    struct caller *caller = owner;
    struct control *c = caller->bench->control;
    caller->calls++;
    if (control_state(c) == RUN_RUNNING)
        control_stop(c, RUN_PAUSED);
    else
        ck_assert(control_continue(c, &caller->bench->err));
}

static void call_often(void *owner)
{
    struct caller *caller = owner;
    for (unsigned i = 0; i < 100; i++)
        caller->answered += control_call(caller->bench->control, toggle, caller);
}

static void call_once(void *owner)
{
    struct caller *caller = owner;
    caller->refused = !control_call(caller->bench->control, toggle, caller);
}

static bool never_stops(void *owner, unsigned hart)
{
    (void)owner, (void)hart;
    return false;
}

START_TEST(calls_of_other_threads_are_answered_whether_it_runs_or_not)
{
    struct bench b;
    bench_open(&b, 1, false, (struct control_config){0});
    struct caller callers[2] = {{.bench = &b}, {.bench = &b}};
    for (unsigned i = 0; i < 2; i++)
        callers[i].thread = os_thread_start(call_often, &callers[i]);
    while (callers[0].calls + callers[1].calls < 200)
        ck_assert_int_eq(control_run(b.control, UINT64_MAX, UINT64_MAX, &b.err), CONTROL_GOES_ON);
    for (unsigned i = 0; i < 2; i++) {
        os_thread_join(callers[i].thread);
        ck_assert_uint_eq(callers[i].answered, 100);
    }
    bench_close(&b);
}
END_TEST

START_TEST(a_closed_control_refuses_who_waits_and_who_comes_later)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    struct caller callers[2] = {{.bench = &b}, {.bench = &b}};
    callers[0].thread = os_thread_start(call_once, &callers[0]);
    usleep(10000);
    control_close(b.control);
    callers[1].thread = os_thread_start(call_once, &callers[1]);
    for (unsigned i = 0; i < 2; i++) {
        os_thread_join(callers[i].thread);
        ck_assert(callers[i].refused);
        ck_assert_uint_eq(callers[i].calls, 0);
    }
    bench_close(&b);
}
END_TEST

static void call_by_name(void *owner)
{
    struct caller *caller = owner;
    caller->refused = !control_call_as(caller->bench->control, &caller->as, toggle, caller);
}

START_TEST(who_is_sent_away_is_refused_now_and_later_and_others_are_not)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    struct caller gone = {.bench = &b}, other = {.bench = &b};
    gone.thread = os_thread_start(call_by_name, &gone);
    other.thread = os_thread_start(call_by_name, &other);
    usleep(10000);
    control_send_away(b.control, &gone.as);
    for (unsigned i = 0; i < 2; i++) {
        os_thread_join(gone.thread); /* without a run that could answer it */
        ck_assert(gone.refused);
        ck_assert_uint_eq(gone.calls, 0);
        gone.thread = i ? NULL : os_thread_start(call_by_name, &gone);
    }
    while (other.calls == 0)
        ck_assert_int_eq(control_run(b.control, UINT64_MAX, RIG_MS, &b.err), CONTROL_GOES_ON);
    os_thread_join(other.thread);
    ck_assert(!other.refused);
    bench_close(&b);
}
END_TEST

static void quit(void *owner)
{
    control_quit(owner);
}

static void ask_to_quit(void *owner)
{
    control_call(owner, quit, owner);
}

START_TEST(somebody_can_end_a_stopped_machine)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){.starts_stopped = true, .no_shutdown = true});
    struct os_thread *thread = os_thread_start(ask_to_quit, b.control);
    while (control_run(b.control, UINT64_MAX, UINT64_MAX, &b.err) == CONTROL_GOES_ON)
        ;
    os_thread_join(thread);
    ck_assert_int_eq(turn(&b, UINT64_MAX), CONTROL_QUIT);
    ck_assert_str_eq(b.heard, "O");
    ck_assert_uint_eq(machine_steps(b.rig->m), 0);
    bench_close(&b);
}
END_TEST

START_TEST(a_kick_ends_a_run_and_a_sleep)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    control_kick(b.control);
    ck_assert_int_eq(control_run(b.control, UINT64_MAX, UINT64_MAX, &b.err), CONTROL_GOES_ON);
    control_stop(b.control, RUN_PAUSED);
    control_kick(b.control);
    ck_assert_int_eq(control_run(b.control, UINT64_MAX, UINT64_MAX, &b.err), CONTROL_GOES_ON);
    bench_close(&b);
}
END_TEST

START_TEST(another_machine_gets_the_breakpoints_and_the_step_under_way)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    struct control_breakpoint at_loop = {b.loop, never_stops, NULL, NULL};
    struct control_breakpoint at_handler = {.va = RIG_RAM + 0x408};
    ck_assert(control_add_breakpoint(b.control, &at_loop));
    ck_assert(control_add_breakpoint(b.control, &at_handler));
    ck_assert(control_step(b.control, 0, 400, &b.err));
    turn(&b, machine_now_ns(b.rig->m) + 1);
    struct saved saved = rig_save(b.rig);
    struct machine *old = b.rig->m;
    b.rig->m = machine_succeed(old, &b.err);
    ck_assert(control_replace_machine(b.control, b.rig->m, &b.err));
    machine_destroy(old);
    ck_assert(rig_load(b.rig, saved.bytes, saved.size));
    run_until_stopped(&b);
    ck_assert_uint_eq(machine_steps(b.rig->m), 400);
    go_on(&b);
    run_until_stopped(&b);
    ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, RIG_RAM + 0x408);
    free(saved.bytes);
    bench_close(&b);
}
END_TEST

/* --- watchpoints, and steps that go on --- */

START_TEST(watchpoints_stop_and_another_machine_gets_them)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){0});
    struct control_watchpoint counter = {.watch = {RIG_DATA, 8, WATCH_STORES}};
    ck_assert(control_add_watchpoint(b.control, &counter));
    for (unsigned i = 0; i < 2; i++) {
        run_until_stopped(&b);
        struct machine_exit exit = control_exit(b.control);
        ck_assert_int_eq(control_state(b.control), RUN_DEBUG);
        ck_assert_int_eq(exit.stop, MACHINE_WATCHPOINT);
        ck_assert_uint_eq(exit.watch.va, RIG_DATA);
        ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop + 8);
        struct saved saved = rig_save(b.rig);
        struct machine *old = b.rig->m;
        b.rig->m = machine_succeed(old, &b.err);
        ck_assert(control_replace_machine(b.control, b.rig->m, &b.err));
        machine_destroy(old);
        ck_assert(rig_load(b.rig, saved.bytes, saved.size));
        free(saved.bytes);
        go_on(&b);
    }
    control_remove_watchpoint(b.control, &counter);
    turn(&b, machine_now_ns(b.rig->m) + RIG_MS);
    ck_assert_int_eq(control_state(b.control), RUN_RUNNING);
    bench_close(&b);
}
END_TEST

static bool is_before_loop(void *owner, unsigned hart)
{
    struct bench *b = owner;
    return machine_hart(b->rig->m, hart)->pc < b->loop;
}

static bool always(void *owner, unsigned hart)
{
    (void)owner, (void)hart;
    return true;
}

START_TEST(a_step_goes_on_as_long_as_its_owner_says_and_is_one_stop)
{
    struct bench b;
    bench_open(&b, 1, true, (struct control_config){.starts_stopped = true});
    machine_hart(b.rig->m, 0)->pc = RIG_RAM;
    ck_assert(control_step_while(b.control, 0, is_before_loop, &b, &b.err));
    run_until_stopped(&b);
    ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop);
    ck_assert_str_eq(b.heard, "CS");
    struct control_breakpoint behind = {.va = b.loop + 12};
    ck_assert(control_add_breakpoint(b.control, &behind));
    ck_assert(control_step_while(b.control, 0, always, NULL, &b.err));
    run_until_stopped(&b);
    ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop + 12);
    ck_assert(control_step_while(b.control, 0, always, NULL, &b.err));
    control_stop(b.control, RUN_PAUSED);
    ck_assert(control_step(b.control, 0, 1, &b.err));
    run_until_stopped(&b);
    ck_assert_uint_eq(machine_hart(b.rig->m, 0)->pc, b.loop + 16);
    bench_close(&b);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, watchpoints_stop_and_another_machine_gets_them);
    tcase_add_test(c, a_step_goes_on_as_long_as_its_owner_says_and_is_one_stop);
    int n = ARRAY_LEN(hart_counts);
    tcase_add_loop_test(c, stops_steps_and_breakpoints_leave_no_trace_in_the_state, 0, n);
    tcase_add_test(c, a_step_is_exact_for_every_hart);
    tcase_add_test(c, a_stop_gives_a_step_up);
    tcase_add_test(c, time_stands_still_while_the_machine_is_stopped);
    tcase_add_test(c, who_set_a_breakpoint_decides_whether_it_stops);
    tcase_add_test(c, a_step_onto_a_breakpoint_has_reached_it);
    tcase_add_test(c, a_breakpoint_that_was_taken_away_and_set_again_stops);
    tcase_add_test(c, a_power_off_ends_the_run_or_stops_the_machine);
    tcase_add_test(c, after_a_power_off_a_reset_leads_on);
    tcase_add_test(c, where_a_replay_ends_another_run_may_begin);
    tcase_add_test(c, resets_are_told_and_with_no_reboot_they_are_the_end);
    tcase_add_test(c, a_reset_whose_files_are_gone_fails_with_the_reason);
    tcase_add_test(c, calls_of_other_threads_are_answered_whether_it_runs_or_not);
    tcase_add_test(c, a_closed_control_refuses_who_waits_and_who_comes_later);
    tcase_add_test(c, who_is_sent_away_is_refused_now_and_later_and_others_are_not);
    tcase_add_test(c, somebody_can_end_a_stopped_machine);
    tcase_add_test(c, a_kick_ends_a_run_and_a_sleep);
    tcase_add_test(c, another_machine_gets_the_breakpoints_and_the_step_under_way);
}

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *c = tcase_create("control");
    tcase_set_timeout(c, 60);
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

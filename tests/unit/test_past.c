/* Going back: over calls and traps, out of them, to who wrote; and being stopped on the way. The
 * program calls f, which calls g, and then makes an ecall, for ever. */
#include "base/random.h"
#include "debug/past_watch.h"
#include "debug/trace.h"
#include "machine/history.h"
#include "machine/record.h"
#include "tests/unit/monitor_rig.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#include <inttypes.h>

#define STEPS "200000"

struct places {
    uint64_t call_f, behind_f, behind_ecall; /* the loop */
    uint64_t call_g, g, set_a0, store, handler, set_mepc, power_off;
};

static void put_f(struct assembler *a, struct places *at)
{
    ASM(a, addi, .rd = SP, .rs1 = SP, .imm = -16);
    ASM(a, sd, .rs1 = SP, .rs2 = RA, .imm = 8);
    at->call_g = a->pc;
    ASM(a, jal, .rd = RA, .imm = asm_to(a, at->g));
    ASM(a, ld, .rd = RA, .rs1 = SP, .imm = 8);
    ASM(a, addi, .rd = SP, .rs1 = SP, .imm = 16);
    ASM(a, jalr, .rs1 = RA);
}

static void put_g(struct assembler *a, struct places *at)
{
    at->g = a->pc;
    ASM(a, addi, .rd = A1);
    at->set_a0 = a->pc;
    ASM(a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    at->store = a->pc;
    ASM(a, sd, .rs1 = S0, .rs2 = A0);
    ASM(a, jalr, .rs1 = RA);
}

static void put_handler(struct assembler *a, struct places *at)
{
    at->handler = a->pc;
    ASM(a, csrrs, .rd = T0, .imm = 0x341);
    ASM(a, addi, .rd = T0, .rs1 = T0, .imm = 4);
    at->set_mepc = a->pc;
    ASM(a, csrrw, .rs1 = T0, .imm = 0x341);
    ASM(a, mret);
}

static void put_program(struct assembler *a, struct places *at)
{
    a->pc = RIG_RAM + 0x100;
    put_handler(a, at);
    put_g(a, at);
    uint64_t f = a->pc;
    put_f(a, at);
    a->pc = RIG_RAM;
    asm_csrw(a, CSR_MTVEC, at->handler);
    asm_li(a, SP, RIG_DATA + 0x1000);
    asm_li(a, S0, RIG_DATA);
    at->call_f = a->pc;
    ASM(a, jal, .rd = RA, .imm = asm_to(a, f));
    at->behind_f = a->pc;
    ASM(a, ecall);
    at->behind_ecall = a->pc;
    ASM(a, jal, .imm = asm_to(a, at->call_f));
    at->power_off = a->pc; /* nobody goes there by himself */
    asm_li(a, T0, RIG_TEST);
    asm_li(a, T1, 0x5555);
    ASM(a, sw, .rs1 = T0, .rs2 = T1);
}

static struct places open_past(struct monitor_rig *r)
{
    struct places at;
    memset(r, 0, sizeof *r);
    program_begin(&r->p);
    put_program(&r->p.a, &at);
    program_end(&r->p);
    struct machine_config config = rig_config(&r->p, 1);
    struct control_config control = {.starts_stopped = true, .no_shutdown = true};
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 16;
    r->rig = rig_create_with(config);
    ck_assert_msg(machine_keep_history(r->rig->m, &r->err), "%s", r->err.text);
    r->control = control_create(r->rig->m, &control, &r->err);
    r->monitor = monitor_create(r->control, &r->err);
    CHECK_ASK(r, "run-until " STEPS, "");
    run_until_stopped(r);
    return at;
}

static uint64_t pc(struct monitor_rig *r)
{
    return machine_hart(r->rig->m, 0)->pc;
}

/* Stops before the next time that `va` runs. */
static void run_to(struct monitor_rig *r, uint64_t va)
{
    char line[64];
    snprintf(line, sizeof line, "break 0x%" PRIx64, va);
    CHECK_ASK(r, line, "");
    CHECK_ASK(r, "cont", "");
    run_until_stopped(r);
    snprintf(line, sizeof line, "delete 0x%" PRIx64, va);
    CHECK_ASK(r, line, "");
    ck_assert_uint_eq(pc(r), va);
}

/* Of the moment: at a breakpoint the next instruction has been fetched too. */
static uint64_t hash_here(struct monitor_rig *r)
{
    ck_assert(past_go_to(r->control, machine_steps(r->rig->m), &r->err));
    return machine_hash(r->rig->m);
}

#define CHECK_BACK(r, line, there)                                                                 \
    do {                                                                                           \
        CHECK_ASK(r, line, "");                                                                    \
        ck_assert_uint_eq(pc(r), there);                                                           \
    } while (0)

START_TEST(next_goes_back_over_calls_and_traps)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    run_to(&r, at.behind_ecall);
    uint64_t steps = machine_steps(r.rig->m), hash = hash_here(&r);
    CHECK_BACK(&r, "reverse-next", at.behind_f); /* the ecall */
    CHECK_BACK(&r, "reverse-next", at.call_f);
    CHECK_BACK(&r, "reverse-next", at.behind_ecall); /* of the round before */
    CHECK_BACK(&r, "reverse-step", at.set_mepc + 4); /* mret */
    CHECK_BACK(&r, "reverse-next", at.set_mepc);
    ck_assert(past_go_to(r.control, steps, &r.err));
    run_until_stopped(&r);
    ck_assert_uint_eq(machine_hash(r.rig->m), hash);
    monitor_close(&r);
}
END_TEST

START_TEST(finish_goes_back_to_the_call)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    run_to(&r, at.store);
    CHECK_BACK(&r, "reverse-finish", at.call_g);
    CHECK_BACK(&r, "reverse-finish", at.call_f);
    CHECK_BACK(&r, "reverse-finish", 0x1000); /* nobody called it: the beginning */
    ck_assert_uint_eq(machine_steps(r.rig->m), 0);
    CHECK_ASK(&r, "run-until " STEPS, "");
    run_until_stopped(&r);
    run_to(&r, at.set_mepc);
    CHECK_BACK(&r, "reverse-finish", at.behind_f); /* the trap */
    monitor_close(&r);
}
END_TEST

START_TEST(who_wrote_a_register_is_found)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    char line[64];
    run_to(&r, at.behind_ecall);
    uint64_t a0 = machine_hart(r.rig->m, 0)->x[A0];
    snprintf(line, sizeof line, "it: 0x%016" PRIx64 " became 0x%016" PRIx64, a0 - 1, a0);
    CHECK_IN(ask(&r, "who-wrote a0"), line);
    ck_assert_uint_eq(pc(&r), at.set_a0);
    CHECK_IN(ask(&r, "who-wrote a0"), "hart 0\n"); /* the one before */
    ck_assert_uint_eq(machine_hart(r.rig->m, 0)->x[A0], a0 - 2);
    run_to(&r, at.behind_ecall);
    CHECK_IN(ask(&r, "who-wrote mepc"), "hart 0\n");
    ck_assert_uint_eq(pc(&r), at.set_mepc);
    CHECK_IN(ask(&r, "who-wrote mepc"), "by a trap");
    ck_assert_uint_eq(pc(&r), at.behind_f);
    CHECK_IN(ask(&r, "who-wrote s0"), "became 0x0000000080002000");
    ck_assert_uint_lt(machine_steps(r.rig->m), 20);
    CHECK_IN(ask(&r, "who-wrote s11"), "Nobody since step 0.");
    monitor_close(&r);
}
END_TEST

START_TEST(what_memory_was_made_is_found)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    CHECK_IN(ask(&r, "when 0x80002000 5"), "0x0000000000000004 became 0x0000000000000005");
    ck_assert_uint_eq(pc(&r), at.store);
    ck_assert_uint_eq(machine_hart(r.rig->m, 0)->x[A0], 5);
    CHECK_IN(ask(&r, "when phys 0x80002000 5"), "Nobody since step 0.");
    CHECK_IN(ask(&r, "when 0x80002000 300 1"), "a value of 1 bytes");
    run_to(&r, at.call_f);
    CHECK_IN(ask(&r, "who-wrote 0x80002000 8"), "0x0000000000000004 became 0x0000000000000005");
    monitor_close(&r);
}
END_TEST

START_TEST(a_change_by_hand_is_found)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    run_to(&r, at.behind_f);
    CHECK_ASK(&r, "write/g 0x80002000 77", "");
    CHECK_ASK(&r, "set s11 3", "");
    CHECK_ASK(&r, "step", "");
    run_until_stopped(&r);
    CHECK_IN(ask(&r, "who-wrote s11"), "the debugger");
    CHECK_ASK(&r, "step", "");
    run_until_stopped(&r);
    CHECK_IN(ask(&r, "who-wrote 0x80002000 8"), "the debugger\n");
    CHECK_IN(ask(&r, "set s11 4"), "`branch`");
    CHECK_ASK(&r, "branch", "");
    CHECK_ASK(&r, "set s11 4", "");
    monitor_close(&r);
}
END_TEST

/* What a watch finds in an interval; the moment and the values. */
struct seen {
    bool is_there;
    uint64_t steps;
    struct past_change change;
};

static struct seen watch(struct machine *m, struct past_watch *w, uint64_t from, uint64_t to,
                         bool fast)
{
    struct seen seen = {0};
    struct error err;
    ck_assert_msg(machine_go_to(m, from, &err), "%s", err.text);
    past_watch_begin(w, m, 0, fast);
    machine_stop_at_total(m, to);
    enum machine_stop stop = machine_run(m, UINT64_MAX).stop;
    past_watch_end(w);
    ck_assert_int_eq(stop, MACHINE_STEPPED);
    ck_assert(past_watch_check(w, &err));
    seen.is_there = past_watch_find(w, &seen.steps);
    (void)past_watch_change(w, &seen.change);
    return seen;
}

static void expect_same(struct seen a, struct seen b, unsigned what, uint64_t from, uint64_t to)
{
    ck_assert_msg(a.is_there == b.is_there && a.steps == b.steps && a.change.old == b.change.old &&
                      a.change.now == b.change.now &&
                      a.change.by_instruction == b.change.by_instruction,
                  "%u in %" PRIu64 " to %" PRIu64 ": %" PRIu64 " and %" PRIu64, what, from, to,
                  a.steps, b.steps);
}

static void compare_watches(struct machine *m, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < 66; i++) {
        struct seen seen[2];
        struct reg reg = {.kind = i < 32 ? REGISTER_X : REGISTER_F, .number = i % 32};
        for (unsigned fast = 0; fast < 2; fast++) {
            struct past_watch *w = i < 64 ? past_watch_register(machine_hart(m, 0), &reg)
                                          : past_watch_calls(machine_hart(m, 0), true);
            ck_assert(past_watch_is_fast(w));
            seen[fast] = watch(m, w, from, to, fast);
            past_watch_destroy(w);
        }
        expect_same(seen[0], seen[1], i, from, to);
    }
}

START_TEST(fast_and_slow_watches_find_the_same)
{
    struct monitor_rig r;
    uint64_t random = _i;
    (void)open_past(&r);
    CHECK_ASK(&r, "set s11 3", "");
    CHECK_ASK(&r, "set ra 4", "");
    CHECK_ASK(&r, "set ft3 5", "");
    machine_stop_at_total(r.rig->m, 201000);
    ck_assert_int_eq(machine_run(r.rig->m, UINT64_MAX).stop, MACHINE_STEPPED);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t from = 199000 + random_next(&random) % 1000, n = random_next(&random) % 1000;
        compare_watches(r.rig->m, from, from + n + 1);
    }
    monitor_close(&r);
}
END_TEST

static const unsigned hart_counts[] = {1, 3};

START_TEST(watches_find_the_same_beside_traps_and_other_harts)
{
    struct program p;
    struct error err;
    uint64_t random = _i;
    begin(&p, hart_counts[_i]);
    struct machine_config config = rig_config(&p, hart_counts[_i]);
    config.history_bytes = 64 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    for (unsigned i = 0; i < 10; i++) {
        rig_type(r, "typed");
        rig_run(r, machine_now_ns(r->m) + RIG_MS / 4);
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t end = machine_steps(r->m), from = random_next(&random) % (end - 20000);
        compare_watches(r->m, from, from + random_next(&random) % 20000 + 1);
        ck_assert(machine_go_to(r->m, end, &err));
    }
    rig_free(r);
    end(&p);
}
END_TEST

/* Another client, while the machine looks back. */
struct disturber {
    struct monitor_rig *r;
    struct control_work work;
    const char *line; /* that it says */
    char said[512];
};

static void disturb(void *owner)
{
    struct disturber *d = owner;
    snprintf(d->said, sizeof d->said, "%.400s", ask(d->r, d->line));
    control_stop(d->r->control, RUN_PAUSED);
}

static void begin_disturbing(struct disturber *d, struct monitor_rig *r, const char *line)
{
    *d = (struct disturber){.r = r, .line = line};
    d->work = (struct control_work){.work = disturb, .owner = d};
    control_defer(r->control, &d->work);
}

START_TEST(a_search_is_ended_and_the_machine_is_where_it_was)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    run_to(&r, at.call_g);
    static const char *const searches[] = {"reverse-continue", "reverse-finish", "who-wrote s11"};
    for (unsigned i = 0; i < ARRAY_LEN(searches); i++) {
        struct disturber d;
        if (i == 1)
            run_to(&r, at.behind_ecall); /* which nobody called */
        uint64_t steps = machine_steps(r.rig->m), hash = hash_here(&r);
        begin_disturbing(&d, &r, "reverse-step");
        CHECK_IN(ask(&r, searches[i]), "interrupted: the machine is where it was");
        CHECK_IN(d.said, "moves in its past");
        ck_assert_uint_eq(machine_steps(r.rig->m), steps);
        ck_assert_msg(machine_hash(r.rig->m) == hash, "%u", i);
        ck_assert_int_eq(control_state(r.control), RUN_PAUSED);
    }
    monitor_close(&r);
}
END_TEST

START_TEST(a_journey_is_neither_saved_nor_traced)
{
    static const char *const lines[] = {"savevm ./here.rvs", "migrate file:here.rvs",
                                        "trace insn,file=trace", "trace off all"};
    struct monitor_rig r;
    struct places at = open_past(&r);
    struct trace *trace = trace_create(r.control, &r.err);
    monitor_set_trace(r.monitor, trace);
    enter_temp_folder();
    run_to(&r, at.call_g);
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        struct disturber d;
        begin_disturbing(&d, &r, lines[i]);
        CHECK_IN(ask(&r, "who-wrote s11"), "interrupted");
        CHECK_IN(d.said, "moves in its past");
    }
    ck_assert_int_ne(access("here.rvs", F_OK), 0);
    CHECK_ASK(&r, "trace trap,file=trace", ""); /* afterwards it can be */
    leave_temp_folder();
    trace_destroy(trace);
    monitor_close(&r);
}
END_TEST

START_TEST(a_guest_that_is_off_goes_on_from_its_past_only)
{
    struct monitor_rig r;
    struct places at = open_past(&r);
    char line[64];
    snprintf(line, sizeof line, "set pc 0x%" PRIx64, at.power_off);
    CHECK_ASK(&r, line, "");
    CHECK_ASK(&r, "cont", "");
    run_until_stopped(&r);
    ck_assert_int_eq(control_state(r.control), RUN_SHUTDOWN);
    struct disturber d;
    begin_disturbing(&d, &r, "reverse-step");
    CHECK_IN(ask(&r, "who-wrote s11"), "interrupted: the machine is where it was");
    CHECK_IN(ask(&r, "cont"), "the guest is off");
    ck_assert_int_eq(control_exit(r.control).stop, MACHINE_POWER_OFF);
    CHECK_ASK(&r, "reverse-step", "");
    ck_assert_int_eq(control_state(r.control), RUN_DEBUG);
    CHECK_ASK(&r, "cont", "");
    run_until_stopped(&r);
    ck_assert_int_eq(control_state(r.control), RUN_SHUTDOWN);
    monitor_close(&r);
}
END_TEST

START_TEST(without_a_past_the_machine_stays_as_it_is)
{
    static const char *const lines[] = {"reverse-step",        "reverse-continue", "reverse-next",
                                        "reverse-finish",      "goto 0",           "who-wrote a0",
                                        "who-wrote 0x80000000"};
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_ASK(&r, "cont", "");
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        ck_assert_str_eq(ask(&r, lines[i]), "Error: the past is not kept; give -history SIZE\n");
        ck_assert_int_eq(control_state(r.control), RUN_RUNNING);
    }
    monitor_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past");
    TCase *tests = tcase_create("past");
    tcase_set_timeout(tests, 50);
    tcase_add_test(tests, next_goes_back_over_calls_and_traps);
    tcase_add_test(tests, finish_goes_back_to_the_call);
    tcase_add_test(tests, who_wrote_a_register_is_found);
    tcase_add_test(tests, what_memory_was_made_is_found);
    tcase_add_test(tests, a_change_by_hand_is_found);
    tcase_add_loop_test(tests, fast_and_slow_watches_find_the_same, 0, 4);
    tcase_add_loop_test(tests, watches_find_the_same_beside_traps_and_other_harts, 0,
                        ARRAY_LEN(hart_counts));
    tcase_add_test(tests, a_search_is_ended_and_the_machine_is_where_it_was);
    tcase_add_test(tests, a_journey_is_neither_saved_nor_traced);
    tcase_add_test(tests, a_guest_that_is_off_goes_on_from_its_past_only);
    tcase_add_test(tests, without_a_past_the_machine_stays_as_it_is);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

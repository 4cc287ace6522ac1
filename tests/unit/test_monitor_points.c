/* The monitor's breakpoints and watchpoints, and symbols for addresses. */
#include "debug/monitor.h"
#include "tests/unit/trace_rig.h"

struct points_rig {
    struct trace_rig trace;
    struct monitor *monitor;
    char said[4096];
    size_t said_bytes;
};

static void on_said(void *owner, const uint8_t *bytes, size_t n)
{
    struct points_rig *r = owner;
    ck_assert_uint_lt(r->said_bytes + n, sizeof r->said);
    memcpy(r->said + r->said_bytes, bytes, n);
    r->said_bytes += n;
    r->said[r->said_bytes] = 0;
}

static const char *ask(struct points_rig *r, const char *line)
{
    struct byte_sink out = {.write = on_said, .owner = r};
    r->said_bytes = 0;
    r->said[0] = 0;
    monitor_run(r->monitor, line, &out);
    return r->said;
}

static struct points_rig *open_rig(void)
{
    struct points_rig *r = calloc(1, sizeof *r);
    trace_open(&r->trace);
    put_symbols();
    control_stop(r->trace.control, RUN_PAUSED);
    r->monitor = monitor_create(r->trace.control, &r->trace.err);
    ck_assert_ptr_nonnull(r->monitor);
    monitor_set_trace(r->monitor, r->trace.trace);
    ck_assert_str_eq(ask(r, "symbols traced"), "");
    return r;
}

static void close_rig(struct points_rig *r)
{
    monitor_destroy(r->monitor);
    trace_close(&r->trace);
    free(r);
}

static struct hart *run_on(struct points_rig *r)
{
    ck_assert_str_eq(ask(r, "cont"), "");
    while (control_state(r->trace.control) == RUN_RUNNING)
        control_run(r->trace.control, UINT64_MAX, 0, &r->trace.err);
    return machine_hart(control_machine(r->trace.control), 0);
}

START_TEST(a_symbol_is_an_address)
{
    struct points_rig *r = open_rig();
    ck_assert_str_eq(ask(r, "p leaf + 2*2"), "0x80000404\n");
    ck_assert_str_eq(ask(r, "break leaf"), "");
    ck_assert_uint_eq(run_on(r)->pc, TRACE_LEAF);
    ck_assert(monitor_has_breakpoint(r->monitor, TRACE_LEAF));
    ck_assert(control_has_breakpoint(r->trace.control, TRACE_LEAF));
    ck_assert_str_eq(ask(r, "p lea"), "Error: there is no symbol lea\n");
    close_rig(r);
}
END_TEST

START_TEST(a_watchpoint_stops_behind_the_access_it_is_for)
{
    struct points_rig *r = open_rig();
    ck_assert_str_eq(ask(r, "watch 0x80002008"), "");
    ck_assert_str_eq(ask(r, "watch/2h 0x80002008 + 4 r"), "");
    ck_assert_str_eq(ask(r, "info breakpoints"), "0x0000000080002008  8 bytes, written\n"
                                                 "0x000000008000200c  4 bytes, read\n");
    ck_assert_uint_eq(run_on(r)->pc, TRACE_LEAF + 8); /* behind sd */
    ck_assert_int_eq(control_exit(r->trace.control).stop, MACHINE_WATCHPOINT);
    ck_assert_uint_eq(run_on(r)->pc, TRACE_LEAF + 12); /* behind ld */
    ck_assert_str_eq(ask(r, "delete 0x80002008"), "");
    ck_assert_uint_eq(run_on(r)->pc, TRACE_LEAF + 12);
    ck_assert_str_eq(ask(r, "delete 0x8000200c"), "");
    run_on(r);
    ck_assert_int_eq(control_state(r->trace.control), RUN_SHUTDOWN);
    close_rig(r);
}
END_TEST

START_TEST(wrong_watchpoints_are_refused)
{
    static const char *const lines[][2] = {
        {"watch", "Error: an expression ends too early\n"},
        {"watch/0g 1", "Error: no byte of it would be watched\n"},
        {"watch 1 x", "Error: 'x' is none of r, w, rw\n"},
        {"watch 1 r w", "Error: unexpected 'w'\n"},
        {"delete 1", "Error: there is no breakpoint at 0x1\n"},
    };
    struct points_rig *r = open_rig();
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        ck_assert_str_eq(ask(r, lines[i][0]), lines[i][1]);
    char line[32];
    for (unsigned i = 0; i < 16; i++) {
        snprintf(line, sizeof line, "watch %u rw", i);
        ck_assert_str_eq(ask(r, line), "");
    }
    ck_assert_str_eq(ask(r, line), "Error: there is one at 0xf already\n");
    ck_assert_str_eq(ask(r, "watch 99"), "Error: there are 16 already\n");
    close_rig(r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitor_points");
    TCase *c = tcase_create("monitor_points");
    tcase_add_test(c, a_symbol_is_an_address);
    tcase_add_test(c, a_watchpoint_stops_behind_the_access_it_is_for);
    tcase_add_test(c, wrong_watchpoints_are_refused);
    suite_add_tcase(suite, c);
    return trace_suite(suite);
}

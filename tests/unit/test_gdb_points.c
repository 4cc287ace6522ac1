/* The gdb stub: going on, stopping, breakpoints, watchpoints, conditions. The guest is the busy
 * program of machine_rig.h. */
#include "tests/unit/gdb_rig.h"

#include "cpu/code.h"
#include "tests/unit/suite.h"

#define END_NS (3 * RIG_MS)

/* The reply to a packet with an address in it. */
static const char *ask_at(struct gdb_rig *r, const char *format, uint64_t address)
{
    static char packet[200];
    snprintf(packet, sizeof packet, format, (unsigned long long)address);
    return gdb_ask(r, packet);
}

static uint64_t pc(struct gdb_rig *r, unsigned hart)
{
    return gdb_rig_hart(r, hart)->pc;
}

/* --- steps --- */

START_TEST(each_way_to_step_makes_one_step)
{
    static const char *const packets[] = {
        "s",
        "S05",
        "vCont;s",
        "vCont;S05",
        "vCont;s:1",
        "vCont;s:p1.1;c:p1.-1",
        "vCont;c:p1.2;s",
        "vCont;r0,0:1",
    };
    struct gdb_rig r;
    gdb_open(&r, 1);
    for (unsigned i = 0; i < ARRAY_LEN(packets); i++) {
        bool bad = strstr(packets[i], "p1.2"); /* there is one hart */
        if (bad) {
            CHECK_GDB(&r, packets[i], "E22");
            continue;
        }
        uint64_t before = gdb_rig_hart(&r, 0)->steps;
        CHECK_IN(gdb_run(&r, packets[i]), "T05thread:01;02:");
        ck_assert_uint_eq(gdb_rig_hart(&r, 0)->steps, before + 1);
    }
    gdb_close(&r);
}
END_TEST

START_TEST(a_step_is_one_of_the_hart_that_is_named)
{
    struct gdb_rig r;
    gdb_open(&r, 4);
    CHECK_IN(gdb_run(&r, "vCont;s:3;c"), "T05thread:03;");
    ck_assert_uint_eq(gdb_rig_hart(&r, 2)->steps, 1);
    CHECK_GDB(&r, "qC", "QC03");
    CHECK_IN(gdb_run(&r, "vCont;s"), "T05thread:03;"); /* all: the one that it looks at */
    ck_assert_uint_eq(gdb_rig_hart(&r, 2)->steps, 2);
    CHECK_GDB(&r, "Hc2", "OK");
    uint64_t before = gdb_rig_hart(&r, 1)->steps; /* it has run in its turn */
    CHECK_IN(gdb_run(&r, "s"), "T05thread:02;");
    ck_assert_uint_eq(gdb_rig_hart(&r, 1)->steps, before + 1);
    gdb_close(&r);
}
END_TEST

START_TEST(a_range_is_stepped_through)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_IN(gdb_run(&r, "vCont;r1000,1018:1"), ";20:0000008000000000;"); /* the reset ROM */
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->steps, 6);
    uint64_t here = pc(&r, 0);
    CHECK_IN(gdb_run(&r, "vCont;r0,1:1"), "T05"); /* one step at least */
    ck_assert_uint_eq(pc(&r, 0), here + 4);
    ck_assert_str_eq(ask_at(&r, "Z0,%llx,4", r.m.loop), "OK");
    gdb_run(&r, "vCont;r0,ffffffffffffffff:1"); /* a breakpoint ends it */
    ck_assert_uint_eq(pc(&r, 0), r.m.loop);
    gdb_close(&r);
}
END_TEST

START_TEST(going_on_may_begin_elsewhere)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    gdb_run(&r, "s80000400");
    ck_assert_uint_eq(pc(&r, 0), 0x80000404);
    gdb_run(&r, "S05;80000400");
    ck_assert_uint_eq(pc(&r, 0), 0x80000404);
    CHECK_GDB(&r, "s80000401", "E22");
    CHECK_GDB(&r, "c8000;", "E22");
    CHECK_GDB(&r, "C", "E22");
    CHECK_GDB(&r, "S;", "E22");
    gdb_close(&r);
}
END_TEST

START_TEST(what_is_no_action_is_refused)
{
    static const char *const bad[] = {"vCont",     "vCont;",       "vCont;x",     "vCont;c:9",
                                      "vCont;c;;", "vCont;r1",     "vCont;r1,2;", "vCont;C",
                                      "vCont;c:",  "vCont;s:p1.x", "vContc"};
    struct gdb_rig r;
    gdb_open(&r, 1);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(strcmp(gdb_ask(&r, bad[i]), "E22") == 0, "%s: %s", bad[i], r.reply);
    ck_assert_int_eq(control_state(r.m.control), RUN_PRELAUNCH);
    gdb_close(&r);
}
END_TEST

START_TEST(the_sstep_mask_holds_interrupts_back_while_stepping)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ask_at(&r, "Z0,%llx,4", r.m.loop);
    gdb_run(&r, "c");
    struct hart *h = gdb_rig_hart(&r, 0);
    for (unsigned mask = 1; mask <= 7; mask += 6) {
        uint64_t here = pc(&r, 0);
        hart_set_irq(h, IRQ_MSIP, true);
        ask_at(&r, "Qqemu.sstep=%llx", mask);
        ask_at(&r, "z0,%llx,4", r.m.loop);
        gdb_run(&r, "s");
        ck_assert_uint_eq(pc(&r, 0), mask == 1 ? RIG_RAM + 0x400 : here + 4);
        ck_assert_uint_eq(h->held_interrupts, 0);
        hart_set_irq(h, IRQ_MSIP, false);
        while (pc(&r, 0) < r.m.loop)
            gdb_run(&r, "s");
    }
    CHECK_GDB(&r, "Qqemu.sstep=0", "OK");
    ask_at(&r, "Z0,%llx,4", r.m.loop);
    gdb_run(&r, "s"); /* without ENABLE it is no step */
    ck_assert_uint_eq(pc(&r, 0), r.m.loop);
    gdb_close(&r);
}
END_TEST

/* --- stopping --- */

START_TEST(ctrl_c_stops_the_machine)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "vCont;c", "");
    control_run(r.m.control, RIG_MS, 0, &r.m.err);
    gdb_receive(r.gdb, (const uint8_t *)"\003", 1);
    ck_assert_int_eq(control_state(r.m.control), RUN_PAUSED);
    CHECK_IN(gdb_last(&r), "T02thread:01;");
    r.m.said_bytes = 0;
    gdb_receive(r.gdb, (const uint8_t *)"\003", 1); /* it is stopped already */
    ck_assert_uint_eq(r.m.said_bytes, 0);
    gdb_close(&r);
}
END_TEST

START_TEST(vcont_t_stops_the_machine)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "c", "");
    control_run(r.m.control, RIG_MS, 0, &r.m.err);
    CHECK_IN(gdb_ask(&r, "vCont;t:p1.-1"), "T02thread:01;");
    CHECK_IN(gdb_ask(&r, "vCont;t"), "T02thread:01;");
    gdb_close(&r);
}
END_TEST

START_TEST(a_stop_that_gdb_does_not_wait_for_is_not_told)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ck_assert(control_continue(r.m.control, &r.m.err));
    control_run(r.m.control, RIG_MS, 0, &r.m.err);
    r.m.said_bytes = 0;
    control_stop(r.m.control, RUN_PAUSED);
    ck_assert_uint_eq(r.m.said_bytes, 0);
    gdb_close(&r);
}
END_TEST

START_TEST(a_guest_that_is_off_says_so_and_cannot_go_on)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    rig_type(r.m.rig, "q");
    CHECK_IN(gdb_run(&r, "c"), "T03thread:01;");
    CHECK_GDB(&r, "c", "E01");
    CHECK_GDB(&r, "s", "E01");
    CHECK_GDB(&r, "D", "OK");
    gdb_close(&r);
}
END_TEST

/* --- breakpoints --- */

START_TEST(breakpoints_stop_and_say_which_they_are)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ask_at(&r, "Z0,%llx,2", r.m.loop);
    CHECK_IN(gdb_run(&r, "c"), "T05thread:01;02:");
    gdb_ask(&r, "qSupported:swbreak+;hwbreak+");
    CHECK_IN(gdb_run(&r, "c"), "T05thread:01;swbreak:;02:");
    ck_assert_uint_eq(pc(&r, 0), r.m.loop);
    ask_at(&r, "z0,%llx,2", r.m.loop);
    ask_at(&r, "Z1,%llx,4", r.m.loop + 4);
    CHECK_IN(gdb_run(&r, "c"), "T05thread:01;hwbreak:;02:");
    ck_assert_uint_eq(pc(&r, 0), r.m.loop + 4);
    gdb_close(&r);
}
END_TEST

START_TEST(what_is_no_point_is_refused)
{
    static const char *const bad[] = {
        "Z4,0,0",       "Z0,1,4",   "Z2,0,0", "Z0,0", "Z0,0,4;",           "Z0,0,4;X",
        "Z0,0,4;X2,27", "Z0,0,4;Y", "z0,0",   "z",    "Z0,0,4;X1,27;cmds:"};
    struct gdb_rig r;
    gdb_open(&r, 1);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(strcmp(gdb_ask(&r, bad[i]), "E22") == 0, "%s: %s", bad[i], r.reply);
    CHECK_GDB(&r, "Z5,0,4", ""); /* of no type that there is */
    CHECK_GDB(&r, "z9,0,4", "");
    CHECK_GDB(&r, "z0,4,4", "OK"); /* there is none: so it is gone */
    for (unsigned i = 0; i < 512; i++)
        ck_assert_str_eq(ask_at(&r, "Z0,%llx,4", 4 * i), "OK");
    CHECK_GDB(&r, "Z0,4444,4", "E01");
    gdb_close(&r);
}
END_TEST

START_TEST(stepping_over_a_breakpoint_keeps_the_decoded_code)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ask_at(&r, "Z0,%llx,4", r.m.loop);
    gdb_run(&r, "c");
    uint64_t flushes = gdb_rig_hart(&r, 0)->ports.code->stats.flushes;
    for (unsigned i = 0; i < 5; i++) { /* as gdb does it */
        ask_at(&r, "z0,%llx,4", r.m.loop);
        gdb_run(&r, "vCont;s:1");
        ck_assert_uint_eq(pc(&r, 0), r.m.loop + 4);
        ask_at(&r, "Z0,%llx,4", r.m.loop);
        CHECK_IN(gdb_run(&r, "vCont;c"), "T05");
        ck_assert_uint_eq(pc(&r, 0), r.m.loop);
    }
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->ports.code->stats.flushes, flushes);
    ask_at(&r, "z0,%llx,4", r.m.loop);
    CHECK_GDB(&r, "vCont;c", "");
    control_run(r.m.control, 2 * RIG_MS, 0, &r.m.err);
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    gdb_close(&r);
}
END_TEST

START_TEST(a_condition_is_evaluated_here)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    /* a1 == 77: reg 11, const8 77, equal, end. */
    ask_at(&r, "Z0,%llx,4;X7,26000b224d1327", r.m.loop);
    ck_assert_str_eq(r.reply, "OK");
    CHECK_IN(gdb_run(&r, "c"), "T05");
    ck_assert_uint_eq(pc(&r, 0), r.m.loop);
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->x[A1], 77);
    /* Another one, or memory that is not there: both are met. */
    ask_at(&r, "Z0,%llx,4;X7,26000b224d1327X7,26000b22501327", r.m.loop);
    gdb_run(&r, "c");
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->x[A1], 80);
    ask_at(&r, "Z0,%llx,4;X4,22001a27", r.m.loop);
    gdb_run(&r, "c");
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->x[A1], 81);
    gdb_close(&r);
}
END_TEST

/* --- watchpoints --- */

START_TEST(watchpoints_stop_behind_the_access)
{
    static const char *const kinds[] = {"Z2,%llx,8", "Z3,%llx,8", "Z4,%llx,100"};
    static const char *const reasons[] = {";watch:80002000;", ";rwatch:80002000;",
                                          ";awatch:80002000;"};
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct gdb_rig r;
        gdb_open(&r, 1);
        ask_at(&r, kinds[i], RIG_DATA);
        CHECK_IN(gdb_run(&r, "c"), reasons[i]); /* the amoadd.d */
        ck_assert_uint_eq(pc(&r, 0), r.m.loop + 8);
        gdb_close(&r);
    }
}
END_TEST

START_TEST(a_watchpoint_goes_away)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "Z2,80002000,8", "OK");
    gdb_run(&r, "c");
    CHECK_GDB(&r, "z2,80002000,8", "OK");
    CHECK_GDB(&r, "c", "");
    control_run(r.m.control, 2 * RIG_MS, 0, &r.m.err);
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    gdb_close(&r);
}
END_TEST

/* --- the run stays what it is --- */

static uint64_t hash_at_end(struct gdb_rig *r)
{
    while (machine_now_ns(r->m.rig->m) < END_NS) {
        if (control_state(r->m.control) != RUN_RUNNING)
            gdb_ask(r, "c");
        control_run(r->m.control, END_NS, RIG_MS, &r->m.err);
    }
    return machine_hash(r->m.rig->m);
}

START_TEST(nothing_of_it_is_seen_by_the_guest)
{
    for (unsigned harts = 1; harts <= 4; harts += 3) {
        struct gdb_rig r;
        gdb_open(&r, harts);
        uint64_t plain = hash_at_end(&r);
        gdb_close(&r);
        gdb_open(&r, harts);
        ask_at(&r, "Z0,%llx,4", r.m.loop);
        CHECK_GDB(&r, "Z3,80002000,8", "OK");
        gdb_run(&r, "c");
        gdb_ask(&r, "g");
        gdb_ask(&r, "m80000000,1000");
        for (unsigned i = 0; i < 50; i++)
            gdb_run(&r, i % 2 ? "vCont;s" : "vCont;r80000000,80000420:1");
        ask_at(&r, "z0,%llx,4", r.m.loop);
        for (unsigned i = 0; i < 50; i++)
            gdb_run(&r, "c");
        ck_assert_uint_lt(machine_now_ns(r.m.rig->m), END_NS);
        ck_assert_uint_eq(hash_at_end(&r), plain);
        gdb_close(&r);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb_points");
    TCase *tests = tcase_create("gdb_points");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_way_to_step_makes_one_step);
    tcase_add_test(tests, a_step_is_one_of_the_hart_that_is_named);
    tcase_add_test(tests, a_range_is_stepped_through);
    tcase_add_test(tests, going_on_may_begin_elsewhere);
    tcase_add_test(tests, what_is_no_action_is_refused);
    tcase_add_test(tests, the_sstep_mask_holds_interrupts_back_while_stepping);
    tcase_add_test(tests, ctrl_c_stops_the_machine);
    tcase_add_test(tests, vcont_t_stops_the_machine);
    tcase_add_test(tests, a_stop_that_gdb_does_not_wait_for_is_not_told);
    tcase_add_test(tests, a_guest_that_is_off_says_so_and_cannot_go_on);
    tcase_add_test(tests, breakpoints_stop_and_say_which_they_are);
    tcase_add_test(tests, what_is_no_point_is_refused);
    tcase_add_test(tests, stepping_over_a_breakpoint_keeps_the_decoded_code);
    tcase_add_test(tests, a_condition_is_evaluated_here);
    tcase_add_test(tests, watchpoints_stop_behind_the_access);
    tcase_add_test(tests, a_watchpoint_goes_away);
    tcase_add_test(tests, nothing_of_it_is_seen_by_the_guest);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

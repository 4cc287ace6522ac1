/* The gdb stub: what it says it can do, threads, registers, memory, the session. */
#include "tests/unit/gdb_rig.h"

#include "cpu/peek.h"
#include "tests/unit/suite.h"

/* --- what it can do --- */

START_TEST(it_tells_what_it_can_do)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    const char *all = gdb_ask(&r, "qSupported:multiprocess+;swbreak+;hwbreak+");
    static const char *const words[] = {
        "PacketSize=4000;",
        "QStartNoAckMode+;",
        "multiprocess+;",
        "swbreak+;",
        "hwbreak+;",
        "vContSupported+;",
        "ConditionalBreakpoints+",
        "qXfer:features:read+",
        "qXfer:threads:read+",
        "binary-upload+",
        "qXfer:memory-map:read+",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        CHECK_IN(all, words[i]);
    CHECK_GDB(&r, "vMustReplyEmpty", "");
    CHECK_GDB(&r, "qNoSuch", "");
    CHECK_GDB(&r, "QNoSuch:1", "");
    CHECK_GDB(&r, "qCRC:0,1", "");
    CHECK_GDB(&r, "j", "");
    CHECK_GDB(&r, "vCont?", "vCont;c;C;s;S;t;r");
    CHECK_GDB(&r, "qAttached", "1");
    CHECK_GDB(&r, "qSymbol::", "OK");
    CHECK_GDB(&r, "!", "OK");
    gdb_close(&r);
}
END_TEST

START_TEST(acks_end_behind_the_answer_to_the_wish)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "QStartNoAckMode", "OK");
    ck_assert_int_eq(r.m.said[0], '+');
    CHECK_GDB(&r, "qAttached", "1");
    ck_assert_int_eq(r.m.said[0], '$');
    gdb_connect(r.gdb);
    CHECK_GDB(&r, "qAttached", "1");
    ck_assert_int_eq(r.m.said[0], '+');
    gdb_close(&r);
}
END_TEST

/* The whole of a document, in parts of n bytes. */
static void read_document(struct gdb_rig *r, const char *object, unsigned n, char *to)
{
    size_t got = 0;
    do {
        char packet[100];
        snprintf(packet, sizeof packet, "qXfer:%s:%zx,%x", object, got, n);
        const char *part = gdb_ask(r, packet);
        ck_assert(part[0] == 'm' || part[0] == 'l');
        for (part++; *part; part++)
            to[got++] = *part == '}' ? (char)(*++part ^ 0x20) : *part;
    } while (r->reply[0] == 'm');
    to[got] = 0;
}

START_TEST(the_target_description_names_all_registers)
{
    static char whole[1 << 16], parts[1 << 16];
    struct gdb_rig r;
    gdb_open(&r, 1);
    read_document(&r, "features:read:target.xml", 0x3000, whole);
    read_document(&r, "features:read:target.xml", 0x123, parts);
    ck_assert_str_eq(whole, parts);
    CHECK_IN(whole, "<architecture>riscv:rv64</architecture>\n<osabi>none</osabi>\n");
    CHECK_IN(whole, "<feature name=\"org.gnu.gdb.riscv.cpu\">");
    CHECK_IN(whole, "<reg name=\"fp\" bitsize=\"64\" type=\"data_ptr\" regnum=\"8\"/>");
    CHECK_IN(whole, "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\" regnum=\"32\"/>");
    CHECK_IN(whole, "<feature name=\"org.gnu.gdb.riscv.fpu\">");
    CHECK_IN(whole, "<reg name=\"ft11\" bitsize=\"64\" type=\"riscv_double\" regnum=\"64\"/>");
    CHECK_IN(whole, "<feature name=\"org.gnu.gdb.riscv.csr\">");
    CHECK_IN(whole, "<reg name=\"mstatus\" bitsize=\"64\" type=\"int\" regnum=\"833\" ");
    CHECK_IN(whole, "<feature name=\"org.gnu.gdb.riscv.virtual\">");
    CHECK_IN(whole, "<reg name=\"priv\" bitsize=\"64\" type=\"int\" regnum=\"4161\" ");
    ck_assert_str_eq(whole + strlen(whole) - 11, "\n</target>\n");
    CHECK_GDB(&r, "qXfer:features:read:other.xml:0,100", "E00");
    CHECK_GDB(&r, "qXfer:features:read:target.xml:fffff,1", "E22");
    CHECK_GDB(&r, "qXfer:features:read:target.xml:0", "E22");
    CHECK_GDB(&r, "qXfer:features:write:target.xml:0,1", "");
    gdb_close(&r);
}
END_TEST

START_TEST(the_memory_map_refuses_nothing)
{
    static char map[1 << 16];
    struct gdb_rig r;
    gdb_open(&r, 1);
    read_document(&r, "memory-map:read:", 0x1000, map);
    CHECK_IN(map, "<memory type=\"ram\" start=\"0x0\" length=\"0xffffffffffffffff\"/>");
    gdb_close(&r);
}
END_TEST

/* --- threads --- */

START_TEST(harts_are_threads)
{
    static char threads[1 << 16];
    struct gdb_rig r;
    gdb_open(&r, 4);
    CHECK_GDB(&r, "qfThreadInfo", "m01,02,03,04");
    CHECK_GDB(&r, "qsThreadInfo", "l");
    CHECK_GDB(&r, "qC", "QC01");
    gdb_ask(&r, "qSupported:multiprocess+");
    CHECK_GDB(&r, "qfThreadInfo", "mp01.01,p01.02,p01.03,p01.04");
    CHECK_GDB(&r, "T4", "OK");
    CHECK_GDB(&r, "Tp1.4", "OK");
    CHECK_GDB(&r, "T5", "E22");
    CHECK_GDB(&r, "Tp2.1", "E22");
    CHECK_GDB(&r, "qThreadExtraInfo,p1.2", "68617274203120" /* "hart 1 " */ "5b72756e735d");
    gdb_rig_hart(&r, 1)->waiting = true;
    gdb_rig_hart(&r, 2)->stopped = true;
    read_document(&r, "threads:read:", 0x30, threads);
    CHECK_IN(threads, "<thread id=\"p1.1\" core=\"0\" name=\"hart 0\">runs</thread>");
    CHECK_IN(threads, "name=\"hart 1\">waits for an interrupt</thread>");
    CHECK_IN(threads, "name=\"hart 2\">not started</thread>");
    gdb_close(&r);
}
END_TEST

START_TEST(registers_are_those_of_the_chosen_thread)
{
    struct gdb_rig r;
    gdb_open(&r, 2);
    gdb_rig_hart(&r, 1)->x[SP] = 0x1234;
    CHECK_GDB(&r, "p2", "0000000000000000");
    CHECK_GDB(&r, "Hgp1.2", "OK");
    CHECK_GDB(&r, "p2", "3412000000000000");
    CHECK_GDB(&r, "Hg0", "OK");
    CHECK_GDB(&r, "p2", "3412000000000000");
    CHECK_GDB(&r, "Hg1", "OK");
    CHECK_GDB(&r, "p2", "0000000000000000");
    CHECK_GDB(&r, "Hc-1", "OK");
    CHECK_GDB(&r, "Hg3", "E22");
    CHECK_GDB(&r, "Hx1", "E22");
    CHECK_GDB(&r, "Hg", "E22");
    gdb_close(&r);
}
END_TEST

/* --- registers --- */

START_TEST(registers_are_read_and_written)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    struct hart *h = gdb_rig_hart(&r, 0);
    CHECK_GDB(&r, "P1=8877665544332211", "OK");
    ck_assert_uint_eq(h->x[RA], 0x1122334455667788);
    CHECK_GDB(&r, "P0=0100000000000000", "OK"); /* gdb writes back what it has read */
    ck_assert_uint_eq(h->x[0], 0);
    CHECK_GDB(&r, "P20=0004008000000000", "OK");
    ck_assert_uint_eq(h->pc, 0x80000400);
    CHECK_GDB(&r, "P20=0104008000000000", "E22");
    CHECK_GDB(&r, "P21=0000000000000040", "OK");
    ck_assert_uint_eq(h->f[0], 0x4000000000000000);
    CHECK_GDB(&r, "p21", "0000000000000040");
    CHECK_GDB(&r, "P381=00ff000000000000", "OK"); /* mscratch */
    ck_assert_uint_eq(h->csr.mscratch, 0xff00);
    CHECK_GDB(&r, "p381", "00ff000000000000");
    CHECK_GDB(&r, "pf55", "0000000000000000");     /* mhartid */
    CHECK_GDB(&r, "Pf55=0000000000000000", "E22"); /* read-only */
    CHECK_GDB(&r, "p42", "xxxxxxxxxxxxxxxx");      /* fflags, with FS off */
    CHECK_GDB(&r, "p1042", "E22");
    CHECK_GDB(&r, "pffffffffffffffff", "E22");
    CHECK_GDB(&r, "p", "E22");
    CHECK_GDB(&r, "P1=00", "E22");
    CHECK_GDB(&r, "P1", "E22");
    gdb_close(&r);
}
END_TEST

START_TEST(the_privilege_is_a_register)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "p1041", "0300000000000000");
    CHECK_GDB(&r, "P1041=0200000000000000", "E22");
    CHECK_GDB(&r, "P1041=0100000000000000", "OK");
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->priv, PRIV_S);
    CHECK_GDB(&r, "p1041", "0100000000000000");
    gdb_close(&r);
}
END_TEST

START_TEST(the_whole_set_is_x0_to_pc)
{
    struct gdb_rig r;
    char packet[1000] = "G";
    gdb_open(&r, 1);
    struct hart *h = gdb_rig_hart(&r, 0);
    h->x[31] = 0xab;
    const char *all = gdb_ask(&r, "g");
    ck_assert_uint_eq(strlen(all), 33 * 16);
    ck_assert_int_eq(strncmp(all + 31 * 16, "ab000000000000000010000000000000", 32), 0);
    strcat(packet, all);
    memcpy(packet + 1 + 16, "ffffffffffffffff", 16);
    CHECK_GDB(&r, packet, "OK");
    ck_assert_uint_eq(h->x[RA], UINT64_MAX);
    ck_assert_uint_eq(h->x[31], 0xab);
    CHECK_GDB(&r, "G", "E22");
    CHECK_GDB(&r, "Gzz00000000000000", "E22");
    gdb_close(&r);
}
END_TEST

/* --- memory --- */

START_TEST(memory_is_read_and_written)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "M80002000,3:0102ff", "OK");
    CHECK_GDB(&r, "m80002000,4", "0102ff00");
    CHECK_GDB(&r, "x80002000,3", "b\x01\x02\xff");
    ck_assert_str_eq(gdb_ask_bytes(&r, "X80002001,2:}\003a", 15), "OK"); /* an escaped '#' */
    CHECK_GDB(&r, "m80002000,4", "01236100");
    CHECK_GDB(&r, "X80002000,0:", "OK");
    CHECK_GDB(&r, "m80002000,0", "");
    CHECK_GDB(&r, "x80002000,0", "b");
    CHECK_GDB(&r, "m10000000,1", "E14"); /* a device is not looked at */
    CHECK_GDB(&r, "x10000000,1", "E14");
    CHECK_GDB(&r, "M10000000,1:00", "E14");
    CHECK_GDB(&r, "X10000000,1:a", "E14");
    CHECK_GDB(&r, "m807ffffe,10", "0000"); /* up to the end of RAM */
    static const char *const bad[] = {
        "m",
        "m80002000",
        "m80002000,",
        "m80002000,1,",
        "m80002000;1",
        "mg,1",
        "M80002000,2:00",
        "M80002000,1:0",
        "M80002000,1:zz",
        "M80002000,ffffffffffffffff:",
        "X80002000,2:a",
        "X,:",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(strcmp(gdb_ask(&r, bad[i]), "E22") == 0, "%s: %s", bad[i], r.reply);
    gdb_close(&r);
}
END_TEST

#define ROOT 0x80100000ull

START_TEST(addresses_are_the_harts_or_physical)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    struct hart *h = gdb_rig_hart(&r, 0);
    uint64_t leaf = RIG_RAM >> 12 << 10 | PTE_V | PTE_R; /* 1 GiB at 0x40000000 */
    ck_assert(poke_physical(h->ports.memory, ROOT + 8, &leaf, sizeof leaf));
    h->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12;
    pmp_write_addr(h, 0, ~0ull);
    pmp_write_cfg(h, 0, 0x1f);
    hart_set_priv(h, PRIV_S);
    CHECK_GDB(&r, "qqemu.PhyMemMode", "0");
    CHECK_GDB(&r, "M40002000,2:abcd", "OK");
    CHECK_GDB(&r, "m40002000,2", "abcd");
    CHECK_GDB(&r, "m80002000,2", "E14");
    CHECK_GDB(&r, "Qqemu.PhyMemMode:1", "OK");
    CHECK_GDB(&r, "qqemu.PhyMemMode", "1");
    CHECK_GDB(&r, "m80002000,2", "abcd");
    CHECK_GDB(&r, "m40002000,2", "E14");
    CHECK_GDB(&r, "M80002000,1:ee", "OK");
    CHECK_GDB(&r, "Qqemu.PhyMemMode:x", "E22");
    CHECK_GDB(&r, "Qqemu.PhyMemMode:0", "OK");
    CHECK_GDB(&r, "m40002000,2", "eecd");
    gdb_close(&r);
}
END_TEST

START_TEST(memory_is_searched)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "M80102ffe,4:feedbeef", "OK"); /* over the window of the search */
    CHECK_GDB(&r, "qSearch:memory:80102000;2000;\xfe\xed\xbe\xef", "1,80102ffe");
    CHECK_GDB(&r, "qSearch:memory:80100fff;10000;\xfe\xed\xbe\xef", "1,80102ffe");
    CHECK_GDB(&r, "qSearch:memory:80102ffe;4;\xfe\xed\xbe\xef", "1,80102ffe");
    CHECK_GDB(&r, "qSearch:memory:80102ffe;3;\xfe\xed\xbe\xef", "0");
    CHECK_GDB(&r, "qSearch:memory:80102fff;1000;\xfe\xed\xbe\xef", "0");
    CHECK_GDB(&r, "qSearch:memory:80700000;ffffffffffffffff;\xfe\xed", "E14");
    CHECK_GDB(&r, "qSearch:memory:80102ffe;4;", "E22");
    CHECK_GDB(&r, "qSearch:memory:80102ffe;4", "E22");
    gdb_close(&r);
}
END_TEST

/* --- monitor, QEMU's settings --- */

START_TEST(monitor_commands_answer_in_o_packets)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "qRcmd,7020312b31", "OK"); /* p 1+1 */
    CHECK_IN(r.m.said, "+$O3078320a#");      /* 0x2 */
    CHECK_GDB(&r, "qRcmd,7", "E22");
    CHECK_GDB(&r, "qRcmd,zz", "E22");
    CHECK_GDB(&r, "qRcmd,", "OK");
    gdb_close(&r);
}
END_TEST

START_TEST(the_sstep_mask_is_told_and_set)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "qqemu.Supported", "sstepbits;sstep;PhyMemMode");
    CHECK_GDB(&r, "qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4");
    CHECK_GDB(&r, "qqemu.sstep", "0x1"); /* icount: a step is as if nobody looked */
    CHECK_GDB(&r, "Qqemu.sstep=0x7", "OK");
    CHECK_GDB(&r, "qqemu.sstep", "0x7");
    CHECK_GDB(&r, "Qqemu.sstep=8", "E22");
    CHECK_GDB(&r, "Qqemu.sstep=", "E22");
    CHECK_GDB(&r, "qqemu.sstep", "0x7");
    gdb_close(&r);
}
END_TEST

/* --- the session --- */

START_TEST(a_peer_that_comes_stops_the_machine)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ck_assert_int_eq(control_state(r.m.control), RUN_PRELAUNCH);
    CHECK_GDB(&r, "?", "T05thread:01;02:0000000000000000;20:0010000000000000;");
    CHECK_GDB(&r, "D;2", "E22");
    ck_assert_int_ne(control_state(r.m.control), RUN_RUNNING);
    CHECK_GDB(&r, "D", "OK");
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    gdb_disconnect(r.gdb);
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    control_run(r.m.control, RIG_MS, 0, &r.m.err);
    gdb_connect(r.gdb);
    ck_assert_int_eq(control_state(r.m.control), RUN_PAUSED);
    CHECK_IN(gdb_ask(&r, "vAttach;1"), "T05thread:01;");
    CHECK_GDB(&r, "vAttach;2", "E22");
    CHECK_GDB(&r, "vAttach;", "E22");
    gdb_close(&r);
}
END_TEST

START_TEST(a_peer_that_goes_leaves_no_breakpoint)
{
    struct gdb_rig r;
    char packet[40];
    gdb_open(&r, 1);
    snprintf(packet, sizeof packet, "Z0,%llx,4", (unsigned long long)r.m.loop);
    CHECK_GDB(&r, packet, "OK");
    gdb_disconnect(r.gdb);
    ck_assert(control_continue(r.m.control, &r.m.err));
    control_run(r.m.control, RIG_MS, 0, &r.m.err);
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    gdb_close(&r);
}
END_TEST

START_TEST(kill_ends_the_program)
{
    for (unsigned i = 0; i < 2; i++) {
        struct gdb_rig r;
        gdb_open(&r, 1);
        CHECK_GDB(&r, "vKill;2", "E22");
        CHECK_GDB(&r, i ? "vKill;1" : "k", i ? "OK" : "");
        ck_assert_int_eq(control_run(r.m.control, UINT64_MAX, 0, &r.m.err), CONTROL_QUIT);
        gdb_close(&r);
    }
}
END_TEST

START_TEST(restart_resets_the_machine)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    gdb_run(&r, "s");
    ck_assert_uint_ne(gdb_rig_hart(&r, 0)->pc, 0x1000);
    CHECK_GDB(&r, "R00", "");
    ck_assert_uint_eq(gdb_rig_hart(&r, 0)->pc, 0x1000);
    CHECK_IN(gdb_ask(&r, "?"), "20:0010000000000000;");
    gdb_close(&r);
}
END_TEST

START_TEST(the_end_of_the_guest_is_told)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    CHECK_GDB(&r, "vCont;c", "");
    gdb_destroy(r.gdb);
    ck_assert_str_eq(gdb_last(&r), "W00");
    monitor_close(&r.m);
}
END_TEST

START_TEST(a_stub_goes_away_while_its_step_is_under_way)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    gdb_ask(&r, "vCont;r0,ffffffffffffffff:1");
    ck_assert_int_eq(control_run(r.m.control, RIG_MS, RIG_MS, &r.m.err), CONTROL_GOES_ON);
    ck_assert_int_eq(control_state(r.m.control), RUN_RUNNING);
    gdb_destroy(r.gdb);
    r.gdb = NULL;
    run_until_stopped(&r.m);
    ck_assert_int_eq(control_exit(r.m.control).stop, MACHINE_STEPPED);
    gdb_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb");
    TCase *tests = tcase_create("gdb");
    tcase_add_test(tests, it_tells_what_it_can_do);
    tcase_add_test(tests, acks_end_behind_the_answer_to_the_wish);
    tcase_add_test(tests, the_target_description_names_all_registers);
    tcase_add_test(tests, the_memory_map_refuses_nothing);
    tcase_add_test(tests, harts_are_threads);
    tcase_add_test(tests, registers_are_those_of_the_chosen_thread);
    tcase_add_test(tests, registers_are_read_and_written);
    tcase_add_test(tests, the_privilege_is_a_register);
    tcase_add_test(tests, the_whole_set_is_x0_to_pc);
    tcase_add_test(tests, memory_is_read_and_written);
    tcase_add_test(tests, addresses_are_the_harts_or_physical);
    tcase_add_test(tests, memory_is_searched);
    tcase_add_test(tests, monitor_commands_answer_in_o_packets);
    tcase_add_test(tests, the_sstep_mask_is_told_and_set);
    tcase_add_test(tests, a_peer_that_comes_stops_the_machine);
    tcase_add_test(tests, a_stub_goes_away_while_its_step_is_under_way);
    tcase_add_test(tests, a_peer_that_goes_leaves_no_breakpoint);
    tcase_add_test(tests, kill_ends_the_program);
    tcase_add_test(tests, restart_resets_the_machine);
    tcase_add_test(tests, the_end_of_the_guest_is_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

#include "tests/unit/trace_rig.h"

static struct trace_rig r;

static void must_hold(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no '%s' in:\n%s", what, text);
}

static void must_refuse(const char *spec, const char *why)
{
    ck_assert(!trace_start(r.trace, spec, &r.err));
    must_hold(r.err.text, why);
}

START_TEST(a_system_call_is_written_with_its_arguments_and_its_result)
{
    trace_open(&r);
    const char *text = trace_of(&r, "syscall,file=out");
    must_hold(text, " h0 U 0x0000000080000318 syscall "
                    "openat(AT_FDCWD, \"/etc/x\", O_RDONLY|O_CLOEXEC, 0)\n");
    must_hold(text, "syscall openat = -2 ENOENT\n");
    ck_assert_uint_eq(count_of(text, "\n"), 2);
    trace_close(&r);
}
END_TEST

START_TEST(traps_returns_csrs_and_devices_are_written_in_their_order)
{
    trace_open(&r);
    const char *text = trace_of(&r, "trap,return,csr,mmio,file=out");
    const char *trap = strstr(text, "trap ecall from U (8), tval 0x0, to M");
    const char *csr = strstr(text, "csr mepc 0x80000318 -> 0x8000031c");
    const char *back = strstr(text, "return to U 0x000000008000031c");
    const char *mmio = strstr(text, "mmio write 1 0x10000000 = 0x78");
    ck_assert_msg(trap && csr && back && mmio, "%s", text);
    ck_assert(trap < csr && csr < back && back < mmio);
    trace_close(&r);
}
END_TEST

START_TEST(an_instruction_is_written_with_what_it_read_and_wrote)
{
    trace_open(&r);
    const char *text = trace_of(&r, "insn,file=out");
    must_hold(text, " h0 U 0x0000000080000404 sd t1, 8(s0)               [0x80002008]=0x");
    must_hold(text, " h0 U 0x0000000080000408 ld t2, 8(s0)               t2=0x");
    must_hold(text, "ecall                      (trap)\n");
    must_hold(text, "csrw mepc, t0              mepc=0x8000031c\n");
    ck_assert_uint_eq(count_of(text, "\n"), machine_steps(r.rig->m));
    trace_close(&r);
}
END_TEST

START_TEST(the_commit_log_is_spikes)
{
    trace_open(&r);
    const char *text = trace_of(&r, "commit,file=out");
    must_hold(text, "core   0: 3 0x0000000080000000 (0x");
    must_hold(text, "core   0: 0 0x0000000080000408 (0x00843383) x7  0x0000000000000001 "
                    "mem 0x0000000080002008\n");
    must_hold(text, "core   0: 0 0x0000000080000404 (0x00643423) mem 0x0000000080002008 "
                    "0x0000000000000001\n");
    must_hold(text, " c833_mepc 0x000000008000031c\n");
    ck_assert_uint_eq(count_of(text, "\n"), machine_steps(r.rig->m) - machine_traps(r.rig->m));
    trace_close(&r);
}
END_TEST

static void put_register_writes(struct program *p)
{
    struct assembler *a = &p->a;
    asm_csrw(a, CSR_MSTATUS, 0x6000);
    ASM(a, csrrwi, .rd = 5, .rs1 = 9, .imm = 0x003);
    ASM(a, csrrsi, .rd = 5, .rs1 = 2, .imm = 0x100);
    asm_li(a, A0, 3);
    asm_li(a, A1, 1);
    ASM(a, csrrwi, .rs1 = 0, .imm = 0x001);
    ASM(a, fcvt_d_l, .rd = 10, .rs1 = A0, .rm = 7);
    ASM(a, fcvt_d_l, .rd = 11, .rs1 = A1, .rm = 7);
    ASM(a, fdiv_d, .rd = 11, .rs1 = 11, .rs2 = 10);
    asm_csrw(a, 0x341, (int64_t)(RIG_RAM + 0x100));
    asm_li(a, T0, 0x1800); /* stay in M */
    ASM(a, csrrs, .rs1 = T0, .imm = CSR_MSTATUS);
    ASM(a, mret);
    a->pc = RIG_RAM + 0x100;
    asm_li(a, T0, RIG_TEST);
    asm_li(a, T1, 0x5555);
    ASM(a, sw, .rs1 = T0, .rs2 = T1);
}

/* As Spike writes it, of the same instructions. */
START_TEST(registers_are_logged_by_number_and_views_of_csrs_as_what_they_are)
{
    trace_open_with(&r, put_register_writes);
    const char *text = trace_of(&r, "commit,file=out");
    must_hold(text, "(0x0034d2f3) c1_fflags 0x0000000000000009 c2_frm 0x0000000000000000 "
                    "x5  0x0000000000000000\n");
    must_hold(text, "(0x100162f3) x5  0x8000000200006000 c768_mstatus 0x8000000a00006002\n");
    must_hold(text, ") c1_fflags 0x0000000000000001 f11 0x3fd5555555555555\n");
    must_hold(text, "(0x30200073) c768_mstatus 0x8000000a00006082\n");
    trace_close(&r);
}
END_TEST

/* The first hart waits for ever, the second one runs the program. */
static void put_for_second_hart(struct program *p)
{
    ASM(&p->a, csrrs, .rd = T0, .imm = CSR_MHARTID);
    ASM(&p->a, bne, .rs1 = T0, .imm = 8);
    ASM(&p->a, jal, .imm = 0);
    put_traced_program(p);
}

START_TEST(a_filter_lets_only_its_instructions_through)
{
    trace_open(&r);
    put_symbols();
    ck_assert(trace_load_symbols(r.trace, "traced", &r.err));
    ck_assert_uint_eq(count_of(trace_of(&r, "insn,file=out,symbol=leaf"), " <leaf"), 12);
    ck_assert_uint_eq(count_of(r.text, "\n"), 12);
    trace_close(&r);
    trace_open(&r);
    ck_assert_uint_eq(count_of(trace_of(&r, "insn,file=out,range=0x80000400-0x80000408"), "\n"), 6);
    trace_close(&r);
    trace_open(&r);
    ck_assert_uint_eq(count_of(trace_of(&r, "commit,file=out,priv=m"), "core   0: 0"), 0);
    ck_assert_uint_gt(count_of(r.text, "core   0: 3"), 5);
    trace_close(&r);
    trace_open_harts(&r, put_for_second_hart, 2);
    ck_assert_uint_gt(count_of(trace_of(&r, "commit,file=out,hart=1"), "core   1: "), 5);
    ck_assert_uint_eq(count_of(r.text, "core   0: "), 0);
    trace_close(&r);
}
END_TEST

START_TEST(traces_leave_the_state_as_it_is)
{
    static const char *const specs[] = {
        "insn,trap,int,return,sbi,syscall,csr,mmio,tlb,switch,file=out",
        "commit,file=out",
        "profile,file=out",
        "sample,every=3,file=out",
        "coverage,format=drcov,file=out",
        "mix,file=out",
    };
    trace_open(&r);
    trace_run(&r);
    uint64_t plain = machine_hash(r.rig->m);
    trace_close(&r);
    for (unsigned i = 0; i < ARRAY_LEN(specs); i++) {
        trace_open(&r);
        trace_of(&r, specs[i]);
        ck_assert_msg(machine_hash(r.rig->m) == plain, "%s changes the state", specs[i]);
        trace_close(&r);
    }
}
END_TEST

START_TEST(bad_words_are_refused_with_what_there_is)
{
    trace_open(&r);
    must_refuse("", "nothing called ''");
    must_refuse("insns", "there are: insn trap");
    must_refuse("file=out", "nothing of what to trace");
    must_refuse("insn,profile", "a trace of its own");
    must_refuse("profile", "add file=PATH");
    must_refuse("insn,hart=1", "hart=1: there is no such hart");
    must_refuse("insn,hart=4294967295", "hart=4294967295: there is no such hart");
    must_refuse("insn,hart=x", "hart=x: there is no such hart");
    must_refuse("insn,lines=on", "for profile and sample");
    must_refuse("profile,lines=2", "on or off");
    must_refuse("insn,priv=x", "letters of u, s and m");
    must_refuse("insn,range=5-4", "START-END");
    must_refuse("insn,symbol=main", "no symbol main");
    must_refuse("sample,every=0,file=out", "no number of steps");
    must_refuse("coverage,file=out", "needs -symbols");
    must_refuse("coverage,format=gcov,file=out", "lcov or drcov");
    must_refuse("insn,depth=3", "unknown property 'depth'");
    must_refuse("insn,file=/nowhere/out", "cannot write /nowhere/out");
    ck_assert(!trace_stop(r.trace, 1, &r.err));
    must_hold(r.err.text, "no trace 1");
    trace_close(&r);
}
END_TEST

/* A sink that keeps what it gets in r.text. */
static void keep(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner;
    strncat(r.text, (const char *)bytes, n);
}

START_TEST(traces_come_and_go_by_number)
{
    struct byte_sink out = {.write = keep};
    trace_open(&r);
    ck_assert(trace_start(r.trace, "trap,file=a", &r.err));
    ck_assert(trace_start(r.trace, "mmio,file=b", &r.err));
    trace_list(r.trace, &out);
    ck_assert_str_eq(r.text, "1: trap,file=a\n2: mmio,file=b\n");
    ck_assert(trace_stop(r.trace, 1, &r.err));
    trace_run(&r);
    ck_assert(trace_stop(r.trace, 2, &r.err));
    ck_assert_str_eq(trace_read(&r, "a"), "");
    ck_assert_uint_eq(count_of(trace_read(&r, "b"), "mmio"), 2);
    ck_assert_ptr_null(machine_hart(r.rig->m, 0)->observer);
    trace_close(&r);
}
END_TEST

START_TEST(a_file_that_cannot_hold_the_trace_is_told)
{
    trace_open(&r);
    ck_assert(trace_start(r.trace, "insn,file=/dev/full", &r.err));
    trace_run(&r);
    ck_assert(!trace_stop_all(r.trace, &r.err));
    must_hold(r.err.text, "cannot write the trace /dev/full: ");
    trace_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *t = tcase_create("trace");
    tcase_add_test(t, a_system_call_is_written_with_its_arguments_and_its_result);
    tcase_add_test(t, traps_returns_csrs_and_devices_are_written_in_their_order);
    tcase_add_test(t, an_instruction_is_written_with_what_it_read_and_wrote);
    tcase_add_test(t, the_commit_log_is_spikes);
    tcase_add_test(t, registers_are_logged_by_number_and_views_of_csrs_as_what_they_are);
    tcase_add_test(t, a_filter_lets_only_its_instructions_through);
    tcase_add_test(t, traces_leave_the_state_as_it_is);
    tcase_add_test(t, bad_words_are_refused_with_what_there_is);
    tcase_add_test(t, traces_come_and_go_by_number);
    tcase_add_test(t, a_file_that_cannot_hold_the_trace_is_told);
    suite_add_tcase(suite, t);
    return trace_suite(suite);
}

/* Every command of the monitor, on a machine that runs the busy program. */
#include "tests/unit/monitor_rig.h"
#include "tests/unit/temp_folder.h"

#include "cpu/peek.h"
#include "debug/trace.h"
#include "tests/unit/suite.h"

static struct hart *hart(struct monitor_rig *r, unsigned id)
{
    return machine_hart(r->rig->m, id);
}

/* --- lines --- */

START_TEST(an_unknown_command_and_a_bad_argument_are_one_line)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    static const char *const lines[][2] = {
        {"foo", "Error: unknown command: 'foo'\n"},
        {"foo/3x", "Error: unknown command: 'foo'\n"},
        {"info foo", "Error: unknown command: 'info foo'\n"},
        {"help foo", "Error: unknown command: 'foo'\n"},
        {"stop now", "Error: unexpected 'now'\n"},
        {"x/4q 0", "Error: 'q' is no letter of a format: give x d u o c i, b h w g\n"},
        {"x/99999x 0", "Error: at most 65536 at once\n"},
        {"x", "Error: an expression ends too early\n"},
        {"x zero", "Error: unexpected 'zero' in an expression\n"},
        {"print 1 / 0", "Error: division by zero\n"},
        {"print $foo", "Error: unknown register $foo\n"},
        {"print 12ab", "Error: not a number: 12ab\n"},
        {"print (1", "Error: a ) is missing\n"},
        {"set x0 1", "Error: x0 cannot be set to 0x1\n"},
        {"set pc 0x80000001", "Error: pc cannot be set to 0x80000001\n"},
        {"set mhartid 1", "Error: mhartid cannot be set to 0x1\n"},
        {"set foo 1", "Error: unknown register 'foo'\n"},
        {"write 0x80000000", "Error: a value is needed: write/SIZE ADDRESS VALUE\n"},
        {"cpu 1", "Error: there is no hart 1\n"},
        {"step 0", "Error: 0 steps are not possible\n"},
        {"delete 4", "Error: there is no breakpoint at 0x4\n"},
        {"info registers -b", "Error: unexpected '-b'; -a shows all harts\n"},
        {"hostfwd_add", "Error: a rule is needed, for example tcp::2222-:22\n"},
        {"", ""},
        {"   ", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        CHECK_ASK(&r, lines[i][0], lines[i][1]);
    monitor_close(&r);
}
END_TEST

START_TEST(help_shows_all_commands_or_one)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    const char *all = ask(&r, "help");
    CHECK_IN(all, "quit|q  -- end the program\n");
    CHECK_IN(all, "info WHAT -- ");
    CHECK_IN(all, "x /FMT ADDRESS -- ");
    CHECK_ASK(&r, "? cpu", "cpu N -- make hart N the current one\n");
    CHECK_IN(ask(&r, "help info"), "info mtree  -- the map of physical memory\n");
    CHECK_IN(ask(&r, "info"), "info mtree  -- the map of physical memory\n");
    monitor_close(&r);
}
END_TEST

/* --- running --- */

START_TEST(stop_cont_and_status_tell_the_state)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_ASK(&r, "info status", "VM status: paused (prelaunch)\n");
    CHECK_ASK(&r, "cont", "");
    CHECK_ASK(&r, "info status", "VM status: running\n");
    CHECK_ASK(&r, "stop", "");
    CHECK_ASK(&r, "info status", "VM status: paused\n");
    CHECK_ASK(&r, "c", "");
    rig_type(r.rig, "q");
    run_until_stopped(&r);
    CHECK_ASK(&r, "info status", "VM status: paused (shutdown)\n");
    CHECK_ASK(&r, "c", "Error: the guest is off: reset the machine first (system_reset)\n");
    CHECK_ASK(&r, "system_reset", "");
    CHECK_ASK(&r, "info status", "VM status: paused (prelaunch)\n");
    CHECK_IN(ask(&r, "system_powerdown"), "no power button");
    CHECK_ASK(&r, "quit", "");
    ck_assert_int_eq(control_run(r.control, UINT64_MAX, 0, &r.err), CONTROL_QUIT);
    monitor_close(&r);
}
END_TEST

START_TEST(a_step_is_one_instruction_or_as_many_as_asked_for)
{
    struct monitor_rig r;
    struct byte_sink out = monitor_out(&r);
    monitor_open(&r, 2);
    ask(&r, "cpu 1");
    ask(&r, "step");
    ck_assert(monitor_is_stepping(r.monitor));
    run_until_stopped(&r);
    ck_assert(!monitor_is_stepping(r.monitor));
    ck_assert_uint_eq(hart(&r, 1)->steps, 1);
    ask(&r, "si 2 + 8");
    run_until_stopped(&r);
    ck_assert_uint_eq(hart(&r, 1)->steps, 11);
    CHECK_ASK(&r, "info status", "VM status: paused (debug)\n");
    ask(&r, "");
    hart(&r, 1)->pc = r.loop;
    monitor_show_stop(r.monitor, &out);
    ck_assert_int_eq(strncmp(r.said, "0x00000000800000", 16), 0);
    CHECK_IN(r.said, ":  00158593  addi a1, a1, 1\n");
    monitor_close(&r);
}
END_TEST

START_TEST(breakpoints_stop_are_listed_and_go_away)
{
    struct monitor_rig r;
    struct byte_sink out = monitor_out(&r);
    char line[64];
    monitor_open(&r, 1);
    CHECK_ASK(&r, "info breakpoints", "There are no breakpoints.\n");
    for (unsigned i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "break 0x%llx + %u * 4", (unsigned long long)r.loop, i);
        CHECK_ASK(&r, line, "");
    }
    CHECK_IN(ask(&r, line), "already\n");
    ask(&r, "c");
    run_until_stopped(&r);
    ck_assert_uint_eq(hart(&r, 0)->pc, r.loop);
    ask(&r, "");
    monitor_show_stop(r.monitor, &out);
    CHECK_IN(r.said, "hart 0: breakpoint\n0x");
    CHECK_ASK(&r, "delete $pc + 4", "");
    ask(&r, "c");
    run_until_stopped(&r);
    ck_assert_uint_eq(hart(&r, 0)->pc, r.loop + 8);
    CHECK_ASK(&r, "delete $pc", "");
    CHECK_ASK(&r, "delete $pc - 8", "");
    CHECK_ASK(&r, "info breakpoints", "There are no breakpoints.\n");
    monitor_close(&r);
}
END_TEST

START_TEST(looking_at_everything_leaves_no_trace_in_the_state)
{
    static const char *const lines[] = {
        "info registers -a", "info csr",  "info mem",        "info tlb",
        "info mtree",        "info irq",  "info time",       "x/40i $pc",
        "x/64xw 0x80000000", "walk $pc",  "print $mcycle",   "x/1x 0x10000000",
        "xp/1x 0x10000005",  "info cpus", "x 0xfffffffffff", "print $time",
    };
    struct monitor_rig looked_at, left_alone;
    monitor_open(&looked_at, 4);
    monitor_open(&left_alone, 4);
    for (unsigned round = 1; round <= 20; round++) {
        ask(&looked_at, "cpu 2");
        ask(&looked_at, "step 777");
        run_until_stopped(&looked_at);
        for (size_t i = 0; i < ARRAY_LEN(lines); i++)
            ask(&looked_at, lines[i]);
    }
    uint64_t end_ns = 2 * RIG_MS;
    ask(&looked_at, "c");
    ask(&left_alone, "c");
    while (machine_now_ns(looked_at.rig->m) < end_ns)
        control_run(looked_at.control, end_ns, 0, &looked_at.err);
    control_run(left_alone.control, end_ns, 0, &left_alone.err);
    ck_assert_uint_eq(machine_hash(looked_at.rig->m), machine_hash(left_alone.rig->m));
    monitor_close(&looked_at);
    monitor_close(&left_alone);
}
END_TEST

/* --- registers and memory --- */

START_TEST(traces_begin_and_end_and_symbols_are_named)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    ck_assert_str_eq(ask(&r, "trace"), "Error: there is no tracing here\n");
    struct trace *trace = trace_create(r.control, &r.err);
    ck_assert_ptr_nonnull(trace);
    monitor_set_trace(r.monitor, trace);
    ck_assert_str_eq(ask(&r, "trace"), "There are no traces.\n");
    ck_assert_str_eq(ask(&r, "trace trap,file=/dev/null"), "");
    ck_assert_str_eq(ask(&r, "trace insn,hart=0,file=/dev/null"), "");
    ck_assert_str_eq(ask(&r, "trace"), "1: trap,file=/dev/null\n2: insn,hart=0,file=/dev/null\n");
    ck_assert_str_eq(ask(&r, "trace off 1"), "");
    ck_assert_str_eq(ask(&r, "trace off 1"), "Error: there is no trace 1\n");
    ck_assert_str_eq(ask(&r, "trace off all"), "");
    ck_assert_str_eq(ask(&r, "trace"), "There are no traces.\n");
    ck_assert_ptr_nonnull(strstr(ask(&r, "trace nosuch"), "Error: nothing called 'nosuch'"));
    ck_assert_ptr_nonnull(strstr(ask(&r, "trace help"), "\nsyscall "));
    ck_assert_ptr_nonnull(strstr(ask(&r, "symbols /nosuch"), "Error: "));
    ck_assert_ptr_nonnull(strstr(ask(&r, "symbols"), "Error: give the file"));
    trace_destroy(trace);
    monitor_close(&r);
}
END_TEST

START_TEST(expressions_are_those_of_c)
{
    static const char *const lines[][2] = {
        {"print 1 + 2 * 3", "0x7\n"},
        {"print (1 + 2) * 3", "0x9\n"},
        {"p 0x10 | 1 ^ 3 & 2", "0x13\n"},
        {"p/d -5 + 3", "-2\n"},
        {"p ~0 - 1", "0xfffffffffffffffe\n"},
        {"p 17 % 5 / 2", "0x1\n"},
        {"p $pc", "0x1000\n"},
        {"p $x10 + $a0", "0x10\n"},
        {"p $mhartid", "0x0\n"},
        {"p/u $fa0", "7\n"},
        {"p/c 65", "'A'\n"},
        {"p/o 8", "00000000000000000000010\n"},
    };
    struct monitor_rig r;
    monitor_open(&r, 1);
    hart(&r, 0)->x[10] = 8;
    hart(&r, 0)->f[10] = 7;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        CHECK_ASK(&r, lines[i][0], lines[i][1]);
    char deep[400] = "print ";
    memset(deep + 6, '(', 300);
    CHECK_ASK(&r, deep, "Error: the expression is too deep\n");
    monitor_close(&r);
}
END_TEST

START_TEST(registers_are_shown_and_set_by_name)
{
    struct monitor_rig r;
    monitor_open(&r, 2);
    CHECK_ASK(&r, "set a0 0x1234", "");
    CHECK_ASK(&r, "set ft1 3", "");
    CHECK_ASK(&r, "set fp 0x77", "");
    CHECK_ASK(&r, "set $mscratch $a0 * 2", "");
    CHECK_ASK(&r, "set pc 0x80000010", "");
    const char *text = ask(&r, "info registers");
    CHECK_IN(text, "CPU#0, M-mode\n pc            0000000080000010\n");
    CHECK_IN(text, " x10/a0   0000000000001234 ");
    CHECK_IN(text, " x8/s0    0000000000000077 ");
    CHECK_IN(text, " f1/ft1   0000000000000003 ");
    CHECK_IN(text, " mscratch      0000000000002468\n");
    ck_assert_ptr_null(strstr(text, "CPU#1"));
    CHECK_IN(ask(&r, "info registers -a"), "CPU#1, M-mode\n");
    CHECK_IN(ask(&r, "info csr"), " misa          800000000014112d\n");
    ask(&r, "cpu 1");
    CHECK_IN(ask(&r, "info cpus"), "\n* CPU #1: pc 0x0000000000001000, M-mode, 0 steps\n");
    monitor_close(&r);
}
END_TEST

START_TEST(memory_is_shown_in_every_format)
{
    static const char *const lines[][2] = {
        {"x 0x80001000", "0000000080001000: 0x04030201\n"},
        {"x/2xb 0x80001000", "0000000080001000: 0x01 0x02\n"},
        {"x/xh 0x80001000", "0000000080001000: 0x0201\n"},
        {"x/gx 0x80001000", "0000000080001000: 0xfffe414204030201\n"},
        {"x/dh 0x80001006", "0000000080001006: -2\n"},
        {"x/uh 0x80001006", "0000000080001006: 65534\n"},
        {"x/ob 0x80001006", "0000000080001006: 0376\n"},
        {"x/3c 0x80001004", "0000000080001004: 'B' 'A' '\\xfe'\n"},
        {"xp/5xw 0x80001000", "0000000080001000: 0x04030201 0xfffe4142 0x00000000 0x00000000\n"
                              "0000000080001010: 0x00000000\n"},
        {"xp 0x0", "Error: there is no memory at 0x0\n"},
        {"xp 0x10000000", "Error: 0x10000000 is a register of ns16550a, which only the guest "
                          "touches\n"},
    };
    static const uint8_t bytes[] = {1, 2, 3, 4, 'B', 'A', 0xfe, 0xff};
    struct monitor_rig r;
    monitor_open(&r, 1);
    ck_assert(poke_physical(hart(&r, 0)->ports.memory, 0x80001000, bytes, sizeof bytes));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        CHECK_ASK(&r, lines[i][0], lines[i][1]);
    monitor_close(&r);
}
END_TEST

START_TEST(instructions_are_shown_with_their_bytes)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_ASK(&r, "write/w 0x80001000 0x00a50533", "");
    CHECK_ASK(&r, "write/h 0x80001004 0x8082", "");
    CHECK_ASK(&r, "x/2i 0x80001000",
              "0x0000000080001000:  00a50533  add a0, a0, a0\n"
              "0x0000000080001004:  8082      ret\n");
    /* The last halfword of RAM, and a long instruction that begins there. */
    CHECK_ASK(&r, "write/h 0x807ffffe 0x8082", "");
    CHECK_ASK(&r, "x/i 0x807ffffe", "0x00000000807ffffe:  8082      ret\n");
    CHECK_ASK(&r, "write/h 0x807ffffe 0x0533", "");
    CHECK_ASK(&r, "x/i 0x807ffffe", "Error: there is no memory at 0x807ffffe\n");
    monitor_close(&r);
}
END_TEST

START_TEST(code_that_is_written_is_what_runs)
{
    struct monitor_rig r;
    char line[64];
    monitor_open(&r, 1);
    ask(&r, "step 2000");
    run_until_stopped(&r);
    snprintf(line, sizeof line, "write/w 0x%llx 0x00000073", (unsigned long long)r.loop);
    CHECK_ASK(&r, line, ""); /* ecall */
    uint64_t traps = hart(&r, 0)->traps;
    ask(&r, "step 200");
    run_until_stopped(&r);
    ck_assert_uint_gt(hart(&r, 0)->traps, traps);
    monitor_close(&r);
}
END_TEST

/* --- translation --- */

/* Sv39: 0x40000000, 2 MiB of it, leads to the base of RAM for S-mode, read and execute; 0x80000000
 * is a 1 GiB page of U-mode; 0xc0000000 has a broken pointer. */
static void map_pages(struct monitor_rig *r)
{
    static const struct {
        uint64_t gpa, pte;
    } entries[] = {
        {0x80100000 + 8 * 1, 0x80101000 >> 2 | PTE_V},
        {0x80100000 + 8 * 2, 0x80000000 >> 2 | PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D},
        {0x80100000 + 8 * 3, 0x80102000 >> 2 | PTE_V | PTE_U},
        {0x80101000 + 8 * 0, 0x80000000 >> 2 | PTE_V | PTE_R | PTE_X | PTE_A},
        {0x80101000 + 8 * 1, 0x80200000 >> 2 | PTE_V | PTE_R | PTE_X | PTE_A},
        {0x80101000 + 8 * 2, 0x80000000 >> 2 | PTE_V | PTE_R | PTE_W},
    };
    struct hart *h = hart(r, 0);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        ck_assert(poke_physical(h->ports.memory, entries[i].gpa, &entries[i].pte, 8));
    ask(r, "set satp 0x8000000000080100");
    ask(r, "set pmpaddr0 ~0");
    ask(r, "set pmpcfg0 0x1f");
    h->priv = PRIV_S;
}

START_TEST(a_walk_shows_each_entry_and_the_reason_of_each_fault)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_IN(ask(&r, "walk 0x40000000"), "load: the address is physical (satp is Bare)\n");
    map_pages(&r);
    CHECK_ASK(&r, "walk 0x40000123",
              "level 2: entry at 0x80100008 is 0x0000000020040401, v-------\n"
              "level 1: entry at 0x80101000 is 0x000000002000004b, vr-x--a-\n"
              "load: 0x80000123\n"
              "store: page fault: the access is not permitted\n"
              "fetch: 0x80000123\n");
    CHECK_IN(ask(&r, "walk 0x80000000"), "load: page fault: the access is not permitted\n");
    CHECK_IN(ask(&r, "walk 0xc0000000"),
             "load: page fault: a pointer with PBMT, N, D, A or U is reserved\n");
    CHECK_IN(ask(&r, "walk 0"), "is 0x0000000000000000, --------\nload: page fault: V is 0\n");
    CHECK_IN(ask(&r, "walk 0x40400000"), "load: 0x80000000\nstore: 0x80000000\n");
    ask(&r, "set menvcfg 0"); /* ADUE */
    CHECK_IN(ask(&r, "walk 0x40400000"),
             "load: page fault: A or D is 0, and software sets them (Svade)\n");
    CHECK_IN(ask(&r, "walk 0x8000000000"), "load: page fault: the address is not canonical");
    ask(&r, "set satp 0x8000000000000000");
    CHECK_IN(ask(&r, "walk 0"), "load: access fault: the table is not in memory, or PMP");
    hart(&r, 0)->priv = PRIV_M;
    CHECK_IN(ask(&r, "walk 0"), "load: the address is physical (M-mode)\n");
    monitor_close(&r);
}
END_TEST

START_TEST(virtual_memory_is_seen_and_written_whoever_may_use_it)
{
    struct monitor_rig r;
    uint64_t pte;
    monitor_open(&r, 1);
    map_pages(&r);
    ask(&r, "set menvcfg 0x2000000000000000"); /* ADUE: a guest's access would set A and D */
    ask(&r, "write/g 0x40001000 0x1122334455667788");
    CHECK_ASK(&r, "xp/gx 0x80001000", "0000000080001000: 0x1122334455667788\n");
    CHECK_ASK(&r, "x/gx 0x80001000", "0000000080001000: 0x1122334455667788\n");
    CHECK_ASK(&r, "x/gx 0x40401000", "0000000040401000: 0x1122334455667788\n");
    CHECK_IN(ask(&r, "walk 0x40400000"), "store: 0x80000000\n");
    ck_assert(peek_physical(hart(&r, 0)->ports.memory, 0x80101010, &pte, 8));
    ck_assert_uint_eq(pte & (PTE_A | PTE_D), 0);
    CHECK_ASK(&r, "x 0x100000000",
              "Error: 0x100000000 leads nowhere (walk 0x100000000 tells why)\n");
    CHECK_IN(ask(&r, "write 0x100000000 1"), "Error: 0x100000000 leads nowhere");
    monitor_close(&r);
}
END_TEST

START_TEST(info_mem_joins_what_continues)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_ASK(&r, "info mem", "No translation or protection\n");
    map_pages(&r);
    CHECK_ASK(&r, "info mem",
              "vaddr            paddr            size             attr\n"
              "---------------- ---------------- ---------------- -------\n"
              "0000000040000000 0000000080000000 0000000000400000 r-x--a-\n"
              "0000000040400000 0000000080000000 0000000000200000 rw-----\n"
              "0000000080000000 0000000080000000 0000000040000000 rw-u-ad\n");
    monitor_close(&r);
}
END_TEST

START_TEST(tables_that_lead_to_themselves_do_not_hold_info_mem_up)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t pte = 0x80100000 >> 2 | PTE_V;
        ck_assert(poke_physical(hart(&r, 0)->ports.memory, 0x80100000 + 8 * i, &pte, 8));
    }
    ask(&r, "set satp 0xa000000000080100");
    CHECK_IN(ask(&r, "info mem"), "... and more: only 65536 tables are looked at\n");
    monitor_close(&r);
}
END_TEST

/* --- the machine's parts --- */

START_TEST(the_parts_of_the_machine_are_shown)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    ask(&r, "step 1000");
    run_until_stopped(&r);
    CHECK_ASK(&r, "info version", "Rivulet 0.1.0\n");
    CHECK_IN(ask(&r, "info time"), " s of virtual time, 1000 steps, ");
    CHECK_IN(ask(&r, "info mtree"), "0000000080000000-00000000807fffff: ram RAM\n");
    CHECK_IN(ask(&r, "info mtree"), "0000000010000000-00000000100000ff: i/o ns16550a\n");
    CHECK_ASK(&r, "info tlb", "0 translations\n");
    CHECK_ASK(&r, "info block", "There are no drives.\n");
    CHECK_ASK(&r, "info network", "There are no networks.\n");
    CHECK_ASK(&r, "info irq", "PLIC\n");
    ck_assert(memory_mmio_write(hart(&r, 0)->ports.memory, 0x0c000028, 4, 3));
    ck_assert(memory_mmio_write(hart(&r, 0)->ports.memory, 0x0c002080, 4, 0x402));
    CHECK_ASK(&r, "info irq",
              "PLIC\nsource  1: priority 0\nsource 10: priority 3\nhart 0, S-mode: threshold 0, "
              "enables 1 10\n");
    monitor_close(&r);
}
END_TEST

static void furnish(struct machine_config *config)
{
    static const struct machine_option devices[] = {
        {{{"driver", "virtio-rng-pci"}}, 1},
        {{{"driver", "virtio-serial-device"}}, 1},
        {{{"driver", "virtio-tablet-pci"}}, 1},
    };
    static const struct machine_option chardevs[] = {{{{"type", "null"}, {"id", "c0"}}, 2},
                                                     {{{"type", "ringbuf"}, {"id", "c1"}}, 2}};
    config->name = "the name";
    config->serial_chardev = "c1";
    config->devices = (struct machine_options){devices, 3};
    config->chardevs = (struct machine_options){chardevs, 2};
}

START_TEST(devices_and_their_ends_are_shown)
{
    struct monitor_rig r;
    monitor_open_with(&r, 1, furnish);
    CHECK_ASK(&r, "info name", "the name\n");
    CHECK_ASK(&r, "info chardev", "c0: filename=null (nobody has it)\nc1: filename=ringbuf\n");
    ck_assert(memory_mmio_write(hart(&r, 0)->ports.memory, RIG_UART, 1, 'h'));
    ck_assert(memory_mmio_write(hart(&r, 0)->ports.memory, RIG_UART, 1, 'i'));
    CHECK_ASK(&r, "ringbuf_read c1 100", "hi\n");
    CHECK_ASK(&r, "ringbuf_read c1 100", "\n");
    CHECK_ASK(&r, "ringbuf_read c0 100", "Error: there is no ringbuf 'c0'\n");
    CHECK_ASK(&r, "ringbuf_read c1 0x100001", "Error: at most 1048576 bytes at once\n");
    CHECK_ASK(&r, "info mice", "* Mouse: virtio-tablet (absolute)\n");
    CHECK_IN(ask(&r, "info pci"), "00.0: gpex-root, class 0600, device 1b36:0008, ");
    CHECK_IN(ask(&r, "info pci"), "01.0: virtio-rng, class 00ff, device 1af4:1005, ");
    CHECK_IN(r.said, "  pin A on wire 1\n");
    CHECK_IN(r.said, "  BAR4: 64 bit prefetchable memory, 0x4000 bytes, off\n");
    CHECK_IN(ask(&r, "info qtree"),
             "  dev: ns16550a, mmio 0000000010000000/0000000000000100, irq 10");
    CHECK_IN(r.said, "    bus: virtio-mmio-bus.7\n      dev: virtio-console\n");
    CHECK_IN(r.said, "    bus: pcie.0\n      00.0: gpex-root");
    CHECK_ASK(&r, "info usernet", "");
    CHECK_ASK(&r, "info kvm", "kvm support: not compiled\n");
    CHECK_IN(ask(&r, "nmi"), "Error: ");
    CHECK_IN(ask(&r, "gdbserver"), "Error: gdb cannot come here later");
    CHECK_IN(ask(&r, "log int"), "Error: there is no log here\n");
    CHECK_IN(ask(&r, "logfile x"), "Error: there is no log here\n");
    monitor_close(&r);
}
END_TEST

START_TEST(a_bar_is_shown_where_the_guest_put_it)
{
    struct monitor_rig r;
    monitor_open_with(&r, 1, furnish);
    struct memory_map *map = hart(&r, 0)->ports.memory;
    ck_assert(memory_mmio_write(map, 0x30008020, 4, 0x40004000)); /* 01.0, BAR4 */
    ck_assert(memory_mmio_write(map, 0x30008024, 4, 0));
    ck_assert(memory_mmio_write(map, 0x30008004, 2, 2)); /* memory on */
    CHECK_IN(ask(&r, "info pci"), "0x4000 bytes at 0x40004000\n");
    monitor_close(&r);
}
END_TEST

static void add_log(struct machine_config *config)
{
    struct error err;
    config->log = log_open("first", 0, &err);
}

START_TEST(the_log_is_steered)
{
    struct monitor_rig r;
    enter_temp_folder();
    monitor_open_with(&r, 1, add_log);
    struct log *log = hart(&r, 0)->ports.log;
    CHECK_ASK(&r, "log int,unimp", "");
    ck_assert(log_wants(log, LOG_INT) && log_wants(log, LOG_HOST_ERRORS));
    CHECK_ASK(&r, "logfile \"the second\"", "");
    log_line(log, LOG_INT, "a trap");
    CHECK_ASK(&r, "log none", "");
    ck_assert(!log_wants(log, LOG_INT) && log_wants(log, LOG_HOST_ERRORS));
    CHECK_IN(ask(&r, "log nosuch"), "Error: unknown log topic 'nosuch'");
    CHECK_IN(ask(&r, "log profile"), "Error: profile is for -d alone");
    CHECK_IN(ask(&r, "log"), "Error: give topics");
    CHECK_IN(ask(&r, "logfile /nowhere/x"), "Error: cannot write log file /nowhere/x");
    monitor_close(&r);
    log_close(log);
    ck_assert_int_eq(shell("echo a trap | cmp - 'the second'"), 0);
    leave_temp_folder();
}
END_TEST

START_TEST(a_virtual_address_has_a_physical_one_or_none)
{
    struct monitor_rig r;
    monitor_open(&r, 1);
    CHECK_ASK(&r, "gva2gpa 0x80001234", "gpa: 0x80001234\n");
    monitor_close(&r);
}
END_TEST

static void add_network(struct machine_config *config)
{
    static const struct machine_option netdev = {
        {{"type", "socket"}, {"id", "n0"}, {"listen", "127.0.0.1:0"}}, 3};
    config->netdevs = (struct machine_options){&netdev, 1};
}

START_TEST(networks_are_shown_and_what_has_no_forwards_says_so)
{
    struct monitor_rig r;
    monitor_open_with(&r, 1, add_network);
    CHECK_ASK(&r, "info network", "n0: type=socket,listen=127.0.0.1:0 (no device)\n");
    CHECK_IN(ask(&r, "hostfwd_add tcp::2222-:22"), "Error: ");
    CHECK_IN(ask(&r, "hostfwd_remove n0 tcp::2222"), "Error: ");
    CHECK_IN(ask(&r, "hostfwd_add n0 tcp::2222-:22 more"), "Error: unexpected 'more'\n");
    monitor_close(&r);
}
END_TEST

static void add_displays(struct machine_config *config)
{
    static const struct machine_option devices[] = {
        {{{"driver", "bochs-display"}, {"id", "first"}}, 2},
        {{{"driver", "simple-framebuffer"}, {"id", "s"}, {"width", "64"}, {"height", "48"}}, 4},
        {{{"driver", "virtio-rng-pci"}, {"id", "r"}}, 2},
    };
    config->devices = (struct machine_options){devices, ARRAY_LEN(devices)};
}

static void check_size(const char *path, unsigned width, unsigned height)
{
    unsigned its_width = 0, its_height = 0;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "P6 %u %u", &its_width, &its_height), 2);
    ck_assert_uint_eq(its_width, width);
    ck_assert_uint_eq(its_height, height);
    fclose(file);
    unlink(path);
}

START_TEST(a_picture_is_that_of_the_display_that_is_named)
{
    static const char nothing[] = "Error: the display shows nothing yet\n";
    struct monitor_rig r;
    enter_temp_folder();
    monitor_open_with(&r, 1, add_displays);
    CHECK_ASK(&r, "screendump a.ppm", nothing);
    CHECK_ASK(&r, "screendump a.ppm first", nothing);
    CHECK_ASK(&r, "screendump a.ppm s", "");
    check_size("a.ppm", 64, 48);
    CHECK_ASK(&r, "screendump a -f ppm s 1-1", "");
    check_size("a", 64, 48);
    CHECK_ASK(&r, "screendump a s 1", "Error: Device s (head 1) is no display\n");
    CHECK_ASK(&r, "screendump a r", "Error: Device r (head 0) is no display\n");
    CHECK_ASK(&r, "screendump a other", "Error: Device 'other' not found\n");
    CHECK_ASK(&r, "screendump a s 0 0", "Error: unexpected '0'\n");
    ck_assert_int_ne(access("a", F_OK), 0);
    monitor_close(&r);
    leave_temp_folder();
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, an_unknown_command_and_a_bad_argument_are_one_line);
    tcase_add_test(c, help_shows_all_commands_or_one);
    tcase_add_test(c, stop_cont_and_status_tell_the_state);
    tcase_add_test(c, a_step_is_one_instruction_or_as_many_as_asked_for);
    tcase_add_test(c, breakpoints_stop_are_listed_and_go_away);
    tcase_add_test(c, looking_at_everything_leaves_no_trace_in_the_state);
    tcase_add_test(c, traces_begin_and_end_and_symbols_are_named);
    tcase_add_test(c, expressions_are_those_of_c);
    tcase_add_test(c, registers_are_shown_and_set_by_name);
    tcase_add_test(c, memory_is_shown_in_every_format);
    tcase_add_test(c, instructions_are_shown_with_their_bytes);
    tcase_add_test(c, code_that_is_written_is_what_runs);
    tcase_add_test(c, a_walk_shows_each_entry_and_the_reason_of_each_fault);
    tcase_add_test(c, devices_and_their_ends_are_shown);
    tcase_add_test(c, a_bar_is_shown_where_the_guest_put_it);
    tcase_add_test(c, the_log_is_steered);
    tcase_add_test(c, a_virtual_address_has_a_physical_one_or_none);
    tcase_add_test(c, virtual_memory_is_seen_and_written_whoever_may_use_it);
    tcase_add_test(c, info_mem_joins_what_continues);
    tcase_add_test(c, tables_that_lead_to_themselves_do_not_hold_info_mem_up);
    tcase_add_test(c, the_parts_of_the_machine_are_shown);
    tcase_add_test(c, a_picture_is_that_of_the_display_that_is_named);
    tcase_add_test(c, networks_are_shown_and_what_has_no_forwards_says_so);
}

int main(void)
{
    Suite *suite = suite_create("monitor");
    TCase *c = tcase_create("monitor");
    tcase_set_timeout(c, 60);
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

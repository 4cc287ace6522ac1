/* What the debugger shows of a machine, and its steps, on the program of trace_rig.h. */
#include "debug/view.h"

#include "cpu/peek.h"
#include "tests/unit/trace_rig.h"

#define CALLS (TRACE_USER + 0x28) /* the first of three calls of leaf */

struct view_rig {
    struct trace_rig trace;
    struct monitor *monitor;
    struct view *view;
    struct sheet sheet;
    struct error err;
    char text[1 << 16];
};

static struct view_rig *open_view(void)
{
    struct view_rig *r = calloc(1, sizeof *r);
    trace_open(&r->trace);
    put_symbols();
    ck_assert(trace_load_symbols(r->trace.trace, "traced", &r->err));
    control_stop(r->trace.control, RUN_PAUSED);
    r->monitor = monitor_create(r->trace.control, &r->err);
    monitor_set_trace(r->monitor, r->trace.trace);
    const struct symbols *symbols = trace_symbols(r->trace.trace);
    r->view = view_create(r->trace.control, r->monitor, symbols, &r->err);
    ck_assert_ptr_nonnull(r->view);
    return r;
}

static void close_view(struct view_rig *r)
{
    view_destroy(r->view);
    monitor_destroy(r->monitor);
    trace_close(&r->trace);
    free(r);
}

static struct hart *hart(struct view_rig *r)
{
    return machine_hart(control_machine(r->trace.control), 0);
}

/* The pane in a place of this size, a line for each row. */
static const char *show(struct view_rig *r, enum view_pane pane, unsigned rows, unsigned columns)
{
    size_t used = 0;
    sheet_begin(&r->sheet, rows, columns);
    view_show(r->view, pane, &r->sheet);
    for (unsigned i = 0; i < r->sheet.used; i++) {
        memcpy(r->text + used, r->sheet.row[i].text, r->sheet.row[i].used);
        used += r->sheet.row[i].used;
        r->text[used++] = '\n';
    }
    r->text[used] = 0;
    return r->text;
}

static void must_show(struct view_rig *r, enum view_pane pane, unsigned rows, unsigned columns,
                      const char *part)
{
    const char *text = show(r, pane, rows, columns);
    ck_assert_msg(strstr(text, part) != NULL, "no %s in\n%s", part, text);
}

/* The row that the cursor is on. */
static const struct sheet_row *cursor_row(struct view_rig *r)
{
    const struct sheet_row *found = NULL;
    for (unsigned i = 0; i < r->sheet.used; i++)
        if (r->sheet.row[i].is_cursor) {
            ck_assert_ptr_null(found);
            found = &r->sheet.row[i];
        }
    ck_assert_ptr_nonnull(found);
    return found;
}

static uint64_t cursor(struct view_rig *r)
{
    char address[17] = "";
    memcpy(address, cursor_row(r)->text + 3, 16);
    return strtoull(address, NULL, 16);
}

static void run(struct view_rig *r)
{
    while (control_state(r->trace.control) == RUN_RUNNING)
        control_run(r->trace.control, UINT64_MAX, 0, &r->err);
    control_run(r->trace.control, UINT64_MAX, 0, &r->err); /* what was left for later */
}

static void act(struct view_rig *r, enum view_action action)
{
    ck_assert_msg(view_act(r->view, action, &r->err), "%s", r->err.text);
    run(r);
}

static void look_at(struct view_rig *r, enum view_pane pane, const char *expression)
{
    ck_assert_msg(view_look_at(r->view, pane, expression, &r->err), "%s", r->err.text);
}

static void run_to(struct view_rig *r, const char *expression)
{
    look_at(r, VIEW_CODE, expression);
    act(r, VIEW_RUN_TO_CURSOR);
}

/* --- code --------------------------------------------------------------------------------- */

START_TEST(code_has_the_pc_symbols_and_targets)
{
    struct view_rig *r = open_view();
    run_to(r, "0x80000328");
    must_show(r, VIEW_CODE, 20, 80,
              "\n > 0000000080000328  0d8000ef  jal     0x80000400  <leaf>\n");
    must_show(r, VIEW_CODE, 20, 50, "\n > 0000000080000328  jal     0x80000400  <leaf>\n");
    ck_assert_uint_eq(cursor(r), CALLS);
    look_at(r, VIEW_CODE, "leaf");
    must_show(r, VIEW_CODE, 20, 80, "\n   leaf:\n   0000000080000400  ");
    ck_assert_uint_eq(cursor(r), TRACE_LEAF);
    act(r, VIEW_TO_PC);
    show(r, VIEW_CODE, 20, 80);
    ck_assert_uint_eq(cursor(r), CALLS);
    struct sheet_row status;
    sheet_row_begin(&status);
    view_show_status(r->view, &status);
    status.text[status.used] = 0;
    ck_assert_ptr_nonnull(strstr(status.text, "hart 0  U-mode  stopped: breakpoint  step "));
    ck_assert_ptr_nonnull(strstr(status.text, " s  <user+0x28>"));
    close_view(r);
}
END_TEST

START_TEST(where_the_jump_at_the_cursor_leads_is_marked)
{
    struct view_rig *r = open_view();
    look_at(r, VIEW_CODE, "leaf");
    must_show(r, VIEW_CODE, 60, 80, "\n   0000000080000400  ");
    look_at(r, VIEW_CODE, "leaf - 4 * 4");
    hart(r)->pc = TRACE_LEAF - 16;
    uint32_t jump = 0x0100006f; /* j pc + 16 */
    ck_assert(poke_memory(hart(r), TRACE_LEAF - 16, &jump, 4));
    must_show(r, VIEW_CODE, 60, 80,
              "\n > 00000000800003f0  0100006f  j       0x80000400  <leaf>\n");
    must_show(r, VIEW_CODE, 60, 80, "\n + 0000000080000400  ");
    close_view(r);
}
END_TEST

START_TEST(auipc_and_what_uses_it_name_one_address)
{
    static const uint32_t code[] = {0x00000297, 0x40028293, 0x40028293}; /* auipc t0; addi twice */
    struct view_rig *r = open_view();
    ck_assert(poke_memory(hart(r), RIG_RAM, code, sizeof code));
    look_at(r, VIEW_CODE, "start");
    show(r, VIEW_CODE, 20, 80);
    ck_assert_ptr_nonnull(strstr(r->text, "addi    t0, t0, 1024  <leaf>\n"));
    ck_assert_uint_eq(count_of(r->text, "<leaf>"), 1); /* t0 is another value then */
    close_view(r);
}
END_TEST

START_TEST(the_cursor_walks_over_instructions_of_two_lengths)
{
    static const uint16_t code[] = {0x0001, 0x0513, 0x0000, 0x0001, 0x0001,
                                    0x0513, 0x0000, 0x0513, 0x0000, 0x0001};
    static const unsigned starts[] = {0, 2, 6, 8, 10, 14, 18, 20};
    struct view_rig *r = open_view();
    ck_assert(poke_memory(hart(r), TRACE_LEAF, code, sizeof code));
    for (unsigned rows = 1; rows < 12; rows++) {
        look_at(r, VIEW_CODE, "leaf");
        show(r, VIEW_CODE, rows, 80);
        for (int i = 1; i < 16; i++) {
            view_scroll(r->view, VIEW_CODE, i < 8 ? 1 : -1);
            show(r, VIEW_CODE, rows, 80);
            ck_assert_uint_eq(cursor(r), TRACE_LEAF + starts[i < 8 ? i : i == 15 ? 0 : 14 - i]);
            if (i == 14)
                break;
        }
    }
    close_view(r);
}
END_TEST

START_TEST(a_cursor_far_away_or_nowhere_is_shown)
{
    static const char *const places[] = {"0",          "0xfffffffffffffffe", "0x10000000",
                                         "0x80000000", "0x807ffffe",         "0x7fffffff"};
    struct view_rig *r = open_view();
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (unsigned rows = 1; rows < 20; rows += 6) {
            look_at(r, VIEW_CODE, places[i]);
            show(r, VIEW_CODE, rows, 80);
            ck_assert_uint_eq(cursor(r), strtoull(places[i], NULL, 0) & ~1ull);
            for (int step = -5; step < 6; step++) {
                view_scroll(r->view, VIEW_CODE, step);
                show(r, VIEW_CODE, rows, 80);
                cursor_row(r);
            }
        }
    must_show(r, VIEW_CODE, 9, 80, "no memory");
    close_view(r);
}
END_TEST

START_TEST(a_breakpoint_is_the_monitors_too)
{
    struct view_rig *r = open_view();
    look_at(r, VIEW_CODE, "leaf");
    act(r, VIEW_BREAKPOINT);
    must_show(r, VIEW_CODE, 20, 80, "\n*  0000000080000400  ");
    ck_assert(monitor_has_breakpoint(r->monitor, TRACE_LEAF));
    act(r, VIEW_RUN);
    ck_assert_uint_eq(hart(r)->pc, TRACE_LEAF);
    must_show(r, VIEW_CODE, 20, 80, "\n*> 0000000080000400  ");
    must_show(r, VIEW_MONITOR, 20, 80, "\nhart 0: breakpoint\n");
    act(r, VIEW_BREAKPOINT);
    must_show(r, VIEW_CODE, 20, 80, "\n > 0000000080000400  ");
    ck_assert(!control_has_breakpoint(r->trace.control, TRACE_LEAF));
    close_view(r);
}
END_TEST

/* --- data --------------------------------------------------------------------------------- */

START_TEST(what_changed_since_the_last_stop_is_marked)
{
    struct view_rig *r = open_view();
    must_show(r, VIEW_REGISTERS, 16, 52, "pc   0000000000001000  a6   0000000000000000\n");
    run_to(r, "leaf");
    must_show(r, VIEW_REGISTERS, 16, 52, "pc  *0000000080000400  ");
    must_show(r, VIEW_REGISTERS, 16, 52, "ra  *000000008000032c  ");
    act(r, VIEW_STEP);
    must_show(r, VIEW_REGISTERS, 16, 52, "ra   000000008000032c  ");
    must_show(r, VIEW_REGISTERS, 16, 52, "t1  *0000000000000001  ");
    view_command(r->view, "set a5 77");
    must_show(r, VIEW_REGISTERS, 16, 52, "a5  *000000000000004d  ");
    must_show(r, VIEW_REGISTERS, 32, 23, "\nt6   0000000000000000\n");
    view_scroll(r->view, VIEW_REGISTERS, 99);
    must_show(r, VIEW_REGISTERS, 32, 23, "ft0  0000000000000000\n");
    must_show(r, VIEW_CSRS, 30, 80, "mtvec          0000000080000200");
    view_scroll(r->view, VIEW_CSRS, 9999);
    must_show(r, VIEW_CSRS, 30, 80, "mhartid ");
    close_view(r);
}
END_TEST

START_TEST(memory_follows_its_expression)
{
    struct view_rig *r = open_view();
    look_at(r, VIEW_MEMORY, "path");
    must_show(r, VIEW_MEMORY, 3, 52,
              "0000000080000500  2f 65 74 63 2f 78 00 00  /etc/x..\n"
              "0000000080000508  00 ");
    must_show(r, VIEW_MEMORY, 1, 90, "00 00 00  /etc/x..........\n");
    view_scroll(r->view, VIEW_MEMORY, -1);
    must_show(r, VIEW_MEMORY, 1, 52, "00000000800004f8  ");
    look_at(r, VIEW_MEMORY, "$a0 + 8");
    hart(r)->x[A0] = RIG_RAM;
    must_show(r, VIEW_MEMORY, 1, 52, "0000000080000008  ");
    look_at(r, VIEW_MEMORY, "0x100");
    must_show(r, VIEW_MEMORY, 1, 52, "0000000000000100  -- -- -- -- -- -- -- --  ");
    ck_assert(!view_look_at(r->view, VIEW_MEMORY, "1 +", &r->err));
    ck_assert(!view_look_at(r->view, VIEW_MEMORY, "path path", &r->err));
    ck_assert_str_eq(view_expression(r->view, VIEW_MEMORY), "0x100");
    close_view(r);
}
END_TEST

START_TEST(the_stack_has_words_and_their_symbols)
{
    struct view_rig *r = open_view();
    uint64_t words[] = {TRACE_LEAF + 4, 7};
    ck_assert(poke_memory(hart(r), RIG_DATA, words, sizeof words));
    hart(r)->x[SP] = RIG_DATA;
    hart(r)->x[S0] = RIG_DATA + 8;
    must_show(r, VIEW_STACK, 4, 52,
              "sp    0000000080002000  0000000080000404 <leaf+0x4>\n"
              "   s0 0000000080002008  0000000000000007\n"
              "      0000000080002010  ");
    close_view(r);
}
END_TEST

START_TEST(page_tables_are_walked_with_reasons)
{
    struct view_rig *r = open_view();
    struct hart *h = hart(r);
    run_to(r, "user"); /* PMP lets S-mode in by then */
    h->priv = PRIV_M;
    look_at(r, VIEW_PAGES, "0x80000123");
    must_show(r, VIEW_PAGES, 9, 52, "load     physical: satp is Bare\n");
    uint64_t root = RIG_RAM + 0x10000, leaf = RIG_RAM >> 2 | 0x4b; /* V, R, X, A: 1 GiB at 2 GiB */
    ck_assert(poke_physical(h->ports.memory, root + 16, &leaf, 8));
    h->csr.satp = 8ull << SATP_MODE_SHIFT | root >> 12;
    must_show(r, VIEW_PAGES, 9, 52, "load     physical: M-mode\n");
    h->priv = PRIV_S;
    ck_assert_str_eq(show(r, VIEW_PAGES, 9, 52),
                     "address  0000000080000123\n"
                     "level 2  000080010010  000000002000004b vr-x--a-\n"
                     "load     000080000123\n"
                     "store    page fault: the access is not permitted\n"
                     "fetch    000080000123\n"
                     "the page has 1048576 KiB\n");
    look_at(r, VIEW_PAGES, "0x40000000");
    must_show(r, VIEW_PAGES, 9, 52, "load     page fault: ");
    close_view(r);
}
END_TEST

/* --- steps -------------------------------------------------------------------------------- */

START_TEST(next_goes_over_calls_and_ecalls)
{
    struct view_rig *r = open_view();
    run_to(r, "user + 0x18"); /* ecall, whose handler returns behind it */
    ck_assert_uint_eq(hart(r)->pc, TRACE_USER + 0x18);
    act(r, VIEW_NEXT);
    ck_assert_uint_eq(hart(r)->pc, TRACE_USER + 0x1c);
    ck_assert_uint_eq(hart(r)->traps, 1);
    run_to(r, "0x80000328");
    uint64_t steps = hart(r)->steps;
    act(r, VIEW_NEXT);
    ck_assert_uint_eq(hart(r)->pc, CALLS + 4);
    ck_assert_uint_eq(hart(r)->steps, steps + 5);
    ck_assert(!control_has_breakpoint(r->trace.control, CALLS + 4));
    act(r, VIEW_STEP);
    ck_assert_uint_eq(hart(r)->pc, TRACE_LEAF);
    act(r, VIEW_NEXT); /* no call: a step */
    ck_assert_uint_eq(hart(r)->pc, TRACE_LEAF + 4);
    close_view(r);
}
END_TEST

START_TEST(next_stops_at_breakpoints_in_the_call)
{
    struct view_rig *r = open_view();
    run_to(r, "0x80000328");
    view_command(r->view, "break leaf + 8");
    act(r, VIEW_NEXT);
    ck_assert_uint_eq(hart(r)->pc, TRACE_LEAF + 8);
    ck_assert(!control_has_breakpoint(r->trace.control, CALLS + 4));
    close_view(r);
}
END_TEST

START_TEST(a_call_deeper_on_the_stack_is_not_where_next_ends)
{
    static const uint32_t code[] = {
        0xff010113, /* f: addi sp, sp, -16 */
        0x00113023, /* sd ra, 0(sp) */
        0xfff28293, /* addi t0, t0, -1 */
        0x00028463, /* beqz t0, 8 */
        0xff1ff0ef, /* jal f */
        0x00013083, /* ld ra, 0(sp) */
        0x01010113, /* addi sp, sp, 16 */
        0x00008067, /* ret */
    };
    struct view_rig *r = open_view();
    struct hart *h = hart(r);
    ck_assert(poke_memory(h, TRACE_LEAF, code, sizeof code));
    h->pc = TRACE_LEAF;
    h->x[SP] = RIG_DATA + 0x800;
    h->x[RA] = TRACE_LEAF + 0x100;
    h->x[T0] = 4;
    run_to(r, "leaf + 16");
    act(r, VIEW_NEXT);
    ck_assert_uint_eq(h->pc, TRACE_LEAF + 20);
    ck_assert_uint_eq(h->x[SP], RIG_DATA + 0x800 - 16);
    ck_assert_uint_eq(h->x[T0], 0);
    h->pc = TRACE_LEAF;
    h->x[SP] = RIG_DATA + 0x800;
    h->x[RA] = TRACE_LEAF + 0x100;
    h->x[T0] = 4;
    act(r, VIEW_STEP);
    act(r, VIEW_FINISH);
    ck_assert_uint_eq(h->pc, TRACE_LEAF + 0x100);
    ck_assert_uint_eq(h->x[SP], RIG_DATA + 0x800);
    close_view(r);
}
END_TEST

START_TEST(finish_ends_behind_the_return)
{
    struct view_rig *r = open_view();
    for (unsigned i = 0; i < 3; i++) {
        run_to(r, "leaf");
        for (unsigned steps = 0; steps < i + i / 2; steps++) /* 0, 1, 3: at the return itself */
            act(r, VIEW_STEP);
        act(r, VIEW_FINISH);
        ck_assert_uint_eq(hart(r)->pc, CALLS + 4 + 4 * i);
    }
    close_view(r);
}
END_TEST

START_TEST(a_machine_that_runs_is_not_stepped)
{
    struct view_rig *r = open_view();
    ck_assert(view_act(r->view, VIEW_RUN, &r->err));
    ck_assert(!view_act(r->view, VIEW_STEP, &r->err));
    ck_assert_str_eq(r->err.text, "the machine runs: c stops it");
    ck_assert(view_act(r->view, VIEW_RUN, &r->err));
    ck_assert_int_eq(control_state(r->trace.control), RUN_PAUSED);
    act(r, VIEW_RUN);
    ck_assert_int_eq(control_state(r->trace.control), RUN_SHUTDOWN);
    ck_assert(!view_act(r->view, VIEW_NEXT, &r->err));
    struct sheet_row row;
    sheet_row_begin(&row);
    view_show_status(r->view, &row);
    row.text[row.used] = 0;
    ck_assert_ptr_nonnull(strstr(row.text, "the guest is off with status 0; :system_reset"));
    view_command(r->view, "system_reset");
    must_show(r, VIEW_CODE, 20, 80, "> 0000000000001000  ");
    close_view(r);
}
END_TEST

START_TEST(looking_and_stepping_leave_no_trace_in_the_state)
{
    uint64_t hashes[2];
    for (unsigned looks = 0; looks < 2; looks++) {
        struct view_rig *r = open_view();
        if (looks) {
            run_to(r, "user + 0x18");
            act(r, VIEW_NEXT);
            run_to(r, "leaf");
            act(r, VIEW_FINISH);
            for (enum view_pane pane = 0; pane < VIEW_PANES; pane++)
                show(r, pane, 20, 80);
            act(r, VIEW_NEXT);
            look_at(r, VIEW_CODE, "leaf + 4");
            act(r, VIEW_BREAKPOINT);
            act(r, VIEW_RUN);
            act(r, VIEW_BREAKPOINT);
        }
        act(r, VIEW_RUN);
        ck_assert_int_eq(control_state(r->trace.control), RUN_SHUTDOWN);
        hashes[looks] = machine_hash(control_machine(r->trace.control));
        close_view(r);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

static void count_change(void *owner)
{
    ++*(unsigned *)owner;
}

START_TEST(the_console_and_news_are_told)
{
    struct view_rig *r = open_view();
    unsigned changes = 0;
    unsigned row, column;
    view_on_change(r->view, count_change, &changes);
    view_console_write(r->view, (const uint8_t *)"login: ", 7);
    ck_assert_uint_eq(changes, 1);
    ck_assert_str_eq(show(r, VIEW_CONSOLE, 5, 40), "login: \n");
    ck_assert(view_console_cursor(r->view, &r->sheet, &row, &column));
    ck_assert_uint_eq(column, 7);
    act(r, VIEW_STEP);
    ck_assert_uint_ge(changes, 3); /* it goes on, and stops */
    view_note(r->view, "a message\n", 10);
    must_show(r, VIEW_MONITOR, 5, 40, "a message\n");
    view_command(r->view, "nonsense");
    must_show(r, VIEW_MONITOR, 5, 60, "(rivulet) nonsense\nError: unknown command: 'nonsense'\n");
    close_view(r);
}
END_TEST

START_TEST(no_size_is_too_small)
{
    struct view_rig *r = open_view();
    for (enum view_pane pane = 0; pane < VIEW_PANES; pane++)
        for (unsigned rows = 0; rows < 4; rows++)
            for (unsigned columns = 0; columns < 30; columns += 3) {
                show(r, pane, rows, columns);
                ck_assert_uint_le(r->sheet.used, rows);
                view_scroll(r->view, pane, (int)columns - 15);
            }
    close_view(r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view");
    TCase *c = tcase_create("view");
    tcase_add_test(c, code_has_the_pc_symbols_and_targets);
    tcase_add_test(c, where_the_jump_at_the_cursor_leads_is_marked);
    tcase_add_test(c, auipc_and_what_uses_it_name_one_address);
    tcase_add_test(c, the_cursor_walks_over_instructions_of_two_lengths);
    tcase_add_test(c, a_cursor_far_away_or_nowhere_is_shown);
    tcase_add_test(c, a_breakpoint_is_the_monitors_too);
    tcase_add_test(c, what_changed_since_the_last_stop_is_marked);
    tcase_add_test(c, memory_follows_its_expression);
    tcase_add_test(c, the_stack_has_words_and_their_symbols);
    tcase_add_test(c, page_tables_are_walked_with_reasons);
    tcase_add_test(c, next_goes_over_calls_and_ecalls);
    tcase_add_test(c, next_stops_at_breakpoints_in_the_call);
    tcase_add_test(c, a_call_deeper_on_the_stack_is_not_where_next_ends);
    tcase_add_test(c, finish_ends_behind_the_return);
    tcase_add_test(c, a_machine_that_runs_is_not_stepped);
    tcase_add_test(c, looking_and_stepping_leave_no_trace_in_the_state);
    tcase_add_test(c, the_console_and_news_are_told);
    tcase_add_test(c, no_size_is_too_small);
    suite_add_tcase(suite, c);
    return trace_suite(suite);
}

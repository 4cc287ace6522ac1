/* `rivulet debug`: its options, where its panes are, and what it says of its keys. */
#include "frontend/debugger_internal.h"
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

/* --- options ------------------------------------------------------------------------------ */

START_TEST(a_run_in_the_debugger_is_repeatable_and_waits)
{
    PARSE("debug -kernel x");
    ck_assert(o.debugger && o.machine.icount && o.starts_stopped && o.no_shutdown);
    ck_assert_uint_eq(o.machine.icount_shift, 1);
    ck_assert_int_eq(o.machine.rtc, RTC_FIXED);
    ck_assert(!o.has_monitor && !o.shares_stdio);
}
END_TEST

START_TEST(time_may_follow_the_hosts)
{
    PARSE("debug -icount off x");
    ck_assert(o.debugger && !o.machine.icount);
    ck_assert_str_eq(o.file, "x");
}
END_TEST

START_TEST(the_serial_port_and_a_monitor_at_the_terminal_are_panes)
{
    PARSE("debug -nographic -serial mon:stdio -kernel x");
    ck_assert_int_eq(o.serial, SERIAL_STDIO);
    ck_assert(!o.has_monitor && !o.shares_stdio);
}
END_TEST

START_TEST(only_the_first_word_is_the_command)
{
    PARSE("-kernel x debug");
    ck_assert(!o.debugger);
    ck_assert_str_eq(o.file, "debug");
}
END_TEST

START_TEST(it_has_a_help_of_its_own)
{
    PARSE("debug -m 1G --help");
    ck_assert_int_eq(o.action, ACTION_DEBUG_HELP);
}
END_TEST

START_TEST(who_else_wants_the_terminal_is_refused)
{
    static const struct bad_line bad[] = {
        {"debug -kernel x -script y", "-script y: debug has a user who types"},
        {"debug -kernel x -monitor stdio", "-monitor stdio: debug has the terminal"},
        {"debug", "a kernel or a disk is needed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        check_bad(&bad[i]);
}
END_TEST

/* --- layout ------------------------------------------------------------------------------- */

/* Marks the rectangle as used; nothing may have been there. */
static void take(uint8_t *grid, unsigned columns, const struct place *p)
{
    for (unsigned y = p->y - 1; y < p->y + p->rows; y++) /* with the title */
        for (unsigned x = p->x; x < p->x + p->columns; x++) {
            if (grid[y * columns + x]++)
                ck_abort_msg("two places have row %u, column %u", y, x);
        }
}

static void check_layout(unsigned rows, unsigned columns)
{
    struct layout l;
    unsigned panes = 0;
    uint8_t *grid = calloc(rows, columns);
    ck_assert(layout_make(&l, rows, columns));
    for (unsigned i = 0; i < l.count; i++) {
        const struct slot *s = &l.slots[i];
        ck_assert_uint_ge(s->place.rows, 8);
        ck_assert_uint_gt(s->place.y, l.status_y + 1);
        ck_assert_uint_le(s->place.y + s->place.rows, l.keys_y);
        ck_assert_uint_le(s->place.x + s->place.columns, columns);
        ck_assert_uint_eq(panes & s->panes, 0);
        panes |= s->panes;
        take(grid, columns, &s->place);
    }
    ck_assert_uint_eq(panes, (1u << VIEW_PANES) - 1);
    for (enum view_pane pane = 0; pane < VIEW_PANES; pane++)
        ck_assert(l.slots[layout_slot_of(&l, pane)].panes >> pane & 1);
    free(grid);
}

START_TEST(each_pane_has_a_place_on_every_screen)
{
    for (unsigned rows = DEBUGGER_ROWS; rows < 150; rows += 5)
        for (unsigned columns = DEBUGGER_COLUMNS; columns < 300; columns += 13)
            check_layout(rows, columns);
}
END_TEST

START_TEST(a_screen_that_is_too_small_is_refused)
{
    struct layout l;
    ck_assert(!layout_make(&l, DEBUGGER_ROWS - 1, DEBUGGER_COLUMNS));
    ck_assert(!layout_make(&l, DEBUGGER_ROWS, DEBUGGER_COLUMNS - 1));
    ck_assert(!layout_make(&l, 1, 1));
}
END_TEST

/* --- keys --------------------------------------------------------------------------------- */

START_TEST(the_keys_that_fit_are_at_the_bottom)
{
    struct debugger *d = calloc(1, sizeof *d);
    struct sheet_row row;
    for (unsigned columns = DEBUGGER_COLUMNS; columns < 200; columns++) {
        sheet_row_begin(&row);
        debugger_put_keys(d, &row, columns);
        ck_assert_uint_le(row.used, columns);
        row.text[row.used] = 0;
        ck_assert_msg(strncmp(row.text, "? help  s step  n next  f finish", 31) == 0, "%s",
                      row.text);
        ck_assert_ptr_nonnull(strstr(row.text, "  q quit"));
        ck_assert_ptr_nonnull(strstr(row.text, "  i type"));
    }
    ck_assert_ptr_nonnull(strstr(row.text, "  w watch"));
    atomic_store(&d->runs, true);
    sheet_row_begin(&row);
    debugger_put_keys(d, &row, DEBUGGER_COLUMNS);
    row.text[row.used] = 0;
    ck_assert_ptr_nonnull(strstr(row.text, "  c stop"));
    free(d);
}
END_TEST

START_TEST(all_keys_and_marks_are_explained_on_the_smallest_screen)
{
    struct sheet *s = malloc(sizeof *s);
    sheet_begin(s, DEBUGGER_ROWS - 1, DEBUGGER_COLUMNS);
    debugger_put_help(s);
    ck_assert_uint_lt(s->used, s->rows);
    for (unsigned i = 0; i < s->used; i++)
        ck_assert_uint_lt(s->row[i].used, DEBUGGER_COLUMNS);
    ck_assert_int_eq(strncmp(s->row[s->used - 1].text, ">: the pc", 9), 0);
    free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("debugger");
    TCase *c = tcase_create("debugger");
    tcase_add_test(c, a_run_in_the_debugger_is_repeatable_and_waits);
    tcase_add_test(c, time_may_follow_the_hosts);
    tcase_add_test(c, the_serial_port_and_a_monitor_at_the_terminal_are_panes);
    tcase_add_test(c, only_the_first_word_is_the_command);
    tcase_add_test(c, it_has_a_help_of_its_own);
    tcase_add_test(c, who_else_wants_the_terminal_is_refused);
    tcase_add_test(c, each_pane_has_a_place_on_every_screen);
    tcase_add_test(c, a_screen_that_is_too_small_is_refused);
    tcase_add_test(c, the_keys_that_fit_are_at_the_bottom);
    tcase_add_test(c, all_keys_and_marks_are_explained_on_the_smallest_screen);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

/* The monitor's console: what a user types, on a terminal or through a pipe, and what comes back.
 */
#include "debug/console.h"
#include "debug/vnc_access.h"
#include "tests/unit/monitor_rig.h"
#include "tests/unit/suite.h"

static struct console *open_console(struct monitor_rig *r, bool echo)
{
    struct byte_sink out = monitor_out(r);
    monitor_open(r, 1);
    struct console *c = console_create(r->control, r->monitor, &out, echo, &r->err);
    ck_assert_ptr_nonnull(c);
    console_turn(c);
    ck_assert_str_eq(r->said, "Rivulet 0.1.0 monitor - type 'help' for more information\n"
                              "(rivulet) ");
    return c;
}

/* What comes back for these keys. */
static const char *type(struct monitor_rig *r, struct console *c, const char *keys)
{
    r->said_bytes = 0;
    r->said[0] = 0;
    console_type(c, (const uint8_t *)keys, strlen(keys));
    return r->said;
}

static void close_console(struct monitor_rig *r, struct console *c)
{
    console_destroy(c);
    monitor_close(r);
}

START_TEST(a_terminal_echoes_and_a_pipe_does_not)
{
    static const char *const answers[] = {"(rivulet) 0x3\n(rivulet) ",
                                          "\n(rivulet) p 1+2\n0x3\n(rivulet) "};
    for (unsigned echo = 0; echo < 2; echo++) {
        struct monitor_rig r;
        struct console *c = open_console(&r, echo);
        ck_assert_str_eq(type(&r, c, "\np 1+2\n"), answers[echo]);
        close_console(&r, c);
    }
}
END_TEST

START_TEST(a_line_can_be_edited_and_cleared)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    ck_assert_str_eq(type(&r, c, "p 7\b8\r"), "p 7\b \b8\n0x8\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "ab\x15p 1\r"), "ab\b\b  \b\bp 1\n0x1\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "\x7f\bp 2\r\n"), "p 2\n0x2\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "stop\003"), "stop\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "p 3\r"), "p 3\n0x3\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "\033p\034 4\r"), "p 4\n0x4\n(rivulet) ");
    close_console(&r, c);
}
END_TEST

/* The answer to the keys has `answer` in it. */
static void check_typed(struct monitor_rig *r, struct console *c, const char *keys,
                        const char *answer)
{
    const char *said = type(r, c, keys);
    ck_assert_msg(strstr(said, answer) != NULL, "no %s in %s", answer, said);
}

START_TEST(keys_that_move_are_escape_sequences)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    check_typed(&r, c, "p 1\033[D2\r", "\n0x15\n");               /* left: 21 */
    check_typed(&r, c, "1\033[D\033OHp \033[4~3\r", "\n0xd\n");   /* home, end: 13 */
    check_typed(&r, c, "p 456\033[D\033[D\033[3~\r", "\n0x2e\n"); /* delete: 46 */
    check_typed(&r, c, "p 7\033[1;5Z8\r", "\n0x4e\n");            /* unknown: ignored */
    ck_assert_str_eq(type(&r, c, "ac\033[Db"), "ac\bbc\b");
    ck_assert_str_eq(type(&r, c, "\033[C\x17"), "c\b\b\b   \b\b\b");
    close_console(&r, c);
}
END_TEST

START_TEST(arrows_bring_former_lines_back)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    type(&r, c, "p 1\rp 2\rp 2\r");
    check_typed(&r, c, "\033[A\033[A\r", "\n0x1\n"); /* the same line is there once */
    type(&r, c, "p 9");
    check_typed(&r, c, "\033[A\033[A\033[B\033[B\r", "\n0x9\n"); /* down to what was typed */
    check_typed(&r, c, "\033[A\033[A\033[A\033[A\033[A\033[A7\r", "\n0x11\n");
    close_console(&r, c);
}
END_TEST

START_TEST(tab_completes_names_of_commands)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    ck_assert_str_eq(type(&r, c, "pri\t7\r"), "print 7\n0x7\n(rivulet) ");
    check_typed(&r, c, "info stat\t\r", "VM status");
    check_typed(&r, c, "help hel\t\r", "\nhelp|?");
    ck_assert_str_eq(type(&r, c, "host\t\t"),
                     "hostfwd_\nhostfwd_add  hostfwd_remove\n(rivulet) hostfwd_");
    ck_assert_str_eq(type(&r, c, "\003x/i st\t"), "\n(rivulet) x/i st\n(rivulet) x/i st");
    close_console(&r, c);
}
END_TEST

/* --- passwords --------------------------------------------------------------------------- */

static char password[16];

static bool note_password(void *owner, const char *text, struct error *err)
{
    (void)owner;
    snprintf(password, sizeof password, "%s", text);
    return *text || error_set(err, "not that one");
}

static const struct vnc_access vnc = {.set_password = note_password, .id = "default"};

START_TEST(a_password_is_asked_for_and_not_shown)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    monitor_set_vnc(r.monitor, &vnc);
    check_typed(&r, c, "change vnc password\r", "password\nPassword: ");
    ck_assert_str_eq(type(&r, c, "wore\bd\t"), "");
    ck_assert_str_eq(type(&r, c, "\r"), "\n(rivulet) ");
    ck_assert_str_eq(password, "word\t");
    check_typed(&r, c, "\033[A", "change vnc password"); /* the history has the command alone */
    check_typed(&r, c, "\r", "Password: ");
    ck_assert_str_eq(type(&r, c, "\r"), "\nError: not that one\n(rivulet) ");
    check_typed(&r, c, "change vnc password\rsec\003", "Password: \n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "p 1\r"), "p 1\n0x1\n(rivulet) ");
    ck_assert_str_eq(password, "");
    close_console(&r, c);
}
END_TEST

START_TEST(a_password_that_nobody_waits_for_is_not_asked_for)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, false);
    monitor_set_vnc(r.monitor, &vnc);
    type(&r, c, "change vnc password\n");
    console_turn(c); /* another user */
    ck_assert_str_eq(type(&r, c, "p 1\n"), "0x1\n(rivulet) ");
    CHECK_ASK(&r, "change vnc password",
              "Error: a password cannot be asked for here: give it as "
              "change vnc password WORD\n");
    close_console(&r, c);
}
END_TEST

START_TEST(what_comes_through_a_pipe_is_not_edited)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, false);
    ck_assert_str_eq(type(&r, c, "p\t7\n"), "0x7\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "\033[A\n"), "Error: unknown command: '[A'\n(rivulet) ");
    close_console(&r, c);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut)
{
    struct monitor_rig r;
    char keys[3000];
    struct console *c = open_console(&r, false);
    memset(keys, ' ', sizeof keys);
    memcpy(keys, "p 5", 3);
    strcpy(keys + 2990, "foo\n");
    ck_assert_str_eq(type(&r, c, keys), "0x5\n(rivulet) ");
    close_console(&r, c);
}
END_TEST

START_TEST(lines_behind_a_step_wait_for_its_end)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, false);
    ck_assert_str_eq(type(&r, c, "step 6\nstep\nprint $minstret\nstop"), "");
    for (unsigned i = 0; i < 10; i++) /* more turns than it takes */
        control_run(r.control, UINT64_MAX, 0, &r.err);
    ck_assert_int_eq(control_state(r.control), RUN_DEBUG);
    ck_assert_str_eq(r.said, "0x0000000080000000:  f1402573  csrr a0, mhartid\n(rivulet) "
                             "0x0000000080000004:  00080437  lui s0, 0x80\n(rivulet) "
                             "0x7\n(rivulet) ");
    close_console(&r, c);
}
END_TEST

START_TEST(ctrl_c_gives_a_step_up)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, true);
    ck_assert_str_eq(type(&r, c, "step 999999999\r"), "step 999999999\n");
    control_run(r.control, RIG_MS, 0, &r.err);
    ck_assert_str_eq(type(&r, c, "p 1\r\003"), "stopped (paused)\n(rivulet) ");
    control_run(r.control, UINT64_MAX, 0, &r.err);
    ck_assert_str_eq(r.said, "stopped (paused)\n(rivulet) p 1\n0x1\n(rivulet) ");
    ck_assert_int_eq(control_state(r.control), RUN_PAUSED);
    close_console(&r, c);
}
END_TEST

START_TEST(a_stop_that_nobody_asked_for_is_shown_and_the_line_again)
{
    struct monitor_rig r;
    char text[200];
    struct console *c = open_console(&r, true);
    snprintf(text, sizeof text, "b 0x%llx\rc\rinf", (unsigned long long)r.loop);
    type(&r, c, text);
    r.said_bytes = 0;
    run_until_stopped(&r);
    snprintf(text, sizeof text,
             "hart 0: breakpoint\n0x%016llx:  00158593  addi a1, a1, 1\n(rivulet) inf",
             (unsigned long long)r.loop);
    ck_assert_str_eq(r.said, text);
    ck_assert_str_eq(type(&r, c, "o status\r"), "o status\nVM status: paused (debug)\n(rivulet) ");
    close_console(&r, c);
}
END_TEST

START_TEST(who_comes_back_gets_a_prompt_and_who_quits_does_not)
{
    struct monitor_rig r;
    struct console *c = open_console(&r, false);
    r.said_bytes = 0;
    console_turn(c);
    ck_assert_str_eq(r.said, "\n(rivulet) ");
    ck_assert_str_eq(type(&r, c, "quit\n"), "");
    ck_assert_int_eq(control_run(r.control, UINT64_MAX, 0, &r.err), CONTROL_QUIT);
    close_console(&r, c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("console");
    TCase *c = tcase_create("console");
    tcase_add_test(c, a_terminal_echoes_and_a_pipe_does_not);
    tcase_add_test(c, a_line_can_be_edited_and_cleared);
    tcase_add_test(c, keys_that_move_are_escape_sequences);
    tcase_add_test(c, arrows_bring_former_lines_back);
    tcase_add_test(c, tab_completes_names_of_commands);
    tcase_add_test(c, a_password_is_asked_for_and_not_shown);
    tcase_add_test(c, a_password_that_nobody_waits_for_is_not_asked_for);
    tcase_add_test(c, what_comes_through_a_pipe_is_not_edited);
    tcase_add_test(c, a_line_that_is_too_long_is_cut);
    tcase_add_test(c, lines_behind_a_step_wait_for_its_end);
    tcase_add_test(c, ctrl_c_gives_a_step_up);
    tcase_add_test(c, a_stop_that_nobody_asked_for_is_shown_and_the_line_again);
    tcase_add_test(c, who_comes_back_gets_a_prompt_and_who_quits_does_not);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

/* The scripted console, with the test as the guest. */
#include "frontend/script.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

struct rig {
    char path[32];
    struct script *script;
    char sent[256];
    size_t sent_bytes;
    unsigned stops;
    struct error err;
};

static void on_send(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = owner;
    ck_assert_uint_lt(r->sent_bytes + n, sizeof r->sent);
    memcpy(r->sent + r->sent_bytes, bytes, n);
    r->sent_bytes += n;
    r->sent[r->sent_bytes] = 0;
}

static void on_stop(void *owner)
{
    struct rig *r = owner;
    r->stops++;
}

static void open_bytes(struct rig *r, const void *bytes, size_t n)
{
    *r = (struct rig){.path = "/tmp/rivulet-script-XXXXXX"};
    int fd = mkstemp(r->path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    struct script_ports ports = {.send = on_send, .stop = on_stop, .owner = r};
    r->script = script_open(r->path, &ports, &r->err);
    unlink(r->path);
}

static void open_text(struct rig *r, const char *text)
{
    open_bytes(r, text, strlen(text));
}

/* Opens and starts; the script must be right. */
static void start(struct rig *r, const char *text)
{
    open_text(r, text);
    ck_assert_msg(r->script != NULL, "%s", r->err.text);
    script_start(r->script);
}

static void guest_writes(struct rig *r, const char *text)
{
    script_output(r->script, (const uint8_t *)text, strlen(text));
}

/* What script_explain shows; the caller frees it. */
static char *explanation(const struct rig *r)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    script_explain(r->script, out);
    fclose(out);
    return text;
}

static void check_explanation(const struct rig *r, const char *part)
{
    char *text = explanation(r);
    ck_assert_int_eq(script_state(r->script), SCRIPT_FAILED);
    ck_assert_int_eq(script_status(r->script), 1);
    ck_assert_msg(strstr(text, part) != NULL, "%s", text);
    free(text);
}

static void check_refused(const char *text, const char *reason)
{
    struct rig r;
    open_text(&r, text);
    ck_assert_msg(!r.script, "accepted: %s", text);
    ck_assert_msg(strstr(r.err.text, r.path) == r.err.text, "%s", r.err.text);
    ck_assert_msg(strstr(r.err.text, reason) != NULL, "%s", r.err.text);
}

/* --- reading ----------------------------------------------------------------------------- */

START_TEST(an_error_names_file_line_and_reason)
{
    check_refused("\n\nwait \"x\"\n", ":3: unknown word 'wait'; known are expect, send");
    check_refused("expect x\n", ":1: a text in \"...\" must come here");
    check_refused("expect\n", ":1: a text in");
    check_refused("send \"x\n", ":1: the text has no \" at its end");
    check_refused("send \"\"\n", ":1: the text is empty");
    check_refused("send \"\\q\"\n", ":1: after \\ can be");
    check_refused("send \"\\x4\"\n", ":1: after \\ can be");
    check_refused("send \"\\", ":1: after \\ can be");
    check_refused("send \"x\" y\n", ":1: 'y' is too much on this line");
    check_refused("expect \"x\" in 3s\n", ":1: after the text can come: within TIME");
    check_refused("expect \"x\" within\n", ":1: a time like 30s");
    check_refused("timeout 30\n", ":1: a time like 30s");
    check_refused("timeout soon\n", ":1: a time like 30s");
    check_refused("exit 256\n", ":1: an exit status is 0 to 255");
    check_refused("exit -1\n", ":1: an exit status is 0 to 255");
}
END_TEST

START_TEST(a_text_has_a_longest_length)
{
    char text[1100] = "send \"";
    memset(text + 6, 'x', 1025);
    text[6 + 1025] = '"';
    check_refused(text, ":1: the text is too long");
}
END_TEST

START_TEST(a_binary_file_is_refused)
{
    struct rig r;
    open_bytes(&r, "exit\n\0\n", 7);
    ck_assert_ptr_null(r.script);
    ck_assert_ptr_nonnull(strstr(r.err.text, ":2: a zero byte"));
}
END_TEST

START_TEST(a_missing_script_is_an_error)
{
    struct error err;
    struct script_ports ports = {0};
    ck_assert_ptr_null(script_open("/nonexistent/script", &ports, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/script"));
}
END_TEST

START_TEST(comments_spaces_and_a_missing_last_newline_are_fine)
{
    struct rig r;
    start(&r, "# nothing\n\n  \t send \"a # b\" # more\r\n  exit 5 # end");
    ck_assert_str_eq(r.sent, "a # b");
    ck_assert_int_eq(script_state(r.script), SCRIPT_EXITS);
    ck_assert_int_eq(script_status(r.script), 5);
    script_close(r.script);
}
END_TEST

START_TEST(escapes_stand_for_their_bytes)
{
    struct rig r;
    start(&r, "send \"\\n\\r\\t\\e\\\"\\\\\\x41\\xff\"");
    ck_assert_str_eq(r.sent, "\n\r\t\033\"\\A\xff");
    script_close(r.script);
}
END_TEST

/* --- running ----------------------------------------------------------------------------- */

START_TEST(a_text_is_typed_when_the_expected_one_is_complete)
{
    struct rig r;
    start(&r, "expect \"login: \"\nsend \"root\\n\"\nexpect \"# \"\nsend \"ls\\n\"\n");
    guest_writes(&r, "Debian\nlogin:");
    ck_assert_str_eq(r.sent, "");
    guest_writes(&r, " ");
    ck_assert_str_eq(r.sent, "root\n");
    ck_assert_int_eq(script_state(r.script), SCRIPT_RUNS);
    guest_writes(&r, "~ # ");
    ck_assert_str_eq(r.sent, "root\nls\n");
    ck_assert_int_eq(script_state(r.script), SCRIPT_DONE);
    ck_assert_uint_eq(r.stops, 0);
    script_close(r.script);
}
END_TEST

START_TEST(a_text_is_looked_for_behind_the_one_before)
{
    struct rig r;
    start(&r, "expect \"abab\"\nexpect \"ab\"\nsend \"x\"\n");
    guest_writes(&r, "abab");
    ck_assert_str_eq(r.sent, "");
    guest_writes(&r, "b");
    ck_assert_str_eq(r.sent, "");
    guest_writes(&r, "ab");
    ck_assert_str_eq(r.sent, "x");
    script_close(r.script);
}
END_TEST

START_TEST(a_text_that_begins_again_inside_itself_is_found)
{
    struct rig r;
    start(&r, "expect \"aab\"\nsend \"x\"\n");
    guest_writes(&r, "aaab");
    ck_assert_str_eq(r.sent, "x");
    script_close(r.script);
}
END_TEST

START_TEST(several_texts_in_one_write_are_all_found)
{
    struct rig r;
    start(&r, "expect \"a\"\nsend \"1\"\nexpect \"b\"\nsend \"2\"\n");
    guest_writes(&r, "xaxbx");
    ck_assert_str_eq(r.sent, "12");
    script_close(r.script);
}
END_TEST

START_TEST(a_text_is_found_after_much_output)
{
    struct rig r;
    start(&r, "expect \"12345\"\nsend \"x\"\n");
    for (unsigned i = 0; i < 16381; i++)
        guest_writes(&r, ".");
    guest_writes(&r, "12345"); /* the window slides in the middle of it */
    ck_assert_str_eq(r.sent, "x");
    script_close(r.script);
}
END_TEST

START_TEST(exit_stops_the_run_at_once)
{
    struct rig r;
    start(&r, "expect \"a\"\nexit\nsend \"x\"\n");
    guest_writes(&r, "aaa");
    ck_assert_int_eq(script_state(r.script), SCRIPT_EXITS);
    ck_assert_int_eq(script_status(r.script), 0);
    ck_assert_uint_eq(r.stops, 1);
    ck_assert_str_eq(r.sent, "");
    script_close(r.script);
}
END_TEST

START_TEST(a_forbidden_text_fails_the_run_also_after_the_last_line)
{
    struct rig r;
    start(&r, "fail \"panic\"\nexpect \"a\"\n");
    guest_writes(&r, "a\npan");
    ck_assert_int_eq(script_state(r.script), SCRIPT_DONE);
    guest_writes(&r, "ic: x\n");
    check_explanation(&r, ":1: \"panic\" appeared\nthe last lines of output:\n  | a\n  | panic\n");
    ck_assert_uint_eq(r.stops, 1);
    script_close(r.script);
}
END_TEST

START_TEST(a_text_is_forbidden_from_its_line_on)
{
    struct rig r;
    start(&r, "expect \"a\"\nfail \"b\"\nexpect \"c\"\n");
    guest_writes(&r, "ba");
    ck_assert_int_eq(script_state(r.script), SCRIPT_RUNS);
    guest_writes(&r, "b");
    ck_assert_int_eq(script_state(r.script), SCRIPT_FAILED);
    script_close(r.script);
}
END_TEST

START_TEST(within_counts_virtual_time_from_its_line_on)
{
    struct rig r;
    start(&r, "expect \"a\"\nexpect \"b\" within 2s\n");
    script_check_time(r.script, 0, 0);
    script_check_time(r.script, 90 * NS_PER_S, 0);
    guest_writes(&r, "a");
    script_check_time(r.script, 91 * NS_PER_S, 0);
    script_check_time(r.script, 93 * NS_PER_S - 1, 0);
    ck_assert_int_eq(script_state(r.script), SCRIPT_RUNS);
    script_check_time(r.script, 93 * NS_PER_S, 0);
    check_explanation(&r, ":2: \"b\" did not come within 2 s of virtual time\n");
    ck_assert_uint_eq(r.stops, 1);
    script_close(r.script);
}
END_TEST

START_TEST(within_counts_host_time_too)
{
    struct rig r;
    start(&r, "expect \"b\\n\" within 500ms\n");
    script_check_time(r.script, 0, 7 * NS_PER_S);
    script_check_time(r.script, 0, 7 * NS_PER_S + 499999999);
    ck_assert_int_eq(script_state(r.script), SCRIPT_RUNS);
    script_check_time(r.script, 0, 7 * NS_PER_S + 500000000);
    check_explanation(&r, ":1: \"b\\n\" did not come within 0.5 s of host time\nthere was no out");
    script_close(r.script);
}
END_TEST

START_TEST(the_timeout_names_what_was_expected)
{
    struct rig r;
    start(&r, "timeout 60s\nexpect \"b\"\n");
    script_check_time(r.script, 0, 5 * NS_PER_S);
    script_check_time(r.script, 900 * NS_PER_S, 64 * NS_PER_S);
    ck_assert_int_eq(script_state(r.script), SCRIPT_RUNS);
    script_check_time(r.script, 900 * NS_PER_S, 65 * NS_PER_S);
    check_explanation(&r, ":2: \"b\" did not come before the timeout of 60 s");
    script_close(r.script);
}
END_TEST

START_TEST(the_timeout_holds_after_the_last_line)
{
    struct rig r;
    start(&r, "send \"x\"\ntimeout 60s\n");
    script_check_time(r.script, 0, 0);
    script_check_time(r.script, 0, 60 * NS_PER_S);
    check_explanation(&r, ":2: the run was not over after 60 s");
    script_close(r.script);
}
END_TEST

START_TEST(a_guest_that_ends_too_early_fails_the_run)
{
    struct rig r;
    start(&r, "expect \"b\"\n");
    script_guest_ended(r.script);
    check_explanation(&r, ":1: \"b\" did not come: the guest ended the run");
    script_close(r.script);
}
END_TEST

START_TEST(a_guest_that_ends_after_the_last_line_is_fine)
{
    struct rig r;
    start(&r, "expect \"b\"\n");
    guest_writes(&r, "b");
    script_guest_ended(r.script);
    ck_assert_int_eq(script_state(r.script), SCRIPT_DONE);
    script_close(r.script);
}
END_TEST

START_TEST(a_failure_shows_the_last_20_lines_without_control_characters)
{
    struct rig r;
    char text[32];
    start(&r, "expect \"x\"\n");
    for (unsigned i = 1; i <= 30; i++) {
        snprintf(text, sizeof text, "\033[1mline %u\r\n", i);
        guest_writes(&r, text);
    }
    script_guest_ended(r.script);
    check_explanation(&r, "the last lines of output:\n  | [1mline 11\n  | [1mline 12\n");
    check_explanation(&r, "  | [1mline 30\n");
    script_close(r.script);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("script");
    TCase *reading = tcase_create("reading"), *running = tcase_create("running");
    tcase_add_test(reading, an_error_names_file_line_and_reason);
    tcase_add_test(reading, a_text_has_a_longest_length);
    tcase_add_test(reading, a_binary_file_is_refused);
    tcase_add_test(reading, a_missing_script_is_an_error);
    tcase_add_test(reading, comments_spaces_and_a_missing_last_newline_are_fine);
    tcase_add_test(reading, escapes_stand_for_their_bytes);
    tcase_add_test(running, a_text_is_typed_when_the_expected_one_is_complete);
    tcase_add_test(running, a_text_is_looked_for_behind_the_one_before);
    tcase_add_test(running, a_text_that_begins_again_inside_itself_is_found);
    tcase_add_test(running, several_texts_in_one_write_are_all_found);
    tcase_add_test(running, a_text_is_found_after_much_output);
    tcase_add_test(running, exit_stops_the_run_at_once);
    tcase_add_test(running, a_forbidden_text_fails_the_run_also_after_the_last_line);
    tcase_add_test(running, a_text_is_forbidden_from_its_line_on);
    tcase_add_test(running, within_counts_virtual_time_from_its_line_on);
    tcase_add_test(running, within_counts_host_time_too);
    tcase_add_test(running, the_timeout_names_what_was_expected);
    tcase_add_test(running, the_timeout_holds_after_the_last_line);
    tcase_add_test(running, a_guest_that_ends_too_early_fails_the_run);
    tcase_add_test(running, a_guest_that_ends_after_the_last_line_is_fine);
    tcase_add_test(running, a_failure_shows_the_last_20_lines_without_control_characters);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, running);
    return run_suite(suite);
}

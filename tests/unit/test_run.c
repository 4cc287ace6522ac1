/* Whole runs of the program, with the fake machine, and pipes and files as its world. Each test is
 * a process of its own, so that it may replace its standard streams. */
#include "frontend/run.h"
#include "tests/unit/fake_machine.h"

#include "base/os.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 40

struct world {
    char folder[32];
    int type_fd, read_fd, messages_fd; /* our ends of stdin, stdout, stderr */
    int saved_stderr;
    int status;
    struct error err;
    char output[4096], messages[4096];
};

static void path_of(const struct world *w, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", w->folder, name);
}

static void put_file(const struct world *w, const char *name, const char *text)
{
    struct error err;
    char path[64];
    path_of(w, name, path, sizeof path);
    ck_assert(os_file_write(path, text, strlen(text), &err));
}

static void check_file(const struct world *w, const char *name, const char *text)
{
    struct error err;
    struct os_file file;
    char path[64];
    path_of(w, name, path, sizeof path);
    ck_assert_msg(os_map_file(path, &file, &err), "%s", err.text);
    ck_assert_uint_eq(file.size, strlen(text));
    ck_assert_mem_eq(file.bytes, text, file.size);
    os_unmap_file(&file);
}

static void make_world(struct world *w)
{
    int in[2], out[2], messages[2];
    *w = (struct world){.folder = "/tmp/rivulet-run-XXXXXX", .status = -1};
    ck_assert_ptr_nonnull(mkdtemp(w->folder));
    ck_assert_int_eq(chdir(w->folder), 0);
    ck_assert(pipe(in) == 0 && pipe(out) == 0 && pipe(messages) == 0);
    w->saved_stderr = dup(STDERR_FILENO);
    w->type_fd = in[1];
    w->read_fd = out[0];
    w->messages_fd = messages[0];
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(messages[1], STDERR_FILENO);
    close(in[0]);
    close(out[1]);
    close(messages[1]);
}

static void type(struct world *w, const char *text)
{
    ck_assert_int_eq(write(w->type_fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What lies in the pipe now. */
static void drain(int fd, char *text, size_t size)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t n = read(fd, text, size - 1);
    text[n > 0 ? n : 0] = 0;
}

/* Runs with these options (words with single spaces) and collects what came out. */
static bool run_words(struct world *w, const char *words)
{
    char line[512];
    char *argv[WORDS_MAX] = {"rivulet"};
    int argc = 1;
    struct options o;
    snprintf(line, sizeof line, "%s", words);
    for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    bool ok = options_parse(&o, argc, argv, &w->err) && run(&o, &w->status, &w->err);
    fflush(stderr);
    dup2(w->saved_stderr, STDERR_FILENO); /* what Check says must not fall into the pipe */
    drain(w->read_fd, w->output, sizeof w->output);
    drain(w->messages_fd, w->messages, sizeof w->messages);
    return ok;
}

static void check_run(struct world *w, const char *words, int status, const char *output)
{
    ck_assert_msg(run_words(w, words), "%s", w->err.text);
    ck_assert_int_eq(w->status, status);
    ck_assert_str_eq(w->output, output);
}

static void check_failure(struct world *w, const char *words, const char *error)
{
    ck_assert(!run_words(w, words));
    ck_assert_msg(strstr(w->err.text, error) != NULL, "%s", w->err.text);
}

static void end_world(struct world *w)
{
    static const char *const names[] = {"script", "out", "log", "tree.dtb"};
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_of(w, names[i], path, sizeof path);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(w->folder), 0);
}

static void script(struct world *w, const char *text)
{
    put_file(w, "script", text);
}

/* --- the console --------------------------------------------------------------------------------
 */

START_TEST(what_is_typed_reaches_the_guest_and_its_status_is_ours)
{
    struct world w;
    make_world(&w);
    type(&w, "abcQ");
    check_run(&w, "Image", 7, "hello\nabc");
    end_world(&w);
}
END_TEST

START_TEST(ctrl_a_x_ends_the_run_with_status_0)
{
    struct world w;
    make_world(&w);
    type(&w, "\001x");
    ck_assert_msg(run_words(&w, "Image"), "%s", w.err.text);
    ck_assert_int_eq(w.status, 0);
    end_world(&w);
}
END_TEST

START_TEST(ctrl_a_twice_sends_it_once_and_other_keys_are_swallowed)
{
    struct world w;
    make_world(&w);
    type(&w, "\001\001x\001qyQ");
    check_run(&w, "Image", 7, "hello\n\001xy");
    end_world(&w);
}
END_TEST

START_TEST(ctrl_a_h_shows_the_keys)
{
    struct world w;
    make_world(&w);
    type(&w, "\001hQ");
    ck_assert(run_words(&w, "Image"));
    ck_assert_ptr_nonnull(strstr(w.output, "Ctrl-A x       end the program\n"));
    end_world(&w);
}
END_TEST

#define BANNER "Rivulet 0.1.0 monitor - type 'help' for more information\n(rivulet) "

START_TEST(ctrl_a_c_switches_between_the_guest_and_the_monitor)
{
    struct world w;
    make_world(&w);
    type(&w, "a\001cstop\ninfo status\n\001cbc\001ccont\n\001cdQ");
    ck_assert_msg(run_words(&w, "Image"), "%s", w.err.text);
    ck_assert_int_eq(w.status, 7);
    ck_assert_ptr_nonnull(strstr(w.output, "(rivulet) VM status: paused\n(rivulet) "));
    ck_assert_ptr_nonnull(strstr(w.output, BANNER));
    ck_assert_ptr_nonnull(strstr(w.output, "bcd"));
    end_world(&w);
}
END_TEST

START_TEST(without_a_monitor_ctrl_a_c_says_so)
{
    struct world w;
    make_world(&w);
    type(&w, "\001caQ");
    ck_assert(run_words(&w, "Image -serial stdio"));
    ck_assert_int_eq(w.status, 7);
    ck_assert_ptr_nonnull(strstr(w.output, "no monitor here; -serial mon:stdio has one.\n"));
    end_world(&w);
}
END_TEST

START_TEST(the_monitor_has_standard_input_alone_and_the_guest_starts_stopped)
{
    struct world w;
    make_world(&w);
    type(&w, "info status\n\001chelp cpu\nquit\n");
    check_run(&w, "Image -S -monitor stdio", 0,
              BANNER "VM status: paused (prelaunch)\n(rivulet) \n"
                     "(rivulet) cpu N -- make hart N the current one\n(rivulet) ");
    end_world(&w);
}
END_TEST

START_TEST(the_end_of_input_does_not_end_the_guest)
{
    struct world w;
    make_world(&w);
    type(&w, "ab");
    close(w.type_fd);
    check_run(&w, "Image -until 100ms", 0, "hello\nab");
    end_world(&w);
}
END_TEST

START_TEST(a_long_input_arrives_whole)
{
    struct world w;
    char text[3001], output[3100];
    make_world(&w);
    memset(text, 'x', 2999);
    strcpy(text + 2999, "Q");
    type(&w, text);
    text[2999] = 0;
    snprintf(output, sizeof output, "hello\n%s", text);
    check_run(&w, "Image", 7, output);
    end_world(&w);
}
END_TEST

START_TEST(output_that_nobody_reads_any_more_ends_the_run)
{
    struct world w;
    make_world(&w);
    close(w.read_fd);
    check_failure(&w, "Image", "cannot write the guest's output: Broken pipe");
    end_world(&w);
}
END_TEST

START_TEST(the_serial_port_goes_to_a_file_and_nothing_is_read)
{
    struct world w;
    make_world(&w);
    type(&w, "Q");
    check_run(&w, "Image -serial file:out -until 20ms", 0, "");
    check_file(&w, "out", "hello\n");
    end_world(&w);
}
END_TEST

START_TEST(the_serial_port_goes_nowhere)
{
    struct world w;
    make_world(&w);
    type(&w, "Q");
    check_run(&w, "Image -serial none -until 20ms", 0, "");
    end_world(&w);
}
END_TEST

START_TEST(a_signal_ends_the_run_with_its_status)
{
    struct world w;
    make_world(&w);
    signal(SIGTERM, SIG_DFL); /* Check had its own answer */
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        usleep(100000);
        kill(self, SIGTERM);
        _exit(0);
    }
    check_run(&w, "Image", 128 + SIGTERM, "hello\n");
    end_world(&w);
}
END_TEST

/* --- ends ---------------------------------------------------------------------------------------
 */

START_TEST(a_reset_ends_the_run_with_status_0)
{
    struct world w;
    make_world(&w);
    type(&w, "R");
    check_run(&w, "Image -no-reboot", 0, "hello\n");
    end_world(&w);
}
END_TEST

START_TEST(until_ends_the_run_and_the_hash_is_shown)
{
    struct world w;
    make_world(&w);
    check_run(&w, "Image -until 5ms -hash", 0, "hello\n");
    ck_assert_str_eq(w.messages, "state hash: 0x0000000000000000 steps 2500000 time 5000000 ns\n");
    end_world(&w);
}
END_TEST

START_TEST(breakpoints_are_counted_and_run_over)
{
    struct world w;
    make_world(&w);
    type(&w, "aBbBQ");
    check_run(&w, "Image -break 0x20", 7, "hello\nab");
    ck_assert_str_eq(w.messages, "breakpoints reached: 2\n");
    end_world(&w);
}
END_TEST

START_TEST(figures_go_to_the_log)
{
    struct world w;
    make_world(&w);
    check_run(&w, "Image -until 5ms -d stats -D log", 0, "hello\n");
    check_file(&w, "log", "steps 2500000 traps 0 time 5000000 ns\n");
    end_world(&w);
}
END_TEST

START_TEST(a_new_machine_goes_on_with_the_state_and_the_input_of_the_old_one)
{
    struct world w;
    make_world(&w);
    script(&w, "send \"abcdefgh=Q\"\n");
    check_run(&w, "Image -script script -save-load 3ms -save-load 3ms -save-load 5ms", 7,
              "hello\nabcdefgh[9]");
    end_world(&w);
}
END_TEST

START_TEST(the_device_tree_is_written_and_nothing_runs)
{
    struct world w;
    make_world(&w);
    check_run(&w, "-M virt,dumpdtb=tree.dtb", 0, "");
    check_file(&w, "tree.dtb", FAKE_DTB);
    end_world(&w);
}
END_TEST

/* --- scripts ------------------------------------------------------------------------------------
 */

START_TEST(a_script_talks_to_the_guest_and_nobody_else_does)
{
    struct world w;
    make_world(&w);
    type(&w, "Q");
    script(&w, "expect \"hello\\n\"\nsend \"abc\"\nexpect \"abc\" within 30s\nexit 3\n");
    check_run(&w, "Image -script script", 3, "hello\nabc");
    end_world(&w);
}
END_TEST

START_TEST(the_run_goes_on_after_the_last_line_of_a_script)
{
    struct world w;
    make_world(&w);
    script(&w, "send \"aQ\"\n");
    check_run(&w, "Image -script script", 7, "hello\na");
    end_world(&w);
}
END_TEST

START_TEST(a_script_whose_text_does_not_come_fails_the_run)
{
    struct world w;
    make_world(&w);
    script(&w, "expect \"bye\" within 200ms\n");
    check_run(&w, "Image -script script", 1, "hello\n");
    ck_assert_str_eq(w.messages,
                     "rivulet: script:1: \"bye\" did not come within 0.2 s of virtual time\n"
                     "the last lines of output:\n  | hello\n");
    end_world(&w);
}
END_TEST

START_TEST(a_script_whose_guest_ends_too_early_fails_the_run)
{
    struct world w;
    make_world(&w);
    script(&w, "send \"Q\"\nexpect \"bye\"\n");
    check_run(&w, "Image -script script", 1, "hello\n");
    end_world(&w);
}
END_TEST

START_TEST(a_script_reads_what_goes_to_a_file)
{
    struct world w;
    make_world(&w);
    script(&w, "expect \"hello\"\nexit 4\n");
    check_run(&w, "Image -script script -serial file:out", 4, "");
    check_file(&w, "out", "hello\n");
    end_world(&w);
}
END_TEST

/* --- failures -----------------------------------------------------------------------------------
 */

START_TEST(what_cannot_be_opened_or_written_is_an_error)
{
    static const char *const lines[][2] = {
        {"-kernel missing", "cannot open missing"},
        {"Image -script none", "cannot open none: No such file"},
        {"Image -serial file:/nonexistent/x", "cannot write /nonexistent/x: No such file"},
        {"Image -d int -D /nonexistent/x", "cannot write log file /nonexistent/x"},
        {"-M virt,dumpdtb=/nonexistent/x", "cannot write /nonexistent/x: No such file"},
        {"debug Image", "debug needs a terminal as standard input and output"},
        {"Image -break 0xbad", "no memory for the breakpoint at 0xbad"},
    };
    struct world w;
    make_world(&w);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        check_failure(&w, lines[i][0], lines[i][1]);
    end_world(&w);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, what_is_typed_reaches_the_guest_and_its_status_is_ours);
    tcase_add_test(c, ctrl_a_x_ends_the_run_with_status_0);
    tcase_add_test(c, ctrl_a_twice_sends_it_once_and_other_keys_are_swallowed);
    tcase_add_test(c, ctrl_a_h_shows_the_keys);
    tcase_add_test(c, ctrl_a_c_switches_between_the_guest_and_the_monitor);
    tcase_add_test(c, without_a_monitor_ctrl_a_c_says_so);
    tcase_add_test(c, the_monitor_has_standard_input_alone_and_the_guest_starts_stopped);
    tcase_add_test(c, the_end_of_input_does_not_end_the_guest);
    tcase_add_test(c, a_long_input_arrives_whole);
    tcase_add_test(c, output_that_nobody_reads_any_more_ends_the_run);
    tcase_add_test(c, the_serial_port_goes_to_a_file_and_nothing_is_read);
    tcase_add_test(c, the_serial_port_goes_nowhere);
    tcase_add_test(c, a_signal_ends_the_run_with_its_status);
    tcase_add_test(c, a_reset_ends_the_run_with_status_0);
    tcase_add_test(c, until_ends_the_run_and_the_hash_is_shown);
    tcase_add_test(c, breakpoints_are_counted_and_run_over);
    tcase_add_test(c, figures_go_to_the_log);
    tcase_add_test(c, a_new_machine_goes_on_with_the_state_and_the_input_of_the_old_one);
    tcase_add_test(c, the_device_tree_is_written_and_nothing_runs);
    tcase_add_test(c, a_script_talks_to_the_guest_and_nobody_else_does);
    tcase_add_test(c, the_run_goes_on_after_the_last_line_of_a_script);
    tcase_add_test(c, a_script_whose_text_does_not_come_fails_the_run);
    tcase_add_test(c, a_script_whose_guest_ends_too_early_fails_the_run);
    tcase_add_test(c, a_script_reads_what_goes_to_a_file);
    tcase_add_test(c, what_cannot_be_opened_or_written_is_an_error);
}

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *c = tcase_create("run");
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

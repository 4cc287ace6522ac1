/* base/os_posix.c: the host. */
#include "base/os.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MS 1000000ull

START_TEST(monotonic_time_does_not_go_back_and_wall_time_is_of_this_century)
{
    uint64_t before = os_monotonic_ns();
    ck_assert_uint_le(before, os_monotonic_ns());
    ck_assert_uint_gt(os_wall_clock_ns(), 1600000000ull * 1000 * MS);
}
END_TEST

START_TEST(reserved_pages_are_zero_and_zero_again_after_a_discard)
{
    size_t bytes = 1 << 20;
    uint8_t *pages = os_reserve(bytes);
    ck_assert_ptr_nonnull(pages);
    ck_assert_uint_eq(pages[0] | pages[bytes - 1], 0);
    pages[0] = pages[4096] = pages[bytes - 1] = 1;
    os_discard(pages + 4096, bytes - 4096);
    ck_assert_uint_eq(pages[0], 1);
    ck_assert_uint_eq(pages[4096] | pages[bytes - 1], 0);
    os_release(pages, bytes);
}
END_TEST

START_TEST(a_reservation_that_cannot_be_is_null)
{
    ck_assert_ptr_null(os_reserve(1ull << 62));
}
END_TEST

/* ---- files ---- */

START_TEST(a_written_file_is_mapped_whole_and_replaces_the_longer_one)
{
    char path[] = "/tmp/test_os.XXXXXX";
    close(mkstemp(path));
    struct error err;
    struct os_file file;
    ck_assert(os_file_write(path, "a longer text", 13, &err));
    ck_assert(os_file_write(path, "kernel", 6, &err));
    ck_assert(os_map_file(path, &file, &err));
    ck_assert_uint_eq(file.size, 6);
    ck_assert_mem_eq(file.bytes, "kernel", 6);
    os_unmap_file(&file);
    ck_assert_ptr_null(file.bytes);
    os_unmap_file(&file);
    unlink(path);
}
END_TEST

static void check_map_error(const char *path, const char *reason)
{
    struct error err;
    struct os_file file;
    ck_assert(!os_map_file(path, &file, &err));
    ck_assert_msg(strstr(err.text, path) && strstr(err.text, reason), "%s", err.text);
}

START_TEST(missing_empty_and_special_files_are_errors_that_name_the_path)
{
    char directory[] = "/tmp/test_os.XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    check_map_error(directory, "not a regular file");
    snprintf(path, sizeof path, "%s/file", directory);
    check_map_error(path, "No such file");
    close(open(path, O_CREAT | O_WRONLY, 0600));
    check_map_error(path, "empty");
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_map_error(path, "not a regular file");
    unlink(path);
    rmdir(directory);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error_that_names_it)
{
    struct error err;
    ck_assert(!os_file_write("/nonexistent/x", "x", 1, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/x: No such file"));
    ck_assert(!os_file_write("/dev/full", "x", 1, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/dev/full: No space"));
}
END_TEST

#define MUCH (1u << 20)

struct drain {
    int fd;
    size_t seen;
    bool in_order;
};

static void drain_pipe(void *arg)
{
    struct drain *d = arg;
    uint8_t bytes[777];
    d->in_order = true;
    for (ssize_t n; (n = read(d->fd, bytes, sizeof bytes)) > 0;) {
        for (ssize_t i = 0; i < n; i++)
            d->in_order &= bytes[i] == (uint8_t)((d->seen + (size_t)i) * 7);
        d->seen += (size_t)n;
    }
}

START_TEST(a_write_waits_for_a_full_pipe_and_loses_nothing)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    uint8_t *bytes = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct drain drain = {.fd = ends[0]};
    struct os_thread *reader = os_thread_start(drain_pipe, &drain);
    ck_assert(os_write_all(ends[1], bytes, MUCH));
    close(ends[1]);
    os_thread_join(reader);
    ck_assert_uint_eq(drain.seen, MUCH);
    ck_assert(drain.in_order);
    close(ends[0]);
    free(bytes);
}
END_TEST

START_TEST(a_write_to_nobody_fails)
{
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert(!os_write_all(ends[1], "x", 1));
    close(ends[1]);
}
END_TEST

/* ---- threads and waiting ---- */

struct counter {
    struct os_mutex *mutex;
    volatile unsigned count;
};

static void count_up(void *arg)
{
    struct counter *c = arg;
    for (int i = 0; i < 100000; i++) {
        os_mutex_lock(c->mutex);
        c->count = c->count + 1;
        os_mutex_unlock(c->mutex);
    }
}

START_TEST(a_mutex_admits_one_thread_at_a_time)
{
    struct counter c = {.mutex = os_mutex_create()};
    struct os_thread *other = os_thread_start(count_up, &c);
    count_up(&c);
    os_thread_join(other);
    ck_assert_uint_eq(c.count, 200000);
    os_mutex_destroy(c.mutex);
}
END_TEST

static void read_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
}

START_TEST(a_started_thread_leaves_signals_to_the_first_but_its_own_faults)
{
    sigset_t mask;
    os_thread_join(os_thread_start(read_mask, &mask));
    ck_assert(sigismember(&mask, SIGTERM));
    ck_assert(sigismember(&mask, SIGINT));
    ck_assert(!sigismember(&mask, SIGSEGV));
    read_mask(&mask);
    ck_assert(!sigismember(&mask, SIGTERM));
}
END_TEST

START_TEST(a_wake_before_the_wait_is_kept_and_several_count_as_one)
{
    struct os_wake *wake = os_wake_create();
    os_wake_signal(wake);
    os_wake_signal(wake);
    uint64_t start = os_monotonic_ns();
    os_wake_wait(wake, UINT64_MAX);
    os_wake_wait(wake, 20 * MS);
    ck_assert_uint_ge(os_monotonic_ns() - start, 20 * MS);
    os_wake_destroy(wake);
}
END_TEST

START_TEST(a_readable_wait_tells_wake_data_end_and_nothing_apart)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct os_wake *wake = os_wake_create();
    ck_assert_int_eq(os_wait_readable(ends[0], os_wake_fd(wake), 10), OS_READY_NOTHING);
    ck_assert_int_eq(os_wait_readable(-1, -1, 10), OS_READY_NOTHING);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(os_wait_readable(ends[0], os_wake_fd(wake), -1), OS_READY_DATA);
    os_wake_signal(wake);
    ck_assert_int_eq(os_wait_readable(ends[0], os_wake_fd(wake), -1), OS_READY_WAKE);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[1]);
    ck_assert_int_eq(os_wait_readable(ends[0], -1, -1), OS_READY_DATA);
    close(ends[0]);
    os_wake_destroy(wake);
}
END_TEST

/* ---- the terminal ---- */

/* A pseudo-terminal; `other_end` keeps its settings alive when the child is gone. */
struct pty {
    int host, other_end;
};

static struct pty open_pty(void)
{
    struct pty p = {.host = posix_openpt(O_RDWR | O_NOCTTY)};
    ck_assert_int_ge(p.host, 0);
    ck_assert_int_eq(grantpt(p.host) | unlockpt(p.host), 0);
    p.other_end = open(ptsname(p.host), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(p.other_end, 0);
    return p;
}

static void close_pty(struct pty *p)
{
    close(p->host);
    close(p->other_end);
}

/* A child with the terminal as fd 0 goes raw, says so by a byte, and ends by the signal, or by
 * exit() when it is 0. Returns how it ended. */
static int end_in_raw_mode(struct pty *p, int signal_number)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct error err;
        dup2(p->other_end, STDIN_FILENO);
        if (!os_terminal_raw(&err) || !os_terminal_raw(&err))
            _exit(99);
        struct termios raw;
        tcgetattr(STDIN_FILENO, &raw);
        if ((raw.c_lflag & (ICANON | ECHO | ISIG)) || !(raw.c_oflag & OPOST))
            _exit(98);
        if (signal_number)
            raise(signal_number);
        exit(7);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void check_restored(const struct pty *p, const struct termios *before)
{
    struct termios after;
    ck_assert_int_eq(tcgetattr(p->other_end, &after), 0);
    ck_assert_uint_eq(after.c_iflag, before->c_iflag);
    ck_assert_uint_eq(after.c_oflag, before->c_oflag);
    ck_assert_uint_eq(after.c_cflag, before->c_cflag);
    ck_assert_uint_eq(after.c_lflag, before->c_lflag);
}

START_TEST(the_terminal_is_restored_at_exit)
{
    struct pty p = open_pty();
    struct termios before;
    ck_assert_int_eq(tcgetattr(p.other_end, &before), 0);
    ck_assert(before.c_lflag & ICANON);
    int status = end_in_raw_mode(&p, 0);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status 0x%x", status);
    check_restored(&p, &before);
    close_pty(&p);
}
END_TEST

START_TEST(the_terminal_is_restored_at_a_fatal_signal_which_still_kills)
{
    static const int fatal[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT};
    struct pty p = open_pty();
    struct termios before;
    ck_assert_int_eq(tcgetattr(p.other_end, &before), 0);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        signal(fatal[i], SIG_DFL);
        int status = end_in_raw_mode(&p, fatal[i]);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == fatal[i], "status 0x%x", status);
        check_restored(&p, &before);
    }
    close_pty(&p);
}
END_TEST

START_TEST(a_signal_that_somebody_ignores_stays_ignored_in_raw_mode)
{
    struct pty p = open_pty();
    signal(SIGHUP, SIG_IGN);
    int status = end_in_raw_mode(&p, SIGHUP);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status 0x%x", status);
    close_pty(&p);
}
END_TEST

START_TEST(raw_mode_of_a_pipe_is_an_error)
{
    int ends[2];
    struct error err;
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    ck_assert(!os_terminal_is_tty(STDIN_FILENO));
    ck_assert(!os_terminal_raw(&err));
    ck_assert_ptr_nonnull(strstr(err.text, "terminal"));
    os_terminal_restore();
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_library_has_symbols_once_it_is_loaded)
{
    struct error err;
    ck_assert(!os_library_load("libnonesuch.so.0", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "libnonesuch.so.0"));
    ck_assert_ptr_null(os_library_symbol("libnonesuch.so.0", "strlen"));
    ck_assert(os_library_load("libc.so.6", &err));
    ck_assert_ptr_nonnull(os_library_symbol("libc.so.6", "strlen"));
    ck_assert_ptr_null(os_library_symbol("libc.so.6", "no_such_function"));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("os");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_library_has_symbols_once_it_is_loaded);
    tcase_add_test(cases, monotonic_time_does_not_go_back_and_wall_time_is_of_this_century);
    tcase_add_test(cases, reserved_pages_are_zero_and_zero_again_after_a_discard);
    tcase_add_test(cases, a_reservation_that_cannot_be_is_null);
    tcase_add_test(cases, a_written_file_is_mapped_whole_and_replaces_the_longer_one);
    tcase_add_test(cases, missing_empty_and_special_files_are_errors_that_name_the_path);
    tcase_add_test(cases, a_file_that_cannot_be_written_is_an_error_that_names_it);
    tcase_add_test(cases, a_write_waits_for_a_full_pipe_and_loses_nothing);
    tcase_add_test(cases, a_write_to_nobody_fails);
    tcase_add_test(cases, a_mutex_admits_one_thread_at_a_time);
    tcase_add_test(cases, a_started_thread_leaves_signals_to_the_first_but_its_own_faults);
    tcase_add_test(cases, a_wake_before_the_wait_is_kept_and_several_count_as_one);
    tcase_add_test(cases, a_readable_wait_tells_wake_data_end_and_nothing_apart);
    tcase_add_test(cases, the_terminal_is_restored_at_exit);
    tcase_add_test(cases, the_terminal_is_restored_at_a_fatal_signal_which_still_kills);
    tcase_add_test(cases, a_signal_that_somebody_ignores_stays_ignored_in_raw_mode);
    tcase_add_test(cases, raw_mode_of_a_pipe_is_an_error);
    Suite *suite = suite_create("os");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

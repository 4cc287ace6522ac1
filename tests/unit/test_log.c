/* base/log.c: the guest log. */
#include "base/log.h"

#include "base/os.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct log_file {
    char path[32];
    struct log *log;
};

static struct log_file open_log(unsigned topics)
{
    struct log_file f = {.path = "/tmp/test_log.XXXXXX"};
    int fd = mkstemp(f.path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct error err;
    f.log = log_open(f.path, topics, &err);
    ck_assert_ptr_nonnull(f.log);
    return f;
}

/* Closes the log and checks that the whole file is `expected`. */
static void check_file(struct log_file *f, const char *expected)
{
    log_close(f->log);
    char text[16384] = "";
    FILE *file = fopen(f->path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    unlink(f->path);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_line_of_a_wanted_topic_is_written_and_no_other)
{
    struct log_file f = open_log(LOG_INT | LOG_MMU);
    log_line(f.log, LOG_INT, "trap %d", 5);
    log_line(f.log, LOG_STATS, "steps %d", 6);
    log_line(f.log, LOG_MMU, "walk");
    check_file(&f, "trap 5\nwalk\n");
}
END_TEST

START_TEST(topics_and_file_change_while_it_is_open)
{
    struct error err;
    struct log_file old = open_log(LOG_INT), other = open_log(0);
    log_line(old.log, LOG_INT, "first");
    log_set_topics(old.log, LOG_MMU);
    log_line(old.log, LOG_INT, "lost");
    log_line(old.log, LOG_MMU, "second");
    ck_assert(!log_set_file(old.log, "/nowhere/log", &err));
    ck_assert_str_eq(err.text, "cannot write log file /nowhere/log: No such file or directory");
    log_line(old.log, LOG_MMU, "third");
    log_close(other.log);
    ck_assert(log_set_file(old.log, other.path, &err));
    log_line(old.log, LOG_MMU, "fourth");
    other.log = old.log;
    check_file(&other, "fourth\n");
    old.log = NULL;
    check_file(&old, "first\nsecond\nthird\n");
}
END_TEST

START_TEST(lines_about_the_guest_say_so)
{
    struct log_file f = open_log(LOG_GUEST_ERRORS | LOG_UNIMP);
    log_line(f.log, LOG_GUEST_ERRORS, "uart: bad width");
    log_line(f.log, LOG_UNIMP, "rtc: no register at 0x%x", 0x24);
    check_file(&f, "guest: uart: bad width\nguest: rtc: no register at 0x24\n");
}
END_TEST

START_TEST(lines_about_the_host_say_so_and_are_limited)
{
    struct log_file f = open_log(LOG_HOST_ERRORS);
    char expected[8192] = "";
    size_t at = 0;
    for (int i = 0; i < 65; i++)
        log_line(f.log, LOG_HOST_ERRORS, "disk %d", i);
    for (int i = 0; i < 64; i++)
        at += (size_t)sprintf(expected + at, "host: disk %d\n", i);
    sprintf(expected + at, "host: 1 more lines of: disk %%d\n");
    check_file(&f, expected);
}
END_TEST

START_TEST(after_64_lines_a_source_is_only_counted_and_others_go_on)
{
    struct log_file f = open_log(LOG_GUEST_ERRORS);
    char expected[8192] = "";
    size_t at = 0;
    for (int i = 0; i < 100; i++)
        log_line(f.log, LOG_GUEST_ERRORS, "bad %d %%s", i);
    log_line(f.log, LOG_GUEST_ERRORS, "another");
    for (int i = 0; i < 64; i++)
        at += (size_t)sprintf(expected + at, "guest: bad %d %%s\n", i);
    sprintf(expected + at, "guest: another\nguest: 36 more lines of: bad %%d %%%%s\n");
    check_file(&f, expected);
}
END_TEST

START_TEST(traces_are_not_limited)
{
    struct log_file f = open_log(LOG_INT);
    char expected[8192] = "";
    for (int i = 0; i < 200; i++) {
        log_line(f.log, LOG_INT, "trap");
        strcat(expected, "trap\n");
    }
    check_file(&f, expected);
}
END_TEST

START_TEST(more_sources_than_the_table_holds_are_still_limited)
{
    struct log_file f = open_log(LOG_GUEST_ERRORS);
    char formats[400][8];
    for (int i = 0; i < 400; i++)
        sprintf(formats[i], "s%d", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
    for (int i = 0; i < 400; i++)
        for (int n = 0; n < 65; n++)
            log_line(f.log, LOG_GUEST_ERRORS, formats[i]);
#pragma GCC diagnostic pop
    log_line(f.log, LOG_GUEST_ERRORS, "the end");
    log_close(f.log);
    FILE *file = fopen(f.path, "r");
    ck_assert_ptr_nonnull(file);
    unsigned lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    unlink(f.path);
    ck_assert_uint_le(lines, 256 * 65);
}
END_TEST

START_TEST(a_line_is_in_the_file_before_the_log_is_closed)
{
    struct log_file f = open_log(LOG_INT);
    struct error err;
    struct os_file file;
    log_line(f.log, LOG_INT, "now");
    ck_assert(os_map_file(f.path, &file, &err));
    ck_assert_uint_eq(file.size, 4);
    os_unmap_file(&file);
    check_file(&f, "now\n");
}
END_TEST

START_TEST(a_null_log_wants_nothing_and_takes_every_line)
{
    ck_assert(!log_wants(NULL, LOG_GUEST_ERRORS));
    log_line(NULL, LOG_GUEST_ERRORS, "nobody reads this");
    log_close(NULL);
}
END_TEST

START_TEST(a_log_wants_its_topics_alone)
{
    struct error err;
    struct log *log = log_open(NULL, LOG_UNIMP, &err);
    ck_assert_ptr_nonnull(log);
    ck_assert(log_wants(log, LOG_UNIMP));
    ck_assert(!log_wants(log, LOG_INT));
    log_close(log);
}
END_TEST

START_TEST(a_path_that_cannot_be_written_is_named)
{
    struct error err;
    ck_assert_ptr_null(log_open("/nonexistent/x.log", LOG_INT, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/x.log"));
}
END_TEST

START_TEST(a_list_of_topics_is_their_union)
{
    struct error err;
    unsigned topics = 0;
    ck_assert(log_parse_topics("guest_errors", &topics, &err));
    ck_assert_uint_eq(topics, LOG_GUEST_ERRORS);
    ck_assert(log_parse_topics("unimp,int,mmu,stats", &topics, &err));
    ck_assert_uint_eq(topics, LOG_UNIMP | LOG_INT | LOG_MMU | LOG_STATS);
}
END_TEST

START_TEST(an_unknown_topic_is_an_error_that_lists_the_known_ones)
{
    struct error err;
    unsigned topics = 77;
    ck_assert(!log_parse_topics("int,mm", &topics, &err));
    ck_assert_uint_eq(topics, 77);
    ck_assert_ptr_nonnull(strstr(err.text, "'mm'"));
    ck_assert_ptr_nonnull(strstr(err.text, "guest_errors unimp int mmu stats"));
    ck_assert(!log_parse_topics("", &topics, &err));
    ck_assert(!log_parse_topics("int,", &topics, &err));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("log");
    tcase_add_test(cases, a_line_of_a_wanted_topic_is_written_and_no_other);
    tcase_add_test(cases, topics_and_file_change_while_it_is_open);
    tcase_add_test(cases, lines_about_the_guest_say_so);
    tcase_add_test(cases, lines_about_the_host_say_so_and_are_limited);
    tcase_add_test(cases, after_64_lines_a_source_is_only_counted_and_others_go_on);
    tcase_add_test(cases, traces_are_not_limited);
    tcase_add_test(cases, more_sources_than_the_table_holds_are_still_limited);
    tcase_add_test(cases, a_line_is_in_the_file_before_the_log_is_closed);
    tcase_add_test(cases, a_null_log_wants_nothing_and_takes_every_line);
    tcase_add_test(cases, a_log_wants_its_topics_alone);
    tcase_add_test(cases, a_path_that_cannot_be_written_is_named);
    tcase_add_test(cases, a_list_of_topics_is_their_union);
    tcase_add_test(cases, an_unknown_topic_is_an_error_that_lists_the_known_ones);
    Suite *suite = suite_create("log");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

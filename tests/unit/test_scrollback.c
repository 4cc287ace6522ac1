/* What a console has said, shown in places of different sizes. */
#include "debug/scrollback.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_text(struct scrollback *s, const char *text)
{
    scrollback_write(s, (const uint8_t *)text, strlen(text));
}

/* The rows of a place, with '|' between them. */
static const char *show(const struct scrollback *s, unsigned rows, unsigned columns, unsigned back)
{
    static struct sheet sheet;
    static char text[4096];
    size_t used = 0;
    sheet_begin(&sheet, rows, columns);
    scrollback_show(s, &sheet, back);
    for (unsigned i = 0; i < sheet.used; i++) {
        memcpy(text + used, sheet.row[i].text, sheet.row[i].used);
        used += sheet.row[i].used;
        text[used++] = '|';
    }
    text[used] = 0;
    return text;
}

/* What is left of the text in one wide row. */
static void check_text(const char *text, const char *row)
{
    struct scrollback *s = scrollback_create();
    write_text(s, text);
    ck_assert_str_eq(show(s, 1, 200, 0), row);
    scrollback_destroy(s);
}

START_TEST(the_last_lines_are_shown_and_others_by_going_back)
{
    struct scrollback *s = scrollback_create();
    write_text(s, "one\r\ntwo\nthree\nfour");
    ck_assert_str_eq(show(s, 2, 20, 0), "three|four|");
    ck_assert_str_eq(show(s, 2, 20, 1), "two|three|");
    ck_assert_str_eq(show(s, 2, 20, 99), "one|two|");
    ck_assert_str_eq(show(s, 9, 20, 1), "one|two|three|four|");
    scrollback_destroy(s);
}
END_TEST

START_TEST(a_long_line_takes_several_rows)
{
    struct scrollback *s = scrollback_create();
    write_text(s, "a\n0123456789\nb");
    ck_assert_str_eq(show(s, 9, 4, 0), "a|0123|4567|89|b|");
    ck_assert_str_eq(show(s, 3, 4, 0), "4567|89|b|");
    ck_assert_str_eq(show(s, 3, 4, 1), "0123|4567|89|");
    ck_assert_str_eq(show(s, 9, 5, 0), "a|01234|56789|b|");
    ck_assert_str_eq(show(s, 3, 0, 0), "");
    scrollback_destroy(s);
}
END_TEST

START_TEST(a_place_of_any_size_goes_back_as_far_as_there_is_text)
{
    struct scrollback *s = scrollback_create();
    struct sheet *sheet = malloc(sizeof *sheet);
    for (unsigned i = 0; i < 5000; i++)
        write_text(s, i % 3 ? "a line of some length\n" : "\n");
    for (unsigned columns = 1; columns < 40; columns += 6)
        for (unsigned rows = 1; rows < SHEET_ROWS_MOST + 5; rows += 7) {
            sheet_begin(sheet, rows, columns);
            unsigned back = scrollback_show(s, sheet, 1u << 20);
            ck_assert_uint_eq(sheet->used, sheet->rows);
            ck_assert_uint_gt(back, 1000);
            sheet_begin(sheet, rows, columns);
            ck_assert_uint_eq(scrollback_show(s, sheet, back + 1), back);
        }
    free(sheet);
    scrollback_destroy(s);
}
END_TEST

START_TEST(controls_of_a_terminal_work_in_the_last_line)
{
    check_text("abc\rx", "xbc|");
    check_text("abc\b\bx", "axc|");
    check_text("a\tb", "a       b|");
    check_text("abc\033[2Dx", "axc|");
    check_text("abc\r\033[Cx", "axc|");
    check_text("abcdef\b\b\b\033[K", "abc|");
    check_text("abc\r\033[J", "|");
    check_text("\033[1;32mgreen\033[0m", "green|");
    check_text("\033]0;a title\007text", "text|");
    check_text("a\007\001\177b\033[6n", "ab|");
    check_text("x\033[5Gy", "x   y|");
    check_text("\b\b\033[99999999999Da", "a|");
}
END_TEST

START_TEST(characters_of_several_bytes_are_one)
{
    check_text("\303\251\303\250\bx", "\303\251x|");
    check_text("abc\r\303\251", "\303\251bc|");
    check_text("\303\251b\r\303\250", "\303\250b|");
    check_text("\303\251\b\bxy", "xy|");
}
END_TEST

START_TEST(no_bytes_leave_the_line)
{
    struct scrollback *s = scrollback_create();
    uint64_t state = 1;
    for (unsigned i = 0; i < 200000; i++) {
        static const char controls[] = "\b\r\t\033[CDGKJ0123\303\251\251";
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint8_t byte = state >> 63 ? (uint8_t)controls[(state >> 40) % (sizeof controls - 1)]
                                   : (uint8_t)(state >> 50);
        scrollback_write(s, &byte, 1);
        if (i % 5000 == 0)
            show(s, 10, 60, i % 7);
    }
    scrollback_destroy(s);
}
END_TEST

START_TEST(the_cursor_is_behind_what_was_written_last)
{
    static const struct {
        const char *text;
        unsigned row, column;
    } cases[] = {{"", 0, 0}, {"a\nb ", 1, 2}, {"12345", 1, 1}, {"ab\b", 0, 1}, {"\303\251", 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scrollback *s = scrollback_create();
        struct sheet *sheet = malloc(sizeof *sheet);
        unsigned row, column;
        write_text(s, cases[i].text);
        sheet_begin(sheet, 5, 4);
        scrollback_show(s, sheet, 0);
        scrollback_cursor(s, sheet, &row, &column);
        ck_assert_uint_eq(row, cases[i].row);
        ck_assert_uint_eq(column, cases[i].column);
        free(sheet);
        scrollback_destroy(s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scrollback");
    TCase *c = tcase_create("scrollback");
    tcase_add_test(c, the_last_lines_are_shown_and_others_by_going_back);
    tcase_add_test(c, a_long_line_takes_several_rows);
    tcase_add_test(c, a_place_of_any_size_goes_back_as_far_as_there_is_text);
    tcase_add_test(c, controls_of_a_terminal_work_in_the_last_line);
    tcase_add_test(c, characters_of_several_bytes_are_one);
    tcase_add_test(c, no_bytes_leave_the_line);
    tcase_add_test(c, the_cursor_is_behind_what_was_written_last);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

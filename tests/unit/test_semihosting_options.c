/* -semihosting and -semihosting-config. */
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

START_TEST(semihosting_is_off_unless_it_is_asked_for)
{
    PARSE("Image");
    ck_assert(!o.machine.semihosting.is_enabled);
    ck_assert_ptr_null(o.machine.semihosting.folder);
}
END_TEST

START_TEST(semihosting_alone_gives_no_files_and_nothing_to_user_mode)
{
    PARSE("Image -semihosting");
    ck_assert(o.machine.semihosting.is_enabled);
    ck_assert(!o.machine.semihosting.in_user_mode);
    ck_assert_ptr_null(o.machine.semihosting.folder);
    ck_assert_ptr_null(o.machine.semihosting.command_line);
}
END_TEST

START_TEST(the_configuration_enables_it_too)
{
    PARSE("Image -semihosting-config target=native,userspace=on,dir=/tmp,chardev=c");
    ck_assert(o.machine.semihosting.is_enabled);
    ck_assert(o.machine.semihosting.in_user_mode);
    ck_assert_str_eq(o.machine.semihosting.folder, "/tmp");
    ck_assert_str_eq(o.machine.semihosting.chardev, "c");
}
END_TEST

START_TEST(it_can_be_switched_off)
{
    PARSE("Image -semihosting -semihosting-config enable=off");
    ck_assert(!o.machine.semihosting.is_enabled);
}
END_TEST

START_TEST(arguments_are_one_line)
{
    PARSE("Image -semihosting-config on,arg=prog,arg=a,,b,arg= -semihosting-config on,arg=c");
    ck_assert_str_eq(o.machine.semihosting.command_line, "prog a,b  c");
}
END_TEST

START_TEST(a_wrong_configuration_is_refused)
{
    static const struct bad_line bad[] = {
        {"-semihosting-config enable=2", "-semihosting-config enable=2: enable=2: it can be on or"},
        {"-semihosting-config target=gdb",
         "-semihosting-config target=gdb: target=gdb is not there"},
        {"-semihosting-config dirr=x",
         "-semihosting-config dirr=x: unknown property 'dirr'; the nearest is dir"},
        {"-semihosting-config on,dir", "-semihosting-config on,dir: dir needs a value"},
        {"-semihosting-config dir", "-semihosting-config dir: dir needs a value: dir=..."},
        {"Image -semihosting-config", "-semihosting-config needs an argument"},
    };
    CHECK_BAD(bad);
}
END_TEST

START_TEST(too_long_a_command_line_is_refused)
{
    char line[2000] = "Image";
    struct options o;
    struct error err = {""};
    for (unsigned i = 0; i < 11; i++) /* of 93 letters and a space each */
        snprintf(line + strlen(line), sizeof line - strlen(line), " -semihosting-config arg=%093u",
                 i);
    ck_assert(!parse(line, &o, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "at most 1023 bytes"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("semihosting options");
    TCase *tc = tcase_create("semihosting options");
    tcase_add_test(tc, semihosting_is_off_unless_it_is_asked_for);
    tcase_add_test(tc, semihosting_alone_gives_no_files_and_nothing_to_user_mode);
    tcase_add_test(tc, the_configuration_enables_it_too);
    tcase_add_test(tc, it_can_be_switched_off);
    tcase_add_test(tc, arguments_are_one_line);
    tcase_add_test(tc, a_wrong_configuration_is_refused);
    tcase_add_test(tc, too_long_a_command_line_is_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* -record, -replay and -history, and what does not go with them. */
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

START_TEST(a_past_counts_steps_and_leaves_disks_alone)
{
    static const char *const lines[] = {"Image -record f", "Image -replay f", "Image -history 64M",
                                        "Image -icount 3,rr=record,rrfile=f"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char line[64];
        struct options o;
        struct error err = {""};
        strcpy(line, lines[i]);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert(o.machine.icount && o.machine.snapshot);
    }
}
END_TEST

START_TEST(what_does_not_go_with_a_past_is_refused)
{
    static const struct bad_line bad[] = {
        {"Image -record A -replay B", "-replay B: there is the recording A already"},
        {"Image -replay A -record B", "-record B: there is the recording A already"},
        {"Image -icount 1,rr=record", "-icount rr= needs the file of the recording"},
        {"Image -record A -save-load 1s", "-save-load goes on in a new machine"},
        {"Image -history 64M -save-load 1s", "-save-load goes on in a new machine"},
        {"Image -record A -fork-server", "-fork-server runs cases from one moment"},
        {"Image -history 0", "-history 0: not a size"},
    };
    CHECK_BAD(bad);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past options");
    TCase *tc = tcase_create("past options");
    tcase_add_test(tc, a_past_counts_steps_and_leaves_disks_alone);
    tcase_add_test(tc, what_does_not_go_with_a_past_is_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

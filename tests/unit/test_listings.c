/* What `help` as an argument shows. */
#include "frontend/listings.h"
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

START_TEST(help_as_an_argument_asks_for_a_list)
{
    static const struct {
        const char *line;
        enum options_action action;
        const char *shown;
    } cases[] = {
        {"-machine help", ACTION_LIST_MACHINES, "\nvirt                 RISC-V VirtIO board"},
        {"-M ? -nonsense", ACTION_LIST_MACHINES, "RISC-V VirtIO board"},
        {"-cpu help", ACTION_LIST_CPUS, "\nmax\n"},
        {"-device help", ACTION_LIST_DEVICES, "\nname \"virtio-rng-device\", bus virtio-bus\n"},
        {"-device loader,help", ACTION_LIST_PROPERTIES, "loader options:\n  file=\n"},
        {"-device virtio-blk-pci,?", ACTION_LIST_PROPERTIES, "\n  werror=\n"},
        {"-device virtio-blk-pci,help", ACTION_LIST_PROPERTIES, "\n  addr=\n"},
        {"-device simple-framebuffer,help", ACTION_LIST_PROPERTIES, "\n  format=a8r8g8b8|x8r8g8b8"},
        {"-netdev help", ACTION_LIST_NETDEVS, "\nsocket\n"},
        {"-chardev help", ACTION_LIST_CHARDEVS, "\n  ringbuf\n"},
        {"-object help", ACTION_LIST_OBJECTS, "\n  filter-dump\n"},
        {"-display help", ACTION_LIST_DISPLAYS, "\nvnc\n"},
        {"-accel help", ACTION_LIST_ACCELERATORS, "tcg\n"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct options o;
        struct error err = {""};
        char line[64];
        snprintf(line, sizeof line, "%s", cases[i].line);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert_int_eq(o.action, cases[i].action);
        char text[4096] = "";
        FILE *out = fmemopen(text, sizeof text - 1, "w");
        ck_assert(listing_print(&o, out, &err));
        fclose(out);
        ck_assert_ptr_nonnull(strstr(text, cases[i].shown));
    }
}
END_TEST

START_TEST(a_device_that_is_not_there_takes_nothing)
{
    PARSE("-device virtio-blk,help");
    ck_assert(!listing_print(&o, stdout, &err));
    ck_assert_str_eq(err.text,
                     "-device virtio-blk: there is no such device; -device help lists all");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listings");
    TCase *tc = tcase_create("listings");
    tcase_add_test(tc, help_as_an_argument_asks_for_a_list);
    tcase_add_test(tc, a_device_that_is_not_there_takes_nothing);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

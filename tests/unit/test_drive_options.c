/* QEMU's short words for disks, and what is to be done at the guest's end. */
#include "tests/unit/options_rig.h"

#include "base/bits.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

static const char *text_of(const struct machine_option *option, const char *name)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return NULL;
}

START_TEST(the_short_words_for_disks_are_drives_in_their_order)
{
    PARSE("Image -hdb b,c.raw -hda a -cdrom cd.iso -hdc c -hdd d");
    const struct machine_options *drives = &o.machine.drives;
    static const char *const files[] = {"b,c.raw", "a", "cd.iso", "c", "d"};
    ck_assert_uint_eq(drives->count, 5);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_str_eq(text_of(&drives->items[i], "file"), files[i]);
    ck_assert_str_eq(text_of(&drives->items[2], "media"), "cdrom");
    ck_assert_ptr_null(text_of(&drives->items[0], "media"));
}
END_TEST

START_TEST(actions_are_the_switches_of_the_same_meaning)
{
    PARSE("Image -action reboot=shutdown,shutdown=pause,panic=none");
    ck_assert(o.machine.no_reboot && o.no_shutdown);
}
END_TEST

START_TEST(a_later_action_takes_an_earlier_one_back)
{
    PARSE("Image -no-reboot -no-shutdown -action reboot=reset -action shutdown=poweroff");
    ck_assert(!o.machine.no_reboot && !o.no_shutdown);
}
END_TEST

START_TEST(wrong_actions_are_refused)
{
    static const struct bad_line lines[] = {
        {"Image -action reboot=maybe", "-action reboot=maybe: reboot=maybe is not there yet; it "},
        {"Image -action reboot", "-action reboot: reboot needs a value"},
        {"Image -action explode=now", "-action explode=now: unknown property 'explode'"},
        {"Image -hda", "-hda needs"},
    };
    CHECK_BAD(lines);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drive_options");
    TCase *c = tcase_create("drive_options");
    suite_add_tcase(s, c);
    tcase_add_test(c, the_short_words_for_disks_are_drives_in_their_order);
    tcase_add_test(c, actions_are_the_switches_of_the_same_meaning);
    tcase_add_test(c, a_later_action_takes_an_earlier_one_back);
    tcase_add_test(c, wrong_actions_are_refused);
    return run_suite(s);
}

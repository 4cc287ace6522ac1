/* -chardev, and what -serial spells. */
#include "tests/unit/options_rig.h"

#include <stdlib.h>

/* What the last -chardev says, as "key=value ..."; a word alone as it is. */
static const char *last_chardev(const struct options *o, char *text, size_t size)
{
    const struct machine_option *c = &o->machine.chardevs.items[o->machine.chardevs.count - 1];
    size_t n = 0;
    for (unsigned i = 0; i < c->count; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s%s%s", n ? " " : "", c->items[i].name,
                              c->items[i].value ? "=" : "",
                              c->items[i].value ? c->items[i].value : "");
    return text;
}

START_TEST(the_serial_port_goes_to_a_back_end)
{
    static const struct {
        const char *words, *chardev;
    } cases[] = {
        {"Image -serial pty", "type=pty id=serial0"},
        {"Image -serial pipe:/tmp/p", "type=pipe id=serial0 path=/tmp/p"},
        {"Image -serial unix:/tmp/a=b,server,nowait",
         "type=socket id=serial0 path=/tmp/a=b server wait=off"},
        {"Image -serial tcp:host:1,server=on,wait=off",
         "type=socket id=serial0 host=host port=1 server=on wait=off"},
        {"Image -serial tcp::1", "type=socket id=serial0 host= port=1"},
        {"Image -serial tcp:[::1]:1", "type=socket id=serial0 host=::1 port=1"},
        {"Image -serial telnet:localhost:23,server",
         "type=socket id=serial0 telnet=on host=localhost port=23 server"},
        {"Image -serial null -serial file:f", "type=file id=serial1 path=f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], line[128];
        struct options o;
        struct error err = {""};
        strcpy(line, cases[i].words);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert_str_eq(last_chardev(&o, text, sizeof text), cases[i].chardev);
        ck_assert_int_eq(o.serial, o.serial_count == 1 ? SERIAL_CHARDEV : SERIAL_NULL);
        if (o.serial_count == 1)
            ck_assert_str_eq(o.machine.serial_chardev, "serial0");
    }
}
END_TEST

START_TEST(a_back_end_has_a_name_that_the_serial_port_gives)
{
    char text[256];
    PARSE("Image -chardev socket,id=s,path=p,server,nowait -serial chardev:s");
    ck_assert_str_eq(last_chardev(&o, text, sizeof text),
                     "type=socket id=s path=p server wait=off");
    ck_assert_str_eq(o.machine.serial_chardev, "s");
}
END_TEST

START_TEST(a_stdio_back_end_has_the_terminal)
{
    PARSE("Image -nographic -chardev stdio,id=s -device virtio-serial-device "
          "-device virtconsole,chardev=s");
    ck_assert(o.has_stdio_chardev);
    ck_assert_int_eq(o.serial, SERIAL_NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("character options");
    TCase *c = tcase_create("ends");
    tcase_add_test(c, the_serial_port_goes_to_a_back_end);
    tcase_add_test(c, a_back_end_has_a_name_that_the_serial_port_gives);
    tcase_add_test(c, a_stdio_back_end_has_the_terminal);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

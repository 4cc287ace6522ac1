/* -chardev, what -serial spells, and where monitors are. */
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

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

START_TEST(standard_input_has_one_user_or_two_that_share_it)
{
    static const struct {
        const char *words;
        enum serial_kind serial;
        bool has_monitor, shares;
    } lines[] = {
        {"Image", SERIAL_STDIO, true, true},
        {"Image -nographic", SERIAL_STDIO, true, true},
        {"Image -serial mon:stdio", SERIAL_STDIO, true, true},
        {"Image -serial stdio", SERIAL_STDIO, false, false},
        {"Image -monitor none", SERIAL_STDIO, false, false},
        {"Image -monitor stdio", SERIAL_NULL, true, false},
        {"Image -nographic -serial null -monitor stdio", SERIAL_NULL, true, false},
        {"Image -serial file:x", SERIAL_FILE, false, false},
    };
    static const struct bad_line bad[] = {
        {"Image -monitor stdio -serial stdio",
         "the monitor and the serial port cannot both have stdio"},
        {"Image -monitor stdio -serial mon:stdio",
         "the monitor and the serial port cannot both have stdio"},
        {"Image -nographic -monitor stdio",
         "the monitor and the serial port cannot both have stdio"},
        {"Image -qmp stdio -nographic", "QMP and the serial port cannot both have stdio"},
        {"Image -qmp stdio -serial stdio", "QMP and the serial port cannot both have stdio"},
        {"Image -qmp stdio -monitor stdio", "QMP and the monitor cannot both have stdio"},
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options o;
        struct error err;
        char words[64];
        snprintf(words, sizeof words, "%s", lines[i].words);
        ck_assert_msg(parse(words, &o, &err), "%s", err.text);
        ck_assert_int_eq(o.serial, lines[i].serial);
        ck_assert_int_eq(o.has_monitor, lines[i].has_monitor);
        ck_assert_int_eq(o.shares_stdio, lines[i].shares);
    }
    CHECK_BAD(bad);
}
END_TEST

START_TEST(monitors_are_at_character_back_ends)
{
    PARSE("Image -monitor unix:/tmp/m,server=on,wait=off -qmp tcp::4444,server=on,wait=off "
          "-chardev pty,id=p -mon p -monitor telnet::23,server=on -chardev stdio,id=s,mux=on "
          "-serial chardev:s -mon chardev=s,mode=readline");
    static const struct {
        enum remote_kind kind;
        const char *chardev;
        bool echo;
    } remotes[] = {{REMOTE_MONITOR, "compat_monitor0", false},
                   {REMOTE_QMP, "compat_monitor1", false},
                   {REMOTE_MONITOR, "p", true},
                   {REMOTE_MONITOR, "compat_monitor3", true}};
    ck_assert_uint_eq(o.remote_count, ARRAY_LEN(remotes));
    for (size_t i = 0; i < ARRAY_LEN(remotes); i++) {
        ck_assert_int_eq(o.remotes[i].kind, remotes[i].kind);
        ck_assert_str_eq(o.remotes[i].chardev, remotes[i].chardev);
        ck_assert_int_eq(o.remotes[i].echo, remotes[i].echo);
    }
    ck_assert(o.shares_stdio && o.has_stdio_chardev);
}
END_TEST

START_TEST(gdb_may_come_at_a_socket_of_this_host)
{
    static const struct {
        const char *words, *chardev;
    } cases[] = {
        {"Image -s", "type=socket id=gdb0 host= port=1234 server=on wait=off"},
        {"Image -gdb tcp::1", "type=socket id=gdb0 host= port=1 server=on wait=off"},
        {"Image -gdb tcp:0.0.0.0:1", "type=socket id=gdb0 host=0.0.0.0 port=1 server=on wait=off"},
        {"Image -gdb unix:/tmp/g", "type=socket id=gdb0 path=/tmp/g server=on wait=off"},
        {"Image -gdb unix:/tmp/g,server=on,wait=on",
         "type=socket id=gdb0 path=/tmp/g server=on wait=on"},
        {"Image -gdb pty", "type=pty id=gdb0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], line[128];
        struct options o;
        struct error err = {""};
        strcpy(line, cases[i].words);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert_str_eq(last_chardev(&o, text, sizeof text), cases[i].chardev);
        ck_assert_uint_eq(o.remote_count, 1);
        ck_assert_int_eq(o.remotes[0].kind, REMOTE_GDB);
        ck_assert_str_eq(o.remotes[0].chardev, "gdb0");
    }
    PARSE("Image -gdb none");
    ck_assert_uint_eq(o.remote_count, 0);
}
END_TEST

START_TEST(gdb_may_come_at_a_back_end_that_is_there)
{
    PARSE("Image -chardev pty,id=g -gdb chardev:g");
    ck_assert_uint_eq(o.remote_count, 1);
    ck_assert_str_eq(o.remotes[0].chardev, "g");
    ck_assert(o.remotes[0].chardev > o.texts && o.remotes[0].chardev < o.texts + sizeof o.texts);
}
END_TEST

START_TEST(a_monitor_or_qmp_may_have_the_terminal_alone)
{
    static const struct {
        const char *words;
        bool has_monitor, has_qmp, is_pretty;
    } lines[] = {
        {"Image -qmp stdio", false, true, false},
        {"Image -qmp-pretty stdio", false, true, true},
        {"Image -nographic -serial null -qmp stdio", false, true, false},
        {"Image -chardev stdio,id=c -mon c,mode=control,pretty=on", false, true, true},
        {"Image -chardev stdio,id=c -mon c,mode=readline", true, false, false},
        {"Image -chardev stdio,id=c -mon chardev=c,id=m,mode=control", false, true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options o;
        struct error err;
        char words[80];
        snprintf(words, sizeof words, "%s", lines[i].words);
        ck_assert_msg(parse(words, &o, &err), "%s", err.text);
        ck_assert_int_eq(o.serial, SERIAL_NULL);
        ck_assert_int_eq(o.has_monitor, lines[i].has_monitor);
        ck_assert_int_eq(o.has_qmp, lines[i].has_qmp);
        ck_assert_int_eq(o.qmp_is_pretty, lines[i].is_pretty);
        ck_assert(!o.shares_stdio && !o.has_stdio_chardev);
        ck_assert_uint_eq(o.remote_count, 0);
    }
}
END_TEST

START_TEST(answers_at_a_socket_are_pretty_when_asked_for)
{
    PARSE("Image -qmp-pretty unix:a -qmp unix:b -chardev pty,id=p -mon p,mode=control,pretty=on");
    ck_assert_uint_eq(o.remote_count, 3);
    ck_assert(o.remotes[0].is_pretty && !o.remotes[1].is_pretty && o.remotes[2].is_pretty);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("character options");
    TCase *c = tcase_create("ends");
    tcase_add_test(c, the_serial_port_goes_to_a_back_end);
    tcase_add_test(c, gdb_may_come_at_a_socket_of_this_host);
    tcase_add_test(c, gdb_may_come_at_a_back_end_that_is_there);
    tcase_add_test(c, a_back_end_has_a_name_that_the_serial_port_gives);
    tcase_add_test(c, a_stdio_back_end_has_the_terminal);
    tcase_add_test(c, standard_input_has_one_user_or_two_that_share_it);
    tcase_add_test(c, monitors_are_at_character_back_ends);
    tcase_add_test(c, a_monitor_or_qmp_may_have_the_terminal_alone);
    tcase_add_test(c, answers_at_a_socket_are_pretty_when_asked_for);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

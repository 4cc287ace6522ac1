/* What -vnc takes: addresses, and who may be let in without a password. */
#include "frontend/vnc.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

static struct machine_option secrets[] = {
    {{{"qom-type", "secret"}, {"id", "s"}, {"data", "longer than eight"}}, 3},
    {{{"qom-type", "rng-random"}, {"id", "r"}}, 2},
    {{{"qom-type", "secret"}, {"id", "empty"}, {"data", ""}}, 3},
    {{{"qom-type", "secret"}, {"id", "nothing"}}, 2},
    {{{"qom-type", "secret"}, {"id", "absent"}, {"file", "/nonexistent/secret"}}, 3},
};
static const struct machine_options objects = {secrets, ARRAY_LEN(secrets)};

START_TEST(addresses_are_read_as_qemu_does)
{
    static const struct {
        const char *text, *host, *path;
        unsigned port, more;
    } cases[] = {
        {":0", "127.0.0.1", "", 5900, 0},
        {"localhost:7", "localhost", "", 5907, 0},
        {"127.1.2.3:100,to=120", "127.1.2.3", "", 6000, 20},
        {"[::1]:1", "::1", "", 5901, 0},
        {"unix:/tmp/a,,b", "", "/tmp/a,b", 0, 0},
        {":3,password-secret=s", "", "", 5903, 0},
        {"0.0.0.0:3,password=on,password-secret=s", "0.0.0.0", "", 5903, 0},
        {":3,password=off,share=force-shared", "127.0.0.1", "", 5903, 0},
        {":3,lossy=on,non-adaptive", "127.0.0.1", "", 5903, 0},
        {":3,password=on", "", "", 5903, 0},
        {"0.0.0.0:3,password", "0.0.0.0", "", 5903, 0},
        {"unix:/tmp/a,password=on", "", "/tmp/a", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct vnc_config c;
        struct error err;
        ck_assert_msg(vnc_config_parse(cases[i].text, &objects, &c, &err), "%s: %s", cases[i].text,
                      err.text);
        ck_assert_str_eq(c.host, cases[i].host);
        ck_assert_str_eq(c.path, cases[i].path);
        ck_assert_uint_eq(c.port, cases[i].port);
        ck_assert_uint_eq(c.more_ports, cases[i].more);
        bool has_password = strstr(cases[i].text, "secret") != NULL;
        bool asks = strstr(cases[i].text, "password") && !strstr(cases[i].text, "=off");
        ck_assert_str_eq(c.password, has_password ? "longer t" : "");
        ck_assert_int_eq(c.asks_password, asks);
    }
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "no display"},
        {":", "no display"},
        {":-1", "no display"},
        {":59636", "no display"},
        {"unix:", "needs a path"},
        {"192.168.1.1:0", "can be reached by others"},
        {"127.example.org:0", "can be reached by others"},
        {"0.0.0.0:0,password=off", "can be reached by others"},
        {":5,to=4", "the highest display"},
        {":5,to=99999", "the highest display"},
        {":5,sahre=ignore", "the nearest is share"},
        {":5,share=all", "allow-exclusive"},
        {":5,websocket=on", "websocket is not there yet"},
        {":5,password=perhaps", "on or off"},
        {"0.0.0.0:5", "give password=on"},
        {":5,password-secret=r", "there is no secret 'r'"},
        {":5,password-secret=empty", "the password is empty"},
        {":5,password-secret=nothing", "file=FILE or data=TEXT"},
        {":5,password-secret=absent", "/nonexistent/secret"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct vnc_config c;
        struct error err = {""};
        ck_assert_msg(!vnc_config_parse(cases[i].text, &objects, &c, &err), "%s", cases[i].text);
        ck_assert_msg(strstr(err.text, cases[i].reason) != NULL, "%s: %s", cases[i].text, err.text);
    }
}
END_TEST

START_TEST(a_password_in_a_file_ends_with_its_line)
{
    struct vnc_config c;
    struct error err;
    char path[] = "/tmp/rivulet-test-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "word\r\n", 6), 6);
    close(fd);
    struct machine_option option = {{{"qom-type", "secret"}, {"id", "f"}, {"file", path}}, 3};
    struct machine_options all = {&option, 1};
    ck_assert(vnc_config_parse(":0,password-secret=f", &all, &c, &err));
    ck_assert_str_eq(c.password, "word");
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vnc_config");
    TCase *tc = tcase_create("vnc_config");
    tcase_add_test(tc, addresses_are_read_as_qemu_does);
    tcase_add_test(tc, what_is_wrong_is_said);
    tcase_add_test(tc, a_password_in_a_file_ends_with_its_line);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

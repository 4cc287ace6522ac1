/* QMP: what a client sends, and what comes back. */
#include "cpu/peek.h"
#include "debug/qmp.h"
#include "debug/vnc_access.h"
#include "tests/unit/monitor_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define READY "{\"return\":{}}\r\n"

static struct qmp *open_qmp(struct monitor_rig *r)
{
    struct byte_sink out = monitor_out(r);
    monitor_open(r, 1);
    struct qmp *q = qmp_create(r->control, r->monitor, &out, false, &r->err);
    ck_assert_ptr_nonnull(q);
    return q;
}

static void close_qmp(struct monitor_rig *r, struct qmp *q)
{
    qmp_destroy(q);
    monitor_close(r);
}

static const char *send(struct monitor_rig *r, struct qmp *q, const char *text)
{
    r->said_bytes = 0;
    r->said[0] = 0;
    qmp_receive(q, (const uint8_t *)text, strlen(text));
    return r->said;
}

static struct qmp *negotiated(struct monitor_rig *r)
{
    struct qmp *q = open_qmp(r);
    qmp_greet(q);
    ck_assert_str_eq(send(r, q, "{\"execute\":\"qmp_capabilities\"}\n"), READY);
    return q;
}

START_TEST(a_client_is_greeted_and_must_negotiate_first)
{
    struct monitor_rig r;
    struct qmp *q = open_qmp(&r);
    qmp_greet(q);
    ck_assert_str_eq(r.said,
                     "{\"QMP\":{\"version\":{\"qemu\":{\"major\":0,\"minor\":1,\"micro\":0},"
                     "\"package\":\"Rivulet\"},\"capabilities\":[]}}\r\n");
    CHECK_IN(send(&r, q, "{\"execute\":\"stop\"}"),
             "\"desc\":\"Expecting capabilities negotiation with 'qmp_capabilities'\"");
    ck_assert_str_eq(send(&r, q, "{\"execute\":\"qmp_capabilities\"}"), READY);
    CHECK_IN(send(&r, q, "{\"execute\":\"qmp_capabilities\"}"), "is already complete");
    qmp_greet(q); /* another client */
    CHECK_IN(send(&r, q, "{\"execute\":\"stop\"}"), "Expecting capabilities");
    close_qmp(&r, q);
}
END_TEST

START_TEST(requests_may_be_cut_anywhere_and_need_no_lines)
{
    static const char text[] = " {\"execute\":\"query-kvm\", \"id\":{\"a\\\"}\":[1]}}"
                               "{\"execute\":\"query-status\",\"id\":2}\n\n";
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    r.said_bytes = 0;
    for (const char *c = text; *c; c++)
        qmp_receive(q, (const uint8_t *)c, 1);
    ck_assert_str_eq(
        r.said, "{\"return\":{\"enabled\":false,\"present\":false},\"id\":{\"a\\\"}\":[1]}}\r\n"
                "{\"return\":{\"running\":false,\"singlestep\":false,\"status\":\"prelaunch\"},"
                "\"id\":2}\r\n");
    close_qmp(&r, q);
}
END_TEST

START_TEST(what_is_wrong_is_answered_and_the_next_request_works)
{
    static const char *const lines[][2] = {
        {"hello\n", "\"desc\":\"JSON parse error\""},
        {"{\"execute\" \"stop\"}", "\"desc\":\"JSON parse error\""},
        {"}", "\"desc\":\"JSON parse error\""},
        {"[]", "\"desc\":\"QMP input must be a JSON object\""},
        {"{}", "\"desc\":\"QMP input lacks member 'execute'\""},
        {"{\"execute\":1,\"id\":7}", "\"id\":7"},
        {"{\"execute\":\"foo\"}",
         "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command "
         "foo has not been found\"}}\r\n"},
        {"{\"execute\":\"stop\",\"arguments\":3}", "must be an object"},
        {"{\"execute\":\"stop\",\"arguments\":{\"x\":1}}", "Parameter 'x' is unexpected"},
        {"{\"execute\":\"human-monitor-command\"}", "Parameter 'command-line' is missing"},
        {"{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":3}}",
         "Invalid parameter type for 'command-line', expected: string"},
        {"{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"\","
         "\"cpu-index\":1}}",
         "Parameter 'cpu-index' expects a CPU number"},
        {"{\"execute\":\"stop\",\"more\":1}", "QMP input member 'more' is unexpected"},
        {"{\"execute\":\"inject-nmi\"}", "not currently supported"},
        {"{\"execute\":\"system_wakeup\"}", "not supported"},
        {"{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"x\"}}", "has no display"},
        {"{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"x\",\"format\":\"gif\"}}",
         "format gif: it can be png or ppm"},
        {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":"
         "\"ctrl\"},{\"type\":\"qcode\",\"data\":\"a\"}]}}",
         "has no keyboard"},
        {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":[7]}}", "a key is {"},
        {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"data\":\"nokey\"}]}}",
         "there is no key 'nokey'"},
        {"{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"r\",\"size\":1}}",
         "there is no ringbuf 'r'"},
        {"{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"r\",\"size\":0}}",
         "expects a value greater than zero"},
        {"{\"execute\":\"pmemsave\",\"arguments\":{\"val\":0,\"size\":-1,\"filename\":\"x\"}}",
         "Parameter 'size' is negative"},
        {"{\"execute\":\"memsave\",\"arguments\":{\"val\":0,\"size\":1,\"filename\":"
         "\"/nowhere/x\"}}",
         "cannot write /nowhere/x: No such file"},
        {"{\"execute\":\"system_powerdown\"}", "no power button"},
    };
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        CHECK_IN(send(&r, q, lines[i][0]), lines[i][1]);
        ck_assert_str_eq(send(&r, q, "\n{\"execute\":\"stop\"}"), READY);
    }
    close_qmp(&r, q);
}
END_TEST

START_TEST(a_request_that_is_too_long_or_too_deep_is_refused)
{
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    send(&r, q, "{\"execute\":\"");
    for (unsigned i = 0; i < 200000; i++)
        qmp_receive(q, (const uint8_t *)"x", 1);
    CHECK_IN(send(&r, q, "\"}"), "\"desc\":\"the request is too long\"");
    for (unsigned i = 0; i < 65; i++)
        send(&r, q, "[");
    CHECK_IN(r.said, "\"desc\":\"JSON parse error\"");
    ck_assert_str_eq(send(&r, q, "{\"execute\":\"stop\"}"), READY);
    close_qmp(&r, q);
}
END_TEST

START_TEST(the_machine_is_steered_and_events_tell_of_it)
{
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    const char *said = send(&r, q, "{\"execute\":\"cont\"}");
    CHECK_IN(said, "{\"timestamp\":{\"seconds\":");
    CHECK_IN(said, "\"event\":\"RESUME\"}\r\n" READY);
    CHECK_IN(send(&r, q, "{\"execute\":\"query-status\"}"), "\"running\":true");
    CHECK_IN(send(&r, q, "{\"execute\":\"stop\"}"), "\"event\":\"STOP\"}\r\n" READY);
    CHECK_IN(
        send(&r, q, "{\"execute\":\"system_reset\"}"),
        "\"event\":\"RESET\",\"data\":{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}}");
    rig_type(r.rig, "q");
    send(&r, q, "{\"execute\":\"cont\"}");
    run_until_stopped(&r);
    CHECK_IN(r.said,
             "\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true,\"reason\":\"guest-shutdown\"}}");
    CHECK_IN(send(&r, q, "{\"execute\":\"query-status\"}"), "\"status\":\"shutdown\"");
    CHECK_IN(send(&r, q, "{\"execute\":\"cont\"}"), "\"class\":\"GenericError\"");
    ck_assert_str_eq(send(&r, q, "{\"execute\":\"quit\"}"), READY);
    ck_assert_int_eq(control_run(r.control, UINT64_MAX, 0, &r.err), CONTROL_QUIT);
    CHECK_IN(r.said, READY "{\"timestamp\":");
    CHECK_IN(r.said,
             "\"event\":\"SHUTDOWN\",\"data\":{\"guest\":false,\"reason\":\"host-qmp-quit\"}}");
    close_qmp(&r, q);
}
END_TEST

START_TEST(monitor_commands_and_lists_are_there)
{
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    ck_assert_str_eq(send(&r, q,
                          "{\"execute\":\"human-monitor-command\","
                          "\"arguments\":{\"command-line\":\"info status\"}}"),
                     "{\"return\":\"VM status: paused (prelaunch)\\n\"}\r\n");
    CHECK_IN(send(&r, q, "{\"execute\":\"query-commands\"}"), "{\"name\":\"query-commands\"}");
    CHECK_IN(send(&r, q, "{\"execute\":\"query-version\"}"), "\"package\":\"Rivulet\"");
    close_qmp(&r, q);
}
END_TEST

static void furnish(struct machine_config *config)
{
    static const struct machine_option drives[] = {
        {{{"file", "disk.img"}, {"format", "raw"}, {"if", "none"}, {"id", "d0"}}, 4},
        {{{"file", "other.img"},
          {"format", "raw"},
          {"id", "d1"},
          {"snapshot", "on"},
          {"cache", "unsafe"}},
         5}};
    static const struct machine_option chardevs[] = {{{{"type", "null"}, {"id", "c0"}}, 2}};
    config->name = "the name";
    config->serial_place = "mux";
    config->drives = (struct machine_options){drives, 2};
    config->chardevs = (struct machine_options){chardevs, 1};
}

START_TEST(the_machines_parts_are_listed)
{
    struct monitor_rig r;
    enter_temp_folder();
    ck_assert_int_eq(shell("truncate -s 1M disk.img other.img"), 0);
    monitor_open_with(&r, 2, furnish);
    struct byte_sink out = monitor_out(&r);
    struct qmp *q = qmp_create(r.control, r.monitor, &out, false, &r.err);
    qmp_greet(q);
    send(&r, q, "{\"execute\":\"qmp_capabilities\"}");
    const char *said = send(&r, q, "{\"execute\":\"query-block\"}");
    CHECK_IN(said, "{\"device\":\"d0\",\"type\":\"unknown\",\"removable\":false,\"locked\":false,"
                   "\"inserted\":{\"file\":\"disk.img\",\"drv\":\"raw\",\"ro\":false,");
    CHECK_IN(said, "\"virtual-size\":1048576,");
    CHECK_IN(said, "\"cache\":{\"writeback\":true,\"direct\":false,\"no-flush\":true}");
    ck_assert_ptr_eq(strstr(said, "io-status"), strstr(said, "io-status\":\"ok\"}]}"));
    CHECK_IN(send(&r, q, "{\"execute\":\"query-chardev\"}"),
             "[{\"label\":\"serial0\",\"filename\":\"mux\",\"frontend-open\":true},"
             "{\"label\":\"c0\",\"filename\":\"null\",\"frontend-open\":false}]");
    said = send(&r, q, "{\"execute\":\"query-cpus-fast\"}");
    CHECK_IN(said, "\"cpu-index\":1,");
    CHECK_IN(said, "\"qom-path\":\"/machine/soc0/harts[1]\",\"target\":\"riscv64\"}]");
    CHECK_IN(send(&r, q, "{\"execute\":\"query-name\"}"), "{\"name\":\"the name\"}");
    CHECK_IN(send(&r, q, "{\"execute\":\"query-memory-size-summary\"}"),
             "{\"base-memory\":8388608}");
    qmp_destroy(q);
    monitor_close(&r);
    leave_temp_folder();
}
END_TEST

START_TEST(every_command_answers)
{
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    char list[8192], request[128], name[64];
    snprintf(list, sizeof list, "%s", send(&r, q, "{\"execute\":\"query-commands\"}"));
    unsigned count = 0;
    for (const char *at = list; (at = strstr(at, "\"name\":\"")) != NULL; count++) {
        at += strlen("\"name\":\"");
        ck_assert_int_eq(sscanf(at, "%63[^\"]", name), 1);
        snprintf(request, sizeof request, "{\"execute\":\"%s\",\"id\":1}", name);
        CHECK_IN(send(&r, q, request), "\"id\":1}\r\n");
    }
    ck_assert_uint_ge(count, 25);
    close_qmp(&r, q);
}
END_TEST

START_TEST(memory_is_written_to_a_file)
{
    struct monitor_rig r;
    uint64_t word = 0x1122334455667788;
    enter_temp_folder();
    struct qmp *q = negotiated(&r);
    const struct hart *h = machine_hart(r.rig->m, 0);
    ck_assert(poke_physical(h->ports.memory, RIG_RAM + 0x1ffe, &word, sizeof word));
    ck_assert_str_eq(send(&r, q,
                          "{\"execute\":\"pmemsave\",\"arguments\":{\"val\":2147491838,"
                          "\"size\":8,\"filename\":\"a b\"}}"),
                     READY);
    ck_assert_int_eq(shell("test \"$(od -An -tx8 'a b' | tr -d ' ')\" = 1122334455667788"), 0);
    CHECK_ASK(&r, "memsave 0x80001ffe 8 \"c d\"", "");
    ck_assert_int_eq(shell("cmp 'a b' 'c d'"), 0);
    CHECK_ASK(&r, "pmemsave 0x10000000 1 x", "Error: there is no memory at 0x10000000\n");
    CHECK_ASK(&r, "pmemsave 0x80000000 1", "Error: give an address, a size and a file\n");
    close_qmp(&r, q);
    leave_temp_folder();
}
END_TEST

static bool note_password(void *owner, const char *password, struct error *err)
{
    snprintf(owner, 16, "%s", password);
    return *password || error_set(err, "not that one");
}

static bool note_expiry(void *owner, uint64_t seconds, struct error *err)
{
    (void)err;
    snprintf(owner, 16, "%llu", (unsigned long long)seconds);
    return true;
}

START_TEST(passwords_reach_the_vnc_server_if_there_is_one)
{
    static const char set[] = "{\"execute\":\"set_password\",\"arguments\":{\"protocol\":\"vnc\","
                              "\"password\":\"word\",\"display\":\"mine\"}}";
    static const char change[] = "{\"execute\":\"change-vnc-password\",\"arguments\":"
                                 "{\"password\":\"%s\"}}";
    static const char expire[] = "{\"execute\":\"expire_password\",\"arguments\":"
                                 "{\"protocol\":\"vnc\",\"time\":\"%s\"}}";
    char noted[16] = "", request[160];
    const struct vnc_access vnc = {note_password, note_expiry, noted, "mine"};
    struct monitor_rig r;
    struct qmp *q = negotiated(&r);
    CHECK_IN(send(&r, q, set), "there is no VNC server; start it with");
    monitor_set_vnc(r.monitor, &vnc);
    ck_assert_str_eq(send(&r, q, set), READY);
    ck_assert_str_eq(noted, "word");
    snprintf(request, sizeof request, change, "other");
    ck_assert_str_eq(send(&r, q, request), READY);
    ck_assert_str_eq(noted, "other");
    snprintf(request, sizeof request, change, "");
    CHECK_IN(send(&r, q, request), "\"desc\":\"not that one\"");
    snprintf(request, sizeof request, expire, "4294967296");
    ck_assert_str_eq(send(&r, q, request), READY);
    ck_assert_str_eq(noted, "4294967296");
    snprintf(request, sizeof request, expire, "+18446744073709551615");
    CHECK_IN(send(&r, q, request), "is no time: give now, never, +SECONDS");
    close_qmp(&r, q);
}
END_TEST

START_TEST(a_pretty_answer_has_several_lines)
{
    struct monitor_rig r;
    struct byte_sink out = monitor_out(&r);
    monitor_open(&r, 1);
    struct qmp *q = qmp_create(r.control, r.monitor, &out, true, &r.err);
    qmp_greet(q);
    send(&r, q, "{\"execute\":\"qmp_capabilities\"}");
    ck_assert_str_eq(send(&r, q, "{\"execute\":\"query-target\"}"),
                     "{\n    \"return\": {\n        \"arch\": \"riscv64\"\n    }\n}\r\n");
    close_qmp(&r, q);
}
END_TEST

START_TEST(a_monitor_command_may_be_about_another_hart)
{
    struct monitor_rig r;
    struct byte_sink out = monitor_out(&r);
    monitor_open(&r, 2);
    struct qmp *q = qmp_create(r.control, r.monitor, &out, false, &r.err);
    qmp_greet(q);
    send(&r, q, "{\"execute\":\"qmp_capabilities\"}");
    CHECK_IN(send(&r, q,
                  "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
                  "\"p $mhartid\",\"cpu-index\":1}}"),
             "\"0x1\\n\"");
    CHECK_IN(ask(&r, "info cpus"), "* CPU #0");
    close_qmp(&r, q);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qmp");
    TCase *c = tcase_create("qmp");
    tcase_add_test(c, a_client_is_greeted_and_must_negotiate_first);
    tcase_add_test(c, requests_may_be_cut_anywhere_and_need_no_lines);
    tcase_add_test(c, what_is_wrong_is_answered_and_the_next_request_works);
    tcase_add_test(c, a_request_that_is_too_long_or_too_deep_is_refused);
    tcase_add_test(c, the_machine_is_steered_and_events_tell_of_it);
    tcase_add_test(c, monitor_commands_and_lists_are_there);
    tcase_add_test(c, the_machines_parts_are_listed);
    tcase_add_test(c, every_command_answers);
    tcase_add_test(c, memory_is_written_to_a_file);
    tcase_add_test(c, passwords_reach_the_vnc_server_if_there_is_one);
    tcase_add_test(c, a_pretty_answer_has_several_lines);
    tcase_add_test(c, a_monitor_command_may_be_about_another_hart);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

/* machine/chardevs.c and serial_ports.c: what -chardev and virtio-serial's drivers say; a serial
 * port at a socket; back-ends that one machine takes over from another. */
#include "base/os_net.h"
#include "devices/chardev/chardev.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <check.h>

#define MANY 6u

/* A machine with a busy program, and options in pieces such as "driver=x,bus=y". */
struct setting {
    struct program program;
    struct machine_config config;
    struct machine_option chardevs[MANY], devices[MANY];
    char texts[2 * MANY][128];
    unsigned text_count;
};

static void setting_init(struct setting *s)
{
    memset(s, 0, sizeof *s);
    program_begin(&s->program);
    put_busy_program(&s->program.a, 1);
    program_end(&s->program);
    s->config = rig_config(&s->program, 1);
}

static void setting_free(struct setting *s)
{
    unlink(s->program.path);
}

static void add(struct setting *s, struct machine_options *list, struct machine_option *items,
                const char *text)
{
    struct machine_option *option = &items[list->count++];
    char *copy = strcpy(s->texts[s->text_count++], text), *rest;
    list->items = items;
    option->count = 0;
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = 0;
        option->items[option->count++] =
            (struct machine_property){word, equals ? equals + 1 : NULL};
    }
}

static void add_chardev(struct setting *s, const char *text)
{
    add(s, &s->config.chardevs, s->chardevs, text);
}

static void add_device(struct setting *s, const char *text)
{
    add(s, &s->config.devices, s->devices, text);
}

static void clear(struct setting *s)
{
    s->config.chardevs.count = s->config.devices.count = s->text_count = 0;
}

static void check_refused(const struct setting *s, const char *text)
{
    struct error err = {""};
    ck_assert_ptr_null(machine_create(&s->config, &err));
    ck_assert_msg(strstr(err.text, text) != NULL, "'%s' lacks '%s'", err.text, text);
}

/* --- words ------------------------------------------------------------------------------- */

START_TEST(a_back_end_that_is_not_right_is_refused)
{
    static const struct {
        const char *first, *second, *expected;
    } cases[] = {
        {"type=null", NULL, "-chardev: give TYPE,id=ID"},
        {"id=a", NULL, "-chardev: give TYPE,id=ID"},
        {"type=null,id=a", "type=pty,id=a", "-chardev: there are two back-ends 'a'"},
        {"type=nul,id=a", NULL, "-chardev a: there is no character back-end 'nul'"},
        {"type=file,id=a,path=/nosuch/f", NULL, "-chardev a: cannot write /nosuch/f: No such"},
        {"type=stdio,id=a", "type=stdio,id=b", "-chardev: there is one stdio, and 'a' has it"},
        {"type=stdio,id=a,mux=maybe", NULL, "mux=maybe is not there; it can be: on off"},
        {"type=stdio,id=a,path=x", NULL, "unknown property 'path'"},
    };
    struct setting s;
    setting_init(&s);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        clear(&s);
        add_chardev(&s, cases[i].first);
        if (cases[i].second)
            add_chardev(&s, cases[i].second);
        check_refused(&s, cases[i].expected);
    }
    setting_free(&s);
}
END_TEST

START_TEST(a_port_that_is_not_right_is_refused)
{
    static const struct {
        const char *devices[3], *expected;
    } cases[] = {
        {{"driver=virtconsole"}, "virtconsole: it needs a bus: put -device virtio-serial-device"},
        {{"driver=virtconsole", "driver=virtio-serial-device"}, "it needs a bus"},
        {{"driver=virtio-serial-device,id=v", "driver=virtserialport,bus=w.0"}, "no bus 'w.0'"},
        {{"driver=virtio-serial-device", "driver=virtserialport,nr=0"},
         "nr=0 is for a virtconsole"},
        {{"driver=virtio-serial-device", "driver=virtserialport,nr=31"}, "nr=31: give a number up"},
        {{"driver=virtio-serial-device,max_ports=0"}, "max_ports is 1 to 31"},
        {{"driver=virtio-serial-device,max_ports=1", "driver=virtserialport"}, "all 1 ports of"},
        {{"driver=virtio-serial-device", "driver=virtconsole,nr=2", "driver=virtserialport,nr=2"},
         "another port has nr=2"},
        {{"driver=virtio-serial-device", "driver=virtconsole,chardev=x"},
         "there is no character back-end 'x'; give -chardev TYPE,id=x"},
        {{"driver=virtio-serial-device", "driver=virtconsole,chardev=a",
          "driver=virtserialport,chardev=a"},
         "another device has the character back-end 'a'"},
        {{"driver=virtio-serial-device", "driver=virtserialport,nam=x"}, "the nearest is name"},
    };
    struct setting s;
    setting_init(&s);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        clear(&s);
        add_chardev(&s, "type=null,id=a");
        for (unsigned j = 0; j < 3 && cases[i].devices[j]; j++)
            add_device(&s, cases[i].devices[j]);
        check_refused(&s, cases[i].expected);
    }
    setting_free(&s);
}
END_TEST

START_TEST(ports_find_their_bus_and_their_number)
{
    struct setting s;
    setting_init(&s);
    add_device(&s, "driver=virtio-serial-device,id=v");
    add_device(&s, "driver=virtio-serial-pci,id=w");
    add_device(&s, "driver=virtserialport,bus=w.0,nr=1");
    add_device(&s, "driver=virtconsole,bus=v.0");
    add_device(&s, "driver=virtserialport,bus=v.0,nr=1"); /* would meet the other one on w.0 */
    add_device(&s, "driver=virtconsole");
    rig_free(rig_create_with(s.config));
    setting_free(&s);
}
END_TEST

START_TEST(the_serial_port_needs_a_back_end_that_is_there)
{
    struct setting s;
    setting_init(&s);
    s.config.serial_chardev = "nosuch";
    check_refused(&s, "-serial: there is no character back-end 'nosuch'");
    setting_free(&s);
}
END_TEST

/* --- use --------------------------------------------------------------------------------- */

/* Runs the machine until the peer has got `count` bytes other than the program's own 'A's. */
static void run_until_echoed(struct machine *m, int fd, char *text, size_t count)
{
    size_t n = strlen(text);
    for (unsigned i = 0; n < count; i++) {
        char bytes[4096];
        ck_assert_uint_lt(i, 20000);
        machine_run(m, machine_now_ns(m) + 100 * RIG_US);
        long got = os_net_read(fd, bytes, sizeof bytes);
        for (long k = 0; k < got; k++)
            if (bytes[k] != 'A' && n < count)
                text[n++] = bytes[k];
        text[n] = 0;
        if (got < 0)
            usleep(1000);
    }
}

static void must_connect(struct setting *s, struct rig **r, int *fd)
{
    struct error err;
    add_chardev(s, "type=socket,id=s,path=s,server=on,wait=off");
    s->config.serial_chardev = "s";
    *r = rig_create_with(s->config);
    *fd = os_net_connect(&(struct os_address){.path = "s"}, &err);
    ck_assert_msg(*fd >= 0, "%s", err.text);
}

START_TEST(the_serial_port_is_at_a_socket)
{
    struct setting s;
    struct rig *r;
    int fd;
    char text[64] = "";
    enter_temp_folder();
    setting_init(&s);
    must_connect(&s, &r, &fd);
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    run_until_echoed(r->m, fd, text, 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_ptr_nonnull(strchr(r->sent, 'h')); /* the client hears it too: a script may wait */
    close(fd);
    rig_free(r);
    setting_free(&s);
    leave_temp_folder();
}
END_TEST

START_TEST(peers_and_what_they_sent_outlive_a_machine)
{
    struct setting s;
    struct rig *r;
    struct error err;
    int fd;
    char text[64] = "";
    enter_temp_folder();
    setting_init(&s);
    must_connect(&s, &r, &fd);
    ck_assert_int_eq(write(fd, "0123", 4), 4);
    for (unsigned i = 0; input_backlog(machine_door(r->m), machine_console_entry(r->m)) < 4; i++) {
        ck_assert_uint_lt(i, 10000);
        usleep(1000);
    }
    struct machine *m = machine_succeed(r->m, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    machine_destroy(r->m);
    r->m = m;
    ck_assert_int_eq(write(fd, "4567", 4), 4);
    run_until_echoed(m, fd, text, 8);
    ck_assert_str_eq(text, "01234567");
    close(fd);
    rig_free(r);
    setting_free(&s);
    leave_temp_folder();
}
END_TEST

START_TEST(a_back_end_may_come_later_and_goes_over_to_a_successor)
{
    static const struct machine_option later = {{{"type", "null"}, {"id", "later"}}, 2};
    static const struct machine_option bad = {{{"type", "nosuch"}, {"id", "bad"}}, 2};
    static const struct machine_option stdio = {{{"type", "stdio"}, {"id", "s"}}, 2};
    struct setting s;
    struct error err;
    struct machine_chardev shown;
    setting_init(&s);
    add_chardev(&s, "type=null,id=first");
    struct rig *r = rig_create_with(s.config);
    ck_assert(!machine_add_chardev(r->m, &bad, &err));
    ck_assert(!machine_add_chardev(r->m, &stdio, &err));
    ck_assert(!machine_chardev(r->m, 1, &shown));
    ck_assert_msg(machine_add_chardev(r->m, &later, &err), "%s", err.text);
    ck_assert(!machine_add_chardev(r->m, &later, &err));
    ck_assert_str_eq(err.text, "there are two back-ends 'later'");
    struct chardev *c = machine_take_chardev(r->m, "later", &err);
    ck_assert_ptr_nonnull(c);
    struct machine *m = machine_succeed(r->m, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    machine_destroy(r->m);
    r->m = m;
    ck_assert(machine_chardev(m, 1, &shown) && shown.is_taken);
    ck_assert_str_eq(shown.id, "later");
    ck_assert(chardev_has_peer(c));
    rig_free(r);
    setting_free(&s);
}
END_TEST

START_TEST(a_back_end_that_was_given_back_makes_room_for_another)
{
    static const struct machine_option other = {{{"type", "null"}, {"id", "other"}}, 2};
    struct setting s;
    struct error err;
    struct machine_chardev shown;
    uint8_t byte;
    setting_init(&s);
    add_chardev(&s, "type=null,id=first");
    add_chardev(&s, "type=null,id=second");
    struct rig *r = rig_create_with(s.config);
    machine_remove_chardev(r->m, "first"); /* nobody has taken it: it stays */
    ck_assert(machine_chardev(r->m, 1, &shown));
    ck_assert_ptr_nonnull(machine_take_chardev(r->m, "first", &err));
    machine_remove_chardev(r->m, "first");
    ck_assert_int_eq(machine_read_ring(r->m, "", &byte, 1, &err), -1); /* what is free */
    ck_assert_ptr_null(machine_take_chardev(r->m, "", &err));
    ck_assert(machine_chardev(r->m, 0, &shown));
    ck_assert_str_eq(shown.id, "second");
    ck_assert(!machine_chardev(r->m, 1, &shown));
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_msg(machine_add_chardev(r->m, &other, &err), "%s", err.text);
        ck_assert_ptr_nonnull(machine_take_chardev(r->m, "other", &err));
        if (i == 50) {
            struct machine *m = machine_succeed(r->m, &err);
            ck_assert_msg(m != NULL, "%s", err.text);
            machine_destroy(r->m);
            r->m = m;
            ck_assert(machine_chardev(m, 0, &shown) && strcmp(shown.id, "other") == 0);
            ck_assert(machine_chardev(m, 1, &shown) && strcmp(shown.id, "second") == 0);
        }
        machine_remove_chardev(r->m, "other");
    }
    rig_free(r);
    setting_free(&s);
}
END_TEST

/* The state after 4 ms; with a successor at 2 ms, or without. */
static uint64_t hash_with_ports(struct setting *s, bool is_succeeded)
{
    struct error err;
    struct rig *r = rig_create_with(s->config);
    rig_run(r, 2 * RIG_MS);
    if (is_succeeded) {
        struct saved saved = rig_save(r);
        struct machine *m = machine_succeed(r->m, &err);
        ck_assert_msg(m != NULL, "%s", err.text);
        machine_destroy(r->m);
        r->m = m;
        ck_assert(rig_load(r, saved.bytes, saved.size));
        free(saved.bytes);
    }
    rig_run(r, 4 * RIG_MS);
    uint64_t hash = machine_hash(r->m);
    rig_free(r);
    return hash;
}

START_TEST(who_is_at_a_port_is_state_that_a_successor_has)
{
    struct setting s;
    setting_init(&s);
    add_chardev(&s, "type=null,id=n");
    add_device(&s, "driver=virtio-serial-device");
    add_device(&s, "driver=virtserialport,chardev=n");
    uint64_t hash = hash_with_ports(&s, false);
    ck_assert_uint_eq(hash_with_ports(&s, false), hash);
    ck_assert_uint_eq(hash_with_ports(&s, true), hash);
    clear(&s); /* a port with nobody at its other end is another state */
    add_device(&s, "driver=virtio-serial-device");
    add_device(&s, "driver=virtserialport");
    ck_assert_uint_ne(hash_with_ports(&s, false), hash);
    setting_free(&s);
}
END_TEST

START_TEST(who_has_stdio_is_the_console)
{
    struct setting s;
    setting_init(&s);
    struct rig *plain = rig_create_with(s.config);
    rig_run(plain, 2 * RIG_MS);
    ck_assert_uint_gt(plain->sent_bytes, 0);
    add_chardev(&s, "type=stdio,id=c");
    add_device(&s, "driver=virtio-serial-device");
    add_device(&s, "driver=virtconsole,chardev=c");
    struct rig *r = rig_create_with(s.config);
    ck_assert_uint_ne(machine_console_entry(r->m), machine_console_entry(plain->m));
    rig_run(r, 2 * RIG_MS);
    ck_assert_uint_eq(r->sent_bytes, 0); /* the UART is not the console */
    rig_free(r);
    clear(&s);
    add_chardev(&s, "type=stdio,id=c");
    s.config.serial_chardev = "c";
    r = rig_create_with(s.config);
    rig_run(r, 2 * RIG_MS);
    ck_assert_uint_eq(r->sent_bytes, plain->sent_bytes);
    rig_free(r);
    rig_free(plain);
    setting_free(&s);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("chardevs");
    TCase *c = tcase_create("machine");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_back_end_that_is_not_right_is_refused);
    tcase_add_test(c, a_port_that_is_not_right_is_refused);
    tcase_add_test(c, ports_find_their_bus_and_their_number);
    tcase_add_test(c, the_serial_port_needs_a_back_end_that_is_there);
    tcase_add_test(c, the_serial_port_is_at_a_socket);
    tcase_add_test(c, peers_and_what_they_sent_outlive_a_machine);
    tcase_add_test(c, a_back_end_may_come_later_and_goes_over_to_a_successor);
    tcase_add_test(c, a_back_end_that_was_given_back_makes_room_for_another);
    tcase_add_test(c, who_is_at_a_port_is_state_that_a_successor_has);
    tcase_add_test(c, who_has_stdio_is_the_console);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

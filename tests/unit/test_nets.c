/* machine/nets.c: what -netdev, -nic and filter-dump say; forwards of a machine that runs; networks
 * that one machine takes over from another. */
#include "base/os_net.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#include <check.h>

#define MANY 4u

/* What a command line says, in pieces. */
struct words {
    struct machine_option netdevs[MANY], nics[MANY], objects[MANY], devices[MANY];
};

static struct machine_option option(const char *const *words)
{
    struct machine_option o = {0};
    for (; words[0]; words += 2)
        o.items[o.count++] = (struct machine_property){words[0], words[1]};
    return o;
}

static void add(struct machine_options *list, struct machine_option *items,
                const char *const *words)
{
    items[list->count++] = option(words);
    list->items = items;
}

#define ADD(config, words, list, ...)                                                              \
    add(&(config)->list, (words)->list, (const char *const[]){__VA_ARGS__, NULL})

/* A machine of these words is refused with one line that holds all of the texts. */
static void check_refused(const struct machine_config *config, const char *const *texts)
{
    struct error err = {""};
    ck_assert_ptr_null(machine_create(config, &err));
    ck_assert_ptr_null(strchr(err.text, '\n'));
    for (; *texts; texts++)
        ck_assert_msg(strstr(err.text, *texts) != NULL, "'%s' lacks '%s'", err.text, *texts);
}

#define REFUSED(config, ...) check_refused(config, (const char *const[]){__VA_ARGS__, NULL})

struct setting {
    struct program program;
    struct words words;
    struct machine_config config;
};

static void setting_init(struct setting *s)
{
    memset(&s->words, 0, sizeof s->words);
    program_begin(&s->program);
    put_busy_program(&s->program.a, 1);
    program_end(&s->program);
    s->config = rig_config(&s->program, 1);
}

static void setting_free(struct setting *s)
{
    unlink(s->program.path);
}

START_TEST(a_network_that_is_not_right_is_refused_with_the_words_that_are)
{
    struct setting s;
    static const struct {
        const char *words[7], *expected;
    } cases[] = {
        {{"type", "usr", "id", "n"}, "user"},
        {{"type", "user"}, "id=ID"},
        {{"type", "user", "id", ""}, "id"},
        {{"type", "user", "id", "n", "hostfw", "tcp::1-:1"}, "hostfwd"},
        {{"type", "socket", "id", "n", "conect", ":1"}, "connect"},
        {{"type", "socket", "id", "n"}, "listen="},
        {{"id", "n"}, "back-end"},
    };
    setting_init(&s);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        s.config.netdevs.count = 0;
        add(&s.config.netdevs, s.words.netdevs, cases[i].words);
        REFUSED(&s.config, "-netdev", cases[i].expected);
    }
    setting_free(&s);
}
END_TEST

START_TEST(two_networks_of_one_name_are_refused)
{
    struct setting s;
    setting_init(&s);
    ADD(&s.config, &s.words, netdevs, "type", "user", "id", "n");
    ADD(&s.config, &s.words, nics, "type", "user", "id", "n");
    REFUSED(&s.config, "-nic", "'n'");
    setting_free(&s);
}
END_TEST

START_TEST(a_card_needs_a_network_that_no_other_has)
{
    struct setting s;
    setting_init(&s);
    ADD(&s.config, &s.words, netdevs, "type", "user", "id", "n");
    ADD(&s.config, &s.words, devices, "driver", "virtio-net-device");
    REFUSED(&s.config, "virtio-net-device", "netdev=ID");
    s.config.devices.count = 0;
    ADD(&s.config, &s.words, devices, "driver", "virtio-net-device", "netdev", "m");
    REFUSED(&s.config, "virtio-net-device", "'m'");
    s.config.devices.count = 0;
    ADD(&s.config, &s.words, devices, "driver", "virtio-net-device", "netdev", "n");
    ADD(&s.config, &s.words, devices, "driver", "virtio-net-pci", "netdev", "n");
    REFUSED(&s.config, "virtio-net-pci", "'n'", "another");
    setting_free(&s);
}
END_TEST

START_TEST(an_address_of_a_card_is_six_bytes_of_one_card)
{
    struct setting s;
    static const char *const wrong[] = {"",
                                        "52:54:00:12:34",
                                        "52:54:00:12:34:5",
                                        "52:54:00:12:34:56:78",
                                        "52-54-00-12-34-56",
                                        "52:54:00:12:34:5g",
                                        "52:54:00:12:34:-1",
                                        "53:54:00:12:34:56"};
    setting_init(&s);
    ADD(&s.config, &s.words, netdevs, "type", "user", "id", "n");
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        s.config.devices.count = 0;
        ADD(&s.config, &s.words, devices, "driver", "virtio-net-device", "netdev", "n", "mac",
            wrong[i]);
        REFUSED(&s.config, "mac=");
    }
    setting_free(&s);
}
END_TEST

START_TEST(a_nic_may_be_none_and_else_brings_its_card)
{
    struct setting s;
    setting_init(&s);
    ADD(&s.config, &s.words, nics, "type", "none");
    rig_free(rig_create_with(s.config));
    ADD(&s.config, &s.words, nics, "type", "socket", "listen", "127.0.0.1:0", "model",
        "virtio-net-device", "mac", "52:54:00:00:00:01");
    rig_free(rig_create_with(s.config));
    ADD(&s.config, &s.words, nics, "type", "socket", "listen", "127.0.0.1:0");
    rig_free(rig_create_with(s.config));
    ADD(&s.config, &s.words, nics, "type", "user", "model", "rtl8139");
    REFUSED(&s.config, "rtl8139", "no such device");
    setting_free(&s);
}
END_TEST

START_TEST(a_capture_needs_a_network_and_a_file)
{
    struct setting s;
    setting_init(&s);
    ADD(&s.config, &s.words, netdevs, "type", "user", "id", "n");
    ADD(&s.config, &s.words, objects, "qom-type", "filter-dump", "id", "f");
    REFUSED(&s.config, "filter-dump", "file=FILE");
    s.config.objects.count = 0;
    ADD(&s.config, &s.words, objects, "qom-type", "filter-dump", "netdev", "m", "file", "x");
    REFUSED(&s.config, "filter-dump", "'m'");
    s.config.objects.count = 0;
    ADD(&s.config, &s.words, objects, "qom-type", "filter-dump", "netdev", "n", "file",
        "/nonexistent/x");
    REFUSED(&s.config, "filter-dump", "/nonexistent/x");
    s.config.objects.count = 0;
    ADD(&s.config, &s.words, objects, "qom-type", "filter-dump", "netdev", "n", "flie", "x");
    REFUSED(&s.config, "filter-dump", "file");
    setting_free(&s);
}
END_TEST

/* --- a wire between two machines, which needs no library --------------------------------- */

struct place {
    char folder[32], path[48];
};

static void place_make(struct place *p)
{
    strcpy(p->folder, "/tmp/rivulet-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/socket", p->folder);
}

static int connect_to(const struct place *p)
{
    struct error err;
    return os_net_connect(&(struct os_address){.path = p->path}, &err);
}

START_TEST(networks_are_opened_with_the_machine_and_closed_with_it)
{
    struct setting s;
    struct place p;
    setting_init(&s);
    place_make(&p);
    ADD(&s.config, &s.words, netdevs, "type", "stream", "id", "n", "server", "on", "addr.type",
        "unix", "addr.path", p.path);
    struct rig *r = rig_create_with(s.config);
    int fd = connect_to(&p);
    ck_assert_int_ge(fd, 0);
    os_net_close(fd);
    rig_free(r);
    ck_assert_int_eq(rmdir(p.folder), 0);
    setting_free(&s);
}
END_TEST

START_TEST(a_machine_that_succeeds_another_takes_its_networks_over)
{
    struct setting s;
    struct place p;
    struct error err;
    setting_init(&s);
    place_make(&p);
    ADD(&s.config, &s.words, netdevs, "type", "stream", "id", "n", "server", "on", "addr.type",
        "unix", "addr.path", p.path);
    ADD(&s.config, &s.words, devices, "driver", "virtio-net-device", "netdev", "n");
    struct rig *r = rig_create_with(s.config);
    int fd = connect_to(&p);
    struct machine *next = machine_succeed(r->m, &err);
    ck_assert_msg(next != NULL, "%s", err.text);
    machine_destroy(r->m);
    r->m = next;
    ck_assert_int_eq(os_net_write(fd,
                                  "\0\0\0\x0e"
                                  "01234567890123",
                                  18),
                     18);
    struct input_door *door = machine_door(r->m);
    for (unsigned i = 0; i < 100 && !input_pending(door); i++)
        input_wait(door, 100 * RIG_MS);
    ck_assert(input_pending(door));
    rig_run(r, RIG_MS);
    ck_assert(!input_pending(door));
    os_net_close(fd);
    rig_free(r);
    ck_assert_int_eq(rmdir(p.folder), 0);
    setting_free(&s);
}
END_TEST

START_TEST(a_network_without_forwards_says_so)
{
    struct setting s;
    struct place p;
    struct error err;
    setting_init(&s);
    place_make(&p);
    ADD(&s.config, &s.words, netdevs, "type", "stream", "id", "n", "server", "on", "addr.type",
        "unix", "addr.path", p.path);
    struct rig *r = rig_create_with(s.config);
    ck_assert(!machine_add_forward(r->m, NULL, "tcp::1-:1", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "-netdev user"));
    ck_assert(!machine_remove_forward(r->m, "n", "tcp::1", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "'n'"));
    rig_free(r);
    rmdir(p.folder);
    setting_free(&s);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("nets");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_network_that_is_not_right_is_refused_with_the_words_that_are);
    tcase_add_test(cases, two_networks_of_one_name_are_refused);
    tcase_add_test(cases, a_card_needs_a_network_that_no_other_has);
    tcase_add_test(cases, an_address_of_a_card_is_six_bytes_of_one_card);
    tcase_add_test(cases, a_nic_may_be_none_and_else_brings_its_card);
    tcase_add_test(cases, a_capture_needs_a_network_and_a_file);
    tcase_add_test(cases, networks_are_opened_with_the_machine_and_closed_with_it);
    tcase_add_test(cases, a_machine_that_succeeds_another_takes_its_networks_over);
    tcase_add_test(cases, a_network_without_forwards_says_so);
    Suite *suite = suite_create("nets");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

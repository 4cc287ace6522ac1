/* Forwards of a user network, changed while the machine exists (machine.h). */
#include "machine/machine.h"
#include "tests/unit/loopback.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(unsigned port)
{
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = inet_addr(host)};
}

/* A port that nobody listens on. */
static unsigned free_port(void)
{
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static bool answers(unsigned port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return connected;
}

static struct machine *machine_with_network(void)
{
    static const struct machine_option user = {
        .items = {{"type", "user"}, {"id", "n0"}},
        .count = 2,
    };
    struct machine_config config;
    struct error err;
    machine_config_init(&config);
    config.bios = BIOS_NONE;
    config.netdevs = (struct machine_options){.items = &user, .count = 1};
    struct machine *m = machine_create(&config, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    return m;
}

START_TEST(a_forward_comes_and_goes_while_the_machine_exists)
{
    struct error err;
    struct machine *m = machine_with_network();
    unsigned port = free_port();
    char host[LOOPBACK_CHARS], rule[64], place[64];
    loopback_host(host);
    snprintf(rule, sizeof rule, "tcp:%s:%u-:22", host, port);
    snprintf(place, sizeof place, "tcp:%s:%u", host, port);
    ck_assert(!answers(port));
    ck_assert_msg(machine_add_forward(m, "n0", rule, &err), "%s", err.text);
    ck_assert(answers(port));
    ck_assert_msg(machine_remove_forward(m, NULL, place, &err), "%s", err.text);
    ck_assert(!answers(port));
    machine_destroy(m);
}
END_TEST

START_TEST(a_wrong_forward_is_refused_with_a_reason)
{
    struct error err = {0};
    struct machine *m = machine_with_network();
    ck_assert(!machine_add_forward(m, "n1", "tcp::2222-:22", &err));
    ck_assert(strstr(err.text, "n1") != NULL);
    ck_assert(!machine_add_forward(m, "n0", "tcp:nonsense", &err));
    ck_assert(!machine_remove_forward(m, "n0", "tcp:127.0.0.1:9", &err));
    machine_destroy(m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forwards");
    TCase *tc = tcase_create("forwards");
    tcase_add_test(tc, a_forward_comes_and_goes_while_the_machine_exists);
    tcase_add_test(tc, a_wrong_forward_is_refused_with_a_reason);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

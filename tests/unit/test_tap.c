/* devices/net/tap.c, with an interface of this host: skipped, and said so, without the right to
 * make one. */
#include "base/os_net.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SKIPPED 77 /* the status that CMakeLists.txt names */
#define ADDRESS "10.98.76.1"

static const char *interface_name(void)
{
    return "rivulet-test0";
}

static bool open_tap(struct netdev_rig *r)
{
    return OPEN(r, &netdev_tap, {"ifname", interface_name()}, {"script", "no"});
}

/* Gives the interface an address and switches it on. */
static void set_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ifreq request = {0};
    strcpy(request.ifr_name, interface_name());
    inet_pton(AF_INET, ADDRESS, &address.sin_addr);
    memcpy(&request.ifr_addr, &address, sizeof address);
    ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

START_TEST(the_host_answers_arp_at_the_interface)
{
    struct netdev_rig r;
    uint8_t frame[42] = "\xff\xff\xff\xff\xff\xff\x52\x54\0\x12\x34\x56\x08\x06"
                        "\0\1\x08\0\6\4\0\1\x52\x54\0\x12\x34\x56\x0a\x62\x4c\2";
    inet_pton(AF_INET, ADDRESS, frame + 38);
    ck_assert(open_tap(&r));
    set_up();
    netdev_rig_send(&r, frame, sizeof frame);
    bool answered = false;
    for (unsigned i = 0; !answered && frames_wait(r.received, i + 1); i++) {
        const uint8_t *seen;
        answered = frames_get(r.received, i, &seen) >= 42 &&
                   memcmp(seen + 12, "\x08\x06", 2) == 0 && seen[21] == 2 &&
                   memcmp(seen + 28, frame + 38, 4) == 0;
    }
    ck_assert(answered);
    netdev_rig_close(&r);
}
END_TEST

START_TEST(an_interface_in_use_is_an_error)
{
    struct netdev_rig r, s;
    ck_assert(open_tap(&r));
    ck_assert(!open_tap(&s));
    ck_assert_ptr_nonnull(strstr(s.err.text, interface_name()));
    netdev_rig_close(&r);
}
END_TEST

START_TEST(words_that_are_not_there_are_refused)
{
    struct netdev_rig r;
    ck_assert(!OPEN(&r, &netdev_tap, {"script", "/etc/qemu-ifup"}));
    ck_assert_ptr_nonnull(strstr(r.err.text, "script=no"));
    ck_assert(!OPEN(&r, &netdev_tap, {"vhost", "on"}));
    ck_assert(!OPEN(&r, &netdev_tap, {"ifname", "a-name-that-is-too-long"}));
}
END_TEST

/* Whether this process may make an interface; says why not. */
static bool may_make_interfaces(void)
{
    struct error err;
    int fd = os_tap_open(interface_name(), &err);
    if (fd < 0)
        printf("skipped: %s\n", err.text);
    os_net_close(fd);
    return fd >= 0;
}

int main(void)
{
    if (!may_make_interfaces())
        return SKIPPED;
    TCase *cases = tcase_create("tap");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, the_host_answers_arp_at_the_interface);
    tcase_add_test(cases, an_interface_in_use_is_an_error);
    tcase_add_test(cases, words_that_are_not_there_are_refused);
    Suite *suite = suite_create("tap");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

/* devices/net/user.c: libslirp, talked to with frames made by hand. Nothing leaves this host. */
#include "base/os_net.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/loopback.h"
#include "tests/unit/suite.h"

static const uint8_t guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t guest_ip[4] = {10, 0, 2, 15}, host_ip[4] = {10, 0, 2, 2};

static void put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* RFC 1071. */
static uint32_t sum16(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static unsigned fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return ~((sum >> 16) + sum) & 0xffff;
}

static void put_ethernet(uint8_t *frame, unsigned type)
{
    memset(frame, 0xff, 6);
    memcpy(frame + 6, guest_mac, 6);
    put16(frame + 12, type);
}

/* RFC 791; the payload follows. */
static void put_ip(uint8_t *ip, unsigned protocol, const uint8_t *from, const uint8_t *to,
                   unsigned payload)
{
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, 20 + payload);
    ip[8] = 64;
    ip[9] = (uint8_t)protocol;
    memcpy(ip + 12, from, 4);
    memcpy(ip + 16, to, 4);
    put16(ip + 10, fold(sum16(ip, 20, 0)));
}

/* The first frame from `*at` on that has this text at this offset; waits for it. */
static const uint8_t *find_frame(struct frames *f, unsigned *at, size_t offset, const void *text,
                                 size_t bytes)
{
    const uint8_t *frame;
    while (frames_wait(f, *at + 1))
        if (frames_get(f, (*at)++, &frame) >= offset + bytes &&
            memcmp(frame + offset, text, bytes) == 0)
            return frame;
    ck_abort_msg("no such frame came");
    return NULL;
}

/* RFC 826: who has 10.0.2.2? The answer teaches libslirp our address too. */
static void send_arp(struct netdev_rig *r)
{
    uint8_t frame[42] = {0};
    put_ethernet(frame, 0x0806);
    memcpy(frame + 14, "\0\1\x08\0\6\4\0\1", 8);
    memcpy(frame + 22, guest_mac, 6);
    memcpy(frame + 28, guest_ip, 4);
    memcpy(frame + 38, host_ip, 4);
    netdev_rig_send(r, frame, sizeof frame);
}

START_TEST(the_host_answers_arp)
{
    struct netdev_rig r;
    unsigned at = 0;
    ck_assert(OPEN(&r, &netdev_user, {"ipv6", "off"}));
    send_arp(&r);
    const uint8_t *reply = find_frame(r.received, &at, 12, "\x08\x06", 2);
    ck_assert_mem_eq(reply, guest_mac, 6);
    ck_assert_uint_eq(get16(reply + 20), 2);
    ck_assert_mem_eq(reply + 22, "\x52\x55\x0a\x00\x02\x02", 6);
    ck_assert_mem_eq(reply + 28, host_ip, 4);
    netdev_rig_close(&r);
}
END_TEST

#define DHCP      42u /* the message in a frame */
#define DHCP_SIZE 300u

static void send_dhcp_discover(struct netdev_rig *r)
{
    static const uint8_t any[4] = {0}, all[4] = {255, 255, 255, 255};
    uint8_t frame[DHCP + DHCP_SIZE] = {0};
    put_ethernet(frame, 0x0800);
    put_ip(frame + 14, 17, any, all, 8 + DHCP_SIZE);
    put16(frame + 34, 68);
    put16(frame + 36, 67);
    put16(frame + 38, 8 + DHCP_SIZE); /* no checksum */
    memcpy(frame + DHCP, "\1\1\6\0RIVU", 8);
    memcpy(frame + DHCP + 28, guest_mac, 6);
    memcpy(frame + DHCP + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
    netdev_rig_send(r, frame, sizeof frame);
}

/* The value of a DHCP option of a frame, or NULL. */
static const uint8_t *dhcp_option(const uint8_t *frame, uint8_t option)
{
    for (const uint8_t *at = frame + DHCP + 240; *at != 255; at += *at ? 2u + at[1] : 1u)
        if (*at == option)
            return at + 2;
    return NULL;
}

static const uint8_t *get_dhcp_offer(struct netdev_rig *r)
{
    unsigned at = 0;
    send_dhcp_discover(r);
    const uint8_t *offer = find_frame(r->received, &at, DHCP, "\2\1\6\0RIVU", 8);
    ck_assert_uint_eq(*dhcp_option(offer, 53), 2);
    return offer;
}

START_TEST(dhcp_offers_the_address_the_router_and_the_name_server)
{
    struct netdev_rig r;
    ck_assert(OPEN(&r, &netdev_user, {"ipv4", "on"}));
    const uint8_t *offer = get_dhcp_offer(&r);
    ck_assert_mem_eq(offer + DHCP + 16, guest_ip, 4);
    ck_assert_mem_eq(dhcp_option(offer, 1), "\xff\xff\xff\0", 4);
    ck_assert_mem_eq(dhcp_option(offer, 3), "\x0a\0\2\2", 4);
    ck_assert_mem_eq(dhcp_option(offer, 6), "\x0a\0\2\3", 4);
    netdev_rig_close(&r);
}
END_TEST

START_TEST(dhcp_offers_what_the_options_say)
{
    struct netdev_rig r;
    ck_assert(OPEN(&r, &netdev_user, {"net", "192.168.9.0/24"}, {"host", "192.168.9.1"},
                   {"dns", "192.168.9.5"}, {"dhcpstart", "192.168.9.77"}, {"hostname", "brook"},
                   {"domainname", "river.test"}));
    const uint8_t *offer = get_dhcp_offer(&r);
    ck_assert_mem_eq(offer + DHCP + 16, "\xc0\xa8\x09\x4d", 4);
    ck_assert_mem_eq(dhcp_option(offer, 3), "\xc0\xa8\x09\x01", 4);
    ck_assert_mem_eq(dhcp_option(offer, 6), "\xc0\xa8\x09\x05", 4);
    ck_assert_mem_eq(dhcp_option(offer, 12), "brook", 5);
    ck_assert_mem_eq(dhcp_option(offer, 15), "river.test", 10);
    netdev_rig_close(&r);
}
END_TEST

/* RFC 4861, section 4.1, from fe80::1 to all routers. */
static void send_router_solicitation(struct netdev_rig *r)
{
    uint8_t frame[62] = {0};
    put_ethernet(frame, 0x86dd);
    memcpy(frame + 14, "\x60\0\0\0\0\x08\x3a\xff\xfe\x80", 10);
    frame[37] = 1;
    memcpy(frame + 38, "\xff\x02", 2);
    frame[53] = 2;
    frame[54] = 133;
    put16(frame + 56, fold(sum16(frame + 22, 40, 8 + 58)));
    netdev_rig_send(r, frame, sizeof frame);
}

START_TEST(ipv6_announces_its_prefix)
{
    static const uint8_t advertisement = 134;
    struct netdev_rig r;
    unsigned at = 0;
    ck_assert(OPEN(&r, &netdev_user, {"ipv6", "on"}, {"ipv6-net", "fd12::/64"}));
    send_router_solicitation(&r);
    const uint8_t *frame = find_frame(r.received, &at, 54, &advertisement, 1);
    size_t bytes = frames_get(r.received, at - 1, &frame);
    bool found = false;
    for (size_t i = 70; i + 4 <= bytes; i++)
        found |= memcmp(frame + i, "\xfd\x12\0\0", 4) == 0;
    ck_assert(found);
    netdev_rig_close(&r);
}
END_TEST

START_TEST(a_version_of_ip_that_is_off_is_silent)
{
    struct netdev_rig r;
    unsigned at = 0;
    ck_assert(OPEN(&r, &netdev_user, {"ipv6", "off"}));
    send_router_solicitation(&r);
    send_arp(&r);
    find_frame(r.received, &at, 12, "\x08\x06", 2);
    ck_assert_uint_eq(at, 1);
    netdev_rig_close(&r);
}
END_TEST

/* --- forwards ---------------------------------------------------------------------------- */

static void free_port(char port[8])
{
    char host[LOOPBACK_CHARS];
    struct error err;
    loopback_host(host);
    for (unsigned n = 20000 + (unsigned)getpid() % 20000;; n++) {
        snprintf(port, 8, "%u", n);
        int fd = os_net_listen(&(struct os_address){.host = host, .port = port}, &err);
        os_net_close(fd);
        if (fd >= 0)
            return;
    }
}

static int try_port(const char *port)
{
    char host[LOOPBACK_CHARS];
    struct error err;
    loopback_host(host);
    return os_net_connect(&(struct os_address){.host = host, .port = port}, &err);
}

/* The guest's end of a connection opens: SYN arrived, SYN and ACK go back. */
static void answer_syn(struct netdev_rig *r, const uint8_t *syn)
{
    uint8_t frame[54] = {0};
    put_ethernet(frame, 0x0800);
    memcpy(frame, syn + 6, 6);
    put_ip(frame + 14, 6, guest_ip, host_ip, 20);
    memcpy(frame + 34, syn + 36, 2);
    memcpy(frame + 36, syn + 34, 2);
    memcpy(frame + 42, syn + 38, 4);
    for (int i = 45; i >= 42 && ++frame[i] == 0; i--) /* their sequence number + 1 */
        ;
    frame[46] = 0x50;
    frame[47] = 0x12;
    put16(frame + 48, 8192);
    uint8_t pseudo[12] = {[9] = 6, [11] = 20};
    memcpy(pseudo, frame + 26, 8);
    put16(frame + 50, fold(sum16(frame + 34, 20, sum16(pseudo, 12, 0))));
    netdev_rig_send(r, frame, sizeof frame);
}

START_TEST(a_forwarded_port_leads_to_the_guest)
{
    struct netdev_rig r;
    char port[8], rule[40];
    unsigned at = 0;
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    free_port(port);
    snprintf(rule, sizeof rule, "tcp:%s:%s-:80", host, port);
    ck_assert(OPEN(&r, &netdev_user, {"ipv4", "on"}, {"hostfwd", rule}));
    send_arp(&r);
    int fd = try_port(port);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_net_write(fd, "hello guest", 11), 11);
    static const uint8_t to_port_80[] = {0, 80};
    const uint8_t *syn = find_frame(r.received, &at, 36, to_port_80, 2);
    ck_assert_mem_eq(syn + 30, guest_ip, 4);
    answer_syn(&r, syn);
    const uint8_t *data = find_frame(r.received, &at, 54, "hello guest", 11);
    ck_assert_uint_eq(get16(data + 36), 80);
    os_net_close(fd);
    netdev_rig_close(&r);
}
END_TEST

START_TEST(forwards_come_and_go_while_it_runs)
{
    struct netdev_rig r;
    char port[8], rule[40], name[40];
    struct error err;
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    free_port(port);
    snprintf(rule, sizeof rule, "tcp:%s:%s-:80", host, port);
    snprintf(name, sizeof name, "tcp:%s:%s", host, port);
    ck_assert(OPEN(&r, &netdev_user, {"ipv4", "on"}));
    const struct link_ops *ops = r.backend.ops;
    ck_assert_int_lt(try_port(port), 0);
    ck_assert(ops->add_forward(r.backend.backend, rule, &err));
    int fd = try_port(port);
    ck_assert_int_ge(fd, 0);
    os_net_close(fd);
    ck_assert(ops->remove_forward(r.backend.backend, name, &err));
    ck_assert_int_lt(try_port(port), 0);
    ck_assert(!ops->remove_forward(r.backend.backend, name, &err));
    ck_assert_ptr_nonnull(strstr(err.text, name));
    ck_assert(!ops->add_forward(r.backend.backend, "nonsense", &err));
    netdev_rig_close(&r);
}
END_TEST

START_TEST(a_forward_of_a_port_in_use_is_an_error)
{
    struct netdev_rig r;
    struct error err;
    char port[8], rule[40];
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    free_port(port);
    snprintf(rule, sizeof rule, "tcp:%s:%s-:80", host, port);
    int fd = os_net_listen(&(struct os_address){.host = host, .port = port}, &err);
    ck_assert_int_ge(fd, 0);
    ck_assert(!OPEN(&r, &netdev_user, {"ipv4", "on"}, {"hostfwd", rule}));
    ck_assert_ptr_nonnull(strstr(r.err.text, rule));
    ck_assert_ptr_nonnull(strstr(r.err.text, "in use"));
    os_net_close(fd);
}
END_TEST

START_TEST(wrong_options_start_nothing)
{
    struct netdev_rig r;
    ck_assert(!OPEN(&r, &netdev_user, {"net", "no"}));
    ck_assert(!OPEN(&r, &netdev_user, {"hostfwd", "no"}));
    ck_assert(!OPEN(&r, &netdev_user, {"guestfwd", "tcp:10.0.2.100:80-tcp:x:1"}));
}
END_TEST

START_TEST(frames_of_garbage_do_no_harm)
{
    struct netdev_rig r;
    uint8_t frame[2048];
    uint64_t seed = 7;
    ck_assert(OPEN(&r, &netdev_user, {"ipv4", "on"}, {"ipv6", "on"}));
    unsigned at = 0;
    for (unsigned i = 0; i < 3000; i++) {
        size_t bytes = 14 + bench_random(&seed) % 200;
        for (size_t k = 0; k < bytes; k++)
            frame[k] = (uint8_t)bench_random(&seed);
        put_ethernet(frame, i % 3 == 0 ? 0x0800 : i % 3 == 1 ? 0x0806 : 0x86dd);
        netdev_rig_send(&r, frame, bytes);
        if (i % 500 == 499) {
            send_arp(&r);
            find_frame(r.received, &at, 28, host_ip, 4);
        }
    }
    netdev_rig_close(&r);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("user");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, the_host_answers_arp);
    tcase_add_test(cases, dhcp_offers_the_address_the_router_and_the_name_server);
    tcase_add_test(cases, dhcp_offers_what_the_options_say);
    tcase_add_test(cases, ipv6_announces_its_prefix);
    tcase_add_test(cases, a_version_of_ip_that_is_off_is_silent);
    tcase_add_test(cases, a_forwarded_port_leads_to_the_guest);
    tcase_add_test(cases, forwards_come_and_go_while_it_runs);
    tcase_add_test(cases, a_forward_of_a_port_in_use_is_an_error);
    tcase_add_test(cases, wrong_options_start_nothing);
    tcase_add_test(cases, frames_of_garbage_do_no_harm);
    Suite *suite = suite_create("user");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

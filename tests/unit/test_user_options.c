/* devices/net/user_options.c: what -netdev user says. */
#include "devices/net/user_options.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>

static bool read_list(struct user_options *o, const struct netdev_property *list, unsigned count,
                      struct error *err)
{
    struct netdev_config config = {.properties = list, .count = count};
    err->text[0] = 0;
    bool ok = user_options_read(o, &config, err);
    ck_assert(ok == !err->text[0]);
    return ok;
}

#define READ(o, err, ...)                                                                          \
    read_list(o, (const struct netdev_property[]){__VA_ARGS__},                                    \
              ARRAY_LEN(((const struct netdev_property[]){__VA_ARGS__})), err)

static void check_address(struct in_addr a, const char *expected)
{
    char text[INET_ADDRSTRLEN];
    ck_assert_str_eq(inet_ntop(AF_INET, &a, text, sizeof text), expected);
}

static void check_address6(struct in6_addr a, const char *expected)
{
    char text[INET6_ADDRSTRLEN];
    ck_assert_str_eq(inet_ntop(AF_INET6, &a, text, sizeof text), expected);
}

START_TEST(the_defaults_are_qemus)
{
    struct user_options o;
    struct error err;
    ck_assert(read_list(&o, NULL, 0, &err));
    check_address(o.net, "10.0.2.0");
    check_address(o.mask, "255.255.255.0");
    check_address(o.host, "10.0.2.2");
    check_address(o.dns, "10.0.2.3");
    check_address(o.dhcp_start, "10.0.2.15");
    check_address6(o.net6, "fec0::");
    check_address6(o.host6, "fec0::2");
    check_address6(o.dns6, "fec0::3");
    ck_assert_uint_eq(o.prefix6, 64);
    ck_assert(o.ipv4 && o.ipv6 && !o.restricted);
    ck_assert_ptr_null(o.hostname);
    ck_assert_ptr_null(o.search[0]);
}
END_TEST

START_TEST(the_other_addresses_follow_the_network)
{
    struct user_options o;
    struct error err;
    ck_assert(READ(&o, &err, {"net", "192.168.76.0/24"}));
    check_address(o.host, "192.168.76.2");
    check_address(o.dns, "192.168.76.3");
    check_address(o.dhcp_start, "192.168.76.15");
    ck_assert(READ(&o, &err, {"net", "10.9.8.7/255.255.0.0"}));
    check_address(o.net, "10.9.0.0");
    check_address(o.host, "10.9.2.2");
    ck_assert(READ(&o, &err, {"net", "192.168.5.0"}));
    check_address(o.mask, "255.255.0.0");
    ck_assert(READ(&o, &err, {"net", "10.1.2.3"}));
    check_address(o.mask, "255.0.0.0");
    ck_assert(READ(&o, &err, {"net", "172.20.0.0"}));
    check_address(o.mask, "255.240.0.0");
    ck_assert(READ(&o, &err, {"ipv6-net", "fd00:1::/48"}));
    check_address6(o.host6, "fd00:1::2");
    ck_assert_uint_eq(o.prefix6, 48);
}
END_TEST

START_TEST(addresses_can_be_given_one_by_one)
{
    struct user_options o;
    struct error err;
    ck_assert(READ(&o, &err, {"host", "10.0.2.9"}, {"dns", "10.0.2.8"}, {"dhcpstart", "10.0.2.50"},
                   {"ipv6-host", "fec0::9"}, {"ipv6-dns", "fec0::8"}));
    check_address(o.host, "10.0.2.9");
    check_address(o.dns, "10.0.2.8");
    check_address(o.dhcp_start, "10.0.2.50");
    check_address6(o.host6, "fec0::9");
    check_address6(o.dns6, "fec0::8");
}
END_TEST

START_TEST(names_and_switches_are_kept)
{
    struct user_options o;
    struct error err;
    ck_assert(READ(&o, &err, {"hostname", "guest"}, {"domainname", "test"}, {"restrict", "on"},
                   {"dnssearch", "a.test"}, {"dnssearch", "b.test"}, {"tftp", "/srv"},
                   {"bootfile", "pxe"}, {"tftp-server-name", "server"}));
    ck_assert_str_eq(o.hostname, "guest");
    ck_assert_str_eq(o.domainname, "test");
    ck_assert_str_eq(o.search[0], "a.test");
    ck_assert_str_eq(o.search[1], "b.test");
    ck_assert_ptr_null(o.search[2]);
    ck_assert_str_eq(o.tftp, "/srv");
    ck_assert_str_eq(o.bootfile, "pxe");
    ck_assert_str_eq(o.tftp_name, "server");
    ck_assert(o.restricted);
}
END_TEST

START_TEST(one_version_of_ip_switched_on_alone_means_the_other_is_off)
{
    struct user_options o;
    struct error err;
    ck_assert(READ(&o, &err, {"ipv4", "on"}));
    ck_assert(o.ipv4 && !o.ipv6);
    ck_assert(READ(&o, &err, {"ipv6", "on"}));
    ck_assert(!o.ipv4 && o.ipv6);
    ck_assert(READ(&o, &err, {"ipv6", "off"}));
    ck_assert(o.ipv4 && !o.ipv6);
    ck_assert(READ(&o, &err, {"ipv4", "on"}, {"ipv6", "on"}));
    ck_assert(o.ipv4 && o.ipv6);
    ck_assert(!READ(&o, &err, {"ipv4", "off"}, {"ipv6", "off"}));
}
END_TEST

START_TEST(wrong_addresses_are_errors_that_name_the_key)
{
    const struct netdev_property wrong[] = {
        {"net", "10.0.2"},
        {"net", "10.0.2.0/33"},
        {"net", "10.0.2.0/3"},
        {"net", "10.0.2.0/"},
        {"net", "x"},
        {"net", ""},
        {"host", "10.0.3.2"},
        {"host", "10.0.2.300"},
        {"host", ""},
        {"host", "10.0.2.15"},
        {"host", "10.0.2.3"},
        {"dns", "10.0.2.2"},
        {"dns", "dns.test"},
        {"dhcpstart", "11.0.0.1"},
        {"dhcpstart", "10.0.2.3"},
        {"ipv6-net", "fec0::/x"},
        {"ipv6-net", "10.0.2.0"},
        {"ipv6-net", "fec0::/127"},
        {"ipv6-host", "1"},
        {"ipv6-dns", ":"},
        {"restrict", "perhaps"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct user_options o;
        struct error err;
        ck_assert_msg(!read_list(&o, &wrong[i], 1, &err), "%s=%s", wrong[i].key, wrong[i].value);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i].key));
    }
}
END_TEST

START_TEST(a_restricted_guest_needs_its_dns_inside)
{
    struct user_options o;
    struct error err;
    ck_assert(READ(&o, &err, {"dns", "9.9.9.9"}));
    ck_assert(!READ(&o, &err, {"dns", "9.9.9.9"}, {"restrict", "on"}));
}
END_TEST

START_TEST(a_forward_has_a_protocol_and_two_ends)
{
    struct user_forward f;
    struct error err;
    struct in_addr guest;
    inet_pton(AF_INET, "10.0.2.15", &guest);
    ck_assert(user_forward_read(&f, "tcp::2222-:22", guest, &err));
    ck_assert(!f.udp && f.host_port == 2222 && f.guest_port == 22);
    check_address(f.host, "0.0.0.0");
    check_address(f.guest, "10.0.2.15");
    ck_assert(user_forward_read(&f, "udp:127.0.0.1:53-10.0.2.16:5353", guest, &err));
    ck_assert(f.udp && f.host_port == 53 && f.guest_port == 5353);
    check_address(f.host, "127.0.0.1");
    check_address(f.guest, "10.0.2.16");
    ck_assert(user_forward_read(&f, "::65535-:65535", guest, &err));
    ck_assert(!f.udp && f.host_port == 65535 && f.guest_port == 65535);
    ck_assert(user_forward_read_host(&f, "tcp:127.0.0.1:80", &err));
    ck_assert(f.host_port == 80);
}
END_TEST

START_TEST(a_forward_that_is_not_right_is_an_error_that_shows_it)
{
    const char *const wrong[] = {
        "",
        "tcp",
        "tcp::2222",
        "tcp::2222-22",
        "tcp::-:22",
        "tcp::2222-:",
        "tcp::2222-:0",
        "tcp::65536-:22",
        "tcp::2222-:65536",
        "tcp::2222-:22x",
        "tcp::+5-:22",
        "sctp::2222-:22",
        "tcp:localhost:2222-:22",
        "tcp::2222-guest:22",
        "tcp::99999999999999999999999-:22",
    };
    struct in_addr guest = {0};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct user_forward f;
        struct error err;
        ck_assert_msg(!user_forward_read(&f, wrong[i], guest, &err), "%s", wrong[i]);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
    }
}
END_TEST

START_TEST(a_guest_forward_leads_to_a_command_or_a_socket)
{
    struct user_guest_forward f;
    struct error err;
    ck_assert(user_guest_forward_read(&f, "tcp:10.0.2.100:80-cmd:nc -l x-y:z", &err));
    check_address(f.server, "10.0.2.100");
    ck_assert_uint_eq(f.port, 80);
    ck_assert_int_eq(f.target, USER_COMMAND);
    ck_assert_str_eq(f.text, "nc -l x-y:z");
    ck_assert(user_guest_forward_read(&f, ":10.0.2.100:80-unix:/tmp/s", &err));
    ck_assert_int_eq(f.target, USER_UNIX);
    ck_assert_str_eq(f.text, "/tmp/s");
    ck_assert(!user_guest_forward_read(&f, "udp:10.0.2.100:80-cmd:x", &err));
    ck_assert(!user_guest_forward_read(&f, "tcp:10.0.2.100:80-cmd:", &err));
    ck_assert(!user_guest_forward_read(&f, "tcp:10.0.2.100:80-tcp:host:80", &err));
    ck_assert(!user_guest_forward_read(&f, "tcp::80-cmd:x", &err));
    ck_assert(!user_guest_forward_read(&f, "tcp:10.0.2.100:0-cmd:x", &err));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("user options");
    tcase_add_test(cases, the_defaults_are_qemus);
    tcase_add_test(cases, the_other_addresses_follow_the_network);
    tcase_add_test(cases, addresses_can_be_given_one_by_one);
    tcase_add_test(cases, names_and_switches_are_kept);
    tcase_add_test(cases, one_version_of_ip_switched_on_alone_means_the_other_is_off);
    tcase_add_test(cases, wrong_addresses_are_errors_that_name_the_key);
    tcase_add_test(cases, a_restricted_guest_needs_its_dns_inside);
    tcase_add_test(cases, a_forward_has_a_protocol_and_two_ends);
    tcase_add_test(cases, a_forward_that_is_not_right_is_an_error_that_shows_it);
    tcase_add_test(cases, a_guest_forward_leads_to_a_command_or_a_socket);
    Suite *suite = suite_create("user options");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

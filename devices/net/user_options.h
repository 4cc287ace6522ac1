/* What -netdev user says, read and checked: addresses, names, forwards. */
#ifndef RIVULET_DEVICES_NET_USER_OPTIONS_H
#define RIVULET_DEVICES_NET_USER_OPTIONS_H

#include "devices/net/netdev.h"

#include <netinet/in.h>

#define USER_SEARCH_MOST 16u

struct user_options {
    bool ipv4, ipv6, restricted;
    struct in_addr net, mask, host, dhcp_start, dns;
    struct in6_addr net6, host6, dns6;
    uint8_t prefix6;                                                 /* bits */
    const char *hostname, *domainname, *tftp, *tftp_name, *bootfile; /* NULL: none */
    const char *search[USER_SEARCH_MOST + 1];                        /* NULL after the last */
};

extern const char *const user_properties[];

/* Defaults as QEMU's: 10.0.2.0/24 with the host at .2, DNS at .3, DHCP from .15; fec0::/64. */
bool user_options_read(struct user_options *o, const struct netdev_config *config,
                       struct error *err) MUST_CHECK;

/* A port of the host that leads to the guest. */
struct user_forward {
    bool udp;
    struct in_addr host, guest;
    uint16_t host_port, guest_port;
};

/* "[tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT"; `guest` is the address meant by none. */
bool user_forward_read(struct user_forward *f, const char *rule, struct in_addr guest,
                       struct error *err) MUST_CHECK;
/* "[tcp|udp]:[HOSTADDR]:HOSTPORT". */
bool user_forward_read_host(struct user_forward *f, const char *rule, struct error *err) MUST_CHECK;

enum user_target { USER_COMMAND, USER_UNIX };

/* An address and port in the guest's network that lead to something on the host. */
struct user_guest_forward {
    struct in_addr server;
    uint16_t port;
    enum user_target target;
    const char *text; /* the command, or the path of the socket: the end of the rule */
};

/* "[tcp]:SERVER:PORT-cmd:COMMAND" or "...-unix:PATH". */
bool user_guest_forward_read(struct user_guest_forward *f, const char *rule,
                             struct error *err) MUST_CHECK;

#endif

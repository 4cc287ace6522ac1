/* Reads -netdev user (contract: user_options.h). */
#include "devices/net/user_options.h"

#include <arpa/inet.h>

const char *const user_properties[] = {
    "ipv4",       "ipv6",      "net",      "host",
    "ipv6-net",   "ipv6-host", "ipv6-dns", "restrict",
    "hostname",   "dhcpstart", "dns",      "dnssearch",
    "domainname", "tftp",      "bootfile", "tftp-server-name",
    "hostfwd",    "guestfwd",  NULL,
};

/* --- words and numbers ------------------------------------------------------------------- */

/* Cuts the text up to the separator off *rest; false when there is none, or too much. */
static bool cut(const char **rest, char separator, char *field, size_t size)
{
    const char *end = strchr(*rest, separator);
    if (!end || (size_t)(end - *rest) >= size)
        return false;
    memcpy(field, *rest, (size_t)(end - *rest));
    field[end - *rest] = 0;
    *rest = end + 1;
    return true;
}

/* Decimal digits alone, at most `most`. */
static bool read_number(const char *text, uint32_t most, uint32_t *number)
{
    uint64_t n = 0;
    const char *digit = text;
    for (; *digit >= '0' && *digit <= '9' && n <= most; digit++)
        n = n * 10 + (uint64_t)(*digit - '0');
    *number = (uint32_t)n;
    return digit != text && !*digit && n <= most;
}

/* --- addresses --------------------------------------------------------------------------- */

static bool read_address(const struct netdev_config *config, const char *key, struct in_addr *a,
                         struct error *err)
{
    const char *text = netdev_value(config, key);
    return !text || inet_pton(AF_INET, text, a) == 1 ||
           error_set(err, "%s=%.80s is no address; give for example 10.0.2.2", key, text);
}

static bool read_address6(const struct netdev_config *config, const char *key, struct in6_addr *a,
                          struct error *err)
{
    const char *text = netdev_value(config, key);
    return !text || inet_pton(AF_INET6, text, a) == 1 ||
           error_set(err, "%s=%.80s is no IPv6 address; give for example fec0::2", key, text);
}

static struct in_addr with_bits(unsigned bits)
{
    return (struct in_addr){htonl(bits ? ~0u << (32 - bits) : 0)};
}

/* What QEMU takes for the mask when none is given: the class of the address. */
static struct in_addr default_mask(struct in_addr net)
{
    uint32_t a = ntohl(net.s_addr);
    if (a >> 31 == 0)
        return with_bits(8);
    if (a >> 20 == 0xac1)
        return with_bits(12);
    return with_bits(a >> 16 == 0xc0a8 ? 16 : 24);
}

static bool read_mask(const char *text, struct in_addr *mask)
{
    uint32_t bits;
    if (!read_number(text, 32, &bits))
        return inet_pton(AF_INET, text, mask) == 1;
    *mask = with_bits(bits);
    return bits >= 4;
}

static bool read_net(struct user_options *o, const char *text, struct error *err)
{
    char address[INET_ADDRSTRLEN];
    const char *mask = text;
    bool has_mask = strchr(text, '/') != NULL;
    bool ok = has_mask ? cut(&mask, '/', address, sizeof address) &&
                             inet_pton(AF_INET, address, &o->net) == 1 && read_mask(mask, &o->mask)
                       : inet_pton(AF_INET, text, &o->net) == 1;
    if (!ok)
        return error_set(err, "net=%.80s is no network; give for example 10.0.2.0/24", text);
    if (!has_mask)
        o->mask = default_mask(o->net);
    o->net.s_addr &= o->mask.s_addr;
    return true;
}

static struct in_addr in_net(const struct user_options *o, uint32_t host_part)
{
    return (struct in_addr){o->net.s_addr | (htonl(host_part) & ~o->mask.s_addr)};
}

static bool is_in_net(const struct user_options *o, struct in_addr a)
{
    return (a.s_addr & o->mask.s_addr) == o->net.s_addr;
}

static bool read_ipv4(struct user_options *o, const struct netdev_config *config, struct error *err)
{
    const char *net = netdev_value(config, "net");
    if (!read_net(o, net ? net : "10.0.2.0/24", err))
        return false;
    o->host = in_net(o, 0x0202);
    o->dns = in_net(o, 0x0203);
    o->dhcp_start = in_net(o, 0x020f);
    if (!read_address(config, "host", &o->host, err) ||
        !read_address(config, "dns", &o->dns, err) ||
        !read_address(config, "dhcpstart", &o->dhcp_start, err))
        return false;
    if (!is_in_net(o, o->host))
        return error_set(err, "host= lies outside of net=");
    if (!is_in_net(o, o->dhcp_start))
        return error_set(err, "dhcpstart= lies outside of net=");
    if (o->restricted && !is_in_net(o, o->dns))
        return error_set(err, "dns= lies outside of net=, which restrict=on forbids");
    if (o->dns.s_addr == o->host.s_addr || o->dhcp_start.s_addr == o->host.s_addr ||
        o->dhcp_start.s_addr == o->dns.s_addr)
        return error_set(err, "host=, dns= and dhcpstart= must be three addresses");
    return true;
}

static bool read_net6(struct user_options *o, const char *text, struct error *err)
{
    char address[INET6_ADDRSTRLEN];
    uint32_t bits = 64;
    const char *rest = text;
    bool has_bits = strchr(text, '/') != NULL;
    if (has_bits ? !cut(&rest, '/', address, sizeof address) || !read_number(rest, 126, &bits)
                 : strlen(text) >= sizeof address)
        return error_set(err, "ipv6-net=%.80s is no network; give for example fec0::/64", text);
    if (!has_bits)
        strcpy(address, text);
    o->prefix6 = (uint8_t)bits;
    return inet_pton(AF_INET6, address, &o->net6) == 1 ||
           error_set(err, "ipv6-net=%.80s is no network; give for example fec0::/64", text);
}

static bool read_ipv6(struct user_options *o, const struct netdev_config *config, struct error *err)
{
    const char *net = netdev_value(config, "ipv6-net");
    if (!read_net6(o, net ? net : "fec0::/64", err))
        return false;
    o->host6 = o->dns6 = o->net6;
    o->host6.s6_addr[15] |= 2;
    o->dns6.s6_addr[15] |= 3;
    return read_address6(config, "ipv6-host", &o->host6, err) &&
           read_address6(config, "ipv6-dns", &o->dns6, err);
}

/* --- the rest ---------------------------------------------------------------------------- */

/* One of them switched on alone means the other is off. */
static bool read_versions(struct user_options *o, const struct netdev_config *config,
                          struct error *err)
{
    bool four = netdev_value(config, "ipv4") != NULL, six = netdev_value(config, "ipv6") != NULL;
    o->ipv4 = o->ipv6 = true;
    if (!netdev_switch(config, "ipv4", &o->ipv4, err) ||
        !netdev_switch(config, "ipv6", &o->ipv6, err))
        return false;
    if (four && !six && o->ipv4)
        o->ipv6 = false;
    if (six && !four && o->ipv6)
        o->ipv4 = false;
    return o->ipv4 || o->ipv6 || error_set(err, "ipv4 and ipv6 are both off");
}

static bool read_search(struct user_options *o, const struct netdev_config *config,
                        struct error *err)
{
    unsigned count = 0;
    for (unsigned i = 0; i < config->count; i++) {
        if (strcmp(config->properties[i].key, "dnssearch") != 0)
            continue;
        if (count == USER_SEARCH_MOST)
            return error_set(err, "at most %u times dnssearch=", USER_SEARCH_MOST);
        o->search[count++] = config->properties[i].value;
    }
    return true;
}

bool user_options_read(struct user_options *o, const struct netdev_config *config,
                       struct error *err)
{
    *o = (struct user_options){
        .hostname = netdev_value(config, "hostname"),
        .domainname = netdev_value(config, "domainname"),
        .tftp = netdev_value(config, "tftp"),
        .tftp_name = netdev_value(config, "tftp-server-name"),
        .bootfile = netdev_value(config, "bootfile"),
    };
    return netdev_switch(config, "restrict", &o->restricted, err) &&
           read_versions(o, config, err) && read_ipv4(o, config, err) &&
           read_ipv6(o, config, err) && read_search(o, config, err);
}

/* --- forwards ---------------------------------------------------------------------------- */

/* An empty text leaves *a. */
static bool optional_address(const char *text, struct in_addr *a)
{
    return !*text || inet_pton(AF_INET, text, a) == 1;
}

static bool read_protocol(const char **rest, bool *udp)
{
    char protocol[8];
    if (!cut(rest, ':', protocol, sizeof protocol))
        return false;
    *udp = strcmp(protocol, "udp") == 0;
    return *udp || !*protocol || strcmp(protocol, "tcp") == 0;
}

static bool read_port(const char *text, uint32_t least, uint16_t *port)
{
    uint32_t n;
    bool ok = read_number(text, 65535, &n) && n >= least;
    *port = (uint16_t)n;
    return ok;
}

bool user_forward_read(struct user_forward *f, const char *rule, struct in_addr guest,
                       struct error *err)
{
    char host[INET_ADDRSTRLEN], host_port[8], to[INET_ADDRSTRLEN];
    const char *rest = rule;
    *f = (struct user_forward){.guest = guest};
    bool ok = read_protocol(&rest, &f->udp) && cut(&rest, ':', host, sizeof host) &&
              cut(&rest, '-', host_port, sizeof host_port) && cut(&rest, ':', to, sizeof to) &&
              optional_address(host, &f->host) && read_port(host_port, 0, &f->host_port) &&
              optional_address(to, &f->guest) && read_port(rest, 1, &f->guest_port);
    return ok || error_set(err,
                           "'%.100s' is no forward; give tcp|udp:[HOSTADDR]:HOSTPORT-"
                           "[GUESTADDR]:GUESTPORT, for example tcp::2222-:22",
                           rule);
}

bool user_forward_read_host(struct user_forward *f, const char *rule, struct error *err)
{
    char host[INET_ADDRSTRLEN];
    const char *rest = rule;
    *f = (struct user_forward){0};
    bool ok = read_protocol(&rest, &f->udp) && cut(&rest, ':', host, sizeof host) &&
              optional_address(host, &f->host) && read_port(rest, 0, &f->host_port);
    return ok || error_set(err,
                           "'%.100s' names no forward; give tcp|udp:[HOSTADDR]:HOSTPORT, for "
                           "example tcp::2222",
                           rule);
}

/* The end of the rule says what kind of thing is meant. */
static bool read_target(struct user_guest_forward *f, const char *text)
{
    static const char *const kinds[] = {[USER_COMMAND] = "cmd:", [USER_UNIX] = "unix:"};
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]);
        f->target = (enum user_target)i;
        f->text = text + n;
        if (strncmp(text, kinds[i], n) == 0)
            return text[n] != 0;
    }
    return false;
}

bool user_guest_forward_read(struct user_guest_forward *f, const char *rule, struct error *err)
{
    char server[INET_ADDRSTRLEN], port[8];
    const char *rest = rule;
    bool udp;
    *f = (struct user_guest_forward){0};
    bool ok = read_protocol(&rest, &udp) && !udp && cut(&rest, ':', server, sizeof server) &&
              cut(&rest, '-', port, sizeof port) && inet_pton(AF_INET, server, &f->server) == 1 &&
              read_port(port, 1, &f->port) && read_target(f, rest);
    return ok || error_set(err,
                           "'%.100s' is no forward; give tcp:SERVER:PORT-cmd:COMMAND or "
                           "tcp:SERVER:PORT-unix:PATH",
                           rule);
}

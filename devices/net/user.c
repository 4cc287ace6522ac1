/* A network of its own for the guest, behind NAT, with DHCP and DNS: libslirp. No rights needed.
 *
 * libslirp is not made for threads: the I/O thread and whoever changes forwards call it under the
 * I/O thread's lock alone. Its timers run on host time. */
#include "devices/net/io.h"
#include "devices/net/user_options.h"

#include "base/os.h"

#include <errno.h>
#include <slirp/libslirp.h>
#include <stdlib.h>

#define NS_PER_MS    1000000
#define SLIRP_FIELDS 1 /* the version of SlirpConfig whose fields we fill */

struct timer {
    SlirpTimerCb call;
    void *owner;
    int64_t deadline_ms; /* INT64_MAX: not set */
    struct timer *next;
};

struct user {
    Slirp *slirp;
    struct timer *timers;
    struct os_poll *filling;        /* during slirp_pollfds_fill */
    const struct os_poll *answered; /* during slirp_pollfds_poll */
    struct net_io *io;
    struct in_addr dhcp_start;
    struct link_receiver receiver;
    struct log *log;
};

/* --- what libslirp calls ----------------------------------------------------------------- */

static ssize_t on_packet(const void *frame, size_t bytes, void *opaque)
{
    struct user *u = opaque;
    u->receiver.receive(u->receiver.owner, frame, bytes);
    return (ssize_t)bytes;
}

static void on_guest_error(const char *message, void *opaque)
{
    struct user *u = opaque;
    log_line(u->log, LOG_GUEST_ERRORS, "network: %.200s", message);
}

static int64_t on_clock(void *opaque)
{
    (void)opaque;
    return (int64_t)os_monotonic_ns();
}

static void *on_timer_new(SlirpTimerCb call, void *owner, void *opaque)
{
    struct user *u = opaque;
    struct timer *t = malloc(sizeof *t);
    if (!t)
        return NULL;
    *t = (struct timer){.call = call, .owner = owner, .deadline_ms = INT64_MAX, .next = u->timers};
    u->timers = t;
    return t;
}

static void on_timer_free(void *timer, void *opaque)
{
    struct user *u = opaque;
    for (struct timer **at = &u->timers; *at; at = &(*at)->next)
        if (*at == timer) {
            *at = (*at)->next;
            break;
        }
    free(timer);
}

static void on_timer_mod(void *timer, int64_t deadline_ms, void *opaque)
{
    (void)opaque;
    struct timer *t = timer;
    if (t)
        t->deadline_ms = deadline_ms;
}

/* Descriptors are announced anew before each wait. */
static void on_poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void on_notify(void *opaque)
{
    struct user *u = opaque;
    if (u->io) /* not any more while libslirp closes its connections at the end */
        net_io_wake(u->io);
}

static const SlirpCb callbacks = {
    .send_packet = on_packet,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new = on_timer_new,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_mod,
    .register_poll_fd = on_poll_fd,
    .unregister_poll_fd = on_poll_fd,
    .notify = on_notify,
};

/* --- the I/O thread ---------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return (int64_t)(os_monotonic_ns() / NS_PER_MS);
}

static void run_timers(struct user *u)
{
    int64_t now = now_ms();
    struct timer *next;
    for (struct timer *t = u->timers; t; t = next) {
        next = t->next;
        if (t->deadline_ms > now)
            continue;
        t->deadline_ms = INT64_MAX;
        t->call(t->owner);
    }
}

/* The two sets of flags, pair by pair. */
static const struct {
    int slirp;
    unsigned os;
} flags[] = {
    {SLIRP_POLL_IN, OS_EVENT_IN},   {SLIRP_POLL_OUT, OS_EVENT_OUT}, {SLIRP_POLL_PRI, OS_EVENT_PRI},
    {SLIRP_POLL_ERR, OS_EVENT_ERR}, {SLIRP_POLL_HUP, OS_EVENT_HUP},
};

static int add_poll(int fd, int events, void *opaque)
{
    struct user *u = opaque;
    unsigned wanted = 0;
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        wanted |= events & flags[i].slirp ? flags[i].os : 0u;
    return os_poll_add(u->filling, fd, wanted);
}

static int get_events(int place, void *opaque)
{
    struct user *u = opaque;
    unsigned happened = os_poll_happened(u->answered, place);
    int events = 0;
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        events |= happened & flags[i].os ? flags[i].slirp : 0;
    return events;
}

static void user_transmit(void *backend, const uint8_t *frame, size_t bytes)
{
    struct user *u = backend;
    slirp_input(u->slirp, frame, (int)bytes);
}

static int user_prepare(void *backend, struct os_poll *polls)
{
    struct user *u = backend;
    uint32_t timeout_ms = INT32_MAX;
    u->filling = polls;
    slirp_pollfds_fill(u->slirp, &timeout_ms, add_poll, u);
    uint64_t wait = min_u64(timeout_ms, INT32_MAX);
    for (struct timer *t = u->timers; t; t = t->next)
        if (t->deadline_ms != INT64_MAX)
            wait = min_u64(wait,
                           (uint64_t)(t->deadline_ms < now_ms() ? 0 : t->deadline_ms - now_ms()));
    return (int)wait;
}

static void user_dispatch(void *backend, const struct os_poll *polls)
{
    struct user *u = backend;
    u->answered = polls;
    slirp_pollfds_poll(u->slirp, 0, get_events, u);
    run_timers(u);
}

static const struct net_io_ops user_io_ops = {
    .transmit = user_transmit, .prepare = user_prepare, .dispatch = user_dispatch};

/* --- forwards ---------------------------------------------------------------------------- */

/* libslirp leaves the reason in errno, mostly. */
static bool cannot_forward(const char *rule, struct error *err)
{
    return error_set(err, "cannot forward %.100s: %s", rule,
                     errno ? strerror(errno) : "the address or port is not usable");
}

static bool user_add_forward(void *backend, const char *rule, struct error *err)
{
    struct user *u = backend;
    struct user_forward f;
    if (!user_forward_read(&f, rule, u->dhcp_start, err))
        return false;
    net_io_lock(u->io);
    errno = 0;
    bool ok = slirp_add_hostfwd(u->slirp, f.udp, f.host, f.host_port, f.guest, f.guest_port) == 0;
    if (!ok)
        cannot_forward(rule, err);
    net_io_unlock(u->io);
    net_io_wake(u->io);
    return ok;
}

static bool user_remove_forward(void *backend, const char *rule, struct error *err)
{
    struct user *u = backend;
    struct user_forward f;
    if (!user_forward_read_host(&f, rule, err))
        return false;
    net_io_lock(u->io);
    bool ok = slirp_remove_hostfwd(u->slirp, f.udp, f.host, f.host_port) == 0;
    net_io_interrupt(u->io); /* the port refuses from now on */
    net_io_unlock(u->io);
    return ok || error_set(err, "there is no forward %.100s", rule);
}

/* Before the thread runs. */
static bool add_guest_forward(struct user *u, const char *rule, struct error *err)
{
    struct user_guest_forward f;
    if (!user_guest_forward_read(&f, rule, err))
        return false;
    errno = 0;
    int failure = f.target == USER_COMMAND ? slirp_add_exec(u->slirp, f.text, &f.server, f.port)
                                           : slirp_add_unix(u->slirp, f.text, &f.server, f.port);
    return failure == 0 || cannot_forward(rule, err);
}

static bool add_forwards(struct user *u, const struct netdev_config *config, struct error *err)
{
    for (unsigned i = 0; i < config->count; i++) {
        const struct netdev_property *p = &config->properties[i];
        if (strcmp(p->key, "hostfwd") == 0 && !user_add_forward(u, p->value, err))
            return false;
        if (strcmp(p->key, "guestfwd") == 0 && !add_guest_forward(u, p->value, err))
            return false;
    }
    return true;
}

/* --- the back-end ------------------------------------------------------------------------ */

static void user_send(void *backend, const uint8_t *frame, size_t bytes)
{
    struct user *u = backend;
    net_io_send(u->io, frame, bytes);
}

static void user_describe(void *backend, const struct byte_sink *out)
{
    struct user *u = backend;
    net_io_lock(u->io);
    char *text = slirp_connection_info(u->slirp); /* GLib's memory */
    net_io_unlock(u->io);
    if (text)
        byte_sink_print(out, "%s", text);
    free(text);
}

static void user_destroy(void *backend)
{
    struct user *u = backend;
    net_io_destroy(u->io);
    u->io = NULL;
    if (u->slirp)
        slirp_cleanup(u->slirp);
    while (u->timers)
        on_timer_free(u->timers, u);
    free(u);
}

static const struct link_ops user_ops = {
    .name = "user",
    .send = user_send,
    .add_forward = user_add_forward,
    .remove_forward = user_remove_forward,
    .describe = user_describe,
    .destroy = user_destroy,
};

static Slirp *start_slirp(struct user *u, struct user_options *o)
{
    SlirpConfig config = {
        .version = SLIRP_FIELDS,
        .restricted = o->restricted,
        .in_enabled = o->ipv4,
        .vnetwork = o->net,
        .vnetmask = o->mask,
        .vhost = o->host,
        .in6_enabled = o->ipv6,
        .vprefix_addr6 = o->net6,
        .vprefix_len = o->prefix6,
        .vhost6 = o->host6,
        .vhostname = o->hostname,
        .tftp_server_name = o->tftp_name,
        .tftp_path = o->tftp,
        .bootfile = o->bootfile,
        .vdhcp_start = o->dhcp_start,
        .vnameserver = o->dns,
        .vnameserver6 = o->dns6,
        .vdnssearch = o->search,
        .vdomainname = o->domainname,
    };
    return slirp_new(&config, &callbacks, u);
}

static bool start(struct user *u, const struct netdev_config *config, struct error *err)
{
    struct user_options options;
    if (!user_options_read(&options, config, err))
        return false;
    u->dhcp_start = options.dhcp_start;
    u->io = net_io_create(&user_io_ops, u, err);
    if (!u->io)
        return false;
    u->slirp = start_slirp(u, &options);
    if (!u->slirp)
        return error_set(err, "libslirp does not start with these options");
    return add_forwards(u, config, err) && net_io_start(u->io, err);
}

static bool user_open(const struct netdev_config *config, struct link_backend *backend,
                      struct error *err)
{
    struct user *u = calloc(1, sizeof *u);
    if (!u)
        return error_set(err, "no memory for a network back-end");
    u->receiver = config->receiver;
    u->log = config->log;
    if (!start(u, config, err)) {
        user_destroy(u);
        return false;
    }
    *backend = (struct link_backend){.ops = &user_ops, .backend = u};
    return true;
}

const struct netdev_type netdev_user = {
    .name = "user", .properties = user_properties, .open = user_open};

/* Console device (virtio 1.2, section 5.3).
 *
 * Without MULTIPORT it has one port, with queues 0 (to the guest) and 1 (from it). With it, queues
 * 2 and 3 carry control messages, and each further port has the next two.
 *
 * What the device has to say to the driver is not a list of messages but a set of facts about each
 * port, sent in a fixed order as the driver gives buffers: so a driver that gives none makes
 * nothing grow. Bytes for the guest wait outside, in the input door. */
#include "devices/virtio/console.h"

#include <stdlib.h>

#define QUEUE_SIZE  128u /* QEMU's */
#define CHUNK_BYTES 4096u
#define MOST_BYTES  (1u << 20) /* of one chain: a driver sends pages, a hostile one all of RAM */

#define CONTROL_TO_DRIVER   2u
#define CONTROL_FROM_DRIVER 3u

#define F_MULTIPORT   1u
#define F_EMERG_WRITE 2u

/* Control events, section 5.3.6.2. */
#define DEVICE_READY 0u
#define DEVICE_ADD   1u
#define PORT_READY   3u
#define CONSOLE_PORT 4u
#define PORT_OPEN    6u
#define PORT_NAME    7u

/* Section 5.3.4. */
struct config_space {
    uint16_t cols, rows;
    uint32_t max_nr_ports;
    uint32_t emerg_wr;
};

struct control {
    uint32_t port;
    uint16_t event, value;
};

struct port {
    uint8_t unsaid;     /* events that the driver has to be told of: bits 1 << event */
    bool is_ready;      /* the driver knows it */
    bool is_guest_open; /* somebody in the guest listens */
    bool is_host_open;  /* a stream: somebody on the host's side is there; outlives a reset */
};

struct virtio_console {
    struct virtio virtio;
    /* --- guest state --- */
    struct port ports[VIRTIO_CONSOLE_PORTS_MAX];
    /* --- host side --- */
    struct virtio_console_config config;
};

static struct virtio_console *console_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_console, virtio);
}

static unsigned queue_to_guest(unsigned port)
{
    return port ? 2 * port + 2 : 0;
}

/* --- configuration ----------------------------------------------------------------------- */

static uint64_t console_features(struct virtio *v)
{
    return 1u << F_EMERG_WRITE | (uint64_t)console_of(v)->config.multiport << F_MULTIPORT;
}

static void console_read_config(struct virtio *v, uint8_t *bytes)
{
    struct config_space space = {.max_nr_ports = console_of(v)->config.count};
    memcpy(bytes, &space, sizeof space);
}

static void send_to_host(struct virtio_console *c, unsigned port, const uint8_t *bytes, size_t n)
{
    const struct byte_sink *sink = &c->config.ports[port].sink;
    if (sink->write)
        sink->write(sink->owner, bytes, n);
}

/* A driver that has no queues yet may write a byte here (section 5.3.5). */
static void console_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes,
                                 uint32_t n)
{
    if (offset == offsetof(struct config_space, emerg_wr))
        send_to_host(console_of(v), 0, bytes, 1);
    else
        log_line(v->log, LOG_GUEST_ERRORS,
                 "virtio-console: the configuration at 0x%x is read-only (%u bytes)", offset, n);
}

/* --- control messages -------------------------------------------------------------------- */

static bool is_host_open(const struct virtio_console *c, unsigned port)
{
    return c->config.ports[port].is_console || c->ports[port].is_host_open;
}

/* The first thing that the driver must be told. False: it knows all. */
static bool next_unsaid(const struct virtio_console *c, struct control *message)
{
    for (unsigned i = 0; i < c->config.count; i++) {
        uint8_t unsaid = c->ports[i].unsaid;
        if (!unsaid)
            continue;
        uint16_t event = (uint16_t)__builtin_ctz(unsaid);
        *message = (struct control){
            .port = i, .event = event, .value = event != PORT_OPEN || is_host_open(c, i)};
        return true;
    }
    return false;
}

static void say(struct virtio_console *c)
{
    struct virtio *v = &c->virtio;
    struct virtio_chain *chain;
    for (struct control m; next_unsaid(c, &m) && (chain = virtio_take(v, CONTROL_TO_DRIVER));) {
        const char *name = c->config.ports[m.port].name;
        size_t written = virtio_write(v, chain, 0, &m, sizeof m);
        if (m.event == PORT_NAME)
            written += virtio_write(v, chain, sizeof m, name, strlen(name) + 1);
        c->ports[m.port].unsaid &= (uint8_t) ~(1u << m.event);
        virtio_give(v, chain, (uint32_t)written);
    }
    virtio_publish(v, CONTROL_TO_DRIVER);
}

static void on_device_ready(struct virtio_console *c)
{
    for (unsigned i = 0; i < c->config.count; i++)
        if (c->config.ports[i].is_present)
            c->ports[i].unsaid |= 1u << DEVICE_ADD;
}

static void on_port_ready(struct virtio_console *c, unsigned port)
{
    const struct virtio_console_port *config = &c->config.ports[port];
    c->ports[port].is_ready = true;
    if (is_host_open(c, port))
        c->ports[port].unsaid |= 1u << PORT_OPEN;
    if (config->is_console)
        c->ports[port].unsaid |= 1u << CONSOLE_PORT;
    if (*config->name)
        c->ports[port].unsaid |= 1u << PORT_NAME;
}

static void hear(struct virtio_console *c, const struct control *m)
{
    if (m->event == DEVICE_READY) {
        if (m->value)
            on_device_ready(c);
        return;
    }
    if (m->port >= c->config.count || !c->config.ports[m->port].is_present) {
        log_line(c->virtio.log, LOG_GUEST_ERRORS, "virtio-console: a message for port %u", m->port);
        return;
    }
    if (m->event == PORT_READY && m->value)
        on_port_ready(c, m->port);
    else if (m->event == PORT_OPEN)
        c->ports[m->port].is_guest_open = m->value;
    else if (m->event != PORT_READY)
        log_line(c->virtio.log, LOG_GUEST_ERRORS, "virtio-console: no message %u", m->event);
}

static void hear_all(struct virtio_console *c)
{
    struct virtio *v = &c->virtio;
    for (struct virtio_chain *chain; (chain = virtio_take(v, CONTROL_FROM_DRIVER));) {
        struct control m;
        if (virtio_read(v, chain, 0, &m, sizeof m) == sizeof m)
            hear(c, &m);
        virtio_give(v, chain, 0);
    }
    virtio_publish(v, CONTROL_FROM_DRIVER);
}

/* --- bytes ------------------------------------------------------------------------------- */

static void transmit(struct virtio_console *c, unsigned port, unsigned queue)
{
    struct virtio *v = &c->virtio;
    uint8_t bytes[CHUNK_BYTES];
    for (struct virtio_chain *chain; (chain = virtio_take(v, queue));) {
        size_t n;
        for (uint64_t at = 0; at < MOST_BYTES; at += n) {
            n = virtio_read(v, chain, at, bytes, sizeof bytes);
            if (n == 0)
                break;
            send_to_host(c, port, bytes, n);
        }
        virtio_give(v, chain, 0);
    }
    virtio_publish(v, queue);
}

static void console_notify(struct virtio *v, unsigned queue)
{
    struct virtio_console *c = console_of(v);
    bool is_control = queue == CONTROL_TO_DRIVER || queue == CONTROL_FROM_DRIVER;
    if (is_control) {
        hear_all(c);
        say(c);
    } else if (queue % 2) {
        transmit(c, queue < CONTROL_TO_DRIVER ? 0 : queue / 2 - 1, queue);
    }
    /* Room for bytes of a port is used when the door offers them again. */
}

static bool guest_listens(const struct virtio_console *c, unsigned port)
{
    if (virtio_has(&c->virtio, F_MULTIPORT))
        return c->ports[port].is_guest_open;
    return port == 0;
}

size_t virtio_console_receive(struct virtio *v, unsigned port, const uint8_t *bytes, size_t n)
{
    struct virtio_console *c = console_of(v);
    struct virtio_chain *chain;
    unsigned queue = queue_to_guest(port);
    size_t done = 0;
    if (!virtio_is_running(v) || !guest_listens(c, port))
        return 0;
    while (done < n && (chain = virtio_take(v, queue))) {
        size_t written = virtio_write(v, chain, 0, bytes + done, n - done);
        virtio_give(v, chain, (uint32_t)written);
        done += written;
    }
    virtio_publish(v, queue);
    return done;
}

void virtio_console_set_peer(struct virtio *v, unsigned port, bool is_there)
{
    struct virtio_console *c = console_of(v);
    struct port *p = &c->ports[port];
    bool is_news = p->is_host_open != is_there && p->is_ready && !c->config.ports[port].is_console;
    p->is_host_open = is_there;
    if (is_news)
        p->unsaid |= 1u << PORT_OPEN;
    if (is_news && virtio_is_running(v))
        say(c);
}

/* --- life -------------------------------------------------------------------------------- */

static void console_reset(struct virtio *v)
{
    struct port *ports = console_of(v)->ports;
    for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS_MAX; i++)
        ports[i] = (struct port){.is_host_open = ports[i].is_host_open};
}

static void console_state(struct virtio *v, struct state *s)
{
    const uint8_t known = 1u << DEVICE_ADD | 1u << CONSOLE_PORT | 1u << PORT_OPEN | 1u << PORT_NAME;
    struct virtio_console *c = console_of(v);
    for (unsigned i = 0; i < c->config.count; i++) {
        state_u8(s, &c->ports[i].unsaid);
        state_bool(s, &c->ports[i].is_ready);
        state_bool(s, &c->ports[i].is_guest_open);
        state_bool(s, &c->ports[i].is_host_open);
        c->ports[i].unsaid &= known;
    }
}

static void console_destroy(struct virtio *v)
{
    virtio_deinit(v);
    free(console_of(v));
}

static const struct virtio_device_ops console_ops = {
    .name = "virtio-console",
    .id = 3,
    .config_bytes = sizeof(struct config_space),
    .features = console_features,
    .read_config = console_read_config,
    .write_config = console_write_config,
    .notify = console_notify,
    .reset = console_reset,
    .state = console_state,
    .destroy = console_destroy,
};

struct virtio *virtio_console_create(const struct virtio_console_config *config)
{
    struct virtio_console *c = calloc(1, sizeof *c);
    struct virtio_config base = {.ops = &console_ops,
                                 .queues = config->multiport ? 2 * config->count + 2 : 2,
                                 .queue_size = QUEUE_SIZE,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!c || !virtio_init(&c->virtio, &base)) {
        free(c);
        return NULL;
    }
    c->config = *config;
    return &c->virtio;
}

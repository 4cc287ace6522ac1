/* A stream socket that carries frames between two machines, QEMU's `socket` and `stream`
 * (framing.h). One peer at a time; when it goes, a listening end waits for the next one.
 *
 * Frames for a peer that does not read fast enough wait in `out`, up to OUT_MOST bytes; then whole
 * frames are lost, so that the framing stays right. */
#include "devices/net/framing.h"
#include "devices/net/io.h"
#include "devices/net/netdev.h"

#include <stdio.h>
#include <stdlib.h>

#define OUT_MOST (1u << 20)

struct socket_link {
    int listener; /* -1: we connected */
    int peer;     /* -1: none */
    char *path;   /* of the UNIX socket that we made, or NULL */
    int listener_place, peer_place;
    struct framing_reader reader;
    uint8_t out[OUT_MOST];
    size_t out_size;
    struct net_io *io;
    struct link_receiver receiver;
    struct log *log;
};

static void hang_up(struct socket_link *s)
{
    os_net_close(s->peer);
    s->peer = -1;
    s->out_size = s->reader.size = 0;
}

/* Writes what waits, as far as the peer takes it. There is a peer; afterwards maybe not. */
static void flush(struct socket_link *s)
{
    size_t done = 0;
    while (done < s->out_size) {
        long n = os_net_write(s->peer, s->out + done, s->out_size - done);
        if (n == OS_ENDED) {
            hang_up(s);
            return;
        }
        if (n == OS_WOULD_BLOCK)
            break;
        done += (size_t)n;
    }
    s->out_size -= done;
    memmove(s->out, s->out + done, s->out_size);
}

static void socket_transmit(void *backend, const uint8_t *frame, size_t bytes)
{
    struct socket_link *s = backend;
    if (s->peer >= 0 && FRAMING_HEADER + bytes > OUT_MOST - s->out_size)
        flush(s);
    if (s->peer < 0 || FRAMING_HEADER + bytes > OUT_MOST - s->out_size)
        return;
    framing_header(s->out + s->out_size, (uint32_t)bytes);
    memcpy(s->out + s->out_size + FRAMING_HEADER, frame, bytes);
    s->out_size += FRAMING_HEADER + bytes;
}

/* All frames that the guest has sent meanwhile go out with one write. */
static int socket_prepare(void *backend, struct os_poll *polls)
{
    struct socket_link *s = backend;
    s->listener_place = s->peer_place = -1;
    if (s->peer >= 0 && s->out_size)
        flush(s);
    if (s->peer >= 0)
        s->peer_place =
            os_poll_add(polls, s->peer, OS_EVENT_IN | (s->out_size ? OS_EVENT_OUT : 0u));
    else if (s->listener >= 0)
        s->listener_place = os_poll_add(polls, s->listener, OS_EVENT_IN);
    return -1;
}

static void receive(struct socket_link *s)
{
    uint8_t bytes[65536];
    long n = os_net_read(s->peer, bytes, sizeof bytes);
    if (n > 0 && !framing_read(&s->reader, bytes, (size_t)n, &s->receiver)) {
        log_line(s->log, LOG_GUEST_ERRORS,
                 "socket: the peer announced a frame of more than %u bytes; hung up",
                 LINK_FRAME_MAX);
        n = OS_ENDED;
    }
    if (n == OS_ENDED)
        hang_up(s);
}

static void socket_dispatch(void *backend, const struct os_poll *polls)
{
    struct socket_link *s = backend;
    if (os_poll_happened(polls, s->listener_place))
        s->peer = os_net_accept(s->listener);
    else if (os_poll_happened(polls, s->peer_place) & ~(unsigned)OS_EVENT_OUT)
        receive(s);
}

static void socket_send(void *backend, const uint8_t *frame, size_t bytes)
{
    struct socket_link *s = backend;
    net_io_send(s->io, frame, bytes);
}

static void socket_destroy(void *backend)
{
    struct socket_link *s = backend;
    net_io_destroy(s->io);
    os_net_close(s->peer);
    os_net_close(s->listener);
    if (s->path)
        os_net_remove(s->path);
    free(s->path);
    free(s);
}

static const struct net_io_ops socket_io_ops = {
    .transmit = socket_transmit, .prepare = socket_prepare, .dispatch = socket_dispatch};
static const struct link_ops socket_ops = {
    .name = "socket", .send = socket_send, .destroy = socket_destroy};

static bool open_ends(struct socket_link *s, const struct os_address *address, bool listens,
                      struct error *err)
{
    if (!listens)
        return (s->peer = os_net_connect(address, err)) >= 0;
    s->listener = os_net_listen(address, err);
    if (s->listener < 0 || !address->path)
        return s->listener >= 0;
    s->path = strdup(address->path);
    return s->path || error_set(err, "no memory for a network back-end");
}

static bool open_socket(const struct netdev_config *config, const struct os_address *address,
                        bool listens, struct link_backend *backend, struct error *err)
{
    struct socket_link *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, "no memory for a network back-end");
    s->listener = s->peer = s->listener_place = s->peer_place = -1;
    s->receiver = config->receiver;
    s->log = config->log;
    s->io = net_io_create(&socket_io_ops, s, err);
    if (!s->io || !open_ends(s, address, listens, err) || !net_io_start(s->io, err)) {
        socket_destroy(s);
        return false;
    }
    *backend = (struct link_backend){.ops = &socket_ops, .backend = s};
    return true;
}

/* --- -netdev socket ---------------------------------------------------------------------- */

/* "HOST:PORT"; the host may be empty, or an IPv6 address in brackets. Cuts `text`. */
static bool split_address(char *text, struct os_address *address, struct error *err)
{
    char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return error_set(err, "'%.100s' is no address; give HOST:PORT", text);
    *colon = 0;
    address->port = colon + 1;
    address->host = text;
    size_t n = strlen(text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text[n - 1] = 0;
        address->host = text + 1;
    }
    return true;
}

static bool socket_open(const struct netdev_config *config, struct link_backend *backend,
                        struct error *err)
{
    const char *listens = netdev_value(config, "listen");
    const char *connects = netdev_value(config, "connect");
    if (netdev_value(config, "mcast") || netdev_value(config, "udp") ||
        netdev_value(config, "localaddr") || netdev_value(config, "fd"))
        return error_set(err, "mcast, udp and fd are not there; give listen= or connect=");
    if (!listens == !connects)
        return error_set(err, "give listen=[HOST]:PORT or connect=HOST:PORT, one of them");
    char text[256];
    struct os_address address = {0};
    if ((size_t)snprintf(text, sizeof text, "%s", listens ? listens : connects) >= sizeof text)
        return error_set(err, "an address of more than %zu letters", sizeof text - 1);
    return split_address(text, &address, err) &&
           open_socket(config, &address, listens != NULL, backend, err);
}

static const char *const socket_properties[] = {"listen", "connect",   "mcast", "udp",
                                                "fd",     "localaddr", NULL};

const struct netdev_type netdev_socket = {
    .name = "socket", .properties = socket_properties, .open = socket_open};

/* --- -netdev stream ---------------------------------------------------------------------- */

static bool stream_address(const struct netdev_config *config, struct os_address *address,
                           struct error *err)
{
    const char *type = netdev_value(config, "addr.type");
    *address = (struct os_address){.host = netdev_value(config, "addr.host"),
                                   .port = netdev_value(config, "addr.port"),
                                   .path = netdev_value(config, "addr.path")};
    if (type && strcmp(type, "unix") == 0)
        return address->path || error_set(err, "addr.type=unix needs addr.path=PATH");
    if (!type || strcmp(type, "inet") != 0)
        return error_set(err, "give addr.type=inet with addr.host= and addr.port=, or "
                              "addr.type=unix with addr.path=");
    if (!address->host || !address->port)
        return error_set(err, "addr.type=inet needs addr.host=HOST and addr.port=PORT");
    address->path = NULL;
    return true;
}

static bool stream_open(const struct netdev_config *config, struct link_backend *backend,
                        struct error *err)
{
    bool listens = false;
    struct os_address address;
    return netdev_switch(config, "server", &listens, err) &&
           stream_address(config, &address, err) &&
           open_socket(config, &address, listens, backend, err);
}

static const char *const stream_properties[] = {"server",    "addr.type", "addr.host",
                                                "addr.port", "addr.path", NULL};

const struct netdev_type netdev_stream = {
    .name = "stream", .properties = stream_properties, .open = stream_open};

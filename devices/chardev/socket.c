/* A stream socket, TCP or UNIX, that listens or connects; with telnet's protocol when asked for.
 * One peer at a time: while it is there, the next one waits. */
#include "devices/chardev/backend.h"
#include "devices/chardev/telnet.h"

#include "base/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECONNECT_MS_MOST 3600000u

struct socket {
    int listener; /* -1: we connect */
    int listener_place;
    int peer;
    char *path, *host, *port; /* copies; path: a UNIX socket */
    bool is_server;
    unsigned reconnect_ms; /* 0: once */
    bool is_telnet;
    struct telnet telnet;
};

static struct os_address address_of(const struct socket *s)
{
    return (struct os_address){.host = s->host, .port = s->port, .path = s->path};
}

static void socket_lose(void *state)
{
    struct socket *s = state;
    os_net_close(s->peer);
    s->peer = -1;
}

static void socket_close(void *state)
{
    struct socket *s = state;
    socket_lose(s);
    os_net_close(s->listener);
    if (s->listener >= 0 && s->path)
        os_net_remove(s->path);
    free(s->path);
    free(s->host);
    free(s->port);
    free(s);
}

/* A new peer, or -1. */
static bool greet(struct socket *s, int peer, struct chardev_ends *ends)
{
    s->peer = peer;
    *ends = (struct chardev_ends){peer, peer};
    s->telnet = (struct telnet){0};
    if (peer >= 0 && s->is_telnet) /* a new socket has room for it */
        (void)os_net_write(peer, telnet_greeting, sizeof telnet_greeting);
    return peer >= 0;
}

static int socket_seek(void *state, struct os_poll *polls)
{
    struct socket *s = state;
    if (s->is_server)
        s->listener_place = os_poll_add(polls, s->listener, OS_EVENT_IN);
    return s->reconnect_ms ? (int)s->reconnect_ms : -1;
}

static bool socket_find(void *state, const struct os_poll *polls, struct chardev_ends *ends)
{
    struct socket *s = state;
    struct os_address address = address_of(s);
    struct error ignored;
    if (s->is_server)
        return os_poll_happened(polls, s->listener_place) &&
               greet(s, os_net_accept(s->listener), ends);
    return s->reconnect_ms && greet(s, os_net_connect(&address, &ignored), ends);
}

static size_t socket_decode(void *state, uint8_t *bytes, size_t n)
{
    struct socket *s = state;
    return s->is_telnet ? telnet_decode(&s->telnet, bytes, n) : n;
}

static size_t socket_encode(void *state, const uint8_t *bytes, size_t n, uint8_t *to)
{
    struct socket *s = state;
    if (s->is_telnet)
        return telnet_encode(bytes, n, to);
    memcpy(to, bytes, n);
    return n;
}

/* --- opening ----------------------------------------------------------------------------- */

static bool copy_text(char **to, const char *text, struct error *err)
{
    *to = text ? strdup(text) : NULL;
    return *to || !text || error_set(err, "no memory for a socket");
}

/* Who can talk to a monitor or to gdb's stub can do anything with the guest, and some of the host:
 * a listener that names no host is for this one alone. QEMU's is for all the world. */
static bool read_address(struct socket *s, const struct chardev_config *config, struct error *err)
{
    const char *path = chardev_value(config, "path"), *port = chardev_value(config, "port");
    const char *host = chardev_value(config, "host");
    if (s->is_server && port && (!host || !*host))
        host = "127.0.0.1";
    if (!path == !port)
        return error_set(err, "give path=PATH (a UNIX socket) or host=HOST,port=PORT");
    return copy_text(&s->path, path, err) && copy_text(&s->port, port, err) &&
           copy_text(&s->host, host, err);
}

static bool read_number(const struct chardev_config *config, const char *key, unsigned unit_ms,
                        unsigned *ms, struct error *err)
{
    const char *text = chardev_value(config, key);
    uint64_t number;
    if (!text)
        return true;
    if (!value_number(text, &number) || number > RECONNECT_MS_MOST / unit_ms)
        return error_set(err, "%s=%.40s: give 0 to %u", key, text, RECONNECT_MS_MOST / unit_ms);
    *ms = (unsigned)number * unit_ms;
    return true;
}

static bool read_words(struct socket *s, const struct chardev_config *config, bool *waits,
                       struct error *err)
{
    bool nodelay;
    if (!chardev_switch(config, "server", &s->is_server, err) || !read_address(s, config, err) ||
        !chardev_switch(config, "wait", waits, err) ||
        !chardev_switch(config, "telnet", &s->is_telnet, err) ||
        !chardev_switch(config, "nodelay", &nodelay, err) ||
        !read_number(config, "reconnect", 1000, &s->reconnect_ms, err) ||
        !read_number(config, "reconnect-ms", 1, &s->reconnect_ms, err))
        return false;
    if (s->is_server && s->reconnect_ms)
        return error_set(err, "reconnect= is for one that connects, not for server=on");
    return s->is_server || !chardev_value(config, "wait") ||
           error_set(err, "wait= is for server=on");
}

static void set_place(const struct socket *s, char *place)
{
    const char *kind = s->path ? "unix" : s->is_telnet ? "telnet" : "tcp";
    const char *host = s->path ? s->path : s->host ? s->host : "";
    snprintf(place, CHARDEV_PLACE_BYTES, "%s:%.200s%s%.40s%s", kind, host, s->path ? "" : ":",
             s->path ? "" : s->port, s->is_server ? ",server=on" : "");
}

/* Before any thread runs, so that a signal still ends the program. */
static void wait_for_peer(struct socket *s, const char *place, struct chardev_ends *ends)
{
    struct os_poll *polls = os_poll_create();
    fprintf(stderr, "rivulet: waiting for a connection to %s\n", place);
    while (polls && s->peer < 0) {
        os_poll_clear(polls);
        socket_seek(s, polls);
        os_poll_wait(polls, -1);
        socket_find(s, polls, ends);
    }
    os_poll_destroy(polls);
}

static bool open_ends(struct socket *s, bool waits, const char *place, struct chardev_ends *ends,
                      struct error *err)
{
    struct os_address address = address_of(s);
    if (!s->is_server)
        return greet(s, os_net_connect(&address, err), ends) || s->reconnect_ms;
    s->listener = os_net_listen(&address, err);
    if (s->listener < 0)
        return false;
    if (waits)
        wait_for_peer(s, place, ends);
    return true;
}

static bool socket_open(const struct chardev_config *config, void **state,
                        struct chardev_ends *ends, char *place, struct error *err)
{
    bool waits = true;
    struct socket *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, "no memory for a socket");
    s->listener = s->peer = s->listener_place = -1;
    *state = s; /* closed by whoever called, also when this fails */
    if (!read_words(s, config, &waits, err))
        return false;
    set_place(s, place);
    return open_ends(s, waits, place, ends, err);
}

static const char *const socket_properties[] = {"path", "host",      "port",         "server",
                                                "wait", "telnet",    "nodelay",      "ipv4",
                                                "ipv6", "reconnect", "reconnect-ms", NULL};

const struct chardev_kind chardev_socket = {.name = "socket",
                                            .properties = socket_properties,
                                            .open = socket_open,
                                            .close = socket_close,
                                            .seek = socket_seek,
                                            .find = socket_find,
                                            .lose = socket_lose,
                                            .decode = socket_decode,
                                            .encode = socket_encode};

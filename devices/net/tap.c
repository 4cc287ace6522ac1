/* A TAP interface of the host: frames go to and come from the host's network stack. */
#include "devices/net/io.h"
#include "devices/net/netdev.h"

#include <stdlib.h>

#define BATCH 64 /* frames received before the guest's are sent again */

struct tap {
    int fd;
    int place; /* of fd in the set of the last wait */
    bool ended;
    struct net_io *io;
    struct link_receiver receiver;
    uint8_t frame[LINK_FRAME_MAX];
};

static void tap_transmit(void *backend, const uint8_t *frame, size_t bytes)
{
    struct tap *t = backend;
    (void)os_net_write(t->fd, frame, bytes); /* a full queue loses it, as any interface does */
}

static int tap_prepare(void *backend, struct os_poll *polls)
{
    struct tap *t = backend;
    t->place = t->ended ? -1 : os_poll_add(polls, t->fd, OS_EVENT_IN);
    return -1;
}

static void tap_dispatch(void *backend, const struct os_poll *polls)
{
    struct tap *t = backend;
    if (!os_poll_happened(polls, t->place))
        return;
    long n = 1;
    for (unsigned i = 0; i < BATCH && n > 0; i++) {
        n = os_net_read(t->fd, t->frame, sizeof t->frame);
        if (n > 0)
            t->receiver.receive(t->receiver.owner, t->frame, (size_t)n);
    }
    t->ended = n == OS_ENDED; /* somebody removed the interface */
}

static void tap_send(void *backend, const uint8_t *frame, size_t bytes)
{
    struct tap *t = backend;
    net_io_send(t->io, frame, bytes);
}

static void tap_destroy(void *backend)
{
    struct tap *t = backend;
    net_io_destroy(t->io);
    os_net_close(t->fd);
    free(t);
}

static const struct net_io_ops tap_io_ops = {
    .transmit = tap_transmit, .prepare = tap_prepare, .dispatch = tap_dispatch};
static const struct link_ops tap_ops = {.name = "tap", .send = tap_send, .destroy = tap_destroy};

/* Scripts and helpers of QEMU's, which would run as root. */
static bool check_scripts(const struct netdev_config *config, struct error *err)
{
    static const char *const scripts[] = {"script", "downscript"};
    for (unsigned i = 0; i < ARRAY_LEN(scripts); i++) {
        const char *value = netdev_value(config, scripts[i]);
        if (value && strcmp(value, "no") != 0 && *value)
            return error_set(err,
                             "scripts are not run: give %s=no and set the interface up "
                             "before",
                             scripts[i]);
    }
    bool vnet_hdr = false, vhost = false;
    if (!netdev_switch(config, "vnet_hdr", &vnet_hdr, err) ||
        !netdev_switch(config, "vhost", &vhost, err))
        return false;
    if (vnet_hdr || vhost)
        return error_set(err, "%s=on is not there yet", vhost ? "vhost" : "vnet_hdr");
    return true;
}

static bool tap_open(const struct netdev_config *config, struct link_backend *backend,
                     struct error *err)
{
    if (!check_scripts(config, err))
        return false;
    struct tap *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, "no memory for a network back-end");
    t->receiver = config->receiver;
    t->fd = os_tap_open(netdev_value(config, "ifname"), err);
    t->io = t->fd < 0 ? NULL : net_io_create(&tap_io_ops, t, err);
    if (!t->io || !net_io_start(t->io, err)) {
        tap_destroy(t);
        return false;
    }
    *backend = (struct link_backend){.ops = &tap_ops, .backend = t};
    return true;
}

static const char *const tap_properties[] = {"ifname",   "script", "downscript",
                                             "vnet_hdr", "vhost",  NULL};

const struct netdev_type netdev_tap = {
    .name = "tap", .properties = tap_properties, .open = tap_open};

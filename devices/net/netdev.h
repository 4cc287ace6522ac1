/* The kinds of network back-ends: one row each in the table of netdev.c. */
#ifndef RIVULET_DEVICES_NET_NETDEV_H
#define RIVULET_DEVICES_NET_NETDEV_H

#include "base/log.h"
#include "devices/net/link.h"

/* One key=value of -netdev; a key may come several times. */
struct netdev_property {
    const char *key, *value;
};

struct netdev_config {
    const struct netdev_property *properties; /* without id */
    unsigned count;
    struct link_receiver receiver;
    struct log *log;
};

struct netdev_type {
    const char *name;
    const char *const *properties; /* what it knows; NULL after the last */
    /* Opens what it takes of the host and starts. False and err: nothing is left open. */
    bool (*open)(const struct netdev_config *config, struct link_backend *backend,
                 struct error *err);
};

extern const struct netdev_type netdev_user, netdev_tap, netdev_socket, netdev_stream;

/* All types; NULL after the last. */
extern const struct netdev_type *const netdev_types[];

/* The last value of a key, or NULL. */
const char *netdev_value(const struct netdev_config *config, const char *key);
/* Leaves *on as it is when the key is missing; an error that names the key when the value is none
 * of on, off, yes, no, true, false. */
bool netdev_switch(const struct netdev_config *config, const char *key, bool *on,
                   struct error *err) MUST_CHECK;

#endif

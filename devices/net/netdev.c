/* The table of network back-ends (contract: netdev.h). */
#include "devices/net/netdev.h"

#include "base/values.h"

const struct netdev_type *const netdev_types[] = {
    &netdev_user, &netdev_tap, &netdev_socket, &netdev_stream, NULL,
};

const char *netdev_value(const struct netdev_config *config, const char *key)
{
    for (unsigned i = config->count; i > 0; i--)
        if (strcmp(config->properties[i - 1].key, key) == 0)
            return config->properties[i - 1].value;
    return NULL;
}

bool netdev_switch(const struct netdev_config *config, const char *key, bool *on, struct error *err)
{
    const char *value = netdev_value(config, key);
    return !value || value_switch(value, on) ||
           error_set(err, "%s is on or off, not '%.80s'", key, value);
}

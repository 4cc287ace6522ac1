/* The table of network back-ends (contract: netdev.h). */
#include "devices/net/netdev.h"

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

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

bool netdev_switch(const struct netdev_config *config, const char *key, bool *on, struct error *err)
{
    static const char *const yes[] = {"on", "yes", "true", NULL};
    static const char *const no[] = {"off", "no", "false", NULL};
    const char *value = netdev_value(config, key);
    if (!value)
        return true;
    if (!is_one_of(value, yes) && !is_one_of(value, no))
        return error_set(err, "%s is on or off, not '%.80s'", key, value);
    *on = is_one_of(value, yes);
    return true;
}

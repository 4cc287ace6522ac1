/* Built without libslirp: the user back-end is known, and refused. */
#include "devices/net/user_options.h"

static bool user_open(const struct netdev_config *config, struct link_backend *backend,
                      struct error *err)
{
    (void)config;
    (void)backend;
    return error_set(err, "this program was built without libslirp: install libslirp-dev and build "
                          "again");
}

const struct netdev_type netdev_user = {
    .name = "user", .properties = user_properties, .open = user_open};

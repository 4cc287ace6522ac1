/* Hosts without TAP interfaces that we know (contract: os_net.h). */
#include "base/os_net.h"

int os_tap_open(const char *name, struct error *err)
{
    (void)name;
    error_set(err, "tap interfaces are for Linux hosts; use -netdev user");
    return -1;
}

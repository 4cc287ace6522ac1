/* The VNC server of a build without libvncserver: there is none (contract: vnc.h). */
#include "frontend/vnc.h"

struct vnc *vnc_open(struct control *c, const struct vnc_config *config, struct error *err)
{
    (void)c, (void)config;
    error_set(err, "this program was built without libvncserver: install libvncserver-dev and "
                   "build again");
    return NULL;
}

const struct vnc_access *vnc_access(const struct vnc *v)
{
    (void)v;
    return NULL;
}

void vnc_close(struct vnc *v)
{
    (void)v;
}

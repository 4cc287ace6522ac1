/* Who may see the display from elsewhere: what the monitor and QMP ask of a VNC server. */
#ifndef RIVULET_DEBUG_VNC_ACCESS_H
#define RIVULET_DEBUG_VNC_ACCESS_H

#include "base/bits.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The server's side, called on the machine's thread. Both: false and err if it asks viewers for no
 * password. Who is connected stays. */
struct vnc_access {
    /* From now on this lets viewers in; "": nothing does. */
    bool (*set_password)(void *owner, const char *password, struct error *err);
    /* From then on, in seconds since 1970, nothing does; UINT64_MAX: there is no end. */
    bool (*set_expiry)(void *owner, uint64_t seconds, struct error *err);
    void *owner;
    const char *id; /* how users call the server */
};

/* Which password: words of a user's, as QEMU's commands take them. */
struct vnc_target {
    const char *protocol; /* "vnc" */
    const char *display;  /* the server's id; NULL: there is one */
    const char *action;   /* what happens to who is connected: "keep", or NULL */
};

/* `a` NULL: there is no server. False and err. */
bool vnc_access_set_password(const struct vnc_access *a, const struct vnc_target *target,
                             const char *password, struct error *err) MUST_CHECK;
/* when: "now", "never", "+SECONDS", or SECONDS since 1970. */
bool vnc_access_set_expiry(const struct vnc_access *a, const struct vnc_target *target,
                           const char *when, struct error *err) MUST_CHECK;

#endif

/* A VNC server for a machine's display (RFB: RFC 6143). */
#ifndef RIVULET_FRONTEND_VNC_H
#define RIVULET_FRONTEND_VNC_H

#include "debug/control.h"
#include "debug/vnc_access.h"

#define VNC_PASSWORD_BYTES 8u /* the protocol's; what is longer is cut off, as QEMU does */

struct vnc_config {
    char host[256];      /* "": any address */
    char path[256];      /* of a UNIX socket; "": TCP */
    unsigned port;       /* 5900 + the number of the display */
    unsigned more_ports; /* so many of the following are tried too */
    char id[64];
    bool asks_password;
    char password[VNC_PASSWORD_BYTES + 1]; /* "": nobody is let in until there is one */
    bool is_shared;                        /* a viewer cannot have it for itself */
};

/* Reads what -vnc and -display vnc= take: HOST:N or unix:PATH, and to=, share=, id=, password=on,
 * password-secret=ID of an -object secret. One that asks for no password is for this host alone. */
bool vnc_config_parse(const char *text, const struct machine_options *objects,
                      struct vnc_config *config, struct error *err) MUST_CHECK;

struct vnc;

/* Serves on a thread of its own, which never holds the machine up, and which sleeps while there is
 * no viewer; says on stderr where. NULL and err: the address is taken, or the program was built
 * without libvncserver. */
struct vnc *vnc_open(struct control *c, const struct vnc_config *config, struct error *err);
void vnc_close(struct vnc *v);
/* What changes its password while it runs; the server's. */
const struct vnc_access *vnc_access(const struct vnc *v);

#endif

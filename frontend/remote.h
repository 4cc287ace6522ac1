/* A monitor, QMP or the gdb stub at a character back-end (-monitor, -qmp, -mon, -gdb): a socket, a
 * pipe, a pty. */
#ifndef RIVULET_FRONTEND_REMOTE_H
#define RIVULET_FRONTEND_REMOTE_H

#include "debug/monitor.h"

struct remote;

enum remote_kind { REMOTE_MONITOR, REMOTE_QMP, REMOTE_GDB };

struct remote_config {
    enum remote_kind kind;
    const char *chardev; /* id of a back-end of the control's machine that no device has */
    bool echo;           /* MONITOR: the user's end does not */
    bool is_pretty;      /* QMP: answers are for reading */
};

/* On the machine's thread; control and monitor outlive it. NULL and err. */
struct remote *remote_open(struct control *c, struct monitor *m, const struct remote_config *config,
                           struct error *err);
/* After control_close, before the machine is destroyed. */
void remote_close(struct remote *r);
/* Takes gdb's stub away while the machine runs, its back-end too: on the machine's thread. False
 * and err: it is gdb that asks for it. */
bool remote_remove(struct remote *r, struct error *err) MUST_CHECK;

#endif

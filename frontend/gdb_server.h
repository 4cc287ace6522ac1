/* Where gdb may come: -gdb, and the monitor's command gdbserver, which opens an end, moves it or
 * takes it away while the machine runs. All on the machine's thread. */
#ifndef RIVULET_FRONTEND_GDB_SERVER_H
#define RIVULET_FRONTEND_GDB_SERVER_H

#include "frontend/remote.h"

struct gdb_server {
    struct control *control;
    struct monitor *monitor;
    struct remote *remote;   /* NULL: gdb cannot come */
    struct options *options; /* that describe its back-end, if that came later; else NULL */
};

/* `owner` is a gdb_server; `end` is what -gdb takes, "none" too. False and err: gdb cannot come
 * there, and if `end` is an end at all, it can come nowhere else either. */
bool gdb_server_move(void *owner, const char *end, struct error *err) MUST_CHECK;
/* After control_close; what gdb_server_free frees is needed until the machine is destroyed. */
void gdb_server_close(struct gdb_server *s);
void gdb_server_free(struct gdb_server *s);

#endif

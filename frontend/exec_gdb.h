/* gdb's connection to a program. There is no thread for it, for the program's forks would not have
 * it: what comes while the program runs interrupts it (inspect_watch). */
#ifndef RIVULET_FRONTEND_EXEC_GDB_H
#define RIVULET_FRONTEND_EXEC_GDB_H

#include "debug/control.h"
#include "syscall/inspect.h"

struct exec_gdb;

/* end: PORT, tcp:[HOST]:PORT, unix:PATH, or a PATH with a '/'; a relative one is in `folder`. NULL
 * and err. */
struct exec_gdb *exec_gdb_open(struct process *p, struct control *c, const char *end,
                               const char *folder, struct error *err);
/* A peer is told how the program ended. */
void exec_gdb_close(struct exec_gdb *g);
bool exec_gdb_has_peer(const struct exec_gdb *g);
/* Takes what has come: who connects, or what he says; `waits` until there is something. */
void exec_gdb_serve(struct exec_gdb *g, bool waits);

#endif

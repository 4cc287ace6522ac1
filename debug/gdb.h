/* The stub of gdb's remote protocol: harts are threads of the one process 1, memory is what the
 * chosen hart sees (or physical), registers are all that the hart has. What QEMU's stub adds to the
 * protocol is here too.
 *
 * All of it belongs to the machine's thread (control.h). All harts stop and go on together: there
 * is one schedule, and a debugger does not change it. So an action of vCont that would keep some
 * harts back lets them run, and a step is one of one hart. */
#ifndef RIVULET_DEBUG_GDB_H
#define RIVULET_DEBUG_GDB_H

#include "debug/monitor.h"

struct gdb;

/* Control and monitor outlive it; answers go to out. NULL and err. */
struct gdb *gdb_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       struct error *err);
/* A peer that is there is told how the guest ended. */
void gdb_destroy(struct gdb *g);

/* A peer has come: the machine stops. It went: its breakpoints go, and nothing else changes, so
 * that another can go on where it was. */
void gdb_connect(struct gdb *g);
void gdb_disconnect(struct gdb *g);
void gdb_receive(struct gdb *g, const uint8_t *bytes, size_t n);

#endif

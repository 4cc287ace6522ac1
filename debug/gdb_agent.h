/* Conditions of breakpoints as gdb compiles them: agent expressions, a small bytecode (gdb manual,
 * appendix "The GDB Agent Expression Mechanism"). Evaluated here, a condition that does not hold
 * costs no round trip. */
#ifndef RIVULET_DEBUG_GDB_AGENT_H
#define RIVULET_DEBUG_GDB_AGENT_H

#include "cpu/hart.h"
#include "debug/gdb_packet.h"

struct gdb_conditions;

/* Reads `X LENGTH,CODE` once or more; *c is the caller's to free. False: it is malformed, or there
 * is no memory. */
bool gdb_conditions_read(struct gdb_text *t, struct gdb_conditions **c) MUST_CHECK;
void gdb_conditions_free(struct gdb_conditions *c);
/* Whether one of them holds. One that cannot be evaluated (memory that is not there, a code that is
 * not known) does: the user is shown it rather than nothing. */
bool gdb_conditions_hold(const struct gdb_conditions *c, struct hart *h);

#endif

/* Moving in the past of a machine (machine/history.h): steps and runs backwards, for the monitor
 * and gdb. Machine thread. */
#ifndef RIVULET_DEBUG_PAST_H
#define RIVULET_DEBUG_PAST_H

#include "debug/control.h"
#include "machine/history.h"

/* The hart is where it was so many of its steps ago. */
bool past_step(struct control *c, unsigned hart, uint64_t steps, struct error *err) MUST_CHECK;
/* Back to the last moment at which a breakpoint was hit, or before a watchpoint was; if there is
 * none, to the beginning of the past. control_exit says which. */
bool past_continue(struct control *c, unsigned hart, struct error *err) MUST_CHECK;
/* To a moment, in the past or to come. */
bool past_go_to(struct control *c, uint64_t steps, struct error *err) MUST_CHECK;
/* machine_find_writer for what was written until now. The machine is where it was then. */
bool past_find_writer(struct control *c, uint64_t gpa, uint64_t n, struct machine_writer *writer,
                      bool *found, struct error *err) MUST_CHECK;

#endif

/* Moving in the past of a machine (machine/history.h): steps and runs backwards, for the monitor
 * and gdb. Machine thread. What may take long says each second to `progress`, unless it is NULL,
 * how far it is; control_stop ends it. */
#ifndef RIVULET_DEBUG_PAST_H
#define RIVULET_DEBUG_PAST_H

#include "debug/control.h"
#include "debug/registers.h"
#include "machine/history.h"

/* The hart is where it was so many of its steps ago. */
bool past_step(struct control *c, unsigned hart, uint64_t steps, struct error *err) MUST_CHECK;
/* Back to the last moment at which a breakpoint was hit, or before a watchpoint was; if there is
 * none, to the beginning of the past. control_exit says which. */
bool past_continue(struct control *c, unsigned hart, const struct byte_sink *progress,
                   struct error *err) MUST_CHECK;
/* One step of the hart back; if that was a return, to before the call, and so for traps. */
bool past_next(struct control *c, unsigned hart, const struct byte_sink *progress,
               struct error *err) MUST_CHECK;
/* To before the call, or the trap, that led to where the hart is. */
bool past_finish(struct control *c, unsigned hart, const struct byte_sink *progress,
                 struct error *err) MUST_CHECK;
/* To a moment, in the past or to come. */
bool past_go_to(struct control *c, uint64_t steps, struct error *err) MUST_CHECK;
/* machine_find_writer for what was written until now. The machine is where it was then. */
bool past_find_writer(struct control *c, const struct machine_written *what,
                      struct machine_writer *writer, bool *found, struct error *err) MUST_CHECK;
/* To before the last instruction that wrote to a register of the hart, or whatever else changed it.
 * *found false: nothing did since the past began, which is where the machine is then. */
struct past_change {
    uint64_t steps, old, now;
    bool by_instruction; /* else a trap, the built-in SBI or a debugger */
};
bool past_find_register(struct control *c, unsigned hart, const struct reg *r,
                        const struct byte_sink *progress, struct past_change *change, bool *found,
                        struct error *err) MUST_CHECK;

#endif

/* One moment in memory to which a machine returns thousands of times a second: for fuzzing and
 * tests, where each case is to begin at the same place. What was written since goes back, page by
 * page; what was not costs nothing.
 *
 * Unlike the past (history.h) it repeats nothing: what comes in behind it is the client's. */
#ifndef RIVULET_MACHINE_CHECKPOINT_H
#define RIVULET_MACHINE_CHECKPOINT_H

#include "machine/machine.h"

/* Between runs: from now on this is the moment; one before is forgotten. Disks keep in memory what
 * they change, images of the user too, which go back with the machine. False and err: with a
 * history, while it is recorded, or without memory. */
bool machine_take_checkpoint(struct machine *m, struct error *err) MUST_CHECK;
/* Between runs: the machine is what it was. What waits at the door is lost. Breakpoints stay. False
 * and err: there is none, or the machine is damaged and needs a reset (*is_intact). */
bool machine_return(struct machine *m, bool *is_intact, struct error *err) MUST_CHECK;
/* Nothing is kept any more. */
void machine_forget_checkpoint(struct machine *m);

/* The pages that have been written since, and the host memory for it all. */
struct machine_checkpoint_figures {
    size_t dirty_pages, kept_pages, bytes;
};
/* False: there is no checkpoint. */
bool machine_checkpoint_figures(const struct machine *m, struct machine_checkpoint_figures *f);

#endif

/* Semihosting on the board: its console is the machine's, or a character back-end of its own; its
 * files are those of one folder, if there is one.
 *
 * A folder is to a run what the image of a disk is: part of what is given. When the run is recorded
 * or its past is kept, what the host answered is kept with it, and repeating the run asks the host
 * for nothing, and writes nothing again. */
#ifndef RIVULET_MACHINE_SEMIHOST_H
#define RIVULET_MACHINE_SEMIHOST_H

#include "machine/internal.h"

struct semihost;

/* Makes m->semihost if the configuration wants it. */
bool semihost_create(struct machine *m, struct error *err) MUST_CHECK;
/* What a replay has left out, when it becomes a run of its own. */
bool semihost_open_folder(struct machine *m, struct error *err) MUST_CHECK;
void semihost_destroy(struct semihost *s);
void semihost_reset(struct semihost *s);
/* RAM that nothing was loaded into. */
void semihost_set_heap(struct semihost *s, uint64_t start, uint64_t end);
void semihost_state(struct semihost *s, struct state *state);

/* For hart_ports.semihosting; the owner is the machine. */
bool semihost_call(void *machine, struct hart *h);
/* Input was delivered: harts that wait for it are woken. */
void semihost_wake(struct machine *m);

#endif

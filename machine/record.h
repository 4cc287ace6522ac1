/* Recording a run and playing it again. What comes from outside is logged with its virtual time as
 * sinks take it, and given to them again at the same time; with it go hashes of the state, so that
 * a replay that becomes another run says when and in which part.
 *
 * The log begins with lines of text that must be the same in a replay: what the machine is, that of
 * its disks included, the entries of the door, and the hash of the state at its beginning. So
 * nothing else of the machine's files is in it: a replay needs them too. */
#ifndef RIVULET_MACHINE_RECORD_H
#define RIVULET_MACHINE_RECORD_H

#include "machine/machine.h"

/* Both before the first run of a machine with icount, whose drives all have snapshot=on: a replay
 * must find them as they were. path NULL: in memory alone, for machine_keep_history. False and err.
 */
bool machine_record(struct machine *m, const char *path, struct error *err) MUST_CHECK;
/* What is pushed to the door is lost from now on. The run ends with MACHINE_REPLAYED where the
 * recording ends, and with MACHINE_DIVERGED where it becomes another one. */
bool machine_replay(struct machine *m, const char *path, struct error *err) MUST_CHECK;

/* Whether it is either, for a file or for its history. */
bool machine_is_recorded(const struct machine *m);
/* Whether it may become another machine (snapshot_load); then machine_renew_history is to be
 * called. False and err: it is in a file of a recording. */
bool machine_may_load(const struct machine *m, struct error *err) MUST_CHECK;

/* A replay, or a machine in its past, becomes another run from here on: what was recorded behind
 * this moment is dropped, and it hears the world again. False and err. */
bool machine_branch(struct machine *m, struct error *err) MUST_CHECK;

/* Why the replay ended, one line. */
const char *machine_replay_end(const struct machine *m);

/* Ends a recording. False and err: the file is not whole. */
bool machine_record_close(struct machine *m, struct error *err) MUST_CHECK;

#endif

/* The past of a machine: checkpoints in memory, taken while it runs, from which any moment since
 * the first can be reached again by running on with the input of then.
 *
 * A moment is the sum of all harts' steps: harts take turns, so that it is one order of all that
 * happens. A checkpoint is the state without RAM; a page of RAM is kept when it is written for the
 * first time after one, and disks keep what they change. When all that takes more memory than it
 * may, checkpoints in between are given up, more of the distant past than of the recent: the first
 * one stays. */
#ifndef RIVULET_MACHINE_HISTORY_H
#define RIVULET_MACHINE_HISTORY_H

#include "machine/machine.h"

/* From now on the past is kept; before the first run, with machine_config.history_bytes, behind
 * machine_record or machine_replay if there is one. False and err: without icount, for example. */
bool machine_keep_history(struct machine *m, struct error *err) MUST_CHECK;
bool machine_has_history(const struct machine *m);

/* The past begins here, if it is kept: what was before is another machine's. */
bool machine_renew_history(struct machine *m, struct error *err) MUST_CHECK;

/* The moments of the first checkpoint, and of the last one before this moment. UINT64_MAX: there is
 * none. */
uint64_t machine_history_start(const struct machine *m);
uint64_t machine_checkpoint_before(const struct machine *m, uint64_t steps);

/* Between runs: the machine is what it was at this moment, not before machine_history_start. Going
 * on from there repeats what came, until the present is reached again. Breakpoints and watchpoints
 * do not stop it on the way; what the guest sends on the way goes nowhere. False and err: the
 * moment cannot be reached, and the machine is where it got. */
bool machine_go_to(struct machine *m, uint64_t steps, struct error *err) MUST_CHECK;
/* Where the machine stands. While all harts sleep time goes on and devices work, with no step made:
 * a moment is the beginning of that, a place may be later. */
struct machine_place {
    uint64_t steps, ns;
    bool is_in_round; /* what comes at this time has come */
    unsigned turn;
};
struct machine_place machine_place(const struct machine *m);
/* machine_go_to, and through a sleep to the place. */
bool machine_go_to_place(struct machine *m, const struct machine_place *place,
                         struct error *err) MUST_CHECK;
/* The same for the moment at which one hart had made so many steps. */
bool machine_go_to_step(struct machine *m, unsigned hart, uint64_t steps,
                        struct error *err) MUST_CHECK;
/* The guest's output goes nowhere: for a client that runs through the past to look for something.
 */
void machine_mute(struct machine *m, bool is_muted);

/* Whom to ask when a run through the past is asked to end (machine_request_stop): false ends it.
 * NULL: it is not ended. */
void machine_on_attention(struct machine *m, bool (*attend)(void *owner), void *owner);

/* Who wrote last to physical [gpa, gpa + n) before a place, or made it this value: looked for from
 * there back, which leaves the machine somewhere in its past. */
struct machine_written {
    uint64_t gpa, n;
    bool has_value;
    uint64_t value; /* n is at most 8 */
};
struct machine_writer {
    uint64_t steps;    /* all harts' before the instruction; else when it was written */
    const char *other; /* no hart: what the device, or its entry of the door, is called */
    unsigned hart;
    uint64_t gpa, n;   /* what it wrote */
    uint64_t old, now; /* of what was asked for, at most 8 bytes, little-endian */
};
/* False and err. *found false: nobody since the past begins. */
bool machine_find_writer(struct machine *m, const struct machine_written *what,
                         const struct machine_place *before, struct machine_writer *writer,
                         bool *found, struct error *err) MUST_CHECK;

/* A line about what is kept. */
void machine_describe_history(const struct machine *m, const struct byte_sink *out);

#endif

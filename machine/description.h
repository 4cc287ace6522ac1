/* A machine in words: what must be the same for a state, or a recorded run, to be its own; and the
 * command line that makes it. Lines of text. */
#ifndef RIVULET_MACHINE_DESCRIPTION_H
#define RIVULET_MACHINE_DESCRIPTION_H

#include "machine/machine.h"

/* What decides how the state is walked and what the devices are. Not the files that were loaded:
 * they are in RAM. Not the ends of wires: they are the host's. Its disks are settled. */
void description_machine(struct machine *m, const struct byte_sink *out);
/* The same for a snapshot inside of its disks: what was written to those since is of no matter. */
void description_machine_with_disks(struct machine *m, const struct byte_sink *out);

/* An option a line, its name and its value. Those that only the user can give come first, as
 * DESCRIPTION_NEEDS and the option's name. */
#define DESCRIPTION_NEEDS "needs "
void description_command_line(struct machine *m, const struct byte_sink *out);

/* Text that grows; not ended by a zero. */
struct text {
    char *bytes; /* the holder frees it */
    size_t n;
    bool failed; /* no memory */
};

struct byte_sink text_sink(struct text *t);

/* Whether the n bytes `there`, which are path's, are those of `here`: else err names the first line
 * that differs. */
bool description_same(const char *path, const char *there, uint64_t n, const struct text *here,
                      struct error *err) MUST_CHECK;

#endif

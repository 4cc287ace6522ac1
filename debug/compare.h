/* How two machines of the same configuration differ, as lines of text. Between runs. */
#ifndef RIVULET_DEBUG_COMPARE_H
#define RIVULET_DEBUG_COMPARE_H

#include "machine/machine.h"

/* The instruction before which each hart stands. */
void compare_show_place(struct machine *m, const struct byte_sink *out);
/* Registers, the first part of the state, the first place in RAM. */
void compare_machines(struct machine *a, struct machine *b, uint64_t ram_bytes,
                      const struct byte_sink *out);

#endif

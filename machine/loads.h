/* -device loader: files and data that are put into RAM beside the kernel, and harts that start
 * elsewhere. */
#ifndef RIVULET_MACHINE_LOADS_H
#define RIVULET_MACHINE_LOADS_H

#include "firmware/load.h"
#include "machine/internal.h"

/* Where harts start instead of at the reset ROM; 0: there. */
struct load_starts {
    uint64_t pc[MACHINE_MAX_HARTS];
};

/* Whether a -device is for this file. */
bool loads_is_one(const struct machine_option *option);
/* What it takes, if this is its name. */
bool loads_list_properties(const char *name, const struct byte_sink *out);

/* Does what each of them says, in order. */
bool loads_run(struct machine *m, struct loader *l, struct load_starts *starts,
               struct error *err) MUST_CHECK;

#endif

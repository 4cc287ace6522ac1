/* Changes to a machine that come from a debugger, and not through the door. They are recorded with
 * the moment at which they were made, so that a replay, and a run through the past, makes them too.
 */
#ifndef RIVULET_MACHINE_EDIT_H
#define RIVULET_MACHINE_EDIT_H

#include "machine/machine.h"

enum edit_kind {
    EDIT_PC,
    EDIT_X,
    EDIT_F,
    EDIT_CSR,
    EDIT_PRIVILEGE, /* enum priv */
    EDIT_MEMORY,    /* `value` is a virtual address of the hart's */
    EDIT_PHYSICAL,  /* `value` is a physical one */
    EDIT_RESET,     /* machine_reset */
    EDIT_KINDS,
};

#define EDIT_MOST_BYTES (1u << 20)

struct machine_edit {
    enum edit_kind kind;
    unsigned hart, number; /* the register's */
    uint64_t value;
    const void *bytes; /* of memory: at most EDIT_MOST_BYTES */
    size_t n;
};

/* Between runs. False and err: nothing has changed, for what it says cannot be, or machine_may_edit
 * says no. */
bool machine_edit(struct machine *m, const struct machine_edit *e, struct error *err) MUST_CHECK;
/* The same for a hart that is not a machine's, without EDIT_RESET. */
bool edit_hart(struct hart *h, const struct machine_edit *e, struct error *err) MUST_CHECK;
/* Whether it may be changed at all: not while what it does next is known already. */
bool machine_may_edit(const struct machine *m, struct error *err) MUST_CHECK;

#endif

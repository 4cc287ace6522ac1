/* Where two replays part that began as the same machine. */
#ifndef RIVULET_MACHINE_BISECT_H
#define RIVULET_MACHINE_BISECT_H

#include "machine/machine.h"

struct bisection {
    bool differs;
    uint64_t steps; /* the last moment at which both are the same, where they stand then */
    char end[160];  /* !differs: which recording ends there */
};

/* Both are replays that keep their past, and have not run yet. Up to the round that begins at
 * same_ns they are taken to be the same if they are the same there. False and err: the runs cannot
 * be repeated. */
bool machine_bisect(struct machine *a, struct machine *b, uint64_t same_ns, struct bisection *found,
                    struct error *err) MUST_CHECK;

#endif

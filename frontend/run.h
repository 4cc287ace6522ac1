/* One run of the program: a machine, its console, and what the options say about when it ends. */
#ifndef RIVULET_FRONTEND_RUN_H
#define RIVULET_FRONTEND_RUN_H

#include "frontend/options.h"

/* True: the run is over, and *status is the exit status of the program: the guest's, when it was
 * the guest that ended it. False: it could not be begun or gone on with. */
bool run(const struct options *options, int *status, struct error *err) MUST_CHECK;

#endif

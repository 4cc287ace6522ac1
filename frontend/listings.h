/* What the program shows instead of running a machine. */
#ifndef RIVULET_FRONTEND_LISTINGS_H
#define RIVULET_FRONTEND_LISTINGS_H

#include "frontend/options.h"

/* action is none of ACTION_RUN. */
void listing_print(enum options_action action, FILE *out);

#endif

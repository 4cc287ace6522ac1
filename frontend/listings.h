/* What the program shows instead of running a machine. */
#ifndef RIVULET_FRONTEND_LISTINGS_H
#define RIVULET_FRONTEND_LISTINGS_H

#include "frontend/options.h"

/* What options.action says, which is not ACTION_RUN. False and err: there is no such thing. */
bool listing_print(const struct options *options, FILE *out, struct error *err) MUST_CHECK;

#endif

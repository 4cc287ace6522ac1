/* `rivulet` with nothing to run: the demo guest that the program has in itself (firmware/demo). */
#ifndef RIVULET_FRONTEND_DEMO_GUEST_H
#define RIVULET_FRONTEND_DEMO_GUEST_H

#include "frontend/options.h"

/* Completes options that ask for it: harts, and a screen with keyboard and pointer where there can
 * be one; else it draws in the terminal, or, without one, writes its text and ends. Does nothing to
 * other options. */
bool demo_guest_apply(struct options *o, struct error *err) MUST_CHECK;

/* Says in one line which of these it is, if it is the demo guest that runs: when nothing can fail
 * any more, since an error is one line. */
void demo_guest_greet(const struct options *o);

/* Gives the terminal back as it was, however the guest has ended. */
void demo_guest_leave(const struct options *o);

#endif

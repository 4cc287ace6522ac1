/* HTIF on the board: -device htif. */
#ifndef RIVULET_MACHINE_HTIF_H
#define RIVULET_MACHINE_HTIF_H

#include "machine/drivers.h"

extern const struct property_rule htif_rules[];

/* Where its words are is said by tohost= and fromhost=, or by the program: its symbols of these
 * names, or else its section .tohost. */
bool htif_add(struct machine *m, const struct properties *p, struct error *err) MUST_CHECK;

#endif

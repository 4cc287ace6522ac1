/* Where the devices of -device are put: the buses of the board, and the properties that they have
 * beside the device's own. */
#ifndef RIVULET_MACHINE_PLACES_H
#define RIVULET_MACHINE_PLACES_H

#include "machine/drivers.h"

/* The rules of a bus's own properties. */
const struct property_rule *place_rules(enum driver_bus bus);
/* Finds the place that the properties name, or a free one, makes the device, and puts it there. */
bool place_device(struct machine *m, const struct driver *driver, const struct properties *p,
                  struct error *err) MUST_CHECK;

#endif

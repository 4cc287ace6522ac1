/* virtio-serial and what is plugged into it: virtconsole and virtserialport. The ports of a bus are
 * made together with it, from the options behind its own. */
#ifndef RIVULET_MACHINE_SERIAL_PORTS_H
#define RIVULET_MACHINE_SERIAL_PORTS_H

#include "machine/drivers.h"

extern const struct property_rule serial_rules[], serial_port_rules[];

/* The create function of virtio-serial's drivers. */
struct virtio *serial_create(struct machine *m, const struct properties *p, struct error *err);
void serial_buses_destroy(struct machine *m);
/* Whether a bus before this option has made its port; err says what is missing. */
bool serial_port_check(const struct machine *m, const struct machine_option *port,
                       struct error *err) MUST_CHECK;

#endif

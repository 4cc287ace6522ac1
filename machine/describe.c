/* What a person wants to know of the machine's parts, as lines of text. */
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/nets.h"

#include "devices/irq/plic.h"

void machine_describe(struct machine *m, enum machine_part part, const struct byte_sink *out)
{
    switch (part) {
    case MACHINE_INTERRUPTS:
        plic_describe(m->devices[SLOT_PLIC], out);
        break;
    case MACHINE_DRIVES:
        drives_describe(m->drives, out);
        break;
    case MACHINE_NETWORKS:
        nets_describe(m->nets, out);
        break;
    }
}

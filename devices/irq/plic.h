/* Platform-level interrupt controller: 95 level-triggered sources, two contexts a hart. */
#ifndef RIVULET_DEVICES_IRQ_PLIC_H
#define RIVULET_DEVICES_IRQ_PLIC_H

#include "devices/device.h"

#define PLIC_BYTES        0x600000u
#define PLIC_SOURCES      96u /* with source 0, which means "none" */
#define PLIC_MAX_CONTEXTS 16u

struct plic_config {
    unsigned contexts; /* hart h: context 2h is M-mode, 2h + 1 is S-mode */
    struct irq out[PLIC_MAX_CONTEXTS];
    struct log *log; /* NULL: none */
};

/* Copies config; NULL when the host has no memory. ops->reset must be called before first use. */
struct device *plic_create(const struct plic_config *config) MUST_CHECK;

/* Drives the wire of one source, 1 to PLIC_SOURCES - 1. Usable as irq.set, with the PLIC's
 * struct device as target. */
void plic_set_source(void *plic, unsigned source, bool level);

/* Lines of text: every source that some context enables or that does something, and every context
 * that enables any. */
void plic_describe(const struct device *d, const struct byte_sink *out);

#endif

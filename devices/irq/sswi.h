/* ACLINT's SSWI device: supervisor software interrupts, one register a hart. */
#ifndef RIVULET_DEVICES_IRQ_SSWI_H
#define RIVULET_DEVICES_IRQ_SSWI_H

#include "devices/device.h"

#define SSWI_BYTES     0x4000u
#define SSWI_MAX_HARTS 8u

struct sswi_config {
    unsigned harts;                  /* 1 to SSWI_MAX_HARTS */
    struct irq ssip[SSWI_MAX_HARTS]; /* edges: each true sets the hart's SSIP, nothing clears it */
    struct log *log;                 /* NULL: none */
};

/* Copies config; NULL when the host has no memory. */
struct device *sswi_create(const struct sswi_config *config) MUST_CHECK;

#endif

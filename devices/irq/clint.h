/* Core-local interruptor: software interrupts, the machine timers' compare registers, and mtime. */
#ifndef RIVULET_DEVICES_IRQ_CLINT_H
#define RIVULET_DEVICES_IRQ_CLINT_H

#include "devices/device.h"

#define CLINT_BYTES     0x10000u
#define CLINT_MAX_HARTS 8u

struct clint_config {
    unsigned harts; /* 1 to CLINT_MAX_HARTS */
    struct irq msip[CLINT_MAX_HARTS];
    /* A hart compares time itself: it is told each new compare value (in units of mtime). */
    void (*set_mtimecmp)(void *owner, unsigned hart, uint64_t value);
    /* All harts' mtime is ahead of the clock by this (in its own units, modulo 2^64). */
    void (*set_mtime_offset)(void *owner, uint64_t offset);
    void *owner;
    const struct clock *clock;
    struct log *log; /* NULL: none */
};

/* Copies config; NULL when the host has no memory. ops->reset must be called before first use. */
struct device *clint_create(const struct clint_config *config) MUST_CHECK;

#endif

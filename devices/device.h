/* What every device is. A device is one .c file: registers, state, read, write, reset, state walk,
 * ops, constructor. Its struct begins with `struct device` and has two labelled halves: guest state
 * (all that its state function walks) and host side (set once by the constructor, never saved). */
#ifndef RIVULET_DEVICES_DEVICE_H
#define RIVULET_DEVICES_DEVICE_H

#include "base/byte_sink.h"
#include "base/clock.h"
#include "base/events.h"
#include "base/irq.h"
#include "base/log.h"
#include "base/state.h"
#include "memory/map.h"

struct device {
    const struct device_ops *ops;
};

struct device_ops {
    struct mmio_ops mmio; /* name, registers */
    void (*reset)(struct device *d);
    void (*state)(struct device *d, struct state *s);
    void (*destroy)(struct device *d);
};

#endif

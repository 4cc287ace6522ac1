/* Goldfish real-time clock: nanoseconds since 1970, with an alarm. */
#ifndef RIVULET_DEVICES_GOLDFISH_RTC_H
#define RIVULET_DEVICES_GOLDFISH_RTC_H

#include "devices/device.h"

#define GOLDFISH_RTC_BYTES 0x1000u

struct goldfish_rtc_config {
    uint64_t epoch_ns; /* ns since 1970 at virtual time 0 */
    struct irq irq;
    const struct clock *clock;
    struct event_queue *events;
    struct log *log; /* NULL: none */
};

/* Copies config and registers an event; NULL when the host has no memory. ops->reset must be called
 * before first use. The event queue must not be used after ops->destroy. */
struct device *goldfish_rtc_create(const struct goldfish_rtc_config *config) MUST_CHECK;

#endif

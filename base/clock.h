/* A machine's virtual clock in nanoseconds; mtime is 10 MHz of it (DESIGN.md section 3).
 * Two sources: with icount the run loop and the hart's slow paths set now_ns from step counts
 * before any device looks; with the host clock virtual time follows the host's monotonic time. */
#ifndef RIVULET_BASE_CLOCK_H
#define RIVULET_BASE_CLOCK_H

#include "base/os.h"

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MTIME 100u /* 10 MHz timebase */

struct clock {
    bool follows_host;
    uint64_t now_ns;       /* icount: the present of whoever runs now */
    uint64_t host_zero_ns; /* host: os_monotonic_ns() at virtual time 0 */
};

/* Virtual nanoseconds since the machine was made. */
static inline uint64_t clock_now_ns(const struct clock *c)
{
    return c->follows_host ? os_monotonic_ns() - c->host_zero_ns : c->now_ns;
}

#endif

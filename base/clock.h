/* A machine's virtual clock in nanoseconds; mtime is 10 MHz of it (DESIGN.md section 3).
 * Two sources: with icount the run loop and the hart's slow paths set now_ns from step counts
 * before any device looks; with the host clock virtual time follows the host's monotonic time while
 * the machine runs, and stands still while it does not. */
#ifndef RIVULET_BASE_CLOCK_H
#define RIVULET_BASE_CLOCK_H

#include "base/os.h"

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MTIME 100u /* 10 MHz timebase */

struct clock {
    bool follows_host;
    bool runs;             /* host: between clock_start and clock_stop */
    uint64_t now_ns;       /* icount: of whoever runs now; host: when a hart looked last */
    uint64_t host_zero_ns; /* host, while it runs: os_monotonic_ns() at virtual time 0 */
};

/* Virtual nanoseconds since the machine was made. */
static inline uint64_t clock_now_ns(const struct clock *c)
{
    return c->follows_host && c->runs ? os_monotonic_ns() - c->host_zero_ns : c->now_ns;
}

static inline void clock_start(struct clock *c)
{
    c->host_zero_ns = os_monotonic_ns() - c->now_ns;
    c->runs = true;
}

static inline void clock_stop(struct clock *c)
{
    c->now_ns = clock_now_ns(c);
    c->runs = false;
}

#endif

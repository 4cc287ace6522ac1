/* An address of the loopback network that only this process uses: tests that run side by side never
 * meet at a port. */
#ifndef RIVULET_TESTS_UNIT_LOOPBACK_H
#define RIVULET_TESTS_UNIT_LOOPBACK_H

#include <stdio.h>
#include <unistd.h>

#define LOOPBACK_CHARS 16 /* "127.255.255.255" */

static inline void loopback_host(char host[LOOPBACK_CHARS])
{
    unsigned pid = (unsigned)getpid();
    snprintf(host, LOOPBACK_CHARS, "127.%u.%u.%u", 1 + (pid >> 16) % 250, pid >> 8 & 255,
             pid & 255);
}

#endif

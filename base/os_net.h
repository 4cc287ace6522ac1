/* Sockets, packet devices, and waiting for many descriptors: the part of the host that network
 * back-ends need. Every descriptor made here does not block and is closed on exec. */
#ifndef RIVULET_BASE_OS_NET_H
#define RIVULET_BASE_OS_NET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum os_event {
    OS_EVENT_IN = 1 << 0,
    OS_EVENT_OUT = 1 << 1,
    OS_EVENT_PRI = 1 << 2,
    OS_EVENT_ERR = 1 << 3, /* ERR and HUP are reported unasked */
    OS_EVENT_HUP = 1 << 4,
};

/* A set of descriptors to wait for; made anew for each wait. */
struct os_poll;
struct os_poll *os_poll_create(void);
void os_poll_destroy(struct os_poll *polls);
void os_poll_clear(struct os_poll *polls);
/* Returns the place of fd in the set, or -1 when the host has no memory. */
int os_poll_add(struct os_poll *polls, int fd, unsigned wanted);
/* Waits until something of what is wanted happens, or timeout_ms (-1: for ever) is over. */
void os_poll_wait(struct os_poll *polls, int timeout_ms);
/* enum os_event of the last wait; 0 for a place of -1. */
unsigned os_poll_happened(const struct os_poll *polls, int place);

/* Where a stream socket listens or connects to: host and port (names or numbers), or the path of a
 * UNIX socket. */
struct os_address {
    const char *host; /* NULL or "": any address when listening, this host when connecting */
    const char *port;
    const char *path; /* not NULL: a UNIX socket; host and port are not looked at */
};

/* Descriptors, or -1 and err. Connecting waits for the answer, at most 10 s. The path of a UNIX
 * socket must not exist yet, or be a socket at which nobody listens. */
int os_net_listen(const struct os_address *address, struct error *err);
int os_net_connect(const struct os_address *address, struct error *err);
/* The next connection to a listening socket; -1 when there is none. */
int os_net_accept(int listener);

#define OS_WOULD_BLOCK (-1)
#define OS_ENDED       (-2) /* the other end is gone, or the descriptor is broken */

/* How many bytes (never 0), or one of the two above. For a packet device: one whole packet. */
long os_net_read(int fd, void *bytes, size_t n);
long os_net_write(int fd, const void *bytes, size_t n);
void os_net_close(int fd); /* -1: nothing */
/* Removes the file of a UNIX socket that listened. */
void os_net_remove(const char *path);

/* Opens a TAP interface by its name ("" or NULL: the host chooses one). */
int os_tap_open(const char *name, struct error *err);

#endif

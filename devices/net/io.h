/* The I/O thread of a network back-end: it waits for descriptors and for frames from the guest, on
 * host time, and calls the back-end under a lock. */
#ifndef RIVULET_DEVICES_NET_IO_H
#define RIVULET_DEVICES_NET_IO_H

#include "base/bits.h"
#include "base/error.h"
#include "base/os_net.h"

struct net_io_ops {
    /* One frame from the guest. */
    void (*transmit)(void *backend, const uint8_t *frame, size_t bytes);
    /* Adds the descriptors to wait for; returns the longest wait in ms (-1: for ever). */
    int (*prepare)(void *backend, struct os_poll *polls);
    /* After the wait. */
    void (*dispatch)(void *backend, const struct os_poll *polls);
};

struct net_io;

/* Makes the thread's parts; nothing runs yet. NULL and err: no memory, no descriptors. */
struct net_io *net_io_create(const struct net_io_ops *ops, void *backend, struct error *err);
bool net_io_start(struct net_io *io, struct error *err) MUST_CHECK;
/* Ends the thread, if it runs, and frees; the back-end is not called afterwards. */
void net_io_destroy(struct net_io *io);

/* Any thread: copies a frame for transmit; it is lost when too many wait. */
void net_io_send(struct net_io *io, const uint8_t *frame, size_t bytes);
/* Any thread: the wait ends, and prepare is called again. */
void net_io_wake(struct net_io *io);
/* Other threads, around calls into what the back-end's functions use. */
void net_io_lock(struct net_io *io);
void net_io_unlock(struct net_io *io);
/* Under the lock, which it gives up meanwhile: ends the wait, and returns when it has ended. A
 * descriptor that was closed under the same lock is free only then: the host keeps what is polled.
 */
void net_io_interrupt(struct net_io *io);

#endif

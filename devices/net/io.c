/* The I/O thread (contract: io.h).
 *
 * Frames from the guest wait in an input door of the thread's own: what bounds, wakes and keeps
 * boundaries on the way in does so on the way out. The lock is held but during the wait. */
#include "devices/net/io.h"

#include "base/input.h"
#include "base/os.h"

#include <stdatomic.h>
#include <stdlib.h>

#define FRAMES_MOST 1024u

struct net_io {
    const struct net_io_ops *ops;
    void *backend;
    struct input_door *door;
    unsigned entry;
    struct os_poll *polls;
    struct os_mutex *mutex;
    struct os_condition *woken; /* a wait has ended */
    struct os_thread *thread;
    atomic_bool ends;
    /* Under the mutex. */
    bool is_waiting;
    unsigned waits; /* that have ended */
};

static size_t take_frame(void *owner, const uint8_t *frame, size_t bytes)
{
    struct net_io *io = owner;
    io->ops->transmit(io->backend, frame, bytes);
    return bytes;
}

static void io_main(void *owner)
{
    struct net_io *io = owner;
    for (;;) {
        input_wait(io->door, 0); /* forgets the wake-ups so far: what they were for comes now */
        if (atomic_load(&io->ends))
            return;
        os_mutex_lock(io->mutex);
        input_deliver(io->door);
        os_poll_clear(io->polls);
        os_poll_add(io->polls, input_wake_fd(io->door), OS_EVENT_IN);
        int timeout_ms = io->ops->prepare(io->backend, io->polls);
        io->is_waiting = true;
        os_mutex_unlock(io->mutex);
        os_poll_wait(io->polls, timeout_ms);
        os_mutex_lock(io->mutex);
        io->is_waiting = false;
        io->waits++;
        os_condition_broadcast(io->woken);
        io->ops->dispatch(io->backend, io->polls);
        os_mutex_unlock(io->mutex);
    }
}

struct net_io *net_io_create(const struct net_io_ops *ops, void *backend, struct error *err)
{
    struct net_io *io = calloc(1, sizeof *io);
    if (io) {
        io->ops = ops;
        io->backend = backend;
        io->door = input_create();
        io->polls = os_poll_create();
        io->mutex = os_mutex_create();
        io->woken = os_condition_create();
        if (io->door)
            io->entry = input_register_packets(io->door, "tx", FRAMES_MOST, take_frame, io);
        if (io->door && io->polls && io->mutex && io->woken && io->entry != INPUT_NO_ENTRY)
            return io;
    }
    net_io_destroy(io);
    error_set(err, "no memory for a network back-end");
    return NULL;
}

bool net_io_start(struct net_io *io, struct error *err)
{
    io->thread = os_thread_start(io_main, io);
    return io->thread || error_set(err, "cannot start a thread for a network back-end");
}

void net_io_destroy(struct net_io *io)
{
    if (!io)
        return;
    if (io->thread) {
        atomic_store(&io->ends, true);
        input_wake(io->door);
        os_thread_join(io->thread);
    }
    input_destroy(io->door);
    os_poll_destroy(io->polls);
    os_condition_destroy(io->woken);
    os_mutex_destroy(io->mutex);
    free(io);
}

void net_io_send(struct net_io *io, const uint8_t *frame, size_t bytes)
{
    input_push(io->door, io->entry, frame, bytes);
}

void net_io_wake(struct net_io *io)
{
    input_wake(io->door);
}

void net_io_lock(struct net_io *io)
{
    os_mutex_lock(io->mutex);
}

void net_io_unlock(struct net_io *io)
{
    os_mutex_unlock(io->mutex);
}

/* A thread that is not waiting forgets wake-ups and asks prepare() before it waits again. */
void net_io_interrupt(struct net_io *io)
{
    unsigned waits = io->waits;
    input_wake(io->door);
    while (io->is_waiting && io->waits == waits)
        os_condition_wait(io->woken, io->mutex);
}

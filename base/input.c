/* The input door (contract: input.h).
 *
 * Each entry has two queues: `pushed`, which any thread fills under the mutex, and `held`, which
 * belongs to the machine's thread. A delivery moves pushed to held under the mutex and calls the
 * sinks without it, so that a sink may push, wake, or take its time.
 *
 * Invariants: the bytes of an entry are delivered in the order of their pushes; backlog is the size
 * of both queues; whatever is pushed before the flag `pending` is cleared by a delivery is moved by
 * that delivery. */
#include "base/input.h"

#include "base/os.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    uint8_t *bytes;
    size_t size, capacity;
};

struct input_entry {
    const char *name;
    input_sink *sink;
    void *owner;
    struct queue pushed; /* under the mutex */
    struct queue held;   /* the machine's thread */
    _Atomic size_t backlog;
};

struct input_door {
    struct os_mutex *mutex;
    struct os_wake *wake;
    atomic_bool pending;
    struct input_entry *entries; /* fixed once threads push */
    unsigned count;
};

struct input_door *input_create(void)
{
    struct input_door *door = calloc(1, sizeof *door);
    if (!door)
        return NULL;
    door->mutex = os_mutex_create();
    door->wake = os_wake_create();
    if (door->mutex && door->wake)
        return door;
    input_destroy(door);
    return NULL;
}

void input_destroy(struct input_door *door)
{
    if (!door)
        return;
    for (unsigned i = 0; i < door->count; i++) {
        free(door->entries[i].pushed.bytes);
        free(door->entries[i].held.bytes);
    }
    free(door->entries);
    os_wake_destroy(door->wake);
    os_mutex_destroy(door->mutex);
    free(door);
}

unsigned input_register(struct input_door *door, const char *name, input_sink *sink, void *owner)
{
    struct input_entry *grown = realloc(door->entries, (door->count + 1) * sizeof *door->entries);
    if (!grown)
        return INPUT_NO_ENTRY;
    door->entries = grown;
    struct input_entry *entry = &grown[door->count];
    memset(entry, 0, sizeof *entry);
    entry->name = name;
    entry->sink = sink;
    entry->owner = owner;
    return door->count++;
}

static bool queue_append(struct queue *q, const void *bytes, size_t n)
{
    if (n > q->capacity - q->size) {
        size_t capacity = 2 * (q->size + n);
        uint8_t *grown = realloc(q->bytes, capacity);
        if (!grown)
            return false;
        q->bytes = grown;
        q->capacity = capacity;
    }
    memcpy(q->bytes + q->size, bytes, n);
    q->size += n;
    return true;
}

void input_push(struct input_door *door, unsigned entry, const void *bytes, size_t n)
{
    if (entry >= door->count || n == 0)
        return;
    struct input_entry *e = &door->entries[entry];
    os_mutex_lock(door->mutex);
    if (queue_append(&e->pushed, bytes, n))
        atomic_fetch_add(&e->backlog, n);
    os_mutex_unlock(door->mutex);
    input_wake(door);
}

size_t input_backlog(const struct input_door *door, unsigned entry)
{
    return entry < door->count ? atomic_load(&door->entries[entry].backlog) : 0;
}

void input_move(struct input_door *from, struct input_door *to)
{
    for (unsigned i = 0; i < from->count; i++) {
        struct input_entry *e = &from->entries[i];
        input_push(to, i, e->held.bytes, e->held.size);
        input_push(to, i, e->pushed.bytes, e->pushed.size);
        e->held.size = e->pushed.size = 0;
        atomic_store(&e->backlog, 0);
    }
}

void input_wake(struct input_door *door)
{
    atomic_store(&door->pending, true);
    os_wake_signal(door->wake);
}

bool input_pending(const struct input_door *door)
{
    return atomic_load_explicit(&door->pending, memory_order_relaxed);
}

/* Moves what was pushed behind what is held; when memory is short it stays where it is. */
static void take_pushed(struct input_entry *e)
{
    if (e->held.size == 0) {
        struct queue empty = e->held;
        e->held = e->pushed;
        e->pushed = empty;
    } else if (e->pushed.size && queue_append(&e->held, e->pushed.bytes, e->pushed.size)) {
        e->pushed.size = 0;
    }
}

/* Offers until the sink refuses; true when something is left. */
static bool offer_held(struct input_entry *e)
{
    size_t done = 0;
    while (done < e->held.size) {
        size_t taken = e->sink(e->owner, e->held.bytes + done, e->held.size - done);
        assert(taken <= e->held.size - done && "a sink takes no more than it is offered");
        if (taken == 0)
            break;
        done += taken;
    }
    if (done) {
        e->held.size -= done;
        memmove(e->held.bytes, e->held.bytes + done, e->held.size);
        atomic_fetch_sub(&e->backlog, done);
    }
    return e->held.size != 0;
}

void input_deliver(struct input_door *door)
{
    atomic_store(&door->pending, false);
    os_mutex_lock(door->mutex);
    for (unsigned i = 0; i < door->count; i++)
        take_pushed(&door->entries[i]);
    os_mutex_unlock(door->mutex);
    bool left = false;
    for (unsigned i = 0; i < door->count; i++)
        left |= offer_held(&door->entries[i]);
    if (left)
        atomic_store(&door->pending, true);
}

void input_wait(struct input_door *door, uint64_t timeout_ns)
{
    os_wake_wait(door->wake, timeout_ns);
}

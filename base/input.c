/* The input door (contract: input.h).
 *
 * Each entry has two queues: `pushed`, which any thread fills under the mutex, and `held`, which
 * belongs to the machine's thread. A delivery moves pushed to held under the mutex and calls the
 * sinks without it, so that a sink may push, wake, or take its time.
 *
 * A packet is a record in the queues: its length in 4 bytes, then its bytes.
 *
 * Invariants: the bytes of an entry are delivered in the order of their pushes; backlog counts the
 * bytes or packets of both queues; a queue of packets holds whole records; whatever is pushed
 * before the flag `pending` is cleared by a delivery is moved by that delivery. */
#include "base/input.h"

#include "base/os.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What waits is bytes[head .. size). */
struct queue {
    uint8_t *bytes;
    size_t head, size, capacity;
};

struct input_entry {
    const char *name;
    input_sink *sink;
    void *owner;
    unsigned most_packets; /* 0: a stream of bytes */
    struct queue pushed;   /* under the mutex */
    struct queue held;     /* the machine's thread */
    _Atomic size_t backlog;
};

struct input_door {
    struct os_mutex *mutex;
    struct os_wake *wake;
    atomic_bool pending;
    bool is_closed;              /* under the mutex */
    struct input_entry *entries; /* fixed once threads push */
    unsigned count;
    /* The machine's thread's. */
    void (*observe)(void *owner, unsigned entry, const uint8_t *bytes, size_t n);
    void *observe_owner;
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

static unsigned add_entry(struct input_door *door, const struct input_entry *entry)
{
    struct input_entry *grown = realloc(door->entries, (door->count + 1) * sizeof *door->entries);
    if (!grown)
        return INPUT_NO_ENTRY;
    door->entries = grown;
    grown[door->count] = *entry;
    return door->count++;
}

unsigned input_register(struct input_door *door, const char *name, input_sink *sink, void *owner)
{
    return add_entry(door, &(struct input_entry){.name = name, .sink = sink, .owner = owner});
}

unsigned input_register_packets(struct input_door *door, const char *name, unsigned most,
                                input_sink *sink, void *owner)
{
    assert(most && "an entry of packets takes at least one");
    return add_entry(door, &(struct input_entry){
                               .name = name, .sink = sink, .owner = owner, .most_packets = most});
}

/* --- queues ------------------------------------------------------------------------------ */

static size_t queue_left(const struct queue *q)
{
    return q->size - q->head;
}

static bool queue_reserve(struct queue *q, size_t n)
{
    if (n <= q->capacity - q->size)
        return true;
    size_t capacity = 2 * (q->size + n);
    uint8_t *grown = realloc(q->bytes, capacity);
    if (!grown)
        return false;
    q->bytes = grown;
    q->capacity = capacity;
    return true;
}

static bool queue_append(struct queue *q, const void *bytes, size_t n)
{
    if (!queue_reserve(q, n))
        return false;
    memcpy(q->bytes + q->size, bytes, n);
    q->size += n;
    return true;
}

static bool queue_append_all(struct queue *q, const struct queue *from)
{
    return queue_left(from) == 0 || queue_append(q, from->bytes + from->head, queue_left(from));
}

/* The move to the front costs less than what was dropped since the last one. */
static void queue_drop(struct queue *q, size_t n)
{
    q->head += n;
    if (q->head < q->size / 2)
        return;
    q->size -= q->head;
    memmove(q->bytes, q->bytes + q->head, q->size);
    q->head = 0;
}

/* --- pushing ----------------------------------------------------------------------------- */

/* Under the mutex. */
static void append_packet(struct input_entry *e, const void *bytes, uint32_t n)
{
    if (atomic_load(&e->backlog) >= e->most_packets || !queue_reserve(&e->pushed, sizeof n + n))
        return;
    queue_append(&e->pushed, &n, sizeof n);
    queue_append(&e->pushed, bytes, n);
    atomic_fetch_add(&e->backlog, 1);
}

void input_push(struct input_door *door, unsigned entry, const void *bytes, size_t n)
{
    if (entry >= door->count || n == 0 || n > UINT32_MAX)
        return;
    struct input_entry *e = &door->entries[entry];
    os_mutex_lock(door->mutex);
    if (e->most_packets && !door->is_closed)
        append_packet(e, bytes, (uint32_t)n);
    else if (!door->is_closed && queue_append(&e->pushed, bytes, n))
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
    os_mutex_lock(from->mutex);
    os_mutex_lock(to->mutex);
    for (unsigned i = 0; i < from->count; i++) {
        struct input_entry *e = &from->entries[i];
        struct queue *pushed = &to->entries[i].pushed;
        if (queue_append_all(pushed, &e->held) && queue_append_all(pushed, &e->pushed))
            atomic_fetch_add(&to->entries[i].backlog, atomic_load(&e->backlog));
        e->held.head = e->held.size = e->pushed.size = 0;
        atomic_store(&e->backlog, 0);
    }
    os_mutex_unlock(to->mutex);
    os_mutex_unlock(from->mutex);
    input_wake(to);
}

/* --- waking and delivering --------------------------------------------------------------- */

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
    if (queue_left(&e->held) == 0) {
        struct queue empty = e->held;
        e->held = e->pushed;
        e->pushed = empty;
    } else if (queue_append_all(&e->held, &e->pushed)) {
        e->pushed.size = 0;
    }
}

/* One call of a sink. */
static size_t offer(struct input_door *door, struct input_entry *e, const uint8_t *bytes, size_t n)
{
    size_t taken = e->sink(e->owner, bytes, n);
    assert(taken <= n && "a sink takes no more than it is offered");
    assert((!e->most_packets || taken == 0 || taken == n) && "a packet is taken whole");
    if (taken && door->observe)
        door->observe(door->observe_owner, (unsigned)(e - door->entries), bytes, taken);
    return taken;
}

/* How many bytes of the held queue the sink took, 0: it refuses. */
static size_t offer_bytes(struct input_door *door, struct input_entry *e)
{
    size_t taken = offer(door, e, e->held.bytes + e->held.head, queue_left(&e->held));
    atomic_fetch_sub(&e->backlog, taken);
    return taken;
}

static size_t offer_packet(struct input_door *door, struct input_entry *e)
{
    const uint8_t *record = e->held.bytes + e->held.head;
    uint32_t n;
    memcpy(&n, record, sizeof n);
    if (!offer(door, e, record + sizeof n, n))
        return 0;
    atomic_fetch_sub(&e->backlog, 1);
    return sizeof n + n;
}

/* Offers until the sink refuses; true when something is left. */
static bool offer_held(struct input_door *door, struct input_entry *e)
{
    size_t done = 1;
    while (done && queue_left(&e->held)) {
        done = e->most_packets ? offer_packet(door, e) : offer_bytes(door, e);
        queue_drop(&e->held, done);
    }
    return queue_left(&e->held) != 0;
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
        left |= offer_held(door, &door->entries[i]);
    if (left)
        atomic_store(&door->pending, true);
}

void input_wait(struct input_door *door, uint64_t timeout_ns)
{
    os_wake_wait(door->wake, timeout_ns);
}

int input_wake_fd(const struct input_door *door)
{
    return os_wake_fd(door->wake);
}

/* --- recording and replay ----------------------------------------------------------------- */

void input_observe(struct input_door *door,
                   void (*observe)(void *owner, unsigned entry, const uint8_t *bytes, size_t n),
                   void *owner)
{
    door->observe = observe;
    door->observe_owner = owner;
}

void input_close(struct input_door *door, bool is_closed)
{
    os_mutex_lock(door->mutex);
    door->is_closed = is_closed;
    for (unsigned i = 0; is_closed && i < door->count; i++) {
        struct input_entry *e = &door->entries[i];
        e->held.head = e->held.size = e->pushed.size = 0;
        atomic_store(&e->backlog, 0);
    }
    os_mutex_unlock(door->mutex);
}

bool input_give(struct input_door *door, unsigned entry, const void *bytes, size_t n)
{
    return entry < door->count && offer(door, &door->entries[entry], bytes, n) == n;
}

const char *input_entry_name(const struct input_door *door, unsigned entry)
{
    return entry < door->count ? door->entries[entry].name : NULL;
}

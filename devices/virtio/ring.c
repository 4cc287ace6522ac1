/* Split virtqueues (virtio 1.2, section 2.7): the only file that reads rings.
 *
 * All that a driver writes is read once, checked, and copied: descriptors into a chain whose every
 * byte was RAM when it was taken. Indices count modulo 2^16; an entry's place is its index modulo
 * the queue's size, a power of two. `held` never exceeds the size, so that the used ring cannot
 * overflow. */
#include "devices/virtio/virtio.h"

#include <stdlib.h>

/* Descriptor flags, section 2.7.5. */
#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

#define AVAIL_NO_INTERRUPT 1u

/* Offsets in the two rings, sections 2.7.6 and 2.7.8. */
#define RING_FLAGS   0u
#define RING_INDEX   2u
#define RING_ENTRIES 4u

struct descriptor {
    uint64_t gpa;
    uint32_t bytes;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct descriptor) == 16, "read from memory as it lies there");

struct used_element {
    uint32_t head, written;
};
_Static_assert(sizeof(struct used_element) == 8, "written to memory as it lies there");

/* Where descriptors are: a queue's table, or an indirect one. */
struct table {
    uint64_t gpa;
    uint32_t entries;
    bool indirect;
};

static uint64_t avail_entry(const struct virtio_queue *q, uint16_t index)
{
    return q->avail + RING_ENTRIES + 2ull * (index & (q->size - 1u));
}

static uint64_t used_entry(const struct virtio_queue *q, uint16_t index)
{
    return q->used + RING_ENTRIES + sizeof(struct used_element) * (index & (q->size - 1u));
}

/* The two fields of VIRTIO_F_EVENT_IDX lie behind the last entries. */
static uint64_t used_event(const struct virtio_queue *q)
{
    return q->avail + RING_ENTRIES + 2ull * q->size;
}

static uint64_t avail_event(const struct virtio_queue *q)
{
    return q->used + RING_ENTRIES + sizeof(struct used_element) * q->size;
}

static bool read_u16(struct virtio *v, unsigned queue, uint64_t gpa, uint16_t *value)
{
    if (dma_read(v->memory, gpa, value, sizeof *value))
        return true;
    virtio_break(v, queue, "the available ring lies outside RAM");
    return false;
}

static bool write_u16(struct virtio *v, unsigned queue, uint64_t gpa, uint16_t value)
{
    if (dma_write(v->memory, gpa, &value, sizeof value))
        return true;
    virtio_break(v, queue, "the used ring lies outside RAM");
    return false;
}

/* --- reading a chain --------------------------------------------------------------------- *
 * Each function returns NULL, or why the chain breaks the rules. */

static const char *add_segment(struct virtio *v, struct virtio_chain *c, const struct descriptor *d)
{
    bool is_writable = d->flags & DESC_WRITE;
    uint32_t *bytes = is_writable ? &c->writable_bytes : &c->readable_bytes;
    unsigned at = c->readable + c->writable;
    if (d->bytes == 0)
        return "a descriptor of no bytes";
    if (!is_writable && c->writable)
        return "a readable descriptor behind a writable one";
    if (at == VIRTIO_QUEUE_MOST)
        return "a chain of too many descriptors";
    if (d->bytes > UINT32_MAX - c->readable_bytes - c->writable_bytes)
        return "a chain of 2^32 bytes or more";
    if (!dma_is_ram(v->memory, d->gpa, d->bytes))
        return "a descriptor outside RAM";
    c->segments[at] = (struct virtio_segment){.gpa = d->gpa, .bytes = d->bytes};
    *bytes += d->bytes;
    if (is_writable)
        c->writable++;
    else
        c->readable++;
    return NULL;
}

/* A walk that has seen as many descriptors as the table has is in a loop. An indirect descriptor
 * ends the table it stands in (section 2.7.5.3.1). */
static const char *add_table(struct virtio *v, struct virtio_chain *c, struct table t,
                             uint32_t index)
{
    for (uint32_t seen = 0; seen < t.entries; seen++) {
        struct descriptor d;
        if (index >= t.entries)
            return "a descriptor beyond its table";
        if (!dma_read(v->memory, t.gpa + sizeof d * index, &d, sizeof d))
            return "a descriptor table outside RAM";
        if (d.flags & DESC_INDIRECT) {
            if (t.indirect)
                return "an indirect table inside an indirect table";
            if (d.flags & DESC_NEXT)
                return "an indirect table that is not the chain's end";
            if (d.bytes == 0 || d.bytes % sizeof d != 0)
                return "an indirect table of a size that no table has";
            t = (struct table){.gpa = d.gpa, .entries = d.bytes / sizeof d, .indirect = true};
            index = 0;
            seen = ~0u; /* the table's own count begins */
            continue;
        }
        const char *why = add_segment(v, c, &d);
        if (why || !(d.flags & DESC_NEXT))
            return why;
        index = d.next;
    }
    return "a loop of descriptors";
}

static const char *read_chain(struct virtio *v, const struct virtio_queue *q,
                              struct virtio_chain *c)
{
    struct table table = {.gpa = q->desc, .entries = q->size};
    c->readable = c->writable = 0;
    c->readable_bytes = c->writable_bytes = 0;
    return add_table(v, c, table, c->head);
}

static size_t chain_size(unsigned segments)
{
    return sizeof(struct virtio_chain) + segments * sizeof(struct virtio_segment);
}

static struct virtio_chain *copy_chain(const struct virtio_chain *c)
{
    size_t size = chain_size(c->readable + c->writable);
    struct virtio_chain *copy = malloc(size);
    if (copy)
        memcpy(copy, c, size);
    return copy;
}

/* --- taking ------------------------------------------------------------------------------ */

static bool can_take(const struct virtio *v, const struct virtio_queue *q)
{
    return q->ready && !v->broken && (v->legacy || (v->status & VIRTIO_DRIVER_OK));
}

/* Finds out whether a chain waits. When none does, the driver is asked to ring for the next one. */
static bool chain_waits(struct virtio *v, unsigned queue)
{
    const struct virtio_queue *q = &v->queues[queue];
    uint16_t index;
    if (!read_u16(v, queue, q->avail + RING_INDEX, &index))
        return false;
    uint16_t waiting = index - q->next_avail;
    if (waiting == 0) {
        if (virtio_has(v, VIRTIO_F_EVENT_IDX))
            write_u16(v, queue, avail_event(q), q->next_avail);
        return false;
    }
    if (waiting > q->size || q->held == q->size) {
        virtio_break(v, queue, "more chains are available than the ring has entries");
        return false;
    }
    return true;
}

struct virtio_chain *virtio_take(struct virtio *v, unsigned queue)
{
    struct virtio_queue *q = &v->queues[queue];
    struct virtio_chain *c = v->scratch;
    if (!can_take(v, q) || !chain_waits(v, queue) ||
        !read_u16(v, queue, avail_entry(q, q->next_avail), &c->head))
        return NULL;
    c->queue = (uint16_t)queue;
    const char *why = read_chain(v, q, c);
    if (why) {
        virtio_break(v, queue, why);
        return NULL;
    }
    c = copy_chain(c);
    if (!c)
        return NULL;
    q->next_avail++;
    q->held++;
    return c;
}

void virtio_untake(struct virtio *v, struct virtio_chain *c)
{
    v->queues[c->queue].next_avail--;
    virtio_drop(v, c);
}

void virtio_drop(struct virtio *v, struct virtio_chain *c)
{
    v->queues[c->queue].held--;
    free(c);
}

/* --- giving back ------------------------------------------------------------------------- */

void virtio_give(struct virtio *v, struct virtio_chain *c, uint32_t written)
{
    struct virtio_queue *q = &v->queues[c->queue];
    struct used_element element = {.head = c->head, .written = written};
    if (q->ready) {
        if (!dma_write(v->memory, used_entry(q, q->next_used), &element, sizeof element))
            virtio_break(v, c->queue, "the used ring lies outside RAM");
        q->next_used++;
    }
    virtio_drop(v, c);
}

/* Whether the driver wants to hear that the used ring's index moved from `old` to `new` (sections
 * 2.7.7.2 and 2.7.10): with the event index when the move goes past the entry that it named. */
static bool wants_interrupt(struct virtio *v, unsigned queue, uint16_t old, uint16_t new)
{
    const struct virtio_queue *q = &v->queues[queue];
    uint16_t word;
    if (virtio_has(v, VIRTIO_F_EVENT_IDX))
        return read_u16(v, queue, used_event(q), &word) &&
               (uint16_t)(new - word - 1) < (uint16_t)(new - old);
    return read_u16(v, queue, q->avail + RING_FLAGS, &word) && !(word & AVAIL_NO_INTERRUPT);
}

void virtio_publish(struct virtio *v, unsigned queue)
{
    struct virtio_queue *q = &v->queues[queue];
    uint16_t old = q->published;
    if (!q->ready || old == q->next_used ||
        !write_u16(v, queue, q->used + RING_INDEX, q->next_used))
        return;
    q->published = q->next_used;
    if (!wants_interrupt(v, queue, old, q->published))
        return;
    v->isr |= VIRTIO_ISR_QUEUE;
    v->transport.interrupt(v->transport.owner, queue);
}

/* --- the bytes of a chain ---------------------------------------------------------------- */

typedef bool copy_segment(struct memory_map *memory, uint64_t gpa, uint8_t *host, size_t n);

static bool copy_out(struct memory_map *memory, uint64_t gpa, uint8_t *host, size_t n)
{
    return dma_read(memory, gpa, host, n);
}

static bool copy_in(struct memory_map *memory, uint64_t gpa, uint8_t *host, size_t n)
{
    return dma_write(memory, gpa, host, n);
}

/* Copies between host memory and the bytes of `count` segments, from their byte `offset` on. */
static size_t copy_segments(struct virtio *v, const struct virtio_segment *segments, unsigned count,
                            uint64_t offset, uint8_t *host, size_t n, copy_segment *copy)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < n; i++) {
        if (offset >= segments[i].bytes) {
            offset -= segments[i].bytes;
            continue;
        }
        size_t part = min_u64(segments[i].bytes - offset, n - done);
        if (!copy(v->memory, segments[i].gpa + offset, host + done, part))
            break; /* RAM that was there has moved away */
        done += part;
        offset = 0;
    }
    return done;
}

size_t virtio_read(struct virtio *v, const struct virtio_chain *c, uint64_t offset, void *to,
                   size_t n)
{
    return copy_segments(v, c->segments, c->readable, offset, to, n, copy_out);
}

size_t virtio_write(struct virtio *v, const struct virtio_chain *c, uint64_t offset,
                    const void *from, size_t n)
{
    return copy_segments(v, c->segments + c->readable, c->writable, offset, (uint8_t *)from, n,
                         copy_in);
}

/* --- state ------------------------------------------------------------------------------- */

static bool chain_is_sane(struct virtio *v, const struct virtio_chain *c)
{
    if (c->queue >= v->queue_count || v->queues[c->queue].held == v->queues[c->queue].size)
        return false;
    for (unsigned i = 0; i < c->readable + c->writable; i++)
        if (!c->segments[i].bytes ||
            !dma_is_ram(v->memory, c->segments[i].gpa, c->segments[i].bytes))
            return false;
    return true;
}

static void segments_state(struct virtio_chain *c, struct state *s)
{
    uint64_t readable = 0, writable = 0;
    for (unsigned i = 0; i < c->readable + c->writable; i++) {
        state_u64(s, &c->segments[i].gpa);
        state_u32(s, &c->segments[i].bytes);
        *(i < c->readable ? &readable : &writable) += c->segments[i].bytes;
    }
    if (readable + writable > UINT32_MAX)
        state_fail(s, "a virtio chain of 2^32 bytes or more");
    c->readable_bytes = (uint32_t)readable;
    c->writable_bytes = (uint32_t)writable;
}

void virtio_chain_state(struct virtio *v, struct virtio_chain **c, struct state *s)
{
    struct virtio_chain *w = state_loading(s) ? v->scratch : *c;
    if (state_loading(s)) {
        *c = NULL;
        w->readable = w->writable = 0;
    }
    state_u16(s, &w->queue);
    state_u16(s, &w->head);
    state_u16(s, &w->readable);
    state_u16(s, &w->writable);
    if (w->readable + w->writable > VIRTIO_QUEUE_MOST) {
        state_fail(s, "a virtio chain of %u descriptors", w->readable + w->writable);
        return;
    }
    segments_state(w, s);
    if (!state_loading(s) || !state_ok(s))
        return;
    if (!chain_is_sane(v, w)) {
        state_fail(s, "a virtio chain of no queue, or outside RAM");
        return;
    }
    *c = copy_chain(w);
    if (*c)
        v->queues[w->queue].held++;
    else
        state_fail(s, "no memory for a virtio chain");
}

/* What the tests of virtio share: RAM, a transport that counts interrupts, and the driver's side of
 * one split queue, good or hostile. Every field of the rings can be written at will. */
#ifndef RIVULET_TESTS_UNIT_VIRTIO_RIG_H
#define RIVULET_TESTS_UNIT_VIRTIO_RIG_H

#include "devices/virtio/virtio.h"
#include "tests/unit/device_bench.h"

#define RAM       0x80000000ull
#define RAM_BYTES (4ull << 20)

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

/* Where the rig puts its rings, indirect tables and data. */
#define RIG_DESC     (RAM + 0x1000)
#define RIG_AVAIL    (RAM + 0x6000)
#define RIG_USED     (RAM + 0x8000)
#define RIG_INDIRECT (RAM + 0xc000)
#define RIG_DATA     (RAM + 0x100000)

struct virtio_rig {
    struct memory_map *memory;
    struct virtio *v;
    unsigned queue;
    uint16_t size;
    uint16_t avail_index; /* the driver's */
    unsigned queue_interrupts, config_interrupts;
};

static inline void rig_on_interrupt(void *owner, unsigned queue)
{
    struct virtio_rig *r = owner;
    if (queue == VIRTIO_CONFIG_CHANGE)
        r->config_interrupts++;
    else
        r->queue_interrupts++;
}

/* RAM alone: the device is made after it, and given to rig_attach. */
static inline void rig_init(struct virtio_rig *r)
{
    struct error err;
    *r = (struct virtio_rig){.memory = memory_create(NULL)};
    ck_assert(memory_add_ram(r->memory, "RAM", RAM, RAM_BYTES, &err));
}

static inline void rig_attach(struct virtio_rig *r, struct virtio *v)
{
    struct virtio_transport transport = {.interrupt = rig_on_interrupt, .owner = r};
    r->v = v;
    virtio_attach(v, &transport);
    virtio_reset(v);
}

static inline void rig_free(struct virtio_rig *r)
{
    if (r->v)
        virtio_destroy(r->v);
    memory_destroy(r->memory);
}

/* --- guest memory --- */

static inline void poke(struct virtio_rig *r, uint64_t gpa, const void *from, size_t n)
{
    ck_assert(dma_write(r->memory, gpa, from, n));
}

static inline void peek(struct virtio_rig *r, uint64_t gpa, void *to, size_t n)
{
    ck_assert(dma_read(r->memory, gpa, to, n));
}

static inline void poke_u16(struct virtio_rig *r, uint64_t gpa, uint16_t value)
{
    poke(r, gpa, &value, sizeof value);
}

static inline uint16_t peek_u16(struct virtio_rig *r, uint64_t gpa)
{
    uint16_t value;
    peek(r, gpa, &value, sizeof value);
    return value;
}

static inline uint32_t peek_u32(struct virtio_rig *r, uint64_t gpa)
{
    uint32_t value;
    peek(r, gpa, &value, sizeof value);
    return value;
}

/* --- the driver --- */

/* A modern driver's whole set-up of one queue. */
static inline void rig_start(struct virtio_rig *r, unsigned queue, uint16_t size, uint64_t features)
{
    struct virtio *v = r->v;
    virtio_set_status(v, VIRTIO_ACKNOWLEDGE);
    virtio_set_status(v, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    virtio_accept(v, features | 1ull << VIRTIO_F_VERSION_1);
    virtio_set_status(v, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert(v->status & VIRTIO_FEATURES_OK);
    struct virtio_queue *q = virtio_queue(v, queue);
    virtio_queue_set_size(v, queue, size);
    q->desc = RIG_DESC;
    q->avail = RIG_AVAIL;
    q->used = RIG_USED;
    virtio_queue_set_ready(v, queue, true);
    virtio_set_status(v, v->status | VIRTIO_DRIVER_OK);
    r->queue = queue;
    r->size = size;
    r->avail_index = 0;
    poke(r, RIG_AVAIL, "\0\0\0", 4);
    poke(r, RIG_USED, "\0\0\0", 4);
}

static inline void put_in_table(struct virtio_rig *r, uint64_t table, unsigned i, uint64_t gpa,
                                uint32_t bytes, uint16_t flags, uint16_t next)
{
    uint8_t d[16];
    memcpy(d, &gpa, 8);
    memcpy(d + 8, &bytes, 4);
    memcpy(d + 12, &flags, 2);
    memcpy(d + 14, &next, 2);
    poke(r, table + 16ull * i, d, sizeof d);
}

static inline void put(struct virtio_rig *r, unsigned i, uint64_t gpa, uint32_t bytes,
                       uint16_t flags, uint16_t next)
{
    put_in_table(r, RIG_DESC, i, gpa, bytes, flags, next);
}

/* Makes a chain available without ringing. */
static inline void offer(struct virtio_rig *r, uint16_t head)
{
    poke_u16(r, RIG_AVAIL + 4 + 2u * (r->avail_index % r->size), head);
    poke_u16(r, RIG_AVAIL + 2, ++r->avail_index);
}

static inline void ring(struct virtio_rig *r)
{
    virtio_notify(r->v, r->queue);
}

static inline uint16_t used_index(struct virtio_rig *r)
{
    return peek_u16(r, RIG_USED + 2);
}

static inline uint32_t used_head(struct virtio_rig *r, unsigned i)
{
    return peek_u32(r, RIG_USED + 4 + 8u * (i % r->size));
}

static inline uint32_t used_bytes(struct virtio_rig *r, unsigned i)
{
    return peek_u32(r, RIG_USED + 8 + 8u * (i % r->size));
}

/* --- state --- */

static inline uint8_t *virtio_save(struct virtio *v, size_t *size)
{
    struct state *s = state_new_save();
    virtio_state(v, s);
    const void *data = state_data(s, size);
    uint8_t *copy = malloc(*size + 1);
    memcpy(copy, data, *size);
    state_free(s);
    return copy;
}

static inline bool virtio_load(struct virtio *v, const void *data, size_t size)
{
    struct state *s = state_new_load(data, size);
    virtio_state(v, s);
    bool ok = state_ok(s);
    state_free(s);
    return ok;
}

static inline uint64_t virtio_hash(struct virtio *v)
{
    struct state *s = state_new_hash();
    virtio_state(v, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

/* RAM of one rig becomes that of another, as in a save and load of the machine. */
static inline void copy_ram(struct virtio_rig *from, struct virtio_rig *to)
{
    uint8_t page[PAGE_BYTES];
    for (uint64_t gpa = RAM; gpa < RAM + RAM_BYTES; gpa += sizeof page) {
        peek(from, gpa, page, sizeof page);
        poke(to, gpa, page, sizeof page);
    }
}

#endif

/* A driver of the virtio network device, made by hand: RAM, three rings, and a link whose other end
 * is the test. */
#ifndef RIVULET_TESTS_UNIT_VIRTIO_NET_RIG_H
#define RIVULET_TESTS_UNIT_VIRTIO_NET_RIG_H

#include "devices/virtio/net.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"

enum { RX, TX, CONTROL, RINGS };

#define RAM_BASE  0x80000000ull
#define RAM_BYTES (4u << 20)
#define RING_SIZE 64u

#define F(bit)       (1ull << (bit))
#define F_VERSION_1  F(32)
#define F_MRG_RXBUF  F(15)
#define F_GUEST_CSUM F(1)

/* Section 5.1.6. */
struct net_header {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
};

struct ring {
    uint64_t desc, avail, used;
    uint16_t next_desc, avail_index, used_index;
};

struct net_rig {
    struct memory_map *memory;
    struct input_door *door;
    struct clock clock;
    struct link *link;
    struct frames *sent;
    struct virtio *device;
    struct ring rings[RINGS];
    uint64_t next_buffer;
    unsigned interrupts;
};

static const uint8_t rig_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static inline void rig_interrupt(void *owner, unsigned queue)
{
    (void)queue;
    struct net_rig *r = owner;
    r->interrupts++;
}

static inline void rig_destroy_backend(void *owner)
{
    (void)owner;
}

static const struct link_ops rig_backend = {
    .name = "test", .send = frames_add, .destroy = rig_destroy_backend};

static inline void rig_init(struct net_rig *r, struct log *log)
{
    struct error err;
    *r = (struct net_rig){.memory = memory_create(NULL), .door = input_create()};
    ck_assert(memory_add_ram(r->memory, "RAM", RAM_BASE, RAM_BYTES, &err));
    r->sent = frames_create();
    r->link = link_create("n0", r->door, &r->clock);
    link_connect(r->link, &(struct link_backend){.ops = &rig_backend, .backend = r->sent});
    struct virtio_net_config config = {.link = r->link, .memory = r->memory, .log = log};
    memcpy(config.mac, rig_mac, sizeof rig_mac);
    r->device = virtio_net_create(&config);
    ck_assert_ptr_nonnull(r->device);
    virtio_attach(r->device, &(struct virtio_transport){.interrupt = rig_interrupt, .owner = r});
    virtio_reset(r->device);
}

static inline void rig_free(struct net_rig *r)
{
    virtio_destroy(r->device);
    link_destroy(r->link);
    input_destroy(r->door);
    frames_destroy(r->sent);
    memory_destroy(r->memory);
}

/* Set-up as section 3.1.1 has it. */
static inline void rig_start(struct net_rig *r, uint64_t features)
{
    virtio_set_status(r->device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    virtio_accept(r->device, features);
    virtio_set_status(r->device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert(r->device->status & VIRTIO_FEATURES_OK);
    for (unsigned i = 0; i < RINGS; i++) {
        uint64_t base = RAM_BASE + i * 0x4000;
        struct virtio_queue *q = virtio_queue(r->device, i);
        r->rings[i] = (struct ring){base, base + 0x1000, base + 0x2000, 0, 0, 0};
        virtio_queue_set_size(r->device, i, RING_SIZE);
        q->desc = r->rings[i].desc;
        q->avail = r->rings[i].avail;
        q->used = r->rings[i].used;
        virtio_queue_set_ready(r->device, i, true);
    }
    r->next_buffer = RAM_BASE + 0x10000;
    virtio_set_status(r->device,
                      VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static inline void put(struct net_rig *r, uint64_t gpa, const void *bytes, size_t n)
{
    ck_assert(dma_write(r->memory, gpa, bytes, n));
}

static inline void get(struct net_rig *r, uint64_t gpa, void *bytes, size_t n)
{
    ck_assert(dma_read(r->memory, gpa, bytes, n));
}

struct segment {
    uint64_t gpa;
    uint32_t bytes;
    bool writable;
};

/* Makes a chain available; the device is not told. */
static inline void add_chain(struct net_rig *r, unsigned ring, const struct segment *s, unsigned n)
{
    struct ring *q = &r->rings[ring];
    uint16_t head = q->next_desc % RING_SIZE;
    for (unsigned i = 0; i < n; i++) {
        uint16_t at = q->next_desc++ % RING_SIZE, next = q->next_desc % RING_SIZE;
        uint16_t tail[2] = {(uint16_t)((i + 1 < n ? 1 : 0) | (s[i].writable ? 2 : 0)), next};
        put(r, q->desc + 16 * at, &s[i].gpa, 8);
        put(r, q->desc + 16 * at + 8, &s[i].bytes, 4);
        put(r, q->desc + 16 * at + 12, tail, 4);
    }
    put(r, q->avail + 4 + 2 * (q->avail_index % RING_SIZE), &head, 2);
    q->avail_index++;
    put(r, q->avail + 2, &q->avail_index, 2);
}

static inline uint64_t new_buffer(struct net_rig *r, const void *bytes, size_t n)
{
    uint64_t gpa = r->next_buffer;
    r->next_buffer += align_up(max_u64(n, 1), 64);
    if (bytes)
        put(r, gpa, bytes, n);
    return gpa;
}

/* A receive buffer; returns where it is. */
static inline uint64_t add_rx(struct net_rig *r, uint32_t bytes)
{
    struct segment s = {new_buffer(r, NULL, bytes), bytes, true};
    add_chain(r, RX, &s, 1);
    virtio_notify(r->device, RX);
    return s.gpa;
}

/* The next chain that the device gave back; false: none. */
static inline bool take_used(struct net_rig *r, unsigned ring, uint32_t *written)
{
    struct ring *q = &r->rings[ring];
    uint16_t index;
    uint32_t element[2];
    get(r, q->used + 2, &index, 2);
    if (index == q->used_index)
        return false;
    get(r, q->used + 4 + 8 * (q->used_index++ % RING_SIZE), element, 8);
    *written = element[1];
    return true;
}

static inline void transmit(struct net_rig *r, const struct net_header *h, size_t header_bytes,
                            const void *frame, size_t bytes)
{
    uint32_t written;
    struct segment s[2] = {{new_buffer(r, h, header_bytes), (uint32_t)header_bytes, false},
                           {new_buffer(r, frame, bytes), (uint32_t)bytes, false}};
    add_chain(r, TX, s, bytes ? 2 : 1);
    virtio_notify(r->device, TX);
    ck_assert(take_used(r, TX, &written));
    ck_assert_uint_eq(written, 0);
}

static inline void arrive(struct net_rig *r, const void *frame, size_t bytes)
{
    struct link_receiver receiver = link_receiver(r->link);
    receiver.receive(receiver.owner, frame, bytes);
    input_deliver(r->door);
}

/* A command of the control queue; returns its ack. */
static inline uint8_t command(struct net_rig *r, uint8_t class, uint8_t number, const void *data,
                              size_t bytes)
{
    uint8_t head[2] = {class, number}, ack = 0xaa;
    uint32_t written;
    struct segment s[3] = {{new_buffer(r, head, 2), 2, false},
                           {new_buffer(r, data, bytes), (uint32_t)bytes, false},
                           {new_buffer(r, &ack, 1), 1, true}};
    if (!bytes)
        s[1] = s[2];
    add_chain(r, CONTROL, s, bytes ? 3 : 2);
    virtio_notify(r->device, CONTROL);
    ck_assert(take_used(r, CONTROL, &written));
    ck_assert_uint_eq(written, 1);
    get(r, s[2].gpa, &ack, 1);
    return ack;
}

/* The device's own state, without the core's. */
static inline uint64_t device_hash_of(struct virtio *v)
{
    struct state *s = state_new_hash();
    v->ops->state(v, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

#endif

/* A virtio disk over a fake image, and a driver that sends one request at a time. */
#ifndef RIVULET_TESTS_UNIT_VIRTIO_BLK_RIG_H
#define RIVULET_TESTS_UNIT_VIRTIO_BLK_RIG_H

#include "devices/virtio/blk.h"
#include "tests/unit/fake_block.h"
#include "tests/unit/virtio_rig.h"

#define T_IN           0u
#define T_OUT          1u
#define T_FLUSH        4u
#define T_GET_ID       8u
#define T_DISCARD      11u
#define T_WRITE_ZEROES 13u

#define S_OK     0u
#define S_IOERR  1u
#define S_UNSUPP 2u
#define S_NONE   0xffu /* the status byte as the driver leaves it */

#define F_RO         5u
#define F_FLUSH      9u
#define F_CONFIG_WCE 11u

#define DISK_BYTES (4u << 20)
#define QUEUE_SIZE 16u

/* Each request has three descriptors and places of its own. */
#define HEADER_AT(n) (RIG_INDIRECT + 32 * (n))
#define STATUS_AT(n) (RIG_INDIRECT + 0x1000 + (n))
#define DATA_AT(n)   (RIG_DATA + 0x10000 * (n))

struct blk_rig {
    struct virtio_rig rig;
    struct bench_time time;
    struct block disk;
    struct virtio_blk_config config;
    unsigned wakes, stops, failures;
    struct virtio_blk_failure failure; /* the last */
};

static inline void count_wake(void *owner)
{
    ((struct blk_rig *)owner)->wakes++;
}

static inline void count_stop(void *owner)
{
    ((struct blk_rig *)owner)->stops++;
}

static inline void note_failure(void *owner, const struct virtio_blk_failure *failure)
{
    struct blk_rig *r = (struct blk_rig *)owner;
    r->failures++;
    r->failure = *failure;
}

/* The image and what the device is to be; the test may change both before blk_start. */
static inline void blk_init(struct blk_rig *r)
{
    *r = (struct blk_rig){0};
    rig_init(&r->rig);
    bench_time_init(&r->time);
    fake_block_init(&r->disk, DISK_BYTES);
    r->config = (struct virtio_blk_config){.name = "virtio-blk0",
                                           .drive = "d0",
                                           .block = &r->disk,
                                           .serial = "serial-number",
                                           .logical_block_bytes = 512,
                                           .physical_block_bytes = 512,
                                           .queue_size = QUEUE_SIZE,
                                           .memory = r->rig.memory,
                                           .clock = &r->time.clock,
                                           .events = &r->time.events,
                                           .wake = count_wake,
                                           .stop = count_stop,
                                           .failed = note_failure,
                                           .owner = r};
}

static inline void blk_create(struct blk_rig *r)
{
    rig_attach(&r->rig, virtio_blk_create(&r->config));
}

static inline void blk_start(struct blk_rig *r)
{
    blk_create(r);
    rig_start(&r->rig, 0, QUEUE_SIZE, 1u << F_FLUSH);
}

static inline void blk_free(struct blk_rig *r)
{
    rig_free(&r->rig);
    fake_block_free(&r->disk);
}

static inline void put_header(struct blk_rig *r, unsigned n, uint32_t type, uint64_t sector)
{
    uint32_t words[4] = {type, 0, (uint32_t)sector, (uint32_t)(sector >> 32)};
    poke(&r->rig, HEADER_AT(n), words, sizeof words);
    poke(&r->rig, STATUS_AT(n), "\xff", 1);
}

/* Request number n (0 to 4): header, data in DATA_AT(n), status; and rings. */
static inline void send(struct blk_rig *r, unsigned n, uint32_t type, uint64_t sector,
                        uint32_t bytes)
{
    bool to_driver = type == T_IN || type == T_GET_ID;
    uint16_t at = (uint16_t)(3 * n);
    put_header(r, n, type, sector);
    put(&r->rig, at, HEADER_AT(n), 16, DESC_NEXT, at + (bytes ? 1 : 2));
    put(&r->rig, at + 1u, DATA_AT(n), bytes, DESC_NEXT | (to_driver ? DESC_WRITE : 0), at + 2);
    put(&r->rig, at + 2u, STATUS_AT(n), 1, DESC_WRITE, 0);
    offer(&r->rig, at);
    ring(&r->rig);
}

static inline unsigned status(struct blk_rig *r, unsigned n)
{
    uint8_t value;
    peek(&r->rig, STATUS_AT(n), &value, 1);
    return value;
}

/* Time for every request that a test sends. */
static inline void settle(struct blk_rig *r)
{
    bench_advance(&r->time, 10000000);
}

/* Sends request 0, waits, and tells its status. */
static inline unsigned ask(struct blk_rig *r, uint32_t type, uint64_t sector, uint32_t bytes)
{
    uint16_t used = used_index(&r->rig);
    send(r, 0, type, sector, bytes);
    settle(r);
    ck_assert_uint_eq(used_index(&r->rig), used + 1);
    return status(r, 0);
}

/* A range to discard or to zero, in the data of request 0. */
static inline unsigned ask_range(struct blk_rig *r, uint32_t type, uint64_t sector,
                                 uint32_t sectors, uint32_t flags)
{
    poke(&r->rig, DATA_AT(0), &sector, 8);
    poke(&r->rig, DATA_AT(0) + 8, &sectors, 4);
    poke(&r->rig, DATA_AT(0) + 12, &flags, 4);
    return ask(r, type, 0, 16);
}

static inline bool data_is(struct blk_rig *r, uint64_t gpa, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n);
    peek(&r->rig, gpa, copy, n);
    bool same = memcmp(copy, bytes, n) == 0;
    free(copy);
    return same;
}

static inline bool disk_is(const struct blk_rig *r, uint64_t offset, uint8_t byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (r->disk.bytes[offset + i] != byte)
            return false;
    return true;
}

static inline void fill(struct blk_rig *r, uint64_t gpa, uint8_t byte, size_t n)
{
    uint8_t *bytes = malloc(n);
    memset(bytes, byte, n);
    poke(&r->rig, gpa, bytes, n);
    free(bytes);
}

#endif

/* What the tests of network links and back-ends share: a receiver that keeps frames, a back-end
 * that keeps what was sent, Ethernet frames made by hand. */
#ifndef RIVULET_TESTS_UNIT_LINK_RIG_H
#define RIVULET_TESTS_UNIT_LINK_RIG_H

#include "base/os.h"
#include "devices/net/netdev.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS 1000000000ull

/* Frames one behind the other, as an owner of a receiver, a sink or a back-end. */
struct frames {
    struct os_mutex *mutex;
    uint8_t bytes[1 << 20];
    size_t size;
    size_t ends[4096];
    unsigned count;
};

static inline struct frames *frames_create(void)
{
    struct frames *f = calloc(1, sizeof *f);
    f->mutex = os_mutex_create();
    return f;
}

static inline void frames_destroy(struct frames *f)
{
    os_mutex_destroy(f->mutex);
    free(f);
}

/* Any thread; what does not fit is counted and not kept. */
static inline void frames_add(void *owner, const uint8_t *frame, size_t bytes)
{
    struct frames *f = owner;
    os_mutex_lock(f->mutex);
    size_t part = min_u64(bytes, sizeof f->bytes - f->size);
    memcpy(f->bytes + f->size, frame, part);
    f->size += part;
    if (f->count < ARRAY_LEN(f->ends))
        f->ends[f->count] = f->size;
    f->count++;
    os_mutex_unlock(f->mutex);
}

static inline struct link_receiver frames_receiver(struct frames *f)
{
    return (struct link_receiver){.receive = frames_add, .owner = f};
}

static inline unsigned frames_count(struct frames *f)
{
    os_mutex_lock(f->mutex);
    unsigned count = f->count;
    os_mutex_unlock(f->mutex);
    return count;
}

static inline size_t frames_get(struct frames *f, unsigned i, const uint8_t **frame)
{
    size_t start = i ? f->ends[i - 1] : 0;
    *frame = f->bytes + start;
    return f->ends[i] - start;
}

static inline void frames_check(struct frames *f, unsigned i, const void *expected, size_t bytes)
{
    const uint8_t *frame;
    ck_assert_uint_lt(i, frames_count(f));
    ck_assert_uint_eq(frames_get(f, i, &frame), bytes);
    ck_assert_mem_eq(frame, expected, bytes);
}

/* Waits until there are `count` frames; false after ten seconds. */
static inline bool frames_wait(struct frames *f, unsigned count)
{
    struct os_wake *nobody = os_wake_create();
    uint64_t end = os_monotonic_ns() + 10 * SECOND_NS;
    while (frames_count(f) < count && os_monotonic_ns() < end)
        os_wake_wait(nobody, SECOND_NS / 1000);
    os_wake_destroy(nobody);
    return frames_count(f) >= count;
}

/* A frame of `bytes` bytes that no other number has. */
static inline const uint8_t *test_frame(uint8_t *frame, size_t bytes, unsigned number)
{
    for (size_t i = 0; i < bytes; i++)
        frame[i] = (uint8_t)(number * 37 + i * 11 + (i >> 8));
    return frame;
}

/* A network back-end of a type with properties "key=value" in pairs of texts. */
struct netdev_rig {
    struct frames *received;
    struct link_backend backend;
    struct error err;
};

static inline bool netdev_rig_open(struct netdev_rig *r, const struct netdev_type *type,
                                   const struct netdev_property *properties, unsigned count)
{
    r->received = frames_create();
    r->err.text[0] = 0;
    struct netdev_config config = {
        .properties = properties, .count = count, .receiver = frames_receiver(r->received)};
    if (type->open(&config, &r->backend, &r->err))
        return true;
    ck_assert_uint_gt(strlen(r->err.text), 0);
    ck_assert_ptr_null(strchr(r->err.text, '\n'));
    frames_destroy(r->received);
    return false;
}

static inline void netdev_rig_send(struct netdev_rig *r, const uint8_t *frame, size_t bytes)
{
    r->backend.ops->send(r->backend.backend, frame, bytes);
}

static inline void netdev_rig_close(struct netdev_rig *r)
{
    r->backend.ops->destroy(r->backend.backend);
    frames_destroy(r->received);
}

#define OPEN(rig, type, ...)                                                                       \
    netdev_rig_open(rig, type, (const struct netdev_property[]){__VA_ARGS__},                      \
                    ARRAY_LEN(((const struct netdev_property[]){__VA_ARGS__})))

#endif

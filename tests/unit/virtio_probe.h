/* A virtio device that only shows what the core does with it: it takes nothing by itself, counts
 * calls, has 8 bytes of configuration, and holds chains as its state. */
#ifndef RIVULET_TESTS_UNIT_VIRTIO_PROBE_H
#define RIVULET_TESTS_UNIT_VIRTIO_PROBE_H

#include "tests/unit/virtio_rig.h"

#define PROBE_QUEUES     2u
#define PROBE_QUEUE_SIZE 8u
#define PROBE_FEATURE    3u
#define PROBE_HELD_MOST  8u

struct probe {
    struct virtio virtio;
    uint8_t config[8];
    struct virtio_chain *held[PROBE_HELD_MOST];
    uint8_t held_count;
    unsigned starts, resets, rings[PROBE_QUEUES];
};

static inline struct probe *probe_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct probe, virtio);
}

static inline uint64_t probe_features(struct virtio *v)
{
    (void)v;
    return 1ull << PROBE_FEATURE;
}

static inline void probe_read_config(struct virtio *v, uint8_t *config)
{
    memcpy(config, probe_of(v)->config, 8);
}

static inline void probe_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes,
                                      uint32_t n)
{
    memcpy(probe_of(v)->config + offset, bytes, n);
}

static inline void probe_start(struct virtio *v)
{
    probe_of(v)->starts++;
}

static inline void probe_notify(struct virtio *v, unsigned queue)
{
    probe_of(v)->rings[queue]++;
}

static inline void probe_reset(struct virtio *v)
{
    struct probe *p = probe_of(v);
    p->resets++;
    while (p->held_count)
        virtio_drop(v, p->held[--p->held_count]);
}

static inline void probe_state(struct virtio *v, struct state *s)
{
    struct probe *p = probe_of(v);
    uint8_t count = p->held_count;
    state_u8(s, &count);
    if (count > PROBE_HELD_MOST) {
        state_fail(s, "too many chains");
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        virtio_chain_state(v, &p->held[i], s);
        if (!p->held[i])
            return;
        p->held_count = (uint8_t)max_u64(p->held_count, i + 1);
    }
}

static inline void probe_destroy(struct virtio *v)
{
    probe_reset(v);
    virtio_deinit(v);
    free(probe_of(v));
}

static inline struct virtio *probe_create(struct virtio_rig *r, struct log *log)
{
    static const struct virtio_device_ops ops = {
        .name = "virtio-probe",
        .id = 42,
        .config_bytes = 8,
        .features = probe_features,
        .read_config = probe_read_config,
        .write_config = probe_write_config,
        .start = probe_start,
        .notify = probe_notify,
        .reset = probe_reset,
        .state = probe_state,
        .destroy = probe_destroy,
    };
    struct probe *p = calloc(1, sizeof *p);
    struct virtio_config config = {.ops = &ops,
                                   .queues = PROBE_QUEUES,
                                   .queue_size = PROBE_QUEUE_SIZE,
                                   .memory = r->memory,
                                   .log = log};
    ck_assert(virtio_init(&p->virtio, &config));
    return &p->virtio;
}

/* Takes the next chain, which the device then holds. */
static inline struct virtio_chain *probe_take(struct virtio_rig *r)
{
    struct probe *p = probe_of(r->v);
    struct virtio_chain *c = virtio_take(r->v, r->queue);
    if (c)
        p->held[p->held_count++] = c;
    return c;
}

/* Gives back the chain that was taken last, and publishes. */
static inline void probe_give(struct virtio_rig *r, uint32_t written)
{
    struct probe *p = probe_of(r->v);
    virtio_give(r->v, p->held[--p->held_count], written);
    virtio_publish(r->v, r->queue);
}

#endif

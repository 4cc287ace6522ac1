/* Entropy device (virtio 1.2, section 5.4): it fills what the driver gives it.
 *
 * Without a host source the bytes follow from the seed alone, so that a run is repeatable. Their
 * state goes on through resets: a guest that reboots does not see the same bytes again. */
#include "devices/virtio/rng.h"

#include "base/random.h"

#include <stdlib.h>

#define QUEUE_SIZE 8u    /* QEMU's */
#define MOST_BYTES 4096u /* of one request: fewer than asked for is allowed, section 5.4.6.1 */

struct virtio_rng {
    struct virtio virtio;
    /* --- guest state --- */
    uint64_t random_state;
    /* --- host side --- */
    struct entropy_source host;
};

static struct virtio_rng *rng_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_rng, virtio);
}

static uint64_t rng_features(struct virtio *v)
{
    (void)v;
    return 0;
}

static void fill(struct virtio_rng *r, uint8_t *bytes, size_t n)
{
    if (r->host.fill) {
        r->host.fill(r->host.owner, bytes, n);
        return;
    }
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t random = random_next(&r->random_state);
        memcpy(bytes + i, &random, min_u64(n - i, sizeof random));
    }
}

static void rng_notify(struct virtio *v, unsigned queue)
{
    uint8_t bytes[MOST_BYTES];
    for (struct virtio_chain *c; (c = virtio_take(v, queue));) {
        size_t n = min_u64(c->writable_bytes, sizeof bytes);
        fill(rng_of(v), bytes, n);
        virtio_give(v, c, (uint32_t)virtio_write(v, c, 0, bytes, n));
    }
    virtio_publish(v, queue);
}

static void rng_reset(struct virtio *v)
{
    (void)v;
}

static void rng_state(struct virtio *v, struct state *s)
{
    state_u64(s, &rng_of(v)->random_state);
}

static void rng_destroy(struct virtio *v)
{
    virtio_deinit(v);
    free(rng_of(v));
}

static const struct virtio_device_ops rng_ops = {
    .name = "virtio-rng",
    .id = 4,
    .features = rng_features,
    .notify = rng_notify,
    .reset = rng_reset,
    .state = rng_state,
    .destroy = rng_destroy,
};

struct virtio *virtio_rng_create(const struct virtio_rng_config *config)
{
    struct virtio_rng *r = calloc(1, sizeof *r);
    struct virtio_config base = {.ops = &rng_ops,
                                 .queues = 1,
                                 .queue_size = QUEUE_SIZE,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!r || !virtio_init(&r->virtio, &base)) {
        free(r);
        return NULL;
    }
    r->random_state = config->seed;
    r->host = config->host;
    return &r->virtio;
}

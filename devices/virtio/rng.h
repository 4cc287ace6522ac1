/* The virtio entropy device. */
#ifndef RIVULET_DEVICES_VIRTIO_RNG_H
#define RIVULET_DEVICES_VIRTIO_RNG_H

#include "devices/virtio/virtio.h"

/* Where random bytes come from: the host. */
struct entropy_source {
    void (*fill)(void *owner, uint8_t *bytes, size_t n);
    void *owner;
};

struct virtio_rng_config {
    struct entropy_source host; /* fill NULL: repeatable bytes from the seed */
    uint64_t seed;
    struct memory_map *memory;
    struct log *log;
};

/* NULL: no memory. */
struct virtio *virtio_rng_create(const struct virtio_rng_config *config);

#endif

/* Bounce buffers of a disk's requests.
 *
 * Large ones are kept when they come back: the allocator would return them to the host each time,
 * and the page faults of fresh memory are a quarter of the host's work on a sequential read. Used
 * by one thread. */
#ifndef RIVULET_DEVICES_VIRTIO_BOUNCE_H
#define RIVULET_DEVICES_VIRTIO_BOUNCE_H

#include <stddef.h>
#include <stdint.h>

#define BOUNCE_MOST_BYTES (1u << 20)

/* Empty when all zero. */
struct bounce_pool {
    void *first; /* a kept buffer begins with the address of the next one */
    unsigned kept;
};

/* At most BOUNCE_MOST_BYTES, with any content; NULL: no memory. */
uint8_t *bounce_take(struct bounce_pool *pool, size_t bytes);
/* As many bytes as it was taken for; NULL is fine. */
void bounce_give(struct bounce_pool *pool, uint8_t *buffer, size_t bytes);
/* Frees what is kept. */
void bounce_empty(struct bounce_pool *pool);

#endif

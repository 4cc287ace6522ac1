/* A list of large buffers (contract: bounce.h). */
#include "devices/virtio/bounce.h"

#include <stdlib.h>

#define SMALL_BYTES (32u << 10) /* up to here the allocator reuses its memory itself */
#define KEPT_MOST   16u

uint8_t *bounce_take(struct bounce_pool *pool, size_t bytes)
{
    if (bytes <= SMALL_BYTES)
        return malloc(bytes);
    void **buffer = pool->first;
    if (!buffer)
        return malloc(BOUNCE_MOST_BYTES);
    pool->first = *buffer;
    pool->kept--;
    return (uint8_t *)buffer;
}

void bounce_give(struct bounce_pool *pool, uint8_t *buffer, size_t bytes)
{
    if (bytes <= SMALL_BYTES || !buffer || pool->kept == KEPT_MOST) {
        free(buffer);
        return;
    }
    *(void **)(void *)buffer = pool->first;
    pool->first = buffer;
    pool->kept++;
}

void bounce_empty(struct bounce_pool *pool)
{
    while (pool->kept)
        free(bounce_take(pool, BOUNCE_MOST_BYTES));
}

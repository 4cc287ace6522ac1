/* A disk in memory in place of devices/block: requests wait until the test lets them be done. */
#ifndef RIVULET_TESTS_UNIT_FAKE_BLOCK_H
#define RIVULET_TESTS_UNIT_FAKE_BLOCK_H

#include "devices/block/block.h"

struct block {
    uint8_t *bytes;
    uint64_t size;
    bool read_only;
    enum block_status status; /* of all requests from now on; not BLOCK_OK: nothing is done */
    struct block_request *pending, *done;
    unsigned counts[BLOCK_WRITE_ZEROES + 1]; /* requests submitted of each kind */
    uint64_t most_bytes;                     /* of a read or write */
    bool may_unmap;                          /* of the last one that zeroes */
    void (*hook)(void *owner);
    void *owner;
};

void fake_block_init(struct block *b, uint64_t size);
void fake_block_free(struct block *b);
/* Lets everything that waits be done. */
void fake_block_run(struct block *b);

#endif

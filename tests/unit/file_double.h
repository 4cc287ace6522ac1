/* A file in memory that stands in for the host's: it remembers every write and sync, so that a test
 * can stop the power behind any of them, and it can be full. */
#ifndef RIVULET_TESTS_UNIT_FILE_DOUBLE_H
#define RIVULET_TESTS_UNIT_FILE_DOUBLE_H

#include "devices/block/file.h"

struct file_event {
    uint64_t offset, n;
    uint8_t *bytes; /* NULL: a sync */
};

struct file_double {
    struct file file;
    uint8_t *bytes;
    uint64_t size, capacity;
    uint64_t limit; /* writes past this find no space */
    bool records;
    struct file_event *events;
    size_t count, room;
    unsigned syncs, writes;
};

struct file_double *file_double_create(uint64_t capacity);
/* The file after the first `events` events and a power cut: what was synced is there, of the rest
 * each sector with a chance of one in two (`seed`), or all of it (seed 0). */
struct file_double *file_double_after_cut(const struct file_double *from,
                                          const struct file_double *recorded, size_t events,
                                          uint64_t seed);
/* A copy that has forgotten the events. */
struct file_double *file_double_copy(const struct file_double *from);
void file_double_save(const struct file_double *d, const char *path);

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1dull >> 16;
}

#endif

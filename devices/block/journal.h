/* A layer over a disk that can go back: each change first keeps what was there. For machines that
 * run backwards. In memory: what a guest has written since the oldest moment that is kept. */
#ifndef RIVULET_DEVICES_BLOCK_JOURNAL_H
#define RIVULET_DEVICES_BLOCK_JOURNAL_H

#include "devices/block/disk.h"

/* Takes over `base`. */
struct disk *journal_open(struct disk *base, struct error *err);

/* While nobody writes. A moment is the number of changes until then. */
uint64_t journal_moment(const struct disk *journal);
/* As it was at that moment; later ones are gone. It must be kept still. */
enum block_status journal_go_back(struct disk *journal, uint64_t moment);
/* Host memory that is used. */
uint64_t journal_memory(const struct disk *journal);

#endif

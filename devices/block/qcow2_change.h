/* A change of all that is counted in a qcow2 image at once (qcow2_snapshot.h): a new active L1
 * table, and refcounts, beside those that are on the disk. One write of the header puts them in
 * their place.
 *
 * In this order, because a cluster that is given up on the way must not be taken: begin, all
 * allocations, what is counted more, what is counted less, commit. */
#ifndef RIVULET_DEVICES_BLOCK_QCOW2_CHANGE_H
#define RIVULET_DEVICES_BLOCK_QCOW2_CHANGE_H

#include "devices/block/qcow2.h"

struct qcow2_change {
    struct qcow2 *q;
    struct qcow2_header next; /* what the client changes here is the image's afterwards */
    uint64_t *old_refblocks;  /* where they are on the disk; 0: none */
    uint64_t old_refblock_count;
    uint8_t *l2;    /* room for one */
    uint64_t *l1;   /* the active one to be */
    uint64_t *from; /* the L2 tables that it is copied from; 0: none */
    uint64_t l1_entries;
};

/* How many entries the L1 table of so many bytes has. */
uint64_t qcow2_l1_entries(const struct qcow2 *q, uint64_t bytes);

/* All that is in memory goes to the disk. Before the beginning; what is allocated in between the
 * disk knows nothing of, and a failure forgets it. */
enum block_status qcow2_change_settle(struct qcow2 *q);
/* Not more than `clusters` are to be allocated. Ends with qcow2_change_end in any case. */
enum block_status qcow2_change_begin(struct qcow2_change *c, struct qcow2 *q, uint64_t clusters);
/* Clusters one behind the other for these bytes, which are written there. */
enum block_status qcow2_change_put(struct qcow2_change *c, const void *bytes, uint64_t n,
                                   uint64_t *offset);
/* The same for an L1 table, in host byte order. */
enum block_status qcow2_change_put_l1(struct qcow2_change *c, const uint64_t *l1, uint64_t entries,
                                      uint64_t *offset);
/* Allocates the active L1 table to be, and L2 tables for what `from` has. */
enum block_status qcow2_change_plan_l1(struct qcow2_change *c, const uint64_t *from,
                                       uint64_t entries);
/* Counts one more, or one less (by -1), of all clusters that these bytes touch; of what an L2 table
 * refers to; of an L1 table's L2 tables and what they refer to. */
enum block_status qcow2_change_count(struct qcow2_change *c, uint64_t offset, uint64_t bytes,
                                     int by);
enum block_status qcow2_change_count_data(struct qcow2_change *c, uint64_t l2_offset, int by);
enum block_status qcow2_change_count_l1(struct qcow2_change *c, const uint64_t *l1,
                                        uint64_t entries, int by);
/* Reads an L1 table into host byte order. */
enum block_status qcow2_change_read_l1(struct qcow2_change *c, uint64_t offset, uint64_t *l1,
                                       uint64_t entries);
/* Writes it all, and then the header. */
enum block_status qcow2_change_commit(struct qcow2_change *c);
/* Afterwards the image in memory is what is on the disk. `status` is what came of it all. */
void qcow2_change_end(struct qcow2_change *c, enum block_status status);

#endif

/* The snapshot table of a qcow2 image in memory (qcow2.txt: "Snapshots"). Entries of others keep
 * all their bytes. */
#ifndef RIVULET_DEVICES_BLOCK_QCOW2_SNAPSHOT_TABLE_H
#define RIVULET_DEVICES_BLOCK_QCOW2_SNAPSHOT_TABLE_H

#include "devices/block/qcow2.h"
#include "devices/block/qcow2_snapshot.h"

struct qcow2_snapshot_table {
    uint8_t *bytes; /* as on the disk */
    size_t n;
    struct qcow2_snapshot *items;
    size_t *ends; /* in bytes, of each item */
    unsigned count;
};

/* A failure leaves nothing to free. */
enum block_status qcow2_read_snapshots(struct qcow2 *q, struct qcow2_snapshot_table *t);
void qcow2_free_snapshots(struct qcow2_snapshot_table *t);
/* By its id or, if there is no such id, by its name; `count`: there is none. */
unsigned qcow2_snapshot_index(const struct qcow2_snapshot_table *t, const char *name);
/* Takes an entry out, or adds one at the end, with an id of its own. */
void qcow2_remove_entry(struct qcow2_snapshot_table *t, unsigned index);
bool qcow2_add_entry(struct qcow2_snapshot_table *t, const struct qcow2_snapshot *s);

#endif

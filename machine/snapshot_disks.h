/* The disks of a snapshot (machine/snapshot.h). */
#ifndef RIVULET_MACHINE_SNAPSHOT_DISKS_H
#define RIVULET_MACHINE_SNAPSHOT_DISKS_H

#include "machine/drives.h"
#include "machine/snapshot_file.h"

/* Waits until all that the guest has written is durable. */
bool snapshot_settle_disks(struct drives *d, struct error *err) MUST_CHECK;
/* One line a drive: what the images must be like for a load; `inside`: those that can have
 * snapshots inside go back themselves. Settled. */
void snapshot_describe_disks(const struct drives *d, bool inside, const struct byte_sink *out);
/* What was written to overlays. Settled. */
bool snapshot_save_disks(struct drives *d, struct snapshot_writer *w, struct error *err) MUST_CHECK;
/* Whether snapshot_load_disks will find what it needs. */
bool snapshot_check_disks(const struct drives *d, struct snapshot_file *f,
                          struct error *err) MUST_CHECK;
bool snapshot_load_disks(struct drives *d, struct snapshot_file *f, struct error *err) MUST_CHECK;

#endif

/* What snapshots in files (snapshot.c) and those inside of disks (snapshot_named.c) share. All with
 * the disks settled; false and err. */
#ifndef RIVULET_MACHINE_SNAPSHOT_PARTS_H
#define RIVULET_MACHINE_SNAPSHOT_PARTS_H

#include "machine/snapshot.h"
#include "machine/snapshot_file.h"

/* All sections of the file; `inside`: disks that can have snapshots have this moment's. */
bool snapshot_save_sections(struct machine *m, struct snapshot_writer *w, bool inside,
                            const struct snapshot_options *options, struct error *err) MUST_CHECK;
/* Everything that can be checked, and nothing is changed; `path` is for messages. */
bool snapshot_check_sections(struct machine *m, struct snapshot_file *f, const char *path,
                             bool inside, struct error *err) MUST_CHECK;
/* Behind the check. */
bool snapshot_load_sections(struct machine *m, struct snapshot_file *f,
                            struct error *err) MUST_CHECK;

#endif

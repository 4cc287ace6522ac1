/* Snapshots inside of a qcow2 image (qcow2.txt: "Snapshots"): the disk as it was at a moment, and
 * maybe bytes beside it, a machine's state. They are QEMU's; only what the bytes mean is not.
 *
 * Each change takes effect as a whole, by one write of the header: all that is new, refcounts
 * included, lies where nothing was before. So whenever the power is cut, the image is what it was
 * or what it is to be, without a leak. */
#ifndef RIVULET_DEVICES_BLOCK_QCOW2_SNAPSHOT_H
#define RIVULET_DEVICES_BLOCK_QCOW2_SNAPSHOT_H

#include "base/byte_sink.h"
#include "devices/block/disk.h"

#define QCOW2_SNAPSHOT_NAME_BYTES 256u /* QEMU's, the end included */

struct qcow2_snapshot {
    char id[128], name[QCOW2_SNAPSHOT_NAME_BYTES]; /* longer ones are cut */
    uint64_t date_ns;                              /* of the host, since 1970 */
    uint64_t clock_ns;                             /* the guest's time */
    uint64_t icount;                               /* UINT64_MAX: none */
    uint64_t state_bytes;                          /* 0: of the disk alone */
    uint64_t disk_bytes;
    uint64_t l1_offset; /* of its table in the image */
    uint32_t l1_entries;
};

/* All functions are for images that nobody uses meanwhile; a `name` is an id or, if there is no
 * such id, a name. Those that return bool: false and err. */

/* malloc()ed, in the order of the image; *count may be 0. */
bool qcow2_list_snapshots(struct disk *image, struct qcow2_snapshot **list, unsigned *count,
                          struct error *err) MUST_CHECK;
/* A line of a table as QEMU shows it; NULL: its head. */
void qcow2_print_snapshot(const struct qcow2_snapshot *s, const struct byte_sink *out);

/* A machine's state on its way into a snapshot: it has places in the image, of which the image on
 * the disk does not know yet. The image is not used otherwise until its end. NULL and err. */
struct qcow2_state;
struct qcow2_state *qcow2_state_create(struct disk *image, struct error *err);
/* What is never written reads as zero. */
enum block_status qcow2_state_write(struct qcow2_state *s, uint64_t offset, const void *bytes,
                                    uint64_t n);
void qcow2_state_abandon(struct qcow2_state *s);

/* Name, date, clock and icount are s's; there may be one of this name already. `state` is gone
 * afterwards, also when it fails; NULL: the disk alone. The id that it gets is one more than the
 * highest. */
bool qcow2_create_snapshot(struct disk *image, const struct qcow2_snapshot *s,
                           struct qcow2_state *state, struct error *err) MUST_CHECK;
/* The disk is again what it was, and as large. */
bool qcow2_apply_snapshot(struct disk *image, const char *name, struct error *err) MUST_CHECK;
bool qcow2_delete_snapshot(struct disk *image, const char *name, struct error *err) MUST_CHECK;
/* The first n bytes of the state, to zeroes: what was never written is left as it is. */
enum block_status qcow2_read_state(struct disk *image, const struct qcow2_snapshot *s, uint8_t *to,
                                   uint64_t n);

#endif

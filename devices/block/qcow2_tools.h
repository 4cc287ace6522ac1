/* What can be done with a qcow2 image besides using it as a disk. */
#ifndef RIVULET_DEVICES_BLOCK_QCOW2_TOOLS_H
#define RIVULET_DEVICES_BLOCK_QCOW2_TOOLS_H

#include "devices/block/disk.h"

struct qcow2_format {
    uint64_t bytes;
    unsigned version, cluster_bits, refcount_order;
    bool lazy_refcounts, zstd;
    const char *backing, *backing_format; /* NULL: none */
};

/* Makes the empty file an empty image. */
bool qcow2_format(struct file *file, const struct qcow2_format *format, struct error *err);

/* Gives every cluster that reads as zero a place that is its own. */
enum block_status qcow2_preallocate(struct disk *image);
bool qcow2_resize(struct disk *image, uint64_t bytes, struct error *err);
/* Makes everything absent again. */
enum block_status qcow2_empty(struct disk *image);

struct qcow2_info {
    unsigned version, refcount_bits;
    uint64_t cluster_bytes;
    bool dirty, corrupt, lazy_refcounts, zstd;
    unsigned snapshots;
};

/* False: not a qcow2 image. */
bool qcow2_info(struct disk *image, struct qcow2_info *info);

struct qcow2_check {
    /* In. */
    bool fix_leaks, fix_errors;
    void (*report)(void *owner, const char *line);
    void *owner;
    /* Out. */
    uint64_t errors, leaks;             /* found */
    uint64_t unfixable;                 /* errors */
    uint64_t fixed_errors, fixed_leaks; /* of them */
    uint64_t total_clusters, allocated_clusters, compressed_clusters, fragmented_clusters;
    uint64_t end_offset; /* behind the last cluster in use */
};

/* Compares the refcounts with what the tables refer to. False and err: it could not be done. */
bool qcow2_check(struct disk *image, struct qcow2_check *check, struct error *err);
/* Makes an image right that was not closed. */
bool qcow2_repair_dirty(struct disk *image, struct error *err);

#endif

/* qcow2 images (QEMU's docs/interop/qcow2.txt; section names and field names are that document's):
 * what the files qcow2*.c share. Clients of the format include qcow2_tools.h.
 *
 * A guest cluster is found through L1 table -> L2 table -> L2 entry; a host cluster's users are
 * counted in refcount table -> refcount block. Both pairs are a struct tables here: a top table,
 * wholly in memory, and a cache of the tables it points to. Changes are made in memory; only
 * qcow2_write_metadata writes them, in this order, with a sync wherever the arrow is:
 *
 *   data, refcount blocks -> refcount table -> L2 tables -> L1 table -> clusters become free
 *
 * So what the disk holds at any moment refers only to what is whole and counted. A power cut may
 * leave clusters that are counted but not used (leaks), never the reverse. A cluster given up is
 * not used again before nothing on the disk refers to it: it waits in `pending`. */
#ifndef RIVULET_DEVICES_BLOCK_QCOW2_H
#define RIVULET_DEVICES_BLOCK_QCOW2_H

#include "base/os.h"
#include "devices/block/disk.h"

#include <stdatomic.h>

#define QCOW2_MAGIC 0x514649fbu /* "QFI\xfb" */

/* Offsets in the header. */
#define HEADER_VERSION           4
#define HEADER_BACKING_OFFSET    8
#define HEADER_BACKING_SIZE      16
#define HEADER_CLUSTER_BITS      20
#define HEADER_SIZE              24
#define HEADER_CRYPT_METHOD      32
#define HEADER_L1_SIZE           36
#define HEADER_L1_OFFSET         40
#define HEADER_REFTABLE_OFFSET   48
#define HEADER_REFTABLE_CLUSTERS 56
#define HEADER_SNAPSHOTS         60
#define HEADER_SNAPSHOTS_OFFSET  64
#define HEADER_V2_BYTES          72
#define HEADER_INCOMPATIBLE      72
#define HEADER_COMPATIBLE        80
#define HEADER_AUTOCLEAR         88
#define HEADER_REFCOUNT_ORDER    96
#define HEADER_LENGTH            100
#define HEADER_COMPRESSION       104
#define HEADER_V3_MIN_BYTES      104
#define HEADER_V3_BYTES          112
#define EXTENSION_END            0u
#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_FEATURE_NAMES  0x6803f857u

#define INCOMPATIBLE_DIRTY        (1ull << 0)
#define INCOMPATIBLE_CORRUPT      (1ull << 1)
#define INCOMPATIBLE_DATA_FILE    (1ull << 2)
#define INCOMPATIBLE_COMPRESSION  (1ull << 3)
#define INCOMPATIBLE_EXTENDED_L2  (1ull << 4)
#define COMPATIBLE_LAZY_REFCOUNTS (1ull << 0)

#define COMPRESSION_ZLIB 0
#define COMPRESSION_ZSTD 1

/* L1 and L2 entries. */
#define ENTRY_COPIED     (1ull << 63) /* the refcount is exactly one: may be written in place */
#define ENTRY_COMPRESSED (1ull << 62)
#define ENTRY_ZERO       (1ull << 0)
#define ENTRY_OFFSET     0x00fffffffffffe00ull

/* QEMU's limits. */
#define MIN_CLUSTER_BITS   9
#define MAX_CLUSTER_BITS   21
#define MAX_REFCOUNT_ORDER 6
#define MAX_L1_BYTES       (32u << 20)
#define MAX_REFTABLE_BYTES (8u << 20)
#define MAX_SNAPSHOTS      65536u

#define TABLES_CACHE_BYTES (16u << 20) /* of each kind */

/* An L2 table or refcount block in memory, as on the disk. */
struct table {
    uint8_t *bytes;
    uint64_t index; /* of the entry that points to it */
    uint64_t last_used;
    uint32_t dirty_from, dirty_to; /* in bytes; equal: clean */
};

struct tables {
    uint64_t *top; /* host byte order */
    uint64_t top_entries, top_offset;
    uint64_t top_dirty_from, top_dirty_to; /* in entries */
    struct table **loaded;                 /* by index in top; NULL: not in memory */
    uint64_t *indices;                     /* of those in memory, in no order */
    size_t count, capacity;
    size_t limit;   /* more are dropped when they are clean */
    size_t dirty;   /* tables */
    uint64_t clock; /* for last_used */
};

struct freed {
    uint64_t offset, clusters;
};

struct qcow2_header {
    uint32_t version, cluster_bits, l1_size, reftable_clusters, refcount_order, length, snapshots;
    uint64_t size, l1_offset, reftable_offset, snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint8_t compression;
};

/* `lock` is shared by what only reads metadata (it may load tables, under `loading`) and moves data
 * in place, exclusive for all else. */
struct qcow2 {
    struct disk image;
    struct file *file; /* image.file */
    struct qcow2_header header;
    uint64_t cluster_bytes;
    unsigned l2_bits;       /* log2 of the entries of an L2 table */
    unsigned refblock_bits; /* log2 of the entries of a refcount block */
    struct tables l2, refblocks;
    uint64_t free_hint; /* no free cluster has a smaller index */
    uint64_t file_end;  /* what lies behind was never written, so it reads as zero */
    struct freed *pending;
    size_t pending_count, pending_capacity;
    bool unmap;
    atomic_bool damaged; /* a table makes no sense: nothing is written any more */
    struct os_rwlock *lock;
    struct os_mutex *loading;
    /* The last decompressed cluster, under `loading`. */
    uint8_t *unpacked;
    uint64_t unpacked_entry; /* 0: none */
};

static inline struct qcow2 *qcow2_of(struct disk *i)
{
    return CONTAINER_OF(i, struct qcow2, image);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}

static inline uint64_t clusters_of(const struct qcow2 *q, uint64_t bytes)
{
    return (bytes >> q->header.cluster_bits) + !!(bytes & (q->cluster_bytes - 1));
}

/* ---- qcow2_header.c ---- */

/* Reads and checks the header and its extensions. */
bool qcow2_read_header(struct file *file, const char *path, struct qcow2_header *h,
                       struct disk *image, struct error *err);
/* Writes the fields that change in an image's life, at once. */
enum block_status qcow2_write_header(struct qcow2 *q);

/* ---- qcow2_tables.c ---- */

bool tables_init(struct tables *t, struct qcow2 *q, uint64_t offset, uint64_t entries,
                 const char *name, struct error *err);
void tables_destroy(struct tables *t);
/* The table of top[index], which is not 0. It stays in memory until the next tables_get of these
 * tables. */
enum block_status tables_get(struct qcow2 *q, struct tables *t, uint64_t index,
                             struct table **table);
/* A table at `offset` from now on, entered in top with `flags`: the one in memory with all that it
 * holds, else a new one of zeroes; NULL: out of memory. */
struct table *tables_new(struct qcow2 *q, struct tables *t, uint64_t index, uint64_t offset,
                         uint64_t flags);
/* Changes an entry of top. */
void tables_point(struct tables *t, uint64_t index, uint64_t entry);
void table_dirty(struct tables *t, struct table *table, uint64_t from, uint64_t to);
/* Enlarges the top table in memory. */
bool tables_grow(struct tables *t, uint64_t entries);
/* Forgets the entries behind these, with their tables. */
void tables_shrink(struct tables *t, uint64_t entries);
bool tables_are_dirty(const struct tables *t);
enum block_status tables_write(struct qcow2 *q, struct tables *t);
/* Writes the changed entries of the top table; `whole`: all of them. */
enum block_status tables_write_top(struct qcow2 *q, struct tables *t, bool whole);

/* ---- qcow2_refcount.c ---- */

enum block_status qcow2_get_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *refcount);
/* Writes a refcount, also where there may be no refcount block: a new one is put behind all that is
 * used. */
enum block_status qcow2_force_refcount(struct qcow2 *q, uint64_t cluster, uint64_t refcount);
/* So many clusters behind all that is used can be counted without a new refcount table. */
enum block_status qcow2_reserve_refcounts(struct qcow2 *q, uint64_t clusters);
/* Allocates up to `wanted` clusters that lie one behind the other, at least one. `fresh`: they read
 * as zero. */
enum block_status qcow2_allocate(struct qcow2 *q, uint64_t wanted, uint64_t *offset, uint64_t *got,
                                 bool *fresh);
/* Gives back what was allocated and is referred to by nothing, not even by the disk. */
void qcow2_unallocate(struct qcow2 *q, uint64_t offset, uint64_t clusters);
/* Gives up one reference to each; takes effect when nothing on the disk refers to them any more. */
void qcow2_release(struct qcow2 *q, uint64_t offset, uint64_t clusters);
/* To be called before each change: writes the metadata when much of it has changed. */
enum block_status qcow2_make_room(struct qcow2 *q);
/* Everything that was changed in memory, in the order that the head of this file gives. */
enum block_status qcow2_write_metadata(struct qcow2 *q);
/* The image contradicts itself: says so in it, and writes no more. Returns BLOCK_IO_ERROR. */
enum block_status qcow2_found_damage(struct qcow2 *q);

/* ---- qcow2_map.c ---- */

enum mapping_kind { MAP_ABSENT, MAP_ZERO, MAP_ZERO_ALLOCATED, MAP_DATA, MAP_COMPRESSED };

/* What a stretch of the guest's disk is; `host` is the place of its first byte. */
struct mapping {
    enum mapping_kind kind;
    bool in_place; /* DATA, ZERO_ALLOCATED: the cluster has no other user */
    uint64_t host, bytes;
    uint64_t entry; /* the L2 entry of its first cluster */
};

enum block_status qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t bytes, struct mapping *m);
/* Fills the buffer with m->bytes bytes. */
enum block_status qcow2_read_mapping(struct qcow2 *q, const struct mapping *m, uint64_t offset,
                                     uint8_t *buffer);
/* The host bytes of a compressed cluster. */
void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset,
                            uint64_t *bytes);
/* The L2 table of this L1 entry, made or copied if need be so that it may be changed. */
enum block_status qcow2_l2_for_write(struct qcow2 *q, uint64_t l1_index, struct table **table);
static inline uint64_t qcow2_entry(const struct table *table, uint64_t index)
{
    return get_be64(table->bytes + index * 8);
}
void qcow2_set_entry(struct qcow2 *q, struct table *table, uint64_t index, uint64_t entry);
/* Releases what an L2 entry refers to. */
void qcow2_release_entry(struct qcow2 *q, uint64_t entry);

/* ---- qcow2_inflate.c, and qcow2_zstd.c or qcow2_no_zstd.c ---- */

bool qcow2_inflate(const uint8_t *from, size_t n, uint8_t *to, size_t size);
bool qcow2_has_zstd(void);
bool qcow2_zstd(const uint8_t *from, size_t n, uint8_t *to, size_t size);

#endif

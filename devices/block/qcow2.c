/* The operations of a qcow2 image (qcow2.h explains the order of writes).
 *
 * A new cluster is written whole, with what surrounds the guest's bytes, before an L2 entry in
 * memory points to it; what it replaces is released then, and reused only when that entry is on the
 * disk. */
#include "devices/block/qcow2.h"
#include "devices/block/qcow2_tools.h"

#include <stdlib.h>

/* ---- reading ---- */

static enum block_status map_shared(struct qcow2 *q, uint64_t offset, uint64_t bytes,
                                    struct mapping *m)
{
    os_mutex_lock(q->loading);
    enum block_status status = qcow2_map(q, offset, bytes, m);
    os_mutex_unlock(q->loading);
    return status;
}

/* Under the lock, shared or exclusive. */
static enum block_status read_all(struct qcow2 *q, uint64_t offset, uint8_t *buffer, uint64_t bytes)
{
    enum block_status status = BLOCK_OK;
    while (bytes && status == BLOCK_OK) {
        struct mapping m;
        status = map_shared(q, offset, bytes, &m);
        if (status != BLOCK_OK)
            break;
        status = qcow2_read_mapping(q, &m, offset, buffer);
        offset += m.bytes;
        buffer += m.bytes;
        bytes -= m.bytes;
    }
    return status;
}

static enum block_status qcow2_read(struct disk *i, uint64_t offset, uint8_t *buffer,
                                    uint64_t bytes)
{
    struct qcow2 *q = qcow2_of(i);
    os_rwlock_shared(q->lock);
    enum block_status status = read_all(q, offset, buffer, bytes);
    os_rwlock_unlock(q->lock);
    return status;
}

static uint64_t qcow2_content(struct disk *i, uint64_t offset, uint64_t bytes,
                              enum disk_content *content)
{
    static const enum disk_content contents[] = {
        [MAP_ABSENT] = DISK_ABSENT, [MAP_ZERO] = DISK_ZERO,       [MAP_ZERO_ALLOCATED] = DISK_ZERO,
        [MAP_DATA] = DISK_DATA,     [MAP_COMPRESSED] = DISK_DATA,
    };
    struct qcow2 *q = qcow2_of(i);
    struct mapping m;
    os_rwlock_shared(q->lock);
    enum block_status status = map_shared(q, offset, bytes, &m);
    os_rwlock_unlock(q->lock);
    *content = status == BLOCK_OK ? contents[m.kind] : DISK_DATA; /* reading it shows the error */
    return status == BLOCK_OK ? m.bytes : bytes;
}

/* ---- writing ---- */

/* A piece of a write: clusters `index` to `index + clusters - 1` of one L2 table get the place
 * `host` (of the first cluster's begin). */
struct piece {
    struct table *table;
    uint64_t index, clusters;
    uint64_t offset, bytes; /* the guest's */
    uint64_t host;
    bool fresh; /* the place reads as zero */
    bool owned; /* the place was theirs before */
};

/* Copies what the guest sees at offset to its new place. */
static enum block_status copy_over(struct qcow2 *q, const struct piece *p, uint64_t offset,
                                   uint64_t host, uint64_t bytes)
{
    if (!bytes)
        return BLOCK_OK;
    struct mapping m = {.kind = MAP_ZERO};
    if (!p->owned) {
        enum block_status status = map_shared(q, offset, bytes, &m);
        if (status != BLOCK_OK)
            return status;
    }
    bool absent = m.kind == MAP_ABSENT && (!q->image.backing || offset >= q->image.backing->bytes);
    if (p->fresh && (absent || m.kind == MAP_ZERO || m.kind == MAP_ZERO_ALLOCATED))
        return BLOCK_OK;
    uint8_t *buffer = calloc(1, bytes);
    if (!buffer)
        return BLOCK_IO_ERROR;
    enum block_status status = p->owned ? BLOCK_OK : read_all(q, offset, buffer, bytes);
    if (status == BLOCK_OK)
        status = file_write(q->file, host, buffer, bytes);
    free(buffer);
    return status;
}

/* The guest's bytes and what its first and last cluster hold around them. */
static enum block_status fill(struct qcow2 *q, const struct piece *p, const uint8_t *buffer)
{
    uint64_t before = p->offset & (q->cluster_bytes - 1);
    uint64_t end = before + p->bytes;
    uint64_t after = (p->clusters << q->header.cluster_bits) - end;
    enum block_status status = copy_over(q, p, p->offset - before, p->host, before);
    if (status == BLOCK_OK)
        status = copy_over(q, p, p->offset + p->bytes, p->host + end, after);
    if (status == BLOCK_OK)
        status = file_write(q->file, p->host + before, buffer, p->bytes);
    return status;
}

/* Finds a place for the piece, whose offset and bytes are the most that are wanted; no clusters
 * when another thread has just made one that can be written in place. */
static enum block_status place(struct qcow2 *q, struct piece *p)
{
    unsigned cluster_bits = q->header.cluster_bits;
    uint64_t in_cluster = p->offset & (q->cluster_bytes - 1);
    uint64_t wanted = clusters_of(q, in_cluster + p->bytes);
    enum block_status status = BLOCK_OK;
    struct mapping m = {0};
    uint64_t n = 0; /* clusters in a row that cannot be written in place */
    for (uint64_t offset = p->offset - in_cluster; n < wanted; n++, offset += q->cluster_bytes) {
        status = map_shared(q, offset, q->cluster_bytes, &m);
        if (status != BLOCK_OK)
            return status;
        if (m.in_place)
            break;
    }
    if (n) {
        status = qcow2_allocate(q, n, &p->host, &p->clusters, &p->fresh);
    } else if (m.kind == MAP_ZERO_ALLOCATED) {
        p->host = m.host;
        p->owned = true;
        p->clusters = 1;
    }
    p->bytes = min_u64(p->bytes, (p->clusters << cluster_bits) - in_cluster);
    return status;
}

static void link_piece(struct qcow2 *q, const struct piece *p)
{
    for (uint64_t i = 0; i < p->clusters; i++) {
        uint64_t old = qcow2_entry(p->table, p->index + i);
        uint64_t host = p->host + (i << q->header.cluster_bits);
        qcow2_set_entry(q, p->table, p->index + i, host | ENTRY_COPIED);
        if (!p->owned)
            qcow2_release_entry(q, old);
    }
}

/* Writes some of these bytes, where clusters must be allocated. Exclusive. */
static enum block_status write_new(struct qcow2 *q, uint64_t offset, const uint8_t *buffer,
                                   uint64_t bytes, uint64_t *done)
{
    uint64_t span = q->cluster_bytes << q->l2_bits;
    struct piece p = {.index = bits_get(offset >> q->header.cluster_bits, 0, q->l2_bits),
                      .offset = offset,
                      .bytes = min_u64(bytes, span - (offset & (span - 1)))};
    enum block_status status = qcow2_make_room(q);
    if (status == BLOCK_OK)
        status = qcow2_l2_for_write(q, offset / span, &p.table);
    if (status == BLOCK_OK)
        status = place(q, &p);
    *done = p.clusters ? p.bytes : 0;
    if (status != BLOCK_OK || !p.clusters)
        return status;
    status = fill(q, &p, buffer);
    if (status == BLOCK_OK)
        link_piece(q, &p);
    else if (!p.owned)
        qcow2_unallocate(q, p.host, p.clusters);
    return status;
}

/* Writes some bytes in place, if the first of them can be; *done says how many. Shared. */
static enum block_status write_in_place(struct qcow2 *q, uint64_t offset, const uint8_t *buffer,
                                        uint64_t bytes, uint64_t *done)
{
    struct mapping m;
    *done = 0;
    if (atomic_load(&q->damaged))
        return BLOCK_IO_ERROR;
    enum block_status status = map_shared(q, offset, bytes, &m);
    if (status != BLOCK_OK || m.kind != MAP_DATA || !m.in_place)
        return status;
    *done = m.bytes;
    return file_write(q->file, m.host, buffer, m.bytes);
}

static enum block_status qcow2_write(struct disk *i, uint64_t offset, const uint8_t *buffer,
                                     uint64_t bytes)
{
    struct qcow2 *q = qcow2_of(i);
    enum block_status status = BLOCK_OK;
    while (bytes && status == BLOCK_OK) {
        uint64_t done;
        os_rwlock_shared(q->lock);
        status = write_in_place(q, offset, buffer, bytes, &done);
        os_rwlock_unlock(q->lock);
        if (status == BLOCK_OK && !done) {
            os_rwlock_exclusive(q->lock);
            status = write_new(q, offset, buffer, bytes, &done);
            os_rwlock_unlock(q->lock);
        }
        if (status == BLOCK_OK) {
            offset += done;
            buffer += done;
            bytes -= done;
        }
    }
    return status;
}

/* ---- zeroes and discards ---- */

/* The entry that makes a cluster read as zero; false: the format has none, it must be written. */
static bool zero_entry(const struct qcow2 *q, const struct mapping *m, uint64_t offset,
                       bool may_unmap, uint64_t *entry)
{
    bool backed = q->image.backing && offset < q->image.backing->bytes;
    *entry = 0;
    if (m->kind == MAP_ABSENT && !backed)
        return true;
    if (q->header.version < 3)
        return may_unmap && !backed;
    bool keeps = !may_unmap && m->in_place;
    if (backed || keeps)
        *entry = ENTRY_ZERO | (keeps ? (m->entry & ENTRY_OFFSET) | ENTRY_COPIED : 0);
    else if (!may_unmap || m->kind == MAP_ZERO)
        *entry = ENTRY_ZERO;
    return true;
}

/* One whole cluster. Exclusive. *done is false when zeroes must be written. */
static enum block_status zero_cluster(struct qcow2 *q, uint64_t offset, bool may_unmap, bool *done)
{
    struct mapping m;
    uint64_t entry;
    enum block_status status = qcow2_make_room(q);
    if (status == BLOCK_OK)
        status = map_shared(q, offset, q->cluster_bytes, &m);
    if (status != BLOCK_OK)
        return status;
    *done = zero_entry(q, &m, offset, may_unmap, &entry);
    if (!*done || entry == m.entry)
        return BLOCK_OK;
    struct table *table;
    uint64_t cluster = offset >> q->header.cluster_bits;
    status = qcow2_l2_for_write(q, cluster >> q->l2_bits, &table);
    if (status != BLOCK_OK)
        return status;
    qcow2_set_entry(q, table, bits_get(cluster, 0, q->l2_bits), entry);
    if (!(entry & ENTRY_OFFSET))
        qcow2_release_entry(q, m.entry);
    return BLOCK_OK;
}

/* Zeroes inside one cluster; nothing is allocated for what is zero already. */
static enum block_status zero_part(struct qcow2 *q, uint64_t offset, uint64_t bytes)
{
    struct mapping m;
    os_rwlock_shared(q->lock);
    enum block_status status = map_shared(q, offset, bytes, &m);
    os_rwlock_unlock(q->lock);
    if (status != BLOCK_OK)
        return status;
    bool absent = m.kind == MAP_ABSENT && (!q->image.backing || offset >= q->image.backing->bytes);
    if (absent || m.kind == MAP_ZERO || m.kind == MAP_ZERO_ALLOCATED)
        return BLOCK_OK;
    uint8_t *zeroes = calloc(1, bytes);
    status = zeroes ? qcow2_write(&q->image, offset, zeroes, bytes) : BLOCK_IO_ERROR;
    free(zeroes);
    return status;
}

static enum block_status zero_range(struct qcow2 *q, uint64_t offset, uint64_t bytes,
                                    bool may_unmap, bool is_hint)
{
    enum block_status status = atomic_load(&q->damaged) ? BLOCK_IO_ERROR : BLOCK_OK;
    while (bytes && status == BLOCK_OK) {
        uint64_t part = min_u64(bytes, q->cluster_bytes - (offset & (q->cluster_bytes - 1)));
        bool done = is_hint;
        if (part == q->cluster_bytes || (offset + part == q->image.bytes && bytes == part &&
                                         !(offset & (q->cluster_bytes - 1)))) {
            os_rwlock_exclusive(q->lock);
            status = zero_cluster(q, offset, may_unmap, &done);
            os_rwlock_unlock(q->lock);
            done |= is_hint;
        }
        if (status == BLOCK_OK && !done)
            status = zero_part(q, offset, part);
        offset += part;
        bytes -= part;
    }
    return status;
}

static enum block_status qcow2_zero(struct disk *i, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    return zero_range(qcow2_of(i), offset, bytes, may_unmap, false);
}

static enum block_status qcow2_discard(struct disk *i, uint64_t offset, uint64_t bytes)
{
    return zero_range(qcow2_of(i), offset, bytes, true, true);
}

/* ---- durability ---- */

static enum block_status qcow2_flush(struct disk *i)
{
    struct qcow2 *q = qcow2_of(i);
    os_rwlock_exclusive(q->lock);
    enum block_status status = qcow2_write_metadata(q);
    os_rwlock_unlock(q->lock);
    return status == BLOCK_OK ? file_sync(q->file) : status;
}

/* ---- opening and closing ---- */

/* Bits that others may have set and that we do not keep true are cleared before the first write; an
 * image that was not closed gets its refcounts from its tables. */
static bool qcow2_begin_writing(struct disk *i, struct error *err)
{
    struct qcow2 *q = qcow2_of(i);
    if (q->header.incompatible & INCOMPATIBLE_CORRUPT)
        return error_set(err,
                         "%s is marked as damaged: it can be read (readonly=on), or repaired with "
                         "qemu-img check -r all",
                         i->path);
    if (q->header.incompatible & INCOMPATIBLE_DIRTY)
        return qcow2_repair_dirty(i, err);
    if (!q->header.autoclear)
        return true;
    q->header.autoclear = 0;
    return qcow2_write_header(q) == BLOCK_OK ||
           error_set(err, "cannot write the header of %s", i->path);
}

/* Writes what was changed after the last flush, so that nothing is leaked; what could not be
 * written was not flushed either. */
static void qcow2_destroy(struct disk *i)
{
    struct qcow2 *q = qcow2_of(i);
    while (!i->read_only && qcow2_write_metadata(q) == BLOCK_OK &&
           (tables_are_dirty(&q->l2) || tables_are_dirty(&q->refblocks)))
        ;
    tables_destroy(&q->l2);
    tables_destroy(&q->refblocks);
    os_rwlock_destroy(q->lock);
    os_mutex_destroy(q->loading);
    free(q->pending);
    free(q->unpacked);
    free(q);
}

static const struct disk_ops qcow2_ops = {
    .format = "qcow2",
    .read = qcow2_read,
    .write = qcow2_write,
    .zero = qcow2_zero,
    .discard = qcow2_discard,
    .flush = qcow2_flush,
    .content = qcow2_content,
    .begin_writing = qcow2_begin_writing,
    .resize = qcow2_resize,
    .destroy = qcow2_destroy,
};

static bool set_up(struct qcow2 *q, const struct disk_options *o, struct error *err)
{
    const struct qcow2_header *h = &q->header;
    q->cluster_bytes = 1ull << h->cluster_bits;
    q->l2_bits = h->cluster_bits - 3;
    q->refblock_bits = h->cluster_bits + 3 - h->refcount_order;
    q->image.bytes = align_up(h->size, SECTOR_BYTES);
    q->file_end = align_up(file_bytes(q->file), q->cluster_bytes);
    q->unmap = o->unmap;
    q->lock = os_rwlock_create();
    q->loading = os_mutex_create();
    if (!q->lock || !q->loading)
        return error_set(err, "cannot open %s: out of memory", o->path);
    uint64_t reftable_entries = (uint64_t)h->reftable_clusters << q->l2_bits;
    return tables_init(&q->l2, q, h->l1_offset, h->l1_size, "L1 table", err) &&
           tables_init(&q->refblocks, q, h->reftable_offset, reftable_entries, "refcount table",
                       err);
}

struct disk *qcow2_open(struct file *file, const struct disk_options *options, struct error *err)
{
    struct qcow2 *q = calloc(1, sizeof *q);
    if (!q) {
        error_set(err, "cannot open %s: out of memory", options->path);
        return NULL;
    }
    q->image.ops = &qcow2_ops;
    q->image.file = q->file = file;
    q->image.read_only = true; /* until the caller says otherwise: nothing is written on failure */
    if (qcow2_read_header(file, options->path, &q->header, &q->image, err) &&
        set_up(q, options, err))
        return &q->image;
    qcow2_destroy(&q->image);
    return NULL;
}

/* Changes of an image as a whole (contract: qcow2_change.h).
 *
 * What is in memory when it begins is thrown away when it fails: the disk has what is right. All
 * refcount blocks move, so that none on the disk changes; new COPIED flags need new L2 tables
 * anyway, since a flag and its refcount cannot change at one time in two places. */
#include "devices/block/qcow2_change.h"

#include <stdlib.h>

#define SLACK_CLUSTERS 64u

uint64_t qcow2_l1_entries(const struct qcow2 *q, uint64_t bytes)
{
    unsigned shift = q->header.cluster_bits + q->l2_bits;
    return (bytes >> shift) + !!(bytes & ((1ull << shift) - 1));
}

/* ---- places ---- */

/* Clusters one behind the other: the first that are free if there are enough, else behind all. */
static enum block_status allocate_run(struct qcow2 *q, uint64_t clusters, uint64_t *offset)
{
    uint64_t got;
    bool fresh;
    enum block_status status = qcow2_allocate(q, clusters, offset, &got, &fresh);
    if (status != BLOCK_OK || got == clusters)
        return status;
    qcow2_unallocate(q, *offset, got);
    uint64_t first = clusters_of(q, q->file_end);
    *offset = first << q->header.cluster_bits;
    q->file_end = (first + clusters) << q->header.cluster_bits;
    for (uint64_t i = 0; i < clusters && status == BLOCK_OK; i++)
        status = qcow2_force_refcount(q, first + i, 1);
    return status;
}

enum block_status qcow2_change_put(struct qcow2_change *c, const void *bytes, uint64_t n,
                                   uint64_t *offset)
{
    enum block_status status = allocate_run(c->q, clusters_of(c->q, n), offset);
    return status == BLOCK_OK ? file_write(c->q->file, *offset, bytes, n) : status;
}

static enum block_status write_l1(struct qcow2 *q, uint64_t offset, const uint64_t *l1,
                                  uint64_t entries)
{
    uint8_t *bytes = malloc(entries * 8 + 1);
    if (!bytes)
        return BLOCK_IO_ERROR;
    for (uint64_t i = 0; i < entries; i++)
        put_be64(bytes + i * 8, l1[i]);
    enum block_status status = file_write(q->file, offset, bytes, entries * 8);
    free(bytes);
    return status;
}

enum block_status qcow2_change_put_l1(struct qcow2_change *c, const uint64_t *l1, uint64_t entries,
                                      uint64_t *offset)
{
    enum block_status status = allocate_run(c->q, clusters_of(c->q, entries * 8), offset);
    return status == BLOCK_OK ? write_l1(c->q, *offset, l1, entries) : status;
}

enum block_status qcow2_change_read_l1(struct qcow2_change *c, uint64_t offset, uint64_t *l1,
                                       uint64_t entries)
{
    if (offset & (c->q->cluster_bytes - 1))
        return qcow2_found_damage(c->q);
    enum block_status status = file_read(c->q->file, offset, l1, entries * 8);
    for (uint64_t i = 0; i < entries; i++)
        l1[i] = __builtin_bswap64(l1[i]);
    return status;
}

enum block_status qcow2_change_plan_l1(struct qcow2_change *c, const uint64_t *from,
                                       uint64_t entries)
{
    struct qcow2 *q = c->q;
    enum block_status status = allocate_run(q, clusters_of(q, entries * 8), &c->next.l1_offset);
    c->l1 = calloc(entries, sizeof c->l1[0]);
    c->from = calloc(entries, sizeof c->from[0]);
    c->l1_entries = entries;
    c->next.l1_size = (uint32_t)entries;
    if (!c->l1 || !c->from)
        return BLOCK_IO_ERROR;
    for (uint64_t i = 0; i < entries && status == BLOCK_OK; i++) {
        uint64_t offset, got;
        bool fresh;
        c->from[i] = from[i] & ENTRY_OFFSET;
        if (!c->from[i])
            continue;
        status = qcow2_allocate(q, 1, &offset, &got, &fresh);
        c->l1[i] = offset | ENTRY_COPIED;
    }
    return status;
}

/* ---- counting ---- */

static enum block_status count_cluster(struct qcow2 *q, uint64_t cluster, int by)
{
    uint64_t refcount, most = bits_get(~0ull, 0, 1u << q->header.refcount_order);
    enum block_status status = qcow2_get_refcount(q, cluster, &refcount);
    if (status != BLOCK_OK)
        return status;
    if (refcount == 0) /* something refers to it */
        return qcow2_found_damage(q);
    if (by > 0 && refcount == most)
        return BLOCK_UNSUPPORTED;
    return qcow2_force_refcount(q, cluster, by > 0 ? refcount + 1 : refcount - 1);
}

enum block_status qcow2_change_count(struct qcow2_change *c, uint64_t offset, uint64_t bytes,
                                     int by)
{
    unsigned bits = c->q->header.cluster_bits;
    enum block_status status = BLOCK_OK;
    if (!bytes)
        return BLOCK_OK;
    uint64_t last = (offset + bytes - 1) >> bits;
    for (uint64_t i = offset >> bits; i <= last && status == BLOCK_OK; i++)
        status = count_cluster(c->q, i, by);
    return status;
}

static enum block_status read_l2(struct qcow2_change *c, uint64_t offset)
{
    if (offset & (c->q->cluster_bytes - 1))
        return qcow2_found_damage(c->q);
    return file_read(c->q->file, offset, c->l2, c->q->cluster_bytes);
}

enum block_status qcow2_change_count_data(struct qcow2_change *c, uint64_t l2_offset, int by)
{
    enum block_status status = read_l2(c, l2_offset);
    for (uint64_t i = 0; i < 1ull << c->q->l2_bits && status == BLOCK_OK; i++) {
        uint64_t entry = get_be64(c->l2 + i * 8), offset = entry & ENTRY_OFFSET;
        uint64_t bytes = offset ? 1 : 0;
        if (entry & ENTRY_COMPRESSED)
            qcow2_compressed_place(c->q, entry, &offset, &bytes);
        status = qcow2_change_count(c, offset, bytes, by);
    }
    return status;
}

enum block_status qcow2_change_count_l1(struct qcow2_change *c, const uint64_t *l1,
                                        uint64_t entries, int by)
{
    enum block_status status = BLOCK_OK;
    for (uint64_t i = 0; i < entries && status == BLOCK_OK; i++) {
        uint64_t offset = l1[i] & ENTRY_OFFSET;
        if (!offset)
            continue;
        status = qcow2_change_count_data(c, offset, by);
        if (status == BLOCK_OK)
            status = qcow2_change_count(c, offset, 1, by);
    }
    return status;
}

/* ---- the beginning ---- */

enum block_status qcow2_change_settle(struct qcow2 *q)
{
    enum block_status status;
    do
        status = qcow2_write_metadata(q);
    while (status == BLOCK_OK && (tables_are_dirty(&q->l2) || tables_are_dirty(&q->refblocks)));
    return status;
}

/* A refcount block gets another place, in memory. Of new ones, which come on the way, the disk does
 * not know. */
static enum block_status move_refblock(struct qcow2 *q, uint64_t index)
{
    struct table *table;
    uint64_t offset, got;
    bool fresh;
    enum block_status status = qcow2_allocate(q, 1, &offset, &got, &fresh);
    if (status == BLOCK_OK)
        status = tables_get(q, &q->refblocks, index, &table);
    if (status != BLOCK_OK)
        return status;
    return tables_new(q, &q->refblocks, index, offset, 0) ? BLOCK_OK : BLOCK_IO_ERROR;
}

enum block_status qcow2_change_begin(struct qcow2_change *c, struct qcow2 *q, uint64_t clusters)
{
    *c = (struct qcow2_change){.q = q, .next = q->header};
    clusters += q->refblocks.top_entries + q->header.reftable_clusters + SLACK_CLUSTERS;
    enum block_status status =
        atomic_load(&q->damaged) ? BLOCK_IO_ERROR : qcow2_reserve_refcounts(q, clusters);
    if (status != BLOCK_OK)
        return status;
    c->next = q->header;
    c->old_refblock_count = q->refblocks.top_entries;
    c->old_refblocks = malloc(c->old_refblock_count * 8);
    c->l2 = malloc(q->cluster_bytes);
    if (!c->old_refblocks || !c->l2)
        return BLOCK_IO_ERROR;
    memcpy(c->old_refblocks, q->refblocks.top, c->old_refblock_count * 8);
    for (uint64_t i = 0; i < c->old_refblock_count && status == BLOCK_OK; i++)
        if (c->old_refblocks[i])
            status = move_refblock(q, i);
    if (status == BLOCK_OK)
        status = allocate_run(q, q->header.reftable_clusters, &c->next.reftable_offset);
    return status;
}

/* ---- the end ---- */

/* What only the header of before refers to. */
static enum block_status count_old_tables(struct qcow2_change *c)
{
    const struct qcow2_header *h = &c->q->header;
    uint64_t reftable_bytes = (uint64_t)h->reftable_clusters << h->cluster_bits;
    enum block_status status = qcow2_change_count(c, h->reftable_offset, reftable_bytes, -1);
    for (uint64_t i = 0; i < c->old_refblock_count && status == BLOCK_OK; i++)
        status = qcow2_change_count(c, c->old_refblocks[i], !!c->old_refblocks[i], -1);
    if (status == BLOCK_OK)
        status = qcow2_change_count(c, h->l1_offset, (uint64_t)h->l1_size * 8, -1);
    return status;
}

/* COPIED where the refcount is one, now that all is counted. */
static enum block_status set_flags(struct qcow2_change *c)
{
    struct qcow2 *q = c->q;
    for (uint64_t i = 0; i < 1ull << q->l2_bits; i++) {
        uint64_t refcount, entry = get_be64(c->l2 + i * 8), offset = entry & ENTRY_OFFSET;
        if (entry & ENTRY_COMPRESSED || !offset)
            continue;
        enum block_status status =
            qcow2_get_refcount(q, offset >> q->header.cluster_bits, &refcount);
        if (status != BLOCK_OK)
            return status;
        entry &= ~ENTRY_COPIED;
        put_be64(c->l2 + i * 8, entry | (refcount == 1 ? ENTRY_COPIED : 0));
    }
    return BLOCK_OK;
}

static enum block_status write_active(struct qcow2_change *c)
{
    struct qcow2 *q = c->q;
    enum block_status status = BLOCK_OK;
    for (uint64_t i = 0; i < c->l1_entries && status == BLOCK_OK; i++) {
        if (!c->l1[i])
            continue;
        status = read_l2(c, c->from[i]);
        if (status == BLOCK_OK)
            status = set_flags(c);
        if (status == BLOCK_OK)
            status = file_write(q->file, c->l1[i] & ENTRY_OFFSET, c->l2, q->cluster_bytes);
    }
    return status == BLOCK_OK ? write_l1(q, c->next.l1_offset, c->l1, c->l1_entries) : status;
}

static enum block_status write_refcounts(struct qcow2_change *c)
{
    struct qcow2 *q = c->q;
    enum block_status status = tables_write(q, &q->refblocks);
    q->refblocks.top_offset = c->next.reftable_offset;
    return status == BLOCK_OK ? tables_write_top(q, &q->refblocks, true) : status;
}

/* Whether the disk has the new header is not known when this fails: nothing is written then. */
static enum block_status switch_header(struct qcow2_change *c)
{
    c->q->header = c->next;
    enum block_status status = qcow2_write_header(c->q);
    if (status == BLOCK_OK)
        status = file_sync(c->q->file);
    if (status != BLOCK_OK)
        atomic_store(&c->q->damaged, true);
    return status;
}

enum block_status qcow2_change_commit(struct qcow2_change *c)
{
    enum block_status status = count_old_tables(c);
    if (status == BLOCK_OK)
        status = write_active(c);
    if (status == BLOCK_OK)
        status = write_refcounts(c);
    if (status == BLOCK_OK)
        status = file_sync(c->q->file);
    return status == BLOCK_OK ? switch_header(c) : status;
}

/* Everything in memory is forgotten, and the top tables are read again. */
static bool reload(struct qcow2 *q)
{
    const struct qcow2_header *h = &q->header;
    struct error ignored;
    uint64_t reftable_entries = (uint64_t)h->reftable_clusters << q->l2_bits;
    tables_destroy(&q->l2);
    tables_destroy(&q->refblocks);
    q->free_hint = 0;
    q->unpacked_entry = 0;
    bool l2_ok = tables_init(&q->l2, q, h->l1_offset, h->l1_size, "L1 table", &ignored);
    return tables_init(&q->refblocks, q, h->reftable_offset, reftable_entries, "refcount table",
                       &ignored) &&
           l2_ok;
}

void qcow2_change_end(struct qcow2_change *c, enum block_status status)
{
    struct qcow2 *q = c->q;
    if (!reload(q))
        atomic_store(&q->damaged, true);
    if (status == BLOCK_OK)
        q->image.bytes = align_up(q->header.size, SECTOR_BYTES);
    free(c->old_refblocks);
    free(c->l2);
    free(c->l1);
    free(c->from);
}

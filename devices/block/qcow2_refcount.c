/* Who uses which cluster of the file, and when changes of the metadata reach the disk (contract:
 * qcow2.h; qcow2.txt: "Host cluster management"). All under exclusive lock. */
#include "devices/block/qcow2.h"

#include <stdlib.h>

#define MAX_PENDING 4096u

/* ---- refcount blocks: entries of 1 to 64 bits, the narrow ones from the low bit of a byte up ----
 */

static uint64_t refblock_get(const uint8_t *b, uint64_t i, unsigned order)
{
    uint64_t v = 0;
    if (order < 3) {
        unsigned per_byte = 8u >> order;
        return bits_get(b[i / per_byte], (unsigned)(i % per_byte) << order, 1u << order);
    }
    for (uint64_t at = i << (order - 3), end = (i + 1) << (order - 3); at < end; at++)
        v = v << 8 | b[at];
    return v;
}

/* Returns the byte that the entry begins in. */
static uint64_t refblock_set(uint8_t *b, uint64_t i, unsigned order, uint64_t v)
{
    if (order < 3) {
        uint64_t at = i / (8u >> order);
        unsigned shift = (unsigned)(i % (8u >> order)) << order;
        uint8_t mask = (uint8_t)(bits_get(~0ull, 0, 1u << order) << shift);
        b[at] = (uint8_t)((b[at] & ~mask) | (v << shift & mask));
        return at;
    }
    uint64_t first = i << (order - 3);
    for (uint64_t at = ((i + 1) << (order - 3)); at-- > first; v >>= 8)
        b[at] = (uint8_t)v;
    return first;
}

/* The refcount block of a cluster; NULL with BLOCK_OK: there is none, so the cluster is free. */
static enum block_status find_refblock(struct qcow2 *q, uint64_t cluster, struct table **block)
{
    uint64_t index = cluster >> q->refblock_bits;
    *block = NULL;
    if (index >= q->refblocks.top_entries || !q->refblocks.top[index])
        return BLOCK_OK;
    return tables_get(q, &q->refblocks, index, block);
}

static uint64_t index_in_block(const struct qcow2 *q, uint64_t cluster)
{
    return bits_get(cluster, 0, q->refblock_bits);
}

static void set_in_block(struct qcow2 *q, struct table *block, uint64_t cluster, uint64_t refcount)
{
    unsigned order = q->header.refcount_order;
    uint64_t at = refblock_set(block->bytes, index_in_block(q, cluster), order, refcount);
    table_dirty(&q->refblocks, block, at, at + (order < 3 ? 1 : 1u << (order - 3)));
}

enum block_status qcow2_get_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *refcount)
{
    struct table *block;
    enum block_status status = find_refblock(q, cluster, &block);
    *refcount =
        block ? refblock_get(block->bytes, index_in_block(q, cluster), q->header.refcount_order)
              : 0;
    return status;
}

/* ---- growing ---- */

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return a < b + b_bytes && b < a + a_bytes;
}

static bool in_top(const struct qcow2 *q, const struct tables *t, uint64_t offset, uint64_t bytes)
{
    if (overlap(offset, bytes, t->top_offset, t->top_entries * 8))
        return true;
    for (uint64_t i = 0; i < t->top_entries; i++)
        if (t->top[i] && overlap(offset, bytes, t->top[i] & ENTRY_OFFSET, q->cluster_bytes))
            return true;
    return false;
}

/* Refcounts that are too small would make us write over tables: a free cluster is none of them. */
static bool holds_metadata(const struct qcow2 *q, uint64_t offset, uint64_t bytes)
{
    return offset == 0 || in_top(q, &q->l2, offset, bytes) ||
           in_top(q, &q->refblocks, offset, bytes) ||
           (q->header.snapshots && overlap(offset, bytes, q->header.snapshots_offset, 40));
}

/* A new block for the clusters with this index in the refcount table, itself at `cluster`, which
 * nobody counts yet or which it counts itself. */
static enum block_status new_refblock(struct qcow2 *q, uint64_t index, uint64_t cluster)
{
    struct table *block = tables_new(q, &q->refblocks, index, cluster << q->header.cluster_bits, 0);
    return block ? BLOCK_OK : BLOCK_IO_ERROR;
}

/* The clusters of a new refcount table and of the blocks that count both, one behind the other. */
struct growth {
    uint64_t first, table_clusters, blocks, entries;
};

/* They begin where the old table could count no more. */
static struct growth plan_growth(const struct qcow2 *q, uint64_t index)
{
    uint64_t old = q->refblocks.top_entries, per_cluster = q->cluster_bytes / 8;
    struct growth g = {.first = max_u64(old << q->refblock_bits, clusters_of(q, q->file_end)),
                       .entries = max_u64(index + 1, old + old / 2)};
    for (uint64_t last = 0;; g.entries = last + 1) {
        g.table_clusters = (g.entries + per_cluster - 1) / per_cluster;
        g.entries = g.table_clusters * per_cluster;
        g.blocks = 0;
        do {
            g.blocks++;
            last = (g.first + g.table_clusters + g.blocks - 1) >> q->refblock_bits;
        } while (last - (g.first >> q->refblock_bits) + 1 > g.blocks);
        if (last < g.entries)
            return g;
    }
}

static enum block_status count_growth(struct qcow2 *q, const struct growth *g)
{
    uint64_t place = g->first + g->table_clusters, end = place + g->blocks;
    for (uint64_t b = 0; b < g->blocks; b++) {
        enum block_status status = new_refblock(q, (g->first >> q->refblock_bits) + b, place + b);
        if (status != BLOCK_OK)
            return status;
    }
    for (uint64_t c = g->first; c < end; c++)
        set_in_block(q, q->refblocks.loaded[c >> q->refblock_bits], c, 1);
    q->file_end = max_u64(q->file_end, end << q->header.cluster_bits);
    return BLOCK_OK;
}

/* Writes the enlarged table to its new place, then lets the header point there. */
static enum block_status move_reftable(struct qcow2 *q, const struct growth *g)
{
    uint64_t old_offset = q->refblocks.top_offset;
    uint32_t old_clusters = q->header.reftable_clusters;
    enum block_status status = tables_write(q, &q->refblocks);
    if (status != BLOCK_OK)
        return status;
    q->refblocks.top_offset = g->first << q->header.cluster_bits;
    status = tables_write_top(q, &q->refblocks, true);
    if (status == BLOCK_OK)
        status = file_sync(q->file);
    q->header.reftable_offset = q->refblocks.top_offset;
    q->header.reftable_clusters = (uint32_t)g->table_clusters;
    if (status == BLOCK_OK)
        status = qcow2_write_header(q);
    if (status == BLOCK_OK) {
        qcow2_release(q, old_offset, old_clusters);
        return BLOCK_OK;
    }
    q->header.reftable_offset = q->refblocks.top_offset = old_offset;
    q->header.reftable_clusters = old_clusters;
    return status;
}

/* Makes the refcount table long enough for an entry `index`. */
static enum block_status grow_reftable(struct qcow2 *q, uint64_t index)
{
    struct tables *t = &q->refblocks;
    struct growth g = plan_growth(q, index);
    uint64_t old_entries = t->top_entries;
    uint64_t dirty_from = t->top_dirty_from, dirty_to = t->top_dirty_to;
    if (g.entries * 8 > MAX_REFTABLE_BYTES)
        return BLOCK_NO_SPACE;
    if (!tables_grow(t, g.entries))
        return BLOCK_IO_ERROR;
    enum block_status status = count_growth(q, &g);
    if (status == BLOCK_OK)
        status = move_reftable(q, &g);
    if (status != BLOCK_OK) { /* as before, so that it can be tried again */
        tables_shrink(t, old_entries);
        t->top_dirty_from = dirty_from;
        t->top_dirty_to = dirty_to;
    }
    return status;
}

enum block_status qcow2_reserve_refcounts(struct qcow2 *q, uint64_t clusters)
{
    enum block_status status = BLOCK_OK;
    for (;;) { /* growing moves the end */
        uint64_t last = (clusters_of(q, q->file_end) + clusters) >> q->refblock_bits;
        if (last < q->refblocks.top_entries || status != BLOCK_OK)
            return status;
        status = grow_reftable(q, last);
    }
}

/* Makes the cluster countable. A missing block takes the very cluster, which is free as all that it
 * counts are: *taken. */
static enum block_status need_refblock(struct qcow2 *q, uint64_t cluster, bool *taken)
{
    uint64_t index = cluster >> q->refblock_bits;
    *taken = false;
    if (index >= q->refblocks.top_entries)
        return grow_reftable(q, index);
    if (q->refblocks.top[index])
        return BLOCK_OK;
    if (holds_metadata(q, cluster << q->header.cluster_bits, q->cluster_bytes))
        return qcow2_found_damage(q);
    enum block_status status = new_refblock(q, index, cluster);
    if (status != BLOCK_OK)
        return status;
    set_in_block(q, q->refblocks.loaded[index], cluster, 1);
    q->file_end = max_u64(q->file_end, (cluster + 1) << q->header.cluster_bits);
    *taken = true;
    return BLOCK_OK;
}

static enum block_status set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t refcount)
{
    struct table *block;
    enum block_status status = find_refblock(q, cluster, &block);
    if (status == BLOCK_OK && block)
        set_in_block(q, block, cluster, refcount);
    return status;
}

enum block_status qcow2_force_refcount(struct qcow2 *q, uint64_t cluster, uint64_t refcount)
{
    uint64_t index = cluster >> q->refblock_bits;
    while (index >= q->refblocks.top_entries || !q->refblocks.top[index]) {
        uint64_t end = clusters_of(q, q->file_end);
        bool taken;
        enum block_status status = need_refblock(q, end, &taken);
        if (status != BLOCK_OK)
            return status;
        if (taken || end < clusters_of(q, q->file_end))
            continue; /* that may have made the block that we want, too */
        status = set_refcount(q, end, 1);
        if (status == BLOCK_OK)
            status = new_refblock(q, index, end);
        if (status != BLOCK_OK)
            return status;
        q->file_end += q->cluster_bytes;
    }
    return set_refcount(q, cluster, refcount);
}

/* ---- allocation ---- */

/* The first free cluster at or behind *cluster, with its block. */
static enum block_status find_free(struct qcow2 *q, uint64_t *cluster, struct table **block)
{
    for (;; ++*cluster) {
        bool taken;
        enum block_status status = need_refblock(q, *cluster, &taken);
        if (status == BLOCK_OK)
            status = find_refblock(q, *cluster, block);
        if (status != BLOCK_OK)
            return status;
        if (*cluster << q->header.cluster_bits & ~ENTRY_OFFSET)
            return BLOCK_NO_SPACE;
        for (uint64_t i = index_in_block(q, *cluster); i < 1ull << q->refblock_bits;
             i++, ++*cluster)
            if (!refblock_get((*block)->bytes, i, q->header.refcount_order))
                return BLOCK_OK;
        --*cluster; /* the last of this block: the loop goes to the next */
    }
}

enum block_status qcow2_allocate(struct qcow2 *q, uint64_t wanted, uint64_t *offset, uint64_t *got,
                                 bool *fresh)
{
    uint64_t first = q->free_hint;
    struct table *block;
    if (atomic_load(&q->damaged))
        return BLOCK_IO_ERROR;
    enum block_status status = find_free(q, &first, &block);
    if (status != BLOCK_OK)
        return status;
    uint64_t left = (1ull << q->refblock_bits) - index_in_block(q, first);
    uint64_t n = 1;
    while (n < min_u64(wanted, left) &&
           !refblock_get(block->bytes, index_in_block(q, first + n), q->header.refcount_order))
        n++;
    *offset = first << q->header.cluster_bits;
    *got = n;
    if (holds_metadata(q, *offset, n << q->header.cluster_bits))
        return qcow2_found_damage(q);
    for (uint64_t i = 0; i < n; i++)
        set_in_block(q, block, first + i, 1);
    q->free_hint = first + n;
    *fresh = *offset >= q->file_end;
    q->file_end = max_u64(q->file_end, *offset + (n << q->header.cluster_bits));
    return BLOCK_OK;
}

/* ---- freeing ---- */

/* Takes one from the refcount; whether the cluster is free now. */
static bool release_now(struct qcow2 *q, uint64_t cluster)
{
    uint64_t refcount;
    if (qcow2_get_refcount(q, cluster, &refcount) != BLOCK_OK)
        return false; /* a leak */
    if (refcount == 0) {
        qcow2_found_damage(q);
        return false;
    }
    if (set_refcount(q, cluster, refcount - 1) != BLOCK_OK || refcount > 1)
        return false;
    q->free_hint = min_u64(q->free_hint, cluster);
    return true;
}

void qcow2_unallocate(struct qcow2 *q, uint64_t offset, uint64_t clusters)
{
    for (uint64_t i = 0; i < clusters; i++) {
        uint64_t first = (offset >> q->header.cluster_bits) + i, n = 0;
        while (i + n < clusters && release_now(q, first + n))
            n++;
        if (n && q->unmap) /* a favour to the host: when it cannot, nothing is lost */
            (void)file_zero(q->file, first << q->header.cluster_bits, n << q->header.cluster_bits,
                            true);
        i += n;
    }
}

void qcow2_release(struct qcow2 *q, uint64_t offset, uint64_t clusters)
{
    struct freed *last = q->pending_count ? &q->pending[q->pending_count - 1] : NULL;
    if (last && last->offset + (last->clusters << q->header.cluster_bits) == offset) {
        last->clusters += clusters;
        return;
    }
    if (q->pending_count == q->pending_capacity) {
        size_t capacity = q->pending_capacity ? q->pending_capacity * 2 : 64;
        struct freed *pending = realloc(q->pending, capacity * sizeof *pending);
        if (!pending)
            return; /* a leak */
        q->pending = pending;
        q->pending_capacity = capacity;
    }
    q->pending[q->pending_count++] = (struct freed){offset, clusters};
}

static enum block_status apply_releases(struct qcow2 *q)
{
    enum block_status status = file_sync(q->file);
    if (status != BLOCK_OK)
        return status;
    os_mutex_lock(q->loading);
    q->unpacked_entry = 0; /* its place may be used again */
    os_mutex_unlock(q->loading);
    for (size_t i = 0; i < q->pending_count; i++)
        qcow2_unallocate(q, q->pending[i].offset, q->pending[i].clusters);
    q->pending_count = 0;
    return BLOCK_OK;
}

/* ---- the order of writes ---- */

static bool top_is_dirty(const struct tables *t)
{
    return t->top_dirty_from != t->top_dirty_to;
}

static enum block_status write_in_order(struct qcow2 *q)
{
    enum block_status status = tables_write(q, &q->refblocks);
    if (status == BLOCK_OK && top_is_dirty(&q->refblocks)) {
        status = file_sync(q->file);
        if (status == BLOCK_OK)
            status = tables_write_top(q, &q->refblocks, false);
    }
    if (status == BLOCK_OK && tables_are_dirty(&q->l2))
        status = file_sync(q->file);
    if (status == BLOCK_OK)
        status = tables_write(q, &q->l2);
    if (status == BLOCK_OK && top_is_dirty(&q->l2)) {
        status = file_sync(q->file);
        if (status == BLOCK_OK)
            status = tables_write_top(q, &q->l2, false);
    }
    return status;
}

enum block_status qcow2_make_room(struct qcow2 *q)
{
    bool full = q->l2.dirty >= q->l2.limit / 2 || q->refblocks.dirty >= q->refblocks.limit / 2 ||
                q->pending_count >= MAX_PENDING;
    return full ? qcow2_write_metadata(q) : BLOCK_OK;
}

enum block_status qcow2_write_metadata(struct qcow2 *q)
{
    if (atomic_load(&q->damaged))
        return BLOCK_IO_ERROR;
    enum block_status status = write_in_order(q);
    if (status == BLOCK_OK && q->pending_count)
        status = apply_releases(q);
    return status;
}

enum block_status qcow2_found_damage(struct qcow2 *q)
{
    if (!atomic_exchange(&q->damaged, true) && !q->image.read_only && q->header.version > 2) {
        q->header.incompatible |= INCOMPATIBLE_CORRUPT;
        (void)qcow2_write_header(q); /* a hint to others; we stop writing in any case */
    }
    return BLOCK_IO_ERROR;
}

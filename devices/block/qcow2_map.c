/* Where the guest's bytes are, and reading them (contract: qcow2.h; qcow2.txt: "L1 table, L2 table"
 * and "Cluster mapping"). Callers hold the lock; maps are looked up under `loading`, or alone. */
#include "devices/block/qcow2.h"

#include <stdlib.h>

/* What an entry is; false: it contradicts itself, or the file was cut off before its data, which
 * would else read as zeroes. */
static bool classify(const struct qcow2 *q, uint64_t entry, struct mapping *m)
{
    uint64_t host = entry & ENTRY_OFFSET;
    *m = (struct mapping){.kind = MAP_ABSENT, .entry = entry, .host = host};
    if (entry & ENTRY_COMPRESSED) {
        m->kind = MAP_COMPRESSED;
        return true;
    }
    if (entry & ENTRY_ZERO) {
        m->kind = host ? MAP_ZERO_ALLOCATED : MAP_ZERO;
        if (q->header.version < 3)
            return false;
    } else if (host) {
        m->kind = MAP_DATA;
        if (host >= q->file_end)
            return false;
    }
    m->in_place = host && entry & ENTRY_COPIED;
    return !(host & (q->cluster_bytes - 1));
}

/* Whether what follows m is more of the same, `done` clusters after its first. */
static bool goes_on(const struct qcow2 *q, const struct mapping *m, const struct mapping *next,
                    uint64_t done)
{
    if (next->kind != m->kind || next->in_place != m->in_place || m->kind == MAP_COMPRESSED)
        return false;
    return m->host == 0 || next->host == m->host + (done << q->header.cluster_bits);
}

enum block_status qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t bytes, struct mapping *m)
{
    unsigned cluster_bits = q->header.cluster_bits;
    uint64_t l1_index = offset >> (cluster_bits + q->l2_bits);
    uint64_t l2_index = bits_get(offset >> cluster_bits, 0, q->l2_bits);
    uint64_t in_cluster = offset & (q->cluster_bytes - 1);
    uint64_t span = q->cluster_bytes << q->l2_bits;
    uint64_t most = min_u64(bytes, span - (offset & (span - 1)));
    if (!(q->l2.top[l1_index] & ENTRY_OFFSET)) {
        *m = (struct mapping){.kind = MAP_ABSENT, .bytes = most};
        return BLOCK_OK;
    }
    struct table *table;
    enum block_status status = tables_get(q, &q->l2, l1_index, &table);
    if (status != BLOCK_OK)
        return status;
    if (!classify(q, qcow2_entry(table, l2_index), m))
        return qcow2_found_damage(q);
    uint64_t clusters = 1;
    for (struct mapping next; in_cluster + most > clusters << cluster_bits; clusters++)
        if (!classify(q, qcow2_entry(table, l2_index + clusters), &next) ||
            !goes_on(q, m, &next, clusters))
            break;
    m->bytes = min_u64(most, (clusters << cluster_bits) - in_cluster);
    if (m->host && m->kind != MAP_COMPRESSED)
        m->host += in_cluster;
    return BLOCK_OK;
}

/* ---- reading ---- */

void qcow2_compressed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset,
                            uint64_t *bytes)
{
    unsigned offset_bits = 62 - (q->header.cluster_bits - 8);
    *offset = bits_get(entry, 0, offset_bits);
    uint64_t sectors = bits_get(entry, offset_bits, 62 - offset_bits) + 1;
    *bytes = sectors * SECTOR_BYTES - (*offset & (SECTOR_BYTES - 1));
}

/* Under `loading`. */
static enum block_status unpack(struct qcow2 *q, uint64_t entry)
{
    uint64_t offset, bytes;
    qcow2_compressed_place(q, entry, &offset, &bytes);
    if (q->unpacked_entry == entry)
        return BLOCK_OK;
    if (!q->unpacked)
        q->unpacked = malloc(q->cluster_bytes);
    uint8_t *packed = malloc(bytes);
    enum block_status status = q->unpacked && packed ? BLOCK_OK : BLOCK_IO_ERROR;
    if (status == BLOCK_OK)
        status = file_read(q->file, offset, packed, bytes);
    if (status == BLOCK_OK) {
        bool is_zstd = q->header.compression == COMPRESSION_ZSTD;
        bool whole =
            (is_zstd ? qcow2_zstd : qcow2_inflate)(packed, bytes, q->unpacked, q->cluster_bytes);
        q->unpacked_entry = whole ? entry : 0;
        status = whole ? BLOCK_OK : BLOCK_IO_ERROR;
    }
    free(packed);
    return status;
}

static enum block_status read_compressed(struct qcow2 *q, const struct mapping *m, uint64_t offset,
                                         uint8_t *buffer)
{
    os_mutex_lock(q->loading);
    enum block_status status = unpack(q, m->entry);
    if (status == BLOCK_OK)
        memcpy(buffer, q->unpacked + (offset & (q->cluster_bytes - 1)), m->bytes);
    os_mutex_unlock(q->loading);
    return status;
}

enum block_status qcow2_read_mapping(struct qcow2 *q, const struct mapping *m, uint64_t offset,
                                     uint8_t *buffer)
{
    switch (m->kind) {
    case MAP_ABSENT:
        return disk_read_clipped(q->image.backing, offset, buffer, m->bytes);
    case MAP_DATA:
        return file_read(q->file, m->host, buffer, m->bytes);
    case MAP_COMPRESSED:
        return read_compressed(q, m, offset, buffer);
    case MAP_ZERO:
    case MAP_ZERO_ALLOCATED:
        break;
    }
    memset(buffer, 0, m->bytes);
    return BLOCK_OK;
}

/* ---- changing entries, under exclusive lock ---- */

enum block_status qcow2_l2_for_write(struct qcow2 *q, uint64_t l1_index, struct table **table)
{
    uint64_t old = q->l2.top[l1_index];
    if (old & ENTRY_OFFSET) {
        enum block_status status = tables_get(q, &q->l2, l1_index, table);
        if (status != BLOCK_OK || old & ENTRY_COPIED)
            return status;
    }
    uint64_t offset, got;
    bool fresh;
    enum block_status status = qcow2_allocate(q, 1, &offset, &got, &fresh);
    if (status != BLOCK_OK)
        return status;
    *table = tables_new(q, &q->l2, l1_index, offset, ENTRY_COPIED);
    if (!*table) {
        qcow2_unallocate(q, offset, 1);
        return BLOCK_IO_ERROR;
    }
    if (old & ENTRY_OFFSET)
        qcow2_release(q, old & ENTRY_OFFSET, 1);
    return BLOCK_OK;
}

void qcow2_set_entry(struct qcow2 *q, struct table *table, uint64_t index, uint64_t entry)
{
    put_be64(table->bytes + index * 8, entry);
    table_dirty(&q->l2, table, index * 8, index * 8 + 8);
}

void qcow2_release_entry(struct qcow2 *q, uint64_t entry)
{
    if (entry & ENTRY_COMPRESSED) {
        uint64_t offset, bytes;
        qcow2_compressed_place(q, entry, &offset, &bytes);
        uint64_t first = offset & ~(q->cluster_bytes - 1);
        qcow2_release(q, first, clusters_of(q, offset + bytes - first));
    } else if (entry & ENTRY_OFFSET) {
        qcow2_release(q, entry & ENTRY_OFFSET, 1);
    }
}

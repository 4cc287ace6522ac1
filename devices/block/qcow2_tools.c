/* Making and changing whole qcow2 images (contract: qcow2_tools.h). */
#include "devices/block/qcow2_tools.h"

#include "devices/block/qcow2.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- creation ---- */

/* An empty image is its header, refcount table, refcount blocks and L1 table, in this order. */
struct layout {
    uint64_t cluster_bytes, reftable_clusters, refblocks, l1_entries, l1_clusters, clusters;
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + !!(a % b);
}

static struct layout plan(const struct qcow2_format *f)
{
    struct layout l = {.cluster_bytes = 1ull << f->cluster_bits};
    uint64_t per_refblock = l.cluster_bytes * 8 >> f->refcount_order;
    l.l1_entries = divide_up(f->bytes, l.cluster_bytes * (l.cluster_bytes / 8));
    l.l1_clusters = max_u64(1, divide_up(l.l1_entries * 8, l.cluster_bytes));
    do {
        l.refblocks++;
        l.reftable_clusters = divide_up(l.refblocks * 8, l.cluster_bytes);
        l.clusters = 1 + l.reftable_clusters + l.refblocks + l.l1_clusters;
    } while (l.clusters > l.refblocks * per_refblock);
    return l;
}

/* The names that QEMU gives the features, so that an older program can name what it lacks. */
static size_t put_feature_names(uint8_t *b)
{
    static const struct {
        uint8_t type, bit;
        const char *name;
    } features[] = {
        {0, 0, "dirty bit"},        {0, 1, "corrupt bit"},         {0, 2, "external data file"},
        {0, 3, "compression type"}, {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"},
        {2, 0, "bitmaps"},          {2, 1, "raw external data"},
    };
    put_be32(b, EXTENSION_FEATURE_NAMES);
    put_be32(b + 4, 48 * ARRAY_LEN(features));
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        uint8_t *row = b + 8 + 48 * i;
        row[0] = features[i].type;
        row[1] = features[i].bit;
        snprintf((char *)row + 2, 46, "%s", features[i].name);
    }
    return 8 + 48 * ARRAY_LEN(features);
}

/* False: the first cluster is too small for it all. */
static bool put_extensions(uint8_t *b, const struct qcow2_format *f, size_t at, size_t size)
{
    size_t format_bytes = f->backing && f->backing_format ? strlen(f->backing_format) : 0;
    size_t path_bytes = f->backing ? strlen(f->backing) : 0;
    if (format_bytes) {
        put_be32(b + at, EXTENSION_BACKING_FORMAT);
        put_be32(b + at + 4, (uint32_t)format_bytes);
        memcpy(b + at + 8, f->backing_format, format_bytes);
        at += 8 + align_up(format_bytes, 8);
    }
    bool room_for_names = at + 8 + 48 * 8 + 8 + path_bytes <= size;
    if (f->version > 2 && room_for_names)
        at += put_feature_names(b + at);
    at += 8; /* the end, which is zero */
    if (at + path_bytes > size)
        return false;
    if (path_bytes) {
        memcpy(b + at, f->backing, path_bytes);
        put_be64(b + HEADER_BACKING_OFFSET, at);
        put_be32(b + HEADER_BACKING_SIZE, (uint32_t)path_bytes);
    }
    return true;
}

static bool put_header(uint8_t *b, const struct qcow2_format *f, const struct layout *l)
{
    put_be32(b, QCOW2_MAGIC);
    put_be32(b + HEADER_VERSION, f->version);
    put_be32(b + HEADER_CLUSTER_BITS, f->cluster_bits);
    put_be64(b + HEADER_SIZE, f->bytes);
    put_be32(b + HEADER_L1_SIZE, (uint32_t)l->l1_entries);
    put_be64(b + HEADER_L1_OFFSET, (1 + l->reftable_clusters + l->refblocks) << f->cluster_bits);
    put_be64(b + HEADER_REFTABLE_OFFSET, l->cluster_bytes);
    put_be32(b + HEADER_REFTABLE_CLUSTERS, (uint32_t)l->reftable_clusters);
    size_t length = HEADER_V2_BYTES;
    if (f->version > 2) {
        length = HEADER_V3_BYTES;
        put_be64(b + HEADER_INCOMPATIBLE, f->zstd ? INCOMPATIBLE_COMPRESSION : 0);
        put_be64(b + HEADER_COMPATIBLE, f->lazy_refcounts ? COMPATIBLE_LAZY_REFCOUNTS : 0);
        put_be32(b + HEADER_REFCOUNT_ORDER, f->refcount_order);
        put_be32(b + HEADER_LENGTH, (uint32_t)length);
        b[HEADER_COMPRESSION] = f->zstd ? COMPRESSION_ZSTD : COMPRESSION_ZLIB;
    }
    return put_extensions(b, f, length, l->cluster_bytes);
}

/* Refcount 1 for each cluster of the layout. */
static void put_refblocks(uint8_t *b, const struct layout *l, unsigned order)
{
    for (uint64_t i = 0; i < l->clusters; i++) {
        if (order < 3)
            b[i >> (3 - order)] |= (uint8_t)(1u << ((i & ((8u >> order) - 1)) << order));
        else
            b[((i + 1) << (order - 3)) - 1] = 1;
    }
}

bool qcow2_format(struct file *file, const struct qcow2_format *f, struct error *err)
{
    struct layout l = plan(f);
    if (l.l1_entries * 8 > MAX_L1_BYTES)
        return error_set(err, "the image would be too large for its cluster size; take a larger "
                              "cluster_size or a smaller size");
    uint8_t *b = calloc(l.clusters, l.cluster_bytes);
    if (!b)
        return error_set(err, "out of memory");
    if (!put_header(b, f, &l)) {
        free(b);
        return error_set(err, "the path of the backing file is too long for this cluster size");
    }
    for (uint64_t i = 0; i < l.refblocks; i++)
        put_be64(b + l.cluster_bytes + i * 8, (1 + l.reftable_clusters + i) << f->cluster_bits);
    put_refblocks(b + ((1 + l.reftable_clusters) << f->cluster_bits), &l, f->refcount_order);
    enum block_status status = file_write(file, 0, b, l.clusters << f->cluster_bits);
    if (status == BLOCK_OK)
        status = file_sync(file);
    free(b);
    return status == BLOCK_OK ||
           error_set(err, "cannot write the image: %s", block_status_text(status));
}

enum block_status qcow2_preallocate(struct disk *image)
{
    struct qcow2 *q = qcow2_of(image);
    enum block_status status = BLOCK_OK;
    uint64_t span = q->cluster_bytes << q->l2_bits, got;
    for (uint64_t at = 0; at < image->bytes; at += got << q->header.cluster_bits) {
        struct table *table;
        uint64_t host;
        bool fresh;
        status = qcow2_make_room(q);
        if (status == BLOCK_OK)
            status = qcow2_l2_for_write(q, at / span, &table);
        if (status == BLOCK_OK)
            status = qcow2_allocate(
                q, clusters_of(q, min_u64(image->bytes, (at / span + 1) * span) - at), &host, &got,
                &fresh);
        if (status != BLOCK_OK)
            return status;
        uint64_t first = bits_get(at >> q->header.cluster_bits, 0, q->l2_bits);
        for (uint64_t i = 0; i < got; i++)
            qcow2_set_entry(q, table, first + i,
                            (host + (i << q->header.cluster_bits)) | ENTRY_COPIED);
    }
    if (file_bytes(q->file) < q->file_end)
        status = file_resize(q->file, q->file_end);
    return status;
}

/* ---- resizing ---- */

/* Writes a longer copy of the L1 table behind everything, to which the header then points. Before
 * this everything was on the disk. */
static enum block_status grow_l1(struct qcow2 *q, uint64_t entries, uint64_t bytes)
{
    uint64_t old_offset = q->l2.top_offset, old_entries = q->l2.top_entries;
    uint64_t first = clusters_of(q, q->file_end), clusters = clusters_of(q, entries * 8);
    uint64_t offset = first << q->header.cluster_bits;
    enum block_status status = BLOCK_OK;
    q->file_end = (first + clusters) << q->header.cluster_bits;
    for (uint64_t i = 0; i < clusters && status == BLOCK_OK; i++)
        status = qcow2_force_refcount(q, first + i, 1);
    if (status != BLOCK_OK)
        return status;
    if (!tables_grow(&q->l2, entries))
        return BLOCK_IO_ERROR;
    q->l2.top_offset = offset;
    status = tables_write_top(q, &q->l2, true);
    if (status == BLOCK_OK)
        status = qcow2_write_metadata(q);
    if (status == BLOCK_OK)
        status = file_sync(q->file);
    if (status != BLOCK_OK) {
        tables_shrink(&q->l2, old_entries);
        q->l2.top_offset = old_offset;
        return status;
    }
    q->header.l1_offset = offset;
    q->header.l1_size = (uint32_t)entries;
    q->header.size = bytes;
    status = qcow2_write_header(q);
    if (status == BLOCK_OK)
        qcow2_release(q, old_offset, clusters_of(q, old_entries * 8));
    return status;
}

/* The part of the backing image that the smaller image hid stays hidden. */
static enum block_status hide_backing(struct disk *image, uint64_t from, uint64_t to)
{
    uint64_t backed = image->backing ? image->backing->bytes : 0;
    to = min_u64(to, backed);
    return from < to ? image->ops->zero(image, from, to - from, true) : BLOCK_OK;
}

static enum block_status set_size(struct qcow2 *q, uint64_t bytes)
{
    uint64_t old = q->image.bytes;
    uint64_t entries = divide_up(bytes, q->cluster_bytes << q->l2_bits);
    enum block_status status = BLOCK_OK;
    if (bytes < old)
        status = q->image.ops->discard(&q->image, bytes, old - bytes);
    if (status == BLOCK_OK)
        status = qcow2_write_metadata(q);
    if (status == BLOCK_OK)
        status = file_sync(q->file);
    if (status != BLOCK_OK)
        return status;
    if (entries > q->l2.top_entries) {
        status = grow_l1(q, entries, bytes);
    } else {
        q->header.size = bytes;
        status = qcow2_write_header(q);
    }
    if (status != BLOCK_OK)
        return status;
    q->image.bytes = bytes;
    return bytes > old ? hide_backing(&q->image, old, bytes) : BLOCK_OK;
}

bool qcow2_resize(struct disk *image, uint64_t bytes, struct error *err)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t entries = divide_up(bytes, q->cluster_bytes << q->l2_bits);
    if (q->header.snapshots && (q->header.version < 3 || bytes < image->bytes))
        return error_set(err, "cannot resize %s: it has internal snapshots; delete them first",
                         image->path);
    if (entries > MAX_L1_BYTES / 8)
        return error_set(err, "cannot resize %s: too large for its cluster size", image->path);
    enum block_status status = set_size(q, bytes);
    if (status == BLOCK_OK)
        status = image->ops->flush(image);
    return status == BLOCK_OK ||
           error_set(err, "cannot resize %s: %s", image->path, block_status_text(status));
}

enum block_status qcow2_empty(struct disk *image)
{
    struct qcow2 *q = qcow2_of(image);
    enum block_status status = BLOCK_OK;
    for (uint64_t i = 0; i < q->l2.top_entries && status == BLOCK_OK; i++) {
        struct table *table;
        if (!(q->l2.top[i] & ENTRY_OFFSET))
            continue;
        status = qcow2_make_room(q);
        if (status == BLOCK_OK)
            status = qcow2_l2_for_write(q, i, &table);
        for (uint64_t j = 0; status == BLOCK_OK && j < 1ull << q->l2_bits; j++) {
            qcow2_release_entry(q, qcow2_entry(table, j));
            qcow2_set_entry(q, table, j, 0);
        }
    }
    return status == BLOCK_OK ? image->ops->flush(image) : status;
}

bool qcow2_info(struct disk *image, struct qcow2_info *info)
{
    if (strcmp(image->ops->format, "qcow2"))
        return false;
    const struct qcow2 *q = qcow2_of(image);
    const struct qcow2_header *h = &q->header;
    *info = (struct qcow2_info){
        .version = h->version,
        .refcount_bits = 1u << h->refcount_order,
        .cluster_bytes = q->cluster_bytes,
        .dirty = h->incompatible & INCOMPATIBLE_DIRTY,
        .corrupt = h->incompatible & INCOMPATIBLE_CORRUPT,
        .lazy_refcounts = h->compatible & COMPATIBLE_LAZY_REFCOUNTS,
        .zstd = h->compression == COMPRESSION_ZSTD,
        .snapshots = h->snapshots,
    };
    return true;
}

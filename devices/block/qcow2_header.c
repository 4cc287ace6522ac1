/* The header of a qcow2 image and its extensions (qcow2.txt: "Header"). Nothing of it is believed:
 * what the rest of the code relies on is checked here, with what, where and what to do. */
#include "devices/block/qcow2.h"

#include <inttypes.h>
#include <stdio.h>

#define FEATURE_NAME_ROW 48u     /* type, bit, 46 bytes of name */
#define HEAD_BYTES       0x4000u /* where extensions and backing file's name are expected */

struct field {
    const char *name;
    uint64_t offset, bytes;
};

static bool damaged(struct error *err, const char *path, const char *what)
{
    return error_set(err,
                     "%s is damaged: %s; take a backup, or salvage what is there with "
                     "qemu-img check -r all",
                     path, what);
}

/* Whether a table lies on a cluster boundary and inside the file. */
static bool check_place(const struct field *f, uint64_t cluster_bytes, uint64_t file_size,
                        const char *path, struct error *err)
{
    char what[160];
    if (f->offset & (cluster_bytes - 1)) {
        snprintf(what, sizeof what, "the %s at offset %#" PRIx64 " is not on a cluster boundary",
                 f->name, f->offset);
        return damaged(err, path, what);
    }
    if (f->offset == 0 || f->offset > file_size || f->bytes > file_size - f->offset) {
        snprintf(what, sizeof what,
                 "the %s at offset %#" PRIx64 " (%" PRIu64 " bytes) is outside the file of %" PRIu64
                 " bytes",
                 f->name, f->offset, f->bytes, file_size);
        return damaged(err, path, what);
    }
    return true;
}

static void parse(const uint8_t *b, struct qcow2_header *h)
{
    *h = (struct qcow2_header){
        .version = get_be32(b + HEADER_VERSION),
        .cluster_bits = get_be32(b + HEADER_CLUSTER_BITS),
        .size = get_be64(b + HEADER_SIZE),
        .l1_size = get_be32(b + HEADER_L1_SIZE),
        .l1_offset = get_be64(b + HEADER_L1_OFFSET),
        .reftable_offset = get_be64(b + HEADER_REFTABLE_OFFSET),
        .reftable_clusters = get_be32(b + HEADER_REFTABLE_CLUSTERS),
        .snapshots = get_be32(b + HEADER_SNAPSHOTS),
        .snapshots_offset = get_be64(b + HEADER_SNAPSHOTS_OFFSET),
        .refcount_order = 4,
        .length = HEADER_V2_BYTES,
    };
    if (h->version < 3)
        return;
    h->incompatible = get_be64(b + HEADER_INCOMPATIBLE);
    h->compatible = get_be64(b + HEADER_COMPATIBLE);
    h->autoclear = get_be64(b + HEADER_AUTOCLEAR);
    h->refcount_order = get_be32(b + HEADER_REFCOUNT_ORDER);
    h->length = get_be32(b + HEADER_LENGTH);
    if (h->length > HEADER_COMPRESSION)
        h->compression = b[HEADER_COMPRESSION];
}

static bool check_sizes(const struct qcow2_header *h, const char *path, struct error *err)
{
    if (h->version != 2 && h->version != 3)
        return error_set(err, "cannot open %s: qcow2 version %" PRIu32 " is not known; 2 and 3 are",
                         path, h->version);
    if (h->cluster_bits < MIN_CLUSTER_BITS || h->cluster_bits > MAX_CLUSTER_BITS)
        return damaged(err, path, "its cluster size is not between 512 bytes and 2 MiB");
    if (h->version == 3 &&
        (h->length < HEADER_V3_MIN_BYTES || h->length % 8 || h->length > 1ull << h->cluster_bits))
        return damaged(err, path, "its header has an impossible length");
    if (h->refcount_order > MAX_REFCOUNT_ORDER)
        return damaged(err, path, "its refcounts are wider than 64 bits");
    unsigned l1_shift = h->cluster_bits + h->cluster_bits - 3;
    if (h->size > (uint64_t)INT64_MAX - (1ull << l1_shift))
        return damaged(err, path, "its virtual size is too large");
    uint64_t l1_needed = (h->size + (1ull << l1_shift) - 1) >> l1_shift;
    if (h->l1_size > MAX_L1_BYTES / 8)
        return damaged(err, path, "its L1 table is larger than 32 MiB");
    if (h->l1_size < l1_needed)
        return damaged(err, path, "its L1 table is too small for its virtual size");
    if (h->reftable_clusters == 0 ||
        (uint64_t)h->reftable_clusters << h->cluster_bits > MAX_REFTABLE_BYTES)
        return damaged(err, path, "its refcount table is empty or larger than 8 MiB");
    if (h->snapshots > MAX_SNAPSHOTS)
        return damaged(err, path, "it has more than 65536 snapshots");
    return true;
}

static bool check_places(const struct qcow2_header *h, uint64_t file_size, const char *path,
                         struct error *err)
{
    struct field l1 = {"L1 table", h->l1_offset, (uint64_t)h->l1_size * 8};
    struct field reftable = {"refcount table", h->reftable_offset,
                             (uint64_t)h->reftable_clusters << h->cluster_bits};
    struct field snapshots = {"snapshot table", h->snapshots_offset, (uint64_t)h->snapshots * 40};
    uint64_t cluster = 1ull << h->cluster_bits;
    return (!h->l1_size || check_place(&l1, cluster, file_size, path, err)) &&
           check_place(&reftable, cluster, file_size, path, err) &&
           (!h->snapshots || check_place(&snapshots, cluster, file_size, path, err));
}

/* The name that the image gives an unknown incompatible feature, or its number. */
static void name_feature(const uint8_t *names, size_t n, unsigned bit, char *name, size_t size)
{
    snprintf(name, size, "bit %u", bit);
    for (size_t i = 0; i + FEATURE_NAME_ROW <= n; i += FEATURE_NAME_ROW)
        if (names[i] == 0 && names[i + 1] == bit && names[i + 2])
            snprintf(name, size, "%.46s", (const char *)names + i + 2);
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

/* The extensions, which end at a type of 0 or where the backing file's name begins. */
static bool walk_extensions(const uint8_t *b, size_t n, const struct qcow2_header *h,
                            struct disk *image, const uint8_t **names, size_t *names_bytes,
                            const char *path, struct error *err)
{
    for (uint64_t at = h->length; at + 8 <= n;) {
        uint32_t type = get_be32(b + at);
        uint64_t length = get_be32(b + at + 4);
        at += 8;
        if (type == EXTENSION_END)
            return true;
        if (length > n - at)
            return damaged(err, path, "a header extension runs over the first cluster");
        if (type == EXTENSION_BACKING_FORMAT) {
            if (length >= sizeof image->backing_format)
                return damaged(err, path, "the name of its backing format is too long");
            memcpy(image->backing_format, b + at, length);
            image->backing_format[length] = 0;
        } else if (type == EXTENSION_FEATURE_NAMES) {
            *names = b + at;
            *names_bytes = length;
        }
        at += align_up(length, 8);
    }
    return true;
}

static bool read_backing_path(const uint8_t *b, size_t n, struct disk *image, const char *path,
                              struct error *err)
{
    uint64_t offset = get_be64(b + HEADER_BACKING_OFFSET);
    uint32_t length = get_be32(b + HEADER_BACKING_SIZE);
    if (!offset)
        return true;
    if (length > MAX_BACKING_PATH || offset > n || length > n - offset)
        return damaged(err, path, "the name of its backing file is outside the first cluster");
    memcpy(image->backing_path, b + offset, length);
    image->backing_path[length] = 0;
    return true;
}

static bool check_features(const struct qcow2_header *h, const uint8_t *names, size_t names_bytes,
                           const char *path, struct error *err)
{
    uint64_t known = INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT | INCOMPATIBLE_COMPRESSION;
    uint64_t unknown = h->incompatible & ~known;
    if (unknown) {
        char name[47];
        name_feature(names, names_bytes, (unsigned)__builtin_ctzll(unknown), name, sizeof name);
        return error_set(err,
                         "cannot open %s: it uses the qcow2 feature '%s', which is not supported; "
                         "convert it with qemu-img convert -O qcow2",
                         path, name);
    }
    if (h->compression > COMPRESSION_ZSTD ||
        !(h->incompatible & INCOMPATIBLE_COMPRESSION) != !h->compression)
        return damaged(err, path, "its compression type contradicts its feature bits");
    if (h->compression == COMPRESSION_ZSTD && !qcow2_has_zstd())
        return error_set(err,
                         "cannot open %s: it is compressed with zstd, and this program was built "
                         "without libzstd; convert it with qemu-img convert -O qcow2",
                         path);
    return true;
}

static bool check_first_cluster(const uint8_t *b, uint64_t file_size, const char *path,
                                const struct qcow2_header *h, struct disk *image, struct error *err)
{
    size_t n = min_u64(min_u64(1ull << h->cluster_bits, file_size), HEAD_BYTES);
    const uint8_t *names = NULL;
    size_t names_bytes = 0;
    uint64_t backing = get_be64(b + HEADER_BACKING_OFFSET);
    size_t extensions_end = backing && backing < n ? backing : n;
    return walk_extensions(b, extensions_end, h, image, &names, &names_bytes, path, err) &&
           check_features(h, names, names_bytes, path, err) &&
           check_places(h, file_size, path, err) && read_backing_path(b, n, image, path, err);
}

bool qcow2_read_header(struct file *file, const char *path, struct qcow2_header *h,
                       struct disk *image, struct error *err)
{
    uint8_t b[HEAD_BYTES];
    uint64_t file_size = file_bytes(file);
    if (file_size < HEADER_V2_BYTES)
        return error_set(err, "cannot open %s: too short for a qcow2 image", path);
    if (file_read(file, 0, b, sizeof b) != BLOCK_OK)
        return error_set(err, "cannot read %s: input/output error", path);
    if (get_be32(b) != QCOW2_MAGIC)
        return error_set(err, "cannot open %s: it is not a qcow2 image; is it raw?", path);
    parse(b, h);
    if (!check_sizes(h, path, err))
        return false;
    if (get_be32(b + HEADER_CRYPT_METHOD))
        return error_set(err,
                         "cannot open %s: it is encrypted, which is not supported; convert it "
                         "with qemu-img convert",
                         path);
    return check_first_cluster(b, file_size, path, h, image, err);
}

enum block_status qcow2_write_header(struct qcow2 *q)
{
    const struct qcow2_header *h = &q->header;
    uint8_t b[HEADER_V3_MIN_BYTES];
    size_t n = h->version == 2 ? HEADER_V2_BYTES : HEADER_V3_MIN_BYTES;
    enum block_status status = file_read(q->file, 0, b, n);
    if (status != BLOCK_OK)
        return status;
    put_be64(b + HEADER_SIZE, h->size);
    put_be32(b + HEADER_L1_SIZE, h->l1_size);
    put_be64(b + HEADER_L1_OFFSET, h->l1_offset);
    put_be64(b + HEADER_REFTABLE_OFFSET, h->reftable_offset);
    put_be32(b + HEADER_REFTABLE_CLUSTERS, h->reftable_clusters);
    put_be32(b + HEADER_SNAPSHOTS, h->snapshots);
    put_be64(b + HEADER_SNAPSHOTS_OFFSET, h->snapshots_offset);
    if (h->version > 2) {
        put_be64(b + HEADER_INCOMPATIBLE, h->incompatible);
        put_be64(b + HEADER_AUTOCLEAR, h->autoclear);
    }
    return file_write(q->file, 0, b, n);
}

/* A disk image: what a format makes of a file. Synchronous; every operation but resize may be
 * called from several threads at once. Formats know neither each other nor how backing files are
 * found. */
#ifndef RIVULET_DEVICES_BLOCK_DISK_H
#define RIVULET_DEVICES_BLOCK_DISK_H

#include "devices/block/block.h"
#include "devices/block/file.h"

#define SECTOR_BYTES     512u
#define MAX_BACKING_PATH 1023u

struct disk {
    const struct disk_ops *ops;
    struct file *file;    /* owned; NULL: has none of its own */
    struct disk *backing; /* owned; NULL: none */
    uint64_t bytes;       /* what the guest sees, a multiple of SECTOR_BYTES */
    bool read_only;
    char path[4096];
    char backing_path[MAX_BACKING_PATH + 1]; /* as the image says; empty: none */
    char backing_format[16];                 /* as the image says; empty: to be probed */
};

/* What a stretch of an image is, in this image alone. */
enum disk_content {
    DISK_ABSENT, /* not here: the backing image decides, zeroes without one */
    DISK_ZERO,
    DISK_DATA,
};

/* Offsets and lengths are multiples of SECTOR_BYTES and inside the image. */
struct disk_ops {
    const char *format;
    enum block_status (*read)(struct disk *i, uint64_t offset, uint8_t *buffer, uint64_t bytes);
    enum block_status (*write)(struct disk *i, uint64_t offset, const uint8_t *buffer,
                               uint64_t bytes);
    enum block_status (*zero)(struct disk *i, uint64_t offset, uint64_t bytes, bool may_unmap);
    /* A hint: the content may be forgotten. */
    enum block_status (*discard)(struct disk *i, uint64_t offset, uint64_t bytes);
    /* Everything that was written before is durable after. */
    enum block_status (*flush)(struct disk *i);
    /* The length, 1 to bytes, of what at offset is all of one content. */
    uint64_t (*content)(struct disk *i, uint64_t offset, uint64_t bytes,
                        enum disk_content *content);
    /* Called once, when the whole chain could be opened: the first that may write. NULL: nothing
     * to do. */
    bool (*begin_writing)(struct disk *i, struct error *err);
    bool (*resize)(struct disk *i, uint64_t bytes, struct error *err);
    /* What was written here is forgotten. NULL: it is for good, this is no overlay. */
    enum block_status (*forget)(struct disk *i);
    /* Frees what is the format's own, not file and backing. Flushes nothing. */
    void (*destroy)(struct disk *i);
};

struct disk_options {
    const char *path, *format; /* format NULL: probed */
    bool read_only, unsafe;
    bool share;      /* see struct file_options */
    bool unmap;      /* space of discarded clusters goes back to the host */
    bool no_backing; /* only this file; what is absent reads as zero */
    bool as_is;      /* begin_writing is not called: for looking at what is damaged */
};

/* Opens an image with all its backing images. NULL and err: nothing was written. */
struct disk *disk_open(const struct disk_options *options, struct error *err);
/* Closes without flushing. */
void disk_close(struct disk *image);

/* Reads where the image may end before: zeroes follow. NULL is an image of no bytes. */
enum block_status disk_read_clipped(struct disk *image, uint64_t offset, uint8_t *buffer,
                                    uint64_t bytes);
/* What a stretch is in the whole chain: DISK_ZERO or DISK_DATA. */
uint64_t disk_chain_content(struct disk *image, uint64_t offset, uint64_t bytes,
                            enum disk_content *content);
/* Whether these bytes are all zero, which many formats keep without them. */
bool disk_bytes_are_zero(const uint8_t *bytes, uint64_t n);
/* Flushes and closes. */
enum block_status disk_finish(struct disk *image);
/* The format that the file's first bytes speak of; NULL and err: none that we know. */
const char *disk_probe(const char *path, struct error *err);
/* The path of a backing file, which is relative to the folder of the image that names it. */
bool disk_backing_path(const char *image_path, const char *backing, char *path, size_t size,
                       struct error *err);

/* ---- the formats; each takes over the file when it succeeds ---- */

/* A raw image whose format was guessed refuses to become one of another format: with
 * `guard_block_0` the guest cannot write such a header. */
struct disk *raw_open(struct file *file, bool guard_block_0, struct error *err);
struct disk *qcow2_open(struct file *file, const struct disk_options *options, struct error *err);
/* Keeps writes to itself, in a nameless temporary file; takes over `base`, which it only reads. */
struct disk *overlay_open(struct disk *base, struct error *err);

/* The name of the foreign format that these first bytes belong to, or NULL. */
const char *disk_foreign_format(const uint8_t *bytes, size_t n);

#endif

/* An overlay: what is written stays here and goes away with it; the image below is only read.
 *
 * The bytes are in a nameless temporary file at the offsets of the disk, so that the host's disk
 * holds what does not fit its memory, and a map has one bit for each unit that is here. Zeroes and
 * discards are holes of the file. Invariant: a unit whose bit is set is whole here. */
#include "devices/block/disk.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

#define UNIT_BYTES 4096u

struct overlay {
    struct disk image; /* image.backing is the image below */
    uint8_t *here;     /* one bit a unit */
    size_t map_bytes;
    struct os_rwlock *lock; /* exclusive: bits are set */
};

static struct overlay *overlay_of(struct disk *i)
{
    return CONTAINER_OF(i, struct overlay, image);
}

static bool is_here(const struct overlay *o, uint64_t unit)
{
    return o->here[unit / 8] >> (unit % 8) & 1;
}

/* The length of the stretch at offset that is all here or all below. */
static uint64_t stretch(const struct overlay *o, uint64_t offset, uint64_t bytes)
{
    uint64_t unit = offset / UNIT_BYTES, last = (offset + bytes - 1) / UNIT_BYTES;
    bool here = is_here(o, unit);
    do
        unit++;
    while (unit <= last && is_here(o, unit) == here);
    return min_u64(bytes, unit * UNIT_BYTES - offset);
}

static enum block_status overlay_read(struct disk *i, uint64_t offset, uint8_t *buffer,
                                      uint64_t bytes)
{
    struct overlay *o = overlay_of(i);
    enum block_status status = BLOCK_OK;
    os_rwlock_shared(o->lock);
    while (bytes && status == BLOCK_OK) {
        uint64_t n = stretch(o, offset, bytes);
        status = is_here(o, offset / UNIT_BYTES) ? file_read(i->file, offset, buffer, n)
                                                 : disk_read_clipped(i->backing, offset, buffer, n);
        offset += n;
        buffer += n;
        bytes -= n;
    }
    os_rwlock_unlock(o->lock);
    return status;
}

/* Brings a unit here that is about to be changed in part. */
static enum block_status bring(struct overlay *o, uint64_t unit)
{
    uint8_t bytes[UNIT_BYTES];
    if (is_here(o, unit))
        return BLOCK_OK;
    enum block_status status =
        disk_read_clipped(o->image.backing, unit * UNIT_BYTES, bytes, UNIT_BYTES);
    if (status == BLOCK_OK)
        status = file_write(o->image.file, unit * UNIT_BYTES, bytes, UNIT_BYTES);
    if (status == BLOCK_OK)
        o->here[unit / 8] |= (uint8_t)(1u << (unit % 8));
    return status;
}

/* Brings the first and last unit if they are changed in part. */
static enum block_status bring_edges(struct overlay *o, uint64_t offset, uint64_t bytes)
{
    uint64_t end = offset + bytes;
    enum block_status status = BLOCK_OK;
    if (offset % UNIT_BYTES)
        status = bring(o, offset / UNIT_BYTES);
    if (status == BLOCK_OK && end % UNIT_BYTES)
        status = bring(o, end / UNIT_BYTES);
    return status;
}

static void set_here(struct overlay *o, uint64_t offset, uint64_t bytes)
{
    for (uint64_t u = offset / UNIT_BYTES; u <= (offset + bytes - 1) / UNIT_BYTES; u++)
        o->here[u / 8] |= (uint8_t)(1u << (u % 8));
}

static enum block_status overlay_write(struct disk *i, uint64_t offset, const uint8_t *buffer,
                                       uint64_t bytes)
{
    struct overlay *o = overlay_of(i);
    os_rwlock_exclusive(o->lock);
    enum block_status status = bring_edges(o, offset, bytes);
    if (status == BLOCK_OK)
        status = file_write(i->file, offset, buffer, bytes);
    if (status == BLOCK_OK)
        set_here(o, offset, bytes);
    os_rwlock_unlock(o->lock);
    return status;
}

static enum block_status overlay_zero(struct disk *i, uint64_t offset, uint64_t bytes,
                                      bool may_unmap)
{
    struct overlay *o = overlay_of(i);
    (void)may_unmap; /* the space is ours in any case */
    os_rwlock_exclusive(o->lock);
    enum block_status status = bring_edges(o, offset, bytes);
    if (status == BLOCK_OK)
        status = file_zero(i->file, offset, bytes, true);
    if (status == BLOCK_UNSUPPORTED)
        status = file_zero(i->file, offset, bytes, false);
    if (status == BLOCK_OK)
        set_here(o, offset, bytes);
    os_rwlock_unlock(o->lock);
    return status;
}

static enum block_status overlay_discard(struct disk *i, uint64_t offset, uint64_t bytes)
{
    return overlay_zero(i, offset, bytes, true);
}

/* Nothing of an overlay outlives the program. */
static enum block_status overlay_flush(struct disk *i)
{
    (void)i;
    return BLOCK_OK;
}

static uint64_t overlay_content(struct disk *i, uint64_t offset, uint64_t bytes,
                                enum disk_content *content)
{
    struct overlay *o = overlay_of(i);
    os_rwlock_shared(o->lock);
    uint64_t n = stretch(o, offset, bytes);
    *content = is_here(o, offset / UNIT_BYTES) ? DISK_DATA : DISK_ABSENT;
    os_rwlock_unlock(o->lock);
    return n;
}

static enum block_status overlay_forget(struct disk *i)
{
    struct overlay *o = overlay_of(i);
    os_rwlock_exclusive(o->lock);
    os_discard(o->here, o->map_bytes);
    enum block_status status = file_resize(i->file, 0);
    os_rwlock_unlock(o->lock);
    return status;
}

static void overlay_destroy(struct disk *i)
{
    struct overlay *o = overlay_of(i);
    if (o->here)
        os_release(o->here, o->map_bytes);
    os_rwlock_destroy(o->lock);
    free(o);
}

static const struct disk_ops overlay_ops = {
    .format = "overlay",
    .read = overlay_read,
    .write = overlay_write,
    .zero = overlay_zero,
    .discard = overlay_discard,
    .flush = overlay_flush,
    .content = overlay_content,
    .forget = overlay_forget,
    .destroy = overlay_destroy,
};

struct disk *overlay_open(struct disk *base, struct error *err)
{
    struct overlay *o = calloc(1, sizeof *o);
    if (!o) {
        error_set(err, "out of memory");
        return NULL;
    }
    const char *directory = getenv("TMPDIR");
    o->image.ops = &overlay_ops;
    o->image.bytes = base->bytes;
    o->map_bytes = base->bytes / UNIT_BYTES / 8 + 1;
    o->here = os_reserve(o->map_bytes);
    o->lock = os_rwlock_create();
    snprintf(o->image.path, sizeof o->image.path, "%s", base->path);
    o->image.file = file_temporary(directory && *directory ? directory : "/var/tmp", err);
    if (o->image.file && o->here && o->lock) {
        o->image.backing = base;
        return &o->image;
    }
    if (o->image.file)
        error_set(err, "out of memory for the changes of %s", base->path);
    disk_close(&o->image);
    return NULL;
}

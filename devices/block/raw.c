/* Raw images: the file is the disk. A file that ends inside a sector reads as if filled up with
 * zeroes, as QEMU does it. */
#include "devices/block/disk.h"

#include <stdlib.h>

struct raw {
    struct disk image;
    bool guard_block_0;
};

static enum block_status raw_read(struct disk *i, uint64_t offset, uint8_t *buffer, uint64_t bytes)
{
    return file_read(i->file, offset, buffer, bytes);
}

static enum block_status raw_write(struct disk *i, uint64_t offset, const uint8_t *buffer,
                                   uint64_t bytes)
{
    const struct raw *raw = CONTAINER_OF(i, struct raw, image);
    if (raw->guard_block_0 && offset == 0 && disk_foreign_format(buffer, bytes))
        return BLOCK_IO_ERROR;
    return file_write(i->file, offset, buffer, bytes);
}

static enum block_status raw_zero(struct disk *i, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    enum block_status status = BLOCK_UNSUPPORTED;
    if (may_unmap)
        status = file_zero(i->file, offset, bytes, true);
    return status == BLOCK_UNSUPPORTED ? file_zero(i->file, offset, bytes, false) : status;
}

static enum block_status raw_discard(struct disk *i, uint64_t offset, uint64_t bytes)
{
    enum block_status status = file_zero(i->file, offset, bytes, true);
    return status == BLOCK_UNSUPPORTED ? BLOCK_OK : status;
}

static enum block_status raw_flush(struct disk *i)
{
    return i->read_only ? BLOCK_OK : file_sync(i->file);
}

static uint64_t raw_content(struct disk *i, uint64_t offset, uint64_t bytes,
                            enum disk_content *content)
{
    bool is_data;
    uint64_t length = file_stretch(i->file, offset, bytes, &is_data);
    uint64_t sectors = length / SECTOR_BYTES * SECTOR_BYTES;
    *content = is_data || !sectors ? DISK_DATA : DISK_ZERO;
    return min_u64(bytes, *content == DISK_ZERO ? sectors : align_up(length, SECTOR_BYTES));
}

static bool raw_resize(struct disk *i, uint64_t bytes, struct error *err)
{
    enum block_status status = file_resize(i->file, bytes);
    if (status != BLOCK_OK)
        return error_set(err, "cannot resize %s: %s", i->path, block_status_text(status));
    i->bytes = bytes;
    return true;
}

static void raw_destroy(struct disk *i)
{
    free(CONTAINER_OF(i, struct raw, image));
}

static const struct disk_ops raw_ops = {
    .format = "raw",
    .read = raw_read,
    .write = raw_write,
    .zero = raw_zero,
    .discard = raw_discard,
    .flush = raw_flush,
    .content = raw_content,
    .resize = raw_resize,
    .destroy = raw_destroy,
};

struct disk *raw_open(struct file *file, bool guard_block_0, struct error *err)
{
    struct raw *raw = calloc(1, sizeof *raw);
    if (!raw) {
        error_set(err, "out of memory");
        return NULL;
    }
    raw->image.ops = &raw_ops;
    raw->image.file = file;
    raw->image.bytes = align_up(file_bytes(file), SECTOR_BYTES);
    raw->guard_block_0 = guard_block_0;
    return &raw->image;
}

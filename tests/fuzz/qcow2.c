/* Fuzzer of qcow2 images: the input is the image, and what the emulator and `img check` would do
 * with it is done. Nothing but an error or an answer may come of it. Built with -DRIVULET_FUZZ=ON
 * by clang:
 *
 *   build/tests/fuzz/fuzz_qcow2 -max_len=65536 FOLDER-OF-IMAGES */
#include "devices/block/disk.h"
#include "devices/block/qcow2_snapshot.h"
#include "devices/block/qcow2_tools.h"

#include <stdlib.h>

#define MOST_BYTES (1u << 20) /* the image may grow to this */
#define READ_BYTES (1u << 16)

struct fuzz_file {
    struct file file;
    uint8_t *bytes;
    uint64_t size;
};

static struct fuzz_file *fuzz_file(struct file *f)
{
    return CONTAINER_OF(f, struct fuzz_file, file);
}

static enum block_status fuzz_read(struct file *f, uint64_t offset, void *bytes, uint64_t n)
{
    uint64_t size = fuzz_file(f)->size;
    uint64_t inside = offset < size ? min_u64(n, size - offset) : 0;
    memset((uint8_t *)bytes + inside, 0, n - inside);
    if (inside)
        memcpy(bytes, fuzz_file(f)->bytes + offset, inside);
    return BLOCK_OK;
}

static enum block_status fuzz_write(struct file *f, uint64_t offset, const void *bytes, uint64_t n)
{
    if (offset > MOST_BYTES || n > MOST_BYTES - offset)
        return BLOCK_NO_SPACE;
    memcpy(fuzz_file(f)->bytes + offset, bytes, n);
    fuzz_file(f)->size = max_u64(fuzz_file(f)->size, offset + n);
    return BLOCK_OK;
}

static enum block_status fuzz_zero(struct file *f, uint64_t offset, uint64_t n, bool punch)
{
    (void)punch;
    if (offset > MOST_BYTES || n > MOST_BYTES - offset)
        return BLOCK_NO_SPACE;
    memset(fuzz_file(f)->bytes + offset, 0, n);
    return BLOCK_OK;
}

static enum block_status fuzz_sync(struct file *f)
{
    (void)f;
    return BLOCK_OK;
}

static enum block_status fuzz_resize(struct file *f, uint64_t bytes)
{
    fuzz_file(f)->size = min_u64(bytes, MOST_BYTES);
    return BLOCK_OK;
}

static uint64_t fuzz_bytes(struct file *f)
{
    return fuzz_file(f)->size;
}

static uint64_t fuzz_stretch(struct file *f, uint64_t offset, uint64_t n, bool *is_data)
{
    (void)f, (void)offset;
    *is_data = true;
    return n;
}

static void fuzz_close(struct file *f)
{
    free(fuzz_file(f)->bytes);
    free(fuzz_file(f));
}

static const struct file_ops fuzz_ops = {
    .read = fuzz_read,
    .write = fuzz_write,
    .zero = fuzz_zero,
    .sync = fuzz_sync,
    .resize = fuzz_resize,
    .bytes = fuzz_bytes,
    .stretch = fuzz_stretch,
    .close = fuzz_close,
};

static struct file *make_file(const uint8_t *data, size_t n)
{
    struct fuzz_file *f = calloc(1, sizeof *f);
    if (!f || !(f->bytes = calloc(1, MOST_BYTES)))
        abort();
    f->file.ops = &fuzz_ops;
    f->size = min_u64(n, MOST_BYTES / 2);
    memcpy(f->bytes, data, f->size);
    return &f->file;
}

/* At the beginning, in the middle and at the end of the disk. */
static void use(struct disk *image)
{
    uint8_t *bytes = calloc(1, READ_BYTES);
    uint64_t n = min_u64(image->bytes, READ_BYTES) / SECTOR_BYTES * SECTOR_BYTES;
    for (int place = 0; bytes && n && place < 3; place++) {
        uint64_t offset = (image->bytes - n) / 2 * (uint64_t)place / SECTOR_BYTES * SECTOR_BYTES;
        enum disk_content content;
        (void)image->ops->content(image, offset, n, &content);
        (void)image->ops->read(image, offset, bytes, n);
        (void)image->ops->write(image, offset, bytes, n / 2 / SECTOR_BYTES * SECTOR_BYTES);
        (void)image->ops->zero(image, offset, n, place & 1);
        (void)image->ops->flush(image);
        (void)image->ops->write(image, offset, bytes, n);
    }
    free(bytes);
}

/* The first snapshot of the image, and one of our own. */
static void use_snapshots(struct disk *image, bool writable)
{
    struct qcow2_snapshot *list, s = {.name = "ours"};
    unsigned count;
    struct error err;
    uint8_t state[4096];
    if (!qcow2_list_snapshots(image, &list, &count, &err))
        return;
    if (count)
        (void)qcow2_read_state(image, &list[0], state, min_u64(sizeof state, list[0].state_bytes));
    if (writable) {
        (void)!qcow2_create_snapshot(image, &s, NULL, &err);
        (void)(count && qcow2_apply_snapshot(image, list[0].id, &err));
        (void)(count && qcow2_delete_snapshot(image, list[0].id, &err));
        (void)!qcow2_delete_snapshot(image, "ours", &err);
    }
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct disk_options o = {.path = "fuzz"};
    struct error err;
    for (int writable = 0; writable < 2; writable++) {
        struct file *file = make_file(data, n);
        struct disk *image = qcow2_open(file, &o, &err);
        if (!image) {
            file_close(file);
            return 0;
        }
        struct qcow2_check check = {.fix_errors = writable, .fix_leaks = writable};
        image->read_only = !writable;
        if (!writable || image->ops->begin_writing(image, &err))
            use(image);
        use_snapshots(image, writable);
        (void)qcow2_check(image, &check, &err);
        disk_close(image);
    }
    return 0;
}

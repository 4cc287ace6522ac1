/* A file in memory (contract: file_double.h). */
#include "tests/unit/file_double.h"

#include "base/os.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct file_double *double_of(struct file *f)
{
    return CONTAINER_OF(f, struct file_double, file);
}

static void record(struct file_double *d, uint64_t offset, const void *bytes, uint64_t n)
{
    if (!d->records)
        return;
    if (d->count == d->room) {
        d->room = d->room ? d->room * 2 : 64;
        d->events = realloc(d->events, d->room * sizeof *d->events);
        ck_assert_ptr_nonnull(d->events);
    }
    struct file_event *e = &d->events[d->count++];
    *e = (struct file_event){.offset = offset, .n = n};
    if (bytes) {
        e->bytes = malloc(n);
        ck_assert_ptr_nonnull(e->bytes);
        memcpy(e->bytes, bytes, n);
    }
}

static void apply(struct file_double *d, uint64_t offset, const void *bytes, uint64_t n)
{
    if (offset + n > d->capacity)
        ck_abort_msg("the file double is too small");
    memcpy(d->bytes + offset, bytes, n);
    d->size = max_u64(d->size, offset + n);
}

static enum block_status double_read(struct file *f, uint64_t offset, void *bytes, uint64_t n)
{
    struct file_double *d = double_of(f);
    uint64_t inside = offset < d->size ? min_u64(n, d->size - offset) : 0;
    memset((uint8_t *)bytes + inside, 0, n - inside);
    if (inside)
        memcpy(bytes, d->bytes + offset, inside);
    return BLOCK_OK;
}

static enum block_status double_write(struct file *f, uint64_t offset, const void *bytes,
                                      uint64_t n)
{
    struct file_double *d = double_of(f);
    uint64_t inside = offset < d->limit ? min_u64(n, d->limit - offset) : 0;
    if (inside) {
        record(d, offset, bytes, inside);
        apply(d, offset, bytes, inside);
        d->writes++;
    }
    return inside == n ? BLOCK_OK : BLOCK_NO_SPACE;
}

static enum block_status double_zero(struct file *f, uint64_t offset, uint64_t n, bool punch)
{
    struct file_double *d = double_of(f);
    (void)punch;
    uint8_t *zeroes = calloc(1, n);
    enum block_status status = BLOCK_OK;
    if (offset < d->size)
        status = double_write(f, offset, zeroes, min_u64(n, d->size - offset));
    free(zeroes);
    return status;
}

static enum block_status double_sync(struct file *f)
{
    record(double_of(f), 0, NULL, 0);
    double_of(f)->syncs++;
    return BLOCK_OK;
}

static enum block_status double_resize(struct file *f, uint64_t bytes)
{
    struct file_double *d = double_of(f);
    ck_assert_uint_le(bytes, d->capacity);
    if (bytes < d->size)
        memset(d->bytes + bytes, 0, d->size - bytes);
    d->size = bytes;
    return BLOCK_OK;
}

static uint64_t double_bytes(struct file *f)
{
    return double_of(f)->size;
}

static uint64_t double_stretch(struct file *f, uint64_t offset, uint64_t n, bool *is_data)
{
    (void)f, (void)offset;
    *is_data = true;
    return n;
}

static void double_close(struct file *f)
{
    struct file_double *d = double_of(f);
    for (size_t i = 0; i < d->count; i++)
        free(d->events[i].bytes);
    free(d->events);
    os_release(d->bytes, d->capacity);
    free(d);
}

static const struct file_ops double_ops = {
    .read = double_read,
    .write = double_write,
    .zero = double_zero,
    .sync = double_sync,
    .resize = double_resize,
    .bytes = double_bytes,
    .stretch = double_stretch,
    .close = double_close,
};

struct file_double *file_double_create(uint64_t capacity)
{
    struct file_double *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->file.ops = &double_ops;
    d->bytes = os_reserve(capacity);
    d->capacity = capacity;
    d->limit = capacity;
    if (!d->bytes)
        abort();
    return d;
}

struct file_double *file_double_copy(const struct file_double *from)
{
    struct file_double *d = file_double_create(from->capacity);
    memcpy(d->bytes, from->bytes, from->size);
    d->size = from->size;
    return d;
}

static void apply_sectors(struct file_double *d, const struct file_event *e, uint64_t *seed)
{
    for (uint64_t at = 0, n; at < e->n; at += n) {
        n = min_u64(e->n - at, 512 - (e->offset + at) % 512);
        if (next_random(seed) & 1)
            apply(d, e->offset + at, e->bytes + at, n);
    }
}

struct file_double *file_double_after_cut(const struct file_double *from,
                                          const struct file_double *recorded, size_t events,
                                          uint64_t seed)
{
    struct file_double *d = file_double_copy(from);
    size_t synced = events;
    while (seed && synced && recorded->events[synced - 1].bytes)
        synced--;
    for (size_t i = 0; i < events; i++) {
        const struct file_event *e = &recorded->events[i];
        if (!e->bytes)
            continue;
        if (i < synced)
            apply(d, e->offset, e->bytes, e->n);
        else
            apply_sectors(d, e, &seed);
    }
    return d;
}

void file_double_save(const struct file_double *d, const char *path)
{
    struct error err;
    ck_assert(os_file_write(path, d->bytes, d->size, &err));
}

/* `rivulet img convert`, `commit` and `compare` (contract: img.h). */
#include "devices/block/qcow2_tools.h"
#include "frontend/img.h"

#include <inttypes.h>
#include <stdlib.h>

#define BUFFER_BYTES (2u << 20)
#define SPARSE_BYTES 4096u /* fewer zeroes in a row are written as data */

/* The length of the stretch at the beginning that is all zero or all not, in steps of SPARSE_BYTES.
 */
static uint64_t zero_stretch(const uint8_t *bytes, uint64_t n, bool *zero)
{
    uint64_t at = min_u64(n, SPARSE_BYTES);
    *zero = disk_bytes_are_zero(bytes, at);
    while (at < n && disk_bytes_are_zero(bytes + at, min_u64(n - at, SPARSE_BYTES)) == *zero)
        at += min_u64(n - at, SPARSE_BYTES);
    return at;
}

/* ---- copying ---- */

struct copy {
    struct disk *from, *to;
    bool only_top;      /* what `from` leaves to its backing image, `to` has from its own */
    bool to_reads_zero; /* where nothing was written */
    uint8_t *buffer;
    struct img_progress progress;
};

static bool cannot(struct error *err, const char *what, const struct disk *image, uint64_t offset,
                   enum block_status status)
{
    return error_set(err, "cannot %s %s at offset %" PRIu64 ": %s", what, image->path, offset,
                     block_status_text(status));
}

static bool put_zeroes(struct copy *c, uint64_t offset, uint64_t bytes, struct error *err)
{
    if (c->to_reads_zero)
        return true;
    enum block_status status = c->to->ops->zero(c->to, offset, bytes, true);
    return status == BLOCK_OK || cannot(err, "write", c->to, offset, status);
}

static bool put_data(struct copy *c, uint64_t offset, uint64_t bytes, struct error *err)
{
    enum block_status status = c->from->ops->read(c->from, offset, c->buffer, bytes);
    if (status != BLOCK_OK)
        return cannot(err, "read", c->from, offset, status);
    for (uint64_t at = 0, n; at < bytes; at += n) {
        bool zero;
        n = zero_stretch(c->buffer + at, bytes - at, &zero);
        if (zero) {
            if (!put_zeroes(c, offset + at, n, err))
                return false;
            continue;
        }
        status = c->to->ops->write(c->to, offset + at, c->buffer + at, n);
        if (status != BLOCK_OK)
            return cannot(err, "write", c->to, offset + at, status);
    }
    return true;
}

static bool copy_all(struct copy *c, struct error *err)
{
    uint64_t end = min_u64(c->from->bytes, c->to->bytes);
    bool ok = true;
    c->buffer = malloc(BUFFER_BYTES);
    if (!c->buffer)
        return error_set(err, "out of memory");
    for (uint64_t at = 0, n; at < end && ok; at += n) {
        enum disk_content content;
        if (c->only_top)
            n = c->from->ops->content(c->from, at, end - at, &content);
        else
            n = disk_chain_content(c->from, at, end - at, &content);
        if (content == DISK_DATA)
            n = min_u64(n, BUFFER_BYTES - at % BUFFER_BYTES);
        if (content == DISK_ZERO)
            ok = put_zeroes(c, at, n, err);
        else if (content == DISK_DATA)
            ok = put_data(c, at, n, err);
        img_progress_show(&c->progress, at + n, end);
    }
    img_progress_end(&c->progress);
    free(c->buffer);
    return ok;
}

/* ---- convert ---- */

static bool finish(struct disk *image, struct error *err)
{
    char path[sizeof image->path];
    memcpy(path, image->path, sizeof path);
    enum block_status status = disk_finish(image);
    return status == BLOCK_OK ||
           error_set(err, "cannot write %s: %s", path, block_status_text(status));
}

static bool convert_to(struct disk *from, const char *path, const struct img_args *args,
                       struct error *err)
{
    const char *format = args->output_format ? args->output_format : "raw";
    struct img_args quiet = *args;
    quiet.quiet = true;
    if (!args->existing && !img_create_file(path, format, from->bytes, &quiet, err))
        return false;
    struct disk *to = img_open(path, format, &(struct img_args){0}, false, err);
    if (!to)
        return false;
    bool fits =
        to->bytes >= from->bytes || error_set(err, "%s is smaller than %s", path, from->path);
    struct copy c = {.from = from,
                     .to = to,
                     .only_top = args->backing != NULL,
                     .to_reads_zero = !args->existing && !to->backing,
                     .progress = img_progress_start(args)};
    if (fits && copy_all(&c, err))
        return finish(to, err);
    disk_close(to);
    return false;
}

int img_convert(const struct img_args *args, struct error *err)
{
    if (args->compress) {
        error_set(err, "-c is not supported: images are written uncompressed");
        return IMG_FAILED;
    }
    struct disk *from = img_open(args->files[0], args->format, args, true, err);
    if (!from)
        return IMG_FAILED;
    bool ok = convert_to(from, args->files[1], args, err);
    disk_close(from);
    return ok ? 0 : IMG_FAILED;
}

/* ---- commit ---- */

static struct disk *open_below(const struct disk *top, struct error *err)
{
    char path[4096];
    if (!*top->backing_path) {
        error_set(err, "%s has no backing file to commit to", top->path);
        return NULL;
    }
    if (!disk_backing_path(top->path, top->backing_path, path, sizeof path, err))
        return NULL;
    const char *format = *top->backing_format ? top->backing_format : NULL;
    return img_open(path, format, &(struct img_args){0}, false, err);
}

/* The changes must be durable below before they are dropped above. */
static bool commit_to(struct disk *top, struct disk *below, const struct img_args *args,
                      struct error *err)
{
    struct copy c = {
        .from = top, .to = below, .only_top = true, .progress = img_progress_start(args)};
    if (top->bytes > below->bytes && !below->ops->resize(below, top->bytes, err))
        return false;
    if (!copy_all(&c, err))
        return false;
    enum block_status status = below->ops->flush(below);
    if (status != BLOCK_OK)
        return cannot(err, "write", below, 0, status);
    if (!args->keep)
        status = qcow2_empty(top);
    return status == BLOCK_OK || cannot(err, "write", top, 0, status);
}

int img_commit(const struct img_args *args, struct error *err)
{
    struct disk_options o = {
        .path = args->files[0], .format = args->format, .no_backing = true, .unmap = true};
    struct disk *top = disk_open(&o, err), *below = top ? open_below(top, err) : NULL;
    bool ok = below && commit_to(top, below, args, err);
    if (below && ok)
        ok = finish(below, err);
    else if (below)
        disk_close(below);
    if (top && ok)
        ok = finish(top, err);
    else if (top)
        disk_close(top);
    if (ok && !args->quiet)
        printf("Image committed.\n");
    return ok ? 0 : IMG_FAILED;
}

/* ---- compare ---- */

enum { IDENTICAL, DIFFERENT };

struct comparison {
    struct disk *a, *b;
    uint8_t *bytes_a, *bytes_b;
    struct img_progress progress;
};

/* Whether they are the same from `at`; *n says how far was looked, *kinds whether both or none of
 * them is known to be zero. */
static bool same_at(const struct comparison *c, uint64_t at, uint64_t *n, bool *same, bool *kinds,
                    struct error *err)
{
    enum disk_content a, b;
    uint64_t end = max_u64(c->a->bytes, c->b->bytes);
    *n = disk_chain_content(c->a, at, end - at, &a);
    *n = min_u64(*n, disk_chain_content(c->b, at, end - at, &b));
    *same = true;
    *kinds = a == b;
    if (a == DISK_ZERO && b == DISK_ZERO)
        return true;
    *n = min_u64(*n, BUFFER_BYTES);
    enum block_status status = disk_read_clipped(c->a, at, c->bytes_a, *n);
    if (status != BLOCK_OK)
        return cannot(err, "read", c->a, at, status);
    status = disk_read_clipped(c->b, at, c->bytes_b, *n);
    if (status != BLOCK_OK)
        return cannot(err, "read", c->b, at, status);
    *same = !memcmp(c->bytes_a, c->bytes_b, *n);
    return true;
}

static uint64_t first_difference(const struct comparison *c)
{
    uint64_t at = 0;
    while (c->bytes_a[at] == c->bytes_b[at])
        at++;
    return at;
}

static int compare_all(struct comparison *c, const struct img_args *args, struct error *err)
{
    uint64_t end = max_u64(c->a->bytes, c->b->bytes);
    bool same, kinds;
    for (uint64_t at = 0, n; at < end; at += n) {
        if (!same_at(c, at, &n, &same, &kinds, err))
            return IMG_FAILED;
        img_progress_show(&c->progress, at + n, end);
        if (same && (kinds || !args->strict))
            continue;
        img_progress_end(&c->progress);
        if (!args->quiet && same)
            printf("Strict mode: Offset %" PRIu64 " block status mismatch!\n", at);
        else if (!args->quiet)
            printf("Content mismatch at offset %" PRIu64 "!\n", at + first_difference(c));
        return DIFFERENT;
    }
    img_progress_end(&c->progress);
    if (!args->quiet)
        printf("Images are identical.\n");
    return IDENTICAL;
}

static int compare_images(struct disk *a, struct disk *b, const struct img_args *args,
                          struct error *err)
{
    if (a->bytes != b->bytes && args->strict) {
        if (!args->quiet)
            printf("Strict mode: Image size mismatch!\n");
        return DIFFERENT;
    }
    if (a->bytes != b->bytes && !args->quiet)
        printf("Warning: Image size mismatch!\n");
    struct comparison c = {.a = a, .b = b, .progress = img_progress_start(args)};
    c.bytes_a = malloc(BUFFER_BYTES);
    c.bytes_b = malloc(BUFFER_BYTES);
    int status = IMG_FAILED;
    if (c.bytes_a && c.bytes_b)
        status = compare_all(&c, args, err);
    else
        error_set(err, "out of memory");
    free(c.bytes_a);
    free(c.bytes_b);
    return status;
}

int img_compare(const struct img_args *args, struct error *err)
{
    struct disk *a = img_open(args->files[0], args->format, args, true, err);
    struct disk *b = a ? img_open(args->files[1], args->backing_format, args, true, err) : NULL;
    int status = b ? compare_images(a, b, args, err) : IMG_FAILED;
    disk_close(b);
    disk_close(a);
    return status;
}

/* The queue between a machine and its image (contract: block.h).
 *
 * Invariants, under the mutex: a request is on `waiting`, with a worker (counted in `working`), on
 * `done`, or its submitter's. Workers take the oldest request; several run at once, since images
 * order themselves, and what a guest has in flight at one time it has not ordered. */
#include "devices/block/block.h"

#include "base/os.h"
#include "devices/block/disk.h"
#include "devices/block/journal.h"

#include <stdlib.h>

#define WORKERS 4

struct list {
    struct block_request *first, **end;
};

struct block {
    struct disk *image;
    bool has_history; /* image is a journal */
    enum block_cache cache;
    bool ignore_discard, is_snapshot;
    struct os_mutex *mutex;
    struct os_condition *more;  /* for the workers: a request, or the end */
    struct os_condition *fewer; /* for the machine: a request is done */
    struct os_thread *workers[WORKERS];
    struct list waiting, done;
    unsigned working;
    struct block_traffic traffic[BLOCK_OPS];
    bool ends;
    void (*hook)(void *owner);
    void *hook_owner;
};

static void append(struct list *list, struct block_request *r)
{
    r->next = NULL;
    *list->end = r;
    list->end = &r->next;
}

static struct block_request *take_first(struct list *list)
{
    struct block_request *r = list->first;
    if (!r)
        return NULL;
    list->first = r->next;
    if (!list->first)
        list->end = &list->first;
    return r;
}

static bool take(struct list *list, const struct block_request *r)
{
    struct block_request **at = &list->first;
    while (*at && *at != r)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = r->next;
    if (!r->next)
        list->end = at;
    return true;
}

/* ---- the workers ---- */

static enum block_status change(struct block *b, const struct block_request *r)
{
    const struct disk_ops *ops = b->image->ops;
    switch (r->op) {
    case BLOCK_WRITE:
        return ops->write(b->image, r->offset, r->buffer, r->bytes);
    case BLOCK_WRITE_ZEROES:
        return ops->zero(b->image, r->offset, r->bytes, r->may_unmap && !b->ignore_discard);
    case BLOCK_DISCARD:
        return b->ignore_discard ? BLOCK_OK : ops->discard(b->image, r->offset, r->bytes);
    case BLOCK_READ:
    case BLOCK_FLUSH:
        break;
    }
    return BLOCK_UNSUPPORTED;
}

static enum block_status perform(struct block *b, const struct block_request *r)
{
    const struct disk_ops *ops = b->image->ops;
    if (r->op == BLOCK_READ)
        return r->bytes ? ops->read(b->image, r->offset, r->buffer, r->bytes) : BLOCK_OK;
    if (r->op == BLOCK_FLUSH)
        return b->image->read_only || b->cache == BLOCK_CACHE_UNSAFE ? BLOCK_OK
                                                                     : ops->flush(b->image);
    if (b->image->read_only)
        return BLOCK_IO_ERROR;
    enum block_status status = r->bytes ? change(b, r) : BLOCK_OK;
    if (status == BLOCK_OK && b->cache == BLOCK_CACHE_WRITETHROUGH)
        status = ops->flush(b->image);
    return status;
}

static void count(struct block_traffic *t, const struct block_request *r, uint64_t host_ns)
{
    t->host_ns += host_ns;
    if (r->status != BLOCK_OK) {
        t->failed++;
        return;
    }
    t->operations++;
    t->bytes += r->bytes;
    t->end = max_u64(t->end, r->offset + r->bytes);
}

static void work(void *arg)
{
    struct block *b = arg;
    os_mutex_lock(b->mutex);
    for (;;) {
        struct block_request *r = take_first(&b->waiting);
        if (!r && b->ends)
            break;
        if (!r) {
            os_condition_wait(b->more, b->mutex);
            continue;
        }
        b->working++;
        os_mutex_unlock(b->mutex);
        uint64_t start = os_monotonic_ns();
        r->status = perform(b, r);
        uint64_t end = os_monotonic_ns();
        os_mutex_lock(b->mutex);
        b->working--;
        count(&b->traffic[r->op], r, end - start);
        append(&b->done, r);
        os_condition_broadcast(b->fewer);
        if (b->hook)
            b->hook(b->hook_owner);
    }
    os_mutex_unlock(b->mutex);
}

/* ---- the machine ---- */

uint64_t block_bytes(const struct block *b)
{
    return b->image->bytes;
}

bool block_is_read_only(const struct block *b)
{
    return b->image->read_only;
}

const char *block_path(const struct block *b)
{
    return b->image->path;
}

/* Without the overlay of a snapshot, and what keeps its past. */
static const struct disk *image_of(const struct block *b)
{
    const struct disk *image = b->has_history ? b->image->backing : b->image;
    return b->is_snapshot ? image->backing : image;
}

const char *block_format(const struct block *b)
{
    return image_of(b)->ops->format;
}

unsigned block_backing_files(const struct block *b)
{
    unsigned count = 0;
    for (const struct disk *d = image_of(b)->backing; d; d = d->backing)
        count++;
    return count;
}

uint64_t block_host_bytes(const struct block *b)
{
    return file_host_bytes(block_path(b));
}

struct block_traffic block_traffic(struct block *b, enum block_op op)
{
    os_mutex_lock(b->mutex);
    struct block_traffic traffic = b->traffic[op];
    os_mutex_unlock(b->mutex);
    return traffic;
}

void block_on_done(struct block *b, void (*hook)(void *owner), void *owner)
{
    os_mutex_lock(b->mutex);
    b->hook = hook;
    b->hook_owner = owner;
    os_mutex_unlock(b->mutex);
}

void block_submit(struct block *b, struct block_request *r)
{
    os_mutex_lock(b->mutex);
    append(&b->waiting, r);
    os_condition_signal(b->more);
    os_mutex_unlock(b->mutex);
}

struct block_request *block_take_done(struct block *b)
{
    os_mutex_lock(b->mutex);
    struct block_request *r = take_first(&b->done);
    os_mutex_unlock(b->mutex);
    return r;
}

void block_wait(struct block *b, struct block_request *r)
{
    os_mutex_lock(b->mutex);
    while (!take(&b->done, r))
        os_condition_wait(b->fewer, b->mutex);
    os_mutex_unlock(b->mutex);
}

enum block_status block_settle(struct block *b)
{
    os_mutex_lock(b->mutex);
    while (b->waiting.first || b->working)
        os_condition_wait(b->fewer, b->mutex);
    os_mutex_unlock(b->mutex);
    return b->image->read_only ? BLOCK_OK : b->image->ops->flush(b->image);
}

/* ---- what an overlay holds ---- */

bool block_is_overlay(const struct block *b)
{
    const struct disk *image = b->has_history ? b->image->backing : b->image;
    return image->ops->forget != NULL;
}

uint64_t block_moment(const struct block *b)
{
    return b->has_history ? journal_moment(b->image) : 0;
}

enum block_status block_go_back(struct block *b, uint64_t moment)
{
    return b->has_history ? journal_go_back(b->image, moment) : BLOCK_OK;
}

bool block_keep_history(struct block *b, struct error *err)
{
    if (b->has_history || b->image->read_only)
        return true;
    struct disk *journal = journal_open(b->image, err);
    if (!journal)
        return false;
    b->image = journal;
    b->has_history = true;
    return true;
}

void block_forget_history(struct block *b)
{
    struct disk *journal = b->image;
    if (!b->has_history)
        return;
    b->image = journal->backing;
    b->has_history = false;
    journal->ops->destroy(journal);
}

uint64_t block_history_memory(const struct block *b)
{
    return b->has_history ? journal_memory(b->image) : 0;
}

bool block_next_change(struct block *b, uint64_t *offset, uint64_t *bytes)
{
    enum disk_content content = DISK_ABSENT;
    for (*bytes = 0; *offset < b->image->bytes; *offset += *bytes) {
        *bytes = b->image->ops->content(b->image, *offset, b->image->bytes - *offset, &content);
        if (content != DISK_ABSENT)
            return true;
    }
    return false;
}

enum block_status block_forget_changes(struct block *b)
{
    return b->image->ops->forget(b->image);
}

struct disk *block_qcow2(struct block *b)
{
    struct disk *image = b->image;
    return !image->read_only && !strcmp(image->ops->format, "qcow2") ? image : NULL;
}

/* ---- opening and closing ---- */

static struct disk *open_image(const struct block_options *o, struct error *err)
{
    struct disk_options options = {.path = o->path,
                                   .format = o->format,
                                   .read_only = o->read_only || o->snapshot,
                                   .unsafe = o->cache == BLOCK_CACHE_UNSAFE,
                                   .unmap = o->discard == BLOCK_DISCARD_UNMAP};
    struct disk *image = disk_open(&options, err);
    if (image && image->bytes == 0) {
        error_set(err,
                  "cannot use %s as a disk: it is empty; give it a size with rivulet img resize",
                  o->path);
        disk_close(image);
        return NULL;
    }
    return image;
}

/* The layers over the image; each takes over what is below it. */
static struct disk *open_layers(const struct block_options *o, struct error *err)
{
    struct disk *image = open_image(o, err), *layer = image;
    if (image && o->snapshot) {
        layer = overlay_open(image, err);
        if (layer)
            layer->read_only = o->read_only;
    }
    if (layer && o->history) {
        image = layer;
        layer = journal_open(image, err);
    }
    if (!layer && image)
        disk_close(image);
    return layer;
}

static void stop_workers(struct block *b)
{
    os_mutex_lock(b->mutex);
    b->ends = true;
    os_condition_broadcast(b->more);
    os_mutex_unlock(b->mutex);
    for (int i = 0; i < WORKERS; i++)
        if (b->workers[i])
            os_thread_join(b->workers[i]);
}

static bool start(struct block *b)
{
    b->waiting.end = &b->waiting.first;
    b->done.end = &b->done.first;
    b->mutex = os_mutex_create();
    b->more = os_condition_create();
    b->fewer = os_condition_create();
    if (!b->mutex || !b->more || !b->fewer)
        return false;
    for (int i = 0; i < WORKERS; i++) {
        b->workers[i] = os_thread_start(work, b);
        if (!b->workers[i]) {
            stop_workers(b);
            return false;
        }
    }
    return true;
}

static void destroy(struct block *b)
{
    os_condition_destroy(b->more);
    os_condition_destroy(b->fewer);
    os_mutex_destroy(b->mutex);
    free(b);
}

struct block *block_open(const struct block_options *options, struct error *err)
{
    struct disk *image = open_layers(options, err);
    if (!image)
        return NULL;
    struct block *b = calloc(1, sizeof *b);
    if (b) {
        b->image = image;
        b->has_history = options->history;
        b->cache = options->cache;
        b->is_snapshot = options->snapshot;
        b->ignore_discard = options->discard == BLOCK_DISCARD_IGNORE && !options->snapshot;
        if (start(b))
            return b;
        destroy(b);
    }
    error_set(err, "cannot use %s: the host has no more memory or threads", options->path);
    disk_close(image);
    return NULL;
}

enum block_status block_close(struct block *b)
{
    stop_workers(b);
    enum block_status status = disk_finish(b->image);
    destroy(b);
    return status;
}

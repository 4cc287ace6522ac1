/* A disk that can go back (contract: journal.h).
 *
 * Invariant, under the mutex: undoing changes[count - 1] to changes[n - first] in this order makes
 * of the disk below what it was after n changes. */
#include "devices/block/journal.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

/* A guest may discard gigabytes at once, of which most were never written. */
#define PIECE_BYTES (1u << 20)

struct change {
    uint64_t offset, bytes;
    uint64_t kept; /* of them in `before`: all, or none if they were zero */
    uint8_t before[];
};

struct journal {
    struct disk image; /* image.backing is the disk below */
    struct os_mutex *mutex;
    struct change **changes;
    uint64_t count, capacity; /* of changes */
    uint64_t memory;
};

static struct journal *journal_of(const struct disk *i)
{
    return CONTAINER_OF(i, struct journal, image);
}

static bool reserve(struct journal *j)
{
    if (j->count < j->capacity)
        return true;
    uint64_t capacity = 2 * j->capacity + 64;
    struct change **grown = realloc(j->changes, capacity * sizeof(struct change *));
    if (!grown)
        return false;
    j->changes = grown;
    j->capacity = capacity;
    return true;
}

static enum block_status keep_piece(struct journal *j, uint64_t offset, uint64_t bytes)
{
    struct disk *base = j->image.backing;
    struct change *c = reserve(j) ? malloc(sizeof *c + bytes) : NULL;
    if (!c)
        return BLOCK_NO_SPACE;
    *c = (struct change){.offset = offset, .bytes = bytes, .kept = bytes};
    enum block_status status = base->ops->read(base, offset, c->before, bytes);
    if (status != BLOCK_OK) {
        free(c);
        return status;
    }
    if (disk_bytes_are_zero(c->before, bytes)) {
        struct change *smaller = realloc(c, sizeof *c);
        c = smaller ? smaller : c;
        c->kept = 0;
    }
    j->changes[j->count++] = c;
    j->memory += sizeof *c + c->kept;
    return BLOCK_OK;
}

/* Keeps what is there. What was kept before a failure is what is there still. */
static enum block_status keep(struct journal *j, uint64_t offset, uint64_t bytes)
{
    enum block_status status = BLOCK_OK;
    for (uint64_t n; bytes && status == BLOCK_OK; offset += n, bytes -= n) {
        n = min_u64(bytes, PIECE_BYTES);
        status = keep_piece(j, offset, n);
    }
    return status;
}

static void drop(struct journal *j, struct change *c)
{
    j->memory -= sizeof *c + c->kept;
    free(c);
}

static void drop_all(struct journal *j)
{
    while (j->count)
        drop(j, j->changes[--j->count]);
}

/* --- the disk ----------------------------------------------------------------------------- */

static enum block_status journal_read(struct disk *i, uint64_t offset, uint8_t *buffer,
                                      uint64_t bytes)
{
    return i->backing->ops->read(i->backing, offset, buffer, bytes);
}

static enum block_status journal_write(struct disk *i, uint64_t offset, const uint8_t *buffer,
                                       uint64_t bytes)
{
    struct journal *j = journal_of(i);
    os_mutex_lock(j->mutex);
    enum block_status status = keep(j, offset, bytes);
    if (status == BLOCK_OK)
        status = i->backing->ops->write(i->backing, offset, buffer, bytes);
    os_mutex_unlock(j->mutex);
    return status;
}

static enum block_status journal_zero(struct disk *i, uint64_t offset, uint64_t bytes,
                                      bool may_unmap)
{
    struct journal *j = journal_of(i);
    os_mutex_lock(j->mutex);
    enum block_status status = keep(j, offset, bytes);
    if (status == BLOCK_OK)
        status = i->backing->ops->zero(i->backing, offset, bytes, may_unmap);
    os_mutex_unlock(j->mutex);
    return status;
}

static enum block_status journal_discard(struct disk *i, uint64_t offset, uint64_t bytes)
{
    struct journal *j = journal_of(i);
    os_mutex_lock(j->mutex);
    enum block_status status = keep(j, offset, bytes);
    if (status == BLOCK_OK)
        status = i->backing->ops->discard(i->backing, offset, bytes);
    os_mutex_unlock(j->mutex);
    return status;
}

static enum block_status journal_flush(struct disk *i)
{
    return i->backing->ops->flush(i->backing);
}

static uint64_t journal_content(struct disk *i, uint64_t offset, uint64_t bytes,
                                enum disk_content *content)
{
    return i->backing->ops->content(i->backing, offset, bytes, content);
}

/* Of an overlay, for a snapshot that is loaded: there is no way back then. */
static enum block_status journal_forget(struct disk *i)
{
    if (!i->backing->ops->forget)
        return BLOCK_UNSUPPORTED;
    drop_all(journal_of(i));
    return i->backing->ops->forget(i->backing);
}

static void journal_destroy(struct disk *i)
{
    struct journal *j = journal_of(i);
    drop_all(j);
    free(j->changes);
    os_mutex_destroy(j->mutex);
    free(j);
}

static const struct disk_ops journal_ops = {
    .format = "journal",
    .read = journal_read,
    .write = journal_write,
    .zero = journal_zero,
    .discard = journal_discard,
    .flush = journal_flush,
    .content = journal_content,
    .forget = journal_forget,
    .destroy = journal_destroy,
};

struct disk *journal_open(struct disk *base, struct error *err)
{
    struct journal *j = calloc(1, sizeof *j);
    if (j)
        j->mutex = os_mutex_create();
    if (!j || !j->mutex) {
        free(j);
        error_set(err, "no memory for the history of %.400s", base->path);
        return NULL;
    }
    j->image = (struct disk){
        .ops = &journal_ops, .backing = base, .bytes = base->bytes, .read_only = base->read_only};
    snprintf(j->image.path, sizeof j->image.path, "%s", base->path);
    return &j->image;
}

/* --- going back --------------------------------------------------------------------------- */

uint64_t journal_moment(const struct disk *journal)
{
    return journal_of(journal)->count;
}

enum block_status journal_go_back(struct disk *journal, uint64_t moment)
{
    struct journal *j = journal_of(journal);
    struct disk *base = journal->backing;
    enum block_status status = BLOCK_OK;
    while (status == BLOCK_OK && j->count > moment) {
        struct change *c = j->changes[j->count - 1];
        status = c->kept ? base->ops->write(base, c->offset, c->before, c->bytes)
                         : base->ops->zero(base, c->offset, c->bytes, false);
        if (status != BLOCK_OK)
            break;
        j->count--;
        drop(j, c);
    }
    return status;
}

uint64_t journal_memory(const struct disk *journal)
{
    return journal_of(journal)->memory;
}

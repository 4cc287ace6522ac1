/* A disk as its device sees it: asynchronous requests on an image, whatever its format.
 *
 * Layers: a file (raw access to the host), over it a format (raw, qcow2), over it maybe an overlay.
 * Work is done by worker threads on bounce buffers; guest RAM is touched by the device alone, when
 * a request is delivered, on the machine's thread. Nothing here knows a guest. */
#ifndef RIVULET_DEVICES_BLOCK_BLOCK_H
#define RIVULET_DEVICES_BLOCK_BLOCK_H

#include "base/bits.h"
#include "base/error.h"

#include <errno.h>

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_WRITE_ZEROES };
#define BLOCK_OPS (BLOCK_WRITE_ZEROES + 1)
/* 0 or an errno of the host, of which these have names here. */
enum block_status {
    BLOCK_OK = 0,
    BLOCK_IO_ERROR = EIO,
    BLOCK_NO_SPACE = ENOSPC,
    BLOCK_UNSUPPORTED = EOPNOTSUPP,
};

/* Whether this is an error that goes away when somebody makes room on the host. */
static inline bool block_wants_space(enum block_status status)
{
    int reason = (int)status;
    return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

/* "No space left on device", ... */
const char *block_status_text(enum block_status status);

/* One request; the submitter owns it and its buffer until it is done. Offsets and lengths are in
 * bytes, multiples of 512, inside the disk: the submitter has checked that. */
struct block_request {
    enum block_op op;
    uint64_t offset, bytes;
    uint8_t *buffer;            /* READ: filled; WRITE: taken; else unused */
    bool may_unmap;             /* WRITE_ZEROES: the space may be given back */
    enum block_status status;   /* set when done */
    void *owner;                /* the submitter's */
    struct block_request *next; /* the queue's */
};

enum block_cache { BLOCK_CACHE_WRITEBACK, BLOCK_CACHE_WRITETHROUGH, BLOCK_CACHE_UNSAFE };
enum block_discard { BLOCK_DISCARD_IGNORE, BLOCK_DISCARD_UNMAP };

struct block_options {
    const char *path;
    const char *format; /* "raw", "qcow2"; NULL: probed (raw is then refused for writing block 0) */
    bool read_only;
    bool snapshot; /* writes go to a temporary overlay and are thrown away */
    bool history;  /* it can go back (journal.h) */
    enum block_cache cache;
    enum block_discard discard;
};

struct block;

/* Opens an image with its backing chain, takes the locks. NULL and err: nothing was written. */
struct block *block_open(const struct block_options *options, struct error *err);
/* Waits for what was submitted, flushes, closes. Not BLOCK_OK: what was written since the last
 * flush may not be there. */
enum block_status block_close(struct block *b);

/* Machine thread: waits until all that was submitted is done, which is still to be taken, and makes
 * it durable. */
enum block_status block_settle(struct block *b);

uint64_t block_bytes(const struct block *b);
bool block_is_read_only(const struct block *b);
const char *block_path(const struct block *b);
/* The image's format, also where an overlay lies over it; how many images lie below it; the bytes
 * that its file has on the host. */
const char *block_format(const struct block *b);
unsigned block_backing_files(const struct block *b);
uint64_t block_host_bytes(const struct block *b);

/* What was done since it was opened. */
struct block_traffic {
    uint64_t operations, bytes, failed; /* operations and bytes: of what did not fail */
    uint64_t host_ns;                   /* that it took on the host */
    uint64_t end;                       /* of the furthest one */
};
struct block_traffic block_traffic(struct block *b, enum block_op op);

/* An overlay's own content (options.snapshot), for snapshots of the machine. While it is settled.
 */
bool block_is_overlay(const struct block *b);
/* The next stretch at *offset or behind it that was written; false: there is none. */
bool block_next_change(struct block *b, uint64_t *offset, uint64_t *bytes);
/* Of a block with `history`, settled: its moment (journal.h), and going back to one. Without it
 * there is one moment, 0. */
uint64_t block_moment(const struct block *b);
enum block_status block_go_back(struct block *b, uint64_t moment);
/* From now on it can go back, or no longer; settled. A disk that is only read needs nothing. */
bool block_keep_history(struct block *b, struct error *err) MUST_CHECK;
void block_forget_history(struct block *b);
/* Bytes of host memory for it. */
uint64_t block_history_memory(const struct block *b);
/* As if nothing had ever been written. */
enum block_status block_forget_changes(struct block *b);

/* The qcow2 image in which the guest's writes stay, for its snapshots (qcow2_snapshot.h); NULL:
 * there is none. While it is settled. */
struct disk;
struct disk *block_qcow2(struct block *b);

/* Hands the request to the workers. Requests may be done in any order; a flush covers the writes
 * that were done (delivered) before it was submitted. */
void block_submit(struct block *b, struct block_request *r);
/* Called by a worker thread whenever a request was done: wake the machine. */
void block_on_done(struct block *b, void (*hook)(void *owner), void *owner);
/* Machine thread: the next request that is done, or NULL. */
struct block_request *block_take_done(struct block *b);
/* Machine thread: waits until this request is done and takes it (deterministic delivery). */
void block_wait(struct block *b, struct block_request *r);

#endif

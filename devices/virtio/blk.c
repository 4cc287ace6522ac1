/* Block device (virtio 1.2, section 5.2).
 *
 * A request is a chain: a header of 16 bytes and data to write, then memory for data that is read
 * and one byte of status at its end. It is worked on in pieces of at most PIECE_BYTES, one after
 * the other, so that a guest cannot make the host allocate more than that a descriptor chain. Data
 * goes through a bounce buffer: guest memory is touched when a piece begins (writes) or is
 * delivered (reads), on the machine's thread.
 *
 * When a request is done depends on the clock. With icount: at its deadline, a virtual time fixed
 * when it was submitted; the machine waits for the host if that is late. With the host clock: when
 * the workers say so.
 *
 * Requests under way are guest state. A load submits them again: a read reads again, a write has
 * saved the data of its piece. So does virtio_blk_retry with those that the host could not do and
 * that werror or rerror keep (`is_kept`); their deadlines stay what they were. */
#include "devices/virtio/blk.h"

#include "devices/virtio/bounce.h"

#include <stdlib.h>

#define SECTOR_BYTES 512u
#define PIECE_BYTES  BOUNCE_MOST_BYTES
#define QUEUE        0u

/* Feature bits, section 5.2.3. */
#define F_SEG_MAX      2u
#define F_GEOMETRY     4u
#define F_RO           5u
#define F_BLK_SIZE     6u
#define F_FLUSH        9u
#define F_TOPOLOGY     10u
#define F_CONFIG_WCE   11u
#define F_DISCARD      13u
#define F_WRITE_ZEROES 14u

/* Request types and statuses, section 5.2.6. */
#define T_IN           0u
#define T_OUT          1u
#define T_FLUSH        4u
#define T_GET_ID       8u
#define T_DISCARD      11u
#define T_WRITE_ZEROES 13u
#define S_OK           0u
#define S_IOERR        1u
#define S_UNSUPP       2u

/* The only flag of a range to discard or to zero. */
#define RANGE_UNMAP 1u

#define RANGE_MOST_SECTORS 0x3fffffu /* QEMU's: a request stays below 2 GiB */

/* What a disk takes: a latency, and a bandwidth in bytes a ns. */
#define LATENCY_NS   50000u
#define BYTES_PER_NS 2u

/* Section 5.2.4; not packed, because every field lies where C puts it. */
struct config_space {
    uint64_t capacity_sectors;
    uint32_t size_max, seg_max;
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
};
#define CONFIG_BYTES 60u
_Static_assert(offsetof(struct config_space, unused1) + 3 == CONFIG_BYTES, "section 5.2.4");

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct range {
    uint64_t sector;
    uint32_t sectors, flags;
};

struct request {
    struct request *next;
    /* --- guest state --- */
    struct virtio_chain *chain;
    uint64_t total, done;    /* bytes of data; of the disk, when there is no data */
    uint64_t deadline_ns;    /* icount */
    struct block_request io; /* the piece under way: op, offset, bytes, and the data of a write */
    bool is_kept;            /* the piece failed, and is to be tried again */
    /* --- host side --- */
    bool is_submitted;
    bool is_known;    /* its failure has been told */
    unsigned retries; /* of the device, when the piece was submitted */
};

struct virtio_blk {
    struct virtio virtio;
    /* --- guest state --- */
    bool writeback;           /* else writes are stable when they are done */
    struct request *requests; /* under way, in the order they came */
    /* --- host side --- */
    struct virtio_blk_config config;
    struct event deadline; /* of the request that is due first; saved by the event queue */
    unsigned retries;      /* how often the machine went on with requests that were kept */
    struct bounce_pool bounce;
};

static struct virtio_blk *blk_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_blk, virtio);
}

/* --- features and configuration ---------------------------------------------------------- */

static uint64_t blk_features(struct virtio *v)
{
    uint64_t features = 1u << F_SEG_MAX | 1u << F_GEOMETRY | 1u << F_BLK_SIZE | 1u << F_FLUSH |
                        1u << F_TOPOLOGY | 1u << F_CONFIG_WCE | 1u << F_DISCARD |
                        1u << F_WRITE_ZEROES;
    return features | (uint64_t)block_is_read_only(blk_of(v)->config.block) << F_RO;
}

static void blk_read_config(struct virtio *v, uint8_t *bytes)
{
    struct virtio_blk *b = blk_of(v);
    const struct virtio_blk_config *c = &b->config;
    uint64_t sectors = block_bytes(c->block) / SECTOR_BYTES;
    uint32_t blk_sectors = c->logical_block_bytes / SECTOR_BYTES;
    struct config_space space = {
        .capacity_sectors = sectors,
        .seg_max = c->queue_size - 2u, /* header and status need the others */
        .cylinders = (uint16_t)min_u64(sectors / (16 * 63), 16383),
        .heads = 16,
        .sectors = 63,
        .blk_size = c->logical_block_bytes,
        .physical_block_exp =
            (uint8_t)__builtin_ctz(c->physical_block_bytes / c->logical_block_bytes),
        .min_io_size = (uint16_t)(c->min_io_bytes / c->logical_block_bytes),
        .opt_io_size = c->opt_io_bytes / c->logical_block_bytes,
        .writeback = b->writeback,
        .num_queues = 1,
        .max_discard_sectors = RANGE_MOST_SECTORS,
        .max_discard_seg = 1,
        .discard_sector_alignment = blk_sectors,
        .max_write_zeroes_sectors = RANGE_MOST_SECTORS,
        .max_write_zeroes_seg = 1,
        .write_zeroes_may_unmap = 1,
    };
    memcpy(bytes, &space, CONFIG_BYTES);
}

static void blk_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    if (offset == offsetof(struct config_space, writeback) && n == 1 && virtio_has(v, F_CONFIG_WCE))
        blk_of(v)->writeback = bytes[0] & 1;
    else
        log_line(v->log, LOG_GUEST_ERRORS,
                 "virtio-blk: the configuration at 0x%x is read-only (%u bytes)", offset, n);
}

/* A driver that cannot flush relies on writes that are stable (section 5.2.5.2). */
static void blk_start(struct virtio *v)
{
    if (!virtio_has(v, F_CONFIG_WCE))
        blk_of(v)->writeback = virtio_has(v, F_FLUSH);
}

/* --- the list of requests ---------------------------------------------------------------- */

static void append(struct virtio_blk *b, struct request *r)
{
    struct request **at = &b->requests;
    while (*at)
        at = &(*at)->next;
    *at = r;
}

static void unlink_request(struct virtio_blk *b, const struct request *r)
{
    struct request **at = &b->requests;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

static bool has_data(enum block_op op)
{
    return op == BLOCK_READ || op == BLOCK_WRITE;
}

/* Of the first piece, which is the longest. */
static size_t buffer_bytes(const struct request *r)
{
    return min_u64(r->total, PIECE_BYTES);
}

/* False: no memory. */
static bool take_buffer(struct virtio_blk *b, struct request *r)
{
    if (has_data(r->io.op))
        r->io.buffer = bounce_take(&b->bounce, buffer_bytes(r));
    return r->io.buffer || !has_data(r->io.op);
}

static void free_request(struct virtio_blk *b, struct request *r)
{
    bounce_give(&b->bounce, r->io.buffer, buffer_bytes(r));
    free(r);
}

static void arm_deadline(struct virtio_blk *b)
{
    uint64_t first = EVENT_NEVER;
    if (b->config.clock->follows_host)
        return;
    for (const struct request *r = b->requests; r; r = r->next)
        if (!r->is_kept)
            first = min_u64(first, r->deadline_ns);
    event_arm(b->config.events, &b->deadline, first);
}

/* --- answering --------------------------------------------------------------------------- */

/* The status is the last byte that the device may write, whatever lies before it. */
static void answer(struct virtio *v, struct virtio_chain *c, uint8_t status)
{
    virtio_write(v, c, c->writable_bytes - 1, &status, 1);
    virtio_give(v, c, c->writable_bytes);
}

/* What becomes of a request that failed. */
static enum virtio_blk_on_error action_for(const struct virtio_blk *b,
                                           const struct block_request *io)
{
    enum virtio_blk_on_error action =
        io->op == BLOCK_READ ? b->config.on_read_error : b->config.on_write_error;
    if (action == VIRTIO_BLK_ENOSPC)
        action = block_wants_space(io->status) ? VIRTIO_BLK_STOP : VIRTIO_BLK_REPORT;
    return action;
}

/* Once a failure, however often it is tried again. */
static void tell_failure(const struct virtio_blk *b, struct request *r)
{
    static const char *const what[] = {[BLOCK_READ] = "read",
                                       [BLOCK_WRITE] = "write",
                                       [BLOCK_FLUSH] = "flush",
                                       [BLOCK_DISCARD] = "discard",
                                       [BLOCK_WRITE_ZEROES] = "zero"};
    static const char *const then[] = {[VIRTIO_BLK_REPORT] = "the guest sees an I/O error",
                                       [VIRTIO_BLK_IGNORE] = "the guest is not told",
                                       [VIRTIO_BLK_STOP] =
                                           "the guest stands still until this works"};
    const struct block_request *io = &r->io;
    struct virtio_blk_failure failure = {b->config.drive, io->op != BLOCK_READ, io->status,
                                         action_for(b, io)};
    if (r->is_known)
        return;
    r->is_known = true;
    log_line(b->virtio.log, LOG_HOST_ERRORS, "%s: cannot %s %s (%llu bytes at 0x%llx): %s; %s",
             b->config.name, what[io->op], block_path(b->config.block),
             (unsigned long long)io->bytes, (unsigned long long)io->offset,
             block_status_text(io->status), then[failure.action]);
    if (b->config.failed)
        b->config.failed(b->config.owner, &failure);
}

static uint8_t answer_of(const struct virtio_blk *b, const struct block_request *io)
{
    if (io->status == BLOCK_OK)
        return S_OK;
    if (io->status == BLOCK_UNSUPPORTED)
        return S_UNSUPP;
    return action_for(b, io) == VIRTIO_BLK_IGNORE ? S_OK : S_IOERR;
}

/* Begins the piece at io.offset. */
static void submit(struct virtio_blk *b, struct request *r)
{
    r->is_submitted = true;
    r->retries = b->retries;
    block_submit(b->config.block, &r->io);
}

static void start_piece(struct virtio_blk *b, struct request *r)
{
    r->io.bytes = r->total - r->done;
    if (has_data(r->io.op))
        r->io.bytes = min_u64(r->io.bytes, PIECE_BYTES);
    if (r->io.op == BLOCK_WRITE)
        virtio_read(&b->virtio, r->chain, sizeof(struct header) + r->done, r->io.buffer,
                    r->io.bytes);
    submit(b, r);
}

/* The piece that was under way is in the image, or counts as if it were. True: another has begun.
 */
static bool go_on(struct virtio_blk *b, struct request *r)
{
    if (r->io.op == BLOCK_READ && r->io.status == BLOCK_OK) /* else the buffer is the host's */
        virtio_write(&b->virtio, r->chain, r->done, r->io.buffer, r->io.bytes);
    r->is_known = false;
    r->done += r->io.bytes;
    r->io.offset += r->io.bytes;
    bool is_write = r->io.op == BLOCK_WRITE || r->io.op == BLOCK_WRITE_ZEROES;
    if (r->done == r->total) {
        if (!is_write || b->writeback)
            return false;
        r->io.op = BLOCK_FLUSH;
    }
    start_piece(b, r);
    return true;
}

/* The piece under way failed, and the machine stops for it. A piece that was under way already when
 * somebody let the machine go on is tried again first: its failure is no news. True: it has begun
 * anew; else the request is kept. */
static bool stop_or_try_again(struct virtio_blk *b, struct request *r)
{
    if (r->retries != b->retries) {
        submit(b, r);
        return true;
    }
    tell_failure(b, r);
    r->is_kept = true;
    b->config.stop(b->config.owner);
    return false;
}

/* The piece under way is done, well or not. True: a piece of the request has begun; else the
 * request has been answered, or is kept. */
static bool finish_piece(struct virtio_blk *b, struct request *r)
{
    uint8_t status = answer_of(b, &r->io);
    r->is_submitted = false;
    if (r->io.status != BLOCK_OK && r->io.status != BLOCK_UNSUPPORTED) {
        if (action_for(b, &r->io) == VIRTIO_BLK_STOP)
            return stop_or_try_again(b, r);
        tell_failure(b, r);
    }
    if (status == S_OK && go_on(b, r))
        return true;
    answer(&b->virtio, r->chain, status);
    unlink_request(b, r);
    free_request(b, r);
    return false;
}

void virtio_blk_deliver(struct virtio *v)
{
    struct virtio_blk *b = blk_of(v);
    for (struct block_request *io; (io = block_take_done(b->config.block));)
        finish_piece(b, io->owner);
    virtio_publish(v, QUEUE);
}

/* icount: everything that is due is done now, however long the host takes. */
static void on_deadline(void *owner, uint64_t now_ns)
{
    struct virtio_blk *b = owner;
    for (struct request *r = b->requests, *next; r; r = next) {
        next = r->next;
        if (r->deadline_ns > now_ns || r->is_kept)
            continue;
        do
            block_wait(b->config.block, &r->io);
        while (finish_piece(b, r));
    }
    arm_deadline(b);
    virtio_publish(&b->virtio, QUEUE);
}

void virtio_blk_retry(struct virtio *v)
{
    struct virtio_blk *b = blk_of(v);
    struct request *r = b->requests;
    while (r && !r->is_kept)
        r = r->next;
    b->retries += r != NULL;
    for (; r; r = r->next) {
        if (!r->is_kept)
            continue;
        r->is_kept = false;
        submit(b, r);
    }
    arm_deadline(b);
}

static void on_done(void *owner)
{
    const struct virtio_blk *b = owner;
    b->config.wake(b->config.owner);
}

/* --- taking requests --------------------------------------------------------------------- */

/* What a request asks of the image, as far as the guest's words have been checked. */
struct job {
    enum block_op op;
    uint64_t offset, bytes;
    bool may_unmap;
};

static bool is_inside(const struct virtio_blk *b, uint64_t sector, uint64_t bytes)
{
    uint64_t size = block_bytes(b->config.block), block = b->config.logical_block_bytes;
    return bytes % block == 0 && sector % (block / SECTOR_BYTES) == 0 && bytes <= size &&
           sector <= (size - bytes) / SECTOR_BYTES;
}

static uint8_t parse_transfer(const struct virtio_blk *b, const struct header *h, uint64_t bytes,
                              struct job *job)
{
    if (!is_inside(b, h->sector, bytes))
        return S_IOERR;
    *job = (struct job){.op = h->type == T_IN ? BLOCK_READ : BLOCK_WRITE,
                        .offset = h->sector * SECTOR_BYTES,
                        .bytes = bytes};
    return S_OK;
}

/* The configuration allows one range a request; a discard has no flags (section 5.2.6.2). */
static uint8_t parse_range(struct virtio_blk *b, const struct header *h,
                           const struct virtio_chain *c, struct job *job)
{
    struct range range;
    bool discards = h->type == T_DISCARD;
    if (c->readable_bytes != sizeof *h + sizeof range)
        return S_UNSUPP;
    virtio_read(&b->virtio, c, sizeof *h, &range, sizeof range);
    if (range.flags & ~RANGE_UNMAP || (discards && range.flags))
        return S_UNSUPP;
    uint64_t bytes = (uint64_t)range.sectors * SECTOR_BYTES;
    if (range.sectors > RANGE_MOST_SECTORS || !is_inside(b, range.sector, bytes))
        return S_IOERR;
    *job = (struct job){.op = discards ? BLOCK_DISCARD : BLOCK_WRITE_ZEROES,
                        .offset = range.sector * SECTOR_BYTES,
                        .bytes = bytes,
                        .may_unmap = range.flags & RANGE_UNMAP};
    return S_OK;
}

static uint8_t parse(struct virtio_blk *b, const struct header *h, const struct virtio_chain *c,
                     struct job *job)
{
    bool changes = h->type == T_OUT || h->type == T_DISCARD || h->type == T_WRITE_ZEROES;
    if (changes && block_is_read_only(b->config.block))
        return S_IOERR;
    switch (h->type) {
    case T_IN:
        return parse_transfer(b, h, c->writable_bytes - 1, job);
    case T_OUT:
        return parse_transfer(b, h, c->readable_bytes - sizeof *h, job);
    case T_FLUSH:
        *job = (struct job){.op = BLOCK_FLUSH};
        return S_OK;
    case T_DISCARD:
    case T_WRITE_ZEROES:
        return parse_range(b, h, c, job);
    }
    log_line(b->virtio.log, LOG_UNIMP, "virtio-blk: no request of type %u", h->type);
    return S_UNSUPP;
}

static struct request *new_request(struct virtio_blk *b, struct virtio_chain *c,
                                   const struct job *job)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->io.op = job->op;
    r->io.offset = job->offset;
    r->io.may_unmap = job->may_unmap;
    r->io.owner = r;
    r->chain = c;
    r->total = job->bytes;
    if (!take_buffer(b, r)) {
        free(r);
        return NULL;
    }
    if (!b->config.clock->follows_host)
        r->deadline_ns = clock_now_ns(b->config.clock) + LATENCY_NS + job->bytes / BYTES_PER_NS;
    return r;
}

static void get_id(struct virtio_blk *b, struct virtio_chain *c)
{
    virtio_write(&b->virtio, c, 0, b->config.serial,
                 min_u64(c->writable_bytes - 1, VIRTIO_BLK_SERIAL_BYTES));
    answer(&b->virtio, c, S_OK);
}

static void serve(struct virtio_blk *b, struct virtio_chain *c)
{
    struct header h;
    struct job job;
    if (virtio_read(&b->virtio, c, 0, &h, sizeof h) < sizeof h || c->writable_bytes == 0) {
        virtio_break(&b->virtio, QUEUE, "a request without header or status");
        virtio_drop(&b->virtio, c);
        return;
    }
    if (h.type == T_GET_ID) {
        get_id(b, c);
        return;
    }
    uint8_t status = parse(b, &h, c, &job);
    if (status != S_OK || (job.bytes == 0 && job.op != BLOCK_FLUSH)) {
        answer(&b->virtio, c, status);
        return;
    }
    struct request *r = new_request(b, c, &job);
    if (!r) {
        answer(&b->virtio, c, S_IOERR);
        return;
    }
    append(b, r);
    start_piece(b, r);
}

static void blk_notify(struct virtio *v, unsigned queue)
{
    struct virtio_blk *b = blk_of(v);
    for (struct virtio_chain *c; (c = virtio_take(v, queue));)
        serve(b, c);
    arm_deadline(b);
    virtio_publish(v, queue);
}

/* --- life -------------------------------------------------------------------------------- */

/* What was submitted is waited for: a guest that resets and reads sees its last write. */
static void give_up_requests(struct virtio_blk *b)
{
    for (struct request *r = b->requests, *next; r; r = next) {
        next = r->next;
        if (r->is_submitted)
            block_wait(b->config.block, &r->io);
        virtio_drop(&b->virtio, r->chain);
        free_request(b, r);
    }
    b->requests = NULL;
}

static void blk_reset(struct virtio *v)
{
    struct virtio_blk *b = blk_of(v);
    give_up_requests(b);
    b->writeback = !b->config.write_through;
    arm_deadline(b);
    if (b->config.clock->follows_host) /* a machine before this one may have been told */
        block_on_done(b->config.block, on_done, b);
}

/* Whether a loaded request is one that parse() could have made. */
static bool request_is_sane(const struct virtio_blk *b, const struct request *r, uint8_t op)
{
    const struct virtio_chain *c = r->chain;
    if (op > BLOCK_WRITE_ZEROES || r->done > r->total || c->writable_bytes == 0 ||
        c->readable_bytes < sizeof(struct header))
        return false;
    uint64_t room = op == BLOCK_READ    ? c->writable_bytes - 1
                    : op == BLOCK_WRITE ? c->readable_bytes - sizeof(struct header)
                                        : UINT64_MAX;
    return r->total <= room && r->io.bytes <= r->total - r->done &&
           (!has_data(op) || (r->io.bytes && r->io.bytes <= PIECE_BYTES)) &&
           r->io.offset % SECTOR_BYTES == 0 &&
           is_inside(b, r->io.offset / SECTOR_BYTES, r->total - r->done);
}

static void request_state(struct virtio_blk *b, struct request *r, struct state *s)
{
    uint8_t op = (uint8_t)r->io.op;
    virtio_chain_state(&b->virtio, &r->chain, s);
    state_u8(s, &op);
    state_u64(s, &r->total);
    state_u64(s, &r->done);
    state_u64(s, &r->deadline_ns);
    state_u64(s, &r->io.offset);
    state_u64(s, &r->io.bytes);
    state_bool(s, &r->io.may_unmap);
    state_bool(s, &r->is_kept);
    if (state_loading(s)) {
        if (!state_ok(s) || !request_is_sane(b, r, op)) {
            state_fail(s, "a virtio-blk request that cannot be");
            return;
        }
        r->io.op = op;
        if (!take_buffer(b, r)) {
            state_fail(s, "no memory for a virtio-blk request");
            return;
        }
    }
    if (op == BLOCK_WRITE)
        state_bytes(s, r->io.buffer, r->io.bytes);
}

static void load_requests(struct virtio_blk *b, struct state *s, uint32_t count)
{
    for (uint32_t i = 0; i < count && state_ok(s); i++) {
        struct request *r = calloc(1, sizeof *r);
        if (!r) {
            state_fail(s, "no memory for a virtio-blk request");
            break;
        }
        r->io.owner = r;
        request_state(b, r, s);
        if (r->chain)
            append(b, r);
        else
            free_request(b, r);
    }
    if (!state_ok(s)) { /* what was never submitted cannot be waited for */
        give_up_requests(b);
        return;
    }
    for (struct request *r = b->requests; r; r = r->next)
        if (!r->is_kept)
            submit(b, r);
}

static void blk_state(struct virtio *v, struct state *s)
{
    struct virtio_blk *b = blk_of(v);
    uint32_t count = 0;
    for (const struct request *r = b->requests; r; r = r->next)
        count++;
    state_bool(s, &b->writeback);
    state_u32(s, &count);
    if (state_loading(s)) {
        load_requests(b, s, count);
        return;
    }
    for (struct request *r = b->requests; r; r = r->next)
        request_state(b, r, s);
}

static void blk_destroy(struct virtio *v)
{
    struct virtio_blk *b = blk_of(v);
    give_up_requests(b);
    bounce_empty(&b->bounce);
    block_on_done(b->config.block, NULL, NULL);
    virtio_deinit(v);
    free(b);
}

static const struct virtio_device_ops blk_ops = {
    .name = "virtio-blk",
    .id = 2,
    .config_bytes = CONFIG_BYTES,
    .features = blk_features,
    .read_config = blk_read_config,
    .write_config = blk_write_config,
    .start = blk_start,
    .notify = blk_notify,
    .reset = blk_reset,
    .state = blk_state,
    .destroy = blk_destroy,
};

struct virtio *virtio_blk_create(const struct virtio_blk_config *config)
{
    struct virtio_blk *b = calloc(1, sizeof *b);
    struct virtio_config base = {.ops = &blk_ops,
                                 .queues = 1,
                                 .queue_size = config->queue_size,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!b || !virtio_init(&b->virtio, &base)) {
        free(b);
        return NULL;
    }
    b->config = *config;
    b->writeback = !config->write_through;
    event_register(config->events, &b->deadline, b->config.name, on_deadline, b);
    return &b->virtio;
}

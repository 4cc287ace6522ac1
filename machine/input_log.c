/* The log of a recorded run (contract: input_log.h).
 *
 * Invariant of a log that is read: [at, size) has not been given out yet, and every length is
 * checked against what is left before it is believed. */
#include "machine/input_log.h"

#include "base/os.h"
#include "base/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC "RIVLOG\x1a\x01"

struct frame {
    uint32_t bytes, check; /* of the payload */
};

struct payload_head {
    uint64_t now_ns;
    uint32_t kind, entry;
};

struct input_log {
    char path[256]; /* cut: for messages */
    /* A log that is written. */
    FILE *out;
    uint8_t *frame; /* grows */
    size_t capacity;
    bool failed;
    struct error failure;
    /* A log that is read. */
    struct os_file file;
    /* One that is kept. */
    bool is_kept, has_hole; /* input_log_has_hole */
    uint8_t *kept;
    size_t kept_bytes, kept_capacity;
    /* What is read, of either. */
    size_t at, next_at; /* behind `next`, and at it */
    bool has_next;
    struct log_record next;
};

static struct input_log *new_log(const char *path, struct error *err)
{
    struct input_log *log = calloc(1, sizeof *log);
    if (log)
        strncpy(log->path, path, sizeof log->path - 1);
    else
        error_set(err, "no memory for the recording %.400s", path);
    return log;
}

static bool fail(struct input_log *log, const char *why)
{
    if (!log->failed)
        error_set(&log->failure, "cannot write %s: %.200s", log->path, why);
    log->failed = true;
    return false;
}

void input_log_fail(struct input_log *log, const char *why)
{
    fail(log, why);
    log->has_hole = true;
}

/* At once to the kernel: a crash of this program loses nothing. */
static bool put(struct input_log *log, const void *bytes, size_t n)
{
    return (fwrite(bytes, 1, n, log->out) == n && fflush(log->out) == 0) ||
           fail(log, strerror(errno));
}

struct input_log *input_log_create(const char *path, struct error *err)
{
    struct input_log *log = new_log(path, err);
    if (!log)
        return NULL;
    log->out = fopen(path, "wb");
    if (log->out ? put(log, MAGIC, sizeof MAGIC - 1) : fail(log, strerror(errno)))
        return log;
    *err = log->failure;
    if (log->out)
        fclose(log->out);
    free(log);
    return NULL;
}

struct input_log *input_log_keep(const char *path, struct error *err)
{
    struct input_log *log = path ? input_log_create(path, err) : new_log("in memory", err);
    if (log)
        log->is_kept = true;
    return log;
}

struct input_log *input_log_open(const char *path, struct error *err)
{
    struct input_log *log = new_log(path, err);
    if (!log)
        return NULL;
    size_t magic = sizeof MAGIC - 1;
    if (!os_map_file(path, &log->file, err)) {
        free(log);
        return NULL;
    }
    log->at = magic;
    if (log->file.size >= magic && memcmp(log->file.bytes, MAGIC, magic) == 0) {
        input_log_advance(log);
        return log;
    }
    if (log->file.size >= magic && memcmp(log->file.bytes, MAGIC, magic - 1) == 0)
        error_set(err, "%s is a recording of format %u: this program reads format 1", log->path,
                  log->file.bytes[magic - 1]);
    else
        error_set(err, "%s is no recording of this program", log->path);
    os_unmap_file(&log->file);
    free(log);
    return NULL;
}

bool input_log_is_in_memory(const struct input_log *log)
{
    return log->is_kept && !log->out;
}

bool input_log_has_hole(const struct input_log *log)
{
    return log->has_hole;
}

bool input_log_close(struct input_log *log, struct error *err)
{
    if (!log)
        return true;
    if (log->out && fclose(log->out) != 0 && !log->failed)
        fail(log, strerror(errno));
    bool ok = !log->failed;
    if (!ok)
        *err = log->failure;
    os_unmap_file(&log->file);
    free(log->kept);
    free(log->frame);
    free(log);
    return ok;
}

/* --- writing ------------------------------------------------------------------------------ */

static bool reserve(struct input_log *log, uint8_t **bytes, size_t *capacity, size_t n)
{
    if (n <= *capacity)
        return true;
    uint8_t *grown = realloc(*bytes, 2 * n);
    if (!grown) {
        input_log_fail(log, "no memory");
        return false;
    }
    *bytes = grown;
    *capacity = 2 * n;
    return true;
}

/* At the end, where the next one that is read will be too. */
static void keep(struct input_log *log, size_t n)
{
    if (!reserve(log, &log->kept, &log->kept_capacity, log->kept_bytes + n))
        return;
    memcpy(log->kept + log->kept_bytes, log->frame, n);
    log->kept_bytes += n;
    log->at = log->next_at = log->kept_bytes;
}

void input_log_append(struct input_log *log, const struct log_record *r)
{
    struct payload_head head = {.now_ns = r->now_ns, .kind = r->kind, .entry = r->entry};
    struct frame frame = {.bytes = (uint32_t)(sizeof head + r->n)};
    size_t size = sizeof frame + frame.bytes;
    if (log->has_hole || (log->failed && !log->is_kept))
        return;
    if (r->n > RECORD_MOST_BYTES - sizeof head) {
        input_log_fail(log, "what came at once is too long");
        return;
    }
    if (!reserve(log, &log->frame, &log->capacity, size))
        return;
    uint8_t *payload = log->frame + sizeof frame;
    memcpy(payload, &head, sizeof head);
    if (r->n)
        memcpy(payload + sizeof head, r->bytes, r->n);
    frame.check = (uint32_t)hash_bytes(0, payload, frame.bytes);
    memcpy(log->frame, &frame, sizeof frame);
    if (log->out && !log->failed)
        put(log, log->frame, size);
    if (log->is_kept)
        keep(log, size);
}

/* --- reading ------------------------------------------------------------------------------ */

static size_t bytes_left(const struct input_log *log)
{
    return (log->is_kept ? log->kept_bytes : log->file.size) - log->at;
}

/* The payload of the frame at `at`; NULL: there is none that is whole. */
static const uint8_t *payload_at(const struct input_log *log, struct frame *frame)
{
    const uint8_t *bytes = (log->is_kept ? log->kept : log->file.bytes) + log->at;
    size_t left = bytes_left(log);
    if (left < sizeof *frame)
        return NULL;
    memcpy(frame, bytes, sizeof *frame);
    const uint8_t *payload = bytes + sizeof *frame;
    bool fits = frame->bytes >= sizeof(struct payload_head) && frame->bytes <= RECORD_MOST_BYTES &&
                frame->bytes <= left - sizeof *frame;
    return fits && (uint32_t)hash_bytes(0, payload, frame->bytes) == frame->check ? payload : NULL;
}

void input_log_advance(struct input_log *log)
{
    struct frame frame;
    struct payload_head head;
    const uint8_t *payload = payload_at(log, &frame);
    log->next_at = log->at;
    if (payload)
        memcpy(&head, payload, sizeof head);
    log->has_next = payload && head.kind < RECORD_KINDS;
    if (!log->has_next)
        return;
    log->at += sizeof frame + frame.bytes;
    log->next = (struct log_record){.now_ns = head.now_ns,
                                    .kind = (enum record_kind)head.kind,
                                    .entry = head.entry,
                                    .bytes = payload + sizeof head,
                                    .n = frame.bytes - sizeof head};
}

const struct log_record *input_log_next(const struct input_log *log)
{
    return log->has_next ? &log->next : NULL;
}

size_t input_log_place(const struct input_log *log)
{
    return log->next_at;
}

void input_log_seek(struct input_log *log, size_t place)
{
    log->at = place;
    input_log_advance(log);
}

static bool become_kept(struct input_log *log, struct error *err)
{
    log->kept = malloc(log->next_at);
    if (!log->kept)
        return error_set(err, "no memory for the recording %.400s", log->path);
    memcpy(log->kept, log->file.bytes, log->next_at);
    log->kept_capacity = log->next_at;
    log->is_kept = true;
    os_unmap_file(&log->file);
    return true;
}

bool input_log_cut(struct input_log *log, struct error *err)
{
    if (!log->is_kept && !become_kept(log, err))
        return false;
    log->kept_bytes = log->at = log->next_at;
    log->has_next = false;
    if (log->out && !log->failed &&
        (!os_truncate(log->out, sizeof MAGIC - 1 + log->kept_bytes) ||
         fseek(log->out, 0, SEEK_END) != 0))
        fail(log, strerror(errno));
    return true;
}

bool input_log_is_torn(const struct input_log *log)
{
    return !log->has_next && bytes_left(log) != 0;
}

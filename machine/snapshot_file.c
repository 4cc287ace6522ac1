/* The file of a snapshot (contract: snapshot_file.h).
 *
 * Invariants: a reader has checked every offset, length and hash of the file before it hands out
 * anything; a compressed section is unpacked to exactly the length that the table says. */
#include "machine/snapshot_file.h"

#include "base/os.h"
#include "base/os_new_file.h"
#include "base/state.h"

#include <stdlib.h>
#include <zlib.h>

#define MAGIC          "RIVULET\x1a"
#define FORMAT_VERSION 1u
#define PAGE           4096u
#define PIECE          (1u << 20)

enum encoding { ENCODING_PLAIN, ENCODING_ZLIB };

struct file_section {
    char name[SNAPSHOT_NAME_BYTES]; /* ended by zeroes, or full */
    uint64_t offset, bytes_in_file, bytes, hash;
    uint32_t encoding, zero;
};

/* The first page, as it lies in the file: hosts are little-endian (base/bits.h). */
struct file_head {
    char magic[8];
    uint32_t version, sections;
    uint64_t file_bytes, hash;
    uint8_t zero[32];
    struct file_section table[SNAPSHOT_SECTIONS_MAX];
};

_Static_assert(sizeof(struct file_section) == 64 && sizeof(struct file_head) == PAGE,
               "the layout that the head of snapshot_file.h describes");

static uint64_t head_hash(const struct file_head *head)
{
    struct file_head copy = *head;
    copy.hash = 0;
    return hash_bytes(0, &copy, sizeof copy);
}

/* --- writing ------------------------------------------------------------------------------ */

struct snapshot_writer {
    struct snapshot_target target; /* without functions once it is gone */
    struct file_head head;
    struct file_section *section; /* the one that is being written; NULL: none yet */
    uint8_t *piece;               /* what is not in the file yet */
    size_t filled;
    bool failed;
    struct error failure;
    bool compresses;
    z_stream deflate;
};

void snapshot_writer_abandon(struct snapshot_writer *w)
{
    if (w->target.abandon)
        w->target.abandon(w->target.owner);
    if (w->compresses)
        deflateEnd(&w->deflate);
    free(w->piece);
    free(w);
}

struct snapshot_writer *snapshot_writer_create_at(struct snapshot_target target, bool compress,
                                                  struct error *err)
{
    struct snapshot_writer *w = calloc(1, sizeof *w);
    if (w) {
        w->target = target;
        w->piece = malloc(PIECE);
    }
    /* The fastest level: the next one takes twice the time for a tenth less. */
    if (w && w->piece && compress)
        w->compresses = deflateInit(&w->deflate, Z_BEST_SPEED) == Z_OK;
    if (!w || !w->piece || compress != w->compresses) {
        error_set(err, "no memory for writing a snapshot");
        if (w)
            snapshot_writer_abandon(w);
        else
            target.abandon(target.owner);
        return NULL;
    }
    memcpy(w->head.magic, MAGIC, sizeof w->head.magic);
    w->head.version = FORMAT_VERSION;
    w->head.file_bytes = PAGE;
    return w;
}

static bool write_new_file(void *owner, uint64_t offset, const void *bytes, size_t n,
                           struct error *err)
{
    return os_new_file_write(owner, offset, bytes, n, err);
}

static bool commit_new_file(void *owner, struct error *err)
{
    return os_new_file_commit(owner, err);
}

static void abandon_new_file(void *owner)
{
    os_new_file_abandon(owner);
}

struct snapshot_writer *snapshot_writer_create(const char *path, bool compress, struct error *err)
{
    struct snapshot_target target = {.write = write_new_file,
                                     .commit = commit_new_file,
                                     .abandon = abandon_new_file,
                                     .owner = os_new_file_create(path, err)};
    return target.owner ? snapshot_writer_create_at(target, compress, err) : NULL;
}

static void fail(struct snapshot_writer *w, const struct error *reason)
{
    if (!w->failed)
        w->failure = *reason;
    w->failed = true;
}

/* The piece goes to the file: whole ones, and the last of its section. */
static void put_piece(struct snapshot_writer *w)
{
    struct error reason;
    struct file_section *s = w->section;
    if (w->failed || w->filled == 0)
        return;
    s->hash = hash_bytes(s->hash, w->piece, w->filled);
    if (!w->target.write(w->target.owner, s->offset + s->bytes_in_file, w->piece, w->filled,
                         &reason))
        fail(w, &reason);
    s->bytes_in_file += w->filled;
    w->filled = 0;
}

static void put_plain(struct snapshot_writer *w, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t part = min_u64(n, PIECE - w->filled);
        memcpy(w->piece + w->filled, bytes, part);
        w->filled += part;
        bytes += part;
        n -= part;
        if (w->filled == PIECE)
            put_piece(w);
    }
}

/* flush: Z_NO_FLUSH, or Z_FINISH behind the section's last byte. */
static void put_deflated(struct snapshot_writer *w, const uint8_t *bytes, size_t n, int flush)
{
    int result;
    w->deflate.next_in = (uint8_t *)(uintptr_t)bytes;
    w->deflate.avail_in = (uInt)n;
    do {
        w->deflate.next_out = w->piece + w->filled;
        w->deflate.avail_out = (uInt)(PIECE - w->filled);
        result = deflate(&w->deflate, flush);
        w->filled = PIECE - w->deflate.avail_out;
        if (w->filled == PIECE)
            put_piece(w);
    } while (!w->failed && (flush == Z_FINISH ? result != Z_STREAM_END : w->deflate.avail_in != 0));
}

static void end_section(struct snapshot_writer *w)
{
    if (!w->section)
        return;
    if (w->compresses) {
        put_deflated(w, NULL, 0, Z_FINISH);
        deflateReset(&w->deflate);
    }
    put_piece(w);
    w->head.file_bytes = align_up(w->section->offset + w->section->bytes_in_file, PAGE);
    w->section = NULL;
}

void snapshot_begin(struct snapshot_writer *w, const char *name)
{
    struct error reason;
    end_section(w);
    if (w->head.sections == SNAPSHOT_SECTIONS_MAX || strlen(name) > SNAPSHOT_NAME_BYTES) {
        error_set(&reason, "section '%.100s': there are too many, or its name is too long", name);
        fail(w, &reason);
    }
    if (w->failed)
        return;
    w->section = &w->head.table[w->head.sections++];
    memcpy(w->section->name, name, strlen(name));
    w->section->offset = w->head.file_bytes;
    w->section->encoding = w->compresses ? ENCODING_ZLIB : ENCODING_PLAIN;
}

void snapshot_write(struct snapshot_writer *w, const void *bytes, size_t n)
{
    if (w->failed)
        return;
    w->section->bytes += n;
    if (!w->compresses) {
        put_plain(w, bytes, n);
        return;
    }
    for (const uint8_t *p = bytes; n;) { /* zlib counts in unsigned int */
        size_t part = min_u64(n, 1u << 30);
        put_deflated(w, p, part, Z_NO_FLUSH);
        p += part;
        n -= part;
    }
}

/* The file ends with a whole page, so that its sections can be mapped. */
static bool put_end_and_head(struct snapshot_writer *w, uint64_t end, struct error *err)
{
    static const uint8_t zeroes[PAGE];
    w->head.hash = head_hash(&w->head);
    const struct snapshot_target *t = &w->target;
    return t->write(t->owner, end, zeroes, w->head.file_bytes - end, err) &&
           t->write(t->owner, 0, &w->head, sizeof w->head, err);
}

bool snapshot_writer_commit(struct snapshot_writer *w, struct error *err)
{
    end_section(w);
    uint64_t end = PAGE;
    for (unsigned i = 0; i < w->head.sections; i++)
        end = w->head.table[i].offset + w->head.table[i].bytes_in_file;
    bool ok = !w->failed;
    if (!ok)
        *err = w->failure;
    if (ok && put_end_and_head(w, end, err)) {
        ok = w->target.commit(w->target.owner, err);
        w->target.abandon = NULL;
    } else {
        ok = false;
    }
    snapshot_writer_abandon(w);
    return ok;
}

/* --- reading ------------------------------------------------------------------------------ */

struct snapshot_file {
    struct os_file file; /* or pages of os_reserve */
    bool is_mapped;
    struct file_head head;
    uint8_t *unpacked[SNAPSHOT_SECTIONS_MAX];
    char path[256]; /* cut: for messages */
};

void snapshot_close(struct snapshot_file *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < SNAPSHOT_SECTIONS_MAX; i++)
        free(f->unpacked[i]);
    if (f->is_mapped)
        os_unmap_file(&f->file);
    else
        os_release((void *)(uintptr_t)f->file.bytes, f->file.size);
    free(f);
}

static bool check_head(struct snapshot_file *f, struct error *err)
{
    const struct file_head *head = &f->head;
    if (f->file.size < sizeof *head || memcmp(f->file.bytes, MAGIC, sizeof head->magic) != 0)
        return error_set(err, "%s is not a snapshot of this program", f->path);
    memcpy(&f->head, f->file.bytes, sizeof f->head);
    if (head->version != FORMAT_VERSION)
        return error_set(err, "%s is a snapshot of format %u: this program reads format %u",
                         f->path, head->version, FORMAT_VERSION);
    if (head->hash != head_hash(head) || head->sections > SNAPSHOT_SECTIONS_MAX)
        return error_set(err, "%s is damaged in its first page", f->path);
    if (head->file_bytes != f->file.size)
        return error_set(err, "%s is cut: it has %zu bytes and should have %llu", f->path,
                         f->file.size, (unsigned long long)head->file_bytes);
    return true;
}

static bool check_section(const struct snapshot_file *f, const struct file_section *s,
                          struct error *err)
{
    uint64_t hash = 0, size = f->file.size;
    bool ok = s->offset <= size && s->bytes_in_file <= size - s->offset && s->offset % PAGE == 0 &&
              s->encoding <= ENCODING_ZLIB &&
              (s->encoding == ENCODING_ZLIB || s->bytes == s->bytes_in_file);
    for (uint64_t at = 0; ok && at < s->bytes_in_file; at += PIECE)
        hash =
            hash_bytes(hash, f->file.bytes + s->offset + at, min_u64(PIECE, s->bytes_in_file - at));
    return (ok && hash == s->hash) ||
           error_set(err, "%s is damaged in its section '%.24s'", f->path, s->name);
}

static bool check(struct snapshot_file *f, struct error *err)
{
    if (!check_head(f, err))
        return false;
    for (unsigned i = 0; i < f->head.sections; i++)
        if (!check_section(f, &f->head.table[i], err))
            return false;
    return true;
}

static struct snapshot_file *new_file(const char *name, struct error *err)
{
    struct snapshot_file *f = calloc(1, sizeof *f);
    if (f)
        strncpy(f->path, name, sizeof f->path - 1);
    else
        error_set(err, "no memory for reading %.400s", name);
    return f;
}

struct snapshot_file *snapshot_open(const char *path, struct error *err)
{
    struct snapshot_file *f = new_file(path, err);
    if (!f)
        return NULL;
    f->is_mapped = true;
    if (os_map_file(path, &f->file, err) && check(f, err))
        return f;
    snapshot_close(f);
    return NULL;
}

struct snapshot_file *snapshot_open_bytes(const char *name, uint8_t *bytes, size_t n,
                                          struct error *err)
{
    struct snapshot_file *f = new_file(name, err);
    if (!f) {
        os_release(bytes, n);
        return NULL;
    }
    f->file = (struct os_file){.bytes = bytes, .size = n};
    if (check(f, err))
        return f;
    snapshot_close(f);
    return NULL;
}

unsigned snapshot_section_count(const struct snapshot_file *f)
{
    return f->head.sections;
}

struct snapshot_section snapshot_section(const struct snapshot_file *f, unsigned i)
{
    const struct file_section *s = &f->head.table[i];
    struct snapshot_section section = {.bytes_in_file = s->bytes_in_file, .bytes = s->bytes};
    memcpy(section.name, s->name, sizeof s->name);
    return section;
}

static bool inflate_all(const uint8_t *from, uint64_t n, uint8_t *to, uint64_t bytes)
{
    z_stream z = {0};
    int result = Z_OK;
    if (inflateInit(&z) != Z_OK)
        return false;
    while (result == Z_OK) {
        uInt in = (uInt)min_u64(n, 1u << 30), out = (uInt)min_u64(bytes, 1u << 30);
        z.next_in = (uint8_t *)(uintptr_t)from;
        z.avail_in = in;
        z.next_out = to;
        z.avail_out = out;
        result = inflate(&z, Z_NO_FLUSH);
        from += in - z.avail_in;
        n -= in - z.avail_in;
        to += out - z.avail_out;
        bytes -= out - z.avail_out;
    }
    inflateEnd(&z);
    return result == Z_STREAM_END && bytes == 0;
}

/* Unpacked when it is first asked for. */
static const uint8_t *unpack(struct snapshot_file *f, unsigned i, struct error *err)
{
    const struct file_section *s = &f->head.table[i];
    if (f->unpacked[i])
        return f->unpacked[i];
    uint8_t *bytes = malloc(max_u64(s->bytes, 1));
    if (!bytes)
        error_set(err, "%s: no memory for the %llu bytes of its section '%.24s'", f->path,
                  (unsigned long long)s->bytes, s->name);
    else if (inflate_all(f->file.bytes + s->offset, s->bytes_in_file, bytes, s->bytes))
        return f->unpacked[i] = bytes;
    else
        error_set(err, "%s: its section '%.24s' cannot be unpacked", f->path, s->name);
    free(bytes);
    return NULL;
}

const uint8_t *snapshot_bytes(struct snapshot_file *f, const char *name, uint64_t *n,
                              struct error *err)
{
    for (unsigned i = 0; i < f->head.sections; i++) {
        const struct file_section *s = &f->head.table[i];
        if (strncmp(s->name, name, sizeof s->name) != 0)
            continue;
        *n = s->bytes;
        return s->encoding == ENCODING_PLAIN ? f->file.bytes + s->offset : unpack(f, i, err);
    }
    error_set(err, "%s has no section '%s'", f->path, name);
    return NULL;
}

/* vFile packets: gdb reads files as the program would find them (gdb manual, "Host I/O Packets" and
 * "Protocol-specific Representation of Datatypes"). Nothing is written. */
#include "debug/gdb_internal.h"

#define PATH_BYTES 4096u
/* gdb's numbers of errors. */
enum { FILE_ENOENT = 2, FILE_EBADF = 9, FILE_EACCES = 13, FILE_EINVAL = 22, FILE_EMFILE = 24 };
#define ACCESS_MODE 3u /* of its flags of open: 0 is reading */

static void fail(struct gdb *g, unsigned error)
{
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets, "F-1,%x", error);
    gdb_reply_send(&g->packets);
}

static void succeed(struct gdb *g, unsigned value)
{
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets, "F%x", value);
    gdb_reply_send(&g->packets);
}

/* gdb's numbers are those of Linux, but of few errors. */
static unsigned error_of(long negative)
{
    return negative > -FILE_EINVAL - 1 ? (unsigned)-negative : FILE_EACCES;
}

/* --- what the peer has opened ------------------------------------------------------------- */

/* NULL: it is not the peer's, or for 0 that it has too many. */
static int *find_file(struct gdb *g, int entry)
{
    for (unsigned i = 0; i < GDB_FILES_MOST; i++)
        if (g->files[i] == entry)
            return &g->files[i];
    return NULL;
}

/* Its number is the descriptor; others of ours are none of gdb's business. */
static int *take_file(struct gdb *g, struct gdb_text *t)
{
    uint64_t fd;
    bool is_number = gdb_take_number(t, &fd) && fd < INT32_MAX;
    return is_number ? find_file(g, (int)fd + 1) : NULL;
}

static void close_one(struct gdb *g, int *file)
{
    g->program->ops->close(g->program->owner, *file - 1);
    *file = 0;
}

void gdb_close_files(struct gdb *g)
{
    for (unsigned i = 0; i < GDB_FILES_MOST; i++)
        if (g->files[i])
            close_one(g, &g->files[i]);
}

/* --- packets ------------------------------------------------------------------------------ */

/* open:NAME,FLAGS,MODE */
static void open_file(struct gdb *g, struct gdb_text *t)
{
    char name[PATH_BYTES];
    uint64_t flags, mode;
    int *file = find_file(g, 0);
    const char *comma = memchr(t->at, ',', gdb_left(t));
    size_t n = comma ? (size_t)(comma - t->at) / 2 : 0;
    if (!comma || n >= sizeof name || !gdb_take_bytes(t, name, n) || !gdb_take(t, ",") ||
        !gdb_take_number(t, &flags) || !gdb_take(t, ",") || !gdb_take_number(t, &mode)) {
        fail(g, FILE_EINVAL);
        return;
    }
    name[n] = 0;
    if (flags & ACCESS_MODE || !file) {
        fail(g, file ? FILE_EACCES : FILE_EMFILE);
        return;
    }
    int fd = g->program->ops->open(g->program->owner, name);
    if (fd < 0) {
        fail(g, error_of(fd));
        return;
    }
    *file = fd + 1;
    succeed(g, (unsigned)fd);
}

static void close_file(struct gdb *g, struct gdb_text *t)
{
    int *file = take_file(g, t);
    if (!file) {
        fail(g, FILE_EBADF);
        return;
    }
    close_one(g, file);
    succeed(g, 0);
}

/* pread:FILE,COUNT,OFFSET */
static void read_file(struct gdb *g, struct gdb_text *t)
{
    uint8_t bytes[GDB_PACKET_MOST - 16];
    uint64_t count, offset;
    const int *file = take_file(g, t);
    if (!file || !gdb_take(t, ",") || !gdb_take_number(t, &count) || !gdb_take(t, ",") ||
        !gdb_take_number(t, &offset)) {
        fail(g, file ? FILE_EINVAL : FILE_EBADF);
        return;
    }
    long n = g->program->ops->read(g->program->owner, *file - 1, bytes,
                                   min_u64(count, sizeof bytes), offset);
    if (n < 0) {
        fail(g, error_of(n));
        return;
    }
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets, "F%lx;", (unsigned long)n);
    gdb_reply_binary(&g->packets, bytes, (size_t)n);
    gdb_reply_send(&g->packets);
}

static uint8_t *put_big(uint8_t *to, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> 8 * (n - 1 - i));
    return to + n;
}

/* struct stat of the protocol: dev, ino, mode, nlink, uid, gid, rdev; size, blksize, blocks; atime,
 * mtime, ctime. */
static void describe_file(struct gdb *g, struct gdb_text *t)
{
    struct program_file file;
    uint8_t stat[64], *to = stat;
    const int *taken = take_file(g, t);
    if (!taken || !g->program->ops->describe(g->program->owner, *taken - 1, &file)) {
        fail(g, FILE_EBADF);
        return;
    }
    to = put_big(to, 0, 8);
    to = put_big(to, file.mode, 4);
    to = put_big(to, file.links, 4);
    to = put_big(put_big(to, 0, 8), 0, 4);
    to = put_big(to, file.bytes, 8);
    to = put_big(to, PAGE_BYTES, 8);
    to = put_big(to, file.blocks, 8);
    for (unsigned i = 0; i < 3; i++)
        to = put_big(to, file.modified_s, 4);
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets, "F%zx;", sizeof stat);
    gdb_reply_binary(&g->packets, stat, sizeof stat);
    gdb_reply_send(&g->packets);
}

void gdb_file_packet(struct gdb *g, struct gdb_text *t)
{
    if (!g->program)
        gdb_answer(g, "");
    else if (gdb_take(t, "setfs:"))
        succeed(g, 0);
    else if (gdb_take(t, "open:"))
        open_file(g, t);
    else if (gdb_take(t, "close:"))
        close_file(g, t);
    else if (gdb_take(t, "pread:"))
        read_file(g, t);
    else if (gdb_take(t, "fstat:"))
        describe_file(g, t);
    else
        gdb_answer(g, "");
}

/* The host's files and block devices (contract: file.h), Linux.
 *
 * Locks are QEMU's: open-file-description locks, all of them shared, on single bytes of the file.
 * Byte 100 + p says "I use permission p", byte 200 + p says "nobody else may use permission p"; who
 * has taken its own then looks for contradicting ones of others. Nobody waits. */
#include "devices/block/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_USES    100
#define LOCK_FORBIDS 200

/* QEMU's permissions by number. Writing may make a file grow, so writers resize. */
#define PERMISSION_READ   (1u << 0)
#define PERMISSION_WRITE  (1u << 1)
#define PERMISSION_RESIZE (1u << 3)
#define PERMISSIONS       4

#define ZEROES_BYTES 65536u

struct host_file {
    struct file file;
    int fd;
    bool unsafe;
    atomic_bool lost_writes; /* a sync failed: the host may have dropped what it could not write */
};

static struct host_file *host_file(struct file *f)
{
    return CONTAINER_OF(f, struct host_file, file);
}

/* Only who tries something that not every file can do returns BLOCK_UNSUPPORTED, on purpose. */
static enum block_status status_of(int reason)
{
    return reason == EOPNOTSUPP ? BLOCK_IO_ERROR : (enum block_status)reason;
}

static enum block_status host_read(struct file *f, uint64_t offset, void *bytes, uint64_t n)
{
    uint8_t *to = bytes;
    while (n) {
        ssize_t got = pread(host_file(f)->fd, to, n, (off_t)offset);
        if (got == 0) {
            memset(to, 0, n);
            return BLOCK_OK;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return status_of(errno);
        to += got;
        offset += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return BLOCK_OK;
}

static enum block_status host_write(struct file *f, uint64_t offset, const void *bytes, uint64_t n)
{
    const uint8_t *from = bytes;
    while (n) {
        ssize_t done = pwrite(host_file(f)->fd, from, n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? status_of(errno) : BLOCK_IO_ERROR;
        from += done;
        offset += (uint64_t)done;
        n -= (uint64_t)done;
    }
    return BLOCK_OK;
}

/* The slow way, for file systems that can neither punch nor zero. */
static enum block_status write_zeroes(struct file *f, uint64_t offset, uint64_t n)
{
    uint8_t *zeroes = calloc(1, ZEROES_BYTES);
    enum block_status status = zeroes ? BLOCK_OK : BLOCK_IO_ERROR;
    while (n && status == BLOCK_OK) {
        uint64_t part = min_u64(n, ZEROES_BYTES);
        status = host_write(f, offset, zeroes, part);
        offset += part;
        n -= part;
    }
    free(zeroes);
    return status;
}

static enum block_status host_zero(struct file *f, uint64_t offset, uint64_t n, bool punch)
{
    int mode = punch ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
    int result;
    do
        result = fallocate(host_file(f)->fd, mode, (off_t)offset, (off_t)n);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return BLOCK_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != ENODEV)
        return status_of(errno);
    return punch ? BLOCK_UNSUPPORTED : write_zeroes(f, offset, n);
}

/* A host that could not write a page may forget it and report success the next time. So one failure
 * is final, a full disk's too: no later sync may claim that everything is safe. */
static enum block_status host_sync(struct file *f)
{
    struct host_file *h = host_file(f);
    if (h->unsafe)
        return BLOCK_OK;
    if (atomic_load(&h->lost_writes))
        return BLOCK_IO_ERROR;
    int result;
    do
        result = fdatasync(h->fd);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return BLOCK_OK;
    enum block_status status = status_of(errno);
    atomic_store(&h->lost_writes, true);
    return status;
}

static enum block_status host_resize(struct file *f, uint64_t bytes)
{
    return ftruncate(host_file(f)->fd, (off_t)bytes) == 0 ? BLOCK_OK : status_of(errno);
}

static uint64_t host_bytes(struct file *f)
{
    off_t end = lseek(host_file(f)->fd, 0, SEEK_END); /* st_size of a block device is 0 */
    return end < 0 ? 0 : (uint64_t)end;
}

static uint64_t host_stretch(struct file *f, uint64_t offset, uint64_t n, bool *is_data)
{
    int fd = host_file(f)->fd;
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
    bool past_last_data = data < 0 && errno == ENXIO;
    *is_data = !past_last_data && (data < 0 || (uint64_t)data == offset);
    if (past_last_data)
        return n;
    off_t end = *is_data ? lseek(fd, (off_t)offset, SEEK_HOLE) : data;
    return end <= (off_t)offset ? n : min_u64(n, (uint64_t)end - offset);
}

static void host_close(struct file *f)
{
    close(host_file(f)->fd);
    free(host_file(f));
}

static const struct file_ops host_ops = {
    .read = host_read,
    .write = host_write,
    .zero = host_zero,
    .sync = host_sync,
    .resize = host_resize,
    .bytes = host_bytes,
    .stretch = host_stretch,
    .close = host_close,
};

/* ---- locks ---- */

/* Locks the bytes of these permissions. A file system that knows no locks is no error. */
static bool take_locks(int fd, int base, unsigned permissions)
{
    for (int p = 0; p < PERMISSIONS; p++) {
        struct flock lock = {
            .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = base + p, .l_len = 1};
        if (permissions >> p & 1 && fcntl(fd, F_OFD_SETLK, &lock) != 0 &&
            (errno == EAGAIN || errno == EACCES))
            return false;
    }
    return true;
}

static bool others_lock(int fd, int base, unsigned permissions)
{
    for (int p = 0; p < PERMISSIONS; p++) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = base + p, .l_len = 1};
        if (permissions >> p & 1 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
            return true;
    }
    return false;
}

static bool lock_file(int fd, bool read_only)
{
    unsigned forbidden = PERMISSION_WRITE | PERMISSION_RESIZE;
    unsigned used = read_only ? PERMISSION_READ : PERMISSION_READ | forbidden;
    return take_locks(fd, LOCK_USES, used) && take_locks(fd, LOCK_FORBIDS, forbidden) &&
           !others_lock(fd, LOCK_FORBIDS, used) && !others_lock(fd, LOCK_USES, forbidden);
}

/* ---- opening ---- */

static struct file *wrap(int fd, const struct file_options *options)
{
    struct host_file *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    *h = (struct host_file){.file.ops = &host_ops, .fd = fd, .unsafe = options->unsafe};
    return &h->file;
}

/* Takes over fd, closing it when there is an error. */
static struct file *adopt(int fd, const char *path, const struct file_options *options,
                          struct error *err)
{
    struct stat st;
    struct file *f = NULL;
    if (fstat(fd, &st) != 0)
        error_set(err, "cannot open %s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        error_set(err, "cannot open %s: it is a directory; name a file in it", path);
    else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        error_set(err, "cannot open %s: neither a regular file nor a block device", path);
    else if (!options->share && !lock_file(fd, options->read_only))
        error_set(err, "cannot open %s for %s: another program is using it; end that program first",
                  path, options->read_only ? "reading" : "writing");
    else if (!(f = wrap(fd, options)))
        error_set(err, "cannot open %s: out of memory", path);
    if (!f)
        close(fd);
    return f;
}

struct file *file_open(const char *path, const struct file_options *options, struct error *err)
{
    /* O_NONBLOCK: a pipe without a writer must give an error, not a hang. */
    int fd = open(path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return adopt(fd, path, options, err);
    const char *advice = "";
    if (!options->read_only && (errno == EACCES || errno == EPERM || errno == EROFS))
        advice = "; it can be used with readonly=on or snapshot=on if it can be read";
    error_set(err, "cannot open %s%s: %s%s", path,
              options->read_only || errno == EISDIR ? "" : " for writing", strerror(errno), advice);
    return NULL;
}

struct file *file_create(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0) {
        error_set(err, "cannot create %s: %s", path, strerror(errno));
        return NULL;
    }
    struct file *f = adopt(fd, path, &(struct file_options){0}, err);
    struct stat st;
    if (f && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) != 0) {
        error_set(err, "cannot empty %s: %s", path, strerror(errno));
        file_close(f);
        return NULL;
    }
    return f;
}

struct file *file_temporary(const char *directory, struct error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/rivulet.XXXXXX", directory);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "cannot create a temporary file in %s: %s; set TMPDIR to another directory",
                  directory, strerror(errno));
        return NULL;
    }
    unlink(path);
    return adopt(fd, path, &(struct file_options){.unsafe = true, .share = true}, err);
}

bool file_identify(const char *path, struct file_identity *identity)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *identity = (struct file_identity){st.st_dev, st.st_ino};
    return true;
}

uint64_t file_host_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

uint64_t file_changed_ns(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    return (uint64_t)st.st_mtim.tv_sec * 1000000000ull + (uint64_t)st.st_mtim.tv_nsec;
}

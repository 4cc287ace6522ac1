/* Files that appear whole, POSIX (contract: os_new_file.h). */
#include "base/os_new_file.h"

#include "base/bits.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct os_new_file {
    int fd;
    char *path;
    char *beside; /* its name until then */
};

static bool fail(const struct os_new_file *f, struct error *err)
{
    return error_set(err, "cannot write %.400s: %s", f->path, strerror(errno));
}

static void release(struct os_new_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f->beside);
    free(f);
}

/* A name beside the path that nobody has. */
static bool open_beside(struct os_new_file *f)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        uint32_t number;
        os_random(&number, sizeof number);
        sprintf(f->beside, "%s.%08x", f->path, number);
        f->fd = open(f->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

/* A device or pipe would not be written to, but be replaced by a file: /dev/null even, by root. */
static bool may_replace(const char *path, struct error *err)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode) ||
           error_set(err, "cannot write %.400s: it is there and is no regular file", path);
}

struct os_new_file *os_new_file_create(const char *path, struct error *err)
{
    if (!may_replace(path, err))
        return NULL;
    struct os_new_file *f = calloc(1, sizeof *f);
    if (f) {
        f->fd = -1;
        f->path = strdup(path);
        f->beside = malloc(strlen(path) + sizeof ".00000000");
    }
    if (!f || !f->path || !f->beside)
        error_set(err, "no memory for writing %.400s", path);
    else if (open_beside(f))
        return f;
    else
        fail(f, err);
    if (f)
        release(f);
    return NULL;
}

bool os_new_file_write(struct os_new_file *f, uint64_t offset, const void *bytes, size_t n,
                       struct error *err)
{
    for (const uint8_t *p = bytes; n;) {
        ssize_t done = pwrite(f->fd, p, n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(f, err);
        p += done;
        offset += (uint64_t)done;
        n -= (size_t)done;
    }
    return true;
}

/* The folder's entry is data of the folder. Not every file system can: then it does so itself. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(copy);
}

bool os_new_file_commit(struct os_new_file *f, struct error *err)
{
    bool ok = fdatasync(f->fd) == 0 && rename(f->beside, f->path) == 0;
    if (!ok) {
        fail(f, err);
        os_new_file_abandon(f);
        return false;
    }
    sync_folder(f->path);
    release(f);
    return true;
}

void os_new_file_abandon(struct os_new_file *f)
{
    if (!f)
        return;
    (void)unlink(f->beside);
    release(f);
}

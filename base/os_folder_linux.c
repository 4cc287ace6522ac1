/* Files of one folder (contract: os_folder.h): openat2 has the kernel resolve names within it. */
#include "base/os_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEW_FILE_MODE 0644

struct os_folder {
    int fd;
};

static int open_within(int folder, const char *name, int flags, unsigned mode)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
                           .mode = mode,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

struct os_folder *os_folder_open(const char *path, struct error *err)
{
    struct os_folder *folder = calloc(1, sizeof *folder);
    int probe = -ENOMEM;
    if (folder) {
        folder->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        probe = folder->fd < 0 ? -errno : open_within(folder->fd, ".", O_PATH, 0);
    }
    if (probe >= 0) {
        close(probe);
        return folder;
    }
    error_set(err, "cannot use the folder %s: %s", path,
              probe == -ENOSYS ? "this kernel cannot confine names (openat2)" : strerror(-probe));
    os_folder_close(folder);
    return NULL;
}

void os_folder_close(struct os_folder *folder)
{
    if (folder && folder->fd >= 0)
        close(folder->fd);
    free(folder);
}

/* O_NONBLOCK: a FIFO, which is refused, must not be waited for. */
int os_folder_file(const struct os_folder *folder, const char *name, unsigned use)
{
    struct stat st;
    int flags = O_NOCTTY | O_NONBLOCK | (use & OS_FOLDER_APPEND ? O_APPEND : 0) |
                (use & OS_FOLDER_CREATE ? O_CREAT : 0);
    flags |= !(use & OS_FOLDER_WRITE) ? O_RDONLY : use & OS_FOLDER_READ ? O_RDWR : O_WRONLY;
    int fd = open_within(folder->fd, name, flags, use & OS_FOLDER_CREATE ? NEW_FILE_MODE : 0);
    if (fd < 0)
        return fd;
    int error = fstat(fd, &st) != 0                                 ? -errno
                : S_ISDIR(st.st_mode)                               ? -EISDIR
                : !S_ISREG(st.st_mode)                              ? -EACCES
                : use & OS_FOLDER_TRUNCATE && ftruncate(fd, 0) != 0 ? -errno
                                                                    : 0;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int64_t os_folder_read(int fd, uint64_t offset, void *to, size_t n)
{
    ssize_t got = pread(fd, to, n, (off_t)offset);
    return got < 0 ? -errno : got;
}

/* With O_APPEND Linux ignores the offset. */
int64_t os_folder_write(int fd, uint64_t offset, const void *from, size_t n)
{
    ssize_t put = pwrite(fd, from, n, (off_t)offset);
    return put < 0 ? -errno : put;
}

int64_t os_folder_size(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : -errno;
}

void os_folder_release(int fd)
{
    close(fd);
}

/* --- by name alone ----------------------------------------------------------------------- */

/* The folder that a name lies in, as a descriptor, and its last part. */
static int open_parent(const struct os_folder *folder, const char *name, char parent[PATH_MAX],
                       const char **last)
{
    if (snprintf(parent, PATH_MAX, "%s", name) >= PATH_MAX)
        return -ENAMETOOLONG;
    char *slash = strrchr(parent, '/');
    *last = slash ? slash + 1 : parent;
    if (!**last || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0)
        return -EINVAL;
    if (slash)
        *slash = 0;
    return open_within(folder->fd, !slash ? "." : *parent ? parent : "/", O_PATH | O_DIRECTORY, 0);
}

int os_folder_remove(const struct os_folder *folder, const char *name)
{
    char parent[PATH_MAX];
    const char *last;
    int fd = open_parent(folder, name, parent, &last);
    if (fd < 0)
        return fd;
    int error = unlinkat(fd, last, 0) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

int os_folder_rename(const struct os_folder *folder, const char *from, const char *to)
{
    char parents[2][PATH_MAX];
    const char *last[2];
    int old = open_parent(folder, from, parents[0], &last[0]);
    if (old < 0)
        return old;
    int new = open_parent(folder, to, parents[1], &last[1]);
    int error = new < 0 ? new : renameat(old, last[0], new, last[1]) == 0 ? 0 : -errno;
    close(old);
    if (new >= 0)
        close(new);
    return error;
}

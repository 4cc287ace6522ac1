/* A host that cannot confine names to a folder: there is none, and so no file. */
#include "base/os_folder.h"

#include <errno.h>

struct os_folder *os_folder_open(const char *path, struct error *err)
{
    error_set(err, "cannot use the folder %s: this host cannot confine names to it", path);
    return NULL;
}

void os_folder_close(struct os_folder *folder)
{
    (void)folder;
}

int os_folder_file(const struct os_folder *folder, const char *name, unsigned use)
{
    (void)folder, (void)name, (void)use;
    return -ENOSYS;
}

int64_t os_folder_read(int fd, uint64_t offset, void *to, size_t n)
{
    (void)fd, (void)offset, (void)to, (void)n;
    return -EBADF;
}

int64_t os_folder_write(int fd, uint64_t offset, const void *from, size_t n)
{
    (void)fd, (void)offset, (void)from, (void)n;
    return -EBADF;
}

int64_t os_folder_size(int fd)
{
    (void)fd;
    return -EBADF;
}

void os_folder_release(int fd)
{
    (void)fd;
}

int os_folder_remove(const struct os_folder *folder, const char *name)
{
    (void)folder, (void)name;
    return -ENOSYS;
}

int os_folder_rename(const struct os_folder *folder, const char *from, const char *to)
{
    (void)folder, (void)from, (void)to;
    return -ENOSYS;
}

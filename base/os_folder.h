/* Files of one folder of the host, for a guest that names them: no name leads out of the folder.
 * Absolute names and ".." are resolved as if the folder were the root; so are symbolic links. Only
 * regular files are opened. Failures are negative errno. */
#ifndef RIVULET_BASE_OS_FOLDER_H
#define RIVULET_BASE_OS_FOLDER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct os_folder;

/* NULL and err: it is no folder, or the host cannot confine names. */
struct os_folder *os_folder_open(const char *path, struct error *err);
void os_folder_close(struct os_folder *folder);

enum os_folder_use {
    OS_FOLDER_READ = 1,
    OS_FOLDER_WRITE = 2,
    OS_FOLDER_CREATE = 4,   /* if it is not there */
    OS_FOLDER_TRUNCATE = 8, /* if it is */
    OS_FOLDER_APPEND = 16,  /* all writes go to its end, whatever their offset */
};
/* A descriptor for the four below; use: OR of enum os_folder_use. */
int os_folder_file(const struct os_folder *folder, const char *name, unsigned use);
/* How many bytes: fewer than n at the end of the file, or where the host has no more room. */
int64_t os_folder_read(int fd, uint64_t offset, void *to, size_t n);
int64_t os_folder_write(int fd, uint64_t offset, const void *from, size_t n);
int64_t os_folder_size(int fd);
void os_folder_release(int fd);

/* The name itself, if it is a symbolic link. */
int os_folder_remove(const struct os_folder *folder, const char *name);
int os_folder_rename(const struct os_folder *folder, const char *from, const char *to);

#endif

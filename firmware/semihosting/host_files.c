/* The files of one folder, for semihosting (contract: firmware/semihosting.h). A slot's descriptor
 * is opened again when it is needed and not there, as after a load; then nothing is made or
 * truncated. */
#include "base/os_folder.h"
#include "firmware/semihosting/internal.h"

#include <stdlib.h>

struct semihosting_folder {
    struct os_folder *folder;
    int fds[SEMIHOSTING_FILES]; /* -1: none */
};

struct semihosting_folder *semihosting_folder_open(const char *path, struct error *err)
{
    struct semihosting_folder *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, "no memory for a folder");
        return NULL;
    }
    for (unsigned i = 0; i < SEMIHOSTING_FILES; i++)
        f->fds[i] = -1;
    f->folder = os_folder_open(path, err);
    if (f->folder)
        return f;
    free(f);
    return NULL;
}

static void close_slot(struct semihosting_folder *f, unsigned slot)
{
    if (f->fds[slot] >= 0)
        os_folder_release(f->fds[slot]);
    f->fds[slot] = -1;
}

static void close_all(struct semihosting_folder *f)
{
    for (unsigned i = 0; i < SEMIHOSTING_FILES; i++)
        close_slot(f, i);
}

void semihosting_folder_close(struct semihosting_folder *f)
{
    if (!f)
        return;
    close_all(f);
    os_folder_close(f->folder);
    free(f);
}

static unsigned use_of(unsigned mode, bool is_first)
{
    unsigned use = OS_FOLDER_READ, made = is_first ? OS_FOLDER_CREATE : 0;
    if (mode >= SEMIHOSTING_MODE_APPEND)
        use = OS_FOLDER_WRITE | OS_FOLDER_APPEND | made;
    else if (mode >= SEMIHOSTING_MODE_WRITE)
        use = OS_FOLDER_WRITE | made | (is_first ? OS_FOLDER_TRUNCATE : 0);
    return mode & SEMIHOSTING_MODE_PLUS ? use | OS_FOLDER_READ | OS_FOLDER_WRITE : use;
}

static int open_slot(struct semihosting_folder *f, const struct semihosting_file_request *r,
                     bool is_first)
{
    close_slot(f, r->slot);
    int fd = os_folder_file(f->folder, r->name, use_of(r->mode, is_first));
    f->fds[r->slot] = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

int64_t semihosting_folder_file(void *folder, const struct semihosting_file_request *r)
{
    struct semihosting_folder *f = folder;
    bool needs_fd = r->kind == SEMIHOSTING_READ || r->kind == SEMIHOSTING_WRITE ||
                    r->kind == SEMIHOSTING_LENGTH;
    int error = needs_fd && f->fds[r->slot] < 0 ? open_slot(f, r, false) : 0;
    if (error)
        return error;
    switch (r->kind) {
    case SEMIHOSTING_OPEN:
        return open_slot(f, r, true);
    case SEMIHOSTING_CLOSE:
        close_slot(f, r->slot);
        return 0;
    case SEMIHOSTING_READ:
        return os_folder_read(f->fds[r->slot], r->offset, r->to, r->n);
    case SEMIHOSTING_WRITE:
        return os_folder_write(f->fds[r->slot], r->offset, r->from, r->n);
    case SEMIHOSTING_LENGTH:
        return os_folder_size(f->fds[r->slot]);
    case SEMIHOSTING_REMOVE:
        return os_folder_remove(f->folder, r->name);
    case SEMIHOSTING_RENAME:
        return os_folder_rename(f->folder, r->name, r->to_name);
    case SEMIHOSTING_FORGET:
        close_all(f);
        return 0;
    }
    return -EINVAL;
}

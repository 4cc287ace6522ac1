#include "syscall/paths.h"

#include "base/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_DESCRIPTORS 900 /* where programs do not look */

/* ---- life ---- */

int paths_own(int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    if (own < 0) /* RLIMIT_NOFILE is lower: it stays in the guest's way */
        return fd;
    close(fd);
    return own;
}

bool paths_init(struct paths *p, const char *tree, const char *root, bool read_only,
                struct error *err)
{
    const char *path = root ? root : tree;
    *p = (struct paths){.tree = -1, .confined = root != NULL, .read_only = read_only};
    if (!path)
        return true;
    p->tree_path = realpath(path, NULL);
    int fd = p->tree_path ? open(p->tree_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return error_set(err, "cannot use %s as the program's %s: %s", path,
                         root ? "root" : "tree of libraries", strerror(errno));
    p->tree = paths_own(fd);
    return !root || chdir(p->tree_path) == 0 ||
           error_set(err, "cannot go to %s: %s", path, strerror(errno));
}

void paths_release(struct paths *p)
{
    if (p->tree >= 0)
        close(p->tree);
    free(p->tree_path);
    free(p->program);
}

void place_release(struct place *place)
{
    if (place->own >= 0)
        close(place->own);
    place->own = -1;
}

/* ---- within the tree ---- */

static int open_in_tree(const struct paths *p, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = RESOLVE_IN_ROOT};
    long fd = syscall(SYS_openat2, p->tree, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

/* The name that the kernel has for a descriptor. */
static bool name_of(int fd, char *text, size_t room)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, text, room - 1);
    if (n <= 0 || text[0] != '/')
        return false;
    text[n] = 0;
    return true;
}

bool paths_to_guest(const struct paths *p, char *path)
{
    size_t n = p->confined ? strlen(p->tree_path) : 0;
    if (n <= 1)
        return true;
    if (strncmp(path, p->tree_path, n) != 0 || (path[n] && path[n] != '/'))
        return false;
    memmove(path, path + n, strlen(path + n) + 1);
    if (!path[0])
        strcpy(path, "/");
    return true;
}

/* A library's name: the tree's if it is there. */
static void prefer_tree(const struct paths *p, const char *path, bool follow, struct place *place)
{
    int fd = open_in_tree(p, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), 0);
    if (fd < 0)
        return;
    if (name_of(fd, place->text, PATH_MAX))
        place->path = place->text;
    close(fd);
}

/* The name as seen from the root: what `at` is, and the name. */
static int absolute_name(const struct paths *p, int at, const char *path, char *text, size_t room)
{
    size_t n = 0;
    if (path[0] != '/') {
        bool known = at == AT_FDCWD ? getcwd(text, room) != NULL : name_of(at, text, room);
        if (!known || !paths_to_guest(p, text))
            return at == AT_FDCWD || known ? -ENOENT : -EBADF;
        n = strlen(text);
        text[n++] = '/';
    }
    if (n + strlen(path) >= room)
        return -ENAMETOOLONG;
    strcpy(text + n, path);
    return 0;
}

/* Splits "a/b/c//" into "a/b" and "c": the last name, without slashes; NULL: it has none of its
 * own ("/", "..", "."). */
static char *last_name(char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = 0;
    char *slash = strrchr(path, '/');
    char *name = slash ? slash + 1 : path;
    return !*name || !strcmp(name, ".") || !strcmp(name, "..") ? NULL : name;
}

/* The folder that a name lies in, and the name within: the call itself does not follow it. */
static int find_parent(const struct paths *p, char *folder, const char *name, struct place *place)
{
    int fd = open_in_tree(p, *folder ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    place->own = paths_own(fd);
    snprintf(place->text, sizeof place->text, "/proc/self/fd/%d/%s", place->own, name);
    return 0;
}

static int find_in_root(const struct paths *p, int at, const char *path, bool follow,
                        struct place *place)
{
    char text[PATH_MAX], *name;
    int error = absolute_name(p, at, path, text, sizeof text);
    if (error)
        return error;
    place->at = AT_FDCWD;
    place->path = place->text;
    if (!follow && (name = last_name(text))) {
        char copy[NAME_MAX + 1];
        int n = snprintf(copy, sizeof copy, "%s", name);
        *name = 0;
        return n < (int)sizeof copy ? find_parent(p, text, copy, place) : -ENAMETOOLONG;
    }
    int fd = open_in_tree(p, text, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    place->own = paths_own(fd);
    snprintf(place->text, sizeof place->text, "/proc/self/fd/%d", place->own);
    return 0;
}

/* ---- names ---- */

bool paths_is_program_link(const char *path)
{
    char own[40];
    snprintf(own, sizeof own, "/proc/%d/exe", (int)getpid());
    return !strcmp(path, "/proc/self/exe") || !strcmp(path, own);
}

int paths_find(const struct paths *p, int at, const char *path, bool follow, struct place *place)
{
    place->at = at;
    place->own = -1;
    place->path = path;
    if (follow && path[0] == '/' && paths_is_program_link(path))
        path = place->path = p->program;
    if (p->tree < 0 || !*path)
        return 0;
    if (p->confined)
        return find_in_root(p, at, path, follow, place);
    if (path[0] == '/')
        prefer_tree(p, path, follow, place);
    return 0;
}

/* What does not block need not be interrupted: a debugger opens files while a signal waits. */
static int open_at(const struct place *place, int flags, unsigned mode)
{
    uint64_t args[6] = {(uint64_t)(int64_t)place->at, (uintptr_t)place->path, (unsigned)flags,
                        mode};
    if (!(flags & O_NONBLOCK))
        return (int)os_call(SYS_openat, args);
    int fd = openat(place->at, place->path, flags, mode);
    return fd < 0 ? -errno : fd;
}

static int open_place(const struct paths *p, int at, const char *path, int flags, unsigned mode)
{
    struct place place;
    bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    if (p->confined && *path) {
        char text[PATH_MAX];
        if (path[0] == '/' && paths_is_program_link(path))
            path = p->program;
        int error = absolute_name(p, at, path, text, sizeof text);
        bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
        return error ? error : open_in_tree(p, text, (unsigned)flags, makes ? mode & 07777 : 0);
    }
    int error = paths_find(p, at, path, follow, &place);
    int fd = error ? error : open_at(&place, flags, mode);
    place_release(&place);
    return fd;
}

/* What a read-only mount lets be written: all that is no file. */
static bool is_stream(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
           !S_ISBLK(st.st_mode);
}

int paths_open(const struct paths *p, int at, const char *path, int flags, unsigned mode)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (!p->read_only || !writes || flags & O_PATH)
        return open_place(p, at, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EROFS;
    int fd = open_place(p, at, path, (flags & ~(O_CREAT | O_EXCL | O_TRUNC)) | O_NONBLOCK, 0);
    if (fd == -ENOENT && flags & O_CREAT)
        return -EROFS;
    if (fd < 0 || (is_stream(fd) && !(flags & O_EXCL))) {
        if (fd >= 0 && !(flags & O_NONBLOCK))
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        return fd;
    }
    close(fd);
    return (flags & O_ACCMODE) == O_RDONLY && !(flags & (O_EXCL | O_TRUNC))
               ? open_place(p, at, path, flags & ~O_CREAT, 0)
               : -EROFS;
}

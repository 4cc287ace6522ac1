#include "syscall/paths.h"

#include "base/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_DESCRIPTORS 900 /* where programs do not look */
#define DIGITS          "0123456789"

/* ---- life ---- */

int paths_own(int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    if (own < 0) /* RLIMIT_NOFILE is lower: it stays in the guest's way */
        return fd;
    close(fd);
    return own;
}

/* "HOST:GUEST" */
static bool bind(struct views *views, const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon[1] != '/')
        return error_set(err, "--bind %s: not HOST:GUEST with an absolute GUEST", text);
    char *host = strndup(text, (size_t)(colon - text));
    bool ok = host ? views_add(views, host, colon + 1, err) : error_set(err, "no memory");
    free(host);
    return ok;
}

bool paths_init(struct paths *p, const struct paths_config *config, struct error *err)
{
    const char *folder = config->root ? config->root : config->tree;
    *p = (struct paths){.confined = config->root != NULL, .read_only = config->read_only};
    if (folder && !views_add(&p->views, folder, "/", err))
        return false;
    for (char *const *text = config->binds; text && *text; text++)
        if (!bind(&p->views, *text, err))
            return false;
    return true;
}

bool paths_enter_root(const struct paths *p, struct error *err)
{
    const char *root = p->confined ? p->views.at[0].host : NULL;
    return !root || chdir(root) == 0 ||
           error_set(err, "cannot go to %s: %s", root, strerror(errno));
}

void paths_release(struct paths *p)
{
    views_release(&p->views);
    free(p->program);
}

void place_release(struct place *place)
{
    if (place->own >= 0)
        close(place->own);
    place->own = -1;
}

/* ---- within the tree ---- */

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
    return !p->confined || views_to_guest(&p->views, path);
}

static int open_path(const struct paths *p, const char *path, unsigned flags)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags};
    return views_open(&p->views, path, &how);
}

/* A library's name: the tree's if it is there. */
static void prefer_tree(const struct paths *p, const char *path, bool follow, struct place *place)
{
    int fd = open_path(p, path, follow ? 0 : O_NOFOLLOW);
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
static int find_parent(const struct paths *p, const char *folder, const char *name,
                       struct place *place)
{
    int fd = open_path(p, *folder ? folder : "/", O_DIRECTORY);
    if (fd < 0)
        return fd;
    place->own = paths_own(fd);
    snprintf(place->text, sizeof place->text, "/proc/self/fd/%d/%s", place->own, name);
    return 0;
}

/* What a name stands for: the kernel's link to it, which is not to be followed by its text. Of a
 * folder the link is passed, so that calls which follow none find it too. */
static int find_target(const struct paths *p, const char *path, bool is_folder, struct place *place)
{
    int fd = open_path(p, path, is_folder ? O_DIRECTORY : 0);
    if (fd < 0)
        return fd;
    place->own = paths_own(fd);
    snprintf(place->text, sizeof place->text, "/proc/self/fd/%d%s", place->own,
             is_folder ? "/." : "");
    return 0;
}

static int find_in_root(const struct paths *p, int at, const char *path, bool follow,
                        struct place *place)
{
    char text[PATH_MAX], folder[PATH_MAX], *name;
    int error = absolute_name(p, at, path, text, sizeof text);
    if (error)
        return error;
    place->at = AT_FDCWD;
    place->path = place->text;
    if (follow)
        return find_target(p, text, false, place);
    strcpy(folder, text);
    name = last_name(folder);
    if (!name || views_is_bound(&p->views, text))
        return find_target(p, text, true, place);
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    char copy[NAME_MAX + 1];
    strcpy(copy, name);
    *name = 0;
    return find_parent(p, folder, copy, place);
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
    if (follow && p->program && path[0] == '/' && paths_is_program_link(path))
        path = place->path = p->program;
    if (!p->views.count || !*path)
        return 0;
    if (p->confined)
        return find_in_root(p, at, path, follow, place);
    if (path[0] == '/')
        prefer_tree(p, path, follow, place);
    return 0;
}

/* What a read-only mount lets be written: all that is no file. */
static bool is_stream(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
           !S_ISBLK(st.st_mode);
}

int paths_named_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (unsigned i = 0; i < ARRAY_LEN(standard); i++)
        if (!strcmp(path, standard[i]))
            return (int)i;
    for (unsigned i = 0; i < ARRAY_LEN(folders); i++) {
        size_t n = strlen(folders[i]), digits = strspn(path + min_u64(n, strlen(path)), DIGITS);
        if (!strncmp(path, folders[i], n) && digits && digits < 8 && !path[n + digits])
            return atoi(path + n);
    }
    return -1;
}

/* A root has no /proc that would know the program's descriptors. They are opened again as on the
 * host, but for what they do not give already: writing to files. */
static bool open_descriptor(const char *path, int flags, int *fd)
{
    char link[40];
    int named = paths_named_descriptor(path);
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (named < 0 || (writes && !is_stream(named)))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", named);
    const uint64_t args[6] = {(uint64_t)AT_FDCWD, (uintptr_t)link,
                              (unsigned)(flags & ~(O_CREAT | O_EXCL | O_TRUNC))};
    *fd = views_unless_forbidden((int)os_call(SYS_openat, args), (unsigned)flags);
    return true;
}

static int open_in_root(const struct paths *p, int at, const char *path, int flags, unsigned mode)
{
    char text[PATH_MAX];
    int fd;
    if (p->program && path[0] == '/' && paths_is_program_link(path))
        path = p->program;
    if (open_descriptor(path, flags, &fd))
        return fd;
    int error = absolute_name(p, at, path, text, sizeof text);
    bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    const struct open_how how = {.flags = (unsigned)flags, .mode = makes ? mode & 07777 : 0};
    return error ? error : views_open(&p->views, text, &how);
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
    if (p->confined && *path)
        return open_in_root(p, at, path, flags, mode);
    int error = paths_find(p, at, path, follow, &place);
    int fd = error ? error : open_at(&place, flags, mode);
    place_release(&place);
    return fd;
}

static bool may_write(int flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    return writes && !(flags & O_PATH);
}

int paths_open(const struct paths *p, int at, const char *path, int flags, unsigned mode)
{
    if (!p->read_only || !may_write(flags))
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

/* A root is not left by a descriptor of a folder outside. */
static int open_in_root_as(const struct paths *p, int at, const char *path,
                           const struct open_how *how)
{
    char text[PATH_MAX];
    bool below = how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    int error = absolute_name(p, at, below ? "." : path, text, sizeof text);
    if (error)
        return error;
    return below ? views_open_below(at, path, how) : views_open(&p->views, text, how);
}

/* A tree of libraries serves those who do not ask where a name leads. */
int paths_open_as(const struct paths *p, int at, const char *path, const struct open_how *how)
{
    const uint64_t args[6] = {(uint64_t)(int64_t)at, (uintptr_t)path, (uintptr_t)how, sizeof *how};
    if (!how->resolve)
        return paths_open(p, at, path, (int)how->flags, (unsigned)how->mode);
    if (how->resolve & RESOLVE_CACHED)
        return -EAGAIN; /* nothing is */
    if (p->read_only && may_write((int)how->flags))
        return -EROFS;
    return p->confined ? open_in_root_as(p, at, path, how) : (int)os_call(SYS_openat2, args);
}

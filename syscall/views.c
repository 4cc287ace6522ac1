#include "syscall/views.h"

#include "syscall/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MOST 40 /* as the kernel's */
/* Any rename on the host lets openat2 give up on a ".." with EAGAIN. */
#define TRIES_MOST 1000

/* ---- which view ---- */

/* Length of `folder` if path is it or lies in it; -1: neither. "" holds all. */
static ssize_t length_within(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return strncmp(folder, path, n) == 0 && (!path[n] || path[n] == '/') ? (ssize_t)n : -1;
}

/* The view that a guest's name without links lies in, and the rest of the name. */
static const struct view *find_view(const struct views *v, const char *path, const char **rest)
{
    const struct view *best = &v->at[0];
    size_t length = 0;
    for (size_t i = 1; i < v->count; i++) {
        ssize_t n = length_within(v->at[i].guest, path);
        if (n > (ssize_t)length) {
            best = &v->at[i];
            length = (size_t)n;
        }
    }
    *rest = path + length + strspn(path + length, "/");
    return best;
}

bool views_to_guest(const struct views *v, char *path)
{
    const struct view *best = NULL;
    ssize_t length = -1;
    for (size_t i = 0; i < v->count; i++) {
        const char *host = strcmp(v->at[i].host, "/") ? v->at[i].host : "";
        ssize_t n = length_within(host, path);
        if (n > length) {
            best = &v->at[i];
            length = n;
        }
    }
    size_t n = best ? strlen(best->guest) : 0, rest = best ? strlen(path + length) : 0;
    if (!best || n + rest >= PATH_MAX)
        return false;
    memmove(path + n, path + length, rest + 1);
    memcpy(path, best->guest, n);
    if (!path[0])
        strcpy(path, "/");
    return true;
}

/* ---- opening ---- */

static int open_by(int folder, const char *path, const struct open_how *how)
{
    long fd = -1;
    errno = EAGAIN;
    for (unsigned tries = 0; fd < 0 && errno == EAGAIN && tries < TRIES_MOST; tries++)
        fd = syscall(SYS_openat2, folder, path, how, sizeof *how);
    return fd < 0 ? -errno : (int)fd;
}

static int open_within(const struct view *view, const char *rest, const struct open_how *how)
{
    struct open_how within = *how;
    within.resolve |= RESOLVE_IN_ROOT;
    return open_by(view->fd, *rest ? rest : ".", &within);
}

/* A process's memory could be another's, or the emulator's own. */
static bool is_forbidden(int fd, uint64_t flags)
{
    struct statfs fs;
    char link[40], name[PATH_MAX];
    if (flags & O_PATH || fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
        return false;
    if ((flags & O_ACCMODE) != O_RDONLY)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    return n < 4 || memcmp(name + n - 4, "/mem", 4) == 0;
}

int views_unless_forbidden(int fd, uint64_t flags)
{
    if (fd < 0 || !is_forbidden(fd, flags))
        return fd;
    close(fd);
    return -EACCES;
}

/* ---- names that may pass from one view into another ---- */

struct walk {
    const struct views *views;
    bool follow;   /* a link at the end */
    bool no_links; /* RESOLVE_NO_SYMLINKS */
    unsigned links;
    char done[PATH_MAX]; /* without links, ".." or a slash at its end */
    char left[PATH_MAX]; /* empty, or with a slash before what comes next, but at first */
};

static void go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
}

/* The link `done` is its target instead. */
static int follow_link(struct walk *w, int fd)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(fd, "", target, sizeof target);
    if (n <= 0)
        return n < 0 ? -errno : -ENOENT;
    if (++w->links > LINKS_MOST || w->no_links)
        return -ELOOP;
    size_t left = strlen(w->left) + 1;
    if ((size_t)n + left > sizeof w->left)
        return -ENAMETOOLONG;
    if (target[0] == '/')
        w->done[0] = 0;
    else
        go_up(w->done);
    memmove(w->left + n, w->left, left);
    memcpy(w->left, target, (size_t)n);
    return 0;
}

/* `done` has one component more, the last one if nothing is left; a slash behind it asks for a
 * folder. */
static int look_at(struct walk *w)
{
    const char *rest;
    struct stat st;
    const struct view *view = find_view(w->views, w->done, &rest);
    const struct open_how look = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC};
    int fd = open_within(view, rest, &look);
    if (fd < 0)
        return fd == -ENOENT && !w->left[0] ? 0 : fd; /* it may be made */
    int error = fstat(fd, &st) != 0 ? -errno : 0;
    if (!error && S_ISLNK(st.st_mode) && (w->left[0] || w->follow))
        error = follow_link(w, fd);
    else if (!error && !S_ISDIR(st.st_mode) && w->left[0])
        error = -ENOTDIR;
    close(fd);
    return error;
}

static int take_component(struct walk *w)
{
    char *name = w->left + strspn(w->left, "/");
    size_t n = strcspn(name, "/"), length = strlen(w->done);
    bool up = n == 2 && !memcmp(name, "..", 2), here = n == 0 || (n == 1 && *name == '.');
    if (up)
        go_up(w->done);
    else if (!here && length + 1 + n >= sizeof w->done)
        return -ENAMETOOLONG;
    else if (!here)
        snprintf(w->done + length, sizeof w->done - length, "/%.*s", (int)n, name);
    memmove(w->left, name + n, strlen(name + n) + 1);
    return up || here ? 0 : look_at(w);
}

static int walk(struct walk *w, const char *path)
{
    int error = 0;
    if (strlen(path) >= sizeof w->left)
        return -ENAMETOOLONG;
    strcpy(w->left, path);
    while (w->left[0] && !error)
        error = take_component(w);
    return error;
}

bool views_is_bound(const struct views *v, const char *path)
{
    struct walk w = {.views = v};
    if (v->count < 2 || walk(&w, path) != 0)
        return false;
    for (size_t i = 1; i < v->count; i++)
        if (!strcmp(v->at[i].guest, w.done))
            return true;
    return false;
}

int views_open(const struct views *v, const char *path, const struct open_how *how)
{
    const struct view *view = &v->at[0];
    struct walk w = {.views = v, .no_links = how->resolve & RESOLVE_NO_SYMLINKS};
    uint64_t flags = how->flags;
    w.follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    if (v->count > 1) {
        int error = walk(&w, path);
        if (error)
            return error;
        view = find_view(v, w.done, &path);
    }
    return views_unless_forbidden(open_within(view, path, how), flags);
}

int views_open_below(int folder, const char *path, const struct open_how *how)
{
    return views_unless_forbidden(open_by(folder, path, how), how->flags);
}

/* ---- life ---- */

static bool add(struct views *v, const struct view *view)
{
    struct view *grown = realloc(v->at, (v->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    v->at = grown;
    v->at[v->count++] = *view;
    return true;
}

/* The guest's name without links; NULL and errno: it is no folder of the guest, or its root. */
static char *name_without_links(const struct views *v, const char *guest)
{
    struct walk w = {.views = v, .follow = true};
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
    int fd = views_open(v, guest, &how);
    int error = fd < 0 ? fd : walk(&w, guest);
    if (fd >= 0)
        close(fd);
    if (!error && !w.done[0])
        error = -EBUSY;
    errno = -error;
    return error ? NULL : strdup(w.done);
}

static bool open_view(struct view *view, const char *host)
{
    view->host = realpath(host, NULL);
    int fd = view->host ? open(view->host, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    view->fd = fd < 0 ? -1 : paths_own(fd);
    return fd >= 0;
}

bool views_add(struct views *v, const char *host, const char *guest, struct error *err)
{
    struct view view = {.fd = -1};
    if (!open_view(&view, host)) {
        error_set(err, "cannot use %s as a folder of the program's: %s", host, strerror(errno));
    } else {
        view.guest = v->count ? name_without_links(v, guest) : strdup("");
        if (view.guest && add(v, &view))
            return true;
        error_set(err, "cannot bind %s to %s: %s", host, guest, strerror(errno));
        close(view.fd);
    }
    free(view.host);
    free(view.guest);
    return false;
}

void views_release(struct views *v)
{
    for (size_t i = 0; i < v->count; i++) {
        close(v->at[i].fd);
        free(v->at[i].host);
        free(v->at[i].guest);
    }
    free(v->at);
    *v = (struct views){0};
}

/* Where a program's files are. By default its view is the host's. With a tree of libraries (-L)
 * absolute names that exist in the tree are found there, others on the host. With a root all names
 * are resolved within it and what is bound to it (views.h), symbolic links included. */
#ifndef RIVULET_SYSCALL_PATHS_H
#define RIVULET_SYSCALL_PATHS_H

#include "syscall/views.h"

#include <limits.h>

struct paths {
    struct views views; /* the tree, or the root and what is bound to it; none: the host's */
    bool confined;      /* it is a root */
    bool read_only;     /* files are not opened for writing */
    char *program;      /* the guest's name of what runs, /proc/self/exe; NULL: nothing does */
};

struct paths_config {
    const char *tree, *root; /* NULL: none */
    char *const *binds;      /* "HOST:GUEST", NULL behind the last */
    bool read_only;          /* no file is made, changed or removed by its name or descriptor */
};

/* A name for the host's calls: relative to `at`, which is AT_FDCWD or a descriptor. */
struct place {
    int at;
    int own; /* a descriptor that the place holds; -1: none */
    const char *path;
    char text[PATH_MAX + 64];
};

/* Moves a descriptor of ours to where the guest does not meet it; it is closed by execve. */
int paths_own(int fd);

bool paths_init(struct paths *p, const struct paths_config *config, struct error *err) MUST_CHECK;
/* A root becomes the working folder. */
bool paths_enter_root(const struct paths *p, struct error *err) MUST_CHECK;
void paths_release(struct paths *p);

/* 0 or a negative errno. `follow`: a symbolic link at the end stands for its target. place_release
 * in any case. */
int paths_find(const struct paths *p, int at, const char *path, bool follow, struct place *place);
void place_release(struct place *place);
/* open(2): a name at the end may be made. A descriptor or a negative errno. */
int paths_open(const struct paths *p, int at, const char *path, int flags, unsigned mode);
/* openat2(2), which says what its name may pass. */
int paths_open_as(const struct paths *p, int at, const char *path, const struct open_how *how);
/* The descriptor that a name like /dev/fd/3 stands for; -1: none. */
int paths_named_descriptor(const char *path);
/* Whether the name is /proc/self/exe or the like. */
bool paths_is_program_link(const char *path);
/* The guest's name of an absolute name of the host's; false: it lies outside. `path` is changed. */
bool paths_to_guest(const struct paths *p, char *path);

#endif

/* Where a program's files are. By default its view is the host's. With a tree of libraries (-L)
 * absolute names that exist in the tree are found there, others on the host. With a root all names
 * are resolved within it by the kernel (openat2, RESOLVE_IN_ROOT), symbolic links included. */
#ifndef RIVULET_SYSCALL_PATHS_H
#define RIVULET_SYSCALL_PATHS_H

#include "base/error.h"

#include <limits.h>

struct paths {
    int tree;        /* descriptor of the tree or root; -1: none */
    bool confined;   /* it is a root */
    bool read_only;  /* files are not opened for writing */
    char *tree_path; /* absolute */
    char *program;   /* the guest's name of what runs: /proc/self/exe */
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

/* tree and root may be NULL; with a root it becomes the working folder. */
bool paths_init(struct paths *p, const char *tree, const char *root, bool read_only,
                struct error *err);
void paths_release(struct paths *p);

/* 0 or a negative errno. `follow`: a symbolic link at the end stands for its target. place_release
 * in any case. */
int paths_find(const struct paths *p, int at, const char *path, bool follow, struct place *place);
void place_release(struct place *place);
/* open(2): a name at the end may be made. A descriptor or a negative errno. */
int paths_open(const struct paths *p, int at, const char *path, int flags, unsigned mode);
/* Whether the name is /proc/self/exe or the like. */
bool paths_is_program_link(const char *path);
/* The guest's name of an absolute name of the host's; false: it lies outside. `path` is changed. */
bool paths_to_guest(const struct paths *p, char *path);

#endif

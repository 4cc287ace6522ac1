/* The files of a confined program: a root, and folders bound to names below it. The kernel resolves
 * what lies within one of them (openat2, RESOLVE_IN_ROOT); where a name passes from one into
 * another, it is resolved here, component by component. Either way a name never leads out,
 * whatever is renamed meanwhile: the last step is the kernel's, and within one of them.
 *
 * Errors are negative numbers of errno. */
#ifndef RIVULET_SYSCALL_VIEWS_H
#define RIVULET_SYSCALL_VIEWS_H

#include "base/bits.h"
#include "base/error.h"

#include <linux/openat2.h>

#include <stddef.h>
#include <stdint.h>

struct view {
    int fd;
    char *host;  /* the folder, absolute and without links */
    char *guest; /* its name in the guest; "" is the root's */
};

struct views {
    struct view *at; /* the root is the first */
    size_t count;
};

/* The guest's name is absolute; the first one's is "/". It must be there already. */
bool views_add(struct views *v, const char *host, const char *guest, struct error *err) MUST_CHECK;
void views_release(struct views *v);

/* openat2(2) of the guest's absolute name; resolve: of RESOLVE_NO_*. /proc, if it is there, cannot
 * be written, and shows no process's memory. */
int views_open(const struct views *v, const char *path, const struct open_how *how);
/* The same of a name below a folder that lies in a view: resolve has RESOLVE_BENEATH or
 * RESOLVE_IN_ROOT. What is bound below it is not there. */
int views_open_below(int folder, const char *path, const struct open_how *how);
/* Of a descriptor that was opened otherwise, with these flags, or a negative errno: what views_open
 * would have given; it is closed if that is -EACCES. */
int views_unless_forbidden(int fd, uint64_t flags);
/* The guest's name of the host's absolute one, in its place, which has room for PATH_MAX bytes;
 * false: it lies outside. */
bool views_to_guest(const struct views *v, char *path);

/* Whether the guest's absolute name is one that a folder is bound to. */
bool views_is_bound(const struct views *v, const char *path);

#endif

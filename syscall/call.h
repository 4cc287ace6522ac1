/* A system call on its way to the host. */
#ifndef RIVULET_SYSCALL_CALL_H
#define RIVULET_SYSCALL_CALL_H

#include "base/linux_calls.h"
#include "base/os_process.h"
#include "syscall/process.h"

#include <sys/uio.h>

struct call {
    struct process *p;
    uint64_t args[LINUX_CALL_ARGS]; /* as the guest gave them */
    /* As the host takes them: what points to something is checked and is the host's address, or 0
     * when it was 0; names of files are places. */
    uint64_t host[LINUX_CALL_ARGS];
    /* Names of files, in their order: copies, for the guest's memory may be shared with others that
     * write it. */
    struct call_name {
        struct place place;
        char text[PATH_MAX];
    } names[2];
    unsigned name_count;
    long host_number; /* of the same call; -1: the host does not have it */
};

/* The guest's pointers need not be aligned. */
#define GUEST_LAYOUT __attribute__((packed))
typedef uint64_t __attribute__((aligned(1))) guest_u64;
typedef int32_t __attribute__((aligned(1))) guest_i32;

/* The result for a0: a negative errno when it fails. */
typedef int64_t call_handler(struct call *c);

/* Host addresses of what arguments point to beyond the table's kinds; NULL: not the guest's. */
static inline void *call_at(struct call *c, uint64_t va, uint64_t n, enum space_protection access)
{
    return space_at(&c->p->space, va, n, access);
}

/* Writes n bytes to the guest's va; n, or -EFAULT. */
int64_t call_give(struct call *c, uint64_t va, const void *bytes, uint64_t n);

/* Flags of open, which not all hosts number alike. */
int call_open_flags_to_host(uint64_t guest);
uint64_t call_open_flags_to_guest(int host);

#define CALL_VECTORS_MOST 1024u
/* The host's vectors of the guest's, each checked; how many, or a negative errno. What cannot be
 * accessed ends the list early, as the kernel's copying would. */
int64_t call_vectors(struct call *c, uint64_t va, uint64_t count, enum space_protection access,
                     struct iovec *to);

/* The handlers of calls.def. */
#define PASS(name)
#define DO(name) call_handler call_##name;
#define NONE(name, error)
#include "syscall/calls.def"
#undef PASS
#undef DO
#undef NONE

#endif

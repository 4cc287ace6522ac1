/* Calls on the address space. */
#include "syscall/call.h"

#include <errno.h>
#include <sys/syscall.h>

int64_t call_brk(struct call *c)
{
    return (int64_t)space_set_brk(&c->p->space, c->args[0]);
}

int64_t call_mmap(struct call *c)
{
    return space_map(&c->p->space, c->args[0], c->args[1], (unsigned)c->args[2],
                     (unsigned)c->args[3], (int)c->args[4], c->args[5]);
}

int64_t call_munmap(struct call *c)
{
    return space_unmap(&c->p->space, c->args[0], c->args[1]);
}

int64_t call_mprotect(struct call *c)
{
    return space_protect(&c->p->space, c->args[0], c->args[1], (unsigned)c->args[2]);
}

int64_t call_mremap(struct call *c)
{
    return space_remap(&c->p->space, c->args[0], c->args[1], c->args[2], (unsigned)c->args[3],
                       c->args[4]);
}

/* The rest advises about memory that a mapping must have; its protection does not matter. */
static int64_t pass_range(struct call *c, long number)
{
    uint64_t va = c->args[0], n = (c->args[1] + PAGE_BYTES - 1) & PAGE_MASK;
    if (va % PAGE_BYTES || n < c->args[1])
        return -EINVAL;
    if (!space_is_mapped(&c->p->space, va, n))
        return -ENOMEM;
    c->host[0] = (uintptr_t)c->p->space.host + va;
    return os_call(number, c->host);
}

/* Advice that changes what is in memory, or what a child gets, is the host's to follow. The rest is
 * about speed. */
int64_t call_madvise(struct call *c)
{
    enum {
        DONTNEED = 4,
        FREE = 8,
        REMOVE = 9,
        DONTFORK = 10,
        DOFORK = 11,
        WIPEONFORK = 18,
        KEEPONFORK = 19,
        POPULATE_READ = 22,
        POPULATE_WRITE = 23
    };
    switch ((int)c->args[2]) {
    case DONTNEED:
    case FREE:
    case REMOVE:
    case WIPEONFORK:
        space_will_change(&c->p->space, c->args[0], c->args[1]);
        return pass_range(c, SYS_madvise);
    case DONTFORK:
    case DOFORK:
        return space_keep(&c->p->space, c->args[0], c->args[1], c->args[2] == DONTFORK);
    case KEEPONFORK:
    case POPULATE_READ:
    case POPULATE_WRITE:
        return pass_range(c, SYS_madvise);
    default:
        return 0;
    }
}

int64_t call_msync(struct call *c)
{
    return pass_range(c, SYS_msync);
}

int64_t call_mlock(struct call *c)
{
    return pass_range(c, SYS_mlock);
}

int64_t call_mlock2(struct call *c)
{
    return pass_range(c, SYS_mlock2);
}

int64_t call_munlock(struct call *c)
{
    return pass_range(c, SYS_munlock);
}

int64_t call_mincore(struct call *c)
{
    uint64_t pages = (c->args[1] + PAGE_BYTES - 1) / PAGE_BYTES;
    c->host[2] = (uintptr_t)call_at(c, c->args[2], pages, SPACE_WRITE);
    return c->host[2] ? pass_range(c, SYS_mincore) : -EFAULT;
}

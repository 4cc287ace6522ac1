/* Waiting for descriptors. */
#include "syscall/call.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define POLLFD_BYTES 8u
#define POLLS_MOST   65536u
#define SIGSET_BYTES 8u
#define EPOLL_MOST   1024u
#define SELECT_MOST  65536u
#define SELECT_SETS  3u

/* A time that the kernel counts down: the guest's is a copy when the kernel does not change it. */
static int64_t take_timeout(struct call *c, unsigned i)
{
    if (!c->args[i])
        return 0;
    c->host[i] = (uintptr_t)call_at(c, c->args[i], 16, SPACE_READ);
    return c->host[i] ? 0 : -EFAULT;
}

int64_t call_ppoll(struct call *c)
{
    uint64_t timeout[2];
    if (c->args[1] > POLLS_MOST)
        return -EINVAL;
    c->host[0] = (uintptr_t)call_at(c, c->args[0], c->args[1] * POLLFD_BYTES, SPACE_WRITE);
    if (c->args[1] && !c->host[0])
        return -EFAULT;
    if (c->args[2]) { /* the kernel writes what is left: not into memory that is read-only */
        memcpy(timeout, (void *)(uintptr_t)c->host[2], sizeof timeout);
        c->host[2] = (uintptr_t)timeout;
    }
    return os_call(SYS_ppoll, c->host);
}

int64_t call_pselect6(struct call *c)
{
    uint64_t mask[2] = {0, SIGSET_BYTES}, timeout[2];
    int64_t n = (int32_t)c->args[0], error = take_timeout(c, 4);
    if (n < 0 || n > (int64_t)SELECT_MOST)
        return -EINVAL;
    for (unsigned i = 1; i <= SELECT_SETS && !error; i++) {
        if (!c->args[i])
            continue;
        c->host[i] = (uintptr_t)call_at(c, c->args[i], (uint64_t)(n + 63) / 64 * 8, SPACE_WRITE);
        error = c->host[i] ? 0 : -EFAULT;
    }
    if (error)
        return error;
    if (c->args[4]) {
        memcpy(timeout, (void *)(uintptr_t)c->host[4], sizeof timeout);
        c->host[4] = (uintptr_t)timeout;
    }
    if (c->args[5]) {
        const guest_u64 *given = call_at(c, c->args[5], sizeof mask, SPACE_READ);
        if (!given)
            return -EFAULT;
        mask[0] = given[0] ? (uintptr_t)call_at(c, given[0], SIGSET_BYTES, SPACE_READ) : 0;
        if (given[0] && !mask[0])
            return -EFAULT;
    }
    c->host[5] = (uintptr_t)mask;
    return os_call(SYS_pselect6, c->host);
}

/* ---- epoll: the structure is packed on x86-64, and not on RISC-V ---- */

struct guest_epoll_event {
    uint32_t events, pad;
    uint64_t data;
} GUEST_LAYOUT;

int64_t call_epoll_ctl(struct call *c)
{
    struct epoll_event event = {0};
    if (c->args[3]) {
        const struct guest_epoll_event *from = call_at(c, c->args[3], sizeof *from, SPACE_READ);
        if (!from)
            return -EFAULT;
        event.events = from->events;
        event.data.u64 = from->data;
        c->host[3] = (uintptr_t)&event;
    }
    return os_call(SYS_epoll_ctl, c->host);
}

static int64_t wait_for_events(struct call *c, long number)
{
    struct epoll_event events[EPOLL_MOST];
    int64_t most = (int32_t)c->args[2];
    if (most <= 0 || most > INT32_MAX / (int64_t)sizeof(struct guest_epoll_event))
        return -EINVAL;
    most = (int64_t)min_u64((uint64_t)most, EPOLL_MOST);
    struct guest_epoll_event *to = call_at(c, c->args[1], (uint64_t)most * sizeof *to, SPACE_WRITE);
    if (!to)
        return -EFAULT;
    if (c->args[4]) {
        c->host[4] = (uintptr_t)call_at(c, c->args[4], SIGSET_BYTES, SPACE_READ);
        if (!c->host[4])
            return -EFAULT;
    }
    c->host[1] = (uintptr_t)events;
    c->host[2] = (uint64_t)most;
    int64_t n = os_call(number, c->host);
    for (int64_t i = 0; i < n; i++)
        to[i] = (struct guest_epoll_event){.events = events[i].events, .data = events[i].data.u64};
    return n;
}

int64_t call_epoll_pwait(struct call *c)
{
    return wait_for_events(c, SYS_epoll_pwait);
}

int64_t call_epoll_pwait2(struct call *c)
{
    return wait_for_events(c, SYS_epoll_pwait2);
}

/* A process's timers: the host's, whose signals are the program's. */
#include "syscall/call.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGEVENT_BYTES 64u /* the same on every 64-bit Linux */

int64_t call_timer_create(struct call *c)
{
    struct process *p = c->p;
    uint8_t event[SIGEVENT_BYTES];
    if (p->timer_count == TIMERS_MOST)
        return -EAGAIN;
    if (c->args[1]) {
        const void *given = call_at(c, c->args[1], sizeof event, SPACE_READ);
        if (!given)
            return -EFAULT;
        memcpy(event, given, sizeof event);
        c->host[1] = (uintptr_t)event;
    }
    int32_t id = -1;
    guest_i32 *to = (guest_i32 *)(uintptr_t)c->host[2];
    c->host[2] = to ? (uintptr_t)&id : 0;
    int64_t result = os_call(SYS_timer_create, c->host);
    if (result < 0)
        return result;
    p->timers[p->timer_count++] = id;
    *to = id;
    return result;
}

int64_t call_timer_delete(struct call *c)
{
    struct process *p = c->p;
    int64_t result = os_call(SYS_timer_delete, c->host);
    for (unsigned i = 0; result == 0 && i < p->timer_count; i++)
        if (p->timers[i] == (int32_t)c->args[0])
            p->timers[i] = p->timers[--p->timer_count];
    return result;
}

void process_delete_timers(struct process *p)
{
    while (p->timer_count)
        syscall(SYS_timer_delete, p->timers[--p->timer_count]);
}

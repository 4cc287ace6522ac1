/* Calls on signals. */
#include "syscall/call.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGSET_BYTES 8u
#define ALT_LEAST    2048u /* MINSIGSTKSZ of asm-generic */

enum { STACK_ON = 1, STACK_OFF = 2 };
#define STACK_AUTODISARM (1u << 31)

int64_t call_rt_sigaction(struct call *c)
{
    struct process *p = c->p;
    int number = (int)c->args[0];
    if (c->args[3] != SIGSET_BYTES || number < 1 || number >= (int)SIGNALS)
        return -EINVAL;
    struct guest_action old = p->signals.actions[number], new;
    if (c->host[1]) {
        memcpy(&new, (void *)(uintptr_t)c->host[1], sizeof new);
        int64_t error = signals_set_action(p, number, &new);
        if (error)
            return error;
    }
    if (c->args[2]) {
        void *to = call_at(c, c->args[2], sizeof old, SPACE_WRITE);
        if (!to)
            return -EFAULT;
        memcpy(to, &old, sizeof old);
    }
    return 0;
}

int64_t call_rt_sigprocmask(struct call *c)
{
    struct process *p = c->p;
    uint64_t old = p->signals.mask, set = 0;
    if (c->args[3] != SIGSET_BYTES)
        return -EINVAL;
    if (c->host[1]) {
        memcpy(&set, (void *)(uintptr_t)c->host[1], sizeof set);
        if (c->args[0] == SIG_BLOCK)
            signals_set_mask(p, old | set);
        else if (c->args[0] == SIG_UNBLOCK)
            signals_set_mask(p, old & ~set);
        else if (c->args[0] == SIG_SETMASK)
            signals_set_mask(p, set);
        else
            return -EINVAL;
    }
    if (c->host[2])
        memcpy((void *)(uintptr_t)c->host[2], &old, sizeof old);
    return 0;
}

int64_t call_rt_sigreturn(struct call *c)
{
    if (!signals_return(c->p))
        process_fault(c->p, SIGSEGV, SI_KERNEL, c->p->hart->x[X_SP]);
    return 0;
}

int64_t call_rt_sigpending(struct call *c)
{
    return c->host[0] ? os_call(SYS_rt_sigpending, c->host) : -EFAULT;
}

int64_t call_rt_sigsuspend(struct call *c)
{
    return c->host[0] ? os_call(SYS_rt_sigsuspend, c->host) : -EFAULT;
}

int64_t call_rt_sigtimedwait(struct call *c)
{
    return c->host[0] ? os_call(SYS_rt_sigtimedwait, c->host) : -EFAULT;
}

int64_t call_rt_sigqueueinfo(struct call *c)
{
    return c->host[2] ? os_call(SYS_rt_sigqueueinfo, c->host) : -EFAULT;
}

int64_t call_rt_tgsigqueueinfo(struct call *c)
{
    return c->host[3] ? os_call(SYS_rt_tgsigqueueinfo, c->host) : -EFAULT;
}

/* ---- the other stack ---- */

struct guest_stack {
    uint64_t base;
    uint32_t flags, unused;
    uint64_t bytes;
};

static int64_t set_stack(struct process *p, const struct guest_stack *new)
{
    uint32_t mode = new->flags & ~STACK_AUTODISARM;
    if (signals_on_alt_stack(p))
        return -EPERM;
    if (mode != 0 && mode != STACK_ON && mode != STACK_OFF)
        return -EINVAL;
    if (mode != STACK_OFF && new->bytes < ALT_LEAST)
        return -ENOMEM;
    p->signals.alt_base = mode == STACK_OFF ? 0 : new->base;
    p->signals.alt_bytes = mode == STACK_OFF ? 0 : new->bytes;
    p->signals.alt_disarms = new->flags &STACK_AUTODISARM;
    return 0;
}

int64_t call_sigaltstack(struct call *c)
{
    struct process *p = c->p;
    struct guest_stack new, old = {.base = p->signals.alt_base, .bytes = p->signals.alt_bytes};
    old.flags = !old.bytes                ? STACK_OFF
                : signals_on_alt_stack(p) ? STACK_ON
                : p->signals.alt_disarms  ? STACK_AUTODISARM
                                          : 0;
    if (c->host[0]) {
        memcpy(&new, (void *)(uintptr_t)c->host[0], sizeof new);
        int64_t error = set_stack(p, &new);
        if (error)
            return error;
    }
    if (c->host[1])
        memcpy((void *)(uintptr_t)c->host[1], &old, sizeof old);
    return 0;
}

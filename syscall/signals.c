/* Handlers and their frames (contract: signals.h). Linux: arch/riscv/kernel/signal.c lays the frame
 * out as struct rt_sigframe { siginfo; ucontext }. */
#include "syscall/signals.h"

#include "base/os_process.h"
#include "syscall/process.h"

#include <errno.h>
#include <signal.h>

/* Flags of sigaction (asm-generic). */
#define ACTION_NODEFER   0x40000000ull
#define ACTION_RESETHAND 0x80000000ull
#define ACTION_ONSTACK   0x08000000ull
#define ACTION_RESTART   0x10000000ull

#define HANDLER_DEFAULT 0ull
#define HANDLER_IGNORE  1ull

#define STACK_ON_STACK   1u
#define STACK_DISABLE    2u
#define STACK_AUTODISARM (1u << 31)

struct frame {
    uint8_t info[OS_SIGINFO_BYTES];
    uint64_t flags, link;
    uint64_t stack_base;
    uint32_t stack_flags, unused;
    uint64_t stack_bytes;
    uint64_t mask;
    uint8_t reserved[120];
    uint64_t before_context; /* the registers are aligned to 16 */
    uint64_t pc;
    uint64_t x[31]; /* x1 to x31 */
    uint64_t f[32];
    uint32_t fcsr, reserved_fp[67]; /* to the size of the widest FP state */
} __attribute__((packed));          /* for rt_sigreturn sp is any */
_Static_assert(sizeof(struct frame) == 1088, "struct rt_sigframe");

static uint64_t bit_of(int number)
{
    return 1ull << (number - 1);
}

static const uint64_t unblockable = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);

void signals_set_mask(struct process *p, uint64_t mask)
{
    p->signals.mask = mask & ~unblockable;
    if (!os_signal_waits()) /* else all are blocked until it is delivered */
        os_signal_mask(p->signals.mask);
}

/* What a signal does to a program that does nothing about it. */
static bool is_harmless(int number)
{
    return number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH;
}

static bool stops(int number)
{
    return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* A signal that ends a program is the host's to act on, unless somebody is to hear of it before:
 * of SIGABRT whoever reads standard error. */
static void tell_host(const struct process *p, int number)
{
    uint64_t handler = p->signals.actions[number].handler;
    bool seen =
        number == SIGABRT || (p->inspection.is_on && !is_harmless(number) && !stops(number));
    os_signal_set(number, handler == HANDLER_IGNORE             ? OS_SIGNAL_IGNORE
                          : handler == HANDLER_DEFAULT && !seen ? OS_SIGNAL_DEFAULT
                                                                : OS_SIGNAL_CATCH);
}

void signals_tell_host(const struct process *p)
{
    for (int number = 1; number < (int)SIGNALS; number++)
        if (!(unblockable & bit_of(number)) &&
            p->signals.actions[number].handler == HANDLER_DEFAULT)
            tell_host(p, number);
}

void signals_init(struct process *p)
{
    p->signals.mask = os_signal_first_mask();
    for (int number = 1; number < (int)SIGNALS; number++)
        if (os_signal_is_ignored(number))
            p->signals.actions[number].handler = HANDLER_IGNORE;
    tell_host(p, SIGABRT);
}

void signals_reset(struct process *p)
{
    struct signals *s = &p->signals;
    for (int number = 1; number < (int)SIGNALS; number++) {
        bool ignored = s->actions[number].handler == HANDLER_IGNORE;
        bool handled = s->actions[number].handler > HANDLER_IGNORE;
        s->actions[number] = (struct guest_action){.handler = ignored};
        if (handled)
            tell_host(p, number);
    }
    s->alt_base = s->alt_bytes = 0;
    s->alt_disarms = false;
    s->interrupted = INTERRUPTED_NOT;
}

int64_t signals_set_action(struct process *p, int number, const struct guest_action *action)
{
    if (number < 1 || number >= (int)SIGNALS || unblockable & bit_of(number))
        return -EINVAL;
    p->signals.actions[number] = *action;
    tell_host(p, number);
    return 0;
}

bool signals_on_alt_stack(const struct process *p)
{
    const struct signals *s = &p->signals;
    return !s->alt_disarms && p->hart->x[X_SP] - s->alt_base - 1 < s->alt_bytes;
}

/* ---- frames ---- */

/* Where the frame goes: on the other stack if the handler wants it and it is not in use. */
static uint64_t frame_place(const struct process *p, const struct guest_action *action)
{
    uint64_t top = p->hart->x[X_SP];
    if (action->flags & ACTION_ONSTACK && p->signals.alt_bytes && !signals_on_alt_stack(p))
        top = p->signals.alt_base + p->signals.alt_bytes;
    return (top - sizeof(struct frame)) & ~15ull;
}

static uint32_t alt_flags(const struct process *p)
{
    if (!p->signals.alt_bytes)
        return STACK_DISABLE;
    return (signals_on_alt_stack(p) ? STACK_ON_STACK : 0) |
           (p->signals.alt_disarms ? STACK_AUTODISARM : 0);
}

static void fill_frame(const struct process *p, struct frame *f, const void *siginfo)
{
    const struct hart *h = p->hart;
    memset(f, 0, sizeof *f);
    memcpy(f->info, siginfo, sizeof f->info);
    f->stack_base = p->signals.alt_base;
    f->stack_flags = alt_flags(p);
    f->stack_bytes = p->signals.alt_bytes;
    f->mask = p->signals.mask;
    f->pc = h->pc;
    memcpy(f->x, &h->x[1], sizeof f->x);
    memcpy(f->f, h->f, sizeof f->f);
    f->fcsr = (uint32_t)h->frm << 5 | h->fflags;
}

/* False: the stack has no room for it. */
static bool enter_handler(struct process *p, int number, const void *siginfo)
{
    struct guest_action *action = &p->signals.actions[number];
    struct hart *h = p->hart;
    uint64_t va = frame_place(p, action);
    struct frame *frame = space_at(&p->space, va, sizeof *frame, SPACE_WRITE);
    if (!frame)
        return false;
    fill_frame(p, frame, siginfo);
    if (p->signals.alt_disarms)
        p->signals.alt_bytes = 0;
    h->x[X_RA] = p->signals.trampoline;
    h->x[X_SP] = va;
    h->x[X_A0] = (uint64_t)number;
    h->x[X_A0 + 1] = va + offsetof(struct frame, info);
    h->x[X_A0 + 2] = va + offsetof(struct frame, flags);
    h->pc = action->handler & ~1ull;
    uint64_t mask = p->signals.mask | action->mask;
    if (!(action->flags & ACTION_NODEFER))
        mask |= bit_of(number);
    if (action->flags & ACTION_RESETHAND)
        signals_set_action(p, number, &(struct guest_action){.flags = action->flags});
    signals_set_mask(p, mask);
    return true;
}

bool signals_return(struct process *p)
{
    struct hart *h = p->hart;
    const struct frame *f = space_at(&p->space, h->x[X_SP], sizeof *f, SPACE_READ);
    if (!f || f->pc & 1)
        return false;
    h->pc = f->pc;
    memcpy(&h->x[1], f->x, sizeof f->x);
    memcpy(h->f, f->f, sizeof f->f);
    h->frm = f->fcsr >> 5 & 7;
    h->fflags = f->fcsr & 31;
    h->csr.mstatus |= MSTATUS_FS;
    hart_update_code_context(h);
    h->reservation_valid = false;
    if (p->signals.alt_disarms || !(f->stack_flags & STACK_ON_STACK)) {
        p->signals.alt_base = f->stack_base;
        p->signals.alt_bytes = f->stack_flags & STACK_DISABLE ? 0 : f->stack_bytes;
    }
    p->signals.interrupted = INTERRUPTED_NOT;
    signals_set_mask(p, f->mask);
    return true;
}

/* ---- delivery ---- */

/* Behind the ecall with its result, or before it again. */
static void settle_call(struct process *p, bool restarts)
{
    struct hart *h = p->hart;
    bool again = p->signals.interrupted != INTERRUPTED_NOT && restarts;
    p->signals.interrupted = INTERRUPTED_NOT;
    if (!again)
        return;
    h->x[X_A0] = p->signals.interrupted_a0;
    h->pc -= 4;
}

void signals_drop(struct process *p)
{
    settle_call(p, true);
    signals_set_mask(p, p->signals.mask);
}

void signals_take(struct process *p, int number, const void *siginfo)
{
    const struct guest_action *action = &p->signals.actions[number];
    if (action->handler > HANDLER_IGNORE) {
        settle_call(p, p->signals.interrupted == INTERRUPTED_BEFORE ||
                           (p->signals.interrupted == INTERRUPTED_RESTARTS &&
                            action->flags & ACTION_RESTART));
        if (!enter_handler(p, number, siginfo))
            process_die(p, SIGSEGV);
        return;
    }
    if (action->handler == HANDLER_DEFAULT && !is_harmless(number)) {
        if (number == SIGABRT)
            process_report(p, number, NULL);
        process_die(p, number);
    }
    signals_drop(p);
}

void signals_deliver(struct process *p)
{
    uint8_t siginfo[OS_SIGINFO_BYTES];
    int number = os_signal_take(siginfo);
    if (os_is_attention(siginfo)) {
        p->inspection.attention = true;
        signals_drop(p);
    } else if (number && !inspect_holds(p, number, false, siginfo)) {
        signals_take(p, number, siginfo);
    }
}

bool signals_raise(struct process *p, int number, const void *siginfo)
{
    bool blocked = p->signals.mask & bit_of(number);
    if (blocked || p->signals.actions[number].handler <= HANDLER_IGNORE)
        return false;
    return enter_handler(p, number, siginfo);
}

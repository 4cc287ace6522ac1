/* A program's signals. The host's kernel delivers them, holds back what is masked, and remembers
 * what waits; here are the handlers of the guest, and the frames that they run in. */
#ifndef RIVULET_SYSCALL_SIGNALS_H
#define RIVULET_SYSCALL_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#define SIGNALS 65u

/* struct sigaction of RISC-V's kernel: no restorer. */
struct guest_action {
    uint64_t handler, flags, mask;
};

/* A call that a signal interrupted: how it goes on is decided when the signal is delivered. */
enum interrupted {
    INTERRUPTED_NOT,
    INTERRUPTED_FAILS,    /* EINTR, when a handler runs */
    INTERRUPTED_RESTARTS, /* again, if the handler was set with SA_RESTART */
    INTERRUPTED_BEFORE,   /* again: the signal came before the call */
};

struct signals {
    struct guest_action actions[SIGNALS];
    uint64_t mask;
    uint64_t alt_base, alt_bytes; /* sigaltstack; 0 bytes: none */
    bool alt_disarms;             /* SS_AUTODISARM */
    uint64_t trampoline;          /* address of the code that a handler returns to */
    enum interrupted interrupted;
    uint64_t interrupted_a0;
};

struct process;

/* As the host's process was started. */
void signals_init(struct process *p);
/* What execve leaves. */
void signals_reset(struct process *p);
/* Has the host do what inspection.is_on asks for. */
void signals_tell_host(const struct process *p);
/* Delivers what waits, if it does. */
void signals_deliver(struct process *p);
/* Delivers this one, or nothing: what a call was interrupted for is settled. */
void signals_take(struct process *p, int number, const void *siginfo);
void signals_drop(struct process *p);
/* rt_sigreturn: false when the frame cannot be read. */
bool signals_return(struct process *p);
int64_t signals_set_action(struct process *p, int number, const struct guest_action *action);
void signals_set_mask(struct process *p, uint64_t mask);
bool signals_on_alt_stack(const struct process *p);
/* Runs a handler for a signal that the program's own instruction raised; false: there is none. */
bool signals_raise(struct process *p, int number, const void *siginfo);

#endif

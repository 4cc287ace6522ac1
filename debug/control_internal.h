/* What the files of the control share. */
#ifndef RIVULET_DEBUG_CONTROL_INTERNAL_H
#define RIVULET_DEBUG_CONTROL_INTERNAL_H

#include "debug/control.h"

/* One control_call, on its caller's stack. */
struct call {
    void (*work)(void *owner);
    void *owner;
    const struct control_caller *caller; /* NULL: nobody sends it away */
    bool is_done;
    struct call *next;
};

struct control {
    struct control_config config;
    struct target target; /* control_kick reads it, in a signal handler even */
    struct os_wake *wake;
    struct os_mutex *mutex;
    struct os_condition *answered;
    /* Under the mutex. */
    struct call *calls;
    bool is_closed;
    /* The machine's thread's. */
    enum run_state state;
    enum control_result result;
    struct machine_exit exit;
    struct error failure; /* CONTROL_FAILED */
    struct control_breakpoint *breakpoints;
    struct control_watchpoint *watchpoints;
    /* control_step_while; NULL: the step is over when the machine says so. */
    bool (*more)(void *owner, unsigned hart);
    void *more_owner;
    struct control_observer *observers;
    struct control_work *deferred;
    bool travels;     /* control_travel */
    bool ends_travel; /* somebody wants it to stop */
};

/* Calls and deferred work that wait. */
void control_serve(struct control *c);
void control_tell(struct control *c, enum control_event event, bool by_guest);
/* It stands now, by this exit. */
void control_end_run(struct control *c, enum run_state state, struct machine_exit exit);

#endif

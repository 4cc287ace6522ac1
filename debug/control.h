/* Who lets a machine run. One control stands between a machine and all that stop it, look into it
 * and let it go on: the monitor, gdb, QMP, the program's own end.
 *
 * The machine has one thread, the one that calls control_run. All of the machine is touched on that
 * thread alone, between two runs of it. Another thread that wants something hands a function over
 * with control_call; it is called soon whether the machine runs, sleeps or is stopped. So nobody
 * else needs a lock, and nothing that only looks can change what the guest computes: with icount,
 * stopping, stepping and going on leave no trace in the state.
 *
 * While the machine is stopped virtual time stands still, with the host's clock too. Input from
 * outside waits at the door.
 *
 * Functions of the first part are for any thread, those of the second for the machine's thread: for
 * the client that runs the machine, for what control_call calls, and for observers. */
#ifndef RIVULET_DEBUG_CONTROL_H
#define RIVULET_DEBUG_CONTROL_H

#include "debug/target.h"
#include "machine/edit.h"

/* QEMU's RunState. Only in RUN_RUNNING does the machine run. */
enum run_state {
    RUN_RUNNING,
    RUN_PAUSED,    /* somebody asked */
    RUN_PRELAUNCH, /* not started, or reset while it was stopped */
    RUN_DEBUG,     /* a breakpoint, or the end of a step */
    RUN_SHUTDOWN,  /* the guest is off and the program stays: only a reset leads on */
    RUN_IO_ERROR,  /* a disk's error stopped it: going on tries again */
    RUN_STATES,
};

/* "running", "paused", "prelaunch", ... */
const char *run_state_name(enum run_state state);

struct control;

struct control_config {
    bool starts_stopped; /* -S: begins in RUN_PRELAUNCH */
    bool no_shutdown;    /* the guest's power-off stops the machine and does not end the program */
    bool no_reboot;      /* a reset ends the program, whoever asks for it */
};

/* The machine stays the caller's, and outlives the control. It is made with no_reboot set: resets
 * are then done here, and seen by observers. */
struct control *control_create(struct machine *m, const struct control_config *config,
                               struct error *err);
/* For a program in place of a machine, which is this thread's alone: nobody calls, nothing sleeps.
 */
struct control *control_create_for_program(const struct target_program *program,
                                           const struct control_config *config, struct error *err);
void control_destroy(struct control *c);

/* --- any thread --------------------------------------------------------------------------- */

/* Has work(owner) called on the machine's thread, between two runs, and waits until it has been.
 * There is no order between the calls of several threads. False: control_close came first, and it
 * will not be called. The machine's thread itself must not call this, nor anybody who holds a lock
 * that the machine's thread might take (that of a byte sink, for example). */
bool control_call(struct control *c, void (*work)(void *owner), void *owner);
/* The same for a caller whom the machine's thread may send away: it is then called no more, and who
 * waits gets false. Not while work() of one of its calls runs. */
struct control_caller {
    bool is_sent_away; /* the control's; false at first */
};
bool control_call_as(struct control *c, const struct control_caller *caller,
                     void (*work)(void *owner), void *owner);
void control_send_away(struct control *c, struct control_caller *caller);

/* Makes control_run return soon. Also for signal handlers. */
void control_kick(struct control *c);

/* --- the machine's thread: running ---------------------------------------------------------- */

enum control_result {
    CONTROL_GOES_ON,     /* one of the limits, a kick, or nothing: look, and call again */
    CONTROL_GUEST_ENDED, /* control_exit tells how */
    CONTROL_QUIT,        /* control_quit */
    CONTROL_FAILED,      /* err: a reset by the guest found its files gone */
};

/* Serves what other threads call; lets the machine run, if it may, to until_ns of virtual time; if
 * it is stopped sleeps until somebody calls, but not longer than sleep_ns of host time. UINT64_MAX:
 * no limit. After the end, ended runs return at once with the same result. */
enum control_result control_run(struct control *c, uint64_t until_ns, uint64_t sleep_ns,
                                struct error *err);
/* How the guest ended (CONTROL_GUEST_ENDED), or why the machine stopped last. */
struct machine_exit control_exit(const struct control *c);

/* From now on control_call returns false, also to those who wait in it. Before the threads that
 * call are joined. */
void control_close(struct control *c);

/* Another machine takes the place of this one (machine_succeed): it gets all breakpoints
 * and watchpoints. The old one may be destroyed afterwards. False and err: no memory for one. */
bool control_replace_machine(struct control *c, struct machine *m, struct error *err) MUST_CHECK;

/* --- the machine's thread: stopping and looking --------------------------------------------- */

/* Changes with control_replace_machine: do not keep it. */
struct machine *control_machine(const struct control *c);              /* NULL: it is a program's */
const struct target_program *control_program(const struct control *c); /* or NULL */
/* NULL: there are not so many. */
struct hart *control_hart(const struct control *c, unsigned id);
/* The sum of all harts'. */
uint64_t control_steps(const struct control *c);
enum run_state control_state(const struct control *c);

/* What is asked for takes effect before the machine runs again, and observers are told at once.
 * Stopping what is stopped and continuing what runs has no effect. */
void control_stop(struct control *c, enum run_state why);
/* False and err: the guest is off, and needs a reset. */
bool control_continue(struct control *c, struct error *err) MUST_CHECK;
/* Lets the machine run until this hart has made so many more steps (instructions and traps), at
 * least one; then it stops in RUN_DEBUG, exit MACHINE_STEPPED. The other harts run in their turns
 * as ever. A hart that sleeps or is stopped makes no steps: stop again to give up. It is not there
 * yet when this returns: wait for CONTROL_STOPPED. */
bool control_step(struct control *c, unsigned hart, uint64_t steps, struct error *err) MUST_CHECK;
/* Steps as long as more(owner, hart), which is asked behind each step, says so. A breakpoint, a
 * watchpoint or control_stop ends it too. Observers see one stop. */
bool control_step_while(struct control *c, unsigned hart, bool (*more)(void *owner, unsigned hart),
                        void *owner, struct error *err) MUST_CHECK;
/* Nobody asks more(owner) again: a step of it that is under way is its last. */
void control_forget_step(struct control *c, const void *owner);
/* Lets the machine run until all harts together have made so many steps; then as control_step. */
bool control_run_until(struct control *c, uint64_t steps, struct error *err) MUST_CHECK;
/* Has the machine moved to another moment of its past (machine/history.h) by move(), at once, from
 * whatever state; it is then in RUN_DEBUG, and observers have seen it resume and stop. `exit` is
 * what control_exit says then. Others may look meanwhile; control_stop ends it, and the machine is
 * then, in RUN_PAUSED, where it was. Without a past nothing happens, and a guest that is off when
 * it began is off there still. */
bool control_travel(struct control *c,
                    bool (*move)(void *owner, struct machine *m, struct machine_exit *exit,
                                 struct error *err),
                    void *owner, struct error *err) MUST_CHECK;
/* A change that somebody makes by hand (machine/edit.h), and whether there can be any now. */
bool control_edit(struct control *c, const struct machine_edit *e, struct error *err) MUST_CHECK;
bool control_may_edit(const struct control *c, struct error *err) MUST_CHECK;
/* The machine's past becomes its present (machine_branch), and it stops if it runs. */
bool control_branch(struct control *c, struct error *err) MUST_CHECK;
/* Whether no journey is under way: those who are served meanwhile can only look, or stop it. */
bool control_is_free(const struct control *c, struct error *err) MUST_CHECK;
/* For move(), now and then: serves what other threads call. False: it is to come to an end. */
bool control_attend(struct control *c);
/* Whether a breakpoint where the hart stands stops the machine: for who looks for them. */
bool control_is_hit(struct control *c, unsigned hart);
/* At once; a stopped machine is then in RUN_PRELAUNCH. With no_reboot the end. False and err: what
 * must be loaded again is not there any more; the machine is stopped. */
bool control_reset(struct control *c, struct error *err) MUST_CHECK;
/* The machine becomes that of a snapshot (machine/snapshot.h), a file or a name, and runs on if it
 * ran. False and
 * err: nothing has changed; or the file was good and its state was not, and then the machine is
 * stopped and needs a reset. */
bool control_load(struct control *c, const char *where, struct error *err) MUST_CHECK;
/* The same, to the machine's checkpoint (machine/checkpoint.h). */
bool control_return(struct control *c, struct error *err) MUST_CHECK;
/* The end of the program, status 0. */
void control_quit(struct control *c);

/* --- the machine's thread: breakpoints, watchpoints ------------------------------------------- */

/* At a virtual address, for every hart. `hit` says whether the machine stops there (RUN_DEBUG, exit
 * MACHINE_BREAKPOINT); NULL: it does. Several clients may have one at the same address: all are
 * asked, and one is enough. It may look at everything and change nothing. */
struct control_breakpoint {
    uint64_t va;
    bool (*hit)(void *owner, unsigned hart);
    void *owner;
    struct control_breakpoint *next; /* the control's */
};

/* The breakpoint stays the caller's until it is removed. False: no memory. */
bool control_add_breakpoint(struct control *c, struct control_breakpoint *b) MUST_CHECK;
void control_remove_breakpoint(struct control *c, struct control_breakpoint *b);
/* Whether anybody has one there. */
bool control_has_breakpoint(const struct control *c, uint64_t va);

/* The machine stops behind an instruction that touched the bytes (RUN_DEBUG, exit
 * MACHINE_WATCHPOINT). */
struct control_watchpoint {
    struct watch watch;
    struct control_watchpoint *next; /* the control's */
};

/* The watchpoint stays the caller's until it is removed. False: no memory. */
bool control_add_watchpoint(struct control *c, struct control_watchpoint *w) MUST_CHECK;
void control_remove_watchpoint(struct control *c, struct control_watchpoint *w);

/* --- the machine's thread: being told ------------------------------------------------------- */

enum control_event {
    CONTROL_STOPPED,    /* control_state and control_exit say why */
    CONTROL_RESUMED,    /* it is about to run */
    CONTROL_RESET,      /* it has been reset, stopped or not */
    CONTROL_LOADED,     /* control_load: it is another moment's */
    CONTROL_SHUTDOWN,   /* the guest is off, or the program is to end; once */
    CONTROL_DISK_ERROR, /* the host could not do what a disk was asked; it may stop for it */
};

struct control_news {
    enum control_event event;
    bool by_guest;                               /* RESET, SHUTDOWN: the guest asked for it */
    const struct machine_disk_error *disk_error; /* DISK_ERROR */
};

/* Called at the moment of the change, in the order of control_observe. An observer looks, and
 * changes nothing: what it wants to change it leaves to control_defer. */
struct control_observer {
    void (*tell)(void *owner, const struct control_news *news);
    void *owner;
    struct control_observer *next; /* the control's */
};

/* The observer stays the caller's until it is removed. */
void control_observe(struct control *c, struct control_observer *o);
void control_unobserve(struct control *c, struct control_observer *o);

struct control_work {
    void (*work)(void *owner);
    void *owner;
    struct control_work *next; /* the control's */
};

/* Has work(owner) called once, soon, and before the machine runs again; what is deferred already
 * stays so. The work stays the caller's until it is called or cancelled. */
void control_defer(struct control *c, struct control_work *w);
void control_cancel(struct control *c, struct control_work *w);

#endif

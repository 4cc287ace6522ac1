/* Who lets a machine run (contract: control.h).
 *
 * The mutex guards the list of calls and the end of calling, nothing else: all that is left belongs
 * to the machine's thread. A call that waits has asked the machine to stop and has signalled
 * `wake`, so that it is seen from a run and from a sleep alike. */
#include "debug/control_internal.h"

#include "base/os.h"
#include "cpu/hart.h"
#include "machine/checkpoint.h"
#include "machine/history.h"
#include "machine/record.h"
#include "machine/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATES] = {
        [RUN_RUNNING] = "running", [RUN_PAUSED] = "paused",     [RUN_PRELAUNCH] = "prelaunch",
        [RUN_DEBUG] = "debug",     [RUN_SHUTDOWN] = "shutdown", [RUN_IO_ERROR] = "io-error",
    };
    return names[state];
}

/* --- observers --------------------------------------------------------------------------- */

static void tell_news(struct control *c, const struct control_news *news)
{
    struct control_observer *next;
    for (struct control_observer *o = c->observers; o; o = next) {
        next = o->next; /* it may remove itself */
        o->tell(o->owner, news);
    }
}

void control_tell(struct control *c, enum control_event event, bool by_guest)
{
    tell_news(c, &(struct control_news){.event = event, .by_guest = by_guest});
}

static void on_disk_error(void *owner, const struct machine_disk_error *error)
{
    tell_news(owner, &(struct control_news){.event = CONTROL_DISK_ERROR, .disk_error = error});
}

void control_observe(struct control *c, struct control_observer *o)
{
    struct control_observer **last = &c->observers;
    while (*last)
        last = &(*last)->next;
    o->next = NULL;
    *last = o;
}

void control_unobserve(struct control *c, struct control_observer *o)
{
    struct control_observer **at = &c->observers;
    while (*at && *at != o)
        at = &(*at)->next;
    if (*at)
        *at = o->next;
}

/* --- life -------------------------------------------------------------------------------- */

/* A program's has no other thread that could wake it. */
static struct control *create(struct machine *m, const struct target_program *program,
                              const struct control_config *config, struct error *err)
{
    struct control *c = calloc(1, sizeof *c);
    if (c) {
        c->config = *config;
        c->state = config->starts_stopped ? RUN_PRELAUNCH : RUN_RUNNING;
        c->exit = (struct machine_exit){.stop = MACHINE_REQUEST};
        c->target.program = program;
        atomic_init(&c->target.machine, m);
        c->wake = m ? os_wake_create() : NULL;
        c->mutex = os_mutex_create();
        c->answered = os_condition_create();
    }
    if (c && (c->wake || !m) && c->mutex && c->answered)
        return c;
    control_destroy(c);
    error_set(err, "no memory for the control of the machine");
    return NULL;
}

struct control *control_create(struct machine *m, const struct control_config *config,
                               struct error *err)
{
    struct control *c = create(m, NULL, config, err);
    if (c)
        machine_on_disk_error(m, on_disk_error, c);
    return c;
}

struct control *control_create_for_program(const struct target_program *program,
                                           const struct control_config *config, struct error *err)
{
    return create(NULL, program, config, err);
}

void control_destroy(struct control *c)
{
    if (!c)
        return;
    if (control_machine(c))
        machine_on_disk_error(control_machine(c), NULL, NULL);
    os_condition_destroy(c->answered);
    os_mutex_destroy(c->mutex);
    os_wake_destroy(c->wake);
    free(c);
}

struct machine *control_machine(const struct control *c)
{
    return atomic_load(&c->target.machine);
}

const struct target_program *control_program(const struct control *c)
{
    return c->target.program;
}

struct hart *control_hart(const struct control *c, unsigned id)
{
    return target_hart(&c->target, id);
}

uint64_t control_steps(const struct control *c)
{
    return target_steps(&c->target);
}

enum run_state control_state(const struct control *c)
{
    return c->state;
}

struct machine_exit control_exit(const struct control *c)
{
    return c->exit;
}

/* --- calls of other threads, and deferred work -------------------------------------------- */

void control_kick(struct control *c)
{
    target_request_stop(&c->target);
    if (c->wake)
        os_wake_signal(c->wake);
}

static void enqueue(struct control *c, struct call *call)
{
    struct call **last = &c->calls;
    while (*last)
        last = &(*last)->next;
    *last = call;
}

static bool is_refused(const struct control *c, const struct control_caller *caller)
{
    return c->is_closed || (caller && caller->is_sent_away);
}

/* The machine is asked to stop under the mutex: a machine that is replaced is not touched later. */
bool control_call_as(struct control *c, const struct control_caller *caller,
                     void (*work)(void *owner), void *owner)
{
    struct call call = {.work = work, .owner = owner, .caller = caller};
    os_mutex_lock(c->mutex);
    if (!is_refused(c, caller)) {
        enqueue(c, &call);
        control_kick(c);
    }
    while (!call.is_done && !is_refused(c, caller))
        os_condition_wait(c->answered, c->mutex);
    os_mutex_unlock(c->mutex);
    return call.is_done;
}

bool control_call(struct control *c, void (*work)(void *owner), void *owner)
{
    return control_call_as(c, NULL, work, owner);
}

void control_send_away(struct control *c, struct control_caller *caller)
{
    os_mutex_lock(c->mutex);
    caller->is_sent_away = true;
    for (struct call **at = &c->calls; *at;)
        if ((*at)->caller == caller)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    os_condition_broadcast(c->answered);
    os_mutex_unlock(c->mutex);
}

void control_defer(struct control *c, struct control_work *w)
{
    struct control_work **last = &c->deferred;
    while (*last && *last != w)
        last = &(*last)->next;
    if (*last)
        return;
    w->next = NULL;
    *last = w;
}

void control_cancel(struct control *c, struct control_work *w)
{
    struct control_work **at = &c->deferred;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

void control_serve(struct control *c)
{
    while (c->deferred && c->result == CONTROL_GOES_ON) {
        struct control_work *w = c->deferred;
        c->deferred = w->next;
        w->work(w->owner);
    }
    os_mutex_lock(c->mutex);
    while (c->calls && c->result == CONTROL_GOES_ON) {
        struct call *call = c->calls;
        c->calls = call->next;
        os_mutex_unlock(c->mutex);
        call->work(call->owner);
        os_mutex_lock(c->mutex);
        call->is_done = true;
        os_condition_broadcast(c->answered);
    }
    os_mutex_unlock(c->mutex);
}

void control_close(struct control *c)
{
    os_mutex_lock(c->mutex);
    c->is_closed = true;
    c->calls = NULL;
    os_condition_broadcast(c->answered);
    os_mutex_unlock(c->mutex);
}

/* --- stopping and going on --------------------------------------------------------------- */

void control_end_run(struct control *c, enum run_state state, struct machine_exit exit)
{
    bool ran = c->state == RUN_RUNNING;
    c->exit = exit;
    c->state = state;
    target_stop_at(&c->target, 0, UINT64_MAX);
    target_stop_at_total(&c->target, UINT64_MAX);
    if (ran)
        control_tell(c, CONTROL_STOPPED, false);
}

void control_stop(struct control *c, enum run_state why)
{
    if (c->travels)
        c->ends_travel = true;
    else if (c->state == RUN_RUNNING)
        control_end_run(c, why, (struct machine_exit){.stop = MACHINE_REQUEST});
}

bool control_is_free(const struct control *c, struct error *err)
{
    return !c->travels || error_set(err, "the machine moves in its past: `stop` ends that");
}

bool control_continue(struct control *c, struct error *err)
{
    if (!control_is_free(c, err))
        return false;
    if (c->state == RUN_SHUTDOWN)
        return error_set(err, "the guest is off: reset the machine first (system_reset)");
    if (c->state == RUN_RUNNING)
        return true;
    c->state = RUN_RUNNING;
    control_tell(c, CONTROL_RESUMED, false);
    return true;
}

static bool begin_step(struct control *c, unsigned hart, uint64_t steps, struct error *err)
{
    const struct hart *h = target_hart(&c->target, hart);
    if (!h)
        return error_set(err, "there is no hart %u", hart);
    if (steps == 0 || steps > UINT64_MAX - h->steps)
        return error_set(err, "%llu steps are not possible", (unsigned long long)steps);
    if (!control_continue(c, err))
        return false;
    target_stop_at(&c->target, hart, h->steps + steps);
    return true;
}

bool control_step(struct control *c, unsigned hart, uint64_t steps, struct error *err)
{
    c->more = NULL;
    return begin_step(c, hart, steps, err);
}

bool control_step_while(struct control *c, unsigned hart, bool (*more)(void *owner, unsigned hart),
                        void *owner, struct error *err)
{
    c->more = more;
    c->more_owner = owner;
    return begin_step(c, hart, 1, err);
}

void control_forget_step(struct control *c, const void *owner)
{
    if (c->more && c->more_owner == owner)
        c->more = NULL;
}

bool control_run_until(struct control *c, uint64_t steps, struct error *err)
{
    uint64_t now = target_steps(&c->target);
    if (steps <= now)
        return error_set(err, "step %llu is over: it is step %llu", (unsigned long long)steps,
                         (unsigned long long)now);
    c->more = NULL;
    if (!control_continue(c, err))
        return false;
    target_stop_at_total(&c->target, steps);
    return true;
}

bool control_may_edit(const struct control *c, struct error *err)
{
    return control_is_free(c, err) &&
           (c->target.program || machine_may_edit(control_machine(c), err));
}

bool control_edit(struct control *c, const struct machine_edit *e, struct error *err)
{
    return control_is_free(c, err) && target_edit(&c->target, e, err);
}

bool control_branch(struct control *c, struct error *err)
{
    if (!control_is_free(c, err))
        return false;
    if (!machine_branch(control_machine(c), err))
        return false;
    control_stop(c, RUN_PAUSED);
    bool was_replay = c->exit.stop == MACHINE_REPLAYED || c->exit.stop == MACHINE_DIVERGED;
    if (c->state == RUN_SHUTDOWN && was_replay) /* its end is none of the run's */
        c->state = RUN_PAUSED;
    return true;
}

/* The machine is off for good, unless the program stays to look at it. */
static void shut_down(struct control *c, struct machine_exit exit, bool by_guest)
{
    control_tell(c, CONTROL_SHUTDOWN, by_guest);
    if (c->config.no_shutdown) {
        control_end_run(c, RUN_SHUTDOWN, exit);
        return;
    }
    c->exit = exit;
    c->result = CONTROL_GUEST_ENDED;
}

static bool reset(struct control *c, bool by_guest, struct error *err)
{
    if (c->config.no_reboot) {
        shut_down(c, (struct machine_exit){.stop = MACHINE_RESET}, by_guest);
        return true;
    }
    static const struct machine_edit edit = {.kind = EDIT_RESET};
    struct machine *m = control_machine(c);
    if (by_guest ? !machine_reset(m, err) : !machine_edit(m, &edit, err)) {
        /* Half a guest is no guest: it cannot go on. */
        control_end_run(c, RUN_SHUTDOWN, (struct machine_exit){.stop = MACHINE_RESET});
        return false;
    }
    if (c->state != RUN_RUNNING)
        c->state = RUN_PRELAUNCH;
    control_tell(c, CONTROL_RESET, by_guest);
    return true;
}

bool control_reset(struct control *c, struct error *err)
{
    if (c->target.program)
        return error_set(err, "a program cannot be reset");
    return control_may_edit(c, err) && reset(c, false, err);
}

/* What a load leaves behind. */
static bool end_load(struct control *c, bool ok, bool is_intact, struct error *err)
{
    struct error lost;
    if ((ok || !is_intact) && !machine_renew_history(control_machine(c), &lost) && ok)
        ok = error_set(err, "the machine is loaded, and its past is not kept: %.400s", lost.text);
    if (ok) {
        if (c->state != RUN_RUNNING)
            c->state = RUN_PAUSED;
        control_tell(c, CONTROL_LOADED, false);
    } else if (!is_intact) {
        control_end_run(c, RUN_SHUTDOWN, (struct machine_exit){.stop = MACHINE_RESET});
    }
    return ok;
}

bool control_load(struct control *c, const char *where, struct error *err)
{
    struct machine *m = control_machine(c);
    bool is_intact = true;
    bool ok =
        control_is_free(c, err) && machine_may_load(m, err) &&
        (snapshot_is_name(where) ? snapshot_load_named : snapshot_load)(m, where, &is_intact, err);
    return end_load(c, ok, is_intact, err);
}

bool control_return(struct control *c, struct error *err)
{
    bool is_intact = true;
    bool ok = control_is_free(c, err) && machine_return(control_machine(c), &is_intact, err);
    return end_load(c, ok, is_intact, err);
}

void control_quit(struct control *c)
{
    if (c->result != CONTROL_GOES_ON)
        return;
    c->result = CONTROL_QUIT;
    control_tell(c, CONTROL_SHUTDOWN, false);
}

/* --- breakpoints, watchpoints -------------------------------------------------------------- */

bool control_add_breakpoint(struct control *c, struct control_breakpoint *b)
{
    if (!target_add_breakpoint(&c->target, b->va))
        return false;
    b->next = c->breakpoints;
    c->breakpoints = b;
    return true;
}

bool control_has_breakpoint(const struct control *c, uint64_t va)
{
    const struct control_breakpoint *b = c->breakpoints;
    while (b && b->va != va)
        b = b->next;
    return b != NULL;
}

void control_remove_breakpoint(struct control *c, struct control_breakpoint *b)
{
    struct control_breakpoint **at = &c->breakpoints;
    while (*at && *at != b)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = b->next;
    if (!control_has_breakpoint(c, b->va))
        target_remove_breakpoint(&c->target, b->va);
}

/* Asks all who have a breakpoint where the hart stands. */
bool control_is_hit(struct control *c, unsigned hart)
{
    uint64_t pc = target_hart(&c->target, hart)->pc;
    bool stops = false;
    for (struct control_breakpoint *b = c->breakpoints; b; b = b->next)
        if (b->va == pc)
            stops |= !b->hit || b->hit(b->owner, hart);
    return stops;
}

bool control_add_watchpoint(struct control *c, struct control_watchpoint *w)
{
    if (!target_add_watchpoint(&c->target, &w->watch))
        return false;
    w->next = c->watchpoints;
    c->watchpoints = w;
    return true;
}

void control_remove_watchpoint(struct control *c, struct control_watchpoint *w)
{
    struct control_watchpoint **at = &c->watchpoints;
    while (*at && *at != w)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = w->next;
    target_remove_watchpoint(&c->target, &w->watch);
}

bool control_replace_machine(struct control *c, struct machine *m, struct error *err)
{
    os_mutex_lock(c->mutex);
    atomic_store(&c->target.machine, m);
    os_mutex_unlock(c->mutex);
    machine_on_disk_error(m, on_disk_error, c);
    for (const struct control_breakpoint *b = c->breakpoints; b; b = b->next)
        if (!machine_add_breakpoint(m, b->va))
            return error_set(err, "no memory for the breakpoint at 0x%llx",
                             (unsigned long long)b->va);
    for (const struct control_watchpoint *w = c->watchpoints; w; w = w->next)
        if (!machine_add_watchpoint(m, &w->watch))
            return error_set(err, "no memory for the watchpoint at 0x%llx",
                             (unsigned long long)w->watch.va);
    return true;
}

/* --- running ----------------------------------------------------------------------------- */

/* A step that ends at a breakpoint has reached it: going on goes over it. */
static void end_step(struct control *c, struct machine_exit exit)
{
    struct hart *h = target_hart(&c->target, exit.hart);
    bool ends = !c->more;
    if (control_has_breakpoint(c, h->pc)) {
        ends |= control_is_hit(c, exit.hart);
        h->resume_pc = h->pc;
    }
    if (ends || !c->more(c->more_owner, exit.hart))
        control_end_run(c, RUN_DEBUG, exit);
    else
        target_stop_at(&c->target, exit.hart, h->steps + 1);
}

/* The guest's reset: nobody waits for an answer. */
static void guest_reset(struct control *c)
{
    struct error reason;
    if (reset(c, true, &reason))
        return;
    error_set(&c->failure, "the guest cannot be reset: %s", reason.text);
    c->result = CONTROL_FAILED;
}

static void take_exit(struct control *c, struct machine_exit exit)
{
    switch (exit.stop) {
    case MACHINE_TIME_LIMIT:
    case MACHINE_REQUEST:
        break;
    case MACHINE_POWER_OFF:
        shut_down(c, exit, true);
        break;
    case MACHINE_RESET:
        guest_reset(c);
        break;
    case MACHINE_BREAKPOINT:
        if (control_is_hit(c, exit.hart))
            control_end_run(c, RUN_DEBUG, exit);
        break;
    case MACHINE_WATCHPOINT:
    case MACHINE_SIGNAL:
    case MACHINE_REPLACED:
        control_end_run(c, RUN_DEBUG, exit);
        break;
    case MACHINE_STEPPED:
        end_step(c, exit);
        break;
    case MACHINE_IO_ERROR:
        control_end_run(c, RUN_IO_ERROR, exit);
        break;
    case MACHINE_REPLAYED:
    case MACHINE_DIVERGED:
        shut_down(c, exit, true);
        break;
    }
}

enum control_result control_run(struct control *c, uint64_t until_ns, uint64_t sleep_ns,
                                struct error *err)
{
    control_serve(c);
    if (c->result == CONTROL_GOES_ON && !c->deferred && c->state == RUN_RUNNING)
        take_exit(c, target_run(&c->target, until_ns));
    else if (c->result == CONTROL_GOES_ON && !c->deferred && c->wake)
        os_wake_wait(c->wake, sleep_ns);
    control_serve(c);
    if (c->result == CONTROL_FAILED)
        *err = c->failure;
    return c->result;
}

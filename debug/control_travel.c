/* Journeys into the past of a machine (contract: control_travel in control.h). */
#include "debug/control_internal.h"

#include "cpu/code.h"
#include "cpu/hart.h"
#include "machine/history.h"

/* What a journey into the past began with. */
struct departure {
    enum run_state state;
    struct machine_exit exit;
    struct machine_place place;
};

/* Observers of the harts see what runs once, and not each time that it is looked for. */
struct observers {
    struct hart_observer *of[MACHINE_MAX_HARTS];
    enum code_watch watch;
};

static void set_observers(struct machine *m, struct hart_observer *const *of, enum code_watch watch)
{
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(m, i)) != NULL; i++) {
        hart_set_observer(h, of ? of[i] : NULL);
        code_set_watch(h->ports.code, watch);
    }
}

static struct observers blind(struct machine *m)
{
    struct observers saved = {.watch = machine_hart(m, 0)->ports.code->watch};
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(m, i)) != NULL; i++)
        saved.of[i] = h->observer;
    set_observers(m, NULL, CODE_UNWATCHED);
    return saved;
}

bool control_attend(struct control *c)
{
    control_serve(c);
    return !c->ends_travel && c->result == CONTROL_GOES_ON;
}

static bool attend(void *owner)
{
    return control_attend(owner);
}

/* Who stops it finds the machine where it was. */
static bool turn_round(struct control *c, const struct machine_place *began, struct error *err)
{
    struct error ignored;
    c->ends_travel = false;
    if (!machine_go_to_place(control_machine(c), began, &ignored))
        return error_set(err, "interrupted");
    return error_set(err, "interrupted: the machine is where it was");
}

/* Where a journey has ended: a guest that was off is off at that moment still. */
static void arrive(struct control *c, const struct departure *before, bool is_interrupted,
                   struct machine_exit exit)
{
    bool is_off =
        before->state == RUN_SHUTDOWN && machine_steps(control_machine(c)) == before->place.steps;
    if (is_off)
        control_end_run(c, RUN_SHUTDOWN, before->exit);
    else if (is_interrupted)
        control_end_run(c, RUN_PAUSED, (struct machine_exit){.stop = MACHINE_REQUEST});
    else
        control_end_run(c, RUN_DEBUG, exit);
}

bool control_travel(struct control *c,
                    bool (*move)(void *owner, struct machine *m, struct machine_exit *exit,
                                 struct error *err),
                    void *owner, struct error *err)
{
    struct machine *m = control_machine(c);
    struct machine_exit exit = {.stop = MACHINE_STEPPED};
    if (!control_is_free(c, err))
        return false;
    if (machine_history_start(m) == UINT64_MAX)
        return machine_go_to(m, 0, err); /* says why not */
    const struct departure before = {c->state, c->exit, machine_place(m)};
    struct observers saved = blind(m);
    c->travels = true;
    c->ends_travel = false;
    machine_on_attention(m, attend, c);
    if (c->state != RUN_RUNNING)
        control_tell(c, CONTROL_RESUMED, false);
    c->state = RUN_RUNNING;
    bool ok = move(owner, m, &exit, err);
    bool is_interrupted = !ok && c->ends_travel;
    if (is_interrupted)
        turn_round(c, &before.place, err);
    machine_on_attention(m, NULL, NULL);
    c->travels = false;
    set_observers(m, saved.of, saved.watch);
    arrive(c, &before, is_interrupted, exit);
    return ok;
}

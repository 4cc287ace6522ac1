/* Moving in the past (contract: past.h). */
#include "debug/past.h"

#include "cpu/hart.h"

struct travel {
    struct control *control;
    unsigned hart;
    uint64_t steps;
    /* past_find_writer */
    uint64_t gpa, n;
    struct machine_writer *writer;
    bool *found;
};

/* A hart that stands at a breakpoint goes over it when it goes on. */
static void stand_at_breakpoints(struct machine *m)
{
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(m, i)) != NULL; i++)
        h->resume_pc = h->pc;
}

/* --- steps -------------------------------------------------------------------------------- */

static bool move_steps(void *owner, struct machine *m, struct machine_exit *exit, struct error *err)
{
    struct travel *t = owner;
    const struct hart *h = machine_hart(m, t->hart);
    exit->hart = t->hart;
    if (t->steps > h->steps)
        return error_set(err, "hart %u has made %llu steps", t->hart, (unsigned long long)h->steps);
    bool ok = machine_go_to_step(m, t->hart, h->steps - t->steps, err);
    stand_at_breakpoints(m);
    return ok;
}

bool past_step(struct control *c, unsigned hart, uint64_t steps, struct error *err)
{
    struct travel t = {.hart = hart, .steps = steps};
    return control_travel(c, move_steps, &t, err);
}

static bool move_to(void *owner, struct machine *m, struct machine_exit *exit, struct error *err)
{
    struct travel *t = owner;
    exit->hart = t->hart;
    bool ok = machine_go_to(m, t->steps, err);
    stand_at_breakpoints(m);
    return ok;
}

bool past_go_to(struct control *c, uint64_t steps, struct error *err)
{
    struct travel t = {.steps = steps};
    if (steps > machine_steps(control_machine(c)))
        return control_run_until(c, steps, err);
    return control_travel(c, move_to, &t, err);
}

/* --- running backwards ---------------------------------------------------------------------- */

struct hit {
    bool is_there;
    uint64_t steps;
    struct machine_exit exit;
};

/* Takes a stop of the run as the last hit, if it is one and before the limit: at a breakpoint
 * before its instruction, and for a watchpoint before the one that touched it. */
static void take_hit(struct control *c, const struct machine_exit *exit, uint64_t limit,
                     struct hit *hit)
{
    uint64_t steps = machine_steps(control_machine(c));
    bool counts = exit->stop == MACHINE_WATCHPOINT ||
                  (exit->stop == MACHINE_BREAKPOINT && control_is_hit(c, exit->hart));
    steps -= exit->stop == MACHINE_WATCHPOINT;
    if (counts && steps < limit)
        *hit = (struct hit){.is_there = true, .steps = steps, .exit = *exit};
}

/* The last hit from here to `limit`. */
static bool find_hit(struct control *c, uint64_t limit, struct hit *hit, struct error *err)
{
    struct machine *m = control_machine(c);
    machine_stop_at_total(m, limit);
    for (;;) {
        struct machine_exit exit = machine_run(m, UINT64_MAX);
        if (exit.stop == MACHINE_STEPPED)
            return true;
        if (exit.stop == MACHINE_RESET && !machine_reset(m, err))
            return false;
        if (exit.stop == MACHINE_POWER_OFF || exit.stop == MACHINE_IO_ERROR ||
            exit.stop == MACHINE_REPLAYED || exit.stop == MACHINE_DIVERGED)
            return error_set(err, "the past cannot be repeated");
        take_hit(c, &exit, limit, hit);
    }
}

/* The last interval between checkpoints that has a hit, and its last hit. */
static bool search(struct control *c, struct hit *hit, struct error *err)
{
    struct machine *m = control_machine(c);
    uint64_t limit = machine_steps(m), from;
    while (!hit->is_there && (from = machine_checkpoint_before(m, limit)) != UINT64_MAX) {
        if (!machine_go_to(m, from, err))
            return false;
        machine_mute(m, true);
        bool ok = find_hit(c, limit, hit, err);
        machine_mute(m, false);
        if (!ok)
            return false;
        limit = from;
    }
    return true;
}

static bool move_back(void *owner, struct machine *m, struct machine_exit *exit, struct error *err)
{
    struct travel *t = owner;
    struct hit hit = {0};
    exit->hart = t->hart;
    if (machine_history_start(m) == UINT64_MAX)
        return machine_go_to(m, 0, err); /* says why not */
    if (!search(t->control, &hit, err) ||
        !machine_go_to(m, hit.is_there ? hit.steps : machine_history_start(m), err))
        return false;
    if (hit.is_there)
        *exit = hit.exit;
    stand_at_breakpoints(m);
    return true;
}

bool past_continue(struct control *c, unsigned hart, struct error *err)
{
    struct travel t = {.control = c, .hart = hart};
    return control_travel(c, move_back, &t, err);
}

/* --- who wrote ---------------------------------------------------------------------------- */

static bool find_writer(void *owner, struct machine *m, struct machine_exit *exit,
                        struct error *err)
{
    struct travel *t = owner;
    uint64_t now = machine_steps(m);
    (void)exit;
    if (machine_history_start(m) == UINT64_MAX)
        return machine_go_to(m, 0, err);
    if (!machine_find_writer(m, t->gpa, t->n, now, t->writer, t->found, err))
        return false;
    bool ok = machine_go_to(m, *t->found ? t->writer->steps : now, err);
    stand_at_breakpoints(m);
    return ok;
}

bool past_find_writer(struct control *c, uint64_t gpa, uint64_t n, struct machine_writer *writer,
                      bool *found, struct error *err)
{
    struct travel t = {.gpa = gpa, .n = n, .writer = writer, .found = found};
    return control_travel(c, find_writer, &t, err);
}

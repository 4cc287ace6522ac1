/* Moving in the past (contract: past.h). */
#include "debug/past.h"

#include "base/os.h"
#include "cpu/hart.h"
#include "debug/past_watch.h"

#define PROGRESS_NS    1000000000ull
#define FIRST_INTERVAL (1ull << 14)
#define MOST           (1ull << 26)

struct travel {
    struct control *control;
    unsigned hart;
    uint64_t steps;
    const struct byte_sink *progress; /* NULL: nobody wants to know */
    uint64_t told_ns;
    /* past_find_writer */
    const struct machine_written *what;
    struct machine_writer *writer;
    bool *found;
    /* past_next, past_finish, past_find_register */
    struct past_watch *watch;
    uint64_t length; /* of the next interval */
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

/* The last one that a run forwards came by. */
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

/* From here to `limit`. hit NULL: nothing is looked for. */
static bool run_to(struct control *c, uint64_t limit, struct hit *hit, struct error *err)
{
    struct machine *m = control_machine(c);
    machine_stop_at_total(m, limit);
    for (;;) {
        struct machine_exit exit = machine_run(m, UINT64_MAX);
        bool is_off = exit.stop == MACHINE_POWER_OFF && machine_steps(m) >= limit;
        if (exit.stop == MACHINE_STEPPED || is_off)
            return true;
        if (exit.stop == MACHINE_RESET && !machine_reset(m, err))
            return false;
        if (exit.stop == MACHINE_REQUEST && !control_attend(c))
            return error_set(err, "interrupted");
        if (exit.stop == MACHINE_POWER_OFF || exit.stop == MACHINE_IO_ERROR ||
            exit.stop == MACHINE_REPLAYED || exit.stop == MACHINE_DIVERGED)
            return error_set(err, "the past cannot be repeated");
        if (hit)
            take_hit(c, &exit, limit, hit);
    }
}

static bool run_muted(struct control *c, uint64_t limit, struct hit *hit, struct error *err)
{
    struct machine *m = control_machine(c);
    machine_mute(m, true);
    bool ok = run_to(c, limit, hit, err);
    machine_mute(m, false);
    return ok;
}

/* Once a second, to who waits. */
static void tell_progress(struct travel *t, uint64_t steps)
{
    uint64_t now_ns = os_monotonic_ns();
    if (!t->progress || now_ns - t->told_ns < PROGRESS_NS)
        return;
    t->told_ns = now_ns;
    byte_sink_print(t->progress, "looked back to step %llu (the first is %llu); Ctrl-C ends it\n",
                    (unsigned long long)steps,
                    (unsigned long long)machine_history_start(control_machine(t->control)));
}

/* The last interval between checkpoints that has a hit, and its last hit. */
static bool search(struct travel *t, struct hit *hit, struct error *err)
{
    struct control *c = t->control;
    struct machine *m = control_machine(c);
    uint64_t limit = machine_steps(m), from;
    while (!hit->is_there && (from = machine_checkpoint_before(m, limit)) != UINT64_MAX) {
        if (!machine_go_to(m, from, err) || !run_muted(c, limit, hit, err))
            return false;
        limit = from;
        tell_progress(t, from);
        if (!control_attend(c))
            return error_set(err, "interrupted");
    }
    return true;
}

static bool move_back(void *owner, struct machine *m, struct machine_exit *exit, struct error *err)
{
    struct travel *t = owner;
    struct hit hit = {0};
    exit->hart = t->hart;
    if (!search(t, &hit, err) ||
        !machine_go_to(m, hit.is_there ? hit.steps : machine_history_start(m), err))
        return false;
    if (hit.is_there)
        *exit = hit.exit;
    stand_at_breakpoints(m);
    return true;
}

bool past_continue(struct control *c, unsigned hart, const struct byte_sink *progress,
                   struct error *err)
{
    struct travel t = {
        .control = c, .hart = hart, .progress = progress, .told_ns = os_monotonic_ns()};
    return control_travel(c, move_back, &t, err);
}

/* --- who wrote ---------------------------------------------------------------------------- */

static bool find_writer(void *owner, struct machine *m, struct machine_exit *exit,
                        struct error *err)
{
    struct travel *t = owner;
    struct machine_place now = machine_place(m);
    (void)exit;
    if (!machine_find_writer(m, t->what, &now, t->writer, t->found, err))
        return false;
    bool ok =
        *t->found ? machine_go_to(m, t->writer->steps, err) : machine_go_to_place(m, &now, err);
    stand_at_breakpoints(m);
    return ok;
}

bool past_find_writer(struct control *c, const struct machine_written *what,
                      struct machine_writer *writer, bool *found, struct error *err)
{
    struct travel t = {.what = what, .writer = writer, .found = found};
    return control_travel(c, find_writer, &t, err);
}

/* --- what one hart did -------------------------------------------------------------------- */

/* An interval is run through with a watch on the hart. */
static bool watch_interval(struct travel *t, uint64_t from, uint64_t limit, bool fast,
                           struct error *err)
{
    struct machine *m = control_machine(t->control);
    if (!machine_go_to(m, from, err))
        return false;
    past_watch_begin(t->watch, m, t->hart, fast);
    bool ok = run_muted(t->control, limit, NULL, err);
    past_watch_end(t->watch);
    return ok && past_watch_check(t->watch, err);
}

/* Where the next interval begins. The first one is short, since what is looked for is mostly near,
 * and each instruction of it is watched, at a tenth of the speed. Where there is a fast way, the
 * following ones are those between checkpoints; else they become longer. */
static uint64_t begin_interval(struct travel *t, struct machine *m, uint64_t limit, bool fast)
{
    uint64_t start = machine_history_start(m);
    if (fast)
        return machine_checkpoint_before(m, limit);
    uint64_t from = limit - min_u64(t->length, limit - start);
    t->length = min_u64(8 * t->length, MOST);
    return from;
}

/* Where the watch found what it looks for, or where the past begins. */
static bool look_back(void *owner, struct machine *m, struct machine_exit *exit, struct error *err)
{
    struct travel *t = owner;
    uint64_t start = machine_history_start(m), limit = machine_steps(m), found = start;
    exit->hart = t->hart;
    for (bool is_there = false; !is_there && limit > start;) {
        bool fast = t->length != FIRST_INTERVAL && past_watch_is_fast(t->watch);
        uint64_t from = begin_interval(t, m, limit, fast);
        if (!watch_interval(t, from, limit, fast, err))
            return false;
        is_there = past_watch_find(t->watch, &found);
        limit = from;
        tell_progress(t, from);
        if (!control_attend(t->control))
            return error_set(err, "interrupted");
    }
    bool ok = machine_go_to(m, found, err);
    stand_at_breakpoints(m);
    return ok;
}

static bool travel_with(struct control *c, struct past_watch *watch, unsigned hart,
                        const struct byte_sink *progress, struct error *err)
{
    struct travel t = {.control = c,
                       .hart = hart,
                       .progress = progress,
                       .told_ns = os_monotonic_ns(),
                       .watch = watch,
                       .length = FIRST_INTERVAL};
    return watch ? control_travel(c, look_back, &t, err)
                 : error_set(err, "no memory to look back with");
}

static bool leave_calls(struct control *c, unsigned hart, bool outwards,
                        const struct byte_sink *progress, struct error *err)
{
    struct past_watch *watch = past_watch_calls(machine_hart(control_machine(c), hart), outwards);
    bool ok = travel_with(c, watch, hart, progress, err);
    past_watch_destroy(watch);
    return ok;
}

bool past_next(struct control *c, unsigned hart, const struct byte_sink *progress,
               struct error *err)
{
    return leave_calls(c, hart, false, progress, err);
}

bool past_finish(struct control *c, unsigned hart, const struct byte_sink *progress,
                 struct error *err)
{
    return leave_calls(c, hart, true, progress, err);
}

bool past_find_register(struct control *c, unsigned hart, const struct reg *r,
                        const struct byte_sink *progress, struct past_change *change, bool *found,
                        struct error *err)
{
    struct past_watch *watch = past_watch_register(machine_hart(control_machine(c), hart), r);
    bool ok = travel_with(c, watch, hart, progress, err);
    *found = ok && past_watch_change(watch, change);
    past_watch_destroy(watch);
    return ok;
}

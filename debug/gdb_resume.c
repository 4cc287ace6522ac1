/* Packets that let the machine go on, the reply that says where it stopped, and breakpoints. */
#include "debug/gdb_internal.h"

#include <stdlib.h>

#define TIMER_BITS (1ull << IRQ_STIP | 1ull << IRQ_MTIP)

/* gdb's numbers of signals. */
enum { SIGNAL_INT = 2, SIGNAL_QUIT = 3, SIGNAL_TRAP = 5, SIGNAL_STOP = 17 };

/* --- points ------------------------------------------------------------------------------ */

static bool is_breakpoint(const struct gdb_point *p)
{
    return p->type <= GDB_HARDWARE;
}

static uint64_t point_va(const struct gdb_point *p)
{
    return is_breakpoint(p) ? p->breakpoint.va : p->watchpoint.watch.va;
}

static void remove_point(struct gdb *g, struct gdb_point *p)
{
    if (is_breakpoint(p))
        control_remove_breakpoint(g->control, &p->breakpoint);
    else
        control_remove_watchpoint(g->control, &p->watchpoint);
    gdb_conditions_free(p->conditions);
    *p = (struct gdb_point){0};
}

void gdb_remove_all_points(struct gdb *g)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++)
        if (g->points[i].is_used)
            remove_point(g, &g->points[i]);
}

/* Before the machine goes on: what gdb does not want goes. Before a step breakpoints may stay,
 * since they are asked whether they are wanted. */
static void remove_unwanted(struct gdb *g, bool steps)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++) {
        struct gdb_point *p = &g->points[i];
        if (p->is_used && !p->is_wanted && !(steps && is_breakpoint(p)))
            remove_point(g, p);
    }
}

static struct gdb_point *find_point(struct gdb *g, enum gdb_point_type type, uint64_t va,
                                    uint64_t kind)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++) {
        struct gdb_point *p = &g->points[i];
        if (p->is_used && p->type == type && point_va(p) == va && p->kind == kind)
            return p;
    }
    return NULL;
}

static bool is_hit(void *owner, unsigned hart)
{
    const struct gdb_point *p = owner;
    if (!p->is_wanted)
        return false;
    return !p->conditions ||
           gdb_conditions_hold(p->conditions, machine_hart(gdb_machine(p->gdb), hart));
}

static bool add_point(struct gdb *g, enum gdb_point_type type, uint64_t va, uint64_t kind,
                      struct gdb_conditions *conditions)
{
    static const unsigned kinds[] = {[GDB_WRITE] = WATCH_STORES,
                                     [GDB_READ] = WATCH_LOADS,
                                     [GDB_ACCESS] = WATCH_LOADS | WATCH_STORES};
    unsigned i = 0;
    while (i < GDB_POINTS_MOST && g->points[i].is_used)
        i++;
    if (i == GDB_POINTS_MOST)
        return false;
    struct gdb_point *p = &g->points[i];
    *p = (struct gdb_point){.is_wanted = true, .type = type, .kind = kind, .gdb = g};
    if (is_breakpoint(p)) {
        p->breakpoint = (struct control_breakpoint){.va = va, .hit = is_hit, .owner = p};
        p->is_used = control_add_breakpoint(g->control, &p->breakpoint);
    } else {
        p->watchpoint.watch = (struct watch){va, kind, kinds[type]};
        p->is_used = control_add_watchpoint(g->control, &p->watchpoint);
    }
    if (p->is_used)
        p->conditions = conditions;
    return p->is_used;
}

/* TYPE,ADDRESS,KIND; no breakpoint is at an odd address, and no watched length is 0. */
static bool take_point(struct gdb_text *t, enum gdb_point_type *type, uint64_t *va, uint64_t *kind)
{
    uint64_t number;
    if (!gdb_take_number(t, &number) || number > GDB_ACCESS || !gdb_take(t, ",") ||
        !gdb_take_number(t, va) || !gdb_take(t, ",") || !gdb_take_number(t, kind))
        return false;
    *type = (enum gdb_point_type)number;
    return number <= GDB_HARDWARE ? *va % 2 == 0 : *kind != 0;
}

/* A point that is there already gets the conditions of the new one. */
void gdb_insert_point(struct gdb *g, struct gdb_text *t)
{
    enum gdb_point_type type;
    uint64_t va, kind;
    struct gdb_conditions *conditions = NULL;
    bool ok = take_point(t, &type, &va, &kind);
    if (ok && gdb_take(t, ";"))
        ok = gdb_conditions_read(t, &conditions);
    if (!ok || gdb_left(t)) {
        gdb_conditions_free(conditions);
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    struct gdb_point *p = find_point(g, type, va, kind);
    if (p) {
        gdb_conditions_free(p->conditions);
        p->conditions = conditions;
        p->is_wanted = true;
    } else if (!add_point(g, type, va, kind, conditions)) {
        gdb_conditions_free(conditions);
        gdb_answer(g, GDB_EPERM); /* there are too many */
        return;
    }
    gdb_answer(g, "OK");
}

void gdb_remove_point(struct gdb *g, struct gdb_text *t)
{
    enum gdb_point_type type;
    uint64_t va, kind;
    if (!take_point(t, &type, &va, &kind) || gdb_left(t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    struct gdb_point *p = find_point(g, type, va, kind);
    if (p)
        p->is_wanted = false;
    gdb_answer(g, "OK");
}

/* --- where it stopped -------------------------------------------------------------------- */

static unsigned signal_of(enum run_state state)
{
    switch (state) {
    case RUN_PAUSED:
        return SIGNAL_INT;
    case RUN_SHUTDOWN:
        return SIGNAL_QUIT;
    case RUN_IO_ERROR:
        return SIGNAL_STOP;
    default:
        return SIGNAL_TRAP;
    }
}

static void put_reason(struct gdb *g, const struct machine_exit *exit, uint64_t pc)
{
    static const char *const names[] = {[WATCH_LOADS] = "rwatch",
                                        [WATCH_STORES] = "watch",
                                        [WATCH_LOADS | WATCH_STORES] = "awatch"};
    if (exit->stop == MACHINE_WATCHPOINT) {
        gdb_reply_print(&g->packets, "%s:%llx;", names[exit->watch.kinds],
                        (unsigned long long)exit->watch.va);
        return;
    }
    for (unsigned i = 0; i < GDB_POINTS_MOST && exit->stop == MACHINE_BREAKPOINT; i++) {
        const struct gdb_point *p = &g->points[i];
        if (!p->is_used || !p->is_wanted || !is_breakpoint(p) || point_va(p) != pc)
            continue;
        bool is_hardware = p->type == GDB_HARDWARE;
        if (is_hardware ? g->tells_hardware : g->tells_software)
            gdb_reply_text(&g->packets, is_hardware ? "hwbreak:;" : "swbreak:;");
        return;
    }
}

static void put_register(struct gdb *g, unsigned number)
{
    uint64_t value;
    if (!gdb_register_value(gdb_hart(g), number, &value))
        return;
    gdb_reply_print(&g->packets, "%02x:", number);
    gdb_reply_hex(&g->packets, &value, sizeof value);
    gdb_reply_text(&g->packets, ";");
}

/* With sp and pc, which gdb asks for at each stop. */
void gdb_report_stop(struct gdb *g, bool is_asked)
{
    enum run_state state = control_state(g->control);
    struct machine_exit exit = control_exit(g->control);
    bool by_hart = state == RUN_DEBUG;
    g->owes_stop = false;
    if (by_hart)
        g->actor = exit.hart;
    g->hart = g->actor;
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets, "T%02xthread:", is_asked ? SIGNAL_TRAP : signal_of(state));
    gdb_put_thread(g, g->hart);
    gdb_reply_text(&g->packets, ";");
    if (by_hart && !is_asked)
        put_reason(g, &exit, gdb_hart(g)->pc);
    put_register(g, 2);
    put_register(g, 32);
    gdb_reply_send(&g->packets);
}

/* --- going on ---------------------------------------------------------------------------- */

/* The reply of success is the next stop. */
static void owe_stop(struct gdb *g, bool ok)
{
    g->owes_stop = ok;
    if (ok)
        return;
    gdb_end_step(g);
    gdb_answer(g, GDB_EPERM);
}

static void go_on(struct gdb *g)
{
    struct error ignored;
    remove_unwanted(g, false);
    owe_stop(g, control_continue(g->control, &ignored));
}

void gdb_end_step(struct gdb *g)
{
    for (unsigned i = 0; i < gdb_hart_count(g); i++)
        machine_hart(gdb_machine(g), i)->held_interrupts = 0;
}

static bool is_in_range(void *owner, unsigned hart)
{
    const struct gdb *g = owner;
    uint64_t pc = machine_hart(gdb_machine(g), hart)->pc;
    return pc >= g->range_start && pc < g->range_end;
}

/* gdb takes a breakpoint away to step over it; the hart goes over one that is still there. */
static void step_over(struct gdb *g, struct hart *h)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++) {
        const struct gdb_point *p = &g->points[i];
        if (p->is_used && !p->is_wanted && is_breakpoint(p) && point_va(p) == h->pc)
            h->resume_pc = h->pc;
    }
}

/* One step, or more as long as the pc is in the range. */
static void step(struct gdb *g, unsigned hart)
{
    struct error ignored;
    struct hart *h = machine_hart(gdb_machine(g), hart);
    if (!(g->sstep & GDB_SSTEP_ENABLE)) {
        go_on(g);
        return;
    }
    remove_unwanted(g, true);
    step_over(g, h);
    h->held_interrupts = (g->sstep & GDB_SSTEP_NOIRQ ? ~TIMER_BITS : 0) |
                         (g->sstep & GDB_SSTEP_NOTIMER ? TIMER_BITS : 0);
    g->actor = hart;
    owe_stop(g, control_step_while(g->control, hart, is_in_range, g, &ignored));
}

/* --- packets ----------------------------------------------------------------------------- */

/* Behind c and s: [ADDRESS] to go on at. */
static bool take_place(struct gdb *g, struct gdb_text *t)
{
    uint64_t pc;
    if (!gdb_left(t))
        return true;
    if (!gdb_take_number(t, &pc) || gdb_left(t) || pc % 2)
        return false;
    machine_hart(gdb_machine(g), g->actor)->pc = pc;
    return true;
}

/* Behind C and S: SIGNAL[;ADDRESS]. The guest has no signals. */
static bool take_signal(struct gdb_text *t)
{
    uint64_t signal;
    return gdb_take_number(t, &signal) && (!gdb_left(t) || gdb_take(t, ";"));
}

void gdb_continue(struct gdb *g, struct gdb_text *t)
{
    if (take_place(g, t))
        go_on(g);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_step(struct gdb *g, struct gdb_text *t)
{
    g->range_start = g->range_end = 0;
    if (take_place(g, t))
        step(g, g->actor);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_continue_with(struct gdb *g, struct gdb_text *t)
{
    if (take_signal(t))
        gdb_continue(g, t);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_step_with(struct gdb *g, struct gdb_text *t)
{
    if (take_signal(t))
        gdb_step(g, t);
    else
        gdb_answer(g, GDB_EINVAL);
}

/* What vCont tells each hart: a letter, 0: nothing. */
struct actions {
    char of[MACHINE_MAX_HARTS];
    unsigned count;
    uint64_t range_start, range_end;
};

static bool take_action(struct gdb *g, struct gdb_text *t, struct actions *a)
{
    char letter = *t->at;
    uint64_t signal;
    if (!letter || !strchr("cCsStr", letter))
        return false;
    t->at++;
    if ((letter == 'C' || letter == 'S') && !gdb_take_number(t, &signal))
        return false;
    if (letter == 'r' && (!gdb_take_number(t, &a->range_start) || !gdb_take(t, ",") ||
                          !gdb_take_number(t, &a->range_end)))
        return false;
    struct gdb_thread thread = {GDB_ALL_THREADS, 0};
    if (gdb_take(t, ":") && !gdb_take_thread(g, t, &thread))
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!a->of[i] && (thread.kind != GDB_ONE_THREAD || thread.hart == i))
            a->of[i] = letter;
    return true;
}

static bool is_step(char letter)
{
    return letter == 's' || letter == 'S' || letter == 'r';
}

/* One hart steps: the one that gdb looks at if it is told to, else the first that is. */
static void act(struct gdb *g, const struct actions *a)
{
    unsigned stepper = is_step(a->of[g->actor]) ? g->actor : 0;
    bool goes_on = false;
    while (stepper < a->count && !is_step(a->of[stepper]))
        stepper++;
    for (unsigned i = 0; i < a->count; i++)
        goes_on |= a->of[i] == 'c' || a->of[i] == 'C';
    g->range_start = g->range_end = 0;
    if (stepper < a->count) {
        if (a->of[stepper] == 'r') {
            g->range_start = a->range_start;
            g->range_end = a->range_end;
        }
        step(g, stepper);
    } else if (goes_on) {
        go_on(g);
    } else if (control_state(g->control) == RUN_RUNNING) { /* t */
        g->owes_stop = true;
        control_stop(g->control, RUN_PAUSED);
    } else {
        gdb_report_stop(g, false);
    }
}

static void act_by_hart(struct gdb *g, struct gdb_text *t)
{
    struct actions a = {.count = gdb_hart_count(g)};
    bool ok = gdb_left(t) > 0;
    while (ok && gdb_left(t))
        ok = gdb_take(t, ";") && take_action(g, t, &a);
    if (ok)
        act(g, &a);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_v_packet(struct gdb *g, struct gdb_text *t)
{
    uint64_t process;
    if (gdb_take(t, "Cont?"))
        gdb_answer(g, "vCont;c;C;s;S;t;r");
    else if (gdb_take(t, "Cont"))
        act_by_hart(g, t);
    else if (!gdb_take(t, "Attach;"))
        gdb_answer(g, "");
    else if (gdb_take_number(t, &process) && process == 1)
        gdb_report_stop(g, true);
    else
        gdb_answer(g, GDB_EINVAL);
}

/* Packets that let the machine go on, and the reply that says where it stopped. */
#include "debug/gdb_internal.h"

#include "debug/past.h"
#include "machine/record.h"

#define TIMER_BITS (1ull << IRQ_STIP | 1ull << IRQ_MTIP)

/* gdb's numbers of signals. */
enum { SIGNAL_INT = 2, SIGNAL_QUIT = 3, SIGNAL_TRAP = 5, SIGNAL_STOP = 17 };

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
    if (exit->stop == MACHINE_REPLACED && g->tells_programs)
        gdb_put_program(g);
    if (exit->stop == MACHINE_WATCHPOINT) {
        gdb_reply_print(&g->packets, "%s:%llx;", names[exit->watch.kinds],
                        (unsigned long long)exit->watch.va);
        return;
    }
    if (!g->program && control_steps(g->control) == machine_history_start(gdb_machine(g)))
        gdb_reply_text(&g->packets, "replaylog:begin;");
    const struct gdb_point *p = gdb_breakpoint_at(g, pc, true);
    if (!p || exit->stop != MACHINE_BREAKPOINT)
        return;
    bool is_hardware = p->type == GDB_HARDWARE;
    if (is_hardware ? g->tells_hardware : g->tells_software)
        gdb_reply_text(&g->packets, is_hardware ? "hwbreak:;" : "swbreak:;");
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
    unsigned signal = by_hart && exit.stop == MACHINE_SIGNAL ? gdb_program_signal(&exit)
                      : is_asked                             ? SIGNAL_TRAP
                                                             : signal_of(state);
    gdb_reply_print(&g->packets, "T%02xthread:", signal);
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
    gdb_remove_unwanted(g, false);
    gdb_give_signal(g);
    owe_stop(g, control_continue(g->control, &ignored));
}

void gdb_end_step(struct gdb *g)
{
    for (unsigned i = 0; i < gdb_hart_count(g); i++)
        control_hart(g->control, i)->held_interrupts = 0;
}

static bool is_in_range(void *owner, unsigned hart)
{
    const struct gdb *g = owner;
    uint64_t pc = control_hart(g->control, hart)->pc;
    return pc >= g->range_start && pc < g->range_end;
}

/* One step, or more as long as the pc is in the range. */
static void step(struct gdb *g, unsigned hart)
{
    struct error ignored;
    struct hart *h = control_hart(g->control, hart);
    if (!(g->sstep & GDB_SSTEP_ENABLE)) {
        go_on(g);
        return;
    }
    gdb_remove_unwanted(g, true);
    gdb_give_signal(g);
    /* gdb takes a breakpoint away to step over it; it may still be there. */
    if (gdb_breakpoint_at(g, h->pc, false))
        h->resume_pc = h->pc;
    if (!g->program && !machine_is_recorded(gdb_machine(g))) /* it would be another run */
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
    struct error ignored;
    struct machine_edit edit = {.kind = EDIT_PC, .hart = g->actor, .value = pc};
    return control_edit(g->control, &edit, &ignored);
}

/* Behind C and S: SIGNAL[;ADDRESS]. A machine has no signals. */
static bool take_signal(struct gdb *g, struct gdb_text *t)
{
    uint64_t signal;
    if (!gdb_take_number(t, &signal) || (gdb_left(t) && !gdb_take(t, ";")))
        return false;
    g->signal = (unsigned)signal;
    return true;
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
    if (take_signal(g, t))
        gdb_continue(g, t);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_step_with(struct gdb *g, struct gdb_text *t)
{
    if (take_signal(g, t))
        gdb_step(g, t);
    else
        gdb_answer(g, GDB_EINVAL);
}

/* The reply is the stop that it ends with: where it got to, if it failed on the way. */
static void travel(struct gdb *g, bool (*go)(struct gdb *g, struct error *err))
{
    struct error ignored;
    if (g->program || machine_history_start(gdb_machine(g)) == UINT64_MAX) {
        gdb_answer(g, GDB_EPERM);
        return;
    }
    gdb_remove_unwanted(g, false);
    g->owes_stop = true;
    (void)go(g, &ignored);
}

/* An O packet: gdb shows it as it comes. */
static void show(void *owner, const uint8_t *bytes, size_t n)
{
    struct gdb *g = owner;
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, "O");
    gdb_reply_hex(&g->packets, bytes, n);
    gdb_reply_send(&g->packets);
}

static bool go_step_back(struct gdb *g, struct error *err)
{
    return past_step(g->control, g->actor, 1, err);
}

static bool go_back(struct gdb *g, struct error *err)
{
    struct byte_sink progress = {.write = show, .owner = g};
    return past_continue(g->control, g->actor, &progress, err);
}

void gdb_step_back(struct gdb *g, struct gdb_text *t)
{
    if (gdb_left(t))
        gdb_answer(g, GDB_EINVAL);
    else
        travel(g, go_step_back);
}

void gdb_continue_back(struct gdb *g, struct gdb_text *t)
{
    if (gdb_left(t))
        gdb_answer(g, GDB_EINVAL);
    else
        travel(g, go_back);
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
    uint64_t signal = 0;
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
    if (signal)
        g->signal = (unsigned)signal;
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
    else if (gdb_take_number(t, &process) && process == gdb_process(g))
        gdb_report_stop(g, true);
    else
        gdb_answer(g, GDB_EINVAL);
}

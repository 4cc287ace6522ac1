/* The gdb stub (contract: gdb.h): its life, threads, and which packet goes where. */
#include "debug/gdb_internal.h"

#include <stdlib.h>

/* --- what all use ------------------------------------------------------------------------ */

void gdb_answer(struct gdb *g, const char *text)
{
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, text);
    gdb_reply_send(&g->packets);
}

struct machine *gdb_machine(const struct gdb *g)
{
    return control_machine(g->control);
}

struct hart *gdb_hart(const struct gdb *g)
{
    return control_hart(g->control, g->hart);
}

unsigned gdb_hart_count(const struct gdb *g)
{
    unsigned n = 0;
    while (control_hart(g->control, n))
        n++;
    return n;
}

/* --- threads ----------------------------------------------------------------------------- */

/* Thread ids count from the process's number, which for a machine is 1: 0 means any. */
void gdb_put_thread(struct gdb *g, unsigned hart)
{
    if (g->multiprocess)
        gdb_reply_print(&g->packets, "p%02x.", gdb_process(g));
    gdb_reply_print(&g->packets, "%02x", gdb_process(g) + hart);
}

/* Threads of one process; a process alone means all of them. */
static bool take_thread_number(const struct gdb *g, struct gdb_text *t, struct gdb_thread *thread)
{
    uint64_t number;
    thread->kind = GDB_ALL_THREADS;
    if (gdb_take(t, "-1"))
        return true;
    if (!gdb_take_number(t, &number))
        return false;
    uint64_t hart = number - gdb_process(g);
    thread->kind = number ? GDB_ONE_THREAD : GDB_ANY_THREAD;
    thread->hart = number ? (unsigned)hart : 0;
    return !number || hart < gdb_hart_count(g);
}

bool gdb_take_thread(const struct gdb *g, struct gdb_text *t, struct gdb_thread *thread)
{
    uint64_t process;
    *thread = (struct gdb_thread){GDB_ALL_THREADS, 0};
    if (!gdb_take(t, "p"))
        return take_thread_number(g, t, thread);
    if (!gdb_take(t, "-1") &&
        (!gdb_take_number(t, &process) || (process && process != gdb_process(g))))
        return false;
    return !gdb_take(t, ".") || take_thread_number(g, t, thread);
}

/* H: the thread of what follows. */
static void choose_thread(struct gdb *g, struct gdb_text *t)
{
    struct gdb_thread thread;
    bool acts = gdb_take(t, "c");
    if ((!acts && !gdb_take(t, "g")) || !gdb_take_thread(g, t, &thread) || gdb_left(t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    if (thread.kind == GDB_ONE_THREAD && acts)
        g->actor = thread.hart;
    else if (thread.kind == GDB_ONE_THREAD)
        g->hart = thread.hart;
    gdb_answer(g, "OK");
}

static void is_alive(struct gdb *g, struct gdb_text *t)
{
    struct gdb_thread thread;
    bool ok = gdb_take_thread(g, t, &thread) && !gdb_left(t);
    gdb_answer(g, ok ? "OK" : GDB_EINVAL);
}

/* --- the session ------------------------------------------------------------------------- */

/* gdb begins with it: what a lost session left goes. */
static void why_stopped(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_remove_all_points(g);
    gdb_report_stop(g, true);
}

static void extend(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_answer(g, "OK");
}

/* Behind D and vKill: the process, if any is named, is ours. */
static bool is_our_process(const struct gdb *g, struct gdb_text *t)
{
    uint64_t process;
    gdb_take(t, ";");
    return !gdb_left(t) ||
           (gdb_take_number(t, &process) && process == gdb_process(g) && !gdb_left(t));
}

static void detach(struct gdb *g, struct gdb_text *t)
{
    struct error ignored;
    if (!is_our_process(g, t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    gdb_remove_all_points(g);
    gdb_answer(g, "OK");
    if (g->program)
        g->program->ops->tell_signals(g->program->owner, 0);
    bool goes_on = control_continue(g->control, &ignored); /* not when the guest is off */
    (void)goes_on;
}

/* k has no reply. */
static void kill_machine(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    g->has_peer = false;
    control_quit(g->control);
}

static void kill_process(struct gdb *g, struct gdb_text *t)
{
    bool is_ours = is_our_process(g, t);
    gdb_answer(g, is_ours ? "OK" : GDB_EINVAL);
    if (is_ours)
        kill_machine(g, t);
}

/* R: the program from its beginning, which has no reply; gdb then asks where it stands. */
static void restart(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    struct error ignored;
    control_stop(g->control, RUN_PAUSED);
    bool is_reset = control_reset(g->control, &ignored); /* else the guest is off */
    (void)is_reset;
}

/* --- packets ----------------------------------------------------------------------------- */

/* The longer name first where one begins with another. */
static const struct {
    const char *name;
    gdb_handler *run;
} rows[] = {
    {"?", why_stopped},
    {"!", extend},
    {"c", gdb_continue},
    {"C", gdb_continue_with},
    {"D", detach},
    {"g", gdb_read_registers},
    {"G", gdb_write_registers},
    {"H", choose_thread},
    {"k", kill_machine},
    {"m", gdb_read_memory},
    {"M", gdb_write_memory},
    {"p", gdb_read_register},
    {"P", gdb_write_register},
    {"q", gdb_query},
    {"Q", gdb_set},
    {"R", restart},
    {"s", gdb_step},
    {"bs", gdb_step_back},
    {"bc", gdb_continue_back},
    {"S", gdb_step_with},
    {"T", is_alive},
    {"vFile:", gdb_file_packet},
    {"vKill", kill_process},
    {"v", gdb_v_packet},
    {"x", gdb_read_binary},
    {"X", gdb_write_binary},
    {"z", gdb_remove_point},
    {"Z", gdb_insert_point},
};

static void take_packet(void *owner, const char *data, size_t n)
{
    struct gdb *g = owner;
    struct gdb_text t = {data, data + n};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (gdb_take(&t, rows[i].name)) {
            rows[i].run(g, &t);
            return;
        }
    }
    gdb_answer(g, ""); /* not known */
}

/* Ctrl-C. */
static void interrupt(void *owner)
{
    struct gdb *g = owner;
    control_stop(g->control, RUN_PAUSED);
}

/* --- life -------------------------------------------------------------------------------- */

static void on_news(void *owner, const struct control_news *news)
{
    struct gdb *g = owner;
    if (news->event != CONTROL_STOPPED)
        return;
    gdb_end_step(g);
    if (control_exit(g->control).stop == MACHINE_REPLACED)
        gdb_remove_all_points(g); /* they were in the old program's memory */
    if (g->owes_stop)
        gdb_report_stop(g, false);
}

/* What a peer has chosen does not outlive it. By default interrupts are off while stepping, as on
 * QEMU; but with icount a run that is stepped through is the run that it would have been. */
static void forget_choices(struct gdb *g)
{
    const struct hart *h = control_hart(g->control, 0);
    g->owes_stop = g->multiprocess = g->tells_software = g->tells_hardware = g->physical = false;
    g->tells_programs = false;
    g->sstep = GDB_SSTEP_ENABLE;
    if (h->ports.clock->follows_host)
        g->sstep |= GDB_SSTEP_NOIRQ | GDB_SSTEP_NOTIMER;
}

struct gdb *gdb_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       struct error *err)
{
    struct gdb *g = calloc(1, sizeof *g);
    if (g)
        g->features = gdb_describe_target(control_program(c));
    if (!g || !g->features) {
        free(g);
        error_set(err, "no memory for the gdb stub");
        return NULL;
    }
    g->control = c;
    g->program = control_program(c);
    g->monitor = m;
    g->packets.out = *out;
    g->packets.take = take_packet;
    g->packets.interrupt = interrupt;
    g->packets.owner = g;
    g->observer = (struct control_observer){.tell = on_news, .owner = g};
    forget_choices(g);
    control_observe(c, &g->observer);
    return g;
}

void gdb_destroy(struct gdb *g)
{
    if (!g)
        return;
    if (g->has_peer)
        gdb_tell_end(g);
    gdb_remove_all_points(g);
    gdb_close_files(g);
    control_forget_step(g->control, g);
    gdb_end_step(g); /* nobody else would */
    control_unobserve(g->control, &g->observer);
    free(g->features);
    free(g);
}

void gdb_connect(struct gdb *g)
{
    gdb_packets_reset(&g->packets);
    forget_choices(g);
    g->has_peer = true;
    if (g->program)
        g->program->ops->tell_signals(g->program->owner, UINT64_MAX);
    control_stop(g->control, RUN_PAUSED);
}

void gdb_disconnect(struct gdb *g)
{
    gdb_remove_all_points(g);
    gdb_close_files(g);
    forget_choices(g);
    if (g->program)
        g->program->ops->tell_signals(g->program->owner, 0);
    g->has_peer = false;
}

void gdb_receive(struct gdb *g, const uint8_t *bytes, size_t n)
{
    gdb_packets_receive(&g->packets, bytes, n);
}

/* What gdb asks of a program and not of a machine: its process, signals, auxiliary vector and end.
 */
#include "debug/gdb_internal.h"

#define SIGNALS_MOST   64u
#define SIGNAL_TRAP    5u
#define SIGNAL_UNKNOWN 143u
#define FIRST_REALTIME 32u

/* gdb's numbers of Linux's signals (gdb's include/gdb/signals.def). */
static unsigned number_for_gdb(unsigned linux_number)
{
    static const uint8_t numbers[FIRST_REALTIME] = {0,  1,  2,  3,  4,  5,  6,  10, 8,  9,  30,
                                                    11, 31, 13, 14, 15, 0,  20, 19, 17, 18, 21,
                                                    22, 16, 24, 25, 26, 27, 28, 23, 32, 12};
    if (linux_number > SIGNALS_MOST ||
        (linux_number && linux_number < FIRST_REALTIME && !numbers[linux_number]))
        return SIGNAL_UNKNOWN;
    if (linux_number < FIRST_REALTIME)
        return numbers[linux_number];
    return linux_number == 32 ? 77 : linux_number == 64 ? 78 : linux_number + 12;
}

/* 0: there is none. */
static unsigned number_for_linux(unsigned gdb_number)
{
    for (unsigned i = 1; i <= SIGNALS_MOST; i++)
        if (number_for_gdb(i) == gdb_number)
            return i;
    return 0;
}

/* --- processes ---------------------------------------------------------------------------- */

unsigned gdb_process(const struct gdb *g)
{
    return g->program ? (unsigned)g->program->ops->pid(g->program->owner) : 1;
}

void gdb_put_program(struct gdb *g)
{
    const char *name = g->program->ops->file(g->program->owner);
    gdb_reply_text(&g->packets, "exec:");
    gdb_reply_hex(&g->packets, name, strlen(name));
    gdb_reply_text(&g->packets, ";");
}

void gdb_tell_end(struct gdb *g)
{
    struct machine_exit exit = control_exit(g->control);
    bool has_ended = exit.stop == MACHINE_POWER_OFF;
    int number = g->program && has_ended ? g->program->ops->killed_by(g->program->owner) : 0;
    gdb_reply_begin(&g->packets);
    if (number)
        gdb_reply_print(&g->packets, "X%02x", number_for_gdb((unsigned)number));
    else
        gdb_reply_print(&g->packets, "W%02x", has_ended ? (unsigned)exit.status & 0xff : 0);
    gdb_reply_send(&g->packets);
}

/* --- signals ------------------------------------------------------------------------------ */

unsigned gdb_program_signal(const struct machine_exit *exit)
{
    return number_for_gdb((unsigned)exit->status);
}

/* None was named: what the program stopped for is not for it. */
void gdb_give_signal(struct gdb *g)
{
    unsigned number = number_for_linux(g->signal);
    g->signal = 0;
    if (g->program)
        g->program->ops->set_signal(g->program->owner, (int)number);
}

/* QPassSignals:SIGNAL[;SIGNAL...]: those that gdb does not want to hear of. */
void gdb_pass_signals(struct gdb *g, struct gdb_text *t)
{
    uint64_t told = UINT64_MAX, number;
    bool ok = true;
    if (!g->program) {
        gdb_answer(g, "");
        return;
    }
    while (ok && gdb_left(t)) {
        ok = gdb_take_number(t, &number) && (!gdb_left(t) || gdb_take(t, ";"));
        unsigned ours = ok && number <= SIGNAL_UNKNOWN ? number_for_linux((unsigned)number) : 0;
        if (ours)
            told &= ~(1ull << (ours - 1));
    }
    if (ok)
        g->program->ops->tell_signals(g->program->owner, told);
    gdb_answer(g, ok ? "OK" : GDB_EINVAL);
}

/* --- documents ---------------------------------------------------------------------------- */

void gdb_read_auxv(struct gdb *g, struct gdb_text *t)
{
    size_t n = 0;
    const void *auxv = g->program ? g->program->ops->auxv(g->program->owner, &n) : NULL;
    if (auxv)
        gdb_answer_document(g, t, auxv, n);
    else
        gdb_answer(g, "");
}

/* Of [PROCESS]. */
void gdb_read_file_name(struct gdb *g, struct gdb_text *t)
{
    uint64_t process = 0;
    if (!g->program) {
        gdb_answer(g, "");
        return;
    }
    if (gdb_left(t) && *t->at != ':' &&
        (!gdb_take_number(t, &process) || process != gdb_process(g))) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    const char *name = g->program->ops->file(g->program->owner);
    gdb_answer_document(g, t, name, strlen(name));
}

/* Breakpoints and watchpoints of the monitor. */
#include "debug/monitor_internal.h"

/* --- breakpoints ------------------------------------------------------------------------- */

static unsigned find_breakpoint(const struct monitor *m, uint64_t va)
{
    unsigned i = 0;
    while (i < m->breakpoint_count && m->breakpoints[i].va != va)
        i++;
    return i;
}

static bool add_breakpoint(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t va;
    if (!argument_number(m, a, &va, err) || !argument_end(a, err))
        return false;
    if (find_breakpoint(m, va) < m->breakpoint_count)
        return error_set(err, "there is one at 0x%llx already", (unsigned long long)va);
    if (m->breakpoint_count == MONITOR_BREAKPOINTS_MAX)
        return error_set(err, "there are %u already", MONITOR_BREAKPOINTS_MAX);
    struct control_breakpoint *b = &m->breakpoints[m->breakpoint_count];
    *b = (struct control_breakpoint){.va = va};
    if (!control_add_breakpoint(m->control, b))
        return error_set(err, "no memory for the breakpoint");
    m->breakpoint_count++;
    return true;
}

/* The control knows breakpoints by their place: the last one moves. */
static bool remove_breakpoint(struct monitor *m, unsigned i, struct error *err)
{
    struct control_breakpoint *last = &m->breakpoints[--m->breakpoint_count];
    uint64_t last_va = last->va;
    control_remove_breakpoint(m->control, &m->breakpoints[i]);
    if (last == &m->breakpoints[i])
        return true;
    control_remove_breakpoint(m->control, last);
    m->breakpoints[i] = (struct control_breakpoint){.va = last_va};
    return control_add_breakpoint(m->control, &m->breakpoints[i]) ||
           error_set(err, "no memory for the breakpoints");
}

bool monitor_has_breakpoint(const struct monitor *m, uint64_t va)
{
    return find_breakpoint(m, va) < m->breakpoint_count;
}

/* --- watchpoints ------------------------------------------------------------------------- */

static struct control_watchpoint *find_watchpoint(struct monitor *m, uint64_t va)
{
    for (unsigned i = 0; i < MONITOR_WATCHPOINTS_MAX; i++)
        if (m->watchpoints[i].watch.length && m->watchpoints[i].watch.va == va)
            return &m->watchpoints[i];
    return NULL;
}

static void remove_watchpoint(struct monitor *m, struct control_watchpoint *w)
{
    control_remove_watchpoint(m->control, w);
    w->watch.length = 0;
}

void monitor_remove_points(struct monitor *m)
{
    for (unsigned i = 0; i < m->breakpoint_count; i++)
        control_remove_breakpoint(m->control, &m->breakpoints[i]);
    for (unsigned i = 0; i < MONITOR_WATCHPOINTS_MAX; i++)
        if (m->watchpoints[i].watch.length)
            remove_watchpoint(m, &m->watchpoints[i]);
}

static uint64_t watched_bytes(const struct arguments *a)
{
    static const char sizes[] = "bhwg";
    return a->count << (a->size ? strchr(sizes, a->size) - sizes : 3);
}

static bool read_kinds(struct arguments *a, unsigned *kinds, struct error *err)
{
    char word[8];
    argument_word(a, word, sizeof word);
    bool reads = strcmp(word, "r") == 0, both = strcmp(word, "rw") == 0;
    *kinds = reads ? WATCH_LOADS : both ? WATCH_LOADS | WATCH_STORES : WATCH_STORES;
    return !*word || reads || both || strcmp(word, "w") == 0 ||
           error_set(err, "'%s' is none of r, w, rw", word);
}

static bool add_watchpoint(struct monitor *m, struct arguments *a, struct error *err)
{
    struct watch watch = {.length = watched_bytes(a)};
    unsigned i = 0;
    if (!argument_number(m, a, &watch.va, err) || !read_kinds(a, &watch.kinds, err) ||
        !argument_end(a, err))
        return false;
    if (watch.length == 0)
        return error_set(err, "no byte of it would be watched");
    if (find_watchpoint(m, watch.va))
        return error_set(err, "there is one at 0x%llx already", (unsigned long long)watch.va);
    while (i < MONITOR_WATCHPOINTS_MAX && m->watchpoints[i].watch.length)
        i++;
    if (i == MONITOR_WATCHPOINTS_MAX)
        return error_set(err, "there are %u already", MONITOR_WATCHPOINTS_MAX);
    m->watchpoints[i] = (struct control_watchpoint){.watch = watch};
    if (control_add_watchpoint(m->control, &m->watchpoints[i]))
        return true;
    m->watchpoints[i].watch.length = 0;
    return error_set(err, "no memory for the watchpoint");
}

/* --- both -------------------------------------------------------------------------------- */

static bool delete_point(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t va;
    if (!argument_number(m, a, &va, err) || !argument_end(a, err))
        return false;
    if (monitor_has_breakpoint(m, va))
        return remove_breakpoint(m, find_breakpoint(m, va), err);
    struct control_watchpoint *w = find_watchpoint(m, va);
    if (!w)
        return error_set(err, "there is no breakpoint at 0x%llx", (unsigned long long)va);
    remove_watchpoint(m, w);
    return true;
}

static void show_watchpoint(struct monitor *m, const struct watch *w)
{
    say(m, "0x%016llx  %llu bytes,%s%s\n", (unsigned long long)w->va, (unsigned long long)w->length,
        w->kinds & WATCH_LOADS ? " read" : "", w->kinds & WATCH_STORES ? " written" : "");
}

bool monitor_show_breakpoints(struct monitor *m, struct arguments *a, struct error *err)
{
    bool none = m->breakpoint_count == 0;
    if (!argument_end(a, err))
        return false;
    for (unsigned i = 0; i < m->breakpoint_count; i++)
        say(m, "0x%016llx\n", (unsigned long long)m->breakpoints[i].va);
    for (unsigned i = 0; i < MONITOR_WATCHPOINTS_MAX; i++)
        if (m->watchpoints[i].watch.length) {
            show_watchpoint(m, &m->watchpoints[i].watch);
            none = false;
        }
    say(m, none ? "There are no breakpoints.\n" : "");
    return true;
}

/* --- the table --------------------------------------------------------------------------- */

const struct monitor_row monitor_point_rows[] = {
    {"break", "b", "ADDRESS", "stop where any hart comes to this virtual address", add_breakpoint},
    {"watch", NULL, "/FMT ADDRESS [r|w|rw]",
     "stop behind what reads or writes there: FMT is a count, b h w g (8 bytes)", add_watchpoint},
    {"delete", "d", "ADDRESS", "take the break- or watchpoint away; info breakpoints lists them",
     delete_point},
    {.name = NULL},
};

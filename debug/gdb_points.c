/* Breakpoints and watchpoints of gdb: Z and z packets. */
#include "debug/gdb_internal.h"

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

/* Breakpoints may stay before a step, since they are asked whether they are wanted. */
void gdb_remove_unwanted(struct gdb *g, bool steps)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++) {
        struct gdb_point *p = &g->points[i];
        if (p->is_used && !p->is_wanted && !(steps && is_breakpoint(p)))
            remove_point(g, p);
    }
}

const struct gdb_point *gdb_breakpoint_at(const struct gdb *g, uint64_t va, bool is_wanted)
{
    for (unsigned i = 0; i < GDB_POINTS_MOST; i++) {
        const struct gdb_point *p = &g->points[i];
        if (p->is_used && p->is_wanted == is_wanted && is_breakpoint(p) && point_va(p) == va)
            return p;
    }
    return NULL;
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
           gdb_conditions_hold(p->conditions, control_hart(p->gdb->control, hart));
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

/* There may be types that we have not heard of: for these there is no support, rather than an
 * error. */
static void refuse(struct gdb *g, struct gdb_text t)
{
    uint64_t number;
    bool is_unknown = gdb_take_number(&t, &number) && number > GDB_ACCESS;
    gdb_answer(g, is_unknown ? "" : GDB_EINVAL);
}

/* A point that is there already gets the conditions of the new one. */
void gdb_insert_point(struct gdb *g, struct gdb_text *t)
{
    enum gdb_point_type type;
    uint64_t va, kind;
    const struct gdb_text whole = *t;
    struct gdb_conditions *conditions = NULL;
    bool ok = take_point(t, &type, &va, &kind);
    if (ok && gdb_take(t, ";"))
        ok = gdb_conditions_read(t, &conditions);
    if (!ok || gdb_left(t)) {
        gdb_conditions_free(conditions);
        refuse(g, whole);
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
    const struct gdb_text whole = *t;
    if (!take_point(t, &type, &va, &kind) || gdb_left(t)) {
        refuse(g, whole);
        return;
    }
    struct gdb_point *p = find_point(g, type, va, kind);
    if (p)
        p->is_wanted = false;
    gdb_answer(g, "OK");
}

/* Steps that go further than one instruction (contract: view.h).
 *
 * To step over a call is to run until the instruction behind it is reached by the same hart, in the
 * same mode and address space, and no deeper on the stack: a recursion and an interrupt's handler
 * pass there too. `finish` steps, because nothing tells where a function will return to: it ends
 * behind a return that leaves the stack no deeper than it was, and that is none of what the
 * function has called meanwhile. Both go through breakpoints and steps of the control, so that they
 * leave no trace in the state. */
#include "debug/view_internal.h"

#define X_SP 2

static bool is_back(const struct motion *m, const struct hart *h)
{
    return m->any_hart || (h->id == m->hart && h->priv == m->priv && h->csr.satp == m->satp &&
                           h->x[X_SP] >= m->sp);
}

static bool is_hit(void *owner, unsigned hart)
{
    const struct view *v = owner;
    return is_back(&v->motion, machine_hart(control_machine(v->control), hart));
}

static void clean_up(void *owner)
{
    struct view *v = owner;
    if (v->motion.is_set)
        control_remove_breakpoint(v->control, &v->motion.breakpoint);
    v->motion.is_set = false;
}

void view_create_motion(struct view *v)
{
    v->motion.clean_up = (struct control_work){.work = clean_up, .owner = v};
}

void view_end_motion(struct view *v)
{
    if (v->motion.is_set)
        control_defer(v->control, &v->motion.clean_up);
}

static void begin(struct view *v)
{
    const struct hart *h = view_hart(v);
    clean_up(v);
    v->motion.hart = h->id;
    v->motion.sp = h->x[X_SP];
    v->motion.satp = h->csr.satp;
    v->motion.priv = h->priv;
    v->motion.any_hart = v->motion.returned = v->motion.in_call = false;
}

static bool run_until(struct view *v, uint64_t va, struct error *err)
{
    struct motion *m = &v->motion;
    m->breakpoint = (struct control_breakpoint){.va = va, .hit = is_hit, .owner = v};
    m->is_set = control_add_breakpoint(v->control, &m->breakpoint);
    if (!m->is_set)
        return error_set(err, "no memory for a breakpoint");
    if (control_continue(v->control, err))
        return true;
    clean_up(v);
    return false;
}

bool view_run_to(struct view *v, uint64_t va, struct error *err)
{
    begin(v);
    v->motion.any_hart = true;
    return run_until(v, va, err);
}

bool view_step(struct view *v, struct error *err)
{
    return control_step(v->control, monitor_current_hart(v->monitor), 1, err);
}

bool view_step_over(struct view *v, struct error *err)
{
    uint64_t pc = view_hart(v)->pc;
    const struct insn_info *i = view_instruction(v, pc);
    bool calls = i && (i->class == CLASS_CALL ||
                       (i->class == CLASS_SYSTEM && !strcmp(i->in.base->name, "ecall")));
    if (!calls)
        return view_step(v, err);
    begin(v);
    return run_until(v, pc + i->in.length, err);
}

/* Asked behind each step, about the one that comes next. What is deeper on the stack is somebody
 * else's: callees before this one's frame was made, and handlers. */
static bool goes_on(void *owner, unsigned hart)
{
    struct view *v = owner;
    struct motion *m = &v->motion;
    const struct hart *h = machine_hart(control_machine(v->control), hart);
    bool is_own = is_back(m, h);
    if (m->returned && is_own)
        return false;
    m->in_call = m->in_call && !(is_own && h->pc == m->behind_call);
    m->returned = false;
    if (!is_own || m->in_call)
        return true;
    const struct insn_info *i = view_instruction(v, h->pc);
    m->returned = i && i->class == CLASS_RETURN;
    m->in_call = i && i->class == CLASS_CALL;
    m->behind_call = h->pc + (i ? i->in.length : 0);
    return true;
}

bool view_finish(struct view *v, struct error *err)
{
    unsigned hart = monitor_current_hart(v->monitor);
    begin(v);
    goes_on(v, hart);
    return control_step_while(v->control, hart, goes_on, v, err);
}

/* Machine or program (contract: target.h). */
#include "debug/target.h"

#include "cpu/hart.h"

#define CSR_FCSR 3u /* the last one that is a program's */

struct machine_exit target_run(const struct target *t, uint64_t until_ns)
{
    return t->program ? t->program->ops->run(t->program->owner) : machine_run(t->machine, until_ns);
}

void target_request_stop(const struct target *t)
{
    if (t->program)
        t->program->ops->request_stop(t->program->owner);
    else
        machine_request_stop(t->machine);
}

void target_stop_at(const struct target *t, unsigned hart, uint64_t end_steps)
{
    if (t->program)
        t->program->ops->stop_at(t->program->owner, end_steps);
    else
        machine_stop_at(t->machine, hart, end_steps);
}

/* A program has one hart. */
void target_stop_at_total(const struct target *t, uint64_t end_steps)
{
    if (t->program)
        t->program->ops->stop_at(t->program->owner, end_steps);
    else
        machine_stop_at_total(t->machine, end_steps);
}

struct hart *target_hart(const struct target *t, unsigned id)
{
    if (!t->program)
        return machine_hart(t->machine, id);
    return id == 0 ? t->program->ops->hart(t->program->owner) : NULL;
}

uint64_t target_steps(const struct target *t)
{
    return t->program ? target_hart(t, 0)->steps : machine_steps(t->machine);
}

bool target_add_breakpoint(const struct target *t, uint64_t va)
{
    return t->program ? t->program->ops->add_breakpoint(t->program->owner, va)
                      : machine_add_breakpoint(t->machine, va);
}

void target_remove_breakpoint(const struct target *t, uint64_t va)
{
    if (t->program)
        t->program->ops->remove_breakpoint(t->program->owner, va);
    else
        machine_remove_breakpoint(t->machine, va);
}

bool target_add_watchpoint(const struct target *t, const struct watch *w)
{
    return t->program ? t->program->ops->add_watchpoint(t->program->owner, w)
                      : machine_add_watchpoint(t->machine, w);
}

void target_remove_watchpoint(const struct target *t, const struct watch *w)
{
    if (t->program)
        t->program->ops->remove_watchpoint(t->program->owner, w);
    else
        machine_remove_watchpoint(t->machine, w);
}

static bool may_edit(const struct program_ops *ops, void *owner, const struct machine_edit *e)
{
    switch (e->kind) {
    case EDIT_PC:
    case EDIT_X:
    case EDIT_F:
        return true;
    case EDIT_CSR:
        return e->number <= CSR_FCSR;
    case EDIT_MEMORY:
        return ops->may_write(owner, e->value, e->n);
    default:
        return false;
    }
}

bool target_edit(const struct target *t, const struct machine_edit *e, struct error *err)
{
    if (!t->program)
        return machine_edit(t->machine, e, err);
    if (!may_edit(t->program->ops, t->program->owner, e))
        return error_set(err, "a program has nothing there that could be written");
    return edit_hart(target_hart(t, 0), e, err);
}

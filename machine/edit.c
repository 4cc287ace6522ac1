/* Changes that come from a debugger (contract: edit.h). */
#include "machine/edit.h"

#include "cpu/peek.h"
#include "machine/internal.h"

static bool write_privilege(struct hart *h, uint64_t value)
{
    if (value != PRIV_U && value != PRIV_S && value != PRIV_M)
        return false;
    hart_set_priv(h, (enum priv)value);
    return true;
}

static bool write_register(struct hart *h, const struct machine_edit *e)
{
    if (hart_is_watched(h, NOTICE_SET))
        hart_notify(h, &(struct notice){.kind = NOTICE_SET});
    switch (e->kind) {
    case EDIT_PC:
        if (e->value & 1) /* no instruction begins there */
            return false;
        h->pc = e->value;
        return true;
    case EDIT_X:
        if (e->number == 0 || e->number > 31)
            return false;
        h->x[e->number] = e->value;
        return true;
    case EDIT_F:
        if (e->number > 31)
            return false;
        h->f[e->number] = e->value;
        return true;
    case EDIT_CSR:
        return hart_csr_poke(h, e->number, e->value);
    default:
        return write_privilege(h, e->value);
    }
}

bool edit_hart(struct hart *h, const struct machine_edit *e, struct error *err)
{
    if (e->n > EDIT_MOST_BYTES)
        return error_set(err, "%zu bytes at once are too many", e->n);
    switch (e->kind) {
    case EDIT_MEMORY:
        return poke_memory(h, e->value, e->bytes, e->n) ||
               error_set(err, "there is no memory at 0x%llx", (unsigned long long)e->value);
    case EDIT_PHYSICAL:
        return poke_physical(h->ports.memory, e->value, e->bytes, e->n) ||
               error_set(err, "there is no memory at 0x%llx", (unsigned long long)e->value);
    default:
        return write_register(h, e) ||
               error_set(err, "it cannot be set to 0x%llx", (unsigned long long)e->value);
    }
}

bool edit_apply(struct machine *m, const struct machine_edit *e, struct error *err)
{
    struct hart *h = machine_hart(m, e->hart);
    if (e->kind == EDIT_RESET)
        return machine_reset(m, err);
    return h ? edit_hart(h, e, err) : error_set(err, "there is no hart %u", e->hart);
}

bool machine_may_edit(const struct machine *m, struct error *err)
{
    return !m->recorder || recorder_may_edit(m->recorder, err);
}

bool machine_edit(struct machine *m, const struct machine_edit *e, struct error *err)
{
    struct edit_place place;
    if (!machine_may_edit(m, err))
        return false;
    if (!m->recorder)
        return edit_apply(m, e, err);
    place = recorder_edit_place(m->recorder);
    if (!edit_apply(m, e, err))
        return false;
    recorder_add_edit(m->recorder, &place, e);
    return true;
}

/* The commit log, in the form that Spike gives it (riscv-isa-sim, option --log-commits), which
 * co-simulations compare. Spike writes registers in the order of their numbers, x before f before
 * CSRs, and a view of a CSR as the CSR itself.
 *
 * Two differences stay: Spike writes fflags whenever an instruction raises a flag, here it is
 * written when one changes; and Spike writes each byte that cbo.zero clears. */
#include "debug/trace_internal.h"

#include <stdlib.h>

enum { CSR_FFLAGS = 0x001, CSR_FRM = 0x002, CSR_FCSR = 0x003 };
enum { CSR_SSTATUS = 0x100, CSR_SIE = 0x104, CSR_SIP = 0x144 };
enum { CSR_MSTATUS = 0x300, CSR_MIE = 0x304, CSR_MIP = 0x344 };

struct commits {
    struct insn_trace insn;
    uint64_t fflags; /* before a floating-point instruction */
};

static uint64_t csr_value(struct hart *h, unsigned number)
{
    uint64_t value;
    return hart_csr_peek(h, number, &value) ? value : 0;
}

static bool is_row(const struct insn_info *info, const char *name)
{
    return strcmp(info->in.base->name, name) == 0;
}

/* --- registers ---------------------------------------------------------------------------- */

/* What one instruction can write: x and f, and two CSRs. */
struct written {
    struct written_register {
        char kind;
        unsigned number;
        uint64_t value;
    } list[4];
    unsigned count;
};

static unsigned order_of(const struct written_register *r)
{
    return r->number << 2 | (r->kind == 'x' ? 0 : r->kind == 'f' ? 1 : 2);
}

/* Keeps the list sorted. */
static void add(struct written *w, char kind, unsigned number, uint64_t value)
{
    struct written_register r = {kind, number, value};
    unsigned at = w->count++;
    for (; at > 0 && order_of(&w->list[at - 1]) > order_of(&r); at--)
        w->list[at] = w->list[at - 1];
    w->list[at] = r;
}

/* Views of mstatus, mie and mip are not written themselves. */
static void add_csr(struct written *w, const struct insn_trace *i, struct hart *h)
{
    static const unsigned views[][2] = {
        {CSR_SSTATUS, CSR_MSTATUS}, {CSR_SIE, CSR_MIE}, {CSR_SIP, CSR_MIP}};
    if (i->csr == CSR_FCSR) {
        add(w, 'c', CSR_FFLAGS, csr_value(h, CSR_FFLAGS));
        add(w, 'c', CSR_FRM, csr_value(h, CSR_FRM));
        return;
    }
    for (size_t k = 0; k < ARRAY_LEN(views); k++)
        if (views[k][0] == i->csr) {
            add(w, 'c', views[k][1], csr_value(h, views[k][1]));
            return;
        }
    add(w, 'c', i->csr, i->csr_value);
}

static void put_register(struct line *l, const struct written_register *r)
{
    const char *name = r->kind == 'c' ? csr_name(r->number) : NULL;
    if (r->kind == 'c')
        line_print(l, " c%u_%s ", r->number, name ? name : "");
    else
        line_print(l, " %c%-2u ", r->kind, r->number);
    line_hex(l, r->value, 16);
}

static void put_registers(struct line *l, const struct commits *c, struct hart *h)
{
    const struct insn_info *info = c->insn.info;
    struct written w = {.count = 0};
    if (info->writes_x)
        add(&w, 'x', info->in.rd, h->x[info->in.rd]);
    if (info->writes_f)
        add(&w, 'f', info->in.rd, h->f[info->in.rd]);
    if (c->insn.csr != CSR_NONE)
        add_csr(&w, &c->insn, h);
    else if (info->class == CLASS_FLOAT && csr_value(h, CSR_FFLAGS) != c->fflags)
        add(&w, 'c', CSR_FFLAGS, csr_value(h, CSR_FFLAGS));
    else if (is_row(info, "mret") || is_row(info, "sret"))
        add(&w, 'c', CSR_MSTATUS, csr_value(h, CSR_MSTATUS));
    for (unsigned k = 0; k < w.count; k++)
        put_register(l, &w.list[k]);
}

/* --- memory ------------------------------------------------------------------------------- */

static void put_access(struct line *l, uint64_t address)
{
    line_put(l, " mem ");
    line_hex(l, address, 16);
}

static void put_memory(struct line *l, const struct insn_trace *i, const struct hart *h)
{
    const struct insn_info *info = i->info;
    bool amo = info->class == CLASS_AMO, is_lr = strncmp(info->in.base->name, "lr_", 3) == 0,
         is_sc = strncmp(info->in.base->name, "sc_", 3) == 0;
    bool loads = info->class == CLASS_LOAD || (amo && !is_sc);
    bool stores = info->class == CLASS_STORE || (amo && !is_lr);
    uint64_t value = i->stored & insn_trace_mask(info->bytes);
    if (is_sc && h->x[info->in.rd]) /* it failed; into x0 that is not seen */
        stores = false;
    if (amo && stores && !insn_trace_memory(i, h, &value))
        stores = false;
    if (loads)
        put_access(l, i->address);
    if (stores) {
        put_access(l, i->address);
        line_put(l, " ");
        line_hex(l, value, 2 * info->bytes);
    }
}

/* --- lines -------------------------------------------------------------------------------- */

static void put_commit(struct line *l, const struct commits *c, const struct trace_run *run,
                       struct hart *h)
{
    const struct insn_info *info = c->insn.info;
    line_put(l, "core   "); /* harts have one digit */
    line_decimal(l, h->id);
    line_put(l, ": ");
    line_decimal(l, run->priv);
    line_char(l, ' ');
    line_hex(l, run->pc, 16);
    line_put(l, " (");
    line_hex(l, info->word, info->in.length == 2 ? 4 : 8);
    line_put(l, ")");
    put_registers(l, c, h);
    if (info->bytes)
        put_memory(l, &c->insn, h);
}

static void on_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct commits *c = t->state;
    struct line l;
    line_begin(&l);
    if (n->kind == NOTICE_BEGINS) {
        insn_trace_begin(&c->insn, t, h);
        if (c->insn.info->class == CLASS_FLOAT)
            c->fflags = csr_value(h, CSR_FFLAGS);
    } else if (n->kind == NOTICE_CSR) {
        c->insn.csr = n->number;
        c->insn.csr_value = n->value;
    } else if (n->kind == NOTICE_RAN && c->insn.info && n->number) {
        put_commit(&l, c, &t->trace->run, h);
        line_write(&l, t->file);
    }
}

static bool start(struct tracer *t, struct error *err)
{
    t->state = calloc(1, sizeof(struct commits));
    return t->state || error_set(err, "no memory for the trace");
}

static void finish(struct tracer *t)
{
    free(t->state);
}

const struct tracer_kind tracer_commits = {
    .wants = NOTICE_RUNS | NOTICE_BIT(NOTICE_CSR),
    .watch = CODE_SINGLE,
    .start = start,
    .notice = on_notice,
    .finish = finish,
};

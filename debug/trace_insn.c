/* The instruction that runs, with what it read and wrote; and the commit log, in the form that
 * Spike gives it (riscv-isa-sim, option --log-commits), which co-simulations compare. */
#include "debug/trace_internal.h"

#include "cpu/peek.h"
#include "debug/registers.h"

#include <stdlib.h>

#define TEXT_WIDTH 80u

/* --- what it does ------------------------------------------------------------------------- */

void insn_trace_begin(struct insn_trace *i, struct tracer *t, const struct hart *h)
{
    const struct insn_info *info =
        insn_cache_find(t->trace->instructions, h->pc, insn_word_at(h, h->pc));
    *i = (struct insn_trace){.info = info, .csr = CSR_NONE};
    if (info->class == CLASS_ILLEGAL || !info->bytes)
        return;
    bool offset = info->class != CLASS_AMO;
    i->address = h->x[info->in.rs1] + (offset ? (uint64_t)(int64_t)info->in.imm : 0);
    i->stored = info->stores_f ? h->f[info->in.rs2] : h->x[info->in.rs2];
}

static uint64_t mask_of(unsigned bytes)
{
    return bytes >= 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

static bool is_lr(const struct insn_info *info)
{
    return strncmp(info->in.base->name, "lr_", 3) == 0;
}

static bool is_sc(const struct insn_info *info)
{
    return strncmp(info->in.base->name, "sc_", 3) == 0;
}

/* The value that is in memory behind an access. Devices are not read: what a load of one gave is in
 * its register. */
static bool memory_after(const struct insn_trace *i, const struct hart *h, uint64_t *value)
{
    *value = 0;
    return peek_memory(h, i->address, value, i->info->bytes);
}

/* --- the own form ------------------------------------------------------------------------- */

static void put_registers(struct line *l, const struct insn_info *info, const struct hart *h)
{
    if (info->writes_x) {
        line_char(l, ' ');
        line_put(l, register_x_name(info->in.rd));
        line_char(l, '=');
        line_hex(l, h->x[info->in.rd], 1);
    }
    if (info->writes_f) {
        line_char(l, ' ');
        line_put(l, register_f_name(info->in.rd));
        line_char(l, '=');
        line_hex(l, h->f[info->in.rd], 16);
    }
}

static void put_memory(struct line *l, const struct insn_trace *i, const struct hart *h)
{
    uint64_t value;
    if (!i->info->bytes)
        return;
    line_put(l, " [");
    line_hex(l, i->address, 1);
    line_put(l, "]");
    if (i->info->class == CLASS_LOAD) /* its value is the register's */
        return;
    if (i->info->class == CLASS_STORE)
        value = i->stored & mask_of(i->info->bytes);
    else if (!memory_after(i, h, &value))
        return;
    line_put(l, "=");
    line_hex(l, value, 1);
}

void insn_trace_put(struct line *l, const struct insn_trace *i, struct tracer *t,
                    const struct hart *h, bool trapped)
{
    size_t begin = l->used;
    line_put(l, insn_cache_text(t->trace->instructions, i->info->pc, i->info->word));
    line_pad(l, begin + TEXT_WIDTH / 3);
    if (trapped) {
        line_put(l, " (trap)");
        return;
    }
    put_registers(l, i->info, h);
    put_memory(l, i, h);
    if (i->csr != CSR_NONE) {
        const char *name = csr_name(i->csr);
        line_print(l, " %s=", name ? name : "csr");
        line_hex(l, i->csr_value, 1);
    }
}

/* --- Spike's form ------------------------------------------------------------------------- */

static void put_commit_register(struct line *l, char kind, unsigned number, uint64_t value)
{
    line_char(l, ' ');
    line_char(l, kind);
    line_decimal(l, number);
    line_put(l, number < 10 ? "  " : " ");
    line_hex(l, value, 16);
}

static void put_commit_memory(struct line *l, const struct insn_trace *i, const struct hart *h)
{
    const struct insn_info *info = i->info;
    bool amo = info->class == CLASS_AMO;
    bool loads = info->class == CLASS_LOAD || (amo && !is_sc(info));
    bool stores = info->class == CLASS_STORE || (amo && !is_lr(info));
    uint64_t value = i->stored & mask_of(info->bytes);
    if (is_sc(info) && h->x[info->in.rd]) /* it failed; into x0 that is not seen */
        stores = false;
    if (amo && stores && !memory_after(i, h, &value))
        stores = false;
    if (loads) {
        line_put(l, " mem ");
        line_hex(l, i->address, 16);
    }
    if (stores) {
        line_put(l, " mem ");
        line_hex(l, i->address, 16);
        line_put(l, " ");
        line_hex(l, value, 2 * info->bytes);
    }
}

static void put_commit(struct line *l, const struct insn_trace *i, const struct trace_run *run,
                       const struct hart *h)
{
    const struct insn_info *info = i->info;
    line_put(l, "core   "); /* harts have one digit */
    line_decimal(l, h->id);
    line_put(l, ": ");
    line_decimal(l, run->priv);
    line_char(l, ' ');
    line_hex(l, run->pc, 16);
    line_put(l, " (");
    line_hex(l, info->word, info->in.length == 2 ? 4 : 8);
    line_put(l, ")");
    if (info->writes_x)
        put_commit_register(l, 'x', info->in.rd, h->x[info->in.rd]);
    if (info->writes_f)
        put_commit_register(l, 'f', info->in.rd, h->f[info->in.rd]);
    if (info->bytes)
        put_commit_memory(l, i, h);
    if (i->csr != CSR_NONE) {
        const char *name = csr_name(i->csr);
        line_print(l, " c%u_%s ", i->csr, name ? name : "");
        line_hex(l, i->csr_value, 16);
    }
}

static void on_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct insn_trace *i = t->state;
    struct line l;
    line_begin(&l);
    if (n->kind == NOTICE_BEGINS) {
        insn_trace_begin(i, t, h);
    } else if (n->kind == NOTICE_CSR) {
        i->csr = n->number;
        i->csr_value = n->value;
    } else if (n->kind == NOTICE_RAN && i->info && n->number) {
        put_commit(&l, i, &t->trace->run, h);
        line_write(&l, t->file);
    }
}

static bool start(struct tracer *t, struct error *err)
{
    t->state = calloc(1, sizeof(struct insn_trace));
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

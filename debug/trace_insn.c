/* The instruction that runs, with what it read and wrote. */
#include "debug/trace_internal.h"

#include "cpu/peek.h"
#include "debug/registers.h"

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

uint64_t insn_trace_mask(unsigned bytes)
{
    return bytes >= 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

bool insn_trace_memory(const struct insn_trace *i, const struct hart *h, uint64_t *value)
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
        value = i->stored & insn_trace_mask(i->info->bytes);
    else if (!insn_trace_memory(i, h, &value))
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

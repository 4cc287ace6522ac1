/* The tracer that writes lines: one for each event, in the order in which they happen. */
#include "debug/trace_internal.h"

#include <stdlib.h>

#define SATP_NUMBER 0x180u
#define PLACE_WIDTH 56u

struct lines {
    struct insn_trace instruction;
    struct syscall_trace *calls;
};

static const char *interrupt_name(uint64_t number)
{
    static const char *const names[] = {
        [IRQ_SSIP] = "supervisor software", [IRQ_MSIP] = "machine software",
        [IRQ_STIP] = "supervisor timer",    [IRQ_MTIP] = "machine timer",
        [IRQ_SEIP] = "supervisor external", [IRQ_MEIP] = "machine external",
    };
    return number < ARRAY_LEN(names) ? names[number] : NULL;
}

void trace_put_symbol(struct line *l, const struct symbols *symbols, uint64_t address)
{
    const struct symbol *symbol = symbols_at(symbols, address);
    if (!symbol)
        return;
    line_put(l, "<");
    line_put(l, symbol->name);
    if (address != symbol->start) {
        line_put(l, "+");
        line_hex(l, address - symbol->start, 1);
    }
    line_put(l, ">");
}

/* "1234 h0 S 0xffffffff80001234 <memcpy+0x10>  " */
static void put_place(struct line *l, const struct tracer *t, const struct hart *h, uint64_t steps,
                      unsigned priv, uint64_t pc)
{
    line_decimal(l, steps);
    line_put(l, " h");
    line_decimal(l, h->id);
    line_char(l, ' ');
    line_char(l, "US?M"[priv & 3]);
    line_char(l, ' ');
    line_hex(l, pc, 16);
    line_char(l, ' ');
    if (symbols_count(t->trace->symbols)) {
        trace_put_symbol(l, t->trace->symbols, pc);
        line_pad(l, PLACE_WIDTH);
        line_char(l, ' ');
    }
}

/* --- events ------------------------------------------------------------------------------- */

static void put_trap(struct line *l, const struct notice *n)
{
    bool interrupt = n->value & CAUSE_INTERRUPT;
    uint64_t cause = n->value & ~CAUSE_INTERRUPT;
    const char *name = interrupt ? interrupt_name(cause) : hart_exception_name(cause);
    line_print(l, "%s %s", interrupt ? "interrupt" : "trap", name ? name : "reserved");
    line_print(l, " (%llu), tval ", (unsigned long long)cause);
    line_hex(l, n->address, 1);
    line_print(l, ", to %c", "US?M"[n->number & 3]);
}

static void put_csr(struct line *l, const struct notice *n)
{
    const char *name = csr_name(n->number);
    line_print(l, "csr %s ", name ? name : "?");
    line_hex(l, n->old, 1);
    line_put(l, " -> ");
    line_hex(l, n->value, 1);
}

static void put_switch(struct line *l, const struct notice *n)
{
    line_put(l, "switch satp ");
    line_hex(l, n->old, 16);
    line_put(l, " -> ");
    line_hex(l, n->value, 16);
    line_print(l, ", asid %u, root ", (unsigned)bits_get(n->value, SATP_ASID_SHIFT, 16));
    line_hex(l, bits_get(n->value, 0, 44) << 12, 1);
}

static void put_mmio(struct line *l, const struct hart *h, const struct notice *n)
{
    const struct region *region = memory_find(h->ports.memory, n->address);
    line_print(l, "mmio %s %u ", n->store ? "write" : "read", n->number);
    line_hex(l, n->address, 8);
    line_put(l, " = ");
    line_hex(l, n->value, 1);
    if (region) {
        line_print(l, "  %s+", region->name);
        line_hex(l, n->address - region->base, 1);
    }
}

static void put_walk(struct line *l, const struct notice *n)
{
    static const char *const kinds[TLB_ACCESSES] = {"load", "store", "fetch"};
    line_print(l, "tlb %s ", kinds[n->number]);
    line_hex(l, n->address, 16);
    if (n->failed) {
        line_put(l, " fault");
        return;
    }
    line_put(l, " -> ");
    line_hex(l, n->value, 8);
}

static void put_return(struct line *l, const struct tracer *t, const struct notice *n)
{
    line_print(l, "return to %c ", "US?M"[n->number & 3]);
    line_hex(l, n->address, 16);
    line_put(l, " ");
    trace_put_symbol(l, t->trace->symbols, n->address);
}

/* Which item the notice is of; 0: none that this tracer writes. A trap and a CSR write may be of
 * two: the more telling one is written. */
static unsigned item_of(const struct tracer *t, const struct hart *h, const struct notice *n)
{
    unsigned item = 0;
    switch (n->kind) {
    case NOTICE_TRAP:
        item = n->value & CAUSE_INTERRUPT ? TRACE_INT : TRACE_TRAP;
        if (n->value == CAUSE_ECALL_U && t->items & TRACE_SYSCALL)
            item = TRACE_SYSCALL;
        break;
    case NOTICE_CSR:
        item = n->number == SATP_NUMBER && t->items & TRACE_SWITCH ? TRACE_SWITCH : TRACE_CSR;
        if (item == TRACE_SWITCH && n->old == n->value)
            return 0;
        break;
    case NOTICE_SBI_CALL:
        item = TRACE_SBI;
        break;
    case NOTICE_MMIO:
        item = TRACE_MMIO;
        break;
    case NOTICE_WALK:
        item = TRACE_TLB;
        break;
    default:
        break;
    }
    (void)h;
    return t->items & item;
}

static void put_event(struct line *l, struct tracer *t, const struct hart *h, unsigned item,
                      const struct notice *n)
{
    struct lines *lines = t->state;
    switch (item) {
    case TRACE_TRAP:
    case TRACE_INT:
        put_trap(l, n);
        break;
    case TRACE_SYSCALL:
        line_put(l, "syscall ");
        syscall_trace_put(l, lines->calls, h);
        break;
    case TRACE_SWITCH:
        put_switch(l, n);
        break;
    case TRACE_CSR:
        put_csr(l, n);
        break;
    case TRACE_SBI:
        sbi_trace_put(l, h);
        break;
    case TRACE_MMIO:
        put_mmio(l, h, n);
        break;
    default:
        put_walk(l, n);
        break;
    }
}

/* Returns may end a system call, and are themselves an item. */
static void on_return(struct tracer *t, const struct hart *h, const struct notice *n)
{
    struct lines *lines = t->state;
    struct line l;
    line_begin(&l);
    if (t->items & TRACE_RETURN) {
        put_place(&l, t, h, h->steps, h->priv, h->pc);
        put_return(&l, t, n);
        line_write(&l, t->file);
    }
    if (!(t->items & TRACE_SYSCALL) || n->number != PRIV_U)
        return;
    put_place(&l, t, h, h->steps, PRIV_U, n->address);
    line_put(&l, "syscall ");
    if (syscall_trace_put_return(&l, lines->calls, h, n->address))
        line_write(&l, t->file);
}

static void on_ran(struct tracer *t, const struct hart *h, const struct notice *n)
{
    struct lines *lines = t->state;
    const struct trace_run *run = &t->trace->run;
    struct line l;
    line_begin(&l);
    if (!lines->instruction.info || (!n->number && !n->failed))
        return;
    put_place(&l, t, h, run->steps, run->priv, run->pc);
    insn_trace_put(&l, &lines->instruction, t, h, n->failed);
    line_write(&l, t->file);
}

static void on_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct lines *lines = t->state;
    struct line l;
    line_begin(&l);
    if (n->kind == NOTICE_BEGINS) {
        insn_trace_begin(&lines->instruction, t, h);
    } else if (n->kind == NOTICE_RAN) {
        on_ran(t, h, n);
    } else if (n->kind == NOTICE_RETURN) {
        on_return(t, h, n);
    } else if (n->kind == NOTICE_SBI_RETURN && t->items & TRACE_SBI) {
        put_place(&l, t, h, h->steps, h->priv, h->pc);
        line_print(&l, "sbi = %lld, ", (long long)h->x[10]);
        line_hex(&l, h->x[11], 1);
        line_write(&l, t->file);
    } else {
        unsigned item = item_of(t, h, n);
        if (n->kind == NOTICE_CSR) {
            lines->instruction.csr = n->number;
            lines->instruction.csr_value = n->value;
        }
        if (!item)
            return;
        put_place(&l, t, h, h->steps, h->priv, h->pc);
        put_event(&l, t, h, item, n);
        line_write(&l, t->file);
    }
}

/* --- life --------------------------------------------------------------------------------- */

static bool start(struct tracer *t, struct error *err)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (lines)
        lines->calls = syscall_trace_create();
    if (!lines || !lines->calls) {
        free(lines);
        return error_set(err, "no memory for the trace");
    }
    t->state = lines;
    return true;
}

static void finish(struct tracer *t)
{
    struct lines *lines = t->state;
    free(lines->calls);
    free(lines);
}

const struct tracer_kind tracer_lines = {
    .watch = CODE_UNWATCHED,
    .start = start,
    .notice = on_notice,
    .finish = finish,
};

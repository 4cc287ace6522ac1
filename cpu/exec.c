/* The handlers: every integer, memory and system row, the ops of the block builder, and the slow
 * paths behind them. This is the hot file; CMakeLists.txt gives it flags of its own. */
#include "cpu/exec.h"

#include "cpu/arith.h"

#define I(name, pattern, format, operands, ...)                                                    \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
        NEXT;                                                                                      \
    }
#define F I
#define G I
#include "cpu/isa/a.def"
#include "cpu/isa/b.def"
#include "cpu/isa/fmem.def"
#include "cpu/isa/i.def"
#include "cpu/isa/m.def"
#include "cpu/isa/sys.def"
#undef I
#undef F
#undef G

/* --- leaving ---------------------------------------------------------------------------------- */

/* The budget is used up at an exit: the hart stands at its target. */
HANDLER(leave_at_target)
{
    h->pc = h->page_va + (uint64_t)IMM;
    h->steps = h->slice_end - (uint64_t)budget;
    LEAVE;
}

HANDLER(leave_behind)
{
    hart_sync(h, op, budget);
    h->pc += code_side(h->ports.code, op)->length;
    h->steps++;
    LEAVE;
}

HANDLER(take_exception_here)
{
    hart_sync(h, op, budget);
    hart_take_exception(h);
    LEAVE;
}

/* --- jumps ------------------------------------------------------------------------------------ */

HANDLER(op_j)
{
    JUMP();
}

HANDLER(op_link)
{
    WRITE_RD(PAGE_VA + (uint64_t)IMM);
    NEXT;
}

/* The op at h->pc, whose steps are charged already; NULL: the hart must leave (a fault was taken,
 * or the page is executed instruction by instruction). */
static struct op *find_target(struct hart *h, int64_t budget)
{
    h->steps = h->slice_end - (uint64_t)budget;
    if (!hart_enter_page(h, h->pc)) {
        hart_take_exception(h);
        return NULL;
    }
    if (!h->page_valid)
        return NULL;
    struct code_cache *code = h->ports.code;
    return code_entry(code,
                      code_find(code, h->page_pa + h->pc % PAGE_BYTES, h->code_context, false));
}

HANDLER(op_resolve)
{
    uint64_t generation = h->ports.code->generation;
    h->pc = h->page_va + (uint64_t)(int64_t)op[-1].imm;
    struct op *target = find_target(h, budget);
    if (!target)
        LEAVE;
    if (generation == h->ports.code->generation)
        op->target = target;
    CONTINUE_AT(target);
}

static HANDLER(cross_slow)
{
    uint64_t generation = h->ports.code->generation;
    struct op *target = find_target(h, budget);
    if (!target)
        LEAVE;
    if (generation == h->ports.code->generation) {
        op[1].page = h->page_pa;
        op[1].target = target;
    }
    CONTINUE_AT(target);
}

/* Goes on at op[1].target while the fetch TLB maps the target's page to physical page op[1].page.
 */
HANDLER(op_cross)
{
    uint64_t va = h->page_va + (uint64_t)IMM;
    const struct tlb_fast *entry = &h->fetch_tlb[tlb_index(va)];
    if (UNLIKELY(entry->tag != (va & PAGE_MASK) || entry->addend != op[1].page)) {
        h->pc = va;
        TAIL(cross_slow);
    }
    h->page_va = entry->tag;
    h->page_pa = entry->addend;
    CONTINUE_AT(op[1].target);
}

/* jalr whose inline cache does not hold: h->pc is the target, steps are charged. */
HANDLER(jump_register_slow)
{
    if (budget < 0) {
        h->steps = h->slice_end - (uint64_t)budget;
        LEAVE;
    }
    uint64_t generation = h->ports.code->generation, va = h->pc;
    struct op *target = find_target(h, budget);
    if (!target)
        LEAVE;
    if (generation == h->ports.code->generation) {
        op[1].va = va;
        op[1].target = target;
        op[2].page = h->page_pa;
    }
    CONTINUE_AT(target);
}

/* --- ops of the block builder ----------------------------------------------------------------- */

HANDLER(op_illegal)
{
    hart_sync(h, op, budget);
    hart_raise_illegal(h);
    hart_take_exception(h);
    LEAVE;
}

HANDLER(op_straddle)
{
    uint32_t word;
    hart_sync(h, op, budget);
    if (!hart_straddling_word(h, &word)) {
        hart_take_exception(h);
        LEAVE;
    }
    struct op *block = code_straddle(h->ports.code, word, h->code_context);
    CONTINUE_AT(block);
}

/* Goes on at this op's instruction with a block that begins with a guard for the hart's context. A
 * breakpoint at the instruction stands before the guard and was passed already. */
static HANDLER(reenter_in_context)
{
    struct code_cache *code = h->ports.code;
    hart_sync(h, op, budget);
    if (code_has_breakpoint(code, h->pc))
        h->resume_pc = h->pc;
    int64_t left = budget - code_side(code, op)->before;
    if (left < 0 || h->exact)
        LEAVE;
    struct block *block = code_find(code, h->page_pa + h->pc % PAGE_BYTES, h->code_context, true);
    budget = left;
    CONTINUE_AT(code_entry(code, block));
}

HANDLER(op_fp_guard)
{
    if (UNLIKELY((unsigned)op->imm != h->code_context))
        TAIL(reenter_in_context);
    NEXT;
}

HANDLER(op_fp_dirty)
{
    h->csr.mstatus |= MSTATUS_FS;
    hart_update_code_context(h);
    TAIL(reenter_in_context);
}

/* Stands before each instruction while any breakpoint exists. */
HANDLER(op_breakpoint)
{
    hart_sync(h, op, budget);
    if (!code_has_breakpoint(h->ports.code, h->pc))
        NEXT;
    if (h->resume_pc != h->pc) {
        h->resume_pc = h->pc;
        h->stop = HART_BREAKPOINT;
        LEAVE;
    }
    h->resume_pc = NO_RESUME_PC;
    NEXT;
}

static HANDLER(op_moved);

/* A dropped block is entered through a link or a jalr cache that has not heard of it. The op keeps
 * its operands until then: the instruction that dropped the block may be its own. From now on it
 * leads to what has taken its place. Jumps that were followed may stand before a block's first op:
 * they are charged here. */
HANDLER(op_stale)
{
    struct code_cache *code = h->ports.code;
    hart_sync(h, op, budget);
    budget -= code_side(code, op)->before;
    if (budget < 0)
        LEAVE;
    uint64_t generation = code->generation, pa = h->page_pa + h->pc % PAGE_BYTES;
    struct op *target = code_entry(code, code_find(code, pa, h->code_context, false));
    if (generation == code->generation)
        *op = (struct op){.run = op_moved, .target = target};
    CONTINUE_AT(target);
}

/* A target that was dropped in its turn is looked up again, so that no chains grow. */
static HANDLER(op_moved)
{
    handler *run = op->target->run;
    unsigned before = code_side(h->ports.code, op)->before;
    if (UNLIKELY(run == op_stale || run == op_moved || budget < before))
        TAIL(op_stale);
    budget -= before;
    CONTINUE_AT(op->target);
}

/* --- memory ----------------------------------------------------------------------------------- */

#define SLOW_LOAD(type)                                                                            \
    HANDLER(slow_load_##type)                                                                      \
    {                                                                                              \
        uint64_t value;                                                                            \
        hart_sync(h, op, budget);                                                                  \
        bool ok = hart_load(h, RS1 + (uint64_t)IMM, sizeof(type), &value);                         \
        if (ok)                                                                                    \
            WRITE_RD((type)value);                                                                 \
        AFTER_SLOW(ok);                                                                            \
    }
#define SLOW_FLOAD(type)                                                                           \
    HANDLER(slow_fload_##type)                                                                     \
    {                                                                                              \
        uint64_t value;                                                                            \
        hart_sync(h, op, budget);                                                                  \
        bool ok = hart_load(h, RS1 + (uint64_t)IMM, sizeof(type), &value);                         \
        if (ok)                                                                                    \
            WRITE_FRD(sizeof(type) == 4 ? NAN_BOX(value) : value);                                 \
        AFTER_SLOW(ok);                                                                            \
    }
#define SLOW_STORE(name, type, from)                                                               \
    HANDLER(name##_##type)                                                                         \
    {                                                                                              \
        hart_sync(h, op, budget);                                                                  \
        bool ok = hart_store(h, RS1 + (uint64_t)IMM, sizeof(type), from);                          \
        AFTER_SLOW(ok);                                                                            \
    }

SLOW_LOAD(int8_t)
SLOW_LOAD(int16_t)
SLOW_LOAD(int32_t)
SLOW_LOAD(uint8_t)
SLOW_LOAD(uint16_t)
SLOW_LOAD(uint32_t)
SLOW_LOAD(uint64_t)
SLOW_FLOAD(uint32_t)
SLOW_FLOAD(uint64_t)
SLOW_STORE(slow_store, uint8_t, RS2)
SLOW_STORE(slow_store, uint16_t, RS2)
SLOW_STORE(slow_store, uint32_t, RS2)
SLOW_STORE(slow_store, uint64_t, RS2)
SLOW_STORE(slow_fstore, uint32_t, FRS2)
SLOW_STORE(slow_fstore, uint64_t, FRS2)

void *amo_slow(struct hart *h, const struct op *op, int64_t budget, unsigned size)
{
    hart_sync(h, op, budget);
    return hart_amo_address(h, RS1, size);
}

/* --- system instructions ---------------------------------------------------------------------- */

static void stop_with(struct hart *h, enum hart_stop stop)
{
    h->stop = stop;
    hart_leave(h);
}

/* Zihintpause and wrs.sto: the end of this hart's turn. */
bool hart_pause(struct hart *h, const struct op *op)
{
    (void)op;
    stop_with(h, HART_YIELDS);
    return true;
}

/* Zawrs: without a reservation nothing is waited for. The wait is bounded: a turn. */
bool hart_wrs_nto(struct hart *h, const struct op *op)
{
    return h->reservation_valid ? hart_pause(h, op) : true;
}

/* Privileged manual, section "Wait for Interrupt": with TW the bounded time below M is 0; in
 * U-mode, where S exists, it is illegal. */
bool hart_wfi(struct hart *h, const struct op *op)
{
    (void)op;
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_TW))
        return hart_raise_illegal(h);
    if (!hart_has_wakeup(h)) {
        h->waiting = true;
        stop_with(h, HART_WAITS);
    }
    return true;
}

bool hart_sfence(struct hart *h, const struct op *op)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_TVM))
        return hart_raise_illegal(h);
    hart_sfence_vma(h, op->rs1 == 0, RS1, op->rs2 == 0, RS2);
    return true;
}

/* Svinval: sinval.vma acts at once, so that the two fences around it have nothing left to do. */
bool hart_sfence_inval(struct hart *h, const struct op *op)
{
    (void)op;
    return h->priv == PRIV_U ? hart_raise_illegal(h) : true;
}

/* Whether menvcfg and senvcfg let this privilege execute a cache-block operation (CMO extensions,
 * section "Control and Status Register State"). */
static bool cbo_enabled(const struct hart *h, uint64_t field)
{
    if (h->priv != PRIV_M && !(h->csr.menvcfg & field))
        return false;
    return h->priv != PRIV_U || h->csr.senvcfg & field;
}

static bool probe_if(struct hart *h, const struct op *op, uint64_t field)
{
    if (!cbo_enabled(h, field))
        return hart_raise_illegal(h);
    return hart_probe_cache_block(h, RS1);
}

bool hart_cbo_inval(struct hart *h, const struct op *op)
{
    return probe_if(h, op, ENVCFG_CBIE);
}

/* Memory has no cache to be cleaned: the checks are all. */
bool hart_cbo_clean(struct hart *h, const struct op *op)
{
    return probe_if(h, op, ENVCFG_CBCFE);
}

bool hart_cbo_zero(struct hart *h, const struct op *op)
{
    if (!cbo_enabled(h, ENVCFG_CBZE))
        return hart_raise_illegal(h);
    return hart_zero_cache_block(h, RS1);
}

/* The handlers of atomics, system and cryptography rows, the ops of the block builder, and all slow
 * paths. The rows that superinstructions are made of are in exec_rows.c. Both are hot;
 * CMakeLists.txt gives them flags of their own. */
#include "cpu/crypto.h"
#include "cpu/exec_words.h"

/* --- slow paths, which the words refer to: inlined, they would have a frame made by fast ones ---
 */

static NOINLINE HANDLER(slow_load_reserved_int32_t);
static NOINLINE HANDLER(slow_load_reserved_int64_t);
static NOINLINE HANDLER(slow_store_conditional_int32_t);
static NOINLINE HANDLER(slow_store_conditional_int64_t);
static NOINLINE HANDLER(slow_zero_block);
/* Takes the exception in h->trap at this instruction. */
static HANDLER(take_exception_here);
/* Goes on at h->pc, in another privilege; h->steps are made. */
static HANDLER(enter_at_pc);

/* --- words of the tables -------------------------------------------------------------- */

/* The end of every slow path: an exception, a reason to leave, or onward. */
#define AFTER_SLOW(ok)                                                                             \
    do {                                                                                           \
        if (UNLIKELY(!(ok)))                                                                       \
            TAIL(take_exception_here);                                                             \
        if (UNLIKELY(h->leave))                                                                    \
            TAIL(leave_behind);                                                                    \
        NEXT;                                                                                      \
    } while (0)

/* Atomics. MEM is the old value; deterministic rounds run one hart at a time, so a plain
 * read-modify-write is atomic. */
#define AMO(type, result)                                                                          \
    do {                                                                                           \
        uint64_t va_ = RS1;                                                                        \
        type *at_;                                                                                 \
        if (IS_SLOW) {                                                                             \
            hart_sync(h, op, budget);                                                              \
            at_ = hart_amo_address(h, va_, sizeof(type));                                          \
            if (!at_)                                                                              \
                TAIL(take_exception_here);                                                         \
        } else {                                                                                   \
            FAST_ENTRY(store_tlb, va_, type);                                                      \
            if (UNLIKELY(miss_ || (va_ & (sizeof(type) - 1))))                                     \
                TAIL(slow_path);                                                                   \
            at_ = (type *)(uintptr_t)(va_ + entry_->addend);                                       \
        }                                                                                          \
        type MEM = *at_;                                                                           \
        *at_ = (type)(result);                                                                     \
        WRITE_RD((int64_t)MEM);                                                                    \
        if (IS_SLOW && UNLIKELY(h->leave))                                                         \
            TAIL(leave_behind);                                                                    \
    } while (0)

/* The address is writable memory, and mapped alike for loads: both tags hold and agree. So memory
 * that cannot be reserved (ROM, MMIO) is left to the slow path. */
#define LOAD_RESERVED(type)                                                                        \
    do {                                                                                           \
        uint64_t va_ = RS1;                                                                        \
        FAST_ENTRY(store_tlb, va_, type);                                                          \
        const struct tlb_fast *load_ = &h->load_tlb[tlb_index(va_)];                               \
        miss_ |= load_->tag != entry_->tag || load_->addend != entry_->addend;                     \
        if (UNLIKELY(miss_ || (va_ & (sizeof(type) - 1))))                                         \
            TAIL(slow_load_reserved_##type);                                                       \
        u##type value_ = *(const u##type *)(uintptr_t)(va_ + entry_->addend);                      \
        h->reservation_valid = true;                                                               \
        h->reservation_pa = tlb_record_of(h->tlb, load_)->pa + va_ % PAGE_BYTES;                   \
        h->reservation_value = value_;                                                             \
        WRITE_RD((type)value_);                                                                    \
    } while (0)

#define STORE_CONDITIONAL(type)                                                                    \
    do {                                                                                           \
        uint64_t va_ = RS1;                                                                        \
        FAST_ENTRY(store_tlb, va_, type);                                                          \
        if (UNLIKELY(miss_ || (va_ & (sizeof(type) - 1))))                                         \
            TAIL(slow_store_conditional_##type);                                                   \
        u##type *at_ = (u##type *)(uintptr_t)(va_ + entry_->addend);                               \
        uint64_t pa_ = tlb_record_of(h->tlb, entry_)->pa + va_ % PAGE_BYTES;                       \
        bool stored_ =                                                                             \
            h->reservation_valid && h->reservation_pa == pa_ && h->reservation_value == *at_;      \
        h->reservation_valid = false;                                                              \
        if (stored_)                                                                               \
            *at_ = (u##type)RS2;                                                                   \
        WRITE_RD(!stored_);                                                                        \
    } while (0)

/* cbo.zero: the block lies on one page, whose store tag answers for all of it. */
#define ZERO_BLOCK()                                                                               \
    do {                                                                                           \
        uint64_t va_ = RS1 & ~(uint64_t)(CACHE_BLOCK_BYTES - 1);                                   \
        FAST_ENTRY(store_tlb, va_, uint8_t);                                                       \
        if (UNLIKELY(miss_ || !hart_cbo_enabled(h, ENVCFG_CBZE)))                                  \
            TAIL(slow_zero_block);                                                                 \
        memset((void *)(uintptr_t)(va_ + entry_->addend), 0, CACHE_BLOCK_BYTES);                   \
    } while (0)

/* System instructions: a function that sees its own pc and steps, and the operands in op. */
#define SYSTEM(function)                                                                           \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        bool ok_ = function(h, op);                                                                \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

/* The same for a function that writes rd. */
#define SYSTEM_RD(function)                                                                        \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        bool ok_ = function(h, op);                                                                \
        acc = h->x[op->rd];                                                                        \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

/* csrrw with rd = x0 does not read; csrrs and csrrc with rs1 = x0 (or zero) do not write. */
#define CSR_ACCESS(operation, operand)                                                             \
    do {                                                                                           \
        bool ok_;                                                                                  \
        hart_sync(h, op, budget);                                                                  \
        {                                                                                          \
            uint64_t old_ = 0;                                                                     \
            ok_ = hart_csr(h, (unsigned)op->imm & 0xfff, operation,                                \
                           (operation) != CSR_WRITE || op->rd != X_SINK,                           \
                           (operation) == CSR_WRITE || op->rs1 != 0, operand, &old_);              \
            if (ok_)                                                                               \
                WRITE_RD(old_);                                                                    \
            else                                                                                   \
                hart_raise_illegal(h);                                                             \
        }                                                                                          \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

#define TRAP_RETURN(function)                                                                      \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        if (!function(h))                                                                          \
            TAIL(take_exception_here);                                                             \
        h->steps++;                                                                                \
        TAIL(enter_at_pc);                                                                         \
    } while (0)

#define RAISE_ECALL()                                                                              \
    do {                                                                                           \
        hart_raise(h, (enum cause)(CAUSE_ECALL_U + h->priv), 0);                                   \
        TAIL(take_exception_here);                                                                 \
    } while (0)

#define RAISE_BREAKPOINT()                                                                         \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        if (UNLIKELY(h->ports.semihosting) && hart_semihosting_call(h))                            \
            TAIL(enter_at_pc);                                                                     \
        hart_raise(h, CAUSE_BREAKPOINT, h->pc);                                                    \
        TAIL(take_exception_here);                                                                 \
    } while (0)

/* --- the rows ------------------------------------------------------------------------- */

/* An AMO is two handlers, so that the fast one makes no calls and has no frame. Rows that know
 * other slow paths leave the first one unused. */
#define I(name, pattern, format, operands, ...)                                                    \
    static NOINLINE __attribute__((unused)) HANDLER(slow_##name)                                   \
    {                                                                                              \
        enum { IS_SLOW = true };                                                                   \
        handler *const slow_path __attribute__((unused)) = NULL;                                   \
        __VA_ARGS__;                                                                               \
        NEXT;                                                                                      \
    }                                                                                              \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        enum { IS_SLOW = false };                                                                  \
        handler *const slow_path __attribute__((unused)) = slow_##name;                            \
        __VA_ARGS__;                                                                               \
        NEXT;                                                                                      \
    }
#include "cpu/isa/a.def"
#undef I
#define I(name, pattern, format, operands, ...)                                                    \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
        NEXT;                                                                                      \
    }
#define F I
#define G I
#include "cpu/isa/sys.def"
#include "cpu/isa/zimop.def"
#include "cpu/isa/zk.def"
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

static HANDLER(take_exception_here)
{
    hart_sync(h, op, budget);
    hart_take_exception(h);
    TAIL(enter_at_pc);
}

/* A trap or a return from one need not leave the loop: whatever made an interrupt deliverable or
 * moved a deadline called hart_leave. When the target's page or entry op is not at hand, the loop
 * finds it. */
static HANDLER(enter_at_pc)
{
    (void)op;
    uint64_t va = h->pc;
    const struct tlb_fast *entry = &h->fetch_tlb[tlb_index(va)];
    uint64_t pa = entry->addend + va % PAGE_BYTES;
    const struct code_jump *jump = code_jump(h->ports.code, pa);
    budget = (int64_t)(h->slice_end - h->steps);
    if (UNLIKELY(h->leave || budget < 0 || entry->tag != (va & PAGE_MASK) || jump->pa != pa))
        LEAVE;
    h->page_va = entry->tag;
    h->page_pa = entry->addend;
    h->page_valid = true;
    CONTINUE_AT(jump->op);
}

/* --- jumps ------------------------------------------------------------------------------------ */

/* The op at h->pc, whose steps are charged already; NULL: the hart must leave (a fault was taken,
 * the page is executed instruction by instruction, or finding it overflowed a counter). */
static struct op *find_target(struct hart *h, int64_t budget)
{
    h->steps = h->slice_end - (uint64_t)budget;
    if (!hart_enter_page(h, h->pc)) {
        hart_take_exception(h);
        return NULL;
    }
    if (!h->page_valid || h->leave)
        return NULL;
    return code_target(h->ports.code, h->page_pa + h->pc % PAGE_BYTES, h->code_context);
}

HANDLER(op_resolve)
{
    uint64_t generation = h->ports.code->generation;
    h->pc = h->page_va + (uint64_t)(int64_t)op[-1].imm;
    h->stats.links_resolved++;
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
    h->stats.crossings_missed++;
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

/* A jump by register to a target for which there is no entry op at hand. */
static HANDLER(jump_register_find)
{
    uint64_t generation = h->ports.code->generation, va = h->pc;
    h->stats.jumps_missed++;
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

/* jalr whose inline cache does not hold: h->pc is the target, steps are charged. Most of them are
 * returns to one of several callers, whose entry ops are at hand. */
HANDLER(jump_register_slow)
{
    uint64_t va = h->pc;
    const struct tlb_fast *entry = &h->fetch_tlb[tlb_index(va)];
    if (UNLIKELY(budget < 0)) {
        h->steps = h->slice_end - (uint64_t)budget;
        LEAVE;
    }
    const struct code_jump *jump = code_jump(h->ports.code, entry->addend + va % PAGE_BYTES);
    if (UNLIKELY(entry->tag != (va & PAGE_MASK) || jump->pa != entry->addend + va % PAGE_BYTES))
        TAIL(jump_register_find);
    h->stats.jumps_missed++;
    h->page_va = entry->tag;
    h->page_pa = entry->addend;
    op[1].va = va;
    op[1].target = jump->op;
    op[2].page = entry->addend;
    CONTINUE_AT(jump->op);
}

/* --- ops of the block builder ----------------------------------------------------------------- */

HANDLER(op_illegal)
{
    hart_sync(h, op, budget);
    hart_raise_illegal(h);
    TAIL(take_exception_here);
}

HANDLER(op_straddle)
{
    struct op *block;
    hart_sync(h, op, budget);
    {
        uint32_t word;
        if (!hart_straddling_word(h, &word)) {
            hart_take_exception(h);
            LEAVE;
        }
        if (UNLIKELY(h->leave))
            LEAVE;
        block = code_straddle(h->ports.code, word, h->code_context);
    }
    CONTINUE_AT(block);
}

/* Goes on at this op's instruction with a block that begins with a guard for the hart's context. A
 * breakpoint at the instruction stands before the guard and was passed already. */
static HANDLER(reenter_in_context)
{
    struct code_cache *code = h->ports.code;
    h->stats.fp_contexts_missed++;
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

/* Stands before each instruction whose page offset is that of a breakpoint. */
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

/* Stands before an instruction of which an observer wants to hear. */
HANDLER(op_mark)
{
    hart_sync(h, op, budget);
    hart_meet_mark(h);
    NEXT;
}

static HANDLER(op_moved);

/* A dropped block is entered through a link or a jalr cache that has not heard of it. The op keeps
 * its operands until then: the instruction that dropped the block may be its own. From now on it
 * leads to what has taken its place. */
HANDLER(op_stale)
{
    struct code_cache *code = h->ports.code;
    h->stats.stale_entered++;
    hart_sync(h, op, budget);
    uint64_t generation = code->generation, pa = h->page_pa + h->pc % PAGE_BYTES;
    struct op *target = code_target(code, pa, h->code_context);
    if (generation == code->generation)
        *op = (struct op){.run = op_moved, .target = target};
    CONTINUE_AT(target);
}

/* A target that was dropped in its turn is looked up again, so that no chains grow. */
static HANDLER(op_moved)
{
    handler *run = op->target->run;
    if (UNLIKELY(run == op_stale || run == op_moved))
        TAIL(op_stale);
    CONTINUE_AT(op->target);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Variables whose address is handed on have a scope that ends before the next handler is called:
 * gcc makes no jump of a call that could still see them. */
#define SLOW_LOAD(type)                                                                            \
    HANDLER(slow_load_##type)                                                                      \
    {                                                                                              \
        bool ok;                                                                                   \
        hart_sync(h, op, budget);                                                                  \
        {                                                                                          \
            uint64_t value;                                                                        \
            ok = hart_load(h, RS1 + (uint64_t)IMM, sizeof(type), &value);                          \
            if (ok)                                                                                \
                WRITE_RD((type)value);                                                             \
        }                                                                                          \
        AFTER_SLOW(ok);                                                                            \
    }
#define SLOW_FLOAD(type)                                                                           \
    HANDLER(slow_fload_##type)                                                                     \
    {                                                                                              \
        bool ok;                                                                                   \
        hart_sync(h, op, budget);                                                                  \
        {                                                                                          \
            uint64_t value;                                                                        \
            ok = hart_load(h, RS1 + (uint64_t)IMM, sizeof(type), &value);                          \
            if (ok)                                                                                \
                WRITE_FRD(BOX(type, value));                                                       \
        }                                                                                          \
        AFTER_SLOW(ok);                                                                            \
    }
#define SLOW_STORE(name, type, from)                                                               \
    HANDLER(name##_##type)                                                                         \
    {                                                                                              \
        hart_sync(h, op, budget);                                                                  \
        bool ok = hart_store(h, RS1 + (uint64_t)IMM, sizeof(type), from);                          \
        AFTER_SLOW(ok);                                                                            \
    }

#define SLOW_LOAD_RESERVED(type)                                                                   \
    static NOINLINE HANDLER(slow_load_reserved_##type)                                             \
    {                                                                                              \
        bool ok;                                                                                   \
        hart_sync(h, op, budget);                                                                  \
        {                                                                                          \
            uint64_t value;                                                                        \
            ok = hart_load_reserved(h, RS1, sizeof(type), &value);                                 \
            if (ok)                                                                                \
                WRITE_RD((type)value);                                                             \
        }                                                                                          \
        AFTER_SLOW(ok);                                                                            \
    }
#define SLOW_STORE_CONDITIONAL(type)                                                               \
    static NOINLINE HANDLER(slow_store_conditional_##type)                                         \
    {                                                                                              \
        bool ok;                                                                                   \
        hart_sync(h, op, budget);                                                                  \
        {                                                                                          \
            bool stored;                                                                           \
            ok = hart_store_conditional(h, RS1, sizeof(type), RS2, &stored);                       \
            if (ok)                                                                                \
                WRITE_RD(!stored);                                                                 \
        }                                                                                          \
        AFTER_SLOW(ok);                                                                            \
    }

SLOW_LOAD(int8_t)
SLOW_LOAD(int16_t)
SLOW_LOAD(int32_t)
SLOW_LOAD(uint8_t)
SLOW_LOAD(uint16_t)
SLOW_LOAD(uint32_t)
SLOW_LOAD(uint64_t)
SLOW_FLOAD(uint16_t)
SLOW_FLOAD(uint32_t)
SLOW_FLOAD(uint64_t)
SLOW_STORE(slow_store, uint8_t, RS2)
SLOW_STORE(slow_store, uint16_t, RS2)
SLOW_STORE(slow_store, uint32_t, RS2)
SLOW_STORE(slow_store, uint64_t, RS2)
static NOINLINE HANDLER(slow_zero_block)
{
    SYSTEM(hart_cbo_zero);
}
SLOW_STORE(slow_fstore, uint16_t, FRS2)
SLOW_STORE(slow_fstore, uint32_t, FRS2)
SLOW_STORE(slow_fstore, uint64_t, FRS2)
SLOW_LOAD_RESERVED(int32_t)
SLOW_LOAD_RESERVED(int64_t)
SLOW_STORE_CONDITIONAL(int32_t)
SLOW_STORE_CONDITIONAL(int64_t)

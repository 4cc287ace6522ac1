/* The words in which the instruction tables are written, and the frame of a handler.
 *
 * A handler runs one op and goes on to the next. Fast paths are inline and make no calls; slow
 * paths are other handlers, reached by TAIL with the same arguments, so that nothing is spilled. */
#ifndef RIVULET_CPU_EXEC_H
#define RIVULET_CPU_EXEC_H

#include "cpu/code.h"
#include "cpu/hart.h"
#include "cpu/op.h"

#define HANDLER(name) handler_result name(struct hart *h, struct op *op, int64_t budget)

/* --- words ---------------------------------------------------------------------------------- */

#define RS1           h->x[op->rs1]
#define RS2           h->x[op->rs2]
#define IMM           ((int64_t)op->imm)
#define SHAMT         op->imm
#define PAGE_VA       h->page_va
#define WRITE_RD(v)   h->x[op->rd] = (uint64_t)(v)
#define WRITE_RD32(v) h->x[op->rd] = (uint64_t)(int64_t)(int32_t)(v)
#define FRS1          h->f[op->rs1]
#define FRS2          h->f[op->rs2]
#define FRS3          h->f[op->n]
#define WRITE_FRD(v)  h->f[op->rd] = (v)
#define NAN_BOX(v)    (0xffffffff00000000ull | (uint32_t)(v))
#define NEXT          CONTINUE_AT(op + 1)

/* Exits. `n` steps are charged; with the budget used up the hart leaves at the target. */
#define BRANCH(condition)                                                                          \
    if (condition)                                                                                 \
        JUMP();                                                                                    \
    CONTINUE_AT(op + 2)

#define JUMP()                                                                                     \
    do {                                                                                           \
        budget -= op->n;                                                                           \
        if (UNLIKELY(budget < 0))                                                                  \
            TAIL(leave_at_target);                                                                 \
        CONTINUE_AT(op[1].target);                                                                 \
    } while (0)

/* The inline cache of jalr: op[1] = target address and its op, op[2] = the physical page it is on.
 * It holds only while the fetch TLB maps the target's page to that physical page. */
#define JUMP_REGISTER()                                                                            \
    do {                                                                                           \
        uint64_t target_ = (RS1 + (op->imm >> 16)) & ~1ull;                                        \
        WRITE_RD(h->page_va + (uint16_t)op->imm);                                                  \
        budget -= op->n;                                                                           \
        const struct tlb_fast *entry_ = &h->fetch_tlb[tlb_index(target_)];                         \
        if (UNLIKELY(budget < 0 || op[1].va != target_ || entry_->tag != (target_ & PAGE_MASK) ||  \
                     entry_->addend != op[2].page)) {                                              \
            h->pc = target_;                                                                       \
            TAIL(jump_register_slow);                                                              \
        }                                                                                          \
        h->page_va = entry_->tag;                                                                  \
        h->page_pa = entry_->addend;                                                               \
        CONTINUE_AT(op[1].target);                                                                 \
    } while (0)

/* Memory. One compare catches a miss, a missing permission, an access that runs over the page,
 * MMIO, and whatever else poisoned the tag. */
#define FAST_ENTRY(table, va, type)                                                                \
    const struct tlb_fast *entry_ = &h->table[tlb_index(va)];                                      \
    bool miss_ = entry_->tag != (((va) + sizeof(type) - 1) & PAGE_MASK)

#define FAST_LOAD(type)                                                                            \
    uint64_t va_ = RS1 + IMM;                                                                      \
    FAST_ENTRY(load_tlb, va_, type);                                                               \
    if (UNLIKELY(miss_))                                                                           \
        TAIL(slow_load_##type);                                                                    \
    type value_;                                                                                   \
    memcpy(&value_, (const void *)(uintptr_t)(va_ + entry_->addend), sizeof value_)

#define LOAD(type)                                                                                 \
    do {                                                                                           \
        FAST_LOAD(type);                                                                           \
        WRITE_RD(value_);                                                                          \
    } while (0)

#define FAST_STORE(type, from)                                                                     \
    uint64_t va_ = RS1 + IMM;                                                                      \
    type value_ = (type)(from);                                                                    \
    FAST_ENTRY(store_tlb, va_, type);                                                              \
    if (UNLIKELY(miss_))                                                                           \
        TAIL(slow_store_##type);                                                                   \
    memcpy((void *)(uintptr_t)(va_ + entry_->addend), &value_, sizeof value_)

#define STORE(type)                                                                                \
    do {                                                                                           \
        FAST_STORE(type, RS2);                                                                     \
    } while (0)

/* Floating-point loads and stores: a single is NaN-boxed in its register. */
#define FLOAD(type)                                                                                \
    do {                                                                                           \
        uint64_t va_ = RS1 + IMM;                                                                  \
        FAST_ENTRY(load_tlb, va_, type);                                                           \
        if (UNLIKELY(miss_))                                                                       \
            TAIL(slow_fload_##type);                                                               \
        type value_;                                                                               \
        memcpy(&value_, (const void *)(uintptr_t)(va_ + entry_->addend), sizeof value_);           \
        WRITE_FRD(sizeof(type) == 4 ? NAN_BOX(value_) : value_);                                   \
    } while (0)

#define FSTORE(type)                                                                               \
    do {                                                                                           \
        uint64_t va_ = RS1 + IMM;                                                                  \
        type value_ = (type)FRS2;                                                                  \
        FAST_ENTRY(store_tlb, va_, type);                                                          \
        if (UNLIKELY(miss_))                                                                       \
            TAIL(slow_fstore_##type);                                                              \
        memcpy((void *)(uintptr_t)(va_ + entry_->addend), &value_, sizeof value_);                 \
    } while (0)

/* Atomics. MEM is the old value; deterministic rounds run one hart at a time, so a plain
 * read-modify-write is atomic. */
#define AMO(type, result)                                                                          \
    do {                                                                                           \
        uint64_t va_ = RS1;                                                                        \
        FAST_ENTRY(store_tlb, va_, type);                                                          \
        type *at_ = (type *)(uintptr_t)(va_ + entry_->addend);                                     \
        if (UNLIKELY(miss_ || (va_ & (sizeof(type) - 1))))                                         \
            at_ = amo_slow(h, op, budget, sizeof(type));                                           \
        if (UNLIKELY(!at_))                                                                        \
            TAIL(take_exception_here);                                                             \
        type MEM = *at_;                                                                           \
        *at_ = (type)(result);                                                                     \
        WRITE_RD((int64_t)MEM);                                                                    \
        if (UNLIKELY(h->leave))                                                                    \
            TAIL(leave_behind);                                                                    \
    } while (0)

#define LOAD_RESERVED(type)                                                                        \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        uint64_t old_ = 0;                                                                         \
        bool ok_ = hart_load_reserved(h, RS1, sizeof(type), &old_);                                \
        if (ok_)                                                                                   \
            WRITE_RD((type)old_);                                                                  \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

#define STORE_CONDITIONAL(type)                                                                    \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        bool stored_ = false;                                                                      \
        bool ok_ = hart_store_conditional(h, RS1, sizeof(type), RS2, &stored_);                    \
        if (ok_)                                                                                   \
            WRITE_RD(!stored_);                                                                    \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

#define NOTHING() (void)0

/* System instructions: a function that sees its own pc and steps, and the operands in op. */
#define SYSTEM(function)                                                                           \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        bool ok_ = function(h, op);                                                                \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

/* csrrw with rd = x0 does not read; csrrs and csrrc with rs1 = x0 (or zero) do not write. */
#define CSR_ACCESS(operation, operand)                                                             \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        uint64_t old_ = 0;                                                                         \
        bool ok_ = hart_csr(h, (unsigned)op->imm & 0xfff, operation,                               \
                            (operation) != CSR_WRITE || op->rd != X_SINK,                          \
                            (operation) == CSR_WRITE || op->rs1 != 0, operand, &old_);             \
        if (ok_)                                                                                   \
            WRITE_RD(old_);                                                                        \
        else                                                                                       \
            hart_raise_illegal(h);                                                                 \
        AFTER_SLOW(ok_);                                                                           \
    } while (0)

#define TRAP_RETURN(function)                                                                      \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        if (!function(h))                                                                          \
            TAIL(take_exception_here);                                                             \
        h->steps++;                                                                                \
        LEAVE;                                                                                     \
    } while (0)

#define RAISE_ECALL()                                                                              \
    do {                                                                                           \
        hart_raise(h, (enum cause)(CAUSE_ECALL_U + h->priv), 0);                                   \
        TAIL(take_exception_here);                                                                 \
    } while (0)

#define RAISE_BREAKPOINT()                                                                         \
    do {                                                                                           \
        hart_sync(h, op, budget);                                                                  \
        hart_raise(h, CAUSE_BREAKPOINT, h->pc);                                                    \
        TAIL(take_exception_here);                                                                 \
    } while (0)

/* --- slow paths (exec.c) ---------------------------------------------------------------------- */

HANDLER(leave_at_target);
HANDLER(jump_register_slow);
HANDLER(slow_load_int8_t);
HANDLER(slow_load_int16_t);
HANDLER(slow_load_int32_t);
HANDLER(slow_load_uint8_t);
HANDLER(slow_load_uint16_t);
HANDLER(slow_load_uint32_t);
HANDLER(slow_load_uint64_t);
HANDLER(slow_store_uint8_t);
HANDLER(slow_store_uint16_t);
HANDLER(slow_store_uint32_t);
HANDLER(slow_store_uint64_t);
HANDLER(slow_fload_uint32_t);
HANDLER(slow_fload_uint64_t);
HANDLER(slow_fstore_uint32_t);
HANDLER(slow_fstore_uint64_t);
/* Leaves behind this instruction, which is complete: a slow path set h->leave. */
HANDLER(leave_behind);
/* Takes the exception in h->trap at this instruction, and leaves. */
HANDLER(take_exception_here);

/* Ops that the block builder puts in. */
HANDLER(op_j);       /* a jump that writes no register, and the end of a block */
HANDLER(op_link);    /* the return address of jal */
HANDLER(op_resolve); /* link slot: finds the target's block on this page */
HANDLER(op_cross);   /* exit record: a target on another page */
HANDLER(op_illegal); /* no row matches, or the extension is off */
HANDLER(op_fetch_fault);
HANDLER(op_straddle); /* an instruction that begins in a page's last two bytes */
HANDLER(op_fp_guard); /* the FP ops behind it are for one code context */
HANDLER(op_fp_dirty); /* the first FP write: mstatus.FS becomes dirty */
HANDLER(op_breakpoint);
HANDLER(op_stale); /* first op of a dropped block */

/* AMO: host address for the read-modify-write, or NULL with h->trap filled. */
void *amo_slow(struct hart *h, const struct op *op, int64_t budget, unsigned size);

/* Functions of sys.def: false with h->trap filled when the instruction raises an exception. */
bool hart_pause(struct hart *h, const struct op *op);
bool hart_wrs_nto(struct hart *h, const struct op *op);
bool hart_wfi(struct hart *h, const struct op *op);
bool hart_sfence(struct hart *h, const struct op *op);
bool hart_sfence_inval(struct hart *h, const struct op *op);
bool hart_cbo_inval(struct hart *h, const struct op *op);
bool hart_cbo_clean(struct hart *h, const struct op *op);
bool hart_cbo_zero(struct hart *h, const struct op *op);

/* Sets h->pc and h->steps to those of the instruction of op, which is not yet counted. */
static inline void hart_sync(struct hart *h, const struct op *op, int64_t budget)
{
    const struct op_side *side = code_side(h->ports.code, op);
    h->pc = h->page_va + side->offset;
    h->steps = h->slice_end - (uint64_t)budget + side->before;
}

/* The end of every slow path: an exception, a reason to leave, or onward. */
#define AFTER_SLOW(ok)                                                                             \
    do {                                                                                           \
        if (UNLIKELY(!(ok)))                                                                       \
            TAIL(take_exception_here);                                                             \
        if (UNLIKELY(h->leave))                                                                    \
            TAIL(leave_behind);                                                                    \
        NEXT;                                                                                      \
    } while (0)

#endif

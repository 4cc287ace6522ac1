/* The words of the rows that superinstructions are made of: exits, loads and stores. Their fast
 * paths; the slow ones behind them are handlers of exec.c. */
#ifndef RIVULET_CPU_EXEC_WORDS_H
#define RIVULET_CPU_EXEC_WORDS_H

#include "cpu/exec.h"

#include <string.h>

/* --- slow paths ------------------------------------------------------------------------------- */

HANDLER(leave_at_target);
/* Leaves behind this instruction, which is complete: a slow path set h->leave. */
HANDLER(leave_behind);
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
HANDLER(slow_fload_uint16_t);
HANDLER(slow_fload_uint32_t);
HANDLER(slow_fload_uint64_t);
HANDLER(slow_fstore_uint16_t);
HANDLER(slow_fstore_uint32_t);
HANDLER(slow_fstore_uint64_t);

/* --- words ------------------------------------------------------------------------------------ */

#define NOTHING() (void)0

/* Exits. `n` steps are charged; with the budget used up the hart leaves at the target. */
#define BRANCH(condition)                                                                          \
    BRANCH_TAKEN(condition);                                                                       \
    CONTINUE_AT(op + 2)

#define BRANCH_TAKEN(condition)                                                                    \
    if (condition)                                                                                 \
    JUMP()

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

/* Floating-point loads and stores: what is narrower than its register is NaN-boxed there. */
#define BOX(type, v)                                                                               \
    (sizeof(type) == 2 ? NAN_BOX16(v) : sizeof(type) == 4 ? NAN_BOX(v) : (uint64_t)(v))
#define FLOAD(type)                                                                                \
    do {                                                                                           \
        uint64_t va_ = RS1 + IMM;                                                                  \
        FAST_ENTRY(load_tlb, va_, type);                                                           \
        if (UNLIKELY(miss_))                                                                       \
            TAIL(slow_fload_##type);                                                               \
        type value_;                                                                               \
        memcpy(&value_, (const void *)(uintptr_t)(va_ + entry_->addend), sizeof value_);           \
        WRITE_FRD(BOX(type, value_));                                                              \
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

#endif

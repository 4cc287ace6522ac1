/* The frame of a handler, and the words that all instruction tables use.
 *
 * A handler runs one op and goes on to the next. Fast paths are inline and make no calls; slow
 * paths are other handlers, reached by TAIL with the same arguments, so that nothing is spilled. */
#ifndef RIVULET_CPU_EXEC_H
#define RIVULET_CPU_EXEC_H

#include "cpu/code.h"
#include "cpu/hart.h"
#include "cpu/op.h"

/* `acc` holds what was last written to an x register: a superinstruction whose operand is that
 * value takes it from here, and need not wait for it to come back from memory. */
#define HANDLER(name)                                                                              \
    handler_result name(struct hart *h, struct op *op, int64_t budget,                             \
                        uint64_t acc __attribute__((unused)))

/* --- words ---------------------------------------------------------------------------------- */

#define RS1_IN_REGISTER h->x[op->rs1]
#define RS2_IN_REGISTER h->x[op->rs2]

#define RS1     RS1_IN_REGISTER
#define RS2     RS2_IN_REGISTER
#define IMM     ((int64_t)op->imm)
#define SHAMT   op->imm
#define PAGE_VA h->page_va
/* rd as an operand: the sink stands for x0. */
#define OLD_RD        (op->rd == X_SINK ? 0 : h->x[op->rd])
#define WRITE_RD(v)   h->x[op->rd] = acc = (uint64_t)(v)
#define WRITE_RD32(v) WRITE_RD((int64_t)(int32_t)(v))
#define FRS1          h->f[op->rs1]
#define FRS2          h->f[op->rs2]
#define FRS3          h->f[op->n]
#define WRITE_FRD(v)  h->f[op->rd] = (v)
#define NAN_BOX(v)    (0xffffffff00000000ull | (uint32_t)(v))
#define NAN_BOX16(v)  (0xffffffffffff0000ull | (uint16_t)(v))
#define NEXT          CONTINUE_AT(op + 1)
/* Operands that no instruction has, where the pattern cannot say it. */
#define RESERVED_IF(condition)                                                                     \
    if (UNLIKELY(condition))                                                                       \
    TAIL(op_illegal)

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
HANDLER(op_mark);
HANDLER(op_stale); /* first op of a dropped block */

/* exec_csr.c: gives the op of a CSR instruction a handler for its register, if there is one. True:
 * the register is a plain field of csr.def. */
bool exec_choose_csr(struct op *op);

/* Functions of sys.def (system.c): false with h->trap filled when the instruction raises an
 * exception. */
bool hart_pause(struct hart *h, const struct op *op);
bool hart_wrs_nto(struct hart *h, const struct op *op);
bool hart_wfi(struct hart *h, const struct op *op);
bool hart_sfence(struct hart *h, const struct op *op);
bool hart_sfence_inval(struct hart *h, const struct op *op);
bool hart_cbo_inval(struct hart *h, const struct op *op);
bool hart_cbo_clean(struct hart *h, const struct op *op);
bool hart_cbo_zero(struct hart *h, const struct op *op);
bool hart_amocas_q(struct hart *h, const struct op *op);

/* Sets h->pc and h->steps to those of the instruction of op, which is not yet counted. */
static inline void hart_sync(struct hart *h, const struct op *op, int64_t budget)
{
    const struct op_side *side = code_side(h->ports.code, op);
    h->pc = h->page_va + side->offset;
    h->steps = h->slice_end - (uint64_t)budget + side->before;
}

#endif

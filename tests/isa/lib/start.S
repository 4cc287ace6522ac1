/* Start code and the one trap handler of the bare-metal tests.
 *
 * Every hart has a context (lib/rt.h, struct context), whose address is in mscratch at all times.
 * A trap to M-mode never returns to where it came from: it is recorded in the context, and
 * execution goes on in M-mode at context.recover, which the probe that expected the trap has set.
 * A trap that nobody expects ends the test. All registers keep their values but those that the
 * probes name as clobbered. */
#include "tests/isa/lib/layout.h"

    .section .text.start, "ax"
    .globl _start
_start:
    csrr t0, mhartid
    li t1, MAX_HARTS
    bgeu t0, t1, park
    la t2, contexts
    li t1, CONTEXT_BYTES
    mul t1, t0, t1
    add t2, t2, t1
    csrw mscratch, t2
    la t1, trap_entry
    csrw mtvec, t1
    la sp, stacks
    addi t1, t0, 1
    slli t1, t1, STACK_SHIFT
    add sp, sp, t1
    li t1, 0x6000                /* mstatus.FS = dirty */
    csrs mstatus, t1
    la t1, start_pmp             /* all memory to S and U; a hart without PMP skips it */
    sd t1, CONTEXT_RECOVER(t2)
    li t1, -1
    csrw pmpaddr0, t1
    li t1, 0x1f
    csrw pmpcfg0, t1
start_pmp:
    sd zero, CONTEXT_RECOVER(t2)
    bnez t0, 1f
    call main
    tail test_end
1:  mv a0, t0
    call secondary
park:
    wfi
    j park

    .weak secondary
secondary:
    ret

/* What any trap to M-mode does. */
    .balign 4
    .globl trap_entry
trap_entry:
    csrrw tp, mscratch, tp
    sd t0, CONTEXT_T0(tp)
    sd t1, CONTEXT_T1(tp)
    csrr t0, mcause
    sd t0, CONTEXT_CAUSE(tp)
    csrr t0, mepc
    sd t0, CONTEXT_EPC(tp)
    csrr t0, mtval
    sd t0, CONTEXT_TVAL(tp)
    csrr t0, mstatus
    sd t0, CONTEXT_STATUS(tp)
    ld t0, CONTEXT_COUNT(tp)
    addi t0, t0, 1
    sd t0, CONTEXT_COUNT(tp)
    li t0, 0x20000               /* MPRV off, or mret would leave it on with MPP = U */
    csrc mstatus, t0
    li t0, 0x1800                /* on in M-mode, interrupts off */
    csrs mstatus, t0
    li t0, 0x88
    csrc mstatus, t0
    ld t0, CONTEXT_RECOVER(tp)
    beqz t0, 1f
    sd zero, CONTEXT_RECOVER(tp)
    csrw mepc, t0
    ld t0, CONTEXT_T0(tp)
    ld t1, CONTEXT_T1(tp)
    csrrw tp, mscratch, tp
    mret
1:  csrrw tp, mscratch, tp
    csrr a0, mscratch
    tail unexpected_trap

/* uint64_t enter(unsigned priv, uint64_t pc, uint64_t a, uint64_t b): runs the code at pc in a
 * privilege mode with a0 = a, a1 = b until it traps to M-mode; its a0 is returned. */
    .globl enter
enter:
    addi sp, sp, -128
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s2, 24(sp)
    sd s3, 32(sp)
    sd s4, 40(sp)
    sd s5, 48(sp)
    sd s6, 56(sp)
    sd s7, 64(sp)
    sd s8, 72(sp)
    sd s9, 80(sp)
    sd s10, 88(sp)
    sd s11, 96(sp)
    sd gp, 104(sp)
    sd tp, 112(sp)
    csrr t0, mscratch
    sd sp, CONTEXT_SP(t0)
    la t1, 1f
    sd t1, CONTEXT_RECOVER(t0)
    csrw mepc, a1
    li t1, 0x1800
    csrc mstatus, t1
    slli a0, a0, 11
    csrs mstatus, a0
    mv a0, a2
    mv a1, a3
    mret
1:  csrr t0, mscratch
    ld sp, CONTEXT_SP(t0)
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s2, 24(sp)
    ld s3, 32(sp)
    ld s4, 40(sp)
    ld s5, 48(sp)
    ld s6, 56(sp)
    ld s7, 64(sp)
    ld s8, 72(sp)
    ld s9, 80(sp)
    ld s10, 88(sp)
    ld s11, 96(sp)
    ld gp, 104(sp)
    ld tp, 112(sp)
    addi sp, sp, 128
    ret

    .bss
    .balign 4096
stacks:
    .skip MAX_HARTS << STACK_SHIFT

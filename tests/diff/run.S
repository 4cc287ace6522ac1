/* uint64_t run_program(struct machine_state *state, uint64_t pc, uint64_t priv): loads all registers
 * from state, runs at pc in the mode until a trap to M-mode, stores all registers back. The trap
 * handler (tests/isa/lib/start.S) leaves them as they were and goes on at the recover address. */
#include "lib/layout.h"

    .macro each_x op, base
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op x\n, (\n * 8)(\base)
    .endr
    .endm
    .macro each_f op, base
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op f\n, (256 + \n * 8)(\base)
    .endr
    .endm

    .text
    .globl run_program
run_program:
    addi sp, sp, -256
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    sd x\n, (\n * 8)(sp)
    .endr
    csrr t0, mscratch
    sd sp, CONTEXT_SP(t0)
    la t1, 1f
    sd t1, CONTEXT_RECOVER(t0)
    la t1, running
    sd a0, (t1)
    csrw mepc, a1
    li t1, 0x1800
    csrc mstatus, t1
    slli a2, a2, 11
    csrs mstatus, a2
    each_f fld, a0
    ld t0, 512(a0)
    csrw fcsr, t0
    each_x ld, a0
    ld a0, 80(a0)
    mret
1:  csrw sscratch, a0
    ld a0, running
    each_x sd, a0
    each_f fsd, a0
    csrr t0, fcsr
    sd t0, 512(a0)
    csrr t0, sscratch
    sd t0, 80(a0)
    csrr t0, mscratch
    ld sp, CONTEXT_SP(t0)
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    ld x\n, (\n * 8)(sp)
    .endr
    addi sp, sp, 256
    ret

    .bss
    .balign 8
running:
    .skip 8

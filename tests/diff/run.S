/* void run_program(struct machine_state *state, uint64_t pc, uint64_t priv, uint64_t preempt): loads
 * all registers from state, runs at pc in the mode until a trap to M-mode, stores all registers back.
 * The trap handler (tests/isa/lib/start.S) leaves them as they were and goes on at the recover
 * address. With preempt the machine timer interrupts all the time. */
#include "tests/isa/lib/layout.h"

#define CLINT_MTIMECMP 0x2004000
#define CLINT_MTIME    0x200bff8

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
    beqz a3, 2f
    la t1, preempted
    csrw mtvec, t1
    li t1, 0x80                  /* MTIE; MPIE, so that M-mode is interrupted, too */
    csrs mie, t1
    csrs mstatus, t1
    li t1, CLINT_MTIMECMP
    sd zero, (t1)
2:  la t1, 1f
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
    csrw mie, zero
    la t0, trap_entry
    csrw mtvec, t0
    csrr t0, mscratch
    ld sp, CONTEXT_SP(t0)
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    ld x\n, (\n * 8)(sp)
    .endr
    addi sp, sp, 256
    ret

/* A timer interrupt: the next one comes after 2, 4, 8 or 16 ticks (the program gets on even where a
 * tick is few instructions); now and then everything that is cached is thrown away. Anything else is
 * a trap of the program. */
    .balign 4
preempted:
    csrrw tp, mscratch, tp
    sd t0, CONTEXT_T0(tp)
    sd t1, CONTEXT_T1(tp)
    csrr t0, mcause
    bgez t0, 1f
    lla t0, interrupts
    lw t1, (t0)
    addi t1, t1, 1
    sw t1, (t0)
    andi t1, t1, 15
    bnez t1, 2f
    sfence.vma
    fence.i
2:  andi t0, t1, 3
    li t1, 2
    sll t1, t1, t0
    li t0, CLINT_MTIME
    ld t0, (t0)
    add t1, t1, t0
    li t0, CLINT_MTIMECMP
    sd t1, (t0)
  ld t0, CONTEXT_T0(tp)
    ld t1, CONTEXT_T1(tp)
    csrrw tp, mscratch, tp
    mret
1:  ld t0, CONTEXT_T0(tp)
    ld t1, CONTEXT_T1(tp)
    csrrw tp, mscratch, tp
    j trap_entry

    .bss
    .balign 8
running:
    .skip 8
interrupts:
    .skip 8

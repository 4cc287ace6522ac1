/* Runs a program of system.c, and handles its traps. Registers are in a frame (struct frame). */

#define FRAME_SP 256

    .macro each op, base
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op x\n, (\n * 8)(\base)
    .endr
    .endm
    .macro each_saved op
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    \op x\n, (\n * 8)(sp)
    .endr
    .endm

/* void system_run(struct frame *frame): loads the registers and returns by mret, until on_trap ends
 * the program. mtvec and mscratch are as before then. */
    .text
    .globl system_run
system_run:
    addi sp, sp, -256
    each_saved sd
    csrr t0, mscratch
    sd t0, 0(sp)
    sd sp, FRAME_SP(a0)
    la t0, system_trap
    csrw mtvec, t0
resume:
    csrw mscratch, a0
    mv sp, a0
    each ld, sp
    ld sp, 16(sp)
    mret

    .balign 4
system_trap:
    csrrw sp, mscratch, sp
    each sd, sp
    csrr t0, mscratch
    sd t0, 16(sp)
    mv s0, sp
    ld sp, FRAME_SP(s0)
    mv a0, s0
    call on_trap
    mv t0, a0
    mv a0, s0
    beqz t0, resume
    la t0, trap_entry
    csrw mtvec, t0
    ld t0, 0(sp)
    csrw mscratch, t0
    each_saved ld
    addi sp, sp, 256
    ret

/* The handler of S-mode, on a page of its own; its frame (struct s_frame) is on the next, and
 * sscratch points there. It hashes and notes what it sees, and goes on behind the instruction. A
 * fetch that faulted and the limit of traps end the program. */
    .macro hash csr
    csrr x30, \csr
    sd x30, (x27)
    addi x27, x27, 8
    xor x29, x29, x30
    mul x29, x29, x28
    srli x30, x29, 32
    xor x29, x29, x30
    .endm

    .balign 8192
    .globl s_trap
s_trap:
    csrrw x31, sscratch, x31
    sd x28, 0(x31)
    sd x29, 8(x31)
    sd x30, 16(x31)
    sd x27, 24(x31)
    ld x29, 32(x31)
    ld x28, 48(x31)
    ld x27, 56(x31)
    hash scause
    hash sepc
    hash stval
    hash sstatus
    sd x27, 56(x31)
    sd x29, 32(x31)
    ld x30, 40(x31)
    addi x30, x30, -1
    sd x30, 40(x31)
    bltz x30, s_end
    csrr x30, scause
    bltz x30, 1f
    li x29, 12
    beq x30, x29, s_end
    li x29, 1
    bleu x30, x29, s_end
    csrr x30, sepc
    addi x30, x30, 4
    csrw sepc, x30
    j 2f
1:  csrw sie, zero
2:  ld x28, 0(x31)
    ld x29, 8(x31)
    ld x30, 16(x31)
    ld x27, 24(x31)
    csrrw x31, sscratch, x31
    sret
s_end:
    ecall

    .balign 4096
    .globl s_frame
s_frame:
    .skip 4096

/* Where the demo begins: the first hart as the SBI starts a kernel, a0 = hart id, a1 = device tree;
 * the others as hart_start does, a0 = hart id, a1 = their number. Interrupts stay off: they only end
 * a wfi. So a trap is a fault of this program, and ends the machine with status 1. */
#define STACK_SHIFT 14

    .section .text.start, "ax"
    .globl _start
_start:
    la t0, _bss
    la t1, _end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    mv s0, zero
    la s1, demo_main
    j on_stack

    .globl demo_hart_start
demo_hart_start:
    mv s0, a1
    mv a0, a1
    la s1, demo_hart_main

on_stack:
    la t0, on_trap
    csrw stvec, t0
    csrw sie, zero
    li t0, 0x6000                /* sstatus.FS = dirty */
    csrs sstatus, t0
    la sp, stacks
    addi t0, s0, 1
    slli t0, t0, STACK_SHIFT
    add sp, sp, t0
    jalr s1

    .balign 4
on_trap:
    li a7, 0x53525354            /* SBI system reset: shut down, system failure */
    li a6, 0
    li a0, 0
    li a1, 1
    ecall
1:  j 1b

    .bss
    .balign 16
stacks:
    .space 8 << STACK_SHIFT

/* Entry of micro.c in supervisor mode, and its trap handler. */
.globl _start
_start:
    la sp, micro_stack_end
    la t0, _end
    la t1, __bss_start
1:  sd zero, 0(t1)
    addi t1, t1, 8
    bltu t1, t0, 1b
    call micro_main
2:  j 2b

/* Goes on behind the instruction that trapped: the measure of a trap is the least that a handler
 * does. An ecall from user mode with a7 = 0 ends user_run. Interrupts are off. */
.globl micro_trap
.balign 4
micro_trap:
    csrw sscratch, t0
    csrr t0, scause
    addi t0, t0, -8
    beqz t0, 4f
5:  csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    csrr t0, sscratch
    sret
4:  bnez a7, 5b
    /* back to the caller of user_run, in supervisor mode */
    ld sp, user_sp
    ld ra, user_ra
    ret

/* Executes user_code in user mode, mapped at pc: user_run(count, pc). */
.globl user_run
user_run:
    la t0, user_sp
    sd sp, 0(t0)
    sd ra, 8(t0)
    csrw sepc, a1
    li t0, 0x100 /* SPP: to U-mode */
    csrc sstatus, t0
    sret
.balign 4096
.globl user_code
user_code:
    li a7, 1
6:  ecall
    addi a0, a0, -1
    bnez a0, 6b
    li a7, 0
    ecall
.balign 4096

/* One instruction that is written again and again, and a return: called by modify(). */
.globl modified
modified:
.option push
.option norvc /* as wide as what is written */
    addi a0, a0, 1
    ret
.option pop
.balign 4096

.bss
.balign 16
user_sp: .space 8
user_ra: .space 8
.space 16384
micro_stack_end:

/* instret counts each retired instruction exactly, and no trap. */
#include "tests/isa/lib/rt.h"

/* Retired instructions from one read to the next, less the second read itself. */
#define COUNT(text)                                                                                \
    ({                                                                                             \
        uint64_t a_, b_;                                                                           \
        asm volatile("csrr %0, minstret;" text "; csrr %1, minstret"                               \
                     : "=&r"(a_), "=&r"(b_)                                                        \
                     :                                                                             \
                     : "t0", "t1", "t2", "t3", "memory");                                          \
        b_ - a_ - 1;                                                                               \
    })

static void straight(void)
{
    check_eq("nothing", COUNT(""), 0);
    check_eq("one instruction", COUNT("nop"), 1);
    check_eq("ten", COUNT(".rept 10; addi t0, t0, 1; .endr"), 10);
    check_eq("a thousand", COUNT(".rept 1000; addi t0, t0, 1; .endr"), 1000);
    check_eq("compressed ones count as one", COUNT(".rept 7; c.nop; .endr"), 7);
    check_eq("a jump", COUNT("j 1f; nop; nop; 1:"), 1);
    check_eq("a branch that is not taken", COUNT("bnez zero, 1f; nop; 1:"), 2);
    check_eq("a branch that is taken", COUNT("beqz zero, 1f; nop; 1:"), 1);
    check_eq("a loop", COUNT("li t0, 100; 1: addi t0, t0, -1; bnez t0, 1b"), 201);
    check_eq("a long loop", COUNT("li t0, 100000; 1: addi t0, t0, -1; bnez t0, 1b"), 200002);
    check_eq("jalr", COUNT(".option push; .option norvc; lla t0, 1f; jr t0; nop; 1: .option pop"),
             3);
    check_eq("csr instructions", COUNT("csrr t1, mhartid; csrw sscratch, t1; csrr t1, time"), 3);
    check_eq("fence.i", COUNT("fence.i; nop"), 2);
    check_eq("sfence.vma", COUNT("sfence.vma; nop"), 2);
    check_eq("loads and stores", COUNT("sd t0, -64(sp); ld t0, -64(sp); amoadd.d t0, zero, (sp)"),
             3);
}

static void devices(void)
{
    check_eq("a device access", COUNT("lui t0, 0x10000; lbu t1, 5(t0)"), 2);
    check_eq("the timer", COUNT("lui t0, 0x200c; ld t1, -8(t0)"), 2);
}

/* The trap handler of this test: skips the instruction; it retires 5 instructions. */
extern const char skip_handler[];
asm(".text; .balign 4; skip_handler: csrr t1, mepc; addi t1, t1, 4; csrw mepc, t1; nop; mret");

static void trap(void)
{
    uint64_t old = csr_swap(mtvec, skip_handler);
    check_eq("an ecall does not retire, its handler does", COUNT("ecall"), 5);
    check_eq("an illegal instruction does not retire", COUNT(".word 0xffffffff"), 5);
    check_eq("a load that faults does not retire",
             COUNT(".option push; .option norvc; ld t0, (zero); .option pop"), 5);
    check_eq("mret retires", COUNT("nop; ecall; nop"), 7);
    csr_write(mtvec, old);
}

static void written(void)
{
    uint64_t v;
    asm volatile("csrw minstret, %1; csrr %0, minstret" : "=r"(v) : "r"(1000ul));
    check_eq("a written value is what the next instruction reads", v, 1000);
    asm volatile("csrw minstret, %1; nop; nop; csrr %0, minstret" : "=r"(v) : "r"(1000ul));
    check_eq("and it grows from there", v, 1002);
    asm volatile("csrw minstret, %1; csrr %0, minstret" : "=r"(v) : "r"(~0ull));
    check_eq("it holds all ones", v, ~0ull);
    asm volatile("csrw minstret, %1; nop; csrr %0, minstret" : "=r"(v) : "r"(~0ull));
    check_eq("and wraps", v, 0);
}

int main(void)
{
    straight();
    devices();
    trap();
    written();
    return 0;
}

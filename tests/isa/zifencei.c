/* Zifencei: code that is written and run. Rivulet keeps instruction memory coherent, so that new
 * code runs even without fence.i; tests/isa checks both. */
#include "tests/isa/lib/rt.h"

static uint32_t code[2048] __attribute__((aligned(4096)));

static uint32_t li_a0(unsigned value)
{
    return value << 20 | 0x513; /* addi a0, x0, value */
}
#define RET 0x00008067u

static uint64_t call(const uint32_t *f)
{
    return ((uint64_t(*)(void))(uintptr_t)f)();
}

static void with_fence(void)
{
    code[0] = li_a0(1);
    code[1] = RET;
    asm volatile("fence.i" : : : "memory");
    check_eq("written code runs after fence.i", call(code), 1);
    for (unsigned i = 0; i < 100; i++) {
        code[0] = li_a0(i);
        asm volatile("fence.i" : : : "memory");
        if (call(code) != i)
            check_eq("rewritten code runs after fence.i", 0, 1);
    }
    check("code was rewritten 100 times", true);
}

static void without_fence(void)
{
    for (unsigned i = 0; i < 100; i++) {
        code[0] = li_a0(i + 7);
        asm volatile("" : : : "memory");
        if (call(code) != i + 7)
            check_eq("rewritten code runs at once", 0, 1);
    }
    ((uint8_t *)code)[3] = 0x05;
    ((uint8_t *)code)[2] = 0x50;
    asm volatile("" : : : "memory");
    check_eq("a store of one byte changes code", call(code), 0x55);
    asm volatile("amoswap.w zero, %1, (%0)" : : "r"(code), "r"(li_a0(99)) : "memory");
    check_eq("an atomic changes code", call(code), 99);
    code[1022] = li_a0(1);
    code[1023] = 0x00000013; /* nop at the end of the page */
    code[1024] = RET;
    check_eq("code runs over the page's end", call(code + 1022), 1);
    code[1024] = li_a0(2);
    code[1025] = RET;
    check_eq("its part on the second page changes", call(code + 1022), 2);
    /* An instruction of which each page holds one half: first c.nop, then addi a0, x0, v. */
    uint16_t *half = (uint16_t *)code;
    half[2045] = 0x0001;
    half[2046] = 0x0001;
    half[2047] = (uint16_t)li_a0(3);
    half[2048] = (uint16_t)(li_a0(3) >> 16);
    half[2049] = 0x8082;
    check_eq("an instruction crosses the pages", call((uint32_t *)(half + 2045)), 3);
    half[2048] = (uint16_t)(li_a0(4) >> 16);
    check_eq("its half on the second page changes", call((uint32_t *)(half + 2045)), 4);
}

/* The next instruction in the same block is overwritten. */
static void within_a_block(void)
{
    uint64_t v;
    asm volatile("la t0, 1f; sw %1, (t0); fence.i; 1: .word 0x00100513; mv %0, a0"
                 : "=r"(v)
                 : "r"(li_a0(42))
                 : "t0", "a0", "memory");
    check_eq("the instruction behind a store and fence.i is the new one", v, 42);
    if (on_qemu72()) {
        skip("stores into the same block: QEMU 7.2 wants fence.i");
        return;
    }
    asm volatile(".balign 4; la t0, 1f; sw %1, (t0); nop; 1: .word 0x00100513; mv %0, a0"
                 : "=r"(v)
                 : "r"(li_a0(43))
                 : "t0", "a0", "memory");
    check_eq("without fence.i as well", v, 43);
}

static void loop_that_changes_itself(void)
{
    uint64_t sum = 0, add = 0x00128293; /* addi t0, t0, 1: the immediate grows each round */
    asm volatile("li t0, 0; li t1, 10; la t2, 1f; 1: .word 0x00128293; li t3, 0x100000;"
                 "add %1, %1, t3; sw %1, (t2); addi t1, t1, -1; bnez t1, 1b; mv %0, t0"
                 : "=r"(sum), "+r"(add)
                 :
                 : "t0", "t1", "t2", "t3", "memory");
    check_eq("a loop that rewrites its own body", sum, 55);
}

int main(void)
{
    with_fence();
    without_fence();
    within_a_block();
    loop_that_changes_itself();
    return 0;
}

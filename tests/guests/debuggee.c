/* What gdb's tests look into: bare metal, up to 4 harts. Each counts in a loop that calls a
 * function and makes an ecall; hart 0 gets timer interrupts, and powers off at the end. */
#include <stdint.h>

#define HARTS    4
#define ROUNDS   2000
#define TEST     (*(volatile uint32_t *)0x100000)
#define MTIMECMP (*(volatile uint64_t *)0x2004000)
#define MTIME    (*(volatile uint64_t *)0x200bff8)

volatile uint64_t counters[HARTS], ticks, ecalls, total, never_touched;
char big[100];

asm(".text\n" /* at the beginning of RAM */
    ".globl _start\n"
    "_start: csrr a0, mhartid\n"
    "la sp, stacks\n"
    "addi t0, a0, 1\n"
    "slli t0, t0, 12\n"
    "add sp, sp, t0\n"
    "la t0, on_trap\n"
    "csrw mtvec, t0\n"
    "j work\n"
    ".bss\n"
    ".balign 16\n"
    "stacks: .space 4 * 4096\n"
    ".text\n");

__attribute__((interrupt("machine"), aligned(4))) void on_trap(void)
{
    uint64_t cause, pc;
    asm volatile("csrr %0, mcause" : "=r"(cause));
    if (cause >> 63) {
        MTIMECMP = MTIME + 50;
        ticks++;
        return;
    }
    asm volatile("csrr %0, mepc" : "=r"(pc));
    asm volatile("csrw mepc, %0" : : "r"(pc + 4));
    ecalls++;
}

__attribute__((noinline)) uint64_t count(uint64_t hart, uint64_t round)
{
    counters[hart]++;
    return round * 2 + hart;
}

static void call_environment(void)
{
    asm volatile("ecall" : : : "memory");
}

__attribute__((noreturn)) void work(uint64_t hart)
{
    if (hart == 0) {
        MTIMECMP = MTIME + 50;
        asm volatile("csrs mie, %0; csrsi mstatus, 8" : : "r"(1 << 7));
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t sum = count(hart, round);
        total += sum;
        big[round % 10 + 50]++;
        call_environment();
    }
    if (hart == 0)
        TEST = 0x5555;
    for (;;)
        asm volatile("wfi");
}

/* A: atomic memory operations against rows of the model; lr and sc; alignment. */
#include "tests/isa/lib/rows.h"

static void operations(void)
{
#include "rows/a.h"
}

static void reservations(void)
{
    uint64_t memory[2] = {0x1122334455667788, 5}, v, fail;
    asm volatile("lr.d %0, (%2); sc.d %1, %3, (%2)"
                 : "=&r"(v), "=&r"(fail)
                 : "r"(memory), "r"(99ul)
                 : "memory");
    check_eq("lr.d loads", v, 0x1122334455667788);
    check_eq("sc.d after lr.d succeeds", fail, 0);
    check_eq("and stores", memory[0], 99);
    asm volatile("sc.d %0, %2, (%1)" : "=&r"(fail) : "r"(memory), "r"(7ul) : "memory");
    check("a second sc.d fails", fail != 0);
    check_eq("and stores nothing", memory[0], 99);
    memory[0] = 0xffffffff80000000;
    asm volatile("lr.w %0, (%2); sc.w %1, %3, (%2)"
                 : "=&r"(v), "=&r"(fail)
                 : "r"(memory), "r"(0x1234567811223344ul)
                 : "memory");
    check_eq("lr.w sign-extends", v, 0xffffffff80000000);
    check_eq("sc.w succeeds", fail, 0);
    check_eq("and stores four bytes", memory[0], 0xffffffff11223344);
    asm volatile("lr.d %0, (%2); sc.d %1, %3, (%4)"
                 : "=&r"(v), "=&r"(fail)
                 : "r"(memory), "r"(1ul), "r"(memory + 512)
                 : "memory");
    check("sc.d to another address far away fails", fail != 0);
    asm volatile("lr.d.aqrl %0, (%2); sc.d.aqrl %1, %3, (%2)"
                 : "=&r"(v), "=&r"(fail)
                 : "r"(memory), "r"(1ul)
                 : "memory");
    check_eq("aq and rl change nothing here", fail, 0);
    asm volatile("lr.d zero, (%1); sc.d %0, %2, (%1)"
                 : "=&r"(fail)
                 : "r"(memory), "r"(3ul)
                 : "memory");
    check_eq("lr.d to x0 reserves", fail, 0);
    asm volatile("lr.d %0, (%1); sc.d zero, %2, (%1)"
                 : "=&r"(v)
                 : "r"(memory), "r"(4ul)
                 : "memory");
    check_eq("sc.d to x0 stores", memory[0], 4);
}

static void trap_breaks_nothing(void)
{
    uint64_t memory = 5, fail = 9;
    asm volatile("lr.d zero, (%0)" : : "r"(&memory) : "memory");
    PROBE("ecall", "r"(0));
    asm volatile("sc.d %0, %2, (%1)" : "=&r"(fail) : "r"(&memory), "r"(6ul) : "memory");
    check("after a trap sc either succeeds and stores, or fails and does not",
          fail ? memory == 5 : memory == 6);
    traps_reset();
}

static void alignment(void)
{
    uint64_t memory[2] = {0, 0};
    uint64_t odd = (uint64_t)memory + 4;
    PROBE("lr.d t2, (%0)", "r"(odd));
    check_trap("a misaligned lr.d raises load address misaligned", LOAD_MISALIGNED, odd);
    PROBE("sc.d t2, %1, (%0)", "r"(odd), "r"(1ul));
    check_trap("a misaligned sc.d raises store address misaligned", STORE_MISALIGNED, odd);
    odd = (uint64_t)memory + 2;
    PROBE("amoadd.w t2, %1, (%0)", "r"(odd), "r"(1ul));
    bool trapped = self()->count == 1 && self()->tval == odd &&
                   (self()->cause == STORE_MISALIGNED || self()->cause == STORE_ACCESS);
    check("a misaligned atomic raises a store exception, and stores nothing",
          trapped && memory[0] == 0);
    traps_reset();
}

int main(void)
{
    operations();
    reservations();
    trap_breaks_nothing();
    if (on_qemu72())
        skip("misaligned atomics: QEMU 7.2 runs them or raises on other grounds");
    else
        alignment();
    return 0;
}

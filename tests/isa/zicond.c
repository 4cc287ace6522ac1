/* Zicond: conditional zero. The assembler need not know it. */
#include "tests/isa/lib/rt.h"

static uint64_t eqz(uint64_t a, uint64_t b)
{
    uint64_t v;
    asm volatile(".insn r 0x33, 5, 7, %0, %1, %2" : "=r"(v) : "r"(a), "r"(b));
    return v;
}

static uint64_t nez(uint64_t a, uint64_t b)
{
    uint64_t v;
    asm volatile(".insn r 0x33, 7, 7, %0, %1, %2" : "=r"(v) : "r"(a), "r"(b));
    return v;
}

int main(void)
{
    const uint64_t a = 0x8123456789abcdef;
    check_eq("czero.eqz gives 0 when rs2 is 0", eqz(a, 0), 0);
    check_eq("czero.eqz gives rs1 when rs2 is not 0", eqz(a, 1), a);
    check_eq("czero.eqz looks at the high bits", eqz(a, 1ull << 63), a);
    check_eq("czero.nez gives rs1 when rs2 is 0", nez(a, 0), a);
    check_eq("czero.nez gives 0 when rs2 is not 0", nez(a, 1), 0);
    check_eq("czero.nez looks at the high bits", nez(a, 1ull << 63), 0);
    uint64_t v = 5;
    asm volatile(".insn r 0x33, 5, 7, %0, %0, %0" : "+r"(v));
    check_eq("czero.eqz with one register for all", v, 5);
    asm volatile(".insn r 0x33, 7, 7, %0, %0, %0" : "+r"(v));
    check_eq("czero.nez with one register for all", v, 0);
    return 0;
}

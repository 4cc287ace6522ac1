/* Zawrs and Zihintpause: waiting on a reservation ends, is allowed everywhere but by TW. */
#include "tests/isa/lib/rt.h"

#define WRS_NTO ".word 0x00d00073"
#define WRS_STO ".word 0x01d00073"

extern const char nto[];
asm(".text; .balign 4; nto: " WRS_NTO "; ecall");

int main(void)
{
    uint64_t v = 5;
    PROBE(".word 0x0100000f", "r"(0));
    check_no_trap("pause is a hint");
    PROBE("lr.d t2, (%0);" WRS_STO, "r"(&v));
    check_no_trap("wrs.sto ends by itself");
    PROBE(WRS_STO, "r"(&v));
    check_no_trap("wrs.sto without a reservation ends at once");
    PROBE(WRS_NTO, "r"(&v));
    check_no_trap("wrs.nto without a reservation ends at once");
    MSIP(0) = 1;
    csr_write(mie, 8);
    PROBE("lr.d t2, (%0);" WRS_NTO, "r"(&v));
    check_no_trap("a pending interrupt ends wrs.nto");
    csr_set(mstatus, MSTATUS_TW);
    MSIP(0) = 0;
    csr_write(mie, 0);
    enter(S, (uint64_t)nto, 0, 0);
    check("with TW wrs.nto in S either ends or is illegal",
          self()->cause == ECALL_S || self()->cause == ILLEGAL);
    csr_clear(mstatus, MSTATUS_TW);
    traps_reset();
    return 0;
}

/* Sdtrig: execute, load, store and count triggers of U- and S-mode, whose handler is in M-mode. */
#include "tests/isa/lib/rt.h"

#define TYPE(n) ((uint64_t)(n) << 60)
#define LOAD    1u
#define STORE   2u
#define EXECUTE 4u
#define MC6_U   (1u << 3)
#define MC6_S   (1u << 4)
#define COUNT_U (1u << 6)

static uint64_t data[8];

extern const char program[], middle[];
asm(".text; .balign 4; .option push; .option norvc; program: nop; nop; nop; middle: nop; ld t2, "
    "0(a0);"
    "sd t2, 8(a0); amoadd.d t2, t2, (a0); ecall; .option pop");

/* Runs the program in U with one trigger. */
static void run_with(uint64_t tdata1, uint64_t tdata2)
{
    csr_write(tselect, 0);
    csr_write(tdata2, tdata2);
    csr_write(tdata1, tdata1);
    traps_reset();
    enter(U, (uint64_t)program, (uint64_t)data, 0);
    csr_write(tdata1, 0);
}

static void check_fires(const char *name, uint64_t epc, uint64_t tval)
{
    check_eq(name, self()->epc, epc);
    check_trap(name, BREAKPOINT, tval);
}

int main(void)
{
    const uint64_t start = (uint64_t)program;
    csr_write(tselect, 0);
    check("there is a trigger 0", csr_read(tselect) == 0 && csr_read(tdata1) >> 60 != 0);
    check("of all types that debuggers use", (csr_read(0x7a4) & 0x78) == 0x78);
    csr_write(tselect, 1000);
    check("there is no trigger 1000", csr_read(tselect) != 1000);
    run_with(TYPE(6) | MC6_U | EXECUTE, (uint64_t)middle);
    check_fires("execute", (uint64_t)middle, (uint64_t)middle);
    run_with(TYPE(6) | MC6_U | LOAD, (uint64_t)data);
    check_fires("load", start + 16, (uint64_t)data);
    run_with(TYPE(6) | MC6_U | STORE, (uint64_t)&data[1]);
    check_fires("store", start + 20, (uint64_t)&data[1]);
    run_with(TYPE(6) | MC6_U | STORE, (uint64_t)data);
    check_fires("an atomic stores", start + 24, (uint64_t)data);
    run_with(TYPE(6) | MC6_S | EXECUTE | LOAD | STORE, (uint64_t)data);
    check_trap("a trigger of S does not fire in U", ECALL_U, 0);
    run_with(TYPE(6) | MC6_U | LOAD | STORE, (uint64_t)&data[4]);
    check_trap("nor one of another address", ECALL_U, 0);
    run_with(TYPE(3) | COUNT_U | 2u << 10, 0);
    check_fires("icount", start + 8, 0);
    run_with(TYPE(15), 0);
    check_trap("a disabled one does nothing", ECALL_U, 0);
    return 0;
}

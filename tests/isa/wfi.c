/* WFI: sleeps until an interrupt is pending and enabled in mie, whatever mstatus says. */
#include "tests/isa/lib/rt.h"

static void timer_wakes(void)
{
    csr_write(mie, 0x80);
    uint64_t start = MTIME;
    MTIMECMP(0) = start + 20000; /* 2 ms */
    traps_reset();
    while (!(csr_read(mip) & 0x80))
        asm volatile("wfi");
    check("the timer's interrupt ends wfi, with MIE off", MTIME >= start + 20000);
    check("and not seconds later", MTIME < start + 20000 + 50000000);
    check_no_trap("no interrupt is taken");
}

static void pending_already(void)
{
    MTIMECMP(0) = 0;
    asm volatile("wfi; wfi; wfi");
    check("wfi with an interrupt pending goes on", true);
    MTIMECMP(0) = ~0ull;
    MSIP(0) = 1;
    csr_write(mie, 8);
    asm volatile("wfi");
    check("so with a software interrupt", true);
    MSIP(0) = 0;
}

static void taken(void)
{
    csr_write(mie, 0x80);
    MTIMECMP(0) = MTIME + 10000;
    traps_reset();
    uint64_t next = PROBE_T2(0,
                             "la t2, 1f; csrsi mstatus, 8; .option push; .option norvc; wfi;"
                             "1: j 1b; .option pop",
                             "r"(0));
    check("with MIE on the interrupt is taken", self()->cause == INTERRUPT(7));
    check_eq("with mepc behind wfi", self()->epc, next);
    MTIMECMP(0) = ~0ull;
    csr_write(mie, 0);
    traps_reset();
}

extern const char sleep_s[];
asm(".text; .balign 4; sleep_s: wfi; addi a0, a0, 1; ecall");

static void supervisor(void)
{
    csr_write(mie, 0x80);
    MTIMECMP(0) = MTIME + 10000;
    enter(S, (uint64_t)sleep_s, 5, 0);
    check("an interrupt for M ends wfi in S", self()->cause == INTERRUPT(7));
    MTIMECMP(0) = ~0ull;
    csr_write(mie, 0x20);
    csr_write(mideleg, 0x20);
    csr_set(mip, 0x20);
    csr_clear(mstatus, MSTATUS_SIE);
    check_eq("a pending interrupt of S ends it, with SIE off", enter(S, (uint64_t)sleep_s, 5, 0),
             6);
    csr_clear(mip, 0x20);
    csr_write(mideleg, 0);
    csr_write(mie, 0);
    traps_reset();
}

int main(void)
{
    timer_wakes();
    pending_already();
    taken();
    supervisor();
    return 0;
}

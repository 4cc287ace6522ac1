/* Sstc: stimecmp and its permission. */
#include "tests/isa/lib/rt.h"

#define STCE (1ull << 63)

extern const char write_stimecmp[], s_wait[], s_entry[];
asm(".text; .balign 4; write_stimecmp: csrw 0x14d, a0; ecall;"
    "s_wait: csrw 0x14d, a0; csrsi sstatus, 2; 1: j 1b;"
    ".balign 4; s_entry: csrr a0, scause; csrr a1, time; ecall");

static void permission(void)
{
    csr_write(menvcfg, 0);
    csr_write(mcounteren, ~0ull);
    enter(S, (uint64_t)write_stimecmp, ~0ull, 0);
    check("without menvcfg.STCE S may not write stimecmp", self()->cause == ILLEGAL);
    csr_write(menvcfg, STCE);
    check("menvcfg.STCE can be set", csr_read(menvcfg) & STCE);
    csr_write(mcounteren, 0);
    enter(S, (uint64_t)write_stimecmp, ~0ull, 0);
    check("without mcounteren.TM neither", self()->cause == ILLEGAL);
    csr_write(mcounteren, ~0ull);
    enter(S, (uint64_t)write_stimecmp, ~0ull, 0);
    check("with both it may", self()->cause == ECALL_S);
    enter(U, (uint64_t)write_stimecmp, ~0ull, 0);
    check("U may never", self()->cause == ILLEGAL);
    traps_reset();
}

static void pending(void)
{
    csr_write(0x14d, ~0ull);
    check("STIP is off when stimecmp is in the future", !(csr_read(mip) & 0x20));
    csr_write(0x14d, csr_read(time));
    check("STIP is on when time >= stimecmp", csr_read(mip) & 0x20);
    csr_write(0x14d, ~0ull);
    csr_set(mip, 0x20);
    check("STIP cannot be set by mip now", !(csr_read(mip) & 0x20));
    check_eq("stimecmp reads back", csr_read(0x14d), ~0ull);
}

static void interrupt(void)
{
    csr_write(stvec, s_entry);
    csr_write(mideleg, 0x20);
    csr_write(mie, 0x20);
    for (unsigned i = 1; i <= 20; i++) {
        csr_clear(mstatus, MSTATUS_SIE);
        uint64_t at = csr_read(time) + 100 * i;
        uint64_t cause = enter(S, (uint64_t)s_wait, at, 0);
        if (cause != INTERRUPT(5) || csr_read(time) < at)
            check("a supervisor timer interrupt came too early", false);
        csr_write(0x14d, ~0ull);
    }
    check("20 supervisor timer interrupts came, none too early", true);
    csr_write(menvcfg, 0);
    csr_set(mip, 0x20);
    check("without STCE mip.STIP is writable again", csr_read(mip) & 0x20);
    csr_clear(mip, 0x20);
    check("and stimecmp has no effect", !(csr_read(mip) & 0x20));
    csr_write(mie, 0);
    csr_write(mideleg, 0);
    csr_clear(mstatus, MSTATUS_SIE);
    traps_reset();
}

int main(void)
{
    permission();
    pending();
    interrupt();
    return 0;
}

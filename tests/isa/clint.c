/* The CLINT's timer: mtime, mtimecmp, accesses of its halves. */
#include "tests/isa/lib/rt.h"

static void compare(void)
{
    MTIMECMP(0) = ~0ull;
    check("MTIP is off when mtimecmp is in the future", !(csr_read(mip) & 0x80));
    MTIMECMP(0) = MTIME;
    check("MTIP is on when mtime >= mtimecmp", csr_read(mip) & 0x80);
    csr_clear(mip, 0x80);
    check("MTIP cannot be cleared by mip", csr_read(mip) & 0x80);
    MTIMECMP(0) = ~0ull;
    check("a new mtimecmp clears it", !(csr_read(mip) & 0x80));
    volatile uint32_t *half = (volatile uint32_t *)&MTIMECMP(0);
    half[0] = 0x12345678;
    half[1] = 0x7fffffff;
    check_eq("mtimecmp is written by halves", MTIMECMP(0), 0x7fffffff12345678);
    check_eq("and read by halves", half[1], 0x7fffffff);
    MTIMECMP(0) = ~0ull;
}

static void counter(void)
{
    uint64_t a = MTIME, b;
    do
        b = MTIME;
    while (b == a);
    check("mtime grows", b > a);
    volatile uint32_t *half = (volatile uint32_t *)&MTIME;
    uint64_t low = half[0];
    check("its low half is read alone", (uint32_t)(MTIME - low) < 10000000);
}

static void interrupts(void)
{
    csr_write(mie, 0x80);
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t start = MTIME;
        MTIMECMP(0) = start + 100 * i;
        traps_reset();
        PROBE("csrsi mstatus, 8; 1: j 1b", "r"(0));
        if (self()->cause != INTERRUPT(7) || MTIME < start + 100 * i)
            check("a timer interrupt came too early", false);
        MTIMECMP(0) = ~0ull;
    }
    check("20 timer interrupts came, none too early", true);
    csr_write(mie, 0);
    traps_reset();
}

int main(void)
{
    compare();
    counter();
    interrupts();
    return 0;
}

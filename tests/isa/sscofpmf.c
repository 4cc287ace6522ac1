/* Sscofpmf, Zihpm and Smcntrpmf: counters with events, modes that are left out, overflow. */
#include "tests/isa/lib/rt.h"

#define LCOFI        (1ull << 13)
#define CYCLES       1ull
#define INSTRUCTIONS 2ull
#define MINH         (1ull << 62)
#define SINH         (1ull << 61)
#define UINH         (1ull << 60)
#define OF           (1ull << 63)

extern const char nops[], read_ovf[];
asm(".text; .balign 4; nops: .rept 20; nop; .endr; ecall;"
    "read_ovf: csrr a0, 0xda0; ecall");

static uint64_t counted(uint64_t event, unsigned priv)
{
    csr_write(0x323, event);
    csr_write(0xb03, 0);
    enter(priv, (uint64_t)nops, 0, 0);
    uint64_t v = csr_read(0xb03);
    traps_reset();
    return v;
}

static void modes(void)
{
    check_eq("an hpm counter counts the instructions of U", counted(INSTRUCTIONS | MINH | SINH, U),
             20);
    check_eq("and those of S", counted(INSTRUCTIONS | MINH | UINH, S), 20);
    check_eq("but not where it is told not to", counted(INSTRUCTIONS | MINH | UINH, U), 0);
    check("M counts too when it may", counted(INSTRUCTIONS, U) > 20);
    check_eq("without an event nothing is counted", counted(0, U), 0);
    csr_write(0x321, MINH);
    csr_write(mcycle, 0);
    for (int i = 0; i < 10; i++)
        asm volatile("nop");
    check_eq("Smcntrpmf: mcycle stands still in M", csr_read(mcycle), 0);
    csr_write(0x321, 0);
}

static void overflow(void)
{
    csr_write(mie, LCOFI);
    csr_write(0x323, INSTRUCTIONS);
    csr_write(0xb03, -40ull);
    uint64_t a = 0;
    asm volatile(PROBE_BEGIN "csrsi mstatus, 8; .rept 64; addi %0, %0, 1; .endr" PROBE_END
                 : "+r"(a)
                 :
                 : "t0", "t1", "memory");
    csr_clear(mstatus, MSTATUS_MIE);
    csr_write(mie, 0);
    check_trap("an overflow interrupts", INTERRUPT(13), 0);
    check("when 40 instructions have passed", a > 0 && a < 40);
    check_eq("and sets OF", csr_read(0x323), OF | INSTRUCTIONS);
    check_eq("scountovf shows it", csr_read(0xda0), 8);
    csr_write(mcounteren, 0);
    check_eq("to S only through mcounteren", enter(S, (uint64_t)read_ovf, 0, 0), 0);
    csr_write(mcounteren, 8);
    check_eq("which opens it", enter(S, (uint64_t)read_ovf, 0, 0), 8);
    traps_reset();
    csr_clear(mip, LCOFI);
    check("software clears LCOFIP", !(csr_read(mip) & LCOFI));
    csr_write(0xb03, -5ull);
    for (int i = 0; i < 10; i++)
        asm volatile("nop");
    check("with OF set there is no second one", !(csr_read(mip) & LCOFI));
}

int main(void)
{
    modes();
    overflow();
    return 0;
}

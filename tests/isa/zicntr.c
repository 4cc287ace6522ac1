/* Zicntr and the machine's counters: that they run, are written, inhibited and permitted. */
#include "tests/isa/lib/rt.h"

static void they_run(void)
{
    uint64_t a = csr_read(cycle), b = csr_read(cycle);
    check("cycle grows", b > a);
    a = csr_read(instret);
    b = csr_read(instret);
    check("instret grows", b > a);
    a = csr_read(time);
    do
        b = csr_read(time);
    while (a == b);
    check("time grows", b > a);
    uint64_t t = csr_read(time), m = MTIME, t2 = csr_read(time);
    check("time is the CLINT's mtime", t <= m && m <= t2);
    check("mcycle is cycle", csr_read(mcycle) <= csr_read(cycle));
}

static void writes(void)
{
    csr_write(minstret, 1ull << 40);
    uint64_t v = csr_read(minstret);
    check("minstret can be set", v >= 1ull << 40 && v < (1ull << 40) + 1000000);
    csr_write(mcycle, 1ull << 50);
    v = csr_read(mcycle);
    check("mcycle can be set", v >= 1ull << 50 && v < (1ull << 50) + 1000000000);
    PROBE("csrw cycle, %0", "r"(5ul));
    check("cycle is read-only", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    if (on_qemu72()) {
        skip("Zihpm: QEMU 7.2 has 16 of the 29 counters");
        return;
    }
    PROBE(
        "csrr t2, hpmcounter3; csrr t2, hpmcounter31; csrr t2, mhpmcounter31; csrr t2, mhpmevent3",
        "r"(0));
    check_no_trap("all hpm counters exist (Zihpm)");
}

static void inhibit(void)
{
    csr_write(mcountinhibit, 5);
    uint64_t a = csr_read(minstret), b = csr_read(minstret);
    check_eq("mcountinhibit.IR stops instret", b, a);
    a = csr_read(mcycle);
    b = csr_read(mcycle);
    check_eq("mcountinhibit.CY stops cycle", b, a);
    csr_write(mcountinhibit, 0);
    a = csr_read(minstret);
    b = csr_read(minstret);
    check("they go on", b > a);
    csr_write(mcountinhibit, 2);
    check_eq("time cannot be inhibited", csr_read(mcountinhibit) & 2, 0);
    csr_write(mcountinhibit, 0);
}

extern const char cycle[], time[], instret[];
asm(".text; .balign 4; cycle: csrr a0, cycle; ecall; time: csrr a0, time; ecall;"
    "instret: csrr a0, instret; ecall");

static bool readable(unsigned priv, const char *code)
{
    enter(priv, (uint64_t)code, 0, 0);
    bool ok = self()->cause == (priv == S ? ECALL_S : ECALL_U);
    check("not readable means illegal instruction", ok || self()->cause == ILLEGAL);
    return ok;
}

static void permission(void)
{
    static const char *const code[3] = {cycle, time, instret};
    for (unsigned i = 0; i < 3; i++) {
        csr_write(mcounteren, 0);
        csr_write(scounteren, 0);
        check("S may not read a counter without mcounteren", !readable(S, code[i]));
        check("U may not either", !readable(U, code[i]));
        csr_write(mcounteren, 1 << i);
        check("mcounteren lets S read", readable(S, code[i]));
        check("but not U", !readable(U, code[i]));
        csr_write(scounteren, 1 << i);
        check("with scounteren U may", readable(U, code[i]));
        csr_write(mcounteren, 0);
        check("scounteren alone is not enough for U", !readable(U, code[i]));
    }
    traps_reset();
}

int main(void)
{
    they_run();
    writes();
    if (on_qemu72())
        skip("mcountinhibit: QEMU 7.2 counts on");
    else
        inhibit();
    permission();
    return 0;
}

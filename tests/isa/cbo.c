/* Zicbom, Zicbop, Zicboz with blocks of 64 bytes: effects, permission by menvcfg and senvcfg. */
#include "tests/isa/lib/rt.h"

static uint8_t memory[4096] __attribute__((aligned(4096)));

#define CBO(op, address) PROBE(".insn i 0x0f, 2, x0, %0, " #op, "r"((uint64_t)(address)))
#define CBIE_FLUSH       (1ull << 4)
#define CBIE_INVAL       (3ull << 4)
#define CBCFE            (1ull << 6)
#define CBZE             (1ull << 7)

static void zero(void)
{
    for (unsigned i = 0; i < 256; i++)
        memory[i] = 0xa5;
    CBO(4, memory + 64 + 17);
    check_no_trap("cbo.zero takes any address in the block");
    bool inside = true, outside = true;
    for (unsigned i = 0; i < 256; i++) {
        if (i / 64 == 1)
            inside &= memory[i] == 0;
        else
            outside &= memory[i] == 0xa5;
    }
    check("cbo.zero clears all 64 bytes of the block", inside);
    check("cbo.zero leaves its neighbours", outside);
    CBO(4, 0x40);
    check_trap("cbo.zero where nothing is raises a store access fault", STORE_ACCESS, 0x40);
}

static void management(void)
{
    memory[0] = 7;
    CBO(0, memory);
    CBO(1, memory);
    CBO(2, memory);
    check_no_trap("inval, clean and flush are allowed in M-mode");
    check_eq("and lose no data: memory is coherent", memory[0], 7);
    PROBE(".insn s 0x13, 6, x0, 0(%0); .insn s 0x13, 6, x1, 0(%0); .insn s 0x13, 6, x3, 0(%0)",
          "r"(0));
    check_no_trap("prefetches never trap");
}

extern const char cbo_inval[], cbo_clean[], cbo_flush[], cbo_zero[];
asm(".text; .balign 4;"
    "cbo_inval: .insn i 0x0f, 2, x0, a0, 0; ecall;"
    "cbo_clean: .insn i 0x0f, 2, x0, a0, 1; ecall;"
    "cbo_flush: .insn i 0x0f, 2, x0, a0, 2; ecall;"
    "cbo_zero: .insn i 0x0f, 2, x0, a0, 4; ecall");

/* Whether the code runs in this mode without an illegal instruction. */
static bool allowed(unsigned priv, const char *code)
{
    traps_reset();
    enter(priv, (uint64_t)code, (uint64_t)memory, 0);
    bool ok = self()->cause == (priv == S ? ECALL_S : ECALL_U);
    check("denied means illegal instruction", ok || self()->cause == ILLEGAL);
    traps_reset();
    return ok;
}

static void permission(void)
{
    csr_write(menvcfg, 0);
    csr_write(senvcfg, 0);
    check("menvcfg = 0: S may not zero", !allowed(S, cbo_zero));
    check("menvcfg = 0: S may not clean", !allowed(S, cbo_clean));
    check("menvcfg = 0: S may not flush", !allowed(S, cbo_flush));
    check("menvcfg = 0: S may not inval", !allowed(S, cbo_inval));
    csr_write(menvcfg, CBZE);
    check("menvcfg.CBZE lets S zero", allowed(S, cbo_zero));
    check("but not U", !allowed(U, cbo_zero));
    csr_write(senvcfg, CBZE);
    check("with senvcfg.CBZE U may, too", allowed(U, cbo_zero));
    csr_write(menvcfg, CBCFE);
    check("senvcfg alone is not enough", !allowed(U, cbo_zero));
    check("menvcfg.CBCFE lets S clean", allowed(S, cbo_clean));
    check("and flush", allowed(S, cbo_flush));
    check("but not U", !allowed(U, cbo_flush));
    csr_write(menvcfg, CBIE_FLUSH);
    check("menvcfg.CBIE lets S inval, as a flush", allowed(S, cbo_inval));
    check("but not U without senvcfg.CBIE", !allowed(U, cbo_inval));
    csr_write(senvcfg, CBIE_INVAL);
    check("with both, U may", allowed(U, cbo_inval));
    csr_write(menvcfg, 0);
    csr_write(senvcfg, 0);
}

int main(void)
{
    zero();
    management();
    permission();
    return 0;
}

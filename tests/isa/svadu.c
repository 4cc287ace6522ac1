/* Svadu: with menvcfg.ADUE = 1 the hart sets A and D itself. */
#include "tests/isa/lib/paging.h"

#define ADUE (1ull << 61)

static uint64_t data[512] __attribute__((aligned(4096)));
extern const char code_page[];
asm(".text; .balign 4096; code_page: ecall; .balign 4096");

static void updates(struct space *s, unsigned level)
{
    const uint64_t size = 1ull << (12 + 9 * level), pa = (uint64_t)data & ~(size - 1);
    const uint64_t va = (uint64_t)(level + 1) << 30, at = va + ((uint64_t)data - pa);
    uint64_t *pte = entry(s, va, level);
    map_at(s, va, pa, PTE_R | PTE_W, level);
    uint64_t clean = *pte;
    sfence();
    load_as(S, at, 8);
    check_eq("a load sets A alone", *pte, clean | PTE_A);
    store_as(S, at, 8, 5);
    check_eq("a store sets D, though the page is known from a load", *pte, clean | PTE_A | PTE_D);
    check_eq("and stores", data[0], 5);
    *pte = clean;
    sfence();
    store_as(S, at, 8, 6);
    check_eq("a store sets A and D at once", *pte, clean | PTE_A | PTE_D);
    *pte = clean | PTE_A;
    sfence();
    load_as(S, at, 8);
    check_eq("a load leaves D", *pte, clean | PTE_A);
    check_no_trap("all without traps");
    *pte = clean & ~PTE_W;
    sfence();
    store_as(S, at, 8, 7);
    check_trap("a store that is not allowed faults", STORE_PAGE, at);
    check_eq("and sets nothing", *pte, clean & ~PTE_W);
}

static void fetches(struct space *s)
{
    const uint64_t va = 0x200000;
    map(s, va, (uint64_t)code_page, PTE_X);
    uint64_t *pte = entry(s, va, 0), clean = *pte;
    sfence();
    enter(S, va, 0, 0);
    check_trap("a fetch works", ECALL_S, 0);
    check_eq("and sets A", *pte, clean | PTE_A);
}

static void atomics(struct space *s)
{
    const uint64_t va = 0x400000;
    map(s, va, (uint64_t)data, PTE_R | PTE_W);
    uint64_t *pte = entry(s, va, 0), clean = *pte;
    sfence();
    csr_clear(mstatus, MSTATUS_MPP);
    csr_set(mstatus, 1ull << 11);
    PROBE("csrs mstatus, %1; amoadd.d t2, zero, (%0); csrc mstatus, %1", "r"(va),
          "r"(MSTATUS_MPRV));
    check_no_trap("an atomic works");
    check_eq("and sets A and D", *pte, clean | PTE_A | PTE_D);
}

int main(void)
{
    csr_set(menvcfg, ADUE);
    check("menvcfg.ADUE can be set", csr_read(menvcfg) & ADUE);
    struct space *s = space_new(SV39);
    space_use(s);
    for (unsigned level = 0; level < 3; level++)
        updates(s, level);
    fetches(s);
    atomics(s);
    space_use(NULL);
    csr_clear(menvcfg, ADUE);
    return 0;
}

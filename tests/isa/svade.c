/* Svade: with menvcfg.ADUE = 0 an access to a page with A (or, for stores, D) clear faults, and the
 * entry is left alone. */
#include "tests/isa/lib/paging.h"

static uint64_t data[512] __attribute__((aligned(4096)));
extern const char code_page[];
asm(".text; .balign 4096; code_page: ecall; .balign 4096");

int main(void)
{
    csr_clear(menvcfg, 1ull << 61);
    struct space *s = space_new(SV39);
    const uint64_t va = 0x200000;
    uint64_t *pte = entry(s, va, 0);
    space_use(s);
    map(s, va, (uint64_t)data, PTE_R | PTE_W);
    uint64_t before = *pte;
    load_as(S, va, 8);
    check_trap("a load with A = 0 faults", LOAD_PAGE, va);
    store_as(S, va, 8, 1);
    check_trap("a store with A = 0 faults", STORE_PAGE, va);
    check_eq("the entry is as it was", *pte, before);
    map(s, va, (uint64_t)data, PTE_R | PTE_W | PTE_A);
    sfence();
    load_as(S, va, 8);
    check_no_trap("a load with A = 1 and D = 0 works");
    store_as(S, va, 8, 1);
    check_trap("a store with D = 0 faults, even after the load", STORE_PAGE, va);
    check_eq("memory is as it was", data[0], 0);
    map(s, va, (uint64_t)data, PTE_R | PTE_W | PTE_A | PTE_D);
    sfence();
    store_as(S, va, 8, 1);
    check_no_trap("a store with A and D works");
    map(s, va, (uint64_t)code_page, PTE_X);
    sfence();
    enter(S, va, 0, 0);
    check_trap("a fetch with A = 0 faults", FETCH_PAGE, va);
    map(s, va, (uint64_t)code_page, PTE_X | PTE_A);
    sfence();
    enter(S, va, 0, 0);
    check_trap("a fetch with A = 1 works", ECALL_S, 0);
    space_use(NULL);
    return 0;
}

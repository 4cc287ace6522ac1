/* Svpbmt: the memory types NC and IO are accepted when menvcfg.PBMTE is set, 3 never. */
#include "tests/isa/lib/paging.h"

#define PBMTE (1ull << 62)
#define RWAD  (PTE_R | PTE_W | PTE_A | PTE_D)

static uint64_t data[512] __attribute__((aligned(4096)));

int main(void)
{
    struct space *s = space_new(SV39);
    const uint64_t va = 0x200000;
    data[0] = 5;
    csr_set(menvcfg, PBMTE);
    check("menvcfg.PBMTE can be set", csr_read(menvcfg) & PBMTE);
    space_use(s);
    for (uint64_t type = 0; type < 3; type++) {
        map(s, va, (uint64_t)data, RWAD | type << 61);
        sfence();
        check_eq("PMA, NC and IO pages are read", load_as(S, va, 8), 5);
        check_no_trap("without traps");
    }
    if (on_qemu72()) {
        skip("reserved types: QEMU 7.2 does not look at PBMTE and takes type 3");
        return 0;
    }
    map(s, va, (uint64_t)data, RWAD | 3ull << 61);
    sfence();
    load_as(S, va, 8);
    check_trap("type 3 is reserved", LOAD_PAGE, va);
    map(s, va, (uint64_t)data, RWAD);
    *entry(s, va, 1) |= 1ull << 61;
    sfence();
    load_as(S, va, 8);
    check_trap("a type in a pointer is reserved", LOAD_PAGE, va);
    *entry(s, va, 1) &= ~PTE_PBMT;
    csr_clear(menvcfg, PBMTE);
    map(s, va, (uint64_t)data, RWAD | 1ull << 61);
    sfence();
    load_as(S, va, 8);
    check_trap("without PBMTE any type is reserved", LOAD_PAGE, va);
    space_use(NULL);
    return 0;
}

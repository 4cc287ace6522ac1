/* Svnapot: 64 KiB pages by the N bit. */
#include "tests/isa/lib/paging.h"

#define NAPOT64K (8ull << 10) /* the low four PPN bits of a 64 KiB page */
#define RWAD     (PTE_R | PTE_W | PTE_A | PTE_D)

static uint64_t data[16][512] __attribute__((aligned(65536)));

int main(void)
{
    struct space *s = space_new(SV39);
    const uint64_t va = 0x40000000;
    for (unsigned i = 0; i < 16; i++) {
        map(s, va + 4096 * i, (uint64_t)data, RWAD | PTE_N | NAPOT64K);
        data[i][0] = 100 + i;
    }
    space_use(s);
    for (unsigned i = 0; i < 16; i++)
        check_eq("each 4 KiB of the page is its own", load_as(S, va + 4096 * i, 8), 100 + i);
    store_as(S, va + 4096 * 5 + 8, 8, 77);
    check_eq("a store", data[5][1], 77);
    check_no_trap("without traps");
    *entry(s, va + 4096 * 3, 0) = 0;
    for (unsigned i = 0; i < 16; i++)
        *entry(s, va + 4096 * i, 0) = 0;
    asm volatile("sfence.vma %0" : : "r"(va + 4096 * 3) : "memory");
    load_as(S, va + 4096 * 3, 8);
    check_trap("a fence for the address", LOAD_PAGE, va + 4096 * 3);
    for (unsigned low = 0; low < 16; low++) {
        if (low == 8)
            continue;
        map(s, va, (uint64_t)data, RWAD | PTE_N | (uint64_t)low << 10);
        sfence();
        load_as(S, va, 8);
        check_trap("any other size is reserved", LOAD_PAGE, va);
    }
    *entry(s, va, 1) = ((uint64_t)data & ~0x1fffffull) >> 12 << 10 | RWAD | PTE_V | PTE_N;
    sfence();
    load_as(S, va, 8);
    check_trap("N in a superpage is reserved", LOAD_PAGE, va);
    space_use(NULL);
    return 0;
}

/* The page tables behind lib/paging.h. */
#include "tests/isa/lib/paging.h"

#define POOL_PAGES 256
static uint64_t pool[POOL_PAGES][512] __attribute__((aligned(4096)));
static unsigned used;
static struct space the_space;

void *page_new(void)
{
    if (used == POOL_PAGES) {
        print("FAIL: lib/paging.c has no pages left\n");
        check("pages are enough", false);
        test_end();
    }
    for (unsigned i = 0; i < 512; i++)
        pool[used][i] = 0;
    return pool[used++];
}

struct space *space_new(unsigned mode)
{
    used = 0;
    the_space.mode = mode;
    the_space.root = page_new();
    return &the_space;
}

bool space_use(const struct space *space)
{
    uint64_t satp = space ? (uint64_t)space->mode << 60 | (uint64_t)space->root >> 12 : 0;
    csr_write(satp, satp);
    sfence();
    return csr_read(satp) == satp;
}

uint64_t *entry(struct space *space, uint64_t va, unsigned level)
{
    uint64_t *table = space->root;
    for (unsigned l = space->mode - 6;; l--) {
        uint64_t *pte = &table[va >> (12 + 9 * l) & 511];
        if (l == level)
            return pte;
        if (!(*pte & PTE_V))
            *pte = (uint64_t)page_new() >> 12 << 10 | PTE_V;
        table = (uint64_t *)((*pte >> 10 & ((1ull << 44) - 1)) << 12);
    }
}

void map_at(struct space *space, uint64_t va, uint64_t pa, uint64_t bits, unsigned level)
{
    *entry(space, va, level) = pa >> 12 << 10 | bits | PTE_V;
}

/* Page tables for the tests: a few address spaces from a pool of pages, in Sv39, Sv48 or Sv57. */
#ifndef ISA_PAGING_H
#define ISA_PAGING_H

#include "tests/isa/lib/rt.h"

enum { SV39 = 8, SV48 = 9, SV57 = 10 };

struct space {
    unsigned mode;
    uint64_t *root;
};

/* A new empty address space; the last one is thrown away (there is one pool). */
struct space *space_new(unsigned mode);
/* Sets satp (NULL: no translation) and fences. False: the hart does not know the mode. */
bool space_use(const struct space *space);
/* Writes the leaf of va at a level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB ...); V is added to the bits. */
void map_at(struct space *space, uint64_t va, uint64_t pa, uint64_t bits, unsigned level);
static inline void map(struct space *space, uint64_t va, uint64_t pa, uint64_t bits)
{
    map_at(space, va, pa, bits, 0);
}
/* The entry of va at a level; the tables above it are made. */
uint64_t *entry(struct space *space, uint64_t va, unsigned level);
/* A page of tests/isa's own for contents; zeroed. */
void *page_new(void);

static inline void sfence(void)
{
    asm volatile("sfence.vma" : : : "memory");
}

#endif

/* A hart's memory as a debugger sees it: nothing is asked for permission, and looking changes
 * nothing, neither an A bit nor the TLB nor a device's register. Between runs. */
#ifndef RIVULET_CPU_PEEK_H
#define RIVULET_CPU_PEEK_H

#include "cpu/hart.h"

/* The walk that an access of this kind would make now, by the tables as they are in memory.
 * False: there is none, since addresses are physical (M-mode, or Bare). */
bool peek_walk(const struct hart *h, uint64_t va, enum tlb_access access, enum walk_result *result,
               struct walk_report *report);
/* Where va leads as loads see it; false: nowhere. */
bool peek_address(const struct hart *h, uint64_t va, uint64_t *pa);

/* RAM and ROM; false when any byte lies elsewhere: what `to` then holds is no answer. */
bool peek_physical(const struct memory_map *map, uint64_t pa, void *to, size_t n) MUST_CHECK;
bool peek_memory(const struct hart *h, uint64_t va, void *to, size_t n) MUST_CHECK;
/* Its 16 or 32 bits; what is behind a short one need not be there. */
bool peek_instruction(const struct hart *h, uint64_t va, uint32_t *word) MUST_CHECK;
/* Writes, read-only pages and ROM too; decoded code is dropped. False: nothing is written. */
bool poke_physical(struct memory_map *map, uint64_t pa, const void *from, size_t n) MUST_CHECK;
bool poke_memory(const struct hart *h, uint64_t va, const void *from, size_t n) MUST_CHECK;

#endif

/* The TLB: what a hart knows of its page tables, and the fast tags that answer most accesses.
 *
 * First level: for each context and access kind an array of fast entries, compared by inlined code,
 * and beside each a record. A fast tag is either its record's page or TLB_NO_TAG (poisoned): dirty
 * tracking, watchpoints and code marking poison the fast tag alone; the slow path then answers from
 * the record and never walks again. Records are guest-visible (a stale entry is), so they are saved
 * and hashed; fast entries are derived.
 * Second level: translations tagged by ASID, from which the first is refilled after a switch. */
#ifndef RIVULET_MEMORY_TLB_H
#define RIVULET_MEMORY_TLB_H

#include "base/state.h"
#include "memory/map.h"
#include "memory/walk.h"

#define TLB_L1_ENTRIES 1024u
#define TLB_L2_ENTRIES 4096u
#define TLB_NO_TAG     1ull /* never equal to a page address */

/* Who accesses: M-mode or U/S-mode, and S-mode with SUM. */
enum tlb_context { TLB_M, TLB_S, TLB_S_SUM, TLB_U, TLB_CONTEXTS };

struct tlb_fast {
    uint64_t tag;    /* virtual page, or TLB_NO_TAG */
    uint64_t addend; /* load, store: host address - virtual address; fetch: physical page */
};

/* What a first-level entry stands for. */
struct tlb_record {
    uint64_t va; /* page address, or TLB_NO_TAG: empty */
    uint64_t pa; /* page address */
    bool split;  /* a PMP boundary cuts the page: checked at each access, never fast */
};

struct tlb_l2 {
    struct translation t;
    uint16_t asid;
    uint32_t generation; /* of the TLB when it entered; 0: empty */
};

#define TLB_ASID_GROUPS 64u
/* Sizes of leaves above 4 KiB: 64 KiB, 2 MiB, 1 GiB, 512 GiB, 256 TiB. */
#define TLB_SUPERPAGE_SIZES 5u
#define TLB_SUPERPAGE_WORDS 4u

struct tlb {
    struct tlb_fast fast[TLB_CONTEXTS][TLB_ACCESSES][TLB_L1_ENTRIES];
    struct tlb_record records[TLB_CONTEXTS][TLB_ACCESSES][TLB_L1_ENTRIES];
    /* A bit for each entry that may hold something: all others need no clearing. */
    uint64_t used[TLB_CONTEXTS][TLB_ACCESSES][TLB_L1_ENTRIES / 64];
    struct tlb_l2 l2[TLB_L2_ENTRIES];
    /* Counts flushes of the second level, and is never 0. An entry is valid while it is as young as
     * the oldest that its kind may be: all of them; those of an ASID that are not global, ASIDs in
     * groups; pieces of superpages, by half of the address space. */
    uint32_t generation;
    uint32_t oldest, oldest_of_asid[TLB_ASID_GROUPS], oldest_piece[2];
    /* By half of the address space and size: which superpages have pieces in either level, a set of
     * hashed numbers. A fence of one address elsewhere need not look for pieces. */
    uint64_t superpages[2][TLB_SUPERPAGE_SIZES][TLB_SUPERPAGE_WORDS];
};

static inline unsigned tlb_index(uint64_t va)
{
    return va / PAGE_BYTES % TLB_L1_ENTRIES;
}

/* Whoever fills a first-level entry says so. */
static inline void tlb_mark_used(struct tlb *t, enum tlb_context context, enum tlb_access access,
                                 unsigned index)
{
    t->used[context][access][index / 64] |= 1ull << index % 64;
}

/* The record beside a fast entry. */
static inline const struct tlb_record *tlb_record_of(const struct tlb *t,
                                                     const struct tlb_fast *entry)
{
    const struct tlb_fast *fast = t->fast[0][0];
    const struct tlb_record *records = t->records[0][0];
    return records + (entry - fast);
}

/* Empty; NULL when the host has no memory. */
struct tlb *tlb_create(void);
void tlb_destroy(struct tlb *t);
void tlb_state(struct tlb *t, struct state *s);

/* Second level: the translation of va's page for this asid, or NULL; valid until the next call.
 * A leaf of any size enters as the 4 KiB piece that was asked for. */
const struct translation *tlb_find(const struct tlb *t, uint64_t va, uint16_t asid);
void tlb_insert(struct tlb *t, const struct translation *translation, uint16_t asid);

/* First level, all or one context. */
void tlb_flush_l1(struct tlb *t);
void tlb_flush_l1_context(struct tlb *t, enum tlb_context context);
/* Both levels. The operands of sfence.vma (privileged manual, section "Supervisor Memory-Management
 * Fence Instruction"). */
void tlb_flush_all(struct tlb *t);
void tlb_flush_va(struct tlb *t, uint64_t va, bool any_asid, uint16_t asid);
void tlb_flush_asid(struct tlb *t, uint16_t asid);
/* Makes the next store to each physical page of [pa, pa + n) take the slow path. */
void tlb_poison_stores(struct tlb *t, uint64_t pa, uint64_t n);
/* Makes the next store to every page take the slow path. */
void tlb_poison_all_stores(struct tlb *t);
/* Makes every access take the slow path once; records stay. */
void tlb_poison_all(struct tlb *t);

#endif

/* The page-table walk, in the manual's order: privileged manual, section "Virtual Address
 * Translation Process" (its steps are named below), and the chapters Svnapot, Svpbmt, Svade and
 * Svadu.
 *
 * Invariant: a page-table entry is read and written as one 8-byte host atomic, so that another hart
 * never sees half of an update. */
#include "memory/walk.h"

#include <assert.h>

#define PTE_BYTES     8u
#define LEVEL_BITS    9u
#define PTE_PPN_SHIFT 10
#define PTE_PPN_BITS  44
#define PTE_RESERVED  (0x7full << 54)
#define PTE_PBMT      (3ull << 61)
#define PTE_N         (1ull << 63)

#define SATP_MODE_SHIFT 60
#define NAPOT_64K_BITS  4u /* the one size of Svnapot: 16 pages, ppn[3:0] = 1000 */

struct walker {
    const struct walk_request *request;
    uint64_t va;
    enum tlb_access access;
    bool user, sum, mxr;
    /* Where the walk stands. */
    unsigned level;
    uint64_t pte_gpa;
    uint64_t *pte_hva;
    struct region *region;
    uint8_t global; /* PTE_G of the levels above */
};

/* Step 2: where the entry of this level lies. It must be memory, and PMP must allow to read it. */
static bool find_pte(struct walker *w, uint64_t table)
{
    unsigned vpn_shift = 12 + LEVEL_BITS * w->level;
    w->pte_gpa = table + bits_get(w->va, vpn_shift, LEVEL_BITS) * PTE_BYTES;
    w->region = memory_find(w->request->memory, w->pte_gpa);
    if (!w->region || w->region->kind == REGION_DEVICE)
        return false;
    w->pte_hva = (uint64_t *)(void *)(w->region->hva + (w->pte_gpa - w->region->base));
    return w->request->pte_allowed(w->request->owner, w->pte_gpa, TLB_LOAD);
}

static uint64_t pte_ppn(uint64_t pte)
{
    return bits_get(pte, PTE_PPN_SHIFT, PTE_PPN_BITS);
}

static bool pte_is_leaf(uint64_t pte)
{
    return pte & (PTE_R | PTE_X);
}

/* A report keeps each entry that is read, and the reason of a fault. */
static void report_entry(struct walker *w, uint64_t pte)
{
    struct walk_report *r = w->request->report;
    if (r && r->count < WALK_LEVELS) {
        r->entries[r->count].gpa = w->pte_gpa;
        r->entries[r->count++].pte = pte;
    }
}

static enum walk_result fault(struct walker *w, enum walk_result result, const char *why)
{
    if (w->request->report)
        w->request->report->why = why;
    return result;
}

/* Step 3, and what the chapters Svpbmt and Svnapot reserve: what is wrong with the entry, or NULL.
 */
static const char *invalid_pte(const struct walker *w, uint64_t pte)
{
    if (!(pte & PTE_V))
        return "V is 0";
    if (!(pte & PTE_R) && pte & PTE_W)
        return "W without R is reserved";
    if (pte & PTE_RESERVED)
        return "reserved bits are set";
    if (!pte_is_leaf(pte)) /* a pointer has neither a memory type nor N, D, A or U */
        return pte & (PTE_PBMT | PTE_N | PTE_D | PTE_A | PTE_U)
                   ? "a pointer with PBMT, N, D, A or U is reserved"
                   : NULL;
    if (pte & PTE_PBMT && (!w->request->svpbmt || (pte & PTE_PBMT) == PTE_PBMT))
        return "this PBMT is reserved";
    if (pte & PTE_N && !w->request->svnapot)
        return "N is reserved without Svnapot";
    /* 64 KiB at the last level, all else is reserved. */
    if (pte & PTE_N && (w->level != 0 || bits_get(pte_ppn(pte), 0, NAPOT_64K_BITS) != 8))
        return "this use of N is reserved";
    return NULL;
}

/* Step 5: the page number of a superpage ends in zeros. */
static bool leaf_is_aligned(const struct walker *w, uint64_t pte)
{
    return w->level == 0 || bits_get(pte_ppn(pte), 0, LEVEL_BITS * w->level) == 0;
}

bool walk_permits(uint8_t pte, enum tlb_access access, bool user, bool sum, bool mxr)
{
    /* U pages are U-mode's alone; S-mode loads and stores there under SUM, and never executes. */
    if (user != !!(pte & PTE_U) && (user || access == TLB_FETCH || !sum))
        return false;
    switch (access) {
    case TLB_STORE:
        return pte & PTE_W;
    case TLB_FETCH:
        return pte & PTE_X;
    default:
        return pte & PTE_R || (mxr && pte & PTE_X);
    }
}

/* Whoever decoded code from this page or watches it must see that the entry changed. */
static void mark_pte_written(struct walker *w, uint64_t pte)
{
    uint8_t *mark = &w->region->marks[(w->pte_gpa - w->region->base) / PAGE_BYTES];
    bool has_code = *mark & PAGE_HAS_CODE;
    *mark |= PAGE_STORED;
    if (*mark & PAGE_WATCHED && !has_code)
        memory_note_watched(w->request->memory, w->pte_gpa, sizeof pte);
    if (has_code) {
        /* The same bytes again, through the door that tells the block cache. */
        bool written = dma_write(w->request->memory, w->pte_gpa, &pte, sizeof pte);
        assert(written && "a page-table entry that was updated lies in RAM");
    }
}

enum update { UPDATE_DONE, UPDATE_CHANGED_MEANWHILE, UPDATE_ACCESS_FAULT, UPDATE_PAGE_FAULT };

/* Step 7: A is set by every access, D by a store. Svade faults where a bit is missing; Svadu writes
 * it, if the entry is still what the walk has read. */
static enum update update_accessed_dirty(struct walker *w, uint64_t *pte)
{
    uint64_t wanted = *pte | PTE_A | (w->access == TLB_STORE ? PTE_D : 0);
    if (wanted == *pte)
        return UPDATE_DONE;
    if (!w->request->svadu)
        return UPDATE_PAGE_FAULT;
    if (w->request->report)
        return UPDATE_DONE;
    if (w->region->kind != REGION_RAM ||
        !w->request->pte_allowed(w->request->owner, w->pte_gpa, TLB_STORE))
        return UPDATE_ACCESS_FAULT;
    memory_before_write(w->request->memory, w->region, w->pte_gpa);
    if (!__atomic_compare_exchange_n(w->pte_hva, pte, wanted, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return UPDATE_CHANGED_MEANWHILE;
    *pte = wanted;
    mark_pte_written(w, wanted);
    return UPDATE_DONE;
}

/* Step 8: the low page-number bits of a superpage, or of a NAPOT range, come from the address. */
static struct translation leaf_translation(const struct walker *w, uint64_t pte)
{
    unsigned shift = 12 + (pte & PTE_N ? NAPOT_64K_BITS : LEVEL_BITS * w->level);
    uint64_t offset = (1ull << shift) - 1;
    return (struct translation){
        .va = w->va & PAGE_MASK,
        .pa = ((pte_ppn(pte) << 12 & ~offset) | (w->va & offset)) & PAGE_MASK,
        .pte = (uint8_t)pte | w->global,
        .page_shift = shift,
    };
}

/* Steps 5 to 8. WALK_OK with *again set: the entry changed under us, look at it anew. */
static enum walk_result use_leaf(struct walker *w, uint64_t pte, bool *again,
                                 struct translation *result)
{
    *again = false;
    if (!leaf_is_aligned(w, pte))
        return fault(w, WALK_PAGE_FAULT, "the superpage is misaligned");
    if (w->request->report) {
        w->request->report->has_leaf = true;
        w->request->report->leaf = leaf_translation(w, pte);
    }
    if (!walk_permits(pte, w->access, w->user, w->sum, w->mxr))
        return fault(w, WALK_PAGE_FAULT, "the access is not permitted");
    switch (update_accessed_dirty(w, &pte)) {
    case UPDATE_DONE:
        *result = leaf_translation(w, pte);
        return WALK_OK;
    case UPDATE_CHANGED_MEANWHILE:
        *again = true;
        return WALK_OK;
    case UPDATE_ACCESS_FAULT:
        return fault(w, WALK_ACCESS_FAULT, "A or D cannot be written here");
    default:
        return fault(w, WALK_PAGE_FAULT, "A or D is 0, and software sets them (Svade)");
    }
}

/* Without tables. */
static enum walk_result ask_for_leaf(struct walker *w, struct translation *result)
{
    struct translation leaf;
    if (!w->request->find_leaf(w->request->leaf_owner, w->va, &leaf))
        return fault(w, WALK_PAGE_FAULT, "nothing is mapped here");
    if (w->request->report) {
        w->request->report->has_leaf = true;
        w->request->report->leaf = leaf;
    }
    if (!walk_permits(leaf.pte, w->access, w->user, w->sum, w->mxr))
        return fault(w, WALK_PAGE_FAULT, "the access is not permitted");
    *result = leaf;
    return WALK_OK;
}

enum walk_result walk(const struct walk_request *request, uint64_t va, enum tlb_access access,
                      bool user, bool sum, bool mxr, struct translation *result)
{
    struct walker w = {
        .request = request, .va = va, .access = access, .user = user, .sum = sum, .mxr = mxr};
    if (request->find_leaf)
        return ask_for_leaf(&w, result);
    /* MODE 8, 9, 10: 3, 4, 5 levels. */
    unsigned levels = (request->satp >> SATP_MODE_SHIFT) - 5;
    unsigned va_bits = 12 + LEVEL_BITS * levels;
    /* The bits above the translated ones must equal the highest of them. */
    if ((uint64_t)sign_extend(va, va_bits) != va)
        return fault(&w, WALK_PAGE_FAULT, "the address is not canonical in this mode");
    uint64_t table = bits_get(request->satp, 0, PTE_PPN_BITS) * PAGE_BYTES;
    w.level = levels - 1;
    for (;;) {
        if (!find_pte(&w, table))
            return fault(&w, WALK_ACCESS_FAULT, "the table is not in memory, or PMP denies it");
        uint64_t pte = __atomic_load_n(w.pte_hva, __ATOMIC_ACQUIRE);
        report_entry(&w, pte);
        const char *invalid = invalid_pte(&w, pte);
        if (invalid)
            return fault(&w, WALK_PAGE_FAULT, invalid);
        if (pte_is_leaf(pte)) {
            bool again;
            enum walk_result answer = use_leaf(&w, pte, &again, result);
            if (!again)
                return answer;
            continue;
        }
        /* Step 4: a pointer to the next level. */
        if (w.level == 0)
            return fault(&w, WALK_PAGE_FAULT, "a pointer at the last level");
        w.global |= pte & PTE_G;
        w.level--;
        table = pte_ppn(pte) * PAGE_BYTES;
    }
}

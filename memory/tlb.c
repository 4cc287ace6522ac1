/* The two levels of the TLB: filling, finding, flushing, poisoning; see tlb.h.
 *
 * Invariants:
 *  - An array whose `used` flag is false holds no record and no fast tag.
 *  - A second-level entry lies at l2_index of its page and ASID: in the lower half of the address
 *    space, where processes live at equal addresses, the ASID spreads them over 16 places; in the
 *    upper half, the kernel's, it has no say, so that a flush of an address for all ASIDs looks at
 *    one entry there, and at 16 below.
 *  - Every piece of a superpage in either level lies inside `superpages` of its half. */
#include "memory/tlb.h"

#include <stdlib.h>

#define ASID_PLACES  16u
#define ASID_STRIDE  (TLB_L2_ENTRIES / ASID_PLACES)
#define PA_BITS      56
#define LAST_CONTEXT TLB_U

static const struct tlb_range no_addresses = {~0ull, 0};

static unsigned half_of(uint64_t va)
{
    return va >> 63;
}

static unsigned l2_index(uint64_t va, uint16_t asid)
{
    uint64_t vpn = va / PAGE_BYTES;
    if (half_of(va) == 0)
        vpn ^= asid % ASID_PLACES * ASID_STRIDE;
    return vpn % TLB_L2_ENTRIES;
}

static bool is_valid(const struct tlb *t, const struct tlb_l2 *e)
{
    return e->generation == t->generation;
}

static void empty_array(struct tlb *t, unsigned context, unsigned access)
{
    for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
        t->fast[context][access][i].tag = TLB_NO_TAG;
    for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
        t->records[context][access][i].va = TLB_NO_TAG;
    t->used[context][access] = false;
}

static void empty_l2(struct tlb *t)
{
    t->superpages[0] = t->superpages[1] = no_addresses;
    if (++t->generation != 0)
        return;
    /* Wrapped after 2^32 flushes: entries of old generations would come alive. */
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++)
        t->l2[i].generation = 0;
    t->generation = 1;
}

struct tlb *tlb_create(void)
{
    struct tlb *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            empty_array(t, context, access);
    empty_l2(t);
    return t;
}

void tlb_destroy(struct tlb *t)
{
    free(t);
}

/* --- second level ------------------------------------------------------------------------ */

const struct translation *tlb_find(const struct tlb *t, uint64_t va, uint16_t asid)
{
    const struct tlb_l2 *e = &t->l2[l2_index(va, asid)];
    bool hit =
        is_valid(t, e) && e->t.va == (va & PAGE_MASK) && (e->asid == asid || e->t.pte & PTE_G);
    return hit ? &e->t : NULL;
}

void tlb_insert(struct tlb *t, const struct translation *translation, uint16_t asid)
{
    t->l2[l2_index(translation->va, asid)] = (struct tlb_l2){*translation, asid, t->generation};
    if (translation->page_shift == 12)
        return;
    uint64_t offset = (1ull << translation->page_shift) - 1;
    struct tlb_range *around = &t->superpages[half_of(translation->va)];
    around->first = min_u64(around->first, translation->va & ~offset);
    around->last = max_u64(around->last, translation->va | offset);
}

/* --- flushing ---------------------------------------------------------------------------- */

void tlb_flush_l1_context(struct tlb *t, enum tlb_context context)
{
    for (unsigned access = 0; access < TLB_ACCESSES; access++)
        if (t->used[context][access])
            empty_array(t, context, access);
}

void tlb_flush_l1(struct tlb *t)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        tlb_flush_l1_context(t, context);
}

/* M-mode's addresses are physical: fences do not concern its entries. */
static void flush_l1_translated(struct tlb *t)
{
    for (unsigned context = TLB_S; context <= LAST_CONTEXT; context++)
        tlb_flush_l1_context(t, context);
}

static void flush_l1_page(struct tlb *t, uint64_t page)
{
    unsigned i = tlb_index(page);
    for (unsigned context = TLB_S; context <= LAST_CONTEXT; context++) {
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            struct tlb_record *r = &t->records[context][access][i];
            if (r->va != page)
                continue;
            r->va = TLB_NO_TAG;
            t->fast[context][access][i].tag = TLB_NO_TAG;
        }
    }
}

void tlb_flush_all(struct tlb *t)
{
    tlb_flush_l1(t);
    empty_l2(t);
}

/* A fence with an ASID does not concern global mappings. */
static bool asid_matches(const struct tlb_l2 *e, bool any_asid, uint16_t asid)
{
    return any_asid || (e->asid == asid && !(e->t.pte & PTE_G));
}

static void drop_l2_page(struct tlb *t, uint64_t page, uint16_t place, bool any_asid, uint16_t asid)
{
    struct tlb_l2 *e = &t->l2[l2_index(page, place)];
    if (e->t.va == page && asid_matches(e, any_asid, asid))
        e->generation = 0;
}

/* All pieces of whatever leaf holds the address. */
static void drop_l2_leaf(struct tlb *t, uint64_t va, bool any_asid, uint16_t asid)
{
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++) {
        struct tlb_l2 *e = &t->l2[i];
        if (is_valid(t, e) && (e->t.va ^ va) >> e->t.page_shift == 0 &&
            asid_matches(e, any_asid, asid))
            e->generation = 0;
    }
}

void tlb_flush_va(struct tlb *t, uint64_t va, bool any_asid, uint16_t asid)
{
    uint64_t page = va & PAGE_MASK;
    const struct tlb_range *around = &t->superpages[half_of(va)];
    if (va >= around->first && va <= around->last) {
        /* Records do not know their leaf's size: all of them go. */
        flush_l1_translated(t);
        drop_l2_leaf(t, va, any_asid, asid);
        return;
    }
    flush_l1_page(t, page);
    if (!any_asid || half_of(va) == 1) {
        drop_l2_page(t, page, asid, any_asid, asid);
        return;
    }
    for (unsigned place = 0; place < ASID_PLACES; place++)
        drop_l2_page(t, page, place, true, 0);
}

void tlb_flush_asid(struct tlb *t, uint16_t asid)
{
    flush_l1_translated(t);
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++)
        if (asid_matches(&t->l2[i], false, asid))
            t->l2[i].generation = 0;
}

/* --- poisoning --------------------------------------------------------------------------- */

void tlb_poison_stores(struct tlb *t, uint64_t pa)
{
    uint64_t page = pa & PAGE_MASK;
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        if (!t->used[context][TLB_STORE])
            continue;
        for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
            if (t->records[context][TLB_STORE][i].pa == page)
                t->fast[context][TLB_STORE][i].tag = TLB_NO_TAG;
    }
}

void tlb_poison_all(struct tlb *t)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            for (unsigned i = 0; t->used[context][access] && i < TLB_L1_ENTRIES; i++)
                t->fast[context][access][i].tag = TLB_NO_TAG;
}

/* --- state ------------------------------------------------------------------------------- */

static bool is_page(uint64_t address)
{
    return (address & ~PAGE_MASK) == 0;
}

/* Returns whether there is a record. Its physical page need not exist: with translation off a guest
 * can name any, and the slow path looks before it touches. */
static bool record_state(struct tlb_record *r, unsigned index, struct state *s)
{
    bool present = r->va != TLB_NO_TAG;
    state_bool(s, &present);
    if (!present) {
        r->va = TLB_NO_TAG;
        return false;
    }
    state_u64(s, &r->va);
    state_u64(s, &r->pa);
    state_bool(s, &r->split);
    bool well_formed = is_page(r->va) && is_page(r->pa) && tlb_index(r->va) == index;
    if (state_loading(s) && !well_formed)
        state_fail(s, "TLB record %u is malformed", index);
    return true;
}

static bool l2_is_well_formed(const struct tlb_l2 *e, unsigned index)
{
    static const uint64_t shifts =
        1ull << 12 | 1ull << 16 | 1ull << 21 | 1ull << 30 | 1ull << 39 | 1ull << 48;
    return is_page(e->t.va) && is_page(e->t.pa) && e->t.pa >> PA_BITS == 0 &&
           e->t.page_shift < 64 && shifts >> e->t.page_shift & 1 &&
           l2_index(e->t.va, e->asid) == index;
}

static void l2_state(struct tlb *t, unsigned index, struct state *s)
{
    struct tlb_l2 *e = &t->l2[index];
    bool valid = is_valid(t, e);
    state_bool(s, &valid);
    if (!valid) {
        e->generation = 0;
        return;
    }
    state_u64(s, &e->t.va);
    state_u64(s, &e->t.pa);
    state_u8(s, &e->t.pte);
    state_u8(s, &e->t.page_shift);
    state_u16(s, &e->asid);
    e->generation = t->generation;
    if (state_loading(s) && !l2_is_well_formed(e, index))
        state_fail(s, "second-level TLB entry %u is malformed", index);
}

void tlb_state(struct tlb *t, struct state *s)
{
    state_section(s, "tlb", 1);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            bool any = false;
            for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
                any |= record_state(&t->records[context][access][i], i, s);
            t->used[context][access] |= any;
        }
    }
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++)
        l2_state(t, i, s);
    for (unsigned half = 0; half < 2; half++) {
        state_u64(s, &t->superpages[half].first);
        state_u64(s, &t->superpages[half].last);
    }
    if (state_loading(s))
        tlb_poison_all(t);
}

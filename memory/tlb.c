/* The two levels of the TLB: filling, finding, flushing, poisoning; see tlb.h.
 *
 * Invariants:
 *  - A first-level entry whose `used` bit is clear holds no record and no fast tag.
 *  - A second-level entry lies at l2_index of its page and ASID: in the lower half of the address
 *    space, where processes live at equal addresses, the ASID spreads them over 16 places; in the
 *    upper half, the kernel's, it has no say, so that a flush of an address for all ASIDs looks at
 *    one entry there, and at 16 below.
 *  - Every superpage with a piece in either level is in `superpages` of its half.
 *
 * No flush looks at the whole second level: what it covers becomes too old. It may cover more than
 * it must (the ASIDs of a group, all superpages of a half), which the architecture allows. */
#include "memory/tlb.h"

#include <stdlib.h>

#define ASID_PLACES  16u
#define ASID_STRIDE  (TLB_L2_ENTRIES / ASID_PLACES)
#define PA_BITS      56
#define LAST_CONTEXT TLB_U

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
    if (e->generation < t->oldest)
        return false;
    if (!(e->t.pte & PTE_G) && e->generation < t->oldest_of_asid[e->asid % TLB_ASID_GROUPS])
        return false;
    return e->t.page_shift == 12 || e->generation >= t->oldest_piece[half_of(e->t.va)];
}

static void empty_array(struct tlb *t, unsigned context, unsigned access)
{
    uint64_t *used = t->used[context][access];
    for (unsigned word = 0; word < TLB_L1_ENTRIES / 64; word++) {
        for (uint64_t bits = used[word]; bits; bits &= bits - 1) {
            unsigned i = word * 64 + (unsigned)__builtin_ctzll(bits);
            t->fast[context][access][i].tag = TLB_NO_TAG;
            t->records[context][access][i].va = TLB_NO_TAG;
        }
        used[word] = 0;
    }
}

/* Before the generations wrap: those of valid entries become 1, all bounds fit them. */
static void renumber(struct tlb *t)
{
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++)
        t->l2[i].generation = is_valid(t, &t->l2[i]);
    memset(t->oldest_of_asid, 0, sizeof t->oldest_of_asid);
    memset(t->oldest_piece, 0, sizeof t->oldest_piece);
    t->generation = t->oldest = 1;
}

/* Sets the bound of what is to go behind all that is there. */
static void age(struct tlb *t, uint32_t *oldest)
{
    if (t->generation == UINT32_MAX)
        renumber(t);
    *oldest = ++t->generation;
}

static void empty_l2(struct tlb *t)
{
    memset(t->superpages, 0, sizeof t->superpages);
    age(t, &t->oldest);
}

struct tlb *tlb_create(void)
{
    struct tlb *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
                t->fast[context][access][i].tag = t->records[context][access][i].va = TLB_NO_TAG;
    empty_l2(t);
    return t;
}

void tlb_destroy(struct tlb *t)
{
    free(t);
}

/* --- superpages -------------------------------------------------------------------------- */

/* The bit of a superpage in the set of its half and size. */
static uint64_t *superpage_word(struct tlb *t, uint64_t va, unsigned size, uint64_t *bit)
{
    static const uint8_t shifts[TLB_SUPERPAGE_SIZES] = {16, 21, 30, 39, 48};
    uint64_t hash = (va >> shifts[size]) * 0x9e3779b97f4a7c15ull >> 56;
    *bit = 1ull << hash % 64;
    return &t->superpages[half_of(va)][size][hash / 64];
}

static unsigned superpage_size(uint8_t page_shift)
{
    return page_shift == 16 ? 0 : 1 + (page_shift - 21u) / 9;
}

static bool may_be_in_superpage(struct tlb *t, uint64_t va)
{
    bool found = false;
    for (unsigned size = 0; size < TLB_SUPERPAGE_SIZES; size++) {
        uint64_t bit, word = *superpage_word(t, va, size, &bit);
        found |= word & bit;
    }
    return found;
}

/* --- second level ------------------------------------------------------------------------ */

const struct translation *tlb_find(const struct tlb *t, uint64_t va, uint16_t asid)
{
    const struct tlb_l2 *e = &t->l2[l2_index(va, asid)];
    bool hit =
        e->t.va == (va & PAGE_MASK) && (e->asid == asid || e->t.pte & PTE_G) && is_valid(t, e);
    return hit ? &e->t : NULL;
}

void tlb_insert(struct tlb *t, const struct translation *translation, uint16_t asid)
{
    t->l2[l2_index(translation->va, asid)] = (struct tlb_l2){*translation, asid, t->generation};
    if (translation->page_shift == 12)
        return;
    uint64_t bit;
    uint64_t *word =
        superpage_word(t, translation->va, superpage_size(translation->page_shift), &bit);
    *word |= bit;
}

/* --- flushing ---------------------------------------------------------------------------- */

void tlb_flush_l1_context(struct tlb *t, enum tlb_context context)
{
    for (unsigned access = 0; access < TLB_ACCESSES; access++)
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

void tlb_flush_va(struct tlb *t, uint64_t va, bool any_asid, uint16_t asid)
{
    uint64_t page = va & PAGE_MASK;
    unsigned half = half_of(va);
    if (may_be_in_superpage(t, va)) {
        /* Records do not know their leaf's size: all of them go, and all pieces. */
        flush_l1_translated(t);
        memset(t->superpages[half], 0, sizeof t->superpages[half]);
        age(t, &t->oldest_piece[half]);
    }
    flush_l1_page(t, page);
    if (!any_asid || half == 1) {
        drop_l2_page(t, page, asid, any_asid, asid);
        return;
    }
    for (unsigned place = 0; place < ASID_PLACES; place++)
        drop_l2_page(t, page, place, true, 0);
}

void tlb_flush_asid(struct tlb *t, uint16_t asid)
{
    flush_l1_translated(t);
    age(t, &t->oldest_of_asid[asid % TLB_ASID_GROUPS]);
}

/* --- poisoning --------------------------------------------------------------------------- */

void tlb_poison_stores(struct tlb *t, uint64_t pa, uint64_t n)
{
    uint64_t first = pa & PAGE_MASK, last = (pa + n - 1) & PAGE_MASK;
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        for (unsigned word = 0; word < TLB_L1_ENTRIES / 64; word++) {
            uint64_t bits = t->used[context][TLB_STORE][word];
            for (; bits; bits &= bits - 1) {
                unsigned i = word * 64 + (unsigned)__builtin_ctzll(bits);
                if (t->records[context][TLB_STORE][i].pa - first <= last - first)
                    t->fast[context][TLB_STORE][i].tag = TLB_NO_TAG;
            }
        }
    }
}

static void poison(struct tlb *t, unsigned context, unsigned access)
{
    for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
        t->fast[context][access][i].tag = TLB_NO_TAG;
}

void tlb_poison_all_stores(struct tlb *t)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        poison(t, context, TLB_STORE);
}

void tlb_poison_all(struct tlb *t)
{
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        for (unsigned access = 0; access < TLB_ACCESSES; access++)
            poison(t, context, access);
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
    state_section(s, "tlb", 3);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        for (unsigned access = 0; access < TLB_ACCESSES; access++) {
            for (unsigned i = 0; i < TLB_L1_ENTRIES; i++)
                if (record_state(&t->records[context][access][i], i, s))
                    tlb_mark_used(t, context, access, i);
        }
    }
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++)
        l2_state(t, i, s);
    state_u64s(s, t->superpages[0][0], sizeof t->superpages / sizeof(uint64_t));
    if (state_loading(s))
        tlb_poison_all(t);
}

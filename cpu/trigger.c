/* Triggers. Choices where the manual leaves one:
 *  - Each of the four can be of any type that is here: mcontrol6, icount, itrigger, etrigger.
 *  - The only action is a breakpoint exception. A handler is not disturbed by its own triggers in
 *    the first of the manual's ways (section "Native Triggers"): none matches in M-mode while MIE
 *    is 0, and where breakpoints are delegated in S-mode while SIE is 0. So there is no tcontrol.
 *  - There are no contexts, no chains, no data compare, and no matching of bytes (match 4 to 15).
 */
#include "cpu/trigger.h"

#define TYPE_SHIFT 60
enum { TYPE_ICOUNT = 3, TYPE_ITRIGGER = 4, TYPE_ETRIGGER = 5, TYPE_MCONTROL6 = 6, TYPE_NONE = 15 };

/* mcontrol6 */
#define MC6_ACCESSES 7ull
#define MC6_U        (1ull << 3)
#define MC6_S        (1ull << 4)
#define MC6_M        (1ull << 6)
#define MC6_MATCH    (15ull << 7)
#define MC6_SIZE     (7ull << 16)
#define MC6_HIT0     (1ull << 22)
#define MC6_HIT1     (1ull << 25)
enum { MATCH_EQUAL, MATCH_NAPOT, MATCH_GE, MATCH_LT, MATCHES };

/* icount, itrigger, etrigger */
#define COUNT_U       (1ull << 6)
#define COUNT_S       (1ull << 7)
#define COUNT_PENDING (1ull << 8)
#define COUNT_M       (1ull << 9)
#define COUNT_SHIFT   10
#define COUNT_COUNT   (0x3fffull << COUNT_SHIFT)
#define COUNT_HIT     (1ull << 24)
#define TRAP_HIT      (1ull << 58)

static unsigned type_of(uint64_t tdata1)
{
    return (unsigned)(tdata1 >> TYPE_SHIFT);
}

/* The mode bits of a trigger as bits by privilege. */
static unsigned modes_of(uint64_t t)
{
    bool mc6 = type_of(t) == TYPE_MCONTROL6;
    return (t & (mc6 ? MC6_U : COUNT_U) ? 1u << PRIV_U : 0) |
           (t & (mc6 ? MC6_S : COUNT_S) ? 1u << PRIV_S : 0) |
           (t & (mc6 ? MC6_M : COUNT_M) ? 1u << PRIV_M : 0);
}

/* --- registers --------------------------------------------------------------------------- */

static uint64_t legal_mcontrol6(uint64_t value)
{
    uint64_t legal = value & (MC6_ACCESSES | MC6_U | MC6_S | MC6_M | MC6_HIT0 | MC6_HIT1);
    uint64_t match = (value & MC6_MATCH) / (MC6_MATCH & -MC6_MATCH);
    uint64_t size = (value & MC6_SIZE) / (MC6_SIZE & -MC6_SIZE);
    bool known_size = size == 1 || size == 2 || size == 3 || size == 5;
    if (match < MATCHES)
        legal |= value & MC6_MATCH;
    if (known_size && !(value & TRIGGER_EXECUTE)) /* the length of instructions is not compared */
        legal |= value & MC6_SIZE;
    return legal;
}

static uint64_t legal_tdata1(uint64_t value)
{
    const uint64_t type = (uint64_t)type_of(value) << TYPE_SHIFT;
    const uint64_t modes = COUNT_U | COUNT_S | COUNT_M;
    switch (type_of(value)) {
    case TYPE_MCONTROL6:
        return type | legal_mcontrol6(value);
    case TYPE_ICOUNT:
        return type | (value & (modes | COUNT_PENDING | COUNT_COUNT | COUNT_HIT));
    case TYPE_ITRIGGER:
    case TYPE_ETRIGGER:
        return type | (value & (modes | TRAP_HIT));
    default:
        return (uint64_t)TYPE_NONE << TYPE_SHIFT;
    }
}

uint64_t trigger_read_tinfo(void)
{
    return 1ull << 24 | 1u << TYPE_ICOUNT | 1u << TYPE_ITRIGGER | 1u << TYPE_ETRIGGER |
           1u << TYPE_MCONTROL6 | 1u << TYPE_NONE;
}

void trigger_select(struct hart *h, uint64_t index)
{
    if (index < TRIGGERS)
        h->csr.tselect = index;
}

/* What can fire in some mode, as bits of enum trigger_on. */
static unsigned uses_of(uint64_t t)
{
    if (!modes_of(t))
        return 0;
    switch (type_of(t)) {
    case TYPE_MCONTROL6:
        return (t & TRIGGER_EXECUTE ? TRIGGERS_STEP : 0) |
               (t & (TRIGGER_LOAD | TRIGGER_STORE) ? TRIGGERS_DATA : 0);
    case TYPE_ICOUNT:
        return t & (COUNT_COUNT | COUNT_PENDING) ? TRIGGERS_STEP : 0;
    case TYPE_ITRIGGER:
    case TYPE_ETRIGGER:
        return TRIGGERS_TRAP;
    default:
        return 0;
    }
}

void trigger_update(struct hart *h)
{
    unsigned on = h->csr.trap_trigger_fires ? TRIGGERS_STEP : 0;
    for (unsigned i = 0; i < TRIGGERS; i++)
        on |= uses_of(h->csr.tdata1[i]);
    h->triggers_on = on;
}

/* Pages that are watched now must lose their fast tags. */
static void changed(struct hart *h)
{
    bool data = h->triggers_on & TRIGGERS_DATA;
    trigger_update(h);
    if (data || h->triggers_on & TRIGGERS_DATA)
        hart_flush_tlb(h);
    hart_leave(h);
}

void trigger_write_tdata1(struct hart *h, uint64_t value)
{
    h->csr.tdata1[h->csr.tselect] = legal_tdata1(value);
    changed(h);
}

void trigger_write_tdata2(struct hart *h, uint64_t value)
{
    h->csr.tdata2[h->csr.tselect] = value;
    changed(h);
}

void trigger_reset(struct hart *h)
{
    for (unsigned i = 0; i < TRIGGERS; i++)
        h->csr.tdata1[i] = legal_tdata1(0);
    trigger_update(h);
}

bool trigger_is_legal(const struct hart *h)
{
    if (h->csr.tselect >= TRIGGERS)
        return false;
    for (unsigned i = 0; i < TRIGGERS; i++)
        if (h->csr.tdata1[i] != legal_tdata1(h->csr.tdata1[i]))
            return false;
    return true;
}

/* --- firing ------------------------------------------------------------------------------ */

/* Section "Native Triggers". */
static bool may_match(const struct hart *h)
{
    if (h->priv == PRIV_M)
        return h->csr.mstatus & MSTATUS_MIE;
    bool delegated = h->csr.medeleg >> CAUSE_BREAKPOINT & 1;
    return h->priv != PRIV_S || !delegated || h->csr.mstatus & MSTATUS_SIE;
}

static bool enabled_in(uint64_t t, unsigned priv)
{
    return modes_of(t) >> priv & 1;
}

static bool size_matches(uint64_t t, uint64_t size)
{
    switch ((t & MC6_SIZE) / (MC6_SIZE & -MC6_SIZE)) {
    case 0:
        return true;
    case 5:
        return size == 8;
    case 3:
        return size == 4;
    default:
        return size == (t & MC6_SIZE) / (MC6_SIZE & -MC6_SIZE);
    }
}

/* Whether an access to [va, va + size) matches. Each of its bytes is compared for being equal, its
 * first one for being below or above. */
static bool address_matches(uint64_t t, uint64_t tdata2, uint64_t va, uint64_t size)
{
    uint64_t napot = (tdata2 ^ (tdata2 + 1)) + 1; /* bytes; 0: all */
    switch ((t & MC6_MATCH) / (MC6_MATCH & -MC6_MATCH)) {
    case MATCH_EQUAL:
        return tdata2 - va < size;
    case MATCH_NAPOT:
        return (tdata2 & -napot) - va < size || ((va ^ tdata2) & -napot) == 0;
    case MATCH_GE:
        return va >= tdata2;
    default:
        return va < tdata2;
    }
}

static bool mcontrol6_fires(struct hart *h, uint64_t va, uint64_t size, unsigned accesses,
                            unsigned priv)
{
    bool fires = false;
    for (unsigned i = 0; i < TRIGGERS; i++) {
        uint64_t *t = &h->csr.tdata1[i];
        if (type_of(*t) != TYPE_MCONTROL6 || !(*t & accesses) || !enabled_in(*t, priv) ||
            !size_matches(*t, size) || !address_matches(*t, h->csr.tdata2[i], va, size))
            continue;
        *t = (*t & ~MC6_HIT1) | MC6_HIT0; /* before the instruction */
        fires = true;
    }
    return fires;
}

/* An icount trigger that has counted down. */
static bool icount_fires(struct hart *h)
{
    bool fires = false;
    for (unsigned i = 0; i < TRIGGERS; i++) {
        uint64_t *t = &h->csr.tdata1[i];
        if (type_of(*t) != TYPE_ICOUNT || !(*t & COUNT_PENDING) || !enabled_in(*t, h->priv))
            continue;
        *t = (*t & ~COUNT_PENDING) | COUNT_HIT;
        fires = true;
    }
    return fires;
}

bool trigger_fires(struct hart *h)
{
    bool trap = h->csr.trap_trigger_fires && may_match(h);
    h->csr.trap_trigger_fires = false;
    bool counted = may_match(h) && icount_fires(h);
    bool here = may_match(h) && mcontrol6_fires(h, h->pc, 1, TRIGGER_EXECUTE, h->priv);
    trigger_update(h);
    if (trap || counted || here)
        hart_raise(h, CAUSE_BREAKPOINT, here ? h->pc : 0);
    return trap || counted || here;
}

unsigned trigger_counting(const struct hart *h)
{
    unsigned counting = 0;
    for (unsigned i = 0; i < TRIGGERS; i++) {
        uint64_t t = h->csr.tdata1[i];
        bool counts = type_of(t) == TYPE_ICOUNT && t & COUNT_COUNT && enabled_in(t, h->priv);
        counting |= counts && may_match(h) ? 1u << i : 0;
    }
    return counting;
}

void trigger_count_step(struct hart *h, unsigned counting)
{
    for (; counting; counting &= counting - 1) {
        uint64_t *t = &h->csr.tdata1[__builtin_ctz(counting)];
        if (type_of(*t) != TYPE_ICOUNT || !(*t & COUNT_COUNT)) /* just rewritten */
            continue;
        *t -= 1ull << COUNT_SHIFT;
        if (!(*t & COUNT_COUNT))
            *t |= COUNT_PENDING;
    }
    trigger_update(h);
}

void trigger_note_trap(struct hart *h, uint64_t cause, unsigned from)
{
    const bool interrupt = cause & CAUSE_INTERRUPT;
    for (unsigned i = 0; i < TRIGGERS; i++) {
        uint64_t *t = &h->csr.tdata1[i];
        if (type_of(*t) != (interrupt ? TYPE_ITRIGGER : TYPE_ETRIGGER) || !enabled_in(*t, from) ||
            !(h->csr.tdata2[i] >> cause % 64 & 1) || !may_match(h))
            continue;
        *t |= TRAP_HIT;
        h->csr.trap_trigger_fires = true;
    }
    trigger_update(h);
}

bool trigger_watches_page(const struct hart *h, uint64_t page_va)
{
    for (unsigned i = 0; i < TRIGGERS; i++) {
        uint64_t t = h->csr.tdata1[i];
        bool equal = !(t & MC6_MATCH);
        if (uses_of(t) & TRIGGERS_DATA && (!equal || (h->csr.tdata2[i] & PAGE_MASK) == page_va))
            return true;
    }
    return false;
}

bool trigger_permits(struct hart *h, uint64_t va, uint64_t size, unsigned accesses)
{
    if (LIKELY(!(h->triggers_on & TRIGGERS_DATA)) || !may_match(h) ||
        !mcontrol6_fires(h, va, size, accesses, hart_data_priv(h)))
        return true;
    return hart_raise(h, CAUSE_BREAKPOINT, va);
}

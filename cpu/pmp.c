/* Physical memory protection: privileged manual, section "Physical Memory Protection" and chapter
 * "Smepmp". 16 entries, granularity 4 bytes (G = 0).
 *
 * Invariants: without mseccfg.MML no entry holds the reserved combination R=0 W=1, addresses have
 * 54 bits. */
#include "cpu/hart.h"

#define PMP_R        0x01u
#define PMP_W        0x02u
#define PMP_X        0x04u
#define PMP_A        0x18u
#define PMP_A_TOR    0x08u
#define PMP_A_NA4    0x10u
#define PMP_A_NAPOT  0x18u
#define PMP_L        0x80u
#define PMP_WRITABLE (PMP_L | PMP_A | PMP_X | PMP_W | PMP_R)

#define PMPADDR_MASK ((1ull << 54) - 1)

/* Bytes [start, end) of guest-physical memory. */
struct range {
    uint64_t start, end;
};

/* What entry i covers; empty (end <= start) when it is off, or TOR with its bounds crossed. */
static struct range entry_range(const struct hart *h, unsigned i)
{
    uint64_t addr = h->csr.pmpaddr[i];
    switch (h->csr.pmpcfg[i] & PMP_A) {
    case PMP_A_TOR:
        return (struct range){i ? h->csr.pmpaddr[i - 1] << 2 : 0, addr << 2};
    case PMP_A_NA4:
        return (struct range){addr << 2, (addr << 2) + 4};
    case PMP_A_NAPOT: {
        uint64_t low_ones = addr ^ (addr + 1); /* the trailing ones and the 0 above them */
        uint64_t start = (addr & ~low_ones) << 2;
        return (struct range){start, start + ((low_ones + 1) << 2)};
    }
    default:
        return (struct range){0, 0};
    }
}

static bool overlaps(struct range a, struct range b)
{
    return a.start < b.end && b.start < a.end;
}

static bool covers(struct range outer, struct range inner)
{
    return outer.start <= inner.start && inner.end <= outer.end;
}

#define PMP_RW  (PMP_R | PMP_W)
#define PMP_RX  (PMP_R | PMP_X)
#define PMP_RWX (PMP_R | PMP_W | PMP_X)

/* What an entry grants under mseccfg.MML, by L X W R: in M-mode, and below it (the table in chapter
 * "Smepmp"). W without R is a region that both share. */
static const struct {
    uint8_t m, below;
} mml_rights[16] = {
    {0, 0},     {0, PMP_R},  {PMP_RW, PMP_R},  {0, PMP_RW}, /* 0: */
    {0, PMP_X}, {0, PMP_RX}, {PMP_RW, PMP_RW}, {0, PMP_RWX},
    {0, 0},     {PMP_R, 0},  {PMP_X, PMP_X},   {PMP_RW, 0}, /* locked */
    {PMP_X, 0}, {PMP_RX, 0}, {PMP_RX, PMP_X},  {PMP_R, PMP_R},
};

static unsigned mml_index(uint8_t cfg)
{
    return (cfg & PMP_L ? 8 : 0) | (cfg & PMP_RWX);
}

/* Without MML M-mode is bound by locked entries alone. */
static unsigned rights_of(const struct hart *h, uint8_t cfg, unsigned priv)
{
    if (h->csr.mseccfg & MSECCFG_MML)
        return priv == PRIV_M ? mml_rights[mml_index(cfg)].m : mml_rights[mml_index(cfg)].below;
    return priv == PRIV_M && !(cfg & PMP_L) ? PMP_RWX : cfg & PMP_RWX;
}

/* Without a match M-mode may do all, S and U nothing; MMWP denies M-mode too, and MML denies it to
 * execute. */
static unsigned rights_elsewhere(const struct hart *h, unsigned priv)
{
    if (priv != PRIV_M || h->csr.mseccfg & MSECCFG_MMWP)
        return 0;
    return h->csr.mseccfg & MSECCFG_MML ? PMP_RW : PMP_RWX;
}

/* The lowest entry that matches any byte decides, and it must match all of them. */
enum pmp_result pmp_check(const struct hart *h, uint64_t gpa, unsigned size, unsigned access,
                          unsigned priv, bool *whole_page)
{
    static const uint8_t needs[TLB_ACCESSES] = {
        [TLB_LOAD] = PMP_R, [TLB_STORE] = PMP_W, [TLB_FETCH] = PMP_X};
    struct range bytes = {gpa, gpa + size};
    struct range page = {gpa & PAGE_MASK, (gpa & PAGE_MASK) + PAGE_BYTES};
    *whole_page = true;
    for (unsigned i = 0; i < PMP_ENTRIES; i++) {
        uint8_t cfg = h->csr.pmpcfg[i];
        struct range entry = entry_range(h, i);
        if (!overlaps(entry, page))
            continue;
        if (!covers(entry, page))
            *whole_page = false;
        if (overlaps(entry, bytes)) {
            unsigned rights = covers(entry, bytes) ? rights_of(h, cfg, priv) : 0;
            return rights & needs[access] ? PMP_ALLOWED : PMP_DENIED;
        }
    }
    return rights_elsewhere(h, priv) & needs[access] ? PMP_ALLOWED : PMP_DENIED;
}

uint64_t pmp_read_cfg(const struct hart *h, unsigned reg)
{
    uint64_t value;
    memcpy(&value, &h->csr.pmpcfg[reg * 4], sizeof value);
    return value;
}

/* R=0 W=1 is reserved without MML: W is cleared, which never grants more than was asked. */
static uint8_t legal_cfg(const struct hart *h, uint8_t cfg)
{
    cfg &= PMP_WRITABLE;
    return cfg & PMP_R || h->csr.mseccfg & MSECCFG_MML ? cfg : cfg & ~PMP_W;
}

static bool is_locked(const struct hart *h, uint8_t cfg)
{
    return cfg & PMP_L && !(h->csr.mseccfg & MSECCFG_RLB);
}

bool pmp_any_locked(const struct hart *h)
{
    for (unsigned i = 0; i < PMP_ENTRIES; i++)
        if (h->csr.pmpcfg[i] & PMP_L)
            return true;
    return false;
}

/* Under MML no rule that lets M-mode execute can be added, unless RLB lifts that. */
static bool adds_execution(const struct hart *h, uint8_t cfg)
{
    bool guarded = h->csr.mseccfg & MSECCFG_MML && !(h->csr.mseccfg & MSECCFG_RLB);
    return guarded && mml_rights[mml_index(cfg)].m & PMP_X;
}

/* The next fetch, too, must ask again. */
static void pmp_changed(struct hart *h)
{
    h->page_valid = false;
    hart_flush_tlb(h);
    hart_leave(h);
}

void pmp_write_cfg(struct hart *h, unsigned reg, uint64_t value)
{
    for (unsigned byte = 0; byte < 8; byte++) {
        uint8_t *cfg = &h->csr.pmpcfg[reg * 4 + byte];
        uint8_t wanted = legal_cfg(h, bits_get(value, byte * 8, 8));
        if (!is_locked(h, *cfg) && !adds_execution(h, wanted))
            *cfg = wanted;
    }
    pmp_changed(h);
}

/* A locked entry keeps its address, and a locked TOR entry that of its lower neighbour. */
void pmp_write_addr(struct hart *h, unsigned i, uint64_t value)
{
    const uint8_t *cfg = h->csr.pmpcfg;
    if (is_locked(h, cfg[i]))
        return;
    if (i + 1 < PMP_ENTRIES && is_locked(h, cfg[i + 1]) && (cfg[i + 1] & PMP_A) == PMP_A_TOR)
        return;
    h->csr.pmpaddr[i] = value & PMPADDR_MASK;
    pmp_changed(h);
}

bool pmp_is_legal(const struct hart *h)
{
    for (unsigned i = 0; i < PMP_ENTRIES; i++) {
        uint8_t cfg = h->csr.pmpcfg[i];
        if (cfg != legal_cfg(h, cfg) || h->csr.pmpaddr[i] & ~PMPADDR_MASK)
            return false;
    }
    return true;
}

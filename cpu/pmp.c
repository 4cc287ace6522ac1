/* Physical memory protection: privileged manual, section "Physical Memory Protection". 16 entries,
 * granularity 4 bytes (G = 0).
 *
 * Invariants: no entry holds the reserved combination R=0 W=1, addresses have 54 bits. */
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

/* M-mode is bound by locked entries alone. */
static enum pmp_result entry_permits(uint8_t cfg, unsigned access, unsigned priv)
{
    static const uint8_t needs[TLB_ACCESSES] = {
        [TLB_LOAD] = PMP_R, [TLB_STORE] = PMP_W, [TLB_FETCH] = PMP_X};
    if (priv == PRIV_M && !(cfg & PMP_L))
        return PMP_ALLOWED;
    return cfg & needs[access] ? PMP_ALLOWED : PMP_DENIED;
}

/* The lowest entry that matches any byte decides, and it must match all of them. Without a match
 * M-mode may do all, S and U nothing. */
enum pmp_result pmp_check(const struct hart *h, uint64_t gpa, unsigned size, unsigned access,
                          unsigned priv, bool *whole_page)
{
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
        if (overlaps(entry, bytes))
            return covers(entry, bytes) ? entry_permits(cfg, access, priv) : PMP_DENIED;
    }
    return priv == PRIV_M ? PMP_ALLOWED : PMP_DENIED;
}

uint64_t pmp_read_cfg(const struct hart *h, unsigned reg)
{
    uint64_t value;
    memcpy(&value, &h->csr.pmpcfg[reg * 4], sizeof value);
    return value;
}

/* R=0 W=1 is reserved: W is cleared, which never grants more than was asked. */
static uint8_t legal_cfg(uint8_t cfg)
{
    cfg &= PMP_WRITABLE;
    return cfg & PMP_R ? cfg : cfg & ~PMP_W;
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
        if (!(*cfg & PMP_L))
            *cfg = legal_cfg(bits_get(value, byte * 8, 8));
    }
    pmp_changed(h);
}

/* A locked entry keeps its address, and a locked TOR entry that of its lower neighbour. */
void pmp_write_addr(struct hart *h, unsigned i, uint64_t value)
{
    const uint8_t *cfg = h->csr.pmpcfg;
    if (cfg[i] & PMP_L)
        return;
    if (i + 1 < PMP_ENTRIES && cfg[i + 1] & PMP_L && (cfg[i + 1] & PMP_A) == PMP_A_TOR)
        return;
    h->csr.pmpaddr[i] = value & PMPADDR_MASK;
    pmp_changed(h);
}

bool pmp_is_legal(const struct hart *h)
{
    for (unsigned i = 0; i < PMP_ENTRIES; i++) {
        uint8_t cfg = h->csr.pmpcfg[i];
        if (cfg != legal_cfg(cfg) || h->csr.pmpaddr[i] & ~PMPADDR_MASK)
            return false;
    }
    return true;
}

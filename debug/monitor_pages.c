/* info mem: the ranges that the page tables map, in QEMU's form. A guest's tables may lead to
 * themselves, and so map more than anybody can read: the number of tables is bounded. */
#include "debug/monitor_internal.h"

#include "cpu/peek.h"

#define ENTRIES     512u
#define TABLES_MOST 65536u
#define PPN_SHIFT   10
#define PPN_BITS    44
#define PTE_N       (1ull << 63)

struct range {
    uint64_t va, pa, bytes;
    uint8_t bits; /* enum pte_bit */
};

struct pages {
    struct monitor *m;
    const struct memory_map *memory;
    unsigned va_bits;
    unsigned tables;
    struct range range; /* bytes 0: none yet */
};

static void show_range(struct pages *p)
{
    static const char letters[] = "vrwxugad";
    const struct range *r = &p->range;
    char bits[8] = "";
    for (unsigned i = 1; i < 8; i++)
        bits[i - 1] = r->bits >> i & 1 ? letters[i] : '-';
    if (r->bytes)
        say(p->m, "%016llx %016llx %016llx %.7s\n", (unsigned long long)r->va,
            (unsigned long long)r->pa, (unsigned long long)r->bytes, bits);
}

/* Leaves that continue the last range become part of it. */
static void add_leaf(struct pages *p, uint64_t va, uint64_t pa, uint64_t bytes, uint8_t bits)
{
    struct range *r = &p->range;
    if (r->bytes && r->va + r->bytes == va && r->pa + r->bytes == pa && r->bits == bits) {
        r->bytes += bytes;
        return;
    }
    show_range(p);
    *r = (struct range){.va = va, .pa = pa, .bytes = bytes, .bits = bits};
}

/* Depth is at most WALK_LEVELS. A table that is not in memory maps nothing. */
static void show_table(struct pages *p, uint64_t table, unsigned level, uint64_t base)
{
    unsigned shift = 12 + 9 * level;
    if (p->tables++ >= TABLES_MOST)
        return;
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t pte, va = base | (uint64_t)i << shift;
        if (!peek_physical(p->memory, table + 8ull * i, &pte, 8) || !(pte & PTE_V))
            continue;
        va = (uint64_t)sign_extend(va, p->va_bits);
        uint64_t pa = bits_get(pte, PPN_SHIFT, PPN_BITS) << 12;
        if (pte & PTE_N && level == 0) /* one of 16 pages (Svnapot) */
            pa = (pa & ~0xffffull) | (va & 0xf000);
        if (pte & (PTE_R | PTE_X))
            add_leaf(p, va, pa, 1ull << shift, (uint8_t)pte);
        else if (level > 0)
            show_table(p, pa, level - 1, va);
    }
}

bool monitor_show_pages(struct monitor *m, struct arguments *a, struct error *err)
{
    struct hart *h = monitor_hart(m);
    unsigned mode = h->csr.satp >> SATP_MODE_SHIFT;
    if (!argument_end(a, err))
        return false;
    if (mode == SATP_BARE) {
        say(m, "No translation or protection\n");
        return true;
    }
    unsigned levels = mode - 5; /* 8, 9, 10: 3, 4, 5 levels */
    struct pages p = {.m = m, .memory = h->ports.memory, .va_bits = 12 + 9 * levels};
    say(m, "vaddr            paddr            size             attr\n"
           "---------------- ---------------- ---------------- -------\n");
    show_table(&p, bits_get(h->csr.satp, 0, PPN_BITS) * PAGE_BYTES, levels - 1, 0);
    show_range(&p);
    if (p.tables > TABLES_MOST)
        say(m, "... and more: only %u tables are looked at\n", TABLES_MOST);
    return true;
}

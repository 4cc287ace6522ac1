/* A hart's memory as a debugger sees it (contract: peek.h). */
#include "cpu/peek.h"

static unsigned priv_for(const struct hart *h, enum tlb_access access)
{
    return access == TLB_FETCH ? h->priv : hart_data_priv(h);
}

bool peek_walk(const struct hart *h, uint64_t va, enum tlb_access access, enum walk_result *result,
               struct walk_report *report)
{
    unsigned priv = priv_for(h, access);
    *report = (struct walk_report){0};
    if (priv == PRIV_M || h->csr.satp >> SATP_MODE_SHIFT == SATP_BARE)
        return false;
    struct walk_request request = hart_walk_request(h);
    request.report = report;
    struct translation t;
    *result = walk(&request, va, access, priv == PRIV_U, h->csr.mstatus & MSTATUS_SUM,
                   h->csr.mstatus & MSTATUS_MXR, &t);
    return true;
}

bool peek_address(const struct hart *h, uint64_t va, uint64_t *pa)
{
    struct walk_report report;
    enum walk_result result;
    *pa = va;
    if (!peek_walk(h, va, TLB_LOAD, &result, &report))
        return true;
    *pa = report.leaf.pa + va % PAGE_BYTES;
    return report.has_leaf;
}

/* The region that holds gpa and has bytes; *n is cut to what lies in it. */
static const struct region *memory_at(const struct memory_map *map, uint64_t gpa, size_t *n)
{
    const struct region *r = memory_find(map, gpa);
    if (!r || !r->hva)
        return NULL;
    *n = min_u64(*n, r->base + r->size - gpa);
    return r;
}

static bool is_memory(const struct memory_map *map, uint64_t pa, size_t n)
{
    for (size_t part; n; pa += part, n -= part) {
        part = n;
        if (!memory_at(map, pa, &part))
            return false;
    }
    return true;
}

bool peek_physical(const struct memory_map *map, uint64_t pa, void *to, size_t n)
{
    if (!is_memory(map, pa, n))
        return false;
    uint8_t *bytes = to;
    for (size_t part; n; pa += part, bytes += part, n -= part) {
        part = n;
        const struct region *r = memory_at(map, pa, &part);
        memcpy(bytes, r->hva + (pa - r->base), part);
    }
    return true;
}

bool poke_physical(struct memory_map *map, uint64_t pa, const void *from, size_t n)
{
    return is_memory(map, pa, n) && memory_load(map, pa, from, n);
}

static size_t bytes_on_page(uint64_t va, size_t n)
{
    return min_u64(n, PAGE_BYTES - va % PAGE_BYTES);
}

bool peek_memory(const struct hart *h, uint64_t va, void *to, size_t n)
{
    uint8_t *bytes = to;
    for (size_t part; n; va += part, bytes += part, n -= part) {
        uint64_t pa;
        part = bytes_on_page(va, n);
        if (!peek_address(h, va, &pa) || !peek_physical(h->ports.memory, pa, bytes, part))
            return false;
    }
    return true;
}

bool peek_instruction(const struct hart *h, uint64_t va, uint32_t *word)
{
    uint16_t low, high = 0;
    if (!peek_memory(h, va, &low, sizeof low) ||
        ((low & 3) == 3 && !peek_memory(h, va + 2, &high, sizeof high)))
        return false;
    *word = low | (uint32_t)high << 16;
    return true;
}

static bool is_mapped(const struct hart *h, uint64_t va, size_t n)
{
    for (size_t part; n; va += part, n -= part) {
        uint64_t pa;
        part = bytes_on_page(va, n);
        if (!peek_address(h, va, &pa) || !is_memory(h->ports.memory, pa, part))
            return false;
    }
    return true;
}

/* A poke may change the tables that the rest of it goes through: so all of it is looked up first
 * for whether, and each page for where. */
bool poke_memory(const struct hart *h, uint64_t va, const void *from, size_t n)
{
    const uint8_t *bytes = from;
    if (!is_mapped(h, va, n))
        return false;
    for (size_t part; n; va += part, bytes += part, n -= part) {
        uint64_t pa;
        part = bytes_on_page(va, n);
        if (!peek_address(h, va, &pa) || !poke_physical(h->ports.memory, pa, bytes, part))
            return false;
    }
    return true;
}

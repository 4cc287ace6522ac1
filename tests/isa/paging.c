/* Sv39, Sv48 and Sv57: pages of every size, permissions, SUM, MXR, canonical addresses, malformed
 * entries, TLB fences. */
#include "tests/isa/lib/paging.h"

#define RWAD (PTE_R | PTE_W | PTE_A | PTE_D)
#define RXAD (PTE_R | PTE_X | PTE_A | PTE_D)

static uint64_t data[1024] __attribute__((aligned(8192)));

/* Code that is mapped at chosen addresses: returns a0 + a1 by ecall. */
extern const char code_page[];
asm(".text; .balign 4096; code_page: add a0, a0, a1; ecall; .balign 4096");

static uint64_t top_level(unsigned mode)
{
    return mode - 6;
}

static void page_sizes(unsigned mode)
{
    struct space *s = space_new(mode);
    for (unsigned level = 0; level <= top_level(mode); level++) {
        /* Each size gets its own slot of the root, so that no table is shared. */
        uint64_t va = (uint64_t)(level + 1) << (12 + 9 * top_level(mode));
        uint64_t bytes = 1ull << (12 + 9 * level);
        uint64_t pa = (uint64_t)data & ~(bytes - 1);
        map_at(s, va, pa, RWAD, level);
        space_use(s);
        uint64_t at = va + ((uint64_t)data - pa);
        data[0] = 0x1000 + level;
        check_eq("a load through a page of this size", load_as(S, at, 8), 0x1000 + level);
        store_as(S, at + 8, 8, 0x2000 + level);
        check_eq("a store through it", data[1], 0x2000 + level);
        check_no_trap("without traps");
        if (level) {
            *entry(s, va, level) |= 1ull << 10;
            sfence();
            load_as(S, at, 8);
            check_trap("a superpage with low PPN bits set faults", LOAD_PAGE, at);
        }
    }
    space_use(NULL);
}

static void canonical(unsigned mode)
{
    struct space *s = space_new(mode);
    unsigned bits = 12 + 9 * (unsigned)(top_level(mode) + 1);
    uint64_t low = (1ull << (bits - 1)) - 4096, high = ~0ull << (bits - 1);
    map(s, low, (uint64_t)data, RWAD);
    map(s, high, (uint64_t)data, RWAD);
    map(s, ~0ull << 12, (uint64_t)data, RWAD);
    space_use(s);
    data[0] = 0xabc;
    check_eq("the highest page of the low half", load_as(S, low, 8), 0xabc);
    check_eq("the lowest page of the high half", load_as(S, high, 8), 0xabc);
    check_eq("the highest page of all", load_as(S, ~0ull << 12, 8), 0xabc);
    check_no_trap("without traps");
    load_as(S, 1ull << (bits - 1), 8);
    check_trap("an address that is not sign-extended faults", LOAD_PAGE, 1ull << (bits - 1));
    store_as(S, high ^ 1ull << 63, 8, 0);
    check_trap("a store to one as well", STORE_PAGE, high ^ 1ull << 63);
    enter(S, 1ull << (bits - 1), 0, 0);
    check_trap("a fetch from one as well", FETCH_PAGE, 1ull << (bits - 1));
    space_use(NULL);
}

static void malformed(unsigned mode)
{
    struct space *s = space_new(mode);
    const uint64_t va = 0x200000;
    const uint64_t ppn = (uint64_t)data >> 12 << 10;
    uint64_t *pte = entry(s, va, 0);
    space_use(s);
    static const struct {
        const char *name;
        uint64_t bits;
    } bad[] = {
        {"V = 0", RWAD},
        {"W without R", PTE_V | PTE_W | PTE_A | PTE_D},
        {"W and X without R", PTE_V | PTE_W | PTE_X | PTE_A | PTE_D},
        {"a pointer at the last level", PTE_V},
        {"a reserved bit", PTE_V | RWAD | 1ull << 54},
        {"bit 60", PTE_V | RWAD | 1ull << 60},
    };
    /* QEMU 7.2 does not look at reserved bits. */
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]) - (on_qemu72() ? 2 : 0); i++) {
        *pte = ppn | bad[i].bits;
        sfence();
        load_as(S, va, 8);
        check_trap(bad[i].name, LOAD_PAGE, va);
    }
    space_use(NULL);
}

static void table_nowhere(struct space *s, uint64_t va)
{
    *entry(s, va, 1) = 0x10000000000 >> 12 << 10 | PTE_V;
    sfence();
    load_as(S, va, 8);
    check_trap("a table where there is no memory: access fault", LOAD_ACCESS, va);
    store_as(S, va, 8, 0);
    check_trap("of the kind of the access", STORE_ACCESS, va);
    enter(S, va, 0, 0);
    check_trap("also for a fetch", FETCH_ACCESS, va);
}

static void bad_pointers(unsigned mode)
{
    struct space *s = space_new(mode);
    const uint64_t va = 0x200000;
    map(s, va, (uint64_t)data, RWAD);
    space_use(s);
    *entry(s, va, 1) |= PTE_A;
    sfence();
    load_as(S, va, 8);
    check_trap("a pointer with A set is reserved", LOAD_PAGE, va);
    *entry(s, va, 1) &= ~PTE_A;
    *entry(s, va, 1) |= PTE_U;
    sfence();
    load_as(S, va, 8);
    check_trap("a pointer with U set is reserved", LOAD_PAGE, va);
    if (!on_qemu72()) /* which raises a page fault instead */
        table_nowhere(s, va);
    *entry(s, va, 1) = 0;
    map(s, va, 0x10000000000, RWAD);
    sfence();
    load_as(S, va, 8);
    check_trap("a page where there is no memory: access fault, tval is virtual", LOAD_ACCESS, va);
    space_use(NULL);
}

static void permissions(unsigned mode)
{
    struct space *s = space_new(mode);
    const uint64_t va = 0x200000;
    space_use(s);
    data[0] = 0x77;
    for (unsigned bits = 0; bits < 16; bits++) {
        uint64_t pte = (uint64_t)bits << 1; /* R W X U */
        if ((pte & PTE_W && !(pte & PTE_R)) || !(pte & (PTE_R | PTE_W | PTE_X)))
            continue;
        bool user = pte & PTE_U, r = pte & PTE_R, w = pte & PTE_W, x = pte & PTE_X;
        map(s, va, x ? (uint64_t)code_page : (uint64_t)data, pte | PTE_A | PTE_D);
        sfence();
        for (unsigned how = 0; how < 8; how++) {
            unsigned priv = how & 1 ? U : S;
            bool sum = how & 2, mxr = how & 4;
            csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
            csr_set(mstatus, (sum ? MSTATUS_SUM : 0) | (mxr ? MSTATUS_MXR : 0));
            bool reach = priv == U ? user : !user || sum;
            load_as(priv, va, 8);
            check("a load is allowed as R, U, SUM and MXR say",
                  (traps() == 0) == (reach && (r || (mxr && x))));
            check("if not, it is a load page fault", traps() == 0 || self()->cause == LOAD_PAGE);
            traps_reset();
            if (!x) {
                store_as(priv, va + 8, 8, 1);
                check("a store is allowed as W, U and SUM say", (traps() == 0) == (reach && w));
                check("if not, it is a store page fault",
                      traps() == 0 || self()->cause == STORE_PAGE);
                traps_reset();
            }
            uint64_t sum_of = enter(priv, va, 30, 12);
            bool ran = self()->cause == (priv == S ? ECALL_S : ECALL_U);
            check("a fetch is allowed as X and U say; SUM does not help",
                  ran == (x && user == (priv == U)));
            check("if not, it is a fetch page fault", ran || self()->cause == FETCH_PAGE);
            check("the code ran", !ran || sum_of == 42);
            traps_reset();
        }
    }
    csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
    space_use(NULL);
}

static void fences(unsigned mode)
{
    struct space *s = space_new(mode);
    uint64_t va = 0x200000, other = 0x800000;
    map(s, va, (uint64_t)data, RWAD);
    map(s, other, (uint64_t)data, RWAD);
    space_use(s);
    data[0] = 1;
    data[512] = 2;
    check_eq("a page before its entry changes", load_as(S, va, 8), 1);
    map(s, va, (uint64_t)data + 4096, RWAD);
    asm volatile("sfence.vma %0" : : "r"(va) : "memory");
    check_eq("sfence.vma with an address", load_as(S, va, 8), 2);
    map(s, va, (uint64_t)data, RWAD);
    asm volatile("sfence.vma %0, %1" : : "r"(va), "r"(0ul) : "memory");
    check_eq("sfence.vma with an address and an ASID", load_as(S, va, 8), 1);
    map(s, va, (uint64_t)data + 4096, RWAD);
    asm volatile("sfence.vma zero, %0" : : "r"(0ul) : "memory");
    check_eq("sfence.vma with an ASID", load_as(S, va, 8), 2);
    *entry(s, va, 0) = 0;
    sfence();
    load_as(S, va, 8);
    check_trap("an entry that was taken away", LOAD_PAGE, va);
    /* Superpage to small pages, and back. */
    *entry(s, va, 1) = ((uint64_t)data & ~0x1fffffull) >> 12 << 10 | RWAD | PTE_V;
    sfence();
    uint64_t at = va + ((uint64_t)data & 0x1fffff);
    check_eq("a superpage in place of the table", load_as(S, at, 8), 1);
    *entry(s, va, 1) = 0;
    map(s, at, (uint64_t)data + 4096, RWAD);
    asm volatile("sfence.vma %0" : : "r"(at) : "memory");
    check_eq("a table in place of the superpage", load_as(S, at, 8), 2);
    space_use(NULL);
}

static void asids(unsigned mode)
{
    struct space *s = space_new(mode);
    const uint64_t va = 0x200000;
    map(s, va, (uint64_t)data, RWAD);
    uint64_t *first = s->root, *second = page_new();
    struct space twin = {mode, second};
    map(&twin, va, (uint64_t)data + 4096, RWAD);
    data[0] = 1;
    data[512] = 2;
    for (unsigned round = 0; round < 4; round++) {
        csr_write(satp, (uint64_t)mode << 60 | 1ull << 44 | (uint64_t)first >> 12);
        if (round == 0)
            sfence();
        check_eq("address space 1", load_as(S, va, 8), 1);
        csr_write(satp, (uint64_t)mode << 60 | 2ull << 44 | (uint64_t)second >> 12);
        check_eq("address space 2, without a fence between", load_as(S, va, 8), 2);
    }
    map(&twin, va, (uint64_t)data, RWAD);
    asm volatile("sfence.vma %0, %1" : : "r"(va), "r"(2ul) : "memory");
    check_eq("a fence for this ASID is enough", load_as(S, va, 8), 1);
    space_use(NULL);
}

/* Code that goes on from one virtual page to the next, which lie apart or are one. */
static void running_over_pages(unsigned mode)
{
    struct space *s = space_new(mode);
    uint32_t *first = page_new(), *second = page_new();
    first[1023] = 0x00150513; /* addi a0, a0, 1 */
    second[0] = 0x00250513;   /* addi a0, a0, 2 */
    second[1] = 0x00000073;   /* ecall */
    const uint64_t va = 0x7fffd000 & ~0ull << 12;
    map(s, va, (uint64_t)first, RXAD);
    map(s, va + 4096, (uint64_t)second, RXAD);
    space_use(s);
    asm volatile("fence.i");
    check_eq("code runs from page to page", enter(S, va + 4092, 10, 0), 13);
    check_trap("up to its ecall", ECALL_S, 0);
    *entry(s, va + 4096, 0) = 0;
    sfence();
    enter(S, va + 4092, 10, 0);
    check_eq("and stops where the second page was", self()->epc, va + 4096);
    check_trap("with a page fault", FETCH_PAGE, va + 4096);
    /* A 32-bit instruction of which the second half is not mapped. */
    ((uint16_t *)first)[2047] = 0x0513;
    enter(S, va + 4094, 10, 0);
    bool ok = self()->cause == FETCH_PAGE && self()->tval == va + 4096 && self()->epc == va + 4094;
    check("a fetch over the end: tval in the second page, mepc at the instruction", ok);
    traps_reset();
    ((uint16_t *)second)[0] = 0x0035; /* addi a0, a0, 3 */
    ((uint16_t *)second)[1] = 0x0073;
    ((uint16_t *)second)[2] = 0x0000;
    map(s, va + 4096, (uint64_t)second, RXAD);
    sfence();
    asm volatile("fence.i");
    ((uint16_t *)first)[2047] = 0x0513;
    enter(S, va + 4094, 10, 0);
    check("an instruction over two pages runs", self()->cause == ECALL_S);
    traps_reset();
    space_use(NULL);
}

int main(void)
{
    for (unsigned mode = SV39; mode <= SV57; mode++) {
        struct space *s = space_new(mode);
        check("the hart knows Sv39, Sv48 and Sv57", space_use(s));
        space_use(NULL);
        page_sizes(mode);
        canonical(mode);
        malformed(mode);
        bad_pointers(mode);
        permissions(mode);
        fences(mode);
        asids(mode);
        running_over_pages(mode);
    }
    return 0;
}

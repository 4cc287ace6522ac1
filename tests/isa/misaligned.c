/* Misaligned loads and stores work, also over a page's end; a fault in either half is precise and
 * leaves memory as it was. */
#include "tests/isa/lib/paging.h"

static uint8_t memory[3 * 4096] __attribute__((aligned(4096)));

static void fill(void)
{
    for (unsigned i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)(i * 7 + 3);
}

static uint64_t expected(unsigned at, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)(uint8_t)((at + i) * 7 + 3) << 8 * i;
    return v;
}

static void every_offset(unsigned at)
{
    uint64_t base = (uint64_t)memory;
    for (unsigned offset = 0; offset < 16; offset++) {
        for (unsigned size = 2; size <= 8; size *= 2) {
            unsigned where = at + offset;
            check_eq("a misaligned load", probe_load(base + where, size), expected(where, size));
            probe_store(base + where, size, 0x0102030405060708);
            check_eq("a misaligned store, read back", probe_load(base + where, size),
                     0x0102030405060708 & ~0ull >> (64 - 8 * size));
            check_eq("the byte before it", memory[where - 1], expected(where - 1, 1));
            check_eq("the byte behind it", memory[where + size], expected(where + size, 1));
            fill();
        }
    }
    check_no_trap("none of them trapped");
}

static void floating_point(void)
{
    uint64_t v;
    asm volatile("fld fa0, (%1); fsd fa0, (%2); ld %0, (%2)"
                 : "=&r"(v)
                 : "r"(memory + 4093), "r"(memory + 5)
                 : "fa0", "memory");
    check_eq("fld and fsd, misaligned", v, expected(4093, 8));
    asm volatile("flw fa0, (%1); fmv.x.w %0, fa0"
                 : "=&r"(v)
                 : "r"(memory + 4095)
                 : "fa0", "memory");
    check_eq("flw over a page's end", v, (uint64_t)(int32_t)expected(4095, 4));
    fill();
}

/* Two virtual pages that follow each other lie apart in physical memory. */
static void pages_apart(void)
{
    struct space *space = space_new(SV39);
    uint64_t va = 0x40000000;
    map(space, va, (uint64_t)memory + 8192, PTE_R | PTE_W | PTE_A | PTE_D);
    map(space, va + 4096, (uint64_t)memory, PTE_R | PTE_W | PTE_A | PTE_D);
    space_use(space);
    for (unsigned back = 1; back < 8; back++) {
        uint64_t want = 0;
        for (unsigned i = 0; i < 8; i++)
            want |= (uint64_t)(i < back ? memory[12288 - back + i] : memory[i - back]) << 8 * i;
        check_eq("a load over two pages", load_as(S, va + 4096 - back, 8), want);
        store_as(S, va + 4096 - back, 8, ~want);
        check_eq("a store over two pages", load_as(S, va + 4096 - back, 8), ~want);
        check_eq("went to the first", memory[12288 - back], (uint8_t)~want);
        check_eq("and to the second", memory[7 - back], (uint8_t)(~want >> 56));
        fill();
    }
    check_no_trap("none of them trapped");
    space_use(NULL);
}

static void faults(void)
{
    struct space *space = space_new(SV39);
    uint64_t va = 0x40000000;
    map(space, va, (uint64_t)memory, PTE_R | PTE_W | PTE_A | PTE_D);
    space_use(space);
    load_as(S, va + 4092, 8);
    check_trap("a load whose second half is not mapped: tval is in the second page", LOAD_PAGE,
               va + 4096);
    uint64_t before = probe_load((uint64_t)memory + 4088, 8);
    store_as(S, va + 4092, 8, 0);
    check_trap("a store whose second half is not mapped", STORE_PAGE, va + 4096);
    check_eq("stores nothing in the first", probe_load((uint64_t)memory + 4088, 8), before);
    load_as(S, va - 3, 8);
    check_trap("a load whose first half is not mapped: tval is its address", LOAD_PAGE, va - 3);
    store_as(S, va - 3, 8, 0);
    check_trap("a store whose first half is not mapped", STORE_PAGE, va - 3);
    check_eq("stores nothing in the second", memory[0], expected(0, 1));
    map(space, va + 4096, (uint64_t)memory + 4096, PTE_R | PTE_A);
    sfence();
    before = probe_load((uint64_t)memory + 4088, 8);
    store_as(S, va + 4092, 8, 0);
    check_trap("a store whose second half is read-only", STORE_PAGE, va + 4096);
    check_eq("stores nothing", probe_load((uint64_t)memory + 4088, 8), before);
    check_eq("a load of the same works", load_as(S, va + 4092, 8), expected(4092, 8));
    space_use(NULL);
}

int main(void)
{
    fill();
    every_offset(64);
    every_offset(4088);
    floating_point();
    pages_apart();
    faults();
    return 0;
}

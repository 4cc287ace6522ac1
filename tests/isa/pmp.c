/* PMP: matching (OFF, TOR, NA4, NAPOT), priority, permissions, locks, M-mode, page tables. */
#include "tests/isa/lib/paging.h"

#define R     1
#define W     2
#define X     4
#define TOR   (1 << 3)
#define NA4   (2 << 3)
#define NAPOT (3 << 3)
#define LOCK  0x80

static uint8_t area[8 * 4096] __attribute__((aligned(32768)));
extern const char code_page[];
asm(".text; .balign 4096; code_page: addi a0, a0, 1; ecall; .balign 4096");

static void set_cfg(unsigned i, uint64_t cfg)
{
    unsigned shift = i % 8 * 8;
    if (i < 8)
        csr_write(pmpcfg0, (csr_read(pmpcfg0) & ~(0xffull << shift)) | cfg << shift);
    else
        csr_write(pmpcfg2, (csr_read(pmpcfg2) & ~(0xffull << shift)) | cfg << shift);
}

/* Entry 15 always lets everything through; the tests use those before it. */
static void clear(void)
{
    csr_write(pmpaddr15, ~0ull >> 10);
    csr_write(pmpcfg2, (uint64_t)(NAPOT | R | W | X) << 56);
    csr_write(pmpcfg0, 0);
    csr_write(pmpaddr0, 0);
    csr_write(pmpaddr1, 0);
    csr_write(pmpaddr2, 0);
    sfence();
}

static uint64_t napot(uint64_t base, uint64_t bytes)
{
    return base >> 2 | (bytes / 8 - 1);
}

static bool can_load(unsigned priv, uint64_t address, unsigned size)
{
    load_as(priv, address, size);
    bool ok = traps() == 0;
    check("denied means load access fault", ok || self()->cause == LOAD_ACCESS);
    traps_reset();
    return ok;
}

static bool can_store(unsigned priv, uint64_t address, unsigned size)
{
    store_as(priv, address, size, 0);
    bool ok = traps() == 0;
    check("denied means store access fault", ok || self()->cause == STORE_ACCESS);
    traps_reset();
    return ok;
}

static bool can_run(unsigned priv)
{
    enter(priv, (uint64_t)code_page, 0, 0);
    bool ok = self()->cause == (priv == S ? ECALL_S : priv == U ? ECALL_U : ECALL_M);
    check("denied means fetch access fault", ok || self()->cause == FETCH_ACCESS);
    traps_reset();
    return ok;
}

static void permissions(void)
{
    for (unsigned bits = 0; bits < 8; bits++) {
        if (bits & W && !(bits & R))
            continue; /* reserved */
        clear();
        csr_write(pmpaddr0, napot((uint64_t)area, 4096));
        csr_write(pmpaddr1, napot((uint64_t)code_page, 4096));
        set_cfg(0, NAPOT | bits);
        set_cfg(1, NAPOT | bits);
        sfence();
        for (unsigned priv = U; priv <= S; priv++) {
            check("R decides loads", can_load(priv, (uint64_t)area, 8) == !!(bits & R));
            check("W decides stores", can_store(priv, (uint64_t)area + 8, 8) == !!(bits & W));
            check("X decides fetches", can_run(priv) == !!(bits & X));
        }
        check("M-mode is free without L",
              can_load(M, (uint64_t)area, 8) && can_store(M, (uint64_t)area, 8) && can_run(M));
    }
}

static void ranges(void)
{
    uint64_t base = (uint64_t)area;
    clear();
    set_cfg(0, NAPOT);
    csr_write(pmpaddr0, napot(base + 8192, 8192));
    sfence();
    check("NAPOT: below", can_load(S, base + 8192 - 8, 8));
    check("NAPOT: first", !can_load(S, base + 8192, 8));
    check("NAPOT: last", !can_load(S, base + 16384 - 8, 8));
    check("NAPOT: above", can_load(S, base + 16384, 8));
    check("NAPOT: a load that begins before it", !can_load(S, base + 8192 - 4, 8));
    clear();
    csr_write(pmpaddr0, (base + 4096) >> 2);
    csr_write(pmpaddr1, (base + 12288) >> 2);
    set_cfg(1, TOR);
    sfence();
    check("TOR: below", can_load(S, base + 4096 - 8, 8));
    check("TOR: first", !can_load(S, base + 4096, 8));
    check("TOR: last", !can_load(S, base + 12288 - 1, 1));
    check("TOR: its end is not in it", can_load(S, base + 12288, 8));
    csr_write(pmpaddr0, (base + 16384) >> 2);
    sfence();
    if (!on_qemu72()) /* which denies it */
        check("TOR: a range that ends before it begins matches nothing",
              can_load(S, base + 8192, 8));
    clear();
    csr_write(pmpaddr0, (base + 4096) >> 2);
    set_cfg(0, TOR);
    sfence();
    check("TOR of entry 0 begins at 0", !can_load(S, base, 8));
    check("and ends at its address", can_load(S, base + 4096, 8));
}

static void small_ranges(void)
{
    uint64_t base = (uint64_t)area;
    clear();
    csr_write(pmpaddr0, (base + 64) >> 2);
    set_cfg(0, NA4);
    sfence();
    check("NA4: its four bytes", !can_load(S, base + 64, 4));
    check("NA4: one of them", !can_load(S, base + 66, 1));
    check("NA4: the word before", can_load(S, base + 60, 4));
    check("NA4: the word behind", can_load(S, base + 68, 4));
    check("an access that is half inside fails", !can_load(S, base + 64, 8));
    check("a store as well", !can_store(S, base + 64, 8));
    check("the rest of the page works", can_store(S, base + 128, 8));
    clear();
    csr_write(pmpaddr0, napot(base + 256, 8));
    set_cfg(0, NAPOT);
    sfence();
    check("NAPOT of 8 bytes", !can_load(S, base + 256, 8) && can_load(S, base + 264, 8));
    check("around it the page works", can_load(S, base + 248, 8));
}

static void priority(void)
{
    uint64_t base = (uint64_t)area;
    clear();
    csr_write(pmpaddr0, napot(base, 4096));
    csr_write(pmpaddr1, napot(base, 32768));
    set_cfg(0, NAPOT | R);
    set_cfg(1, NAPOT);
    sfence();
    check("the lowest entry that matches decides", can_load(S, base, 8));
    check("for its range alone", !can_load(S, base + 4096, 8));
    check("and its rights alone", !can_store(S, base, 8));
    csr_write(pmpcfg2, 0);
    set_cfg(0, 0);
    set_cfg(1, 0);
    sfence();
    check("S without any match is denied", !can_load(S, base, 8));
    check("M without any match is allowed", can_load(M, base, 8));
}

static void translated(void)
{
    clear();
    struct space *s = space_new(SV39);
    const uint64_t va = 0x200000;
    map(s, va, (uint64_t)area, PTE_R | PTE_W | PTE_A | PTE_D);
    space_use(s);
    check("a page that PMP allows", can_load(S, va, 8));
    csr_write(pmpaddr0, napot((uint64_t)area, 4096));
    set_cfg(0, NAPOT | R);
    sfence();
    check("PMP stops a store that the page allows", !can_store(S, va, 8));
    check("and lets the load", can_load(S, va, 8));
    csr_write(pmpaddr0, napot((uint64_t)s->root, 4096));
    set_cfg(0, NAPOT);
    sfence();
    load_as(S, va, 8);
    check_trap("a page table that PMP denies: an access fault", LOAD_ACCESS, va);
    store_as(S, va, 8, 0);
    check_trap("of the kind of the access", STORE_ACCESS, va);
    set_cfg(0, NAPOT | R);
    sfence();
    check("a table that may be read is enough", can_load(S, va, 8));
    space_use(NULL);
}

/* Last: a lock holds until reset. */
static void locks(void)
{
    clear();
    csr_write(pmpaddr3, napot((uint64_t)area, 4096));
    set_cfg(3, LOCK | NAPOT | R);
    check("a locked entry binds M-mode", !can_store(M, (uint64_t)area, 8));
    check("and allows what it says", can_load(M, (uint64_t)area, 8));
    set_cfg(3, 0);
    check_eq("its configuration cannot be changed", csr_read(pmpcfg0) >> 24 & 0xff,
             LOCK | NAPOT | R);
    uint64_t before = csr_read(pmpaddr3);
    csr_write(pmpaddr3, 0);
    check_eq("nor its address", csr_read(pmpaddr3), before);
    csr_write(pmpaddr5, (uint64_t)area >> 2);
    csr_write(pmpaddr6, ((uint64_t)area + 4096) >> 2);
    set_cfg(6, LOCK | TOR | R);
    before = csr_read(pmpaddr5);
    csr_write(pmpaddr5, 0);
    check_eq("nor the address below a locked TOR", csr_read(pmpaddr5), before);
}

static void registers(void)
{
    clear();
    csr_write(pmpcfg0, (uint64_t)(W | NAPOT));
    check("W without R is never held", (csr_read(pmpcfg0) & 3) != 2);
    csr_write(pmpcfg0, 0x60);
    check_eq("bits 5 and 6 of a configuration are 0", csr_read(pmpcfg0), 0);
    PROBE("csrr t2, pmpcfg1", "r"(0));
    check("odd pmpcfg registers do not exist", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    csr_write(pmpaddr0, 0x12345);
    check_eq("pmpaddr reads back", csr_read(pmpaddr0), 0x12345);
}

int main(void)
{
    permissions();
    ranges();
    small_ranges();
    priority();
    translated();
    if (on_qemu72())
        skip("legal values of pmpcfg: QEMU 7.2 keeps what is written");
    else
        registers();
    locks();
    return 0;
}

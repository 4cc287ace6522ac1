/* Random address spaces, and random accesses in S- and U-mode, made inside the guest.
 *
 * For each seed two address spaces with chance entries (permissions, A, D, G, superpages, malformed
 * ones), chance PMP entries, then a few hundred steps: loads, stores, atomics and fetches through
 * stubs in the lower mode or by MPRV, entries changed and fenced, SUM and MXR flipped, spaces
 * switched. What each step did (trap, cause, tval, mepc, value) goes into the seed's hash, and at
 * the end all entries, for their A and D bits. `verbose` prints each step. Pages of data are never
 * run and pages of code never written, so that only stubs execute. */
#include "tests/diff/config.h"
#include "tests/isa/lib/paging.h"

#define SLOTS      10u
#define STEPS      200u
#define DATA_PAGES 4u
#define STUB_S     0x10000ull
#define STUB_U     0x20000ull

static uint8_t data[DATA_PAGES * 4096] __attribute__((aligned(16384)));
static uint16_t code[2 * 2048] __attribute__((aligned(8192)));

/* 16 bytes each: one access with address a0 and value a1, then ecall. */
extern const char stubs[];
asm(".text; .balign 4096; .option push; .option norvc; stubs:"
    "ld a0, (a0); ecall; .balign 16; lw a0, (a0); ecall; .balign 16; lhu a0, (a0); ecall;"
    ".balign 16; lb a0, (a0); ecall; .balign 16; sd a1, (a0); ecall; .balign 16;"
    "sw a1, (a0); ecall; .balign 16; sh a1, (a0); ecall; .balign 16; sb a1, (a0); ecall;"
    ".balign 16; amoadd.d a0, a1, (a0); ecall; .balign 16; amoor.w a0, a1, (a0); ecall;"
    ".balign 16; lr.d a0, (a0); ecall; .balign 16; fld ft0, (a0); ecall;"
    ".option pop; .balign 4096");
#define STUBS       12u
#define FIRST_STORE 4u
#define FIRST_AMO   8u
static const uint8_t stub_bytes[STUBS] = {8, 4, 2, 1, 8, 4, 2, 1, 8, 4, 8, 8};

/* Where an address space has an entry of its own: two pages of 4 KiB, or one superpage. */
struct slot {
    uint64_t va; /* of the first byte of data or code */
    unsigned level;
    bool is_code;
};

static struct slot slots[SLOTS];
static uint64_t chance_state, result;
static bool pmp_cuts; /* entries lie over the data */

static uint64_t chance(void)
{
    uint64_t z = chance_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
    return (unsigned)(chance() % n);
}

static void log_value(const char *name, uint64_t v)
{
    result = (result ^ v) * 0xff51afd7ed558ccd;
    result ^= result >> 32;
    if (config.verbose) {
        print(" ");
        print(name);
        print("=");
        print_hex(v);
    }
}

static void log_begin(const char *what)
{
    if (config.verbose)
        print(what);
}

static void log_end(void)
{
    if (config.verbose)
        print("\n");
}

/* --- address spaces -----------------------------------------------------------------------------
 */

static uint64_t chance_bits(void)
{
    uint64_t bits = chance() & (PTE_R | PTE_W | PTE_X | PTE_U | PTE_G | PTE_A | PTE_D);
    if (below(4))
        bits |= PTE_R | PTE_A;
    if (below(8))
        bits |= PTE_V;
    return bits;
}

static void set_entry(struct space *s, const struct slot *slot, unsigned page)
{
    uint64_t pa = (slot->is_code ? (uint64_t)code : (uint64_t)data) + 4096 * page;
    uint64_t va = slot->va + 4096 * page;
    if (slot->level) {
        uint64_t mask = (1ull << (12 + 9 * slot->level)) - 1;
        pa &= ~mask;
        va &= ~mask;
    }
    uint64_t bits = chance_bits();
    if (slot->level && !(bits & (PTE_R | PTE_W | PTE_X)))
        bits |= PTE_R; /* not a pointer, which would make tables of what lies there */
    uint64_t low = slot->level && below(16) == 0 ? 1ull << 10 : 0; /* a superpage out of place */
    *entry(s, va, slot->level) = pa >> 12 << 10 | low | bits;
}

static void place_slots(unsigned mode)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &slots[i];
        slot->level = below(3) ? 0 : below(mode - 5);
        slot->is_code = below(3) == 0;
        uint64_t at = slot->is_code ? (uint64_t)code : (uint64_t)data;
        uint64_t size = 1ull << (12 + 9 * slot->level);
        /* Each slot has a part of the root, or of the lower half of its first 1 GiB, for itself. */
        if (slot->level == mode - 6u)
            slot->va = (uint64_t)(i + 2 + SLOTS) << (12 + 9 * slot->level) | (at & (size - 1));
        else
            slot->va = (uint64_t)(i + 1) << (12 + 9 * (slot->level + 1)) | (at & (size - 1));
        if (below(4) == 0) /* in the upper half */
            slot->va |= ~0ull << (12 + 9 * (mode - 5) - 1);
    }
}

static void make_space(struct space *s)
{
    map(s, STUB_S, (uint64_t)stubs, PTE_R | PTE_X | PTE_A | PTE_D);
    map(s, STUB_U, (uint64_t)stubs, PTE_R | PTE_X | PTE_A | PTE_D | PTE_U);
    for (unsigned i = 0; i < SLOTS; i++) {
        set_entry(s, &slots[i], 0);
        if (!slots[i].level && below(4))
            set_entry(s, &slots[i], 1);
    }
}

static uint64_t satp_of(const struct space *s, unsigned asid)
{
    return (uint64_t)s->mode << 60 | (uint64_t)asid << 44 | (uint64_t)s->root >> 12;
}

/* Up to three entries over the data; the last one lets everything through. */
static void set_pmp(void)
{
    uint64_t cfg = 0;
    csr_write(pmpaddr15, ~0ull >> 10);
    csr_write(pmpcfg2, 0x1full << 56);
    csr_write(pmpcfg0, 0);
    pmp_cuts = below(2);
    if (!pmp_cuts)
        return;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t rights = below(8);
        if ((rights & 3) == 2)
            rights = 7;
        uint64_t base = (uint64_t)data + 4096 * below(DATA_PAGES) + 8 * (below(3) ? 0 : below(512));
        uint64_t address = base >> 2, kind = 1 + below(3); /* TOR, NA4, NAPOT */
        if (kind == 3)
            address |= (1ull << below(11)) - 1;
        if (kind == 1 && i == 0)
            kind = 2; /* or it would begin at 0 */
        cfg |= (rights | kind << 3) << 8 * i;
        if (i == 0)
            csr_write(pmpaddr0, address);
        else if (i == 1)
            csr_write(pmpaddr1, address);
        else
            csr_write(pmpaddr2, address);
    }
    csr_write(pmpcfg0, cfg);
}

/* --- steps --------------------------------------------------------------------------------------
 */

static void log_trap(uint64_t value)
{
    const struct context *c = self();
    log_value("traps", c->count);
    log_value("cause", c->cause);
    log_value("tval", c->tval);
    log_value("epc", c->epc);
    log_value("value", value);
    log_end();
    traps_reset();
}

/* An address of the slot; near a page's end more often than not. An atomic's is aligned. So are all
 * where PMP entries may cut a page when the oracle is QEMU 7.2, which checks an access over two
 * pages as if they were one in physical memory. */
static uint64_t address_in(const struct slot *slot, bool aligned)
{
    aligned |= pmp_cuts && config.qemu72;
    unsigned offset = below(2) ? 4096 - 8 + below(12) : below(2 * 4096 - 8);
    return slot->va + (aligned ? offset & ~7u : offset);
}

static bool access_by_stub(unsigned priv, unsigned which, uint64_t va)
{
    uint64_t value = chance();
    log_begin(priv == S ? "S access" : "U access");
    log_value("stub", which);
    log_value("va", va);
    value = enter(priv, (priv == S ? STUB_S : STUB_U) + 16 * which, va, value);
    bool faulted = self()->cause != (priv == S ? ECALL_S : ECALL_U);
    log_trap(value);
    return !faulted;
}

/* An atomic that faults is a load at first for QEMU 7.2, with a load's cause and A bit: it gets
 * only those that a store has shown to work. */
static void step_access(void)
{
    const struct slot *slot = &slots[below(SLOTS)];
    unsigned which = below(slot->is_code ? FIRST_STORE : STUBS), priv = below(2) ? S : U;
    bool atomic = which == FIRST_AMO || which == FIRST_AMO + 1;
    uint64_t va = address_in(slot, which >= FIRST_AMO);
    if (atomic && config.qemu72 && !access_by_stub(priv, FIRST_STORE, va))
        return;
    access_by_stub(priv, which, va);
}

static void step_mprv(void)
{
    const struct slot *slot = &slots[below(SLOTS)];
    unsigned which = below(slot->is_code ? FIRST_STORE : FIRST_AMO), priv = below(2) ? S : U;
    uint64_t va = address_in(slot, false), value = chance();
    log_begin(priv == S ? "MPRV S" : "MPRV U");
    log_value("stub", which);
    log_value("va", va);
    if (which < FIRST_STORE)
        value = load_as(priv, va, stub_bytes[which]);
    else
        store_as(priv, va, stub_bytes[which], value);
    log_trap(value);
}

static void step_fetch(void)
{
    const struct slot *slot = &slots[below(SLOTS)];
    if (!slot->is_code)
        return;
    unsigned priv = below(2) ? S : U, offset = below(2) ? 4096 - 2 * below(32) : 2 * below(32);
    log_begin(priv == S ? "S fetch" : "U fetch");
    log_value("va", slot->va + offset);
    log_trap(enter(priv, slot->va + offset, 0, 1));
}

static void fence(uint64_t va)
{
    uint64_t asid = csr_read(satp) >> 44 & 0xffff;
    switch (below(4)) {
    case 0:
        sfence();
        break;
    case 1:
        asm volatile("sfence.vma %0" : : "r"(va) : "memory");
        break;
    case 2:
        asm volatile("sfence.vma %0" : : "r"(va) : "memory");
        asm volatile("sfence.vma %0, %1" : : "r"(va), "r"(asid) : "memory");
        break;
    default:
        sfence();
        break;
    }
}

static void step_change(struct space *s)
{
    const struct slot *slot = &slots[below(SLOTS)];
    unsigned page = slot->level ? 0 : below(2);
    set_entry(s, slot, page);
    fence(slot->va + 4096 * page);
    if (page == 0 && slot->level)
        sfence();
}

static void step(struct space *spaces, unsigned *current)
{
    unsigned kind = below(16);
    if (kind < 6) {
        step_access();
    } else if (kind < 9) {
        step_mprv();
    } else if (kind < 12) {
        step_fetch();
    } else if (kind == 12) {
        step_change(&spaces[*current]);
    } else if (kind == 13) {
        uint64_t bits = chance() & (MSTATUS_SUM | MSTATUS_MXR);
        csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
        csr_set(mstatus, bits);
    } else if (kind == 14) {
        *current ^= 1;
        csr_write(satp, satp_of(&spaces[*current], *current + 1));
        if (below(2)) /* global entries differ between the two */
            sfence();
        sfence();
    } else if (below(4) == 0) {
        set_pmp();
        sfence();
    }
}

static void log_entries(struct space *s)
{
    log_begin("entries");
    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t mask = (1ull << (12 + 9 * slots[i].level)) - 1;
        log_value("e", *entry(s, slots[i].va & ~mask, slots[i].level));
        if (!slots[i].level)
            log_value("e", *entry(s, slots[i].va + 4096, 0));
    }
    log_end();
}

static void prepare(void)
{
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)chance();
    for (unsigned i = 0; i < 2 * 2048; i++)
        code[i] = 0x0001; /* c.nop */
    for (unsigned page = 0; page < 2; page++) {
        code[page * 2048 + 100] = 0x0505; /* c.addi a0, 1; ecall */
        code[page * 2048 + 101] = 0x0073;
        code[page * 2048 + 102] = 0x0000;
    }
    code[2047] = 0x0513; /* addi a0, a0, 2 over both pages */
    code[2048] = 0x0025;
    code[4093] = 0x0073; /* ecall at the end */
    code[4094] = 0x0000;
    code[4095] = 0x9002;
    asm volatile("fence.i" : : : "memory");
}

static void run_seed(uint64_t seed)
{
    chance_state = seed * 0xd1342543de82ef95 + 777;
    chance_state = chance() ^ seed; /* far from the other seeds' sequences */
    result = seed;
    unsigned mode = SV39 + below(3), current = 0;
    struct space spaces[2];
    prepare();
    place_slots(mode);
    spaces[0] = *space_new(mode);
    spaces[1] = (struct space){mode, page_new()};
    make_space(&spaces[0]);
    make_space(&spaces[1]);
    set_pmp();
    csr_write(satp, satp_of(&spaces[0], 1));
    sfence();
    traps_reset();
    for (unsigned i = 0; i < STEPS; i++)
        step(spaces, &current);
    csr_write(satp, 0);
    csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
    csr_write(pmpcfg0, 0);
    sfence();
    log_entries(&spaces[0]);
    log_entries(&spaces[1]);
    log_begin("data");
    for (unsigned i = 0; i < sizeof(data); i += 8)
        result = (result ^ *(const uint64_t *)(data + i)) * 0xff51afd7ed558ccd;
    log_value("hash", 0);
    log_end();
    print("seed ");
    print_hex(seed);
    print(" ");
    print_hex(result);
    print("\n");
}

int main(void)
{
    csr_set(menvcfg, 1ull << 61); /* ADUE: QEMU 7.2 always updates A and D */
    uint64_t before = csr_read(minstret);
    for (uint64_t i = 0; i < config.count; i++)
        run_seed(config.seed + i);
    print("executed ");
    print_hex(csr_read(minstret) - before);
    print("\n");
    check("all seeds ran", true);
    return 0;
}

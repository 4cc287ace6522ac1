/* Random programs of privileged instructions, made inside the guest.
 *
 * A program is a page of instructions: reads and writes of CSRs with values that chance has made
 * legal, mret, sret, ecall, ebreak, fences, words that are no instruction, loads and stores through
 * chance page tables and PMP entries, stores into the program. It begins in a chance mode; what is
 * delegated goes to s_trap (trap.S), the rest to on_trap, and both go on behind the instruction.
 * All that a trap shows goes into the seed's hash, and at the end registers, CSRs, data and page
 * tables.
 *
 * What would let a program run away is left out: it does not write stvec, mtvec and the scratch
 * registers, and xret takes fuel. x16 and up hold operands and are never written. */
#include "tests/diff/config.h"
#include "tests/isa/lib/paging.h"

#define PROGRAMS   8u /* of a seed: page tables are made once */
#define SLOTS      96u
#define CHANGED    32u /* from here on CHANGES words may be stored over; no fuel is spent there */
#define CHANGES    8u
#define TRAPS      60u
#define DATA_PAGES 4u
#define ALIAS      0x2000000000ull /* where chance entries map the data */
#define SUPERPAGE  0x2100000000ull
#define HASH       0xff51afd7ed558ccdull

/* trap.S knows the layout. */
struct frame {
    uint64_t x[32];
    uint64_t sp; /* of the harness */
};
struct s_frame {
    uint64_t saved[4], hash, traps, factor;
    struct s_note *next;
    struct s_note {
        uint64_t cause, epc, tval, status;
    } notes[TRAPS + 2];
};
extern struct s_frame s_frame;
extern const char s_trap[];
void system_run(struct frame *frame);
uint64_t on_trap(struct frame *frame);

static uint8_t data[DATA_PAGES * 4096] __attribute__((aligned(16384)));
static uint32_t code[1024] __attribute__((aligned(4096)));
static struct space spaces[3];
static uint64_t roots[3][512] __attribute__((aligned(4096)));
static uint64_t chance_state, result, trap_count, executed;
static bool traps_sret; /* programs may set TSR; illegal instructions are not delegated then */
/* QEMU 7.2: xret below M leaves MPRV; of several interrupts the lowest number comes first; ebreak
 * gives no tval. So there is no MPRV, a seed has one kind of interrupt, and ebreak is left out. */
static uint64_t interrupts;

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
    result = (result ^ v) * HASH;
    result ^= result >> 32;
    if (config.verbose) {
        print(" ");
        print(name);
        print("=");
        print_hex(v);
    }
}

static void log_end(void)
{
    if (config.verbose)
        print("\n");
}

/* --- operands ----------------------------------------------------------------------------------
 */

enum {
    R_FUEL = 4,
    R_DATA = 8,
    R_ALIAS = 9,
    R_SATP = 16, /* to 20 */
    R_MEDELEG = 21,
    R_EPC,
    R_PMPADDR,
    R_MIDELEG,
    R_IE,
    R_MSTATUS,
    R_STATUS,
    R_IP,
    R_ANY,
    R_WORD,
    R_CODE,
};

static uint32_t i_type(unsigned opcode, unsigned f3, unsigned rd, unsigned rs1, int32_t imm)
{
    return opcode | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t s_type(unsigned f3, unsigned rs1, unsigned rs2, int32_t imm)
{
    return 0x23 | ((uint32_t)imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
           ((uint32_t)imm >> 5 & 127) << 25;
}

static unsigned any_register(void)
{
    static const uint8_t registers[] = {0, 5, 6, 7, 10, 11, 12, 13, 14, 15};
    return registers[below(sizeof registers)];
}

static uint32_t simple_word(void)
{
    static const uint8_t f3[] = {0, 2, 3, 4, 6, 7};
    return i_type(0x13, f3[below(6)], any_register(), any_register(), (int32_t)below(4096) - 2048);
}

/* No reserved MPP, and nothing of what QEMU 7.2 lets write though it has no H. */
static uint64_t chance_mstatus(void)
{
    uint64_t bits = chance() & (traps_sret ? 0x7e79aa : 0x3e79aa);
    if (config.qemu72)
        bits &= ~MSTATUS_MPRV;
    return (bits & MSTATUS_MPP) == 2ull << 11 ? bits | MSTATUS_MPP : bits;
}

/* Whatever the entry's kind, it covers data alone: page tables and handlers stay in reach. QEMU 7.2
 * forgets for a page in its TLB that an entry cuts it: there are only TOR entries of whole pages.
 */
static uint64_t chance_pmpaddr(void)
{
    if (config.qemu72)
        return ((uint64_t)data + 4096 * below(DATA_PAGES + 1)) >> 2;
    return ((uint64_t)data + below(sizeof data)) >> 2 | ((1ull << below(11)) - 1);
}

static void set_operands(uint64_t *x)
{
    for (unsigned i = 0; i < 3; i++)
        x[R_SATP + i] = (uint64_t)spaces[i].mode << 60 | (uint64_t)below(4) << 44 |
                        (uint64_t)spaces[i].root >> 12;
    x[R_SATP + 3] = 0;
    x[R_SATP + 4] = (uint64_t)(1 + below(7)) << 60 | (chance() >> 4);
    x[R_MEDELEG] = chance() & (traps_sret ? 0xb1fb : 0xb1ff);
    x[R_EPC] = (uint64_t)&code[below(SLOTS)];
    x[R_PMPADDR] = chance_pmpaddr();
    x[R_MIDELEG] = chance() & 0x222;
    x[R_IE] = chance() & interrupts;
    x[R_MSTATUS] = chance_mstatus();
    x[R_STATUS] = chance_mstatus() & ~MSTATUS_MPP;
    x[R_IP] = chance() & 0x222;
    x[R_ANY] = chance() >> below(64) | 1; /* QEMU 7.2 lets a 0 clear bits of a read-only CSR */
    x[R_WORD] = simple_word();
    x[R_CODE] = (uint64_t)code;
}

/* --- programs ----------------------------------------------------------------------------------
 */

/* A CSR and the register whose value it can be given; 0: it is only read. The counter enables get
 * the bits below 16: of counters that are not there they may read 0. */
static const struct {
    uint16_t number;
    uint8_t operand;
} csrs[] = {
    {0x300, R_STATUS},  {0x300, R_STATUS},  {0x300, R_STATUS},  {0x100, R_STATUS},
    {0x100, R_STATUS},  {0x304, R_IE},      {0x104, R_IE},      {0x344, R_IP},
    {0x144, R_IP},      {0x302, R_MEDELEG}, {0x303, R_MIDELEG}, {0x342, R_ANY},
    {0x343, R_ANY},     {0x142, R_ANY},     {0x143, R_ANY},     {0x106, R_MEDELEG},
    {0x306, R_MEDELEG}, {0x3b1, R_PMPADDR}, {0x305, 0},         {0x105, 0},
    {0xf14, R_ANY},     {0x180, 0},         {0x5c0, R_ANY},     {0x8ff, R_ANY},
    {0x7b0, R_ANY},     {0xfff, R_ANY},     {0x341, 0},         {0x141, 0},
    {0x3a2, 0},
};

static uint32_t csr_word(void)
{
    unsigned which = below(sizeof csrs / sizeof csrs[0]);
    unsigned number = csrs[which].number, operand = csrs[which].operand, rd = any_register();
    if (!operand)
        return i_type(0x73, 2, rd, 0, (int32_t)number);
    if (number == 0x300 && below(2))
        return i_type(0x73, 1, rd, R_MSTATUS, (int32_t)number);
    if (operand == R_PMPADDR) /* whole, or bits of two addresses would mix to one elsewhere */
        return i_type(0x73, 1, rd, operand, (int32_t)number);
    unsigned f3 = 1 + (number == 0x300 ? 1 + below(2) : below(3));
    return i_type(0x73, f3, rd, below(6) ? operand : 0, (int32_t)number);
}

static uint32_t special_csr_word(void)
{
    switch (below(3)) {
    case 0:
        return i_type(0x73, 1, any_register(), R_SATP + below(5), 0x180);
    case 1:
        return i_type(0x73, 1, any_register(), R_EPC, 0x341);
    default:
        return i_type(0x73, 1, any_register(), R_EPC, 0x141);
    }
}

static uint32_t memory_word(void)
{
    static const uint8_t loads[] = {0, 1, 2, 3, 4, 5, 6}, shifts[] = {0, 1, 2, 3, 0, 1, 2};
    unsigned base = below(2) ? R_DATA : R_ALIAS, which = below(2) ? below(7) : below(4);
    int32_t offset = ((int32_t)below(4096) - 2048) & -(1 << shifts[which]);
    if (below(2))
        return i_type(0x03, loads[which], any_register(), base, offset);
    return s_type(which & 3, base, any_register(),
                  (int32_t)((uint32_t)offset & -(1u << (which & 3))));
}

/* QEMU 7.2 remembers what PMP said until a fence, and for a TOR entry where the one before it
 * ended, until that entry itself is written (Privileged, "Address Matching": pmpaddr(i-1) is its
 * bound). */
static unsigned chance_pmpaddr_number(void)
{
    return config.qemu72 ? 0x3bb : 0x3b9 + below(3);
}

/* One to three words at code[at]; how many. */
static unsigned put_words(uint32_t *at)
{
    static const uint32_t system_words[] = {0x00100073, 0x00000073, 0x12000073, 0x0000100f,
                                            0x00000000, 0xffffffff, 0x30000073, 0x0ff0000f};
    unsigned kind = below(32);
    if (kind < 10) {
        at[0] = csr_word();
    } else if (kind < 13) {
        at[0] = special_csr_word();
    } else if (kind < 21) {
        at[0] = memory_word();
    } else if (kind < 23) {
        at[0] = system_words[(config.qemu72 ? 1 : 0) + below(config.qemu72 ? 7 : 8)];
    } else if (kind < 26) { /* xret, while there is fuel */
        at[0] = i_type(0x13, 0, R_FUEL, R_FUEL, -1);
        at[1] = 0x00004463 | R_FUEL << 15; /* blt fuel, zero, +8 */
        at[2] = below(2) ? 0x10200073 : 0x30200073;
        return 3;
    } else if (kind == 26) { /* a word of the program is another */
        at[0] = s_type(2, R_CODE, R_WORD, (int32_t)(4 * (CHANGED + below(CHANGES))));
        at[1] = 0x0000100f;
        return 2;
    } else if (kind == 28) {
        at[0] = i_type(0x73, 1, any_register(), R_PMPADDR, (int32_t)chance_pmpaddr_number());
        at[1] = 0x12000073;
        return 2;
    } else if (kind == 27) { /* the pointer into the alias moves */
        at[0] = i_type(0x13, 0, R_ALIAS, R_ALIAS, below(2) ? 1024 : -1024);
    } else {
        at[0] = simple_word();
    }
    return 1;
}

static void make_program(void)
{
    unsigned n = 0;
    while (n + 3 < CHANGED) /* no store without its fence */
        n += put_words(&code[n]);
    while (n < CHANGED + CHANGES)
        code[n++] = simple_word();
    while (n < SLOTS)
        n += put_words(&code[n]);
    for (; n < 1024; n++)
        code[n] = 0x00000073; /* ecall, until a handler has had enough */
    asm volatile("fence.i" : : : "memory");
}

/* --- page tables and protection ----------------------------------------------------------------
 */

static uint64_t chance_pte(void)
{
    uint64_t bits = chance() & (PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D);
    if (!(bits & (PTE_R | PTE_X)))
        bits |= PTE_R;
    return bits | (below(8) ? PTE_V : 0);
}

static void put_entry(struct space *s, uint64_t va, uint64_t pa, uint64_t bits, unsigned level)
{
    *entry(s, va, level) = pa >> 12 << 10 | bits;
}

/* Code and data where they are, the data twice elsewhere; the S handler and its frame. */
static void make_space(struct space *s)
{
    const uint64_t all = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;
    put_entry(s, (uint64_t)s_trap, (uint64_t)s_trap, all, 0);
    put_entry(s, (uint64_t)&s_frame, (uint64_t)&s_frame, all, 0);
    put_entry(s, (uint64_t)code, (uint64_t)code, all | (below(2) ? PTE_U : 0), 0);
    for (unsigned i = 0; i < DATA_PAGES; i++) {
        put_entry(s, (uint64_t)data + 4096 * i, (uint64_t)data + 4096 * i, chance_pte(), 0);
        put_entry(s, ALIAS + 4096 * i, (uint64_t)data + 4096 * i, chance_pte(), 0);
    }
    put_entry(s, SUPERPAGE, (uint64_t)data & ~0x1fffffull, chance_pte(), 1);
}

static void make_spaces(void)
{
    space_new(SV39); /* all pages are free again */
    for (unsigned i = 0; i < 3; i++) {
        spaces[i] = (struct space){SV39 + i, roots[i]};
        for (unsigned n = 0; n < 512; n++)
            roots[i][n] = 0;
        make_space(&spaces[i]);
    }
}

/* Entry 0 gives the S handler and its frame to everyone, the last one all the rest. */
static void set_pmp(void)
{
    uint64_t cfg = 0x1full << 56;
    csr_write(pmpaddr0, ((uint64_t)s_trap >> 2) | 1023);
    csr_write(pmpcfg0, 0x1f);
    csr_write(pmpaddr15, ~0ull >> 10);
    csr_write(pmpaddr8, (uint64_t)data >> 2);
    csr_write(pmpaddr9, chance_pmpaddr());
    csr_write(pmpaddr10, chance_pmpaddr());
    csr_write(pmpaddr11, chance_pmpaddr());
    if (below(2))
        for (unsigned i = 1; i < 4; i++) {
            uint64_t rights = below(8);
            cfg |= ((rights & 3) == 2 ? 7 : rights) << 8 * i |
                   (uint64_t)below(config.qemu72 ? 2 : 4) << (8 * i + 3);
        }
    csr_write(pmpcfg2, cfg);
    sfence();
    log_value("pmpcfg2", cfg);
    log_value("pmpaddr9", csr_read(pmpaddr9));
    log_value("pmpaddr10", csr_read(pmpaddr10));
    log_value("pmpaddr11", csr_read(pmpaddr11));
    log_end();
}

/* --- running -----------------------------------------------------------------------------------
 */

static uint64_t handle(struct frame *frame)
{
    uint64_t cause = csr_read(mcause), epc = csr_read(mepc), status = csr_read(mstatus);
    log_value("cause", cause);
    log_value("epc", epc);
    log_value("tval", csr_read(mtval));
    log_value("status", status & 0x7e79aa);
    for (unsigned i = 5; i < 16; i++)
        log_value("x", frame->x[i]);
    log_end();
    if (++trap_count > TRAPS)
        return 1;
    if (cause >> 63) {
        csr_clear(mie, 1ull << (cause & 63));
        return 0;
    }
    bool in_handler = epc - (uint64_t)s_trap < 4096;
    if (in_handler || cause == FETCH_PAGE || cause <= FETCH_ACCESS)
        return 1;
    set_operands(frame->x);
    csr_write(mepc, epc + 4);
    return 0;
}

/* 1: the program ends. What the harness itself executes is not counted. */
uint64_t on_trap(struct frame *frame)
{
    uint64_t before = csr_read(minstret);
    uint64_t end = handle(frame);
    executed -= csr_read(minstret) - before;
    return end;
}

static void log_csrs(void)
{
    log_value("mie", csr_read(mie) & 0xaaa);
    log_value("mip", csr_read(mip) & 0xaaa);
    log_value("medeleg", csr_read(medeleg) & 0xb3ff);
    log_value("mideleg", csr_read(mideleg) & 0x222);
    log_value("sepc", csr_read(sepc));
    log_value("scause", csr_read(scause));
    log_value("stval", csr_read(stval));
    log_value("satp", csr_read(satp));
    log_value("scounteren", csr_read(scounteren));
    log_value("mcounteren", csr_read(mcounteren));
    log_value("pmpaddr1", csr_read(pmpaddr1));
    log_value("pmpaddr9", csr_read(pmpaddr9));
}

/* The traps of S-mode, in their order; those of M-mode stand before them. */
static void log_s_traps(void)
{
    log_value("s-hash", s_frame.hash);
    log_end();
    for (const struct s_note *n = s_frame.notes; config.verbose && n < s_frame.next; n++) {
        log_value("s-cause", n->cause);
        log_value("s-epc", n->epc);
        log_value("s-tval", n->tval);
        log_value("s-status", n->status);
        log_end();
    }
}

static void set_csrs(uint64_t *x)
{
    csr_write(mstatus, chance_mstatus() & ~(MSTATUS_MIE | MSTATUS_MPRV));
    csr_write(medeleg, x[R_MEDELEG]);
    csr_write(mideleg, x[R_MIDELEG]);
    csr_write(mie, x[R_IE]);
    csr_write(mip, x[R_IP]);
    csr_write(satp, x[R_SATP + below(4)]);
    csr_write(stvec, s_trap);
    csr_write(sscratch, &s_frame);
    csr_write(sepc, &code[below(SLOTS)]);
    csr_write(mepc, code);
}

static void run_one(void)
{
    static struct frame frame;
    make_program();
    set_pmp();
    for (unsigned i = 0; i < 32; i++)
        frame.x[i] = chance() >> below(64);
    frame.x[2] = 0;
    frame.x[R_FUEL] = 12;
    frame.x[R_DATA] = (uint64_t)data + 2048 + 4096 * below(3);
    frame.x[R_ALIAS] =
        below(3) ? ALIAS + 4096 * below(4) : SUPERPAGE + ((uint64_t)data & 0x1fffff) + 2048;
    set_operands(frame.x);
    s_frame.hash = result;
    s_frame.traps = TRAPS;
    s_frame.factor = HASH;
    s_frame.next = s_frame.notes;
    trap_count = 0;
    uint64_t before = csr_read(minstret);
    set_csrs(frame.x);
    system_run(&frame);
    executed += csr_read(minstret) - before;
    csr_write(mstatus, MSTATUS_FS);
    csr_write(mie, 0);
    csr_write(mip, 0);
    log_csrs();
    csr_write(satp, 0);
    csr_write(pmpcfg2, 0x1full << 56); /* an entry's bounds cut accesses of M-mode too */
    for (unsigned i = 0; i < 32; i++)
        log_value("x", frame.x[i]);
    log_end();
    log_s_traps();
}

static void log_memory(void)
{
    for (unsigned i = 0; i < sizeof data; i += 8)
        result = (result ^ *(const uint64_t *)(data + i)) * HASH;
    for (unsigned s = 0; s < 3; s++) {
        for (unsigned i = 0; i < DATA_PAGES; i++) {
            log_value("pte", *entry(&spaces[s], (uint64_t)data + 4096 * i, 0));
            log_value("alias", *entry(&spaces[s], ALIAS + 4096 * i, 0));
        }
        log_value("superpage", *entry(&spaces[s], SUPERPAGE, 1));
    }
    log_end();
}

static void run_seed(uint64_t seed)
{
    chance_state = seed * 0xd1342543de82ef95 + 999;
    chance_state = chance() ^ seed;
    result = seed;
    traps_sret = below(4) == 0;
    interrupts = config.qemu72 ? 2ull << 2 * below(6) : 0xaaa;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)chance();
    make_spaces();
    for (unsigned i = 0; i < PROGRAMS; i++)
        run_one();
    log_memory();
    print("seed ");
    print_hex(seed);
    print(" ");
    print_hex(result);
    print("\n");
}

int main(void)
{
    csr_set(menvcfg, 1ull << 61); /* ADUE: QEMU 7.2 always updates A and D */
    MTIMECMP(0) = ~0ull;
    for (uint64_t i = 0; i < config.count; i++)
        run_seed(config.seed + i);
    print("executed ");
    print_hex(executed);
    print("\n");
    check("all seeds ran", true);
    return 0;
}

/* Nothing that a guest can see depends on where blocks end: random programs, which store into their
 * own code, run under random page tables and fault all the time, leave the same state however they
 * are cut up: run straight, in pieces with save and load between, under stress, and watched. The
 * programs come from a seed, which a failure names. */
#include "cpu/peek.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define SEEDS     48
#define STEPS     60000
#define PAGES     2 /* of code, all of which is data, too */
#define HANDLER_M (BENCH_RAM + 0x30000)
#define HANDLER_S (BENCH_RAM + 0x30800)
#define TABLES    (BENCH_RAM + 0x80000) /* root, one table of level 1, two of level 0 */
#define WHOLE     ((1ull << 54) - 1)    /* pmpaddr of NAPOT: the whole space */
#define LEAF      0xcfull               /* D A - - X W R V */

struct program {
    struct bench bench;
    uint64_t chance;
};

static uint64_t next(struct program *p)
{
    uint64_t z = p->chance += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Mostly into the code pages, by either of the two windows onto them. */
static uint64_t random_pointer(struct program *p)
{
    uint64_t offset = next(p) % (PAGES * PAGE_BYTES);
    switch (next(p) % 16) {
    case 0:
        return BENCH_RAM + (offset & PAGE_MASK) + PAGE_BYTES - next(p) % 8;
    case 1:
        return BENCH_DEVICE + next(p) % 32;
    case 2:
        return BENCH_ROM + offset % BENCH_ROM_BYTES;
    case 3:
        return next(p);
    case 4:
        return BENCH_RAM + BENCH_RAM_BYTES - next(p) % 8;
    case 5:
        return 0xffffffc000000000ull + offset;
    default:
        return BENCH_RAM + (offset & ~7ull);
    }
}

static uint32_t random_instruction(struct program *p)
{
    static const char *const often[] = {"sd", "sw", "sb", "jal", "beq", "jalr", "sfence_vma"};
    /* All but the trap vectors: status, interrupts, satp, stimecmp, PMP, counters, fcsr. */
    static const uint16_t csrs[] = {0x100, 0x104, 0x140, 0x144, 0x14d, 0x180, 0x300, 0x302,
                                    0x303, 0x344, 0x001, 0x002, 0x003, 0x30a, 0x3a0, 0x3b0,
                                    0xc00, 0xc01, 0xc02, 0xb00, 0xb02, 0x320};
    if (next(p) % 32 == 0)
        return (uint32_t)next(p);
    const struct insn *row =
        next(p) % 8 ? &insns[next(p) % insn_count] : asm_row(often[next(p) % ARRAY_LEN(often)]);
    struct decoded operands = {.rd = next(p) % 32,
                               .rs1 = next(p) % 32,
                               .rs2 = next(p) % 32,
                               .rs3 = next(p) % 32,
                               .rm = next(p) % 8,
                               .imm = (int32_t)next(p)};
    if (next(p) % 3)
        operands.imm = (int32_t)(next(p) % 256) - 128;
    if (row->format == FORMAT_CSR)
        operands.imm = csrs[next(p) % ARRAY_LEN(csrs)];
    return insn_encode(p->bench.code->decoder, row, &operands);
}

static void put_code(struct program *p)
{
    while (p->bench.a.pc < BENCH_RAM + PAGES * PAGE_BYTES - 4)
        asm_word(&p->bench.a, random_instruction(p));
}

/* Sets the timer again, and goes on somewhere in the code, which the cycle counter says, with other
 * pointers. */
static void put_handler(struct program *p, uint64_t at, bool machine)
{
    struct assembler *a = &p->bench.a;
    a->pc = at;
    ASM(a, csrrs, .rd = 31, .imm = 0xc01);
    ASM(a, addi, .rd = 31, .rs1 = 31, .imm = 1 + next(p) % 16);
    ASM(a, csrrw, .rs1 = 31, .imm = 0x14d);
    ASM(a, csrrci, .rs1 = 2, .imm = machine ? 0x344 : 0x144); /* SSIP */
    ASM(a, csrrs, .rd = 31, .imm = machine ? 0xb00 : 0xc00);
    ASM(a, mul, .rd = 31, .rs1 = 31, .rs2 = 31);
    ASM(a, srli, .rd = 31, .rs1 = 31, .imm = 2);
    ASM(a, lui, .rd = 30, .imm = 0x2000);
    ASM(a, addi, .rd = 30, .rs1 = 30, .imm = -2);
    ASM(a, and, .rd = 31, .rs1 = 31, .rs2 = 30);
    ASM(a, addi, .rd = 30, .imm = 1);
    ASM(a, slli, .rd = 30, .rs1 = 30, .imm = 31);
    ASM(a, add, .rd = 31, .rs1 = 31, .rs2 = 30);
    ASM(a, csrrw, .rs1 = 31, .imm = machine ? 0x341 : 0x141);
    ASM(a, andi, .rd = 31, .rs1 = 31, .imm = -8);
    for (uint8_t rd = 5; rd < 23; rd += 3)
        ASM(a, addi, .rd = rd, .rs1 = 31, .imm = (int32_t)(next(p) % 512) * 8 - 2048);
    ASM(a, lui, .rd = 30, .imm = 0x2000 * (int32_t)(next(p) % 4)); /* FS to what it may be */
    ASM(a, csrrs, .rs1 = 30, .imm = machine ? 0x300 : 0x100);
    asm_put(a, machine ? "mret" : "sret", (struct decoded){0});
}

/* Sv39: RAM at its own address and at the beginning of the upper half, one page in four elsewhere,
 * with whatever permissions; the device and the ROM by a superpage. */
static void put_tables(struct program *p)
{
    static const uint64_t flags[] = {0x0f, 0x4f, 0x1f, 0xdf, 0xdf, 0xdf, LEAF, LEAF, LEAF, LEAF};
    uint64_t level1 = TABLES + PAGE_BYTES;
    bench_poke(&p->bench, TABLES, LEAF);
    bench_poke(&p->bench, TABLES + 8 * 2, level1 >> 2 | 1);
    bench_poke(&p->bench, TABLES + 8 * 256, level1 >> 2 | 1);
    bench_poke(&p->bench, level1, (level1 + PAGE_BYTES) >> 2 | 1);
    bench_poke(&p->bench, level1 + 8, (level1 + 2 * PAGE_BYTES) >> 2 | 1);
    for (unsigned i = 0; i < 1024; i++) {
        uint64_t page = next(p) % 4 ? i % 256 : next(p) % PAGES;
        uint64_t bits = next(p) % 16 ? flags[next(p) % ARRAY_LEN(flags)] : next(p) % 256;
        if (i % 256 == (HANDLER_S - BENCH_RAM) / PAGE_BYTES)
            page = i % 256, bits = LEAF;
        bench_poke(&p->bench, level1 + PAGE_BYTES + 8 * i,
                   (BENCH_RAM + page * PAGE_BYTES) >> 2 | bits);
    }
}

static void set_registers(struct program *p)
{
    struct hart *h = p->bench.h;
    for (unsigned i = 1; i < 32; i++)
        h->x[i] = random_pointer(p);
    for (unsigned i = 0; i < 32; i++)
        h->f[i] = next(p);
    h->csr.mtvec = HANDLER_M;
    h->csr.stvec = HANDLER_S;
    h->csr.medeleg = next(p) & 0xa3fd;
    h->csr.mideleg = next(p) & 0x222;
    h->csr.mie = next(p) & 0x22;
    h->csr.mstatus = next(p) & (MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_MIE | MSTATUS_SIE |
                                MSTATUS_SPP | MSTATUS_MPIE | (next(p) % 4 ? 0 : MSTATUS_MPRV));
    h->csr.menvcfg = (next(p) & ENVCFG_ADUE) | ENVCFG_STCE | ENVCFG_CBZE | ENVCFG_CBCFE;
    h->csr.mcounteren = h->csr.scounteren = UINT32_MAX;
    h->csr.pmpcfg[1] = 0x1f;
    h->csr.pmpaddr[1] = WHOLE;
    if (next(p) % 3 == 0) { /* an area inside the code that can only be read and executed */
        h->csr.pmpcfg[0] = 0x1d;
        h->csr.pmpaddr[0] = random_pointer(p) >> 2 & WHOLE;
    }
    h->csr.satp = next(p) % 3 ? (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | TABLES >> 12 : 0;
    h->csr.stimecmp = next(p) % 64;
    h->priv = (uint8_t[]){PRIV_U, PRIV_S, PRIV_M}[next(p) % 3];
    p->bench.dma_gpa = BENCH_RAM + (next(p) % (PAGES * PAGE_BYTES) & ~3ull);
    p->bench.dma_word = random_instruction(p);
    hart_update_code_context(h);
    hart_update_translation(h);
    hart_flush_tlb(h);
}

static void program_init(struct program *p, uint64_t seed, bool stress)
{
    p->chance = seed;
    bench_init_shift(&p->bench, next(p) % 4);
    p->bench.a.size = TABLES - BENCH_RAM;
    p->bench.code->stress = p->bench.h->stress = stress;
    put_code(p);
    put_handler(p, HANDLER_M, true);
    put_handler(p, HANDLER_S, false);
    put_tables(p);
    for (uint64_t at = BENCH_RAM; at < TABLES; at += PAGE_BYTES) /* marks what was assembled */
        bench_poke(&p->bench, at, bench_peek(&p->bench, at));
    set_registers(p);
}

static void run_to(struct program *p, uint64_t steps)
{
    struct hart *h = p->bench.h;
    while (h->steps < steps) {
        h->waiting = false; /* nobody else would wake it */
        hart_run(h, steps);
    }
}

/* Into itself: what the caches know is dropped, or must still be true. */
static void save_and_load(struct program *p)
{
    struct state *saved = state_new_save();
    memory_state(p->bench.memory, saved);
    hart_state(p->bench.h, saved);
    size_t size;
    const void *data = state_data(saved, &size);
    struct state *s = state_new_load(data, size);
    memory_state(p->bench.memory, s);
    hart_state(p->bench.h, s);
    ck_assert_msg(state_ok(s), "%s", state_error(s));
    state_free(s);
    state_free(saved);
}

static void run_in_pieces(struct program *p)
{
    for (uint64_t steps = 0; steps < STEPS;) {
        steps = min_u64(STEPS, steps + 1 + next(p) % (next(p) % 4 ? 100 : 2000));
        run_to(p, steps);
        if (next(p) % 4 == 0)
            save_and_load(p);
        if (next(p) % 8 == 0)
            code_flush(p->bench.code);
    }
}

/* An observer of everything, which looks about as a trace does. */
struct watcher {
    uint64_t retired, begun, sampled;
    struct hart_observer observer;
};

static void on_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct watcher *w = owner;
    uint32_t word;
    if (n->kind == NOTICE_BEGINS && peek_memory(h, h->pc, &word, 2))
        w->begun++;
    if (n->kind == NOTICE_RAN)
        w->retired += n->number;
    if (n->kind == NOTICE_SAMPLE) {
        w->sampled++;
        w->observer.sample_step = h->steps + 777;
    }
}

static uint64_t hash_when_watched(uint64_t seed, enum code_watch watch)
{
    struct program p;
    struct watcher w = {.observer = {.notice = on_notice, .owner = &w, .wants = UINT32_MAX}};
    program_init(&p, seed, false);
    code_set_watch(p.bench.code, watch);
    hart_set_observer(p.bench.h, &w.observer);
    if (watch == CODE_STRAIGHT) /* no runs: samples alone */
        w.observer.wants = seed % 2 ? UINT32_MAX : ~NOTICE_RUNS;
    run_to(&p, STEPS);
    if (w.observer.wants == UINT32_MAX)
        ck_assert_uint_eq(w.retired, p.bench.h->steps - p.bench.h->traps);
    ck_assert_uint_gt(w.sampled, STEPS / 1000);
    uint64_t hash = bench_hash(&p.bench);
    bench_free(&p.bench);
    return hash;
}

START_TEST(a_random_program_ends_in_the_same_state_however_it_is_cut_up)
{
    struct program straight, pieces, stress;
    uint64_t seed = (uint64_t)_i + 1;
    program_init(&straight, seed, false);
    program_init(&pieces, seed, false);
    program_init(&stress, seed, true);
    run_to(&straight, STEPS);
    run_in_pieces(&pieces);
    run_to(&stress, STEPS);
    uint64_t hash = bench_hash(&straight.bench);
    ck_assert_msg(hash == bench_hash(&pieces.bench), "seed %u differs in pieces", (unsigned)seed);
    ck_assert_msg(hash == bench_hash(&stress.bench), "seed %u under stress", (unsigned)seed);
    ck_assert_msg(hash == hash_when_watched(seed, CODE_SINGLE), "seed %u watched by instructions",
                  (unsigned)seed);
    ck_assert_msg(hash == hash_when_watched(seed, CODE_STRAIGHT), "seed %u watched by blocks",
                  (unsigned)seed);
    bench_free(&straight.bench);
    bench_free(&pieces.bench);
    bench_free(&stress.bench);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block ends");
    TCase *t = tcase_create("random programs");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_random_program_ends_in_the_same_state_however_it_is_cut_up, 0, SEEDS);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

/* Random code in S-mode, which stores into itself, faults, is interrupted and changes its CSRs,
 * ends in the same state however it is run. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define TRAPS   BENCH_RAM
#define CODE    (BENCH_RAM + 0x4000)
#define PAGES   4u
#define ROOT    (BENCH_RAM + 0x10000)
#define CODE_VA 0x40000000ull
#define STEPS   30000u

#define CSR_SATP     0x180
#define CSR_STIMECMP 0x14d
#define CSR_MSTATUS  0x300
#define CSR_MEPC     0x341
#define CSR_MCAUSE   0x342
#define CSR_MTVAL    0x343
#define CSR_TIME     0xc01

enum { T3 = 28, T4, T5, T6 };

static uint32_t below(uint64_t *random, uint32_t n)
{
    *random = *random * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((*random >> 33) % n);
}

/* A handler in M-mode: mixes cause and address into t2, arms the next timer, goes on at a random
 * place with random FS. t0 is its random state. Code that was stored over may write any register.
 */
static void put_handler(struct bench *b)
{
    struct assembler *a = &b->a;
    a->pc = TRAPS;
    asm_li(a, S0, CODE_VA + 2 * PAGE_BYTES);
    asm_li(a, S1, CODE_VA);
    asm_li(a, T1, (int64_t)((uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12));
    ASM(a, csrrs, .rd = T3, .imm = CSR_MCAUSE);
    ASM(a, csrrs, .rd = T4, .imm = CSR_MTVAL);
    ASM(a, add, .rd = T3, .rs1 = T3, .rs2 = T4);
    ASM(a, slli, .rd = T4, .rs1 = T2, .imm = 5);
    ASM(a, sub, .rd = T2, .rs1 = T4, .rs2 = T2);
    ASM(a, add, .rd = T2, .rs1 = T2, .rs2 = T3);
    asm_li(a, T3, 0x41c64e6d);
    ASM(a, mul, .rd = T0, .rs1 = T0, .rs2 = T3);
    ASM(a, addi, .rd = T0, .rs1 = T0, .imm = 0x39);
    ASM(a, srli, .rd = T3, .rs1 = T0, .imm = 40);
    ASM(a, csrrs, .rd = T4, .imm = CSR_TIME);
    ASM(a, andi, .rd = T5, .rs1 = T3, .imm = 63);
    ASM(a, add, .rd = T4, .rs1 = T4, .rs2 = T5);
    ASM(a, csrrw, .rs1 = T4, .imm = CSR_STIMECMP);
    asm_li(a, T4, PAGES * PAGE_BYTES - 2);
    ASM(a, and, .rd = T4, .rs1 = T3, .rs2 = T4);
    ASM(a, add, .rd = T4, .rs1 = T4, .rs2 = S1);
    ASM(a, csrrw, .rs1 = T4, .imm = CSR_MEPC);
    asm_li(a, T4, MSTATUS_FS);
    ASM(a, and, .rd = T3, .rs1 = T0, .rs2 = T4);
    asm_li(a, T4, (int64_t)PRIV_S << MSTATUS_MPP_SHIFT);
    ASM(a, or, .rd = T3, .rs1 = T3, .rs2 = T4);
    ASM(a, csrrw, .rs1 = T3, .imm = CSR_MSTATUS);
    ASM(a, csrrw, .rs1 = T1, .imm = CSR_SATP);
    ASM(a, mret);
}

/* One instruction: any row, registers a0 to a5 written, addresses near s0 or s1. */
static void put_random_instruction(struct bench *b, uint64_t *random)
{
    static const uint16_t csrs[] = {1, 2, 3, 0x100, 0x140, 0x141, 0x143, 0x180, 0xc00, 0xc02};
    const struct insn *row = &insns[below(random, insn_count)];
    if (below(random, 3) == 0) /* most rows are rare in real code */
        row = asm_row(below(random, 2) ? "addi" : "sd");
    struct decoded in = {.rd = (uint8_t)(A0 + below(random, 6)),
                         .rs1 = (uint8_t)(A0 + below(random, 6)),
                         .rs2 = (uint8_t)(A0 + below(random, 6)),
                         .rs3 = (uint8_t)below(random, 32),
                         .rm = (uint8_t)(below(random, 4) ? 7 : below(random, 8)),
                         .imm = (int32_t)below(random, 4096) - 2048};
    if (row->format == FORMAT_CSR)
        in.imm = csrs[below(random, ARRAY_LEN(csrs))];
    else if (strchr(row->operands, '('))
        in.rs1 = below(random, 2) ? S0 : S1;
    if (row->format == FORMAT_J || row->format == FORMAT_JR)
        in.rd = below(random, 2) ? RA : ZERO;
    if (row->format == FORMAT_B)
        in.imm = (int32_t)below(random, 256) - 128;
    if (b->a.pc + 4 <= CODE + PAGES * PAGE_BYTES)
        asm_word(&b->a, insn_encode(b->a.decoder, row, &in));
    else
        b->a.pc = CODE + PAGES * PAGE_BYTES;
}

static void put_page_tables(struct bench *b)
{
    bench_poke(b, ROOT + (CODE_VA >> 30) * 8, (ROOT + 0x1000) >> 2 | PTE_V);
    bench_poke(b, ROOT + 0x1000, (ROOT + 0x2000) >> 2 | PTE_V);
    for (unsigned i = 0; i < PAGES; i++) /* in another order; A and D come from use */
        bench_poke(b, ROOT + 0x2000 + i * 8,
                   (CODE + (i ^ 1) * PAGE_BYTES) >> 2 | PTE_V | PTE_R | PTE_W | PTE_X);
}

static void init_random(struct bench *b, uint64_t seed)
{
    bench_init_shift(b, 5);
    put_handler(b);
    b->a.pc = CODE;
    while (b->a.pc < CODE + PAGES * PAGE_BYTES)
        put_random_instruction(b, &seed);
    put_page_tables(b);
    struct hart *h = b->h;
    pmp_write_addr(h, 15, ~0ull);
    pmp_write_cfg(h, 2, 0x1full << 56);
    h->csr.mtvec = TRAPS;
    h->csr.mie = 1 << IRQ_STIP;
    h->csr.menvcfg = ENVCFG_STCE | ENVCFG_ADUE | ENVCFG_CBZE | ENVCFG_CBCFE | ENVCFG_CBIE;
    h->csr.mcounteren = 7;
    h->x[T0] = seed;
}

/* Sleeping and yielding are nothing here: the hart runs on. */
static void run_to(struct bench *b, uint64_t end)
{
    while (b->h->steps < end)
        hart_run(b->h, end);
}

static void check_end(struct bench *b, uint64_t wanted, const char *how, int seed)
{
    ck_assert_msg(bench_hash(b) == wanted, "seed %d: %s ends elsewhere", seed, how);
    bench_free(b);
}

static uint64_t straight(int seed)
{
    struct bench b;
    init_random(&b, (uint64_t)seed);
    run_to(&b, STEPS);
    ck_assert_uint_ge(b.h->traps, 100);
    ck_assert_uint_ge(b.code->stats.pages_dropped, 1);
    uint64_t hash = bench_hash(&b);
    bench_free(&b);
    return hash;
}

START_TEST(random_code_ends_the_same_in_pieces_under_stress_and_with_breakpoints)
{
    uint64_t wanted = straight(_i), random = (uint64_t)_i;
    struct bench b;
    init_random(&b, (uint64_t)_i);
    while (b.h->steps < STEPS)
        run_to(&b, min_u64(b.h->steps + 1 + below(&random, 150), STEPS));
    check_end(&b, wanted, "a run in pieces", _i);
    init_random(&b, (uint64_t)_i);
    b.h->stress = b.code->stress = true;
    run_to(&b, STEPS);
    check_end(&b, wanted, "a run under stress", _i);
    init_random(&b, (uint64_t)_i);
    for (unsigned i = 0; i < 20; i++)
        ck_assert(code_add_breakpoint(b.code, CODE_VA + below(&random, 0x2000) * 2));
    run_to(&b, STEPS);
    check_end(&b, wanted, "a run with breakpoints", _i);
    init_random(&b, (uint64_t)_i);
    for (unsigned i = 0; i < 30; i++) {
        run_to(&b, STEPS * (i + 1) / 30);
        code_flush(b.code);
        tlb_poison_all(b.h->tlb);
    }
    check_end(&b, wanted, "a run with flushed caches", _i);
}
END_TEST

START_TEST(random_code_ends_the_same_when_it_is_saved_and_loaded)
{
    uint64_t wanted = straight(_i), random = (uint64_t)_i;
    struct bench from, to;
    init_random(&from, (uint64_t)_i);
    init_random(&to, (uint64_t)_i + 1000);
    run_to(&to, 5000);
    run_to(&from, 1 + below(&random, STEPS - 1));
    struct state *save = state_new_save();
    memory_state(from.memory, save);
    hart_state(from.h, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    memory_state(to.memory, load);
    hart_state(to.h, load);
    ck_assert_msg(state_ok(load), "%s", state_error(load));
    state_free(load);
    state_free(save);
    bench_free(&from);
    run_to(&to, STEPS);
    check_end(&to, wanted, "a run that was saved and loaded", _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random_code");
    TCase *tc = tcase_create("random_code");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, random_code_ends_the_same_in_pieces_under_stress_and_with_breakpoints,
                        0, 16);
    tcase_add_loop_test(tc, random_code_ends_the_same_when_it_is_saved_and_loaded, 0, 16);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

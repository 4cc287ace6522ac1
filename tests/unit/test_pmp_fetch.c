/* Fetching from a page that PMP cuts: privileged manual, section "Priority and Matching Logic". An
 * instruction is fetched by halfwords, as on Spike: each must be allowed, and tval has the address
 * of the first that is not. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define BEFORE     (BENCH_RAM + 0x7000) /* a page that is not cut, then one that is, then another */
#define CUT        (BENCH_RAM + 0x8000)
#define BEHIND     (BENCH_RAM + 0x9000)
#define HANDLER_AT (BENCH_RAM + 0x800)
#define ROOT       (BENCH_RAM + 0x40000)
#define STEPS      200u

#define PMP_RWX   0x07u
#define PMP_TOR   0x08u
#define PMP_L     0x80u
#define C_ADDI_A0 0x0505u     /* c.addi a0, 1 */
#define ADDI_A0   0x00150513u /* addi a0, a0, 1 */

/* Bytes that nobody may execute. */
struct hole {
    uint64_t from, end;
};

static const struct hole holes[] = {
    {CUT + 0x100, CUT + 0x104},   /* in the middle */
    {CUT + 0x100, BEHIND},        /* up to the next page */
    {CUT + 0x100, BEHIND + 0x80}, /* into it */
    {CUT, CUT + 0x40},            /* from where the page begins */
    {BEFORE + 0xffc, CUT + 8},    /* over that */
    {BEHIND - 4, BEHIND},         /* where the page ends */
};

/* What the pages are full of. */
enum code { NARROW, WIDE, WIDE_AND_ODD, CODES };
/* How the hart comes to its first instruction there, and in which privilege. */
enum entry { BY_MRET, BY_SRET, BY_JAL, BY_JALR, ENTRIES };
enum run { STRAIGHT, STEPWISE, STRESSED, RUNS };
static const enum priv privs[] = {PRIV_U, PRIV_S, PRIV_M};

struct visit {
    struct hole hole;
    enum code code;
    enum entry entry;
    enum priv priv;
    bool translated;
    enum run run;
    uint64_t start;
};

static unsigned length_of(enum code code, uint64_t pc)
{
    return code == NARROW || (code == WIDE_AND_ODD && pc == BEFORE) ? 2 : 4;
}

static void put_code(struct bench *b, enum code code)
{
    b->a.pc = HANDLER_AT;
    ASM(&b->a, jal, .imm = 0);
    b->a.pc = BEFORE;
    while (b->a.pc < BEHIND + PAGE_BYTES)
        asm_word(&b->a, length_of(code, b->a.pc) == 2 ? C_ADDI_A0 : ADDI_A0);
}

/* The hole is denied to M-mode too; what lies before and behind it is open. */
static void put_rules(struct hart *h, const struct hole *hole)
{
    pmp_write_addr(h, 0, hole->from >> 2);
    pmp_write_addr(h, 1, hole->end >> 2);
    pmp_write_addr(h, 2, UINT64_MAX);
    pmp_write_cfg(h, 0, (PMP_TOR | PMP_RWX) | (PMP_L | PMP_TOR) << 8 | (PMP_TOR | PMP_RWX) << 16);
}

/* A superpage with RAM where it lies. */
static void put_translation(struct bench *b, enum priv priv)
{
    uint64_t bits = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | (priv == PRIV_U ? PTE_U : 0);
    bench_poke(b, ROOT + (BENCH_RAM >> 30) * 8, BENCH_RAM >> 12 << 10 | bits);
    b->h->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12;
}

static void put_entry(struct bench *b, enum entry entry, uint64_t start)
{
    b->a.pc = BENCH_RAM;
    switch (entry) {
    case BY_MRET:
        ASM(&b->a, mret);
        break;
    case BY_SRET:
        ASM(&b->a, sret);
        break;
    case BY_JAL:
        ASM(&b->a, jal, .imm = asm_to(&b->a, start));
        break;
    default:
        ASM(&b->a, jalr, .rs1 = S0);
    }
}

static void prepare(struct bench *b, const struct visit *v)
{
    struct hart *h = b->h;
    hart_reset(h, BENCH_RAM);
    put_rules(h, &v->hole);
    put_entry(b, v->entry, v->start);
    if (v->translated)
        put_translation(b, v->priv);
    code_flush(b->code);
    h->csr.mtvec = HANDLER_AT;
    h->csr.mepc = h->csr.sepc = h->x[S0] = v->start;
    h->csr.mstatus = (uint64_t)v->priv << MSTATUS_MPP_SHIFT | (v->priv == PRIV_S ? MSTATUS_SPP : 0);
    hart_set_priv(h, v->entry == BY_JAL || v->entry == BY_JALR ? v->priv : PRIV_M);
    h->stress = v->run == STRESSED;
}

static bool is_open(const struct visit *v, uint64_t pc)
{
    return pc < v->hole.from || pc >= v->hole.end;
}

/* Visits, and compares with the manual's rule. */
static void visit(struct bench *b, const struct visit *v)
{
    const struct hart *h = b->h;
    uint64_t pc = v->start, run = 0;
    prepare(b, v);
    for (unsigned step = 0; step < STEPS; step++)
        if (v->run == STEPWISE || step == 0)
            bench_run(b, v->run == STEPWISE ? 1 : STEPS);
    while (run < STEPS - 1 && is_open(v, pc) && is_open(v, pc + length_of(v->code, pc) - 2)) {
        pc += length_of(v->code, pc);
        run++;
    }
    bool faults = run < STEPS - 1;
    uint64_t tval = is_open(v, pc) ? pc + 2 : pc;
    ck_assert_msg(
        h->x[A0] == run && h->csr.mcause == (faults ? CAUSE_FETCH_ACCESS : 0) &&
            (!faults || (h->csr.mepc == pc && h->csr.mtval == tval)) &&
            h->priv == (faults ? PRIV_M : v->priv),
        "hole 0x%llx, code %u, entry %u, privilege %u, translated %u, run %u, from 0x%llx: "
        "ran %u, cause %u at 0x%llx, tval 0x%llx",
        (unsigned long long)v->hole.from, v->code, v->entry, v->priv, v->translated, v->run,
        (unsigned long long)v->start, (unsigned)h->x[A0], (unsigned)h->csr.mcause,
        (unsigned long long)h->csr.mepc, (unsigned long long)h->csr.mtval);
}

static bool is_possible(const struct visit *v)
{
    bool to_m = v->priv == PRIV_M;
    return !(to_m && (v->translated || v->entry == BY_SRET));
}

static void visit_in_all_ways(struct bench *b, struct visit v)
{
    for (v.entry = 0; v.entry < ENTRIES; v.entry++)
        for (unsigned priv = 0; priv < ARRAY_LEN(privs); priv++)
            for (unsigned translated = 0; translated < 2; translated++)
                for (v.run = 0; v.run < RUNS; v.run++) {
                    v.priv = privs[priv];
                    v.translated = translated;
                    if (is_possible(&v))
                        visit(b, &v);
                }
}

/* From the last instructions before the hole to the first ones behind it. */
START_TEST(an_instruction_is_run_when_all_its_halfwords_may_be_fetched)
{
    struct visit v = {.hole = holes[_i / CODES], .code = (enum code)(_i % CODES)};
    struct bench b;
    bench_init(&b);
    put_code(&b, v.code);
    for (v.start = BEFORE; v.start < BEHIND + 0x100; v.start += length_of(v.code, v.start))
        if (v.start - (v.hole.from - 12) < 16 || v.start - (v.hole.end - 4) < 8)
            visit_in_all_ways(&b, v);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("PMP and fetching");
    TCase *t = tcase_create("PMP and fetching");
    tcase_add_loop_test(t, an_instruction_is_run_when_all_its_halfwords_may_be_fetched, 0,
                        (int)ARRAY_LEN(holes) * CODES);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

/* Superinstructions: every sequence of the build ends as its instructions do one by one. */
#include "cpu/fuse.h"

#include "cpu/exec.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define DATA   (BENCH_RAM + 0x8000) /* where good addresses point */
#define ROUNDS 2

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 20;
}

static const struct insn *row_of(handler *run)
{
    for (unsigned i = 0; i < insn_count; i++)
        if (insns[i].run == run)
            return &insns[i];
    return NULL;
}

static uint8_t choose(uint8_t reg, uint8_t last, bool forwarded)
{
    return forwarded ? last : reg == last ? S1 : reg;
}

/* Addresses come from S0 or S1; results go to A0 to A7, so that the addresses stay, and that an
 * operand is the last result only where the part forwards it. Returns the register that is
 * written last. */
static uint8_t put_part(struct bench *b, const struct insn *row, unsigned forward, uint8_t last,
                        uint64_t *random)
{
    struct decoded operands = {.rd = (uint8_t)(A0 + next_random(random) % 8),
                               .rs1 = (uint8_t)(S0 + next_random(random) % 10),
                               .rs2 = (uint8_t)(S0 + next_random(random) % 10),
                               .imm = (int32_t)(next_random(random) % 32)};
    bool memory = strchr(row->operands, '(') != NULL;
    if (memory || row->format == FORMAT_JR) {
        operands.rs1 = next_random(random) % 4 ? S0 : S1;
        operands.imm &= ~7;
    }
    if (row->format == FORMAT_B)
        operands.imm = 64;
    if (row->format == FORMAT_U || row->format == FORMAT_UPC)
        operands.imm <<= 12;
    operands.rs1 = choose(operands.rs1, last, forward & FORWARD_RS1);
    operands.rs2 = choose(operands.rs2, last, forward & FORWARD_RS2);
    asm_word(&b->a, insn_encode(b->code->decoder, row, &operands));
    return strstr(row->operands, "rd") ? operands.rd : last;
}

/* What is in no sequence comes first: what writes a register, for parts that forward it. */
static uint8_t put_value(struct bench *b, uint64_t *random)
{
    uint8_t rd = (uint8_t)(A0 + next_random(random) % 8);
    ASM(&b->a, csrrs, .rd = rd, .imm = 0x340 /* mscratch */);
    return rd;
}

/* A guard stands before a block's first floating-point op. */
static bool put_guard(struct bench *b, const struct superinstruction *s)
{
    bool fp = false;
    for (unsigned i = 0; i < SUPERINSTRUCTION_MAX && s->parts[i]; i++) {
        const struct insn *row = row_of(s->parts[i]);
        fp = fp || (row && row->flags & INSN_FP);
    }
    if (fp)
        ASM(&b->a, fmv_x_d, .rd = T0);
    return fp;
}

/* A jump to what the block has already makes `j`; one that is followed makes `link`. */
static void put_sequence(struct bench *b, const struct superinstruction *s, uint64_t *random)
{
    uint8_t last = put_value(b, random);
    for (unsigned i = 0; i < SUPERINSTRUCTION_MAX && s->parts[i]; i++) {
        if (s->parts[i] == op_j) {
            ASM(&b->a, jal, .imm = asm_to(&b->a, BENCH_RAM));
        } else if (s->parts[i] == op_link && i + 1 < SUPERINSTRUCTION_MAX &&
                   s->parts[i + 1] == op_j) {
            ASM(&b->a, jal, .rd = RA, .imm = asm_to(&b->a, BENCH_RAM));
            i++;
        } else if (s->parts[i] == op_link) {
            ASM(&b->a, jal, .rd = RA, .imm = 4);
            last = RA;
        } else {
            last = put_part(b, row_of(s->parts[i]), s->forward[i], last, random);
        }
    }
    ASM(&b->a, ebreak);
}

/* Returns how many ops stand before the sequence. */
static unsigned prepare(struct bench *b, const struct superinstruction *s, uint64_t seed)
{
    bench_init(b);
    b->h->csr.mstatus |= MSTATUS_FS;
    b->h->csr.mtvec = BENCH_RAM + 0x4000; /* zeroes there: illegal, again and again */
    hart_update_code_context(b->h);
    for (unsigned i = A0; i <= A7; i++)
        b->h->x[i] = next_random(&seed);
    for (unsigned i = 0; i < 32; i++)
        b->h->f[i] = next_random(&seed) << 20 | (i % 2 ? NAN_BOX(0) : 0);
    b->h->x[S0] = DATA + next_random(&seed) % 64 * 8;
    b->h->x[S1] = next_random(&seed) % 2 ? 0x123 : DATA + 0x1000 - 4; /* no memory; a page's end */
    b->h->csr.mscratch = next_random(&seed) % 2 ? b->h->x[S0] : next_random(&seed);
    unsigned before = put_guard(b, s) ? 3 : 1;
    put_sequence(b, s, &seed);
    return before;
}

static void compare(struct bench *fused, struct bench *plain, unsigned number)
{
    for (unsigned i = 0; i < X_SINK; i++)
        ck_assert_msg(fused->h->x[i] == plain->h->x[i], "sequence %u: x%u", number, i);
    for (unsigned i = 0; i < 32; i++)
        ck_assert_msg(fused->h->f[i] == plain->h->f[i], "sequence %u: f%u", number, i);
    ck_assert_msg(fused->h->fflags == plain->h->fflags, "sequence %u: fflags", number);
    ck_assert_msg(fused->h->pc == plain->h->pc, "sequence %u: pc", number);
    ck_assert_msg(fused->h->csr.mepc == plain->h->csr.mepc, "sequence %u: mepc", number);
    ck_assert_msg(fused->h->csr.mcause == plain->h->csr.mcause, "sequence %u: mcause", number);
    ck_assert_msg(fused->h->traps == plain->h->traps, "sequence %u: traps", number);
    ck_assert_msg(!memcmp(bench_at(fused, DATA), bench_at(plain, DATA), 0x2000),
                  "sequence %u: memory", number);
}

START_TEST(every_sequence_ends_as_its_instructions_do)
{
    for (unsigned i = 0; i < superinstruction_count; i++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct bench fused, plain;
            uint64_t seed = i * ROUNDS + round;
            prepare(&fused, &superinstructions[i], seed);
            prepare(&plain, &superinstructions[i], seed);
            fuser_destroy(plain.code->fuser);
            plain.code->fuser = NULL;
            hart_run(fused.h, BLOCK_MAX * 4);
            hart_run(plain.h, BLOCK_MAX * 4);
            compare(&fused, &plain, i);
            bench_free(&fused);
            bench_free(&plain);
        }
    }
}
END_TEST

/* The whole run wins over its parts, and a branch in the middle brings its link slot along. */
START_TEST(every_sequence_is_found_in_its_block)
{
    for (unsigned i = 0; i < superinstruction_count; i++) {
        struct bench b;
        unsigned before = prepare(&b, &superinstructions[i], i);
        struct block *block = code_find(b.code, BENCH_RAM, b.h->code_context, false);
        struct op *op = code_entry(b.code, block) + before;
        ck_assert_msg(op->run == superinstructions[i].merged, "sequence %u is not merged", i);
        bench_free(&b);
    }
}
END_TEST

START_TEST(slots_behind_the_first_keep_their_handlers)
{
    const struct superinstruction *s = &superinstructions[0];
    struct bench b;
    unsigned before = prepare(&b, s, 1);
    struct op *op =
        code_entry(b.code, code_find(b.code, BENCH_RAM, b.h->code_context, false)) + before;
    for (unsigned i = 1; i < SUPERINSTRUCTION_MAX && s->parts[i]; i++)
        ck_assert(op[i].run == s->parts[i]);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuse");
    TCase *tc = tcase_create("fuse");
    tcase_set_timeout(tc, 400);
    tcase_add_test(tc, every_sequence_ends_as_its_instructions_do);
    tcase_add_test(tc, every_sequence_is_found_in_its_block);
    tcase_add_test(tc, slots_behind_the_first_keep_their_handlers);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

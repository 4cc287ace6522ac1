/* That a hart and its code cache keep going: no guest makes the run loop stand still, or leaves
 * code behind that is slow for ever. */
#include "tests/unit/hart_bench.h"

#include "base/events.h"
#include "tests/unit/suite.h"

#define PAGE2 (BENCH_RAM + PAGE_BYTES)
#define BODY  (PAGE2 + 8)

static void put_counting_loop(struct bench *b)
{
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, jal, .imm = -4);
}

/* Rounded up to a step of 1024 ns, this time lies past 2^64 ns. */
START_TEST(a_timer_at_the_end_of_time_leaves_the_step_count_exact)
{
    struct bench b;
    bench_init_shift(&b, 10);
    put_counting_loop(&b);
    hart_set_mtimecmp(b.h, EVENT_NEVER / NS_PER_MTIME);
    bench_run(&b, 999);
    ck_assert_uint_eq(b.h->steps, 999);
    ck_assert_uint_eq(b.h->x[A0], 500);
    bench_free(&b);
}
END_TEST

START_TEST(a_timer_is_pending_at_the_first_step_at_or_after_its_time)
{
    for (unsigned shift = 0; shift <= 10; shift++) {
        struct bench b;
        bench_init_shift(&b, shift);
        put_counting_loop(&b);
        b.h->csr.mtvec = PAGE2;
        b.h->csr.mie = 1ull << IRQ_MTIP;
        b.h->csr.mstatus |= MSTATUS_MIE;
        hart_set_mtimecmp(b.h, 77);
        uint64_t step = (7700 + (1ull << shift) - 1) >> shift;
        bench_run(&b, step);
        ck_assert_uint_eq(b.h->traps, 0);
        bench_run(&b, 1);
        ck_assert_uint_eq(b.h->traps, 1);
        ck_assert_uint_eq(b.h->pc, PAGE2);
        bench_free(&b);
    }
}
END_TEST

/* Calls a function on the next page for ever, by jal (an exit record) or jalr (its inline cache).
 */
static void put_caller(struct bench *b, bool by_register)
{
    asm_li(&b->a, S0, (int32_t)PAGE2);
    ASM(&b->a, slli, .rd = S0, .rs1 = S0, .imm = 32);
    ASM(&b->a, srli, .rd = S0, .rs1 = S0, .imm = 32);
    uint64_t loop = b->a.pc;
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    if (by_register)
        ASM(&b->a, jalr, .rd = RA, .rs1 = S0);
    else
        ASM(&b->a, jal, .rd = RA, .imm = asm_to(&b->a, PAGE2));
    ASM(&b->a, jal, .imm = asm_to(&b->a, loop));
    b->a.pc = PAGE2;
    ASM(&b->a, jal, .imm = BODY - PAGE2); /* followed: the block's first op is not its first step */
    b->a.pc = BODY;
    ASM(&b->a, addi, .rd = A1, .rs1 = A1, .imm = 1);
    ASM(&b->a, jalr, .rs1 = RA);
}

static void check_callers_of_changed_code(bool by_register)
{
    struct bench b;
    bench_init(&b);
    put_caller(&b, by_register);
    bench_run(&b, 3003);
    for (unsigned change = 1; change <= 3; change++) {
        uint32_t word = 0x00158593; /* addi a1, a1, 1 again: the same bytes are a change, too */
        ck_assert(dma_write(b.memory, BODY, &word, sizeof word));
        bench_run(&b, 600); /* finds the new block */
        uint64_t lookups = b.code->stats.lookups;
        bench_run(&b, 60000);
        ck_assert_uint_le(b.code->stats.lookups - lookups, BLOCK_MAX);
        ck_assert_uint_eq(b.h->x[A0], b.h->x[A1]);
    }
    ck_assert_uint_eq(b.h->steps, 3003 + 3 * 60600);
    ck_assert_uint_eq(b.h->x[A0], (b.h->steps - 3) / 6);
    bench_free(&b);
}

START_TEST(callers_of_code_that_changed_find_it_once)
{
    check_callers_of_changed_code(false);
    check_callers_of_changed_code(true);
}
END_TEST

START_TEST(callers_of_code_that_changed_run_its_new_form)
{
    struct bench b;
    bench_init(&b);
    put_caller(&b, true);
    bench_run(&b, 3003);
    for (unsigned change = 2; change < 6; change++) {
        uint64_t before = b.h->x[A1];
        uint32_t word = 0x00058593 | change << 20; /* addi a1, a1, change */
        ck_assert(dma_write(b.memory, BODY, &word, sizeof word));
        bench_run(&b, 6000);
        ck_assert_uint_eq(b.h->x[A1] - before, 1000 * change);
    }
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("liveness");
    TCase *time = tcase_create("time"), *code = tcase_create("code");
    tcase_add_test(time, a_timer_at_the_end_of_time_leaves_the_step_count_exact);
    tcase_add_test(time, a_timer_is_pending_at_the_first_step_at_or_after_its_time);
    tcase_add_test(code, callers_of_code_that_changed_find_it_once);
    tcase_add_test(code, callers_of_code_that_changed_run_its_new_form);
    suite_add_tcase(suite, time);
    suite_add_tcase(suite, code);
    return run_suite(suite);
}

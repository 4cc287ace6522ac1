/* Watchpoints: which accesses they see, and that nothing else of the run changes. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define DATA (BENCH_RAM + 0x8000)

static void watch(struct bench *b, const struct watch *w)
{
    hart_set_watches(b->h, w, 1);
}

/* Lets the program run with data at DATA; S0 points to it. */
static enum hart_stop run(struct bench *b, uint64_t steps)
{
    b->h->x[S0] = DATA;
    b->h->csr.mstatus |= MSTATUS_FS;
    hart_update_code_context(b->h);
    return bench_run(b, steps);
}

/* Runs one instruction and three nops three times: once so that the page has its fast tags, and
 * twice with a watchpoint of each kind on the byte at DATA + at. Expects a stop behind it for
 * `kinds` alone. */
static void check_instruction(const char *name, struct decoded operands, unsigned kinds,
                              unsigned at)
{
    for (unsigned kind = WATCH_LOADS; kind <= WATCH_STORES; kind++) {
        struct bench b;
        struct watch w = {DATA + at, 1, kind};
        bench_init(&b);
        asm_put(&b.a, name, operands);
        uint64_t behind = b.a.pc;
        for (unsigned i = 0; i < 3; i++)
            ASM(&b.a, addi);
        ck_assert_int_eq(run(&b, 4), HART_RAN);
        watch(&b, &w);
        for (unsigned again = 0; again < 2; again++) {
            bool hits = kinds & kind;
            b.h->pc = BENCH_RAM;
            ck_assert_msg(run(&b, 4) == (hits ? HART_WATCHPOINT : HART_RAN), "%s, kind %u, %u",
                          name, kind, again);
            ck_assert_uint_eq(b.h->pc, hits ? behind : behind + 12);
            ck_assert_uint_eq(b.h->watch_hit.va, hits ? DATA + at : 0);
            ck_assert_uint_eq(b.h->watch_hit.kinds, hits ? kind : 0);
        }
        bench_free(&b);
    }
}

#define CHECK(name, kinds, ...) check_instruction(#name, (struct decoded){__VA_ARGS__}, kinds, 7)

START_TEST(each_kind_of_access_is_seen)
{
    CHECK(ld, WATCH_LOADS, .rd = A0, .rs1 = S0);
    CHECK(lbu, WATCH_LOADS, .rd = A0, .rs1 = S0, .imm = 7);
    CHECK(lb, 0, .rd = A0, .rs1 = S0, .imm = 6);
    CHECK(lh, WATCH_LOADS, .rd = A0, .rs1 = S0, .imm = 6);
    CHECK(lw, 0, .rd = A0, .rs1 = S0, .imm = 8);
    CHECK(lw, WATCH_LOADS, .rd = A0, .rs1 = S0, .imm = 4);
    CHECK(fld, WATCH_LOADS, .rd = A0, .rs1 = S0);
    CHECK(sd, WATCH_STORES, .rs1 = S0, .rs2 = A1);
    CHECK(sb, WATCH_STORES, .rs1 = S0, .rs2 = A1, .imm = 7);
    CHECK(sb, 0, .rs1 = S0, .rs2 = A1, .imm = 8);
    CHECK(sh, WATCH_STORES, .rs1 = S0, .rs2 = A1, .imm = 6);
    CHECK(sw, WATCH_STORES, .rs1 = S0, .rs2 = A1, .imm = 4);
    CHECK(fsd, WATCH_STORES, .rs1 = S0, .rs2 = A1);
    CHECK(amoadd_d, WATCH_LOADS | WATCH_STORES, .rd = A0, .rs1 = S0, .rs2 = A1);
    CHECK(lr_d, WATCH_LOADS, .rd = A0, .rs1 = S0);
}
END_TEST

START_TEST(a_store_conditional_that_fails_stores_nothing)
{
    CHECK(sc_d, 0, .rd = A0, .rs1 = S0, .rs2 = A1);
}
END_TEST

START_TEST(a_store_conditional_that_stores_is_seen)
{
    struct bench b;
    struct watch w = {DATA, 8, WATCH_STORES};
    bench_init(&b);
    ASM(&b.a, lr_d, .rd = A0, .rs1 = S0);
    ASM(&b.a, sc_d, .rd = A0, .rs1 = S0, .rs2 = A1);
    ASM(&b.a, addi);
    watch(&b, &w);
    b.h->x[A1] = 5;
    ck_assert_int_eq(run(&b, 3), HART_WATCHPOINT);
    ck_assert_uint_eq(b.h->steps, 2);
    ck_assert_uint_eq(bench_peek(&b, DATA), 5);
    ck_assert_uint_eq(b.h->x[A0], 0);
    bench_free(&b);
}
END_TEST

START_TEST(zeroing_a_cache_block_is_seen)
{
    struct bench b;
    struct watch w = {DATA + 60, 1, WATCH_STORES};
    bench_init(&b);
    ASM(&b.a, cbo_zero, .rs1 = S0);
    ASM(&b.a, addi);
    watch(&b, &w);
    ck_assert_int_eq(run(&b, 2), HART_WATCHPOINT);
    ck_assert_uint_eq(b.h->steps, 1);
    bench_free(&b);
}
END_TEST

START_TEST(an_access_over_two_pages_is_seen_on_both)
{
    for (unsigned at = 4092; at < 4100; at++) {
        struct bench b;
        struct watch w = {DATA + at, 1, WATCH_LOADS | WATCH_STORES};
        bench_init(&b);
        ASM(&b.a, addi, .rd = S1, .rs1 = S0, .imm = 2044);
        ASM(&b.a, addi, .rd = S1, .rs1 = S1, .imm = 2044);
        ASM(&b.a, sd, .rs1 = S1, .rs2 = A1, .imm = 5); /* 4093 to 4100 */
        ASM(&b.a, addi);
        watch(&b, &w);
        ck_assert_int_eq(run(&b, 4), at >= 4093 ? HART_WATCHPOINT : HART_RAN);
        bench_free(&b);
    }
}
END_TEST

START_TEST(an_access_that_traps_was_not_made)
{
    struct bench b;
    struct watch w = {0x50000000, 4096, WATCH_LOADS};
    bench_init(&b);
    asm_li(&b.a, S1, 0x50000000);
    uint64_t fault = b.a.pc;
    ASM(&b.a, ld, .rd = A0, .rs1 = S1);
    watch(&b, &w);
    b.h->csr.mtvec = BENCH_RAM + 0x100;
    b.a.pc = BENCH_RAM + 0x100;
    for (unsigned i = 0; i < 8; i++)
        ASM(&b.a, addi);
    ck_assert_int_eq(run(&b, 6), HART_RAN);
    ck_assert_uint_eq(b.h->csr.mepc, fault);
    bench_free(&b);
}
END_TEST

/* A loop that loads and stores a word of the page DATA. */
static void put_busy_loop(struct bench *b)
{
    uint64_t loop = b->a.pc;
    ASM(&b->a, ld, .rd = A0, .rs1 = S0, .imm = 16);
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, sd, .rs1 = S0, .rs2 = A0, .imm = 16);
    ASM(&b->a, jal, .imm = asm_to(&b->a, loop));
}

/* The hash after `steps`; all stops are gone over. */
static uint64_t busy_hash(const struct watch *w, uint64_t steps, unsigned *stops)
{
    struct bench b;
    bench_init(&b);
    put_busy_loop(&b);
    if (w)
        watch(&b, w);
    b.h->x[S0] = DATA;
    for (*stops = 0; hart_run(b.h, steps) == HART_WATCHPOINT;)
        ++*stops;
    ck_assert_uint_eq(b.h->steps, steps);
    uint64_t hash = bench_hash(&b);
    bench_free(&b);
    return hash;
}

START_TEST(watching_changes_nothing_of_the_run)
{
    unsigned stops;
    uint64_t plain = busy_hash(NULL, 4001, &stops);
    struct watch beside = {DATA + 24, 8, WATCH_LOADS | WATCH_STORES};
    ck_assert_uint_eq(busy_hash(&beside, 4001, &stops), plain);
    ck_assert_uint_eq(stops, 0);
    struct watch hit = {DATA, 4096, WATCH_LOADS | WATCH_STORES};
    ck_assert_uint_eq(busy_hash(&hit, 4001, &stops), plain);
    ck_assert_uint_eq(stops, 2001);
}
END_TEST

START_TEST(without_watchpoints_the_page_is_fast_again)
{
    struct bench b;
    struct watch beside = {DATA + 24, 8, WATCH_LOADS | WATCH_STORES};
    bench_init(&b);
    put_busy_loop(&b);
    watch(&b, &beside);
    run(&b, 4000);
    uint64_t slow = b.h->stats.from_record[TLB_LOAD];
    ck_assert_uint_ge(slow, 999);
    hart_set_watches(b.h, NULL, 0);
    run(&b, 4000);
    ck_assert_uint_le(b.h->stats.from_record[TLB_LOAD], slow + 1);
    bench_free(&b);
}
END_TEST

START_TEST(a_range_may_run_over_the_end_of_the_address_space)
{
    struct watch w = {UINT64_MAX - 1, 4, WATCH_LOADS};
    ck_assert(watch_covers(&w, UINT64_MAX, 1));
    ck_assert(watch_covers(&w, 0, 8));
    ck_assert(watch_covers(&w, 1, 1));
    ck_assert(!watch_covers(&w, 2, 1));
    ck_assert(watch_covers(&w, UINT64_MAX - 2, 2));
    ck_assert(!watch_covers(&w, UINT64_MAX - 2, 1));
}
END_TEST

START_TEST(interrupts_that_are_held_back_are_taken_later)
{
    struct bench b;
    bench_init(&b);
    for (unsigned i = 0; i < 8; i++)
        ASM(&b.a, addi);
    b.h->csr.mtvec = BENCH_RAM;
    b.h->csr.mie = 1 << IRQ_MSIP;
    b.h->csr.mstatus |= MSTATUS_MIE;
    hart_set_irq(b.h, IRQ_MSIP, true);
    b.h->held_interrupts = ~0ull;
    ck_assert_int_eq(bench_run(&b, 2), HART_RAN);
    ck_assert_uint_eq(b.h->pc, BENCH_RAM + 8);
    b.h->held_interrupts = ~(1ull << IRQ_MSIP);
    ck_assert_int_eq(bench_run(&b, 1), HART_RAN);
    ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 8);
    ck_assert_uint_eq(b.h->pc, BENCH_RAM);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");
    tcase_add_test(tests, each_kind_of_access_is_seen);
    tcase_add_test(tests, a_store_conditional_that_fails_stores_nothing);
    tcase_add_test(tests, a_store_conditional_that_stores_is_seen);
    tcase_add_test(tests, zeroing_a_cache_block_is_seen);
    tcase_add_test(tests, an_access_over_two_pages_is_seen_on_both);
    tcase_add_test(tests, an_access_that_traps_was_not_made);
    tcase_add_test(tests, watching_changes_nothing_of_the_run);
    tcase_add_test(tests, without_watchpoints_the_page_is_fast_again);
    tcase_add_test(tests, a_range_may_run_over_the_end_of_the_address_space);
    tcase_add_test(tests, interrupts_that_are_held_back_are_taken_later);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

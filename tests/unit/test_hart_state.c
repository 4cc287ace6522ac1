/* The state walk of a hart: what a guest can bring about loads again, what none can is refused. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

/* Saves, puts `now` where the first `old` is in the saved bytes, and loads into the same hart. */
static bool loads_with(struct bench *b, uint64_t old, uint64_t now)
{
    struct state *saved = state_new_save();
    hart_state(b->h, saved);
    ck_assert(state_ok(saved));
    size_t size;
    const void *data = state_data(saved, &size);
    uint8_t *bytes = malloc(size);
    memcpy(bytes, data, size);
    uint8_t *at = bytes;
    while (at + sizeof old < bytes + size && memcmp(at, &old, sizeof old) != 0)
        at++;
    memcpy(at, &now, sizeof now);
    struct state *s = state_new_load(bytes, size);
    hart_state(b->h, s);
    bool ok = state_ok(s);
    state_free(s);
    state_free(saved);
    free(bytes);
    return ok;
}

static bool survives(struct bench *b)
{
    return loads_with(b, b->h->pc, b->h->pc);
}

START_TEST(accesses_above_the_physical_address_space_fault_and_leave_nothing_behind)
{
    static const uint64_t addresses[] = {1ull << 56, 1ull << 63, ~0ull};
    for (unsigned i = 0; i < ARRAY_LEN(addresses); i++) {
        struct bench b;
        bench_init(&b);
        b.h->csr.mtvec = BENCH_RAM + PAGE_BYTES;
        ASM(&b.a, lb, .rd = A0, .rs1 = S0);
        b.h->x[S0] = addresses[i];
        bench_run(&b, 1);
        ck_assert_uint_eq(b.h->csr.mcause, CAUSE_LOAD_ACCESS);
        ck_assert_uint_eq(b.h->csr.mtval, addresses[i]);
        ck_assert(survives(&b));
        bench_free(&b);
    }
}
END_TEST

START_TEST(a_jump_above_the_physical_address_space_faults_and_leaves_nothing_behind)
{
    struct bench b;
    bench_init(&b);
    b.h->csr.mtvec = BENCH_RAM + PAGE_BYTES;
    ASM(&b.a, jalr, .rs1 = S0);
    b.h->x[S0] = 1ull << 60;
    bench_run(&b, 2);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_ACCESS);
    ck_assert_uint_eq(b.h->csr.mepc, 1ull << 60);
    ck_assert(survives(&b));
    bench_free(&b);
}
END_TEST

/* The decoder would read past the end of a page. */
START_TEST(an_odd_pc_is_refused)
{
    struct bench b;
    bench_init(&b);
    ck_assert(loads_with(&b, b.h->pc, BENCH_RAM + BENCH_RAM_BYTES - 2));
    ck_assert(!loads_with(&b, b.h->pc, BENCH_RAM + BENCH_RAM_BYTES - 1));
    bench_free(&b);
}
END_TEST

START_TEST(a_fetch_page_that_is_not_at_a_page_boundary_is_refused)
{
    struct bench b;
    bench_init(&b);
    b.h->pc = b.a.pc = BENCH_RAM + 8;
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 10);
    ck_assert_uint_eq(b.h->page_va, BENCH_RAM);
    ck_assert(loads_with(&b, BENCH_RAM, BENCH_RAM + PAGE_BYTES));
    ck_assert(!loads_with(&b, b.h->page_va, BENCH_RAM + 2));
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hart state");
    TCase *t = tcase_create("load");
    tcase_add_test(t, accesses_above_the_physical_address_space_fault_and_leave_nothing_behind);
    tcase_add_test(t, a_jump_above_the_physical_address_space_faults_and_leaves_nothing_behind);
    tcase_add_test(t, an_odd_pc_is_refused);
    tcase_add_test(t, a_fetch_page_that_is_not_at_a_page_boundary_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

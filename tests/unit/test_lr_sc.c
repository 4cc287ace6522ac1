/* Atomics (access.c, exec.c): what a reservation is, that the fast paths keep it as the slow ones
 * do, and that each instruction traps where it must. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define DATA (BENCH_RAM + 0x8000)
#define HOLE 0x70000000ull

START_TEST(sc_stores_once_behind_its_own_lr)
{
    struct bench b;
    uint64_t value;
    bool stored;
    bench_init(&b);
    bench_poke(&b, DATA, 5);
    ck_assert(hart_store_conditional(b.h, DATA, 8, 1, &stored) && !stored);
    ck_assert(hart_load_reserved(b.h, DATA, 8, &value));
    ck_assert_uint_eq(value, 5);
    ck_assert(hart_store_conditional(b.h, DATA, 8, 6, &stored) && stored);
    ck_assert(hart_store_conditional(b.h, DATA, 8, 7, &stored) && !stored);
    ck_assert_uint_eq(bench_peek(&b, DATA), 6);
    bench_free(&b);
}
END_TEST

START_TEST(sc_fails_elsewhere_and_when_the_value_has_changed)
{
    struct bench b;
    uint64_t value;
    bool stored;
    bench_init(&b);
    ck_assert(hart_load_reserved(b.h, DATA, 4, &value));
    ck_assert(hart_store_conditional(b.h, DATA + 4, 4, 9, &stored) && !stored);
    ck_assert(hart_load_reserved(b.h, DATA, 4, &value));
    uint32_t other = 3;
    ck_assert(dma_write(b.memory, DATA, &other, 4));
    ck_assert(hart_store_conditional(b.h, DATA, 4, 9, &stored) && !stored);
    ck_assert_uint_eq(bench_peek(&b, DATA), 3);
    bench_free(&b);
}
END_TEST

/* Twice around, so that the second time all is fast unless the bench is under stress. */
static void run_lr_sc(struct bench *b, bool stress)
{
    bench_init(b);
    b->h->stress = stress;
    bench_poke(b, DATA, 0x1111111180000005);
    asm_li(&b->a, S0, DATA);
    asm_li(&b->a, S1, 2);
    uint64_t again = b->a.pc;
    ASM(&b->a, lr_w, .rd = A0, .rs1 = S0);
    ASM(&b->a, sc_w, .rd = A1, .rs1 = S0, .rs2 = A0);
    ASM(&b->a, sc_w, .rd = A2, .rs1 = S0, .rs2 = S1);
    ASM(&b->a, lr_d, .rd = A3, .rs1 = S0);
    ASM(&b->a, sb, .rs1 = S0, .rs2 = S1, .imm = 7);
    ASM(&b->a, sc_d, .rd = A4, .rs1 = S0, .rs2 = ZERO);
    ASM(&b->a, lr_w, .rd = A5, .rs1 = S0);
    ASM(&b->a, sc_w, .rd = A6, .rs1 = S0, .rs2 = S1);
    ASM(&b->a, lr_d, .rd = A7, .rs1 = S0);
    ASM(&b->a, addi, .rd = S1, .rs1 = S1, .imm = -1);
    ASM(&b->a, bne, .rs1 = S1, .imm = asm_to(&b->a, again));
    ASM(&b->a, jal, .imm = 0);
    bench_run(b, 60);
}

START_TEST(fast_lr_and_sc_do_what_the_slow_ones_do)
{
    struct bench fast_one, slow_one;
    run_lr_sc(&fast_one, false);
    run_lr_sc(&slow_one, true);
    const struct hart *h = fast_one.h, *slow = slow_one.h;
    ck_assert_mem_eq(h->x, slow->x, sizeof h->x);
    ck_assert_uint_eq(bench_peek(&fast_one, DATA), bench_peek(&slow_one, DATA));
    ck_assert_uint_eq(h->reservation_pa, slow->reservation_pa);
    ck_assert_uint_eq(h->reservation_value, slow->reservation_value);
    ck_assert(h->reservation_valid && slow->reservation_valid);
    ck_assert_uint_eq(h->x[A1] | h->x[A6], 0);
    ck_assert(h->x[A2] == 1 && h->x[A4] == 1);
    ck_assert_uint_eq(h->x[A7], 0x0111111100000001);
    bench_free(&fast_one);
    bench_free(&slow_one);
}
END_TEST

START_TEST(an_lr_of_rom_faults_even_when_loads_of_it_are_fast)
{
    struct bench b;
    bench_init(&b);
    asm_li(&b.a, S0, BENCH_ROM + 0x100);
    ASM(&b.a, ld, .rd = A0, .rs1 = S0);
    ASM(&b.a, ld, .rd = A0, .rs1 = S0);
    uint64_t at = b.a.pc;
    ASM(&b.a, lr_d, .rd = A1, .rs1 = S0);
    bench_run(&b, (at - BENCH_RAM) / 4 + 1);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_LOAD_ACCESS);
    ck_assert_uint_eq(b.h->csr.mepc, at);
    bench_free(&b);
}
END_TEST

START_TEST(a_faulting_sc_ends_the_reservation)
{
    struct bench b;
    uint64_t value;
    bool stored;
    bench_init(&b);
    ck_assert(hart_load_reserved(b.h, DATA, 8, &value));
    ck_assert(!hart_store_conditional(b.h, HOLE, 8, 9, &stored));
    ck_assert(hart_store_conditional(b.h, DATA, 8, 9, &stored) && !stored);
    bench_free(&b);
}
END_TEST

/* Every row of a.def is one, and nothing else has its operands. */
static bool is_atomic(const struct insn *row)
{
    return strstr(row->operands, ", (rs1)") != NULL;
}

START_TEST(each_atomic_faults_at_what_is_no_ram)
{
    for (unsigned i = 0; i < insn_count; i++) {
        if (!is_atomic(&insns[i]))
            continue;
        struct bench b;
        bench_init(&b);
        b.h->csr.mtvec = BENCH_RAM + 0x1000;
        asm_put(&b.a, insns[i].name, (struct decoded){.rd = A2, .rs1 = S0, .rs2 = A4});
        b.h->x[S0] = BENCH_DEVICE;
        b.h->x[A2] = 77;
        bench_run(&b, 1);
        bool load = strncmp(insns[i].name, "lr_", 3) == 0;
        ck_assert_msg(b.h->csr.mcause == (load ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS), "%s: %u",
                      insns[i].name, (unsigned)b.h->csr.mcause);
        ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM);
        ck_assert_uint_eq(b.h->csr.mtval, BENCH_DEVICE);
        ck_assert_uint_eq(b.h->x[A2], 77);
        ck_assert_uint_eq(b.device_reads + b.device_writes, 0);
        bench_free(&b);
    }
}
END_TEST

/* Also where the page is fast. */
START_TEST(each_atomic_traps_when_it_is_misaligned)
{
    for (unsigned i = 0; i < insn_count; i++) {
        if (!is_atomic(&insns[i]) || strstr(insns[i].name, "_b"))
            continue;
        struct bench b;
        bench_init(&b);
        b.h->csr.mtvec = BENCH_RAM + 0x1000;
        asm_put(&b.a, insns[i].name, (struct decoded){.rd = A2, .rs1 = S0, .rs2 = A4});
        asm_put(&b.a, insns[i].name, (struct decoded){.rd = A2, .rs1 = S1, .rs2 = A4});
        b.h->x[S0] = DATA;
        b.h->x[S1] = DATA + 1;
        bench_run(&b, 2);
        bool load = strncmp(insns[i].name, "lr_", 3) == 0;
        ck_assert_msg(b.h->csr.mcause == (load ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED),
                      "%s: %u", insns[i].name, (unsigned)b.h->csr.mcause);
        ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 4);
        ck_assert_uint_eq(b.h->csr.mtval, DATA + 1);
        bench_free(&b);
    }
}
END_TEST

/* The store drops the block that runs; the hart goes on behind the instruction. */
START_TEST(each_atomic_may_write_into_its_own_line)
{
    for (unsigned i = 0; i < insn_count; i++) {
        if (!is_atomic(&insns[i]))
            continue;
        struct bench b;
        bench_init(&b);
        asm_put(&b.a, insns[i].name, (struct decoded){.rd = A2, .rs1 = S0, .rs2 = A4});
        ASM(&b.a, addi, .rd = A6, .rs1 = A6, .imm = 5);
        b.h->x[S0] = BENCH_RAM + 0x10;
        bench_run(&b, 2);
        ck_assert_msg(b.h->x[A6] == 5 && b.h->traps == 0, "%s", insns[i].name);
        bench_free(&b);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atomics");
    TCase *tests = tcase_create("atomics");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, sc_stores_once_behind_its_own_lr);
    tcase_add_test(tests, sc_fails_elsewhere_and_when_the_value_has_changed);
    tcase_add_test(tests, fast_lr_and_sc_do_what_the_slow_ones_do);
    tcase_add_test(tests, an_lr_of_rom_faults_even_when_loads_of_it_are_fast);
    tcase_add_test(tests, a_faulting_sc_ends_the_reservation);
    tcase_add_test(tests, each_atomic_faults_at_what_is_no_ram);
    tcase_add_test(tests, each_atomic_traps_when_it_is_misaligned);
    tcase_add_test(tests, each_atomic_may_write_into_its_own_line);
    return run_suite(suite);
}

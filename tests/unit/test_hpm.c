/* The counters: what they count, in which modes, and where they overflow. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define CYCLES       0x1u
#define INSTRUCTIONS 0x2u
#define LOAD_MISS    0x10019u
#define STORE_MISS   0x1001bu
#define FETCH_MISS   0x10021u
#define EXCEPTIONS   0x100u
#define INTERRUPTS   0x101u

#define CSR_SIP        0x144
#define CSR_MIDELEG    0x303
#define CSR_MCOUNTEREN 0x306
#define CSR_SCOUNTOVF  0xda0
#define HANDLER        (BENCH_RAM + 0x1000)
#define ROOT           (BENCH_RAM + 0x40000)
#define LCOFI          (1ull << IRQ_LCOFIP)

/* Counter 3 counts this from `value` at the next step on. */
static void count(struct bench *b, uint64_t config, uint64_t value)
{
    hpm_write_config(b->h, 3, config);
    hpm_write(b->h, 3, value);
    b->h->steps++; /* the instruction that did it */
}

/* M-mode takes LCOFI at HANDLER, where it stays. */
static void let_interrupt(struct bench *b)
{
    uint64_t here = b->a.pc;
    b->h->csr.mtvec = HANDLER;
    b->h->csr.mie = LCOFI;
    b->h->csr.mstatus |= MSTATUS_MIE;
    b->a.pc = HANDLER;
    ASM(&b->a, jal, .imm = 0);
    b->a.pc = here;
}

/* U- and S-mode may do anything. */
static void open_memory(struct bench *b)
{
    pmp_write_addr(b->h, 15, ~0ull);
    pmp_write_cfg(b->h, 2, 0x1full << 56);
}

static void put_nops(struct bench *b, unsigned n)
{
    while (n--)
        ASM(&b->a, addi, 0);
}

START_TEST(each_privilege_has_its_own_steps)
{
    struct bench b;
    bench_init(&b);
    open_memory(&b);
    b.h->csr.mtvec = HANDLER;
    b.h->csr.mepc = BENCH_RAM + 0x100;
    for (unsigned i = 0; i < 3; i++)
        hpm_write_config(b.h, 3 + i, CYCLES | (i ? HPM_MINH : 0) | (i == 2 ? HPM_UINH : 0));
    hpm_write_config(b.h, 6, INSTRUCTIONS | HPM_MINH | HPM_SINH);
    hpm_write_config(b.h, 7, EXCEPTIONS | HPM_MINH);
    hpm_write_config(b.h, 0, HPM_UINH);
    for (unsigned i = 0; i < 8; i++)
        hpm_write(b.h, i, 0); /* at step 1 */
    put_nops(&b, 9);
    ASM(&b.a, mret, 0);
    b.a.pc = BENCH_RAM + 0x100;
    put_nops(&b, 19);
    ASM(&b.a, ecall, 0);
    b.a.pc = HANDLER;
    put_nops(&b, 70);
    bench_run(&b, 10 + 20 + 70);
    ck_assert_uint_eq(hpm_read(b.h, 3), 99);
    ck_assert_uint_eq(hpm_read(b.h, 4), 20); /* ecall, which is a trap, among them */
    ck_assert_uint_eq(hpm_read(b.h, 5), 0);
    ck_assert_uint_eq(hpm_read(b.h, 6), 19);
    ck_assert_uint_eq(hpm_read(b.h, 7), 1);
    ck_assert_uint_eq(hpm_read(b.h, 0), 79);
    ck_assert_uint_eq(hpm_read(b.h, 2), 98);
    bench_free(&b);
}
END_TEST

/* Two gigapages: 0x40000000 and 0x80000000, both the RAM. */
static void translate_in_s(struct bench *b)
{
    const uint64_t leaf = BENCH_RAM >> 2 | PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;
    open_memory(b);
    bench_poke(b, ROOT + 8, leaf);
    bench_poke(b, ROOT + 16, leaf);
    b->h->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12;
    hpm_enter_priv(b->h, PRIV_S, b->h->steps);
    hart_update_translation(b->h);
}

START_TEST(a_tlb_miss_is_a_walk)
{
    struct bench b;
    bench_init(&b);
    translate_in_s(&b);
    for (unsigned i = 0; i < 3; i++)
        hpm_write_config(b.h, 3 + i, (const uint32_t[]){LOAD_MISS, STORE_MISS, FETCH_MISS}[i]);
    asm_li(&b.a, A0, 0x40008000);
    ASM(&b.a, ld, .rd = A1, .rs1 = A0);
    ASM(&b.a, ld, .rd = A1, .rs1 = A0);
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A1); /* the second level knows it from the load */
    ASM(&b.a, sfence_vma, 0);
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A1);
    ASM(&b.a, ld, .rd = A1, .rs1 = A0);
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 40);
    ck_assert_uint_eq(hpm_read(b.h, 3), 1);
    ck_assert_uint_eq(hpm_read(b.h, 4), 1);
    ck_assert_uint_eq(hpm_read(b.h, 5), 2);
    bench_free(&b);
}
END_TEST

/* Where a program of nops is interrupted that began with the counter at -10. */
static uint64_t interrupted_at(uint64_t config, bool stress)
{
    struct bench b;
    bench_init(&b);
    let_interrupt(&b);
    put_nops(&b, 200);
    b.h->stress = stress;
    count(&b, config, -10ull);
    bench_run(&b, 150);
    uint64_t pc = b.h->csr.mcause == (CAUSE_INTERRUPT | IRQ_LCOFIP) ? b.h->csr.mepc : 0;
    ck_assert(!pc || b.h->csr.counter_config[3] & HPM_OF);
    ck_assert_int_eq(b.h->counters_armed, pc ? 0 : 8);
    bench_free(&b);
    return pc;
}

START_TEST(an_overflow_interrupts_behind_the_step_that_wraps_the_counter)
{
    for (unsigned stress = 0; stress < 2; stress++) {
        ck_assert_uint_eq(interrupted_at(CYCLES, stress), BENCH_RAM + 10 * 4);
        ck_assert_uint_eq(interrupted_at(INSTRUCTIONS | HPM_UINH, stress), BENCH_RAM + 10 * 4);
        ck_assert_uint_eq(interrupted_at(CYCLES | HPM_MINH, stress), 0);
        ck_assert_uint_eq(interrupted_at(EXCEPTIONS, stress), 0);
    }
}
END_TEST

/* M-mode, which does not count, returns to U-mode, which does, again and again. */
START_TEST(a_return_to_a_mode_that_counts_finds_the_step_of_the_overflow)
{
    struct bench b;
    bench_init(&b);
    open_memory(&b);
    b.h->csr.mtvec = HANDLER | 1; /* the interrupt goes to a place of its own */
    b.h->csr.mie = LCOFI;
    asm_li(&b.a, T0, BENCH_RAM + 0x100);
    ASM(&b.a, jal, .imm = asm_to(&b.a, HANDLER));
    b.a.pc = BENCH_RAM + 0x100;
    put_nops(&b, 5);
    ASM(&b.a, ecall, 0);
    b.a.pc = HANDLER;
    ASM(&b.a, csrrw, .rs1 = T0, .imm = 0x341);
    ASM(&b.a, mret, 0);
    b.a.pc = HANDLER + 4 * IRQ_LCOFIP;
    ASM(&b.a, jal, .imm = 0);
    count(&b, CYCLES | HPM_MINH | HPM_SINH, -100ull);
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | IRQ_LCOFIP);
    ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 0x100 + 4 * (100 % 6));
    bench_free(&b);
}
END_TEST

START_TEST(with_of_set_an_overflow_is_no_interrupt)
{
    struct bench b;
    bench_init(&b);
    let_interrupt(&b);
    put_nops(&b, 100);
    count(&b, CYCLES | HPM_OF, -10ull);
    bench_run(&b, 50);
    ck_assert_uint_eq(hpm_read(b.h, 3), 40);
    ck_assert_uint_eq(b.h->traps, 0);
    ck_assert_uint_eq(b.h->csr.mip, 0);
    bench_free(&b);
}
END_TEST

START_TEST(an_inhibited_counter_does_not_overflow)
{
    struct bench b;
    bench_init(&b);
    let_interrupt(&b);
    put_nops(&b, 100);
    count(&b, CYCLES, -10ull);
    hpm_write_inhibit(b.h, 8);
    bench_run(&b, 50);
    ck_assert_uint_eq(hpm_read(b.h, 3), -9ull);
    hpm_write_inhibit(b.h, 0);
    bench_run(&b, 11);
    ck_assert_uint_eq(b.h->traps, 1);
    bench_free(&b);
}
END_TEST

/* A miss of each kind wraps the counter; the handler is in M-mode. */
static uint64_t miss_interrupts_at(uint64_t event, bool stress)
{
    struct bench b;
    bench_init(&b);
    let_interrupt(&b);
    asm_li(&b.a, A0, 0x40008000); /* one instruction */
    ASM(&b.a, ld, .rd = A1, .rs1 = A0);
    ASM(&b.a, addi, 0);
    ASM(&b.a, sfence_vma, 0);
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A1);
    ASM(&b.a, addi, 0);
    b.h->stress = stress;
    translate_in_s(&b);
    count(&b, event, -1ull);
    bench_run(&b, 20);
    ck_assert_uint_eq(b.h->traps, 1);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | IRQ_LCOFIP);
    uint64_t pc = b.h->csr.mepc;
    bench_free(&b);
    return pc - BENCH_RAM;
}

START_TEST(a_miss_that_wraps_the_counter_interrupts_at_its_place)
{
    for (unsigned stress = 0; stress < 2; stress++) {
        ck_assert_uint_eq(miss_interrupts_at(FETCH_MISS, stress), 0);
        ck_assert_uint_eq(miss_interrupts_at(LOAD_MISS, stress), 2 * 4);
        ck_assert_uint_eq(miss_interrupts_at(STORE_MISS, stress), 5 * 4);
    }
}
END_TEST

/* jalr onto a page that no level knows: found in the middle of a run. */
START_TEST(a_fetch_miss_in_a_jump_interrupts_before_the_target)
{
    struct bench b;
    bench_init(&b);
    let_interrupt(&b);
    asm_li(&b.a, A0, 0x40000800);
    ASM(&b.a, jalr, .rs1 = A0);
    b.a.pc = BENCH_RAM + 0x800;
    put_nops(&b, 300);
    translate_in_s(&b);
    count(&b, FETCH_MISS, -2ull);
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->traps, 1);
    ck_assert_uint_eq(b.h->csr.mepc, 0x40000800);
    bench_free(&b);
}
END_TEST

START_TEST(an_armed_counter_overflows_at_the_same_step_after_a_load)
{
    uint64_t hashes[2];
    for (unsigned i = 0; i < 2; i++) {
        struct bench b;
        bench_init(&b);
        let_interrupt(&b);
        put_nops(&b, 200);
        count(&b, CYCLES, -100ull);
        bench_run(&b, 50);
        if (i) {
            struct state *saved = state_new_save();
            hart_state(b.h, saved);
            size_t size;
            const void *bytes = state_data(saved, &size);
            struct state *load = state_new_load(bytes, size);
            b.h->counters_armed = 0;
            hart_state(b.h, load);
            ck_assert(state_ok(load));
            state_free(load);
            state_free(saved);
        }
        bench_run(&b, 100);
        ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 100 * 4);
        hashes[i] = bench_hash(&b);
        bench_free(&b);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

static bool access(struct hart *h, unsigned number, enum csr_op op, bool write, uint64_t operand,
                   uint64_t *old)
{
    return hart_csr(h, number, op, true, write, operand, old);
}

START_TEST(scountovf_shows_s_mode_what_mcounteren_opens)
{
    struct bench b;
    uint64_t value;
    bench_init(&b);
    hpm_write_config(b.h, 3, CYCLES | HPM_OF);
    hpm_write_config(b.h, 31, HPM_OF);
    ck_assert(access(b.h, CSR_SCOUNTOVF, CSR_SET, false, 0, &value));
    ck_assert_uint_eq(value, 1u << 3 | 1u << 31);
    b.h->csr.mcounteren = 1u << 31;
    b.h->priv = PRIV_S;
    ck_assert(access(b.h, CSR_SCOUNTOVF, CSR_SET, false, 0, &value));
    ck_assert_uint_eq(value, 1u << 31);
    b.h->isa.sscofpmf = false;
    ck_assert(!access(b.h, CSR_SCOUNTOVF, CSR_SET, false, 0, &value));
    bench_free(&b);
}
END_TEST

START_TEST(s_mode_clears_lcofip_when_it_is_delegated)
{
    struct bench b;
    uint64_t old;
    bench_init(&b);
    b.h->csr.mip = LCOFI;
    ck_assert(access(b.h, CSR_SIP, CSR_CLEAR, true, LCOFI, &old));
    ck_assert_uint_eq(b.h->csr.mip, LCOFI);
    ck_assert(access(b.h, CSR_MIDELEG, CSR_SET, true, LCOFI, &old));
    ck_assert(access(b.h, CSR_SIP, CSR_CLEAR, true, LCOFI, &old));
    ck_assert_uint_eq(b.h->csr.mip, 0);
    bench_free(&b);
}
END_TEST

START_TEST(an_event_that_there_is_not_is_none)
{
    struct bench b;
    bench_init(&b);
    hpm_write_config(b.h, 3, HPM_SINH | 0x12345);
    ck_assert_uint_eq(b.h->csr.counter_config[3], HPM_SINH);
    hpm_write_config(b.h, 3, HPM_OF | HPM_SINH | INTERRUPTS);
    ck_assert_uint_eq(b.h->csr.counter_config[3], HPM_OF | HPM_SINH | INTERRUPTS);
    b.h->isa.sscofpmf = b.h->isa.smcntrpmf = false;
    hpm_write_config(b.h, 3, HPM_OF | HPM_SINH | INTERRUPTS);
    hpm_write_config(b.h, 0, HPM_SINH);
    ck_assert_uint_eq(b.h->csr.counter_config[3], INTERRUPTS);
    ck_assert_uint_eq(b.h->csr.counter_config[0], 0);
    ck_assert(hpm_is_legal(b.h));
    b.h->csr.counter_config[3] = 0x12345;
    ck_assert(!hpm_is_legal(b.h));
    bench_free(&b);
}
END_TEST

START_TEST(a_counter_keeps_its_value_when_its_event_changes)
{
    struct bench b;
    bench_init(&b);
    put_nops(&b, 100);
    count(&b, CYCLES, 500);
    bench_run(&b, 20);
    hpm_write_config(b.h, 3, EXCEPTIONS);
    ck_assert_uint_eq(hpm_read(b.h, 3), 500 + 20 + 1); /* the write itself is a step */
    bench_run(&b, 20);
    ck_assert_uint_eq(hpm_read(b.h, 3), 500 + 20 + 1);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hpm");
    TCase *t = tcase_create("hpm");
    tcase_add_test(t, each_privilege_has_its_own_steps);
    tcase_add_test(t, a_tlb_miss_is_a_walk);
    tcase_add_test(t, an_overflow_interrupts_behind_the_step_that_wraps_the_counter);
    tcase_add_test(t, a_return_to_a_mode_that_counts_finds_the_step_of_the_overflow);
    tcase_add_test(t, with_of_set_an_overflow_is_no_interrupt);
    tcase_add_test(t, an_inhibited_counter_does_not_overflow);
    tcase_add_test(t, a_miss_that_wraps_the_counter_interrupts_at_its_place);
    tcase_add_test(t, a_fetch_miss_in_a_jump_interrupts_before_the_target);
    tcase_add_test(t, an_armed_counter_overflows_at_the_same_step_after_a_load);
    tcase_add_test(t, scountovf_shows_s_mode_what_mcounteren_opens);
    tcase_add_test(t, s_mode_clears_lcofip_when_it_is_delegated);
    tcase_add_test(t, an_event_that_there_is_not_is_none);
    tcase_add_test(t, a_counter_keeps_its_value_when_its_event_changes);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

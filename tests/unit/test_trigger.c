/* Triggers: where each type fires, and what its registers hold. */
#include "cpu/trigger.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define CSR_TSELECT 0x7a0
#define CSR_TDATA1  0x7a1
#define CSR_TDATA2  0x7a2
#define CSR_TINFO   0x7a4

#define TYPE(n)  ((uint64_t)(n) << 60)
#define MC6      TYPE(6)
#define MC6_M    (1ull << 6)
#define MC6_S    (1ull << 4)
#define MC6_HIT0 (1ull << 22)
#define MATCH(n) ((uint64_t)(n) << 7)
#define SIZE(n)  ((uint64_t)(n) << 16)
#define ICOUNT   TYPE(3)
#define COUNT(n) ((uint64_t)(n) << 10)
#define TRAP_S   (1ull << 7) /* also icount.s */
#define TRAP_U   (1ull << 6)
#define TRAP_M   (1ull << 9)

#define HANDLER   (BENCH_RAM + 0x1000)
#define S_HANDLER (BENCH_RAM + 0x1100)
#define DATA      (BENCH_RAM + 0x8000)

static uint64_t csr(struct bench *b, unsigned number)
{
    uint64_t value;
    ck_assert(hart_csr_peek(b->h, number, &value));
    return value;
}

static void set_trigger(struct bench *b, unsigned i, uint64_t tdata1, uint64_t tdata2)
{
    ck_assert(hart_csr_poke(b->h, CSR_TSELECT, i));
    ck_assert(hart_csr_poke(b->h, CSR_TDATA2, tdata2));
    ck_assert(hart_csr_poke(b->h, CSR_TDATA1, tdata1));
}

/* M-mode with MIE, so that its triggers are live; handlers of M and S stay where they are. */
static void init(struct bench *b, bool stress)
{
    bench_init(b);
    b->h->stress = stress;
    b->h->csr.mtvec = HANDLER;
    b->h->csr.stvec = S_HANDLER;
    b->h->csr.mstatus |= MSTATUS_MIE;
    pmp_write_addr(b->h, 15, ~0ull);
    pmp_write_cfg(b->h, 2, 0x1full << 56);
    b->a.pc = HANDLER;
    ASM(&b->a, jal, .imm = 0);
    b->a.pc = S_HANDLER;
    ASM(&b->a, jal, .imm = 0);
    b->a.pc = BENCH_RAM;
}

static void ck_fired(struct bench *b, uint64_t pc, uint64_t tval)
{
    ck_assert_uint_eq(b->h->traps, 1);
    ck_assert_uint_eq(b->h->csr.mcause, CAUSE_BREAKPOINT);
    ck_assert_uint_eq(b->h->csr.mepc, pc);
    ck_assert_uint_eq(b->h->csr.mtval, tval);
}

START_TEST(registers_hold_what_there_is)
{
    struct bench b;
    bench_init(&b);
    ck_assert_uint_eq(csr(&b, CSR_TINFO), 1ull << 24 | 0x8078);
    for (unsigned i = 0; i < TRIGGERS; i++) {
        ck_assert(hart_csr_poke(b.h, CSR_TSELECT, i));
        ck_assert_uint_eq(csr(&b, CSR_TSELECT), i);
        ck_assert_uint_eq(csr(&b, CSR_TDATA1), TYPE(15));
        ck_assert(hart_csr_poke(b.h, CSR_TDATA2, 100 + i));
    }
    ck_assert(hart_csr_poke(b.h, CSR_TSELECT, TRIGGERS));
    ck_assert_uint_eq(csr(&b, CSR_TSELECT), TRIGGERS - 1);
    ck_assert(hart_csr_poke(b.h, CSR_TSELECT, 1));
    ck_assert_uint_eq(csr(&b, CSR_TDATA2), 101);
    bench_free(&b);
}
END_TEST

static const struct {
    uint64_t written, kept;
} legal[] = {
    {~0ull, TYPE(15)},
    {TYPE(2) | 0x1f, TYPE(15)}, /* mcontrol: an older form */
    {TYPE(6) | 0x7f, TYPE(6) | 0x5f},
    {TYPE(6) | MATCH(3) | SIZE(5) | 1, TYPE(6) | MATCH(3) | SIZE(5) | 1},
    {TYPE(6) | MATCH(4) | SIZE(4) | 1, TYPE(6) | 1},
    {TYPE(6) | SIZE(5) | 4, TYPE(6) | 4},                       /* no lengths of instructions */
    {TYPE(6) | 1ull << 59 | 1ull << 21 | 15ull << 11, TYPE(6)}, /* dmode, select, action, chain */
    {TYPE(3) | ((1ull << 59) - 1), TYPE(3) | 0x1ffffc0},
    {TYPE(4) | ((1ull << 59) - 1), TYPE(4) | 1ull << 58 | 0x2c0},
    {TYPE(5) | ((1ull << 59) - 1), TYPE(5) | 1ull << 58 | 0x2c0},
};

START_TEST(tdata1_keeps_what_its_type_has)
{
    struct bench b;
    bench_init(&b);
    set_trigger(&b, 0, legal[_i].written, 0);
    ck_assert_uint_eq(csr(&b, CSR_TDATA1), legal[_i].kept);
    ck_assert(trigger_is_legal(b.h));
    b.h->csr.tdata1[0] ^= 1ull << 59;
    ck_assert(!trigger_is_legal(b.h));
    bench_free(&b);
}
END_TEST

START_TEST(without_sdtrig_there_are_no_registers)
{
    struct bench b;
    bench_init(&b);
    b.h->isa.sdtrig = false;
    uint64_t value;
    for (unsigned number = CSR_TSELECT; number <= CSR_TINFO; number++)
        ck_assert(!hart_csr_peek(b.h, number, &value));
    bench_free(&b);
}
END_TEST

START_TEST(an_execute_trigger_fires_before_its_instruction)
{
    for (unsigned stress = 0; stress < 2; stress++) {
        struct bench b;
        init(&b, stress);
        for (unsigned i = 0; i < 50; i++)
            ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
        set_trigger(&b, 2, MC6 | MC6_M | TRIGGER_EXECUTE, BENCH_RAM + 30 * 4);
        bench_run(&b, 60);
        ck_fired(&b, BENCH_RAM + 30 * 4, BENCH_RAM + 30 * 4);
        ck_assert_uint_eq(b.h->x[A0], 30);
        ck_assert(csr(&b, CSR_TDATA1) & MC6_HIT0);
        bench_free(&b);
    }
}
END_TEST

START_TEST(in_m_mode_nothing_fires_while_mie_is_0)
{
    struct bench b;
    init(&b, false);
    b.h->csr.mstatus &= ~MSTATUS_MIE;
    for (unsigned i = 0; i < 50; i++)
        ASM(&b.a, addi, 0);
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A0);
    b.h->x[A0] = DATA;
    set_trigger(&b, 0, MC6 | MC6_M | TRIGGER_EXECUTE, BENCH_RAM + 30 * 4);
    set_trigger(&b, 1, MC6 | MC6_M | TRIGGER_STORE, DATA);
    set_trigger(&b, 2, ICOUNT | TRAP_M | COUNT(5), 0);
    bench_run(&b, 51);
    ck_assert_uint_eq(b.h->traps, 0);
    ck_assert_uint_eq(csr(&b, CSR_TDATA1), ICOUNT | TRAP_M | COUNT(5));
    bench_free(&b);
}
END_TEST

START_TEST(a_trigger_of_another_mode_does_not_fire)
{
    struct bench b;
    init(&b, false);
    for (unsigned i = 0; i < 50; i++)
        ASM(&b.a, addi, 0);
    set_trigger(&b, 0, MC6 | MC6_S | TRIGGER_EXECUTE, BENCH_RAM + 30 * 4);
    set_trigger(&b, 1, ICOUNT | TRAP_U | COUNT(5), 0);
    bench_run(&b, 50);
    ck_assert_uint_eq(b.h->traps, 0);
    bench_free(&b);
}
END_TEST

#define ACCESSES 7u

/* Accesses in a fixed order, each of DATA + 8 or about it. */
static void put_accesses(struct bench *b)
{
    b->h->x[A0] = DATA + 8;
    b->h->x[A1] = DATA + 4;
    ASM(&b->a, lb, .rd = A2, .rs1 = A0, .imm = 7);
    ASM(&b->a, ld, .rd = A2, .rs1 = A1); /* misaligned: bytes 4 to 11 */
    ASM(&b->a, sw, .rs1 = A0, .rs2 = A2, .imm = 8);
    ASM(&b->a, lr_d, .rd = A2, .rs1 = A0);
    ASM(&b->a, sc_d, .rd = A2, .rs1 = A0, .rs2 = A3);
    ASM(&b->a, amoadd_d, .rd = A2, .rs1 = A0, .rs2 = A3);
    ASM(&b->a, cbo_zero, .rs1 = A0);
    for (unsigned i = 0; i < 20; i++)
        ASM(&b->a, addi, 0);
}

static const struct {
    uint64_t tdata1, tdata2;
    int stopped; /* which access, from 0; -1: none */
    uint64_t tval;
} data_cases[] = {
    {TRIGGER_LOAD, DATA + 15, 0, DATA + 15},
    {TRIGGER_LOAD, DATA + 11, 1, DATA + 4},
    {TRIGGER_LOAD, DATA + 12, 3, DATA + 8},
    {TRIGGER_LOAD, DATA + 16, -1, 0},
    {TRIGGER_STORE, DATA + 19, 2, DATA + 16},
    {TRIGGER_STORE, DATA + 8, 4, DATA + 8},
    {TRIGGER_STORE, DATA + 63, 6, DATA},
    {TRIGGER_STORE, DATA + 64, -1, 0},
    {TRIGGER_LOAD | SIZE(5), DATA + 15, 3, DATA + 8},
    {TRIGGER_LOAD | SIZE(1), DATA + 11, -1, 0},
    {TRIGGER_STORE | SIZE(3), DATA + 16, 2, DATA + 16},
    {TRIGGER_STORE | MATCH(2), DATA + 9, 2, DATA + 16},
    {TRIGGER_STORE | MATCH(3), DATA + 8, 6, DATA},
    {TRIGGER_LOAD | MATCH(1), DATA + 3, 1, DATA + 4}, /* 8 bytes from DATA */
    {TRIGGER_LOAD | MATCH(1), ~0ull, 0, DATA + 15},
    {TRIGGER_LOAD | MATCH(1), DATA + 0x1003, -1, 0},
};

START_TEST(a_data_trigger_fires_before_the_access)
{
    for (unsigned warm = 0; warm < 2; warm++) {
        struct bench b;
        init(&b, false);
        put_accesses(&b);
        if (warm) { /* fast tags are there when the trigger is set */
            bench_run(&b, ACCESSES);
            b.h->pc = BENCH_RAM;
        }
        set_trigger(&b, 0, MC6 | MC6_M | data_cases[_i].tdata1, data_cases[_i].tdata2);
        bench_run(&b, 15);
        if (data_cases[_i].stopped < 0)
            ck_assert_uint_eq(b.h->traps, 0);
        else
            ck_fired(&b, BENCH_RAM + 4 * (unsigned)data_cases[_i].stopped, data_cases[_i].tval);
        bench_free(&b);
    }
}
END_TEST

/* With a load trigger an atomic's own tag, that of stores, must not be fast. */
START_TEST(an_atomic_is_seen_by_a_load_trigger)
{
    struct bench b;
    init(&b, false);
    b.h->x[A0] = DATA;
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A3);
    ASM(&b.a, sd, .rs1 = A0, .rs2 = A3);
    ASM(&b.a, amoadd_d, .rd = A2, .rs1 = A0, .rs2 = A3);
    set_trigger(&b, 0, MC6 | MC6_M | TRIGGER_LOAD, DATA);
    bench_run(&b, 5);
    ck_fired(&b, BENCH_RAM + 8, DATA);
    bench_free(&b);
}
END_TEST

START_TEST(icount_fires_after_so_many_steps_of_its_modes)
{
    for (unsigned n = 1; n < 4; n++) {
        struct bench b;
        init(&b, n == 2);
        for (unsigned i = 0; i < 50; i++)
            ASM(&b.a, addi, 0);
        set_trigger(&b, 0, ICOUNT | TRAP_M | COUNT(n), 0);
        bench_run(&b, 20);
        ck_fired(&b, BENCH_RAM + 4 * n, 0);
        ck_assert_uint_eq(csr(&b, CSR_TDATA1), ICOUNT | TRAP_M | 1ull << 24);
        bench_free(&b);
    }
}
END_TEST

/* From S, whose breakpoints go to M: an exception or interrupt that S takes. */
static void run_trap_trigger(struct bench *b, uint64_t tdata1, uint64_t tdata2, bool interrupt)
{
    init(b, false);
    ASM(&b->a, addi, 0);
    ASM(&b->a, ecall, 0);
    b->h->csr.medeleg = 1u << CAUSE_ECALL_S;
    b->h->csr.mideleg = b->h->csr.mie = 1u << IRQ_SSIP;
    b->h->csr.mstatus |= MSTATUS_SIE;
    b->h->csr.mip = interrupt ? 1u << IRQ_SSIP : 0;
    hpm_enter_priv(b->h, PRIV_S, 0);
    hart_update_translation(b->h);
    set_trigger(b, 3, tdata1, tdata2);
    bench_run(b, 6);
}

START_TEST(a_trap_trigger_fires_before_the_handlers_first_instruction)
{
    static const struct {
        uint64_t tdata1, tdata2;
        bool interrupt, fires;
    } cases[] = {
        {TYPE(5) | TRAP_S, 1u << CAUSE_ECALL_S, false, true},
        {TYPE(5) | TRAP_S, ~(1ull << CAUSE_ECALL_S), false, false},
        {TYPE(5) | TRAP_U | TRAP_M, 1u << CAUSE_ECALL_S, false, false},
        {TYPE(4) | TRAP_S, ~0ull, false, false},
        {TYPE(4) | TRAP_S, 1u << IRQ_SSIP, true, true},
        {TYPE(4) | TRAP_U, 1u << IRQ_SSIP, true, false},
        {TYPE(5) | TRAP_S, 1u << IRQ_SSIP, true, false},
    };
    struct bench b;
    run_trap_trigger(&b, cases[_i].tdata1, cases[_i].tdata2, cases[_i].interrupt);
    ck_assert_uint_eq(b.h->traps, cases[_i].fires ? 2 : 1);
    ck_assert_uint_eq(b.h->priv, cases[_i].fires ? PRIV_M : PRIV_S);
    ck_assert_uint_eq(csr(&b, CSR_TDATA1) >> 58 & 1, cases[_i].fires);
    if (cases[_i].fires) {
        ck_assert_uint_eq(b.h->csr.mcause, CAUSE_BREAKPOINT);
        ck_assert_uint_eq(b.h->csr.mepc, S_HANDLER);
    }
    bench_free(&b);
}
END_TEST

START_TEST(a_load_arms_triggers_again)
{
    uint64_t hashes[2];
    for (unsigned i = 0; i < 2; i++) {
        struct bench b;
        init(&b, false);
        for (unsigned n = 0; n < 50; n++)
            ASM(&b.a, addi, 0);
        set_trigger(&b, 0, MC6 | MC6_M | TRIGGER_EXECUTE, BENCH_RAM + 30 * 4);
        bench_run(&b, 10);
        if (i) {
            size_t size;
            struct state *saved = state_new_save();
            hart_state(b.h, saved);
            const void *bytes = state_data(saved, &size);
            struct state *load = state_new_load(bytes, size);
            b.h->triggers_on = 0;
            hart_state(b.h, load);
            ck_assert(state_ok(load));
            state_free(load);
            state_free(saved);
        }
        bench_run(&b, 30);
        ck_fired(&b, BENCH_RAM + 30 * 4, BENCH_RAM + 30 * 4);
        hashes[i] = bench_hash(&b);
        bench_free(&b);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trigger");
    TCase *t = tcase_create("trigger");
    tcase_add_test(t, registers_hold_what_there_is);
    tcase_add_loop_test(t, tdata1_keeps_what_its_type_has, 0, ARRAY_LEN(legal));
    tcase_add_test(t, without_sdtrig_there_are_no_registers);
    tcase_add_test(t, an_execute_trigger_fires_before_its_instruction);
    tcase_add_test(t, in_m_mode_nothing_fires_while_mie_is_0);
    tcase_add_test(t, a_trigger_of_another_mode_does_not_fire);
    tcase_add_loop_test(t, a_data_trigger_fires_before_the_access, 0, ARRAY_LEN(data_cases));
    tcase_add_test(t, an_atomic_is_seen_by_a_load_trigger);
    tcase_add_test(t, icount_fires_after_so_many_steps_of_its_modes);
    tcase_add_loop_test(t, a_trap_trigger_fires_before_the_handlers_first_instruction, 0, 7);
    tcase_add_test(t, a_load_arms_triggers_again);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

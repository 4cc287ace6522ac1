/* The run loop: exact ends, interrupts at exact steps, sleep, counters, state. */
#include "base/events.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define PROGRAM BENCH_RAM
#define TRAPS   (BENCH_RAM + 0x3000)
#define FAR     (BENCH_RAM + 0x5f00)
#define DATA    (BENCH_RAM + 0x8000)

#define CSR_MSTATUS  0x300
#define CSR_MIE      0x304
#define CSR_MTVEC    0x305
#define CSR_MEPC     0x341
#define CSR_MCYCLE   0xb00
#define CSR_MINSTRET 0xb02
#define CSR_CYCLE    0xc00
#define CSR_TIME     0xc01
#define CSR_INSTRET  0xc02

/* A program of all ways to go on: branches taken and not, a nested loop, calls by jalr to another
 * page, a straddling instruction, ecall and illegal words that trap, floating point, CSRs, stores,
 * atomics. It runs for ever; its trap handler skips the instruction. */
static void put_program(struct bench *b)
{
    struct assembler *a = &b->a;
    a->pc = TRAPS;
    ASM(a, addi, .rd = A7, .rs1 = A7, .imm = 1);
    ASM(a, csrrs, .rd = T0, .imm = CSR_MEPC);
    ASM(a, addi, .rd = T0, .rs1 = T0, .imm = 4);
    ASM(a, csrrw, .rs1 = T0, .imm = CSR_MEPC);
    ASM(a, mret);
    a->pc = PAGE_BYTES * 6 - 2 + BENCH_RAM;
    uint64_t straddler = a->pc;
    ASM(a, addi, .rd = A0, .rs1 = A0, .imm = 3);
    ASM(a, fcvt_d_w, .rd = 1, .rs1 = A0);
    ASM(a, jalr, .rs1 = RA);
    a->pc = FAR;
    ASM(a, c_addi, .rd = A1, .imm = 1);
    ASM(a, jal, .imm = asm_to(a, straddler));
    a->pc = PROGRAM;
    asm_csrw(a, CSR_MTVEC, TRAPS);
    asm_csrw(a, CSR_MSTATUS, MSTATUS_FS);
    asm_li(a, S0, DATA);
    asm_li(a, S1, FAR);
    uint64_t outer = a->pc;
    asm_li(a, T1, 3);
    uint64_t inner = a->pc;
    ASM(a, addi, .rd = T1, .rs1 = T1, .imm = -1);
    ASM(a, andi, .rd = T2, .rs1 = T1, .imm = 1);
    ASM(a, beq, .rs1 = T2, .imm = 8);
    ASM(a, ecall);
    ASM(a, bne, .rs1 = T1, .imm = asm_to(a, inner));
    ASM(a, jalr, .rd = RA, .rs1 = S1);
    ASM(a, amoadd_d, .rd = A2, .rs1 = S0, .rs2 = A0);
    ASM(a, sd, .rs1 = S0, .rs2 = A1, .imm = 8);
    asm_word(a, 0xffffffff);
    ASM(a, csrrs, .rd = A3, .imm = CSR_MINSTRET);
    ASM(a, jal, .imm = asm_to(a, outer));
}

static uint64_t run_in_one(struct bench *b, uint64_t steps)
{
    bench_init(b);
    put_program(b);
    ck_assert_int_eq(hart_run(b->h, steps), HART_RAN);
    ck_assert_uint_eq(b->h->steps, steps);
    return bench_hash(b);
}

START_TEST(a_run_ends_at_the_exact_step_for_every_count)
{
    struct bench single, b;
    bench_init(&single);
    put_program(&single);
    for (uint64_t end = 0; end <= 300; end++) {
        uint64_t hash = run_in_one(&b, end);
        ck_assert_uint_eq(b.h->pc, single.h->pc);
        ck_assert_uint_eq(b.h->traps, single.h->traps);
        ck_assert_uint_eq(hash, bench_hash(&single));
        bench_free(&b);
        hart_run(single.h, end + 1);
    }
    ck_assert_uint_ge(single.h->traps, 10);
    bench_free(&single);
}
END_TEST

START_TEST(blocks_of_full_length_do_not_run_over_the_end)
{
    for (uint64_t end = 0; end <= 300; end++) {
        struct bench b;
        bench_init(&b);
        for (unsigned i = 0; i < 3 * BLOCK_MAX - 1; i++)
            ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
        ASM(&b.a, jal, .imm = asm_to(&b.a, BENCH_RAM));
        hart_run(b.h, end);
        ck_assert_uint_eq(b.h->steps, end);
        ck_assert_uint_eq(b.h->x[A0], end - end / (3 * BLOCK_MAX));
        bench_free(&b);
    }
}
END_TEST

START_TEST(a_run_whose_end_has_slack_enters_the_loop_once_and_ends_inside_it)
{
    enum { LENGTH = 3 * BLOCK_MAX };
    struct bench b;
    bench_init(&b);
    for (unsigned i = 0; i < LENGTH - 1; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = asm_to(&b.a, BENCH_RAM));
    for (uint64_t most = 1000; most <= 100000; most += 997) {
        uint64_t runs = b.h->stats.runs, least = most - HART_RUN_SLACK;
        ck_assert_int_eq(hart_run_between(b.h, least, most), HART_RAN);
        ck_assert_uint_ge(b.h->steps, least);
        ck_assert_uint_le(b.h->steps, most);
        ck_assert_uint_eq(b.h->stats.runs, runs + 1);
        ck_assert_uint_eq(b.h->x[A0], b.h->steps - b.h->steps / LENGTH);
    }
    bench_free(&b);
}
END_TEST

START_TEST(however_a_run_is_cut_its_end_is_the_same)
{
    struct bench b;
    uint64_t hash = run_in_one(&b, 20000);
    bench_free(&b);
    for (uint64_t piece = 1; piece < 200; piece += 7) {
        bench_init(&b);
        put_program(&b);
        while (b.h->steps < 20000)
            hart_run(b.h, min_u64(b.h->steps + piece, 20000));
        ck_assert_uint_eq(bench_hash(&b), hash);
        bench_free(&b);
    }
}
END_TEST

START_TEST(stress_and_breakpoints_change_nothing)
{
    struct bench b;
    uint64_t hash = run_in_one(&b, 20000);
    bench_free(&b);
    bench_init(&b);
    put_program(&b);
    b.h->stress = b.code->stress = true;
    hart_run(b.h, 20000);
    ck_assert_uint_eq(bench_hash(&b), hash);
    bench_free(&b);
    bench_init(&b);
    put_program(&b);
    ck_assert(code_add_breakpoint(b.code, FAR));
    ck_assert(code_add_breakpoint(b.code, TRAPS + 4));
    unsigned stops = 0;
    while (hart_run(b.h, 20000) == HART_BREAKPOINT)
        stops++;
    ck_assert_uint_ge(stops, 1000);
    ck_assert_uint_eq(bench_hash(&b), hash);
    bench_free(&b);
}
END_TEST

START_TEST(a_state_saved_anywhere_goes_on_in_another_hart_to_the_same_end)
{
    struct bench b, other;
    uint64_t hash = run_in_one(&b, 5000);
    bench_free(&b);
    for (uint64_t k = 1; k < 5000; k += 131) {
        run_in_one(&b, k);
        struct state *save = state_new_save();
        memory_state(b.memory, save);
        hart_state(b.h, save);
        size_t size;
        const void *data = state_data(save, &size);
        run_in_one(&other, 777); /* what it did before must not matter */
        struct state *load = state_new_load(data, size);
        memory_state(other.memory, load);
        hart_state(other.h, load);
        ck_assert_msg(state_ok(load), "%s", state_error(load));
        state_free(load);
        state_free(save);
        hart_run(other.h, 5000);
        ck_assert_uint_eq(bench_hash(&other), hash);
        bench_free(&b);
        bench_free(&other);
    }
}
END_TEST

/* Whether the state is accepted; what was accepted can be run. */
static bool loads(struct bench *b, const void *data, size_t size)
{
    struct state *load = state_new_load(data, size);
    hart_state(b->h, load);
    bool ok = state_ok(load);
    if (ok)
        bench_run(b, 100);
    state_free(load);
    return ok;
}

START_TEST(a_truncated_state_is_refused)
{
    struct bench b, other;
    run_in_one(&b, 1000);
    bench_init(&other);
    struct state *save = state_new_save();
    hart_state(b.h, save);
    size_t size;
    const uint8_t *data = state_data(save, &size);
    ck_assert(loads(&other, data, size));
    for (size_t n = 0; n < size; n++) {
        uint8_t *exact = malloc(n + !n); /* so that a read behind the end is seen */
        memcpy(exact, data, n);
        ck_assert(!loads(&other, exact, n));
        free(exact);
    }
    state_free(save);
    bench_free(&b);
    bench_free(&other);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_can_be_run)
{
    struct bench b, other;
    run_in_one(&b, 1000);
    bench_init(&other);
    struct state *save = state_new_save();
    hart_state(b.h, save);
    size_t size;
    const void *data = state_data(save, &size);
    uint8_t *copy = malloc(size);
    unsigned refused = 0;
    for (size_t at = 0; at < size; at++) {
        memcpy(copy, data, size);
        copy[at] ^= (uint8_t)(1u << at % 8);
        refused += !loads(&other, copy, size);
        copy[at] = 0xff;
        refused += !loads(&other, copy, size);
    }
    ck_assert_uint_ge(refused, 1000);
    free(copy);
    state_free(save);
    bench_free(&b);
    bench_free(&other);
}
END_TEST

/* Whether the state of a hart that `damage` was done to is accepted. */
static bool loads_with(void (*damage)(struct hart *h))
{
    struct bench b, other;
    run_in_one(&b, 1000);
    bench_init(&other);
    damage(b.h);
    struct state *save = state_new_save();
    hart_state(b.h, save);
    size_t size;
    const void *data = state_data(save, &size);
    bool ok = loads(&other, data, size);
    state_free(save);
    bench_free(&b);
    bench_free(&other);
    return ok;
}

static void no_damage(struct hart *h)
{
    (void)h;
}

static void odd_pc(struct hart *h)
{
    h->pc = BENCH_RAM + PAGE_BYTES - 1;
}

static void privilege_2(struct hart *h)
{
    h->priv = 2;
}

static void frm_8(struct hart *h)
{
    h->frm = 8;
}

static void fflags_32(struct hart *h)
{
    h->fflags = 32;
}

static void page_of_a_device(struct hart *h)
{
    h->page_pa = BENCH_DEVICE;
    h->page_valid = true;
}

static void odd_virtual_page(struct hart *h)
{
    h->page_va = 1;
    h->page_valid = true;
}

START_TEST(values_that_no_hart_can_have_are_refused)
{
    ck_assert(loads_with(no_damage));
    ck_assert(!loads_with(odd_pc));
    ck_assert(!loads_with(privilege_2));
    ck_assert(!loads_with(frm_8));
    ck_assert(!loads_with(fflags_32));
    ck_assert(!loads_with(page_of_a_device));
    ck_assert(!loads_with(odd_virtual_page));
}
END_TEST

/* --- counters --- */

START_TEST(instret_counts_instructions_and_cycle_counts_traps_too)
{
    struct bench b;
    bench_init(&b);
    asm_csrw(&b.a, CSR_MTVEC, BENCH_RAM + 0x100);
    uint64_t before = (b.a.pc - BENCH_RAM) / 4;
    ASM(&b.a, ecall);
    b.a.pc = BENCH_RAM + 0x100;
    ASM(&b.a, csrrs, .rd = A0, .imm = CSR_INSTRET);
    ASM(&b.a, csrrs, .rd = A1, .imm = CSR_CYCLE);
    ASM(&b.a, csrrs, .rd = A2, .imm = CSR_TIME);
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->x[A0], before);
    ck_assert_uint_eq(b.h->x[A1], before + 2);
    ck_assert_uint_eq(b.h->x[A2], 0);
    ck_assert_uint_eq(b.h->steps, 100);
    ck_assert_uint_eq(b.h->traps, 1);
    bench_free(&b);
}
END_TEST

START_TEST(counters_and_time_are_exact_inside_a_block)
{
    struct bench b;
    bench_init_shift(&b, 10); /* 1024 ns a step */
    b.h->time_base_ns = 5000;
    for (unsigned i = 0; i < 50; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, csrrs, .rd = A1, .imm = CSR_CYCLE);
    ASM(&b.a, csrrs, .rd = A2, .imm = CSR_TIME);
    asm_li(&b.a, S0, BENCH_DEVICE);
    ASM(&b.a, ld, .rd = A3, .rs1 = S0, .imm = DEVICE_TIME);
    ASM(&b.a, jal, .imm = 0);
    uint64_t load_at = (b.a.pc - 8 - BENCH_RAM) / 4;
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.h->x[A1], 50);
    ck_assert_uint_eq(b.h->x[A2], (5000 + 51 * 1024) / 100);
    ck_assert_uint_eq(b.h->x[A3], 5000 + load_at * 1024);
    bench_free(&b);
}
END_TEST

/* --- interrupts --- */

/* Endless counting in a0, interrupts to TRAPS, which remembers instret in a1 and stays. */
static void put_counter(struct bench *b)
{
    b->a.pc = TRAPS;
    ASM(&b->a, csrrs, .rd = A1, .imm = CSR_MINSTRET);
    ASM(&b->a, jal, .imm = 0);
    b->a.pc = BENCH_RAM;
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, jal, .imm = -12);
    b->h->csr.mtvec = TRAPS;
    b->h->csr.mstatus = MSTATUS_MIE;
}

START_TEST(the_machine_timer_interrupts_at_the_exact_step)
{
    for (uint64_t mtime = 1; mtime < 30; mtime++) {
        for (unsigned shift = 0; shift < 6; shift += 2) {
            struct bench b;
            bench_init_shift(&b, shift);
            put_counter(&b);
            b.h->csr.mie = 1 << IRQ_MTIP;
            hart_set_mtimecmp(b.h, mtime);
            bench_run(&b, 5000);
            uint64_t due = (mtime * 100 + (1u << shift) - 1) >> shift;
            ck_assert_uint_eq(b.h->x[A1], due);
            ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | IRQ_MTIP);
            ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + due % 4 * 4);
            bench_free(&b);
        }
    }
}
END_TEST

START_TEST(timers_interrupt_at_the_exact_step_of_an_mtime_that_was_written)
{
    static const uint64_t offsets[] = {0, 3, (uint64_t)-2};
    for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
        struct bench b;
        bench_init(&b);
        put_counter(&b);
        b.h->time_base_ns = 1000;
        b.h->csr.mie = 1 << IRQ_MTIP;
        hart_set_mtimecmp(b.h, 17);
        hart_set_mtime_offset(b.h, offsets[i]);
        ck_assert_uint_eq(hart_timer_deadline_ns(b.h), (17 - offsets[i]) * 100);
        bench_run(&b, 5000);
        ck_assert_uint_eq(b.h->x[A1], (7 - offsets[i]) * 100);
        ck_assert_uint_eq(hart_mtime(b.h), b.h->steps / 100 + 10 + offsets[i]);
        bench_free(&b);
    }
}
END_TEST

START_TEST(the_supervisor_timer_interrupts_at_the_exact_step)
{
    struct bench b;
    bench_init(&b);
    put_counter(&b);
    b.h->csr.menvcfg = ENVCFG_STCE;
    b.h->csr.mie = 1 << IRQ_STIP;
    hart_set_stimecmp(b.h, 7);
    bench_run(&b, 5000);
    ck_assert_uint_eq(b.h->x[A1], 700);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | IRQ_STIP);
    bench_free(&b);
}
END_TEST

START_TEST(a_timer_that_is_masked_is_taken_when_it_is_enabled)
{
    struct bench b;
    bench_init(&b);
    put_counter(&b);
    b.a.pc = BENCH_RAM + 12;
    for (unsigned i = 0; i < 400; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    uint64_t enable = b.a.pc;
    ASM(&b.a, csrrsi, .rs1 = MSTATUS_MIE, .imm = CSR_MSTATUS);
    ASM(&b.a, addi, .rd = A0);
    b.h->csr.mstatus = 0;
    b.h->csr.mie = 1 << IRQ_MTIP;
    hart_set_mtimecmp(b.h, 2);
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.h->csr.mepc, enable + 4);
    ck_assert_uint_eq(b.h->x[A1], 404);
    bench_free(&b);
}
END_TEST

START_TEST(an_interrupt_that_a_device_access_raises_comes_right_behind_it)
{
    struct bench b;
    bench_init(&b);
    put_counter(&b);
    b.a.pc = BENCH_RAM;
    asm_li(&b.a, S0, BENCH_DEVICE);
    asm_li(&b.a, T0, 1);
    ASM(&b.a, sw, .rs1 = S0, .rs2 = T0, .imm = DEVICE_IRQ);
    uint64_t behind = b.a.pc;
    ASM(&b.a, addi, .rd = A0, .imm = 1);
    b.h->csr.mie = 1 << IRQ_MEIP;
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.h->csr.mepc, behind);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | IRQ_MEIP);
    ck_assert_uint_eq(b.h->x[A0], 0);
    bench_free(&b);
}
END_TEST

START_TEST(each_wire_gives_its_interrupt_and_none_when_it_falls)
{
    static const enum irq_bit bits[] = {IRQ_MSIP, IRQ_MEIP, IRQ_SEIP, IRQ_SSIP};
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        struct bench b;
        bench_init(&b);
        put_counter(&b);
        b.h->csr.mie = ~0ull;
        hart_set_irq(b.h, bits[i], true);
        hart_set_irq(b.h, bits[i], false);
        bench_run(&b, 100);
        ck_assert_uint_eq(b.h->traps, 0);
        hart_set_irq(b.h, bits[i], true);
        ck_assert_uint_eq(hart_mip(b.h), 1u << bits[i]);
        bench_run(&b, 100);
        ck_assert_uint_eq(b.h->traps, 1);
        ck_assert_uint_eq(b.h->csr.mcause, CAUSE_INTERRUPT | bits[i]);
        ck_assert_uint_eq(b.h->x[A1], 100);
        bench_free(&b);
    }
}
END_TEST

/* --- sleep --- */

static void put_wfi(struct bench *b)
{
    put_counter(b);
    b->a.pc = BENCH_RAM;
    ASM(&b->a, wfi);
    b->h->csr.mstatus = 0;
}

START_TEST(wfi_ends_the_run_until_an_enabled_interrupt_is_pending)
{
    struct bench b;
    bench_init(&b);
    put_wfi(&b);
    b.h->csr.mie = 1 << IRQ_MSIP;
    ck_assert_int_eq(bench_run(&b, 1000), HART_WAITS);
    ck_assert_uint_eq(b.h->steps, 1);
    ck_assert_uint_eq(b.h->pc, BENCH_RAM + 4);
    ck_assert(b.h->waiting && !hart_has_wakeup(b.h));
    hart_set_irq(b.h, IRQ_MEIP, true);
    ck_assert(!hart_has_wakeup(b.h));
    hart_set_irq(b.h, IRQ_MSIP, true);
    ck_assert(hart_has_wakeup(b.h)); /* although mstatus.MIE is 0 */
    bench_free(&b);
}
END_TEST

START_TEST(wfi_does_not_sleep_when_its_interrupt_is_there)
{
    struct bench b;
    bench_init(&b);
    put_wfi(&b);
    b.h->csr.mie = 1 << IRQ_MSIP;
    hart_set_irq(b.h, IRQ_MSIP, true);
    ck_assert_int_eq(bench_run(&b, 1000), HART_RAN);
    ck_assert(!b.h->waiting);
    ck_assert_uint_ne(b.h->x[A0], 0);
    bench_free(&b);
}
END_TEST

START_TEST(the_deadline_of_a_sleeping_hart_is_its_next_timer)
{
    struct bench b;
    bench_init(&b);
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), EVENT_NEVER);
    hart_set_mtimecmp(b.h, 50);
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), 5000);
    hart_set_stimecmp(b.h, 20);
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), 5000);
    b.h->csr.menvcfg = ENVCFG_STCE;
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), 2000);
    b.h->time_base_ns = 2000; /* it is pending now */
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), 5000);
    hart_set_mtimecmp(b.h, UINT64_MAX / 100 + 1);
    ck_assert_uint_eq(hart_timer_deadline_ns(b.h), EVENT_NEVER);
    bench_free(&b);
}
END_TEST

START_TEST(pause_yields_the_turn_to_another_hart_and_counts)
{
    struct bench b;
    bench_init(&b);
    struct tlb *of_another = tlb_create();
    ck_assert_ptr_nonnull(of_another);
    code_attach(b.code, of_another);
    ASM(&b.a, pause);
    ASM(&b.a, jal, .imm = -4);
    ck_assert_int_eq(bench_run(&b, 1000), HART_YIELDS);
    ck_assert_uint_eq(b.h->steps, 1);
    ck_assert_uint_eq(b.h->pc, BENCH_RAM + 4);
    bench_free(&b);
    tlb_destroy(of_another);
}
END_TEST

START_TEST(a_hart_alone_goes_on_behind_pause)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, pause);
    ASM(&b.a, jal, .imm = -4);
    ck_assert_int_eq(bench_run(&b, 1000), HART_RAN);
    ck_assert_uint_eq(b.h->steps, 1000);
    ck_assert_uint_le(b.h->stats.runs, 40); /* the exact end takes one for each block */
    bench_free(&b);
}
END_TEST

START_TEST(traps_and_returns_do_not_leave_the_loop)
{
    struct bench b;
    bench_init(&b);
    put_program(&b);
    bench_run(&b, 10000);
    uint64_t traps = b.h->traps, runs = b.h->stats.runs;
    bench_run(&b, 100000);
    ck_assert_uint_gt(b.h->traps - traps, 5000);
    ck_assert_uint_lt(b.h->stats.runs - runs, 100);
    bench_free(&b);
}
END_TEST

START_TEST(a_guest_that_can_only_trap_uses_up_its_steps)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, ecall); /* mtvec is 0, where nothing is */
    ck_assert_int_eq(bench_run(&b, 10000), HART_RAN);
    ck_assert_uint_eq(b.h->steps, 10000);
    ck_assert_uint_eq(b.h->traps, 10000);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_ACCESS);
    bench_free(&b);
}
END_TEST

static void add_interrupt_tests(Suite *suite)
{
    TCase *tc = tcase_create("interrupts and sleep");
    tcase_add_test(tc, the_machine_timer_interrupts_at_the_exact_step);
    tcase_add_test(tc, timers_interrupt_at_the_exact_step_of_an_mtime_that_was_written);
    tcase_add_test(tc, the_supervisor_timer_interrupts_at_the_exact_step);
    tcase_add_test(tc, a_timer_that_is_masked_is_taken_when_it_is_enabled);
    tcase_add_test(tc, an_interrupt_that_a_device_access_raises_comes_right_behind_it);
    tcase_add_test(tc, each_wire_gives_its_interrupt_and_none_when_it_falls);
    tcase_add_test(tc, wfi_ends_the_run_until_an_enabled_interrupt_is_pending);
    tcase_add_test(tc, wfi_does_not_sleep_when_its_interrupt_is_there);
    tcase_add_test(tc, the_deadline_of_a_sleeping_hart_is_its_next_timer);
    tcase_add_test(tc, pause_yields_the_turn_to_another_hart_and_counts);
    tcase_add_test(tc, a_hart_alone_goes_on_behind_pause);
    tcase_add_test(tc, a_guest_that_can_only_trap_uses_up_its_steps);
    suite_add_tcase(suite, tc);
}

int main(void)
{
    Suite *suite = suite_create("hart");
    TCase *tc = tcase_create("exactness");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_run_ends_at_the_exact_step_for_every_count);
    tcase_add_test(tc, blocks_of_full_length_do_not_run_over_the_end);
    tcase_add_test(tc, a_run_whose_end_has_slack_enters_the_loop_once_and_ends_inside_it);
    tcase_add_test(tc, however_a_run_is_cut_its_end_is_the_same);
    tcase_add_test(tc, stress_and_breakpoints_change_nothing);
    tcase_add_test(tc, a_state_saved_anywhere_goes_on_in_another_hart_to_the_same_end);
    tcase_add_test(tc, a_truncated_state_is_refused);
    tcase_add_test(tc, a_damaged_state_is_refused_or_can_be_run);
    tcase_add_test(tc, values_that_no_hart_can_have_are_refused);
    tcase_add_test(tc, instret_counts_instructions_and_cycle_counts_traps_too);
    tcase_add_test(tc, counters_and_time_are_exact_inside_a_block);
    tcase_add_test(tc, traps_and_returns_do_not_leave_the_loop);
    suite_add_tcase(suite, tc);
    add_interrupt_tests(suite);
    return run_suite(suite);
}

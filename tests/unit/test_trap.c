/* trap.c: delegation, priority and enabling of interrupts, trap entry and return. */
#include "tests/unit/hart_fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define MTVEC 0x80100000ull
#define STVEC 0x80200000ull

static struct hart_fixture *start(enum priv priv)
{
    struct hart_fixture *f = malloc(sizeof *f);
    ck_assert_ptr_nonnull(f);
    fixture_init(f);
    f->hart.csr.mtvec = MTVEC;
    f->hart.csr.stvec = STVEC;
    f->hart.priv = priv;
    f->hart.steps = 100;
    f->hart.traps = 7;
    return f;
}

static void stop(struct hart_fixture *f)
{
    fixture_free(f);
    free(f);
}

static void take(struct hart *h, enum cause cause, uint64_t tval)
{
    ck_assert(!hart_raise(h, cause, tval));
    hart_take_exception(h);
}

static const unsigned delegable[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15};

START_TEST(an_exception_goes_to_s_if_delegated_and_not_from_m)
{
    unsigned cause = delegable[_i];
    for (unsigned i = 0; i < 6; i++) {
        enum priv from = (enum priv[]){PRIV_U, PRIV_S, PRIV_M}[i / 2];
        bool delegated = i % 2, to_s = delegated && from != PRIV_M;
        struct hart_fixture *f = start(from);
        struct hart *h = &f->hart;
        h->csr.medeleg = delegated ? 1ull << cause : ~(1ull << cause) & 0xb3ff;
        take(h, cause, 0x1234);
        ck_assert_uint_eq(h->priv, to_s ? PRIV_S : PRIV_M);
        ck_assert_uint_eq(h->pc, to_s ? STVEC : MTVEC);
        ck_assert_uint_eq(to_s ? h->csr.scause : h->csr.mcause, cause);
        ck_assert_uint_eq(to_s ? h->csr.mcause : h->csr.scause, 0);
        ck_assert_uint_eq(to_s ? h->csr.sepc : h->csr.mepc, FIXTURE_PC);
        ck_assert_uint_eq(to_s ? h->csr.stval : h->csr.mtval, 0x1234);
        stop(f);
    }
}
END_TEST

START_TEST(a_trap_is_a_step_and_wakes_and_looks_its_page_up)
{
    struct hart_fixture *f = start(PRIV_U);
    f->hart.waiting = true;
    take(&f->hart, CAUSE_ILLEGAL, 0);
    ck_assert_uint_eq(f->hart.steps, 101);
    ck_assert_uint_eq(f->hart.traps, 8);
    ck_assert(!f->hart.waiting && !f->hart.page_valid);
    ck_assert_uint_eq(f->translations, 1);
    stop(f);
}
END_TEST

START_TEST(a_trap_to_m_stacks_mie_and_the_privilege)
{
    for (unsigned i = 0; i < 6; i++) {
        enum priv from = (enum priv[]){PRIV_U, PRIV_S, PRIV_M}[i / 2];
        struct hart_fixture *f = start(from);
        uint64_t keep = MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV;
        /* The fields that the trap sets begin at the opposite. */
        uint64_t opposite = i % 2 ? MSTATUS_MIE : MSTATUS_MPIE;
        f->hart.csr.mstatus = keep | opposite | (uint64_t)(3 - from) << MSTATUS_MPP_SHIFT;
        take(&f->hart, CAUSE_BREAKPOINT, 0);
        ck_assert_uint_eq(f->hart.csr.mstatus,
                          keep | (i % 2 ? MSTATUS_MPIE : 0) | (uint64_t)from << MSTATUS_MPP_SHIFT);
        stop(f);
    }
}
END_TEST

START_TEST(a_trap_to_s_stacks_sie_and_the_privilege)
{
    for (unsigned i = 0; i < 4; i++) {
        enum priv from = i / 2 ? PRIV_S : PRIV_U;
        struct hart_fixture *f = start(from);
        uint64_t keep = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_SUM;
        uint64_t opposite = (i % 2 ? MSTATUS_SIE : MSTATUS_SPIE) | (i / 2 ? 0 : MSTATUS_SPP);
        f->hart.csr.medeleg = 1 << CAUSE_BREAKPOINT;
        f->hart.csr.mstatus = keep | opposite;
        take(&f->hart, CAUSE_BREAKPOINT, 0);
        ck_assert_uint_eq(f->hart.csr.mstatus,
                          keep | (i % 2 ? MSTATUS_SPIE : 0) | (i / 2 ? MSTATUS_SPP : 0));
        stop(f);
    }
}
END_TEST

START_TEST(vectored_mode_spreads_interrupts_but_not_exceptions)
{
    for (unsigned to_s = 0; to_s < 2; to_s++) {
        struct hart_fixture *f = start(PRIV_U);
        struct hart *h = &f->hart;
        uint64_t base = to_s ? STVEC : MTVEC;
        h->csr.mtvec = MTVEC | 1;
        h->csr.stvec = STVEC | 1;
        h->csr.mideleg = to_s ? 0x222 : 0;
        h->csr.medeleg = to_s ? 0xb3ff : 0;
        h->csr.mie = h->csr.mip = 1ull << IRQ_SEIP;
        ck_assert(hart_take_interrupt(h));
        ck_assert_uint_eq(h->pc, base + 4 * IRQ_SEIP);
        h->priv = PRIV_U;
        take(h, CAUSE_LOAD_PAGE, 0);
        ck_assert_uint_eq(h->pc, base);
        stop(f);
    }
}
END_TEST

START_TEST(interrupts_come_in_the_manuals_order)
{
    static const uint8_t order[] = {IRQ_MEIP, IRQ_MSIP, IRQ_MTIP, IRQ_SEIP, IRQ_SSIP, IRQ_STIP};
    struct hart_fixture *f = start(PRIV_U);
    struct hart *h = &f->hart;
    h->csr.mie = 0xaaa;
    h->mip_wires = 0xaaa;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        h->priv = PRIV_U;
        ck_assert(hart_take_interrupt(h));
        ck_assert_uint_eq(h->csr.mcause, CAUSE_INTERRUPT | order[i]);
        ck_assert_uint_eq(h->csr.mtval, 0);
        h->mip_wires &= ~(1ull << order[i]);
    }
    h->priv = PRIV_U;
    ck_assert(!hart_take_interrupt(h));
    stop(f);
}
END_TEST

START_TEST(m_interrupts_come_before_delegated_ones)
{
    struct hart_fixture *f = start(PRIV_U);
    f->hart.csr.mideleg = 1ull << IRQ_SEIP;
    f->hart.csr.mie = f->hart.mip_wires = 1ull << IRQ_SEIP | 1ull << IRQ_STIP;
    ck_assert(hart_take_interrupt(&f->hart));
    ck_assert_uint_eq(f->hart.csr.mcause, CAUSE_INTERRUPT | IRQ_STIP);
    stop(f);
}
END_TEST

START_TEST(a_level_is_enabled_below_it_and_by_its_bit_in_it)
{
    for (unsigned i = 0; i < 24; i++) {
        enum priv priv = (enum priv[]){PRIV_U, PRIV_S, PRIV_M}[i / 8];
        bool delegated = i & 1, sie = i & 2, mie = i & 4;
        bool taken = delegated ? priv == PRIV_U || (priv == PRIV_S && sie) : priv != PRIV_M || mie;
        struct hart_fixture *f = start(priv);
        struct hart *h = &f->hart;
        h->csr.mstatus = (sie ? MSTATUS_SIE : 0) | (mie ? MSTATUS_MIE : 0);
        h->csr.mideleg = delegated ? 1ull << IRQ_SSIP : 0;
        h->csr.mip = h->csr.mie = 1ull << IRQ_SSIP;
        hart_check_interrupts(h);
        ck_assert_int_eq(h->leave, taken);
        ck_assert_int_eq(hart_take_interrupt(h), taken);
        ck_assert_uint_eq(h->steps, taken ? 101 : 100);
        if (taken)
            ck_assert_uint_eq(h->priv, delegated ? PRIV_S : PRIV_M);
        stop(f);
    }
}
END_TEST

START_TEST(an_interrupt_that_mie_masks_is_not_taken)
{
    struct hart_fixture *f = start(PRIV_U);
    f->hart.mip_wires = 0xaaa & ~(1ull << IRQ_MTIP);
    f->hart.csr.mie = 1ull << IRQ_MTIP;
    ck_assert(!hart_take_interrupt(&f->hart));
    stop(f);
}
END_TEST

START_TEST(mret_returns_to_mpp_and_unstacks)
{
    for (unsigned i = 0; i < 6; i++) {
        enum priv to = (enum priv[]){PRIV_U, PRIV_S, PRIV_M}[i / 2];
        struct hart_fixture *f = start(PRIV_M);
        struct hart *h = &f->hart;
        h->csr.mepc = 0x80003002;
        h->csr.mstatus = (i % 2 ? MSTATUS_MPIE : MSTATUS_MIE) | MSTATUS_MPRV | MSTATUS_SPP |
                         (uint64_t)to << MSTATUS_MPP_SHIFT;
        ck_assert(hart_mret(h));
        ck_assert_uint_eq(h->priv, to);
        ck_assert_uint_eq(h->pc, 0x80003002);
        ck_assert_uint_eq(h->csr.mstatus, MSTATUS_MPIE | MSTATUS_SPP | (i % 2 ? MSTATUS_MIE : 0) |
                                              (to == PRIV_M ? MSTATUS_MPRV : 0));
        ck_assert(!h->page_valid && f->translations == 1);
        ck_assert_uint_eq(h->steps, 100);
        stop(f);
    }
}
END_TEST

START_TEST(sret_returns_to_spp_and_unstacks)
{
    for (unsigned i = 0; i < 8; i++) {
        enum priv from = i / 4 ? PRIV_M : PRIV_S, to = i & 2 ? PRIV_S : PRIV_U;
        struct hart_fixture *f = start(from);
        struct hart *h = &f->hart;
        h->csr.sepc = 0x80003002;
        h->csr.mstatus = (i % 2 ? MSTATUS_SPIE : MSTATUS_SIE) | MSTATUS_MPRV | MSTATUS_MPP |
                         (to == PRIV_S ? MSTATUS_SPP : 0);
        ck_assert(hart_sret(h));
        ck_assert_uint_eq(h->priv, to);
        ck_assert_uint_eq(h->pc, 0x80003002);
        ck_assert_uint_eq(h->csr.mstatus, MSTATUS_SPIE | MSTATUS_MPP | (i % 2 ? MSTATUS_SIE : 0));
        stop(f);
    }
}
END_TEST

START_TEST(mret_below_m_is_illegal)
{
    for (unsigned priv = PRIV_U; priv <= PRIV_S; priv++) {
        struct hart_fixture *f = start(priv);
        ck_assert(!hart_mret(&f->hart));
        ck_assert_uint_eq(f->hart.trap.cause, CAUSE_ILLEGAL);
        ck_assert_uint_eq(f->hart.trap.tval, 0x30200073);
        ck_assert_uint_eq(f->hart.pc, FIXTURE_PC);
        stop(f);
    }
}
END_TEST

START_TEST(sret_is_illegal_in_u_and_under_tsr_in_s)
{
    for (unsigned i = 0; i < 6; i++) {
        enum priv priv = (enum priv[]){PRIV_U, PRIV_S, PRIV_M}[i / 2];
        bool tsr = i % 2, legal = priv == PRIV_M || (priv == PRIV_S && !tsr);
        struct hart_fixture *f = start(priv);
        f->hart.csr.mstatus = tsr ? MSTATUS_TSR : 0;
        ck_assert_int_eq(hart_sret(&f->hart), legal);
        if (!legal) {
            ck_assert_uint_eq(f->hart.trap.cause, CAUSE_ILLEGAL);
            ck_assert_uint_eq(f->hart.trap.tval, 0x10200073);
        }
        stop(f);
    }
}
END_TEST

START_TEST(a_return_that_enables_a_pending_interrupt_leaves_the_loop)
{
    struct hart_fixture *f = start(PRIV_S);
    f->hart.csr.mideleg = f->hart.csr.mie = f->hart.csr.mip = 1ull << IRQ_SSIP;
    f->hart.csr.mstatus = MSTATUS_SPIE | MSTATUS_SPP;
    ck_assert(hart_sret(&f->hart));
    ck_assert(f->hart.leave);
    stop(f);
}
END_TEST

static void note_ecall(void *owner, struct hart *h)
{
    *(uint64_t *)owner = h->pc;
}

START_TEST(an_ecall_from_s_calls_the_built_in_sbi_as_one_step)
{
    uint64_t pc_in_call = 0;
    struct hart_fixture *f = start(PRIV_S);
    f->hart.ports.sbi_ecall = note_ecall;
    f->hart.ports.owner = &pc_in_call;
    take(&f->hart, CAUSE_ECALL_S, 0);
    ck_assert_uint_eq(pc_in_call, FIXTURE_PC + 4);
    ck_assert_uint_eq(f->hart.priv, PRIV_S);
    ck_assert(!f->hart.page_valid);
    ck_assert_uint_eq(f->hart.steps, 101);
    ck_assert_uint_eq(f->hart.traps, 8);
    stop(f);
}
END_TEST

static void note_time(void *owner, struct hart *h)
{
    *(uint64_t *)owner = h->ports.clock->now_ns;
}

START_TEST(the_built_in_sbi_sees_the_time_of_the_ecall)
{
    uint64_t time_in_call = 0;
    struct hart_fixture *f = start(PRIV_S);
    f->hart.ports.sbi_ecall = note_time;
    f->hart.ports.owner = &time_in_call;
    f->now_ns = 12345;
    take(&f->hart, CAUSE_ECALL_S, 0);
    ck_assert_uint_eq(time_in_call, 12345);
    stop(f);
}
END_TEST

START_TEST(other_traps_and_a_delegated_ecall_do_not_reach_the_sbi)
{
    static const struct {
        enum cause cause;
        uint64_t medeleg;
    } cases[] = {{CAUSE_ILLEGAL, 0}, {CAUSE_ECALL_S, 1 << CAUSE_ECALL_S}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t pc_in_call = 0;
        struct hart_fixture *f = start(PRIV_S);
        f->hart.ports.sbi_ecall = note_ecall;
        f->hart.ports.owner = &pc_in_call;
        f->hart.csr.medeleg = cases[i].medeleg;
        take(&f->hart, cases[i].cause, 0);
        ck_assert_uint_eq(pc_in_call, 0);
        ck_assert_uint_eq(f->hart.pc, i == 0 ? MTVEC : STVEC);
        stop(f);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trap");
    TCase *t = tcase_create("trap");
    tcase_add_loop_test(t, an_exception_goes_to_s_if_delegated_and_not_from_m, 0,
                        ARRAY_LEN(delegable));
    tcase_add_test(t, a_trap_is_a_step_and_wakes_and_looks_its_page_up);
    tcase_add_test(t, a_trap_to_m_stacks_mie_and_the_privilege);
    tcase_add_test(t, a_trap_to_s_stacks_sie_and_the_privilege);
    tcase_add_test(t, vectored_mode_spreads_interrupts_but_not_exceptions);
    tcase_add_test(t, interrupts_come_in_the_manuals_order);
    tcase_add_test(t, m_interrupts_come_before_delegated_ones);
    tcase_add_test(t, a_level_is_enabled_below_it_and_by_its_bit_in_it);
    tcase_add_test(t, an_interrupt_that_mie_masks_is_not_taken);
    tcase_add_test(t, mret_returns_to_mpp_and_unstacks);
    tcase_add_test(t, sret_returns_to_spp_and_unstacks);
    tcase_add_test(t, mret_below_m_is_illegal);
    tcase_add_test(t, sret_is_illegal_in_u_and_under_tsr_in_s);
    tcase_add_test(t, a_return_that_enables_a_pending_interrupt_leaves_the_loop);
    tcase_add_test(t, an_ecall_from_s_calls_the_built_in_sbi_as_one_step);
    tcase_add_test(t, the_built_in_sbi_sees_the_time_of_the_ecall);
    tcase_add_test(t, other_traps_and_a_delegated_ecall_do_not_reach_the_sbi);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

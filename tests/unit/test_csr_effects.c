/* csr.c: legal values and effects of the registers that have some of their own: floating point,
 * status, interrupts, counters, satp, envcfg. */
#include "tests/unit/hart_fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define CSR_FFLAGS        0x001
#define CSR_FRM           0x002
#define CSR_FCSR          0x003
#define CSR_SSTATUS       0x100
#define CSR_SIE           0x104
#define CSR_SENVCFG       0x10a
#define CSR_SIP           0x144
#define CSR_STIMECMP      0x14d
#define CSR_SATP          0x180
#define CSR_MSTATUS       0x300
#define CSR_MIDELEG       0x303
#define CSR_MIE           0x304
#define CSR_MENVCFG       0x30a
#define CSR_MCOUNTINHIBIT 0x320
#define CSR_MIP           0x344
#define CSR_MCYCLE        0xb00
#define CSR_MINSTRET      0xb02
#define CSR_CYCLE         0xc00
#define CSR_TIME          0xc01
#define CSR_INSTRET       0xc02

#define FS_ON   (1ull << MSTATUS_FS_SHIFT)
#define XLENS   0xa00000000ull
#define SIP_ALL 0x222ull

static struct hart_fixture *start(void)
{
    struct hart_fixture *f = malloc(sizeof *f);
    ck_assert_ptr_nonnull(f);
    fixture_init(f);
    return f;
}

static void stop(struct hart_fixture *f)
{
    fixture_free(f);
    free(f);
}

START_TEST(fp_registers_are_illegal_while_fs_is_off)
{
    struct hart_fixture *f = start();
    uint64_t value;
    for (unsigned number = CSR_FFLAGS; number <= CSR_FCSR; number++) {
        f->hart.csr.mstatus = 0;
        ck_assert(!csr_get(&f->hart, number, &value));
        f->hart.csr.mstatus = FS_ON;
        ck_assert(csr_get(&f->hart, number, &value));
    }
    stop(f);
}
END_TEST

START_TEST(fcsr_is_frm_and_fflags_with_what_the_host_fpu_holds)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    h->csr.mstatus = FS_ON;
    csr_written_as_m(h, CSR_FRM, 3);
    csr_written_as_m(h, CSR_FFLAGS, 0x10);
    f->host_fp_flags = 1;
    ck_assert_uint_eq(csr_read_as_m(h, CSR_FCSR), 3 << 5 | 0x11);
    f->host_fp_flags = 2;
    ck_assert_uint_eq(csr_read_as_m(h, CSR_FFLAGS), 0x13);
    f->host_fp_flags = 4;
    csr_written_as_m(h, CSR_FRM, 2);
    ck_assert_uint_eq(csr_read_as_m(h, CSR_FFLAGS), 0x17);
    f->host_fp_flags = 8;
    ck_assert_uint_eq(csr_written_as_m(h, CSR_FCSR, 0), 0);
    stop(f);
}
END_TEST

START_TEST(writing_an_fp_register_makes_fs_dirty_and_tells_fpu_and_code)
{
    for (unsigned number = CSR_FFLAGS; number <= CSR_FCSR; number++) {
        struct hart_fixture *f = start();
        f->hart.csr.mstatus = FS_ON;
        ck_assert(csr_set(&f->hart, number, 0));
        ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MSTATUS), XLENS | MSTATUS_FS | MSTATUS_SD);
        ck_assert_uint_ge(f->fp_reloads, 1);
        ck_assert_uint_ge(f->code_contexts, 1);
        ck_assert(!f->hart.leave); /* floating point behind it has a guard */
        stop(f);
    }
}
END_TEST

START_TEST(mpp_keeps_its_value_when_2_is_written)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    for (uint64_t mpp = 0; mpp < 4; mpp++) {
        csr_written_as_m(h, CSR_MSTATUS, 1ull << MSTATUS_MPP_SHIFT);
        uint64_t read = csr_written_as_m(h, CSR_MSTATUS, mpp << MSTATUS_MPP_SHIFT);
        ck_assert_uint_eq(bits_get(read, MSTATUS_MPP_SHIFT, 2), mpp == 2 ? 1 : mpp);
    }
    stop(f);
}
END_TEST

START_TEST(sd_says_that_fs_is_dirty)
{
    struct hart_fixture *f = start();
    for (uint64_t fs = 0; fs < 4; fs++) {
        uint64_t read = csr_written_as_m(&f->hart, CSR_MSTATUS, fs << MSTATUS_FS_SHIFT);
        ck_assert_int_eq(read >> 63, fs == FS_DIRTY);
        ck_assert_int_eq(csr_read_as_m(&f->hart, CSR_SSTATUS) >> 63, fs == FS_DIRTY);
    }
    stop(f);
}
END_TEST

START_TEST(sstatus_leaves_the_machine_fields_alone)
{
    struct hart_fixture *f = start();
    uint64_t machine = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM |
                       MSTATUS_TW | MSTATUS_TSR;
    csr_written_as_m(&f->hart, CSR_MSTATUS, machine);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, CSR_SSTATUS, 0), 0x200000000);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MSTATUS), machine | XLENS);
    stop(f);
}
END_TEST

START_TEST(mstatus_fields_update_what_depends_on_them)
{
    static const struct {
        uint64_t field;
        unsigned translations, tlb_flushes, code_contexts;
    } cases[] = {{MSTATUS_MPRV, 1, 0, 0}, {MSTATUS_MPP, 1, 0, 0}, {MSTATUS_SUM, 1, 0, 0},
                 {MSTATUS_MXR, 0, 1, 0},  {FS_ON, 0, 0, 1},       {MSTATUS_SPP, 0, 0, 0}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct hart_fixture *f = start();
        for (unsigned again = 0; again < 2; again++) { /* on, and off */
            fixture_forget(f);
            csr_written_as_m(&f->hart, CSR_MSTATUS, again ? 0 : cases[i].field);
            ck_assert_uint_eq(f->translations, cases[i].translations);
            ck_assert_uint_eq(f->tlb_flushes, cases[i].tlb_flushes);
            ck_assert_uint_eq(f->code_contexts, cases[i].code_contexts);
            ck_assert(!f->hart.leave);
        }
        stop(f);
    }
}
END_TEST

START_TEST(enabling_a_pending_interrupt_leaves_the_loop)
{
    static const struct {
        unsigned number;
        uint64_t value;
    } last[] = {{CSR_MSTATUS, MSTATUS_MIE}, {CSR_MIE, 0xaaa}, {CSR_MIP, 1ull << IRQ_SSIP}};
    for (unsigned i = 0; i < ARRAY_LEN(last); i++) {
        struct hart_fixture *f = start();
        for (unsigned j = 0; j < ARRAY_LEN(last); j++)
            if (j != i)
                csr_written_as_m(&f->hart, last[j].number, last[j].value);
        ck_assert(!f->hart.leave);
        csr_written_as_m(&f->hart, last[i].number, last[i].value);
        ck_assert(f->hart.leave);
        stop(f);
    }
}
END_TEST

START_TEST(enabling_a_pending_delegated_interrupt_leaves_the_loop)
{
    static const struct {
        unsigned number;
        uint64_t value;
    } last[] = {{CSR_SSTATUS, MSTATUS_SIE}, {CSR_SIE, 0x222}, {CSR_SIP, 1ull << IRQ_SSIP}};
    for (unsigned i = 0; i < ARRAY_LEN(last); i++) {
        struct hart_fixture *f = start();
        f->hart.csr.mideleg = SIP_ALL;
        f->hart.priv = PRIV_S;
        for (unsigned j = 0; j < ARRAY_LEN(last); j++)
            if (j != i)
                ck_assert(csr_set(&f->hart, last[j].number, last[j].value));
        ck_assert(!f->hart.leave);
        ck_assert(csr_set(&f->hart, last[i].number, last[i].value));
        ck_assert(f->hart.leave);
        stop(f);
    }
}
END_TEST

START_TEST(delegating_a_pending_interrupt_leaves_the_loop)
{
    struct hart_fixture *f = start();
    f->hart.csr.mstatus = MSTATUS_SIE;
    f->hart.csr.mip = f->hart.csr.mie = 1ull << IRQ_SSIP;
    f->hart.csr.mideleg = 1ull << IRQ_SSIP;
    f->hart.csr.mstatus |= MSTATUS_MIE;
    csr_written_as_m(&f->hart, CSR_MIDELEG, 0);
    ck_assert(f->hart.leave);
    stop(f);
}
END_TEST

START_TEST(delegated_bits_show_in_sie_and_sip_and_only_ssip_is_written_there)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    csr_written_as_m(h, CSR_MIDELEG, 1ull << IRQ_SSIP | 1ull << IRQ_SEIP);
    csr_written_as_m(h, CSR_MIE, 0x0a0);
    ck_assert_uint_eq(csr_written_as_m(h, CSR_SIE, ~0ull), 0x202);
    ck_assert_uint_eq(csr_read_as_m(h, CSR_MIE), 0x2a2);
    h->mip_wires = 1ull << IRQ_SEIP | 1ull << IRQ_MEIP;
    ck_assert_uint_eq(csr_written_as_m(h, CSR_SIP, ~0ull), 0x202);
    ck_assert_uint_eq(csr_written_as_m(h, CSR_SIP, 0), 0x200);
    ck_assert_uint_eq(h->csr.mip, 0);
    stop(f);
}
END_TEST

START_TEST(ssip_cannot_be_written_through_sip_unless_delegated)
{
    struct hart_fixture *f = start();
    csr_written_as_m(&f->hart, CSR_SIP, ~0ull);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MIP), 0);
    stop(f);
}
END_TEST

START_TEST(set_on_mip_does_not_copy_the_external_wire)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    uint64_t old;
    h->mip_wires = 1ull << IRQ_SEIP;
    ck_assert(hart_csr(h, CSR_MIP, CSR_SET, true, true, 1ull << IRQ_SSIP, &old));
    ck_assert_uint_eq(old, 1ull << IRQ_SEIP);
    h->mip_wires = 0;
    ck_assert_uint_eq(csr_read_as_m(h, CSR_MIP), 1ull << IRQ_SSIP);
    stop(f);
}
END_TEST

START_TEST(stip_is_read_only_while_the_hart_has_its_own_timer)
{
    struct hart_fixture *f = start();
    csr_written_as_m(&f->hart, CSR_MENVCFG, ENVCFG_STCE);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, CSR_MIP, SIP_ALL), 0x202);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, CSR_STIMECMP, 0), 0);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MIP), SIP_ALL);
    stop(f);
}
END_TEST

START_TEST(stimecmp_needs_sstc_and_below_m_stce_and_tm)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    uint64_t value;
    for (unsigned i = 0; i < 8; i++) {
        bool stce = i & 1, tm = i & 2;
        h->priv = i & 4 ? PRIV_M : PRIV_S;
        h->csr.menvcfg = stce ? ENVCFG_STCE : 0;
        h->csr.mcounteren = tm ? 2 : 0;
        ck_assert_int_eq(csr_get(h, CSR_STIMECMP, &value), h->priv == PRIV_M || (stce && tm));
    }
    h->priv = PRIV_M;
    h->isa.sstc = false;
    ck_assert(!csr_get(h, CSR_STIMECMP, &value));
    stop(f);
}
END_TEST

START_TEST(writing_stimecmp_sets_the_timer)
{
    struct hart_fixture *f = start();
    ck_assert_uint_eq(csr_written_as_m(&f->hart, CSR_STIMECMP, 1234), 1234);
    ck_assert_uint_eq(f->timers_set, 1);
    stop(f);
}
END_TEST

START_TEST(a_counter_is_open_where_mcounteren_and_scounteren_say_so)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    for (unsigned counter = 0; counter < 32; counter++) {
        for (unsigned i = 0; i < 4; i++) {
            uint64_t value;
            h->csr.mcounteren = i & 1 ? 1u << counter : ~(1u << counter);
            h->csr.scounteren = i & 2 ? 1u << counter : ~(1u << counter);
            h->priv = PRIV_U;
            ck_assert_int_eq(csr_get(h, CSR_CYCLE + counter, &value), i == 3);
            h->priv = PRIV_S;
            ck_assert_int_eq(csr_get(h, CSR_CYCLE + counter, &value), i & 1);
            h->priv = PRIV_M;
            ck_assert(csr_get(h, CSR_CYCLE + counter, &value));
            ck_assert(!csr_set(h, CSR_CYCLE + counter, 0));
        }
    }
    stop(f);
}
END_TEST

START_TEST(cycle_counts_steps_and_instret_leaves_traps_out)
{
    struct hart_fixture *f = start();
    f->hart.steps = 1000;
    f->hart.events[HPM_INTERRUPT][PRIV_U] = 4;
    f->hart.events[HPM_EXCEPTION][PRIV_S] = 6;
    f->now_ns = 12345;
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_CYCLE), 1000);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MCYCLE), 1000);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_INSTRET), 990);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_TIME), 123);
    stop(f);
}
END_TEST

START_TEST(the_next_instruction_reads_what_was_written_to_a_counter)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    h->steps = 1000;
    h->events[HPM_EXCEPTION][PRIV_M] = 10;
    ck_assert(csr_set(h, CSR_MINSTRET, 50) && csr_set(h, CSR_MCYCLE, 60));
    h->steps++;
    ck_assert_uint_eq(csr_read_as_m(h, CSR_MINSTRET), 50);
    ck_assert_uint_eq(csr_read_as_m(h, CSR_MCYCLE), 60);
    h->steps++;
    ck_assert_uint_eq(csr_read_as_m(h, CSR_INSTRET), 51);
    stop(f);
}
END_TEST

START_TEST(an_inhibited_counter_stands_still_and_can_be_written)
{
    static const unsigned counters[] = {CSR_MCYCLE, CSR_MINSTRET};
    for (unsigned i = 0; i < 2; i++) {
        struct hart_fixture *f = start();
        struct hart *h = &f->hart;
        h->steps = 100;
        ck_assert(csr_set(h, CSR_MCOUNTINHIBIT, i == 0 ? 1 : 4));
        h->steps = 200;
        ck_assert_uint_eq(csr_read_as_m(h, counters[i]), 101);
        ck_assert_uint_eq(csr_read_as_m(h, counters[1 - i]), 200);
        ck_assert_uint_eq(csr_written_as_m(h, counters[i], 7), 7);
        ck_assert(csr_set(h, CSR_MCOUNTINHIBIT, 0));
        h->steps = 202;
        ck_assert_uint_eq(csr_read_as_m(h, counters[i]), 8);
        stop(f);
    }
}
END_TEST

START_TEST(satp_takes_only_modes_that_the_hart_has)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    const uint64_t rest = 0x0abcd00000012345;
    for (unsigned max = SATP_SV39; max <= SATP_SV57; max++) {
        h->isa.max_satp_mode = max;
        for (uint64_t mode = 0; mode < 16; mode++) {
            bool legal = mode == SATP_BARE || (mode >= SATP_SV39 && mode <= max);
            csr_written_as_m(h, CSR_SATP, 0x777);
            uint64_t value = mode << SATP_MODE_SHIFT | rest;
            ck_assert_uint_eq(csr_written_as_m(h, CSR_SATP, value), legal ? value : 0x777);
        }
    }
    stop(f);
}
END_TEST

START_TEST(satp_is_illegal_for_s_mode_under_tvm)
{
    struct hart_fixture *f = start();
    uint64_t value;
    f->hart.csr.mstatus |= MSTATUS_TVM;
    f->hart.priv = PRIV_S;
    ck_assert(!csr_get(&f->hart, CSR_SATP, &value));
    ck_assert(!csr_set(&f->hart, CSR_SATP, 0));
    f->hart.csr.mstatus = 0;
    ck_assert(csr_set(&f->hart, CSR_SATP, 0));
    stop(f);
}
END_TEST

static void fill_l1(struct tlb *t, enum tlb_context context)
{
    tlb_mark_used(t, context, TLB_LOAD, 1);
    t->records[context][TLB_LOAD][1] = (struct tlb_record){.va = 0x1000, .pa = 0x80001000};
    t->fast[context][TLB_LOAD][1].tag = 0x1000;
}

START_TEST(a_new_address_space_empties_the_first_level_but_for_m_mode)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    const uint64_t sv39 = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT;
    const struct translation page = {.va = 0x1000, .pa = 0x80001000, .page_shift = 12};
    csr_written_as_m(h, CSR_SATP, sv39 | 1);
    tlb_insert(h->tlb, &page, 0);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++)
        fill_l1(h->tlb, context);
    fixture_forget(f);
    h->page_valid = true;
    csr_written_as_m(h, CSR_SATP, sv39 | 1); /* the same: nothing happens */
    ck_assert(!h->leave && h->page_valid && h->tlb->fast[TLB_S][TLB_LOAD][1].tag == 0x1000);
    csr_written_as_m(h, CSR_SATP, sv39 | 1ull << SATP_ASID_SHIFT | 1);
    ck_assert(h->leave && !h->page_valid && f->translations == 1);
    for (unsigned context = 0; context < TLB_CONTEXTS; context++) {
        bool kept = context == TLB_M;
        ck_assert_int_eq(h->tlb->fast[context][TLB_LOAD][1].tag == 0x1000, kept);
        ck_assert_int_eq(h->tlb->records[context][TLB_LOAD][1].va == 0x1000, kept);
    }
    ck_assert_ptr_nonnull(tlb_find(h->tlb, 0x1000, 0));
    stop(f);
}
END_TEST

START_TEST(a_new_satp_mode_empties_the_whole_tlb)
{
    struct hart_fixture *f = start();
    const struct translation page = {.va = 0x1000, .pa = 0x80001000, .page_shift = 12};
    tlb_insert(f->hart.tlb, &page, 0);
    csr_written_as_m(&f->hart, CSR_SATP, (uint64_t)SATP_SV48 << SATP_MODE_SHIFT);
    ck_assert_ptr_null(tlb_find(f->hart.tlb, 0x1000, 0));
    stop(f);
}
END_TEST

START_TEST(cbie_keeps_its_value_when_2_is_written)
{
    static const unsigned numbers[] = {CSR_MENVCFG, CSR_SENVCFG};
    struct hart_fixture *f = start();
    for (unsigned i = 0; i < 2; i++) {
        csr_written_as_m(&f->hart, numbers[i], 1 << 4);
        ck_assert_uint_eq(csr_written_as_m(&f->hart, numbers[i], 2 << 4 | 1), 1 << 4 | 1);
        ck_assert_uint_eq(csr_written_as_m(&f->hart, numbers[i], 3 << 4), 3 << 4);
    }
    stop(f);
}
END_TEST

START_TEST(menvcfg_has_only_the_bits_of_the_harts_extensions)
{
    struct hart_fixture *f = start();
    f->hart.isa.svadu = f->hart.isa.sstc = false;
    csr_reset(&f->hart);
    ck_assert_uint_eq(f->hart.csr.menvcfg, ENVCFG_PBMTE);
    ck_assert_uint_eq(csr_written_as_m(&f->hart, CSR_MENVCFG, ~0ull), ENVCFG_PBMTE | 0xf1);
    stop(f);
}
END_TEST

START_TEST(menvcfg_tells_translation_and_timer)
{
    struct hart_fixture *f = start();
    f->hart.csr.menvcfg = 0;
    csr_written_as_m(&f->hart, CSR_MENVCFG, ENVCFG_ADUE);
    ck_assert_uint_eq(f->tlb_flushes, 1);
    csr_written_as_m(&f->hart, CSR_MENVCFG, ENVCFG_ADUE | ENVCFG_PBMTE);
    ck_assert_uint_eq(f->tlb_flushes, 2);
    ck_assert(!f->hart.leave);
    csr_written_as_m(&f->hart, CSR_MENVCFG, ENVCFG_ADUE | ENVCFG_PBMTE | ENVCFG_STCE);
    ck_assert(f->hart.leave);
    ck_assert_uint_eq(f->tlb_flushes, 2);
    stop(f);
}
END_TEST

/* seed: OPST says that the low half is entropy, and it differs from poll to poll. */
START_TEST(seed_gives_entropy_to_those_it_is_opened_to)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    uint64_t first = 0, second = 0;
    ck_assert(!hart_csr(h, 0x015, CSR_SET, true, false, 0, &first)); /* a read alone */
    ck_assert(hart_csr(h, 0x015, CSR_WRITE, true, true, 0, &first));
    ck_assert(hart_csr(h, 0x015, CSR_SET, true, true, 0, &second));
    ck_assert_uint_eq(first >> 16, 0x8000);
    ck_assert_uint_ne(first, second);
    for (unsigned priv = PRIV_U; priv <= PRIV_S; priv++) {
        uint64_t opens = priv == PRIV_U ? MSECCFG_USEED : MSECCFG_SSEED;
        h->priv = priv;
        h->csr.mseccfg = (MSECCFG_USEED | MSECCFG_SSEED) & ~opens;
        ck_assert(!hart_csr(h, 0x015, CSR_WRITE, true, true, 0, &first));
        h->csr.mseccfg = opens;
        ck_assert(hart_csr(h, 0x015, CSR_WRITE, true, true, 0, &first));
    }
    h->priv = PRIV_M;
    h->isa.zkr = false;
    ck_assert(!hart_csr(h, 0x015, CSR_WRITE, true, true, 0, &first));
    stop(f);
}
END_TEST

START_TEST(mstateen_opens_senvcfg_and_sstateen_to_s)
{
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    uint64_t value;
    h->priv = PRIV_S;
    ck_assert(!csr_get(h, 0x10a, &value) && !csr_get(h, 0x10c, &value));
    h->csr.mstateen0 = STATEEN_ENVCFG;
    ck_assert(csr_get(h, 0x10a, &value) && !csr_get(h, 0x10c, &value));
    h->csr.mstateen0 = STATEEN_SE;
    ck_assert(!csr_get(h, 0x10a, &value) && csr_get(h, 0x10c, &value));
    ck_assert(!csr_get(h, 0x10f, &value));
    h->csr.mstateen3 = STATEEN_SE;
    ck_assert(csr_get(h, 0x10f, &value));
    h->isa.smstateen = false;
    ck_assert(csr_get(h, 0x10a, &value) && !csr_get(h, 0x10c, &value));
    stop(f);
}
END_TEST

static Suite *csr_suite(void)
{
    Suite *suite = suite_create("csr_effects");
    TCase *t = tcase_create("csr_effects");
    tcase_add_test(t, fp_registers_are_illegal_while_fs_is_off);
    tcase_add_test(t, fcsr_is_frm_and_fflags_with_what_the_host_fpu_holds);
    tcase_add_test(t, writing_an_fp_register_makes_fs_dirty_and_tells_fpu_and_code);
    tcase_add_test(t, mpp_keeps_its_value_when_2_is_written);
    tcase_add_test(t, sd_says_that_fs_is_dirty);
    tcase_add_test(t, sstatus_leaves_the_machine_fields_alone);
    tcase_add_test(t, mstatus_fields_update_what_depends_on_them);
    tcase_add_test(t, enabling_a_pending_interrupt_leaves_the_loop);
    tcase_add_test(t, enabling_a_pending_delegated_interrupt_leaves_the_loop);
    tcase_add_test(t, delegating_a_pending_interrupt_leaves_the_loop);
    tcase_add_test(t, delegated_bits_show_in_sie_and_sip_and_only_ssip_is_written_there);
    tcase_add_test(t, ssip_cannot_be_written_through_sip_unless_delegated);
    tcase_add_test(t, set_on_mip_does_not_copy_the_external_wire);
    tcase_add_test(t, stip_is_read_only_while_the_hart_has_its_own_timer);
    tcase_add_test(t, stimecmp_needs_sstc_and_below_m_stce_and_tm);
    tcase_add_test(t, writing_stimecmp_sets_the_timer);
    tcase_add_test(t, a_counter_is_open_where_mcounteren_and_scounteren_say_so);
    tcase_add_test(t, cycle_counts_steps_and_instret_leaves_traps_out);
    tcase_add_test(t, the_next_instruction_reads_what_was_written_to_a_counter);
    tcase_add_test(t, an_inhibited_counter_stands_still_and_can_be_written);
    tcase_add_test(t, satp_takes_only_modes_that_the_hart_has);
    tcase_add_test(t, satp_is_illegal_for_s_mode_under_tvm);
    tcase_add_test(t, a_new_address_space_empties_the_first_level_but_for_m_mode);
    tcase_add_test(t, a_new_satp_mode_empties_the_whole_tlb);
    tcase_add_test(t, cbie_keeps_its_value_when_2_is_written);
    tcase_add_test(t, menvcfg_has_only_the_bits_of_the_harts_extensions);
    tcase_add_test(t, menvcfg_tells_translation_and_timer);
    tcase_add_test(t, seed_gives_entropy_to_those_it_is_opened_to);
    tcase_add_test(t, mstateen_opens_senvcfg_and_sstateen_to_s);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return run_suite(csr_suite());
}

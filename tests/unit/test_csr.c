/* csr.def and csr.c: every register's presence, privilege, reset value, legal values and effects.
 */
#include "tests/unit/hart_fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define CSR_SSTATUS  0x100
#define CSR_MSTATUS  0x300
#define CSR_MCYCLE   0xb00
#define CSR_MINSTRET 0xb02

#define FS_ON   (1ull << MSTATUS_FS_SHIFT)
#define XLENS   0xa00000000ull
#define SIP_ALL 0x2222ull

/* What M-mode finds after reset (with FS on), and which bits it can set from there. */
struct expected {
    unsigned number;
    const char *name;
    uint64_t reset, writable;
};

static const struct expected registers[] = {
    {0x001, "fflags", 0, 0x1f},
    {0x002, "frm", 0, 7},
    {0x003, "fcsr", 0, 0xff},
    {0x100, "sstatus", 0x200000000, 0xc6122 | 1ull << 63},
    {0x104, "sie", 0, 0},
    {0x105, "stvec", 0, ~2ull},
    {0x106, "scounteren", 0, 0xffffffff},
    {0x10a, "senvcfg", 0, 0xf1},
    {0x140, "sscratch", 0, ~0ull},
    {0x141, "sepc", 0, ~1ull},
    {0x142, "scause", 0, ~0ull},
    {0x143, "stval", 0, ~0ull},
    {0x144, "sip", 0, 0},
    {0x14d, "stimecmp", ~0ull, ~0ull},
    {0xf11, "mvendorid", 0, 0},
    {0xf12, "marchid", 0, 0},
    {0xf13, "mimpid", 0x100, 0},
    {0xf14, "mhartid", 3, 0},
    {0xf15, "mconfigptr", 0, 0},
    {0x300, "mstatus", XLENS, 0x7e79aa | 1ull << 63},
    {0x301, "misa", 0x800000000014112f, 0},
    {0x302, "medeleg", 0, 0xb3ff},
    {0x303, "mideleg", 0, SIP_ALL},
    {0x304, "mie", 0, 0x2aaa},
    {0x305, "mtvec", 0, ~2ull},
    {0x306, "mcounteren", 0, 0xffffffff},
    {0x30a, "menvcfg", 1ull << 62, 0xe0000000000000f1},
    {0x30c, "mstateen0", 0, 3ull << 62},
    {0x30f, "mstateen3", 0, 1ull << 63},
    {0x320, "mcountinhibit", 0, 0xfffffffd},
    {0x340, "mscratch", 0, ~0ull},
    {0x341, "mepc", 0, ~1ull},
    {0x342, "mcause", 0, ~0ull},
    {0x343, "mtval", 0, ~0ull},
    {0x344, "mip", 0, SIP_ALL},
    {0x3a0, "pmpcfg0", 0, 0x1f1f1f1f1f1f1f1f},
    {0x3a2, "pmpcfg2", 0, 0x1f1f1f1f1f1f1f1f},
    {0x3b0, "pmpaddr0", 0, (1ull << 54) - 1},
    {0x3bf, "pmpaddr15", 0, (1ull << 54) - 1},
    {0x7a0, "tselect", 0, 0}, /* there are four: see test_trigger */
    {0x7a1, "tdata1", 15ull << 60, 0},
    {0x7a2, "tdata2", 0, ~0ull},
    {0x7a3, "tdata3", 0, 0},
    {0x7a4, "tinfo", 0x1008078, 0},
    {0xb1f, "mhpmcounter31", 0, ~0ull},
    {0x321, "mcyclecfg", 0, 7ull << 60},
    {0x322, "minstretcfg", 0, 7ull << 60},
    {0x323, "mhpmevent3", 0, 15ull << 60},
    {0x33f, "mhpmevent31", 0, 15ull << 60},
    {0xda0, "scountovf", 0, 0},
    {0xc01, "time", 0, 0},
    {0xc03, "hpmcounter3", 0, 0},
    {0xc1f, "hpmcounter31", 0, 0},
};

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

static uint64_t value_with_fs(const struct expected *e, uint64_t value)
{
    bool shows_fs = e->number == CSR_SSTATUS || e->number == CSR_MSTATUS;
    return shows_fs ? value & ~MSTATUS_FS & ~MSTATUS_SD : value;
}

START_TEST(every_register_has_its_name_and_reset_value)
{
    const struct expected *e = &registers[_i];
    struct hart_fixture *f = start();
    f->hart.csr.mstatus |= FS_ON;
    ck_assert_str_eq(csr_name(e->number), e->name);
    ck_assert_int_eq(csr_number(e->name), e->number);
    ck_assert_uint_eq(value_with_fs(e, csr_read_as_m(&f->hart, e->number)), e->reset);
    stop(f);
}
END_TEST

START_TEST(ones_stick_in_writable_bits_alone)
{
    const struct expected *e = &registers[_i];
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    h->csr.mstatus |= FS_ON;
    /* Locked PMP entries and CBIE=2 have tests of their own. */
    uint64_t ones = e->number == 0x3a0 || e->number == 0x3a2 ? ~0x8080808080808080ull : ~0ull;
    bool legal = csr_set(h, e->number, ones);
    ck_assert_int_eq(legal, e->number < 0xc00);
    ck_assert_uint_eq(csr_read_as_m(h, e->number) & ~e->reset, e->writable & ~e->reset);
    if (legal) {
        uint64_t fixed = e->reset & ~e->writable;
        ck_assert(csr_set(h, e->number, 0));
        ck_assert_uint_eq(value_with_fs(e, csr_read_as_m(h, e->number)), fixed);
    }
    stop(f);
}
END_TEST

START_TEST(a_register_is_illegal_below_the_privilege_in_its_number)
{
    const struct expected *e = &registers[_i];
    struct hart_fixture *f = start();
    struct hart *h = &f->hart;
    h->csr.mstatus |= FS_ON;
    h->csr.mcounteren = h->csr.scounteren = 0xffffffff;
    h->csr.menvcfg |= ENVCFG_STCE;
    h->csr.mstateen0 = STATEEN_SE | STATEEN_ENVCFG;
    for (unsigned priv = PRIV_U; priv <= PRIV_M; priv++) {
        uint64_t value;
        h->priv = priv;
        if (priv != 2)
            ck_assert_int_eq(csr_get(h, e->number, &value), priv >= bits_get(e->number, 8, 2));
    }
    stop(f);
}
END_TEST

START_TEST(registers_that_do_not_exist_are_illegal)
{
    static const unsigned absent[] = {0x000, 0x008, 0x102, 0x103, 0x200, 0x280, 0x310, 0x3a1,
                                      0x3a3, 0x3a4, 0x3c0, 0x5a8, 0x757, 0x7a5, 0x7b0, 0xb01,
                                      0xb20, 0xc20, 0xc80, 0xda1, 0xf10, 0xfff};
    struct hart_fixture *f = start();
    f->hart.csr.mstatus |= FS_ON;
    for (unsigned i = 0; i < ARRAY_LEN(absent); i++) {
        uint64_t value;
        ck_assert_msg(!csr_get(&f->hart, absent[i], &value), "0x%03x", absent[i]);
        ck_assert(!hart_csr_peek(&f->hart, absent[i], &value));
        ck_assert_ptr_null(csr_name(absent[i]));
    }
    ck_assert_int_eq(csr_number("no_such_register"), -1);
    stop(f);
}
END_TEST

START_TEST(families_are_complete)
{
    static const struct {
        const char *prefix;
        unsigned number, first, last;
    } families[] = {{"hpmcounter", 0xc00, 3, 31},
                    {"mhpmcounter", 0xb00, 3, 31},
                    {"mhpmevent", 0x320, 3, 31},
                    {"pmpaddr", 0x3b0, 0, 15}};
    for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
        for (unsigned n = families[i].first; n <= families[i].last; n++) {
            char name[32];
            snprintf(name, sizeof name, "%s%u", families[i].prefix, n);
            ck_assert_int_eq(csr_number(name), families[i].number + n);
        }
    }
}
END_TEST

START_TEST(each_pmpaddr_is_its_own_register)
{
    struct hart_fixture *f = start();
    for (unsigned i = 0; i < PMP_ENTRIES; i++)
        ck_assert_uint_eq(csr_written_as_m(&f->hart, 0x3b0 + i, 0x100 + i), 0x100 + i);
    for (unsigned i = 0; i < PMP_ENTRIES; i++)
        ck_assert_uint_eq(f->hart.csr.pmpaddr[i], 0x100 + i);
    stop(f);
}
END_TEST

START_TEST(a_reset_brings_every_register_back_to_its_value)
{
    struct hart_fixture *f = start();
    f->hart.steps = 1000;
    f->hart.traps = 10;
    memset(&f->hart.csr, 0xff, sizeof f->hart.csr);
    f->hart.frm = f->hart.fflags = 7;
    csr_reset(&f->hart);
    f->hart.csr.mstatus |= FS_ON;
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++) {
        const struct expected *e = &registers[i];
        ck_assert_uint_eq(value_with_fs(e, csr_read_as_m(&f->hart, e->number)), e->reset);
    }
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MCYCLE), 0);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, CSR_MINSTRET), 0);
    stop(f);
}
END_TEST

START_TEST(set_and_clear_change_only_their_bits_and_return_the_old_value)
{
    struct hart_fixture *f = start();
    uint64_t old = 0;
    csr_written_as_m(&f->hart, 0x340, 0xf0);
    ck_assert(hart_csr(&f->hart, 0x340, CSR_SET, true, true, 0x0f, &old));
    ck_assert_uint_eq(old, 0xf0);
    ck_assert(hart_csr(&f->hart, 0x340, CSR_CLEAR, true, true, 0x81, &old));
    ck_assert_uint_eq(old, 0xff);
    ck_assert_uint_eq(csr_read_as_m(&f->hart, 0x340), 0x7e);
    ck_assert(hart_csr(&f->hart, 0x340, CSR_WRITE, true, true, 1, &old));
    ck_assert_uint_eq(old, 0x7e);
    ck_assert(hart_csr(&f->hart, 0x340, CSR_WRITE, false, true, 2, &old));
    ck_assert_uint_eq(old, 0x7e);
    stop(f);
}
END_TEST

START_TEST(peek_reads_without_privilege)
{
    struct hart_fixture *f = start();
    uint64_t value;
    f->hart.priv = PRIV_U;
    ck_assert(hart_csr_peek(&f->hart, 0xf14, &value));
    ck_assert_uint_eq(value, 3);
    stop(f);
}
END_TEST

START_TEST(an_illegal_access_changes_nothing)
{
    struct hart_fixture *f = start();
    uint64_t old = 0x55;
    f->hart.priv = PRIV_S;
    ck_assert(!hart_csr(&f->hart, 0x340, CSR_WRITE, true, true, 1, &old));
    ck_assert_uint_eq(old, 0x55);
    ck_assert_uint_eq(f->hart.csr.mscratch, 0);
    stop(f);
}
END_TEST

static struct state *save_csrs(struct hart *h)
{
    struct state *s = state_new_save();
    csr_state(h, s);
    ck_assert(state_ok(s));
    return s;
}

START_TEST(the_state_walk_brings_every_register_back)
{
    struct hart_fixture *f = start(), *g = start();
    memset(f->hart.csr.pmpcfg, 0x1f, PMP_ENTRIES);
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++)
        csr_set(&f->hart, registers[i].number, 0x0f0f0f0f0f0f0f0f & registers[i].writable);
    f->hart.csr.satp = (uint64_t)SATP_SV57 << SATP_MODE_SHIFT | 99;
    f->hart.frm = 5;
    f->hart.fflags = 0x13;
    struct state *saved = save_csrs(&f->hart);
    size_t size;
    const void *bytes = state_data(saved, &size);
    struct state *load = state_new_load(bytes, size);
    csr_state(&g->hart, load);
    ck_assert_msg(state_ok(load), "%s", state_ok(load) ? "" : state_error(load));
    ck_assert_mem_eq(&f->hart.csr, &g->hart.csr, sizeof f->hart.csr);
    ck_assert(g->hart.frm == 5 && g->hart.fflags == 0x13);
    state_free(load);
    state_free(saved);
    stop(f);
    stop(g);
}
END_TEST

static bool loads(const struct hart_csrs *csrs)
{
    struct hart_fixture *f = start(), *g = start();
    f->hart.csr = *csrs;
    struct state *saved = save_csrs(&f->hart);
    size_t size;
    const void *bytes = state_data(saved, &size);
    struct state *load = state_new_load(bytes, size);
    csr_state(&g->hart, load);
    bool ok = state_ok(load);
    state_free(load);
    state_free(saved);
    stop(f);
    stop(g);
    return ok;
}

START_TEST(a_snapshot_with_illegal_values_is_refused)
{
    struct hart_fixture *f = start();
    struct hart_csrs good = f->hart.csr, bad;
    ck_assert(loads(&good));
    bad = good;
    bad.satp = 5ull << SATP_MODE_SHIFT;
    ck_assert(!loads(&bad));
    bad = good;
    bad.mstatus = 2ull << MSTATUS_MPP_SHIFT;
    ck_assert(!loads(&bad));
    bad = good;
    bad.mstatus = MSTATUS_VS;
    ck_assert(!loads(&bad));
    bad = good;
    bad.mip = 1ull << IRQ_MTIP;
    ck_assert(!loads(&bad));
    bad = good;
    bad.mie = 1;
    ck_assert(!loads(&bad));
    bad = good;
    bad.pmpcfg[4] = 2;
    ck_assert(!loads(&bad));
    bad = good;
    bad.pmpaddr[4] = 1ull << 54;
    ck_assert(!loads(&bad));
    stop(f);
}
END_TEST

static Suite *csr_suite(void)
{
    Suite *suite = suite_create("csr");
    TCase *t = tcase_create("csr");
    tcase_add_loop_test(t, every_register_has_its_name_and_reset_value, 0, ARRAY_LEN(registers));
    tcase_add_loop_test(t, ones_stick_in_writable_bits_alone, 0, ARRAY_LEN(registers));
    tcase_add_loop_test(t, a_register_is_illegal_below_the_privilege_in_its_number, 0,
                        ARRAY_LEN(registers));
    tcase_add_test(t, registers_that_do_not_exist_are_illegal);
    tcase_add_test(t, families_are_complete);
    tcase_add_test(t, each_pmpaddr_is_its_own_register);
    tcase_add_test(t, a_reset_brings_every_register_back_to_its_value);
    tcase_add_test(t, set_and_clear_change_only_their_bits_and_return_the_old_value);
    tcase_add_test(t, peek_reads_without_privilege);
    tcase_add_test(t, an_illegal_access_changes_nothing);
    tcase_add_test(t, the_state_walk_brings_every_register_back);
    tcase_add_test(t, a_snapshot_with_illegal_values_is_refused);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return run_suite(csr_suite());
}

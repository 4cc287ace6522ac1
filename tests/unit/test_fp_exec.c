/* Floating-point instructions as a hart runs them: mstatus.FS, frm and the rm field choose what a
 * decoded instruction does; fcsr sees the flags of both the host FPU and the software. */
#include "base/error.h"
#include "cpu/code.h"
#include "cpu/fp_soft.h"
#include "cpu/hart.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define RAM_BASE  0x80000000ull
#define RAM_BYTES 0x10000ull

enum { FFLAGS = 1, FRM = 2, FCSR = 3 };
enum { ADD_D = 0x01, DIV_D = 0x0d, SQRT_D = 0x2d, EQ_D = 0x51, TO_INT_D = 0x61, MOVE_X_D = 0x71 };

#define FP(funct7, rs2, rs1, rm, rd)                                                               \
    ((uint32_t)(funct7) << 25 | (rs2) << 20 | (rs1) << 15 | (rm) << 12 | (rd) << 7 | 0x53)
#define FADD_D(rd, rs1, rs2, rm) FP(ADD_D, rs2, rs1, rm, rd)
#define CSRRW(rd, csr, rs1)      ((csr) << 20 | (rs1) << 15 | 1 << 12 | (rd) << 7 | 0x73)
#define CSRR(rd, csr)            ((csr) << 20 | 2 << 12 | (rd) << 7 | 0x73)
#define FLD(rd, i, rs1)          ((uint32_t)(i) << 20 | (rs1) << 15 | 3 << 12 | (rd) << 7 | 0x07)

#define ONE      0x3ff0000000000000
#define HALF_ULP 0x3ca0000000000000 /* of 1 */

struct fixture {
    struct memory_map *memory;
    struct clock clock;
    struct code_cache *code;
    struct hart *h;
};

static void set_fs(struct hart *h, uint64_t fs)
{
    h->csr.mstatus = (h->csr.mstatus & ~MSTATUS_FS) | fs << MSTATUS_FS_SHIFT;
    hart_update_code_context(h);
}

/* In place: the hart keeps a pointer to the clock. */
static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    struct error err;
    const struct hart_isa isa = isa_of_everything();
    f->memory = memory_create(NULL);
    ck_assert(memory_add_ram(f->memory, "ram", RAM_BASE, RAM_BYTES, &err));
    f->code = code_create(f->memory, NULL, NULL);
    const struct hart_ports ports = {.memory = f->memory, .clock = &f->clock, .code = f->code};
    f->h = hart_create(0, &isa, &ports, 0);
    hart_reset(f->h, RAM_BASE);
    f->h->csr.mtvec = RAM_BASE + 0x8000;
    set_fs(f->h, FS_DIRTY);
    f->h->f[1] = ONE;
    f->h->f[2] = HALF_ULP;
}

static void fixture_destroy(struct fixture *f)
{
    hart_destroy(f->h);
    code_destroy(f->code);
    memory_destroy(f->memory);
}

/* Runs the words from the start of RAM, one step each. */
static void run(struct fixture *f, const uint32_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ck_assert(hart_store(f->h, RAM_BASE + 4 * i, 4, words[i]));
    f->h->pc = RAM_BASE;
    f->h->page_valid = false;
    ck_assert_int_eq(hart_run(f->h, f->h->steps + count), HART_RAN);
}

#define RUN(f, ...)                                                                                \
    run(f, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

START_TEST(f0_is_a_register_and_x0_is_none)
{
    struct fixture f;
    fixture_init(&f);
    f.h->f[0] = 5;
    RUN(&f, FADD_D(0, 1, 1, FP_RNE), FP(EQ_D, 1, 1, 2, 0), FP(MOVE_X_D, 0, 1, 0, 0));
    ck_assert_uint_eq(f.h->f[0], 0x4000000000000000);
    ck_assert_uint_eq(f.h->x[0], 0);
    ck_assert(hart_store(f.h, RAM_BASE + 0x100, 8, ONE));
    f.h->x[5] = RAM_BASE;
    RUN(&f, FLD(0, 0x100, 5));
    ck_assert_uint_eq(f.h->f[0], ONE);
    fixture_destroy(&f);
}
END_TEST

START_TEST(the_rm_field_rounds_and_dyn_takes_frm)
{
    struct fixture f;
    fixture_init(&f);
    RUN(&f, FADD_D(3, 1, 2, FP_RNE), FADD_D(4, 1, 2, FP_RUP), FADD_D(5, 1, 2, FP_DYN),
        FADD_D(6, 1, 2, FP_RMM));
    ck_assert_uint_eq(f.h->f[3], ONE);
    ck_assert_uint_eq(f.h->f[4], ONE + 1);
    ck_assert_uint_eq(f.h->f[5], ONE);
    ck_assert_uint_eq(f.h->f[6], ONE + 1);
    fixture_destroy(&f);
}
END_TEST

START_TEST(a_new_frm_holds_from_the_next_instruction_on)
{
    struct fixture f;
    fixture_init(&f);
    f.h->x[5] = FP_RUP;
    f.h->x[6] = FP_RMM;
    RUN(&f, FADD_D(3, 1, 2, FP_DYN), CSRRW(7, FRM, 5), FADD_D(4, 1, 2, FP_DYN), CSRRW(8, FRM, 6),
        FADD_D(5, 1, 2, FP_DYN), FADD_D(6, 1, 2, FP_RNE));
    ck_assert_uint_eq(f.h->f[3], ONE);
    ck_assert_uint_eq(f.h->f[4], ONE + 1);
    ck_assert_uint_eq(f.h->f[5], ONE + 1);
    ck_assert_uint_eq(f.h->f[6], ONE);
    ck_assert_uint_eq(f.h->x[8], FP_RUP);
    fixture_destroy(&f);
}
END_TEST

START_TEST(fcsr_collects_flags_of_host_and_software_and_forgets_what_is_cleared)
{
    struct fixture f;
    fixture_init(&f);
    RUN(&f, FADD_D(3, 1, 2, FP_RNE), FP(DIV_D, 4, 1, FP_RUP, 5), CSRR(7, FCSR), CSRRW(0, FFLAGS, 0),
        CSRR(8, FFLAGS), FP(DIV_D, 4, 1, FP_RNE, 5), CSRR(9, FFLAGS));
    ck_assert_uint_eq(f.h->x[7], FP_NX | FP_DZ);
    ck_assert_uint_eq(f.h->x[8], 0);
    ck_assert_uint_eq(f.h->x[9], FP_DZ);
    ck_assert_uint_eq(f.h->fflags, FP_DZ);
    fixture_destroy(&f);
}
END_TEST

static void expect_illegal(struct fixture *f, uint32_t word)
{
    RUN(f, word);
    ck_assert_uint_eq(f->h->csr.mcause, CAUSE_ILLEGAL);
    ck_assert_uint_eq(f->h->csr.mepc, RAM_BASE);
    ck_assert_uint_eq(f->h->pc, RAM_BASE + 0x8000);
    f->h->csr.mcause = 0;
}

START_TEST(reserved_rounding_modes_are_illegal_whether_static_or_in_frm)
{
    struct fixture f;
    fixture_init(&f);
    expect_illegal(&f, FADD_D(3, 1, 2, 5));
    expect_illegal(&f, FP(SQRT_D, 0, 1, 6, 3));
    f.h->x[5] = 7;
    RUN(&f, CSRRW(0, FRM, 5));
    expect_illegal(&f, FADD_D(3, 1, 2, FP_DYN));
    RUN(&f, FADD_D(3, 1, 2, FP_RUP), FP(EQ_D, 1, 1, 2, 6), FP(TO_INT_D, 0, 1, FP_RTZ, 7));
    ck_assert_uint_eq(f.h->f[3], ONE + 1);
    ck_assert_uint_eq(f.h->x[6], 1);
    ck_assert_uint_eq(f.h->x[7], 1);
    fixture_destroy(&f);
}
END_TEST

START_TEST(everything_is_illegal_while_fs_is_off)
{
    struct fixture f;
    fixture_init(&f);
    set_fs(f.h, FS_OFF);
    expect_illegal(&f, FADD_D(3, 1, 2, FP_RNE));
    expect_illegal(&f, FP(MOVE_X_D, 0, 1, 0, 6));
    expect_illegal(&f, FLD(3, 0, 5));
    expect_illegal(&f, CSRR(6, FCSR));
    ck_assert_uint_eq(f.h->f[3], 0);
    fixture_destroy(&f);
}
END_TEST

START_TEST(the_first_write_makes_fs_dirty_and_reads_do_not)
{
    struct fixture f;
    fixture_init(&f);
    set_fs(f.h, FS_CLEAN);
    RUN(&f, FP(MOVE_X_D, 0, 1, 0, 6), CSRR(7, FRM));
    ck_assert_uint_eq(bits_get(f.h->csr.mstatus, MSTATUS_FS_SHIFT, 2), FS_CLEAN);
    RUN(&f, FADD_D(3, 1, 2, FP_RUP));
    ck_assert_uint_eq(bits_get(f.h->csr.mstatus, MSTATUS_FS_SHIFT, 2), FS_DIRTY);
    ck_assert_uint_eq(f.h->f[3], ONE + 1);
    fixture_destroy(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fp_exec");
    TCase *c = tcase_create("fp_exec");
    tcase_add_test(c, f0_is_a_register_and_x0_is_none);
    tcase_add_test(c, the_rm_field_rounds_and_dyn_takes_frm);
    tcase_add_test(c, a_new_frm_holds_from_the_next_instruction_on);
    tcase_add_test(c, fcsr_collects_flags_of_host_and_software_and_forgets_what_is_cleared);
    tcase_add_test(c, reserved_rounding_modes_are_illegal_whether_static_or_in_frm);
    tcase_add_test(c, everything_is_illegal_while_fs_is_off);
    tcase_add_test(c, the_first_write_makes_fs_dirty_and_reads_do_not);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

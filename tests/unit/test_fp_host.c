/* The F and D handlers: for every row that has two forms, the host's form gives the same registers
 * and the same flags as the software form, in every mode that hosts have; and the guest's mode and
 * flags enter and leave the host FPU as cpu/fp_host.h says. */
#include "cpu/exec.h"
#include "cpu/fp_host.h"
#include "tests/unit/fp_patterns.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fenv.h>
#include <inttypes.h>
#include <stdlib.h>

#define RANDOM_CASES 3000

struct row {
    const char *name;
    handler *host, *soft;
};

#define I(...)
#define F(...)
#define G(...)
#define C(...)
#define FR(name, ...) handler op_##name, op_##name##_soft;
#include "cpu/isa/d.def"
#include "cpu/isa/f.def"
#undef FR
#define FR(name, ...) {#name, op_##name, op_##name##_soft},
static const struct row rows[] = {
#include "cpu/isa/d.def"
#include "cpu/isa/f.def"
};
#undef F
#undef G
#define F(name, ...) handler op_##name;
#define G(name, ...) handler op_##name;
#undef FR
#define FR(...)
#include "cpu/isa/d.def"
#include "cpu/isa/f.def"

static HANDLER(stop)
{
    (void)h;
    (void)op;
    (void)budget;
    LEAVE;
}

enum { RD = 4 };

/* What an op left: an f and an x register and fflags. */
struct outcome {
    uint64_t f, x;
    unsigned fflags;
};

static struct outcome run(struct hart *h, handler *what, const uint64_t v[3], unsigned rm)
{
    struct op ops[2] = {{.run = what}, {.run = stop}};
    ops[0].rd = RD;
    ops[0].rs1 = 1;
    ops[0].rs2 = 2;
    ops[0].n = 3;
    ops[0].imm = (int32_t)rm;
    for (unsigned i = 0; i < 3; i++)
        h->f[i + 1] = v[i];
    h->x[1] = v[0];
    h->x[RD] = h->f[RD] = 0;
    h->fflags = 0;
    h->frm = (uint8_t)rm;
    fp_host_enter(h);
    DISPATCH(h, ops, 0);
    fp_host_leave(h);
    return (struct outcome){h->f[RD], h->x[RD], h->fflags};
}

static void compare(struct hart *h, const struct row *row, const uint64_t v[3], unsigned rm)
{
    struct outcome host = run(h, row->host, v, rm), soft = run(h, row->soft, v, rm);
    if (host.f != soft.f || host.x != soft.x || host.fflags != soft.fflags)
        ck_abort_msg("%s rm %u %016" PRIx64 " %016" PRIx64 " %016" PRIx64 ": host %016" PRIx64
                     " %016" PRIx64 " flags %02x, soft %016" PRIx64 " %016" PRIx64 " flags %02x",
                     row->name, rm, v[0], v[1], v[2], host.f, host.x, host.fflags, soft.f, soft.x,
                     soft.fflags);
}

/* Both signs of a double, of a boxed single, of an integer; a single without its box. */
static uint64_t corner(size_t i)
{
    uint64_t sign = i & 1;
    i /= 2;
    if (i < ARRAY_LEN(f64_corners))
        return f64_corners[i] | sign << 63;
    i -= ARRAY_LEN(f64_corners);
    if (i < ARRAY_LEN(f32_corners))
        return NAN_BOX(f32_corners[i] | (uint32_t)sign << 31);
    return sign ? 0xfffffffe3f800000 : UINT64_MAX;
}

#define CORNERS (2 * (ARRAY_LEN(f64_corners) + ARRAY_LEN(f32_corners) + 1))

static uint64_t random_operand(uint64_t *seed, bool single)
{
    if (random_next(seed) % 64 == 0)
        return corner(random_next(seed) % CORNERS);
    return single ? NAN_BOX(random_f32(seed)) : random_f64(seed);
}

/* The third operand often cancels the product of the others. */
static uint64_t third_operand(uint64_t a, uint64_t b, uint64_t *seed, bool single)
{
    uint64_t r = random_next(seed);
    if (r & 1)
        return random_operand(seed, single);
    if (single)
        return NAN_BOX(fp_bits32(-fp_as_f32(a) * fp_as_f32(b)) + (r >> 8) % 3 - 1);
    return fp_bits64(-fp_as_f64(a) * fp_as_f64(b)) + (r >> 8) % 3 - 1;
}

START_TEST(host_forms_equal_software_forms_on_all_pairs_of_corners)
{
    const struct row *row = &rows[_i];
    struct hart *h = calloc(1, sizeof *h);
    uint64_t seed = 0x1234567 + (unsigned)_i;
    for (unsigned rm = FP_RNE; rm <= FP_RUP; rm++) {
        for (size_t i = 0; i < CORNERS * CORNERS; i++) {
            uint64_t v[3] = {corner(i / CORNERS), corner(i % CORNERS)};
            v[2] = corner(random_next(&seed) % CORNERS);
            compare(h, row, v, rm);
        }
    }
    free(h);
}
END_TEST

START_TEST(host_forms_equal_software_forms_on_random_operands)
{
    const struct row *row = &rows[_i];
    struct hart *h = calloc(1, sizeof *h);
    uint64_t seed = 0xabcdef + (unsigned)_i;
    for (unsigned n = 0; n < 8 * RANDOM_CASES; n++) {
        bool single = n & 1;
        uint64_t v[3] = {random_operand(&seed, single), random_operand(&seed, single)};
        v[2] = third_operand(v[0], v[1], &seed, single);
        compare(h, row, v, n >> 1 & 3);
    }
    free(h);
}
END_TEST

START_TEST(conversions_towards_zero_are_right_whatever_mode_is_installed)
{
    struct hart *h = calloc(1, sizeof *h);
    h->frm = FP_RUP;
    h->f[1] = fp_bits64(-1.75);
    struct op ops[2] = {{.run = op_fcvt_w_d_soft}, {.run = stop}};
    ops[0].rd = RD;
    ops[0].rs1 = 1;
    ops[0].imm = FP_RTZ;
    fp_host_enter(h);
    DISPATCH(h, ops, 0);
    fp_host_leave(h);
    ck_assert_int_eq((int64_t)h->x[RD], -1);
    ck_assert_uint_eq(h->fflags, FP_NX);
    free(h);
}
END_TEST

START_TEST(sign_injection_and_moves_keep_boxes)
{
    static const uint64_t v[3] = {NAN_BOX(0x3f800000), 0x80000000, 0};
    struct hart *h = calloc(1, sizeof *h);
    /* The second operand has no box: it is a positive NaN. */
    ck_assert_uint_eq(run(h, op_fsgnj_s, v, 0).f, NAN_BOX(0x3f800000));
    ck_assert_uint_eq(run(h, op_fsgnjn_s, v, 0).f, NAN_BOX(0xbf800000));
    ck_assert_uint_eq(run(h, op_fsgnjx_s, v, 0).f, NAN_BOX(0x3f800000));
    ck_assert_uint_eq(run(h, op_fsgnj_d, v, 0).f, 0x7fffffff3f800000);
    ck_assert_uint_eq(run(h, op_fsgnjn_d, v, 0).f, v[0]);
    ck_assert_uint_eq(run(h, op_fsgnjx_d, v, 0).f, v[0]);
    ck_assert_uint_eq(run(h, op_fmv_x_w, (uint64_t[3]){0x80000000}, 0).x, 0xffffffff80000000);
    ck_assert_uint_eq(run(h, op_fmv_w_x, (uint64_t[3]){0x180000000}, 0).f, NAN_BOX(0x80000000));
    ck_assert_uint_eq(run(h, op_fmv_x_d, v, 0).x, v[0]);
    ck_assert_uint_eq(run(h, op_fmv_d_x, v, 0).f, v[0]);
    ck_assert_uint_eq(run(h, op_fclass_s, (uint64_t[3]){0x3f800000}, 0).x, 1u << 9);
    ck_assert_uint_eq(run(h, op_fclass_s, v, 0).x, 1u << 6);
    ck_assert_uint_eq(run(h, op_fclass_d, (uint64_t[3]){1}, 0).x, 1u << 5);
    free(h);
}
END_TEST

static double divide(double a, double b)
{
    volatile double x = a, y = b, q = x / y;
    return q;
}

START_TEST(the_guests_flags_and_mode_stay_apart_from_the_hosts)
{
    struct hart *h = calloc(1, sizeof *h);
    h->frm = FP_RUP;
    h->fflags = FP_OF;
    fesetround(FE_DOWNWARD);
    feclearexcept(FE_ALL_EXCEPT);
    fp_host_enter(h);
    bool up = divide(1, 3) * 3 > 1;
    fp_host_leave(h);
    ck_assert(up);
    ck_assert_int_eq(fegetround(), FE_DOWNWARD);
    ck_assert(!fetestexcept(FE_INEXACT));
    fesetround(FE_TONEAREST);
    ck_assert_uint_eq(h->fflags, FP_OF | FP_NX);
    free(h);
}
END_TEST

START_TEST(reload_installs_a_new_mode_and_forgets_flags_that_software_cleared)
{
    struct hart *h = calloc(1, sizeof *h);
    fp_host_enter(h);
    divide(1, 0);
    fp_sync(h);
    unsigned synced = h->fflags;
    h->fflags = 0;
    h->frm = FP_RDN;
    fp_reload(h);
    bool down = divide(1, 10) < 0.1;
    h->frm = FP_RMM; /* no host has it: exact operations go on at RNE */
    fp_reload(h);
    bool nearest = divide(1, 10) == 0.1;
    fp_host_leave(h);
    ck_assert_uint_eq(synced, FP_DZ);
    ck_assert(down && nearest);
    ck_assert_uint_eq(h->fflags, FP_NX); /* of the divisions since, not DZ */
    free(h);
}
END_TEST

START_TEST(sync_and_reload_leave_the_host_alone_outside_the_loop)
{
    struct hart *h = calloc(1, sizeof *h);
    h->frm = FP_RUP;
    feraiseexcept(FE_INEXACT);
    fp_sync(h);
    fp_reload(h);
    ck_assert_uint_eq(h->fflags, 0);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_assert(fetestexcept(FE_INEXACT));
    free(h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fp_host");
    TCase *c = tcase_create("fp_host");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, host_forms_equal_software_forms_on_all_pairs_of_corners, 0,
                        FP_HOST_AVAILABLE * ARRAY_LEN(rows));
    tcase_add_loop_test(c, host_forms_equal_software_forms_on_random_operands, 0,
                        FP_HOST_AVAILABLE * ARRAY_LEN(rows));
    tcase_add_test(c, conversions_towards_zero_are_right_whatever_mode_is_installed);
    tcase_add_test(c, sign_injection_and_moves_keep_boxes);
    if (FP_HOST_AVAILABLE) {
        tcase_add_test(c, the_guests_flags_and_mode_stay_apart_from_the_hosts);
        tcase_add_test(c, reload_installs_a_new_mode_and_forgets_flags_that_software_cleared);
        tcase_add_test(c, sync_and_reload_leave_the_host_alone_outside_the_loop);
    }
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

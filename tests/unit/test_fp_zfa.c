/* Zfa in software: the constants of fli, rounding to an integer, the modular conversion, and
 * minimum and maximum where a NaN wins. */
#include "cpu/fp_soft.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

START_TEST(the_constants_are_the_tables)
{
    static const double table[32] = {
        [0] = -1,     [2] = 0x1p-16, [3] = 0x1p-15, [4] = 0x1p-8, [5] = 0x1p-7,  [6] = 0.0625,
        [7] = 0.125,  [8] = 0.25,    [9] = 0.3125,  [10] = 0.375, [11] = 0.4375, [12] = 0.5,
        [13] = 0.625, [14] = 0.75,   [15] = 0.875,  [16] = 1,     [17] = 1.25,   [18] = 1.5,
        [19] = 1.75,  [20] = 2,      [21] = 2.5,    [22] = 3,     [23] = 4,      [24] = 8,
        [25] = 16,    [26] = 128,    [27] = 256,    [28] = 32768, [29] = 65536,  [30] = INFINITY,
    };
    for (unsigned i = 0; i < 31; i++)
        if (i != 1)
            ck_assert_uint_eq(fp_constant(FP64, i), bits_of(table[i]));
    ck_assert_uint_eq(fp_constant(FP64, 1), 0x0010000000000000);
    ck_assert_uint_eq(fp_constant(FP64, 31), 0x7ff8000000000000);
    ck_assert_uint_eq(fp_constant(FP32, 1), 0x00800000);
    ck_assert_uint_eq(fp_constant(FP32, 29), 0x47800000);
    ck_assert_uint_eq(fp_constant(FP16, 1), 0x0400);
    ck_assert_uint_eq(fp_constant(FP16, 2), 0x0100); /* a subnormal */
    ck_assert_uint_eq(fp_constant(FP16, 29), 0x7c00);
}
END_TEST

/* A number whose exponent is near those that have a fraction. */
static uint64_t near_integers(uint64_t *seed)
{
    uint64_t v = next_random(seed);
    return (v & 0x800fffffffffffff) | (1023 - 3 + (v >> 52) % 60) << 52;
}

START_TEST(rounding_gives_what_the_host_gives)
{
    static const int modes[4] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    /* Through a pointer: the compiler's own rint is not right in every mode. */
    double (*volatile host)(double) = rint;
    uint64_t seed = 1;
    for (unsigned rm = FP_RNE; rm <= FP_RUP; rm++) {
        fesetround(modes[rm]);
        for (unsigned i = 0; i < 20000; i++) {
            uint64_t a = near_integers(&seed);
            volatile double x = value_of(a);
            double want = host(x);
            unsigned exact = 0, told = 0;
            ck_assert_uint_eq(fp_round(FP64, a, rm, &exact), bits_of(want));
            ck_assert_uint_eq(fp_roundnx(FP64, a, rm, &told), bits_of(want));
            ck_assert_uint_eq(exact, 0);
            ck_assert_uint_eq(told, want == x ? 0 : FP_NX);
        }
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(rounding_keeps_what_is_no_fraction)
{
    unsigned flags = 0;
    ck_assert_uint_eq(fp_round(FP64, 1ull << 63, FP_RUP, &flags), 1ull << 63);
    ck_assert_uint_eq(fp_round(FP64, bits_of(-0.25), FP_RNE, &flags), 1ull << 63);
    ck_assert_uint_eq(fp_round(FP64, bits_of(-INFINITY), FP_RNE, &flags), bits_of(-INFINITY));
    ck_assert_uint_eq(fp_round(FP64, bits_of(2.5), FP_RMM, &flags), bits_of(3));
    ck_assert_uint_eq(flags, 0);
    ck_assert_uint_eq(fp_round(FP64, 0xfff0000000000001, FP_RNE, &flags), 0x7ff8000000000000);
    ck_assert_uint_eq(flags, FP_NV);
}
END_TEST

/* Exact powers of two move a known 64-bit integer around. */
START_TEST(the_modular_conversion_keeps_32_bits_of_any_size)
{
    uint64_t seed = 3;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t integer = next_random(&seed) >> 11; /* 53 bits: exact */
        unsigned shift = (unsigned)(next_random(&seed) % 40);
        bool negative = next_random(&seed) & 1;
        double value = ldexp((double)integer, (int)shift);
        uint64_t low = shift < 32 ? integer << shift : 0;
        unsigned flags = 0, usual = 0;
        uint64_t a = bits_of(negative ? -value : value);
        ck_assert_int_eq((int64_t)fp_to_int_modular(FP64, a, &flags),
                         (int32_t)(uint32_t)(negative ? -low : low));
        fp_to_int(FP64, a, FP_I32, FP_RTZ, &usual);
        ck_assert_uint_eq(flags, usual);
    }
}
END_TEST

START_TEST(the_modular_conversion_has_its_corners)
{
    static const struct {
        double a;
        int64_t result;
        unsigned flags;
    } lines[] = {
        {1.75, 1, FP_NX},
        {-1.75, -1, FP_NX},
        {-0.0, 0, 0},
        {2147483647.0, 2147483647, 0},
        {2147483648.0, INT32_MIN, FP_NV},
        {4294967297.5, 1, FP_NV},
        {INFINITY, 0, FP_NV},
        {0x1p84, 0, FP_NV},
        {0x1.8p83, 0, FP_NV},
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        unsigned flags = 0;
        ck_assert_int_eq((int64_t)fp_to_int_modular(FP64, bits_of(lines[i].a), &flags),
                         lines[i].result);
        ck_assert_uint_eq(flags, lines[i].flags);
    }
}
END_TEST

START_TEST(a_nan_wins_over_a_number_and_quiet_comparisons_stay_quiet)
{
    const uint64_t one = bits_of(1), two = bits_of(2), nan = 0x7ff8000000000001;
    unsigned flags = 0;
    ck_assert_uint_eq(fp_minm(FP64, one, two, &flags), one);
    ck_assert_uint_eq(fp_maxm(FP64, one, two, &flags), two);
    ck_assert_uint_eq(fp_minm(FP64, one, nan, &flags), 0x7ff8000000000000);
    ck_assert_uint_eq(fp_maxm(FP64, nan, two, &flags), 0x7ff8000000000000);
    ck_assert(!fp_leq(FP64, one, nan, &flags) && !fp_ltq(FP64, nan, one, &flags));
    ck_assert(fp_leq(FP64, one, one, &flags) && fp_ltq(FP64, one, two, &flags));
    ck_assert_uint_eq(flags, 0);
    ck_assert(!fp_leq(FP64, one, 0x7ff0000000000001, &flags));
    ck_assert_uint_eq(flags, FP_NV);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fp_zfa");
    TCase *t = tcase_create("fp_zfa");
    tcase_add_test(t, the_constants_are_the_tables);
    tcase_add_test(t, rounding_gives_what_the_host_gives);
    tcase_add_test(t, rounding_keeps_what_is_no_fraction);
    tcase_add_test(t, the_modular_conversion_keeps_32_bits_of_any_size);
    tcase_add_test(t, the_modular_conversion_has_its_corners);
    tcase_add_test(t, a_nan_wins_over_a_number_and_quiet_comparisons_stay_quiet);
    suite_add_tcase(s, t);
    return run_suite(s);
}

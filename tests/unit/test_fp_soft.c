/* fp_soft.c against tables worked out by hand, against the host FPU, and, for round-to-nearest-max-
 * magnitude, which hosts lack, against exact arithmetic. */
#include "cpu/fp_soft.h"
#include "tests/unit/fp_patterns.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define RANDOM_CASES 40000

/* ck_assert for millions of cases: Check writes to a pipe at every assertion that holds. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

enum op { ADD, SUB, MUL, DIV, SQRT, FMA };

static double d_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t of_d(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return isnan(v) ? fp_canonical_nan(FP64) : bits;
}

static float s_of(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof v);
    return v;
}

static uint64_t of_s(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return isnan(v) ? fp_canonical_nan(FP32) : bits;
}

static uint64_t soft(struct fp_format f, enum op op, const uint64_t v[3], unsigned rm,
                     unsigned *flags)
{
    *flags = 0;
    switch (op) {
    case ADD:
        return fp_add(f, v[0], v[1], rm, flags);
    case SUB:
        return fp_sub(f, v[0], v[1], rm, flags);
    case MUL:
        return fp_mul(f, v[0], v[1], rm, flags);
    case DIV:
        return fp_div(f, v[0], v[1], rm, flags);
    case SQRT:
        return fp_sqrt(f, v[0], rm, flags);
    default:
        return fp_fma(f, v[0], v[1], v[2], rm, flags);
    }
}

/* --- tables ------------------------------------------------------------------------------ */

struct row {
    enum op op;
    unsigned rm;
    uint64_t v[3], result;
    unsigned flags;
};

#define ONE       0x3ff0000000000000
#define MINUS     0x8000000000000000
#define INF       0x7ff0000000000000
#define MAX       0x7fefffffffffffff
#define LEAST     0x0010000000000000 /* least normal */
#define HALF_ULP  0x3ca0000000000000 /* of 1 */
#define QUIET     0x7ff8000000000000
#define SIGNALING 0x7ff0000000000001

static const struct row rounding_rows[] = {
    {ADD, FP_RNE, {ONE, HALF_ULP}, ONE, FP_NX},
    {ADD, FP_RTZ, {ONE, HALF_ULP}, ONE, FP_NX},
    {ADD, FP_RDN, {ONE, HALF_ULP}, ONE, FP_NX},
    {ADD, FP_RUP, {ONE, HALF_ULP}, ONE + 1, FP_NX},
    {ADD, FP_RMM, {ONE, HALF_ULP}, ONE + 1, FP_NX},
    {ADD, FP_RNE, {ONE + 1, HALF_ULP}, ONE + 2, FP_NX},
    {SUB, FP_RDN, {MINUS | ONE, HALF_ULP}, MINUS | (ONE + 1), FP_NX},
    {SUB, FP_RUP, {MINUS | ONE, HALF_ULP}, MINUS | ONE, FP_NX},
    {SUB, FP_RMM, {MINUS | ONE, HALF_ULP}, MINUS | (ONE + 1), FP_NX},
    {ADD, FP_RMM, {ONE, HALF_ULP - 1}, ONE, FP_NX},
    {SUB, FP_RNE, {ONE, ONE}, 0, 0},
    {SUB, FP_RDN, {ONE, ONE}, MINUS, 0},
    {ADD, FP_RDN, {0, 0}, 0, 0},
    {ADD, FP_RDN, {0, MINUS}, MINUS, 0},
    {ADD, FP_RNE, {MINUS, MINUS}, MINUS, 0},
    {SQRT, FP_RNE, {MINUS}, MINUS, 0},
};

static const struct row flag_rows[] = {
    {ADD, FP_RNE, {MAX, MAX}, INF, FP_OF | FP_NX},
    {ADD, FP_RTZ, {MAX, MAX}, MAX, FP_OF | FP_NX},
    {ADD, FP_RDN, {MAX, MAX}, MAX, FP_OF | FP_NX},
    {ADD, FP_RUP, {MINUS | MAX, MINUS | MAX}, MINUS | MAX, FP_OF | FP_NX},
    {ADD, FP_RMM, {MAX, MAX}, INF, FP_OF | FP_NX},
    {DIV, FP_RNE, {ONE, MINUS}, MINUS | INF, FP_DZ},
    {DIV, FP_RNE, {0, MINUS}, QUIET, FP_NV},
    {DIV, FP_RNE, {INF, INF}, QUIET, FP_NV},
    {DIV, FP_RNE, {INF, 0}, INF, 0},
    {DIV, FP_RNE, {1, 2}, 0x3fe0000000000000, 0},
    {MUL, FP_RNE, {INF, 0}, QUIET, FP_NV},
    {SUB, FP_RNE, {INF, INF}, QUIET, FP_NV},
    {SQRT, FP_RNE, {MINUS | 1}, QUIET, FP_NV},
    {SQRT, FP_RNE, {MINUS | INF}, QUIET, FP_NV},
    {ADD, FP_RNE, {0xfffdeadbeef00001, ONE}, QUIET, 0},
    {ADD, FP_RNE, {ONE, SIGNALING}, QUIET, FP_NV},
    {FMA, FP_RNE, {INF, 0, QUIET}, QUIET, FP_NV},
    {FMA, FP_RNE, {ONE, ONE, QUIET}, QUIET, 0},
    {FMA, FP_RNE, {QUIET, ONE, SIGNALING}, QUIET, FP_NV},
    {FMA, FP_RNE, {INF, ONE, MINUS | INF}, QUIET, FP_NV},
    {FMA, FP_RNE, {ONE + 1, ONE + 1, MINUS | (ONE + 2)}, 0x3970000000000000, 0},
};

/* Subnormals: the least normal times 1 - 2^-53 is tiny only where that rounds to 53 bits below it;
 * (2 - 2^-52) * half the least normal does not. */
static const struct row tiny_rows[] = {
    {MUL, FP_RNE, {1, 0x3fe0000000000000}, 0, FP_UF | FP_NX},
    {MUL, FP_RUP, {1, 0x3fe0000000000000}, 1, FP_UF | FP_NX},
    {MUL, FP_RMM, {1, 0x3fe0000000000000}, 1, FP_UF | FP_NX},
    {MUL, FP_RNE, {3, 0x3fe0000000000000}, 2, FP_UF | FP_NX},
    {MUL, FP_RNE, {LEAST, 0x3fe0000000000000}, LEAST / 2, 0},
    {MUL, FP_RNE, {LEAST + 1, 0x3fefffffffffffff}, LEAST, FP_NX},
    {MUL, FP_RNE, {LEAST, 0x3fefffffffffffff}, LEAST, FP_UF | FP_NX},
    {MUL, FP_RTZ, {LEAST + 1, 0x3feffffffffffffe}, LEAST - 1, FP_UF | FP_NX},
    {MUL, FP_RUP, {LEAST + 1, 0x3feffffffffffffe}, LEAST, FP_NX},
    {ADD, FP_RNE, {LEAST - 1, 1}, LEAST, 0},
};

static void check_row(const struct row *r)
{
    unsigned flags;
    uint64_t result = soft(FP64, r->op, r->v, r->rm, &flags);
    ck_assert_msg(result == r->result && flags == r->flags,
                  "op %d rm %u %016" PRIx64 " %016" PRIx64 ": %016" PRIx64 " flags %02x", r->op,
                  r->rm, r->v[0], r->v[1], result, flags);
}

START_TEST(every_mode_rounds_ties_and_signs_zero_as_the_standard_says)
{
    for (size_t i = 0; i < ARRAY_LEN(rounding_rows); i++)
        check_row(&rounding_rows[i]);
}
END_TEST

START_TEST(overflow_division_by_zero_and_invalid_raise_their_flags)
{
    for (size_t i = 0; i < ARRAY_LEN(flag_rows); i++)
        check_row(&flag_rows[i]);
}
END_TEST

START_TEST(tininess_is_detected_after_rounding)
{
    for (size_t i = 0; i < ARRAY_LEN(tiny_rows); i++)
        check_row(&tiny_rows[i]);
}
END_TEST

/* --- the host FPU ------------------------------------------------------------------------ */

static const int host_modes[] = {[FP_RNE] = FE_TONEAREST,
                                 [FP_RTZ] = FE_TOWARDZERO,
                                 [FP_RDN] = FE_DOWNWARD,
                                 [FP_RUP] = FE_UPWARD};

static unsigned host_flags(void)
{
    int e = fetestexcept(FE_ALL_EXCEPT);
    return (e & FE_INEXACT ? FP_NX : 0) | (e & FE_UNDERFLOW ? FP_UF : 0) |
           (e & FE_OVERFLOW ? FP_OF : 0) | (e & FE_DIVBYZERO ? FP_DZ : 0) |
           (e & FE_INVALID ? FP_NV : 0);
}

static uint64_t host64(enum op op, const uint64_t v[3])
{
    volatile double a = d_of(v[0]), b = d_of(v[1]), c = d_of(v[2]), r;
    switch (op) {
    case ADD:
        r = a + b;
        break;
    case SUB:
        r = a - b;
        break;
    case MUL:
        r = a * b;
        break;
    case DIV:
        r = a / b;
        break;
    case SQRT:
        r = sqrt(a);
        break;
    default:
        r = fma(a, b, c);
    }
    return of_d(r);
}

static uint64_t host32(enum op op, const uint64_t v[3])
{
    volatile float a = s_of(v[0]), b = s_of(v[1]), c = s_of(v[2]), r;
    switch (op) {
    case ADD:
        r = a + b;
        break;
    case SUB:
        r = a - b;
        break;
    case MUL:
        r = a * b;
        break;
    case DIV:
        r = a / b;
        break;
    case SQRT:
        r = sqrtf(a);
        break;
    default:
        r = fmaf(a, b, c);
    }
    return of_s(r);
}

/* Hosts differ in two flags: underflow of results that round up to the least normal number, and
 * invalid of infinity * 0 + quiet NaN. The tables above have both. */
static unsigned unsure_flags(struct fp_format f, enum op op, uint64_t result)
{
    uint64_t magnitude = result & ((1ull << (f.frac_bits + f.exp_bits)) - 1);
    if (magnitude == 1ull << f.frac_bits)
        return FP_UF;
    return op == FMA && result == fp_canonical_nan(f) ? FP_NV : 0;
}

static void compare_with_host(struct fp_format f, enum op op, const uint64_t v[3], unsigned rm)
{
    bool wide = f.exp_bits == FP64.exp_bits;
    feclearexcept(FE_ALL_EXCEPT);
    uint64_t want = wide ? host64(op, v) : host32(op, v);
    unsigned want_flags = host_flags(), flags;
    uint64_t got = soft(f, op, v, rm, &flags);
    unsigned unsure = unsure_flags(f, op, got);
    EXPECT(got == want && (flags | unsure) == (want_flags | unsure),
           "%d bits, op %d rm %u %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64
           " flags %02x, host %" PRIx64 " %02x",
           wide ? 64 : 32, op, rm, v[0], v[1], v[2], got, flags, want, want_flags);
}

/* The third operand is often what cancels the product. */
static uint64_t near_product64(uint64_t a, uint64_t b, uint64_t *seed)
{
    uint64_t r = random_next(seed);
    return r & 1 ? random_f64(seed) : of_d(-d_of(a) * d_of(b)) + (r >> 8) % 3 - 1;
}

static uint64_t near_product32(uint64_t a, uint64_t b, uint64_t *seed)
{
    uint64_t r = random_next(seed);
    return r & 1 ? random_f32(seed) : (uint32_t)(of_s(-s_of(a) * s_of(b)) + (r >> 8) % 3 - 1);
}

START_TEST(arithmetic_equals_the_hosts_in_every_mode_flags_included)
{
    uint64_t seed = 0x9e3779b97f4a7c15ull + (unsigned)_i;
    unsigned rm = (unsigned)_i;
    fesetround(host_modes[rm]);
    for (enum op op = ADD; op <= FMA; op++) {
        for (unsigned n = 0; n < RANDOM_CASES; n++) {
            uint64_t d[3] = {random_f64(&seed), random_f64(&seed)};
            d[2] = near_product64(d[0], d[1], &seed);
            compare_with_host(FP64, op, d, rm);
            uint64_t s[3] = {random_f32(&seed), random_f32(&seed)};
            s[2] = near_product32(s[0], s[1], &seed);
            compare_with_host(FP32, op, s, rm);
        }
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(corners_crossed_equal_the_hosts)
{
    unsigned rm = (unsigned)_i;
    fesetround(host_modes[rm]);
    for (size_t i = 0; i < 2 * ARRAY_LEN(f64_corners); i++) {
        for (size_t k = 0; k < 2 * ARRAY_LEN(f64_corners); k++) {
            uint64_t v[3] = {f64_corners[i / 2] | (uint64_t)(i & 1) << 63,
                             f64_corners[k / 2] | (uint64_t)(k & 1) << 63};
            for (enum op op = ADD; op <= SQRT; op++)
                compare_with_host(FP64, op, v, rm);
        }
    }
    fesetround(FE_TONEAREST);
}
END_TEST

/* --- conversions ------------------------------------------------------------------------- */

START_TEST(conversions_between_formats_equal_the_hosts)
{
    uint64_t seed = 77 + (unsigned)_i;
    unsigned rm = (unsigned)_i, flags;
    fesetround(host_modes[rm]);
    for (unsigned n = 0; n < RANDOM_CASES; n++) {
        volatile double d =
            d_of(n & 1 ? random_f64(&seed)
                       : of_d((double)s_of(random_f32(&seed))) + random_next(&seed) % 3);
        feclearexcept(FE_ALL_EXCEPT);
        volatile float narrow = (float)d;
        unsigned want = host_flags();
        flags = 0;
        uint64_t got = fp_convert(FP32, FP64, of_d(d), rm, &flags);
        unsigned unsure = unsure_flags(FP32, ADD, got);
        if (!isnan(d))
            EXPECT(got == of_s(narrow) && (flags | unsure) == (want | unsure), "case %u", n);
        flags = 0;
        float s = s_of(random_f32(&seed));
        if (!isnan(s))
            EXPECT(fp_convert(FP64, FP32, of_s(s), rm, &flags) == of_d(s) && !flags, "case %u", n);
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(conversions_of_nan_are_canonical_and_signaling_ones_are_invalid)
{
    unsigned flags = 0;
    ck_assert_uint_eq(fp_convert(FP32, FP64, 0xffffffffffffffff, FP_RNE, &flags), 0x7fc00000);
    ck_assert_uint_eq(fp_convert(FP64, FP32, 0xffc12345, FP_RNE, &flags), QUIET);
    ck_assert_uint_eq(flags, 0);
    ck_assert_uint_eq(fp_convert(FP64, FP32, 0x7f800001, FP_RNE, &flags), QUIET);
    ck_assert_uint_eq(flags, FP_NV);
    flags = 0;
    ck_assert_uint_eq(fp_convert(FP32, FP64, SIGNALING, FP_RNE, &flags), 0x7fc00000);
    ck_assert_uint_eq(flags, FP_NV);
}
END_TEST

static const double int_low[] = {-0x1p31, 0, -0x1p63, 0};
static const double int_end[] = {0x1p31, 0x1p32, 0x1p63, 0x1p64};

static uint64_t saturated(enum fp_int kind, bool low)
{
    static const uint64_t least[] = {0xffffffff80000000, 0, 0x8000000000000000, 0};
    static const uint64_t most[] = {0x7fffffff, UINT64_MAX, INT64_MAX, UINT64_MAX};
    return low ? least[kind] : most[kind];
}

/* What the conversion gives when the host's rint has rounded a to `integer`. */
static uint64_t int_result(double a, double integer, enum fp_int kind, unsigned *flags)
{
    if (isnan(a) || integer < int_low[kind] || integer >= int_end[kind]) {
        *flags = FP_NV;
        return saturated(kind, a < 0);
    }
    *flags = integer != a ? FP_NX : 0;
    if (kind == FP_U64)
        return (uint64_t)integer;
    return kind == FP_I64 ? (uint64_t)(int64_t)integer : (uint64_t)(int32_t)(int64_t)integer;
}

static void check_to_int(double a, unsigned rm)
{
    volatile double input = a;
    double integer = rm == FP_RMM ? round(input) : rint(input);
    for (enum fp_int kind = FP_I32; kind <= FP_U64; kind++) {
        unsigned flags = 0, want_flags;
        uint64_t want = int_result(a, integer, kind, &want_flags);
        uint64_t got = fp_to_int(FP64, of_d(a), kind, rm, &flags);
        EXPECT(got == want && flags == want_flags, "%a to kind %d, rm %u: %" PRIx64 " flags %02x",
               a, kind, rm, got, flags);
        flags = 0;
        if ((double)(float)a == a)
            EXPECT(fp_to_int(FP32, of_s((float)a), kind, rm, &flags) == want && flags == want_flags,
                   "%a as a single to kind %d, rm %u", a, kind, rm);
    }
}

START_TEST(integers_come_out_rounded_or_saturated)
{
    uint64_t seed = 5;
    unsigned rm = (unsigned)_i;
    fesetround(rm == FP_RMM ? FE_TONEAREST : host_modes[rm]);
    for (size_t i = 0; i < ARRAY_LEN(f64_corners); i++) {
        check_to_int(d_of(f64_corners[i]), rm);
        check_to_int(-d_of(f64_corners[i]), rm);
    }
    for (unsigned n = 0; n < RANDOM_CASES; n++) {
        double fraction = (double)(int64_t)(random_next(&seed) >> 40) / 16 - 0x1p19;
        check_to_int(fraction, rm);
        check_to_int(d_of((random_next(&seed) & 0x87ffffffffffffff) | 0x3800000000000000), rm);
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(integers_go_in_rounded)
{
    uint64_t seed = 6;
    unsigned rm = (unsigned)_i;
    fesetround(host_modes[rm]);
    for (unsigned n = 0; n < RANDOM_CASES; n++) {
        volatile uint64_t x = random_next(&seed) >> random_next(&seed) % 64;
        volatile int64_t i = (int64_t)(n & 1 ? x : -x);
        unsigned flags = 0;
        feclearexcept(FE_ALL_EXCEPT);
        volatile double d = (double)i;
        EXPECT(fp_from_int(FP64, (uint64_t)i, FP_I64, rm, &flags) == of_d(d), "case %u", n);
        volatile float s = (float)i;
        EXPECT(fp_from_int(FP32, (uint64_t)i, FP_I64, rm, &flags) == of_s(s), "case %u", n);
        EXPECT(flags == (host_flags()), "case %u", n);
        volatile double w = (double)(int32_t)i, wu = (double)(uint32_t)i;
        EXPECT(fp_from_int(FP64, (uint64_t)i, FP_I32, rm, &flags) == of_d(w), "case %u", n);
        EXPECT(fp_from_int(FP64, (uint64_t)i, FP_U32, rm, &flags) == of_d(wu), "case %u", n);
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(large_unsigned_integers_round_as_their_bits_say)
{
    unsigned flags = 0;
    ck_assert_uint_eq(fp_from_int(FP64, UINT64_MAX, FP_U64, FP_RNE, &flags), 0x43f0000000000000);
    ck_assert_uint_eq(fp_from_int(FP64, UINT64_MAX, FP_U64, FP_RTZ, &flags), 0x43efffffffffffff);
    ck_assert_uint_eq(flags, FP_NX);
    ck_assert_uint_eq(fp_from_int(FP32, 1ull << 63, FP_U64, FP_RNE, &flags), 0x5f000000);
    ck_assert_uint_eq(fp_from_int(FP64, 0, FP_U64, FP_RDN, &flags), 0);
}
END_TEST

/* --- to nearest, ties away from zero ----------------------------------------------------- */

/* v, exact, as a single. */
static uint64_t nearest_away(double v, unsigned *flags)
{
    double m = fabs(v);
    uint64_t sign = signbit(v) ? 0x80000000 : 0;
    fesetround(FE_TOWARDZERO);
    volatile float below = (float)m;
    fesetround(FE_TONEAREST);
    *flags = (double)below == m ? 0 : FP_NX;
    if (m >= 0x1.ffffffp127) {
        *flags = FP_OF | FP_NX;
        return sign | 0x7f800000;
    }
    if (*flags && m < 0x1.fffffffp-127)
        *flags |= FP_UF;
    if (!*flags || below == FLT_MAX)
        return sign | of_s(below);
    double above = s_of(of_s(below) + 1);
    return sign | (of_s(below) + (m - below >= above - m));
}

START_TEST(ties_away_from_zero_equal_exact_arithmetic)
{
    uint64_t seed = 7;
    for (unsigned n = 0; n < 4 * RANDOM_CASES; n++) {
        uint64_t a = random_f32(&seed), b = random_f32(&seed);
        if (!isfinite(s_of(a)) || !isfinite(s_of(b)))
            continue;
        unsigned flags = 0, want_flags;
        uint64_t want = nearest_away((double)s_of(a) * s_of(b), &want_flags);
        EXPECT(fp_mul(FP32, a, b, FP_RMM, &flags) == want && flags == want_flags, "case %u", n);
        feclearexcept(FE_ALL_EXCEPT);
        volatile double sum = (double)s_of(a) + s_of(b);
        if (fetestexcept(FE_INEXACT))
            continue;
        want = nearest_away(sum, &want_flags);
        flags = 0;
        EXPECT(fp_add(FP32, a, b, FP_RMM, &flags) == want && flags == want_flags, "case %u", n);
        flags = 0;
        EXPECT(fp_convert(FP32, FP64, of_d(sum), FP_RMM, &flags) == want && flags == want_flags,
               "case %u", n);
    }
}
END_TEST

START_TEST(products_of_doubles_round_away_on_ties)
{
    uint64_t seed = 8;
    for (unsigned n = 0; n < 4 * RANDOM_CASES; n++) {
        uint64_t a =
            1ull << 52 | (random_next(&seed) & (n & 1 ? 0xfff0000000000 : 0xfffffffffffff));
        uint64_t b = 1ull << 52 | (random_next(&seed) & (n & 2 ? 0x7ffff : 0xfffffffffffff));
        unsigned __int128 product = (unsigned __int128)a * b;
        unsigned drop = product >> 105 ? 53 : 52, flags = 0;
        uint64_t sig = (uint64_t)((product + ((unsigned __int128)1 << (drop - 1))) >> drop);
        uint64_t want = ((0x3ffull + drop - 53) << 52) + sig;
        EXPECT(fp_mul(FP64, 0x3ff0ull << 48 | (a & ~(1ull << 52)),
                      0x3ff0ull << 48 | (b & ~(1ull << 52)), FP_RMM, &flags) == (want),
               "case %u", n);
    }
}
END_TEST

/* --- comparison, classes
 * --------------------------------------------------------------------------- */

START_TEST(comparisons_equal_the_hosts_and_signal_as_they_must)
{
    for (size_t i = 0; i < 4 * ARRAY_LEN(f64_corners) * ARRAY_LEN(f64_corners); i++) {
        uint64_t a = f64_corners[i / 4 % ARRAY_LEN(f64_corners)] ^ (i & 1 ? MINUS : 0);
        uint64_t b = f64_corners[i / 4 / ARRAY_LEN(f64_corners)] ^ (i & 2 ? MINUS : 0);
        bool nan = isnan(d_of(a)) || isnan(d_of(b));
        bool signaling =
            (isnan(d_of(a)) && !(a & 1ull << 51)) || (isnan(d_of(b)) && !(b & 1ull << 51));
        unsigned eq = 0, lt = 0, le = 0;
        ck_assert(fp_eq(FP64, a, b, &eq) == (d_of(a) == d_of(b)));
        ck_assert(fp_lt(FP64, a, b, &lt) == (d_of(a) < d_of(b)));
        ck_assert(fp_le(FP64, a, b, &le) == (d_of(a) <= d_of(b)));
        ck_assert_uint_eq(eq, signaling ? FP_NV : 0);
        ck_assert_uint_eq(lt, nan ? FP_NV : 0);
        ck_assert_uint_eq(le, nan ? FP_NV : 0);
    }
}
END_TEST

START_TEST(min_and_max_prefer_numbers_and_order_zeros)
{
    unsigned flags = 0;
    ck_assert_uint_eq(fp_min(FP64, 0, MINUS, &flags), MINUS);
    ck_assert_uint_eq(fp_min(FP64, MINUS, 0, &flags), MINUS);
    ck_assert_uint_eq(fp_max(FP64, MINUS, 0, &flags), 0);
    ck_assert_uint_eq(fp_max(FP64, 0, MINUS, &flags), 0);
    ck_assert_uint_eq(fp_min(FP64, ONE, QUIET, &flags), ONE);
    ck_assert_uint_eq(fp_max(FP64, QUIET, MINUS | ONE, &flags), MINUS | ONE);
    ck_assert_uint_eq(fp_max(FP64, 0xfff8000000000001, QUIET, &flags), QUIET);
    ck_assert_uint_eq(fp_min(FP64, MINUS | ONE, MINUS | MAX, &flags), MINUS | MAX);
    ck_assert_uint_eq(fp_max(FP32, 0x3f800000, 0xff800000, &flags), 0x3f800000);
    ck_assert_uint_eq(flags, 0);
    ck_assert_uint_eq(fp_min(FP64, SIGNALING, ONE, &flags), ONE);
    ck_assert_uint_eq(flags, FP_NV);
}
END_TEST

START_TEST(every_number_has_its_class)
{
    static const uint64_t by_class[] = {MINUS | INF, MINUS | ONE, MINUS | 1, MINUS,     0,
                                        LEAST - 1,   LEAST,       INF,       SIGNALING, QUIET};
    for (unsigned i = 0; i < ARRAY_LEN(by_class); i++)
        ck_assert_uint_eq(fp_classify(FP64, by_class[i]), 1u << i);
    ck_assert_uint_eq(fp_classify(FP32, 0x807fffff), 1u << 2);
    ck_assert_uint_eq(fp_classify(FP32, 0x7f7fffff), 1u << 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fp_soft");
    TCase *c = tcase_create("fp_soft");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, every_mode_rounds_ties_and_signs_zero_as_the_standard_says);
    tcase_add_test(c, overflow_division_by_zero_and_invalid_raise_their_flags);
    tcase_add_test(c, tininess_is_detected_after_rounding);
    tcase_add_loop_test(c, arithmetic_equals_the_hosts_in_every_mode_flags_included, FP_RNE,
                        FP_RMM);
    tcase_add_loop_test(c, corners_crossed_equal_the_hosts, FP_RNE, FP_RMM);
    tcase_add_loop_test(c, conversions_between_formats_equal_the_hosts, FP_RNE, FP_RMM);
    tcase_add_test(c, conversions_of_nan_are_canonical_and_signaling_ones_are_invalid);
    tcase_add_loop_test(c, integers_come_out_rounded_or_saturated, FP_RNE, FP_RMM + 1);
    tcase_add_loop_test(c, integers_go_in_rounded, FP_RNE, FP_RMM);
    tcase_add_test(c, large_unsigned_integers_round_as_their_bits_say);
    tcase_add_test(c, ties_away_from_zero_equal_exact_arithmetic);
    tcase_add_test(c, products_of_doubles_round_away_on_ties);
    tcase_add_test(c, comparisons_equal_the_hosts_and_signal_as_they_must);
    tcase_add_test(c, min_and_max_prefer_numbers_and_order_zeros);
    tcase_add_test(c, every_number_has_its_class);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

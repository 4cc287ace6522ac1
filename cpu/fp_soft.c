/* Software floating point; fp_soft.h has the contract.
 *
 * Every operation is: unpack its operands, answer NaN and infinity, compute a significand that is
 * exact or has its lost bits ORed into its last one ("jammed"), and round once. Jamming keeps
 * rounding right as long as that last bit lies below the rounding position, which 64 bits give
 * every format of up to 53 bits of precision. IEEE 754-2008 sections 4 to 7. */
#include "cpu/fp_soft.h"

typedef unsigned __int128 u128;

enum kind { FINITE, INFINITE, QUIET_NAN, SIGNALING_NAN };

/* The value sig * 2^(exp - 63). sig has bit 63 set, or is 0 with exp so low that every other number
 * is larger in exponent, also in products. */
struct num {
    enum kind kind;
    bool sign;
    int exp;
    uint64_t sig;
};

/* The value sig * 2^(exp - 126). The highest bit of sig is at most bit 126, so that sums fit. */
struct wide {
    bool sign;
    int exp;
    u128 sig;
};

#define ZERO_EXP (-(1 << 20))

static int bias(struct fp_format f)
{
    return (1 << (f.exp_bits - 1)) - 1;
}

static uint64_t sign_bit(struct fp_format f)
{
    return 1ull << (f.frac_bits + f.exp_bits);
}

static uint64_t infinity(struct fp_format f, bool sign)
{
    return (sign ? sign_bit(f) : 0) | ((1ull << f.exp_bits) - 1) << f.frac_bits;
}

static uint64_t zero(struct fp_format f, bool sign)
{
    return sign ? sign_bit(f) : 0;
}

static uint64_t invalid(struct fp_format f, unsigned *flags)
{
    *flags |= FP_NV;
    return fp_canonical_nan(f);
}

static struct num unpack(struct fp_format f, uint64_t a)
{
    uint64_t frac = bits_get(a, 0, f.frac_bits);
    int field = (int)bits_get(a, f.frac_bits, f.exp_bits);
    struct num n = {.kind = FINITE, .sign = a & sign_bit(f), .exp = field - bias(f)};
    n.sig = frac << (63 - f.frac_bits);
    if (field == (1 << f.exp_bits) - 1) {
        bool quiet = frac >> (f.frac_bits - 1);
        n.kind = !frac ? INFINITE : quiet ? QUIET_NAN : SIGNALING_NAN;
    } else if (field) {
        n.sig |= 1ull << 63;
    } else if (frac) {
        int shift = __builtin_clzll(n.sig);
        n.sig <<= shift;
        n.exp += 1 - shift;
    } else {
        n.exp = ZERO_EXP;
    }
    return n;
}

static bool is_nan(struct num n)
{
    return n.kind >= QUIET_NAN;
}

static bool is_zero(struct num n)
{
    return n.kind == FINITE && !n.sig;
}

/* Whether an operand is a NaN, which makes the result one; a signaling one is invalid. */
static bool any_nan(struct num a, struct num b, unsigned *flags)
{
    if (a.kind == SIGNALING_NAN || b.kind == SIGNALING_NAN)
        *flags |= FP_NV;
    return is_nan(a) || is_nan(b);
}

static uint64_t shift_right_jam(uint64_t v, unsigned shift)
{
    if (shift > 63)
        return v != 0;
    return v >> shift | ((v & ((1ull << shift) - 1)) != 0);
}

static u128 shift_right_jam_wide(u128 v, unsigned shift)
{
    if (shift > 127)
        return v != 0;
    return v >> shift | ((v & (((u128)1 << shift) - 1)) != 0);
}

/* Whether the magnitude goes up by one unit; rest is what lies below the unit, half is half of it.
 */
static bool rounds_up(unsigned rm, bool sign, bool odd, uint64_t rest, uint64_t half)
{
    switch (rm) {
    case FP_RNE:
        return rest > half || (rest == half && odd);
    case FP_RDN:
        return rest && sign;
    case FP_RUP:
        return rest && !sign;
    case FP_RMM:
        return rest >= half;
    default:
        return false;
    }
}

static uint64_t overflow(struct fp_format f, bool sign, unsigned rm, unsigned *flags)
{
    *flags |= FP_OF | FP_NX;
    bool to_infinity = rounds_up(rm, sign, true, 1, 1);
    return infinity(f, sign) - !to_infinity;
}

/* sig >> drop, rounded. */
static uint64_t round_off(uint64_t sig, unsigned drop, bool sign, unsigned rm)
{
    uint64_t unit = sig >> drop;
    return unit + rounds_up(rm, sign, unit & 1, bits_get(sig, 0, drop), 1ull << (drop - 1));
}

/* The one place where results are rounded: the value sig * 2^(exp - 63), bit 63 of sig set. */
static uint64_t round_pack(struct fp_format f, bool sign, int exp, uint64_t sig, unsigned rm,
                           unsigned *flags)
{
    unsigned drop = 63 - f.frac_bits;
    int field = exp + bias(f);
    bool tiny = false;
    if (field < 1) {
        /* Tiny after rounding: still below the least normal number when rounded to full precision
         * with an exponent that has no limit. */
        tiny = field < 0 || !(round_off(sig, drop, sign, rm) >> (f.frac_bits + 1));
        sig = shift_right_jam(sig, (unsigned)(1 - field));
        field = 1;
    }
    if (bits_get(sig, 0, drop))
        *flags |= tiny ? FP_NX | FP_UF : FP_NX;
    /* The hidden bit, or a carry out of the fraction, adds one to the exponent field. */
    uint64_t magnitude = round_off(sig, drop, sign, rm);
    if (field >= (1 << f.exp_bits))
        return overflow(f, sign, rm, flags);
    magnitude += (uint64_t)(field - 1) << f.frac_bits;
    if (magnitude >= infinity(f, false))
        return overflow(f, sign, rm, flags);
    return zero(f, sign) | magnitude;
}

static uint64_t round_pack_wide(struct fp_format f, struct wide w, unsigned rm, unsigned *flags)
{
    if (!w.sig)
        return zero(f, w.sign);
    uint64_t high = (uint64_t)(w.sig >> 64);
    int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)w.sig);
    w.sig <<= shift;
    uint64_t sig = (uint64_t)(w.sig >> 64) | ((uint64_t)w.sig != 0);
    return round_pack(f, w.sign, w.exp + 1 - shift, sig, rm, flags);
}

static struct wide widen(struct num n)
{
    return (struct wide){n.sign, n.exp, (u128)n.sig << 63};
}

/* Exact: significands have 53 bits at most, so the shift drops a 0. */
static struct wide multiply(struct num a, struct num b)
{
    struct wide p = {a.sign ^ b.sign, a.exp + b.exp, (u128)a.sig * b.sig};
    if (p.sig >> 127) {
        p.sig >>= 1;
        p.exp++;
    }
    return p;
}

/* The sum, jammed. Bits are lost only when the exponents differ by more than 20, and then the sum
 * keeps all but one of its leading places. */
static struct wide add_wide(struct wide a, struct wide b, unsigned rm)
{
    if (a.exp < b.exp) {
        struct wide swap = a;
        a = b;
        b = swap;
    }
    b.sig = shift_right_jam_wide(b.sig, (unsigned)(a.exp - b.exp));
    if (a.sign == b.sign)
        return (struct wide){a.sign, a.exp, a.sig + b.sig};
    if (a.sig == b.sig) /* IEEE 754 6.3: an exact zero of unlike signs is +0, but -0 downwards */
        return (struct wide){rm == FP_RDN, a.exp, 0};
    if (a.sig > b.sig)
        return (struct wide){a.sign, a.exp, a.sig - b.sig};
    return (struct wide){b.sign, a.exp, b.sig - a.sig};
}

uint64_t fp_add(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a), y = unpack(f, b);
    if (any_nan(x, y, flags))
        return fp_canonical_nan(f);
    if (x.kind == INFINITE && y.kind == INFINITE && x.sign != y.sign)
        return invalid(f, flags);
    if (x.kind == INFINITE)
        return a;
    if (y.kind == INFINITE)
        return b;
    return round_pack_wide(f, add_wide(widen(x), widen(y), rm), rm, flags);
}

uint64_t fp_sub(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags)
{
    return fp_add(f, a, b ^ sign_bit(f), rm, flags);
}

uint64_t fp_mul(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a), y = unpack(f, b);
    if (any_nan(x, y, flags))
        return fp_canonical_nan(f);
    if (x.kind == INFINITE || y.kind == INFINITE)
        return is_zero(x) || is_zero(y) ? invalid(f, flags) : infinity(f, x.sign ^ y.sign);
    return round_pack_wide(f, multiply(x, y), rm, flags);
}

uint64_t fp_fma(struct fp_format f, uint64_t a, uint64_t b, uint64_t c, unsigned rm,
                unsigned *flags)
{
    struct num x = unpack(f, a), y = unpack(f, b), z = unpack(f, c);
    bool infinite = x.kind == INFINITE || y.kind == INFINITE;
    bool sign = x.sign ^ y.sign;
    bool z_nan = any_nan(z, z, flags);
    if (any_nan(x, y, flags))
        return fp_canonical_nan(f);
    if (infinite && (is_zero(x) || is_zero(y)))
        return invalid(f, flags);
    if (z_nan)
        return fp_canonical_nan(f);
    if (infinite)
        return z.kind == INFINITE && z.sign != sign ? invalid(f, flags) : infinity(f, sign);
    if (z.kind == INFINITE)
        return c;
    return round_pack_wide(f, add_wide(multiply(x, y), widen(z), rm), rm, flags);
}

uint64_t fp_div(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a), y = unpack(f, b);
    bool sign = x.sign ^ y.sign;
    if (any_nan(x, y, flags))
        return fp_canonical_nan(f);
    if ((x.kind == INFINITE && y.kind == INFINITE) || (is_zero(x) && is_zero(y)))
        return invalid(f, flags);
    if (x.kind == INFINITE)
        return infinity(f, sign);
    if (y.kind == INFINITE || is_zero(x))
        return zero(f, sign);
    if (is_zero(y)) {
        *flags |= FP_DZ;
        return infinity(f, sign);
    }
    unsigned shift = x.sig < y.sig ? 64 : 63; /* the quotient then has bit 63 as its highest */
    u128 dividend = (u128)x.sig << shift;
    uint64_t quotient = (uint64_t)(dividend / y.sig);
    uint64_t sticky = (u128)quotient * y.sig != dividend;
    return round_pack(f, sign, x.exp - y.exp + 63 - (int)shift, quotient | sticky, rm, flags);
}

/* The integer square root of v, 2^126 <= v; *exact tells whether nothing is left. */
static uint64_t square_root(u128 v, bool *exact)
{
    u128 root = 0;
    for (u128 bit = (u128)1 << 126; bit; bit >>= 2) {
        u128 trial = root + bit;
        root >>= 1;
        if (v >= trial) {
            v -= trial;
            root += bit;
        }
    }
    *exact = v == 0;
    return (uint64_t)root;
}

uint64_t fp_sqrt(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a);
    if (any_nan(x, x, flags))
        return fp_canonical_nan(f);
    if (is_zero(x))
        return a;
    if (x.sign)
        return invalid(f, flags);
    if (x.kind == INFINITE)
        return a;
    bool odd = x.exp & 1, exact;
    uint64_t root = square_root((u128)x.sig << (odd ? 64 : 63), &exact);
    return round_pack(f, false, (x.exp - odd) / 2, root | !exact, rm, flags);
}

/* Ordered as the numbers are, when neither is a NaN and both are not zero. */
static int64_t order(struct fp_format f, uint64_t a)
{
    int64_t magnitude = (int64_t)(a & ~sign_bit(f));
    return a & sign_bit(f) ? ~magnitude : magnitude;
}

static bool equal(struct fp_format f, uint64_t a, uint64_t b)
{
    return a == b || !((a | b) & ~sign_bit(f));
}

bool fp_eq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return !any_nan(unpack(f, a), unpack(f, b), flags) && equal(f, a, b);
}

/* For lt and le, any NaN is invalid. */
static bool unordered(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    bool nan = any_nan(unpack(f, a), unpack(f, b), flags);
    if (nan)
        *flags |= FP_NV;
    return nan;
}

bool fp_lt(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return !unordered(f, a, b, flags) && !equal(f, a, b) && order(f, a) < order(f, b);
}

bool fp_le(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return !unordered(f, a, b, flags) && (equal(f, a, b) || order(f, a) < order(f, b));
}

/* A NaN beside a number is missing data: the number is the result. -0 is less than +0. */
static uint64_t select_number(struct fp_format f, uint64_t a, uint64_t b, bool want_less,
                              unsigned *flags)
{
    struct num x = unpack(f, a), y = unpack(f, b);
    if (any_nan(x, y, flags))
        return !is_nan(x) ? a : !is_nan(y) ? b : fp_canonical_nan(f);
    return (order(f, a) < order(f, b)) == want_less ? a : b;
}

uint64_t fp_min(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return select_number(f, a, b, true, flags);
}

uint64_t fp_max(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return select_number(f, a, b, false, flags);
}

uint64_t fp_minm(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    bool nan = any_nan(unpack(f, a), unpack(f, b), flags);
    return nan ? fp_canonical_nan(f) : fp_min(f, a, b, flags);
}

uint64_t fp_maxm(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    bool nan = any_nan(unpack(f, a), unpack(f, b), flags);
    return nan ? fp_canonical_nan(f) : fp_max(f, a, b, flags);
}

bool fp_ltq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return !any_nan(unpack(f, a), unpack(f, b), flags) && fp_lt(f, a, b, flags);
}

bool fp_leq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags)
{
    return !any_nan(unpack(f, a), unpack(f, b), flags) && fp_le(f, a, b, flags);
}

unsigned fp_classify(struct fp_format f, uint64_t a)
{
    struct num n = unpack(f, a);
    if (is_nan(n))
        return n.kind == QUIET_NAN ? 1u << 9 : 1u << 8;
    /* 4 zero, 5 subnormal, 6 normal, 7 infinity; the negative ones mirror them from 3 down to 0. */
    unsigned class = 6;
    if (n.kind == INFINITE)
        class = 7;
    else if (is_zero(n))
        class = 4;
    else if (n.exp < 1 - bias(f))
        class = 5;
    return 1u << (n.sign ? 7 - class : class);
}

uint64_t fp_convert(struct fp_format to, struct fp_format from, uint64_t a, unsigned rm,
                    unsigned *flags)
{
    struct num x = unpack(from, a);
    if (any_nan(x, x, flags))
        return fp_canonical_nan(to);
    if (x.kind == INFINITE)
        return infinity(to, x.sign);
    return round_pack_wide(to, widen(x), rm, flags);
}

/* What a conversion to an integer gives when the number is out of range. */
static uint64_t saturated(enum fp_int kind, bool sign)
{
    switch (kind) {
    case FP_I32:
        return sign ? (uint64_t)INT32_MIN : INT32_MAX;
    case FP_I64:
        return sign ? (uint64_t)INT64_MIN : INT64_MAX;
    default:
        return sign ? 0 : UINT64_MAX; /* 2^32 - 1 is sign-extended in its register */
    }
}

static uint64_t largest_magnitude(enum fp_int kind, bool sign)
{
    switch (kind) {
    case FP_I32:
        return (uint64_t)INT32_MAX + sign;
    case FP_U32:
        return sign ? 0 : UINT32_MAX;
    case FP_I64:
        return (uint64_t)INT64_MAX + sign;
    default:
        return sign ? 0 : UINT64_MAX;
    }
}

/* The integer that |x|, below 2^64, is rounded to; what was lost goes to *rest. */
static uint64_t round_magnitude(struct num x, unsigned rm, uint64_t *rest)
{
    /* The integer part in the high half, the fraction in the low one. */
    u128 fixed = shift_right_jam_wide((u128)x.sig << 64, (unsigned)(63 - x.exp));
    uint64_t magnitude = (uint64_t)(fixed >> 64);
    *rest = (uint64_t)fixed;
    return magnitude + rounds_up(rm, x.sign, magnitude & 1, *rest, 1ull << 63);
}

uint64_t fp_to_int(struct fp_format f, uint64_t a, enum fp_int kind, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a);
    bool sign = x.sign && !is_nan(x);
    if (x.kind != FINITE || x.exp > 63) {
        *flags |= FP_NV;
        return saturated(kind, sign);
    }
    uint64_t rest, magnitude = round_magnitude(x, rm, &rest);
    if (magnitude > largest_magnitude(kind, sign)) {
        *flags |= FP_NV;
        return saturated(kind, sign);
    }
    if (rest)
        *flags |= FP_NX;
    uint64_t value = sign ? -magnitude : magnitude;
    return kind == FP_U32 ? (uint64_t)sign_extend(value, 32) : value;
}

uint64_t fp_from_int(struct fp_format f, uint64_t x, enum fp_int kind, unsigned rm, unsigned *flags)
{
    if (kind == FP_I32)
        x = (uint64_t)sign_extend(x, 32);
    if (kind == FP_U32)
        x = (uint32_t)x;
    bool sign = (kind == FP_I32 || kind == FP_I64) && x >> 63;
    struct wide w = {sign, 126, sign ? -x : x};
    return round_pack_wide(f, w, rm, flags);
}

uint64_t fp_roundnx(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags)
{
    struct num x = unpack(f, a);
    unsigned exact = 0;
    if (any_nan(x, x, flags))
        return fp_canonical_nan(f);
    if (x.kind == INFINITE || is_zero(x) || x.exp >= (int)f.frac_bits)
        return a;
    uint64_t rest, magnitude = round_magnitude(x, rm, &rest);
    if (rest)
        *flags |= FP_NX;
    return zero(f, x.sign) | fp_from_int(f, magnitude, FP_U64, rm, &exact);
}

uint64_t fp_round(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags)
{
    unsigned raised = 0;
    uint64_t result = fp_roundnx(f, a, rm, &raised);
    *flags |= raised & ~(unsigned)FP_NX;
    return result;
}

uint64_t fp_to_int_modular(struct fp_format f, uint64_t a, unsigned *flags)
{
    struct num x = unpack(f, a);
    fp_to_int(f, a, FP_I32, FP_RTZ, flags);
    /* All bits of a number this large stand above the result. */
    if (x.kind != FINITE || x.exp >= (int)f.frac_bits + 32)
        return 0;
    uint64_t rest, low;
    if (x.exp > 63)
        low = x.sig << (x.exp - 63);
    else
        low = round_magnitude(x, FP_RTZ, &rest);
    return (uint64_t)sign_extend(x.sign ? -low : low, 32);
}

uint64_t fp_constant(struct fp_format f, unsigned number)
{
    /* Sixteenths; the first three and the last two have no place here. */
    static const uint32_t sixteenths[] = {
        [6] = 1,    [7] = 2,    [8] = 4,     [9] = 5,     [10] = 6,        [11] = 7,
        [12] = 8,   [13] = 10,  [14] = 12,   [15] = 14,   [16] = 16,       [17] = 20,
        [18] = 24,  [19] = 28,  [20] = 32,   [21] = 40,   [22] = 48,       [23] = 64,
        [24] = 128, [25] = 256, [26] = 2048, [27] = 4096, [28] = 16 << 15, [29] = 16 << 16,
    };
    unsigned exact = 0;
    switch (number) {
    case 0:
        return fp_from_int(f, (uint64_t)-1, FP_I64, FP_RNE, &exact);
    case 1:
        return 1ull << f.frac_bits; /* the least normal number */
    case 2:
    case 3:
    case 4:
    case 5:;
        static const int exponents[] = {-16, -15, -8, -7};
        return round_pack(f, false, exponents[number - 2], 1ull << 63, FP_RNE, &exact);
    case 30:
        return infinity(f, false);
    case 31:
        return fp_canonical_nan(f);
    default:;
        struct wide w = {false, 126 - 4, sixteenths[number]};
        return round_pack_wide(f, w, FP_RNE, &exact); /* 2^16 overflows to half's infinity */
    }
}

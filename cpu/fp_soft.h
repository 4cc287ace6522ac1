/* Floating point in integers: exact, for every operation, format and rounding mode.
 *
 * IEEE 754-2008 as the unprivileged manual ("F" and "D" extensions) narrows it: every NaN result
 * is the canonical NaN, tininess is detected after rounding, min and max are IEEE 754-2019's
 * minimumNumber and maximumNumber. Values are bit patterns in the low bits of a uint64_t, the rest
 * of it zero (NaN boxes are the caller's). Pure functions: flags are ORed into *flags. */
#ifndef RIVULET_CPU_FP_SOFT_H
#define RIVULET_CPU_FP_SOFT_H

#include "base/bits.h"

/* Rounding modes: the encoding of frm and of the rm field. */
enum fp_rm {
    FP_RNE = 0,
    FP_RTZ = 1,
    FP_RDN = 2,
    FP_RUP = 3,
    FP_RMM = 4,
    FP_DYN = 7,
};

/* Accrued exceptions: the encoding of fflags. */
enum fp_flag {
    FP_NX = 1 << 0,
    FP_UF = 1 << 1,
    FP_OF = 1 << 2,
    FP_DZ = 1 << 3,
    FP_NV = 1 << 4,
};

/* An IEEE 754 binary interchange format: fraction bits less the hidden one. At most 53 bits of
 * significand and 15 of exponent, so that a product fits 128 bits with room to align. */
struct fp_format {
    unsigned frac_bits, exp_bits;
};

static const struct fp_format FP16 = {10, 5};
static const struct fp_format FP32 = {23, 8};
static const struct fp_format FP64 = {52, 11};

/* The integers that conversions know; as x registers hold them: 32 bits are sign-extended. */
enum fp_int { FP_I32, FP_U32, FP_I64, FP_U64 };

/* The NaN that every NaN result is: positive, quiet, no payload. */
static inline uint64_t fp_canonical_nan(struct fp_format f)
{
    return ((2ull << f.exp_bits) - 1) << (f.frac_bits - 1);
}

/* --- arithmetic: rm is 0 to 4 --- */
uint64_t fp_add(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t fp_sub(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t fp_mul(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t fp_div(struct fp_format f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t fp_sqrt(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags);
/* a * b + c, rounded once; infinity * 0 is invalid even when c is a quiet NaN. */
uint64_t fp_fma(struct fp_format f, uint64_t a, uint64_t b, uint64_t c, unsigned rm,
                unsigned *flags);

/* --- comparison: eq is quiet, lt and le signal on any NaN --- */
bool fp_eq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
bool fp_lt(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
bool fp_le(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
uint64_t fp_min(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
uint64_t fp_max(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
/* Zfa: min and max where any NaN gives a NaN, and the comparisons that are quiet. */
uint64_t fp_minm(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
uint64_t fp_maxm(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
bool fp_ltq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
bool fp_leq(struct fp_format f, uint64_t a, uint64_t b, unsigned *flags);
/* fclass: one bit of ten, from negative infinity (0) to quiet NaN (9). */
unsigned fp_classify(struct fp_format f, uint64_t a);

/* --- conversion --- */
uint64_t fp_convert(struct fp_format to, struct fp_format from, uint64_t a, unsigned rm,
                    unsigned *flags);
/* Out of range gives the nearest integer and NV; NaN gives the largest. */
uint64_t fp_to_int(struct fp_format f, uint64_t a, enum fp_int kind, unsigned rm, unsigned *flags);
uint64_t fp_from_int(struct fp_format f, uint64_t x, enum fp_int kind, unsigned rm,
                     unsigned *flags);
/* Zfa: to an integer of the same format; roundnx tells by NX that it was none. */
uint64_t fp_round(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags);
uint64_t fp_roundnx(struct fp_format f, uint64_t a, unsigned rm, unsigned *flags);
/* Zfa: towards zero, modulo 2^32, sign-extended; the flags are those of fp_to_int (FP_I32). */
uint64_t fp_to_int_modular(struct fp_format f, uint64_t a, unsigned *flags);
/* Zfa: number 0 to 31 of the table of fli. */
uint64_t fp_constant(struct fp_format f, unsigned number);

#endif

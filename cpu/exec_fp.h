/* The words of floating-point rows on the host's FPU.
 *
 * A form that computes on the FPU leaves whatever it cannot answer, before it has written a
 * register, to the row's other form: `in_software` names that. */
#ifndef RIVULET_CPU_EXEC_FP_H
#define RIVULET_CPU_EXEC_FP_H

#include "cpu/exec.h"
#include "cpu/fp_host.h"

/* A single whose upper half is not all ones stands for the canonical NaN. */
static inline uint64_t unbox(uint64_t f)
{
    return f >> 32 == UINT32_MAX ? (uint32_t)f : fp_canonical_nan(FP32);
}

static inline uint64_t with_sign(struct fp_format f, uint64_t magnitude, uint64_t sign)
{
    uint64_t mask = 1ull << (f.frac_bits + f.exp_bits);
    return (magnitude & ~mask) | (sign & mask);
}

/* Integers in the order of the numbers, -0 below +0; neither operand is a NaN. */
static inline int32_t order32(uint64_t f)
{
    int32_t v = (int32_t)f;
    return v ^ (int32_t)((uint32_t)(v >> 31) >> 1);
}

static inline int64_t order64(uint64_t f)
{
    int64_t v = (int64_t)f;
    return v ^ (int64_t)((uint64_t)(v >> 63) >> 1);
}

/* By value, so that both registers are loaded and neither load waits for the comparison. */
static inline uint64_t chosen(uint64_t a, uint64_t b, bool first)
{
    return first ? a : b;
}

/* --- words: operands --------------------------------------------------------------------- */

#define S1 fp_as_f32(FRS1)
#define S2 fp_as_f32(FRS2)
#define S3 fp_as_f32(FRS3)
#define D1 fp_as_f64(FRS1)
#define D2 fp_as_f64(FRS2)
#define D3 fp_as_f64(FRS3)

/* Leaves unboxed singles to software; f: the operands' registers, ANDed. */
#define IS_BOXED(f) ((f) >= NAN_BOX(0))
#define BOXED(f)                                                                                   \
    if (UNLIKELY(!IS_BOXED(f)))                                                                    \
    TAIL(in_software)

/* --- words: on the host ------------------------------------------------------------------ */

#define WRITE_S(value) WRITE_FRD(NAN_BOX(fp_bits32(value)))
#define WRITE_D(value) WRITE_FRD(fp_bits64(value))

#define HOST_S(value)                                                                              \
    do {                                                                                           \
        float result_ = (value);                                                                   \
        if (UNLIKELY(__builtin_isunordered(result_, result_) || fp_host_doubt32(result_)))         \
            TAIL(in_software);                                                                     \
        WRITE_S(result_);                                                                          \
    } while (0)

#define HOST_D(value)                                                                              \
    do {                                                                                           \
        double result_ = (value);                                                                  \
        if (UNLIKELY(__builtin_isunordered(result_, result_) || fp_host_doubt64(result_)))         \
            TAIL(in_software);                                                                     \
        WRITE_D(result_);                                                                          \
    } while (0)

#define HOST_S1(value)                                                                             \
    BOXED(FRS1);                                                                                   \
    HOST_S(value)

#define HOST_S2(value)                                                                             \
    BOXED(FRS1 &FRS2);                                                                             \
    HOST_S(value)

#define HOST_FMA_S(a, b, c)                                                                        \
    if (UNLIKELY(!fp_host_has_fma()))                                                              \
        TAIL(in_software);                                                                         \
    BOXED(FRS1 &FRS2 &FRS3);                                                                       \
    HOST_S(fp_host_fma32(a, b, c))

#define HOST_FMA_D(a, b, c)                                                                        \
    if (UNLIKELY(!fp_host_has_fma()))                                                              \
        TAIL(in_software);                                                                         \
    HOST_D(fp_host_fma64(a, b, c))

#define HOST_SELECT_S(less_or_greater)                                                             \
    BOXED(FRS1 &FRS2);                                                                             \
    if (UNLIKELY(__builtin_isunordered(S1, S2)))                                                   \
        TAIL(in_software);                                                                         \
    WRITE_FRD(chosen(FRS1, FRS2, order32(FRS1) less_or_greater order32(FRS2)))

#define HOST_SELECT_D(less_or_greater)                                                             \
    if (UNLIKELY(__builtin_isunordered(D1, D2)))                                                   \
        TAIL(in_software);                                                                         \
    WRITE_FRD(chosen(FRS1, FRS2, order64(FRS1) less_or_greater order64(FRS2)))

/* An integer as its x register holds it. */
#define WRITE_INT(kind, value)                                                                     \
    do {                                                                                           \
        int64_t int_ = (value);                                                                    \
        WRITE_RD((kind) == FP_I32 || (kind) == FP_U32 ? (int32_t)int_ : int_);                     \
    } while (0)

#define HOST_TO_INT_S(kind)                                                                        \
    BOXED(FRS1);                                                                                   \
    if (UNLIKELY(!fp_host_fits32(S1, kind)))                                                       \
        TAIL(in_software);                                                                         \
    WRITE_INT(kind, fp_host_round32(S1))

#define HOST_TO_INT_D(kind)                                                                        \
    if (UNLIKELY(!fp_host_fits64(D1, kind)))                                                       \
        TAIL(in_software);                                                                         \
    WRITE_INT(kind, fp_host_round64(D1))

#endif

/* Handlers of the F, D, Zfh and Zfa extensions.
 *
 * An FR row has two forms. The host's computes on the FPU as fp_host.h prepared it;
 * it runs when the row's rounding mode is the hart's own. Whatever it cannot answer it leaves,
 * before it has written a register, to the other form: `in_software` names that, it takes any
 * rounding mode, from IMM. Nothing here reads fflags, so flags may be spread over h->fflags and the
 * host. */
#include "cpu/exec.h"
#include "cpu/fp_host.h"

/* A single whose upper half is not all ones stands for the canonical NaN. */
static inline uint64_t unbox(uint64_t f)
{
    return f >> 32 == UINT32_MAX ? (uint32_t)f : fp_canonical_nan(FP32);
}

static inline uint64_t unbox16(uint64_t f)
{
    return f >= NAN_BOX16(0) ? (uint16_t)f : fp_canonical_nan(FP16);
}

static inline uint64_t with_sign(struct fp_format f, uint64_t magnitude, uint64_t sign)
{
    uint64_t mask = 1ull << (f.frac_bits + f.exp_bits);
    return (magnitude & ~mask) | (sign & mask);
}

static inline uint64_t negated(struct fp_format f, uint64_t a)
{
    return with_sign(f, a, ~a);
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

#define RM (unsigned)op->imm

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

/* What is not worth a fast path, or has none: half precision, and most of Zfa. */
#define IN_SOFTWARE() TAIL(in_software)

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

/* --- words: in software
 * --------------------------------------------------------------------------- */

/* A statement that raises flags into flags_. */
#define RAISING(statement)                                                                         \
    do {                                                                                           \
        unsigned flags_ = 0;                                                                       \
        statement;                                                                                 \
        h->fflags |= (uint8_t)flags_;                                                              \
    } while (0)

#define SOFT_S(function, ...) RAISING(WRITE_FRD(NAN_BOX(function(FP32, __VA_ARGS__, RM, &flags_))))
#define SOFT_H(function, ...)                                                                      \
    RAISING(WRITE_FRD(NAN_BOX16(function(FP16, __VA_ARGS__, RM, &flags_))))
#define SOFT_D(function, ...) RAISING(WRITE_FRD(function(FP64, __VA_ARGS__, RM, &flags_)))
#define SOFT_SELECT_S(function)                                                                    \
    RAISING(WRITE_FRD(NAN_BOX(function(FP32, unbox(FRS1), unbox(FRS2), &flags_))))
#define SOFT_SELECT_H(function)                                                                    \
    RAISING(WRITE_FRD(NAN_BOX16(function(FP16, unbox16(FRS1), unbox16(FRS2), &flags_))))
#define SOFT_SELECT_D(function) RAISING(WRITE_FRD(function(FP64, FRS1, FRS2, &flags_)))
#define SOFT_COMPARE_S(function)                                                                   \
    RAISING(WRITE_RD(function(FP32, unbox(FRS1), unbox(FRS2), &flags_)))
#define SOFT_COMPARE_H(function)                                                                   \
    RAISING(WRITE_RD(function(FP16, unbox16(FRS1), unbox16(FRS2), &flags_)))
#define SOFT_COMPARE_D(function) RAISING(WRITE_RD(function(FP64, FRS1, FRS2, &flags_)))

#define SOFT_TO_INT_H(kind) RAISING(WRITE_RD(fp_to_int(FP16, unbox16(FRS1), kind, RM, &flags_)))

/* To an integer: C's casts round towards zero whatever frm says, and the host does that too, so the
 * form for any mode has a fast path for it. The rest is a handler apart, to spill nothing here. */
#define NOINLINE __attribute__((noinline))
#define SOFT_TO_INT(kind)                                                                          \
    static NOINLINE HANDLER(soft_to_##kind##_s)                                                    \
    {                                                                                              \
        RAISING(WRITE_RD(fp_to_int(FP32, unbox(FRS1), kind, RM, &flags_)));                        \
        NEXT;                                                                                      \
    }                                                                                              \
    static NOINLINE HANDLER(soft_to_##kind##_d)                                                    \
    {                                                                                              \
        RAISING(WRITE_RD(fp_to_int(FP64, FRS1, kind, RM, &flags_)));                               \
        NEXT;                                                                                      \
    }
SOFT_TO_INT(FP_I32)
SOFT_TO_INT(FP_U32)
SOFT_TO_INT(FP_I64)
SOFT_TO_INT(FP_U64)

#define ANY_TO_INT_S(kind)                                                                         \
    if (UNLIKELY(RM != FP_RTZ || !IS_BOXED(FRS1) || !fp_host_fits32(S1, kind)))                    \
        TAIL(soft_to_##kind##_s);                                                                  \
    WRITE_INT(kind, fp_host_trunc32(S1))

#define ANY_TO_INT_D(kind)                                                                         \
    if (UNLIKELY(RM != FP_RTZ || !fp_host_fits64(D1, kind)))                                       \
        TAIL(soft_to_##kind##_d);                                                                  \
    WRITE_INT(kind, fp_host_trunc64(D1))

/* --- the handlers
 * ---------------------------------------------------------------------------------- */

#define F(name, pattern, format, operands, semantics)                                              \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        semantics;                                                                                 \
        NEXT;                                                                                      \
    }
#define G F
#define FR(name, pattern, format, operands, host, soft)                                            \
    HANDLER(op_##name##_soft)                                                                      \
    {                                                                                              \
        soft;                                                                                      \
        NEXT;                                                                                      \
    }                                                                                              \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        handler *const in_software __attribute__((unused)) = op_##name##_soft;                     \
        host;                                                                                      \
        NEXT;                                                                                      \
    }
#include "cpu/isa/d.def"
#include "cpu/isa/f.def"
#include "cpu/isa/zfa.def"
#include "cpu/isa/zfh.def"

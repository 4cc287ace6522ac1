/* Handlers of the F, D, Zfh and Zfa extensions.
 *
 * An FR row has two forms. The host's computes on the FPU as fp_host.h prepared it;
 * it runs when the row's rounding mode is the hart's own. Whatever it cannot answer it leaves,
 * before it has written a register, to the other form: `in_software` names that, it takes any
 * rounding mode, from IMM. Nothing here reads fflags, so flags may be spread over h->fflags and the
 * host. */
#include "cpu/exec_fp.h"

static inline uint64_t unbox16(uint64_t f)
{
    return f >= NAN_BOX16(0) ? (uint16_t)f : fp_canonical_nan(FP16);
}

static inline uint64_t negated(struct fp_format f, uint64_t a)
{
    return with_sign(f, a, ~a);
}

#define RM (unsigned)op->imm

/* What is not worth a fast path, or has none: half precision, and most of Zfa. */
#define IN_SOFTWARE() TAIL(in_software)

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

/* The guest's floating point on the host's FPU.
 *
 * Between fp_host_enter and fp_host_leave the FPU rounds as the guest's frm says, and its sticky
 * flags are the guest's: h->fflags lacks them until fp_sync. No host code that depends on rounding
 * may run in between. A hart whose frm has no host mode (RMM, or a reserved value) leaves the FPU
 * at RNE: the decoder then lets only operations that never round run here.
 *
 * The operations below take what is plainly the same on both sides; a NaN result, an unboxed
 * operand, an integer out of range, and a result in doubt are done again by fp_soft, which raises
 * the same flags or more, so that the ones already raised do no harm.
 *
 * FP_HOST_HEADER, from the build, names the host's file. Files that compute with this one are
 * compiled with -frounding-math -ftrapping-math -ffp-contract=off, so that C's operators keep their
 * flags: == is quiet, < and <= signal. (clang 14 for AArch64 does not know these options; it says
 * so, and its < does not signal.) */
#ifndef RIVULET_CPU_FP_HOST_H
#define RIVULET_CPU_FP_HOST_H

#include "cpu/fp_soft.h"
#include FP_HOST_HEADER

struct hart;

/* Installs the guest's rounding mode, clears the host's flags and keeps the host's control word. */
void fp_host_enter(struct hart *h);
/* Merges the flags into h->fflags and gives the FPU back to the host. */
void fp_host_leave(struct hart *h);

/* Whether the host rounds by rm. */
static inline bool fp_host_rounds(unsigned rm)
{
    return FP_HOST_AVAILABLE && rm <= FP_RUP;
}

static inline float fp_as_f32(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static inline double fp_as_f64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t fp_bits32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t fp_bits64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Whether every number in range rounds, in any mode, to an integer of this kind that an int64_t
 * holds too. The upper bounds are the largest such numbers of the format; NaN is not in range. */
static inline bool fp_host_fits32(float a, enum fp_int kind)
{
    static const float least[] = {-0x1p31f, 0, -0x1p63f, 0};
    static const float most[] = {0x1.fffffep30f, 0x1.fffffep31f, 0x1.fffffep62f, 0x1.fffffep62f};
    return FP_HOST_AVAILABLE && a >= least[kind] && a <= most[kind];
}

static inline bool fp_host_fits64(double a, enum fp_int kind)
{
    static const double least[] = {-0x1p31, 0, -0x1p63, 0};
    static const double most[] = {0x1.fffffffcp30, 0x1.fffffffep31, 0x1.fffffffffffffp62,
                                  0x1.fffffffffffffp62};
    return FP_HOST_AVAILABLE && a >= least[kind] && a <= most[kind];
}

/* An unsigned 64-bit integer that is no int64_t is halved, its lost bit jammed: 64 bits to spare
 * keep the rounding right, and doubling is exact. */
static inline float fp_host_from_u64_32(uint64_t x)
{
    if (LIKELY((int64_t)x >= 0))
        return (float)(int64_t)x;
    float half = (float)(int64_t)(x >> 1 | (x & 1));
    return half + half;
}

static inline double fp_host_from_u64_64(uint64_t x)
{
    if (LIKELY((int64_t)x >= 0))
        return (double)(int64_t)x;
    double half = (double)(int64_t)(x >> 1 | (x & 1));
    return half + half;
}

#endif

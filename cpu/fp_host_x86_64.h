/* The host FPU of x86-64: SSE2 scalar arithmetic under MXCSR, and FMA3 where the processor has it.
 *
 * x86 agrees with RISC-V in all but three things: the order of the flag bits, what an invalid
 * conversion to an integer gives, and the flag of infinity * 0 + quiet NaN. It detects tininess
 * after rounding, as RISC-V does. Intel's manual volume 1, chapters 10.2.3 and 11.5. */
#ifndef RIVULET_CPU_FP_HOST_X86_64_H
#define RIVULET_CPU_FP_HOST_X86_64_H

#include "cpu/fp_soft.h"

#include <emmintrin.h>

enum { FP_HOST_AVAILABLE = 1 };

#define MXCSR_IE       (1u << 0)
#define MXCSR_DE       (1u << 1)
#define MXCSR_ZE       (1u << 2)
#define MXCSR_OE       (1u << 3)
#define MXCSR_UE       (1u << 4)
#define MXCSR_PE       (1u << 5)
#define MXCSR_MASK_ALL (0x3fu << 7) /* no traps; FTZ and DAZ off */
#define MXCSR_RC_SHIFT 13

static inline uint32_t fp_host_control(void)
{
    uint32_t control;
    __asm__ volatile("stmxcsr %0" : "=m"(control)::"memory");
    return control;
}

static inline void fp_host_set_control(uint32_t control)
{
    __asm__ volatile("ldmxcsr %0" ::"m"(control) : "memory");
}

/* Rounds by rm, a mode that the host has, with all flags clear. */
static inline void fp_host_install(unsigned rm)
{
    static const uint8_t rc[4] = {[FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 1, [FP_RUP] = 2};
    fp_host_set_control(MXCSR_MASK_ALL | (uint32_t)rc[rm] << MXCSR_RC_SHIFT);
}

/* The flags since fp_host_install, as fflags. */
static inline unsigned fp_host_flags(void)
{
    uint32_t c = fp_host_control();
    return (c & MXCSR_PE ? FP_NX : 0) | (c & MXCSR_UE ? FP_UF : 0) | (c & MXCSR_OE ? FP_OF : 0) |
           (c & MXCSR_ZE ? FP_DZ : 0) | (c & MXCSR_IE ? FP_NV : 0);
}

static inline bool fp_host_has_fma(void)
{
    return __builtin_cpu_supports("fma");
}

/* The host's underflow flag is right for every result. */
static inline bool fp_host_doubt32(float r)
{
    (void)r;
    return false;
}

static inline bool fp_host_doubt64(double r)
{
    (void)r;
    return false;
}

static inline float fp_host_sqrt32(float a)
{
    __asm__ volatile("sqrtss %0, %0" : "+x"(a));
    return a;
}

static inline double fp_host_sqrt64(double a)
{
    __asm__ volatile("sqrtsd %0, %0" : "+x"(a));
    return a;
}

/* a * b + c; by assembler, so that the rest of the file needs no newer processor. */
static inline float fp_host_fma32(float a, float b, float c)
{
    __asm__ volatile("vfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}

static inline double fp_host_fma64(double a, double b, double c)
{
    __asm__ volatile("vfmadd213sd %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}

/* To a signed integer, by the installed mode and towards zero. Out of range gives INT64_MIN or
 * INT32_MIN, and NV. */
static inline int64_t fp_host_round64(double a)
{
    return _mm_cvtsd_si64(_mm_set_sd(a));
}

static inline int64_t fp_host_trunc64(double a)
{
    return _mm_cvttsd_si64(_mm_set_sd(a));
}

static inline int64_t fp_host_round32(float a)
{
    return _mm_cvtss_si64(_mm_set_ss(a));
}

static inline int64_t fp_host_trunc32(float a)
{
    return _mm_cvttss_si64(_mm_set_ss(a));
}

#endif

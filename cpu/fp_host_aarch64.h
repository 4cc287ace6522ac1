/* The host FPU of AArch64: FPCR gives the rounding mode, FPSR collects the flags.
 *
 * AArch64 detects tininess before rounding, RISC-V after it: the two differ where a result that is
 * tiny before rounding becomes the least normal number, which only a multiplication, division,
 * fused operation or narrowing can do (a sum of two numbers is exact there). fp_host_doubt* spots a
 * result that raised underflow, takes the flag back, and the operation is done again in software:
 * so FPSR.UFC is clear before every operation, and what it holds after one belongs to that one.
 * Arm ARM, sections "Floating-point exceptions" and FPCR, FPSR. */
#ifndef RIVULET_CPU_FP_HOST_AARCH64_H
#define RIVULET_CPU_FP_HOST_AARCH64_H

enum { FP_HOST_AVAILABLE = 1 };

#define FPSR_IOC         (1u << 0)
#define FPSR_DZC         (1u << 1)
#define FPSR_OFC         (1u << 2)
#define FPSR_UFC         (1u << 3)
#define FPSR_IXC         (1u << 4)
#define FPCR_RMODE_SHIFT 22

static inline uint64_t fp_host_status(void)
{
    uint64_t status;
    __asm__ volatile("mrs %0, fpsr" : "=r"(status)::"memory");
    return status;
}

static inline void fp_host_set_status(uint64_t status)
{
    __asm__ volatile("msr fpsr, %0" ::"r"(status) : "memory");
}

static inline uint32_t fp_host_control(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control)::"memory");
    return (uint32_t)control;
}

/* Clears the flags too: those of the guest must not stay, and nobody needs the host's. */
static inline void fp_host_set_control(uint32_t control)
{
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)control) : "memory");
    fp_host_set_status(0);
}

/* Rounds by rm, a mode that the host has, with all flags clear; no traps, no flushing to zero. */
static inline void fp_host_install(unsigned rm)
{
    static const uint8_t rmode[4] = {[FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 2, [FP_RUP] = 1};
    fp_host_set_control((uint32_t)rmode[rm] << FPCR_RMODE_SHIFT);
}

/* The flags since fp_host_install, as fflags. */
static inline unsigned fp_host_flags(void)
{
    uint64_t s = fp_host_status();
    return (s & FPSR_IXC ? FP_NX : 0) | (s & FPSR_UFC ? FP_UF : 0) | (s & FPSR_OFC ? FP_OF : 0) |
           (s & FPSR_DZC ? FP_DZ : 0) | (s & FPSR_IOC ? FP_NV : 0);
}

static inline bool fp_host_has_fma(void)
{
    return true;
}

/* Whether the operation that gave a tiny result raised underflow; takes the flag back. */
static inline bool fp_host_take_underflow(void)
{
    uint64_t status = fp_host_status();
    if (!(status & FPSR_UFC))
        return false;
    fp_host_set_status(status & ~(uint64_t)FPSR_UFC);
    return true;
}

static inline bool fp_host_doubt32(float r)
{
    return UNLIKELY(__builtin_islessequal(__builtin_fabsf(r), 0x1p-126f)) &&
           fp_host_take_underflow();
}

static inline bool fp_host_doubt64(double r)
{
    return UNLIKELY(__builtin_islessequal(__builtin_fabs(r), 0x1p-1022)) &&
           fp_host_take_underflow();
}

static inline float fp_host_sqrt32(float a)
{
    __asm__ volatile("fsqrt %s0, %s1" : "=w"(a) : "w"(a));
    return a;
}

static inline double fp_host_sqrt64(double a)
{
    __asm__ volatile("fsqrt %d0, %d1" : "=w"(a) : "w"(a));
    return a;
}

/* a * b + c. */
static inline float fp_host_fma32(float a, float b, float c)
{
    __asm__ volatile("fmadd %s0, %s1, %s2, %s3" : "=w"(a) : "w"(a), "w"(b), "w"(c));
    return a;
}

static inline double fp_host_fma64(double a, double b, double c)
{
    __asm__ volatile("fmadd %d0, %d1, %d2, %d3" : "=w"(a) : "w"(a), "w"(b), "w"(c));
    return a;
}

/* To a signed integer, by the installed mode (frintx rounds and raises inexact) and towards zero;
 * the operand is in range. */
static inline int64_t fp_host_round64(double a)
{
    int64_t i;
    __asm__ volatile("frintx %d1, %d1\n\tfcvtzs %0, %d1" : "=r"(i), "+w"(a));
    return i;
}

static inline int64_t fp_host_trunc64(double a)
{
    int64_t i;
    __asm__ volatile("fcvtzs %0, %d1" : "=r"(i) : "w"(a));
    return i;
}

static inline int64_t fp_host_round32(float a)
{
    int64_t i;
    __asm__ volatile("frintx %s1, %s1\n\tfcvtzs %0, %s1" : "=r"(i), "+w"(a));
    return i;
}

static inline int64_t fp_host_trunc32(float a)
{
    int64_t i;
    __asm__ volatile("fcvtzs %0, %s1" : "=r"(i) : "w"(a));
    return i;
}

#endif

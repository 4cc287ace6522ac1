/* A host whose FPU cannot stand in for the guest's: it has no flags or no rounding modes.
 * The decoder then chooses software for every operation, and nothing here is ever run. */
#ifndef RIVULET_CPU_FP_HOST_NONE_H
#define RIVULET_CPU_FP_HOST_NONE_H

enum { FP_HOST_AVAILABLE = 0 };

#define fp_host_control()      0u
#define fp_host_set_control(c) ((void)(c))
#define fp_host_install(rm)    ((void)(rm))
#define fp_host_flags()        0u
#define fp_host_has_fma()      false
#define fp_host_doubt32(r)     ((void)(r), true)
#define fp_host_doubt64(r)     ((void)(r), true)
#define fp_host_sqrt32(a)      (a)
#define fp_host_sqrt64(a)      (a)
#define fp_host_fma32(a, b, c) ((a) * (b) + (c))
#define fp_host_fma64(a, b, c) ((a) * (b) + (c))
#define fp_host_round64(a)     ((int64_t)(a))
#define fp_host_trunc64(a)     ((int64_t)(a))
#define fp_host_round32(a)     ((int64_t)(a))
#define fp_host_trunc32(a)     ((int64_t)(a))

#endif

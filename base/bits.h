/* Bit fields, sign extension and the few arithmetic helpers every folder needs. */
#ifndef RIVULET_BASE_BITS_H
#define RIVULET_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x)                       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)                     __builtin_expect(!!(x), 0)
#define MUST_CHECK                      __attribute__((warn_unused_result))
#define NOINLINE                        __attribute__((noinline))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "guest memory is read with host loads: the host must be little-endian");

/* The field of `width` bits (1 to 64) whose lowest bit is `lo`. */
static inline uint64_t bits_get(uint64_t v, unsigned lo, unsigned width)
{
    return (v >> lo) & (~0ull >> (64 - width));
}

/* The low `width` bits of v (1 to 64), sign-extended to 64. */
static inline int64_t sign_extend(uint64_t v, unsigned width)
{
    return (int64_t)(v << (64 - width)) >> (64 - width);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline bool is_power_of_two(uint64_t v)
{
    return v && !(v & (v - 1));
}

/* v rounded up to a multiple of align, a power of two; wraps at 2^64. */
static inline uint64_t align_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

#endif

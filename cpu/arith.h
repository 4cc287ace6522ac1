/* Integer operations that do not fit a table line. */
#ifndef RIVULET_CPU_ARITH_H
#define RIVULET_CPU_ARITH_H

#include <stdint.h>

static inline uint64_t mulhu64(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b >> 64);
}

static inline uint64_t mulh64(uint64_t a, uint64_t b)
{
    return (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64);
}

static inline uint64_t mulhsu64(uint64_t a, uint64_t b)
{
    return (uint64_t)((__int128)(int64_t)a * b >> 64);
}

/* Division never traps: by zero it gives all ones and the dividend, on overflow the dividend and 0
 * (chapter "M", table "Semantics for division by zero and division overflow"). */
static inline uint64_t div64(uint64_t a, uint64_t b)
{
    if (b == 0)
        return ~0ull;
    if (b == ~0ull)
        return 0 - a;
    return (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t divu64(uint64_t a, uint64_t b)
{
    return b ? a / b : ~0ull;
}

static inline uint64_t rem64(uint64_t a, uint64_t b)
{
    if (b == 0)
        return a;
    return b == ~0ull ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static inline uint64_t remu64(uint64_t a, uint64_t b)
{
    return b ? a % b : a;
}

static inline uint32_t div32(uint64_t a, uint64_t b)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    if (y == 0)
        return ~0u;
    return y == -1 ? 0u - (uint32_t)x : (uint32_t)(x / y);
}

static inline uint32_t divu32(uint64_t a, uint64_t b)
{
    return (uint32_t)b ? (uint32_t)a / (uint32_t)b : ~0u;
}

static inline uint32_t rem32(uint64_t a, uint64_t b)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    if (y == 0)
        return (uint32_t)x;
    return y == -1 ? 0 : (uint32_t)(x % y);
}

static inline uint32_t remu32(uint64_t a, uint64_t b)
{
    return (uint32_t)b ? (uint32_t)a % (uint32_t)b : (uint32_t)a;
}

static inline uint64_t rotate_left64(uint64_t v, uint64_t n)
{
    return v << (n & 63) | v >> (-n & 63);
}

static inline uint64_t rotate_right64(uint64_t v, uint64_t n)
{
    return v >> (n & 63) | v << (-n & 63);
}

static inline uint32_t rotate_left32(uint64_t v, uint64_t n)
{
    return (uint32_t)v << (n & 31) | (uint32_t)v >> (-n & 31);
}

static inline uint32_t rotate_right32(uint64_t v, uint64_t n)
{
    return (uint32_t)v >> (n & 31) | (uint32_t)v << (-n & 31);
}

/* orc.b: each byte that is not zero becomes 0xff. */
static inline uint64_t or_combine_bytes(uint64_t v)
{
    v |= v >> 4 & 0x0f0f0f0f0f0f0f0f;
    v |= v >> 2 & 0x0303030303030303;
    v |= v >> 1 & 0x0101010101010101;
    return (v & 0x0101010101010101) * 0xff;
}

/* brev8. */
static inline uint64_t reverse_bits_of_bytes(uint64_t v)
{
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    return (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
}

/* xperm8, xperm4: each byte (nibble) of `places` becomes the one of `table` that it names, or 0. */
static inline uint64_t permute_bytes(uint64_t table, uint64_t places)
{
    uint64_t result = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t place = places >> i & 0xff;
        if (place < 8)
            result |= (table >> place * 8 & 0xff) << i;
    }
    return result;
}

static inline uint64_t permute_nibbles(uint64_t table, uint64_t places)
{
    uint64_t result = 0;
    for (unsigned i = 0; i < 64; i += 4)
        result |= (table >> (places >> i & 15) * 4 & 15) << i;
    return result;
}

/* Carry-less product, low half; bits 63 up, which is clmulr. */
static inline uint64_t clmul_low(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (; b; b &= b - 1)
        product ^= a << __builtin_ctzll(b);
    return product;
}

static inline uint64_t clmul_reversed(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (; b; b &= b - 1)
        product ^= a >> (63 - __builtin_ctzll(b));
    return product;
}

#endif

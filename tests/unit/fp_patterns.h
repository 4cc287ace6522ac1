/* Operands for the floating-point tests: the corners of both formats, and random ones that meet
 * them often. Deterministic: a generator's state is the test's own. */
#ifndef RIVULET_TESTS_FP_PATTERNS_H
#define RIVULET_TESTS_FP_PATTERNS_H

#include "base/bits.h"

static const uint64_t f64_corners[] = {
    0x0000000000000000, 0x0000000000000001, 0x0000000000000002, 0x0008000000000000,
    0x000ffffffffffffe, 0x000fffffffffffff, 0x0010000000000000, 0x0010000000000001,
    0x001fffffffffffff, 0x0020000000000000, 0x1e5fffffffffffff, 0x1ff0000000000000,
    0x3c90000000000000, 0x3ca0000000000001, 0x3fdfffffffffffff, 0x3fe0000000000000,
    0x3fe0000000000001, 0x3fefffffffffffff, 0x3ff0000000000000, 0x3ff0000000000001,
    0x3ff8000000000000, 0x4000000000000000, 0x4004000000000000, 0x4008000000000000,
    0x3690000000000000, 0x36a0000000000000, 0x380fffffe0000000, 0x380fffffefffffff,
    0x380ffffff0000000, 0x3810000000000000, 0x47efffffe0000000, 0x47efffffefffffff,
    0x47effffff0000000, 0x47f0000000000000, 0x41dfffffffc00000, 0x41dfffffffe00000,
    0x41e0000000000000, 0x41efffffffe00000, 0x41effffffff00000, 0x41f0000000000000,
    0x4330000000000001, 0x4340000000000001, 0x43dfffffffffffff, 0x43e0000000000000,
    0x43efffffffffffff, 0x43f0000000000000, 0x7fe0000000000000, 0x7fefffffffffffff,
    0x7ff0000000000000, 0x7ff0000000000001, 0x7ff7ffffffffffff, 0x7ff8000000000000,
    0x7ffdeadbeef00001,
};

static const uint32_t f32_corners[] = {
    0x00000000, 0x00000001, 0x00000002, 0x00400000, 0x007ffffe, 0x007fffff, 0x00800000, 0x00800001,
    0x00ffffff, 0x1fffffff, 0x20000000, 0x33000000, 0x33800001, 0x3effffff, 0x3f000000, 0x3f000001,
    0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000, 0x40200000, 0x40400000, 0x4affffff,
    0x4b800001, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0x5f7fffff,
    0x5f800000, 0x7f000000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fedcba9,
};

/* xorshift64*. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

/* A corner of either sign, a number near 1 with few bits, a number of any size. */
static inline uint64_t random_f64(uint64_t *state)
{
    uint64_t r = random_next(state), choice = r & 7;
    if (choice < 2)
        return f64_corners[(r >> 8) % ARRAY_LEN(f64_corners)] ^ (r & 1ull << 63);
    if (choice < 4)
        return (0x3fcull + ((r >> 8) & 7)) << 52 | (r & 0x800f000000000007);
    if (choice == 4)
        return (r & 0x801fffffffffffff) | 0x3fe0000000000000;
    return random_next(state);
}

static inline uint32_t random_f32(uint64_t *state)
{
    uint64_t r = random_next(state), choice = r & 7;
    if (choice < 2)
        return f32_corners[(r >> 8) % ARRAY_LEN(f32_corners)] ^ (uint32_t)(r >> 32 & 0x80000000);
    if (choice < 4)
        return (0x7cu + ((r >> 8) & 7)) << 23 | (uint32_t)(r >> 32 & 0x80700007);
    if (choice == 4)
        return (uint32_t)(r >> 32 & 0x80ffffff) | 0x3f000000;
    return (uint32_t)random_next(state);
}

#endif

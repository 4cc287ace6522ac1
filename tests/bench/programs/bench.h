/* What the programs of the bench share: each does fixed work and checks its own result. */
#ifndef RIVULET_TESTS_BENCH_BENCH_H
#define RIVULET_TESTS_BENCH_BENCH_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The line that the bench compares, and the program's exit status. */
static inline int bench_result(const char *name, uint64_t result, uint64_t expected)
{
    printf("%s: result %016" PRIx64 "\n", name, result);
    if (result == expected)
        return 0;
    printf("%s: wrong, %016" PRIx64 " is right\n", name, expected);
    return 1;
}

static inline void *bench_allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory) {
        printf("no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memory;
}

/* xorshift64. */
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    return *state = x ^ x << 17;
}

static inline uint64_t bench_mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x100000001b3ull;
}

#endif

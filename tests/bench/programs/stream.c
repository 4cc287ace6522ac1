/* Streams: copies and sums over 16 MiB arrays, by words in our own loops and by memcpy. */
#include "bench.h"

#include <string.h>

#define WORDS  (2u << 20)
#define ROUNDS 8u

static void copy(uint64_t *restrict to, const uint64_t *restrict from)
{
    for (uint32_t i = 0; i < WORDS; i++)
        to[i] = from[i] + 1;
}

static void add(uint64_t *restrict to, const uint64_t *restrict a, const uint64_t *restrict b)
{
    for (uint32_t i = 0; i < WORDS; i++)
        to[i] = a[i] + 3 * b[i];
}

int main(void)
{
    uint64_t *a = bench_allocate(WORDS * sizeof *a), *b = bench_allocate(WORDS * sizeof *b);
    uint64_t *c = bench_allocate(WORDS * sizeof *c);
    for (uint32_t i = 0; i < WORDS; i++) {
        a[i] = i;
        c[i] = 0;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        copy(b, a);
        add(c, a, b);
        memcpy(a, c, WORDS * sizeof *a);
    }
    uint64_t hash = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        hash = hash * 5 + a[i];
    free(a);
    free(b);
    free(c);
    return bench_result("stream", hash, 0x36cb753ecc200000);
}

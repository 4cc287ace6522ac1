/* Integer loops: a sieve, Collatz sequences, greatest common divisors, multiplications. */
#include "bench.h"

#define SIEVE_SIZE   1000000u
#define COLLATZ_LAST 500000u
#define GCD_PAIRS    600000u

static uint64_t count_primes(void)
{
    uint8_t *composite = calloc(SIEVE_SIZE, 1);
    if (!composite)
        exit(1);
    uint64_t count = 0;
    for (uint32_t i = 2; i < SIEVE_SIZE; i++) {
        if (composite[i])
            continue;
        count++;
        for (uint64_t j = (uint64_t)i * i; j < SIEVE_SIZE; j += i)
            composite[j] = 1;
    }
    free(composite);
    return count;
}

static uint64_t longest_collatz(void)
{
    uint64_t best = 0, steps_of_best = 0;
    for (uint64_t start = 1; start < COLLATZ_LAST; start++) {
        uint64_t n = start, steps = 0;
        while (n != 1) {
            n = n & 1 ? 3 * n + 1 : n / 2;
            steps++;
        }
        if (steps > steps_of_best) {
            steps_of_best = steps;
            best = start;
        }
    }
    return best << 16 | steps_of_best;
}

static uint64_t sum_of_gcds(void)
{
    uint64_t state = 88172645463325252ull, sum = 0;
    for (uint32_t i = 0; i < GCD_PAIRS; i++) {
        uint64_t a = bench_random(&state) >> 24, b = bench_random(&state) >> 24 | 1;
        while (b) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        sum += a;
    }
    return sum;
}

static uint64_t powers(void)
{
    uint64_t hash = 0;
    for (uint64_t base = 3; base < 40003; base += 2) {
        uint64_t power = 1, square = base;
        for (unsigned exponent = 65537; exponent; exponent >>= 1) {
            if (exponent & 1)
                power *= square;
            square *= square;
        }
        hash = bench_mix(hash, power);
    }
    return hash;
}

int main(void)
{
    uint64_t hash = bench_mix(0, count_primes());
    hash = bench_mix(hash, longest_collatz());
    hash = bench_mix(hash, sum_of_gcds());
    return bench_result("loops", bench_mix(hash, powers()), 0xedb4d14280ffe020);
}

/* Atomic operations: additions, exchanges, a spin lock, compare-and-swap loops (lr, sc). */
#include "bench.h"

#define ROUNDS 6000000u

int main(void)
{
    static uint64_t counter, maximum;
    static uint32_t bits, lock;
    uint64_t state = 7, sum = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        sum += __atomic_fetch_add(&counter, i, __ATOMIC_SEQ_CST);
        __atomic_fetch_xor(&bits, i, __ATOMIC_RELAXED);
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            continue;
        uint64_t value = bench_random(&state) >> 20, old = maximum;
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
        while (old < value && !__atomic_compare_exchange_n(&maximum, &old, value, 0,
                                                           __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            continue;
        old = counter;
        __atomic_compare_exchange_n(&counter, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
    uint64_t hash = bench_mix(bench_mix(bench_mix(0, sum), counter), maximum);
    return bench_result("atomics", bench_mix(hash, bits), 0x300dc32743659830);
}

/* Recursive calls: Fibonacci, Ackermann, Takeuchi. */
#include "bench.h"

/* Kept as calls: the compiler would turn much of the recursion into loops. */
#define CALL __attribute__((noinline, noipa))

static CALL uint64_t fibonacci(uint64_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static CALL uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static CALL int64_t takeuchi(int64_t x, int64_t y, int64_t z)
{
    if (y >= x)
        return z;
    return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

int main(void)
{
    uint64_t hash = bench_mix(0, fibonacci(35));
    hash = bench_mix(hash, ackermann(3, 8));
    return bench_result("calls", bench_mix(hash, (uint64_t)takeuchi(22, 13, 6)),
                        0x2fcef4cc0cce78fd);
}

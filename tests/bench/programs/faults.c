/* Page faults: memory is mapped, touched page by page, write-protected, made writable and unmapped.
 */
#include "bench.h"

#include <sys/mman.h>
#include <unistd.h>

#define PAGES      2048u
#define PAGE_BYTES 4096u
#define ROUNDS     20u

static uint64_t touch(uint8_t *memory, uint64_t sum)
{
    for (uint32_t i = 0; i < PAGES; i++)
        sum += ++memory[(size_t)i * PAGE_BYTES + i % PAGE_BYTES];
    return sum;
}

int main(void)
{
    uint64_t sum = 0;
    const size_t bytes = (size_t)PAGES * PAGE_BYTES;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint8_t *memory =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) < -1)
            return 1;
        sum = touch(memory, sum);
        if (mprotect(memory, bytes, PROT_READ) || mprotect(memory, bytes, PROT_READ | PROT_WRITE))
            return 1;
        sum = touch(memory, sum);
        if (munmap(memory, bytes))
            return 1;
    }
    return bench_result("faults", sum, (uint64_t)ROUNDS * PAGES * 3);
}

/* System calls that do next to nothing, and some that copy a little. */
#include "bench.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 400000u
#define READS 100000u

int main(void)
{
    uint64_t same = 0, bytes = 0;
    const long parent = syscall(SYS_getppid);
    for (uint32_t i = 0; i < CALLS; i++)
        same += syscall(SYS_getppid) == parent;
    char buffer[64];
    int null = open("/dev/null", O_RDWR);
    for (uint32_t i = 0; i < READS; i++)
        bytes += (uint64_t)write(null, buffer, sizeof buffer) + (uint64_t)read(null, buffer, 1);
    return bench_result("syscalls", same << 32 | bytes, (uint64_t)CALLS << 32 | READS * 64ull);
}

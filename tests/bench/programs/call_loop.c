/* A call many times: call_loop.c getppid|write COUNT. For tests/bench/exec. */
#include <stdlib.h>
#include <unistd.h>

#include <fcntl.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
    long count = argc > 2 ? atol(argv[2]) : 0;
    int fd = open("/dev/null", O_WRONLY);
    if (argc < 2 || fd < 0)
        return 2;
    for (long i = 0; i < count; i++)
        if (argv[1][0] == 'w' ? write(fd, "x", 1) != 1 : syscall(SYS_getppid) < 0)
            return 1;
    return 0;
}

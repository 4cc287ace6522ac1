/* Ping-pong: two processes send a counter to and fro through pipes, with a switch at each turn. */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

#define TURNS 10000u

static void receive(int fd, uint64_t *value)
{
    if (read(fd, value, sizeof *value) != sizeof *value)
        exit(1);
}

static void send(int fd, uint64_t value)
{
    if (write(fd, &value, sizeof value) != sizeof value)
        exit(1);
}

int main(void)
{
    int there[2], back[2];
    if (pipe(there) || pipe(back))
        return 1;
    uint64_t value = 0;
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        for (uint32_t i = 0; i < TURNS; i++) {
            receive(there[0], &value);
            send(back[1], value * 3 + 1);
        }
        _exit(0);
    }
    for (uint32_t i = 0; i < TURNS; i++) {
        send(there[1], value);
        receive(back[0], &value);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        return 1;
    return bench_result("pipes", value, 0x856bdb33568a81a0);
}

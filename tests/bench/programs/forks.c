/* Processes: fork, exec of /bin/true, wait. */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 200u

int main(void)
{
    uint64_t good = 0;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(127);
        }
        int status;
        good += child > 0 && waitpid(child, &status, 0) == child && status == 0;
    }
    return bench_result("forks", good, PROCESSES);
}

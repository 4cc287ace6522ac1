/* Runs a program and tells what it took: measure FILE PROGRAM [ARGUMENT...] writes the microseconds
 * of the processor and the most KiB of memory into FILE. (A large process that starts one by itself
 * is told of its own memory, which the child has for a moment.) */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long microseconds(const struct timeval *t)
{
    return t->tv_sec * 1000000L + t->tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3)
        return 2;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    FILE *file = fopen(argv[1], "w");
    if (!file || child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    fprintf(file, "%ld %ld\n", microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime),
            usage.ru_maxrss);
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

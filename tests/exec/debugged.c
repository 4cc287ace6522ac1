/* What a debugger is tried on; its first argument says how it goes on and ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int watched, got;

static void on_usr1(int number)
{
    got = number;
}

int inner(int a)
{
    watched = a;
    return a * 2;
}

int outer(int a)
{
    return inner(a + 1) + 1;
}

static int in_child(void)
{
    int status;
    fflush(stdout);
    if (fork() == 0)
        _exit(outer(2));
    wait(&status);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += outer(i);
    printf("sum %d\n", sum);
    signal(SIGUSR1, on_usr1);
    if (!strcmp(how, "signal"))
        raise(SIGUSR1);
    if (!strcmp(how, "fork"))
        got = in_child();
    printf("got %d\n", got);
    fflush(stdout);
    if (!strcmp(how, "exec"))
        execl(argv[0], argv[0], "again", NULL);
    if (!strcmp(how, "segv"))
        *(volatile int *)0x10 = 1;
    if (!strcmp(how, "wait"))
        pause();
    if (!strcmp(how, "spin"))
        while (!got)
            continue;
    return 5;
}

/* Processes, limits, identities, and waiting for them. argv[0] runs itself again. */
#include "show.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static void children(void)
{
    int status, ends[2];
    char text[16] = "";
    siginfo_t info;
    pid_t child = fork();
    if (child == 0)
        _exit(42);
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(WEXITSTATUS(status));
    SHOW(waitpid(child, &status, 0));
    if ((child = fork()) == 0)
        _exit(3);
    SHOW(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    SHOW(info.si_status);
    SHOW(info.si_code == CLD_EXITED);
    struct rusage usage;
    SHOW(wait4(-1, &status, WNOHANG, &usage) == child);
    SHOW(wait4(-1, &status, WNOHANG, NULL));
    WORKS(pipe(ends));
    fflush(stdout);
    if ((child = fork()) == 0) {
        SHOW(setpgid(0, 0));
        raise(SIGSTOP);
        _exit((int)write(ends[1], "on", 2));
    }
    SHOW(waitpid(child, &status, WUNTRACED) == child);
    SHOW(WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    SHOW(kill(child, SIGCONT));
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(WEXITSTATUS(status));
    SHOW(read(ends[0], text, 16));
    static volatile char stored[20000];
    pid_t quick = vfork();
    if (quick == 0) { /* in the parent's memory */
        stored[0] = stored[10000] = 6;
        pread(open("/proc/self/exe", O_RDONLY), (char *)stored + 15000, 3, 1);
        _exit(5);
    }
    printf("vfork's child stored %d %d %.3s\n", stored[0], stored[10000], stored + 15000);
    SHOW(waitpid(quick, &status, 0) == quick);
    SHOW(WEXITSTATUS(status));
}

static void programs(const char *self)
{
    int status, inherited = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_CLOEXEC);
    char first[16], second[16];
    pid_t child;
    snprintf(first, sizeof first, "%d", inherited);
    snprintf(second, sizeof second, "%d", closed);
    char *args[] = {"renamed", "child", first, second, "a b", "", NULL};
    char *environment[] = {"ONLY=this", NULL};
    signal(SIGUSR1, SIG_IGN);
    fflush(stdout);
    if (fork() == 0) {
        execve(self, args, environment);
        _exit(127);
    }
    wait(&status);
    SHOW(WEXITSTATUS(status));
    args[0] = "spawned";
    int error = posix_spawn(&child, self, NULL, NULL, args, environ);
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(error);
    SHOW(posix_spawn(&child, "/nothing/at/all", NULL, NULL, args, environ)); /* the child tells */
    SHOW(posix_spawn(&child, "/dev/null", NULL, NULL, args, environ));
    SHOW(WEXITSTATUS(status));
    SHOW(execve("/nothing/at/all", args, environment));
    SHOW(execve("/", args, environment));
    SHOW(execve("/dev/null", args, environment));
    SHOW(execve((char *)8, args, environment));
    SHOW(execve(self, (char **)8, environment));
    int text = open("text", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
    SHOW(write(text, "no program\n", 11));
    SHOW(close(text));
    SHOW(execve("text", args, environment));
    text = open("script", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
    dprintf(text, "#! %s  script argument \n", self);
    SHOW(close(text));
    fflush(stdout);
    if (fork() == 0) {
        execv("./script", args);
        _exit(127);
    }
    wait(&status);
    SHOW(WEXITSTATUS(status));
}

/* What a program finds that was executed. */
static int be_child(int argc, char **argv)
{
    char link[4096];
    ssize_t n = readlink("/proc/self/exe", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    char *name = strrchr(link, '/');
    for (int i = 0; i < argc; i++)
        printf("argument %d: %s\n", i, i ? argv[i] : strrchr(argv[i], '/') ? "path" : argv[i]);
    printf("ONLY is %s, runs as %s\n", getenv("ONLY") ? getenv("ONLY") : "not there",
           name ? name + 1 : "?");
    if (argc > 3) {
        SHOW(fcntl(atoi(argv[2]), F_GETFD));
        SHOW(fcntl(atoi(argv[3]), F_GETFD));
    }
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    SHOW(now.sa_handler == SIG_IGN);
    return 17;
}

static void limits(void)
{
    struct rlimit limit;
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 100;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    SHOW(limit.rlim_cur);
    SHOW(dup2(0, 100));
    limit = (struct rlimit){16ul << 20, RLIM_INFINITY};
    SHOW(setrlimit(RLIMIT_STACK, &limit));
    SHOW(getrlimit(RLIMIT_STACK, &limit));
    SHOW(limit.rlim_cur);
    SHOW(getrlimit(99, &limit));
    limit = (struct rlimit){2, 1};
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(nice(3));
}

static void identities(void)
{
    char name[32] = "";
    SHOW(getpid() == syscall(SYS_gettid));
    SHOW(getpgid(0) == getpgrp());
    SHOW(getuid() == geteuid());
    SHOW(getsid(0) > 0);
    SHOW(prctl(PR_SET_NAME, "a name that is too long"));
    SHOW(prctl(PR_GET_NAME, name));
    printf("%s\n", name);
    SHOW(prctl(12345));
    SHOW(sched_yield());
    SHOW(getppid() > 0);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && (!strcmp(argv[1], "child") || !strcmp(argv[1], "script argument")))
        return be_child(argc, argv);
    children();
    programs("/proc/self/exe");
    limits();
    identities();
    return 0;
}

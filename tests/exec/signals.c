/* Signals: handlers, masks, frames, restarts, waiting. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile int count, last_number, last_code, last_value, on_other_stack, blocked_inside;
static char other_stack[65536];

static void handler(int number, siginfo_t *info, void *context)
{
    char local;
    sigset_t now;
    (void)context;
    count++;
    last_number = number;
    last_code = info->si_code;
    last_value = info->si_value.sival_int;
    on_other_stack = &local >= other_stack && &local < other_stack + sizeof other_stack;
    sigprocmask(SIG_SETMASK, NULL, &now);
    blocked_inside = sigismember(&now, number) * 2 + sigismember(&now, SIGUSR2);
}

static void set_handler(int number, int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    sigaddset(&action.sa_mask, SIGUSR2);
    SHOW(sigaction(number, &action, NULL));
}

static void show_last(const char *what)
{
    printf("%s: count %d, number %d, code %d, value %d, other stack %d, blocked %d\n", what, count,
           last_number, last_code, last_value, on_other_stack, blocked_inside);
    count = last_number = last_code = last_value = 0;
}

static void deliveries(void)
{
    sigset_t set, old;
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    set_handler(SIGUSR1, 0);
    SHOW(raise(SIGUSR1));
    show_last("raised");
    SHOW(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77}));
    show_last("queued");
    SHOW(sigaltstack(&stack, NULL));
    set_handler(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    show_last("on the other stack");
    set_handler(SIGUSR1, SA_NODEFER | SA_RESETHAND);
    raise(SIGUSR1);
    show_last("once");
    struct sigaction now;
    SHOW(sigaction(SIGUSR1, NULL, &now));
    SHOW(now.sa_handler == SIG_DFL);
    set_handler(SIGUSR1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    SHOW(sigprocmask(SIG_BLOCK, &set, &old));
    raise(SIGUSR1);
    raise(SIGUSR1);
    show_last("blocked");
    SHOW(sigpending(&old));
    SHOW(sigismember(&old, SIGUSR1));
    SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
    show_last("unblocked");
    SHOW(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
    SHOW(kill(getpid(), 0));
    SHOW(kill(getpid(), 100));
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    show_last("ignored");
}

static void queues(void)
{
    sigset_t set;
    int number = SIGRTMIN + 2;
    set_handler(number, 0);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 5; i++)
        sigqueue(getpid(), number, (union sigval){.sival_int = i});
    siginfo_t info;
    SHOW(sigwaitinfo(&set, &info) == number);
    SHOW(info.si_value.sival_int);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    struct signalfd_siginfo told;
    SHOW(read(fd, &told, sizeof told));
    SHOW(told.ssi_int);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("the others: %d, last value %d\n", count, last_value);
    struct timespec soon = {0, 1000000};
    SHOW(sigtimedwait(&set, NULL, &soon));
    count = 0;
}

/* A child signals us while we are in a call that blocks. */
static pid_t signal_soon(int number)
{
    pid_t parent = getpid(), child;
    fflush(stdout);
    if ((child = fork()) == 0) {
        usleep(30000);
        kill(parent, number);
        _exit(0);
    }
    return child;
}

static void interrupts(void)
{
    int ends[2];
    char c;
    sigset_t none;
    sigemptyset(&none);
    WORKS(pipe(ends));
    set_handler(SIGUSR1, 0);
    signal_soon(SIGUSR1);
    SHOW(read(ends[0], &c, 1));
    SHOW(wait(NULL) > 0);
    signal_soon(SIGUSR1);
    SHOW(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 5000));
    wait(NULL);
    signal_soon(SIGUSR1);
    SHOW(nanosleep(&(struct timespec){5, 0}, NULL));
    wait(NULL);
    signal_soon(SIGUSR1);
    SHOW(sigsuspend(&none));
    wait(NULL);
    show_last("interrupted");
    set_handler(SIGUSR1, SA_RESTART);
    fflush(stdout);
    if (fork() == 0) {
        usleep(30000);
        kill(getppid(), SIGUSR1);
        usleep(30000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    SHOW(read(ends[0], &c, 1));
    wait(NULL);
    show_last("restarted");
    signal_soon(SIGUSR1);
    SHOW(select(ends[0] + 1, &(fd_set){{0}}, NULL, NULL, &(struct timeval){5, 0}));
    wait(NULL);
    signal_soon(SIGCHLD);
    SHOW(nanosleep(&(struct timespec){0, 80000000}, NULL));
    wait(NULL);
}

static void timers(void)
{
    struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    volatile unsigned long sum = 0;
    set_handler(SIGALRM, SA_RESTART);
    SHOW(setitimer(ITIMER_REAL, &every, NULL));
    while (count < 10) /* in the middle of computing */
        sum += sum * 3 + 1;
    SHOW(setitimer(ITIMER_REAL, &never, &every));
    SHOW(every.it_interval.tv_usec);
    count = 0;
}

/* What does not wait is not interrupted, also if a signal comes just before it. */
static void calls_among_signals(void)
{
    struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    long interrupted = 0;
    set_handler(SIGALRM, 0);
    setitimer(ITIMER_REAL, &every, NULL);
    while (count < 200)
        interrupted += lseek(-1, 0, SEEK_CUR) != -1 || errno != EBADF;
    setitimer(ITIMER_REAL, &never, NULL);
    SHOW(interrupted);
    count = 0;
}

/* timer_create's; execve leaves none. */
static void more_timers(char *self)
{
    timer_t timer, second;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    struct itimerspec soon = {{0, 1000000}, {0, 1000000}}, left;
    event.sigev_value.sival_int = 123;
    set_handler(SIGUSR2, 0);
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &soon, NULL));
    while (count < 3)
        pause();
    count = 3;
    show_last("timer");
    SHOW(timer_gettime(timer, &left));
    SHOW(left.it_interval.tv_nsec);
    SHOW(timer_getoverrun(timer) >= 0);
    SHOW(timer_delete(timer));
    SHOW(timer_delete(timer));
    count = 0;
    SHOW(timer_settime(timer, 0, &soon, NULL));
    SHOW(syscall(SYS_timer_create, 99, NULL, &second));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &second));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8));
    fflush(stdout);
    soon.it_value.tv_nsec = 100000000;
    if (fork() == 0) {
        timer_create(CLOCK_MONOTONIC, &event, &second);
        timer_settime(second, 0, &soon, NULL);
        execl(self, self, "wait", NULL);
    }
    int status;
    wait(&status);
    SHOW(status);
}

static void sent_ones(void)
{
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    info.si_value.sival_int = 45;
    set_handler(SIGUSR1, 0);
    SHOW(syscall(SYS_pidfd_send_signal, self, SIGUSR1, &info, 0));
    show_last("by a descriptor");
    SHOW(syscall(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 0));
    show_last("by a descriptor");
    SHOW(syscall(SYS_pidfd_send_signal, self, 0, 8, 0));
    SHOW(syscall(SYS_pidfd_send_signal, -1, SIGUSR1, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 1 << 20));
    SHOW(close(self));
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info));
    show_last("queued to a thread");
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, 8));
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), -1, SIGUSR1, &info));
}

static void deaths(void)
{
    int status, numbers[] = {SIGTERM, SIGKILL, SIGABRT, SIGPIPE};
    for (int i = 0; i < 4; i++) {
        fflush(stdout);
        if (fork() == 0) {
            kill(getpid(), numbers[i]);
            _exit(9);
        }
        wait(&status);
        printf("a child died of %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return nanosleep(&(struct timespec){0, 200000000}, NULL);
    deliveries();
    queues();
    interrupts();
    timers();
    calls_among_signals();
    more_timers(argv[0]);
    sent_ones();
    deaths();
    return 0;
}

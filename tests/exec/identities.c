/* Who a process is and what it may use: users and groups, sessions, scheduling, limits, memory that
 * stays, clocks. What changes a process is done in a child. */
#include "show.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

/* Runs in a child, which prints. */
static void apart(void (*body)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        fflush(stdout);
        syscall(SYS_exit, 7); /* not exit_group */
    }
    SHOW(waitpid(child, &status, 0) == child);
    printf("status %x\n", status);
}

static void ids(void)
{
    uid_t r, e, s;
    SHOW(getuid());
    SHOW(geteuid());
    SHOW(getgid());
    SHOW(getegid());
    SHOW(getresuid(&r, &e, &s) == 0 && r == getuid() && e == s);
    SHOW(getresgid(&r, &e, &s) == 0 && r == getgid() && e == s);
    SHOW(getresuid(&r, (void *)1, &s));
    SHOW(getresgid((void *)1, &e, &s));
    SHOW(getgroups(0, NULL));
    SHOW(getgroups(-1, NULL));
    gid_t groups[512];
    SHOW(getgroups(512, groups));
}

static void other_ids(void)
{
    SHOW(setfsuid(4000));
    SHOW(setfsuid((uid_t)-1));
    SHOW(setfsgid(4000));
    SHOW(setfsgid((gid_t)-1));
    SHOW(setgroups(2, (gid_t[]){4000, 4001}));
    SHOW(setgroups(-1, NULL));
    SHOW(setgroups(2, (void *)1));
    SHOW(setregid((gid_t)-1, 4000));
    SHOW(setresgid(4000, 4000, 4001));
    SHOW(setgid(4001));
    SHOW(getegid());
    SHOW(setreuid((uid_t)-1, 4000));
    SHOW(setresuid(4000, 4000, 4000));
    SHOW(setuid(0));
    SHOW(getuid());
    SHOW(setgroups(0, NULL));
}

static void session(void)
{
    SHOW(setsid() == getpid());
    SHOW(setsid());
    SHOW(getsid(0) == getpid());
    SHOW(syscall(SYS_tkill, getpid(), 0));
    SHOW(syscall(SYS_tkill, -1, 0));
    SHOW(syscall(SYS_personality, 0xffffffff));
    SHOW(personality(ADDR_NO_RANDOMIZE));
    SHOW(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
}

static void scheduling(void)
{
    struct sched_param parameter;
    struct timespec slice;
    cpu_set_t set;
    unsigned cpu, node;
    SHOW(sched_getscheduler(0));
    SHOW(sched_getscheduler(-1));
    SHOW(sched_getparam(0, &parameter));
    SHOW(sched_getparam(0, NULL));
    SHOW(sched_getparam(0, (void *)1));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){7}));
    SHOW(sched_setscheduler(0, 77, &(struct sched_param){0}));
    SHOW(sched_setscheduler(-1, SCHED_OTHER, &(struct sched_param){0}));
    SHOW(sched_setscheduler(0, SCHED_OTHER, NULL));
    SHOW(sched_setscheduler(0, SCHED_OTHER, (void *)1));
    SHOW(sched_setparam(0, &(struct sched_param){0}));
    SHOW(sched_setparam(0, (void *)1));
    SHOW(sched_setparam(-1, &(struct sched_param){0}));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_FIFO));
    SHOW(sched_get_priority_min(77));
    SHOW(sched_rr_get_interval(0, &slice));
    SHOW(sched_rr_get_interval(-1, &slice));
    SHOW(sched_getaffinity(0, sizeof set, &set));
    SHOW(syscall(SYS_sched_getaffinity, 0, 1, &set));
    SHOW(sched_setaffinity(0, 0, &set));
    SHOW(sched_setaffinity(0, sizeof set, (void *)1));
    SHOW(sched_getaffinity(-1, sizeof set, &set));
    SHOW(sched_setaffinity(-1, sizeof set, &set));
    SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
    SHOW(syscall(SYS_getcpu, (void *)1, &node, NULL));
    SHOW(syscall(SYS_ioprio_get, 1, 0) >= 0);
    SHOW(syscall(SYS_ioprio_get, 9, 0));
    SHOW(syscall(SYS_ioprio_set, 9, 0, 0));
    SHOW(syscall(SYS_pidfd_open, getpid(), 0) > 2);
    SHOW(syscall(SYS_pidfd_open, -1, 0));
}

static void limits(void)
{
    struct rlimit limit = {0, 0}, had;
    struct rusage usage;
    struct tms all;
    struct sysinfo system;
    SHOW(syscall(SYS_getrlimit, RLIMIT_CORE, &had));
    SHOW(syscall(SYS_getrlimit, 99, &had));
    SHOW(syscall(SYS_getrlimit, RLIMIT_CORE, (void *)1));
    SHOW(syscall(SYS_setrlimit, RLIMIT_CORE, &limit));
    SHOW(syscall(SYS_getrlimit, RLIMIT_CORE, &had) == 0 && had.rlim_cur == 0);
    limit = (struct rlimit){2, 1};
    SHOW(syscall(SYS_setrlimit, RLIMIT_NOFILE, &limit));
    SHOW(syscall(SYS_setrlimit, RLIMIT_STACK, &limit));
    SHOW(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
    SHOW(getrusage(99, &usage));
    SHOW(getrusage(RUSAGE_CHILDREN, (void *)1));
    SHOW(times(&all) > 0);
    SHOW(syscall(SYS_times, (void *)1));
    SHOW(sysinfo(&system) == 0 && system.totalram > 0 && system.procs > 0);
    SHOW(sysinfo((void *)1));
}

static void capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    SHOW(syscall(SYS_capget, &header, data));
    SHOW(syscall(SYS_capget, &header, NULL));
    SHOW(syscall(SYS_capget, (void *)1, data));
    header.version = 5;
    SHOW(syscall(SYS_capget, &header, data));
    printf("version %x\n", header.version);
    char name[16] = "";
    SHOW(prctl(PR_SET_NAME, "a name that is far too long"));
    SHOW(prctl(PR_GET_NAME, name));
    printf("%s\n", name);
    SHOW(prctl(PR_SET_NAME, (void *)1));
    SHOW(prctl(123456));
}

static void memory(void)
{
    unsigned char there[4];
    char *pages = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 1, 16384);
    SHOW(mincore(pages, 16384, there));
    printf("%d %d\n", there[0] & 1, there[3] & 1);
    SHOW(mincore(pages + 1, 4096, there));
    SHOW(mincore(pages, 16384, (void *)1));
    SHOW(munmap(pages + 8192, 4096));
    SHOW(mincore(pages, 16384, there));
    SHOW(mlock(pages, 8192));
    SHOW(mlock(pages, 16384));
    SHOW(syscall(SYS_mlock2, pages, 4096, 1));
    SHOW(syscall(SYS_mlock2, pages, 4096, 8));
    SHOW(munlock(pages, 8192));
    SHOW(munlock(pages, 16384));
    SHOW(munlockall());
}

static void clocks(void)
{
    struct timeval now;
    struct timespec resolution;
    struct itimerval timer;
    SHOW(syscall(SYS_gettimeofday, &now, NULL) == 0 && now.tv_sec > 1700000000);
    SHOW(syscall(SYS_gettimeofday, (void *)1, NULL));
    SHOW(clock_getres(CLOCK_MONOTONIC, &resolution));
    SHOW(clock_getres(77, &resolution));
    SHOW(clock_settime(CLOCK_MONOTONIC, &resolution));
    SHOW(syscall(SYS_clock_settime, CLOCK_REALTIME, (void *)1));
    SHOW(syscall(SYS_settimeofday, (void *)1, NULL));
    SHOW(getitimer(ITIMER_REAL, &timer));
    SHOW(getitimer(9, &timer));
    SHOW(syscall(SYS_nanosleep, &(struct timespec){0, 1000}, NULL));
    SHOW(syscall(SYS_nanosleep, &(struct timespec){0, 1000000000}, NULL));
    SHOW(syscall(SYS_nanosleep, (void *)1, NULL));
}

static void again(void)
{
    char *words[] = {"identities", "again", NULL}, *large[] = {"x", NULL, NULL}, *none[] = {NULL};
    large[1] = malloc(200000);
    memset(large[1], 'x', 199999);
    large[1][199999] = 0;
    SHOW(execve("/proc/self/exe", large, none));
    SHOW(execve("/proc/self/exe", none, large));
    SHOW(syscall(SYS_execveat, -1, "", words, none, 0));
    SHOW(syscall(SYS_execveat, -1, "", words, none, 0x1000 /* AT_EMPTY_PATH */));
    SHOW(syscall(SYS_execveat, -100, "/proc/self/exe", words, none, 0x40000));
    SHOW(execve("/proc/self/exe", (void *)1, none));
    SHOW(execve("", words, none));
    SHOW(syscall(SYS_execveat, -100, "/proc/self/exe", words, none, 0));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return printf("again with %s\n", argv[1]) > 0 ? 3 : 4;
    ids();
    apart(other_ids);
    apart(session);
    scheduling();
    apart(limits);
    capabilities();
    memory();
    clocks();
    apart(again);
    return 0;
}

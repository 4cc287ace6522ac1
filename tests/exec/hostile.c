/* Calls with arguments that nobody would give: hostile.c SEED COUNT. Whatever they return, the
 * emulator must stay whole; a timer ends what blocks. */
#include "show.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define ARENA_PAGES 64ul
#define PAGE        4096ul

static uint8_t *arena;
static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static const uint16_t calls[] = {
    SYS_getcwd,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_delete,
    SYS_membarrier,
    SYS_pidfd_send_signal,
    SYS_dup3,
    SYS_fcntl,
    SYS_ioctl,
    SYS_mkdirat,
    SYS_symlinkat,
    SYS_linkat,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_openat,
    SYS_pipe2,
    SYS_getdents64,
    SYS_lseek,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_sendfile,
    SYS_pselect6,
    SYS_ppoll,
    SYS_readlinkat,
    SYS_newfstatat,
    SYS_fstat,
    SYS_utimensat,
    SYS_futex,
    SYS_nanosleep,
    SYS_getitimer,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_sigaltstack,
    SYS_rt_sigaction,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_getgroups,
    SYS_uname,
    SYS_getrlimit,
    SYS_getrusage,
    SYS_gettimeofday,
    SYS_sysinfo,
    SYS_socket,
    SYS_socketpair,
    SYS_bind,
    SYS_connect,
    SYS_accept,
    SYS_getsockname,
    SYS_getpeername,
    SYS_sendto,
    SYS_recvfrom,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_brk,
    SYS_execve,
    SYS_execveat,
    SYS_msync,
    SYS_mincore,
    SYS_getrandom,
    SYS_statx,
    SYS_sched_getaffinity,
    258 /* riscv_hwprobe */,
    259 /* riscv_flush_icache */,
    SYS_getxattr,
    SYS_listxattr,
    SYS_capget,
    SYS_waitid,
    SYS_clone3,
    SYS_rseq,
    SYS_openat2,
    SYS_preadv2,
    SYS_close_range,
    SYS_timerfd_settime,
    SYS_signalfd4,
    SYS_copy_file_range,
    SYS_splice,
};
/* Only within the arena: the program goes on. */
static const uint16_t arena_calls[] = {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise};

static uint64_t some_address(void)
{
    uint64_t within = draw() % (ARENA_PAGES * PAGE);
    switch (draw() % 6) {
    case 0:
        return (uintptr_t)arena + within;
    case 1:
        return (uintptr_t)arena + (within & ~(PAGE - 1)) + PAGE - draw() % 9;
    case 2:
        return (uintptr_t)arena + (within & ~(PAGE - 1));
    case 3:
        return draw() % 4096;
    case 4:
        return (1ull << 38) - draw() % PAGE; /* above the stack */
    default: {
        uint64_t any = draw() >> draw() % 64;
        return any >> 21 ? any : any % PAGE; /* not the program itself */
    }
    }
}

static uint64_t some_argument(void)
{
    switch (draw() % 6) {
    case 0:
        return draw() % 16;
    case 1:
        return -(draw() % 128);
    case 2:
        return (1ull << 22 | 1) << draw() % 42;
    default:
        return some_address();
    }
}

static long memory_call(long number)
{
    uint64_t page = draw() % ARENA_PAGES, pages = 1 + draw() % 4;
    uint64_t at = (uintptr_t)arena + page * PAGE;
    if (page + pages > ARENA_PAGES)
        return 0;
    if (number == SYS_mmap)
        return syscall(number, at, pages * PAGE, draw() % 8,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (number == SYS_mremap)
        return syscall(number, at, PAGE * (1 + draw() % 3), pages * PAGE, 0, 0);
    return syscall(number, at, pages * PAGE, draw() % 24);
}

/* What structures point to. */
static void fill_page(void)
{
    uint64_t *word = (uint64_t *)(arena + draw() % ARENA_PAGES * PAGE);
    if (syscall(SYS_mmap, word, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0)
        return;
    for (unsigned i = 0; i < PAGE / 8; i++)
        word[i] = some_argument();
    if (draw() % 2)
        strcpy((char *)word, draw() % 2 ? "a" : "/dev/null");
}

static void on_alarm(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    struct itimerval often = {{0, 500}, {0, 500}};
    long count = argc > 2 ? atol(argv[2]) : 1000, succeeded = 0;
    state = (argc > 1 ? strtoull(argv[1], NULL, 0) : 1) * 2654435761u + 88172645463325252ull;
    arena =
        mmap(NULL, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    for (long i = 0; i < count; i++) {
        long number = calls[draw() % (sizeof calls / sizeof calls[0])];
        uint64_t args[6];
        if (draw() % 8 == 0)
            fill_page();
        if (draw() % 4 == 0)
            memory_call(arena_calls[draw() % (sizeof arena_calls / sizeof arena_calls[0])]);
        for (int a = 0; a < 6; a++)
            args[a] = some_argument();
        if (number == SYS_rt_sigaction && args[0] == SIGALRM)
            continue;
        if (number == SYS_dup3 || number == SYS_close_range)
            args[0] %= 64, args[1] = args[0] + draw() % 64;
        setitimer(ITIMER_REAL, &often, NULL);
        succeeded += syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) >= 0;
    }
    return succeeded > count / 200 ? 33 : 34; /* what it could have printed to may be gone */
}

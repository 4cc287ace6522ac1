/* The host process of a guest program, on Linux (contract: os_process.h).
 *
 * The mutable globals are what a signal handler must reach. They belong to the process. */
#include "base/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define KERNEL_SIGSET_BYTES 8u
#define ATTENTION_SIGNAL    64 /* of the real-time ones the last: the guest may use it too */

/* Not the guest's doing: ours, and to be told apart from it. */
static void die_of_own_fault(void)
{
    static const char text[] = "rivulet: a fault of its own; please report it\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(128 + SIGABRT);
    abort();
}

/* ---- mappings ---- */

static int map(void *at, size_t bytes, int protection, int flags, int fd, uint64_t offset)
{
    void *got = mmap(at, bytes, protection, flags | MAP_FIXED | MAP_NORESERVE, fd, (off_t)offset);
    return got == MAP_FAILED ? -errno : 0;
}

/* A call that failed may have unmapped what it was to replace: Linux does so before it asks the
 * file, and a socket, say, refuses. Nothing else may come to lie in the gap, where its owner could
 * write. */
static void close_gap(void *at, size_t bytes)
{
    bool is_whole = bytes == 0 || msync(at, bytes, MS_ASYNC) == 0 || errno != ENOMEM;
    if (!is_whole && map(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != 0)
        die_of_own_fault();
}

static int map_whole(void *at, size_t bytes, int protection, int flags, int fd, uint64_t offset)
{
    int error = map(at, bytes, protection, flags, fd, offset);
    if (error)
        close_gap(at, bytes);
    return error;
}

int os_map_at(void *at, size_t bytes, enum os_map_kind kind, int fd, uint64_t offset,
              bool *writable)
{
    int flags = (kind == OS_MAP_SHARED ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0);
    if (kind == OS_MAP_NOTHING)
        return map_whole(at, bytes, PROT_NONE, flags, fd, offset);
    int error = map_whole(at, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
    bool must = *writable;
    *writable = error == 0;
    if (error != -EACCES || kind != OS_MAP_SHARED || must)
        return error;
    return map_whole(at, bytes, PROT_READ, flags, fd, offset);
}

int os_map_move(void *from, size_t bytes, void *to, size_t new_bytes)
{
    if (mremap(from, bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
        int error = -errno;
        close_gap(to, new_bytes);
        if (new_bytes < bytes) /* it is cut first */
            close_gap((char *)from + new_bytes, bytes - new_bytes);
        return error;
    }
    close_gap(from, bytes);
    return 0;
}

size_t os_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- what handlers reach ---- */

static struct {
    int waiting; /* number of the caught signal, or 0: read by os_guarded_call too */
    siginfo_t info;
    void *fault_base, *fault_end;
    void *fault; /* the first address without memory */
    uint64_t never_blocked;
} process;

/* ---- system calls ---- */

#if defined(__x86_64__) || defined(__aarch64__)

/* (waiting, number, args): between `begin` and `end` a handler turns the call into `abort`. */
int64_t os_guarded_call(const int *waiting, long number, const uint64_t *args);
extern const char os_guarded_begin[], os_guarded_end[], os_guarded_abort[];

#if defined(__x86_64__)
__asm__(".text\n"
        ".type os_guarded_call, @function\n"
        "os_guarded_call:\n"
        "    endbr64\n"
        "    push %rbx\n"
        "    mov %rdi, %rbx\n"
        "    mov %rsi, %rax\n"
        "    mov %rdx, %rcx\n"
        "    mov (%rcx), %rdi\n"
        "    mov 8(%rcx), %rsi\n"
        "    mov 16(%rcx), %rdx\n"
        "    mov 24(%rcx), %r10\n"
        "    mov 32(%rcx), %r8\n"
        "    mov 40(%rcx), %r9\n"
        "os_guarded_begin:\n"
        "    cmpl $0, (%rbx)\n"
        "    jne os_guarded_abort\n"
        "    syscall\n"
        "os_guarded_end:\n"
        "    pop %rbx\n"
        "    ret\n"
        "os_guarded_abort:\n"
        "    mov $-512, %rax\n"
        "    pop %rbx\n"
        "    ret\n"
        ".size os_guarded_call, . - os_guarded_call\n");
#define PC_OF(context) ((context)->uc_mcontext.gregs[REG_RIP])
#else
__asm__(".text\n"
        ".type os_guarded_call, %function\n"
        "os_guarded_call:\n"
        "    mov x9, x0\n"
        "    mov x8, x1\n"
        "    mov x10, x2\n"
        "    ldp x0, x1, [x10]\n"
        "    ldp x2, x3, [x10, #16]\n"
        "    ldp x4, x5, [x10, #32]\n"
        "os_guarded_begin:\n"
        "    ldr w11, [x9]\n"
        "    cbnz w11, os_guarded_abort\n"
        "    svc #0\n"
        "os_guarded_end:\n"
        "    ret\n"
        "os_guarded_abort:\n"
        "    mov x0, #-512\n"
        "    ret\n"
        ".size os_guarded_call, . - os_guarded_call\n");
#define PC_OF(context) ((context)->uc_mcontext.pc)
#endif

int64_t os_call(long number, const uint64_t args[6])
{
    return os_guarded_call(&process.waiting, number, args);
}

static void abort_call(ucontext_t *context)
{
    uintptr_t pc = (uintptr_t)PC_OF(context);
    if (pc >= (uintptr_t)os_guarded_begin && pc < (uintptr_t)os_guarded_end)
        PC_OF(context) = (__typeof__(PC_OF(context)))(uintptr_t)os_guarded_abort;
}

#else

/* Elsewhere a signal that comes just before the call blocks is seen when it returns. */
int64_t os_call(long number, const uint64_t args[6])
{
    if (__atomic_load_n(&process.waiting, __ATOMIC_RELAXED))
        return OS_CALL_INTERRUPTED;
    long result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    return result == -1 ? -errno : result;
}

static void abort_call(ucontext_t *context)
{
    (void)context;
}

#endif

/* ---- signals ---- */

/* glibc keeps two signals to itself and refuses to have them set: the kernel is asked directly. */
static void set_mask(uint64_t mask)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_SIGSET_BYTES);
}

/* Until it is taken nothing else is delivered: the context that is returned to has all blocked. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    process.info = *info;
    __atomic_store_n(&process.waiting, number, __ATOMIC_RELAXED);
    memset(&((ucontext_t *)context)->uc_sigmask, 0xff, KERNEL_SIGSET_BYTES);
    abort_call(context);
}

/* The host's own faults: within the guest's memory they are the guest's. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    if (info->si_code <= 0) { /* sent by somebody */
        on_signal(number, info, context);
        return;
    }
    char *at = info->si_addr;
    size_t page = os_page_bytes();
    void *start = at - (uintptr_t)at % page;
    if (at < (char *)process.fault_base || at >= (char *)process.fault_end ||
        map(start, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != 0) {
        die_of_own_fault();
        return;
    }
    if (!process.fault)
        process.fault = at;
}

static bool is_fault(int number)
{
    return number == SIGBUS || number == SIGSEGV;
}

void os_signal_set(int number, enum os_signal_action action)
{
    struct sigaction act = {.sa_flags = SA_SIGINFO};
    sigfillset(&act.sa_mask);
    if (is_fault(number) && process.fault_base)
        act.sa_sigaction = on_fault;
    else if (action == OS_SIGNAL_CATCH)
        act.sa_sigaction = on_signal;
    else
        act = (struct sigaction){.sa_handler = action == OS_SIGNAL_IGNORE ? SIG_IGN : SIG_DFL};
    sigaction(number, &act, NULL);
}

bool os_signal_is_ignored(int number)
{
    struct sigaction act;
    return sigaction(number, NULL, &act) == 0 && act.sa_handler == SIG_IGN;
}

bool os_signal_waits(void)
{
    return __atomic_load_n(&process.waiting, __ATOMIC_RELAXED) != 0;
}

int os_signal_take(void *siginfo)
{
    int number = process.waiting;
    memset(siginfo, 0, OS_SIGINFO_BYTES);
    if (number)
        memcpy(siginfo, &process.info, OS_SIGINFO_BYTES);
    process.waiting = 0;
    return number;
}

/* Faults of the host's own must reach their handler. */
void os_signal_mask(uint64_t mask)
{
    set_mask(mask & ~(1ull << (SIGBUS - 1) | 1ull << (SIGSEGV - 1) | process.never_blocked));
}

bool os_attention_watch(int fd)
{
    os_signal_set(ATTENTION_SIGNAL, OS_SIGNAL_CATCH);
    process.never_blocked = 1ull << (ATTENTION_SIGNAL - 1);
    return fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, ATTENTION_SIGNAL) == 0 &&
           fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0;
}

bool os_is_attention(const void *siginfo)
{
    siginfo_t info;
    memcpy(&info, siginfo, sizeof info);
    return info.si_signo == ATTENTION_SIGNAL && info.si_code >= POLL_IN && info.si_code <= POLL_HUP;
}

uint64_t os_signal_first_mask(void)
{
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, KERNEL_SIGSET_BYTES);
    return mask;
}

void os_signal_forget(void)
{
    process.waiting = 0;
    process.never_blocked = 0;
    process.fault = NULL;
}

void os_signal_die(int number)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); /* it would be the emulator's */
    process.fault_base = NULL;
    os_signal_set(number, OS_SIGNAL_DEFAULT);
    set_mask(~(1ull << (number - 1))); /* the handler of another one would block it again */
    kill(getpid(), number);
    _exit(128 + number);
}

void os_fault_watch(void *base, size_t bytes)
{
    process.fault_base = base;
    process.fault_end = (char *)base + bytes;
    os_signal_set(SIGBUS, OS_SIGNAL_DEFAULT);
    os_signal_set(SIGSEGV, OS_SIGNAL_DEFAULT);
}

void *os_fault_take(void)
{
    void *fault = process.fault;
    process.fault = NULL;
    return fault;
}

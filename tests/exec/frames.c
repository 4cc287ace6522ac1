/* What only riscv64 has: the stack and registers that a program begins with, and the frames of
 * signals. qemu-riscv64 is the oracle, for the host has no such program. */
#include "show.h"

#include <elf.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

static uint64_t seen_sp, seen_pc, seen_fs1, seen_s2, seen_number;
static volatile int count;

/* ---- the beginning ---- */

static void auxiliary(void)
{
    SHOW(getauxval(AT_PAGESZ));
    SHOW(getauxval(AT_CLKTCK));
    SHOW(getauxval(AT_PHENT));
    SHOW(getauxval(AT_PHNUM) > 0);
    SHOW(getauxval(AT_FLAGS));
    SHOW(getauxval(AT_BASE)); /* a static program has no interpreter */
    SHOW(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
    SHOW(getauxval(AT_SECURE));
    SHOW(getauxval(AT_HWCAP) & 0x112d); /* imafdc */
    SHOW(getauxval(AT_RANDOM) != 0);
    SHOW(getauxval(AT_EXECFN) != 0);
    const Elf64_Phdr *first = (const void *)getauxval(AT_PHDR);
    SHOW(first && getauxval(AT_ENTRY) != 0);
    SHOW(memcmp((const char *)first - sizeof(Elf64_Ehdr), ELFMAG, SELFMAG));
}

/* argc, argv, 0, environment, 0, and the auxiliary vector, at a multiple of 16. */
static void stack(int argc, char **argv, char **environment)
{
    SHOW(((long *)argv)[-1] == argc);
    SHOW((uintptr_t)((long *)argv - 1) % 16);
    SHOW(environment == argv + argc + 1);
    SHOW(argv[argc] == NULL);
}

/* ---- frames ---- */

static void look(int number, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;
    char local;
    count++;
    seen_number = (uint64_t)number;
    seen_pc = u->uc_mcontext.__gregs[REG_PC];
    seen_sp = u->uc_mcontext.__gregs[REG_SP];
    seen_s2 = u->uc_mcontext.__gregs[REG_S2];
    seen_fs1 = u->uc_mcontext.__fpregs.__d.__f[9];
    SHOW((uintptr_t)context % 16);
    SHOW((uintptr_t)info % 16);
    SHOW((char *)context - (char *)info == sizeof(siginfo_t)); /* struct rt_sigframe */
    SHOW((uintptr_t)&local < (uintptr_t)info && (uintptr_t)info < seen_sp);
    SHOW(info->si_signo == number);
}

/* Goes on behind the instruction, with another value in s2 and fs1. */
static void change(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    look(number, info, context);
    SHOW(info->si_code);
    SHOW((uint64_t)info->si_addr == seen_pc || (uint64_t)info->si_addr == 0x1230);
    u->uc_mcontext.__gregs[REG_PC] += 4;
    u->uc_mcontext.__gregs[REG_S2] = 0x5555;
    u->uc_mcontext.__fpregs.__d.__f[9] = 0x4008000000000000; /* 3.0 */
    u->uc_mcontext.__fpregs.__d.__fcsr = 0x21;
    sigaddset(&u->uc_sigmask, SIGUSR2);
}

#define FAULTS(instruction)                                                                        \
    __asm__ volatile("li s2, 0x1234\n"                                                             \
                     "fcvt.d.l fs1, s2\n"                                                          \
                     "mv t1, %[at]\n"                                                              \
                     ".option push\n"                                                              \
                     ".option norvc\n" instruction "\n"                                            \
                     ".option pop\n"                                                               \
                     "mv %[after], s2\n"                                                           \
                     "fcvt.l.d %[real], fs1\n"                                                     \
                     "frcsr %[fcsr]\n"                                                             \
                     "fscsr zero\n"                                                                \
                     : [after] "=&r"(after), [real] "=&r"(real), [fcsr] "=&r"(fcsr)                \
                     : [at] "r"(0x1230l)                                                           \
                     : "s2", "fs1", "t1", "memory")

static void faults(void)
{
    struct sigaction action = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
    const int numbers[] = {SIGSEGV, SIGILL, SIGTRAP};
    long after, real, fcsr;
    for (int i = 0; i < 3; i++)
        SHOW(sigaction(numbers[i], &action, NULL));
    FAULTS("sw zero, 0(t1)");
    printf("%lx %lx %ld %lx %lx\n", seen_s2, seen_fs1, after, real, fcsr);
    FAULTS("lw zero, 0(t1)");
    printf("%lx %lx %ld %lx %lx\n", seen_s2, seen_fs1, after, real, fcsr);
    FAULTS(".word 0");
    printf("%lx %lx %ld %lx %lx\n", seen_s2, seen_fs1, after, real, fcsr);
    FAULTS(".word 0x00100073"); /* ebreak */
    printf("%lx %lx %ld %lx %lx\n", seen_s2, seen_fs1, after, real, fcsr);
    SHOW(count);
    sigset_t now;
    SHOW(sigprocmask(SIG_SETMASK, NULL, &now));
    SHOW(sigismember(&now, SIGUSR2)); /* by the frame */
    SHOW(sigismember(&now, SIGSEGV));
}

/* A jump to where nothing is: the fault is there, and the return address tells who jumped. */
static void jump(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    SHOW(number);
    SHOW((long)info->si_addr);
    SHOW(info->si_code);
    SHOW((long)u->uc_mcontext.__gregs[REG_PC]);
    u->uc_mcontext.__gregs[REG_PC] = u->uc_mcontext.__gregs[REG_RA];
}

static void jumps(void)
{
    struct sigaction action = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
    SHOW(sigaction(SIGSEGV, &action, NULL));
    ((void (*)(void))0x4560)();
}

/* What a frame that cannot be written does. */
static void no_stack(void)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &action, NULL);
        long self = getpid();
        register long number __asm__("a7") = SYS_kill;
        register long pid __asm__("a0") = self;
        register long with __asm__("a1") = SIGUSR1;
        __asm__ volatile("li sp, 16\n ecall" : "+r"(pid) : "r"(number), "r"(with) : "memory");
        _exit(1);
    }
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

int main(int argc, char **argv, char **environment)
{
    auxiliary();
    stack(argc, argv, environment);
    faults();
    jumps();
    no_stack();
    return 0;
}

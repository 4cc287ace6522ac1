/* Calls that programs here do without: each gives the error of its row, and what is not in the
 * table at all ENOSYS. Prints those that do not. */
#include "show.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>

enum {
#define SYSCALL(number, name, kinds) NUMBER_##name = number,
#include "base/linux_calls.def"
#undef SYSCALL
};

#define PASS(name)
#define DO(name)
#define NONE(name, error) {NUMBER_##name, error, #name},
static const struct {
    int number, error;
    const char *name;
} rows[] = {
#include "syscall/calls.def"
    {NUMBER_openat2, EINVAL, "openat2"},
    {NUMBER_io_setup, ENOSYS, "io_setup"},
    {NUMBER_shmget, ENOSYS, "shmget"},
    {NUMBER_process_vm_readv, ENOSYS, "process_vm_readv"},
    {NUMBER_open_by_handle_at, ENOSYS, "open_by_handle_at"},
    {5000, ENOSYS, "5000"},
    {-1, ENOSYS, "-1"},
};

static int clone_fails(unsigned long flags, int error)
{
    return syscall(NUMBER_clone, flags, 0, 0, 0, 0) == -1 && errno == error;
}

/* struct riscv_hwprobe of Linux: a key that is not known becomes -1. */
static int probes(void)
{
    struct {
        int64_t key;
        uint64_t value;
    } pairs[] = {{3, 0}, {4, 0}, {1 << 20, 7}};
    return syscall(NUMBER_riscv_hwprobe, pairs, 3, 0, 0, 0) == 0 && pairs[0].value == 1 &&
           pairs[1].value & 1 && pairs[2].key == -1 &&
           syscall(NUMBER_riscv_hwprobe, 1, 3, 0, 0, 0) == -1 && errno == EFAULT &&
           syscall(NUMBER_riscv_flush_icache, 0, -1l, 0) == 0;
}

int main(void)
{
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (syscall(rows[i].number, 0, 0, 0, 0, 0, 0) != -1 || errno != rows[i].error)
            printf("%s: errno %d, not %d\n", rows[i].name, errno, rows[i].error);
    const unsigned long thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    if (!clone_fails(thread | SIGCHLD, EAGAIN) || !clone_fails(CLONE_VM | SIGCHLD, EAGAIN))
        printf("a thread was not refused\n");
    if (!clone_fails(CLONE_NEWPID | SIGCHLD, EINVAL) || !clone_fails(SIGUSR1, EINVAL))
        printf("a clone that cannot be was not refused\n");
    if (!probes())
        printf("riscv_hwprobe\n");
    return 0;
}

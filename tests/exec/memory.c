/* The address space, and faults in it. */
#include "show.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define PAGE 4096l

static sigjmp_buf fault_point;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    fault_signal = number;
    fault_code = info->si_code;
    fault_address = info->si_addr;
    siglongjmp(fault_point, 1);
}

static volatile char *base;

static void touch(const char *what, volatile char *at, int store)
{
    if (sigsetjmp(fault_point, 1)) {
        printf("%s: signal %d, code %d, at +%ld\n", what, fault_signal, fault_code,
               (long)((char *)fault_address - base));
        return;
    }
    if (store)
        *at = 7;
    printf("%s: %d\n", what, *at);
}

static void protections(void)
{
    base = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touch("a page", base + 5, 1);
    SHOW(mprotect((void *)(base + PAGE), PAGE, PROT_READ));
    SHOW(mprotect((void *)(base + 2 * PAGE), PAGE, PROT_NONE));
    touch("read-only, load", base + PAGE, 0);
    touch("read-only, store", base + PAGE + 9, 1);
    touch("nothing, load", base + 2 * PAGE + 1, 0);
    SHOW(munmap((void *)(base + 3 * PAGE), PAGE));
    touch("unmapped", base + 3 * PAGE + 4095, 1);
    touch("behind", base + 4 * PAGE, 1);
    SHOW(mprotect((void *)(base + 2 * PAGE), 2 * PAGE, PROT_READ));
    SHOW(mprotect((void *)(base + 1), PAGE, PROT_READ));
    SHOW(mprotect((void *)(base + PAGE), 2 * PAGE, PROT_READ | PROT_WRITE));
    touch("again", base + 2 * PAGE, 1);
    SHOW(madvise((void *)base, PAGE, MADV_DONTNEED));
    touch("given away", base + 5, 0);
    SHOW(madvise((void *)(base + 3 * PAGE), PAGE, MADV_DONTNEED));
    base = NULL;
    touch("null", NULL, 0);
}

static void places(void)
{
    char *at = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(at, 16 * PAGE);
    SHOW(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    SHOW(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(mmap(at + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 0, 5));
    SHOW(mmap(NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW(munmap(at + 1, PAGE));
    SHOW(munmap(at, 0));
    SHOW(munmap(at, PAGE));
    SHOW(munmap(at, PAGE));
}

static void files(void)
{
    int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char text[8] = "";
    SHOW(pwrite(fd, "0123456789", 10, 0));
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    shared[0] = 'S';
    private[1] = 'P';
    SHOW(pread(fd, text, 4, 0));
    printf("file %s, shared %.4s, private %.4s\n", text, shared, private);
    SHOW(msync(shared, PAGE, MS_SYNC));
    base = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    touch("in the file", base + 3, 0);
    touch("behind the end, same page", base + 100, 0);
    int read_only = open("mapped", O_RDONLY);
    SHOW(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0));
    void *view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    SHOW(mprotect(view, PAGE, PROT_READ | PROT_WRITE));
    int write_only = open("mapped", O_WRONLY);
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, write_only, 0));
    int *common = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    if (fork() == 0) {
        *common = *own = 5;
        _exit(0);
    }
    wait(NULL);
    printf("a child's stores: shared %d, private %d\n", *common, *own);
}

static void moves(void)
{
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(at + PAGE, "kept");
    char *wall = mmap(at + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *moved = mremap(at, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    printf("%s, zeros behind %d\n", moved + PAGE, moved[63 * PAGE]);
    SHOW(mremap(moved, 64 * PAGE, 2 * PAGE, 0) == moved);
    SHOW(mremap(moved + 1, PAGE, 2 * PAGE, 0));
    SHOW(mremap(moved, PAGE, 0, 0));
    SHOW(mremap(moved + 64 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    char *room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(mremap(moved, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
    printf("%s\n", room + PAGE);
    munmap(wall, PAGE);
    char *brk = sbrk(0);
    SHOW(sbrk(100000) == brk);
    brk[99999] = 1;
    SHOW(sbrk(-100000) == (void *)(brk + 100000));
    SHOW(sbrk(1l << 60));
}

/* What a child finds of five pages, two of which are advised about. */
static void inherited(int advice)
{
    SHOW(madvise((void *)(base + PAGE), 2 * PAGE, advice));
    fflush(stdout);
    if (fork() == 0) {
        touch("before", base + PAGE - 1, 0);
        touch("advised", base + PAGE, 1);
        touch("the last advised", base + 3 * PAGE - 1, 0);
        touch("behind", base + 3 * PAGE, 1);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    touch("the parent's", base + PAGE, 0);
}

static void children(void)
{
    base = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset((void *)base, 3, 5 * PAGE);
    inherited(MADV_DONTFORK);
    inherited(MADV_DOFORK);
    inherited(MADV_WIPEONFORK);
    SHOW(madvise((void *)(base + 1), PAGE, MADV_DONTFORK));
    munmap((void *)(base + 4 * PAGE), PAGE);
    SHOW(madvise((void *)(base + 4 * PAGE), PAGE, MADV_DONTFORK));
    SHOW(madvise((void *)base, 0, MADV_DONTFORK));
}

/* Calls whose pointers are not the program's. */
static void hostile(void)
{
    char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + PAGE, PAGE);
    int fd = open("/dev/zero", O_RDWR);
    int file = open("mapped", O_RDONLY);
    SHOW(read(file, edge + PAGE - 2, 10));
    SHOW(read(fd, edge + PAGE, 10));
    memset(edge + PAGE - 4, '/', 4);
    SHOW(open(edge + PAGE - 4, O_RDONLY));
    mprotect(edge, PAGE, PROT_READ);
    SHOW(read(fd, edge, 10));
    SHOW(pipe((int *)edge));
    SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, edge + PAGE - 8));
    SHOW(getcwd((char *)8, 100) == NULL);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    protections();
    places();
    files();
    moves();
    children();
    hostile();
    return 0;
}

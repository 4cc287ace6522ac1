/* A fuzzer of `rivulet exec`: system calls of a riscv64 program with hostile numbers, pointers and
 * structures. Its files are in a folder of its own, which is its root; what would change the host
 * or end the fuzzer is left out, and a timer ends what blocks.
 *
 * Input: calls of 20 bytes: what kind of arguments (2 bits each, and whether it is one of
 * semihosting), which call, six of two bytes;
 * then a patch of memory: where (2 bytes), and 4 bytes. An address is near the start or the end of
 * the pages that there are; what is behind the last call fills them at first. */
#include "base/linux_calls.h"
#include "base/os_process.h"
#include "syscall/process.h"
#include "tests/fuzz/fuzz.h"

#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#define PAGES      0x10000ull
#define PAGES_SIZE (16 * PAGE_BYTES)
#define MEMORY     (64ull << 20)
#define CALL_BYTES 20u
#define CALLS_MOST 24u
#define FIRST_FD   3
#define LAST_FD    899 /* the process's own are behind */

#define SEMIHOSTING 15u /* of the 4 bits that no argument needs: a call of that kind instead */

struct known_call {
    uint16_t number;
    const char *name;
};
enum {
#define SYSCALL(number, name, kinds) NUMBER_##name = number,
#include "base/linux_calls.def"
#undef SYSCALL
};

#define PASS(name)        {NUMBER_##name, #name},
#define DO(name)          {NUMBER_##name, #name},
#define NONE(name, error) {NUMBER_##name, #name},
static const struct known_call calls[] = {
#include "syscall/calls.def"
};

/* What makes processes, tells others something, changes the host or the fuzzer's own means. */
static const uint16_t left_out[] = {
    NUMBER_clone,
    NUMBER_execve,
    NUMBER_execveat,
    NUMBER_kill,
    NUMBER_tkill,
    NUMBER_tgkill,
    NUMBER_rt_sigqueueinfo,
    NUMBER_rt_sigreturn,
    NUMBER_rt_sigsuspend,
    NUMBER_setitimer,
    NUMBER_clock_settime,
    NUMBER_settimeofday,
    NUMBER_setuid,
    NUMBER_setgid,
    NUMBER_setreuid,
    NUMBER_setregid,
    NUMBER_setresuid,
    NUMBER_setresgid,
    NUMBER_setfsuid,
    NUMBER_setfsgid,
    NUMBER_setgroups,
    NUMBER_setpriority,
    NUMBER_setrlimit,
    NUMBER_prlimit64,
    NUMBER_socket,
    NUMBER_sync,
    NUMBER_syncfs,
    NUMBER_ioprio_set,
    NUMBER_personality,
    NUMBER_setsid,
    NUMBER_setpgid,
    NUMBER_wait4,
    NUMBER_waitid,
    NUMBER_sched_getaffinity,
    NUMBER_prctl,
    NUMBER_umask,
    NUMBER_timer_create,
    NUMBER_timer_settime,
    NUMBER_timer_delete,
    NUMBER_pidfd_send_signal,
    NUMBER_rt_tgsigqueueinfo,
};

static bool is_left_out(uint16_t number)
{
    for (unsigned i = 0; i < ARRAY_LEN(left_out); i++)
        if (left_out[i] == number)
            return true;
    return false;
}

/* ---- the process ---- */

/* A program that would end at once. */
static void write_program(const char *root)
{
    const struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        uint32_t code[2];
    } image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_RISCV,
                   .e_version = EV_CURRENT,
                   .e_entry = PAGES + offsetof(__typeof__(image), code),
                   .e_phoff = sizeof image.header,
                   .e_ehsize = sizeof image.header,
                   .e_phentsize = sizeof image.segment,
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = PAGES,
                    .p_filesz = sizeof image,
                    .p_memsz = sizeof image},
        .code = {0x05d00893, 0x00000073}, /* li a7, exit; ecall */
    };
    char name[64];
    snprintf(name, sizeof name, "%s/program", root);
    int fd = open(name, O_CREAT | O_WRONLY, 0700);
    if (fd < 0 || write(fd, &image, sizeof image) != sizeof image || close(fd) != 0)
        abort();
}

static void on_tick(int number)
{
    (void)number;
}

/* Interrupts what blocks. */
static void start_ticks(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    const struct itimerspec often = {{0, 2000000}, {0, 2000000}};
    sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_tick}, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &often, NULL) != 0)
        abort();
}

static struct process *make_process(void)
{
    static char root[] = "root-XXXXXX";
    static char *const none[] = {NULL};
    static struct exec_config config = {.program = "/program",
                                        .args = none,
                                        .environment = none,
                                        .no_network = true,
                                        .memory_bytes = MEMORY,
                                        .files = {.root = root},
                                        .log_fd = -1};
    struct error err;
    struct sigaction on_segv, on_bus;
    if (!mkdtemp(root) || setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, 1 << 20}) != 0)
        abort();
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    write_program(root);
    int console = open("/dev/null", O_RDWR); /* of semihosting */
    if (dup2(console, STDIN_FILENO) < 0 || dup2(console, STDOUT_FILENO) < 0 || close(console) != 0)
        abort();
    config.isa = isa_of_everything();
    config.log = log_open(NULL, 0, &err);
    /* A fault of the host's is to be found, not to be told to the guest. */
    sigaction(SIGSEGV, NULL, &on_segv);
    sigaction(SIGBUS, NULL, &on_bus);
    struct process *p = config.log ? exec_start(&config, &err) : NULL;
    sigaction(SIGSEGV, &on_segv, NULL);
    sigaction(SIGBUS, &on_bus, NULL);
    if (!p)
        abort();
    start_ticks();
    return p;
}

/* ---- each input begins alike ---- */

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    return walk->level ? remove(path) : 0;
}

static void open_files(struct process *p)
{
    int ends[2];
    const char *root = p->paths.views.at[0].host;
    if (chdir(root) != 0 || nftw(root, remove_file, 8, FTW_DEPTH | FTW_PHYS) != 0)
        abort();
    int file = open("a", O_CREAT | O_RDWR, 0600);
    if (file < 0 || symlink("a", "b") != 0 || mkdir("c", 0700) != 0 || pipe(ends) != 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0 || epoll_create1(0) < 0 || eventfd(1, 0) < 0)
        abort();
}

static void begin(struct process *p, const uint8_t *fill, size_t n)
{
    space_clear(&p->space);
    signals_reset(p);
    if (!bare_begin(p, &(struct words){0}))
        abort();
    p->ended = p->hart->waiting = false;
    open_files(p);
    if (space_map(&p->space, PAGES, PAGES_SIZE, SPACE_READ | SPACE_WRITE | SPACE_EXECUTE,
                  SPACE_PRIVATE | SPACE_ANONYMOUS | SPACE_FIXED, -1, 0) < 0)
        abort();
    uint8_t *bytes = p->space.host + PAGES;
    for (size_t i = 0; n && i < PAGES_SIZE; i++)
        bytes[i] = fill[i % n];
    memcpy(bytes, "a\0b\0c\0c/d\0../a", 15); /* names, at its start */
}

static void end(void)
{
    const uint64_t args[6] = {FIRST_FD, LAST_FD, 0};
    os_call(SYS_close_range, args);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- calls ---- */

static uint64_t argument(unsigned kind, uint64_t value)
{
    switch (kind) {
    case 0:
        return value & 0x8000 ? -(value & 0xff) : value & 0x3f;
    case 1:
        return PAGES + (value & 0x0fff);
    case 2:
        return PAGES + PAGES_SIZE - 0x100 + (value & 0x1ff);
    default:
        return value & 1 ? value << 48 : 1ull << (value >> 1 & 63);
    }
}

/* The program's own three descriptors are the fuzzer's, and masks could keep the timer out. */
static void make_harmless(struct hart *h, uint64_t number)
{
    uint64_t *a = &h->x[X_A0];
    const char *kinds = linux_call_find(number)->kinds;
    for (unsigned i = 0; kinds[i]; i++)
        if ((kinds[i] == 'D' || kinds[i] == 'f') && (uint32_t)a[i] < FIRST_FD)
            a[i] += FIRST_FD;
    if (number == NUMBER_close_range && (uint32_t)a[0] < FIRST_FD)
        a[0] = FIRST_FD;
    if (number == NUMBER_ppoll)
        a[3] = 0;
    if (number == NUMBER_pselect6)
        a[5] = 0;
    if (number == NUMBER_epoll_pwait)
        a[4] = 0;
    if (number == NUMBER_mmap) /* of a file that becomes shorter: a fault that the guest is told */
        a[3] |= SPACE_ANONYMOUS;
    if (number == NUMBER_rt_sigaction)
        a[0] |= SIGUSR1; /* 10, 11, 14, 15 ...: none of those that find faults but SIGSEGV */
    if (number == NUMBER_rt_sigaction && (a[0] == SIGSEGV || a[0] == SIGALRM))
        a[0] = SIGUSR1;
}

static void call(struct process *p, struct cursor *c)
{
    struct hart *h = p->hart;
    unsigned kinds = (unsigned)take(c, 2);
    const struct known_call *known = &calls[take(c, 2) % ARRAY_LEN(calls)];
    for (unsigned i = 0; i < LINUX_CALL_ARGS; i++)
        h->x[X_A0 + i] = argument(kinds >> 2 * i & 3, take(c, 2));
    uint32_t at = (uint32_t)take(c, 2), patch = (uint32_t)take(c, 2);
    uint8_t *place = space_at(&p->space, PAGES + at % (PAGES_SIZE - 4), 4, SPACE_WRITE);
    if (place)
        memcpy(place, &patch, sizeof patch);
    h->x[X_A7] = known->number;
    h->x[X_SP] = PAGES + PAGES_SIZE / 2;
    if (known->number == NUMBER_rt_sigreturn) {
        h->x[X_SP] = h->x[X_A0];
        signals_return(p);
    }
    if (kinds >> 12 == SEMIHOSTING) {
        bare_call(p, h);
        return;
    }
    if (is_left_out(known->number))
        return;
    make_harmless(h, known->number);
    process_call(p);
    signals_set_mask(p, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct process *p;
    if (!p)
        p = make_process();
    struct cursor c = {data, data + size};
    size_t used = min_u64(size / CALL_BYTES, CALLS_MOST) * CALL_BYTES;
    begin(p, data + used, size - used);
    while (c.at < data + used)
        call(p, &c);
    end();
    return 0;
}

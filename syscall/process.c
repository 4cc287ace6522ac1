/* The life of a program: making the machine that it runs on, running it, its end. */
#include "syscall/process.h"

#include "base/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Between two looks at signals; about a millisecond. */
#define SLICE_STEPS 500000u

/* ---- its end ---- */

static void print_registers(const struct process *p)
{
    static const char *const names[] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                        "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                        "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                        "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    for (unsigned i = 1; i < ARRAY_LEN(names); i++)
        fprintf(stderr, "%4s %016llx%s", names[i], (unsigned long long)p->hart->x[i],
                i % 4 == 0 || i + 1 == ARRAY_LEN(names) ? "\n" : "  ");
}

/* The line of /proc/self/maps that holds a host address: "start-end perms offset dev inode path".
 */
static bool file_of(const struct process *p, uint64_t va, char *file, uint64_t *offset)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uintptr_t at = (uintptr_t)p->space.host + va;
    char line[PATH_MAX + 128];
    bool found = false;
    while (maps && !found && fgets(line, sizeof line, maps)) {
        unsigned long long start, end, at_offset;
        file[0] = 0;
        int n =
            sscanf(line, "%llx-%llx %*s %llx %*s %*s %4095[^\n]", &start, &end, &at_offset, file);
        found = n == 4 && file[0] == '/' && start <= at && at < end;
        *offset = at - start + at_offset;
    }
    if (maps)
        fclose(maps);
    return found;
}

static void print_place(const struct process *p)
{
    char file[PATH_MAX], name[256] = "";
    uint64_t offset;
    fprintf(stderr, "  pc %016llx", (unsigned long long)p->hart->pc);
    if (file_of(p, p->hart->pc, file, &offset)) {
        if (p->config->name_place)
            p->config->name_place(file, offset, name, sizeof name);
        fprintf(stderr, "  %s%s%s+0x%llx", name, name[0] ? " in " : "", file,
                (unsigned long long)offset);
    }
    fprintf(stderr, "\n");
}

void process_die(struct process *p, int number)
{
    if (p->trace)
        fprintf(p->trace, "+++ killed by signal %d +++\n", number);
    fflush(NULL);
    os_signal_die(number);
}

/* struct siginfo as far as it matters here: number, error, code, address. */
static void make_siginfo(uint8_t info[OS_SIGINFO_BYTES], int number, int code, uint64_t address)
{
    memset(info, 0, OS_SIGINFO_BYTES);
    memcpy(info, &number, sizeof number);
    memcpy(info + 8, &code, sizeof code);
    memcpy(info + 16, &address, sizeof address);
}

void process_fault(struct process *p, int number, int code, uint64_t address)
{
    uint8_t info[OS_SIGINFO_BYTES];
    make_siginfo(info, number, code, address);
    if (p->trace)
        fprintf(p->trace, "--- signal %d, code %d, address 0x%llx ---\n", number, code,
                (unsigned long long)address);
    if (signals_raise(p, number, info))
        return;
    fprintf(stderr, "rivulet: %s: %s at address 0x%llx\n", p->paths.program, strsignal(number),
            (unsigned long long)address);
    print_place(p);
    print_registers(p);
    process_die(p, number);
}

/* ---- exceptions ---- */

#define SEGV_MAPERR_ 1
#define SEGV_ACCERR_ 2

static void take_exception(struct process *p)
{
    const struct pending_trap *trap = &p->hart->trap;
    switch (trap->cause) {
    case CAUSE_ECALL_U:
        process_call(p);
        break;
    case CAUSE_ILLEGAL:
        process_fault(p, SIGILL, ILL_ILLOPC, p->hart->pc);
        break;
    case CAUSE_BREAKPOINT:
        process_fault(p, SIGTRAP, TRAP_BRKPT, p->hart->pc);
        break;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        process_fault(p, SIGBUS, BUS_ADRALN, trap->tval);
        break;
    default:
        process_fault(p, SIGSEGV, space_find(&p->space, trap->tval) ? SEGV_ACCERR_ : SEGV_MAPERR_,
                      trap->tval);
    }
}

/* The host had no memory for a page, such as one behind the end of a file that became shorter. */
static void take_host_fault(struct process *p)
{
    uint8_t *at = os_fault_take();
    if (at)
        process_fault(p, SIGBUS, BUS_ADRERR, (uint64_t)(at - p->space.host));
}

static void run(struct process *p)
{
    while (!p->ended) {
        enum hart_stop stop = hart_run(p->hart, p->hart->steps + SLICE_STEPS);
        if (stop == HART_EXCEPTION)
            take_exception(p);
        take_host_fault(p);
        if (os_signal_waits())
            signals_deliver(p);
        p->signals.interrupted = INTERRUPTED_NOT;
    }
}

/* ---- its beginning ---- */

/* What a kernel sets up for U-mode: counters, cbo.zero, and a satp that is not Bare, since space
 * answers for it. */
static void prepare_hart(struct process *p)
{
    struct hart *h = p->hart;
    const struct {
        unsigned number;
        uint64_t value;
    } csrs[] = {{0x306, 7},
                {0x106, 7}, /* mcounteren, scounteren */
                {0x30a, ENVCFG_CBZE},
                {0x10a, ENVCFG_CBZE}, /* menvcfg, senvcfg */
                {0x180, (uint64_t)SATP_SV39 << SATP_MODE_SHIFT}};
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        if (!hart_csr_poke(h, csrs[i].number, csrs[i].value))
            log_line(p->log, LOG_UNIMP, "exec: no CSR 0x%03x", csrs[i].number);
    pmp_write_addr(h, 0, UINT64_MAX);
    pmp_write_cfg(h, 0, 0x1f); /* all of it, for all */
}

static bool make_machine(struct process *p, struct error *err)
{
    struct hart_isa isa = p->config->isa;
    p->memory = memory_create(p->log);
    if (!p->memory || !space_init(&p->space, p->memory, p->config->memory_bytes, err))
        return p->memory || error_set(err, "no memory for the program");
    p->code = code_create(p->memory, p->log, &isa);
    if (!p->code)
        return error_set(err, "no memory for decoded code");
    struct hart_ports ports = {.memory = p->memory,
                               .clock = &p->clock,
                               .log = p->log,
                               .code = p->code,
                               .find_leaf = space_find_leaf,
                               .leaf_owner = &p->space,
                               .no_traps = true};
    p->hart = hart_create(0, &isa, &ports, 0);
    if (!p->hart)
        return error_set(err, "no memory for the hart");
    p->space.hart = p->hart;
    p->clock.follows_host = true;
    clock_start(&p->clock);
    prepare_hart(p);
    return true;
}

static void release_machine(struct process *p)
{
    hart_destroy(p->hart);
    code_destroy(p->code);
    space_release(&p->space);
    memory_destroy(p->memory);
    paths_release(&p->paths);
}

static bool copy_words(struct words *to, char *const *from)
{
    for (; *from; from++)
        if (!words_add(to, *from))
            return false;
    return true;
}

/* The first of PATH's folders that has it, as a shell would. */
static int load_by_path(struct process *p, struct words *argv, const struct words *envp,
                        const char **why)
{
    const char *path = getenv("PATH"), *name = p->config->program;
    int error = -ENOENT;
    if (strchr(name, '/'))
        return process_load(p, AT_FDCWD, name, argv, envp, why);
    for (path = path ? path : "/usr/bin:/bin"; *path && error == -ENOENT;) {
        char text[PATH_MAX];
        int n = (int)strcspn(path, ":");
        snprintf(text, sizeof text, "%.*s/%s", n, path, name);
        error = process_load(p, AT_FDCWD, text, argv, envp, why);
        path += n + (path[n] == ':');
    }
    return error == -ENOENT ? process_load(p, AT_FDCWD, name, argv, envp, why) : error;
}

static bool load_first(struct process *p, struct error *err)
{
    const struct exec_config *c = p->config;
    struct words argv = {0}, envp = {0};
    const char *why = NULL;
    int error = -ENOMEM;
    if (words_add(&argv, c->argv0 ? c->argv0 : c->program) && copy_words(&argv, c->args) &&
        copy_words(&envp, c->environment))
        error = load_by_path(p, &argv, &envp, &why);
    words_free(&argv);
    words_free(&envp);
    if (error)
        return error_set(err, "cannot run %s: %s%s%s", c->program, strerror(-error),
                         why ? ": " : "", why ? why : "");
    return true;
}

static bool open_trace(struct process *p, struct error *err)
{
    if (!p->config->strace)
        return true;
    p->trace = stderr;
    if (!p->config->trace_file)
        return true;
    int fd = open(p->config->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    p->trace_fd = fd < 0 ? -1 : paths_own(fd);
    p->trace = p->trace_fd < 0 ? NULL : fdopen(p->trace_fd, "w");
    return p->trace ||
           error_set(err, "cannot write %s: %s", p->config->trace_file, strerror(errno));
}

int process_next_own(const struct process *p, uint64_t from)
{
    const struct views *views = &p->paths.views;
    int next = -1;
    for (size_t i = 0; i < views->count + 2; i++) {
        int fd = i < views->count ? views->at[i].fd : i == views->count ? p->vfork_fd : p->trace_fd;
        if (fd >= 0 && (uint64_t)fd >= from && (next < 0 || fd < next))
            next = fd;
    }
    return next;
}

bool process_owns(const struct process *p, int fd)
{
    return fd >= 0 && process_next_own(p, (uint64_t)fd) == fd;
}

static bool limit_cpu(const struct exec_config *config, struct error *err)
{
    uint64_t seconds = config->cpu_seconds;
    if (!seconds)
        return true;
    const struct rlimit limit = {seconds, seconds + 1}; /* SIGXCPU, then SIGKILL */
    return setrlimit(RLIMIT_CPU, &limit) == 0 ||
           error_set(err, "cannot limit the time of the processor: %s", strerror(errno));
}

bool exec_run(const struct exec_config *config, int *status, struct error *err)
{
    struct process *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, "no memory for the program");
    *p = (struct process){.config = config, .log = config->log, .first_pid = getpid()};
    p->vfork_fd = p->trace_fd = -1;
    p->stack_limit[0] = 8ull << 20;
    p->data_limit[0] = p->data_limit[1] = UINT64_MAX;
    p->stack_limit[1] = p->space_limit[0] = p->space_limit[1] = UINT64_MAX;
    signals_init(p);
    bool ok = limit_cpu(config, err) && paths_init(&p->paths, &config->files, err) &&
              open_trace(p, err) && make_machine(p, err) && load_first(p, err);
    if (ok) {
        run(p);
        *status = p->status;
    }
    release_machine(p);
    if (p->trace && p->trace != stderr)
        fclose(p->trace);
    free(p);
    return ok;
}

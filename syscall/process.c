/* The life of a program: making the machine that it runs on, running it, its end. */
#include "syscall/process.h"

#include "base/os_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Between two looks at signals; about a millisecond. */
#define SLICE_STEPS     500000u
#define SIGINFO_ADDRESS 16

/* ---- its end ---- */

void process_die(struct process *p, int number)
{
    if (p->trace)
        fprintf(p->trace, "+++ killed by signal %d +++\n", number);
    p->ended = true;
    p->killed_by = number;
}

/* struct siginfo as far as it matters here: number, error, code, address. */
static void make_siginfo(uint8_t info[OS_SIGINFO_BYTES], int number, int code, uint64_t address)
{
    memset(info, 0, OS_SIGINFO_BYTES);
    memcpy(info, &number, sizeof number);
    memcpy(info + 8, &code, sizeof code);
    memcpy(info + SIGINFO_ADDRESS, &address, sizeof address);
}

void process_fault(struct process *p, int number, int code, uint64_t address)
{
    uint8_t info[OS_SIGINFO_BYTES];
    make_siginfo(info, number, code, address);
    if (p->trace)
        fprintf(p->trace, "--- signal %d, code %d, address 0x%llx ---\n", number, code,
                (unsigned long long)address);
    if (!inspect_holds(p, number, true, info))
        process_take_fault(p, number, info);
}

void process_take_fault(struct process *p, int number, const void *siginfo)
{
    uint64_t address;
    if (signals_raise(p, number, siginfo))
        return;
    memcpy(&address, (const char *)siginfo + SIGINFO_ADDRESS, sizeof address);
    process_report(p, number, &address);
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

static enum hart_stop run_slice(struct process *p)
{
    uint64_t end = min_u64(p->hart->steps + SLICE_STEPS, p->inspection.step_end);
    enum hart_stop stop = hart_run(p->hart, end);
    if (stop == HART_EXCEPTION)
        take_exception(p);
    p->hart->waiting = false; /* for the console: the call is made again */
    take_host_fault(p);
    if (!p->inspection.signal.waits && os_signal_waits())
        signals_deliver(p);
    if (!p->inspection.signal.waits)
        p->signals.interrupted = INTERRUPTED_NOT;
    return stop;
}

struct exec_exit exec_run(struct process *p)
{
    inspect_go_on(p);
    while (!p->ended) {
        enum exec_stop news = p->inspection.is_on ? inspect_news(p) : EXEC_RAN;
        if (news != EXEC_RAN)
            return (struct exec_exit){news, p->inspection.signal.number};
        enum hart_stop stop = run_slice(p);
        if (stop == HART_BREAKPOINT)
            return (struct exec_exit){EXEC_BREAKPOINT, 0};
        if (stop == HART_WATCHPOINT)
            return (struct exec_exit){EXEC_WATCHPOINT, 0};
    }
    return p->killed_by ? (struct exec_exit){EXEC_KILLED, p->killed_by}
                        : (struct exec_exit){EXEC_ENDED, p->status};
}

void exec_die(int number)
{
    fflush(NULL);
    os_signal_die(number);
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
                               .owner = p,
                               .semihosting = p->config->semihosting.is_off ? NULL : bare_call,
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

/* ---- descriptors that are ours ---- */

void process_add_own(struct process *p, int fd)
{
    assert(p->own_count < OWN_MOST && "what is moved is counted");
    p->own[p->own_count++] = fd;
}

int process_own(struct process *p, int fd)
{
    if (p->own_count == OWN_MOST) {
        close(fd);
        return -1;
    }
    fd = paths_own(fd);
    process_add_own(p, fd);
    return fd;
}

void process_close_own(struct process *p, int fd)
{
    for (unsigned i = 0; i < p->own_count; i++) {
        if (p->own[i] == fd) {
            p->own[i] = p->own[--p->own_count];
            close(fd);
            return;
        }
    }
}

int process_next_own(const struct process *p, uint64_t from)
{
    const struct views *views = &p->paths.views;
    int next = -1;
    for (size_t i = 0; i < views->count + p->own_count; i++) {
        int fd = i < views->count ? views->at[i].fd : p->own[i - views->count];
        if ((uint64_t)fd >= from && (next < 0 || fd < next))
            next = fd;
    }
    return next;
}

bool process_owns(const struct process *p, int fd)
{
    return fd >= 0 && process_next_own(p, (uint64_t)fd) == fd;
}

/* ---- what is opened for it ---- */

FILE *exec_open_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0)
        fd = paths_own(fd);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        error_set(err, "cannot write %s: %s", path, strerror(errno));
    return file;
}

static bool open_trace(struct process *p, struct error *err)
{
    const struct exec_config *c = p->config;
    if (c->log_fd >= 0)
        process_add_own(p, c->log_fd);
    if (!c->strace)
        return true;
    p->trace = c->trace_file ? exec_open_file(c->trace_file, err) : stderr;
    if (p->trace && c->trace_file)
        process_add_own(p, fileno(p->trace));
    return p->trace != NULL;
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

void exec_release(struct process *p)
{
    if (!p)
        return;
    if (log_wants(p->log, LOG_STATS) && p->code && p->hart && !inspect_is_child(p)) {
        code_log_stats(p->code);
        hart_log_stats(p->hart);
    }
    bare_close(p);
    release_machine(p);
    inspect_release(p);
    if (p->trace && p->trace != stderr)
        fclose(p->trace);
    free(p);
}

struct process *exec_start(const struct exec_config *config, struct error *err)
{
    struct process *p = calloc(1, sizeof *p);
    if (!p) {
        error_set(err, "no memory for the program");
        return NULL;
    }
    *p = (struct process){.config = config, .log = config->log, .first_pid = getpid()};
    p->vfork_fd = -1;
    p->stack_limit[0] = 8ull << 20;
    p->data_limit[0] = p->data_limit[1] = UINT64_MAX;
    p->stack_limit[1] = p->space_limit[0] = p->space_limit[1] = UINT64_MAX;
    inspect_init(p);
    signals_init(p);
    if (limit_cpu(config, err) && paths_init(&p->paths, &config->files, err) &&
        open_trace(p, err) && bare_open(p, err) && paths_enter_root(&p->paths, err) &&
        make_machine(p, err) && load_first(p, err))
        return p;
    exec_release(p);
    return NULL;
}

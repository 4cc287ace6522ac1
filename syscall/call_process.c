/* Calls that make, replace, end and describe processes. */
#include "syscall/call.h"
#include "syscall/vfork.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- fork ---- */

static void begin_child(struct call *c, uint64_t flags, const int ends[2])
{
    struct process *p = c->p;
    if (ends[0] >= 0)
        close(ends[0]);
    process_close_own(p, p->vfork_fd); /* the parent's own, who is a child of vfork too */
    p->vfork_fd = ends[1] < 0 ? -1 : process_own(p, ends[1]);
    os_signal_forget();
    inspect_leave(p);
    p->timer_count = 0; /* they are the parent's */
    p->signals.interrupted = INTERRUPTED_NOT;
    if (c->args[1])
        p->hart->x[X_SP] = c->args[1];
    if (flags & CLONE_SETTLS)
        p->hart->x[X_TP] = c->args[3];
    int32_t id = (int32_t)getpid();
    guest_i32 *tid = flags & CLONE_CHILD_SETTID ? call_at(c, c->args[4], 4, SPACE_WRITE) : NULL;
    if (tid)
        *tid = id;
    p->space.notes_stores = false;
    if (!(flags & CLONE_VM))
        space_lose_kept(&p->space);
    if (flags & CLONE_VFORK && flags & CLONE_VM)
        space_note_stores(&p->space);
    signals_set_mask(p, p->signals.mask);
}

static int64_t fork_process(struct call *c, uint64_t flags)
{
    int ends[2] = {-1, -1};
    guest_i32 *tid = flags & CLONE_PARENT_SETTID ? call_at(c, c->args[2], 4, SPACE_WRITE) : NULL;
    if (flags & CLONE_VFORK && !vfork_link(ends))
        return -errno;
    fflush(NULL);
    os_signal_mask(UINT64_MAX); /* a signal of the child's must not come before it has begun */
    int64_t child = fork();
    if (child == 0) {
        begin_child(c, flags, ends);
        return 0;
    }
    int error = errno;
    signals_set_mask(c->p, c->p->signals.mask);
    if (ends[1] >= 0)
        close(ends[1]);
    if (child < 0) {
        if (ends[0] >= 0)
            close(ends[0]);
        return -error;
    }
    if (tid)
        *tid = (int32_t)child;
    if (ends[0] >= 0)
        vfork_wait(c->p, ends[0]);
    return child;
}

/* A child that shares its parent's memory is given a copy if the parent waits for it, and has what
 * the child wrote in the end (vfork.h). */
int64_t call_clone(struct call *c)
{
    uint64_t flags = c->args[0];
    const uint64_t possible = CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID |
                              CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS;
    if (flags & CLONE_THREAD || (flags & CLONE_VM && !(flags & CLONE_VFORK))) {
        log_line(c->p->log, LOG_UNIMP, "clone(0x%llx) asks for a thread: programs have one only",
                 (unsigned long long)flags);
        return -EAGAIN;
    }
    if (flags & ~possible || (flags & CSIGNAL) != SIGCHLD)
        return -EINVAL;
    return fork_process(c, flags);
}

/* ---- execve ---- */

/* As Linux: a quarter of the stack for all words, and this for each. */
#define WORD_MOST        (32u * PAGE_BYTES)
#define STACK_WORDS_MOST (6u << 20)

static int64_t copy_pointers(struct call *c, uint64_t va, uint64_t *room, struct words *to)
{
    for (; va; va += 8) {
        const guest_u64 *pointer = call_at(c, va, 8, SPACE_READ);
        if (!pointer)
            return -EFAULT;
        if (!*pointer)
            return 0;
        const char *text = space_string(&c->p->space, *pointer);
        if (!text)
            return -EFAULT;
        uint64_t bytes = strlen(text) + 1 + sizeof *pointer;
        if (bytes > WORD_MOST || bytes > *room)
            return -E2BIG;
        *room -= bytes;
        if (!words_add(to, text))
            return -ENOMEM;
    }
    return 0;
}

static int64_t exec_at(struct call *c, int at, uint64_t path, uint64_t argv, uint64_t envp)
{
    struct words args = {0}, environment = {0};
    const char *why = NULL;
    char *name = path ? strdup((const char *)(uintptr_t)path) : NULL;
    uint64_t room = max_u64(c->p->stack_limit[0] / 4, WORD_MOST);
    room = min_u64(room, STACK_WORDS_MOST);
    int64_t error = name ? copy_pointers(c, argv, &room, &args) : -EFAULT;
    if (!error)
        error = copy_pointers(c, envp, &room, &environment);
    if (!error)
        error = process_load(c->p, at, name, &args, &environment, &why);
    words_free(&args);
    words_free(&environment);
    free(name);
    return error;
}

int64_t call_execve(struct call *c)
{
    return exec_at(c, AT_FDCWD, c->host[0], c->args[1], c->args[2]);
}

int64_t call_execveat(struct call *c)
{
    char link[40];
    uint64_t path = c->host[1];
    if (c->args[4] & ~(uint64_t)AT_EMPTY_PATH)
        return -EINVAL;
    if (path && !*(const char *)(uintptr_t)path && c->args[4]) { /* fexecve */
        if (fcntl((int)c->args[0], F_GETFD) < 0)
            return -EBADF;
        snprintf(link, sizeof link, "/dev/fd/%d", (int)c->args[0]);
        path = (uintptr_t)link;
    }
    return exec_at(c, (int)c->args[0], path, c->args[2], c->args[3]);
}

/* ---- the end ---- */

int64_t call_exit(struct call *c)
{
    vfork_tell(c->p);
    c->p->ended = true;
    c->p->status = (int)(c->args[0] & 0xff);
    return 0;
}

int64_t call_exit_group(struct call *c)
{
    return call_exit(c);
}

/* ---- identities ---- */

int64_t call_getgroups(struct call *c)
{
    int32_t n = (int32_t)c->args[0];
    if (n < 0 || n > 65536)
        return -EINVAL;
    c->host[1] = n ? (uintptr_t)call_at(c, c->args[1], (uint64_t)n * 4, SPACE_WRITE) : 0;
    return n && !c->host[1] ? -EFAULT : os_call(SYS_getgroups, c->host);
}

int64_t call_setgroups(struct call *c)
{
    int32_t n = (int32_t)c->args[0];
    if (n < 0 || n > 65536)
        return -EINVAL;
    c->host[1] = n ? (uintptr_t)call_at(c, c->args[1], (uint64_t)n * 4, SPACE_READ) : 0;
    return n && !c->host[1] ? -EFAULT : os_call(SYS_setgroups, c->host);
}

int64_t call_capget(struct call *c)
{
    c->host[0] =
        (uintptr_t)call_at(c, c->args[0], sizeof(struct __user_cap_header_struct), SPACE_WRITE);
    if (!c->host[0])
        return -EFAULT;
    if (c->args[1]) {
        c->host[1] = (uintptr_t)call_at(c, c->args[1], 2 * sizeof(struct __user_cap_data_struct),
                                        SPACE_WRITE);
        if (!c->host[1])
            return -EFAULT;
    }
    return os_call(SYS_capget, c->host);
}

int64_t call_prctl(struct call *c)
{
    switch ((int)c->args[0]) {
    case PR_SET_NAME:
        c->host[1] = (uintptr_t)space_string(&c->p->space, c->args[1]);
        return c->host[1] ? os_call(SYS_prctl, c->host) : -EFAULT;
    case PR_GET_NAME:
        c->host[1] = (uintptr_t)call_at(c, c->args[1], 16, SPACE_WRITE);
        return c->host[1] ? os_call(SYS_prctl, c->host) : -EFAULT;
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER:
        c->host[1] = (uintptr_t)call_at(c, c->args[1], 4, SPACE_WRITE);
        return c->host[1] ? os_call(SYS_prctl, c->host) : -EFAULT;
    case PR_SET_PDEATHSIG:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_NO_NEW_PRIVS:
    case PR_CAPBSET_READ:
    case PR_GET_SECUREBITS:
    case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK:
        return os_call(SYS_prctl, c->host);
    default:
        return -EINVAL;
    }
}

/* ---- limits ---- */

/* Those of memory would be the emulator's: the guest's are kept beside. */
static uint64_t *own_limit(struct process *p, uint64_t resource)
{
    return resource == RLIMIT_STACK  ? p->stack_limit
           : resource == RLIMIT_AS   ? p->space_limit
           : resource == RLIMIT_DATA ? p->data_limit
                                     : NULL;
}

static int64_t limit_of_ours(uint64_t *limit, const guest_u64 *to, guest_u64 *from)
{
    uint64_t old[2] = {limit[0], limit[1]};
    if (to) {
        if (to[0] > to[1])
            return -EINVAL;
        memcpy(limit, to, sizeof old);
    }
    if (from)
        memcpy(from, old, sizeof old);
    return 0;
}

static int64_t change_limit(struct call *c, int64_t pid, uint64_t resource, uint64_t to,
                            uint64_t from)
{
    uint64_t *own = pid == 0 || pid == getpid() ? own_limit(c->p, resource) : NULL;
    if (own) {
        int64_t error =
            limit_of_ours(own, (const guest_u64 *)(uintptr_t)to, (guest_u64 *)(uintptr_t)from);
        uint64_t limit = c->p->space_limit[0], given = c->p->config->memory_bytes;
        c->p->space.limit_bytes = given ? min_u64(given, limit) : limit;
        return error;
    }
    const uint64_t args[6] = {(uint64_t)pid, resource, to, from};
    return os_call(SYS_prlimit64, args);
}

int64_t call_prlimit64(struct call *c)
{
    return change_limit(c, (int32_t)c->args[0], c->args[1], c->host[2], c->host[3]);
}

int64_t call_getrlimit(struct call *c)
{
    return c->host[1] ? change_limit(c, 0, c->args[0], 0, c->host[1]) : -EFAULT;
}

int64_t call_setrlimit(struct call *c)
{
    return c->host[1] ? change_limit(c, 0, c->args[0], c->host[1], 0) : -EFAULT;
}

/* ---- scheduling: a program has one hart ---- */

/* As the host says of a process; what it may run on is the emulator's. */
static int64_t find_process(struct call *c)
{
    uint64_t set[128];
    const uint64_t args[6] = {c->args[0], sizeof set, (uintptr_t)set};
    int64_t n = os_call(SYS_sched_getaffinity, args);
    return n < 0 ? n : 0;
}

int64_t call_sched_getaffinity(struct call *c)
{
    const uint64_t first = 1;
    if (c->args[1] < sizeof first || c->args[1] % sizeof first)
        return -EINVAL;
    int64_t error = find_process(c);
    return error ? error : call_give(c, c->args[2], &first, sizeof first);
}

int64_t call_sched_setaffinity(struct call *c)
{
    const uint8_t *mask = c->args[1] ? call_at(c, c->args[2], 1, SPACE_READ) : NULL;
    if (c->args[1] && !mask)
        return -EFAULT;
    int64_t error = find_process(c);
    if (error)
        return error;
    return mask && *mask & 1 ? 0 : -EINVAL;
}

/* With struct sched_param, which is an int, as argument i. */
static int64_t call_with_param(struct call *c, long host_number, unsigned i,
                               enum space_protection access)
{
    if (!c->args[i])
        return -EINVAL;
    c->host[i] = (uintptr_t)call_at(c, c->args[i], 4, access);
    return c->host[i] ? os_call(host_number, c->host) : -EFAULT;
}

int64_t call_sched_getparam(struct call *c)
{
    return call_with_param(c, SYS_sched_getparam, 1, SPACE_WRITE);
}

int64_t call_sched_setparam(struct call *c)
{
    return call_with_param(c, SYS_sched_setparam, 1, SPACE_READ);
}

int64_t call_sched_setscheduler(struct call *c)
{
    return call_with_param(c, SYS_sched_setscheduler, 2, SPACE_READ);
}

int64_t call_getcpu(struct call *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (c->host[i])
            memcpy((void *)(uintptr_t)c->host[i], &(uint32_t){0}, 4);
    return 0;
}

/* ---- threads: there is one ---- */

int64_t call_set_tid_address(struct call *c)
{
    (void)c;
    return getpid();
}

/* What a thread leaves locked when it ends matters to other threads only. */
int64_t call_set_robust_list(struct call *c)
{
    return c->args[1] == 24 ? 0 : -EINVAL;
}

/* Memory may be shared with other processes, so that the host's kernel must be asked. */
int64_t call_futex(struct call *c)
{
    unsigned op = (unsigned)c->args[1] & FUTEX_CMD_MASK;
    bool waits = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI;
    bool has_second = op == FUTEX_REQUEUE || op == FUTEX_CMP_REQUEUE || op == FUTEX_WAKE_OP;
    bool writes = op == FUTEX_LOCK_PI || op == FUTEX_UNLOCK_PI || op == FUTEX_TRYLOCK_PI;
    if (op > FUTEX_TRYLOCK_PI && op != FUTEX_WAIT_BITSET && op != FUTEX_WAKE_BITSET)
        return -ENOSYS;
    c->host[0] = (uintptr_t)call_at(c, c->args[0], 4, writes ? SPACE_WRITE : SPACE_READ);
    if (!c->host[0])
        return -EFAULT;
    if (waits && c->args[3]) {
        c->host[3] = (uintptr_t)call_at(c, c->args[3], 16, SPACE_READ);
        if (!c->host[3])
            return -EFAULT;
    }
    if (has_second) {
        c->host[4] = (uintptr_t)call_at(c, c->args[4], 4, SPACE_WRITE);
        if (!c->host[4])
            return -EFAULT;
    }
    return os_call(SYS_futex, c->host);
}

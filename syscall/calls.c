/* The way of a system call: found in the table, its arguments translated, done, told of, settled.
 * Linux's ABI for RISC-V: number in a7, arguments in a0 to a5, the result in a0. */
#include "syscall/call.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers of the guest. */
enum {
#define SYSCALL(number, name, kinds) GUEST_##name = number,
#include "base/linux_calls.def"
#undef SYSCALL
};

struct row {
    call_handler *run; /* NULL: error */
    int error;
    long host_number;
};

/* The host's call with what was translated. */
static int64_t call_pass(struct call *c)
{
    return os_call(c->host_number, c->host);
}

#define PASS(name)        [GUEST_##name] = {call_pass, 0, SYS_##name},
#define DO(name)          [GUEST_##name] = {call_##name, 0, -1},
#define NONE(name, error) [GUEST_##name] = {NULL, error, -1},
static const struct row rows[] = {
#include "syscall/calls.def"
};
#undef PASS
#undef DO
#undef NONE

int64_t call_give(struct call *c, uint64_t va, const void *bytes, uint64_t n)
{
    void *to = call_at(c, va, n, SPACE_WRITE);
    if (!to)
        return -EFAULT;
    memcpy(to, bytes, n);
    return (int64_t)n;
}

/* ---- names of files ---- */

/* Whether a link at the end of the call's first name stands for its target. */
static bool follows(uint64_t number, const uint64_t *args)
{
    switch (number) {
    case GUEST_mknodat:
    case GUEST_mkdirat:
    case GUEST_unlinkat:
    case GUEST_symlinkat:
    case GUEST_renameat:
    case GUEST_renameat2:
    case GUEST_readlinkat:
    case GUEST_lsetxattr:
    case GUEST_lgetxattr:
    case GUEST_llistxattr:
    case GUEST_lremovexattr:
        return false;
    case GUEST_linkat:
        return args[4] & AT_SYMLINK_FOLLOW;
    case GUEST_newfstatat:
    case GUEST_utimensat:
    case GUEST_faccessat2:
    case GUEST_fchmodat2:
        return !(args[3] & AT_SYMLINK_NOFOLLOW);
    case GUEST_fchownat:
        return !(args[4] & AT_SYMLINK_NOFOLLOW);
    case GUEST_statx:
        return !(args[2] & AT_SYMLINK_NOFOLLOW);
    case GUEST_inotify_add_watch:
        return !(args[2] & 0x02000000); /* IN_DONT_FOLLOW */
    default:
        return true;
    }
}

/* Calls that change files, or folders, other than by an open descriptor's contents. */
static bool changes_files(uint64_t number)
{
    static const uint16_t numbers[] = {
        GUEST_mknodat,      GUEST_mkdirat,      GUEST_unlinkat,  GUEST_symlinkat, GUEST_linkat,
        GUEST_renameat2,    GUEST_truncate,     GUEST_fchmodat,  GUEST_fchmodat2, GUEST_fchownat,
        GUEST_utimensat,    GUEST_setxattr,     GUEST_lsetxattr, GUEST_fsetxattr, GUEST_removexattr,
        GUEST_lremovexattr, GUEST_fremovexattr, GUEST_fchmod,    GUEST_fchown,
    };
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool opens_by_itself(uint64_t number)
{
    return number == GUEST_openat || number == GUEST_openat2 || number == GUEST_execve ||
           number == GUEST_execveat;
}

/* Argument i is a name; what comes before it may be the folder it is relative to. */
static int64_t translate_name(struct call *c, uint64_t number, const char *kinds, unsigned i)
{
    if (!c->args[i]) /* utimensat: the descriptor itself; elsewhere the host says EFAULT */
        return 0;
    struct call_name *name = &c->names[c->name_count];
    int error = space_copy_string(&c->p->space, c->args[i], name->text, sizeof name->text);
    c->host[i] = (uintptr_t)name->text;
    if (!error && process_owns(c->p, paths_named_descriptor(name->text)))
        error = -ENOENT;
    if (error || opens_by_itself(number))
        return error;
    bool relative = i > 0 && kinds[i - 1] == 'f';
    struct place *place = &name->place;
    c->name_count++;
    bool follow = c->name_count == 1 && follows(number, c->args); /* a second one is to be made */
    error = paths_find(&c->p->paths, relative ? (int)c->args[i - 1] : AT_FDCWD, name->text, follow,
                       place);
    c->host[i] = (uintptr_t)place->path;
    if (relative)
        c->host[i - 1] = (uint64_t)(int64_t)place->at;
    return error;
}

/* ---- arguments ---- */

/* As the kernel, which copies what there is until it faults, and does not look at an address when
 * there is nothing to copy: one that is wrong becomes page 0, which is never mapped. */
static void translate_bytes(struct call *c, char kind, unsigned i)
{
    enum space_protection access = kind == 'r' ? SPACE_WRITE : SPACE_READ;
    uint64_t n = c->args[i + 1], reach = space_reach(&c->p->space, c->args[i], n, access);
    void *at = reach ? call_at(c, c->args[i], reach, access) : c->p->space.host;
    c->host[i] = (uintptr_t)at;
    c->host[i + 1] = reach ? reach : min_u64(n, PAGE_BYTES);
}

static int64_t translate_structure(struct call *c, char kind, unsigned i)
{
    unsigned n = linux_kind_bytes(kind);
    bool written = linux_kind_is_written(kind);
    void *at = call_at(c, c->args[i], n, written ? SPACE_WRITE : SPACE_READ);
    c->host[i] = (uintptr_t)at;
    return at ? 0 : -EFAULT;
}

static int64_t translate(struct call *c, uint64_t number, const char *kinds)
{
    int64_t error = 0;
    memcpy(c->host, c->args, sizeof c->host);
    for (unsigned i = 0; kinds[i] && !error; i++) {
        char kind = kinds[i];
        if ((kind == 'D' || kind == 'f') && process_owns(c->p, (int)c->args[i]))
            error = -EBADF;
        else if (kind == 'p')
            error = translate_name(c, number, kinds, i);
        else if (kind == 's')
            error = (c->host[i] = (uintptr_t)space_string(&c->p->space, c->args[i])) ? 0 : -EFAULT;
        else if ((kind == 'r' || kind == 'w') && c->args[i])
            translate_bytes(c, kind, i);
        else if (linux_kind_bytes(kind) && c->args[i])
            error = translate_structure(c, kind, i);
    }
    return error;
}

/* ---- the way ---- */

static const struct row *find_row(uint64_t number)
{
    const struct row *row = number < ARRAY_LEN(rows) ? &rows[number] : NULL;
    return row && (row->run || row->error) ? row : NULL;
}

/* A missing call is named once. */
static int64_t missing(struct process *p, uint64_t number)
{
    const struct linux_call *call = linux_call_find(number);
    uint64_t *word = &p->named[number / 64 % ARRAY_LEN(p->named)], bit = 1ull << number % 64;
    if (!(*word & bit))
        log_line(p->log, LOG_UNIMP, "system call %llu (%s) is not there",
                 (unsigned long long)number, call ? call->name : "unknown");
    *word |= bit;
    return -ENOSYS;
}

static int64_t do_call(struct call *c, uint64_t number)
{
    const struct row *row = find_row(number);
    if (!row)
        return missing(c->p, number);
    if (!row->run)
        return -row->error;
    if (c->p->config->files.read_only && changes_files(number))
        return -EROFS;
    c->host_number = row->host_number;
    int64_t error = translate(c, number, linux_call_find(number)->kinds);
    int64_t result = error ? error : row->run(c);
    for (unsigned i = 0; i < c->name_count; i++)
        place_release(&c->names[i].place);
    return result;
}

/* Calls that never begin again once a handler ran (signal(7)). */
static bool never_restarts(uint64_t number)
{
    switch (number) {
    case GUEST_ppoll:
    case GUEST_pselect6:
    case GUEST_epoll_pwait:
    case GUEST_epoll_pwait2:
    case GUEST_rt_sigsuspend:
    case GUEST_rt_sigtimedwait:
    case GUEST_nanosleep:
    case GUEST_clock_nanosleep:
        return true;
    default:
        return false;
    }
}

/* The hart may be a new program's by now, or in the middle of what a handler interrupted. */
static bool leaves_registers(uint64_t number, int64_t result)
{
    return number == GUEST_rt_sigreturn ||
           ((number == GUEST_execve || number == GUEST_execveat) && result == 0);
}

/* ---- strace ---- */

static bool read_memory(const void *owner, uint64_t va, void *to, size_t n)
{
    const struct space *s = owner;
    if (space_reach(s, va, n, SPACE_READ) != n)
        return false;
    memcpy(to, s->host + va, n);
    return true;
}

static void trace_begin(const struct process *p, struct line *l)
{
    line_begin(l);
    if (getpid() != p->first_pid)
        line_print(l, "[pid %d] ", (int)getpid());
}

static void trace_call(const struct process *p, uint64_t number, const uint64_t *args,
                       const int64_t *result)
{
    struct line l;
    struct linux_memory memory = {read_memory, &p->space};
    trace_begin(p, &l);
    linux_call_put(&l, number, args, &memory, result);
    if (result) {
        line_pad(&l, 40);
        linux_call_put_result(&l, *result);
    } else {
        line_put(&l, " = ?");
    }
    line_write(&l, p->trace);
    fflush(p->trace);
}

/* What does not come back, or not to the same memory, is told of before. */
static bool is_told_before(uint64_t number)
{
    return number == GUEST_exit || number == GUEST_exit_group || number == GUEST_rt_sigreturn ||
           number == GUEST_execve || number == GUEST_execveat;
}

void process_call(struct process *p)
{
    struct hart *h = p->hart;
    uint64_t number = h->x[X_A7];
    struct call c; /* the names are large, and few calls have any */
    c.p = p;
    c.name_count = 0;
    memcpy(c.args, &h->x[X_A0], sizeof c.args);
    h->pc += 4;
    if (p->trace && is_told_before(number))
        trace_call(p, number, c.args, NULL);
    int64_t result = do_call(&c, number);
    if (leaves_registers(number, result))
        return;
    bool is_before = result == OS_CALL_INTERRUPTED;
    if ((is_before || result == -EINTR) && os_signal_waits()) {
        p->signals.interrupted = never_restarts(number) ? INTERRUPTED_FAILS
                                 : is_before            ? INTERRUPTED_BEFORE
                                                        : INTERRUPTED_RESTARTS;
        p->signals.interrupted_a0 = h->x[X_A0];
        result = -EINTR;
    }
    if (p->trace && !is_told_before(number))
        trace_call(p, number, c.args, &result);
    h->x[X_A0] = (uint64_t)result;
    if (!p->ended && hart_is_watched(h, NOTICE_RETURN))
        hart_notify(h, &(struct notice){.kind = NOTICE_RETURN, .address = h->pc, .number = PRIV_U});
}

/* Calls by name: a Linux guest's system calls (debug/syscalls.def), and the built-in SBI's.
 *
 * A system call and its result are two events, between which the hart may run other tasks, and
 * others may return from theirs. What tells them apart is what a task returns with: its address
 * space, its thread pointer, and the address behind the ecall. */
#include "debug/trace_internal.h"

#include "cpu/peek.h"

#include <ctype.h>
#include <stdlib.h>

#define PENDING_MAX  1024u
#define TEXT_MOST    64u
#define AT_FDCWD_    -100
#define ERRNO_MOST   4095
#define X_TP         4
#define X_A0         10
#define X_A7         17
#define SYSCALL_ARGS 6u

struct pending {
    uint64_t satp, tp, pc; /* pc: of the return; 0: the entry is free */
    uint32_t number;
};

struct syscall_trace {
    struct pending pending[PENDING_MAX];
};

struct syscall_row {
    const char *name, *kinds;
};

static const struct syscall_row rows[] = {
#define SYSCALL(number, name, kinds) [number] = {#name, kinds},
#include "debug/syscalls.def"
#undef SYSCALL
};

/* The asm-generic numbers: include/uapi/asm-generic/errno-base.h and errno.h. */
static const char *const errno_names[] = {
    NULL,
    "EPERM",
    "ENOENT",
    "ESRCH",
    "EINTR",
    "EIO",
    "ENXIO",
    "E2BIG",
    "ENOEXEC",
    "EBADF",
    "ECHILD",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENOTBLK",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ENOTTY",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "ESPIPE",
    "EROFS",
    "EMLINK",
    "EPIPE",
    "EDOM",
    "ERANGE",
    "EDEADLK",
    "ENAMETOOLONG",
    "ENOLCK",
    "ENOSYS",
    "ENOTEMPTY",
    "ELOOP",
    [61] = "ENODATA",
    [88] = "ENOTSOCK",
    [95] = "EOPNOTSUPP",
    [97] = "EAFNOSUPPORT",
    [98] = "EADDRINUSE",
    [99] = "EADDRNOTAVAIL",
    [101] = "ENETUNREACH",
    [104] = "ECONNRESET",
    [106] = "EISCONN",
    [107] = "ENOTCONN",
    [110] = "ETIMEDOUT",
    [111] = "ECONNREFUSED",
    [115] = "EINPROGRESS",
};

static const struct syscall_row *find_row(uint64_t number)
{
    return number < ARRAY_LEN(rows) && rows[number].name ? &rows[number] : NULL;
}

struct syscall_trace *syscall_trace_create(void)
{
    return calloc(1, sizeof(struct syscall_trace));
}

/* --- arguments ---------------------------------------------------------------------------- */

static void put_character(struct line *l, uint8_t c)
{
    if (c == '\n')
        line_put(l, "\\n");
    else if (c == '"' || c == '\\')
        line_print(l, "\\%c", c);
    else if (isprint(c))
        line_print(l, "%c", c);
    else
        line_print(l, "\\x%02x", c);
}

/* At most `most` bytes from va in quotes, to their first 0 when they are a string; as an address
 * when the page is not there yet. */
static void put_text(struct line *l, const struct hart *h, uint64_t va, uint64_t most, bool string)
{
    uint8_t byte;
    uint64_t n = min_u64(most, TEXT_MOST);
    if (!peek_memory(h, va, &byte, 1)) {
        line_hex(l, va, 1);
        return;
    }
    line_put(l, "\"");
    uint64_t i = 0;
    for (; i < n && peek_memory(h, va + i, &byte, 1) && !(string && !byte); i++)
        put_character(l, byte);
    line_put(l, i == n && most > n ? "\"..." : "\"");
}

static void put_open_flags(struct line *l, uint64_t flags)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {0100, "O_CREAT"},       {0200, "O_EXCL"},         {0400, "O_NOCTTY"},
        {01000, "O_TRUNC"},      {02000, "O_APPEND"},      {04000, "O_NONBLOCK"},
        {040000, "O_DIRECT"},    {0100000, "O_LARGEFILE"}, {0200000, "O_DIRECTORY"},
        {0400000, "O_NOFOLLOW"}, {02000000, "O_CLOEXEC"},  {010000000, "O_PATH"},
    };
    static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
    line_put(l, modes[flags & 3]);
    flags &= ~3ull;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!(flags & names[i].bit))
            continue;
        line_print(l, "|%s", names[i].name);
        flags &= ~(uint64_t)names[i].bit;
    }
    if (flags) {
        line_put(l, "|");
        line_hex(l, flags, 1);
    }
}

static void put_argument(struct line *l, const struct hart *h, char kind, const uint64_t *value)
{
    switch (kind) {
    case 's':
        put_text(l, h, *value, UINT64_MAX, true);
        break;
    case 'w':
        put_text(l, h, *value, value[1], false);
        break;
    case 'f':
        if ((int32_t)*value == AT_FDCWD_)
            line_put(l, "AT_FDCWD");
        else
            line_print(l, "%d", (int32_t)*value);
        break;
    case 'o':
        put_open_flags(l, *value);
        break;
    case 'm':
        line_print(l, "%#llo", (unsigned long long)*value);
        break;
    case 'd':
        line_print(l, "%lld", (long long)*value);
        break;
    case 'u':
        line_print(l, "%llu", (unsigned long long)*value);
        break;
    default:
        line_hex(l, *value, 1);
    }
}

/* --- system calls ------------------------------------------------------------------------- */

static void put_name(struct line *l, uint64_t number)
{
    const struct syscall_row *row = find_row(number);
    if (row)
        line_put(l, row->name);
    else
        line_print(l, "syscall_%llu", (unsigned long long)number);
}

static bool is_of(const struct pending *p, const struct hart *h, uint64_t pc)
{
    return p->pc == pc && p->satp == h->csr.satp && p->tp == h->x[X_TP];
}

static struct pending *find_pending(struct syscall_trace *s, const struct hart *h, uint64_t pc)
{
    for (unsigned i = 0; i < PENDING_MAX; i++)
        if (is_of(&s->pending[i], h, pc))
            return &s->pending[i];
    return NULL;
}

/* Calls that never return (exit) leave entries behind: when all are taken one of them goes. */
static void remember(struct syscall_trace *s, const struct hart *h, uint64_t pc, uint64_t number)
{
    struct pending *p = find_pending(s, h, pc);
    for (unsigned i = 0; i < PENDING_MAX && !p; i++)
        if (!s->pending[i].pc)
            p = &s->pending[i];
    if (!p)
        p = &s->pending[h->steps % PENDING_MAX];
    *p = (struct pending){h->csr.satp, h->x[X_TP], pc, (uint32_t)number};
}

void syscall_trace_put(struct line *l, struct syscall_trace *s, const struct hart *h)
{
    uint64_t number = h->x[X_A7];
    const struct syscall_row *row = find_row(number);
    const char *kinds = row ? row->kinds : "xxxxxx";
    put_name(l, number);
    line_put(l, "(");
    for (unsigned i = 0; kinds[i] && i < SYSCALL_ARGS; i++) {
        line_put(l, i ? ", " : "");
        put_argument(l, h, kinds[i], &h->x[X_A0 + i]);
    }
    line_put(l, ")");
    remember(s, h, h->pc + 4, number);
}

bool syscall_trace_put_return(struct line *l, struct syscall_trace *s, const struct hart *h,
                              uint64_t pc)
{
    struct pending *p = find_pending(s, h, pc);
    if (!p)
        return false;
    int64_t value = (int64_t)h->x[X_A0];
    put_name(l, p->number);
    p->pc = 0;
    bool error = value < 0 && value >= -ERRNO_MOST;
    if (error || (value >= 0 && value < 1 << 20))
        line_print(l, " = %lld", (long long)value);
    else
        line_print(l, " = 0x%llx", (unsigned long long)value);
    if (error && (size_t)-value < ARRAY_LEN(errno_names) && errno_names[-value])
        line_print(l, " %s", errno_names[-value]);
    return true;
}

/* --- SBI ---------------------------------------------------------------------------------- */

struct sbi_names {
    uint64_t id;
    const char *name;
    const char *const *functions; /* NULL after the last */
};

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* SBI specification 3.0; the first nine are its legacy calls, which have no functions. */
static const struct sbi_names extensions[] = {
    {0, "legacy_set_timer", NULL},
    {1, "legacy_console_putchar", NULL},
    {2, "legacy_console_getchar", NULL},
    {3, "legacy_clear_ipi", NULL},
    {4, "legacy_send_ipi", NULL},
    {5, "legacy_remote_fence_i", NULL},
    {6, "legacy_remote_sfence_vma", NULL},
    {7, "legacy_remote_sfence_vma_asid", NULL},
    {8, "legacy_shutdown", NULL},
    {0x10, "base",
     NAMES("get_spec_version", "get_impl_id", "get_impl_version", "probe_extension",
           "get_mvendorid", "get_marchid", "get_mimpid")},
    {0x54494d45, "time", NAMES("set_timer")},
    {0x735049, "ipi", NAMES("send_ipi")},
    {0x52464e43, "rfence",
     NAMES("remote_fence_i", "remote_sfence_vma", "remote_sfence_vma_asid",
           "remote_hfence_gvma_vmid", "remote_hfence_gvma", "remote_hfence_vvma_asid",
           "remote_hfence_vvma")},
    {0x48534d, "hsm", NAMES("hart_start", "hart_stop", "hart_get_status", "hart_suspend")},
    {0x53525354, "srst", NAMES("system_reset")},
    {0x504d55, "pmu",
     NAMES("num_counters", "counter_get_info", "counter_config_matching", "counter_start",
           "counter_stop", "counter_fw_read", "counter_fw_read_hi", "snapshot_set_shmem",
           "event_get_info")},
    {0x4442434e, "dbcn", NAMES("console_write", "console_read", "console_write_byte")},
    {0x53555350, "susp", NAMES("system_suspend")},
    {0x46574654, "fwft", NAMES("set", "get")},
    {0x535441, "sta", NAMES("steal_time_set_shmem")},
};

static const char *function_name(const struct sbi_names *e, uint64_t number)
{
    for (uint64_t i = 0; e->functions && e->functions[i]; i++)
        if (i == number)
            return e->functions[i];
    return NULL;
}

void sbi_trace_put(struct line *l, const struct hart *h)
{
    uint64_t id = h->x[X_A7], number = h->x[X_A7 - 1];
    const struct sbi_names *e = extensions;
    while (e < extensions + ARRAY_LEN(extensions) && e->id != id)
        e++;
    bool known = e < extensions + ARRAY_LEN(extensions);
    const char *function = known ? function_name(e, number) : NULL;
    line_put(l, "sbi ");
    if (known)
        line_put(l, e->name);
    else
        line_hex(l, id, 1);
    if (function)
        line_print(l, ".%s", function);
    else if (!known || e->functions)
        line_print(l, ".%llu", (unsigned long long)number);
    line_put(l, "(");
    for (unsigned i = 0; i < 6; i++) {
        line_put(l, i ? ", " : "");
        line_hex(l, h->x[X_A0 + i], 1);
    }
    line_put(l, ")");
}

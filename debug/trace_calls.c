/* Calls by name: a Linux guest's system calls (base/linux_calls.h), and the built-in SBI's.
 *
 * A system call and its result are two events, between which the hart may run other tasks, and
 * others may return from theirs. What tells them apart is what a task returns with: its address
 * space, its thread pointer, and the address behind the ecall. */
#include "debug/trace_internal.h"

#include "base/linux_calls.h"
#include "cpu/peek.h"

#include <stdlib.h>

#define PENDING_MAX 1024u
#define X_TP        4
#define X_A0        10
#define X_A7        17

struct pending {
    uint64_t satp, tp, pc; /* pc: of the return; 0: the entry is free */
    uint32_t number;
};

struct syscall_trace {
    struct pending pending[PENDING_MAX];
};

struct syscall_trace *syscall_trace_create(void)
{
    return calloc(1, sizeof(struct syscall_trace));
}

/* --- system calls ------------------------------------------------------------------------- */

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

static bool peek_call(const void *hart, uint64_t va, void *to, size_t n)
{
    return peek_memory(hart, va, to, n);
}

void syscall_trace_put(struct line *l, struct syscall_trace *s, const struct hart *h)
{
    struct linux_memory memory = {peek_call, h};
    linux_call_put(l, h->x[X_A7], &h->x[X_A0], &memory, NULL);
    remember(s, h, h->pc + 4, h->x[X_A7]);
}

bool syscall_trace_put_return(struct line *l, struct syscall_trace *s, const struct hart *h,
                              uint64_t pc)
{
    struct pending *p = find_pending(s, h, pc);
    if (!p)
        return false;
    linux_call_put_name(l, p->number);
    p->pc = 0;
    linux_call_put_result(l, (int64_t)h->x[X_A0]);
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

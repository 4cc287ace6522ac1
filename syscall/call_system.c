/* Calls that tell what the system is. */
#include "syscall/call.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define UTS_BYTES 65u

int64_t call_uname(struct call *c)
{
    struct utsname host;
    char(*to)[UTS_BYTES] = (char(*)[UTS_BYTES])(uintptr_t)c->host[0];
    if (!to)
        return -EFAULT;
    uname(&host);
    const char *const texts[] = {host.sysname, host.nodename, host.release,
                                 host.version, "riscv64",     host.domainname};
    memset(to, 0, ARRAY_LEN(texts) * UTS_BYTES);
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
        memcpy(to[i], texts[i], min_u64(strlen(texts[i]), UTS_BYTES - 1));
    return 0;
}

#define TIMEZONE_BYTES 8u

int64_t call_settimeofday(struct call *c)
{
    c->host[1] = c->args[1] ? (uintptr_t)call_at(c, c->args[1], TIMEZONE_BYTES, SPACE_READ) : 0;
    return c->args[1] && !c->host[1] ? -EFAULT : os_call(SYS_settimeofday, c->host);
}

/* ---- riscv_hwprobe: Documentation/arch/riscv/hwprobe.rst of Linux 6.12 ---- */

enum hwprobe_key {
    KEY_MVENDORID,
    KEY_MARCHID,
    KEY_MIMPID,
    KEY_BASE_BEHAVIOR,
    KEY_IMA_EXT_0,
    KEY_CPUPERF_0,
    KEY_ZICBOZ_BLOCK_SIZE,
    KEY_HIGHEST_VIRT_ADDRESS,
    KEY_TIME_CSR_FREQ,
    KEY_MISALIGNED_SCALAR_PERF,
    KEY_MISALIGNED_VECTOR_PERF,
};

#define BASE_BEHAVIOR_IMA      1u
#define MISALIGNED_FAST        3u
#define MISALIGNED_UNSUPPORTED 4u
#define WHICH_CPUS             1u

/* Bits of KEY_IMA_EXT_0. */
static const struct {
    uint8_t bit;
    size_t offset;
} extensions[] = {
#define BIT(bit, name)                                                                             \
    {                                                                                              \
        bit, offsetof(struct hart_isa, name)                                                       \
    }
    BIT(0, d),      BIT(1, c),       BIT(3, zba),          BIT(4, zbb),        BIT(5, zbs),
    BIT(6, zicboz), BIT(7, zbc),     BIT(8, zbkb),         BIT(9, zbkc),       BIT(10, zbkx),
    BIT(11, zknd),  BIT(12, zkne),   BIT(13, zknh),        BIT(14, zksed),     BIT(15, zksh),
    BIT(16, zkt),   BIT(27, zfh),    BIT(28, zfhmin),      BIT(29, zihintntl), BIT(32, zfa),
    BIT(34, zacas), BIT(35, zicond), BIT(36, zihintpause), BIT(42, zimop),     BIT(43, zca),
    BIT(44, zcb),   BIT(45, zcd),    BIT(47, zcmop),       BIT(48, zawrs),
#undef BIT
};

static uint64_t extension_bits(const struct hart_isa *isa)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < ARRAY_LEN(extensions); i++)
        if (*((const bool *)isa + extensions[i].offset))
            bits |= 1ull << extensions[i].bit;
    return bits;
}

/* False: there is no such key. */
static bool probe(const struct process *p, int64_t key, uint64_t *value)
{
    switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID:
        *value = 0;
        return true;
    case KEY_BASE_BEHAVIOR:
        *value = BASE_BEHAVIOR_IMA;
        return true;
    case KEY_IMA_EXT_0:
        *value = extension_bits(&p->hart->isa);
        return true;
    case KEY_CPUPERF_0:
    case KEY_MISALIGNED_SCALAR_PERF:
        *value = MISALIGNED_FAST;
        return true;
    case KEY_ZICBOZ_BLOCK_SIZE:
        *value = p->hart->isa.zicboz ? CACHE_BLOCK_BYTES : 0;
        return true;
    case KEY_HIGHEST_VIRT_ADDRESS:
        *value = SPACE_BYTES - PAGE_BYTES - 1;
        return true;
    case KEY_TIME_CSR_FREQ:
        *value = 1000000000ull / NS_PER_MTIME;
        return true;
    case KEY_MISALIGNED_VECTOR_PERF:
        *value = MISALIGNED_UNSUPPORTED;
        return true;
    default:
        return false;
    }
}

struct pair {
    int64_t key;
    uint64_t value;
} GUEST_LAYOUT;

/* With WHICH_CPUS the values are given, and the set of those that have them is asked for. */
static int64_t match_cpus(struct call *c, const struct pair *pairs, uint64_t count)
{
    uint64_t n = c->args[2];
    uint8_t *set = n ? call_at(c, c->args[3], n, SPACE_WRITE) : NULL;
    if (!set)
        return n ? -EFAULT : -EINVAL;
    bool matches = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value;
        bool known = probe(c->p, pairs[i].key, &value);
        bool bitwise = pairs[i].key == KEY_BASE_BEHAVIOR || pairs[i].key == KEY_IMA_EXT_0;
        matches &= known &&
                   (bitwise ? (value & pairs[i].value) == pairs[i].value : value == pairs[i].value);
    }
    bool wanted = set[0] & 1;
    for (uint64_t i = 1; i < n && !wanted; i++)
        wanted = set[i];
    bool was_empty = !wanted;
    memset(set, 0, n);
    set[0] = matches && (wanted || was_empty);
    return 0;
}

int64_t call_riscv_hwprobe(struct call *c)
{
    uint64_t count = c->args[1];
    if (c->args[4] & ~(uint64_t)WHICH_CPUS || count > SPACE_BYTES / sizeof(struct pair))
        return -EINVAL;
    struct pair *pairs = call_at(c, c->args[0], count * sizeof *pairs, SPACE_WRITE);
    if (!pairs)
        return -EFAULT;
    if (c->args[4] & WHICH_CPUS)
        return match_cpus(c, pairs, count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = 0;
        bool known = probe(c->p, pairs[i].key, &value);
        pairs[i] = (struct pair){known ? pairs[i].key : -1, value};
    }
    return 0;
}

/* Stores drop what was decoded from the same address; memory that is mapped twice is why programs
 * call this. */
int64_t call_riscv_flush_icache(struct call *c)
{
    if (c->args[2] & ~1ull)
        return -EINVAL;
    code_flush(c->p->code);
    return 0;
}

/* Linux's system calls as text (contract: linux_calls.h). */
#include "base/linux_calls.h"

#include "base/bits.h"

#include <ctype.h>

#define TEXT_MOST 64u
#define AT_FDCWD_ -100

static const struct linux_call rows[] = {
#define SYSCALL(number, name, kinds) [number] = {#name, kinds},
#include "base/linux_calls.def"
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
    [62] = "ETIME",
    [71] = "EPROTO",
    [75] = "EOVERFLOW",
    [84] = "EILSEQ",
    [88] = "ENOTSOCK",
    [90] = "EMSGSIZE",
    [92] = "ENOPROTOOPT",
    [93] = "EPROTONOSUPPORT",
    [95] = "EOPNOTSUPP",
    [97] = "EAFNOSUPPORT",
    [98] = "EADDRINUSE",
    [99] = "EADDRNOTAVAIL",
    [101] = "ENETUNREACH",
    [104] = "ECONNRESET",
    [105] = "ENOBUFS",
    [106] = "EISCONN",
    [107] = "ENOTCONN",
    [110] = "ETIMEDOUT",
    [111] = "ECONNREFUSED",
    [113] = "EHOSTUNREACH",
    [114] = "EALREADY",
    [115] = "EINPROGRESS",
};

const struct linux_call *linux_call_find(uint64_t number)
{
    return number < ARRAY_LEN(rows) && rows[number].name ? &rows[number] : NULL;
}

/* Sizes of the structures, of which all have the same layout on 64-bit Linux but S, F and U, which
 * are RISC-V's. */
unsigned linux_kind_bytes(char kind)
{
    static const uint16_t bytes[128] = {
        ['a'] = 24,  ['b'] = 8,   ['e'] = 16,  ['E'] = 16,  ['g'] = 32,  ['h'] = 24,
        ['H'] = 24,  ['i'] = 32,  ['I'] = 32,  ['k'] = 8,   ['K'] = 8,   ['l'] = 16,
        ['L'] = 16,  ['n'] = 4,   ['N'] = 4,   ['P'] = 8,   ['q'] = 128, ['Q'] = 128,
        ['t'] = 16,  ['T'] = 16,  ['A'] = 24,  ['C'] = 32,  ['F'] = 120, ['R'] = 144,
        ['S'] = 128, ['U'] = 390, ['X'] = 256, ['Y'] = 112, ['Z'] = 8,
    };
    return (unsigned char)kind < ARRAY_LEN(bytes) ? bytes[(unsigned char)kind] : 0;
}

bool linux_kind_is_written(char kind)
{
    bool is_upper = kind >= 'A' && kind <= 'Z';
    return kind == 'r' || kind == 'b' || (is_upper && linux_kind_bytes(kind));
}

/* --- arguments ---------------------------------------------------------------------------- */

static bool peek(const struct linux_memory *m, uint64_t va, void *to, size_t n)
{
    return m->read(m->owner, va, to, n);
}

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
static void put_text(struct line *l, const struct linux_memory *m, uint64_t va, uint64_t most,
                     bool string)
{
    uint8_t byte;
    uint64_t n = min_u64(most, TEXT_MOST);
    if (!peek(m, va, &byte, 1)) {
        line_hex(l, va, 1);
        return;
    }
    line_put(l, "\"");
    uint64_t i = 0;
    for (; i < n && peek(m, va + i, &byte, 1) && !(string && !byte); i++)
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

/* Two words of 64 bits: seconds and a fraction, limits. */
static void put_pair(struct line *l, const struct linux_memory *m, uint64_t va)
{
    int64_t pair[2];
    if (peek(m, va, pair, sizeof pair))
        line_print(l, "{%lld, %lld}", (long long)pair[0], (long long)pair[1]);
    else
        line_hex(l, va, 1);
}

static void put_ints(struct line *l, const struct linux_memory *m, uint64_t va, unsigned count)
{
    int32_t values[2];
    if (peek(m, va, values, count * sizeof values[0])) {
        line_print(l, "[%d", values[0]);
        if (count > 1)
            line_print(l, ", %d", values[1]);
        line_put(l, "]");
    } else {
        line_hex(l, va, 1);
    }
}

static void put_stat(struct line *l, const struct linux_memory *m, uint64_t va)
{
    uint32_t mode;
    int64_t size;
    if (peek(m, va + 16, &mode, sizeof mode) && peek(m, va + 48, &size, sizeof size))
        line_print(l, "{st_mode=%#o, st_size=%lld, ...}", mode, (long long)size);
    else
        line_hex(l, va, 1);
}

static void put_structure(struct line *l, const struct linux_memory *m, char kind, uint64_t va)
{
    uint64_t word;
    switch (kind) {
    case 't':
    case 'T':
    case 'e':
    case 'E':
    case 'l':
    case 'L':
        put_pair(l, m, va);
        break;
    case 'n':
    case 'N':
        put_ints(l, m, va, 1);
        break;
    case 'P':
        put_ints(l, m, va, 2);
        break;
    case 'S':
        put_stat(l, m, va);
        break;
    case 'k':
    case 'K':
    case 'b':
        if (peek(m, va, &word, sizeof word)) {
            line_put(l, "[");
            line_hex(l, word, 1);
            line_put(l, "]");
            break;
        }
        /* fall through */
    default:
        line_hex(l, va, 1);
    }
}

static void put_scalar(struct line *l, char kind, uint64_t value)
{
    switch (kind) {
    case 'f':
        if ((int32_t)value == AT_FDCWD_)
            line_put(l, "AT_FDCWD");
        else
            line_print(l, "%d", (int32_t)value);
        break;
    case 'o':
        put_open_flags(l, value);
        break;
    case 'm':
        line_print(l, "%#llo", (unsigned long long)value);
        break;
    case 'd':
    case 'D':
        line_print(l, "%lld", (long long)value);
        break;
    case 'u':
    case 'z':
        line_print(l, "%llu", (unsigned long long)value);
        break;
    default:
        line_hex(l, value, 1);
    }
}

static void put_argument(struct line *l, const struct linux_memory *m, char kind,
                         const uint64_t *value, const int64_t *result)
{
    bool ready = !linux_kind_is_written(kind) || (result && *result >= 0);
    if (kind == 's' || kind == 'p')
        put_text(l, m, *value, UINT64_MAX, true);
    else if (kind == 'w')
        put_text(l, m, *value, value[1], false);
    else if (kind == 'r' && ready)
        put_text(l, m, *value, min_u64(value[1], (uint64_t)*result), false);
    else if (*value && ready && linux_kind_bytes(kind))
        put_structure(l, m, kind, *value);
    else
        put_scalar(l, kind, *value);
}

void linux_call_put_name(struct line *l, uint64_t number)
{
    const struct linux_call *call = linux_call_find(number);
    if (call)
        line_put(l, call->name);
    else
        line_print(l, "syscall_%llu", (unsigned long long)number);
}

void linux_call_put(struct line *l, uint64_t number, const uint64_t args[LINUX_CALL_ARGS],
                    const struct linux_memory *memory, const int64_t *result)
{
    const struct linux_call *call = linux_call_find(number);
    const char *kinds = call ? call->kinds : "xxxxxx";
    linux_call_put_name(l, number);
    line_put(l, "(");
    for (unsigned i = 0; kinds[i] && i < LINUX_CALL_ARGS; i++) {
        line_put(l, i ? ", " : "");
        put_argument(l, memory, kinds[i], &args[i], result);
    }
    line_put(l, ")");
}

void linux_call_put_result(struct line *l, int64_t result)
{
    bool error = result < 0 && result >= -LINUX_ERRNO_MOST;
    if (error || (result >= 0 && result < 1 << 20))
        line_print(l, " = %lld", (long long)result);
    else
        line_print(l, " = 0x%llx", (unsigned long long)result);
    if (error && (size_t)-result < ARRAY_LEN(errno_names) && errno_names[-result])
        line_print(l, " %s", errno_names[-result]);
}

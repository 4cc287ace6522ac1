/* Calls on open files. */
#include "syscall/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* ---- vectors ---- */

struct guest_iovec {
    uint64_t base, bytes;
} GUEST_LAYOUT;

int64_t call_vectors(struct call *c, uint64_t va, uint64_t count, enum space_protection access,
                     struct iovec *to)
{
    if (count > CALL_VECTORS_MOST)
        return -EINVAL;
    const struct guest_iovec *from = call_at(c, va, count * sizeof *from, SPACE_READ);
    if (!from)
        return -EFAULT;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t base = from[i].base, n = from[i].bytes;
        if ((int64_t)n < 0)
            return -EINVAL;
        uint64_t reach = space_reach(&c->p->space, base, n, access);
        if (n && !reach && i == 0)
            return -EFAULT;
        to[i] = (struct iovec){n ? call_at(c, base, reach, access) : NULL, reach};
        if (reach < n)
            return (int64_t)i + 1;
    }
    return (int64_t)count;
}

static int64_t vector_call(struct call *c, long number, enum space_protection access)
{
    struct iovec vectors[CALL_VECTORS_MOST];
    int64_t count = call_vectors(c, c->args[1], c->args[2], access, vectors);
    if (count < 0)
        return count;
    c->host[1] = (uintptr_t)vectors;
    c->host[2] = (uint64_t)count;
    return os_call(number, c->host);
}

int64_t call_readv(struct call *c)
{
    return vector_call(c, SYS_readv, SPACE_WRITE);
}

int64_t call_writev(struct call *c)
{
    return vector_call(c, SYS_writev, SPACE_READ);
}

int64_t call_preadv(struct call *c)
{
    return vector_call(c, SYS_preadv, SPACE_WRITE);
}

int64_t call_pwritev(struct call *c)
{
    return vector_call(c, SYS_pwritev, SPACE_READ);
}

int64_t call_preadv2(struct call *c)
{
    return vector_call(c, SYS_preadv2, SPACE_WRITE);
}

int64_t call_pwritev2(struct call *c)
{
    return vector_call(c, SYS_pwritev2, SPACE_READ);
}

/* ---- descriptors ---- */

int64_t call_dup3(struct call *c)
{
    c->host[2] = (unsigned)call_open_flags_to_host(c->args[2]);
    return os_call(SYS_dup3, c->host);
}

int64_t call_pipe2(struct call *c)
{
    c->host[1] = (unsigned)call_open_flags_to_host(c->args[1]);
    return os_call(SYS_pipe2, c->host);
}

/* Our own descriptors are not the guest's to close: what lies around them is. */
int64_t call_close_range(struct call *c)
{
    uint64_t first = (uint32_t)c->args[0], last = (uint32_t)c->args[1];
    int64_t result = 0;
    if (first > last)
        return -EINVAL;
    for (int own; !result && (own = process_next_own(c->p, first)) >= 0 && (unsigned)own <= last;) {
        const uint64_t before[6] = {first, (unsigned)own - 1, c->args[2]};
        result = (unsigned)own > first ? os_call(SYS_close_range, before) : 0;
        first = (unsigned)own + 1;
    }
    const uint64_t rest[6] = {first, last, c->args[2]};
    return result || first > last ? result : os_call(SYS_close_range, rest);
}

int64_t call_signalfd4(struct call *c)
{
    c->host[3] = (unsigned)call_open_flags_to_host(c->args[3]);
    return os_call(SYS_signalfd4, c->host);
}

/* What the third argument is, by command. */
int64_t call_fcntl(struct call *c)
{
    int64_t result;
    switch ((int)c->args[1]) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        c->host[2] = (uintptr_t)call_at(c, c->args[2], sizeof(struct flock), SPACE_WRITE);
        break;
    case F_GETOWN_EX:
    case F_SETOWN_EX:
        c->host[2] = (uintptr_t)call_at(c, c->args[2], 8, SPACE_WRITE);
        break;
    case F_SETFL:
        c->host[2] = (unsigned)call_open_flags_to_host(c->args[2]);
        break;
    case F_GETFL:
        result = os_call(SYS_fcntl, c->host);
        return result < 0 ? result : (int64_t)call_open_flags_to_guest((int)result);
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETOWN:
    case F_SETOWN:
    case F_GETSIG:
    case F_SETSIG:
    case F_SETLEASE:
    case F_GETLEASE:
    case F_NOTIFY:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
        break;
    default:
        return -EINVAL;
    }
    return os_call(SYS_fcntl, c->host);
}

/* ---- ioctl ---- */

enum direction { BY_VALUE, READS, WRITES };

/* Numbers and layouts are asm-generic's, which x86-64 and AArch64 have too. */
static const struct {
    uint32_t number;
    uint16_t bytes;
    uint8_t direction;
} ioctls[] = {
    {0x5401, 36, WRITES},      /* TCGETS */
    {0x5402, 36, READS},       /* TCSETS */
    {0x5403, 36, READS},       /* TCSETSW */
    {0x5404, 36, READS},       /* TCSETSF */
    {0x5409, 0, BY_VALUE},     /* TCSBRK */
    {0x540a, 0, BY_VALUE},     /* TCXONC */
    {0x540b, 0, BY_VALUE},     /* TCFLSH */
    {0x540c, 0, BY_VALUE},     /* TIOCEXCL */
    {0x540d, 0, BY_VALUE},     /* TIOCNXCL */
    {0x540e, 0, BY_VALUE},     /* TIOCSCTTY */
    {0x540f, 4, WRITES},       /* TIOCGPGRP */
    {0x5410, 4, READS},        /* TIOCSPGRP */
    {0x5411, 4, WRITES},       /* TIOCOUTQ */
    {0x5413, 8, WRITES},       /* TIOCGWINSZ */
    {0x5414, 8, READS},        /* TIOCSWINSZ */
    {0x541b, 4, WRITES},       /* FIONREAD */
    {0x5420, 4, READS},        /* TIOCPKT */
    {0x5421, 4, READS},        /* FIONBIO */
    {0x5422, 0, BY_VALUE},     /* TIOCNOTTY */
    {0x5425, 0, BY_VALUE},     /* TCSBRKP */
    {0x5429, 4, WRITES},       /* TIOCGSID */
    {0x5450, 0, BY_VALUE},     /* FIONCLEX */
    {0x5451, 0, BY_VALUE},     /* FIOCLEX */
    {0x5452, 4, READS},        /* FIOASYNC */
    {0x40045431, 4, READS},    /* TIOCSPTLCK */
    {0x80045430, 4, WRITES},   /* TIOCGPTN */
    {0x5441, 0, BY_VALUE},     /* TIOCGPTPEER */
    {0x802c542a, 44, WRITES},  /* TCGETS2 */
    {0x402c542b, 44, READS},   /* TCSETS2 */
    {0x402c542c, 44, READS},   /* TCSETSW2 */
    {0x402c542d, 44, READS},   /* TCSETSF2 */
    {0x40049409, 0, BY_VALUE}, /* FICLONE */
    {0x80086601, 8, WRITES},   /* FS_IOC_GETFLAGS */
    {0x80081272, 8, WRITES},   /* BLKGETSIZE64 */
    {0x1268, 4, WRITES},       /* BLKSSZGET */
};

int64_t call_ioctl(struct call *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(ioctls); i++) {
        if (ioctls[i].number != (uint32_t)c->args[1])
            continue;
        if (ioctls[i].direction != BY_VALUE) {
            void *at = call_at(c, c->args[2], ioctls[i].bytes,
                               ioctls[i].direction == WRITES ? SPACE_WRITE : SPACE_READ);
            if (!at)
                return -EFAULT;
            c->host[2] = (uintptr_t)at;
        }
        return os_call(SYS_ioctl, c->host);
    }
    log_line(c->p->log, LOG_UNIMP, "ioctl 0x%llx is not there", (unsigned long long)c->args[1]);
    return -ENOTTY;
}

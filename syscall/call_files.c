/* Calls on files by name, and what the kernel tells of files. */
#include "syscall/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- flags of open: the generic numbers, which some hosts have too ---- */

static const struct {
    unsigned guest, host;
} open_flags[] = {
    {0100, O_CREAT},       {0200, O_EXCL},         {0400, O_NOCTTY},      {01000, O_TRUNC},
    {02000, O_APPEND},     {04000, O_NONBLOCK},    {010000, O_DSYNC},     {020000, O_ASYNC},
    {040000, O_DIRECT},    {0200000, O_DIRECTORY}, {0400000, O_NOFOLLOW}, {01000000, O_NOATIME},
    {02000000, O_CLOEXEC}, {04010000, O_SYNC},     {010000000, O_PATH},   {020200000, O_TMPFILE},
};

#define OPEN_LARGEFILE 0100000u /* of every 64-bit kernel */

int call_open_flags_to_host(uint64_t guest)
{
    unsigned host = guest & O_ACCMODE;
    for (unsigned i = 0; i < ARRAY_LEN(open_flags); i++)
        if ((guest & open_flags[i].guest) == open_flags[i].guest)
            host |= open_flags[i].host;
    return (int)host;
}

uint64_t call_open_flags_to_guest(int host)
{
    uint64_t guest = (unsigned)host & O_ACCMODE;
    for (unsigned i = 0; i < ARRAY_LEN(open_flags); i++)
        if (((unsigned)host & open_flags[i].host) == open_flags[i].host)
            guest |= open_flags[i].guest;
    return guest | OPEN_LARGEFILE;
}

int64_t call_openat(struct call *c)
{
    const char *path = (const char *)(uintptr_t)c->host[1];
    int flags = call_open_flags_to_host(c->args[2]);
    if (!path)
        return -EFAULT;
    return paths_open(&c->p->paths, (int)c->args[0], path, flags, (unsigned)c->args[3]);
}

#define OPEN_MODES 07777u
#define RESOLVES                                                                                   \
    (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |             \
     RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* Unlike open's, flags that nobody knows are an error. */
static bool is_how(const struct open_how *how)
{
    unsigned known = O_ACCMODE | OPEN_LARGEFILE;
    for (unsigned i = 0; i < ARRAY_LEN(open_flags); i++)
        known |= open_flags[i].guest;
    int flags = call_open_flags_to_host(how->flags);
    bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    return !(how->flags & ~(uint64_t)known) && !(how->mode & ~(uint64_t)(makes ? OPEN_MODES : 0)) &&
           !(how->resolve & ~(uint64_t)RESOLVES);
}

/* struct open_how may grow: what is behind the part that we know must be 0. */
int64_t call_openat2(struct call *c)
{
    struct open_how how;
    uint64_t n = c->args[3];
    const char *path = (const char *)(uintptr_t)c->host[1];
    if (n < sizeof how || n > PAGE_BYTES)
        return n < sizeof how ? -EINVAL : -E2BIG;
    const uint8_t *given = call_at(c, c->args[2], n, SPACE_READ);
    if (!given || !path)
        return -EFAULT;
    memcpy(&how, given, sizeof how);
    for (uint64_t i = sizeof how; i < n; i++)
        if (given[i])
            return -E2BIG;
    if (!is_how(&how))
        return -EINVAL;
    how.flags = (unsigned)call_open_flags_to_host(how.flags);
    return paths_open_as(&c->p->paths, (int)c->args[0], path, &how);
}

/* ---- names ---- */

/* A device would lead out of a root. */
int64_t call_mknodat(struct call *c)
{
    uint64_t type = c->args[2] & S_IFMT;
    if (c->p->paths.confined && (type == S_IFCHR || type == S_IFBLK))
        return -EPERM;
    return os_call(SYS_mknodat, c->host);
}

int64_t call_faccessat2(struct call *c)
{
    return os_call(SYS_faccessat2, c->host);
}

int64_t call_fchmodat2(struct call *c)
{
    if (c->args[3]) /* AT_SYMLINK_NOFOLLOW: no file system of Linux has modes of links */
        return -EOPNOTSUPP;
    return os_call(SYS_fchmodat, c->host);
}

int64_t call_chdir(struct call *c)
{
    return os_call(SYS_chdir, c->host);
}

int64_t call_readlinkat(struct call *c)
{
    const char *name = c->args[1] ? space_string(&c->p->space, c->args[1]) : NULL;
    if (!name || !paths_is_program_link(name))
        return os_call(SYS_readlinkat, c->host);
    if ((int32_t)c->args[3] <= 0)
        return -EINVAL;
    return call_give(c, c->args[2], c->p->paths.program,
                     min_u64(strlen(c->p->paths.program), c->args[3]));
}

int64_t call_getcwd(struct call *c)
{
    char text[PATH_MAX];
    if (!getcwd(text, sizeof text))
        return -errno;
    if (!paths_to_guest(&c->p->paths, text))
        return -ENOENT;
    size_t n = strlen(text) + 1;
    if (n > c->args[1])
        return -ERANGE;
    return call_give(c, c->args[0], text, n);
}

/* ---- folders ---- */

/* Whether it is a folder that lists this process's descriptors. */
static bool lists_descriptors(int fd)
{
    char link[40], own[40], name[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int length = snprintf(own, sizeof own, "/proc/%d/", (int)getpid());
    ssize_t n = readlink(link, name, sizeof name - 1);
    name[n > 0 ? n : 0] = 0;
    const char *last = strrchr(name, '/');
    return !strncmp(name, own, (size_t)length) &&
           (!strcmp(last, "/fd") || !strcmp(last, "/fdinfo"));
}

/* struct linux_dirent64 */
enum { ENTRY_LENGTH = 16, ENTRY_NAME = 19 };

static bool is_own_entry(const struct process *p, const uint8_t *entry, uint16_t bytes)
{
    char name[12] = "", *end;
    memcpy(name, entry + ENTRY_NAME, min_u64(bytes - ENTRY_NAME, sizeof name - 1));
    long fd = strtol(name, &end, 10);
    return end != name && !*end && process_owns(p, (int)fd);
}

/* Takes our descriptors out of a list of n bytes: how many are left. Others may write the same
 * memory. */
static int64_t leave_out_own(const struct process *p, uint8_t *list, int64_t n)
{
    int64_t kept = 0;
    for (int64_t at = 0; n - at > ENTRY_NAME;) {
        uint16_t bytes;
        memcpy(&bytes, list + at + ENTRY_LENGTH, sizeof bytes);
        if (bytes <= ENTRY_NAME || bytes > n - at)
            break;
        if (!is_own_entry(p, list + at, bytes)) {
            memmove(list + kept, list + at, bytes);
            kept += bytes;
        }
        at += bytes;
    }
    return kept;
}

/* A list of which nothing is left would be the folder's end. */
int64_t call_getdents64(struct call *c)
{
    bool hides = process_next_own(c->p, 0) >= 0 && lists_descriptors((int)c->args[0]);
    int64_t n, kept;
    do {
        n = kept = os_call(SYS_getdents64, c->host);
        if (n > 0 && hides)
            kept = leave_out_own(c->p, (uint8_t *)(uintptr_t)c->host[1], n);
    } while (n > 0 && !kept);
    return kept;
}

/* ---- stat ---- */

/* struct stat of asm-generic. */
struct guest_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    uint32_t unused[2];
};
_Static_assert(sizeof(struct guest_stat) == 128, "struct stat");

static int64_t give_stat(struct call *c, int result, const struct stat *from, unsigned at)
{
    if (result < 0)
        return -errno;
    if (!c->host[at])
        return -EFAULT;
    struct guest_stat to = {
        .dev = from->st_dev,
        .ino = from->st_ino,
        .mode = from->st_mode,
        .nlink = (uint32_t)from->st_nlink,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .rdev = from->st_rdev,
        .size = from->st_size,
        .blksize = (int32_t)from->st_blksize,
        .blocks = from->st_blocks,
        .atime = from->st_atim.tv_sec,
        .atime_ns = from->st_atim.tv_nsec,
        .mtime = from->st_mtim.tv_sec,
        .mtime_ns = from->st_mtim.tv_nsec,
        .ctime = from->st_ctim.tv_sec,
        .ctime_ns = from->st_ctim.tv_nsec,
    };
    memcpy((void *)(uintptr_t)c->host[at], &to, sizeof to);
    return 0;
}

int64_t call_newfstatat(struct call *c)
{
    struct stat st;
    if (!c->host[1])
        return -EFAULT;
    int result =
        fstatat((int)c->host[0], (const char *)(uintptr_t)c->host[1], &st, (int)c->args[3]);
    return give_stat(c, result, &st, 2);
}

int64_t call_fstat(struct call *c)
{
    struct stat st;
    return give_stat(c, fstat((int)c->args[0], &st), &st, 1);
}

/* ---- statfs ---- */

/* struct statfs of asm-generic on 64 bits. */
struct guest_statfs {
    uint64_t type, bsize, blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    uint64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct guest_statfs) == 120, "struct statfs");

static int64_t give_statfs(struct call *c, int result, const struct statfs *from)
{
    if (result < 0)
        return -errno;
    if (!c->host[1])
        return -EFAULT;
    struct guest_statfs to = {
        .type = (uint64_t)from->f_type,
        .bsize = (uint64_t)from->f_bsize,
        .blocks = from->f_blocks,
        .bfree = from->f_bfree,
        .bavail = from->f_bavail,
        .files = from->f_files,
        .ffree = from->f_ffree,
        .namelen = (uint64_t)from->f_namelen,
        .frsize = (uint64_t)from->f_frsize,
        .flags = (uint64_t)from->f_flags,
    };
    memcpy(to.fsid, &from->f_fsid, sizeof to.fsid);
    memcpy((void *)(uintptr_t)c->host[1], &to, sizeof to);
    return 0;
}

int64_t call_statfs(struct call *c)
{
    struct statfs fs;
    if (!c->host[0])
        return -EFAULT;
    return give_statfs(c, statfs((const char *)(uintptr_t)c->host[0], &fs), &fs);
}

int64_t call_fstatfs(struct call *c)
{
    struct statfs fs;
    return give_statfs(c, fstatfs((int)c->args[0], &fs), &fs);
}

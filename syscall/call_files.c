/* Calls on files by name, and what the kernel tells of files. */
#include "syscall/call.h"

#include <errno.h>
#include <fcntl.h>
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
    return guest | 0100000; /* O_LARGEFILE, as on every 64-bit kernel */
}

int64_t call_openat(struct call *c)
{
    const char *path = (const char *)(uintptr_t)c->host[1];
    int flags = call_open_flags_to_host(c->args[2]);
    if (!path)
        return -EFAULT;
    return paths_open(&c->p->paths, (int)c->args[0], path, flags, (unsigned)c->args[3]);
}

/* struct open_how grows; what we do not know is refused, so that a guest falls back to openat. */
int64_t call_openat2(struct call *c)
{
    (void)c;
    return -ENOSYS;
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

/* Files again: attributes, owners, modes, watches, what moves bytes between descriptors, and
 * advice. Calls that the C library would make by other ones are made by number. */
#include "show.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define NAME  "user.rivulet"
#define OTHER "user.other"

static void extended(void)
{
    char value[16], *null = NULL;
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    SHOW(symlink("file", "link"));
    SHOW(getxattr("file", NAME, value, 16));
    SHOW(setxattr("file", NAME, "abc", 3, XATTR_REPLACE));
    SHOW(setxattr("file", NAME, "abc", 3, XATTR_CREATE));
    SHOW(setxattr("file", NAME, "abc", 3, XATTR_CREATE));
    SHOW(setxattr("file", "nonsense", "abc", 3, 0));
    SHOW(setxattr("file", OTHER, null, 0, 0));
    SHOW(setxattr("file", OTHER, (void *)1, 3, 0));
    SHOW(setxattr("none", NAME, "abc", 3, 0));
    SHOW(getxattr("link", NAME, value, 16));
    SHOW(getxattr("link", NAME, value, 2));
    SHOW(getxattr("link", NAME, null, 0));
    SHOW(getxattr("file", NAME, (void *)1, 3));
    SHOW(lgetxattr("link", NAME, value, 16));
    SHOW(lsetxattr("link", NAME, "abc", 3, 0));
    SHOW(fgetxattr(fd, NAME, value, 16));
    SHOW(fsetxattr(fd, NAME, "abcdef", 6, 0));
    SHOW(fgetxattr(fd, NAME, value, 16));
    SHOW(fgetxattr(99, NAME, value, 16));
    SHOW(listxattr("file", null, 0) >= (long)sizeof NAME);
    SHOW(listxattr("file", value, 1));
    SHOW(llistxattr("link", null, 0));
    SHOW(flistxattr(fd, null, 0) >= (long)sizeof NAME);
    SHOW(lremovexattr("link", NAME));
    SHOW(removexattr("link", NAME));
    SHOW(removexattr("file", NAME));
    SHOW(fremovexattr(fd, OTHER));
    SHOW(fremovexattr(fd, OTHER));
    SHOW(close(fd));
}

static void owners(void)
{
    struct stat st;
    int fd = open("file", O_RDWR), path = open("file", O_PATH);
    SHOW(fchown(fd, getuid(), (gid_t)-1));
    SHOW(fchown(path, getuid(), (gid_t)-1));
    SHOW(fchown(99, 0, 0));
    SHOW(fchownat(AT_FDCWD, "link", (uid_t)-1, getgid(), AT_SYMLINK_NOFOLLOW));
    SHOW(fchownat(AT_FDCWD, "none", 0, 0, 0));
    SHOW(fchownat(fd, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH));
    SHOW(fchownat(AT_FDCWD, "file", (uid_t)-1, (gid_t)-1, 0x8000));
    SHOW(fchmod(fd, 0640));
    SHOW(fchmod(path, 0640));
    SHOW(syscall(SYS_fstat, fd, &st));
    printf("mode %o, %ld links, size %ld\n", st.st_mode, (long)st.st_nlink, (long)st.st_size);
    SHOW(syscall(SYS_fstat, 99, &st));
    SHOW(syscall(SYS_fstat, fd, 1));
    SHOW(syscall(452 /* fchmodat2 */, AT_FDCWD, "file", 0604, 0) == 0 || errno == ENOSYS);
    struct statfs fs;
    SHOW(fstatfs(fd, &fs));
    SHOW(fstatfs(99, &fs));
    SHOW(fstatfs(fd, (void *)1));
    SHOW(mkdir("folder", 0700));
    int folder = open("folder", O_PATH);
    SHOW(fchdir(folder));
    SHOW(fchdir(fd));
    SHOW(access("../file", F_OK));
    SHOW(chdir(".."));
    SHOW(close(fd) | close(path) | close(folder));
}

static void watches(void)
{
    struct {
        struct inotify_event event;
        char name[256];
    } got;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    SHOW(inotify_init1(1));
    SHOW(inotify_add_watch(fd, "folder", IN_CREATE | IN_DELETE));
    SHOW(inotify_add_watch(fd, "none", IN_CREATE));
    SHOW(inotify_add_watch(fd, "file", 0));
    SHOW(inotify_add_watch(99, "file", IN_CREATE));
    SHOW(read(fd, &got, sizeof got));
    SHOW(close(open("folder/new", O_CREAT | O_WRONLY, 0600)));
    SHOW(read(fd, &got, sizeof got));
    printf("event %x of %s\n", got.event.mask, got.event.len ? got.event.name : "");
    SHOW(inotify_rm_watch(fd, 1));
    SHOW(inotify_rm_watch(fd, 1));
    SHOW(close(fd));
}

static void moved_bytes(void)
{
    int in[2], out[2];
    char text[32];
    loff_t at = 2;
    WORKS(pipe(in));
    WORKS(pipe(out));
    int fd = open("bytes", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct iovec parts[] = {{"0123", 4}, {"456789", 6}}, room[] = {{text, 3}, {text + 3, 29}};
    SHOW(pwritev2(fd, parts, 2, -1, 0));
    SHOW(pwritev(fd, parts, 2, 0));
    SHOW(pwritev(fd, parts, -1, 0));
    SHOW(pwritev2(fd, parts, 1, 6, RWF_SYNC));
    SHOW(pwritev2(fd, parts, 1, 6, 0x40000000));
    SHOW(preadv2(fd, room, 2, 1, 0));
    printf("%.9s\n", text);
    SHOW(splice(fd, &at, in[1], NULL, 5, 0));
    printf("at %ld\n", (long)at);
    SHOW(tee(in[0], out[1], 3, 0));
    SHOW(tee(in[0], fd, 3, 0));
    SHOW(splice(in[0], NULL, out[1], NULL, 9, SPLICE_F_NONBLOCK));
    SHOW(splice(in[0], NULL, out[1], NULL, 9, SPLICE_F_NONBLOCK));
    SHOW(splice(in[0], &at, out[1], NULL, 9, 0));
    SHOW(splice(fd, (void *)1, in[1], NULL, 5, 0));
    SHOW(read(out[0], text, 32));
    printf("%.8s\n", text);
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    SHOW(posix_fadvise(fd, 0, 0, 77));
    SHOW(syscall(SYS_readahead, fd, 0L, 4096L));
    SHOW(syscall(SYS_readahead, 99, 0L, 4096L));
    SHOW(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
    SHOW(sync_file_range(fd, 0, 4096, 0x80));
    SHOW(fdatasync(fd));
    SHOW(fdatasync(99));
    SHOW(fdatasync(in[0]));
    SHOW(syncfs(fd));
    SHOW(syncfs(99));
    int copy = dup(fd);
    SHOW(lseek(copy, 3, SEEK_SET));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(dup(99));
    SHOW(read(copy, text, 2));
}

static void sockets(void)
{
    int ends[2];
    char text[4][8];
    struct iovec parts[4];
    struct mmsghdr messages[4] = {{{0}}};
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){text[i], (size_t)i + 1};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    WORKS(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    SHOW(sendmmsg(ends[0], messages, 3, 0));
    printf("%u %u %u\n", messages[0].msg_len, messages[1].msg_len, messages[2].msg_len);
    SHOW(recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, NULL));
    SHOW(recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, NULL));
    SHOW(sendmmsg(ends[0], (void *)1, 3, 0));
    SHOW(sendmmsg(99, messages, 3, 0));
    char name[128];
    socklen_t n = sizeof name;
    SHOW(getpeername(ends[0], (void *)name, &n));
    printf("a name of %u\n", n);
    n = 0;
    SHOW(getpeername(ends[0], (void *)name, &n));
    SHOW(getpeername(0, (void *)name, &n));
    n = (socklen_t)-1;
    SHOW(getpeername(ends[0], (void *)name, &n));
    SHOW(getpeername(ends[0], (void *)name, (void *)1));
    SHOW(accept4(ends[0], NULL, NULL, SOCK_CLOEXEC));
    SHOW(accept4(99, NULL, NULL, 0));
}

int main(void)
{
    umask(022);
    extended();
    owners();
    watches();
    moved_bytes();
    sockets();
    sync();
    return 0;
}

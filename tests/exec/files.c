/* Files, folders, names, descriptors. Runs in a folder of its own. */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>

static void show_stat(const char *name)
{
    struct stat st;
    struct statx stx;
    if (lstat(name, &st) == 0)
        printf("%s: mode %o, %ld bytes, %ld links, time %ld.%09ld, mine %d\n", name, st.st_mode,
               (long)st.st_size, (long)st.st_nlink, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
               st.st_uid == getuid());
    if (statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) == 0)
        printf("%s: statx mode %o, %ld bytes, same inode %d\n", name, stx.stx_mode,
               (long)stx.stx_size, stx.stx_ino == st.st_ino);
}

static void names(void)
{
    char text[64];
    struct timespec times[2] = {{1000000000, 1}, {1234567890, 987654321}};
    SHOW(mkdir("folder", 0750));
    SHOW(mkdir("folder", 0750));
    SHOW(symlink("folder/file", "link"));
    SHOW(open("link", O_RDONLY));
    SHOW(close(open("link", O_WRONLY | O_CREAT, 0640)));
    SHOW(open("link", O_RDONLY | O_NOFOLLOW));
    SHOW(open("folder", O_WRONLY));
    SHOW(open("folder/file", O_RDONLY | O_DIRECTORY));
    SHOW(open("link", O_CREAT | O_EXCL | O_WRONLY, 0600));
    SHOW(readlink("link", text, sizeof text));
    SHOW(readlink("folder", text, sizeof text));
    SHOW(link("folder/file", "second"));
    SHOW(rename("second", "folder/third"));
    SHOW(renameat2(AT_FDCWD, "folder/third", AT_FDCWD, "link", RENAME_NOREPLACE));
    SHOW(access("folder/third", R_OK));
    SHOW(access("nothing", F_OK));
    SHOW(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(chmod("folder/third", 0604));
    SHOW(truncate("folder/third", 12345));
    SHOW(utimensat(AT_FDCWD, "folder/third", times, 0));
    SHOW(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
    show_stat("folder/third");
    show_stat("link");
    show_stat("/dev/null");
    SHOW(unlink("folder"));
    SHOW(rmdir("folder"));
    SHOW(chdir("folder"));
    printf("in %s\n", strrchr(getcwd(text, sizeof text) ? text : "/?", '/') + 1);
    SHOW(syscall(SYS_getcwd, text, 1));
    SHOW(chdir(".."));
    SHOW(stat((char *)8, NULL));
    SHOW(open((char *)~0xfffl, O_RDONLY));
    SHOW(stat("", &(struct stat){0}));
    char *longest = malloc(5000);
    memset(longest, 'a', 4999);
    longest[4999] = 0;
    SHOW(open(longest, O_RDONLY));
    longest[300] = 0;
    SHOW(open(longest, O_RDONLY));
    free(longest);
}

static int open_as(const char *name, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    const struct open_how how = {flags, mode, resolve};
    int fd = syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
    return fd < 0 ? fd : close(fd);
}

static void resolving(void)
{
    const uint64_t how[4] = {O_RDONLY, 0, 0, 1};
    const int unknown = 1 << 30;
    SHOW(mkdir("below", 0755));
    SHOW(symlink("file", "below/link"));
    SHOW(symlink("/", "below/root"));
    SHOW(open_as("below/file", O_WRONLY | O_CREAT, 0600, RESOLVE_BENEATH));
    SHOW(open_as("below/link", O_RDONLY, 0, RESOLVE_BENEATH));
    SHOW(open_as("below/link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
    SHOW(open_as("below/root/etc", O_RDONLY, 0, RESOLVE_BENEATH));
    SHOW(open_as("below/root/below", O_RDONLY, 0, RESOLVE_IN_ROOT));
    SHOW(open_as("below/../..", O_RDONLY, 0, RESOLVE_BENEATH));
    SHOW(open_as("below/../../..", O_RDONLY, 0, RESOLVE_IN_ROOT));
    SHOW(open_as("/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
    SHOW(open_as("below", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
    SHOW(open_as("below", O_RDONLY, 0, 1 << 20));
    SHOW(open_as("below", O_RDONLY | unknown, 0, 0));
    SHOW(open_as("below", O_RDONLY, 0600, 0));
    SHOW(open_as("below/new", O_WRONLY | O_CREAT, 010600, 0));
    SHOW(open_as("below/new", O_WRONLY | O_CREAT, 0600, 0));
    SHOW(open_as(NULL, O_RDONLY, 0, 0));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "below", how, 16));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "below", how, 32));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "below", how, 4097));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "below", NULL, 24));
    SHOW(syscall(SYS_openat2, -1, "below", how, 24));
}

static void contents(void)
{
    char text[32] = "";
    struct iovec out[2] = {{"hello ", 6}, {"world\n", 6}}, in[2] = {{text, 3}, {text + 10, 20}};
    int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
    SHOW(writev(fd, out, 2));
    SHOW(pwrite(fd, "J", 1, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, in, 2));
    printf("%.3s %s", text, text + 10);
    SHOW(lseek(fd, -3, SEEK_END));
    SHOW(lseek(fd, -30, SEEK_CUR));
    SHOW(read(fd, text, 100));
    SHOW(preadv2(fd, in, 2, 2, 0));
    SHOW(preadv(fd, in, -1, 2));
    SHOW(read(fd, (void *)16, 1));
    SHOW(read(-1, text, 1));
    SHOW(write(fd, (void *)16, 1));
    SHOW(write(fd, (void *)16, 0));
    SHOW(ftruncate(fd, -1));
    SHOW(fallocate(fd, 0, 0, 4096));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(fsync(fd));
    SHOW(flock(fd, LOCK_EX | LOCK_NB));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_GETLK, &lock));
    SHOW(lock.l_type == F_UNLCK);
    int copy = open("copy", O_RDWR | O_CREAT | O_APPEND, 0644);
    off_t from = 2;
    SHOW(sendfile(copy, fd, &from, 5) < 0); /* appending: not allowed */
    SHOW((fcntl(copy, F_GETFL) & (O_APPEND | O_ACCMODE | O_NONBLOCK)) == (O_APPEND | O_RDWR));
    SHOW(fcntl(copy, F_SETFL, O_NONBLOCK));
    SHOW((fcntl(copy, F_GETFL) & (O_APPEND | O_NONBLOCK)) == O_NONBLOCK);
    SHOW(copy_file_range(fd, &from, copy, NULL, 5, 0));
    SHOW(fcntl(copy, F_GETFD));
    SHOW(fcntl(copy, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(copy, 4321));
    SHOW(close(copy));
    SHOW(close(copy));
    SHOW(close(fd));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void folders(void)
{
    char *names[32];
    int count = 0;
    DIR *folder = opendir(".");
    for (struct dirent *e; folder && count < 32 && (e = readdir(folder));)
        names[count++] = strdup(e->d_name);
    closedir(folder);
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++)
        printf("%s\n", names[i]);
    SHOW(mkdirat(AT_FDCWD, "folder/deeper", 0700));
    int fd = open("folder", O_PATH | O_DIRECTORY);
    SHOW(unlinkat(fd, "deeper", 0));
    SHOW(unlinkat(fd, "deeper", AT_REMOVEDIR));
    SHOW(openat(fd, "/nothing", O_RDONLY));
    SHOW(mkfifo("pipe", 0600));
    SHOW(open("pipe", O_WRONLY | O_NONBLOCK));
    struct statfs fs;
    SHOW(statfs(".", &fs));
    SHOW(statfs("/proc", &fs));
    printf("type %lx, names of %ld\n", (long)fs.f_type, (long)fs.f_namelen);
}

static void descriptors(void)
{
    int ends[2], again;
    char text[8];
    WORKS(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    SHOW(read(ends[0], text, 8));
    SHOW(write(ends[1], "abc", 3));
    int waiting = 0;
    SHOW(ioctl(ends[0], FIONREAD, &waiting));
    SHOW(waiting);
    SHOW(ioctl(ends[0], TCGETS, &(struct termios){0}));
    SHOW(ioctl(ends[0], 0xdeadbeef, 0));
    WORKS(again = dup3(ends[0], 50, O_CLOEXEC));
    SHOW(dup2(50, 51));
    SHOW(dup3(50, 50, 0));
    SHOW(read(51, text, 2));
    SHOW(close(ends[1]));
    SHOW(read(again, text, 8));
    SHOW(read(again, text, 8));
    SHOW(syscall(SYS_close_range, 50, 60, 0));
    SHOW(read(again, text, 8));
    int memory = memfd_create("x", MFD_CLOEXEC);
    SHOW(ftruncate(memory, 10000));
    SHOW(lseek(memory, 0, SEEK_END));
    SHOW(umask(022));
    SHOW(umask(077));
}

int main(void)
{
    umask(0);
    names();
    resolving();
    contents();
    folders();
    descriptors();
    return 0;
}

/* What a program in a root tries to get out of it: confined.c SECRET FD SOCKET. SECRET is a file of
 * the host outside of the root, FD an inherited descriptor of its folder, SOCKET a socket there on
 * which somebody listens. Prints what went wrong; the status is 0 when nothing did.
 *
 * The root holds `bound`, where another folder of the host is bound; `marker` in both says where it
 * is. */
#include "must.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char *secret, *outside; /* the file, and its folder */
/* What a file begins with; "" if it cannot be read. */
static const char *content(int folder, const char *name, int flags)
{
    static char text[64];
    int fd = openat(folder, name, O_RDONLY | flags);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

static void keeps_out(int folder, const char *format, const char *name)
{
    char path[2048], what[2200];
    snprintf(path, sizeof path, format, name);
    snprintf(what, sizeof what, "%s led out", path);
    must(!strstr(content(folder, path, 0), "outside"), what);
    struct stat st;
    must(fstatat(folder, path, &st, 0) != 0, what);
    must(truncate(path, 0) != 0, what);
}

static void names(void)
{
    static const char up[] = "../../../../../../../../../../..%s";
    keeps_out(AT_FDCWD, "%s", secret);
    keeps_out(AT_FDCWD, up, secret);
    keeps_out(AT_FDCWD, "/folder/../..%s", secret);
    keeps_out(AT_FDCWD, "/bound/..%s", secret);
    keeps_out(AT_FDCWD, "/bound/../..%s", secret);
    keeps_out(AT_FDCWD, "/proc/self/root%s", secret);
    keeps_out(AT_FDCWD, "/proc/self/cwd/..%s", secret);
    keeps_out(AT_FDCWD, "/proc/1/root%s", secret);
    char path[2048];
    snprintf(path, sizeof path, up, secret);
    must(symlink(secret, "absolute") == 0 && symlink(path, "relative") == 0 &&
             symlink("absolute", "chain") == 0 && symlink(outside, "folder-link") == 0,
         "links can be made");
    keeps_out(AT_FDCWD, "%s", "absolute");
    keeps_out(AT_FDCWD, "%s", "relative");
    keeps_out(AT_FDCWD, "%s", "chain");
    keeps_out(AT_FDCWD, "%s", "folder-link/secret");
    keeps_out(AT_FDCWD, "%s", "bound/absolute");
    keeps_out(AT_FDCWD, "%s", "bound/relative");
    must(linkat(AT_FDCWD, "absolute", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW) != 0,
         "a hard link to what lies outside");
}

static void inherited(int fd)
{
    char text[64];
    keeps_out(fd, "%s", "secret");
    keeps_out(fd, "%s", "../outside/secret");
    keeps_out(fd, "%s", "./secret");
    snprintf(text, sizeof text, "/dev/fd/%d/secret", fd);
    keeps_out(AT_FDCWD, "%s", text);
    snprintf(text, sizeof text, "/proc/self/fd/%d/secret", fd);
    keeps_out(AT_FDCWD, "%s", text);
    snprintf(text, sizeof text, "/dev/fd/%d", fd);
    int again = open(text, O_RDONLY | O_DIRECTORY);
    keeps_out(again, "%s", "secret");
    must(mkdirat(fd, "made", 0700) != 0 && symlinkat("x", fd, "made") != 0, "made a file outside");
    must(unlinkat(fd, "secret", 0) != 0, "removed a file outside");
    must(renameat(fd, "secret", AT_FDCWD, "stolen") != 0, "stole a file");
    must(syscall(SYS_execveat, fd, "secret", NULL, NULL, 0) != 0, "ran a file outside");
    if (fchdir(fd) == 0) {
        keeps_out(AT_FDCWD, "%s", "secret");
        must(!getcwd(text, sizeof text), "it knows where the outside is");
        must(chdir("/") == 0, "the way back");
    }
}

static int open_as(int folder, const char *name, uint64_t resolve)
{
    const struct open_how how = {.flags = O_RDONLY, .resolve = resolve};
    return syscall(SYS_openat2, folder, name, &how, sizeof how);
}

/* openat2 confines to a folder: neither does it lead out of the root then. */
static void resolving(int fd)
{
    char up[2048];
    const uint64_t kinds[] = {0,
                              RESOLVE_NO_XDEV,
                              RESOLVE_NO_MAGICLINKS,
                              RESOLVE_NO_SYMLINKS,
                              RESOLVE_BENEATH,
                              RESOLVE_IN_ROOT};
    snprintf(up, sizeof up, "../../../../../../../../../../..%s", secret);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        must(open_as(AT_FDCWD, secret, kinds[i]) < 0, "openat2 led out");
        must(open_as(AT_FDCWD, up, kinds[i]) < 0, "openat2 led out by ..");
        must(open_as(AT_FDCWD, "folder-link/secret", kinds[i]) < 0, "openat2 led out by a link");
        must(open_as(fd, "secret", kinds[i]) < 0, "openat2 led out by a descriptor");
        must(open_as(fd, ".", kinds[i]) < 0, "openat2 gives the folder outside");
    }
    int folder = open("/folder", O_RDONLY);
    must(open_as(folder, "deep/marker", RESOLVE_BENEATH) >= 0, "openat2 below a folder");
    must(open_as(folder, "/deep/marker", RESOLVE_IN_ROOT) >= 0, "openat2 with it as the root");
    must(open_as(folder, "../marker", RESOLVE_BENEATH) < 0 && errno == EXDEV, "openat2 up");
    must(open_as(AT_FDCWD, "/bound/marker", RESOLVE_NO_SYMLINKS) >= 0, "openat2 of what is bound");
    must(open_as(AT_FDCWD, "to-bound/marker", RESOLVE_NO_SYMLINKS) < 0 && errno == ELOOP,
         "openat2 without links");
}

/* While one process puts a link to the outside in the place of a folder and back, what lies
 * outside is never found. */
static void races(void)
{
    must(mkdir("swap", 0700) == 0 && symlink(outside, "swap-link") == 0, "a folder and a link");
    pid_t child = fork();
    if (child == 0)
        alarm(60);
    while (child == 0)
        syscall(SYS_renameat2, AT_FDCWD, "swap", AT_FDCWD, "swap-link", 2 /* EXCHANGE */);
    for (int i = 0; i < 3000 && !failures; i++) {
        struct stat st;
        must(!*content(AT_FDCWD, "swap/secret", 0), "a race led out");
        must(!*content(AT_FDCWD, "swap/../swap/./secret", 0), "a race with .. led out");
        must(stat("swap/secret", &st) != 0, "a race of stat led out");
        must(lstat("swap/secret", &st) != 0, "a race of lstat led out");
        mkdir("swap/made", 0700);
        rmdir("swap/made");
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void sockets(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(connect(fd, (void *)&address, sizeof address) != 0, "connected to a socket outside");
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address};
    int packets = socket(AF_UNIX, SOCK_DGRAM, 0);
    must(sendmsg(packets, &message, 0) < 0 && errno == EACCES, "sent to a socket outside");
    must(bind(fd, (void *)&address, sizeof address) != 0, "made a socket outside");
}

static int run_script(const char *interpreter)
{
    char *none[] = {NULL};
    int fd = open("script", O_CREAT | O_WRONLY | O_TRUNC, 0755);
    dprintf(fd, "#!%s\n", interpreter);
    close(fd);
    execve("/script", none, none);
    return errno;
}

static void programs(void)
{
    char *none[] = {NULL};
    must(run_script("/bin/sh") == ENOENT, "a script's interpreter led out");
    must(execve("host-program", none, none) != 0 && errno == ENOEXEC, "a host's program ran");
    must(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0) == -1 && errno == ENOSYS,
         "a handle of a file");
    must(mknod("device", S_IFCHR | 0600, makedev(1, 3)) != 0 && errno == EPERM, "made a device");
    must(mknod("device", S_IFBLK | 0600, makedev(8, 0)) != 0 && errno == EPERM, "made a disk");
    must(chroot("folder") != 0 && mount("/", "folder", NULL, MS_BIND, NULL) != 0,
         "a root of its own");
    int self = open("/program", O_RDONLY | O_CLOEXEC), status = -1;
    pid_t child = fork();
    if (child == 0) {
        char *args[] = {"program", "back", NULL};
        syscall(SYS_execveat, self, "", args, none, AT_EMPTY_PATH);
        _exit(1);
    }
    waitpid(child, &status, 0);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 42, "fexecve of what lies in the root");
}

/* The host's /proc is bound: it shows no process's memory, the emulator's least of all. */
static void memory(void)
{
    char text[64];
    int path = open("/processes/self/mem", O_PATH);
    must(path >= 0 && open("/processes/self/mem", O_RDONLY) < 0 && errno == EACCES, "a memory");
    snprintf(text, sizeof text, "/dev/fd/%d", path);
    must(open(text, O_RDONLY) < 0 && errno == EACCES, "a memory that was open");
    must(*content(AT_FDCWD, "/processes/self/stat", 0), "a process's other files");
}

/* What a root must not break. */
static void within(void)
{
    struct stat st, other;
    char text[128];
    const char *folders[] = {"/", ".", "..", "/folder/..", "/folder/.", "/bound", "/bound/"};
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
        must(lstat(folders[i], &st) == 0 && S_ISDIR(st.st_mode), folders[i]);
    must(readlink("/", text, sizeof text) < 0 && errno == EINVAL, "readlink of the root");
    must(chdir("/folder/deep") == 0 && getcwd(text, sizeof text) && !strcmp(text, "/folder/deep") &&
             chdir("../../..") == 0 && getcwd(text, sizeof text) && !strcmp(text, "/"),
         "the way up ends at the root");
    must(!strcmp(content(AT_FDCWD, "/marker", 0), "root\n"), "the root's file");
    must(!strcmp(content(AT_FDCWD, "bound/marker", 0), "bound\n"), "the bound folder's file");
    must(!strcmp(content(AT_FDCWD, "bound/../marker", 0), "root\n"), ".. out of what is bound");
    must(!strcmp(content(AT_FDCWD, "bound/to-root", 0), "root\n"), "an absolute link in it");
    must(!strcmp(content(AT_FDCWD, "bound/to-deep", 0), "deep\n"), "a relative link out of it");
    must(!strcmp(content(AT_FDCWD, "to-bound/marker", 0), "bound\n"), "a link to it");
    must(stat("/bound", &st) == 0 && lstat("bound", &other) == 0 && st.st_ino == other.st_ino,
         "what is bound is one folder");
    must(chdir("/bound") == 0 && getcwd(text, sizeof text) && !strcmp(text, "/bound") &&
             !strcmp(content(AT_FDCWD, "../marker", 0), "root\n") && chdir("..") == 0 &&
             getcwd(text, sizeof text) && !strcmp(text, "/"),
         "its name is the guest's");
    must(rmdir("/bound") != 0 && rename("/bound", "/moved") != 0, "what is bound stays");
    must(open("bound/none/x", O_RDONLY) < 0 && errno == ENOENT, "ENOENT in it");
    must(open("bound/marker/", O_RDONLY) < 0 && errno == ENOTDIR, "ENOTDIR in it");
    must(symlink("loop", "bound/loop") == 0 && open("bound/loop", O_RDONLY) < 0 && errno == ELOOP &&
             unlink("bound/loop") == 0,
         "ELOOP in it");
    int fd = open("bound/new", O_CREAT | O_EXCL | O_WRONLY, 0600);
    must(fd >= 0 && rename("bound/new", "bound/newer") == 0 && unlink("bound/newer") == 0,
         "files are made in it");
    must(symlink("/marker", "to-marker") == 0 &&
             linkat(AT_FDCWD, "to-marker", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW) == 0 &&
             lstat("hard", &st) == 0 && S_ISREG(st.st_mode) && unlink("hard") == 0,
         "a hard link by a link");
    int ends[2];
    must(pipe(ends) == 0 && write(ends[1], "pipe\n", 5) == 5, "a pipe");
    snprintf(text, sizeof text, "/dev/fd/%d", ends[0]);
    must(!strcmp(content(AT_FDCWD, text, 0), "pipe\n"), "a descriptor's name");
}

int main(int argc, char **argv)
{
    char folder[1024];
    if (argc < 4)
        return argc == 2 && !strcmp(argv[1], "back") ? 42 : 2;
    secret = argv[1];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(secret, '/') - secret), secret);
    outside = folder;
    within();
    names();
    inherited(atoi(argv[2]));
    resolving(atoi(argv[2]));
    sockets(argv[3]);
    programs();
    memory();
    races();
    return failures != 0;
}

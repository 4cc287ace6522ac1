/* Closes what it did not open, as daemons do, in each way that there is: closing.c MOST. Prints
 * what went wrong; the emulator's own descriptors, up to MOST, must have been out of reach. */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int most;

static void must(int holds, const char *what)
{
    if (!holds)
        printf("%s (errno %d)\n", what, errno);
}

/* None of the emulator's is met by its number or its name. */
static void none_is_there(void)
{
    struct stat st;
    char name[64];
    for (int fd = 3; fd <= most; fd++) {
        must(fcntl(fd, F_GETFD) == -1 && errno == EBADF, "fcntl finds one");
        must(fstat(fd, &st) == -1 && errno == EBADF, "fstat finds one");
        must(dup(fd) == -1 && errno == EBADF, "dup finds one");
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        must(open(name, O_RDONLY) == -1, "open finds one by its name");
    }
}

/* /proc may not be there. */
static void none_is_listed(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (atoi(entry->d_name) > 2)
            must(atoi(entry->d_name) == dirfd(folder), "one is listed");
    if (folder)
        closedir(folder);
}

/* One that is sent to itself would be another number of the same. */
static void none_can_be_sent(void)
{
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a pair");
    for (int fd = ends[1] + 1; fd <= most; fd++) {
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(2 * sizeof fd)];
        } control = {.header = {CMSG_LEN(2 * sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
        struct iovec byte = {"x", 1};
        struct msghdr message = {.msg_iov = &byte,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof control};
        memcpy(CMSG_DATA(&control.header), (int[]){0, fd}, 2 * sizeof fd);
        must(sendmsg(ends[0], &message, 0) == -1 && errno == EBADF, "one can be sent");
    }
    close(ends[0]);
    close(ends[1]);
}

/* A header that does not fit is the kernel's to refuse, not the emulator's to follow. */
static void bad_headers(void)
{
    static const size_t lengths[] = {0, 8, 15, 17, 4096, -8ul, -16ul, -1ul, 1ul << 63};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        union {
            struct cmsghdr header;
            char bytes[64];
        } control = {.header = {lengths[i], SOL_SOCKET, SCM_RIGHTS}};
        struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
        must(sendmsg(0, &message, 0) == -1, "sent a bad header");
    }
}

int main(int argc, char **argv)
{
    most = argc > 1 ? atoi(argv[1]) : 1023;
    none_is_there();
    none_is_listed();
    none_can_be_sent();
    bad_headers();
    for (int fd = 3; fd <= most; fd++)
        close(fd);
    for (int fd = 3; fd <= most; fd++)
        if (dup2(1, fd) == fd)
            close(fd);
    must(syscall(SYS_close_range, 3, ~0u, 0) == 0, "close_range");
    int fd = open("/", O_RDONLY);
    must(fd == 3, "the lowest number is free");
    syscall(SYS_shmget, 0, 0, 0); /* which the log names */
    return 44;
}

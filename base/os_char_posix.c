/* Ends of byte streams, POSIX (contract: os_char.h). */
#include "base/os_char.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int os_char_open_output(const char *path, bool append, struct error *err)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : O_TRUNC);
    int fd = open(path, flags, 0666);
    if (fd < 0)
        error_set(err, "cannot write %.300s: %s", path, strerror(errno));
    return fd;
}

/* For reading and writing: so it opens without the other program, and never ends. */
static int open_fifo(const char *path)
{
    return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static int open_fifo_of(const char *path, const char *suffix)
{
    char name[4096];
    if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffix) < sizeof name)
        return open_fifo(name);
    errno = ENAMETOOLONG;
    return -1;
}

bool os_char_open_pipe(const char *path, int *in, int *out, struct error *err)
{
    *in = open_fifo_of(path, ".in");
    *out = open_fifo_of(path, ".out");
    if (*in >= 0 && *out >= 0)
        return true;
    if (*in >= 0)
        close(*in);
    if (*out >= 0)
        close(*out);
    *in = open_fifo(path);
    if (*in < 0)
        return error_set(err,
                         "cannot open %.300s: %s (mkfifo makes pipes: it, or it with .in "
                         "and .out behind)",
                         path, strerror(errno));
    *out = fcntl(*in, F_DUPFD_CLOEXEC, 0);
    if (*out >= 0)
        return true;
    close(*in);
    return error_set(err, "cannot open %.300s: %s", path, strerror(errno));
}

/* The settings belong to the pair and stay when the other end is closed again. */
static bool make_raw(const char *name)
{
    struct termios settings;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = tcgetattr(fd, &settings) == 0;
    cfmakeraw(&settings);
    ok = ok && tcsetattr(fd, TCSANOW, &settings) == 0;
    close(fd);
    return ok;
}

int os_char_open_pty(char *name, size_t size, struct error *err)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname_r(fd, name, size) == 0 &&
        make_raw(name))
        return fd;
    error_set(err, "cannot make a pseudo-terminal: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

bool os_char_pty_is_open(int master)
{
    struct pollfd p = {.fd = master};
    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

bool os_char_wait_writable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, timeout_ms);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Sockets and polling, POSIX (contract: os_net.h). */
#include "base/os_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 10000
#define BACKLOG            1

/* ---- polling ---- */

static short to_poll(unsigned events)
{
    return (short)((events & OS_EVENT_IN ? POLLIN : 0) | (events & OS_EVENT_OUT ? POLLOUT : 0) |
                   (events & OS_EVENT_PRI ? POLLPRI : 0));
}

/* A descriptor that is not open is an error of it, so that its owner looks at it. */
static unsigned from_poll(short revents)
{
    return (revents & POLLIN ? OS_EVENT_IN : 0u) | (revents & POLLOUT ? OS_EVENT_OUT : 0u) |
           (revents & POLLPRI ? OS_EVENT_PRI : 0u) |
           (revents & (POLLERR | POLLNVAL) ? OS_EVENT_ERR : 0u) |
           (revents & POLLHUP ? OS_EVENT_HUP : 0u);
}

struct os_poll {
    struct pollfd *fds;
    unsigned count, capacity;
};

struct os_poll *os_poll_create(void)
{
    return calloc(1, sizeof(struct os_poll));
}

void os_poll_destroy(struct os_poll *polls)
{
    if (polls)
        free(polls->fds);
    free(polls);
}

void os_poll_clear(struct os_poll *polls)
{
    polls->count = 0;
}

int os_poll_add(struct os_poll *polls, int fd, unsigned wanted)
{
    if (polls->count == polls->capacity) {
        unsigned capacity = 2 * polls->capacity + 8;
        struct pollfd *grown = realloc(polls->fds, capacity * sizeof *grown);
        if (!grown)
            return -1;
        polls->fds = grown;
        polls->capacity = capacity;
    }
    polls->fds[polls->count] = (struct pollfd){.fd = fd, .events = to_poll(wanted)};
    return (int)polls->count++;
}

void os_poll_wait(struct os_poll *polls, int timeout_ms)
{
    if (poll(polls->fds, polls->count, timeout_ms) > 0)
        return;
    for (unsigned i = 0; i < polls->count; i++)
        polls->fds[i].revents = 0;
}

unsigned os_poll_happened(const struct os_poll *polls, int place)
{
    return place < 0 ? 0 : from_poll(polls->fds[place].revents);
}

/* ---- stream sockets ---- */

static void set_up(int fd)
{
    int on = 1;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    /* Frames are small and wait for nothing; refused by UNIX sockets. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* "127.0.0.1:5555", for errors. */
static const char *name_of(const struct os_address *a, char *text, size_t size)
{
    if (a->path)
        snprintf(text, size, "%s", a->path);
    else
        snprintf(text, size, "%s:%s", a->host ? a->host : "", a->port);
    return text;
}

static bool resolve(const struct os_address *a, bool passive, struct addrinfo **found,
                    struct error *err)
{
    char name[200];
    if (strtoul(a->port, NULL, 10) > 65535) /* getaddrinfo would take it modulo 2^16 */
        return error_set(err, "%s: a port is at most 65535", name_of(a, name, sizeof name));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
    int failure = getaddrinfo(a->host && *a->host ? a->host : NULL, a->port, &hints, found);
    return failure == 0 ||
           error_set(err, "%s: %s", name_of(a, name, sizeof name), gai_strerror(failure));
}

static bool unix_name(const char *path, struct sockaddr_un *name, struct error *err)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name->sun_path)
        return error_set(err, "the path of a socket has at most %zu letters: %.200s",
                         sizeof name->sun_path - 1, path);
    strcpy(name->sun_path, path);
    return true;
}

/* 0, or an errno. */
static int wait_connected(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int failure = 0, n;
    socklen_t size = sizeof failure;
    do
        n = poll(&p, 1, CONNECT_TIMEOUT_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

/* 0, or an errno. */
static int do_connect(int fd, const struct sockaddr *name, socklen_t size)
{
    if (connect(fd, name, size) == 0)
        return 0;
    return errno == EINPROGRESS ? wait_connected(fd) : errno;
}

static int do_listen(int fd, const struct sockaddr *name, socklen_t size)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, name, size) == 0 && listen(fd, BACKLOG) == 0 ? 0 : errno;
}

typedef int socket_action(int fd, const struct sockaddr *name, socklen_t size);

/* A new socket after `action`; -1 and *failure. */
static int open_socket(int family, socket_action *action, const struct sockaddr *name,
                       socklen_t size, int *failure)
{
    int fd = socket(family, SOCK_STREAM, 0);
    *failure = errno;
    if (fd < 0)
        return -1;
    set_up(fd);
    *failure = action(fd, name, size);
    if (*failure == 0)
        return fd;
    close(fd);
    return -1;
}

/* Of the addresses a name has, the first with which it works. */
static int open_inet(const struct os_address *a, bool passive, socket_action *action,
                     const char *what, struct error *err)
{
    struct addrinfo *found;
    int fd = -1, failure = 0;
    char name[200];
    if (!resolve(a, passive, &found, err))
        return -1;
    for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next)
        fd = open_socket(i->ai_family, action, i->ai_addr, i->ai_addrlen, &failure);
    freeaddrinfo(found);
    if (fd < 0)
        error_set(err, "cannot %s %s: %s", what, name_of(a, name, sizeof name), strerror(failure));
    return fd;
}

static int open_unix(const struct os_address *a, socket_action *action, const char *what,
                     struct error *err)
{
    struct sockaddr_un name;
    int failure;
    if (!unix_name(a->path, &name, err))
        return -1;
    int fd = open_socket(AF_UNIX, action, (struct sockaddr *)&name, sizeof name, &failure);
    if (fd < 0)
        error_set(err, "cannot %s %s: %s", what, a->path, strerror(failure));
    return fd;
}

/* A socket of an earlier run that ended without tidying up; never a file of another kind. */
static void remove_dead_socket(const char *path)
{
    struct stat st;
    struct sockaddr_un name;
    struct error ignored;
    int failure;
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || !unix_name(path, &name, &ignored))
        return;
    int fd = open_socket(AF_UNIX, do_connect, (struct sockaddr *)&name, sizeof name, &failure);
    if (fd >= 0)
        close(fd);
    else if (failure == ECONNREFUSED)
        unlink(path);
}

int os_net_listen(const struct os_address *address, struct error *err)
{
    if (!address->path)
        return open_inet(address, true, do_listen, "listen at", err);
    remove_dead_socket(address->path);
    return open_unix(address, do_listen, "listen at", err);
}

int os_net_connect(const struct os_address *address, struct error *err)
{
    if (address->path)
        return open_unix(address, do_connect, "connect to", err);
    return open_inet(address, false, do_connect, "connect to", err);
}

int os_net_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0)
        set_up(fd);
    return fd;
}

/* ---- any descriptor ---- */

static long result(ssize_t n)
{
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? OS_WOULD_BLOCK
                                                                                : OS_ENDED;
}

long os_net_read(int fd, void *bytes, size_t n)
{
    return result(read(fd, bytes, n));
}

/* Sockets must not raise SIGPIPE; what is no socket is written. */
long os_net_write(int fd, const void *bytes, size_t n)
{
    ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
    if (done < 0 && errno == ENOTSOCK)
        done = write(fd, bytes, n);
    return result(done);
}

void os_net_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void os_net_remove(const char *path)
{
    unlink(path);
}

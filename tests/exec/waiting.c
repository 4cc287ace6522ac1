/* Time, and waiting for descriptors: poll, select, epoll, timers, events, sockets. */
#include "show.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

static void times(void)
{
    struct timespec before, after;
    SHOW(clock_gettime(CLOCK_MONOTONIC, &before));
    SHOW(nanosleep(&(struct timespec){0, 20000000}, NULL));
    SHOW(clock_gettime(CLOCK_MONOTONIC, &after));
    long us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    SHOW(us >= 20000 && us < 2000000);
    SHOW(clock_gettime(99, &before));
    SHOW(nanosleep(&(struct timespec){0, -1}, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &before, NULL));
    SHOW(time(NULL) > 1700000000);
    struct utsname system;
    SHOW(uname(&system));
    printf("%s\n", system.sysname);
}

static void polls(void)
{
    int ends[2];
    WORKS(pipe(ends));
    struct pollfd polled[] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {77, POLLIN, 0}};
    SHOW(poll(polled, 1, 1));
    SHOW(poll(polled, 3, 0));
    printf("%d %d %d\n", polled[0].revents, polled[1].revents, polled[2].revents);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    SHOW(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval){0, 1000}));
    SHOW(write(ends[1], "x", 1));
    FD_SET(ends[0], &set);
    SHOW(pselect(ends[0] + 1, &set, NULL, NULL, NULL, NULL));
    SHOW(FD_ISSET(ends[0], &set) != 0);
    FD_SET(77, &set);
    SHOW(select(100, &set, NULL, NULL, NULL));
    SHOW(poll((struct pollfd *)8, 1, 0));
    SHOW(poll(polled, 100000000, 0));
}

static void epolls(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_NONBLOCK);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    uint64_t number;
    struct epoll_event events[4], add = {EPOLLIN, {.u64 = 0x123456789abcdef0}};
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &add));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &add));
    add.data.u64 = 2;
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &add));
    SHOW(epoll_wait(epoll, events, 4, 0));
    SHOW(read(event, &number, 8));
    SHOW(write(event, &(uint64_t){5}, 8));
    SHOW(epoll_wait(epoll, events, 4, 100));
    printf("events %x of %lx\n", events[0].events, (long)events[0].data.u64);
    SHOW(read(event, &number, 8));
    SHOW(number);
    struct itimerspec soon = {{0, 0}, {0, 5000000}};
    SHOW(timerfd_settime(timer, 0, &soon, NULL));
    SHOW(epoll_wait(epoll, events, 4, 2000));
    printf("events %x of %lx\n", events[0].events, (long)events[0].data.u64);
    SHOW(read(timer, &number, 8));
    SHOW(timerfd_gettime(timer, &soon));
    struct timespec never = {1000, 0}, none = {0, 0};
    add.events = EPOLLIN | EPOLLOUT;
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &add));
    SHOW(epoll_pwait2(epoll, events, 4, &never, NULL));
    SHOW(epoll_pwait2(epoll, events, -1, &none, NULL));
    SHOW(epoll_pwait2(epoll, events, 4, (void *)8, NULL));
    SHOW(epoll_pwait2(epoll, (void *)8, 4, &none, NULL));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
    SHOW(epoll_pwait2(epoll, events, 4, &none, NULL));
    SHOW(epoll_wait(epoll, events, 0, 0));
}

static void messages(int fd)
{
    int ends[2];
    char text[8] = "", control[CMSG_SPACE(sizeof(int))];
    WORKS(pipe(ends));
    struct iovec part = {"hi", 2};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &ends[1], sizeof(int));
    SHOW(sendmsg(fd, &message, 0));
    part = (struct iovec){text, sizeof text};
    int peer = fd + 1, passed = -1;
    message.msg_controllen = sizeof control;
    SHOW(recvmsg(peer, &message, 0));
    memcpy(&passed, CMSG_DATA(c), sizeof(int));
    SHOW(write(passed, text, 2));
    SHOW(read(ends[0], text + 4, 2));
    printf("%s, %ld bytes of control\n", text + 4, (long)message.msg_controllen);
    SHOW(sendmsg(fd, (struct msghdr *)8, 0));
}

static void sockets(void)
{
    int pair[2];
    WORKS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    messages(pair[0]);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, value = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    SHOW(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    SHOW(bind(server, (struct sockaddr *)&address, sizeof address));
    SHOW(getsockname(server, (struct sockaddr *)&address, &n));
    SHOW(n);
    SHOW(listen(server, 1));
    fflush(stdout);
    if (fork() == 0) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        char text[8];
        int bad = connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
                  send(fd, "ping", 4, 0) != 4 || recv(fd, text, 8, 0) != 4;
        _exit(bad);
    }
    struct sockaddr_in peer;
    n = sizeof peer;
    int fd = accept(server, (struct sockaddr *)&peer, &n);
    char text[8] = "";
    SHOW(recv(fd, text, 8, 0));
    SHOW(sendto(fd, "pong", 4, MSG_NOSIGNAL, NULL, 0));
    SHOW(shutdown(fd, SHUT_WR));
    int status;
    wait(&status);
    SHOW(WEXITSTATUS(status));
    n = sizeof value;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &n));
    SHOW(value == SOCK_STREAM);
    SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0),
                 (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "/nothing"},
                 sizeof(struct sockaddr_un)));
    SHOW(bind(server, (struct sockaddr *)8, 16));
    SHOW(socket(AF_INET, 99, 0));
}

static void futexes(void)
{
    int word = 1;
    struct timespec soon = {0, 1000000};
    SHOW(syscall(SYS_futex, &word, FUTEX_WAIT, 2, NULL));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &soon));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL));
    SHOW(syscall(SYS_futex, 8, FUTEX_WAKE_OP, 1, NULL, 8, 0));
    SHOW(syscall(SYS_futex, &word, 77, 1, NULL));
    word = 0;
    SHOW(syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL));
    SHOW(word == getpid());
    SHOW(syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL));
    SHOW(syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL));
    SHOW(word);
    SHOW(syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL));
    SHOW(syscall(SYS_futex, 8, FUTEX_LOCK_PI, 0, NULL));
    SHOW(syscall(SYS_membarrier, 0, 0, 0) > 0);
    SHOW(syscall(SYS_membarrier, 1, 0, 0));
    SHOW(syscall(SYS_membarrier, -1, 0, 0));
}

int main(void)
{
    times();
    polls();
    epolls();
    sockets();
    futexes();
    return 0;
}

/* The child of a vfork runs in its parent's memory, and the parent waits until it ends or executes
 * a program; posix_spawn tells its caller of errors so. Here the child has a copy, as of any fork.
 * What it has written it sends to its parent when it is done, page by page. */
#include "syscall/vfork.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct page {
    uint64_t va;
    uint8_t bytes[PAGE_BYTES];
};

bool vfork_link(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
}

/* ---- the child ---- */

/* No signal, should the parent be gone. */
static bool send_all(int fd, const void *from, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t sent = send(fd, (const uint8_t *)from + done, n - done, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

struct sender {
    struct process *p;
    bool failed;
};

static void send_pages(void *owner, uint64_t va, uint64_t n)
{
    struct sender *s = owner;
    for (uint64_t end = va + n; va < end && !s->failed; va += PAGE_BYTES) {
        struct page page = {.va = va};
        memcpy(page.bytes, s->p->space.host + va, PAGE_BYTES);
        s->failed = !send_all(s->p->vfork_fd, &page, sizeof page);
    }
}

void vfork_tell(struct process *p)
{
    if (p->vfork_fd >= 0)
        space_take_stores(&p->space, send_pages, &(struct sender){.p = p});
}

/* ---- the parent ---- */

static bool receive_all(int fd, void *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = read(fd, (uint8_t *)to + done, n - done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

void vfork_wait(struct process *p, int fd)
{
    struct page page;
    while (receive_all(fd, &page, sizeof page)) {
        void *to = space_at(&p->space, page.va, PAGE_BYTES, SPACE_WRITE);
        if (to) /* what only the child has mapped is lost */
            memcpy(to, page.bytes, PAGE_BYTES);
    }
    close(fd);
}

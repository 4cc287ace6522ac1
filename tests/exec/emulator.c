/* What a program tries at the memory of the emulator that runs it. Prints what went wrong; the
 * status is 0 when nothing did. /proc/self is the emulator's. */
#include "must.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SPACE_BYTES (1ul << 38)
#define BYTES       (64ul << 20)

/* Whether the address space is reserved without a gap, in which the emulator could allocate. */
static int is_whole(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end, last = 0, run = 0, longest = 0;
    char line[1024];
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx", &start, &end) != 2)
            continue;
        run = start == last ? run + (end - start) : end - start;
        longest = run > longest ? run : longest;
        last = end;
    }
    fclose(maps);
    return longest >= SPACE_BYTES;
}

static void gaps(void)
{
    int status;
    char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(is_whole(), "the space has a gap");
    must(madvise(at, BYTES, MADV_DONTFORK) == 0, "MADV_DONTFORK");
    pid_t child = fork();
    if (child == 0)
        _exit(!is_whole());
    waitpid(child, &status, 0);
    must(status == 0, "what is kept from a child is a gap in it");
}

/* Linux unmaps what lies there before it asks a socket, which cannot be mapped. */
static void refused_mapping(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(mmap(at, BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED, "a socket");
    must(is_whole(), "a mapping that failed left a gap");
}

static int connected(int *sender)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *sender = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(listener, (void *)&address, n) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, (void *)&address, &n) == 0 &&
             connect(*sender, (void *)&address, n) == 0,
         "a connection");
    return accept(listener, NULL, NULL);
}

/* struct tcp_zerocopy_receive: the kernel writes what has come to copybuf. */
struct zerocopy {
    uint64_t address;
    uint32_t length, skip, queued;
    int32_t error;
    uint64_t copybuf;
    int32_t copybuf_bytes;
    uint32_t flags;
};

/* Options whose values hold addresses. */
static void options(void)
{
    static char buffer[64];
    struct zerocopy z = {.copybuf = (uintptr_t)buffer, .copybuf_bytes = sizeof buffer};
    uint64_t filter[2] = {1, (uintptr_t)buffer}, full[12] = {0};
    socklen_t n = sizeof z, bytes = 1;
    int sender, receiver = connected(&sender);
    must(write(sender, "there", 5) == 5 && recv(receiver, buffer, 5, MSG_PEEK) == 5, "bytes come");
    must(getsockopt(receiver, IPPROTO_TCP, 35, &z, &n) < 0 && errno == ENOPROTOOPT,
         "TCP_ZEROCOPY_RECEIVE writes where it is told to");
    must(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof filter) < 0 &&
             errno == ENOPROTOOPT,
         "SO_ATTACH_FILTER reads where it is told to");
    must(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, buffer, &bytes) < 0 &&
             errno == ENOPROTOOPT,
         "SO_GET_FILTER counts no bytes");
    n = sizeof full;
    must(getsockopt(receiver, 284, 4, full, &n) < 0 && errno == ENOPROTOOPT,
         "MPTCP_FULL_INFO writes where it is told to");
    n = sizeof full;
    must(getsockopt(receiver, IPPROTO_TCP, TCP_INFO, full, &n) == 0, "TCP_INFO");
}

int main(void)
{
    gaps();
    refused_mapping();
    options();
    const int zone[2] = {99999, 0}; /* which none is, should this be root */
    must(syscall(SYS_settimeofday, NULL, zone) < 0 && (errno == EPERM || errno == EINVAL),
         "settimeofday does not find a time zone");
    return failures != 0;
}

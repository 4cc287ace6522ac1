/* Sockets. Addresses, options and control messages have the same layout on all 64-bit Linux; what
 * holds pointers (struct msghdr) is translated. */
#include "syscall/call.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define ADDRESS_MOST  128u /* struct sockaddr_storage */
#define CONTROL_MOST  20480u
#define MESSAGES_MOST 1024u

int64_t call_socket(struct call *c)
{
    bool far = c->args[0] != AF_UNIX && c->args[0] != AF_NETLINK;
    if (c->p->config->no_network && far)
        return -EACCES;
    return os_call(SYS_socket, c->host);
}

int64_t call_socketpair(struct call *c)
{
    c->host[3] = (uintptr_t)call_at(c, c->args[3], 8, SPACE_WRITE);
    return c->host[3] ? os_call(SYS_socketpair, c->host) : -EFAULT;
}

/* A socket's name in the file system would be the host's, whatever the root. */
static bool is_kept_out(const struct call *c, const void *address, uint64_t n)
{
    const struct exec_config *config = c->p->config;
    uint16_t family = 0;
    if ((!config->files.root && !config->files.read_only) || n < sizeof family + 1)
        return false;
    memcpy(&family, address, sizeof family);
    return family == AF_UNIX && ((const char *)address)[sizeof family];
}

/* The call with arguments i, an address that it reads, and i + 1, its length. What was looked at is
 * a copy: the guest's memory may be shared with others that write it. */
static int64_t call_with_address(struct call *c, long number, unsigned i)
{
    char copy[ADDRESS_MOST];
    uint64_t n = c->args[i + 1];
    if (n > ADDRESS_MOST)
        return -EINVAL;
    if (c->args[i]) {
        const void *address = call_at(c, c->args[i], n, SPACE_READ);
        if (!address)
            return -EFAULT;
        memcpy(copy, address, n);
        if (is_kept_out(c, copy, n))
            return -EACCES;
        c->host[i] = (uintptr_t)copy;
    }
    return os_call(number, c->host);
}

/* The call with arguments i, room for an address, and i + 1, which points to its length. */
static int64_t call_for_address(struct call *c, long number, unsigned i)
{
    c->host[i + 1] = 0;
    if (!c->args[i])
        return os_call(number, c->host);
    guest_i32 *given = call_at(c, c->args[i + 1], 4, SPACE_WRITE);
    if (!given)
        return -EFAULT;
    int32_t n = *given;
    if (n < 0)
        return -EINVAL;
    c->host[i] = (uintptr_t)call_at(c, c->args[i], min_u64((uint64_t)n, ADDRESS_MOST), SPACE_WRITE);
    if (!c->host[i])
        return -EFAULT;
    c->host[i + 1] = (uintptr_t)&n;
    int64_t result = os_call(number, c->host);
    *given = n;
    return result;
}

int64_t call_bind(struct call *c)
{
    return call_with_address(c, SYS_bind, 1);
}

int64_t call_connect(struct call *c)
{
    return call_with_address(c, SYS_connect, 1);
}

int64_t call_accept(struct call *c)
{
    return call_for_address(c, SYS_accept, 1);
}

int64_t call_accept4(struct call *c)
{
    return call_for_address(c, SYS_accept4, 1);
}

int64_t call_getsockname(struct call *c)
{
    return call_for_address(c, SYS_getsockname, 1);
}

int64_t call_getpeername(struct call *c)
{
    return call_for_address(c, SYS_getpeername, 1);
}

int64_t call_sendto(struct call *c)
{
    return call_with_address(c, SYS_sendto, 4);
}

int64_t call_recvfrom(struct call *c)
{
    return call_for_address(c, SYS_recvfrom, 4);
}

/* ---- options ---- */

#define NETFILTER_FIRST 64 /* tables of netfilter hold addresses; IPv6 has other options behind */
#define NETFILTER_LAST  65
#define ORIGINAL_DST    80

/* Whether an option's value is all that the host's kernel looks at: addresses in it would be the
 * emulator's, and TCP_ZEROCOPY_RECEIVE writes to one. SO_ATTACH_FILTER read is SO_GET_FILTER, which
 * counts in other units than bytes. */
static bool is_plain_option(int level, int name)
{
    switch (level) {
    case SOL_SOCKET:
        return name != SO_ATTACH_FILTER && name != SO_ATTACH_REUSEPORT_CBPF;
    case IPPROTO_IP:
        return name < NETFILTER_FIRST || name == ORIGINAL_DST;
    case IPPROTO_IPV6:
        return name < NETFILTER_FIRST || name > NETFILTER_LAST;
    case IPPROTO_TCP:
        return name != TCP_ZEROCOPY_RECEIVE;
    case SOL_PACKET:
        return name != PACKET_FANOUT_DATA;
    case IPPROTO_UDP:
    case IPPROTO_ICMPV6:
    case IPPROTO_RAW:
    case SOL_NETLINK:
    case SOL_ALG:
    case SOL_TLS:
        return true;
    default:
        return false;
    }
}

static bool has_option(struct call *c)
{
    int level = (int)c->args[1], name = (int)c->args[2];
    bool is_plain = is_plain_option(level, name);
    if (!is_plain)
        log_line(c->p->log, LOG_UNIMP, "socket option %d of level %d is not there", name, level);
    return is_plain;
}

int64_t call_setsockopt(struct call *c)
{
    if (!has_option(c))
        return -ENOPROTOOPT;
    if (c->args[4] > CONTROL_MOST)
        return -EINVAL;
    c->host[3] = (uintptr_t)call_at(c, c->args[3], c->args[4], SPACE_READ);
    return c->args[3] && !c->host[3] ? -EFAULT : os_call(SYS_setsockopt, c->host);
}

int64_t call_getsockopt(struct call *c)
{
    if (!has_option(c))
        return -ENOPROTOOPT;
    guest_i32 *given = call_at(c, c->args[4], 4, SPACE_WRITE);
    if (!given)
        return -EFAULT;
    int32_t n = *given;
    if (n < 0)
        return -EINVAL;
    c->host[3] = (uintptr_t)call_at(c, c->args[3], (uint64_t)n, SPACE_WRITE);
    if (n && !c->host[3])
        return -EFAULT;
    c->host[4] = (uintptr_t)&n;
    int64_t result = os_call(SYS_getsockopt, c->host);
    *given = n;
    return result;
}

/* ---- messages ---- */

struct guest_msghdr {
    uint64_t name;
    uint32_t name_bytes, pad1;
    uint64_t vectors, vector_count;
    uint64_t control, control_bytes;
    uint32_t flags, pad2;
} GUEST_LAYOUT;
_Static_assert(sizeof(struct guest_msghdr) == 56, "struct msghdr");

/* What was looked at of a message that is sent: the guest's may be changed meanwhile. */
struct sent {
    char name[ADDRESS_MOST];
    _Alignas(struct cmsghdr) char control[CONTROL_MOST];
};

/* Whether a descriptor of ours is among what a message carries. Headers that do not fit are the
 * kernel's to refuse. */
static bool carries_own(const struct process *p, struct msghdr *message)
{
    const char *end = (const char *)message->msg_control + message->msg_controllen;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_len < CMSG_LEN(0) || h->cmsg_len > (size_t)(end - (const char *)h))
            return false;
        const char *at = (const char *)CMSG_DATA(h);
        size_t left = h->cmsg_len - CMSG_LEN(0);
        bool carries = h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS;
        for (int fd; carries && left >= sizeof fd; left -= sizeof fd, at += sizeof fd) {
            memcpy(&fd, at, sizeof fd);
            if (process_owns(p, fd))
                return true;
        }
    }
    return false;
}

/* 0, or the error of a message that must not be sent. */
static int64_t keep_sent(const struct call *c, struct msghdr *message, struct sent *sent)
{
    if (message->msg_name) {
        message->msg_name = memcpy(sent->name, message->msg_name, message->msg_namelen);
        if (is_kept_out(c, sent->name, message->msg_namelen))
            return -EACCES;
    }
    if (message->msg_control) {
        message->msg_control = memcpy(sent->control, message->msg_control, message->msg_controllen);
        if (carries_own(c->p, message))
            return -EBADF;
    }
    return 0;
}

static int64_t take_message(struct call *c, const struct guest_msghdr *from,
                            enum space_protection access, struct iovec *vectors, struct sent *sent,
                            struct msghdr *to)
{
    *to = (struct msghdr){.msg_namelen = from->name_bytes,
                          .msg_iov = vectors,
                          .msg_controllen = from->control_bytes,
                          .msg_flags = (int)from->flags};
    if (from->name_bytes > ADDRESS_MOST || from->control_bytes > CONTROL_MOST)
        return -EINVAL;
    if (from->name && from->name_bytes)
        to->msg_name = call_at(c, from->name, from->name_bytes, access);
    if (from->control && from->control_bytes)
        to->msg_control = call_at(c, from->control, from->control_bytes, access);
    if ((from->name && from->name_bytes && !to->msg_name) ||
        (from->control_bytes && !to->msg_control))
        return -EFAULT;
    if (!from->name)
        to->msg_namelen = 0;
    int64_t error = access == SPACE_READ ? keep_sent(c, to, sent) : 0;
    if (error)
        return error;
    int64_t count = call_vectors(c, from->vectors, from->vector_count, access, vectors);
    if (count < 0)
        return count;
    to->msg_iovlen = (size_t)count;
    return 0;
}

static int64_t message_call(struct call *c, uint64_t va, uint64_t flags, bool receives)
{
    struct iovec vectors[CALL_VECTORS_MOST];
    struct msghdr host;
    struct sent sent;
    enum space_protection access = receives ? SPACE_WRITE : SPACE_READ;
    struct guest_msghdr *guest = call_at(c, va, sizeof *guest, access);
    if (!guest)
        return -EFAULT;
    const struct guest_msghdr given = *guest; /* it may be changed meanwhile */
    int64_t error = take_message(c, &given, access, vectors, &sent, &host);
    if (error)
        return error;
    const uint64_t args[6] = {c->args[0], (uintptr_t)&host, flags};
    int64_t n = os_call(receives ? SYS_recvmsg : SYS_sendmsg, args);
    if (n < 0 || !receives)
        return n;
    guest->name_bytes = host.msg_namelen;
    guest->control_bytes = host.msg_controllen;
    guest->flags = (uint32_t)host.msg_flags;
    return n;
}

int64_t call_sendmsg(struct call *c)
{
    return message_call(c, c->args[1], c->args[2], false);
}

int64_t call_recvmsg(struct call *c)
{
    return message_call(c, c->args[1], c->args[2], true);
}

/* struct mmsghdr: a message, and how many bytes of it went. */
struct guest_mmsghdr {
    struct guest_msghdr message;
    uint32_t bytes, pad;
} GUEST_LAYOUT;

static int64_t messages_call(struct call *c, bool receives)
{
    uint64_t count = min_u64((uint32_t)c->args[2], MESSAGES_MOST), done = 0;
    for (; done < count; done++) {
        uint64_t va = c->args[1] + done * sizeof(struct guest_mmsghdr);
        struct guest_mmsghdr *m = call_at(c, va, sizeof *m, SPACE_WRITE);
        uint64_t flags = c->args[3] | (receives && done ? (uint64_t)MSG_DONTWAIT : 0);
        int64_t n = m ? message_call(c, va, flags, receives) : -EFAULT;
        if (n < 0)
            return done ? (int64_t)done : n;
        m->bytes = (uint32_t)n;
    }
    return (int64_t)done;
}

int64_t call_sendmmsg(struct call *c)
{
    return messages_call(c, false);
}

int64_t call_recvmmsg(struct call *c)
{
    return messages_call(c, true);
}

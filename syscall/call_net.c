/* Sockets. Addresses, options and control messages have the same layout on all 64-bit Linux; what
 * holds pointers (struct msghdr) is translated. */
#include "syscall/call.h"

#include <errno.h>
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
    if ((!config->root && !config->read_only) || n < sizeof family + 1)
        return false;
    memcpy(&family, address, sizeof family);
    return family == AF_UNIX && ((const char *)address)[sizeof family];
}

/* Argument i is an address that the call reads, the next its length. */
static int64_t take_address(struct call *c, unsigned i)
{
    if (c->args[i + 1] > ADDRESS_MOST)
        return -EINVAL;
    if (!c->args[i])
        return 0;
    const void *address = call_at(c, c->args[i], c->args[i + 1], SPACE_READ);
    if (!address)
        return -EFAULT;
    c->host[i] = (uintptr_t)address;
    return is_kept_out(c, address, c->args[i + 1]) ? -EACCES : 0;
}

/* Argument i is room for an address, the next points to its length. */
static int64_t take_address_room(struct call *c, unsigned i)
{
    if (!c->args[i]) {
        c->host[i + 1] = 0;
        return 0;
    }
    const guest_i32 *n = call_at(c, c->args[i + 1], 4, SPACE_WRITE);
    if (!n)
        return -EFAULT;
    if (*n < 0)
        return -EINVAL;
    c->host[i] =
        (uintptr_t)call_at(c, c->args[i], min_u64((uint64_t)*n, ADDRESS_MOST), SPACE_WRITE);
    c->host[i + 1] = (uintptr_t)n;
    return c->host[i] ? 0 : -EFAULT;
}

int64_t call_bind(struct call *c)
{
    int64_t error = take_address(c, 1);
    return error ? error : os_call(SYS_bind, c->host);
}

int64_t call_connect(struct call *c)
{
    int64_t error = take_address(c, 1);
    return error ? error : os_call(SYS_connect, c->host);
}

int64_t call_accept(struct call *c)
{
    int64_t error = take_address_room(c, 1);
    return error ? error : os_call(SYS_accept, c->host);
}

int64_t call_accept4(struct call *c)
{
    int64_t error = take_address_room(c, 1);
    return error ? error : os_call(SYS_accept4, c->host);
}

int64_t call_getsockname(struct call *c)
{
    int64_t error = take_address_room(c, 1);
    return error ? error : os_call(SYS_getsockname, c->host);
}

int64_t call_getpeername(struct call *c)
{
    int64_t error = take_address_room(c, 1);
    return error ? error : os_call(SYS_getpeername, c->host);
}

int64_t call_sendto(struct call *c)
{
    int64_t error = take_address(c, 4);
    return error ? error : os_call(SYS_sendto, c->host);
}

int64_t call_recvfrom(struct call *c)
{
    int64_t error = take_address_room(c, 4);
    return error ? error : os_call(SYS_recvfrom, c->host);
}

int64_t call_setsockopt(struct call *c)
{
    if (c->args[4] > CONTROL_MOST)
        return -EINVAL;
    c->host[3] = (uintptr_t)call_at(c, c->args[3], c->args[4], SPACE_READ);
    return c->args[3] && !c->host[3] ? -EFAULT : os_call(SYS_setsockopt, c->host);
}

int64_t call_getsockopt(struct call *c)
{
    const guest_i32 *n = call_at(c, c->args[4], 4, SPACE_WRITE);
    if (!n)
        return -EFAULT;
    if (*n < 0)
        return -EINVAL;
    c->host[3] = (uintptr_t)call_at(c, c->args[3], (uint64_t)*n, SPACE_WRITE);
    c->host[4] = (uintptr_t)n;
    return *n && !c->host[3] ? -EFAULT : os_call(SYS_getsockopt, c->host);
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

static int64_t take_message(struct call *c, const struct guest_msghdr *from,
                            enum space_protection access, struct iovec *vectors, struct msghdr *to)
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
    if (access == SPACE_READ && to->msg_name && is_kept_out(c, to->msg_name, from->name_bytes))
        return -EACCES;
    if (!from->name)
        to->msg_namelen = 0;
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
    enum space_protection access = receives ? SPACE_WRITE : SPACE_READ;
    struct guest_msghdr *guest = call_at(c, va, sizeof *guest, access);
    if (!guest)
        return -EFAULT;
    int64_t error = take_message(c, guest, access, vectors, &host);
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

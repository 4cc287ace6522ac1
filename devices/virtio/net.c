/* Network device (virtio 1.2, section 5.1).
 *
 * The driver's frames go to the link when it rings; frames of the link are written into the
 * driver's buffers when the input door delivers them, between rounds. So no chain is held: what is
 * under way is in the rings alone. A frame is refused, and offered again by the door, only while
 * the driver has given no buffer at all. */
#include "devices/virtio/net.h"

#include "devices/virtio/net_offload.h"

#include <stdlib.h>

#define RX      0u
#define TX      1u
#define CONTROL 2u
#define QUEUES  3u

/* Feature bits, section 5.1.3. */
#define F_CSUM          0u
#define F_GUEST_CSUM    1u
#define F_MAC           5u
#define F_HOST_TSO4     11u
#define F_HOST_TSO6     12u
#define F_HOST_ECN      13u
#define F_MRG_RXBUF     15u
#define F_STATUS        16u
#define F_CTRL_VQ       17u
#define F_CTRL_RX       18u
#define F_CTRL_RX_EXTRA 20u
#define F_CTRL_MAC_ADDR 23u

#define S_LINK_UP 1u

/* Section 5.1.4: what there is of it without further features. */
struct config_space {
    uint8_t mac[VIRTIO_NET_MAC_BYTES];
    uint16_t status;
};

/* Section 5.1.6. A legacy driver without mergeable buffers does not have the last field. */
struct header {
    struct offload offload;
    uint16_t buffers;
};
#define SHORT_HEADER offsetof(struct header, buffers)

/* Commands of the control queue, section 5.1.6.5: class and command. */
struct command {
    uint8_t class, number;
};
#define CLASS_RX  0u
#define CLASS_MAC 1u
#define MAC_TABLE 0u
#define MAC_ADDR  1u
#define ACK_OK    0u
#define ACK_ERROR 1u

#define TABLE_MOST 64u /* addresses; a longer table lets everything of its kind pass */

/* What passes to the driver, by the commands of class RX. */
enum rx_mode { PROMISCUOUS, ALL_MULTI, ALL_UNI, NO_MULTI, NO_UNI, NO_BROADCAST, RX_MODES };

/* A list of addresses that pass, unicast or multicast. */
struct mac_table {
    bool overflow; /* all pass */
    uint32_t count;
    uint8_t macs[TABLE_MOST][VIRTIO_NET_MAC_BYTES];
};

struct virtio_net {
    struct virtio virtio;
    /* --- guest state --- */
    uint8_t mac[VIRTIO_NET_MAC_BYTES];
    bool modes[RX_MODES];
    struct mac_table unicast, multicast;
    /* --- host side --- */
    struct virtio_net_config config;
    uint8_t frame[LINK_FRAME_MAX];
};

static struct virtio_net *net_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_net, virtio);
}

static size_t header_bytes(const struct virtio *v)
{
    bool is_long = virtio_has(v, F_MRG_RXBUF) || virtio_has(v, VIRTIO_F_VERSION_1);
    return is_long ? sizeof(struct header) : SHORT_HEADER;
}

/* --- features and configuration ---------------------------------------------------------- */

static uint64_t net_features(struct virtio *v)
{
    (void)v;
    return 1u << F_CSUM | 1u << F_GUEST_CSUM | 1u << F_MAC | 1u << F_HOST_TSO4 | 1u << F_HOST_TSO6 |
           1u << F_HOST_ECN | 1u << F_MRG_RXBUF | 1u << F_STATUS | 1u << F_CTRL_VQ |
           1u << F_CTRL_RX | 1u << F_CTRL_RX_EXTRA | 1u << F_CTRL_MAC_ADDR;
}

static void net_read_config(struct virtio *v, uint8_t *bytes)
{
    struct config_space space = {.status = S_LINK_UP};
    memcpy(space.mac, net_of(v)->mac, sizeof space.mac);
    memcpy(bytes, &space, sizeof space);
}

/* Only legacy drivers may, and they may byte by byte (section 5.1.4.3). */
static void net_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    if (!v->legacy || offset + n > VIRTIO_NET_MAC_BYTES)
        log_line(v->log, LOG_GUEST_ERRORS,
                 "virtio-net: the configuration at 0x%x is read-only (%u bytes)", offset, n);
    else
        memcpy(net_of(v)->mac + offset, bytes, n);
}

/* --- what passes to the driver ----------------------------------------------------------- */

static bool table_has(const struct mac_table *t, const uint8_t *mac)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (memcmp(t->macs[i], mac, VIRTIO_NET_MAC_BYTES) == 0)
            return true;
    return t->overflow;
}

/* Section 5.1.6.5.1; the destination is the frame's first field. */
static bool passes(const struct virtio_net *n, const uint8_t *mac)
{
    static const uint8_t broadcast[VIRTIO_NET_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (n->modes[PROMISCUOUS])
        return true;
    if (memcmp(mac, broadcast, sizeof broadcast) == 0)
        return !n->modes[NO_BROADCAST];
    if (mac[0] & 1)
        return !n->modes[NO_MULTI] && (n->modes[ALL_MULTI] || table_has(&n->multicast, mac));
    if (n->modes[NO_UNI])
        return false;
    return n->modes[ALL_UNI] || memcmp(mac, n->mac, sizeof n->mac) == 0 ||
           table_has(&n->unicast, mac);
}

/* --- to the driver ----------------------------------------------------------------------- */

/* The buffers of one frame: one chain, or several when the driver merges them. */
struct buffers {
    struct virtio_chain *chains[VIRTIO_QUEUE_MOST];
    uint16_t count;
    uint64_t bytes;
};

static void take_buffers(struct virtio *v, uint64_t needed, struct buffers *b)
{
    b->count = 0;
    b->bytes = 0;
    do {
        struct virtio_chain *c = virtio_take(v, RX);
        if (!c)
            return;
        b->chains[b->count++] = c;
        b->bytes += c->writable_bytes;
    } while (b->bytes < needed && virtio_has(v, F_MRG_RXBUF) && b->count < VIRTIO_QUEUE_MOST);
}

static void give_up(struct virtio *v, struct buffers *b)
{
    while (b->count)
        virtio_untake(v, b->chains[--b->count]);
}

/* The header lies before the frame, whatever the boundaries of buffers. */
static void fill(struct virtio *v, struct buffers *b, const uint8_t *frame, size_t n)
{
    struct header header = {.buffers = b->count};
    if (virtio_has(v, F_GUEST_CSUM) && offload_checksum_is_right(frame, n))
        header.offload.flags = OFFLOAD_DATA_VALID;
    size_t head = header_bytes(v), done = 0;
    uint8_t first[sizeof header];
    memcpy(first, &header, sizeof first);
    for (uint16_t i = 0; i < b->count; i++) {
        struct virtio_chain *c = b->chains[i];
        uint32_t written = 0;
        if (done < head) {
            written = (uint32_t)virtio_write(v, c, 0, first + done, head - done);
            done += written;
        }
        if (done >= head) {
            size_t data = virtio_write(v, c, written, frame + (done - head), n - (done - head));
            written += (uint32_t)data;
            done += data;
        }
        virtio_give(v, c, written);
    }
    virtio_publish(v, RX);
}

/* The link's sink: 0 keeps the frame at the door. What nobody listens to, and what does not fit
 * into all that the driver has given, is lost as at any network card. */
static size_t net_receive(void *device, const uint8_t *frame, size_t n)
{
    struct virtio *v = device;
    struct buffers buffers;
    if (!virtio_is_running(v) || !v->queues[RX].ready || !passes(net_of(v), frame))
        return n;
    take_buffers(v, header_bytes(v) + n, &buffers);
    if (buffers.bytes >= header_bytes(v) + n) {
        fill(v, &buffers, frame, n);
        return n;
    }
    bool none = buffers.count == 0 && virtio_is_running(v);
    give_up(v, &buffers);
    return none ? 0 : n;
}

/* --- from the driver --------------------------------------------------------------------- */

static void on_frame(void *owner, const uint8_t *frame, size_t bytes)
{
    link_send(owner, frame, bytes);
}

static void send(struct virtio *v, const struct virtio_chain *c)
{
    struct virtio_net *n = net_of(v);
    struct offload offload;
    uint64_t head = header_bytes(v);
    if (c->readable_bytes < head + LINK_FRAME_LEAST || c->readable_bytes > head + LINK_FRAME_MAX) {
        log_line(v->log, LOG_GUEST_ERRORS, "virtio-net: a frame of %u bytes with its header",
                 c->readable_bytes);
        return;
    }
    virtio_read(v, c, 0, &offload, sizeof offload);
    size_t size = virtio_read(v, c, head, n->frame, sizeof n->frame);
    if (!offload_send(&offload, n->frame, size, on_frame, n->config.link))
        log_line(v->log, LOG_GUEST_ERRORS, "virtio-net: flags 0x%x, gso 0x%x make no sense",
                 offload.flags, offload.gso_type);
}

static void serve_tx(struct virtio *v)
{
    for (struct virtio_chain *c; (c = virtio_take(v, TX));) {
        send(v, c);
        virtio_give(v, c, 0);
    }
    virtio_publish(v, TX);
}

/* --- commands ---------------------------------------------------------------------------- */

static uint8_t set_mode(struct virtio *v, const struct virtio_chain *c, uint8_t mode)
{
    uint8_t on;
    if (mode >= RX_MODES || virtio_read(v, c, sizeof(struct command), &on, 1) != 1)
        return ACK_ERROR;
    net_of(v)->modes[mode] = on;
    return ACK_OK;
}

/* A table of the command at *offset: its length in 4 bytes, then addresses. */
static bool read_table(struct virtio *v, const struct virtio_chain *c, uint64_t *offset,
                       struct mac_table *t)
{
    uint32_t count;
    if (virtio_read(v, c, *offset, &count, sizeof count) != sizeof count)
        return false;
    uint64_t bytes = (uint64_t)count * VIRTIO_NET_MAC_BYTES;
    if (bytes > c->readable_bytes - *offset - sizeof count)
        return false;
    memset(t, 0, sizeof *t);
    t->overflow = count > TABLE_MOST;
    t->count = t->overflow ? 0 : count;
    virtio_read(v, c, *offset + sizeof count, t->macs, t->count * sizeof t->macs[0]);
    *offset += sizeof count + bytes;
    return true;
}

static uint8_t set_tables(struct virtio *v, const struct virtio_chain *c)
{
    struct virtio_net *n = net_of(v);
    struct mac_table unicast, multicast;
    uint64_t offset = sizeof(struct command);
    if (!read_table(v, c, &offset, &unicast) || !read_table(v, c, &offset, &multicast))
        return ACK_ERROR;
    n->unicast = unicast;
    n->multicast = multicast;
    return ACK_OK;
}

static uint8_t set_mac(struct virtio *v, const struct virtio_chain *c)
{
    struct virtio_net *n = net_of(v);
    if (c->readable_bytes != sizeof(struct command) + sizeof n->mac)
        return ACK_ERROR;
    virtio_read(v, c, sizeof(struct command), n->mac, sizeof n->mac);
    return ACK_OK;
}

static uint8_t obey(struct virtio *v, const struct virtio_chain *c)
{
    struct command command;
    if (virtio_read(v, c, 0, &command, sizeof command) != sizeof command)
        return ACK_ERROR;
    if (command.class == CLASS_RX)
        return set_mode(v, c, command.number);
    if (command.class == CLASS_MAC && command.number == MAC_TABLE)
        return set_tables(v, c);
    if (command.class == CLASS_MAC && command.number == MAC_ADDR)
        return set_mac(v, c);
    log_line(v->log, LOG_UNIMP, "virtio-net: no command %u of class %u", command.number,
             command.class);
    return ACK_ERROR;
}

static void serve_control(struct virtio *v)
{
    for (struct virtio_chain *c; (c = virtio_take(v, CONTROL));) {
        uint8_t ack = obey(v, c);
        virtio_give(v, c, (uint32_t)virtio_write(v, c, 0, &ack, 1));
    }
    virtio_publish(v, CONTROL);
}

/* New buffers in RX need no answer: the door offers what waits before the next round. */
static void net_notify(struct virtio *v, unsigned queue)
{
    if (queue == TX)
        serve_tx(v);
    else if (queue == CONTROL)
        serve_control(v);
}

/* --- life -------------------------------------------------------------------------------- */

/* All frames pass until a driver says otherwise: one that does not know the control queue filters
 * for itself. */
static void net_reset(struct virtio *v)
{
    struct virtio_net *n = net_of(v);
    memcpy(n->mac, n->config.mac, sizeof n->mac);
    memset(n->modes, 0, sizeof n->modes);
    memset(&n->unicast, 0, sizeof n->unicast);
    memset(&n->multicast, 0, sizeof n->multicast);
    n->modes[PROMISCUOUS] = true;
}

static void table_state(struct mac_table *t, struct state *s)
{
    state_bool(s, &t->overflow);
    state_u32(s, &t->count);
    state_bytes(s, t->macs, sizeof t->macs);
    if (t->count <= TABLE_MOST)
        return;
    t->count = 0;
    state_fail(s, "virtio-net: a table of too many addresses");
}

static void net_state(struct virtio *v, struct state *s)
{
    struct virtio_net *n = net_of(v);
    state_section(s, "virtio-net", 1);
    state_bytes(s, n->mac, sizeof n->mac);
    for (unsigned i = 0; i < RX_MODES; i++)
        state_bool(s, &n->modes[i]);
    table_state(&n->unicast, s);
    table_state(&n->multicast, s);
}

static void net_destroy(struct virtio *v)
{
    virtio_deinit(v);
    free(net_of(v));
}

static const struct virtio_device_ops net_ops = {
    .name = "virtio-net",
    .id = 1,
    .config_bytes = sizeof(struct config_space),
    .features = net_features,
    .read_config = net_read_config,
    .write_config = net_write_config,
    .notify = net_notify,
    .reset = net_reset,
    .state = net_state,
    .destroy = net_destroy,
};

struct virtio *virtio_net_create(const struct virtio_net_config *config)
{
    struct virtio_net *n = calloc(1, sizeof *n);
    struct virtio_config base = {.ops = &net_ops,
                                 .queues = QUEUES,
                                 .queue_size = VIRTIO_NET_QUEUE_SIZE,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!n || !virtio_init(&n->virtio, &base)) {
        free(n);
        return NULL;
    }
    n->config = *config;
    net_reset(&n->virtio);
    if (link_attach(config->link, net_receive, &n->virtio))
        return &n->virtio;
    net_destroy(&n->virtio);
    return NULL;
}

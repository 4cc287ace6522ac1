/* Checksums and segmentation (contract: net_offload.h; virtio 1.2, section 5.1.6.2; RFC 1071, 791,
 * 8200, 9293).
 *
 * Sums are of 16-bit words as they lie in memory: one's complement addition does not mind the order
 * of bytes. */
#include "devices/virtio/net_offload.h"

#define GSO_NONE  0u
#define GSO_TCPV4 1u
#define GSO_TCPV6 4u
#define GSO_ECN   0x80u /* the first segment alone has CWR */

#define ETHERNET_BYTES 14u
#define VLAN_BYTES     4u
#define TYPE_VLAN      0x8100u
#define TYPE_VLAN_OUT  0x88a8u
#define TYPE_IPV4      0x0800u
#define TYPE_IPV6      0x86ddu

#define IPV4_LEAST 20u
#define IPV6_BYTES 40u
#define TCP_LEAST  20u
#define UDP_BYTES  8u
#define TCP        6u
#define UDP        17u

#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define TCP_CWR 0x80u

#define HEADERS_MOST 256u /* Ethernet to TCP, of a segment that is cut */

/* --- bytes in network order -------------------------------------------------------------- */

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v);
}

/* --- sums -------------------------------------------------------------------------------- */

static uint64_t add_bytes(uint64_t sum, const uint8_t *bytes, size_t n)
{
    uint32_t word = 0;
    for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum += word;
    }
    word = 0;
    memcpy(&word, bytes, n);
    return sum + word;
}

static uint64_t add16(uint64_t sum, uint32_t v)
{
    return sum + (uint16_t)(v << 8 | v >> 8);
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
    uint16_t checksum = (uint16_t)~fold(sum);
    memcpy(at, &checksum, sizeof checksum);
}

/* UDP's 0 means that there is none; the other zero of one's complement is the same sum. */
static void put_payload_checksum(uint8_t *at, uint64_t sum)
{
    put_checksum(at, fold(sum) == 0xffff ? 0 : sum);
}

/* --- headers ----------------------------------------------------------------------------- */

/* Where the headers of a frame begin, as far as they are all there. */
struct headers {
    bool is_ipv6;
    uint8_t protocol;
    size_t ip, payload; /* of IP */
    size_t end;         /* what lies behind is padding */
};

static bool parse_ipv4(const uint8_t *frame, size_t bytes, struct headers *h)
{
    const uint8_t *ip = frame + h->ip;
    if (bytes - h->ip < IPV4_LEAST)
        return false;
    size_t header = 4 * (ip[0] & 15u), total = get16(ip + 2);
    bool is_fragment = get16(ip + 6) & 0x3fff;
    h->protocol = ip[9];
    h->payload = h->ip + header;
    h->end = h->ip + total;
    return ip[0] >> 4 == 4 && header >= IPV4_LEAST && total >= header && h->end <= bytes &&
           !is_fragment;
}

static bool parse_ipv6(const uint8_t *frame, size_t bytes, struct headers *h)
{
    const uint8_t *ip = frame + h->ip;
    if (bytes - h->ip < IPV6_BYTES)
        return false;
    h->protocol = ip[6];
    h->payload = h->ip + IPV6_BYTES;
    h->end = h->payload + get16(ip + 4);
    return ip[0] >> 4 == 6 && h->end <= bytes;
}

static bool parse(const uint8_t *frame, size_t bytes, struct headers *h)
{
    size_t type = ETHERNET_BYTES - 2;
    while (type + 2 <= bytes &&
           (get16(frame + type) == TYPE_VLAN || get16(frame + type) == TYPE_VLAN_OUT))
        type += VLAN_BYTES;
    h->ip = type + 2;
    if (h->ip > bytes)
        return false;
    h->is_ipv6 = get16(frame + type) == TYPE_IPV6;
    if (h->is_ipv6)
        return parse_ipv6(frame, bytes, h);
    return get16(frame + type) == TYPE_IPV4 && parse_ipv4(frame, bytes, h);
}

/* The sum of addresses, protocol and length that TCP and UDP add to their own. */
static uint64_t pseudo_header(const uint8_t *frame, const struct headers *h, size_t length)
{
    uint64_t sum =
        h->is_ipv6 ? add_bytes(0, frame + h->ip + 8, 32) : add_bytes(0, frame + h->ip + 12, 8);
    return add16(add16(sum, h->protocol), (uint32_t)length);
}

bool offload_checksum_is_right(const uint8_t *frame, size_t bytes)
{
    struct headers h;
    if (!parse(frame, bytes, &h))
        return false;
    size_t length = h.end - h.payload;
    bool is_udp = h.protocol == UDP && length >= UDP_BYTES;
    if (!is_udp && !(h.protocol == TCP && length >= TCP_LEAST))
        return false;
    if (is_udp && (get16(frame + h.payload + 6) == 0 || get16(frame + h.payload + 4) != length))
        return false;
    return fold(add_bytes(pseudo_header(frame, &h, length), frame + h.payload, length)) == 0xffff;
}

/* --- segmentation ------------------------------------------------------------------------ */

/* One long TCP segment of the driver's. */
struct long_segment {
    struct headers h;
    size_t data; /* where the headers end */
    size_t piece_bytes;
    uint8_t headers[HEADERS_MOST];
};

static bool parse_long(const struct offload *o, const uint8_t *frame, size_t bytes,
                       struct long_segment *s)
{
    bool wants_ipv6 = (o->gso_type & ~GSO_ECN) == GSO_TCPV6;
    if (!parse(frame, bytes, &s->h) || s->h.is_ipv6 != wants_ipv6 || s->h.protocol != TCP ||
        o->gso_size == 0 || !(o->flags & OFFLOAD_NEEDS_CSUM) || s->h.end - s->h.payload < TCP_LEAST)
        return false;
    size_t tcp_bytes = 4 * (size_t)(frame[s->h.payload + 12] >> 4);
    s->data = s->h.payload + tcp_bytes;
    s->piece_bytes = o->gso_size;
    return tcp_bytes >= TCP_LEAST && s->data <= s->h.end && s->data <= HEADERS_MOST;
}

/* The headers of the piece that begins `offset` bytes into the data. */
static void adapt_headers(const struct long_segment *s, uint8_t *frame, size_t offset,
                          size_t piece_bytes, bool is_last)
{
    uint8_t *ip = frame + s->h.ip, *tcp = frame + s->h.payload;
    size_t tcp_bytes = s->data - s->h.payload + piece_bytes;
    if (s->h.is_ipv6) {
        put16(ip + 4, (uint32_t)tcp_bytes);
    } else {
        size_t header_bytes = s->h.payload - s->h.ip;
        put16(ip + 2, (uint32_t)(header_bytes + tcp_bytes));
        put16(ip + 4, get16(ip + 4) + (uint32_t)(offset / s->piece_bytes));
        put16(ip + 10, 0);
        put_checksum(ip + 10, add_bytes(0, ip, header_bytes));
    }
    put32(tcp + 4, get32(tcp + 4) + (uint32_t)offset);
    if (offset)
        tcp[13] &= (uint8_t)~TCP_CWR;
    if (!is_last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    put16(tcp + 16, 0);
    put_payload_checksum(tcp + 16,
                         add_bytes(pseudo_header(frame, &s->h, tcp_bytes), tcp, tcp_bytes));
}

/* Each piece is sent from where it lies: its headers are put before it, over data that is gone. */
static bool send_long(const struct offload *o, uint8_t *frame, size_t bytes,
                      void (*send)(void *owner, const uint8_t *frame, size_t bytes), void *owner)
{
    struct long_segment s;
    if (!parse_long(o, frame, bytes, &s))
        return false;
    size_t total = s.h.end - s.data;
    memcpy(s.headers, frame, s.data);
    for (size_t offset = 0; offset == 0 || offset < total; offset += s.piece_bytes) {
        size_t piece = min_u64(s.piece_bytes, total - offset);
        memcpy(frame + offset, s.headers, s.data);
        adapt_headers(&s, frame + offset, offset, piece, offset + piece == total);
        send(owner, frame + offset, s.data + piece);
    }
    return true;
}

bool offload_send(const struct offload *o, uint8_t *frame, size_t bytes,
                  void (*send)(void *owner, const uint8_t *frame, size_t bytes), void *owner)
{
    unsigned kind = o->gso_type & ~GSO_ECN;
    if (kind != GSO_NONE)
        return (kind == GSO_TCPV4 || kind == GSO_TCPV6) && send_long(o, frame, bytes, send, owner);
    if (o->flags & OFFLOAD_NEEDS_CSUM) {
        size_t field = (size_t)o->csum_start + o->csum_offset;
        if (o->csum_start >= bytes || field + 2 > bytes)
            return false;
        put_payload_checksum(frame + field,
                             add_bytes(0, frame + o->csum_start, bytes - o->csum_start));
    }
    send(owner, frame, bytes);
    return true;
}

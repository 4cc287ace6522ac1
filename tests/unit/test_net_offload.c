/* devices/virtio/net_offload.c: checksums and segmentation, against sums of the test's own. */
#include "devices/virtio/net_offload.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/suite.h"

#define TSO4 1
#define TSO6 4
#define ECN  0x80

struct packet {
    uint8_t bytes[66000];
    size_t size, ip, tcp, data; /* where the headers are */
};

static void put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

/* RFC 1071, byte by byte; right checksums make 0. */
static unsigned checksum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static uint32_t sum_of(const uint8_t *bytes, size_t n)
{
    return ~checksum(bytes, n, 0) & 0xffff;
}

static unsigned transport_checksum(const struct packet *p, const uint8_t *frame, size_t bytes)
{
    bool is_ipv6 = frame[p->ip] >> 4 == 6;
    size_t length = bytes - p->tcp;
    uint32_t sum = is_ipv6 ? sum_of(frame + p->ip + 8, 32) : sum_of(frame + p->ip + 12, 8);
    uint8_t protocol = is_ipv6 ? frame[p->ip + 6] : frame[p->ip + 9];
    return checksum(frame + p->tcp, length, sum + protocol + (uint32_t)length);
}

/* A TCP segment over IPv4 or IPv6, maybe behind VLAN tags, its checksum not made yet. */
static void make_tcp(struct packet *p, bool is_ipv6, unsigned tags, unsigned tcp_bytes, size_t data)
{
    memset(p, 0, sizeof *p);
    for (unsigned i = 0; i < tags; i++)
        put16(p->bytes + 12 + 4 * i, i ? 0x8100 : 0x88a8);
    put16(p->bytes + 12 + 4 * tags, is_ipv6 ? 0x86dd : 0x0800);
    p->ip = 14 + 4 * tags;
    p->tcp = p->ip + (is_ipv6 ? 40 : 24); /* IPv4 with an option */
    p->data = p->tcp + tcp_bytes;
    p->size = p->data + data;
    uint8_t *ip = p->bytes + p->ip, *tcp = p->bytes + p->tcp;
    if (is_ipv6) {
        memcpy(ip, "\x60\0\0\0\0\0\x06\x40\xfe\x80", 10);
        put16(ip + 4, (unsigned)(p->size - p->tcp));
        ip[23] = 1;
        memcpy(ip + 24, "\xfe\x80\x12\x34", 4);
    } else {
        memcpy(ip, "\x46\0\0\0\x12\xff\x40\0\x40\x06\0\0\x0a\0\2\x0f\x0a\0\2\2\1\1\1\0", 24);
        put16(ip + 2, (unsigned)(p->size - p->ip));
        put16(ip + 10, checksum(ip, 24, 0));
    }
    memcpy(tcp, "\x12\x34\0\x50\xff\xff\xff\x00\0\0\0\1\0\x99\x20\0", 16); /* CWR, ACK, PSH, FIN */
    tcp[12] = (uint8_t)(tcp_bytes / 4 << 4);
    test_frame(p->bytes + p->data, data, (unsigned)data);
}

static struct offload tcp_offload(const struct packet *p, unsigned type, unsigned size)
{
    return (struct offload){.flags = OFFLOAD_NEEDS_CSUM,
                            .gso_type = (uint8_t)type,
                            .gso_size = (uint16_t)size,
                            .csum_start = (uint16_t)p->tcp,
                            .csum_offset = 16};
}

START_TEST(a_frame_that_asks_for_nothing_is_sent_as_it_is)
{
    struct frames *f = frames_create();
    uint8_t frame[60], copy[60];
    struct offload o = {0};
    memcpy(copy, test_frame(frame, sizeof frame, 1), sizeof copy);
    ck_assert(offload_send(&o, frame, sizeof frame, frames_add, f));
    frames_check(f, 0, copy, sizeof copy);
    frames_destroy(f);
}
END_TEST

START_TEST(a_checksum_is_put_where_the_driver_says)
{
    for (size_t bytes = 40; bytes < 60; bytes++) {
        struct frames *f = frames_create();
        const uint8_t *sent;
        uint8_t frame[60];
        struct offload o = {.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 14, .csum_offset = 6};
        test_frame(frame, bytes, (unsigned)bytes);
        put16(frame + 20, 0x1234); /* the driver's share, of the pseudo-header */
        unsigned expected = checksum(frame + 14, bytes - 14, 0);
        ck_assert(offload_send(&o, frame, bytes, frames_add, f));
        frames_get(f, 0, &sent);
        ck_assert_uint_eq(get16(sent + 20), expected);
        frames_destroy(f);
    }
}
END_TEST

START_TEST(a_checksum_of_0_is_written_as_the_other_0)
{
    struct frames *f = frames_create();
    uint8_t frame[20] = {0};
    const uint8_t *sent;
    struct offload o = {.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 14, .csum_offset = 4};
    put16(frame + 14, 0xffff);
    ck_assert(offload_send(&o, frame, sizeof frame, frames_add, f));
    frames_get(f, 0, &sent);
    ck_assert_uint_eq(get16(sent + 18), 0xffff);
    frames_destroy(f);
}
END_TEST

START_TEST(a_checksum_outside_the_frame_is_refused)
{
    struct frames *f = frames_create();
    uint8_t frame[60] = {0};
    const uint16_t wrong[][2] = {{60, 0}, {59, 0}, {0, 59}, {40, 19}, {0xffff, 0xffff}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct offload o = {
            .flags = OFFLOAD_NEEDS_CSUM, .csum_start = wrong[i][0], .csum_offset = wrong[i][1]};
        ck_assert(!offload_send(&o, frame, sizeof frame, frames_add, f));
    }
    ck_assert_uint_eq(f->count, 0);
    frames_destroy(f);
}
END_TEST

static void check_piece(const struct packet *p, const uint8_t *frame, size_t bytes, unsigned i,
                        unsigned size, bool is_last)
{
    const uint8_t *ip = frame + p->ip, *tcp = frame + p->tcp;
    size_t offset = (size_t)i * size;
    ck_assert_uint_eq(bytes, p->data + min_u64(size, p->size - p->data - offset));
    ck_assert_mem_eq(frame, p->bytes, p->ip);
    ck_assert_mem_eq(frame + p->data, p->bytes + p->data + offset, bytes - p->data);
    if (ip[0] >> 4 == 6) {
        ck_assert_uint_eq(get16(ip + 4), bytes - p->tcp);
    } else {
        ck_assert_uint_eq(get16(ip + 2), bytes - p->ip);
        ck_assert_uint_eq(get16(ip + 4), (0x12ff + i) & 0xffff);
        ck_assert_uint_eq(checksum(ip, 24, 0), 0);
    }
    ck_assert_uint_eq(get32(tcp + 4), 0xffffff00u + (uint32_t)offset);
    ck_assert_uint_eq(tcp[13], 0x10 | (i ? 0 : 0x80) | (is_last ? 0x09 : 0));
    ck_assert_uint_eq(transport_checksum(p, frame, bytes), 0);
}

START_TEST(a_long_segment_is_cut_into_right_ones)
{
    const struct {
        bool is_ipv6;
        unsigned tags, tcp_bytes, size;
        size_t data;
    } cases[] = {
        {false, 0, 20, 1448, 65000}, {false, 1, 32, 1460, 14600}, {false, 2, 60, 536, 537},
        {true, 0, 32, 1428, 60000},  {true, 1, 20, 1, 70},        {false, 0, 20, 1460, 100},
        {false, 0, 20, 1460, 0},
    };
    struct packet *p = malloc(sizeof *p);
    uint8_t *frame = malloc(sizeof p->bytes);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct frames *f = frames_create();
        make_tcp(p, cases[n].is_ipv6, cases[n].tags, cases[n].tcp_bytes, cases[n].data);
        struct offload o = tcp_offload(p, (cases[n].is_ipv6 ? TSO6 : TSO4) | ECN, cases[n].size);
        memcpy(frame, p->bytes, p->size);
        ck_assert(offload_send(&o, frame, p->size, frames_add, f));
        unsigned count = (unsigned)((cases[n].data + cases[n].size - 1) / cases[n].size);
        ck_assert_uint_eq(f->count, count ? count : 1);
        for (unsigned i = 0; i < f->count; i++) {
            const uint8_t *piece;
            size_t bytes = frames_get(f, i, &piece);
            check_piece(p, piece, bytes, i, cases[n].size, i + 1 == f->count);
        }
        frames_destroy(f);
    }
    free(frame);
    free(p);
}
END_TEST

START_TEST(segments_that_make_no_sense_are_refused)
{
    struct frames *f = frames_create();
    struct packet *p = malloc(sizeof *p);
    make_tcp(p, false, 0, 20, 5000);
    const struct offload good = tcp_offload(p, TSO4, 1460);
    struct offload o = good;
    o.gso_size = 0;
    ck_assert(!offload_send(&o, p->bytes, p->size, frames_add, f));
    o = good;
    o.flags = 0;
    ck_assert(!offload_send(&o, p->bytes, p->size, frames_add, f));
    for (unsigned type = 2; type < 256; type++) {
        o.flags = OFFLOAD_NEEDS_CSUM;
        o.gso_type = (uint8_t)type;
        if (type != (TSO4 | ECN) && type != ECN) /* ECN alone: no segmentation */
            ck_assert(!offload_send(&o, p->bytes, p->size, frames_add, f));
    }
    for (size_t bytes = 14; bytes < p->data + 5000; bytes += bytes < p->data ? 1 : 977)
        ck_assert(!offload_send(&good, p->bytes, bytes, frames_add, f)); /* IP promises more */
    p->bytes[p->ip + 9] = 17;
    ck_assert(!offload_send(&good, p->bytes, p->size, frames_add, f));
    p->bytes[p->ip + 9] = 6;
    p->bytes[p->tcp + 12] = 0x40;
    ck_assert(!offload_send(&good, p->bytes, p->size, frames_add, f));
    ck_assert_uint_eq(f->count, 0);
    free(p);
    frames_destroy(f);
}
END_TEST

START_TEST(right_checksums_are_known_as_right_and_wrong_ones_as_wrong)
{
    struct packet *p = malloc(sizeof *p);
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        make_tcp(p, ipv6, ipv6, 20, 99);
        put16(p->bytes + p->tcp + 16, 0);
        put16(p->bytes + p->tcp + 16, transport_checksum(p, p->bytes, p->size));
        ck_assert(offload_checksum_is_right(p->bytes, p->size));
        ck_assert(offload_checksum_is_right(p->bytes, p->size + 7)); /* padding */
        for (size_t i = p->tcp; i < p->size; i++) {
            p->bytes[i] ^= 0x10;
            ck_assert(!offload_checksum_is_right(p->bytes, p->size));
            p->bytes[i] ^= 0x10;
        }
        ck_assert(!offload_checksum_is_right(p->bytes, p->size - 1));
    }
    free(p);
}
END_TEST

START_TEST(udp_without_a_checksum_and_fragments_are_not_known_as_right)
{
    struct packet *p = malloc(sizeof *p);
    make_tcp(p, false, 0, 20, 12);
    uint8_t *udp = p->bytes + p->tcp;
    p->bytes[p->ip + 9] = 17;
    put16(udp + 4, 32);
    put16(udp + 6, 0);
    ck_assert(!offload_checksum_is_right(p->bytes, p->size));
    put16(udp + 6, transport_checksum(p, p->bytes, p->size));
    ck_assert(offload_checksum_is_right(p->bytes, p->size));
    put16(p->bytes + p->ip + 6, 0x2000);
    ck_assert(!offload_checksum_is_right(p->bytes, p->size));
    put16(p->bytes + p->ip + 6, 0x0001);
    ck_assert(!offload_checksum_is_right(p->bytes, p->size));
    free(p);
}
END_TEST

START_TEST(frames_of_garbage_do_no_harm)
{
    struct frames *f = frames_create();
    uint64_t seed = 3;
    for (unsigned i = 0; i < 20000; i++) {
        size_t bytes = 14 + bench_random(&seed) % 120;
        uint8_t *frame = malloc(bytes); /* so that a sanitizer sees its end */
        struct offload o;
        for (size_t k = 0; k < bytes; k++)
            frame[k] = (uint8_t)bench_random(&seed);
        put16(frame + 12, i % 3 == 0 ? 0x0800 : i % 3 == 1 ? 0x86dd : 0x8100);
        if (i & 1 && bytes > 20)
            frame[14] = i % 3 ? 0x60 : 0x45;
        if (i & 2 && bytes > 24)
            frame[i % 3 ? 20 : 23] = 6;
        for (size_t k = 0; k < sizeof o; k++)
            ((uint8_t *)&o)[k] = (uint8_t)bench_random(&seed);
        if (i & 4)
            o.gso_type = i % 3 ? TSO6 : TSO4;
        offload_checksum_is_right(frame, bytes);
        f->count = 0;
        f->size = 0;
        bool sent = offload_send(&o, frame, bytes, frames_add, f);
        ck_assert(sent == (f->count > 0));
        free(frame);
    }
    frames_destroy(f);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("net offload");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_frame_that_asks_for_nothing_is_sent_as_it_is);
    tcase_add_test(cases, a_checksum_is_put_where_the_driver_says);
    tcase_add_test(cases, a_checksum_of_0_is_written_as_the_other_0);
    tcase_add_test(cases, a_checksum_outside_the_frame_is_refused);
    tcase_add_test(cases, a_long_segment_is_cut_into_right_ones);
    tcase_add_test(cases, segments_that_make_no_sense_are_refused);
    tcase_add_test(cases, right_checksums_are_known_as_right_and_wrong_ones_as_wrong);
    tcase_add_test(cases, udp_without_a_checksum_and_fragments_are_not_known_as_right);
    tcase_add_test(cases, frames_of_garbage_do_no_harm);
    Suite *suite = suite_create("net offload");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

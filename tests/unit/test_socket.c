/* devices/net/socket.c: two ends that talk, hostile peers, addresses that are wrong. UNIX sockets
 * in a folder of the test's own, and ports that the host chooses. */
#include "base/os_net.h"
#include "devices/net/framing.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/loopback.h"
#include "tests/unit/suite.h"

struct place {
    char folder[32], path[48];
};

static void place_make(struct place *p)
{
    strcpy(p->folder, "/tmp/rivulet-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/socket", p->folder);
}

static void place_remove(struct place *p)
{
    ck_assert_int_eq(rmdir(p->folder), 0); /* the socket is gone with its owner */
}

static bool open_server(struct netdev_rig *r, const struct place *p)
{
    return OPEN(r, &netdev_stream, {"server", "on"}, {"addr.type", "unix"}, {"addr.path", p->path});
}

static bool open_client(struct netdev_rig *r, const struct place *p)
{
    return OPEN(r, &netdev_stream, {"server", "off"}, {"addr.type", "unix"},
                {"addr.path", p->path});
}

/* A peer made by hand. */
static int connect_raw(const struct place *p)
{
    struct error err;
    int fd = os_net_connect(&(struct os_address){.path = p->path}, &err);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void wait_for(int fd, unsigned event)
{
    struct os_poll *polls = os_poll_create();
    os_poll_add(polls, fd, event);
    os_poll_wait(polls, 10000);
    os_poll_destroy(polls);
}

/* Whether the other end hangs up within ten seconds. */
static bool is_hung_up(int fd)
{
    uint8_t bytes[1024];
    long n;
    do {
        wait_for(fd, OS_EVENT_IN);
        n = os_net_read(fd, bytes, sizeof bytes);
    } while (n > 0);
    return n == OS_ENDED;
}

START_TEST(frames_go_both_ways_between_two_ends)
{
    struct place p;
    struct netdev_rig a, b;
    uint8_t frame[2000];
    place_make(&p);
    ck_assert(open_server(&a, &p));
    ck_assert(open_client(&b, &p));
    for (unsigned i = 0; i < 100; i++)
        netdev_rig_send(&b, test_frame(frame, 60 + 13 * i, i), 60 + 13 * i);
    ck_assert(frames_wait(a.received, 100)); /* a has a peer now */
    for (unsigned i = 0; i < 100; i++)
        netdev_rig_send(&a, test_frame(frame, 70 + 13 * i, i), 70 + 13 * i);
    ck_assert(frames_wait(b.received, 100));
    for (unsigned i = 0; i < 100; i++) {
        frames_check(a.received, i, test_frame(frame, 60 + 13 * i, i), 60 + 13 * i);
        frames_check(b.received, i, test_frame(frame, 70 + 13 * i, i), 70 + 13 * i);
    }
    netdev_rig_close(&b);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(what_is_sent_with_no_peer_is_lost_and_harmless)
{
    struct place p;
    struct netdev_rig a;
    place_make(&p);
    ck_assert(open_server(&a, &p));
    for (unsigned i = 0; i < 5000; i++)
        netdev_rig_send(&a, (const uint8_t *)"01234567890123456789", 20);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(a_stream_that_comes_byte_by_byte_is_read)
{
    struct place p;
    struct netdev_rig a;
    uint8_t bytes[FRAMING_HEADER + 20];
    place_make(&p);
    ck_assert(open_server(&a, &p));
    int fd = connect_raw(&p);
    framing_header(bytes, 20);
    test_frame(bytes + FRAMING_HEADER, 20, 1);
    for (unsigned i = 0; i < sizeof bytes; i++)
        ck_assert_int_eq(os_net_write(fd, bytes + i, 1), 1);
    ck_assert(frames_wait(a.received, 1));
    frames_check(a.received, 0, bytes + FRAMING_HEADER, 20);
    os_net_close(fd);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(a_peer_that_announces_a_hostile_length_is_hung_up_on_and_the_next_one_served)
{
    struct place p;
    struct netdev_rig a;
    uint8_t frame[64], header[FRAMING_HEADER];
    place_make(&p);
    ck_assert(open_server(&a, &p));
    int fd = connect_raw(&p);
    ck_assert_int_eq(os_net_write(fd, "\xff\xff\xff\xff", 4), 4);
    ck_assert(is_hung_up(fd));
    os_net_close(fd);
    fd = connect_raw(&p);
    framing_header(header, sizeof frame);
    os_net_write(fd, header, sizeof header);
    os_net_write(fd, test_frame(frame, sizeof frame, 3), sizeof frame);
    ck_assert(frames_wait(a.received, 1));
    frames_check(a.received, 0, frame, sizeof frame);
    os_net_close(fd);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(half_a_frame_of_a_peer_that_went_is_forgotten)
{
    struct place p;
    struct netdev_rig a;
    uint8_t bytes[FRAMING_HEADER + 64];
    place_make(&p);
    ck_assert(open_server(&a, &p));
    framing_header(bytes, 64);
    test_frame(bytes + FRAMING_HEADER, 64, 3);
    int fd = connect_raw(&p);
    os_net_write(fd, bytes, 30);
    os_net_close(fd);
    fd = connect_raw(&p);
    os_net_write(fd, bytes, sizeof bytes);
    ck_assert(frames_wait(a.received, 1));
    frames_check(a.received, 0, bytes + FRAMING_HEADER, 64);
    os_net_close(fd);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(a_slow_peer_loses_whole_frames_and_keeps_the_framing)
{
    struct place p;
    struct netdev_rig a;
    uint8_t frame[1500];
    place_make(&p);
    ck_assert(open_server(&a, &p));
    int fd = connect_raw(&p);
    os_net_write(fd,
                 "\0\0\0\x14"
                 "01234567890123456789",
                 24);
    ck_assert(frames_wait(a.received, 1));
    test_frame(frame, sizeof frame, 9);
    for (unsigned i = 0; i < 4000; i++) /* 6 MB that nobody reads yet */
        netdev_rig_send(&a, frame, sizeof frame);
    struct frames *seen = frames_create();
    struct link_receiver receiver = frames_receiver(seen);
    struct framing_reader *reader = calloc(1, sizeof *reader);
    uint8_t bytes[5000];
    for (unsigned quiet = 0; quiet < 20;) {
        long n = os_net_read(fd, bytes, sizeof bytes);
        ck_assert_int_ne(n, OS_ENDED);
        if (n > 0)
            ck_assert(framing_read(reader, bytes, (size_t)n, &receiver));
        quiet = n > 0 ? 0 : quiet + 1;
        if (n < 0)
            usleep(5000);
    }
    ck_assert_uint_gt(seen->count, 100);
    for (unsigned i = 0; i < min_u64(seen->count, 600); i++)
        frames_check(seen, i, frame, sizeof frame);
    ck_assert_uint_eq(reader->size, 0);
    free(reader);
    frames_destroy(seen);
    os_net_close(fd);
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(an_end_whose_peer_is_gone_still_ends)
{
    struct place p;
    struct netdev_rig a, b;
    place_make(&p);
    ck_assert(open_server(&a, &p));
    ck_assert(open_client(&b, &p));
    netdev_rig_close(&a);
    for (unsigned i = 0; i < 100; i++)
        netdev_rig_send(&b, (const uint8_t *)"01234567890123456789", 20);
    netdev_rig_close(&b);
    place_remove(&p);
}
END_TEST

START_TEST(a_socket_left_by_a_run_that_died_is_replaced_and_a_living_one_is_not)
{
    struct place p;
    struct netdev_rig a, b;
    struct error err;
    place_make(&p);
    int dead = os_net_listen(&(struct os_address){.path = p.path}, &err);
    ck_assert_int_ge(dead, 0);
    os_net_close(dead);
    ck_assert(open_server(&a, &p));
    ck_assert(!open_server(&b, &p));
    ck_assert_ptr_nonnull(strstr(b.err.text, p.path));
    netdev_rig_close(&a);
    place_remove(&p);
}
END_TEST

START_TEST(a_file_where_a_socket_should_be_is_left_alone)
{
    struct place p;
    struct netdev_rig a;
    place_make(&p);
    FILE *f = fopen(p.path, "w");
    fputs("precious", f);
    fclose(f);
    ck_assert(!open_server(&a, &p));
    ck_assert_int_eq(access(p.path, F_OK), 0);
    unlink(p.path);
    place_remove(&p);
}
END_TEST

/* A port of this host that is free now. */
static void free_port(char port[8])
{
    char host[LOOPBACK_CHARS];
    struct error err;
    loopback_host(host);
    for (unsigned n = 20000 + (unsigned)getpid() % 20000;; n++) {
        snprintf(port, 8, "%u", n);
        int fd = os_net_listen(&(struct os_address){.host = host, .port = port}, &err);
        os_net_close(fd);
        if (fd >= 0)
            return;
    }
}

START_TEST(listen_and_connect_of_socket_meet_at_a_port_and_a_port_in_use_is_an_error)
{
    struct netdev_rig a, b, c;
    char port[8], address[32];
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    free_port(port);
    snprintf(address, sizeof address, "%s:%s", host, port);
    ck_assert(OPEN(&a, &netdev_socket, {"listen", address}));
    ck_assert(!OPEN(&c, &netdev_socket, {"listen", address}));
    ck_assert_ptr_nonnull(strstr(c.err.text, address));
    ck_assert_ptr_nonnull(strstr(c.err.text, "in use"));
    ck_assert(OPEN(&b, &netdev_socket, {"connect", address}));
    netdev_rig_send(&b, (const uint8_t *)"01234567890123456789", 20);
    ck_assert(frames_wait(a.received, 1));
    netdev_rig_close(&a);
    netdev_rig_close(&b);
}
END_TEST

START_TEST(a_connection_that_nobody_answers_is_an_error)
{
    struct netdev_rig a;
    char port[8], address[32];
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    free_port(port);
    snprintf(address, sizeof address, "%s:%s", host, port);
    ck_assert(!OPEN(&a, &netdev_socket, {"connect", address}));
    ck_assert_ptr_nonnull(strstr(a.err.text, "refused"));
}
END_TEST

START_TEST(wrong_words_are_errors_that_say_what_is_right)
{
    struct netdev_rig a;
    ck_assert(!OPEN(&a, &netdev_socket, {"listen", ""}));
    ck_assert(!OPEN(&a, &netdev_socket, {"listen", "nocolon"}));
    ck_assert(!OPEN(&a, &netdev_socket, {"listen", "127.0.0.1:"}));
    ck_assert(!OPEN(&a, &netdev_socket, {"listen", "127.0.0.1:99999999"}));
    ck_assert(!OPEN(&a, &netdev_socket, {"listen", ":1"}, {"connect", ":1"}));
    ck_assert(!OPEN(&a, &netdev_socket, {"mcast", "230.0.0.1:1234"}));
    ck_assert_ptr_nonnull(strstr(a.err.text, "listen="));
    ck_assert(!OPEN(&a, &netdev_stream, {"server", "on"}));
    ck_assert(!OPEN(&a, &netdev_stream, {"server", "maybe"}, {"addr.type", "inet"}));
    ck_assert(!OPEN(&a, &netdev_stream, {"addr.type", "unix"}));
    ck_assert(!OPEN(&a, &netdev_stream, {"addr.type", "inet"}, {"addr.host", "127.0.0.1"}));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("socket");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, frames_go_both_ways_between_two_ends);
    tcase_add_test(cases, what_is_sent_with_no_peer_is_lost_and_harmless);
    tcase_add_test(cases, a_stream_that_comes_byte_by_byte_is_read);
    tcase_add_test(cases,
                   a_peer_that_announces_a_hostile_length_is_hung_up_on_and_the_next_one_served);
    tcase_add_test(cases, half_a_frame_of_a_peer_that_went_is_forgotten);
    tcase_add_test(cases, a_slow_peer_loses_whole_frames_and_keeps_the_framing);
    tcase_add_test(cases, an_end_whose_peer_is_gone_still_ends);
    tcase_add_test(cases, a_socket_left_by_a_run_that_died_is_replaced_and_a_living_one_is_not);
    tcase_add_test(cases, a_file_where_a_socket_should_be_is_left_alone);
    tcase_add_test(cases,
                   listen_and_connect_of_socket_meet_at_a_port_and_a_port_in_use_is_an_error);
    tcase_add_test(cases, a_connection_that_nobody_answers_is_an_error);
    tcase_add_test(cases, wrong_words_are_errors_that_say_what_is_right);
    Suite *suite = suite_create("socket");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

/* devices/net/link.c and pcap.c: what passes a link, and what its observers see. */
#include "devices/net/link.h"
#include "devices/net/pcap.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/suite.h"

struct rig {
    struct input_door *door;
    struct clock clock;
    struct link *link;
    struct frames *sent, *received;
    unsigned room; /* frames that the device still takes */
    unsigned destroyed;
};

static size_t device_take(void *owner, const uint8_t *frame, size_t bytes)
{
    struct rig *r = owner;
    if (r->room == 0)
        return 0;
    r->room--;
    frames_add(r->received, frame, bytes);
    return bytes;
}

static void backend_send(void *owner, const uint8_t *frame, size_t bytes)
{
    struct rig *r = owner;
    frames_add(r->sent, frame, bytes);
}

static void backend_destroy(void *owner)
{
    struct rig *r = owner;
    r->destroyed++;
}

static const struct link_ops backend_ops = {
    .name = "test", .send = backend_send, .destroy = backend_destroy};

static void rig_init(struct rig *r)
{
    *r = (struct rig){.door = input_create(), .room = 1000};
    r->sent = frames_create();
    r->received = frames_create();
    r->link = link_create("n0", r->door, &r->clock);
    link_connect(r->link, &(struct link_backend){.ops = &backend_ops, .backend = r});
    ck_assert(link_attach(r->link, device_take, r));
}

static void rig_free(struct rig *r)
{
    if (r->link)
        link_destroy(r->link);
    input_destroy(r->door);
    frames_destroy(r->sent);
    frames_destroy(r->received);
}

static void arrive(struct rig *r, const void *frame, size_t bytes)
{
    struct link_receiver receiver = link_receiver(r->link);
    receiver.receive(receiver.owner, frame, bytes);
}

#define FRAME_A "AAAAAAaaaaaa\x08\x00 first"
#define FRAME_B "BBBBBBbbbbbb\x08\x00 second frame"

START_TEST(a_received_frame_reaches_the_device_when_the_door_delivers)
{
    struct rig r;
    rig_init(&r);
    arrive(&r, FRAME_A, sizeof FRAME_A);
    arrive(&r, FRAME_B, sizeof FRAME_B);
    ck_assert_uint_eq(r.received->count, 0);
    input_deliver(r.door);
    ck_assert_uint_eq(r.received->count, 2);
    frames_check(r.received, 0, FRAME_A, sizeof FRAME_A);
    frames_check(r.received, 1, FRAME_B, sizeof FRAME_B);
    rig_free(&r);
}
END_TEST

START_TEST(a_frame_that_the_device_refuses_waits)
{
    struct rig r;
    rig_init(&r);
    r.room = 0;
    arrive(&r, FRAME_A, sizeof FRAME_A);
    input_deliver(r.door);
    ck_assert(input_pending(r.door));
    r.room = 1;
    input_deliver(r.door);
    frames_check(r.received, 0, FRAME_A, sizeof FRAME_A);
    ck_assert(!input_pending(r.door));
    rig_free(&r);
}
END_TEST

START_TEST(only_so_many_frames_wait_for_the_guest)
{
    struct rig r;
    rig_init(&r);
    r.room = 2 * LINK_WAITING_MOST;
    for (unsigned i = 0; i < LINK_WAITING_MOST + 5; i++)
        arrive(&r, FRAME_A, sizeof FRAME_A);
    input_deliver(r.door);
    ck_assert_uint_eq(r.received->count, LINK_WAITING_MOST);
    rig_free(&r);
}
END_TEST

START_TEST(a_sent_frame_reaches_the_back_end_at_once)
{
    struct rig r;
    rig_init(&r);
    link_send(r.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    frames_check(r.sent, 0, FRAME_A, sizeof FRAME_A);
    rig_free(&r);
}
END_TEST

START_TEST(what_is_shorter_than_a_header_or_longer_than_the_longest_frame_passes_in_no_direction)
{
    struct rig r;
    rig_init(&r);
    uint8_t *frame = calloc(1, LINK_FRAME_MAX + 1);
    const size_t sizes[] = {0, 1, 13, LINK_FRAME_MAX + 1};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        arrive(&r, frame, sizes[i]);
        link_send(r.link, frame, sizes[i]);
    }
    input_deliver(r.door);
    ck_assert_uint_eq(r.received->count, 0);
    ck_assert_uint_eq(r.sent->count, 0);
    arrive(&r, frame, LINK_FRAME_MAX);
    arrive(&r, frame, 14);
    input_deliver(r.door);
    ck_assert_uint_eq(r.received->count, 2);
    free(frame);
    rig_free(&r);
}
END_TEST

START_TEST(a_link_without_a_back_end_drops_what_is_sent)
{
    struct rig r;
    rig_init(&r);
    link_connect(r.link, &(struct link_backend){0});
    link_send(r.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    ck_assert_uint_eq(r.sent->count, 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_link_has_one_device)
{
    struct rig r;
    rig_init(&r);
    ck_assert(link_is_attached(r.link));
    ck_assert(!link_attach(r.link, device_take, &r));
    rig_free(&r);
}
END_TEST

START_TEST(the_end_of_a_link_is_the_end_of_its_back_end)
{
    struct rig r;
    rig_init(&r);
    link_destroy(r.link);
    r.link = NULL;
    ck_assert_uint_eq(r.destroyed, 1);
    rig_free(&r);
}
END_TEST

START_TEST(a_link_takes_over_the_back_end_of_another_and_what_waits_at_its_door)
{
    struct rig r, s;
    rig_init(&r);
    rig_init(&s);
    link_connect(s.link, &(struct link_backend){0});
    struct link_receiver receiver = link_receiver(r.link); /* the back-end knows no other */
    receiver.receive(receiver.owner, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    link_succeed(s.link, r.link);
    input_move(r.door, s.door);
    link_destroy(r.link);
    r.link = NULL;
    ck_assert_uint_eq(r.destroyed, 0);
    receiver.receive(receiver.owner, (const uint8_t *)FRAME_B, sizeof FRAME_B);
    input_deliver(s.door);
    frames_check(s.received, 0, FRAME_A, sizeof FRAME_A);
    frames_check(s.received, 1, FRAME_B, sizeof FRAME_B);
    link_send(s.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    frames_check(r.sent, 0, FRAME_A, sizeof FRAME_A);
    rig_free(&s);
    ck_assert_uint_eq(r.destroyed, 1);
    rig_free(&r);
}
END_TEST

/* --- captures ---------------------------------------------------------------------------- */

struct capture {
    char path[32];
    struct pcap *pcap;
    uint8_t bytes[4096];
    size_t size;
};

static void capture_open(struct capture *c, struct rig *r, uint32_t maxlen, unsigned directions)
{
    struct error err;
    strcpy(c->path, "/tmp/rivulet-test-XXXXXX");
    close(mkstemp(c->path));
    c->pcap = pcap_open(c->path, maxlen, directions, &err);
    ck_assert_ptr_nonnull(c->pcap);
    link_observe(r->link, pcap_observer(c->pcap));
}

static void capture_read(struct capture *c)
{
    FILE *f = fopen(c->path, "rb");
    c->size = fread(c->bytes, 1, sizeof c->bytes, f);
    fclose(f);
}

static void capture_close(struct capture *c)
{
    struct error err;
    ck_assert(pcap_close(c->pcap, &err));
    unlink(c->path);
}

static uint32_t word(const struct capture *c, size_t offset)
{
    uint32_t w;
    memcpy(&w, c->bytes + offset, sizeof w);
    return w;
}

START_TEST(a_capture_is_a_pcap_file_of_ethernet_with_nanoseconds)
{
    struct rig r;
    struct capture c;
    rig_init(&r);
    capture_open(&c, &r, 65536, LINK_TO_GUEST | LINK_FROM_GUEST);
    capture_read(&c);
    ck_assert_uint_eq(c.size, 24);
    ck_assert_uint_eq(word(&c, 0), 0xa1b23c4d);
    ck_assert_uint_eq(word(&c, 4), 2 | 4 << 16);
    ck_assert_uint_eq(word(&c, 16), 65536);
    ck_assert_uint_eq(word(&c, 20), 1);
    rig_free(&r);
    capture_close(&c);
}
END_TEST

START_TEST(a_capture_holds_both_directions_with_their_virtual_times)
{
    struct rig r;
    struct capture c;
    rig_init(&r);
    capture_open(&c, &r, 65536, LINK_TO_GUEST | LINK_FROM_GUEST);
    r.clock.now_ns = 5 * SECOND_NS + 17;
    link_send(r.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    arrive(&r, FRAME_B, sizeof FRAME_B);
    r.clock.now_ns = 6 * SECOND_NS + 999999999;
    input_deliver(r.door);
    capture_read(&c);
    ck_assert_uint_eq(c.size, 24 + 16 + sizeof FRAME_A + 16 + sizeof FRAME_B);
    ck_assert_uint_eq(word(&c, 24), 5);
    ck_assert_uint_eq(word(&c, 28), 17);
    ck_assert_uint_eq(word(&c, 32), sizeof FRAME_A);
    ck_assert_uint_eq(word(&c, 36), sizeof FRAME_A);
    ck_assert_mem_eq(c.bytes + 40, FRAME_A, sizeof FRAME_A);
    size_t second = 40 + sizeof FRAME_A;
    ck_assert_uint_eq(word(&c, second), 6);
    ck_assert_uint_eq(word(&c, second + 4), 999999999);
    ck_assert_mem_eq(c.bytes + second + 16, FRAME_B, sizeof FRAME_B);
    rig_free(&r);
    capture_close(&c);
}
END_TEST

START_TEST(a_refused_frame_is_captured_once_when_it_is_taken)
{
    struct rig r;
    struct capture c;
    rig_init(&r);
    capture_open(&c, &r, 65536, LINK_TO_GUEST | LINK_FROM_GUEST);
    r.room = 0;
    arrive(&r, FRAME_A, sizeof FRAME_A);
    input_deliver(r.door);
    capture_read(&c);
    ck_assert_uint_eq(c.size, 24);
    r.room = 1;
    input_deliver(r.door);
    capture_read(&c);
    ck_assert_uint_eq(c.size, 24 + 16 + sizeof FRAME_A);
    rig_free(&r);
    capture_close(&c);
}
END_TEST

START_TEST(a_capture_may_hold_one_direction_and_cut_frames)
{
    struct rig r;
    struct capture c;
    rig_init(&r);
    capture_open(&c, &r, 16, LINK_FROM_GUEST);
    arrive(&r, FRAME_B, sizeof FRAME_B);
    input_deliver(r.door);
    link_send(r.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    capture_read(&c);
    ck_assert_uint_eq(c.size, 24 + 16 + 16);
    ck_assert_uint_eq(word(&c, 32), 16);
    ck_assert_uint_eq(word(&c, 36), sizeof FRAME_A);
    rig_free(&r);
    capture_close(&c);
}
END_TEST

START_TEST(two_captures_see_the_same_link)
{
    struct rig r;
    struct capture c, d;
    rig_init(&r);
    capture_open(&c, &r, 65536, LINK_TO_GUEST | LINK_FROM_GUEST);
    capture_open(&d, &r, 65536, LINK_TO_GUEST | LINK_FROM_GUEST);
    link_send(r.link, (const uint8_t *)FRAME_A, sizeof FRAME_A);
    capture_read(&c);
    capture_read(&d);
    ck_assert_uint_eq(c.size, 24 + 16 + sizeof FRAME_A);
    ck_assert_uint_eq(d.size, c.size);
    rig_free(&r);
    capture_close(&c);
    capture_close(&d);
}
END_TEST

START_TEST(a_capture_that_cannot_be_written_says_so)
{
    struct error err;
    ck_assert_ptr_null(pcap_open("/nonexistent/x.pcap", 65536, LINK_TO_GUEST, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/x.pcap"));
    struct pcap *p = pcap_open("/dev/full", 65536, LINK_TO_GUEST, &err);
    ck_assert_ptr_nonnull(p);
    struct link_observer *o = pcap_observer(p);
    o->see(o->owner, LINK_TO_GUEST, (const uint8_t *)FRAME_A, sizeof FRAME_A, 0);
    ck_assert(!pcap_close(p, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/dev/full"));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("link");
    tcase_add_test(cases, a_received_frame_reaches_the_device_when_the_door_delivers);
    tcase_add_test(cases, a_frame_that_the_device_refuses_waits);
    tcase_add_test(cases, only_so_many_frames_wait_for_the_guest);
    tcase_add_test(cases, a_sent_frame_reaches_the_back_end_at_once);
    tcase_add_test(
        cases,
        what_is_shorter_than_a_header_or_longer_than_the_longest_frame_passes_in_no_direction);
    tcase_add_test(cases, a_link_without_a_back_end_drops_what_is_sent);
    tcase_add_test(cases, a_link_has_one_device);
    tcase_add_test(cases, the_end_of_a_link_is_the_end_of_its_back_end);
    tcase_add_test(cases, a_link_takes_over_the_back_end_of_another_and_what_waits_at_its_door);
    tcase_add_test(cases, a_capture_is_a_pcap_file_of_ethernet_with_nanoseconds);
    tcase_add_test(cases, a_capture_holds_both_directions_with_their_virtual_times);
    tcase_add_test(cases, a_refused_frame_is_captured_once_when_it_is_taken);
    tcase_add_test(cases, a_capture_may_hold_one_direction_and_cut_frames);
    tcase_add_test(cases, two_captures_see_the_same_link);
    tcase_add_test(cases, a_capture_that_cannot_be_written_says_so);
    Suite *suite = suite_create("link");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

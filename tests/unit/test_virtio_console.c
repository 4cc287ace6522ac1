/* The virtio console: one port, many ports, and drivers that do not keep to the protocol. */
#include "devices/virtio/console.h"
#include "tests/unit/suite.h"
#include "tests/unit/virtio_rig.h"

#define F_MULTIPORT (1u << 1)

#define DEVICE_READY 0u
#define DEVICE_ADD   1u
#define PORT_READY   3u
#define CONSOLE_PORT 4u
#define PORT_OPEN    6u
#define PORT_NAME    7u

#define QUEUES 6u
#define SIZE   8u

/* Rings and data of each queue: the rig's are those of one queue alone. */
#define DESC_OF(q)  (RAM + 0x10000 * ((q) + 1))
#define AVAIL_OF(q) (DESC_OF(q) + 0x1000)
#define USED_OF(q)  (DESC_OF(q) + 0x2000)
#define DATA_OF(q)  (DESC_OF(q) + 0x3000)

struct console_rig {
    struct virtio_rig rig;
    char sent[2][64]; /* by the guest, of each port */
    size_t count[2];
    uint16_t offered[QUEUES], seen[QUEUES];
};

static void take(struct console_rig *r, unsigned port, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n && r->count[port] < sizeof r->sent[0] - 1; i++)
        r->sent[port][r->count[port]++] = (char)bytes[i];
}

static void take_0(void *owner, const uint8_t *bytes, size_t n)
{
    take(owner, 0, bytes, n);
}

static void take_1(void *owner, const uint8_t *bytes, size_t n)
{
    take(owner, 1, bytes, n);
}

/* Port 0 is a console; port 1 is a stream named org.test. */
static void create_ports(struct console_rig *r, bool multiport, bool has_port_0)
{
    *r = (struct console_rig){0};
    rig_init(&r->rig);
    struct virtio_console_config config = {
        .ports = {{.is_present = has_port_0,
                   .is_console = true,
                   .sink = {.write = take_0, .owner = r}},
                  {.is_present = true, .name = "org.test", .sink = {.write = take_1, .owner = r}}},
        .count = multiport ? 2 : 1,
        .multiport = multiport,
        .memory = r->rig.memory,
    };
    rig_attach(&r->rig, virtio_console_create(&config));
}

static void create(struct console_rig *r, bool multiport)
{
    create_ports(r, multiport, true);
}

static void start(struct console_rig *r, uint64_t features)
{
    struct virtio *v = r->rig.v;
    virtio_accept(v, features | 1ull << VIRTIO_F_VERSION_1);
    virtio_set_status(v, VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    for (unsigned i = 0; i < v->queue_count; i++) {
        struct virtio_queue *q = virtio_queue(v, i);
        q->desc = DESC_OF(i);
        q->avail = AVAIL_OF(i);
        q->used = USED_OF(i);
        virtio_queue_set_size(v, i, SIZE);
        virtio_queue_set_ready(v, i, true);
        r->offered[i] = r->seen[i] = 0;
    }
    virtio_set_status(v, v->status | VIRTIO_DRIVER_OK);
}

/* One descriptor of this queue, at the data of its number. */
static void give(struct console_rig *r, unsigned q, uint32_t bytes, bool is_writable)
{
    unsigned i = r->offered[q] % SIZE;
    put_in_table(&r->rig, DESC_OF(q), i, DATA_OF(q) + 256 * i, bytes, is_writable ? DESC_WRITE : 0,
                 0);
    poke_u16(&r->rig, AVAIL_OF(q) + 4 + 2 * i, (uint16_t)i);
    poke_u16(&r->rig, AVAIL_OF(q) + 2, ++r->offered[q]);
}

static void give_buffers(struct console_rig *r, unsigned q, unsigned count, uint32_t bytes)
{
    for (unsigned i = 0; i < count; i++)
        give(r, q, bytes, true);
    virtio_notify(r->rig.v, q);
}

static void guest_sends(struct console_rig *r, unsigned q, const void *bytes, uint32_t n)
{
    poke(&r->rig, DATA_OF(q) + 256 * (r->offered[q] % SIZE), bytes, n);
    give(r, q, n, false);
    virtio_notify(r->rig.v, q);
}

static void guest_says(struct console_rig *r, uint32_t port, uint16_t event, uint16_t value)
{
    uint8_t message[8];
    memcpy(message, &port, 4);
    memcpy(message + 4, &event, 2);
    memcpy(message + 6, &value, 2);
    guest_sends(r, 3, message, sizeof message);
}

/* The next thing in the used ring of a queue, as text; "" when there is nothing. */
static const char *guest_gets(struct console_rig *r, unsigned q, char *text, size_t size)
{
    memset(text, 0, size);
    if (peek_u16(&r->rig, USED_OF(q) + 2) == r->seen[q])
        return text;
    unsigned i = r->seen[q]++ % SIZE;
    uint32_t head = peek_u32(&r->rig, USED_OF(q) + 4 + 8 * i);
    uint32_t n = peek_u32(&r->rig, USED_OF(q) + 8 + 8 * i);
    ck_assert_uint_lt(n, size);
    peek(&r->rig, DATA_OF(q) + 256 * head, text, n);
    return text;
}

static void guest_hears_value(struct console_rig *r, uint32_t port, uint16_t event, uint16_t value,
                              const char *name)
{
    char m[64];
    guest_gets(r, 2, m, sizeof m);
    ck_assert_mem_eq(m, &port, 4);
    ck_assert_mem_eq(m + 4, &event, 2);
    ck_assert_mem_eq(m + 6, &value, 2);
    ck_assert_str_eq(m + 8, name);
}

static void guest_hears(struct console_rig *r, uint32_t port, uint16_t event, const char *name)
{
    guest_hears_value(r, port, event, 1, name);
}

static size_t host_sends(struct console_rig *r, unsigned port, const char *text)
{
    return virtio_console_receive(r->rig.v, port, (const uint8_t *)text, strlen(text));
}

static void end(struct console_rig *r)
{
    rig_free(&r->rig);
}

/* --- one port ---------------------------------------------------------------------------- */

START_TEST(what_the_guest_sends_reaches_the_host)
{
    struct console_rig r;
    create(&r, false);
    start(&r, 0);
    guest_sends(&r, 1, "hello ", 6);
    guest_sends(&r, 1, "world", 5);
    ck_assert_str_eq(r.sent[0], "hello world");
    ck_assert_uint_eq(r.rig.queue_interrupts, 2);
    end(&r);
}
END_TEST

START_TEST(what_the_host_sends_fills_the_guests_buffers)
{
    struct console_rig r;
    char text[64];
    create(&r, false);
    ck_assert_uint_eq(host_sends(&r, 0, "x"), 0); /* nobody is there yet */
    start(&r, 0);
    ck_assert_uint_eq(host_sends(&r, 0, "x"), 0); /* no buffer */
    give_buffers(&r, 0, 2, 4);
    ck_assert_uint_eq(host_sends(&r, 0, "abcdefghij"), 8);
    ck_assert_str_eq(guest_gets(&r, 0, text, sizeof text), "abcd");
    ck_assert_str_eq(guest_gets(&r, 0, text, sizeof text), "efgh");
    ck_assert_uint_eq(r.rig.queue_interrupts, 1);
    end(&r);
}
END_TEST

START_TEST(a_byte_can_be_sent_before_there_are_queues)
{
    struct console_rig r;
    create(&r, false);
    virtio_write_config(r.rig.v, 8, "!\0\0", 4);
    virtio_write_config(r.rig.v, 0, "?", 1);
    ck_assert_str_eq(r.sent[0], "!");
    end(&r);
}
END_TEST

START_TEST(a_driver_without_multiport_has_port_0)
{
    struct console_rig r;
    create(&r, true);
    ck_assert(virtio_offered(r.rig.v) & F_MULTIPORT);
    start(&r, 0);
    give_buffers(&r, 0, 1, 8);
    give_buffers(&r, 4, 1, 8);
    ck_assert_uint_eq(host_sends(&r, 0, "a"), 1);
    ck_assert_uint_eq(host_sends(&r, 1, "a"), 0);
    end(&r);
}
END_TEST

/* --- many ports -------------------------------------------------------------------------- */

static void bring_up(struct console_rig *r)
{
    create(r, true);
    start(r, F_MULTIPORT);
    give_buffers(r, 2, SIZE, 64);
    guest_says(r, 0, DEVICE_READY, 1);
}

START_TEST(ports_are_introduced_as_the_specification_says)
{
    struct console_rig r;
    uint32_t ports = 0;
    bring_up(&r);
    virtio_read_config(r.rig.v, 4, &ports, 4);
    ck_assert_uint_eq(ports, 2);
    guest_hears(&r, 0, DEVICE_ADD, "");
    guest_hears(&r, 1, DEVICE_ADD, "");
    guest_says(&r, 0, PORT_READY, 1);
    guest_hears(&r, 0, CONSOLE_PORT, "");
    guest_hears(&r, 0, PORT_OPEN, "");
    guest_says(&r, 1, PORT_READY, 1);
    guest_hears(&r, 1, PORT_NAME, "org.test"); /* nobody on the host's side is there yet */
    end(&r);
}
END_TEST

START_TEST(the_guest_is_told_who_comes_to_a_stream_and_goes)
{
    struct console_rig r;
    char text[64];
    bring_up(&r);
    virtio_console_set_peer(r.rig.v, 1, true); /* before the driver knows the port */
    guest_hears(&r, 0, DEVICE_ADD, "");
    guest_hears(&r, 1, DEVICE_ADD, "");
    guest_says(&r, 1, PORT_READY, 1);
    guest_hears_value(&r, 1, PORT_OPEN, 1, "");
    guest_hears(&r, 1, PORT_NAME, "org.test");
    virtio_console_set_peer(r.rig.v, 1, true);
    virtio_console_set_peer(r.rig.v, 1, false);
    guest_hears_value(&r, 1, PORT_OPEN, 0, "");
    virtio_console_set_peer(r.rig.v, 0, true); /* a console is always open */
    ck_assert_str_eq(guest_gets(&r, 2, text, sizeof text), "");
    end(&r);
}
END_TEST

START_TEST(who_is_there_outlives_a_reset)
{
    struct console_rig r;
    bring_up(&r);
    virtio_console_set_peer(r.rig.v, 1, true);
    virtio_set_status(r.rig.v, 0);
    poke_u16(&r.rig, AVAIL_OF(3) + 2, 0); /* rings are new */
    start(&r, F_MULTIPORT);
    give_buffers(&r, 2, SIZE, 64);
    guest_says(&r, 1, PORT_READY, 1);
    guest_hears_value(&r, 1, PORT_OPEN, 1, "");
    end(&r);
}
END_TEST

START_TEST(a_port_that_is_absent_is_not_introduced)
{
    struct console_rig r;
    create_ports(&r, true, false);
    start(&r, F_MULTIPORT);
    give_buffers(&r, 2, SIZE, 64);
    guest_says(&r, 0, DEVICE_READY, 1);
    guest_hears(&r, 1, DEVICE_ADD, "");
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(2) + 2), 1);
    guest_says(&r, 0, PORT_READY, 1);
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(2) + 2), 1);
    end(&r);
}
END_TEST

START_TEST(a_port_takes_bytes_while_the_guest_has_it_open)
{
    struct console_rig r;
    char text[64];
    bring_up(&r);
    give_buffers(&r, 4, 2, 8);
    ck_assert_uint_eq(host_sends(&r, 1, "early"), 0);
    guest_says(&r, 1, PORT_OPEN, 1);
    ck_assert_uint_eq(host_sends(&r, 1, "hi"), 2);
    ck_assert_str_eq(guest_gets(&r, 4, text, sizeof text), "hi");
    guest_sends(&r, 5, "yes", 3);
    ck_assert_str_eq(r.sent[1], "yes");
    guest_says(&r, 1, PORT_OPEN, 0);
    ck_assert_uint_eq(host_sends(&r, 1, "late"), 0);
    end(&r);
}
END_TEST

START_TEST(what_there_is_to_say_waits_for_buffers)
{
    struct console_rig r;
    char text[64];
    create(&r, true);
    start(&r, F_MULTIPORT);
    guest_says(&r, 0, DEVICE_READY, 1);
    guest_says(&r, 0, DEVICE_READY, 1); /* saying it twice changes nothing */
    ck_assert_str_eq(guest_gets(&r, 2, text, sizeof text), "");
    give_buffers(&r, 2, 1, 64);
    guest_hears(&r, 0, DEVICE_ADD, "");
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(2) + 2), 1);
    give_buffers(&r, 2, 3, 64);
    guest_hears(&r, 1, DEVICE_ADD, "");
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(2) + 2), 2);
    end(&r);
}
END_TEST

START_TEST(messages_that_make_no_sense_are_ignored)
{
    struct console_rig r;
    bring_up(&r);
    guest_says(&r, 2, PORT_READY, 1);
    guest_says(&r, UINT32_MAX, PORT_OPEN, 1);
    guest_says(&r, 0, 99, 1);
    guest_says(&r, 0, PORT_READY, 0);
    guest_sends(&r, 3, "abc", 3);
    guest_says(&r, 0, DEVICE_READY, 0);
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(3) + 2), 7);
    ck_assert_uint_eq(peek_u16(&r.rig, USED_OF(2) + 2), 2);
    ck_assert(!r.rig.v->broken);
    end(&r);
}
END_TEST

START_TEST(a_reset_forgets_the_ports_and_a_load_brings_them_back)
{
    struct console_rig r;
    size_t size;
    bring_up(&r);
    guest_says(&r, 1, PORT_OPEN, 1);
    uint64_t hash = virtio_hash(r.rig.v);
    uint8_t *saved = virtio_save(r.rig.v, &size);
    virtio_set_status(r.rig.v, 0);
    start(&r, F_MULTIPORT);
    give_buffers(&r, 4, 1, 8);
    ck_assert_uint_eq(host_sends(&r, 1, "a"), 0);
    ck_assert(virtio_load(r.rig.v, saved, size));
    ck_assert_uint_eq(virtio_hash(r.rig.v), hash);
    ck_assert_uint_eq(host_sends(&r, 1, "a"), 1);
    for (size_t i = 0; i < size; i++) {
        ck_assert(!virtio_load(r.rig.v, saved, i));
        saved[i] ^= 0x55;
        virtio_load(r.rig.v, saved, size);
        virtio_notify(r.rig.v, 3);
        saved[i] ^= 0x55;
    }
    free(saved);
    end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio-console");
    TCase *c = tcase_create("ports");
    tcase_add_test(c, what_the_guest_sends_reaches_the_host);
    tcase_add_test(c, what_the_host_sends_fills_the_guests_buffers);
    tcase_add_test(c, a_byte_can_be_sent_before_there_are_queues);
    tcase_add_test(c, a_driver_without_multiport_has_port_0);
    tcase_add_test(c, ports_are_introduced_as_the_specification_says);
    tcase_add_test(c, a_port_takes_bytes_while_the_guest_has_it_open);
    tcase_add_test(c, the_guest_is_told_who_comes_to_a_stream_and_goes);
    tcase_add_test(c, who_is_there_outlives_a_reset);
    tcase_add_test(c, a_port_that_is_absent_is_not_introduced);
    tcase_add_test(c, what_there_is_to_say_waits_for_buffers);
    tcase_add_test(c, messages_that_make_no_sense_are_ignored);
    tcase_add_test(c, a_reset_forgets_the_ports_and_a_load_brings_them_back);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

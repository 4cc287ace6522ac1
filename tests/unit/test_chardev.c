/* devices/chardev: each kind of character back-end, peers that come, go, and do not read. Files,
 * pipes and UNIX sockets are in a folder of the test's own, ports are the host's choice. */
#include "base/os.h"
#include "base/os_net.h"
#include "devices/chardev/chardev.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/loopback.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#define WAIT_NS 10000000000ull /* for what must come */

/* A front-end that remembers. */
struct front {
    struct os_mutex *mutex;
    uint8_t bytes[1 << 20];
    size_t size, room; /* room: taken altogether before it refuses */
    unsigned came, went;
};

static size_t front_room(void *owner)
{
    struct front *f = owner;
    os_mutex_lock(f->mutex);
    size_t room = min_u64(f->room, sizeof f->bytes) - f->size;
    os_mutex_unlock(f->mutex);
    return room;
}

static void front_receive(void *owner, const uint8_t *bytes, size_t n)
{
    struct front *f = owner;
    os_mutex_lock(f->mutex);
    ck_assert_uint_le(n, f->room - f->size);
    memcpy(f->bytes + f->size, bytes, n);
    f->size += n;
    os_mutex_unlock(f->mutex);
}

static void front_on_peer(void *owner, bool is_there)
{
    struct front *f = owner;
    os_mutex_lock(f->mutex);
    (*(is_there ? &f->came : &f->went))++;
    os_mutex_unlock(f->mutex);
}

static struct front *front_create(void)
{
    struct front *f = calloc(1, sizeof *f);
    f->mutex = os_mutex_create();
    f->room = sizeof f->bytes;
    return f;
}

static void front_destroy(struct front *f)
{
    os_mutex_destroy(f->mutex);
    free(f);
}

static void attach(struct chardev *c, struct front *f)
{
    chardev_attach(c, &(struct chardev_client){front_room, front_receive, front_on_peer, f});
}

/* Waits until *counter, which a front-end changes, is at least `least`. */
static void wait_counter(struct front *f, const unsigned *counter, unsigned least)
{
    uint64_t end = os_monotonic_ns() + WAIT_NS;
    for (bool done = false; !done;) {
        os_mutex_lock(f->mutex);
        done = *counter >= least;
        os_mutex_unlock(f->mutex);
        ck_assert(done || os_monotonic_ns() < end);
        usleep(done ? 0 : 1000);
    }
}

static void wait_received(struct front *f, const char *text)
{
    uint64_t end = os_monotonic_ns() + WAIT_NS;
    for (bool done = false; !done;) {
        os_mutex_lock(f->mutex);
        done = f->size >= strlen(text);
        os_mutex_unlock(f->mutex);
        ck_assert(done || os_monotonic_ns() < end);
        usleep(done ? 0 : 1000);
    }
    ck_assert_mem_eq(f->bytes, text, strlen(text));
    ck_assert_uint_eq(f->size, strlen(text));
    f->size = 0;
}

static struct chardev *open_with(const struct chardev_property *properties, unsigned count,
                                 const char *type, struct error *err)
{
    return chardev_open(
        &(struct chardev_config){
            .id = "test", .type = type, .properties = properties, .count = count},
        err);
}

static struct chardev *must_open(const struct chardev_property *properties, unsigned count,
                                 const char *type)
{
    struct error err;
    struct chardev *c = open_with(properties, count, type, &err);
    ck_assert_msg(c != NULL, "%s", err.text);
    return c;
}

#define PROPERTIES(...)                                                                            \
    (const struct chardev_property[]){__VA_ARGS__},                                                \
        sizeof((const struct chardev_property[]){__VA_ARGS__}) / sizeof(struct chardev_property)
#define OPEN(type, ...) must_open(PROPERTIES(__VA_ARGS__), type)

static void check_refused(const char *type, const char *key, const char *value, const char *text)
{
    struct error err;
    ck_assert_ptr_null(open_with(PROPERTIES({key, value}), type, &err));
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
}

static void send_text(struct chardev *c, const char *text)
{
    chardev_write(c, (const uint8_t *)text, strlen(text));
}

static void must_close(struct chardev *c)
{
    struct error err;
    ck_assert_msg(chardev_close(c, &err), "%s", err.text);
}

static void wait_for(int fd, unsigned event)
{
    struct os_poll *polls = os_poll_create();
    os_poll_add(polls, fd, event);
    os_poll_wait(polls, 10000);
    ck_assert(os_poll_happened(polls, 0));
    os_poll_destroy(polls);
}

/* Reads until all of n bytes came. */
static void read_all(int fd, uint8_t *to, size_t n)
{
    while (n) {
        wait_for(fd, OS_EVENT_IN);
        long got = os_net_read(fd, to, n);
        ck_assert_int_gt(got, 0);
        to += got;
        n -= (size_t)got;
    }
}

static void expect_text(int fd, const char *text)
{
    uint8_t bytes[256];
    read_all(fd, bytes, strlen(text));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

static int connect_to(const char *path)
{
    struct error err;
    int fd = os_net_connect(&(struct os_address){.path = path}, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    return fd;
}

/* --- files and memory -------------------------------------------------------------------- */

START_TEST(a_file_holds_what_was_written)
{
    enter_temp_folder();
    struct chardev *c = OPEN("file", {"path", "out"});
    send_text(c, "one ");
    send_text(c, "two\n");
    must_close(c);
    ck_assert_int_eq(shell("[ \"$(cat out)\" = 'one two' ]"), 0);
    c = OPEN("file", {"path", "out"}, {"append", "on"});
    send_text(c, "three");
    must_close(c);
    ck_assert_int_eq(shell("[ \"$(tail -1 out)\" = three ]"), 0);
    must_close(OPEN("file", {"path", "out"}));
    ck_assert_int_eq(shell("[ -s out ]"), 1);
    leave_temp_folder();
}
END_TEST

START_TEST(bytes_written_one_by_one_reach_the_file_soon)
{
    enter_temp_folder();
    struct chardev *c = OPEN("file", {"path", "out"});
    for (unsigned i = 0; i < 1000; i++)
        send_text(c, "x");
    ck_assert_int_eq(shell("for i in $(seq 100); do [ $(wc -c <out) = 1000 ] && exit; "
                           "sleep 0.1; done; exit 1"),
                     0);
    must_close(c);
    leave_temp_folder();
}
END_TEST

START_TEST(a_full_disk_is_told_at_the_end)
{
    struct error err;
    struct chardev *c = OPEN("file", {"path", "/dev/full"});
    send_text(c, "lost");
    send_text(c, "lost");
    ck_assert(!chardev_close(c, &err));
    ck_assert_str_eq(err.text, "cannot write /dev/full: No space left on device");
}
END_TEST

START_TEST(a_file_that_cannot_be_made_is_refused)
{
    check_refused("file", "path", "/nosuch/out", "cannot write /nosuch/out: No such file");
    check_refused("file", "append", "on", "it needs path=PATH");
    check_refused("pipe", "path", "/nosuch/pipe", "cannot open /nosuch/pipe: No such file");
    check_refused("null", "logfile", "/nosuch/log", "cannot write /nosuch/log: No such file");
}
END_TEST

START_TEST(null_takes_everything_and_its_log_file_has_it)
{
    enter_temp_folder();
    struct chardev *c = OPEN("null", {"logfile", "log"});
    ck_assert(chardev_has_peer(c));
    send_text(c, "kept\n");
    must_close(c);
    c = OPEN("null", {"logfile", "log"}, {"logappend", "on"});
    send_text(c, "too\n");
    must_close(c);
    ck_assert_int_eq(shell("[ \"$(echo $(cat log))\" = 'kept too' ]"), 0);
    leave_temp_folder();
}
END_TEST

START_TEST(a_ring_keeps_the_last_bytes)
{
    uint8_t bytes[16];
    struct chardev *c = OPEN("ringbuf", {"size", "8"});
    ck_assert_uint_eq(chardev_read_ring(c, bytes, sizeof bytes), 0);
    send_text(c, "0123456789abc");
    ck_assert_uint_eq(chardev_read_ring(c, bytes, 3), 3);
    ck_assert_mem_eq(bytes, "567", 3);
    send_text(c, "de");
    ck_assert_uint_eq(chardev_read_ring(c, bytes, sizeof bytes), 7);
    ck_assert_mem_eq(bytes, "89abcde", 7);
    must_close(c);
    check_refused("ringbuf", "size", "7", "size is a power of two");
    check_refused("ringbuf", "size", "0", "size is a power of two");
}
END_TEST

/* --- pipes and terminals ----------------------------------------------------------------- */

START_TEST(two_pipes_carry_both_ways)
{
    enter_temp_folder();
    ck_assert_int_eq(mkfifo("p.in", 0600), 0);
    ck_assert_int_eq(mkfifo("p.out", 0600), 0);
    struct front *f = front_create();
    struct chardev *c = OPEN("pipe", {"path", "p"});
    attach(c, f);
    ck_assert_int_eq(shell("echo in >p.in"), 0);
    wait_received(f, "in\n");
    ck_assert_int_eq(shell("echo again >p.in"), 0); /* a writer that ends does not end the pipe */
    wait_received(f, "again\n");
    send_text(c, "out\n");
    ck_assert_int_eq(shell("read line <p.out; [ $line = out ]"), 0);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(a_pty_has_a_peer_while_somebody_has_it_open)
{
    struct front *f = front_create();
    struct chardev *c = open_with(NULL, 0, "pty", &(struct error){""});
    ck_assert_ptr_nonnull(c);
    attach(c, f);
    ck_assert(!chardev_has_peer(c));
    send_text(c, "nobody sees this");
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert_int_eq(strncmp(chardev_place(c), "pty:/dev/pts/", 13), 0);
        int fd = open(chardev_place(c) + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
        ck_assert_int_ge(fd, 0);
        wait_counter(f, &f->came, i);
        ck_assert_int_eq(write(fd, "\x03in\r", 4), 4); /* raw: nothing is a key or translated */
        wait_received(f, "\x03in\r");
        send_text(c, "out\n");
        expect_text(fd, "out\n");
        close(fd);
        wait_counter(f, &f->went, i + 1); /* one when it was attached */
    }
    must_close(c);
    front_destroy(f);
}
END_TEST

/* --- sockets ----------------------------------------------------------------------------- */

static struct chardev *open_server(void)
{
    return OPEN("socket", {"path", "s"}, {"server", "on"}, {"wait", "off"});
}

START_TEST(a_server_serves_one_peer_after_the_other)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *c = open_server();
    attach(c, f);
    for (unsigned i = 1; i <= 3; i++) {
        int fd = connect_to("s");
        wait_counter(f, &f->came, i);
        ck_assert_int_eq(write(fd, "hello", 5), 5);
        wait_received(f, "hello");
        send_text(c, "you too");
        expect_text(fd, "you too");
        close(fd);
        wait_counter(f, &f->went, i + 1);
        ck_assert(!chardev_has_peer(c));
        send_text(c, "to nobody");
    }
    must_close(c);
    ck_assert_int_ne(access("s", F_OK), 0);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(what_a_peer_sent_before_it_hung_up_is_read)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *c = open_server();
    int fd = connect_to("s");
    ck_assert_int_eq(write(fd, "last words", 10), 10);
    close(fd);
    for (unsigned i = 0; i < 3; i++)
        send_text(c, "too late");
    attach(c, f);
    wait_received(f, "last words");
    wait_counter(f, &f->went, 1);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(a_client_connects_and_is_refused_where_nobody_listens)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *server = open_server(), *client = OPEN("socket", {"path", "s"});
    attach(server, f);
    ck_assert(chardev_has_peer(client));
    send_text(client, "from the client");
    wait_received(f, "from the client");
    must_close(client);
    must_close(server);
    check_refused("socket", "path", "s", "cannot connect to s: No such file");
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(a_client_comes_back_when_its_server_does)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *client = OPEN("socket", {"path", "s"}, {"reconnect-ms", "20"});
    attach(client, f);
    for (unsigned i = 1; i <= 2; i++) {
        struct chardev *server = open_server();
        wait_counter(f, &f->came, i);
        must_close(server);
        wait_counter(f, &f->went, i + 1);
    }
    must_close(client);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

/* What is not spelled out is not open to the world. */
START_TEST(a_server_without_a_host_is_for_this_host_alone)
{
    static const struct chardev_property none[] = {
        {"port", "0"}, {"server", "on"}, {"wait", "off"}};
    static const struct chardev_property empty[] = {
        {"host", ""}, {"port", "0"}, {"server", "on"}, {"wait", "off"}};
    static const struct chardev_property all[] = {
        {"host", "0.0.0.0"}, {"port", "0"}, {"server", "on"}, {"wait", "off"}};
    static const struct {
        const struct chardev_property *properties;
        unsigned count;
        const char *place;
    } cases[] = {{none, 3, "tcp:127.0.0.1:0,server=on"},
                 {empty, 4, "tcp:127.0.0.1:0,server=on"},
                 {all, 4, "tcp:0.0.0.0:0,server=on"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        struct chardev_config config = {.id = "c",
                                        .type = "socket",
                                        .properties = cases[i].properties,
                                        .count = cases[i].count};
        struct chardev *c = chardev_open(&config, &err);
        ck_assert_msg(c != NULL, "%s", err.text);
        ck_assert_str_eq(chardev_place(c), cases[i].place);
        ck_assert(chardev_close(c, &err));
    }
}
END_TEST

START_TEST(a_port_in_use_and_bad_addresses_are_refused)
{
    struct error err;
    char host[LOOPBACK_CHARS];
    loopback_host(host);
    struct chardev *c =
        OPEN("socket", {"host", host}, {"port", "5432"}, {"server", "on"}, {"wait", "off"});
    ck_assert_ptr_null(
        open_with(PROPERTIES({"host", host}, {"port", "5432"}, {"server", "on"}), "socket", &err));
    ck_assert_msg(strstr(err.text, ":5432: Address already in use") != NULL, "%s", err.text);
    must_close(c);
    check_refused("socket", "port", "70000", "a port is at most 65535");
    check_refused("socket", "server", "on", "give path=PATH");
    ck_assert_ptr_null(
        open_with(PROPERTIES({"path", "/nosuch/s"}, {"server", "on"}), "socket", &err));
    ck_assert_str_eq(err.text, "cannot listen at /nosuch/s: No such file or directory");
    ck_assert_ptr_null(open_with(PROPERTIES({"path", "s"}, {"wait", "off"}), "socket", &err));
    ck_assert_str_eq(err.text, "wait= is for server=on");
}
END_TEST

static void connect_later(void *arg)
{
    (void)arg;
    usleep(50000);
    int fd = connect_to("s");
    expect_text(fd, "welcome");
    close(fd);
}

START_TEST(a_server_that_waits_has_a_peer_when_it_is_open)
{
    enter_temp_folder();
    struct os_thread *peer = os_thread_start(connect_later, NULL);
    struct chardev *c = OPEN("socket", {"path", "s"}, {"server", "on"});
    ck_assert(chardev_has_peer(c));
    send_text(c, "welcome");
    os_thread_join(peer);
    must_close(c);
    leave_temp_folder();
}
END_TEST

START_TEST(telnet_commands_are_kept_from_both_ends)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *c =
        OPEN("socket", {"path", "s"}, {"server", "on"}, {"wait", "off"}, {"telnet", "on"});
    attach(c, f);
    int fd = connect_to("s");
    expect_text(fd, "\xff\xfb\x01\xff\xfb\x03"); /* we echo, and nobody waits for a turn */
    uint8_t rest[6];
    read_all(fd, rest, sizeof rest);
    wait_counter(f, &f->came, 1);
    ck_assert_int_eq(write(fd,
                           "a\xff\xfd\x03"
                           "b\xff\xff"
                           "c\xff\xfa\x18\x01x\xff\xf0"
                           "d\r\0e",
                           19),
                     19);
    wait_received(f, "ab\xff"
                     "cd\re");
    send_text(c, "x\xffy");
    expect_text(fd, "x\xff\xffy");
    close(fd);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

/* --- too much and too slow --------------------------------------------------------------- */

START_TEST(no_more_is_read_than_the_front_end_takes)
{
    enter_temp_folder();
    struct front *f = front_create();
    struct chardev *c = open_server();
    f->room = 3;
    attach(c, f);
    int fd = connect_to("s");
    ck_assert_int_eq(write(fd, "abcdef", 6), 6);
    wait_received(f, "abc");
    os_mutex_lock(f->mutex);
    f->room = 0;
    os_mutex_unlock(f->mutex);
    usleep(50000);
    ck_assert_uint_eq(f->size, 0);
    os_mutex_lock(f->mutex);
    f->room = 100;
    os_mutex_unlock(f->mutex);
    wait_received(f, "def");
    close(fd);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

static size_t refuse(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner, (void)bytes, (void)n;
    return 0;
}

/* A peer that writes without end into a door that nobody empties. */
START_TEST(what_waits_in_a_door_is_bounded)
{
    enter_temp_folder();
    uint8_t bytes[4096] = {0};
    struct input_door *door = input_create();
    struct chardev_entry entry = {
        .door = door, .data = input_register(door, "c", refuse, NULL), .peers = INPUT_NO_ENTRY};
    struct chardev *c = open_server();
    chardev_attach_door(c, &entry);
    int fd = connect_to("s");
    uint64_t end = os_monotonic_ns() + 300000000;
    size_t written = 0;
    while (os_monotonic_ns() < end) {
        long n = os_net_write(fd, bytes, sizeof bytes);
        written += n > 0 ? (size_t)n : 0;
        usleep(n > 0 ? 0 : 1000);
    }
    ck_assert_uint_gt(written, CHARDEV_BACKLOG_MOST);
    ck_assert_uint_eq(input_backlog(door, entry.data), CHARDEV_BACKLOG_MOST);
    close(fd);
    must_close(c);
    input_destroy(door);
    leave_temp_folder();
}
END_TEST

#define MUCH (4u << 20)

static void read_slowly(void *arg)
{
    int fd = *(int *)arg;
    uint8_t bytes[65536];
    usleep(300000);
    for (size_t at = 0; at < MUCH; at += sizeof bytes) {
        read_all(fd, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            ck_assert_uint_eq(bytes[i], (uint8_t)((at + i) % 251));
    }
}

START_TEST(a_slow_peer_loses_nothing)
{
    enter_temp_folder();
    struct chardev *c = open_server();
    int fd = connect_to("s");
    struct front *f = front_create();
    attach(c, f);
    wait_counter(f, &f->came, 1);
    struct os_thread *reader = os_thread_start(read_slowly, &fd);
    uint8_t bytes[1000];
    for (size_t at = 0, n; at < MUCH; at += n) {
        n = min_u64(sizeof bytes, MUCH - at);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)((at + i) % 251);
        chardev_write(c, bytes, n);
    }
    os_thread_join(reader);
    close(fd);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(whole_messages_go_out_at_once)
{
    enter_temp_folder();
    struct chardev *c = open_server();
    int fd = connect_to("s");
    struct front *f = front_create();
    attach(c, f);
    wait_counter(f, &f->came, 1);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t byte = 0;
        if (i % 10 == 0)
            send_text(c, "held");
        chardev_send(c, (const uint8_t *)"+", 1);
        while (byte != '+') /* nobody is waited for: it is there */
            ck_assert_int_eq(os_net_read(fd, &byte, 1), 1);
    }
    close(fd);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

START_TEST(a_peer_that_does_not_read_holds_the_writer_up_once)
{
    enter_temp_folder();
    struct chardev *c = open_server();
    int fd = connect_to("s");
    struct front *f = front_create();
    attach(c, f);
    wait_counter(f, &f->came, 1);
    uint8_t bytes[65536] = {0};
    uint64_t start = os_monotonic_ns();
    for (unsigned i = 0; i < 64; i++)
        chardev_write(c, bytes, sizeof bytes);
    uint64_t took = os_monotonic_ns() - start;
    ck_assert_uint_ge(took, CHARDEV_PATIENCE_MS * 900000ull);
    ck_assert_uint_le(took, CHARDEV_PATIENCE_MS * 5000000ull);
    size_t received = 0; /* when it reads again, it gets what was held, and what comes next */
    for (long n; (n = os_net_read(fd, bytes, sizeof bytes)) > 0 || received < CHARDEV_HELD_MOST;) {
        received += n > 0 ? (size_t)n : 0;
        usleep(n > 0 ? 0 : 1000);
    }
    usleep(20000);
    while (os_net_read(fd, bytes, sizeof bytes) > 0)
        continue;
    send_text(c, "alive");
    expect_text(fd, "alive");
    close(fd);
    must_close(c);
    front_destroy(f);
    leave_temp_folder();
}
END_TEST

/* --- words ------------------------------------------------------------------------------- */

START_TEST(unknown_words_are_refused_with_the_nearest)
{
    check_refused("sockets", "path", "s", "no character back-end 'sockets'; the nearest is socket");
    check_refused("file", "pth", "s", "file has no property 'pth'; the nearest is path");
    check_refused("null", "logfil", "s", "null has no property 'logfil'; the nearest is logfile");
    check_refused("null", "mux", "on", "mux=on is there for stdio alone");
    check_refused("socket", "reconnect", "x", "give path=PATH");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("chardev");
    TCase *c = tcase_create("back-ends");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_file_holds_what_was_written);
    tcase_add_test(c, bytes_written_one_by_one_reach_the_file_soon);
    tcase_add_test(c, a_full_disk_is_told_at_the_end);
    tcase_add_test(c, a_file_that_cannot_be_made_is_refused);
    tcase_add_test(c, null_takes_everything_and_its_log_file_has_it);
    tcase_add_test(c, a_ring_keeps_the_last_bytes);
    tcase_add_test(c, two_pipes_carry_both_ways);
    tcase_add_test(c, a_pty_has_a_peer_while_somebody_has_it_open);
    tcase_add_test(c, a_server_serves_one_peer_after_the_other);
    tcase_add_test(c, what_a_peer_sent_before_it_hung_up_is_read);
    tcase_add_test(c, a_client_connects_and_is_refused_where_nobody_listens);
    tcase_add_test(c, a_client_comes_back_when_its_server_does);
    tcase_add_test(c, a_server_without_a_host_is_for_this_host_alone);
    tcase_add_test(c, a_port_in_use_and_bad_addresses_are_refused);
    tcase_add_test(c, a_server_that_waits_has_a_peer_when_it_is_open);
    tcase_add_test(c, telnet_commands_are_kept_from_both_ends);
    tcase_add_test(c, no_more_is_read_than_the_front_end_takes);
    tcase_add_test(c, what_waits_in_a_door_is_bounded);
    tcase_add_test(c, a_slow_peer_loses_nothing);
    tcase_add_test(c, whole_messages_go_out_at_once);
    tcase_add_test(c, a_peer_that_does_not_read_holds_the_writer_up_once);
    tcase_add_test(c, unknown_words_are_refused_with_the_nearest);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

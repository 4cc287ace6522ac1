/* The VNC server, as a viewer sees it that speaks the protocol itself (RFC 6143), on a stopped
 * machine. Keys that were pressed wait at its door, where they are counted. */
#include "frontend/vnc.h"

#include "base/os.h"
#include "base/os_net.h"
#include "frontend/screen_view.h"
#include "machine/internal.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/monitor_rig.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <rfb/rfb.h>
#include <stdatomic.h>

#define WIDTH  64u
#define HEIGHT 48u

struct bench {
    struct monitor_rig rig;
    struct vnc *vnc;
    char path[64];
    atomic_bool done;
    void (*play)(struct bench *b);
    uint16_t width, height; /* as the server said */
};

/* --- a viewer ---------------------------------------------------------------------------- */

static int call(struct bench *b)
{
    struct error err;
    struct os_address address = {.path = b->path};
    int fd = os_net_connect(&address, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    fcntl(fd, F_SETFL, 0); /* it waits */
    return fd;
}

static void hear(int fd, void *bytes, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t now = read(fd, (char *)bytes + got, n - got);
        ck_assert_int_gt(now, 0);
        got += (size_t)now;
    }
}

static void say(int fd, const void *bytes, size_t n)
{
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
}

static uint16_t big16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Up to the choice of a security type, of which there is one. */
static uint8_t greet(int fd)
{
    uint8_t version[12], types[2];
    hear(fd, version, sizeof version);
    ck_assert_mem_eq(version, "RFB 003.008\n", sizeof version);
    say(fd, "RFB 003.008\n", 12);
    hear(fd, types, sizeof types);
    ck_assert_uint_eq(types[0], 1);
    say(fd, &types[1], 1);
    return types[1];
}

static bool is_let_in(int fd)
{
    uint8_t result[4];
    hear(fd, result, sizeof result);
    return result[3] == 0;
}

static void begin(struct bench *b, int fd)
{
    uint8_t server[24], name[64];
    const uint8_t raw[] = {2, 0, 0, 1, 0, 0, 0, 0};
    say(fd, "\1", 1); /* shared */
    hear(fd, server, sizeof server);
    b->width = big16(server);
    b->height = big16(server + 2);
    ck_assert_uint_eq(server[4], 32);
    ck_assert_uint_eq(server[14], 16); /* red's shift */
    ck_assert_uint_eq(server[15], 8);
    ck_assert_uint_eq(server[16], 0);
    ck_assert_uint_lt(server[23], sizeof name);
    hear(fd, name, server[23]);
    say(fd, raw, sizeof raw);
}

static int join(struct bench *b)
{
    int fd = call(b);
    ck_assert_uint_eq(greet(fd), 1);
    ck_assert(is_let_in(fd));
    begin(b, fd);
    return fd;
}

static void ask_for_update(int fd, bool incremental)
{
    const uint8_t ask[] = {3, incremental, 0, 0, 0, 0, 0, WIDTH, 0, HEIGHT};
    say(fd, ask, sizeof ask);
}

/* The next update's only rectangle; its pixels are put where they belong. */
static struct screen_rect update(int fd, uint32_t pixels[HEIGHT][WIDTH])
{
    uint8_t head[4], r[12];
    hear(fd, head, sizeof head);
    ck_assert_uint_eq(head[0], 0);
    ck_assert_uint_eq(big16(head + 2), 1);
    hear(fd, r, sizeof r);
    struct screen_rect rect = {big16(r), big16(r + 2), big16(r + 4), big16(r + 6)};
    ck_assert(rect_is_inside(rect, WIDTH, HEIGHT));
    for (uint32_t y = 0; y < rect.height; y++)
        hear(fd, &pixels[rect.y + y][rect.x], rect.width * 4);
    return rect;
}

/* --- the machine ------------------------------------------------------------------------- */

static void with_screen(struct machine_config *config)
{
    static const struct machine_option devices[] = {
        {{{"driver", "simple-framebuffer"}, {"width", "64"}, {"height", "48"}}, 3},
        {{{"driver", "virtio-keyboard-device"}}, 1},
        {{{"driver", "virtio-tablet-device"}}, 1},
    };
    config->devices = (struct machine_options){devices, ARRAY_LEN(devices)};
}

static void main_of_viewer(void *owner)
{
    struct bench *b = owner;
    b->play(b);
    atomic_store(&b->done, true);
    control_kick(b->rig.control);
}

static void play_with(struct vnc_config config, void (*play)(struct bench *b))
{
    struct bench b = {.play = play};
    struct error err;
    config.is_shared = true;
    snprintf(b.path, sizeof b.path, "/tmp/rivulet-test-vnc-%d", (int)getpid());
    strcpy(config.path, b.path);
    monitor_open_with(&b.rig, 1, with_screen);
    b.vnc = vnc_open(b.rig.control, &config, &err);
    ck_assert_msg(b.vnc != NULL, "%s", err.text);
    monitor_set_vnc(b.rig.monitor, vnc_access(b.vnc));
    struct os_thread *viewer = os_thread_start(main_of_viewer, &b);
    while (!atomic_load(&b.done))
        (void)!control_run(b.rig.control, UINT64_MAX, RIG_MS, &err);
    os_thread_join(viewer);
    control_close(b.rig.control);
    vnc_close(b.vnc);
    ck_assert_int_ne(access(b.path, F_OK), 0);
    monitor_close(&b.rig);
}

static void play(void (*play)(struct bench *b))
{
    play_with((struct vnc_config){.id = "default"}, play);
}

struct store {
    struct machine *m;
    uint32_t x, y, pixel;
};

static void store_pixel(void *owner)
{
    struct store *s = owner;
    uint64_t gpa = s->m->simple_framebuffer.base + 4 * (s->y * WIDTH + s->x);
    ck_assert(dma_write(s->m->memory, gpa, &s->pixel, 4));
}

static void draw(struct bench *b, uint32_t x, uint32_t y, uint32_t pixel)
{
    struct store s = {b->rig.rig->m, x, y, pixel};
    ck_assert(control_call(b->rig.control, store_pixel, &s));
}

static size_t waiting(struct bench *b, enum machine_input input)
{
    struct machine *m = b->rig.rig->m;
    return input_backlog(machine_door(m), machine_input_entry(m, input));
}

/* --- what is proved ---------------------------------------------------------------------- */

static void look(struct bench *b)
{
    uint32_t pixels[HEIGHT][WIDTH] = {{0}};
    draw(b, 3, 5, 0x112233);
    int fd = join(b);
    ask_for_update(fd, false);
    update(fd, pixels);
    ck_assert_uint_eq(b->width, WIDTH);
    ck_assert_uint_eq(b->height, HEIGHT);
    ck_assert_uint_eq(pixels[5][3], 0x112233);
    draw(b, 60, 40, 0x445566);
    ask_for_update(fd, true);
    const struct screen_rect rect = update(fd, pixels);
    const struct screen_rect expected = {60, 40, 1, 1};
    ck_assert_mem_eq(&rect, &expected, sizeof rect);
    ck_assert_uint_eq(pixels[40][60], 0x445566);
    close(fd);
}

START_TEST(a_viewer_sees_the_picture_and_then_what_changes)
{
    play(look);
}
END_TEST

static void look_together(struct bench *b)
{
    uint32_t pixels[HEIGHT][WIDTH] = {{0}};
    int first = join(b), second = join(b);
    ask_for_update(first, false);
    update(first, pixels);
    ask_for_update(second, false);
    update(second, pixels);
    ask_for_update(first, true);
    ask_for_update(second, true);
    draw(b, 1, 1, 7);
    for (unsigned i = 0; i < 2; i++) {
        pixels[1][1] = 0;
        update(i ? second : first, pixels);
        ck_assert_uint_eq(pixels[1][1], 7);
    }
    close(first);
    ask_for_update(second, true);
    draw(b, 2, 1, 8);
    update(second, pixels);
    ck_assert_uint_eq(pixels[1][2], 8);
    close(second);
}

START_TEST(several_viewers_see_the_same_and_one_may_go)
{
    play(look_together);
}
END_TEST

static void wait_for(struct bench *b, enum machine_input input, size_t count)
{
    uint64_t end = os_monotonic_ns() + 10000 * RIG_MS;
    while (waiting(b, input) < count && os_monotonic_ns() < end)
        usleep(1000);
    ck_assert_uint_eq(waiting(b, input), count);
}

static void type(struct bench *b)
{
    const uint8_t a_down[] = {4, 1, 0, 0, 0, 0, 0, 'a'}, a_up[] = {4, 0, 0, 0, 0, 0, 0, 'A'};
    const uint8_t unknown[] = {4, 1, 0, 0, 0, 0, 0x30, 0x42};
    const uint8_t enter[] = {4, 1, 0, 0, 0, 0, 0xff, 0x0d};
    const uint8_t move[] = {5, 0, 0, 10, 0, 20}, press[] = {5, 1, 0, 10, 0, 20};
    const uint8_t wheel[] = {5, 9, 0, 10, 0, 20};
    int fd = join(b);
    say(fd, a_down, sizeof a_down);
    say(fd, a_down, sizeof a_down); /* repeated by the viewer: the guest does that itself */
    say(fd, unknown, sizeof unknown);
    say(fd, a_up, sizeof a_up);
    say(fd, enter, sizeof enter);
    wait_for(b, MACHINE_KEYBOARD, 3);
    say(fd, move, sizeof move);
    say(fd, press, sizeof press);
    say(fd, wheel, sizeof wheel);
    wait_for(b, MACHINE_TABLET, 3);
    close(fd); /* with enter and a button held down: both are released */
    wait_for(b, MACHINE_KEYBOARD, 4);
    wait_for(b, MACHINE_TABLET, 6);
}

START_TEST(keys_and_pointer_reach_the_guest_and_are_released_when_the_viewer_goes)
{
    play(type);
}
END_TEST

static void let_in(void *owner)
{
    struct bench *b = owner;
    input_deliver(machine_door(b->rig.rig->m));
}

static void copy(int fd, const char *text)
{
    uint8_t head[8] = {6, [7] = (uint8_t)strlen(text)};
    say(fd, head, sizeof head);
    say(fd, text, strlen(text));
}

/* Keys that come and go: what waits is that of the typed text too. */
static void paste(struct bench *b)
{
    const uint8_t control[] = {4, 1, 0, 0, 0, 0, 0xff, 0xe3},
                  alt[] = {4, 1, 0, 0, 0, 0, 0xff, 0xe9};
    const uint8_t v[] = {4, 1, 0, 0, 0, 0, 0, 'v'};
    int fd = join(b), other = join(b);
    copy(fd, "never asked for");
    copy(fd, "A");
    copy(other, "another's");
    say(fd, control, sizeof control);
    wait_for(b, MACHINE_KEYBOARD, 1);
    say(fd, alt, sizeof alt);
    say(fd, v, sizeof v);
    wait_for(b, MACHINE_KEYBOARD,
             4); /* both pressed, both released; what waits holds the text up */
    ck_assert(control_call(b->rig.control, let_in, b));
    wait_for(b, MACHINE_KEYBOARD, 4); /* shift, a, and back */
    close(fd);
    close(other);
}

START_TEST(a_viewer_types_what_its_user_has_copied_when_asked)
{
    play(paste);
}
END_TEST

static bool answer(int fd, const char *password)
{
    uint8_t challenge[16];
    char copy[16];
    strcpy(copy, password);
    ck_assert_uint_eq(greet(fd), 2);
    hear(fd, challenge, sizeof challenge);
    rfbEncryptBytes(challenge, copy);
    say(fd, challenge, sizeof challenge);
    return is_let_in(fd);
}

static bool opens(struct bench *b, const char *password)
{
    int fd = call(b);
    bool is_let_in = answer(fd, password);
    if (is_let_in)
        begin(b, fd);
    close(fd);
    return is_let_in;
}

static void knock(struct bench *b)
{
    ck_assert(!opens(b, "Sesame"));
    ck_assert(opens(b, "sesame"));
}

START_TEST(who_knows_the_password_is_let_in_and_nobody_else)
{
    play_with((struct vnc_config){.asks_password = true, .password = "sesame"}, knock);
}
END_TEST

struct command {
    struct bench *bench;
    const char *line, *answer;
};

static void run_command(void *owner)
{
    const struct command *c = owner;
    CHECK_IN(ask(&c->bench->rig, c->line), c->answer);
    ck_assert_int_eq(!*c->answer, !*c->bench->rig.said);
}

static void command(struct bench *b, const char *line, const char *answer)
{
    struct command c = {b, line, answer};
    ck_assert(control_call(b->rig.control, run_command, &c));
}

static void change_password(struct bench *b)
{
    ck_assert(!opens(b, ""));
    command(b, "set_password vnc first", "");
    ck_assert(!opens(b, ""));
    ck_assert(opens(b, "first"));
    command(b, "change vnc password \"a second\"", "");
    ck_assert(!opens(b, "first"));
    ck_assert(opens(b, "a second"));
    command(b, "set_password vnc \"longer than eight\" -d default keep", "");
    ck_assert(opens(b, "longer t"));
    command(b, "set_password vnc third -d other", "no VNC server 'other'");
    ck_assert(opens(b, "longer t"));
    command(b, "set_password vnc \"\"", "");
    ck_assert(!opens(b, ""));
}

START_TEST(a_password_set_later_lets_viewers_in_and_before_it_nobody_is)
{
    play_with((struct vnc_config){.id = "default", .asks_password = true}, change_password);
}
END_TEST

static void expire(struct bench *b)
{
    command(b, "expire_password vnc now", "");
    ck_assert(!opens(b, "sesame"));
    command(b, "expire_password vnc +1000", "");
    ck_assert(opens(b, "sesame"));
    command(b, "expire_password vnc 1000", "");
    ck_assert(!opens(b, "sesame"));
    command(b, "expire_password vnc never", "");
    ck_assert(opens(b, "sesame"));
}

START_TEST(a_password_is_valid_until_it_expires)
{
    play_with((struct vnc_config){.id = "default", .asks_password = true, .password = "sesame"},
              expire);
}
END_TEST

static void stay_open(struct bench *b)
{
    command(b, "set_password vnc word", "asks for no password");
    command(b, "expire_password vnc now", "asks for no password");
    close(join(b));
}

START_TEST(a_server_without_a_password_gets_none_later)
{
    play(stay_open);
}
END_TEST

static void talk_nonsense(struct bench *b)
{
    uint64_t seed = 3;
    uint8_t noise[256];
    for (unsigned n = 0; n < 50; n++) {
        int fd = n % 2 ? join(b) : call(b);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)bench_random(&seed);
        say(fd, noise, sizeof noise);
        close(fd);
    }
    look(b);
}

START_TEST(viewers_that_talk_nonsense_are_survived)
{
    play(talk_nonsense);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vnc");
    TCase *tc = tcase_create("vnc");
    tcase_add_test(tc, a_viewer_sees_the_picture_and_then_what_changes);
    tcase_add_test(tc, several_viewers_see_the_same_and_one_may_go);
    tcase_add_test(tc, keys_and_pointer_reach_the_guest_and_are_released_when_the_viewer_goes);
    tcase_add_test(tc, a_viewer_types_what_its_user_has_copied_when_asked);
    tcase_add_test(tc, who_knows_the_password_is_let_in_and_nobody_else);
    tcase_add_test(tc, a_password_set_later_lets_viewers_in_and_before_it_nobody_is);
    tcase_add_test(tc, a_password_is_valid_until_it_expires);
    tcase_add_test(tc, a_server_without_a_password_gets_none_later);
    tcase_add_test(tc, viewers_that_talk_nonsense_are_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* A text that is typed: the events that come in at the door of a machine, whose guest takes them
 * when the test says so. */
#include "frontend/typist.h"

#include "base/os.h"
#include "machine/internal.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/monitor_rig.h"
#include "tests/unit/suite.h"

#include <stdatomic.h>

#define LOOKS_MOST 1000u

struct bench {
    struct monitor_rig rig;
    struct screen_view view;
    struct typist typist;
    struct error err;
    char keys[4096]; /* what the guest got: +CODE, -CODE */
    size_t used, groups;
    atomic_bool done;
    void (*play)(struct bench *b);
};

static void note(void *owner, unsigned entry, const uint8_t *bytes, size_t n)
{
    struct bench *b = owner;
    const struct input_event *event = (const struct input_event *)bytes;
    (void)entry;
    ck_assert_uint_eq(n, 2 * sizeof *event);
    ck_assert_uint_eq(event[0].type, INPUT_KEY);
    ck_assert_uint_eq(event[1].type, INPUT_SYN);
    b->used += (size_t)snprintf(b->keys + b->used, sizeof b->keys - b->used, "%c%u ",
                                event[0].value ? '+' : '-', event[0].code);
    b->groups++;
}

static void deliver(void *owner)
{
    struct bench *b = owner;
    input_deliver(machine_door(b->rig.rig->m));
}

static size_t waiting(struct bench *b)
{
    struct machine *m = b->rig.rig->m;
    return input_backlog(machine_door(m), machine_input_entry(m, MACHINE_KEYBOARD));
}

static void look(struct bench *b)
{
    screen_view_update(&b->view);
    typist_go_on(&b->typist, &b->view);
}

static bool begin(struct bench *b, const char *text)
{
    screen_view_update(&b->view);
    return typist_begin(&b->typist, &b->view, text, strlen(text), &b->err);
}

/* Types to the end; the guest takes at each look what waits. */
static const char *typed(struct bench *b, const char *text)
{
    b->used = b->groups = 0;
    b->keys[0] = 0;
    ck_assert(begin(b, text));
    for (unsigned i = 0; i < LOOKS_MOST && typist_is_busy(&b->typist); i++) {
        look(b);
        ck_assert(control_call(b->rig.control, deliver, b));
    }
    ck_assert(!typist_is_busy(&b->typist));
    return b->keys;
}

/* --- the machine, on the test's thread --------------------------------------------------- */

static void with_keyboard(struct machine_config *config)
{
    static const struct machine_option devices[] = {{{{"driver", "virtio-keyboard-device"}}, 1}};
    config->devices = (struct machine_options){devices, ARRAY_LEN(devices)};
}

static void main_of_user(void *owner)
{
    struct bench *b = owner;
    b->play(b);
    atomic_store(&b->done, true);
    control_kick(b->rig.control);
}

static void play(void (*play)(struct bench *b), void (*more)(struct machine_config *config))
{
    static struct bench b; /* a machine's rig is large */
    struct error err;
    b = (struct bench){.play = play};
    monitor_open_with(&b.rig, 1, more);
    input_observe(machine_door(b.rig.rig->m), note, &b);
    screen_view_init(&b.view, b.rig.control);
    struct os_thread *user = os_thread_start(main_of_user, &b);
    while (!atomic_load(&b.done))
        (void)!control_run(b.rig.control, UINT64_MAX, RIG_MS, &err);
    os_thread_join(user);
    control_close(b.rig.control);
    typist_deinit(&b.typist);
    screen_view_deinit(&b.view);
    monitor_close(&b.rig);
}

/* --- what is proved ---------------------------------------------------------------------- */

static void type_all(struct bench *b)
{
    ck_assert_str_eq(typed(b, "aB"), "+30 -30 +42 +48 -48 -42 ");
    ck_assert_str_eq(typed(b, "\t:\r\n\r\n"), "+15 -15 +42 +39 -39 -42 +28 -28 +28 -28 ");
    ck_assert_str_eq(typed(b, "1\xc3\xa4\xe2\x82\xac"
                              "2\x01\xff"),
                     "+2 -2 +3 -3 ");
}

START_TEST(a_text_is_typed_with_shift_and_what_has_no_key_is_left_out)
{
    play(type_all, with_keyboard);
}
END_TEST

static void decode(struct bench *b)
{
    static const struct {
        const char *text;
        uint32_t value;
    } cases[] = {
        {"\xc3\xa4", 0xe4},   {"\xe2\x82\xac", 0x20ac}, {"\xf0\x9f\x98\x80", 0x1f600},
        {"\xff", 0xfffd},     {"\x80", 0xfffd},         {"\xc3", 0xfffd},
        {"\xe2\x82", 0xfffd}, {"\xc1\x81", 0xfffd}, /* 'A' in two bytes */
        {"\x1b", 0x1b},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[16];
        snprintf(text, sizeof text, "%sabcdefgh", cases[i].text);
        ck_assert(begin(b, text));
        look(b);
        ck_assert_uint_eq(b->typist.left_out, 1);
        ck_assert_uint_eq(b->typist.first.value, cases[i].value);
        ck_assert_uint_eq(b->typist.first.bytes, strlen(cases[i].text));
        typist_stop(&b->typist);
        ck_assert(control_call(b->rig.control, deliver, b));
    }
}

START_TEST(characters_beyond_ascii_are_told_apart_from_bytes_that_are_none)
{
    play(decode, with_keyboard);
}
END_TEST

static void type_slowly(struct bench *b)
{
    ck_assert(begin(b, "abcdefgh"));
    look(b);
    const size_t first = waiting(b);
    ck_assert_uint_ge(first, 2);
    ck_assert_uint_le(first, 16);
    for (unsigned i = 0; i < 5; i++)
        look(b);
    ck_assert_uint_eq(waiting(b), first);
    ck_assert(control_call(b->rig.control, deliver, b));
    look(b);
    ck_assert_uint_gt(waiting(b), 0);
    ck_assert_uint_eq(b->groups, first);
}

START_TEST(nothing_is_typed_while_the_guest_has_not_taken_what_came_before)
{
    play(type_slowly, with_keyboard);
}
END_TEST

static void stop(struct bench *b)
{
    ck_assert(begin(b, "abcdefgh"));
    look(b);
    typist_stop(&b->typist);
    ck_assert(control_call(b->rig.control, deliver, b));
    look(b);
    ck_assert_uint_eq(waiting(b), 0);
    for (unsigned code = 0; code < VIEW_KEYS; code++)
        ck_assert(!b->view.down[code]);
    ck_assert_str_eq(typed(b, "a"), "+30 -30 ");
}

START_TEST(typing_that_is_stopped_leaves_no_key_down)
{
    play(stop, with_keyboard);
}
END_TEST

static void refuse(struct bench *b)
{
    static char large[TYPIST_BYTES_MOST + 2];
    ck_assert(!begin(b, ""));
    CHECK_IN(b->err.text, "clipboard");
    memset(large, 'x', TYPIST_BYTES_MOST + 1);
    ck_assert(!begin(b, large));
    CHECK_IN(b->err.text, "65537");
    ck_assert(!typist_is_busy(&b->typist));
}

START_TEST(no_text_and_a_huge_one_are_refused)
{
    play(refuse, with_keyboard);
}
END_TEST

static void type_at_nothing(struct bench *b)
{
    ck_assert(!begin(b, "a"));
    CHECK_IN(b->err.text, "virtio-keyboard-pci");
}

START_TEST(a_machine_without_a_keyboard_is_named)
{
    play(type_at_nothing, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("typist");
    TCase *tc = tcase_create("typist");
    tcase_add_test(tc, a_text_is_typed_with_shift_and_what_has_no_key_is_left_out);
    tcase_add_test(tc, characters_beyond_ascii_are_told_apart_from_bytes_that_are_none);
    tcase_add_test(tc, nothing_is_typed_while_the_guest_has_not_taken_what_came_before);
    tcase_add_test(tc, typing_that_is_stopped_leaves_no_key_down);
    tcase_add_test(tc, no_text_and_a_huge_one_are_refused);
    tcase_add_test(tc, a_machine_without_a_keyboard_is_named);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

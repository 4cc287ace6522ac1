/* Keyboard, mouse and tablet: what they say of themselves, and groups of events. */
#include "devices/virtio/input.h"
#include "tests/unit/suite.h"
#include "tests/unit/virtio_rig.h"

static void init(struct virtio_rig *r, enum virtio_input_kind kind)
{
    rig_init(r);
    struct virtio_input_config config = {.kind = kind, .memory = r->memory};
    rig_attach(r, virtio_input_create(&config));
    rig_start(r, 0, 16, 0);
}

/* The size, and the bytes in data. */
static uint8_t ask(struct virtio_rig *r, uint8_t select, uint8_t subsel, uint8_t data[128])
{
    uint8_t size;
    virtio_write_config(r->v, 0, &select, 1);
    virtio_write_config(r->v, 1, &subsel, 1);
    virtio_read_config(r->v, 2, &size, 1);
    virtio_read_config(r->v, 8, data, 128);
    return size;
}

static bool has_bit(const uint8_t *bits, unsigned bit)
{
    return bits[bit / 8] >> bit % 8 & 1;
}

START_TEST(each_kind_says_what_it_is)
{
    static const char *const names[] = {"Rivulet Virtio Keyboard", "Rivulet Virtio Mouse",
                                        "Rivulet Virtio Tablet"};
    for (unsigned kind = 0; kind < 3; kind++) {
        struct virtio_rig r;
        uint8_t data[128];
        init(&r, kind);
        ck_assert_uint_eq(ask(&r, 1, 0, data), strlen(names[kind]));
        ck_assert_mem_eq(data, names[kind], strlen(names[kind]));
        ck_assert_uint_eq(ask(&r, 3, 0, data), 8);
        ck_assert_uint_eq(data[4], kind + 1);
        ck_assert_uint_eq(ask(&r, 2, 0, data), 0);
        ck_assert_uint_eq(ask(&r, 0x77, 1, data), 0);
        rig_free(&r);
    }
}
END_TEST

START_TEST(each_kind_has_its_events)
{
    struct virtio_rig r;
    uint8_t data[128];
    init(&r, VIRTIO_INPUT_KEYBOARD);
    ck_assert_uint_eq(ask(&r, 0x11, INPUT_KEY, data), 32);
    ck_assert(has_bit(data, 1) && has_bit(data, 116) && !has_bit(data, 0));
    ck_assert_uint_eq(ask(&r, 0x11, INPUT_REL, data), 0);
    rig_free(&r);
    init(&r, VIRTIO_INPUT_MOUSE);
    ck_assert_uint_eq(ask(&r, 0x11, INPUT_REL, data), 2);
    ck_assert(has_bit(data, 0) && has_bit(data, 1) && has_bit(data, 8) && !has_bit(data, 2));
    ck_assert_uint_eq(ask(&r, 0x12, 0, data), 0);
    rig_free(&r);
    init(&r, VIRTIO_INPUT_TABLET);
    ck_assert_uint_eq(ask(&r, 0x11, INPUT_ABS, data), 1);
    ck_assert_uint_eq(ask(&r, 0x12, 1, data), 20);
    ck_assert_uint_eq(data[4] | data[5] << 8, INPUT_ABSOLUTE_MAX);
    ck_assert_uint_eq(ask(&r, 0x12, 2, data), 0);
    ck_assert_uint_eq(ask(&r, 0x12, 0xff, data), 0);
    rig_free(&r);
}
END_TEST

static const struct input_event press[] = {{INPUT_KEY, 30, 1}, {INPUT_SYN, 0, 0}};

static size_t receive(struct virtio_rig *r)
{
    return virtio_input_receive(r->v, (const uint8_t *)press, sizeof press);
}

START_TEST(a_group_arrives_whole_or_waits)
{
    struct virtio_rig r;
    struct input_event event;
    init(&r, VIRTIO_INPUT_KEYBOARD);
    ck_assert_uint_eq(receive(&r), 0);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    put(&r, 1, RIG_DATA + 8, 8, DESC_WRITE, 0);
    offer(&r, 0);
    ring(&r);
    ck_assert_uint_eq(receive(&r), 0); /* one buffer is not enough */
    ck_assert_uint_eq(used_index(&r), 0);
    offer(&r, 1);
    ck_assert_uint_eq(receive(&r), sizeof press);
    ck_assert_uint_eq(used_index(&r), 2);
    ck_assert_uint_eq(used_bytes(&r, 0), 8);
    ck_assert_uint_eq(r.queue_interrupts, 1);
    peek(&r, RIG_DATA, &event, sizeof event);
    ck_assert_mem_eq(&event, &press[0], sizeof event);
    peek(&r, RIG_DATA + 8, &event, sizeof event);
    ck_assert_mem_eq(&event, &press[1], sizeof event);
    rig_free(&r);
}
END_TEST

START_TEST(without_a_driver_events_are_lost)
{
    struct virtio_rig r;
    init(&r, VIRTIO_INPUT_KEYBOARD);
    virtio_set_status(r.v, 0);
    ck_assert_uint_eq(receive(&r), sizeof press);
    rig_free(&r);
}
END_TEST

START_TEST(the_state_has_what_the_driver_selected)
{
    struct virtio_rig a, b;
    uint8_t data[128];
    size_t size;
    init(&a, VIRTIO_INPUT_KEYBOARD);
    init(&b, VIRTIO_INPUT_KEYBOARD);
    ask(&a, 1, 0, data);
    ck_assert_uint_ne(virtio_hash(a.v), virtio_hash(b.v));
    uint8_t *saved = virtio_save(a.v, &size);
    ck_assert(virtio_load(b.v, saved, size));
    ck_assert_uint_eq(virtio_hash(a.v), virtio_hash(b.v));
    free(saved);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio_input");
    TCase *c = tcase_create("virtio_input");
    tcase_add_test(c, each_kind_says_what_it_is);
    tcase_add_test(c, each_kind_has_its_events);
    tcase_add_test(c, a_group_arrives_whole_or_waits);
    tcase_add_test(c, without_a_driver_events_are_lost);
    tcase_add_test(c, the_state_has_what_the_driver_selected);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* Displays of the machine: which there are, where their pictures lie, what their guests are told,
 * and that a save and load keeps all of it. */
#include "devices/display/screen.h"
#include "machine/internal.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#include <check.h>

#define VIRTIO_SLOT7  0x10008000ull
#define VIRTIO_CONFIG 0x100u
#define OPTIONS_MOST  6u

struct bench {
    struct program p;
    struct machine_option options[OPTIONS_MOST];
    struct machine_config config;
};

/* A machine with an empty program; devices in the form of struct machine_option. */
static void bench_init(struct bench *b)
{
    program_begin(&b->p);
    program_end(&b->p);
    b->config = rig_config(&b->p, 1);
    b->config.devices = (struct machine_options){b->options, 0};
}

static void bench_end(struct bench *b)
{
    unlink(b->p.path);
}

static void add_device(struct bench *b, const char *driver, const char *name, const char *value)
{
    struct machine_option *o = &b->options[b->config.devices.count++];
    *o = (struct machine_option){{{"driver", driver}, {name, value}}, name ? 2 : 1};
}

static struct machine *create(struct bench *b)
{
    struct error err;
    struct machine *m = machine_create(&b->config, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    return m;
}

static void check_refused(struct bench *b, const char *reason)
{
    struct error err;
    ck_assert_ptr_null(machine_create(&b->config, &err));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    b->config.devices.count = 0;
}

static uint32_t get(struct machine *m, uint64_t gpa)
{
    uint64_t value;
    ck_assert(memory_mmio_read(m->memory, gpa, 4, &value));
    return (uint32_t)value;
}

START_TEST(screens_are_in_the_order_of_their_devices)
{
    struct bench b;
    bench_init(&b);
    add_device(&b, "ramfb", NULL, NULL);
    add_device(&b, "simple-framebuffer", "width", "320");
    add_device(&b, "bochs-display", NULL, NULL);
    struct machine *m = create(&b);
    ck_assert_uint_eq(machine_screen(m, 0)->width, 0);
    ck_assert_uint_eq(machine_screen(m, 1)->width, 320);
    ck_assert_uint_eq(machine_screen(m, 1)->height, 768);
    ck_assert_ptr_nonnull(machine_screen(m, 2));
    ck_assert_ptr_null(machine_screen(m, 3));
    ck_assert(!machine_prefer_size(m, 800, 600)); /* none of them can tell */
    machine_destroy(m);
    bench_end(&b);
}
END_TEST

START_TEST(the_simple_picture_ends_with_ram_and_nothing_is_loaded_into_it)
{
    struct bench b;
    bench_init(&b);
    add_device(&b, "simple-framebuffer", "format", "r5g6b5");
    struct machine *m = create(&b);
    const struct fdt_framebuffer *f = &m->simple_framebuffer;
    ck_assert_uint_eq(f->base, RIG_RAM + (6 << 20));
    ck_assert_uint_eq(f->base + f->bytes, RIG_RAM + b.config.ram_bytes);
    ck_assert_uint_eq(f->stride, 2048);
    ck_assert_str_eq(f->format, "r5g6b5");
    for (uint64_t at = 0; at < f->bytes; at += 8) {
        uint64_t word;
        ck_assert(dma_read(m->memory, f->base + at, &word, 8));
        ck_assert_uint_eq(word, 0);
    }
    machine_destroy(m);
    bench_end(&b);
}
END_TEST

START_TEST(impossible_displays_are_refused)
{
    struct bench b;
    bench_init(&b);
    add_device(&b, "simple-framebuffer", "width", "15");
    check_refused(&b, "each side is 16 to 16384");
    add_device(&b, "simple-framebuffer", "height", "16384");
    check_refused(&b, "more than half");
    add_device(&b, "simple-framebuffer", "format", "yuv");
    check_refused(&b, "it can be: a8r8g8b8");
    add_device(&b, "simple-framebuffer", NULL, NULL);
    add_device(&b, "simple-framebuffer", NULL, NULL);
    check_refused(&b, "one already");
    add_device(&b, "ramfb", NULL, NULL);
    add_device(&b, "ramfb", NULL, NULL);
    check_refused(&b, "etc/ramfb");
    add_device(&b, "bochs-display", "vgamem", "3M");
    check_refused(&b, "a power of two");
    add_device(&b, "bochs-display", "xres", "10");
    check_refused(&b, "xres and yres");
    for (unsigned i = 0; i <= MACHINE_SCREENS_MAX; i++)
        add_device(&b, "bochs-display", NULL, NULL);
    check_refused(&b, "there are 4 displays already");
    bench_end(&b);
}
END_TEST

START_TEST(a_wished_size_reaches_the_driver_by_the_door)
{
    struct bench b;
    bench_init(&b);
    add_device(&b, "virtio-gpu-device", "xres", "640");
    struct machine *m = create(&b);
    ck_assert_uint_eq(get(m, VIRTIO_SLOT7 + VIRTIO_CONFIG), 0);
    ck_assert(machine_prefer_size(m, 800, 600));
    ck_assert_uint_eq(get(m, VIRTIO_SLOT7 + VIRTIO_CONFIG), 0);
    input_deliver(m->door);
    ck_assert_uint_eq(get(m, VIRTIO_SLOT7 + VIRTIO_CONFIG), 1); /* VIRTIO_GPU_EVENT_DISPLAY */
    machine_destroy(m);
    bench_end(&b);
}
END_TEST

START_TEST(a_save_and_load_keeps_all_displays)
{
    struct bench b;
    bench_init(&b);
    add_device(&b, "ramfb", NULL, NULL);
    add_device(&b, "simple-framebuffer", "width", "64");
    add_device(&b, "bochs-display", "vgamem", "1M");
    add_device(&b, "virtio-gpu-device", NULL, NULL);
    struct machine *m = create(&b), *other = create(&b);
    const uint32_t pixel = 0x123456;
    ck_assert(dma_write(m->memory, m->simple_framebuffer.base, &pixel, 4));
    ck_assert_uint_ne(machine_hash(m), machine_hash(other));
    struct state *save = state_new_save();
    machine_state(m, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    machine_state(other, load);
    ck_assert_msg(state_ok(load), "%s", state_error(load));
    ck_assert_uint_eq(machine_hash(m), machine_hash(other));
    struct screen *s = machine_screen(other, 1);
    s->refresh(s->owner);
    ck_assert_uint_eq(s->pixels[0], pixel);
    state_free(load);
    state_free(save);
    machine_destroy(m);
    machine_destroy(other);
    bench_end(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("displays");
    TCase *tc = tcase_create("displays");
    tcase_add_test(tc, screens_are_in_the_order_of_their_devices);
    tcase_add_test(tc, the_simple_picture_ends_with_ram_and_nothing_is_loaded_into_it);
    tcase_add_test(tc, impossible_displays_are_refused);
    tcase_add_test(tc, a_wished_size_reaches_the_driver_by_the_door);
    tcase_add_test(tc, a_save_and_load_keeps_all_displays);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

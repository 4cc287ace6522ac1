/* Drivers and drives: what -device, -drive and -global make of a machine, and how they are refused.
 * The machines have no program: their harts trap for ever, which is enough to let time pass. */
#include "machine/internal.h"
#include "tests/unit/suite.h"
#include "tests/unit/virtio_rig.h"

#include <unistd.h>

#define IMAGE_BYTES (1u << 20)
#define SLOT(n)     (0x10001000ull + 0x1000 * (n))

struct image_file {
    char path[32];
};

static void image_create(struct image_file *image)
{
    strcpy(image->path, "/tmp/rivulet-test-XXXXXX");
    int fd = mkstemp(image->path);
    ck_assert_int_ge(fd, 0);
    for (unsigned i = 0; i < IMAGE_BYTES / 512; i++) {
        uint8_t sector[512];
        memset(sector, (int)(i & 0xff), sizeof sector);
        ck_assert_int_eq(write(fd, sector, sizeof sector), sizeof sector);
    }
    close(fd);
}

/* One option from a text like "driver=x,bus=y"; the texts stay in `words`. */
struct option_text {
    char words[256];
    struct machine_option option;
};

static void option_parse(struct option_text *o, const char *text)
{
    o->option.count = 0;
    snprintf(o->words, sizeof o->words, "%s", text);
    for (char *word = strtok(o->words, ","); word; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        struct machine_property *p = &o->option.items[o->option.count++];
        if (equals)
            *equals = 0;
        *p = (struct machine_property){.name = word, .value = equals ? equals + 1 : NULL};
    }
}

#define OPTIONS_MAX 12

/* A configuration with lists of options. */
struct setup {
    struct machine_config config;
    struct option_text texts[3][OPTIONS_MAX];
    struct machine_option devices[OPTIONS_MAX], drives[OPTIONS_MAX], globals[OPTIONS_MAX];
};

static void setup_init(struct setup *s)
{
    memset(s, 0, sizeof *s);
    machine_config_init(&s->config);
    s->config.ram_bytes = 8 << 20;
    s->config.bios = BIOS_NONE;
    s->config.icount = true;
    s->config.rtc = RTC_FIXED;
    s->config.devices.items = s->devices;
    s->config.drives.items = s->drives;
    s->config.globals.items = s->globals;
}

static void add(struct option_text *texts, struct machine_option *items,
                struct machine_options *options, const char *text)
{
    option_parse(&texts[options->count], text);
    items[options->count] = texts[options->count].option;
    options->count++;
}

static void add_device(struct setup *s, const char *text)
{
    add(s->texts[0], s->devices, &s->config.devices, text);
}

static void add_drive(struct setup *s, const char *text)
{
    add(s->texts[1], s->drives, &s->config.drives, text);
}

static void add_global(struct setup *s, const char *text)
{
    add(s->texts[2], s->globals, &s->config.globals, text);
}

/* A drive "a" of this file, with more properties. */
static void add_image(struct setup *s, const struct image_file *image, const char *more)
{
    char text[128];
    snprintf(text, sizeof text, "if=none,id=a,format=raw,file=%s%s", image->path, more);
    add_drive(s, text);
}

static struct machine *create(const struct setup *s)
{
    struct error err;
    struct machine *m = machine_create(&s->config, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    return m;
}

static void check_refused(const struct setup *s, const char *text)
{
    struct error err;
    ck_assert_ptr_null(machine_create(&s->config, &err));
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
}

static uint32_t get(struct machine *m, uint64_t gpa)
{
    uint64_t value;
    ck_assert(memory_mmio_read(m->memory, gpa, 4, &value));
    return (uint32_t)value;
}

static void set(struct machine *m, uint64_t gpa, uint32_t value)
{
    ck_assert(memory_mmio_write(m->memory, gpa, 4, value));
}

static uint32_t id_of(struct machine *m, unsigned slot)
{
    return get(m, SLOT(slot) + 8);
}

/* --- devices ----------------------------------------------------------------------------- */

START_TEST(devices_fill_the_slots_from_7_down_and_the_others_are_empty)
{
    struct setup s;
    setup_init(&s);
    add_device(&s, "driver=virtio-rng-device");
    add_device(&s, "driver=virtio-rng-device,bus=virtio-mmio-bus.6,id=r");
    add_device(&s, "driver=virtio-rng-device");
    struct machine *m = create(&s);
    for (unsigned slot = 0; slot < VIRTIO_MMIO_SLOTS; slot++)
        ck_assert_uint_eq(id_of(m, slot), slot >= 5 ? 4 : 0);
    machine_destroy(m);
}
END_TEST

START_TEST(the_transport_is_legacy_unless_a_global_says_otherwise)
{
    struct setup s;
    setup_init(&s);
    struct machine *m = create(&s);
    ck_assert_uint_eq(get(m, SLOT(0) + 4), 1);
    machine_destroy(m);
    add_global(&s, "virtio-mmio.force-legacy=false");
    m = create(&s);
    ck_assert_uint_eq(get(m, SLOT(7) + 4), 2);
    machine_destroy(m);
}
END_TEST

START_TEST(the_device_tree_has_the_slots_in_descending_order)
{
    struct setup s;
    size_t size;
    setup_init(&s);
    struct machine *m = create(&s);
    const char *tree = machine_device_tree(m, &size);
    const char *high = memmem(tree, size, "virtio_mmio@10008000", 20);
    const char *low = memmem(tree, size, "virtio_mmio@10001000", 20);
    ck_assert(high && low && high < low);
    machine_destroy(m);
}
END_TEST

START_TEST(wrong_devices_are_refused)
{
    static const struct {
        const char *device, *error;
    } bad[] = {
        {"driver=virtio-rng-devise", "no such device; the nearest is virtio-rng-device"},
        {"driver=virtio-mmio", "no such device"},
        {"bus=virtio-mmio-bus.0", "no such device"},
        {"driver=virtio-rng-device,buss=x", "unknown property 'buss'"},
        {"driver=virtio-rng-device,bus", "unknown property 'bus'"},
        {"driver=ramfb,xres=5", "unknown property 'xres'; there is none"},
        {"driver=virtio-rng-device,bus=pcie.0", "no bus 'pcie.0'"},
        {"driver=virtio-rng-device,bus=virtio-mmio-bus.8", "no bus 'virtio-mmio-bus.8'"},
        {"driver=virtio-rng-device,bus=virtio-mmio-bus.1", "another device is on"},
        {"driver=virtio-blk-device", "needs drive=ID"},
        {"driver=virtio-blk-device,drive=b", "no drive 'b'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct setup s;
        setup_init(&s);
        add_device(&s, "driver=virtio-rng-device,bus=virtio-mmio-bus.1");
        add_device(&s, bad[i].device);
        check_refused(&s, bad[i].error);
    }
}
END_TEST

START_TEST(a_ninth_device_has_no_slot)
{
    struct setup s;
    setup_init(&s);
    for (unsigned i = 0; i < 9; i++)
        add_device(&s, "driver=virtio-rng-device");
    check_refused(&s, "all 8 virtio-mmio slots are taken");
}
END_TEST

START_TEST(wrong_globals_and_objects_are_refused)
{
    static const char *const bad[][2] = {
        {"virtio-mmio.force-legacy=perhaps", "force-legacy=perhaps: give on or off"},
        {"virtio-mmio.force-legac=on", "the nearest is force-legacy"},
        {"virtio-disk-device.x=on", "no such device; the nearest is virtio-blk-device"},
    };
    struct option_text object = {0};
    struct setup s;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        setup_init(&s);
        add_global(&s, bad[i][0]);
        check_refused(&s, bad[i][1]);
    }
    setup_init(&s);
    option_parse(&object, "qom-type=rng-rando");
    s.config.objects = (struct machine_options){.items = &object.option, .count = 1};
    check_refused(&s, "the nearest is rng-random");
    option_parse(&object, "qom-type=rng-random,id=r");
    machine_destroy(create(&s));
}
END_TEST

/* --- drives ------------------------------------------------------------------------------ */

START_TEST(a_disk_has_the_properties_of_its_drive_device_and_globals)
{
    struct setup s;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    add_image(&s, &image, ",readonly=on,cache=none,discard=unmap,werror=report,aio=threads");
    add_device(&s, "driver=virtio-blk-device,drive=a,physical_block_size=4k,bootindex=1");
    add_global(&s, "virtio-blk-device.logical_block_size=1024");
    add_global(&s, "virtio-blk-device.physical_block_size=1024"); /* -device is stronger */
    struct machine *m = create(&s);
    ck_assert_uint_eq(id_of(m, 7), 2);
    ck_assert_uint_eq(get(m, SLOT(7) + 0x100), IMAGE_BYTES / 512);
    ck_assert_uint_eq(get(m, SLOT(7) + 0x100 + 20), 1024);
    ck_assert_uint_eq(get(m, SLOT(7) + 0x100 + 24) & 0xff, 2);
    ck_assert(get(m, SLOT(7) + 0x10) & 1u << 5); /* read-only */
    machine_destroy(m);
    unlink(image.path);
}
END_TEST

START_TEST(a_cdrom_is_a_disk_that_is_only_read)
{
    struct setup s;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    add_image(&s, &image, ",media=cdrom");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    struct machine *m = create(&s);
    ck_assert(get(m, SLOT(7) + 0x10) & 1u << 5);
    machine_destroy(m);
    unlink(image.path);
}
END_TEST

START_TEST(wrong_drives_are_refused)
{
    static const char *const bad[][2] = {
        {"id=b,if=none", "give file=FILE"},
        {"id=b,if=none,file=/nonexistent/x", "/nonexistent/x"},
        {"id=b,if=floppy,file=x", "if=floppy is not there; it can be: virtio none"},
        {"id=b,if=none,file=x,readonly=perhaps", "readonly=perhaps: give on or off"},
        {"id=b,if=none,file=x,cach=none", "the nearest is cache"},
        {"id=b,if=none,file=x,cache=fast", "cache=fast is not there"},
        {"id=b,if=none,file", "file needs a value"},
        {"id=a,if=none,file=x", "there are two drives 'a'"},
    };
    struct image_file image;
    image_create(&image);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct setup s;
        setup_init(&s);
        add_image(&s, &image, "");
        add_drive(&s, bad[i][0]);
        check_refused(&s, bad[i][1]);
    }
    unlink(image.path);
}
END_TEST

START_TEST(wrong_properties_of_a_disk_are_refused_and_its_image_let_go)
{
    static const char *const bad[][2] = {
        {"logical_block_size=1000", "a block has"},
        {"logical_block_size=256", "a block has"},
        {"logical_block_size=4M", "give a number up to 2097152"},
        {"physical_block_size=513", "a block has"},
        {"min_io_size=100", "multiples of the logical block"},
        {"queue-size=100", "queue-size is a power of two"},
        {"queue-size=2", "queue-size is a power of two"},
        {"serial=123456789012345678901", "at most 20 bytes"},
        {"werror=perhaps", "werror=perhaps: give report, ignore, stop or enospc"},
        {"rerror=enospc", "rerror=enospc: give report, ignore or stop"},
        {"num-queues=4", "num-queues=4 is not there; it can be: 1"},
    };
    struct image_file image;
    image_create(&image);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct setup s;
        char text[128];
        setup_init(&s);
        add_image(&s, &image, "");
        snprintf(text, sizeof text, "driver=virtio-blk-device,drive=a,%s", bad[i][0]);
        add_device(&s, text);
        check_refused(&s, bad[i][1]);
    }
    unlink(image.path);
}
END_TEST

START_TEST(a_drive_belongs_to_one_device)
{
    struct setup s;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    add_image(&s, &image, "");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    check_refused(&s, "another device has the drive 'a'");
    unlink(image.path);
}
END_TEST

/* --- a machine that uses its disk -------------------------------------------------------- */

/* Reads one sector through the legacy registers of slot 7, as a guest without a driver would. */
static void send_read(struct machine *m, uint32_t sector)
{
    struct virtio_rig r = {.memory = m->memory, .size = 8};
    uint32_t header[4] = {0, 0, sector, 0};
    set(m, SLOT(7) + 0x70, 0);
    set(m, SLOT(7) + 0x28, 4096);
    set(m, SLOT(7) + 0x38, 8);
    set(m, SLOT(7) + 0x40, (uint32_t)((RAM + 0x100000) >> 12));
    set(m, SLOT(7) + 0x70, 7);
    poke(&r, RAM + 0x110000, header, sizeof header);
    poke(&r, RAM + 0x110010, "\xff", 1);
    put_in_table(&r, RAM + 0x100000, 0, RAM + 0x110000, 16, DESC_NEXT, 1);
    put_in_table(&r, RAM + 0x100000, 1, RAM + 0x120000, 512, DESC_NEXT | DESC_WRITE, 2);
    put_in_table(&r, RAM + 0x100000, 2, RAM + 0x110010, 1, DESC_WRITE, 0);
    poke_u16(&r, RAM + 0x100000 + 128 + 4, 0);
    poke_u16(&r, RAM + 0x100000 + 128 + 2, 1);
    set(m, SLOT(7) + 0x50, 0);
}

static bool read_is_done(struct machine *m)
{
    uint8_t status, byte;
    ck_assert(dma_read(m->memory, RAM + 0x110010, &status, 1));
    ck_assert(dma_read(m->memory, RAM + 0x120000 + 511, &byte, 1));
    ck_assert(status == 0xff || (status == 0 && byte == 77));
    return status == 0;
}

START_TEST(with_icount_a_read_is_done_at_its_virtual_time)
{
    struct setup s;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    add_image(&s, &image, "");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    struct machine *m = create(&s);
    send_read(m, 77);
    machine_run(m, 50000);
    ck_assert(!read_is_done(m));
    machine_run(m, 200000);
    ck_assert(read_is_done(m));
    machine_destroy(m);
    unlink(image.path);
}
END_TEST

START_TEST(with_the_host_clock_a_read_is_done_soon)
{
    struct setup s;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    s.config.icount = false;
    add_image(&s, &image, "");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    struct machine *m = create(&s);
    send_read(m, 77);
    for (unsigned i = 0; i < 4000 && !read_is_done(m); i++)
        machine_run(m, machine_now_ns(m) + 1000000);
    ck_assert(read_is_done(m));
    machine_destroy(m);
    unlink(image.path);
}
END_TEST

static void check_succession(bool icount)
{
    struct setup s;
    struct error err;
    struct image_file image;
    size_t size;
    image_create(&image);
    setup_init(&s);
    s.config.icount = icount;
    add_image(&s, &image, "");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    struct machine *old = create(&s);
    send_read(old, 77);
    struct state *save = state_new_save();
    machine_state(old, save);
    struct machine *m = machine_succeed(old, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    machine_destroy(old);
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    machine_state(m, load);
    ck_assert_msg(state_ok(load), "%s", state_error(load));
    for (unsigned i = 0; i < 4000 && !read_is_done(m); i++)
        machine_run(m, machine_now_ns(m) + 1000000);
    ck_assert(read_is_done(m));
    state_free(load);
    state_free(save);
    machine_destroy(m);
    unlink(image.path);
}

START_TEST(a_machine_takes_the_disks_of_another_over_with_requests_under_way)
{
    check_succession(true);
    check_succession(false);
}
END_TEST

START_TEST(a_failed_succession_leaves_the_disks_with_the_old_machine)
{
    struct setup s;
    struct error err;
    struct image_file image;
    image_create(&image);
    setup_init(&s);
    add_image(&s, &image, "");
    add_device(&s, "driver=virtio-blk-device,drive=a");
    struct machine *m = create(&s);
    send_read(m, 77);
    m->config.kernel_file = "/nonexistent/kernel";
    ck_assert_ptr_null(machine_succeed(m, &err));
    check_refused(&s, image.path); /* locked */
    machine_destroy(m);
    machine_destroy(create(&s));
    unlink(image.path);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("drivers");
    TCase *c = tcase_create("devices");
    tcase_add_test(c, devices_fill_the_slots_from_7_down_and_the_others_are_empty);
    tcase_add_test(c, the_transport_is_legacy_unless_a_global_says_otherwise);
    tcase_add_test(c, the_device_tree_has_the_slots_in_descending_order);
    tcase_add_test(c, wrong_devices_are_refused);
    tcase_add_test(c, a_ninth_device_has_no_slot);
    tcase_add_test(c, wrong_globals_and_objects_are_refused);
    tcase_add_test(c, a_disk_has_the_properties_of_its_drive_device_and_globals);
    tcase_add_test(c, a_cdrom_is_a_disk_that_is_only_read);
    tcase_add_test(c, wrong_drives_are_refused);
    tcase_add_test(c, wrong_properties_of_a_disk_are_refused_and_its_image_let_go);
    tcase_add_test(c, a_drive_belongs_to_one_device);
    tcase_add_test(c, with_icount_a_read_is_done_at_its_virtual_time);
    tcase_add_test(c, with_the_host_clock_a_read_is_done_soon);
    tcase_add_test(c, a_machine_takes_the_disks_of_another_over_with_requests_under_way);
    tcase_add_test(c, a_failed_succession_leaves_the_disks_with_the_old_machine);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

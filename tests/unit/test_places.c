/* Where -device puts virtio devices, as a guest finds them. */
#include "machine/internal.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#define ECAM     0x30000000ull
#define MMIO     0x10001000ull
#define OPTIONS  4u
#define NOBODY   0xffffffffu
#define TWO_WAYS 0x10051af4u /* transitional entropy device */
#define MODERN   0x10441af4u

/* A machine with the devices that texts describe, as -device takes them: "DRIVER,NAME=VALUE,...".
 */
struct bench {
    struct program program;
    struct machine_option options[OPTIONS], globals[1];
    char texts[OPTIONS][128];
    struct machine_config config;
    struct machine *m;
    struct error err;
};

static void parse(struct machine_option *option, char *text)
{
    *option = (struct machine_option){0};
    for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = '\0';
        option->items[option->count++] = equals ? (struct machine_property){word, equals + 1}
                                                : (struct machine_property){"driver", word};
    }
}

/* Ends at NULL. */
static bool make(struct bench *b, const char *const *texts)
{
    unsigned n = 0;
    for (; texts[n]; n++) {
        snprintf(b->texts[n], sizeof b->texts[n], "%s", texts[n]);
        parse(&b->options[n], b->texts[n]);
    }
    b->config.devices = (struct machine_options){b->options, n};
    b->m = machine_create(&b->config, &b->err);
    return b->m;
}

static void bench_open(struct bench *b)
{
    program_begin(&b->program);
    program_end(&b->program);
    b->config = rig_config(&b->program, 1);
    b->config.globals = (struct machine_options){0};
    b->m = NULL;
}

static void bench_close(struct bench *b)
{
    if (b->m)
        machine_destroy(b->m);
    b->m = NULL;
    unlink(b->program.path);
}

static uint32_t word_at(struct bench *b, uint64_t gpa)
{
    uint64_t value;
    ck_assert(memory_mmio_read(b->m->memory, gpa, 4, &value));
    return (uint32_t)value;
}

static uint32_t pci_id(struct bench *b, unsigned slot, unsigned function)
{
    return word_at(b, ECAM + ((slot << 3 | function) << 12));
}

static uint32_t mmio_device(struct bench *b, unsigned slot)
{
    return word_at(b, MMIO + slot * 0x1000 + 8);
}

#define MAKE(b, ...) make(b, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(pci_devices_take_free_slots_in_their_order)
{
    struct bench b;
    bench_open(&b);
    ck_assert(MAKE(&b, "virtio-rng-pci,addr=2", "virtio-rng-pci-non-transitional",
                   "virtio-rng-pci,bus=pcie.0,id=x"));
    ck_assert_uint_eq(pci_id(&b, 0, 0), 0x00081b36);
    ck_assert_uint_eq(pci_id(&b, 1, 0), MODERN);
    ck_assert_uint_eq(pci_id(&b, 2, 0), TWO_WAYS);
    ck_assert_uint_eq(pci_id(&b, 3, 0), TWO_WAYS);
    ck_assert_uint_eq(pci_id(&b, 4, 0), NOBODY);
    bench_close(&b);
}
END_TEST

START_TEST(addr_is_a_hexadecimal_slot_and_a_function)
{
    struct bench b;
    bench_open(&b);
    ck_assert(MAKE(&b, "virtio-rng-pci,addr=1f", "virtio-rng-pci,addr=0x1f.0x7,multifunction=on",
                   "virtio-rng-pci,addr=0x0a.0"));
    ck_assert_uint_eq(pci_id(&b, 31, 0), TWO_WAYS);
    ck_assert_uint_eq(pci_id(&b, 31, 7), TWO_WAYS);
    ck_assert_uint_eq(pci_id(&b, 10, 0), TWO_WAYS);
    bench_close(&b);
}
END_TEST

START_TEST(properties_and_names_choose_the_interfaces)
{
    const struct {
        const char *text;
        uint32_t id;
        bool capabilities;
    } rows[] = {
        {"virtio-rng-pci", TWO_WAYS, true},
        {"virtio-rng-pci,disable-legacy=auto", TWO_WAYS, true},
        {"virtio-rng-pci,disable-legacy=off,disable-modern=off", TWO_WAYS, true},
        {"virtio-rng-pci-transitional", TWO_WAYS, true},
        {"virtio-rng-pci,disable-legacy=on", MODERN, true},
        {"virtio-rng-pci-non-transitional", MODERN, true},
        {"virtio-rng-pci,disable-modern=true", TWO_WAYS, false},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        bench_open(&b);
        ck_assert_msg(MAKE(&b, rows[i].text), "%s", b.err.text);
        ck_assert_uint_eq(pci_id(&b, 1, 0), rows[i].id);
        ck_assert_uint_eq(word_at(&b, ECAM + 0x8034) != 0, rows[i].capabilities);
        bench_close(&b);
    }
}
END_TEST

START_TEST(a_global_is_the_default_of_its_driver)
{
    struct bench b;
    bench_open(&b);
    b.globals[0] =
        (struct machine_option){.items = {{"virtio-rng-pci.disable-legacy", "on"}}, .count = 1};
    b.config.globals = (struct machine_options){b.globals, 1};
    ck_assert_msg(MAKE(&b, "virtio-rng-pci", "virtio-rng-pci,disable-legacy=off"), "%s",
                  b.err.text);
    ck_assert_uint_eq(pci_id(&b, 1, 0), MODERN);
    ck_assert_uint_eq(pci_id(&b, 2, 0), TWO_WAYS);
    bench_close(&b);
}
END_TEST

START_TEST(mmio_devices_take_the_highest_free_slot_or_the_one_that_is_named)
{
    struct bench b;
    bench_open(&b);
    ck_assert(MAKE(&b, "virtio-rng-device,bus=virtio-mmio-bus.6", "virtio-rng-device",
                   "virtio-rng-device", "virtio-rng-device,bus=virtio-mmio-bus.0"));
    const bool expected[8] = {true, false, false, false, false, true, true, true};
    for (unsigned slot = 0; slot < 8; slot++)
        ck_assert_uint_eq(mmio_device(&b, slot), expected[slot] ? 4 : 0);
    bench_close(&b);
}
END_TEST

START_TEST(places_that_do_not_exist_or_are_taken_are_errors)
{
    const struct {
        const char *first, *second, *error;
    } rows[] = {
        {"virtio-rng-pci,addr=20", NULL, "addr=20: give a slot of 0 to 0x1f"},
        {"virtio-rng-pci,addr=1.8", NULL, "addr=1.8: give"},
        {"virtio-rng-pci,addr=1.", NULL, "addr=1.: give"},
        {"virtio-rng-pci,addr=-1", NULL, "addr=-1: give"},
        {"virtio-rng-pci,addr=1.0x", NULL, "addr=1.0x: give"},
        {"virtio-rng-pci,addr=99999999999999999999", NULL, "give a slot"},
        {"virtio-rng-pci,addr=0", NULL, "PCI slot 0x0.0 is taken by gpex-root"},
        {"virtio-rng-pci,addr=4.1", NULL, "PCI slot 0x4 has no function 0"},
        {"virtio-rng-pci,addr=4", "virtio-rng-pci,addr=04.0", "0x4.0 is taken by virtio-rng"},
        {"virtio-rng-pci,bus=pci.0", NULL, "no bus 'pci.0'; the PCI bus is pcie.0"},
        {"virtio-rng-pci,disable-legacy=on,disable-modern=on", NULL, "no driver could use it"},
        {"virtio-rng-pci,disable-legacy=maybe", NULL, "disable-legacy=maybe: give on or off"},
        {"virtio-rng-device,addr=1", NULL, "addr"},
        {"virtio-rng-device,bus=virtio-mmio-bus.8", NULL, "virtio-mmio-bus.0 to virtio-mmio-bus.7"},
        {"virtio-rng-device,bus=pcie.0", NULL, "no bus 'pcie.0'"},
        {"virtio-rng-device,bus=virtio-mmio-bus.7", "virtio-rng-device,bus=virtio-mmio-bus.7",
         "another device is on virtio-mmio-bus.7"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        bench_open(&b);
        ck_assert(!MAKE(&b, rows[i].first, rows[i].second));
        ck_assert_msg(strstr(b.err.text, rows[i].error) != NULL, "%s", b.err.text);
        bench_close(&b);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("places");
    TCase *tc = tcase_create("places");
    tcase_add_test(tc, pci_devices_take_free_slots_in_their_order);
    tcase_add_test(tc, addr_is_a_hexadecimal_slot_and_a_function);
    tcase_add_test(tc, properties_and_names_choose_the_interfaces);
    tcase_add_test(tc, a_global_is_the_default_of_its_driver);
    tcase_add_test(tc, mmio_devices_take_the_highest_free_slot_or_the_one_that_is_named);
    tcase_add_test(tc, places_that_do_not_exist_or_are_taken_are_errors);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* frontend/json_properties.c: options as JSON. */
#include "base/bits.h"
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

START_TEST(a_node_as_json_means_what_the_list_means)
{
    PARSE("Image -blockdev {\"driver\":\"qcow2\",\"node-name\":\"a\",\"read-only\":true,"
          "\"file\":{\"driver\":\"file\",\"filename\":\"x,y\",\"cache\":{\"direct\":false}}} "
          "-blockdev {\"driver\":\"file\",\"node-name\":\"f\",\"filename\":\"z\"} "
          "-blockdev {\"driver\":\"raw\",\"node-name\":\"b\",\"file\":\"f\","
          "\"cache\":{\"no-flush\":true}}");
    ck_assert_uint_eq(o.machine.drives.count, 2);
    check_drive(&o, 0, "file=x,y format=qcow2 if=none id=a readonly=on");
    check_drive(&o, 1, "file=z format=raw if=none id=b cache=unsafe");
}
END_TEST

START_TEST(a_device_as_json_has_numbers_switches_and_elements_as_properties)
{
    static const struct machine_property expected[] = {
        {"driver", "virtio-blk-device"}, {"drive", "d"}, {"queue-size", "64"},
        {"write-cache", "off"},          {"few.0", "1"}, {"few.1.is", "on"}};
    PARSE("Image -device {\"driver\":\"virtio-blk-device\",\"drive\":\"d\",\"queue-size\":64,"
          "\"write-cache\":false,\"few\":[1,{\"is\":true}]}");
    ck_assert_uint_eq(o.machine.devices.count, 1);
    const struct machine_option *device = &o.machine.devices.items[0];
    ck_assert_uint_eq(device->count, ARRAY_LEN(expected));
    for (unsigned i = 0; i < device->count; i++) {
        ck_assert_str_eq(device->items[i].name, expected[i].name);
        ck_assert_str_eq(device->items[i].value, expected[i].value);
    }
}
END_TEST

START_TEST(wrong_json_is_refused)
{
    static const struct bad_line bad[] = {
        {"-blockdev {", "-blockdev {: this is no JSON: "},
        {"-blockdev {}x", "-blockdev {}x: this is no JSON: "},
        {"-blockdev {}", "-blockdev {}: give driver=file"},
        {"-device {\"driver\":\"a\",\"driver\":\"b\"}",
         "-device {\"driver\":\"a\",\"driver\":\"b\"}: this is no JSON: duplicate"},
        {"-device {\"driver\":null}", "-device {\"driver\":null}: 'driver' must be a text"},
        {"-device {\"driver\":1.5}", "-device {\"driver\":1.5}: 'driver' must be a text"},
        {"-blockdev {\"driver\":\"raw\",\"file\":{\"driver\":\"nbd\"},\"node-name\":\"a\"}",
         "-blockdev {\"driver\":\"raw\",\"file\":{\"driver\":\"nbd\"},\"node-name\":\"a\"}: "
         "give file.driver=file"},
    };
    CHECK_BAD(bad);
}
END_TEST

START_TEST(json_that_is_nested_deeply_is_refused)
{
    enum { DEPTH = 70 };
    struct options o;
    struct error err = {""};
    char line[2000] = "Image -device ";
    for (unsigned i = 0; i < DEPTH; i++)
        strcat(line, "{\"deep\":");
    strcat(line, "1");
    for (unsigned i = 0; i < DEPTH; i++)
        strcat(line, "}");
    ck_assert(!parse(line, &o, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is too long"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("json properties");
    TCase *c = tcase_create("json properties");
    tcase_add_test(c, a_node_as_json_means_what_the_list_means);
    tcase_add_test(c, a_device_as_json_has_numbers_switches_and_elements_as_properties);
    tcase_add_test(c, wrong_json_is_refused);
    tcase_add_test(c, json_that_is_nested_deeply_is_refused);
    suite_add_tcase(s, c);
    return run_suite(s);
}

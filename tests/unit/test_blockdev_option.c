/* -blockdev, and the drives that it means. */
#include "base/bits.h"
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

START_TEST(a_node_of_a_file_is_a_raw_drive_without_a_device)
{
    PARSE("-M virt,pflash0=code -blockdev node-name=code,driver=file,read-only=on,filename=x,,y "
          "-blockdev file,node-name=b,filename=z,cache.direct=on,cache.no-flush=on -kernel k");
    ck_assert_uint_eq(o.machine.drives.count, 2);
    check_drive(&o, 0, "file=x,y format=raw if=none id=code readonly=on");
    check_drive(&o, 1, "file=z format=raw if=none id=b cache=unsafe");
}
END_TEST

START_TEST(a_node_of_a_format_takes_the_place_of_the_node_of_its_file)
{
    PARSE("Image -blockdev file,node-name=f,filename=x,read-only=on -drive file=other "
          "-blockdev qcow2,node-name=d,file=f,discard=unmap "
          "-blockdev raw,node-name=e,file.driver=file,file.filename=y,read-only=off");
    ck_assert_uint_eq(o.machine.drives.count, 3);
    check_drive(&o, 0, "file=x format=qcow2 if=none id=d readonly=on discard=unmap");
    check_drive(&o, 1, "file=other");
    check_drive(&o, 2, "file=y format=raw if=none id=e readonly=off");
}
END_TEST

START_TEST(wrong_nodes_are_refused)
{
    static const struct bad_line bad[] = {
        {"-blockdev node-name=a", "-blockdev node-name=a: give driver=file"},
        {"-blockdev vmdk,node-name=a,filename=x",
         "-blockdev vmdk,node-name=a,filename=x: give driver=file"},
        {"-blockdev file,filename=x", "-blockdev file,filename=x: give node-name=NAME"},
        {"-blockdev file,node-name=a", "-blockdev file,node-name=a: give either filename="},
        {"-blockdev raw,node-name=a,file=b,file.filename=x",
         "-blockdev raw,node-name=a,file=b,file.filename=x: give either filename="},
        {"-blockdev raw,node-name=a,file.driver=nbd,file.filename=x",
         "-blockdev raw,node-name=a,file.driver=nbd,file.filename=x: give file.driver=file"},
        {"-blockdev raw,node-name=a,file=b", "-blockdev raw,node-name=a,file=b: there is no node"},
        {"-blockdev file,node-name=a,filename=x,offset=1",
         "-blockdev file,node-name=a,filename=x,offset=1: the property 'offset' is not there"},
    };
    CHECK_BAD(bad);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("blockdev option");
    TCase *c = tcase_create("blockdev option");
    tcase_add_test(c, a_node_of_a_file_is_a_raw_drive_without_a_device);
    tcase_add_test(c, a_node_of_a_format_takes_the_place_of_the_node_of_its_file);
    tcase_add_test(c, wrong_nodes_are_refused);
    suite_add_tcase(s, c);
    return run_suite(s);
}

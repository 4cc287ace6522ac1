/* The command line: each option, each way to get it wrong. */
#include "base/values.h"
#include "frontend/listings.h"
#include "frontend/option_date.h"
#include "tests/unit/options_rig.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

/* --- values ------------------------------------------------------------------------------ */

START_TEST(a_number_is_decimal_or_hexadecimal_and_nothing_else)
{
    static const char *const bad[] = {"",   "0x",  "-1",  "+1",  " 1",
                                      "1 ", "12a", "0xg", "1.5", "18446744073709551616"};
    uint64_t n;
    ck_assert(value_number("18446744073709551615", &n) && n == UINT64_MAX);
    ck_assert(value_number("0x8020ABcd", &n) && n == 0x8020abcd);
    ck_assert(value_number("007", &n) && n == 7);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!value_number(bad[i], &n), "%s", bad[i]);
}
END_TEST

START_TEST(a_size_has_a_unit_and_may_have_a_fraction)
{
    static const char *const bad[] = {"",     "M",   "1MM",       "1.M", ".5M",          "-1M",
                                      "1.5B", "1e3", "16777216T", "1 M", "1.0000000001G"};
    uint64_t n;
    ck_assert(value_size("3", 1 << 20, &n) && n == 3 << 20);
    ck_assert(value_size("64k", 1, &n) && n == 64 << 10);
    ck_assert(value_size("1.5G", 1, &n) && n == 3ull << 29);
    ck_assert(value_size("0.25T", 1, &n) && n == 1ull << 38);
    ck_assert(value_size("512b", 1 << 20, &n) && n == 512);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!value_size(bad[i], 1 << 20, &n), "%s", bad[i]);
}
END_TEST

START_TEST(a_time_is_in_ns_or_has_a_unit)
{
    static const char *const bad[] = {"", "s", "1.5", "1.0000000001s", "1m", "18446744074s"};
    uint64_t ns;
    ck_assert(value_time("17", &ns) && ns == 17);
    ck_assert(value_time("1.5s", &ns) && ns == 1500000000);
    ck_assert(value_time("200ms", &ns) && ns == 200000000);
    ck_assert(value_time("3us", &ns) && ns == 3000);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!value_time(bad[i], &ns), "%s", bad[i]);
}
END_TEST

START_TEST(a_date_must_exist)
{
    static const char *const bad[] = {
        "", "2006", "2006-02-30", "1969-12-31", "2006-06-17 ", "2006-06-17T25:00:00", "utc"};
    uint64_t ns;
    ck_assert(value_date("2006-06-17T16:01:21", &ns) && ns == 1150560081000000000);
    ck_assert(value_date("1970-01-02", &ns) && ns == 86400000000000);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!value_date(bad[i], &ns), "%s", bad[i]);
}
END_TEST

START_TEST(a_list_has_keys_values_and_doubled_commas)
{
    const char *list = "virt,dumpdtb=a,,b=c,,,x=";
    struct list_item item;
    struct error err = {""};
    ck_assert(list_next(&list, &item, &err));
    ck_assert_str_eq(item.key, "virt");
    ck_assert_ptr_null(item.value);
    ck_assert(list_next(&list, &item, &err));
    ck_assert_str_eq(item.key, "dumpdtb");
    ck_assert_str_eq(item.value, "a,b=c,");
    ck_assert(list_next(&list, &item, &err));
    ck_assert_str_eq(item.key, "x");
    ck_assert_str_eq(item.value, "");
    ck_assert(!list_next(&list, &item, &err));
    ck_assert_str_eq(err.text, "");
}
END_TEST

START_TEST(the_distance_of_two_names_is_the_least_number_of_edits)
{
    ck_assert_uint_eq(edit_distance("kernel", "kernel"), 0);
    ck_assert_uint_eq(edit_distance("kernl", "kernel"), 1);
    ck_assert_uint_eq(edit_distance("kernels", "kernel"), 1);
    ck_assert_uint_eq(edit_distance("", "abc"), 3);
    ck_assert_uint_eq(edit_distance("kitten", "sitting"), 3);
}
END_TEST

/* --- the machine ------------------------------------------------------------------------- */

START_TEST(without_options_the_defaults_are_the_machines)
{
    PARSE("Image");
    ck_assert_int_eq(o.action, ACTION_RUN);
    ck_assert_uint_eq(o.machine.ram_bytes, MACHINE_DEFAULT_RAM);
    ck_assert_uint_eq(o.machine.harts, 1);
    ck_assert_ptr_null(o.machine.cpu);
    ck_assert_int_eq(o.machine.bios, BIOS_BUILT_IN);
    ck_assert_int_eq(o.machine.rtc, RTC_HOST);
    ck_assert(!o.machine.icount && !o.machine.stress && !o.machine.no_reboot && !o.show_hash);
    ck_assert_int_eq(o.serial, SERIAL_STDIO);
    ck_assert_uint_eq(o.until_ns, UINT64_MAX);
    ck_assert_str_eq(o.dump_dtb, "");
}
END_TEST

START_TEST(a_word_alone_is_the_file_to_boot)
{
    PARSE("-m 256 Image");
    ck_assert_str_eq(o.file, "Image");
    ck_assert_ptr_null(o.machine.kernel_file);
    ck_assert_uint_eq(o.machine.ram_bytes, 256 << 20);
}
END_TEST

START_TEST(one_dash_and_two_dashes_are_the_same)
{
    PARSE("--kernel Image --smp 4 --no-reboot");
    ck_assert_str_eq(o.machine.kernel_file, "Image");
    ck_assert_uint_eq(o.machine.harts, 4);
    ck_assert(o.machine.no_reboot);
}
END_TEST

START_TEST(files_and_texts_are_taken_as_they_are)
{
    PARSE("-kernel K -initrd I -append console=ttyS0,115200 -dtb D -script S -D L -bios B");
    ck_assert_str_eq(o.machine.kernel_file, "K");
    ck_assert_str_eq(o.machine.initrd_file, "I");
    ck_assert_str_eq(o.machine.append, "console=ttyS0,115200");
    ck_assert_str_eq(o.machine.dtb_file, "D");
    ck_assert_str_eq(o.script_file, "S");
    ck_assert_str_eq(o.log_file, "L");
    ck_assert_int_eq(o.machine.bios, BIOS_FILE);
    ck_assert_str_eq(o.machine.bios_file, "B");
}
END_TEST

START_TEST(the_last_bios_counts)
{
    PARSE("Image -bios B -bios none");
    ck_assert_int_eq(o.machine.bios, BIOS_NONE);
    ck_assert_ptr_null(o.machine.bios_file);
}
END_TEST

START_TEST(the_default_bios_is_the_built_in_one)
{
    PARSE("Image -bios none -bios default");
    ck_assert_int_eq(o.machine.bios, BIOS_BUILT_IN);
}
END_TEST

START_TEST(firmware_in_a_file_needs_no_kernel)
{
    PARSE("-bios fw.bin");
    ck_assert_ptr_null(o.machine.kernel_file);
}
END_TEST

START_TEST(a_device_tree_is_dumped_without_a_kernel)
{
    PARSE("-M virt,aclint=off,dumpdtb=a,,b.dtb,aia=none,acpi=off,accel=tcg");
    ck_assert_str_eq(o.dump_dtb, "a,b.dtb");
}
END_TEST

START_TEST(the_aclint_is_switched_on_and_off)
{
    {
        PARSE("Image");
        ck_assert(!o.machine.aclint);
    }
    {
        PARSE("Image -M virt,aclint=on");
        ck_assert(o.machine.aclint);
    }
    PARSE("Image -M virt,aclint=on,aclint=off");
    ck_assert(!o.machine.aclint);
}
END_TEST

START_TEST(the_machine_may_be_called_type)
{
    PARSE("Image -machine type=virt,usb=off");
    ck_assert_str_eq(o.dump_dtb, "");
}
END_TEST

START_TEST(memory_may_be_called_size)
{
    PARSE("Image -m size=1.5G,slots=0");
    ck_assert_uint_eq(o.machine.ram_bytes, 3ull << 29);
}
END_TEST

START_TEST(harts_may_be_called_cpus)
{
    PARSE("Image -smp cpus=3,maxcpus=8,sockets=1");
    ck_assert_uint_eq(o.machine.harts, 3);
}
END_TEST

START_TEST(harts_may_be_a_topology)
{
    PARSE("Image -smp sockets=2,cores=2,threads=2");
    ck_assert_uint_eq(o.machine.harts, 8);
}
END_TEST

START_TEST(a_cpu_goes_to_the_machine_as_it_is)
{
    PARSE("Image -cpu rv64,sv57=off,zba=off");
    ck_assert_str_eq(o.machine.cpu, "rv64,sv57=off,zba=off");
}
END_TEST

START_TEST(a_wrong_machine_is_refused)
{
    static const struct bad_line bad[] = {
        {"-M sifive_u", "-M sifive_u: no machine 'sifive_u'; there is: virt"},
        {"-machine virt,aclint=2", "-machine virt,aclint=2: aclint=2: it can be on or off"},
        {"-M virt,aia=aplic", "-M virt,aia=aplic: aia=aplic is not there yet"},
        {"-M virt,aclnt=off", "-M virt,aclnt=off: unknown property 'aclnt'; the nearest is aclint"},
        {"-M virt,aclint", "-M virt,aclint: aclint needs a value"},
        {"-M virt,dumpdtb=", "-M virt,dumpdtb=: dumpdtb needs a file name"},
        {"-M virt,accel=kvm", "-M virt,accel=kvm: Rivulet needs no accelerator"},
        {"-accel kvm", "-accel kvm: Rivulet needs no accelerator"},
        {"-cpu sifive-u54", "-cpu sifive-u54: no CPU 'sifive-u54'; known are rv64"},
        {"-cpu rv64,v=on", "-cpu rv64,v=on: v is not there yet"},
        {"-m 0", "-m 0: a machine needs some RAM"},
        {"-m 99999G", "-m 99999G: too much RAM"},
        {"-m 12x", "-m 12x: not a size"},
        {"-m -5", "-m -5: not a size"},
        {"-m 1b", "-m 1b: RAM comes in pages of 4K"},
        {"-m 1G,slots=2", "-m 1G,slots=2: slots=2 is not there yet"},
        {"-m sice=1G", "-m sice=1G: unknown property 'sice'; the nearest is size"},
        {"-smp 0", "-smp 0: cpus must be 1 to 8"},
        {"-smp 9", "-smp 9: cpus must be 1 to 8"},
        {"-smp abc", "-smp abc: 'abc' is not a number"},
        {"-smp 2x", "-smp 2x: '2x' is not a number"},
        {"-smp sockets=4,cores=4", "-smp sockets=4,cores=4: these are 16 harts"},
        {"-smp cups=2", "-smp cups=2: unknown property 'cups'"},
    };
    CHECK_BAD(bad);
}
END_TEST

/* --- console, time, devices -------------------------------------------------------------- */

START_TEST(the_serial_port_goes_to_the_terminal)
{
    PARSE("Image -nographic -display none -monitor none -serial mon:stdio");
    ck_assert_int_eq(o.serial, SERIAL_STDIO);
}
END_TEST

START_TEST(the_serial_port_goes_to_a_file)
{
    PARSE("Image -serial file:out:put");
    ck_assert_int_eq(o.serial, SERIAL_FILE);
    ck_assert_str_eq(o.serial_file, "out:put");
}
END_TEST

START_TEST(the_serial_port_goes_nowhere)
{
    PARSE("Image -serial null");
    ck_assert_int_eq(o.serial, SERIAL_NULL);
}
END_TEST

START_TEST(icount_takes_a_shift_and_fixes_the_date)
{
    PARSE("Image -icount 3");
    ck_assert(o.machine.icount && !o.sleep_given);
    ck_assert_uint_eq(o.machine.icount_shift, 3);
    ck_assert_int_eq(o.machine.rtc, RTC_FIXED);
    ck_assert_uint_eq(o.machine.rtc_epoch_ns, 1735689600000000000);
}
END_TEST

START_TEST(icount_takes_sleep)
{
    PARSE("Image -icount shift=auto,sleep=on,align=off");
    ck_assert(o.machine.icount && o.sleep_given && o.machine.icount_sleep);
}
END_TEST

START_TEST(icount_can_be_switched_off)
{
    PARSE("Image -icount 3 -icount off");
    ck_assert(!o.machine.icount);
    ck_assert_int_eq(o.machine.rtc, RTC_HOST);
}
END_TEST

START_TEST(a_date_that_is_given_counts_under_icount_too)
{
    PARSE("Image -rtc base=2006-06-17T16:01:21,clock=vm -icount 1");
    ck_assert_int_eq(o.machine.rtc, RTC_FIXED);
    ck_assert_uint_eq(o.machine.rtc_epoch_ns, 1150560081000000000);
}
END_TEST

START_TEST(the_hosts_date_that_is_asked_for_counts_under_icount_too)
{
    PARSE("Image -icount 1 -rtc base=utc");
    ck_assert_int_eq(o.machine.rtc, RTC_HOST);
}
END_TEST

START_TEST(the_seed_is_a_number)
{
    PARSE("Image -seed 0xffffffffffffffff");
    ck_assert_uint_eq(o.machine.seed, UINT64_MAX);
}
END_TEST

START_TEST(log_topics_add_up)
{
    PARSE("Image -d guest_errors,unimp -d int");
    ck_assert_uint_eq(o.log_topics, LOG_GUEST_ERRORS | LOG_UNIMP | LOG_INT);
}
END_TEST

START_TEST(test_aids_are_read_and_times_are_sorted)
{
    PARSE("Image -until 1.5s -hash -stress -break 0x10 -break 32 -save-load 2s -save-load 5us");
    ck_assert_uint_eq(o.until_ns, 1500000000);
    ck_assert(o.show_hash && o.machine.stress);
    ck_assert_uint_eq(o.breakpoints.count, 2);
    ck_assert_uint_eq(o.breakpoints.items[0], 0x10);
    ck_assert_uint_eq(o.breakpoints.items[1], 32);
    ck_assert_uint_eq(o.save_loads.count, 2);
    ck_assert_uint_eq(o.save_loads.items[0], 5000);
    ck_assert_uint_eq(o.save_loads.items[1], 2000000000);
}
END_TEST

START_TEST(the_machine_has_the_name_that_is_given)
{
    static const char *const words[][2] = {{"Image -name foo", "foo"},
                                           {"Image -name guest=bar,process=x", "bar"},
                                           {"Image -name a,,b,debug-threads=on", "a,b"}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct options o;
        struct error err;
        char line[80];
        snprintf(line, sizeof line, "%s", words[i][0]);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert_str_eq(o.machine.name, words[i][1]);
    }
}
END_TEST

START_TEST(what_qemu_knows_and_we_do_not_need_is_accepted)
{
    PARSE("Image -accel tcg,thread=multi -name x -boot c -nodefaults -no-user-config -L /x "
          "-msg timestamp=on -overcommit mem-lock=off -k de -vga none -net none -nic none "
          "-parallel none -audio none -audiodev none,id=x -sandbox off -no-acpi -singlestep "
          "-global virtio-mmio.force-legacy=false");
    ck_assert_str_eq(o.file, "Image");
}
END_TEST

START_TEST(a_wrong_console_time_or_device_is_refused)
{
    static const struct bad_line bad[] = {
        {"-serial nosuch", "-serial nosuch: it can be mon:stdio, stdio, null"},
        {"-serial file:", "-serial file:: it can be mon:stdio"},
        {"-serial chardev:", "-serial chardev:: it can be mon:stdio"},
        {"-serial tcp:5555", "-serial tcp:5555: '5555' is no address; give HOST:PORT"},
        {"-serial tcp:host:", "-serial tcp:host:: 'host:' is no address"},
        {"-serial null -serial stdio", "-serial stdio: the board has one serial port"},
        {"Image -chardev stdio,id=a -serial stdio", "-chardev stdio and -serial stdio: the term"},
        {"-monitor telnet:", "-monitor telnet:: it can be mon:stdio"},
        {"-monitor nosuch", "-monitor nosuch: it can be mon:stdio"},
        {"-qmp mon:stdio", "-qmp mon:stdio: QMP shares the terminal with nobody; give stdio"},
        {"-mon a,pretty=x", "-mon a,pretty=x: pretty=x: it can be on or off"},
        {"-gdb stdio", "-gdb stdio: stdio is not there for it; give tcp::PORT or unix:PATH"},
        {"-gdb tcp:1234", "-gdb tcp:1234: '1234' is no address; give HOST:PORT"},
        {"-gdb nosuch", "-gdb nosuch: it can be mon:stdio"},
        {"Image -chardev stdio,id=a -gdb chardev:a", "-gdb chardev:a: stdio is not there for it"},
        {"-mon mode=control", "-mon mode=control: give chardev=ID"},
        {"-mon a,mode=x", "-mon a,mode=x: unknown 'mode=x'"},
        {"Image -mon a", "there is no character back-end 'a'; give -chardev TYPE,id=a"},
        {"Image -chardev stdio,id=a -serial chardev:a -mon a,mode=control",
         "-mon chardev=a: QMP shares the terminal with nobody"},
        {"-display gtk", "-display gtk: it can be: sdl vnc=HOST:N terminal none"},
        {"Image -display sdl -vnc :0", "-vnc :0: there is another -display already"},
        {"Image -vnc :0 -display terminal", "-display terminal: there is a VNC server already"},
        {"Image -display terminal -serial stdio", "-display terminal takes the terminal"},
        {"Image -display curses -nographic", "-display terminal takes the terminal"},
        {"Image -display terminal -monitor stdio", "-display terminal takes the terminal"},
        {"-vga std", "-vga std: not there yet"},
        {"-sandbox on", "-sandbox on: not there yet"},
        {"-icount 11", "-icount 11: shift is 0 to 10"},
        {"-icount shift=x", "-icount shift=x: shift is 0 to 10"},
        {"-icount 1,sleep=maybe", "-icount 1,sleep=maybe: sleep is on or off"},
        {"-icount 1,align=on", "-icount 1,align=on: align=on is not there yet"},
        {"-history none", "-history none: not a size"},
        {"-icount 1,rr=play", "-icount 1,rr=play: rr is record or replay"},
        {"Image -icount 1,rr=record", "-icount rr= needs the file of the recording"},
        {"Image -incoming tcp:here", "-incoming tcp:here: only file:FILE is possible"},
        {"-seed x", "-seed x: not a number"},
        {"-rtc base=yesterday", "-rtc base=yesterday: base is utc"},
        {"-rtc clock=x", "-rtc clock=x: clock=x is not there yet"},
        {"-d nothing", "-d nothing: unknown log topic 'nothing'"},
        {"-until soon", "-until soon: not a time"},
        {"-break main", "-break main: not an address"},
        {"-save-load x", "-save-load x: not a time"},
        {"-global x", "-global x: give DRIVER.PROPERTY=VALUE"},
        {"-global x.y", "-global x.y: give DRIVER.PROPERTY=VALUE"},
        {"-global x=y", "-global x=y: give DRIVER.PROPERTY=VALUE"},
        {"-global a.b=c,d.e=f", "-global a.b=c,d.e=f: give DRIVER.PROPERTY=VALUE"},
    };
    CHECK_BAD(bad);
}
END_TEST

static void check_property(const struct machine_option *option, unsigned i, const char *name,
                           const char *value)
{
    ck_assert_uint_lt(i, option->count);
    ck_assert_str_eq(option->items[i].name, name);
    if (value)
        ck_assert_str_eq(option->items[i].value, value);
    else
        ck_assert_ptr_null(option->items[i].value);
}

START_TEST(devices_and_back_ends_are_lists_of_properties_in_order)
{
    PARSE("Image -device virtio-blk-device,drive=a -drive if=none,file=x,,y=z,id=a,readonly "
          "-device driver=virtio-rng-device -netdev user,id=n -nic none -object rng-random,id=r "
          "-global virtio-mmio.force-legacy=off -snapshot");
    ck_assert_uint_eq(o.machine.devices.count, 2);
    check_property(&o.machine.devices.items[0], 0, "driver", "virtio-blk-device");
    check_property(&o.machine.devices.items[0], 1, "drive", "a");
    check_property(&o.machine.devices.items[1], 0, "driver", "virtio-rng-device");
    check_property(&o.machine.drives.items[0], 1, "file", "x,y=z");
    check_property(&o.machine.drives.items[0], 3, "readonly", NULL);
    check_property(&o.machine.netdevs.items[0], 0, "type", "user");
    check_property(&o.machine.nics.items[0], 0, "type", "none");
    check_property(&o.machine.objects.items[0], 0, "qom-type", "rng-random");
    check_property(&o.machine.globals.items[0], 0, "virtio-mmio.force-legacy", "off");
    ck_assert(o.machine.snapshot);
}
END_TEST

START_TEST(too_many_devices_or_properties_are_refused)
{
    char many[8192] = "", wide[8192] = "-device x", text[32];
    for (unsigned i = 0; i <= OPTION_GROUP_MAX; i++)
        strcat(many, "-device x ");
    for (unsigned i = 0; i <= MACHINE_PROPERTIES_MAX; i++) {
        snprintf(text, sizeof text, ",p%u=1", i);
        strcat(wide, text);
    }
    check_bad(&(struct bad_line){many, "-device x: there are 32 already"});
    check_bad(&(struct bad_line){wide, "-device x,p0=1"});
}
END_TEST

START_TEST(more_text_than_there_is_room_for_is_refused)
{
    char words[24000] = "", value[1000];
    memset(value, 'x', sizeof value);
    for (unsigned i = 0; i < 20; i++)
        sprintf(words + strlen(words), "-drive file=%.*s ", 900, value);
    char *argv[50] = {"rivulet"};
    int argc = 1;
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    struct options o;
    struct error err;
    ck_assert(!options_parse(&o, argc, argv, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "too long"));
}
END_TEST

START_TEST(a_list_that_is_too_long_is_refused)
{
    char words[4096] = "-M virt,dumpdtb=";
    memset(words + strlen(words), 'x', 3000);
    check_bad(&(struct bad_line){words, "-M virt,dumpdtb=xxx"});
}
END_TEST

START_TEST(lists_of_addresses_have_an_end)
{
    char words[4096] = "Image";
    size_t n = strlen(words);
    for (unsigned i = 0; i <= OPTION_LIST_MAX; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, " -break 1");
    check_bad(&(struct bad_line){words, "-break 1: there are 64 already"});
}
END_TEST

/* --- the line as a whole ----------------------------------------------------------------- */

START_TEST(an_unknown_option_names_the_nearest_one)
{
    static const struct bad_line bad[] = {
        {"-kernl x", "unknown option -kernl; the nearest is -kernel"},
        {"--nographics", "unknown option --nographics; the nearest is -nographic"},
        {"-", "unknown option -; "},
        {"--", "unknown option --; "},
    };
    CHECK_BAD(bad);
}
END_TEST

START_TEST(what_is_not_there_yet_says_so)
{
    static const struct bad_line bad[] = {
        {"-pidfile f", "-pidfile is not there yet (a file of the process id)"},
        {"-enable-kvm", "-enable-kvm is not there yet (hardware virtualization)"},
    };
    CHECK_BAD(bad);
}
END_TEST

START_TEST(options_that_make_no_sense_together_are_refused)
{
    static const struct bad_line bad[] = {
        {"-append quiet", "a kernel or a disk is needed, for example: rivulet -m"},
        {"-hda D", "a kernel or a disk is needed"},
        {"-bios none", "a kernel or a disk is needed"},
        {"-initrd I -bios fw", "-initrd I needs a kernel"},
        {"A B", "two files: A and B; give a further disk with -drive"},
        {"-kernel", "-kernel needs an argument: FILE"},
        {"Image --append", "--append needs an argument: TEXT"},
    };
    CHECK_BAD(bad);
}
END_TEST

START_TEST(nothing_to_run_is_the_demo_guest)
{
    PARSE("-m 256M -device ramfb");
    ck_assert(o.machine.demo);
    ck_assert_ptr_null(o.machine.kernel_file);
}
END_TEST

START_TEST(who_has_something_to_run_does_not_get_the_demo_guest)
{
    static const char *const lines[] = {"Image", "-kernel Image", "-bios fw", "-pflash code",
                                        "-device loader,file=x"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char line[64];
        struct options o;
        struct error err;
        snprintf(line, sizeof line, "%s", lines[i]);
        ck_assert_msg(parse(line, &o, &err) && !o.machine.demo, "%s", lines[i]);
    }
}
END_TEST

START_TEST(help_wins_over_what_is_missing)
{
    PARSE("-h");
    ck_assert_int_eq(o.action, ACTION_HELP);
}
END_TEST

START_TEST(help_as_an_argument_asks_for_a_list)
{
    static const struct {
        const char *line;
        enum options_action action;
        const char *shown;
    } cases[] = {
        {"-machine help", ACTION_LIST_MACHINES, "\nvirt                 RISC-V VirtIO board"},
        {"-M ? -nonsense", ACTION_LIST_MACHINES, "RISC-V VirtIO board"},
        {"-cpu help", ACTION_LIST_CPUS, "\nmax\n"},
        {"-device help", ACTION_LIST_DEVICES, "\nname \"virtio-rng-device\", bus virtio-bus\n"},
        {"-accel help", ACTION_LIST_ACCELERATORS, "tcg\n"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct options o;
        struct error err = {""};
        char line[64];
        snprintf(line, sizeof line, "%s", cases[i].line);
        ck_assert_msg(parse(line, &o, &err), "%s", err.text);
        ck_assert_int_eq(o.action, cases[i].action);
        char text[4096] = "";
        FILE *out = fmemopen(text, sizeof text - 1, "w");
        listing_print(o.action, out);
        fclose(out);
        ck_assert_ptr_nonnull(strstr(text, cases[i].shown));
    }
}
END_TEST

START_TEST(version_wins_over_what_is_missing)
{
    PARSE("--version -nonsense");
    ck_assert_int_eq(o.action, ACTION_VERSION);
}
END_TEST

START_TEST(help_names_every_option_that_does_something)
{
    static const char *const names[] = {
        "-machine",   "-M",       "-cpu",     "-m ",     "-smp",    "-kernel",    "-initrd",
        "-append",    "-bios",    "-dtb",     "-serial", "-script", "-icount",    "-seed",
        "-rtc",       "-device",  "-drive",   "-netdev", "-global", "-d ",        "-D ",
        "-no-reboot", "-until",   "-hash",    "-stress", "-break",  "-save-load", "-nographic",
        "-help",      "-version", "-monitor", "-display"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    options_print_help(out);
    fclose(out);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        ck_assert_msg(strstr(text, names[i]) != NULL, "%s", names[i]);
    free(text);
}
END_TEST

static void add_machine_tests(TCase *c)
{
    tcase_add_test(c, without_options_the_defaults_are_the_machines);
    tcase_add_test(c, a_word_alone_is_the_file_to_boot);
    tcase_add_test(c, one_dash_and_two_dashes_are_the_same);
    tcase_add_test(c, files_and_texts_are_taken_as_they_are);
    tcase_add_test(c, the_last_bios_counts);
    tcase_add_test(c, the_default_bios_is_the_built_in_one);
    tcase_add_test(c, firmware_in_a_file_needs_no_kernel);
    tcase_add_test(c, a_device_tree_is_dumped_without_a_kernel);
    tcase_add_test(c, the_aclint_is_switched_on_and_off);
    tcase_add_test(c, the_machine_may_be_called_type);
    tcase_add_test(c, memory_may_be_called_size);
    tcase_add_test(c, a_cpu_goes_to_the_machine_as_it_is);
    tcase_add_test(c, harts_may_be_called_cpus);
    tcase_add_test(c, harts_may_be_a_topology);
    tcase_add_test(c, a_wrong_machine_is_refused);
}

static void add_other_tests(TCase *c)
{
    tcase_add_test(c, the_serial_port_goes_to_the_terminal);
    tcase_add_test(c, the_serial_port_goes_to_a_file);
    tcase_add_test(c, the_serial_port_goes_nowhere);
    tcase_add_test(c, icount_takes_a_shift_and_fixes_the_date);
    tcase_add_test(c, icount_takes_sleep);
    tcase_add_test(c, icount_can_be_switched_off);
    tcase_add_test(c, a_date_that_is_given_counts_under_icount_too);
    tcase_add_test(c, the_hosts_date_that_is_asked_for_counts_under_icount_too);
    tcase_add_test(c, the_seed_is_a_number);
    tcase_add_test(c, log_topics_add_up);
    tcase_add_test(c, test_aids_are_read_and_times_are_sorted);
    tcase_add_test(c, the_machine_has_the_name_that_is_given);
    tcase_add_test(c, what_qemu_knows_and_we_do_not_need_is_accepted);
    tcase_add_test(c, a_wrong_console_time_or_device_is_refused);
    tcase_add_test(c, devices_and_back_ends_are_lists_of_properties_in_order);
    tcase_add_test(c, too_many_devices_or_properties_are_refused);
    tcase_add_test(c, more_text_than_there_is_room_for_is_refused);
    tcase_add_test(c, a_list_that_is_too_long_is_refused);
    tcase_add_test(c, lists_of_addresses_have_an_end);
    tcase_add_test(c, an_unknown_option_names_the_nearest_one);
    tcase_add_test(c, what_is_not_there_yet_says_so);
    tcase_add_test(c, options_that_make_no_sense_together_are_refused);
    tcase_add_test(c, nothing_to_run_is_the_demo_guest);
    tcase_add_test(c, who_has_something_to_run_does_not_get_the_demo_guest);
    tcase_add_test(c, help_wins_over_what_is_missing);
    tcase_add_test(c, help_as_an_argument_asks_for_a_list);
    tcase_add_test(c, version_wins_over_what_is_missing);
    tcase_add_test(c, help_names_every_option_that_does_something);
}

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *values = tcase_create("values"), *machine = tcase_create("machine");
    TCase *others = tcase_create("others");
    tcase_add_test(values, a_number_is_decimal_or_hexadecimal_and_nothing_else);
    tcase_add_test(values, a_size_has_a_unit_and_may_have_a_fraction);
    tcase_add_test(values, a_time_is_in_ns_or_has_a_unit);
    tcase_add_test(values, a_date_must_exist);
    tcase_add_test(values, a_list_has_keys_values_and_doubled_commas);
    tcase_add_test(values, the_distance_of_two_names_is_the_least_number_of_edits);
    add_machine_tests(machine);
    add_other_tests(others);
    suite_add_tcase(suite, values);
    suite_add_tcase(suite, machine);
    suite_add_tcase(suite, others);
    return run_suite(suite);
}

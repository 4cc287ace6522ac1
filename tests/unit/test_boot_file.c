/* `rivulet FILE`: what a file is taken for, and the machine it gets. */
#include "frontend/boot_file.h"

#include "machine/snapshot_file.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define WORDS_MAX 40

static void put(const char *path, size_t size, size_t offset, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), (off_t)size), 0);
    ck_assert_int_eq(fseek(file, (long)offset, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

/* Parses a line of words and completes it for its FILE. */
static bool apply(char *line, struct options *o, struct error *err)
{
    char *argv[WORDS_MAX] = {"rivulet"};
    int argc = 1;
    for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    ck_assert_msg(options_parse(o, argc, argv, err), "%s", err->text);
    return boot_file_apply(o, err);
}

#define APPLY(words)                                                                               \
    struct options o;                                                                              \
    struct error err = {""};                                                                       \
    char line[] = words;                                                                           \
    ck_assert_msg(apply(line, &o, &err), "%s", err.text)

#define APPLY_FAILS(words)                                                                         \
    struct options o;                                                                              \
    struct error err = {""};                                                                       \
    char line[] = words;                                                                           \
    ck_assert(!apply(line, &o, &err));                                                             \
    ck_assert_ptr_null(strchr(err.text, '\n'))

static const char *item(const struct machine_option *option, const char *name)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return "";
}

static void setup(void)
{
    enter_temp_folder();
    put("disk", 4096, 510, "\x55\xaa", 2);
    put("Image", 4096, 56, "RSC\5", 4);
    put("junk", 4096, 0, "hello", 5);
    ck_assert_int_eq(shell("mkdir -p fw/u-boot/qemu-riscv64_smode"), 0);
    put("fw/u-boot/qemu-riscv64_smode/u-boot.bin", 100, 0, "x", 1);
}

START_TEST(a_kernel_is_booted_directly)
{
    static const struct {
        size_t offset;
        const char *bytes;
        size_t n;
    } kernels[] = {{0, "\177ELF", 4},
                   {56, "RSC\5", 4},
                   {0, "\x1f\x8b", 2},
                   {0, "MZ\0\0zimg", 8},
                   {0, "\x27\x05\x19\x56", 4}};
    for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
        put("kernel", 4096, kernels[i].offset, kernels[i].bytes, kernels[i].n);
        APPLY("kernel");
        ck_assert_str_eq(o.machine.kernel_file, "kernel");
        ck_assert_uint_eq(o.machine.drives.count, 0);
        ck_assert_uint_eq(o.machine.nics.count, 0);
        ck_assert_uint_eq(o.machine.ram_bytes, MACHINE_DEFAULT_RAM);
    }
}
END_TEST

START_TEST(a_disk_is_known_by_its_signature)
{
    static const struct {
        size_t offset;
        const char *bytes;
        size_t n;
        const char *format;
    } disks[] = {{510, "\x55\xaa", 2, "raw"},
                 {512, "EFI PART", 8, "raw"},
                 {1080, "\x53\xef", 2, "raw"},
                 {32769, "CD001", 5, "raw"},
                 {0, "QFI\xfb", 4, "qcow2"}};
    for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
        put("d", 40000, disks[i].offset, disks[i].bytes, disks[i].n);
        APPLY("-L fw d");
        ck_assert_uint_eq(o.machine.drives.count, 1);
        ck_assert_str_eq(item(&o.machine.drives.items[0], "file"), "d");
        ck_assert_str_eq(item(&o.machine.drives.items[0], "format"), disks[i].format);
    }
}
END_TEST

START_TEST(an_image_that_looks_like_a_boot_sector_is_a_kernel)
{
    put("both", 4096, 510, "\x55\xaa", 2);
    ck_assert_int_eq(shell("printf 'RSC\\005' | dd of=both bs=1 seek=56 conv=notrunc status=none"),
                     0);
    APPLY("both");
    ck_assert_str_eq(o.machine.kernel_file, "both");
}
END_TEST

START_TEST(a_disk_gets_firmware_memory_a_network_and_entropy)
{
    APPLY("disk -L nowhere -L fw");
    ck_assert_str_eq(o.machine.kernel_file, "fw/u-boot/qemu-riscv64_smode/u-boot.bin");
    ck_assert_uint_eq(o.machine.ram_bytes, 1 << 30);
    ck_assert_uint_eq(o.machine.nics.count, options_have_library("libslirp"));
    ck_assert_uint_eq(o.machine.devices.count, 1);
    ck_assert_str_eq(item(&o.machine.devices.items[0], "driver"), "virtio-rng-pci");
}
END_TEST

START_TEST(edk2_serves_where_there_is_no_u_boot)
{
    ck_assert_int_eq(shell("mkdir -p efi/qemu-efi-riscv64"), 0);
    put("efi/qemu-efi-riscv64/RISCV_VIRT_CODE.fd", 100, 0, "x", 1);
    put("efi/qemu-efi-riscv64/RISCV_VIRT_VARS.fd", 100, 0, "x", 1);
    APPLY("disk -L efi -L fw");
    ck_assert_ptr_null(o.machine.kernel_file);
    ck_assert_uint_eq(o.machine.drives.count, 3);
    const struct machine_option *code = &o.machine.drives.items[1];
    ck_assert_str_eq(item(code, "file"), "efi/qemu-efi-riscv64/RISCV_VIRT_CODE.fd");
    ck_assert_str_eq(item(code, "if"), "pflash");
    ck_assert_str_eq(item(code, "readonly"), "on");
    const struct machine_option *variables = &o.machine.drives.items[2];
    ck_assert_str_eq(item(variables, "file"), "efi/qemu-efi-riscv64/RISCV_VIRT_VARS.fd");
    ck_assert_str_eq(item(variables, "snapshot"), "on");
}
END_TEST

START_TEST(a_disk_with_a_flash_of_the_users_needs_no_firmware)
{
    APPLY("disk -pflash mine");
    ck_assert_ptr_null(o.machine.kernel_file);
    ck_assert_uint_eq(o.machine.drives.count, 2);
}
END_TEST

START_TEST(what_is_given_wins_over_what_a_disk_gets)
{
    APPLY("disk -L fw -m 512M -nic none -device virtio-rng-device -drive file=b,if=virtio");
    ck_assert_uint_eq(o.machine.ram_bytes, 512 << 20);
    ck_assert_uint_eq(o.machine.nics.count, 1);
    ck_assert_str_eq(item(&o.machine.nics.items[0], "type"), "none");
    ck_assert_uint_eq(o.machine.devices.count, 1);
    ck_assert_uint_eq(o.machine.drives.count, 2);
    ck_assert_str_eq(item(&o.machine.drives.items[0], "file"), "disk");
    ck_assert_str_eq(item(&o.machine.drives.items[1], "file"), "b");
}
END_TEST

START_TEST(nodefaults_leaves_a_disk_alone)
{
    APPLY("disk -L fw -nodefaults");
    ck_assert_uint_eq(o.machine.devices.count, 0);
    ck_assert_uint_eq(o.machine.nics.count, 0);
}
END_TEST

START_TEST(a_disk_and_a_kernel_are_both_taken)
{
    APPLY("disk -kernel Image -initrd I -append root=/dev/vda1");
    ck_assert_str_eq(o.machine.kernel_file, "Image");
    ck_assert_uint_eq(o.machine.drives.count, 1);
}
END_TEST

START_TEST(a_disk_with_firmware_of_the_users_needs_no_other)
{
    APPLY("disk -bios u-boot.bin");
    ck_assert_ptr_null(o.machine.kernel_file);
    ck_assert_uint_eq(o.machine.drives.count, 1);
}
END_TEST

START_TEST(two_kernels_are_refused)
{
    APPLY_FAILS("-kernel A Image");
    ck_assert_str_eq(err.text, "two kernels: A and Image; give one");
}
END_TEST

START_TEST(a_disk_takes_no_command_line_without_a_kernel)
{
    APPLY_FAILS("disk -L fw -append x");
    ck_assert_ptr_nonnull(strstr(err.text, "leave out -append and -initrd, or add -kernel"));
}
END_TEST

START_TEST(a_file_that_is_neither_is_refused)
{
    APPLY_FAILS("junk");
    ck_assert_ptr_nonnull(strstr(err.text, "'junk' is no kernel"));
}
END_TEST

START_TEST(a_file_that_ends_before_its_signature_is_refused)
{
    put("cut", 511, 510, "\x55", 1);
    APPLY_FAILS("cut");
    ck_assert_ptr_nonnull(strstr(err.text, "'cut' is no kernel"));
}
END_TEST

static void put_snapshot(const char *options)
{
    struct error err;
    struct snapshot_writer *w = snapshot_writer_create("saved", false, &err);
    ck_assert_ptr_nonnull(w);
    snapshot_begin(w, "options");
    snapshot_write(w, options, strlen(options));
    ck_assert(snapshot_writer_commit(w, &err));
}

START_TEST(a_saved_machine_gets_its_options)
{
    put_snapshot("machine virt,aclint=on\nm 65536k\nsmp 2\nbios none\nicount shift=2,sleep=on\n"
                 "device driver=virtio-rng-pci\n");
    APPLY("saved");
    ck_assert_str_eq(o.load_file, "saved");
    ck_assert_uint_eq(o.machine.ram_bytes, 64 << 20);
    ck_assert_uint_eq(o.machine.harts, 2);
    ck_assert_uint_eq(o.machine.icount_shift, 2);
    ck_assert(o.machine.aclint && o.machine.icount && o.machine.bios == BIOS_NONE);
}
END_TEST

/* A file from anywhere must not write or read the host's. */
START_TEST(a_saved_machine_cannot_reach_the_host)
{
    static const char *const lines[] = {"icount shift=1,rr=record,rrfile=mine",
                                        "machine virt,dumpdtb=mine",
                                        "bios mine",
                                        "device driver=loader,file=mine",
                                        "drive file=mine",
                                        "serial file:mine",
                                        "D mine",
                                        "chardev file,id=a,path=mine"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        put_snapshot(lines[i]);
        APPLY_FAILS("saved");
        ck_assert_msg(strstr(err.text, "which it may not give") != NULL, "%s", err.text);
    }
    put_snapshot("needs -drive\nneeds -netdev\nm 65536k\n");
    APPLY_FAILS("saved");
    ck_assert_msg(strstr(err.text, "-drive -netdev") != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_missing_file_and_a_folder_are_refused)
{
    {
        APPLY_FAILS("missing");
        ck_assert_ptr_nonnull(strstr(err.text, "cannot open 'missing'"));
    }
    {
        APPLY_FAILS("fw");
        ck_assert_ptr_nonnull(strstr(err.text, "cannot read 'fw'"));
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, a_kernel_is_booted_directly);
    tcase_add_test(c, a_disk_is_known_by_its_signature);
    tcase_add_test(c, an_image_that_looks_like_a_boot_sector_is_a_kernel);
    tcase_add_test(c, a_disk_gets_firmware_memory_a_network_and_entropy);
    tcase_add_test(c, edk2_serves_where_there_is_no_u_boot);
    tcase_add_test(c, a_disk_with_a_flash_of_the_users_needs_no_firmware);
    tcase_add_test(c, what_is_given_wins_over_what_a_disk_gets);
    tcase_add_test(c, nodefaults_leaves_a_disk_alone);
    tcase_add_test(c, a_disk_and_a_kernel_are_both_taken);
    tcase_add_test(c, a_disk_with_firmware_of_the_users_needs_no_other);
    tcase_add_test(c, two_kernels_are_refused);
    tcase_add_test(c, a_disk_takes_no_command_line_without_a_kernel);
    tcase_add_test(c, a_file_that_is_neither_is_refused);
    tcase_add_test(c, a_file_that_ends_before_its_signature_is_refused);
    tcase_add_test(c, a_saved_machine_gets_its_options);
    tcase_add_test(c, a_saved_machine_cannot_reach_the_host);
    tcase_add_test(c, a_missing_file_and_a_folder_are_refused);
}

int main(void)
{
    Suite *suite = suite_create("boot_file");
    TCase *c = tcase_create("boot_file");
    tcase_add_checked_fixture(c, setup, leave_temp_folder);
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

/* frontend/img*.c, with qemu-img as the oracle: what one program makes, the other takes. */
#include "frontend/img.h"
#include "tests/unit/disk_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <fcntl.h>

/* `rivulet img ...` with its output in the file out; words are parted by one space. */
__attribute__((format(printf, 1, 2))) static int img(const char *format, ...)
{
    char line[1000], *argv[32] = {"img"};
    int argc = 1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    fflush(NULL);
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), saved[2] = {dup(1), dup(2)};
    dup2(out, 1);
    dup2(out, 2);
    int status = img_main(argc, argv);
    fflush(NULL);
    for (int fd = 1; fd <= 2; fd++) {
        dup2(saved[fd - 1], fd);
        close(saved[fd - 1]);
    }
    close(out);
    return status;
}

static void output_has(const char *text)
{
    char out[65536] = "";
    FILE *f = fopen("out", "r");
    ck_assert_ptr_nonnull(f);
    out[fread(out, 1, sizeof out - 1, f)] = 0;
    fclose(f);
    ck_assert_msg(strstr(out, text) != NULL, "'%.1000s' should have '%s'", out, text);
}

/* A raw file with data, zeroes and holes. */
static void make_content(const char *path)
{
    ck_assert_int_eq(shell("head -c 700000 /dev/urandom >%s; truncate -s 3M %s; "
                           "yes | head -c 300000 >>%s; head -c 90112 /dev/zero >>%s; "
                           "truncate -s 5M %s",
                           path, path, path, path, path),
                     0);
}

START_TEST(what_an_image_says_does_not_move_the_terminals_cursor)
{
    ck_assert_int_eq(shell("truncate -s 1M \"$(printf 'b\\033[2J.raw')\""), 0);
    ck_assert_int_eq(img("create -f qcow2 -b b\033[2J.raw -F raw top.qcow2"), 0);
    ck_assert_int_eq(img("info top.qcow2"), 0);
    output_has("backing file: b?[2J.raw\n");
}
END_TEST

START_TEST(images_that_we_create_are_those_of_qemu)
{
    if (lacks("qemu-img"))
        return;
    static const char *const options[] = {
        "nocow=off",
        "cluster_size=512,refcount_bits=64",
        "cluster_size=2M,refcount_bits=1",
        "compat=0.10",
        "lazy_refcounts=on",
        "compression_type=zstd",
        "preallocation=metadata",
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        ck_assert_int_eq(img("create -q -f qcow2 -o %s ours.qcow2 48M", options[i]), 0);
        ck_assert_int_eq(shell("qemu-img create -q -f qcow2 -o %s x.qcow2 48M", options[i]), 0);
        ck_assert_int_eq(shell("qemu-img check -q ours.qcow2"), 0);
        ck_assert_int_eq(shell("qemu-img info ours.qcow2 | grep -v 'disk size' >theirs"), 0);
        ck_assert_int_eq(img("info ours.qcow2"), 0);
        ck_assert_int_eq(shell("grep -v 'disk size' out | diff - theirs"), 0);
        ck_assert_int_eq(shell("qemu-img info x.qcow2 | grep -v 'disk size' | sed s/x.q/ours.q/ | "
                               "diff - theirs"),
                         0);
    }
}
END_TEST

START_TEST(conversions_agree_with_qemu_both_ways)
{
    if (lacks("qemu-img"))
        return;
    static const char *const options[] = {
        "-o compat=1.1",         "-o compat=0.10",        "-o cluster_size=512,refcount_bits=2",
        "-o cluster_size=2M",    "-c -o cluster_size=4k", "-c -o compression_type=zstd",
        "-c -o cluster_size=2M",
    };
    make_content("a.raw");
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        ck_assert_int_eq(shell("qemu-img convert %s -O qcow2 a.raw q.qcow2", options[i]), 0);
        ck_assert_int_eq(img("check q.qcow2"), 0);
        output_has("No errors were found on the image.");
        ck_assert_int_eq(img("compare q.qcow2 a.raw"), 0);
        output_has("Images are identical.");
        ck_assert_int_eq(img("convert -p q.qcow2 b.raw"), 0);
        output_has("(100.00/100%)");
        ck_assert_int_eq(shell("cmp a.raw b.raw"), 0);
        if (!strncmp(options[i], "-c", 2))
            continue;
        ck_assert_int_eq(img("convert %s -O qcow2 a.raw r.qcow2", options[i]), 0);
        ck_assert_int_eq(shell("qemu-img check -q r.qcow2 && qemu-img compare -q r.qcow2 a.raw"),
                         0);
    }
}
END_TEST

START_TEST(chains_read_commit_and_resize_as_those_of_qemu)
{
    if (lacks("qemu-io"))
        return;
    make_content("base.raw");
    ck_assert_int_eq(shell("mkdir sub"), 0);
    ck_assert_int_eq(img("create -f qcow2 -b ../base.raw -F raw sub/a.qcow2"), 0);
    ck_assert_int_eq(img("create -f qcow2 -b a.qcow2 -F qcow2 sub/b.qcow2 8M"), 0);
    ck_assert_int_eq(shell("qemu-io -c 'write -P 7 1M 300k' -c 'write -z 100k 128k' "
                           "-c 'write -P 8 7M 64k' sub/b.qcow2 >/dev/null"),
                     0);
    ck_assert_int_eq(shell("qemu-img convert -O raw sub/b.qcow2 expected"), 0);
    ck_assert_int_eq(img("compare sub/b.qcow2 expected"), 0);
    ck_assert_int_eq(img("convert -O qcow2 -B a.qcow2 -F qcow2 sub/b.qcow2 sub/c.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img compare -q sub/c.qcow2 expected"), 0);
    ck_assert_int_eq(img("commit sub/b.qcow2"), 0);
    output_has("Image committed.");
    ck_assert_int_eq(shell("qemu-img check -q sub/b.qcow2 && qemu-img check -q sub/a.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img compare -q sub/b.qcow2 expected && "
                           "qemu-img compare -q sub/a.qcow2 expected"),
                     0);
    ck_assert_int_eq(img("info --backing-chain sub/b.qcow2"), 0);
    output_has("backing file: ../base.raw (actual path: sub/../base.raw)");
    ck_assert_int_eq(img("resize sub/a.qcow2 +5G"), 0);
    ck_assert_int_ne(img("resize sub/a.qcow2 2M"), 0);
    output_has("--shrink");
    ck_assert_int_eq(img("resize --shrink sub/a.qcow2 2M"), 0);
    ck_assert_int_eq(img("resize sub/a.qcow2 8M"), 0);
    ck_assert_int_eq(shell("qemu-img check -q sub/a.qcow2 && truncate -s 2M expected; "
                           "truncate -s 8M expected; qemu-img compare -q sub/a.qcow2 expected"),
                     0);
}
END_TEST

START_TEST(a_small_image_grows_to_many_tables)
{
    if (lacks("qemu-io"))
        return;
    ck_assert_int_eq(img("create -f qcow2 -o cluster_size=512,refcount_bits=64 a.qcow2 1M"), 0);
    ck_assert_int_eq(img("resize a.qcow2 4G"), 0);
    ck_assert_int_eq(shell("qemu-io -c 'write -P 3 3G 1M' a.qcow2 >/dev/null"), 0);
    ck_assert_int_eq(img("check a.qcow2"), 0);
    ck_assert_int_eq(img("resize a.qcow2 5G"), 0);
    ck_assert_int_eq(shell("qemu-img check -q a.qcow2"), 0);
    make_content("b.raw");
    ck_assert_int_eq(img("convert -n -O qcow2 b.raw a.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q a.qcow2 && qemu-io -c 'read -P 3 3G 1M' a.qcow2 | "
                           "grep -q '^read 1048576'"),
                     0);
}
END_TEST

/* ---- what others left in an image ---- */

static void write_random(const char *path, uint64_t seed, bool shrink_too)
{
    struct error err;
    struct disk *image = disk_open(&(struct disk_options){.path = path, .unmap = true}, &err);
    ck_assert_msg(image != NULL, "%s", err.text);
    for (uint64_t i = 0; i < 60; i++) {
        uint64_t first = next_random(&seed) % (image->bytes / SECTOR_BYTES - 300);
        uint64_t n = 1 + next_random(&seed) % 300;
        enum block_status status =
            i % 5 ? write_stamped(image, first, n, i + 1)
                  : image->ops->zero(image, first * SECTOR_BYTES, n * SECTOR_BYTES, shrink_too);
        ck_assert_int_eq(status, BLOCK_OK);
    }
    ck_assert_int_eq(disk_finish(image), BLOCK_OK);
}

START_TEST(internal_snapshots_keep_what_they_saw)
{
    if (lacks("qemu-img"))
        return;
    make_content("a.raw");
    for (int compressed = 0; compressed < 2; compressed++) {
        ck_assert_int_eq(shell("qemu-img convert %s -O qcow2 -o cluster_size=4k a.raw a.qcow2; "
                               "qemu-img snapshot -c one a.qcow2",
                               compressed ? "-c" : ""),
                         0);
        write_random("a.qcow2", 3, true);
        ck_assert_int_eq(shell("qemu-img check -q a.qcow2 && qemu-img snapshot -c two a.qcow2 && "
                               "qemu-img convert -O raw a.qcow2 two.raw"),
                         0);
        ck_assert_int_eq(img("check a.qcow2"), 0);
        write_random("a.qcow2", 4, false);
        ck_assert_int_eq(shell("qemu-img check -q a.qcow2 && "
                               "qemu-img convert -l one -O raw a.qcow2 one.raw && "
                               "cmp one.raw a.raw && qemu-img snapshot -a two a.qcow2 && "
                               "qemu-img compare -q a.qcow2 two.raw && "
                               "qemu-img snapshot -d one a.qcow2 && qemu-img check -q a.qcow2"),
                         0);
        write_random("a.qcow2", 5, true);
        ck_assert_int_eq(shell("qemu-img check -q a.qcow2"), 0);
    }
}
END_TEST

START_TEST(snapshots_of_images_are_those_of_qemu)
{
    if (lacks("qemu-img") || lacks("qemu-io"))
        return;
    make_content("a.raw");
    ck_assert_int_eq(shell("qemu-img convert -c -O qcow2 a.raw q.qcow2"), 0);
    ck_assert_int_eq(img("snapshot -c first q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-io -c 'write -P 7 1M 300k' q.qcow2 >/dev/null"), 0);
    ck_assert_int_eq(shell("qemu-img snapshot -c second q.qcow2 && qemu-img check -q q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img convert -O raw q.qcow2 b.raw"), 0);
    ck_assert_int_eq(img("snapshot -l q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img snapshot -l q.qcow2 | diff - out"), 0);
    ck_assert_int_eq(img("snapshot -a first q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q q.qcow2 && qemu-img compare -q q.qcow2 a.raw"), 0);
    ck_assert_int_eq(img("snapshot -a 2 q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q q.qcow2 && qemu-img compare -q q.qcow2 b.raw"), 0);
    ck_assert_int_eq(shell("qemu-img snapshot -a first q.qcow2"), 0);
    ck_assert_int_eq(img("compare q.qcow2 a.raw"), 0);
    ck_assert_int_eq(shell("qemu-img resize -q q.qcow2 9M"), 0);
    ck_assert_int_eq(img("snapshot -a second q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q q.qcow2 && qemu-img compare -q q.qcow2 b.raw && "
                           "qemu-img info q.qcow2 | grep -q 'virtual size: 5 MiB'"),
                     0);
    ck_assert_int_eq(img("snapshot -d first q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q q.qcow2"), 0);
    ck_assert_int_eq(img("snapshot -d second q.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q q.qcow2 && qemu-img compare -q q.qcow2 b.raw"), 0);
    ck_assert_int_eq(shell("[ -z \"$(qemu-img snapshot -l q.qcow2)\" ]"), 0);
    ck_assert_int_ne(img("snapshot -d second q.qcow2"), 0);
    output_has("q.qcow2 has no snapshot 'second'");
    ck_assert_int_ne(img("snapshot -l a.raw"), 0);
    output_has("only qcow2 images have snapshots");
    ck_assert_int_ne(img("snapshot -c x -d y q.qcow2"), 0);
}
END_TEST

START_TEST(an_image_that_qemu_left_dirty_is_repaired)
{
    if (lacks("qemu-io"))
        return;
    ck_assert_int_eq(
        shell("qemu-img create -q -f qcow2 -o lazy_refcounts=on a.qcow2 64M; "
              "(qemu-io -c 'write -P 5 1M 6M' -c abort a.qcow2 >/dev/null 2>&1); true"),
        0);
    ck_assert_int_eq(img("info --output=json a.qcow2"), 0);
    output_has("\"dirty-flag\": true");
    ck_assert_int_eq(img("check a.qcow2"), 2);
    ck_assert_int_eq(shell("cp a.qcow2 b.qcow2"), 0);
    ck_assert_int_eq(img("check -r all b.qcow2"), 0);
    output_has("The following inconsistencies were found and repaired");
    ck_assert_int_eq(shell("qemu-img check -q b.qcow2"), 0);
    ck_assert_int_eq(img("resize a.qcow2 65M"), 0);
    ck_assert_int_eq(shell("qemu-img check -q a.qcow2 && "
                           "qemu-io -c 'read -P 5 1M 6M' a.qcow2 | grep -q '^read 6291456'"),
                     0);
}
END_TEST

START_TEST(leaks_are_found_and_repaired)
{
    if (lacks("qemu-img"))
        return;
    ck_assert_int_eq(img("create -f qcow2 a.qcow2 1M"), 0);
    ck_assert_int_eq(
        shell("printf '\\001' | dd of=a.qcow2 bs=1 seek=131081 conv=notrunc 2>/dev/null;"
              " truncate -s 512K a.qcow2"),
        0);
    ck_assert_int_eq(shell("qemu-img check -q a.qcow2 2>/dev/null"), 3);
    ck_assert_int_eq(img("check a.qcow2"), 3);
    output_has("1 leaked clusters were found on the image.");
    ck_assert_int_eq(img("check -r leaks a.qcow2"), 0);
    ck_assert_int_eq(shell("qemu-img check -q a.qcow2"), 0);
}
END_TEST

/* ---- statuses and mistakes ---- */

START_TEST(compare_says_where_images_differ)
{
    make_content("a.raw");
    ck_assert_int_eq(shell("cp a.raw b.raw; printf x | dd of=b.raw bs=1 seek=4000001 conv=notrunc "
                           "2>/dev/null; cp a.raw c.raw; truncate -s 6M c.raw"),
                     0);
    ck_assert_int_eq(img("compare a.raw b.raw"), 1);
    output_has("Content mismatch at offset 4000001!");
    ck_assert_int_eq(img("compare a.raw c.raw"), 0);
    output_has("Warning: Image size mismatch!");
    ck_assert_int_eq(img("compare -s a.raw c.raw"), 1);
    ck_assert_int_eq(shell("qemu-img convert -S 0 -O raw a.raw d.raw"), 0);
    ck_assert_int_eq(img("compare a.raw d.raw"), 0);
    ck_assert_int_eq(img("compare -s a.raw d.raw"), 1);
    output_has("block status mismatch");
    ck_assert_int_eq(img("compare a.raw missing"), 2);
}
END_TEST

static void fails(const char *command, const char *reason)
{
    ck_assert_int_eq(img("%s", command), 1);
    output_has(reason);
    ck_assert_int_ne(access("new", F_OK), 0);
}

START_TEST(mistakes_are_one_line_and_make_no_file)
{
    make_content("a.raw");
    fails("crate", "nearest is create");
    fails("create -f qcow2 new", "needs a size");
    fails("create -f qcow2 new 5x", "is not a size");
    fails("create -f qcow2 -o clustersize=4k new 1M", "nearest is cluster_size");
    fails("create -f qcow2 -o cluster_size=5k new 1M", "a power of two from 512 to 2M");
    fails("create -f raw -o cluster_size=4k new 1M", "no option 'cluster_size'");
    fails("create -f qcow2 -o compat=0.10,refcount_bits=1 new 1M", "compat=0.10 has only");
    fails("create -f vdi new 1M", "'vdi' is not known");
    fails("create -f qcow2 -b a.raw new", "which seems to be raw");
    fails("create -f qcow2 -b missing -F raw new", "cannot open missing");
    fails("create -b a.raw -F raw new", "take -f qcow2");
    fails("convert -c -O qcow2 a.raw new", "-c is not supported");
    fails("convert missing new", "cannot open missing");
    fails("convert a.raw", "usage: rivulet img convert");
    fails("resize a.raw", "usage: rivulet img resize");
    fails("resize a.raw -9M", "has only 5242880 bytes");
    fails("info --output=xml a.raw", "human or json");
    fails("check -r some a.raw", "-r must be leaks or all");
    fails("commit -f raw a.raw", "no backing file");
    fails("convert a.raw a.raw", "another program is using it");
    ck_assert_int_eq(img("check a.raw"), 63);
    ck_assert_int_eq(img("--help"), 0);
    output_has("usage: rivulet img");
}
END_TEST

static Suite *img_suite(void)
{
    Suite *suite = suite_create("img");
    TCase *tc = tcase_create("img");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, enter_temp_folder, leave_temp_folder);
    tcase_add_test(tc, what_an_image_says_does_not_move_the_terminals_cursor);
    tcase_add_test(tc, images_that_we_create_are_those_of_qemu);
    tcase_add_test(tc, conversions_agree_with_qemu_both_ways);
    tcase_add_test(tc, chains_read_commit_and_resize_as_those_of_qemu);
    tcase_add_test(tc, a_small_image_grows_to_many_tables);
    tcase_add_test(tc, internal_snapshots_keep_what_they_saw);
    tcase_add_test(tc, snapshots_of_images_are_those_of_qemu);
    tcase_add_test(tc, an_image_that_qemu_left_dirty_is_repaired);
    tcase_add_test(tc, leaks_are_found_and_repaired);
    tcase_add_test(tc, compare_says_where_images_differ);
    tcase_add_test(tc, mistakes_are_one_line_and_make_no_file);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(img_suite());
}

/* The file of a snapshot: what was written is read again, and nothing else is. */
#include "base/os.h"
#include "base/os_new_file.h"
#include "machine/snapshot_file.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define BIG ((3u << 20) + 12345u)

static uint8_t big[BIG];

static void fill(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)((i * i) >> 7);
}

static void write_file(const char *path, bool compress)
{
    struct error err;
    struct snapshot_writer *w = snapshot_writer_create(path, compress, &err);
    ck_assert_msg(w != NULL, "%s", err.text);
    snapshot_begin(w, "first");
    snapshot_write(w, "abc", 3);
    snapshot_begin(w, "nothing");
    snapshot_begin(w, "a name of 24 bytes long.");
    for (size_t at = 0; at < BIG; at += 70000) /* pieces that are no part of a hash's */
        snapshot_write(w, big + at, min_u64(70000, BIG - at));
    ck_assert_msg(snapshot_writer_commit(w, &err), "%s", err.text);
}

static void check_section(struct snapshot_file *f, const char *name, const void *bytes, size_t size)
{
    struct error err;
    uint64_t n;
    const uint8_t *there = snapshot_bytes(f, name, &n, &err);
    ck_assert_msg(there != NULL, "%s", err.text);
    ck_assert_uint_eq(n, size);
    ck_assert(memcmp(there, bytes, size) == 0);
}

START_TEST(sections_are_read_as_they_were_written)
{
    struct error err;
    fill();
    enter_temp_folder();
    write_file("file", _i);
    struct snapshot_file *f = snapshot_open("file", &err);
    ck_assert_msg(f != NULL, "%s", err.text);
    ck_assert_uint_eq(snapshot_section_count(f), 3);
    ck_assert_str_eq(snapshot_section(f, 2).name, "a name of 24 bytes long.");
    ck_assert_uint_eq(snapshot_section(f, 2).bytes, BIG);
    check_section(f, "first", "abc", 3);
    check_section(f, "nothing", "", 0);
    check_section(f, "a name of 24 bytes long.", big, BIG);
    uint64_t n;
    ck_assert_ptr_null(snapshot_bytes(f, "second", &n, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "second"));
    snapshot_close(f);
    leave_temp_folder();
}
END_TEST

START_TEST(compressed_files_are_smaller)
{
    struct error err;
    struct os_file plain, small;
    fill();
    enter_temp_folder();
    write_file("plain", false);
    write_file("small", true);
    ck_assert(os_map_file("plain", &plain, &err) && os_map_file("small", &small, &err));
    ck_assert_uint_lt(small.size, plain.size / 2);
    os_unmap_file(&plain);
    os_unmap_file(&small);
    leave_temp_folder();
}
END_TEST

/* The file with one byte changed, or cut. */
static void write_damaged(const struct os_file *good, size_t size, size_t at)
{
    struct error err;
    uint8_t *bytes = malloc(size);
    memcpy(bytes, good->bytes, size);
    if (at < size)
        bytes[at] ^= 0x10;
    ck_assert(os_file_write("bad", bytes, size, &err));
    free(bytes);
}

static void check_refused(const char *reason)
{
    struct error err;
    ck_assert_ptr_null(snapshot_open("bad", &err));
    ck_assert_msg(strstr(err.text, "bad") && strstr(err.text, reason), "%s", err.text);
}

START_TEST(a_changed_byte_anywhere_is_found)
{
    struct error err;
    struct os_file good;
    fill();
    enter_temp_folder();
    write_file("good", _i);
    ck_assert(os_map_file("good", &good, &err));
    struct snapshot_file *f = snapshot_open("good", &err);
    size_t end = 2 * 4096 + snapshot_section(f, 2).bytes_in_file;
    snapshot_close(f);
    for (size_t at = 0; at < 4096; at += at < 256 ? 8 : 248) {
        write_damaged(&good, good.size, at);
        check_refused(at < 8 ? "is not a snapshot" : at == 8 ? "format" : "damaged");
    }
    static const size_t places[] = {4096, 4098, 8192, 12289, 20000};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        write_damaged(&good, good.size, places[i]);
        check_refused("damaged");
    }
    write_damaged(&good, good.size, _i ? 20001 : end - 1);
    check_refused("damaged");
    os_unmap_file(&good);
    leave_temp_folder();
}
END_TEST

START_TEST(a_cut_file_is_refused)
{
    struct error err;
    struct os_file good;
    static const struct {
        size_t size;
        const char *reason;
    } cuts[] = {{1, "not a snapshot"}, {4095, "not a snapshot"}, {4096, "cut"}, {100000, "cut"}};
    fill();
    enter_temp_folder();
    write_file("good", false);
    ck_assert(os_map_file("good", &good, &err));
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        write_damaged(&good, cuts[i].size, SIZE_MAX);
        check_refused(cuts[i].reason);
    }
    write_damaged(&good, good.size - 1, SIZE_MAX);
    check_refused("cut");
    os_unmap_file(&good);
    leave_temp_folder();
}
END_TEST

START_TEST(a_file_that_was_never_finished_leaves_the_old_one)
{
    struct error err;
    enter_temp_folder();
    ck_assert(os_file_write("file", "old", 3, &err));
    struct snapshot_writer *w = snapshot_writer_create("file", false, &err);
    snapshot_begin(w, "first");
    snapshot_write(w, "abc", 3);
    ck_assert_int_eq(shell("test $(cat file) = old"), 0);
    snapshot_writer_abandon(w);
    ck_assert_int_eq(shell("test \"$(ls)\" = file && test $(cat file) = old"), 0);
    leave_temp_folder();
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    struct error err;
    ck_assert_ptr_null(snapshot_writer_create("/nowhere/at/all", false, &err));
    ck_assert_msg(strstr(err.text, "/nowhere/at/all: No such file"), "%s", err.text);
}
END_TEST

START_TEST(too_many_sections_and_long_names_are_refused)
{
    struct error err;
    enter_temp_folder();
    struct snapshot_writer *w = snapshot_writer_create("file", false, &err);
    for (unsigned i = 0; i <= SNAPSHOT_SECTIONS_MAX; i++)
        snapshot_begin(w, "many");
    ck_assert(!snapshot_writer_commit(w, &err));
    w = snapshot_writer_create("file", false, &err);
    snapshot_begin(w, "a name of more than 24 bytes");
    ck_assert(!snapshot_writer_commit(w, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "a name of more"));
    ck_assert_int_eq(shell("test -z \"$(ls)\""), 0);
    leave_temp_folder();
}
END_TEST

START_TEST(a_pipe_or_device_is_not_replaced)
{
    struct error err;
    enter_temp_folder();
    ck_assert_int_eq(shell("mkfifo pipe; ln -s pipe link"), 0);
    ck_assert_ptr_null(snapshot_writer_create("pipe", false, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no regular file"));
    ck_assert_ptr_null(snapshot_writer_create("link", false, &err));
    ck_assert_int_eq(shell("test -p pipe -a -h link"), 0);
    leave_temp_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot_file");
    TCase *tests = tcase_create("snapshot_file");
    tcase_add_loop_test(tests, sections_are_read_as_they_were_written, 0, 2);
    tcase_add_test(tests, compressed_files_are_smaller);
    tcase_add_loop_test(tests, a_changed_byte_anywhere_is_found, 0, 2);
    tcase_add_test(tests, a_cut_file_is_refused);
    tcase_add_test(tests, a_file_that_was_never_finished_leaves_the_old_one);
    tcase_add_test(tests, a_folder_that_is_not_there_is_named);
    tcase_add_test(tests, a_pipe_or_device_is_not_replaced);
    tcase_add_test(tests, too_many_sections_and_long_names_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

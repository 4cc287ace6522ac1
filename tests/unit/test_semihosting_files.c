/* Semihosting: handles, files of a folder, and what is saved of them. */
#include "tests/unit/semihosting_rig.h"
#include "tests/unit/suite.h"

#include <errno.h>

static struct semi_rig *enter(void)
{
    enter_temp_folder();
    ck_assert_int_eq(shell("mkdir in && echo secret >outside"), 0);
    return semi_create("in");
}

static void leave(struct semi_rig *r)
{
    semi_free(r);
    leave_temp_folder();
}

static void must_fail(struct semi_rig *r, int64_t result, int error)
{
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(semi_errno(r), error);
}

/* Reads up to 100 bytes of a handle, and compares. */
static void must_read(struct semi_rig *r, int64_t handle, const char *text)
{
    memset(bench_at(&r->b, SEMI_DATA), 0, 101);
    int64_t left = semi(r, SYS_READ, (uint64_t)handle, SEMI_DATA, 100, 0);
    ck_assert_str_eq(bench_at(&r->b, SEMI_DATA), text);
    ck_assert_int_eq(left, 100 - (int64_t)strlen(text));
}

/* --- handles ------------------------------------------------------------------------------ */

START_TEST(what_is_not_open_has_no_handle)
{
    static const uint64_t numbers[] = {0, 1, 2, 64, 65, 1000, 1ull << 32, 1ull << 63, UINT64_MAX};
    struct semi_rig *r = enter();
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        must_fail(r, semi(r, SYS_CLOSE, numbers[i], 0, 0, 0), EBADF);
        must_fail(r, semi(r, SYS_ISTTY, numbers[i], 0, 0, 0), EBADF);
        must_fail(r, semi(r, SYS_SEEK, numbers[i], 0, 0, 0), EBADF);
        must_fail(r, semi(r, SYS_FLEN, numbers[i], 0, 0, 0), EBADF);
        ck_assert_int_eq(semi(r, SYS_READ, numbers[i], SEMI_DATA, 5, 0), 5);
        ck_assert_int_eq(semi(r, SYS_WRITE, numbers[i], SEMI_DATA, 5, 0), 5);
        ck_assert_int_eq(semi_errno(r), EBADF);
    }
    leave(r);
}
END_TEST

START_TEST(the_console_is_a_terminal_without_length_or_position)
{
    struct semi_rig *r = enter();
    uint64_t tt = (uint64_t)semi_open(r, ":tt", MODE_R);
    ck_assert_int_eq(semi(r, SYS_ISTTY, tt, 0, 0, 0), 1);
    must_fail(r, semi(r, SYS_FLEN, tt, 0, 0, 0), ESPIPE);
    must_fail(r, semi(r, SYS_SEEK, tt, 0, 0, 0), ESPIPE);
    ck_assert_int_eq(semi_write_text(r, (int64_t)tt, "no"), 2); /* opened for reading */
    leave(r);
}
END_TEST

START_TEST(the_features_can_be_read)
{
    struct semi_rig *r = enter();
    int64_t f = semi_open(r, ":semihosting-features", MODE_R);
    ck_assert_int_eq(semi(r, SYS_FLEN, (uint64_t)f, 0, 0, 0), 5);
    must_read(r, f, "SHFB\x03");
    must_read(r, f, "");
    ck_assert_int_eq(semi(r, SYS_SEEK, (uint64_t)f, 4, 0, 0), 0);
    must_read(r, f, "\x03");
    ck_assert_int_eq(semi(r, SYS_SEEK, (uint64_t)f, INT64_MAX, 0, 0), 0);
    must_read(r, f, "");
    ck_assert_int_eq(semi_write_text(r, f, "x"), 1);
    must_fail(r, semi_open(r, ":semihosting-features", MODE_W), EACCES);
    leave(r);
}
END_TEST

START_TEST(at_most_64_files_are_open)
{
    struct semi_rig *r = enter();
    for (int i = 1; i <= 64; i++)
        ck_assert_int_eq(semi_open(r, ":tt", MODE_W), i);
    must_fail(r, semi_open(r, ":tt", MODE_W), EMFILE);
    ck_assert_int_eq(semi(r, SYS_CLOSE, 7, 0, 0, 0), 0);
    ck_assert_int_eq(semi_open(r, "new", MODE_W), 7);
    leave(r);
}
END_TEST

/* --- files -------------------------------------------------------------------------------- */

START_TEST(modes_are_those_of_fopen)
{
    struct semi_rig *r = enter();
    must_fail(r, semi_open(r, "f", MODE_R), ENOENT);
    must_fail(r, semi_open(r, "f", MODE_R_PLUS), ENOENT);
    int64_t f = semi_open(r, "f", MODE_W);
    ck_assert_int_eq(semi_write_text(r, f, "one"), 0);
    must_read(r, f, "");
    ck_assert_int_eq(semi(r, SYS_CLOSE, (uint64_t)f, 0, 0, 0), 0);
    f = semi_open(r, "f", MODE_A + 1);
    ck_assert_int_eq(semi(r, SYS_SEEK, (uint64_t)f, 0, 0, 0), 0);
    ck_assert_int_eq(semi_write_text(r, f, "two"), 0);
    int64_t plus = semi_open(r, "f", MODE_R_PLUS + 1);
    must_read(r, plus, "onetwo");
    ck_assert_int_eq(semi(r, SYS_SEEK, (uint64_t)plus, 2, 0, 0), 0);
    ck_assert_int_eq(semi_write_text(r, plus, "E"), 0);
    must_read(r, plus, "two");
    ck_assert_int_eq(semi(r, SYS_FLEN, (uint64_t)plus, 0, 0, 0), 6);
    ck_assert_int_eq(semi(r, SYS_ISTTY, (uint64_t)plus, 0, 0, 0), 0);
    ck_assert_int_eq(shell("test \"$(cat in/f)\" = onEtwo"), 0);
    ck_assert_int_gt(semi_open(r, "f", MODE_W_PLUS), 0);
    ck_assert_int_eq(semi(r, SYS_FLEN, (uint64_t)plus, 0, 0, 0), 0);
    must_fail(r, semi_open(r, "f", 12), EINVAL);
    must_fail(r, semi(r, SYS_OPEN, SEMI_TEXT, 1ull << 63, 1, 0), EINVAL);
    leave(r);
}
END_TEST

START_TEST(no_name_leads_out_of_the_folder)
{
    static const char *const names[] = {"../outside",  "/../outside",       "link",
                                        "/etc/passwd", "a/../../outside",   "up/outside",
                                        "/proc/self",  "../../../etc/hosts"};
    struct semi_rig *r = enter();
    ck_assert_int_eq(shell("cd in && mkdir a && ln -s ../outside link && ln -s .. up"), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_int_eq(semi_open(r, names[i], MODE_R), -1);
        ck_assert_int_eq(
            semi(r, SYS_REMOVE, semi_text(r, SEMI_TEXT, names[i]), strlen(names[i]), 0, 0) == 0,
            i == 2); /* the link itself */
    }
    semi_text(r, SEMI_TEXT, "a/mine");
    semi_text(r, SEMI_TEXT + 64, "../../stolen");
    ck_assert_int_gt(semi_open(r, "a/mine", MODE_W), 0);
    ck_assert_int_eq(semi(r, SYS_RENAME, SEMI_TEXT, 6, SEMI_TEXT + 64, 12), 0);
    ck_assert_int_eq(shell("test -e in/stolen && ! test -e stolen && test -e outside"), 0);
    leave(r);
}
END_TEST

START_TEST(only_regular_files_are_opened)
{
    struct semi_rig *r = enter();
    ck_assert_int_eq(shell("cd in && mkfifo pipe && mkdir folder && ln -s loop loop"), 0);
    must_fail(r, semi_open(r, "pipe", MODE_R), EACCES); /* and it does not wait */
    ck_assert_int_eq(semi_open(r, "pipe", MODE_W), -1);
    must_fail(r, semi_open(r, "folder", MODE_R), EISDIR);
    must_fail(r, semi_open(r, "folder", MODE_W), EISDIR);
    ck_assert_int_eq(semi_open(r, "loop", MODE_R), -1);
    ck_assert_int_eq(semi(r, SYS_REMOVE, semi_text(r, SEMI_TEXT, "folder"), 6, 0, 0), -1);
    leave(r);
}
END_TEST

START_TEST(names_are_checked)
{
    struct semi_rig *r = enter();
    memset(bench_at(&r->b, SEMI_TEXT), 'x', 4096);
    must_fail(r, semi(r, SYS_OPEN, SEMI_TEXT, MODE_W, 256, 0), 91);
    must_fail(r, semi(r, SYS_OPEN, SEMI_TEXT, MODE_W, 1ull << 63, 0), 91);
    must_fail(r, semi(r, SYS_OPEN, SEMI_TEXT, MODE_W, 0, 0), ENOENT);
    must_fail(r, semi(r, SYS_OPEN, 0, MODE_W, 5, 0), EFAULT);
    must_fail(r, semi(r, SYS_OPEN, SEMI_END - 3, MODE_W, 5, 0), EFAULT);
    must_fail(r, semi(r, SYS_REMOVE, SEMI_TEXT, UINT64_MAX, 0, 0), 91);
    must_fail(r, semi(r, SYS_RENAME, SEMI_TEXT, 5, 0, 5), EFAULT);
    semi_text(r, SEMI_TEXT, "f");
    ck_assert_int_gt(semi(r, SYS_OPEN, SEMI_TEXT, MODE_W, 5, 0), 0); /* ends before */
    ck_assert_int_eq(shell("test -e in/f"), 0);
    must_fail(r, semi(r, SYS_REMOVE, semi_text(r, SEMI_TEXT, "."), 1, 0, 0), EINVAL);
    must_fail(r, semi(r, SYS_REMOVE, semi_text(r, SEMI_TEXT, "f/"), 2, 0, 0), EINVAL);
    leave(r);
}
END_TEST

START_TEST(lengths_beyond_all_memory_move_what_there_is)
{
    struct semi_rig *r = enter();
    uint64_t f = (uint64_t)semi_open(r, "f", MODE_W_PLUS);
    ck_assert_int_eq(semi(r, SYS_WRITE, f, SEMI_END - 5000, 1ull << 63, 0), INT64_MAX - 4095);
    ck_assert_int_eq(semi_errno(r), EFAULT);
    ck_assert_int_eq(semi(r, SYS_FLEN, f, 0, 0, 0), 4096);
    ck_assert_int_eq(semi(r, SYS_SEEK, f, 0, 0, 0), 0);
    ck_assert_int_eq(semi(r, SYS_READ, f, SEMI_DATA, UINT64_MAX, 0), -1 - 4096);
    ck_assert_int_eq(semi(r, SYS_SEEK, f, 0, 0, 0), 0);
    ck_assert_int_eq(semi(r, SYS_READ, f, SEMI_END - 10, 4096, 0), 4096);
    ck_assert_int_eq(semi_errno(r), EFAULT);
    must_fail(r, semi(r, SYS_SEEK, f, 1ull << 63, 0, 0), EINVAL);
    ck_assert_int_eq(semi(r, SYS_SEEK, f, INT64_MAX, 0, 0), 0);
    ck_assert_int_eq(semi(r, SYS_WRITE, f, SEMI_DATA, 1, 0), 1);
    leave(r);
}
END_TEST

START_TEST(temporary_names_are_in_the_folder_too)
{
    struct semi_rig *r = enter();
    ck_assert_int_eq(semi(r, SYS_TMPNAM, SEMI_DATA, 0x1ab, 7, 0), 0);
    ck_assert_str_eq(bench_at(&r->b, SEMI_DATA), "tmp-ab");
    must_fail(r, semi(r, SYS_TMPNAM, SEMI_DATA, 1, 6, 0), EINVAL);
    must_fail(r, semi(r, SYS_TMPNAM, SEMI_END - 3, 1, 7, 0), EFAULT);
    leave(r);
}
END_TEST

START_TEST(without_a_folder_there_are_no_files)
{
    struct semi_rig *r = semi_create(NULL);
    must_fail(r, semi_open(r, "f", MODE_W), EACCES);
    must_fail(r, semi(r, SYS_REMOVE, SEMI_TEXT, 1, 0, 0), EACCES);
    ck_assert_int_eq(semi_open(r, ":tt", MODE_W), 1); /* the failure took no handle */
    semi_free(r);
}
END_TEST

START_TEST(a_folder_must_be_one)
{
    struct error err;
    enter_temp_folder();
    ck_assert_int_eq(shell("touch file"), 0);
    ck_assert_ptr_null(semihosting_folder_open("file", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot use the folder file: Not a directory"));
    ck_assert_ptr_null(semihosting_folder_open("nowhere", &err));
    leave_temp_folder();
}
END_TEST

/* --- state -------------------------------------------------------------------------------- */

static struct state *save(struct semi_rig *r)
{
    struct state *s = state_new_save();
    semihosting_state(r->s, s);
    return s;
}

static bool load(struct semi_rig *r, const void *bytes, size_t n)
{
    struct state *s = state_new_load(bytes, n);
    semihosting_state(r->s, s);
    bool ok = state_ok(s);
    state_free(s);
    return ok;
}

START_TEST(a_loaded_machine_goes_on_in_its_files)
{
    size_t n;
    struct semi_rig *a = enter(), *b = semi_create("in");
    int64_t w = semi_open(a, "w", MODE_W), f = semi_open(a, "f", MODE_W_PLUS);
    ck_assert_int_eq(semi_write_text(a, w, "begun "), 0);
    ck_assert_int_eq(semi_write_text(a, f, "abcdef"), 0);
    ck_assert_int_eq(semi(a, SYS_SEEK, (uint64_t)f, 3, 0, 0), 0);
    int64_t other = semi_open(b, "other", MODE_W); /* the slot of w */
    ck_assert_int_eq(other, w);
    struct state *s = save(a);
    const void *bytes = state_data(s, &n);
    ck_assert(load(b, bytes, n));
    state_free(s);
    ck_assert_int_eq(semi_write_text(b, w, "ended"), 0); /* not truncated again */
    must_read(b, f, "def");
    ck_assert_int_eq(shell("test \"$(cat in/w)\" = 'begun ended' && test ! -s in/other"), 0);
    semi_free(b);
    leave(a);
}
END_TEST

START_TEST(a_file_that_is_gone_fails_after_a_load)
{
    size_t n;
    struct semi_rig *r = enter();
    uint64_t f = (uint64_t)semi_open(r, "f", MODE_W);
    struct state *s = save(r);
    const void *bytes = state_data(s, &n);
    ck_assert(load(r, bytes, n));
    state_free(s);
    ck_assert_int_eq(shell("rm in/f"), 0);
    ck_assert_int_eq(semi(r, SYS_WRITE, f, SEMI_DATA, 3, 0), 3);
    ck_assert_int_eq(semi_errno(r), ENOENT);
    ck_assert_int_eq(shell("test ! -e in/f"), 0);
    leave(r);
}
END_TEST

START_TEST(a_state_that_cannot_be_is_refused)
{
    size_t n;
    struct semi_rig *r = enter();
    semi_open(r, "f", MODE_W);
    struct state *s = save(r);
    const uint8_t *bytes = state_data(s, &n);
    uint8_t *copy = malloc(n);
    unsigned refused = 0;
    for (size_t i = n - 64 * (10 + SEMIHOSTING_NAME_BYTES); i < n; i++) {
        memcpy(copy, bytes, n);
        copy[i] = 0xff; /* kinds, modes, high bytes of positions */
        refused += !load(r, copy, n);
    }
    ck_assert_uint_eq(refused, 64 * 3);
    free(copy);
    state_free(s);
    leave(r);
}
END_TEST

START_TEST(a_reset_closes_all)
{
    struct semi_rig *r = enter();
    uint64_t f = (uint64_t)semi_open(r, "f", MODE_W);
    semihosting_reset(r->s);
    ck_assert_int_eq(semi(r, SYS_WRITE, f, SEMI_DATA, 3, 0), 3);
    ck_assert_int_eq(semi_errno(r), EBADF);
    leave(r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("semihosting files");
    TCase *tc = tcase_create("semihosting files");
    tcase_add_test(tc, what_is_not_open_has_no_handle);
    tcase_add_test(tc, the_console_is_a_terminal_without_length_or_position);
    tcase_add_test(tc, the_features_can_be_read);
    tcase_add_test(tc, at_most_64_files_are_open);
    tcase_add_test(tc, modes_are_those_of_fopen);
    tcase_add_test(tc, no_name_leads_out_of_the_folder);
    tcase_add_test(tc, only_regular_files_are_opened);
    tcase_add_test(tc, names_are_checked);
    tcase_add_test(tc, lengths_beyond_all_memory_move_what_there_is);
    tcase_add_test(tc, temporary_names_are_in_the_folder_too);
    tcase_add_test(tc, without_a_folder_there_are_no_files);
    tcase_add_test(tc, a_folder_must_be_one);
    tcase_add_test(tc, a_loaded_machine_goes_on_in_its_files);
    tcase_add_test(tc, a_file_that_is_gone_fails_after_a_load);
    tcase_add_test(tc, a_state_that_cannot_be_is_refused);
    tcase_add_test(tc, a_reset_closes_all);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

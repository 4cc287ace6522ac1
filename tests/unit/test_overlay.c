/* devices/block/overlay.c: changes that go away. */
#include "tests/unit/disk_rig.h"
#include "tests/unit/suite.h"

#define SECTORS 1001u /* no whole number of units */

static struct disk *open_overlay(struct disk *base)
{
    struct error err;
    struct disk *overlay = overlay_open(base, &err);
    ck_assert_msg(overlay != NULL, "%s", err.text);
    return overlay;
}

START_TEST(random_changes_read_back_and_the_image_below_stays_as_it_was)
{
    struct disk *base = backing_double(SECTORS, 100), *overlay = open_overlay(base);
    uint64_t shadow[SECTORS], random = 1;
    for (uint64_t s = 0; s < SECTORS; s++)
        shadow[s] = 100 + s;
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t first = next_random(&random) % SECTORS;
        uint64_t n = 1 + next_random(&random) % min_u64(30, SECTORS - first);
        uint64_t stamp = i % 4 ? 5000 + i : 0;
        if (stamp)
            ck_assert_int_eq(write_stamped(overlay, first, n, stamp), BLOCK_OK);
        else if (i % 8)
            ck_assert_int_eq(overlay->ops->zero(overlay, first * 512, n * 512, false), BLOCK_OK);
        else
            ck_assert_int_eq(overlay->ops->discard(overlay, first * 512, n * 512), BLOCK_OK);
        for (uint64_t s = first; s < first + n; s++)
            shadow[s] = stamp;
    }
    uint64_t *stamps = read_stamps(overlay), *below = read_stamps(base);
    for (uint64_t s = 0; s < SECTORS; s++)
        must(stamps[s] == shadow[s] && below[s] == 100 + s, "a sector is wrong");
    free(stamps);
    free(below);
    disk_close(overlay);
}
END_TEST

START_TEST(overlays_stack_and_the_upper_one_keeps_its_changes)
{
    struct disk *lower = open_overlay(backing_double(SECTORS, 100));
    ck_assert_int_eq(write_stamped(lower, 8, 8, 1), BLOCK_OK);
    struct disk *upper = open_overlay(lower);
    ck_assert_int_eq(write_stamped(upper, 12, 8, 2), BLOCK_OK);
    uint64_t *seen = read_stamps(upper), *below = read_stamps(lower);
    ck_assert_uint_eq(seen[7], 107);
    ck_assert_uint_eq(seen[8], 1);
    ck_assert_uint_eq(seen[12], 2);
    ck_assert_uint_eq(seen[19], 2);
    ck_assert_uint_eq(seen[20], 120);
    ck_assert_uint_eq(below[12], 1);
    free(seen);
    free(below);
    disk_close(upper);
}
END_TEST

START_TEST(content_tells_what_is_here_from_what_is_below)
{
    struct disk *overlay = open_overlay(backing_double(SECTORS, 100));
    enum disk_content content;
    ck_assert_int_eq(write_stamped(overlay, 16, 8, 1), BLOCK_OK);
    ck_assert_uint_eq(overlay->ops->content(overlay, 0, overlay->bytes, &content), 16 * 512);
    ck_assert_int_eq(content, DISK_ABSENT);
    ck_assert_uint_eq(overlay->ops->content(overlay, 17 * 512, 100 * 512, &content), 7 * 512);
    ck_assert_int_eq(content, DISK_DATA);
    disk_close(overlay);
}
END_TEST

START_TEST(a_temporary_folder_that_is_not_there_is_an_error_that_says_what_to_do)
{
    struct error err;
    struct disk *base = backing_double(SECTORS, 100);
    setenv("TMPDIR", "/nonexistent", 1);
    ck_assert_ptr_null(overlay_open(base, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "set TMPDIR"));
    disk_close(base);
}
END_TEST

static Suite *overlay_suite(void)
{
    Suite *suite = suite_create("overlay");
    TCase *tc = tcase_create("overlay");
    tcase_add_test(tc, random_changes_read_back_and_the_image_below_stays_as_it_was);
    tcase_add_test(tc, overlays_stack_and_the_upper_one_keeps_its_changes);
    tcase_add_test(tc, content_tells_what_is_here_from_what_is_below);
    tcase_add_test(tc, a_temporary_folder_that_is_not_there_is_an_error_that_says_what_to_do);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(overlay_suite());
}

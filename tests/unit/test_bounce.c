/* devices/virtio/bounce.c: which buffers are kept. The checked build sees what is not freed. */
#include "devices/virtio/bounce.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

START_TEST(a_large_buffer_that_came_back_is_handed_out_again_whole)
{
    struct bounce_pool pool = {0};
    uint8_t *buffer = bounce_take(&pool, BOUNCE_MOST_BYTES / 2);
    ck_assert_ptr_nonnull(buffer);
    bounce_give(&pool, buffer, BOUNCE_MOST_BYTES / 2);
    ck_assert_uint_eq(pool.kept, 1);
    ck_assert_ptr_eq(bounce_take(&pool, BOUNCE_MOST_BYTES), buffer);
    ck_assert_uint_eq(pool.kept, 0);
    memset(buffer, 0xff, BOUNCE_MOST_BYTES);
    bounce_give(&pool, buffer, BOUNCE_MOST_BYTES);
    bounce_empty(&pool);
    ck_assert_uint_eq(pool.kept, 0);
}
END_TEST

START_TEST(small_buffers_are_not_kept)
{
    struct bounce_pool pool = {0};
    uint8_t *buffer = bounce_take(&pool, 4096);
    ck_assert_ptr_nonnull(buffer);
    bounce_give(&pool, buffer, 4096);
    ck_assert_uint_eq(pool.kept, 0);
    bounce_give(&pool, NULL, 4096);
}
END_TEST

START_TEST(a_guest_with_many_requests_leaves_few_buffers)
{
    enum { REQUESTS = 100 };
    struct bounce_pool pool = {0};
    uint8_t *buffers[REQUESTS];
    for (unsigned i = 0; i < REQUESTS; i++)
        ck_assert_ptr_nonnull(buffers[i] = bounce_take(&pool, BOUNCE_MOST_BYTES));
    for (unsigned i = 0; i < REQUESTS; i++)
        bounce_give(&pool, buffers[i], BOUNCE_MOST_BYTES);
    ck_assert_uint_gt(pool.kept, 0);
    ck_assert_uint_le(pool.kept, 16);
    bounce_empty(&pool);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("bounce");
    tcase_add_test(cases, a_large_buffer_that_came_back_is_handed_out_again_whole);
    tcase_add_test(cases, small_buffers_are_not_kept);
    tcase_add_test(cases, a_guest_with_many_requests_leaves_few_buffers);
    Suite *suite = suite_create("bounce");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

/* The virtio disk: when requests are done, and what becomes of those under way. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_blk_rig.h"

#include <errno.h>
#include <unistd.h>

/* --- time -------------------------------------------------------------------------------- */

START_TEST(with_icount_a_request_is_done_at_its_virtual_time)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    send(&r, 0, T_IN, 0, 65536);
    fake_block_run(&r.disk); /* the host is early */
    bench_advance(&r.time, 50000 + 32768 - 1);
    ck_assert_uint_eq(status(&r, 0), S_NONE);
    ck_assert_uint_eq(used_index(&r.rig), 0);
    bench_advance(&r.time, 1);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(r.rig.queue_interrupts, 1);
    ck_assert_uint_eq(r.wakes, 0);
    send(&r, 0, T_FLUSH, 0, 0); /* now the host is late: it is waited for */
    bench_advance(&r.time, 50000);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    blk_free(&r);
}
END_TEST

START_TEST(with_icount_a_small_request_overtakes_a_large_one)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    send(&r, 0, T_IN, 0, 65536);
    bench_advance(&r.time, 1000);
    send(&r, 1, T_IN, 8, 512);
    bench_advance(&r.time, 51000);
    ck_assert_uint_eq(status(&r, 0), S_NONE);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    ck_assert_uint_eq(used_head(&r.rig, 0), 3);
    settle(&r);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(with_the_host_clock_a_request_is_done_when_it_is_delivered)
{
    struct blk_rig r;
    blk_init(&r);
    r.time.clock.follows_host = true;
    blk_start(&r);
    send(&r, 0, T_IN, 0, 2 << 20);
    send(&r, 1, T_OUT, 6000, 512);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    virtio_blk_deliver(r.rig.v); /* too early: nothing happens */
    ck_assert_uint_eq(used_index(&r.rig), 0);
    fake_block_run(&r.disk);
    ck_assert_uint_eq(r.wakes, 2);
    ck_assert_uint_eq(used_index(&r.rig), 0);
    virtio_blk_deliver(r.rig.v);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    ck_assert_uint_eq(status(&r, 0), S_NONE); /* half of it */
    ck_assert_uint_eq(r.rig.queue_interrupts, 1);
    fake_block_run(&r.disk);
    virtio_blk_deliver(r.rig.v);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), r.disk.bytes, 2 << 20));
    blk_free(&r);
}
END_TEST

START_TEST(many_requests_are_under_way_at_once)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    for (unsigned i = 0; i < 5; i++)
        send(&r, i, T_IN, 100 * i, 4096);
    settle(&r);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(status(&r, i), S_OK);
        ck_assert(data_is(&r, DATA_AT(i), r.disk.bytes + 51200 * i, 4096));
    }
    ck_assert_uint_eq(used_index(&r.rig), 5);
    ck_assert_uint_eq(r.rig.queue_interrupts, 1);
    blk_free(&r);
}
END_TEST

/* --- resets ------------------------------------------------------------------------------ */

START_TEST(a_reset_waits_for_what_is_under_way_and_answers_nothing)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    fill(&r, DATA_AT(0), 0x99, 512);
    send(&r, 0, T_OUT, 0, 512);
    send(&r, 1, T_IN, 0, 512);
    virtio_set_status(r.rig.v, 0);
    ck_assert(disk_is(&r, 0, 0x99, 512));
    ck_assert_ptr_null(r.disk.pending);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    settle(&r);
    ck_assert_uint_eq(status(&r, 0), S_NONE);
    ck_assert_uint_eq(used_index(&r.rig), 0);
    rig_start(&r.rig, 0, QUEUE_SIZE, 0);
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(a_device_that_goes_waits_for_what_is_under_way)
{
    struct blk_rig r;
    blk_init(&r);
    r.time.clock.follows_host = true;
    blk_start(&r);
    send(&r, 0, T_IN, 0, 512);
    fake_block_run(&r.disk); /* done, and not delivered */
    send(&r, 1, T_IN, 0, 512);
    blk_free(&r); /* asserts that nobody waits, and that the hook is gone */
}
END_TEST

START_TEST(what_is_under_way_when_the_driver_breaks_the_rules_is_still_answered)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    send(&r, 0, T_IN, 0, 512);
    offer(&r.rig, QUEUE_SIZE);
    ring(&r.rig);
    ck_assert(r.rig.v->broken);
    settle(&r);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    blk_free(&r);
}
END_TEST

/* --- failures that stop the machine -------------------------------------------------------- */

static void start_failing(struct blk_rig *r, bool follows_host)
{
    blk_init(r);
    r->time.clock.follows_host = follows_host;
    r->config.on_read_error = r->config.on_write_error = VIRTIO_BLK_STOP;
    blk_start(r);
    r->disk.status = BLOCK_IO_ERROR;
}

/* What the host could do it has done, and the device knows. */
static void deliver(struct blk_rig *r)
{
    fake_block_run(&r->disk);
    virtio_blk_deliver(r->rig.v);
}

START_TEST(a_request_that_stops_the_machine_is_tried_again_until_it_works)
{
    struct blk_rig r;
    start_failing(&r, true);
    fill(&r, DATA_AT(0), 0x42, 1 << 20);
    send(&r, 0, T_OUT, 8, 1 << 20);
    send(&r, 1, T_IN, 0, 512);
    poke(&r.rig, DATA_AT(0), "XXXX", 4); /* the write has taken its data */
    for (unsigned tries = 1; tries <= 3; tries++) {
        deliver(&r);
        ck_assert_uint_eq(r.stops, 2 * tries);
        ck_assert_uint_eq(used_index(&r.rig), 0);
        virtio_blk_retry(r.rig.v);
    }
    r.disk.status = BLOCK_OK;
    deliver(&r);
    ck_assert_uint_eq(r.stops, 6);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    ck_assert(disk_is(&r, 8 * 512, 0x42, 1 << 20));
    ck_assert_uint_eq(r.disk.counts[BLOCK_WRITE], 4);
    virtio_blk_retry(r.rig.v); /* nothing is left */
    ck_assert_ptr_null(r.disk.pending);
    blk_free(&r);
}
END_TEST

START_TEST(a_failure_from_before_the_machine_went_on_does_not_stop_it_again)
{
    struct blk_rig r;
    start_failing(&r, true);
    send(&r, 0, T_OUT, 0, 512);
    deliver(&r);
    ck_assert_uint_eq(r.stops, 1);
    send(&r, 1, T_OUT, 8, 512);
    fake_block_run(&r.disk); /* it fails too, and is not delivered yet */
    r.disk.status = BLOCK_OK;
    virtio_blk_retry(r.rig.v);
    deliver(&r);
    deliver(&r);
    ck_assert_uint_eq(r.stops, 1);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    r.disk.status = BLOCK_IO_ERROR; /* what fails anew does stop it */
    send(&r, 2, T_OUT, 0, 512);
    deliver(&r);
    ck_assert_uint_eq(r.stops, 2);
    blk_free(&r);
}
END_TEST

START_TEST(with_icount_too_it_does_not)
{
    struct blk_rig r;
    start_failing(&r, false);
    send(&r, 0, T_OUT, 0, 512);
    send(&r, 1, T_OUT, 8, 1 << 20);
    fake_block_run(&r.disk);
    bench_advance(&r.time, 51000); /* the deadline of the first alone */
    ck_assert_uint_eq(r.stops, 1);
    r.disk.status = BLOCK_OK;
    virtio_blk_retry(r.rig.v);
    settle(&r);
    ck_assert_uint_eq(r.stops, 1);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(a_later_piece_that_fails_is_tried_alone)
{
    struct blk_rig r;
    start_failing(&r, true);
    r.disk.status = BLOCK_OK;
    fill(&r, DATA_AT(0), 0x42, 2 << 20);
    send(&r, 0, T_OUT, 0, 2 << 20);
    deliver(&r);
    r.disk.status = BLOCK_NO_SPACE;
    deliver(&r);
    ck_assert_uint_eq(r.stops, 1);
    virtio_blk_retry(r.rig.v);
    r.disk.status = BLOCK_OK;
    deliver(&r);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert(disk_is(&r, 0, 0x42, 2 << 20));
    ck_assert_uint_eq(r.disk.counts[BLOCK_WRITE], 3);
    blk_free(&r);
}
END_TEST

START_TEST(with_icount_a_failure_leaves_no_trace_in_the_state)
{
    struct blk_rig good, bad;
    start_failing(&good, false);
    start_failing(&bad, false);
    good.disk.status = BLOCK_OK;
    send(&good, 0, T_OUT, 0, 4096);
    send(&bad, 0, T_OUT, 0, 4096);
    settle(&good);
    bench_advance(&bad.time, 52048); /* its deadline */
    ck_assert_uint_eq(bad.stops, 1);
    ck_assert_uint_eq(used_index(&bad.rig), 0);
    ck_assert_uint_eq(bad.time.events.next_ns, EVENT_NEVER);
    bad.disk.status = BLOCK_OK;
    virtio_blk_retry(bad.rig.v);
    ck_assert_uint_eq(bad.time.events.next_ns, bad.time.clock.now_ns);
    bench_advance(&bad.time, 0);
    ck_assert_uint_eq(status(&bad, 0), S_OK);
    settle(&bad);
    ck_assert_uint_eq(virtio_hash(good.rig.v), virtio_hash(bad.rig.v));
    blk_free(&good);
    blk_free(&bad);
}
END_TEST

START_TEST(each_failure_is_told_once_with_what_comes_of_it)
{
    struct blk_rig r;
    blk_init(&r);
    r.config.on_write_error = VIRTIO_BLK_STOP;
    r.config.on_read_error = VIRTIO_BLK_IGNORE;
    blk_start(&r);
    r.disk.status = BLOCK_IO_ERROR;
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    ck_assert_uint_eq(r.failures, 1);
    ck_assert(!r.failure.is_write && r.failure.action == VIRTIO_BLK_IGNORE);
    ck_assert_str_eq(r.failure.drive, "d0");
    r.disk.status = BLOCK_NO_SPACE;
    send(&r, 1, T_OUT, 0, 512);
    for (unsigned tries = 0; tries < 3; tries++) {
        settle(&r);
        virtio_blk_retry(r.rig.v);
    }
    ck_assert_uint_eq(r.failures, 2);
    ck_assert(r.failure.is_write && r.failure.action == VIRTIO_BLK_STOP);
    ck_assert_int_eq(r.failure.status, BLOCK_NO_SPACE);
    r.disk.status = BLOCK_OK;
    settle(&r);
    ck_assert_uint_eq(status(&r, 1), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(without_space_werror_enospc_stops_and_other_errors_are_reported)
{
    static const int reasons[] = {ENOSPC, EDQUOT, EFBIG};
    struct blk_rig r;
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
        blk_init(&r);
        r.config.on_write_error = VIRTIO_BLK_ENOSPC;
        blk_start(&r);
        r.disk.status = BLOCK_IO_ERROR;
        ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_IOERR);
        ck_assert_uint_eq(ask(&r, T_FLUSH, 0, 0), S_IOERR);
        r.disk.status = (enum block_status)reasons[i];
        ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_IOERR); /* a read is rerror's */
        ck_assert_uint_eq(r.stops, 0);
        send(&r, 1, T_OUT, 0, 512);
        send(&r, 2, T_FLUSH, 0, 0);
        settle(&r);
        ck_assert_uint_eq(r.stops, 2);
        ck_assert_uint_eq(status(&r, 1), S_NONE);
        blk_free(&r);
    }
}
END_TEST

START_TEST(a_reset_gives_up_what_was_kept)
{
    struct blk_rig r;
    start_failing(&r, false);
    send(&r, 0, T_OUT, 0, 512);
    settle(&r);
    ck_assert_uint_eq(r.stops, 1);
    virtio_set_status(r.rig.v, 0);
    r.disk.status = BLOCK_OK;
    virtio_blk_retry(r.rig.v);
    ck_assert_uint_eq(r.disk.counts[BLOCK_WRITE], 1);
    ck_assert_uint_eq(r.time.events.next_ns, EVENT_NEVER);
    blk_free(&r);
}
END_TEST

START_TEST(a_failure_is_told_once_with_its_reason_and_place)
{
    struct blk_rig r;
    struct error err;
    char path[] = "/tmp/test_virtio_blk.XXXXXX", text[1024] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    blk_init(&r);
    r.config.on_write_error = VIRTIO_BLK_ENOSPC;
    r.config.log = log_open(path, LOG_HOST_ERRORS, &err);
    blk_start(&r);
    r.disk.status = BLOCK_NO_SPACE;
    send(&r, 0, T_OUT, 16, 4096);
    settle(&r);
    virtio_blk_retry(r.rig.v);
    settle(&r);
    log_close(r.config.log);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    unlink(path);
    ck_assert_str_eq(text, "host: virtio-blk0: cannot write fake.img (4096 bytes at 0x2000): "
                           "No space left on device; the guest stands still until this works\n");
    r.rig.v->log = NULL;
    blk_free(&r);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

/* A second machine over an image of the same content takes over. */
static void succeed(struct blk_rig *from, struct blk_rig *to)
{
    size_t size;
    blk_init(to);
    to->time.clock = from->time.clock;
    memcpy(to->disk.bytes, from->disk.bytes, DISK_BYTES);
    blk_create(to);
    copy_ram(&from->rig, &to->rig);
    uint8_t *saved = virtio_save(from->rig.v, &size);
    ck_assert(virtio_load(to->rig.v, saved, size));
    copy_events(&from->time.events, &to->time.events);
    ck_assert_uint_eq(virtio_hash(from->rig.v), virtio_hash(to->rig.v));
    to->rig.size = from->rig.size;
    to->rig.avail_index = from->rig.avail_index;
    free(saved);
}

START_TEST(requests_under_way_are_loaded_and_done_at_their_time)
{
    struct blk_rig from, to;
    blk_init(&from);
    blk_start(&from);
    fill(&from, DATA_AT(1), 0x42, 1024);
    send(&from, 0, T_IN, 9, 4096);
    send(&from, 1, T_OUT, 100, 1024);
    send(&from, 2, T_FLUSH, 0, 0);
    poke(&from.rig, DATA_AT(1), "XXXX", 4); /* a write has taken its data already */
    bench_advance(&from.time, 20000);
    succeed(&from, &to);
    ck_assert_uint_eq(to.time.events.next_ns, from.time.events.next_ns);
    bench_advance(&to.time, 29999);
    ck_assert_uint_eq(used_index(&to.rig), 0);
    settle(&to);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(status(&to, i), S_OK);
    ck_assert(data_is(&to, DATA_AT(0), to.disk.bytes + 9 * 512, 4096));
    ck_assert(disk_is(&to, 100 * 512, 0x42, 1024));
    ck_assert_uint_eq(used_index(&to.rig), 3);
    blk_free(&from);
    blk_free(&to);
}
END_TEST

START_TEST(a_piece_under_way_is_loaded_with_what_is_left)
{
    struct blk_rig from, to;
    blk_init(&from);
    from.time.clock.follows_host = true;
    blk_start(&from);
    fill(&from, DATA_AT(0), 0x42, 2621440);
    send(&from, 0, T_OUT, 0, 2621440);
    fake_block_run(&from.disk);
    virtio_blk_deliver(from.rig.v);
    succeed(&from, &to);
    for (unsigned i = 0; i < 2; i++) {
        fake_block_run(&to.disk);
        virtio_blk_deliver(to.rig.v);
    }
    ck_assert_uint_eq(to.disk.counts[BLOCK_WRITE], 2);
    ck_assert_uint_eq(status(&to, 0), S_OK);
    ck_assert(disk_is(&to, 0, 0x42, 2621440));
    blk_free(&from);
    blk_free(&to);
}
END_TEST

START_TEST(what_is_kept_when_the_state_is_saved_is_tried_after_the_load)
{
    struct blk_rig from, to;
    start_failing(&from, false);
    fill(&from, DATA_AT(0), 0x42, 512);
    send(&from, 0, T_OUT, 3, 512);
    settle(&from);
    succeed(&from, &to);
    to.disk.status = BLOCK_OK;
    settle(&to);
    ck_assert_uint_eq(used_index(&to.rig), 0); /* the machine has not gone on yet */
    virtio_blk_retry(to.rig.v);
    settle(&to);
    ck_assert_uint_eq(status(&to, 0), S_OK);
    ck_assert(disk_is(&to, 3 * 512, 0x42, 512));
    blk_free(&from);
    blk_free(&to);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_harmless)
{
    struct blk_rig from, to;
    size_t size;
    uint64_t seed = 362436069;
    blk_init(&from);
    blk_start(&from);
    send(&from, 0, T_IN, 9, 512);
    send(&from, 1, T_OUT, 100, 512);
    blk_init(&to);
    blk_create(&to);
    copy_ram(&from.rig, &to.rig);
    uint8_t *saved = virtio_save(from.rig.v, &size);
    for (size_t i = 0; i < size; i++) {
        ck_assert(!virtio_load(to.rig.v, saved, i));
        uint8_t whole = saved[i];
        saved[i] ^= 1 + bench_random(&seed) % 255;
        virtio_load(to.rig.v, saved, size);
        event_arm(&to.time.events, to.time.events.first, to.time.clock.now_ns);
        settle(&to);
        saved[i] = whole;
    }
    free(saved);
    blk_free(&from);
    blk_free(&to);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio-blk requests under way");
    TCase *c = tcase_create("requests");
    tcase_add_test(c, with_icount_a_request_is_done_at_its_virtual_time);
    tcase_add_test(c, with_icount_a_small_request_overtakes_a_large_one);
    tcase_add_test(c, with_the_host_clock_a_request_is_done_when_it_is_delivered);
    tcase_add_test(c, many_requests_are_under_way_at_once);
    tcase_add_test(c, a_reset_waits_for_what_is_under_way_and_answers_nothing);
    tcase_add_test(c, a_device_that_goes_waits_for_what_is_under_way);
    tcase_add_test(c, what_is_under_way_when_the_driver_breaks_the_rules_is_still_answered);
    tcase_add_test(c, requests_under_way_are_loaded_and_done_at_their_time);
    tcase_add_test(c, a_piece_under_way_is_loaded_with_what_is_left);
    tcase_add_test(c, a_request_that_stops_the_machine_is_tried_again_until_it_works);
    tcase_add_test(c, a_failure_from_before_the_machine_went_on_does_not_stop_it_again);
    tcase_add_test(c, with_icount_too_it_does_not);
    tcase_add_test(c, a_later_piece_that_fails_is_tried_alone);
    tcase_add_test(c, with_icount_a_failure_leaves_no_trace_in_the_state);
    tcase_add_test(c, each_failure_is_told_once_with_what_comes_of_it);
    tcase_add_test(c, without_space_werror_enospc_stops_and_other_errors_are_reported);
    tcase_add_test(c, a_reset_gives_up_what_was_kept);
    tcase_add_test(c, a_failure_is_told_once_with_its_reason_and_place);
    tcase_add_test(c, what_is_kept_when_the_state_is_saved_is_tried_after_the_load);
    tcase_add_test(c, a_damaged_state_is_refused_or_harmless);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

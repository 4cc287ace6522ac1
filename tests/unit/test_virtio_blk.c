/* The virtio disk: each request, each way to get it wrong, and what the driver is told. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_blk_rig.h"

/* --- what the driver is told ------------------------------------------------------------- */

static uint64_t config_field(struct blk_rig *r, uint32_t offset, uint32_t bytes)
{
    uint64_t value = 0;
    virtio_read_config(r->rig.v, offset, &value, bytes);
    return value;
}

START_TEST(the_configuration_describes_the_disk)
{
    struct blk_rig r;
    blk_init(&r);
    r.config.logical_block_bytes = 1024;
    r.config.physical_block_bytes = 4096;
    r.config.min_io_bytes = 4096;
    r.config.opt_io_bytes = 65536;
    blk_create(&r);
    ck_assert_uint_eq(config_field(&r, 0, 8), DISK_BYTES / 512);
    ck_assert_uint_eq(config_field(&r, 12, 4), QUEUE_SIZE - 2); /* seg_max */
    ck_assert_uint_eq(config_field(&r, 20, 4), 1024);           /* blk_size */
    ck_assert_uint_eq(config_field(&r, 24, 1), 2);              /* physical_block_exp */
    ck_assert_uint_eq(config_field(&r, 26, 2), 4);              /* min_io_size */
    ck_assert_uint_eq(config_field(&r, 28, 4), 64);             /* opt_io_size */
    ck_assert_uint_eq(config_field(&r, 32, 1), 1);              /* writeback */
    ck_assert_uint_eq(config_field(&r, 36, 4), 0x3fffff);       /* max_discard_sectors */
    ck_assert_uint_eq(config_field(&r, 40, 4), 1);
    ck_assert_uint_eq(config_field(&r, 44, 4), 2); /* discard_sector_alignment */
    ck_assert_uint_eq(config_field(&r, 48, 4), 0x3fffff);
    ck_assert_uint_eq(config_field(&r, 52, 4), 1);
    ck_assert_uint_eq(config_field(&r, 56, 1), 1);
    blk_free(&r);
}
END_TEST

START_TEST(the_features_are_qemus_and_a_read_only_disk_says_so)
{
    struct blk_rig r;
    blk_init(&r);
    blk_create(&r);
    ck_assert_uint_eq(virtio_offered(r.rig.v) & 0xffffff, 0x006e54);
    r.disk.read_only = true;
    ck_assert_uint_eq(virtio_offered(r.rig.v) & 0xffffff, 0x006e74);
    blk_free(&r);
}
END_TEST

/* --- requests ---------------------------------------------------------------------------- */

START_TEST(a_read_fills_the_drivers_memory)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, T_IN, 3, 2048), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), r.disk.bytes + 3 * 512, 2048));
    ck_assert_uint_eq(used_bytes(&r.rig, 0), 2049);
    ck_assert_uint_eq(r.rig.queue_interrupts, 1);
    blk_free(&r);
}
END_TEST

START_TEST(a_write_changes_the_disk)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    fill(&r, DATA_AT(0), 0xa5, 1024);
    ck_assert_uint_eq(ask(&r, T_OUT, 7, 1024), S_OK);
    ck_assert(disk_is(&r, 7 * 512, 0xa5, 1024));
    ck_assert(!disk_is(&r, 9 * 512, 0xa5, 1));
    ck_assert_uint_eq(used_bytes(&r.rig, 0), 1);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 0);
    blk_free(&r);
}
END_TEST

START_TEST(a_flush_reaches_the_disk)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, T_FLUSH, 0, 0), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 1);
    blk_free(&r);
}
END_TEST

START_TEST(a_discard_and_zeroes_reach_the_disk)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 16, 8, 0), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_DISCARD], 1);
    ck_assert(disk_is(&r, 16 * 512, 0, 8 * 512));
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, 32, 4, 0), S_OK);
    ck_assert(disk_is(&r, 32 * 512, 0, 4 * 512));
    ck_assert(!r.disk.may_unmap);
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, 32, 4, 1), S_OK);
    ck_assert(r.disk.may_unmap);
    blk_free(&r);
}
END_TEST

START_TEST(the_serial_is_20_bytes_or_as_many_as_fit)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    fill(&r, DATA_AT(0), 'x', 30);
    ck_assert_uint_eq(ask(&r, T_GET_ID, 0, 20), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), (const uint8_t *)"serial-number\0\0\0\0\0\0\0x", 21));
    ck_assert_uint_eq(ask(&r, T_GET_ID, 0, 4), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), (const uint8_t *)"seri", 4));
    blk_free(&r);
}
END_TEST

START_TEST(a_request_may_be_cut_anywhere)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    put_header(&r, 0, T_IN, 5);
    put(&r.rig, 0, HEADER_AT(0), 7, DESC_NEXT, 1);
    put(&r.rig, 1, HEADER_AT(0) + 7, 9, DESC_NEXT, 2);
    put(&r.rig, 2, DATA_AT(0), 100, DESC_NEXT | DESC_WRITE, 3);
    put(&r.rig, 3, DATA_AT(0) + 100, 413, DESC_WRITE, 0); /* the last byte is the status */
    fill(&r, DATA_AT(0), 0xee, 513);
    offer(&r.rig, 0);
    ring(&r.rig);
    settle(&r);
    ck_assert(data_is(&r, DATA_AT(0), r.disk.bytes + 5 * 512, 512));
    ck_assert(data_is(&r, DATA_AT(0) + 512, (const uint8_t *)"\0", 1));
    blk_free(&r);
}
END_TEST

START_TEST(a_large_request_is_done_in_pieces)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, T_IN, 8, 2621440), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), r.disk.bytes + 8 * 512, 2621440));
    ck_assert_uint_eq(r.disk.counts[BLOCK_READ], 3);
    ck_assert_uint_eq(r.disk.most_bytes, 1 << 20);
    fill(&r, DATA_AT(0), 0x77, 2621440);
    ck_assert_uint_eq(ask(&r, T_OUT, 1, 2621440), S_OK);
    ck_assert(disk_is(&r, 512, 0x77, 2621440));
    ck_assert(!disk_is(&r, 512 + 2621440, 0x77, 1));
    blk_free(&r);
}
END_TEST

START_TEST(what_lies_outside_the_disk_is_an_error)
{
    static const struct {
        uint64_t sector;
        uint32_t bytes;
    } bad[] = {
        {DISK_BYTES / 512, 512},
        {DISK_BYTES / 512 - 1, 1024},
        {1ull << 55, 512},
        {UINT64_MAX, 512},
        {0, 511},
        {0, 513},
        {(1ull << 55) - 1, 1024},
    };
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_uint_eq(ask(&r, T_IN, bad[i].sector, bad[i].bytes), S_IOERR);
        ck_assert_uint_eq(ask(&r, T_OUT, bad[i].sector, bad[i].bytes), S_IOERR);
    }
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, DISK_BYTES / 512, 1, 0), S_IOERR);
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 0, UINT32_MAX, 0), S_IOERR);
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, UINT64_MAX, 1, 0), S_IOERR);
    ck_assert_uint_eq(r.disk.counts[BLOCK_READ] + r.disk.counts[BLOCK_WRITE], 0);
    blk_free(&r);
}
END_TEST

START_TEST(requests_are_multiples_of_the_logical_block)
{
    struct blk_rig r;
    blk_init(&r);
    r.config.logical_block_bytes = r.config.physical_block_bytes = 4096;
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, T_IN, 1, 4096), S_IOERR);
    ck_assert_uint_eq(ask(&r, T_IN, 8, 512), S_IOERR);
    ck_assert_uint_eq(ask(&r, T_IN, 8, 4096), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(what_is_not_supported_is_answered_so)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, 99, 0, 512), S_UNSUPP);
    ck_assert_uint_eq(ask(&r, T_DISCARD, 0, 32), S_UNSUPP);         /* two ranges */
    ck_assert_uint_eq(ask(&r, T_WRITE_ZEROES, 0, 15), S_UNSUPP);    /* less than one */
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 0, 8, 1), S_UNSUPP); /* unmap */
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, 0, 8, 2), S_UNSUPP);
    blk_free(&r);
}
END_TEST

START_TEST(nothing_to_do_is_done_at_once)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    send(&r, 0, T_IN, 0, 0);
    ck_assert_uint_eq(status(&r, 0), S_OK);
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 8, 0, 0), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_READ] + r.disk.counts[BLOCK_DISCARD], 0);
    blk_free(&r);
}
END_TEST

START_TEST(a_read_only_disk_is_not_changed)
{
    struct blk_rig r;
    blk_init(&r);
    r.disk.read_only = true;
    blk_start(&r);
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_IOERR);
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 0, 8, 0), S_IOERR);
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, 0, 8, 0), S_IOERR);
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    ck_assert_uint_eq(ask(&r, T_FLUSH, 0, 0), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(a_request_without_header_or_status_breaks_the_device)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    put_header(&r, 0, T_OUT, 0);
    put(&r.rig, 0, HEADER_AT(0), 15, DESC_NEXT, 1);
    put(&r.rig, 1, STATUS_AT(0), 1, DESC_WRITE, 0);
    offer(&r.rig, 0);
    ring(&r.rig);
    ck_assert(r.rig.v->broken);
    ck_assert_uint_eq(used_index(&r.rig), 0);
    virtio_set_status(r.rig.v, 0);
    rig_start(&r.rig, 0, QUEUE_SIZE, 0);
    put(&r.rig, 0, HEADER_AT(0), 16, 0, 0);
    offer(&r.rig, 0);
    ring(&r.rig);
    ck_assert(r.rig.v->broken);
    blk_free(&r);
}
END_TEST

/* --- errors of the host ------------------------------------------------------------------ */

START_TEST(errors_of_the_image_are_reported)
{
    struct blk_rig r;
    blk_init(&r);
    blk_start(&r);
    r.disk.status = BLOCK_IO_ERROR;
    ck_assert_uint_eq(ask(&r, T_IN, 0, 2 << 20), S_IOERR);
    ck_assert_uint_eq(r.disk.counts[BLOCK_READ], 1); /* no further piece */
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_IOERR);
    ck_assert_uint_eq(ask(&r, T_FLUSH, 0, 0), S_IOERR);
    r.disk.status = BLOCK_NO_SPACE;
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_IOERR);
    r.disk.status = BLOCK_UNSUPPORTED;
    ck_assert_uint_eq(ask_range(&r, T_DISCARD, 0, 8, 0), S_UNSUPP);
    blk_free(&r);
}
END_TEST

START_TEST(errors_of_the_image_are_ignored_when_asked_for)
{
    struct blk_rig r;
    blk_init(&r);
    r.config.on_read_error = VIRTIO_BLK_IGNORE;
    blk_start(&r);
    r.disk.status = BLOCK_IO_ERROR;
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_IOERR);
    blk_free(&r);
    blk_init(&r);
    r.config.on_write_error = VIRTIO_BLK_IGNORE;
    blk_start(&r);
    r.disk.status = BLOCK_NO_SPACE;
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_IOERR);
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_OK);
    blk_free(&r);
}
END_TEST

START_TEST(a_read_whose_error_is_ignored_leaves_the_guests_memory_as_it_was)
{
    struct blk_rig r;
    uint8_t before[512];
    blk_init(&r);
    r.config.on_read_error = VIRTIO_BLK_IGNORE;
    blk_start(&r);
    fill(&r, DATA_AT(0), 0x77, 512);
    memset(before, 0x77, sizeof before);
    r.disk.status = BLOCK_IO_ERROR;
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    ck_assert(data_is(&r, DATA_AT(0), before, sizeof before));
    blk_free(&r);
}
END_TEST

/* --- when writes are stable -------------------------------------------------------------- */

START_TEST(a_driver_that_cannot_flush_has_stable_writes)
{
    struct blk_rig r;
    blk_init(&r);
    blk_create(&r);
    rig_start(&r.rig, 0, QUEUE_SIZE, 0);
    ck_assert_uint_eq(ask(&r, T_OUT, 0, 512), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 1);
    ck_assert_uint_eq(ask_range(&r, T_WRITE_ZEROES, 0, 8, 0), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 2);
    ck_assert_uint_eq(ask(&r, T_IN, 0, 512), S_OK);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 2);
    blk_free(&r);
}
END_TEST

START_TEST(a_driver_that_may_choose_switches_the_write_cache)
{
    struct blk_rig r;
    blk_init(&r);
    r.config.write_through = true;
    blk_create(&r);
    rig_start(&r.rig, 0, QUEUE_SIZE, 1u << F_CONFIG_WCE | 1u << F_FLUSH);
    ck_assert_uint_eq(config_field(&r, 32, 1), 0);
    ask(&r, T_OUT, 0, 512);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 1);
    virtio_write_config(r.rig.v, 32, "\1", 1);
    ck_assert_uint_eq(config_field(&r, 32, 1), 1);
    ask(&r, T_OUT, 0, 512);
    ck_assert_uint_eq(r.disk.counts[BLOCK_FLUSH], 1);
    virtio_write_config(r.rig.v, 0, "\0\0\0\0", 4); /* the capacity is not the driver's */
    ck_assert_uint_eq(config_field(&r, 0, 8), DISK_BYTES / 512);
    virtio_set_status(r.rig.v, 0);
    ck_assert_uint_eq(config_field(&r, 32, 1), 0);
    virtio_write_config(r.rig.v, 32, "\1", 1); /* CONFIG_WCE is not accepted now */
    ck_assert_uint_eq(config_field(&r, 32, 1), 0);
    blk_free(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio-blk");
    TCase *c = tcase_create("requests");
    tcase_add_test(c, the_configuration_describes_the_disk);
    tcase_add_test(c, the_features_are_qemus_and_a_read_only_disk_says_so);
    tcase_add_test(c, a_read_fills_the_drivers_memory);
    tcase_add_test(c, a_write_changes_the_disk);
    tcase_add_test(c, a_flush_reaches_the_disk);
    tcase_add_test(c, a_discard_and_zeroes_reach_the_disk);
    tcase_add_test(c, the_serial_is_20_bytes_or_as_many_as_fit);
    tcase_add_test(c, a_request_may_be_cut_anywhere);
    tcase_add_test(c, a_large_request_is_done_in_pieces);
    tcase_add_test(c, what_lies_outside_the_disk_is_an_error);
    tcase_add_test(c, requests_are_multiples_of_the_logical_block);
    tcase_add_test(c, what_is_not_supported_is_answered_so);
    tcase_add_test(c, nothing_to_do_is_done_at_once);
    tcase_add_test(c, a_read_only_disk_is_not_changed);
    tcase_add_test(c, a_request_without_header_or_status_breaks_the_device);
    tcase_add_test(c, errors_of_the_image_are_reported);
    tcase_add_test(c, errors_of_the_image_are_ignored_when_asked_for);
    tcase_add_test(c, a_read_whose_error_is_ignored_leaves_the_guests_memory_as_it_was);
    tcase_add_test(c, a_driver_that_cannot_flush_has_stable_writes);
    tcase_add_test(c, a_driver_that_may_choose_switches_the_write_cache);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* devices/block/qcow2_header.c and what guards the tables: images that lie. */
#include "devices/block/qcow2.h"
#include "tests/unit/disk_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define MIB (1ull << 20)

static const struct qcow2_format plain = {
    .bytes = MIB, .version = 3, .cluster_bits = 12, .refcount_order = 4};

/* Opening for writing must fail for this reason, and must not write. */
static void refused(struct file_double *d, const char *reason)
{
    struct error err;
    struct disk_options o = {.path = "disk.qcow2"};
    struct disk *image = qcow2_open(&d->file, &o, &err);
    if (image) {
        image->read_only = false;
        strcpy(image->path, "disk.qcow2");
        ck_assert_msg(!image->ops->begin_writing(image, &err), "opened, but should say %s", reason);
    }
    ck_assert_msg(strstr(err.text, reason) && strstr(err.text, "disk.qcow2") &&
                      !strchr(err.text, '\n'),
                  "'%s' should say '%s'", err.text, reason);
    ck_assert_uint_eq(d->writes, 1); /* by the one who made it */
    if (image)
        disk_close(image);
    else
        file_close(&d->file);
}

static void refused_with(unsigned offset, unsigned bytes, uint64_t value, const char *reason)
{
    struct file_double *d = format_double(&plain, MIB);
    for (unsigned i = 0; i < bytes; i++)
        d->bytes[offset + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    refused(d, reason);
}

START_TEST(each_header_field_that_makes_no_sense_is_refused_by_name)
{
    refused_with(0, 4, 0x51464900, "not a qcow2 image");
    refused_with(HEADER_VERSION, 4, 4, "version 4");
    refused_with(HEADER_VERSION, 4, 1, "version 1");
    refused_with(HEADER_CLUSTER_BITS, 4, 8, "cluster size");
    refused_with(HEADER_CLUSTER_BITS, 4, 22, "cluster size");
    refused_with(HEADER_CLUSTER_BITS, 4, 0xffffffff, "cluster size");
    refused_with(HEADER_SIZE, 8, UINT64_MAX, "virtual size");
    refused_with(HEADER_SIZE, 8, 1ull << 40, "L1 table is too small");
    refused_with(HEADER_CRYPT_METHOD, 4, 1, "encrypted");
    refused_with(HEADER_L1_SIZE, 4, 0xffffffff, "L1 table is larger");
    refused_with(HEADER_L1_SIZE, 4, 0, "L1 table is too small");
    refused_with(HEADER_L1_OFFSET, 8, 12345, "L1 table at offset 0x3039 is not on a cluster");
    refused_with(HEADER_L1_OFFSET, 8, 1ull << 62, "outside the file");
    refused_with(HEADER_L1_OFFSET, 8, 0, "outside the file");
    refused_with(HEADER_REFTABLE_OFFSET, 8, 1, "refcount table at offset 0x1 is not on a cluster");
    refused_with(HEADER_REFTABLE_OFFSET, 8, ~0xfffull, "outside the file");
    refused_with(HEADER_REFTABLE_CLUSTERS, 4, 0, "refcount table is empty");
    refused_with(HEADER_REFTABLE_CLUSTERS, 4, 0x80000000, "refcount table is empty or larger");
    refused_with(HEADER_REFTABLE_CLUSTERS, 4, 1000, "outside the file");
    refused_with(HEADER_SNAPSHOTS, 4, 65537, "65536 snapshots");
    refused_with(HEADER_SNAPSHOTS, 4, 1, "snapshot table");
    refused_with(HEADER_REFCOUNT_ORDER, 4, 7, "wider than 64 bits");
    refused_with(HEADER_LENGTH, 4, 96, "impossible length");
    refused_with(HEADER_LENGTH, 4, 0x80000000, "impossible length");
    refused_with(HEADER_COMPRESSION, 1, 1, "compression type");
    refused_with(HEADER_COMPRESSION, 1, 9, "compression type");
    refused_with(HEADER_INCOMPATIBLE, 8, INCOMPATIBLE_COMPRESSION, "compression type");
    refused_with(HEADER_INCOMPATIBLE, 8, INCOMPATIBLE_EXTENDED_L2, "'extended L2 entries'");
    refused_with(HEADER_INCOMPATIBLE, 8, INCOMPATIBLE_DATA_FILE, "'external data file'");
    refused_with(HEADER_INCOMPATIBLE, 8, 1ull << 40, "'bit 40'");
    refused_with(HEADER_INCOMPATIBLE, 8, INCOMPATIBLE_CORRUPT, "marked as damaged");
    refused_with(HEADER_BACKING_OFFSET, 8, 5000, "name of its backing file");
    refused_with(HEADER_V3_BYTES + 4, 4, 0xfffffff0, "header extension");
}
END_TEST

START_TEST(a_file_that_was_cut_short_is_refused)
{
    for (uint64_t size = 0; size <= 3 * 4096; size += 512) {
        struct file_double *d = format_double(&plain, MIB);
        ck_assert_uint_eq(d->size, 4 * 4096);
        d->size = size;
        refused(d, size < HEADER_V2_BYTES ? "too short" : "outside the file");
    }
}
END_TEST

/* ---- tables ---- */

/* An image with its first cluster written, and where its tables are. */
static struct file_double *with_cluster(uint64_t *l1, uint64_t *l2)
{
    struct file_double *d = format_double(&plain, 4 * MIB);
    struct disk *image = open_double(d, false, false);
    ck_assert_int_eq(write_stamped(image, 0, 8, 5), BLOCK_OK);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
    *l1 = qcow2_of(image)->header.l1_offset;
    *l2 = get_be64(d->bytes + *l1) & ENTRY_OFFSET;
    struct file_double *copy = file_double_copy(d);
    disk_close(image);
    return copy;
}

/* Reading and writing sector 0 fails; what was there before stays; others are told. */
static void damaged(struct file_double *d)
{
    uint8_t bytes[SECTOR_BYTES];
    struct disk *image = open_double(d, false, false);
    ck_assert_int_eq(image->ops->read(image, 0, bytes, sizeof bytes), BLOCK_IO_ERROR);
    ck_assert_int_eq(write_stamped(image, 0, 1, 6), BLOCK_IO_ERROR);
    ck_assert_int_eq(write_stamped(image, 1000, 1, 6), BLOCK_IO_ERROR);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_IO_ERROR);
    ck_assert_uint_eq(get_be64(d->bytes + HEADER_INCOMPATIBLE), INCOMPATIBLE_CORRUPT);
    disk_close(image);
}

START_TEST(a_table_entry_that_points_to_nowhere_stops_all_writing)
{
    const uint64_t l1_entries[] = {ENTRY_COPIED | 0x200, ENTRY_COPIED | 1ull << 40,
                                   ENTRY_COPIED | (64ull << 20)};
    const uint64_t l2_entries[] = {ENTRY_COPIED | 0x200, 0x3200, ENTRY_COPIED | 64ull << 20};
    uint64_t l1, l2;
    for (size_t i = 0; i < ARRAY_LEN(l1_entries); i++) {
        struct file_double *d = with_cluster(&l1, &l2);
        put_be64(d->bytes + l1, l1_entries[i]);
        damaged(d);
    }
    for (size_t i = 0; i < ARRAY_LEN(l2_entries); i++) {
        struct file_double *d = with_cluster(&l1, &l2);
        put_be64(d->bytes + l2, l2_entries[i]);
        damaged(d);
    }
}
END_TEST

START_TEST(a_compressed_cluster_that_cannot_be_unpacked_is_a_read_error_and_no_damage)
{
    uint64_t l1, l2;
    uint8_t bytes[SECTOR_BYTES];
    struct file_double *d = with_cluster(&l1, &l2);
    put_be64(d->bytes + l2, ENTRY_COMPRESSED | 0x5000);
    struct disk *image = open_double(d, false, false);
    ck_assert_int_eq(image->ops->read(image, 0, bytes, sizeof bytes), BLOCK_IO_ERROR);
    ck_assert_int_eq(write_stamped(image, 1000, 1, 6), BLOCK_OK);
    disk_close(image);
}
END_TEST

START_TEST(refcounts_that_call_a_table_free_do_not_let_it_be_overwritten)
{
    uint64_t l1, l2;
    struct file_double *d = with_cluster(&l1, &l2);
    uint8_t before[4096];
    memset(d->bytes + 2 * 4096, 0, 4096); /* the refcount block: everything is free */
    memcpy(before, d->bytes + l2, sizeof before);
    struct disk *image = open_double(d, false, false);
    ck_assert_int_eq(write_stamped(image, 64, 8, 6), BLOCK_IO_ERROR);
    ck_assert_mem_eq(d->bytes + l2, before, sizeof before);
    disk_close(image);
}
END_TEST

START_TEST(check_repairs_refcounts_and_flags)
{
    uint64_t l1, l2;
    struct error err;
    struct file_double *d = with_cluster(&l1, &l2);
    memset(d->bytes + 2 * 4096, 0, 10);
    d->bytes[2 * 4096 + 2 * 20 + 1] = 3;
    put_be64(d->bytes + l2, get_be64(d->bytes + l2) & ~ENTRY_COPIED);
    d->size = max_u64(d->size, 30 * 4096);
    struct qcow2_check check = {0}, repair = {.fix_errors = true, .fix_leaks = true};
    struct disk *image = open_double(d, false, false);
    ck_assert(qcow2_check(image, &check, &err));
    ck_assert_uint_eq(check.errors, 6);
    ck_assert_uint_eq(check.leaks, 1);
    ck_assert(qcow2_check(image, &repair, &err));
    ck_assert_uint_eq(repair.fixed_errors, 6);
    check_tables(image, false);
    disk_close(image);
}
END_TEST

START_TEST(an_image_that_was_not_closed_is_repaired_when_it_is_opened_for_writing)
{
    uint64_t l1, l2;
    struct file_double *d = with_cluster(&l1, &l2);
    memset(d->bytes + 2 * 4096, 0, 4096);
    put_be64(d->bytes + HEADER_INCOMPATIBLE, INCOMPATIBLE_DIRTY);
    struct disk *image = open_double(d, true, false);
    ck_assert_uint_eq(d->writes, 0);
    disk_close(image);
    d = with_cluster(&l1, &l2);
    memset(d->bytes + 2 * 4096, 0, 4096);
    put_be64(d->bytes + HEADER_INCOMPATIBLE, INCOMPATIBLE_DIRTY);
    image = open_double(d, false, false);
    check_tables(image, false);
    ck_assert_uint_eq(get_be64(d->bytes + HEADER_INCOMPATIBLE), 0);
    ck_assert_int_eq(write_stamped(image, 64, 8, 6), BLOCK_OK);
    check_tables(image, false);
    disk_close(image);
}
END_TEST

START_TEST(autoclear_bits_go_at_the_first_opening_for_writing)
{
    struct file_double *d = format_double(&plain, MIB);
    put_be64(d->bytes + HEADER_AUTOCLEAR, 3);
    struct disk *image = open_double(d, false, false);
    ck_assert_uint_eq(get_be64(d->bytes + HEADER_AUTOCLEAR), 0);
    disk_close(image);
}
END_TEST

/* ---- anything at all ---- */

/* Whatever a file holds: an error or answers, never a crash. */
START_TEST(random_damage_is_survived)
{
    uint64_t l1, l2, random = (uint64_t)_i + 1;
    uint8_t bytes[4096];
    struct error err;
    for (int round = 0; round < 300; round++) {
        struct file_double *d = with_cluster(&l1, &l2);
        for (uint64_t n = 1 + next_random(&random) % 6; n; n--) {
            uint64_t at = next_random(&random) % 4 ? next_random(&random) % 120
                                                   : next_random(&random) % d->size;
            d->bytes[at] = (uint8_t)next_random(&random);
        }
        struct disk_options o = {.path = "disk.qcow2"};
        struct disk *image = qcow2_open(&d->file, &o, &err);
        if (!image) {
            file_close(&d->file);
            continue;
        }
        image->read_only = false;
        if (image->ops->begin_writing(image, &err) && image->bytes >= sizeof bytes) {
            for (uint64_t at = 0; at + sizeof bytes <= min_u64(image->bytes, MIB / 4);
                 at += sizeof bytes) {
                (void)image->ops->read(image, at, bytes, sizeof bytes);
                (void)image->ops->write(image, at, bytes, 512);
            }
            (void)image->ops->flush(image);
        }
        disk_close(image);
    }
}
END_TEST

/* ---- chains ---- */

START_TEST(a_chain_that_loops_or_breaks_is_refused)
{
    if (lacks("qemu-img"))
        return;
    struct error err;
    ck_assert_int_eq(shell("qemu-img create -q -f qcow2 a 1M; qemu-img create -q -u -f qcow2 -b a "
                           "-F qcow2 b 1M; qemu-img rebase -u -b b -F qcow2 a; qemu-img create -q "
                           "-u -f qcow2 -b missing -F raw c 1M; qemu-img create -q -u -f qcow2 -b "
                           "nbd:host:1 -F raw d 1M"),
                     0);
    ck_assert_ptr_null(disk_open(&(struct disk_options){.path = "a"}, &err));
    ck_assert_msg(strstr(err.text, "its own backing file") != NULL, "%s", err.text);
    ck_assert_ptr_null(disk_open(&(struct disk_options){.path = "c"}, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot open missing"));
    ck_assert_ptr_nonnull(strstr(err.text, "backing file of c"));
    ck_assert_ptr_null(disk_open(&(struct disk_options){.path = "d"}, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "only files are supported"));
}
END_TEST

static Suite *bad_suite(void)
{
    Suite *suite = suite_create("qcow2_bad");
    TCase *tc = tcase_create("qcow2_bad");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, enter_temp_folder, leave_temp_folder);
    tcase_add_test(tc, each_header_field_that_makes_no_sense_is_refused_by_name);
    tcase_add_test(tc, a_file_that_was_cut_short_is_refused);
    tcase_add_test(tc, a_table_entry_that_points_to_nowhere_stops_all_writing);
    tcase_add_test(tc, a_compressed_cluster_that_cannot_be_unpacked_is_a_read_error_and_no_damage);
    tcase_add_test(tc, refcounts_that_call_a_table_free_do_not_let_it_be_overwritten);
    tcase_add_test(tc, check_repairs_refcounts_and_flags);
    tcase_add_test(tc, an_image_that_was_not_closed_is_repaired_when_it_is_opened_for_writing);
    tcase_add_test(tc, autoclear_bits_go_at_the_first_opening_for_writing);
    tcase_add_loop_test(tc, random_damage_is_survived, 0, 4);
    tcase_add_test(tc, a_chain_that_loops_or_breaks_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(bad_suite());
}

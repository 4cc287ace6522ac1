/* devices/block/block.c, disk.c, raw.c, file.c: requests, chains, locks. */
#include "devices/block/block.h"

#include "base/os.h"
#include "devices/block/disk.h"
#include "tests/unit/disk_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

static struct block *open_block(const struct block_options *o)
{
    struct error err;
    struct block *b = block_open(o, &err);
    ck_assert_msg(b != NULL, "%s", err.text);
    return b;
}

static void refused(const struct block_options *o, const char *reason)
{
    struct error err;
    ck_assert_ptr_null(block_open(o, &err));
    ck_assert_msg(strstr(err.text, reason) && !strchr(err.text, '\n'), "%s", err.text);
}

static enum block_status request(struct block *b, enum block_op op, uint64_t offset, uint64_t bytes,
                                 uint8_t *buffer)
{
    struct block_request r = {
        .op = op, .offset = offset, .bytes = bytes, .buffer = buffer, .may_unmap = true};
    block_submit(b, &r);
    block_wait(b, &r);
    return r.status;
}

static enum block_status put(struct block *b, uint64_t sector, uint64_t stamp)
{
    uint8_t bytes[SECTOR_BYTES];
    stamp_sector(bytes, stamp);
    return request(b, BLOCK_WRITE, sector * SECTOR_BYTES, sizeof bytes, bytes);
}

static uint64_t get(struct block *b, uint64_t sector)
{
    uint8_t bytes[SECTOR_BYTES];
    ck_assert_int_eq(request(b, BLOCK_READ, sector * SECTOR_BYTES, sizeof bytes, bytes), BLOCK_OK);
    return sector_stamp(bytes);
}

static void make_raw(const char *path, uint64_t bytes)
{
    ck_assert_int_eq(shell("truncate -s %lu %s", bytes, path), 0);
}

/* ---- the queue ---- */

static void count(void *owner)
{
    atomic_fetch_add((atomic_uint *)owner, 1);
}

START_TEST(every_request_comes_back_once_with_its_bytes)
{
    enum { REQUESTS = 200 };
    struct block_request *r = calloc(REQUESTS, sizeof *r);
    uint8_t *bytes = calloc(REQUESTS, SECTOR_BYTES);
    atomic_uint hooked = 0;
    make_raw("disk.raw", 1 << 20);
    struct block *b = open_block(&(struct block_options){.path = "disk.raw", .format = "raw"});
    block_on_done(b, count, &hooked);
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < REQUESTS; i++) {
            r[i] = (struct block_request){.op = round ? BLOCK_READ : BLOCK_WRITE,
                                          .offset = i * SECTOR_BYTES,
                                          .bytes = SECTOR_BYTES,
                                          .buffer = bytes + i * SECTOR_BYTES,
                                          .owner = &r[i]};
            if (!round)
                stamp_sector(r[i].buffer, i + 1);
            else
                memset(r[i].buffer, 0, SECTOR_BYTES);
            block_submit(b, &r[i]);
        }
        block_wait(b, &r[REQUESTS / 2]); /* out of order */
        for (unsigned taken = 1; taken < REQUESTS;) {
            struct block_request *done = block_take_done(b);
            if (!done)
                continue;
            must(done->status == BLOCK_OK && done->owner == done && done != &r[REQUESTS / 2],
                 "a request came back wrong");
            done->owner = NULL;
            taken++;
        }
    }
    for (uint64_t i = 0; i < REQUESTS; i++)
        must(sector_stamp(bytes + i * SECTOR_BYTES) == i + 1, "wrong bytes");
    ck_assert_ptr_null(block_take_done(b));
    ck_assert_uint_eq(atomic_load(&hooked), 2 * REQUESTS);
    block_close(b);
    free(bytes);
    free(r);
}
END_TEST

START_TEST(what_was_done_is_counted_by_kind_and_failures_apart)
{
    make_raw("disk.raw", 1 << 20);
    struct block *b = open_block(&(struct block_options){.path = "disk.raw", .format = "raw"});
    ck_assert_int_eq(put(b, 3, 1), BLOCK_OK);
    ck_assert_int_eq(put(b, 7, 2), BLOCK_OK);
    ck_assert_int_eq(request(b, BLOCK_FLUSH, 0, 0, NULL), BLOCK_OK);
    struct block_traffic writes = block_traffic(b, BLOCK_WRITE);
    ck_assert_uint_eq(writes.operations, 2);
    ck_assert_uint_eq(writes.bytes, 2 * SECTOR_BYTES);
    ck_assert_uint_eq(writes.end, 8 * SECTOR_BYTES);
    ck_assert_uint_gt(writes.host_ns, 0);
    ck_assert_uint_eq(block_traffic(b, BLOCK_FLUSH).operations, 1);
    ck_assert_uint_eq(block_traffic(b, BLOCK_READ).operations, 0);
    ck_assert_int_eq(block_close(b), BLOCK_OK);
    b = open_block(&(struct block_options){.path = "disk.raw", .format = "raw", .read_only = true});
    ck_assert_int_eq(put(b, 3, 1), BLOCK_IO_ERROR);
    ck_assert_uint_eq(block_traffic(b, BLOCK_WRITE).operations, 0);
    ck_assert_uint_eq(block_traffic(b, BLOCK_WRITE).failed, 1);
    ck_assert_int_eq(block_close(b), BLOCK_OK);
}
END_TEST

START_TEST(closing_performs_what_was_submitted)
{
    uint8_t bytes[SECTOR_BYTES];
    stamp_sector(bytes, 77);
    make_raw("disk.raw", 4096);
    struct block_options o = {.path = "disk.raw", .format = "raw"};
    struct block *b = open_block(&o);
    struct block_request r = {.op = BLOCK_WRITE, .bytes = sizeof bytes, .buffer = bytes};
    block_submit(b, &r);
    block_close(b);
    b = open_block(&o);
    ck_assert_uint_eq(get(b, 0), 77);
    block_close(b);
}
END_TEST

START_TEST(a_read_only_disk_takes_no_change)
{
    make_raw("disk.raw", 4096);
    struct block *b =
        open_block(&(struct block_options){.path = "disk.raw", .format = "raw", .read_only = true});
    ck_assert(block_is_read_only(b));
    ck_assert_int_eq(put(b, 0, 1), BLOCK_IO_ERROR);
    ck_assert_int_eq(request(b, BLOCK_DISCARD, 0, 512, NULL), BLOCK_IO_ERROR);
    ck_assert_int_eq(request(b, BLOCK_FLUSH, 0, 0, NULL), BLOCK_OK);
    ck_assert_uint_eq(get(b, 0), 0);
    block_close(b);
}
END_TEST

START_TEST(a_discard_is_ignored_unless_the_option_asks_for_it)
{
    make_raw("disk.raw", 1 << 20);
    for (unsigned unmap = 0; unmap < 2; unmap++) {
        struct block *b = open_block(
            &(struct block_options){.path = "disk.raw",
                                    .format = "raw",
                                    .discard = unmap ? BLOCK_DISCARD_UNMAP : BLOCK_DISCARD_IGNORE});
        ck_assert_int_eq(put(b, 3, 9), BLOCK_OK);
        ck_assert_int_eq(request(b, BLOCK_DISCARD, 0, 1 << 20, NULL), BLOCK_OK);
        ck_assert_uint_eq(get(b, 3), unmap ? 0 : 9);
        ck_assert_int_eq(put(b, 3, 9), BLOCK_OK);
        ck_assert_int_eq(request(b, BLOCK_WRITE_ZEROES, 512, 4096, NULL), BLOCK_OK);
        ck_assert_uint_eq(get(b, 3), 0);
        block_close(b);
    }
}
END_TEST

START_TEST(a_snapshot_disk_leaves_its_file_alone)
{
    make_raw("disk.raw", 1 << 20);
    struct block *b =
        open_block(&(struct block_options){.path = "disk.raw", .format = "raw", .snapshot = true});
    ck_assert(!block_is_read_only(b));
    ck_assert_int_eq(put(b, 5, 9), BLOCK_OK);
    ck_assert_int_eq(request(b, BLOCK_FLUSH, 0, 0, NULL), BLOCK_OK);
    ck_assert_uint_eq(get(b, 5), 9);
    block_close(b);
    ck_assert_int_eq(shell("cmp -n 1048576 disk.raw /dev/zero"), 0);
}
END_TEST

/* Counts what a cache mode does with its syncs. */
START_TEST(writethrough_writes_qcow2_tables_at_once_and_writeback_at_a_flush)
{
    struct error err;
    for (int mode = BLOCK_CACHE_WRITEBACK; mode <= BLOCK_CACHE_UNSAFE; mode++) {
        struct file *f = file_create("disk.qcow2", &err);
        struct qcow2_format format = {
            .bytes = 1 << 20, .version = 3, .cluster_bits = 16, .refcount_order = 4};
        ck_assert(qcow2_format(f, &format, &err));
        file_close(f);
        struct block *b = open_block(
            &(struct block_options){.path = "disk.qcow2", .cache = (enum block_cache)mode});
        ck_assert_int_eq(put(b, 0, 5), BLOCK_OK);
        ck_assert_int_eq(shell("cp disk.qcow2 copy.qcow2"), 0);
        struct block *copy = open_block(&(struct block_options){.path = "copy.qcow2"});
        ck_assert_uint_eq(get(copy, 0), mode == BLOCK_CACHE_WRITETHROUGH ? 5 : 0);
        block_close(copy);
        ck_assert_int_eq(request(b, BLOCK_FLUSH, 0, 0, NULL), BLOCK_OK);
        ck_assert_int_eq(shell("cp disk.qcow2 copy.qcow2"), 0);
        copy = open_block(&(struct block_options){.path = "copy.qcow2"});
        ck_assert_uint_eq(get(copy, 0), mode == BLOCK_CACHE_UNSAFE ? 0 : 5);
        block_close(copy);
        block_close(b);
    }
}
END_TEST

START_TEST(a_full_host_is_reported_and_the_write_can_be_tried_again)
{
    struct rlimit limit = {1 << 20, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    make_raw("disk.raw", 1 << 20);
    ck_assert_int_eq(shell("truncate -s 900K disk.raw"), 0);
    struct error err;
    struct disk_options o = {.path = "disk.raw", .format = "raw"};
    struct disk *disk = disk_open(&o, &err);
    ck_assert_ptr_nonnull(disk);
    ck_assert(disk->ops->resize(disk, 2 << 20, &err));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum block_status status = write_stamped(disk, 2048, 8, 1);
    ck_assert_int_eq(status, EFBIG);
    ck_assert(block_wants_space(status));
    ck_assert(!disk->ops->resize(disk, 4 << 20, &err));
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(write_stamped(disk, 2048, 8, 1), BLOCK_OK);
    ck_assert_int_eq(disk_finish(disk), BLOCK_OK);
}
END_TEST

/* Each of several requests in flight has its own stripe of sectors, all of them share clusters. */
START_TEST(requests_in_flight_together_leave_a_clean_image)
{
    enum { DEPTH = 16, STRIPES = 256, ROUNDS = 3000 };
    struct error err;
    struct file *f = file_create("disk.qcow2", &err);
    struct qcow2_format format = {.bytes = (uint64_t)STRIPES * DEPTH * SECTOR_BYTES,
                                  .version = 3,
                                  .cluster_bits = 12,
                                  .refcount_order = 4};
    ck_assert(qcow2_format(f, &format, &err));
    file_close(f);
    struct block_options o = {.path = "disk.qcow2", .discard = BLOCK_DISCARD_UNMAP};
    struct block *b = open_block(&o);
    struct block_request r[DEPTH] = {0};
    uint8_t bytes[DEPTH][SECTOR_BYTES];
    uint64_t shadow[STRIPES][DEPTH] = {{0}}, random = 9;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t slot = i % DEPTH, stripe = next_random(&random) % STRIPES;
        if (i >= DEPTH)
            block_wait(b, &r[slot]);
        must(i < DEPTH || r[slot].status == BLOCK_OK, "a request failed");
        if (r[slot].op == BLOCK_READ && i >= DEPTH)
            must(sector_stamp(bytes[slot]) == shadow[r[slot].offset / SECTOR_BYTES / DEPTH][slot],
                 "a sector is wrong");
        const enum block_op ops[] = {BLOCK_WRITE, BLOCK_WRITE,        BLOCK_WRITE, BLOCK_READ,
                                     BLOCK_READ,  BLOCK_WRITE_ZEROES, BLOCK_FLUSH};
        enum block_op op = ops[next_random(&random) % (i % 64 ? 6 : 7)];
        if (op == BLOCK_WRITE)
            stamp_sector(bytes[slot], i + 1);
        if (op == BLOCK_WRITE || op == BLOCK_WRITE_ZEROES)
            shadow[stripe][slot] = op == BLOCK_WRITE ? i + 1 : 0;
        r[slot] = (struct block_request){.op = op,
                                         .offset = (stripe * DEPTH + slot) * SECTOR_BYTES,
                                         .bytes = SECTOR_BYTES,
                                         .buffer = bytes[slot],
                                         .may_unmap = true};
        block_submit(b, &r[slot]);
    }
    block_close(b);
    b = open_block(&o);
    for (uint64_t s = 0; s < (uint64_t)STRIPES * DEPTH; s += 7)
        must(get(b, s) == shadow[s / DEPTH][s % DEPTH], "a sector is wrong after opening again");
    block_close(b);
    struct disk *image =
        disk_open(&(struct disk_options){.path = "disk.qcow2", .read_only = true}, &err);
    check_tables(image, false);
    disk_close(image);
}
END_TEST

/* ---- raw files ---- */

START_TEST(a_raw_file_that_ends_inside_a_sector_is_filled_up_with_zeroes)
{
    ck_assert_int_eq(shell("printf abc >disk.raw"), 0);
    struct block *b = open_block(&(struct block_options){.path = "disk.raw", .format = "raw"});
    uint8_t bytes[SECTOR_BYTES];
    ck_assert_uint_eq(block_bytes(b), SECTOR_BYTES);
    ck_assert_int_eq(request(b, BLOCK_READ, 0, sizeof bytes, bytes), BLOCK_OK);
    ck_assert_mem_eq(bytes, "abc\0\0", 5);
    block_close(b);
}
END_TEST

START_TEST(a_guest_cannot_turn_a_guessed_raw_disk_into_another_format)
{
    uint8_t header[SECTOR_BYTES] = {'Q', 'F', 'I', 0xfb};
    make_raw("disk.raw", 4096);
    struct block *b = open_block(&(struct block_options){.path = "disk.raw"});
    ck_assert_int_eq(request(b, BLOCK_WRITE, 0, sizeof header, header), BLOCK_IO_ERROR);
    ck_assert_int_eq(request(b, BLOCK_WRITE, 512, sizeof header, header), BLOCK_OK);
    block_close(b);
    b = open_block(&(struct block_options){.path = "disk.raw", .format = "raw"});
    ck_assert_int_eq(request(b, BLOCK_WRITE, 0, sizeof header, header), BLOCK_OK);
    block_close(b);
}
END_TEST

/* ---- what cannot be opened ---- */

START_TEST(what_is_no_disk_is_refused_in_one_line_that_says_why)
{
    ck_assert_int_eq(shell(": >empty; mkdir folder; mkfifo pipe; printf KDMV >v.vmdk; "
                           "truncate -s 1M v.vmdk; printf 'QFI\\373' >short.qcow2"),
                     0);
    refused(&(struct block_options){.path = "missing"}, "cannot open missing");
    refused(&(struct block_options){.path = "empty"}, "it is empty");
    refused(&(struct block_options){.path = "folder"}, "directory");
    refused(&(struct block_options){.path = "pipe"}, "neither a regular file");
    refused(&(struct block_options){.path = "v.vmdk"}, "VMware");
    refused(&(struct block_options){.path = "short.qcow2"}, "too short");
    refused(&(struct block_options){.path = "v.vmdk", .format = "vdi"}, "'vdi' is not known");
    refused(&(struct block_options){.path = "v.vmdk", .format = "qcow2"}, "not a qcow2 image");
}
END_TEST

/* ---- locks ---- */

START_TEST(a_second_writer_is_refused_and_readers_share)
{
    make_raw("disk.raw", 4096);
    struct block_options write = {.path = "disk.raw", .format = "raw"}, read = write;
    read.read_only = true;
    struct block *b = open_block(&write);
    refused(&write, "another program is using it");
    refused(&read, "another program is using it");
    block_close(b);
    b = open_block(&read);
    struct block *second = open_block(&read);
    refused(&write, "another program is using it");
    block_close(second);
    block_close(b);
    block_close(open_block(&write));
}
END_TEST

START_TEST(qemu_respects_our_locks)
{
    if (lacks("qemu-img"))
        return;
    ck_assert_int_eq(shell("qemu-img create -q -f qcow2 disk.qcow2 1M"), 0);
    struct block_options write = {.path = "disk.qcow2", .format = "qcow2"}, read = write;
    read.read_only = true;
    struct block *b = open_block(&write);
    ck_assert_int_ne(shell("qemu-io -f qcow2 -c 'write 0 512' disk.qcow2 >/dev/null 2>&1"), 0);
    ck_assert_int_ne(shell("qemu-img info disk.qcow2 >/dev/null 2>&1"), 0);
    ck_assert_int_eq(shell("qemu-img info -U disk.qcow2 >/dev/null"), 0);
    block_close(b);
    b = open_block(&read);
    ck_assert_int_eq(shell("qemu-img info disk.qcow2 >/dev/null"), 0);
    ck_assert_int_ne(shell("qemu-io -f qcow2 -c 'write 0 512' disk.qcow2 >/dev/null 2>&1"), 0);
    block_close(b);
    ck_assert_int_eq(shell("qemu-io -f qcow2 -c 'write 0 512' disk.qcow2 >/dev/null"), 0);
}
END_TEST

START_TEST(we_respect_the_locks_of_qemu)
{
    if (lacks("qemu-img"))
        return;
    ck_assert_int_eq(shell("qemu-img create -q -f qcow2 disk.qcow2 1M"), 0);
    struct block_options write = {.path = "disk.qcow2", .format = "qcow2"}, read = write;
    read.read_only = true;
    for (int writer = 0; writer < 2; writer++) { /* it runs until its input ends */
        unlink("out");
        FILE *qemu = popen(writer ? "qemu-io -f qcow2 disk.qcow2 >out"
                                  : "qemu-io -r -f qcow2 disk.qcow2 >out",
                           "w");
        ck_assert_ptr_nonnull(qemu);
        fprintf(qemu, "read 0 512\n");
        fflush(qemu);
        for (int i = 0; i < 500 && shell("grep -qs read out") != 0; i++)
            usleep(20000);
        refused(&write, "another program is using it");
        if (writer)
            refused(&read, "another program is using it");
        else
            block_close(open_block(&read));
        pclose(qemu);
    }
    block_close(open_block(&write));
}
END_TEST

static Suite *block_suite(void)
{
    Suite *suite = suite_create("block");
    TCase *tc = tcase_create("block");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, enter_temp_folder, leave_temp_folder);
    tcase_add_test(tc, every_request_comes_back_once_with_its_bytes);
    tcase_add_test(tc, what_was_done_is_counted_by_kind_and_failures_apart);
    tcase_add_test(tc, closing_performs_what_was_submitted);
    tcase_add_test(tc, a_read_only_disk_takes_no_change);
    tcase_add_test(tc, a_discard_is_ignored_unless_the_option_asks_for_it);
    tcase_add_test(tc, a_snapshot_disk_leaves_its_file_alone);
    tcase_add_test(tc, writethrough_writes_qcow2_tables_at_once_and_writeback_at_a_flush);
    tcase_add_test(tc, a_full_host_is_reported_and_the_write_can_be_tried_again);
    tcase_add_test(tc, requests_in_flight_together_leave_a_clean_image);
    tcase_add_test(tc, a_raw_file_that_ends_inside_a_sector_is_filled_up_with_zeroes);
    tcase_add_test(tc, a_guest_cannot_turn_a_guessed_raw_disk_into_another_format);
    tcase_add_test(tc, what_is_no_disk_is_refused_in_one_line_that_says_why);
    tcase_add_test(tc, a_second_writer_is_refused_and_readers_share);
    tcase_add_test(tc, qemu_respects_our_locks);
    tcase_add_test(tc, we_respect_the_locks_of_qemu);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(block_suite());
}

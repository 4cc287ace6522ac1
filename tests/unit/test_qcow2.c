/* devices/block/qcow2*.c: reading, writing, tables; power cuts. */
#include "tests/unit/disk_rig.h"

#include "devices/block/qcow2.h"
#include "tests/unit/suite.h"

#define MIB (1ull << 20)

/* ---- random changes against a shadow ---- */

struct play {
    struct disk *image;
    struct file_double *file; /* of the image */
    uint64_t sectors, *shadow;
    uint64_t random, stamp;
    uint64_t reach; /* changes are made in the first sectors; all of them in the end */
};

static struct play play_start(struct file_double *file, struct disk *image, uint64_t seed)
{
    struct play p = {.image = image,
                     .file = file,
                     .sectors = image->bytes / SECTOR_BYTES,
                     .random = seed,
                     .stamp = 1};
    p.reach = p.sectors;
    p.shadow = read_stamps(image);
    return p;
}

static void play_end(struct play *p)
{
    free(p->shadow);
    disk_close(p->image);
}

/* A random write, zeroing or discard, told to `wrote`. */
static void change(struct play *p,
                   void (*wrote)(void *owner, uint64_t first, uint64_t n, uint64_t stamp),
                   void *owner)
{
    uint64_t first = next_random(&p->random) % p->reach;
    uint64_t most = next_random(&p->random) % 4 ? 24 : 200;
    uint64_t n = 1 + next_random(&p->random) % min_u64(most, p->sectors - first);
    unsigned kind = next_random(&p->random) % 8;
    const struct disk_ops *ops = p->image->ops;
    enum block_status status;
    uint64_t stamp = kind < 6 ? ++p->stamp << 32 | first : 0;
    if (kind < 6)
        status = write_stamped(p->image, first, n, stamp);
    else
        status = ops->zero(p->image, first * SECTOR_BYTES, n * SECTOR_BYTES, kind == 7);
    ck_assert_int_eq(status, BLOCK_OK);
    for (uint64_t s = first; s < first + n; s++)
        p->shadow[s] = stamp;
    if (wrote)
        wrote(owner, first, n, stamp);
}

static void compare_shadow(const struct play *p)
{
    uint64_t *stamps = read_stamps(p->image);
    ck_assert_mem_eq(stamps, p->shadow, p->sectors * sizeof *stamps);
    free(stamps);
}

static void play_and_reopen(const struct qcow2_format *format, bool backed, uint64_t seed)
{
    struct file_double *d = format_double(format, 64 * MIB);
    struct disk *image = open_double(d, false, seed & 1);
    if (backed)
        image->backing = backing_double(image->bytes / SECTOR_BYTES * 3 / 4, 7000);
    struct play p = play_start(d, image, seed * 77 + 1);
    for (int i = 0; i < 100; i++)
        change(&p, NULL, NULL);
    compare_shadow(&p);
    check_tables(image, false);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);

    struct file_double *copy = file_double_copy(d);
    struct disk *again = open_double(copy, true, false);
    again->backing = image->backing;
    uint64_t *stamps = read_stamps(again);
    ck_assert_mem_eq(stamps, p.shadow, p.sectors * sizeof *stamps);
    free(stamps);
    check_tables(again, true); /* what was given up last is not written yet */
    again->backing = NULL;
    disk_close(again);
    play_end(&p);
}

START_TEST(random_changes_read_back_and_leave_clean_tables_in_every_geometry)
{
    for (unsigned cluster_bits = 9; cluster_bits <= 16; cluster_bits++)
        for (unsigned order = 0; order <= 6; order += cluster_bits % 2 + 1)
            for (unsigned version = order == 4 ? 2 : 3; version <= 3; version++) {
                struct qcow2_format f = {.bytes = MIB + 512 * 3,
                                         .version = version,
                                         .cluster_bits = cluster_bits,
                                         .refcount_order = order};
                play_and_reopen(&f, false, cluster_bits * 8 + order);
                play_and_reopen(&f, true, cluster_bits * 8 + order);
            }
}
END_TEST

/* ---- power cuts ---- */

/* What each sector may hold after a cut: its flushed stamp, or one written after that flush. */
struct history {
    struct play *play;
    struct written {
        uint64_t first, n, stamp;
        size_t event; /* of the file, before the write began */
    } * writes;
    size_t count;
    struct flushed {
        uint64_t *shadow;
        size_t event; /* after the flush */
        size_t writes;
    } flushes[64];
    size_t flush_count;
};

static void remember(void *owner, uint64_t first, uint64_t n, uint64_t stamp)
{
    struct history *h = owner;
    h->writes[h->count++] = (struct written){first, n, stamp, h->play->file->count};
}

static void remember_flush(struct history *h)
{
    struct flushed *f = &h->flushes[h->flush_count++];
    f->shadow = malloc(h->play->sectors * sizeof *f->shadow);
    memcpy(f->shadow, h->play->shadow, h->play->sectors * sizeof *f->shadow);
    f->event = h->play->file->count;
    f->writes = h->count;
}

static bool may_hold(const struct history *h, const struct flushed *f, uint64_t sector,
                     uint64_t stamp)
{
    if (f->shadow[sector] == stamp)
        return true;
    for (size_t i = f->writes; i < h->count; i++)
        if (h->writes[i].stamp == stamp && sector >= h->writes[i].first &&
            sector < h->writes[i].first + h->writes[i].n)
            return true;
    return false;
}

static void check_after_cut(const struct history *h, struct disk *image, size_t event)
{
    size_t last = 0;
    while (last + 1 < h->flush_count && h->flushes[last + 1].event <= event)
        last++;
    uint64_t *stamps = read_stamps(image);
    for (uint64_t s = 0; s < h->play->sectors; s++)
        if (!may_hold(h, &h->flushes[last], s, stamps[s]))
            ck_abort_msg("cut behind event %zu: sector %lu holds %lx, flushed was %lx", event, s,
                         stamps[s], h->flushes[last].shadow[s]);
    free(stamps);
}

/* Whether QEMU finds no corruption; leaks are no corruption. */
static void ask_qemu(const struct file_double *d)
{
    char path[] = "/tmp/test_qcow2.XXXXXX", command[200];
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    file_double_save(d, path);
    snprintf(command, sizeof command,
             "command -v qemu-img >/dev/null || exit 0; qemu-img check -q -f qcow2 %s 2>/dev/null; "
             "s=$?; [ $s -eq 0 ] || [ $s -eq 3 ]",
             path);
    ck_assert_int_eq(system(command), 0);
    remove(path);
}

/* The first `filled` sectors are written before the cuts begin. */
static void cut_everywhere(const struct qcow2_format *format, bool backed, uint64_t seed,
                           uint64_t filled)
{
    struct file_double *before = format_double(format, 16 * MIB);
    if (filled) {
        struct disk *image = open_double(before, false, false);
        ck_assert_int_eq(write_stamped(image, 0, filled, 9), BLOCK_OK);
        ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
        struct file_double *copy = file_double_copy(before);
        disk_close(image);
        before = copy;
    }
    struct file_double *d = file_double_copy(before);
    struct disk *image = open_double(d, false, seed & 1);
    struct disk *backing = backed ? backing_double(image->bytes / SECTOR_BYTES, 5000) : NULL;
    image->backing = backing;
    struct play p = play_start(d, image, seed);
    struct history h = {.play = &p, .writes = calloc(1000, sizeof h.writes[0])};
    d->records = true;
    remember_flush(&h);
    if (seed % 3 == 0) /* tables are written and dropped all the time */
        qcow2_of(image)->l2.limit = qcow2_of(image)->refblocks.limit = 2;
    for (uint64_t i = 1; i <= 60; i++) {
        p.reach = p.sectors * i / 60; /* new tables come late, to clusters that were used before */
        change(&p, remember, &h);
        if (next_random(&p.random) % 6 == 0) {
            ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
            remember_flush(&h);
        }
    }
    for (size_t event = 0; event <= d->count; event++)
        for (uint64_t draw = 0; draw < 3; draw++) {
            struct file_double *cut =
                file_double_after_cut(before, d, event, draw ? event * 8 + draw : 0);
            if (draw == 1 && event % 67 == 0)
                ask_qemu(cut);
            struct disk *found = open_double(cut, true, false);
            found->backing = backing;
            check_tables(found, true);
            check_after_cut(&h, found, event);
            found->backing = NULL;
            disk_close(found);
        }
    for (size_t i = 0; i < h.flush_count; i++)
        free(h.flushes[i].shadow);
    free(h.writes);
    play_end(&p);
    file_close(&before->file);
}

START_TEST(a_power_cut_at_any_write_keeps_what_was_flushed_and_at_most_leaks)
{
    struct qcow2_format f = {
        .bytes = MIB / 2, .version = 3, .cluster_bits = 9 + _i % 3, .refcount_order = 4};
    cut_everywhere(&f, _i & 1, (uint64_t)_i + 1, 0);
}
END_TEST

START_TEST(a_power_cut_while_the_refcount_table_moves_is_survived)
{
    struct qcow2_format f = {
        .bytes = 3 * MIB, .version = 3, .cluster_bits = 9, .refcount_order = 6};
    cut_everywhere(&f, false, 2, 3800);
}
END_TEST

/* ---- a full host ---- */

START_TEST(a_write_without_space_loses_nothing_and_can_be_tried_again)
{
    struct qcow2_format f = {
        .bytes = 4 * MIB, .version = 3, .cluster_bits = 10, .refcount_order = 4};
    struct file_double *d = format_double(&f, 64 * MIB);
    struct disk *image = open_double(d, false, false);
    struct play p = play_start(d, image, 5);
    uint64_t full = 0;
    for (uint64_t s = 0; s + 8 <= p.sectors; s += 8) {
        d->limit = min_u64(d->limit, d->size + 2100);
        enum block_status status;
        while ((status = write_stamped(image, s, 8, s + 1)) == BLOCK_NO_SPACE ||
               (s % 64 == 0 && (status = image->ops->flush(image)) == BLOCK_NO_SPACE)) {
            d->limit += 700;
            full++;
        }
        ck_assert_int_eq(status, BLOCK_OK);
        for (uint64_t i = s; i < s + 8; i++)
            p.shadow[i] = s + 1;
    }
    d->limit = d->capacity;
    ck_assert_uint_gt(full, 100);
    compare_shadow(&p);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
    check_tables(image, false);
    play_end(&p);
}
END_TEST

static Suite *qcow2_suite(void)
{
    Suite *suite = suite_create("qcow2");
    TCase *tc = tcase_create("qcow2");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, random_changes_read_back_and_leave_clean_tables_in_every_geometry);
    tcase_add_loop_test(tc, a_power_cut_at_any_write_keeps_what_was_flushed_and_at_most_leaks, 0,
                        12);
    tcase_add_test(tc, a_power_cut_while_the_refcount_table_moves_is_survived);
    tcase_add_test(tc, a_write_without_space_loses_nothing_and_can_be_tried_again);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(qcow2_suite());
}

/* devices/block/qcow2_snapshot.c: disks go back to what they were; power cuts on the way. */
#include "tests/unit/disk_rig.h"

#include "devices/block/qcow2.h"
#include "devices/block/qcow2_snapshot.h"
#include "tests/unit/suite.h"

#define MIB         (1ull << 20)
#define STATE_BYTES 300000u

static void create(struct disk *image, const char *name, struct qcow2_state *state)
{
    struct error err;
    struct qcow2_snapshot s = {.date_ns = 1234567890123456789, .clock_ns = 5, .icount = UINT64_MAX};
    snprintf(s.name, sizeof s.name, "%s", name);
    ck_assert_msg(qcow2_create_snapshot(image, &s, state, &err), "%s", err.text);
}

static void apply(struct disk *image, const char *name)
{
    struct error err;
    ck_assert_msg(qcow2_apply_snapshot(image, name, &err), "%s", err.text);
}

static void delete (struct disk *image, const char *name)
{
    struct error err;
    ck_assert_msg(qcow2_delete_snapshot(image, name, &err), "%s", err.text);
}

/* The bytes of a state that is known by its number. */
static uint8_t *state_of(unsigned number)
{
    uint8_t *bytes = malloc(STATE_BYTES);
    uint64_t random = number + 1;
    for (size_t i = 0; i < STATE_BYTES; i++)
        bytes[i] = (uint8_t)next_random(&random);
    return bytes;
}

/* In pieces, the first bytes last, as a machine's is written. */
static struct qcow2_state *written_state(struct disk *image, unsigned number)
{
    struct error err;
    struct qcow2_state *s = qcow2_state_create(image, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    uint8_t *bytes = state_of(number);
    for (uint64_t at = 4096, n; at < STATE_BYTES; at += n) {
        n = min_u64(70000, STATE_BYTES - at);
        ck_assert_int_eq(qcow2_state_write(s, at, bytes + at, n), BLOCK_OK);
    }
    ck_assert_int_eq(qcow2_state_write(s, 0, bytes, 4096), BLOCK_OK);
    free(bytes);
    return s;
}

static void check_state(struct disk *image, const char *name, unsigned number)
{
    struct error err;
    struct qcow2_snapshot *list;
    unsigned n, at = 0;
    ck_assert(qcow2_list_snapshots(image, &list, &n, &err));
    while (at < n && strcmp(list[at].name, name) != 0)
        at++;
    ck_assert_uint_lt(at, n);
    ck_assert_uint_eq(list[at].state_bytes, STATE_BYTES);
    uint8_t *right = state_of(number), *bytes = malloc(STATE_BYTES);
    ck_assert_int_eq(qcow2_read_state(image, &list[at], bytes, STATE_BYTES), BLOCK_OK);
    ck_assert_int_eq(memcmp(right, bytes, STATE_BYTES), 0);
    free(list);
    free(right);
    free(bytes);
}

static unsigned count(struct disk *image)
{
    struct error err;
    struct qcow2_snapshot *list;
    unsigned n;
    ck_assert_msg(qcow2_list_snapshots(image, &list, &n, &err), "%s", err.text);
    free(list);
    return n;
}

static void change(struct disk *image, uint64_t *random, uint64_t *stamp)
{
    uint64_t sectors = image->bytes / SECTOR_BYTES;
    for (int i = 0; i < 6; i++) {
        uint64_t first = next_random(random) % sectors;
        uint64_t n = 1 + next_random(random) % min_u64(60, sectors - first);
        if (next_random(random) % 4)
            ck_assert_int_eq(write_stamped(image, first, n, ++*stamp), BLOCK_OK);
        else
            ck_assert_int_eq(image->ops->zero(image, first * SECTOR_BYTES, n * SECTOR_BYTES,
                                              next_random(random) & 1),
                             BLOCK_OK);
    }
}

static void holds(struct disk *image, const uint64_t *shadow)
{
    uint64_t *stamps = read_stamps(image);
    ck_assert_int_eq(memcmp(stamps, shadow, image->bytes / SECTOR_BYTES * sizeof *stamps), 0);
    free(stamps);
}

static int qemu_check(const struct file_double *d)
{
    char path[] = "/tmp/test_qcow2.XXXXXX", command[200];
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    file_double_save(d, path);
    snprintf(command, sizeof command,
             "command -v qemu-img >/dev/null || exit 0; qemu-img check -q -f qcow2 %s", path);
    int status = system(command);
    remove(path);
    return status;
}

#define KEPT 6u

/* Random changes, and snapshots of them that come, are gone back to, and go. */
static void play(const struct qcow2_format *format, bool backed, uint64_t random)
{
    struct file_double *d = format_double(format, 64 * MIB);
    struct disk *image = open_double(d, false, random & 1);
    if (backed)
        image->backing = backing_double(image->bytes / SECTOR_BYTES * 3 / 4, 7000);
    uint64_t *shadows[KEPT] = {NULL}, stamp = 1;
    for (unsigned i = 0; i < 40; i++) {
        unsigned at = (unsigned)(next_random(&random) % KEPT);
        char name[8];
        snprintf(name, sizeof name, "kept%u", at);
        change(image, &random, &stamp);
        if (!shadows[at]) {
            create(image, name, at % 2 ? written_state(image, at) : NULL);
            shadows[at] = read_stamps(image);
        } else if (next_random(&random) % 2) {
            apply(image, name);
            holds(image, shadows[at]);
        } else {
            delete (image, name);
            free(shadows[at]);
            shadows[at] = NULL;
        }
        if (i % 8 == 0)
            check_tables(image, false);
    }
    for (unsigned at = 0; at < KEPT; at++) {
        char name[8];
        snprintf(name, sizeof name, "kept%u", at);
        if (!shadows[at])
            continue;
        if (at % 2)
            check_state(image, name, at);
        apply(image, name);
        holds(image, shadows[at]);
        delete (image, name);
        free(shadows[at]);
    }
    ck_assert_uint_eq(count(image), 0);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
    check_tables(image, false);
    if (!backed)
        ck_assert_int_eq(qemu_check(d), 0);
    disk_close(image);
}

START_TEST(disks_go_back_to_each_snapshot_and_nothing_leaks)
{
    static const struct qcow2_format formats[] = {
        {.bytes = MIB + 1536, .version = 3, .cluster_bits = 9, .refcount_order = 4},
        {.bytes = MIB + 1536, .version = 3, .cluster_bits = 10, .refcount_order = 3},
        {.bytes = 3 * MIB, .version = 3, .cluster_bits = 12, .refcount_order = 6},
        {.bytes = 2 * MIB, .version = 2, .cluster_bits = 12, .refcount_order = 4},
        {.bytes = 4 * MIB, .version = 3, .cluster_bits = 16, .refcount_order = 4},
    };
    play(&formats[_i / 2], _i % 2, (uint64_t)_i * 99 + 5);
}
END_TEST

/* ---- power cuts ---- */

enum step { CREATE, CREATE_WITH_STATE, APPLY, DELETE, STEPS };

static void take_step(struct disk *image, enum step step)
{
    if (step == CREATE || step == CREATE_WITH_STATE)
        create(image, "new", step == CREATE_WITH_STATE ? written_state(image, 3) : NULL);
    else if (step == APPLY)
        apply(image, "old");
    else
        delete (image, "old");
}

/* An image with two snapshots and changes behind each; *old is the first one's content. */
static struct file_double *prepared(const struct qcow2_format *format, uint64_t **old)
{
    uint64_t random = 77, stamp = 1;
    struct file_double *d = format_double(format, 16 * MIB);
    struct disk *image = open_double(d, false, false);
    change(image, &random, &stamp);
    create(image, "old", written_state(image, 1));
    *old = read_stamps(image);
    change(image, &random, &stamp);
    create(image, "other", NULL);
    change(image, &random, &stamp);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
    struct file_double *copy = file_double_copy(d);
    disk_close(image);
    return copy;
}

START_TEST(a_power_cut_at_any_write_leaves_what_was_or_what_is_to_be)
{
    struct qcow2_format f = {
        .bytes = MIB, .version = 3, .cluster_bits = 9 + _i / STEPS * 3, .refcount_order = 4};
    enum step step = (enum step)(_i % STEPS);
    uint64_t *old;
    struct file_double *before = prepared(&f, &old), *d = file_double_copy(before);
    struct disk *image = open_double(d, false, false);
    uint64_t *was = read_stamps(image);
    d->records = true;
    take_step(image, step);
    d->records = false;
    unsigned after = count(image), changed = 0;
    const uint64_t *is = step == APPLY ? old : was;
    for (size_t event = 0; event <= d->count; event++)
        for (uint64_t draw = 0; draw < 3; draw++) {
            struct file_double *cut =
                file_double_after_cut(before, d, event, draw ? event * 8 + draw : 0);
            if (draw == 1 && event % 11 == 0)
                ck_assert_int_eq(qemu_check(cut), 0);
            struct disk *found = open_double(cut, true, false);
            check_tables(found, false);
            bool is_new = step == APPLY ? qcow2_of(found)->header.l1_offset !=
                                              qcow2_of(image)->header.l1_offset
                                        : count(found) == after;
            if (step == APPLY)
                is_new = !is_new;
            changed += is_new;
            holds(found, is_new ? is : was);
            if (step != DELETE || !is_new)
                check_state(found, "old", 1);
            if (step == CREATE_WITH_STATE && is_new)
                check_state(found, "new", 3);
            disk_close(found);
        }
    ck_assert_uint_ge(changed, 1);
    free(was);
    free(old);
    disk_close(image);
    file_close(&before->file);
}
END_TEST

/* ---- what cannot be done ---- */

START_TEST(without_space_nothing_has_changed_and_it_can_be_tried_again)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 9, .refcount_order = 4};
    enum step step = (enum step)_i;
    struct error err;
    uint64_t *old;
    struct file_double *d = prepared(&f, &old);
    struct disk *image = open_double(d, false, false);
    uint64_t *was = read_stamps(image), size = d->size;
    struct qcow2_snapshot s = {.name = "new"};
    unsigned before = count(image), full = 0;
    for (uint64_t room = 0;; room += 3000, full++) {
        d->limit = size + room;
        struct qcow2_state *state = NULL;
        if (step == CREATE_WITH_STATE) {
            state = qcow2_state_create(image, &err);
            ck_assert_ptr_nonnull(state);
            if (qcow2_state_write(state, 0, old, 5000) != BLOCK_OK) {
                qcow2_state_abandon(state);
                continue;
            }
        }
        bool ok = step == APPLY    ? qcow2_apply_snapshot(image, "old", &err)
                  : step == DELETE ? qcow2_delete_snapshot(image, "old", &err)
                                   : qcow2_create_snapshot(image, &s, state, &err);
        if (ok)
            break;
        ck_assert_ptr_nonnull(strstr(err.text, "No space"));
        ck_assert_uint_eq(count(image), before);
        holds(image, was);
        check_tables(image, false);
    }
    ck_assert_uint_gt(full, 0);
    holds(image, step == APPLY ? old : was);
    check_tables(image, false);
    free(was);
    free(old);
    disk_close(image);
}
END_TEST

START_TEST(a_file_that_takes_nothing_loses_no_write_that_was_not_flushed)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 9, .refcount_order = 4};
    enum step step = (enum step)_i;
    struct error err;
    struct qcow2_snapshot s = {.name = "new"};
    uint64_t *old, random = 5, stamp = 1000;
    struct file_double *d = prepared(&f, &old);
    struct disk *image = open_double(d, false, false);
    change(image, &random, &stamp);
    uint64_t *was = read_stamps(image), limit = d->limit;
    d->limit = 0;
    if (step == CREATE_WITH_STATE)
        ck_assert_ptr_null(qcow2_state_create(image, &err));
    else
        ck_assert(!(step == APPLY    ? qcow2_apply_snapshot(image, "old", &err)
                    : step == DELETE ? qcow2_delete_snapshot(image, "old", &err)
                                     : qcow2_create_snapshot(image, &s, NULL, &err)));
    d->limit = limit;
    holds(image, was);
    ck_assert_int_eq(image->ops->flush(image), BLOCK_OK);
    check_tables(image, false);
    free(was);
    free(old);
    disk_close(image);
}
END_TEST

START_TEST(refcounts_of_one_bit_are_too_narrow)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 12};
    struct error err;
    struct disk *image = open_double(format_double(&f, 16 * MIB), false, false);
    struct qcow2_snapshot s = {.name = "new"};
    ck_assert_int_eq(write_stamped(image, 0, 8, 7), BLOCK_OK);
    ck_assert(!qcow2_create_snapshot(image, &s, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "too narrow"));
    ck_assert_uint_eq(count(image), 0);
    check_tables(image, false);
    disk_close(image);
}
END_TEST

START_TEST(a_name_that_is_not_there_is_told)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 12, .refcount_order = 4};
    struct error err;
    struct disk *image = open_double(format_double(&f, 16 * MIB), false, false);
    ck_assert(!qcow2_apply_snapshot(image, "nobody", &err));
    ck_assert_str_eq(err.text, " has no snapshot 'nobody'");
    ck_assert(!qcow2_delete_snapshot(image, "nobody", &err));
    disk_close(image);
}
END_TEST

START_TEST(an_abandoned_state_leaves_nothing)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 12, .refcount_order = 4};
    struct disk *image = open_double(format_double(&f, 16 * MIB), false, false);
    qcow2_state_abandon(written_state(image, 1));
    check_tables(image, false);
    disk_close(image);
}
END_TEST

/* Others leave out tables of nothing: here the first, by an L1 entry of zero. */
START_TEST(what_was_never_written_of_a_state_reads_as_zero)
{
    struct qcow2_format f = {.bytes = MIB, .version = 3, .cluster_bits = 12, .refcount_order = 4};
    const uint64_t at = 4 * MIB, n = at + 3; /* a table maps 2 MiB */
    struct error err;
    struct qcow2_snapshot *list;
    unsigned listed;
    struct file_double *d = format_double(&f, 16 * MIB);
    struct disk *image = open_double(d, false, false);
    struct qcow2_state *state = qcow2_state_create(image, &err);
    ck_assert_msg(state != NULL, "%s", err.text);
    ck_assert_int_eq(qcow2_state_write(state, at, "end", 3), BLOCK_OK);
    create(image, "hole", state);
    ck_assert(qcow2_list_snapshots(image, &list, &listed, &err));
    ck_assert_uint_eq(list[0].state_bytes, n);
    memset(d->bytes + list[0].l1_offset + 8, 0, 8); /* behind the one of the disk */
    uint8_t *bytes = calloc(1, n);
    ck_assert_int_eq(qcow2_read_state(image, &list[0], bytes, n), BLOCK_OK);
    ck_assert(bytes[0] == 0 && memcmp(bytes, bytes + 1, at - 1) == 0);
    ck_assert_int_eq(memcmp(bytes + at, "end", 3), 0);
    free(bytes);
    free(list);
    disk_close(image);
}
END_TEST

static void keep_line(void *owner, const uint8_t *bytes, size_t n)
{
    snprintf(owner, 200, "%.*s", (int)n, (const char *)bytes);
}

START_TEST(a_line_of_the_table_does_not_move_the_terminals_cursor)
{
    char line[200];
    struct byte_sink sink = {.write = keep_line, .owner = line};
    qcow2_print_snapshot(&(struct qcow2_snapshot){.id = "\033[1", .name = "a\nb"}, &sink);
    ck_assert_int_eq(strncmp(line, "?[1       a?b ", 14), 0);
}
END_TEST

static Suite *snapshot_suite(void)
{
    Suite *suite = suite_create("qcow2 snapshots");
    TCase *tc = tcase_create("qcow2 snapshots");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, disks_go_back_to_each_snapshot_and_nothing_leaks, 0, 10);
    tcase_add_loop_test(tc, a_power_cut_at_any_write_leaves_what_was_or_what_is_to_be, 0,
                        2 * STEPS);
    tcase_add_loop_test(tc, without_space_nothing_has_changed_and_it_can_be_tried_again, 0, STEPS);
    tcase_add_loop_test(tc, a_file_that_takes_nothing_loses_no_write_that_was_not_flushed, 0,
                        STEPS);
    tcase_add_test(tc, refcounts_of_one_bit_are_too_narrow);
    tcase_add_test(tc, a_name_that_is_not_there_is_told);
    tcase_add_test(tc, a_line_of_the_table_does_not_move_the_terminals_cursor);
    tcase_add_test(tc, an_abandoned_state_leaves_nothing);
    tcase_add_test(tc, what_was_never_written_of_a_state_reads_as_zero);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(snapshot_suite());
}

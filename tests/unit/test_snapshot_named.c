/* Machines saved by a name inside of their qcow2 drives; qemu-img is the oracle of the images. */
#include "devices/block/qcow2_snapshot.h"
#include "frontend/img.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/snapshot.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define SAVE_NS (RIG_MS + 123 * RIG_US)
#define END_NS  (3 * RIG_MS)

static const struct snapshot_options plain;
static const struct machine_option two_disks[] = {
    {.items = {{"file", "a.qcow2"}, {"if", "none"}, {"id", "a"}}, .count = 3},
    {.items = {{"file", "b.qcow2"}, {"if", "none"}, {"id", "b"}}, .count = 3},
};

static void make_disks(void)
{
    char *a[] = {"img", "create", "-q", "-f", "qcow2", "a.qcow2", "8M"};
    char *b[] = {"img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "b.qcow2", "3M"};
    ck_assert_int_eq(img_main(ARRAY_LEN(a), a), 0);
    ck_assert_int_eq(img_main(ARRAY_LEN(b), b), 0);
}

static struct rig *with_disks(const struct program *p, const struct machine_option *drives,
                              unsigned count)
{
    struct machine_config config = rig_config(p, 1);
    config.drives = (struct machine_options){drives, count};
    return rig_create_with(config);
}

static void transfer(struct rig *r, unsigned drive, enum block_op op, char *bytes)
{
    struct block_request request = {.op = op, .offset = 4096, .bytes = 1024};
    request.buffer = (uint8_t *)bytes;
    struct block *b = r->m->drives->items[drive].block;
    block_submit(b, &request);
    block_wait(b, &request);
    ck_assert_int_eq(request.status, BLOCK_OK);
}

static void put(struct rig *r, unsigned drive, char letter)
{
    char bytes[1024];
    memset(bytes, letter, sizeof bytes);
    transfer(r, drive, BLOCK_WRITE, bytes);
}

static void expect(struct rig *r, unsigned drive, char letter)
{
    char bytes[1024];
    transfer(r, drive, BLOCK_READ, bytes);
    ck_assert_int_eq(bytes[0], letter);
    ck_assert_int_eq(bytes[1023], letter);
}

static void save(struct rig *r, const char *name, const struct snapshot_options *options)
{
    struct error err;
    ck_assert_msg(snapshot_save_named(r->m, name, options, &err), "%s", err.text);
}

static void load(struct rig *r, const char *name)
{
    struct error err;
    bool is_intact;
    ck_assert_msg(snapshot_load_named(r->m, name, &is_intact, &err), "%s", err.text);
}

static void refused(struct rig *r, const char *name, const char *reason)
{
    struct error err;
    bool is_intact;
    uint64_t hash = machine_hash(r->m);
    ck_assert(!snapshot_load_named(r->m, name, &is_intact, &err));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert(is_intact);
    ck_assert_uint_eq(machine_hash(r->m), hash);
}

static void images_are_right(void)
{
    if (!lacks("qemu-img"))
        ck_assert_int_eq(shell("qemu-img check -q a.qcow2 && qemu-img check -q b.qcow2"), 0);
}

START_TEST(a_machine_goes_on_from_a_name_with_its_disks)
{
    struct program p;
    struct snapshot_options options = {.compress = _i};
    begin(&p, 1);
    make_disks();
    struct rig *r = with_disks(&p, two_disks, 2);
    put(r, 0, 'a');
    put(r, 1, 'b');
    rig_run(r, SAVE_NS);
    save(r, "here", &options);
    put(r, 0, 'c');
    put(r, 1, 'd');
    rig_run(r, END_NS);
    uint64_t hash = machine_hash(r->m);
    for (unsigned i = 0; i < 2; i++) { /* in the same machine, and in a new one */
        load(r, "here");
        expect(r, 0, 'a');
        expect(r, 1, 'b');
        put(r, 1, 'e');
        rig_run(r, END_NS);
        ck_assert_uint_eq(machine_hash(r->m), hash);
        rig_free(r);
        images_are_right();
        r = with_disks(&p, two_disks, 2);
    }
    rig_free(r);
    end(&p);
}
END_TEST

static void list(struct rig *r, struct rig *text)
{
    struct error err;
    struct byte_sink sink = {.write = rig_sent, .owner = text};
    memset(text, 0, sizeof *text);
    ck_assert_msg(snapshot_list_named(r->m, &sink, &err), "%s", err.text);
}

START_TEST(names_are_listed_replaced_and_deleted)
{
    struct program p;
    struct rig *text = calloc(1, sizeof *text);
    struct error err;
    begin(&p, 1);
    make_disks();
    struct rig *r = with_disks(&p, two_disks, 2);
    list(r, text);
    ck_assert_str_eq(text->sent, "There is no snapshot available.\n");
    save(r, "one", &plain);
    rig_run(r, SAVE_NS);
    save(r, "two", &plain);
    save(r, "one", &plain);
    uint64_t hash = machine_hash(r->m);
    list(r, text);
    const char *one = strstr(text->sent, "one "), *two = strstr(text->sent, "two ");
    ck_assert(one && two && one > two); /* it is the newer one now */
    ck_assert_ptr_null(strstr(one + 1, "one "));
    rig_run(r, END_NS);
    load(r, "one");
    ck_assert_uint_eq(machine_hash(r->m), hash);
    ck_assert(snapshot_delete_named(r->m, "one", &err));
    ck_assert(snapshot_delete_named(r->m, "two", &err));
    ck_assert(!snapshot_delete_named(r->m, "two", &err));
    ck_assert_str_eq(err.text, "no drive has a snapshot 'two'");
    list(r, text);
    ck_assert_str_eq(text->sent, "There is no snapshot available.\n");
    rig_free(r);
    images_are_right();
    free(text);
    end(&p);
}
END_TEST

START_TEST(what_others_saved_is_refused_with_the_reason)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    make_disks();
    struct rig *r = with_disks(&p, two_disks, 2);
    refused(r, "nowhere", "drive b has no snapshot 'nowhere'");
    struct qcow2_snapshot s = {.name = "disk"}, qemu = {.name = "qemu"}, junk = {.name = "junk"};
    struct disk *a = block_qcow2(r->m->drives->items[0].block);
    struct disk *b = block_qcow2(r->m->drives->items[1].block);
    ck_assert(qcow2_create_snapshot(a, &s, NULL, &err));
    refused(r, "disk", "drive b has no snapshot 'disk'");
    ck_assert(qcow2_create_snapshot(b, &s, NULL, &err));
    refused(r, "disk", "is of the disk alone");
    struct qcow2_state *state = qcow2_state_create(a, &err);
    ck_assert_int_eq(qcow2_state_write(state, 0, "QEVM\0\0\0\3", 8), BLOCK_OK);
    ck_assert(qcow2_create_snapshot(a, &qemu, state, &err));
    ck_assert(qcow2_create_snapshot(b, &qemu, NULL, &err));
    refused(r, "qemu", "was saved by QEMU");
    state = qcow2_state_create(a, &err);
    ck_assert_int_eq(qcow2_state_write(state, 0, "RIVULET\x1a", 8), BLOCK_OK);
    ck_assert(qcow2_create_snapshot(a, &junk, state, &err));
    ck_assert(qcow2_create_snapshot(b, &junk, NULL, &err));
    refused(r, "junk", "junk is not a snapshot");
    rig_free(r);
    end(&p);
}
END_TEST

/* It would take memory for all of it to read the holes. */
START_TEST(a_terabyte_of_nothing_is_refused_at_once)
{
    struct program p;
    struct error err;
    struct qcow2_snapshot s = {.name = "huge"};
    begin(&p, 1);
    make_disks();
    struct rig *r = with_disks(&p, two_disks, 1);
    struct disk *a = block_qcow2(r->m->drives->items[0].block);
    struct qcow2_state *state = qcow2_state_create(a, &err);
    ck_assert_int_eq(qcow2_state_write(state, (1ull << 40) - 1, "", 1), BLOCK_OK);
    ck_assert(qcow2_create_snapshot(a, &s, state, &err));
    refused(r, "huge", "huge is not a snapshot");
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(drives_that_cannot_keep_a_snapshot_are_named)
{
    static const struct machine_option raw = {
        .items = {{"file", "raw"}, {"format", "raw"}, {"if", "none"}}, .count = 3};
    static const struct machine_option overlay = {
        .items = {{"file", "a.qcow2"}, {"if", "none"}, {"snapshot", "on"}}, .count = 3};
    struct program p;
    struct rig *text = calloc(1, sizeof *text);
    struct error err;
    begin(&p, 1);
    make_disks();
    ck_assert_int_eq(shell("truncate -s 1M raw"), 0);
    struct rig *r = with_disks(&p, &raw, 1);
    ck_assert(!snapshot_save_named(r->m, "one", &plain, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "'drive0' is writable but does not support snapshots"));
    rig_free(r);
    r = with_disks(&p, &overlay, 1);
    ck_assert(!snapshot_save_named(r->m, "one", &plain, &err));
    ck_assert_ptr_nonnull(
        strstr(err.text, "give a file (./one.rvs), or a qcow2 drive that is written to"));
    ck_assert(!snapshot_save_named(r->m, "", &plain, &err));
    list(r, text);
    ck_assert_str_eq(text->sent, "There is no snapshot available.\n");
    rig_free(r);
    r = with_disks(&p, NULL, 0);
    list(r, text);
    ck_assert_str_eq(text->sent, "There is no snapshot available.\n");
    rig_free(r);
    free(text);
    end(&p);
}
END_TEST

START_TEST(another_machine_is_refused_and_its_disks_stay)
{
    struct program p;
    begin(&p, 1);
    make_disks();
    struct rig *r = with_disks(&p, two_disks, 2);
    save(r, "here", &plain);
    put(r, 0, 'x');
    rig_free(r);
    struct machine_config config = rig_config(&p, 2);
    config.drives = (struct machine_options){two_disks, 2};
    r = rig_create_with(config);
    refused(r, "here", "it has '1 harts");
    expect(r, 0, 'x');
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(files_have_a_slash_or_end_in_rvs)
{
    ck_assert(snapshot_is_name("before-upgrade"));
    ck_assert(snapshot_is_name("v1.2"));
    ck_assert(!snapshot_is_name("./v1.2"));
    ck_assert(!snapshot_is_name("machine.rvs"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("named snapshots");
    TCase *tests = tcase_create("named snapshots");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_machine_goes_on_from_a_name_with_its_disks, 0, 2);
    tcase_add_test(tests, names_are_listed_replaced_and_deleted);
    tcase_add_test(tests, what_others_saved_is_refused_with_the_reason);
    tcase_add_test(tests, a_terabyte_of_nothing_is_refused_at_once);
    tcase_add_test(tests, drives_that_cannot_keep_a_snapshot_are_named);
    tcase_add_test(tests, another_machine_is_refused_and_its_disks_stay);
    tcase_add_test(tests, files_have_a_slash_or_end_in_rvs);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

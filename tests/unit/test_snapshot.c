/* Machines in files: a machine that is loaded goes on as the one that was saved, and what cannot be
 * loaded leaves the machine as it is. */
#include "base/os.h"
#include "devices/block/block.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/snapshot.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define SAVE_NS (RIG_MS + 123 * RIG_US)
#define END_NS  (3 * RIG_MS)

static const struct snapshot_options plain;

static void save(struct rig *r, const struct snapshot_options *options)
{
    struct error err;
    ck_assert_msg(snapshot_save(r->m, "file", options, &err), "%s", err.text);
}

static void load(struct rig *r)
{
    struct error err;
    bool is_intact;
    ck_assert_msg(snapshot_load(r->m, "file", &is_intact, &err), "%s", err.text);
}

static void refused(struct rig *r, const char *reason)
{
    struct error err;
    bool is_intact;
    uint64_t hash = machine_hash(r->m);
    ck_assert(!snapshot_load(r->m, "file", &is_intact, &err));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert(is_intact);
    ck_assert_uint_eq(machine_hash(r->m), hash);
}

/* A program that has run, was saved and has run on. Returns the hash at END_NS. */
static uint64_t saved_on_the_way(const struct program *p, unsigned harts,
                                 const struct snapshot_options *options)
{
    struct rig *r = rig_create(p, harts);
    rig_run(r, SAVE_NS);
    save(r, options);
    rig_run(r, END_NS);
    uint64_t hash = machine_hash(r->m);
    rig_free(r);
    return hash;
}

static const unsigned hart_counts[] = {1, 2, 4};

START_TEST(a_loaded_machine_goes_on_as_the_saved_one)
{
    struct program p;
    struct snapshot_options options = {.compress = _i % 2};
    unsigned harts = hart_counts[_i / 2];
    begin(&p, harts);
    uint64_t hash = saved_on_the_way(&p, harts, &options);
    struct rig *r = rig_create(&p, harts);
    load(r);
    rig_run(r, END_NS);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_machine_that_ran_on_goes_back)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    begin(&p, harts);
    uint64_t hash = saved_on_the_way(&p, harts, &plain);
    struct rig *r = rig_create(&p, harts);
    rig_type(r, "some other input");
    rig_run(r, 2 * END_NS);
    ck_assert_uint_ne(machine_hash(r->m), hash);
    for (unsigned again = 0; again < 3; again++) {
        load(r);
        rig_run(r, END_NS);
        ck_assert_uint_eq(machine_hash(r->m), hash);
    }
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(saving_changes_nothing)
{
    struct program p;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    rig_run(r, END_NS);
    uint64_t hash = machine_hash(r->m);
    rig_free(r);
    ck_assert_uint_eq(saved_on_the_way(&p, 1, &plain), hash);
    end(&p);
}
END_TEST

START_TEST(a_machine_that_was_powered_off_runs_again)
{
    struct program p;
    begin(&p, 1);
    uint64_t hash = saved_on_the_way(&p, 1, &plain);
    struct rig *r = rig_create(&p, 1);
    rig_type(r, "q");
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_POWER_OFF);
    load(r);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

/* The file that was booted may be gone by then; only a reset looks for it. */
START_TEST(a_machine_that_awaits_a_snapshot_needs_no_files)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    uint64_t hash = saved_on_the_way(&p, 1, &plain);
    struct machine_config config = rig_config(&p, 1);
    config.awaits_snapshot = true;
    config.kernel_file = "/nowhere";
    struct rig *r = rig_create_with(config);
    load(r);
    rig_run(r, END_NS);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    ck_assert(!machine_reset(r->m, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(another_machine_is_refused_by_the_first_difference)
{
    struct program p;
    begin(&p, 2);
    saved_on_the_way(&p, 2, &plain);
    struct machine_config other[] = {rig_config(&p, 1), rig_config(&p, 2), rig_config(&p, 2),
                                     rig_config(&p, 2), rig_config(&p, 2)};
    other[1].ram_bytes += 4096;
    other[2].cpu = "rv64,zba=off";
    other[3].icount = false;
    other[4].aclint = true;
    static const char *const differences[] = {"'1 harts", "'RAM 8392704", "_zbb",
                                              "time is the host", "aclint on"};
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        struct rig *r = rig_create_with(other[i]);
        refused(r, differences[i]);
        rig_free(r);
    }
    end(&p);
}
END_TEST

START_TEST(a_damaged_file_leaves_the_machine)
{
    struct program p;
    struct error err;
    struct os_file file;
    begin(&p, 1);
    saved_on_the_way(&p, 1, &plain);
    ck_assert(os_map_file("file", &file, &err));
    size_t size = file.size;
    uint8_t *bytes = malloc(size);
    memcpy(bytes, file.bytes, size);
    os_unmap_file(&file);
    bytes[size / 2] ^= 1;
    ck_assert(os_file_write("file", bytes, size, &err));
    free(bytes);
    struct rig *r = rig_create(&p, 1);
    rig_run(r, RIG_MS);
    refused(r, "damaged");
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_file_tells_what_is_in_it)
{
    struct program p;
    struct error err;
    struct rig text = {0};
    struct byte_sink sink = {.write = rig_sent, .owner = &text};
    struct snapshot_extra extras[] = {{"note", "hello", 5}, {"\033[2J", "", 0}};
    begin(&p, 2);
    saved_on_the_way(&p, 2, &(struct snapshot_options){.extras = extras, .extra_count = 2});
    ck_assert(snapshot_describe("file", &sink, &err));
    static const char *const parts[] = {"saved 20",    "virtual time 0.0011", "2 harts",
                                        "ISA rv64i",   "section state",       "section note",
                                        "section ?[2J"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        ck_assert_msg(strstr(text.sent, parts[i]) != NULL, "%s in\n%s", parts[i], text.sent);
    ck_assert(snapshot_extract("file", "note", "text", &err));
    ck_assert_int_eq(shell("[ \"$(cat text)\" = hello ]"), 0);
    ck_assert(!snapshot_extract("file", SNAPSHOT_PICTURE, "text", &err));
    ck_assert_str_eq(err.text, "file has no section 'screen.png'");
    end(&p);
}
END_TEST

/* --- disks -------------------------------------------------------------------------------- */

static struct rig *with_disk(const struct program *p, const struct machine_option *drive)
{
    struct machine_config config = rig_config(p, 1);
    config.drives = (struct machine_options){drive, 1};
    return rig_create_with(config);
}

static struct block *disk_of(struct rig *r)
{
    return r->m->drives->items[0].block;
}

static void transfer(struct rig *r, enum block_op op, uint64_t offset, void *bytes, uint64_t n)
{
    struct block_request request = {.op = op, .offset = offset, .bytes = n, .buffer = bytes};
    block_submit(disk_of(r), &request);
    block_wait(disk_of(r), &request);
    ck_assert_int_eq(request.status, BLOCK_OK);
}

static void put(struct rig *r, uint64_t offset, char letter)
{
    char bytes[1024];
    memset(bytes, letter, sizeof bytes);
    transfer(r, BLOCK_WRITE, offset, bytes, sizeof bytes);
}

static void expect(struct rig *r, uint64_t offset, char letter)
{
    char bytes[1024];
    transfer(r, BLOCK_READ, offset, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        if (bytes[i] != letter)
            ck_abort_msg("at %zu: %d, not %d", i, bytes[i], letter);
}

START_TEST(changes_of_an_overlay_are_in_the_file)
{
    static const struct machine_option drive = {
        .items = {{"file", "disk"}, {"format", "raw"}, {"if", "none"}, {"snapshot", "on"}},
        .count = 4};
    struct program p;
    begin(&p, 1);
    ck_assert_int_eq(shell("truncate -s 8M disk"), 0);
    struct rig *r = with_disk(&p, &drive);
    put(r, 512, 'a');
    put(r, 5 << 20, 'b');
    save(r, &(struct snapshot_options){.compress = _i});
    put(r, 512, 'c');
    put(r, 6 << 20, 'd');
    load(r);
    for (unsigned i = 0; i < 2; i++) { /* in the same machine, and in a new one */
        expect(r, 512, 'a');
        expect(r, 5 << 20, 'b');
        expect(r, 6 << 20, 0);
        rig_free(r);
        r = with_disk(&p, &drive);
        expect(r, 512, 0);
        load(r);
    }
    rig_free(r);
    end(&p);
}
END_TEST

static const struct machine_option writable = {
    .items = {{"file", "disk"}, {"format", "raw"}, {"if", "none"}}, .count = 3};

START_TEST(a_disk_that_was_not_written_since_is_taken)
{
    struct program p;
    begin(&p, 1);
    ck_assert_int_eq(shell("truncate -s 8M disk"), 0);
    struct rig *r = with_disk(&p, &writable);
    put(r, 512, 'a');
    save(r, &plain);
    rig_free(r);
    r = with_disk(&p, &writable);
    load(r);
    expect(r, 512, 'a');
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_disk_that_was_written_since_is_refused)
{
    struct program p;
    begin(&p, 1);
    ck_assert_int_eq(shell("truncate -s 8M disk"), 0);
    struct rig *r = with_disk(&p, &writable);
    save(r, &plain);
    put(r, 512, 'a');
    refused(r, "image changed at");
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tests = tcase_create("snapshot");
    int n = ARRAY_LEN(hart_counts);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_loaded_machine_goes_on_as_the_saved_one, 0, 2 * n);
    tcase_add_loop_test(tests, a_machine_that_ran_on_goes_back, 0, n);
    tcase_add_test(tests, saving_changes_nothing);
    tcase_add_test(tests, a_machine_that_was_powered_off_runs_again);
    tcase_add_test(tests, a_machine_that_awaits_a_snapshot_needs_no_files);
    tcase_add_test(tests, another_machine_is_refused_by_the_first_difference);
    tcase_add_test(tests, a_damaged_file_leaves_the_machine);
    tcase_add_test(tests, a_file_tells_what_is_in_it);
    tcase_add_loop_test(tests, changes_of_an_overlay_are_in_the_file, 0, 2);
    tcase_add_test(tests, a_disk_that_was_not_written_since_is_taken);
    tcase_add_test(tests, a_disk_that_was_written_since_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

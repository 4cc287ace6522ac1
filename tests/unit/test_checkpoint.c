/* machine/checkpoint.c: a machine that returns is what it was, as often as one likes. */
#include "machine/checkpoint.h"
#include "machine/drives.h"
#include "machine/history.h"
#include "machine/internal.h"
#include "machine/snapshot.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define START_NS (RIG_MS + 123 * RIG_US)
#define END_NS   (3 * RIG_MS)

static void take(struct rig *r)
{
    struct error err;
    ck_assert_msg(machine_take_checkpoint(r->m, &err), "%s", err.text);
}

static void back(struct rig *r)
{
    struct error err;
    bool is_intact;
    if (!machine_return(r->m, &is_intact, &err))
        ck_abort_msg("%s", err.text);
    r->sent_bytes = 0;
}

static const unsigned hart_counts[] = {1, 2, 4};

START_TEST(a_machine_that_returns_is_what_it_was_and_goes_on_so)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    begin(&p, harts);
    struct rig *r = rig_create(&p, harts);
    rig_run(r, START_NS);
    uint64_t start = machine_hash(r->m);
    take(r);
    ck_assert_uint_eq(machine_hash(r->m), start);
    rig_run(r, END_NS);
    uint64_t end_hash = machine_hash(r->m);
    for (unsigned i = 0; i < 20; i++) {
        rig_type(r, i % 2 ? "some other input" : "q");
        rig_run(r, START_NS + i * 97 * RIG_US);
        rig_type(r, "what waits is lost");
        back(r);
        ck_assert_uint_eq(machine_hash(r->m), start);
        ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
        ck_assert_uint_eq(machine_hash(r->m), end_hash);
    }
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_later_checkpoint_takes_the_place)
{
    struct program p;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    take(r);
    rig_run(r, START_NS);
    uint64_t start = machine_hash(r->m);
    take(r);
    rig_run(r, END_NS);
    back(r);
    ck_assert_uint_eq(machine_hash(r->m), start);
    machine_forget_checkpoint(r->m);
    struct error err;
    bool is_intact;
    ck_assert(!machine_return(r->m, &is_intact, &err));
    ck_assert(is_intact);
    ck_assert_str_eq(err.text, "there is no checkpoint");
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_machine_that_was_loaded_has_no_checkpoint)
{
    struct program p;
    struct error err;
    bool is_intact;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(snapshot_save(r->m, "file", &(struct snapshot_options){0}, &err));
    take(r);
    ck_assert(snapshot_load(r->m, "file", &is_intact, &err));
    ck_assert(!machine_return(r->m, &is_intact, &err));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_reset_goes_back_too)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    rig_run(r, START_NS);
    uint64_t start = machine_hash(r->m);
    take(r);
    ck_assert(machine_reset(r->m, &err));
    rig_run(r, END_NS);
    back(r);
    ck_assert_uint_eq(machine_hash(r->m), start);
    rig_free(r);
    end(&p);
}
END_TEST

static void transfer(struct rig *r, enum block_op op, char *bytes)
{
    struct block_request request = {.op = op, .offset = 512, .bytes = 512};
    request.buffer = (uint8_t *)bytes;
    struct block *b = r->m->drives->items[0].block;
    block_submit(b, &request);
    block_wait(b, &request);
    ck_assert_int_eq(request.status, BLOCK_OK);
}

START_TEST(disks_return_and_are_written_again_afterwards)
{
    static const struct machine_option drive = {
        .items = {{"file", "disk"}, {"format", "raw"}, {"if", "none"}}, .count = 3};
    struct program p;
    char bytes[512];
    begin(&p, 1);
    ck_assert_int_eq(shell("truncate -s 1M disk"), 0);
    struct machine_config config = rig_config(&p, 1);
    config.drives = (struct machine_options){&drive, 1};
    struct rig *r = rig_create_with(config);
    memset(bytes, 'a', sizeof bytes);
    transfer(r, BLOCK_WRITE, bytes);
    take(r);
    for (unsigned i = 0; i < 3; i++) {
        memset(bytes, 'b', sizeof bytes);
        transfer(r, BLOCK_WRITE, bytes);
        back(r);
        transfer(r, BLOCK_READ, bytes);
        ck_assert_int_eq(bytes[0], 'a');
    }
    machine_forget_checkpoint(r->m);
    ck_assert_uint_eq(block_history_memory(r->m->drives->items[0].block), 0);
    memset(bytes, 'c', sizeof bytes);
    transfer(r, BLOCK_WRITE, bytes);
    rig_free(r);
    ck_assert_int_eq(shell("[ $(tr -d '\\0' <disk | head -c 3) = ccc ]"), 0);
    end(&p);
}
END_TEST

START_TEST(a_machine_with_a_past_needs_none)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    struct machine_config config = rig_config(&p, 1);
    config.history_bytes = 1 << 24;
    config.history_steps = 1 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert(machine_keep_history(r->m, &err));
    ck_assert(!machine_take_checkpoint(r->m, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "-history"));
    rig_free(r);
    end(&p);
}
END_TEST

static long resident_pages(void)
{
    long all, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%ld %ld", &all, &resident), 2);
    fclose(f);
    return resident;
}

/* RIVULET_RETURNS: how often (./check --long: a million). */
START_TEST(returning_a_thousand_times_takes_no_more_memory)
{
    const char *wanted = getenv("RIVULET_RETURNS");
    unsigned long returns = wanted ? strtoul(wanted, NULL, 10) : 3000;
    struct machine_checkpoint_figures before, after;
    struct program p;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    rig_run(r, START_NS);
    uint64_t start = machine_hash(r->m);
    take(r);
    long resident = 0;
    for (unsigned long i = 0; i < returns; i++) {
        if (i == 1000) {
            ck_assert(machine_checkpoint_figures(r->m, &before));
            resident = resident_pages();
        }
        rig_type(r, "abc");
        rig_run(r, START_NS + 20 * RIG_US);
        back(r);
    }
    ck_assert(machine_checkpoint_figures(r->m, &after));
    ck_assert_uint_eq(machine_hash(r->m), start);
    ck_assert_uint_eq(after.dirty_pages, 0);
    ck_assert_uint_eq(after.bytes, before.bytes);
    ck_assert_int_le(resident_pages() - resident, 512);
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("checkpoint");
    tcase_set_timeout(tests, getenv("RIVULET_RETURNS") ? 3600 : 120);
    tcase_add_loop_test(tests, a_machine_that_returns_is_what_it_was_and_goes_on_so, 0,
                        ARRAY_LEN(hart_counts));
    tcase_add_test(tests, a_later_checkpoint_takes_the_place);
    tcase_add_test(tests, a_machine_that_was_loaded_has_no_checkpoint);
    tcase_add_test(tests, a_reset_goes_back_too);
    tcase_add_test(tests, disks_return_and_are_written_again_afterwards);
    tcase_add_test(tests, a_machine_with_a_past_needs_none);
    tcase_add_test(tests, returning_a_thousand_times_takes_no_more_memory);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

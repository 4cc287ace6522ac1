/* A recorded run is played again to the same state, and a replay that is another run says so. */
#include "base/os.h"
#include "machine/input_log.h"
#include "machine/internal.h"
#include "machine/record.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define END_NS (80 * RIG_MS)

static void run_to(struct rig *r, uint64_t ns)
{
    ck_assert_int_eq(rig_run(r, ns), MACHINE_TIME_LIMIT);
}

static void close_log(struct rig *r)
{
    struct error err;
    ck_assert_msg(machine_record_close(r->m, &err), "%s", err.text);
}

/* Typed at odd moments, in the middle of rounds too. Returns the hash at END_NS. */
static uint64_t record(const struct program *p, unsigned harts, struct rig *sent)
{
    struct error err;
    struct rig *r = rig_create(p, harts);
    ck_assert_msg(machine_record(r->m, "log", &err), "%s", err.text);
    run_to(r, RIG_MS);
    rig_type(r, "hello");
    run_to(r, 5 * RIG_MS + 4321);
    rig_type(r, "a line too long, and then some, such as nobody has in mind\n");
    run_to(r, END_NS);
    close_log(r);
    uint64_t hash = machine_hash(r->m);
    *sent = *r;
    rig_free(r);
    return hash;
}

static struct rig *replay(const struct program *p, unsigned harts)
{
    struct error err;
    struct rig *r = rig_create(p, harts);
    ck_assert_msg(machine_replay(r->m, "log", &err), "%s", err.text);
    return r;
}

static const unsigned hart_counts[] = {1, 2, 4};

START_TEST(a_replay_ends_in_the_same_state_and_says_the_same)
{
    struct program p;
    struct rig sent;
    unsigned harts = hart_counts[_i];
    begin(&p, harts);
    uint64_t hash = record(&p, harts, &sent);
    struct rig *r = replay(&p, harts);
    rig_type(r, "nothing takes this");
    for (uint64_t ns = RIG_MS; ns < END_NS; ns += 3333333) /* other stops than the recorded run's */
        run_to(r, ns);
    run_to(r, END_NS);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    ck_assert_uint_eq(r->sent_bytes, sent.sent_bytes);
    ck_assert(memcmp(r->sent, sent.sent, sent.sent_bytes) == 0);
    ck_assert_ptr_nonnull(strstr(r->sent, "h"));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(recording_changes_nothing)
{
    struct program p;
    struct rig sent;
    begin(&p, 2);
    uint64_t hash = record(&p, 2, &sent);
    struct rig *r = rig_create(&p, 2);
    run_to(r, RIG_MS);
    rig_type(r, "hello");
    run_to(r, 5 * RIG_MS + 4321);
    rig_type(r, "a line too long, and then some, such as nobody has in mind\n");
    run_to(r, END_NS);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_replay_ends_where_the_recording_does)
{
    struct program p;
    struct rig sent;
    begin(&p, 1);
    record(&p, 1, &sent);
    struct rig *r = replay(&p, 1);
    ck_assert_int_eq(rig_run(r, 2 * END_NS), MACHINE_REPLAYED);
    ck_assert_uint_ge(machine_now_ns(r->m), END_NS);
    ck_assert_uint_lt(machine_now_ns(r->m), END_NS + RIG_MS);
    ck_assert_ptr_nonnull(strstr(machine_replay_end(r->m), "the recording ends at step"));
    ck_assert_ptr_null(strstr(machine_replay_end(r->m), ";"));
    rig_free(r);
    end(&p);
}
END_TEST

/* What a crash leaves is a beginning of the file. */
START_TEST(a_log_that_is_cut_anywhere_is_played_as_far_as_it_goes)
{
    struct program p;
    struct rig sent;
    struct error err;
    struct os_file whole;
    begin(&p, 1);
    record(&p, 1, &sent);
    ck_assert(os_map_file("log", &whole, &err));
    uint64_t last_ns = 0;
    for (size_t size = 700; size + 20 < whole.size; size += whole.size / 13) {
        ck_assert(os_file_write("cut", whole.bytes, size, &err));
        struct rig *r = rig_create(&p, 1);
        ck_assert_msg(machine_replay(r->m, "cut", &err), "%s", err.text);
        ck_assert_int_eq(rig_run(r, 2 * END_NS), MACHINE_REPLAYED);
        ck_assert_uint_ge(machine_now_ns(r->m), last_ns);
        ck_assert_ptr_nonnull(strstr(machine_replay_end(r->m), ";"));
        last_ns = machine_now_ns(r->m);
        rig_free(r);
    }
    ck_assert_uint_ge(last_ns, RIG_MS);
    os_unmap_file(&whole);
    end(&p);
}
END_TEST

START_TEST(a_replay_that_is_another_run_names_the_part)
{
    static const struct {
        uint64_t gpa;
        const char *part;
    } changes[] = {{RIG_DATA + 0x800, "section RAM"}, {0, "section hart"}};
    struct program p;
    struct rig sent;
    begin(&p, 1);
    record(&p, 1, &sent);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct rig *r = replay(&p, 1);
        uint8_t byte = 1;
        if (!changes[i].gpa)
            run_to(r, RIG_MS);
        if (changes[i].gpa)
            ck_assert(dma_write(r->m->memory, changes[i].gpa, &byte, 1));
        else
            machine_hart(r->m, 0)->x[17] ^= 1;
        ck_assert_int_eq(rig_run(r, END_NS), MACHINE_DIVERGED);
        ck_assert_msg(strstr(machine_replay_end(r->m), changes[i].part) != NULL, "%s",
                      machine_replay_end(r->m));
        ck_assert_uint_lt(machine_now_ns(r->m), 70 * RIG_MS);
        rig_free(r);
    }
    end(&p);
}
END_TEST

/* The header of a recording, and one record of this kind and these bytes. */
static void write_log(const char *path, const struct log_record *header, enum record_kind kind,
                      const uint8_t *bytes, size_t n)
{
    struct error err;
    struct input_log *log = input_log_create(path, &err);
    ck_assert_msg(log != NULL, "%s", err.text);
    input_log_append(log, header);
    input_log_append(log,
                     &(struct log_record){.now_ns = RIG_MS, .kind = kind, .bytes = bytes, .n = n});
    ck_assert(input_log_close(log, &err));
}

START_TEST(what_a_hart_did_that_sleeps_is_another_run)
{
    static const struct {
        enum record_kind kind;
        size_t n;
    } records[] = {{RECORD_ANSWER, 8}, {RECORD_EDIT, 48}};
    uint8_t bytes[48] = {0};
    bytes[16] = 1; /* the edit is one within a round */
    struct program p;
    struct error err;
    program_begin(&p);
    ASM(&p.a, wfi);
    ASM(&p.a, jal, .imm = asm_to(&p.a, RIG_RAM));
    program_end(&p);
    enter_temp_folder();
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_record(r->m, "log", &err));
    close_log(r);
    rig_free(r);
    struct input_log *log = input_log_open("log", &err);
    ck_assert_msg(log != NULL, "%s", err.text);
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        write_log("forged", input_log_next(log), records[i].kind, bytes, records[i].n);
        r = rig_create(&p, 1);
        ck_assert_msg(machine_replay(r->m, "forged", &err), "%s", err.text);
        ck_assert_int_eq(rig_run(r, END_NS), MACHINE_DIVERGED);
        ck_assert_ptr_nonnull(strstr(machine_replay_end(r->m), "all harts sleep"));
        rig_free(r);
    }
    ck_assert(input_log_close(log, &err));
    end(&p);
}
END_TEST

static void refused(struct rig *r, bool is_replay, const char *path, const char *reason)
{
    struct error err;
    ck_assert(!(is_replay ? machine_replay(r->m, path, &err) : machine_record(r->m, path, &err)));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    rig_free(r);
}

START_TEST(what_cannot_be_played_is_refused)
{
    struct program p;
    struct rig sent;
    struct error err;
    begin(&p, 1);
    record(&p, 1, &sent);
    struct machine_config config = rig_config(&p, 1);
    config.seed ^= 1; /* the device tree has it */
    refused(rig_create_with(config), true, "log", "begins in state");
    refused(rig_create(&p, 2), true, "log", "harts");
    config = rig_config(&p, 1);
    config.icount = false;
    refused(rig_create_with(config), false, "other", "-icount");
    ck_assert_int_eq(shell("test -e other"), 1);
    refused(rig_create(&p, 1), true, "nothing", "nothing");
    refused(rig_create(&p, 1), false, "/nowhere/log", "/nowhere/log");
    ck_assert(os_file_write("bad", "RIVLOG\x1a\x02", 8, &err));
    refused(rig_create(&p, 1), true, "bad", "format 2");
    ck_assert(os_file_write("bad", "hello, world", 12, &err));
    refused(rig_create(&p, 1), true, "bad", "no recording");
    ck_assert(os_file_write("bad", "RIVLOG\x1a\x01", 8, &err));
    refused(rig_create(&p, 1), true, "bad", "beginning");
    end(&p);
}
END_TEST

START_TEST(a_disk_that_keeps_what_is_written_is_refused)
{
    static const struct machine_option drive = {
        .items = {{"file", "disk"}, {"format", "raw"}, {"if", "none"}}, .count = 3};
    struct program p;
    begin(&p, 1);
    ck_assert_int_eq(shell("truncate -s 1M disk"), 0);
    struct machine_config config = rig_config(&p, 1);
    config.drives = (struct machine_options){&drive, 1};
    refused(rig_create_with(config), false, "log", "-snapshot");
    config.snapshot = true;
    struct rig *r = rig_create_with(config);
    struct error err;
    ck_assert_msg(machine_record(r->m, "log", &err), "%s", err.text);
    rig_free(r);
    ck_assert_int_eq(shell("echo >>disk"), 0); /* and now it is another */
    refused(rig_create_with(config), true, "log", "drive");
    end(&p);
}
END_TEST

START_TEST(what_is_recorded_in_a_file_cannot_become_another_machine)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_may_load(r->m, &err));
    ck_assert(machine_record(r->m, "log", &err));
    ck_assert(!machine_may_load(r->m, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "recorded"));
    close_log(r);
    ck_assert(machine_may_load(r->m, &err));
    rig_free(r);
    r = replay(&p, 1);
    ck_assert(!machine_may_load(r->m, &err));
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_replay_ends_in_the_same_state_and_says_the_same, 0,
                        ARRAY_LEN(hart_counts));
    tcase_add_test(tests, recording_changes_nothing);
    tcase_add_test(tests, a_replay_ends_where_the_recording_does);
    tcase_add_test(tests, a_log_that_is_cut_anywhere_is_played_as_far_as_it_goes);
    tcase_add_test(tests, a_replay_that_is_another_run_names_the_part);
    tcase_add_test(tests, what_a_hart_did_that_sleeps_is_another_run);
    tcase_add_test(tests, what_cannot_be_played_is_refused);
    tcase_add_test(tests, a_disk_that_keeps_what_is_written_is_refused);
    tcase_add_test(tests, what_is_recorded_in_a_file_cannot_become_another_machine);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

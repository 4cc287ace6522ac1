/* The past of a machine: any moment of it can be reached again, and what comes then is what came.
 */
#include "base/random.h"
#include "devices/block/block.h"
#include "machine/drives.h"
#include "machine/history.h"
#include "machine/internal.h"
#include "machine/record.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <sys/resource.h>

#define END_NS  (40 * RIG_MS)
#define MOMENTS 40u

static struct rig *with_past(const struct program *p, unsigned harts)
{
    struct error err;
    struct machine_config config = rig_config(p, harts);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    return r;
}

static void go(struct rig *r, uint64_t steps)
{
    struct error err;
    ck_assert_msg(machine_go_to(r->m, steps, &err), "%s", err.text);
    ck_assert_uint_eq(machine_steps(r->m), steps);
}

/* Runs to the end and types on the way; the moments and their hashes are noted. */
struct moments {
    uint64_t steps[MOMENTS], hashes[MOMENTS];
    unsigned count;
};

static void run_to_end(struct rig *r, struct moments *noted)
{
    static const char *const lines[] = {"some", "thing\n", "to be seen",
                                        "a long line, too long too"};
    noted->count = 0;
    for (unsigned i = 0; i < MOMENTS; i++) {
        if (i % 7 == 3)
            rig_type(r, lines[i / 7 % 4]);
        machine_stop_at_total(r->m, machine_steps(r->m) + 1 + END_NS / 2 / MOMENTS + 977 * i);
        enum machine_stop stop = rig_run(r, UINT64_MAX);
        ck_assert_int_eq(stop, MACHINE_STEPPED);
        noted->steps[i] = machine_steps(r->m);
        noted->hashes[i] = machine_hash(r->m);
        noted->count++;
    }
}

static const unsigned hart_counts[] = {1, 4};

START_TEST(every_moment_is_as_it_was)
{
    struct program p;
    struct moments noted;
    uint64_t random = 7;
    begin(&p, hart_counts[_i]);
    struct rig *r = with_past(&p, hart_counts[_i]);
    run_to_end(r, &noted);
    for (unsigned i = 0; i < 100; i++) {
        unsigned k = (unsigned)(random_next(&random) % noted.count);
        go(r, noted.steps[k]);
        ck_assert_uint_eq(machine_hash(r->m), noted.hashes[k]);
    }
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(keeping_the_past_changes_nothing)
{
    struct program p;
    struct moments with, without;
    begin(&p, 2);
    struct rig *r = with_past(&p, 2);
    run_to_end(r, &with);
    rig_free(r);
    r = rig_create(&p, 2);
    run_to_end(r, &without);
    ck_assert(memcmp(with.steps, without.steps, sizeof with.steps) == 0);
    ck_assert(memcmp(with.hashes, without.hashes, sizeof with.hashes) == 0);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(what_comes_again_is_what_came_and_is_not_said_twice)
{
    struct program p;
    struct moments noted;
    begin(&p, 2);
    struct rig *r = with_past(&p, 2);
    run_to_end(r, &noted);
    size_t sent = r->sent_bytes;
    go(r, noted.steps[1]);
    rig_type(r, "nobody hears this");
    go(r, noted.steps[MOMENTS - 2]);
    ck_assert_uint_eq(r->sent_bytes, sent);
    machine_stop_at_total(r->m, noted.steps[MOMENTS - 1]);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    ck_assert_uint_eq(machine_hash(r->m), noted.hashes[MOMENTS - 1]);
    /* The present: typing is heard again. */
    rig_run(r, machine_now_ns(r->m) + 5 * RIG_MS);
    sent = r->sent_bytes;
    rig_type(r, "Z");
    rig_run(r, machine_now_ns(r->m) + 5 * RIG_MS);
    ck_assert_ptr_nonnull(memchr(r->sent + sent, 'Z', r->sent_bytes - sent));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(one_hart_goes_back_by_steps)
{
    struct program p;
    struct error err;
    begin(&p, 2);
    struct rig *r = with_past(&p, 2);
    struct hart *h = machine_hart(r->m, 1);
    rig_run(r, RIG_MS);
    machine_stop_at(r->m, 1, h->steps + 10);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    uint64_t last = h->steps;
    uint64_t pcs[11];
    for (unsigned i = 0; i <= 10; i++) {
        ck_assert_msg(machine_go_to_step(r->m, 1, last - i, &err), "%s", err.text);
        ck_assert_uint_eq(h->steps, last - i);
        pcs[10 - i] = h->pc;
    }
    for (unsigned i = 1; i <= 10; i++) {
        machine_stop_at(r->m, 1, h->steps + 1);
        ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
        ck_assert_uint_eq(h->pc, pcs[i]);
    }
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_small_budget_gives_up_the_middle)
{
    struct program p;
    struct moments noted;
    begin(&p, 1);
    struct rig *r = with_past(&p, 1);
    r->m->config.history_bytes = 1;
    run_to_end(r, &noted);
    run_to_end(r, &noted);
    ck_assert_uint_eq(machine_history_start(r->m), 0);
    ck_assert_uint_eq(machine_checkpoint_before(r->m, noted.steps[0]), 0);
    go(r, noted.steps[3]);
    ck_assert_uint_eq(machine_hash(r->m), noted.hashes[3]);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(breakpoints_and_resets_on_the_way_do_not_stop_it)
{
    struct program p;
    struct error err;
    program_begin(&p);
    uint64_t loop = put_busy_program(&p.a, 1);
    program_end(&p);
    enter_temp_folder();
    struct machine_config config = rig_config(&p, 1);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 20;
    config.no_reboot = true;
    struct rig *r = rig_create_with(config);
    ck_assert(machine_keep_history(r->m, &err));
    rig_run(r, RIG_MS);
    rig_type(r, "r");
    ck_assert_int_eq(rig_run(r, 20 * RIG_MS), MACHINE_RESET);
    ck_assert(machine_reset(r->m, &err));
    machine_stop_at_total(r->m, machine_steps(r->m) + 5000000);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    uint64_t steps = machine_steps(r->m), hash = machine_hash(r->m);
    ck_assert(machine_add_breakpoint(r->m, loop));
    go(r, 1000);
    go(r, steps);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

static const struct machine_option disk_of_64m = {
    .items = {{"file", "disk"}, {"format", "raw"}, {"if", "none"}, {"snapshot", "on"}}, .count = 4};

/* At 1 ms, with a disk. */
static struct rig *begin_with_disk(struct program *p)
{
    struct error err;
    begin(p, 1);
    ck_assert_int_eq(shell("truncate -s 64M disk"), 0);
    struct machine_config config = rig_config(p, 1);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 16;
    config.drives = (struct machine_options){&disk_of_64m, 1};
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    rig_run(r, RIG_MS);
    return r;
}

static struct block *block_of(struct rig *r)
{
    return r->m->drives->items[0].block;
}

static void ask_disk(struct rig *r, enum block_op op, uint64_t offset, uint64_t n, uint8_t *bytes)
{
    struct block_request request = {.op = op, .offset = offset, .bytes = n, .buffer = bytes};
    block_submit(block_of(r), &request);
    block_wait(block_of(r), &request);
    ck_assert_int_eq(request.status, BLOCK_OK);
}

START_TEST(disks_go_back_too)
{
    struct program p;
    uint8_t bytes[512] = {1};
    struct rig *r = begin_with_disk(&p);
    ask_disk(r, BLOCK_WRITE, 512, sizeof bytes, bytes);
    go(r, 100);
    ask_disk(r, BLOCK_READ, 512, sizeof bytes, bytes);
    ck_assert_uint_eq(bytes[0], 0);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(what_was_never_written_is_kept_in_no_memory_when_it_is_discarded)
{
    struct program p;
    uint8_t bytes[1024] = {1};
    const uint64_t at = (40 << 20) + 512;
    struct rig *r = begin_with_disk(&p);
    ask_disk(r, BLOCK_WRITE, at, sizeof bytes, bytes);
    uint64_t steps = machine_steps(r->m);
    rig_run(r, 10 * RIG_MS); /* more than the steps between two checkpoints */
    ask_disk(r, BLOCK_DISCARD, 0, 64 << 20, NULL);
    ask_disk(r, BLOCK_READ, at, sizeof bytes, bytes);
    ck_assert_uint_eq(bytes[0], 0);
    ck_assert_uint_lt(block_history_memory(block_of(r)), 2 << 20);
    go(r, machine_steps(r->m) - 1);
    ask_disk(r, BLOCK_READ, at, sizeof bytes, bytes);
    ck_assert_uint_eq(bytes[0], 1);
    ck_assert_uint_eq(bytes[1], 0);
    go(r, steps - 1);
    ask_disk(r, BLOCK_READ, at, sizeof bytes, bytes);
    ck_assert_uint_eq(bytes[0], 0);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(without_a_past_there_is_no_way_back)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    rig_run(r, RIG_MS);
    ck_assert(!machine_has_history(r->m));
    ck_assert(!machine_go_to(r->m, 5, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "-history"));
    rig_free(r);
    struct machine_config config = rig_config(&p, 1);
    config.icount = false;
    config.history_bytes = 1 << 20;
    r = rig_create_with(config);
    ck_assert(!machine_keep_history(r->m, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "-icount"));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_recording_that_finds_no_room_does_not_lose_the_past)
{
    struct program p;
    struct moments noted;
    struct error err;
    begin(&p, 1);
    struct machine_config config = rig_config(&p, 1);
    config.history_bytes = 64 << 20;
    struct rlimit room;
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_record(r->m, "log", &err) && machine_keep_history(r->m, &err), "%s",
                  err.text);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert(getrlimit(RLIMIT_FSIZE, &room) == 0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 1, .rlim_max = room.rlim_max});
    rig_run(r, RIG_MS);
    setrlimit(RLIMIT_FSIZE, &room); /* Check's own file */
    run_to_end(r, &noted);
    go(r, noted.steps[3]);
    go(r, noted.steps[MOMENTS - 1]);
    ck_assert_uint_eq(machine_hash(r->m), noted.hashes[MOMENTS - 1]);
    ck_assert(!machine_record_close(r->m, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot write log: File too large"));
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_replay_goes_back_and_ends_where_it_ended)
{
    struct program p;
    struct error err;
    begin(&p, 2);
    struct rig *r = rig_create(&p, 2);
    ck_assert(machine_record(r->m, "log", &err));
    rig_run(r, 20 * RIG_MS);
    rig_type(r, "typed");
    machine_stop_at_total(r->m, 12000000);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    uint64_t steps = machine_steps(r->m), hash = machine_hash(r->m);
    rig_free(r);
    struct machine_config config = rig_config(&p, 2);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 20;
    r = rig_create_with(config);
    ck_assert(machine_replay(r->m, "log", &err) && machine_keep_history(r->m, &err));
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_REPLAYED);
    go(r, steps / 2);
    go(r, steps);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_REPLAYED);
    rig_free(r);
    end(&p);
}
END_TEST

/* --- while all harts sleep ------------------------------------------------------------------ */

#define PLIC       0x0c000000ull
#define PLIC_UART  10u
#define CARD_BYTES 0x1234567890ull

/* Sleeps until something is typed, which it does not take; then it goes round. */
static void begin_sleeper(struct program *p)
{
    struct assembler *a = &p->a;
    program_begin(p);
    asm_li(a, S0, RIG_DATA);
    asm_li(a, S1, RIG_UART);
    asm_li(a, T1, 1);
    ASM(a, sb, .rs1 = S1, .rs2 = T1, .imm = 1);
    asm_li(a, T2, PLIC);
    ASM(a, sw, .rs1 = T2, .rs2 = T1, .imm = 4 * PLIC_UART);
    asm_li(a, T1, 1 << PLIC_UART);
    asm_li(a, T2, PLIC + 0x2000);
    ASM(a, sw, .rs1 = T2, .rs2 = T1);
    asm_csrw(a, CSR_MIE, 1 << IRQ_MEIP);
    ASM(a, wfi);
    ASM(a, addi, .rd = A1, .rs1 = A1, .imm = 1);
    ASM(a, jal, .imm = asm_to(a, a->pc - 4));
    program_end(p);
    enter_temp_folder();
}

/* A card that writes what it receives. */
static size_t receive(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = owner;
    ck_assert(dma_write(r->m->memory, RIG_DATA, bytes, n));
    return n;
}

static uint64_t data_of(struct rig *r)
{
    uint64_t value;
    ck_assert(dma_read(r->m->memory, RIG_DATA, &value, sizeof value));
    return value;
}

static void check_writer(struct rig *r)
{
    struct error err;
    struct machine_writer writer;
    bool found;
    const struct machine_written what = {.gpa = RIG_DATA, .n = 8};
    const struct machine_place now = machine_place(r->m);
    ck_assert_msg(machine_find_writer(r->m, &what, &now, &writer, &found, &err), "%s", err.text);
    ck_assert(found);
    ck_assert_str_eq(writer.other, "card");
    ck_assert_uint_eq(writer.steps, now.steps);
    ck_assert_uint_eq(writer.now, CARD_BYTES);
    ck_assert_msg(machine_go_to_place(r->m, &now, &err), "%s", err.text);
    ck_assert_uint_eq(data_of(r), CARD_BYTES);
}

START_TEST(what_a_device_writes_while_all_harts_sleep_is_of_the_past)
{
    static const uint64_t bytes = CARD_BYTES;
    struct program p;
    struct error err;
    begin_sleeper(&p);
    struct rig *r = with_past(&p, 1);
    unsigned card = input_register(machine_door(r->m), "card", receive, r);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    uint64_t asleep = machine_steps(r->m);
    input_push(machine_door(r->m), card, &bytes, sizeof bytes);
    ck_assert_int_eq(rig_run(r, 2 * RIG_MS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_steps(r->m), asleep);
    check_writer(r);  /* it sleeps still */
    rig_type(r, "w"); /* it is heard, though the machine stood in its past meanwhile */
    machine_stop_at_total(r->m, asleep);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    ck_assert(!r->m->harts[0]->waiting);
    const struct machine_place awake = machine_place(r->m);
    uint64_t hash = machine_hash(r->m);
    check_writer(r); /* it is awake, in the present */
    ck_assert_uint_eq(machine_hash(r->m), hash);
    machine_stop_at_total(r->m, asleep + 100);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    go(r, asleep);
    ck_assert_uint_eq(data_of(r), 0);
    ck_assert_msg(machine_go_to_place(r->m, &awake, &err), "%s", err.text);
    check_writer(r); /* and in the past */
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *tests = tcase_create("history");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, every_moment_is_as_it_was, 0, ARRAY_LEN(hart_counts));
    tcase_add_test(tests, keeping_the_past_changes_nothing);
    tcase_add_test(tests, what_comes_again_is_what_came_and_is_not_said_twice);
    tcase_add_test(tests, one_hart_goes_back_by_steps);
    tcase_add_test(tests, a_small_budget_gives_up_the_middle);
    tcase_add_test(tests, breakpoints_and_resets_on_the_way_do_not_stop_it);
    tcase_add_test(tests, disks_go_back_too);
    tcase_add_test(tests, what_was_never_written_is_kept_in_no_memory_when_it_is_discarded);
    tcase_add_test(tests, without_a_past_there_is_no_way_back);
    tcase_add_test(tests, a_recording_that_finds_no_room_does_not_lose_the_past);
    tcase_add_test(tests, a_replay_goes_back_and_ends_where_it_ended);
    tcase_add_test(tests, what_a_device_writes_while_all_harts_sleep_is_of_the_past);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

/* Semihosting on the board: what the host answers is part of a recording and of the past. */
#include "machine/bisect.h"
#include "machine/history.h"
#include "machine/internal.h"
#include "machine/record.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

enum { SYS_OPEN = 1, SYS_WRITEC = 3, SYS_WRITE = 5, SYS_READ, SYS_READC, SYS_SEEK = 10 };

#define END_NS    (3 * RIG_MS)
#define BLOCKS    (RIG_RAM + 0x800)
#define BLOCK(i)  (BLOCKS + 32 * (i))
#define NAMES     (RIG_RAM + 0xc00)
#define EXIT_CODE 9

static void put_words(struct program *p, unsigned block, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t words[3] = {a, b, c};
    memcpy(p->bytes + (BLOCK(block) - RIG_RAM), words, sizeof words);
}

static void put_call(struct assembler *a, int64_t operation, uint64_t a1)
{
    asm_li(a, A0, operation);
    asm_li(a, A1, (int64_t)a1);
    asm_word(a, 0x01f01013);
    asm_word(a, 0x00100073);
    asm_word(a, 0x40705013);
}

/* Reads the 16 bytes of "in", and appends them to "log", over and over, many times a round. */
static void begin_copying(struct program *p)
{
    program_begin(p);
    memcpy(p->bytes + (NAMES - RIG_RAM), "in\0log", 7);
    put_words(p, 0, NAMES, 0, 2);
    put_words(p, 1, NAMES + 3, 8, 3);
    put_words(p, 2, 1, 0, 0);
    put_words(p, 3, 1, RIG_DATA, 16);
    put_words(p, 4, 2, RIG_DATA, 16);
    put_call(&p->a, SYS_OPEN, BLOCK(0));
    put_call(&p->a, SYS_OPEN, BLOCK(1));
    uint64_t loop = p->a.pc;
    put_call(&p->a, SYS_SEEK, BLOCK(2));
    put_call(&p->a, SYS_READ, BLOCK(3));
    put_call(&p->a, SYS_WRITE, BLOCK(4));
    asm_li(&p->a, T0, 3000);
    uint64_t delay = p->a.pc;
    ASM(&p->a, addi, .rd = T0, .rs1 = T0, .imm = -1);
    ASM(&p->a, bne, .rs1 = T0, .imm = asm_to(&p->a, delay));
    ASM(&p->a, jal, .imm = asm_to(&p->a, loop));
    program_end(p);
}

/* Echoes what is typed; 'q' ends with EXIT_CODE. */
static void begin_echo(struct program *p)
{
    program_begin(p);
    put_words(p, 0, 0x20026, EXIT_CODE, 0);
    asm_li(&p->a, S0, RIG_DATA);
    uint64_t loop = p->a.pc;
    put_call(&p->a, SYS_READC, 0);
    ASM(&p->a, sb, .rs1 = S0, .rs2 = A0);
    ASM(&p->a, addi, .rd = S1, .rs1 = A0);
    put_call(&p->a, SYS_WRITEC, RIG_DATA);
    asm_li(&p->a, T0, 'q');
    ASM(&p->a, bne, .rs1 = S1, .rs2 = T0, .imm = asm_to(&p->a, loop));
    put_call(&p->a, 0x20, BLOCK(0));
    program_end(p);
}

static struct machine_config config_of(const struct program *p)
{
    struct machine_config config = rig_config(p, 1);
    config.semihosting = (struct machine_semihosting){.is_enabled = true, .folder = "files"};
    config.history_bytes = 64 << 20;
    config.history_steps = 100000;
    return config;
}

static struct rig *create(const struct program *p)
{
    return rig_create_with(config_of(p));
}

static void enter(void)
{
    enter_temp_folder();
    ck_assert_int_eq(shell("mkdir files && printf 0123456789abcdef >files/in"), 0);
}

static void leave(struct program *p)
{
    unlink(p->path);
    leave_temp_folder();
}

static long log_lines(void)
{
    FILE *f = fopen("files/log", "r");
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    long bytes = ftell(f);
    fclose(f);
    ck_assert_int_eq(bytes % 16, 0);
    return bytes / 16;
}

static uint64_t record(const struct program *p)
{
    struct error err;
    struct rig *r = create(p);
    ck_assert_msg(machine_record(r->m, "recording", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_msg(machine_record_close(r->m, &err), "%s", err.text);
    uint64_t hash = machine_hash(r->m);
    rig_free(r);
    return hash;
}

START_TEST(a_replay_reads_what_was_read_and_writes_nothing)
{
    struct error err;
    struct program p;
    enter();
    begin_copying(&p);
    uint64_t hash = record(&p);
    ck_assert_int_gt(log_lines(), 100);
    ck_assert_int_eq(shell("printf other >files/in && printf kept >files/log"), 0);
    struct rig *r = create(&p);
    ck_assert_msg(machine_replay(r->m, "recording", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, END_NS / 2), MACHINE_TIME_LIMIT);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    ck_assert_int_eq(rig_run(r, 2 * END_NS), MACHINE_REPLAYED);
    ck_assert_int_eq(shell("test $(cat files/log) = kept"), 0);
    rig_free(r);
    leave(&p);
}
END_TEST

START_TEST(a_replay_that_becomes_a_run_of_its_own_asks_the_host_again)
{
    struct error err;
    struct program p;
    enter();
    begin_copying(&p);
    record(&p);
    long lines = log_lines();
    struct machine_config config = config_of(&p);
    config.awaits_replay = true; /* nobody has opened the folder */
    struct rig *r = rig_create_with(config);
    ck_assert_msg(machine_replay(r->m, "recording", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, END_NS / 2), MACHINE_TIME_LIMIT);
    ck_assert_int_eq(log_lines(), lines);
    ck_assert_msg(machine_branch(r->m, &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_int_gt(log_lines(), lines + 50);
    rig_free(r);
    leave(&p);
}
END_TEST

START_TEST(a_replay_without_its_answers_says_so)
{
    struct error err;
    struct program p;
    enter();
    begin_copying(&p);
    record(&p);
    ck_assert_int_eq(shell("truncate -s -3000 recording"), 0);
    struct rig *r = create(&p);
    ck_assert_msg(machine_replay(r->m, "recording", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, 2 * END_NS), MACHINE_REPLAYED);
    ck_assert_ptr_nonnull(strstr(machine_replay_end(r->m), "cut short"));
    rig_free(r);
    leave(&p);
}
END_TEST

START_TEST(the_past_is_not_written_again_and_the_present_goes_on)
{
    struct error err;
    struct program p;
    enter();
    begin_copying(&p);
    struct rig *r = create(&p);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    machine_stop_at_total(r->m, machine_steps(r->m) + 20011); /* in the middle of a round */
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    uint64_t steps = machine_steps(r->m), hash = machine_hash(r->m);
    long lines = log_lines();
    for (unsigned i = 1; i < 4; i++) {
        ck_assert_msg(machine_go_to(r->m, steps / 4 * i, &err), "%s", err.text);
        ck_assert_int_eq(log_lines(), lines);
        ck_assert_msg(machine_go_to(r->m, steps, &err), "%s", err.text);
        ck_assert_uint_eq(machine_hash(r->m), hash);
        ck_assert_int_eq(log_lines(), lines);
    }
    ck_assert_int_eq(rig_run(r, 2 * END_NS), MACHINE_TIME_LIMIT);
    ck_assert_int_gt(log_lines(), lines + 100);
    hash = machine_hash(r->m);
    lines = log_lines();
    rig_free(r);
    struct rig *straight = create(&p); /* the same, without a look back */
    ck_assert_int_eq(rig_run(straight, 2 * END_NS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(straight->m), hash);
    ck_assert_int_eq(log_lines(), 2 * lines);
    rig_free(straight);
    leave(&p);
}
END_TEST

START_TEST(a_saved_machine_goes_on_to_the_same_state)
{
    struct program p;
    enter();
    begin_copying(&p);
    struct rig *a = create(&p), *b = create(&p);
    ck_assert_int_eq(rig_run(a, RIG_MS), MACHINE_TIME_LIMIT);
    struct saved saved = rig_save(a);
    ck_assert(rig_load(b, saved.bytes, saved.size));
    ck_assert_int_eq(rig_run(a, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_int_eq(rig_run(b, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(a->m), machine_hash(b->m));
    free(saved.bytes);
    rig_free(a);
    rig_free(b);
    leave(&p);
}
END_TEST

START_TEST(a_program_that_waits_for_input_sleeps)
{
    struct program p;
    enter();
    begin_echo(&p);
    struct rig *r = create(&p);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    uint64_t steps = machine_steps(r->m);
    ck_assert_int_eq(rig_run(r, 1000 * RIG_MS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_steps(r->m), steps);
    rig_type(r, "ab");
    ck_assert_int_eq(rig_run(r, 1001 * RIG_MS), MACHINE_TIME_LIMIT);
    rig_type(r, "cq");
    struct machine_exit exit = machine_run(r->m, UINT64_MAX);
    ck_assert_int_eq(exit.stop, MACHINE_POWER_OFF);
    ck_assert_int_eq(exit.status, EXIT_CODE);
    ck_assert_uint_eq(r->sent_bytes, 4);
    ck_assert_mem_eq(r->sent, "abcq", 4);
    rig_free(r);
    leave(&p);
}
END_TEST

START_TEST(typed_input_comes_again_in_a_replay)
{
    struct error err;
    struct program p;
    enter();
    begin_echo(&p);
    for (int replays = 0; replays <= 1; replays++) {
        struct rig *r = create(&p);
        if (replays)
            ck_assert_msg(machine_replay(r->m, "recording", &err), "%s", err.text);
        else
            ck_assert_msg(machine_record(r->m, "recording", &err), "%s", err.text);
        for (unsigned i = 1; i <= 5; i++) {
            if (!replays)
                rig_type(r, "abc");
            ck_assert_int_eq(rig_run(r, i * RIG_MS), MACHINE_TIME_LIMIT);
        }
        ck_assert_uint_eq(r->sent_bytes, 15);
        ck_assert_msg(machine_record_close(r->m, &err), "%s", err.text);
        rig_free(r);
    }
    leave(&p);
}
END_TEST

START_TEST(the_heap_is_the_largest_free_part_of_ram)
{
    struct program p;
    enter();
    program_begin(&p);
    put_words(&p, 0, RIG_DATA, 0, 0);
    put_call(&p.a, 0x16, BLOCK(0));
    put_call(&p.a, 0x18, BLOCK(1));
    program_end(&p);
    struct rig *r = create(&p);
    uint64_t heap[4];
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_POWER_OFF);
    ck_assert(dma_read(r->m->memory, RIG_DATA, heap, sizeof heap));
    ck_assert_uint_eq(heap[0], RIG_RAM + RIG_PROGRAM);
    ck_assert_uint_ge(heap[1], RIG_RAM + (4 << 20)); /* up to the device tree */
    ck_assert_uint_le(heap[1], RIG_RAM + (8 << 20) - 4096);
    rig_free(r);
    leave(&p);
}
END_TEST

/* The last of the 16 bytes that are read becomes another in the middle. */
static struct rig *record_and_replay(const struct program *p, const char *log, char last)
{
    struct error err;
    struct rig *r = create(p);
    ck_assert_msg(machine_record(r->m, log, &err), "%s", err.text);
    ck_assert_int_eq(shell("printf 0123456789abcdef >files/in"), 0);
    ck_assert_int_eq(rig_run(r, END_NS / 2), MACHINE_TIME_LIMIT);
    ck_assert_int_eq(shell("printf 0123456789abcde%c >files/in", last), 0);
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    ck_assert_msg(machine_record_close(r->m, &err), "%s", err.text);
    rig_free(r);
    r = create(p);
    ck_assert_msg(machine_replay(r->m, log, &err), "%s", err.text);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    return r;
}

START_TEST(the_answer_at_which_two_recordings_part_is_found)
{
    struct error err;
    struct program p;
    struct bisection found;
    char read[2][17] = {{0}};
    enter();
    begin_copying(&p);
    struct rig *a = record_and_replay(&p, "one", 'X');
    struct rig *b = record_and_replay(&p, "two", 'Y');
    ck_assert_msg(machine_bisect(a->m, b->m, 0, &found, &err), "%s", err.text);
    ck_assert(found.differs);
    ck_assert_uint_eq(machine_hash(a->m), machine_hash(b->m));
    ck_assert_uint_ge(machine_now_ns(a->m), END_NS / 2);
    for (unsigned i = 0; i < 2; i++) {
        struct machine *m = i ? b->m : a->m;
        ck_assert(machine_go_to(m, found.steps + 1, &err));
        ck_assert(dma_read(m->memory, RIG_DATA, read[i], 16));
    }
    ck_assert_str_eq(read[0], "0123456789abcdeX");
    ck_assert_str_eq(read[1], "0123456789abcdeY");
    rig_free(a);
    rig_free(b);
    leave(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("semihost");
    TCase *tc = tcase_create("semihost");
    tcase_add_test(tc, a_replay_reads_what_was_read_and_writes_nothing);
    tcase_add_test(tc, a_replay_that_becomes_a_run_of_its_own_asks_the_host_again);
    tcase_add_test(tc, a_replay_without_its_answers_says_so);
    tcase_add_test(tc, the_past_is_not_written_again_and_the_present_goes_on);
    tcase_add_test(tc, the_answer_at_which_two_recordings_part_is_found);
    tcase_add_test(tc, a_saved_machine_goes_on_to_the_same_state);
    tcase_add_test(tc, a_program_that_waits_for_input_sleeps);
    tcase_add_test(tc, typed_input_comes_again_in_a_replay);
    tcase_add_test(tc, the_heap_is_the_largest_free_part_of_ram);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* What a debugger changes is part of the run: replays and ways back make it again, and the past can
 * only be changed by leaving it. */
#include "base/random.h"
#include "machine/edit.h"
#include "machine/history.h"
#include "machine/internal.h"
#include "machine/record.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define EDITS    60u
#define A7       17u
#define SATP     0x180u
#define MSCRATCH 0x340u
#define MEPC     0x341u
#define PMPCFG0  0x3a0u
#define PMPADDR0 0x3b0u

static const unsigned hart_counts[] = {1, 2, 4};

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

static void edit(struct rig *r, const struct machine_edit *e)
{
    struct error err;
    ck_assert_msg(machine_edit(r->m, e, &err), "%s", err.text);
}

/* What "log" has recorded comes to this hash at this time. */
static void must_replay(const struct program *p, unsigned harts, uint64_t end_ns, uint64_t hash)
{
    struct error err;
    struct rig *r = rig_create(p, harts);
    ck_assert_msg(machine_replay(r->m, "log", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, end_ns), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
}

static void set_a7(struct rig *r, unsigned hart, uint64_t value)
{
    edit(r, &(struct machine_edit){.kind = EDIT_X, .hart = hart, .number = A7, .value = value});
}

static void edit_something(struct rig *r, unsigned harts, uint64_t *random)
{
    uint64_t value = random_next(random);
    unsigned hart = (unsigned)(random_next(random) % harts);
    struct machine_edit e = {.hart = hart, .value = RIG_DATA + 8, .bytes = &value, .n = 8};
    switch (random_next(random) % 8) {
    case 0:
        e.kind = EDIT_MEMORY;
        break;
    case 1:
        e.kind = EDIT_PHYSICAL;
        break;
    case 2:
        e = (struct machine_edit){.kind = EDIT_CSR, .number = MSCRATCH, .value = value};
        break;
    case 3:
        e = (struct machine_edit){.kind = EDIT_RESET};
        break;
    default:
        set_a7(r, hart, value);
        return;
    }
    edit(r, &e);
}

/* Stops at odd places: in a turn, at a turn's end, between rounds, asleep. */
static enum machine_stop run_somewhere(struct rig *r, uint64_t *random)
{
    if (random_next(random) % 3 == 0)
        return rig_run(r, machine_now_ns(r->m) + random_next(random) % (RIG_MS / 2));
    machine_stop_at_total(r->m, machine_steps(r->m) + 1 + random_next(random) % 100000);
    return rig_run(r, UINT64_MAX);
}

START_TEST(what_was_changed_is_changed_again_in_a_replay)
{
    struct program p;
    struct error err;
    uint64_t random = 11, harts = hart_counts[_i];
    begin(&p, hart_counts[_i]);
    struct rig *r = rig_create(&p, hart_counts[_i]);
    ck_assert_msg(machine_record(r->m, "log", &err), "%s", err.text);
    for (unsigned i = 0; i < EDITS; i++) {
        run_somewhere(r, &random);
        edit_something(r, hart_counts[_i], &random);
        if (i % 4 == 0) /* several at one place, and input behind them */
            set_a7(r, i % harts, i);
        if (i % 5 == 0)
            rig_type(r, "x");
    }
    rig_run(r, machine_now_ns(r->m) + RIG_MS);
    uint64_t hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    rig_free(r);
    r = rig_create(&p, hart_counts[_i]);
    ck_assert_msg(machine_replay(r->m, "log", &err), "%s", err.text);
    for (enum machine_stop stop = MACHINE_STEPPED; stop == MACHINE_STEPPED;) {
        machine_stop_at_total(r->m, machine_steps(r->m) + 77777);
        stop = rig_run(r, end_ns);
        ck_assert_msg(stop == MACHINE_STEPPED || stop == MACHINE_TIME_LIMIT, "%s",
                      machine_replay_end(r->m));
    }
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_breakpoint_is_a_place_for_changes_too)
{
    struct program p;
    struct error err;
    program_begin(&p);
    uint64_t loop = put_busy_program(&p.a, 2);
    program_end(&p);
    enter_temp_folder();
    struct rig *r = rig_create(&p, 2);
    ck_assert(machine_record(r->m, "log", &err));
    rig_run(r, RIG_MS);
    ck_assert(machine_add_breakpoint(r->m, loop));
    for (unsigned i = 0; i < 3000; i++) { /* many of them begin a turn, or end a sleep */
        ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_BREAKPOINT);
        if (i % 3 == 0)
            set_a7(r, i % 2, i);
    }
    machine_remove_breakpoint(r->m, loop);
    rig_run(r, machine_now_ns(r->m) + RIG_MS);
    uint64_t hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    rig_free(r);
    must_replay(&p, 2, end_ns, hash);
    end(&p);
}
END_TEST

#define VA   0x40000000ull /* as RIG_RAM */
#define ROOT (RIG_DATA + 0x1000)
#define LEAF (RIG_RAM >> 12 << 10 | 0xcf)

/* Enters S-mode at VA, where it counts. PMP may cut the page, and allows all of it. */
static uint64_t put_return_to_pages(struct assembler *a, bool is_cut)
{
    a->pc = RIG_RAM + 0x200;
    uint64_t loop = a->pc;
    ASM(a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(a, jal, .imm = asm_to(a, loop));
    a->pc = RIG_RAM;
    asm_li(a, S0, ROOT);
    asm_li(a, A1, LEAF);
    ASM(a, sd, .rs1 = S0, .rs2 = A1, .imm = VA >> 30 << 3);
    asm_csrw(a, CSR_MTVEC, RIG_RAM + 0x100);
    asm_csrw(a, PMPADDR0, (RIG_RAM + 0x800) >> 2);
    asm_csrw(a, PMPADDR0 + 1, UINT64_MAX);
    asm_csrw(a, PMPCFG0, is_cut ? 0x1f17 : 0x1f00);
    asm_csrw(a, SATP, (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12);
    asm_csrw(a, CSR_MSTATUS, (uint64_t)PRIV_S << MSTATUS_MPP_SHIFT);
    asm_csrw(a, MEPC, VA + (loop - RIG_RAM));
    ASM(a, mret);
    return VA + (loop - RIG_RAM);
}

/* The hart has its translation when it stands at the breakpoint. */
START_TEST(a_page_that_is_taken_away_behind_its_first_fetch_is_so_in_a_replay)
{
    struct program p;
    struct error err;
    uint64_t nothing = 0;
    program_begin(&p);
    uint64_t loop = put_return_to_pages(&p.a, _i);
    program_end(&p);
    enter_temp_folder();
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_record(r->m, "log", &err));
    ck_assert(machine_add_breakpoint(r->m, loop));
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_BREAKPOINT);
    edit(r, &(struct machine_edit){.kind = EDIT_PHYSICAL,
                                   .value = ROOT + (VA >> 30 << 3),
                                   .bytes = &nothing,
                                   .n = sizeof nothing});
    machine_remove_breakpoint(r->m, loop);
    rig_run(r, RIG_MS);
    uint64_t hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    ck_assert_uint_gt(machine_hart(r->m, 0)->x[A0], 1000);
    rig_free(r);
    must_replay(&p, 1, end_ns, hash);
    end(&p);
}
END_TEST

/* S-mode falls into what PMP denies, and M-mode sends it back. */
static uint64_t put_loop_into_denied_part(struct assembler *a)
{
    a->pc = RIG_RAM + 0x100;
    ASM(a, csrrw, .rs1 = S0, .imm = MEPC);
    ASM(a, mret);
    a->pc = RIG_RAM + 0x200;
    uint64_t loop = a->pc;
    ASM(a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    uint64_t denied = a->pc;
    a->pc = RIG_RAM;
    asm_li(a, S0, (int64_t)loop);
    asm_csrw(a, CSR_MTVEC, RIG_RAM + 0x100);
    asm_csrw(a, PMPADDR0, (int64_t)denied >> 2);
    asm_csrw(a, PMPADDR0 + 1, UINT64_MAX);
    asm_csrw(a, PMPCFG0, 0x1f10);
    asm_csrw(a, CSR_MSTATUS, (uint64_t)PRIV_S << MSTATUS_MPP_SHIFT);
    asm_csrw(a, MEPC, (int64_t)loop);
    ASM(a, mret);
    return denied;
}

START_TEST(a_change_before_an_instruction_that_pmp_denies_is_made_again)
{
    struct program p;
    struct error err;
    program_begin(&p);
    uint64_t denied = put_loop_into_denied_part(&p.a);
    program_end(&p);
    enter_temp_folder();
    struct rig *r = rig_create(&p, 1);
    const struct hart *h = machine_hart(r->m, 0);
    ck_assert(machine_record(r->m, "log", &err));
    while (h->pc != denied || h->x[A0] < 10) {
        machine_stop_at(r->m, 0, h->steps + 1);
        ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    }
    set_a7(r, 0, 7);
    rig_run(r, RIG_MS);
    uint64_t hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    rig_free(r);
    must_replay(&p, 1, end_ns, hash);
    end(&p);
}
END_TEST

START_TEST(the_past_has_what_was_changed)
{
    struct program p;
    struct error err;
    uint64_t random = 5, steps[EDITS], hashes[EDITS];
    unsigned count = 0;
    begin(&p, hart_counts[_i]);
    struct rig *r = with_past(&p, hart_counts[_i]);
    while (count < EDITS) {
        enum machine_stop stop = run_somewhere(r, &random);
        set_a7(r, count % hart_counts[_i], random_next(&random));
        uint64_t value = count;
        edit(r, &(struct machine_edit){
                    .kind = EDIT_MEMORY, .value = RIG_DATA + 16, .bytes = &value, .n = 8});
        if (count % 9 == 8)
            edit(r, &(struct machine_edit){.kind = EDIT_RESET});
        else if (stop == MACHINE_STEPPED) {
            steps[count] = machine_steps(r->m);
            hashes[count++] = machine_hash(r->m);
            continue;
        }
        steps[count] = 0;
        hashes[count++] = 0;
    }
    rig_run(r, machine_now_ns(r->m) + RIG_MS);
    uint64_t end_steps = machine_steps(r->m), end_hash = machine_hash(r->m);
    for (unsigned i = 0; i < 2 * EDITS; i++) {
        unsigned k = (unsigned)(random_next(&random) % EDITS);
        if (!steps[k])
            continue;
        ck_assert_msg(machine_go_to(r->m, steps[k], &err), "%s", err.text);
        ck_assert_uint_eq(machine_hash(r->m), hashes[k]);
    }
    ck_assert_msg(machine_go_to(r->m, end_steps, &err), "%s", err.text);
    ck_assert_uint_eq(machine_hash(r->m), end_hash); /* the very present, asleep or not */
    set_a7(r, 0, 1);                                 /* which can be changed */
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(the_past_is_changed_only_by_leaving_it)
{
    struct program p;
    struct error err;
    struct machine_edit zero = {.kind = EDIT_X, .number = A7};
    begin(&p, 2);
    struct machine_config config = rig_config(&p, 2);
    config.history_bytes = 64 << 20;
    config.history_steps = 1 << 20;
    struct rig *r = rig_create_with(config);
    ck_assert(machine_record(r->m, "log", &err) && machine_keep_history(r->m, &err));
    ck_assert(!machine_branch(r->m, &err)); /* nothing to leave */
    rig_run(r, 10 * RIG_MS);
    rig_type(r, "What it hears now");
    rig_run(r, 20 * RIG_MS);
    uint64_t present = machine_steps(r->m), hash = machine_hash(r->m);
    ck_assert(machine_go_to(r->m, present / 3, &err));
    ck_assert(!machine_edit(r->m, &zero, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "`branch`"));
    ck_assert_msg(machine_go_to(r->m, present, &err), "%s", err.text);
    ck_assert_uint_eq(machine_hash(r->m), hash); /* nothing was changed */
    ck_assert(machine_go_to(r->m, present / 3, &err));
    ck_assert_msg(machine_branch(r->m, &err), "%s", err.text);
    set_a7(r, 0, 1);
    size_t sent = r->sent_bytes;
    rig_type(r, "Z");
    rig_run(r, 20 * RIG_MS);
    ck_assert_ptr_nonnull(memchr(r->sent + sent, 'Z', r->sent_bytes - sent));
    ck_assert_ptr_null(memchr(r->sent + sent, 'W', r->sent_bytes - sent));
    uint64_t other_hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    ck_assert_uint_ne(other_hash, hash);
    ck_assert(machine_go_to(r->m, present / 4, &err)); /* what came before is still the past */
    rig_free(r);
    config.history_bytes = 0;
    r = rig_create_with(config);
    ck_assert_msg(machine_replay(r->m, "log", &err), "%s", err.text);
    ck_assert_int_eq(rig_run(r, end_ns), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_hash(r->m), other_hash);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(a_replay_becomes_a_machine_of_its_own)
{
    struct program p;
    struct error err;
    struct machine_edit zero = {.kind = EDIT_X, .number = A7};
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_record(r->m, "log", &err));
    rig_run(r, 20 * RIG_MS);
    rig_free(r);
    for (unsigned history = 0; history < 2; history++) {
        struct machine_config config = rig_config(&p, 1);
        config.history_bytes = history ? 64 << 20 : 0;
        config.history_steps = 1 << 20;
        r = rig_create_with(config);
        ck_assert(machine_replay(r->m, "log", &err));
        ck_assert(!history || machine_keep_history(r->m, &err));
        rig_run(r, 5 * RIG_MS);
        ck_assert(!machine_edit(r->m, &zero, &err));
        ck_assert_msg(machine_branch(r->m, &err), "%s", err.text);
        set_a7(r, 0, 3);
        rig_type(r, "Z");
        rig_run(r, 6 * RIG_MS);
        ck_assert_ptr_nonnull(memchr(r->sent, 'Z', r->sent_bytes));
        uint64_t steps = machine_steps(r->m), hash = machine_hash(r->m);
        if (history) {
            ck_assert(machine_go_to(r->m, steps / 2, &err));
            ck_assert(machine_go_to(r->m, steps, &err));
            ck_assert_uint_eq(machine_hash(r->m), hash);
        }
        ck_assert_int_eq(rig_run(r, 30 * RIG_MS), MACHINE_TIME_LIMIT); /* beyond its end */
        rig_free(r);
    }
    end(&p);
}
END_TEST

START_TEST(a_guest_that_was_off_and_reset_by_hand_is_reset_in_a_replay)
{
    struct program p;
    struct error err;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_record(r->m, "log", &err));
    rig_run(r, RIG_MS);
    rig_type(r, "q");
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_POWER_OFF);
    edit(r, &(struct machine_edit){.kind = EDIT_RESET});
    rig_run(r, machine_now_ns(r->m) + 3 * RIG_MS);
    uint64_t hash = machine_hash(r->m), end_ns = machine_now_ns(r->m);
    rig_free(r);
    must_replay(&p, 1, end_ns, hash);
    end(&p);
}
END_TEST

START_TEST(what_cannot_be_is_refused_and_changes_nothing)
{
    static const struct machine_edit wrong[] = {
        {.kind = EDIT_PC, .value = 1},
        {.kind = EDIT_X, .number = 0},
        {.kind = EDIT_X, .number = 32},
        {.kind = EDIT_F, .number = 32},
        {.kind = EDIT_X, .number = 1, .hart = 1},
        {.kind = EDIT_CSR, .number = 0xc00},
        {.kind = EDIT_PRIVILEGE, .value = 2},
        {.kind = EDIT_PHYSICAL, .value = 0x40000000, .bytes = "x", .n = 1},
        {.kind = EDIT_MEMORY, .value = RIG_RAM + (8 << 20) - 1, .bytes = "xy", .n = 2},
    };
    struct program p;
    struct error err;
    begin(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_record(r->m, "log", &err));
    rig_run(r, RIG_MS);
    uint64_t hash = machine_hash(r->m);
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        *err.text = 0;
        ck_assert_msg(!machine_edit(r->m, &wrong[i], &err), "%u", i);
        ck_assert_uint_ne(strlen(err.text), 0);
    }
    ck_assert_uint_eq(machine_hash(r->m), hash);
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit");
    TCase *tests = tcase_create("edit");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, what_was_changed_is_changed_again_in_a_replay, 0,
                        ARRAY_LEN(hart_counts));
    tcase_add_test(tests, a_breakpoint_is_a_place_for_changes_too);
    tcase_add_loop_test(tests, a_page_that_is_taken_away_behind_its_first_fetch_is_so_in_a_replay,
                        0, 2);
    tcase_add_test(tests, a_change_before_an_instruction_that_pmp_denies_is_made_again);
    tcase_add_loop_test(tests, the_past_has_what_was_changed, 0, ARRAY_LEN(hart_counts));
    tcase_add_test(tests, the_past_is_changed_only_by_leaving_it);
    tcase_add_test(tests, a_replay_becomes_a_machine_of_its_own);
    tcase_add_test(tests, a_guest_that_was_off_and_reset_by_hand_is_reset_in_a_replay);
    tcase_add_test(tests, what_cannot_be_is_refused_and_changes_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

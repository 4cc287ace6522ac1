/* The whole machine on bare-metal programs: what decides how it ends, and that a run is a function
 * of its configuration and input alone. */
#include "machine/internal.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#include <libfdt.h>

#define END_NS (3 * RIG_MS)

/* The state after END_NS: "hello" is typed at 1 ms. */
struct outcome {
    uint64_t hash, steps, traps;
    size_t sent_bytes;
};

static struct outcome outcome_of(struct rig *r)
{
    return (struct outcome){.hash = machine_hash(r->m),
                            .steps = machine_steps(r->m),
                            .traps = machine_traps(r->m),
                            .sent_bytes = r->sent_bytes};
}

static void same(struct outcome a, struct outcome b)
{
    ck_assert_uint_eq(a.steps, b.steps);
    ck_assert_uint_eq(a.traps, b.traps);
    ck_assert_uint_eq(a.hash, b.hash);
}

/* Runs to `ns` by way of 1 ms. */
static void run_to(struct rig *r, uint64_t ns)
{
    while (machine_now_ns(r->m) < ns) {
        bool typed = machine_now_ns(r->m) >= RIG_MS;
        uint64_t until = typed ? ns : min_u64(ns, RIG_MS);
        while (rig_run(r, until) == MACHINE_BREAKPOINT)
            ;
        if (!typed && machine_now_ns(r->m) >= RIG_MS)
            rig_type(r, "hello");
    }
}

static struct outcome straight_run(const struct program *p, unsigned harts)
{
    struct rig *r = rig_create(p, harts);
    run_to(r, END_NS);
    struct outcome outcome = outcome_of(r);
    rig_free(r);
    return outcome;
}

static uint64_t busy(struct program *p, unsigned harts)
{
    program_begin(p);
    uint64_t loop = put_busy_program(&p->a, harts);
    program_end(p);
    return loop;
}

static void done(struct program *p)
{
    unlink(p->path);
}

static uint64_t data_at(struct rig *r, uint64_t offset)
{
    uint64_t value;
    ck_assert(dma_read(machine_hart(r->m, 0)->ports.memory, RIG_DATA + offset, &value, 8));
    return value;
}

START_TEST(timers_ipis_atomics_and_the_console_work_on_all_harts)
{
    struct program p;
    busy(&p, 4);
    struct rig *r = rig_create(&p, 4);
    run_to(r, END_NS);
    uint64_t rounds = 0;
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_ge(data_at(r, 64 + 8 * i), 28);
        ck_assert_uint_le(data_at(r, 64 + 8 * i), 31);
        ck_assert_uint_ge(data_at(r, 128 + 8 * i), 10);
        rounds += machine_hart(r->m, i)->x[A1];
    }
    ck_assert_uint_ge(rounds, data_at(r, 0));
    ck_assert_uint_le(rounds - data_at(r, 0), 4);
    r->sent[r->sent_bytes] = 0;
    for (const char *c = "ABCDhelo"; *c; c++)
        ck_assert_ptr_nonnull(strchr(r->sent, *c));
    rig_free(r);
    done(&p);
}
END_TEST

static const unsigned hart_counts[] = {1, 4};

START_TEST(two_machines_in_one_process_are_independent_and_equal)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    busy(&p, harts);
    struct outcome wanted = straight_run(&p, harts);
    struct rig *a = rig_create(&p, harts), *b = rig_create(&p, harts);
    while (machine_now_ns(a->m) < END_NS || machine_now_ns(b->m) < END_NS) {
        run_to(a, min_u64(machine_now_ns(a->m) + 40 * RIG_US, END_NS));
        run_to(b, min_u64(machine_now_ns(b->m) + 70 * RIG_US, END_NS));
    }
    same(outcome_of(a), wanted);
    same(outcome_of(b), wanted);
    ck_assert_uint_eq(a->sent_bytes, wanted.sent_bytes);
    ck_assert_uint_eq(b->sent_bytes, wanted.sent_bytes);
    ck_assert_mem_eq(a->sent, b->sent, a->sent_bytes);
    rig_free(a);
    rig_free(b);
    done(&p);
}
END_TEST

START_TEST(a_run_that_is_saved_and_loaded_anywhere_ends_the_same)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    busy(&p, harts);
    struct outcome wanted = straight_run(&p, harts);
    struct rig *b = rig_create(&p, harts); /* the same one again: what it did before is gone */
    uint64_t random = 7 + harts;
    for (unsigned round = 0; round < 12; round++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        uint64_t k = RIG_MS + random % (END_NS - RIG_MS);
        struct rig *a = rig_create(&p, harts);
        run_to(a, RIG_MS);
        if (k < RIG_MS + 100 * RIG_US)
            k = machine_now_ns(a->m);
        run_to(a, k);
        struct saved saved = rig_save(a);
        ck_assert(rig_load(b, saved.bytes, saved.size));
        ck_assert_uint_eq(machine_hash(b->m), machine_hash(a->m));
        if (input_backlog(machine_door(a->m), machine_console_entry(a->m)) == 0) {
            run_to(b, END_NS);
            same(outcome_of(b), wanted);
        }
        free(saved.bytes);
        rig_free(a);
    }
    rig_free(b);
    done(&p);
}
END_TEST

START_TEST(a_run_with_breakpoints_ends_the_same)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    uint64_t loop = busy(&p, harts), stops = 0;
    struct outcome wanted = straight_run(&p, harts);
    struct rig *r = rig_create(&p, harts);
    ck_assert(machine_add_breakpoint(r->m, loop + 20)); /* the IPI */
    ck_assert(machine_add_breakpoint(r->m, RIG_RAM + 0x408));
    for (uint64_t until = RIG_MS; until <= END_NS; until += 2 * RIG_MS) {
        struct machine_exit exit;
        while ((exit = machine_run(r->m, until)).stop == MACHINE_BREAKPOINT) {
            uint64_t pc = machine_hart(r->m, exit.hart)->pc;
            ck_assert(pc == loop + 20 || pc == RIG_RAM + 0x408);
            stops++;
        }
        if (until == RIG_MS)
            rig_type(r, "hello");
    }
    ck_assert_uint_ge(stops, 50);
    same(outcome_of(r), wanted);
    rig_free(r);
    done(&p);
}
END_TEST

START_TEST(a_run_under_stress_ends_the_same)
{
    struct program p;
    unsigned harts = hart_counts[_i];
    busy(&p, harts);
    struct outcome wanted = straight_run(&p, harts);
    struct machine_config config = rig_config(&p, harts);
    config.stress = true;
    struct rig *r = rig_create_with(config);
    run_to(r, END_NS);
    same(outcome_of(r), wanted);
    rig_free(r);
    done(&p);
}
END_TEST

START_TEST(another_seed_gives_another_order_of_harts)
{
    struct program p;
    busy(&p, 4);
    struct outcome wanted = straight_run(&p, 4);
    struct machine_config config = rig_config(&p, 4);
    config.seed++;
    struct rig *r = rig_create_with(config);
    run_to(r, END_NS);
    ck_assert_uint_ne(outcome_of(r).hash, wanted.hash);
    rig_free(r);
    done(&p);
}
END_TEST

/* --- ends --- */

START_TEST(power_off_and_failure_give_the_guests_status)
{
    struct program p;
    busy(&p, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct rig *r = rig_create(&p, 1);
        rig_type(r, i ? "f" : "q");
        struct machine_exit exit = machine_run(r->m, RIG_MS);
        ck_assert_int_eq(exit.stop, MACHINE_POWER_OFF);
        ck_assert_int_eq(exit.status, i ? 5 : 0);
        rig_free(r);
    }
    done(&p);
}
END_TEST

START_TEST(a_reset_starts_the_program_again_and_time_goes_on)
{
    struct program p;
    busy(&p, 4);
    struct rig *r = rig_create(&p, 4);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    uint64_t count = data_at(r, 0);
    rig_type(r, "r");
    ck_assert_int_eq(rig_run(r, RIG_MS + 400 * RIG_US), MACHINE_TIME_LIMIT);
    ck_assert_uint_ge(machine_now_ns(r->m), RIG_MS + 400 * RIG_US);
    ck_assert_uint_gt(data_at(r, 0), 0);
    ck_assert_uint_lt(data_at(r, 0), count);
    rig_free(r);
    done(&p);
}
END_TEST

START_TEST(with_no_reboot_a_reset_ends_the_run)
{
    struct program p;
    busy(&p, 1);
    struct machine_config config = rig_config(&p, 1);
    config.no_reboot = true;
    struct rig *r = rig_create_with(config);
    rig_type(r, "r");
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_RESET);
    rig_free(r);
    done(&p);
}
END_TEST

START_TEST(a_reset_behind_a_breakpoint_is_a_reset)
{
    struct program p;
    uint64_t loop = busy(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert(machine_add_breakpoint(r->m, loop));
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_BREAKPOINT);
    machine_remove_breakpoint(r->m, loop);
    rig_type(r, "r");
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    ck_assert_uint_ge(machine_now_ns(r->m), RIG_MS);
    rig_free(r);
    done(&p);
}
END_TEST

/* Between two runs a caller, and between two rounds an event or input, speaks for the guest. */
START_TEST(an_end_or_a_reset_that_is_asked_for_between_rounds_is_not_lost)
{
    struct program p;
    busy(&p, 1);
    struct rig *r = rig_create(&p, 1);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    uint64_t count = data_at(r, 0);
    machine_want_reset(r->m);
    ck_assert_int_eq(rig_run(r, RIG_MS + 100 * RIG_US), MACHINE_TIME_LIMIT);
    ck_assert_uint_lt(data_at(r, 0), count);
    machine_end(r->m, MACHINE_POWER_OFF, 3);
    struct machine_exit exit = machine_run(r->m, UINT64_MAX);
    ck_assert_int_eq(exit.stop, MACHINE_POWER_OFF);
    ck_assert_int_eq(exit.status, 3);
    ck_assert_int_eq(rig_run(r, RIG_MS + 200 * RIG_US), MACHINE_TIME_LIMIT);
    rig_free(r);
    done(&p);
}
END_TEST

START_TEST(a_requested_stop_ends_the_next_run_once)
{
    struct program p;
    busy(&p, 1);
    struct rig *r = rig_create(&p, 1);
    machine_request_stop(r->m);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_REQUEST);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    rig_free(r);
    done(&p);
}
END_TEST

/* --- guests that go nowhere --- */

static void ends_at_its_limit(struct program *p, unsigned harts)
{
    program_end(p);
    struct rig *r = rig_create(p, harts);
    ck_assert_int_eq(rig_run(r, RIG_MS), MACHINE_TIME_LIMIT);
    ck_assert_uint_ge(machine_now_ns(r->m), RIG_MS);
    ck_assert_uint_le(machine_now_ns(r->m), 2 * RIG_MS);
    rig_free(r);
    done(p);
}

START_TEST(a_guest_that_jumps_to_nowhere_ends_at_its_limit)
{
    struct program p;
    program_begin(&p);
    asm_li(&p.a, T0, 0x70000000);
    ASM(&p.a, jalr, .rs1 = T0);
    ends_at_its_limit(&p, 1);
}
END_TEST

START_TEST(a_guest_that_traps_for_ever_ends_at_its_limit)
{
    struct program p;
    program_begin(&p);
    asm_csrw(&p.a, CSR_MTVEC, RIG_RAM + 0x100);
    ASM(&p.a, ecall);
    p.a.pc = RIG_RAM + 0x100;
    ASM(&p.a, ecall);
    ends_at_its_limit(&p, 4);
}
END_TEST

START_TEST(a_guest_that_only_yields_ends_at_its_limit)
{
    struct program p;
    program_begin(&p);
    ASM(&p.a, pause);
    ASM(&p.a, jal, .imm = -4);
    ends_at_its_limit(&p, 4);
}
END_TEST

START_TEST(sleep_without_end_is_skipped_to_the_limit)
{
    struct program p;
    program_begin(&p);
    ASM(&p.a, wfi);
    ASM(&p.a, jal, .imm = -4);
    program_end(&p);
    struct rig *r = rig_create(&p, 4);
    ck_assert_int_eq(rig_run(r, 3600 * 1000 * RIG_MS), MACHINE_TIME_LIMIT);
    ck_assert_uint_eq(machine_now_ns(r->m), 3600 * 1000 * RIG_MS);
    ck_assert_uint_le(machine_steps(r->m), 100);
    rig_free(r);
    done(&p);
}
END_TEST

/* --- wrong state data --- */

/* Every byte of the machine's, the last harts' and the devices' sections; samples of the bulk. */
static size_t next_place(size_t at, size_t size)
{
    return at < 300 || at + 1500 > size ? at + 1 : at + 97;
}

START_TEST(a_truncated_state_is_refused)
{
    struct program p;
    busy(&p, 4);
    struct rig *a = rig_create(&p, 4), *b = rig_create(&p, 4);
    run_to(a, RIG_MS);
    struct saved saved = rig_save(a);
    for (size_t n = 0; n < saved.size; n = next_place(n, saved.size)) {
        uint8_t *exact = malloc(n + !n);
        memcpy(exact, saved.bytes, n);
        ck_assert(!rig_load(b, exact, n));
        free(exact);
    }
    ck_assert(rig_load(b, saved.bytes, saved.size));
    ck_assert_uint_eq(machine_hash(a->m), machine_hash(b->m));
    free(saved.bytes);
    rig_free(a);
    rig_free(b);
    done(&p);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_runs)
{
    struct program p;
    uint64_t loop = busy(&p, 4);
    struct rig *a = rig_create(&p, 4), *b = rig_create(&p, 4);
    run_to(a, RIG_MS);
    ck_assert(machine_add_breakpoint(a->m, loop + 20)); /* in the middle of a round */
    ck_assert_int_eq(rig_run(a, 2 * RIG_MS), MACHINE_BREAKPOINT);
    struct saved saved = rig_save(a);
    uint8_t *copy = malloc(saved.size);
    unsigned refused = 0, accepted = 0;
    for (size_t at = 0; at < saved.size; at = next_place(at, saved.size)) {
        memcpy(copy, saved.bytes, saved.size);
        copy[at] ^= (uint8_t)(1 + at % 255);
        if (!rig_load(b, copy, saved.size)) {
            refused++;
            continue;
        }
        accepted++;
        b->sent_bytes = 0;
        machine_run(b->m, machine_now_ns(b->m) + 1);
    }
    ck_assert_uint_ge(refused, 500);
    ck_assert_uint_ge(accepted, 500);
    free(copy);
    free(saved.bytes);
    rig_free(a);
    rig_free(b);
    done(&p);
}
END_TEST

/* Hart 0 sends hart 1 a supervisor software interrupt through SSWI; hart 1 keeps its mip. */
START_TEST(with_an_aclint_setssip_raises_the_interrupt_of_its_hart)
{
    for (unsigned aclint = 0; aclint < 2; aclint++) {
        struct program p;
        program_begin(&p);
        asm_li(&p.a, S0, 0x02f00004);
        asm_li(&p.a, S1, 1);
        ASM(&p.a, sw, .rs1 = S0, .rs2 = S1);
        ASM(&p.a, jal, .imm = 0);
        program_end(&p);
        struct machine_config config = rig_config(&p, 2);
        config.aclint = aclint;
        struct rig *r = rig_create_with(config);
        rig_run(r, RIG_MS);
        ck_assert_uint_eq(hart_mip(machine_hart(r->m, 0)) >> IRQ_SSIP & 1, 0);
        ck_assert_uint_eq(hart_mip(machine_hart(r->m, 1)) >> IRQ_SSIP & 1, aclint);
        rig_free(r);
        done(&p);
    }
}
END_TEST

/* seL4's build, for one, asks the tree for /soc/plic@c000000 (overlay-qemu-riscv-virt.dts). */
START_TEST(nodes_of_the_device_tree_have_the_names_of_qemu_10)
{
    static const char *const paths[] = {
        "/soc/plic@c000000",
        "/soc/clint@2000000",
        "/soc/test@100000",
        "/soc/rtc@101000",
        "/soc/serial@10000000",
        "/soc/pci@30000000",
        "/fw-cfg@10100000",
        "/soc/virtio_mmio@10001000",
        "/flash@20000000",
        "/cpus/cpu@1",
        "/soc/virtio_mmio@10008000",
        "/poweroff",
        "/memory@80000000",
        "/reboot",
        "/pmu",
        "/cpus/cpu-map/cluster0/core1",
    };
    struct program p;
    size_t size;
    program_begin(&p);
    program_end(&p);
    struct rig *r = rig_create_with(rig_config(&p, 2));
    const void *tree = machine_device_tree(r->m, &size);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        ck_assert_msg(fdt_path_offset(tree, paths[i]) >= 0, "no %s", paths[i]);
    rig_free(r);
    done(&p);
}
END_TEST

static void add_end_tests(Suite *suite)
{
    TCase *tc = tcase_create("ends");
    tcase_add_test(tc, with_an_aclint_setssip_raises_the_interrupt_of_its_hart);
    tcase_add_test(tc, power_off_and_failure_give_the_guests_status);
    tcase_add_test(tc, a_reset_starts_the_program_again_and_time_goes_on);
    tcase_add_test(tc, with_no_reboot_a_reset_ends_the_run);
    tcase_add_test(tc, a_reset_behind_a_breakpoint_is_a_reset);
    tcase_add_test(tc, an_end_or_a_reset_that_is_asked_for_between_rounds_is_not_lost);
    tcase_add_test(tc, a_requested_stop_ends_the_next_run_once);
    tcase_add_test(tc, a_guest_that_jumps_to_nowhere_ends_at_its_limit);
    tcase_add_test(tc, a_guest_that_traps_for_ever_ends_at_its_limit);
    tcase_add_test(tc, a_guest_that_only_yields_ends_at_its_limit);
    tcase_add_test(tc, sleep_without_end_is_skipped_to_the_limit);
    suite_add_tcase(suite, tc);
}

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *tc = tcase_create("determinism");
    int n = ARRAY_LEN(hart_counts);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, timers_ipis_atomics_and_the_console_work_on_all_harts);
    tcase_add_loop_test(tc, two_machines_in_one_process_are_independent_and_equal, 0, n);
    tcase_add_loop_test(tc, a_run_that_is_saved_and_loaded_anywhere_ends_the_same, 0, n);
    tcase_add_loop_test(tc, a_run_with_breakpoints_ends_the_same, 0, n);
    tcase_add_loop_test(tc, a_run_under_stress_ends_the_same, 0, n);
    tcase_add_test(tc, another_seed_gives_another_order_of_harts);
    suite_add_tcase(suite, tc);
    add_end_tests(suite);
    TCase *wrong = tcase_create("wrong data");
    tcase_set_timeout(wrong, 300);
    tcase_add_test(wrong, a_truncated_state_is_refused);
    tcase_add_test(wrong, a_damaged_state_is_refused_or_runs);
    suite_add_tcase(suite, wrong);
    TCase *board = tcase_create("board");
    tcase_add_test(board, nodes_of_the_device_tree_have_the_names_of_qemu_10);
    suite_add_tcase(suite, board);
    return run_suite(suite);
}

/* The machine's rounds: what a caller of machine_run sees, and that neither where it pauses nor how
 * it stopped before changes what the guest does. Guests are raw code at the base of RAM. */
#include "cpu/hart.h"
#include "machine/machine.h"
#include "tests/unit/asm.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RAM         0x80000000ull
#define TEST_DEVICE 0x00100000
#define UART        0x10000000
#define TEST_RESET  0x7777
#define MS          1000000ull

struct rig {
    struct assembler a;
    uint8_t code[4096];
    struct insn_decoder *decoder;
    char file[32];
};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->decoder = insn_decoder_create(NULL);
    r->a = (struct assembler){
        .decoder = r->decoder, .bytes = r->code, .base = RAM, .size = sizeof r->code, .pc = RAM};
    strcpy(r->file, "/tmp/rivulet-test-XXXXXX");
}

static void rig_free(struct rig *r)
{
    unlink(r->file);
    insn_decoder_destroy(r->decoder);
}

/* A machine that runs what was assembled, in M-mode. */
static struct machine *rig_machine_with(struct rig *r, unsigned harts, struct byte_sink console)
{
    struct machine_config config;
    struct error err;
    machine_config_init(&config);
    if (strstr(r->file, "XXXXXX")) {
        int file = mkstemp(r->file);
        ck_assert_int_eq(write(file, r->code, sizeof r->code), sizeof r->code);
        close(file);
    }
    config.bios = BIOS_NONE;
    config.kernel_file = r->file;
    config.harts = harts;
    config.icount = true;
    config.rtc = RTC_FIXED;
    config.serial = console;
    struct machine *m = machine_create(&config, &err);
    ck_assert_msg(m != NULL, "%s", err.text);
    return m;
}

static struct machine *rig_machine(struct rig *r, unsigned harts)
{
    return rig_machine_with(r, harts, (struct byte_sink){0});
}

START_TEST(a_reset_after_a_breakpoint_is_a_reset)
{
    struct rig r;
    rig_init(&r);
    asm_li(&r.a, A0, TEST_DEVICE);
    asm_li(&r.a, A1, TEST_RESET);
    ASM(&r.a, sw, .rs1 = A0, .rs2 = A1);
    ASM(&r.a, jal, .imm = 0);
    struct machine *m = rig_machine(&r, 1);
    ck_assert(machine_add_breakpoint(m, RAM));
    for (unsigned boot = 0; boot < 3; boot++) {
        ck_assert_int_eq(machine_run(m, MS).stop, MACHINE_BREAKPOINT);
        ck_assert_uint_eq(machine_hart(m, 0)->pc, RAM);
    }
    machine_remove_breakpoint(m, RAM);
    ck_assert_int_eq(machine_run(m, machine_now_ns(m) + MS).stop, MACHINE_TIME_LIMIT);
    machine_destroy(m);
    rig_free(&r);
}
END_TEST

/* Sleeps for ever, or until a timer every 2.1 ms. */
static void put_sleeper(struct rig *r, bool timer)
{
    asm_csrw(&r->a, 0x304, 1 << 7); /* mie: MTIE */
    asm_li(&r->a, A1, 0x0200bff8);  /* mtime */
    asm_li(&r->a, A2, 0x02004000);  /* mtimecmp of hart 0 */
    uint64_t loop = r->a.pc;
    if (timer) {
        ASM(&r->a, ld, .rd = A3, .rs1 = A1);
        asm_li(&r->a, A4, 21000);
        ASM(&r->a, add, .rd = A3, .rs1 = A3, .rs2 = A4);
        ASM(&r->a, sd, .rs1 = A2, .rs2 = A3);
    }
    ASM(&r->a, wfi);
    ASM(&r->a, jal, .imm = asm_to(&r->a, loop));
}

START_TEST(where_a_run_pauses_leaves_no_trace_in_the_state)
{
    for (unsigned timer = 0; timer < 2; timer++) {
        for (unsigned harts = 1; harts <= 3; harts++) {
            struct rig r;
            rig_init(&r);
            put_sleeper(&r, timer);
            struct machine *straight = rig_machine(&r, harts), *paused = rig_machine(&r, harts);
            machine_run(straight, 20 * MS);
            for (unsigned ms = 3; ms <= 20; ms += 1)
                machine_run(paused, ms * MS);
            ck_assert_uint_eq(machine_now_ns(straight), machine_now_ns(paused));
            ck_assert_uint_eq(machine_steps(straight), machine_steps(paused));
            ck_assert_uint_eq(machine_hash(straight), machine_hash(paused));
            machine_destroy(straight);
            machine_destroy(paused);
            rig_free(&r);
        }
    }
}
END_TEST

static void ask_for_a_stop(void *owner, const uint8_t *bytes, size_t n)
{
    struct machine **m = owner;
    (void)bytes;
    (void)n;
    machine_request_stop(*m);
}

/* As a window's wish to be drawn may come within the last round before the end. */
START_TEST(a_stop_asked_for_within_a_round_leaves_no_trace_in_the_state)
{
    struct rig r;
    rig_init(&r);
    asm_li(&r.a, A0, UART);
    ASM(&r.a, sb, .rs1 = A0, .rs2 = A0);
    ASM(&r.a, jal, .imm = 0);
    struct machine *asks = NULL, *quiet = rig_machine(&r, 1);
    asks = rig_machine_with(&r, 1, (struct byte_sink){.write = ask_for_a_stop, .owner = &asks});
    ck_assert_int_eq(machine_run(asks, MS).stop, MACHINE_REQUEST);
    ck_assert_int_eq(machine_run(quiet, machine_now_ns(asks)).stop, MACHINE_TIME_LIMIT);
    ck_assert_uint_gt(machine_steps(asks), 0);
    ck_assert_uint_eq(machine_steps(asks), machine_steps(quiet));
    ck_assert_uint_eq(machine_hash(asks), machine_hash(quiet));
    machine_destroy(asks);
    machine_destroy(quiet);
    rig_free(&r);
}
END_TEST

START_TEST(a_machine_of_no_hart_or_too_many_is_refused)
{
    static const unsigned counts[] = {0, MACHINE_MAX_HARTS + 1, 100000};
    for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
        struct machine_config config;
        struct error err;
        machine_config_init(&config);
        config.harts = counts[i];
        ck_assert_ptr_null(machine_create(&config, &err));
        ck_assert_ptr_nonnull(strstr(err.text, "harts"));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rounds");
    TCase *t = tcase_create("machine_run");
    tcase_add_test(t, a_reset_after_a_breakpoint_is_a_reset);
    tcase_add_test(t, where_a_run_pauses_leaves_no_trace_in_the_state);
    tcase_add_test(t, a_stop_asked_for_within_a_round_leaves_no_trace_in_the_state);
    tcase_add_test(t, a_machine_of_no_hart_or_too_many_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

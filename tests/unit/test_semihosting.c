/* Semihosting: which ebreak is a call, and the calls without files. */
#include "tests/unit/semihosting_rig.h"
#include "tests/unit/suite.h"

#include <errno.h>

#define CSR_MCAUSE  0x342
#define CSR_MSTATUS 0x300
#define CSR_MTVEC   0x305

/* --- which ebreak is a call --------------------------------------------------------------- */

/* Runs what the assembler has put at `from` up to its ebreak; whether it trapped. */
static bool traps_at(struct semi_rig *r, uint64_t from, unsigned steps)
{
    ck_assert(hart_csr_poke(r->b.h, CSR_MTVEC, SEMI_END - 0x100));
    r->b.h->pc = from;
    r->b.h->page_valid = false;
    r->b.h->x[A0] = SYS_TICKFREQ;
    for (unsigned i = 0; i < steps; i++)
        bench_run(&r->b, 1);
    return r->b.h->pc == SEMI_END - 0x100 && r->b.h->csr.mcause == CAUSE_BREAKPOINT;
}

START_TEST(an_ebreak_is_a_call_only_between_its_two_instructions)
{
    static const struct {
        uint32_t words[3];
        bool is_call;
    } cases[] = {
        {{0x01f01013, 0x00100073, 0x40705013}, true},
        {{0x01f01013, 0x00100073, 0x00000013}, false},
        {{0x00000013, 0x00100073, 0x40705013}, false},
        {{0x01e01013, 0x00100073, 0x40705013}, false},
        {{0x01f01013, 0x90029002, 0x40705013}, false}, /* c.ebreak, twice */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct semi_rig *r = semi_create(NULL);
        r->b.a.pc = SEMI_CODE + 0x200;
        memcpy(bench_at(&r->b, r->b.a.pc), cases[i].words, sizeof cases[i].words);
        ck_assert_int_eq(traps_at(r, SEMI_CODE + 0x200, 2), !cases[i].is_call);
        ck_assert_int_eq(r->b.h->x[A0] == 1000000000, cases[i].is_call);
        semi_free(r);
    }
}
END_TEST

START_TEST(a_sequence_over_two_pages_is_none)
{
    for (unsigned offset = 0xff0; offset <= 0x1000; offset += 4) {
        struct semi_rig *r = semi_create(NULL);
        bool fits = offset <= 0xff4 || offset == 0x1000;
        r->b.a.pc = SEMI_CODE + offset;
        put_sequence(&r->b.a);
        ck_assert_int_eq(traps_at(r, SEMI_CODE + offset, 2), !fits);
        semi_free(r);
    }
}
END_TEST

START_TEST(without_semihosting_the_sequence_is_a_breakpoint)
{
    struct semi_rig *r = semi_create(NULL);
    r->b.h->ports.semihosting = NULL;
    ck_assert(traps_at(r, SEMI_CODE, 2));
    ck_assert_uint_eq(r->b.h->csr.mepc, SEMI_CODE + 4);
    ck_assert_uint_eq(r->b.h->x[A0], SYS_TICKFREQ);
    semi_free(r);
}
END_TEST

START_TEST(user_mode_calls_only_where_it_may)
{
    for (int may = 0; may <= 1; may++) {
        struct semi_rig *r = semi_create(NULL);
        struct semihosting_config config = semi_config(r);
        config.in_user_mode = may;
        semihosting_destroy(r->s);
        r->s = semihosting_create(&config);
        pmp_write_addr(r->b.h, 0, UINT64_MAX);
        pmp_write_cfg(r->b.h, 0, 0x1f);
        hart_set_priv(r->b.h, PRIV_U);
        uint64_t steps = r->b.h->steps;
        ck_assert_int_eq(traps_at(r, SEMI_CODE, 2), !may);
        ck_assert_uint_eq(r->b.h->steps, steps + 2);
        semi_free(r);
    }
}
END_TEST

START_TEST(a_call_is_a_step_and_leaves_other_registers_alone)
{
    struct semi_rig *r = semi_create(NULL);
    uint64_t x[33];
    r->b.h->x[A2] = 77;
    memcpy(x, r->b.h->x, sizeof x);
    uint64_t steps = r->b.h->steps;
    ck_assert_int_eq(semi_raw(r, SYS_TICKFREQ, 5), 1000000000);
    x[A0] = 1000000000;
    x[A1] = 5;
    x[X_SINK] = r->b.h->x[X_SINK];
    ck_assert_mem_eq(x, r->b.h->x, sizeof x);
    ck_assert_uint_eq(r->b.h->steps, steps + 3);
    semi_free(r);
}
END_TEST

START_TEST(an_unknown_call_fails)
{
    static const uint64_t unknown[] = {0, 0x0b, 0x14, 0x17, 0x21, 0x32, 0x100, 0xffffffff};
    struct semi_rig *r = semi_create(NULL);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        ck_assert_int_eq(semi_raw(r, unknown[i], SEMI_BLOCK), -1);
        ck_assert_int_eq(semi_errno(r), EINVAL);
    }
    semi_free(r);
}
END_TEST

START_TEST(a_block_that_is_not_there_is_a_fault_and_no_trap)
{
    static const uint64_t calls[] = {
        SYS_OPEN,    SYS_CLOSE,       SYS_WRITEC,   SYS_WRITE0,        SYS_WRITE,  SYS_READ,
        SYS_ISERROR, SYS_ISTTY,       SYS_SEEK,     SYS_FLEN,          SYS_TMPNAM, SYS_REMOVE,
        SYS_RENAME,  SYS_GET_CMDLINE, SYS_HEAPINFO, SYS_EXIT_EXTENDED, SYS_ELAPSED};
    static const uint64_t places[] = {0, 8, SEMI_END - 1, SEMI_END, UINT64_MAX, UINT64_MAX - 7};
    struct semi_rig *r = semi_create(NULL);
    *(uint8_t *)bench_at(&r->b, SEMI_END - 1) = 'x'; /* a text without an end */
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        for (size_t j = 0; j < ARRAY_LEN(places); j++) {
            if (calls[i] == SYS_WRITEC && places[j] == SEMI_END - 1)
                continue;
            ck_assert_int_eq(semi_raw(r, calls[i], places[j]), -1);
            ck_assert_int_eq(semi_errno(r), EFAULT);
        }
    ck_assert_uint_eq(r->out_bytes, 0);
    semi_free(r);
}
END_TEST

/* --- the console -------------------------------------------------------------------------- */

START_TEST(characters_texts_and_buffers_come_to_the_console)
{
    struct semi_rig *r = semi_create(NULL);
    semi_raw(r, SYS_WRITEC, semi_text(r, SEMI_TEXT, "a"));
    semi_raw(r, SYS_WRITE0, semi_text(r, SEMI_TEXT + 1, "bcd"));
    semi_raw(r, SYS_WRITE0, semi_text(r, SEMI_TEXT, ""));
    int64_t out = semi_open(r, ":tt", MODE_W), err = semi_open(r, ":tt", MODE_A);
    ck_assert_int_eq(semi_write_text(r, out, "efg"), 0);
    ck_assert_int_eq(semi_write_text(r, err, "no"), 0);
    ck_assert_uint_eq(r->out_bytes, 7);
    ck_assert_mem_eq(r->out, "abcdefg", 7);
    ck_assert_uint_eq(r->err_bytes, 2);
    ck_assert_mem_eq(r->err, "no", 2);
    semi_free(r);
}
END_TEST

START_TEST(what_is_not_there_is_not_written)
{
    struct semi_rig *r = semi_create(NULL);
    uint64_t out = (uint64_t)semi_open(r, ":tt", MODE_W);
    ck_assert_int_eq(semi(r, SYS_WRITE, out, SEMI_END - 4096, 8192, 0), 4096);
    ck_assert_uint_eq(r->out_bytes, 4096);
    ck_assert_int_eq(semi(r, SYS_WRITE, out, 0, 1, 0), 1);
    ck_assert_int_eq(semi(r, SYS_WRITE, out, SEMI_END - 4096, 1ull << 63, 0), INT64_MAX - 4095);
    ck_assert_int_eq(semi(r, SYS_WRITE, out, SEMI_DATA, 0, 0), 0);
    ck_assert_int_eq(semi_errno(r), EFAULT);
    semi_free(r);
}
END_TEST

START_TEST(a_read_of_the_console_gives_what_is_there)
{
    struct semi_rig *r = semi_create(NULL);
    uint64_t in = (uint64_t)semi_open(r, ":tt", MODE_R);
    r->in = "hello";
    ck_assert_int_eq(semi_raw(r, SYS_READC, 0), 'h');
    ck_assert_int_eq(semi(r, SYS_READ, in, SEMI_DATA, 100, 0), 96);
    ck_assert_mem_eq(bench_at(&r->b, SEMI_DATA), "ello", 4);
    r->in = "rest";
    ck_assert_int_eq(semi(r, SYS_READ, in, SEMI_DATA, 2, 0), 0);
    ck_assert_int_eq(semi(r, SYS_READ, in, 0, 2, 0), 2); /* nowhere: nothing is taken */
    ck_assert_str_eq(r->in, "st");
    semi_free(r);
}
END_TEST

START_TEST(the_end_of_input_is_told)
{
    struct semi_rig *r = semi_create(NULL);
    uint64_t in = (uint64_t)semi_open(r, ":tt", MODE_R);
    r->in = NULL;
    ck_assert_int_eq(semi_raw(r, SYS_READC, 0), -1);
    ck_assert_int_eq(semi(r, SYS_READ, in, SEMI_DATA, 7, 0), 7);
    ck_assert(!r->b.h->waiting);
    semi_free(r);
}
END_TEST

START_TEST(a_hart_waits_for_input_and_is_woken_by_it)
{
    struct semi_rig *r = semi_create(NULL);
    ck_assert_int_eq(semi_raw(r, SYS_READC, 0), SYS_READC); /* not answered */
    ck_assert(r->b.h->waiting);
    ck_assert_uint_eq(r->b.h->pc, SEMI_CODE + 4);
    ck_assert(!semihosting_wakes(r->s, r->b.h));
    r->in = "xy";
    ck_assert(semihosting_wakes(r->s, r->b.h));
    ck_assert_str_eq(r->in, "y"); /* the look keeps it */
    r->b.h->waiting = false;
    bench_run(&r->b, 1);
    ck_assert_uint_eq(r->b.h->x[A0], 'x');
    ck_assert(!semihosting_wakes(r->s, r->b.h)); /* it waits no more */
    ck_assert_str_eq(r->in, "y");
    semi_free(r);
}
END_TEST

/* --- information -------------------------------------------------------------------------- */

START_TEST(time_is_virtual)
{
    struct semi_rig *r = semi_create(NULL);
    r->b.h->time_base_ns = 12340000000;
    ck_assert_int_eq(semi_raw(r, SYS_CLOCK, 0), 1234);
    ck_assert_int_eq(semi_raw(r, SYS_TIME, 0), 1000000012);
    ck_assert_int_eq(semi_raw(r, SYS_ELAPSED, SEMI_DATA), 0);
    uint64_t elapsed = bench_peek(&r->b, SEMI_DATA);
    ck_assert_uint_ge(elapsed, 12340000000);
    ck_assert_uint_lt(elapsed, 12340000100);
    semi_free(r);
}
END_TEST

START_TEST(the_command_line_needs_room_for_its_end)
{
    struct semi_rig *r = semi_create(NULL);
    ck_assert_int_eq(semi(r, SYS_GET_CMDLINE, SEMI_DATA, 12, 0, 0), -1);
    ck_assert_int_eq(semi_errno(r), E2BIG);
    ck_assert_int_eq(semi(r, SYS_GET_CMDLINE, SEMI_DATA, 13, 0, 0), 0);
    ck_assert_str_eq(bench_at(&r->b, SEMI_DATA), "prog one two");
    ck_assert_uint_eq(bench_peek(&r->b, SEMI_BLOCK + 8), 12);
    ck_assert_int_eq(semi(r, SYS_GET_CMDLINE, SEMI_END - 5, 1ull << 63, 0, 0), -1);
    ck_assert_int_eq(semi_errno(r), EFAULT);
    semi_free(r);
}
END_TEST

START_TEST(the_heap_is_what_was_said)
{
    struct semi_rig *r = semi_create(NULL);
    semihosting_set_heap(r->s, 0x80001000, 0x80200000);
    ck_assert_int_eq(semi(r, SYS_HEAPINFO, SEMI_DATA, 0, 0, 0), 0);
    static const uint64_t expected[4] = {0x80001000, 0x80200000, 0x80200000, 0x80001000};
    ck_assert_mem_eq(bench_at(&r->b, SEMI_DATA), expected, sizeof expected);
    semi_free(r);
}
END_TEST

START_TEST(a_negative_status_is_an_error)
{
    struct semi_rig *r = semi_create(NULL);
    ck_assert_int_eq(semi(r, SYS_ISERROR, 0, 0, 0, 0), 0);
    ck_assert_int_eq(semi(r, SYS_ISERROR, 1, 0, 0, 0), 0);
    ck_assert_int_eq(semi(r, SYS_ISERROR, (uint64_t)-1, 0, 0, 0), 1);
    ck_assert_int_eq(semi(r, SYS_ISERROR, 1ull << 63, 0, 0, 0), 1);
    semi_free(r);
}
END_TEST

START_TEST(no_command_of_the_host_is_run)
{
    struct semi_rig *r = semi_create(NULL);
    ck_assert_int_eq(semi(r, SYS_SYSTEM, semi_text(r, SEMI_TEXT, "exit 0"), 6, 0, 0), -1);
    ck_assert_int_eq(semi_errno(r), EPERM);
    semi_free(r);
}
END_TEST

/* --- the end ------------------------------------------------------------------------------ */

START_TEST(a_program_ends_with_its_status)
{
    static const struct {
        uint64_t operation, reason, status;
        int expected;
    } cases[] = {
        {SYS_EXIT, 0x20026, 0, 0},
        {SYS_EXIT, 0x20026, 42, 42},
        {SYS_EXIT, 0x20024, 0, 1},
        {SYS_EXIT_EXTENDED, 0x20026, 7, 7},
        {SYS_EXIT_EXTENDED, 0x20026, 256, 0},
        {SYS_EXIT_EXTENDED, 0x20023, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct semi_rig *r = semi_create(NULL);
        semi(r, cases[i].operation, cases[i].reason, cases[i].status, 0, 0);
        ck_assert_int_eq(r->status, cases[i].expected);
        semi_free(r);
    }
}
END_TEST

START_TEST(a_reason_without_a_block_is_understood)
{
    struct semi_rig *r = semi_create(NULL);
    semi_raw(r, SYS_EXIT, 0x20026);
    ck_assert_int_eq(r->status, 0);
    r->status = -1;
    semi_raw(r, SYS_EXIT, 0x20023);
    ck_assert_int_eq(r->status, 1);
    semi_free(r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("semihosting");
    TCase *tc = tcase_create("semihosting");
    tcase_add_test(tc, an_ebreak_is_a_call_only_between_its_two_instructions);
    tcase_add_test(tc, a_sequence_over_two_pages_is_none);
    tcase_add_test(tc, without_semihosting_the_sequence_is_a_breakpoint);
    tcase_add_test(tc, user_mode_calls_only_where_it_may);
    tcase_add_test(tc, a_call_is_a_step_and_leaves_other_registers_alone);
    tcase_add_test(tc, an_unknown_call_fails);
    tcase_add_test(tc, a_block_that_is_not_there_is_a_fault_and_no_trap);
    tcase_add_test(tc, characters_texts_and_buffers_come_to_the_console);
    tcase_add_test(tc, what_is_not_there_is_not_written);
    tcase_add_test(tc, a_read_of_the_console_gives_what_is_there);
    tcase_add_test(tc, the_end_of_input_is_told);
    tcase_add_test(tc, a_hart_waits_for_input_and_is_woken_by_it);
    tcase_add_test(tc, time_is_virtual);
    tcase_add_test(tc, the_command_line_needs_room_for_its_end);
    tcase_add_test(tc, the_heap_is_what_was_said);
    tcase_add_test(tc, a_negative_status_is_an_error);
    tcase_add_test(tc, no_command_of_the_host_is_run);
    tcase_add_test(tc, a_program_ends_with_its_status);
    tcase_add_test(tc, a_reason_without_a_block_is_understood);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

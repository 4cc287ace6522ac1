/* stats.c: what the slow paths of a hart count, as lines of the log. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/temp_folder.h"

static char *read_log(void)
{
    static char text[4096];
    FILE *file = fopen("log", "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(slow_paths_are_counted_by_cause_and_zeros_left_out)
{
    struct bench b;
    struct error err;
    enter_temp_folder();
    bench_init(&b);
    b.h->ports.log = log_open("log", LOG_STATS, &err);
    ck_assert_ptr_nonnull(b.h->ports.log);
    asm_li(&b.a, S0, BENCH_DEVICE);
    ASM(&b.a, ld, .rd = A0, .rs1 = S0);
    ASM(&b.a, ld, .rd = A0, .rs1 = S0);
    ASM(&b.a, sd, .rs1 = S0, .rs2 = A0);
    ASM(&b.a, sfence_vma);
    ASM(&b.a, pause);
    b.h->csr.mtvec = b.a.pc + 4;
    ASM(&b.a, ecall);
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 100);
    hart_log_stats(b.h);
    log_close(b.h->ports.log);
    b.h->ports.log = NULL;
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "hart 0: 100 steps, 1 of them traps"));
    ck_assert_ptr_nonnull(strstr(text, "exceptions: 1 of cause 11\n"));
    ck_assert_ptr_nonnull(strstr(text, "slow loads: 1 from records, 1 untranslated\n"));
    ck_assert_ptr_nonnull(strstr(text, "among them: 2 loads of devices, 1 stores to devices\n"));
    ck_assert_ptr_nonnull(strstr(text, "1 pauses"));
    ck_assert_ptr_nonnull(strstr(text, "1 fences of everything\n"));
    ck_assert_ptr_null(strstr(text, "interrupts"));
    bench_free(&b);
    leave_temp_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stats");
    TCase *tests = tcase_create("stats");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, slow_paths_are_counted_by_cause_and_zeros_left_out);
    return bench_suite(suite);
}

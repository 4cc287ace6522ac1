/* Profiles, coverage and the mix of the program of trace_rig.h, whose counts are known. */
#include "tests/unit/trace_rig.h"

static struct trace_rig r;

static void open_with_symbols(void)
{
    trace_open(&r);
    put_symbols();
    ck_assert(trace_load_symbols(r.trace, "traced", &r.err));
}

static void must_hold(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no '%s' in:\n%s", what, text);
}

/* The sum of the counts at the ends of the lines. */
static unsigned long long sum_of(const char *text)
{
    unsigned long long sum = 0;
    for (const char *end = text; (end = strchr(end, '\n')) != NULL; end++) {
        const char *count = end;
        while (count[-1] != ' ')
            count--;
        sum += strtoull(count, NULL, 10);
    }
    return sum;
}

START_TEST(the_exact_profile_counts_every_instruction_in_its_stack)
{
    open_with_symbols();
    const char *text = trace_of(&r, "profile,file=out");
    must_hold(text, "user;user;leaf 12\n"); /* three calls of four */
    must_hold(text, "machine;handler 5\n");
    ck_assert_uint_eq(sum_of(text), machine_steps(r.rig->m) - machine_traps(r.rig->m));
    trace_close(&r);
}
END_TEST

START_TEST(without_symbols_functions_are_where_calls_go)
{
    trace_open(&r);
    must_hold(trace_of(&r, "profile,file=out"), ";0x80000400 12\n");
    trace_close(&r);
}
END_TEST

START_TEST(samples_come_every_so_many_steps)
{
    open_with_symbols();
    const char *text = trace_of(&r, "sample,every=4,file=out");
    ck_assert_uint_ge(sum_of(text), machine_steps(r.rig->m) / 4 - 2);
    ck_assert_uint_le(sum_of(text), machine_steps(r.rig->m) / 4);
    must_hold(text, "leaf ");
    trace_close(&r);
}
END_TEST

START_TEST(lcov_has_each_function_and_how_often_it_was_entered)
{
    open_with_symbols();
    const char *text = trace_of(&r, "coverage,format=lcov,file=out,priv=u");
    must_hold(text, "SF:traced\n");
    must_hold(text, "FN:4,leaf\nFNDA:3,leaf\nDA:4,3\n");
    must_hold(text, "FNDA:1,user\n");
    must_hold(text, "FNDA:0,handler\n"); /* not in U-mode */
    must_hold(text, "FNF:4\nFNH:2\n");
    trace_close(&r);
}
END_TEST

START_TEST(drcov_has_each_block_in_its_module)
{
    trace_open(&r);
    ck_assert(
        trace_start(r.trace, "coverage,format=drcov,file=out,range=0x80000400-0x80000500", &r.err));
    trace_run(&r);
    ck_assert(trace_stop_all(r.trace, &r.err));
    const char *text = trace_read(&r, "out");
    must_hold(text, "DRCOV VERSION: 2\n");
    must_hold(text, " 0, 0x0000000080000000, ");
    const char *table = strstr(text, "BB Table: 1 bbs\n");
    ck_assert_ptr_nonnull(table);
    static const uint8_t leaf[8] = {0x00, 0x04, 0, 0, 16, 0, 0, 0};
    ck_assert_mem_eq(table + strlen("BB Table: 1 bbs\n"), leaf, sizeof leaf);
    trace_close(&r);
}
END_TEST

START_TEST(the_mix_counts_instructions_by_name_and_shows_the_hottest_block)
{
    open_with_symbols();
    const char *text = trace_of(&r, "mix,file=out,priv=u");
    must_hold(text, " loads\n");
    must_hold(text, "             3 "); /* ld, jal, jalr */
    const char *hottest = strstr(text, "\n3 times, ");
    ck_assert_ptr_nonnull(hottest);
    must_hold(hottest, " U <leaf>\n  0x0000000080000400  addi t1, t1, 1\n");
    ck_assert_ptr_eq(hottest, strstr(text, " times, ") - 2);
    trace_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile");
    TCase *t = tcase_create("profile");
    tcase_add_test(t, the_exact_profile_counts_every_instruction_in_its_stack);
    tcase_add_test(t, without_symbols_functions_are_where_calls_go);
    tcase_add_test(t, samples_come_every_so_many_steps);
    tcase_add_test(t, lcov_has_each_function_and_how_often_it_was_entered);
    tcase_add_test(t, drcov_has_each_block_in_its_module);
    tcase_add_test(t, the_mix_counts_instructions_by_name_and_shows_the_hottest_block);
    suite_add_tcase(suite, t);
    return trace_suite(suite);
}

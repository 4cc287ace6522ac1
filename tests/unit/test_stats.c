/* What a hart and its code cache log: what slow paths count, traps, and page-table walks. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"
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

static void open_log(struct bench *b, unsigned topics)
{
    struct error err;
    enter_temp_folder();
    bench_init(b);
    b->h->ports.log = b->code->log = log_open("log", topics, &err);
    ck_assert_ptr_nonnull(b->h->ports.log);
}

static const char *close_log(struct bench *b)
{
    log_close(b->h->ports.log);
    b->h->ports.log = b->code->log = NULL;
    return read_log();
}

static void ck_tells(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what), "no \"%s\" in\n%s", what, text);
}

START_TEST(traps_are_told_by_name_with_the_modes)
{
    static const struct {
        enum cause cause;
        const char *line;
    } cases[] = {
        {CAUSE_ILLEGAL, "hart 0: illegal instruction 2 at pc 0x0000000080000000, tval 0x5, U to M"},
        {CAUSE_STORE_PAGE, "hart 0: store page fault 15 at pc 0x"},
        {(enum cause)14, "hart 0: reserved exception 14 at pc 0x"},
        {(enum cause)40, "hart 0: reserved exception 40 at pc 0x"},
    };
    struct bench b;
    open_log(&b, LOG_INT);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        b.h->priv = PRIV_U;
        hart_raise(b.h, cases[i].cause, 5);
        hart_take_exception(b.h);
    }
    b.h->priv = PRIV_S;
    b.h->csr.mideleg = b.h->csr.mie = b.h->csr.mip = 1u << IRQ_SSIP;
    b.h->csr.mstatus |= MSTATUS_SIE;
    ck_assert(hart_take_interrupt(b.h));
    const char *text = close_log(&b);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        ck_tells(text, cases[i].line);
    ck_tells(text, "hart 0: interrupt 1 at pc 0x0000000000000000, tval 0x0, S to S");
    bench_free(&b);
    leave_temp_folder();
}
END_TEST

START_TEST(walks_are_told_with_what_they_found)
{
    const uint64_t root = BENCH_RAM + 0x40000, leaf = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D;
    uint64_t value;
    struct bench b;
    open_log(&b, LOG_MMU);
    pmp_write_addr(b.h, 15, ~0ull);
    pmp_write_cfg(b.h, 2, 0x1full << 56);
    bench_poke(&b, root + 16, BENCH_RAM >> 2 | leaf);
    bench_poke(&b, root + 24, 0x70000000ull >> 2 | PTE_V); /* a table where no memory is */
    b.h->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | root >> 12;
    b.h->priv = PRIV_S;
    hart_update_translation(b.h);
    ck_assert(hart_load(b.h, BENCH_RAM + 0x8000, 8, &value));
    ck_assert(!hart_load(b.h, 0x1000, 8, &value));
    ck_assert(!hart_store(b.h, 0xc0000000, 8, 0));
    const char *text = close_log(&b);
    ck_tells(text, "hart 0: load 0x80008000 -> 0x80008000, 30-bit page, pte bits 0xc7\n");
    ck_tells(text, "hart 0: load 0x1000: page fault\n");
    ck_tells(text, "hart 0: store 0xc0000000: access fault\n");
    bench_free(&b);
    leave_temp_folder();
}
END_TEST

START_TEST(the_code_cache_tells_what_it_holds)
{
    struct bench b;
    open_log(&b, LOG_STATS);
    code_log_stats(b.code);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = -4);
    bench_run(&b, 100);
    code_log_stats(b.code);
    const char *text = close_log(&b);
    ck_tells(text, "blocks: 0 made of 0 instructions, 0.00 ops an instruction, 0 look-ups\n");
    ck_tells(text, "blocks dropped: 0, by writes to 0 pages; 0 flushes of everything\n");
    ck_tells(text, " ops in use, 1 pages\n");
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
    tcase_add_test(tests, traps_are_told_by_name_with_the_modes);
    tcase_add_test(tests, walks_are_told_with_what_they_found);
    tcase_add_test(tests, the_code_cache_tells_what_it_holds);
    return run_suite(suite);
}

/* The shapes of blocks: what the builder makes of guest instructions. */
#include "cpu/code_build.h"
#include "cpu/exec.h"
#include "cpu/fuse.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

HANDLER(op_addi);
HANDLER(op_auipc);
HANDLER(op_beq);
HANDLER(op_jalr);
HANDLER(op_ecall);
HANDLER(op_csrrw);
HANDLER(op_fadd_d);
HANDLER(op_fadd_d_soft);
HANDLER(op_fsd);

#define FP_DIRTY CODE_CONTEXT(FS_MODE_DIRTY, 0)

static void init_at(struct bench *b, uint64_t offset)
{
    bench_init(b);
    fuser_destroy(b->code->fuser); /* handlers are looked at one by one */
    b->code->fuser = NULL;
    b->a.pc = BENCH_RAM + offset;
}

static void put_nops(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
}

static struct block *find(struct bench *b, uint64_t offset)
{
    return code_find(b->code, BENCH_RAM + offset, FP_DIRTY, false);
}

/* The i-th op of the block at page offset `offset`. */
static struct op *op_of(struct bench *b, uint64_t offset, unsigned i)
{
    return code_entry(b->code, find(b, offset)) + i;
}

START_TEST(a_block_holds_at_most_64_instructions_and_then_goes_on_behind_them)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 100);
    ck_assert_uint_eq(find(&b, 0)->instructions, BLOCK_MAX);
    struct op *end = op_of(&b, 0, BLOCK_MAX);
    ck_assert(end->run == op_j);
    ck_assert_uint_eq(end->n, BLOCK_MAX);
    ck_assert_int_eq(end->imm, BLOCK_MAX * 4);
    ck_assert(end[1].target == &end[1] && end[1].run == op_resolve);
    bench_free(&b);
}
END_TEST

START_TEST(a_scratch_block_is_cut_to_its_limit)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 10);
    struct op *op = code_scratch(b.code, BENCH_RAM, FP_DIRTY, 3);
    ck_assert(op[2].run == op_addi);
    ck_assert(op[3].run == op_j);
    ck_assert_uint_eq(op[3].n, 3);
    ck_assert_int_eq(op[3].imm, 12);
    bench_free(&b);
}
END_TEST

START_TEST(a_branch_is_an_exit_inside_the_block)
{
    struct bench b;
    init_at(&b, 0x100);
    put_nops(&b, 1);
    ASM(&b.a, beq, .rs1 = A0, .rs2 = A1, .imm = 0x40);
    put_nops(&b, 1);
    ASM(&b.a, ecall);
    ck_assert_uint_eq(find(&b, 0x100)->instructions, 4);
    struct op *branch = op_of(&b, 0x100, 1);
    ck_assert(branch->run == op_beq);
    ck_assert_uint_eq(branch->n, 2);
    ck_assert_uint_eq(branch->rs1, A0);
    ck_assert_uint_eq(branch->rs2, A1);
    ck_assert_int_eq(branch->imm, 0x144);
    ck_assert(branch[1].run == op_resolve && branch[1].target == &branch[1]);
    ck_assert(branch[2].run == op_addi && branch[3].run == op_ecall);
    bench_free(&b);
}
END_TEST

START_TEST(a_jump_on_the_page_is_followed_and_only_writes_its_register)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, jal, .rd = RA, .imm = 0x100);
    b.a.pc = BENCH_RAM + 0x100;
    ASM(&b.a, jal, .imm = 0x100);
    b.a.pc = BENCH_RAM + 0x200;
    put_nops(&b, 1);
    ASM(&b.a, ecall);
    struct op *op = op_of(&b, 0, 0);
    ck_assert_uint_eq(find(&b, 0)->instructions, 4);
    ck_assert(op[0].run == op_link);
    ck_assert_uint_eq(op[0].rd, RA);
    ck_assert_int_eq(op[0].imm, 4);
    ck_assert(op[1].run == op_addi);
    const struct op_side *side = code_side(b.code, &op[1]);
    ck_assert_uint_eq(side->offset, 0x200);
    ck_assert_uint_eq(side->before, 2);
    bench_free(&b);
}
END_TEST

START_TEST(a_jump_back_into_the_block_ends_it)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 2);
    ASM(&b.a, jal, .imm = -4);
    ck_assert_uint_eq(find(&b, 0)->instructions, 3);
    struct op *jump = op_of(&b, 0, 2);
    ck_assert(jump->run == op_j);
    ck_assert_uint_eq(jump->n, 3);
    ck_assert_int_eq(jump->imm, 4);
    bench_free(&b);
}
END_TEST

START_TEST(running_into_the_block_ends_it)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, jal, .imm = 8); /* 0, which has an op, 8, 12, 4, and 8 again */
    put_nops(&b, 2);
    ASM(&b.a, jal, .imm = -8);
    ck_assert_uint_eq(find(&b, 0)->instructions, 4);
    struct op *end = op_of(&b, 0, 3);
    ck_assert(end->run == op_j);
    ck_assert_uint_eq(end->n, 4);
    ck_assert_int_eq(end->imm, 8);
    bench_free(&b);
}
END_TEST

START_TEST(a_jump_that_is_the_last_one_allowed_is_an_exit)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, BLOCK_MAX - 1);
    ASM(&b.a, jal, .imm = 0x200);
    ck_assert_uint_eq(find(&b, 0)->instructions, BLOCK_MAX);
    struct op *jump = op_of(&b, 0, BLOCK_MAX - 1);
    ck_assert(jump->run == op_j);
    ck_assert_uint_eq(jump->n, BLOCK_MAX);
    bench_free(&b);
}
END_TEST

START_TEST(jalr_ends_a_block_and_carries_offset_and_return_address)
{
    struct bench b;
    init_at(&b, 0x10);
    ASM(&b.a, jalr, .rd = RA, .rs1 = A0, .imm = -8);
    put_nops(&b, 1);
    ck_assert_uint_eq(find(&b, 0x10)->instructions, 1);
    struct op *jump = op_of(&b, 0x10, 0);
    ck_assert(jump->run == op_jalr);
    ck_assert_uint_eq(jump->n, 1);
    ck_assert_int_eq(jump->imm >> 16, -8);
    ck_assert_uint_eq((uint16_t)jump->imm, 0x14);
    ck_assert_uint_eq(jump[1].va & 1, 1);
    bench_free(&b);
}
END_TEST

START_TEST(csr_instructions_do_not_end_a_block)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, csrrw, .rd = A0, .rs1 = A1, .imm = 0x302);
    put_nops(&b, 1);
    ASM(&b.a, ecall);
    ck_assert_uint_eq(find(&b, 0)->instructions, 3);
    ck_assert(op_of(&b, 0, 0)->run == op_csrrw);
    bench_free(&b);
}
END_TEST

START_TEST(an_illegal_word_ends_a_block)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 1);
    asm_word(&b.a, 0);
    ck_assert_uint_eq(find(&b, 0)->instructions, 2);
    ck_assert(op_of(&b, 0, 1)->run == op_illegal);
    bench_free(&b);
}
END_TEST

START_TEST(writes_of_x0_go_to_the_sink)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, addi, .rd = 0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jalr, .rd = 0, .rs1 = RA);
    ck_assert_uint_eq(op_of(&b, 0, 0)->rd, X_SINK);
    ck_assert_uint_eq(op_of(&b, 0, 1)->rd, X_SINK);
    bench_free(&b);
}
END_TEST

START_TEST(auipc_is_relative_to_the_page)
{
    struct bench b;
    init_at(&b, 0x1230);
    ASM(&b.a, auipc, .rd = A0, .imm = 0x7000);
    struct op *op = op_of(&b, 0x1230, 0);
    ck_assert(op->run == op_auipc);
    ck_assert_int_eq(op->imm, 0x7230);
    bench_free(&b);
}
END_TEST

START_TEST(a_block_ends_with_its_page_by_a_record)
{
    struct bench b;
    init_at(&b, PAGE_BYTES - 4);
    put_nops(&b, 2);
    ck_assert_uint_eq(find(&b, PAGE_BYTES - 4)->instructions, 1);
    struct op *end = op_of(&b, PAGE_BYTES - 4, 1);
    ck_assert(end->run == op_j);
    ck_assert_int_eq(end->imm, PAGE_BYTES);
    struct op *record = end[1].target;
    ck_assert(record == &end[2]);
    ck_assert(record->run == op_cross);
    ck_assert_int_eq(record->imm, PAGE_BYTES);
    ck_assert_uint_eq(record[1].page & 1, 1);
    bench_free(&b);
}
END_TEST

START_TEST(branches_and_jumps_to_other_pages_have_records_of_their_own)
{
    struct bench b;
    init_at(&b, PAGE_BYTES);
    ASM(&b.a, beq, .imm = -0x100);
    ASM(&b.a, jal, .imm = 0x2000);
    ck_assert_uint_eq(find(&b, PAGE_BYTES)->instructions, 2);
    struct op *op = op_of(&b, PAGE_BYTES, 0);
    ck_assert(op[1].target == &op[4] && op[3].target == &op[6]);
    ck_assert(op[4].run == op_cross && op[6].run == op_cross);
    ck_assert_int_eq(op[4].imm, -0x100);
    ck_assert_int_eq(op[6].imm, 0x2004);
    bench_free(&b);
}
END_TEST

START_TEST(an_instruction_that_straddles_pages_is_a_block_of_its_own)
{
    struct bench b;
    init_at(&b, PAGE_BYTES - 6);
    put_nops(&b, 2);
    ck_assert_uint_eq(find(&b, PAGE_BYTES - 6)->instructions, 1);
    struct op *end = op_of(&b, PAGE_BYTES - 6, 1);
    ck_assert(end->run == op_j);
    ck_assert_int_eq(end->imm, PAGE_BYTES - 2);
    ck_assert_uint_eq(find(&b, PAGE_BYTES - 2)->instructions, 1);
    ck_assert(op_of(&b, PAGE_BYTES - 2, 0)->run == op_straddle);
    bench_free(&b);
}
END_TEST

START_TEST(a_compressed_instruction_ends_a_page_like_any_other)
{
    struct bench b;
    init_at(&b, PAGE_BYTES - 2);
    ASM(&b.a, c_addi, .rd = A0, .imm = 1);
    struct op *op = op_of(&b, PAGE_BYTES - 2, 0);
    ck_assert(op[0].run == op_addi);
    ck_assert_uint_eq(code_side(b.code, &op[0])->length, 2);
    ck_assert(op[1].run == op_j);
    ck_assert_int_eq(op[1].imm, PAGE_BYTES);
    bench_free(&b);
}
END_TEST

START_TEST(one_guard_stands_before_the_first_floating_point_op)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 1);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    ASM(&b.a, ecall);
    struct op *op = op_of(&b, 0, 0);
    ck_assert(op[1].run == op_fp_guard);
    ck_assert_int_eq(op[1].imm, (int)FP_DIRTY);
    ck_assert(op[2].run == op[3].run && op[4].run == op_ecall);
    ck_assert(op[2].run == op_fadd_d || op[2].run == op_fadd_d_soft);
    bench_free(&b);
}
END_TEST

START_TEST(behind_a_csr_instruction_floating_point_has_a_guard_again)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    ASM(&b.a, csrrw, .rs1 = A1, .imm = 0x002);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    ASM(&b.a, ecall);
    struct op *op = op_of(&b, 0, 0);
    ck_assert(op[0].run == op_fp_guard && op[2].run == op_csrrw && op[3].run == op_fp_guard);
    bench_free(&b);
}
END_TEST

START_TEST(with_fs_off_floating_point_is_illegal)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, fsd, .rs1 = A0, .rs2 = 1);
    struct op *op = code_scratch(b.code, BENCH_RAM, CODE_CONTEXT(FS_MODE_OFF, 0), BLOCK_MAX);
    ck_assert(op[0].run == op_fp_guard && op[1].run == op_illegal);
    bench_free(&b);
}
END_TEST

START_TEST(with_fs_clean_reading_goes_on_and_writing_makes_it_dirty_first)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, fsd, .rs1 = A0, .rs2 = 1);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    struct op *op = code_scratch(b.code, BENCH_RAM, CODE_CONTEXT(FS_MODE_CLEAN, 0), BLOCK_MAX);
    ck_assert(op[0].run == op_fp_guard && op[1].run == op_fsd && op[2].run == op_fp_dirty);
    bench_free(&b);
}
END_TEST

START_TEST(a_reserved_rounding_mode_is_illegal_whether_static_or_dynamic)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 5);
    ck_assert(op_of(&b, 0, 1)->run == op_illegal);
    b.a.pc = BENCH_RAM + 0x100;
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    struct op *op =
        code_scratch(b.code, BENCH_RAM + 0x100, CODE_CONTEXT(FS_MODE_DIRTY, 6), BLOCK_MAX);
    ck_assert(op[1].run == op_illegal);
    bench_free(&b);
}
END_TEST

START_TEST(a_static_mode_other_than_the_harts_is_rounded_in_software)
{
    struct bench b;
    init_at(&b, 0);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 2);
    struct op *op = op_of(&b, 0, 1);
    ck_assert(op->run == op_fadd_d_soft);
    ck_assert_int_eq(op->imm, 2);
    bench_free(&b);
}
END_TEST

START_TEST(every_decoded_line_is_marked_and_no_other)
{
    struct bench b;
    init_at(&b, 0x3e);
    put_nops(&b, 1); /* lines 0 and 1 */
    ASM(&b.a, jal, .imm = 0x200 - 0x42);
    b.a.pc = BENCH_RAM + 0x200; /* line 8 */
    ASM(&b.a, ecall);
    find(&b, 0x3e);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t gpa = BENCH_RAM + i * 64;
        if (i != 0 && i != 1 && i != 8)
            ck_assert(!code_written(b.code, gpa, 64));
    }
    ck_assert(code_written(b.code, BENCH_RAM + 0x3f, 1));
    find(&b, 0x3e);
    ck_assert(code_written(b.code, BENCH_RAM + 0x40, 1));
    find(&b, 0x3e);
    ck_assert(code_written(b.code, BENCH_RAM + 0x23f, 1));
    bench_free(&b);
}
END_TEST

START_TEST(a_breakpoint_puts_a_check_at_its_page_offset_and_nowhere_else)
{
    struct bench b;
    init_at(&b, 0);
    put_nops(&b, 2);
    ASM(&b.a, ecall);
    ck_assert(code_add_breakpoint(b.code, 7 * PAGE_BYTES + 4));
    struct op *op = op_of(&b, 0, 0);
    ck_assert(op[0].run != op_breakpoint);
    ck_assert(op[1].run == op_breakpoint && op[2].run != op_breakpoint);
    ck_assert(op[3].run != op_breakpoint);
    ck_assert_uint_eq(code_side(b.code, &op[1])->offset, 4);
    ck_assert_uint_eq(code_side(b.code, &op[1])->before, 1);
    bench_free(&b);
}
END_TEST

START_TEST(the_largest_block_fits_its_slots)
{
    struct bench b;
    init_at(&b, 0);
    for (unsigned i = 0; i < BLOCK_MAX; i++)
        ck_assert(code_add_breakpoint(b.code, 4 * i));
    for (unsigned i = 0; i < BLOCK_MAX; i++)
        ASM(&b.a, beq, .imm = -0x800); /* all to the page before */
    uint32_t before = b.code->ops_used;
    find(&b, 0);
    ck_assert_uint_le(b.code->ops_used - before, BLOCK_MAX_SLOTS);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("code_build");
    TCase *tc = tcase_create("code_build");
    tcase_add_test(tc, a_block_holds_at_most_64_instructions_and_then_goes_on_behind_them);
    tcase_add_test(tc, a_scratch_block_is_cut_to_its_limit);
    tcase_add_test(tc, a_branch_is_an_exit_inside_the_block);
    tcase_add_test(tc, a_jump_on_the_page_is_followed_and_only_writes_its_register);
    tcase_add_test(tc, a_jump_back_into_the_block_ends_it);
    tcase_add_test(tc, running_into_the_block_ends_it);
    tcase_add_test(tc, a_jump_that_is_the_last_one_allowed_is_an_exit);
    tcase_add_test(tc, jalr_ends_a_block_and_carries_offset_and_return_address);
    tcase_add_test(tc, csr_instructions_do_not_end_a_block);
    tcase_add_test(tc, an_illegal_word_ends_a_block);
    tcase_add_test(tc, writes_of_x0_go_to_the_sink);
    tcase_add_test(tc, auipc_is_relative_to_the_page);
    tcase_add_test(tc, a_block_ends_with_its_page_by_a_record);
    tcase_add_test(tc, branches_and_jumps_to_other_pages_have_records_of_their_own);
    tcase_add_test(tc, an_instruction_that_straddles_pages_is_a_block_of_its_own);
    tcase_add_test(tc, a_compressed_instruction_ends_a_page_like_any_other);
    tcase_add_test(tc, one_guard_stands_before_the_first_floating_point_op);
    tcase_add_test(tc, behind_a_csr_instruction_floating_point_has_a_guard_again);
    tcase_add_test(tc, with_fs_off_floating_point_is_illegal);
    tcase_add_test(tc, with_fs_clean_reading_goes_on_and_writing_makes_it_dirty_first);
    tcase_add_test(tc, a_reserved_rounding_mode_is_illegal_whether_static_or_dynamic);
    tcase_add_test(tc, a_static_mode_other_than_the_harts_is_rounded_in_software);
    tcase_add_test(tc, every_decoded_line_is_marked_and_no_other);
    tcase_add_test(tc, a_breakpoint_puts_a_check_at_its_page_offset_and_nowhere_else);
    tcase_add_test(tc, the_largest_block_fits_its_slots);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

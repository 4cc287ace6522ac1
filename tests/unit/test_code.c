/* The code cache as running code sees it: links, coherence, contexts, breakpoints, full tables. */
#include "cpu/exec.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define PAGE2 (BENCH_RAM + PAGE_BYTES)
#define FAR   (BENCH_RAM + 0x8000)

/* x10 += 1, a word that tests write over others. */
static uint32_t addi_a0(struct bench *b, int32_t imm)
{
    struct decoded operands = {.rd = A0, .rs1 = A0, .imm = imm};
    return insn_encode(b->a.decoder, asm_row("addi"), &operands);
}

static void ram_at(struct bench *b, uint8_t reg, uint64_t gpa)
{
    asm_li(&b->a, reg, (int64_t)gpa);
}

/* A loop of `n` rounds, each of which calls the function at `target`: T2 counts down. Ends in a
 * jump to itself. */
static void put_calls(struct bench *b, uint64_t target, int n)
{
    ram_at(b, S1, target);
    asm_li(&b->a, T2, n);
    uint64_t loop = b->a.pc;
    ASM(&b->a, jalr, .rd = RA, .rs1 = S1);
    ASM(&b->a, addi, .rd = T2, .rs1 = T2, .imm = -1);
    ASM(&b->a, bne, .rs1 = T2, .imm = asm_to(&b->a, loop));
    ASM(&b->a, jal, .imm = 0);
}

/* a0 += imm; ret */
static void put_function(struct bench *b, uint64_t at, int32_t imm)
{
    b->a.pc = at;
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = imm);
    ASM(&b->a, jalr, .rs1 = RA);
}

/* --- finding and linking --- */

START_TEST(the_same_address_gives_the_same_block)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, ecall);
    struct block *block = code_find(b.code, BENCH_RAM, 0, false);
    ck_assert_ptr_eq(code_find(b.code, BENCH_RAM, 0, false), block);
    ck_assert_ptr_eq(code_find(b.code, BENCH_RAM, 4, false), block);
    ck_assert_uint_eq(b.code->stats.blocks_made, 1);
    bench_free(&b);
}
END_TEST

START_TEST(the_table_of_jumps_forgets_what_was_dropped)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, ecall);
    struct op *op = code_target(b.code, BENCH_RAM, 0);
    ck_assert_ptr_eq(code_target(b.code, BENCH_RAM, 0), op);
    ck_assert(code_written(b.code, BENCH_RAM, 4));
    struct op *again = code_target(b.code, BENCH_RAM, 0);
    ck_assert_ptr_ne(again, op);
    code_flush(b.code);
    uint64_t lookups = b.code->stats.lookups;
    code_target(b.code, BENCH_RAM, 0);
    ck_assert_uint_eq(b.code->stats.lookups, lookups + 1);
    bench_free(&b);
}
END_TEST

START_TEST(blocks_keyed_by_context_are_kept_apart)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 1, .rs2 = 1, .rm = 7);
    struct block *any = code_find(b.code, BENCH_RAM, 1, false);
    struct block *one = code_find(b.code, BENCH_RAM, 1, true);
    struct block *two = code_find(b.code, BENCH_RAM, 2, true);
    ck_assert(any != one && one != two && any != two);
    ck_assert_ptr_eq(code_find(b.code, BENCH_RAM, 2, true), two);
    bench_free(&b);
}
END_TEST

START_TEST(a_loop_runs_from_links_alone_once_they_are_resolved)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = -4);
    bench_run(&b, 1000);
    uint64_t lookups = b.code->stats.lookups, made = b.code->stats.blocks_made;
    bench_run(&b, 100000);
    ck_assert_uint_eq(b.h->x[A0], 50500);
    ck_assert_uint_eq(b.code->stats.blocks_made, made);
    ck_assert_uint_le(b.code->stats.lookups - lookups, BLOCK_MAX); /* the exact end of the slice */
    bench_free(&b);
}
END_TEST

START_TEST(a_jump_to_another_page_is_linked_through_its_record)
{
    struct bench b;
    bench_init(&b);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = PAGE_BYTES - 4);
    b.a.pc = PAGE2;
    ASM(&b.a, jal, .imm = -(int32_t)PAGE_BYTES);
    bench_run(&b, 3000);
    uint64_t lookups = b.code->stats.lookups;
    bench_run(&b, 30000);
    ck_assert_uint_eq(b.h->x[A0], 11000);
    ck_assert_uint_le(b.code->stats.lookups - lookups, BLOCK_MAX);
    bench_free(&b);
}
END_TEST

START_TEST(jalr_with_a_changing_target_goes_where_its_register_says)
{
    struct bench b;
    bench_init(&b);
    ram_at(&b, S0, FAR);
    ram_at(&b, S1, FAR + 0x2010);
    uint64_t loop = b.a.pc;
    ASM(&b.a, jalr, .rd = RA, .rs1 = S0, .imm = 1); /* the lowest bit is dropped */
    ASM(&b.a, add, .rd = T1, .rs1 = S0);
    ASM(&b.a, add, .rd = S0, .rs1 = S1);
    ASM(&b.a, add, .rd = S1, .rs1 = T1);
    ASM(&b.a, jal, .imm = asm_to(&b.a, loop));
    put_function(&b, FAR, 1);
    put_function(&b, FAR + 0x2010, 100);
    bench_run(&b, 7 * 1000 + (loop - BENCH_RAM) / 4);
    ck_assert_uint_eq(b.h->pc, loop);
    ck_assert_uint_eq(b.h->x[A0], 500 * 101);
    bench_free(&b);
}
END_TEST

START_TEST(an_instruction_over_a_page_boundary_runs_with_both_halves)
{
    struct bench b;
    bench_init(&b);
    b.h->pc = PAGE2 - 6;
    b.a.pc = PAGE2 - 6;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 0x700);
    ASM(&b.a, jal, .imm = -8);
    bench_run(&b, 300);
    ck_assert_uint_eq(b.h->x[A0], 0x701 * 100);
    bench_free(&b);
}
END_TEST

START_TEST(a_change_of_either_half_of_a_straddling_instruction_is_seen)
{
    struct bench b;
    bench_init(&b);
    b.h->pc = b.a.pc = PAGE2 - 2;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 0x100);
    ASM(&b.a, jal, .imm = -4);
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 0x100 * 100);
    uint32_t word = addi_a0(&b, 0x200);
    ck_assert(dma_write(b.memory, PAGE2, (uint8_t *)&word + 2, 2));
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 0x300 * 100);
    struct decoded operands = {.rd = A1, .rs1 = A0, .imm = 0x200};
    word = insn_encode(b.a.decoder, asm_row("addi"), &operands);
    ck_assert(dma_write(b.memory, PAGE2 - 2, &word, 4));
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 0x300 * 100);
    ck_assert_uint_eq(b.h->x[A1], 0x300 * 100 + 0x200);
    bench_free(&b);
}
END_TEST

/* --- coherence --- */

START_TEST(a_store_into_a_decoded_line_is_what_runs_next)
{
    struct bench b;
    bench_init(&b);
    ram_at(&b, S0, FAR);
    asm_li(&b.a, A1, addi_a0(&b, 100));
    put_calls(&b, FAR, 10);
    b.a.pc -= 4;
    ASM(&b.a, sw, .rs1 = S0, .rs2 = A1);
    put_calls(&b, FAR, 10);
    put_function(&b, FAR, 1);
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 10 + 1000);
    ck_assert_uint_eq(b.code->stats.pages_dropped, 1);
    bench_free(&b);
}
END_TEST

/* The caller's inline cache leads to the block; the jump at its head was followed. */
START_TEST(a_change_of_the_jump_that_begins_a_linked_block_is_seen)
{
    struct bench b;
    bench_init(&b);
    put_calls(&b, FAR, 20);
    b.a.pc = FAR;
    ASM(&b.a, jal, .imm = 8);
    ASM(&b.a, jalr, .rs1 = RA);
    put_function(&b, FAR + 8, 1);
    while (b.h->x[A0] < 10)
        bench_run(&b, 1);
    bench_run(&b, 50);
    uint64_t calls = b.h->x[A0];
    uint32_t word = addi_a0(&b, 100);
    while (b.h->pc < BENCH_RAM || b.h->pc >= FAR) /* in the caller */
        bench_run(&b, 1);
    ck_assert(dma_write(b.memory, FAR, &word, sizeof word));
    bench_run(&b, 400);
    ck_assert_uint_eq(b.h->x[A0], calls + 100 * (20 - calls));
    bench_free(&b);
}
END_TEST

START_TEST(a_store_into_the_next_instruction_of_the_running_block_is_seen)
{
    struct bench b;
    bench_init(&b);
    asm_li(&b.a, A1, addi_a0(&b, 0x40));
    uint64_t here = b.a.pc;
    ASM(&b.a, auipc, .rd = S0);
    ASM(&b.a, sw, .rs1 = S0, .rs2 = A1, .imm = 8);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1); /* this one */
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 50);
    ck_assert_uint_eq(b.h->x[A0], 0x40);
    ck_assert_uint_eq(b.h->pc, here + 12);
    bench_free(&b);
}
END_TEST

START_TEST(code_that_rewrites_itself_in_each_round_runs_its_new_form)
{
    struct bench b;
    bench_init(&b);
    ram_at(&b, S0, FAR);
    asm_li(&b.a, A1, addi_a0(&b, 1));
    asm_li(&b.a, A2, addi_a0(&b, 2) - addi_a0(&b, 1));
    ASM(&b.a, jalr, .rs1 = S0);
    b.a.pc = FAR;
    ASM(&b.a, sw, .rs1 = S0, .rs2 = A1, .imm = 8);
    ASM(&b.a, add, .rd = A1, .rs1 = A1, .rs2 = A2);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0);
    ASM(&b.a, jal, .imm = -12);
    while (b.h->pc != FAR)
        bench_run(&b, 1);
    bench_run(&b, 4 * 1000);
    ck_assert_uint_eq(b.h->x[A0], 1000 * 1001 / 2);
    bench_free(&b);
}
END_TEST

START_TEST(stores_to_another_line_of_a_code_page_drop_nothing)
{
    struct bench b;
    bench_init(&b);
    ram_at(&b, S0, BENCH_RAM + 0x800);
    uint64_t loop = b.a.pc;
    ASM(&b.a, sd, .rs1 = S0, .rs2 = A0);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, amoadd_d, .rd = A1, .rs1 = S0, .rs2 = A0);
    ASM(&b.a, jal, .imm = asm_to(&b.a, loop));
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.code->stats.pages_dropped, 0);
    ck_assert_uint_ne(bench_peek(&b, BENCH_RAM + 0x800), 0);
    bench_free(&b);
}
END_TEST

START_TEST(atomics_and_cache_block_zeroing_drop_code_too)
{
    struct bench b;
    bench_init(&b);
    put_function(&b, FAR, 1);
    uint64_t value, word = addi_a0(&b, 5);
    bool stored;
    for (unsigned i = 0; i < 4; i++) {
        code_find(b.code, FAR, 0, false);
        if (i == 0) {
            ck_assert_ptr_nonnull(hart_amo_address(b.h, FAR, 4));
        } else if (i == 1) {
            ck_assert(hart_load_reserved(b.h, FAR, 4, &value));
            ck_assert(hart_store_conditional(b.h, FAR, 4, word, &stored) && stored);
        } else if (i == 2) {
            ck_assert(hart_store(b.h, FAR, 1, 0x13));
        } else {
            ck_assert(hart_zero_cache_block(b.h, FAR + 63));
        }
        ck_assert_uint_eq(b.code->stats.pages_dropped, i + 1);
    }
    bench_free(&b);
}
END_TEST

START_TEST(dma_into_a_decoded_line_is_what_runs_next)
{
    struct bench b;
    bench_init(&b);
    put_calls(&b, FAR, 1000);
    put_function(&b, FAR, 1);
    bench_run(&b, 5 * 100);
    uint64_t before = b.h->x[A0];
    uint32_t word = addi_a0(&b, 0x100);
    ck_assert(dma_write(b.memory, FAR, &word, 4));
    bench_run(&b, 5 * 100);
    ck_assert_uint_eq(b.h->x[A0], before + 100 * 0x100);
    bench_free(&b);
}
END_TEST

START_TEST(dma_that_a_device_access_starts_changes_the_running_block_behind_it)
{
    struct bench b;
    bench_init(&b);
    asm_li(&b.a, S0, BENCH_DEVICE);
    ASM(&b.a, sw, .rs1 = S0, .imm = DEVICE_DMA);
    b.dma_gpa = b.a.pc;
    b.dma_word = addi_a0(&b, 0x40);
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 1000);
    ck_assert_uint_eq(b.h->x[A0], 0x40);
    bench_free(&b);
}
END_TEST

START_TEST(a_write_over_two_pages_drops_the_blocks_of_both)
{
    struct bench b;
    bench_init(&b);
    put_function(&b, PAGE2 - 8, 1);
    put_function(&b, PAGE2, 1);
    code_find(b.code, PAGE2 - 8, 0, false);
    code_find(b.code, PAGE2, 0, false);
    ck_assert(code_written(b.code, PAGE2 - 4, 8));
    ck_assert_uint_eq(b.code->stats.pages_dropped, 2);
    ck_assert(!code_written(b.code, PAGE2 - 4, 8));
    bench_free(&b);
}
END_TEST

START_TEST(a_page_without_code_any_more_takes_fast_stores_again)
{
    struct bench b;
    bench_init(&b);
    put_function(&b, FAR, 1);
    ck_assert(hart_store(b.h, FAR + 0x100, 8, 1));
    const struct tlb_fast *fast = &b.h->store_tlb[tlb_index(FAR)];
    ck_assert_uint_eq(fast->tag, FAR);
    code_find(b.code, FAR, 0, false);
    ck_assert_uint_eq(fast->tag, TLB_NO_TAG);
    ck_assert(hart_store(b.h, FAR + 0x100, 8, 1));
    ck_assert_uint_eq(fast->tag, TLB_NO_TAG);
    ck_assert(hart_store(b.h, FAR, 8, 1));
    ck_assert_uint_eq(fast->tag, FAR);
    bench_free(&b);
}
END_TEST

/* --- full tables --- */

START_TEST(running_code_goes_on_when_the_tables_are_full_and_flushed)
{
    struct bench b;
    bench_init(&b);
    ram_at(&b, S0, FAR);
    asm_li(&b.a, A1, addi_a0(&b, 1));
    uint64_t loop = b.a.pc;
    ASM(&b.a, sw, .rs1 = S0, .rs2 = A1); /* drops the function's block: a new one each round */
    ASM(&b.a, jalr, .rd = RA, .rs1 = S0);
    ASM(&b.a, jal, .imm = asm_to(&b.a, loop));
    put_function(&b, FAR, 1);
    uint64_t head = (loop - BENCH_RAM) / 4;
    bench_run(&b, head + 5 * 1200000ull);
    ck_assert_uint_ge(b.code->stats.flushes, 2);
    ck_assert_uint_eq(b.h->pc, loop);
    ck_assert_uint_eq(b.h->x[A0], 1200000);
    bench_free(&b);
}
END_TEST

/* An exit that looks its target up as the tables run full: its slots belong to the target's block
 * by then, and must not be linked. */
START_TEST(an_exit_whose_look_up_flushes_links_nothing)
{
    static const uint64_t targets[] = {BENCH_RAM + 0x100, PAGE2, FAR};
    uint64_t target = targets[_i];
    struct bench b;
    bench_init(&b);
    b.h->x[S0] = FAR;
    if (target == FAR)
        ASM(&b.a, jalr, .rs1 = S0);
    else if (target == PAGE2)
        ASM(&b.a, jal, .imm = asm_to(&b.a, target));
    else
        ASM(&b.a, beq, .imm = asm_to(&b.a, target));
    b.a.pc = target;
    for (unsigned i = 0; i < 8; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = 0);
    code_find(b.code, BENCH_RAM, b.h->code_context, false);
    b.code->ops_used = (3u << 20) - 1;
    bench_run(&b, 200);
    ck_assert_uint_eq(b.code->stats.flushes, 1);
    ck_assert_uint_eq(b.h->x[A0], 8);
    bench_free(&b);
}
END_TEST

START_TEST(a_flush_unmarks_its_pages_and_starts_a_generation)
{
    struct bench b;
    bench_init(&b);
    put_function(&b, FAR, 1);
    code_find(b.code, FAR, 0, false);
    struct region *ram = memory_find(b.memory, FAR);
    uint8_t *mark = &ram->marks[(FAR - BENCH_RAM) / PAGE_BYTES];
    ck_assert(*mark & PAGE_HAS_CODE);
    uint64_t generation = b.code->generation;
    code_flush(b.code);
    ck_assert(!(*mark & PAGE_HAS_CODE));
    ck_assert_uint_ne(b.code->generation, generation);
    bench_free(&b);
}
END_TEST

/* --- floating point contexts --- */

static void put_fp_loop(struct bench *b)
{
    uint64_t loop = b->a.pc;
    ASM(&b->a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b->a, fcvt_d_w, .rd = 1, .rs1 = A0);
    ASM(&b->a, fmv_x_d, .rd = A1, .rs1 = 1);
    ASM(&b->a, jal, .imm = asm_to(&b->a, loop));
}

static void set_fs(struct hart *h, uint64_t fs)
{
    h->csr.mstatus = (h->csr.mstatus & ~MSTATUS_FS) | fs << MSTATUS_FS_SHIFT;
    hart_update_code_context(h);
}

START_TEST(the_first_fp_write_makes_fs_dirty_and_code_runs_on)
{
    struct bench b;
    bench_init(&b);
    put_fp_loop(&b);
    for (unsigned round = 1; round < 4; round++) {
        set_fs(b.h, FS_INITIAL);
        bench_run(&b, 400);
        ck_assert_uint_eq(b.h->csr.mstatus & MSTATUS_FS, MSTATUS_FS);
        ck_assert_uint_eq(b.h->x[A0], round * 100);
    }
    ck_assert_uint_eq(b.h->traps, 0);
    bench_free(&b);
}
END_TEST

START_TEST(fs_that_goes_off_under_decoded_code_traps_at_the_fp_instruction)
{
    struct bench b;
    bench_init(&b);
    put_fp_loop(&b);
    set_fs(b.h, FS_DIRTY);
    bench_run(&b, 400);
    set_fs(b.h, FS_OFF);
    b.h->csr.mtvec = FAR;
    b.a.pc = FAR;
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_ILLEGAL);
    ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 4);
    ck_assert_uint_eq(b.h->x[A0], 101);
    bench_free(&b);
}
END_TEST

START_TEST(a_new_frm_is_obeyed_by_code_that_was_decoded_for_another)
{
    struct bench b;
    bench_init(&b);
    set_fs(b.h, FS_DIRTY);
    b.h->f[2] = 0x3ff0000000000000; /* 1 */
    b.h->f[3] = 0x3ca0000000000000; /* 2^-53: half an ulp */
    uint64_t loop = b.a.pc;
    ASM(&b.a, csrrw, .rd = 0, .rs1 = S0, .imm = 2);
    ASM(&b.a, fadd_d, .rd = 1, .rs1 = 2, .rs2 = 3, .rm = 7);
    ASM(&b.a, jal, .imm = asm_to(&b.a, loop));
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned frm = 0; frm < 5; frm++) { /* nearest even, zero, down, up, nearest away */
            b.h->x[S0] = frm;
            bench_run(&b, 300);
            ck_assert_uint_eq(b.h->f[1] & 1, frm >= 3);
        }
        b.h->x[S0] = 5;
        b.h->csr.mtvec = loop;
        uint64_t traps = b.h->traps;
        bench_run(&b, 2);
        ck_assert_uint_eq(b.h->traps, traps + 1);
    }
    bench_free(&b);
}
END_TEST

/* --- breakpoints --- */

START_TEST(a_breakpoint_stops_before_its_instruction_and_running_on_goes_over_it)
{
    struct bench b;
    bench_init(&b);
    for (unsigned i = 0; i < 3; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = -12);
    bench_run(&b, 400);
    ck_assert(code_add_breakpoint(b.code, BENCH_RAM + 4));
    for (unsigned round = 0; round < 5; round++) {
        ck_assert_int_eq(bench_run(&b, 1000), HART_BREAKPOINT);
        ck_assert_uint_eq(b.h->pc, BENCH_RAM + 4);
        ck_assert_uint_eq(b.h->steps, 401 + 4 * round);
        ck_assert_uint_eq(b.h->x[A0], 301 + 3 * round);
    }
    code_remove_breakpoint(b.code, BENCH_RAM + 4);
    ck_assert_int_eq(bench_run(&b, 1000), HART_RAN);
    bench_free(&b);
}
END_TEST

START_TEST(a_breakpoint_on_an_fp_instruction_is_reported_once_a_pass_in_any_context)
{
    struct bench b;
    bench_init(&b);
    put_fp_loop(&b);
    ck_assert(code_add_breakpoint(b.code, BENCH_RAM + 4));
    for (unsigned round = 0; round < 4; round++) {
        set_fs(b.h, round == 1 ? FS_DIRTY : FS_CLEAN);
        ck_assert_int_eq(bench_run(&b, round == 3 ? 5 : 1000), HART_BREAKPOINT);
        ck_assert_uint_eq(b.h->pc, BENCH_RAM + 4);
        ck_assert_uint_eq(b.h->x[A0], round + 1);
    }
    bench_free(&b);
}
END_TEST

START_TEST(a_breakpoint_on_a_straddling_instruction_is_reported_once_a_pass)
{
    struct bench b;
    bench_init(&b);
    b.h->pc = b.a.pc = PAGE2 - 2;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jal, .imm = -4);
    ck_assert(code_add_breakpoint(b.code, PAGE2 - 2));
    for (unsigned round = 0; round < 4; round++) {
        ck_assert_int_eq(bench_run(&b, 1000), HART_BREAKPOINT);
        ck_assert_uint_eq(b.h->x[A0], round);
    }
    bench_free(&b);
}
END_TEST

/* --- stress --- */

START_TEST(stress_makes_blocks_of_one_instruction_and_changes_nothing)
{
    struct bench b[2];
    for (unsigned i = 0; i < 2; i++) {
        bench_init(&b[i]);
        b[i].code->stress = b[i].h->stress = i;
        set_fs(b[i].h, FS_INITIAL);
        put_fp_loop(&b[i]);
        bench_run(&b[i], 10001);
    }
    ck_assert_uint_eq(code_find(b[1].code, BENCH_RAM, 0, false)->instructions, 1);
    ck_assert_uint_eq(bench_hash(&b[0]), bench_hash(&b[1]));
    bench_free(&b[0]);
    bench_free(&b[1]);
}
END_TEST

static void add_breakpoint_tests(Suite *suite)
{
    TCase *tc = tcase_create("breakpoints and stress");
    tcase_add_test(tc, a_breakpoint_stops_before_its_instruction_and_running_on_goes_over_it);
    tcase_add_test(tc, a_breakpoint_on_an_fp_instruction_is_reported_once_a_pass_in_any_context);
    tcase_add_test(tc, a_breakpoint_on_a_straddling_instruction_is_reported_once_a_pass);
    tcase_add_test(tc, stress_makes_blocks_of_one_instruction_and_changes_nothing);
    suite_add_tcase(suite, tc);
}

static void add_coherence_tests(Suite *suite)
{
    TCase *tc = tcase_create("coherence");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_change_of_either_half_of_a_straddling_instruction_is_seen);
    tcase_add_test(tc, a_store_into_a_decoded_line_is_what_runs_next);
    tcase_add_test(tc, a_change_of_the_jump_that_begins_a_linked_block_is_seen);
    tcase_add_test(tc, a_store_into_the_next_instruction_of_the_running_block_is_seen);
    tcase_add_test(tc, code_that_rewrites_itself_in_each_round_runs_its_new_form);
    tcase_add_test(tc, stores_to_another_line_of_a_code_page_drop_nothing);
    tcase_add_test(tc, atomics_and_cache_block_zeroing_drop_code_too);
    tcase_add_test(tc, dma_into_a_decoded_line_is_what_runs_next);
    tcase_add_test(tc, dma_that_a_device_access_starts_changes_the_running_block_behind_it);
    tcase_add_test(tc, a_write_over_two_pages_drops_the_blocks_of_both);
    tcase_add_test(tc, a_page_without_code_any_more_takes_fast_stores_again);
    tcase_add_test(tc, running_code_goes_on_when_the_tables_are_full_and_flushed);
    tcase_add_loop_test(tc, an_exit_whose_look_up_flushes_links_nothing, 0, 3);
    tcase_add_test(tc, a_flush_unmarks_its_pages_and_starts_a_generation);
    suite_add_tcase(suite, tc);
}

int main(void)
{
    Suite *suite = suite_create("code");
    TCase *tc = tcase_create("links and contexts");
    tcase_add_test(tc, the_same_address_gives_the_same_block);
    tcase_add_test(tc, the_table_of_jumps_forgets_what_was_dropped);
    tcase_add_test(tc, blocks_keyed_by_context_are_kept_apart);
    tcase_add_test(tc, a_loop_runs_from_links_alone_once_they_are_resolved);
    tcase_add_test(tc, a_jump_to_another_page_is_linked_through_its_record);
    tcase_add_test(tc, jalr_with_a_changing_target_goes_where_its_register_says);
    tcase_add_test(tc, an_instruction_over_a_page_boundary_runs_with_both_halves);
    tcase_add_test(tc, the_first_fp_write_makes_fs_dirty_and_code_runs_on);
    tcase_add_test(tc, fs_that_goes_off_under_decoded_code_traps_at_the_fp_instruction);
    tcase_add_test(tc, a_new_frm_is_obeyed_by_code_that_was_decoded_for_another);
    suite_add_tcase(suite, tc);
    add_coherence_tests(suite);
    add_breakpoint_tests(suite);
    return run_suite(suite);
}

/* Memory as the hart sees it. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define DATA    (BENCH_RAM + 0x8000)
#define RAM_END (BENCH_RAM + BENCH_RAM_BYTES)
#define ROOT    (BENCH_RAM + 0x40000) /* page tables: three levels */
#define VA      0x40000000ull
#define HOLE    0x70000000ull

#define LEAF (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)

/* Expects that an access failed with this exception. */
#define ck_trap(b, call, wanted, address)                                                          \
    do {                                                                                           \
        ck_assert(!(call));                                                                        \
        ck_assert_uint_eq((b)->h->trap.cause, wanted);                                             \
        ck_assert_uint_eq((b)->h->trap.tval, address);                                             \
    } while (0)

static uint64_t pte(uint64_t pa, unsigned bits)
{
    return pa >> 12 << 10 | bits;
}

/* The slot of the last level for va; the tables above are made. */
static uint64_t pte_slot(struct bench *b, uint64_t va)
{
    bench_poke(b, ROOT + (va >> 30 & 511) * 8, pte(ROOT + 0x1000, PTE_V));
    bench_poke(b, ROOT + 0x1000 + (va >> 21 & 511) * 8, pte(ROOT + 0x2000, PTE_V));
    return ROOT + 0x2000 + (va >> 12 & 511) * 8;
}

static void map(struct bench *b, uint64_t va, uint64_t pa, unsigned bits)
{
    bench_poke(b, pte_slot(b, va), pte(pa, bits));
}

/* S-mode with Sv39 and PMP open. */
static void init_sv39(struct bench *b)
{
    bench_init(b);
    pmp_write_addr(b->h, 15, ~0ull);
    pmp_write_cfg(b->h, 2, 0x1full << 56);
    b->h->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | ROOT >> 12;
    b->h->priv = PRIV_S;
    hart_update_translation(b->h);
}

static uint64_t load(struct bench *b, uint64_t va, unsigned size)
{
    uint64_t value = ~0ull;
    ck_assert_msg(hart_load(b->h, va, size, &value), "trap %u", (unsigned)b->h->trap.cause);
    return value;
}

static bool can_load(struct bench *b, uint64_t va, unsigned size)
{
    uint64_t value;
    return hart_load(b->h, va, size, &value);
}

static const struct tlb_fast *fast(const struct tlb_fast *table, uint64_t va)
{
    return &table[tlb_index(va)];
}

/* --- filling --- */

START_TEST(a_bare_load_or_store_opens_the_fast_path_of_its_own_kind)
{
    struct bench b;
    bench_init(&b);
    bench_poke(&b, DATA, 0x1122334455667788);
    ck_assert_uint_eq(load(&b, DATA + 2, 4), 0x33445566);
    ck_assert_uint_eq(fast(b.h->load_tlb, DATA)->tag, DATA);
    ck_assert_uint_ne(fast(b.h->store_tlb, DATA)->tag, DATA);
    ck_assert_ptr_eq((void *)(uintptr_t)(DATA + fast(b.h->load_tlb, DATA)->addend),
                     bench_at(&b, DATA));
    ck_assert(hart_store(b.h, DATA + 8, 2, 0xabcdef));
    ck_assert_uint_eq(fast(b.h->store_tlb, DATA)->tag, DATA);
    ck_assert_uint_eq(bench_peek(&b, DATA + 8), 0xcdef);
    bench_free(&b);
}
END_TEST

START_TEST(an_sv39_page_is_filled_by_a_walk_and_found_again_without_one)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF);
    bench_poke(&b, DATA, 77);
    ck_assert_uint_eq(load(&b, VA, 8), 77);
    ck_assert_uint_eq(fast(b.h->load_tlb, VA)->tag, VA);
    map(&b, VA, DATA, 0); /* no fence: what was cached may answer, and here does */
    ck_assert(hart_store(b.h, VA + 8, 8, 78));
    ck_assert_uint_eq(bench_peek(&b, DATA + 8), 78);
    hart_sfence_vma(b.h, false, VA, true, 0);
    ck_trap(&b, can_load(&b, VA + 5, 1), CAUSE_LOAD_PAGE, VA + 5);
    ck_trap(&b, hart_store(b.h, VA, 8, 0), CAUSE_STORE_PAGE, VA);
    bench_free(&b);
}
END_TEST

START_TEST(a_record_answers_when_the_fast_tag_is_poisoned)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF);
    load(&b, VA, 8);
    ck_assert(hart_store(b.h, VA, 8, 5));
    map(&b, VA, DATA, 0);
    tlb_poison_all(b.h->tlb);
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++) /* only records are left */
        b.h->tlb->l2[i].generation = 0;
    ck_assert_uint_eq(load(&b, VA, 8), 5);
    ck_assert_uint_eq(fast(b.h->load_tlb, VA)->tag, VA);
    tlb_poison_stores(b.h->tlb, DATA, 1);
    ck_assert(hart_store(b.h, VA, 8, 6));
    ck_assert_uint_eq(fast(b.h->store_tlb, VA)->tag, VA);
    bench_free(&b);
}
END_TEST

START_TEST(a_record_that_is_replaced_takes_its_fast_tag_along)
{
    struct bench b;
    bench_init(&b);
    ck_assert_uint_eq(tlb_index(BENCH_RAM), tlb_index(BENCH_DEVICE));
    load(&b, BENCH_RAM, 8);
    load(&b, BENCH_DEVICE, 8);
    ck_assert_uint_eq(fast(b.h->load_tlb, BENCH_RAM)->tag, TLB_NO_TAG);
    bench_free(&b);
}
END_TEST

START_TEST(under_stress_no_access_is_fast_and_all_are_right)
{
    struct bench b;
    bench_init(&b);
    b.h->stress = true;
    ck_assert(hart_store(b.h, DATA, 8, 9));
    ck_assert_uint_eq(load(&b, DATA, 8), 9);
    ck_assert_uint_ne(fast(b.h->load_tlb, DATA)->tag, DATA);
    ck_assert_uint_ne(fast(b.h->store_tlb, DATA)->tag, DATA);
    bench_free(&b);
}
END_TEST

START_TEST(a_store_marks_its_page_touched_before_the_fast_path_opens)
{
    struct bench b;
    bench_init(&b);
    uint64_t gpa = RAM_END - PAGE_BYTES;
    uint8_t *mark = &memory_find(b.memory, gpa)->marks[(gpa - BENCH_RAM) / PAGE_BYTES];
    *mark = 0;
    load(&b, gpa, 8);
    ck_assert(!(*mark & PAGE_TOUCHED));
    ck_assert(hart_store(b.h, gpa, 1, 0));
    ck_assert(*mark & PAGE_TOUCHED);
    bench_free(&b);
}
END_TEST

static void count_bytes(void *owner, uint64_t gpa, uint64_t bytes)
{
    (void)gpa;
    *(uint64_t *)owner += bytes;
}

START_TEST(a_fast_store_after_its_page_was_taken_is_seen_again)
{
    struct bench b;
    uint64_t bytes = 0;
    bench_init(&b);
    memory_take_written(b.memory, DATA, 2 * PAGE_BYTES, count_bytes, &bytes);
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert(hart_store(b.h, DATA, 8, i));
        ck_assert_uint_eq(fast(b.h->store_tlb, DATA)->tag, DATA);
        bytes = 0;
        memory_take_written(b.memory, DATA, 2 * PAGE_BYTES, count_bytes, &bytes);
        ck_assert_uint_eq(bytes, PAGE_BYTES);
        ck_assert_uint_eq(fast(b.h->store_tlb, DATA)->tag, TLB_NO_TAG);
        memory_take_written(b.memory, DATA, 2 * PAGE_BYTES, count_bytes, &bytes);
        ck_assert_uint_eq(bytes, PAGE_BYTES);
    }
    bench_free(&b);
}
END_TEST

START_TEST(mprv_lends_m_mode_the_translation_of_mpp)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF);
    map(&b, VA + PAGE_BYTES, DATA, LEAF | PTE_U);
    bench_poke(&b, DATA, 77);
    b.h->priv = PRIV_M;
    b.h->csr.mstatus = MSTATUS_MPRV | (uint64_t)PRIV_S << MSTATUS_MPP_SHIFT;
    hart_update_translation(b.h);
    ck_assert_uint_eq(load(&b, VA, 8), 77);
    ck_trap(&b, can_load(&b, VA + PAGE_BYTES, 1), CAUSE_LOAD_PAGE, VA + PAGE_BYTES);
    b.h->csr.mstatus |= MSTATUS_SUM;
    hart_update_translation(b.h);
    ck_assert_uint_eq(load(&b, VA + PAGE_BYTES, 8), 77);
    b.h->csr.mstatus = MSTATUS_MPRV;
    hart_update_translation(b.h);
    ck_assert_uint_eq(load(&b, VA + PAGE_BYTES, 8), 77);
    ck_trap(&b, can_load(&b, VA, 1), CAUSE_LOAD_PAGE, VA);
    ck_trap(&b, hart_enter_page(b.h, VA), CAUSE_FETCH_ACCESS, VA); /* fetches stay M-mode's */
    bench_free(&b);
}
END_TEST

START_TEST(a_clean_page_is_walked_again_for_the_first_store)
{
    struct bench b;
    init_sv39(&b);
    b.h->csr.menvcfg = ENVCFG_ADUE;
    map(&b, VA, DATA, LEAF & ~(PTE_A | PTE_D));
    load(&b, VA, 8);
    ck_assert_uint_eq(bench_peek(&b, pte_slot(&b, VA)), pte(DATA, LEAF & ~PTE_D));
    ck_assert(hart_store(b.h, VA, 8, 1));
    ck_assert_uint_eq(bench_peek(&b, pte_slot(&b, VA)), pte(DATA, LEAF));
    bench_free(&b);
}
END_TEST

/* --- page-crossing accesses --- */

START_TEST(an_access_over_a_page_boundary_is_whole)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA + 0x5000, LEAF);
    map(&b, VA + PAGE_BYTES, DATA, LEAF);
    for (unsigned first = 1; first < 8; first++) {
        uint64_t va = VA + PAGE_BYTES - first, value = 0x1122334455667788 * first;
        ck_assert(hart_store(b.h, va, 8, value));
        ck_assert_uint_eq(load(&b, va, 8), value);
        uint8_t bytes[8];
        memcpy(bytes, bench_at(&b, DATA + 0x6000 - first), first);
        memcpy(bytes + first, bench_at(&b, DATA), 8 - first);
        ck_assert_mem_eq(bytes, &value, 8);
        for (unsigned i = 0; i < 8; i++)
            ck_assert_uint_eq(load(&b, va + i, 1), value >> 8 * i & 0xff);
    }
    bench_free(&b);
}
END_TEST

START_TEST(a_fault_on_either_page_of_a_crossing_store_stores_nothing)
{
    struct bench b;
    init_sv39(&b);
    for (unsigned bad = 0; bad < 2; bad++) {
        map(&b, VA, DATA + 0x5000, bad == 0 ? LEAF & ~PTE_W : LEAF);
        map(&b, VA + PAGE_BYTES, DATA, bad == 1 ? LEAF & ~PTE_W : LEAF);
        hart_sfence_vma(b.h, true, 0, true, 0);
        uint64_t va = VA + PAGE_BYTES - 3;
        ck_trap(&b, hart_store(b.h, va, 8, ~0ull), CAUSE_STORE_PAGE,
                bad == 0 ? va : VA + PAGE_BYTES);
        ck_assert_uint_eq(load(&b, va, 8), 0);
    }
    bench_free(&b);
}
END_TEST

START_TEST(a_load_that_runs_out_of_ram_faults_at_the_first_byte_outside)
{
    struct bench b;
    bench_init(&b);
    ck_trap(&b, can_load(&b, RAM_END - 4, 8), CAUSE_LOAD_ACCESS, RAM_END);
    ck_trap(&b, hart_store(b.h, RAM_END - 4, 8, ~0ull), CAUSE_STORE_ACCESS, RAM_END);
    ck_assert_uint_eq(load(&b, RAM_END - 8, 8), 0);
    bench_free(&b);
}
END_TEST

START_TEST(a_faulting_load_leaves_its_register_and_traps_at_its_own_pc)
{
    struct bench b;
    bench_init(&b);
    b.h->csr.mtvec = DATA;
    b.a.pc = DATA;
    ASM(&b.a, jal, .imm = 0);
    b.a.pc = BENCH_RAM;
    asm_li(&b.a, S0, HOLE);
    asm_li(&b.a, A0, 42);
    uint64_t at = b.a.pc;
    ASM(&b.a, ld, .rd = A0, .rs1 = S0, .imm = 5);
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->x[A0], 42);
    ck_assert_uint_eq(b.h->csr.mepc, at);
    ck_assert_uint_eq(b.h->csr.mtval, HOLE + 5);
    bench_free(&b);
}
END_TEST

/* --- devices and ROM --- */

START_TEST(a_device_is_reached_each_time_and_sees_the_harts_present)
{
    struct bench b;
    bench_init_shift(&b, 2);
    b.h->steps = 10;
    ck_assert(hart_store(b.h, BENCH_DEVICE, 2, 0x12345));
    ck_assert_uint_eq(b.device_value, 0x2345);
    ck_assert_uint_eq(load(&b, BENCH_DEVICE, 4), 0x2345);
    ck_assert_uint_eq(load(&b, BENCH_DEVICE + DEVICE_TIME, 8), 40);
    ck_assert_uint_eq(b.device_reads, 2);
    ck_assert_uint_ne(fast(b.h->load_tlb, BENCH_DEVICE)->tag, BENCH_DEVICE);
    bench_free(&b);
}
END_TEST

START_TEST(what_a_device_refuses_is_an_access_fault)
{
    struct bench b;
    bench_init(&b);
    ck_trap(&b, can_load(&b, BENCH_DEVICE + 2, 4), CAUSE_LOAD_ACCESS, BENCH_DEVICE + 2);
    ck_trap(&b, hart_store(b.h, BENCH_DEVICE + 1, 8, 0), CAUSE_STORE_ACCESS, BENCH_DEVICE + 1);
    ck_trap(&b, can_load(&b, BENCH_DEVICE + 0x100, 1), CAUSE_LOAD_ACCESS, BENCH_DEVICE + 0x100);
    ck_trap(&b, can_load(&b, BENCH_DEVICE - 2, 4), CAUSE_LOAD_ACCESS, BENCH_DEVICE - 2);
    ck_assert_uint_eq(b.device_reads + b.device_writes, 0);
    bench_free(&b);
}
END_TEST

START_TEST(an_access_over_a_page_boundary_never_reaches_a_device)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF);
    map(&b, VA + PAGE_BYTES, BENCH_DEVICE, LEAF);
    uint64_t va = VA + PAGE_BYTES - 4;
    ck_trap(&b, hart_store(b.h, va, 8, ~0ull), CAUSE_STORE_ACCESS, va);
    ck_trap(&b, can_load(&b, va, 8), CAUSE_LOAD_ACCESS, va);
    ck_assert_uint_eq(b.device_reads + b.device_writes, 0);
    ck_assert_uint_eq(load(&b, va, 4), 0);
    bench_free(&b);
}
END_TEST

START_TEST(rom_can_be_read_and_run_but_not_written)
{
    struct bench b;
    bench_init(&b);
    bench_poke(&b, BENCH_ROM, 0x0000006f00150513); /* addi a0, a0, 1; j . */
    ck_assert_uint_eq(load(&b, BENCH_ROM, 4), 0x00150513);
    ck_trap(&b, hart_store(b.h, BENCH_ROM + 1, 1, 0), CAUSE_STORE_ACCESS, BENCH_ROM + 1);
    ck_trap(&b, hart_amo_address(b.h, BENCH_ROM, 8), CAUSE_STORE_ACCESS, BENCH_ROM);
    ck_assert_uint_eq(load(&b, BENCH_ROM, 4), 0x00150513);
    b.h->pc = BENCH_ROM;
    bench_run(&b, 10);
    ck_assert_uint_eq(b.h->x[A0], 1);
    bench_free(&b);
}
END_TEST

START_TEST(code_cannot_be_fetched_from_a_device_or_from_nowhere)
{
    struct bench b;
    bench_init(&b);
    ck_trap(&b, hart_enter_page(b.h, BENCH_DEVICE), CAUSE_FETCH_ACCESS, BENCH_DEVICE);
    ck_trap(&b, hart_enter_page(b.h, HOLE), CAUSE_FETCH_ACCESS, HOLE);
    ck_assert_uint_eq(b.device_reads, 0);
    bench_free(&b);
}
END_TEST

/* --- PMP --- */

/* S-mode, bare; entry 0 gives `bits` to [DATA, DATA + bytes), entry 1 denies the rest of the page,
 * all else is open. */
static void init_pmp(struct bench *b, uint64_t bytes, uint64_t bits)
{
    bench_init(b);
    pmp_write_addr(b->h, 0, DATA >> 2);
    pmp_write_addr(b->h, 1, (DATA + bytes) >> 2);
    pmp_write_addr(b->h, 2, (DATA + PAGE_BYTES) >> 2);
    pmp_write_addr(b->h, 3, ~0ull);
    pmp_write_cfg(b->h, 0, 0x1full << 24 | 0x08ull << 16 | (0x08 | bits) << 8 | 0x0f);
    b->h->priv = PRIV_S;
    hart_update_translation(b->h);
}

START_TEST(a_page_that_pmp_cuts_is_checked_at_each_access)
{
    struct bench b;
    init_pmp(&b, 0x100, 7);
    for (unsigned round = 0; round < 3; round++) {
        ck_assert(hart_store(b.h, DATA + 0xf8, 8, round));
        ck_assert_uint_eq(load(&b, DATA + 0xf8, 8), round);
        ck_trap(&b, can_load(&b, DATA + 0x100, 1), CAUSE_LOAD_ACCESS, DATA + 0x100);
        ck_trap(&b, can_load(&b, DATA + 0xfc, 8), CAUSE_LOAD_ACCESS, DATA + 0xfc);
        ck_trap(&b, hart_store(b.h, DATA + 0xfc, 8, ~0ull), CAUSE_STORE_ACCESS, DATA + 0xfc);
    }
    ck_assert_uint_ne(fast(b.h->load_tlb, DATA)->tag, DATA);
    ck_assert_uint_ne(fast(b.h->store_tlb, DATA)->tag, DATA);
    bench_free(&b);
}
END_TEST

START_TEST(a_page_that_pmp_denies_whole_is_an_access_fault)
{
    struct bench b;
    init_pmp(&b, PAGE_BYTES, 4);
    ck_trap(&b, can_load(&b, DATA + 8, 1), CAUSE_LOAD_ACCESS, DATA + 8);
    ck_trap(&b, hart_store(b.h, DATA, 1, 0), CAUSE_STORE_ACCESS, DATA);
    ck_assert(hart_enter_page(b.h, DATA));
    ck_assert(b.h->page_valid);
    bench_free(&b);
}
END_TEST

START_TEST(code_on_a_page_that_pmp_cuts_runs_up_to_the_boundary)
{
    struct bench b;
    init_pmp(&b, 0x100, 7);
    b.h->csr.mtvec = BENCH_RAM;
    ASM(&b.a, jal, .imm = 0);
    b.a.pc = DATA + 0xf0;
    for (unsigned i = 0; i < 8; i++)
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    b.h->pc = DATA + 0xf0;
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->x[A0], 4);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_ACCESS);
    ck_assert_uint_eq(b.h->csr.mepc, DATA + 0x100);
    ck_assert_uint_eq(b.h->csr.mtval, DATA + 0x100);
    bench_free(&b);
}
END_TEST

START_TEST(an_instruction_that_pmp_cuts_is_not_run)
{
    struct bench b;
    init_pmp(&b, 0x100, 7);
    b.h->csr.mtvec = BENCH_RAM;
    ASM(&b.a, jal, .imm = 0);
    b.a.pc = DATA + 0xfe;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    b.h->pc = DATA + 0xfe;
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->x[A0], 0);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_ACCESS);
    ck_assert_uint_eq(b.h->csr.mepc, DATA + 0xfe);
    ck_assert_uint_eq(b.h->csr.mtval, DATA + 0x100);
    bench_free(&b);
}
END_TEST

START_TEST(a_jump_from_fast_code_into_a_denied_part_faults_at_its_target)
{
    struct bench b;
    init_pmp(&b, 0x100, 7);
    b.h->csr.mtvec = BENCH_RAM + 0x800;
    b.a.pc = BENCH_RAM + 0x800;
    ASM(&b.a, jal, .imm = 0);
    b.a.pc = DATA;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    ASM(&b.a, jalr, .rs1 = RA);
    b.a.pc = BENCH_RAM;
    asm_li(&b.a, S0, DATA);
    uint64_t loop = b.a.pc;
    ASM(&b.a, jalr, .rd = RA, .rs1 = S0);
    ASM(&b.a, slti, .rd = T0, .rs1 = A0, .imm = 500);
    ASM(&b.a, bne, .rs1 = T0, .imm = asm_to(&b.a, loop));
    ASM(&b.a, jalr, .rd = RA, .rs1 = S0, .imm = 0x180);
    bench_run(&b, 10000);
    ck_assert_uint_eq(b.h->x[A0], 500);
    ck_assert_uint_eq(b.h->csr.mepc, DATA + 0x180);
    bench_free(&b);
}
END_TEST

/* --- atomics --- */

START_TEST(atomics_must_be_aligned_and_lie_in_ram)
{
    struct bench b;
    uint64_t value;
    bool stored;
    bench_init(&b);
    for (unsigned size = 4; size <= 8; size += 4) {
        uint64_t odd = DATA + size / 2;
        ck_trap(&b, hart_amo_address(b.h, odd, size), CAUSE_STORE_MISALIGNED, odd);
        ck_trap(&b, hart_load_reserved(b.h, odd, size, &value), CAUSE_LOAD_MISALIGNED, odd);
        ck_trap(&b, hart_store_conditional(b.h, odd, size, 0, &stored), CAUSE_STORE_MISALIGNED,
                odd);
        ck_trap(&b, hart_amo_address(b.h, BENCH_DEVICE, size), CAUSE_STORE_ACCESS, BENCH_DEVICE);
        ck_trap(&b, hart_load_reserved(b.h, BENCH_DEVICE, size, &value), CAUSE_LOAD_ACCESS,
                BENCH_DEVICE);
        ck_trap(&b, hart_store_conditional(b.h, HOLE, size, 0, &stored), CAUSE_STORE_ACCESS, HOLE);
    }
    ck_assert_uint_eq(b.device_reads + b.device_writes, 0);
    bench_free(&b);
}
END_TEST

START_TEST(an_amo_on_a_page_without_write_permission_is_a_store_page_fault)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF & ~PTE_W);
    ck_trap(&b, hart_amo_address(b.h, VA + 8, 8), CAUSE_STORE_PAGE, VA + 8);
    bench_free(&b);
}
END_TEST

/* --- cache blocks --- */

START_TEST(zeroing_a_cache_block_clears_its_64_bytes_and_no_other)
{
    struct bench b;
    bench_init(&b);
    memset(bench_at(&b, DATA), 0xff, 256);
    ck_assert(hart_zero_cache_block(b.h, DATA + 64 + 63));
    const uint8_t *bytes = bench_at(&b, DATA);
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq(bytes[i], i / 64 == 1 ? 0 : 0xff);
    ck_trap(&b, hart_zero_cache_block(b.h, BENCH_DEVICE), CAUSE_STORE_ACCESS, BENCH_DEVICE);
    ck_trap(&b, hart_zero_cache_block(b.h, BENCH_ROM + 3), CAUSE_STORE_ACCESS, BENCH_ROM + 3);
    bench_free(&b);
}
END_TEST

START_TEST(zeroing_a_cache_block_again_is_answered_by_the_store_tag)
{
    struct bench b;
    bench_init(&b);
    memset(bench_at(&b, DATA), 0xff, 256);
    b.h->x[S0] = DATA + 64 + 5;
    b.h->x[S1] = DATA + 128 + 63;
    ASM(&b.a, cbo_zero, .rs1 = S0);
    ASM(&b.a, cbo_zero, .rs1 = S1);
    hart_run(b.h, 2 + BLOCK_MAX);
    const uint8_t *bytes = bench_at(&b, DATA);
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq(bytes[i], i / 64 == 1 || i / 64 == 2 ? 0 : 0xff);
    ck_assert_uint_eq(b.h->stats.bare[TLB_STORE], 1);
    ck_assert_uint_eq(b.h->stats.from_record[TLB_STORE], 0);
    bench_free(&b);
}
END_TEST

START_TEST(a_cache_block_that_pmp_cuts_is_not_zeroed)
{
    struct bench b;
    init_pmp(&b, 0x120, 7);
    memset(bench_at(&b, DATA), 0xff, 0x200);
    ck_trap(&b, hart_zero_cache_block(b.h, DATA + 0x104), CAUSE_STORE_ACCESS, DATA + 0x104);
    ck_trap(&b, hart_probe_cache_block(b.h, DATA + 0x104), CAUSE_STORE_ACCESS, DATA + 0x104);
    ck_assert_uint_eq(bench_peek(&b, DATA + 0x100), ~0ull);
    ck_assert_uint_eq(bench_peek(&b, DATA + 0x120), ~0ull);
    ck_assert(hart_zero_cache_block(b.h, DATA + 0xff));
    bench_free(&b);
}
END_TEST

START_TEST(a_cache_block_operation_faults_as_a_store)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF & ~PTE_W);
    ck_assert(hart_probe_cache_block(b.h, VA));
    ck_trap(&b, hart_zero_cache_block(b.h, VA + 9), CAUSE_STORE_PAGE, VA + 9);
    ck_trap(&b, hart_probe_cache_block(b.h, VA + 2 * PAGE_BYTES + 9), CAUSE_STORE_PAGE,
            VA + 2 * PAGE_BYTES + 9);
    bench_free(&b);
}
END_TEST

/* --- fetching --- */

START_TEST(a_fault_on_the_second_half_of_an_instruction_names_the_second_page)
{
    struct bench b;
    init_sv39(&b);
    b.h->csr.mtvec = BENCH_RAM;
    ASM(&b.a, jal, .imm = 0);
    map(&b, VA, DATA, LEAF);
    b.a.pc = DATA + PAGE_BYTES - 2;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 1);
    b.h->pc = VA + PAGE_BYTES - 2;
    bench_run(&b, 10);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_PAGE);
    ck_assert_uint_eq(b.h->csr.mepc, VA + PAGE_BYTES - 2);
    ck_assert_uint_eq(b.h->csr.mtval, VA + PAGE_BYTES);
    bench_free(&b);
}
END_TEST

START_TEST(an_instruction_over_two_pages_that_lie_apart_is_put_together)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA + 0x3000, LEAF);
    map(&b, VA + PAGE_BYTES, DATA, LEAF);
    b.a.pc = DATA + 0x4000 - 2;
    ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = 0x123);
    memcpy(bench_at(&b, DATA), bench_at(&b, DATA + 0x4000), 2);
    memset(bench_at(&b, DATA + 0x4000), 0, 2);
    b.h->pc = VA + PAGE_BYTES - 2;
    b.a.pc = DATA + 2;
    ASM(&b.a, jal, .imm = -4);
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 0x123 * 100);
    bench_free(&b);
}
END_TEST

START_TEST(a_return_to_user_mode_on_the_same_page_fetches_by_its_own_rights)
{
    struct bench b;
    bench_init(&b);
    b.h->csr.mepc = BENCH_RAM + 4;
    b.h->csr.mtvec = DATA;
    ASM(&b.a, mret);
    ASM(&b.a, addi, .rd = A0, .imm = 1); /* U-mode may do nothing without a PMP entry */
    b.a.pc = DATA;
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 100);
    ck_assert_uint_eq(b.h->x[A0], 0);
    ck_assert_uint_eq(b.h->csr.mcause, CAUSE_FETCH_ACCESS);
    ck_assert_uint_eq(b.h->csr.mepc, BENCH_RAM + 4);
    bench_free(&b);
}
END_TEST

START_TEST(code_follows_a_page_that_is_mapped_anew)
{
    struct bench b;
    init_sv39(&b);
    map(&b, VA, DATA, LEAF);
    for (unsigned i = 0; i < 2; i++) {
        b.a.pc = DATA + i * PAGE_BYTES;
        ASM(&b.a, addi, .rd = A0, .rs1 = A0, .imm = i ? 0x100 : 1);
        ASM(&b.a, jal, .imm = -4);
    }
    b.h->pc = VA;
    bench_run(&b, 200);
    map(&b, VA, DATA + PAGE_BYTES, LEAF);
    hart_sfence_vma(b.h, false, VA, true, 0);
    bench_run(&b, 200);
    ck_assert_uint_eq(b.h->x[A0], 0x101 * 100);
    bench_free(&b);
}
END_TEST

static void add_tests(Suite *suite, const char *name, const TTest *const *tests, unsigned n)
{
    TCase *tc = tcase_create(name);
    for (unsigned i = 0; i < n; i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
}

#define ADD(suite, name, ...)                                                                      \
    add_tests(suite, name, (const TTest *const[]){__VA_ARGS__},                                    \
              sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(TTest *))

int main(void)
{
    Suite *suite = suite_create("access");
    ADD(suite, "filling", a_bare_load_or_store_opens_the_fast_path_of_its_own_kind,
        an_sv39_page_is_filled_by_a_walk_and_found_again_without_one,
        a_record_answers_when_the_fast_tag_is_poisoned,
        a_record_that_is_replaced_takes_its_fast_tag_along,
        under_stress_no_access_is_fast_and_all_are_right,
        a_fast_store_after_its_page_was_taken_is_seen_again,
        a_store_marks_its_page_touched_before_the_fast_path_opens,
        mprv_lends_m_mode_the_translation_of_mpp, a_clean_page_is_walked_again_for_the_first_store);
    ADD(suite, "two pages", an_access_over_a_page_boundary_is_whole,
        a_fault_on_either_page_of_a_crossing_store_stores_nothing,
        a_load_that_runs_out_of_ram_faults_at_the_first_byte_outside,
        a_faulting_load_leaves_its_register_and_traps_at_its_own_pc);
    ADD(suite, "devices and ROM", a_device_is_reached_each_time_and_sees_the_harts_present,
        what_a_device_refuses_is_an_access_fault,
        an_access_over_a_page_boundary_never_reaches_a_device,
        rom_can_be_read_and_run_but_not_written,
        code_cannot_be_fetched_from_a_device_or_from_nowhere);
    ADD(suite, "PMP", a_page_that_pmp_cuts_is_checked_at_each_access,
        a_page_that_pmp_denies_whole_is_an_access_fault,
        code_on_a_page_that_pmp_cuts_runs_up_to_the_boundary,
        an_instruction_that_pmp_cuts_is_not_run,
        a_jump_from_fast_code_into_a_denied_part_faults_at_its_target);
    ADD(suite, "atomics and cache blocks", atomics_must_be_aligned_and_lie_in_ram,
        an_amo_on_a_page_without_write_permission_is_a_store_page_fault,
        zeroing_a_cache_block_clears_its_64_bytes_and_no_other,
        zeroing_a_cache_block_again_is_answered_by_the_store_tag,
        a_cache_block_that_pmp_cuts_is_not_zeroed, a_cache_block_operation_faults_as_a_store);
    ADD(suite, "fetching", a_fault_on_the_second_half_of_an_instruction_names_the_second_page,
        an_instruction_over_two_pages_that_lie_apart_is_put_together,
        a_return_to_user_mode_on_the_same_page_fetches_by_its_own_rights,
        code_follows_a_page_that_is_mapped_anew);
    return run_suite(suite);
}

/* walk.c: each size of leaf in each mode, each fault, A and D both ways, Svnapot and Svpbmt. */
#include "memory/walk.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define RAM       0x80000000ull
#define RAM_BYTES (1ull << 20)
#define ROM       0x10000ull
#define TABLES    0x80010000ull /* the table of level n at TABLES + n pages */
#define DEVICE    0x10000000ull

#define N          (1ull << 63)
#define PBMT_SHIFT 61
#define RWX        (PTE_R | PTE_W | PTE_X)
#define AD         (PTE_A | PTE_D)

#define SV39 8ull
#define SV48 9ull
#define SV57 10ull

struct setup {
    struct memory_map *memory;
    struct walk_request request;
    unsigned levels;
    /* What PMP denies. */
    uint64_t denied_gpa;
    enum tlb_access denied_access;
    /* What another hart does while the walk asks PMP about its update. */
    uint64_t meddle_gpa, meddle_pte;
};

static void put_pte(struct setup *s, uint64_t gpa, uint64_t pte)
{
    ck_assert(memory_load(s->memory, gpa, &pte, sizeof pte));
}

static uint64_t get_pte(struct setup *s, uint64_t gpa)
{
    uint64_t pte = 0;
    ck_assert(dma_read(s->memory, gpa, &pte, sizeof pte));
    return pte;
}

static bool pte_allowed(void *owner, uint64_t gpa, enum tlb_access access)
{
    struct setup *s = owner;
    if (access == TLB_STORE && s->meddle_gpa) {
        put_pte(s, s->meddle_gpa, s->meddle_pte);
        s->meddle_gpa = 0;
    }
    return !(gpa == s->denied_gpa && access == s->denied_access);
}

static struct setup *start(uint64_t mode)
{
    struct error err;
    struct setup *s = calloc(1, sizeof *s);
    ck_assert_ptr_nonnull(s);
    s->memory = memory_create(NULL);
    ck_assert_ptr_nonnull(s->memory);
    ck_assert(memory_add_ram(s->memory, "ram", RAM, RAM_BYTES, &err));
    ck_assert(memory_add_rom(s->memory, "rom", ROM, PAGE_BYTES, &err));
    s->levels = mode - 5;
    s->request = (struct walk_request){.memory = s->memory,
                                       .svnapot = true,
                                       .satp = mode << 60 | (TABLES / PAGE_BYTES + s->levels - 1),
                                       .pte_allowed = pte_allowed,
                                       .owner = s};
    return s;
}

static void stop(struct setup *s)
{
    memory_destroy(s->memory);
    free(s);
}

static uint64_t pte_gpa(uint64_t va, unsigned level)
{
    return TABLES + level * PAGE_BYTES + bits_get(va, 12 + 9 * level, 9) * 8;
}

static uint64_t pte_to(uint64_t pa, uint64_t bits)
{
    return pa >> 12 << 10 | bits;
}

/* Pointers from the root down to `level`, whose entry for va becomes pte. */
static void map_leaf(struct setup *s, uint64_t va, unsigned level, uint64_t pte)
{
    for (unsigned l = s->levels - 1; l > level; l--)
        put_pte(s, pte_gpa(va, l), pte_to(TABLES + (l - 1) * PAGE_BYTES, PTE_V));
    put_pte(s, pte_gpa(va, level), pte);
}

/* An S-mode access, no SUM, no MXR. */
static enum walk_result access_as_s(struct setup *s, uint64_t va, enum tlb_access access,
                                    struct translation *t)
{
    return walk(&s->request, va, access, false, false, false, t);
}

static void expect(struct setup *s, uint64_t va, enum tlb_access access, enum walk_result wanted)
{
    struct translation t;
    ck_assert_int_eq(access_as_s(s, va, access, &t), wanted);
}

START_TEST(every_leaf_size_translates_in_every_mode)
{
    for (uint64_t mode = SV39; mode <= SV57; mode++) {
        for (unsigned level = 0; level < mode - 5; level++) {
            for (unsigned upper = 0; upper < 2; upper++) {
                struct setup *s = start(mode);
                unsigned shift = 12 + 9 * level, va_bits = 12 + 9 * s->levels;
                uint64_t va = 0x12345678abcdefull & ((1ull << (va_bits - 1)) - 1);
                va = upper ? va | ~0ull << (va_bits - 1) : va;
                uint64_t offset = (1ull << shift) - 1;
                uint64_t base = 0x00fedcba98765000ull & ~offset;
                map_leaf(s, va, level, pte_to(base, PTE_V | RWX | AD));
                struct translation t;
                ck_assert_int_eq(access_as_s(s, va, TLB_LOAD, &t), WALK_OK);
                ck_assert_uint_eq(t.va, va & PAGE_MASK);
                ck_assert_uint_eq(t.pa, (base | (va & offset)) & PAGE_MASK);
                ck_assert_uint_eq(t.pte, PTE_V | RWX | AD);
                ck_assert_uint_eq(t.page_shift, shift);
                stop(s);
            }
        }
    }
}
END_TEST

START_TEST(an_address_that_is_not_sign_extended_is_a_page_fault)
{
    for (uint64_t mode = SV39; mode <= SV57; mode++) {
        struct setup *s = start(mode);
        unsigned va_bits = 12 + 9 * s->levels;
        map_leaf(s, 0, s->levels - 1, pte_to(0, PTE_V | RWX | AD));
        expect(s, 0, TLB_LOAD, WALK_OK);
        for (unsigned bit = va_bits; bit < 64; bit++)
            expect(s, 1ull << bit, TLB_LOAD, WALK_PAGE_FAULT);
        map_leaf(s, 1ull << (va_bits - 1), s->levels - 1, pte_to(0, PTE_V | RWX | AD));
        expect(s, 1ull << (va_bits - 1), TLB_LOAD, WALK_PAGE_FAULT);
        expect(s, ~0ull << (va_bits - 1), TLB_LOAD, WALK_OK);
        stop(s);
    }
}
END_TEST

START_TEST(a_misaligned_superpage_is_a_page_fault)
{
    for (unsigned level = 1; level < 5; level++) {
        for (unsigned bit = 0; bit < 9 * level; bit++) {
            struct setup *s = start(SV57);
            map_leaf(s, 0, level, pte_to(1ull << (12 + bit), PTE_V | RWX | AD));
            expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
            stop(s);
        }
    }
}
END_TEST

START_TEST(an_invalid_or_reserved_leaf_is_a_page_fault)
{
    struct setup *s = start(SV39);
    const uint64_t good = pte_to(RAM, PTE_V | RWX | AD);
    map_leaf(s, 0, 0, good);
    expect(s, 0, TLB_LOAD, WALK_OK);
    for (unsigned bit = 54; bit < 61; bit++) {
        map_leaf(s, 0, 0, good | 1ull << bit);
        expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
    }
    map_leaf(s, 0, 0, good | 3ull << 8); /* RSW is the supervisor's */
    expect(s, 0, TLB_LOAD, WALK_OK);
    map_leaf(s, 0, 0, good & ~(uint64_t)PTE_V);
    expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
    map_leaf(s, 0, 0, good & ~(uint64_t)PTE_R); /* W without R, also with X */
    expect(s, 0, TLB_STORE, WALK_PAGE_FAULT);
    expect(s, 0, TLB_FETCH, WALK_PAGE_FAULT);
    stop(s);
}
END_TEST

START_TEST(a_pointer_with_leaf_bits_is_a_page_fault)
{
    const uint64_t reserved[] = {PTE_A,
                                 PTE_D,
                                 PTE_U,
                                 PTE_W,
                                 N,
                                 1ull << 54,
                                 1ull << 60,
                                 1ull << PBMT_SHIFT,
                                 2ull << PBMT_SHIFT};
    for (unsigned i = 0; i < ARRAY_LEN(reserved); i++) {
        struct setup *s = start(SV39);
        s->request.svpbmt = true;
        map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX | AD));
        expect(s, 0, TLB_LOAD, WALK_OK);
        put_pte(s, pte_gpa(0, 1), get_pte(s, pte_gpa(0, 1)) | reserved[i]);
        expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
        stop(s);
    }
}
END_TEST

START_TEST(a_pointer_at_the_last_level_is_a_page_fault)
{
    struct setup *s = start(SV39);
    map_leaf(s, 0, 0, pte_to(DEVICE, PTE_V));
    expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
    stop(s);
}
END_TEST

START_TEST(g_of_a_pointer_makes_the_leaf_global)
{
    struct setup *s = start(SV39);
    struct translation t;
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX | AD));
    ck_assert(access_as_s(s, 0, TLB_LOAD, &t) == WALK_OK && !(t.pte & PTE_G));
    put_pte(s, pte_gpa(0, 2), get_pte(s, pte_gpa(0, 2)) | PTE_G);
    ck_assert(access_as_s(s, 0, TLB_LOAD, &t) == WALK_OK && t.pte & PTE_G);
    stop(s);
}
END_TEST

START_TEST(permission_is_by_access_privilege_sum_and_mxr)
{
    for (unsigned i = 0; i < 1 << 7; i++) {
        uint8_t pte = (i & 7) << 1 | (i & 8 ? PTE_U : 0); /* R, W, X; U */
        bool user = i & 16, sum = i & 32, mxr = i & 64;
        bool r = pte & PTE_R, w = pte & PTE_W, x = pte & PTE_X, u = pte & PTE_U;
        bool data_page = user ? u : !u || sum;
        bool code_page = user == u;
        ck_assert_int_eq(walk_permits(pte, TLB_LOAD, user, sum, mxr),
                         data_page && (r || (mxr && x)));
        ck_assert_int_eq(walk_permits(pte, TLB_STORE, user, sum, mxr), data_page && w);
        ck_assert_int_eq(walk_permits(pte, TLB_FETCH, user, sum, mxr), code_page && x);
    }
}
END_TEST

START_TEST(a_walk_checks_permission_and_then_touches_nothing)
{
    struct setup *s = start(SV39);
    struct translation t;
    const uint64_t pte = pte_to(RAM, PTE_V | PTE_R | PTE_U);
    s->request.svadu = true;
    map_leaf(s, 0, 0, pte);
    expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
    ck_assert_int_eq(walk(&s->request, 0, TLB_STORE, true, false, false, &t), WALK_PAGE_FAULT);
    ck_assert_uint_eq(get_pte(s, pte_gpa(0, 0)), pte);
    ck_assert_int_eq(walk(&s->request, 0, TLB_LOAD, true, false, false, &t), WALK_OK);
    ck_assert_int_eq(walk(&s->request, 0, TLB_LOAD, false, true, false, &t), WALK_OK);
    stop(s);
}
END_TEST

START_TEST(svade_faults_where_a_or_d_is_missing)
{
    struct setup *s = start(SV39);
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX | PTE_D));
    for (unsigned access = 0; access < TLB_ACCESSES; access++)
        expect(s, 0, access, WALK_PAGE_FAULT);
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX | PTE_A));
    expect(s, 0, TLB_LOAD, WALK_OK);
    expect(s, 0, TLB_FETCH, WALK_OK);
    expect(s, 0, TLB_STORE, WALK_PAGE_FAULT);
    ck_assert_uint_eq(get_pte(s, pte_gpa(0, 0)), pte_to(RAM, PTE_V | RWX | PTE_A));
    stop(s);
}
END_TEST

START_TEST(svadu_sets_a_and_a_store_d)
{
    for (unsigned access = 0; access < TLB_ACCESSES; access++) {
        struct setup *s = start(SV39);
        struct translation t;
        s->request.svadu = true;
        uint64_t set = access == TLB_STORE ? AD : PTE_A;
        map_leaf(s, 0, 1, pte_to(0x80000000, PTE_V | RWX));
        ck_assert_int_eq(access_as_s(s, 0x5000, access, &t), WALK_OK);
        ck_assert_uint_eq(t.pte, PTE_V | RWX | set);
        ck_assert_uint_eq(t.pa, 0x80005000);
        ck_assert_uint_eq(get_pte(s, pte_gpa(0x5000, 1)), pte_to(0x80000000, PTE_V | RWX | set));
        stop(s);
    }
}
END_TEST

START_TEST(svadu_looks_again_when_the_entry_changed_meanwhile)
{
    struct setup *s = start(SV39);
    struct translation t;
    s->request.svadu = true;
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX));
    s->meddle_gpa = pte_gpa(0, 0);
    s->meddle_pte = pte_to(RAM + 0x3000, PTE_V | RWX);
    ck_assert_int_eq(access_as_s(s, 0, TLB_LOAD, &t), WALK_OK);
    ck_assert_uint_eq(t.pa, RAM + 0x3000);
    ck_assert_uint_eq(get_pte(s, pte_gpa(0, 0)), pte_to(RAM + 0x3000, PTE_V | RWX | PTE_A));
    s->meddle_gpa = pte_gpa(0, 0);
    s->meddle_pte = 0;
    expect(s, 0, TLB_STORE, WALK_PAGE_FAULT);
    ck_assert_uint_eq(get_pte(s, pte_gpa(0, 0)), 0);
    stop(s);
}
END_TEST

static void note_code_write(void *owner, uint64_t gpa, uint64_t bytes)
{
    if (bytes == 8)
        *(uint64_t *)owner = gpa;
}

START_TEST(an_update_in_a_page_with_code_tells_the_code_cache)
{
    struct setup *s = start(SV39);
    uint64_t written = 0;
    s->request.svadu = true;
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX));
    memory_on_code_write(s->memory, note_code_write, &written);
    struct region *ram = memory_find(s->memory, RAM);
    ram->marks[(TABLES - RAM) / PAGE_BYTES] |= PAGE_HAS_CODE;
    expect(s, 0, TLB_LOAD, WALK_OK);
    ck_assert_uint_eq(written, pte_gpa(0, 0));
    ck_assert_uint_eq(get_pte(s, pte_gpa(0, 0)), pte_to(RAM, PTE_V | RWX | PTE_A));
    stop(s);
}
END_TEST

START_TEST(a_table_outside_of_memory_is_an_access_fault)
{
    static const uint64_t outside[] = {0x0, DEVICE, RAM + RAM_BYTES, 0x00fffffffffff000};
    for (unsigned i = 0; i < ARRAY_LEN(outside); i++) {
        struct setup *s = start(SV39);
        map_leaf(s, 0, 1, pte_to(outside[i], PTE_V));
        expect(s, 0, TLB_LOAD, WALK_ACCESS_FAULT);
        s->request.satp = SV39 << 60 | outside[i] >> 12;
        expect(s, 0, TLB_LOAD, WALK_ACCESS_FAULT);
        stop(s);
    }
}
END_TEST

static uint64_t read_nothing(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return ~0ull;
}

START_TEST(a_table_in_a_device_is_an_access_fault)
{
    static const struct mmio_ops ops = {.name = "device", .read = read_nothing, .sizes = 8};
    struct setup *s = start(SV39);
    struct error err;
    ck_assert(memory_add_device(s->memory, DEVICE, PAGE_BYTES, &ops, NULL, &err));
    map_leaf(s, 0, 1, pte_to(DEVICE, PTE_V));
    expect(s, 0, TLB_LOAD, WALK_ACCESS_FAULT);
    stop(s);
}
END_TEST

START_TEST(a_table_in_rom_is_read_but_never_updated)
{
    struct setup *s = start(SV39);
    s->request.svadu = true;
    map_leaf(s, 0, 1, pte_to(ROM, PTE_V));
    put_pte(s, ROM, pte_to(RAM, PTE_V | RWX | AD));
    put_pte(s, ROM + 8, pte_to(RAM, PTE_V | RWX));
    expect(s, 0, TLB_LOAD, WALK_OK);
    expect(s, 0x1000, TLB_LOAD, WALK_ACCESS_FAULT);
    stop(s);
}
END_TEST

START_TEST(pmp_denies_reading_an_entry_or_updating_it)
{
    struct setup *s = start(SV39);
    s->request.svadu = true;
    map_leaf(s, 0, 0, pte_to(RAM, PTE_V | RWX));
    for (unsigned level = 0; level < 3; level++) {
        s->denied_gpa = pte_gpa(0, level);
        s->denied_access = TLB_LOAD;
        expect(s, 0, TLB_FETCH, WALK_ACCESS_FAULT);
        s->denied_access = TLB_STORE; /* matters at the leaf alone */
        expect(s, 0, TLB_FETCH, level == 0 ? WALK_ACCESS_FAULT : WALK_OK);
        put_pte(s, pte_gpa(0, 0), pte_to(RAM, PTE_V | RWX));
    }
    stop(s);
}
END_TEST

START_TEST(a_napot_leaf_covers_64_kib)
{
    struct setup *s = start(SV39);
    struct translation t;
    for (uint64_t page = 0; page < 16; page++) {
        uint64_t va = 0x40000 + page * PAGE_BYTES;
        map_leaf(s, va, 0, N | pte_to(0x80028000, PTE_V | RWX | AD));
        ck_assert_int_eq(access_as_s(s, va, TLB_LOAD, &t), WALK_OK);
        ck_assert_uint_eq(t.pa, 0x80020000 + page * PAGE_BYTES);
        ck_assert_uint_eq(t.page_shift, 16);
    }
    stop(s);
}
END_TEST

START_TEST(other_napot_encodings_are_page_faults)
{
    struct setup *s = start(SV39);
    for (uint64_t low = 0; low < 16; low++) {
        map_leaf(s, 0, 0, N | pte_to(0x80020000 | low << 12, PTE_V | RWX | AD));
        expect(s, 0, TLB_LOAD, low == 8 ? WALK_OK : WALK_PAGE_FAULT);
    }
    map_leaf(s, 0, 1, N | pte_to(0x80000000, PTE_V | RWX | AD));
    expect(s, 0, TLB_LOAD, WALK_PAGE_FAULT);
    stop(s);
}
END_TEST

START_TEST(pbmt_is_reserved_unless_enabled_and_3_always)
{
    struct setup *s = start(SV39);
    for (unsigned enabled = 0; enabled < 2; enabled++) {
        s->request.svpbmt = enabled;
        for (uint64_t type = 0; type < 4; type++) {
            map_leaf(s, 0, 0, type << PBMT_SHIFT | pte_to(RAM, PTE_V | RWX | AD));
            bool ok = type == 0 || (enabled && type != 3);
            expect(s, 0, TLB_LOAD, ok ? WALK_OK : WALK_PAGE_FAULT);
        }
    }
    stop(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walk");
    TCase *t = tcase_create("walk");
    tcase_add_test(t, every_leaf_size_translates_in_every_mode);
    tcase_add_test(t, an_address_that_is_not_sign_extended_is_a_page_fault);
    tcase_add_test(t, a_misaligned_superpage_is_a_page_fault);
    tcase_add_test(t, an_invalid_or_reserved_leaf_is_a_page_fault);
    tcase_add_test(t, a_pointer_with_leaf_bits_is_a_page_fault);
    tcase_add_test(t, a_pointer_at_the_last_level_is_a_page_fault);
    tcase_add_test(t, g_of_a_pointer_makes_the_leaf_global);
    tcase_add_test(t, permission_is_by_access_privilege_sum_and_mxr);
    tcase_add_test(t, a_walk_checks_permission_and_then_touches_nothing);
    tcase_add_test(t, svade_faults_where_a_or_d_is_missing);
    tcase_add_test(t, svadu_sets_a_and_a_store_d);
    tcase_add_test(t, svadu_looks_again_when_the_entry_changed_meanwhile);
    tcase_add_test(t, an_update_in_a_page_with_code_tells_the_code_cache);
    tcase_add_test(t, a_table_outside_of_memory_is_an_access_fault);
    tcase_add_test(t, a_table_in_a_device_is_an_access_fault);
    tcase_add_test(t, a_table_in_rom_is_read_but_never_updated);
    tcase_add_test(t, pmp_denies_reading_an_entry_or_updating_it);
    tcase_add_test(t, a_napot_leaf_covers_64_kib);
    tcase_add_test(t, other_napot_encodings_are_page_faults);
    tcase_add_test(t, pbmt_is_reserved_unless_enabled_and_3_always);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

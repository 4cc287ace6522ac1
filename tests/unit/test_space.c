/* The address space of a program: what the table says is what the TLB and the calls get. */
#include "syscall/space.h"

#include "base/os_process.h"
#include "cpu/code.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <sys/mman.h>

#define RW       (SPACE_READ | SPACE_WRITE)
#define FLAGS    (SPACE_PRIVATE | SPACE_ANONYMOUS)
#define BASE     0x10000000ull
#define PAGES(n) ((uint64_t)(n)*PAGE_BYTES)

static struct clock clock_;
static struct space space;
static struct code_cache *code;

static void setup(void)
{
    struct error err;
    struct hart_isa isa = isa_of_everything();
    struct memory_map *memory = memory_create(NULL);
    ck_assert(space_init(&space, memory, PAGES(64), &err));
    code = code_create(memory, NULL, &isa);
    const struct hart_ports ports = {.memory = memory,
                                     .clock = &clock_,
                                     .code = code,
                                     .find_leaf = space_find_leaf,
                                     .leaf_owner = &space,
                                     .no_traps = true};
    space.hart = hart_create(0, &isa, &ports, 0);
    ck_assert_ptr_nonnull(space.hart);
    pmp_write_addr(space.hart, 0, UINT64_MAX);
    pmp_write_cfg(space.hart, 0, 0x1f);
    space.hart->csr.satp = (uint64_t)SATP_SV39 << SATP_MODE_SHIFT;
    hart_set_priv(space.hart, PRIV_U);
    space_clear(&space);
}

static void teardown(void)
{
    struct memory_map *memory = space.memory;
    hart_destroy(space.hart);
    code_destroy(code);
    space_release(&space);
    memory_destroy(memory);
}

static int64_t map(uint64_t va, unsigned pages, unsigned protection)
{
    return space_map(&space, va, PAGES(pages), protection, FLAGS | SPACE_FIXED, -1, 0);
}

static bool stores(uint64_t va)
{
    return hart_store(space.hart, va, 8, 7);
}

static bool loads(uint64_t va)
{
    uint64_t value;
    return hart_load(space.hart, va, 8, &value);
}

START_TEST(a_change_of_protection_reaches_the_tlb)
{
    ck_assert_int_eq(map(BASE, 4, RW), BASE);
    ck_assert(stores(BASE + PAGES(1)));
    ck_assert_int_eq(space_protect(&space, BASE + PAGES(1), PAGES(1), SPACE_READ), 0);
    ck_assert(loads(BASE + PAGES(1)));
    ck_assert(!stores(BASE + PAGES(1)));
    ck_assert_uint_eq(space.hart->trap.cause, CAUSE_STORE_PAGE);
    ck_assert_uint_eq(space.hart->trap.tval, BASE + PAGES(1));
    ck_assert(stores(BASE + PAGES(2)));
    ck_assert_int_eq(space_unmap(&space, BASE + PAGES(2), PAGES(1)), 0);
    ck_assert(!loads(BASE + PAGES(2)));
    ck_assert(stores(BASE + PAGES(3)));
}
END_TEST

START_TEST(an_access_over_the_end_of_a_mapping_stores_nothing)
{
    map(BASE, 1, RW);
    ck_assert(!stores(BASE + PAGES(1) - 4));
    ck_assert_uint_eq(space.hart->trap.tval, BASE + PAGES(1));
    ck_assert_mem_eq(space.host + BASE + PAGES(1) - 4, "\0\0\0", 4);
}
END_TEST

START_TEST(neighbours_that_are_alike_are_one_entry)
{
    map(BASE, 1, RW);
    map(BASE + PAGES(2), 1, RW);
    ck_assert_uint_eq(space.count, 2);
    map(BASE + PAGES(1), 1, RW);
    ck_assert_uint_eq(space.count, 1);
    space_protect(&space, BASE + PAGES(1), PAGES(1), SPACE_READ);
    ck_assert_uint_eq(space.count, 3);
    space_protect(&space, BASE + PAGES(1), PAGES(1), RW);
    ck_assert_uint_eq(space.count, 1);
    ck_assert_uint_eq(space.mapped_bytes, PAGES(3));
}
END_TEST

START_TEST(gaps_are_taken_from_the_top_and_never_overlap)
{
    uint64_t top = space.map_top;
    int64_t first = space_map(&space, 0, PAGES(2), RW, FLAGS, -1, 0);
    ck_assert_int_eq(first, (int64_t)(top - PAGES(2)));
    int64_t second = space_map(&space, 0, PAGES(3), RW, FLAGS, -1, 0);
    ck_assert_int_eq(second, first - (int64_t)PAGES(3));
    space_unmap(&space, (uint64_t)first, PAGES(1));
    ck_assert_int_eq(space_map(&space, 0, PAGES(2), RW, FLAGS, -1, 0), second - (int64_t)PAGES(2));
    ck_assert_int_eq(space_map(&space, 0, PAGES(1), RW, FLAGS, -1, 0), first);
}
END_TEST

START_TEST(the_limit_holds_for_all_ways_to_grow)
{
    ck_assert_int_eq(map(BASE, 60, RW), BASE);
    ck_assert_int_eq(map(BASE + PAGES(100), 5, RW), -ENOMEM);
    ck_assert_int_eq(space_remap(&space, BASE, PAGES(60), PAGES(70), SPACE_MAY_MOVE, 0), -ENOMEM);
    ck_assert_int_eq(
        space_remap(&space, BASE, PAGES(60), PAGES(70), SPACE_MAY_MOVE | SPACE_MOVE_TO, 2 * BASE),
        -ENOMEM);
    space.brk = space.brk_start = 2 * BASE;
    ck_assert_uint_eq(space_set_brk(&space, 2 * BASE + PAGES(5)), 2 * BASE);
    ck_assert_uint_eq(space_set_brk(&space, 2 * BASE + PAGES(4)), 2 * BASE + PAGES(4));
}
END_TEST

START_TEST(reach_ends_where_the_access_would_fault)
{
    map(BASE, 2, RW);
    map(BASE + PAGES(2), 1, SPACE_READ);
    ck_assert_uint_eq(space_reach(&space, BASE + 8, UINT64_MAX, SPACE_READ), PAGES(3) - 8);
    ck_assert_uint_eq(space_reach(&space, BASE + 8, PAGES(9), SPACE_WRITE), PAGES(2) - 8);
    ck_assert_uint_eq(space_reach(&space, BASE - 1, 2, SPACE_READ), 0);
    ck_assert_uint_eq(space_reach(&space, UINT64_MAX, 2, SPACE_READ), 0);
    ck_assert_ptr_null(space_at(&space, BASE, PAGES(3), SPACE_WRITE));
    ck_assert_ptr_null(space_at(&space, SPACE_BYTES - 1, UINT64_MAX, SPACE_READ));
}
END_TEST

START_TEST(a_string_may_end_in_the_last_byte_that_is_mapped)
{
    map(BASE, 2, RW);
    memset(space.host + BASE, 'a', PAGES(2));
    ck_assert_ptr_null(space_string(&space, BASE + 1));
    space.host[BASE + PAGES(2) - 1] = 0;
    ck_assert_ptr_eq(space_string(&space, BASE + 1), space.host + BASE + 1);
    space_protect(&space, BASE + PAGES(1), PAGES(1), 0);
    ck_assert_ptr_null(space_string(&space, BASE + 1));
}
END_TEST

START_TEST(moved_pages_keep_their_bytes_and_leave_nothing)
{
    map(BASE, 2, RW);
    stores(BASE + PAGES(1));
    int64_t to =
        space_remap(&space, BASE, PAGES(2), PAGES(4), SPACE_MAY_MOVE | SPACE_MOVE_TO, 2 * BASE);
    ck_assert_int_eq(to, 2 * BASE);
    ck_assert_uint_eq(space.host[2 * BASE + PAGES(1)], 7);
    ck_assert(stores(2 * BASE + PAGES(3)));
    ck_assert(!loads(BASE));
}
END_TEST

static bool is_reserved(uint64_t va)
{
    return msync(space.host + va, PAGES(1), MS_ASYNC) == 0;
}

/* Linux before 6.12 unmaps first, and finds then that it cannot map: so the page is unmapped here.
 */
START_TEST(a_mapping_that_fails_leaves_no_gap_where_another_could_lie)
{
    bool writable = false;
    map(BASE, 2, RW);
    munmap(space.host + BASE, PAGES(1));
    ck_assert(!is_reserved(BASE));
    ck_assert_int_eq(
        space_map(&space, BASE, PAGES(1), RW, SPACE_PRIVATE | SPACE_FIXED, INT32_MAX, 0), -EBADF);
    ck_assert(is_reserved(BASE));
    munmap(space.host + BASE, PAGES(1));
    ck_assert_int_eq(os_map_at(space.host + BASE, PAGES(1), OS_MAP_SHARED, INT32_MAX, 0, &writable),
                     -EBADF);
    ck_assert(is_reserved(BASE));
    munmap(space.host + BASE, PAGES(1));
    munmap(space.host + 2 * BASE, PAGES(3));
    ck_assert_int_eq(os_map_move(space.host + BASE, PAGES(1), space.host + 2 * BASE, PAGES(3)),
                     -EFAULT);
    ck_assert(is_reserved(2 * BASE) && is_reserved(2 * BASE + PAGES(2)));
}
END_TEST

START_TEST(what_is_kept_from_a_child_is_unmapped_there_without_a_gap)
{
    map(BASE, 4, RW);
    ck_assert_int_eq(space_keep(&space, BASE + PAGES(1), PAGES(2), true), 0);
    ck_assert_uint_eq(space.count, 3);
    ck_assert_int_eq(space_keep(&space, BASE + PAGES(2), PAGES(1), false), 0);
    space_lose_kept(&space); /* as the child */
    ck_assert(loads(BASE) && !loads(BASE + PAGES(1)) && loads(BASE + PAGES(2)));
    ck_assert(is_reserved(BASE + PAGES(1)));
    ck_assert_int_eq(space_keep(&space, BASE + PAGES(1), PAGES(1), true), -ENOMEM);
    ck_assert_int_eq(space_keep(&space, BASE + 1, PAGES(1), true), -EINVAL);
    ck_assert_int_eq(space_keep(&space, UINT64_MAX & PAGE_MASK, PAGES(2), true), -ENOMEM);
    ck_assert_int_eq(map(BASE + PAGES(1), 1, RW), BASE + PAGES(1));
    ck_assert_uint_eq(space.count, 1); /* all are alike again */
}
END_TEST

START_TEST(impossible_requests_are_refused)
{
    ck_assert_int_eq(map(BASE + 1, 1, RW), -EINVAL);
    ck_assert_int_eq(map(0, 1, RW), -EPERM);
    ck_assert_int_eq(map(SPACE_BYTES - PAGES(1), 2, RW), -ENOMEM);
    ck_assert_int_eq(space_unmap(&space, SPACE_BYTES, PAGES(1)), -EINVAL);
    ck_assert_int_eq(space_unmap(&space, 0, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(space_protect(&space, BASE, PAGES(1), RW), -ENOMEM);
    ck_assert_int_eq(space_remap(&space, BASE, PAGES(1), PAGES(2), 0, 0), -EFAULT);
    ck_assert_int_eq(space_map(&space, 0, UINT64_MAX, RW, FLAGS, -1, 0), -ENOMEM);
    ck_assert_int_eq(space_map(&space, 0, PAGES(1), RW, SPACE_PRIVATE, -1, 0), -EBADF);
    ck_assert_uint_eq(space.count, 0);
}
END_TEST

START_TEST(code_is_decoded_anew_when_a_call_writes_it)
{
    static const uint32_t li_1 = 0x00100513, li_2 = 0x00200513, ecall = 0x00000073;
    map(BASE, 1, RW | SPACE_EXECUTE);
    memcpy(space_at(&space, BASE, 4, SPACE_WRITE), &li_1, 4);
    memcpy(space_at(&space, BASE + 4, 4, SPACE_WRITE), &ecall, 4);
    space.hart->pc = BASE;
    ck_assert_int_eq(hart_run(space.hart, space.hart->steps + 100), HART_EXCEPTION);
    ck_assert_uint_eq(space.hart->trap.cause, CAUSE_ECALL_U);
    ck_assert_uint_eq(space.hart->pc, BASE + 4);
    ck_assert_uint_eq(space.hart->x[10], 1);
    memcpy(space_at(&space, BASE, 4, SPACE_WRITE), &li_2, 4);
    space.hart->pc = BASE;
    ck_assert_int_eq(hart_run(space.hart, space.hart->steps + 100), HART_EXCEPTION);
    ck_assert_uint_eq(space.hart->x[10], 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("space");
    TCase *tests = tcase_create("space");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_change_of_protection_reaches_the_tlb);
    tcase_add_test(tests, an_access_over_the_end_of_a_mapping_stores_nothing);
    tcase_add_test(tests, neighbours_that_are_alike_are_one_entry);
    tcase_add_test(tests, gaps_are_taken_from_the_top_and_never_overlap);
    tcase_add_test(tests, the_limit_holds_for_all_ways_to_grow);
    tcase_add_test(tests, reach_ends_where_the_access_would_fault);
    tcase_add_test(tests, a_string_may_end_in_the_last_byte_that_is_mapped);
    tcase_add_test(tests, moved_pages_keep_their_bytes_and_leave_nothing);
    tcase_add_test(tests, a_mapping_that_fails_leaves_no_gap_where_another_could_lie);
    tcase_add_test(tests, what_is_kept_from_a_child_is_unmapped_there_without_a_gap);
    tcase_add_test(tests, impossible_requests_are_refused);
    tcase_add_test(tests, code_is_decoded_anew_when_a_call_writes_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

/* The built-in SBI: the debug console and the legacy extensions. */
#include "tests/unit/sbi_rig.h"

/* --- dbcn -------------------------------------------------------------------------------- */

START_TEST(console_write_sends_guest_memory)
{
    struct fixture *f = fixture_create();
    ck_assert(dma_write(f->memory, BUFFER, "hello", 5));
    const struct result r = call(f, DBCN, 0, (uint64_t[ARGS]){5, BUFFER, 0});
    ck_assert_int_eq(r.error, SUCCESS);
    ck_assert_uint_eq(r.value, 5);
    ck_assert_uint_eq(f->out_bytes, 5);
    ck_assert_mem_eq(f->out, "hello", 5);
    fixture_destroy(f);
}
END_TEST

START_TEST(console_write_of_much_is_partial)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(call(f, DBCN, 0, (uint64_t[ARGS]){100000, BUFFER, 0}).value, 65536);
    ck_assert_uint_eq(f->out_bytes, 65536);
    ck_assert_int_eq(call(f, DBCN, 0, (uint64_t[ARGS]){0, BUFFER, 0}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

START_TEST(console_buffers_outside_ram_are_invalid)
{
    struct fixture *f = fixture_create();
    f->in = "lost?";
    for (unsigned function = 0; function <= 1; function++) {
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){1, 0x1000, 0}).error,
                         INVALID_PARAM);
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){1, BUFFER, 1}).error,
                         INVALID_PARAM);
        ck_assert_int_eq(
            call(f, DBCN, function, (uint64_t[ARGS]){2, RAM_BASE + RAM_BYTES - 1, 0}).error,
            INVALID_PARAM);
        const uint64_t to_the_end = RAM_BASE + RAM_BYTES - BUFFER; /* a call does less of it */
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){to_the_end + 1, BUFFER, 0}).error,
                         INVALID_PARAM);
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){UINT64_MAX, BUFFER, 0}).error,
                         INVALID_PARAM);
    }
    ck_assert_uint_eq(f->out_bytes, 0);
    ck_assert_str_eq(f->in, "lost?");
    fixture_destroy(f);
}
END_TEST

START_TEST(console_read_gives_what_is_there)
{
    struct fixture *f = fixture_create();
    char got[4] = "";
    f->in = "abc";
    ck_assert_uint_eq(call(f, DBCN, 1, (uint64_t[ARGS]){2, BUFFER, 0}).value, 2);
    ck_assert_uint_eq(call(f, DBCN, 1, (uint64_t[ARGS]){5000, BUFFER + 2, 0}).value, 1);
    const struct result none = call(f, DBCN, 1, (uint64_t[ARGS]){5, BUFFER + 3, 0});
    ck_assert_int_eq(none.error, SUCCESS);
    ck_assert_uint_eq(none.value, 0);
    ck_assert(dma_read(f->memory, BUFFER, got, 3));
    ck_assert_str_eq(got, "abc");
    fixture_destroy(f);
}
END_TEST

START_TEST(console_write_byte_sends_the_low_byte)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, DBCN, 2, (uint64_t[ARGS]){0x1241}).error, SUCCESS);
    ck_assert_uint_eq(f->out_bytes, 1);
    ck_assert_uint_eq(f->out[0], 'A');
    fixture_destroy(f);
}
END_TEST

/* --- legacy ------------------------------------------------------------------------------ */

START_TEST(legacy_calls_return_in_a0_alone)
{
    struct fixture *f = fixture_create();
    f->in = "q";
    struct result r = call(f, 1, 0, (uint64_t[ARGS]){'x', 1234});
    ck_assert_int_eq(r.error, 0);
    ck_assert_uint_eq(r.value, 1234);
    ck_assert_uint_eq(f->out[0], 'x');
    ck_assert_int_eq(call(f, 2, 0, (uint64_t[ARGS]){0}).error, 'q');
    ck_assert_int_eq(call(f, 2, 0, (uint64_t[ARGS]){0}).error, -1);
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_timer_and_shutdown_work)
{
    struct fixture *f = fixture_create();
    call(f, 0, 0, (uint64_t[ARGS]){0});
    ck_assert_uint_eq(hart_mip(f->harts[0]) >> IRQ_STIP & 1, 1);
    call(f, 8, 0, (uint64_t[ARGS]){0});
    ck_assert_int_eq(f->resets, 1);
    ck_assert_int_eq(f->type, SBI_SHUTDOWN);
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_ipis_take_their_mask_from_memory)
{
    struct fixture *f = fixture_create();
    const uint64_t mask = 1 << 1 | 1 << 2 | 1ull << 40;
    start_all(f);
    ck_assert(dma_write(f->memory, BUFFER, &mask, sizeof mask));
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){BUFFER}).error, 0);
    ck_assert(!ssip(f, 0) && ssip(f, 1) && ssip(f, 2));
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert(ssip(f, 0));
    ck_assert_int_eq(call(f, 3, 0, (uint64_t[ARGS]){0}).error, 1); /* one was pending */
    ck_assert(!ssip(f, 0) && ssip(f, 1));
    ck_assert_int_eq(call(f, 3, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){0x10}).error, INVALID_ADDRESS);
    ck_assert(!ssip(f, 0));
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_fences_flush_their_range)
{
    struct fixture *f = fixture_create();
    remember(f->harts[2], 0x10000, 1);
    remember(f->harts[2], 0x20000, 2);
    ck_assert_int_eq(call(f, 5, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert_int_eq(call(f, 6, 0, (uint64_t[ARGS]){0, 0x10000, 0x1000}).error, 0);
    ck_assert_ptr_null(tlb_find(f->harts[2]->tlb, 0x10000, 1));
    ck_assert_int_eq(call(f, 7, 0, (uint64_t[ARGS]){0, 0x20000, 0x1000, 1}).error, 0);
    ck_assert_ptr_nonnull(tlb_find(f->harts[2]->tlb, 0x20000, 2));
    ck_assert_int_eq(call(f, 7, 0, (uint64_t[ARGS]){0, 0x20000, 0x1000, 2}).error, 0);
    ck_assert_ptr_null(tlb_find(f->harts[2]->tlb, 0x20000, 2));
    for (unsigned extension = 5; extension <= 7; extension++)
        ck_assert_int_eq(call(f, extension, 0, (uint64_t[ARGS]){0x10}).error, INVALID_ADDRESS);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, console_write_sends_guest_memory);
    tcase_add_test(c, console_write_of_much_is_partial);
    tcase_add_test(c, console_buffers_outside_ram_are_invalid);
    tcase_add_test(c, console_read_gives_what_is_there);
    tcase_add_test(c, console_write_byte_sends_the_low_byte);
    tcase_add_test(c, legacy_calls_return_in_a0_alone);
    tcase_add_test(c, legacy_timer_and_shutdown_work);
    tcase_add_test(c, legacy_ipis_take_their_mask_from_memory);
    tcase_add_test(c, legacy_fences_flush_their_range);
}

int main(void)
{
    return sbi_suite("sbi_console", add_tests);
}

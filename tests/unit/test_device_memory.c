/* RAM of a device's own, as the hart reaches it: by the fast path, and no more where it was when it
 * has moved. */
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define CARD       0x40000000ull
#define CARD_BYTES (4ull * PAGE_BYTES)

/* A card with one page of memory somewhere in its addresses; the rest are registers. */
struct card {
    struct bench b;
    struct region region;
    _Alignas(16) uint8_t bytes[PAGE_BYTES];
    uint8_t mark;
    bool is_on;
    uint64_t at; /* offset of the memory */
    unsigned accesses;
};

static uint64_t card_read(void *device, uint64_t offset, unsigned size)
{
    struct card *c = device;
    (void)offset, (void)size;
    c->accesses++;
    return 0x77;
}

static void card_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct card *c = device;
    (void)offset, (void)size, (void)value;
    c->accesses++;
}

static struct region *card_memory(void *device, uint64_t offset)
{
    struct card *c = device;
    if (!c->is_on || offset - c->at >= PAGE_BYTES)
        return NULL;
    c->region.base = CARD + c->at;
    return &c->region;
}

static const struct mmio_ops card_ops = {.name = "card",
                                         .read = card_read,
                                         .write = card_write,
                                         .sizes = 1 | 2 | 4 | 8,
                                         .memory = card_memory};

static void init(struct card *c)
{
    struct error err;
    *c = (struct card){.is_on = true};
    c->region = (struct region){
        .kind = REGION_RAM, .name = "card", .size = PAGE_BYTES, .hva = c->bytes, .marks = &c->mark};
    bench_init(&c->b);
    ck_assert(memory_add_device(c->b.memory, CARD, CARD_BYTES, &card_ops, c, &err));
}

static uint64_t load(struct card *c, uint64_t va, unsigned size)
{
    uint64_t value = ~0ull;
    ck_assert_msg(hart_load(c->b.h, va, size, &value), "trap %u", (unsigned)c->b.h->trap.cause);
    return value;
}

static bool is_fast(const struct tlb_fast *table, uint64_t va)
{
    return table[tlb_index(va)].tag == (va & PAGE_MASK);
}

START_TEST(loads_and_stores_reach_it_without_the_device)
{
    struct card c;
    init(&c);
    ck_assert(hart_store(c.b.h, CARD + 8, 8, 0x1122334455667788));
    ck_assert_uint_eq(c.bytes[8], 0x88);
    ck_assert_uint_eq(load(&c, CARD + 9, 4), 0x44556677); /* as in RAM, at any address */
    ck_assert(is_fast(c.b.h->load_tlb, CARD) && is_fast(c.b.h->store_tlb, CARD));
    ck_assert_uint_eq(c.accesses, 0);
    ck_assert_uint_eq(load(&c, CARD + PAGE_BYTES, 4), 0x77); /* a register */
    ck_assert_uint_eq(c.accesses, 1);
    bench_free(&c.b);
}
END_TEST

START_TEST(atomics_work_whether_or_not_a_fast_tag_is_there)
{
    struct card c;
    bool stored;
    uint64_t value;
    init(&c);
    for (unsigned i = 0; i < 2; i++) {
        tlb_poison_all(c.b.h->tlb);
        ck_assert_ptr_eq(hart_amo_address(c.b.h, CARD + 16, 8), c.bytes + 16);
        ck_assert_ptr_eq(hart_amo_address(c.b.h, CARD + 16, 8), c.bytes + 16);
        ck_assert(hart_load_reserved(c.b.h, CARD, 8, &value));
        ck_assert(hart_store_conditional(c.b.h, CARD, 8, 5 + i, &stored) && stored);
        ck_assert_uint_eq(c.bytes[0], 5 + i);
    }
    ck_assert_ptr_null(hart_amo_address(c.b.h, CARD + PAGE_BYTES, 8));
    ck_assert_uint_eq(c.b.h->trap.cause, CAUSE_STORE_ACCESS);
    bench_free(&c.b);
}
END_TEST

START_TEST(code_is_not_fetched_from_it)
{
    struct card c;
    init(&c);
    ck_assert(!hart_enter_page(c.b.h, CARD));
    ck_assert_uint_eq(c.b.h->trap.cause, CAUSE_FETCH_ACCESS);
    bench_free(&c.b);
}
END_TEST

START_TEST(when_it_has_moved_no_access_reaches_where_it_was)
{
    struct card c;
    init(&c);
    ck_assert(hart_store(c.b.h, CARD, 8, 1));
    load(&c, CARD, 8);
    c.at = 2 * PAGE_BYTES;
    memory_moved(c.b.memory);
    ck_assert(!is_fast(c.b.h->load_tlb, CARD) && !is_fast(c.b.h->store_tlb, CARD));
    ck_assert(hart_store(c.b.h, CARD, 8, 2)); /* a register now */
    ck_assert_uint_eq(c.accesses, 1);
    ck_assert_uint_eq(load(&c, CARD + c.at, 8), 1);
    c.is_on = false;
    memory_moved(c.b.memory);
    ck_assert_uint_eq(load(&c, CARD + c.at, 8), 0x77);
    bench_free(&c.b);
}
END_TEST

static void count_bytes(void *owner, uint64_t gpa, uint64_t bytes)
{
    ck_assert_uint_eq(gpa, CARD + PAGE_BYTES);
    *(uint64_t *)owner += bytes;
}

START_TEST(each_store_after_its_page_was_taken_is_seen)
{
    struct card c;
    init(&c);
    c.at = PAGE_BYTES;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t bytes = 0;
        ck_assert(hart_store(c.b.h, CARD + c.at + 8, 8, i));
        ck_assert(is_fast(c.b.h->store_tlb, CARD + c.at));
        memory_take_written_of(c.b.memory, &c.region, 100, 200, count_bytes, &bytes);
        ck_assert_uint_eq(bytes, PAGE_BYTES);
        ck_assert(!is_fast(c.b.h->store_tlb, CARD + c.at));
        memory_take_written_of(c.b.memory, &c.region, 100, 200, count_bytes, &bytes);
        ck_assert_uint_eq(bytes, PAGE_BYTES);
    }
    bench_free(&c.b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device_memory");
    TCase *tc = tcase_create("device_memory");
    tcase_add_test(tc, loads_and_stores_reach_it_without_the_device);
    tcase_add_test(tc, atomics_work_whether_or_not_a_fast_tag_is_there);
    tcase_add_test(tc, code_is_not_fetched_from_it);
    tcase_add_test(tc, when_it_has_moved_no_access_reaches_where_it_was);
    tcase_add_test(tc, each_store_after_its_page_was_taken_is_seen);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

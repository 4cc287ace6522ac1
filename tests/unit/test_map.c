/* memory/map.c: the guest-physical map, the bus, DMA, and the state of RAM and ROM. */
#include "memory/map.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROM  0x1000u
#define DEV  0x10000u
#define RAM  0x80000000u
#define RAM2 (RAM + 2 * PAGE_BYTES) /* adjoins RAM */

/* A device that keeps what was asked of it. */
struct probe {
    uint64_t offset, value;
    unsigned size, reads, writes;
};

static uint64_t probe_read(void *device, uint64_t offset, unsigned size)
{
    struct probe *p = device;
    p->offset = offset;
    p->size = size;
    p->reads++;
    return p->value;
}

static void probe_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct probe *p = device;
    p->offset = offset;
    p->value = value;
    p->size = size;
    p->writes++;
}

static const struct mmio_ops probe_ops = {
    .name = "probe", .read = probe_read, .write = probe_write, .sizes = 1 | 4};

/* What the code hook was told. */
struct told {
    unsigned calls;
    uint64_t gpa, bytes;
};

static void on_code_write(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct told *t = owner;
    t->calls++;
    t->gpa = gpa;
    t->bytes = bytes;
}

struct board {
    struct memory_map *map;
    struct probe probe;
    struct told told;
};

/* ROM of a page, a device of 0x102 bytes, two pages of RAM and two more right behind them. Added
 * out of order. */
static void set_up(struct board *b, struct log *log)
{
    struct error err;
    memset(b, 0, sizeof *b);
    b->map = memory_create(log);
    ck_assert_ptr_nonnull(b->map);
    ck_assert(memory_add_ram(b->map, "ram2", RAM2, 2 * PAGE_BYTES, &err));
    ck_assert(memory_add_rom(b->map, "rom", ROM, PAGE_BYTES, &err));
    ck_assert(memory_add_ram(b->map, "ram", RAM, 2 * PAGE_BYTES, &err));
    ck_assert(memory_add_device(b->map, DEV, 0x102, &probe_ops, &b->probe, &err));
    memory_on_code_write(b->map, on_code_write, &b->told);
}

static uint8_t *ram_page(struct board *b, uint64_t gpa)
{
    struct region *r = memory_find(b->map, gpa);
    return r->hva + (gpa - r->base);
}

static uint8_t *mark(struct board *b, uint64_t gpa)
{
    struct region *r = memory_find(b->map, gpa);
    return &r->marks[(gpa - r->base) / PAGE_BYTES];
}

START_TEST(each_address_finds_its_region_or_none)
{
    struct board b;
    set_up(&b, NULL);
    ck_assert_ptr_null(memory_find(b.map, 0));
    ck_assert_ptr_null(memory_find(b.map, ROM - 1));
    ck_assert_str_eq(memory_find(b.map, ROM)->name, "rom");
    ck_assert_str_eq(memory_find(b.map, ROM + PAGE_BYTES - 1)->name, "rom");
    ck_assert_ptr_null(memory_find(b.map, ROM + PAGE_BYTES));
    ck_assert_str_eq(memory_find(b.map, DEV + 0x101)->name, "probe");
    ck_assert_ptr_null(memory_find(b.map, DEV + 0x102));
    ck_assert_str_eq(memory_find(b.map, RAM2 - 1)->name, "ram");
    ck_assert_str_eq(memory_find(b.map, RAM2)->name, "ram2");
    ck_assert_ptr_null(memory_find(b.map, RAM2 + 2 * PAGE_BYTES));
    ck_assert_ptr_null(memory_find(b.map, UINT64_MAX));
    memory_destroy(b.map);
}
END_TEST

START_TEST(regions_that_overlap_are_refused_and_both_are_named)
{
    struct board b;
    struct error err;
    set_up(&b, NULL);
    ck_assert(!memory_add_ram(b.map, "late", RAM - PAGE_BYTES, 2 * PAGE_BYTES, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "late"));
    ck_assert_ptr_nonnull(strstr(err.text, "overlaps ram at 0x80000000"));
    ck_assert(!memory_add_device(b.map, DEV + 0x101, 1, &probe_ops, NULL, &err));
    ck_assert(!memory_add_ram(b.map, "around", 0, 1ull << 40, &err));
    ck_assert(memory_add_ram(b.map, "before", RAM - PAGE_BYTES, PAGE_BYTES, &err));
    ck_assert(memory_add_device(b.map, DEV + 0x102, 1, &probe_ops, NULL, &err));
    memory_destroy(b.map);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    struct board b;
    struct error err;
    set_up(&b, NULL);
    ck_assert(!memory_add_ram(b.map, "none", 0x1000000, 0, &err));
    ck_assert(!memory_add_device(b.map, 0x1000000, 0, &probe_ops, NULL, &err));
    ck_assert(!memory_add_ram(b.map, "half", 0x1000000, PAGE_BYTES / 2, &err));
    ck_assert(!memory_add_rom(b.map, "odd", 0x1000800, PAGE_BYTES, &err));
    ck_assert(!memory_add_device(b.map, UINT64_MAX - 3, 8, &probe_ops, NULL, &err));
    ck_assert(memory_add_device(b.map, UINT64_MAX - 3, 4, &probe_ops, NULL, &err));
    ck_assert_str_eq(memory_find(b.map, UINT64_MAX)->name, "probe");
    memory_destroy(b.map);
}
END_TEST

START_TEST(ram_that_the_host_cannot_give_is_an_error_that_names_it)
{
    struct error err;
    struct memory_map *map = memory_create(NULL);
    ck_assert(!memory_add_ram(map, "huge", 0, 1ull << 62, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "huge"));
    ck_assert_ptr_null(memory_find(map, 0));
    memory_destroy(map);
}
END_TEST

START_TEST(a_device_gets_offset_width_and_no_more_bits_than_that)
{
    struct board b;
    set_up(&b, NULL);
    ck_assert(memory_mmio_write(b.map, DEV + 0x10, 4, 0x1122334455667788));
    ck_assert_uint_eq(b.probe.offset, 0x10);
    ck_assert_uint_eq(b.probe.size, 4);
    ck_assert_uint_eq(b.probe.value, 0x55667788);
    uint64_t value = 0;
    b.probe.value = 0xabcd;
    ck_assert(memory_mmio_read(b.map, DEV + 0x101, 1, &value));
    ck_assert_uint_eq(value, 0xcd);
    ck_assert_uint_eq(b.probe.offset, 0x101);
    memory_destroy(b.map);
}
END_TEST

START_TEST(the_bus_refuses_what_a_device_cannot_answer)
{
    static const struct {
        uint64_t gpa;
        unsigned size;
    } bad[] = {
        {DEV, 2},         /* no such width */
        {DEV, 8},         /* no such width */
        {DEV, 3},         /* no width at all */
        {DEV, 5},         /* no width at all, though its bits are in sizes */
        {DEV, 0},         /* no width at all */
        {DEV + 2, 4},     /* not aligned */
        {DEV + 0x100, 4}, /* over the end */
        {DEV + 0x102, 1}, /* behind the end */
        {ROM, 4},         /* not a device */
        {RAM, 4},         /* not a device */
        {0, 4},           /* nothing */
    };
    struct board b;
    set_up(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t value = 77;
        ck_assert_msg(!memory_mmio_read(b.map, bad[i].gpa, bad[i].size, &value), "row %zu", i);
        ck_assert_msg(!memory_mmio_write(b.map, bad[i].gpa, bad[i].size, 1), "row %zu", i);
        ck_assert_uint_eq(value, 77);
    }
    ck_assert_uint_eq(b.probe.reads + b.probe.writes, 0);
    memory_destroy(b.map);
}
END_TEST

START_TEST(a_refused_access_is_in_the_guest_log_with_device_offset_and_size)
{
    char path[] = "/tmp/test_map.XXXXXX", text[512] = "";
    struct error err;
    FILE *file = fdopen(mkstemp(path), "r");
    ck_assert_ptr_nonnull(file);
    struct log *log = log_open(path, LOG_GUEST_ERRORS, &err);
    struct board b;
    set_up(&b, log);
    memory_mmio_write(b.map, DEV + 0x20, 2, 0);
    log_close(log);
    memory_destroy(b.map);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    remove(path);
    ck_assert_str_eq(text, "guest: probe: write of 2 bytes at offset 0x20 is refused: "
                           "it has no such width\n");
}
END_TEST

START_TEST(dma_spans_regions_that_adjoin)
{
    struct board b;
    uint8_t out[] = "across the border", in[sizeof out];
    set_up(&b, NULL);
    ck_assert(dma_write(b.map, RAM2 - 6, out, sizeof out));
    ck_assert_mem_eq(ram_page(&b, RAM2 - 6), "across", 6);
    ck_assert_mem_eq(ram_page(&b, RAM2), " the border", 11);
    ck_assert(dma_read(b.map, RAM2 - 6, in, sizeof in));
    ck_assert_mem_eq(in, out, sizeof out);
    memory_destroy(b.map);
}
END_TEST

START_TEST(dma_of_no_bytes_is_done_anywhere)
{
    struct board b;
    set_up(&b, NULL);
    ck_assert(dma_read(b.map, 0, NULL, 0));
    ck_assert(dma_write(b.map, UINT64_MAX, NULL, 0));
    memory_destroy(b.map);
}
END_TEST

START_TEST(dma_that_leaves_ram_copies_nothing)
{
    static const struct {
        uint64_t gpa;
        size_t n;
    } bad[] = {
        {RAM2 + 2 * PAGE_BYTES - 4, 8}, /* over the end */
        {RAM - 4, 8},                   /* before the begin */
        {ROM, 8},                       /* ROM */
        {DEV, 8},                       /* a device */
        {UINT64_MAX - 3, 8},            /* wraps */
        {RAM, SIZE_MAX},                /* wraps from inside RAM */
    };
    struct board b;
    set_up(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t to[8] = "unread", from[8] = "written";
        ck_assert_msg(!dma_read(b.map, bad[i].gpa, to, bad[i].n), "row %zu", i);
        ck_assert_str_eq((char *)to, "unread");
        ck_assert_msg(!dma_write(b.map, bad[i].gpa, from, bad[i].n), "row %zu", i);
    }
    ck_assert_uint_eq(*ram_page(&b, RAM2 + 2 * PAGE_BYTES - 4), 0);
    ck_assert_uint_eq(*ram_page(&b, RAM), 0);
    ck_assert_uint_eq(*mark(&b, RAM), 0);
    ck_assert_uint_eq(b.probe.reads + b.probe.writes, 0);
    memory_destroy(b.map);
}
END_TEST

START_TEST(ram_at_the_top_of_the_address_space_is_reached_to_its_last_byte)
{
    struct error err;
    uint64_t base = 0 - (uint64_t)PAGE_BYTES;
    struct memory_map *map = memory_create(NULL);
    ck_assert(memory_add_ram(map, "top", base, PAGE_BYTES, &err));
    ck_assert(dma_write(map, UINT64_MAX - 3, "last", 4));
    ck_assert(!dma_write(map, UINT64_MAX - 2, "last", 4));
    ck_assert_mem_eq(memory_find(map, base)->hva + PAGE_BYTES - 4, "last", 4);
    memory_destroy(map);
}
END_TEST

START_TEST(loaders_write_rom_and_dma_does_not)
{
    struct board b;
    set_up(&b, NULL);
    ck_assert(memory_load(b.map, ROM, "reset", 5));
    ck_assert_mem_eq(ram_page(&b, ROM), "reset", 5);
    ck_assert(!dma_write(b.map, ROM, "virus", 5));
    ck_assert_mem_eq(ram_page(&b, ROM), "reset", 5);
    ck_assert(!memory_load(b.map, ROM + PAGE_BYTES - 4, "reset", 5));
    ck_assert(!memory_load(b.map, DEV, "reset", 5));
    memory_destroy(b.map);
}
END_TEST

struct taken {
    char text[256];
};

static void note_taken(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct taken *t = owner;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "%llx+%llx ", (unsigned long long)(gpa - RAM),
             (unsigned long long)bytes);
}

START_TEST(written_pages_are_taken_once_in_runs_and_the_harts_are_told)
{
    struct board b;
    struct taken taken = {""}, told = {""};
    set_up(&b, NULL);
    memory_on_watch_stores(b.map, note_taken, &told);
    ck_assert(dma_write(b.map, RAM + PAGE_BYTES - 1, "ab", 2));
    ck_assert(dma_write(b.map, RAM2 + PAGE_BYTES, "c", 1));
    memory_take_written(b.map, RAM + 5, 4 * PAGE_BYTES - 10, note_taken, &taken);
    ck_assert_str_eq(taken.text, "0+2000 3000+1000 ");
    ck_assert_str_eq(told.text, "0+2000 3000+1000 ");
    memory_take_written(b.map, RAM, 4 * PAGE_BYTES, note_taken, &taken);
    ck_assert_str_eq(taken.text, "0+2000 3000+1000 ");
    ck_assert_str_eq(told.text, "0+2000 3000+1000 ");
    memory_take_written(b.map, DEV, 16, note_taken, &taken); /* no RAM */
    memory_destroy(b.map);
}
END_TEST

START_TEST(a_dma_write_marks_its_pages_touched_and_a_read_does_not)
{
    struct board b;
    uint8_t bytes[PAGE_BYTES + 2] = {0};
    set_up(&b, NULL);
    ck_assert(dma_read(b.map, RAM, bytes, sizeof bytes));
    ck_assert_uint_eq(*mark(&b, RAM), 0);
    ck_assert(dma_write(b.map, RAM + PAGE_BYTES - 1, bytes, sizeof bytes));
    ck_assert_uint_eq(*mark(&b, RAM), PAGE_STORED);
    ck_assert_uint_eq(*mark(&b, RAM + PAGE_BYTES), PAGE_STORED);
    ck_assert_uint_eq(*mark(&b, RAM2), PAGE_STORED);
    ck_assert_uint_eq(*mark(&b, RAM2 + PAGE_BYTES), 0);
    memory_destroy(b.map);
}
END_TEST

START_TEST(the_code_hook_is_told_of_the_bytes_in_code_pages_alone)
{
    struct board b;
    uint8_t bytes[PAGE_BYTES] = {0};
    set_up(&b, NULL);
    *mark(&b, RAM + PAGE_BYTES) |= PAGE_HAS_CODE;
    ck_assert(dma_write(b.map, RAM, bytes, PAGE_BYTES));
    ck_assert_uint_eq(b.told.calls, 0);
    ck_assert(dma_write(b.map, RAM + PAGE_BYTES - 8, bytes, 24));
    ck_assert_uint_eq(b.told.calls, 1);
    ck_assert_uint_eq(b.told.gpa, RAM + PAGE_BYTES);
    ck_assert_uint_eq(b.told.bytes, 16);
    ck_assert(memory_load(b.map, RAM + PAGE_BYTES + 4, bytes, 2));
    ck_assert_uint_eq(b.told.calls, 2);
    ck_assert_uint_eq(b.told.gpa, RAM + PAGE_BYTES + 4);
    ck_assert_uint_eq(b.told.bytes, 2);
    memory_destroy(b.map);
}
END_TEST

/* ---- state ---- */

static uint64_t hash_of(struct board *b)
{
    struct state *s = state_new_hash();
    memory_state(b->map, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

START_TEST(the_hash_sees_every_byte_of_ram_and_rom)
{
    struct board b;
    set_up(&b, NULL);
    uint64_t before = hash_of(&b);
    static const uint64_t places[] = {ROM + 5, RAM, RAM2 - 1, RAM2 + 2 * PAGE_BYTES - 1};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        ck_assert(memory_load(b.map, places[i], "x", 1));
        uint64_t after = hash_of(&b);
        ck_assert_msg(after != before, "place %zu", i);
        before = after;
    }
    memory_destroy(b.map);
}
END_TEST

START_TEST(the_hash_depends_on_contents_and_not_on_what_was_touched)
{
    struct board a, b;
    set_up(&a, NULL);
    set_up(&b, NULL);
    ck_assert(dma_write(a.map, RAM + PAGE_BYTES, "\0\0", 2));
    ck_assert_uint_eq(hash_of(&a), hash_of(&b));
    ck_assert(dma_write(a.map, RAM, "x", 1));
    ck_assert(dma_write(b.map, RAM + PAGE_BYTES, "x", 1));
    ck_assert_msg(hash_of(&a) != hash_of(&b), "the page number is hashed");
    memory_destroy(a.map);
    memory_destroy(b.map);
}
END_TEST

START_TEST(a_load_gives_the_saved_contents_and_zeroes_the_rest)
{
    struct board a, b;
    set_up(&a, NULL);
    set_up(&b, NULL);
    ck_assert(memory_load(a.map, ROM, "reset", 5));
    ck_assert(dma_write(a.map, RAM2, "saved", 5));
    ck_assert(dma_write(b.map, RAM, "stale", 5));
    struct state *save = state_new_save();
    memory_state(a.map, save);
    size_t size;
    const void *data = state_data(save, &size);
    ck_assert_uint_lt(size, 2 * PAGE_BYTES + 256);
    struct state *load = state_new_load(data, size);
    memory_state(b.map, load);
    ck_assert_msg(state_ok(load), "%s", state_error(load));
    ck_assert_mem_eq(ram_page(&b, RAM2), "saved", 5);
    ck_assert_mem_eq(ram_page(&b, RAM), "\0\0\0\0\0", 5);
    ck_assert_mem_eq(ram_page(&b, ROM), "reset", 5);
    ck_assert_uint_eq(hash_of(&a), hash_of(&b));
    state_free(load);
    state_free(save);
    memory_destroy(a.map);
    memory_destroy(b.map);
}
END_TEST

START_TEST(a_load_tells_of_the_code_it_replaced_and_of_rom)
{
    struct board b;
    set_up(&b, NULL);
    struct state *save = state_new_save();
    memory_state(b.map, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    memory_state(b.map, load);
    ck_assert_uint_eq(b.told.calls, 1);
    ck_assert_uint_eq(b.told.gpa, ROM);
    ck_assert_uint_eq(b.told.bytes, PAGE_BYTES);
    state_free(load);
    *mark(&b, RAM + PAGE_BYTES) |= PAGE_HAS_CODE;
    load = state_new_load(data, size);
    memory_state(b.map, load);
    ck_assert_uint_eq(b.told.calls, 3);
    ck_assert_uint_eq(b.told.gpa, RAM + PAGE_BYTES);
    ck_assert_uint_eq(b.told.bytes, PAGE_BYTES);
    state_free(load);
    state_free(save);
    memory_destroy(b.map);
}
END_TEST

START_TEST(clearing_zeroes_ram_tells_of_its_code_and_keeps_rom)
{
    struct board b;
    set_up(&b, NULL);
    ck_assert(memory_load(b.map, ROM, "reset", 5));
    ck_assert(dma_write(b.map, RAM2, "old", 3));
    *mark(&b, RAM2) |= PAGE_HAS_CODE;
    memory_clear(b.map);
    ck_assert_mem_eq(ram_page(&b, RAM2), "\0\0\0", 3);
    ck_assert_mem_eq(ram_page(&b, ROM), "reset", 5);
    ck_assert_uint_eq(b.told.calls, 1);
    ck_assert_uint_eq(b.told.gpa, RAM2);
    memory_destroy(b.map);
}
END_TEST

static void count_write(void *owner, uint64_t gpa, uint64_t n)
{
    (void)gpa, (void)n;
    ++*(unsigned *)owner;
}

static void write_byte(struct memory_map *map, uint64_t gpa)
{
    ck_assert(dma_write(map, gpa, "", 1));
}

START_TEST(a_device_and_a_search_watch_ranges_of_one_page)
{
    struct error err;
    struct memory_map *map = memory_create(NULL);
    unsigned searched = 0, seen = 0;
    ck_assert(memory_add_ram(map, "RAM", RAM, 2 * PAGE_BYTES, &err));
    memory_watch_for_device(map, RAM + 8, 8, count_write, &seen);
    memory_watch(map, RAM + 64, 8, count_write, &searched);
    for (unsigned i = 0; i < 128; i++)
        write_byte(map, RAM + i);
    ck_assert_uint_eq(seen, 8);
    ck_assert_uint_eq(searched, 8);
    memory_watch(map, 0, 0, NULL, NULL); /* the page is still watched */
    write_byte(map, RAM + 64);
    write_byte(map, RAM + 8);
    ck_assert_uint_eq(seen, 9);
    ck_assert_uint_eq(searched, 8);
    memory_watch_for_device(map, RAM + PAGE_BYTES, 8, count_write, &seen);
    write_byte(map, RAM + 8);
    write_byte(map, RAM + PAGE_BYTES);
    ck_assert_uint_eq(seen, 10);
    ck_assert(!(memory_find(map, RAM)->marks[0] & PAGE_WATCHED));
    memory_destroy(map);
}
END_TEST

START_TEST(a_file_of_another_memory_size_fails)
{
    struct error err;
    struct memory_map *a = memory_create(NULL), *b = memory_create(NULL);
    ck_assert(memory_add_ram(a, "ram", RAM, 2 * PAGE_BYTES, &err));
    ck_assert(memory_add_ram(b, "ram", RAM, 4 * PAGE_BYTES, &err));
    struct state *save = state_new_save();
    memory_state(a, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    memory_state(b, load);
    ck_assert(!state_ok(load));
    ck_assert_ptr_nonnull(strstr(state_error(load), "0x2000 bytes"));
    state_free(load);
    state_free(save);
    memory_destroy(a);
    memory_destroy(b);
}
END_TEST

/* Loads one RAM of two pages from a file that lists the given page numbers. */
static bool loads_pages(const uint64_t *numbers, size_t n)
{
    struct error err;
    uint8_t contents[PAGE_BYTES] = {1};
    uint64_t base = RAM, size = 2 * PAGE_BYTES, end = UINT64_MAX;
    struct memory_map *map = memory_create(NULL);
    ck_assert(memory_add_ram(map, "ram", base, size, &err));
    struct state *save = state_new_save();
    state_section(save, "ram", 1);
    state_u64(save, &base);
    state_u64(save, &size);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = numbers[i];
        state_u64(save, &number);
        state_bytes(save, contents, sizeof contents);
    }
    state_u64(save, &end);
    size_t bytes;
    const void *data = state_data(save, &bytes);
    struct state *load = state_new_load(data, bytes);
    memory_state(map, load);
    bool ok = state_ok(load);
    state_free(load);
    state_free(save);
    memory_destroy(map);
    return ok;
}

START_TEST(pages_in_a_file_are_in_range_and_ascend)
{
    ck_assert(loads_pages((uint64_t[]){0, 1}, 2));
    ck_assert(loads_pages((uint64_t[]){1}, 1));
    ck_assert(!loads_pages((uint64_t[]){2}, 1));
    ck_assert(!loads_pages((uint64_t[]){1ull << 52}, 1));
    ck_assert(!loads_pages((uint64_t[]){1, 0}, 2));
    ck_assert(!loads_pages((uint64_t[]){1, 1}, 2));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("map");
    tcase_add_test(cases, each_address_finds_its_region_or_none);
    tcase_add_test(cases, regions_that_overlap_are_refused_and_both_are_named);
    tcase_add_test(cases, impossible_sizes_are_refused);
    tcase_add_test(cases, ram_that_the_host_cannot_give_is_an_error_that_names_it);
    tcase_add_test(cases, a_device_gets_offset_width_and_no_more_bits_than_that);
    tcase_add_test(cases, the_bus_refuses_what_a_device_cannot_answer);
    tcase_add_test(cases, a_refused_access_is_in_the_guest_log_with_device_offset_and_size);
    tcase_add_test(cases, dma_spans_regions_that_adjoin);
    tcase_add_test(cases, dma_of_no_bytes_is_done_anywhere);
    tcase_add_test(cases, dma_that_leaves_ram_copies_nothing);
    tcase_add_test(cases, ram_at_the_top_of_the_address_space_is_reached_to_its_last_byte);
    tcase_add_test(cases, loaders_write_rom_and_dma_does_not);
    tcase_add_test(cases, written_pages_are_taken_once_in_runs_and_the_harts_are_told);
    tcase_add_test(cases, a_dma_write_marks_its_pages_touched_and_a_read_does_not);
    tcase_add_test(cases, the_code_hook_is_told_of_the_bytes_in_code_pages_alone);
    tcase_add_test(cases, the_hash_sees_every_byte_of_ram_and_rom);
    tcase_add_test(cases, the_hash_depends_on_contents_and_not_on_what_was_touched);
    tcase_add_test(cases, a_load_gives_the_saved_contents_and_zeroes_the_rest);
    tcase_add_test(cases, a_load_tells_of_the_code_it_replaced_and_of_rom);
    tcase_add_test(cases, clearing_zeroes_ram_tells_of_its_code_and_keeps_rom);
    tcase_add_test(cases, a_device_and_a_search_watch_ranges_of_one_page);
    tcase_add_test(cases, a_file_of_another_memory_size_fails);
    tcase_add_test(cases, pages_in_a_file_are_in_range_and_ascend);
    Suite *suite = suite_create("map");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}

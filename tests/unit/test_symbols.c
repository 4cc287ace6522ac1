#include "debug/symbols.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <elf.h>

static struct symbols *s;
static struct error err;

static void setup(void)
{
    enter_temp_folder();
    s = symbols_create();
}

static void teardown(void)
{
    symbols_destroy(s);
    leave_temp_folder();
}

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "w");
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static const char *name_at(uint64_t address)
{
    const struct symbol *symbol = symbols_at(s, address);
    return symbol ? symbol->name : "";
}

START_TEST(a_symbol_of_a_map_reaches_to_the_next_one)
{
    put_text("map", "0000000000002000 t second\n0000000000001000 T first\n"
                    "0000000000003000 d third\t[module]\n0000000000002000 T alias\n");
    ck_assert_msg(symbols_load(s, "map", 0x10000, &err), "%s", err.text);
    ck_assert_uint_eq(symbols_count(s), 4);
    ck_assert_str_eq(name_at(0x10fff), "");
    ck_assert_str_eq(name_at(0x11000), "first");
    ck_assert_str_eq(name_at(0x11fff), "first");
    ck_assert_str_eq(name_at(0x12001), "alias");
    ck_assert_str_eq(name_at(0x13800), "third");
    ck_assert(!symbols_at(s, 0x13000)->code);
    ck_assert_uint_eq(symbols_named(s, "first")->end, 0x12000);
    ck_assert_ptr_null(symbols_named(s, "fourth"));
}
END_TEST

/* A file with two symbols: f at 0x1000 with 16 bytes, g at 0x2000 with none. */
struct elf {
    Elf64_Ehdr header;
    Elf64_Shdr sections[2];
    Elf64_Sym symbols[3];
    char names[8];
};

static struct elf make_elf(void)
{
    struct elf e = {.header = {.e_machine = EM_RISCV,
                               .e_shoff = offsetof(struct elf, sections),
                               .e_shentsize = sizeof(Elf64_Shdr),
                               .e_shnum = 2},
                    .sections = {{.sh_type = SHT_SYMTAB,
                                  .sh_offset = offsetof(struct elf, symbols),
                                  .sh_size = sizeof e.symbols,
                                  .sh_link = 1},
                                 {.sh_type = SHT_STRTAB,
                                  .sh_offset = offsetof(struct elf, names),
                                  .sh_size = sizeof e.names}},
                    .symbols = {[1] = {.st_name = 1,
                                       .st_info = STT_FUNC,
                                       .st_shndx = 1,
                                       .st_value = 0x1000,
                                       .st_size = 16},
                                [2] = {.st_name = 3, .st_shndx = 1, .st_value = 0x2000}},
                    .names = "\0f\0g"};
    memcpy(e.header.e_ident, ELFMAG, SELFMAG);
    e.header.e_ident[EI_CLASS] = ELFCLASS64;
    e.header.e_ident[EI_DATA] = ELFDATA2LSB;
    return e;
}

START_TEST(a_symbol_of_an_elf_file_reaches_as_far_as_its_size)
{
    struct elf e = make_elf();
    put("elf", &e, sizeof e);
    ck_assert_msg(symbols_load(s, "elf", 0, &err), "%s", err.text);
    ck_assert_str_eq(name_at(0x100f), "f");
    ck_assert_str_eq(name_at(0x1010), "");
    ck_assert_str_eq(name_at(0x9999), "g");
    ck_assert_str_eq(symbols_file(s, 0), "elf");
    ck_assert_ptr_null(symbols_file(s, 1));
}
END_TEST

static void must_refuse(const char *path, const char *why)
{
    ck_assert(!symbols_load(s, path, 0, &err));
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
    ck_assert_uint_eq(symbols_count(s), 0);
}

START_TEST(a_symbol_of_a_mapped_file_ends_where_its_code_ends)
{
    put_text("map", "0000000000001000 T first\n0000000000001800 T last\n"
                    "0000000000003000 B data\n");
    put_text("other", "0000000000009000 T other\n");
    ck_assert(symbols_load_mapped(s, "map", 0, 0x2000, &err));
    ck_assert(symbols_load(s, "other", 0, &err));
    ck_assert_str_eq(name_at(0x17ff), "first");
    ck_assert_str_eq(name_at(0x1fff), "last");
    ck_assert_str_eq(name_at(0x2000), "");
    ck_assert_str_eq(name_at(0x3000), "data");
    ck_assert_str_eq(name_at(0x3001), "");
    ck_assert_str_eq(name_at(0xf000), "other");
}
END_TEST

START_TEST(names_outlive_that_their_symbols_are_forgotten)
{
    put_text("map", "0000000000001000 T first\n");
    ck_assert(symbols_load(s, "map", 0, &err));
    const char *name = symbols_at(s, 0x1000)->name;
    symbols_forget(s);
    ck_assert_uint_eq(symbols_count(s), 0);
    ck_assert_ptr_null(symbols_at(s, 0x1000));
    ck_assert_ptr_null(symbols_file(s, 0));
    ck_assert(symbols_load(s, "map", 0x1000, &err));
    ck_assert_str_eq(name_at(0x2000), "first");
    ck_assert_str_eq(name, "first");
}
END_TEST

START_TEST(a_file_without_symbols_is_refused_with_the_reason)
{
    struct elf e = make_elf();
    must_refuse("missing", "missing");
    put_text("text", "main 1000\n");
    must_refuse("text", "line 1 is no");
    e.sections[0].sh_type = SHT_PROGBITS;
    put("stripped", &e, sizeof e);
    must_refuse("stripped", "stripped");
    e.header.e_machine = EM_X86_64;
    put("foreign", &e, sizeof e);
    must_refuse("foreign", "RISC-V");
}
END_TEST

/* Every field of the file may hold anything: what is read lies in it (asan sees the rest). */
START_TEST(a_damaged_elf_file_is_read_within_its_bounds)
{
    struct elf e = make_elf();
    size_t from = offsetof(struct elf, header.e_machine);
    for (size_t at = from; at < sizeof e; at++) {
        struct elf bad = e;
        ((uint8_t *)&bad)[at] ^= 0xff;
        put("bad", &bad, sizeof bad);
        struct symbols *fresh = symbols_create();
        bool ok = symbols_load(fresh, "bad", 0, &err);
        ck_assert(ok == (symbols_count(fresh) > 0));
        symbols_destroy(fresh);
    }
    for (size_t n = 1; n < sizeof e; n += 7) {
        put("short", &e, n);
        struct symbols *fresh = symbols_create();
        bool ok = symbols_load(fresh, "short", 0, &err);
        ck_assert(!ok || n >= offsetof(struct elf, names) + 3);
        symbols_destroy(fresh);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("symbols");
    TCase *t = tcase_create("symbols");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_symbol_of_a_map_reaches_to_the_next_one);
    tcase_add_test(t, a_symbol_of_an_elf_file_reaches_as_far_as_its_size);
    tcase_add_test(t, a_symbol_of_a_mapped_file_ends_where_its_code_ends);
    tcase_add_test(t, names_outlive_that_their_symbols_are_forgotten);
    tcase_add_test(t, a_file_without_symbols_is_refused_with_the_reason);
    tcase_add_test(t, a_damaged_elf_file_is_read_within_its_bounds);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}

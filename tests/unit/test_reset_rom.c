/* The reset ROM, word for word. */
#include "firmware/reset_rom.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(the_reset_rom_is_qemus_word_for_word)
{
    struct error err;
    struct memory_map *memory = memory_create(NULL);
    const struct reset_rom rom = {.start = 0x80000000, .fdt = 0x87e00000, .next = 0x80200000};
    /* As read from QEMU 7.2 at 0x1000 with a debugger. */
    const uint32_t expected[] = {
        0x00000297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x00028067, 0x80000000, 0,
        0x87e00000, 0,          0x4942534f, 0,          2,          0,          0x80200000, 0,
        1,          0,          0,          0,          0,          0,
    };
    ck_assert(memory_add_rom(memory, "rom", RESET_ROM_BASE, RESET_ROM_BYTES, &err));
    ck_assert_msg(reset_rom_load(memory, &rom, &err), "%s", err.text);
    ck_assert_mem_eq(memory_find(memory, RESET_ROM_BASE)->hva, expected, sizeof expected);
    memory_destroy(memory);
}
END_TEST

START_TEST(a_reset_rom_without_its_region_is_an_error)
{
    struct error err = {""};
    struct memory_map *memory = memory_create(NULL);
    const struct reset_rom rom = {0};
    ck_assert(!reset_rom_load(memory, &rom, &err));
    ck_assert_str_ne(err.text, "");
    memory_destroy(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reset_rom");
    TCase *c = tcase_create("reset_rom");
    tcase_add_test(c, the_reset_rom_is_qemus_word_for_word);
    tcase_add_test(c, a_reset_rom_without_its_region_is_an_error);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

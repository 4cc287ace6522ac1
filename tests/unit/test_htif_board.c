/* -device htif: where a program's words are found, and that stores of harts reach it. */
#include "firmware/image.h"
#include "machine/history.h"
#include "machine/internal.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#include <elf.h>

#define TOHOST   (RIG_RAM + 0x2000)
#define FROMHOST (RIG_RAM + 0x2040)

/* --- the symbols of an ELF file ------------------------------------------------------------- */

/* One section of symbols, its strings, and one named .tohost. */
struct elf_file {
    Elf64_Ehdr h;
    Elf64_Shdr sections[4];
    Elf64_Sym symbols[3];
    char strings[40];
};

static struct elf_file make_elf(void)
{
    struct elf_file f = {
        .h = {.e_shoff = offsetof(struct elf_file, sections),
              .e_shentsize = sizeof(Elf64_Shdr),
              .e_shnum = 4,
              .e_shstrndx = 2},
        .sections = {[1] = {.sh_type = SHT_SYMTAB,
                            .sh_link = 2,
                            .sh_offset = offsetof(struct elf_file, symbols),
                            .sh_size = sizeof f.symbols},
                     [2] = {.sh_type = SHT_STRTAB,
                            .sh_offset = offsetof(struct elf_file, strings),
                            .sh_size = sizeof f.strings},
                     [3] = {.sh_name = 17, .sh_addr = 0x80003000, .sh_size = 72}},
        .symbols = {[1] = {.st_name = 1, .st_shndx = 3, .st_value = TOHOST},
                    [2] = {.st_name = 8, .st_shndx = 3, .st_value = FROMHOST}},
    };
    memcpy(f.strings, "\0tohost\0fromhost\0.tohost", 25);
    return f;
}

static struct boot_image image_of(const struct elf_file *f)
{
    return (struct boot_image){.bytes = (const uint8_t *)f, .size = sizeof *f};
}

START_TEST(symbols_and_sections_are_found_by_name)
{
    struct elf_file f = make_elf();
    struct boot_image image = image_of(&f);
    uint64_t value = 0, bytes = 0;
    ck_assert(elf_symbol(&image, "tohost", &value));
    ck_assert_uint_eq(value, TOHOST);
    ck_assert(elf_symbol(&image, "fromhost", &value));
    ck_assert_uint_eq(value, FROMHOST);
    ck_assert(!elf_symbol(&image, "host", &value)); /* only a whole name, from its beginning */
    ck_assert(!elf_symbol(&image, "tohos", &value));
    ck_assert(elf_section(&image, ".tohost", &value, &bytes));
    ck_assert_uint_eq(value, 0x80003000);
    ck_assert_uint_eq(bytes, 72);
    f.symbols[1].st_shndx = SHN_UNDEF;
    ck_assert(!elf_symbol(&image, "tohost", &value));
}
END_TEST

/* Any byte may be any other: whatever comes of it, nothing beyond the file is read (sanitizers). */
START_TEST(damaged_tables_are_survived)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    struct elf_file good = make_elf();
    uint8_t *copy = malloc(sizeof good);
    struct boot_image image = {.bytes = copy, .size = sizeof good};
    uint64_t value, bytes;
    for (size_t i = 0; i < sizeof good; i++)
        for (size_t j = 0; j < ARRAY_LEN(values); j++) {
            memcpy(copy, &good, sizeof good);
            copy[i] = values[j];
            (void)elf_symbol(&image, "fromhost", &value);
            (void)elf_section(&image, ".tohost", &value, &bytes);
        }
    free(copy);
    for (size_t n = 0; n < sizeof good; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, &good, n);
        image = (struct boot_image){.bytes = copy, .size = n};
        ck_assert(!elf_symbol(&image, "fromhost", &value) || n > sizeof good - 24);
        (void)elf_section(&image, ".tohost", &value, &bytes);
        free(copy);
    }
}
END_TEST

/* --- on the board --------------------------------------------------------------------------- */

static struct rig *create(const struct program *p, struct machine_option *option)
{
    struct machine_config config = rig_config(p, 1);
    *option = (struct machine_option){
        .items = {{"driver", "htif"}, {"tohost", "0x80002000"}, {"fromhost", "0x80002040"}},
        .count = 3};
    config.devices = (struct machine_options){option, 1};
    config.history_bytes = 64 << 20;
    return rig_create_with(config);
}

/* Stores beside tohost make its page fast, if anything does; then it counts down and ends with 21.
 */
static void begin_program(struct program *p)
{
    program_begin(p);
    asm_li(&p->a, S0, TOHOST);
    asm_li(&p->a, S1, 5000);
    uint64_t loop = p->a.pc;
    ASM(&p->a, sd, .rs1 = S0, .rs2 = S1, .imm = 0x100);
    ASM(&p->a, addi, .rd = S1, .rs1 = S1, .imm = -1);
    ASM(&p->a, bne, .rs1 = S1, .imm = asm_to(&p->a, loop));
    asm_li(&p->a, T0, 0x0101);
    ASM(&p->a, slli, .rd = T0, .rs1 = T0, .imm = 48);
    ASM(&p->a, addi, .rd = T0, .rs1 = T0, .imm = '!');
    ASM(&p->a, sd, .rs1 = S0, .rs2 = T0);
    asm_li(&p->a, T0, 43);
    ASM(&p->a, sd, .rs1 = S0, .rs2 = T0);
    asm_li(&p->a, S1, 77); /* not reached */
    ASM(&p->a, jal, .imm = 0);
    program_end(p);
}

START_TEST(a_hart_ends_the_machine_behind_its_store)
{
    struct program p;
    struct machine_option option;
    begin_program(&p);
    struct rig *r = create(&p, &option);
    struct machine_exit exit = machine_run(r->m, UINT64_MAX);
    ck_assert_int_eq(exit.stop, MACHINE_POWER_OFF);
    ck_assert_int_eq(exit.status, 21);
    ck_assert_uint_eq(r->sent_bytes, 1);
    ck_assert_uint_eq(machine_hart(r->m, 0)->x[S1], 0);
    rig_free(r);
    unlink(p.path);
}
END_TEST

/* Looking for who wrote watches a range of its own, tohost's page among it. */
START_TEST(it_is_there_when_somebody_else_watches_its_page)
{
    struct program p;
    struct machine_option option;
    struct machine_writer writer;
    struct error err;
    bool found;
    begin_program(&p);
    struct rig *r = create(&p, &option);
    ck_assert_msg(machine_keep_history(r->m, &err), "%s", err.text);
    machine_stop_at_total(r->m, 10000);
    ck_assert_int_eq(rig_run(r, UINT64_MAX), MACHINE_STEPPED);
    const struct machine_written what = {.gpa = TOHOST + 0x100, .n = 8};
    ck_assert(machine_find_writer(r->m, &what, &(struct machine_place){.steps = 9000}, &writer,
                                  &found, &err));
    ck_assert(found && !writer.other);
    struct machine_exit exit = machine_run(r->m, UINT64_MAX);
    while (exit.stop == MACHINE_STEPPED)
        exit = machine_run(r->m, UINT64_MAX);
    ck_assert_int_eq(exit.stop, MACHINE_POWER_OFF);
    ck_assert_int_eq(exit.status, 21);
    rig_free(r);
    unlink(p.path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("htif on the board");
    TCase *tc = tcase_create("htif on the board");
    tcase_add_test(tc, symbols_and_sections_are_found_by_name);
    tcase_add_test(tc, damaged_tables_are_survived);
    tcase_add_test(tc, a_hart_ends_the_machine_behind_its_store);
    tcase_add_test(tc, it_is_there_when_somebody_else_watches_its_page);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

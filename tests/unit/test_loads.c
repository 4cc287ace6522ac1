/* -device loader, and what a flash and -fw_cfg make of a machine's start. */
#include "firmware/reset_rom.h"
#include "machine/internal.h"
#include "machine/loads.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define LINES_MAX 4

/* A machine with 4 MiB of RAM and some -device, each a text like "loader,addr=1". */
struct setup {
    struct machine_config config;
    char words[LINES_MAX][200];
    struct machine_option devices[LINES_MAX];
};

static void parse(struct machine_option *option, char *words, const char *implied)
{
    option->count = 0;
    for (char *word = strtok(words, ","); word; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = 0;
        option->items[option->count++] = equals ? (struct machine_property){word, equals + 1}
                                                : (struct machine_property){implied, word};
    }
}

static void setup_init(struct setup *s, const char *const *lines)
{
    memset(s, 0, sizeof *s);
    machine_config_init(&s->config);
    s->config.ram_bytes = 4 << 20;
    s->config.harts = 2;
    s->config.bios = BIOS_NONE;
    s->config.icount = true;
    s->config.rtc = RTC_FIXED;
    s->config.devices.items = s->devices;
    for (; *lines; lines++) {
        unsigned n = s->config.devices.count++;
        strcpy(s->words[n], *lines);
        parse(&s->devices[n], s->words[n], "driver");
    }
}

#define SETUP(...)                                                                                 \
    static const char *const lines[] = {__VA_ARGS__, NULL};                                        \
    struct setup s;                                                                                \
    struct error err = {""};                                                                       \
    setup_init(&s, lines)

static struct machine *make(const struct setup *s, struct error *err)
{
    struct machine *m = machine_create(&s->config, err);
    ck_assert_msg(m != NULL, "%s", err->text);
    return m;
}

static void expect_ram(struct machine *m, uint64_t gpa, const char *bytes, size_t n)
{
    char found[64];
    ck_assert(dma_read(m->memory, gpa, found, n));
    ck_assert_int_eq(memcmp(found, bytes, n), 0);
}

static void put(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(data_is_put_in_either_byte_order)
{
    SETUP("loader,addr=0x80001000,data=0x0102030405,data-len=5",
          "loader,addr=0x80002000,data=0x0102,data-len=4,data-be=on");
    struct machine *m = make(&s, &err);
    expect_ram(m, 0x80001000, "\5\4\3\2\1\0", 6);
    expect_ram(m, 0x80002000, "\0\0\1\2\0", 5);
    ck_assert(machine_reset(m, &err));
    expect_ram(m, 0x80001000, "\5\4\3\2\1\0", 6);
    machine_destroy(m);
}
END_TEST

START_TEST(a_raw_file_goes_where_it_is_told_and_starts_a_hart_there)
{
    SETUP("loader,file=raw,addr=0x80100000,cpu-num=1");
    put("raw", "\x1f\x8bhello", 7); /* not unpacked, though it looks like gzip */
    struct machine *m = make(&s, &err);
    expect_ram(m, 0x80100000, "\x1f\x8bhello", 7);
    ck_assert_uint_eq(machine_hart(m, 1)->pc, 0x80100000);
    ck_assert_uint_eq(machine_hart(m, 0)->pc, RESET_ROM_BASE);
    machine_destroy(m);
}
END_TEST

START_TEST(an_address_alone_starts_a_hart)
{
    SETUP("loader,addr=0x80000040,cpu-num=0");
    struct machine *m = make(&s, &err);
    ck_assert_uint_eq(machine_hart(m, 0)->pc, 0x80000040);
    machine_destroy(m);
}
END_TEST

START_TEST(behind_the_built_in_sbi_the_first_hart_starts_in_s_mode)
{
    SETUP("loader,addr=0x80200000,cpu-num=0");
    s.config.bios = BIOS_BUILT_IN;
    struct machine *m = make(&s, &err);
    ck_assert_uint_eq(machine_hart(m, 0)->pc, 0x80200000);
    ck_assert_uint_eq(machine_hart(m, 0)->priv, PRIV_S);
    machine_destroy(m);
}
END_TEST

START_TEST(a_broken_elf_file_is_refused_or_taken_as_it_is)
{
    {
        SETUP("loader,file=elf,addr=0x80100000");
        put("elf", "\177ELF....", 8);
        ck_assert_ptr_null(machine_create(&s.config, &err));
        ck_assert_ptr_nonnull(strstr(err.text, "-device loader: file 'elf'"));
    }
    SETUP("loader,file=elf,addr=0x80100000,force-raw=on");
    struct machine *m = make(&s, &err);
    expect_ram(m, 0x80100000, "\177ELF....", 8);
    machine_destroy(m);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    static const char *const bad[][2] = {
        {"loader", "give file=FILE"},
        {"loader,addr=0x80000000", "an address alone does nothing"},
        {"loader,addr=0x80000000,data=1", "data= needs data-len="},
        {"loader,addr=0x80000000,data-len=1", "data= needs data-len="},
        {"loader,addr=0x80000000,data=1,data-len=9", "data= needs data-len="},
        {"loader,file=raw,data=1,data-len=1", "give either file= or data="},
        {"loader,file=raw", "say where it goes with addr="},
        {"loader,file=missing,addr=0x80000000", "missing"},
        {"loader,file=raw,addr=0x10", "where there is no RAM"},
        {"loader,file=raw,addr=0xffffffffffffffff", "where there is no RAM"},
        {"loader,addr=0x80000000,cpu-num=2", "there are 2 harts"},
        {"loader,addr=-1,cpu-num=0", "addr=-1 is no number"},
        {"loader,nosuch=1", "unknown property 'nosuch'"},
    };
    put("raw", "hello", 5);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        SETUP("loader");
        strcpy(s.words[0], bad[i][0]);
        parse(&s.devices[0], s.words[0], "driver");
        ck_assert_ptr_null(machine_create(&s.config, &err));
        ck_assert_msg(strstr(err.text, bad[i][1]) != NULL, "%s: %s", bad[i][0], err.text);
    }
}
END_TEST

START_TEST(two_files_do_not_overlap)
{
    SETUP("loader,file=raw,addr=0x80100000", "loader,addr=0x80100004,data=1,data-len=1");
    put("raw", "hello", 5);
    ck_assert_ptr_null(machine_create(&s.config, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "would overwrite the file"));
}
END_TEST

/* --- flash ------------------------------------------------------------------------------- */

static void give_flash(struct setup *s, struct machine_option *drive)
{
    ck_assert_int_eq(shell("truncate -s 32M flash"), 0);
    *drive = (struct machine_option){
        .items = {{"file", "flash"}, {"format", "raw"}, {"if", "pflash"}}, .count = 3};
    s->config.drives = (struct machine_options){drive, 1};
}

/* The word of the reset ROM that it jumps to, and what fw_dynamic is told. */
static uint64_t rom_word(struct machine *m, unsigned offset)
{
    uint64_t word;
    memcpy(&word, memory_find(m->memory, RESET_ROM_BASE)->hva + offset, sizeof word);
    return word;
}

START_TEST(without_firmware_the_reset_rom_jumps_into_the_first_flash)
{
    SETUP(NULL);
    struct machine_option drive;
    give_flash(&s, &drive);
    struct machine *m = make(&s, &err);
    ck_assert_uint_eq(rom_word(m, 0x18), FLASH_BASE);
    machine_destroy(m);
}
END_TEST

START_TEST(behind_the_built_in_sbi_the_first_flash_starts_in_s_mode)
{
    SETUP(NULL);
    struct machine_option drive;
    give_flash(&s, &drive);
    s.config.bios = BIOS_BUILT_IN;
    struct machine *m = make(&s, &err);
    ck_assert_uint_eq(machine_hart(m, 0)->pc, FLASH_BASE);
    ck_assert_uint_eq(machine_hart(m, 0)->priv, PRIV_S);
    machine_destroy(m);
}
END_TEST

START_TEST(a_flash_of_another_size_is_refused)
{
    SETUP(NULL);
    struct machine_option drive;
    give_flash(&s, &drive);
    ck_assert_int_eq(shell("truncate -s 1M flash"), 0);
    ck_assert_ptr_null(machine_create(&s.config, &err));
    ck_assert_str_eq(err.text, "flash 0: a flash has exactly 33554432 bytes, its image 1048576");
}
END_TEST

/* --- fw_cfg ------------------------------------------------------------------------------ */

START_TEST(wrong_items_of_fw_cfg_are_refused)
{
    static const char *const bad[][2] = {
        {"name=opt/x", "give either file=FILE or string=TEXT"},
        {"name=opt/x,file=raw,string=x", "give either file=FILE or string=TEXT"},
        {"string=x", "give name="},
        {"name=opt/x,file=missing", "missing"},
        {"name=opt/x,nosuch=1", "unknown property 'nosuch'"},
        {"name=opt/01234567890123456789012345678901234567890123456789012,string=x",
         "more than 55 bytes"},
    };
    put("raw", "hello", 5);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char words[200];
        struct machine_option item;
        SETUP(NULL);
        strcpy(words, bad[i][0]);
        parse(&item, words, "name");
        s.config.fw_cfg = (struct machine_options){&item, 1};
        ck_assert_ptr_null(machine_create(&s.config, &err));
        ck_assert_msg(strstr(err.text, bad[i][1]) != NULL, "%s: %s", bad[i][0], err.text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loads");
    TCase *tc = tcase_create("loads");
    tcase_add_checked_fixture(tc, enter_temp_folder, leave_temp_folder);
    tcase_add_test(tc, data_is_put_in_either_byte_order);
    tcase_add_test(tc, a_raw_file_goes_where_it_is_told_and_starts_a_hart_there);
    tcase_add_test(tc, an_address_alone_starts_a_hart);
    tcase_add_test(tc, behind_the_built_in_sbi_the_first_hart_starts_in_s_mode);
    tcase_add_test(tc, a_broken_elf_file_is_refused_or_taken_as_it_is);
    tcase_add_test(tc, what_makes_no_sense_is_refused);
    tcase_add_test(tc, two_files_do_not_overlap);
    tcase_add_test(tc, without_firmware_the_reset_rom_jumps_into_the_first_flash);
    tcase_add_test(tc, behind_the_built_in_sbi_the_first_flash_starts_in_s_mode);
    tcase_add_test(tc, a_flash_of_another_size_is_refused);
    tcase_add_test(tc, wrong_items_of_fw_cfg_are_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

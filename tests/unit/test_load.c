/* The loaders, with files made here: where things come to lie, and each way to refuse one. */
#include "firmware/load.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define RAM_BASE 0x80000000ull
#define MIB      (1ull << 20)
#define RAM      (64 * MIB)

struct fixture {
    struct memory_map *memory;
    struct loader loader;
    struct error err;
    char path[64]; /* of the last file */
    uint64_t entry;
};

static struct fixture *fixture_create(uint64_t ram_bytes)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->memory = memory_create(NULL);
    ck_assert(memory_add_ram(f->memory, "ram", RAM_BASE, ram_bytes, &f->err));
    loader_init(&f->loader, f->memory, RAM_BASE, ram_bytes);
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    if (f->path[0])
        unlink(f->path);
    memory_destroy(f->memory);
    free(f);
}

static const char *file(struct fixture *f, const void *bytes, size_t n)
{
    if (f->path[0])
        unlink(f->path);
    strcpy(f->path, "/tmp/rivulet-test-load-XXXXXX");
    const int fd = mkstemp(f->path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    return f->path;
}

static bool load(struct fixture *f, const void *bytes, size_t n)
{
    return load_kernel(&f->loader, file(f, bytes, n), true, &f->entry, &f->err);
}

static void expect_loaded(struct fixture *f, const void *bytes, size_t n, uint64_t entry)
{
    ck_assert_msg(load(f, bytes, n), "%s", f->err.text);
    ck_assert_msg(f->entry == entry, "entry 0x%llx", (unsigned long long)f->entry);
}

static void expect_memory(struct fixture *f, uint64_t gpa, const void *bytes, size_t n)
{
    uint8_t *got = malloc(n);
    ck_assert(dma_read(f->memory, gpa, got, n));
    ck_assert_mem_eq(got, bytes, n);
    free(got);
}

/* The error is one line that holds `because` and the path. */
static void expect_error(const struct fixture *f, const char *because)
{
    ck_assert_msg(strstr(f->err.text, because) != NULL, "%s", f->err.text);
    ck_assert_msg(strstr(f->err.text, f->path) != NULL, "%s", f->err.text);
    ck_assert_ptr_null(strchr(f->err.text, '\n'));
}

static void expect_refused(const void *bytes, size_t n, const char *because)
{
    struct fixture *f = fixture_create(RAM);
    ck_assert(!load(f, bytes, n));
    expect_error(f, because);
    fixture_destroy(f);
}

static void put(void *at, uint64_t value, size_t size)
{
    memcpy(at, &value, size);
}

static void put_big_endian(uint8_t *at, uint32_t value)
{
    put(at, __builtin_bswap32(value), 4);
}

/* --- made-up files --------------------------------------------------------------------------- */

/* An executable of one segment at RAM_BASE + 0x1000 whose file part is "payload". */
struct elf {
    uint8_t bytes[256];
};

enum { PHDR = 64, DATA = 128, PAYLOAD = 7 };

static struct elf make_elf(void)
{
    struct elf e = {"\177ELF\2\1\1"};
    uint8_t *b = e.bytes;
    put(b + 16, 2, 2);             /* type */
    put(b + 18, 243, 2);           /* machine */
    put(b + 20, 1, 4);             /* version */
    put(b + 24, 0x4004, 8);        /* entry, virtual */
    put(b + 32, PHDR, 8);          /* phoff */
    put(b + 52, 64, 2);            /* ehsize */
    put(b + 54, 56, 2);            /* phentsize */
    put(b + 56, 1, 2);             /* phnum */
    put(b + PHDR, 1, 4);           /* type */
    put(b + PHDR + 4, 5, 4);       /* flags */
    put(b + PHDR + 8, DATA, 8);    /* offset */
    put(b + PHDR + 16, 0x4000, 8); /* vaddr */
    put(b + PHDR + 24, RAM_BASE + 0x1000, 8);
    put(b + PHDR + 32, PAYLOAD, 8); /* filesz */
    put(b + PHDR + 40, 0x3000, 8);  /* memsz */
    memcpy(b + DATA, "payload", PAYLOAD);
    return e;
}

/* One field of the file is changed; the file is refused with this reason. */
static void expect_elf_refused(size_t offset, uint64_t value, size_t size, const char *because)
{
    struct elf e = make_elf();
    put(e.bytes + offset, value, size);
    expect_refused(e.bytes, sizeof e.bytes, because);
}

/* A Linux Image of 4 KiB that needs image_size bytes. */
struct linux_image {
    uint8_t bytes[4096];
};

static struct linux_image make_image(uint64_t image_size)
{
    struct linux_image image = {"MZ"};
    put(image.bytes + 8, 0x200000, 8);
    put(image.bytes + 16, image_size, 8);
    memcpy(image.bytes + 0x30, "RISCV\0\0\0RSC\5", 12);
    return image;
}

/* gzip of n bytes; the caller frees. */
static uint8_t *compress_gzip(const void *bytes, size_t n, size_t *size)
{
    z_stream z = {0};
    uint8_t *out = malloc(n + 1024);
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)bytes;
    z.avail_in = n;
    z.next_out = out;
    z.avail_out = n + 1024;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    *size = z.total_out;
    deflateEnd(&z);
    return out;
}

/* A uImage around n bytes; the caller frees. */
static uint8_t *make_uimage(const void *bytes, size_t n, uint32_t load_address,
                            unsigned compression)
{
    uint8_t *u = calloc(1, 64 + n);
    memcpy(u + 64, bytes, n);
    put_big_endian(u, 0x27051956);
    put_big_endian(u + 12, n);
    put_big_endian(u + 16, load_address);
    put_big_endian(u + 20, load_address + 4);
    put_big_endian(u + 24, crc32(0, bytes, n));
    u[28] = 5;  /* Linux */
    u[29] = 26; /* RISC-V */
    u[30] = 2;  /* kernel */
    u[31] = compression;
    put_big_endian(u + 4, crc32(0, u, 64));
    return u;
}

/* --- ELF ------------------------------------------------------------------------------------- */

START_TEST(an_elf_file_goes_to_its_physical_addresses)
{
    struct fixture *f = fixture_create(RAM);
    const struct elf e = make_elf();
    expect_loaded(f, e.bytes, sizeof e.bytes, RAM_BASE + 0x1004);
    expect_memory(f, RAM_BASE + 0x1000, "payload", PAYLOAD);
    fixture_destroy(f);
}
END_TEST

START_TEST(the_bss_of_an_elf_file_is_cleared)
{
    struct fixture *f = fixture_create(RAM);
    const struct elf e = make_elf();
    const uint8_t zeros[0x3000 - PAYLOAD] = {0};
    uint8_t dirt[0x3001];
    memset(dirt, 0xaa, sizeof dirt);
    ck_assert(memory_load(f->memory, RAM_BASE + 0x1000, dirt, sizeof dirt));
    expect_loaded(f, e.bytes, sizeof e.bytes, RAM_BASE + 0x1004);
    expect_memory(f, RAM_BASE + 0x1000 + PAYLOAD, zeros, sizeof zeros);
    expect_memory(f, RAM_BASE + 0x4000, "\xaa", 1);
    fixture_destroy(f);
}
END_TEST

START_TEST(an_elf_file_for_another_machine_is_refused)
{
    expect_elf_refused(18, 62, 2, "x86-64");
    expect_elf_refused(18, 183, 2, "64-bit Arm");
    expect_elf_refused(18, 4242, 2, "4242");
    expect_elf_refused(4, 1, 1, "32-bit");
    expect_elf_refused(5, 2, 1, "big-endian");
    expect_elf_refused(48, 8, 4, "RV64E");
}
END_TEST

START_TEST(a_damaged_elf_header_is_refused)
{
    expect_elf_refused(6, 2, 1, "version");
    expect_elf_refused(20, 0, 4, "version");
    expect_elf_refused(16, 1, 2, "not an executable");
    expect_elf_refused(52, 63, 2, "damaged");
    expect_elf_refused(54, 32, 2, "damaged");
    expect_elf_refused(56, 0, 2, "no program headers");
    expect_elf_refused(56, 0xffff, 2, "too many program headers");
    expect_elf_refused(32, 1000, 8, "truncated");
    expect_elf_refused(32, UINT64_MAX - 20, 8, "truncated");
    expect_elf_refused(56, 4, 2, "truncated");
    expect_elf_refused(24, 0x9000, 8, "entry point");
    expect_elf_refused(24, 0x4005, 8, "odd entry point");
}
END_TEST

START_TEST(a_damaged_elf_segment_is_refused)
{
    expect_elf_refused(PHDR, 2, 4, "nothing to load");
    expect_elf_refused(PHDR + 8, 300, 8, "truncated");
    expect_elf_refused(PHDR + 8, UINT64_MAX, 8, "truncated");
    expect_elf_refused(PHDR + 32, 200, 8, "truncated");
    expect_elf_refused(PHDR + 40, PAYLOAD - 1, 8, "larger in the file");
    expect_elf_refused(PHDR + 24, UINT64_MAX - 8, 8, "end of the address space");
    expect_elf_refused(PHDR + 24, 0x10000, 8, "there is no RAM");
    expect_elf_refused(PHDR + 24, 0xffffffff80000000, 8, "there is no RAM");
    expect_elf_refused(PHDR + 24, RAM_BASE + RAM - 0x1000, 8, "give -m");
    expect_elf_refused(PHDR + 40, 1ull << 62, 8, "there is no RAM");
    const struct elf e = make_elf();
    expect_refused(e.bytes, 63, "truncated");
}
END_TEST

/* --- raw and Image ---------------------------------------------------------------------------- */

START_TEST(raw_code_goes_behind_the_firmware)
{
    struct fixture *f = fixture_create(RAM);
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    expect_memory(f, RAM_BASE + 2 * MIB, "raw", 3);
    fixture_destroy(f);
}
END_TEST

START_TEST(code_of_our_own_goes_where_raw_code_does)
{
    struct fixture *f = fixture_create(RAM);
    uint64_t entry = 0;
    ck_assert(load_kernel_bytes(&f->loader, "own", 3, &entry, &f->err));
    ck_assert_uint_eq(entry, RAM_BASE + 2 * MIB);
    expect_memory(f, entry, "own", 3);
    fixture_destroy(f);
}
END_TEST

START_TEST(raw_code_without_firmware_goes_to_the_base_of_ram)
{
    struct fixture *f = fixture_create(RAM);
    ck_assert(load_kernel(&f->loader, file(f, "raw", 3), false, &f->entry, &f->err));
    ck_assert_uint_eq(f->entry, RAM_BASE);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_large_firmware_moves_the_kernel)
{
    struct fixture *f = fixture_create(RAM);
    uint8_t *bios = calloc(1, 2 * MIB + 1);
    ck_assert(load_bios(&f->loader, file(f, bios, 2 * MIB + 1), &f->entry, &f->err));
    ck_assert_uint_eq(f->entry, RAM_BASE);
    expect_loaded(f, "raw", 3, RAM_BASE + 4 * MIB);
    free(bios);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_firmware_may_be_an_elf_file)
{
    struct fixture *f = fixture_create(RAM);
    const struct elf e = make_elf();
    ck_assert(load_bios(&f->loader, file(f, e.bytes, sizeof e.bytes), &f->entry, &f->err));
    ck_assert_uint_eq(f->entry, RAM_BASE + 0x1004);
    fixture_destroy(f);
}
END_TEST

START_TEST(an_elf_kernel_over_the_firmware_is_refused)
{
    struct fixture *f = fixture_create(RAM);
    const struct elf e = make_elf();
    const uint8_t bios[0x1001] = {1};
    ck_assert(load_bios(&f->loader, file(f, bios, sizeof bios), &f->entry, &f->err));
    ck_assert(!load(f, e.bytes, sizeof e.bytes));
    expect_error(f, "overwrite the bios");
    fixture_destroy(f);
}
END_TEST

START_TEST(the_size_in_an_image_header_must_be_free)
{
    struct fixture *f = fixture_create(RAM);
    struct linux_image image = make_image(40 * MIB);
    uint64_t start, end;
    expect_loaded(f, image.bytes, sizeof image.bytes, RAM_BASE + 2 * MIB);
    ck_assert(load_initrd(&f->loader, file(f, "initrd", 6), &start, &end, &f->err));
    ck_assert_uint_eq(start, RAM_BASE + 42 * MIB);
    fixture_destroy(f);
    image = make_image(63 * MIB);
    expect_refused(image.bytes, sizeof image.bytes,
                   "needs 65 MiB of RAM and there are 64 MiB; give -m 68M");
}
END_TEST

START_TEST(kernels_for_other_machines_are_refused)
{
    struct linux_image image = make_image(4096);
    image.bytes[24] = 1;
    expect_refused(image.bytes, sizeof image.bytes, "big-endian");
    uint8_t foreign[0x400] = "MZ";
    memcpy(foreign + 0x202, "HdrS", 4);
    expect_refused(foreign, sizeof foreign, "x86");
    memset(foreign, 0, sizeof foreign);
    memcpy(foreign + 0x38, "ARM\x64", 4);
    expect_refused(foreign, sizeof foreign, "Arm");
    expect_refused("\xfd"
                   "7zXZ",
                   6, "xz");
    expect_refused("\x28\xb5\x2f\xfd", 5, "zstd");
    expect_refused("BZh9", 4, "bzip2");
}
END_TEST

START_TEST(a_missing_or_empty_kernel_is_refused)
{
    struct fixture *f = fixture_create(RAM);
    ck_assert(!load_kernel(&f->loader, "/nonexistent/Image", true, &f->entry, &f->err));
    ck_assert_str_eq(f->err.text, "could not load kernel: cannot open /nonexistent/Image: No such "
                                  "file or directory");
    ck_assert(!load(f, "", 0));
    expect_error(f, "empty");
    fixture_destroy(f);
}
END_TEST

START_TEST(ram_too_small_for_a_kernel_is_refused)
{
    struct fixture *f = fixture_create(1 * MIB);
    ck_assert(!load(f, "raw", 3));
    expect_error(f, "needs 3 MiB of RAM and there are 1 MiB");
    fixture_destroy(f);
}
END_TEST

/* --- compressed -------------------------------------------------------------------------- */

START_TEST(gzip_is_unpacked_around_every_format)
{
    const struct elf e = make_elf();
    const struct linux_image image = make_image(40 * MIB);
    size_t n;
    struct fixture *f = fixture_create(RAM);
    uint8_t *z = compress_gzip(e.bytes, sizeof e.bytes, &n);
    expect_loaded(f, z, n, RAM_BASE + 0x1004);
    free(z);
    fixture_destroy(f);
    f = fixture_create(RAM);
    z = compress_gzip(image.bytes, sizeof image.bytes, &n);
    expect_loaded(f, z, n, RAM_BASE + 2 * MIB);
    expect_memory(f, RAM_BASE + 2 * MIB, image.bytes, sizeof image.bytes);
    ck_assert_uint_eq(f->loader.areas[0].end, RAM_BASE + 42 * MIB);
    free(z);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_large_gzip_is_unpacked_in_full)
{
    struct fixture *f = fixture_create(RAM);
    const size_t large = 9 * MIB + 5;
    uint8_t *bytes = calloc(1, large);
    size_t n;
    for (size_t i = 0; i < large; i++)
        bytes[i] = i >> 8;
    uint8_t *z = compress_gzip(bytes, large, &n);
    expect_loaded(f, z, n, RAM_BASE + 2 * MIB);
    expect_memory(f, RAM_BASE + 2 * MIB, bytes, large);
    free(z);
    free(bytes);
    fixture_destroy(f);
}
END_TEST

START_TEST(damaged_gzip_is_refused)
{
    uint8_t code[5000];
    size_t n;
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = i * i;
    uint8_t *z = compress_gzip(code, sizeof code, &n);
    expect_refused(z, n - 1, "truncated");
    expect_refused(z, 2, "truncated");
    expect_refused(z, n / 2, "truncated");
    z[n - 6] ^= 1; /* the checksum */
    expect_refused(z, n, "damaged");
    free(z);
    z = compress_gzip("", 0, &n);
    expect_refused(z, n, "nothing");
    free(z);
}
END_TEST

START_TEST(gzip_that_unpacks_to_more_than_ram_is_refused)
{
    struct fixture *f = fixture_create(4 * MIB);
    uint8_t *zeros = calloc(1, 5 * MIB);
    size_t n;
    uint8_t *z = compress_gzip(zeros, 5 * MIB, &n);
    ck_assert(!load(f, z, n));
    expect_error(f, "more than the 4 MiB of RAM");
    free(z);
    free(zeros);
    fixture_destroy(f);
}
END_TEST

/* "PE\0\0" at 64 with two sections, the second of which ends at `end`. */
static struct linux_image make_efi_image(uint32_t end)
{
    struct linux_image image = make_image(40 * MIB);
    put(image.bytes + 0x3c, 64, 4);
    memcpy(image.bytes + 64, "PE\0\0", 4);
    put(image.bytes + 64 + 6, 2, 2);
    put(image.bytes + 64 + 20, 100, 2);
    uint8_t *sections = image.bytes + 64 + 24 + 100;
    put(sections + 16, 1000, 4);
    put(sections + 20, 1000, 4);
    put(sections + 40 + 16, end - 2000, 4);
    put(sections + 40 + 20, 2000, 4);
    return image;
}

START_TEST(an_image_whose_efi_sections_are_not_all_there_is_refused)
{
    struct linux_image image = make_efi_image(4096);
    struct fixture *f = fixture_create(RAM);
    expect_loaded(f, image.bytes, sizeof image.bytes, RAM_BASE + 2 * MIB);
    fixture_destroy(f);
    image = make_efi_image(4097);
    expect_refused(image.bytes, sizeof image.bytes, "truncated: its EFI sections");
    image = make_efi_image(4096);
    expect_refused(image.bytes, 4095, "truncated");
    expect_refused(image.bytes, 64 + 24 + 100 + 79, "truncated"); /* half a section table */
    expect_refused(image.bytes, 64 + 23, "truncated");            /* half a header */
    put(image.bytes + 0x3c, UINT32_MAX, 4);
    expect_refused(image.bytes, sizeof image.bytes, "truncated");
    put(image.bytes + 64, 0, 4); /* no PE header: nothing is known */
    put(image.bytes + 0x3c, 64, 4);
    f = fixture_create(RAM);
    expect_loaded(f, image.bytes, 100, RAM_BASE + 2 * MIB);
    fixture_destroy(f);
}
END_TEST

START_TEST(efi_zboot_images_of_gzip_are_unpacked)
{
    struct fixture *f = fixture_create(RAM);
    uint8_t zboot[1024] = "MZ\0\0zimg";
    size_t n;
    uint8_t *z = compress_gzip("code", 4, &n);
    memcpy(zboot + 100, z, n);
    put(zboot + 8, 100, 4);
    put(zboot + 12, n, 4);
    strcpy((char *)zboot + 24, "gzip");
    expect_loaded(f, zboot, sizeof zboot, RAM_BASE + 2 * MIB);
    expect_memory(f, RAM_BASE + 2 * MIB, "code", 4);
    fixture_destroy(f);
    put(zboot + 12, 1000, 4);
    expect_refused(zboot, sizeof zboot, "truncated");
    strcpy((char *)zboot + 24, "a\nb\033c"); /* one line, whatever the file says */
    expect_refused(zboot, sizeof zboot, "compressed with a?b?c;");
    strcpy((char *)zboot + 24, "zstd22");
    expect_refused(zboot, sizeof zboot, "zstd22");
    free(z);
}
END_TEST

/* --- uImage ------------------------------------------------------------------------------ */

START_TEST(a_uimage_goes_where_its_header_says)
{
    struct fixture *f = fixture_create(RAM);
    uint8_t *u = make_uimage("kernelcode", 10, RAM_BASE + 0x300000, 0);
    expect_loaded(f, u, 74, RAM_BASE + 0x300004);
    expect_memory(f, RAM_BASE + 0x300000, "kernelcode", 10);
    free(u);
    fixture_destroy(f);
    size_t n;
    uint8_t *z = compress_gzip("kernelcode", 10, &n);
    f = fixture_create(RAM);
    u = make_uimage(z, n, RAM_BASE + 0x300000, 1);
    expect_loaded(f, u, 64 + n, RAM_BASE + 0x300004);
    expect_memory(f, RAM_BASE + 0x300000, "kernelcode", 10);
    free(u);
    free(z);
    fixture_destroy(f);
}
END_TEST

START_TEST(damaged_or_foreign_uimages_are_refused)
{
    uint8_t *u = make_uimage("kernelcode", 10, 0x1000, 0);
    expect_refused(u, 74, "there is no RAM");
    expect_refused(u, 63, "truncated");
    expect_refused(u, 73, "truncated");
    u[64] ^= 1;
    expect_refused(u, 74, "damaged uImage data");
    u[29] = 2;
    expect_refused(u, 74, "damaged uImage header");
    put_big_endian(u + 4, 0);
    put_big_endian(u + 4, crc32(0, u, 64));
    expect_refused(u, 74, "another architecture");
    u[29] = 26;
    u[31] = 3;
    put_big_endian(u + 4, 0);
    put_big_endian(u + 4, crc32(0, u, 64));
    expect_refused(u, 74, "compression 3");
    free(u);
}
END_TEST

/* --- initrd and device tree -------------------------------------------------------------- */

static uint64_t place_initrd(struct fixture *f, size_t n)
{
    uint8_t *bytes = calloc(1, n);
    uint64_t start, end;
    bytes[n - 1] = 77;
    ck_assert_msg(load_initrd(&f->loader, file(f, bytes, n), &start, &end, &f->err), "%s",
                  f->err.text);
    ck_assert_uint_eq(end, start + n);
    expect_memory(f, start, bytes, n);
    free(bytes);
    return start;
}

START_TEST(the_initrd_lies_half_of_ram_behind_the_kernel)
{
    struct fixture *f = fixture_create(RAM);
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    ck_assert_uint_eq(place_initrd(f, 5000), RAM_BASE + 34 * MIB);
    fixture_destroy(f);
    f = fixture_create(512 * MIB);
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    ck_assert_uint_eq(place_initrd(f, 5000), RAM_BASE + 130 * MIB);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_large_initrd_lies_right_behind_the_kernel)
{
    struct fixture *f = fixture_create(RAM);
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    ck_assert_uint_eq(place_initrd(f, 29 * MIB), RAM_BASE + 2 * MIB + 4096);
    fixture_destroy(f);
}
END_TEST

START_TEST(an_initrd_that_does_not_fit_is_refused)
{
    struct fixture *f = fixture_create(4 * MIB);
    uint8_t *bytes = calloc(1, 3 * MIB);
    uint64_t start, end;
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    ck_assert(!load_initrd(&f->loader, file(f, bytes, 3 * MIB), &start, &end, &f->err));
    expect_error(f, "give -m 8M");
    free(bytes);
    fixture_destroy(f);
}
END_TEST

static uint64_t place_tree(uint64_t ram_bytes, size_t n)
{
    struct fixture *f = fixture_create(ram_bytes);
    uint8_t *tree = calloc(1, n);
    uint64_t gpa;
    tree[0] = 0xd0;
    ck_assert_msg(load_device_tree(&f->loader, tree, n, &gpa, &f->err), "%s", f->err.text);
    expect_memory(f, gpa, tree, n);
    free(tree);
    fixture_destroy(f);
    return gpa;
}

START_TEST(the_device_tree_lies_where_qemu_puts_it)
{
    ck_assert_uint_eq(place_tree(128 * MIB, 5000), 0x87e00000);
    ck_assert_uint_eq(place_tree(512 * MIB, 5000), 0x9fe00000);
    ck_assert_uint_eq(place_tree(1024 * MIB, 5000), 0xbfe00000);
    ck_assert_uint_eq(place_tree(3072 * MIB, 5000), 0xbfe00000);
    ck_assert_uint_eq(place_tree(128 * MIB, 3 * MIB), 0x87c00000);
}
END_TEST

START_TEST(a_device_tree_without_room_is_refused)
{
    struct fixture *f = fixture_create(4 * MIB);
    const uint8_t tree[64] = {0xd0};
    uint64_t gpa;
    expect_loaded(f, "raw", 3, RAM_BASE + 2 * MIB);
    ck_assert(!load_device_tree(&f->loader, tree, sizeof tree, &gpa, &f->err));
    ck_assert_msg(strstr(f->err.text, "RAM of 4 MiB is too small: the kernel") != NULL, "%s",
                  f->err.text);
    fixture_destroy(f);
    f = fixture_create(4096);
    uint8_t *large = calloc(1, 4097);
    ck_assert(!load_device_tree(&f->loader, large, 4097, &gpa, &f->err));
    ck_assert_msg(strstr(f->err.text, "too small for the device tree") != NULL, "%s", f->err.text);
    free(large);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, an_elf_file_goes_to_its_physical_addresses);
    tcase_add_test(c, the_bss_of_an_elf_file_is_cleared);
    tcase_add_test(c, an_elf_file_for_another_machine_is_refused);
    tcase_add_test(c, a_damaged_elf_header_is_refused);
    tcase_add_test(c, a_damaged_elf_segment_is_refused);
    tcase_add_test(c, raw_code_goes_behind_the_firmware);
    tcase_add_test(c, code_of_our_own_goes_where_raw_code_does);
    tcase_add_test(c, raw_code_without_firmware_goes_to_the_base_of_ram);
    tcase_add_test(c, a_large_firmware_moves_the_kernel);
    tcase_add_test(c, a_firmware_may_be_an_elf_file);
    tcase_add_test(c, an_elf_kernel_over_the_firmware_is_refused);
    tcase_add_test(c, the_size_in_an_image_header_must_be_free);
    tcase_add_test(c, kernels_for_other_machines_are_refused);
    tcase_add_test(c, a_missing_or_empty_kernel_is_refused);
    tcase_add_test(c, ram_too_small_for_a_kernel_is_refused);
    tcase_add_test(c, gzip_is_unpacked_around_every_format);
    tcase_add_test(c, a_large_gzip_is_unpacked_in_full);
    tcase_add_test(c, damaged_gzip_is_refused);
    tcase_add_test(c, gzip_that_unpacks_to_more_than_ram_is_refused);
    tcase_add_test(c, an_image_whose_efi_sections_are_not_all_there_is_refused);
    tcase_add_test(c, efi_zboot_images_of_gzip_are_unpacked);
    tcase_add_test(c, a_uimage_goes_where_its_header_says);
    tcase_add_test(c, damaged_or_foreign_uimages_are_refused);
    tcase_add_test(c, the_initrd_lies_half_of_ram_behind_the_kernel);
    tcase_add_test(c, a_large_initrd_lies_right_behind_the_kernel);
    tcase_add_test(c, an_initrd_that_does_not_fit_is_refused);
    tcase_add_test(c, the_device_tree_lies_where_qemu_puts_it);
    tcase_add_test(c, a_device_tree_without_room_is_refused);
}

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *c = tcase_create("load");
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

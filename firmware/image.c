/* Containers and headers of kernel files: gzip (RFC 1952, by zlib), EFI zboot
 * (linux/drivers/firmware/efi/libstub/zboot-header.S), legacy U-Boot images (u-boot/image.h) and
 * the RISC-V Image header (linux/Documentation/arch/riscv/boot-image-header.rst). */
#include "firmware/image.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window, gzip framing */

/* Linux's header at the start of an Image; code0 may be the "MZ" of an EFI stub. */
struct linux_image_header {
    uint32_t code0, code1;
    uint64_t text_offset, image_size, flags;
    uint32_t version, reserved1;
    uint64_t reserved2;
    uint8_t magic[8];  /* "RISCV\0\0\0", deprecated */
    uint8_t magic2[4]; /* "RSC\5" */
    uint32_t reserved3;
};

#define LINUX_IMAGE_BIG_ENDIAN 1u

/* What an EFI stub adds: "MZ", and at 0x3c the offset of a COFF header that begins with "PE\0\0"
 * (PE Format, sections "COFF File Header" and "Section Table"). */
#define PE_OFFSET_AT 0x3cu

struct pe_header {
    uint8_t signature[4];
    uint16_t machine, section_count;
    uint32_t time, symbols, symbol_count;
    uint16_t optional_bytes, characteristics;
};

struct pe_section {
    char name[8];
    uint32_t virtual_size, address, file_bytes, file_offset, unused[4];
};

struct zboot_header {
    uint8_t mz[4], zimg[4];
    uint32_t payload_offset, payload_size, reserved[2];
    char compression[32];
};

/* Every number is big-endian. */
struct uimage_header {
    uint32_t magic, header_crc, time, size, load, entry, data_crc;
    uint8_t os, arch, type, compression;
    char name[32];
};

#define UIMAGE_MAGIC       0x27051956u
#define UIMAGE_ARCH_RISCV  26u
#define UIMAGE_TYPE_KERNEL 2u
#define UIMAGE_PLAIN       0u
#define UIMAGE_GZIP        1u

_Static_assert(sizeof(struct linux_image_header) == 64, "as Linux lays it out");
_Static_assert(sizeof(struct pe_header) == 24, "as the PE format lays it out");
_Static_assert(sizeof(struct pe_section) == 40, "as the PE format lays it out");
_Static_assert(sizeof(struct zboot_header) == 56, "as Linux lays it out");
_Static_assert(sizeof(struct uimage_header) == 64, "as U-Boot lays it out");

bool boot_image_open(struct boot_image *image, const char *what, const char *path,
                     struct error *err)
{
    *image = (struct boot_image){.what = what, .path = path};
    if (!os_map_file(path, &image->file, err))
        return false;
    image->bytes = image->file.bytes;
    image->size = image->file.size;
    return true;
}

void boot_image_close(struct boot_image *image)
{
    free(image->unpacked);
    os_unmap_file(&image->file);
}

/* --- gzip ---------------------------------------------------------------------------------- */

/* Inflates into *to, which grows up to limit; the result of zlib, Z_BUF_ERROR when the limit is
 * reached, Z_STREAM_END when all is there. */
static int inflate_all(z_stream *z, uint8_t **to, size_t *size, uint64_t limit)
{
    size_t capacity = 0;
    int result = Z_OK;
    while (result == Z_OK) {
        if (*size == capacity) {
            if (capacity >= limit)
                return Z_BUF_ERROR;
            capacity = min_u64(capacity ? capacity * 2 : 4u << 20, limit);
            uint8_t *grown = realloc(*to, capacity);
            if (!grown)
                return Z_MEM_ERROR;
            *to = grown;
        }
        z->next_out = *to + *size;
        z->avail_out = (uInt)min_u64(capacity - *size, 1u << 30);
        const uInt offered = z->avail_out;
        result = inflate(z, Z_NO_FLUSH);
        *size += offered - z->avail_out;
        if (result == Z_BUF_ERROR || (result == Z_OK && z->avail_in == 0 && z->avail_out))
            return Z_DATA_ERROR; /* the input ended before the stream did */
    }
    return result;
}

static bool gunzip(struct boot_image *image, uint64_t limit, struct error *err)
{
    /* Kernels lie far below this; zlib counts its input in 32 bits. */
    if (image->size > UINT32_MAX)
        return error_set(err, "%s '%s' is too large for a gzip file of a %s", image->what,
                         image->path, image->what);
    z_stream z = {.next_in = (Bytef *)image->bytes, .avail_in = (uInt)image->size};
    if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
        return error_set(err, "%s '%s': no memory to decompress it", image->what, image->path);
    uint8_t *to = NULL;
    size_t size = 0;
    const int result = inflate_all(&z, &to, &size, limit);
    const bool truncated = z.avail_in == 0;
    inflateEnd(&z);
    if (result == Z_STREAM_END && size > 0) {
        free(image->unpacked);
        image->unpacked = to;
        image->bytes = to;
        image->size = size;
        return true;
    }
    free(to);
    if (result == Z_STREAM_END)
        return error_set(err, "%s '%s' decompresses to nothing", image->what, image->path);
    if (result == Z_BUF_ERROR)
        return error_set(err,
                         "%s '%s' decompresses to more than the %llu MiB of RAM; give more with "
                         "-m",
                         image->what, image->path, (unsigned long long)(limit >> 20));
    if (result == Z_MEM_ERROR)
        return error_set(err, "%s '%s': no memory to decompress it", image->what, image->path);
    return error_set(err, "%s '%s': its gzip data is %s", image->what, image->path,
                     truncated ? "truncated" : "damaged");
}

/* --- EFI zboot ------------------------------------------------------------------------------ */

static bool open_zboot(struct boot_image *image, struct error *err)
{
    struct zboot_header h;
    if (image->size < sizeof h || memcmp(image->bytes, "MZ", 2) != 0 ||
        memcmp(image->bytes + 4, "zimg", 4) != 0)
        return true;
    memcpy(&h, image->bytes, sizeof h);
    if (strncmp(h.compression, "gzip", sizeof h.compression) != 0)
        return error_set(err,
                         "%s '%s' is an EFI zboot image compressed with %.*s; only gzip can be "
                         "loaded: unpack it first",
                         image->what, image->path, (int)sizeof h.compression, h.compression);
    if (h.payload_offset > image->size || h.payload_size > image->size - h.payload_offset)
        return error_set(err,
                         "%s '%s' is truncated: its EFI zboot payload ends beyond its %zu "
                         "bytes",
                         image->what, image->path, image->size);
    image->bytes += h.payload_offset;
    image->size = h.payload_size;
    return true;
}

static bool is_gzip(const struct boot_image *image)
{
    return image->size >= 2 && image->bytes[0] == 0x1f && image->bytes[1] == 0x8b;
}

bool boot_image_unpack(struct boot_image *image, uint64_t limit_bytes, struct error *err)
{
    if (!open_zboot(image, err))
        return false;
    return !is_gzip(image) || gunzip(image, limit_bytes, err);
}

/* --- uImage --------------------------------------------------------------------------------- */

bool boot_image_is_uimage(const struct boot_image *image)
{
    uint32_t magic = __builtin_bswap32(UIMAGE_MAGIC);
    return image->size >= sizeof magic && memcmp(image->bytes, &magic, sizeof magic) == 0;
}

static bool check_uimage(const struct boot_image *image, struct uimage_header h, struct error *err)
{
    const char *what = image->what, *path = image->path;
    const uint32_t header_crc = __builtin_bswap32(h.header_crc);
    h.header_crc = 0;
    if (crc32(0, (const Bytef *)&h, sizeof h) != header_crc)
        return error_set(err, "%s '%s': damaged uImage header (checksum)", what, path);
    if (h.arch != UIMAGE_ARCH_RISCV)
        return error_set(err,
                         "%s '%s' is a uImage for another architecture (%u); it must be for "
                         "RISC-V (%u)",
                         what, path, h.arch, UIMAGE_ARCH_RISCV);
    if (h.type != UIMAGE_TYPE_KERNEL || h.compression > UIMAGE_GZIP)
        return error_set(err,
                         "%s '%s': a uImage of type %u, compression %u; only kernels (%u), plain "
                         "or gzip, can be loaded",
                         what, path, h.type, h.compression, UIMAGE_TYPE_KERNEL);
    const uint32_t size = __builtin_bswap32(h.size);
    if (size == 0 || size > image->size - sizeof h)
        return error_set(err, "%s '%s' is truncated: its uImage header promises %u bytes of data",
                         what, path, size);
    if (crc32(0, image->bytes + sizeof h, size) != __builtin_bswap32(h.data_crc))
        return error_set(err, "%s '%s': damaged uImage data (checksum)", what, path);
    return true;
}

bool boot_image_open_uimage(struct boot_image *image, struct uimage *header, struct error *err)
{
    struct uimage_header h;
    if (image->size < sizeof h)
        return error_set(err, "%s '%s' is truncated: %zu bytes do not hold a uImage header",
                         image->what, image->path, image->size);
    memcpy(&h, image->bytes, sizeof h);
    if (!check_uimage(image, h, err))
        return false;
    header->load = __builtin_bswap32(h.load);
    header->entry = __builtin_bswap32(h.entry);
    image->bytes += sizeof h;
    image->size = __builtin_bswap32(h.size);
    return true;
}

/* --- raw code and Linux Image ---------------------------------------------------------------- */

/* What a file that is neither ELF nor Image certainly is, when it is no RISC-V code; NULL: unknown,
 * so that it is taken as code. */
static const char *foreign_kind(const struct boot_image *image)
{
    const uint8_t *b = image->bytes;
    if (image->size >= 0x206 && memcmp(b + 0x202, "HdrS", 4) == 0)
        return "a Linux kernel for x86";
    if (image->size >= 0x3c && memcmp(b + 0x38, "ARM\x64", 4) == 0)
        return "a Linux kernel for 64-bit Arm";
    if (image->size >= 4 && memcmp(b, "\xfd\x37zX", 4) == 0)
        return "compressed with xz, which cannot be loaded: unpack it first";
    if (image->size >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0)
        return "compressed with zstd, which cannot be loaded: unpack it first";
    if (image->size >= 3 && memcmp(b, "BZh", 3) == 0)
        return "compressed with bzip2, which cannot be loaded: unpack it first";
    return NULL;
}

/* Reads n bytes of the file at `offset`; false: they are not all there. */
static bool read_at(const struct boot_image *image, uint64_t offset, void *to, size_t n)
{
    if (offset > image->size || n > image->size - offset)
        return false;
    memcpy(to, image->bytes + offset, n);
    return true;
}

/* Where the sections of an EFI stub end in the file, which holds a Linux Image's header; 0: it has
 * none; UINT64_MAX: not even their table is there. image_size does not tell: what
 * follows the last section is zero and need not be in the file. */
static uint64_t pe_end(const struct boot_image *image)
{
    uint32_t at;
    struct pe_header pe;
    struct pe_section section;
    uint64_t end = 0;
    memcpy(&at, image->bytes + PE_OFFSET_AT, sizeof at);
    if (memcmp(image->bytes, "MZ", 2) != 0 || at == 0)
        return 0;
    if (!read_at(image, at, &pe, sizeof pe))
        return UINT64_MAX;
    if (memcmp(pe.signature, "PE\0\0", 4) != 0)
        return 0;
    uint64_t table = (uint64_t)at + sizeof pe + pe.optional_bytes;
    for (unsigned i = 0; i < pe.section_count; i++) {
        if (!read_at(image, table + i * sizeof section, &section, sizeof section))
            return UINT64_MAX;
        end = max_u64(end, (uint64_t)section.file_offset + section.file_bytes);
    }
    return end;
}

bool boot_image_raw_bytes(const struct boot_image *image, uint64_t *bytes, struct error *err)
{
    struct linux_image_header h;
    *bytes = image->size;
    if (image->size >= sizeof h) {
        memcpy(&h, image->bytes, sizeof h);
        if (memcmp(h.magic2, "RSC\5", 4) == 0) {
            if (h.flags & LINUX_IMAGE_BIG_ENDIAN)
                return error_set(err,
                                 "%s '%s' is a big-endian Linux kernel; the machine is "
                                 "little-endian",
                                 image->what, image->path);
            if (pe_end(image) > image->size)
                return error_set(err,
                                 "%s '%s' is truncated: its EFI sections end beyond its %zu bytes",
                                 image->what, image->path, image->size);
            *bytes = max_u64(image->size, h.image_size);
            return true;
        }
    }
    const char *foreign = foreign_kind(image);
    if (foreign)
        return error_set(err, "%s '%s' is %s; it must be 64-bit RISC-V code", image->what,
                         image->path, foreign);
    return true;
}

/* The formats of kernel files, for load.c and who looks for a symbol: containers are unpacked,
 * headers are read, nothing is placed. Every field comes from a file that may be hostile. */
#ifndef RIVULET_FIRMWARE_IMAGE_H
#define RIVULET_FIRMWARE_IMAGE_H

#include "base/bits.h"
#include "base/error.h"
#include "base/os.h"

/* A file and what is being loaded from it: the file's own bytes, or what they unpacked to. */
struct boot_image {
    const char *what; /* "kernel": how errors call it */
    const char *path;
    struct os_file file;
    uint8_t *unpacked; /* malloc()ed; NULL while nothing was compressed */
    const uint8_t *bytes;
    size_t size;
};

bool boot_image_open(struct boot_image *image, const char *what, const char *path,
                     struct error *err) MUST_CHECK;
void boot_image_close(struct boot_image *image);

/* Unpacks an EFI zboot image and gzip, in this order; what unpacks to more than limit_bytes is an
 * error. Anything else stays as it is. */
bool boot_image_unpack(struct boot_image *image, uint64_t limit_bytes,
                       struct error *err) MUST_CHECK;

bool boot_image_is_uimage(const struct boot_image *image);
/* Opens a legacy U-Boot image: image->bytes become its payload. False when it is damaged or for
 * another machine. */
struct uimage {
    uint32_t load, entry;
};
bool boot_image_open_uimage(struct boot_image *image, struct uimage *header,
                            struct error *err) MUST_CHECK;

/* How many bytes must be free for raw code: image_size of a Linux Image, else the file's size.
 * False for an Image of another architecture or byte order. */
bool boot_image_raw_bytes(const struct boot_image *image, uint64_t *bytes,
                          struct error *err) MUST_CHECK;

/* --- elf.c --- */

struct elf_segment {
    uint64_t gpa, memory_bytes; /* memory_bytes >= file_bytes; the rest is zero */
    const uint8_t *bytes;
    uint64_t file_bytes;
};

bool elf_is(const struct boot_image *image);
/* Checks the file header and the program header table. *segments: number of program headers. */
bool elf_check(const struct boot_image *image, unsigned *segments, struct error *err) MUST_CHECK;
/* Program header i of a checked file: memory_bytes is 0 when there is nothing to load. */
bool elf_segment(const struct boot_image *image, unsigned i, struct elf_segment *segment,
                 struct error *err) MUST_CHECK;
/* The physical address of the entry point. */
uint64_t elf_entry(const struct boot_image *image, unsigned segments);

/* --- elf_symbols.c: false if there is none of this name; any file may be asked --- */

bool elf_symbol(const struct boot_image *image, const char *name, uint64_t *value);
bool elf_section(const struct boot_image *image, const char *name, uint64_t *address,
                 uint64_t *bytes);

#endif

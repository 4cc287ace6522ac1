/* ELF files (System V ABI, chapters "Object Files" and "Program Loading"; RISC-V ELF psABI 1.0):
 * 64-bit little-endian RISC-V executables, loaded by their physical addresses. */
#include "firmware/image.h"

#include <string.h>

#define ELF_CLASS_64       2u
#define ELF_DATA_LITTLE    1u
#define ELF_VERSION        1u
#define ELF_EXECUTABLE     2u
#define ELF_SHARED         3u /* position-independent executables */
#define ELF_MACHINE_RISCV  243u
#define ELF_FLAG_RVE       8u
#define ELF_PHDR_LOAD      1u
#define ELF_PHDR_EXECUTE   1u
#define ELF_PHDRS_EXTENDED 0xffffu /* the true number is in section 0 */

struct elf_header {
    uint8_t magic[4], class, data, ident_version, rest[9];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64, "as the ABI lays it out");
_Static_assert(sizeof(struct elf_program_header) == 56, "as the ABI lays it out");

bool elf_is(const struct boot_image *image)
{
    return image->size >= 4 && memcmp(image->bytes, "\177ELF", 4) == 0;
}

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case 3:
        return "x86";
    case 8:
        return "MIPS";
    case 20:
    case 21:
        return "PowerPC";
    case 40:
        return "32-bit Arm";
    case 62:
        return "x86-64";
    case 183:
        return "64-bit Arm";
    case 258:
        return "LoongArch";
    default:
        return "another architecture";
    }
}

/* Class and byte order are in the first bytes and decide how all others are read. */
static bool check_ident(const struct boot_image *image, struct error *err)
{
    const char *what = image->what, *path = image->path;
    const uint8_t *ident = image->bytes;
    if (image->size < sizeof(struct elf_header))
        return error_set(err, "%s '%s' is truncated: %zu bytes do not hold an ELF header", what,
                         path, image->size);
    if (ident[5] != ELF_DATA_LITTLE)
        return error_set(err,
                         "%s '%s' is a big-endian ELF file; the machine is little-endian "
                         "64-bit RISC-V",
                         what, path);
    if (ident[4] != ELF_CLASS_64)
        return error_set(err, "%s '%s' is a 32-bit ELF file; the machine is 64-bit RISC-V", what,
                         path);
    return true;
}

static bool check_header(const struct boot_image *image, const struct elf_header *h,
                         struct error *err)
{
    const char *what = image->what, *path = image->path;
    if (h->machine != ELF_MACHINE_RISCV)
        return error_set(err,
                         "%s '%s' is an ELF file for %s (machine %u); it must be for 64-bit "
                         "RISC-V",
                         what, path, machine_name(h->machine), h->machine);
    if (h->ident_version != ELF_VERSION || h->version != ELF_VERSION)
        return error_set(err, "%s '%s': unknown ELF version %u", what, path, h->version);
    if (h->type != ELF_EXECUTABLE && h->type != ELF_SHARED)
        return error_set(err, "%s '%s' is an ELF file of type %u, not an executable: link it first",
                         what, path, h->type);
    if (h->flags & ELF_FLAG_RVE)
        return error_set(err, "%s '%s' is built for RV64E; the machine is RV64I", what, path);
    if (h->ehsize < sizeof *h || h->phentsize != sizeof(struct elf_program_header))
        return error_set(err, "%s '%s': damaged ELF header (header sizes %u and %u)", what, path,
                         h->ehsize, h->phentsize);
    if (h->phnum == 0 || h->phnum == ELF_PHDRS_EXTENDED)
        return error_set(err,
                         "%s '%s': the ELF file has %s program headers, so nothing can be "
                         "loaded from it",
                         what, path, h->phnum ? "too many" : "no");
    if (h->phoff > image->size || (uint64_t)h->phnum * h->phentsize > image->size - h->phoff)
        return error_set(err, "%s '%s' is truncated: the program headers end beyond its %zu bytes",
                         what, path, image->size);
    return true;
}

bool elf_check(const struct boot_image *image, unsigned *segments, struct error *err)
{
    struct elf_header h;
    if (!check_ident(image, err))
        return false;
    memcpy(&h, image->bytes, sizeof h);
    if (!check_header(image, &h, err))
        return false;
    *segments = h.phnum;
    return true;
}

static struct elf_program_header program_header(const struct boot_image *image, unsigned i)
{
    struct elf_header h;
    struct elf_program_header p;
    memcpy(&h, image->bytes, sizeof h);
    memcpy(&p, image->bytes + h.phoff + (uint64_t)i * sizeof p, sizeof p);
    return p;
}

bool elf_segment(const struct boot_image *image, unsigned i, struct elf_segment *segment,
                 struct error *err)
{
    const struct elf_program_header p = program_header(image, i);
    *segment = (struct elf_segment){0};
    if (p.type != ELF_PHDR_LOAD || p.memsz == 0)
        return true;
    if (p.filesz > p.memsz)
        return error_set(err, "%s '%s': ELF segment %u is larger in the file than in memory",
                         image->what, image->path, i);
    if (p.offset > image->size || p.filesz > image->size - p.offset)
        return error_set(err, "%s '%s' is truncated: ELF segment %u ends beyond its %zu bytes",
                         image->what, image->path, i, image->size);
    if (p.paddr + p.memsz < p.paddr)
        return error_set(err, "%s '%s': ELF segment %u runs over the end of the address space",
                         image->what, image->path, i);
    *segment = (struct elf_segment){.gpa = p.paddr,
                                    .memory_bytes = p.memsz,
                                    .bytes = image->bytes + p.offset,
                                    .file_bytes = p.filesz};
    return true;
}

/* The header gives a virtual address; a hart starts without translation. As QEMU does, an address
 * in an executable segment is moved by what separates its virtual and physical addresses. */
uint64_t elf_entry(const struct boot_image *image, unsigned segments)
{
    struct elf_header h;
    memcpy(&h, image->bytes, sizeof h);
    for (unsigned i = 0; i < segments; i++) {
        const struct elf_program_header p = program_header(image, i);
        if (p.type == ELF_PHDR_LOAD && (p.flags & ELF_PHDR_EXECUTE) && h.entry - p.vaddr < p.memsz)
            return h.entry - p.vaddr + p.paddr;
    }
    return h.entry;
}

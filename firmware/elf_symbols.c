/* Symbols and sections of an ELF file by name (contract: image.h). Every offset and size is the
 * file's word, and is checked. */
#include "firmware/image.h"

#include <elf.h>
#include <string.h>

static bool get(const struct boot_image *image, uint64_t offset, void *to, size_t n)
{
    if (offset > image->size || n > image->size - offset)
        return false;
    memcpy(to, image->bytes + offset, n);
    return true;
}

static bool get_section(const struct boot_image *image, const Elf64_Ehdr *h, uint32_t i,
                        Elf64_Shdr *section)
{
    return i < h->e_shnum && h->e_shentsize == sizeof *section &&
           h->e_shoff <= UINT64_MAX - (uint64_t)i * sizeof *section &&
           get(image, h->e_shoff + (uint64_t)i * sizeof *section, section, sizeof *section);
}

/* Whether the text at `at` of a section of strings is this one. */
static bool is_named(const struct boot_image *image, const Elf64_Shdr *strings, uint32_t at,
                     const char *name)
{
    size_t n = strlen(name) + 1;
    return at <= strings->sh_size && n <= strings->sh_size - at &&
           strings->sh_offset <= image->size && at <= image->size - strings->sh_offset &&
           n <= image->size - strings->sh_offset - at &&
           memcmp(image->bytes + strings->sh_offset + at, name, n) == 0;
}

static bool find_in_table(const struct boot_image *image, const Elf64_Ehdr *h,
                          const Elf64_Shdr *table, const char *name, uint64_t *value)
{
    Elf64_Shdr strings;
    Elf64_Sym symbol;
    if (!get_section(image, h, table->sh_link, &strings) || table->sh_offset > image->size)
        return false;
    uint64_t n = min_u64(table->sh_size, image->size - table->sh_offset);
    for (uint64_t at = 0; at + sizeof symbol <= n; at += sizeof symbol) {
        if (get(image, table->sh_offset + at, &symbol, sizeof symbol) &&
            symbol.st_shndx != SHN_UNDEF && is_named(image, &strings, symbol.st_name, name)) {
            *value = symbol.st_value;
            return true;
        }
    }
    return false;
}

bool elf_symbol(const struct boot_image *image, const char *name, uint64_t *value)
{
    Elf64_Ehdr h;
    Elf64_Shdr section;
    if (!get(image, 0, &h, sizeof h))
        return false;
    for (uint32_t i = 0; get_section(image, &h, i, &section); i++)
        if (section.sh_type == SHT_SYMTAB && find_in_table(image, &h, &section, name, value))
            return true;
    return false;
}

bool elf_section(const struct boot_image *image, const char *name, uint64_t *address,
                 uint64_t *bytes)
{
    Elf64_Ehdr h;
    Elf64_Shdr section, names;
    if (!get(image, 0, &h, sizeof h) || !get_section(image, &h, h.e_shstrndx, &names))
        return false;
    for (uint32_t i = 0; get_section(image, &h, i, &section); i++) {
        if (!is_named(image, &names, section.sh_name, name))
            continue;
        *address = section.sh_addr;
        *bytes = section.sh_size;
        return true;
    }
    return false;
}

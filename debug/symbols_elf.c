/* The symbols of a 64-bit little-endian ELF file (System V ABI, "Symbol Table"): .symtab, or else
 * .dynsym. Every offset of the file is checked: it may come from anywhere. */
#include "debug/symbols.h"

#include <elf.h>
#include <string.h>

struct image {
    const uint8_t *bytes;
    size_t size;
};

/* A structure at an offset of the file; false: it does not lie in it. */
static bool get(const struct image *f, uint64_t offset, void *to, size_t n)
{
    if (offset > f->size || n > f->size - offset)
        return false;
    memcpy(to, f->bytes + offset, n);
    return true;
}

/* A text of a string section; NULL: it does not end in it. */
static const char *get_text(const struct image *f, const Elf64_Shdr *strings, uint64_t at)
{
    if (strings->sh_offset > f->size || strings->sh_size > f->size - strings->sh_offset ||
        at >= strings->sh_size)
        return NULL;
    const char *text = (const char *)f->bytes + strings->sh_offset + at;
    return memchr(text, 0, strings->sh_size - at) ? text : NULL;
}

static bool get_section(const struct image *f, const Elf64_Ehdr *header, unsigned i, Elf64_Shdr *to)
{
    return i < header->e_shnum && header->e_shentsize == sizeof *to &&
           get(f, header->e_shoff + (uint64_t)i * sizeof *to, to, sizeof *to);
}

static bool find_section(const struct image *f, const Elf64_Ehdr *header, uint32_t type,
                         Elf64_Shdr *to)
{
    for (unsigned i = 0; get_section(f, header, i, to); i++)
        if (to->sh_type == type)
            return true;
    return false;
}

/* Functions, objects, and labels of assembly, less the marks of mapping ($x) and local ones. */
static bool is_wanted(const Elf64_Sym *symbol, const char *name)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS && name && *name &&
           *name != '$' && strncmp(name, ".L", 2) != 0 &&
           (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE);
}

bool symbols_elf_is(const uint8_t *bytes, size_t size)
{
    return size >= sizeof(Elf64_Ehdr) && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

bool symbols_elf_read(struct symbols *s, const uint8_t *bytes, size_t size, uint64_t base,
                      struct error *err)
{
    struct image f = {bytes, size};
    Elf64_Ehdr header;
    Elf64_Shdr table, strings;
    Elf64_Sym symbol;
    if (!get(&f, 0, &header, sizeof header) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_RISCV)
        return error_set(err, "it is no 64-bit RISC-V ELF file");
    if (!find_section(&f, &header, SHT_SYMTAB, &table) &&
        !find_section(&f, &header, SHT_DYNSYM, &table))
        return error_set(err, "it was stripped of its symbols; give the file before that");
    if (!get_section(&f, &header, table.sh_link, &strings))
        return error_set(err, "its symbols have no names: the file is damaged");
    for (uint64_t at = 0; at + sizeof symbol <= table.sh_size; at += sizeof symbol) {
        if (table.sh_offset > UINT64_MAX - at ||
            !get(&f, table.sh_offset + at, &symbol, sizeof symbol))
            return error_set(err, "its symbols run over its end: the file is damaged");
        const char *name = get_text(&f, &strings, symbol.st_name);
        if (!is_wanted(&symbol, name))
            continue;
        bool code = ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT;
        if (!symbols_add(s, symbol.st_value + base, symbol.st_size, name, code))
            return error_set(err, "no memory for the symbols");
    }
    return true;
}

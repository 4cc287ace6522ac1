#include "syscall/elf.h"

#include <errno.h>
#include <unistd.h>

static int refuse(const char **why, const char *text)
{
    *why = text;
    return -ENOEXEC;
}

static bool read_at(int fd, void *to, size_t n, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, to, n, (off_t)offset) == (ssize_t)n;
}

static int check_header(const Elf64_Ehdr *h, const char **why)
{
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(why, "it is no ELF file and no script");
    if (h->e_machine != EM_RISCV)
        return refuse(why, "it is a program of another machine, not RISC-V");
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(why, "it is no 64-bit little-endian program");
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return refuse(why, "it is an ELF file, but no program");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum || h->e_phnum > ELF_HEADERS_MOST)
        return refuse(why, "its table of segments is not possible");
    return 0;
}

static int check_segment(struct elf_file *elf, const Elf64_Phdr *p, const char **why)
{
    bool wraps = p->p_vaddr >= SPACE_BYTES || p->p_memsz > SPACE_BYTES - p->p_vaddr;
    if (wraps || p->p_filesz > p->p_memsz || p->p_offset > INT64_MAX - p->p_filesz)
        return refuse(why, "a segment is larger than the address space");
    if ((p->p_vaddr - p->p_offset) % PAGE_BYTES)
        return refuse(why, "a segment's address and place in the file do not fit");
    uint64_t end = (p->p_vaddr + p->p_memsz + PAGE_BYTES - 1) & PAGE_MASK;
    elf->low = min_u64(elf->low, p->p_vaddr & PAGE_MASK);
    elf->high = max_u64(elf->high, end);
    return 0;
}

static int read_interpreter(int fd, struct elf_file *elf, const Elf64_Phdr *p, const char **why)
{
    if (p->p_filesz < 2 || p->p_filesz > sizeof elf->interpreter ||
        !read_at(fd, elf->interpreter, p->p_filesz, p->p_offset) ||
        elf->interpreter[p->p_filesz - 1])
        return refuse(why, "the name of its interpreter is not possible");
    return 0;
}

int elf_read(int fd, struct elf_file *elf, const char **why)
{
    *elf = (struct elf_file){.low = UINT64_MAX};
    if (!read_at(fd, &elf->header, sizeof elf->header, 0))
        return refuse(why, "it is too short for a program");
    int error = check_header(&elf->header, why);
    size_t table = elf->header.e_phnum * sizeof elf->segments[0];
    if (error)
        return error;
    if (!read_at(fd, elf->segments, table, elf->header.e_phoff))
        return refuse(why, "its table of segments lies behind its end");
    for (unsigned i = 0; i < elf->header.e_phnum && !error; i++) {
        const Elf64_Phdr *p = &elf->segments[i];
        if (p->p_type == PT_LOAD && p->p_memsz)
            error = check_segment(elf, p, why);
        else if (p->p_type == PT_INTERP)
            error = read_interpreter(fd, elf, p, why);
        else if (p->p_type == PT_GNU_STACK)
            elf->stack_executes = p->p_flags & PF_X;
    }
    if (!error && elf->low >= elf->high)
        return refuse(why, "it has no segment to be loaded");
    return error;
}

/* ---- mapping ---- */

static unsigned protection_of(const Elf64_Phdr *p)
{
    return (p->p_flags & PF_R ? SPACE_READ : 0) | (p->p_flags & PF_W ? SPACE_WRITE : 0) |
           (p->p_flags & PF_X ? SPACE_EXECUTE : 0);
}

/* The part that is not in the file is zero: the rest of its last page, and pages of its own. */
static int map_zeros(struct space *s, const Elf64_Phdr *p, uint64_t va)
{
    uint64_t in_file = va + p->p_filesz, end = (va + p->p_memsz + PAGE_BYTES - 1) & PAGE_MASK;
    uint64_t page = (in_file + PAGE_BYTES - 1) & PAGE_MASK;
    if (p->p_filesz && p->p_flags & PF_W && p->p_memsz > p->p_filesz && page > in_file) {
        /* A file that ends before its last page has no memory there. */
        const struct mapping *m = space_find(s, in_file);
        if (m)
            memset(s->host + in_file, 0, page - in_file);
    }
    if (page >= end)
        return 0;
    int64_t got = space_map(s, page, end - page, protection_of(p),
                            SPACE_PRIVATE | SPACE_FIXED | SPACE_ANONYMOUS, -1, 0);
    return got < 0 ? (int)got : 0;
}

static int map_segment(struct space *s, int fd, const Elf64_Phdr *p, uint64_t bias)
{
    uint64_t va = p->p_vaddr + bias, before = va % PAGE_BYTES;
    if (p->p_filesz) {
        int64_t got = space_map(s, va - before, p->p_filesz + before, protection_of(p),
                                SPACE_PRIVATE | SPACE_FIXED, fd, p->p_offset - before);
        if (got < 0)
            return (int)got;
    }
    Elf64_Phdr rest = *p;
    if (!p->p_filesz) { /* all zeros: from the page's beginning */
        va -= before;
        rest.p_memsz += before;
    }
    return map_zeros(s, &rest, va);
}

/* The segments must not land on what another process part holds: their span is taken first. */
static int64_t take_place(struct space *s, const struct elf_file *elf, uint64_t place)
{
    unsigned flags = SPACE_PRIVATE | SPACE_ANONYMOUS;
    if (elf->header.e_type == ET_EXEC)
        place = elf->low;
    if (place || elf->header.e_type == ET_EXEC)
        flags |= SPACE_NO_REPLACE;
    return space_map(s, place, elf->high - elf->low, 0, flags, -1, 0);
}

/* The table of segments as the program sees it: PT_PHDR, or within what is loaded. */
static uint64_t headers_address(const struct elf_file *elf, uint64_t bias)
{
    for (unsigned i = 0; i < elf->header.e_phnum; i++)
        if (elf->segments[i].p_type == PT_PHDR)
            return elf->segments[i].p_vaddr + bias;
    for (unsigned i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *p = &elf->segments[i];
        if (p->p_type == PT_LOAD && elf->header.e_phoff >= p->p_offset &&
            elf->header.e_phoff - p->p_offset < p->p_filesz)
            return p->p_vaddr + bias + (elf->header.e_phoff - p->p_offset);
    }
    return 0;
}

int elf_map(struct space *s, int fd, const struct elf_file *elf, uint64_t place,
            struct elf_image *image)
{
    int64_t base = take_place(s, elf, place);
    if (base < 0)
        return (int)base;
    uint64_t bias = (uint64_t)base - elf->low;
    int64_t error = space_unmap(s, (uint64_t)base, elf->high - elf->low);
    for (unsigned i = 0; i < elf->header.e_phnum && !error; i++)
        if (elf->segments[i].p_type == PT_LOAD && elf->segments[i].p_memsz)
            error = map_segment(s, fd, &elf->segments[i], bias);
    *image = (struct elf_image){.entry = elf->header.e_entry + bias,
                                .bias = bias,
                                .headers = headers_address(elf, bias),
                                .end = elf->high + bias};
    return (int)error;
}

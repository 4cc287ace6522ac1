/* Programs as ELF files: what the kernel's loader makes of them (System V ABI, chapters "Object
 * Files" and "Program Loading"). */
#ifndef RIVULET_SYSCALL_ELF_H
#define RIVULET_SYSCALL_ELF_H

#include "syscall/space.h"

#include <elf.h>

#define ELF_HEADERS_MOST 64u
#define ELF_PATH_MOST    4096u

/* A checked header. */
struct elf_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[ELF_HEADERS_MOST];
    char interpreter[ELF_PATH_MOST]; /* ""; none */
    uint64_t low, high;              /* pages that the segments cover */
    bool stack_executes;
};

/* Where it went. */
struct elf_image {
    uint64_t entry, bias, headers, end;
};

/* Reads and checks what can be known without loading. 0 or a negative errno; *why then says it in
 * words. */
int elf_read(int fd, struct elf_file *elf, const char **why);
/* Maps the segments: a position-independent file goes to `place`, or where there is room if that is
 * 0. */
int elf_map(struct space *s, int fd, const struct elf_file *elf, uint64_t place,
            struct elf_image *image);

#endif

/* A program's address space: a sorted table of mappings over one reservation of host memory, in
 * which guest address `va` lies at `host + va`. Guest-physical addresses are virtual ones, so that
 * decoded code, breakpoints and traces need no other key; what may be accessed is decided by the
 * table alone, which fills the TLB in place of page tables.
 *
 * Errors are negative numbers of Linux's errno. */
#ifndef RIVULET_SYSCALL_SPACE_H
#define RIVULET_SYSCALL_SPACE_H

#include "cpu/hart.h"

/* Of Sv39, as Linux has it for programs on most hardware. */
#define SPACE_BYTES     (1ull << 38)
#define SPACE_LOWEST    0x10000ull /* vm.mmap_min_addr */
#define SPACE_STACK_TOP (SPACE_BYTES - PAGE_BYTES)

enum space_protection { SPACE_READ = 1, SPACE_WRITE = 2, SPACE_EXECUTE = 4 };

/* Flags of mmap (asm-generic). */
enum space_flag {
    SPACE_SHARED = 0x01,
    SPACE_PRIVATE = 0x02,
    SPACE_SHARED_VALIDATE = 0x03,
    SPACE_TYPE = 0x0f,
    SPACE_FIXED = 0x10,
    SPACE_ANONYMOUS = 0x20,
    SPACE_NO_REPLACE = 0x100000,
};

struct mapping {
    uint64_t start, end;
    uint8_t protection;
    bool shared;
    bool file;
    bool sealed; /* a shared file that cannot be written */
    bool kept;   /* from the children of a fork */
};

struct space {
    uint8_t *host; /* of guest address 0 */
    uint8_t *marks;
    struct memory_map *memory;
    struct hart *hart; /* whose TLB follows; set by the owner */
    struct mapping *mappings;
    size_t count, room;
    uint64_t mapped_bytes, limit_bytes;
    uint64_t brk_start, brk;
    uint64_t map_top;    /* mappings without an address lie below, the stack above */
    uint64_t file_count; /* of files that were ever mapped to be executed */
    bool notes_stores;   /* space_note_stores was called: space_at marks what it gives */
};

/* memory gets one RAM region of SPACE_BYTES. limit_bytes: of all mappings; 0: none. */
bool space_init(struct space *s, struct memory_map *memory, uint64_t limit_bytes,
                struct error *err) MUST_CHECK;
void space_release(struct space *s);
/* Removes all mappings. */
void space_clear(struct space *s);

/* mmap and its kin; addresses and lengths are as the guest gave them. space_map, space_remap and
 * space_set_brk return an address. */
int64_t space_map(struct space *s, uint64_t va, uint64_t bytes, unsigned protection, unsigned flags,
                  int fd, uint64_t offset);
int64_t space_unmap(struct space *s, uint64_t va, uint64_t bytes);
int64_t space_protect(struct space *s, uint64_t va, uint64_t bytes, unsigned protection);
#define SPACE_MAY_MOVE 1u
#define SPACE_MOVE_TO  2u
int64_t space_remap(struct space *s, uint64_t va, uint64_t bytes, uint64_t new_bytes,
                    unsigned flags, uint64_t new_va);
uint64_t space_set_brk(struct space *s, uint64_t brk);

/* The mapping that holds va, or NULL. */
const struct mapping *space_find(const struct space *s, uint64_t va);
/* For hart_ports: the owner is a struct space. */
bool space_find_leaf(void *owner, uint64_t va, struct translation *leaf);

/* How many of n bytes from va on the guest may access so. */
uint64_t space_reach(const struct space *s, uint64_t va, uint64_t n, enum space_protection access);
/* The host's address of n bytes that the guest may access so; NULL: it may not access all. To be
 * written: code decoded from there is dropped. */
void *space_at(struct space *s, uint64_t va, uint64_t n, enum space_protection access);
/* MADV_DONTFORK, or MADV_DOFORK: whether a fork's child has the range. */
int64_t space_keep(struct space *s, uint64_t va, uint64_t bytes, bool kept);
/* In the child: without what was kept from it. */
void space_lose_kept(struct space *s);
/* Whether all of the range is mapped, with any protection. */
bool space_is_mapped(const struct space *s, uint64_t va, uint64_t n);
/* What was decoded from the range is dropped: its bytes are about to change. */
void space_will_change(struct space *s, uint64_t va, uint64_t n);
/* Until space_clear, pages of private memory that are written are noted; the second tells of them,
 * in runs, and of each once. */
void space_note_stores(struct space *s);
void space_take_stores(struct space *s, void (*written)(void *owner, uint64_t va, uint64_t bytes),
                       void *owner);
/* A string with its 0; NULL: it runs out of what can be read. */
const char *space_string(struct space *s, uint64_t va);
/* A copy, which ends with a 0 whatever happens to the guest's memory meanwhile: 0, -EFAULT, or
 * -ENAMETOOLONG. */
int space_copy_string(const struct space *s, uint64_t va, char *to, size_t room);

#endif

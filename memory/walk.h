/* The page-table walk: privileged manual, section "Virtual Address Translation Process", for Sv39,
 * Sv48 and Sv57, with Svnapot, Svpbmt, Svade and Svadu. A pure function of its arguments, guest
 * memory, and the hook that checks PMP. */
#ifndef RIVULET_MEMORY_WALK_H
#define RIVULET_MEMORY_WALK_H

#include "memory/map.h"

enum tlb_access { TLB_LOAD, TLB_STORE, TLB_FETCH, TLB_ACCESSES };

/* Leaf bits that decide what an access may do. */
enum pte_bit {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};

/* The result: one 4 KiB page of a leaf of any size. */
struct translation {
    uint64_t va, pa;    /* page addresses */
    uint8_t pte;        /* enum pte_bit of the leaf; G if any level had it */
    uint8_t page_shift; /* log2 of the leaf's size: 12, 16 (Svnapot), 21, 30, 39, 48 */
};

#define WALK_LEVELS 5u

/* A walk as a debugger wants it told. */
struct walk_report {
    struct {
        uint64_t gpa, pte;
    } entries[WALK_LEVELS]; /* from the root on */
    unsigned count;
    const char *why;         /* there is a fault; NULL: the access is allowed */
    bool has_leaf;           /* whoever may use it */
    struct translation leaf; /* has_leaf */
};

struct walk_request {
    struct memory_map *memory;
    uint64_t satp; /* MODE 8, 9 or 10 */
    bool svadu;    /* menvcfg.ADUE: hardware updates A and D */
    bool svpbmt;   /* menvcfg.PBMTE */
    bool svnapot;  /* PTEs may have N */
    /* Whether an S-mode access of 8 bytes to a page-table entry is allowed (PMP). */
    bool (*pte_allowed)(void *owner, uint64_t gpa, enum tlb_access access);
    void *owner;
    /* Stands for the tables: fills in the leaf of va's page, or there is none. NULL: they are
     * walked. */
    bool (*find_leaf)(void *owner, uint64_t va, struct translation *leaf);
    void *leaf_owner;
    /* NULL, or filled, and then nothing is written: A and D stay as they are. */
    struct walk_report *report;
};

enum walk_result { WALK_OK, WALK_PAGE_FAULT, WALK_ACCESS_FAULT };

/* Whether a leaf with these bits allows the access: `user` privilege U, else S with `sum`.
 * `mxr` lets loads read what is executable. */
bool walk_permits(uint8_t pte, enum tlb_access access, bool user, bool sum, bool mxr);

/* Translates va for `access`, checks permission, updates A and D where svadu says so. */
enum walk_result walk(const struct walk_request *request, uint64_t va, enum tlb_access access,
                      bool user, bool sum, bool mxr, struct translation *result) MUST_CHECK;

#endif

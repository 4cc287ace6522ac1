/* The small runtime of the bare-metal tests: named checks, UART output, exit, probes for traps.
 * A test is one file with a main() that runs in M-mode on hart 0; other harts run secondary(). */
#ifndef ISA_RT_H
#define ISA_RT_H

#include "tests/isa/lib/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What start.S keeps for each hart; the trap fields are those of the last trap to M-mode. */
struct context {
    uint64_t recover; /* where to go on after the next trap; 0: a trap ends the test */
    uint64_t count;   /* traps so far */
    uint64_t cause, epc, tval, status;
    uint64_t saved[3];
    uint64_t unused[7];
};
extern struct context contexts[MAX_HARTS];
/* start.S: the trap handler that probes need. */
extern const char trap_entry[];

/* Board: QEMU's virt. */
#define UART           0x10000000ul
#define TEST           0x100000ul
#define CLINT          0x2000000ul
#define MSIP(hart)     (*(volatile uint32_t *)(CLINT + 4 * (hart)))
#define MTIMECMP(hart) (*(volatile uint64_t *)(CLINT + 0x4000 + 8 * (hart)))
#define MTIME          (*(volatile uint64_t *)(CLINT + 0xbff8))

enum { U = 0, S = 1, M = 3 };
enum {
    FETCH_MISALIGNED = 0,
    FETCH_ACCESS = 1,
    ILLEGAL = 2,
    BREAKPOINT = 3,
    LOAD_MISALIGNED = 4,
    LOAD_ACCESS = 5,
    STORE_MISALIGNED = 6,
    STORE_ACCESS = 7,
    ECALL_U = 8,
    ECALL_S = 9,
    ECALL_M = 11,
    FETCH_PAGE = 12,
    LOAD_PAGE = 13,
    STORE_PAGE = 15,
};
#define INTERRUPT(n) (1ull << 63 | (n))

#define MSTATUS_SIE  (1ull << 1)
#define MSTATUS_MIE  (1ull << 3)
#define MSTATUS_SPIE (1ull << 5)
#define MSTATUS_MPIE (1ull << 7)
#define MSTATUS_SPP  (1ull << 8)
#define MSTATUS_MPP  (3ull << 11)
#define MSTATUS_FS   (3ull << 13)
#define MSTATUS_MPRV (1ull << 17)
#define MSTATUS_SUM  (1ull << 18)
#define MSTATUS_MXR  (1ull << 19)
#define MSTATUS_TVM  (1ull << 20)
#define MSTATUS_TW   (1ull << 21)
#define MSTATUS_TSR  (1ull << 22)
#define MSTATUS_SD   (1ull << 63)

#define PTE_V    (1ull << 0)
#define PTE_R    (1ull << 1)
#define PTE_W    (1ull << 2)
#define PTE_X    (1ull << 3)
#define PTE_U    (1ull << 4)
#define PTE_G    (1ull << 5)
#define PTE_A    (1ull << 6)
#define PTE_D    (1ull << 7)
#define PTE_PBMT (3ull << 61)
#define PTE_N    (1ull << 63)

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        asm volatile("csrr %0, " #csr : "=r"(value_) : : "memory");                                \
        value_;                                                                                    \
    })
#define csr_write(csr, v) asm volatile("csrw " #csr ", %0" : : "r"((uint64_t)(v)) : "memory")
#define csr_set(csr, v)   asm volatile("csrs " #csr ", %0" : : "r"((uint64_t)(v)) : "memory")
#define csr_clear(csr, v) asm volatile("csrc " #csr ", %0" : : "r"((uint64_t)(v)) : "memory")
#define csr_swap(csr, v)                                                                           \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        asm volatile("csrrw %0, " #csr ", %1" : "=r"(value_) : "r"((uint64_t)(v)) : "memory");     \
        value_;                                                                                    \
    })

#define PROBE_BEGIN "la t0, 7f; csrr t1, mscratch; sd t0, 0(t1);"
#define PROBE_END   "; 7: csrr t1, mscratch; sd zero, 0(t1)"
/* Runs assembly that may trap; execution goes on after it either way. The operands (inputs only)
 * must not be in t0 or t1. */
#define PROBE(text, ...)                                                                           \
    asm volatile(PROBE_BEGIN text PROBE_END : : __VA_ARGS__ : "t0", "t1", "t2", "memory")

/* The same with t2 as result, which holds `before` when the assembly does not write it. */
#define PROBE_T2(before, text, ...)                                                                \
    ({                                                                                             \
        register uint64_t result_ asm("t2") = (before);                                            \
        asm volatile(PROBE_BEGIN text PROBE_END                                                    \
                     : "+r"(result_)                                                               \
                     : __VA_ARGS__                                                                 \
                     : "t0", "t1", "memory");                                                      \
        result_;                                                                                   \
    })

static inline struct context *self(void)
{
    return (struct context *)csr_read(mscratch);
}

/* Forgets the last trap, so that traps() tells about what comes next. */
void traps_reset(void);
static inline uint64_t traps(void)
{
    return self()->count;
}

/* Memory accesses of 1, 2, 4 or 8 bytes in M-mode that may trap; a load then returns ~0. */
uint64_t probe_load(uint64_t va, unsigned size);
void probe_store(uint64_t va, unsigned size, uint64_t value);
/* The same with the translation and protection of a lower mode (MPRV). */
uint64_t load_as(unsigned priv, uint64_t va, unsigned size);
void store_as(unsigned priv, uint64_t va, unsigned size, uint64_t value);
/* See start.S. */
uint64_t enter(unsigned priv, uint64_t pc, uint64_t a, uint64_t b);

/* Checks. The name says what is proved; a failed one is printed, and the test goes on. */
void check(const char *name, bool ok);
void check_eq(const char *name, uint64_t got, uint64_t want);
/* Since traps_reset: one trap with this cause and tval, or none. */
void check_trap(const char *name, uint64_t cause, uint64_t tval);
void check_no_trap(const char *name);
/* A check of a row of a generated table: prints the operands when it fails. */
void check_row(const char *insn, const uint64_t *operands, unsigned n, uint64_t got, uint64_t want);
/* Prints why some checks are left out. */
void skip(const char *why);

/* QEMU 7.2 is lax or lacks things in places; each use says which. */
static inline bool on_qemu72(void)
{
    return csr_read(marchid) == 0x70216;
}

void print(const char *text);
void print_hex(uint64_t v);
/* Prints the sum and powers off: status 0 if every check passed, else 1. */
void test_end(void) __attribute__((noreturn));

#endif

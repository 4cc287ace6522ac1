/* Who watches a hart: a trace, a profiler.
 *
 * Notices come from slow paths alone: each asks one word of the hart, and without an observer no
 * handler is different. The two that tell of everything that runs (NOTICE_BEGINS, NOTICE_RAN) need
 * runs that end where the observer can follow: the code cache is told to make such blocks
 * (code_watch), and the run loop enters them one at a time. Since nothing observable depends on
 * where blocks end, a watched hart computes what an unwatched one does.
 *
 * An observer looks, and changes nothing. It is called inside an instruction: pc and steps of the
 * hart are synced, and cpu/peek.h serves. */
#ifndef RIVULET_CPU_OBSERVER_H
#define RIVULET_CPU_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

struct hart;

enum notice_kind {
    NOTICE_TRAP,       /* before it is taken: pc and privilege are those that it interrupts */
    NOTICE_RETURN,     /* mret or sret, before privilege and pc change */
    NOTICE_SBI_CALL,   /* the built-in SBI is called: a7, a6, a0 to a5; pc is behind the ecall */
    NOTICE_SBI_RETURN, /* a0 and a1 hold the answer */
    NOTICE_CSR,        /* an instruction has written a CSR */
    NOTICE_MMIO,       /* an access to a device is done */
    NOTICE_WALK,       /* a page-table walk is done */
    NOTICE_BEGINS,     /* a run begins at pc, on the page page_va, page_pa */
    NOTICE_RAN,        /* it has ended: before pc */
    NOTICE_SAMPLE,     /* steps have come to sample_step */
    NOTICE_MARK,       /* an instruction of code_set_marks is about to run at pc; twice if it could
                          not, and is tried again at the same step */
    NOTICE_SET,        /* registers are about to be set by a reset or a debugger */
};
#define NOTICE_BIT(kind) (1u << (kind))
/* The kinds that need runs. */
#define NOTICE_RUNS (NOTICE_BIT(NOTICE_BEGINS) | NOTICE_BIT(NOTICE_RAN))

struct notice {
    enum notice_kind kind;
    uint64_t address; /* TRAP: tval; RETURN: new pc; MMIO: physical; WALK: virtual */
    uint64_t value;   /* TRAP: cause; CSR, MMIO: value; WALK: physical page */
    uint64_t old;     /* CSR: before */
    uint64_t start;   /* RAN: where the run began; MMIO: virtual address */
    unsigned number;  /* TRAP, RETURN: new privilege; CSR: its number; MMIO: bytes;
                         WALK: enum tlb_access; RAN: instructions retired */
    bool store;       /* MMIO */
    bool failed;      /* WALK: a fault; RAN: ended by an exception at its last instruction */
};

struct hart_observer {
    void (*notice)(void *owner, struct hart *h, const struct notice *n);
    void *owner;
    unsigned wants;       /* bits of enum notice_kind */
    uint64_t sample_step; /* NOTICE_SAMPLE: the observer sets the next one, a later step */
};

/* Between runs; NULL: nobody. The observer stays the caller's. When it wants NOTICE_RUNS the code
 * cache must have been told (code_watch). */
void hart_set_observer(struct hart *h, struct hart_observer *observer);

#endif

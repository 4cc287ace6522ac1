/* A hart without its run loop, for tests of CSRs, traps and PMP: the functions that csr.c, trap.c
 * and pmp.c call are here, and count how often they were called. */
#ifndef RIVULET_TESTS_HART_FIXTURE_H
#define RIVULET_TESTS_HART_FIXTURE_H

#include "cpu/hart.h"

#define FIXTURE_PC 0x80001000ull

struct hart_fixture {
    struct hart hart;
    struct clock clock;     /* the hart's */
    uint64_t now_ns;        /* what hart_now_ns answers */
    uint8_t host_fp_flags;  /* what fp_sync brings in */
    unsigned translations;  /* calls of hart_update_translation */
    unsigned tlb_flushes;   /* hart_flush_tlb */
    unsigned code_contexts; /* hart_update_code_context */
    unsigned fp_reloads;    /* fp_reload */
    unsigned timers_set;    /* hart_set_stimecmp */
};

/* M-mode at FIXTURE_PC, everything else as csr_reset leaves it; all of struct hart_isa. */
void fixture_init(struct hart_fixture *f);
void fixture_free(struct hart_fixture *f);
/* Forgets the calls and h->leave. */
void fixture_forget(struct hart_fixture *f);

/* The CSR instructions csrr and csrw in the hart's present privilege; false: illegal. */
bool csr_get(struct hart *h, unsigned number, uint64_t *value);
bool csr_set(struct hart *h, unsigned number, uint64_t value);
/* csrw and csrr from M-mode, which must be legal; the privilege is as before. */
uint64_t csr_written_as_m(struct hart *h, unsigned number, uint64_t value);
uint64_t csr_read_as_m(struct hart *h, unsigned number);

#endif

/* What a hart's slow paths count for `-d stats`. Host side: no part of the guest's state. Fast
 * paths count nothing. */
#ifndef RIVULET_CPU_STATS_H
#define RIVULET_CPU_STATS_H

#include "memory/walk.h"

#include <stdint.h>

#define STATS_CAUSES 64u

struct hart_stats {
    uint64_t exceptions[STATS_CAUSES], interrupts[STATS_CAUSES]; /* by cause */
    uint64_t sbi_calls, pauses;
    uint64_t runs; /* entries of the loop: one more than there were reasons to leave it */
    /* Accesses that took the slow path, by who answered: the record (its tag was poisoned, or the
     * page is never fast), the second level, a walk, or, with translation off, nobody. */
    uint64_t from_record[TLB_ACCESSES], from_l2[TLB_ACCESSES], walks[TLB_ACCESSES],
        bare[TLB_ACCESSES];
    uint64_t over_two_pages, mmio_loads, mmio_stores, stores_to_code_pages;
    /* Transfers that left their block's fast exit. */
    uint64_t links_resolved, crossings_missed, jumps_missed, stale_entered, fp_contexts_missed;
    /* Flushes of the TLB. */
    uint64_t flushes, fences_all, fences_address, fences_asid, address_spaces;
};

struct hart;
/* The counters as lines of topic LOG_STATS; those that are 0 are left out. */
void hart_log_stats(const struct hart *h);

#endif

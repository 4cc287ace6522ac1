/* Watchpoints: a hart stops behind the instruction that reads or writes watched bytes.
 *
 * Addresses are virtual, and the same for all harts. What counts is a hart's own loads and stores:
 * page-table walks, DMA and what the built-in SBI does for a guest are not seen. Pages with watched
 * bytes get no fast tags for what is watched, so that every such access takes the slow path, which
 * looks; all other pages, and all pages when nothing is watched, are as fast as ever. */
#ifndef RIVULET_CPU_WATCH_H
#define RIVULET_CPU_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum watch_kind { WATCH_LOADS = 1, WATCH_STORES = 2 };

struct watch {
    uint64_t va, length; /* it may run over the end of the address space */
    unsigned kinds;      /* OR of enum watch_kind */
};

/* Whether [va, va + size) and the watched bytes have a byte in common. */
static inline bool watch_covers(const struct watch *w, uint64_t va, uint64_t size)
{
    return va - w->va < w->length || w->va - va < size;
}

#endif

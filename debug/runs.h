/* How often each straight piece of code ran: what coverage, the instruction mix and the hottest
 * blocks are made of. A run begins where control came to and ends where it left.
 *
 * Runs are told apart by virtual and physical address, privilege, length, and their bytes, so that
 * programs that share an address, one after the other or at once, do not share a count. */
#ifndef RIVULET_DEBUG_RUNS_H
#define RIVULET_DEBUG_RUNS_H

#include "debug/trace_internal.h"

#define RUN_BYTES_MOST (4u * BLOCK_MAX)

struct run {
    uint64_t va, pa, count;
    uint64_t checked; /* code_stats.pages_dropped when its bytes were last compared */
    uint32_t last;    /* offset of its last instruction */
    uint16_t size;    /* bytes */
    uint8_t instructions, priv;
    enum insn_class last_class;
    const char *symbol; /* of va; NULL: none */
    uint64_t symbol_start;
    uint8_t bytes[]; /* size of them */
};

struct runs;

struct runs *runs_create(void);
void runs_destroy(struct runs *r);

/* The run that has just ended, with `instructions` of them; made if need be. NULL: no memory. */
struct run *runs_find(struct runs *r, struct trace *t, const struct hart *h, unsigned instructions);

/* Of a tracer whose state is runs alone: they are made, and counted. */
bool runs_start(struct tracer *t, struct error *err) MUST_CHECK;
void runs_notice(struct tracer *t, struct hart *h, const struct notice *n);

/* All, in the order in which they first ran. */
size_t runs_count(const struct runs *r);
struct run *runs_get(const struct runs *r, size_t i);

#endif

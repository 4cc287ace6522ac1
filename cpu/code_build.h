/* Between the cache (code.c) and the block builder (code_build.c). */
#ifndef RIVULET_CPU_CODE_BUILD_H
#define RIVULET_CPU_CODE_BUILD_H

#include "cpu/code.h"

/* Slots that one block can need: an instruction is at most a link op, an exit of two slots and its
 * record of two, a breakpoint op and a mark; guards and the end come on top. */
#define BLOCK_MAX_SLOTS (BLOCK_MAX * 7 + 16)

struct build_request {
    struct code_cache *code;
    const uint8_t *page;       /* host memory of the page */
    uint64_t pa;               /* where the block begins */
    unsigned context;          /* the hart's */
    unsigned limit;            /* instructions, 1 to BLOCK_MAX */
    uint32_t at;               /* first slot; BLOCK_MAX_SLOTS are free from there */
    const struct fuser *fuser; /* NULL: the block runs once, or op by op */
    uint64_t *lines; /* map of the page's 64-byte lines: set where code was decoded; or NULL */
};

struct build_result {
    uint32_t slots;
    uint8_t instructions;
};

struct build_result build_block(const struct build_request *request);
/* The block of one instruction `word` at page offset 4094. */
void build_straddle(struct code_cache *code, uint32_t at, uint32_t word, unsigned context);

#endif

/* The code cache: decoded blocks of guest instructions.
 *
 * A block begins at a physical address and follows the instruction stream on one page: past
 * branches that are not taken, along in-page jumps, at most BLOCK_MAX instructions. Ops are
 * page-relative, so all address spaces share them. A block is entered at its first op only.
 *
 * Blocks are found by physical address. Blocks with floating point hold a guard op before the first
 * FP op: if the hart's context (FS state, frm) is not the one it was decoded for, the guard looks
 * up a block that begins at the guard's address and is keyed by context as well.
 *
 * Instruction memory is coherent: each page with code has a map of 64-byte lines that hold decoded
 * instructions; a store to such a line drops the page's blocks. A dropped block's first op becomes
 * op_stale, so links to it need not be found; slots are reused only after a flush of everything.
 *
 * The side table has an entry for each slot: where its instruction is and how many came before. */
#ifndef RIVULET_CPU_CODE_H
#define RIVULET_CPU_CODE_H

#include "base/error.h"
#include "cpu/insn.h"
#include "memory/map.h"
#include "memory/tlb.h"

#define BLOCK_MAX 32 /* guest instructions; also what the exact end of a slice needs */

struct op_side {
    uint16_t offset;     /* in the page, 0 to 4094 */
    uint8_t before;      /* instructions from block entry */
    uint8_t length : 4;  /* 2 or 4 bytes */
    uint8_t forward : 4; /* enum forward */
};

#define CODE_NO_PAGE UINT64_MAX
/* Which operands of an op are what the op before it in the block left in the accumulator: what was
 * last written to an x register. At a block's entry nothing is known of it. */
enum forward { FORWARD_RS1 = 1, FORWARD_RS2 = 2 };

/* Key of a block beyond its address: mstatus.FS and frm, as far as decoding depends on them. */
enum fs_mode { FS_MODE_OFF, FS_MODE_CLEAN, FS_MODE_DIRTY };
#define CODE_CONTEXT(fs, frm) ((fs) | (unsigned)(frm) << 2)
#define CODE_ANY_CONTEXT      0xffu

struct block {
    uint64_t pa;
    uint32_t first;        /* op index */
    uint32_t next_in_hash; /* block index + 1; 0: none */
    uint32_t next_in_page;
    uint8_t context; /* CODE_ANY_CONTEXT, or the one it is keyed by */
    uint8_t instructions;
};

/* A physical page that holds decoded code. */
struct code_page {
    uint64_t key;         /* page address + 1; 0: a free entry */
    uint64_t lines;       /* 64-byte lines with decoded instructions */
    uint32_t first_block; /* block index + 1 */
};

/* Where jumps went: an entry op by physical address, in front of the hash of blocks. */
struct code_jump {
    uint64_t pa; /* CODE_NO_PAGE: none */
    struct op *op;
};
#define CODE_JUMPS 4096u

struct code_stats {
    uint64_t blocks_made, instructions_decoded, ops_made, blocks_dropped, pages_dropped, flushes,
        lookups;
};

/* What somebody who watches the harts (observer.h) needs of blocks. */
enum code_watch {
    CODE_UNWATCHED,
    CODE_STRAIGHT, /* they end at every jump: what ran lies between its first and last byte */
    CODE_SINGLE,   /* and have one instruction */
};

struct code_cache {
    struct op *ops;
    struct op_side *side;
    uint32_t ops_used, ops_limit;
    struct block *blocks;
    uint32_t blocks_used;
    uint32_t *hash;          /* block index + 1 */
    struct code_page *pages; /* open addressing by physical page */
    uint32_t pages_used;
    uint64_t generation; /* counts flushes: op pointers of an older one are dead */
    struct insn_decoder *decoder;
    struct fuser *fuser; /* NULL: no superinstructions */
    uint64_t *executed;  /* profile dispatch: how often, by slot; NULL: not counted */
    struct memory_map *memory;
    struct log *log;
    struct tlb *tlbs[8]; /* of the harts that run from this cache */
    unsigned tlb_count;
    uint64_t *breakpoints; /* virtual addresses */
    unsigned breakpoint_count;
    bool stress; /* blocks of one instruction */
    enum code_watch watch;
    bool (*marks)(void *owner, uint32_t word); /* code_set_marks; NULL: none */
    void *marks_owner;
    struct code_jump jumps[CODE_JUMPS];
    struct code_stats stats;
};

/* For harts of this isa; NULL: all that there is. */
struct code_cache *code_create(struct memory_map *memory, struct log *log,
                               const struct hart_isa *isa);
void code_destroy(struct code_cache *code);
/* Each hart that runs from the cache: its store tags are poisoned when a page gets code,
 * or when somebody wants to know what is written. */
void code_attach(struct code_cache *code, struct tlb *tlb);

static inline const struct op_side *code_side(const struct code_cache *code, const struct op *op)
{
    return &code->side[op - code->ops];
}

/* The block at physical address pa (in a page of RAM or ROM), made if need be. With `context` a
 * block that begins with a guard for it. May flush the cache: see generation. */
struct block *code_find(struct code_cache *code, uint64_t pa, unsigned context, bool keyed);

static inline struct op *code_entry(const struct code_cache *code, const struct block *block)
{
    return &code->ops[block->first];
}
/* Where the entry op of pa is kept, if it is. */
static inline struct code_jump *code_jump(struct code_cache *code, uint64_t pa)
{
    return &code->jumps[pa / 2 % CODE_JUMPS];
}
/* The entry op of the block at pa that is not keyed; likewise. */
static inline struct op *code_target(struct code_cache *code, uint64_t pa, unsigned context)
{
    struct code_jump *jump = code_jump(code, pa);
    if (jump->pa != pa) {
        struct op *op = code_entry(code, code_find(code, pa, context, false));
        *jump = (struct code_jump){pa, op};
    }
    return jump->op;
}
/* A block of at most `limit` instructions from pa, for one run; valid until the next call. */
struct op *code_scratch(struct code_cache *code, uint64_t pa, unsigned context, unsigned limit);
/* A one-instruction block for `word`, which begins at page offset 4094. Likewise. */
struct op *code_straddle(struct code_cache *code, uint32_t word, unsigned context);

/* Between runs. */
void code_set_watch(struct code_cache *code, enum code_watch watch);
/* An observer hears NOTICE_MARK before each instruction that `marks` says yes to, and before those
 * that run over a page; the others run as ever. NULL: none. */
void code_set_marks(struct code_cache *code, bool (*marks)(void *owner, uint32_t word),
                    void *owner);
/* Instructions that a block may have at most. */
static inline unsigned code_block_limit(const struct code_cache *code)
{
    return code->stress || code->watch == CODE_SINGLE ? 1 : BLOCK_MAX;
}

/* The counters as lines of topic LOG_STATS. */
void code_log_stats(const struct code_cache *code);
/* Starts counting, without superinstructions. An error in builds that do not count. */
bool code_profile(struct code_cache *code, struct error *err) MUST_CHECK;
/* A line of topic LOG_PROFILE for each block that ran: its ops as NAME:COUNT, with the suffix .a,
 * .b or .ab when the accumulator has rs1, rs2 or both. */
void code_log_profile(const struct code_cache *code);

/* Bytes at pa changed: drops the page's blocks if a decoded line was hit, and says so. */
bool code_written(struct code_cache *code, uint64_t pa, uint64_t bytes);
/* Forgets every block. Op pointers are dead after it; between runs, or where generation is checked.
 */
void code_flush(struct code_cache *code);

/* False: out of memory. */
bool code_add_breakpoint(struct code_cache *code, uint64_t va) MUST_CHECK;
void code_remove_breakpoint(struct code_cache *code, uint64_t va);
bool code_has_breakpoint(const struct code_cache *code, uint64_t va);

#endif

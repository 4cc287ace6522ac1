#include "cpu/code.h"

#include "base/os.h"
#include "cpu/code_build.h"
#include "cpu/exec.h"
#include "cpu/fuse.h"

#include <stdio.h>
#include <stdlib.h>

/* Sizes: host memory is touched only as it is used; a flush of everything when one runs full. */
#define OPS_MAX    (3u << 20) /* 48 MiB of ops, 12 MiB of side table */
#define BLOCKS_MAX (1u << 19)
#define HASH_SLOTS (1u << 17)
#define PAGE_SLOTS (1u << 15)
#define PAGES_MAX  (PAGE_SLOTS / 4 * 3)

/* The first slots belong to no block: one for scratch blocks, one for straddling instructions. */
#define SCRATCH_AT  0u
#define STRADDLE_AT BLOCK_MAX_SLOTS
#define BLOCKS_AT   (2u * BLOCK_MAX_SLOTS)

static bool reserve_tables(struct code_cache *code, const struct hart_isa *isa)
{
    code->ops = os_reserve((size_t)OPS_MAX * sizeof *code->ops);
    code->side = os_reserve((size_t)OPS_MAX * sizeof *code->side);
    code->blocks = os_reserve((size_t)BLOCKS_MAX * sizeof *code->blocks);
    code->hash = os_reserve((size_t)HASH_SLOTS * sizeof *code->hash);
    code->pages = os_reserve((size_t)PAGE_SLOTS * sizeof *code->pages);
    code->decoder = insn_decoder_create(isa);
    code->fuser = fuser_create();
    return code->ops && code->side && code->blocks && code->hash && code->pages && code->decoder &&
           code->fuser;
}

static void release(void *pages, size_t bytes)
{
    if (pages)
        os_release(pages, bytes);
}

void code_destroy(struct code_cache *code)
{
    if (!code)
        return;
    release(code->ops, (size_t)OPS_MAX * sizeof *code->ops);
    release(code->side, (size_t)OPS_MAX * sizeof *code->side);
    release(code->blocks, (size_t)BLOCKS_MAX * sizeof *code->blocks);
    release(code->hash, (size_t)HASH_SLOTS * sizeof *code->hash);
    release(code->pages, (size_t)PAGE_SLOTS * sizeof *code->pages);
    insn_decoder_destroy(code->decoder);
    fuser_destroy(code->fuser);
    free(code->executed);
    free(code->breakpoints);
    free(code);
}

static void on_memory_write(void *owner, uint64_t gpa, uint64_t bytes)
{
    code_written(owner, gpa, bytes);
}

static void on_watch_stores(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct code_cache *code = owner;
    for (unsigned i = 0; i < code->tlb_count; i++)
        tlb_poison_stores(code->tlbs[i], gpa, bytes);
}

static void on_moved(void *owner)
{
    struct code_cache *code = owner;
    for (unsigned i = 0; i < code->tlb_count; i++)
        tlb_poison_all(code->tlbs[i]);
}

/* Reserved memory is zero: the large tables are not touched before they are used. */
static void begin_tables(struct code_cache *code)
{
    for (uint32_t i = 0; i < CODE_JUMPS; i++)
        code->jumps[i].pa = CODE_NO_PAGE;
    code->ops_used = BLOCKS_AT;
    code->blocks_used = 0;
    code->pages_used = 0;
}

static void empty_tables(struct code_cache *code)
{
    os_discard(code->hash, (size_t)HASH_SLOTS * sizeof *code->hash);
    os_discard(code->pages, (size_t)PAGE_SLOTS * sizeof *code->pages);
    begin_tables(code);
}

struct code_cache *code_create(struct memory_map *memory, struct log *log,
                               const struct hart_isa *isa)
{
    struct code_cache *code = calloc(1, sizeof *code);
    if (!code)
        return NULL;
    code->memory = memory;
    code->log = log;
    if (!reserve_tables(code, isa)) {
        code_destroy(code);
        return NULL;
    }
    begin_tables(code);
    memory_on_code_write(memory, on_memory_write, code);
    memory_on_watch_stores(memory, on_watch_stores, code);
    memory_on_moved(memory, on_moved, code);
    return code;
}

void code_attach(struct code_cache *code, struct tlb *tlb)
{
    code->tlbs[code->tlb_count++] = tlb;
}

/* --- pages ---------------------------------------------------------------------------------- */

static uint32_t page_slot(uint64_t page_pa)
{
    return (uint32_t)((page_pa >> 12) * 0x9e3779b97f4a7c15ull >> 40) % PAGE_SLOTS;
}

/* The entry of this page, or the free one where it belongs. */
static struct code_page *page_entry(struct code_cache *code, uint64_t page_pa)
{
    uint32_t slot = page_slot(page_pa);
    while (code->pages[slot].key != page_pa + 1 && code->pages[slot].key)
        slot = (slot + 1) % PAGE_SLOTS;
    return &code->pages[slot];
}

/* Marks the page, so that stores to it take the slow path from now on. */
static struct code_page *begin_page(struct code_cache *code, const struct region *region,
                                    uint64_t page_pa)
{
    struct code_page *page = page_entry(code, page_pa);
    if (!page->key) {
        *page = (struct code_page){.key = page_pa + 1};
        code->pages_used++;
    }
    uint8_t *mark = region->marks ? &region->marks[(page_pa - region->base) / PAGE_BYTES] : NULL;
    if (mark && !(*mark & PAGE_HAS_CODE)) {
        *mark |= PAGE_HAS_CODE;
        on_watch_stores(code, page_pa, PAGE_BYTES);
    }
    return page;
}

static void clear_mark(struct code_cache *code, uint64_t page_pa)
{
    struct region *region = memory_find(code->memory, page_pa);
    if (region && region->marks)
        region->marks[(page_pa - region->base) / PAGE_BYTES] &= (uint8_t)~PAGE_HAS_CODE;
}

/* --- blocks --------------------------------------------------------------------------------- */

static uint32_t *hash_head(struct code_cache *code, uint64_t pa)
{
    return &code->hash[(pa >> 1) * 0x9e3779b97f4a7c15ull >> 40 & (HASH_SLOTS - 1)];
}

static struct block *find_block(struct code_cache *code, uint64_t pa, unsigned key)
{
    for (uint32_t i = *hash_head(code, pa); i; i = code->blocks[i - 1].next_in_hash) {
        struct block *block = &code->blocks[i - 1];
        if (block->pa == pa && block->context == key)
            return block;
    }
    return NULL;
}

void code_flush(struct code_cache *code)
{
    for (uint32_t i = 0; i < PAGE_SLOTS && code->pages_used; i++) {
        if (!code->pages[i].key)
            continue;
        clear_mark(code, code->pages[i].key - 1);
        code->pages_used--;
    }
    empty_tables(code);
    code->generation++;
    code->stats.flushes++;
}

void code_set_watch(struct code_cache *code, enum code_watch watch)
{
    if (code->watch == watch)
        return;
    code->watch = watch;
    code_flush(code);
}

void code_set_marks(struct code_cache *code, bool (*marks)(void *owner, uint32_t word), void *owner)
{
    code->marks = marks;
    code->marks_owner = owner;
    code_flush(code);
}

/* Decodes from pa into slot `at`; flushes first when a table is full. */
static struct build_result decode(struct code_cache *code, uint64_t pa, unsigned context,
                                  unsigned limit, uint32_t at, struct code_page **page)
{
    const struct region *region = memory_find(code->memory, pa);
    *page = begin_page(code, region, pa & PAGE_MASK);
    struct build_request request = {
        .code = code,
        .page = region->hva + ((pa & PAGE_MASK) - region->base),
        .pa = pa,
        .context = context,
        .limit = limit,
        .at = at,
        .fuser = at == SCRATCH_AT ? NULL : code->fuser,
        .lines = &(*page)->lines,
    };
    return build_block(&request);
}

static void flush_if_full(struct code_cache *code)
{
    if (code->ops_used + BLOCK_MAX_SLOTS > OPS_MAX || code->blocks_used == BLOCKS_MAX ||
        code->pages_used >= PAGES_MAX)
        code_flush(code);
}

static struct block *make_block(struct code_cache *code, uint64_t pa, unsigned context,
                                unsigned key)
{
    struct code_page *page;
    flush_if_full(code);
    struct build_result built =
        decode(code, pa, context, code_block_limit(code), code->ops_used, &page);
    uint32_t *head = hash_head(code, pa);
    struct block *block = &code->blocks[code->blocks_used++];
    *block = (struct block){.pa = pa,
                            .first = code->ops_used,
                            .next_in_hash = *head,
                            .next_in_page = page->first_block,
                            .context = (uint8_t)key,
                            .instructions = built.instructions};
    *head = page->first_block = code->blocks_used;
    code->ops_used += built.slots;
    code->stats.blocks_made++;
    code->stats.instructions_decoded += built.instructions;
    code->stats.ops_made += built.slots;
    return block;
}

struct block *code_find(struct code_cache *code, uint64_t pa, unsigned context, bool keyed)
{
    unsigned key = keyed ? context : CODE_ANY_CONTEXT;
    code->stats.lookups++;
    struct block *block = find_block(code, pa, key);
    return block ? block : make_block(code, pa, context, key);
}

struct op *code_scratch(struct code_cache *code, uint64_t pa, unsigned context, unsigned limit)
{
    struct code_page *page;
    flush_if_full(code);
    decode(code, pa, context, limit, SCRATCH_AT, &page);
    return &code->ops[SCRATCH_AT];
}

struct op *code_straddle(struct code_cache *code, uint32_t word, unsigned context)
{
    build_straddle(code, STRADDLE_AT, word, context);
    return &code->ops[STRADDLE_AT];
}

/* --- coherence ------------------------------------------------------------------------------ */

static void remove_from_hash(struct code_cache *code, const struct block *block)
{
    uint32_t index = (uint32_t)(block - code->blocks) + 1;
    uint32_t *link = hash_head(code, block->pa);
    while (*link != index)
        link = &code->blocks[*link - 1].next_in_hash;
    *link = block->next_in_hash;
}

static void drop_page(struct code_cache *code, struct code_page *page)
{
    for (uint32_t i = page->first_block; i; i = code->blocks[i - 1].next_in_page) {
        struct block *block = &code->blocks[i - 1];
        remove_from_hash(code, block);
        struct code_jump *jump = code_jump(code, block->pa);
        if (jump->pa == block->pa)
            jump->pa = CODE_NO_PAGE;
        code->ops[block->first].run = op_stale;
        code->stats.blocks_dropped++;
    }
    page->first_block = 0;
    page->lines = 0;
    clear_mark(code, page->key - 1);
    code->stats.pages_dropped++;
}

/* The lines of one page that bytes [from, from + n) touch. */
static uint64_t line_mask(uint64_t from, uint64_t n)
{
    unsigned first = (unsigned)(from % PAGE_BYTES / 64);
    unsigned last = (unsigned)((from + n - 1) % PAGE_BYTES / 64);
    return (~0ull >> (63 - last)) & (~0ull << first);
}

bool code_written(struct code_cache *code, uint64_t pa, uint64_t bytes)
{
    bool dropped = false;
    while (bytes) {
        uint64_t n = min_u64(bytes, PAGE_BYTES - pa % PAGE_BYTES);
        struct code_page *page = page_entry(code, pa & PAGE_MASK);
        if (page->key && page->lines & line_mask(pa, n)) {
            drop_page(code, page);
            dropped = true;
        }
        pa += n;
        bytes -= n;
    }
    return dropped;
}

/* --- breakpoints ---------------------------------------------------------------------------- */

bool code_has_breakpoint(const struct code_cache *code, uint64_t va)
{
    for (unsigned i = 0; i < code->breakpoint_count; i++)
        if (code->breakpoints[i] == va)
            return true;
    return false;
}

bool code_add_breakpoint(struct code_cache *code, uint64_t va)
{
    if (code_has_breakpoint(code, va))
        return true;
    uint64_t *more =
        realloc(code->breakpoints, (code->breakpoint_count + 1) * sizeof *code->breakpoints);
    if (!more)
        return false;
    code->breakpoints = more;
    code->breakpoints[code->breakpoint_count++] = va;
    code_flush(code);
    return true;
}

void code_remove_breakpoint(struct code_cache *code, uint64_t va)
{
    for (unsigned i = 0; i < code->breakpoint_count; i++) {
        if (code->breakpoints[i] != va)
            continue;
        code->breakpoints[i] = code->breakpoints[--code->breakpoint_count];
        code_flush(code);
        return;
    }
}

void code_log_stats(const struct code_cache *code)
{
    const struct code_stats *stats = &code->stats;
    double ops = stats->instructions_decoded
                     ? (double)stats->ops_made / (double)stats->instructions_decoded
                     : 0;
    log_line(code->log, LOG_STATS,
             "blocks: %llu made of %llu instructions, %.2f ops an instruction, %llu look-ups",
             (unsigned long long)stats->blocks_made,
             (unsigned long long)stats->instructions_decoded, ops,
             (unsigned long long)stats->lookups);
    log_line(code->log, LOG_STATS,
             "blocks dropped: %llu, by writes to %llu pages; %llu flushes of everything",
             (unsigned long long)stats->blocks_dropped, (unsigned long long)stats->pages_dropped,
             (unsigned long long)stats->flushes);
    log_line(code->log, LOG_STATS, "code cache: %u of %u ops in use, %u pages", code->ops_used,
             OPS_MAX, code->pages_used);
}

bool code_profile(struct code_cache *code, struct error *err)
{
    if (!DISPATCH_COUNTS)
        return error_set(err, "-d profile: this build does not count: configure one with "
                              "-DRIVULET_DISPATCH=profile");
    fuser_destroy(code->fuser);
    code->fuser = NULL;
    code->executed = calloc(OPS_MAX, sizeof *code->executed);
    return code->executed || error_set(err, "no memory for the profile");
}

/* The name of a handler that superinstructions may contain, or NULL. */
static const char *part_name(handler *run)
{
    if (run == op_j)
        return "j";
    if (run == op_link)
        return "link";
    for (unsigned i = 0; i < insn_count; i++)
        if (insns[i].run == run)
            return insns[i].name;
    return NULL;
}

static void log_block_profile(const struct code_cache *code, const struct block *block)
{
    static const char *const suffixes[] = {"", ".a", ".b", ".ab"};
    char line[4096];
    size_t used = 0;
    uint32_t end = block->first;
    for (unsigned n = 0; n < BLOCK_MAX && code->executed[end] && used < sizeof line; n++, end++) {
        const char *name = part_name(code->ops[end].run);
        used += (size_t)snprintf(line + used, sizeof line - used, " %s%s:%llu", name ? name : "-",
                                 suffixes[code->side[end].forward],
                                 (unsigned long long)code->executed[end]);
        if (code->ops[end + 1].run == op_resolve)
            end++;
    }
    log_line(code->log, LOG_PROFILE, "block%s", line);
}

void code_log_profile(const struct code_cache *code)
{
    for (uint32_t i = 0; i < code->blocks_used; i++)
        if (code->executed[code->blocks[i].first])
            log_block_profile(code, &code->blocks[i]);
}

/* How often each straight piece of code ran (contract: runs.h). */
#include "debug/runs.h"

#include "cpu/peek.h"

#include <stdlib.h>

#define SLOTS_LEAST 4096u

struct runs {
    struct run **items;
    size_t count, room;
    uint32_t *slots; /* index + 1; open addressing; of each key the latest bytes */
    size_t slot_count;
};

struct runs *runs_create(void)
{
    struct runs *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->slot_count = SLOTS_LEAST;
    r->slots = calloc(r->slot_count, sizeof *r->slots);
    if (!r->slots) {
        free(r);
        return NULL;
    }
    return r;
}

void runs_destroy(struct runs *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i]);
    free(r->items);
    free(r->slots);
    free(r);
}

bool runs_start(struct tracer *t, struct error *err)
{
    t->state = runs_create();
    return t->state || error_set(err, "no memory for the counts");
}

void runs_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    if (n->kind != NOTICE_RAN)
        return;
    struct run *run = runs_find(t->state, t->trace, h, n->number);
    if (run)
        run->count++;
}

size_t runs_count(const struct runs *r)
{
    return r->count;
}

struct run *runs_get(const struct runs *r, size_t i)
{
    return r->items[i];
}

/* --- the table ---------------------------------------------------------------------------- */

static bool is_key(const struct run *run, const struct trace_run *at, unsigned instructions)
{
    return run->va == at->pc && run->pa == at->pa && run->instructions == instructions &&
           run->priv == at->priv;
}

static uint32_t *find_slot(struct runs *r, const struct trace_run *at, unsigned instructions)
{
    uint64_t hash = (at->pc ^ at->pa << 20 ^ instructions) * 0x9e3779b97f4a7c15ull;
    size_t slot = hash >> 32 & (r->slot_count - 1);
    while (r->slots[slot] && !is_key(r->items[r->slots[slot] - 1], at, instructions))
        slot = (slot + 1) & (r->slot_count - 1);
    return &r->slots[slot];
}

/* Keeps half of the slots free. Of runs with the same key, the later one wins. */
static bool grow(struct runs *r)
{
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : SLOTS_LEAST / 2;
        struct run **more = realloc(r->items, room * sizeof(struct run *));
        if (!more)
            return false;
        r->items = more;
        r->room = room;
    }
    if (2 * (r->count + 1) <= r->slot_count)
        return true;
    uint32_t *slots = calloc(2 * r->slot_count, sizeof *slots);
    if (!slots)
        return false;
    free(r->slots);
    r->slots = slots;
    r->slot_count *= 2;
    for (size_t i = 0; i < r->count; i++) {
        const struct run *run = r->items[i];
        struct trace_run key = {.pc = run->va, .pa = run->pa, .priv = run->priv};
        *find_slot(r, &key, run->instructions) = (uint32_t)i + 1;
    }
    return true;
}

/* --- a run -------------------------------------------------------------------------------- */

/* The bytes of a run lie on one page; a lone instruction may go on on the next one. */
static bool read_bytes(const struct hart *h, const struct trace_run *at, uint8_t *bytes, size_t n)
{
    size_t here = min_u64(n, PAGE_BYTES - at->pa % PAGE_BYTES);
    if (!peek_physical(h->ports.memory, at->pa, bytes, here))
        return false;
    if (here < n && !peek_memory(h, at->pc + here, bytes + here, n - here))
        memset(bytes + here, 0, n - here);
    return true;
}

/* Finds where the last of its instructions begins, and where it ends. */
static size_t measure(const uint8_t *bytes, unsigned instructions, uint32_t *last)
{
    size_t size = 0;
    for (unsigned i = 0; i < instructions; i++) {
        *last = (uint32_t)size;
        size += (bytes[size] & 3) == 3 ? 4 : 2;
    }
    return size;
}

static uint32_t word_at(const uint8_t *bytes, size_t n)
{
    uint32_t word = 0;
    memcpy(&word, bytes, n < 4 ? n : 4);
    return (word & 3) == 3 ? word : word & 0xffff;
}

static struct run *make_run(struct trace *t, const struct hart *h, unsigned instructions)
{
    const struct trace_run *at = &t->run;
    uint8_t bytes[RUN_BYTES_MOST + 4];
    uint32_t last = 0;
    size_t most = min_u64(4 * instructions, PAGE_BYTES - at->pa % PAGE_BYTES);
    memset(bytes, 0, sizeof bytes);
    if (!read_bytes(h, at, bytes, instructions == 1 ? 4 : most) && !read_bytes(h, at, bytes, 2))
        return NULL;
    size_t size = measure(bytes, instructions, &last);
    struct run *run = malloc(sizeof *run + size);
    if (!run)
        return NULL;
    *run = (struct run){.va = at->pc,
                        .pa = at->pa,
                        .last = last,
                        .size = (uint16_t)size,
                        .instructions = (uint8_t)instructions,
                        .priv = at->priv};
    memcpy(run->bytes, bytes, size);
    run->last_class =
        insn_cache_find(t->instructions, at->pc + last, word_at(bytes + last, size - last))->class;
    const struct symbol *symbol = symbols_at(t->symbols, at->pc);
    run->symbol = symbol ? symbol->name : NULL;
    run->symbol_start = symbol ? symbol->start : 0;
    return run;
}

/* Whether the code is what it was: compared again when any code was overwritten since. */
static bool is_current(struct run *run, const struct hart *h, const struct trace_run *at)
{
    uint8_t bytes[RUN_BYTES_MOST];
    uint64_t dropped = h->ports.code->stats.pages_dropped;
    if (run->checked == dropped)
        return true;
    run->checked = dropped;
    return read_bytes(h, at, bytes, run->size) && memcmp(bytes, run->bytes, run->size) == 0;
}

struct run *runs_find(struct runs *r, struct trace *t, const struct hart *h, unsigned instructions)
{
    if (instructions == 0 || instructions > BLOCK_MAX)
        return NULL;
    uint32_t *slot = find_slot(r, &t->run, instructions);
    if (*slot && is_current(r->items[*slot - 1], h, &t->run))
        return r->items[*slot - 1];
    if (!grow(r))
        return NULL;
    struct run *run = make_run(t, h, instructions);
    if (!run)
        return NULL;
    run->checked = h->ports.code->stats.pages_dropped;
    r->items[r->count++] = run;
    *find_slot(r, &t->run, instructions) = (uint32_t)r->count;
    return run;
}

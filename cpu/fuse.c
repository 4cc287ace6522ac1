#include "cpu/fuse.h"

#include "base/bits.h"
#include "cpu/code_build.h"
#include "cpu/exec.h"

#include <stdlib.h>

#define EDGES 16384u /* a power of two, several times what the sequences need */

/* An edge of the tree: from node `from` along `part` to node `to`. Node 0 is the root. */
struct edge {
    handler *part; /* NULL: free */
    uint32_t from, to;
    uint8_t forward; /* what the part takes from the accumulator */
};

struct fuser {
    struct edge edges[EDGES];
    handler **merged; /* by node; NULL: no sequence ends here */
    uint32_t nodes;
};

static uint32_t edge_slot(uint32_t from, handler *part, unsigned forward)
{
    uint64_t key = (uint64_t)(uintptr_t)part ^ (uint64_t)(from << 2 | forward) << 40;
    return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 40) % EDGES;
}

/* The edge, or the free one where it belongs. */
static const struct edge *find_edge(const struct fuser *f, uint32_t from, handler *part,
                                    unsigned forward)
{
    uint32_t slot = edge_slot(from, part, forward);
    for (const struct edge *e; (e = &f->edges[slot])->part; slot = (slot + 1) % EDGES)
        if (e->part == part && e->from == from && e->forward == forward)
            break;
    return &f->edges[slot];
}

static void add_sequence(struct fuser *f, const struct superinstruction *s)
{
    uint32_t node = 0;
    for (unsigned i = 0; i < SUPERINSTRUCTION_MAX && s->parts[i]; i++) {
        const struct edge *edge = find_edge(f, node, s->parts[i], s->forward[i]);
        if (!edge->part)
            f->edges[edge - f->edges] = (struct edge){s->parts[i], node, f->nodes++, s->forward[i]};
        node = edge->to;
    }
    f->merged[node] = s->merged;
}

struct fuser *fuser_create(void)
{
    struct fuser *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->merged =
        calloc(1 + (size_t)superinstruction_count * SUPERINSTRUCTION_MAX, sizeof *f->merged);
    if (!f->merged) {
        free(f);
        return NULL;
    }
    f->nodes = 1;
    for (unsigned i = 0; i < superinstruction_count; i++)
        add_sequence(f, &superinstructions[i]);
    return f;
}

void fuser_destroy(struct fuser *f)
{
    if (!f)
        return;
    free(f->merged);
    free(f);
}

/* Slots from one instruction of a block to the next: a branch has a link behind it. */
static unsigned slots_of(const struct op *op, unsigned left)
{
    return left > 1 && op[1].run == op_resolve ? 2 : 1;
}

/* The cheapest way through a block from a slot to its end: what begins there, and what it all
 * costs. */
struct way {
    handler *merged; /* NULL: the slot keeps its own handler */
    uint8_t slots;   /* to the next dispatch */
    uint8_t dispatches;
    uint8_t forwarded; /* operands that come from the accumulator */
};

struct tiling {
    const struct fuser *f;
    const struct op *ops;
    const struct op_side *side;
    unsigned n;
    struct way ways[BLOCK_MAX_SLOTS + 1]; /* by slot; those of links are not used */
};

static unsigned count_forwarded(unsigned forward)
{
    return (forward & FORWARD_RS1 ? 1 : 0) + (forward & FORWARD_RS2 ? 1 : 0);
}

/* A way from `start` that goes on at `end`: kept when it is cheaper. */
static void offer(struct tiling *t, unsigned start, unsigned end, handler *merged,
                  unsigned forwarded)
{
    struct way *best = &t->ways[start];
    unsigned dispatches = t->ways[end].dispatches + 1u;
    forwarded += t->ways[end].forwarded;
    if (best->dispatches < dispatches ||
        (best->dispatches == dispatches && best->forwarded >= forwarded))
        return;
    *best = (struct way){merged, (uint8_t)(end - start), (uint8_t)dispatches, (uint8_t)forwarded};
}

/* Goes down the tree from `node` with the op at `at`. An operand that the accumulator has is in its
 * register too, so that both kinds of edges fit. */
static void search_from(struct tiling *t, uint32_t node, unsigned start, unsigned at,
                        unsigned forwarded)
{
    if (t->f->merged[node])
        offer(t, start, at, t->f->merged[node], forwarded);
    if (at >= t->n)
        return;
    unsigned next = at + slots_of(&t->ops[at], t->n - at), forward = t->side[at].forward;
    const struct edge *edge = find_edge(t->f, node, t->ops[at].run, forward);
    if (edge->part)
        search_from(t, edge->to, start, next, forwarded + count_forwarded(forward));
    if (!forward)
        return;
    edge = find_edge(t->f, node, t->ops[at].run, 0);
    if (edge->part)
        search_from(t, edge->to, start, next, forwarded);
}

/* From the last slot back to the first: the longest run is not always the best, for it may cut
 * another in two. */
void fuse(const struct fuser *f, struct op *ops, const struct op_side *side, unsigned n)
{
    struct tiling t;
    t.f = f;
    t.ops = ops;
    t.side = side;
    t.n = n;
    t.ways[n] = (struct way){0};
    for (unsigned i = n; i-- > 0;) {
        if (ops[i].run == op_resolve)
            continue;
        t.ways[i].dispatches = UINT8_MAX;
        offer(&t, i, i + slots_of(&ops[i], n - i), NULL, 0);
        search_from(&t, 0, i, i, 0);
    }
    for (unsigned i = 0; i < n; i += t.ways[i].slots)
        if (t.ways[i].merged)
            ops[i].run = t.ways[i].merged;
}

#include "cpu/fuse.h"

#include "base/bits.h"
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

/* What begins at a slot and is looked for: the longest sequence of a block's ops. */
struct search {
    const struct fuser *f;
    const struct op *ops;
    const struct op_side *side;
    unsigned n;
    handler *merged; /* of the best one so far */
    unsigned end;
};

/* Goes down the tree from `node` with the op at `at`. An operand that the accumulator has is in its
 * register too, so that both kinds of edges fit. */
static void search_from(struct search *s, uint32_t node, unsigned at)
{
    if (s->f->merged[node] && at > s->end) {
        s->merged = s->f->merged[node];
        s->end = at;
    }
    if (at >= s->n)
        return;
    unsigned next = at + slots_of(&s->ops[at], s->n - at), forward = s->side[at].forward;
    const struct edge *edge = find_edge(s->f, node, s->ops[at].run, forward);
    if (edge->part)
        search_from(s, edge->to, next);
    if (!forward)
        return;
    edge = find_edge(s->f, node, s->ops[at].run, 0);
    if (edge->part)
        search_from(s, edge->to, next);
}

/* Merges the longest run that begins at ops[0]; returns how many slots are dealt with. */
static unsigned fuse_at(const struct fuser *f, struct op *ops, const struct op_side *side,
                        unsigned n)
{
    struct search s = {.f = f, .ops = ops, .side = side, .n = n};
    search_from(&s, 0, 0);
    if (!s.merged)
        return slots_of(ops, n);
    ops[0].run = s.merged;
    return s.end;
}

void fuse(const struct fuser *f, struct op *ops, const struct op_side *side, unsigned n)
{
    for (unsigned i = 0; i < n;)
        i += fuse_at(f, ops + i, side + i, n - i);
}

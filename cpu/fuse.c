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

/* The edge of an op; when no sequence takes its operands from the accumulator, that of one which
 * takes them from the registers, where they are too. */
static const struct edge *edge_of(const struct fuser *f, uint32_t from, const struct op *op,
                                  const struct op_side *side)
{
    const struct edge *edge = find_edge(f, from, op->run, side->forward);
    return edge->part || !side->forward ? edge : find_edge(f, from, op->run, 0);
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

/* Merges the longest run that begins at ops[0]; returns how many slots are dealt with. */
static unsigned fuse_at(const struct fuser *f, struct op *ops, const struct op_side *side,
                        unsigned n)
{
    uint32_t node = 0;
    unsigned end = 0, done = slots_of(ops, n);
    handler *merged = NULL;
    while (end < n) {
        const struct edge *edge = edge_of(f, node, &ops[end], &side[end]);
        if (!edge->part)
            break;
        node = edge->to;
        end += slots_of(&ops[end], n - end);
        if (f->merged[node]) {
            merged = f->merged[node];
            done = end;
        }
    }
    if (merged)
        ops[0].run = merged;
    return done;
}

void fuse(const struct fuser *f, struct op *ops, const struct op_side *side, unsigned n)
{
    for (unsigned i = 0; i < n;)
        i += fuse_at(f, ops + i, side + i, n - i);
}

#include "cpu/fuse.h"

#include "base/bits.h"
#include "cpu/code_build.h"
#include "cpu/exec.h"

#include <assert.h>
#include <stdlib.h>

/* Both tables are powers of two, more than twice what the sequences need: most look-ups end at a
 * free slot, and blocks are made of little else. They should stay in the host's caches too. */
#define EDGES 16384u
#define PARTS 1024u

/* An edge of the tree, from a node along a part to node `to`. Node 0 is the root. */
struct edge {
    uint32_t key; /* edge_key(); 0: free */
    uint32_t to;
};

/* A node of the tree. Most ways down end soon: `filter` has a bit for each kind of edge that there
 * may be, by part and forward, and spares the look-ups of most that there are not. */
struct node {
    handler *merged; /* NULL: no sequence ends here */
    uint64_t filter;
};

struct fuser {
    handler *parts[PARTS]; /* those that occur in sequences; NULL: free */
    struct edge edges[EDGES];
    struct node *nodes;
    uint32_t node_count;
};

/* The slot of a handler, or the free one where it belongs. */
static uint32_t part_slot(const struct fuser *f, handler *run)
{
    uint32_t slot = (uint32_t)((uint64_t)(uintptr_t)run * 0x9e3779b97f4a7c15ull >> 54) % PARTS;
    while (f->parts[slot] && f->parts[slot] != run)
        slot = (slot + 1) % PARTS;
    return slot;
}

/* The number of a handler, its slot + 1; 0: it is in no sequence. */
static unsigned part_number(const struct fuser *f, handler *run)
{
    uint32_t slot = part_slot(f, run);
    return f->parts[slot] ? slot + 1 : 0;
}

static uint64_t filter_bit(unsigned part, unsigned forward)
{
    return 1ull << ((part * 4 + forward) * 0x9e3779b1u >> 26);
}

/* `forward`: what the part takes from the accumulator. */
static uint32_t edge_key(uint32_t from, unsigned part, unsigned forward)
{
    return from << 13 | part << 2 | forward;
}

/* The edge, or the free one where it belongs. */
static const struct edge *find_edge(const struct fuser *f, uint32_t from, unsigned part,
                                    unsigned forward)
{
    uint32_t key = edge_key(from, part, forward), slot = (key * 0x9e3779b1u >> 16) % EDGES;
    while (f->edges[slot].key && f->edges[slot].key != key)
        slot = (slot + 1) % EDGES;
    return &f->edges[slot];
}

static void add_sequence(struct fuser *f, const struct superinstruction *s)
{
    uint32_t node = 0;
    for (unsigned i = 0; i < SUPERINSTRUCTION_MAX && s->parts[i]; i++) {
        uint32_t part = part_slot(f, s->parts[i]);
        f->parts[part] = s->parts[i];
        f->nodes[node].filter |= filter_bit(part + 1, s->forward[i]);
        const struct edge *edge = find_edge(f, node, part + 1, s->forward[i]);
        if (!edge->key)
            f->edges[edge - f->edges] =
                (struct edge){edge_key(node, part + 1, s->forward[i]), f->node_count++};
        node = edge->to;
    }
    f->nodes[node].merged = s->merged;
}

struct fuser *fuser_create(void)
{
    struct fuser *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->nodes = calloc(1 + (size_t)superinstruction_count * SUPERINSTRUCTION_MAX, sizeof *f->nodes);
    if (!f->nodes) {
        free(f);
        return NULL;
    }
    f->node_count = 1;
    for (unsigned i = 0; i < superinstruction_count; i++)
        add_sequence(f, &superinstructions[i]);
    assert(f->node_count < EDGES / 2 && "the tree's table is less than half full");
    return f;
}

void fuser_destroy(struct fuser *f)
{
    if (!f)
        return;
    free(f->nodes);
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
    uint16_t parts[BLOCK_MAX_SLOTS];      /* their numbers, by slot */
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

static void search_from(struct tiling *t, uint32_t node, unsigned start, unsigned at,
                        unsigned forwarded);

/* Along the edge from `node` of the op at `at`, if there is one. */
static inline void search_along(struct tiling *t, uint32_t node, unsigned start, unsigned at,
                                unsigned forward, unsigned forwarded)
{
    if (!(t->f->nodes[node].filter & filter_bit(t->parts[at], forward)))
        return;
    const struct edge *edge = find_edge(t->f, node, t->parts[at], forward);
    if (edge->key)
        search_from(t, edge->to, start, at + slots_of(&t->ops[at], t->n - at),
                    forwarded + count_forwarded(forward));
}

/* Goes down the tree from `node` with the op at `at`. An operand that the accumulator has is in its
 * register too, so that both kinds of edges fit. */
static void search_from(struct tiling *t, uint32_t node, unsigned start, unsigned at,
                        unsigned forwarded)
{
    if (t->f->nodes[node].merged)
        offer(t, start, at, t->f->nodes[node].merged, forwarded);
    if (at >= t->n || !t->parts[at])
        return;
    unsigned forward = t->side[at].forward;
    search_along(t, node, start, at, forward, forwarded);
    if (forward)
        search_along(t, node, start, at, 0, forwarded);
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
        t.parts[i] = (uint16_t)part_number(f, ops[i].run);
        t.ways[i].dispatches = UINT8_MAX;
        offer(&t, i, i + slots_of(&ops[i], n - i), NULL, 0);
        search_from(&t, 0, i, i, 0);
    }
    for (unsigned i = 0; i < n; i += t.ways[i].slots)
        if (t.ways[i].merged)
            ops[i].run = t.ways[i].merged;
}

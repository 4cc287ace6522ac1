/* The exact profiler: every instruction is counted in the stack of calls that it belongs to.
 *
 * Calls and returns are those that the ISA's hints for return-address stacks name. Each task has a
 * stack of its own, told apart by tp (the thread pointer of programs, the current task of Linux),
 * in U-mode also by satp. What leaves a function in another way (longjmp, a task that ends, a stack
 * that is used again) is mended in two ways: a frame whose stack pointer lies below the present one
 * has been left; and the function at pc is the one on top, whoever came there by a jump. */
#include "debug/runs.h"

#include <stdlib.h>

#define FRAMES_MAX 256u
#define STACKS_MAX 4096u
#define NEAR_STACK (64ull << 10) /* further away is another stack: of interrupts, of a signal */
#define NEAR_USER  (8ull << 20)
#define X_SP       2
#define X_TP       4

struct frame {
    uint32_t node;
    uint64_t ret; /* where it returns to; NO_RETURN: nowhere */
    uint64_t sp;  /* when it was called */
};
#define NO_RETURN 1ull

struct task {
    uint64_t tp, satp;
    uint8_t priv;
    bool used;
    unsigned depth;
    struct frame frames[FRAMES_MAX];
};

struct profile {
    struct runs *runs;
    struct stacks *stacks;
    struct task *tasks[STACKS_MAX]; /* by a hash of their key */
    struct task *now;
};

/* --- tasks -------------------------------------------------------------------------------- */

/* A task that meets another one at its place takes it: with thousands of tasks some lose their
 * callers. NULL: no memory. */
static struct task *find_task(struct profile *p, unsigned priv, uint64_t tp, uint64_t satp)
{
    satp = priv == PRIV_U ? satp : 0;
    struct task *now = p->now;
    if (now && now->tp == tp && now->satp == satp && now->priv == priv)
        return now;
    uint64_t hash = (tp ^ satp << 7 ^ priv) * 0x9e3779b97f4a7c15ull;
    struct task **at = &p->tasks[(hash >> 40) % STACKS_MAX];
    if (!*at)
        *at = calloc(1, sizeof **at);
    struct task *task = *at;
    if (task && (!task->used || task->tp != tp || task->satp != satp || task->priv != priv)) {
        task->tp = tp;
        task->satp = satp;
        task->priv = (uint8_t)priv;
        task->used = true;
        task->depth = 0;
    }
    return p->now = task;
}

static void push(struct profile *p, struct task *task, struct function f, uint64_t ret, uint64_t sp)
{
    uint32_t parent =
        task->depth ? task->frames[task->depth - 1].node : stacks_root(p->stacks, task->priv);
    if (task->depth == FRAMES_MAX)
        return;
    task->frames[task->depth++] =
        (struct frame){.node = stacks_child(p->stacks, parent, f), .ret = ret, .sp = sp};
}

/* Back to where a frame returns to; without such a frame nothing. */
static void pop_to(struct task *task, uint64_t pc)
{
    unsigned depth = task->depth;
    while (depth > 0 && task->frames[depth - 1].ret != pc)
        depth--;
    if (depth > 0)
        task->depth = depth - 1;
}

static void pop_left(struct task *task, uint64_t sp)
{
    uint64_t near = task->priv == PRIV_U ? NEAR_USER : NEAR_STACK;
    while (task->depth > 1) {
        uint64_t then = task->frames[task->depth - 1].sp;
        if (then >= sp || sp - then > near)
            break;
        task->depth--;
    }
}

/* --- notices ------------------------------------------------------------------------------ */

static struct function function_at(const struct symbols *symbols, uint64_t pc)
{
    const struct symbol *symbol = symbols_at(symbols, pc);
    return symbol ? (struct function){symbol->name, symbol->start, 0}
                  : (struct function){NULL, pc, 0};
}

static struct function function_of(const struct run *run)
{
    return run->symbol ? (struct function){run->symbol, run->symbol_start, 0}
                       : (struct function){NULL, run->va, 0};
}

/* The frame on top becomes that of the function that runs. */
static struct frame *settle(struct profile *p, struct task *task, const struct run *run)
{
    struct function f = function_of(run);
    if (task->depth == 0)
        push(p, task, f, NO_RETURN, UINT64_MAX);
    struct frame *top = &task->frames[task->depth - 1];
    struct function is = stacks_function(p->stacks, top->node);
    bool both_unknown = !is.name && !f.name;
    if (!both_unknown && !function_is_same(is, f))
        top->node = stacks_child(p->stacks, stacks_parent(p->stacks, top->node), f);
    return top;
}

static void count_by_line(struct tracer *t, uint32_t function, const struct run *run,
                          unsigned instructions)
{
    struct stacks *stacks = ((struct profile *)t->state)->stacks;
    for (uint32_t at = 0; instructions-- > 0; at += (run->bytes[at] & 3) == 3 ? 4 : 2)
        stacks_count(stacks, trace_place(t, stacks, function, run->va + at), 1);
}

static void on_ran(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct profile *p = t->state;
    struct task *task = p->now;
    struct run *run = runs_find(p->runs, t->trace, h, n->number);
    if (!run || !task)
        return;
    run->count++;
    struct frame *top = settle(p, task, run);
    if (t->has_lines)
        count_by_line(t, top->node, run, n->number);
    else
        stacks_count(p->stacks, top->node, n->number);
    if (n->failed)
        return;
    if (run->last_class == CLASS_CALL)
        push(p, task, function_at(t->trace->symbols, h->pc), run->va + run->size, h->x[X_SP]);
    else if (run->last_class == CLASS_RETURN)
        pop_to(task, h->pc);
}

static void on_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct profile *p = t->state;
    struct task *task;
    switch (n->kind) {
    case NOTICE_BEGINS:
        task = find_task(p, h->priv, h->x[X_TP], h->csr.satp);
        if (task)
            pop_left(task, h->x[X_SP]);
        break;
    case NOTICE_RAN:
        on_ran(t, h, n);
        break;
    case NOTICE_TRAP: /* of the same privilege: as a call of the handler */
        task = find_task(p, h->priv, h->x[X_TP], h->csr.satp);
        if (task && n->number == h->priv) {
            uint64_t tvec = h->priv == PRIV_M ? h->csr.mtvec : h->csr.stvec;
            push(p, task, function_at(t->trace->symbols, tvec & ~3ull), h->pc, h->x[X_SP]);
        }
        break;
    default: /* NOTICE_RETURN */
        task = find_task(p, h->priv, h->x[X_TP], h->csr.satp);
        if (task && n->number == h->priv)
            pop_to(task, n->address);
        break;
    }
}

/* --- life --------------------------------------------------------------------------------- */

static void free_profile(struct profile *p)
{
    for (unsigned i = 0; i < STACKS_MAX; i++)
        free(p->tasks[i]);
    runs_destroy(p->runs);
    stacks_destroy(p->stacks);
    free(p);
}

static bool start(struct tracer *t, struct error *err)
{
    struct profile *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, "no memory for the profile");
    p->runs = runs_create();
    p->stacks = stacks_create();
    t->state = p;
    if (p->runs && p->stacks)
        return true;
    free_profile(p);
    return error_set(err, "no memory for the profile");
}

static void finish(struct tracer *t)
{
    struct profile *p = t->state;
    stacks_write(p->stacks, t->file);
    free_profile(p);
}

const struct tracer_kind tracer_profile = {
    .wants = NOTICE_RUNS | NOTICE_BIT(NOTICE_TRAP) | NOTICE_BIT(NOTICE_RETURN),
    .watch = CODE_STRAIGHT,
    .needs_file = true,
    .start = start,
    .notice = on_notice,
    .finish = finish,
};

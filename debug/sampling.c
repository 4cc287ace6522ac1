/* The sampling profiler: where a hart is, every so many of its steps, and who called it, as far as
 * frame pointers tell (RISC-V ELF psABI, section "Frame Pointer Convention": s0 points behind the
 * saved ra and the caller's s0). Kernels of Linux keep them. Samples are taken at exact steps, so
 * that under icount a profile can be repeated. */
#include "debug/trace_internal.h"

#include "cpu/peek.h"

#include <stdlib.h>

#define CALLERS_MAX 64u
#define FRAME_MOST  (64ull << 10)
#define X_RA        1
#define X_S0        8

struct sampling {
    struct stacks *stacks;
    uint64_t next[MACHINE_MAX_HARTS];
};

static bool read_word(const struct hart *h, uint64_t va, uint64_t *value)
{
    return va % 8 == 0 && peek_memory(h, va, value, sizeof *value);
}

static bool is_frame(uint64_t fp, uint64_t above)
{
    return above > fp && above - fp < FRAME_MOST && above % 8 == 0;
}

/* The callers of pc, innermost first. A function that calls nobody has saved s0 alone, in the place
 * of ra. */
static unsigned find_callers(const struct hart *h, uint64_t *callers)
{
    uint64_t fp = h->x[X_S0], saved[2];
    unsigned n = 0;
    while (n < CALLERS_MAX && read_word(h, fp - 8, &saved[1]) && read_word(h, fp - 16, &saved[0])) {
        bool leaf = n == 0 && is_frame(fp, saved[1]);
        callers[n++] = leaf ? h->x[X_RA] : saved[1];
        uint64_t above = leaf ? saved[1] : saved[0];
        if (!is_frame(fp, above))
            break;
        fp = above;
    }
    return n;
}

/* A return address may lie behind the end of its function: the call before it does not. */
static struct function function_at(const struct tracer *t, uint64_t pc)
{
    const struct symbol *symbol = symbols_at(t->trace->symbols, pc);
    return symbol ? (struct function){symbol->name, symbol->start, 0}
                  : (struct function){NULL, pc, 0};
}

static void take(struct tracer *t, const struct hart *h)
{
    struct sampling *s = t->state;
    uint64_t callers[CALLERS_MAX];
    unsigned n = find_callers(h, callers);
    uint32_t node = stacks_root(s->stacks, h->priv);
    while (n-- > 0)
        if (callers[n] && symbols_at(t->trace->symbols, callers[n] - 1))
            node = stacks_child(s->stacks, node, function_at(t, callers[n] - 1));
    node = stacks_child(s->stacks, node, function_at(t, h->pc));
    stacks_count(s->stacks, trace_place(t, s->stacks, node, h->pc), 1);
}

static void on_notice(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct sampling *s = t->state;
    uint64_t *next = &s->next[h->id];
    (void)n;
    if (*next == 0)
        *next = h->steps + t->every;
    else if (h->steps >= *next) {
        if (trace_passes(&t->filter, h))
            take(t, h);
        *next = h->steps + t->every;
    }
    h->observer->sample_step = min_u64(h->observer->sample_step, *next);
}

static bool start(struct tracer *t, struct error *err)
{
    struct sampling *s = calloc(1, sizeof *s);
    if (s)
        s->stacks = stacks_create();
    if (!s || !s->stacks) {
        free(s);
        return error_set(err, "no memory for the samples");
    }
    t->state = s;
    return true;
}

static void finish(struct tracer *t)
{
    struct sampling *s = t->state;
    stacks_write(s->stacks, t->file);
    stacks_destroy(s->stacks);
    free(s);
}

const struct tracer_kind tracer_samples = {
    .wants = NOTICE_BIT(NOTICE_SAMPLE),
    .watch = CODE_UNWATCHED,
    .needs_file = true,
    .start = start,
    .notice = on_notice,
    .finish = finish,
};

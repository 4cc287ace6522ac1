/* What one hart does in an interval of its past (contract: past_watch.h): an observer of the hart,
 * which is told of each instruction. */
#include "debug/past_watch.h"

#include "cpu/code.h"
#include "cpu/hart.h"
#include "debug/insn_cache.h"

#include <stdlib.h>

#define CSR_FCSR     3u
#define TRAP_NOTICES (NOTICE_BIT(NOTICE_TRAP) | NOTICE_BIT(NOTICE_RETURN))

struct past_watch {
    struct hart_observer observer;
    struct insn_cache *instructions;
    struct machine *machine;
    struct hart *hart;     /* during a run */
    uint64_t began;        /* all harts' steps before the instruction that runs */
    enum insn_class class; /* of it; CLASS_OTHER: it does not count */
    uint64_t last_step;    /* before the hart's last step; UINT64_MAX: none in this interval */
    /* Calls and returns of the interval: the moment before each, twice, and 1 for a return. Traps
     * and what ends them are such too. */
    uint64_t *events;
    size_t count, capacity;
    bool failed;    /* no memory for one */
    uint8_t priv;   /* those within it, and those that lead out of it and back, count */
    bool is_next;   /* past_next: the first event decides */
    uint64_t depth; /* calls to be found still */
    /* A register. */
    struct reg reg;
    bool is_quiet;  /* on_csr_notice */
    uint64_t value; /* when the last instruction had run, */
    uint64_t ran;   /* at this moment */
    bool writes;    /* the instruction that runs does */
    bool is_there;
    struct past_change change;
};

/* --- calls -------------------------------------------------------------------------------- */

static void add_event(struct past_watch *w, uint64_t steps, bool is_return)
{
    if (w->count == w->capacity) {
        size_t capacity = 2 * w->capacity + 1024;
        uint64_t *grown = realloc(w->events, capacity * sizeof *grown);
        if (!grown) {
            w->failed = true;
            return;
        }
        w->events = grown;
        w->capacity = capacity;
    }
    w->events[w->count++] = 2 * steps + is_return;
}

static const struct insn_info *instruction(struct past_watch *w, const struct hart *h)
{
    return insn_cache_find(w->instructions, h->pc, insn_word_at(h, h->pc));
}

static void on_call_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct past_watch *w = owner;
    uint64_t now = machine_steps(w->machine);
    switch (n->kind) {
    case NOTICE_BEGINS:
        w->began = now;
        w->class = h->priv == w->priv ? instruction(w, h)->class : CLASS_OTHER;
        break;
    case NOTICE_RAN:
        if (n->number)
            w->last_step = w->began;
        if (n->number && (w->class == CLASS_CALL || w->class == CLASS_RETURN))
            add_event(w, w->began, w->class == CLASS_RETURN);
        break;
    case NOTICE_TRAP:
        w->last_step = now;
        if (h->priv == w->priv)
            add_event(w, now, false);
        break;
    default: /* NOTICE_RETURN */
        if (n->number == w->priv)
            add_event(w, now, true);
    }
}

static bool find_call(struct past_watch *w, uint64_t *steps)
{
    size_t n = w->count;
    if (w->last_step == UINT64_MAX)
        return false;
    if (w->is_next) {
        w->is_next = false;
        *steps = w->last_step;
        if (n == 0 || w->events[n - 1] != 2 * w->last_step + 1)
            return true;
        w->depth = 1;
        n--;
    }
    while (n-- > 0) {
        w->depth += w->events[n] % 2 ? 1 : UINT64_MAX;
        if (w->depth == 0) {
            *steps = w->events[n] / 2;
            return true;
        }
    }
    return false;
}

/* --- a register --------------------------------------------------------------------------- */

static void note_change(struct past_watch *w, uint64_t steps, uint64_t now, bool by_instruction)
{
    w->is_there = true;
    w->change = (struct past_change){
        .steps = steps, .old = w->value, .now = now, .by_instruction = by_instruction};
}

static bool writes(const struct past_watch *w, const struct insn_info *i)
{
    switch (w->reg.kind) {
    case REGISTER_PC:
        return true;
    case REGISTER_X:
        return i->writes_x && i->in.rd == w->reg.number;
    case REGISTER_F:
        return i->writes_f && i->in.rd == w->reg.number;
    case REGISTER_CSR: /* NOTICE_CSR says */
        return false;
    }
    return false;
}

/* Between two instructions a trap is taken, or the debugger writes. */
static void look_between(struct past_watch *w, struct hart *h)
{
    uint64_t value = register_read(h, &w->reg);
    if (value != w->value)
        note_change(w, w->ran, value, false);
    w->value = value;
}

static void on_register_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct past_watch *w = owner;
    uint64_t value;
    switch (n->kind) {
    case NOTICE_BEGINS:
        look_between(w, h);
        w->began = machine_steps(w->machine);
        w->writes = writes(w, instruction(w, h));
        break;
    case NOTICE_CSR:
        w->writes |= w->reg.kind == REGISTER_CSR && w->reg.number == n->number;
        break;
    default: /* NOTICE_RAN */
        value = register_read(h, &w->reg);
        if ((w->writes && n->number) || value != w->value)
            note_change(w, w->began, value, w->writes && n->number);
        w->value = value;
        w->ran = machine_steps(w->machine);
    }
}

/* A CSR that only CSR instructions, traps and their ends change: nothing else need be watched, and
 * the run goes at its full speed. */
static void on_csr_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct past_watch *w = owner;
    bool is_write = n->kind == NOTICE_CSR && n->number == w->reg.number;
    uint64_t value = register_read(h, &w->reg), before = is_write ? n->old : value;
    if (before != w->value)
        note_change(w, w->ran, before, false);
    w->value = before;
    w->ran = machine_steps(w->machine);
    if (is_write)
        note_change(w, w->ran, value, true);
    w->value = value;
}

static bool is_quiet_csr(const struct reg *r)
{
    return r->kind == REGISTER_CSR && r->number > CSR_FCSR;
}

bool past_watch_change(const struct past_watch *w, struct past_change *change)
{
    *change = w->change;
    return w->is_there;
}

/* --- both --------------------------------------------------------------------------------- */

static struct past_watch *create(const struct hart *h)
{
    struct past_watch *w = calloc(1, sizeof *w);
    if (w)
        w->instructions = insn_cache_create(&h->isa);
    if (w && w->instructions)
        return w;
    past_watch_destroy(w);
    return NULL;
}

struct past_watch *past_watch_calls(struct hart *h, bool outwards)
{
    struct past_watch *w = create(h);
    if (!w)
        return NULL;
    w->observer = (struct hart_observer){
        .notice = on_call_notice, .owner = w, .wants = NOTICE_RUNS | TRAP_NOTICES};
    w->priv = h->priv;
    w->is_next = !outwards;
    w->depth = 1;
    return w;
}

struct past_watch *past_watch_register(struct hart *h, const struct reg *r)
{
    struct past_watch *w = create(h);
    if (!w)
        return NULL;
    w->is_quiet = is_quiet_csr(r);
    w->observer = (struct hart_observer){.notice = w->is_quiet ? on_csr_notice : on_register_notice,
                                         .owner = w,
                                         .wants = NOTICE_BIT(NOTICE_CSR) |
                                                  (w->is_quiet ? TRAP_NOTICES : NOTICE_RUNS)};
    w->reg = *r;
    return w;
}

void past_watch_destroy(struct past_watch *w)
{
    if (!w)
        return;
    insn_cache_destroy(w->instructions);
    free(w->events);
    free(w);
}

void past_watch_begin(struct past_watch *w, struct machine *m, unsigned hart)
{
    w->machine = m;
    w->hart = machine_hart(m, hart);
    w->count = 0;
    w->last_step = UINT64_MAX;
    w->value = register_read(w->hart, &w->reg);
    w->ran = machine_steps(m);
    code_set_watch(w->hart->ports.code, w->is_quiet ? CODE_UNWATCHED : CODE_SINGLE);
    hart_set_observer(w->hart, &w->observer);
}

void past_watch_end(struct past_watch *w)
{
    hart_set_observer(w->hart, NULL);
    code_set_watch(w->hart->ports.code, CODE_UNWATCHED);
    if (w->observer.notice != on_call_notice)
        look_between(w, w->hart);
}

bool past_watch_check(const struct past_watch *w, struct error *err)
{
    return !w->failed || error_set(err, "no memory for the calls of the past");
}

bool past_watch_find(struct past_watch *w, uint64_t *steps)
{
    if (w->observer.notice == on_call_notice)
        return find_call(w, steps);
    if (w->is_there)
        *steps = w->change.steps;
    return w->is_there;
}

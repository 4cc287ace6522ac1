/* What one hart does in an interval of its past (contract: past_watch.h): an observer of the hart,
 * which is told of each instruction, or of those alone that matter, by marks (code_set_marks). What
 * an instruction has done is seen when the next notice comes: nothing in between could do the same,
 * or it would be marked too. */
#include "debug/past_watch.h"

#include "cpu/code.h"
#include "cpu/hart.h"
#include "debug/insn_cache.h"

#include <stdlib.h>

#define CSR_FCSR     3u
#define A0           10u
#define A1           11u
#define TRAP_NOTICES (NOTICE_BIT(NOTICE_TRAP) | NOTICE_BIT(NOTICE_RETURN))
#define MARK_NOTICES (NOTICE_BIT(NOTICE_MARK) | NOTICE_BIT(NOTICE_SET))
#define NOWHERE      UINT64_MAX

struct past_watch {
    struct hart_observer observer;
    struct insn_cache *instructions;
    struct machine *machine;
    struct hart *hart; /* during a run */
    uint64_t began;    /* all harts' steps before the instruction that runs; NOWHERE: none does */
    /* Calls and returns; traps and what ends them are such too. Of an interval: the returns whose
     * calls were before it, and then, innermost last, the moments of calls that have not returned.
     */
    enum insn_class class; /* of the instruction that runs; CLASS_OTHER: it does not count */
    uint64_t *calls;
    size_t count, capacity;
    uint64_t returns;
    uint64_t last_step;   /* before the hart's last step; NOWHERE: none in this interval */
    uint64_t last_return; /* before the last return, if no call came behind it; */
    uint64_t its_call;    /* NOWHERE: that was before the interval */
    bool failed;          /* no memory for a call */
    uint8_t priv;         /* those within it, and those that lead out of it and back, count */
    bool is_of_calls;
    bool is_next;   /* past_next: the first event decides */
    uint64_t depth; /* calls to be found still */
    /* A register. */
    struct reg reg;
    uint64_t value; /* when the last instruction had run, */
    uint64_t ran;   /* at this moment */
    bool writes;    /* the instruction that runs does */
    bool is_there;
    struct past_change change;
};

static const struct insn_info *instruction(struct past_watch *w, const struct hart *h)
{
    return insn_cache_find(w->instructions, h->pc, insn_word_at(h, h->pc));
}

/* --- calls -------------------------------------------------------------------------------- */

static void add_call(struct past_watch *w, uint64_t steps)
{
    w->last_return = NOWHERE;
    if (w->count == w->capacity) {
        size_t capacity = 2 * w->capacity + 1024;
        uint64_t *grown = realloc(w->calls, capacity * sizeof *grown);
        if (!grown) {
            w->failed = true;
            return;
        }
        w->calls = grown;
        w->capacity = capacity;
    }
    w->calls[w->count++] = steps;
}

static void add_return(struct past_watch *w, uint64_t steps)
{
    w->last_return = steps;
    w->its_call = w->count ? w->calls[--w->count] : NOWHERE;
    w->returns += w->its_call == NOWHERE;
}

/* The instruction that began has come to its end, if the hart made its step. */
static void end_instruction(struct past_watch *w, uint64_t now)
{
    bool ran = w->began != NOWHERE && now > w->began;
    if (ran && w->class == CLASS_CALL)
        add_call(w, w->began);
    if (ran && w->class == CLASS_RETURN)
        add_return(w, w->began);
    if (ran)
        w->last_step = w->began;
    w->began = NOWHERE;
}

static void on_call_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct past_watch *w = owner;
    uint64_t now = machine_steps(w->machine);
    end_instruction(w, now);
    switch (n->kind) {
    case NOTICE_BEGINS:
    case NOTICE_MARK:
        w->began = now;
        w->class = h->priv == w->priv ? instruction(w, h)->class : CLASS_OTHER;
        break;
    case NOTICE_TRAP:
        w->last_step = now;
        if (h->priv == w->priv)
            add_call(w, now);
        break;
    case NOTICE_RETURN:
        w->last_step = now;
        if (n->number == w->priv)
            add_return(w, now);
        break;
    default:
        break;
    }
}

/* Back over the hart's last step, and from a return to its call. False: that is further back. */
static bool find_next(struct past_watch *w, uint64_t *steps)
{
    w->is_next = false;
    bool is_return = w->last_return == w->last_step;
    *steps = is_return ? w->its_call : w->last_step;
    w->depth = is_return ? w->returns : 0;
    return *steps != NOWHERE;
}

static bool find_call(struct past_watch *w, uint64_t *steps)
{
    if (w->is_next)
        return w->last_step != NOWHERE && find_next(w, steps);
    if (w->depth <= w->count) {
        *steps = w->calls[w->count - w->depth];
        return true;
    }
    w->depth += w->returns - w->count;
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

/* What was marked or set last has come to its end. */
static void end_marked(struct past_watch *w, struct hart *h)
{
    uint64_t now = machine_steps(w->machine), value = register_read(h, &w->reg);
    bool ran = w->began != NOWHERE && w->writes && now > w->began;
    if (ran || value != w->value)
        note_change(w, w->began != NOWHERE ? w->began : w->ran, value, ran);
    w->value = value;
    w->ran = now;
    w->began = NOWHERE;
}

static void on_mark_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct past_watch *w = owner;
    end_marked(w, h);
    if (n->kind == NOTICE_TRAP)
        return;
    w->began = machine_steps(w->machine);
    w->writes = n->kind == NOTICE_MARK && writes(w, instruction(w, h));
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

/* The instruction's address is none of its properties. */
static const struct insn_info *info_of(struct past_watch *w, uint32_t word)
{
    return insn_cache_find(w->instructions, word, word);
}

static bool is_call_or_return(void *owner, uint32_t word)
{
    enum insn_class class = info_of(owner, word)->class;
    return class == CLASS_CALL || class == CLASS_RETURN;
}

/* Or may: the built-in SBI and semihosting answer in a0 and a1, an amocas of 16 bytes writes two.
 */
static bool may_write(void *owner, uint32_t word)
{
    const struct past_watch *w = owner;
    const struct insn_info *i = info_of(owner, word);
    bool is_x = w->reg.kind == REGISTER_X;
    bool answers = is_x && i->class == CLASS_SYSTEM && (w->reg.number == A0 || w->reg.number == A1);
    bool is_second = is_x && i->class == CLASS_AMO && i->in.rd + 1u == w->reg.number;
    return writes(w, i) || answers || is_second;
}

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
    w->is_of_calls = true;
    w->priv = h->priv;
    w->is_next = !outwards;
    w->depth = 1;
    return w;
}

struct past_watch *past_watch_register(struct hart *h, const struct reg *r)
{
    struct past_watch *w = create(h);
    if (w)
        w->reg = *r;
    return w;
}

void past_watch_destroy(struct past_watch *w)
{
    if (!w)
        return;
    insn_cache_destroy(w->instructions);
    free(w->calls);
    free(w);
}

bool past_watch_is_fast(const struct past_watch *w)
{
    return w->is_of_calls
               ? !w->is_next
               : w->reg.kind == REGISTER_X || w->reg.kind == REGISTER_F || is_quiet_csr(&w->reg);
}

/* Fast: without a notice of each instruction. */
static void observe(struct past_watch *w, bool fast)
{
    bool is_csr = !w->is_of_calls && is_quiet_csr(&w->reg);
    struct code_cache *code = w->hart->ports.code;
    w->observer = (struct hart_observer){.owner = w, .wants = fast ? MARK_NOTICES : NOTICE_RUNS};
    if (w->is_of_calls || fast)
        w->observer.wants |= TRAP_NOTICES;
    else
        w->observer.wants |= NOTICE_BIT(NOTICE_CSR);
    w->observer.notice = w->is_of_calls ? on_call_notice
                         : fast         ? on_mark_notice
                                        : on_register_notice;
    if (is_csr)
        w->observer = (struct hart_observer){
            .notice = on_csr_notice, .owner = w, .wants = NOTICE_BIT(NOTICE_CSR) | TRAP_NOTICES};
    code_set_watch(code, fast || is_csr ? CODE_UNWATCHED : CODE_SINGLE);
    if (fast && !is_csr)
        code_set_marks(code, w->is_of_calls ? is_call_or_return : may_write, w);
    hart_set_observer(w->hart, &w->observer);
}

void past_watch_begin(struct past_watch *w, struct machine *m, unsigned hart, bool fast)
{
    w->machine = m;
    w->hart = machine_hart(m, hart);
    w->count = 0;
    w->returns = 0;
    w->began = w->last_step = w->last_return = NOWHERE;
    if (!w->is_of_calls)
        w->value = register_read(w->hart, &w->reg);
    w->ran = machine_steps(m);
    observe(w, fast && past_watch_is_fast(w));
}

void past_watch_end(struct past_watch *w)
{
    hart_set_observer(w->hart, NULL);
    code_set_watch(w->hart->ports.code, CODE_UNWATCHED);
    code_set_marks(w->hart->ports.code, NULL, NULL);
    if (w->is_of_calls)
        end_instruction(w, machine_steps(w->machine));
    else if (w->observer.notice == on_mark_notice)
        end_marked(w, w->hart);
    else
        look_between(w, w->hart);
}

bool past_watch_check(const struct past_watch *w, struct error *err)
{
    return !w->failed || error_set(err, "no memory for the calls of the past");
}

bool past_watch_find(struct past_watch *w, uint64_t *steps)
{
    if (w->is_of_calls)
        return find_call(w, steps);
    if (w->is_there)
        *steps = w->change.steps;
    return w->is_there;
}

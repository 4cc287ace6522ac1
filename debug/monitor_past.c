/* Commands that move in the past of the machine, and ask about it. */
#include "debug/monitor_internal.h"

#include "cpu/hart.h"
#include "cpu/peek.h"
#include "debug/past.h"
#include "debug/registers.h"

#include <inttypes.h>

static bool step_back(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps = 1;
    if ((*a->rest && !argument_number(m, a, &steps, err)) || !argument_end(a, err))
        return false;
    return past_step(m->control, m->hart, steps, err);
}

static bool run_back(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && past_continue(m->control, m->hart, &m->out, err);
}

static bool next_back(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && past_next(m->control, m->hart, &m->out, err);
}

static bool finish_back(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && past_finish(m->control, m->hart, &m->out, err);
}

static bool go_to(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps;
    if (!argument_number(m, a, &steps, err) || !argument_end(a, err) ||
        !past_go_to(m->control, steps, err))
        return false;
    m->is_stepping = control_state(m->control) == RUN_RUNNING;
    return true;
}

static bool is_equal(uint64_t a, uint64_t b)
{
    return a == b;
}
static bool is_other(uint64_t a, uint64_t b)
{
    return a != b;
}
static bool is_less(uint64_t a, uint64_t b)
{
    return a < b;
}
static bool is_more(uint64_t a, uint64_t b)
{
    return a > b;
}
static bool is_at_most(uint64_t a, uint64_t b)
{
    return a <= b;
}
static bool is_at_least(uint64_t a, uint64_t b)
{
    return a >= b;
}

static const struct comparison {
    const char *name; /* the longer one before what it begins with */
    bool (*holds)(uint64_t left, uint64_t right);
} comparisons[] = {
    {"==", is_equal},    {"!=", is_other}, {"<=", is_at_most},
    {">=", is_at_least}, {"<", is_less},   {">", is_more},
};

static const struct comparison *take_comparison(struct arguments *a)
{
    for (size_t i = 0; i < ARRAY_LEN(comparisons); i++) {
        size_t n = strlen(comparisons[i].name);
        if (strncmp(a->rest, comparisons[i].name, n) == 0) {
            a->rest += n;
            return &comparisons[i];
        }
    }
    return NULL;
}

/* EXPRESSION == EXPRESSION, unsigned. */
static bool read_condition(struct monitor *m, struct arguments *a, bool *holds, struct error *err)
{
    uint64_t left, right;
    const struct comparison *c;
    if (!argument_number(m, a, &left, err))
        return false;
    if (!(c = take_comparison(a)))
        return error_set(err, "a comparison is needed: $a0 == 5");
    if (!argument_number(m, a, &right, err) || !argument_end(a, err))
        return false;
    *holds = c->holds(left, right);
    return true;
}

/* Asked behind each step. What cannot be computed any more ends it. */
static bool goes_on(void *owner, unsigned hart)
{
    struct monitor *m = owner;
    struct arguments a = {.rest = m->condition};
    struct error ignored;
    bool holds;
    (void)hart;
    return read_condition(m, &a, &holds, &ignored) && !holds;
}

static bool run_until(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps;
    bool holds;
    struct arguments whole = *a;
    if (!argument_number(m, a, &steps, err))
        return false;
    if (*a->rest) {
        if (strlen(whole.rest) >= sizeof m->condition)
            return error_set(err, "the condition is too long");
        snprintf(m->condition, sizeof m->condition, "%s", whole.rest);
        if (!read_condition(m, &whole, &holds, err) ||
            !control_step_while(m->control, m->hart, goes_on, m, err))
            return false;
    } else if (!control_run_until(m->control, steps, err)) {
        return false;
    }
    m->is_stepping = true;
    return true;
}

static bool branch(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && control_branch(m->control, err);
}

/* --- who wrote ---------------------------------------------------------------------------- */

/* The device that the hart, before a store to one of its registers, is about to make write. */
static const char *asked_device(struct monitor *m, struct hart *h)
{
    struct decoded in;
    uint32_t word;
    uint64_t pa;
    const struct region *r = NULL;
    bool stores = peek_instruction(h, h->pc, &word) && insn_decode(m->decoder, word, &in) &&
                  in.base->format == FORMAT_S;
    if (stores && peek_address(h, h->x[in.rs1] + (uint64_t)(int64_t)in.imm, &pa))
        r = memory_find(h->ports.memory, pa);
    return r && r->kind == REGION_DEVICE ? r->ops->name : NULL;
}

/* The machine stands before the write. */
static void show_writer(struct monitor *m, const struct machine_writer *w)
{
    struct hart *h = machine_hart(monitor_machine(m), w->hart);
    size_t length;
    const char *device = w->other ? NULL : asked_device(m, h);
    if (w->other) {
        say(m, "step %" PRIu64 ", between two instructions: %s\n", w->steps, w->other);
    } else {
        m->hart = w->hart;
        say(m, "step %" PRIu64 ", hart %u%s%s\n", w->steps, w->hart, device ? ", by DMA of " : "",
            device ? device : "");
        (void)monitor_show_instruction(m, h, h->pc, &length);
    }
    say(m, "0x%" PRIx64 ", %" PRIu64 " bytes", w->gpa, w->n);
}

static void show_values(struct monitor *m, uint64_t n, uint64_t old, uint64_t now)
{
    int digits = (int)(2 * min_u64(n, 8));
    say(m, ": 0x%0*" PRIx64 " became 0x%0*" PRIx64 "\n", digits, old, digits, now);
}

static bool find_writer(struct monitor *m, struct machine_written *what, bool is_physical,
                        struct error *err)
{
    struct machine_writer writer;
    bool found;
    uint64_t address = what->gpa, n = what->n;
    if (!is_physical && !peek_address(monitor_hart(m), address, &what->gpa))
        return error_set(err, "0x%" PRIx64 " leads nowhere now", address);
    if (n == 0 || n > MACHINE_PAGE_BYTES - what->gpa % MACHINE_PAGE_BYTES)
        return error_set(err, "%" PRIu64 " bytes: give 1 or more that lie on one page", n);
    if (!past_find_writer(m->control, what, &writer, &found, err))
        return false;
    if (!found) {
        say(m, "Nobody since step %" PRIu64 ".\n", machine_history_start(monitor_machine(m)));
        return true;
    }
    show_writer(m, &writer);
    show_values(m, n, writer.old, writer.now);
    return true;
}

/* "phys ADDR" is physical; an address alone is one of the current hart's. */
static bool take_physical(struct arguments *a)
{
    bool is_physical = strncmp(a->rest, "phys ", 5) == 0;
    a->rest += is_physical ? 5 : 0;
    return is_physical;
}

static bool who_changed(struct monitor *m, const struct reg *r, struct error *err)
{
    struct past_change change;
    bool found;
    if (!past_find_register(m->control, m->hart, r, &m->out, &change, &found, err))
        return false;
    struct hart *h = monitor_hart(m);
    size_t length;
    if (!found) {
        say(m, "Nobody since step %" PRIu64 ".\n", machine_history_start(monitor_machine(m)));
        return true;
    }
    say(m, "step %" PRIu64 ", hart %u%s\n", change.steps, m->hart,
        change.by_instruction ? "" : ", by a trap, the SBI or the debugger");
    (void)monitor_show_instruction(m, h, h->pc, &length);
    say(m, "it");
    show_values(m, 8, change.old, change.now);
    return true;
}

/* A register's bare name, or an address. */
static bool who_wrote(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine_written what = {.n = 1};
    struct arguments ahead = *a;
    struct reg r;
    char name[32];
    argument_word(&ahead, name, sizeof name);
    if (!*ahead.rest && register_find(name, &r))
        return who_changed(m, &r, err);
    bool is_physical = take_physical(a);
    return argument_number(m, a, &what.gpa, err) &&
           (!*a->rest || argument_number(m, a, &what.n, err)) && argument_end(a, err) &&
           find_writer(m, &what, is_physical, err);
}

static bool when(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine_written what = {.n = 8, .has_value = true};
    bool is_physical = take_physical(a);
    if (!argument_number(m, a, &what.gpa, err))
        return false;
    if (!*a->rest)
        return error_set(err, "a value is needed: when ADDR VALUE");
    if (!argument_number(m, a, &what.value, err) ||
        (*a->rest && !argument_number(m, a, &what.n, err)) || !argument_end(a, err))
        return false;
    if (what.n > 8 || (what.n < 8 && what.value >> 8 * what.n))
        return error_set(err, "a value of %" PRIu64 " bytes: give 1 to 8 that it fits in", what.n);
    return find_writer(m, &what, is_physical, err);
}

const struct monitor_row monitor_past_rows[] = {
    {"reverse-step", "rs", "[N]", "go N steps of the current hart back", step_back},
    {"reverse-continue", "rc", "", "run back to the last breakpoint or watchpoint", run_back},
    {"reverse-next", "rn", "", "the same by one step, and over a call or trap that ended there",
     next_back},
    {"reverse-finish", "rf", "", "go back to the call or trap that led here", finish_back},
    {"goto", NULL, "STEP", "go to a moment, the sum of all harts' steps, back or forth", go_to},
    {"run-until", NULL, "STEP | EXPRESSION == EXPRESSION",
     "run until all harts together have made so many steps, or step the current hart until this "
     "holds (!= < <= > >= too)",
     run_until},
    {"branch", NULL, "", "make what is seen now the present: what came after it is lost", branch},
    {"who-wrote", NULL, "REGISTER | [phys] ADDR [BYTES]",
     "find who wrote there last, and go there; physical, or the current hart's address", who_wrote},
    {"when", NULL, "[phys] ADDR VALUE [BYTES]",
     "find who made memory this value last (of 8 bytes), and go there", when},
    {.name = NULL},
};

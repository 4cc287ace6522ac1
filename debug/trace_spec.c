/* What a user asks of a trace: "WHAT[,WHAT...][,PROPERTY=VALUE...]". */
#include "debug/trace_internal.h"

#include "base/values.h"

#define EVERY_STEPS 100000ull

#define BIT(kind) NOTICE_BIT(NOTICE_##kind)

const struct trace_word trace_words[] = {
    {"insn", &tracer_lines, TRACE_INSN, NOTICE_RUNS | BIT(CSR),
     "each instruction, with the registers and the memory that it read and wrote"},
    {"trap", &tracer_lines, TRACE_TRAP, BIT(TRAP), "exceptions"},
    {"int", &tracer_lines, TRACE_INT, BIT(TRAP), "interrupts"},
    {"return", &tracer_lines, TRACE_RETURN, BIT(RETURN), "returns from traps: mret, sret"},
    {"sbi", &tracer_lines, TRACE_SBI, BIT(SBI_CALL) | BIT(SBI_RETURN), "calls of the built-in SBI"},
    {"syscall", &tracer_lines, TRACE_SYSCALL, BIT(TRAP) | BIT(RETURN),
     "system calls of a Linux guest, with arguments and results"},
    {"csr", &tracer_lines, TRACE_CSR, BIT(CSR), "writes of CSRs"},
    {"mmio", &tracer_lines, TRACE_MMIO, BIT(MMIO), "accesses to devices"},
    {"tlb", &tracer_lines, TRACE_TLB, BIT(WALK), "TLB misses: page-table walks"},
    {"switch", &tracer_lines, TRACE_SWITCH, BIT(CSR), "switches of the address space"},
    {"commit", &tracer_commits, 0, 0, "each instruction as Spike's --log-commits writes it"},
    {"profile", &tracer_profile, 0, 0,
     "exact: instructions by call stack, folded for flame graphs; lines=on: by line of source too"},
    {"sample", &tracer_samples, 0, 0,
     "every=STEPS, lines=on: where the harts are, by call stack, folded likewise"},
    {"coverage", &tracer_coverage, 0, 0,
     "what ran: format=lcov (lines of functions, with symbols) or drcov (blocks)"},
    {"mix", &tracer_mix, 0, 0, "instructions by class and name, and the hottest blocks"},
    {.name = NULL},
};

/* --- words -------------------------------------------------------------------------------- */

static const struct trace_word *find_word(const char *name)
{
    for (const struct trace_word *w = trace_words; w->name; w++)
        if (strcmp(w->name, name) == 0)
            return w;
    return NULL;
}

static bool add_word(struct tracer *t, const char *name, struct error *err)
{
    const struct trace_word *word = find_word(name);
    if (!word) {
        char known[160] = "";
        for (const struct trace_word *w = trace_words; w->name; w++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", w->name);
        return error_set(err, "nothing called '%.40s' can be traced; there are:%s", name, known);
    }
    if (t->kind && t->kind != word->kind)
        return error_set(err, "%s is a trace of its own: give it by itself, with its file", name);
    t->kind = word->kind;
    t->items |= word->items;
    t->wants |= word->wants | word->kind->wants;
    return true;
}

/* --- properties --------------------------------------------------------------------------- */

static bool set_hart(struct tracer *t, const char *value, struct error *err)
{
    uint64_t number;
    if (!value_number(value, &number) || number >= MACHINE_MAX_HARTS)
        return error_set(err, "hart=%.40s: there is no such hart", value);
    t->filter.hart = (uint32_t)number;
    return true;
}

static bool set_privs(struct tracer *t, const char *value, struct error *err)
{
    t->filter.privs = 0;
    for (const char *p = value; *p; p++) {
        unsigned priv = (*p | 0x20) == 'u' ? PRIV_U : (*p | 0x20) == 's' ? PRIV_S : PRIV_M;
        if (!strchr("usmUSM", *p))
            return error_set(err, "priv=%.40s: give letters of u, s and m", value);
        t->filter.privs |= 1u << priv;
    }
    return t->filter.privs || error_set(err, "priv= needs letters of u, s and m");
}

static bool set_range(struct tracer *t, const char *value, struct error *err)
{
    char from[40];
    size_t n = strcspn(value, "-");
    snprintf(from, sizeof from, "%.*s", (int)min_u64(n, sizeof from - 1), value);
    if (value[n] == '-' && value_number(from, &t->filter.from) &&
        value_number(value + n + 1, &t->filter.to) && t->filter.from < t->filter.to)
        return true;
    return error_set(err, "range=%.80s: give it as START-END, END being the first that is out",
                     value);
}

static bool set_symbol(struct tracer *t, const struct symbols *symbols, const char *value,
                       struct error *err)
{
    const struct symbol *symbol = symbols_named(symbols, value);
    if (!symbol)
        return error_set(err, "there is no symbol %.80s; load its file before, with -symbols FILE",
                         value);
    t->filter.from = symbol->start;
    t->filter.to = symbol->end;
    return true;
}

static bool set_form(struct tracer *t, const char *value, struct error *err)
{
    t->drcov = strcmp(value, "drcov") == 0;
    return t->drcov || strcmp(value, "lcov") == 0 ||
           error_set(err, "format=%.40s: it can be lcov or drcov", value);
}

static bool set_lines(struct tracer *t, const char *value, struct error *err)
{
    return value_switch(value, &t->has_lines) ||
           error_set(err, "lines=%.40s: it can be on or off", value);
}

static bool set_property(struct tracer *t, const struct symbols *symbols,
                         const struct list_item *item, struct error *err)
{
    if (strcmp(item->key, "file") == 0) {
        snprintf(t->path, sizeof t->path, "%s", item->value);
        return *t->path || error_set(err, "file= needs a path");
    }
    if (strcmp(item->key, "hart") == 0)
        return set_hart(t, item->value, err);
    if (strcmp(item->key, "priv") == 0)
        return set_privs(t, item->value, err);
    if (strcmp(item->key, "range") == 0)
        return set_range(t, item->value, err);
    if (strcmp(item->key, "symbol") == 0)
        return set_symbol(t, symbols, item->value, err);
    if (strcmp(item->key, "format") == 0)
        return set_form(t, item->value, err);
    if (strcmp(item->key, "lines") == 0)
        return set_lines(t, item->value, err);
    if (strcmp(item->key, "every") == 0)
        return (value_number(item->value, &t->every) && t->every) ||
               error_set(err, "every=%.40s is no number of steps", item->value);
    return error_set(err,
                     "unknown property '%.40s'; there are: file hart priv range symbol every "
                     "format lines",
                     item->key);
}

bool trace_read_spec(const struct symbols *symbols, const char *spec, struct tracer *t,
                     struct error *err)
{
    struct list_item item;
    *t = (struct tracer){.every = EVERY_STEPS};
    t->filter = (struct trace_filter){TRACE_ALL_HARTS, ~0u, 0, UINT64_MAX};
    snprintf(t->spec, sizeof t->spec, "%s", spec);
    err->text[0] = 0;
    while (list_next(&spec, &item, err)) {
        bool ok = item.value ? set_property(t, symbols, &item, err) : add_word(t, item.key, err);
        if (!ok)
            return false;
    }
    if (err->text[0])
        return false;
    if (!t->kind)
        return error_set(err, "it says nothing of what to trace: insn, trap, syscall, ...");
    if (t->kind == &tracer_coverage && !t->drcov && !symbols_count(symbols))
        return error_set(err, "format=lcov needs -symbols FILE; format=drcov does not");
    if (t->has_lines && t->kind != &tracer_profile && t->kind != &tracer_samples)
        return error_set(err, "lines=on is for profile and sample");
    if (t->kind->needs_file && !*t->path)
        return error_set(err, "it needs a file to write: add file=PATH");
    return true;
}

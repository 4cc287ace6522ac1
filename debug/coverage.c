/* What of the guest's code has run.
 *
 * drcov, DynamoRIO's form, which binary analysers read: a table of modules and one of blocks, each
 * block an offset in a module and a size. Each file of symbols is a module; code without symbols is
 * in modules of 2 GiB, named by their address.
 *
 * lcov, the form of genhtml and of CI services: a record a file of source, where symbols come with
 * lines (coverage_lines.c); else one a file of symbols, in which a function's line is its place in
 * the order of addresses. */
#include "debug/coverage.h"

#include <stdlib.h>

#define MODULES_MAX  64u
#define MODULE_BYTES (2ull << 30)

/* --- drcov -------------------------------------------------------------------------------- */

struct module {
    uint64_t base, end;
    const char *name; /* NULL: by its address */
};

struct modules {
    struct module items[MODULES_MAX];
    unsigned count;
};

static void add_files(struct modules *m, const struct symbols *symbols)
{
    for (unsigned file = 0; symbols_file(symbols, file) && m->count < MODULES_MAX / 2; file++) {
        struct module module = {UINT64_MAX, 0, symbols_file(symbols, file)};
        const struct symbol *symbol;
        for (size_t i = 0; (symbol = symbols_get(symbols, i)) != NULL; i++) {
            if (symbol->file != file || !symbol->code)
                continue;
            module.base = min_u64(module.base, symbol->start);
            module.end = max_u64(module.end, symbol->end);
        }
        module.end = min_u64(module.end, module.base + MODULE_BYTES);
        if (module.base < module.end)
            m->items[m->count++] = module;
    }
}

/* The module that holds va; MODULES_MAX: there is no room for one. */
static unsigned find_module(struct modules *m, uint64_t va)
{
    for (unsigned i = 0; i < m->count; i++)
        if (va >= m->items[i].base && va < m->items[i].end)
            return i;
    if (m->count == MODULES_MAX)
        return MODULES_MAX;
    uint64_t base = va & ~(MODULE_BYTES - 1);
    m->items[m->count] = (struct module){base, base + (MODULE_BYTES - 1), NULL};
    return m->count++;
}

static void write_modules(const struct modules *m, FILE *file)
{
    fprintf(file,
            "DRCOV VERSION: 2\nDRCOV FLAVOR: drcov\nModule Table: version 2, count %u\n"
            "Columns: id, base, end, entry, checksum, timestamp, path\n",
            m->count);
    for (unsigned i = 0; i < m->count; i++) {
        const struct module *module = &m->items[i];
        fprintf(file, " %u, 0x%016llx, 0x%016llx, 0x0, 0x0, 0x0, ", i,
                (unsigned long long)module->base, (unsigned long long)module->end);
        if (module->name)
            fprintf(file, "%s\n", module->name);
        else
            fprintf(file, "[0x%llx]\n", (unsigned long long)module->base);
    }
}

static void write_drcov(const struct trace *t, const struct runs *runs, FILE *file)
{
    struct modules modules = {.count = 0};
    size_t blocks = 0;
    add_files(&modules, t->symbols);
    for (size_t i = 0; i < runs_count(runs); i++)
        blocks += find_module(&modules, runs_get(runs, i)->va) < MODULES_MAX;
    write_modules(&modules, file);
    fprintf(file, "BB Table: %zu bbs\n", blocks);
    for (size_t i = 0; i < runs_count(runs); i++) {
        const struct run *run = runs_get(runs, i);
        unsigned module = find_module(&modules, run->va);
        if (module == MODULES_MAX)
            continue;
        uint32_t offset = (uint32_t)(run->va - modules.items[module].base);
        uint8_t entry[8] = {(uint8_t)offset,         (uint8_t)(offset >> 8),
                            (uint8_t)(offset >> 16), (uint8_t)(offset >> 24),
                            (uint8_t)run->size,      (uint8_t)(run->size >> 8),
                            (uint8_t)module,         (uint8_t)(module >> 8)};
        fwrite(entry, 1, sizeof entry, file);
    }
}

/* --- lcov --------------------------------------------------------------------------------- */

/* How often each function was entered: the runs that begin at, or go over, its first instruction.
 */
static void count_entries(const struct symbols *symbols, const struct runs *runs, uint64_t *entries,
                          bool *touched)
{
    const struct symbol *first = symbols_get(symbols, 0);
    for (size_t i = 0; i < runs_count(runs); i++) {
        const struct run *run = runs_get(runs, i);
        const struct symbol *symbol = symbols_at(symbols, run->va);
        if (!symbol)
            continue;
        touched[symbol - first] = true;
        if (run->va == symbol->start)
            entries[symbol - first] += run->count;
    }
}

static void write_file(const struct symbols *symbols, unsigned file, const uint64_t *entries,
                       const bool *touched, FILE *to)
{
    const struct symbol *symbol;
    unsigned line = 0, hit = 0;
    uint64_t before = 1; /* no address of code */
    fprintf(to, "TN:rivulet\nSF:%s\n", symbols_file(symbols, file));
    for (size_t i = 0; (symbol = symbols_get(symbols, i)) != NULL; i++) {
        /* Aliases of one address are one function. */
        if (symbol->file != file || !symbol->code || symbol->start == before)
            continue;
        before = symbol->start;
        line++;
        uint64_t count = entries[i] ? entries[i] : touched[i];
        hit += count != 0;
        fprintf(to, "FN:%u,%s\nFNDA:%llu,%s\nDA:%u,%llu\n", line, symbol->name,
                (unsigned long long)count, symbol->name, line, (unsigned long long)count);
    }
    fprintf(to, "FNF:%u\nFNH:%u\nLF:%u\nLH:%u\nend_of_record\n", line, hit, line, hit);
}

static void write_lcov(const struct trace *t, const struct runs *runs, FILE *file)
{
    size_t n = symbols_count(t->symbols);
    uint64_t *entries = calloc(n + 1, sizeof *entries);
    bool *touched = calloc(n + 1, sizeof *touched);
    if (entries && touched) {
        count_entries(t->symbols, runs, entries, touched);
        for (unsigned i = 0; symbols_file(t->symbols, i); i++)
            if (!coverage_write_lines(t->symbols, i, runs, file))
                write_file(t->symbols, i, entries, touched, file);
    }
    free(entries);
    free(touched);
}

/* --- counting ----------------------------------------------------------------------------- */

/* Whether the trap that has just been taken is a call: it does not retire, and has been made. */
static bool is_call(const struct hart *h)
{
    uint64_t cause = h->priv == PRIV_M ? h->csr.mcause : h->csr.scause;
    return cause == CAUSE_ECALL_U || cause == CAUSE_ECALL_S || cause == CAUSE_ECALL_M;
}

static void notice_run(struct tracer *t, struct hart *h, const struct notice *n)
{
    struct notice run = *n;
    if (n->kind == NOTICE_RAN && n->failed && n->number < BLOCK_MAX && is_call(h))
        run.number++;
    runs_notice(t, h, &run);
}

/* --- life --------------------------------------------------------------------------------- */

static void finish(struct tracer *t)
{
    if (t->drcov)
        write_drcov(t->trace, t->state, t->file);
    else
        write_lcov(t->trace, t->state, t->file);
    runs_destroy(t->state);
}

const struct tracer_kind tracer_coverage = {
    .wants = NOTICE_RUNS,
    .watch = CODE_STRAIGHT,
    .needs_file = true,
    .start = runs_start,
    .notice = notice_run,
    .finish = finish,
};

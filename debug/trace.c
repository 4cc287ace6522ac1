/* The list of tracers, and how notices get to them (contract: trace.h). */
#include "debug/trace_internal.h"

#include "base/values.h"
#include "debug/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BUFFER_BYTES (1u << 18)

/* --- notices ------------------------------------------------------------------------------ */

bool trace_passes(const struct trace_filter *f, const struct hart *h)
{
    return (f->hart == TRACE_ALL_HARTS || f->hart == h->id) && f->privs >> h->priv & 1 &&
           h->pc >= f->from && (h->pc < f->to || f->to == UINT64_MAX);
}

static void tell(struct tracer *t, struct hart *h, const struct notice *n)
{
    if (n->kind == NOTICE_BEGINS)
        t->in_run = trace_passes(&t->filter, h);
    if (!(t->wants & NOTICE_BIT(n->kind)))
        return;
    bool passes = n->kind == NOTICE_SAMPLE || (n->kind == NOTICE_RAN && t->in_run) ||
                  (n->kind != NOTICE_RAN && trace_passes(&t->filter, h));
    if (passes)
        t->kind->notice(t, h, n);
}

static void on_notice(void *owner, struct hart *h, const struct notice *n)
{
    struct trace *trace = owner;
    if (n->kind == NOTICE_BEGINS)
        trace->run = (struct trace_run){h->pc, h->page_pa + h->pc % PAGE_BYTES, h->steps,
                                        h->csr.satp, h->priv};
    if (n->kind == NOTICE_SAMPLE) /* a tracer that wants it earlier says so */
        h->observer->sample_step = UINT64_MAX;
    for (struct tracer *t = trace->tracers; t; t = t->next)
        tell(t, h, n);
}

/* Makes the harts tell what the tracers together want, and no more. */
static void attach(struct trace *t)
{
    unsigned wants = 0;
    enum code_watch watch = CODE_UNWATCHED;
    for (const struct tracer *tracer = t->tracers; tracer; tracer = tracer->next) {
        bool single = tracer->items & TRACE_INSN;
        enum code_watch needed = single ? CODE_SINGLE : tracer->kind->watch;
        wants |= tracer->wants;
        watch = needed > watch ? needed : watch;
    }
    struct hart *h;
    for (unsigned i = 0; i < MACHINE_MAX_HARTS && (h = control_hart(t->control, i)); i++) {
        t->observers[i] = (struct hart_observer){.notice = on_notice, .owner = t, .wants = wants};
        hart_set_observer(h, wants ? &t->observers[i] : NULL);
        code_set_watch(h->ports.code, watch);
    }
}

void trace_attach(struct trace *t)
{
    if (t->tracers)
        attach(t);
}

/* --- life --------------------------------------------------------------------------------- */

struct trace *trace_create(struct control *c, struct error *err)
{
    struct trace *t = calloc(1, sizeof *t);
    if (t) {
        t->control = c;
        t->symbols = symbols_create();
        t->instructions = insn_cache_create(&control_hart(c, 0)->isa);
    }
    if (t && t->symbols && t->instructions)
        return t;
    if (t) {
        symbols_destroy(t->symbols);
        insn_cache_destroy(t->instructions);
    }
    free(t);
    error_set(err, "no memory for tracing");
    return NULL;
}

/* False and err: not all could be written. */
static bool close_tracer(struct tracer *t, struct error *err)
{
    t->kind->finish(t);
    bool ok = fflush(t->file) == 0 && !ferror(t->file);
    int error = errno;
    if (t->file != stderr)
        ok = fclose(t->file) == 0 && ok;
    if (!ok)
        error_set(err, "cannot write the trace %.200s: %s", *t->path ? t->path : "to stderr",
                  strerror(error));
    free(t);
    return ok;
}

bool trace_stop_all(struct trace *t, struct error *err)
{
    bool ok = true;
    if (!t->tracers)
        return true;
    while (t->tracers) {
        struct tracer *first = t->tracers;
        t->tracers = first->next;
        ok = close_tracer(first, err) && ok;
    }
    attach(t);
    return ok;
}

void trace_destroy(struct trace *t)
{
    struct error ignored;
    if (!t)
        return;
    if (!trace_stop_all(t, &ignored))
        fprintf(stderr, "rivulet: %s\n", ignored.text);
    lines_destroy(t->lines);
    symbols_destroy(t->symbols);
    insn_cache_destroy(t->instructions);
    free(t);
}

/* --- tracers ------------------------------------------------------------------------------ */

void trace_place_files(struct trace *t, const char *folder, int (*place)(void *owner, int fd),
                       void *owner)
{
    t->folder = folder;
    t->place = place;
    t->place_owner = owner;
}

static FILE *create_file(const struct trace *t, const char *path)
{
    char *name = value_path(t->folder, path);
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    free(name);
    if (fd >= 0 && t->place)
        fd = t->place(t->place_owner, fd);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file && fd >= 0)
        close(fd);
    return file;
}

static bool open_file(struct tracer *t, struct error *err)
{
    t->file = *t->path ? create_file(t->trace, t->path) : stderr;
    if (!t->file)
        return error_set(err, "cannot write %.200s: %s", t->path, strerror(errno));
    if (*t->path)
        setvbuf(t->file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    return true;
}

static bool start(struct trace *trace, struct tracer *t, const char *spec, struct error *err)
{
    if (!trace_read_spec(trace->symbols, spec, t, err))
        return false;
    t->trace = trace;
    if (t->filter.hart != TRACE_ALL_HARTS && !control_hart(trace->control, t->filter.hart))
        return error_set(err, "hart=%u: there is no such hart", t->filter.hart);
    if (t->has_lines && !trace->lines && !(trace->lines = lines_create(trace->symbols)))
        return error_set(err, "no memory for lines of source");
    if (!open_file(t, err))
        return false;
    if (t->kind->start(t, err))
        return true;
    if (t->file != stderr)
        fclose(t->file);
    return false;
}

bool trace_start(struct trace *trace, const char *spec, struct error *err)
{
    struct tracer *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, "no memory for the trace");
    if (!start(trace, t, spec, err)) {
        free(t);
        return false;
    }
    t->number = ++trace->next_number;
    struct tracer **last = &trace->tracers;
    while (*last)
        last = &(*last)->next;
    *last = t;
    attach(trace);
    return true;
}

bool trace_stop(struct trace *trace, unsigned number, struct error *err)
{
    struct tracer **at = &trace->tracers;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    struct tracer *t = *at;
    if (!t)
        return error_set(err, "there is no trace %u", number);
    *at = t->next;
    attach(trace);
    return close_tracer(t, err);
}

uint32_t trace_place(const struct tracer *t, struct stacks *stacks, uint32_t function, uint64_t pc)
{
    const struct source_row *row = t->has_lines ? lines_at(t->trace->lines, pc) : NULL;
    return row ? stacks_child(stacks, function, (struct function){row->file, 0, row->line})
               : function;
}

void trace_list(const struct trace *trace, const struct byte_sink *out)
{
    for (const struct tracer *t = trace->tracers; t; t = t->next)
        byte_sink_print(out, "%u: %s\n", t->number, t->spec);
    if (!trace->tracers)
        byte_sink_print(out, "There are no traces.\n");
}

void trace_help(const struct byte_sink *out)
{
    for (const struct trace_word *w = trace_words; w->name; w++)
        byte_sink_print(out, "%-9s %s\n", w->name, w->help);
}

bool trace_load_symbols(struct trace *t, const char *spec, struct error *err)
{
    struct list_item file, base;
    uint64_t address = 0;
    err->text[0] = 0;
    if (!list_next(&spec, &file, err) || file.value)
        return *err->text ? false : error_set(err, "give the file first: FILE[,base=ADDRESS]");
    if (list_next(&spec, &base, err) &&
        (strcmp(base.key, "base") != 0 || !base.value || !value_number(base.value, &address)))
        return error_set(err, "'%.40s' is no base=ADDRESS", base.key);
    if (*err->text)
        return false;
    char *path = value_path(t->folder, file.text);
    bool ok = path ? symbols_load(t->symbols, path, address, err)
                   : error_set(err, "no memory for the symbols");
    free(path);
    return ok;
}

bool trace_add_file(struct trace *t, const char *path, uint64_t base, uint64_t end,
                    struct error *err)
{
    return symbols_load_mapped(t->symbols, path, base, end, err);
}

void trace_forget_symbols(struct trace *t)
{
    symbols_forget(t->symbols);
}

const struct symbols *trace_symbols(const struct trace *t)
{
    return t->symbols;
}

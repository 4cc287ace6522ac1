/* The monitor (contract: monitor.h): finding a command and its arguments; help. */
#include "debug/monitor_internal.h"

#include "cpu/hart.h"
#include "debug/expression.h"
#include "debug/trace.h"
#include "debug/vnc_access.h"

#include <ctype.h>
#include <stdlib.h>

#define COUNT_MOST 65536u

static bool show_help(struct monitor *m, struct arguments *a, struct error *err);
static bool show_info(struct monitor *m, struct arguments *a, struct error *err);

static const struct monitor_row general_rows[] = {
    {"help", "?", "[COMMAND]", "show all commands, or one", show_help},
    {"info", NULL, "WHAT", "show something; `help info` lists what", show_info},
    {.name = NULL},
};

static const struct monitor_row *const all_rows[] = {
    general_rows,        monitor_run_rows,   monitor_point_rows,  monitor_past_rows,
    monitor_memory_rows, monitor_trace_rows, monitor_screen_rows, monitor_snapshot_rows,
};

/* --- life -------------------------------------------------------------------------------- */

static void on_news(void *owner, const struct control_news *news)
{
    struct monitor *m = owner;
    if (news->event == CONTROL_STOPPED || news->event == CONTROL_SHUTDOWN)
        m->is_stepping = false;
}

struct monitor *monitor_create(struct control *c, struct error *err)
{
    struct monitor *m = calloc(1, sizeof *m);
    if (m)
        m->decoder = insn_decoder_create(&machine_hart(control_machine(c), 0)->isa);
    if (!m || !m->decoder) {
        free(m);
        error_set(err, "no memory for the monitor");
        return NULL;
    }
    m->control = c;
    m->observer = (struct control_observer){.tell = on_news, .owner = m};
    control_observe(c, &m->observer);
    return m;
}

void monitor_destroy(struct monitor *m)
{
    if (!m)
        return;
    monitor_remove_points(m);
    control_unobserve(m->control, &m->observer);
    insn_decoder_destroy(m->decoder);
    free(m);
}

unsigned monitor_current_hart(const struct monitor *m)
{
    return m->hart;
}

void monitor_set_trace(struct monitor *m, struct trace *trace)
{
    m->trace = trace;
}

void monitor_set_gdb_server(struct monitor *m,
                            bool (*open)(void *owner, const char *end, struct error *err),
                            void *owner)
{
    m->open_gdb = open;
    m->gdb_owner = owner;
}

void monitor_set_vnc(struct monitor *m, const struct vnc_access *vnc)
{
    m->vnc = vnc;
}

const struct vnc_access *monitor_vnc(const struct monitor *m)
{
    return m->vnc;
}

bool monitor_is_stepping(const struct monitor *m)
{
    return m->is_stepping;
}

void monitor_choose_hart(struct monitor *m, unsigned hart)
{
    m->hart = hart;
}

struct machine *monitor_machine(const struct monitor *m)
{
    return control_machine(m->control);
}

struct hart *monitor_hart(const struct monitor *m)
{
    return machine_hart(monitor_machine(m), m->hart);
}

/* --- arguments --------------------------------------------------------------------------- */

static const char *skip_spaces(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

void argument_word(struct arguments *a, char *word, size_t size)
{
    size_t n = 0;
    bool is_quoted = false;
    for (; *a->rest && (is_quoted || !isspace((unsigned char)*a->rest)); a->rest++) {
        if (*a->rest == '"')
            is_quoted = !is_quoted;
        else if (n + 1 < size)
            word[n++] = *a->rest;
    }
    word[n] = 0;
    a->rest = skip_spaces(a->rest);
}

bool argument_number(struct monitor *m, struct arguments *a, uint64_t *value, struct error *err)
{
    const struct symbols *symbols = m->trace ? trace_symbols(m->trace) : NULL;
    return expression_read(&a->rest, monitor_hart(m), symbols, value, err);
}

bool argument_end(const struct arguments *a, struct error *err)
{
    return !*a->rest || error_set(err, "unexpected '%.80s'", a->rest);
}

/* The part behind the '/' of name/FMT: a count, a letter of the format, one of the size. */
static bool read_format(const char *text, struct arguments *a, struct error *err)
{
    if (isdigit((unsigned char)*text)) {
        char *end;
        a->count = strtoull(text, &end, 10);
        text = end;
    }
    for (; *text; text++) {
        if (strchr("xduoci", *text))
            a->format = *text;
        else if (strchr("bhwg", *text))
            a->size = *text;
        else
            return error_set(err, "'%c' is no letter of a format: give x d u o c i, b h w g",
                             isprint((unsigned char)*text) ? *text : '?');
    }
    return a->count <= COUNT_MOST || error_set(err, "at most %u at once", COUNT_MOST);
}

/* --- commands ---------------------------------------------------------------------------- */

static const struct monitor_row *find_in(const struct monitor_row *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0 || (rows->alias && strcmp(rows->alias, name) == 0))
            return rows;
    return NULL;
}

static const struct monitor_row *find(const char *name)
{
    const struct monitor_row *row = NULL;
    for (size_t i = 0; i < ARRAY_LEN(all_rows) && !row; i++)
        row = find_in(all_rows[i], name);
    return row;
}

const char *monitor_command_name(size_t i)
{
    for (size_t table = 0; table < ARRAY_LEN(all_rows); table++)
        for (const struct monitor_row *row = all_rows[table]; row->name; row++)
            if (i-- == 0)
                return row->name;
    return NULL;
}

static void show_row(struct monitor *m, const char *before, const struct monitor_row *row)
{
    say(m, "%s%s%s%s %s -- %s\n", before, row->name, row->alias ? "|" : "",
        row->alias ? row->alias : "", row->syntax, row->help);
}

static void show_rows(struct monitor *m, const char *before, const struct monitor_row *rows)
{
    for (; rows->name; rows++)
        show_row(m, before, rows);
}

static bool show_help(struct monitor *m, struct arguments *a, struct error *err)
{
    char name[32];
    argument_word(a, name, sizeof name);
    const struct monitor_row *row = find(name);
    if (*name && !row)
        return error_set(err, "unknown command: '%s'", name);
    if (row && row->run == show_info)
        show_rows(m, "info ", monitor_info_rows);
    else if (row)
        show_row(m, "", row);
    else
        for (size_t i = 0; i < ARRAY_LEN(all_rows); i++)
            show_rows(m, "", all_rows[i]);
    return true;
}

static bool show_info(struct monitor *m, struct arguments *a, struct error *err)
{
    char name[32];
    argument_word(a, name, sizeof name);
    if (!*name) {
        show_rows(m, "info ", monitor_info_rows);
        return true;
    }
    const struct monitor_row *row = find_in(monitor_info_rows, name);
    return row ? row->run(m, a, err) : error_set(err, "unknown command: 'info %s'", name);
}

static bool run(struct monitor *m, const char *line, struct error *err)
{
    struct arguments a = {.rest = skip_spaces(line), .count = 1};
    char name[32];
    argument_word(&a, name, sizeof name);
    char *slash = strchr(name, '/');
    if (slash)
        *slash = 0;
    const struct monitor_row *row = find(name);
    if (!row)
        return !*name || error_set(err, "unknown command: '%s'", name);
    return (!slash || read_format(slash + 1, &a, err)) && row->run(m, &a, err);
}

/* A command that moves in the past lets others look: they find the monitor as it was. */
static bool run_for(struct monitor *m, const char *line, const struct byte_sink *out, bool may_ask)
{
    struct error err;
    struct byte_sink before = m->out;
    bool might_ask = m->may_ask;
    m->out = *out;
    m->may_ask = may_ask;
    if (!run(m, line, &err))
        say(m, "Error: %s\n", err.text);
    m->out = before;
    m->may_ask = might_ask;
    bool asks = m->asks_password;
    m->asks_password = false;
    return asks;
}

void monitor_run(struct monitor *m, const char *line, const struct byte_sink *out)
{
    (void)run_for(m, line, out, false);
}

bool monitor_run_asking(struct monitor *m, const char *line, const struct byte_sink *out)
{
    return run_for(m, line, out, true);
}

void monitor_take_password(struct monitor *m, const char *password, const struct byte_sink *out)
{
    const struct vnc_target vnc = {.protocol = "vnc"};
    struct error err;
    if (!vnc_access_set_password(m->vnc, &vnc, password, &err))
        byte_sink_print(out, "Error: %s\n", err.text);
}

/* The monitor's commands for traces and symbols: what -trace and -symbols do, at run time. */
#include "debug/monitor_internal.h"

#include "base/values.h"
#include "debug/trace.h"

#include <stdio.h>

static bool has_trace(const struct monitor *m, struct error *err)
{
    return m->trace || error_set(err, "there is no tracing here");
}

static bool trace_off(struct monitor *m, const char *which, struct error *err)
{
    uint64_t number;
    if (strcmp(which, "all") == 0)
        return trace_stop_all(m->trace, err);
    if (!value_number(which, &number) || number > UINT32_MAX)
        return error_set(err, "'%.40s' is no number of a trace: `trace` lists them, or give all",
                         which);
    return trace_stop(m->trace, (unsigned)number, err);
}

/* trace; trace help; trace off N|all; trace SPEC */
static bool trace(struct monitor *m, struct arguments *a, struct error *err)
{
    char word[512], which[64];
    if (!has_trace(m, err))
        return false;
    argument_word(a, word, sizeof word);
    bool off = strcmp(word, "off") == 0;
    if (off)
        argument_word(a, which, sizeof which);
    if (!argument_end(a, err))
        return false;
    if (!*word)
        trace_list(m->trace, &m->out);
    else if (strcmp(word, "help") == 0)
        trace_help(&m->out);
    else
        return off ? trace_off(m, which, err) : trace_start(m->trace, word, err);
    return true;
}

static bool load_symbols(struct monitor *m, struct arguments *a, struct error *err)
{
    char word[512];
    argument_word(a, word, sizeof word);
    if (!*word)
        return error_set(err, "give the file of the symbols");
    return has_trace(m, err) && argument_end(a, err) && trace_load_symbols(m->trace, word, err);
}

const struct monitor_row monitor_trace_rows[] = {
    {"trace", NULL, "[WHAT,...[,file=PATH] | off N|all | help]",
     "begin a trace, as -trace does; end it; list all", trace},
    {"symbols", NULL, "FILE[,base=ADDRESS]", "names of addresses: ELF, System.map or kallsyms",
     load_symbols},
    {.name = NULL},
};

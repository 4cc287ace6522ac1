/* The monitor's commands for traces, symbols and the log: what -trace, -symbols, -d and -D do, at
 * run time. */
#include "debug/monitor_internal.h"

#include "base/values.h"
#include "cpu/hart.h"
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

/* trace; trace help; trace off N|all; trace SPEC. A journey into the past has taken the observers
 * of the harts away, and puts them back. */
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
        return control_is_free(m->control, err) &&
               (off ? trace_off(m, which, err) : trace_start(m->trace, word, err));
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

/* --- the log ----------------------------------------------------------------------------- */

/* What the front end has always on stays on. */
static bool set_log(struct monitor *m, struct arguments *a, struct error *err)
{
    char word[256];
    unsigned topics = 0;
    struct log *log = monitor_hart(m)->ports.log;
    argument_word(a, word, sizeof word);
    if (!*word)
        return error_set(err, "give topics as for -d, or none");
    if ((strcmp(word, "none") != 0 && !log_parse_topics(word, &topics, err)) ||
        !argument_end(a, err))
        return false;
    if (topics & LOG_PROFILE)
        return error_set(err, "profile is for -d alone: it counts from the start");
    if (log)
        log_set_topics(log, topics | LOG_HOST_ERRORS);
    return log || error_set(err, "there is no log here");
}

static bool set_log_file(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[512];
    struct log *log = monitor_hart(m)->ports.log;
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "give the file of the log");
    if (!argument_end(a, err))
        return false;
    return log ? log_set_file(log, path, err) : error_set(err, "there is no log here");
}

const struct monitor_row monitor_trace_rows[] = {
    {"trace", NULL, "[WHAT,...[,file=PATH] | off N|all | help]",
     "begin a trace, as -trace does; end it; list all", trace},
    {"symbols", NULL, "FILE[,base=ADDRESS]", "names of addresses: ELF, System.map or kallsyms",
     load_symbols},
    {"log", NULL, "TOPIC[,...]|none", "what is logged, as -d", set_log},
    {"logfile", NULL, "FILE", "where the log goes, as -D", set_log_file},
    {.name = NULL},
};

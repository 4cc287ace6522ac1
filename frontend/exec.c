/* The command line of `rivulet exec` (contract: exec.h): one table gives each option its names,
 * argument, effect and line of --help. */
#include "frontend/exec.h"

#include "base/bits.h"
#include "base/values.h"
#include "frontend/exec_debug.h"
#include "machine/cpu_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAILED_TO_START 127 /* as a shell tells of a program that is not there */

struct exec_options {
    struct exec_config config;
    const char *cpu, *log_file;
    unsigned log_topics;
    struct exec_debug_options debug;
    struct words environment, binds;
    char *semihosting_folder;
    char *folder; /* where the user is; NULL: not known */
    bool help, binfmt;
};

typedef bool exec_setter(struct exec_options *o, const char *value, struct error *err);

struct exec_row {
    const char *name, *alias; /* with one dash or two */
    const char *argument;     /* NULL: takes none */
    size_t offset;            /* set NULL: of the bool, or the const char *, that is set */
    exec_setter *set;
    const char *help;
};

/* ---- what options do ---- */

static bool set_memory(struct exec_options *o, const char *value, struct error *err)
{
    return value_size(value, 1ull << 20, &o->config.memory_bytes) ||
           error_set(err, "'%s' is no size: 512M, 2G; a plain number is MiB", value);
}

static bool set_cpu_time(struct exec_options *o, const char *value, struct error *err)
{
    return (value_number(value, &o->config.cpu_seconds) && o->config.cpu_seconds) ||
           error_set(err, "'%s' is no number of seconds", value);
}

static bool set_topics(struct exec_options *o, const char *value, struct error *err)
{
    unsigned topics;
    if (!log_parse_topics(value, &topics, err))
        return false;
    o->log_topics |= topics;
    return true;
}

/* Index of NAME (or NAME=...) in the environment; its count: not there. */
static size_t find_variable(const struct words *environment, const char *text)
{
    size_t n = strcspn(text, "="), i = 0;
    for (; i < environment->count; i++)
        if (!strncmp(environment->at[i], text, n) && environment->at[i][n] == '=')
            break;
    return i;
}

static bool unset_variable(struct exec_options *o, const char *value, struct error *err)
{
    (void)err;
    size_t i = find_variable(&o->environment, value);
    if (i < o->environment.count)
        words_remove(&o->environment, i);
    return true;
}

static bool set_variable(struct exec_options *o, const char *value, struct error *err)
{
    if (!strchr(value, '=') || value[0] == '=')
        return error_set(err, "'%s' is not NAME=VALUE", value);
    return unset_variable(o, value, err) &&
           (words_add(&o->environment, value) || error_set(err, "no memory"));
}

static bool set_gdb_wait(struct exec_options *o, const char *value, struct error *err)
{
    (void)err;
    o->debug.gdb_end = value;
    o->debug.waits_for_gdb = true;
    return true;
}

static bool set_gdb_default(struct exec_options *o, const char *value, struct error *err)
{
    (void)value;
    (void)err;
    o->debug.gdb_end = "1234";
    return true;
}

static bool add_trace(struct exec_options *o, const char *value, struct error *err)
{
    return words_add(&o->debug.traces, value) || error_set(err, "no memory");
}

static bool add_symbols(struct exec_options *o, const char *value, struct error *err)
{
    return words_add(&o->debug.symbols, value) || error_set(err, "no memory");
}

static bool add_bind(struct exec_options *o, const char *value, struct error *err)
{
    return words_add(&o->binds, value) || error_set(err, "no memory");
}

static bool set_semihosting_item(struct exec_options *o, const struct list_item *item,
                                 struct error *err)
{
    bool is_on, is_switch = !item->value || !strcmp(item->key, "enable"); /* on, or enable=on */
    if (is_switch && value_switch(item->value ? item->value : item->key, &is_on)) {
        o->config.semihosting.is_off = !is_on;
        return true;
    }
    if (!item->value || strcmp(item->key, "dir") != 0)
        return error_set(err,
                         "-semihosting-config %.80s%s%.80s: it takes enable=on|off, dir=FOLDER",
                         item->key, item->value ? "=" : "", item->value ? item->value : "");
    free(o->semihosting_folder);
    o->semihosting_folder = strdup(item->value);
    o->config.semihosting.folder = o->semihosting_folder;
    return o->semihosting_folder || error_set(err, "no memory");
}

static bool set_semihosting(struct exec_options *o, const char *value, struct error *err)
{
    struct list_item item;
    while (value && list_next(&value, &item, err))
        if (!set_semihosting_item(o, &item, err))
            return false;
    return value == NULL;
}

#define AT(field) offsetof(struct exec_options, field)

static const struct exec_row rows[] = {
    {"L", NULL, "TREE", AT(config.files.tree), NULL,
     "names that exist in this tree are found there: a riscv64 system's libraries"},
    {"root", NULL, "FOLDER", AT(config.files.root), NULL,
     "all of the program's files are in this folder, links included"},
    {"bind", NULL, "HOST:GUEST", 0, add_bind,
     "within the root, the folder GUEST is the host's folder HOST (repeatable)"},
    {"read-only", NULL, NULL, AT(config.files.read_only), NULL,
     "no file can be made, changed or removed; devices and pipes can be written"},
    {"no-network", NULL, NULL, AT(config.no_network), NULL,
     "no sockets but those between programs of the host"},
    {"memory", NULL, "SIZE", 0, set_memory, "of all mappings at most: 512M, 2G"},
    {"cpu-time", NULL, "SECONDS", 0, set_cpu_time, "of the processor at most: then SIGXCPU"},
    {"env", "E", "NAME=VALUE", 0, set_variable, "a variable of the environment (repeatable)"},
    {"unset", "U", "NAME", 0, unset_variable, "leaves a variable out (repeatable)"},
    {"argv0", "0", "NAME", AT(config.argv0), NULL, "what the program is told it is called"},
    {"cpu", NULL, "rv64|max|rva22s64[,NAME=on|off...]", AT(cpu), NULL, "what the hart can do"},
    {"strace", NULL, NULL, AT(config.strace), NULL, "a line for each system call"},
    {"strace-file", NULL, "FILE", AT(config.trace_file), NULL, "where these lines go (stderr)"},
    {"d", NULL, "TOPIC[,...]", 0, set_topics, "log these topics: unimp (default), stats, ..."},
    {"D", NULL, "FILE", AT(log_file), NULL, "where the log goes (stderr)"},
    {"g", NULL, "PORT|PATH", 0, set_gdb_wait,
     "gdb comes at this port of this host, or this UNIX socket: it is waited for"},
    {"gdb", NULL, "tcp:[HOST]:PORT|unix:PATH", AT(debug.gdb_end), NULL, "gdb may come at any time"},
    {"s", NULL, NULL, 0, set_gdb_default, "the same as -gdb tcp::1234"},
    {"S", NULL, NULL, AT(debug.starts_stopped), NULL, "wait until gdb lets the program run"},
    {"trace", NULL, "WHAT[,WHAT...][,file=FILE][,PROPERTY=VALUE...]", 0, add_trace,
     "write what the program does: insn, trap, syscall, tlb; or one of commit,\n"
     "profile, sample, coverage, mix; properties as without exec (rivulet --help)"},
    {"semihosting-config", NULL, "enable=on|off[,dir=FOLDER]", 0, set_semihosting,
     "whether an ebreak can be a call of RISC-V semihosting (on); its files are\n"
     "those of this folder only, and not what the program's system calls find"},
    {"symbols", NULL, "FILE[,base=ADDRESS]", 0, add_symbols,
     "more names for -trace than the program's files have"},
    {"binfmt", NULL, NULL, AT(binfmt), NULL,
     "print what makes the kernel run riscv64 programs so, for\n"
     "/proc/sys/fs/binfmt_misc/register"},
    {"help", "h", NULL, AT(help), NULL, "this text"},
};

/* ---- the command line ---- */

static void print_help(void)
{
    printf("usage: rivulet exec [OPTION...] PROGRAM [ARGUMENT...]\n"
           "Runs a riscv64 Linux program. It ends with the program's status, or of its signal.\n");
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct exec_row *row = &rows[i];
        char name[80];
        snprintf(name, sizeof name, "-%s%s%s%s%s", row->name, row->alias ? ", -" : "",
                 row->alias ? row->alias : "", row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %s\n", name);
        for (const char *line = row->help; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            printf("        %.*s\n", (int)strcspn(line, "\n"), line);
        }
    }
}

static const struct exec_row *find_row(const char *word)
{
    word += 1 + (word[1] == '-');
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(word, rows[i].name) || (rows[i].alias && !strcmp(word, rows[i].alias)))
            return &rows[i];
    return NULL;
}

static bool apply(struct exec_options *o, const struct exec_row *row, const char *value,
                  struct error *err)
{
    char *field = (char *)o + row->offset;
    if (row->set)
        return row->set(o, value, err);
    if (row->argument)
        *(const char **)field = value;
    else
        *(bool *)field = true;
    return true;
}

static bool unknown_option(const char *word, struct error *err)
{
    const char *names[ARRAY_LEN(rows) + 1] = {NULL};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        names[i] = rows[i].name;
    return error_set(err, "exec has no option %s; the nearest is -%s", word,
                     nearest_name(word + 1 + (word[1] == '-'), names));
}

static bool parse(struct exec_options *o, int argc, char **argv, struct error *err)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        }
        const struct exec_row *row = find_row(argv[i]);
        if (!row)
            return unknown_option(argv[i], err);
        if (row->argument && i + 1 == argc)
            return error_set(err, "exec: option %s needs %s", argv[i], row->argument);
        if (!apply(o, row, row->argument ? argv[++i] : NULL, err))
            return false;
    }
    if (o->help || o->binfmt)
        return true;
    if (i == argc)
        return error_set(err, "exec: no program is given; rivulet exec --help shows how");
    if (o->config.files.tree && o->config.files.root)
        return error_set(err, "exec: -L and --root exclude each other: a root holds all files");
    if (o->debug.starts_stopped && !o->debug.gdb_end)
        return error_set(err, "exec: -S waits for gdb: say where it comes (-gdb, -s or -g)");
    if (o->binds.count && !o->config.files.root)
        return error_set(err, "exec: --bind needs --root: without one, all folders are there");
    o->config.files.binds = o->binds.at;
    o->config.program = argv[i];
    o->config.args = &argv[i + 1];
    return cpu_model_parse(o->cpu, &o->config.isa, err);
}

/* The magic of a riscv64 ELF file, either kind of executable (Documentation/admin-guide/
 * binfmt-misc.rst); F: the interpreter is opened now, so that it serves other roots too. The kernel
 * gives an interpreter no arguments: `exec` is in its name. */
static int print_binfmt(void)
{
    char path[4096];
    char *slash = realpath("/proc/self/exe", path) ? strrchr(path, '/') : NULL;
    if (!slash)
        return EXIT_FAILURE;
    *slash = 0;
    printf(
        ":rivulet-riscv64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        "\\x02\\x00\\xf3\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff"
        "\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s/rivulet-exec:F\n",
        path);
    fprintf(stderr, "rivulet: %s/rivulet-exec must be a link to rivulet\n", path);
    return EXIT_SUCCESS;
}

static bool open_log(struct exec_options *o, struct error *err)
{
    FILE *file = o->log_file ? exec_open_file(o->log_file, err) : stderr;
    if (!file)
        return false;
    o->config.log_fd = o->log_file ? fileno(file) : -1;
    o->config.log = log_open_stream(file, o->log_topics ? o->log_topics : LOG_UNIMP, err);
    return o->config.log != NULL;
}

static bool run(struct exec_options *o, int *status, struct error *err)
{
    if (!open_log(o, err))
        return false;
    o->debug.folder = o->folder = getcwd(NULL, 0);
    o->config.environment = o->environment.at;
    o->config.name_place = exec_name_place;
    struct process *p = exec_start(&o->config, err);
    struct exec_exit exit = {EXEC_ENDED, 0};
    bool ok = p != NULL;
    if (ok && exec_debug_is_wanted(&o->debug))
        ok = exec_debug_run(p, &o->debug, &exit, err);
    else if (ok)
        exit = exec_run(p);
    exec_release(p);
    log_close(o->config.log);
    if (ok && exit.stop == EXEC_KILLED)
        exec_die(exit.number);
    *status = exit.number;
    return ok;
}

int exec_main(int argc, char **argv)
{
    extern char **environ;
    struct exec_options o = {.help = false};
    struct error err;
    int status = EXIT_SUCCESS;
    bool ok = true;
    for (char **variable = environ; *variable && ok; variable++)
        ok = words_add(&o.environment, *variable) || error_set(&err, "no memory");
    ok = ok && parse(&o, argc, argv, &err);
    if (ok && o.help)
        print_help();
    else if (ok && o.binfmt)
        status = print_binfmt();
    else if (ok)
        ok = run(&o, &status, &err);
    if (!ok) {
        fprintf(stderr, "rivulet: %s\n", err.text);
        status = FAILED_TO_START;
    }
    words_free(&o.environment);
    words_free(&o.debug.traces);
    words_free(&o.debug.symbols);
    words_free(&o.binds);
    free(o.semihosting_folder);
    free(o.folder);
    return status;
}

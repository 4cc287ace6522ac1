/* The commands of `rivulet img` and their command lines (contract: img.h). */
#include "frontend/img.h"

#include "base/os.h"
#include "base/values.h"

#include <getopt.h>
#include <stdlib.h>

enum long_option { OUTPUT = 256, BACKING_CHAIN, SHRINK, PREALLOCATION, HELP };

static const struct option long_options[] = {
    {"output", required_argument, NULL, OUTPUT},
    {"backing-chain", no_argument, NULL, BACKING_CHAIN},
    {"shrink", no_argument, NULL, SHRINK},
    {"force-share", no_argument, NULL, 'U'},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

struct command {
    const char *name;
    int (*run)(const struct img_args *args, struct error *err);
    const char *letters; /* for getopt */
    int min_files, max_files;
    int failed; /* the exit status when it could not be done */
    const char *usage;
};

static const struct command commands[] = {
    {"create", img_create, ":f:b:F:o:qu", 1, 2, 1,
     "[-f FORMAT] [-b BACKING -F FORMAT] [-o NAME=VALUE,...] [-q] [-u] FILE [SIZE]"},
    {"info", img_info, ":f:U", 1, 1, 1,
     "[-f FORMAT] [--output=human|json] [--backing-chain] [-U] FILE"},
    {"convert", img_convert, ":f:O:B:b:F:o:pqnUcCS:t:T:m:W", 2, 2, 1,
     "[-f FORMAT] [-O FORMAT] [-B BACKING -F FORMAT] [-o NAME=VALUE,...] [-n] [-p] [-q] [-U] "
     "FROM TO"},
    {"resize", img_resize, ":f:q", 2, 2, 1, "[-f FORMAT] [--shrink] [-q] FILE [+|-]SIZE"},
    {"check", img_check, ":f:r:qUT:", 1, 1, 1,
     "[-f FORMAT] [-r leaks|all] [--output=human|json] [-q] [-U] FILE"},
    {"commit", img_commit, ":f:t:dpq", 1, 1, 1, "[-f FORMAT] [-d] [-p] [-q] FILE"},
    {"compare", img_compare, ":f:F:T:pqsU", 2, 2, 2,
     "[-f FORMAT] [-F FORMAT] [-s] [-p] [-q] [-U] FILE1 FILE2"},
    {"snapshot", img_snapshot, ":f:la:c:d:qU", 1, 1, 1,
     "[-f FORMAT] [-q] [-U] -l | -a NAME | -c NAME | -d NAME FILE"},
};

static void print_usage(FILE *out)
{
    fprintf(out, "usage: rivulet img COMMAND ...\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-9s%s\n", commands[i].name, commands[i].usage);
    fprintf(out, "Formats are raw and qcow2; options and output are those of qemu-img.\n");
}

/* ---- the command line ---- */

static bool add_options(struct img_args *args, const char *list, struct error *err)
{
    size_t used = strlen(args->options), room = sizeof args->options - used;
    int n = snprintf(args->options + used, room, "%s%s", used ? "," : "", list);
    return (n >= 0 && (size_t)n < room) || error_set(err, "the options of -o are too long");
}

static bool set_output(struct img_args *args, const char *kind, struct error *err)
{
    args->json = !strcmp(kind, "json");
    return args->json || !strcmp(kind, "human") ||
           error_set(err, "--output must be human or json, not '%s'", kind);
}

/* -l, or -a, -c, -d with a name: those of `snapshot`. */
static bool set_action(struct img_args *args, int letter, const char *name, struct error *err)
{
    if (args->action)
        return error_set(err, "img snapshot: give one of -l, -a, -c and -d");
    args->action = (char)letter;
    args->action_name = name;
    return true;
}

/* Letters whose value or effect we do not need (sparse size, cache modes, threads, order) are taken
 * and ignored. */
static bool take_option(struct img_args *args, int letter, const char *value, struct error *err)
{
    const struct {
        int letter;
        const char **text;
        bool *flag;
    } simple[] = {
        {'f', &args->format, NULL},         {'O', &args->output_format, NULL},
        {'b', &args->backing, NULL},        {'B', &args->backing, NULL},
        {'F', &args->backing_format, NULL}, {'r', &args->repair, NULL},
        {'q', NULL, &args->quiet},          {'p', NULL, &args->progress},
        {'U', NULL, &args->share},          {'u', NULL, &args->no_check},
        {'n', NULL, &args->existing},       {'d', NULL, &args->keep},
        {'s', NULL, &args->strict},         {'c', NULL, &args->compress},
        {SHRINK, NULL, &args->shrink},      {BACKING_CHAIN, NULL, &args->backing_chain},
    };
    bool has_name = value && (letter == 'a' || letter == 'c' || letter == 'd');
    if (letter == 'l' || has_name)
        return set_action(args, letter, value, err);
    for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
        if (simple[i].letter != letter)
            continue;
        if (simple[i].text)
            *simple[i].text = value;
        else
            *simple[i].flag = true;
        return true;
    }
    if (letter == 'o')
        return add_options(args, value, err);
    return letter != OUTPUT || set_output(args, value, err);
}

/* "-1G" as the last word is a size, no option. */
static bool ends_in_number(int argc, char **argv)
{
    const char *last = argv[argc - 1];
    return argc > 1 && last[0] == '-' && last[1] >= '0' && last[1] <= '9';
}

static bool parse(const struct command *c, int argc, char **argv, struct img_args *args,
                  struct error *err)
{
    int letter, options_end = argc - ends_in_number(argc, argv);
    optind = 0; /* begins anew */
    while ((letter = getopt_long(options_end, argv, c->letters, long_options, NULL)) != -1) {
        if (letter == '?' || letter == HELP)
            return error_set(err, "usage: rivulet img %s %s", c->name, c->usage);
        if (letter == ':')
            return error_set(err, "img %s: option %s needs a value", c->name, argv[optind - 1]);
        if (!take_option(args, letter, optarg, err))
            return false;
    }
    args->files = argv + optind;
    args->count = argc - optind;
    if (args->count < c->min_files || args->count > c->max_files)
        return error_set(err, "usage: rivulet img %s %s", c->name, c->usage);
    return true;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct img_args args = {0};
    struct error err;
    if (!parse(c, argc, argv, &args, &err)) {
        fprintf(stderr, "rivulet: %s\n", err.text);
        return c->failed;
    }
    int status = c->run(&args, &err);
    if (status == IMG_FAILED) {
        fprintf(stderr, "rivulet: %s\n", err.text);
        status = c->failed;
    }
    if (fflush(stdout) != 0) {
        perror("rivulet: cannot write to standard output");
        return c->failed;
    }
    return status;
}

int img_main(int argc, char **argv)
{
    const char *names[ARRAY_LEN(commands) + 1] = {NULL};
    if (argc < 2 || !strcmp(argv[1], "--help")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        names[i] = commands[i].name;
        if (!strcmp(argv[1], names[i]))
            return run(&commands[i], argc - 1, argv + 1);
    }
    fprintf(stderr, "rivulet: img has no command '%s'; the nearest is %s\n", argv[1],
            nearest_name(argv[1], names));
    return EXIT_FAILURE;
}

/* ---- what the commands share ---- */

struct disk *img_open(const char *path, const char *format, const struct img_args *args,
                      bool read_only, struct error *err)
{
    struct disk_options o = {
        .path = path, .format = format, .read_only = read_only, .share = args->share};
    return disk_open(&o, err);
}

void img_print_json(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", *text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

struct img_progress img_progress_start(const struct img_args *args)
{
    bool bar = !args->quiet && os_terminal_is_tty(2);
    return (struct img_progress){.bar = bar, .lines = args->progress && !args->quiet && !bar};
}

void img_progress_show(struct img_progress *p, uint64_t done, uint64_t all)
{
    static const char full[] = "########################################";
    unsigned now = all ? (unsigned)((double)done / (double)all * 10000) : 10000;
    if (now + 1 == p->shown)
        return;
    p->shown = now + 1;
    if (p->bar) {
        int marks = (int)(now * (sizeof full - 1) / 10000);
        fprintf(stderr, "\r[%-40.*s] %3u %%", marks, full, now / 100);
    } else if (p->lines) {
        printf("    (%u.%02u/100%%)\r", now / 100, now % 100);
        fflush(stdout);
    }
}

void img_progress_end(struct img_progress *p)
{
    if (p->bar && p->shown)
        fprintf(stderr, "\r%*s\r", 48, "");
    else if (p->lines && p->shown)
        printf("\n");
}

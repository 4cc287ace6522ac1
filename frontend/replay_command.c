/* `rivulet replay --bisect A B OPTION...`: where two recorded runs of a machine part, and how. */
#include "frontend/replay_command.h"

#include "debug/compare.h"
#include "frontend/boot_file.h"
#include "frontend/demo_guest.h"
#include "frontend/options.h"
#include "machine/bisect.h"
#include "machine/history.h"
#include "machine/input_log.h"
#include "machine/record.h"
#include "machine/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_BYTES (256ull << 20) /* of each, unless -history says */
#define SHOWN_BYTES   24u

struct side {
    const char *path;
    struct machine *m;
};

static void print_usage(FILE *out)
{
    fprintf(out, "usage: rivulet replay --bisect A B OPTION...\n"
                 "Plays two recordings of the same machine, which OPTION... describes as for "
                 "-record, finds\n"
                 "the first step at which they are different, and shows both. Exit status 0: they "
                 "are the\n"
                 "same as far as both go. One recording is played by `rivulet -replay FILE "
                 "OPTION...`\n");
}

/* --- the recordings ----------------------------------------------------------------------- */

static bool same_record(const struct log_record *a, const struct log_record *b)
{
    return a->now_ns == b->now_ns && a->kind == b->kind && a->entry == b->entry && a->n == b->n &&
           memcmp(a->bytes, b->bytes, a->n) == 0;
}

/* "serial0 takes 3 bytes: 6c 73 0a" */
static void show_record(const struct side *s, const struct log_record *r)
{
    static const char *const kinds[RECORD_KINDS] = {[RECORD_HEADER] = "a header",
                                                    [RECORD_HASHES] = "the state is hashed",
                                                    [RECORD_END] = "it ends",
                                                    [RECORD_ANSWER] = "the host answers",
                                                    [RECORD_EDIT] = "a change by hand"};
    if (!r) {
        printf("  %s: nothing more\n", s->path);
        return;
    }
    printf("  %s: at %" PRIu64 " ns ", s->path, r->now_ns);
    if (r->kind != RECORD_INPUT) {
        printf("%s\n", kinds[r->kind]);
        return;
    }
    const char *name = input_entry_name(machine_door(s->m), r->entry);
    printf("%s takes %zu bytes:", name ? name : "an unknown entry", r->n);
    for (size_t i = 0; i < r->n && i < SHOWN_BYTES; i++)
        printf(" %02x", r->bytes[i]);
    puts(r->n > SHOWN_BYTES ? " ..." : "");
}

/* What came from outside is mostly why two runs part. *differ_ns: before it nothing differs. */
static bool show_first_records(const struct side sides[2], uint64_t *differ_ns, struct error *err)
{
    struct input_log *logs[2] = {NULL, NULL};
    const struct log_record *a = NULL, *b = NULL;
    bool ok = (logs[0] = input_log_open(sides[0].path, err)) != NULL &&
              (logs[1] = input_log_open(sides[1].path, err)) != NULL;
    struct error ignored;
    while (ok && (a = input_log_next(logs[0])) != NULL && (b = input_log_next(logs[1])) != NULL &&
           same_record(a, b)) {
        input_log_advance(logs[0]);
        input_log_advance(logs[1]);
    }
    if (ok) {
        a = input_log_next(logs[0]);
        b = input_log_next(logs[1]);
        *differ_ns = min_u64(a ? a->now_ns : UINT64_MAX, b ? b->now_ns : UINT64_MAX);
        puts(a || b ? "The first records that differ:" : "The recordings are the same.");
    }
    for (unsigned i = 0; ok && (a || b) && i < 2; i++)
        show_record(&sides[i], i ? b : a);
    for (unsigned i = 0; i < 2; i++)
        if (logs[i] && !input_log_close(logs[i], &ignored))
            continue;
    return ok;
}

/* --- the machines ------------------------------------------------------------------------- */

static bool open_side(struct side *s, const struct options *o, struct error *err)
{
    bool is_intact;
    struct machine_config config = o->machine;
    config.no_reboot = true;
    config.awaits_replay = true;
    config.awaits_snapshot = o->load_file != NULL;
    if (!config.history_bytes)
        config.history_bytes = HISTORY_BYTES;
    s->m = machine_create(&config, err);
    return s->m && (!o->load_file || snapshot_load(s->m, o->load_file, &is_intact, err)) &&
           machine_replay(s->m, s->path, err) && machine_keep_history(s->m, err);
}

static void print(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner;
    fwrite(bytes, 1, n, stdout);
}

static bool show_difference(const struct side sides[2], uint64_t steps, uint64_t ram_bytes,
                            struct error *err)
{
    struct machine *a = sides[0].m, *b = sides[1].m;
    const struct byte_sink out = {.write = print, .owner = NULL};
    printf("Both are the same at step %" PRIu64 ", where they stand before\n", steps);
    compare_show_place(a, &out);
    if (!machine_go_to(a, steps + 1, err) || !machine_go_to(b, steps + 1, err))
        return false;
    printf("One step later, %" PRIu64 " and %" PRIu64 " ns, they differ:\n", machine_now_ns(a),
           machine_now_ns(b));
    compare_machines(a, b, ram_bytes, &out);
    return true;
}

static bool bisect(struct side sides[2], const struct options *o, bool *differs, struct error *err)
{
    struct bisection found;
    uint64_t differ_ns;
    for (unsigned i = 0; i < 2; i++)
        if (!open_side(&sides[i], o, err))
            return false;
    if (!show_first_records(sides, &differ_ns, err))
        return false;
    if (differ_ns == UINT64_MAX)
        return true;
    if (!machine_bisect(sides[0].m, sides[1].m, differ_ns, &found, err))
        return false;
    *differs = found.differs;
    if (found.differs)
        return show_difference(sides, found.steps, o->machine.ram_bytes, err);
    printf("Both are the same up to step %" PRIu64 ": %s.\n", found.steps, found.end);
    return true;
}

/* The options are those of a replay of the first one. */
static bool parse(struct options *o, int argc, char **argv, struct error *err)
{
    char **words = calloc((size_t)argc + 1, sizeof *words);
    char name[] = "-replay";
    if (!words)
        return error_set(err, "no memory");
    words[0] = argv[0];
    words[1] = name;
    words[2] = argv[2];
    memcpy(words + 3, argv + 4, (size_t)(argc - 4) * sizeof *words);
    bool ok = options_parse(o, argc - 1, words, err);
    if (ok && o->action != ACTION_RUN)
        ok = error_set(err, "replay takes options that describe a machine; rivulet --help and "
                            "rivulet replay --help list what there is");
    ok = ok && boot_file_apply(o, err) && demo_guest_apply(o, err);
    free(words);
    return ok;
}

int replay_main(int argc, char **argv)
{
    struct options o;
    struct error err;
    bool is_help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
    if (argc < 4 || strcmp(argv[1], "--bisect") != 0) {
        print_usage(is_help ? stdout : stderr);
        return is_help ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    struct side sides[2] = {{.path = argv[2]}, {.path = argv[3]}};
    bool differs = false;
    bool ok = parse(&o, argc, argv, &err) && bisect(sides, &o, &differs, &err);
    if (!ok)
        fprintf(stderr, "rivulet: %s\n", err.text);
    for (unsigned i = 0; i < 2; i++)
        machine_destroy(sides[i].m);
    return ok && !differs ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Commands that save the machine to a file and go back to it. */
#include "debug/monitor_internal.h"

#include "machine/snapshot.h"

#define PATH_BYTES 1024u

/* QEMU keeps snapshots inside of qcow2 images, by a name. */
static bool read_path(struct arguments *a, char path[PATH_BYTES], struct error *err)
{
    argument_word(a, path, PATH_BYTES);
    return *path || error_set(err, "a file is needed");
}

static bool save(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES], word[16];
    struct snapshot_options options = {0};
    if (!read_path(a, path, err))
        return false;
    argument_word(a, word, sizeof word);
    options.compress = strcmp(word, "compress") == 0;
    if (*word && !options.compress)
        return error_set(err, "unexpected '%s': give compress, or nothing", word);
    return argument_end(a, err) && snapshot_save(monitor_machine(m), path, &options, err);
}

static bool load(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES];
    return read_path(a, path, err) && argument_end(a, err) && control_load(m->control, path, err);
}

/* migrate file:PATH: as QEMU, the machine is stopped then. */
static bool migrate(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES];
    struct snapshot_options options = {0};
    if (!read_path(a, path, err) || !argument_end(a, err))
        return false;
    if (strncmp(path, "file:", 5) != 0)
        return error_set(err, "'%.80s': only file:PATH is possible", path);
    control_stop(m->control, RUN_PAUSED);
    return snapshot_save(monitor_machine(m), path + 5, &options, err);
}

const struct monitor_row monitor_snapshot_rows[] = {
    {"savevm", NULL, "FILE [compress]", "save the machine, its RAM included, to a file", save},
    {"loadvm", NULL, "FILE", "go back to a saved machine", load},
    {"migrate", NULL, "file:FILE", "stop, and save the machine to a file", migrate},
    {.name = NULL},
};

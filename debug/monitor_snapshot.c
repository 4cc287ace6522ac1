/* Commands that save the machine and go back to it: to a file, or as QEMU inside of its drives. */
#include "debug/actions.h"
#include "debug/monitor_internal.h"

#include "machine/checkpoint.h"
#include "machine/snapshot.h"

#define PATH_BYTES 1024u

static bool read_where(struct arguments *a, char where[PATH_BYTES], struct error *err)
{
    argument_word(a, where, PATH_BYTES);
    return *where || error_set(err, "a name is needed, or a file");
}

static bool save(struct monitor *m, struct arguments *a, struct error *err)
{
    char where[PATH_BYTES], word[16];
    if (!read_where(a, where, err))
        return false;
    argument_word(a, word, sizeof word);
    bool compress = strcmp(word, "compress") == 0;
    if (*word && !compress)
        return error_set(err, "unexpected '%s': give compress, or nothing", word);
    if (!argument_end(a, err) || !control_is_free(m->control, err))
        return false;
    return (snapshot_is_name(where) ? action_save_named : action_save)(monitor_machine(m), where,
                                                                       compress, err);
}

static bool load(struct monitor *m, struct arguments *a, struct error *err)
{
    char where[PATH_BYTES];
    return read_where(a, where, err) && argument_end(a, err) &&
           control_load(m->control, where, err);
}

static bool delete_named(struct monitor *m, struct arguments *a, struct error *err)
{
    char name[PATH_BYTES];
    return read_where(a, name, err) && argument_end(a, err) &&
           snapshot_delete_named(monitor_machine(m), name, err);
}

bool monitor_show_snapshots(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && snapshot_list_named(monitor_machine(m), &m->out, err);
}

/* migrate file:PATH: as QEMU, the machine is stopped then. */
static bool migrate(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES];
    if (!read_where(a, path, err) || !argument_end(a, err))
        return false;
    if (strncmp(path, "file:", 5) != 0)
        return error_set(err, "'%.80s': only file:PATH is possible", path);
    if (!control_is_free(m->control, err))
        return false;
    control_stop(m->control, RUN_PAUSED);
    return action_save(monitor_machine(m), path + 5, false, err);
}

static bool checkpoint(struct monitor *m, struct arguments *a, struct error *err)
{
    char word[8];
    argument_word(a, word, sizeof word);
    if (!argument_end(a, err))
        return false;
    if (!*word)
        return machine_take_checkpoint(monitor_machine(m), err);
    if (strcmp(word, "off") != 0)
        return error_set(err, "unexpected '%s': give off, or nothing", word);
    machine_forget_checkpoint(monitor_machine(m));
    return true;
}

static bool restore(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && control_return(m->control, err);
}

bool monitor_show_checkpoint(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine_checkpoint_figures f;
    if (!argument_end(a, err))
        return false;
    if (!machine_checkpoint_figures(monitor_machine(m), &f))
        return error_set(err, "there is no checkpoint");
    say(m, "%zu pages were written since; %zu pages are kept, %zu KiB\n", f.dirty_pages,
        f.kept_pages, f.bytes >> 10);
    return true;
}

const struct monitor_row monitor_snapshot_rows[] = {
    {"savevm", NULL, "NAME|FILE [compress]",
     "save the machine: inside of its qcow2 drives, or to a file (with a / or .rvs)", save},
    {"loadvm", NULL, "NAME|FILE", "go back to a saved machine", load},
    {"delvm", NULL, "NAME", "delete a saved machine from the drives", delete_named},
    {"checkpoint", NULL, "[off]", "keep this moment in memory; or forget it", checkpoint},
    {"restore", NULL, "", "go back to the checkpoint, in less than a millisecond", restore},
    {"migrate", NULL, "file:FILE", "stop, and save the machine to a file", migrate},
    {.name = NULL},
};

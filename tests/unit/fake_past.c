/* The fake machine (fake_machine.h) has no past, is never recorded, and is in no file. */
#include "machine/checkpoint.h"
#include "machine/edit.h"
#include "machine/history.h"
#include "machine/record.h"
#include "machine/snapshot.h"

static bool none(struct error *err)
{
    return error_set(err, "a fake machine has none");
}

bool snapshot_save(struct machine *m, const char *path, const struct snapshot_options *options,
                   struct error *err)
{
    (void)m, (void)path, (void)options;
    return none(err);
}

bool snapshot_load(struct machine *m, const char *path, bool *is_intact, struct error *err)
{
    (void)m, (void)path;
    *is_intact = true;
    return none(err);
}

bool machine_take_checkpoint(struct machine *m, struct error *err)
{
    (void)m;
    return none(err);
}

bool machine_return(struct machine *m, bool *is_intact, struct error *err)
{
    (void)m;
    *is_intact = true;
    return none(err);
}

void machine_forget_checkpoint(struct machine *m)
{
    (void)m;
}

bool machine_checkpoint_figures(const struct machine *m, struct machine_checkpoint_figures *f)
{
    (void)m, (void)f;
    return false;
}

bool snapshot_is_name(const char *text)
{
    (void)text;
    return false;
}

bool snapshot_save_named(struct machine *m, const char *name,
                         const struct snapshot_options *options, struct error *err)
{
    return snapshot_save(m, name, options, err);
}

bool snapshot_load_named(struct machine *m, const char *name, bool *is_intact, struct error *err)
{
    return snapshot_load(m, name, is_intact, err);
}

bool snapshot_delete_named(struct machine *m, const char *name, struct error *err)
{
    (void)m, (void)name;
    return none(err);
}

bool snapshot_list_named(struct machine *m, const struct byte_sink *out, struct error *err)
{
    (void)m, (void)out;
    return none(err);
}

char *snapshot_command_line(const char *path, struct error *err)
{
    (void)path;
    none(err);
    return NULL;
}

bool machine_record(struct machine *m, const char *path, struct error *err)
{
    (void)m, (void)path;
    return none(err);
}

bool machine_replay(struct machine *m, const char *path, struct error *err)
{
    (void)m, (void)path;
    return none(err);
}

bool machine_may_load(const struct machine *m, struct error *err)
{
    (void)m, (void)err;
    return true;
}

bool machine_is_recorded(const struct machine *m)
{
    (void)m;
    return false;
}

bool machine_branch(struct machine *m, struct error *err)
{
    (void)m;
    return none(err);
}

bool machine_may_edit(const struct machine *m, struct error *err)
{
    (void)m, (void)err;
    return true;
}

bool machine_edit(struct machine *m, const struct machine_edit *e, struct error *err)
{
    return e->kind == EDIT_RESET ? machine_reset(m, err) : none(err);
}

bool edit_hart(struct hart *h, const struct machine_edit *e, struct error *err)
{
    (void)h, (void)e;
    return none(err);
}

bool machine_renew_history(struct machine *m, struct error *err)
{
    (void)m, (void)err;
    return true;
}

const char *machine_replay_end(const struct machine *m)
{
    (void)m;
    return "";
}

bool machine_record_close(struct machine *m, struct error *err)
{
    (void)m, (void)err;
    return true;
}

bool machine_keep_history(struct machine *m, struct error *err)
{
    (void)m;
    return none(err);
}

bool machine_has_history(const struct machine *m)
{
    (void)m;
    return false;
}

uint64_t machine_history_start(const struct machine *m)
{
    (void)m;
    return UINT64_MAX;
}

uint64_t machine_checkpoint_before(const struct machine *m, uint64_t steps)
{
    (void)m, (void)steps;
    return UINT64_MAX;
}

bool machine_go_to(struct machine *m, uint64_t steps, struct error *err)
{
    (void)m, (void)steps;
    return none(err);
}

bool machine_go_to_step(struct machine *m, unsigned hart, uint64_t steps, struct error *err)
{
    (void)m, (void)hart, (void)steps;
    return none(err);
}

void machine_mute(struct machine *m, bool is_muted)
{
    (void)m, (void)is_muted;
}

void machine_on_attention(struct machine *m, bool (*attend)(void *owner), void *owner)
{
    (void)m, (void)attend, (void)owner;
}

struct machine_place machine_place(const struct machine *m)
{
    (void)m;
    return (struct machine_place){0};
}

bool machine_go_to_place(struct machine *m, const struct machine_place *place, struct error *err)
{
    (void)m, (void)place;
    return none(err);
}

bool machine_find_writer(struct machine *m, const struct machine_written *what,
                         const struct machine_place *before, struct machine_writer *writer,
                         bool *found, struct error *err)
{
    (void)m, (void)what, (void)before, (void)writer, (void)found;
    return none(err);
}

void machine_describe_history(const struct machine *m, const struct byte_sink *out)
{
    (void)m, (void)out;
}

/* Where gdb may come, later (contract: gdb_server.h). */
#include "frontend/gdb_server.h"

#include "frontend/option_setters.h"

#include <stdlib.h>
#include <string.h>

/* Nobody waits for gdb on the machine's thread, whatever was asked for: the last word counts. */
static void never_wait(struct machine_option *option)
{
    bool is_server = false;
    for (unsigned i = 0; i < option->count; i++)
        is_server |= strcmp(option->items[i].name, "server") == 0;
    if (is_server && option->count < MACHINE_PROPERTIES_MAX)
        option->items[option->count++] = (struct machine_property){"wait", "off"};
}

static bool remove_end(struct gdb_server *s, struct error *err)
{
    if (s->remote && !remote_remove(s->remote, err))
        return false;
    s->remote = NULL;
    gdb_server_free(s);
    return true;
}

/* chardev:ID is one that is there. */
static bool open_end(struct gdb_server *s, struct options *o, struct error *err)
{
    struct machine *m = control_machine(s->control);
    bool is_new = o->chardevs.count != 0;
    if (is_new)
        never_wait(&o->chardevs.items[0]);
    if (is_new && !machine_add_chardev(m, &o->chardevs.items[0], err))
        return false;
    s->remote = remote_open(s->control, s->monitor, &o->remotes[0], err);
    if (!s->remote && is_new)
        machine_remove_chardev(m, o->remotes[0].chardev);
    return s->remote != NULL;
}

bool gdb_server_move(void *owner, const char *end, struct error *err)
{
    struct gdb_server *s = owner;
    struct options *o = calloc(1, sizeof *o);
    if (!o)
        return error_set(err, "no memory for gdb's stub");
    bool ok = set_gdb(o, end, err) && remove_end(s, err);
    bool is_nowhere = ok && o->remote_count == 0;
    if (ok && !is_nowhere)
        ok = open_end(s, o, err);
    if (ok && !is_nowhere)
        s->options = o;
    else
        free(o);
    return ok;
}

void gdb_server_close(struct gdb_server *s)
{
    remote_close(s->remote);
    s->remote = NULL;
}

void gdb_server_free(struct gdb_server *s)
{
    free(s->options);
    s->options = NULL;
}

/* Options of who sits beside the guest: monitors, QMP and the gdb stub at character back-ends, and
 * who has the terminal (contract: option_setters.h). */
#include "frontend/option_setters.h"

#include "base/values.h"

#include <string.h>

static bool add_remote(struct options *o, const struct remote_config *remote, struct error *err)
{
    if (o->remote_count == OPTION_REMOTES)
        return error_set(err, "there are %u monitors already", OPTION_REMOTES);
    o->remotes[o->remote_count++] = *remote;
    return true;
}

/* A monitor at the end that `value` spells. */
static bool add_remote_end(struct options *o, struct remote_config remote, const char *value,
                           struct error *err)
{
    char label[32];
    snprintf(label, sizeof label, "%s%u", remote.kind == REMOTE_GDB ? "gdb" : "compat_monitor",
             o->remote_count);
    return add_character_end(o, value, label, &remote.chardev, err) && add_remote(o, &remote, err);
}

static bool is_nowhere(const char *end)
{
    return strcmp(end, "none") == 0 || strcmp(end, "null") == 0;
}

bool set_monitor(struct options *o, const char *value, struct error *err)
{
    o->monitor_given = true;
    if (strcmp(value, "stdio") == 0)
        o->has_monitor = true;
    return o->has_monitor || is_nowhere(value) ||
           add_remote_end(o, (struct remote_config){.kind = REMOTE_MONITOR}, value, err);
}

static bool add_qmp(struct options *o, const char *value, bool is_pretty, struct error *err)
{
    if (strcmp(value, "mon:stdio") == 0)
        return error_set(err, "QMP shares the terminal with nobody; give stdio");
    if (strcmp(value, "stdio") == 0) {
        o->has_qmp = true;
        o->qmp_is_pretty = is_pretty;
        return true;
    }
    return is_nowhere(value) ||
           add_remote_end(o, (struct remote_config){.kind = REMOTE_QMP, .is_pretty = is_pretty},
                          value, err);
}

bool set_qmp(struct options *o, const char *value, struct error *err)
{
    return add_qmp(o, value, false, err);
}

bool set_qmp_pretty(struct options *o, const char *value, struct error *err)
{
    return add_qmp(o, value, true, err);
}

/* A TCP or UNIX socket of the stub's is one that listens. */
bool set_gdb(struct options *o, const char *value, struct error *err)
{
    char text[OPTION_PATH_MAX];
    bool is_socket = strncmp(value, "tcp:", 4) == 0 || strncmp(value, "unix:", 5) == 0;
    if (is_nowhere(value))
        return true;
    if (strcmp(value, "stdio") == 0 || strcmp(value, "mon:stdio") == 0)
        return error_set(err, "stdio is not there for it; give tcp::PORT or unix:PATH");
    int n = snprintf(text, sizeof text, "%s%s", value,
                     is_socket && !strstr(value, ",server") ? ",server=on,wait=off" : "");
    if (n < 0 || (size_t)n >= sizeof text)
        return error_set(err, "it is too long");
    return add_remote_end(o, (struct remote_config){.kind = REMOTE_GDB}, text, err);
}

bool set_gdb_default(struct options *o, const char *value, struct error *err)
{
    (void)value;
    return set_gdb(o, "tcp::1234", err);
}

static bool read_monitor_item(struct options *o, const struct list_item *item,
                              struct remote_config *remote, struct error *err)
{
    if (!item->value || strcmp(item->key, "chardev") == 0) {
        remote->chardev = keep_text(o, item->value ? item->value : item->key, err);
        return remote->chardev != NULL;
    }
    if (strcmp(item->key, "pretty") == 0)
        return value_switch(item->value, &remote->is_pretty) ||
               error_set(err, "pretty=%.40s: it can be on or off", item->value);
    if (strcmp(item->key, "id") == 0) /* nothing here is found by it */
        return true;
    if (strcmp(item->key, "mode") == 0 && strcmp(item->value, "control") == 0)
        remote->kind = REMOTE_QMP;
    else if (strcmp(item->key, "mode") != 0 || strcmp(item->value, "readline") != 0)
        return error_set(err, "unknown '%.40s=%.40s'; give chardev=ID,mode=readline|control",
                         item->key, item->value);
    return true;
}

bool add_monitor(struct options *o, const char *value, struct error *err)
{
    struct list_item item;
    struct remote_config remote = {.kind = REMOTE_MONITOR};
    const char *list = value;
    err->text[0] = 0;
    while (list_next(&list, &item, err))
        if (!read_monitor_item(o, &item, &remote, err))
            return false;
    if (err->text[0])
        return false;
    return remote.chardev ? add_remote(o, &remote, err) : error_set(err, "give chardev=ID");
}

/* --- who has the terminal ----------------------------------------------------------------- */

static const char *item_text(const struct machine_option *option, const char *name)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return NULL;
}

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const struct machine_option *find_chardev(const struct options *o, const char *id)
{
    for (unsigned i = 0; i < o->chardevs.count; i++)
        if (is_word(item_text(&o->chardevs.items[i], "id"), id))
            return &o->chardevs.items[i];
    return NULL;
}

/* Whether something of the guest's is at this back-end. */
static bool has_device(const struct options *o, const char *chardev)
{
    for (unsigned i = 0; i < o->devices.count; i++)
        if (is_word(item_text(&o->devices.items[i], "chardev"), chardev))
            return true;
    return is_word(o->machine.serial_chardev, chardev);
}

/* A monitor at the terminal's back-end, which it has alone, or shares with the guest. */
static bool take_terminal(struct options *o, const struct remote_config *remote, struct error *err)
{
    bool is_shared = has_device(o, remote->chardev);
    if (remote->kind == REMOTE_GDB)
        return error_set(err,
                         "-gdb chardev:%.60s: stdio is not there for it; give tcp::PORT "
                         "or unix:PATH",
                         remote->chardev);
    if (remote->kind == REMOTE_QMP && is_shared)
        return error_set(err, "-mon chardev=%.60s: QMP shares the terminal with nobody",
                         remote->chardev);
    o->shares_stdio |= is_shared;
    o->has_stdio_chardev = is_shared;
    if (remote->kind == REMOTE_QMP) {
        o->has_qmp = true;
        o->qmp_is_pretty = remote->is_pretty;
    } else if (!is_shared) {
        o->has_monitor = o->monitor_given = true;
    }
    return true;
}

/* What monitors at character back-ends need to know of them. */
static bool check_remotes(struct options *o, struct error *err)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < o->remote_count; i++) {
        struct remote_config remote = o->remotes[i];
        const struct machine_option *chardev = find_chardev(o, remote.chardev);
        if (!chardev)
            return error_set(err,
                             "there is no character back-end '%.60s'; give -chardev "
                             "TYPE,id=%.60s",
                             remote.chardev, remote.chardev);
        bool is_stdio = is_word(item_text(chardev, "type"), "stdio");
        if (is_stdio && !take_terminal(o, &remote, err))
            return false;
        remote.echo = is_word(item_text(chardev, "type"), "pty") ||
                      is_word(item_text(chardev, "telnet"), "on");
        if (!is_stdio)
            o->remotes[kept++] = remote;
    }
    o->remote_count = kept;
    return true;
}

/* A monitor or QMP that has the terminal alone. */
static bool give_terminal(struct options *o, struct error *err)
{
    const char *who = o->has_qmp ? "QMP" : "the monitor";
    if (o->has_qmp && (o->has_monitor || o->shares_stdio))
        return error_set(err, "QMP and the monitor cannot both have stdio");
    if (o->has_stdio_chardev || (o->serial == SERIAL_STDIO && (o->serial_count || o->nographic)))
        return error_set(err, "%s and the serial port cannot both have stdio%s", who,
                         o->has_qmp ? "; give -serial null or another end"
                                    : "; -serial mon:stdio alone shares it");
    if (!o->serial_count)
        o->serial = SERIAL_NULL;
    return true;
}

/* The display takes the terminal: nobody else may ask for it. */
static bool leave_terminal(struct options *o, struct error *err)
{
    bool is_asked_for = o->serial_count || o->nographic;
    if (o->has_stdio_chardev || o->has_qmp || (o->monitor_given && o->has_monitor) ||
        (o->serial == SERIAL_STDIO && is_asked_for))
        return error_set(err, "-display terminal takes the terminal; give -serial null or "
                              "file:PATH, and the monitor another place");
    if (!o->serial_count)
        o->serial = SERIAL_NULL;
    return true;
}

bool settle_terminal(struct options *o, struct error *err)
{
    if (!check_remotes(o, err))
        return false;
    if (o->display == DISPLAY_TERMINAL)
        return leave_terminal(o, err);
    bool is_alone = o->has_qmp || (o->monitor_given && o->has_monitor);
    if (is_alone && !give_terminal(o, err))
        return false;
    if (!is_alone && !o->monitor_given && !o->serial_count && !o->has_stdio_chardev)
        o->shares_stdio = true;
    o->has_monitor |= o->shares_stdio;
    return true;
}

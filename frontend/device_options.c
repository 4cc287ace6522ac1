/* Options that describe devices and their back-ends (contract: option_setters.h). Here they are
 * only cut into properties: which drivers and properties there are is known to the machine. */
#include "frontend/option_setters.h"

#include "base/values.h"

#include <stdio.h>
#include <string.h>

const char *keep_text(struct options *o, const char *text, struct error *err)
{
    size_t n = strlen(text) + 1;
    if (n > sizeof o->texts - o->texts_used) {
        error_set(err, "too long: all devices together have %zu bytes", sizeof o->texts);
        return NULL;
    }
    char *copy = o->texts + o->texts_used;
    o->texts_used += n;
    return memcpy(copy, text, n);
}

bool add_property(struct options *o, struct machine_option *option, const char *name,
                  const char *value, struct error *err)
{
    if (option->count == MACHINE_PROPERTIES_MAX)
        return error_set(err, "more than %u properties", MACHINE_PROPERTIES_MAX);
    struct machine_property *p = &option->items[option->count++];
    p->name = keep_text(o, name, err);
    p->value = p->name && value ? keep_text(o, value, err) : NULL;
    return p->name && (p->value || !value);
}

bool read_properties(struct options *o, struct machine_option *option, const char *implied,
                     const char *list, struct error *err)
{
    struct list_item item;
    if (*list == '{')
        return read_json_properties(o, option, list, err);
    err->text[0] = 0;
    for (bool first = true; list_next(&list, &item, err); first = false) {
        if (first && implied && !item.value) {
            item.value = item.key;
            item.key = implied;
        }
        if (!add_property(o, option, item.key, item.value, err))
            return false;
    }
    return err->text[0] == 0;
}

/* Appends one list to a group. */
static bool add_option(struct options *o, struct option_group *group, const char *implied,
                       const char *list, struct error *err)
{
    if (group->count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u already", group->count);
    return read_properties(o, &group->items[group->count++], implied, list, err);
}

static struct machine_options show(const struct option_group *group)
{
    return (struct machine_options){.items = group->items, .count = group->count};
}

bool add_device(struct options *o, const char *value, struct error *err)
{
    size_t n = strcspn(value, ",");
    if (strcmp(value + n, ",help") == 0 || strcmp(value + n, ",?") == 0) {
        struct list_item item;
        o->action = ACTION_LIST_PROPERTIES;
        return list_next(&value, &item, err) &&
               (o->listed_device = keep_text(o, item.key, err)) != NULL;
    }
    bool ok = add_option(o, &o->devices, "driver", value, err);
    o->machine.devices = show(&o->devices);
    return ok;
}

bool add_drive(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->drives, NULL, value, err);
    o->machine.drives = show(&o->drives);
    return ok;
}

bool add_fw_cfg(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->fw_cfg, "name", value, err);
    o->machine.fw_cfg = show(&o->fw_cfg);
    return ok;
}

bool append_drive(struct options *o, const struct machine_option *drive, struct error *err)
{
    if (o->drives.count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u drives already", o->drives.count);
    o->drives.items[o->drives.count++] = *drive;
    o->machine.drives = show(&o->drives);
    return true;
}

bool add_disk(struct options *o, const char *value, struct error *err)
{
    const struct machine_option disk = {.items = {{"file", value}}, .count = 1};
    return append_drive(o, &disk, err);
}

bool add_cdrom(struct options *o, const char *value, struct error *err)
{
    const struct machine_option disk = {.items = {{"file", value}, {"media", "cdrom"}}, .count = 2};
    return append_drive(o, &disk, err);
}

bool add_flash_drive(struct options *o, const char *file, const char *what, struct error *err)
{
    const struct machine_option flash = {
        .items = {{"file", file}, {"format", "raw"}, {"if", "pflash"}, {what, "on"}},
        .count = what ? 4 : 3};
    return append_drive(o, &flash, err);
}

bool add_flash(struct options *o, const char *value, struct error *err)
{
    return add_flash_drive(o, value, NULL, err);
}

/* Before the others, so that the guest's first disk is this one. */
bool add_first_disk(struct options *o, const char *file, const char *format, struct error *err)
{
    struct option_group *group = &o->drives;
    if (group->count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u drives already", group->count);
    memmove(&group->items[1], &group->items[0], group->count * sizeof group->items[0]);
    group->count++;
    group->items[0] = (struct machine_option){
        .items = {{"file", file}, {"format", format}, {"if", "virtio"}}, .count = 3};
    o->machine.drives = show(group);
    return true;
}

bool add_netdev(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->netdevs, "type", value, err);
    o->machine.netdevs = show(&o->netdevs);
    return ok;
}

bool add_nic(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->nics, "type", value, err);
    o->machine.nics = show(&o->nics);
    return ok;
}

/* --- character back-ends ----------------------------------------------------------------- */

/* "nowait" is an old spelling of wait=off. */
static void spell_out(struct machine_option *option)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, "nowait") == 0 && !option->items[i].value)
            option->items[i] = (struct machine_property){"wait", "off"};
}

bool add_chardev(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->chardevs, "type", value, err);
    o->machine.chardevs = show(&o->chardevs);
    if (!ok)
        return false;
    struct machine_option *option = &o->chardevs.items[o->chardevs.count - 1];
    spell_out(option);
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, "type") == 0 && option->items[i].value)
            o->has_stdio_chardev |= strcmp(option->items[i].value, "stdio") == 0;
    return true;
}

/* "HOST:PORT"; the host may be empty, or an IPv6 address in brackets. Cuts `text`. */
static bool add_host_and_port(struct options *o, struct machine_option *option, char *text,
                              struct error *err)
{
    char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return error_set(err, "'%.100s' is no address; give HOST:PORT", text);
    *colon = 0;
    size_t n = strlen(text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text[n - 1] = 0;
        text++;
    }
    return add_property(o, option, "host", text, err) &&
           add_property(o, option, "port", colon + 1, err);
}

/* The part behind "unix:", "tcp:" or "telnet:": an address, and properties of the socket. */
static bool add_socket(struct options *o, struct machine_option *option, bool is_unix,
                       const char *list, struct error *err)
{
    struct list_item item;
    char address[sizeof item.text + 1];
    if (!list_next(&list, &item, err) || !*item.key)
        return error_set(err, "give unix:PATH, tcp:HOST:PORT or telnet:HOST:PORT");
    snprintf(address, sizeof address, "%s%s%s", item.key, item.value ? "=" : "",
             item.value ? item.value : "");
    if (is_unix ? !add_property(o, option, "path", address, err)
                : !add_host_and_port(o, option, address, err))
        return false;
    while (list_next(&list, &item, err))
        if (!add_property(o, option, item.key, item.value, err))
            return false;
    return err->text[0] == 0;
}

/* How an end is spelled, and what back-end that is. */
static const struct end {
    const char *prefix, *type;
    enum { WORD, PATH, UNIX, TCP, TELNET } argument;
} ends[] = {
    {"pty", "pty", WORD},    {"null", "null", WORD},        {"none", "null", WORD},
    {"file:", "file", PATH}, {"pipe:", "pipe", PATH},       {"unix:", "socket", UNIX},
    {"tcp:", "socket", TCP}, {"telnet:", "socket", TELNET},
};

static const struct end *find_end(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t n = strlen(ends[i].prefix);
        if (ends[i].argument == WORD ? strcmp(text, ends[i].prefix) == 0
                                     : strncmp(text, ends[i].prefix, n) == 0 && text[n])
            return &ends[i];
    }
    return NULL;
}

static bool add_end(struct options *o, struct machine_option *option, const struct end *end,
                    const char *argument, struct error *err)
{
    switch (end->argument) {
    case WORD:
        return true;
    case PATH:
        return add_property(o, option, "path", argument, err);
    case TELNET:
        if (!add_property(o, option, "telnet", "on", err))
            return false;
        break;
    case UNIX:
    case TCP:
        break;
    }
    return add_socket(o, option, end->argument == UNIX, argument, err);
}

bool add_character_end(struct options *o, const char *text, const char *label, const char **id,
                       struct error *err)
{
    const struct end *end = find_end(text);
    err->text[0] = 0;
    if (strncmp(text, "chardev:", 8) == 0 && text[8]) {
        *id = keep_text(o, text + 8, err); /* the text may be the caller's own */
        return *id != NULL;
    }
    if (!end)
        return error_set(err, "it can be mon:stdio, stdio, null, none, pty, file:PATH, pipe:PATH, "
                              "chardev:ID, unix:PATH, tcp:HOST:PORT, telnet:HOST:PORT");
    if (o->chardevs.count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u -chardev already", o->chardevs.count);
    struct machine_option *option = &o->chardevs.items[o->chardevs.count++];
    o->machine.chardevs = show(&o->chardevs);
    *id = keep_text(o, label, err);
    if (!*id || !add_property(o, option, "type", end->type, err) ||
        !add_property(o, option, "id", *id, err) ||
        !add_end(o, option, end, text + strlen(end->prefix), err))
        return false;
    spell_out(option);
    return true;
}

bool add_object(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->objects, "qom-type", value, err);
    o->machine.objects = show(&o->objects);
    return ok;
}

bool add_global(struct options *o, const char *value, struct error *err)
{
    bool ok = add_option(o, &o->globals, NULL, value, err);
    const struct machine_option *option = &o->globals.items[o->globals.count - 1];
    o->machine.globals = show(&o->globals);
    if (ok &&
        (option->count != 1 || !strchr(option->items[0].name, '.') || !option->items[0].value))
        return error_set(err, "give DRIVER.PROPERTY=VALUE");
    return ok;
}

/* Options that describe devices and their back-ends (contract: option_setters.h). Here they are
 * only cut into properties: which drivers and properties there are is known to the machine. */
#include "frontend/option_setters.h"

#include "base/values.h"

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

static bool add_property(struct options *o, struct machine_option *option, const char *name,
                         const char *value, struct error *err)
{
    if (option->count == MACHINE_PROPERTIES_MAX)
        return error_set(err, "more than %u properties", MACHINE_PROPERTIES_MAX);
    struct machine_property *p = &option->items[option->count++];
    p->name = keep_text(o, name, err);
    p->value = p->name && value ? keep_text(o, value, err) : NULL;
    return p->name && (p->value || !value);
}

/* Appends one list to a group. A first word alone is the value of `implied`, if that is not NULL.
 */
static bool add_option(struct options *o, struct option_group *group, const char *implied,
                       const char *list, struct error *err)
{
    struct list_item item;
    err->text[0] = 0;
    if (group->count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u already", group->count);
    struct machine_option *option = &group->items[group->count++];
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

static struct machine_options show(const struct option_group *group)
{
    return (struct machine_options){.items = group->items, .count = group->count};
}

bool add_device(struct options *o, const char *value, struct error *err)
{
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

/* Commas are the file's own. */
bool add_flash_drive(struct options *o, const char *file, const char *what, struct error *err)
{
    if (o->drives.count == OPTION_GROUP_MAX)
        return error_set(err, "there are %u drives already", o->drives.count);
    o->drives.items[o->drives.count++] = (struct machine_option){
        .items = {{"file", file}, {"format", "raw"}, {"if", "pflash"}, {what, "on"}},
        .count = what ? 4 : 3};
    o->machine.drives = show(&o->drives);
    return true;
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

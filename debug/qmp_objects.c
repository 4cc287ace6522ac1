/* QMP's tree of objects: qom-list and qom-get, as far as clients go to see what a machine has: its
 * harts, and what -device made, with the properties that were given. QEMU's tree has all devices of
 * the board and all properties. */
#include "debug/qmp_internal.h"

#include <stdio.h>

struct object {
    char path[96]; /* "/machine/peripheral/net0" */
    char type[64];
    const struct machine_option *option; /* of -device; else NULL */
};

static const char *option_item(const struct machine_option *option, const char *name)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return NULL;
}

/* What -device made: below "peripheral" by its id, else by its number among those without one. */
static bool device_object(struct qmp *q, unsigned i, struct object *o)
{
    struct machine *m = control_machine(q->control);
    unsigned nameless = 0;
    o->option = machine_device(m, i);
    if (!o->option)
        return false;
    const char *id = option_item(o->option, "id");
    for (unsigned k = 0; k < i; k++)
        nameless += !option_item(machine_device(m, k), "id");
    const char *driver = option_item(o->option, "driver");
    snprintf(o->type, sizeof o->type, "%s", driver ? driver : "device");
    if (id)
        snprintf(o->path, sizeof o->path, "/machine/peripheral/%.60s", id);
    else
        snprintf(o->path, sizeof o->path, "/machine/peripheral-anon/device[%u]", nameless);
    return true;
}

/* Each object behind the one that holds it; false: there are not so many. */
static bool object_at(struct qmp *q, unsigned i, struct object *o)
{
    static const struct {
        const char *path, *type;
    } fixed[] = {
        {"/", "container"},
        {"/machine", "virt-machine"},
        {"/machine/peripheral", "container"},
        {"/machine/peripheral-anon", "container"},
        {"/machine/soc0", "riscv.hart_array"},
    };
    struct machine *m = control_machine(q->control);
    const char *cpu = machine_cpu(m);
    o->option = NULL;
    if (i < ARRAY_LEN(fixed)) {
        snprintf(o->path, sizeof o->path, "%s", fixed[i].path);
        snprintf(o->type, sizeof o->type, "%s", fixed[i].type);
        return true;
    }
    i -= ARRAY_LEN(fixed);
    for (unsigned hart = 0; machine_hart(m, hart); hart++, i--) {
        if (i > 0)
            continue;
        snprintf(o->path, sizeof o->path, "/machine/soc0/harts[%u]", hart);
        snprintf(o->type, sizeof o->type, "%.*s-riscv-cpu", (int)strcspn(cpu, ","), cpu);
        return true;
    }
    return device_object(q, i, o);
}

static bool find_object(struct qmp *q, const char *path, struct object *o, struct error *err)
{
    for (unsigned i = 0; object_at(q, i, o); i++)
        if (strcmp(o->path, path) == 0)
            return true;
    q->error_class = QMP_NOT_FOUND;
    return error_set(err, "Device '%.80s' not found", path);
}

bool qmp_has_device(struct qmp *q, const char *id, struct error *err)
{
    if (machine_has_device(control_machine(q->control), id))
        return true;
    q->error_class = QMP_NOT_FOUND;
    return error_set(err, "Device '%.80s' not found", id);
}

/* The name of `child` in the object at `path`; NULL: it is not directly in it. */
static const char *name_in(const char *path, const char *child)
{
    size_t n = strcmp(path, "/") == 0 ? 0 : strlen(path);
    if (strncmp(path, child, n) != 0 || child[n] != '/' || !child[n + 1])
        return NULL;
    const char *name = child + n + 1;
    return strchr(name, '/') ? NULL : name;
}

static void add_property(json_t *list, const char *name, const char *type)
{
    json_array_append_new(list, json_pack("{s:s,s:s}", "name", name, "type", type));
}

/* Whether this item of -device is a property of its object. */
static bool is_property(const struct machine_property *item)
{
    return item->value && strcmp(item->name, "driver") != 0 && strcmp(item->name, "id") != 0;
}

static const char *path_of(json_t *arguments)
{
    return json_string_value(json_object_get(arguments, "path"));
}

static json_t *list_properties(struct qmp *q, json_t *arguments, struct error *err)
{
    struct object o, child;
    char type[96];
    if (!find_object(q, path_of(arguments), &o, err))
        return NULL;
    json_t *list = json_array();
    add_property(list, "type", "string");
    for (unsigned i = 0; o.option && i < o.option->count; i++)
        if (is_property(&o.option->items[i]))
            add_property(list, o.option->items[i].name, "str");
    for (unsigned i = 0; object_at(q, i, &child); i++) {
        const char *name = name_in(o.path, child.path);
        snprintf(type, sizeof type, "child<%.80s>", child.type);
        if (name)
            add_property(list, name, type);
    }
    return list;
}

static json_t *get_property(struct qmp *q, json_t *arguments, struct error *err)
{
    struct object o;
    const char *property = json_string_value(json_object_get(arguments, "property"));
    if (!find_object(q, path_of(arguments), &o, err))
        return NULL;
    if (strcmp(property, "type") == 0)
        return json_string(o.type);
    for (unsigned i = 0; o.option && i < o.option->count; i++)
        if (is_property(&o.option->items[i]) && strcmp(o.option->items[i].name, property) == 0)
            return json_string(o.option->items[i].value);
    error_set(err, "Property '%.80s.%.80s' not found", o.type, property);
    return NULL;
}

/* No bus of ours is hot-plugged. */
static json_t *delete_device(struct qmp *q, json_t *arguments, struct error *err)
{
    const char *id = json_string_value(json_object_get(arguments, "id"));
    if (qmp_has_device(q, id, err))
        error_set(err, "Device '%.80s' does not support hotplugging", id);
    return NULL;
}

const struct qmp_row qmp_object_rows[] = {
    {"device_del", "S:id", delete_device},
    {"qom-get", "S:path S:property", get_property},
    {"qom-list", "S:path", list_properties},
    {.name = NULL},
};

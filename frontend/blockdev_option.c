/* -blockdev (contract: option_setters.h). QEMU's graph of nodes is here a drive without a device: a
 * node of a format takes the place of the node of the file that it stands on. */
#include "base/bits.h"
#include "frontend/option_setters.h"

#include <string.h>

struct node {
    const char *driver, *name, *path, *child, *file_driver, *read_only, *discard, *no_flush;
};

/* What a node's property is in struct node; IGNORED: it changes nothing that the guest sees. */
#define IGNORED SIZE_MAX
static const struct {
    const char *name;
    size_t offset;
} node_fields[] = {
    {"driver", offsetof(struct node, driver)},
    {"node-name", offsetof(struct node, name)},
    {"filename", offsetof(struct node, path)},
    {"file.filename", offsetof(struct node, path)},
    {"file", offsetof(struct node, child)},
    {"file.driver", offsetof(struct node, file_driver)},
    {"read-only", offsetof(struct node, read_only)},
    {"discard", offsetof(struct node, discard)},
    {"cache.no-flush", offsetof(struct node, no_flush)},
    {"auto-read-only", IGNORED},
    {"cache.direct", IGNORED},
    {"aio", IGNORED},
    {"file.auto-read-only", IGNORED},
    {"file.aio", IGNORED},
    {"file.cache.direct", IGNORED},
    {"file.cache.no-flush", IGNORED},
    {"file.discard", IGNORED},
};

static bool read_node(const struct machine_option *option, struct node *node, struct error *err)
{
    for (unsigned i = 0; i < option->count; i++) {
        const struct machine_property *p = &option->items[i];
        size_t field = 0;
        while (field < ARRAY_LEN(node_fields) && strcmp(node_fields[field].name, p->name) != 0)
            field++;
        if (field == ARRAY_LEN(node_fields))
            return error_set(err, "the property '%.60s' is not there", p->name);
        if (node_fields[field].offset != IGNORED)
            *(const char **)((char *)node + node_fields[field].offset) = p->value ? p->value : "on";
    }
    return true;
}

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const char *value_of(const struct machine_option *option, const char *name)
{
    for (unsigned i = 0; i < option->count; i++)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return NULL;
}

/* The node of a file on which a node of a format stands. */
static struct machine_option *find_child(struct options *o, const char *name, struct error *err)
{
    for (unsigned i = 0; i < o->drives.count; i++)
        if (is_word(value_of(&o->drives.items[i], "id"), name))
            return &o->drives.items[i];
    error_set(err,
              "there is no node '%.60s' before it; give -blockdev driver=file,node-name=%.60s,"
              "filename=FILE",
              name, name);
    return NULL;
}

static void add(struct machine_option *drive, const char *name, const char *value)
{
    if (value)
        drive->items[drive->count++] = (struct machine_property){name, value};
}

static bool is_protocol(const char *driver)
{
    return is_word(driver, "file") || is_word(driver, "host_device");
}

static bool is_format(const char *driver)
{
    return is_word(driver, "raw") || is_word(driver, "qcow2");
}

/* The same as -drive would have it. */
static struct machine_option drive_of(const struct node *node)
{
    struct machine_option drive = {.count = 0};
    add(&drive, "file", node->path);
    add(&drive, "format", is_format(node->driver) ? node->driver : "raw");
    add(&drive, "if", "none");
    add(&drive, "id", node->name);
    add(&drive, "readonly", node->read_only);
    add(&drive, "discard", node->discard);
    add(&drive, "cache", is_word(node->no_flush, "on") ? "unsafe" : NULL);
    return drive;
}

static bool check_node(const struct node *node, struct error *err)
{
    if (!is_protocol(node->driver) && !is_format(node->driver))
        return error_set(err, "give driver=file, host_device, raw or qcow2");
    if (node->file_driver && !is_protocol(node->file_driver))
        return error_set(err, "give file.driver=file or host_device");
    if (!node->name)
        return error_set(err, "give node-name=NAME, which -device then names: drive=NAME");
    return !node->path != !node->child || error_set(err, "give either filename=FILE or file=NODE");
}

/* On a child: at its place, and its file is now the node's. */
static bool place_node(struct options *o, struct node *node, struct error *err)
{
    if (!node->child) {
        const struct machine_option drive = drive_of(node);
        return append_drive(o, &drive, err);
    }
    struct machine_option *place = find_child(o, node->child, err);
    if (!place)
        return false;
    node->path = value_of(place, "file");
    if (!is_word(node->read_only, "on"))
        node->read_only = value_of(place, "readonly");
    *place = drive_of(node);
    return true;
}

bool add_blockdev(struct options *o, const char *value, struct error *err)
{
    struct machine_option option = {.count = 0};
    struct node node = {.driver = NULL};
    return read_properties(o, &option, "driver", value, err) && read_node(&option, &node, err) &&
           check_node(&node, err) && place_node(o, &node, err);
}

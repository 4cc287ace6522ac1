/* Character back-ends (contract: chardevs.h). The words are QEMU's. */
#include "machine/chardevs.h"

#include "machine/properties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHARDEVS_MAX 32u

struct slot {
    char id[CHARDEV_ID_MAX + 1]; /* "": it is free */
    const struct machine_option *option;
    bool is_stdio;
    bool is_taken;   /* by a device */
    bool is_clients; /* attached by somebody else */
    struct chardev *chardev;
    struct chardev_entry entry; /* of the device; data INPUT_NO_ENTRY: none */
    struct chardevs *owner;
};

struct chardevs {
    const struct machine_config *config;
    struct input_door *door;
    struct slot slots[CHARDEVS_MAX];
    unsigned count;
    bool is_muted;
};

/* --- making ------------------------------------------------------------------------------ */

static struct slot *find_by_id(struct chardevs *c, const char *id)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->slots[i].id, id) == 0)
            return &c->slots[i];
    return NULL;
}

/* No back-end is called "": that is what is free. */
static struct slot *find_slot(struct chardevs *c, const char *id)
{
    return *id ? find_by_id(c, id) : NULL;
}

static bool check_stdio(const struct chardevs *c, const struct machine_option *option,
                        struct error *err)
{
    static const char *const switches[] = {"on", "off", NULL};
    static const struct property_rule rules[] = {
        {"type", NULL}, {"id", NULL}, {"mux", switches}, {"signal", switches}, {NULL, NULL},
    };
    for (unsigned i = 0; i < option->count; i++)
        if (!property_check(&option->items[i], rules, err))
            return false;
    for (unsigned i = 0; i < c->count; i++)
        if (c->slots[i].is_stdio)
            return error_set(err, "there is one stdio, and '%s' has it", c->slots[i].id);
    return true;
}

static struct slot *free_slot(struct chardevs *c)
{
    struct slot *slot = find_by_id(c, "");
    return slot || c->count == CHARDEVS_MAX ? slot : &c->slots[c->count++];
}

/* NULL and err. */
static struct slot *add(struct chardevs *c, const struct machine_option *option, struct error *err)
{
    const char *id = option_text(option, "id"), *type = option_text(option, "type");
    bool is_stdio = type && strcmp(type, "stdio") == 0;
    struct slot *slot = NULL;
    if (!type || !id)
        error_set(err, "give TYPE,id=ID; devices then say chardev=ID");
    else if (!*id || strlen(id) > CHARDEV_ID_MAX)
        error_set(err, "id has 1 to %u letters", CHARDEV_ID_MAX);
    else if (find_slot(c, id))
        error_set(err, "there are two back-ends '%s'", id);
    else if (is_stdio && !check_stdio(c, option, err))
        return NULL;
    else if (!(slot = free_slot(c)))
        error_set(err, "there are %u already", CHARDEVS_MAX);
    if (!slot)
        return NULL;
    *slot = (struct slot){.option = option,
                          .is_stdio = is_stdio,
                          .entry = {c->door, INPUT_NO_ENTRY, INPUT_NO_ENTRY},
                          .owner = c};
    snprintf(slot->id, sizeof slot->id, "%s", id);
    return slot;
}

struct chardevs *chardevs_create(const struct machine_config *config, struct input_door *door,
                                 struct error *err)
{
    struct error why;
    struct chardevs *c = calloc(1, sizeof *c);
    if (!c) {
        error_set(err, "no memory for the character back-ends");
        return NULL;
    }
    c->config = config;
    c->door = door;
    for (unsigned i = 0; i < config->chardevs.count; i++)
        if (!add(c, &config->chardevs.items[i], &why)) {
            error_set(err, "-chardev: %.400s", why.text);
            chardevs_destroy(c);
            return NULL;
        }
    return c;
}

/* --- devices ----------------------------------------------------------------------------- */

static void write_stdio(void *owner, const uint8_t *bytes, size_t n)
{
    const struct chardevs *c = ((struct slot *)owner)->owner;
    const struct byte_sink *sink = &c->config->serial;
    if (sink->write && !c->is_muted)
        sink->write(sink->owner, bytes, n);
}

/* Not open: a machine that could not be made, or whose successor has the back-end. */
static void write_chardev(void *owner, const uint8_t *bytes, size_t n)
{
    struct slot *slot = owner;
    if (slot->chardev && !slot->owner->is_muted)
        chardev_write(slot->chardev, bytes, n);
}

void chardevs_mute(struct chardevs *c, bool is_muted)
{
    c->is_muted = is_muted;
}

bool chardevs_take(struct chardevs *c, const char *id, const struct chardev_device *device,
                   struct byte_sink *sink, unsigned *entry, struct error *err)
{
    struct slot *slot = find_slot(c, id);
    if (!slot)
        return error_set(err, "there is no character back-end '%.60s'; give -chardev TYPE,id=%.60s",
                         id, id);
    if (slot->is_taken)
        return error_set(err, "another device has the character back-end '%.60s'", id);
    slot->entry.data = input_register(c->door, device->name, device->receive, device->owner);
    if (device->on_peer)
        slot->entry.peers = input_register(c->door, device->name, device->on_peer, device->owner);
    if (slot->entry.data == INPUT_NO_ENTRY ||
        (device->on_peer && slot->entry.peers == INPUT_NO_ENTRY))
        return error_set(err, "no memory");
    slot->is_taken = true;
    *sink = (struct byte_sink){slot->is_stdio ? write_stdio : write_chardev, slot};
    if (entry)
        *entry = slot->entry.data;
    return true;
}

struct chardev *chardevs_take_for_client(struct chardevs *c, const char *id, struct error *err)
{
    struct slot *slot = find_slot(c, id);
    if (!slot || !slot->chardev)
        error_set(err, "there is no character back-end '%.60s' for a monitor", id);
    else if (slot->is_taken || slot->is_clients)
        error_set(err, "somebody else has the character back-end '%.60s'", id);
    else {
        slot->is_clients = true;
        return slot->chardev;
    }
    return NULL;
}

static const struct slot *slot_at(const struct chardevs *c, unsigned i)
{
    for (unsigned k = 0; k < c->count; k++)
        if (*c->slots[k].id && i-- == 0)
            return &c->slots[k];
    return NULL;
}

bool chardevs_show(const struct chardevs *c, unsigned i, struct machine_chardev *chardev)
{
    const struct slot *slot = slot_at(c, i);
    if (!slot)
        return false;
    *chardev = (struct machine_chardev){
        .id = slot->id,
        .place = slot->chardev ? chardev_place(slot->chardev) : "stdio",
        .is_taken = slot->is_taken || slot->is_clients,
    };
    return true;
}

long chardevs_read_ring(struct chardevs *c, const char *id, uint8_t *to, size_t n,
                        struct error *err)
{
    struct slot *slot = find_slot(c, id);
    const char *type = slot ? option_text(slot->option, "type") : NULL;
    if (type && slot->chardev && strcmp(type, "ringbuf") == 0)
        return (long)chardev_read_ring(slot->chardev, to, n);
    error_set(err, "there is no ringbuf '%.60s'", id);
    return -1;
}

bool chardevs_stdio_entry(const struct chardevs *c, unsigned *entry)
{
    for (unsigned i = 0; i < c->count; i++)
        if (c->slots[i].is_stdio && c->slots[i].is_taken) {
            *entry = c->slots[i].entry.data;
            return true;
        }
    return false;
}

/* --- opening and closing ----------------------------------------------------------------- */

/* A stdio always has somebody at it. */
static void attach(struct slot *slot)
{
    if (!slot->is_taken)
        return;
    if (slot->chardev)
        chardev_attach_door(slot->chardev, &slot->entry);
    else
        input_push(slot->entry.door, slot->entry.peers, &(uint8_t){1}, 1);
}

static bool open_slot(struct slot *slot, struct error *err)
{
    struct chardev_property properties[MACHINE_PROPERTIES_MAX];
    struct chardev_config config = {.id = slot->id,
                                    .type = option_text(slot->option, "type"),
                                    .properties = properties,
                                    .log = slot->owner->config->log};
    for (unsigned i = 0; i < slot->option->count; i++) {
        const struct machine_property *p = &slot->option->items[i];
        if (strcmp(p->name, "type") != 0 && strcmp(p->name, "id") != 0)
            properties[config.count++] =
                (struct chardev_property){.key = p->name, .value = p->value ? p->value : "on"};
    }
    slot->chardev = chardev_open(&config, err);
    return slot->chardev != NULL;
}

bool chardevs_open(struct chardevs *c, struct error *err)
{
    struct error why;
    for (unsigned i = 0; i < c->count; i++) {
        struct slot *slot = &c->slots[i];
        if (!slot->is_stdio && !open_slot(slot, &why))
            return error_set(err, "-chardev %s: %.400s", slot->id, why.text);
        attach(slot);
    }
    return true;
}

bool chardevs_add(struct chardevs *c, const struct machine_option *option, struct error *err)
{
    struct slot *slot = add(c, option, err);
    if (!slot)
        return false;
    if (!slot->is_stdio && open_slot(slot, err))
        return true;
    if (slot->is_stdio)
        error_set(err, "stdio is not there for it");
    *slot = (struct slot){.owner = c};
    return false;
}

void chardevs_remove(struct chardevs *c, const char *id)
{
    struct slot *slot = find_slot(c, id);
    struct error ignored; /* of what its peer did not take */
    if (!slot || !slot->is_clients)
        return;
    (void)!chardev_close(slot->chardev, &ignored);
    *slot = (struct slot){.owner = c};
}

void chardevs_detach(struct chardevs *from)
{
    for (unsigned i = 0; i < from->count; i++)
        if (from->slots[i].chardev && from->slots[i].is_taken)
            chardev_attach(from->slots[i].chardev, NULL);
}

/* Clients may have given back one of the configuration's, and added others. */
void chardevs_succeed(struct chardevs *to, struct chardevs *from)
{
    for (unsigned i = 0; i < from->count; i++) {
        struct slot *slot = &to->slots[i], *old = &from->slots[i];
        if (!old->is_taken) {
            *slot = *old;
            slot->owner = to;
            slot->entry.door = to->door;
        }
        slot->chardev = old->chardev;
        old->chardev = NULL;
        attach(slot);
    }
    to->count = from->count;
}

void chardevs_destroy(struct chardevs *c)
{
    struct error err;
    if (!c)
        return;
    for (unsigned i = 0; i < c->count; i++)
        if (!chardev_close(c->slots[i].chardev, &err))
            fprintf(stderr, "rivulet: -chardev %s: %s\n", c->slots[i].id, err.text);
    free(c);
}

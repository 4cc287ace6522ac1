/* Drivers (contract: drivers.h). To add a device: its rules, its create function, its row. */
#include "machine/drivers.h"

#include "base/os.h"
#include "base/values.h"
#include "devices/virtio/rng.h"
#include "machine/drives.h"

#include <stdio.h>

#define BLOCK_LEAST_BYTES 512u
#define BLOCK_MOST_BYTES  (2u << 20) /* QEMU's */

/* --- virtio-blk -------------------------------------------------------------------------- */

/* Those with a NULL that create_blk does not read say where to boot from, or what nobody here can
 * tell apart. */
static const char *const ones[] = {"1", NULL};
static const struct property_rule blk_rules[] = {
    {"drive", NULL},
    {"serial", NULL},
    {"logical_block_size", NULL},
    {"physical_block_size", NULL},
    {"min_io_size", NULL},
    {"opt_io_size", NULL},
    {"queue-size", NULL},
    {"werror", NULL},
    {"rerror", NULL},
    {"num-queues", ones},
    {"bootindex", NULL},
    {"share-rw", NULL},
    {NULL, NULL},
};

static bool set_geometry(struct virtio_blk_config *c, const struct properties *p, struct error *err)
{
    uint64_t logical = BLOCK_LEAST_BYTES, physical = 0, min_io = 0, opt_io = 0;
    if (!properties_size(p, "logical_block_size", BLOCK_MOST_BYTES, &logical, err) ||
        !properties_size(p, "physical_block_size", BLOCK_MOST_BYTES, &physical, err) ||
        !properties_size(p, "min_io_size", UINT16_MAX, &min_io, err) ||
        !properties_size(p, "opt_io_size", UINT32_MAX, &opt_io, err))
        return false;
    physical = max_u64(physical, logical);
    if (!is_power_of_two(logical) || logical < BLOCK_LEAST_BYTES || !is_power_of_two(physical))
        return error_set(err, "a block has 512, 1024, ... 2097152 bytes");
    if (min_io % logical || opt_io % logical)
        return error_set(err, "min_io_size and opt_io_size are multiples of the logical block");
    c->logical_block_bytes = (uint32_t)logical;
    c->physical_block_bytes = (uint32_t)physical;
    c->min_io_bytes = (uint32_t)min_io;
    c->opt_io_bytes = (uint32_t)opt_io;
    return true;
}

static bool set_queue_size(struct virtio_blk_config *c, const struct properties *p,
                           struct error *err)
{
    uint64_t size = VIRTIO_BLK_QUEUE_SIZE;
    if (!properties_size(p, "queue-size", VIRTIO_QUEUE_MOST, &size, err))
        return false;
    c->queue_size = (uint16_t)size;
    return (is_power_of_two(size) && size > 2) ||
           error_set(err, "queue-size is a power of two, 4 to %u", VIRTIO_QUEUE_MOST);
}

static bool set_drive(struct machine *m, struct virtio_blk_config *c, const struct properties *p,
                      struct error *err)
{
    const char *id = properties_text(p, "drive"), *serial = properties_text(p, "serial");
    if (!id)
        return error_set(err, "it needs drive=ID and a -drive if=none,id=ID,file=FILE");
    struct drive *drive = drives_take(m->drives, id, err);
    if (!drive)
        return false;
    c->block = drive->block;
    c->write_through = drive->write_through;
    c->on_read_error = drive->on_read_error;
    c->on_write_error = drive->on_write_error;
    snprintf(c->name, sizeof c->name, "virtio-blk%u", m->disk_count);
    if (!serial)
        serial = drive->serial ? drive->serial : "";
    if (strlen(serial) > VIRTIO_BLK_SERIAL_BYTES)
        return error_set(err, "a serial has at most %u bytes", VIRTIO_BLK_SERIAL_BYTES);
    strcpy(c->serial, serial);
    return true;
}

static void wake_for_disks(void *owner)
{
    struct machine *m = owner;
    input_push(m->door, m->disk_entry, "", 1);
}

static struct virtio *create_blk(struct machine *m, const struct properties *p, struct error *err)
{
    struct virtio_blk_config config = {.memory = m->memory,
                                       .clock = &m->clock,
                                       .events = &m->events,
                                       .log = m->config.log,
                                       .wake = wake_for_disks,
                                       .owner = m};
    if (!set_drive(m, &config, p, err) || !set_geometry(&config, p, err) ||
        !set_queue_size(&config, p, err) ||
        !drive_error_action(properties_text(p, "werror"), &config.on_write_error, err) ||
        !drive_error_action(properties_text(p, "rerror"), &config.on_read_error, err))
        return NULL;
    struct virtio *v = virtio_blk_create(&config);
    if (v)
        m->disks[m->disk_count++] = v;
    else
        error_set(err, "no memory");
    return v;
}

/* --- virtio-rng -------------------------------------------------------------------------- */

static const struct property_rule rng_rules[] = {
    {"rng", NULL},
    {"max-bytes", NULL},
    {"period", NULL},
    {NULL, NULL},
};

static void fill_from_host(void *owner, uint8_t *bytes, size_t n)
{
    (void)owner;
    os_random(bytes, n);
}

static struct virtio *create_rng(struct machine *m, const struct properties *p, struct error *err)
{
    (void)p;
    struct virtio_rng_config config = {
        .seed = m->config.seed, .memory = m->memory, .log = m->config.log};
    if (!m->config.icount)
        config.host.fill = fill_from_host;
    struct virtio *v = virtio_rng_create(&config);
    if (!v)
        error_set(err, "no memory");
    return v;
}

/* --- the table --------------------------------------------------------------------------- */

static const struct property_rule no_rules[] = {{NULL, NULL}};
static const struct property_rule mmio_rules[] = {{"id", NULL}, {"bus", NULL}, {NULL, NULL}};
static const struct property_rule board_mmio_rules[] = {{"force-legacy", NULL}, {NULL, NULL}};

// clang-format off
static const struct driver drivers[] = {
    {"virtio-mmio",       BUS_NONE,        board_mmio_rules, NULL},
    {"virtio-blk-device", BUS_VIRTIO_MMIO, blk_rules,        create_blk},
    {"virtio-rng-device", BUS_VIRTIO_MMIO, rng_rules,        create_rng},
};
// clang-format on

static const struct property_rule *bus_rules(enum driver_bus bus)
{
    return bus == BUS_VIRTIO_MMIO ? mmio_rules : no_rules;
}

static const struct driver *find_driver(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (strcmp(drivers[i].name, name) == 0)
            return &drivers[i];
    return NULL;
}

static bool unknown_driver(const char *name, struct error *err)
{
    const char *nearest = "";
    unsigned least = ~0u;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        unsigned distance = edit_distance(name, drivers[i].name);
        if (drivers[i].create && distance < least) {
            least = distance;
            nearest = drivers[i].name;
        }
    }
    return error_set(err, "there is no such device; the nearest is %s", nearest);
}

/* Whether the property is the driver's or its bus's. The error names the driver's nearest. */
static bool check_property(const struct driver *driver, const struct machine_property *property,
                           struct error *err)
{
    struct error ignored;
    return strcmp(property->name, "driver") == 0 ||
           property_check(property, bus_rules(driver->bus), &ignored) ||
           property_check(property, driver->rules, err);
}

/* --- placing ----------------------------------------------------------------------------- */

/* bus=virtio-mmio-bus.N, or the highest slot that is free. */
static bool find_slot(const struct machine *m, const char *bus, unsigned *slot, struct error *err)
{
    if (bus) {
        static const char prefix[] = "virtio-mmio-bus.";
        uint64_t number;
        if (strncmp(bus, prefix, strlen(prefix)) != 0 ||
            !value_number(bus + strlen(prefix), &number) || number >= VIRTIO_MMIO_SLOTS)
            return error_set(err, "no bus '%.80s'; give virtio-mmio-bus.0 to virtio-mmio-bus.%u",
                             bus, VIRTIO_MMIO_SLOTS - 1);
        *slot = (unsigned)number;
        return !m->mmio_virtio[*slot] || error_set(err, "another device is on %.80s", bus);
    }
    for (*slot = VIRTIO_MMIO_SLOTS; (*slot)-- > 0;)
        if (!m->mmio_virtio[*slot])
            return true;
    return error_set(err, "all %u virtio-mmio slots are taken", VIRTIO_MMIO_SLOTS);
}

static bool create_device(struct machine *m, const struct driver *driver,
                          const struct machine_option *option, struct error *err)
{
    struct properties p = {.option = option, .driver = driver->name, .globals = &m->config.globals};
    unsigned slot;
    for (unsigned i = 0; i < option->count; i++)
        if (!check_property(driver, &option->items[i], err))
            return false;
    if (!find_slot(m, properties_text(&p, "bus"), &slot, err))
        return false;
    m->mmio_virtio[slot] = driver->create(m, &p, err);
    return m->mmio_virtio[slot] != NULL;
}

static bool create_named(struct machine *m, const struct machine_option *option, struct error *err)
{
    struct error why;
    const char *name = option_text(option, "driver");
    const struct driver *driver = name ? find_driver(name) : NULL;
    if (driver && driver->create ? create_device(m, driver, option, &why)
                                 : unknown_driver(name ? name : "", &why))
        return true;
    return error_set(err, "-device %.80s: %.400s", name ? name : "", why.text);
}

/* -drive if=virtio is a PCI disk, as QEMU's. */
static bool create_for_drive(struct machine *m, const struct drive *drive, struct error *err)
{
    struct machine_option option = {.items = {{"driver", "virtio-blk-pci"}, {"drive", drive->id}},
                                    .count = 2};
    return create_named(m, &option, err);
}

/* --- globals and objects ----------------------------------------------------------------- */

static bool check_global(const struct machine_property *global, struct error *err)
{
    char driver_name[64];
    struct error why;
    const char *dot = strchr(global->name, '.');
    snprintf(driver_name, sizeof driver_name, "%.*s", (int)(dot - global->name), global->name);
    const struct driver *driver = find_driver(driver_name);
    struct machine_property property = {.name = dot + 1, .value = global->value};
    if (driver ? check_property(driver, &property, &why) : unknown_driver(driver_name, &why))
        return true;
    return error_set(err, "-global %.100s: %.380s", global->name, why.text);
}

/* Where entropy comes from is decided by the clock; QEMU's scripts name it all the same. */
static bool check_object(const struct machine_option *object, struct error *err)
{
    static const char *const types[] = {"rng-random", "rng-builtin", NULL};
    const char *type = option_text(object, "qom-type");
    for (const char *const *known = types; *known; known++)
        if (type && strcmp(type, *known) == 0)
            return true;
    return error_set(err, "-object %.80s: there is no such object; the nearest is %s",
                     type ? type : "", nearest_name(type ? type : "", types));
}

static bool check_config(struct machine *m, struct error *err)
{
    const struct machine_config *c = &m->config;
    struct properties mmio = {.driver = "virtio-mmio", .globals = &c->globals};
    for (unsigned i = 0; i < c->globals.count; i++)
        if (!check_global(&c->globals.items[i].items[0], err))
            return false;
    for (unsigned i = 0; i < c->objects.count; i++)
        if (!check_object(&c->objects.items[i], err))
            return false;
    struct error why;
    m->virtio_legacy = true;
    return properties_switch(&mmio, "force-legacy", &m->virtio_legacy, &why) ||
           error_set(err, "-global virtio-mmio.%.400s", why.text);
}

bool drivers_create(struct machine *m, struct error *err)
{
    if (!check_config(m, err))
        return false;
    for (unsigned i = 0; i < m->drives->count; i++)
        m->drives->items[i].is_taken = false;
    for (unsigned i = 0; i < m->config.devices.count; i++)
        if (!create_named(m, &m->config.devices.items[i], err))
            return false;
    for (unsigned i = 0; i < m->drives->count; i++)
        if (m->drives->items[i].wants_device && !create_for_drive(m, &m->drives->items[i], err))
            return false;
    return true;
}

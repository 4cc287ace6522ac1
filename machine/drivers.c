/* Drivers (contract: drivers.h). To add a device: its rules, its create function, its row. */
#include "machine/drivers.h"

#include "base/os.h"
#include "base/values.h"
#include "devices/virtio/net.h"
#include "devices/virtio/rng.h"
#include "machine/displays.h"
#include "machine/drives.h"
#include "machine/htif.h"
#include "machine/loads.h"
#include "machine/nets.h"
#include "machine/places.h"
#include "machine/serial_ports.h"

#include <stdio.h>
#include <stdlib.h>

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
    c->drive = drive->id;
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

/* Between rounds: no hart runs that would have to be stopped. */
static void stop_for_disk(void *owner)
{
    struct machine *m = owner;
    m->ends = true;
    m->exit = (struct machine_exit){.stop = MACHINE_IO_ERROR};
}

static void tell_of_disk(void *owner, const struct virtio_blk_failure *failure)
{
    struct machine *m = owner;
    struct machine_disk_error error = {.drive = failure->drive,
                                       .is_write = failure->is_write,
                                       .no_space = block_wants_space(failure->status),
                                       .reason = block_status_text(failure->status),
                                       .action = drive_action_name(failure->action)};
    if (m->tell_disk_error)
        m->tell_disk_error(m->disk_error_owner, &error);
}

static struct virtio *create_blk(struct machine *m, const struct properties *p, struct error *err)
{
    struct virtio_blk_config config = {.memory = m->memory,
                                       .clock = &m->clock,
                                       .events = &m->events,
                                       .log = m->config.log,
                                       .wake = wake_for_disks,
                                       .stop = stop_for_disk,
                                       .failed = tell_of_disk,
                                       .owner = m};
    if (!set_drive(m, &config, p, err) || !set_geometry(&config, p, err) ||
        !set_queue_size(&config, p, err) ||
        !drive_write_error(properties_text(p, "werror"), &config.on_write_error, err) ||
        !drive_read_error(properties_text(p, "rerror"), &config.on_read_error, err))
        return NULL;
    struct virtio *v = virtio_blk_create(&config);
    if (v)
        m->disks[m->disk_count++] = v;
    else
        error_set(err, "no memory");
    return v;
}

/* --- virtio-net -------------------------------------------------------------------------- */

static const char *const offs[] = {"off", NULL};
static const struct property_rule net_rules[] = {
    {"netdev", NULL},  {"mac", NULL},     {"mq", offs}, {"bootindex", NULL},
    {"romfile", NULL}, {"vectors", NULL}, {NULL, NULL},
};

/* "52:54:00:12:34:56", of one card: not a group's address. */
static bool set_mac(struct virtio_net_config *c, const char *text, struct error *err)
{
    char hex[3] = "", *end;
    const char *at = text;
    for (unsigned i = 0; i < VIRTIO_NET_MAC_BYTES; i++, at += 3) {
        char separator = i + 1 < VIRTIO_NET_MAC_BYTES ? ':' : 0;
        if (strlen(at) < 2 || at[2] != separator)
            return error_set(err, "mac=%.40s: give for example 52:54:00:12:34:56", text);
        memcpy(hex, at, 2);
        c->mac[i] = (uint8_t)strtoul(hex, &end, 16);
        if (*end || hex[0] == '+' || hex[0] == '-' || hex[0] == ' ')
            return error_set(err, "mac=%.40s: give for example 52:54:00:12:34:56", text);
    }
    return !(c->mac[0] & 1) || error_set(err, "mac=%.40s is the address of a group", text);
}

/* QEMU's: the first card has 56 at its end, the second 57. */
static void set_default_mac(struct machine *m, struct virtio_net_config *c)
{
    static const uint8_t first[VIRTIO_NET_MAC_BYTES] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    memcpy(c->mac, first, sizeof first);
    c->mac[VIRTIO_NET_MAC_BYTES - 1] += m->nic_count++;
}

static struct virtio *create_net(struct machine *m, const struct properties *p, struct error *err)
{
    struct virtio_net_config config = {.memory = m->memory, .log = m->config.log};
    const char *netdev = properties_text(p, "netdev"), *mac = properties_text(p, "mac");
    if (!netdev) {
        error_set(err, "it needs netdev=ID and a -netdev user,id=ID");
        return NULL;
    }
    config.link = nets_link(m->nets, netdev, err);
    if (!config.link || (mac && !set_mac(&config, mac, err)))
        return NULL;
    if (!mac)
        set_default_mac(m, &config);
    struct virtio *v = virtio_net_create(&config);
    if (!v)
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

static const struct property_rule no_properties[] = {{NULL, NULL}};
static const struct property_rule board_mmio_rules[] = {{"force-legacy", NULL}, {NULL, NULL}};

// clang-format off
static const struct driver drivers[] = {
    {"virtio-mmio",                     BUS_NONE,              board_mmio_rules, {NULL}},
    {"virtio-blk-device",               BUS_VIRTIO_MMIO,       blk_rules,        {create_blk}},
    {"virtio-blk-pci",                  BUS_VIRTIO_PCI,        blk_rules,        {create_blk}},
    {"virtio-blk-pci-transitional",     BUS_VIRTIO_PCI,        blk_rules,        {create_blk}},
    {"virtio-blk-pci-non-transitional", BUS_VIRTIO_PCI_MODERN, blk_rules,        {create_blk}},
    {"virtio-net-device",               BUS_VIRTIO_MMIO,       net_rules,        {create_net}},
    {"virtio-net-pci",                  BUS_VIRTIO_PCI,        net_rules,        {create_net}},
    {"virtio-net-pci-transitional",     BUS_VIRTIO_PCI,        net_rules, {create_net}},
    {"virtio-net-pci-non-transitional", BUS_VIRTIO_PCI_MODERN, net_rules, {create_net}},
    {"virtio-serial-device",               BUS_VIRTIO_MMIO,       serial_rules, {serial_create}},
    {"virtio-serial-pci",                  BUS_VIRTIO_PCI,        serial_rules, {serial_create}},
    {"virtio-serial",                      BUS_VIRTIO_PCI,        serial_rules, {serial_create}},
    {"virtio-serial-pci-transitional",     BUS_VIRTIO_PCI,        serial_rules, {serial_create}},
    {"virtio-serial-pci-non-transitional", BUS_VIRTIO_PCI_MODERN, serial_rules, {serial_create}},
    {"virtconsole", BUS_VIRTIO_SERIAL,     serial_port_rules, {serial_create}},
    {"virtserialport", BUS_VIRTIO_SERIAL,     serial_port_rules, {serial_create}},
    {"virtio-gpu-device",               BUS_VIRTIO_MMIO,       gpu_rules, {gpu_create}},
    {"virtio-gpu-pci",                  BUS_VIRTIO_PCI,        gpu_rules, {gpu_create}},
    {"bochs-display",                   BUS_PCI,               bochs_rules,
                                                              {.create_function = bochs_add}},
    {"ramfb",                           BUS_SYSTEM,            no_properties, {.add = ramfb_add}},
    {"simple-framebuffer",              BUS_SYSTEM,            simple_framebuffer_rules,
                                                              {.add = simple_framebuffer_add}},
    {"htif",                            BUS_SYSTEM,            htif_rules,       {.add = htif_add}},
    {"virtio-keyboard-device",          BUS_VIRTIO_MMIO,       input_rules, {keyboard_create}},
    {"virtio-keyboard-pci",             BUS_VIRTIO_PCI,        input_rules, {keyboard_create}},
    {"virtio-mouse-device",             BUS_VIRTIO_MMIO,       input_rules, {mouse_create}},
    {"virtio-mouse-pci",                BUS_VIRTIO_PCI,        input_rules, {mouse_create}},
    {"virtio-tablet-device",            BUS_VIRTIO_MMIO,       input_rules,      {tablet_create}},
    {"virtio-tablet-pci",               BUS_VIRTIO_PCI,        input_rules,      {tablet_create}},
    {"virtio-rng-device",               BUS_VIRTIO_MMIO,       rng_rules,        {create_rng}},
    {"virtio-rng-pci",                  BUS_VIRTIO_PCI,        rng_rules,        {create_rng}},
    {"virtio-rng-pci-transitional",     BUS_VIRTIO_PCI,        rng_rules,        {create_rng}},
    {"virtio-rng-pci-non-transitional", BUS_VIRTIO_PCI_MODERN, rng_rules,        {create_rng}},
};
// clang-format on

static const struct driver *find_driver(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (strcmp(drivers[i].name, name) == 0)
            return &drivers[i];
    return NULL;
}

void drivers_list(const struct byte_sink *out)
{
    static const char *const buses[] = {
        [BUS_VIRTIO_MMIO] = "virtio-bus",
        [BUS_VIRTIO_PCI] = "PCI",
        [BUS_VIRTIO_PCI_MODERN] = "PCI",
        [BUS_VIRTIO_SERIAL] = "virtio-serial-bus",
        [BUS_PCI] = "PCI",
        [BUS_SYSTEM] = "System",
    };
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (drivers[i].bus != BUS_NONE)
            byte_sink_print(out, "name \"%s\", bus %s\n", drivers[i].name, buses[drivers[i].bus]);
}

bool drivers_list_properties(const char *name, const struct byte_sink *out)
{
    const struct driver *driver = find_driver(name);
    if (!driver || driver->bus == BUS_NONE)
        return false;
    byte_sink_print(out, "%s options:\n", name);
    properties_list(driver->rules, out);
    properties_list(place_rules(driver->bus), out);
    return true;
}

static bool unknown_driver(const char *name, struct error *err)
{
    const char *nearest = "";
    unsigned least = ~0u;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        unsigned distance = edit_distance(name, drivers[i].name);
        if (drivers[i].bus != BUS_NONE && distance < least) {
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
           property_check(property, place_rules(driver->bus), &ignored) ||
           property_check(property, driver->rules, err);
}

/* --- making ------------------------------------------------------------------------------ */

static bool create_device(struct machine *m, const struct driver *driver,
                          const struct machine_option *option, struct error *err)
{
    struct properties p = {.option = option, .driver = driver->name, .globals = &m->config.globals};
    for (unsigned i = 0; i < option->count; i++)
        if (!check_property(driver, &option->items[i], err))
            return false;
    if (driver->bus == BUS_VIRTIO_SERIAL)
        return serial_port_check(m, option, err);
    if (driver->bus == BUS_SYSTEM)
        return driver->add(m, &p, err);
    return place_device(m, driver, &p, err);
}

static bool create_named(struct machine *m, const struct machine_option *option, struct error *err)
{
    struct error why;
    const char *name = option_text(option, "driver");
    const struct driver *driver = name ? find_driver(name) : NULL;
    if (driver && driver->bus != BUS_NONE ? create_device(m, driver, option, &why)
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

/* The card of a -nic: its model may be QEMU's short name. */
static bool create_for_nic(struct machine *m, unsigned nic, struct error *err)
{
    const struct machine_option *option = &m->config.nics.items[nic];
    const char *model = option_text(option, "model"), *mac = option_text(option, "mac");
    const char *id = nets_nic_id(m->nets, nic);
    if (!id)
        return true;
    if (!model || strcmp(model, "virtio") == 0)
        model = "virtio-net-pci";
    struct machine_option card = {.items = {{"driver", model}, {"netdev", id}}, .count = 2};
    if (mac)
        card.items[card.count++] = (struct machine_property){"mac", mac};
    return create_named(m, &card, err);
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
static const char *const object_types[] = {"rng-random", "rng-builtin", "filter-dump", "secret",
                                           NULL};

void drivers_list_objects(const struct byte_sink *out)
{
    byte_sink_print(out, "List of user creatable objects:\n");
    for (const char *const *type = object_types; *type; type++)
        byte_sink_print(out, "  %s\n", *type);
}

static bool check_object(const struct machine_option *object, struct error *err)
{
    const char *type = option_text(object, "qom-type");
    for (const char *const *known = object_types; *known; known++)
        if (type && strcmp(type, *known) == 0)
            return true;
    return error_set(err, "-object %.80s: there is no such object; the nearest is %s",
                     type ? type : "", nearest_name(type ? type : "", object_types));
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
        m->drives->items[i].is_taken = m->drives->items[i].is_flash;
    for (unsigned i = 0; i < m->config.devices.count; i++)
        if (!loads_is_one(&m->config.devices.items[i]) &&
            !create_named(m, &m->config.devices.items[i], err))
            return false;
    for (unsigned i = 0; i < m->drives->count; i++)
        if (m->drives->items[i].wants_device && !create_for_drive(m, &m->drives->items[i], err))
            return false;
    for (unsigned i = 0; i < m->config.nics.count; i++)
        if (!create_for_nic(m, i, err))
            return false;
    return true;
}

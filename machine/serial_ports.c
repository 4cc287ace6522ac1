/* virtio-serial buses and their ports (contract: serial_ports.h). */
#include "machine/serial_ports.h"

#include "devices/virtio/console.h"
#include "machine/chardevs.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const switches[] = {"on", "off", NULL};
const struct property_rule serial_rules[] = {
    {"max_ports", NULL},
    {"emergency-write", switches},
    {NULL, NULL},
};
const struct property_rule serial_port_rules[] = {
    {"id", NULL}, {"bus", NULL}, {"chardev", NULL}, {"nr", NULL}, {"name", NULL}, {NULL, NULL},
};

/* One end of the wire between a port and its back-end. */
struct serial_port {
    struct virtio *v;
    unsigned number;
    char name[16];
};

/* Lives as long as the machine: door entries lead to it. */
struct serial_bus {
    struct serial_bus *next;
    struct serial_port ports[VIRTIO_CONSOLE_PORTS_MAX];
};

/* --- which port is on which bus ---------------------------------------------------------- */

static bool is_driver(const struct machine_option *option, const char *prefix)
{
    const char *driver = option_text(option, "driver");
    return driver && strncmp(driver, prefix, strlen(prefix)) == 0;
}

static bool is_bus(const struct machine_option *option)
{
    return is_driver(option, "virtio-serial");
}

static bool is_console(const struct machine_option *option)
{
    return is_driver(option, "virtconsole");
}

static bool is_port(const struct machine_option *option)
{
    return is_console(option) || is_driver(option, "virtserialport");
}

/* "ID.0", where ID is the device's; a bus without one is virtio-serial-bus.0. */
static bool is_bus_named(const struct machine_option *bus, const char *name)
{
    const char *id = option_text(bus, "id");
    char text[80];
    snprintf(text, sizeof text, "%s.0", id ? id : "virtio-serial-bus");
    return strcmp(text, name) == 0;
}

/* Of the buses before the port: the one it names, or the first. NULL: none. */
static const struct machine_option *bus_of(const struct machine *m,
                                           const struct machine_option *port)
{
    const char *name = option_text(port, "bus");
    for (const struct machine_option *o = m->config.devices.items; o < port; o++)
        if (is_bus(o) && (!name || is_bus_named(o, name)))
            return o;
    return NULL;
}

bool serial_port_check(const struct machine *m, const struct machine_option *port,
                       struct error *err)
{
    const char *name = option_text(port, "bus");
    if (bus_of(m, port))
        return true;
    if (name)
        return error_set(
            err, "no bus '%.60s'; it is ID.0 behind -device virtio-serial-device,id=ID", name);
    return error_set(err, "it needs a bus: put -device virtio-serial-device before it");
}

/* --- ports ------------------------------------------------------------------------------- */

static size_t receive(void *owner, const uint8_t *bytes, size_t n)
{
    const struct serial_port *port = owner;
    return virtio_console_receive(port->v, port->number, bytes, n);
}

static size_t on_peer(void *owner, const uint8_t *bytes, size_t n)
{
    const struct serial_port *port = owner;
    virtio_console_set_peer(port->v, port->number, bytes[n - 1]);
    return n;
}

/* nr=N, or the first that is free; number 0 is for consoles alone, as in QEMU. */
static bool find_number(const struct virtio_console_config *config, unsigned most,
                        const struct properties *p, bool is_console, unsigned *number,
                        struct error *err)
{
    uint64_t nr = is_console ? 0 : 1;
    while (nr < most && config->ports[nr].is_present)
        nr++;
    if (nr == most && !properties_text(p, "nr"))
        return error_set(err, "all %u ports of its bus are taken", most);
    if (!properties_size(p, "nr", most - 1, &nr, err))
        return false;
    if (nr == 0 && !is_console)
        return error_set(err, "nr=0 is for a virtconsole");
    *number = (unsigned)nr;
    return !config->ports[nr].is_present || error_set(err, "another port has nr=%u", (unsigned)nr);
}

static bool set_name(struct virtio_console_port *port, const char *name, struct error *err)
{
    int n = snprintf(port->name, sizeof port->name, "%s", name ? name : "");
    return n <= (int)VIRTIO_CONSOLE_NAME_MAX ||
           error_set(err, "name has at most %u letters", VIRTIO_CONSOLE_NAME_MAX);
}

static bool add_port(struct machine *m, const struct machine_option *option,
                     struct virtio_console_config *config, unsigned most, struct serial_bus *bus,
                     struct error *err)
{
    const char *driver = option_text(option, "driver");
    struct properties p = {.option = option, .driver = driver, .globals = &m->config.globals};
    const char *chardev = properties_text(&p, "chardev");
    unsigned nr = 0;
    if (!find_number(config, most, &p, is_console(option), &nr, err))
        return false;
    struct virtio_console_port *port = &config->ports[nr];
    struct serial_port *end = &bus->ports[nr];
    *port = (struct virtio_console_port){.is_present = true, .is_console = is_console(option)};
    end->number = nr;
    snprintf(end->name, sizeof end->name, "vport%u", nr);
    if (nr >= config->count)
        config->count = nr + 1;
    struct chardev_device device = {
        .name = end->name, .receive = receive, .on_peer = on_peer, .owner = end};
    return set_name(port, properties_text(&p, "name"), err) &&
           (!chardev || chardevs_take(m->chardevs, chardev, &device, &port->sink, NULL, err));
}

static bool add_ports(struct machine *m, const struct properties *p,
                      struct virtio_console_config *config, struct serial_bus *bus,
                      struct error *err)
{
    const struct machine_options *devices = &m->config.devices;
    uint64_t most = VIRTIO_CONSOLE_PORTS_MAX;
    struct error why;
    if (!properties_size(p, "max_ports", VIRTIO_CONSOLE_PORTS_MAX, &most, err))
        return false;
    if (most == 0)
        return error_set(err, "max_ports is 1 to %u", VIRTIO_CONSOLE_PORTS_MAX);
    for (unsigned i = 0; i < devices->count; i++) {
        const struct machine_option *option = &devices->items[i];
        if (is_port(option) && bus_of(m, option) == p->option &&
            !add_port(m, option, config, (unsigned)most, bus, &why))
            return error_set(err, "its %.40s: %.400s", option_text(option, "driver"), why.text);
    }
    return true;
}

struct virtio *serial_create(struct machine *m, const struct properties *p, struct error *err)
{
    struct virtio_console_config config = {
        .count = 1, .multiport = true, .memory = m->memory, .log = m->config.log};
    struct serial_bus *bus = calloc(1, sizeof *bus);
    if (!bus) {
        error_set(err, "no memory");
        return NULL;
    }
    bus->next = m->serial_buses;
    m->serial_buses = bus;
    if (!add_ports(m, p, &config, bus, err))
        return NULL;
    struct virtio *v = virtio_console_create(&config);
    if (!v)
        error_set(err, "no memory");
    for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS_MAX; i++)
        bus->ports[i].v = v;
    return v;
}

void serial_buses_destroy(struct machine *m)
{
    for (struct serial_bus *next; m->serial_buses; m->serial_buses = next) {
        next = m->serial_buses->next;
        free(m->serial_buses);
    }
}

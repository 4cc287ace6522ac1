/* Places (contract: places.h). A place is found before its device is made, and a device that cannot
 * be put there after all is destroyed: drives are given out once. */
#include "machine/places.h"

#include "base/values.h"
#include "devices/pci/host.h"
#include "devices/virtio/pci.h"

#include <ctype.h>
#include <stdlib.h>

#define PCI_SLOTS           32u
#define FUNCTIONS_OF_A_SLOT 8u

static const struct property_rule no_rules[] = {{NULL, NULL}};
static const struct property_rule plain_pci_rules[] = {
    {"id", NULL},      {"bus", NULL},    {"addr", NULL}, {"multifunction", NULL},
    {"romfile", NULL}, {"rombar", NULL}, {NULL, NULL},
};
static const struct property_rule system_rules[] = {{"id", NULL}, {NULL, NULL}};
static const struct property_rule mmio_rules[] = {{"id", NULL}, {"bus", NULL}, {NULL, NULL}};
/* Those that place_on_pci does not read are about what is not here: an option ROM, MSI-X. That a
 * slot has several functions is found out from the devices. */
static const struct property_rule pci_rules[] = {
    {"id", NULL},
    {"bus", NULL},
    {"addr", NULL},
    {"disable-legacy", NULL},
    {"disable-modern", NULL},
    {"multifunction", NULL},
    {"romfile", NULL},
    {"rombar", NULL},
    {"vectors", NULL},
    {NULL, NULL},
};

const struct property_rule *place_rules(enum driver_bus bus)
{
    return bus == BUS_NONE || bus == BUS_VIRTIO_SERIAL ? no_rules
           : bus == BUS_SYSTEM                         ? system_rules
           : bus == BUS_PCI                            ? plain_pci_rules
           : bus == BUS_VIRTIO_MMIO                    ? mmio_rules
                                                       : pci_rules;
}

/* --- virtio-mmio ------------------------------------------------------------------------- */

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

static bool place_on_mmio(struct machine *m, const struct driver *driver,
                          const struct properties *p, struct error *err)
{
    unsigned slot;
    if (!find_slot(m, properties_text(p, "bus"), &slot, err))
        return false;
    m->mmio_virtio[slot] = driver->create(m, p, err);
    return m->mmio_virtio[slot] != NULL;
}

/* --- virtio-pci -------------------------------------------------------------------------- */

/* Digits of a hexadecimal number, after 0x or not, as QEMU reads them. */
static bool read_hex(const char **text, unsigned long below, unsigned *value)
{
    char *end;
    unsigned long number = strtoul(*text, &end, 16);
    bool is_number = isxdigit((unsigned char)**text) && number < below;
    *text = end;
    *value = (unsigned)number;
    return is_number;
}

/* addr=SLOT or addr=SLOT.FUNCTION. */
static bool find_devfn(const struct properties *p, int *devfn, struct error *err)
{
    const char *bus = properties_text(p, "bus"), *addr = properties_text(p, "addr"), *at = addr;
    unsigned slot, function = 0;
    *devfn = PCI_ANY_DEVFN;
    if (bus && strcmp(bus, "pcie.0") != 0)
        return error_set(err, "no bus '%.80s'; the PCI bus is pcie.0", bus);
    if (!addr)
        return true;
    bool is_place = read_hex(&at, PCI_SLOTS, &slot);
    if (is_place && *at == '.') {
        at++;
        is_place = read_hex(&at, FUNCTIONS_OF_A_SLOT, &function);
    }
    if (!is_place || *at)
        return error_set(
            err, "addr=%.80s: give a slot of 0 to 0x1f, and a function as in addr=0x2.0x1", addr);
    *devfn = (int)(slot * FUNCTIONS_OF_A_SLOT + function);
    return true;
}

/* Which drivers the device is for. disable-legacy=auto is off on this bus, as on QEMU's. */
static bool find_interfaces(enum driver_bus bus, const struct properties *p,
                            struct virtio_pci_config *config, struct error *err)
{
    const char *automatic = properties_text(p, "disable-legacy");
    bool no_legacy = bus == BUS_VIRTIO_PCI_MODERN, no_modern = false;
    bool is_automatic = automatic && strcmp(automatic, "auto") == 0;
    if ((!is_automatic && !properties_switch(p, "disable-legacy", &no_legacy, err)) ||
        !properties_switch(p, "disable-modern", &no_modern, err))
        return false;
    config->legacy = !no_legacy;
    config->modern = !no_modern;
    return config->legacy || config->modern ||
           error_set(err, "with disable-legacy and disable-modern no driver could use it");
}

static bool add_function(struct machine *m, struct pci_function *function, int devfn,
                         struct error *err)
{
    if (pci_host_add(m->devices[SLOT_PCI], function, devfn, err))
        return true;
    function->ops->destroy(function);
    return false;
}

static bool place_on_pci(struct machine *m, const struct driver *driver, const struct properties *p,
                         struct error *err)
{
    struct virtio_pci_config config = {.log = m->config.log};
    int devfn;
    if (!find_devfn(p, &devfn, err) || !find_interfaces(driver->bus, p, &config, err))
        return false;
    config.virtio = driver->create(m, p, err);
    if (!config.virtio)
        return false;
    struct pci_function *function = virtio_pci_create(&config);
    if (!function) {
        virtio_destroy(config.virtio);
        return error_set(err, "no memory");
    }
    return add_function(m, function, devfn, err);
}

static bool place_plain_on_pci(struct machine *m, const struct driver *driver,
                               const struct properties *p, struct error *err)
{
    int devfn;
    if (!find_devfn(p, &devfn, err))
        return false;
    struct pci_function *function = driver->create_function(m, p, err);
    return function && add_function(m, function, devfn, err);
}

bool place_device(struct machine *m, const struct driver *driver, const struct properties *p,
                  struct error *err)
{
    return driver->bus == BUS_VIRTIO_MMIO ? place_on_mmio(m, driver, p, err)
           : driver->bus == BUS_PCI       ? place_plain_on_pci(m, driver, p, err)
                                          : place_on_pci(m, driver, p, err);
}

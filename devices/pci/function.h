/* One PCI function: its configuration space (type 0 header) and its BARs.
 *
 * A device embeds `struct pci_function`, describes itself once in its constructor (header, BARs,
 * capabilities), and is then given to a host bridge (host.h), which owns it, decodes addresses, and
 * calls it. */
#ifndef RIVULET_DEVICES_PCI_FUNCTION_H
#define RIVULET_DEVICES_PCI_FUNCTION_H

#include "devices/device.h"

#define PCI_CONFIG_BYTES 256u
#define PCI_BARS         6u

/* Registers of the header (PCI Local Bus Specification 3.0, section 6.1). */
#define PCI_VENDOR_ID    0x00u
#define PCI_DEVICE_ID    0x02u
#define PCI_COMMAND      0x04u
#define PCI_STATUS       0x06u
#define PCI_REVISION     0x08u
#define PCI_CLASS        0x09u /* 3 bytes */
#define PCI_CACHE_LINE   0x0cu
#define PCI_HEADER_TYPE  0x0eu
#define PCI_BAR0         0x10u
#define PCI_SUBSYSTEM    0x2cu
#define PCI_CAPABILITIES 0x34u
#define PCI_IRQ_LINE     0x3cu
#define PCI_IRQ_PIN      0x3du
#define PCI_HEADER_END   0x40u

#define PCI_COMMAND_IO           (1u << 0)
#define PCI_COMMAND_MEMORY       (1u << 1)
#define PCI_COMMAND_MASTER       (1u << 2)
#define PCI_COMMAND_SERR         (1u << 8)
#define PCI_COMMAND_INTX_DISABLE (1u << 10)

#define PCI_STATUS_INTERRUPT    (1u << 3)
#define PCI_STATUS_CAPABILITIES (1u << 4)

#define PCI_MULTI_FUNCTION 0x80u /* of the header type */

/* The read-only low bits of a BAR (section 6.2.5.1). */
enum pci_bar_type {
    PCI_BAR_MEMORY_32 = 0x0,
    PCI_BAR_IO = 0x1,
    PCI_BAR_MEMORY_32_PREFETCH = 0x8,
    PCI_BAR_MEMORY_64 = 0x4, /* takes the next BAR's register too */
    PCI_BAR_MEMORY_64_PREFETCH = 0xc,
};

struct pci_bar {
    enum pci_bar_type type;
    uint64_t bytes;             /* a power of two; 0: there is no such BAR */
    const struct mmio_ops *ops; /* called with the function as `device` */
    /* Not NULL: it is RAM, and has no ops. The host bridge says where its base is. */
    struct region *memory;
};

struct pci_function;

struct pci_function_ops {
    void (*reset)(struct pci_function *f);
    void (*state)(struct pci_function *f, struct state *s);
    void (*destroy)(struct pci_function *f);
    /* Registers outside the header with a life of their own; NULL: none. Called before a read, so
     * that the function can fill in f->config, and after a write. */
    void (*config_read)(struct pci_function *f, unsigned offset, unsigned size);
    void (*config_written)(struct pci_function *f, unsigned offset, unsigned size);
};

struct pci_function {
    const struct pci_function_ops *ops;
    const char *name; /* in messages and states */
    /* --- guest state --- */
    uint8_t config[PCI_CONFIG_BYTES];
    bool intx; /* it asks for an interrupt, whether or not the command register lets it */
    /* --- host side --- */
    uint8_t initial[PCI_CONFIG_BYTES];  /* after a reset */
    uint8_t writable[PCI_CONFIG_BYTES]; /* bits that the guest can change */
    struct pci_bar bars[PCI_BARS];
    unsigned capabilities_end; /* the first byte that no capability has */
    uint8_t devfn;             /* slot << 3 | function number */
    struct irq pin;            /* its INTx pin; the host bridge connects it */
};

struct pci_identity {
    const char *name;
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits */
    uint8_t revision;
    uint8_t irq_pin; /* 1 INTA# to 4 INTD#; 0: none */
};

/* --- for constructors --- */

void pci_function_init(struct pci_function *f, const struct pci_function_ops *ops,
                       const struct pci_identity *id);
void pci_add_bar(struct pci_function *f, unsigned number, const struct pci_bar *bar);
/* Appends a capability of n bytes, of which the first two (id, next) are written here, and puts it
 * at the head of the list; returns its offset. `writable` has the mask of what the guest can
 * change, NULL: nothing. Bytes of a capability are the constructor's to get right: it must fit. */
unsigned pci_add_capability(struct pci_function *f, uint8_t id, const void *bytes,
                            const void *writable, unsigned n);

/* --- for the function itself --- */

/* Drives its INTx pin by level. */
void pci_set_intx(struct pci_function *f, bool level);
/* The guest lets it read and write memory. */
bool pci_is_master(const struct pci_function *f);

/* --- for the host bridge --- */

void pci_function_reset(struct pci_function *f);
void pci_function_state(struct pci_function *f, struct state *s);
/* Any offset, any size of 1, 2, 4: bytes outside the space read all ones, and cannot be written. */
uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *f, unsigned offset, uint32_t value, unsigned size);
/* The pin as the bus sees it: what it asks for, and the command register allows. */
bool pci_intx_level(const struct pci_function *f);
/* The BAR that decodes this address of I/O or memory space, and the offset in it; NULL: none. */
const struct pci_bar *pci_find_bar(const struct pci_function *f, bool io, uint64_t address,
                                   uint64_t *offset);
/* Where a BAR of f is now, as the guest has put it. */
uint64_t pci_bar_base(const struct pci_function *f, unsigned number);
/* One access to a BAR: the halves of an 8-byte access are made one after the other when the BAR has
 * no such width, as on a bus of 32 bits. False when the width is refused. */
bool pci_bar_read(struct pci_function *f, const struct pci_bar *bar, uint64_t offset, unsigned size,
                  uint64_t *value);
bool pci_bar_write(struct pci_function *f, const struct pci_bar *bar, uint64_t offset,
                   unsigned size, uint64_t value);

#endif

/* The generic PCIe host bridge (`pci-host-ecam-generic`), whose bus 0 holds all functions.
 *
 * Its own registers are the ECAM; the three windows through which the CPU reaches BARs are added to
 * the memory map by pci_host_add_windows and never move: the BARs move within them. */
#ifndef RIVULET_DEVICES_PCI_HOST_H
#define RIVULET_DEVICES_PCI_HOST_H

#include "base/byte_sink.h"
#include "devices/pci/function.h"

#define PCI_ECAM_BYTES (256ull << 20)
#define PCI_WIRES      4u
#define PCI_ANY_DEVFN  (-1)

/* A range of CPU addresses. */
struct pci_range {
    uint64_t base, bytes;
};

struct pci_host_config {
    struct pci_range io;        /* base is I/O address 0 */
    struct pci_range memory_32; /* CPU addresses are bus addresses */
    struct pci_range memory_64;
    struct irq wires[PCI_WIRES]; /* pin p (1 to 4) of slot s drives wire (p - 1 + s) mod 4 */
    struct log *log;
};

/* The bridge with function 00.0, which stands for itself. */
struct device *pci_host_create(const struct pci_host_config *config);
bool pci_host_add_windows(struct device *host, struct memory_map *memory,
                          struct error *err) MUST_CHECK;
/* Puts f at slot << 3 | function, or in the first free slot; the bridge then owns it, and resets
 * it. False when the place is taken or all are: f stays the caller's. */
bool pci_host_add(struct device *host, struct pci_function *f, int devfn,
                  struct error *err) MUST_CHECK;

/* Its functions, in no order; NULL: there are not so many. */
const struct pci_function *pci_host_function(const struct device *host, unsigned i);
/* Its functions and their BARs as lines of text, each behind `indent`. */
void pci_host_describe(const struct device *host, const char *indent, const struct byte_sink *out);

#endif

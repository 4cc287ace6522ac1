/* The Bochs display adapter on PCI, as QEMU's bochs-display: a linear framebuffer of 32 bits a
 * pixel in memory of its own, VBE registers and EDID; no VGA, no text, no interrupts. */
#ifndef RIVULET_DEVICES_DISPLAY_BOCHS_H
#define RIVULET_DEVICES_DISPLAY_BOCHS_H

#include "devices/display/screen.h"
#include "devices/pci/function.h"

#define BOCHS_MEMORY_LEAST (1ull << 20)
#define BOCHS_MEMORY_MOST  (256ull << 20)

struct bochs_config {
    uint64_t memory_bytes;  /* a power of two, BOCHS_MEMORY_LEAST to _MOST */
    uint32_t width, height; /* what EDID says that the display prefers */
    bool has_edid;
    struct memory_map *memory; /* that the bus is in */
    struct log *log;
};

/* NULL: no memory. */
struct pci_function *bochs_create(const struct bochs_config *config) MUST_CHECK;
struct screen *bochs_screen(struct pci_function *f);

#endif

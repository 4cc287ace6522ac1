/* The flattened device tree that the guest gets: made from the board table, or read from the user's
 * file. Names and values are those of QEMU's `virt` (docs: VIRT.md sections 5 and 10). */
#ifndef RIVULET_FIRMWARE_FDT_H
#define RIVULET_FIRMWARE_FDT_H

#include "base/bits.h"
#include "base/error.h"

/* How a row of the board is described. A kind is one line of node_kinds in fdt.c. */
enum board_node {
    NODE_NONE,   /* mapped, but not in the tree: the reset ROM */
    NODE_PLAIN,  /* compatible, reg, interrupts */
    NODE_SERIAL, /* + clock-frequency */
    NODE_SYSCON, /* + /poweroff and /reboot, which write to it */
    NODE_PLIC,   /* the interrupt parent of every other row */
    NODE_CLINT,
    NODE_MSWI, /* the ACLINT's three devices */
    NODE_MTIMER,
    NODE_SSWI,
    NODE_PCI_HOST, /* + windows and interrupt-map; irq is the first of its four */
    NODE_FW_CFG,   /* in the root; + dma-coherent */
    NODE_FLASH,    /* in the root; two banks, of which the next row, with no node, is the second */
};

#define BOARD_COMPATIBLE_MAX 4

/* One row of the board: the memory map and the device tree are made from the same table. */
struct board_row {
    uint64_t base, size;
    uint32_t irq;                                 /* PLIC source; 0: none */
    const char *name;                             /* the node is name@base */
    const char *compatible[BOARD_COMPATIBLE_MAX]; /* best first; NULL after the last */
    enum board_node node;
};

/* Where the CPU reaches the address spaces behind a PCI host bridge. I/O addresses begin at 0
 * behind the window; memory addresses are the same on both sides. */
struct fdt_pci_windows {
    uint64_t io, io_bytes;
    uint64_t memory_32, memory_32_bytes;
    uint64_t memory_64, memory_64_bytes;
};

/* A picture in RAM that is there from power-on (simple-framebuffer). */
struct fdt_framebuffer {
    uint64_t base, bytes; /* whole pages, taken from the system; 0 bytes: there is none */
    uint32_t width, height, stride;
    const char *format; /* "a8r8g8b8" */
};

#define FDT_RNG_SEED_BYTES 32

struct fdt_config {
    uint64_t ram_base, ram_bytes;
    unsigned harts;
    const char *isa;      /* "rv64imafdc_zicsr_...": riscv,isa-extensions is derived from it */
    const char *mmu_type; /* "riscv,sv57" */
    uint32_t timebase_hz;
    uint32_t cache_block_bytes; /* of cbo.* and prefetch.* */
    uint32_t plic_sources;      /* riscv,ndev: source 0, which does not exist, is not counted */
    const char *bootargs;       /* NULL or "": none */
    uint64_t initrd_start, initrd_end; /* equal: none */
    uint8_t rng_seed[FDT_RNG_SEED_BYTES];
    const char *stdout_path; /* "/soc/serial@10000000", also alias serial0; NULL: none */
    const struct board_row *rows;
    size_t row_count;
    struct fdt_pci_windows pci; /* of the NODE_PCI_HOST row */
    struct fdt_framebuffer framebuffer;
};

/* Both return a blob that the caller frees with free(), with room for what boot loaders add. */
bool fdt_build(const struct fdt_config *config, uint8_t **blob, size_t *size,
               struct error *err) MUST_CHECK;
/* The tree in the user's file, checked in full, with bootargs, initrd and rng-seed of `config`
 * written into /chosen, as QEMU does; all else, memory included, stays the user's. */
bool fdt_read_file(const char *path, const struct fdt_config *config, uint8_t **blob, size_t *size,
                   struct error *err) MUST_CHECK;

#endif

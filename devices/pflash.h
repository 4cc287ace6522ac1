/* NOR flash with the Intel command set: 32 MiB of two 16-bit chips side by side on a bus of 32
 * bits, as QEMU's `virt` has two of. */
#ifndef RIVULET_DEVICES_PFLASH_H
#define RIVULET_DEVICES_PFLASH_H

#include "devices/block/block.h"
#include "devices/device.h"

#define PFLASH_BYTES 0x2000000ull

struct pflash_config {
    struct memory_map *memory;
    uint64_t base;
    struct block *block; /* holds the contents; NULL: zeros at power-on */
    struct log *log;     /* NULL: none */
};

/* Reads the image. Copies config; ops->reset must be called before first use. NULL and err. */
struct device *pflash_create(const struct pflash_config *config, struct error *err) MUST_CHECK;
/* What the region of the memory map shows; lives as long as the device. */
uint8_t *pflash_bytes(struct device *d);

#endif

/* The mask ROM's first instructions and what they hand to the firmware (VIRT.md section 4). */
#ifndef RIVULET_FIRMWARE_RESET_ROM_H
#define RIVULET_FIRMWARE_RESET_ROM_H

#include "base/bits.h"
#include "base/error.h"
#include "memory/map.h"

#define RESET_ROM_BASE  0x1000u
#define RESET_ROM_BYTES 0xf000u

/* Where every hart goes from the reset vector, and what OpenSBI's fw_dynamic starts afterwards. */
struct reset_rom {
    uint64_t start; /* the firmware, or without one the kernel */
    uint64_t fdt;
    uint64_t next; /* the kernel's entry; 0: none */
};

/* Writes the ROM's contents; the region must be mapped. */
bool reset_rom_load(struct memory_map *memory, const struct reset_rom *rom,
                    struct error *err) MUST_CHECK;

#endif

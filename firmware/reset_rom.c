/* The reset vector, word for word as QEMU's `virt` has it: a0 = mhartid, a1 = device tree, a2 =
 * struct fw_dynamic_info of OpenSBI (include/sbi/fw_dynamic.h, version 2), then to the start. */
#include "firmware/reset_rom.h"

#define FW_DYNAMIC_MAGIC   0x4942534fu /* "OSBI" */
#define FW_DYNAMIC_VERSION 2u
#define NEXT_MODE_S        1u

/* Lies in guest memory as it lies here: little-endian, no padding. */
struct reset_rom_image {
    uint32_t code[6];
    uint64_t start; /* at 0x18 */
    uint64_t fdt;   /* at 0x20 */
    struct {        /* at 0x28 */
        uint64_t magic, version, next_addr, next_mode, options, boot_hart;
    } info;
};

_Static_assert(offsetof(struct reset_rom_image, start) == 0x18, "the code loads from here");
_Static_assert(offsetof(struct reset_rom_image, info) == 0x28, "a2 points here");

bool reset_rom_load(struct memory_map *memory, const struct reset_rom *rom, struct error *err)
{
    const struct reset_rom_image image = {
        .code =
            {
                0x00000297, /* auipc t0, 0 */
                0x02828613, /* addi  a2, t0, 0x28 */
                0xf1402573, /* csrr  a0, mhartid */
                0x0202b583, /* ld    a1, 0x20(t0) */
                0x0182b283, /* ld    t0, 0x18(t0) */
                0x00028067, /* jr    t0 */
            },
        .start = rom->start,
        .fdt = rom->fdt,
        .info = {FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, rom->next, NEXT_MODE_S, 0, 0},
    };
    if (!memory_load(memory, RESET_ROM_BASE, &image, sizeof image))
        return error_set(err, "reset ROM: no memory at 0x%x", RESET_ROM_BASE);
    return true;
}

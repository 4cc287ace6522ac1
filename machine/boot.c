/* From files to a machine that stands at its first instruction. */
#include "firmware/load.h"
#include "firmware/reset_rom.h"
#include "machine/internal.h"

static bool load_firmware_and_kernel(struct machine *m, struct loader *loader,
                                     struct reset_rom *rom, struct error *err)
{
    const struct machine_config *config = &m->config;
    bool behind_firmware = config->bios != BIOS_NONE;
    if (config->bios == BIOS_FILE && !load_bios(loader, config->bios_file, &rom->start, err))
        return false;
    if (!config->kernel_file) {
        if (config->bios == BIOS_BUILT_IN)
            return error_set(err, "nothing to boot: give a kernel (-kernel FILE) or firmware "
                                  "(-bios FILE)");
        if (config->bios == BIOS_NONE) /* as QEMU: whatever lies there */
            rom->start = RAM_BASE;
        return true;
    }
    if (!load_kernel(loader, config->kernel_file, behind_firmware, &rom->next, err))
        return false;
    if (config->bios == BIOS_NONE) {
        rom->start = rom->next;
        rom->next = 0;
    }
    return true;
}

bool boot_load(struct machine *m, struct error *err)
{
    struct loader loader;
    struct reset_rom rom = {0};
    uint64_t initrd_start = 0, initrd_end = 0;
    loader_init(&loader, m->memory, RAM_BASE, m->config.ram_bytes);
    if (m->config.initrd_file && !m->config.kernel_file)
        return error_set(err, "an initrd needs a kernel: give -kernel FILE too");
    if (!load_firmware_and_kernel(m, &loader, &rom, err))
        return false;
    if (m->config.initrd_file &&
        !load_initrd(&loader, m->config.initrd_file, &initrd_start, &initrd_end, err))
        return false;
    if (!board_device_tree(m, initrd_start, initrd_end, err) ||
        !load_device_tree(&loader, m->device_tree, m->device_tree_size, &rom.fdt, err) ||
        !reset_rom_load(m->memory, &rom, err))
        return false;
    board_reset(m);
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_reset(m->harts[i], RESET_ROM_BASE);
    if (m->sbi)
        sbi_boot(m->sbi, rom.next, rom.fdt);
    return true;
}

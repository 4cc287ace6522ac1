/* From files to a machine that stands at its first instruction. */
#include "firmware/demo_image.h"
#include "firmware/load.h"
#include "firmware/reset_rom.h"
#include "machine/drives.h"
#include "machine/loads.h"
#include "machine/semihost.h"

bool boot_is_by_flash(const struct machine *m)
{
    return m->config.bios != BIOS_NONE && drives_flash(m->drives, 0);
}

/* Flash 0 in use, as QEMU from 8.1 on: behind a firmware it holds what runs in S-mode, EDK2 for
 * example, which finds the kernel in fw_cfg; without one it is the firmware. */
static bool start_in_flash(struct machine *m, struct loader *loader, struct reset_rom *rom,
                           struct error *err)
{
    uint64_t entry; /* nobody jumps there by himself */
    if (boot_is_by_flash(m)) {
        rom->next = FLASH_BASE;
        return true;
    }
    rom->start = FLASH_BASE;
    return !m->config.kernel_file || load_kernel(loader, m->config.kernel_file, false, &entry, err);
}

static bool load_firmware_and_kernel(struct machine *m, struct loader *loader,
                                     struct reset_rom *rom, struct error *err)
{
    const struct machine_config *config = &m->config;
    bool behind_firmware = config->bios != BIOS_NONE;
    if (config->bios == BIOS_FILE && !load_bios(loader, config->bios_file, &rom->start, err))
        return false;
    if (drives_flash(m->drives, 0))
        return start_in_flash(m, loader, rom, err);
    if (config->demo)
        return load_kernel_bytes(loader, demo_image.bytes, demo_image.size, &rom->next, err);
    if (!config->kernel_file) {
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

/* Harts begin at the reset ROM, or where -device loader says: with the built-in SBI that is where
 * the first one is in S-mode. */
static bool start_harts(struct machine *m, struct reset_rom *rom, const struct load_starts *starts,
                        struct error *err)
{
    if (starts->pc[0] && m->sbi)
        rom->next = starts->pc[0];
    if (!rom->next && m->sbi)
        return error_set(err, "nothing to boot: give a kernel (-kernel FILE) or firmware "
                              "(-bios FILE)");
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_reset(m->harts[i], starts->pc[i] ? starts->pc[i] : RESET_ROM_BASE);
    if (m->sbi)
        sbi_boot(m->sbi, rom->next, rom->fdt);
    return true;
}

void boot_nothing(struct machine *m)
{
    board_reset(m);
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_reset(m->harts[i], RESET_ROM_BASE);
}

/* Where what lies from `start` on ends being free; 0: it is not free. */
static uint64_t free_until(const struct loader *l, uint64_t start)
{
    uint64_t end = l->ram_base + l->ram_bytes;
    for (unsigned i = 0; i < l->area_count; i++) {
        const struct load_area *area = &l->areas[i];
        if (area->start <= start && start < area->end)
            return 0;
        if (area->start > start)
            end = min_u64(end, area->start);
    }
    return end;
}

/* The largest part of RAM that nothing was loaded into. */
static void give_heap(struct machine *m, const struct loader *l)
{
    uint64_t best = 0, best_end = 0;
    for (unsigned i = 0; i <= l->area_count; i++) {
        uint64_t start = align_up(i ? l->areas[i - 1].end : l->ram_base, 16);
        uint64_t end = free_until(l, start);
        if (end > start && end - start > best_end - best) {
            best = start;
            best_end = end;
        }
    }
    semihost_set_heap(m->semihost, best, best_end);
}

bool boot_load(struct machine *m, struct error *err)
{
    struct load_starts starts;
    struct loader loader;
    struct reset_rom rom = {0};
    uint64_t initrd_start = 0, initrd_end = 0;
    loader_init(&loader, m->memory, RAM_BASE, m->config.ram_bytes - m->simple_framebuffer.bytes);
    if (m->config.initrd_file && !m->config.kernel_file)
        return error_set(err, "an initrd needs a kernel: give -kernel FILE too");
    if (!load_firmware_and_kernel(m, &loader, &rom, err))
        return false;
    if (m->config.initrd_file && !boot_is_by_flash(m) &&
        !load_initrd(&loader, m->config.initrd_file, &initrd_start, &initrd_end, err))
        return false;
    if (!loads_run(m, &loader, &starts, err) ||
        !board_device_tree(m, initrd_start, initrd_end, err) ||
        !load_device_tree(&loader, m->device_tree, m->device_tree_size, &rom.fdt, err) ||
        !reset_rom_load(m->memory, &rom, err))
        return false;
    board_reset(m);
    if (m->semihost)
        give_heap(m, &loader);
    return start_harts(m, &rom, &starts, err);
}

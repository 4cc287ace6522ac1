/* Placement: everything that is loaded is checked against RAM and against what is there already,
 * then copied, then entered into the loader's list of areas. */
#include "firmware/load.h"

#include "firmware/image.h"

#include <assert.h>
#include <string.h>

#define MIB                 (1ull << 20)
#define INITRD_OFFSET_MAX   (128 * MIB)   /* from the kernel's start: boot.c of QEMU 7.2 */
#define DEVICE_TREE_CEILING 0xc0000000ull /* 32-bit firmware and early maps must reach it */
#define PLAUSIBLE_RAM_BYTES (1ull << 40)  /* a file that needs more has a wrong address */
#define DEVICE_TREE_MIB     2u            /* what the device tree takes at the end of RAM */

typedef unsigned long long ull;

void loader_init(struct loader *l, struct memory_map *memory, uint64_t ram_base, uint64_t ram_bytes)
{
    *l = (struct loader){.memory = memory, .ram_base = ram_base, .ram_bytes = ram_bytes};
}

static uint64_t ram_end(const struct loader *l)
{
    return l->ram_base + l->ram_bytes;
}

/* --- areas ---------------------------------------------------------------------------------- */

static bool fits_ram(const struct loader *l, uint64_t start, uint64_t bytes)
{
    return start >= l->ram_base && start <= ram_end(l) && bytes <= ram_end(l) - start;
}

static bool outside_ram(const struct loader *l, const char *what, const char *path, uint64_t start,
                        uint64_t bytes, struct error *err)
{
    const uint64_t needed = start + bytes - l->ram_base;
    if (start < l->ram_base || start + bytes < start || needed > PLAUSIBLE_RAM_BYTES)
        return error_set(err,
                         "%s '%s' wants 0x%llx bytes at 0x%llx, where there is no RAM: RAM is "
                         "0x%llx to 0x%llx; link it for an address in there",
                         what, path, (ull)bytes, (ull)start, (ull)l->ram_base, (ull)ram_end(l));
    return error_set(err,
                     "%s '%s' needs %llu MiB of RAM and there are %llu MiB; give -m %lluM or "
                     "more",
                     what, path, (ull)(align_up(needed, MIB) / MIB), (ull)(l->ram_bytes / MIB),
                     (ull)(align_up(needed, LOAD_KERNEL_ALIGN) / MIB + DEVICE_TREE_MIB));
}

static const struct load_area *find_overlap(const struct loader *l, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < l->area_count; i++)
        if (start < l->areas[i].end && l->areas[i].start < end)
            return &l->areas[i];
    return NULL;
}

static void add_area(struct loader *l, const char *what, uint64_t start, uint64_t end)
{
    assert(l->area_count < ARRAY_LEN(l->areas) && "each file is loaded once");
    l->areas[l->area_count++] = (struct load_area){what, start, end};
}

/* Claims the RAM [start, start + bytes) for `what`, or says why it cannot be had. */
static bool claim(struct loader *l, const char *what, const char *path, uint64_t start,
                  uint64_t bytes, struct error *err)
{
    if (!fits_ram(l, start, bytes))
        return outside_ram(l, what, path, start, bytes, err);
    const struct load_area *other = find_overlap(l, start, start + bytes);
    if (other)
        return error_set(err,
                         "%s '%s' (0x%llx to 0x%llx) would overwrite the %s (0x%llx to 0x%llx); "
                         "give more RAM with -m or link it elsewhere",
                         what, path, (ull)start, (ull)(start + bytes), other->what,
                         (ull)other->start, (ull)other->end);
    add_area(l, what, start, start + bytes);
    return true;
}

static const struct load_area *find_area(const struct loader *l, const char *what)
{
    for (unsigned i = 0; i < l->area_count; i++)
        if (strcmp(l->areas[i].what, what) == 0)
            return &l->areas[i];
    return NULL;
}

/* --- copying --------------------------------------------------------------------------------- */

static bool copy_in(struct loader *l, const struct boot_image *image, uint64_t gpa,
                    const void *bytes, size_t n, struct error *err)
{
    if (memory_load(l->memory, gpa, bytes, n))
        return true;
    return error_set(err, "%s '%s': there is no RAM at 0x%llx", image->what, image->path, (ull)gpa);
}

/* Zeroes RAM, writing only where it is not zero yet: pages that nobody touched cost nothing. */
static bool clear_ram(struct loader *l, const struct boot_image *image, uint64_t gpa,
                      uint64_t bytes, struct error *err)
{
    const uint8_t zeros[PAGE_BYTES] = {0};
    uint8_t old[PAGE_BYTES];
    while (bytes) {
        const size_t n = min_u64(bytes, PAGE_BYTES - gpa % PAGE_BYTES);
        if (!dma_read(l->memory, gpa, old, n))
            return copy_in(l, image, gpa, zeros, n, err);
        if (memcmp(old, zeros, n) != 0 && !copy_in(l, image, gpa, zeros, n, err))
            return false;
        gpa += n;
        bytes -= n;
    }
    return true;
}

static bool place(struct loader *l, const struct boot_image *image, uint64_t gpa, uint64_t bytes,
                  struct error *err)
{
    return claim(l, image->what, image->path, gpa, bytes, err) &&
           copy_in(l, image, gpa, image->bytes, image->size, err);
}

/* --- formats --------------------------------------------------------------------------------- */

static bool check_entry(const struct boot_image *image, uint64_t entry, uint64_t start,
                        uint64_t end, struct error *err)
{
    if (entry & 1)
        return error_set(err, "%s '%s': no instruction begins at the odd entry point 0x%llx",
                         image->what, image->path, (ull)entry);
    if (entry >= start && entry < end)
        return true;
    return error_set(err,
                     "%s '%s': the entry point 0x%llx is outside of what is loaded (0x%llx to "
                     "0x%llx)",
                     image->what, image->path, (ull)entry, (ull)start, (ull)end);
}

/* The smallest range that holds every segment, so that the file is one area. */
static bool elf_extent(const struct loader *l, const struct boot_image *image, unsigned segments,
                       struct load_area *extent, struct error *err)
{
    *extent = (struct load_area){image->what, UINT64_MAX, 0};
    for (unsigned i = 0; i < segments; i++) {
        struct elf_segment s;
        if (!elf_segment(image, i, &s, err))
            return false;
        if (s.memory_bytes == 0)
            continue;
        if (!fits_ram(l, s.gpa, s.memory_bytes))
            return outside_ram(l, image->what, image->path, s.gpa, s.memory_bytes, err);
        extent->start = min_u64(extent->start, s.gpa);
        extent->end = max_u64(extent->end, s.gpa + s.memory_bytes);
    }
    if (extent->end == 0)
        return error_set(err, "%s '%s': the ELF file has nothing to load", image->what,
                         image->path);
    return true;
}

static bool load_elf(struct loader *l, const struct boot_image *image, uint64_t *entry,
                     struct error *err)
{
    unsigned segments;
    struct load_area extent;
    if (!elf_check(image, &segments, err) || !elf_extent(l, image, segments, &extent, err) ||
        !claim(l, image->what, image->path, extent.start, extent.end - extent.start, err))
        return false;
    *entry = elf_entry(image, segments);
    if (!check_entry(image, *entry, extent.start, extent.end, err))
        return false;
    for (unsigned i = 0; i < segments; i++) {
        struct elf_segment s;
        if (!elf_segment(image, i, &s, err) ||
            (s.file_bytes && !copy_in(l, image, s.gpa, s.bytes, s.file_bytes, err)) ||
            !clear_ram(l, image, s.gpa + s.file_bytes, s.memory_bytes - s.file_bytes, err))
            return false;
    }
    return true;
}

static bool load_uimage(struct loader *l, struct boot_image *image, uint64_t *entry,
                        struct error *err)
{
    struct uimage header;
    uint64_t bytes;
    if (!boot_image_open_uimage(image, &header, err) ||
        !boot_image_unpack(image, l->ram_bytes, err) || !boot_image_raw_bytes(image, &bytes, err) ||
        !place(l, image, header.load, bytes, err))
        return false;
    *entry = header.entry;
    return check_entry(image, *entry, header.load, header.load + bytes, err);
}

static bool load_raw(struct loader *l, const struct boot_image *image, uint64_t gpa,
                     uint64_t *entry, struct error *err)
{
    uint64_t bytes;
    *entry = gpa;
    return boot_image_raw_bytes(image, &bytes, err) && place(l, image, gpa, bytes, err);
}

static bool load_any(struct loader *l, struct boot_image *image, uint64_t raw_base, uint64_t *entry,
                     struct error *err)
{
    if (boot_image_is_uimage(image))
        return load_uimage(l, image, entry, err);
    if (!boot_image_unpack(image, l->ram_bytes, err))
        return false;
    if (elf_is(image))
        return load_elf(l, image, entry, err);
    return load_raw(l, image, raw_base, entry, err);
}

/* --- public ----------------------------------------------------------------------------------- */

bool load_bios(struct loader *l, const char *path, uint64_t *entry, struct error *err)
{
    struct boot_image image;
    if (!boot_image_open(&image, "bios", path, err))
        return false;
    const bool ok = elf_is(&image) ? load_elf(l, &image, entry, err)
                                   : load_raw(l, &image, l->ram_base, entry, err);
    boot_image_close(&image);
    return ok;
}

/* Behind a firmware: the next 2 MiB boundary after it, and never the first 2 MiB, which the
 * built-in one would need if it were code. */
static uint64_t raw_kernel_base(const struct loader *l, bool behind_firmware)
{
    if (!behind_firmware)
        return l->ram_base;
    const struct load_area *bios = find_area(l, "bios");
    const uint64_t end = bios ? align_up(bios->end, LOAD_KERNEL_ALIGN) : 0;
    return max_u64(end, l->ram_base + LOAD_KERNEL_ALIGN);
}

bool load_kernel(struct loader *l, const char *path, bool behind_firmware, uint64_t *entry,
                 struct error *err)
{
    struct boot_image image;
    if (!boot_image_open(&image, "kernel", path, err))
        return false;
    const bool ok = load_any(l, &image, raw_kernel_base(l, behind_firmware), entry, err);
    boot_image_close(&image);
    return ok;
}

bool load_kernel_bytes(struct loader *l, const void *bytes, size_t n, uint64_t *entry,
                       struct error *err)
{
    const struct boot_image image = {
        .what = "kernel", .path = "the demo guest", .bytes = bytes, .size = n};
    return load_raw(l, &image, raw_kernel_base(l, true), entry, err);
}

/* Where a tree of this size begins. */
static uint64_t device_tree_base(const struct loader *l, uint64_t bytes)
{
    uint64_t top = ram_end(l);
    if (l->ram_base < DEVICE_TREE_CEILING)
        top = min_u64(top, DEVICE_TREE_CEILING);
    return (top - min_u64(bytes, top)) & ~(LOAD_KERNEL_ALIGN - 1);
}

/* Half of RAM behind the kernel's start, so that neither is in the other's way; right behind the
 * kernel when it is larger than that, or when only there it stays clear of the device tree. */
static uint64_t initrd_base(const struct loader *l, uint64_t bytes)
{
    const struct load_area *kernel = find_area(l, "kernel");
    const uint64_t start = kernel ? kernel->start : l->ram_base;
    const uint64_t behind = align_up(kernel ? kernel->end : l->ram_base, PAGE_BYTES);
    const uint64_t wanted = start + min_u64(l->ram_bytes / 2, INITRD_OFFSET_MAX);
    const uint64_t preferred = max_u64(behind, align_up(wanted, PAGE_BYTES));
    const uint64_t tree = device_tree_base(l, 1);
    const bool clear = preferred >= tree || bytes <= tree - preferred;
    return fits_ram(l, preferred, bytes) && clear ? preferred : behind;
}

bool load_initrd(struct loader *l, const char *path, uint64_t *start, uint64_t *end,
                 struct error *err)
{
    struct boot_image image;
    if (!boot_image_open(&image, "initrd", path, err))
        return false;
    *start = initrd_base(l, image.size);
    *end = *start + image.size;
    const bool ok = place(l, &image, *start, image.size, err);
    boot_image_close(&image);
    return ok;
}

bool load_file(struct loader *l, const char *path, const uint64_t *gpa, bool force_raw,
               uint64_t *entry, struct error *err)
{
    struct boot_image image;
    bool ok;
    if (!boot_image_open(&image, "file", path, err))
        return false;
    if (elf_is(&image) && !force_raw)
        ok = load_elf(l, &image, entry, err);
    else if (!gpa)
        ok = error_set(err, "'%s' is no ELF file: say where it goes with addr=", path);
    else
        ok = place(l, &image, *entry = *gpa, image.size, err);
    boot_image_close(&image);
    return ok;
}

bool load_bytes(struct loader *l, uint64_t gpa, const void *bytes, size_t n, struct error *err)
{
    const struct boot_image image = {.what = "loader", .path = "data=", .bytes = bytes, .size = n};
    return place(l, &image, gpa, n, err);
}

bool load_device_tree(struct loader *l, const void *blob, size_t size, uint64_t *gpa,
                      struct error *err)
{
    *gpa = device_tree_base(l, size);
    const struct load_area *other = find_overlap(l, *gpa, *gpa + size);
    if (!fits_ram(l, *gpa, size))
        return error_set(err,
                         "RAM of %llu KiB is too small for the device tree (%zu bytes); give "
                         "-m 4M or more",
                         (ull)(l->ram_bytes / 1024), size);
    if (other)
        return error_set(err,
                         "RAM of %llu MiB is too small: the %s (0x%llx to 0x%llx) and the device "
                         "tree at 0x%llx overlap; give more with -m",
                         (ull)(l->ram_bytes / MIB), other->what, (ull)other->start, (ull)other->end,
                         (ull)*gpa);
    if (!memory_load(l->memory, *gpa, blob, size))
        return error_set(err, "device tree: there is no RAM at 0x%llx", (ull)*gpa);
    add_area(l, "device tree", *gpa, *gpa + size);
    return true;
}

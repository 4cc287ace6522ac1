/* Puts firmware, kernel, initrd and device tree into guest RAM where QEMU's `virt` puts them
 * (VIRT.md section 4), and keeps book of what lies where so that nothing overwrites another.
 *
 * Order: load_bios (when there is a file), load_kernel, load_initrd, load_device_tree. Every error
 * is one line that names the file, what is wrong with it and what to do. */
#ifndef RIVULET_FIRMWARE_LOAD_H
#define RIVULET_FIRMWARE_LOAD_H

#include "base/bits.h"
#include "base/error.h"
#include "memory/map.h"

#define LOAD_KERNEL_ALIGN                                                                          \
    (2ull << 20) /* of the kernel behind a firmware, and of the device tree                        \
                  */

/* Guest RAM that is taken, bss included; end is the first byte after it. */
struct load_area {
    const char *what; /* "kernel" */
    uint64_t start, end;
};

/* Kernel, firmware, initrd, tree, and as many more as there can be -device. */
#define LOAD_AREAS_MAX 40u

struct loader {
    struct memory_map *memory;
    uint64_t ram_base, ram_bytes;
    struct load_area areas[LOAD_AREAS_MAX];
    unsigned area_count;
};

void loader_init(struct loader *l, struct memory_map *memory, uint64_t ram_base,
                 uint64_t ram_bytes);

/* M-mode firmware: an ELF file at its own addresses, anything else at the base of RAM. */
bool load_bios(struct loader *l, const char *path, uint64_t *entry, struct error *err) MUST_CHECK;

/* ELF at its own addresses; a uImage where its header says; a Linux Image or raw code behind the
 * firmware, or at the base of RAM when `behind_firmware` is false. Each of them also compressed
 * with gzip, and an EFI zboot image of gzip. */
bool load_kernel(struct loader *l, const char *path, bool behind_firmware, uint64_t *entry,
                 struct error *err) MUST_CHECK;

/* Raw code that the program has in itself, as load_kernel puts it. */
bool load_kernel_bytes(struct loader *l, const void *bytes, size_t n, uint64_t *entry,
                       struct error *err) MUST_CHECK;

/* After load_kernel. The file as it is, to [*start, *end). */
bool load_initrd(struct loader *l, const char *path, uint64_t *start, uint64_t *end,
                 struct error *err) MUST_CHECK;

/* After all the others but the tree. An ELF file at its own addresses, unless it is to be taken as
 * it is; anything else at *gpa, which may then not be NULL. */
bool load_file(struct loader *l, const char *path, const uint64_t *gpa, bool force_raw,
               uint64_t *entry, struct error *err) MUST_CHECK;
bool load_bytes(struct loader *l, uint64_t gpa, const void *bytes, size_t n,
                struct error *err) MUST_CHECK;

/* Last. *gpa is where the guest finds the blob. */
bool load_device_tree(struct loader *l, const void *blob, size_t size, uint64_t *gpa,
                      struct error *err) MUST_CHECK;

#endif

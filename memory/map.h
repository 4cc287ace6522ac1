/* Guest-physical memory: a sorted list of regions that never overlap. RAM and ROM have host memory;
 * a device has registers. Devices reach RAM through dma_* alone, which check every byte; the CPU
 * reaches RAM through the TLB, which is filled from memory_find. */
#ifndef RIVULET_MEMORY_MAP_H
#define RIVULET_MEMORY_MAP_H

#include "base/bits.h"
#include "base/error.h"
#include "base/log.h"
#include "base/state.h"

#include <stdint.h>

#define PAGE_BYTES 4096u
#define PAGE_MASK  (~(uint64_t)(PAGE_BYTES - 1))

/* Guest-physical addresses are `uint64_t gpa`. */

/* Registers of a device. The bus (map.c) refuses widths that are not in `sizes`, and accesses that
 * are not naturally aligned or run over the region: the device sees only what it can answer. */
struct region;

struct mmio_ops {
    const char *name;
    /* size is 1, 2, 4 or 8; offset from the region's base. */
    uint64_t (*read)(void *device, uint64_t offset, unsigned size);
    void (*write)(void *device, uint64_t offset, uint64_t value, unsigned size);
    unsigned sizes; /* OR of the widths in bytes it takes: 1 | 2 | 4 | 8 */
    /* What answers loads and stores of the CPU in the page at this offset, in place of read and
     * write: RAM of the device's own, with marks, which is in no map; NULL: none. It is the same
     * for all of a page, and a function of guest state; when it changes the device calls
     * memory_moved.
     */
    struct region *(*memory)(void *device, uint64_t offset);
};

/* A ROM device is flash: its bytes are the device's own, writes go to the device, which also says
 * whether reads give the bytes or go to it. Fetches always give the bytes. */
enum region_kind { REGION_RAM, REGION_ROM, REGION_DEVICE, REGION_ROM_DEVICE };

/* Per-page marks of RAM, one byte a page. */
enum page_mark {
    PAGE_HAS_CODE = 1 << 0, /* decoded blocks exist: writes must tell the block cache */
    /* Was mapped for writing or written by DMA at least once. Must be set before a store through a
     * host pointer can happen, a TLB refill from a record included: pages without it are taken for
     * all zero by memory_state. */
    PAGE_TOUCHED = 1 << 1,
    /* Somebody keeps what pages were like at one moment (memory_freeze), and has not kept this one
     * yet: memory_before_write must come before its bytes change. */
    PAGE_FROZEN = 1 << 2,
    PAGE_WATCHED = 1 << 3, /* memory_watch: stores never get a fast tag */
    /* The same since somebody last took this mark (memory_take_written). */
    PAGE_WRITTEN = 1 << 4,
    PAGE_STORED = PAGE_TOUCHED | PAGE_WRITTEN, /* what whoever writes sets */
};

struct region {
    enum region_kind kind;
    const char *name;
    uint64_t base, size;        /* bytes; RAM and ROM are whole pages */
    uint8_t *hva;               /* RAM, ROM, ROM device */
    uint8_t *marks;             /* RAM: enum page_mark for each page */
    const struct mmio_ops *ops; /* device, ROM device */
    void *device;
    bool reads_device; /* ROM device: loads go to the device */
};

/* Whether an access reaches the device, and not host memory. */
static inline bool region_load_is_mmio(const struct region *r)
{
    return r->kind == REGION_DEVICE || (r->kind == REGION_ROM_DEVICE && r->reads_device);
}

static inline bool region_store_is_mmio(const struct region *r)
{
    return r->kind == REGION_DEVICE || r->kind == REGION_ROM_DEVICE;
}

struct memory_map;

struct memory_map *memory_create(struct log *log);
void memory_destroy(struct memory_map *map);

/* Adding fails (false, err) on overlap, or when the host has no memory. */
bool memory_add_ram(struct memory_map *map, const char *name, uint64_t base, uint64_t size,
                    struct error *err) MUST_CHECK;
bool memory_add_rom(struct memory_map *map, const char *name, uint64_t base, uint64_t size,
                    struct error *err) MUST_CHECK;
bool memory_add_device(struct memory_map *map, uint64_t base, uint64_t size,
                       const struct mmio_ops *ops, void *device, struct error *err) MUST_CHECK;
/* bytes are the device's and outlive the map; reads give them at first. */
bool memory_add_rom_device(struct memory_map *map, uint64_t base, uint64_t size,
                           const struct mmio_ops *ops, void *device, uint8_t *bytes,
                           struct error *err) MUST_CHECK;

/* By the device at base: where loads go from now on. There are no fast tags to take back, because
 * loads from a ROM device are always slow (cpu/access.c). */
void memory_rom_device_reads(struct memory_map *map, uint64_t base, bool device);
/* By the device: n of its bytes at gpa changed, which may be decoded code. */
void memory_rom_device_changed(struct memory_map *map, uint64_t gpa, uint64_t n);

/* The region that holds gpa, or NULL. Valid until the next add. */
struct region *memory_find(const struct memory_map *map, uint64_t gpa);

/* The same for loads and stores: a device's own RAM where it has some. */
struct region *memory_find_data(const struct memory_map *map, uint64_t gpa);

/* The regions in the order of their addresses; NULL after the last. */
const struct region *memory_region(const struct memory_map *map, unsigned i);

/* One device access; false when nothing is there, or the width or alignment is refused: the CPU
 * then raises an access fault. */
bool memory_mmio_read(struct memory_map *map, uint64_t gpa, unsigned size, uint64_t *value);
bool memory_mmio_write(struct memory_map *map, uint64_t gpa, unsigned size, uint64_t value);

/* Device access to RAM: true when every byte is RAM, else false and nothing is copied. */
bool dma_read(struct memory_map *map, uint64_t gpa, void *to, size_t n) MUST_CHECK;
bool dma_write(struct memory_map *map, uint64_t gpa, const void *from, size_t n) MUST_CHECK;
/* Whether both would succeed. */
bool dma_is_ram(const struct memory_map *map, uint64_t gpa, size_t n);

/* For the loaders, before the guest runs: RAM or ROM. False when any byte lies outside. */
bool memory_load(struct memory_map *map, uint64_t gpa, const void *from, size_t n) MUST_CHECK;

/* RAM as it is at power-on: zero. ROM stays. */
void memory_clear(struct memory_map *map);

/* Told of every DMA or loader write into a page marked PAGE_HAS_CODE, after the bytes changed; a
 * load of the state tells of every marked page and of all ROM. */
void memory_on_code_write(struct memory_map *map,
                          void (*hook)(void *owner, uint64_t gpa, uint64_t bytes), void *owner);

/* From now on the hook is told of each page of RAM once, before its bytes change; the client drops
 * the fast tags of stores (tlb_poison_all_stores), so that all who write come by. A second call
 * begins anew with all pages. hook NULL: nobody is told any more. */
typedef void memory_thaw(void *owner, const struct region *ram, uint64_t page);
void memory_freeze(struct memory_map *map, memory_thaw *hook, void *owner);
/* Its bytes are again what they were: the hook is told of this page once more. Behind a load of the
 * TLBs, or with their fast tags dropped. */
void memory_freeze_page(struct memory_map *map, uint64_t gpa);
/* A page of RAM is about to be written. Whoever writes through a host pointer calls it. */
void memory_before_write(struct memory_map *map, struct region *ram, uint64_t gpa);

/* The hook is told of each write to [gpa, gpa + n), by whomever, after it; the client drops the
 * fast tags of stores. One range at a time; hook NULL: none. Only of RAM. */
typedef void memory_watcher(void *owner, uint64_t gpa, uint64_t n);
void memory_watch(struct memory_map *map, uint64_t gpa, uint64_t n, memory_watcher *hook,
                  void *owner);
/* The same for a device that lives in RAM, beside the other range. */
void memory_watch_for_device(struct memory_map *map, uint64_t gpa, uint64_t n, memory_watcher *hook,
                             void *owner);
/* n bytes of a page that is PAGE_WATCHED were written. */
void memory_note_watched(struct memory_map *map, uint64_t gpa, uint64_t n);

/* Whether all bytes of this page of RAM are zero. */
bool memory_page_is_zero(const struct region *ram, uint64_t page);

/* Tells of the RAM in [gpa, gpa + n) that was written since it was last told of, in runs of pages
 * that may reach beyond both ends. One client a page; it starts by looking at all, also after a
 * load and a reset. The contents are seen between runs alone, and nothing here is guest state. */
void memory_take_written(struct memory_map *map, uint64_t gpa, uint64_t n,
                         void (*written)(void *owner, uint64_t gpa, uint64_t bytes), void *owner);
/* The same for n bytes at this offset of a device's own RAM. */
void memory_take_written_of(struct memory_map *map, struct region *r, uint64_t offset, uint64_t n,
                            void (*written)(void *owner, uint64_t gpa, uint64_t bytes),
                            void *owner);
/* Told that stores to a range of pages must take the slow path again, which marks the page. */
void memory_on_watch_stores(struct memory_map *map,
                            void (*hook)(void *owner, uint64_t gpa, uint64_t bytes), void *owner);

/* By a device: its own RAM answers at other addresses from now on, or no more. */
void memory_moved(struct memory_map *map);
/* Told that no access may take the fast path to where it led before. */
void memory_on_moved(struct memory_map *map, void (*hook)(void *owner), void *owner);

/* RAM contents (pages that are not zero), unless the walk leaves RAM out, and ROM. */
void memory_state(struct memory_map *map, struct state *s);

#endif

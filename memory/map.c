/* The guest-physical map (contract: map.h).
 *
 * Invariants: regions are sorted by base and never overlap or wrap at 2^64; RAM and ROM begin and
 * end at page bounds; a RAM page that is not marked PAGE_TOUCHED is all zero. Every guest-given
 * (address, length) is cut to a span of one region before a host pointer is made of it. */
#include "memory/map.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdlib.h>

#define NO_PAGE UINT64_MAX

enum watcher { WATCHER_SEARCH, WATCHER_DEVICE, WATCHERS };

struct watched_range {
    uint64_t gpa, n; /* n 0: nothing is watched */
    memory_watcher *hook;
    void *owner;
};

struct memory_map {
    struct region *regions;
    size_t count;
    struct log *log;
    void (*code_write)(void *owner, uint64_t gpa, uint64_t bytes);
    void *code_write_owner;
    memory_thaw *thaw; /* NULL: no page is frozen */
    void *thaw_owner;
    struct watched_range watched[WATCHERS];
    void (*watch_stores)(void *owner, uint64_t gpa, uint64_t bytes);
    void *watch_stores_owner;
    void (*moved)(void *owner);
    void *moved_owner;
};

struct memory_map *memory_create(struct log *log)
{
    struct memory_map *map = calloc(1, sizeof *map);
    if (map)
        map->log = log;
    return map;
}

static void release_region(struct region *r)
{
    if (r->hva && r->kind != REGION_ROM_DEVICE)
        os_release(r->hva, r->size);
    free(r->marks);
}

void memory_destroy(struct memory_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->count; i++)
        release_region(&map->regions[i]);
    free(map->regions);
    free(map);
}

void memory_on_code_write(struct memory_map *map,
                          void (*hook)(void *owner, uint64_t gpa, uint64_t bytes), void *owner)
{
    map->code_write = hook;
    map->code_write_owner = owner;
}

void memory_on_watch_stores(struct memory_map *map,
                            void (*hook)(void *owner, uint64_t gpa, uint64_t bytes), void *owner)
{
    map->watch_stores = hook;
    map->watch_stores_owner = owner;
}

void memory_on_moved(struct memory_map *map, void (*hook)(void *owner), void *owner)
{
    map->moved = hook;
    map->moved_owner = owner;
}

void memory_moved(struct memory_map *map)
{
    if (map->moved)
        map->moved(map->moved_owner);
}

/* ---- adding regions ---- */

static uint64_t last_byte(const struct region *r)
{
    return r->base + (r->size - 1);
}

/* Index of the first region that ends at or behind gpa; count when there is none. */
static size_t lower_bound(const struct memory_map *map, uint64_t gpa)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (last_byte(&map->regions[middle]) < gpa)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool check_region(const struct memory_map *map, const struct region *r, struct error *err)
{
    if (r->size == 0 || r->base + (r->size - 1) < r->base)
        return error_set(err, "%s at 0x%" PRIx64 ": a size of 0x%" PRIx64 " is not possible",
                         r->name, r->base, r->size);
    if (r->kind != REGION_DEVICE && ((r->base | r->size) & ~PAGE_MASK))
        return error_set(err, "%s at 0x%" PRIx64 ", size 0x%" PRIx64 ": not whole pages", r->name,
                         r->base, r->size);
    size_t next = lower_bound(map, r->base);
    if (next < map->count && map->regions[next].base <= last_byte(r))
        return error_set(err, "%s at 0x%" PRIx64 ", size 0x%" PRIx64 ", overlaps %s at 0x%" PRIx64,
                         r->name, r->base, r->size, map->regions[next].name,
                         map->regions[next].base);
    return true;
}

/* Takes over what r holds; on failure the caller still has it. */
static bool insert_region(struct memory_map *map, const struct region *r, struct error *err)
{
    struct region *grown = realloc(map->regions, (map->count + 1) * sizeof *grown);
    if (!grown)
        return error_set(err, "no memory for the memory map");
    map->regions = grown;
    size_t at = lower_bound(map, r->base);
    memmove(&grown[at + 1], &grown[at], (map->count - at) * sizeof *grown);
    grown[at] = *r;
    map->count++;
    return true;
}

static bool add_host_memory(struct memory_map *map, struct region *r, struct error *err)
{
    if (!check_region(map, r, err))
        return false;
    r->hva = os_reserve(r->size);
    if (r->hva && r->kind == REGION_RAM)
        r->marks = calloc(r->size / PAGE_BYTES, 1);
    if (!r->hva || (r->kind == REGION_RAM && !r->marks))
        error_set(err, "the host has no memory for %s of %" PRIu64 " MiB", r->name, r->size >> 20);
    else if (insert_region(map, r, err))
        return true;
    release_region(r);
    return false;
}

bool memory_add_ram(struct memory_map *map, const char *name, uint64_t base, uint64_t size,
                    struct error *err)
{
    struct region r = {.kind = REGION_RAM, .name = name, .base = base, .size = size};
    return add_host_memory(map, &r, err);
}

bool memory_add_rom(struct memory_map *map, const char *name, uint64_t base, uint64_t size,
                    struct error *err)
{
    struct region r = {.kind = REGION_ROM, .name = name, .base = base, .size = size};
    return add_host_memory(map, &r, err);
}

bool memory_add_device(struct memory_map *map, uint64_t base, uint64_t size,
                       const struct mmio_ops *ops, void *device, struct error *err)
{
    struct region r = {.kind = REGION_DEVICE,
                       .name = ops->name,
                       .base = base,
                       .size = size,
                       .ops = ops,
                       .device = device};
    return check_region(map, &r, err) && insert_region(map, &r, err);
}

bool memory_add_rom_device(struct memory_map *map, uint64_t base, uint64_t size,
                           const struct mmio_ops *ops, void *device, uint8_t *bytes,
                           struct error *err)
{
    struct region r = {.kind = REGION_ROM_DEVICE,
                       .name = ops->name,
                       .base = base,
                       .size = size,
                       .hva = bytes,
                       .ops = ops,
                       .device = device};
    return check_region(map, &r, err) && insert_region(map, &r, err);
}

void memory_rom_device_reads(struct memory_map *map, uint64_t base, bool device)
{
    struct region *r = memory_find(map, base);
    if (r)
        r->reads_device = device;
}

void memory_rom_device_changed(struct memory_map *map, uint64_t gpa, uint64_t n)
{
    if (map->code_write)
        map->code_write(map->code_write_owner, gpa, n);
}

struct region *memory_find(const struct memory_map *map, uint64_t gpa)
{
    size_t at = lower_bound(map, gpa);
    return at < map->count && map->regions[at].base <= gpa ? &map->regions[at] : NULL;
}

struct region *memory_find_data(const struct memory_map *map, uint64_t gpa)
{
    struct region *r = memory_find(map, gpa), *own = NULL;
    if (r && r->kind == REGION_DEVICE && r->ops->memory)
        own = r->ops->memory(r->device, gpa - r->base);
    return own ? own : r;
}

/* ---- the bus ---- */

/* The device that answers this access, or NULL, with a line in the guest log. */
static const struct region *find_device(struct memory_map *map, uint64_t gpa, unsigned size,
                                        const char *verb)
{
    const struct region *r = memory_find(map, gpa);
    if (!r || !r->ops) {
        log_line(map->log, LOG_GUEST_ERRORS, "%s of %u bytes at 0x%" PRIx64 ": no device there",
                 verb, size, gpa);
        return NULL;
    }
    uint64_t offset = gpa - r->base;
    bool has_width = is_power_of_two(size) && (r->ops->sizes & size);
    if (!has_width || gpa % size != 0 || size > r->size - offset) {
        log_line(map->log, LOG_GUEST_ERRORS,
                 "%s: %s of %u bytes at offset 0x%" PRIx64 " is refused: %s", r->name, verb, size,
                 offset, has_width ? "not aligned, or over the end" : "it has no such width");
        return NULL;
    }
    return r;
}

const struct region *memory_region(const struct memory_map *map, unsigned i)
{
    return i < map->count ? &map->regions[i] : NULL;
}

bool memory_mmio_read(struct memory_map *map, uint64_t gpa, unsigned size, uint64_t *value)
{
    const struct region *r = find_device(map, gpa, size, "read");
    if (!r)
        return false;
    *value = bits_get(r->ops->read(r->device, gpa - r->base, size), 0, 8 * size);
    return true;
}

bool memory_mmio_write(struct memory_map *map, uint64_t gpa, unsigned size, uint64_t value)
{
    const struct region *r = find_device(map, gpa, size, "write");
    if (!r)
        return false;
    r->ops->write(r->device, gpa - r->base, bits_get(value, 0, 8 * size), size);
    return true;
}

/* ---- device and loader access to RAM ---- */

/* A piece of one RAM or ROM region. */
struct span {
    struct region *region;
    uint64_t offset, bytes;
};

/* The piece of [gpa, gpa + n) that begins at gpa; no bytes when nothing there can be accessed. */
static struct span find_span(const struct memory_map *map, uint64_t gpa, uint64_t n, bool with_rom)
{
    struct region *r = memory_find(map, gpa);
    if (!r || !(r->kind == REGION_RAM || (with_rom && r->kind == REGION_ROM)))
        return (struct span){0};
    uint64_t offset = gpa - r->base;
    return (struct span){.region = r, .offset = offset, .bytes = min_u64(n, r->size - offset)};
}

/* Whether every byte can be accessed; a range that wraps at 2^64 cannot. */
static bool range_is_ram(const struct memory_map *map, uint64_t gpa, uint64_t n, bool with_rom)
{
    if (n && gpa + (n - 1) < gpa)
        return false;
    while (n) {
        struct span span = find_span(map, gpa, n, with_rom);
        if (span.bytes == 0)
            return false;
        gpa += span.bytes;
        n -= span.bytes;
    }
    return true;
}

/* --- frozen pages --- */

void memory_freeze(struct memory_map *map, memory_thaw *hook, void *owner)
{
    map->thaw = hook;
    map->thaw_owner = owner;
    for (size_t i = 0; i < map->count; i++) {
        const struct region *r = &map->regions[i];
        for (uint64_t page = 0; r->marks && page < r->size / PAGE_BYTES; page++)
            r->marks[page] =
                (uint8_t)(hook ? r->marks[page] | PAGE_FROZEN : r->marks[page] & ~PAGE_FROZEN);
    }
}

void memory_freeze_page(struct memory_map *map, uint64_t gpa)
{
    struct region *r = memory_find(map, gpa);
    if (r && r->marks && map->thaw)
        r->marks[(gpa - r->base) / PAGE_BYTES] |= PAGE_FROZEN;
}

static void thaw_page(struct memory_map *map, const struct region *r, uint64_t page)
{
    if (!(r->marks[page] & PAGE_FROZEN))
        return;
    r->marks[page] &= (uint8_t)~PAGE_FROZEN;
    map->thaw(map->thaw_owner, r, page);
}

void memory_before_write(struct memory_map *map, struct region *ram, uint64_t gpa)
{
    thaw_page(map, ram, (gpa - ram->base) / PAGE_BYTES);
}

static void thaw_span(struct memory_map *map, const struct span *span)
{
    if (!map->thaw || !span->region->marks)
        return;
    uint64_t last = (span->offset + span->bytes - 1) / PAGE_BYTES;
    for (uint64_t page = span->offset / PAGE_BYTES; page <= last; page++)
        thaw_page(map, span->region, page);
}

/* --- a watched range --- */

static void mark_watched(struct memory_map *map, const struct watched_range *w, bool is_watched)
{
    uint64_t last = w->gpa + (w->n - 1);
    for (uint64_t at = w->gpa & PAGE_MASK; at <= last; at += PAGE_BYTES) {
        struct region *r = memory_find(map, at);
        if (!r || !r->marks)
            continue;
        uint8_t *mark = &r->marks[(at - r->base) / PAGE_BYTES];
        *mark = (uint8_t)(is_watched ? *mark | PAGE_WATCHED : *mark & ~PAGE_WATCHED);
    }
}

/* Both ranges may share a page. */
static void watch_range(struct memory_map *map, enum watcher who, const struct watched_range *range)
{
    struct watched_range *w = &map->watched[who];
    if (w->n)
        mark_watched(map, w, false);
    *w = *range;
    if (!w->hook)
        w->n = 0;
    for (unsigned i = 0; i < WATCHERS; i++)
        if (map->watched[i].n)
            mark_watched(map, &map->watched[i], true);
}

void memory_watch(struct memory_map *map, uint64_t gpa, uint64_t n, memory_watcher *hook,
                  void *owner)
{
    watch_range(map, WATCHER_SEARCH, &(struct watched_range){gpa, n, hook, owner});
}

void memory_watch_for_device(struct memory_map *map, uint64_t gpa, uint64_t n, memory_watcher *hook,
                             void *owner)
{
    watch_range(map, WATCHER_DEVICE, &(struct watched_range){gpa, n, hook, owner});
}

void memory_note_watched(struct memory_map *map, uint64_t gpa, uint64_t n)
{
    for (unsigned i = 0; i < WATCHERS; i++) {
        const struct watched_range *w = &map->watched[i];
        if (w->n && gpa < w->gpa + w->n && w->gpa < gpa + n)
            w->hook(w->owner, gpa, n);
    }
}

/* --- writing --- */

/* After the bytes changed: marks the pages, and tells of those that hold code. */
static void note_write(struct memory_map *map, const struct span *span)
{
    struct region *r = span->region;
    if (!r->marks)
        return;
    uint64_t end = span->offset + span->bytes;
    for (uint64_t at = span->offset; at < end;) {
        uint64_t next = min_u64((at & PAGE_MASK) + PAGE_BYTES, end);
        uint8_t *mark = &r->marks[at / PAGE_BYTES];
        *mark |= PAGE_STORED;
        if ((*mark & PAGE_HAS_CODE) && map->code_write)
            map->code_write(map->code_write_owner, r->base + at, next - at);
        if (*mark & PAGE_WATCHED)
            memory_note_watched(map, r->base + at, next - at);
        at = next;
    }
}

static bool write_range(struct memory_map *map, uint64_t gpa, const uint8_t *from, uint64_t n,
                        bool with_rom)
{
    if (!range_is_ram(map, gpa, n, with_rom))
        return false;
    while (n) {
        struct span span = find_span(map, gpa, n, with_rom);
        thaw_span(map, &span);
        memcpy(span.region->hva + span.offset, from, span.bytes);
        note_write(map, &span);
        gpa += span.bytes;
        from += span.bytes;
        n -= span.bytes;
    }
    return true;
}

bool dma_read(struct memory_map *map, uint64_t gpa, void *to, size_t n)
{
    if (!range_is_ram(map, gpa, n, false))
        return false;
    for (uint8_t *p = to; n;) {
        struct span span = find_span(map, gpa, n, false);
        memcpy(p, span.region->hva + span.offset, span.bytes);
        gpa += span.bytes;
        p += span.bytes;
        n -= span.bytes;
    }
    return true;
}

bool dma_write(struct memory_map *map, uint64_t gpa, const void *from, size_t n)
{
    return write_range(map, gpa, from, n, false);
}

bool dma_is_ram(const struct memory_map *map, uint64_t gpa, size_t n)
{
    return range_is_ram(map, gpa, n, false);
}

bool memory_load(struct memory_map *map, uint64_t gpa, const void *from, size_t n)
{
    return write_range(map, gpa, from, n, true);
}

/* ---- what was written ---- */

/* The pages from `page` on that were written: how many, and none of them is marked any more. */
static uint64_t take_run(struct region *r, uint64_t page, uint64_t end)
{
    uint64_t first = page;
    for (; page < end && r->marks[page] & PAGE_WRITTEN; page++)
        r->marks[page] &= (uint8_t)~PAGE_WRITTEN;
    return page - first;
}

void memory_take_written_of(struct memory_map *map, struct region *r, uint64_t offset, uint64_t n,
                            void (*written)(void *owner, uint64_t gpa, uint64_t bytes), void *owner)
{
    uint64_t page = offset / PAGE_BYTES;
    uint64_t end = (offset + n - 1) / PAGE_BYTES + 1;
    uint64_t first = end, last = page;
    for (uint64_t run; page < end; page += run + 1) {
        run = take_run(r, page, end);
        if (!run)
            continue;
        first = min_u64(first, page);
        last = page + run;
        written(owner, r->base + page * PAGE_BYTES, run * PAGE_BYTES);
    }
    if (first < last && map->watch_stores)
        map->watch_stores(map->watch_stores_owner, r->base + first * PAGE_BYTES,
                          (last - first) * PAGE_BYTES);
}

void memory_take_written(struct memory_map *map, uint64_t gpa, uint64_t n,
                         void (*written)(void *owner, uint64_t gpa, uint64_t bytes), void *owner)
{
    while (n) {
        struct span span = find_span(map, gpa, n, false);
        if (!span.bytes)
            return;
        memory_take_written_of(map, span.region, span.offset, span.bytes, written, owner);
        gpa += span.bytes;
        n -= span.bytes;
    }
}

/* ---- state ----
 * RAM is a list of (page number, contents) of the pages that are not zero, ascending, ended by
 * NO_PAGE. So it depends on the contents alone: neither marks nor what the host has mapped show. */

static bool page_is_zero(const uint8_t *page)
{
    for (unsigned i = 0; i < PAGE_BYTES; i += 64) {
        uint64_t words[8];
        memcpy(words, page + i, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) |
            (words[4] | words[5] | words[6] | words[7]))
            return false;
    }
    return true;
}

bool memory_page_is_zero(const struct region *ram, uint64_t page)
{
    return !(ram->marks[page] & PAGE_TOUCHED) || page_is_zero(ram->hva + page * PAGE_BYTES);
}

static void give_pages(struct region *r, struct state *s)
{
    uint64_t pages = r->size / PAGE_BYTES;
    for (uint64_t page = 0; page < pages; page++) {
        if (memory_page_is_zero(r, page))
            continue;
        uint64_t number = page;
        state_u64(s, &number);
        state_bytes(s, r->hva + page * PAGE_BYTES, PAGE_BYTES);
    }
    uint64_t end = NO_PAGE;
    state_u64(s, &end);
}

/* All pages are about to become zero, or something else. */
static void thaw_touched(struct memory_map *map, const struct region *r)
{
    for (uint64_t page = 0; map->thaw && page < r->size / PAGE_BYTES; page++)
        thaw_page(map, r, page);
}

/* Marks stay: a TLB that survives the load may still write to a page that was touched. */
static void take_pages(struct memory_map *map, struct region *r, struct state *s)
{
    uint64_t pages = r->size / PAGE_BYTES;
    thaw_touched(map, r);
    os_discard(r->hva, r->size);
    for (uint64_t first = 0;;) {
        uint64_t page = NO_PAGE;
        state_u64(s, &page);
        if (page == NO_PAGE)
            return;
        if (page < first || page >= pages) {
            state_fail(s, "page %" PRIu64 " is out of order or out of range", page);
            return;
        }
        r->marks[page] |= PAGE_STORED;
        state_bytes(s, r->hva + page * PAGE_BYTES, PAGE_BYTES);
        first = page + 1;
    }
}

/* After a load. ROM has no marks, so all of it may hold code. */
static void tell_of_code(struct memory_map *map, const struct region *r)
{
    if (r->kind == REGION_ROM && map->code_write)
        map->code_write(map->code_write_owner, r->base, r->size);
    if (!r->marks)
        return;
    for (uint64_t page = 0; page < r->size / PAGE_BYTES; page++) {
        if ((r->marks[page] & PAGE_HAS_CODE) && map->code_write)
            map->code_write(map->code_write_owner, r->base + page * PAGE_BYTES, PAGE_BYTES);
    }
}

static void region_state(struct memory_map *map, struct region *r, struct state *s)
{
    uint64_t base = r->base, size = r->size;
    state_section(s, r->name, 1);
    state_u64(s, &base);
    state_u64(s, &size);
    if (base != r->base || size != r->size)
        state_fail(
            s, "saved with 0x%" PRIx64 " bytes at 0x%" PRIx64 ", here 0x%" PRIx64 " at 0x%" PRIx64,
            size, base, r->size, r->base);
    if (!state_ok(s))
        return;
    if (r->kind == REGION_ROM)
        state_bytes(s, r->hva, r->size);
    else if (!state_has_ram(s))
        return;
    else if (state_loading(s))
        take_pages(map, r, s);
    else
        give_pages(r, s);
    if (state_loading(s))
        tell_of_code(map, r);
}

void memory_state(struct memory_map *map, struct state *s)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!map->regions[i].ops) /* devices save their own */
            region_state(map, &map->regions[i], s);
    }
}

void memory_clear(struct memory_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        struct region *r = &map->regions[i];
        if (r->kind != REGION_RAM)
            continue;
        thaw_touched(map, r);
        os_discard(r->hva, r->size);
        tell_of_code(map, r);
    }
}

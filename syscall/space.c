/* The table of mappings (contract: space.h).
 *
 * Invariants: mappings are whole pages, sorted, never overlap, and lie in [SPACE_LOWEST,
 * SPACE_BYTES); the host's pages under no mapping give no access. The host may read and write what
 * is mapped, whatever the guest's protection says: only the TLB and space_at stand between. Decoded
 * code is only of pages that may be executed. */
#include "syscall/space.h"

#include "base/os_process.h"
#include "cpu/code.h"

#include <errno.h>
#include <stdlib.h>

bool space_init(struct space *s, struct memory_map *memory, uint64_t limit_bytes, struct error *err)
{
    *s = (struct space){.memory = memory, .limit_bytes = limit_bytes ? limit_bytes : UINT64_MAX};
    if (os_page_bytes() != PAGE_BYTES)
        return error_set(err, "exec needs a host with pages of %u bytes, and this one's have %zu",
                         PAGE_BYTES, os_page_bytes());
    if (!memory_add_ram(memory, "program", 0, SPACE_BYTES, err))
        return false;
    const struct region *r = memory_find(memory, 0);
    s->host = r->hva;
    s->marks = r->marks;
    int error = os_map_at(s->host, SPACE_BYTES, OS_MAP_NOTHING, -1, 0, &(bool){false});
    if (error)
        return error_set(err, "the host gives no address space: %s", strerror(-error));
    os_fault_watch(s->host, SPACE_BYTES);
    return true;
}

void space_release(struct space *s)
{
    free(s->mappings);
}

/* ---- the table ---- */

/* Index of the first mapping that ends behind va. */
static size_t first_behind(const struct space *s, uint64_t va)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->mappings[middle].end <= va)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct mapping *space_find(const struct space *s, uint64_t va)
{
    size_t at = first_behind(s, va);
    return at < s->count && s->mappings[at].start <= va ? &s->mappings[at] : NULL;
}

/* Two more entries are enough for any change. */
static bool has_room(struct space *s)
{
    if (s->count + 2 <= s->room)
        return true;
    size_t room = s->room ? 2 * s->room : 64;
    struct mapping *grown = realloc(s->mappings, room * sizeof *grown);
    if (!grown)
        return false;
    s->mappings = grown;
    s->room = room;
    return true;
}

static void insert(struct space *s, size_t at, const struct mapping *m)
{
    memmove(&s->mappings[at + 1], &s->mappings[at], (s->count - at) * sizeof *m);
    s->mappings[at] = *m;
    s->count++;
}

/* Makes va a boundary; has_room was asked. Index of the first mapping at or behind it. */
static size_t split(struct space *s, uint64_t va)
{
    size_t at = first_behind(s, va);
    if (at == s->count || s->mappings[at].start >= va)
        return at;
    struct mapping upper = s->mappings[at];
    upper.start = va;
    s->mappings[at].end = va;
    insert(s, at + 1, &upper);
    return at + 1;
}

/* Takes [start, end) out of the table. */
static void cut_out(struct space *s, uint64_t start, uint64_t end)
{
    size_t from = split(s, start), to = split(s, end);
    for (size_t i = from; i < to; i++)
        s->mapped_bytes -= s->mappings[i].end - s->mappings[i].start;
    memmove(&s->mappings[from], &s->mappings[to], (s->count - to) * sizeof *s->mappings);
    s->count -= to - from;
}

static bool are_alike(const struct mapping *a, const struct mapping *b)
{
    return a->end == b->start && a->protection == b->protection && a->shared == b->shared &&
           a->file == b->file && a->sealed == b->sealed && a->kept == b->kept;
}

/* Joins what is alike on both sides of the boundary before mapping `at`. */
static void join(struct space *s, size_t at)
{
    if (at == 0 || at >= s->count || !are_alike(&s->mappings[at - 1], &s->mappings[at]))
        return;
    s->mappings[at - 1].end = s->mappings[at].end;
    memmove(&s->mappings[at], &s->mappings[at + 1], (s->count - at - 1) * sizeof *s->mappings);
    s->count--;
}

/* The place of m is free. */
static void add(struct space *s, const struct mapping *m)
{
    size_t at = first_behind(s, m->start);
    insert(s, at, m);
    s->mapped_bytes += m->end - m->start;
    join(s, at + 1);
    join(s, at);
}

/* What was decoded from [va, end) is no longer what is there. */
static void drop_code_in(struct space *s, uint64_t va, uint64_t end)
{
    for (uint64_t next; va < end; va = next) {
        next = min_u64((va & PAGE_MASK) + PAGE_BYTES, end);
        if (s->marks[va / PAGE_BYTES] & PAGE_HAS_CODE)
            code_written(s->hart->ports.code, va, next - va);
    }
}

/* Only mappings that may be executed hold decoded code. */
static void drop_code(struct space *s, uint64_t va, uint64_t n)
{
    for (size_t at = first_behind(s, va); at < s->count; at++) {
        const struct mapping *m = &s->mappings[at];
        if (m->start >= va + n)
            break;
        if (m->protection & SPACE_EXECUTE)
            drop_code_in(s, max_u64(va, m->start), min_u64(va + n, m->end));
    }
}

static void changed(struct space *s)
{
    hart_flush_tlb(s->hart);
}

/* ---- places ---- */

static uint64_t pages_up(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & PAGE_MASK;
}

static bool is_possible(uint64_t va, uint64_t bytes)
{
    return va >= SPACE_LOWEST && va < SPACE_BYTES && bytes <= SPACE_BYTES - va;
}

static bool is_free(const struct space *s, uint64_t va, uint64_t bytes)
{
    size_t at = first_behind(s, va);
    return at == s->count || s->mappings[at].start >= va + bytes;
}

/* The highest gap below map_top; 0: none. */
static uint64_t find_gap(const struct space *s, uint64_t bytes)
{
    uint64_t top = s->map_top;
    size_t below = first_behind(s, top); /* mappings that begin below top: those before it, ... */
    if (below < s->count && s->mappings[below].start < top)
        below++; /* ... and one that runs over it */
    for (; bytes <= top; top = s->mappings[below].start) {
        uint64_t bottom = below ? s->mappings[below - 1].end : SPACE_LOWEST;
        if (bottom < top && top - bottom >= bytes)
            return top - bytes;
        if (below-- == 0)
            return 0;
    }
    return 0;
}

static bool has_budget(const struct space *s, uint64_t bytes)
{
    return bytes <= s->limit_bytes && s->mapped_bytes <= s->limit_bytes - bytes;
}

/* Where [va, +bytes) goes by mmap's rules; negative: nowhere. */
static int64_t choose_place(const struct space *s, uint64_t va, uint64_t bytes, unsigned flags)
{
    if (flags & (SPACE_FIXED | SPACE_NO_REPLACE)) {
        if (va % PAGE_BYTES)
            return -EINVAL;
        if (va < SPACE_LOWEST)
            return -EPERM;
        if (!is_possible(va, bytes))
            return -ENOMEM;
        if (flags & SPACE_NO_REPLACE && !is_free(s, va, bytes))
            return -EEXIST;
        return (int64_t)va;
    }
    va = pages_up(va);
    if (va && is_possible(va, bytes) && is_free(s, va, bytes))
        return (int64_t)va;
    uint64_t gap = find_gap(s, bytes);
    return gap ? (int64_t)gap : -ENOMEM;
}

/* ---- mmap, munmap ---- */

static int64_t map_at(struct space *s, uint64_t va, uint64_t bytes, const struct mapping *like,
                      int fd, uint64_t offset)
{
    struct mapping m = *like;
    enum os_map_kind kind = m.shared ? OS_MAP_SHARED : OS_MAP_PRIVATE;
    bool writable = m.protection & SPACE_WRITE;
    drop_code(s, va, bytes);
    int error = os_map_at(s->host + va, bytes, kind, fd, offset, &writable);
    if (error)
        return error;
    m.sealed = !writable;
    m.start = va;
    m.end = va + bytes;
    cut_out(s, m.start, m.end);
    add(s, &m);
    changed(s);
    s->file_count += m.file && m.protection & SPACE_EXECUTE;
    return (int64_t)va;
}

int64_t space_map(struct space *s, uint64_t va, uint64_t bytes, unsigned protection, unsigned flags,
                  int fd, uint64_t offset)
{
    unsigned type = flags & SPACE_TYPE;
    struct mapping m = {.protection = protection & 7,
                        .shared = type == SPACE_SHARED || type == SPACE_SHARED_VALIDATE,
                        .file = !(flags & SPACE_ANONYMOUS)};
    if (!bytes || (!m.shared && type != SPACE_PRIVATE) || offset % PAGE_BYTES)
        return -EINVAL;
    if (m.file && fd < 0)
        return -EBADF;
    if (bytes > SPACE_BYTES)
        return -ENOMEM;
    bytes = pages_up(bytes);
    if (!has_budget(s, bytes) || !has_room(s))
        return -ENOMEM;
    int64_t place = choose_place(s, va, bytes, flags);
    if (place < 0)
        return place;
    return map_at(s, (uint64_t)place, bytes, &m, m.file ? fd : -1, m.file ? offset : 0);
}

/* The range is whole pages within the space, and has_room was asked. */
static int64_t unmap(struct space *s, uint64_t va, uint64_t bytes)
{
    drop_code(s, va, bytes);
    int error = os_map_at(s->host + va, bytes, OS_MAP_NOTHING, -1, 0, &(bool){false});
    if (error)
        return error;
    cut_out(s, va, va + bytes);
    changed(s);
    return 0;
}

int64_t space_unmap(struct space *s, uint64_t va, uint64_t bytes)
{
    if (va % PAGE_BYTES || !bytes || bytes > SPACE_BYTES || va > SPACE_BYTES - pages_up(bytes))
        return -EINVAL;
    if (!has_room(s))
        return -ENOMEM;
    bytes = pages_up(bytes);
    return is_free(s, va, bytes) ? 0 : unmap(s, va, bytes);
}

void space_clear(struct space *s)
{
    os_map_at(s->host, SPACE_BYTES, OS_MAP_NOTHING, -1, 0, &(bool){false});
    s->count = 0;
    s->mapped_bytes = 0;
    s->brk = s->brk_start = 0;
    s->map_top = SPACE_STACK_TOP;
    s->notes_stores = false;
    changed(s);
}

/* ---- mprotect ---- */

/* Whether mappings cover all of the range; has_room was asked, and boundaries are made. */
static int64_t check_protection(struct space *s, uint64_t va, uint64_t end, unsigned protection)
{
    for (size_t at = first_behind(s, va); va < end; va = s->mappings[at++].end) {
        if (at == s->count || s->mappings[at].start > va)
            return -ENOMEM;
        if (s->mappings[at].sealed && protection & SPACE_WRITE)
            return -EACCES;
    }
    return 0;
}

int64_t space_protect(struct space *s, uint64_t va, uint64_t bytes, unsigned protection)
{
    if (va % PAGE_BYTES)
        return -EINVAL;
    if (!bytes)
        return 0;
    if (bytes > SPACE_BYTES || !is_possible(va, pages_up(bytes)) || !has_room(s))
        return -ENOMEM;
    uint64_t end = va + pages_up(bytes);
    int64_t error = check_protection(s, va, end, protection);
    if (error)
        return error;
    if (!(protection & SPACE_EXECUTE))
        drop_code(s, va, end - va);
    size_t from = split(s, va), to = split(s, end);
    for (size_t i = from; i < to; i++)
        s->mappings[i].protection = protection & 7;
    for (size_t i = to + 1; i-- > from;)
        join(s, i);
    changed(s);
    return 0;
}

/* ---- fork ---- */

int64_t space_keep(struct space *s, uint64_t va, uint64_t bytes, bool kept)
{
    if (va % PAGE_BYTES || bytes > SPACE_BYTES)
        return -EINVAL;
    uint64_t end = va + pages_up(bytes);
    if (!space_is_mapped(s, va, end - va) || !has_room(s))
        return -ENOMEM;
    size_t from = split(s, va), to = split(s, end);
    for (size_t i = from; i < to; i++)
        s->mappings[i].kept = kept;
    for (size_t i = to + 1; i-- > from;)
        join(s, i);
    return 0;
}

/* The host's kernel is not asked to leave it out: whatever the emulator allocated next could come
 * to lie in the gap, where the table says that the guest may write. */
void space_lose_kept(struct space *s)
{
    for (size_t i = s->count; i-- > 0;) {
        const struct mapping *m = &s->mappings[i];
        if (m->kept && unmap(s, m->start, m->end - m->start) != 0)
            s->mappings[i].kept = false; /* it has a copy then */
    }
}

/* ---- mremap, brk ---- */

/* Private zeros can grow where they are. */
static bool can_grow(const struct space *s, const struct mapping *m, uint64_t end, uint64_t more)
{
    return !m->file && !m->shared && is_possible(end, more) && is_free(s, end, more);
}

static int64_t move(struct space *s, const struct mapping *like, uint64_t va, uint64_t bytes,
                    uint64_t new_bytes, uint64_t new_va)
{
    struct mapping m = *like;
    drop_code(s, va, bytes);
    drop_code(s, new_va, new_bytes);
    int error = os_map_move(s->host + va, bytes, s->host + new_va, new_bytes);
    if (error)
        return error;
    cut_out(s, va, va + bytes);
    if (!has_room(s))
        return -ENOMEM; /* the entry of the old place is free: this cannot happen */
    cut_out(s, new_va, new_va + new_bytes);
    m.start = new_va;
    m.end = new_va + new_bytes;
    add(s, &m);
    changed(s);
    return (int64_t)new_va;
}

static int64_t remap_to(struct space *s, const struct mapping *m, uint64_t va, uint64_t bytes,
                        uint64_t new_bytes, uint64_t new_va)
{
    bool overlaps = new_va < va + bytes && va < new_va + new_bytes;
    if (new_va % PAGE_BYTES || overlaps || !is_possible(new_va, new_bytes))
        return -EINVAL;
    return move(s, m, va, bytes, new_bytes, new_va);
}

int64_t space_remap(struct space *s, uint64_t va, uint64_t bytes, uint64_t new_bytes,
                    unsigned flags, uint64_t new_va)
{
    if (va % PAGE_BYTES || !bytes || !new_bytes || flags & ~(SPACE_MAY_MOVE | SPACE_MOVE_TO) ||
        (flags & SPACE_MOVE_TO && !(flags & SPACE_MAY_MOVE)))
        return -EINVAL;
    if (bytes > SPACE_BYTES || new_bytes > SPACE_BYTES || !has_room(s))
        return -ENOMEM;
    bytes = pages_up(bytes);
    new_bytes = pages_up(new_bytes);
    const struct mapping *found = space_find(s, va);
    if (!found || bytes > found->end - va)
        return -EFAULT;
    struct mapping m = *found;
    if (new_bytes > bytes && !has_budget(s, new_bytes - bytes))
        return -ENOMEM;
    if (flags & SPACE_MOVE_TO)
        return remap_to(s, &m, va, bytes, new_bytes, new_va);
    if (new_bytes <= bytes) {
        int64_t error = new_bytes < bytes ? unmap(s, va + new_bytes, bytes - new_bytes) : 0;
        return error ? error : (int64_t)va;
    }
    if (can_grow(s, &m, va + bytes, new_bytes - bytes)) {
        int64_t error = map_at(s, va + bytes, new_bytes - bytes, &m, -1, 0);
        return error < 0 ? error : (int64_t)va;
    }
    uint64_t gap = flags & SPACE_MAY_MOVE ? find_gap(s, new_bytes) : 0;
    return gap ? move(s, &m, va, bytes, new_bytes, gap) : -ENOMEM;
}

/* As the kernel's: the old break when it cannot be. */
uint64_t space_set_brk(struct space *s, uint64_t brk)
{
    const struct mapping heap = {.protection = SPACE_READ | SPACE_WRITE};
    if (brk < s->brk_start || brk >= SPACE_BYTES)
        return s->brk;
    uint64_t old_end = pages_up(s->brk), end = pages_up(brk);
    if (end > old_end && (!is_possible(old_end, end - old_end) ||
                          !is_free(s, old_end, end - old_end) || !has_budget(s, end - old_end) ||
                          !has_room(s) || map_at(s, old_end, end - old_end, &heap, -1, 0) < 0))
        return s->brk;
    if (end < old_end && (!has_room(s) || unmap(s, end, old_end - end) < 0))
        return s->brk;
    s->brk = brk;
    return brk;
}

/* ---- access ---- */

/* RISC-V has no pages that can be written and not read. */
static uint8_t pte_of(unsigned protection)
{
    uint8_t pte = PTE_V | PTE_U | PTE_A | PTE_D;
    if (protection & SPACE_READ)
        pte |= PTE_R;
    if (protection & SPACE_WRITE)
        pte |= PTE_R | PTE_W;
    if (protection & SPACE_EXECUTE)
        pte |= PTE_X;
    return pte;
}

bool space_find_leaf(void *owner, uint64_t va, struct translation *leaf)
{
    const struct mapping *m = space_find(owner, va);
    if (!m)
        return false;
    uint64_t page = va & PAGE_MASK;
    *leaf = (struct translation){page, page, pte_of(m->protection), 12};
    return true;
}

static bool permits(const struct mapping *m, enum space_protection access)
{
    static const uint8_t needs[] = {[SPACE_READ] = PTE_R, [SPACE_WRITE] = PTE_W};
    return pte_of(m->protection) & needs[access];
}

uint64_t space_reach(const struct space *s, uint64_t va, uint64_t n, enum space_protection access)
{
    uint64_t next = va, end = va + n;
    if (va >= SPACE_BYTES)
        return 0;
    if (n > SPACE_BYTES - va)
        end = SPACE_BYTES;
    for (size_t at = first_behind(s, va); next < end; next = s->mappings[at++].end)
        if (at == s->count || s->mappings[at].start > next || !permits(&s->mappings[at], access))
            break;
    return min_u64(next, end) - va;
}

static void note_pages(struct space *s, uint64_t va, uint64_t n)
{
    for (uint64_t page = va / PAGE_BYTES; s->notes_stores && page <= (va + n - 1) / PAGE_BYTES;
         page++)
        s->marks[page] |= PAGE_STORED;
}

static void take_marks(struct space *s, void (*written)(void *owner, uint64_t va, uint64_t bytes),
                       void *owner)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct mapping *m = &s->mappings[i];
        if (!m->shared && m->protection & SPACE_WRITE)
            memory_take_written(s->memory, m->start, m->end - m->start, written, owner);
    }
}

static void ignore(void *owner, uint64_t va, uint64_t bytes)
{
    (void)owner;
    (void)va;
    (void)bytes;
}

void space_note_stores(struct space *s)
{
    take_marks(s, ignore, NULL);
    tlb_poison_all_stores(s->hart->tlb);
    s->notes_stores = true;
}

void space_take_stores(struct space *s, void (*written)(void *owner, uint64_t va, uint64_t bytes),
                       void *owner)
{
    if (!s->notes_stores)
        return;
    take_marks(s, written, owner);
    tlb_poison_all_stores(s->hart->tlb);
}

void *space_at(struct space *s, uint64_t va, uint64_t n, enum space_protection access)
{
    if (space_reach(s, va, n, access) != n)
        return NULL;
    if (n && access == SPACE_WRITE) {
        drop_code(s, va, n);
        note_pages(s, va, n);
    }
    return s->host + (n ? va : 0); /* none of any place: page 0, which is never mapped */
}

bool space_is_mapped(const struct space *s, uint64_t va, uint64_t n)
{
    if (va >= SPACE_BYTES || n > SPACE_BYTES - va)
        return false;
    size_t at = first_behind(s, va);
    for (uint64_t next = va; next < va + n; next = s->mappings[at++].end)
        if (at == s->count || s->mappings[at].start > next)
            return false;
    return true;
}

void space_will_change(struct space *s, uint64_t va, uint64_t n)
{
    if (n && va < SPACE_BYTES)
        drop_code(s, va, min_u64(n, SPACE_BYTES - va));
}

const char *space_string(struct space *s, uint64_t va)
{
    size_t at = first_behind(s, va);
    for (uint64_t next = va;; next = s->mappings[at++].end) {
        if (at == s->count || s->mappings[at].start > next ||
            !permits(&s->mappings[at], SPACE_READ))
            return NULL;
        if (memchr(s->host + next, 0, s->mappings[at].end - next))
            return (const char *)s->host + va;
    }
}

int space_copy_string(const struct space *s, uint64_t va, char *to, size_t room)
{
    size_t done = 0;
    for (size_t at = first_behind(s, va); done < room; at++) {
        const struct mapping *m = &s->mappings[at];
        uint64_t next = va + done;
        if (at == s->count || m->start > next || !permits(m, SPACE_READ))
            return -EFAULT;
        size_t n = min_u64(m->end - next, room - done);
        char *end = memccpy(to + done, s->host + next, 0, n);
        if (end) {
            end[-1] = 0;
            return 0;
        }
        done += n;
    }
    return -ENAMETOOLONG;
}

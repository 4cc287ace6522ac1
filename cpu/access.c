/* Memory as the hart sees it: the slow path behind the fast TLB tags.
 *
 * Order of checks for each access: translation (record, second level, page walk), PMP, then what
 * lies at the physical address. An access that runs over a page is checked on both pages before
 * anything is read or written. */
#include "cpu/hart.h"

#include "cpu/code.h"
#include "cpu/trigger.h"

/* Faults by access kind. */
static const enum cause page_fault[TLB_ACCESSES] = {CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE,
                                                    CAUSE_FETCH_PAGE};
static const enum cause access_fault[TLB_ACCESSES] = {CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS,
                                                      CAUSE_FETCH_ACCESS};

unsigned hart_data_priv(const struct hart *h)
{
    if (h->priv == PRIV_M && h->csr.mstatus & MSTATUS_MPRV)
        return h->csr.mstatus >> MSTATUS_MPP_SHIFT & 3;
    return h->priv;
}

static enum tlb_context context_of(const struct hart *h, unsigned priv)
{
    if (priv == PRIV_M)
        return TLB_M;
    if (priv == PRIV_U)
        return TLB_U;
    return h->csr.mstatus & MSTATUS_SUM ? TLB_S_SUM : TLB_S;
}

static unsigned priv_of(enum tlb_context context)
{
    return context == TLB_M ? PRIV_M : context == TLB_U ? PRIV_U : PRIV_S;
}

static enum tlb_context context_for(const struct hart *h, enum tlb_access access)
{
    if (access != TLB_FETCH)
        return context_of(h, hart_data_priv(h));
    return h->priv == PRIV_M ? TLB_M : h->priv == PRIV_U ? TLB_U : TLB_S;
}

void hart_update_translation(struct hart *h)
{
    enum tlb_context data = context_for(h, TLB_LOAD);
    h->load_tlb = h->tlb->fast[data][TLB_LOAD];
    h->store_tlb = h->tlb->fast[data][TLB_STORE];
    h->fetch_tlb = h->tlb->fast[context_for(h, TLB_FETCH)][TLB_FETCH];
}

void hart_flush_tlb(struct hart *h)
{
    tlb_flush_all(h->tlb);
    h->stats.flushes++;
    h->page_valid = false;
    hart_leave(h);
}

void hart_sfence_vma(struct hart *h, bool any_va, uint64_t va, bool any_asid, uint64_t asid)
{
    if (!any_va) {
        h->stats.fences_address++;
        tlb_flush_va(h->tlb, va, any_asid, (uint16_t)asid);
    } else if (!any_asid) {
        h->stats.fences_asid++;
        tlb_flush_asid(h->tlb, (uint16_t)asid);
    } else {
        h->stats.fences_all++;
        tlb_flush_all(h->tlb);
    }
    h->page_valid = false;
    hart_leave(h);
}

/* --- translation ------------------------------------------------------------------------------ */

static bool pte_allowed(void *owner, uint64_t gpa, enum tlb_access access)
{
    bool whole;
    return pmp_check(owner, gpa, 8, access, PRIV_S, &whole) == PMP_ALLOWED;
}

/* Whether a cached translation can answer this access: permission, and A and D already set. */
static bool translation_serves(const struct hart *h, const struct translation *t,
                               enum tlb_access access, enum tlb_context context)
{
    if (!(t->pte & PTE_A) || (access == TLB_STORE && !(t->pte & PTE_D)))
        return false;
    return walk_permits(t->pte, access, context == TLB_U, context == TLB_S_SUM,
                        h->csr.mstatus & MSTATUS_MXR);
}

static void log_walk(struct hart *h, uint64_t va, enum tlb_access access, enum walk_result result,
                     const struct translation *t)
{
    static const char *const kinds[TLB_ACCESSES] = {"load", "store", "fetch"};
    if (result == WALK_OK)
        log_line(h->ports.log, LOG_MMU,
                 "hart %u: %s 0x%llx -> 0x%llx, %u-bit page, pte bits 0x%02x", h->id, kinds[access],
                 (unsigned long long)va, (unsigned long long)t->pa, t->page_shift, t->pte);
    else
        log_line(h->ports.log, LOG_MMU, "hart %u: %s 0x%llx: %s fault", h->id, kinds[access],
                 (unsigned long long)va, result == WALK_PAGE_FAULT ? "page" : "access");
}

/* Code was dropped behind the hart's back, by DMA that a device access started or by an A or D bit:
 * it may be the running block. */
static void leave_if_dropped(struct hart *h, uint64_t dropped_before)
{
    if (h->ports.code->stats.pages_dropped != dropped_before)
        hart_leave(h);
}

struct walk_request hart_walk_request(const struct hart *h)
{
    return (struct walk_request){
        .memory = h->ports.memory,
        .satp = h->csr.satp,
        .svadu = h->csr.menvcfg & ENVCFG_ADUE,
        .svpbmt = h->csr.menvcfg & ENVCFG_PBMTE,
        .svnapot = h->isa.svnapot,
        .pte_allowed = pte_allowed,
        .owner = (void *)(uintptr_t)h,
        .find_leaf = h->ports.find_leaf,
        .leaf_owner = h->ports.leaf_owner,
    };
}

static bool walk_page(struct hart *h, uint64_t va, enum tlb_access access, enum tlb_context context,
                      struct translation *t)
{
    struct walk_request request = hart_walk_request(h);
    uint64_t dropped = h->ports.code->stats.pages_dropped;
    enum walk_result result = walk(&request, va, access, context == TLB_U, context == TLB_S_SUM,
                                   h->csr.mstatus & MSTATUS_MXR, t);
    leave_if_dropped(h, dropped);
    if (UNLIKELY(log_wants(h->ports.log, LOG_MMU)))
        log_walk(h, va, access, result, t);
    if (hart_is_watched(h, NOTICE_WALK))
        hart_notify(h, &(struct notice){.kind = NOTICE_WALK,
                                        .address = va,
                                        .value = result == WALK_OK ? t->pa : 0,
                                        .number = access,
                                        .failed = result != WALK_OK});
    switch (result) {
    case WALK_OK:
        return true;
    case WALK_PAGE_FAULT:
        return hart_raise(h, page_fault[access], va);
    default:
        return hart_raise(h, access_fault[access], va);
    }
}

/* The physical page of va. */
static bool translate(struct hart *h, uint64_t va, enum tlb_access access, enum tlb_context context,
                      uint64_t *pa)
{
    if (context == TLB_M || h->csr.satp >> SATP_MODE_SHIFT == SATP_BARE) {
        h->stats.bare[access]++;
        *pa = va & PAGE_MASK;
        return true;
    }
    uint16_t asid = (uint16_t)(h->csr.satp >> SATP_ASID_SHIFT);
    const struct translation *cached = tlb_find(h->tlb, va, asid);
    if (cached && translation_serves(h, cached, access, context)) {
        h->stats.from_l2[access]++;
        *pa = cached->pa;
        return true;
    }
    struct translation t;
    h->stats.walks[access]++;
    hpm_count(h, HPM_TLB_MISS + access);
    if (!walk_page(h, va, access, context, &t))
        return false;
    tlb_insert(h->tlb, &t, asid);
    *pa = t.pa;
    return true;
}

/* The record of va's page, filled if need be; NULL: h->trap is filled. A page that PMP denies as a
 * whole is not entered. */
static const struct tlb_record *find_record(struct hart *h, uint64_t va, enum tlb_access access)
{
    enum tlb_context context = context_for(h, access);
    struct tlb_record *record = &h->tlb->records[context][access][tlb_index(va)];
    if (record->va == (va & PAGE_MASK)) {
        h->stats.from_record[access]++;
        return record;
    }
    uint64_t pa;
    if (!translate(h, va, access, context, &pa))
        return NULL;
    bool whole;
    enum pmp_result result = pmp_check(h, pa, PAGE_BYTES, access, priv_of(context), &whole);
    if (whole && result == PMP_DENIED) {
        hart_raise(h, access_fault[access], va);
        return NULL;
    }
    *record = (struct tlb_record){.va = va & PAGE_MASK, .pa = pa, .split = !whole};
    h->tlb->fast[context][access][tlb_index(va)].tag = TLB_NO_TAG;
    tlb_mark_used(h->tlb, context, access, tlb_index(va));
    return record;
}

/* --- watchpoints ------------------------------------------------------------------------------ */

void hart_set_watches(struct hart *h, const struct watch *watches, unsigned count)
{
    h->watches = watches;
    h->watch_count = count;
    tlb_poison_all(h->tlb);
}

/* Whether accesses of this kind to the page must be looked at. Atomics load through the tag of
 * stores. */
static bool is_watched(const struct hart *h, uint64_t page_va, enum tlb_access access)
{
    static const unsigned kinds[TLB_ACCESSES] = {
        [TLB_LOAD] = WATCH_LOADS, [TLB_STORE] = WATCH_LOADS | WATCH_STORES, [TLB_FETCH] = 0};
    for (unsigned i = 0; i < h->watch_count; i++)
        if (h->watches[i].kinds & kinds[access] &&
            watch_covers(&h->watches[i], page_va, PAGE_BYTES))
            return true;
    return false;
}

/* The access was made. If the guest's own wish ends the loop with this instruction, it is first. */
static void note_access(struct hart *h, uint64_t va, uint64_t size, unsigned kinds)
{
    for (unsigned i = 0; i < h->watch_count; i++) {
        const struct watch *w = &h->watches[i];
        if (!(w->kinds & kinds) || !watch_covers(w, va, size) || h->stop != HART_RAN)
            continue;
        h->watch_hit = *w;
        if (va - w->va < w->length)
            h->watch_hit.va = va;
        h->stop = HART_WATCHPOINT;
        hart_leave(h);
    }
}

/* --- one page --------------------------------------------------------------------------------- */

/* Lets the next access of this kind to the page take the fast path. */
static void open_fast_path(struct hart *h, const struct tlb_record *record, enum tlb_access access,
                           uint64_t addend)
{
    if (h->stress || record->split || is_watched(h, record->va, access))
        return;
    if (UNLIKELY(h->triggers_on & TRIGGERS_DATA) && access != TLB_FETCH &&
        trigger_watches_page(h, record->va))
        return;
    enum tlb_context context = context_for(h, access);
    struct tlb_fast *fast = &h->tlb->fast[context][access][tlb_index(record->va)];
    *fast = (struct tlb_fast){record->va, addend};
}

/* One piece of an access: within one page, translated and allowed. */
struct piece {
    const struct tlb_record *record;
    uint64_t pa;
    struct region *region;
};

static bool find_piece(struct hart *h, uint64_t va, unsigned size, enum tlb_access access,
                       struct piece *piece)
{
    const struct tlb_record *record = find_record(h, va, access);
    if (!record)
        return false;
    uint64_t pa = record->pa + va % PAGE_BYTES;
    if (record->split) {
        bool whole;
        unsigned priv = priv_of(context_for(h, access));
        if (pmp_check(h, pa, size, access, priv, &whole) == PMP_DENIED)
            return hart_raise(h, access_fault[access], va);
    }
    struct memory_map *memory = h->ports.memory;
    *piece = (struct piece){
        record, pa, access == TLB_FETCH ? memory_find(memory, pa) : memory_find_data(memory, pa)};
    if (!piece->region || (access == TLB_STORE && piece->region->kind == REGION_ROM))
        return hart_raise(h, access_fault[access], va);
    return true;
}

static uint8_t *piece_hva(const struct piece *piece)
{
    return piece->region->hva + (piece->pa - piece->region->base);
}

/* A device looks at the clock: it shows the hart's present. */
static void show_time(struct hart *h)
{
    h->ports.clock->now_ns = hart_now_ns(h);
}

static void notify_mmio(struct hart *h, uint64_t va, unsigned size, const struct piece *piece,
                        uint64_t value, bool store)
{
    hart_notify(h, &(struct notice){.kind = NOTICE_MMIO,
                                    .address = piece->pa,
                                    .value = value,
                                    .start = va,
                                    .number = size,
                                    .store = store});
}

static bool load_piece(struct hart *h, uint64_t va, unsigned size, const struct piece *piece,
                       uint64_t *value)
{
    *value = 0;
    if (region_load_is_mmio(piece->region)) {
        uint64_t dropped = h->ports.code->stats.pages_dropped;
        show_time(h);
        h->stats.mmio_loads++;
        if (!memory_mmio_read(h->ports.memory, piece->pa, size, value))
            return hart_raise(h, CAUSE_LOAD_ACCESS, va);
        if (hart_is_watched(h, NOTICE_MMIO))
            notify_mmio(h, va, size, piece, *value, false);
        leave_if_dropped(h, dropped);
        return true;
    }
    memcpy(value, piece_hva(piece), size);
    /* Flash never gets a fast tag: its device could not take it back from every hart. */
    if (piece->region->kind != REGION_ROM_DEVICE)
        open_fast_path(h, piece->record, TLB_LOAD, (uint64_t)(uintptr_t)piece_hva(piece) - va);
    return true;
}

/* The bytes of RAM at pa changed, or are about to: marks the page, drops decoded code. True: the
 * page still needs the slow path. */
static bool note_store(struct hart *h, const struct piece *piece, unsigned size)
{
    uint8_t *mark = &piece->region->marks[(piece->pa - piece->region->base) / PAGE_BYTES];
    *mark |= PAGE_STORED;
    if (*mark & PAGE_WATCHED)
        memory_note_watched(h->ports.memory, piece->pa, size);
    if (!(*mark & PAGE_HAS_CODE))
        return *mark & PAGE_WATCHED;
    h->stats.stores_to_code_pages++;
    if (code_written(h->ports.code, piece->pa, size) && (piece->pa & PAGE_MASK) == h->page_pa)
        hart_leave(h);
    return *mark & (PAGE_HAS_CODE | PAGE_WATCHED);
}

static bool store_piece(struct hart *h, uint64_t va, unsigned size, const struct piece *piece,
                        uint64_t value)
{
    if (region_store_is_mmio(piece->region)) {
        uint64_t dropped = h->ports.code->stats.pages_dropped;
        show_time(h);
        h->stats.mmio_stores++;
        if (!memory_mmio_write(h->ports.memory, piece->pa, size, value))
            return hart_raise(h, CAUSE_STORE_ACCESS, va);
        if (hart_is_watched(h, NOTICE_MMIO))
            notify_mmio(h, va, size, piece, value, true);
        leave_if_dropped(h, dropped);
        return true;
    }
    memory_before_write(h->ports.memory, piece->region, piece->pa);
    memcpy(piece_hva(piece), &value, size);
    if (!note_store(h, piece, size))
        open_fast_path(h, piece->record, TLB_STORE, (uint64_t)(uintptr_t)piece_hva(piece) - va);
    return true;
}

/* --- loads and stores ------------------------------------------------------------------------- */

/* Bytes of the access that lie on the first page. */
static unsigned bytes_on_page(uint64_t va, unsigned size)
{
    return (unsigned)min_u64(size, PAGE_BYTES - va % PAGE_BYTES);
}

static bool is_mmio(const struct piece *piece, enum tlb_access access)
{
    return access == TLB_LOAD ? region_load_is_mmio(piece->region)
                              : region_store_is_mmio(piece->region);
}

/* An access over a page boundary is split: devices are not reached this way. Neighbouring pages
 * have different first-level entries, so that the first record outlives the second look-up. */
static bool find_two_pieces(struct hart *h, uint64_t va, unsigned size, unsigned first,
                            enum tlb_access access, struct piece pieces[2])
{
    h->stats.over_two_pages++;
    if (!find_piece(h, va, first, access, &pieces[0]))
        return false;
    if (!find_piece(h, va + first, size - first, access, &pieces[1]))
        return false;
    if (is_mmio(&pieces[0], access) || is_mmio(&pieces[1], access))
        return hart_raise(h, access_fault[access], va);
    return true;
}

bool hart_load(struct hart *h, uint64_t va, unsigned size, uint64_t *value)
{
    unsigned first = bytes_on_page(va, size);
    struct piece pieces[2];
    if (!trigger_permits(h, va, size, TRIGGER_LOAD))
        return false;
    if (first == size) {
        if (!find_piece(h, va, size, TLB_LOAD, &pieces[0]) ||
            !load_piece(h, va, size, &pieces[0], value))
            return false;
        note_access(h, va, size, WATCH_LOADS);
        return true;
    }
    uint64_t low, high;
    if (!find_two_pieces(h, va, size, first, TLB_LOAD, pieces) ||
        !load_piece(h, va, first, &pieces[0], &low) ||
        !load_piece(h, va + first, size - first, &pieces[1], &high))
        return false;
    *value = low | high << (8 * first);
    note_access(h, va, size, WATCH_LOADS);
    return true;
}

bool hart_store(struct hart *h, uint64_t va, unsigned size, uint64_t value)
{
    unsigned first = bytes_on_page(va, size);
    struct piece pieces[2];
    bool ok;
    if (!trigger_permits(h, va, size, TRIGGER_STORE))
        return false;
    if (first == size)
        ok = find_piece(h, va, size, TLB_STORE, &pieces[0]) &&
             store_piece(h, va, size, &pieces[0], value);
    else
        ok = find_two_pieces(h, va, size, first, TLB_STORE, pieces) &&
             store_piece(h, va, first, &pieces[0], value) &&
             store_piece(h, va + first, size - first, &pieces[1], value >> (8 * first));
    if (ok)
        note_access(h, va, size, WATCH_STORES);
    return ok;
}

/* --- atomics ---------------------------------------------------------------------------------- */

static bool is_ram(const struct piece *piece)
{
    return piece->region->kind == REGION_RAM;
}

static void *writable_address(struct hart *h, uint64_t va, unsigned size)
{
    struct piece piece;
    if (va & (size - 1)) {
        hart_raise(h, CAUSE_STORE_MISALIGNED, va);
        return NULL;
    }
    if (!find_piece(h, va, size, TLB_STORE, &piece))
        return NULL;
    if (!is_ram(&piece)) {
        hart_raise(h, CAUSE_STORE_ACCESS, va);
        return NULL;
    }
    memory_before_write(h->ports.memory, piece.region, piece.pa);
    if (!note_store(h, &piece, size))
        open_fast_path(h, piece.record, TLB_STORE, (uint64_t)(uintptr_t)piece_hva(&piece) - va);
    return piece_hva(&piece);
}

void *hart_amo_address(struct hart *h, uint64_t va, unsigned size)
{
    if (!trigger_permits(h, va, size, TRIGGER_LOAD | TRIGGER_STORE))
        return NULL;
    void *at = writable_address(h, va, size);
    if (at)
        note_access(h, va, size, WATCH_LOADS | WATCH_STORES);
    return at;
}

bool hart_load_reserved(struct hart *h, uint64_t va, unsigned size, uint64_t *value)
{
    struct piece piece;
    if (!trigger_permits(h, va, size, TRIGGER_LOAD))
        return false;
    if (va & (size - 1))
        return hart_raise(h, CAUSE_LOAD_MISALIGNED, va);
    if (!find_piece(h, va, size, TLB_LOAD, &piece))
        return false;
    if (!is_ram(&piece))
        return hart_raise(h, CAUSE_LOAD_ACCESS, va);
    if (!load_piece(h, va, size, &piece, value))
        return false;
    h->reservation_valid = true;
    h->reservation_pa = piece.pa;
    h->reservation_value = *value;
    note_access(h, va, size, WATCH_LOADS);
    return true;
}

/* The reservation is the loaded value: a store-conditional succeeds when the memory still (or
 * again) holds it. This ABA is what a compare-and-swap gives parallel harts as well. */
bool hart_store_conditional(struct hart *h, uint64_t va, unsigned size, uint64_t value,
                            bool *stored)
{
    bool reserved = h->reservation_valid;
    if (!trigger_permits(h, va, size, TRIGGER_STORE))
        return false;
    h->reservation_valid = false;
    *stored = false;
    void *at = writable_address(h, va, size);
    if (!at)
        return false;
    struct tlb_record *record =
        &h->tlb->records[context_for(h, TLB_STORE)][TLB_STORE][tlb_index(va)];
    uint64_t now = 0;
    memcpy(&now, at, size);
    if (!reserved || h->reservation_pa != record->pa + va % PAGE_BYTES ||
        now != h->reservation_value)
        return true;
    memcpy(at, &value, size);
    *stored = true;
    note_access(h, va, size, WATCH_STORES);
    return true;
}

/* --- cache blocks (Zicbom, Zicboz) ------------------------------------------------------- */

/* All of the block that holds va must be accessible: a PMP boundary may cut it. */
static bool find_cache_block(struct hart *h, uint64_t va, enum tlb_access access,
                             struct piece *piece)
{
    uint64_t block = va & ~(uint64_t)(CACHE_BLOCK_BYTES - 1);
    if (find_piece(h, block, CACHE_BLOCK_BYTES, access, piece))
        return true;
    h->trap.tval = va;
    return false;
}

/* A block operation faults as a store does, but needs no more than permission to load. */
bool hart_probe_cache_block(struct hart *h, uint64_t va)
{
    struct piece piece;
    if (find_cache_block(h, va, TLB_LOAD, &piece))
        return true;
    bool page = h->trap.cause == CAUSE_LOAD_PAGE;
    return hart_raise(h, page ? CAUSE_STORE_PAGE : CAUSE_STORE_ACCESS, va);
}

bool hart_zero_cache_block(struct hart *h, uint64_t va)
{
    struct piece piece;
    uint64_t block = va & ~(uint64_t)(CACHE_BLOCK_BYTES - 1);
    if (!trigger_permits(h, block, CACHE_BLOCK_BYTES, TRIGGER_STORE) ||
        !find_cache_block(h, va, TLB_STORE, &piece))
        return false;
    if (!is_ram(&piece))
        return hart_raise(h, CAUSE_STORE_ACCESS, va);
    memory_before_write(h->ports.memory, piece.region, piece.pa);
    memset(piece_hva(&piece), 0, CACHE_BLOCK_BYTES);
    if (!note_store(h, &piece, CACHE_BLOCK_BYTES))
        open_fast_path(h, piece.record, TLB_STORE, (uint64_t)(uintptr_t)piece_hva(&piece) - block);
    note_access(h, block, CACHE_BLOCK_BYTES, WATCH_STORES);
    return true;
}

/* --- fetch ------------------------------------------------------------------------------------ */

/* Physical page of va for fetching; false: h->trap is filled. */
static bool fetch_page(struct hart *h, uint64_t va, unsigned size, uint64_t *page_pa)
{
    struct piece piece;
    if (!find_piece(h, va, size, TLB_FETCH, &piece))
        return false;
    if (piece.region->kind == REGION_DEVICE)
        return hart_raise(h, CAUSE_FETCH_ACCESS, va);
    *page_pa = piece.record->pa;
    open_fast_path(h, piece.record, TLB_FETCH, *page_pa);
    return true;
}

static uint16_t read_parcel(const struct hart *h, uint64_t pa)
{
    const struct region *region = memory_find(h->ports.memory, pa);
    uint16_t parcel = 0;
    if (region && region->hva)
        memcpy(&parcel, region->hva + (pa - region->base), 2);
    return parcel;
}

/* A page that PMP cuts is never kept: page_valid stays false, and the run loop then executes one
 * instruction and comes back here, so that each is checked. */
bool hart_enter_page(struct hart *h, uint64_t va)
{
    if (h->page_valid && (va & PAGE_MASK) == h->page_va)
        return true;
    const struct tlb_fast *fast = &h->fetch_tlb[tlb_index(va)];
    if (fast->tag == (va & PAGE_MASK)) { /* a page that is cut never has a fast tag */
        h->page_va = fast->tag;
        h->page_pa = fast->addend;
        h->page_valid = true;
        return true;
    }
    uint64_t page_pa;
    if (!fetch_page(h, va, 2, &page_pa))
        return false;
    h->page_va = va & PAGE_MASK;
    h->page_pa = page_pa;
    h->page_valid = !find_record(h, va, TLB_FETCH)->split;
    if (h->page_valid || va % PAGE_BYTES == PAGE_BYTES - 2)
        return true;
    bool wide = (read_parcel(h, page_pa + va % PAGE_BYTES) & 3) == 3;
    return !wide || fetch_page(h, va + 2, 2, &page_pa);
}

bool hart_is_on_page(const struct hart *h)
{
    if ((h->pc & PAGE_MASK) != h->page_va)
        return false;
    const struct tlb_record *record =
        &h->tlb->records[context_for(h, TLB_FETCH)][TLB_FETCH][tlb_index(h->pc)];
    bool is_cut = record->va == h->page_va && record->pa == h->page_pa && record->split;
    return h->page_valid || is_cut;
}

bool hart_straddling_word(struct hart *h, uint32_t *word)
{
    uint64_t second_pa;
    if (!fetch_page(h, h->pc + 2, 2, &second_pa))
        return false;
    *word = read_parcel(h, h->page_pa + PAGE_BYTES - 2) | (uint32_t)read_parcel(h, second_pa) << 16;
    return true;
}

/* The instruction word at h->pc, for tval; less its second half if that cannot be read any more. */
static uint32_t instruction_at_pc(struct hart *h)
{
    uint64_t pa = h->page_pa + h->pc % PAGE_BYTES;
    uint16_t low = read_parcel(h, pa);
    if ((low & 3) != 3)
        return low;
    uint32_t word = 0;
    if (h->pc % PAGE_BYTES == PAGE_BYTES - 2)
        return hart_straddling_word(h, &word) ? word : low;
    return low | (uint32_t)read_parcel(h, pa + 2) << 16;
}

bool hart_raise_illegal(struct hart *h)
{
    return hart_raise(h, CAUSE_ILLEGAL, instruction_at_pc(h));
}

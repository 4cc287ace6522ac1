/* Returning to one moment (contract: checkpoint.h).
 *
 * Invariants: a page of RAM that is not PAGE_FROZEN is in `dirty`, and its bytes of the moment are
 * kept. What is kept stays kept: the page will be written again. */
#include "machine/checkpoint.h"

#include "base/os.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/record.h"

#include <stdlib.h>

#define RAMS_MAX 8u

struct kept_ram {
    const struct region *ram;
    const uint8_t **pages; /* by number; NULL: not written yet */
};

struct dirty_page {
    unsigned ram; /* of rams */
    uint64_t page;
};

struct moment {
    struct machine *m;
    struct state *state;
    uint64_t disks[MACHINE_DRIVES_MAX];
    struct kept_ram rams[RAMS_MAX];
    unsigned ram_count;
    struct dirty_page *dirty;
    size_t dirty_count, dirty_capacity, kept_count;
    bool is_out_of_memory;
};

static const uint8_t zeroes[PAGE_BYTES];

/* --- pages ---------------------------------------------------------------------------------- */

static size_t table_bytes(const struct region *ram)
{
    return ram->size / PAGE_BYTES * sizeof(uint8_t *);
}

static bool keep_page(struct moment *k, struct kept_ram *r, uint64_t page)
{
    if (r->pages[page])
        return true;
    if (memory_page_is_zero(r->ram, page)) {
        r->pages[page] = zeroes;
        return true;
    }
    uint8_t *copy = malloc(PAGE_BYTES);
    if (!copy)
        return false;
    memcpy(copy, r->ram->hva + page * PAGE_BYTES, PAGE_BYTES);
    r->pages[page] = copy;
    k->kept_count++;
    return true;
}

static bool add_dirty(struct moment *k, unsigned ram, uint64_t page)
{
    if (k->dirty_count == k->dirty_capacity) {
        size_t capacity = 2 * k->dirty_capacity + 64;
        struct dirty_page *grown = realloc(k->dirty, capacity * sizeof *grown);
        if (!grown)
            return false;
        k->dirty = grown;
        k->dirty_capacity = capacity;
    }
    k->dirty[k->dirty_count++] = (struct dirty_page){ram, page};
    return true;
}

/* A page is about to be written for the first time since the machine was at the moment. */
static void on_thaw(void *owner, const struct region *ram, uint64_t page)
{
    struct moment *k = owner;
    unsigned i = 0;
    while (k->rams[i].ram != ram)
        i++;
    if (!keep_page(k, &k->rams[i], page) || !add_dirty(k, i, page))
        k->is_out_of_memory = true;
}

static bool put_pages_back(struct moment *k)
{
    for (size_t i = 0; i < k->dirty_count; i++) {
        const struct kept_ram *r = &k->rams[k->dirty[i].ram];
        uint64_t page = k->dirty[i].page, gpa = r->ram->base + page * PAGE_BYTES;
        if (!memory_load(k->m->memory, gpa, r->pages[page], PAGE_BYTES))
            return false;
        memory_freeze_page(k->m->memory, gpa);
    }
    k->dirty_count = 0;
    return true;
}

/* --- taking it ------------------------------------------------------------------------------- */

static bool find_rams(struct moment *k, struct error *err)
{
    const struct region *r;
    for (unsigned i = 0; (r = memory_region(k->m->memory, i)) != NULL; i++) {
        if (r->kind != REGION_RAM)
            continue;
        if (k->ram_count == RAMS_MAX)
            return error_set(err, "the machine has more than %u pieces of RAM", RAMS_MAX);
        const uint8_t **pages = os_reserve(table_bytes(r));
        if (!pages)
            return error_set(err, "no memory for a checkpoint");
        k->rams[k->ram_count++] = (struct kept_ram){r, pages};
    }
    return true;
}

static bool keep_disks(struct moment *k, struct error *err)
{
    struct drives *d = k->m->drives;
    for (unsigned i = 0; i < d->count; i++) {
        struct block *b = d->items[i].block;
        enum block_status status = block_settle(b);
        if (status != BLOCK_OK)
            return error_set(err, "drive %s cannot be brought to rest: %s", d->items[i].id,
                             block_status_text(status));
        if (!block_keep_history(b, err))
            return false;
        k->disks[i] = block_moment(b);
    }
    return true;
}

static bool take(struct moment *k, struct error *err)
{
    struct machine *m = k->m;
    if (!find_rams(k, err) || !keep_disks(k, err) || !(k->state = machine_save_but_ram(m, err)))
        return false;
    memory_freeze(m->memory, on_thaw, k);
    for (unsigned i = 0; i < m->config.harts; i++)
        tlb_poison_all_stores(m->harts[i]->tlb);
    return true;
}

bool machine_take_checkpoint(struct machine *m, struct error *err)
{
    if (m->history)
        return error_set(err, "the machine keeps its past (-history): goto leads back");
    if (machine_is_recorded(m))
        return error_set(err, "the machine is recorded: it cannot return to another moment");
    machine_forget_checkpoint(m);
    m->moment = calloc(1, sizeof *m->moment);
    if (!m->moment)
        return error_set(err, "no memory for a checkpoint");
    m->moment->m = m;
    if (take(m->moment, err))
        return true;
    machine_forget_checkpoint(m);
    return false;
}

static void free_ram(struct kept_ram *r)
{
    for (uint64_t page = 0; page < r->ram->size / PAGE_BYTES; page++)
        if (r->pages[page] != zeroes)
            free((void *)(uintptr_t)r->pages[page]);
    os_release((void *)r->pages, table_bytes(r->ram));
}

void machine_forget_checkpoint(struct machine *m)
{
    struct moment *k = m->moment;
    if (!k)
        return;
    memory_freeze(m->memory, NULL, NULL);
    for (unsigned i = 0; i < m->drives->count && !m->config.history_bytes; i++)
        block_forget_history(m->drives->items[i].block);
    for (unsigned i = 0; i < k->ram_count; i++)
        free_ram(&k->rams[i]);
    state_free(k->state);
    free(k->dirty);
    free(k);
    m->moment = NULL;
}

/* --- returning ------------------------------------------------------------------------------- */

static bool disks_return(struct moment *k, struct error *err)
{
    struct drives *d = k->m->drives;
    for (unsigned i = 0; i < d->count; i++) {
        struct block *b = d->items[i].block;
        if (block_is_read_only(b))
            continue;
        enum block_status status = block_settle(b);
        if (status == BLOCK_OK)
            status = block_go_back(b, k->disks[i]);
        if (status != BLOCK_OK)
            return error_set(err, "drive %s cannot go back: %s", d->items[i].id,
                             block_status_text(status));
    }
    return true;
}

bool machine_return(struct machine *m, bool *is_intact, struct error *err)
{
    struct moment *k = m->moment;
    size_t n;
    *is_intact = true;
    if (!k)
        return error_set(err, "there is no checkpoint");
    if (k->is_out_of_memory)
        return error_set(err, "the host had no memory for the checkpoint");
    *is_intact = false;
    m->ends = m->wants_reset = false;
    input_close(m->door, true); /* what waits is not of that moment */
    input_close(m->door, false);
    boot_nothing(m); /* requests under way are given up */
    const void *state = state_data(k->state, &n);
    if (!put_pages_back(k))
        return error_set(err, "a page of RAM cannot be put back");
    return disks_return(k, err) && machine_load_but_ram(m, state, n, err);
}

bool machine_checkpoint_figures(const struct machine *m, struct machine_checkpoint_figures *f)
{
    const struct moment *k = m->moment;
    size_t state;
    if (!k)
        return false;
    state_data(k->state, &state);
    *f = (struct machine_checkpoint_figures){.dirty_pages = k->dirty_count,
                                             .kept_pages = k->kept_count,
                                             .bytes = k->kept_count * PAGE_BYTES + state +
                                                      k->dirty_capacity * sizeof *k->dirty};
    return true;
}

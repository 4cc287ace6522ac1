/* The past of a machine (contract: history.h).
 *
 * Checkpoint i has the pages that were written between it and checkpoint i + 1 (or the present), as
 * they were at i. To go back to k: the pages of the newest checkpoint are put back, then those of
 * the one before, and so on to those of k. A checkpoint in between is given up by handing its pages
 * to the one before it, unless that one has its own of the same place, which is older and right.
 *
 * Checkpoints are taken where a round begins, before anything of it happens: recorder_round calls
 * history_round. */
#include "machine/history.h"

#include "machine/chardevs.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/nets.h"
#include "machine/record.h"

#include <inttypes.h>
#include <stdlib.h>

/* Beside the place that was gone to a checkpoint is taken, so that going back from there by little
 * costs little. */
#define NEAR_STEPS (1ull << 19)

struct kept_page {
    const struct region *ram;
    uint64_t page;
    uint8_t *bytes; /* NULL: it was zero */
};

struct checkpoint {
    uint64_t steps; /* all harts' */
    uint64_t hart_steps[MACHINE_MAX_HARTS];
    struct state *state;
    struct recorder_place place;
    uint64_t disk_moments[MACHINE_DRIVES_MAX];
    struct kept_page *pages; /* in the order in which they were written */
    size_t page_count, page_capacity;
    size_t bytes; /* host memory for it */
};

struct history {
    struct machine *m;
    struct checkpoint *items;
    unsigned count, capacity;
    size_t bytes;    /* of all items */
    uint64_t wanted; /* a checkpoint is wanted at the first round from here on */
    bool is_out_of_memory;
};

/* --- checkpoints -------------------------------------------------------------------------- */

static struct checkpoint *newest(struct history *h)
{
    return &h->items[h->count - 1];
}

static void free_pages(struct history *h, struct checkpoint *c)
{
    size_t bytes = c->page_capacity * sizeof *c->pages;
    for (size_t i = 0; i < c->page_count; i++) {
        bytes += c->pages[i].bytes ? PAGE_BYTES : 0;
        free(c->pages[i].bytes);
    }
    free(c->pages);
    c->pages = NULL;
    c->page_count = c->page_capacity = 0;
    c->bytes -= bytes;
    h->bytes -= bytes;
}

/* Not from the list. */
static void free_checkpoint(struct history *h, struct checkpoint *c)
{
    free_pages(h, c);
    state_free(c->state);
    h->bytes -= c->bytes;
}

static void drop_newest(struct history *h)
{
    free_checkpoint(h, newest(h));
    h->count--;
}

static void grow(struct history *h, struct checkpoint *c, size_t bytes)
{
    c->bytes += bytes;
    h->bytes += bytes;
}

static bool add_page(struct history *h, struct checkpoint *c, const struct kept_page *page)
{
    if (c->page_count == c->page_capacity) {
        size_t capacity = 2 * c->page_capacity + 64;
        struct kept_page *grown = realloc(c->pages, capacity * sizeof *grown);
        if (!grown)
            return false;
        grow(h, c, (capacity - c->page_capacity) * sizeof *grown);
        c->pages = grown;
        c->page_capacity = capacity;
    }
    c->pages[c->page_count++] = *page;
    if (page->bytes)
        grow(h, c, PAGE_BYTES);
    return true;
}

/* A page of RAM is about to be written for the first time since the newest checkpoint. */
static void on_thaw(void *owner, const struct region *ram, uint64_t page)
{
    struct history *h = owner;
    struct kept_page kept = {.ram = ram, .page = page};
    if (!memory_page_is_zero(ram, page)) {
        kept.bytes = malloc(PAGE_BYTES);
        if (kept.bytes)
            memcpy(kept.bytes, ram->hva + page * PAGE_BYTES, PAGE_BYTES);
        else
            h->is_out_of_memory = true;
    }
    if (!add_page(h, newest(h), &kept)) {
        free(kept.bytes);
        h->is_out_of_memory = true;
    }
}

static void freeze(struct history *h)
{
    struct machine *m = h->m;
    memory_freeze(m->memory, on_thaw, h);
    for (unsigned i = 0; i < m->config.harts; i++)
        tlb_poison_all_stores(m->harts[i]->tlb);
}

static bool reserve(struct history *h)
{
    if (h->count < h->capacity)
        return true;
    unsigned capacity = 2 * h->capacity + 16;
    struct checkpoint *grown = realloc(h->items, capacity * sizeof *grown);
    if (!grown)
        return false;
    h->items = grown;
    h->capacity = capacity;
    return true;
}

static bool take_checkpoint(struct history *h)
{
    struct machine *m = h->m;
    size_t size;
    struct error ignored;
    struct checkpoint c = {.steps = machine_steps(m), .place = recorder_place(m->recorder)};
    if (!reserve(h) || !(c.state = machine_save_but_ram(m, &ignored)))
        return false;
    for (unsigned i = 0; i < m->config.harts; i++)
        c.hart_steps[i] = m->harts[i]->steps;
    for (unsigned i = 0; i < m->drives->count; i++)
        c.disk_moments[i] = block_moment(m->drives->items[i].block);
    state_data(c.state, &size);
    h->items[h->count++] = c;
    grow(h, newest(h), sizeof c + size);
    freeze(h);
    h->wanted = c.steps + h->m->config.history_steps;
    return true;
}

/* --- giving up ---------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct kept_page *x = a, *y = b;
    if (x->ram != y->ram)
        return x->ram < y->ram ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

/* The pages of checkpoint i + 1 that checkpoint i has not become its own. */
static bool merge_pages(struct history *h, struct checkpoint *c, struct checkpoint *next)
{
    size_t own = c->page_count;
    qsort(c->pages, own, sizeof *c->pages, by_place);
    for (size_t i = 0; i < next->page_count; i++) {
        struct kept_page *page = &next->pages[i];
        bool is_there = own && bsearch(page, c->pages, own, sizeof *page, by_place);
        if (!is_there && !add_page(h, c, page))
            return false;
        if (!is_there && page->bytes) { /* it has another owner */
            page->bytes = NULL;
            next->bytes -= PAGE_BYTES;
            h->bytes -= PAGE_BYTES;
        }
    }
    return true;
}

static void give_up(struct history *h, unsigned i)
{
    struct checkpoint *c = &h->items[i];
    if (!merge_pages(h, c - 1, c))
        h->is_out_of_memory = true;
    free_checkpoint(h, c);
    memmove(c, c + 1, (h->count - i - 1) * sizeof *c);
    h->count--;
}

/* The one whose gap would be the smallest for its age. The first and the newest stay. */
static unsigned least_wanted(const struct history *h)
{
    uint64_t now = h->items[h->count - 1].steps;
    double least = 0;
    unsigned found = 0;
    for (unsigned i = 1; i + 1 < h->count; i++) {
        double gap = (double)(h->items[i + 1].steps - h->items[i - 1].steps);
        double weight = gap / (double)(now - h->items[i].steps + 1);
        if (!found || weight < least) {
            least = weight;
            found = i;
        }
    }
    return found;
}

static uint64_t disk_bytes(const struct history *h)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < h->m->drives->count; i++)
        bytes += block_history_memory(h->m->drives->items[i].block);
    return bytes;
}

static void keep_within_budget(struct history *h)
{
    unsigned victim;
    while (h->bytes + disk_bytes(h) > h->m->config.history_bytes && (victim = least_wanted(h)) != 0)
        give_up(h, victim);
}

void history_round(struct history *h)
{
    if (h->is_out_of_memory || (h->count && machine_steps(h->m) < h->wanted))
        return;
    if (take_checkpoint(h))
        keep_within_budget(h);
    else
        h->is_out_of_memory = true;
}

/* --- going back --------------------------------------------------------------------------- */

static bool put_pages_back(struct history *h, const struct checkpoint *c)
{
    static const uint8_t zeroes[PAGE_BYTES];
    for (size_t i = 0; i < c->page_count; i++) {
        const struct kept_page *p = &c->pages[i];
        if (!memory_load(h->m->memory, p->ram->base + p->page * PAGE_BYTES,
                         p->bytes ? p->bytes : zeroes, PAGE_BYTES))
            return false;
    }
    return true;
}

static bool disks_go_back(struct history *h, const struct checkpoint *c, struct error *err)
{
    struct drives *d = h->m->drives;
    for (unsigned i = 0; i < d->count; i++) {
        enum block_status status = block_settle(d->items[i].block);
        if (status == BLOCK_OK)
            status = block_go_back(d->items[i].block, c->disk_moments[i]);
        if (status != BLOCK_OK)
            return error_set(err, "drive %s cannot go back: %s", d->items[i].id,
                             block_status_text(status));
    }
    return true;
}

/* The machine is what it was at checkpoint k; later ones are gone. */
static bool restore(struct history *h, unsigned k, struct error *err)
{
    struct machine *m = h->m;
    memory_freeze(m->memory, NULL, NULL);
    m->ends = m->wants_reset = false;
    boot_nothing(m); /* requests under way are given up */
    for (;;) {
        struct checkpoint *c = newest(h);
        if (!put_pages_back(h, c))
            return error_set(err, "a page of RAM cannot be put back");
        if (h->count - 1 == k)
            break;
        drop_newest(h);
    }
    struct checkpoint *c = newest(h);
    free_pages(h, c);
    size_t n;
    const void *state = state_data(c->state, &n);
    if (!disks_go_back(h, c, err) || !machine_load_but_ram(m, state, n, err))
        return false;
    recorder_return(m->recorder, &c->place);
    freeze(h);
    h->wanted = c->steps + h->m->config.history_steps;
    return true;
}

/* --- clients ------------------------------------------------------------------------------ */

bool machine_keep_history(struct machine *m, struct error *err)
{
    if (!m->recorder && !machine_record(m, NULL, err))
        return false;
    m->history = calloc(1, sizeof *m->history);
    if (!m->history)
        return error_set(err, "no memory for the history");
    m->history->m = m;
    return true;
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    while (h->count)
        drop_newest(h);
    free(h->items);
    free(h);
}

bool machine_renew_history(struct machine *m, struct error *err)
{
    if (!m->history)
        return true;
    memory_freeze(m->memory, NULL, NULL);
    history_destroy(m->history);
    m->history = NULL;
    if (!machine_record_close(m, err))
        return false;
    machine_mute(m, false);
    return machine_keep_history(m, err);
}

bool machine_has_history(const struct machine *m)
{
    return m->history;
}

uint64_t machine_history_start(const struct machine *m)
{
    return m->history && m->history->count ? m->history->items[0].steps : UINT64_MAX;
}

uint64_t machine_checkpoint_before(const struct machine *m, uint64_t steps)
{
    uint64_t found = UINT64_MAX;
    for (unsigned i = 0; m->history && i < m->history->count; i++)
        if (m->history->items[i].steps < steps)
            found = m->history->items[i].steps;
    return found;
}

void machine_mute(struct machine *m, bool is_muted)
{
    m->is_muted = is_muted;
    m->is_silent = is_muted || (m->recorder && recorder_is_past(m->recorder));
    nets_mute(m->nets, m->is_silent);
    chardevs_mute(m->chardevs, m->is_silent);
}

/* A reset that a debugger does for the guest (no_reboot) is done here. */
bool history_run(struct machine *m, struct error *err)
{
    for (;;) {
        struct machine_exit exit = machine_run(m, UINT64_MAX);
        switch (exit.stop) {
        case MACHINE_STEPPED:
            return true;
        case MACHINE_REQUEST:
            if (m->attend && !m->attend(m->attend_owner))
                return error_set(err, "interrupted");
            break;
        case MACHINE_BREAKPOINT:
        case MACHINE_WATCHPOINT:
        case MACHINE_TIME_LIMIT:
            break;
        case MACHINE_RESET:
            if (!machine_reset(m, err))
                return false;
            break;
        case MACHINE_POWER_OFF:
            if (machine_steps(m) >= m->total_end) /* its last moment is one too */
                return true;
            return error_set(err, "the guest is off before that moment");
        case MACHINE_IO_ERROR:
        case MACHINE_REPLAYED:
        case MACHINE_DIVERGED:
        case MACHINE_SIGNAL:
        case MACHINE_REPLACED:
            return error_set(err, "the run ends before that moment%s%s",
                             exit.stop == MACHINE_DIVERGED ? ": " : "",
                             exit.stop == MACHINE_DIVERGED ? machine_replay_end(m) : "");
        }
    }
}

void machine_on_attention(struct machine *m, bool (*attend)(void *owner), void *owner)
{
    m->attend = attend;
    m->attend_owner = owner;
}

/* The newest checkpoint for which all harts, or one, have not made more than these steps. */
static bool find(const struct history *h, unsigned hart, bool all, uint64_t steps, unsigned *found)
{
    bool is_there = false;
    for (unsigned i = 0; i < h->count; i++)
        if ((all ? h->items[i].steps : h->items[i].hart_steps[hart]) <= steps) {
            *found = i;
            is_there = true;
        }
    return is_there;
}

static bool go_to(struct machine *m, unsigned hart, bool all, uint64_t steps, struct error *err)
{
    struct history *h = m->history;
    unsigned k;
    if (!h || h->is_out_of_memory || recorder_has_hole(m->recorder))
        return error_set(err, "the past is not kept%s",
                         h ? ": the host has no memory for it" : "; give -history SIZE");
    if (h->count == 0)
        return error_set(err, "there is no past yet");
    if (!find(h, hart, all, steps, &k))
        return error_set(err, "the past begins at step %" PRIu64, machine_history_start(m));
    recorder_leave_present(m->recorder);
    machine_mute(m, true);
    bool ok = restore(h, k, err);
    uint64_t now = all ? machine_steps(m) : m->harts[hart]->steps;
    if (ok && steps - now > 2 * NEAR_STEPS)
        h->wanted = min_u64(h->wanted, machine_steps(m) + (steps - now) - NEAR_STEPS);
    if (ok && now < steps) {
        if (all)
            machine_stop_at_total(m, steps);
        else
            machine_stop_at(m, hart, steps);
        ok = history_run(m, err);
    }
    if (ok && all && machine_steps(m) == steps)
        ok = recorder_arrive(m->recorder, err);
    machine_mute(m, false);
    return ok;
}

/* --- places ------------------------------------------------------------------------------- */

struct machine_place machine_place(const struct machine *m)
{
    return (struct machine_place){.steps = machine_steps(m),
                                  .ns = machine_now_ns(m),
                                  .is_in_round = m->round.running,
                                  .turn = m->round.turn};
}

static bool is_at(const struct machine *m, const struct machine_place *place)
{
    return machine_now_ns(m) == place->ns && m->round.running == place->is_in_round &&
           (!place->is_in_round || m->round.turn == place->turn);
}

/* Whether a hart is about to make a step, and not asleep or at the end of its turn. */
static bool is_before_step(const struct machine *m)
{
    const struct round *r = &m->round;
    return r->running && r->turn_started && !m->harts[r->turn]->waiting;
}

bool history_sleep_to(struct machine *m, const struct machine_place *place, struct error *err)
{
    bool ok = true;
    if (!place->is_in_round && machine_now_ns(m) < place->ns)
        (void)machine_run(m, place->ns);
    while (ok && place->is_in_round && !is_at(m, place) && !is_before_step(m)) {
        machine_stop_at_total(m, place->steps); /* the end of a turn stops it too */
        ok = history_run(m, err);
    }
    return ok;
}

bool machine_go_to_place(struct machine *m, const struct machine_place *place, struct error *err)
{
    if (!machine_go_to(m, place->steps, err))
        return false;
    machine_mute(m, true);
    bool ok = history_sleep_to(m, place, err);
    machine_mute(m, false);
    return ok;
}

bool machine_go_to(struct machine *m, uint64_t steps, struct error *err)
{
    return go_to(m, 0, true, steps, err);
}

bool machine_go_to_step(struct machine *m, unsigned hart, uint64_t steps, struct error *err)
{
    return go_to(m, hart, false, steps, err);
}

void machine_describe_history(const struct machine *m, const struct byte_sink *out)
{
    const struct history *h = m->history;
    if (!h || h->count == 0) {
        byte_sink_print(out, "There is no past: give -history SIZE, and let the machine run.\n");
        return;
    }
    byte_sink_print(out,
                    "steps %" PRIu64 " to %" PRIu64 ", %u checkpoints, %zu KiB, %" PRIu64
                    " KiB of disks%s\n",
                    machine_history_start(m), machine_steps(m), h->count, h->bytes >> 10,
                    disk_bytes(h) >> 10, h->is_out_of_memory ? "; no memory for more" : "");
}

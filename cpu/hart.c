#include "cpu/hart.h"

#include "base/events.h"
#include "cpu/code.h"
#include "cpu/fp_host.h"
#include "cpu/trigger.h"

#include <stdlib.h>

/* --- life -------------------------------------------------------------------------------- */

struct hart *hart_create(unsigned id, const struct hart_isa *isa, const struct hart_ports *ports,
                         unsigned icount_shift)
{
    struct hart *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->tlb = tlb_create();
    if (!h->tlb) {
        free(h);
        return NULL;
    }
    h->id = id;
    h->isa = *isa;
    h->ports = *ports;
    h->icount_shift = icount_shift;
    h->entropy = ports->seed + id; /* from here on it is state: a reset does not repeat it */
    code_attach(ports->code, h->tlb);
    hart_reset(h, 0);
    return h;
}

void hart_destroy(struct hart *h)
{
    if (!h)
        return;
    tlb_destroy(h->tlb);
    free(h);
}

void hart_meet_mark(struct hart *h)
{
    if (hart_is_watched(h, NOTICE_MARK))
        hart_notify(h, &(struct notice){.kind = NOTICE_MARK});
}

void hart_reset(struct hart *h, uint64_t reset_pc)
{
    if (hart_is_watched(h, NOTICE_SET))
        hart_notify(h, &(struct notice){.kind = NOTICE_SET});
    memset(h->x, 0, sizeof h->x);
    memset(h->f, 0, sizeof h->f);
    h->pc = reset_pc;
    hpm_enter_priv(h, PRIV_M, h->steps);
    h->waiting = h->stopped = false;
    h->reservation_valid = false;
    h->reservation_pa = h->reservation_value = 0;
    h->mip_wires = 0;
    h->mtimecmp = UINT64_MAX;
    h->mtime_offset = 0;
    h->page_va = h->page_pa = 0;
    h->resume_pc = NO_RESUME_PC;
    csr_reset(h);
    hart_update_code_context(h);
    hart_update_translation(h);
    hart_flush_tlb(h);
}

static void state_registers(struct hart *h, struct state *s)
{
    state_u64s(s, h->x, X_SINK);
    state_u64s(s, h->f, ARRAY_LEN(h->f));
    state_u64(s, &h->pc);
    state_u64(s, &h->steps);
    state_u64(s, &h->traps);
    state_u64s(s, h->priv_steps, PRIVS);
    for (unsigned event = 0; event < HPM_EVENTS; event++)
        state_u64s(s, h->events[event], PRIVS);
    state_u8(s, &h->priv);
    state_bool(s, &h->waiting);
    state_bool(s, &h->stopped);
    state_bool(s, &h->reservation_valid);
    state_u64(s, &h->reservation_pa);
    state_u64(s, &h->reservation_value);
    state_u64(s, &h->mip_wires);
    state_u64(s, &h->mtimecmp);
    state_u64(s, &h->mtime_offset);
    state_u64(s, &h->entropy);
    if (h->priv > PRIV_M || h->priv == 2)
        state_fail(s, "hart %u: no privilege %u", h->id, h->priv);
    if (h->pc & 1) /* the decoder reads halfwords, up to the last one of a page */
        state_fail(s, "hart %u: no instruction begins at the odd address 0x%llx", h->id,
                   (unsigned long long)h->pc);
}

/* A page address outside RAM and ROM must not become one that is executed. */
static void state_fetch_page(struct hart *h, struct state *s)
{
    state_u64(s, &h->page_va);
    state_u64(s, &h->page_pa);
    state_bool(s, &h->page_valid);
    const struct region *region = memory_find(h->ports.memory, h->page_pa);
    if (h->page_valid && (!region || !region->hva || (h->page_pa | h->page_va) % PAGE_BYTES))
        state_fail(s, "hart %u: executes from 0x%llx, which is no memory", h->id,
                   (unsigned long long)h->page_pa);
}

void hart_state(struct hart *h, struct state *s)
{
    state_section(s, "hart", 4);
    state_registers(h, s);
    state_fetch_page(h, s);
    state_u64(s, &h->time_base_ns);
    state_u64(s, &h->time_base_steps);
    csr_state(h, s);
    tlb_state(h->tlb, s);
    if (!state_loading(s))
        return;
    h->x[0] = 0;
    h->resume_pc = NO_RESUME_PC;
    hpm_rearm(h);
    trigger_update(h);
    hart_update_code_context(h);
    hart_update_translation(h);
}

void hart_update_code_context(struct hart *h)
{
    unsigned fs = h->csr.mstatus >> MSTATUS_FS_SHIFT & 3;
    enum fs_mode mode = fs == FS_OFF ? FS_MODE_OFF : fs == FS_DIRTY ? FS_MODE_DIRTY : FS_MODE_CLEAN;
    h->code_context = CODE_CONTEXT(mode, h->frm);
}

/* --- time and interrupts ----------------------------------------------------------------- */

uint64_t hart_now_ns(const struct hart *h)
{
    struct clock *clock = h->ports.clock;
    if (clock->follows_host)
        return clock->now_ns = clock_now_ns(clock); /* hart_mip_seen() */
    return h->time_base_ns + ((h->steps - h->time_base_steps) << h->icount_shift);
}

/* Without Sstc the built-in SBI is the firmware that would turn the machine timer into STIP: what
 * its callers set is kept in stimecmp too. */
static bool stimecmp_counts(const struct hart *h)
{
    return h->isa.sstc ? h->csr.menvcfg & ENVCFG_STCE : h->ports.sbi_ecall != NULL;
}

static uint64_t mip_at(const struct hart *h, uint64_t now)
{
    uint64_t pending = h->csr.mip | h->mip_wires;
    if (now >= h->mtimecmp)
        pending |= 1ull << IRQ_MTIP;
    if (stimecmp_counts(h)) {
        pending &= ~(1ull << IRQ_STIP);
        if (now >= h->csr.stimecmp)
            pending |= 1ull << IRQ_STIP;
    }
    return pending;
}

uint64_t hart_mip(const struct hart *h)
{
    return mip_at(h, hart_mtime(h));
}

uint64_t hart_mip_seen(const struct hart *h)
{
    const struct clock *clock = h->ports.clock;
    uint64_t seen = clock->now_ns / NS_PER_MTIME + h->mtime_offset;
    return mip_at(h, clock->follows_host ? seen : hart_mtime(h));
}

bool hart_has_wakeup(const struct hart *h)
{
    return h->csr.mie && hart_mip(h) & h->csr.mie;
}

/* When a compare value that lies ahead is reached. */
static uint64_t deadline_of(const struct hart *h, uint64_t compare)
{
    uint64_t ticks = hart_now_ns(h) / NS_PER_MTIME, now = ticks + h->mtime_offset;
    if (compare <= now || compare - now > EVENT_NEVER / NS_PER_MTIME - ticks)
        return EVENT_NEVER;
    return (ticks + (compare - now)) * NS_PER_MTIME;
}

uint64_t hart_timer_deadline_ns(const struct hart *h)
{
    uint64_t deadline = deadline_of(h, h->mtimecmp);
    if (stimecmp_counts(h))
        deadline = min_u64(deadline, deadline_of(h, h->csr.stimecmp));
    return deadline;
}

void hart_set_irq(struct hart *h, enum irq_bit bit, bool level)
{
    uint64_t *word = bit == IRQ_SSIP ? &h->csr.mip : &h->mip_wires;
    *word = level ? *word | 1ull << bit : *word & ~(1ull << bit);
    hart_check_interrupts(h);
}

/* The run loop looks at the deadlines again. */
void hart_set_mtimecmp(struct hart *h, uint64_t mtime)
{
    h->mtimecmp = mtime;
    hart_leave(h);
}

void hart_set_mtime_offset(struct hart *h, uint64_t offset)
{
    h->mtime_offset = offset;
    hart_leave(h);
}

void hart_set_stimecmp(struct hart *h, uint64_t mtime)
{
    h->csr.stimecmp = mtime;
    hart_leave(h);
}

/* --- running ----------------------------------------------------------------------------- */

/* The step count at which the next timer becomes pending, at most `end`. Steps are counted from the
 * present, so that a deadline near the end of time does not wrap. */
static uint64_t timer_step(const struct hart *h, uint64_t end)
{
    if (h->ports.clock->follows_host)
        return end;
    uint64_t deadline = hart_timer_deadline_ns(h);
    if (deadline == EVENT_NEVER)
        return end;
    uint64_t ns = deadline - hart_now_ns(h), step_ns = 1ull << h->icount_shift;
    uint64_t steps = (ns >> h->icount_shift) + (ns % step_ns != 0);
    return steps < end - h->steps ? h->steps + steps : end;
}

/* The step at which the hart must look up from running: a timer, the overflow of a counter, `end`.
 */
static uint64_t next_event_step(const struct hart *h, uint64_t end)
{
    return hpm_overflow_step(h, timer_step(h, end));
}

/* Near the end of a slice, under stress, and on a page that PMP cuts, blocks are run one at a time:
 * a cached one if it fits, else one cut to measure. */
static struct op *exact_entry(struct hart *h, uint64_t remaining, bool cut)
{
    struct code_cache *code = h->ports.code;
    uint64_t pa = h->page_pa + h->pc % PAGE_BYTES;
    unsigned most = code_block_limit(code);
    unsigned limit = h->page_valid ? (unsigned)min_u64(remaining, most) : 1;
    if (!cut && h->page_valid) {
        struct block *block = code_find(code, pa, h->code_context, false);
        if (block->instructions <= limit)
            return code_entry(code, block);
    }
    return code_scratch(code, pa, h->code_context, limit);
}

/* From pc, at most to step `until`; ends early whenever somebody called hart_leave. `cut`: the last
 * call came nowhere, since a guard refused the cached block. */
static void run_until(struct hart *h, uint64_t until, bool cut)
{
    if (!hart_enter_page(h, h->pc)) {
        hart_take_exception(h);
        return;
    }
    if (h->leave) /* that was a TLB miss, which may have overflowed a counter */
        return;
    uint64_t remaining = until - h->steps;
    h->exact = remaining <= BLOCK_MAX || h->stress || !h->page_valid;
    h->slice_end = h->exact ? h->steps : until - BLOCK_MAX;
    struct op *op;
    if (h->exact)
        op = exact_entry(h, remaining, cut);
    else
        op = code_target(h->ports.code, h->page_pa + h->pc % PAGE_BYTES, h->code_context);
    DISPATCH(h, op, (int64_t)(h->slice_end - h->steps));
}

/* --- watched running --------------------------------------------------------------------- */

void hart_set_observer(struct hart *h, struct hart_observer *observer)
{
    h->observer = observer;
}

/* One block, announced and told of. False: none was run, for the fetch raised an exception or its
 * TLB miss overflowed a counter. */
static bool run_block(struct hart *h, uint64_t until, bool cut)
{
    if (!hart_enter_page(h, h->pc)) {
        hart_take_exception(h);
        return false;
    }
    if (h->leave)
        return false;
    uint64_t steps = h->steps, traps = h->traps, start = h->pc;
    hart_notify(h, &(struct notice){.kind = NOTICE_BEGINS});
    h->exact = true;
    h->slice_end = steps;
    struct op *op = exact_entry(h, until - steps, cut);
    DISPATCH(h, op, 0);
    struct notice ran = {.kind = NOTICE_RAN, .start = start, .failed = h->traps != traps};
    ran.number = (unsigned)(h->steps - steps - (h->traps - traps));
    hart_notify(h, &ran);
    return true;
}

/* As run_until, block by block. Whatever makes the fast loop leave ends this one: a call of
 * hart_leave, a trap, a page to be looked up. */
static void run_watched(struct hart *h, uint64_t until, bool cut)
{
    uint64_t traps = h->traps, before;
    do {
        before = h->steps;
        if (!run_block(h, until, cut))
            return;
        cut = h->steps == before;
    } while (h->steps < until && !h->leave && h->stop == HART_RAN && h->traps == traps &&
             h->page_valid && !cut);
}

/* The step at which the observer wants a sample, at most `end`. */
static uint64_t sample_step(const struct hart *h, uint64_t end)
{
    if (!hart_is_watched(h, NOTICE_SAMPLE))
        return end;
    return min_u64(end, max_u64(h->observer->sample_step, h->steps + 1));
}

static void run_slice(struct hart *h, uint64_t end_steps, bool cut)
{
    uint64_t until = sample_step(h, next_event_step(h, end_steps));
    if (hart_is_watched(h, NOTICE_RAN))
        run_watched(h, until, cut);
    else
        run_until(h, until, cut);
    if (hart_is_watched(h, NOTICE_SAMPLE) && h->steps >= h->observer->sample_step)
        hart_notify(h, &(struct notice){.kind = NOTICE_SAMPLE});
}

/* One step, while a trigger may fire before any instruction. */
static void step_with_triggers(struct hart *h, bool cut)
{
    if (trigger_fires(h)) {
        hart_take_exception(h);
        return;
    }
    unsigned counting = trigger_counting(h);
    uint64_t before = h->steps;
    if (!hart_take_interrupt(h))
        run_slice(h, h->steps + 1, cut);
    if (h->steps != before)
        trigger_count_step(h, counting);
}

/* The fast loop leaves off when less than a block's length is left. */
_Static_assert(HART_RUN_SLACK >= BLOCK_MAX, "else a block would have to be cut after all");

enum hart_stop hart_run_between(struct hart *h, uint64_t least, uint64_t most)
{
    bool cut = false;
    h->stop = HART_RAN;
    fp_host_enter(h);
    while (h->steps < least && h->stop == HART_RAN) {
        uint64_t before = h->steps;
        h->leave = false;
        h->stats.runs++;
        if (UNLIKELY(h->triggers_on & TRIGGERS_STEP))
            step_with_triggers(h, cut);
        else if (!hart_take_interrupt(h))
            run_slice(h, most, cut);
        hpm_check_overflow(h);
        cut = h->steps == before;
    }
    fp_host_leave(h);
    return h->stop;
}

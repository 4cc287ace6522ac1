/* The counters: mcycle, minstret and mhpmcounter3 to 31 (privileged manual, section "Hardware
 * Performance Monitor"; Sscofpmf; Smcntrpmf).
 *
 * Nothing is counted on fast paths. A counter is an offset added to its *source*, and each source
 * is exact and known by privilege: steps, because every change of privilege passes hpm_enter_priv,
 * and events of slow paths. So a counter that leaves modes out (MINH, SINH, UINH) costs nothing
 * either. While a counter is inhibited its offset is its value.
 *
 * Invariant between instructions: counters_armed has the counters that can overflow within sensible
 * time, those whose top bit is set. One that is armed and has lost this bit has overflowed. */
#include "cpu/hart.h"

/* Selectors of mhpmevent: the SBI's event_idx where it has one, as on QEMU. */
#define SELECT_CYCLES         0x1u
#define SELECT_INSTRUCTIONS   0x2u
#define SELECT_LOAD_TLB_MISS  0x10019u
#define SELECT_STORE_TLB_MISS 0x1001bu
#define SELECT_FETCH_TLB_MISS 0x10021u
#define SELECT_EXCEPTIONS     0x100u
#define SELECT_INTERRUPTS     0x101u
#define SBI_EVENT_RAW         0x20000u
#define SBI_EVENT_RAW_V2      0x30000u

#define TOP_BIT      (1ull << 63)
#define BIT(counter) (1ull << (counter))

/* --- sources ----------------------------------------------------------------------------- */

/* Steps below step number `now` that were made in this privilege. */
static uint64_t steps_in(const struct hart *h, unsigned priv, uint64_t now)
{
    uint64_t before = 0;
    for (unsigned i = 0; i < PRIVS; i++)
        before += h->priv_steps[i];
    return h->priv_steps[priv] + (priv == h->priv ? now - before : 0);
}

static uint64_t traps_in(const struct hart *h, unsigned priv)
{
    return h->events[HPM_EXCEPTION][priv] + h->events[HPM_INTERRUPT][priv];
}

static uint64_t selected_in(const struct hart *h, uint64_t selector, unsigned priv, uint64_t now)
{
    switch (selector) {
    case SELECT_CYCLES:
        return steps_in(h, priv, now);
    case SELECT_INSTRUCTIONS:
        return steps_in(h, priv, now) - traps_in(h, priv);
    case SELECT_LOAD_TLB_MISS:
        return h->events[HPM_TLB_MISS + TLB_LOAD][priv];
    case SELECT_STORE_TLB_MISS:
        return h->events[HPM_TLB_MISS + TLB_STORE][priv];
    case SELECT_FETCH_TLB_MISS:
        return h->events[HPM_TLB_MISS + TLB_FETCH][priv];
    case SELECT_EXCEPTIONS:
        return h->events[HPM_EXCEPTION][priv];
    case SELECT_INTERRUPTS:
        return h->events[HPM_INTERRUPT][priv];
    default:
        return 0;
    }
}

static uint64_t selector_of(const struct hart *h, unsigned counter)
{
    if (counter == COUNTER_CYCLE)
        return SELECT_CYCLES;
    if (counter == COUNTER_INSTRET)
        return SELECT_INSTRUCTIONS;
    return h->csr.counter_config[counter] & HPM_SELECTOR;
}

static bool counts_in(const struct hart *h, unsigned counter, unsigned priv)
{
    static const uint64_t inhibit[PRIVS] = {
        [PRIV_U] = HPM_UINH, [PRIV_S] = HPM_SINH, [PRIV_M] = HPM_MINH};
    return inhibit[priv] && !(h->csr.counter_config[counter] & inhibit[priv]);
}

static bool is_inhibited(const struct hart *h, unsigned counter)
{
    return h->csr.mcountinhibit & BIT(counter);
}

/* What a counter's source has counted below step number `now`. */
static uint64_t source(const struct hart *h, unsigned counter, uint64_t now)
{
    uint64_t sum = 0;
    if (is_inhibited(h, counter))
        return 0;
    for (unsigned priv = 0; priv < PRIVS; priv++)
        if (counts_in(h, counter, priv))
            sum += selected_in(h, selector_of(h, counter), priv, now);
    return sum;
}

/* --- values ------------------------------------------------------------------------------ */

static uint64_t value_at(const struct hart *h, unsigned counter, uint64_t now)
{
    return h->csr.counter_offset[counter] + source(h, counter, now);
}

/* mcycle and minstret have no OF, hence no interrupt. */
static void arm(struct hart *h, unsigned counter, uint64_t value)
{
    bool on = counter >= HPM_FIRST && h->isa.sscofpmf && value & TOP_BIT;
    h->counters_armed = (h->counters_armed & ~(uint32_t)BIT(counter)) | (uint32_t)on << counter;
    if (on) /* the step of the overflow is another one */
        hart_leave(h);
}

static void set_value(struct hart *h, unsigned counter, uint64_t value, uint64_t now)
{
    h->csr.counter_offset[counter] = value - source(h, counter, now);
    arm(h, counter, value);
}

uint64_t hpm_read(const struct hart *h, unsigned counter)
{
    return value_at(h, counter, h->steps);
}

/* What a write sets is what the next instruction reads (section "Hardware Performance Monitor"),
 * hence the 1 here and below. */
void hpm_write(struct hart *h, unsigned counter, uint64_t value)
{
    set_value(h, counter, value, h->steps + 1);
}

static uint64_t legal_config(const struct hart *h, unsigned counter, uint64_t config)
{
    const uint64_t modes = HPM_MINH | HPM_SINH | HPM_UINH;
    uint64_t selector;
    if (counter < HPM_FIRST)
        return h->isa.smcntrpmf ? config & modes : 0;
    uint64_t legal = h->isa.sscofpmf ? config & (modes | HPM_OF) : 0;
    bool known = hpm_find_selector(SBI_EVENT_RAW, config & HPM_SELECTOR, &selector);
    return legal | (known ? selector : 0);
}

void hpm_write_config(struct hart *h, unsigned counter, uint64_t config)
{
    uint64_t value = value_at(h, counter, h->steps + 1);
    h->csr.counter_config[counter] = legal_config(h, counter, config);
    hpm_write(h, counter, value);
}

void hpm_write_inhibit(struct hart *h, uint64_t inhibit)
{
    uint64_t changed = inhibit ^ h->csr.mcountinhibit;
    for (unsigned counter = 0; counter < HPM_COUNTERS; counter++) {
        if (!(changed & BIT(counter)))
            continue;
        uint64_t value = value_at(h, counter, h->steps + 1);
        h->csr.mcountinhibit ^= BIT(counter);
        hpm_write(h, counter, value);
    }
}

void hpm_enter_priv(struct hart *h, enum priv priv, uint64_t first)
{
    h->priv_steps[h->priv] = steps_in(h, h->priv, first);
    h->priv = (uint8_t)priv;
}

/* --- overflow ---------------------------------------------------------------------------- */

uint64_t hpm_overflows(const struct hart *h)
{
    uint64_t overflows = 0;
    for (unsigned counter = HPM_FIRST; counter < HPM_COUNTERS; counter++)
        if (h->csr.counter_config[counter] & HPM_OF)
            overflows |= BIT(counter);
    return overflows;
}

/* Whether each step counts, but those that are traps: they end the run anyway. */
static bool counts_steps(const struct hart *h, unsigned counter)
{
    uint64_t selector = selector_of(h, counter);
    return (selector == SELECT_CYCLES || selector == SELECT_INSTRUCTIONS) &&
           counts_in(h, counter, h->priv) && !is_inhibited(h, counter);
}

uint64_t hpm_overflow_step(const struct hart *h, uint64_t end)
{
    for (uint32_t left = h->counters_armed; left; left &= left - 1) {
        unsigned counter = (unsigned)__builtin_ctz(left);
        uint64_t remaining = -hpm_read(h, counter);
        if (counts_steps(h, counter) && remaining < end - h->steps)
            end = h->steps + remaining;
    }
    return end;
}

/* An interrupt is pending only when OF was clear (Sscofpmf). */
void hpm_check_overflow(struct hart *h)
{
    for (uint32_t left = h->counters_armed; left; left &= left - 1) {
        unsigned counter = (unsigned)__builtin_ctz(left);
        uint64_t *config = &h->csr.counter_config[counter];
        if (hpm_read(h, counter) & TOP_BIT)
            continue;
        h->counters_armed &= ~(uint32_t)BIT(counter);
        if (!(*config & HPM_OF))
            h->csr.mip |= 1ull << IRQ_LCOFIP;
        *config |= HPM_OF;
    }
}

/* --- the events by name, reset, state ---------------------------------------------------- */

bool hpm_find_selector(uint64_t event_idx, uint64_t data, uint64_t *selector)
{
    static const uint32_t known[] = {
        SELECT_CYCLES,         SELECT_INSTRUCTIONS, SELECT_LOAD_TLB_MISS, SELECT_STORE_TLB_MISS,
        SELECT_FETCH_TLB_MISS, SELECT_EXCEPTIONS, /* the last two: raw alone */
        SELECT_INTERRUPTS};
    const bool raw = event_idx == SBI_EVENT_RAW || event_idx == SBI_EVENT_RAW_V2;
    *selector = raw ? data : event_idx;
    for (unsigned i = 0; i < ARRAY_LEN(known) - (raw ? 0 : 2); i++)
        if (*selector == known[i])
            return true;
    return false;
}

/* mcycle and minstret begin at 0, and count; the others have no event. */
void hpm_reset(struct hart *h)
{
    for (unsigned counter = 0; counter < HPM_COUNTERS; counter++) {
        h->csr.counter_config[counter] = 0;
        set_value(h, counter, 0, h->steps);
    }
}

bool hpm_is_legal(const struct hart *h)
{
    for (unsigned counter = 0; counter < HPM_COUNTERS; counter++) {
        uint64_t config = h->csr.counter_config[counter];
        if (config != legal_config(h, counter, config))
            return false;
    }
    return true;
}

void hpm_rearm(struct hart *h)
{
    for (unsigned counter = 0; counter < HPM_COUNTERS; counter++)
        arm(h, counter, hpm_read(h, counter));
}

/* SBI performance monitoring (chapter "Performance Monitoring Unit Extension", "PMU").
 *
 * Logical counters of a hart: first the hardware's, with the numbers that they have in
 * mcountinhibit (a Linux without Sscofpmf takes that for granted), then firmware counters, any of
 * which counts any of the SBI's own events. A counter is *configured* for an event, and then
 * started and stopped; one that is not configured is left alone, so that cycle and instret run for
 * those who read them without asking. There is no snapshot memory.
 *
 * Invariants: a counter that is started is configured; PMU_NO_EVENT is the event of all others. */
#include "firmware/sbi/sbi_internal.h"

#define CSR_MCOUNTINHIBIT 0x320u
#define CSR_MCYCLECFG     0x321u
#define CSR_MHPMEVENT     0x320u /* + counter */
#define CSR_MCOUNTER      0xb00u /* + counter: what firmware writes */
#define CSR_COUNTER       0xc00u /* + counter: what S-mode reads */
#define COUNTER_TIME      1u
#define COUNTER_BITS      64u

#define INFO_WIDTH_SHIFT 12
#define INFO_FIRMWARE    (1ull << 63)

/* counter_config_matching; the rest of CONFIG_FLAGS are hints where not to count: V modes, which
 * there are not, and M, S and U, which counters without a filter cannot follow. */
#define CONFIG_SKIP_MATCH  (1ull << 0)
#define CONFIG_CLEAR_VALUE (1ull << 1)
#define CONFIG_AUTO_START  (1ull << 2)
#define CONFIG_UINH        (1ull << 5)
#define CONFIG_SINH        (1ull << 6)
#define CONFIG_MINH        (1ull << 7)
#define CONFIG_FLAGS       0xffull
#define START_INIT_VALUE   (1ull << 0)
#define START_SNAPSHOT     (1ull << 1)
#define STOP_RESET         (1ull << 0)
#define STOP_SNAPSHOT      (1ull << 1)
#define START_STOP_FLAGS   3ull

/* event_idx: a type in bits 19:16, a code below. */
#define EVENT_CPU_CYCLES             0x00001u
#define EVENT_INSTRUCTIONS           0x00002u
#define EVENT_FIRMWARE               0xf0000u
#define EVENT_LAST_STANDARD_FIRMWARE (EVENT_FIRMWARE | 21u)
#define INFO_ENTRIES_MAX             65536u /* a call must end */
#define EVENT_IDX_MASK               0xfffffu

static bool is_hardware(unsigned counter)
{
    return counter < PMU_HARDWARE;
}

static bool is_programmable(unsigned counter)
{
    return counter >= HPM_FIRST && counter < PMU_HARDWARE;
}

/* The counters that the hart has, and those of the firmware, as bits. */
static uint64_t all_counters(const struct hart *h)
{
    uint64_t all = (1ull << PMU_FIRMWARE) - 1;
    all <<= PMU_HARDWARE;
    for (unsigned counter = 0; counter < PMU_HARDWARE; counter++) {
        bool exists = is_programmable(counter) ? h->isa.zihpm : h->isa.zicntr;
        if (exists && counter != COUNTER_TIME)
            all |= 1ull << counter;
    }
    return all;
}

static bool is_started(const struct pmu_hart *pmu, unsigned counter)
{
    return pmu->started >> counter & 1;
}

static bool is_firmware_event(uint64_t event)
{
    return event >= EVENT_FIRMWARE && event <= EVENT_LAST_STANDARD_FIRMWARE;
}

/* *selector: for a programmable counter. */
static bool can_count(unsigned counter, uint64_t event, uint64_t data, uint64_t *selector)
{
    *selector = 0;
    if (counter == COUNTER_CYCLE)
        return event == EVENT_CPU_CYCLES;
    if (counter == COUNTER_INSTRET)
        return event == EVENT_INSTRUCTIONS;
    if (is_programmable(counter))
        return hpm_find_selector(event, data, selector);
    return is_firmware_event(event);
}

/* --- one counter ------------------------------------------------------------------------- */

static void set_value(struct pmu_hart *pmu, struct hart *h, unsigned counter, uint64_t value)
{
    if (is_hardware(counter))
        sbi_csr(h, CSR_MCOUNTER + counter, CSR_WRITE, value);
    else
        pmu->values[counter - PMU_HARDWARE] = value;
}

/* The event and the modes in which a counter of the hart counts, where it can choose. */
static void set_config(struct hart *h, unsigned counter, uint64_t config)
{
    if (is_programmable(counter))
        sbi_csr(h, CSR_MHPMEVENT + counter, CSR_WRITE, config);
    else if (is_hardware(counter) && h->isa.smcntrpmf)
        sbi_csr(h, counter == COUNTER_CYCLE ? CSR_MCYCLECFG : CSR_MCYCLECFG + 1, CSR_WRITE, config);
}

/* A start makes the next overflow an interrupt, unless one is pending that S-mode has not seen. */
static void set_started(struct pmu_hart *pmu, struct hart *h, unsigned counter, bool on)
{
    const uint64_t bit = 1ull << counter;
    pmu->started = on ? pmu->started | bit : pmu->started & ~bit;
    if (!is_hardware(counter))
        return;
    if (on && is_programmable(counter) && !(h->csr.mip >> IRQ_LCOFIP & 1))
        sbi_csr(h, CSR_MHPMEVENT + counter, CSR_CLEAR, HPM_OF);
    sbi_csr(h, CSR_MCOUNTINHIBIT, on ? CSR_CLEAR : CSR_SET, bit);
}

/* --- sets of counters -------------------------------------------------------------------- */

/* The set as bits; false: one of its counters does not exist. */
static bool counter_set(const struct hart *h, uint64_t base, uint64_t mask, uint64_t *set)
{
    *set = 0;
    if (base >= PMU_COUNTERS)
        return false;
    *set = mask << base;
    return *set >> base == mask && !(*set & ~all_counters(h));
}

static bool all_configured(const struct pmu_hart *pmu, uint64_t set)
{
    for (; set; set &= set - 1)
        if (pmu->events[__builtin_ctzll(set)] == PMU_NO_EVENT)
            return false;
    return true;
}

/* The first counter of the set that is free and can count the event; false: none. */
static bool find_counter(const struct pmu_hart *pmu, uint64_t set, const uint64_t *args,
                         unsigned *found, uint64_t *selector)
{
    for (; set; set &= set - 1) {
        *found = (unsigned)__builtin_ctzll(set);
        if (pmu->events[*found] == PMU_NO_EVENT && can_count(*found, args[3], args[4], selector))
            return true;
    }
    return false;
}

/* With Sscofpmf counters that can interrupt come before cycle and instret, as with OpenSBI. */
static bool choose_counter(const struct pmu_hart *pmu, const struct hart *h, uint64_t set,
                           const uint64_t *args, unsigned *found, uint64_t *selector)
{
    const uint64_t fixed = (1ull << HPM_FIRST) - 1;
    if (h->isa.sscofpmf && find_counter(pmu, set & ~fixed, args, found, selector))
        return true;
    return find_counter(pmu, set, args, found, selector);
}

/* --- functions --------------------------------------------------------------------------- */

static struct sbi_ret num_counters(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h, (void)args;
    return sbi_success(PMU_COUNTERS);
}

static struct sbi_ret counter_get_info(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi;
    if (args[0] >= PMU_COUNTERS || !(all_counters(h) >> args[0] & 1))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!is_hardware((unsigned)args[0]))
        return sbi_success(INFO_FIRMWARE);
    return sbi_success((CSR_COUNTER + args[0]) | (COUNTER_BITS - 1ull) << INFO_WIDTH_SHIFT);
}

static void configure(struct pmu_hart *pmu, struct hart *h, unsigned counter, uint64_t flags)
{
    if (flags & CONFIG_CLEAR_VALUE)
        set_value(pmu, h, counter, 0);
    if (flags & CONFIG_AUTO_START)
        set_started(pmu, h, counter, true);
}

static uint64_t modes_left_out(uint64_t flags)
{
    return (flags & CONFIG_UINH ? HPM_UINH : 0) | (flags & CONFIG_SINH ? HPM_SINH : 0) |
           (flags & CONFIG_MINH ? HPM_MINH : 0);
}

/* SKIP_MATCH takes the set's first counter, which must be configured already and keeps its event.
 */
static struct sbi_ret config_matching(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct pmu_hart *pmu = &sbi->pmu[h->id];
    const uint64_t flags = args[2];
    uint64_t set, selector;
    unsigned counter;
    if (!counter_set(h, args[0], args[1], &set) || flags & ~CONFIG_FLAGS)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & CONFIG_SKIP_MATCH) {
        if (!set || !all_configured(pmu, set & -set))
            return sbi_failure(SBI_ERR_INVALID_PARAM);
        counter = (unsigned)__builtin_ctzll(set);
    } else {
        if (!choose_counter(pmu, h, set, args, &counter, &selector))
            return sbi_failure(SBI_ERR_NOT_SUPPORTED);
        pmu->events[counter] = (uint32_t)args[3];
        set_started(pmu, h, counter, false);
        set_config(h, counter, selector | modes_left_out(flags));
    }
    configure(pmu, h, counter, flags);
    return sbi_success(counter);
}

static struct sbi_ret counter_start(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct pmu_hart *pmu = &sbi->pmu[h->id];
    const uint64_t flags = args[2];
    uint64_t set;
    if (!counter_set(h, args[0], args[1], &set) || flags & ~START_STOP_FLAGS ||
        !all_configured(pmu, set))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & START_SNAPSHOT)
        return sbi_failure(SBI_ERR_NO_SHMEM);
    const bool already = set & pmu->started;
    for (uint64_t left = set & ~pmu->started; left; left &= left - 1) {
        const unsigned counter = (unsigned)__builtin_ctzll(left);
        if (flags & START_INIT_VALUE)
            set_value(pmu, h, counter, args[3]);
        set_started(pmu, h, counter, true);
    }
    return already ? sbi_failure(SBI_ERR_ALREADY_STARTED) : sbi_success(0);
}

static struct sbi_ret counter_stop(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct pmu_hart *pmu = &sbi->pmu[h->id];
    const uint64_t flags = args[2];
    uint64_t set;
    if (!counter_set(h, args[0], args[1], &set) || flags & ~START_STOP_FLAGS)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & STOP_SNAPSHOT)
        return sbi_failure(SBI_ERR_NO_SHMEM);
    const bool already = set & ~pmu->started;
    for (; set; set &= set - 1) {
        const unsigned counter = (unsigned)__builtin_ctzll(set);
        if (is_started(pmu, counter))
            set_started(pmu, h, counter, false);
        if (!(flags & STOP_RESET))
            continue;
        pmu->events[counter] = PMU_NO_EVENT;
        set_config(h, counter, 0);
    }
    return already ? sbi_failure(SBI_ERR_ALREADY_STOPPED) : sbi_success(0);
}

static bool is_firmware_counter(uint64_t counter)
{
    return counter >= PMU_HARDWARE && counter < PMU_COUNTERS;
}

static struct sbi_ret counter_fw_read(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    if (!is_firmware_counter(args[0]))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    return sbi_success(sbi->pmu[h->id].values[args[0] - PMU_HARDWARE]);
}

/* The upper half is that of a 32-bit supervisor. */
static struct sbi_ret counter_fw_read_hi(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h;
    return is_firmware_counter(args[0]) ? sbi_success(0) : sbi_failure(SBI_ERR_INVALID_PARAM);
}

/* One entry of event_get_info: event_idx, what we answer, and event_data. */
static enum sbi_error put_event_info(struct sbi *sbi, const struct hart *h, uint64_t gpa)
{
    struct {
        uint32_t event, output;
        uint64_t data;
    } entry;
    uint64_t selector;
    if (!dma_read(sbi->config.memory, gpa, &entry, sizeof entry))
        return SBI_ERR_INVALID_ADDRESS;
    if (entry.event & ~EVENT_IDX_MASK)
        return SBI_ERR_INVALID_PARAM;
    entry.output = 0;
    for (uint64_t left = all_counters(h); left; left &= left - 1)
        entry.output |=
            can_count((unsigned)__builtin_ctzll(left), entry.event, entry.data, &selector);
    return dma_write(sbi->config.memory, gpa, &entry, sizeof entry) ? SBI_SUCCESS
                                                                    : SBI_ERR_INVALID_ADDRESS;
}

/* Entries are 16 bytes; a set that runs out of RAM ends there. */
static struct sbi_ret event_get_info(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    const uint64_t gpa = args[0], count = args[2];
    if (args[3] || gpa % 16)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (args[1])
        return sbi_failure(SBI_ERR_INVALID_ADDRESS);
    if (count > INFO_ENTRIES_MAX)
        return sbi_failure(SBI_ERR_FAILED);
    for (uint64_t i = 0; i < count; i++) {
        enum sbi_error error = put_event_info(sbi, h, gpa + 16 * i);
        if (error)
            return sbi_failure(error);
    }
    return sbi_success(0);
}

/* --- the SBI's own events ---------------------------------------------------------------- */

void sbi_pmu_count(struct sbi *sbi, unsigned hart, enum sbi_event event)
{
    struct pmu_hart *pmu = &sbi->pmu[hart];
    for (uint64_t left = pmu->started >> PMU_HARDWARE; left; left &= left - 1) {
        const unsigned i = (unsigned)__builtin_ctzll(left);
        if (pmu->events[PMU_HARDWARE + i] == (EVENT_FIRMWARE | event))
            pmu->values[i]++;
    }
}

void sbi_pmu_count_remote(struct sbi *sbi, const struct hart *h, uint64_t set, enum sbi_event sent)
{
    for (unsigned i = 0; i < sbi->config.count; i++) {
        if (i == h->id || !(set >> i & 1))
            continue;
        sbi_pmu_count(sbi, h->id, sent);
        sbi_pmu_count(sbi, i, sent + 1);
    }
}

/* --- state ------------------------------------------------------------------------------- */

void sbi_pmu_reset(struct pmu_hart *pmu)
{
    *pmu = (struct pmu_hart){0};
    for (unsigned i = 0; i < PMU_COUNTERS; i++)
        pmu->events[i] = PMU_NO_EVENT;
}

void sbi_pmu_state(struct pmu_hart *pmu, struct state *s)
{
    for (unsigned i = 0; i < PMU_COUNTERS; i++)
        state_u32(s, &pmu->events[i]);
    state_u64s(s, pmu->values, PMU_FIRMWARE);
    state_u64(s, &pmu->started);
    if (pmu->started >> PMU_COUNTERS || !all_configured(pmu, pmu->started))
        state_fail(s, "SBI: a counter without an event is started");
}

static sbi_function *const functions[] = {
    num_counters,   counter_get_info, config_matching,    counter_start,
    counter_stop,   counter_fw_read,  counter_fw_read_hi, NULL /* no snapshot memory */,
    event_get_info,
};

const struct sbi_extension sbi_pmu = {0x504d55, ARRAY_LEN(functions), functions};

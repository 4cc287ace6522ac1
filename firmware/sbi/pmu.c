/* SBI performance monitoring (chapter "Performance Monitoring Unit Extension", "PMU").
 *
 * Logical counters of a hart: first the hardware's, one row of a table each, then firmware
 * counters, any of which counts any of the SBI's own events. A counter is *configured* for an
 * event, and then started and stopped; one that is not configured is left alone, so that cycle and
 * instret run for those who read them without asking. There is no snapshot memory.
 *
 * Invariants: a counter that is started is configured; PMU_NO_EVENT is the event of all others. */
#include "firmware/sbi/sbi_internal.h"

#define CSR_MCOUNTINHIBIT 0x320u
#define COUNTER_BITS      64u

#define INFO_WIDTH_SHIFT 12
#define INFO_FIRMWARE    (1ull << 63)

/* counter_config_matching; the rest of CONFIG_FLAGS are hints where not to count, which these
 * counters cannot follow. */
#define CONFIG_SKIP_MATCH  (1ull << 0)
#define CONFIG_CLEAR_VALUE (1ull << 1)
#define CONFIG_AUTO_START  (1ull << 2)
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

/* A counter of the hart: what S-mode reads, what firmware writes, its bit of mcountinhibit, and the
 * one event that it counts. */
static const struct {
    uint16_t csr, machine_csr;
    uint8_t inhibit;
    uint32_t event;
} hardware[PMU_HARDWARE] = {
    {0xc00, 0xb00, 0, EVENT_CPU_CYCLES},
    {0xc02, 0xb02, 2, EVENT_INSTRUCTIONS},
};

static bool is_hardware(unsigned counter)
{
    return counter < PMU_HARDWARE;
}

static bool is_started(const struct pmu_hart *pmu, unsigned counter)
{
    return pmu->started >> counter & 1;
}

static bool is_firmware_event(uint64_t event)
{
    return event >= EVENT_FIRMWARE && event <= EVENT_LAST_STANDARD_FIRMWARE;
}

static bool can_count(unsigned counter, uint64_t event)
{
    return is_hardware(counter) ? event == hardware[counter].event : is_firmware_event(event);
}

/* --- one counter ------------------------------------------------------------------------- */

static void set_value(struct pmu_hart *pmu, struct hart *h, unsigned counter, uint64_t value)
{
    if (is_hardware(counter))
        sbi_csr(h, hardware[counter].machine_csr, CSR_WRITE, value);
    else
        pmu->values[counter - PMU_HARDWARE] = value;
}

static void set_started(struct pmu_hart *pmu, struct hart *h, unsigned counter, bool on)
{
    const uint32_t bit = 1u << counter;
    pmu->started = on ? pmu->started | bit : pmu->started & ~bit;
    if (is_hardware(counter))
        sbi_csr(h, CSR_MCOUNTINHIBIT, on ? CSR_CLEAR : CSR_SET, 1ull << hardware[counter].inhibit);
}

/* --- sets of counters -------------------------------------------------------------------- */

/* The set as bits; false: one of its counters does not exist. */
static bool counter_set(uint64_t base, uint64_t mask, uint32_t *set)
{
    const uint64_t all = (1ull << PMU_COUNTERS) - 1;
    *set = 0;
    if (base >= PMU_COUNTERS)
        return false;
    *set = (uint32_t)(mask << base);
    return !(mask & ~(all >> base));
}

static bool all_configured(const struct pmu_hart *pmu, uint32_t set)
{
    for (; set; set &= set - 1)
        if (pmu->events[__builtin_ctz(set)] == PMU_NO_EVENT)
            return false;
    return true;
}

/* The counter of the set that config_matching takes; false: none. */
static bool find_counter(const struct pmu_hart *pmu, uint32_t set, uint64_t event, unsigned *found)
{
    for (; set; set &= set - 1) {
        *found = (unsigned)__builtin_ctz(set);
        if (pmu->events[*found] == PMU_NO_EVENT && can_count(*found, event))
            return true;
    }
    return false;
}

/* --- functions --------------------------------------------------------------------------- */

static struct sbi_ret num_counters(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h, (void)args;
    return sbi_success(PMU_COUNTERS);
}

static struct sbi_ret counter_get_info(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h;
    if (args[0] >= PMU_COUNTERS)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!is_hardware((unsigned)args[0]))
        return sbi_success(INFO_FIRMWARE);
    return sbi_success(hardware[args[0]].csr | (COUNTER_BITS - 1ull) << INFO_WIDTH_SHIFT);
}

static void configure(struct pmu_hart *pmu, struct hart *h, unsigned counter, uint64_t flags)
{
    if (flags & CONFIG_CLEAR_VALUE)
        set_value(pmu, h, counter, 0);
    if (flags & CONFIG_AUTO_START)
        set_started(pmu, h, counter, true);
}

/* SKIP_MATCH takes the set's first counter, which must be configured already and keeps its event.
 */
static struct sbi_ret config_matching(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct pmu_hart *pmu = &sbi->pmu[h->id];
    const uint64_t flags = args[2], event = args[3];
    uint32_t set;
    unsigned counter;
    if (!counter_set(args[0], args[1], &set) || flags & ~CONFIG_FLAGS)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & CONFIG_SKIP_MATCH) {
        if (!set || !all_configured(pmu, set & -set))
            return sbi_failure(SBI_ERR_INVALID_PARAM);
        counter = (unsigned)__builtin_ctz(set);
    } else {
        if (!find_counter(pmu, set, event, &counter))
            return sbi_failure(SBI_ERR_NOT_SUPPORTED);
        pmu->events[counter] = (uint32_t)event;
        set_started(pmu, h, counter, false);
    }
    configure(pmu, h, counter, flags);
    return sbi_success(counter);
}

static struct sbi_ret counter_start(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct pmu_hart *pmu = &sbi->pmu[h->id];
    const uint64_t flags = args[2];
    uint32_t set;
    if (!counter_set(args[0], args[1], &set) || flags & ~START_STOP_FLAGS ||
        !all_configured(pmu, set))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & START_SNAPSHOT)
        return sbi_failure(SBI_ERR_NO_SHMEM);
    const bool already = set & pmu->started;
    for (uint32_t left = set & ~pmu->started; left; left &= left - 1) {
        const unsigned counter = (unsigned)__builtin_ctz(left);
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
    uint32_t set;
    if (!counter_set(args[0], args[1], &set) || flags & ~START_STOP_FLAGS)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (flags & STOP_SNAPSHOT)
        return sbi_failure(SBI_ERR_NO_SHMEM);
    const bool already = set & ~pmu->started;
    for (; set; set &= set - 1) {
        const unsigned counter = (unsigned)__builtin_ctz(set);
        if (is_started(pmu, counter))
            set_started(pmu, h, counter, false);
        if (flags & STOP_RESET)
            pmu->events[counter] = PMU_NO_EVENT;
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

/* One entry of event_get_info: event_idx, what we answer, and event_data, which no event has. */
static enum sbi_error put_event_info(struct sbi *sbi, uint64_t gpa)
{
    uint32_t event, output = 0;
    if (!dma_read(sbi->config.memory, gpa, &event, sizeof event))
        return SBI_ERR_INVALID_ADDRESS;
    if (event & ~EVENT_IDX_MASK)
        return SBI_ERR_INVALID_PARAM;
    for (unsigned counter = 0; counter < PMU_COUNTERS; counter++)
        output |= can_count(counter, event);
    return dma_write(sbi->config.memory, gpa + 4, &output, sizeof output) ? SBI_SUCCESS
                                                                          : SBI_ERR_INVALID_ADDRESS;
}

/* Entries are 16 bytes; a set that runs out of RAM ends there. */
static struct sbi_ret event_get_info(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const uint64_t gpa = args[0], count = args[2];
    if (args[3] || gpa % 16)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (args[1])
        return sbi_failure(SBI_ERR_INVALID_ADDRESS);
    if (count > INFO_ENTRIES_MAX)
        return sbi_failure(SBI_ERR_FAILED);
    for (uint64_t i = 0; i < count; i++) {
        enum sbi_error error = put_event_info(sbi, gpa + 16 * i);
        if (error)
            return sbi_failure(error);
    }
    return sbi_success(0);
}

/* --- the SBI's own events ---------------------------------------------------------------- */

void sbi_pmu_count(struct sbi *sbi, unsigned hart, enum sbi_event event)
{
    struct pmu_hart *pmu = &sbi->pmu[hart];
    for (uint32_t left = pmu->started >> PMU_HARDWARE; left; left &= left - 1) {
        const unsigned i = (unsigned)__builtin_ctz(left);
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
    state_u32(s, &pmu->started);
    if (pmu->started >> PMU_COUNTERS || !all_configured(pmu, pmu->started))
        state_fail(s, "SBI: a counter without an event is started");
}

static sbi_function *const functions[] = {
    num_counters,   counter_get_info, config_matching,    counter_start,
    counter_stop,   counter_fw_read,  counter_fw_read_hi, NULL /* no snapshot memory */,
    event_get_info,
};

const struct sbi_extension sbi_pmu = {0x504d55, ARRAY_LEN(functions), functions};

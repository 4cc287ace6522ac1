/* SBI hart state management (chapter "Hart State Management Extension", "HSM"), and the state in
 * which firmware leaves the harts. A hart is stopped, suspended or started; as calls take effect at
 * once, the pending states are never seen. */
#include "firmware/sbi/sbi_internal.h"

enum hsm_state { HSM_STARTED = 0, HSM_STOPPED = 1, HSM_SUSPENDED = 4 };

/* suspend_type: 32 bits; the rest of its space is reserved, or the platform's, which has none. */
#define SUSPEND_RETENTIVE     0x00000000u
#define SUSPEND_NON_RETENTIVE 0x80000000u

enum { A0 = 10, A1 = 11 };

static struct hart *find_hart(const struct sbi *sbi, uint64_t id)
{
    return id < sbi->config.count ? sbi->config.harts[id] : NULL;
}

/* Code is fetched from RAM or ROM at a multiple of 2. */
bool sbi_is_code_address(const struct sbi *sbi, uint64_t gpa)
{
    const struct region *region = memory_find(sbi->config.memory, gpa);
    return !(gpa & 1) && region && region->kind != REGION_DEVICE;
}

/* Table "HSM Hart Start Register State"; what it leaves open is as OpenSBI leaves it. */
void sbi_enter_s(struct hart *h, uint64_t pc, uint64_t opaque)
{
    h->stopped = false;
    h->waiting = false;
    h->reservation_valid = false;
    h->pc = pc;
    h->page_valid = false;
    hpm_enter_priv(h, PRIV_S, h->steps);
    h->x[A0] = h->id;
    h->x[A1] = opaque;
    h->csr.satp = 0;
    h->csr.mstatus &= ~MSTATUS_SIE;
    h->csr.mie = 0;
    h->csr.stvec = pc & ~3ull;
    h->csr.sscratch = 0;
    hart_update_translation(h);
    hart_flush_tlb(h);
    hart_leave(h);
}

static struct sbi_ret hart_start(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    struct hart *target = find_hart(sbi, args[0]);
    if (!target)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!target->stopped)
        return sbi_failure(SBI_ERR_ALREADY_AVAILABLE);
    if (!sbi_is_code_address(sbi, args[1]))
        return sbi_failure(SBI_ERR_INVALID_ADDRESS);
    sbi_fwft_reset(sbi, target);
    sbi_enter_s(target, args[1], args[2]);
    return sbi_success(0);
}

static struct sbi_ret hart_stop(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)args;
    h->stopped = true;
    sbi_end_turn(h, HART_WAITS);
    return (struct sbi_ret){.registers_set = true};
}

static struct sbi_ret hart_get_status(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const struct hart *target = find_hart(sbi, args[0]);
    if (!target)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (target->stopped)
        return sbi_success(HSM_STOPPED);
    /* A hart that woke up has gone on; a wfi of its own is not a suspension. */
    if (sbi->suspended[target->id] && target->waiting &&
        target->steps == sbi->suspend_step[target->id])
        return sbi_success(HSM_SUSPENDED);
    return sbi_success(HSM_STARTED);
}

/* Sleeps as in wfi, so that an interrupt that is already pending wakes at once. */
static void suspend(struct sbi *sbi, struct hart *h)
{
    sbi->suspended[h->id] = true;
    sbi->suspend_step[h->id] = h->steps;
    if (!hart_has_wakeup(h)) {
        h->waiting = true;
        sbi_end_turn(h, HART_WAITS);
    }
}

/* Non-retentive: the state of a start, but for sie, which decides what wakes the hart up. */
void sbi_suspend_non_retentive(struct sbi *sbi, struct hart *h, uint64_t pc, uint64_t opaque)
{
    const uint64_t mie = h->csr.mie;
    sbi_enter_s(h, pc, opaque);
    h->csr.mie = mie;
    suspend(sbi, h);
}

static struct sbi_ret hart_suspend(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    const uint32_t type = (uint32_t)args[0];
    if (type == SUSPEND_RETENTIVE) {
        suspend(sbi, h);
        return sbi_success(0);
    }
    if (type == SUSPEND_NON_RETENTIVE) {
        if (!sbi_is_code_address(sbi, args[1]))
            return sbi_failure(SBI_ERR_INVALID_ADDRESS);
        sbi_suspend_non_retentive(sbi, h, args[1], args[2]);
        return (struct sbi_ret){.registers_set = true};
    }
    return sbi_failure(SBI_ERR_INVALID_PARAM);
}

static sbi_function *const functions[] = {hart_start, hart_stop, hart_get_status, hart_suspend};

const struct sbi_extension sbi_hsm = {0x48534d, ARRAY_LEN(functions), functions};

/* SBI legacy extensions (chapter "Legacy Extensions", 0x00 to 0x08): the extension is the function,
 * and only a0 returns. Hart masks are in memory, at a virtual address of the caller. */
#include "firmware/sbi/sbi_internal.h"

#define ALL_HARTS UINT64_MAX

/* The mask at va; NULL means every hart, as other implementations have it. Harts that do not exist
 * are left out: these calls have no error for them. */
static bool read_mask(struct sbi *sbi, struct hart *h, uint64_t va, uint64_t *set)
{
    uint64_t mask = ALL_HARTS;
    if (va && !hart_load(h, va, sizeof mask, &mask))
        return false;
    *set = mask & (~0ull >> (64 - sbi->config.count));
    return true;
}

static int64_t set_timer(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    sbi_pmu_count(sbi, h->id, SBI_EVENT_SET_TIMER);
    hart_set_stimecmp(h, args[0]);
    return SBI_SUCCESS;
}

static int64_t console_putchar(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const uint8_t byte = (uint8_t)args[0];
    if (sbi->config.console_write)
        sbi->config.console_write(sbi->config.console_owner, &byte, 1);
    return SBI_SUCCESS;
}

static int64_t console_getchar(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h, (void)args;
    uint8_t byte;
    const bool got = sbi->config.console_read &&
                     sbi->config.console_read(sbi->config.console_owner, &byte, 1) == 1;
    return got ? byte : SBI_ERR_FAILED;
}

/* Says whether one was pending. */
static int64_t clear_ipi(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)args;
    const bool pending = hart_mip(h) >> IRQ_SSIP & 1;
    hart_set_irq(h, IRQ_SSIP, false);
    return pending;
}

static int64_t send_ipi(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    uint64_t set;
    if (!read_mask(sbi, h, args[0], &set))
        return SBI_ERR_INVALID_ADDRESS;
    sbi_send_ipi(sbi, h, set);
    return SBI_SUCCESS;
}

/* Instruction memory is coherent: see rfence.c. */
static int64_t remote_fence_i(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    uint64_t set;
    if (!read_mask(sbi, h, args[0], &set))
        return SBI_ERR_INVALID_ADDRESS;
    sbi_pmu_count_remote(sbi, h, set, SBI_EVENT_FENCE_I_SENT);
    return SBI_SUCCESS;
}

static int64_t sfence_vma(struct sbi *sbi, struct hart *h, const uint64_t *args, bool any_asid)
{
    const struct sbi_fence fence = {args[1], args[2], any_asid, args[3]};
    uint64_t set;
    if (!read_mask(sbi, h, args[0], &set))
        return SBI_ERR_INVALID_ADDRESS;
    sbi_sfence_vma(sbi, h, set, &fence);
    return SBI_SUCCESS;
}

static int64_t remote_sfence_vma(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    return sfence_vma(sbi, h, args, true);
}

static int64_t remote_sfence_vma_asid(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    return sfence_vma(sbi, h, args, false);
}

static int64_t shut_down(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)args;
    sbi_system_reset(sbi, h, SBI_SHUTDOWN, SBI_REASON_NONE);
    return SBI_SUCCESS;
}

static int64_t (*const calls[])(struct sbi *sbi, struct hart *h, const uint64_t *args) = {
    set_timer,      console_putchar,   console_getchar,        clear_ipi, send_ipi,
    remote_fence_i, remote_sfence_vma, remote_sfence_vma_asid, shut_down,
};

_Static_assert(ARRAY_LEN(calls) == SBI_LEGACY_LAST + 1, "one call a legacy extension");

uint64_t sbi_legacy_call(struct sbi *sbi, struct hart *h, uint64_t extension, const uint64_t *args)
{
    return (uint64_t)calls[extension](sbi, h, args);
}

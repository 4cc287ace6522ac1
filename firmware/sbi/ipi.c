/* SBI inter-processor interrupts (chapter "IPI Extension", "sPI"), and the hart masks of all
 * extensions (chapter "Binary Encoding", section "Hart list parameter"). */
#include "firmware/sbi/sbi_internal.h"

#define ALL_HARTS UINT64_MAX /* as mask base: every hart, the mask does not matter */

bool sbi_hart_set(const struct sbi *sbi, uint64_t mask, uint64_t base, uint64_t *set)
{
    const uint64_t all = ~0ull >> (64 - sbi->config.count);
    if (base == ALL_HARTS) {
        *set = all;
        return true;
    }
    *set = 0;
    if (!mask) /* the base need not be a hart then */
        return true;
    if (base >= sbi->config.count || mask & ~(all >> base))
        return false;
    *set = mask << base;
    return true;
}

/* A stopped hart gets none: it would find it pending when it is started for something else. */
void sbi_send_ipi(struct sbi *sbi, struct hart *h, uint64_t set)
{
    sbi_pmu_count_remote(sbi, h, set, SBI_EVENT_IPI_SENT);
    for (unsigned i = 0; i < sbi->config.count; i++)
        if (set >> i & 1 && !sbi->config.harts[i]->stopped)
            hart_set_irq(sbi->config.harts[i], IRQ_SSIP, true);
}

static struct sbi_ret send_ipi(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    uint64_t set;
    if (!sbi_hart_set(sbi, args[0], args[1], &set))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    sbi_send_ipi(sbi, h, set);
    return sbi_success(0);
}

static sbi_function *const functions[] = {send_ipi};

const struct sbi_extension sbi_ipi = {0x735049, ARRAY_LEN(functions), functions};

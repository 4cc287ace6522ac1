/* SBI system suspend (chapter "System Suspend Extension", "SUSP"). The only type is suspend to RAM:
 * the one hart that is started sleeps as in a non-retentive hart_suspend, and what its sie enables
 * wakes the system. */
#include "firmware/sbi/sbi_internal.h"

#define SUSPEND_TO_RAM 0u

/* The entry criterion: every other hart is stopped. */
static bool others_are_stopped(const struct sbi *sbi, const struct hart *h)
{
    for (unsigned i = 0; i < sbi->config.count; i++)
        if (i != h->id && !sbi->config.harts[i]->stopped)
            return false;
    return true;
}

/* The type has 32 bits; those of platforms are not implemented, the others reserved. */
static struct sbi_ret system_suspend(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    if ((uint32_t)args[0] != SUSPEND_TO_RAM)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!sbi_is_code_address(sbi, args[1]))
        return sbi_failure(SBI_ERR_INVALID_ADDRESS);
    if (!others_are_stopped(sbi, h))
        return sbi_failure(SBI_ERR_DENIED);
    sbi_suspend_non_retentive(sbi, h, args[1], args[2]);
    return (struct sbi_ret){.registers_set = true};
}

static sbi_function *const functions[] = {system_suspend};

const struct sbi_extension sbi_susp = {0x53555350, ARRAY_LEN(functions), functions};

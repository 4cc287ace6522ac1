/* SBI system reset (chapter "System Reset Extension", "SRST"). */
#include "firmware/sbi/sbi_internal.h"

void sbi_system_reset(struct sbi *sbi, struct hart *h, enum sbi_reset_type type,
                      enum sbi_reset_reason reason)
{
    sbi_end_turn(h, HART_REQUEST);
    sbi->config.system_reset(sbi->config.reset_owner, type, reason);
}

/* Both arguments are 32 bits; values of vendors and of SBI implementations mean nothing here. */
static struct sbi_ret system_reset(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    const uint32_t type = (uint32_t)args[0], reason = (uint32_t)args[1];
    if (type > SBI_WARM_REBOOT || reason > SBI_REASON_SYSTEM_FAILURE)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    sbi_system_reset(sbi, h, type, reason);
    return (struct sbi_ret){.registers_set = true};
}

static sbi_function *const functions[] = {system_reset};

const struct sbi_extension sbi_srst = {0x53525354, ARRAY_LEN(functions), functions};

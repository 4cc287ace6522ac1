/* SBI firmware features (chapter "Firmware Features Extension", "FWFT").
 *
 * Two of the features exist, both local to a hart:
 *  - MISALIGNED_EXC_DELEG. Loads and stores may be misaligned here; what is left, atomics, no
 *    firmware can emulate and would hand on to S-mode. So both values mean the same.
 *  - PTE_AD_HW_UPDATING, which is menvcfg.ADUE. It is 1 from the start, where the table has 0: the
 *    device tree names Svadu without Svade, which promises it (bindings: riscv/extensions.yaml).
 * Starting a hart is a reset of it: values and locks are as at boot. */
#include "firmware/sbi/sbi_internal.h"

#define CSR_MENVCFG 0x30au

#define FLAG_LOCK 1ull

enum feature {
    MISALIGNED_EXC_DELEG = 0,
    PTE_AD_HW_UPDATING = 4,
    LAST_STANDARD = 5, /* those after it are reserved or the platform's */
};

/* SBI_SUCCESS: the feature can be read and set. */
static enum sbi_error presence(const struct hart *h, uint32_t feature)
{
    if (feature > LAST_STANDARD)
        return SBI_ERR_DENIED;
    bool present =
        feature == MISALIGNED_EXC_DELEG || (feature == PTE_AD_HW_UPDATING && h->isa.svadu);
    return present ? SBI_SUCCESS : SBI_ERR_NOT_SUPPORTED;
}

static void set_feature(struct fwft_hart *features, struct hart *h, uint32_t feature, bool on)
{
    if (feature == MISALIGNED_EXC_DELEG)
        features->misaligned_not_delegated = !on;
    else
        sbi_csr(h, CSR_MENVCFG, on ? CSR_SET : CSR_CLEAR, ENVCFG_ADUE);
}

static struct sbi_ret fwft_set(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    struct fwft_hart *features = &sbi->fwft[h->id];
    const uint32_t feature = (uint32_t)args[0];
    const uint64_t value = args[1], flags = args[2];
    enum sbi_error error = presence(h, feature);
    if (error)
        return sbi_failure(error);
    if (value > 1 || flags & ~FLAG_LOCK)
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (features->locked >> feature & 1)
        return sbi_failure(SBI_ERR_DENIED_LOCKED);
    set_feature(features, h, feature, value);
    if (flags & FLAG_LOCK)
        features->locked |= (uint8_t)(1u << feature);
    return sbi_success(0);
}

static struct sbi_ret fwft_get(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    const uint32_t feature = (uint32_t)args[0];
    enum sbi_error error = presence(h, feature);
    if (error)
        return sbi_failure(error);
    if (feature == MISALIGNED_EXC_DELEG)
        return sbi_success(!sbi->fwft[h->id].misaligned_not_delegated);
    return sbi_success(!!(h->csr.menvcfg & ENVCFG_ADUE));
}

void sbi_fwft_reset(struct sbi *sbi, struct hart *h)
{
    sbi->fwft[h->id] = (struct fwft_hart){0};
    if (h->isa.svadu && !h->isa.svade)
        sbi_csr(h, CSR_MENVCFG, CSR_SET, ENVCFG_ADUE);
}

void sbi_fwft_state(struct fwft_hart *features, struct state *s)
{
    state_u8(s, &features->locked);
    state_bool(s, &features->misaligned_not_delegated);
}

static sbi_function *const functions[] = {fwft_set, fwft_get};

const struct sbi_extension sbi_fwft = {0x46574654, ARRAY_LEN(functions), functions};

/* SBI remote fences (chapter "RFENCE Extension", "RFNC"). Every hart is between two instructions
 * while a call runs, so that the fence is done when the call returns. */
#include "firmware/sbi/sbi_internal.h"

/* Above this many pages one full flush is cheaper than a flush for each. */
#define MAX_SINGLE_PAGES 64u
#define ALL_ADDRESSES    UINT64_MAX /* as size */

static void fence_hart(struct hart *h, const struct sbi_fence *f)
{
    const uint64_t first = f->start & PAGE_MASK;
    const uint64_t pages = (f->start - first + f->size + PAGE_BYTES - 1) / PAGE_BYTES;
    const bool everything = f->size == ALL_ADDRESSES || (f->start == 0 && f->size == 0);
    if (everything || f->size / PAGE_BYTES >= MAX_SINGLE_PAGES || pages > MAX_SINGLE_PAGES) {
        hart_sfence_vma(h, true, 0, f->any_asid, f->asid);
        return;
    }
    for (uint64_t i = 0; i < pages; i++)
        hart_sfence_vma(h, false, first + i * PAGE_BYTES, f->any_asid, f->asid);
}

void sbi_sfence_vma(struct sbi *sbi, struct hart *h, uint64_t set, const struct sbi_fence *fence)
{
    sbi_pmu_count_remote(
        sbi, h, set, fence->any_asid ? SBI_EVENT_SFENCE_VMA_SENT : SBI_EVENT_SFENCE_VMA_ASID_SENT);
    for (unsigned i = 0; i < sbi->config.count; i++)
        if (set >> i & 1)
            fence_hart(sbi->config.harts[i], fence);
}

/* Whether [start, start + size) lies in the address space; its last byte may be the last of all. */
static bool is_range(uint64_t start, uint64_t size)
{
    return size == ALL_ADDRESSES || size == 0 || start + (size - 1) >= start;
}

/* Instruction memory is coherent (docs/ARCHITECTURE.md): a store drops the decoded code of its line
 * at once, on every hart, so that nothing is left to do. */
static struct sbi_ret remote_fence_i(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    uint64_t set;
    if (!sbi_hart_set(sbi, args[0], args[1], &set))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    sbi_pmu_count_remote(sbi, h, set, SBI_EVENT_FENCE_I_SENT);
    return sbi_success(0);
}

static struct sbi_ret fence(struct sbi *sbi, struct hart *h, const uint64_t *args, bool any_asid)
{
    const struct sbi_fence fence = {args[2], args[3], any_asid, args[4]};
    uint64_t set;
    if (!sbi_hart_set(sbi, args[0], args[1], &set))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!any_asid && fence.asid > UINT16_MAX) /* ASIDLEN is 16 */
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    if (!is_range(fence.start, fence.size))
        return sbi_failure(SBI_ERR_INVALID_ADDRESS);
    sbi_sfence_vma(sbi, h, set, &fence);
    return sbi_success(0);
}

static struct sbi_ret remote_sfence_vma(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    return fence(sbi, h, args, true);
}

static struct sbi_ret remote_sfence_vma_asid(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    return fence(sbi, h, args, false);
}

/* Functions 3 to 6 are those of the hypervisor extension, which these harts lack. */
static sbi_function *const functions[] = {
    remote_fence_i,
    remote_sfence_vma,
    remote_sfence_vma_asid,
};

const struct sbi_extension sbi_rfence = {0x52464e43, ARRAY_LEN(functions), functions};

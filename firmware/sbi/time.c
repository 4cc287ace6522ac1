/* SBI timer extension (chapter "Timer Extension", "TIME"): the hart's own S timer, Sstc. */
#include "firmware/sbi/sbi_internal.h"

/* A time in the future clears the pending bit by itself: STIP is the comparison's result. */
static struct sbi_ret set_timer(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    sbi_pmu_count(sbi, h->id, SBI_EVENT_SET_TIMER);
    hart_set_stimecmp(h, args[0]);
    return sbi_success(0);
}

static sbi_function *const functions[] = {set_timer};

const struct sbi_extension sbi_time = {0x54494d45, ARRAY_LEN(functions), functions};

/* Who owns the host FPU: the contract is fp_host.h's. All of it may be called at any time; outside
 * fp_host_enter and fp_host_leave, h->fflags and h->frm alone are the state. */
#include "cpu/fp_host.h"
#include "cpu/hart.h"

static void install(const struct hart *h)
{
    fp_host_install(fp_host_rounds(h->frm) ? h->frm : FP_RNE);
}

void fp_host_enter(struct hart *h)
{
    h->host_fp_control = fp_host_control();
    h->fp_in_use = true;
    install(h);
}

void fp_host_leave(struct hart *h)
{
    fp_sync(h);
    h->fp_in_use = false;
    fp_host_set_control(h->host_fp_control);
}

void fp_sync(struct hart *h)
{
    if (h->fp_in_use)
        h->fflags |= (uint8_t)fp_host_flags();
}

void fp_reload(struct hart *h)
{
    if (h->fp_in_use)
        install(h);
}

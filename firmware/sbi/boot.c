/* The machine-level environment in which firmware starts an S-mode kernel, as OpenSBI 1.6 leaves it
 * on QEMU 10's `virt`, except where no M-mode code makes a difference:
 *  - Every exception that can be delegated is: nothing in M could emulate an access or instruction.
 *  - Svadu: ADUE is on unless the hart has Svade too. A device tree that names Svadu alone says
 * that hardware updates A and D from the start, one that names both that it does not (bindings:
 *    riscv/extensions.yaml). */
#include "firmware/sbi/sbi_internal.h"

#include <string.h>

#define CSR_MEDELEG       0x302u
#define CSR_MIDELEG       0x303u
#define CSR_MCOUNTEREN    0x306u
#define CSR_MENVCFG       0x30au
#define CSR_MSTATEEN0     0x30cu
#define CSR_MSECCFG       0x747u
#define CSR_MCOUNTINHIBIT 0x320u
#define CSR_SCOUNTEREN    0x106u

#define S_TIMER_AND_IPI   (1ull << IRQ_SSIP | 1ull << IRQ_STIP)
#define S_INTERRUPTS      (S_TIMER_AND_IPI | 1ull << IRQ_SEIP | 1ull << IRQ_LCOFIP)
#define CBIE_FLUSH        (1ull << 4) /* cbo.inval by S and U flushes */
#define PMP_ALL_ADDRESSES UINT64_MAX  /* NAPOT: the whole space */
#define PMP_RWX_NAPOT     0x1fu

/* Written like software does, in M-mode, so that each register keeps what it can hold. */
static void write_csr(struct hart *h, unsigned number, uint64_t value)
{
    uint64_t old;
    if (!hart_csr(h, number, CSR_WRITE, false, true, value, &old))
        log_line(h->ports.log, LOG_UNIMP, "SBI: hart %u has no CSR 0x%03x", h->id, number);
}

static void set_environment(struct hart *h)
{
    hpm_enter_priv(h, PRIV_M, h->steps);
    write_csr(h, CSR_MEDELEG, ~(1ull << CAUSE_ECALL_S));
    write_csr(h, CSR_MIDELEG, S_INTERRUPTS);
    write_csr(h, CSR_MCOUNTEREN, UINT32_MAX);
    write_csr(h, CSR_SCOUNTEREN, UINT32_MAX);
    write_csr(h, CSR_MCOUNTINHIBIT, 0);
    write_csr(h, CSR_MENVCFG,
              ENVCFG_STCE | ENVCFG_PBMTE | (h->isa.svade ? 0 : ENVCFG_ADUE) | ENVCFG_CBZE |
                  ENVCFG_CBCFE | CBIE_FLUSH);
    if (h->isa.smstateen)
        write_csr(h, CSR_MSTATEEN0, UINT64_MAX);
    if (h->isa.zkr)
        write_csr(h, CSR_MSECCFG, MSECCFG_SSEED | MSECCFG_USEED);
    pmp_write_addr(h, 0, PMP_ALL_ADDRESSES);
    pmp_write_cfg(h, 0, PMP_RWX_NAPOT);
    h->csr.mstatus = 0;
    hart_update_code_context(h);
    hart_set_stimecmp(h, UINT64_MAX); /* a timer that nobody set never fires */
}

void sbi_boot(struct sbi *sbi, uint64_t pc, uint64_t device_tree)
{
    memset(sbi->suspended, 0, sizeof sbi->suspended);
    memset(sbi->suspend_step, 0, sizeof sbi->suspend_step);
    for (unsigned i = 0; i < sbi->config.count; i++) {
        struct hart *h = sbi->config.harts[i];
        set_environment(h);
        sbi_pmu_reset(&sbi->pmu[i]);
        sbi_fwft_reset(sbi, h);
        sbi_enter_s(h, pc, device_tree);
        h->stopped = i != 0;
    }
}

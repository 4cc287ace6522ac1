/* Control and status registers: permission, reading, legal values and effects of csr.def's rows.
 * Privileged manual, chapters "Control and Status Registers", "Machine-Level ISA" and
 * "Supervisor-Level ISA".
 *
 * Invariants: h->csr holds only legal values (WARL fields are repaired when written, and checked
 * when a snapshot is loaded). Bits that others own are not in h->csr: SD, UXL and SXL of mstatus
 * are added by a read, and the wires and timers of mip by hart_mip. */
#include "cpu/hart.h"

#include "base/random.h"
#include "cpu/trigger.h"

#include <string.h>

#define always true

/* mimpid: our version 0.1.0, a byte each. */
#define RIVULET_MIMPID 0x000100ull

#define SSIP         (1ull << IRQ_SSIP)
#define STIP         (1ull << IRQ_STIP)
#define SEIP         (1ull << IRQ_SEIP)
#define LCOFIP       (1ull << IRQ_LCOFIP)
#define M_INTERRUPTS (1ull << IRQ_MSIP | 1ull << IRQ_MTIP | 1ull << IRQ_MEIP)
/* Every exception that exists but the environment call from M, which is never delegated. */
#define MEDELEG_MASK 0xb3ffull

#define MSTATUS_WRITABLE                                                                           \
    (MSTATUS_SIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPP |         \
     MSTATUS_FS | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW |            \
     MSTATUS_TSR)

#define COUNTER_CY (1ull << COUNTER_CYCLE)
#define COUNTER_TM (1ull << 1)
#define COUNTER_IR (1ull << COUNTER_INSTRET)

static uint64_t s_interrupts(const struct hart *h)
{
    return SSIP | STIP | SEIP | (h->isa.sscofpmf ? LCOFIP : 0);
}

/* --- presence --------------------------------------------------------------------------------- */

/* "F" registers are there while mstatus.FS is not off. */
static bool fp_on(const struct hart *h)
{
    return h->csr.mstatus & MSTATUS_FS;
}

/* Whether an hpm counter's register is there; the others come with Zicntr. */
static bool counter_exists(const struct hart *h, unsigned counter)
{
    return counter < 3 ? h->isa.zicntr : h->isa.zihpm;
}

/* mcounteren opens a counter to S; mcounteren and scounteren together open it to U. */
static bool counter_on(const struct hart *h, unsigned counter)
{
    uint64_t open = counter_exists(h, counter) ? ~0ull : 0;
    if (h->priv != PRIV_M)
        open &= h->csr.mcounteren;
    if (h->priv == PRIV_U)
        open &= h->csr.scounteren;
    return open >> counter & 1;
}

/* Sstc: S reaches stimecmp only when menvcfg.STCE and mcounteren.TM let it. */
static bool stimecmp_on(const struct hart *h)
{
    if (h->priv == PRIV_M)
        return h->isa.sstc;
    return h->isa.sstc && h->csr.menvcfg & ENVCFG_STCE && h->csr.mcounteren & COUNTER_TM;
}

static bool satp_on(const struct hart *h)
{
    return h->priv == PRIV_M || !(h->csr.mstatus & MSTATUS_TVM);
}

/* Smstateen: what M-mode opens to the modes below. */
static bool stateen_on(const struct hart *h, uint64_t mstateen, uint64_t bit)
{
    return h->priv == PRIV_M || !h->isa.smstateen || mstateen & bit;
}

static bool sstateen_on(const struct hart *h, uint64_t mstateen)
{
    return h->isa.smstateen && stateen_on(h, mstateen, STATEEN_SE);
}

static bool seed_on(const struct hart *h)
{
    uint64_t opened = h->priv == PRIV_U ? MSECCFG_USEED : MSECCFG_SSEED;
    return h->isa.zkr && (h->priv == PRIV_M || h->csr.mseccfg & opened);
}

/* --- effects of CSR rows, after the masked value was stored ----------------------------------- */

static void effect_none(struct hart *h, uint64_t old)
{
    (void)h;
    (void)old;
}

static void effect_interrupts(struct hart *h, uint64_t old)
{
    (void)old;
    hart_check_interrupts(h);
}

static void effect_stimecmp(struct hart *h, uint64_t old)
{
    (void)old;
    hart_set_stimecmp(h, h->csr.stimecmp);
}

static unsigned satp_mode(uint64_t satp)
{
    return satp >> SATP_MODE_SHIFT;
}

static bool satp_is_legal(const struct hart *h, uint64_t satp)
{
    unsigned mode = satp_mode(satp);
    return mode == SATP_BARE || (mode >= SATP_SV39 && mode <= h->isa.max_satp_mode);
}

/* An unsupported MODE: the whole write has no effect. Else the first level of the TLB, which is not
 * tagged, forgets all but M-mode; the second stays, tagged by ASID. A new MODE takes effect without
 * a fence (section "Supervisor Address Translation and Protection Register"): all goes. */
static void effect_satp(struct hart *h, uint64_t old)
{
    if (!satp_is_legal(h, h->csr.satp))
        h->csr.satp = old;
    if (h->csr.satp == old)
        return;
    h->stats.address_spaces++;
    if (satp_mode(h->csr.satp) != satp_mode(old)) {
        tlb_flush_all(h->tlb);
    } else {
        tlb_flush_l1_context(h->tlb, TLB_S);
        tlb_flush_l1_context(h->tlb, TLB_S_SUM);
        tlb_flush_l1_context(h->tlb, TLB_U);
    }
    h->page_valid = false;
    hart_update_translation(h);
    hart_leave(h);
}

/* CBIE = 2 is reserved: the field keeps its old value. */
static uint64_t legal_cbie(uint64_t envcfg, uint64_t old)
{
    bool reserved = (envcfg & ENVCFG_CBIE) == 2 * (ENVCFG_CBIE & -ENVCFG_CBIE);
    return reserved ? (envcfg & ~ENVCFG_CBIE) | (old & ENVCFG_CBIE) : envcfg;
}

static void effect_senvcfg(struct hart *h, uint64_t old)
{
    h->csr.senvcfg = legal_cbie(h->csr.senvcfg, old);
}

static uint64_t senvcfg_mask(const struct hart *h)
{
    return ENVCFG_FIOM | (h->isa.zicbom ? ENVCFG_CBIE | ENVCFG_CBCFE : 0) |
           (h->isa.zicboz ? ENVCFG_CBZE : 0);
}

static uint64_t menvcfg_mask(const struct hart *h)
{
    return senvcfg_mask(h) | (h->isa.svpbmt ? ENVCFG_PBMTE : 0) | (h->isa.svadu ? ENVCFG_ADUE : 0) |
           (h->isa.sstc ? ENVCFG_STCE : 0);
}

static void effect_menvcfg(struct hart *h, uint64_t old)
{
    h->csr.menvcfg = legal_cbie(h->csr.menvcfg, old);
    uint64_t changed = h->csr.menvcfg ^ old;
    if (changed & (ENVCFG_ADUE | ENVCFG_PBMTE))
        hart_flush_tlb(h);
    if (changed & ENVCFG_STCE) /* the next timer deadline is another one */
        hart_leave(h);
}

static uint64_t mseccfg_mask(const struct hart *h)
{
    return (h->isa.smepmp ? MSECCFG_MML | MSECCFG_MMWP | MSECCFG_RLB : 0) |
           (h->isa.zkr ? MSECCFG_USEED | MSECCFG_SSEED : 0);
}

/* MML and MMWP stay set until reset; RLB cannot be set while an entry is locked (Smepmp). */
static void effect_mseccfg(struct hart *h, uint64_t old)
{
    h->csr.mseccfg |= old & (MSECCFG_MML | MSECCFG_MMWP);
    if (!(old & MSECCFG_RLB) && pmp_any_locked(h))
        h->csr.mseccfg &= ~MSECCFG_RLB;
    if ((h->csr.mseccfg ^ old) & (MSECCFG_MML | MSECCFG_MMWP))
        hart_flush_tlb(h);
}

/* --- entropy ---------------------------------------------------------------------------------- */

#define SEED_ES16 (2ull << 30) /* OPST: the low 16 bits are entropy */

/* Chance is the machine's, so that a run can be repeated; each access polls anew. */
static uint64_t read_seed(struct hart *h)
{
    return SEED_ES16 | (random_next(&h->entropy) & 0xffff);
}

static void write_seed(struct hart *h, uint64_t value)
{
    (void)h;
    (void)value;
}

/* --- counters --------------------------------------------------------------------------------- */

static uint64_t read_counter(const struct hart *h, unsigned counter)
{
    return hpm_read(h, counter);
}

static void write_counter(struct hart *h, uint64_t value, unsigned counter)
{
    hpm_write(h, counter, value);
}

static uint64_t read_counter_config(const struct hart *h, unsigned counter)
{
    return h->csr.counter_config[counter];
}

static void write_counter_config(struct hart *h, uint64_t value, unsigned counter)
{
    hpm_write_config(h, counter, value);
}

static uint64_t mcountinhibit_mask(const struct hart *h)
{
    const uint64_t hpm = UINT32_MAX << HPM_FIRST & UINT32_MAX;
    return (h->isa.zicntr ? COUNTER_CY | COUNTER_IR : 0) | (h->isa.zihpm ? hpm : 0);
}

/* The new value acts through hpm.c, which wants to see the counters under the old one. */
static void effect_mcountinhibit(struct hart *h, uint64_t old)
{
    uint64_t inhibit = h->csr.mcountinhibit;
    h->csr.mcountinhibit = old;
    hpm_write_inhibit(h, inhibit);
}

/* Below M only those that mcounteren opens (Sscofpmf). */
static uint64_t scountovf(const struct hart *h)
{
    return hpm_overflows(h) & (h->priv == PRIV_M ? ~0ull : h->csr.mcounteren);
}

/* --- status ----------------------------------------------------------------------------------- */

static uint64_t read_mstatus(const struct hart *h)
{
    return hart_mstatus(h);
}

static uint64_t mstatus_mask(const struct hart *h)
{
    return h->isa.f ? MSTATUS_WRITABLE : MSTATUS_WRITABLE & ~MSTATUS_FS;
}

static void write_mstatus(struct hart *h, uint64_t value)
{
    uint64_t old = h->csr.mstatus;
    if ((value & MSTATUS_MPP) == 2ull << MSTATUS_MPP_SHIFT) /* no such privilege: keep */
        value = (value & ~MSTATUS_MPP) | (old & MSTATUS_MPP);
    h->csr.mstatus = value & mstatus_mask(h);
    uint64_t changed = old ^ h->csr.mstatus;
    if (changed & MSTATUS_FS)
        hart_update_code_context(h);
    if (changed & MSTATUS_MXR)
        hart_flush_tlb(h);
    if (changed & (MSTATUS_MPRV | MSTATUS_MPP | MSTATUS_SUM))
        hart_update_translation(h);
    if (changed & h->csr.mstatus & (MSTATUS_SIE | MSTATUS_MIE))
        hart_check_interrupts(h);
}

static uint64_t read_sstatus(const struct hart *h)
{
    return hart_mstatus(h) & SSTATUS_MASK;
}

void hart_write_sstatus(struct hart *h, uint64_t value)
{
    write_mstatus(h, (h->csr.mstatus & ~SSTATUS_WRITABLE) | (value & SSTATUS_WRITABLE));
}

static void write_sstatus(struct hart *h, uint64_t value)
{
    hart_write_sstatus(h, value);
}

/* --- interrupt views -------------------------------------------------------------------------- */

static uint64_t read_mip(const struct hart *h)
{
    return hart_mip(h);
}

/* STIP is software's while the hart's own S timer (Sstc) is off. */
static void write_mip(struct hart *h, uint64_t value)
{
    uint64_t writable = s_interrupts(h) & ~(h->csr.menvcfg & ENVCFG_STCE ? STIP : 0);
    h->csr.mip = (h->csr.mip & ~writable) | (value & writable);
    hart_check_interrupts(h);
}

/* sip and sie show the delegated bits, the others read 0 (section "Supervisor Interrupt
 * Registers"); of sip only SSIP and LCOFIP can be written. */
static uint64_t read_sip(const struct hart *h)
{
    return hart_mip(h) & h->csr.mideleg;
}

static void write_sip(struct hart *h, uint64_t value)
{
    uint64_t writable = (SSIP | LCOFIP) & h->csr.mideleg;
    h->csr.mip = (h->csr.mip & ~writable) | (value & writable);
    hart_check_interrupts(h);
}

static uint64_t read_sie(const struct hart *h)
{
    return h->csr.mie & h->csr.mideleg;
}

static void write_sie(struct hart *h, uint64_t value)
{
    h->csr.mie = (h->csr.mie & ~h->csr.mideleg) | (value & h->csr.mideleg);
    hart_check_interrupts(h);
}

/* --- floating point --------------------------------------------------------------------------- */

#define FFLAGS_MASK 0x1fu
#define FRM_SHIFT   5
#define FRM_MASK    7u

static uint64_t read_fcsr(struct hart *h)
{
    fp_sync(h);
    return (uint64_t)h->frm << FRM_SHIFT | h->fflags;
}

static void write_fcsr(struct hart *h, uint64_t value)
{
    fp_sync(h);
    h->fflags = value & FFLAGS_MASK;
    h->frm = value >> FRM_SHIFT & FRM_MASK;
    fp_reload(h);
    h->csr.mstatus |= MSTATUS_FS;
    hart_update_code_context(h);
}

static uint64_t read_fflags(struct hart *h)
{
    return read_fcsr(h) & FFLAGS_MASK;
}

static void write_fflags(struct hart *h, uint64_t value)
{
    write_fcsr(h, (uint64_t)h->frm << FRM_SHIFT | (value & FFLAGS_MASK));
}

static uint64_t read_frm(struct hart *h)
{
    return h->frm;
}

static void write_frm(struct hart *h, uint64_t value)
{
    write_fcsr(h, (value & FRM_MASK) << FRM_SHIFT | read_fflags(h));
}

/* --- physical memory protection --------------------------------------------------------------- */

static uint64_t read_pmpcfg(const struct hart *h, unsigned reg)
{
    return pmp_read_cfg(h, reg);
}

static void write_pmpcfg(struct hart *h, uint64_t value, unsigned reg)
{
    pmp_write_cfg(h, reg, value);
}

static uint64_t read_pmpaddr(const struct hart *h, unsigned i)
{
    return h->csr.pmpaddr[i];
}

static void write_pmpaddr(struct hart *h, uint64_t value, unsigned i)
{
    pmp_write_addr(h, i, value);
}

/* --- triggers --------------------------------------------------------------------------------- */

static uint64_t read_tselect(const struct hart *h)
{
    return h->csr.tselect;
}

static void write_tselect(struct hart *h, uint64_t value)
{
    trigger_select(h, value);
}

static uint64_t read_tdata1(const struct hart *h)
{
    return h->csr.tdata1[h->csr.tselect];
}

static void write_tdata1(struct hart *h, uint64_t value)
{
    trigger_write_tdata1(h, value);
}

static uint64_t read_tdata2(const struct hart *h)
{
    return h->csr.tdata2[h->csr.tselect];
}

static void write_tdata2(struct hart *h, uint64_t value)
{
    trigger_write_tdata2(h, value);
}

/* --- the rows --------------------------------------------------------------------------------- */

enum csr_row {
    ROW_ABSENT,
#define CSR(number, name, presence, mask, effect)   ROW_##name,
#define VIEW(number, name, presence, accessor, ...) ROW_##name,
#define READONLY(number, name, presence, value)     ROW_##name,
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    CSR_ROWS
};

_Static_assert(CSR_ROWS <= 256, "row_of has bytes");

static const uint8_t row_of[4096] = {
#define CSR(number, name, presence, mask, effect)   [number] = ROW_##name,
#define VIEW(number, name, presence, accessor, ...) [number] = ROW_##name,
#define READONLY(number, name, presence, value)     [number] = ROW_##name,
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
};

static const char *const row_names[CSR_ROWS] = {
#define CSR(number, name, presence, mask, effect)   [ROW_##name] = #name,
#define VIEW(number, name, presence, accessor, ...) [ROW_##name] = #name,
#define READONLY(number, name, presence, value)     [ROW_##name] = #name,
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
};

static bool is_present(const struct hart *h, enum csr_row row)
{
    switch (row) {
#define CSR(number, name, presence, mask, effect)                                                  \
    case ROW_##name:                                                                               \
        return presence;
#define VIEW(number, name, presence, accessor, ...) CSR(number, name, presence, , )
#define READONLY(number, name, presence, value)     CSR(number, name, presence, , )
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    default:
        return false;
    }
}

static uint64_t csr_read(struct hart *h, enum csr_row row)
{
    switch (row) {
#define CSR(number, name, presence, mask, effect)                                                  \
    case ROW_##name:                                                                               \
        return h->csr.name;
#define VIEW(number, name, presence, accessor, ...)                                                \
    case ROW_##name:                                                                               \
        return read_##accessor(h, ##__VA_ARGS__);
#define READONLY(number, name, presence, value)                                                    \
    case ROW_##name:                                                                               \
        return value;
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    default:
        return 0;
    }
}

static void csr_write(struct hart *h, enum csr_row row, uint64_t value)
{
    uint64_t old;
    switch (row) {
#define CSR(number, name, presence, mask, effect)                                                  \
    case ROW_##name:                                                                               \
        old = h->csr.name;                                                                         \
        h->csr.name = (old & ~(mask)) | (value & (mask));                                          \
        effect_##effect(h, old);                                                                   \
        break;
#define VIEW(number, name, presence, accessor, ...)                                                \
    case ROW_##name:                                                                               \
        write_##accessor(h, value, ##__VA_ARGS__);                                                 \
        break;
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    default:
        break;
    }
}

/* Bits 9:8 of a number are the lowest privilege, bits 11:10 both set mean read-only (section "CSR
 * Address Mapping Conventions"). */
static bool number_permits(const struct hart *h, unsigned number, bool write)
{
    return h->priv >= bits_get(number, 8, 2) && !(write && bits_get(number, 10, 2) == 3);
}

bool hart_csr(struct hart *h, unsigned number, enum csr_op op, bool read, bool write,
              uint64_t operand, uint64_t *old)
{
    enum csr_row row = row_of[number & 0xfff];
    if (UNLIKELY(row == ROW_ABSENT))
        log_line(h->ports.log, LOG_UNIMP, "hart %u: no CSR 0x%03x", h->id, number & 0xfff);
    if (UNLIKELY(!number_permits(h, number, write) || !is_present(h, row)))
        return false;
    if (row == ROW_seed && !write) /* a read alone is reserved (Zkr) */
        return false;
    uint64_t value = 0;
    if (read || op != CSR_WRITE)
        *old = value = csr_read(h, row);
    if (!write)
        return true;
    /* Set and clear see the written SEIP, not the wire (section "mip and mie"). */
    if (row == ROW_mip)
        value = h->csr.mip;
    if (op == CSR_SET)
        operand = value | operand;
    else if (op == CSR_CLEAR)
        operand = value & ~operand;
    uint64_t before = hart_is_watched(h, NOTICE_CSR) && row != ROW_seed ? csr_read(h, row) : 0;
    csr_write(h, row, operand);
    if (hart_is_watched(h, NOTICE_CSR))
        hart_notify(h, &(struct notice){.kind = NOTICE_CSR,
                                        .number = number,
                                        .old = before,
                                        .value = row != ROW_seed ? csr_read(h, row) : 0});
    return true;
}

bool hart_csr_peek(struct hart *h, unsigned number, uint64_t *value)
{
    enum csr_row row = row_of[number & 0xfff];
    *value = 0;
    if (row == ROW_ABSENT || row == ROW_seed || !is_present(h, row)) /* seed: a look uses it up */
        return false;
    *value = csr_read(h, row);
    return true;
}

bool hart_csr_poke(struct hart *h, unsigned number, uint64_t value)
{
    enum csr_row row = row_of[number & 0xfff];
    if (row == ROW_ABSENT || bits_get(number, 10, 2) == 3)
        return false;
    csr_write(h, row, value);
    return true;
}

const char *csr_name(unsigned number)
{
    return row_names[row_of[number & 0xfff]];
}

int csr_number(const char *name)
{
    for (unsigned number = 0; number < ARRAY_LEN(row_of); number++)
        if (row_of[number] != ROW_ABSENT && strcmp(csr_name(number), name) == 0)
            return number;
    return -1;
}

/* --- reset and state -------------------------------------------------------------------------- */

/* What the manual leaves open is 0, but stimecmp: an S timer that nobody set never fires. A hart
 * whose device tree names Svadu and not Svade updates A and D from the start (bindings:
 * riscv/extensions.yaml); xv6 maps its kernel without them. QEMU sets PBMTE with it. */
void csr_reset(struct hart *h)
{
    memset(&h->csr, 0, sizeof h->csr);
    h->csr.menvcfg =
        (h->isa.svpbmt ? ENVCFG_PBMTE : 0) | (h->isa.svadu && !h->isa.svade ? ENVCFG_ADUE : 0);
    h->csr.stimecmp = ~0ull;
    h->frm = 0;
    h->fflags = 0;
    hpm_reset(h);
    trigger_reset(h);
}

static bool csrs_are_legal(const struct hart *h)
{
    const struct hart_csrs *c = &h->csr;
    bool legal = h->frm <= FRM_MASK && h->fflags <= FFLAGS_MASK && satp_is_legal(h, c->satp) &&
                 pmp_is_legal(h) && hpm_is_legal(h) && trigger_is_legal(h) &&
                 !(c->mip & ~s_interrupts(h)) && !(c->mstatus & ~mstatus_mask(h)) &&
                 (c->mstatus & MSTATUS_MPP) != 2ull << MSTATUS_MPP_SHIFT;
#define CSR(number, name, presence, mask, effect) legal = legal && !(c->name & ~(mask));
#define VIEW(number, name, presence, accessor, ...)
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    return legal;
}

void csr_state(struct hart *h, struct state *s)
{
    struct hart_csrs *c = &h->csr;
    state_section(s, "csr", 3);
#define CSR(number, name, presence, mask, effect) state_u64(s, &c->name);
#define VIEW(number, name, presence, accessor, ...)
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    state_u64(s, &c->mstatus);
    state_u64(s, &c->mip);
    state_bytes(s, c->pmpcfg, sizeof c->pmpcfg);
    state_u64s(s, c->pmpaddr, PMP_ENTRIES);
    state_u64s(s, c->counter_config, HPM_COUNTERS);
    state_u64s(s, c->counter_offset, HPM_COUNTERS);
    state_u64(s, &c->tselect);
    state_u64s(s, c->tdata1, TRIGGERS);
    state_u64s(s, c->tdata2, TRIGGERS);
    state_bool(s, &c->trap_trigger_fires);
    state_u8(s, &h->frm);
    state_u8(s, &h->fflags);
    if (state_loading(s) && !csrs_are_legal(h))
        state_fail(s, "hart %u: a CSR holds a value that this hart cannot have", h->id);
}

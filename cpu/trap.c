/* Traps: delegation, priority, entry and return. Privileged manual, sections "Machine Trap
 * Delegation Registers", "Machine Interrupt Registers", "Trap-Return Instructions" and "Privilege
 * and Global Interrupt-Enable Stack in mstatus register".
 *
 * Invariants: pc and steps are synced here; every change of privilege ends with
 * hart_update_translation and a page that must be looked up. */
#include "cpu/trigger.h"

#define INSN_SRET 0x10200073u
#define INSN_MRET 0x30200073u

const char *hart_exception_name(uint64_t cause)
{
    static const char *const names[] = {
        [CAUSE_FETCH_MISALIGNED] = "misaligned fetch",
        [CAUSE_FETCH_ACCESS] = "fetch access fault",
        [CAUSE_ILLEGAL] = "illegal instruction",
        [CAUSE_BREAKPOINT] = "breakpoint",
        [CAUSE_LOAD_MISALIGNED] = "misaligned load",
        [CAUSE_LOAD_ACCESS] = "load access fault",
        [CAUSE_STORE_MISALIGNED] = "misaligned store",
        [CAUSE_STORE_ACCESS] = "store access fault",
        [CAUSE_ECALL_U] = "ecall from U",
        [CAUSE_ECALL_S] = "ecall from S",
        [CAUSE_ECALL_M] = "ecall from M",
        [CAUSE_FETCH_PAGE] = "fetch page fault",
        [CAUSE_LOAD_PAGE] = "load page fault",
        [CAUSE_STORE_PAGE] = "store page fault",
    };
    return cause < ARRAY_LEN(names) ? names[cause] : NULL;
}

static void log_trap(struct hart *h, enum priv to, uint64_t cause, uint64_t tval)
{
    const char *name = cause & CAUSE_INTERRUPT ? "interrupt" : hart_exception_name(cause);
    name = name ? name : "reserved exception";
    log_line(h->ports.log, LOG_INT, "hart %u: %s %u at pc 0x%016llx, tval 0x%llx, %c to %c", h->id,
             name, (unsigned)bits_get(cause, 0, 32), (unsigned long long)h->pc,
             (unsigned long long)tval, "US?M"[h->priv], "US?M"[to]);
}

static void enter_priv(struct hart *h, enum priv priv, uint64_t first_step)
{
    hpm_enter_priv(h, priv, first_step);
    if (UNLIKELY(h->counters_armed)) /* the step of an overflow is another one */
        hart_leave(h);
    h->page_valid = false;
    hart_update_translation(h);
}

void hart_set_priv(struct hart *h, enum priv priv)
{
    enter_priv(h, priv, h->steps);
}

/* Where xtvec sends this cause: MODE 1 spreads interrupts over a table, exceptions go to BASE. */
static uint64_t trap_vector(uint64_t tvec, uint64_t cause)
{
    uint64_t base = tvec & ~3ull;
    if (tvec & 1 && cause & CAUSE_INTERRUPT)
        return base + 4 * (cause & ~CAUSE_INTERRUPT);
    return base;
}

static void trap_to_s(struct hart *h, uint64_t cause, uint64_t tval)
{
    uint64_t status = h->csr.mstatus & ~(MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPP);
    if (h->csr.mstatus & MSTATUS_SIE)
        status |= MSTATUS_SPIE;
    if (h->priv == PRIV_S)
        status |= MSTATUS_SPP;
    h->csr.mstatus = status;
    h->csr.sepc = h->pc;
    h->csr.scause = cause;
    h->csr.stval = tval;
    h->pc = trap_vector(h->csr.stvec, cause);
}

static void trap_to_m(struct hart *h, uint64_t cause, uint64_t tval)
{
    uint64_t status = h->csr.mstatus & ~(MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP);
    if (h->csr.mstatus & MSTATUS_MIE)
        status |= MSTATUS_MPIE;
    h->csr.mstatus = status | (uint64_t)h->priv << MSTATUS_MPP_SHIFT;
    h->csr.mepc = h->pc;
    h->csr.mcause = cause;
    h->csr.mtval = tval;
    h->pc = trap_vector(h->csr.mtvec, cause);
}

static void take_trap(struct hart *h, enum priv to, uint64_t cause, uint64_t tval)
{
    if (UNLIKELY(log_wants(h->ports.log, LOG_INT)))
        log_trap(h, to, cause, tval);
    if (hart_is_watched(h, NOTICE_TRAP))
        hart_notify(h, &(struct notice){
                           .kind = NOTICE_TRAP, .address = tval, .value = cause, .number = to});
    h->steps++;
    h->traps++;
    hpm_count(h, cause & CAUSE_INTERRUPT ? HPM_INTERRUPT : HPM_EXCEPTION);
    h->waiting = false;
    (cause & CAUSE_INTERRUPT ? h->stats.interrupts : h->stats.exceptions)[cause % STATS_CAUSES]++;
    if (to == PRIV_S)
        trap_to_s(h, cause, tval);
    else
        trap_to_m(h, cause, tval);
    unsigned from = h->priv;
    enter_priv(h, to, h->steps);
    if (UNLIKELY(h->triggers_on & TRIGGERS_TRAP)) {
        trigger_note_trap(h, cause, from);
        hart_leave(h);
    }
}

static void call_sbi(struct hart *h)
{
    if (hart_is_watched(h, NOTICE_SBI_CALL))
        hart_notify(h, &(struct notice){.kind = NOTICE_SBI_CALL});
    h->ports.sbi_ecall(h->ports.owner, h);
    if (hart_is_watched(h, NOTICE_SBI_RETURN))
        hart_notify(h, &(struct notice){.kind = NOTICE_SBI_RETURN});
}

void hart_take_exception(struct hart *h)
{
    struct pending_trap trap = h->trap;
    if (h->ports.no_traps) {
        if (hart_is_watched(h, NOTICE_TRAP))
            hart_notify(h, &(struct notice){.kind = NOTICE_TRAP,
                                            .address = trap.tval,
                                            .value = trap.cause,
                                            .number = PRIV_S});
        h->csr.scause = trap.cause; /* as its kernel would find it */
        h->steps++;                 /* as a trap is one */
        h->traps++;
        h->stop = HART_EXCEPTION;
        hart_leave(h);
        return;
    }
    /* Never to a lower privilege than the present one. */
    bool to_s = h->priv != PRIV_M && h->csr.medeleg >> trap.cause & 1;
    if (trap.cause == CAUSE_ECALL_S && !to_s && h->ports.sbi_ecall) {
        h->steps++;
        h->traps++;
        hpm_count(h, HPM_EXCEPTION);
        h->pc += 4;
        h->page_valid = false;
        h->stats.sbi_calls++;
        h->ports.clock->now_ns = hart_now_ns(h); /* the callee may look at a device */
        call_sbi(h);
        hart_leave(h); /* it may have asked for anything */
        return;
    }
    take_trap(h, to_s ? PRIV_S : PRIV_M, trap.cause, trap.tval);
}

/* The interrupts that the hart would take now if they were pending: a level is enabled globally
 * below it, and by its enable bit in it (section "Machine Interrupt Registers"). */
static uint64_t enabled_interrupts(const struct hart *h)
{
    uint64_t levels = 0;
    if (h->priv != PRIV_M || h->csr.mstatus & MSTATUS_MIE)
        levels |= ~h->csr.mideleg;
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_SIE))
        levels |= h->csr.mideleg;
    return h->csr.mie & levels & ~h->held_interrupts;
}

bool hart_take_interrupt(struct hart *h)
{
    static const uint8_t by_priority[] = {IRQ_MEIP, IRQ_MSIP, IRQ_MTIP,  IRQ_SEIP,
                                          IRQ_SSIP, IRQ_STIP, IRQ_LCOFIP};
    uint64_t taken = enabled_interrupts(h);
    if (taken)
        taken &= hart_mip(h);
    bool to_m = taken & ~h->csr.mideleg;
    if (to_m)
        taken &= ~h->csr.mideleg;
    for (unsigned i = 0; taken && i < ARRAY_LEN(by_priority); i++) {
        if (taken >> by_priority[i] & 1) {
            take_trap(h, to_m ? PRIV_M : PRIV_S, CAUSE_INTERRUPT | by_priority[i], 0);
            return true;
        }
    }
    return false;
}

/* A host's clock is not looked at: the next slice does. What the guest has seen pending is. */
void hart_check_interrupts(struct hart *h)
{
    uint64_t enabled = enabled_interrupts(h);
    if (enabled && enabled & hart_mip_seen(h))
        hart_leave(h);
}

/* The common end of xret. A return below M ends MPRV. */
static bool return_to(struct hart *h, enum priv priv, uint64_t status, uint64_t pc)
{
    if (hart_is_watched(h, NOTICE_RETURN))
        hart_notify(h, &(struct notice){.kind = NOTICE_RETURN, .address = pc, .number = priv});
    h->csr.mstatus = priv == PRIV_M ? status : status & ~MSTATUS_MPRV;
    h->pc = pc;
    enter_priv(h, priv, h->steps + 1); /* xret itself is not counted yet */
    hart_check_interrupts(h);
    return true;
}

bool hart_mret(struct hart *h)
{
    if (h->priv != PRIV_M)
        return hart_raise(h, CAUSE_ILLEGAL, INSN_MRET);
    uint64_t old = h->csr.mstatus;
    uint64_t status = (old & ~(MSTATUS_MIE | MSTATUS_MPP)) | MSTATUS_MPIE;
    if (old & MSTATUS_MPIE)
        status |= MSTATUS_MIE;
    return return_to(h, bits_get(old, MSTATUS_MPP_SHIFT, 2), status, h->csr.mepc);
}

bool hart_sret(struct hart *h)
{
    uint64_t old = h->csr.mstatus;
    if (h->priv == PRIV_U || (h->priv == PRIV_S && old & MSTATUS_TSR))
        return hart_raise(h, CAUSE_ILLEGAL, INSN_SRET);
    uint64_t status = (old & ~(MSTATUS_SIE | MSTATUS_SPP)) | MSTATUS_SPIE;
    if (old & MSTATUS_SPIE)
        status |= MSTATUS_SIE;
    return return_to(h, old & MSTATUS_SPP ? PRIV_S : PRIV_U, status, h->csr.sepc);
}

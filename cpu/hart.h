/* One hart: its guest state, and the host state of its fast path.
 *
 * The ISA manual volume I (unprivileged, 20240411) and volume II (privileged, 20240411) give all
 * names. Invariants:
 *  - x[0] is 0 at all times: the decoder sends writes of x0 to x[32].
 *  - A *step* is a retired instruction or a trap taken; virtual time, instret and every event point
 *    count steps, so nothing depends on where blocks end.
 *  - Inside the run loop pc and steps live in registers; every slow path calls hart_sync first. */
#ifndef RIVULET_CPU_HART_H
#define RIVULET_CPU_HART_H

#include "base/bits.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/state.h"
#include "cpu/csr_fields.h"
#include "cpu/isa.h"
#include "cpu/observer.h"
#include "cpu/stats.h"
#include "cpu/watch.h"
#include "memory/map.h"
#include "memory/tlb.h"

#define NO_RESUME_PC 1ull /* odd: no pc */
#define X_SINK       32   /* the register that swallows writes of x0 */

enum priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Exception codes (privileged manual, table "mcause values after trap"). */
enum cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

/* Interrupt numbers = bits of mip and mie. */
enum irq_bit {
    IRQ_SSIP = 1,
    IRQ_MSIP = 3,
    IRQ_STIP = 5,
    IRQ_MTIP = 7,
    IRQ_SEIP = 9,
    IRQ_MEIP = 11,
    IRQ_LCOFIP = 13, /* a counter overflowed (Sscofpmf) */
};

/* Why the run loop gave control back before its time was over. */
enum hart_stop {
    HART_RAN,        /* all steps done */
    HART_WAITS,      /* wfi: sleeps until an interrupt is pending */
    HART_YIELDS,     /* pause, wrs.*: nothing to do this turn */
    HART_BREAKPOINT, /* stands before an instruction with a breakpoint */
    HART_WATCHPOINT, /* stands behind an instruction that touched what is watched: watch_hit */
    HART_EXCEPTION,  /* stands before an instruction that raised h->trap: ports.no_traps */
    HART_REQUEST,    /* the machine asked (power off, reset, stop) */
};

#define PMP_ENTRIES 16
#define TRIGGERS    4

/* Counters by number, as in mcountinhibit; 1 is time, which is none of ours. */
enum { COUNTER_CYCLE = 0, COUNTER_INSTRET = 2, HPM_FIRST = 3, HPM_COUNTERS = 32 };

/* What slow paths count, in the privilege in which it happens. */
enum hpm_event {
    HPM_TLB_MISS, /* + enum tlb_access: neither level knew the page, and a walk was made */
    HPM_EXCEPTION = HPM_TLB_MISS + TLB_ACCESSES,
    HPM_INTERRUPT,
    HPM_EVENTS
};
#define PRIVS 4u

/* Each CSR row of csr.def has a field of its name; VIEW and READONLY rows have none: they show what
 * is kept elsewhere. csr_reset and csr_state know all of it. */
struct hart_csrs {
#define CSR(number, name, presence, mask, effect) uint64_t name;
#define VIEW(number, name, presence, accessor, ...)
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    uint64_t mstatus; /* less SD, UXL and SXL, which a read adds */
    uint64_t mip;     /* what software wrote: SSIP, SEIP, and STIP (counts while STCE is 0) */
    uint8_t pmpcfg[PMP_ENTRIES];
    uint64_t pmpaddr[PMP_ENTRIES];
    /* Counter = what its source has counted + offset; see hpm.c. A config is mhpmevent, or
     * mcyclecfg and minstretcfg for counters 0 and 2. */
    uint64_t counter_config[HPM_COUNTERS], counter_offset[HPM_COUNTERS];
    uint64_t tselect, tdata1[TRIGGERS], tdata2[TRIGGERS];
    bool trap_trigger_fires; /* itrigger, etrigger: before the handler's first instruction */
};

/* What a trigger needs, if it is not off in all modes (trigger.h). */
enum trigger_use {
    TRIGGERS_STEP = 1, /* a look before each instruction */
    TRIGGERS_DATA = 2, /* at loads and stores */
    TRIGGERS_TRAP = 4, /* at traps */
};

/* The exception that a slow path found; taken by hart_take_exception. */
struct pending_trap {
    uint64_t cause, tval;
};

struct hart;
struct code_cache;
struct op;

/* What the machine gives a hart; everything is set before it runs. */
struct hart_ports {
    struct memory_map *memory;
    struct clock *clock;
    struct log *log;
    struct code_cache *code;
    uint64_t seed; /* of the entropy source */
    /* Built-in SBI: an ecall from S-mode that would trap to M. NULL: it traps. On return the hart
     * goes on at pc + 4, unless the callee set pc (hart_stop) itself. */
    void (*sbi_ecall)(void *owner, struct hart *h);
    /* Semihosting: an ebreak that is a call; pc is behind it already. False: this hart may not,
     * and it traps, as all do if this is NULL. */
    bool (*semihosting)(void *owner, struct hart *h);
    void *owner;
    /* Programs without a kernel: who knows the address space in place of page tables (satp must
     * not be Bare), and whether exceptions end the run instead of becoming traps. */
    bool (*find_leaf)(void *owner, uint64_t va, struct translation *leaf);
    void *leaf_owner;
    bool no_traps;
};

struct hart {
    /* --- guest state: hot --- */
    uint64_t x[33];
    uint64_t f[32]; /* NaN-boxed */
    /* --- host side: hot, derived --- */
    const struct tlb_fast *load_tlb; /* of the context that loads use now (MPRV applied) */
    const struct tlb_fast *store_tlb;
    const struct tlb_fast *fetch_tlb;
    uint64_t slice_end; /* step count at which the loop's budget is 0 */
    bool leave;         /* a slow path wants the loop to end after this instruction */
    /* --- guest state --- */
    uint64_t page_va, page_pa; /* the page that executes: virtual and physical base */
    bool page_valid;           /* false: the next instruction looks its page up */
    uint64_t pc;               /* valid outside the loop, and after hart_sync */
    uint64_t steps;            /* likewise */
    uint64_t traps;            /* steps that were traps */
    uint8_t priv;              /* enum priv */
    uint8_t frm;               /* fcsr.frm, 0 to 7 */
    uint8_t fflags;            /* fcsr.fflags less what the host FPU still holds: fp_sync() */
    bool waiting;              /* in wfi */
    bool stopped;              /* SBI HSM: not started */
    bool reservation_valid;    /* LR/SC */
    uint64_t reservation_pa, reservation_value;
    uint64_t mip_wires;    /* MSIP, MEIP, SEIP as the board drives them */
    uint64_t entropy;      /* state of the source behind the CSR seed */
    uint64_t mtimecmp;     /* CLINT's compare register; in units of mtime */
    uint64_t mtime_offset; /* what mtime is ahead of virtual time, modulo 2^64 */
    struct hart_csrs csr;
    uint64_t priv_steps[PRIVS]; /* steps of each privilege before the present one was entered */
    uint64_t events[HPM_EVENTS][PRIVS];
    struct tlb *tlb;
    /* Virtual time: now = time_base_ns + ((steps - time_base_steps) << icount_shift). */
    uint64_t time_base_ns, time_base_steps;
    /* --- host side --- */
    unsigned id; /* mhartid */
    unsigned icount_shift;
    struct hart_isa isa;
    struct hart_ports ports;
    struct pending_trap trap;
    enum hart_stop stop;
    unsigned triggers_on;    /* OR of enum trigger_use: what triggers there are */
    uint32_t counters_armed; /* hpm counters whose top bit is set: they will overflow */
    unsigned code_context;   /* key of decoded blocks: FS and frm; see code.h */
    bool stress;             /* shake the caches: see hart_set_stress */
    int64_t budget;          /* loop dispatch: budget and accumulator between handlers */
    uint64_t acc;
    bool exact;                  /* blocks are run one at a time: no handler enters another */
    uint64_t resume_pc;          /* a breakpoint here has been reported: go over it */
    const struct watch *watches; /* hart_set_watches */
    unsigned watch_count;
    struct watch watch_hit;   /* HART_WATCHPOINT: the first watched byte that was touched */
    uint64_t held_interrupts; /* bits of mip that are not taken: a debugger steps */
    bool fp_in_use;           /* the host FPU holds the guest's rounding mode and sticky flags */
    uint32_t host_fp_control;
    struct hart_observer *observer; /* NULL: nobody watches */
    struct hart_stats stats;
};

/* --- hart.c ------------------------------------------------------------------------------- */

struct hart *hart_create(unsigned id, const struct hart_isa *isa, const struct hart_ports *ports,
                         unsigned icount_shift);
void hart_destroy(struct hart *h);
/* Power-on state: M-mode, pc = reset_pc, all else as the privileged manual's section "Reset". */
void hart_reset(struct hart *h, uint64_t reset_pc);
void hart_state(struct hart *h, struct state *s);

/* Runs until h->steps is from `least` to `most`, or a reason to stop. Virtual time of the hart must
 * be set (time_base_*). Takes interrupts at exact steps. Between the two there should be
 * HART_RUN_SLACK steps when the end need not be exact: to reach one step a block has to be cut, and
 * decoded for that. */
enum hart_stop hart_run_between(struct hart *h, uint64_t least, uint64_t most);
#define HART_RUN_SLACK 32u

static inline enum hart_stop hart_run(struct hart *h, uint64_t end_steps)
{
    return hart_run_between(h, end_steps, end_steps);
}

/* Drives one bit of mip from outside (board, SBI): IRQ_MSIP, IRQ_MEIP, IRQ_SEIP; IRQ_SSIP sets or
 * clears the register bit itself. Wakes the hart when the interrupt is enabled. */
void hart_set_irq(struct hart *h, enum irq_bit bit, bool level);
/* CLINT: the machine timer's compare value. */
void hart_set_mtimecmp(struct hart *h, uint64_t mtime);
/* CLINT: mtime has been written, and is now ahead of virtual time by this. */
void hart_set_mtime_offset(struct hart *h, uint64_t offset);
/* stimecmp, as a CSR write or SBI set_timer gives it. */
void hart_set_stimecmp(struct hart *h, uint64_t mtime);

/* mip as software reads it now: wires, SSIP, and the timer bits of the hart's present. */
uint64_t hart_mip(const struct hart *h);
/* The same without a look at the host's clock: as of the last one. */
uint64_t hart_mip_seen(const struct hart *h);
/* Whether wfi must end: any bit pending that mie enables (mstatus does not matter). */
bool hart_has_wakeup(const struct hart *h);
/* The virtual time (ns) at which a timer of this hart next becomes pending; EVENT_NEVER if none. */
uint64_t hart_timer_deadline_ns(const struct hart *h);
/* The hart's present. */
uint64_t hart_now_ns(const struct hart *h);
static inline uint64_t hart_mtime(const struct hart *h)
{
    return hart_now_ns(h) / NS_PER_MTIME + h->mtime_offset;
}

/* Sets what the hart does after this instruction: leave the loop. Any slow path, any device. */
static inline void hart_leave(struct hart *h)
{
    h->leave = true;
}

/* Whether somebody wants to hear of it: asked on slow paths only. */
static inline bool hart_is_watched(const struct hart *h, enum notice_kind kind)
{
    return UNLIKELY(h->observer != NULL) && h->observer->wants & NOTICE_BIT(kind);
}

static inline void hart_notify(struct hart *h, const struct notice *n)
{
    h->observer->notice(h->observer->owner, h, n);
}

/* Before a marked instruction (code_set_marks); pc and steps are synced. */
void hart_meet_mark(struct hart *h);

/* --- trap.c ------------------------------------------------------------------------------- */

/* Takes the exception in h->trap at h->pc (both synced): delegation, vectoring, one step. */
void hart_take_exception(struct hart *h);
/* Takes the highest-priority interrupt that is pending and enabled; false if none. */
bool hart_take_interrupt(struct hart *h);
/* system.c: at an ebreak (pc and steps synced), whether it was a semihosting call; it is made. */
bool hart_semihosting_call(struct hart *h);
/* Calls hart_leave when hart_take_interrupt would take one: after anything that may enable one. */
void hart_check_interrupts(struct hart *h);
/* mret, sret: false = illegal here (h->trap filled). On success pc, priv and mstatus are set. */
bool hart_mret(struct hart *h);
bool hart_sret(struct hart *h);

/* "breakpoint", "load page fault", ...; NULL: reserved. */
const char *hart_exception_name(uint64_t cause);

/* Fills h->trap; always false, so that it can be returned. */
static inline bool hart_raise(struct hart *h, enum cause cause, uint64_t tval)
{
    h->trap = (struct pending_trap){cause, tval};
    return false;
}

/* --- csr.c -------------------------------------------------------------------------------- */

/* The read-modify-write of one CSR instruction (Zicsr). `write` false: csrrs/csrrc with x0.
 * False: illegal here, nothing was done (the caller raises). pc and steps are synced; steps does
 * not yet count this instruction. Effects on translation, interrupts or the block context are
 * applied, with hart_leave() where the loop must look again. */
enum csr_op { CSR_WRITE, CSR_SET, CSR_CLEAR };
bool hart_csr(struct hart *h, unsigned number, enum csr_op op, bool read, bool write,
              uint64_t operand, uint64_t *old);
/* mstatus as software reads it. */
static inline uint64_t hart_mstatus(const struct hart *h)
{
    uint64_t status = h->csr.mstatus | MSTATUS_XLENS;
    return (status & MSTATUS_FS) == MSTATUS_FS ? status | MSTATUS_SD : status;
}
/* As a CSR instruction writes sstatus, with all effects. */
void hart_write_sstatus(struct hart *h, uint64_t value);
/* For debuggers and tests: no permission check and no side effects of reading. */
bool hart_csr_peek(struct hart *h, unsigned number, uint64_t *value);
/* For debuggers: as M-mode would write it, with all effects. False: there is no such CSR here, or
 * it is read-only. Between runs. */
bool hart_csr_poke(struct hart *h, unsigned number, uint64_t value) MUST_CHECK;
/* Power-on values and state walk of h->csr, frm and fflags (outside the run loop: fflags whole). */
void csr_reset(struct hart *h);
void csr_state(struct hart *h, struct state *s);
/* "mstatus" ... or NULL. */
const char *csr_name(unsigned number);
/* The number of a name, or -1. */
int csr_number(const char *name);

/* --- access.c: memory as the hart sees it ---------------------------------------------------- */

/* Virtual access of 1, 2, 4 or 8 bytes, any alignment, MMIO included; false: h->trap is filled and
 * nothing was done. */
bool hart_load(struct hart *h, uint64_t va, unsigned size, uint64_t *value) MUST_CHECK;
bool hart_store(struct hart *h, uint64_t va, unsigned size, uint64_t value) MUST_CHECK;

/* lr, sc: naturally aligned, 4 or 8 bytes; sc tells whether it stored. */
bool hart_load_reserved(struct hart *h, uint64_t va, unsigned size, uint64_t *value) MUST_CHECK;
bool hart_store_conditional(struct hart *h, uint64_t va, unsigned size, uint64_t value,
                            bool *stored) MUST_CHECK;
/* Host address of naturally aligned RAM for a read-modify-write; NULL: h->trap is filled. */
void *hart_amo_address(struct hart *h, uint64_t va, unsigned size);
#define CACHE_BLOCK_BYTES 64u
/* Whether menvcfg and senvcfg let this privilege execute a cache-block operation (CMO extensions,
 * section "Control and Status Register State"). */
static inline bool hart_cbo_enabled(const struct hart *h, uint64_t field)
{
    if (h->priv != PRIV_M && !(h->csr.menvcfg & field))
        return false;
    return h->priv != PRIV_U || h->csr.senvcfg & field;
}
/* cbo.*: the block that holds va. */
bool hart_probe_cache_block(struct hart *h, uint64_t va) MUST_CHECK;
bool hart_zero_cache_block(struct hart *h, uint64_t va) MUST_CHECK;
/* Makes va's page the one that executes (page_va, page_pa), through the fetch TLB; keeps it when it
 * is already. False: h->trap is filled. */
bool hart_enter_page(struct hart *h, uint64_t va) MUST_CHECK;
/* Whether the instruction at pc has been fetched already, as far as its page goes: hart_enter_page
 * would change nothing then. */
bool hart_is_on_page(const struct hart *h);
/* The instruction at h->pc, which begins in the last two bytes of its page: its second half is
 * fetched through the next page. */
bool hart_straddling_word(struct hart *h, uint32_t *word) MUST_CHECK;
/* Raises an illegal-instruction exception with the instruction at h->pc as tval; false. */
bool hart_raise_illegal(struct hart *h);

/* The privilege that loads and stores have: mstatus.MPRV lends M-mode another. */
unsigned hart_data_priv(const struct hart *h);
/* What the hart's page-table walk is like now; a debugger's walk adds its report. */
struct walk_request hart_walk_request(const struct hart *h);
/* Called after anything that decides how addresses are translated or checked changed: priv,
 * mstatus.MPRV/MPP/SUM, satp. Chooses the TLB arrays; O(1). */
void hart_update_translation(struct hart *h);
/* Drops cached translations. MXR and PMP changes need hart_flush_tlb. */
void hart_flush_tlb(struct hart *h);
/* sfence.vma: any_va / any_asid = the operand register is x0. */
void hart_sfence_vma(struct hart *h, bool any_va, uint64_t va, bool any_asid, uint64_t asid);
/* For debuggers, between runs. */
void hart_set_priv(struct hart *h, enum priv priv);
/* The list stays the caller's, and must not change but by another call. Between runs. */
void hart_set_watches(struct hart *h, const struct watch *watches, unsigned count);
/* Called after mstatus.FS or frm changed: chooses the decoded blocks' context. */
void hart_update_code_context(struct hart *h);

/* --- hpm.c -------------------------------------------------------------------------------- */

/* A counter's value; CSR instructions see it without themselves. */
uint64_t hpm_read(const struct hart *h, unsigned counter);
/* Writes by a CSR instruction that is not counted yet: they hold from the next one on. */
void hpm_write(struct hart *h, unsigned counter, uint64_t value);
void hpm_write_config(struct hart *h, unsigned counter, uint64_t config);
void hpm_write_inhibit(struct hart *h, uint64_t inhibit);
/* OF of every counter, by number. */
uint64_t hpm_overflows(const struct hart *h);
/* The selector of mhpmevent that counts an event of the SBI: event_idx, or the data of a raw one.
 */
bool hpm_find_selector(uint64_t event_idx, uint64_t data, uint64_t *selector);
void hpm_reset(struct hart *h);
bool hpm_is_legal(const struct hart *h);
/* After a load: what is derived from the counters. */
void hpm_rearm(struct hart *h);
/* Enters a privilege whose first step is number `first`. */
void hpm_enter_priv(struct hart *h, enum priv priv, uint64_t first);
/* Something happened. A counter that can overflow is looked at behind this instruction. */
static inline void hpm_count(struct hart *h, enum hpm_event event)
{
    h->events[event][h->priv]++;
    if (UNLIKELY(h->counters_armed))
        hart_leave(h);
}
/* The step at which a counter of steps next overflows, at most `end`, if nothing comes between. */
uint64_t hpm_overflow_step(const struct hart *h, uint64_t end);
/* Makes overflows pending: between instructions. */
void hpm_check_overflow(struct hart *h);

/* --- pmp.c -------------------------------------------------------------------------------- */

enum pmp_result { PMP_DENIED, PMP_ALLOWED };
/* Whether an access of `size` bytes at gpa is allowed in privilege `priv`. *whole_page tells
 * whether the answer holds for the entire 4 KiB page. access: enum tlb_access. */
enum pmp_result pmp_check(const struct hart *h, uint64_t gpa, unsigned size, unsigned access,
                          unsigned priv, bool *whole_page);
uint64_t pmp_read_cfg(const struct hart *h, unsigned reg); /* pmpcfg0, 2: reg 0, 2 */
void pmp_write_cfg(struct hart *h, unsigned reg, uint64_t value);
void pmp_write_addr(struct hart *h, unsigned i, uint64_t value);
bool pmp_any_locked(const struct hart *h);
/* Whether all entries hold values that the writes above could have left: for snapshots. */
bool pmp_is_legal(const struct hart *h);

/* --- fp state ------------------------------------------------------------------------------- */

/* Moves sticky flags from the host FPU into h->fflags; before fflags or fcsr is read or written. */
void fp_sync(struct hart *h);
/* After frm or fflags were written: the host FPU takes over the new rounding mode. */
void fp_reload(struct hart *h);

#endif

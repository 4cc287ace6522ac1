/* What the extensions of the built-in SBI share. An extension is one file: its functions, a table
 * of them in the order of their numbers, and one line in the list of sbi.c. */
#ifndef RIVULET_FIRMWARE_SBI_INTERNAL_H
#define RIVULET_FIRMWARE_SBI_INTERNAL_H

#include "firmware/sbi.h"

/* Standard errors (SBI, chapter "Binary Encoding"). */
enum sbi_error {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
    SBI_ERR_NO_SHMEM = -9,
    SBI_ERR_DENIED_LOCKED = -14,
};

#define SBI_ARGS 6 /* a0 to a5 */

#define PMU_HARDWARE 32u /* the hart's by number: 1 is time, which is none */
#define PMU_FIRMWARE 16u /* and those that count the SBI's own events */
#define PMU_COUNTERS (PMU_HARDWARE + PMU_FIRMWARE)
#define PMU_NO_EVENT UINT32_MAX

/* One hart's counters: see pmu.c. */
struct pmu_hart {
    uint32_t events[PMU_COUNTERS]; /* event_idx, or PMU_NO_EVENT */
    uint64_t values[PMU_FIRMWARE];
    uint64_t started; /* bit by counter */
};

/* One hart's firmware features: see fwft.c. */
struct fwft_hart {
    uint8_t locked; /* bit by feature */
    bool misaligned_not_delegated;
};

struct sbi {
    struct sbi_config config;
    /* --- guest state --- */
    /* HSM: the hart sleeps in hart_suspend while it still waits at this step count. */
    bool suspended[SBI_MAX_HARTS];
    uint64_t suspend_step[SBI_MAX_HARTS];
    struct pmu_hart pmu[SBI_MAX_HARTS];
    struct fwft_hart fwft[SBI_MAX_HARTS];
};

/* What a call returns: a0 and a1. A call that does not return, or resumes elsewhere, sets the
 * registers itself. */
struct sbi_ret {
    enum sbi_error error;
    bool registers_set;
    uint64_t value;
};

typedef struct sbi_ret sbi_function(struct sbi *sbi, struct hart *h, const uint64_t *args);

struct sbi_extension {
    uint32_t id;
    unsigned count;
    sbi_function *const *functions; /* by function number; NULL: not supported */
};

extern const struct sbi_extension sbi_base, sbi_time, sbi_ipi, sbi_rfence, sbi_hsm, sbi_srst,
    sbi_dbcn, sbi_pmu, sbi_susp, sbi_fwft;

static inline struct sbi_ret sbi_success(uint64_t value)
{
    return (struct sbi_ret){.error = SBI_SUCCESS, .value = value};
}

static inline struct sbi_ret sbi_failure(enum sbi_error error)
{
    return (struct sbi_ret){.error = error};
}

/* The calling hart's run ends after the ecall. */
static inline void sbi_end_turn(struct hart *h, enum hart_stop stop)
{
    h->stop = stop;
    hart_leave(h);
}

/* The operands of a remote sfence.vma. */
struct sbi_fence {
    uint64_t start, size;
    bool any_asid;
    uint64_t asid;
};

/* --- sbi.c --- */

bool sbi_has_extension(uint64_t id);
/* A CSR instruction of M-mode at this ecall. */
void sbi_csr(struct hart *h, unsigned number, enum csr_op op, uint64_t operand);

/* --- legacy.c --- */

#define SBI_LEGACY_LAST 8u
/* A call of the legacy extensions 0 to 8: what goes into a0; a1 stays. */
uint64_t sbi_legacy_call(struct sbi *sbi, struct hart *h, uint64_t extension, const uint64_t *args);

/* --- ipi.c, rfence.c, srst.c --- */

/* The harts of a mask and its base as bits of a 64-bit set; false: one of them does not exist. */
bool sbi_hart_set(const struct sbi *sbi, uint64_t mask, uint64_t base, uint64_t *set);
/* h is the sender. */
void sbi_send_ipi(struct sbi *sbi, struct hart *h, uint64_t set);
/* sfence.vma on every hart of the set, as h asks. */
void sbi_sfence_vma(struct sbi *sbi, struct hart *h, uint64_t set, const struct sbi_fence *fence);
void sbi_system_reset(struct sbi *sbi, struct hart *h, enum sbi_reset_type type,
                      enum sbi_reset_reason reason);
/* The state in which HSM lets a hart enter S-mode: a0 = hart id, a1 = opaque, no translation, no
 * interrupts. */
void sbi_enter_s(struct hart *h, uint64_t pc, uint64_t opaque);

/* --- hsm.c --- */

bool sbi_is_code_address(const struct sbi *sbi, uint64_t gpa);
/* Sleeps until an interrupt that sie enables, and enters S-mode at pc. */
void sbi_suspend_non_retentive(struct sbi *sbi, struct hart *h, uint64_t pc, uint64_t opaque);

/* --- pmu.c: the SBI's own events, by their codes --- */

enum sbi_event {
    SBI_EVENT_SET_TIMER = 5,
    SBI_EVENT_IPI_SENT = 6, /* each "sent" is followed by its "received" */
    SBI_EVENT_FENCE_I_SENT = 8,
    SBI_EVENT_SFENCE_VMA_SENT = 10,
    SBI_EVENT_SFENCE_VMA_ASID_SENT = 12,
};
void sbi_pmu_count(struct sbi *sbi, unsigned hart, enum sbi_event event);
/* One event sent by h and one received for each other hart of the set. */
void sbi_pmu_count_remote(struct sbi *sbi, const struct hart *h, uint64_t set, enum sbi_event sent);
void sbi_pmu_reset(struct pmu_hart *pmu);
void sbi_pmu_state(struct pmu_hart *pmu, struct state *s);

/* --- fwft.c --- */

void sbi_fwft_reset(struct sbi *sbi, struct hart *h);
void sbi_fwft_state(struct fwft_hart *features, struct state *s);

#endif

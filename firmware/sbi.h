/* The built-in SBI: what M-mode firmware would do for an S-mode kernel, done by the emulator.
 * RISC-V Supervisor Binary Interface 3.0 (riscv-sbi-doc v3.0). An ecall from S-mode comes here
 * instead of trapping to M; no guest code runs in M-mode.
 *
 * All harts run on one host thread in turn, so that a call may change any hart at once; there are
 * no pending states of HSM. */
#ifndef RIVULET_FIRMWARE_SBI_H
#define RIVULET_FIRMWARE_SBI_H

#include "base/log.h"
#include "base/state.h"
#include "cpu/hart.h"
#include "memory/map.h"

#define SBI_MAX_HARTS 64u /* one hart mask */

enum sbi_reset_type { SBI_SHUTDOWN = 0, SBI_COLD_REBOOT = 1, SBI_WARM_REBOOT = 2 };
enum sbi_reset_reason { SBI_REASON_NONE = 0, SBI_REASON_SYSTEM_FAILURE = 1 };

struct sbi_config {
    struct hart *const *harts; /* harts[i]->id == i; outlives the SBI */
    unsigned count;
    struct memory_map *memory;
    struct log *log;
    /* The debug console: write takes all bytes, read returns how many of up to n are there. NULL:
     * thrown away; nothing. */
    void (*console_write)(void *owner, const uint8_t *bytes, size_t n);
    size_t (*console_read)(void *owner, uint8_t *bytes, size_t n);
    void *console_owner;
    /* The guest asked to end or restart the machine; the calling hart leaves its loop. */
    void (*system_reset)(void *owner, enum sbi_reset_type type, enum sbi_reset_reason reason);
    void *reset_owner;
};

struct sbi;

struct sbi *sbi_create(const struct sbi_config *config);
void sbi_destroy(struct sbi *sbi);

/* After every hart's hart_reset: hart 0 stands at pc in S-mode with a0 = 0 and a1 = the device
 * tree, the others are stopped until HSM starts them. Harts must have Sstc. */
void sbi_boot(struct sbi *sbi, uint64_t pc, uint64_t device_tree);

/* For hart_ports.sbi_ecall: pc is already behind the ecall. */
void sbi_ecall(void *sbi, struct hart *h);

void sbi_state(struct sbi *sbi, struct state *s);

#endif

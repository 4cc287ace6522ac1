/* System instructions that are more than a line: waiting, fences, cache blocks, semihosting. Each
 * sees pc and steps of its own instruction, and returns false with h->trap filled when it raises an
 * exception. */
#include "cpu/exec.h"
#include "cpu/peek.h"

static void stop_with(struct hart *h, enum hart_stop stop)
{
    h->stop = stop;
    hart_leave(h);
}

/* Zihintpause and wrs.sto: the end of this hart's turn. A hart that is alone has nobody to yield
 * to: a kernel's delays, which are loops around pause, need not leave the run loop each time. */
bool hart_pause(struct hart *h, const struct op *op)
{
    (void)op;
    h->stats.pauses++;
    if (h->ports.code->tlb_count > 1)
        stop_with(h, HART_YIELDS);
    return true;
}

/* Zawrs: without a reservation nothing is waited for. The wait is bounded: a turn. */
bool hart_wrs_nto(struct hart *h, const struct op *op)
{
    return h->reservation_valid ? hart_pause(h, op) : true;
}

/* Privileged manual, section "Wait for Interrupt": with TW the bounded time below M is 0; in
 * U-mode, where S exists, it is illegal. */
bool hart_wfi(struct hart *h, const struct op *op)
{
    (void)op;
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_TW))
        return hart_raise_illegal(h);
    if (!hart_has_wakeup(h)) {
        h->waiting = true;
        stop_with(h, HART_WAITS);
    }
    return true;
}

bool hart_sfence(struct hart *h, const struct op *op)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_TVM))
        return hart_raise_illegal(h);
    hart_sfence_vma(h, op->rs1 == 0, RS1, op->rs2 == 0, RS2);
    return true;
}

/* Svinval: sinval.vma acts at once, so that the two fences around it have nothing left to do. */
bool hart_sfence_inval(struct hart *h, const struct op *op)
{
    (void)op;
    return h->priv == PRIV_U ? hart_raise_illegal(h) : true;
}

static bool probe_if(struct hart *h, const struct op *op, uint64_t field)
{
    if (!hart_cbo_enabled(h, field))
        return hart_raise_illegal(h);
    return hart_probe_cache_block(h, RS1);
}

bool hart_cbo_inval(struct hart *h, const struct op *op)
{
    return probe_if(h, op, ENVCFG_CBIE);
}

/* Memory has no cache to be cleaned: the checks are all. */
bool hart_cbo_clean(struct hart *h, const struct op *op)
{
    return probe_if(h, op, ENVCFG_CBCFE);
}

bool hart_cbo_zero(struct hart *h, const struct op *op)
{
    if (!hart_cbo_enabled(h, ENVCFG_CBZE))
        return hart_raise_illegal(h);
    return hart_zero_cache_block(h, RS1);
}

/* An even register and the next one; x0 stands for two zeros, and as destination for none. */
static void read_pair(const struct hart *h, unsigned first, uint64_t pair[2])
{
    bool none = first == 0 || first == X_SINK;
    pair[0] = none ? 0 : h->x[first];
    pair[1] = none ? 0 : h->x[first + 1];
}

/* Zacas: 16 bytes, of which the compared ones come from rd's pair. */
bool hart_amocas_q(struct hart *h, const struct op *op)
{
    uint64_t *memory = hart_amo_address(h, RS1, 16), expected[2], old[2];
    if (!memory)
        return false;
    read_pair(h, op->rd, expected);
    memcpy(old, memory, sizeof old);
    if (old[0] == expected[0] && old[1] == expected[1])
        read_pair(h, op->rs2, memory);
    if (op->rd != X_SINK)
        memcpy(&h->x[op->rd], old, sizeof old);
    return true;
}

/* RISC-V Semihosting 0.4: the ebreak between two instructions that do nothing, all uncompressed and
 * on one page. */
static bool is_semihosting_sequence(const struct hart *h)
{
    static const uint32_t sequence[] = {0x01f01013, 0x00100073, 0x40705013};
    uint32_t words[ARRAY_LEN(sequence)];
    uint64_t offset = h->pc % PAGE_BYTES;
    return offset >= 4 && offset + 8 <= PAGE_BYTES &&
           peek_physical(h->ports.memory, h->page_pa + offset - 4, words, sizeof words) &&
           memcmp(words, sequence, sizeof words) == 0;
}

/* Like the SBI's ecall it is a step, and no retired instruction. */
bool hart_semihosting_call(struct hart *h)
{
    if (!is_semihosting_sequence(h))
        return false;
    h->steps++;
    h->traps++;
    h->pc += 4;
    if (h->ports.semihosting(h->ports.owner, h)) {
        hart_leave(h); /* it may have changed anything */
        return true;
    }
    h->steps--;
    h->traps--;
    h->pc -= 4;
    return false;
}

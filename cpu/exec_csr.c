/* CSR instructions whose register is known when they are decoded. What a kernel's entry and exit
 * are made of, the plain fields of csr.def and sstatus, needs no look-up and seldom a call. The
 * row's own handler (sys.def) is the slow path: of what is forbidden here, and of everything that
 * an observer may want to hear of. Hot; CMakeLists.txt gives it flags of its own. */
#include "cpu/exec_words.h"

#include <stddef.h>

handler op_csrrw, op_csrrs, op_csrrc, op_csrrsi, op_csrrci;

/* --- plain fields ------------------------------------------------------------------------- */

/* imm: the number in its low twelve bits as in every CSR op, above it where the field is in the
 * hart, in words. n: the lowest privilege. rs2: the low bits that are always 0. */
#define NUMBER_BITS 12
#define FIELD       ((uint64_t *)(void *)h)[op->imm >> NUMBER_BITS]

static HANDLER(op_csr_read)
{
    if (UNLIKELY(h->priv < op->n))
        TAIL(op_csrrs);
    WRITE_RD(FIELD);
    NEXT;
}

static HANDLER(op_csr_write)
{
    if (UNLIKELY(h->priv < op->n || h->observer))
        TAIL(op_csrrw);
    FIELD = RS1 & ~(uint64_t)op->rs2;
    NEXT;
}

static HANDLER(op_csr_swap)
{
    if (UNLIKELY(h->priv < op->n || h->observer))
        TAIL(op_csrrw);
    uint64_t old = FIELD;
    FIELD = RS1 & ~(uint64_t)op->rs2;
    WRITE_RD(old);
    NEXT;
}

/* --- sstatus ------------------------------------------------------------------------------ */

static HANDLER(op_sstatus_read)
{
    if (UNLIKELY(h->priv == PRIV_U))
        TAIL(op_csrrs);
    WRITE_RD(hart_mstatus(h) & SSTATUS_MASK);
    NEXT;
}

/* Bits that others have to hear of when they change; SIE when it is set. */
#define SSTATUS_EFFECTIVE (MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)

/* The new value comes in the accumulator. */
static HANDLER(write_with_effects)
{
    uint64_t old = hart_mstatus(h) & SSTATUS_MASK;
    hart_sync(h, op, budget);
    hart_write_sstatus(h, acc);
    WRITE_RD(old);
    if (UNLIKELY(h->leave))
        TAIL(leave_behind);
    NEXT;
}

#define WRITE_SSTATUS(slow, value)                                                                 \
    do {                                                                                           \
        if (UNLIKELY(h->priv == PRIV_U || h->observer))                                            \
            TAIL(slow);                                                                            \
        uint64_t old_ = hart_mstatus(h) & SSTATUS_MASK;                                            \
        acc = (value);                                                                             \
        uint64_t changed_ = (old_ ^ acc) & SSTATUS_WRITABLE;                                       \
        if (changed_ & (SSTATUS_EFFECTIVE | (acc & MSTATUS_SIE)))                                  \
            TAIL(write_with_effects);                                                              \
        h->csr.mstatus ^= changed_;                                                                \
        WRITE_RD(old_);                                                                            \
        NEXT;                                                                                      \
    } while (0)

static HANDLER(op_sstatus_write)
{
    WRITE_SSTATUS(op_csrrw, RS1);
}

static HANDLER(op_sstatus_set)
{
    WRITE_SSTATUS(op_csrrs, old_ | RS1);
}

static HANDLER(op_sstatus_clear)
{
    WRITE_SSTATUS(op_csrrc, old_ & ~RS1);
}

static HANDLER(op_sstatus_set_bits)
{
    WRITE_SSTATUS(op_csrrsi, old_ | op->rs1);
}

static HANDLER(op_sstatus_clear_bits)
{
    WRITE_SSTATUS(op_csrrci, old_ & ~(uint64_t)op->rs1);
}

/* --- the choice --------------------------------------------------------------------------- */

struct plain_field {
    uint16_t number, word;
    uint8_t fixed; /* low bits that are always 0 */
};

static const struct plain_field plain_fields[] = {
#define PLAIN(number, name, mask)                                                                  \
    {number, offsetof(struct hart, csr.name) / sizeof(uint64_t), (uint8_t) ~(mask)},
#define CSR(number, name, presence, mask, effect)
#define VIEW(number, name, presence, accessor, ...)
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
};

static const struct plain_field *find_plain_field(unsigned number)
{
    for (unsigned i = 0; i < ARRAY_LEN(plain_fields); i++)
        if (plain_fields[i].number == number)
            return &plain_fields[i];
    return NULL;
}

/* csrrs and its like with x0 or zero. */
static bool only_reads(const struct op *op)
{
    return op->rs1 == 0 && (op->run == op_csrrs || op->run == op_csrrc || op->run == op_csrrsi ||
                            op->run == op_csrrci);
}

static void choose_plain(struct op *op, const struct plain_field *field)
{
    if (only_reads(op))
        op->run = op_csr_read;
    else if (op->run == op_csrrw)
        op->run = op->rd == X_SINK ? op_csr_write : op_csr_swap;
    else
        return;
    op->n = bits_get(field->number, 8, 2);
    op->rs2 = field->fixed;
    op->imm |= field->word << NUMBER_BITS;
}

static void choose_sstatus(struct op *op)
{
    static const struct {
        handler *row, *chosen;
    } choices[] = {
        {op_csrrw, op_sstatus_write},       {op_csrrs, op_sstatus_set},
        {op_csrrc, op_sstatus_clear},       {op_csrrsi, op_sstatus_set_bits},
        {op_csrrci, op_sstatus_clear_bits},
    };
    if (only_reads(op)) {
        op->run = op_sstatus_read;
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(choices); i++) {
        if (op->run == choices[i].row) {
            op->run = choices[i].chosen;
            return;
        }
    }
}

#define CSR_SSTATUS 0x100u

bool exec_choose_csr(struct op *op)
{
    unsigned number = (unsigned)op->imm;
    const struct plain_field *field = find_plain_field(number);
    if (field)
        choose_plain(op, field);
    else if (number == CSR_SSTATUS)
        choose_sstatus(op);
    return field != NULL;
}

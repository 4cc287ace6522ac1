/* A small assembler for tests, made of the instruction table: ASM(a, addi, .rd = A0, .imm = 1).
 * Branches and jumps take byte distances: asm_to(a, label) for a label behind, asm_land for one
 * that lies ahead. CSR numbers are immediates. */
#ifndef RIVULET_TESTS_UNIT_ASM_H
#define RIVULET_TESTS_UNIT_ASM_H

#include "base/bits.h"
#include "cpu/insn.h"

#include <check.h>
#include <string.h>

enum { ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6, A7 };

struct assembler {
    const struct insn_decoder *decoder;
    uint8_t *bytes; /* what lies at `base` */
    uint64_t base, size;
    uint64_t pc; /* of the next instruction */
};

static inline const struct insn *asm_row(const char *name)
{
    for (unsigned i = 0; i < insn_count; i++)
        if (strcmp(insns[i].name, name) == 0)
            return &insns[i];
    ck_abort_msg("no instruction %s", name);
}

static inline void asm_word(struct assembler *a, uint32_t word)
{
    unsigned length = (word & 3) == 3 ? 4 : 2;
    ck_assert_uint_le(a->pc + length, a->base + a->size);
    memcpy(a->bytes + (a->pc - a->base), &word, length);
    a->pc += length;
}

static inline void asm_put(struct assembler *a, const char *name, struct decoded operands)
{
    asm_word(a, insn_encode(a->decoder, asm_row(name), &operands));
}

#define ASM(a, name, ...) asm_put(a, #name, (struct decoded){__VA_ARGS__})

/* The distance from here to a label. */
static inline int32_t asm_to(const struct assembler *a, uint64_t label)
{
    return (int32_t)(label - a->pc);
}

/* The branch or jump at `from` goes to here. */
static inline void asm_land(struct assembler *a, uint64_t from)
{
    uint32_t word = 0;
    struct decoded operands;
    memcpy(&word, a->bytes + (from - a->base), 4);
    ck_assert(insn_decode(a->decoder, word, &operands));
    operands.imm = (int32_t)(a->pc - from);
    word = insn_encode(a->decoder, operands.insn, &operands);
    memcpy(a->bytes + (from - a->base), &word, operands.length);
}

/* rd = value, in as many instructions as it takes. */
static inline void asm_li(struct assembler *a, uint8_t rd, int64_t value)
{
    int32_t low = (int32_t)sign_extend((uint64_t)value & 0xfff, 12);
    if (value == (int32_t)value) {
        int32_t high = (int32_t)((uint32_t)value - (uint32_t)low);
        if (high)
            ASM(a, lui, .rd = rd, .imm = high);
        if (high && low)
            ASM(a, addiw, .rd = rd, .rs1 = rd, .imm = low);
        else if (!high)
            ASM(a, addi, .rd = rd, .imm = low);
        return;
    }
    asm_li(a, rd, (int64_t)((uint64_t)value - (uint64_t)(int64_t)low) >> 12);
    ASM(a, slli, .rd = rd, .rs1 = rd, .imm = 12);
    if (low)
        ASM(a, addi, .rd = rd, .rs1 = rd, .imm = low);
}

static inline void asm_csrw(struct assembler *a, int csr, int64_t value)
{
    asm_li(a, T0, value);
    ASM(a, csrrw, .rs1 = T0, .imm = csr);
}

#endif

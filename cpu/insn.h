/* The instruction table: one row an instruction, in cpu/isa/<extension>.def.
 *
 *   I(name, pattern, format, operands, semantics)        an integer or system instruction
 *   F(name, pattern, format, operands, semantics)        floating point that changes f or fflags
 *   FR(name, pattern, format, operands, host, soft)      likewise, in two forms
 *   G(name, pattern, format, operands, semantics)        floating point that only reads f
 *   C(name, pattern, format, operands, expands, ...)     a compressed form of row `expands`
 *
 * pattern: bits from the highest down, as in the manual's diagram, spaces free.
 *   0 1  fixed      d rd   s rs1   t rs2   u rs3   x rd and rs1 in one   m rounding mode
 *   i    immediate  -  ignored (aq, rl, fence operands)
 * Three letters of a register mean x8 to x15, four an even one: the first of a pair. A capital
 * letter means that the field is not zero. Rows are tried in order: the first that matches wins.
 * format: which immediate bit each `i` holds, and what the decoder must know (enum format).
 * operands: assembly syntax: rd rs1 rs2 rs3 fd fs1 fs2 fs3 imm csr rm aqrl, all else literal.
 * semantics: the words of cpu/exec.h. In FR rows `host` runs on the host FPU when the effective
 *   rounding mode (RNE, of rows without one) is the hart's own and not RMM; else `soft` runs. Both
 *   find that mode in IMM.
 * C rows may give fixed operands: .rd = 1, .rs1 = 2, .imm = 255 ...
 *
 * NEEDS, defined before a group of rows, says which extensions make them legal: an expression over
 * `isa`, the hart's. */
#ifndef RIVULET_CPU_INSN_H
#define RIVULET_CPU_INSN_H

#include "cpu/isa.h"
#include "cpu/op.h"

#include <stdbool.h>
#include <stdint.h>

enum format {
    FORMAT_R, /* no immediate */
    FORMAT_I,
    FORMAT_SH, /* six-bit shift amount */
    FORMAT_SH5,
    FORMAT_S,
    FORMAT_B, /* conditional branch: two or three slots */
    FORMAT_U,
    FORMAT_UPC,      /* auipc: immediate relative to the page */
    FORMAT_J,        /* jal */
    FORMAT_JR,       /* jalr */
    FORMAT_PREFETCH, /* S without its low five bits */
    FORMAT_CSR,
    FORMAT_BS,   /* byte select of SM4 */
    FORMAT_RNUM, /* round number of AES */
    FORMAT_END,  /* control never goes on behind it: ecall, mret ... */
    FORMAT_CIW,  /* the manual's compressed formats, by scale of the immediate */
    FORMAT_CLB,
    FORMAT_CLH,
    FORMAT_CL4,
    FORMAT_CL8,
    FORMAT_CI,
    FORMAT_CSH,
    FORMAT_CLUI,
    FORMAT_C16SP,
    FORMAT_CLSP4,
    FORMAT_CLSP8,
    FORMAT_CSS4,
    FORMAT_CSS8,
    FORMAT_CB,
    FORMAT_CJ,
    FORMAT_COUNT,
};

enum insn_flag {
    INSN_FP = 1 << 0,       /* illegal when mstatus.FS is off */
    INSN_FP_WRITE = 1 << 1, /* makes mstatus.FS dirty */
    INSN_COMPRESSED = 1 << 2,
};

/* The x registers that a row reads and writes, as its operands say. */
enum insn_use { INSN_USES_RS1 = 1 << 0, INSN_USES_RS2 = 1 << 1, INSN_USES_RD = 1 << 2 };

struct insn {
    const char *name; /* as in assembly, with '_' for '.' */
    const char *pattern, *operands;
    handler *run, *soft;
    const char *expands; /* compressed: the row whose handler runs */
    uint8_t format, flags;
    uint8_t rd, rs1, rs2; /* compressed: fixed operands */
    int16_t imm;
};

/* All rows; 32-bit ones first. */
extern const struct insn insns[];
extern const unsigned insn_count;

/* The decoder: built once from the table (a tenth of a millisecond), read-only afterwards. It knows
 * the rows that isa has; all of them when isa is NULL. */
struct insn_decoder;
struct insn_decoder *insn_decoder_create(const struct hart_isa *isa);
void insn_decoder_destroy(struct insn_decoder *d);

struct decoded {
    const struct insn *insn; /* the row that matched; NULL: illegal */
    const struct insn *base; /* the row whose semantics runs */
    uint8_t rd, rs1, rs2, rs3, rm;
    uint8_t length; /* 2 or 4 bytes */
    uint8_t uses;   /* enum insn_use, of `base` */
    int32_t imm;
};

/* Decodes the instruction in the low 16 or 32 bits of word. False: illegal; length is still set. */
bool insn_decode(const struct insn_decoder *d, uint32_t word, struct decoded *out);
/* The word of a row with these operands, as far as the row has them: for tests and assemblers. */
uint32_t insn_encode(const struct insn_decoder *d, const struct insn *row,
                     const struct decoded *operands);

#endif

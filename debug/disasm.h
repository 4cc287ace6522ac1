/* The disassembler, made from the instruction table: names, operands and immediates are those of
 * the decoder that runs the guest. Syntax and aliases are the GNU assembler's. */
#ifndef RIVULET_DEBUG_DISASM_H
#define RIVULET_DEBUG_DISASM_H

#include "cpu/insn.h"

#include <stddef.h>
#include <stdint.h>

#define DISASM_TEXT_BYTES 80 /* enough for any instruction */

/* Writes the instruction in the low 16 or 32 bits of word, which stands at pc, as one line without
 * a newline; at most n bytes with the final 0. What is illegal is written as data. Returns the
 * instruction's length: 2 or 4. */
size_t disasm(const struct insn_decoder *d, uint32_t word, uint64_t pc, char *text, size_t n);

#endif

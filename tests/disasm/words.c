/* Random instruction words and what the disassembler says of them, for tests/disasm/run:
 *
 *   words SEED COUNT      lines of WORD TEXT, words in hexadecimal
 *
 * Half of the words come from a row of the instruction table, with random operands and now and then
 * a wrong bit; half are random. Words of instructions longer than 32 bits are left out. The first
 * stands at address 0, each other behind the one before. */
#include "base/random.h"
#include "debug/disasm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct decoded random_operands(uint64_t *state)
{
    uint64_t r = random_next(state), i = random_next(state);
    return (struct decoded){.rd = r & 31,
                            .rs1 = r >> 5 & 31,
                            .rs2 = r >> 10 & 31,
                            .rs3 = r >> 15 & 31,
                            .rm = r >> 20 & 7,
                            .imm = (int32_t)i};
}

static uint32_t random_word(const struct insn_decoder *d, uint64_t *state)
{
    uint64_t r = random_next(state);
    if (r & 1)
        return (uint32_t)random_next(state);
    struct decoded operands = random_operands(state);
    uint32_t word = insn_encode(d, &insns[(r >> 8) % insn_count], &operands);
    if ((r >> 1 & 7) == 0)
        word ^= 1u << (r >> 4 & 31);
    return word;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: words SEED COUNT\n");
        return 1;
    }
    uint64_t state = strtoull(argv[1], NULL, 0), count = strtoull(argv[2], NULL, 0), pc = 0;
    struct insn_decoder *d = insn_decoder_create(NULL);
    if (!d)
        return 1;
    while (count > 0) {
        char text[DISASM_TEXT_BYTES];
        uint32_t word = random_word(d, &state);
        if ((word & 0x1f) == 0x1f)
            continue;
        word = (word & 3) == 3 ? word : word & 0xffff;
        size_t length = disasm(d, word, pc, text, sizeof text);
        printf("%0*x %s\n", (int)(2 * length), word, text);
        pc += length;
        count--;
    }
    insn_decoder_destroy(d);
    return 0;
}

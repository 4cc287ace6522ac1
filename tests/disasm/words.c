/* Instruction words and what the disassembler says of them, for tests/disasm/run:
 *
 *   words SEED COUNT      COUNT random words
 *   words compressed      every word of 16 bits
 *   words rows            the names of the table's rows
 *
 * A line is WORD ROW TEXT: the word in hexadecimal, its row of the instruction table or "-". Half
 * of the random words come from a row of the table, with random operands and now and then a wrong
 * bit; half are random. Words of instructions longer than 32 bits are left out. The first stands at
 * address 0, each other behind the one before. */
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

static void print_word(const struct insn_decoder *d, uint32_t word, uint64_t *pc)
{
    char text[DISASM_TEXT_BYTES];
    struct decoded in;
    bool is_legal = insn_decode(d, word, &in);
    size_t length = disasm(d, word, *pc, text, sizeof text);
    printf("%0*x %s %s\n", (int)(2 * length), word, is_legal ? in.insn->name : "-", text);
    *pc += length;
}

static void print_random(const struct insn_decoder *d, uint64_t seed, uint64_t count)
{
    uint64_t state = seed, pc = 0;
    while (count > 0) {
        uint32_t word = random_word(d, &state);
        if ((word & 0x1f) == 0x1f)
            continue;
        print_word(d, (word & 3) == 3 ? word : word & 0xffff, &pc);
        count--;
    }
}

static void print_compressed(const struct insn_decoder *d)
{
    uint64_t pc = 0;
    for (uint32_t word = 0; word < 0x10000; word++)
        if ((word & 3) != 3)
            print_word(d, word, &pc);
}

static void print_rows(void)
{
    for (unsigned i = 0; i < insn_count; i++)
        printf("%s\n", insns[i].name);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    struct insn_decoder *d = insn_decoder_create(NULL);
    if (!d)
        return 1;
    if (!strcmp(what, "compressed")) {
        print_compressed(d);
    } else if (!strcmp(what, "rows")) {
        print_rows();
    } else if (argc == 3) {
        print_random(d, strtoull(what, NULL, 0), strtoull(argv[2], NULL, 0));
    } else {
        fprintf(stderr, "usage: words SEED COUNT | words compressed | words rows\n");
        return 1;
    }
    insn_decoder_destroy(d);
    return 0;
}

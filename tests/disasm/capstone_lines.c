/* Capstone's text of instruction words, one of each line of the input in hexadecimal; an empty line
 * for a word that it does not know. The word lies at address 0. Built by tests/disasm/run, with the
 * headers and the library that it fetched. */
#include <capstone/capstone.h>

#include <stdio.h>
#include <stdlib.h>

static void print_line(csh handle, cs_insn *insn, unsigned long word)
{
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                              (uint8_t)(word >> 24)};
    const uint8_t *code = bytes;
    size_t length = (word & 3) == 3 ? 4 : 2;
    uint64_t address = 0;
    if (cs_disasm_iter(handle, &code, &length, &address, insn))
        printf("%s %s\n", insn->mnemonic, insn->op_str);
    else
        printf("\n");
}

int main(void)
{
    csh handle;
    char line[32];
    if (cs_open(CS_ARCH_RISCV, CS_MODE_RISCV64 | CS_MODE_RISCVC, &handle) != CS_ERR_OK)
        return 1;
    cs_insn *insn = cs_malloc(handle);
    if (!insn)
        return 1;
    while (fgets(line, sizeof line, stdin))
        print_line(handle, insn, strtoul(line, NULL, 16));
    cs_free(insn, 1);
    cs_close(&handle);
    return 0;
}

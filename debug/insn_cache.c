/* Instructions made ready for observers (contract: insn_cache.h). */
#include "debug/insn_cache.h"

#include "cpu/peek.h"

#include <stdlib.h>

#define ENTRIES 16384u
#define X_RA    1
#define X_T0    5

struct insn_cache {
    struct insn_decoder *decoder;
    struct insn_info entries[ENTRIES];
};

const char *insn_class_name(enum insn_class class)
{
    static const char *const names[CLASS_COUNT] = {
        [CLASS_OTHER] = "arithmetic", [CLASS_LOAD] = "loads",      [CLASS_STORE] = "stores",
        [CLASS_AMO] = "atomics",      [CLASS_BRANCH] = "branches", [CLASS_CALL] = "calls",
        [CLASS_RETURN] = "returns",   [CLASS_JUMP] = "jumps",      [CLASS_CSR] = "CSR accesses",
        [CLASS_SYSTEM] = "system",    [CLASS_FLOAT] = "floating",  [CLASS_ILLEGAL] = "illegal",
    };
    return names[class];
}

struct insn_cache *insn_cache_create(const struct hart_isa *isa)
{
    struct insn_cache *c = calloc(1, sizeof *c);
    if (c)
        c->decoder = insn_decoder_create(isa);
    if (!c || !c->decoder) {
        insn_cache_destroy(c);
        return NULL;
    }
    return c;
}

void insn_cache_destroy(struct insn_cache *c)
{
    if (!c)
        return;
    insn_decoder_destroy(c->decoder);
    free(c);
}

/* --- classes ------------------------------------------------------------------------------ */

static bool is_link(unsigned reg)
{
    return reg == X_RA || reg == X_T0;
}

/* Unprivileged manual, section "Unconditional Jumps": what the return-address stack is told. */
static enum insn_class jump_class(const struct decoded *in, bool through_register)
{
    if (is_link(in->rd))
        return CLASS_CALL;
    return through_register && in->rd == 0 && is_link(in->rs1) ? CLASS_RETURN : CLASS_JUMP;
}

/* The encoding of the row tells: major opcode and funct3 (unprivileged manual, chapter "RV32/64G
 * Instruction Set Listings"). */
static void classify(const struct insn_decoder *d, struct insn_info *info)
{
    static const struct decoded no_operands;
    const struct decoded *in = &info->in;
    uint32_t word = insn_encode(d, in->base, &no_operands);
    unsigned funct3 = word >> 12 & 7;
    switch (word & 0x7f) {
    case 0x03: /* LOAD */
    case 0x07: /* LOAD-FP */
        info->class = CLASS_LOAD;
        info->bytes = (uint8_t)(1u << (funct3 & 3));
        break;
    case 0x23: /* STORE */
    case 0x27: /* STORE-FP */
        info->class = CLASS_STORE;
        info->bytes = (uint8_t)(1u << (funct3 & 3));
        info->stores_f = (word & 0x7f) == 0x27;
        break;
    case 0x2f: /* AMO; 16 bytes are shown as their first 8 */
        info->class = CLASS_AMO;
        info->bytes = (uint8_t)(1u << (funct3 < 3 ? funct3 : 3));
        break;
    case 0x63:
        info->class = CLASS_BRANCH;
        break;
    case 0x67:
        info->class = jump_class(in, true);
        break;
    case 0x6f:
        info->class = jump_class(in, false);
        break;
    case 0x73:
        info->class = in->base->format == FORMAT_CSR ? CLASS_CSR : CLASS_SYSTEM;
        break;
    default:
        info->class = in->base->flags & INSN_FP ? CLASS_FLOAT : CLASS_OTHER;
    }
}

static void fill(struct insn_cache *c, struct insn_info *info, uint64_t pc, uint32_t word)
{
    *info = (struct insn_info){.pc = pc, .word = word, .used = true, .class = CLASS_ILLEGAL};
    if (!insn_decode(c->decoder, word, &info->in))
        return;
    const char *operands = info->in.base->operands;
    info->writes_x = strncmp(operands, "rd", 2) == 0 && info->in.rd != 0;
    info->writes_f = strncmp(operands, "fd", 2) == 0;
    classify(c->decoder, info);
}

/* --- finding ------------------------------------------------------------------------------ */

static struct insn_info *find(struct insn_cache *c, uint64_t pc, uint32_t word)
{
    struct insn_info *info = &c->entries[pc / 2 % ENTRIES];
    if (!info->used || info->pc != pc || info->word != word)
        fill(c, info, pc, word);
    return info;
}

const struct insn_info *insn_cache_find(struct insn_cache *c, uint64_t pc, uint32_t word)
{
    return find(c, pc, word);
}

const char *insn_cache_text(struct insn_cache *c, uint64_t pc, uint32_t word)
{
    struct insn_info *info = find(c, pc, word);
    if (!*info->text)
        disasm(c->decoder, word, pc, info->text, sizeof info->text);
    return info->text;
}

uint32_t insn_word_at(const struct hart *h, uint64_t va)
{
    uint64_t pa = h->page_pa + va % PAGE_BYTES;
    uint32_t word = 0;
    uint16_t low = 0, high = 0;
    if (va % PAGE_BYTES <= PAGE_BYTES - 4 && peek_physical(h->ports.memory, pa, &word, 4))
        return (word & 3) == 3 ? word : word & 0xffff;
    if (!peek_physical(h->ports.memory, pa, &low, 2) || (low & 3) != 3)
        return low;
    return peek_memory(h, va + 2, &high, 2) ? low | (uint32_t)high << 16 : 0;
}

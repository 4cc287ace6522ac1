/* What an observer of instructions needs of each, found once: operands, what it does to memory, and
 * its text. A hundred bytes an entry, direct-mapped by pc. */
#ifndef RIVULET_DEBUG_INSN_CACHE_H
#define RIVULET_DEBUG_INSN_CACHE_H

#include "cpu/insn.h"
#include "debug/disasm.h"

struct hart;

enum insn_class {
    CLASS_OTHER, /* arithmetic */
    CLASS_LOAD,
    CLASS_STORE,
    CLASS_AMO, /* lr and sc too */
    CLASS_BRANCH,
    CLASS_CALL,   /* jal and jalr that write ra or t0, by the manual's hints for return stacks */
    CLASS_RETURN, /* jalr through ra or t0 */
    CLASS_JUMP,   /* the other ones */
    CLASS_CSR,
    CLASS_SYSTEM,
    CLASS_FLOAT,
    CLASS_ILLEGAL,
    CLASS_COUNT,
};

const char *insn_class_name(enum insn_class class);

struct insn_info {
    uint64_t pc;
    uint32_t word;
    bool used;
    struct decoded in;
    enum insn_class class;
    uint8_t bytes;                /* that a load, store or AMO accesses */
    bool writes_x, writes_f;      /* rd */
    bool stores_f;                /* a store of a floating-point register */
    char text[DISASM_TEXT_BYTES]; /* "" until asked for */
};

struct insn_cache;

/* NULL: no memory. */
struct insn_cache *insn_cache_create(const struct hart_isa *isa);
void insn_cache_destroy(struct insn_cache *c);

/* Valid until the next call. */
const struct insn_info *insn_cache_find(struct insn_cache *c, uint64_t pc, uint32_t word);
const char *insn_cache_text(struct insn_cache *c, uint64_t pc, uint32_t word);

/* The instruction word at va, on the page that the hart executes (va's page is page_va); what lies
 * on the next page is looked up there. 0, which is illegal: nothing is there. */
uint32_t insn_word_at(const struct hart *h, uint64_t va);

#endif

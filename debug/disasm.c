/* Text of instructions. The row's operand string is copied, its words replaced by the operands;
 * before that, a table of aliases may choose a friendlier name and operand string. Compressed
 * instructions are written as what they expand to. */
#include "debug/disasm.h"

#include "base/bits.h"
#include "cpu/hart.h"
#include "debug/registers.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

/* --- aliases -------------------------------------------------------------------------------- */

#define ANY     -1
#define SAME    -2 /* rs2: the same as rs1 */
#define ANY_IMM INT32_MIN

/* The first line whose row and operands agree wins. A compressed row may have a line of its own. */
struct alias {
    const char *row;
    int rd, rs1, rs2;
    int32_t imm;
    const char *name, *operands;
};

/* clang-format off */
static const struct alias aliases[] = {
    {"addi",  0,   0,   ANY, 0,       "nop",    ""},
    {"addi",  ANY, 0,   ANY, ANY_IMM, "li",     "rd, imm"},
    {"addi",  ANY, ANY, ANY, 0,       "mv",     "rd, rs1"},
    {"c_mv",  ANY, ANY, ANY, ANY_IMM, "mv",     "rd, rs2"},
    {"addiw", ANY, ANY, ANY, 0,       "sext.w", "rd, rs1"},
    {"xori",  ANY, ANY, ANY, -1,      "not",    "rd, rs1"},
    {"andi",  ANY, ANY, ANY, 255,     "zext.b", "rd, rs1"},
    {"sub",   ANY, 0,   ANY, ANY_IMM, "neg",    "rd, rs2"},
    {"subw",  ANY, 0,   ANY, ANY_IMM, "negw",   "rd, rs2"},
    {"sltiu", ANY, ANY, ANY, 1,       "seqz",   "rd, rs1"},
    {"sltu",  ANY, 0,   ANY, ANY_IMM, "snez",   "rd, rs2"},
    {"slt",   ANY, ANY, 0,   ANY_IMM, "sltz",   "rd, rs1"},
    {"slt",   ANY, 0,   ANY, ANY_IMM, "sgtz",   "rd, rs2"},
    {"add_uw", ANY, ANY, 0,  ANY_IMM, "zext.w", "rd, rs1"},
    {"beq",   ANY, ANY, 0,   ANY_IMM, "beqz",   "rs1, imm"},
    {"bne",   ANY, ANY, 0,   ANY_IMM, "bnez",   "rs1, imm"},
    {"bge",   ANY, 0,   ANY, ANY_IMM, "blez",   "rs2, imm"},
    {"bge",   ANY, ANY, 0,   ANY_IMM, "bgez",   "rs1, imm"},
    {"blt",   ANY, ANY, 0,   ANY_IMM, "bltz",   "rs1, imm"},
    {"blt",   ANY, 0,   ANY, ANY_IMM, "bgtz",   "rs2, imm"},
    {"jal",   0,   ANY, ANY, ANY_IMM, "j",      "imm"},
    {"jal",   1,   ANY, ANY, ANY_IMM, "jal",    "imm"},
    {"jalr",  0,   1,   ANY, 0,       "ret",    ""},
    {"jalr",  0,   ANY, ANY, 0,       "jr",     "rs1"},
    {"jalr",  0,   ANY, ANY, ANY_IMM, "jr",     "imm(rs1)"},
    {"jalr",  1,   ANY, ANY, 0,       "jalr",   "rs1"},
    {"jalr",  1,   ANY, ANY, ANY_IMM, "jalr",   "imm(rs1)"},
    {"jalr",  ANY, ANY, ANY, 0,       "jalr",   "rd, rs1"},
    {"csrrs", ANY, 0,   ANY, 0x001,   "frflags", "rd"},
    {"csrrs", ANY, 0,   ANY, 0x002,   "frrm",    "rd"},
    {"csrrs", ANY, 0,   ANY, 0x003,   "frcsr",   "rd"},
    {"csrrs", ANY, 0,   ANY, 0xc00,   "rdcycle", "rd"},
    {"csrrs", ANY, 0,   ANY, 0xc01,   "rdtime",  "rd"},
    {"csrrs", ANY, 0,   ANY, 0xc02,   "rdinstret", "rd"},
    {"csrrs", ANY, 0,   ANY, ANY_IMM, "csrr",    "rd, csr"},
    {"csrrw", 0,   0,   ANY, 0xc00,   "unimp",   ""},
    {"csrrw", 0,   ANY, ANY, 0x001,   "fsflags", "rs1"},
    {"csrrw", 0,   ANY, ANY, 0x002,   "fsrm",    "rs1"},
    {"csrrw", 0,   ANY, ANY, 0x003,   "fscsr",   "rs1"},
    {"csrrw", ANY, ANY, ANY, 0x001,   "fsflags", "rd, rs1"},
    {"csrrw", ANY, ANY, ANY, 0x002,   "fsrm",    "rd, rs1"},
    {"csrrw", ANY, ANY, ANY, 0x003,   "fscsr",   "rd, rs1"},
    {"csrrw", 0,   ANY, ANY, ANY_IMM, "csrw",    "csr, rs1"},
    {"csrrs", 0,   ANY, ANY, ANY_IMM, "csrs",    "csr, rs1"},
    {"csrrc", 0,   ANY, ANY, ANY_IMM, "csrc",    "csr, rs1"},
    {"csrrwi", 0,  ANY, ANY, 0x001,   "fsflagsi", "zimm"},
    {"csrrwi", 0,  ANY, ANY, 0x002,   "fsrmi",   "zimm"},
    {"csrrwi", ANY, ANY, ANY, 0x001,  "fsflagsi", "rd, zimm"},
    {"csrrwi", ANY, ANY, ANY, 0x002,  "fsrmi",   "rd, zimm"},
    {"csrrwi", 0,  ANY, ANY, ANY_IMM, "csrwi",   "csr, zimm"},
    {"csrrsi", 0,  ANY, ANY, ANY_IMM, "csrsi",   "csr, zimm"},
    {"csrrci", 0,  ANY, ANY, ANY_IMM, "csrci",   "csr, zimm"},
    {"sfence_vma", ANY, 0, 0, ANY_IMM, "sfence.vma", ""},
    {"sfence_vma", ANY, ANY, 0, ANY_IMM, "sfence.vma", "rs1"},
    {"fsgnj_s",  ANY, ANY, SAME, ANY_IMM, "fmv.s",  "fd, fs1"},
    {"fsgnjn_s", ANY, ANY, SAME, ANY_IMM, "fneg.s", "fd, fs1"},
    {"fsgnjx_s", ANY, ANY, SAME, ANY_IMM, "fabs.s", "fd, fs1"},
    {"fsgnj_h",  ANY, ANY, SAME, ANY_IMM, "fmv.h",  "fd, fs1"},
    {"fsgnjn_h", ANY, ANY, SAME, ANY_IMM, "fneg.h", "fd, fs1"},
    {"fsgnjx_h", ANY, ANY, SAME, ANY_IMM, "fabs.h", "fd, fs1"},
    {"fsgnj_d",  ANY, ANY, SAME, ANY_IMM, "fmv.d",  "fd, fs1"},
    {"fsgnjn_d", ANY, ANY, SAME, ANY_IMM, "fneg.d", "fd, fs1"},
    {"fsgnjx_d", ANY, ANY, SAME, ANY_IMM, "fabs.d", "fd, fs1"},
};
/* clang-format on */

static bool alias_fits(const struct alias *a, const struct decoded *in)
{
    bool is_row = !strcmp(a->row, in->base->name) || !strcmp(a->row, in->insn->name);
    return is_row && (a->rd == ANY || a->rd == in->rd) && (a->rs1 == ANY || a->rs1 == in->rs1) &&
           (a->rs2 == ANY || a->rs2 == (a->rs2 == SAME ? SAME : in->rs2)) &&
           (a->rs2 != SAME || in->rs1 == in->rs2) && (a->imm == ANY_IMM || a->imm == in->imm);
}

static const struct alias *find_alias(const struct decoded *in)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (alias_fits(&aliases[i], in))
            return &aliases[i];
    return NULL;
}

/* --- text ----------------------------------------------------------------------------------- */

struct out {
    char *text;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = out->size - out->used;
    int n = vsnprintf(out->text + out->used, room, format, args);
    va_end(args);
    out->used += n < 0 ? 0 : min_u64((uint64_t)n, room ? room - 1 : 0);
}

static void put_csr(struct out *out, unsigned number)
{
    const char *name = csr_name(number);
    if (name)
        put(out, "%s", name);
    else
        put(out, "0x%x", number);
}

static void put_immediate(struct out *out, const struct decoded *in, uint64_t pc)
{
    switch (in->base->format) {
    case FORMAT_B:
    case FORMAT_J:
        put(out, "0x%llx", (unsigned long long)(pc + (uint64_t)(int64_t)in->imm));
        break;
    case FORMAT_U:
    case FORMAT_UPC:
        put(out, "0x%x", (uint32_t)in->imm >> 12);
        break;
    case FORMAT_SH:
    case FORMAT_SH5:
    case FORMAT_BS:
    case FORMAT_RNUM:
        put(out, "0x%x", (unsigned)in->imm);
        break;
    default:
        put(out, "%d", in->imm);
        break;
    }
}

static const char *rounding_name(unsigned rm)
{
    static const char *const names[8] = {"rne", "rtz", "rdn", "rup", "rmm", NULL, NULL, "dyn"};
    return names[rm];
}

/* The rounding mode that goes without saying: dyn, and rne where the result is always exact. */
static unsigned usual_rounding(const struct decoded *in)
{
    static const char *const exact[] = {"fcvt_d_s", "fcvt_d_w", "fcvt_d_wu", "fcvt_s_h",
                                        "fcvt_d_h"};
    for (size_t i = 0; i < ARRAY_LEN(exact); i++)
        if (!strcmp(in->base->name, exact[i]))
            return 0;
    return 7;
}

/* The constants of fli. */
static const char *constant_name(unsigned number)
{
    static const char *const names[32] = {
        "-0x1p+0",  "min",      "0x1p-16",  "0x1p-15",  "0x1p-8",   "0x1p-7",   "0x1p-4",
        "0x1p-3",   "0x1p-2",   "0x1.4p-2", "0x1.8p-2", "0x1.cp-2", "0x1p-1",   "0x1.4p-1",
        "0x1.8p-1", "0x1.cp-1", "0x1p+0",   "0x1.4p+0", "0x1.8p+0", "0x1.cp+0", "0x1p+1",
        "0x1.4p+1", "0x1.8p+1", "0x1p+2",   "0x1p+3",   "0x1p+4",   "0x1p+7",   "0x1p+8",
        "0x1p+15",  "0x1p+16",  "inf",      "nan",
    };
    return names[number & 31];
}

/* One word of an operand string; false: literal. */
static bool put_operand(struct out *out, const char *word, size_t length, const struct decoded *in,
                        uint64_t pc)
{
    static const char *const words[] = {"rd",  "rs1", "rs2", "fd",   "fs1", "fs2",
                                        "fs3", "imm", "csr", "zimm", "fli"};
    const uint8_t registers[] = {in->rd, in->rs1, in->rs2, in->rd, in->rs1, in->rs2, in->rs3};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i]) != length || memcmp(words[i], word, length) != 0)
            continue;
        if (i < 3)
            put(out, "%s", register_x_name(registers[i]));
        else if (i < ARRAY_LEN(registers))
            put(out, "%s", register_f_name(registers[i]));
        else if (word[0] == 'i')
            put_immediate(out, in, pc);
        else if (word[0] == 'c')
            put_csr(out, (unsigned)in->imm);
        else if (word[0] == 'z')
            put(out, "%u", in->rs1);
        else
            put(out, "%s", constant_name(in->rs1));
        return true;
    }
    return false;
}

static void put_operands(struct out *out, const char *operands, const struct decoded *in,
                         uint64_t pc)
{
    for (const char *p = operands; *p;) {
        if (!strcmp(p, ", rm")) {
            if (in->rm != usual_rounding(in))
                put(out, ", %s", rounding_name(in->rm));
            return;
        }
        size_t length = 0;
        while (isalnum((unsigned char)p[length]))
            length++;
        if (length && put_operand(out, p, length, in, pc)) {
            p += length;
            continue;
        }
        put(out, "%c", *p++);
    }
}

/* The sets before and after which a fence orders: i o r w. */
static void put_fence(struct out *out, uint32_t word)
{
    unsigned sets[2] = {word >> 24 & 15, word >> 20 & 15};
    if (word >> 28 == 8 && sets[0] == 3 && sets[1] == 3) {
        put(out, "fence.tso");
        return;
    }
    put(out, "fence");
    if (sets[0] == 15 && sets[1] == 15)
        return;
    for (unsigned i = 0; i < 2; i++) {
        put(out, "%s", i ? ", " : " ");
        for (unsigned bit = 4; bit-- > 0;)
            if (sets[i] >> bit & 1)
                put(out, "%c", "wroi"[bit]);
        if (!sets[i])
            put(out, "0");
    }
}

/* Rows are named with '_' for '.'; atomics get their ordering as suffix. */
static void put_name(struct out *out, const struct insn *row, const struct decoded *in,
                     uint32_t word)
{
    static const char *const orders[4] = {"", ".rl", ".aq", ".aqrl"};
    for (const char *p = row->name; *p; p++)
        put(out, "%c", *p == '_' ? '.' : *p);
    if (in->length == 4 && (word & 0x7f) == 0x2f)
        put(out, "%s", orders[word >> 25 & 3]);
}

size_t disasm(const struct insn_decoder *d, uint32_t word, uint64_t pc, char *text, size_t n)
{
    struct out out = {text, n, 0};
    struct decoded in;
    bool legal = insn_decode(d, word, &in);
    if (legal && strstr(in.base->operands, ", rm") && !rounding_name(in.rm))
        legal = false;
    if (!legal) {
        if (in.length == 2)
            put(&out, ".2byte 0x%04x", word & 0xffff);
        else
            put(&out, ".4byte 0x%08x", word);
        return in.length;
    }
    if (!strcmp(in.base->name, "fence")) {
        put_fence(&out, word);
        return in.length;
    }
    /* A compressed row that hides all operands is no short form of another: c.mop.1. */
    const struct insn *row = *in.insn->operands || !*in.base->operands ? in.base : in.insn;
    const struct alias *alias = row == in.base ? find_alias(&in) : NULL;
    const char *operands = alias ? alias->operands : row->operands;
    if (alias)
        put(&out, "%s", alias->name);
    else
        put_name(&out, row, &in, word);
    put(&out, "%s", *operands ? " " : "");
    put_operands(&out, operands, &in, pc);
    return in.length;
}

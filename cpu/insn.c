/* The instruction table made ready for use: patterns become masks and fields, once. Decoding looks
 * into a bucket of rows chosen by the major opcode and funct3, then tests mask and match in order.
 */
#include "cpu/insn.h"

#include "base/bits.h"

#include <assert.h>
#include <stdlib.h>

/* Handlers of all rows. */
#define I(name, pattern, format, operands, ...)  handler op_##name;
#define F(name, pattern, format, operands, ...)  handler op_##name;
#define G(name, pattern, format, operands, ...)  handler op_##name;
#define FR(name, pattern, format, operands, ...) handler op_##name, op_##name##_soft;
#define C(name, pattern, format, operands, expands, ...)
#include "cpu/isa/all.def"
#undef I
#undef F
#undef G
#undef FR
#undef C

#define ROW(NAME, PATTERN, FORMAT, OPERANDS, FLAGS, SOFT)                                          \
    {                                                                                              \
        .name = #NAME, .pattern = PATTERN, .operands = OPERANDS, .run = op_##NAME, .soft = SOFT,   \
        .format = FORMAT_##FORMAT, .flags = FLAGS                                                  \
    }

#define I(name, pattern, format, operands, ...) ROW(name, pattern, format, operands, 0, NULL),
#define F(name, pattern, format, operands, ...)                                                    \
    ROW(name, pattern, format, operands, INSN_FP | INSN_FP_WRITE, NULL),
#define FR(name, pattern, format, operands, ...)                                                   \
    ROW(name, pattern, format, operands, INSN_FP | INSN_FP_WRITE, op_##name##_soft),
#define G(name, pattern, format, operands, ...) ROW(name, pattern, format, operands, INSN_FP, NULL),
#define C(NAME, PATTERN, FORMAT, OPERANDS, EXPANDS, ...)                                           \
    {.name = #NAME,                                                                                \
     .pattern = PATTERN,                                                                           \
     .operands = OPERANDS,                                                                         \
     .expands = #EXPANDS,                                                                          \
     .format = FORMAT_##FORMAT,                                                                    \
     .flags = INSN_COMPRESSED,                                                                     \
     __VA_ARGS__},
const struct insn insns[] = {
#include "cpu/isa/all.def"
};
#undef I
#undef F
#undef G
#undef FR
#undef C

const unsigned insn_count = ARRAY_LEN(insns);

/* NEEDS of each row. The rows' places in the table are counted by an enum. */
enum {
#define I(name, ...)  ROW_##name,
#define F(name, ...)  ROW_##name,
#define FR(name, ...) ROW_##name,
#define G(name, ...)  ROW_##name,
#define C(name, ...)  ROW_##name,
#include "cpu/isa/all.def"
#undef I
#undef F
#undef FR
#undef G
#undef C
};

static bool is_on(const struct hart_isa *isa, unsigned row)
{
    switch (row) {
#define I(name, ...)                                                                               \
    case ROW_##name:                                                                               \
        return NEEDS;
#define F  I
#define FR I
#define G  I
#define C  I
#include "cpu/isa/all.def"
#undef I
#undef F
#undef FR
#undef G
#undef C
    default:
        return false;
    }
}

/* Which immediate bit each `i` of the pattern holds, from the highest word bit down, in the
 * manual's notation; a leading '-' : sign-extended. */
static const char *const format_bits[FORMAT_COUNT] = {
    [FORMAT_R] = "",
    [FORMAT_I] = "-11:0",
    [FORMAT_SH] = "5:0",
    [FORMAT_SH5] = "4:0",
    [FORMAT_S] = "-11:5|4:0",
    [FORMAT_B] = "-12|10:5|4:1|11",
    [FORMAT_U] = "-31:12",
    [FORMAT_UPC] = "-31:12",
    [FORMAT_J] = "-20|10:1|11|19:12",
    [FORMAT_JR] = "-11:0",
    [FORMAT_PREFETCH] = "-11:5",
    [FORMAT_CSR] = "11:0",
    [FORMAT_BS] = "1:0",
    [FORMAT_RNUM] = "3:0",
    [FORMAT_END] = "",
    [FORMAT_CIW] = "5:4|9:6|2|3",
    [FORMAT_CLB] = "0|1",
    [FORMAT_CLH] = "1",
    [FORMAT_CL4] = "5:3|2|6",
    [FORMAT_CL8] = "5:3|7:6",
    [FORMAT_CI] = "-5|4:0",
    [FORMAT_CSH] = "5|4:0",
    [FORMAT_CLUI] = "-17|16:12",
    [FORMAT_C16SP] = "-9|4|6|8:7|5",
    [FORMAT_CLSP4] = "5|4:2|7:6",
    [FORMAT_CLSP8] = "5|4:3|8:6",
    [FORMAT_CSS4] = "5:2|7:6",
    [FORMAT_CSS8] = "5:3|8:6",
    [FORMAT_CB] = "-8|4:3|7:6|2:1|5",
    [FORMAT_CJ] = "-11|4|9:8|10|6|7|3:1|5",
};

/* The immediate of a format, ready for use: for each `i` from the highest word bit, its weight. */
struct immediate {
    uint8_t bit[26];
    uint8_t count;
    uint8_t width; /* for sign extension; 0: unsigned */
};

/* Neighbouring bits of an immediate that are neighbours in the word, too. */
struct imm_run {
    uint8_t word_lo, imm_lo, width;
};
#define MAX_IMM_RUNS 9 /* c.j */

/* A field of the word: bits lo .. lo + width - 1; width 0: the row has none. */
struct insn_field {
    uint8_t lo, width;
};

/* What the pattern says, ready for use. */
struct insn_decoder_row {
    uint32_t mask, match;
    const struct insn *insn;
    const struct insn *base; /* the row whose handler runs: itself, or what it expands to */
    uint8_t nonzero_mask;    /* fields that must not be zero: bit = index in `reg`, 6 = immediate */
    struct insn_field reg[6]; /* rd rs1 rs2 rs3 rd+rs1 rm */
    uint8_t uses;             /* enum insn_use, of `base` */
    uint8_t imm_bits;         /* number of `i` letters */
    uint8_t imm_run_count;
    struct imm_run imm_runs[MAX_IMM_RUNS];
};

#define BUCKETS_WIDE (32 * 8)
#define BUCKETS      (BUCKETS_WIDE + 4 * 8) /* the compressed ones last */

/* What is compared is kept together, apart from the rows. */
struct candidate {
    uint32_t mask, match;
    uint16_t row;
};

/* Where the candidates of a bucket are. */
struct bucket {
    uint16_t first, count;
};

struct insn_decoder {
    struct insn_decoder_row *rows;
    struct candidate *candidates; /* of all buckets, one behind the other */
    struct immediate immediates[FORMAT_COUNT];
    struct bucket buckets[BUCKETS];
};

static void parse_immediate(const char *text, struct immediate *imm)
{
    bool is_signed = *text == '-';
    unsigned highest = 0;
    text += is_signed;
    while (*text) {
        char *end;
        unsigned high = (unsigned)strtoul(text, &end, 10), low = high;
        if (*end == ':')
            low = (unsigned)strtoul(end + 1, &end, 10);
        for (unsigned b = high + 1; b-- > low;)
            imm->bit[imm->count++] = (uint8_t)b;
        highest = high > highest ? high : highest;
        text = *end == '|' ? end + 1 : end;
    }
    imm->width = is_signed ? (uint8_t)(highest + 1) : 0;
}

/* Index in insn_decoder_row.reg of a pattern letter; 6: an immediate bit. */
static unsigned letter_field(char lower)
{
    switch (lower) {
    case 'd':
        return 0;
    case 's':
        return 1;
    case 't':
        return 2;
    case 'u':
        return 3;
    case 'x':
        return 4;
    case 'm':
        return 5;
    default:
        return 6;
    }
}

static const struct insn *find_row(const char *name)
{
    for (unsigned i = 0; i < insn_count; i++)
        if (!strcmp(insns[i].name, name))
            return &insns[i];
    return NULL;
}

/* The next lower bit of the immediate is word bit `at`. */
static void add_immediate_bit(struct insn_decoder_row *row, const struct immediate *imm,
                              unsigned at)
{
    unsigned bit = imm->bit[row->imm_bits++];
    struct imm_run *run = &row->imm_runs[row->imm_run_count];
    if (row->imm_run_count && run[-1].word_lo == at + 1 && run[-1].imm_lo == bit + 1) {
        run[-1].word_lo--;
        run[-1].imm_lo--;
        run[-1].width++;
        return;
    }
    assert(row->imm_run_count < MAX_IMM_RUNS && "an immediate has few runs of bits");
    *run = (struct imm_run){(uint8_t)at, (uint8_t)bit, 1};
    row->imm_run_count++;
}

static void parse_pattern(const struct insn *insn, const struct immediate *imm,
                          struct insn_decoder_row *row)
{
    unsigned at = insn->flags & INSN_COMPRESSED ? 16 : 32;
    row->insn = insn;
    row->base = insn->expands ? find_row(insn->expands) : insn;
    for (const char *p = insn->pattern; *p; p++) {
        if (*p == ' ')
            continue;
        at--;
        if (*p == '0' || *p == '1') {
            row->mask |= 1u << at;
            row->match |= (uint32_t)(*p - '0') << at;
            continue;
        }
        if (*p == '-')
            continue;
        bool upper = *p >= 'A' && *p <= 'Z';
        unsigned field = letter_field((char)(*p | 0x20));
        if (field == 6) {
            add_immediate_bit(row, imm, at);
        } else {
            row->reg[field].lo = (uint8_t)at;
            row->reg[field].width++;
        }
        if (upper)
            row->nonzero_mask |= (uint8_t)(1u << field);
    }
}

static unsigned bucket_of(uint32_t word)
{
    if ((word & 3) == 3)
        return (word >> 2 & 31) | (word >> 12 & 7) << 5;
    return BUCKETS_WIDE + ((word & 3) | (word >> 13 & 7) << 2);
}

/* Without candidates it is only counted. */
static void add_to_bucket(struct insn_decoder *d, unsigned number, unsigned i)
{
    const struct insn_decoder_row *row = &d->rows[i];
    struct bucket *bucket = &d->buckets[number];
    if (d->candidates)
        d->candidates[bucket->first + bucket->count] =
            (struct candidate){row->mask, row->match, (uint16_t)i};
    bucket->count++;
}

/* Enters the row into every bucket that an instruction of it can fall into. */
static void index_row(struct insn_decoder *d, unsigned i)
{
    const struct insn_decoder_row *row = &d->rows[i];
    if (row->insn->flags & INSN_COMPRESSED) {
        add_to_bucket(d, bucket_of(row->match), i);
        return;
    }
    for (uint32_t funct3 = 0; funct3 < 8; funct3++)
        if (((funct3 << 12 ^ row->match) & row->mask & 0x7000) == 0)
            add_to_bucket(d, bucket_of((row->match & 0x7f) | funct3 << 12), i);
}

static void index_rows(struct insn_decoder *d, const struct hart_isa *isa)
{
    for (unsigned i = 0; i < insn_count; i++)
        if (!isa || (is_on(isa, i) && is_on(isa, (unsigned)(d->rows[i].base - insns))))
            index_row(d, i);
}

/* Twice: what is counted first then gets its place. The buckets differ much in size, and the
 * largest size for each would be half a megabyte, which costs a page fault for each page. */
static bool make_buckets(struct insn_decoder *d, const struct hart_isa *isa)
{
    unsigned total = 0;
    index_rows(d, isa);
    for (unsigned b = 0; b < BUCKETS; b++) {
        d->buckets[b].first = (uint16_t)total;
        total += d->buckets[b].count;
        d->buckets[b].count = 0;
    }
    assert(total <= UINT16_MAX && "the places of candidates are 16 bits");
    d->candidates = calloc(total, sizeof *d->candidates);
    if (!d->candidates)
        return false;
    index_rows(d, isa);
    return true;
}

static uint8_t find_uses(const char *operands)
{
    unsigned uses = strstr(operands, "rd") ? INSN_USES_RD : 0;
    uses |= strstr(operands, "rs1") ? INSN_USES_RS1 : 0;
    uses |= strstr(operands, "rs2") ? INSN_USES_RS2 : 0;
    return (uint8_t)uses;
}

static bool parse_rows(struct insn_decoder *d)
{
    d->rows = calloc(insn_count, sizeof *d->rows);
    if (!d->rows)
        return false;
    for (unsigned f = 0; f < FORMAT_COUNT; f++)
        parse_immediate(format_bits[f], &d->immediates[f]);
    for (unsigned i = 0; i < insn_count; i++) {
        parse_pattern(&insns[i], &d->immediates[insns[i].format], &d->rows[i]);
        d->rows[i].uses = find_uses(d->rows[i].base->operands);
    }
    return true;
}

struct insn_decoder *insn_decoder_create(const struct hart_isa *isa)
{
    struct insn_decoder *d = calloc(1, sizeof *d);
    if (d && parse_rows(d) && make_buckets(d, isa))
        return d;
    insn_decoder_destroy(d);
    return NULL;
}

void insn_decoder_destroy(struct insn_decoder *d)
{
    if (!d)
        return;
    free(d->candidates);
    free(d->rows);
    free(d);
}

/* Three-bit register fields name x8 to x15, four-bit ones the even registers. */
static uint8_t get_register(uint32_t word, struct insn_field field)
{
    unsigned value = word >> field.lo & ((1u << field.width) - 1);
    return (uint8_t)(field.width == 3 ? value + 8 : field.width == 4 ? value * 2 : value);
}

static int32_t get_immediate(const struct immediate *imm, const struct insn_decoder_row *row,
                             uint32_t word)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < row->imm_run_count; i++) {
        const struct imm_run *run = &row->imm_runs[i];
        value |= (word >> run->word_lo & ((1u << run->width) - 1)) << run->imm_lo;
    }
    return imm->width ? (int32_t)sign_extend(value, imm->width) : (int32_t)value;
}

static void get_operands(const struct insn_decoder *d, const struct insn_decoder_row *row,
                         uint32_t word, struct decoded *out)
{
    const struct insn *insn = row->insn;
    out->insn = insn;
    out->base = row->base;
    out->uses = row->uses;
    out->rd = row->reg[0].width ? get_register(word, row->reg[0]) : insn->rd;
    out->rs1 = row->reg[1].width ? get_register(word, row->reg[1]) : insn->rs1;
    out->rs2 = row->reg[2].width ? get_register(word, row->reg[2]) : insn->rs2;
    out->rs3 = row->reg[3].width ? get_register(word, row->reg[3]) : 0;
    if (row->reg[4].width)
        out->rd = out->rs1 = get_register(word, row->reg[4]);
    out->rm = row->reg[5].width ? (uint8_t)(word >> row->reg[5].lo & 7) : 0;
    out->imm = row->imm_bits ? get_immediate(&d->immediates[insn->format], row, word) : insn->imm;
}

static bool nonzero_fields_hold(const struct insn_decoder_row *row, uint32_t word,
                                const struct decoded *out)
{
    for (unsigned f = 0; f < 6; f++)
        if (row->nonzero_mask >> f & 1 &&
            !(word >> row->reg[f].lo & ((1u << row->reg[f].width) - 1)))
            return false;
    return !(row->nonzero_mask >> 6 & 1) || out->imm != 0;
}

bool insn_decode(const struct insn_decoder *d, uint32_t word, struct decoded *out)
{
    bool wide = (word & 3) == 3;
    const struct bucket *bucket = &d->buckets[bucket_of(word)];
    const struct candidate *candidate = d->candidates + bucket->first;
    if (!wide)
        word &= 0xffff;
    for (unsigned left = bucket->count; left; left--, candidate++) {
        if ((word & candidate->mask) != candidate->match)
            continue;
        const struct insn_decoder_row *row = &d->rows[candidate->row];
        get_operands(d, row, word, out);
        out->length = wide ? 4 : 2;
        if (nonzero_fields_hold(row, word, out))
            return true;
    }
    memset(out, 0, sizeof *out);
    out->length = wide ? 4 : 2;
    return false;
}

static uint32_t put_register(struct insn_field field, unsigned value)
{
    unsigned bits = field.width == 4 ? value / 2 : value;
    return (bits & ((1u << field.width) - 1)) << field.lo;
}

uint32_t insn_encode(const struct insn_decoder *d, const struct insn *insn,
                     const struct decoded *operands)
{
    const struct insn_decoder_row *row = &d->rows[insn - insns];
    uint32_t word = row->match;
    word |= put_register(row->reg[0], operands->rd);
    word |= put_register(row->reg[1], operands->rs1);
    word |= put_register(row->reg[2], operands->rs2);
    word |= put_register(row->reg[3], operands->rs3);
    word |= put_register(row->reg[4], operands->rd);
    word |= put_register(row->reg[5], operands->rm);
    for (unsigned i = 0; i < row->imm_run_count; i++) {
        const struct imm_run *run = &row->imm_runs[i];
        uint32_t bits = (uint32_t)operands->imm >> run->imm_lo & ((1u << run->width) - 1);
        word |= bits << run->word_lo;
    }
    return word;
}

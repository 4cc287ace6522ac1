/* The instruction table and its decoder: every row encodes and decodes, rows do not contradict each
 * other, compressed rows expand to instructions that exist. */
#include "cpu/insn.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 500

/* xorshift64: the same operands on every host. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static unsigned row_bits(const struct insn *row)
{
    return row->flags & INSN_COMPRESSED ? 16 : 32;
}

/* The fixed bits of a pattern. */
static void fixed_bits(const struct insn *row, uint32_t *mask, uint32_t *match)
{
    *mask = *match = 0;
    for (const char *p = row->pattern; *p; p++) {
        if (*p == ' ')
            continue;
        bool fixed = *p == '0' || *p == '1';
        *mask = *mask << 1 | fixed;
        *match = *match << 1 | (*p == '1');
    }
}

static uint32_t random_word(const struct insn *row, uint64_t *seed)
{
    uint32_t mask, match;
    fixed_bits(row, &mask, &match);
    uint32_t word = ((uint32_t)next_random(seed) & ~mask) | match;
    return row_bits(row) == 16 ? word & 0xffff : word;
}

/* Bits that the decoder ignores: '-'. */
static uint32_t ignored_bits(const struct insn *row)
{
    uint32_t ignored = 0;
    for (const char *p = row->pattern; *p; p++)
        if (*p != ' ')
            ignored = ignored << 1 | (*p == '-');
    return ignored;
}

START_TEST(every_pattern_has_the_bits_of_its_width)
{
    for (unsigned i = 0; i < insn_count; i++) {
        unsigned bits = 0;
        for (const char *p = insns[i].pattern; *p; p++) {
            bits += *p != ' ';
            ck_assert_msg(strchr(" 01-dstuxmiDSTUXI", *p), "%s: letter %c", insns[i].name, *p);
        }
        ck_assert_msg(bits == row_bits(&insns[i]), "%s has %u bits", insns[i].name, bits);
        uint32_t mask, match;
        fixed_bits(&insns[i], &mask, &match);
        ck_assert_msg((mask & 3) == 3, "%s: its length is not fixed", insns[i].name);
        ck_assert_msg(((match & 3) == 3) == (bits == 32), "%s: wrong length", insns[i].name);
    }
}
END_TEST

START_TEST(names_are_unique)
{
    for (unsigned i = 0; i < insn_count; i++)
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(insns[i].name, insns[j].name);
}
END_TEST

/* Of two rows that share a word the first one wins, so it must be the special case: all that the
 * second fixes, it fixes too. (Or it demands a field that is not zero.) */
START_TEST(rows_that_overlap_are_in_order_from_special_to_general)
{
    for (unsigned j = 0; j < insn_count; j++) {
        for (unsigned i = 0; i < j; i++) {
            uint32_t mask_i, match_i, mask_j, match_j;
            fixed_bits(&insns[i], &mask_i, &match_i);
            fixed_bits(&insns[j], &mask_j, &match_j);
            if (row_bits(&insns[i]) != row_bits(&insns[j]) || (match_i ^ match_j) & mask_i & mask_j)
                continue;
            ck_assert_msg((mask_j & ~mask_i) == 0 && mask_i != mask_j,
                          "%s and %s overlap, and neither is the special case", insns[i].name,
                          insns[j].name);
        }
    }
}
END_TEST

START_TEST(a_random_word_of_a_row_decodes_to_it_and_encodes_back)
{
    struct insn_decoder *d = insn_decoder_create(NULL);
    uint64_t seed = 1;
    for (unsigned i = 0; i < insn_count; i++) {
        unsigned hits = 0;
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint32_t word = random_word(&insns[i], &seed);
            struct decoded in;
            if (!insn_decode(d, word, &in) || in.insn != &insns[i])
                continue; /* a field that must not be zero, or an earlier special case */
            hits++;
            ck_assert_uint_eq(in.length, row_bits(&insns[i]) / 8);
            uint32_t again = insn_encode(d, &insns[i], &in);
            ck_assert_msg(again == (word & ~ignored_bits(&insns[i])), "%s: %08x became %08x",
                          insns[i].name, word, again);
        }
        ck_assert_msg(hits > ROUNDS / 3, "%s is hidden by earlier rows", insns[i].name);
    }
    insn_decoder_destroy(d);
}
END_TEST

static bool has_word(const char *operands, const char *word)
{
    const char *at = strstr(operands, word);
    size_t length = strlen(word);
    return at && !((at[length] >= '0' && at[length] <= '9') || at[length] == 's');
}

/* Whether the row has a field for what its syntax shows, and the reverse. */
START_TEST(operand_strings_name_the_fields_of_the_pattern)
{
    static const struct {
        const char *letters, *x, *f;
    } fields[] = {
        {"dDxX", "rd", "fd"}, {"sS", "rs1", "fs1"}, {"tT", "rs2", "fs2"}, {"u", "rs3", "fs3"}};
    for (unsigned i = 0; i < insn_count; i++) {
        const struct insn *row = &insns[i];
        bool zimm = strstr(row->operands, "zimm") != NULL;
        for (unsigned f = 0; f < 4; f++) {
            bool in_pattern = strpbrk(row->pattern, fields[f].letters) != NULL;
            bool shown =
                has_word(row->operands, fields[f].x) || has_word(row->operands, fields[f].f);
            shown |= f == 1 && (zimm || strstr(row->operands, "fli") || row->rs1 != 0);
            in_pattern |= f == 1 && row->rs1 != 0;
            ck_assert_msg(in_pattern == shown || (row->flags & INSN_COMPRESSED), "%s: %s",
                          row->name, fields[f].x);
        }
        bool immediate = strpbrk(row->pattern, "iI") != NULL;
        bool shown = strstr(row->operands, "imm") || strstr(row->operands, "csr");
        ck_assert_msg(immediate == shown, "%s: immediate", row->name);
        ck_assert_msg((strchr(row->pattern, 'm') != NULL) == (strstr(row->operands, "rm") != NULL),
                      "%s: rm", row->name);
    }
}
END_TEST

/* What a compressed word expands to, written as a 32-bit word, decodes to the same operation. */
START_TEST(compressed_rows_expand_to_the_same_operands)
{
    struct insn_decoder *d = insn_decoder_create(NULL);
    unsigned expanded = 0;
    for (uint32_t word = 0; word < 0x10000; word++) {
        struct decoded in, wide;
        if ((word & 3) == 3 || !insn_decode(d, word, &in))
            continue;
        ck_assert_msg(in.base && !(in.base->flags & INSN_COMPRESSED), "%s", in.insn->name);
        if (!strcmp(in.insn->name, "c_mv") && in.rd == 0)
            continue; /* a hint, whose long form has names of its own (Zihintntl) */
        uint32_t base_word = insn_encode(d, in.base, &in);
        ck_assert_msg(insn_decode(d, base_word, &wide), "%s: %08x", in.insn->name, base_word);
        ck_assert_str_eq(wide.base->name, in.base->name);
        ck_assert_int_eq(wide.imm, in.imm);
        if (has_word(in.base->operands, "rd") || has_word(in.base->operands, "fd"))
            ck_assert_uint_eq(wide.rd, in.rd);
        if (has_word(in.base->operands, "rs1"))
            ck_assert_uint_eq(wide.rs1, in.rs1);
        if (has_word(in.base->operands, "rs2") || has_word(in.base->operands, "fs2"))
            ck_assert_uint_eq(wide.rs2, in.rs2);
        expanded++;
    }
    ck_assert_uint_gt(expanded, 40000);
    insn_decoder_destroy(d);
}
END_TEST

START_TEST(reserved_compressed_words_are_illegal)
{
    static const uint16_t reserved[] = {
        0x0000, /* defined illegal */
        0x0004, /* c.addi4spn with 0 */
        0x2001, /* c.addiw x0 */
        0x6101, /* c.addi16sp with 0 */
        0x6001, /* c.lui with 0 */
        0x4002, /* c.lwsp x0 */
        0x6002, /* c.ldsp x0 */
        0x8002, /* c.jr x0 */
        0x9c79, /* the reserved registers' operations */
        0x9c7d, 0x9000,
    };
    struct insn_decoder *d = insn_decoder_create(NULL);
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        struct decoded in;
        ck_assert_msg(!insn_decode(d, reserved[i], &in), "%04x", reserved[i]);
        ck_assert_uint_eq(in.length, 2);
    }
    insn_decoder_destroy(d);
}
END_TEST

START_TEST(a_compressed_word_is_decoded_whatever_lies_above_it)
{
    struct insn_decoder *d = insn_decoder_create(NULL);
    struct decoded low, high;
    ck_assert(insn_decode(d, 0x00008082, &low));
    ck_assert(insn_decode(d, 0xdead8082, &high));
    ck_assert_ptr_eq(low.insn, high.insn);
    ck_assert_int_eq(low.imm, high.imm);
    insn_decoder_destroy(d);
}
END_TEST

/* The rows of an extension that is off are not there; another extension may own their words. */
START_TEST(an_extension_that_is_off_takes_its_rows_along)
{
    static const struct {
        const char *extension;
        uint32_t word;
    } lines[] = {
        {"m", 0x022b47b3},      {"zmmul", 0x03e10e33},    {"zaamo", 0x08a4a8af},
        {"zalrsc", 0x120c242f}, {"zabha", 0x08a4802f},    {"zacas", 0x28a4a8af},
        {"f", 0x00a57553},      {"d", 0x02a57553},        {"zfh", 0x04a57553},
        {"zfhmin", 0x40257553}, {"zfa", 0xf01b05d3},      {"zca", 0x00008082},
        {"zcd", 0x00002108},    {"zcb", 0x00009c61},      {"zcmop", 0x00006081},
        {"zimop", 0x81c0c0f3},  {"zba", 0x09b200bb},      {"zbs", 0x48a51533},
        {"zbb", 0x60051513},    {"zbkx", 0x28a54533},     {"zknd", 0x3aa50533},
        {"zkne", 0x32a50533},   {"zknh", 0x10051513},     {"zksed", 0x30a50533},
        {"zksh", 0x10851513},   {"zicond", 0x0ea55533},   {"zicsr", 0x30051073},
        {"zicboz", 0x0045200f}, {"zicbom", 0x0015200f},   {"svinval", 0x16b50073},
        {"zawrs", 0x00d00073},  {"zifencei", 0x0000100f},
    };
    struct decoded in;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct hart_isa isa = isa_of_everything();
        struct insn_decoder *with = insn_decoder_create(&isa);
        *isa_switch(&isa, isa_find(lines[i].extension)) = false;
        struct insn_decoder *without = insn_decoder_create(&isa);
        ck_assert_msg(insn_decode(with, lines[i].word, &in), "%s", lines[i].extension);
        ck_assert_msg(!insn_decode(without, lines[i].word, &in), "%s", lines[i].extension);
        insn_decoder_destroy(with);
        insn_decoder_destroy(without);
    }
}
END_TEST

/* andn is Zbb's and Zbkb's, clmul Zbc's and Zbkc's; zext.h is a form of Zbkb's packw. */
START_TEST(a_row_of_two_extensions_needs_one_of_them)
{
    struct hart_isa isa = isa_of_everything();
    struct decoded in;
    isa.zbb = isa.zbc = false;
    struct insn_decoder *d = insn_decoder_create(&isa);
    ck_assert(insn_decode(d, 0x40b57533, &in));
    ck_assert_str_eq(in.insn->name, "andn");
    ck_assert(insn_decode(d, 0x0ab51533, &in));
    ck_assert_str_eq(in.insn->name, "clmul");
    ck_assert(insn_decode(d, 0x0805453b, &in));
    ck_assert_str_eq(in.insn->name, "packw");
    insn_decoder_destroy(d);
    isa.zbkb = isa.zbkc = false;
    d = insn_decoder_create(&isa);
    ck_assert(!insn_decode(d, 0x40b57533, &in));
    ck_assert(!insn_decode(d, 0x0ab51533, &in));
    ck_assert(!insn_decode(d, 0x0805453b, &in));
    insn_decoder_destroy(d);
}
END_TEST

START_TEST(a_pair_begins_with_an_even_register)
{
    struct insn_decoder *d = insn_decoder_create(NULL);
    struct decoded in;
    ck_assert(insn_decode(d, 0x28c5c52f, &in)); /* amocas.q a0, a2, (a1) */
    ck_assert_uint_eq(in.rd, 10);
    ck_assert_uint_eq(in.rs2, 12);
    ck_assert(!insn_decode(d, 0x28c5c5af, &in)); /* ... a1, a2, (a1) */
    ck_assert(!insn_decode(d, 0x28d5c52f, &in)); /* ... a0, a3, (a1) */
    insn_decoder_destroy(d);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("insn");
    TCase *t = tcase_create("table");
    tcase_add_test(t, every_pattern_has_the_bits_of_its_width);
    tcase_add_test(t, names_are_unique);
    tcase_add_test(t, rows_that_overlap_are_in_order_from_special_to_general);
    tcase_add_test(t, a_random_word_of_a_row_decodes_to_it_and_encodes_back);
    tcase_add_test(t, operand_strings_name_the_fields_of_the_pattern);
    tcase_add_test(t, compressed_rows_expand_to_the_same_operands);
    tcase_add_test(t, reserved_compressed_words_are_illegal);
    tcase_add_test(t, a_compressed_word_is_decoded_whatever_lies_above_it);
    tcase_add_test(t, an_extension_that_is_off_takes_its_rows_along);
    tcase_add_test(t, a_row_of_two_extensions_needs_one_of_them);
    tcase_add_test(t, a_pair_begins_with_an_even_register);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(make_suite());
}

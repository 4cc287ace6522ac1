/* The disassembler: the text of every row of the instruction table, of every alias, and of what is
 * illegal. The expected texts were checked against an independent disassembler. */
#include "cpu/insn.h"
#include "debug/disasm.h"

#include <check.h>
#include <stdlib.h>

#define PC 0x80000000ull

struct line {
    uint32_t word;
    const char *text;
};

/* clang-format off */
/* At least one line for each row of the table, with the operands chosen by chance. */
static const struct line rows[] = {
    {0x6d43deb7, "lui t4, 0x6d43d"},
    {0xcd19a397, "auipc t2, 0xcd19a"},
    {0x5aca576f, "jal a4, 0x800a55ac"},
    {0x3e8a84e7, "jalr s1, 1000(s5)"},
    {0x6f0b08e3, "beq s6, a6, 0x80000ef0"},
    {0xe3051e63, "bne a0, a6, 0x7ffff63c"},
    {0x761c44e3, "blt s8, ra, 0x80000f68"},
    {0x69f75363, "bge a4, t6, 0x80000686"},
    {0x8fe66463, "bltu a2, t5, 0x7ffff0e8"},
    {0x72d77e63, "bgeu a4, a3, 0x8000073c"},
    {0x08840683, "lb a3, 136(s0)"},
    {0x5e941803, "lh a6, 1513(s0)"},
    {0x11c7a203, "lw tp, 284(a5)"},
    {0xea7ab303, "ld t1, -345(s5)"},
    {0xcca8c803, "lbu a6, -822(a7)"},
    {0x97e65983, "lhu s3, -1666(a2)"},
    {0x72b06503, "lwu a0, 1835(zero)"},
    {0x335e0d23, "sb s5, 826(t3)"},
    {0x809d93a3, "sh s1, -2041(s11)"},
    {0xd466a9a3, "sw t1, -685(a3)"},
    {0xfc65b1a3, "sd t1, -61(a1)"},
    {0xdc0be013, "prefetch.i -576(s7)"},
    {0x6c176013, "prefetch.r 1728(a4)"},
    {0x0c3de013, "prefetch.w 192(s11)"},
    {0xdabb0193, "addi gp, s6, -597"},
    {0x94702093, "slti ra, zero, -1721"},
    {0xaa2fb493, "sltiu s1, t6, -1374"},
    {0xb34a4b93, "xori s7, s4, -1228"},
    {0x0c9fe213, "ori tp, t6, 201"},
    {0x5f5d7613, "andi a2, s10, 1525"},
    {0x03d29893, "slli a7, t0, 0x3d"},
    {0x02de5f13, "srli t5, t3, 0x2d"},
    {0x41a95d13, "srai s10, s2, 0x1a"},
    {0x00b583b3, "add t2, a1, a1"},
    {0x40698fb3, "sub t6, s3, t1"},
    {0x00ae9eb3, "sll t4, t4, a0"},
    {0x01fea5b3, "slt a1, t4, t6"},
    {0x009ebfb3, "sltu t6, t4, s1"},
    {0x01ebcfb3, "xor t6, s7, t5"},
    {0x002257b3, "srl a5, tp, sp"},
    {0x411dd3b3, "sra t2, s11, a7"},
    {0x01f76033, "or zero, a4, t6"},
    {0x0069feb3, "and t4, s3, t1"},
    {0x516d0e9b, "addiw t4, s10, 1302"},
    {0x01ed1c9b, "slliw s9, s10, 0x1e"},
    {0x0178db1b, "srliw s6, a7, 0x17"},
    {0x41285d9b, "sraiw s11, a6, 0x12"},
    {0x011383bb, "addw t2, t2, a7"},
    {0x40c185bb, "subw a1, gp, a2"},
    {0x002c14bb, "sllw s1, s8, sp"},
    {0x000757bb, "srlw a5, a4, zero"},
    {0x41b955bb, "sraw a1, s2, s11"},
    {0x0100000f, "pause"},
    {0x0000100f, "fence.i"},
    {0x00000073, "ecall"},
    {0x00100073, "ebreak"},
    {0x03e10e33, "mul t3, sp, t5"},
    {0x034e9b33, "mulh s6, t4, s4"},
    {0x02372f33, "mulhsu t5, a4, gp"},
    {0x038333b3, "mulhu t2, t1, s8"},
    {0x022b47b3, "div a5, s6, sp"},
    {0x0395d0b3, "divu ra, a1, s9"},
    {0x0361e8b3, "rem a7, gp, s6"},
    {0x039ef2b3, "remu t0, t4, s9"},
    {0x02ca0cbb, "mulw s9, s4, a2"},
    {0x03db4dbb, "divw s11, s6, t4"},
    {0x025bd53b, "divuw a0, s7, t0"},
    {0x038e653b, "remw a0, t3, s8"},
    {0x02acf9bb, "remuw s3, s9, a0"},
    {0x120c242f, "lr.w.rl s0, (s8)"},
    {0x196220af, "sc.w ra, s6, (tp)"},
    {0x08a4a8af, "amoswap.w a7, a0, (s1)"},
    {0x02c5292f, "amoadd.w.rl s2, a2, (a0)"},
    {0x202ba12f, "amoxor.w sp, sp, (s7)"},
    {0x652ea22f, "amoand.w.aq tp, s2, (t4)"},
    {0x42f2aa2f, "amoor.w.rl s4, a5, (t0)"},
    {0x835120af, "amomin.w.rl ra, s5, (sp)"},
    {0xa3fe2a2f, "amomax.w.rl s4, t6, (t3)"},
    {0xc45929af, "amominu.w.aq s3, t0, (s2)"},
    {0xe08ea02f, "amomaxu.w zero, s0, (t4)"},
    {0x16083caf, "lr.d.aqrl s9, (a6)"},
    {0x19beb22f, "sc.d tp, s11, (t4)"},
    {0x0e303eaf, "amoswap.d.aqrl t4, gp, (zero)"},
    {0x06b3beaf, "amoadd.d.aqrl t4, a1, (t2)"},
    {0x2792342f, "amoxor.d.aqrl s0, s9, (tp)"},
    {0x663c3b2f, "amoand.d.aqrl s6, gp, (s8)"},
    {0x4089b5af, "amoor.d a1, s0, (s3)"},
    {0x84bc342f, "amomin.d.aq s0, a1, (s8)"},
    {0xa25f392f, "amomax.d.rl s2, t0, (t5)"},
    {0xc57238af, "amominu.d.aq a7, s7, (tp)"},
    {0xe464bf2f, "amomaxu.d.aq t5, t1, (s1)"},
    {0x09b200bb, "add.uw ra, tp, s11"},
    {0x20b72433, "sh1add s0, a4, a1"},
    {0x21054f33, "sh2add t5, a0, a6"},
    {0x21b5eb33, "sh3add s6, a1, s11"},
    {0x215fa93b, "sh1add.uw s2, t6, s5"},
    {0x2097c7bb, "sh2add.uw a5, a5, s1"},
    {0x215b683b, "sh3add.uw a6, s6, s5"},
    {0x098c9c1b, "slli.uw s8, s9, 0x18"},
    {0x41f5fbb3, "andn s7, a1, t6"},
    {0x411c6a33, "orn s4, s8, a7"},
    {0x4119ceb3, "xnor t4, s3, a7"},
    {0x600f9793, "clz a5, t6"},
    {0x60111193, "ctz gp, sp"},
    {0x60279813, "cpop a6, a5"},
    {0x60069f1b, "clzw t5, a3"},
    {0x601a119b, "ctzw gp, s4"},
    {0x602d161b, "cpopw a2, s10"},
    {0x0aa9e6b3, "max a3, s3, a0"},
    {0x0a787f33, "maxu t5, a6, t2"},
    {0x0a5cc9b3, "min s3, s9, t0"},
    {0x0a1252b3, "minu t0, tp, ra"},
    {0x60481893, "sext.b a7, a6"},
    {0x605a1e93, "sext.h t4, s4"},
    {0x0800423b, "zext.h tp, zero"},
    {0x61011833, "rol a6, sp, a6"},
    {0x619c5cb3, "ror s9, s8, s9"},
    {0x6320db93, "rori s7, ra, 0x32"},
    {0x61a1183b, "rolw a6, sp, s10"},
    {0x6126593b, "rorw s2, a2, s2"},
    {0x6027599b, "roriw s3, a4, 0x2"},
    {0x287d5813, "orc.b a6, s10"},
    {0x6b8cd813, "rev8 a6, s9"},
    {0x0b919933, "clmul s2, gp, s9"},
    {0x0b73a5b3, "clmulr a1, t2, s7"},
    {0x0a80b0b3, "clmulh ra, ra, s0"},
    {0x48c011b3, "bclr gp, zero, a2"},
    {0x498a9093, "bclri ra, s5, 0x18"},
    {0x4867d733, "bext a4, a5, t1"},
    {0x4b675f13, "bexti t5, a4, 0x36"},
    {0x686b1433, "binv s0, s6, t1"},
    {0x6bb41e93, "binvi t4, s0, 0x3b"},
    {0x28f09b33, "bset s6, ra, a5"},
    {0x293c9b13, "bseti s6, s9, 0x13"},
    {0x0f8ad5b3, "czero.eqz a1, s5, s8"},
    {0x0ec2ff33, "czero.nez t5, t0, a2"},
    {0x3b0d19f3, "csrrw s3, pmpaddr0, s10"},
    {0xc0b1a773, "csrrs a4, hpmcounter11, gp"},
    {0x3009b0f3, "csrrc ra, mstatus, s3"},
    {0xb119d573, "csrrwi a0, mhpmcounter17, 19"},
    {0xb17ee573, "csrrsi a0, mhpmcounter23, 29"},
    {0x3291fff3, "csrrci t6, mhpmevent9, 3"},
    {0x30200073, "mret"},
    {0x10200073, "sret"},
    {0x10500073, "wfi"},
    {0x00d00073, "wrs.nto"},
    {0x01d00073, "wrs.sto"},
    {0x12cf0073, "sfence.vma t5, a2"},
    {0x174e0073, "sinval.vma t3, s4"},
    {0x18000073, "sfence.w.inval"},
    {0x18100073, "sfence.inval.ir"},
    {0x0002200f, "cbo.inval (tp)"},
    {0x0014200f, "cbo.clean (s0)"},
    {0x0021200f, "cbo.flush (sp)"},
    {0x0044a00f, "cbo.zero (s1)"},
    {0x3cfb2207, "flw ft4, 975(s6)"},
    {0x4d9bbf07, "fld ft10, 1241(s7)"},
    {0x957b2327, "fsw fs7, -1722(s6)"},
    {0x26bfb5a7, "fsd fa1, 619(t6)"},
    {0xa13c0d43, "fmadd.s fs10, fs8, fs3, fs4, rne"},
    {0x291295c7, "fmsub.s fa1, ft5, fa7, ft5, rtz"},
    {0xc17af3cb, "fnmsub.s ft7, fs5, fs7, fs8"},
    {0x51a27bcf, "fnmadd.s fs7, ft4, fs10, fa0"},
    {0x00b87ad3, "fadd.s fs5, fa6, fa1"},
    {0x0983f853, "fsub.s fa6, ft7, fs8"},
    {0x105bfc53, "fmul.s fs8, fs7, ft5"},
    {0x19253f53, "fdiv.s ft10, fa0, fs2, rup"},
    {0x5801fbd3, "fsqrt.s fs7, ft3"},
    {0x21ae0353, "fsgnj.s ft6, ft8, fs10"},
    {0x20bc17d3, "fsgnjn.s fa5, fs8, fa1"},
    {0x20a12bd3, "fsgnjx.s fs7, ft2, fa0"},
    {0x28358153, "fmin.s ft2, fa1, ft3"},
    {0x28c99653, "fmax.s fa2, fs3, fa2"},
    {0xa00329d3, "feq.s s3, ft6, ft0"},
    {0xa1a59353, "flt.s t1, fa1, fs10"},
    {0xa16e8a53, "fle.s s4, ft9, fs6"},
    {0xe0001b53, "fclass.s s6, ft0"},
    {0xc0004253, "fcvt.w.s tp, ft0, rmm"},
    {0xc0167253, "fcvt.wu.s tp, fa2"},
    {0xc024ac53, "fcvt.l.s s8, fs1, rdn"},
    {0xc0367e53, "fcvt.lu.s t3, fa2"},
    {0xd00e73d3, "fcvt.s.w ft7, t3"},
    {0xd0172053, "fcvt.s.wu ft0, a4, rdn"},
    {0xd02c38d3, "fcvt.s.l fa7, s8, rup"},
    {0xd03db753, "fcvt.s.lu fa4, s11, rup"},
    {0xe00806d3, "fmv.x.w a3, fa6"},
    {0xf0030cd3, "fmv.w.x fs9, t1"},
    {0xf27bb3c3, "fmadd.d ft7, fs7, ft7, ft10, rup"},
    {0x6389f247, "fmsub.d ft4, fs3, fs8, fa2"},
    {0x3bb37ecb, "fnmsub.d ft9, ft6, fs11, ft7"},
    {0x635abb4f, "fnmadd.d fs6, fs5, fs5, fa2, rup"},
    {0x029548d3, "fadd.d fa7, fa0, fs1, rmm"},
    {0x0a53f753, "fsub.d fa4, ft7, ft5"},
    {0x1229bc53, "fmul.d fs8, fs3, ft2, rup"},
    {0x1a8270d3, "fdiv.d ft1, ft4, fs0"},
    {0x5a097453, "fsqrt.d fs0, fs2"},
    {0x23a70bd3, "fsgnj.d fs7, fa4, fs10"},
    {0x220715d3, "fsgnjn.d fa1, fa4, ft0"},
    {0x2390a2d3, "fsgnjx.d ft5, ft1, fs9"},
    {0x2bd583d3, "fmin.d ft7, fa1, ft9"},
    {0x2b341653, "fmax.d fa2, fs0, fs3"},
    {0xa3282153, "feq.d sp, fa6, fs2"},
    {0xa3011bd3, "flt.d s7, ft2, fa6"},
    {0xa3928a53, "fle.d s4, ft5, fs9"},
    {0xe20615d3, "fclass.d a1, fa2"},
    {0xc2019f53, "fcvt.w.d t5, ft3, rtz"},
    {0xc2103cd3, "fcvt.wu.d s9, ft0, rup"},
    {0xc223b053, "fcvt.l.d zero, ft7, rup"},
    {0xc23a90d3, "fcvt.lu.d ra, fs5, rtz"},
    {0xd201f7d3, "fcvt.d.w fa5, gp, dyn"},
    {0xd210afd3, "fcvt.d.wu ft11, ra, rdn"},
    {0xd2270ad3, "fcvt.d.l fs5, a4, rne"},
    {0xd235f253, "fcvt.d.lu ft4, a1"},
    {0x401ff8d3, "fcvt.s.d fa7, ft11"},
    {0x42002f53, "fcvt.d.s ft10, ft0, rdn"},
    {0xe20d0453, "fmv.x.d s0, fs10"},
    {0xf20d0d53, "fmv.d.x fs10, s10"},
    {0x106c, "addi a1, sp, 44"},
    {0x2424, "fld fs1, 72(s0)"},
    {0x55fc, "lw a5, 108(a1)"},
    {0x6854, "ld a3, 144(s0)"},
    {0xa284, "fsd fs1, 0(a3)"},
    {0xc188, "sw a0, 0(a1)"},
    {0xe508, "sd a0, 8(a0)"},
    {0x0311, "addi t1, t1, 4"},
    {0x2b81, "sext.w s7, s7"},
    {0x48cd, "li a7, 19"},
    {0x6179, "addi sp, sp, 464"},
    {0x7295, "lui t0, 0xfffe5"},
    {0x92b5, "srli a3, a3, 0x2d"},
    {0x94ad, "srai s1, s1, 0x2b"},
    {0x8a81, "andi a3, a3, 0"},
    {0x8d15, "sub a0, a0, a3"},
    {0x8d2d, "xor a0, a0, a1"},
    {0x8f59, "or a4, a4, a4"},
    {0x8cf1, "and s1, s1, a2"},
    {0x9e0d, "subw a2, a2, a1"},
    {0x9fb9, "addw a5, a5, a4"},
    {0xa0c1, "j 0x800000c0"},
    {0xc325, "beqz a4, 0x80000060"},
    {0xf3d9, "bnez a5, 0x7fffff86"},
    {0x1fb6, "slli t6, t6, 0x2d"},
    {0x26da, "fld fa3, 400(sp)"},
    {0x4aaa, "lw s5, 136(sp)"},
    {0x7eda, "ld t4, 432(sp)"},
    {0x8982, "jr s3"},
    {0x89fa, "mv s3, t5"},
    {0x9002, "ebreak"},
    {0x9282, "jalr t0"},
    {0x9aba, "add s5, s5, a4"},
    {0xadaa, "fsd fa0, 216(sp)"},
    {0xdbc2, "sw a6, 244(sp)"},
    {0xfa8e, "sd gp, 368(sp)"},
    {0x0ff0000f, "fence"},
};

static const struct line aliases[] = {
    {0x00000013, "nop"},
    {0xffb00513, "li a0, -5"},
    {0x00058513, "mv a0, a1"},
    {0x0005851b, "sext.w a0, a1"},
    {0xfff5c513, "not a0, a1"},
    {0x0ff5f513, "zext.b a0, a1"},
    {0x40b00533, "neg a0, a1"},
    {0x40b0053b, "negw a0, a1"},
    {0x0015b513, "seqz a0, a1"},
    {0x00b03533, "snez a0, a1"},
    {0x0005a533, "sltz a0, a1"},
    {0x00b02533, "sgtz a0, a1"},
    {0x0805853b, "zext.w a0, a1"},
    {0x00008067, "ret"},
    {0x00078067, "jr a5"},
    {0x00878067, "jr 8(a5)"},
    {0x000780e7, "jalr a5"},
    {0x008780e7, "jalr 8(a5)"},
    {0x000782e7, "jalr t0, a5"},
    {0x00102573, "frflags a0"},
    {0x00202573, "frrm a0"},
    {0x00302573, "frcsr a0"},
    {0xc0002573, "rdcycle a0"},
    {0xc0102573, "rdtime a0"},
    {0xc0202573, "rdinstret a0"},
    {0x30002573, "csrr a0, mstatus"},
    {0x00159073, "fsflags a1"},
    {0x00259073, "fsrm a1"},
    {0x00359073, "fscsr a1"},
    {0x00159573, "fsflags a0, a1"},
    {0x00259573, "fsrm a0, a1"},
    {0x00359573, "fscsr a0, a1"},
    {0x18059073, "csrw satp, a1"},
    {0x3045a073, "csrs mie, a1"},
    {0x3445b073, "csrc mip, a1"},
    {0x0011d073, "fsflagsi 3"},
    {0x0021d073, "fsrmi 3"},
    {0x0011d573, "fsflagsi a0, 3"},
    {0x0021d573, "fsrmi a0, 3"},
    {0x1051d073, "csrwi stvec, 3"},
    {0x10016073, "csrsi sstatus, 2"},
    {0x10017073, "csrci sstatus, 2"},
    {0x12000073, "sfence.vma"},
    {0x12050073, "sfence.vma a0"},
    {0x20b58553, "fmv.s fa0, fa1"},
    {0x20b59553, "fneg.s fa0, fa1"},
    {0x20b5a553, "fabs.s fa0, fa1"},
    {0x22b58553, "fmv.d fa0, fa1"},
    {0x22b59553, "fneg.d fa0, fa1"},
    {0x22b5a553, "fabs.d fa0, fa1"},
    {0x0ff0000f, "fence"},
    {0x0310000f, "fence rw, w"},
    {0x8330000f, "fence.tso"},
    {0x0800006f, "j 0x80000080"},
    {0x100000ef, "jal 0x80000100"},
    {0x02050063, "beqz a0, 0x80000020"},
    {0x02051063, "bnez a0, 0x80000020"},
    {0x02a05063, "blez a0, 0x80000020"},
    {0x02055063, "bgez a0, 0x80000020"},
    {0x02054063, "bltz a0, 0x80000020"},
    {0x02a04063, "bgtz a0, 0x80000020"},
    {0x0001, "nop"},
    {0x8082, "ret"},
};

static const struct line illegal[] = {
    {0x0000, ".2byte 0x0000"},
    {0x2001, ".2byte 0x2001"}, /* c.addiw to x0 */
    {0x8002, ".2byte 0x8002"}, /* c.jr x0 */
    {0xffffffff, ".4byte 0xffffffff"},
    {0x00a55553, ".4byte 0x00a55553"}, /* fadd.s with rounding mode 5 */
    {0x0000007b, ".4byte 0x0000007b"},
};
/* clang-format on */

static void check_lines(const struct line *lines, size_t count)
{
    struct insn_decoder *d = insn_decoder_create();
    for (size_t i = 0; i < count; i++) {
        char text[DISASM_TEXT_BYTES];
        size_t length = disasm(d, lines[i].word, PC, text, sizeof text);
        ck_assert_str_eq(text, lines[i].text);
        ck_assert_uint_eq(length, (lines[i].word & 3) == 3 ? 4 : 2);
    }
    insn_decoder_destroy(d);
}

START_TEST(every_row_is_written_as_the_assembler_reads_it)
{
    check_lines(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(the_expected_lines_cover_every_row)
{
    struct insn_decoder *d = insn_decoder_create();
    bool *seen = calloc(insn_count, sizeof *seen);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decoded in;
        ck_assert(insn_decode(d, rows[i].word, &in));
        seen[in.insn - insns] = true;
    }
    for (unsigned i = 0; i < insn_count; i++)
        ck_assert_msg(seen[i], "no line for %s", insns[i].name);
    free(seen);
    insn_decoder_destroy(d);
}
END_TEST

START_TEST(aliases_are_preferred)
{
    check_lines(aliases, sizeof aliases / sizeof aliases[0]);
}
END_TEST

START_TEST(what_is_illegal_is_written_as_data)
{
    check_lines(illegal, sizeof illegal / sizeof illegal[0]);
}
END_TEST

START_TEST(the_text_is_cut_at_the_buffers_end)
{
    struct insn_decoder *d = insn_decoder_create();
    char text[8] = "xxxxxxx";
    disasm(d, 0x00b50533, PC, text, 7); /* add a0, a0, a1 */
    ck_assert_str_eq(text, "add a0");
    ck_assert_int_eq(text[7], 0);
    disasm(d, 0x00b50533, PC, text, 1);
    ck_assert_str_eq(text, "");
    insn_decoder_destroy(d);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("disasm");
    TCase *t = tcase_create("text");
    tcase_add_test(t, every_row_is_written_as_the_assembler_reads_it);
    tcase_add_test(t, the_expected_lines_cover_every_row);
    tcase_add_test(t, aliases_are_preferred);
    tcase_add_test(t, what_is_illegal_is_written_as_data);
    tcase_add_test(t, the_text_is_cut_at_the_buffers_end);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

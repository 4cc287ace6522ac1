/* C: every compressed instruction, reserved encodings, and 2-byte-aligned code. */
#include "tests/isa/lib/rt.h"

/* Runs 16-bit instructions with s0 = a, s1 = b; the result is s0. */
#define RUN(text, a, b)                                                                            \
    ({                                                                                             \
        register uint64_t a_ asm("s0") = (a);                                                      \
        register uint64_t b_ asm("s1") = (b);                                                      \
        asm volatile(text : "+r"(a_), "+r"(b_) : : "a0", "memory");                                \
        a_;                                                                                        \
    })

static void arithmetic(void)
{
    const uint64_t a = 0x8000000180000005, b = 0x00000000ffffffff;
    check_eq("c.addi", RUN("c.addi s0, -32", a, b), a - 32);
    check_eq("c.addiw", RUN("c.addiw s0, 31", 0x17fffffff, b), 0xffffffff8000001e);
    check_eq("c.li", RUN("c.li s0, -1", a, b), ~0ull);
    check_eq("c.lui", RUN("c.lui s0, 0xfffe0", a, b), 0xfffffffffffe0000);
    check_eq("c.lui positive", RUN("c.lui s0, 31", a, b), 0x1f000);
    check_eq("c.srli", RUN("c.srli s0, 63", a, b), 1);
    check_eq("c.srai", RUN("c.srai s0, 63", a, b), ~0ull);
    check_eq("c.slli", RUN("c.slli s0, 63", a, b), 1ull << 63);
    check_eq("c.andi", RUN("c.andi s0, -2", a, b), a - 1);
    check_eq("c.sub", RUN("c.sub s0, s1", a, b), a - b);
    check_eq("c.xor", RUN("c.xor s0, s1", a, b), a ^ b);
    check_eq("c.or", RUN("c.or s0, s1", a, b), a | b);
    check_eq("c.and", RUN("c.and s0, s1", a, b), a & b);
    check_eq("c.subw", RUN("c.subw s0, s1", a, b), 0xffffffff80000006);
    check_eq("c.addw", RUN("c.addw s0, s1", a, b), 0xffffffff80000004);
    check_eq("c.mv", RUN("c.mv s0, s1", a, b), b);
    check_eq("c.add", RUN("c.add s0, s1", a, b), a + b);
    check_eq("c.addi4spn", RUN("c.addi4spn s0, sp, 1020; mv s1, sp; sub s0, s0, s1", a, b), 1020);
    check_eq("c.addi16sp down",
             RUN("mv s1, sp; c.addi16sp sp, -512; sub s0, sp, s1; mv sp, s1", a, b), -512ull);
    check_eq("c.addi16sp up", RUN("mv s1, sp; c.addi16sp sp, 496; sub s0, sp, s1; mv sp, s1", a, b),
             496);
    check_eq("c.nop", RUN("c.nop; c.nop", a, b), a);
}

static void memory(void)
{
    uint64_t m[64] = {0};
    m[0] = 0x1122334485868788;
    m[31] = 0x99;
    uint64_t base = (uint64_t)m;
    check_eq("c.lw sign-extends", RUN("c.lw s0, 0(s1)", 0, base), 0xffffffff85868788);
    check_eq("c.ld", RUN("c.ld s0, 0(s1)", 0, base), 0x1122334485868788);
    check_eq("c.ld at its highest offset", RUN("c.ld s0, 248(s1)", 0, base), 0x99);
    RUN("c.sd s0, 240(s1)", 0x1234567890abcdef, base);
    check_eq("c.sd", m[30], 0x1234567890abcdef);
    RUN("c.sw s0, 124(s1)", 0x1234567890abcdef, base);
    check_eq("c.sw at its highest offset", m[15], 0x90abcdef00000000);
    RUN("c.fld fa0, 0(s1); c.fsd fa0, 8(s1)", 0, base);
    check_eq("c.fld and c.fsd", m[1], 0x1122334485868788);
    check_eq("c.ldsp", RUN("mv a0, sp; mv sp, s1; c.ldsp s0, 248(sp); mv sp, a0", 0, base), 0x99);
    check_eq("c.lwsp", RUN("mv a0, sp; mv sp, s1; c.lwsp s0, 4(sp); mv sp, a0", 0, base),
             0x11223344);
    RUN("mv a0, sp; mv sp, s1; c.sdsp s0, 256(sp); c.swsp s0, 128(sp); mv sp, a0",
        0xaabbccddeeff0011, base);
    check_eq("c.sdsp", m[32], 0xaabbccddeeff0011);
    check_eq("c.swsp", m[16], 0xeeff0011);
    RUN("mv a0, sp; mv sp, s1; c.fldsp ft0, 0(sp); c.fsdsp ft0, 272(sp); mv sp, a0", 0, base);
    check_eq("c.fldsp and c.fsdsp", m[34], 0x1122334485868788);
}

static void control(void)
{
    check_eq("c.j", RUN("c.j 1f; li s0, 9; 1:", 3, 0), 3);
    check_eq("c.beqz taken", RUN("c.beqz s1, 1f; li s0, 9; 1:", 3, 0), 3);
    check_eq("c.beqz not taken", RUN("c.beqz s1, 1f; li s0, 9; 1:", 3, 1), 9);
    check_eq("c.bnez taken", RUN("c.bnez s1, 1f; li s0, 9; 1:", 3, 1ull << 63), 3);
    check_eq("c.bnez not taken", RUN("c.bnez s1, 1f; li s0, 9; 1:", 3, 0), 9);
    check_eq("a c.bnez loop", RUN("1: c.addi s0, 2; c.addi s1, -1; c.bnez s1, 1b", 0, 100), 200);
    check_eq("c.jr", RUN("la s1, 1f; c.jr s1; li s0, 9; 1:", 3, 0), 3);
    uint64_t link, next;
    asm volatile("la a0, 1f; la %1, 2f; c.jalr a0; 2: c.nop; 1: mv %0, ra"
                 : "=&r"(link), "=&r"(next)
                 :
                 : "a0", "ra");
    check_eq("c.jalr links the instruction 2 bytes on", link, next);
    PROBE("c.ebreak", "r"(0));
    check("c.ebreak raises breakpoint", traps() == 1 && self()->cause == BREAKPOINT);
    traps_reset();
}

static void reserved(void)
{
    PROBE(".half 0", "r"(0));
    check("16 zero bits are illegal", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE(".half 0x2001", "r"(0)); /* c.addiw x0 */
    check("c.addiw to x0 is reserved", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE(".half 0x4002", "r"(0)); /* c.lwsp x0 */
    check("c.lwsp to x0 is reserved", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE(".half 0x8002", "r"(0)); /* c.jr x0 */
    check("c.jr x0 is reserved", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE(".half 0x6101", "r"(0)); /* c.addi16sp 0 */
    check("c.addi16sp with 0 is reserved", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE(".half 0x0001; .half 0x0005; .half 0x1002", "r"(0)); /* hints: writes of x0 */
    check_no_trap("hints do nothing");
}

static void mixed_alignment(void)
{
    uint64_t v;
    asm volatile(".option push; .option rvc; .balign 4; c.nop; .option norvc;"
                 "li %0, 0; addi %0, %0, 1; beqz zero, 1f; li %0, 9; 1: addi %0, %0, 1;"
                 ".option pop"
                 : "=&r"(v));
    check_eq("32-bit instructions run at addresses of 2 mod 4", v, 2);
}

int main(void)
{
    arithmetic();
    memory();
    control();
    reserved();
    mixed_alignment();
    return 0;
}

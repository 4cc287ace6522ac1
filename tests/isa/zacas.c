/* Zacas and Zabha: compare and swap of 1 to 16 bytes, x0, alignment; atomics of bytes and
 * halfwords. */
#include "tests/isa/lib/rt.h"

static uint64_t memory[4] __attribute__((aligned(16)));

/* amocas.<width> a2, a3, (a1): the encoding, as the assembler does not know it. */
#define AMOCAS(width, rd, rs2)                                                                     \
    ".word 0x28000000 | " #rs2 " << 20 | 11 << 15 | " #width " << 12 | " #rd " << 7 | 0x2f"

#define SWAP(width, expected, value)                                                               \
    ({                                                                                             \
        register uint64_t old_ asm("a2") = (expected);                                             \
        register uint64_t new_ asm("a3") = (value);                                                \
        register uint64_t *at_ asm("a1") = memory;                                                 \
        asm volatile(AMOCAS(width, 12, 13) : "+r"(old_) : "r"(new_), "r"(at_) : "memory");         \
        old_;                                                                                      \
    })

static void words(void)
{
    memory[0] = 0x1122334485667788;
    check_eq("amocas.w gives the sign-extended old value", SWAP(2, 0x85667788, 5),
             0xffffffff85667788);
    check_eq("and stores when it is what was expected", memory[0], 0x1122334400000005);
    check_eq("else it gives the old value", SWAP(2, 6, 7), 5);
    check_eq("and stores nothing", memory[0], 0x1122334400000005);
    check_eq("amocas.d compares all", SWAP(3, 0x1122334400000005, ~0ull), 0x1122334400000005);
    check_eq("and stores all", memory[0], ~0ull);
    check_eq("amocas.b compares a byte", SWAP(0, 0xff, 0x12), ~0ull);
    check_eq("and stores a byte", memory[0], 0xffffffffffffff12);
    check_eq("amocas.h compares a halfword", SWAP(1, 0xabcdff12, 0x3456), 0xffffffffffffff12);
    check_eq("and stores a halfword", memory[0], 0xffffffffffff3456);
}

/* amocas.q with the pairs rd (a2, or 0) and rs2 (a4, or 0); gives the pair a2, a3. */
struct pair {
    uint64_t low, high;
};

#define SWAP_PAIR(rd, rs2, expected, value)                                                        \
    ({                                                                                             \
        const struct pair e_ = expected, v_ = value;                                               \
        register uint64_t low_ asm("a2") = e_.low;                                                 \
        register uint64_t high_ asm("a3") = e_.high;                                               \
        register uint64_t new_low_ asm("a4") = v_.low;                                             \
        register uint64_t new_high_ asm("a5") = v_.high;                                           \
        register uint64_t *at_ asm("a1") = memory;                                                 \
        asm volatile(AMOCAS(4, rd, rs2)                                                            \
                     : "+r"(low_), "+r"(high_)                                                     \
                     : "r"(new_low_), "r"(new_high_), "r"(at_)                                     \
                     : "memory");                                                                  \
        (struct pair){low_, high_};                                                                \
    })
#define PAIR(low, high) ((struct pair){low, high})

static void pairs(void)
{
    memory[0] = 1, memory[1] = 2;
    struct pair old = SWAP_PAIR(12, 14, PAIR(1, 2), PAIR(3, 4));
    check("amocas.q stores a pair", memory[0] == 3 && memory[1] == 4);
    check("and gives the old one", old.low == 1 && old.high == 2);
    old = SWAP_PAIR(12, 14, PAIR(3, 5), PAIR(6, 7));
    check("a pair of which one half differs is not what was expected", memory[1] == 4);
    check("and the old one is given", old.low == 3 && old.high == 4);
    memory[0] = memory[1] = 0;
    old = SWAP_PAIR(0, 14, PAIR(8, 9), PAIR(3, 4));
    check("x0 as rd expects two zeros", memory[0] == 3 && memory[1] == 4);
    check("and writes no register", old.low == 8 && old.high == 9);
    SWAP_PAIR(12, 0, PAIR(3, 4), PAIR(8, 9));
    check("x0 as rs2 stores two zeros", memory[0] == 0 && memory[1] == 0);
}

/* The word of an atomic with a2, a3, (a1). */
#define ATOMIC(word, operand)                                                                      \
    ({                                                                                             \
        register uint64_t old_ asm("a2");                                                          \
        register uint64_t operand_ asm("a3") = (operand);                                          \
        register uint64_t *at_ asm("a1") = memory;                                                 \
        asm volatile(".word " #word : "=r"(old_) : "r"(operand_), "r"(at_) : "memory");            \
        old_;                                                                                      \
    })

static void small_atomics(void)
{
    memory[0] = 0x1111111111118081;
    check_eq("amoadd.b gives a sign-extended byte", ATOMIC(0x00d5862f, 0x7f), 0xffffffffffffff81);
    check_eq("and does not carry out of it", memory[0], 0x1111111111118000);
    check_eq("amomax.h gives a sign-extended halfword", ATOMIC(0xa0d5962f, 0x7f),
             0xffffffffffff8000);
    check_eq("and compares signed halfwords", memory[0], 0x111111111111007f);
    ATOMIC(0xc0d5862f, 0x180);
    check_eq("amominu.b sees the low byte alone", memory[0], 0x111111111111007f);
    ATOMIC(0x08d5962f, 0xabcd1234);
    check_eq("amoswap.h stores 16 bits", memory[0], 0x1111111111111234);
}

#define PROBE_AT(at, text)                                                                         \
    do {                                                                                           \
        register uint64_t at_ asm("a1") = (uint64_t)(at);                                          \
        PROBE(text, "r"(at_));                                                                     \
    } while (0)

static void faults(void)
{
    PROBE_AT(memory + 1, AMOCAS(4, 12, 14));
    check("amocas.q needs 16-byte alignment", self()->cause == STORE_MISALIGNED);
    traps_reset();
    PROBE_AT(memory, AMOCAS(4, 13, 14));
    check("an odd rd is reserved", self()->cause == ILLEGAL);
    traps_reset();
    PROBE_AT(memory, AMOCAS(4, 12, 15));
    check("an odd rs2 is reserved", self()->cause == ILLEGAL);
    traps_reset();
}

int main(void)
{
    words();
    pairs();
    small_atomics();
    faults();
    return 0;
}

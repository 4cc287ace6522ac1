/* I: the base integer instructions: arithmetic against rows of the model; loads, stores, branches,
 * jumps and x0 by hand. */
#include "tests/isa/lib/rows.h"

static void arithmetic(void)
{
#include "rows/i.h"
}

#define LOAD(text, address)                                                                        \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        asm volatile(text " %0, (%1)" : "=r"(v_) : "r"(address) : "memory");                       \
        v_;                                                                                        \
    })
#define STORE(text, address, v) asm volatile(text " %0, (%1)" : : "r"(v), "r"(address) : "memory")

static void loads_and_stores(void)
{
    uint64_t memory[3] = {0x8182838485868788, 0xf1f2f3f4f5f6f7f8, 0};
    uint8_t *p = (uint8_t *)memory;
    check_eq("lb sign-extends", LOAD("lb", p), 0xffffffffffffff88);
    check_eq("lbu does not", LOAD("lbu", p), 0x88);
    check_eq("lh sign-extends", LOAD("lh", p + 2), 0xffffffffffff8586);
    check_eq("lhu does not", LOAD("lhu", p + 2), 0x8586);
    check_eq("lw sign-extends", LOAD("lw", p + 4), 0xffffffff81828384);
    check_eq("lwu does not", LOAD("lwu", p + 4), 0x81828384);
    check_eq("ld loads all 64 bits", LOAD("ld", p + 8), 0xf1f2f3f4f5f6f7f8);
    STORE("sb", p + 1, 0x1234567890abcdefull);
    check_eq("sb writes one byte", memory[0], 0x818283848586ef88);
    STORE("sh", p + 2, 0x1234567890abcdefull);
    check_eq("sh writes two bytes", memory[0], 0x81828384cdefef88);
    STORE("sw", p + 4, 0x1234567890abcdefull);
    check_eq("sw writes four bytes", memory[0], 0x90abcdefcdefef88);
    STORE("sd", p, 0x1234567890abcdefull);
    check_eq("sd writes eight bytes", memory[0], 0x1234567890abcdef);
    check_eq("stores write nothing else", memory[1], 0xf1f2f3f4f5f6f7f8);
    uint64_t v;
    asm volatile("ld %0, -2048(%1)" : "=r"(v) : "r"(p + 2048) : "memory");
    check_eq("the lowest offset of a load", v, 0x1234567890abcdef);
    asm volatile("ld %0, 2047(%1)" : "=r"(v) : "r"(p - 2047) : "memory");
    check_eq("the highest offset of a load", v, 0x1234567890abcdef);
    asm volatile("sd %1, -2048(%0)" : : "r"(p + 2048 + 16), "r"(77ul) : "memory");
    check_eq("the lowest offset of a store", memory[2], 77);
    asm volatile("sd %1, 2047(%0)" : : "r"(p - 2047 + 16), "r"(78ul) : "memory");
    check_eq("the highest offset of a store", memory[2], 78);
    v = (uint64_t)p;
    asm volatile("ld %0, (%0)" : "+r"(v) : : "memory");
    check_eq("a load may overwrite its own base", v, 0x1234567890abcdef);
}

#define TAKEN(text, a, b)                                                                          \
    ({                                                                                             \
        uint64_t v_ = 0;                                                                           \
        asm volatile(text " %1, %2, 1f; j 2f; 1: li %0, 1; 2:"                                     \
                     : "+r"(v_)                                                                    \
                     : "r"((uint64_t)(a)), "r"((uint64_t)(b)));                                    \
        v_ == 1;                                                                                   \
    })

static void branches(void)
{
    static const uint64_t values[] = {0, 1, 0x7fffffffffffffff, 0x8000000000000000, ~0ull};
    /* Row a, column b: whether a < b, signed and unsigned; the rows' order is that of values. */
    static const uint8_t less[5] = {0x06, 0x04, 0x00, 0x17, 0x07};
    static const uint8_t below[5] = {0x1e, 0x1c, 0x18, 0x10, 0x00};
    for (unsigned a = 0; a < 5; a++) {
        for (unsigned b = 0; b < 5; b++) {
            check("beq", TAKEN("beq", values[a], values[b]) == (a == b));
            check("bne", TAKEN("bne", values[a], values[b]) == (a != b));
            check("blt", TAKEN("blt", values[a], values[b]) == (less[a] >> b & 1));
            check("bge", TAKEN("bge", values[a], values[b]) == !(less[a] >> b & 1));
            check("bltu", TAKEN("bltu", values[a], values[b]) == (below[a] >> b & 1));
            check("bgeu", TAKEN("bgeu", values[a], values[b]) == !(below[a] >> b & 1));
        }
    }
    uint64_t n = 0, i = 1000;
    asm volatile("1: addi %0, %0, 3; addi %1, %1, -1; bnez %1, 1b" : "+r"(n), "+r"(i));
    check_eq("a loop backwards runs its 1000 rounds", n, 3000);
}

static void far_branches(void)
{
    uint64_t v = 0;
    asm volatile(".option push; .option norvc;"
                 "beq zero, zero, 1f; li %0, 9; .skip 4080; 1: addi %0, %0, 1;"
                 "j 3f; 2: addi %0, %0, 2; j 4f; .skip 4072; 3: beq zero, zero, 2b; li %0, 9; 4:"
                 ".option pop"
                 : "+r"(v));
    check_eq("branches reach almost 4 KiB forwards and backwards", v, 3);
}

static void jumps(void)
{
    uint64_t link, here, v = 0;
    asm volatile(".option push; .option norvc; .balign 4;"
                 "jal %0, 1f; 2: j 3f; 1: la %1, 2b; jalr zero, 0(%0); 3: .option pop"
                 : "=&r"(link), "=&r"(here));
    check_eq("jal links the next instruction", link, here);
    asm volatile("la %0, 1f; addi %0, %0, -5; jalr %0, 5(%0); 1: la %1, 1b"
                 : "=&r"(link), "=&r"(here));
    check_eq("jalr with rd = rs1 jumps to the old value and links", link, here);
    asm volatile("la %0, 1f; addi %0, %0, 1; jalr %1, 0(%0); addi %1, %1, 9; 1:"
                 : "=&r"(here), "=&r"(link));
    check("jalr clears bit 0 of the target", link + 4 == here - 1 || link + 2 == here - 1);
    asm volatile("jal zero, 1f; li %0, 9; .skip 100000; 1: addi %0, %0, 1" : "+r"(v));
    check_eq("jal reaches 100 kB", v, 1);
    asm volatile("li %0, 0; li t0, 5; 1: jal t1, 2f; addi t0, t0, -1; bnez t0, 1b; j 3f;"
                 "2: addi %0, %0, 1; jr t1; 3:"
                 : "=&r"(v)
                 :
                 : "t0", "t1");
    check_eq("calls and returns in a loop", v, 5);
}

static void upper(void)
{
    uint64_t v, w;
    asm volatile("lui %0, 0x80000" : "=r"(v));
    check_eq("lui sign-extends", v, 0xffffffff80000000);
    asm volatile("lui %0, 0x7ffff" : "=r"(v));
    check_eq("lui clears the low 12 bits", v, 0x7ffff000);
    asm volatile("1: auipc %0, 0; la %1, 1b" : "=&r"(v), "=&r"(w));
    check_eq("auipc adds to its own address", v, w);
    asm volatile("1: auipc %0, 0xfffff; la %1, 1b" : "=&r"(v), "=&r"(w));
    check_eq("auipc subtracts with a negative immediate", v, w - 4096);
}

static void zero(void)
{
    uint64_t v, memory = 55;
    asm volatile("li t0, 7; .word 0x00028033; mv %0, zero" : "=r"(v) : : "t0"); /* add x0, t0, x0 */
    check_eq("writes of x0 are lost", v, 0);
    asm volatile("ld zero, (%1); mv %0, zero" : "=r"(v) : "r"(&memory) : "memory");
    check_eq("a load to x0 as well", v, 0);
    asm volatile("amoadd.d zero, %2, (%1); mv %0, zero"
                 : "=r"(v)
                 : "r"(&memory), "r"(5ul)
                 : "memory");
    check_eq("an atomic to x0 as well", v, 0);
    check_eq("but it works on memory", memory, 60);
}

int main(void)
{
    arithmetic();
    loads_and_stores();
    branches();
    far_branches();
    jumps();
    upper();
    zero();
    asm volatile("fence; fence rw, rw; fence.tso; fence iorw, iorw" : : : "memory");
    check("fences go on", true);
    return 0;
}

/* LR and SC: what breaks a reservation and what does not, on one hart. */
#include "tests/isa/lib/rt.h"

static uint64_t memory[1024] __attribute__((aligned(4096)));

/* lr.d of p, some assembly with %[q], sc.d of p: 0 if sc succeeded. */
#define BETWEEN(text, p, other)                                                                    \
    ({                                                                                             \
        uint64_t fail_;                                                                            \
        asm volatile("lr.d t0, (%1);" text "; sc.d %0, %2, (%1)"                                   \
                     : "=&r"(fail_)                                                                \
                     : "r"(p), "r"(77ul), [q] "r"(other)                                           \
                     : "t0", "t1", "memory");                                                      \
        fail_;                                                                                     \
    })

int main(void)
{
    check_eq("a short sequence of integer instructions succeeds",
             BETWEEN("addi t0, t0, 1; xor t0, t0, t0; beqz t0, 1f; nop; 1:", memory, memory), 0);
    check_eq("its store is there", memory[0], 77);
    memory[0] = 5;
    asm volatile("li t0, 200; 1: lr.d t1, (%0); addi t1, t1, 1; sc.d t1, t1, (%0); bnez t1, 1b;"
                 "addi t0, t0, -1; bnez t0, 1b"
                 :
                 : "r"(memory)
                 : "t0", "t1", "memory");
    check_eq("200 increments", memory[0], 205);
    check("sc after sc to another address fails",
          BETWEEN("sc.d t1, t0, (%[q])", memory, memory + 512) != 0);
    check("a later lr moves the reservation",
          BETWEEN("lr.d t1, (%[q])", memory, memory + 512) != 0);
    uint64_t fail = 9, v = 0;
    asm volatile("sc.d %0, %2, (%1)" : "=&r"(fail) : "r"(memory), "r"(1ul) : "memory");
    check("sc without lr fails", fail != 0);
    asm volatile("lr.w %0, (%2); sc.w %1, %3, (%2)"
                 : "=&r"(v), "=&r"(fail)
                 : "r"((uint32_t *)memory + 1), "r"(3ul)
                 : "memory");
    check_eq("the high word of a doubleword", memory[0] >> 32, 3);
    check_eq("sc.w of it succeeds", fail, 0);
    check_eq("1 tells failure", BETWEEN("sc.d zero, t0, (%[q])", memory, memory + 512), 1);
    return 0;
}

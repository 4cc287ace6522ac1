/* Zfh and Zfhmin: half precision against rows of the model in every rounding mode; NaN boxing,
 * moves and memory. */
#include "tests/isa/lib/rows.h"

static void operations(void)
{
#include "rows/zfh.h"
}

static void boxing(void)
{
    uint64_t got;
    asm volatile("fmv.d.x fa0, %1; fadd.h fa1, fa0, fa0; fmv.x.d %0, fa1"
                 : "=r"(got)
                 : "r"(0xffffffff00003c00ull)
                 : "fa0", "fa1");
    check_eq("a half that is not boxed is the canonical NaN", got, 0xffffffffffff7e00);
    asm volatile("fmv.d.x fa0, %1; fmv.x.h %0, fa0" : "=r"(got) : "r"(0x12348001ull) : "fa0");
    check_eq("fmv.x.h moves the low 16 bits and sign-extends them", got, 0xffffffffffff8001);
    asm volatile("fmv.h.x fa0, %1; fmv.x.d %0, fa0" : "=r"(got) : "r"(0x12340001ull) : "fa0");
    check_eq("fmv.h.x boxes", got, 0xffffffffffff0001);
}

static void memory_access(void)
{
    uint64_t got;
    uint16_t memory[4] = {0x7d01, 0x1111, 0x2222, 0x3333};
    asm volatile("flh fa0, (%1); fsh fa0, 4(%1); fmv.x.d %0, fa0"
                 : "=&r"(got)
                 : "r"(memory)
                 : "fa0", "memory");
    check_eq("flh boxes and keeps a signalling NaN", got, 0xffffffffffff7d01);
    check_eq("fsh stores 16 bits", memory[2], 0x7d01);
    check_eq("and no more", memory[1] << 16 | memory[3], 0x11113333);
}

int main(void)
{
    csr_set(mstatus, 3ull << 13);
    operations();
    boxing();
    memory_access();
    return 0;
}

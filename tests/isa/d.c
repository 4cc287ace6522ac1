/* D: double precision against rows of the model in every rounding mode; moves and memory. */
#include "tests/isa/lib/rows.h"

static void operations(void)
{
#include "rows/d.h"
}

static void moves(void)
{
    uint64_t got, memory[2] = {0x7ff0000000000001, 0};
    asm volatile("fld fa0, (%1); fsd fa0, 8(%1); fmv.x.d %0, fa0"
                 : "=r"(got)
                 : "r"(memory)
                 : "fa0", "memory");
    check_eq("fld and fmv.x.d keep a signalling NaN", got, 0x7ff0000000000001);
    check_eq("fsd stores it", memory[1], 0x7ff0000000000001);
    asm volatile("fmv.d.x fa0, %1; fneg.d fa1, fa0; fabs.d fa2, fa1; fmv.x.d %0, fa2"
                 : "=r"(got)
                 : "r"(0x7ff0000000000001ull)
                 : "fa0", "fa1", "fa2");
    check_eq("sign injection does not make NaNs quiet", got, 0x7ff0000000000001);
    csr_write(fflags, 0);
    asm volatile("fmv.d.x fa0, %1; fcvt.d.s fa1, fa0; fmv.x.d %0, fa1"
                 : "=r"(got)
                 : "r"(0x3f800000ull)
                 : "fa0", "fa1");
    check_eq("fcvt.d.s of an unboxed value is the canonical NaN", got, 0x7ff8000000000000);
    check_eq("and raises nothing", csr_read(fflags), 0);
}

static void flags_accumulate(void)
{
    csr_write(fflags, 0x10);
    asm volatile("fmv.d.x fa0, %0; fmv.d.x fa1, %1; fdiv.d fa0, fa0, fa1"
                 :
                 : "r"(0x3ff0000000000000ull), "r"(0x4008000000000000ull)
                 : "fa0", "fa1");
    check_eq("flags accumulate", csr_swap(fflags, 0), 0x11);
    check_eq("and stay away when cleared", csr_read(fflags), 0);
}

int main(void)
{
    operations();
    moves();
    flags_accumulate();
    return 0;
}

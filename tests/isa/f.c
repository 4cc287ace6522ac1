/* F: single precision against rows of the model in every rounding mode; fcsr, NaN boxing, FS. */
#include "tests/isa/lib/rows.h"

static void operations(void)
{
#include "rows/f.h"
}

static void boxing(void)
{
    uint64_t got;
    asm volatile("fmv.d.x fa0, %1; fmv.s fa1, fa0; fmv.x.d %0, fa1"
                 : "=r"(got)
                 : "r"(0x123456783f800000ull)
                 : "fa0", "fa1");
    check_eq("fsgnj.s takes a value that is not boxed as the canonical NaN", got,
             0xffffffff7fc00000);
    asm volatile("fmv.d.x fa0, %1; fmv.x.w %0, fa0"
                 : "=r"(got)
                 : "r"(0x1234567880000001ull)
                 : "fa0");
    check_eq("fmv.x.w moves the low half and sign-extends it", got, 0xffffffff80000001);
    asm volatile("fmv.w.x fa0, %1; fmv.x.d %0, fa0"
                 : "=r"(got)
                 : "r"(0x1234567800000001ull)
                 : "fa0");
    check_eq("fmv.w.x boxes", got, 0xffffffff00000001);
    uint32_t memory[2] = {0x7fa00001, 0};
    asm volatile("flw fa0, (%1); fmv.x.d %0, fa0" : "=r"(got) : "r"(memory) : "fa0", "memory");
    check_eq("flw boxes and keeps a signalling NaN as it is", got, 0xffffffff7fa00001);
    asm volatile("fmv.d.x fa0, %1; fsw fa0, 4(%0)"
                 :
                 : "r"(memory), "r"(0x1234567887654321ull)
                 : "fa0", "memory");
    check_eq("fsw stores the low half whatever is above", memory[1], 0x87654321);
    csr_write(fflags, 0);
    asm volatile("fmv.d.x fa0, %1; fadd.s fa0, fa0, fa0; fmv.x.d %0, fa0"
                 : "=r"(got)
                 : "r"(0x3f800000ull)
                 : "fa0");
    check_eq("fadd.s of an unboxed value is the canonical NaN", got, 0xffffffff7fc00000);
    check_eq("and raises nothing", csr_read(fflags), 0);
}

static void rounding_modes(void)
{
    for (unsigned rm = 5; rm < 8; rm++) {
        csr_write(frm, rm);
        PROBE("fadd.s fa0, fa0, fa0, dyn", "r"(0));
        check("a dynamic rounding mode of 5 to 7 is illegal", self()->cause == ILLEGAL);
        traps_reset();
        PROBE("fsgnj.s fa0, fa0, fa0; fmv.x.w x0, fa0", "r"(0));
        check_no_trap("but not for an instruction that has no rounding mode");
    }
    csr_write(frm, 0);
    PROBE(".word 0x00a57553", "r"(0)); /* fadd.s fa0, fa0, fa0 with rm = 7 (dyn) */
    check_no_trap("dyn with frm = 0 is legal");
    PROBE(".word 0x00a55553", "r"(0)); /* rm = 5 */
    check("a static rounding mode of 5 is illegal", self()->cause == ILLEGAL);
    traps_reset();
    csr_write(fcsr, 0xff);
    check_eq("frm is bits 7 to 5 of fcsr", csr_read(frm), 7);
    check_eq("fflags is bits 4 to 0 of fcsr", csr_read(fflags), 0x1f);
    csr_write(frm, 2);
    csr_write(fflags, 5);
    check_eq("fcsr is made of frm and fflags", csr_read(fcsr), 0x45);
    csr_write(fcsr, ~0ull);
    check_eq("the other bits of fcsr are 0", csr_read(fcsr), 0xff);
    csr_write(fcsr, 0);
}

static void dynamic_mode(void)
{
    static const uint64_t want[5] = {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800000};
    for (unsigned rm = 0; rm < 5; rm++) {
        uint64_t got;
        csr_write(frm, rm);
        asm volatile("fmv.w.x fa0, %1; fmv.w.x fa1, %2; fadd.s fa0, fa0, fa1, dyn; fmv.x.w %0, fa0"
                     : "=r"(got)
                     : "r"(0x3f800000), "r"(0x33000000)
                     : "fa0", "fa1");
        check_eq("dyn rounds as frm says", got, want[rm]);
    }
    csr_write(fcsr, 0);
}

static uint64_t fs(void)
{
    return csr_read(mstatus) >> 13 & 3;
}

static void state(void)
{
    csr_clear(mstatus, MSTATUS_FS);
    PROBE("fadd.s fa0, fa0, fa0", "r"(0));
    check("an instruction is illegal when FS is off", self()->cause == ILLEGAL);
    traps_reset();
    PROBE("csrr t2, fcsr", "r"(0));
    check("so is fcsr", self()->cause == ILLEGAL);
    traps_reset();
    PROBE("flw fa0, (sp)", "r"(0));
    check("so is a load", self()->cause == ILLEGAL);
    traps_reset();
    csr_set(mstatus, 1ull << 13);
    check("SD is 0 when FS is initial", !(csr_read(mstatus) & MSTATUS_SD));
    asm volatile("fmv.w.x fa0, zero" : : : "fa0");
    check_eq("writing an f register makes FS dirty", fs(), 3);
    check("SD tells it", csr_read(mstatus) & MSTATUS_SD);
    csr_clear(mstatus, 1ull << 13);
    check_eq("FS can be made clean", fs(), 2);
    csr_write(fflags, 0);
    check_eq("writing fflags makes FS dirty", fs(), 3);
    csr_clear(mstatus, 1ull << 13);
    asm volatile("fsw fa0, -8(sp)" : : : "memory");
    check_eq("a store leaves FS clean", fs(), 2);
    csr_set(mstatus, MSTATUS_FS);
}

int main(void)
{
    operations();
    boxing();
    rounding_modes();
    dynamic_mode();
    state();
    return 0;
}

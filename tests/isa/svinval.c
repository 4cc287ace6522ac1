/* Svinval: sinval.vma between its two fences works as sfence.vma; who may use it. */
#include "tests/isa/lib/paging.h"

#define RWAD (PTE_R | PTE_W | PTE_A | PTE_D)

static uint64_t data[1024] __attribute__((aligned(8192)));

static void invalidate(uint64_t va)
{
    asm volatile(".word 0x18000073;"                  /* sfence.w.inval */
                 ".insn r 0x73, 0, 0x0b, x0, %0, x0;" /* sinval.vma va, x0 */
                 ".word 0x18100073"                   /* sfence.inval.ir */
                 :
                 : "r"(va)
                 : "memory");
}

extern const char sinval[], inval_w[], inval_ir[];
asm(".text; .balign 4; sinval: .insn r 0x73, 0, 0x0b, x0, x0, x0; ecall;"
    "inval_w: .word 0x18000073; ecall; inval_ir: .word 0x18100073; ecall");

static bool legal(unsigned priv, const char *code)
{
    enter(priv, (uint64_t)code, 0, 0);
    bool ok = self()->cause != ILLEGAL;
    traps_reset();
    return ok;
}

int main(void)
{
    struct space *s = space_new(SV39);
    const uint64_t va = 0x200000;
    map(s, va, (uint64_t)data, RWAD);
    space_use(s);
    data[0] = 1;
    data[512] = 2;
    check_eq("before", load_as(S, va, 8), 1);
    map(s, va, (uint64_t)data + 4096, RWAD);
    invalidate(va);
    check_eq("sinval.vma", load_as(S, va, 8), 2);
    space_use(NULL);
    check("S may use all three", legal(S, sinval) && legal(S, inval_w) && legal(S, inval_ir));
    check("U may not use sinval.vma", !legal(U, sinval));
    if (on_qemu72()) {
        skip("the fences in U-mode: QEMU 7.2 allows them");
    } else {
        check("nor sfence.w.inval", !legal(U, inval_w));
        check("nor sfence.inval.ir", !legal(U, inval_ir));
    }
    csr_set(mstatus, MSTATUS_TVM);
    check("with TVM S may not use sinval.vma", !legal(S, sinval));
    check("but the fences", legal(S, inval_w) && legal(S, inval_ir));
    csr_clear(mstatus, MSTATUS_TVM);
    return 0;
}

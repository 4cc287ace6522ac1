/* What an emulator that caches decoded code may get wrong: one piece of code at two addresses, code
 * under changed translation, permission, FS or rounding mode, jumps that were followed before. */
#include "tests/isa/lib/paging.h"

#define RXAD (PTE_R | PTE_X | PTE_A | PTE_D)

extern const char where[], calls[], page_a[], page_b[], fp_code[], loop_code[];
asm(".text; .balign 4096; .option push; .option norvc;"
    /* Its own address, by auipc, jal and jalr. */
    "where: auipc a0, 0; jal a1, 1f; 1: sub a1, a1, a0; la t0, 2f; jalr a2, 0(t0);"
    "2: sub a2, a2, a0; add a1, a1, a2; ecall;"
    "fp_code: fmv.w.x fa0, a0; fadd.s fa0, fa0, fa0; fmv.x.w a0, fa0; ecall;"
    "loop_code: li a0, 0; 1: addi a0, a0, 1; bne a0, a1, 1b; ecall;"
    /* Calls the function at a0 ten times by one jalr. */
    "calls: mv s0, a0; li s1, 10; li a0, 0; 1: jalr ra, 0(s0); addi s1, s1, -1; bnez s1, 1b; ecall;"
    ".balign 4096; page_a: addi a0, a0, 1; ret; .balign 4096; page_b: addi a0, a0, 100; ret;"
    ".balign 4096; .option pop");

static void two_addresses(void)
{
    struct space *s = space_new(SV39);
    const uint64_t first = 0x40000000, second = 0x2800000000;
    map(s, first, (uint64_t)where, RXAD);
    map(s, second, (uint64_t)where, RXAD);
    space_use(s);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t va = i & 1 ? second : first;
        check_eq("code at two virtual addresses knows where it is", enter(S, va, 0, 0), va);
    }
    check_eq("and at its physical one", (space_use(NULL), enter(M, (uint64_t)where, 0, 0)),
             (uint64_t)where);
    traps_reset();
}

static void target_remapped(void)
{
    struct space *s = space_new(SV39);
    const uint64_t caller = 0x40000000 | ((uint64_t)calls & 4095), callee = 0x40200000;
    map(s, caller & ~4095ull, (uint64_t)where, RXAD);
    map(s, callee, (uint64_t)page_a, RXAD);
    space_use(s);
    check_eq("ten calls", enter(S, caller, callee, 0), 10);
    map(s, callee, (uint64_t)page_b, RXAD);
    asm volatile("sfence.vma %0" : : "r"(callee) : "memory");
    check_eq("the same calls when their target is another page", enter(S, caller, callee, 0), 1000);
    traps_reset();
    *entry(s, callee, 0) = 0;
    sfence();
    enter(S, caller, callee, 0);
    check_trap("the same calls when it is gone", FETCH_PAGE, callee);
    map(s, callee, (uint64_t)page_a, PTE_R | PTE_A | PTE_D);
    sfence();
    enter(S, caller, callee, 0);
    check_trap("the same calls when it may not be run", FETCH_PAGE, callee);
    map(s, callee, (uint64_t)page_a, RXAD | PTE_U);
    sfence();
    enter(S, caller, callee, 0);
    check_trap("the same calls when it is the user's", FETCH_PAGE, callee);
    space_use(NULL);
}

static void spaces_switched(void)
{
    struct space *s = space_new(SV39);
    struct space twin = {SV39, page_new()};
    const uint64_t caller = 0x40000000 | ((uint64_t)calls & 4095), callee = 0x40200000;
    map(s, caller & ~4095ull, (uint64_t)where, RXAD);
    map(&twin, caller & ~4095ull, (uint64_t)where, RXAD);
    map(s, callee, (uint64_t)page_a, RXAD);
    map(&twin, callee, (uint64_t)page_b, RXAD);
    sfence();
    for (unsigned i = 0; i < 6; i++) {
        uint64_t root = (uint64_t)(i & 1 ? twin.root : s->root);
        csr_write(satp, (uint64_t)SV39 << 60 | (uint64_t)(1 + (i & 1)) << 44 | root >> 12);
        check_eq("one call in two address spaces", enter(S, caller, callee, 0), i & 1 ? 1000 : 10);
    }
    space_use(NULL);
    traps_reset();
}

static void floating_point_context(void)
{
    for (unsigned round = 0; round < 2; round++) {
        csr_set(mstatus, MSTATUS_FS);
        csr_write(fcsr, 0);
        check_eq("floating-point code with FS on", enter(S, (uint64_t)fp_code, 0x3f800000, 0),
                 0x40000000);
        traps_reset();
        csr_clear(mstatus, MSTATUS_FS);
        enter(S, (uint64_t)fp_code, 0x3f800000, 0);
        check("the same code with FS off is illegal", self()->cause == ILLEGAL);
        check_eq("at its first instruction", self()->epc, (uint64_t)fp_code);
        traps_reset();
        csr_set(mstatus, MSTATUS_FS);
        csr_write(frm, 5);
        enter(S, (uint64_t)fp_code, 0x3f800000, 0);
        check("the same code with a reserved rounding mode is illegal", self()->cause == ILLEGAL);
        check_eq("where it rounds", self()->epc, (uint64_t)fp_code + 4);
        csr_write(fcsr, 0);
        traps_reset();
    }
}

static void written_from_elsewhere(void)
{
    struct space *s = space_new(SV39);
    uint32_t *page = page_new();
    const uint64_t run = 0x40000000, write = 0x40200000;
    map(s, run, (uint64_t)page, RXAD);
    map(s, write, (uint64_t)page, PTE_R | PTE_W | PTE_A | PTE_D);
    space_use(s);
    for (unsigned i = 0; i < 5; i++) {
        store_as(S, write, 4, 0x00000513u | i << 20); /* li a0, i */
        store_as(S, write + 4, 4, 0x00000073);
        asm volatile("fence.i" : : : "memory");
        check_eq("code that was written through another address", enter(S, run, 9, 0), i);
    }
    space_use(NULL);
    traps_reset();
}

static void long_loop(void)
{
    check_eq("a loop of a million rounds", enter(S, (uint64_t)loop_code, 0, 1000000), 1000000);
    traps_reset();
}

int main(void)
{
    two_addresses();
    target_remapped();
    spaces_switched();
    floating_point_context();
    written_from_elsewhere();
    long_loop();
    return 0;
}

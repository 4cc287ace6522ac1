/* Interrupts: enables, priorities, vectored mode, delegation, software interrupts by the CLINT. */
#include "tests/isa/lib/rt.h"

/* Lets interrupts in for some instructions; true when one was taken (its cause is in self()). */
static bool let_in(void)
{
    traps_reset();
    PROBE("csrsi mstatus, 8; nop; nop; nop; nop; csrci mstatus, 8", "r"(0));
    return traps() == 1;
}

static void software(void)
{
    csr_write(mie, 0);
    MSIP(0) = 1;
    check("msip sets MSIP", csr_read(mip) & 8);
    check_eq("msip reads back", MSIP(0), 1);
    check("not taken when mie.MSIE is off", !let_in());
    csr_write(mie, 8);
    check("not taken when mstatus.MIE is off", traps() == 0);
    check("taken when both are on", let_in());
    check_trap("as a machine software interrupt", INTERRUPT(3), 0);
    MSIP(0) = 0;
    check("msip = 0 clears MSIP", !(csr_read(mip) & 8));
    check("nothing is taken any more", !let_in());
    MSIP(0) = 0xfffffffe;
    check_eq("only bit 0 of msip counts", MSIP(0), 0);
    csr_write(mie, 0);
}

static void exactness(void)
{
    MSIP(0) = 1;
    csr_write(mie, 8);
    uint64_t a = 0;
    asm volatile(PROBE_BEGIN "csrsi mstatus, 8; addi %0, %0, 1" PROBE_END
                 : "+r"(a)
                 :
                 : "t0", "t1", "memory");
    check_eq("it is taken right behind the instruction that lets it in", a, 0);
    check("with mepc at the next one", self()->cause == INTERRUPT(3));
    MSIP(0) = 0;
    csr_write(mie, 0);
    traps_reset();
}

static void exactness_of_devices(void)
{
    uint64_t a = 0;
    csr_write(mie, 8);
    csr_set(mstatus, MSTATUS_MIE);
    asm volatile(PROBE_BEGIN "li t1, 1; sw t1, (%1); .rept 64; addi %0, %0, 1; .endr" PROBE_END
                 : "+r"(a)
                 : "r"(&MSIP(0))
                 : "t0", "t1", "memory");
    csr_clear(mstatus, MSTATUS_MIE);
    check_eq("a store to msip interrupts right behind it", a, 0);
    MSIP(0) = 0;
    traps_reset();
    csr_write(mie, 0);
}

/* A vector table whose entries say in a0 which one was entered. */
extern const char vectors_marked[];
asm(".text; .balign 256; vectors_marked: .option push; .option norvc;"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15; j 1f + 8 * \\n; .endr;"
    "1: .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15; li t2, 100 + \\n; j 2f; .endr;"
    "2: la t0, trap_entry; jr t0; .option pop");

static uint64_t vector_of(uint64_t pending, uint64_t enabled)
{
    uint64_t old = csr_swap(mtvec, (uint64_t)vectors_marked | 1);
    csr_write(mie, enabled);
    csr_set(mip, pending);
    traps_reset();
    uint64_t t2 = PROBE_T2(0, "csrsi mstatus, 8; nop; csrci mstatus, 8", "r"(0));
    csr_clear(mip, pending);
    csr_write(mie, 0);
    csr_write(mtvec, old);
    return t2;
}

static void vectored(void)
{
    check_eq("supervisor software interrupt: vector 1", vector_of(2, 2), 101);
    check_eq("supervisor timer interrupt: vector 5", vector_of(0x20, 0x20), 105);
    check_eq("supervisor external interrupt: vector 9", vector_of(0x200, 0x200), 109);
    MSIP(0) = 1;
    check_eq("machine software interrupt: vector 3", vector_of(0, 8), 103);
    MTIMECMP(0) = 0;
    check_eq("machine timer interrupt: vector 7", vector_of(0, 0x80), 107);
    traps_reset();
    uint64_t old = csr_swap(mtvec, (uint64_t)vectors_marked | 1);
    uint64_t t2 = PROBE_T2(0, "ecall", "r"(0));
    csr_write(mtvec, old);
    check_eq("exceptions go to the base", t2, 100);
    traps_reset();
}

static void priorities(void)
{
    /* MSIP and MTIP are pending from vectored(). */
    check_eq("software is before timer", vector_of(0x222, 0xaaa), 103);
    MSIP(0) = 0;
    check_eq("machine timer is before the supervisor's", vector_of(0x222, 0xaaa), 107);
    MTIMECMP(0) = ~0ull;
    check_eq("supervisor external is first of its three", vector_of(0x222, 0xaaa), 109);
    check_eq("then supervisor software", vector_of(0x022, 0xaaa), 101);
    check_eq("then the supervisor's timer", vector_of(0x020, 0xaaa), 105);
}

extern const char idle_u[], s_enable[], s_vectors[];
asm(".text; .balign 4; idle_u: .rept 16; nop; .endr; ecall;"
    "s_enable: csrsi sstatus, 2; .rept 16; nop; .endr; ecall;"
    ".balign 256; .option push; .option norvc; s_vectors: j 1f; j 2f; j 1f; j 1f; j 1f; j 3f;"
    "j 1f; j 1f; j 1f; j 4f; 1: li a0, 0; ecall; 2: li a0, 1; ecall; 3: li a0, 5; ecall;"
    "4: li a0, 9; ecall; .option pop");

static void supervisor(void)
{
    csr_write(stvec, (uint64_t)s_vectors | 1);
    csr_write(mideleg, 0x222);
    csr_write(mie, 0x222);
    csr_clear(mstatus, MSTATUS_SIE);
    csr_set(mip, 2);
    enter(S, (uint64_t)idle_u, 77, 0);
    check_eq("in S with SIE off nothing is taken", enter(S, (uint64_t)idle_u, 77, 0), 77);
    check_eq("in U it is taken whatever SIE is", enter(U, (uint64_t)idle_u, 77, 0), 1);
    check_eq("in S with SIE on it is taken", enter(S, (uint64_t)s_enable, 77, 0), 1);
    csr_clear(mstatus, MSTATUS_SIE);
    csr_clear(mip, 2);
    csr_set(mip, 0x200);
    check_eq("vectored stvec: external", enter(S, (uint64_t)s_enable, 77, 0), 9);
    csr_clear(mstatus, MSTATUS_SIE);
    csr_clear(mip, 0x200);
    csr_set(mip, 0x20);
    check_eq("vectored stvec: timer", enter(S, (uint64_t)s_enable, 77, 0), 5);
    csr_clear(mstatus, MSTATUS_SIE);
    traps_reset();
    PROBE("csrsi mstatus, 8; nop; nop; csrci mstatus, 8", "r"(0));
    check_no_trap("a delegated interrupt is never taken in M");
    csr_write(mideleg, 0);
    enter(S, (uint64_t)idle_u, 0, 0);
    check("one that is not delegated is taken in S whatever MIE is", self()->cause == INTERRUPT(5));
    csr_clear(mip, 0x20);
    csr_write(mie, 0);
    traps_reset();
}

int main(void)
{
    MTIMECMP(0) = ~0ull;
    software();
    exactness();
    vectored();
    if (on_qemu72()) {
        skip("priorities: QEMU 7.2 takes the lowest number first");
        skip("a store to msip: QEMU 7.2 looks at the end of its block");
        MSIP(0) = 0;
        MTIMECMP(0) = ~0ull;
    } else {
        priorities();
        exactness_of_devices();
    }
    supervisor();
    return 0;
}

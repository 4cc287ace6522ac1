/* Exceptions: causes, mepc, mtval, the status stack, delegation to S-mode, mret and sret. */
#include "tests/isa/lib/rt.h"

static void exceptions(void)
{
    PROBE("ecall", "r"(0));
    check_trap("ecall in M-mode", ECALL_M, 0);
    PROBE(".option push; .option norvc; ebreak; .option pop", "r"(0));
    check("ebreak raises breakpoint; mtval is 0 or its address",
          traps() == 1 && self()->cause == BREAKPOINT &&
              (self()->tval == 0 || self()->tval == self()->epc));
    traps_reset();
    PROBE(".word 0xffffffff", "r"(0));
    check("an unknown instruction is illegal; mtval is 0 or its bits",
          traps() == 1 && self()->cause == ILLEGAL &&
              (self()->tval == 0 || self()->tval == 0xffffffff));
    traps_reset();
    probe_load(0x400, 8);
    check_trap("a load where nothing is", LOAD_ACCESS, 0x400);
    probe_store(0x400, 4, 0);
    check_trap("a store where nothing is", STORE_ACCESS, 0x400);
    if (!on_qemu72()) { /* which takes it for a load */
        PROBE("amoadd.w t2, zero, (%0)", "r"(0x400ul));
        check_trap("an atomic where nothing is is a store", STORE_ACCESS, 0x400);
    }
    PROBE("lr.w t2, (%0)", "r"(0x400ul));
    check_trap("lr where nothing is is a load", LOAD_ACCESS, 0x400);
    enter(M, 0x400, 0, 0);
    check_trap("a fetch where nothing is", FETCH_ACCESS, 0x400);
    enter(M, 0x8000000000000000, 0, 0);
    check("a fetch from far away", traps() == 1 && self()->cause == FETCH_ACCESS);
    traps_reset();
    probe_load(0x87fffffb, 4); /* 128 MiB of RAM end at 0x88000000 */
    check_no_trap("a misaligned load just before the end of RAM");
    probe_load(0x87fffffe, 4);
    check_trap("over the end: tval is where memory ends", LOAD_ACCESS, 0x88000000);
}

static void precision(void)
{
    uint64_t a = 1, b = 2, c = 3;
    register uint64_t result asm("t2") = 5;
    asm volatile(PROBE_BEGIN "addi %1, %1, 10; ld t2, (zero); addi %2, %2, 10" PROBE_END
                 : "+r"(result), "+r"(a), "+r"(b)
                 :
                 : "t0", "t1", "memory");
    check_eq("what stands before a fault is done", a, 11);
    check_eq("what stands behind it is not", b, 2);
    check_eq("the faulting load leaves rd", result, 5);
    check("mepc is the load", (*(uint16_t *)self()->epc & 0x7f) == 0x03);
    traps_reset();
    result = 0x400;
    asm volatile(PROBE_BEGIN "ld t2, (t2)" PROBE_END : "+r"(result) : : "t0", "t1", "memory");
    check_eq("a faulting load leaves rd when it is the base", result, 0x400);
    traps_reset();
    asm volatile(PROBE_BEGIN "amoadd.d %0, %0, (zero)" PROBE_END
                 : "+r"(c)
                 :
                 : "t0", "t1", "memory");
    check_eq("a faulting atomic leaves rd", c, 3);
    traps_reset();
}

extern const char s_ecall[], s_mret[], s_illegal[], s_sret[], s_wfi[], s_satp[], s_sfence[],
    s_ebreak[];
asm(".text; .balign 4; s_ecall: ecall; s_mret: mret; s_illegal: .word 0; s_sret: sret;"
    "s_wfi: wfi; ecall; s_satp: csrr a0, satp; ecall; s_sfence: sfence.vma; ecall;"
    "s_ebreak: c.ebreak");

static void status_stack(void)
{
    csr_set(mstatus, MSTATUS_MPIE);
    csr_clear(mstatus, MSTATUS_MIE);
    enter(U, (uint64_t)s_ecall, 0, 0);
    check_eq("MPP holds where the trap came from: U", self()->status & MSTATUS_MPP, 0);
    check("MPIE holds what mret had restored", self()->status & MSTATUS_MPIE);
    check("MIE is off in the handler", !(self()->status & MSTATUS_MIE));
    check_trap("ecall from U", ECALL_U, 0);
    csr_clear(mstatus, MSTATUS_MPIE);
    enter(S, (uint64_t)s_ecall, 0, 0);
    check_eq("MPP: S", self()->status >> 11 & 3, S);
    check("MPIE again", !(self()->status & MSTATUS_MPIE));
    check_trap("ecall from S", ECALL_S, 0);
    csr_set(mstatus, MSTATUS_MPP);
    csr_set(mstatus, MSTATUS_MPRV);
    uint64_t before = csr_read(mstatus);
    enter(M, (uint64_t)s_ecall, 0, 0);
    check("mret to M keeps MPRV", before & self()->status & MSTATUS_MPRV);
    csr_set(mstatus, MSTATUS_MPP);
    csr_set(mstatus, MSTATUS_MPRV);
    traps_reset();
    enter(S, (uint64_t)s_ecall, 0, 0);
    if (!on_qemu72()) /* which keeps it */
        check("mret to a lower mode clears MPRV", !(self()->status & MSTATUS_MPRV));
    traps_reset();
}

static void illegal_by_mode(void)
{
    enter(S, (uint64_t)s_mret, 0, 0);
    check("mret in S is illegal", self()->cause == ILLEGAL);
    enter(U, (uint64_t)s_sret, 0, 0);
    check("sret in U is illegal", self()->cause == ILLEGAL);
    enter(U, (uint64_t)s_sfence, 0, 0);
    check("sfence.vma in U is illegal", self()->cause == ILLEGAL);
    csr_set(mstatus, MSTATUS_TSR);
    enter(S, (uint64_t)s_sret, 0, 0);
    check("sret in S is illegal with TSR", self()->cause == ILLEGAL);
    csr_clear(mstatus, MSTATUS_TSR);
    csr_set(mstatus, MSTATUS_TVM);
    enter(S, (uint64_t)s_satp, 0, 0);
    check("satp in S is illegal with TVM", self()->cause == ILLEGAL);
    enter(S, (uint64_t)s_sfence, 0, 0);
    check("sfence.vma in S is illegal with TVM", self()->cause == ILLEGAL);
    csr_clear(mstatus, MSTATUS_TVM);
    enter(S, (uint64_t)s_satp, 0, 0);
    check("satp in S is allowed without TVM", self()->cause == ECALL_S);
    enter(S, (uint64_t)s_sfence, 0, 0);
    check("sfence.vma in S is allowed without TVM", self()->cause == ECALL_S);
    csr_set(mstatus, MSTATUS_TW);
    enter(S, (uint64_t)s_wfi, 0, 0);
    check("wfi in S is illegal with TW", self()->cause == ILLEGAL);
    csr_clear(mstatus, MSTATUS_TW);
    traps_reset();
}

/* S-mode handler: tells what it sees through memory at sscratch, then goes to M by ecall. */
static volatile struct {
    uint64_t scause, sepc, stval, sstatus;
} seen;
extern const char s_handler[], s_return[];
asm(".text; .balign 4; s_handler: csrr a0, sscratch; csrr a1, scause; sd a1, 0(a0);"
    "csrr a1, sepc; sd a1, 8(a0); csrr a1, stval; sd a1, 16(a0); csrr a1, sstatus; sd a1, 24(a0);"
    "ecall;"
    ".balign 4; s_return: csrw sepc, a0; csrw sstatus, a1; sret");

static void delegation(void)
{
    csr_write(stvec, s_handler);
    csr_write(sscratch, &seen);
    csr_write(medeleg, 1 << ILLEGAL | 1 << BREAKPOINT | 1 << ECALL_U | 1 << LOAD_ACCESS);
    csr_set(mstatus, MSTATUS_SIE);
    enter(U, (uint64_t)s_ecall, 0, 0);
    check_trap("the delegated trap's handler runs in S", ECALL_S, 0);
    check_eq("scause", seen.scause, ECALL_U);
    check_eq("sepc", seen.sepc, (uint64_t)s_ecall);
    check_eq("SPP: U", seen.sstatus & MSTATUS_SPP, 0);
    check("SPIE holds SIE", seen.sstatus & MSTATUS_SPIE);
    check("SIE is off", !(seen.sstatus & MSTATUS_SIE));
    enter(S, (uint64_t)s_illegal, 0, 0);
    check_eq("an illegal instruction in S goes to S", seen.scause, ILLEGAL);
    check("SPP: S", seen.sstatus & MSTATUS_SPP);
    check("stval is 0 or the bits", seen.stval == 0);
    traps_reset();
    enter(U, (uint64_t)s_ebreak, 0, 0);
    check_eq("c.ebreak in U goes to S", seen.scause, BREAKPOINT);
    traps_reset();
    PROBE(".word 0xffffffff", "r"(0));
    check("a trap in M-mode is never delegated", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    csr_clear(medeleg, 1 << ECALL_U);
    enter(U, (uint64_t)s_ecall, 0, 0);
    check_trap("a trap that is not delegated goes to M", ECALL_U, 0);
    csr_write(medeleg, 0);
}

static void supervisor_return(void)
{
    csr_clear(mstatus, MSTATUS_SIE);
    enter(S, (uint64_t)s_return, (uint64_t)s_ecall, MSTATUS_SPIE);
    check_trap("sret with SPP = U goes to U", ECALL_U, 0);
    check("SIE is what SPIE was", csr_read(sstatus) & MSTATUS_SIE);
    check("SPIE is set", csr_read(sstatus) & MSTATUS_SPIE);
    enter(S, (uint64_t)s_return, (uint64_t)s_ecall, MSTATUS_SPP);
    check_trap("sret with SPP = S stays in S", ECALL_S, 0);
    check("SPP is U afterwards", !(csr_read(sstatus) & MSTATUS_SPP));
    check("SIE is off again", !(csr_read(sstatus) & MSTATUS_SIE));
    csr_clear(mstatus, MSTATUS_SIE);
}

int main(void)
{
    exceptions();
    precision();
    status_stack();
    illegal_by_mode();
    delegation();
    supervisor_return();
    return 0;
}

/* Zicsr: the six instructions, and the fields of the machine and supervisor registers. */
#include "tests/isa/lib/rt.h"

static void instructions(void)
{
    uint64_t v;
    csr_write(sscratch, 0xff00);
    asm volatile("csrrw %0, sscratch, %1" : "=r"(v) : "r"(0x0ff0ul));
    check_eq("csrrw gives the old value", v, 0xff00);
    asm volatile("csrrs %0, sscratch, %1" : "=r"(v) : "r"(0xf000ul));
    check_eq("csrrw has written", v, 0x0ff0);
    asm volatile("csrrc %0, sscratch, %1" : "=r"(v) : "r"(0x00f0ul));
    check_eq("csrrs has set bits", v, 0xfff0);
    asm volatile("csrrwi %0, sscratch, 21" : "=r"(v));
    check_eq("csrrc has cleared bits", v, 0xff00);
    asm volatile("csrrsi %0, sscratch, 10" : "=r"(v));
    check_eq("csrrwi has written", v, 21);
    asm volatile("csrrci %0, sscratch, 3" : "=r"(v));
    check_eq("csrrsi has set bits", v, 31);
    check_eq("csrrci has cleared bits", csr_read(sscratch), 28);
    v = 0x1234;
    asm volatile("csrrw %0, sscratch, %0" : "+r"(v));
    check_eq("csrrw with rd = rs1 swaps: register", v, 28);
    check_eq("csrrw with rd = rs1 swaps: csr", csr_read(sscratch), 0x1234);
    asm volatile("csrrw zero, sscratch, %0" : : "r"(77ul));
    check_eq("csrrw to x0 writes", csr_read(sscratch), 77);
}

static void permission(void)
{
    PROBE("csrr t2, 0x8ff", "r"(0));
    check("a csr that does not exist is illegal", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE("csrw mvendorid, %0", "r"(0ul));
    check("writing a read-only csr is illegal", traps() == 1 && self()->cause == ILLEGAL);
    traps_reset();
    PROBE("csrrs t2, mhartid, x0", "r"(0));
    check_no_trap("csrrs with x0 does not write");
    PROBE("csrrci t2, mhartid, 0", "r"(0));
    check_no_trap("csrrci with 0 does not write");
    if (on_qemu72()) {
        skip("csrrs of a value 0: QEMU 7.2 takes it for a read");
    } else {
        PROBE("csrrs t2, mhartid, %0", "r"(0ul));
        check("csrrs with another register writes, even the value 0", traps() == 1);
        traps_reset();
    }
    PROBE(".word 0xf1401073", "r"(0)); /* csrrw x0, mhartid, x0 */
    check("csrrw always writes", traps() == 1 && self()->cause == ILLEGAL);
    check("mtval of an illegal instruction is 0 or its bits",
          self()->tval == 0 || self()->tval == 0xf1401073);
    traps_reset();
}

extern const char read_mstatus[], read_sstatus[], read_cycle[];
asm(".text; .balign 4; read_mstatus: csrr a0, mstatus; ecall;"
    "read_sstatus: csrr a0, sstatus; ecall; read_cycle: csrr a0, cycle; ecall");

static void privilege(void)
{
    traps_reset();
    enter(S, (uint64_t)read_mstatus, 0, 0);
    check("S-mode may not read mstatus", self()->cause == ILLEGAL);
    check_eq("mepc is the instruction", self()->epc, (uint64_t)read_mstatus);
    enter(U, (uint64_t)read_sstatus, 0, 0);
    check("U-mode may not read sstatus", self()->cause == ILLEGAL);
    enter(S, (uint64_t)read_sstatus, 0, 0);
    check("S-mode may read sstatus", self()->cause == ECALL_S);
    traps_reset();
}

static void fields(void)
{
    /* B and H may be there. */
    check_eq("misa says RV64 with A C D F I M S U", csr_read(misa) & ~(1ull << 7 | 1ull << 1),
             0x800000000014112d);
    uint64_t old = csr_swap(mtvec, 0x80001001);
    check_eq("mtvec takes vectored mode", csr_swap(mtvec, old), 0x80001001);
    csr_write(mcause, INTERRUPT(7));
    check_eq("mcause holds the interrupt bit and a code", csr_read(mcause), INTERRUPT(7));
    csr_write(mtval, ~0ull);
    check_eq("mtval holds any value", csr_read(mtval), ~0ull);
    csr_write(stval, 0x123456789abcdef0);
    check_eq("stval holds any value", csr_read(stval), 0x123456789abcdef0);
    csr_write(medeleg, ~0ull);
    check_eq("page faults can", csr_read(medeleg) & 0xb000, 0xb000);
    csr_write(medeleg, 0);
    csr_write(mideleg, ~0ull);
    check_eq("supervisor interrupts can be delegated", csr_read(mideleg) & 0x222, 0x222);
    check_eq("machine interrupts cannot", csr_read(mideleg) & 0x888, 0);
    csr_write(mideleg, 0);
    csr_write(satp, 0);
    csr_write(satp, 15ull << 60 | 5);
    check_eq("satp ignores a write of an unknown mode", csr_read(satp), 0);
}

/* What QEMU 7.2 stores as it is written. */
static void legal_values(void)
{
    csr_write(mepc, ~0ull);
    check_eq("bit 0 of mepc is 0", csr_read(mepc), ~1ull);
    csr_write(sepc, ~0ull);
    check_eq("bit 0 of sepc is 0", csr_read(sepc), ~1ull);
    csr_write(medeleg, ~0ull);
    check("an ecall from M-mode cannot be delegated", !(csr_read(medeleg) >> ECALL_M & 1));
    csr_write(medeleg, 0);
    csr_clear(mstatus, MSTATUS_MPP);
    csr_set(mstatus, 2ull << 11);
    check("MPP never holds the reserved mode 2", (csr_read(mstatus) >> 11 & 3) != 2);
    csr_set(mstatus, MSTATUS_MPP);
    csr_write(pmpaddr15, ~0ull);
    check_eq("pmpaddr has 54 bits", csr_swap(pmpaddr15, 0), ~0ull >> 10);
}

static void mstatus_fields(void)
{
    csr_set(mstatus, MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE);
    check_eq("sstatus shows SUM, MXR, SPP, SPIE",
             csr_read(sstatus) & (MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE),
             MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE);
    check_eq("sstatus does not show machine fields",
             csr_read(sstatus) & (MSTATUS_MPP | MSTATUS_MIE | MSTATUS_MPRV | MSTATUS_TVM), 0);
    csr_clear(sstatus, MSTATUS_SUM | MSTATUS_MXR);
    check_eq("a write of sstatus changes mstatus", csr_read(mstatus) & (MSTATUS_SUM | MSTATUS_MXR),
             0);
    csr_set(sstatus, MSTATUS_TW | MSTATUS_TSR);
    check_eq("but not its machine fields", csr_read(mstatus) & (MSTATUS_TW | MSTATUS_TSR), 0);
    check_eq("SXL and UXL are 64 bits", csr_read(mstatus) >> 32 & 15, 10);
}

static void interrupt_views(void)
{
    csr_write(mie, 0xaaa);
    csr_write(mideleg, 0);
    check_eq("sie shows only delegated interrupts", csr_read(sie), 0);
    csr_write(mideleg, 0x222);
    check_eq("sie is a view of mie", csr_read(sie), 0x222);
    csr_write(sie, 0x020);
    check_eq("a write of sie leaves the machine bits", csr_read(mie), 0x8a8);
    csr_write(sip, 2);
    check_eq("SSIP can be set through sip", csr_read(mip) & 2, 2);
    csr_write(sip, 0);
    check_eq("and cleared", csr_read(mip) & 2, 0);
    csr_set(mip, 0x220);
    check_eq("STIP and SEIP can be set through mip", csr_read(sip) & 0x220, 0x220);
    csr_clear(sip, 0x220);
    check_eq("but not cleared through sip", csr_read(mip) & 0x220, 0x220);
    csr_clear(mip, 0x220);
    MTIMECMP(0) = ~0ull;
    csr_set(mip, 0x888);
    check_eq("the machine's pending bits are read-only", csr_read(mip) & 0x888, 0);
    csr_write(mie, 0);
    csr_write(mideleg, 0);
}

int main(void)
{
    instructions();
    permission();
    privilege();
    fields();
    if (on_qemu72())
        skip("legal values: QEMU 7.2 keeps what is written");
    else
        legal_values();
    mstatus_fields();
    interrupt_views();
    return 0;
}

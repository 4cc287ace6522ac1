/* External interrupts: UART0 through the PLIC to M- and S-mode: enable, priority, threshold, claim
 * and complete. */
#include "tests/isa/lib/board.h"

enum { CONTEXT_M, CONTEXT_S };

static void machine_mode(void)
{
    PRIORITY(UART_IRQ) = 1;
    ENABLE(CONTEXT_M) = 1 << UART_IRQ;
    THRESHOLD(CONTEXT_M) = 0;
    check("nothing is pending", !(csr_read(mip) & 0x800));
    UART_IER = 2; /* transmitter empty */
    check("the UART raises MEIP", csr_read(mip) & 0x800);
    check("its pending bit is set", PENDING >> UART_IRQ & 1);
    THRESHOLD(CONTEXT_M) = 1;
    check("a threshold as high masks it", !(csr_read(mip) & 0x800));
    THRESHOLD(CONTEXT_M) = 0;
    PRIORITY(UART_IRQ) = 0;
    check("priority 0 means never", !(csr_read(mip) & 0x800));
    PRIORITY(UART_IRQ) = 7;
    csr_write(mie, 0x800);
    traps_reset();
    PROBE("csrsi mstatus, 8; nop; nop; csrci mstatus, 8", "r"(0));
    check_trap("it is taken", INTERRUPT(11), 0);
    check_eq("claim gives its number", CLAIM(CONTEXT_M), UART_IRQ);
    check("a claimed interrupt is not pending", !(csr_read(mip) & 0x800));
    check_eq("a second claim gives none", CLAIM(CONTEXT_M), 0);
    check_eq("the UART says why", UART_IIR & 15, 2);
    CLAIM(CONTEXT_M) = UART_IRQ;
    check("after completion nothing is pending: reading IIR was the answer",
          !(csr_read(mip) & 0x800));
    UART_IER = 0;
    ENABLE(CONTEXT_M) = 0;
    csr_write(mie, 0);
}

extern const char wait_s[], handler_s[];
asm(".text; .balign 4; wait_s: csrsi sstatus, 2; .rept 8; nop; .endr; li a0, 0; ecall;"
    ".balign 4; handler_s: csrr a0, scause; ecall");

static void supervisor_mode(void)
{
    ENABLE(CONTEXT_S) = 1 << UART_IRQ;
    THRESHOLD(CONTEXT_S) = 0;
    csr_write(stvec, handler_s);
    csr_write(mideleg, 0x200);
    csr_write(mie, 0x200);
    csr_clear(mstatus, MSTATUS_SIE);
    UART_IER = 2;
    check("SEIP is raised for the other context", csr_read(mip) & 0x200);
    check("and MEIP is not", !(csr_read(mip) & 0x800));
    check_eq("it is taken in S-mode", enter(S, (uint64_t)wait_s, 0, 0), INTERRUPT(9));
    check_eq("and claimed there", CLAIM(CONTEXT_S), UART_IRQ);
    UART_IER = 0;
    CLAIM(CONTEXT_S) = UART_IRQ;
    check("SEIP is gone", !(csr_read(mip) & 0x200));
    csr_write(mie, 0);
    csr_write(mideleg, 0);
    csr_clear(mstatus, MSTATUS_SIE);
    traps_reset();
}

int main(void)
{
    machine_mode();
    supervisor_mode();
    return 0;
}

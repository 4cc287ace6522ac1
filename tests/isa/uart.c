/* A driver that sends by interrupts and looks at LSR alone, never at IIR, as small kernels have it:
 * what is interrupted gets on, on the only hart there is. */
#include "tests/isa/lib/board.h"

#define BYTES 64

static volatile unsigned sent, interrupts, spurious;

/* One byte an interrupt; when all are sent, the last one finds nothing to do. */
static HANDLER void on_interrupt(void)
{
    uint32_t source = CLAIM(0);
    if (source != UART_IRQ) {
        spurious++;
        return;
    }
    interrupts++;
    if (UART_LSR & UART_LSR_THRE && sent < BYTES) {
        sent++;
        UART_THR = sent == BYTES ? '\n' : '.';
    }
    CLAIM(0) = source;
}

int main(void)
{
    PRIORITY(UART_IRQ) = 1;
    ENABLE(0) = 1 << UART_IRQ;
    THRESHOLD(0) = 0;
    csr_write(mtvec, on_interrupt);
    csr_write(mie, 0x800);
    csr_set(mstatus, MSTATUS_MIE);
    UART_IER = 2;
    for (unsigned i = 0; i < 10000000 && sent < BYTES; i++)
        ;
    for (unsigned i = 0; i < 10000; i++)
        asm volatile("");
    csr_clear(mstatus, MSTATUS_MIE);
    UART_IER = 0;
    csr_write(mtvec, trap_entry);
    check_eq("all bytes were sent", sent, BYTES);
    check_eq("by one interrupt each, and one that found nothing", interrupts, BYTES + 1);
    check_eq("each was claimed", spurious, 0);
    return 0;
}

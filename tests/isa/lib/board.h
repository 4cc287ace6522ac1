/* The interrupt controller and the UART of the board, for tests that take their interrupts. */
#ifndef ISA_BOARD_H
#define ISA_BOARD_H

#include "tests/isa/lib/rt.h"

#define PLIC               0xc000000ul
#define PRIORITY(source)   (*(volatile uint32_t *)(PLIC + 4 * (source)))
#define PENDING            (*(volatile uint32_t *)(PLIC + 0x1000))
#define ENABLE(context)    (*(volatile uint32_t *)(PLIC + 0x2000 + 0x80 * (context)))
#define THRESHOLD(context) (*(volatile uint32_t *)(PLIC + 0x200000 + 0x1000 * (context)))
#define CLAIM(context)     (*(volatile uint32_t *)(PLIC + 0x200004 + 0x1000 * (context)))
#define UART_IRQ           10
#define UART_IER           (*(volatile uint8_t *)(UART + 1))
#define UART_IIR           (*(volatile uint8_t *)(UART + 2))
#define UART_THR           (*(volatile uint8_t *)UART)
#define UART_LSR           (*(volatile uint8_t *)(UART + 5))
#define UART_LSR_THRE      0x20

/* A trap handler in C, which returns to where it came from; csr_write(mtvec, handler) installs it.
 */
#define HANDLER __attribute__((interrupt("machine"), aligned(4)))

#endif

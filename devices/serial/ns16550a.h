/* UART 16550A: one serial port with 16-byte receive FIFO and an instant transmitter. */
#ifndef RIVULET_DEVICES_SERIAL_NS16550A_H
#define RIVULET_DEVICES_SERIAL_NS16550A_H

#include "devices/device.h"

#define NS16550A_BYTES    0x100u
#define NS16550A_CLOCK_HZ 3686400u /* the device tree's clock-frequency */

struct ns16550a_config {
    struct irq irq;
    struct byte_sink sink; /* what the guest sends, byte by byte */
    const struct clock *clock;
    struct event_queue *events;
    struct log *log; /* NULL: none */
};

/* Copies config and registers an event; NULL when the host has no memory. ops->reset must be called
 * before first use. The event queue must not be used after ops->destroy. */
struct device *ns16550a_create(const struct ns16550a_config *config) MUST_CHECK;

/* Bytes arrive: takes as many as the FIFO has room for. An input_sink, with the struct device* as
 * its owner. Takes nothing in loopback mode. */
size_t ns16550a_receive(void *uart, const uint8_t *bytes, size_t n);

/* Takes up to n received bytes out of the FIFO, as reads of RBR do, for firmware that is part of
 * the emulator. Returns how many. */
size_t ns16550a_take_input(struct device *uart, uint8_t *to, size_t n);

#endif

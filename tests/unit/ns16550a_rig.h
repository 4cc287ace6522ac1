/* An NS16550A with a clock, an event queue, an irq line and a listener of the test's own. */
#ifndef RIVULET_TESTS_UNIT_NS16550A_RIG_H
#define RIVULET_TESTS_UNIT_NS16550A_RIG_H

#include "devices/serial/ns16550a.h"
#include "tests/unit/device_bench.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define THR RBR
#define FCR IIR

#define TRIGGER_1  0x01u /* FCR: FIFOs enabled */
#define TRIGGER_8  0x81u
#define TRIGGER_14 0xc1u

/* 8n1 with divisor 2: ten bits of 16 * 2 clocks, four times. */
#define TIMEOUT_NS (4 * 10 * 16 * 2 * 1000000000ull / NS16550A_CLOCK_HZ)

struct rig {
    struct bench_time time;
    struct wire irq;
    uint8_t sent[64];
    size_t sent_count;
    struct device *uart;
};

static inline void on_send(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = owner;
    for (size_t i = 0; i < n; i++)
        r->sent[r->sent_count++ % sizeof r->sent] = bytes[i];
}

static inline void rig_init(struct rig *r, struct log *log)
{
    *r = (struct rig){0};
    bench_time_init(&r->time);
    struct ns16550a_config config = {
        .irq = wire_to(&r->irq, 0),
        .sink = {.write = on_send, .owner = r},
        .clock = &r->time.clock,
        .events = &r->time.events,
        .log = log,
    };
    r->uart = ns16550a_create(&config);
    r->uart->ops->reset(r->uart);
}

static inline void rig_free(struct rig *r)
{
    r->uart->ops->destroy(r->uart);
}

static inline uint8_t get(struct rig *r, unsigned reg)
{
    return reg_read(r->uart, reg, 1);
}

static inline void put(struct rig *r, unsigned reg, uint8_t value)
{
    reg_write(r->uart, reg, value, 1);
}

static inline size_t arrive(struct rig *r, const char *text)
{
    return ns16550a_receive(r->uart, (const uint8_t *)text, strlen(text));
}

/* 8n1 at 115200, FIFOs as fcr says, received data interrupts. */
static inline void open_port(struct rig *r, uint8_t fcr)
{
    put(r, LCR, 0x80);
    put(r, RBR, 2);
    put(r, IER, 0);
    put(r, LCR, 0x03);
    put(r, FCR, fcr);
    put(r, IER, 0x01);
}

#endif

/* UART 16550A (National Semiconductor PC16550D data sheet; names are the data sheet's).
 *
 * The transmitter is instant: a byte written to THR is sent at once, so THR and the shift register
 * are always empty. The receiver takes from outside only what fits, so it overruns in loopback mode
 * alone. Parity, framing and break do not exist on this wire.
 *
 * Invariants: rx_count is at most the capacity; bytes of rx past rx_count are never looked at; the
 * irq level is a function of the guest state; the timeout event is armed only when the FIFO holds
 * something. A load drives no wire: the interrupt controller saves the level it was given. */
#include "devices/serial/ns16550a.h"

#include <inttypes.h>
#include <stdlib.h>

/* Offsets. LCR.DLAB puts the divisor latches DLL and DLM at 0 and 1. */
#define RBR 0
#define THR 0
#define IER 1
#define IIR 2
#define FCR 2
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

#define IER_RX    0x01u
#define IER_THRE  0x02u
#define IER_LINE  0x04u
#define IER_MODEM 0x08u
#define IER_MASK  0x0fu

#define IIR_NONE    0x01u
#define IIR_MODEM   0x00u
#define IIR_THRE    0x02u
#define IIR_RX      0x04u
#define IIR_TIMEOUT 0x0cu
#define IIR_LINE    0x06u
#define IIR_FIFOS   0xc0u

#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_TRIGGER  0xc0u

#define LCR_STOP   0x04u
#define LCR_PARITY 0x08u
#define LCR_BREAK  0x40u
#define LCR_DLAB   0x80u

#define MCR_DTR  0x01u
#define MCR_RTS  0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_DATA    0x01u
#define LSR_OVERRUN 0x02u
#define LSR_EMPTY   0x60u /* THRE and TEMT */

#define MSR_DELTAS 0x0fu
#define MSR_CTS    0x10u
#define MSR_DSR    0x20u
#define MSR_RI     0x40u
#define MSR_DCD    0x80u

#define FIFO_BYTES    16u
#define RESET_DIVISOR 12u

struct ns16550a {
    struct device device;
    /* --- guest state --- */
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t msr_deltas;
    uint16_t divisor;
    bool overrun;           /* LSR.OE */
    bool thre_pending;      /* the THRE interrupt, until IIR shows it */
    bool thre_seen;         /* LSR has been read since */
    bool timed_out;         /* the character timeout interrupt, until RBR is read */
    uint8_t rx[FIFO_BYTES]; /* oldest first */
    uint8_t rx_count;
    /* --- host side --- */
    struct ns16550a_config config;
    struct event timeout; /* its deadline is saved by the event queue */
};

static bool fifos_enabled(const struct ns16550a *u)
{
    return u->fcr & FCR_ENABLE;
}

static size_t rx_capacity(const struct ns16550a *u)
{
    return fifos_enabled(u) ? FIFO_BYTES : 1;
}

static unsigned rx_trigger(const struct ns16550a *u)
{
    const uint8_t levels[] = {1, 4, 8, 14};
    return fifos_enabled(u) ? levels[u->fcr >> 6] : 1;
}

/* --- interrupts --- */

/* The identification of the highest-priority interrupt (data sheet, table IV). */
static unsigned interrupt_id(const struct ns16550a *u, bool thre)
{
    if ((u->ier & IER_LINE) && u->overrun)
        return IIR_LINE;
    if ((u->ier & IER_RX) && u->rx_count >= rx_trigger(u))
        return IIR_RX;
    if ((u->ier & IER_RX) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && thre)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && u->msr_deltas)
        return IIR_MODEM;
    return IIR_NONE;
}

/* The wire of a THRE interrupt falls when LSR, too, has shown that THR is empty, though IIR goes on
 * showing it. By the data sheet it would stay high, and a driver that never reads IIR (xv6 until
 * 2023) would be interrupted for ever. On QEMU's board it is not, for the interrupt controller
 * there does not look at the wire again when a handler is done; ours does. */
static void update_irq(struct ns16550a *u)
{
    irq_set(&u->config.irq, interrupt_id(u, u->thre_pending && !u->thre_seen) != IIR_NONE);
}

static void raise_thre(struct ns16550a *u)
{
    u->thre_pending = true;
    u->thre_seen = false;
}

/* --- receiver --- */

/* Four characters of start, 5 to 8 data, parity and stop bits, each of 16 baud clocks. A divisor of
 * 0 would stop the baud clock, and the timeout with it: it counts as 1, so that no byte waits for
 * ever. */
static uint64_t timeout_ns(const struct ns16550a *u)
{
    uint64_t bits = 1 + 5 + (u->lcr & 3) + !!(u->lcr & LCR_PARITY) + 1 + !!(u->lcr & LCR_STOP);
    return 4 * bits * 16 * max_u64(u->divisor, 1) * 1000000000u / NS16550A_CLOCK_HZ;
}

/* A FIFO that holds something and is left alone for four character times interrupts (data sheet,
 * "FIFO Interrupt Mode Operation"): called at each arrival and each read. */
static void restart_timeout(struct ns16550a *u)
{
    if (fifos_enabled(u) && u->rx_count)
        event_arm(u->config.events, &u->timeout, clock_now_ns(u->config.clock) + timeout_ns(u));
    else
        event_disarm(u->config.events, &u->timeout);
}

static void on_timeout(void *owner, uint64_t now_ns)
{
    (void)now_ns;
    struct ns16550a *u = owner;
    u->timed_out = true;
    update_irq(u);
}

static void clear_rx(struct ns16550a *u)
{
    u->rx_count = 0;
    u->timed_out = false;
    restart_timeout(u);
}

/* Removes up to n of the oldest bytes. */
static size_t pop_rx(struct ns16550a *u, uint8_t *to, size_t n)
{
    size_t taken = min_u64(n, u->rx_count);
    if (!taken)
        return 0;
    memcpy(to, u->rx, taken);
    u->rx_count -= taken;
    memmove(u->rx, u->rx + taken, u->rx_count);
    u->timed_out = false;
    restart_timeout(u);
    update_irq(u);
    return taken;
}

static size_t push_rx(struct ns16550a *u, const uint8_t *bytes, size_t n)
{
    size_t taken = min_u64(n, rx_capacity(u) - u->rx_count);
    if (!taken)
        return 0;
    memcpy(u->rx + u->rx_count, bytes, taken);
    u->rx_count += taken;
    restart_timeout(u);
    update_irq(u);
    return taken;
}

size_t ns16550a_receive(void *uart, const uint8_t *bytes, size_t n)
{
    struct ns16550a *u = uart;
    return u->mcr & MCR_LOOP ? 0 : push_rx(u, bytes, n);
}

size_t ns16550a_take_input(struct device *uart, uint8_t *to, size_t n)
{
    return pop_rx((struct ns16550a *)uart, to, n);
}

/* Loopback: what is sent arrives. A full FIFO keeps its bytes, the single RBR is overwritten. */
static void loop_back(struct ns16550a *u, uint8_t byte)
{
    if (push_rx(u, &byte, 1))
        return;
    u->overrun = true;
    if (!fifos_enabled(u))
        u->rx[0] = byte;
}

/* --- modem lines --- */

/* The wire has a peer that is always there; in loopback mode the outputs are the inputs. */
static uint8_t modem_inputs(const struct ns16550a *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_DCD | MSR_DSR | MSR_CTS;
    return (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
           (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* Each delta bit stands four below its input; RI tells only that it ended. */
static void write_mcr(struct ns16550a *u, uint8_t value)
{
    uint8_t before = modem_inputs(u);
    u->mcr = value & MCR_MASK;
    uint8_t after = modem_inputs(u);
    uint8_t ring_began = ~before & after & MSR_RI;
    u->msr_deltas |= ((before ^ after) & ~ring_began) >> 4;
}

/* --- registers --- */

static uint8_t read_rbr(struct ns16550a *u)
{
    uint8_t byte = 0;
    pop_rx(u, &byte, 1);
    return byte;
}

/* Showing the THRE interrupt acknowledges it. */
static uint8_t read_iir(struct ns16550a *u)
{
    unsigned id = interrupt_id(u, u->thre_pending);
    if (id == IIR_THRE)
        u->thre_pending = false;
    return id | (fifos_enabled(u) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct ns16550a *u)
{
    uint8_t value = LSR_EMPTY | (u->rx_count ? LSR_DATA : 0) | (u->overrun ? LSR_OVERRUN : 0);
    u->overrun = false;
    u->thre_seen = true;
    return value;
}

static uint8_t read_msr(struct ns16550a *u)
{
    uint8_t value = modem_inputs(u) | u->msr_deltas;
    u->msr_deltas = 0;
    return value;
}

static uint8_t read_register(struct ns16550a *u, uint64_t offset)
{
    bool dlab = u->lcr & LCR_DLAB;
    switch (offset) {
    case RBR:
        return dlab ? u->divisor & 0xff : read_rbr(u); /* DLL */
    case IER:
        return dlab ? u->divisor >> 8 : u->ier; /* DLM */
    case IIR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return read_lsr(u);
    case MSR:
        return read_msr(u);
    case SCR:
        return u->scr;
    }
    log_line(u->config.log, LOG_GUEST_ERRORS, "ns16550a: no register at 0x%" PRIx64 ", reads as 0",
             offset);
    return 0;
}

/* The byte leaves at once, so the interrupt that this write acknowledges is pending again. */
static void write_thr(struct ns16550a *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP)
        loop_back(u, byte);
    else if (u->config.sink.write)
        u->config.sink.write(u->config.sink.owner, &byte, 1);
    raise_thre(u);
}

/* Enabling the THRE interrupt while THR is empty, which it always is, raises it. */
static void write_ier(struct ns16550a *u, uint8_t value)
{
    uint8_t enabled = value & ~u->ier;
    u->ier = value & IER_MASK;
    if (enabled & IER_THRE)
        raise_thre(u);
}

/* Bits other than FCR_ENABLE are programmed only together with it. */
static void write_fcr(struct ns16550a *u, uint8_t value)
{
    bool toggled = (value ^ u->fcr) & FCR_ENABLE;
    u->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
    if (toggled || (value & FCR_CLEAR_RX))
        clear_rx(u);
}

static void write_lcr(struct ns16550a *u, uint8_t value)
{
    if (value & ~u->lcr & LCR_BREAK)
        log_line(u->config.log, LOG_UNIMP, "ns16550a: a break is not sent");
    u->lcr = value;
}

static void write_register(struct ns16550a *u, uint64_t offset, uint8_t value)
{
    bool dlab = u->lcr & LCR_DLAB;
    switch (offset) {
    case THR:
        if (dlab)
            u->divisor = (u->divisor & 0xff00) | value;
        else
            write_thr(u, value);
        return;
    case IER:
        if (dlab)
            u->divisor = (u->divisor & 0x00ff) | value << 8;
        else
            write_ier(u, value);
        return;
    case FCR:
        write_fcr(u, value);
        return;
    case LCR:
        write_lcr(u, value);
        return;
    case MCR:
        write_mcr(u, value);
        return;
    case LSR: /* read-only; the data sheet reserves writing for factory tests */
    case MSR:
        return;
    case SCR:
        u->scr = value;
        return;
    }
    log_line(u->config.log, LOG_GUEST_ERRORS,
             "ns16550a: no register at 0x%" PRIx64 ", write ignored", offset);
}

/* QEMU's takes any width and looks at the low byte alone; bare-metal guests rely on it. */
static uint64_t ns16550a_read(void *device, uint64_t offset, unsigned size)
{
    (void)size;
    struct ns16550a *u = device;
    uint8_t value = read_register(u, offset);
    update_irq(u);
    return value;
}

static void ns16550a_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    struct ns16550a *u = device;
    write_register(u, offset, value);
    update_irq(u);
}

static void ns16550a_reset(struct device *d)
{
    struct ns16550a *u = (struct ns16550a *)d;
    u->ier = u->fcr = u->lcr = u->scr = u->msr_deltas = 0;
    u->mcr = MCR_OUT2;
    u->divisor = RESET_DIVISOR;
    u->overrun = u->thre_pending = u->thre_seen = false;
    clear_rx(u);
    update_irq(u);
}

/* The count is checked before it is used: a saved state may be hostile. */
static void state_rx(struct ns16550a *u, struct state *s)
{
    state_u8(s, &u->rx_count);
    if (u->rx_count > rx_capacity(u)) {
        state_fail(s, "ns16550a: %u bytes in a FIFO of %zu", u->rx_count, rx_capacity(u));
        u->rx_count = 0;
    }
    state_bytes(s, u->rx, u->rx_count);
}

static void ns16550a_state(struct device *d, struct state *s)
{
    struct ns16550a *u = (struct ns16550a *)d;
    state_section(s, "ns16550a", 2);
    state_u8(s, &u->ier);
    state_u8(s, &u->fcr);
    state_u8(s, &u->lcr);
    state_u8(s, &u->mcr);
    state_u8(s, &u->scr);
    state_u8(s, &u->msr_deltas);
    state_u16(s, &u->divisor);
    state_bool(s, &u->overrun);
    state_bool(s, &u->thre_pending);
    state_bool(s, &u->thre_seen);
    state_bool(s, &u->timed_out);
    if ((u->ier & ~IER_MASK) || (u->mcr & ~MCR_MASK) || (u->msr_deltas & ~MSR_DELTAS) ||
        (u->fcr & ~(FCR_ENABLE | FCR_TRIGGER)))
        state_fail(s, "ns16550a: a register has bits that do not exist");
    state_rx(u, s);
}

static void ns16550a_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops ns16550a_ops = {
    .mmio = {.name = "ns16550a",
             .read = ns16550a_read,
             .write = ns16550a_write,
             .sizes = 1 | 2 | 4 | 8},
    .reset = ns16550a_reset,
    .state = ns16550a_state,
    .destroy = ns16550a_destroy,
};

struct device *ns16550a_create(const struct ns16550a_config *config)
{
    struct ns16550a *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->device.ops = &ns16550a_ops;
    u->config = *config;
    event_register(config->events, &u->timeout, "ns16550a-timeout", on_timeout, u);
    return &u->device;
}
